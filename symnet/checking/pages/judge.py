"""Judge every claim of a page against a derivation, link by link: right, wrong with the slip, or undecided with the reason.

Each link is judged against the truth (``Judged.mark``) and against the link before it with the page's own numbers (``follows``). A wrong
number that follows from an earlier wrong one is no new error; it names the line that it came from.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace

import sympy as sp

from symnet.checking.pages import error_carried_forward as carried
from symnet.checking.pages.chains import NUMBER
from symnet.checking.pages.claimed_names import Kind, Lefts
from symnet.checking.pages.error_carried_forward import Own
from symnet.checking.pages.formula_claims import Before, Formulas, Said, unreadable
from symnet.checking.pages.number_claims import Results
from symnet.checking.pages.page_lines import Chain, Prose, Row, Stated, Unread, read_lines
from symnet.checking.pages.page_names import Names
from symnet.checking.progress import ALONE, Way
from symnet.core.derivation import Derivation
from symnet.core.numbers import rational
from symnet.core.page_verdict import Errata, Follows, Judged, Mark
from symnet.errors import FaultError, SymnetError

Claimed = Chain | Row | Stated | Unread


def judge_page(page: str, derivation: Derivation, own_values: bool = False, way: Way = ALONE) -> Errata:
    """Every claim of ``page`` judged. Prose is passed over but counted; a line that cannot be read is undecided.

    A printed decimal is right when the exact value rounds to it at the digits shown; "=" before a rounded decimal is noted, no error. A
    formula is right when it is proved equal to what its line defines. A number for an input that has no value in the worksheet gives it
    one; with ``own_values`` (the page carries its own worksheet) it also replaces the value that is there.
    """
    if any(t.axes for t in derivation.program.tensors.values()):
        from symnet.checking.pages.array_lines import judge_array_page

        return judge_array_page(page, derivation, own_values, way)
    return Page(Names(derivation), own_values).judge(page, way)


def lost(line: Claimed, reason: str | None) -> Claimed:
    """The line, or one that is not read where an earlier try did not end."""
    return line if reason is None else Unread(line.number, line.text, line.section, reason)


@dataclass
class Page:
    """The state of one page while it is read."""

    names: Names
    own_values: bool = False
    found: list[Judged] = field(default_factory=list)
    skipped: int = 0

    def __post_init__(self) -> None:
        self.own = Own(self.names)
        self.formulas, self.results = Formulas(self.names, self.own), Results(self.names, self.own)
        self.lefts = Lefts(self.names, self.own_values)
        self.last: tuple[sp.Symbol, str, Before] | None = None

    def judge(self, page: str, way: Way = ALONE) -> Errata:
        """All lines in order."""
        section = ""
        for number, line in enumerate(read_lines(page)):
            if isinstance(line, Prose):
                self.skipped += 1
                continue
            if line.section != section:
                section, self.lefts.fresh, self.last = line.section, set(), None
            way.at(number)
            self.line(lost(line, way.lost.get(number)))
            way.at(None)
        return Errata(tuple(self.found), self.skipped)

    def line(self, line: Claimed) -> None:
        """One line; what cannot be read is undecided and the page goes on."""
        try:
            if isinstance(line, Unread):
                self._add(line, "", line.text, "=", Said(Mark.UNDECIDED, Follows.UNDECIDED, {"slip": line.reason}))
            elif isinstance(line, Chain):
                self._chain(line)
            elif isinstance(line, Row):
                self._row(line)
            else:
                self._chain(Chain(line.number, line.text, line.section, line.left, (("=", line.value),), supposed=line.supposed))
        except (FaultError, MemoryError):
            raise
        except Exception as error:  # a bug of ours costs one line, too
            links = line.links if isinstance(line, Chain) else ()
            printed = " ".join(f"{r} {t}" for r, t in links).removeprefix("= ").removeprefix("≈ ") or line.text
            self._add(line, getattr(line, "left", ""), printed, links[0][0] if links else "=", unreadable(error))
            self.last = None

    def _add(self, line: Claimed, name: str, printed: str, relation: str, said: Said) -> None:
        self.found.append(Judged(line.number, line.text, line.section, name, printed, said.mark, relation=relation, follows=said.follows,
                                 **said.more))

    # chains

    def _chain(self, line: Chain) -> None:
        if not line.left:
            self._go_on(line)
            return
        relation, first = line.links[0]
        left, kind = self.lefts.meaning(line)
        if kind is Kind.LABEL or (line.supposed and kind is Kind.CLAIM):
            self.skipped += 1
            return
        name = self.lefts.called(line, left)
        if kind in (Kind.FORMULA, Kind.REPEATED):
            self._add(line, name, first, relation, Said(Mark.GIVEN if kind is Kind.FORMULA else Mark.RIGHT, Follows.YES))
            return
        links, before = line.links, Before("", self.names.local(left))
        if kind is not Kind.CLAIM:
            self._add(line, name, first, relation, Said(Mark.GIVEN, Follows.YES))
            links = links[1:]
            if NUMBER.match(first):
                self._given(left, name, first, line, kind)
            else:
                meaning = self.names.local(left)
                before = Before(first, meaning, line.latex, Mark.RIGHT, first, meaning)
        self._judge_links(line, left, name, links, before)

    def _given(self, left: sp.Symbol, name: str, number: str, line: Chain, kind: Kind) -> None:
        """A value from now on. Where it replaces another, what was computed with that one is forgotten."""
        if kind is Kind.VALUE:
            if left in self.names.point:
                self.own.said = {a: s for a, s in self.own.said.items() if self.names.local(a) is None}
                self.own.claims = {}
            self.names.point[left] = rational(number)
        self.say(left, name, number, line, Mark.RIGHT)

    def _go_on(self, line: Chain) -> None:
        """A line that begins with =."""
        if self.last is None:
            self._add(line, "", line.text, line.links[0][0], Said(Mark.UNDECIDED, Follows.UNDECIDED, {
                "slip": "it begins with = and there is no line before it that can be read"}))
            return
        left, name, before = self.last
        self._judge_links(line, left, name, line.links, before)

    def _judge_links(self, line: Chain, left: sp.Symbol, name: str, links: tuple[tuple[str, str], ...], before: Before) -> None:
        for relation, text in links:
            try:
                number = NUMBER.match(text)
                said = self._number(left, name, text, relation, before) if number else \
                    self.formulas.judge(left, text, line.latex, before)
            except SymnetError as error:
                said, number = unreadable(error), None
            self._add(line, name, text, relation, said)
            if number:
                self.say(left, name, text, line, said.mark, said.more.get("kind") == "cut off")
            elif said.expr is not None and said.expr.free_symbols and said.mark is not Mark.PUT_IN:
                self._claim(left, name, text, said, line)
            before = self._after(before, text, said, line)
        self.last = (left, name, before)

    def _number(self, left: sp.Symbol, name: str, text: str, relation: str, before: Before) -> Said:
        """A number; a slope that may be that of one line alone is right where either is."""
        said: Said | None = None
        if left in self.names.direct:
            with suppress(SymnetError):
                said = self.results.judge(self.names.direct[left], name, text, relation, before)
        if said is not None and said.mark is Mark.RIGHT:
            return said
        return self.results.judge(left, name, text, relation, before)

    def _after(self, before: Before, text: str, said: Said, line: Chain) -> Before:
        """What the next link is judged against."""
        if said.expr is None:
            return replace(before, mark=Mark.UNDECIDED)
        symbolic = said.mark is not Mark.PUT_IN and bool(said.expr.free_symbols)
        start = before.wrong if said.follows is Follows.YES else None
        wrong = {Mark.WRONG: start or line.number, Mark.PUT_IN: start}.get(said.mark)
        return Before(text, said.expr, line.latex, said.mark, text if symbolic else before.symbolic,
                      said.expr if symbolic else before.symbolic_expr, wrong)

    def _claim(self, left: sp.Symbol, name: str, text: str, said: Said, line: Chain) -> None:
        if said.mark is Mark.WRONG and said.expr is not None and left not in said.expr.free_symbols:
            self.own.claims[left] = carried.Claim(name, said.expr, text, line.number)
        elif said.mark is Mark.RIGHT:
            self.own.claims.pop(left, None)

    def say(self, left: sp.Symbol, name: str, printed: str, line: Chain | Row | Stated, mark: Mark, cut: bool = False) -> None:
        """Remember a number that the page gave a name."""
        value = self.names.value(left)
        exact = value is not None and value.is_Rational and value == rational(printed)
        given = self.names.local(left) is None
        self.own.said[left] = carried.Said(left, name, printed, line.number, mark is Mark.WRONG, exact or given, cut)
        self.lefts.fresh.add(left)

    # tables

    def _row(self, line: Row) -> None:
        """A row of a table: its claimed cell at its other cells. A row that claims nothing is data."""
        formula = self.lefts.formulas.get(line.claimed, "")
        if not formula:
            self._add(line, ", ".join(n for n, _ in line.cells), ", ".join(c for _, c in line.cells), "=", Said(Mark.GIVEN, Follows.YES))
            return
        point = dict(self.names.point)
        try:
            for name, cell in line.cells[:-1]:
                self.names.point[self.names.atom(name)] = rational(cell)
            expr = self.names.read(formula)
            cell = line.cells[-1][1]
            atom = self.names.define("cell_", expr)
            at = ", ".join(f"{n} = {c}" for n, c in line.cells[:-1] if n != line.claimed)
            said = self.results.judge(atom, line.claimed, cell, "≈", Before(formula, expr))
            self._add(line, f"{line.claimed} at {at}", cell, "≈", said)
        finally:
            self.names.point = point
