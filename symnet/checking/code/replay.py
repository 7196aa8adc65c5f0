"""The function run again on plain NumPy arrays: it must give there what was traced.

Tracing sees one run on arrays that are not NumPy's own. Code can tell the two apart, keep results between calls, write into its arguments,
or use whole numbers where tracing sees real ones; then what was proved is not what runs. So it is run on fresh data, exact in floating
point: at two choices of sizes, at larger ones, at large ones and where one size is 1, with class labels that repeat, and once with equal
values, where maxima and comparisons meet ties; its arguments are compared before and after. A wrong value refutes when it is wrong in exact
arithmetic too: the right one is enclosed by a ball at the same data, and what the code gives does not hang on the digits of its floats.
"""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np
import sympy as sp
from flint import ctx, fmpq

from symnet.calculus.evaluate import evaluate
from symnet.checking.code.calling import Binding, arguments_of
from symnet.checking.code.declared_sums import as_declared, declared_totals, exactly, meet, nested
from symnet.checking.code.float_arrays import FLOOR, Place, apart, closeness, number, refuted
from symnet.checking.code.judging import Trial
from symnet.checking.code.returning import read_result
from symnet.checking.code.truth import Frame
from symnet.checking.code.values import BITS, needed, values
from symnet.checking.large_sizes import MOST_WORK
from symnet.checking.large_sizes import choices as large_choices
from symnet.checking.tried_sizes import PROVED_AT
from symnet.core.decimals import as_ball
from symnet.core.derivation import Derivation
from symnet.core.index_evaluation import Env
from symnet.core.program import Program
from symnet.core.tensors import Role, Tensor
from symnet.core.time_limit import time_is_over
from symnet.core.user_code import told
from symnet.core.verdict import Answer, Verdict
from symnet.equality.points import suited
from symnet.errors import OptionError, SymnetError

LARGER = (8, 11, 9, 13, 10, 12)  # sizes that nothing was traced at
MOST = 20_000  # entries of the program's tensors there
NEAR = 2.0**-30  # how far beside others numbers lie, that a border of cases is left
LARGE_BITS = 40  # of huge numbers
FEW, SHORT, LONG = 50, 7, 20  # inputs up to which numbers of few bits are drawn, all different; and how many bits they have
ON_ARRAYS, FOR_ALL = "on plain NumPy arrays", "for all sizes"
Arrays = dict[str, Any]


@dataclass(frozen=True)
class Data:
    """What the numbers of one run are like: the seed, whether many are equal, whether sums are as declared and rows of targets sum to 1."""

    seed: int
    ties: bool = False
    shares: bool = False
    once: bool = False  # at the first choice of sizes alone


HUGE = Data(5)
TRACED_AT, FURTHER = (Data(0, shares=True), Data(1), Data(2, ties=True, once=True)), (Data(3), Data(4, shares=True))


