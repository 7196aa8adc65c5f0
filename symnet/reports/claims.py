"""The theorem with its proof, and the errata, as sections."""

from __future__ import annotations

from collections.abc import Mapping

from symnet.core.claim import Equation, Proved, Refutation
from symnet.core.errata import Judged
from symnet.core.latex import latex
from symnet.core.names import tensor_latex, tensor_text
from symnet.core.tensors import Tensor
from symnet.core.text import text
from symnet.reports.case import Case
from symnet.reports.values import number_latex
from symnet.reports.view import Block, Formula, Level, Rich, Section, Stage, StepView, Table
from symnet.reports.words import LEADS, plural


def equation_formula(e: Equation, tensors: Mapping[str, Tensor]) -> Formula:
    """One equation; "for all t" when it is about every step."""
    every = rf" \quad \text{{for }} {e.over} = 0, 1, 2, \ldots" if e.over is not None else ""
    said = f"  for {e.over} = 0, 1, 2, ..." if e.over is not None else ""
    return Formula(f"{latex(e.left, tensors)} = {latex(e.right, tensors)}{every}", f"{text(e.left)} = {text(e.right)}{said}")


def theorem_section(case: Case) -> Section | None:
    """The claim, its proof line by line or its counterexample, and the claim on this very network."""
    claim = case.proved
    if claim is None:
        return None
    blocks: list[Block] = []
    conditions = "Conditions: " + "; ".join(claim.claim.conditions) + "."
    if isinstance(claim, Refutation):
        blocks += [(str(claim),), (claim.why[0].upper() + claim.why[1:] + ".",)]
    else:
        blocks.append((conditions,))
        blocks += _proof(claim, case.level)
        checked = claim.check()
        blocks.append(("The proof was made again from its first line by the kernel, and it checks." if checked else
                       "The proof does NOT check.",))
    if case.shown is not None:
        blocks += _shown(case)
    return Section("theorem", "Dividing the loss or dividing the learning rate", (claim.claim.sentence,), tuple(blocks))


def _proof(claim: Proved, level: Level) -> list[Block]:
    views: list[Block] = []
    for line in claim.proof.lines:
        stages = tuple(Stage("", equation_formula(e, claim.tensors)) for e in line.equations)
        uses: Rich = (", ".join(f"P{n}" for n in line.uses),) if line.uses else ()
        title: Rich = (line.note[0].upper() + line.note[1:] if line.note else line.rule,)
        why: tuple[Rich, ...] = () if level is Level.EXPERT or not line.note else ((f"Rule: {line.rule}.",),)
        views.append(StepView(f"t-{line.number}", f"P{line.number}", title, stages, uses, why))
    return views


def _shown(case: Case) -> list[Block]:
    assert case.shown is not None and case.descent is not None
    known = case.descent.tensors
    rows: list[tuple[Rich, ...]] = []
    for name, a, b in case.shown.rows:
        tensor = known[name]
        rows.append(((Formula(tensor_latex(tensor), tensor_text(tensor)),), (Formula(number_latex(a), a),), (Formula(number_latex(b), b),)))
    c = case.shown.factor
    head = ("after one step", f"loss / {c}, rate α", f"loss, rate α / {c}")
    return [(f"On this very network with c = {c}: ",), Table(head, tuple(rows)), (case.shown.verdict,)]


def errata_section(case: Case) -> Section | None:
    """Every wrong number of the page that was checked, with the exact value and the slip."""
    if case.errata is None:
        return None
    e = case.errata
    rows = tuple(_row(j) for j in e.wrong)
    undecided = [j for j in e.judged if j.mark.value == "undecided"]
    between = len(e.judged) - len(e.right) - len(e.wrong) - len(undecided)
    count = (f"{plural(len(e.judged), 'claim')} read: {len(e.right)} right, {len(e.wrong)} wrong"
             + (f", {between} with rounded numbers on the way to a result" if between else "")
             + (f", {len(undecided)} undecided" if undecided else "") + f"; {plural(e.skipped, 'line')} of prose passed over.")
    table = Table(("the line", "printed", "exact", "what went wrong"), rows, (3.2, 1.5, 1.8, 2.6))
    blocks: tuple[Block, ...] = ((count,), *((table,) if rows else ()))
    return Section("errata", "Errata of the worked example", (LEADS["errata"],), blocks)


def _row(j: Judged) -> tuple[Rich, ...]:
    slip = j.slip[0].upper() + j.slip[1:] + "." if j.slip else "No single slip explains it."
    line = j.text if len(j.text) <= 150 else j.text[:147] + "…"
    return ((f"{line}",), (f"{j.name}: ", Formula(number_latex(j.printed), j.printed)),
            (Formula(number_latex(j.correct), j.correct), " (", Formula(rf"{number_latex(j.value)}\ldots", j.value), ")"), (slip,))
