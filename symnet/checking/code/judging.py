"""One trace at one choice of sizes against the derivation: refuted at an exact point, or proved entry by entry."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import sympy as sp
from flint import ctx

from symnet.checking.code.asking import beyond
from symnet.checking.code.float_arrays import Place, two_shapes
from symnet.checking.code.nodes import Graph, Node
from symnet.checking.code.proving import LATE, NO, Prover
from symnet.checking.code.truth import Frame, Truth, value_of
from symnet.checking.code.values import BITS, needed, values
from symnet.core.decimals import as_ball, rounded
from symnet.core.numbers import rational
from symnet.core.time_limit import time_is_over
from symnet.core.verdict import EXCEPT, Answer, Verdict, Witness, all_of
from symnet.equality.compare import compare
from symnet.equality.domain import NEEDED, Domain
from symnet.equality.refuting import AROUND

CORNER = 300  # nodes of an entry whose cases are taken apart
CASES = frozenset({"gt", "ge", "eq", "where", "max", "min", "abs", "sign", "floor"})
FIRST, MORE = 4, 12  # points that come before a proof is tried, and after none was found
SCREENED = 2  # points at further sizes


@dataclass
class Trial:
    """What the function returned at one choice of sizes, and the Truth there. Grows values and proofs as they are asked for."""

    frame: Frame
    make: Callable[[], Truth]  # the right values, made when they are first asked for
    graph: Graph
    returned: Mapping[str, Any]  # tensor name -> array of nodes
    targets: Mapping[str, str]  # tensor name -> the tensor that it should be
    known: Mapping[tuple[str, Place], int] = field(default_factory=dict)  # entries that are numbers: class labels
    chosen: Mapping[str, Any] = field(default_factory=dict)  # the class labels
    again: Callable[[], Mapping[str, Any]] = dict  # the function traced once more
    cache: dict[Any, Any] = field(default_factory=dict)

    @property
    def truth(self) -> Truth:
        """The right values."""
        if "truth" not in self.cache:
            self.cache["truth"] = self.make()
        return self.cache["truth"]  # type: ignore[no-any-return]

    @property
    def labels(self) -> str:
        """The class labels, in words."""
        return "; ".join(f"class labels of {name} {' '.join(map(str, y.reshape(-1)))}" for name, y in self.chosen.items())

    @property
    def order(self) -> list[Node]:
        """Every node that a returned value depends on."""
        if "order" not in self.cache:
            self.cache["order"] = needed(node for a in self.returned.values() for node in a.flat)
        return self.cache["order"]  # type: ignore[no-any-return]

    @property
    def points(self) -> list[Mapping[Any, Any]]:
        """The exact points; a wrong entry nearly always shows at the first."""
        if "points" not in self.cache:
            self.cache["points"] = list(self.truth.points(FIRST + MORE))
        return self.cache["points"]  # type: ignore[no-any-return]

    def at(self, k: int, near: int | None = None) -> tuple[dict[Node, Any], Mapping[Any, Any]]:
        """The values of the nodes and of the scalars at point k, or at a point beside it."""
        if (k, near) not in self.cache:
            point = self.points[k] if near is None else self.truth.near(self.points[k], near)
            self.cache[k, near] = values(self.order, point), self.truth.values(point)
        return self.cache[k, near]  # type: ignore[no-any-return]

    def defined(self, k: int, near: int | None = None) -> bool:
        """Has the objective a value there, as it was written?"""
        key = "defined", k, near
        if key not in self.cache:
            self.cache[key] = self.truth.defined(self.at(k, near)[1])
        return bool(self.cache[key])

    @property
    def has_cases(self) -> bool:
        """True when the code or the derivation has a case, so that values may differ on its border alone."""
        if "cases" not in self.cache:
            self.cache["cases"] = self.truth.has_cases or any(node.op in CASES for node in self.order)
        return bool(self.cache["cases"])

    def extend(self, array: Any) -> None:
        """Have values for the nodes of one more array."""
        for k in range(FIRST):
            mine, _ = self.at(k)
            mine.update(values(needed(array.flat), self.points[k]))
        self.cache = {key: made for key, made in self.cache.items() if not isinstance(key, tuple) or key[-1] is None}  # nothing beside them

    def prover(self, kinks: bool) -> Prover:
        """The proof state; with ``kinks``, both sides of a kink count as one."""
        key = "kinks" if kinks else "proof"
        if key not in self.cache:
            both = [self.at(k) for k in range(FIRST)]
            self.cache[key] = Prover(self.truth, [m for m, _ in both], [r for _, r in both], kinks)
        return self.cache[key]  # type: ignore[no-any-return]

    def entries(self, name: str) -> dict[Place, Any]:
        """The right entries of a returned value, by places counted from 0."""
        return self.truth.array(self.targets[name])


def wrong_at(trial: Trial, name: str, first: int, last: int) -> tuple[Place, Witness] | None:
    """The first entry that is certainly wrong at one of the points, and where its values are shortest to write."""
    array, entries = trial.returned[name], trial.entries(name)
    for k in range(first, last):
        for place, entry in entries.items():
            if _differ(trial, k, array[place], entry):
                found = [_witness(trial, j, array[place], entry) for j in range(k, last) if _differ(trial, j, array[place], entry)]
                return place, min(found, key=lambda w: len(w.left) + len(w.right))
    return None


def _sides(trial: Trial, k: int, node: Node, entry: sp.Expr, near: int | None = None) -> tuple[Any, Any]:
    mine, right = trial.at(k, near)
    return mine[node], right[entry] if entry in right else value_of(entry, right)


def _differ(trial: Trial, k: int, node: Node, entry: sp.Expr) -> bool:
    """Are the two certainly different at point k, and not on the border of a case alone?"""
    around = range(AROUND) if trial.has_cases else ()
    return all(trial.defined(k, near) and _apart_at(*_sides(trial, k, node, entry, near)) for near in (None, *around))


def _apart_at(a: Any, b: Any) -> bool:
    """Certainly two different values."""
    if a is None or b is None:
        return False
    with ctx.workprec(BITS):
        return not as_ball(a - b).contains(0)


def wrong_in_a_corner(trial: Trial, name: str, place: Place | None) -> tuple[Place, Witness] | None:
    """A difference that shows in a region which no point has met, where the entry is short enough to take its cases apart."""
    if place is None:
        return None
    prover = trial.prover(False)
    both = [prover.spelled(x, CORNER) for x in (prover.form[trial.returned[name][place]], trial.entries(name)[place])]
    sides = [x for x in both if x is not None and not x.has(sp.nan) and not x.free_symbols & prover.about.keys()]
    if len(sides) < 2:
        return None
    known = ((prover.spelled(u, CORNER), sign) for u, sign in trial.truth.domain.holes)
    asked = tuple((u, sign) for u, sign in known if u is not None and not u.has(sp.nan))
    found = compare(sides[0], sides[1], domain=Domain(asked, trial.truth.classes, (), trial.truth.domain.of))
    if found.answer is not Answer.REFUTED or found.witness is None:
        return None
    point = {s: rational(dict(found.witness.point)[str(s)]) for side in sides for s in side.free_symbols}
    return place, Witness(found.witness.point, *_apart(*[value_of(side, point) for side in sides]))


def _witness(trial: Trial, k: int, node: Node, entry: sp.Expr) -> Witness:
    """The point and the values of both sides there."""
    return Witness(tuple((str(s), str(v)) for s, v in trial.points[k].items()), *_apart(*_sides(trial, k, node, entry)))


def _apart(a: Any, b: Any) -> tuple[str, str]:
    """Two values with enough digits to tell them apart."""
    with ctx.workprec(BITS):
        shown = [(str(rounded(a, d) or "≈ 0"), str(rounded(b, d) or "≈ 0")) for d in (6, 10, 20, 40)]  # no digits are sure beside 0
    return next((pair for pair in shown if pair[0] != pair[1]), shown[-1])


def shape_of(trial: Trial, name: str) -> Verdict | None:
    """A refutation when the shape is not that of the tensor."""
    found, wanted = tuple(trial.returned[name].shape), trial.truth.shape(trial.targets[name])
    if found == wanted:
        return None
    return Verdict(Answer.REFUTED, "shape", reason=two_shapes(found, wanted), scope=scope(trial))


def scope(trial: Trial) -> str:
    """At which sizes, and with which class labels."""
    sizes = "at sizes " + ", ".join(f"{k} = {v}" for k, v in trial.frame.sizes.items()) if trial.frame.sizes else ""
    return ", ".join(s for s in (sizes, trial.labels) if s)


def judge(trial: Trial, name: str) -> tuple[Verdict, Place | None]:
    """The verdict on one returned value, and the entry that decides it."""
    shape = shape_of(trial, name)
    if shape is not None:
        return shape, None
    wrong = wrong_at(trial, name, 0, FIRST)
    if wrong is None:
        found, place = prove(trial, name)
        if found.answer is not Answer.UNDECIDED:
            return found, None
        wrong = wrong_at(trial, name, FIRST, FIRST + MORE) or wrong_in_a_corner(trial, name, place)
        if wrong is None:
            return found, place
    return Verdict(Answer.REFUTED, "ball enclosure", witness=wrong[1], scope=scope(trial)), wrong[0]


def screened(trial: Trial, name: str, points: int = SCREENED) -> tuple[Verdict, Place | None] | None:
    """A refutation at exact points; nothing is proved."""
    shape = shape_of(trial, name) if name in trial.returned else None
    if shape is not None:
        return shape, None
    wrong = wrong_at(trial, name, 0, points) if name in trial.returned else None
    return None if wrong is None else (Verdict(Answer.REFUTED, "ball enclosure", witness=wrong[1], scope=scope(trial)), wrong[0])


def screened_alone(trial: Trial, name: str) -> tuple[Verdict, Place | None]:
    """The verdict on what is known to be wrong: undecided where no point shows it."""
    return screened(trial, name, FIRST + MORE) or (Verdict(Answer.UNDECIDED, reason=NO.reason, scope=scope(trial)), None)


def prove(trial: Trial, name: str) -> tuple[Verdict, Place | None]:
    """Every entry by normal form; where the sides of a kink must be taken for one, the verdict names the kink."""
    found, place = _prove(trial, name, False)
    if found.answer is Answer.UNDECIDED:
        again, _ = _prove(trial, name, True)
        if again.answer is not Answer.UNDECIDED:
            kinks = [str(u) for u in trial.prover(True).tidy.used]
            if not kinks:
                return again, None
            said = " or ".join(f"{u} = 0" for u in kinks[:2]) + (f" or {len(kinks) - 2} more" if len(kinks) > 2 else "")
            return Verdict(Answer.ALMOST_EVERYWHERE, "normal form", f"except at a kink, where {said}", scope=scope(trial)), None
    return found, place


def _prove(trial: Trial, name: str, kinks: bool) -> tuple[Verdict, Place | None]:
    prover, array = trial.prover(kinks), trial.returned[name]
    prover.write(needed(array.flat))
    parts: list[tuple[Answer, str]] = [(Answer.PROVED, "")]
    for place, entry in trial.entries(name).items():
        verdict = prover.equal(prover.form[array[place]], entry)
        if verdict.answer is Answer.UNDECIDED:
            reason = LATE.reason if time_is_over() else verdict.reason
            if all(trial.at(k)[0][array[place]] is None for k in range(FIRST)):
                reason = "the code's value does not exist at the points that were tried"
            where = f"entry [{', '.join(map(str, place))}]: " if place else ""
            return Verdict(Answer.UNDECIDED, reason=where + reason, scope=scope(trial)), place
        parts.append((verdict.answer, verdict.condition))
    for u, sign in beyond(prover, array.flat):
        if sign == "=" and prover.thin(u):
            parts.append((Answer.ALMOST_EVERYWHERE, f"{EXCEPT}{u} = 0"))
        else:
            parts.append((Answer.CONDITIONAL, f"{u} {NEEDED[sign]} 0"))
    answer, said = all_of(parts)
    where = trial.truth.domain.said(trial.truth.domain.unseen) or next(iter(prover.domain_used), "")
    if answer is Answer.PROVED:
        return Verdict(answer, "normal form", reason=where, scope=scope(trial)), None
    few, join = (4, " or ") if answer is Answer.ALMOST_EVERYWHERE else (2, " and ")
    shown = (EXCEPT if answer is Answer.ALMOST_EVERYWHERE else "") + join.join(said[:few])
    return Verdict(answer, "normal form", shown + (f"{join}{len(said) - few} more" if len(said) > few else ""), reason=where,
                   scope=scope(trial)), None


def same(one: Mapping[str, Any], two: Mapping[str, Any]) -> bool:
    """Two traces of one graph gave the same nodes."""
    return one.keys() == two.keys() and all(a.shape == two[k].shape and all(x is y for x, y in zip(a.flat, two[k].flat, strict=True))
                                            for k, a in one.items())


__all__ = ["Trial", "judge", "same", "scope", "screened", "screened_alone"]