@dataclass
class Replay:
    """What the runs on plain arrays showed, by returned value."""

    changed: dict[str, None] = field(default_factory=dict)  # arguments that were written into
    shared: dict[str, str] = field(default_factory=dict)  # returned values that are such an argument, and which
    failed: str = ""  # what it raised
    failed_at_one: str = ""  # what it raised where a size is 1
    wrong: dict[str, tuple[Verdict, Place | None]] = field(default_factory=dict)  # its values are not the right ones
    wrong_as_asked: dict[str, tuple[Verdict, Place | None]] = field(default_factory=dict)  # so too where what is ``known`` holds
    known: frozenset[str] = frozenset()  # conditions that some of the data meet: what is declared, rows of targets that sum to 1
    rows: bool = False  # nothing is declared, and rows of targets sum to 1 in some of the data
    parted: dict[str, str] = field(default_factory=dict)  # its values are not those that were traced
    missing: dict[str, str] = field(default_factory=dict)  # it has no value there
    undeclared: set[str] = field(default_factory=set)  # its values are not the right ones where what is declared does not hold
    right: set[str] = field(default_factory=set)  # its values were the right ones, in every run
    unset: set[str] = field(default_factory=set)  # it holds entries that nothing was written into: what NumPy finds there is chance

    def settle(self, name: str, verdict: Verdict, place: Place | None) -> tuple[Verdict, Place | None]:
        """The verdict on a value, with what the runs showed of it."""
        undecided = Answer.UNDECIDED
        if verdict.answer is undecided:
            return (verdict, place) if name in self.unset else self.wrong.get(name, (verdict, place))
        if verdict.answer is Answer.REFUTED:
            if name in self.parted and name in self.right and not self.failed:
                return Verdict(undecided, reason=self.parted[name]), None
            return verdict, place
        failed = self.failed or (self.failed_at_one if verdict.scope == FOR_ALL else "")
        if failed:
            return Verdict(undecided, reason=failed), None
        if name in self.wrong and verdict.answer is not Answer.CONDITIONAL:
            return self.wrong[name]
        if name in self.wrong_as_asked and verdict.answer is Answer.CONDITIONAL:
            wrong, at = self.wrong_as_asked[name]
            if wrong.answer is undecided or set(verdict.condition.split(" and ")) <= self.known:
                return wrong, at
            said = f"it is right where {verdict.condition}, as far as it was traced, and wrong {wrong.scope}"
            return Verdict(undecided, reason=said), None
        if name in self.parted:
            return Verdict(undecided, reason=self.parted[name]), None
        if name in self.missing and verdict.answer is not Answer.CONDITIONAL:
            return Verdict(undecided, reason=self.missing[name]), None
        if name in self.shared:
            said = f"{ON_ARRAYS} the function writes this into its argument {self.shared[name]} and returns that"
            return Verdict(undecided, reason=f"{said}: the caller's values are lost"), None
        return verdict, place

    @property
    def refuted(self) -> set[str]:
        """The values that are wrong there, beyond doubt."""
        return {name for name, (verdict, _) in self.wrong.items() if verdict.answer is Answer.REFUTED and name not in self.unset}

    @property
    def needing(self) -> set[str]:
        """The values that are wrong without what is ``known``, and in no run with it."""
        return (self.refuted if self.rows else self.undeclared) - self.wrong_as_asked.keys()

    @property
    def notes(self) -> tuple[str, ...]:
        """What else there is to say."""
        return tuple(f"the function writes into its argument {name}: what the caller had there is lost" for name in self.changed)


