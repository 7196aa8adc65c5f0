"""Derivation -> report: gathers what the rooms know (values, checks, proof, errata, training) and hands it to the writers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import sympy as sp

from symnet.calculus.evaluate import Evaluation, evaluate
from symnet.calculus.instantiate import instantiate_program
from symnet.calculus.stopping import held_apart
from symnet.calculus.updating import descent_step
from symnet.core.derivation import Derivation
from symnet.core.numbers import as_ball, decimal, to_flint
from symnet.core.program import Definition, Program
from symnet.core.tensors import Tensor, free_name
from symnet.errors import OptionError, SymnetError
from symnet.loading import with_values
from symnet.reports.case import Case, Nudge, Shown
from symnet.reports.report import Report, format_of
from symnet.reports.story import tell
from symnet.reports.view import Level, Notation

Certified = Callable[[int], Any]  # from bits to an exact fraction or a ball
NUDGE, FACTOR = sp.Rational(1, 1000), sp.Integer(10)
MOST_NUDGES = 12
JSON_DIGITS = 30


def report(derivation: Derivation, path: str | Path | None = None, *, level: str = "student", digits: int = 6,
           format: str | None = None, theorem: bool = True, notation: str = "both", samples: str = "rows",
           check: bool = True) -> Report:
    """The report of a derivation; written to ``path`` when there is one, in the format its ending names.

    ``level`` is beginner, student or expert; ``digits`` the significant digits of decimals (1 to 60); ``notation`` both,
    matrix, index or scalar (every entry a number; sizes that are not known are taken as 2); ``samples`` rows or columns, for
    matrix notation. Every step is checked, unless ``check`` is False. Raises OptionError, and FaultError for a false step.
    """
    how = format_of(path, format)
    if level not in list(Level):
        raise OptionError("level", repr(level)[:40], "one of " + ", ".join(Level))
    if not isinstance(digits, int) or not 1 <= digits <= 60:
        raise OptionError("digits", repr(digits)[:40], "a whole number from 1 to 60")
    if notation not in list(Notation) or samples not in ("rows", "columns"):
        raise OptionError("notation", f"{notation!r}, {samples!r}"[:60], "one of " + ", ".join(Notation) + "; rows or columns")
    if notation == Notation.SCALAR:
        derivation = _entries(derivation)
    case = case_of(derivation, Level(level), digits, theorem, check)
    made = Report(tell(replace(case, notation=Notation(notation), columns=samples == "columns")))
    if path is not None:
        made.write(Path(path), how)
    return made


def _entries(derivation: Derivation) -> Derivation:
    """The derivation with every entry a number."""
    if not _has_axes(derivation):
        return derivation
    known = derivation.meta.get("sizes") or {}
    made = derivation.instantiate({str(s): int(known.get(str(s), 2)) for s in derivation.program.sizes})
    return with_values(made, made.values, {**derivation.meta, "sizes": {}, "errata": None, "training": None})


def case_of(derivation: Derivation, level: Level, digits: int, theorem: bool = True, check: bool = True) -> Case:
    """Everything that can be said about this derivation."""
    from symnet import __version__

    complete = _complete(derivation)
    sizes = dict(derivation.meta.get("sizes") or {})
    rate = derivation.meta.get("learning_rate")
    scalars = derivation.instantiate(sizes) if complete and _has_axes(derivation) else None
    descent = values = None
    if complete:
        given = {**derivation.values, **({"lr": rate} if rate is not None else {})}
        program = descent_step(derivation) if rate is not None else derivation.full
        values = evaluate(program, given, sizes)
        descent = values.scalars if rate is not None else None
    proved = None
    if theorem and rate is not None:
        from symnet.proofs import prove

        proved = prove("loss-scaling", optimizer="sgd")
    return Case(
        derivation, level, digits, scalars=scalars, descent=descent, values=values,
        checks=derivation.check() if check else (),
        nudges=_nudges(derivation, values, sizes, digits) if values is not None else (),
        proved=proved, shown=_shown(derivation, sizes, digits) if proved and complete else None,  # type: ignore[arg-type]
        errata=_errata(derivation), log=_training(derivation), numpy=partial(_numpy, derivation),
        footer=f"Made by symnet {__version__}.",
        json_values=partial(_json_values, derivation, values))


def _has_axes(derivation: Derivation) -> bool:
    return any(t.axes for t in derivation.program.tensors.values())


def _complete(derivation: Derivation) -> bool:
    """True when every input has a value and every size a number."""
    program, sizes = derivation.program, derivation.meta.get("sizes") or {}
    return all(t.name in derivation.values for t in program.inputs) and all(str(s) in sizes for s in program.sizes)


def _json_values(derivation: Derivation, values: Evaluation | None) -> dict[str, Any]:
    if values is None:
        return {}

    def both(exact: Any, shown: Any) -> Any:
        if isinstance(exact, list):
            return [both(e, s) for e, s in zip(exact, shown, strict=True)]
        return {"exact": str(exact), "decimal": shown}

    return {name: both(values.exact(name), values.decimal(name, JSON_DIGITS)) for name in derivation.full.tensors}


def _nudges(derivation: Derivation, values: Evaluation, sizes: Mapping[str, int], digits: int) -> tuple[Nudge, ...]:
    """Move each parameter by 1/1000 and do the forward pass again."""
    scalars, entries = instantiate_program(derivation.program, sizes)
    point = {t.name: values.point[t.name] for t in scalars.inputs}
    lines = held_apart(scalars)
    held = tuple(d.target for d, still in lines if still)
    whole = Program(scalars.inputs, tuple(d for d, _ in lines), scalars.objective, scalars.assumptions)
    loose = Program((*scalars.inputs, *held), tuple(d for d, still in lines if not still), scalars.objective, scalars.assumptions)
    unmoved = Evaluation(derivation.program, whole, point, sizes, entries)

    def objective(moved: Mapping[str, sp.Rational]) -> Certified:
        """The objective with some entries moved; what stands in a stop-gradient keeps its unmoved value."""
        def ball(bits: int) -> Any:
            still = {t.name: unmoved.balls(bits)[t.name] for t in held}
            return Evaluation(derivation.program, loose, {**point, **moved, **still}, sizes, entries).balls(bits)[derivation.objective]
        return ball

    base = objective({})
    moved = [t for t in scalars.inputs if (t.parent or t.name) in derivation.wrt][:MOST_NUDGES]
    return tuple(_nudge(t.name, base, objective({t.name: point[t.name] + NUDGE}), objective({t.name: point[t.name] - NUDGE}),
                        _gradient_scalar(derivation, values, t), digits) for t in moved)


def _nudge(name: str, base: Certified, up: Certified, down: Certified, gradient: Certified, digits: int) -> Nudge:
    """What the nudge did, what the gradient foretold, and the slope measured on both sides."""
    def moved(bits: int) -> Any:
        return up(bits) - base(bits)

    def foretold(bits: int) -> Any:
        return to_flint(NUDGE) * gradient(bits)

    def quotient(bits: int) -> Any:
        return (up(bits) - down(bits)) / to_flint(2 * NUDGE)

    shown = [decimal(value, digits).text for value in (moved, foretold, quotient, gradient)]
    return Nudge(name, "0.001", *shown)


def _gradient_scalar(derivation: Derivation, values: Evaluation, t: Tensor) -> Certified:
    name = derivation.gradient_name(t.parent or t.name)
    place = next(s.name for s in values.scalars.tensors.values() if (s.parent or s.name) == name and s.place == t.place)
    return lambda bits: values.balls(bits)[place]


def _shown(derivation: Derivation, sizes: Mapping[str, int], digits: int) -> Shown:
    """The two runs of the theorem, one step each, on this derivation: loss/c with rate α, and loss with rate α/c."""
    from symnet.calculus import derive
    from symnet.equality.compare import compare

    rate, program = derivation.meta["learning_rate"], derivation.program
    scaled = Tensor(free_name("J", program.tensors))
    part = Program(program.inputs, (*program.definitions, Definition(scaled, (), program.objective_tensor[()] / FACTOR)),
                   scaled.name, program.assumptions)
    first = evaluate(descent_step(derive(part, derivation.wrt)), {**derivation.values, "lr": rate}, sizes)
    second = evaluate(descent_step(derivation), {**derivation.values, "lr": rate / FACTOR}, sizes)
    names = [t.name for t in second.scalars.tensors.values() if (t.parent or t.name).removesuffix("_new") in derivation.wrt
             and (t.parent or t.name).endswith("_new")][:MOST_NUDGES]
    rows = tuple((n, first.shown(n, digits).text, second.shown(n, digits).text) for n in names)
    small = len(second.scalars.definitions) < 40
    proved = small and all(compare(first.exact_scalar(n), second.exact_scalar(n)).holds for n in names)
    equal = proved or all(as_ball(first.balls(256)[n] - second.balls(256)[n]).contains(0) for n in names)
    if proved:
        verdict = "Both columns are proved equal as exact numbers, not only to the digits shown."
    else:
        verdict = "Both columns agree to more than 60 digits." if equal else "The columns differ."
    return Shown(str(FACTOR), rows, verdict)


def _errata(derivation: Derivation) -> Any:
    spec = derivation.meta.get("errata")
    if not spec:
        return None
    from symnet.checking.errata import judge_page
    from symnet.worksheets.builtin import lines_text

    return judge_page(spec["text"] if "text" in spec else lines_text(spec["file"]), derivation)


def _numpy(derivation: Derivation) -> str:
    from symnet.backends.source import numpy_source

    try:
        return numpy_source(derivation)
    except SymnetError as problem:
        return f"# no NumPy form: {problem.message}\n"


def _training(derivation: Derivation) -> Any:
    spec = derivation.meta.get("training")
    if not spec:
        return None
    from symnet.training.run import train_sheet

    return train_sheet(derivation, {}, progress=False).log
