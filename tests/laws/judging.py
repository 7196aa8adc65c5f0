"""The laws of one program: what symnet must give for it, each against the oracle. A law returns the faults that it finds."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from laws import meaning, nouns, oracle
from laws.language import Apply, Choice, Source, walk

import symnet as sn
from symnet.checking.answers import check_answer
from symnet.core.derivation import Derivation
from symnet.errors import SymnetError

Arrays = dict[str, Any]
DIFFERENT = {"n": 3, "m": 2, "T": 4, "d": 2}
ONES = {"n": 1, "m": 1, "T": 1, "d": 1}
OTHERS = {"n": 2, "m": 3, "T": 3, "d": 1}


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong: which law, and what was found against what is true. ``kind`` is "wrong", "refused" or "crash"."""

    law: str
    detail: str
    kind: str = "wrong"

    def __str__(self) -> str:
        return f"{self.kind} ({self.law}): {self.detail}"


@dataclass
class Case:
    """A program with what has been made of it so far."""

    source: Any
    seed: int = 0
    made: Derivation | None = None
    oracle: str = "jax"
    kept: dict[Any, Any] = field(default_factory=dict)

    def build(self) -> sn.Program:
        if not isinstance(self.source, Source):
            return self.source.program()
        return nouns.read(self.source) if self.source.notes.get("from", "text") == "text" or not nouns.buildable(self.source) else nouns.build(self.source)

    @property
    def derivation(self) -> Derivation:
        if self.made is None:
            self.made = sn.derive(self.build(), wrt=list(self.source.wrt))
        return self.made

    @property
    def may_tie(self) -> bool:
        """True where equal numbers may meet in a maximum, to which JAX gives half each."""
        return any(isinstance(n, Apply) and n.name in ("maximum", "minimum", "max", "min", "clip") for one in self.source.lines for n in walk(one.expr))

    @property
    def in_pieces(self) -> bool:
        """True where the gradient may be zero on whole regions."""
        return self.may_tie or any(isinstance(n, Choice) or (isinstance(n, Apply) and n.name in ("relu", "sign")) for one in self.source.lines for n in walk(one.expr))

    def sizes(self, which: dict[str, int]) -> dict[str, int]:
        """The sizes that the program has."""
        return {s: which[s] for s in self.source.sizes}

    def at(self, which: dict[str, int], special: str = "") -> tuple[dict[str, int], Arrays, tuple[float, Arrays] | None]:
        """Sizes, a point, and the truth there (None where it says nothing)."""
        key = (tuple(which.items()), special)
        if key not in self.kept:
            sizes = self.sizes(which)
            arrays = oracle.point(self.source, sizes, self.seed, special)
            self.kept[key] = sizes, arrays, oracle.truth(self.source, sizes, arrays, self.oracle)
        found: tuple[dict[str, int], Arrays, tuple[float, Arrays] | None] = self.kept[key]
        return found


Law = Callable[[Case], list[Fault]]


def compared(case: Case, law: str, value: Any, gradients: Arrays, wanted: tuple[float, Arrays]) -> list[Fault]:
    """Loss and gradients against the oracle's."""
    faults = []
    loss, slopes = wanted
    wrong = oracle.differ(value, loss)
    if wrong:
        faults.append(Fault(law, f"the objective is {wrong}"))
    for name, slope in slopes.items():
        wrong = oracle.differ(gradients[name], slope, 1.0 + abs(loss))
        if wrong:
            faults.append(Fault(law, f"d{case.source.objective}/d{name} is {wrong}"))
    return faults


def _executed(source: str) -> dict[str, Any]:
    space: dict[str, Any] = {"__name__": "exported"}
    exec(compile(source, "<exported>", "exec"), space)
    return space


def _numpy(case: Case) -> Callable[[Arrays], Any]:
    f = case.derivation.compile()
    return lambda arrays: f({k: arrays[k] for k in case.source.wrt}, **{k: v for k, v in arrays.items() if k not in case.source.wrt})


