"""check_code: a hand-written NumPy forward and backward pass against a derivation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Protocol

import numpy as np

from symnet.calculus import derive
from symnet.checking.code.all_sizes import AllSizesJudge, Tracing, judge_for_all_sizes
from symnet.checking.code.calling import Binding, arguments_of, bind, class_labels, one_hot
from symnet.checking.code.conditional import under_assumptions, with_infinity
from symnet.checking.code.entry_maker import EntryMaker
from symnet.checking.code.float_arrays import Place
from symnet.checking.code.judging import Trial, judge, same, scope, screened, screened_alone
from symnet.checking.code.nodes import Graph, tracing, var
from symnet.checking.code.replay import ON_ARRAYS, Player, Replay
from symnet.checking.code.results import CodeCheck, Judged
from symnet.checking.code.returning import read_result
from symnet.checking.code.sizes import Sizes, choices, screens
from symnet.checking.code.slips import slips_of
from symnet.checking.code.truth import Frame, Truth
from symnet.checking.progress import ALONE, Way
from symnet.checking.slips.kinds import Mistake
from symnet.core.derivation import Derivation
from symnet.core.tensors import Role, Tensor
from symnet.core.time_limit import time_is_over, time_limit
from symnet.core.user_code import SymbolicIndex
from symnet.core.verdict import Answer, Verdict
from symnet.errors import FaultError, OptionError, SymnetError, internal

SLIPS, ALL_SIZES, REPLAY = "the slips", "all sizes", "plain arrays"
Found = tuple[Trial, Verdict, Place | None]


class CodeTracing(Tracing, Protocol):
    """A tracing, which may be of known entries too; ``frontends.numpy_binding`` has one, and the face hands it in."""

    def argument(self, tensor: Tensor, entries: Any) -> Any:
        """The argument whose entries are these nodes."""

    def nodes(self, where: str, value: Any) -> Any:
        """A returned value as an array of nodes."""


Tracer = Callable[..., CodeTracing]


def check_code(function: Callable[..., Any], derivation: Derivation, sizes: Sizes = None, *, arguments: Mapping[str, Any] | None = None,
               labels: Mapping[str, str] | None = None, returns: Sequence[str] = (), seconds: float = 120,
               way: Way = ALONE, tracer: Tracer) -> CodeCheck:
    """``sn.check_code``; ``tracer`` makes a tracing, with symbolic sizes or of the entries of an EntryMaker."""
    _usable(derivation)
    derivation.check()
    with time_limit(seconds):
        found, binding = _checked(function, derivation, sizes, arguments or {}, labels or {}, returns, way, tracer)
        meant = {} if labels else _perhaps_labels(found, binding, derivation)
        if meant:
            try:
                again, _ = _checked(function, derivation, sizes, arguments or {}, meant, returns, way, tracer)
            except SymnetError:
                return found
            if again.worst is not Answer.REFUTED:
                said = ", ".join(f"{argument} read as class labels of {name}" for argument, name in meant.items())
                return replace(again, notes=(*again.notes, said))
        return found


def _checked(function: Callable[..., Any], derivation: Derivation, sizes: Sizes, arguments: Mapping[str, Any], labels: Mapping[str, str],
             returns: Sequence[str], way: Way, tracer: Tracer) -> tuple[CodeCheck, Binding]:
    """The function judged, and what its arguments were taken for."""
    binding = bind(function, derivation.program, arguments, labels)
    trials: list[tuple[Trial, Derivation]] = []
    unread: dict[str, None] = {}
    whole: Derivation | None = None
    for number, choice in enumerate(choices(derivation.full, sizes)):
        way.at(None)
        try:
            trial, left, whole = _run(tracer, function, binding, derivation, choice, number, returns, whole)
        except SymbolicIndex as index:
            binding = _with_labels(binding, derivation, index)
            trial, left, whole = _run(tracer, function, binding, derivation, choice, number, returns, whole)
        trials.append((trial, whole))
        unread |= dict.fromkeys(left)
    played = None
    if REPLAY not in way.lost:
        way.at(REPLAY)
        played = Player(function, binding, trials[0][1], derivation.program, returns).run([t for t, _ in trials], sizes is None)
    settled: dict[str, Verdict] = {}
    general: AllSizesJudge | None = None
    if sizes is None and derivation.full.sizes and ALL_SIZES not in way.lost:
        way.at(ALL_SIZES)
        try:
            general = judge_for_all_sizes(function, binding, trials[0][1], derivation.program, returns, tracer)
            if general is not None:
                settled = general.proved(*((played.refuted, played.needing) if played is not None else ()))
        except (SymnetError, MemoryError):
            raise
        except Exception as error:  # a bug of ours is said, whatever the proof at sizes would give
            settled = dict.fromkeys(trials[0][0].returned, Verdict(Answer.UNDECIDED, reason=internal(error)))
    made = _judged(trials, derivation, way, _screens(tracer, function, binding, derivation, sizes, returns, trials[0][1]), settled, played,
                   general.slip if general is not None else None)
    missing = tuple(w for w in derivation.wrt if all(w != j.name for j in made))
    notes = tuple(dict.fromkeys(note for t, _ in trials for note in t.graph.notes)) + (played.notes if played is not None else ())
    return CodeCheck(getattr(function, "__name__", "function"), made, missing, tuple(unread), notes), binding


def _perhaps_labels(found: CodeCheck, binding: Binding, derivation: Derivation) -> dict[str, str]:
    """Where a shape is wrong: arguments such as y that were taken for a target Y, and may be its classes as whole numbers."""
    if all(j.verdict.method != "shape" for j in found.judged):
        return {}
    tensors = derivation.program.tensors
    return {a: t for a, t in binding.tensors.items() if a != t and tensors[t].role is Role.TARGET and len(tensors[t].axes) > 1}


def _usable(derivation: Derivation) -> None:
    if not isinstance(derivation, Derivation):
        raise OptionError("check_code", type(derivation).__name__, "a Derivation", "sn.derive(net, loss=sn.MSELoss())")
    if derivation.program.objective_tensor.axes:
        raise OptionError("check_code", f"{derivation.objective}, which is an array", "a derivation of one number")
    complex_ = [t.name for t in derivation.program.inputs if t.domain == "complex"]
    if complex_:
        raise OptionError("check_code", f"{complex_[0]}, which is complex", "real inputs")


def _screens(tracer: Tracer, function: Callable[..., Any], binding: Binding, derivation: Derivation, sizes: Sizes,
             returns: Sequence[str], whole: Derivation) -> Iterator[Trial]:
    """The function traced at further sizes, each when it is asked for."""
    for number, choice in enumerate(screens(derivation.full, sizes)):
        if time_is_over():
            return
        try:
            yield _run(tracer, function, binding, derivation, choice, 2 + number, returns, whole)[0]
        except SymnetError:  # it runs at some sizes alone: that much is said already
            continue


def _judged(with_derivations: list[tuple[Trial, Derivation]], derivation: Derivation, way: Way, further: Iterable[Trial],
            settled: Mapping[str, Verdict], played: Replay | None, general: Callable[[str], Mistake | None] | None) -> tuple[Judged, ...]:
    """Every returned value that is not ``settled`` at every choice of sizes, until it is refuted; then the slips."""
    judged: dict[str, list[Found]] = {name: [(with_derivations[0][0], verdict, None)] for name, verdict in settled.items()}
    for trial, _ in with_derivations:
        for name in trial.returned:
            if name not in settled and not any(v.answer is Answer.REFUTED for _, v, _ in judged.get(name, ())):
                way.at(name)
                how = screened_alone if played is not None and name in played.refuted else judge
                judged.setdefault(name, []).append((trial, *_alone(trial, name, way.lost.get(name), how)))
    way.at(None)
    judged = under_assumptions(with_infinity(judged), derivation.program)
    for trial in further if len(settled) < len(judged) else ():
        for name, found in judged.items():
            if name not in settled and all(v.answer not in (Answer.REFUTED, Answer.CONDITIONAL) for _, v, _ in found):
                wrong = screened(trial, name)
                judged[name] = found if wrong is None else [*found, (trial, *wrong)]
    if played is not None:
        judged = {name: [(t, *played.settle(name, v, place)) for t, v, place in found] for name, found in judged.items()}
    refuted = {n: t for n, found in judged.items() for t, v, _ in found if v.answer is Answer.REFUTED and ON_ARRAYS not in v.scope}
    way.at(SLIPS)
    slips = slips_of(refuted, with_derivations) if SLIPS not in way.lost else {}
    if general is not None and SLIPS not in way.lost:
        slips |= {n: slip for n in refuted if n not in slips and (slip := general(n)) is not None}
    names = dict.fromkeys(name for trial, _ in with_derivations for name in trial.returned)
    return tuple(replace(_joined(name, judged[name], derivation, name in settled), slip=slips.get(name)) for name in names)


def _alone(trial: Trial, name: str, lost: str | None,
           how: Callable[[Trial, str], tuple[Verdict, Place | None]]) -> tuple[Verdict, Place | None]:
    """The verdict on one value; undecided where an earlier try did not end, and where something of ours breaks."""
    if lost is not None:
        return Verdict(Answer.UNDECIDED, reason=lost, scope=scope(trial)), None
    try:
        return how(trial, name)
    except (FaultError, MemoryError):
        raise
    except SymnetError as error:
        return Verdict(Answer.UNDECIDED, reason=error.message, scope=scope(trial)), None
    except Exception as error:  # a bug of ours costs one value
        return Verdict(Answer.UNDECIDED, reason=internal(error), scope=scope(trial)), None


def _run(tracer: Tracer, function: Callable[..., Any], binding: Binding, derivation: Derivation, sizes: Mapping[str, int], number: int,
         returns: Sequence[str], whole: Derivation | None = None) -> tuple[Trial, list[str], Derivation]:
    """The function traced twice at one choice of sizes; two different results are refused. ``whole`` was asked for at other sizes."""
    graph, shapes = Graph(), Frame(derivation.program, sizes)
    chosen = {name: class_labels(_one_hot_shape(shapes, name), 7 + number) for name in binding.labels.values()}
    asked = derivation

    def traced() -> tuple[dict[str, Any], list[str]]:
        with tracing(graph):
            there = tracer(EntryMaker())
            labels = {name: y.copy() if y.ndim else int(y) for name, y in chosen.items()}
            every = {t.name: there.argument(t, _entries(shapes, t.name)) for t in shapes.program.inputs}
            front, given = arguments_of(function, binding, shapes.program, every, shapes.sizes, labels)
            return read_result(there.run(function, front, given), asked, returns, there.nodes)

    returned, left = traced()
    if not same(returned, traced()[0]):
        raise OptionError(getattr(function, "__name__", "function"), "two calls with the same arguments give different results",
                          "the same result on every call", "pass random numbers, such as a dropout mask, as arguments")
    extra = [n for n in returned if n != derivation.objective and derivation.names.get(n) not in derivation.full.tensors]  # dead lines too
    if extra or derivation.program.assumptions:  # the truth is the gradient without the declared assumptions
        wrt = tuple(dict.fromkeys((*derivation.wrt, *extra)))
        derivation = whole if whole is not None and whole.wrt == wrt else derive(replace(derivation.program, assumptions=()), wrt)
    known = dict(pair for name, y in chosen.items() for pair in one_hot(name, y, shapes.shape(name)))
    targets = {n: n if n == derivation.objective else derivation.names[n] for n in returned}
    truth = partial(Truth, derivation.full, sizes, known)
    return Trial(Frame(derivation.full, sizes), truth, graph, returned, targets, known, chosen, lambda: traced()[0]), left, derivation


def _entries(shapes: Frame, name: str) -> Any:
    """A node for each entry of an input."""
    made = np.empty(shapes.shape(name), dtype=object)
    for mine, place in shapes.places(name).items():
        made[mine] = var(shapes.entries(name, place))
    return made


def _one_hot_shape(truth: Frame, name: str) -> tuple[int, ...]:
    shape = truth.shape(name)
    if not shape:
        raise OptionError(f"labels of {name}", "a single number", "an array whose last axis counts the classes")
    return shape


def _with_labels(binding: Binding, derivation: Derivation, index: SymbolicIndex) -> Binding:
    """Whole numbers for the argument that was used as an index: the one named, else the only target."""
    targets = [t.name for t in derivation.program.inputs if t.role is Role.TARGET]
    name = index.name or (targets[0] if len(targets) == 1 else "")
    argument = next((a for a, t in binding.tensors.items() if t == name), None)
    tensor = derivation.program.tensors.get(name)
    if argument is None or tensor is None or name in derivation.wrt or len(tensor.axes) < (1 if tensor.role is Role.TARGET else 2):
        raise OptionError(index.where, index.found, index.expected, index.hint)
    tensors = {a: t for a, t in binding.tensors.items() if a != argument}
    return replace(binding, tensors=tensors, labels={**binding.labels, argument: name})


def _joined(name: str, found: list[Found], derivation: Derivation, settled: bool) -> Judged:
    """The weakest of the verdicts at the choices of sizes."""
    title = "the loss" if name == derivation.objective else f"d{derivation.objective}/d{name}"
    order = list(Answer)
    _, worst, entry = max(found, key=lambda f: order.index(f[1].answer))
    if not settled and worst.answer not in (Answer.REFUTED, Answer.UNDECIDED):
        worst = replace(worst, scope=" and ".join(s for s in dict.fromkeys(scope(t) for t, _, _ in found) if s))
    return Judged(name, title, worst, entry)
