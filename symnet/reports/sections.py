"""A case -> a story: the sections of a report, in the order a reader needs them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import sympy as sp

from symnet.arrays.notation import matrix_latex
from symnet.core.derivation import Derivation
from symnet.core.expressions import When, as_written
from symnet.core.functions import BY_NAME, TABLE
from symnet.core.latex import latex
from symnet.core.names import shape_latex, shape_text, tensor_latex, tensor_text
from symnet.core.numbers import Shown, decimal, rational
from symnet.core.program import Definition
from symnet.core.sentences import capitalised
from symnet.core.tensors import Tensor
from symnet.core.text import text
from symnet.reports.claims import errata_section, theorem_section
from symnet.reports.columns import Transposition
from symnet.reports.curve import loss_curve
from symnet.reports.document import Block, Formula, Level, Notation, Rich, Section, Stage, StepView, Story, Table
from symnet.reports.drawing import draw
from symnet.reports.lines import Lines
from symnet.reports.numbered import gradients_table, json_data, update_section
from symnet.reports.references import References
from symnet.reports.report_data import Case
from symnet.reports.values import APPROX, Values, number, number_latex
from symnet.reports.words import BRACKET, COLUMNS, GATES, JACOBIAN, LAYOUT, LEADS, READING, ROLES, UNROUNDED, plural


def tell(case: Case) -> Story:
    """The whole story of a derivation."""
    d = case.derivation
    lines = _lines(case)
    forward = [lines.forward(line) for line in d.program.definitions]
    backward = [lines.backward(step) for step in d.steps]
    sections = [*_drawing(case), _symbols(case, [*forward, *backward]), _pass("forward", "Forward pass", forward, case),
                _pass("backward", "Backward pass", backward, case), gradients_table(case, lines)]
    if case.descent is not None:
        sections.append(update_section(case, lines))
    sections += [s for s in (_checks(case), theorem_section(case), errata_section(case), _training(case)) if s is not None]
    title = str(d.meta.get("title") or d.program.title or "A derivation")
    return Story(title, case.level, _summary(case), tuple(sections), case.footer, partial(json_data, case))


def _lines(case: Case) -> Lines:
    values = Values(case.values, case.digits) if case.values is not None else None
    full = case.derivation.full
    entries: dict[str, list[Definition]] = {}
    scalars: dict[str, Tensor] = {}
    if case.scalars is not None:
        for line in case.scalars.full.definitions:
            entries.setdefault(line.target.parent or line.name, []).append(line)
        scalars = dict(case.scalars.full.tensors)
    steps = case.derivation.steps
    known = {**{s.target.name: s.target for s in steps}, **full.tensors}
    return Lines(known, case.level, case.notation, values, {k: tuple(v) for k, v in entries.items()}, scalars, _numbered(case.derivation),
                 _matrix_notation(case, known), {s.target.name: s.definition for s in steps})


def _numbered(d: Derivation) -> References:
    """Every line of the forward and the backward pass with its number, before any is told: a recurrence refers to later lines."""
    references = References()
    for k, line in enumerate(d.program.definitions, start=1):
        references.add(line, str(k), "v")
    for step in d.steps:
        references.add(step.definition, str(len(d.program.definitions) + step.number), "g")
    return references


def _matrix_notation(case: Case, known: Mapping[str, Tensor]) -> Callable[[Definition], str | None]:
    """How a line reads in matrix notation. Samples as columns: the line as the program holds it, each letter standing for a transpose."""
    if not case.columns:
        return lambda d: matrix_latex(d, {**known, d.name: d.target})
    back = Transposition(known)
    held = {name: back.tensor(t) for name, t in known.items()}

    def shown(d: Definition) -> str | None:
        with as_written():
            return matrix_latex(back.definition(d), {**held, d.name: back.tensor(d.target)}, columns=True)
    return shown


def _summary(case: Case) -> Rich:
    d = case.derivation
    names: list[str | Formula] = []
    for k, name in enumerate(d.wrt):
        joint = "" if k == 0 else " and " if k == len(d.wrt) - 1 else ", "
        names += [joint, _formula(d.program[name])]
    count = f", in {plural(len(d.steps), 'step')}, {'each ' if len(d.steps) > 1 else ''}by one named rule."
    return ("The gradient of ", _formula(d.program.objective_tensor), " with respect to ", *[n for n in names if n != ""], count)


def _formula(tensor: Tensor) -> Formula:
    return Formula(tensor_latex(tensor), tensor_text(tensor))


def _drawing(case: Case) -> Iterator[Section]:
    source = case.scalars or case.derivation
    values = Values(case.values, min(case.digits, 4)) if case.values is not None else None
    live = {name: g for name, g in source.names.items() if g in source.full.tensors}  # others were put into later lines
    picture = draw(source.program, live, values if case.values is not None else None)
    if picture is None and case.scalars is not None:
        picture, values = draw(case.derivation.program, case.derivation.names, None), None
    if picture is not None:
        said = ("Values stand in blue: what is given, and what is computed from left to right; slopes of the loss (∂) in orange, "
                f"from right to left. Numbers are rounded to {plural(min(case.digits, 4), 'digit')}." if values else
                "Each circle is given or is computed by one line of the forward pass.")
        yield Section("network", "The network", (said,), (picture,), drawn=True)


def _symbols(case: Case, views: list[StepView]) -> Section:
    d = case.derivation
    rows: list[tuple[Rich, ...]] = []
    shaped = any(t.axes for t in d.program.tensors.values())
    for t in d.program.tensors.values():
        note = t.note or next((x.note for x in d.program.by_name.get(t.name, ()) if x.note), "") or _role(d, t)
        row: list[Rich] = [(_formula(t),), (note,)]
        if shaped:
            row.append((Formula(shape_latex(t), shape_text(t)),) if t.axes else ("a number",))
        if case.values is not None:
            row.append(_given(case, t))
        rows.append(tuple(row))
    head = ("symbol", "meaning", *(("shape",) if shaped else ()), *(("value",) if case.values is not None else ()))
    layout = "All values are plain numbers." if not shaped else LAYOUT if not d.program.objective_tensor.axes else JACOBIAN
    notes: list[Block] = [Table(head, tuple(rows), (1, 4, 1.5, 1.8)[: len(head)]), (layout,)]
    if case.columns and case.notation is not Notation.SCALAR:
        notes.append((COLUMNS,))
    if case.values is not None:
        notes.append((UNROUNDED,))
    notes += _brackets(views)
    least = d.program.least
    sizes = [str(s) for s in d.program.sizes if s not in least]
    known = d.meta.get("sizes") or {}
    if any(str(s) in known for s in d.program.sizes):
        notes.append((f"Here {', '.join(f'{s} = {known[str(s)]}' for s in d.program.sizes if str(s) in known)}.",))
    taken = d.meta.get("taken") or {}
    if taken:
        notes.append((f"Written out for {', '.join(f'{s} = {n}' for s, n in taken.items())}.",))
    sizes = [s for s in sizes if s not in known]
    if sizes:
        notes.append((f"The sizes {', '.join(sizes)} may be any positive whole numbers." if len(sizes) > 1 else
                      f"The size {sizes[0]} may be any positive whole number.",))
    notes += [(f"The size {s} may be any whole number from {n} on.",) for s, n in least.items() if str(s) not in known]
    if case.level is not Level.EXPERT:
        notes += _functions(d)
    notes += [(capitalised(c, BY_NAME) + ".",) for c in d.conventions]
    tensors = d.program.tensors
    notes += [(f"Declared: {t.name} {known_of}.",) for t in d.program.inputs if (known_of := _declared(t))]
    for a in d.program.assumptions:
        said = Formula(f"{latex(a.left, tensors)} = {latex(a.right, tensors)}", f"{text(a.left)} = {text(a.right)}")
        notes.append(("Declared: ", said, "."))
    if case.level is Level.BEGINNER:
        notes += [(READING,), (GATES,)]
    return Section("symbols", "Symbols and conventions", (), tuple(notes))


def _declared(t: Tensor) -> str:
    """What a symbol's set or structure says: "lies in (0, 1)"."""
    said = [] if t.domain[0].isalpha() or t.structure else [f"lies in {t.domain}"]
    if t.structure:
        said.append("has rows that are one-hot" if t.structure == "one-hot" else f"is {t.structure}")
    return " and ".join(said)