def _module(library: str) -> Callable[[Case], Callable[[Arrays], Any]]:
    def made(case: Case) -> Callable[[Arrays], Any]:
        if library == "jax":
            meaning.jax()  # in float64
        run = _executed(sn.export(case.derivation, library))["value_and_grad"]
        if library != "torch":
            return lambda arrays: run(**arrays)
        import torch

        def torch_run(arrays: Arrays) -> Any:
            value, gradients = run(**{k: torch.tensor(v, dtype=torch.float64) for k, v in arrays.items()})
            return value.detach().numpy() if hasattr(value, "detach") else value, {
                k: v.detach().numpy() if hasattr(v, "detach") else v for k, v in gradients.items()}
        return torch_run
    return made


TARGETS: dict[str, Callable[[Case], Callable[[Arrays], Any]]] = {
    "compile": _numpy, "numpy module": _module("numpy"), "jax module": _module("jax"), "torch module": _module("torch")}
POINTS: tuple[tuple[dict[str, int], str], ...] = ((DIFFERENT, ""), (ONES, ""), (OTHERS, ""), (DIFFERENT, "zeros"))


def target_law(target: str) -> Law:
    """The compiled loss and gradients are JAX's: where all sizes differ, and at size 1, at other sizes or at zeros, in turn."""
    def law(case: Case) -> list[Fault]:
        f = TARGETS[target](case)
        faults: list[Fault] = []
        for which, special in (POINTS[0], POINTS[1 + case.seed % (len(POINTS) - 1)]):
            if special and case.may_tie:
                continue
            sizes, arrays, wanted = case.at(which, special)
            if wanted is None:
                continue
            try:
                with np.errstate(all="ignore"):
                    value, gradients = f({k: np.array(v) for k, v in arrays.items()})
            except SymnetError as error:
                faults.append(Fault(target, f"at {sizes} {special}: {type(error).__name__}: {error}", "crash"))
                continue
            faults += [Fault(target, f"at {sizes} {special}: {x.detail}") for x in compared(case, target, value, gradients, wanted)]
        return faults
    return law


def exact_law(case: Case) -> list[Fault]:
    """``at()`` gives the same numbers, with 20 digits beyond doubt."""
    faults: list[Fault] = []
    for which in (DIFFERENT, ONES) if case.seed % 2 else (DIFFERENT,):
        sizes, arrays, wanted = case.at(which)
        if wanted is None:
            continue
        d = case.derivation
        there = d.at({k: np.asarray(v).tolist() for k, v in arrays.items()}, sizes)
        value = _read(there, d.objective)
        gradients = {k: _read(there, d.gradient_name(k)) for k in case.source.wrt}
        faults += [Fault("exact values", f"at {sizes}: {x.detail}") for x in compared(case, "exact", value, gradients, wanted)]
    return faults


def _read(there: Any, name: str) -> Any:
    """A value as floats: the middle of its ball, or where that has none (the root of what is 0 in truth) its certified decimals."""
    found = _floats(there.ball(name, 128))
    return found if np.isfinite(np.asarray(found)).all() else _decimals(there.decimal(name, 17))


def _decimals(nested: Any) -> Any:
    return [_decimals(x) for x in nested] if isinstance(nested, list) else float(nested)


def _floats(nested: Any) -> Any:
    return [_floats(x) for x in nested] if isinstance(nested, list) else float(nested.mid())


def steps_law(case: Case) -> list[Fault]:
    """Every step of a right derivation checks."""
    faults = []
    for s in case.derivation.steps:
        found = s.check()
        if not found:
            faults.append(Fault("step.check", f"step {s.number}, {s.definition}: {found.reason or found}"))
    return faults


