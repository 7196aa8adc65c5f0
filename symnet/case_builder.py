"""Derivation -> report: gathers what the rooms know (values, checks, proof, errata, training) and hands it to the writers."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import sympy as sp

from symnet.calculus.checking import check_lines
from symnet.calculus.evaluate import Evaluation, difference, evaluate
from symnet.calculus.updating import descent_step
from symnet.core.derivation import Derivation
from symnet.core.numbers import as_ball, to_flint
from symnet.core.program import Definition, Program
from symnet.core.tensors import Tensor, free_name
from symnet.errors import DomainError, OptionError, SymnetError, did_you_mean, shown
from symnet.reports.columns import with_samples_as_columns
from symnet.reports.document import Level, Notation
from symnet.reports.report import Report, format_of
from symnet.reports.report_data import Case, Nudge, TwoRuns
from symnet.reports.sections import tell
from symnet.worksheet_loader import with_values

NUDGE, FACTOR = sp.Rational(1, 1000), sp.Integer(10)
MOST_NUDGES = 12
JSON_DIGITS, JSON_EXACT = 30, 1000  # digits of a decimal, and characters of an exact value, in JSON


def report(derivation: Derivation, path: str | Path | None = None, *, level: str = "student", digits: int = 6,
           format: str | None = None, theorem: bool = True, notation: str = "both", samples: str = "rows",
           check: bool = True) -> Report:
    """The report of a derivation; written to ``path`` when there is one, in the format its ending names.

    ``level`` is beginner, student or expert; ``digits`` the significant digits of decimals (1 to 60); ``notation`` both,
    matrix, index or scalar (every entry a number; sizes that are not known are taken as 2); ``samples`` rows or columns, for
    matrix notation. Every step and every printed line is checked, unless ``check`` is False. Raises OptionError, and FaultError
    for what is false.
    """
    how = format_of(path, format)
    if level not in list(Level):
        raise OptionError("level", shown(level), "one of " + ", ".join(Level), did_you_mean(level, Level))
    if not isinstance(digits, int) or not 1 <= digits <= 60:
        raise OptionError("digits", shown(digits), "a whole number from 1 to 60")
    if notation not in list(Notation) or samples not in ("rows", "columns"):
        raise OptionError("notation", f"{notation!r}, {samples!r}"[:60], "one of " + ", ".join(Notation) + "; rows or columns",
                          did_you_mean(notation, Notation) if notation not in list(Notation) else "")
    if notation == Notation.SCALAR:
        derivation = _entries(derivation)
    columns = samples == "columns"
    case = case_of(with_samples_as_columns(derivation) if columns else derivation, Level(level), digits, theorem, check, derivation)
    made = Report(tell(replace(case, notation=Notation(notation), columns=columns)))
    if check:
        check_lines(case.derivation, ((f"line {number} of the report", c.left, c.right, c.ranges, c.conditions)
                                      for number, c in made.story.claims if not c.decimal and not c.put_in))
    if path is not None:
        made.write(Path(path), how)
    return made


def _entries(derivation: Derivation) -> Derivation:
    """The derivation with every entry a number."""
    if not _has_axes(derivation):
        return derivation
    known = derivation.meta.get("sizes") or {}
    taken = {str(s): int(known.get(str(s), 2)) for s in derivation.program.sizes}
    made = derivation.instantiate(taken)
    return with_values(made, made.values, {**derivation.meta, "sizes": {}, "taken": taken, "errata": None, "training": None})


def case_of(derivation: Derivation, level: Level, digits: int, theorem: bool = True, check: bool = True,
            held: Derivation | None = None) -> Case:
    """Everything that can be said about this derivation. ``held`` is the one that the program holds, where another is shown."""
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
        from symnet.theorems.proving import prove

        proved = prove("loss-scaling", optimizer="sgd")
    held = held or derivation
    moved = _nudges(derivation, values, digits) if values is not None else ()
    return Case(
        derivation, held, level, digits, scalars=scalars, descent=descent, values=values,
        checks=held.check() if check else (),
        nudges=tuple(n for n in moved if n.by), unmoved=tuple(n.name for n in moved if not n.by),
        proved=proved, shown=_shown(derivation, sizes, digits) if proved and complete else None,  # type: ignore[arg-type]
        errata=_errata(held), log=_training(held), numpy=partial(_numpy, held),
        footer=f"Made by symnet {__version__}.",
        json_values=partial(_json_values, held, values, sizes, held is not derivation))


def _has_axes(derivation: Derivation) -> bool:
    return any(t.axes for t in derivation.program.tensors.values())


def _complete(derivation: Derivation) -> bool:
    """True when every input has a value and every size a number."""
    program, sizes = derivation.program, derivation.meta.get("sizes") or {}
    return all(t.name in derivation.values for t in program.inputs) and all(str(s) in sizes for s in program.sizes)


def _json_values(derivation: Derivation, values: Evaluation | None, sizes: Mapping[str, int], transposed: bool) -> dict[str, Any]:
    """Exact and decimal values of the program as it is held; ``values`` are of the one shown, which may be transposed."""
    if values is None:
        return {}
    if transposed:
        values = evaluate(derivation.full, derivation.values, sizes)
    return {name: values.leaves(name, partial(json_value, values)) for name in derivation.full.tensors}


def json_value(values: Evaluation, scalar: str) -> dict[str, Any]:
    """One number for JSON: its exact value as a string, its decimal of 30 digits, and a ``note`` where either needs a word.

    ``exact`` is null where its text would have more than 1,000 characters: exact values of deep lines swell without bound, and the
    decimal is certified to its last digit.
    """
    long, shown = values.length(scalar), values.shown(scalar, JSON_DIGITS)
    told = long <= JSON_EXACT
    notes = [] if told else [f"the exact value has about {long:,} characters, more than {JSON_EXACT:,}: its decimal alone is given"]
    notes += [shown.note] if shown.note else []
    exact = sp.sstr(values.exact_scalar(scalar), order="none") if told else None  # sorting the terms takes SymPy far longer
    return {"exact": exact, "decimal": shown.text, **({"note": "; ".join(notes)} if notes else {})}


def _nudges(derivation: Derivation, values: Evaluation, digits: int) -> tuple[Nudge, ...]:
    """Move each parameter by 1/1000 and do the forward pass again."""
    places = ((name, place) for name in derivation.wrt for place in values.entries.places(name)
              if name not in derivation.program.by_name)
    found = []
    for name, place in itertools.islice(places, MOST_NUDGES):
        try:
            found.append(_nudge(derivation, values, name, place, digits))
        except DomainError:  # log w at w = 1/2000: the edge of the domain is nearer than the nudge
            found.append(Nudge(values.entries.title(name, place), ""))
    return tuple(found)


def _nudge(derivation: Derivation, values: Evaluation, name: str, place: tuple[int, ...], digits: int) -> Nudge:
    """What the nudge did, what the gradient foretold, and the slope measured on both sides."""
    goal, moved = derivation.objective, values.entries.title(name, place)
    gradient = values.entries.title(derivation.gradient_name(name), place)
    up, down = (values.moved({moved: values.point[moved] + step}) for step in (NUDGE, -NUDGE))
    slopes = (up.number(goal, 128) - down.number(goal, 128)) / to_flint(2 * NUDGE), values.number(gradient, 128)
    agrees = not abs(as_ball(slopes[0] - slopes[1])) > abs(as_ball(slopes[0])) / 100
    return Nudge(moved, "0.001", difference(up, values, goal, sp.S.One, digits), values.shown(gradient, digits, NUDGE),
                 difference(up, down, goal, 1 / (2 * NUDGE), digits), values.shown(gradient, digits), agrees)


def _shown(derivation: Derivation, sizes: Mapping[str, int], digits: int) -> TwoRuns:
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
    rows = tuple((n, first.shown(n, digits), second.shown(n, digits)) for n in names)
    small = len(second.scalars.definitions) < 40
    proved = small and all(compare(first.exact_scalar(n), second.exact_scalar(n)).holds for n in names)
    equal = proved or all(as_ball(first.number(n, 256) - second.number(n, 256)).contains(0) for n in names)
    if proved:
        verdict = "Both columns are proved equal as exact numbers, not only to the digits shown."
    else:
        verdict = "Both columns agree to more than 60 digits." if equal else "The columns differ."
    return TwoRuns(str(FACTOR), rows, verdict)


def _errata(derivation: Derivation) -> Any:
    spec = derivation.meta.get("errata")
    if not spec:
        return None
    from symnet.checking.pages.judge import judge_page
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
