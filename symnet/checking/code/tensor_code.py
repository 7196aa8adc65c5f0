"""check_code for functions of PyTorch and JAX: each returned gradient traced for all sizes, judged as a claim, and run on numbers."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np

from symnet.calculus import derive
from symnet.checking.claims import in_tensors_of
from symnet.checking.code.all_sizes import Tracing
from symnet.checking.code.calling import arguments_of, bind
from symnet.checking.code.declared_sums import Totals, as_declared, declared_totals, meet
from symnet.checking.code.float_arrays import apart
from symnet.checking.code.function_runs import SIZES
from symnet.checking.code.results import CodeCheck, Judged
from symnet.checking.code.returning import read_result
from symnet.checking.line_matching import LineMatching
from symnet.checking.question import Question
from symnet.checking.slips.search import slip_of
from symnet.core.derivation import Derivation
from symnet.core.program import Program
from symnet.core.tensors import Tensor
from symnet.core.user_code import told
from symnet.core.verdict import Answer, Verdict
from symnet.errors import FaultError, OptionError, SymnetError, UnknownNodeError, internal

ON_NUMBERS = "on plain arrays"
BITS = 20  # of numbers of which sums are exact


class TensorTracing(Tracing, Protocol):
    """A tracing of a library whose arrays are made from NumPy's and give them back."""

    def plain(self, tensor: Tensor, value: Any) -> Any:
        """An array of numbers of the library's own."""

    def called(self, function: Callable[..., Any], front: Sequence[Any], given: Mapping[str, Any]) -> Any:
        """The function on such arrays, in float64."""

    def numbers(self, value: Any) -> Any:
        """Such an array as NumPy's."""


def check_tensor_code(function: Callable[..., Any], derivation: Derivation, tracer: Callable[[], TensorTracing], *,
                      arguments: Mapping[str, Any], returns: Sequence[str], seconds: float) -> CodeCheck:
    """Every returned gradient, and the loss."""
    deadline = time.monotonic() + seconds
    derivation.check()
    declared = derivation.program.assumptions
    binding, tracing, program = bind(function, derivation.program, arguments, {}), tracer(), derivation.program
    every = {t.name: tracing.array(t) for t in program.inputs}
    front, given = arguments_of(function, binding, program, every, {str(s): tracing.size(s) for s in program.sizes}, {})
    try:
        returned, unread = read_result(tracing.run(function, front, given), derivation, returns, tracing.read)
    except UnknownNodeError as error:  # no form for all sizes
        undecided = Verdict(Answer.UNDECIDED, reason=error.message)
        judged = tuple(Judged(w, f"d{derivation.objective}/d{w}", undecided) for w in derivation.wrt)
        return CodeCheck(getattr(function, "__name__", "function"), judged)
    extra = [n for n in returned if n != derivation.objective and derivation.names.get(n) not in derivation.full.tensors]
    if extra or declared:
        derivation = derive(replace(program, assumptions=()), [*derivation.wrt, *extra])
    matching = LineMatching(derivation)
    parted = _runs(function, derivation, tracing, binding, returns, program)
    made: list[Judged] = []
    for name, value in returned.items():
        title = "the loss" if name == derivation.objective else f"d{derivation.objective}/d{name}"
        verdict, slip = Verdict(Answer.UNDECIDED, reason="out of time"), None
        if time.monotonic() < deadline:
            try:
                claim = tracing.program(value, "answer")
                verdict = Question(derivation, name, in_tensors_of(claim, derivation.full), declared, matching).verdict()
                slip = slip_of(claim, derivation, name) if verdict.answer is Answer.REFUTED else None
            except (FaultError, MemoryError):
                raise
            except SymnetError as error:
                verdict = Verdict(Answer.UNDECIDED, reason=error.message)
            except Exception as error:  # a bug of ours costs one value
                verdict = Verdict(Answer.UNDECIDED, reason=internal(error))
        needed = verdict.answer is Answer.CONDITIONAL and set(verdict.condition.split(" and ")) <= set(map(str, declared))
        said = next((s for s in map(parted[needed].get, (name, "")) if s), "")
        if said and (needed or verdict.answer not in (Answer.REFUTED, Answer.UNDECIDED, Answer.CONDITIONAL)):
            verdict, slip = Verdict(Answer.UNDECIDED, reason=said), None
        made.append(Judged(name, title, verdict, None, slip))
    missing = tuple(w for w in derivation.wrt if w not in returned)
    return CodeCheck(getattr(function, "__name__", "function"), tuple(made), missing, tuple(unread))