class Player:
    """One function on plain arrays, and the right values of what it returns."""

    def __init__(self, function: Callable[..., Any], binding: Binding, derivation: Derivation, declared: Program,
                 returns: Sequence[str]) -> None:
        """``derivation`` is made without what is declared, ``declared`` is the program with it: values that break it refute nothing."""
        self.function, self.binding, self.derivation, self.returns = function, binding, derivation, returns
        self.program: Program = derivation.full
        self.names: list[str] = []
        self.declared = declared if declared.assumptions or any(d.holes for d in declared.definitions) else None
        rows = [t.name for t in declared.inputs if t.role is Role.TARGET and len(t.axes) > 1]
        self.totals = {**dict.fromkeys(rows, (-1, 1.0)), **declared_totals(declared)}
        self.known = frozenset((*map(str, declared.assumptions), *(f"each row of {name} sums to 1" for name in rows)))

    def run(self, trials: Sequence[Trial], larger: bool) -> Replay:
        """All runs; no further choice of sizes is begun when the time is over."""
        found = Replay(known=self.known, rows=bool(self.known) and not (self.declared and self.declared.assumptions))
        names = self.names = list(trials[0].returned)
        found.unset = {n for n, a in trials[0].returned.items() if any(node.op == "unset" for node in needed(a.flat))}
        agreed = dict.fromkeys(names, True)
        frames = [t.frame for t in trials]
        frames += list(self._further()) if larger else []
        for turn, frame in enumerate(frames):
            trial = trials[turn] if turn < len(trials) else None
            if trial is None and time_is_over():
                break
            for kind in TRACED_AT if trial is not None else FURTHER:
                if (kind.once and turn) or (trial is None and kind.shares and not self.known):
                    continue
                labels = None if trial is None or kind.seed else trial.chosen
                made = self._with_values(frame, kind, kind.seed + 10 * turn, labels)
                if made is None:
                    return Replay()
                traced = trial if labels is not None or not self.binding.labels else None
                if self._once(found, frame, traced, *made, kind, agreed):
                    continue
                if trial is None and 1 in frame.sizes.values():
                    found.failed, found.failed_at_one = "", found.failed
                    break
                else:
                    return found
        found.right = {n for n in names if agreed[n]}
        huge = self._with_values(frames[0], HUGE, HUGE.seed, trials[0].chosen)
        if huge is not None and not self._once(found, frames[0], None, *huge, HUGE, agreed):
            found.failed = ""  # where floats end
        return found

    def _further(self) -> Iterator[Frame]:
        """Sizes at which nothing was traced: larger ones, each of them 1, each of them large."""
        names = [str(s) for s in self.program.sizes]
        small = dict(zip(names, PROVED_AT[0], strict=False))
        for sizes in (dict(zip(names, LARGER, strict=False)), *({**small, name: 1} for name in names),
                      *(c for c in large_choices(self.program) if len(names) == 1 or len(set(c.values())) > 1)) if names else ():
            if any(least > sizes[str(s)] for s, least in self.program.least.items()):
                continue
            env = {s: sp.Integer(sizes[str(s)]) for s in self.program.sizes}
            lengths = [[a.size.xreplace(env) for a in t.axes] for t in self.program.tensors.values()]
            if sum(sp.Mul(*shape) for shape in lengths) <= MOST and all(n >= 1 for shape in lengths for n in shape):
                yield Frame(self.program, sizes)

    def _with_values(self, frame: Frame, kind: Data, seed: int, labels: Mapping[str, Any] | None,
                     ) -> tuple[tuple[Arrays, Arrays], Mapping[str, Any]] | None:
        """Arrays, and the right values there; positive arrays where log, sqrt and the like have none at others."""
        targets = {self._target(name): None for name in self.names}
        found = None
        for positive in (False, True):
            data = self._data(frame, kind, seed, labels, positive)
            if data is None:
                return None
            with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
                found = data, self.program.values(targets, data[0])
            if any(np.isfinite(np.asarray(v)).any() for v in found[1].values()):
                break
        return found

    def _target(self, name: str) -> str:
        return name if name == self.derivation.objective else self.derivation.names[name]

    def _data(self, frame: Frame, kind: Data, seed: int, labels: Mapping[str, Any] | None,
              positive: bool = False) -> tuple[Arrays, Arrays] | None:
        """Arrays for the inputs, and class labels; None where a structure has no numbers here."""
        dice = random.Random(seed)
        count = sum(int(np.prod(frame.shape(t.name), dtype=int)) for t in frame.program.inputs)
        bits = SHORT if count <= FEW else LONG
        drawn = iter(dice.sample(range(1, 1 << bits), min(count, (1 << bits) - 1)))
        arrays: Arrays = {}
        chosen: Arrays = {}
        for t in frame.program.inputs:
            shape = frame.shape(t.name)
            if t.name in self.binding.labels.values():
                chosen[t.name] = labels[t.name] if labels is not None else _repeated(shape, dice)
                arrays[t.name] = (chosen[t.name][..., None] == np.arange(shape[-1])).astype(float)
                continue
            made = _filled(t, shape, dice, kind, frame.entries.env, None if kind.ties else drawn, bits, positive)
            if made is None:
                return None
            if kind.shares and t.name in self.totals and t.domain == "real" and not t.structure:
                meet(made, *self.totals[t.name])
            arrays[t.name] = made
        return arrays, chosen

    def _once(self, found: Replay, frame: Frame, trial: Trial | None, data: tuple[Arrays, Arrays], right: Mapping[str, Any],
              kind: Data, agreed: dict[str, bool]) -> bool:
        """One run; False when there is nothing more to learn."""
        arrays, chosen = data
        given = {name: a.copy() if a.ndim else a[()] for name, a in arrays.items()}
        labels = {name: y.copy() if y.ndim else int(y) for name, y in chosen.items()}
        try:
            got = self._call(frame, given, labels)
        except (Exception, SystemExit) as error:
            said = f"gives {error.found}" if isinstance(error, SymnetError) else f"raises {told(error).message}"
            found.failed = f"{ON_ARRAYS} it {said}"
            return False
        for name in (*self.binding.tensors.values(), *(arrays if self.binding.tables or self.binding.rest else ())):
            if not np.array_equal(arrays[name], given[name], equal_nan=True):
                found.changed[name] = None
        for name, y in chosen.items():
            if not np.array_equal(y, labels[name]):
                found.changed[name] = None
        written = {name: given[name] for name in found.changed if np.ndim(given[name])}
        found.shared |= {n: name for n, a in got.items() for name, b in written.items() if np.shares_memory(a, b)}
        where = _where(frame, chosen)
        declared: bool | None = None  # asked where a value is not the right one: it takes long
        for name in (n for n in got if n in agreed):
            wanted = np.asarray(right[self._target(name)])
            place = apart(got[name], wanted)
            if place is None or kind.ties:
                continue
            if kind is not HUGE:
                agreed[name] = False
            declared = self._as_declared(frame, arrays) if declared is None else declared
            if not declared:
                if kind is not HUGE and self.declared is not None and self.declared.assumptions:
                    found.undeclared.add(name)
                continue
            if got[name].shape == wanted.shape and not np.isfinite(got[name][place]):
                if kind is not HUGE:
                    found.missing.setdefault(name, f"{ON_ARRAYS} its value does not exist, {where}")
            elif name not in found.wrong or (kind.shares and name not in found.wrong_as_asked):
                wrong = refuted(place, got[name], wanted, arrays, ", ".join(filter(None, (where, ON_ARRAYS))))
                if got[name].shape == wanted.shape and not self._certain(name, place, got[name], trial, frame, data):
                    if kind is HUGE:
                        continue
                    said = f"{ON_ARRAYS} it gives {number(got[name][place])}, right is {number(wanted[place])}"
                    wrong = Verdict(Answer.UNDECIDED, reason=f"{said}, {where}: exact arithmetic did not confirm it"), None
                found.wrong.setdefault(name, wrong)
                if kind.shares:
                    found.wrong_as_asked.setdefault(name, wrong)
        if trial is not None:
            self._compare(found, trial, arrays, got, where)
        return True

    def _call(self, frame: Frame, given: Arrays, labels: Arrays) -> dict[str, Any]:
        """What the function returns, by name."""
        front, named = arguments_of(self.function, self.binding, frame.program, given, frame.sizes, labels)
        with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
            result = self.function(*front, **named)
        alone = len(self.names) == 1 and not isinstance(result, (Mapping, tuple, list))  # whatever its shape is here
        return read_result(result, self.derivation, self.returns or (tuple(self.names) if alone else ()), _read)[0]

    def _certain(self, name: str, place: Place, got: Any, trial: Trial | None, frame: Frame, data: tuple[Arrays, Arrays]) -> bool:
        """Is the value at a place wrong in exact arithmetic too: beyond the rounding of the right one, and of the code's own steps?"""
        arrays, chosen = data
        target = self._target(name)
        try:
            right = evaluate(self.program, {n: nested(exactly(a), a.shape) for n, a in arrays.items()}, frame.sizes)
            if right.plan.work() > MOST_WORK:
                return False
            table = right.numbers(BITS).table(target)
        except (SymnetError, ArithmeticError):
            return False
        there = frame.places(target)[place]
        with ctx.workprec(BITS):
            gap = abs(as_ball(table[there] - _exact(got[place])))
            close = closeness(got)
            if not gap > close * abs(as_ball(_exact(got[place]))) + FLOOR:
                return False
        return self._steadily(name, place, got, float(gap.mid()), trial, frame, arrays, chosen) and self._beside(name, place, frame, data)

    def _beside(self, name: str, place: Place, frame: Frame, data: tuple[Arrays, Arrays]) -> bool:
        """Is it wrong at numbers beside these too, and not on a border of cases alone?"""
        arrays, chosen = data
        held = self.binding.labels.values()
        moved = {n: a if n in held or a.dtype.kind != "f" else np.asarray(a + (1 + np.abs(a)) * NEAR * _wobble(a.shape))
                 for n, a in arrays.items()}
        labels = {n: y.copy() if y.ndim else int(y) for n, y in chosen.items()}
        try:
            got = self._call(frame, {n: a.copy() if a.ndim else a[()] for n, a in moved.items()}, labels)[name]
            with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
                wanted = np.asarray(self.program.values([self._target(name)], moved)[self._target(name)])
        except (Exception, SystemExit):
            return False
        close = closeness(got)
        return got.shape == wanted.shape and bool(abs(float(got[place]) - wanted[place]) > close * abs(wanted[place]) + FLOOR)

    def _steadily(self, name: str, place: Place, got: Any, gap: float, trial: Trial | None, frame: Frame, arrays: Arrays,
                  chosen: Arrays) -> bool:
        """Does the code give nearly the same with more digits (or, where it takes no such numbers, as it was traced)?"""
        wide = {n: a if a.dtype.kind != "f" else a.astype(np.longdouble) if a.ndim else np.longdouble(a) for n, a in arrays.items()}
        labels = {n: y.copy() if y.ndim else int(y) for n, y in chosen.items()}
        try:
            again = self._call(frame, {n: a.copy() if np.ndim(a) else a for n, a in wide.items()}, labels)[name][place]
        except (Exception, SystemExit):
            if trial is None:
                return False
            node = trial.returned[name][place]
            again = _float(values(needed([node]), _point(frame, arrays))[node])
        return bool(abs(float(again) - float(got[place])) < gap / 100)

    def _as_declared(self, frame: Frame, arrays: Arrays) -> bool:
        """True where the values are as the program declares."""
        return self.declared is None or as_declared(self.declared, arrays, frame.sizes)

    def _compare(self, found: Replay, trial: Trial, arrays: Arrays, got: Mapping[str, Any], where: str) -> None:
        """With the values of what was traced, at the same data."""
        traced = values(needed(node for a in trial.returned.values() for node in a.flat), _point(trial.frame, arrays))
        for name, nodes in trial.returned.items():
            if name in found.parted or name not in got:
                continue
            mine = np.array([_float(traced[node]) for node in nodes.flat], dtype=float).reshape(nodes.shape)
            place = apart(got[name], mine)
            if place is not None:
                at = f"entry [{', '.join(map(str, place))}]: " if place else ""
                told_ = f"NumPy gives {number(got[name][place])}, traced is {number(mine[place])}" if got[name].shape == mine.shape else \
                    f"NumPy gives shape {got[name].shape}, traced is {mine.shape}"
                found.parted[name] = f"{ON_ARRAYS} the function does not do what it did while it was traced: {at}{told_}, {where}"