def _brackets(views: list[StepView]) -> Iterator[Block]:
    """What a condition in square brackets means, where one is printed."""
    claims = [s.claim for v in views for s in v.stages if s.claim is not None and r"\left[" in s.formula.latex]
    found = [c for k in claims for c in (*k.conditions, *(w.condition for w in k.right.atoms(When)))]
    if found:
        pair = next((c for c in found if isinstance(c, sp.Eq) and all(a.is_Symbol and a.is_integer for a in c.args)), None)
        if pair is None:
            yield (BRACKET + ".",)
        else:
            i, j = (latex(a) for a in pair.args)
            yield (BRACKET + ": ", Formula(rf"\left[{i} = {j}\right]", text(When(sp.S.One, pair))), " is Kronecker's ",
                   Formula(rf"\delta_{{{i}{j}}}", f"δ[{pair.args[0]}, {pair.args[1]}]"), ".")


def _functions(d: Derivation) -> Iterator[Block]:
    """What the functions of the forward pass mean: σ(z) = 1/(1 + e^-z)."""
    z = sp.Symbol("z", real=True)
    used = dict.fromkeys(type(n) for line in d.program.definitions for n in sp.preorder_traversal(line.expr))
    for row in (TABLE[f] for f in used if f in TABLE):
        if row.in_exp is not None and len(row.derivative) == 1:
            meaning = row.in_exp(z)
            left = row.function(z)
            yield ("Here ", Formula(f"{latex(left)} = {latex(meaning)}", f"{text(left)} = {text(meaning)}"), f"; {row.law}.")