def fields_law(case: Case) -> list[Fault]:
    """A step with a changed line, raw sum or contribution does not check, where the gradient is not zero."""
    from laws.step_fields import changed

    wanted = case.at(DIFFERENT)[2]
    if wanted is None:
        return []
    faults = []
    for s in case.derivation.steps:
        slope = wanted[1].get(s.of.name)
        if slope is None or not np.all(np.abs(slope) > 1e-6):
            continue
        passed: list[str] = []
        for what, step in changed(s):
            if case.in_pieces and not what.endswith("+ 1"):  # the check's few points may all lie where this piece is flat
                continue
            with suppress(SymnetError):
                passed += [what] if step.check() else []
        for k in range(len(s.contributions)):  # a slope that is 0 everywhere is its double and its negative, and nothing but 0
            same = {f"local {k} doubled", f"local {k} negated"}
            if same <= set(passed) and f"local {k} + 1" not in passed:
                passed = [what for what in passed if what not in same]
        faults += [Fault("step fields", f"step {s.number}, {s.definition}: {what}, and it checks") for what in passed]
    return faults


def answers_law(case: Case) -> list[Fault]:
    """The gradient in another form is never refuted; with a slip that changes its value it is never proved."""
    from laws import answers
    from laws.dice import Seeded, pick

    if case.source.kind != "index" or case.may_tie or case.at(DIFFERENT)[2] is None:
        return []
    dice = Seeded(f"answers {case.seed}")
    faults: list[Fault] = []
    for wrong in (False, True):
        name = pick(dice, case.source.wrt)
        try:
            alphas, node = answers.another(case.source, name, dice, wrong)
            text = answers.answer_text(case.source, name, alphas, node)
            claim = answers.with_answer(case.source, name, alphas, node)
            gaps = [_gap(case, claim, name, which) for which in (DIFFERENT, OTHERS)]
        except answers.NoForm:
            continue
        if None in gaps:
            continue
        off = max(g for g in gaps if g is not None)
        if not wrong and off > 1e-9:
            faults.append(Fault("answers", f"the laws' own gradient of {name} is off by {off:.3g}: {text}", "own"))
            continue
        if wrong and off < 1e-5:
            continue
        verdict = check_answer(text, case.derivation, name)
        case.kept["verdicts"] = [*case.kept.get("verdicts", []), f"{'slip' if wrong else 'right'} {verdict.answer}"]
        if wrong and verdict.answer in ("proved", "almost_everywhere"):
            faults.append(Fault("answers", f"a wrong d/d{name} is {verdict}: {text}"))
        if not wrong and verdict.answer == "refuted":
            faults.append(Fault("answers", f"a right d/d{name} is {verdict}: {text}"))
    return faults


def _gap(case: Case, claim: Source, name: str, which: dict[str, int]) -> float | None:
    """How far the claimed gradient is from JAX's, relative to the gradient."""
    sizes, arrays, wanted = case.at(which)
    if wanted is None:
        return None
    found = oracle.value_of(claim, sizes, arrays, "G")
    if not oracle.sane([found]):
        return None
    true = wanted[1][name]
    return float(np.max(np.abs(found - true), initial=0.0) / (1e-3 + np.max(np.abs(true), initial=0.0)))


