"""Judge every number and formula of a page against a derivation: right, wrong with the slip, or undecided with the reason."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import sympy as sp

from symnet.checking.lines import NUMBER, Chain, Row, Stated, read_lines
from symnet.checking.names import Names
from symnet.checking.slips import explain, factors, other_argument, places, rounds_to
from symnet.core.derivation import Derivation
from symnet.core.errata import Errata, Judged, Mark
from symnet.core.numbers import decimal, fixed, rational
from symnet.core.verdict import Answer
from symnet.equality.compare import compare
from symnet.errors import SymnetError

DECIMAL = re.compile(r"\d\.\d")


def judge_page(page: str, derivation: Derivation) -> Errata:
    """Every claim of ``page`` judged. Prose is passed over but counted; a line that cannot be read is undecided.

    A printed decimal is right when the exact value rounds to it at the digits shown. A formula is right when it is proved
    equal to what its line defines.
    """
    return _Page(Names(derivation)).judge(page)


@dataclass
class _Page:
    names: Names
    said: dict[str, sp.Expr] = field(default_factory=dict)  # the page's own rounded numbers, by name
    formulas: dict[str, str] = field(default_factory=dict)  # what the page itself defines
    found: list[Judged] = field(default_factory=list)
    skipped: int = 0

    def judge(self, page: str) -> Errata:
        section = None
        for line in read_lines(page):
            if not isinstance(line, (Chain, Row, Stated)):
                self.skipped += 1
                continue
            if line.section != section:  # a new section starts with nothing of its own
                section, self.names.own = line.section, {}
                self.said, self.formulas = {}, {}
            try:
                {Chain: self._chain, Row: self._row, Stated: self._stated}[type(line)](line)  # type: ignore[operator]
            except SymnetError as error:
                self._add(line, getattr(line, "left", ""), line.text, Mark.UNDECIDED, slip=error.message)
        return Errata(tuple(self.found), self.skipped)

    def _add(self, line: Chain | Row | Stated, name: str, printed: str, mark: Mark, **more: object) -> None:
        self.found.append(Judged(line.number, line.text, line.section, name, printed, mark, **more))  # type: ignore[arg-type]

    def _stated(self, line: Stated) -> None:
        try:
            value = self.names.exact(line.left)
        except SymnetError:
            self.names.own[line.left] = rational(line.value)
            return
        self._result(line, line.left, value, line.value, "")

    def _chain(self, line: Chain) -> None:
        first = line.links[0][1]
        if self._defines(line, first):
            self.formulas[line.left] = first
            return
        try:
            value = self.names.exact(line.left)
        except SymnetError:
            if not NUMBER.match(first):
                raise
            self.names.own[line.left] = rational(first)
            return
        previous, symbolic = "", ""
        for _, text in line.links:
            if NUMBER.match(text):
                self._result(line, line.left, value, text, previous, symbolic)
            else:
                symbolic = self._formula(line, value, text) or symbolic
            previous = text

    def _defines(self, line: Chain, right: str) -> bool:
        """A formula for a name that is given and not computed is the page's own definition: y = w * x."""
        program = self.names.derivation.program
        given = line.left in program.tensors and line.left not in program.by_name
        return given and len(line.links) == 1 and not NUMBER.match(right)

    def _formula(self, line: Chain, value: sp.Expr, text: str) -> str:
        """Judge one link; returns it when it is a formula in names, for the search for slips."""
        here = self.names.read(text)
        if DECIMAL.search(text):
            exact = compare(here, value).answer is Answer.PROVED
            self._add(line, line.left, text, Mark.RIGHT if exact else Mark.PUT_IN)
            return ""
        verdict = compare(here, value)
        mark = {Answer.PROVED: Mark.RIGHT, Answer.REFUTED: Mark.WRONG}.get(verdict.answer, Mark.UNDECIDED)
        more = {} if mark is not Mark.WRONG else {"correct": decimal(value, 8).text, "value": decimal(value, 8).text,
                                                  "slip": f"this formula gives {decimal(here, 8).text}"}
        self._add(line, line.left, text, mark, **more)
        return text

    def _result(self, line: Chain | Row | Stated, name: str, value: sp.Expr, printed: str, previous: str,
                symbolic: str = "") -> None:
        if rounds_to(value, printed):
            self._add(line, name, printed, Mark.RIGHT, value=decimal(value, 8).text)
        else:
            slip, carried = self._slip(value, printed, previous or symbolic)
            self._add(line, name, printed, Mark.WRONG, correct=fixed(value, places(printed)).text,
                      value=decimal(value, 8).text, slip=slip, carried=carried)
        self.said[name.replace(" ", "")] = rational(printed)

    def _slip(self, value: sp.Expr, printed: str, previous: str) -> tuple[str, bool]:
        if not previous:
            return explain(printed, value, []), False
        by_hand = self.names.read(previous, self.said)
        if rounds_to(by_hand, printed):
            return "it follows from the rounded or wrong numbers before it", True
        parts = factors(previous)
        product = [(self._label(part), self.names.read(part, self.said)) for part in parts] if len(parts) > 1 else []
        found = explain(printed, by_hand, product) or explain(printed, value, [])
        return found or self._argument(previous, printed), False

    def _label(self, part: str) -> str:
        """A factor as the page calls it: "0.246 (da2/dz2)" for a number that the page gave that name."""
        named = [n for n, v in self.said.items() if NUMBER.match(part) and v == rational(part)]
        return f"{part} ({named[-1]})" if named else part

    def _argument(self, previous: str, printed: str) -> str:
        inner = re.match(r"\s*[a-z]+\((.*)\)\s*\Z", previous)
        return other_argument(previous, printed, self.names.read(inner[1], self.said)) if inner else ""

    def _row(self, line: Row) -> None:
        if not line.claimed or line.claimed not in self.formulas:
            return
        kept = dict(self.names.own)
        self.names.own |= {n: rational(c) for n, c in line.cells[:-1]}
        formula = self.formulas[line.claimed]
        value = self.names.read(formula)
        at = ", ".join(f"{n} = {c}" for n, c in line.cells[:-1] if n != line.claimed)
        self._result(line, f"{line.claimed} at {at}", value, line.cells[-1][1], formula)
        self.names.own = kept