def _role(d: Derivation, t: Tensor) -> str:
    return ROLES["objective"] if t.name == d.objective else "computed" if t.name in d.program.by_name else ROLES[t.role.value]


def _given(case: Case, t: Tensor) -> Rich:
    """The value of an input; computed ones stand in their own lines."""
    assert case.values is not None
    if not t.axes:
        shown = case.values.shown(t.name, case.digits)
        return (number(shown),)
    if t.name in case.derivation.program.by_name:
        return ("see below",)
    nested: Any = case.derivation.values[t.name]
    nested = nested.tolist() if hasattr(nested, "tolist") else nested
    numbers: list[Shown] = []
    return (_all_of(numbers, _nested(nested, case, numbers, len(t.axes) == 2)),)


def _nested(nested: Any, case: Case, seen: list[Shown], matrix: bool = False) -> Formula:
    """Numbers in brackets, and those in brackets again where there are three axes or more; the numbers go to ``seen`` as well."""
    if not isinstance(nested, (list, tuple)):
        shown = decimal(rational(nested), case.digits)
        seen.append(shown)
        return Formula(number_latex(shown.text), shown.text)
    if matrix:
        rows = [[_nested(v, case, seen) for v in row] for row in nested]
        body = r" \\ ".join(" & ".join(f.latex for f in row) for row in rows)
        plain = "[" + ", ".join("[" + ", ".join(f.text for f in r) + "]" for r in rows) + "]"
        return Formula(rf"\begin{{pmatrix}} {body} \end{{pmatrix}}", plain)
    inner = [_nested(v, case, seen) for v in nested]
    return Formula(rf"\left({', '.join(f.latex for f in inner)}\right)", f"({', '.join(f.text for f in inner)})")


def _all_of(numbers: list[Shown], whole: Formula) -> Formula:
    """A list of numbers, behind ≈ where any of them is rounded."""
    return whole if all(v.exact for v in numbers) else Formula(rf"{APPROX} {whole.latex}", f"≈ {whole.text}")


