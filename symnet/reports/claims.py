"""The theorem with its proof, and the errata, as sections."""

from __future__ import annotations

from collections.abc import Mapping

from symnet.core.claim import ProofLine, Proved, Refutation, Statement
from symnet.core.latex import latex
from symnet.core.names import tensor_latex, tensor_text
from symnet.core.page_verdict import Errata, Follows, Judged, Mark
from symnet.core.sentences import capitalised
from symnet.core.tensors import Tensor
from symnet.core.text import text
from symnet.reports.document import Block, Formula, Level, Rich, Section, Stage, StepView, Table
from symnet.reports.report_data import Case
from symnet.reports.values import number, number_latex
from symnet.reports.words import LEADS, plural

SIGNS = {"=": "=", "<=": r"\leq", "<": "<", "!=": r"\neq"}


def statement_formula(e: Statement, tensors: Mapping[str, Tensor]) -> Formula:
    """One statement; "for all t" when it is about every step."""
    steps = [str(e.first + k) for k in range(3)]
    every = rf" \quad \text{{for }} {e.over} = {', '.join(steps)}, \ldots" if e.over is not None else ""
    said = f"  for {e.over} = {', '.join(steps)}, ..." if e.over is not None else ""
    if e.general:
        every, said = every + r" \quad \text{at every place}", said + "  at every place"
    return Formula(f"{latex(e.left, tensors)} {SIGNS[e.relation]} {latex(e.right, tensors)}{every}",
                   f"{text(e.left)} {e.relation} {text(e.right)}{said}")


def line_formulas(line: ProofLine, tensors: Mapping[str, Tensor]) -> list[Formula]:
    """What a line says, each time with what is supposed there."""
    if not line.under:
        return [statement_formula(e, tensors) for e in line.statements]
    under = [statement_formula(h, tensors) for h in line.under]
    latex_under, text_under = ",\\; ".join(u.latex for u in under), ", ".join(u.text for u in under)
    found = [statement_formula(e, tensors) for e in line.statements]
    return [Formula(rf"{f.latex} \quad \text{{if }} {latex_under}", f"{f.text}   if {text_under}") for f in found]


def theorem_section(case: Case) -> Section | None:
    """The claim, its proof line by line or its counterexample, and the claim on this very network."""
    claim = case.proved
    if claim is None:
        return None
    blocks: list[Block] = []
    conditions = "Conditions: " + "; ".join(claim.claim.conditions) + "."
    if isinstance(claim, Refutation):
        blocks += [(str(claim),), (capitalised(claim.why) + ".",)]
    else:
        blocks.append((conditions,))
        blocks += proof_lines(claim, case.level)
        checked = claim.check()
        blocks.append(("The proof was made again from its first line by the kernel, and it checks." if checked else
                       "The proof does NOT check.",))
    if case.shown is not None:
        blocks += _shown(case)
    return Section("theorem", "Dividing the loss or dividing the learning rate", (claim.claim.sentence,), tuple(blocks))


def proof_lines(claim: Proved, level: Level) -> list[Block]:
    """The lines of a proof as steps."""
    views: list[Block] = []
    for line in claim.proof.lines:
        stages = tuple(Stage("", f) for f in line_formulas(line, claim.tensors))
        if line.rest is not None:
            stages += (Stage("the difference is", Formula(latex(line.rest, claim.tensors), text(line.rest))),)
        uses: Rich = (", ".join(f"P{n}" for n in line.uses),) if line.uses else ()
        title: Rich = (capitalised(line.note or line.rule, ()),)
        why: tuple[Rich, ...] = () if level is Level.EXPERT or not line.note else ((f"Rule: {line.rule}.",),)
        views.append(StepView(f"t-{line.number}", f"P{line.number}", title, stages, uses, why))
    return views


def _shown(case: Case) -> list[Block]:
    assert case.shown is not None and case.descent is not None
    known = case.descent.tensors
    rows: list[tuple[Rich, ...]] = []
    for name, a, b in case.shown.rows:
        tensor = known[name]
        rows.append(((Formula(tensor_latex(tensor), tensor_text(tensor)),), (number(a),), (number(b),)))
    c = case.shown.factor
    head = ("after one step", f"loss / {c}, rate α", f"loss, rate α / {c}")
    return [(f"On this very network, with the loss divided by {c}: ",), Table(head, tuple(rows)), (case.shown.verdict,)]


def errata_section(case: Case) -> Section | None:
    """Every wrong number of the page that was checked, with the exact value and the slip or the line it follows from."""
    if case.errata is None:
        return None
    e = case.errata
    rows = tuple(_row(j) for j in e.wrong)
    between = sum(j.mark is Mark.PUT_IN for j in e.judged)
    given = sum(j.mark is Mark.GIVEN for j in e.judged)
    count = (f"{plural(len(e.judged), 'claim')} read: {len(e.right)} right, {len(e.wrong)} wrong"
             + (f", {between} with rounded numbers on the way to a result" if between else "")
             + (f", {given} given" if given else "")
             + (f", {len(e.undecided)} undecided" if e.undecided else "") + f"; {plural(e.skipped, 'line')} of prose passed over.")
    table = Table(("line", "as it stands", "printed", "exact", "what went wrong"), rows, (0.6, 3.0, 1.5, 1.8, 2.6))
    blocks: tuple[Block, ...] = ((count,), *_first(e), *((table,) if rows else ()))
    return Section("errata", "Errata of the worked example", (LEADS["errata"],), blocks)


def _first(e: Errata) -> list[Block]:
    """The first wrong line, how many errors there are, and what is right though it rests on a wrong number."""
    first = e.first_wrong
    if first is None:
        return []
    said = f"The first wrong line is line {first.line}: {first.name} is printed as {first.printed}. "
    own, following = len(e.errors), len(e.carried)
    said += f"{own} of the wrong numbers {'is' if own == 1 else 'are'} wrong in {'itself' if own == 1 else 'themselves'}"
    one = "follows from an earlier number and is no new error" if following == 1 else "follow from earlier numbers and are no new errors"
    said += f"; {following} {one}." if following else "."
    resting = [f"line {j.line} ({j.name}, from line {j.from_line})" for j in e.right if j.from_line and j.follows is Follows.YES]
    lucky = [f"line {j.line} ({j.name} = {j.printed})" for j in e.right if j.follows is Follows.NO]
    blocks: list[Block] = [(said,)]
    blocks += [(f"Right to the digits shown, though resting on a wrong number: {', '.join(resting)}.",)] if resting else []
    blocks += [(f"Right, but not by what stands before: {', '.join(lucky)}.",)] if lucky else []
    return blocks


def _row(j: Judged) -> tuple[Rich, ...]:
    said = j.slip or (f"no single slip explains it; {j.note}" if j.note else "no single slip explains it")
    slip = capitalised(said) + "."
    line = j.text if len(j.text) <= 150 else j.text[:147] + "…"
    return ((str(j.line),), (f"{line}",), (f"{j.name}: ", *_printed(j)), _exact(j), (slip,))


def _printed(j: Judged) -> Rich:
    return (Formula(number_latex(j.printed), j.printed),) if _is_number(j.printed) else (j.printed,)


def _exact(j: Judged) -> Rich:
    """The right value, to the digits that were printed and to more; of a formula, the right formula."""
    more: Rich = (Formula(rf"({number_latex(j.value)}\ldots)", f"({j.value})"),) if _is_number(j.value) and j.value != j.correct else ()
    if not j.correct:
        return more
    right: Rich = (Formula(number_latex(j.correct), j.correct),) if _is_number(j.correct) else (j.correct,)
    return (*right, " ", *more) if more else right


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
