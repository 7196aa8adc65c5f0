"""The function run again on plain NumPy arrays: it must give there what was traced.

Tracing sees one run on arrays that are not NumPy's own. Code can tell the two apart, keep results between calls, write into its arguments,
or use whole numbers where tracing sees real ones; then what was proved is not what runs. So it is run on fresh data, exact in floating
point: at two choices of sizes and at larger ones, with class labels that repeat, and once with equal values, where maxima and comparisons
meet ties; its arguments are compared before and after.
"""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import sympy as sp
from flint import fmpq

from symnet.calculus.declared_values import check_given
from symnet.checking.code.arrays import Traced
from symnet.checking.code.calling import Binding, arguments_of
from symnet.checking.code.judging import Place, Trial, two_shapes
from symnet.checking.code.returning import read_result
from symnet.checking.code.truth import Frame
from symnet.checking.code.values import needed, values
from symnet.checking.large_sizes import choices
from symnet.core.derivation import Derivation
from symnet.core.index_evaluation import Env
from symnet.core.program import Program
from symnet.core.tensors import Role, Tensor
from symnet.core.user_code import told
from symnet.core.verdict import Answer, Verdict, Witness
from symnet.equality.points import suited
from symnet.errors import DomainError, OptionError, SymnetError

LARGER = (8, 11, 9, 13, 10, 12)  # sizes that nothing was traced at
MOST = 20_000  # entries of the program's tensors there
CLOSE, SINGLE, FLOOR = 1e-6, 1e-2, 1e-9  # relative to the largest entry: of a float64 result, of one in less; and what counts as 0
SHOWN = 6  # numbers of a point that are printed
ON_ARRAYS = "on plain NumPy arrays"
Arrays = dict[str, Any]