def _pass(anchor: str, title: str, views: list[StepView], case: Case) -> Section:
    return Section(anchor, title, () if case.level is Level.EXPERT else (LEADS[anchor],), tuple(views))


def _checks(case: Case) -> Section | None:
    blocks: list[Block] = []
    if case.nudges:
        rows = [((_formula(_named(case, n.name)),), (number(n.moved),), (number(n.foretold),), (number(n.quotient),),
                 (number(n.gradient),)) for n in case.nudges]
        blocks.append(_first_nudge(case))
        blocks.append(Table(("move by 0.001", "the loss moves by", "foretold", "slope, both sides", "gradient"), tuple(rows)))
        apart = [n.name for n in case.nudges if not n.agrees]
        if apart:
            blocks.append((f"Where the slope measured on both sides is not the gradient, for {', '.join(apart)}, a kink lies within 0.001 "
                           "of the point, or the curve bends too sharply for steps of this size.",))
    if case.unmoved:
        blocks.append((f"Not moved, since the edge of the domain is nearer than 0.001: {', '.join(case.unmoved)}.",))
    if case.checks:
        good = sum(c.ok for c in case.checks)
        sizes = ", ".join(f"{n} = {v}" for n, v in case.checks[0].sizes)
        points = max(c.points for c in case.checks)
        at = "a random exact point" if points == 1 else f"{points} random exact points"
        where = f"{at}, {'the first ' if points > 1 else ''}at sizes {sizes}" if sizes else at
        worst = max((c.worst for c in case.checks), key=lambda w: float(w or 0))
        missed = dict.fromkeys(c.reason for c in case.checks if not c.ok)
        blocks += [(f"{plural(len(case.checks) - good, 'step')} could not be checked: {'; '.join(missed)}.",)] if missed else []
        blocks.append((f"Every step on its own: {good} of {len(case.checks)} agree with differences of the forward pass at {where}, "
                       f"in arithmetic of about 90 digits. The largest difference is {worst}. This is evidence, "
                       "not a proof; the chain rule is the proof.",))
    return Section("checks", "Checked without formulas", (LEADS["checks"],) if case.nudges else (), tuple(blocks)) if blocks else None


def _first_nudge(case: Case) -> Rich:
    """One row of the table in words: the first that moves the loss, where there is one."""
    n = next((n for n in case.nudges if n.moved.text != "0"), case.nudges[0])
    said: Rich = ("Move ", _formula(_named(case, n.name)), f" by {n.by} and the loss moves by ", number(n.moved),
                  "; the gradient foretold ", number(n.foretold), ".")
    if n.moved.exact and n.moved.text == n.foretold.text == "0":
        return (*said, " The loss is flat in this direction.")
    if n.moved.text == n.foretold.text or not n.agrees:
        return said
    return (*said, " The small difference is the bend of the curve: measured on both sides, the slope agrees with the gradient.")


def _named(case: Case, name: str) -> Tensor:
    known = case.scalars.full.tensors if case.scalars is not None else case.derivation.full.tensors
    return known[name]


def _training(case: Case) -> Section | None:
    if case.log is None:
        return None
    log = case.log
    settings = ", ".join(f"{k} = {v}" for k, v in log.settings)
    everything = "" if log.samples is None else f" over {plural(log.samples, 'sample')}"
    batch = ("all the data at once" if log.samples is None else "all samples at once") if log.batch_size is None else (
        f"{plural(log.batch_size, 'sample')} at a time")
    lead = f"{log.optimizer} with {settings}; {plural(log.epochs, 'epoch')}{everything}, {batch}."
    picture = loss_curve(log)
    lines = tuple(Stage("", Formula(*both)) for both in log.law)
    law = (StepView("t-law", "w", ("The update of each entry w with gradient g",), lines),) if lines else ()
    return Section("training", "Training", (lead,), (*law, picture))
