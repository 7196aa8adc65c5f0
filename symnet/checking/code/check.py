"""check_code: a hand-written NumPy forward and backward pass against a derivation."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from symnet.calculus import derive
from symnet.checking.code.arrays import SymbolicIndex
from symnet.checking.code.calling import Binding, bind, class_labels, one_hot, trace
from symnet.checking.code.conditional import under_assumptions, with_infinity
from symnet.checking.code.judging import Place, Trial, judge, same, scope, screened
from symnet.checking.code.nodes import Graph, tracing
from symnet.checking.code.results import CodeCheck, Judged
from symnet.checking.code.returning import read_result
from symnet.checking.code.sizes import Sizes, choices, screens
from symnet.checking.code.slips import slips_of
from symnet.checking.code.truth import Frame, Truth
from symnet.checking.way import ALONE, Way
from symnet.core.derivation import Derivation
from symnet.core.signatures import checked
from symnet.core.tensors import Role
from symnet.core.verdict import Answer, Verdict
from symnet.errors import FaultError, OptionError, SymnetError, internal

SLIPS = "the slips"
Found = tuple[Trial, Verdict, Place | None]


@checked
def check_code(function: Callable[..., Any], derivation: Derivation, sizes: Sizes = None, *, arguments: Mapping[str, Any] | None = None,
               labels: Mapping[str, str] | None = None, returns: Sequence[str] = (), seconds: float = 120,
               way: Way = ALONE) -> CodeCheck:
    """Is what ``function`` returns the gradient of ``derivation``'s objective? Each returned gradient, and the loss, is judged.

    The function runs unchanged, on symbolic arrays in place of numbers, at small sizes that are all different, for two choices of sizes
    (or those in ``sizes``). An entry that differs at an exact point is REFUTED; the rest is PROVED by normal form.

    *Arguments* go by name: an input's own name (W1, X, Y; w_1 and x are understood), a size's name, or a table of all inputs
    (params, weights, theta, …) or ``**names``. ``arguments={"w": "W1", "eps": 1e-5}`` says what else an argument is. Class labels: where
    an argument is used as an index, whole numbers are passed for the one-hot array; ``labels={"y": "Y"}`` says so.

    *Returned*: a dict by name (W1, dW1, grad_W1, dL_dW1, and loss), a tuple in the order of ``wrt``, with the loss or (loss, gradients);
    ``returns=("loss", "W1")`` names the values otherwise. Intermediates (dz1, dX) are judged too.

    A float in the code is the decimal it prints as; one that came from arithmetic is read as the simple number it is the rounding of
    (0.3333333333333333 as 1/3), and ``notes`` says so. After ``seconds`` no new proof is begun: what is left is UNDECIDED. Raises the
    error family, with the place in the user's file.

    >>> import symnet as sn
    >>> d = sn.derive(sn.program("z = w*x", "L = (z - y)**2"), wrt=["w"])
    >>> print(check_code(lambda w, x, y: 2 * (w * x - y) * x, d))
    dL/dw: proved
    """
    _usable(derivation)
    derivation.check()
    binding = bind(function, derivation.program, arguments or {}, dict(labels or {}))
    trials: list[tuple[Trial, Derivation]] = []
    unread: dict[str, None] = {}
    deadline = time.monotonic() + seconds
    for number, choice in enumerate(choices(derivation.full, sizes)):
        way.at(None)
        try:
            trial, left, whole = _run(function, binding, derivation, choice, number, returns)
        except SymbolicIndex as index:
            binding = _with_labels(binding, derivation, index)
            trial, left, whole = _run(function, binding, derivation, choice, number, returns)
        trial.deadline = deadline
        trials.append((trial, whole))
        unread |= dict.fromkeys(left)
    made = _judged([t for t, _ in trials], trials, derivation, way, _screens(function, binding, derivation, sizes, returns, deadline))
    missing = tuple(w for w in derivation.wrt if all(w != j.name for j in made))
    notes = tuple(dict.fromkeys(note for t, _ in trials for note in t.graph.notes))
    return CodeCheck(getattr(function, "__name__", "function"), made, missing, tuple(unread), notes)


def _usable(derivation: Derivation) -> None:
    if not isinstance(derivation, Derivation):
        raise OptionError("check_code", type(derivation).__name__, "a Derivation", "sn.derive(net, loss=sn.MSELoss())")
    if derivation.program.objective_tensor.axes:
        raise OptionError("check_code", f"{derivation.objective}, which is an array", "a derivation of one number")
    complex_ = [t.name for t in derivation.program.inputs if t.domain == "complex"]
    if complex_:
        raise OptionError("check_code", f"{complex_[0]}, which is complex", "real inputs")


def _screens(function: Callable[..., Any], binding: Binding, derivation: Derivation, sizes: Sizes, returns: Sequence[str],
             deadline: float) -> Iterator[Trial]:
    """The function traced at further sizes, each when it is asked for."""
    for number, choice in enumerate(screens(derivation.full, sizes)):
        if time.monotonic() > deadline:
            return
        try:
            yield _run(function, binding, derivation, choice, 2 + number, returns)[0]
        except SymnetError:  # it runs at some sizes alone: that much is said already
            continue


def _judged(trials: list[Trial], with_derivations: list[tuple[Trial, Derivation]], derivation: Derivation, way: Way,
            further: Iterable[Trial]) -> tuple[Judged, ...]:
    """Every returned value at every choice of sizes, until it is refuted; then the slips."""
    judged: dict[str, list[Found]] = {}
    for trial in trials:
        for name in trial.returned:
            if not any(v.answer is Answer.REFUTED for _, v, _ in judged.get(name, ())):
                way.at(name)
                judged.setdefault(name, []).append((trial, *_alone(trial, name, way.lost.get(name))))
    way.at(None)
    judged = under_assumptions(with_infinity(judged), derivation.program)
    for trial in further:
        for name, found in judged.items():
            if all(v.answer not in (Answer.REFUTED, Answer.CONDITIONAL) for _, v, _ in found):
                wrong = screened(trial, name)
                judged[name] = found if wrong is None else [*found, (trial, *wrong)]
    refuted = {n: t for n, found in judged.items() for t, v, _ in found if v.answer is Answer.REFUTED}
    way.at(SLIPS)
    slips = slips_of(refuted, with_derivations) if SLIPS not in way.lost else {}
    return tuple(replace(_joined(name, found, derivation), slip=slips.get(name)) for name, found in judged.items())


def _alone(trial: Trial, name: str, lost: str | None) -> tuple[Verdict, Place | None]:
    """The verdict on one value; undecided where an earlier try did not end, and where something of ours breaks."""
    if lost is not None:
        return Verdict(Answer.UNDECIDED, reason=lost, scope=scope(trial)), None
    try:
        return judge(trial, name)
    except (FaultError, MemoryError):
        raise
    except SymnetError as error:
        return Verdict(Answer.UNDECIDED, reason=error.message, scope=scope(trial)), None
    except Exception as error:  # a bug of ours costs one value
        return Verdict(Answer.UNDECIDED, reason=internal(error), scope=scope(trial)), None


def _run(function: Callable[..., Any], binding: Binding, derivation: Derivation, sizes: Mapping[str, int], number: int,
         returns: Sequence[str]) -> tuple[Trial, list[str], Derivation]:
    """The function traced twice at one choice of sizes; two different results are refused."""
    graph, shapes = Graph(), Frame(derivation.program, sizes)
    chosen = {name: class_labels(_one_hot_shape(shapes, name), 7 + number) for name in binding.labels.values()}
    with tracing(graph):
        returned, left = read_result(trace(function, binding, shapes, chosen), derivation, returns)
        again, _ = read_result(trace(function, binding, shapes, chosen), derivation, returns)
    if not same(returned, again):
        raise OptionError(getattr(function, "__name__", "function"), "two calls with the same arguments give different results",
                          "the same result on every call", "pass random numbers, such as a dropout mask, as arguments")
    extra = [n for n in returned if n != derivation.objective and derivation.names.get(n) not in derivation.full.tensors]  # dead lines too
    if extra or derivation.program.assumptions:  # the truth is the gradient without the declared assumptions
        derivation = derive(replace(derivation.program, assumptions=()), [*derivation.wrt, *extra])
    known = dict(pair for name, y in chosen.items() for pair in one_hot(name, y, shapes.shape(name)))
    targets = {n: n if n == derivation.objective else derivation.names[n] for n in returned}
    said = "; ".join(f"class labels of {name} {' '.join(map(str, y.reshape(-1)))}" for name, y in chosen.items())
    return Trial(Truth(derivation.full, sizes, known), graph, returned, targets, known, said), left, derivation


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


def _joined(name: str, found: list[Found], derivation: Derivation) -> Judged:
    """The weakest of the verdicts at the choices of sizes."""
    title = "the loss" if name == derivation.objective else f"d{derivation.objective}/d{name}"
    order = list(Answer)
    _, worst, entry = max(found, key=lambda f: order.index(f[1].answer))
    if worst.answer not in (Answer.REFUTED, Answer.UNDECIDED):
        worst = replace(worst, scope=" and ".join(s for s in dict.fromkeys(scope(t) for t, _, _ in found) if s))
    return Judged(name, title, worst, entry)