def _runs(function: Callable[..., Any], derivation: Derivation, tracing: TensorTracing, binding: Any,
          returns: Sequence[str], declared: Program) -> dict[bool, dict[str, str]]:
    """Where the function, run in float64 on fresh data at several sizes, does not give the right values: by name, "" for all; of data that
    are as ``declared`` (True), and of all (False)."""
    program, found = derivation.program, {False: dict[str, str](), True: dict[str, str]()}
    totals = declared_totals(declared)
    for seed, choice in enumerate(SIZES if program.sizes else SIZES[:2]):
        sizes = {str(s): n for s, n in zip(program.sizes, choice, strict=False)}
        if any(least > sizes[str(s)] for s, least in program.least.items()):
            continue
        for shares in (False, True) if totals else (False,):
            arrays = _data(program, sizes, seed, totals if shares else {})
            if arrays is None:
                return found
            wrong = _wrong(function, derivation, tracing, binding, returns, arrays, sizes)
            for those in (False, True) if wrong and as_declared(declared, arrays, sizes) else (False,):
                found[those] = {**wrong, **found[those]}
    return found


def _data(program: Program, sizes: dict[str, int], seed: int, totals: Totals) -> dict[str, Any] | None:
    """Numbers for the inputs; None where a structure has none."""
    there = {s: n for s in program.sizes for n in [sizes[str(s)]]}
    dice, arrays = np.random.default_rng(seed), dict[str, Any]()
    for t in program.inputs:
        shape = tuple(int(n.xreplace(there)) for n in t.shape)
        if t.structure or any(n < 1 for n in shape):
            return None
        count = 2 if t.classes is None else int(t.classes.xreplace(there))
        arrays[t.name] = dice.integers(0, count, shape) if t.domain == "index" else dice.uniform(0.1, 0.9, shape) if t.domain != "real" \
            else np.ldexp(np.rint(np.ldexp(dice.normal(size=shape), BITS)), -BITS)
        if t.name in totals:
            meet(arrays[t.name], *totals[t.name])
    return arrays


def _wrong(function: Callable[..., Any], derivation: Derivation, tracing: TensorTracing, binding: Any, returns: Sequence[str],
           arrays: dict[str, Any], sizes: dict[str, int]) -> dict[str, str]:
    """What is not right at these numbers: by name, "" for all."""
    program = derivation.program
    plain = {t.name: tracing.plain(t, arrays[t.name]) for t in program.inputs}
    front, given = arguments_of(function, binding, program, plain, sizes, {})
    where = "at sizes " + ", ".join(f"{n} = {k}" for n, k in sizes.items()) if sizes else ""
    try:
        got, _ = read_result(tracing.called(function, front, given), derivation, returns, lambda _, v: tracing.numbers(v))
    except Exception as error:  # whatever a user's function may raise
        return {"": f"{ON_NUMBERS} it raises {told(error).found}, {where}".removesuffix(", ")}
    targets = {n: n if n == derivation.objective else derivation.names[n] for n in got}
    kept = {n: t for n, t in targets.items() if t in derivation.full.tensors}
    with np.errstate(all="ignore"):
        right = derivation.full.values(kept.values(), arrays)
    return {name: f"{ON_NUMBERS} it does not give what was traced, {where}".removesuffix(", ") for name, target in kept.items()
            if apart(got[name], right[target]) is not None}


def refuse(sizes: Any, labels: Any) -> None:
    """What NumPy code alone has."""
    for name, value in (("sizes", sizes), ("labels", labels)):
        if value:
            raise OptionError(f"check_code, {name}", "a PyTorch or JAX function", "a NumPy function")