@dataclass
class Replay:
    """What the runs on plain arrays showed, by returned value."""

    changed: dict[str, None] = field(default_factory=dict)  # arguments that were written into
    shared: dict[str, str] = field(default_factory=dict)  # returned values that are such an argument, and which
    failed: str = ""  # what it raised
    wrong: dict[str, tuple[Verdict, Place | None]] = field(default_factory=dict)  # its values are not the right ones
    parted: dict[str, str] = field(default_factory=dict)  # its values are not those that were traced
    missing: dict[str, str] = field(default_factory=dict)  # it has no value there
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
        if self.failed:
            return Verdict(undecided, reason=self.failed), None
        if name in self.wrong and verdict.answer is not Answer.CONDITIONAL:
            return self.wrong[name]
        if name in self.parted:
            return Verdict(undecided, reason=self.parted[name]), None
        if name in self.missing and verdict.answer is not Answer.CONDITIONAL:
            return Verdict(undecided, reason=self.missing[name]), None
        if name in self.shared:
            said = f"{ON_ARRAYS} the function writes this into its argument {self.shared[name]} and returns that"
            return Verdict(undecided, reason=f"{said}: the caller's values are lost"), None
        return verdict, place

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

    def run(self, trials: Sequence[Trial], larger: bool) -> Replay:
        """All runs."""
        found = Replay()
        names = self.names = list(trials[0].returned)
        found.unset = {n for n, a in trials[0].returned.items() if any(node.op == "unset" for node in needed(a.flat))}
        agreed = dict.fromkeys(names, True)
        frames = [t.frame for t in trials]
        if larger and self.program.sizes:
            frames += self._larger()
        for number, frame in enumerate(frames):
            trial = trials[number] if number < len(trials) else None
            for seed, ties in ((0, False), (1, False), (2, True)) if trial is not None else ((3, False),):
                if ties and number:
                    continue
                labels = None if trial is None or seed else trial.chosen
                made = self._with_values(frame, seed + 10 * number, ties, labels)
                if made is None:
                    return Replay()
                data, right = made
                traced = trial if labels is not None or not self.binding.labels else None
                if not self._once(found, frame, traced, data, right, ties, agreed):
                    return found
        found.right = {n for n in names if agreed[n]}
        return found

    def _larger(self) -> list[Frame]:
        """Sizes that nothing was traced at: once a little larger ones, then each of them large, which code may tell from small ones."""
        sizes = dict(zip(map(str, self.program.sizes), LARGER, strict=False))
        return [Frame(self.program, choice) for choice in (sizes, *choices(self.program)) if self._fits(choice)]

    def _fits(self, sizes: Mapping[str, int]) -> bool:
        if any(least > sizes[str(s)] for s, least in self.program.least.items()):
            return False
        env = {s: sp.Integer(sizes[str(s)]) for s in self.program.sizes}
        lengths = [[a.size.xreplace(env) for a in t.axes] for t in self.program.tensors.values()]
        return sum(sp.Mul(*shape) for shape in lengths) <= MOST and all(n >= 1 for shape in lengths for n in shape)

    def _with_values(self, frame: Frame, seed: int, ties: bool,
                     labels: Mapping[str, Any] | None) -> tuple[tuple[Arrays, Arrays], Mapping[str, Any]] | None:
        """Arrays, and the right values there; positive arrays where log, sqrt and the like have none at others."""
        targets = {self._target(name): None for name in self.names}
        found = None
        for positive in (False, True):
            data = self._data(frame, seed, ties, labels, positive)
            if data is None:
                return None
            with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
                found = data, self.program.values(targets, data[0])
            if any(np.isfinite(np.asarray(v)).any() for v in found[1].values()):
                break
        return found

    def _target(self, name: str) -> str:
        return name if name == self.derivation.objective else self.derivation.names[name]

    def _data(self, frame: Frame, seed: int, ties: bool, labels: Mapping[str, Any] | None,
              positive: bool = False) -> tuple[Arrays, Arrays] | None:
        """Arrays for the inputs, and class labels; None where a structure has no numbers here."""
        dice = random.Random(seed)
        arrays: Arrays = {}
        chosen: Arrays = {}
        for t in frame.program.inputs:
            shape = frame.shape(t.name)
            if t.name in self.binding.labels.values():
                chosen[t.name] = labels[t.name] if labels is not None else _repeated(shape, dice)
                arrays[t.name] = (chosen[t.name][..., None] == np.arange(shape[-1])).astype(float)
                continue
            made = _filled(t, shape, dice, ties, seed % 10 == 0 and t.role is Role.TARGET, frame.entries.env, positive)
            if made is None:
                return None
            arrays[t.name] = made
        return arrays, chosen

    def _once(self, found: Replay, frame: Frame, trial: Trial | None, data: tuple[Arrays, Arrays], right: Mapping[str, Any],
              ties: bool, agreed: dict[str, bool]) -> bool:
        """One run; False when there is nothing more to learn."""
        arrays, chosen = data
        given = {name: a.copy() if a.ndim else a[()] for name, a in arrays.items()}
        labels = {name: y.copy() if y.ndim else int(y) for name, y in chosen.items()}
        front, named = arguments_of(self.function, self.binding, frame.program, given, frame.sizes, labels)
        try:
            with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
                result = self.function(*front, **named)
            got, _ = read_result(result, self.derivation, self.returns, _read)
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
        names = [n for n in got if n in agreed]
        as_declared = self._as_declared(frame, arrays)
        where = _where(frame, chosen)
        for name in names:
            wanted = np.asarray(right[self._target(name)])
            apart = _apart(got[name], wanted)
            if apart is None or ties:
                continue
            agreed[name] = False
            if not as_declared:
                continue
            if got[name].shape == wanted.shape and not np.isfinite(got[name][apart]):
                found.missing.setdefault(name, f"{ON_ARRAYS} its value does not exist, {where}")
            else:
                found.wrong.setdefault(name, _refuted(apart, got[name], wanted, arrays, where))
        if trial is not None:
            self._compare(found, trial, arrays, got, where)
        return True

    def _as_declared(self, frame: Frame, arrays: Arrays) -> bool:
        """True where the values are as the program declares."""
        if self.declared is None:
            return True
        try:
            check_given(self.declared, {name: a.tolist() for name, a in arrays.items()}, frame.sizes)
        except DomainError:
            return False
        return True

    def _compare(self, found: Replay, trial: Trial, arrays: Arrays, got: Mapping[str, Any], where: str) -> None:
        """With the values of what was traced, at the same data."""
        frame = trial.frame
        point = {frame.entries(name, place): _exact(a[mine]) for name, a in arrays.items()
                 for mine, place in frame.places(name).items()}
        traced = values(needed(node for a in trial.returned.values() for node in a.flat), point)
        for name, nodes in trial.returned.items():
            if name in found.parted or name not in got:
                continue
            mine = np.array([_float(traced[node]) for node in nodes.flat], dtype=float).reshape(nodes.shape)
            apart = _apart(got[name], mine)
            if apart is not None:
                at = f"entry [{', '.join(map(str, apart))}]: " if apart else ""
                told_ = f"NumPy gives {_number(got[name][apart])}, traced is {_number(mine[apart])}" if got[name].shape == mine.shape else \
                    f"NumPy gives shape {got[name].shape}, traced is {mine.shape}"
                found.parted[name] = f"{ON_ARRAYS} the function does not do what it did while it was traced: {at}{told_}, {where}"


