"""A link that is a formula, judged twice: against the truth (the derivation) and against the link before it (the page's own numbers)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import sympy as sp

from symnet.checking.given_numbers import Text, at_given_numbers, right_there
from symnet.checking.pages.error_carried_forward import ByHand, Own
from symnet.checking.pages.page_names import Names
from symnet.checking.pages.page_slips import as_page, formula_slip, formula_truth, said_of
from symnet.checking.pages.printed_digits import within
from symnet.checking.reading import other_reading
from symnet.checking.slips.kinds import mistake
from symnet.core.numbers import decimal
from symnet.core.page_verdict import Follows, Mark, Source, from_lines
from symnet.core.verdict import Answer, Verdict
from symnet.equality.compare import compare, prove_equal
from symnet.errors import DomainError, SymnetError, internal

MOST_PARTS, NAMED = 1000, 4  # nodes that are still worth a proof in names, and how often names are written out for it
DECIMAL = re.compile(r"\d*\.\d|\d[eE]-")


@dataclass
class Before:
    """The link before: its text ("" for what the derivation says), its meaning in atoms, and how it was judged."""

    text: str
    expr: sp.Expr | None
    latex: bool = False
    mark: Mark = Mark.RIGHT
    symbolic: str = ""  # the last link in names alone
    symbolic_expr: sp.Expr | None = None
    wrong: int | None = None  # the line of the wrong link that its value comes from


@dataclass
class Said:
    """What is to be recorded of a link."""

    mark: Mark
    follows: Follows
    more: dict[str, Any] = field(default_factory=dict)
    expr: sp.Expr | None = None


class Formulas:
    """The judge of formulas for one page."""

    def __init__(self, names: Names, own: Own) -> None:
        self.names, self.own = names, own
        self.declared = names.program.assumptions
        self.spoken = {str(a) for a in self.declared}

    def judge(self, left: sp.Symbol, text: str, latex: bool, before: Before) -> Said:
        """A link that is no plain number."""
        expr = self.names.read(text, latex)
        put_in = bool(DECIMAL.search(text)) or not expr.free_symbols
        if put_in and self.names.value(expr) is not None and self.names.value(left) is not None:
            return self._put_in(left, text, latex, expr, before)
        direct = {a: self.names.direct[a] for a in (left, *expr.free_symbols) if a in self.names.direct}
        alone = direct.get(left, left), expr.xreplace(direct)
        if direct and self._in_names(*alone) is not None:  # nearly always meant, and seen at once
            return self._symbolic(alone[0], text, latex, alone[1], before)
        said = self._symbolic(left, text, latex, expr, before)
        if said.mark is not Mark.WRONG or not direct:
            return said
        other = self._symbolic(alone[0], text, latex, alone[1], before)
        return said if other.mark is Mark.WRONG else other

    def _symbolic(self, left: sp.Symbol, text: str, latex: bool, expr: sp.Expr, before: Before) -> Said:
        if expr == left:
            same = self.names.called.get(left) == text.replace(" ", "")
            return Said(Mark.GIVEN, Follows.YES, {"note": "both sides are the same, which says nothing" if same else ""}, expr)
        only = ""
        verdict = self._in_names(left, expr) or compare(self.names.truth(expr), self.names.truth(left), self.declared,
                                                        self.names.holes(expr), domain=self.names.domain)
        mark, note = self._marked(verdict)
        if mark is Mark.WRONG:
            mark, note, only = self._given_put_in(left, expr, self.names.truth(left), text, latex)
        if mark is Mark.WRONG and (meant := other_reading(text, self.names.program)):
            mark, note = Mark.UNDECIDED, meant
        follows, sources = self._follows(expr, before, mark)
        more: dict[str, Any] = {"note": note, "sources": tuple(sources), "condition": only}
        if mark is Mark.UNDECIDED:
            more |= {"slip": note, "note": ""}
        if mark is Mark.WRONG:
            more |= formula_slip(self.names, left, expr) if follows is not Follows.YES else formula_truth(self.names, left)
            more |= carried(follows, sources, before.wrong, "")
        elif mark is Mark.RIGHT and follows is Follows.NO:
            more["note"] = "; ".join(filter(None, ("right, but it does not follow from the link before it", note)))
        return Said(mark, follows, more, expr)

    def _in_names(self, left: sp.Symbol, expr: sp.Expr) -> Verdict | None:
        """PROVED while names stay closed, but for those that one side alone uses; None where that does not decide."""
        local = self.names.local(left)
        if local is None or self.declared or self.names.domain.unseen or self.names.holes(expr):
            return None
        sides = (expr, local)
        for _ in range(NAMED):
            if sum(1 for side in sides for _ in islice(sp.preorder_traversal(side), MOST_PARTS)) >= MOST_PARTS:
                return None
            verdict = prove_equal(*sides)
            alone = {s: right for s in sides[0].free_symbols ^ sides[1].free_symbols if (right := self.names.local(s)) is not None}
            if verdict.answer is Answer.PROVED or not alone:
                return verdict if verdict.answer is Answer.PROVED else None
            sides = (sides[0].xreplace(alone), sides[1].xreplace(alone))
        return None

    def _marked(self, verdict: Verdict) -> tuple[Mark, str]:
        if verdict.answer is Answer.PROVED:
            return Mark.RIGHT, ""
        if verdict.answer is Answer.ALMOST_EVERYWHERE:
            return Mark.RIGHT, verdict.condition
        if verdict.answer is Answer.CONDITIONAL:
            declared = set(verdict.condition.split(" and ")) <= self.spoken
            return (Mark.RIGHT, f"because {verdict.condition}") if declared else (Mark.UNDECIDED, f"holds only where {verdict.condition}")
        return (Mark.WRONG, "") if verdict.answer is Answer.REFUTED else (Mark.UNDECIDED, verdict.reason or "neither proved nor refuted")

    def _given_put_in(self, left: sp.Symbol, expr: sp.Expr, truth: sp.Expr, text: str, latex: bool) -> tuple[Mark, str, str]:
        """What is to be said of a formula that is wrong in its symbols and may be right with the given numbers, and what these are."""
        local = self.names.local(left)
        terms = () if local is None else tuple(self.names.truth(t) for t in sp.Add.make_args(local))
        written = Text(text, latex, expr.free_symbols, lambda t: self.names.truth(self.names.read(t, latex)))
        found = at_given_numbers(self.names.truth(expr), truth, self.names.point, written, terms)
        if found is None or found.missing:
            return Mark.WRONG, "" if found is None else right_there(found), ""
        if found.written:
            return Mark.RIGHT, "with the given numbers put in", str(found)
        general = f"; in general it is {as_page(self.names, local)}" if local is not None else ""
        return Mark.RIGHT, f"only with {', '.join(f'{a} = {v}' for a, v in found.point.items())} put in{general}", str(found)

    def _follows(self, expr: sp.Expr, before: Before, mark: Mark) -> tuple[Follows, list[Source]]:
        if before.expr is None:
            return (Follows.YES if mark is Mark.RIGHT else Follows.NO if mark is Mark.WRONG else Follows.UNDECIDED), []
        if mark is Mark.RIGHT and before.mark is Mark.RIGHT:
            return Follows.YES, []
        direct = compare(self.names.truth(expr), self.names.truth(before.expr))
        if direct.answer is Answer.PROVED:
            return Follows.YES, []
        there, here = self.own.unfold(before.expr, numbers=False), self.own.unfold(expr, numbers=False)
        if there.claims and compare(self.names.truth(there.expr), self.names.truth(here.expr)).answer is Answer.PROVED:
            return Follows.YES, [s for s in there.sources if s.wrong]
        return (Follows.NO if direct.answer is Answer.REFUTED else Follows.UNDECIDED), []

    def _put_in(self, left: sp.Symbol, text: str, latex: bool, expr: sp.Expr, before: Before) -> Said:
        value = self.names.value(expr)
        exact = value is not None and equal(value, known(self.names, left))
        start = before.expr if before.expr is not None else self.names.local(left)
        there = self.own.unfold(start) if start is not None else ByHand(sp.S.Zero)
        here = self.own.literals(text, latex, dict(there.used), loose=True)
        follows = self._same(there, here) if start is not None else Follows.UNDECIDED
        more: dict[str, Any] = {"sources": tuple(here.sources), **from_line(here.sources)}
        if exact:
            if follows is Follows.NO:
                more["note"] = "right, but it does not follow from the link before it"
            return Said(Mark.RIGHT, follows, more, expr)
        if follows is Follows.YES:
            return Said(Mark.PUT_IN, follows, more, expr)
        local = self.names.local(left)
        true = self.own.unfold(local if local is not None else left)
        if before.mark is Mark.WRONG and self._same(true, here) is Follows.YES:
            return Said(Mark.PUT_IN, follows, more | {"note": "the right numbers, but not those of the formula before"}, expr)
        if start is not None and there.sources and self._same(ByHand(self.names.truth(start)), here) is Follows.YES:
            return Said(Mark.PUT_IN, follows, more | {"note": "the right numbers, but not those of the lines before"}, expr)
        if start is not None and self._same(there, here.cut_off()) is Follows.YES:
            slip = "a number that is one off in its last digit: cut off, or not the one of the formula"
            return Said(Mark.UNDECIDED, follows, {"slip": slip}, expr)
        if follows is Follows.UNDECIDED:
            return Said(Mark.UNDECIDED, follows, {"slip": "not enough values to tell where these numbers come from"}, expr)
        a, b = (self.own.value(x) for x in (here, there))
        slip = "" if a is None or b is None else f": they come to {decimal(a, 6).text}, it comes to {decimal(b, 6).text}"
        more |= said_of(mistake("numbers put in", {"values": slip}))
        return Said(Mark.WRONG, follows, more | {"value": decimal(known(self.names, left), 8).text}, expr)

    def _same(self, there: ByHand, here: ByHand) -> Follows:
        a, b = self.own.value(there), self.own.value(here)
        if a is None or b is None:
            return Follows.UNDECIDED
        if equal(a, b):
            return Follows.YES
        first, second = self.own.ball(there), self.own.ball(here)
        if first is None or second is None:
            return Follows.UNDECIDED
        return Follows.YES if first.overlaps(second) else Follows.NO


def known(names: Names, left: sp.Symbol) -> sp.Expr:
    """The exact value. Raises DomainError where an input has none."""
    value = names.value(left)
    if value is None:
        raise DomainError("line", f"no value for {names.called.get(left, left)}", "a value for every input")
    return value


def equal(a: sp.Expr, b: sp.Expr) -> bool:
    """Two numbers are equal, by proof; most are told apart by their first digits."""
    if a.is_Rational and b.is_Rational:
        return bool(a == b)
    return within(a - b, sp.S.Zero, sp.Rational(1, 10**40)) and compare(a, b).answer is Answer.PROVED


def from_line(sources: Iterable[Source]) -> dict[str, Any]:
    """The line of the last wrong value that was used."""
    wrong = [s.line for s in sources if s.wrong]
    return {"from_line": wrong[-1]} if wrong else {}


def carried(follows: Follows, wrong: list[Source], line: int | None, rounded: str) -> dict[str, Any]:
    """What is said of a wrong link that follows: from which line; ``rounded`` names numbers that were rounded too early."""
    if follows is not Follows.YES:
        return {}
    if line is not None:
        return {"carried": True, "from_line": line, **said_of(mistake("carried", {"source": "the wrong link before it"}))}
    if wrong:
        return {"carried": True, "from_line": wrong[-1].line, **said_of(mistake("carried", {"source": from_lines(wrong)}))}
    found = mistake("rounded early", {"source": rounded}) if rounded else mistake("carried", {"source": "the link before it"})
    return {"carried": True, **said_of(found)}


def unreadable(error: Exception) -> Said:
    """A link that cannot be read."""
    reason = error.message if isinstance(error, SymnetError) else internal(error)
    return Said(Mark.UNDECIDED, Follows.UNDECIDED, {"slip": reason})
