"""A printed number, judged twice: against the truth and against the link before it, with the page's own numbers.

"=" before a rounded decimal is noted and no error; before a whole number of one or two digits it must be exact.
"""

from __future__ import annotations

from typing import Any

import sympy as sp

from symnet.checking.pages.chains import NUMBER
from symnet.checking.pages.error_carried_forward import ByHand, Own
from symnet.checking.pages.formula_claims import Before, Said, carried, equal, from_line, known
from symnet.checking.pages.page_names import Names
from symnet.checking.pages.page_slips import said_of
from symnet.checking.pages.printed_digits import digits, half_unit, places, rounds_to
from symnet.checking.slips.kinds import mistake
from symnet.checking.slips.number_slips import Calculation, Part, call_of, factors, number_slip
from symnet.core.numbers import as_ball, decimal, fixed, rational, to_flint
from symnet.core.page_verdict import Follows, Mark, Source, from_lines
from symnet.errors import ParseError, SymnetError

MOST_PLACES = 60
MOST_PARTS = 12
WIDEST, WIDE_RIGHT = 6, 60  # half digits that kept digits may explain, in a wrong number and in a right one


class Results:
    """The judge of printed numbers for one page."""

    def __init__(self, names: Names, own: Own) -> None:
        self.names, self.own = names, own

    def judge(self, left: sp.Symbol, name: str, printed: str, relation: str, before: Before) -> Said:
        """A printed number."""
        if abs(places(printed)) > MOST_PLACES:
            raise ParseError("line", f"the number {printed}", f"at most {MOST_PLACES} places")
        value = known(self.names, left)
        right = rounds_to(value, printed)
        exact = right and equal(value, rational(printed))
        whole = right and not exact and relation == "=" and places(printed) <= 0 and digits(printed) < 3
        follows, found = self._result_follows(left, printed, before, right)
        sources = tuple(found.sources) if found is not None else ()
        shown = decimal(value, 8).text
        more: dict[str, Any] = {"value": shown, "sources": sources, **from_line(sources)}
        if whole:
            more |= {"correct": decimal(value, 4).text, **said_of(mistake("not exact", {"printed": printed}))}
            return Said(Mark.WRONG, Follows.NO, more)
        if right:
            return Said(Mark.RIGHT, follows, more | {"note": self._note(relation, exact, follows, sources, before)}, rational(printed))
        more |= {"correct": fixed(value, places(printed)).text}
        if follows is Follows.YES:
            more |= carried(follows, [s for s in sources if s.wrong], before.wrong, self._rounded(found))
        else:
            more |= self._slip(printed, value, before, found) or self._comes_to(found, before)
        return Said(Mark.WRONG, follows, more, rational(printed))

    def _note(self, relation: str, exact: bool, follows: Follows, sources: tuple[Source, ...], before: Before) -> str:
        rounded = "a rounded number, so ≈ rather than =" if relation == "=" and not exact else ""
        wrong = [s for s in sources if s.wrong]
        luck = ""
        if follows is Follows.NO:
            luck = "right, but it does not follow from the " + ("link" if before.text else "lines") + " before it"
        elif wrong:
            luck = f"right to these digits, though it rests on {from_lines(wrong)}"
        return "; ".join(filter(None, (luck, rounded)))

    def _comes_to(self, found: ByHand | None, before: Before) -> dict[str, Any]:
        by_hand = self.own.value(found) if found is not None else None
        if by_hand is None:
            return {}
        return {"note": f"the {'numbers' if before.text else 'lines'} before it come to {decimal(by_hand, 4).text}"}

    def _rounded(self, found: ByHand | None) -> str:
        used = found.used.values() if found is not None else ()
        rounded = sorted((s.source for s in used if s.line and not s.exact), key=lambda s: s.line)
        return from_lines(rounded) if rounded else "those on this line"

    def _result_follows(self, left: sp.Symbol, printed: str, before: Before, right: bool) -> tuple[Follows, ByHand | None]:
        start = before.expr if before.expr is not None else self.names.local(left)
        if start is None:
            return (Follows.YES if right else Follows.NO), None
        found = self.own.literals(before.text, before.latex, self._used(before)) if before.text else self.own.unfold(start)
        by_hand = self.own.value(found)
        if by_hand is None:
            return Follows.UNDECIDED, found
        if rounds_to(by_hand, printed):
            return Follows.YES, found
        return (Follows.YES if self._digits_kept(found, printed, right) else Follows.NO), found

    # how a wrong number came about

    def _slip(self, printed: str, value: sp.Expr, before: Before, found: ByHand | None) -> dict[str, Any]:
        """What is said of the slip of calculation that gives exactly what was printed; nothing when none does."""
        try:
            call, inner = ("", "") if before.latex else call_of(before.text)
            slip = number_slip(Calculation(
                printed, value, self.own.value(found) if found is not None else None, self._factors(before), self._terms(before), call,
                self._number(inner) if call else None))
        except SymnetError:
            return {}
        return {} if slip is None else said_of(slip)

    def _factors(self, before: Before) -> tuple[Part, ...]:
        """The factors of the link before, each as the page calls it and with the page's number."""
        if not before.text or before.expr is None:
            return ()
        texts = [] if before.latex else factors(before.text)
        if len(texts) > 1:
            used = self._used(before)
            return tuple((self._label(t, used), self._number(t)) for t in texts[:MOST_PARTS])
        return self._values(sp.Mul.make_args(before.expr))

    def _terms(self, before: Before) -> tuple[Part, ...]:
        """The terms of the link before, or of the formula before that, with the page's numbers."""
        source = before.symbolic_expr if before.symbolic_expr is not None else before.expr
        return self._values(sp.Add.make_args(source)) if source is not None else ()

    def _values(self, args: tuple[sp.Expr, ...]) -> tuple[Part, ...]:
        values = [(str(a), self.own.value(self.own.unfold(a))) for a in args[:MOST_PARTS]]
        return tuple((n, v) for n, v in values if v is not None) if all(v is not None for _, v in values) else ()

    def _number(self, text: str) -> sp.Expr:
        made = self.own.value(self.own.unfold(self.names.read(text)))
        return sp.S.One if made is None else made

    def _label(self, part: str, used: dict[sp.Basic, Any]) -> str:
        """A factor as the page calls it: "0.246 (da2/dz2)" for a number that the page gave that name."""
        if not NUMBER.match(part):
            return part
        near = [s for s in used.values() if s.value == rational(part)] or [s for s in self.own.said.values() if s.value == rational(part)]
        return f"{part} ({near[-1].name})" if near else part

    def _used(self, before: Before) -> dict[sp.Basic, Any]:
        return self.own.unfold(before.symbolic_expr).used if before.symbolic_expr is not None else {}

    def _digits_kept(self, found: ByHand, printed: str, right: bool) -> bool:
        """True when the digits that were not printed explain the difference."""
        ball = self.own.ball(found)
        unit = half_unit(printed)
        if ball is None or ball.rad() > (WIDE_RIGHT if right else WIDEST) * as_ball(to_flint(unit)):
            return False
        return bool((as_ball(to_flint(rational(printed))) - ball).abs_lower() <= as_ball(to_flint(unit)))