def hessian_law(case: Case) -> list[Fault]:
    """∂²L/∂of ∂wrt of two inputs is JAX's, compiled and exact."""
    faults: list[Fault] = []
    names = [n for n in case.source.wrt if n in case.derivation.names]
    if not names:
        return []
    of = names[case.seed % len(names)]
    wrt = names[(case.seed // 7) % len(names)]
    made = sn.hessian(case.derivation, of, wrt)
    f = made.compile()
    for which in (DIFFERENT, ONES):
        sizes, arrays, wanted = case.at(which)
        if wanted is None:
            continue
        with np.errstate(all="ignore"):
            _, gradients = f({wrt: np.array(arrays[wrt])}, **{k: np.array(v) for k, v in arrays.items() if k != wrt})
        direction = np.asarray(arrays[wrt])[::-1] * 1.7 + 0.3 if np.ndim(arrays[wrt]) else np.asarray(1.3)
        theirs = oracle.along(case.source, sizes, arrays, of, wrt, direction)
        if not oracle.sane([theirs]):
            continue
        shape = (*np.shape(arrays[of]), *np.shape(arrays[wrt]))
        if np.shape(gradients[wrt]) != shape:
            faults.append(Fault("hessian", f"at {sizes}: d²L/d{of} d{wrt} has shape {np.shape(gradients[wrt])}, not {shape}"))
            continue
        wrong = oracle.differ(np.tensordot(gradients[wrt], direction, np.ndim(direction)), theirs, 1.0 + abs(wanted[0]) + float(np.max(np.abs(wanted[1][of]), initial=0.0)))
        if wrong:
            faults.append(Fault("hessian", f"at {sizes}: d²L/d{of} d{wrt} along a direction is {wrong}"))
    return faults


def jacobian_law(case: Case) -> list[Fault]:
    """The Jacobian of a defined array is JAX's."""
    names = [d.name for d in case.derivation.program.definitions if d.target.axes and len(case.derivation.program.by_name[d.name]) == 1]
    if not names or case.source.notes.get("looping"):
        return []
    of, wrt = names[case.seed % len(names)], case.source.wrt[(case.seed // 3) % len(case.source.wrt)]
    made = sn.jacobian(case.derivation.program, of, [wrt])
    f = made.compile()
    inputs = [t.name for t in made.program.inputs]
    sizes, arrays, wanted = case.at(DIFFERENT)
    if wanted is None:
        return []
    with np.errstate(all="ignore"):
        _, gradients = f({wrt: np.array(arrays[wrt])}, **{k: np.array(v) for k, v in arrays.items() if k != wrt and k in inputs})
    shape = oracle.shape_at(case.source, of, sizes)
    direction = np.cos(np.arange(1.0, 1.0 + int(np.prod(shape)))).reshape(shape)
    theirs = oracle.pulled(case.source, sizes, arrays, of, wrt, direction)
    if not oracle.sane([theirs]):
        return []
    if np.shape(gradients[wrt]) != (*shape, *np.shape(arrays[wrt])):
        return [Fault("jacobian", f"at {sizes}: d{of}/d{wrt} has shape {np.shape(gradients[wrt])}")]
    wrong = oracle.differ(np.tensordot(direction, gradients[wrt], len(shape)), theirs)
    return [Fault("jacobian", f"at {sizes}: d{of}/d{wrt} along a direction is {wrong}")] if wrong else []


def numpy_law(case: Case) -> list[Fault]:
    """JAX's objective is what real NumPy computes from the text: the laws' own lowering is right."""
    if case.source.kind != "numpy":
        return []
    from laws.numpy_programs import by_numpy

    sizes, arrays, wanted = case.at(DIFFERENT)
    with np.errstate(all="ignore"):
        wrong = "" if wanted is None else oracle.differ(by_numpy(case.source, arrays), wanted[0])
    return [Fault("NumPy", f"at {sizes}: the text gives {wrong}")] if wrong else []


LAWS: dict[str, Law] = {
    "NumPy": numpy_law,
    "compile": target_law("compile"), "exact values": exact_law, "step.check": steps_law, "numpy module": target_law("numpy module"),
    "torch module": target_law("torch module"), "jax module": target_law("jax module"),
    "step fields": fields_law, "answers": answers_law, "hessian": hessian_law, "jacobian": jacobian_law,
}


def jax_memory() -> None:
    """Let go of what JAX has compiled: thousands of programs would fill the memory."""
    from laws.meaning import jax

    jax().clear_caches()


def judge(case: Case, names: tuple[str, ...] = tuple(LAWS)) -> list[Fault]:
    """All the named laws. What cannot be derived at all is one fault; a program without a value says nothing."""
    try:
        case.derivation
    except SymnetError as error:
        return [Fault("derive", f"{type(error).__name__}: {error}", "refused")]
    except Exception as error:
        return [Fault("derive", f"{type(error).__name__}: {error}", "crash")]
    if case.at(DIFFERENT)[2] is None:
        return []
    faults: list[Fault] = []
    for name in names:
        try:
            faults += LAWS[name](case)
        except SymnetError as error:
            faults.append(Fault(name, f"{type(error).__name__}: {error}", "refused"))
        except Exception as error:
            faults.append(Fault(name, f"{type(error).__name__}: {error}", "crash"))
    return faults