def _read(where: str, value: Any) -> Any:
    if isinstance(value, Traced) or (isinstance(value, np.ndarray) and value.dtype == object):
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


def _filled(t: Tensor, shape: tuple[int, ...], dice: random.Random, ties: bool, shares: bool, env: Env,
            positive: bool) -> Any | None:
    """Numbers of the tensor's domain and structure, exact in floating point where the domain allows; rows that sum to 1 as ``shares``.

    ``positive`` ones lie between 0 and 1.
    """
    count = int(np.prod(shape, dtype=int))
    symbol = sp.Symbol("x", **t.base.assumptions0) if not t.axes else sp.Symbol("x", **t.base.label.assumptions0)
    choices = (1, 2) if ties and positive else (-1, 1, 2) if ties else tuple(k for k in range(1 if positive else -127, 128) if k)
    scale = (4 if positive else 1) if ties else 128 if positive else 64
    classes = None
    if t.domain == "index":
        counted = sp.Integer(2) if t.classes is None else t.classes.xreplace(dict(env))
        if not counted.is_Integer:
            return None
        classes = int(counted)
    drawn = [suited(symbol, sp.Rational(dice.choice(choices), scale), classes) for _ in range(count)]
    if t.domain == "index":
        return np.array([int(v) for v in drawn], dtype=int).reshape(shape)
    made = np.array([float(v) for v in drawn], dtype=float).reshape(shape)
    if t.structure == "one-hot":
        return (_repeated(shape, dice)[..., None] == np.arange(shape[-1])).astype(float)
    if t.structure:
        square: dict[str, Callable[[Any], Any]] = {
            "symmetric": lambda a: a + a.T, "positive definite": lambda a: a @ a.T + np.eye(len(a)),
            "diagonal": lambda a: np.diag(np.diag(a)), "orthogonal": lambda a: np.eye(len(a))[::-1]}
        return square[t.structure](made) if t.structure in square and made.ndim == 2 else None
    if shares and t.domain == "real" and len(shape) > 1:
        made[..., -1] = 1 - made[..., :-1].sum(axis=-1)
    return made


def _exact(x: Any) -> Any:
    p, q = float(x).as_integer_ratio()
    return fmpq(p, q)


def _float(value: Any) -> float:
    if value is None:
        return float("nan")
    if isinstance(value, (bool, int)):
        return float(value)
    return int(value.p) / int(value.q) if isinstance(value, fmpq) else float(value.mid())


def _apart(got: Any, wanted: Any) -> Place | None:
    """The place where two arrays differ most, beyond rounding; () for shapes that differ. Where ``wanted`` has no value nothing is said."""
    if got.shape != wanted.shape:
        return ()
    finite = np.isfinite(wanted)
    if not finite.any():
        return None
    close = CLOSE if got.dtype == float or got.dtype.kind != "f" else SINGLE
    gap = np.where(finite, np.abs(np.asarray(got, dtype=float) - np.where(finite, wanted, 0)), 0)
    gap = np.where(np.isnan(gap), np.inf, gap)
    if not (gap > close * np.abs(wanted[finite]).max() + FLOOR).any():
        return None
    return tuple(int(k) for k in np.unravel_index(int(np.argmax(gap)), wanted.shape)) if wanted.ndim else ()


def _refuted(apart: Place, got: Any, wanted: Any, arrays: Arrays, where: str) -> tuple[Verdict, Place | None]:
    """The verdict: at these data NumPy's own value is wrong."""
    if got.shape != wanted.shape:
        return Verdict(Answer.REFUTED, "shape", reason=two_shapes(got.shape, wanted.shape), scope=f"{where}, {ON_ARRAYS}"), None
    point = tuple((f"{name}_{'_'.join(str(k + 1) for k in place)}" if place else name, repr(float(a[place])))
                  for name, a in arrays.items() for place in np.ndindex(a.shape))
    return Verdict(Answer.REFUTED, "floating point", witness=Witness(point, _number(got[apart]), _number(wanted[apart])),
                   scope=", ".join(s for s in (where, ON_ARRAYS) if s)), apart


def _number(x: Any) -> str:
    return f"{float(x) + 0.0:.6g}"


def _where(frame: Frame, chosen: Arrays) -> str:
    sizes = "at sizes " + ", ".join(f"{k} = {v}" for k, v in frame.sizes.items()) if frame.sizes else ""
    labels = "; ".join(f"class labels of {name} {' '.join(map(str, y.reshape(-1)))}" for name, y in chosen.items())
    return ", ".join(s for s in (sizes, labels) if s)