def _read(where: str, value: Any) -> Any:
    symbolic = hasattr(value, "__array_ufunc__") and not issubclass(type(value), (np.ndarray, np.generic))
    if symbolic or (isinstance(value, np.ndarray) and value.dtype == object):
        raise OptionError(f"the value of {where}", "what an earlier call left behind", "the same result on every call",
                          "a cache belongs to one call")
    return np.asarray(value, dtype=None if isinstance(value, np.ndarray) and value.dtype != object else float)


def _repeated(shape: tuple[int, ...], dice: random.Random) -> Any:
    """Class labels, of which some are equal where there are two at least."""
    rows, classes = shape[:-1], shape[-1]
    count = int(np.prod(rows, dtype=int))
    drawn = [dice.randrange(classes) for _ in range(count)]
    if count > 1:
        drawn[-1] = drawn[0]
    return np.array(drawn, dtype=int).reshape(rows)


def _filled(t: Tensor, shape: tuple[int, ...], dice: random.Random, kind: Data, env: Env, different: Iterator[int] | None, bits: int,
            positive: bool) -> Any | None:
    """Numbers of the tensor's domain and structure, exact in floating point where the domain allows: multiples of the ``different`` ones,
    else with many that are equal.

    ``positive`` ones lie between 0 and 1.
    """
    count = int(np.prod(shape, dtype=int))
    if different is None:
        numbers = [dice.choice((1, 2) if positive else (-1, 1, 2)) / (4 if positive else 1) for _ in range(count)]
    else:
        scale = 1 << (bits if positive else bits - 1)
        sizes = [(k << LARGE_BITS if kind is HUGE and t.domain == "real" else k) / scale for k in islice(different, count)]
        numbers = [v if positive or dice.random() < 0.5 else -v for v in sizes]
    if t.domain != "real":
        classes = None
        if t.domain == "index":
            counted = sp.Integer(2) if t.classes is None else t.classes.xreplace(dict(env))
            if not counted.is_Integer:
                return None
            classes = int(counted)
        symbol = sp.Symbol("x", **(t.base.label if t.axes else t.base).assumptions0)
        numbers = [float(suited(symbol, sp.Rational(*v.as_integer_ratio()), classes)) for v in numbers]
    made = np.array(numbers, dtype=int if t.domain == "index" else float).reshape(shape)
    if t.domain == "index":
        return made
    if t.structure == "one-hot":
        return (_repeated(shape, dice)[..., None] == np.arange(shape[-1])).astype(float)
    if t.structure:
        square: dict[str, Callable[[Any], Any]] = {
            "symmetric": lambda a: a + a.T, "positive definite": lambda a: a @ a.T + np.eye(len(a)),
            "diagonal": lambda a: np.diag(np.diag(a)), "orthogonal": lambda a: np.eye(len(a))[::-1]}
        return square[t.structure](made) if t.structure in square and made.ndim == 2 else None
    return made


def _wobble(shape: tuple[int, ...]) -> Any:
    """Numbers around 0, no two the same."""
    count = int(np.prod(shape, dtype=int))
    return (((np.arange(count) * 0.61803398875 + 0.37) % 1) - 0.5).reshape(shape)


def _point(frame: Frame, arrays: Arrays) -> dict[Any, Any]:
    return {frame.entries(name, place): _exact(a[mine]) for name, a in arrays.items() for mine, place in frame.places(name).items()}


def _exact(x: Any) -> Any:
    p, q = float(x).as_integer_ratio()
    return fmpq(p, q)


def _float(value: Any) -> float:
    if value is None:
        return float("nan")
    if isinstance(value, (bool, int)):
        return float(value)
    return int(value.p) / int(value.q) if isinstance(value, fmpq) else float(value.mid())


def _where(frame: Frame, chosen: Arrays) -> str:
    sizes = "at sizes " + ", ".join(f"{k} = {v}" for k, v in frame.sizes.items()) if frame.sizes else ""
    labels = "; ".join(f"class labels of {name} {' '.join(map(str, y.reshape(-1)))}" for name, y in chosen.items())
    return ", ".join(s for s in (sizes, labels) if s)
