"""The gradients in one table, the update step, and the JSON reading."""

from __future__ import annotations

from symnet.arrays.notation import matrix_latex
from symnet.core.latex import definition_latex, latex
from symnet.core.names import shape_latex, shape_text, tensor_latex
from symnet.core.program import Definition
from symnet.core.tensors import Tensor
from symnet.core.text import definition_text, text
from symnet.reports.document import Block, Claim, Formula, Level, Notation, Rich, Section, Stage, StepView, Table
from symnet.reports.lines import MOST_ENTRIES, Lines
from symnet.reports.report_data import Case
from symnet.reports.values import Values, equals, number, related
from symnet.reports.words import LEADS, plural


def gradients_table(case: Case, lines: Lines) -> Section:
    """All gradients at a glance."""
    d = case.derivation
    rows: list[tuple[Rich, ...]] = []
    for name in d.wrt:
        formula = d.gradients[name]
        for line in formula.definitions:
            form, *matrix = [s.formula for s in lines.forms(line)]
            cells: list[Rich] = [(Formula(tensor_latex(d.program[name]), name),), (form,)]
            if any(t.axes for t in d.full.tensors.values()):
                if case.notation is Notation.BOTH:
                    cells.append((matrix[0],) if matrix else ("",))
                cells.append((Formula(shape_latex(line.target), shape_text(line.target)),) if line.target.axes else ("a number",))
            if case.values is not None and not line.target.axes:
                shown = case.values.shown(line.name, case.digits)
                cells.append((number(shown),))
            elif case.values is not None:
                count = len(lines.entries.get(line.name, ()))
                cells.append(("entry by entry above" if count <= MOST_ENTRIES else f"{count} entries, the first {MOST_ENTRIES} above",))
            rows.append(tuple(cells))
    head = ["parameter", "gradient"]
    shaped = any(t.axes for t in d.full.tensors.values())
    head += ["matrix notation"] if shaped and case.notation is Notation.BOTH else []
    head += ["shape"] if shaped else []
    head += ["value"] if case.values is not None else []
    return Section("gradients", "All gradients", (), (Table(tuple(head), tuple(rows)),))


def update_section(case: Case, lines: Lines) -> Section:
    """New parameters, and the loss after the step."""
    assert case.descent is not None and case.values is not None
    program, values = case.descent, Values(case.values, case.digits)
    new = {t.name: t for t in program.tensors.values()}
    moved = [t for t in (case.scalars or case.derivation).full.inputs if t.name in (case.scalars or case.derivation).wrt]
    blocks: list[Block] = []
    most = 2 * MOST_ENTRIES
    for k, t in enumerate(moved[:most], start=1):
        line = next(d for d in program.definitions if _base(d.target) == (t.parent or t.name) and d.target.place == t.place)
        blocks.append(_updated(line, f"U{k}", values, new, case.level))
    if len(moved) > most:
        blocks.append((f"And {plural(len(moved) - most, 'more entry', 'more entries')} in the same way.",))
    rate = values.of("lr")
    after = program.objective
    before = Formula(tensor_latex(program.tensors[case.derivation.objective]), case.derivation.objective)
    later = Formula(tensor_latex(program.tensors[after]), after)
    final: Rich = ("With the new parameters the forward pass gives ", equals(later, values.of(after)), "; before the step it was ",
                   equals(before, values.of(case.derivation.objective)), ".")
    lead = "" if case.level is Level.EXPERT else LEADS["update"] + " "
    opening: Rich = (f"{lead}Learning rate: ", equals(Formula(r"\alpha", "lr"), rate), ".")
    return Section("update", "One step of gradient descent", opening, (*blocks, final))


def _base(tensor: Tensor) -> str:
    name = tensor.parent or tensor.name
    return name.removesuffix("_new")


def _updated(line: Definition, number: str, values: Values, tensors: dict[str, Tensor], level: Level) -> StepView:
    symbols, shown, empty = Formula(f"{latex(line.entry, tensors)} = {latex(line.expr, tensors)}", definition_text(line, tensors)), \
        values.of(line.name), Formula("", "")
    stages = [Stage("", symbols, Claim(line.entry, line.expr))]
    if level is not Level.EXPERT and values.comes_to(line.expr, shown):
        numbers, exact = values.put_in(line.expr, tensors)
        stages.append(Stage("with numbers", related(empty, numbers, exact), Claim(line.entry, line.expr, put_in=values.printed(line.expr))))
    stages.append(Stage("value", equals(empty, shown), Claim(line.entry, line.expr, decimal=shown.text)))
    title: Rich = ("The new ", Formula(tensor_latex(tensors[line.name.replace("_new", "", 1)]), line.name.replace("_new", "", 1)))
    return StepView(f"u-{line.name}", number, title, tuple(stages))


def json_data(case: Case) -> dict[str, object]:
    """The contract of ``derive --format json``."""
    d = case.held
    objective = d.program.by_name[d.objective][-1]
    known, values = {**{s.target.name: s.target for s in d.steps}, **d.full.tensors}, case.json_values()
    return {
        "title": str(d.meta.get("title") or d.program.title),
        "objective": {"latex": definition_latex(objective, known), "text": definition_text(objective, known),
                      "value": values.get(d.objective)},
        "gradients": {name: {"latex": f.latex(), "text": str(f), "shape": [str(s) for s in f.shape],
                             "matrix": matrix_latex(f.definitions[0], known),
                             "value": values.get(d.gradient_name(name))} for name, f in d.gradients.items()},
        "steps": [{"target": s.target.name, "of": s.of.name, "rule": s.rule.value, "latex": definition_latex(s.definition, known),
                   "text": definition_text(s.definition, known), "uses": list(s.uses), "conditions": [*s.conditions, *[
                       f"{text(a.left)} = {text(a.right)}" for a in s.assumptions]], "live": s.live} for s in d.steps],
        "conventions": list(d.conventions),
        "values": values,
        "errata": None if case.errata is None else [
            {"line": j.line, "name": j.name, "printed": j.printed, "correct": j.correct, "value": j.value, "slip": j.slip,
             "follows": j.follows.value, "from_line": j.from_line, "carried": j.carried}
            for j in case.errata.wrong],
        "numpy": case.numpy(),
    }

