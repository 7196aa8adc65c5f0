"""The page's own numbers and formulas: what a value is by hand, with the numbers that the page printed before, and where they stood."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

import sympy as sp
from flint import arb, ctx

from symnet.checking.given_numbers import LITERAL
from symnet.checking.pages.page_names import Names, put_in
from symnet.checking.pages.printed_digits import digits, half_unit, rounds_to
from symnet.core.functions import without_stops
from symnet.core.numbers import as_ball, compute, rational, to_flint
from symnet.core.page_verdict import Source
from symnet.core.tensors import Tensor
from symnet.errors import SymnetError

BITS = 160


@dataclass(frozen=True, slots=True)
class Said:
    """A number that the page gave a name. ``exact`` when it is no rounding; ``unit`` is half its last digit, all of it when cut off."""

    atom: sp.Basic
    name: str
    printed: str
    line: int
    wrong: bool = False
    exact: bool = False
    cut: bool = False

    @property
    def value(self) -> sp.Rational:
        """The number."""
        return rational(self.printed)

    @property
    def source(self) -> Source:
        """For the reader."""
        return Source(self.name, self.printed, self.line, self.wrong)


@dataclass(frozen=True, slots=True)
class Claim:
    """A wrong formula that the page gave a name."""

    name: str
    expr: sp.Expr
    text: str
    line: int

    @property
    def source(self) -> Source:
        """For the reader."""
        return Source(self.name, self.text, self.line, True)


@dataclass
class ByHand:
    """``expr`` with the page's own values: what it comes to, and from where."""

    expr: sp.Expr
    used: dict[sp.Basic, Said] = field(default_factory=dict)
    claims: list[Claim] = field(default_factory=list)

    @property
    def sources(self) -> list[Source]:
        """What was used, in order of lines."""
        numbers = (s.source for s in self.used.values() if s.line and (s.wrong or not s.exact))
        return sorted(dict.fromkeys([*numbers, *(c.source for c in self.claims)]), key=lambda s: s.line)

    def cut_off(self) -> ByHand:
        """The same where the decimals that stand nowhere else on the page may be wrong by a whole unit of their last digit."""
        return replace(self, used={a: s if s.line else replace(s, cut=True) for a, s in self.used.items()})


class Own:
    """What the page has said so far."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.said: dict[sp.Basic, Said] = {}
        self.claims: dict[sp.Basic, Claim] = {}

    def unfold(self, expr: sp.Expr, numbers: bool = True) -> ByHand:
        """Definitions put in down to what the page said; ``numbers`` False keeps to its formulas."""
        found = ByHand(expr)
        found.expr = self._unfold(expr, found, numbers, frozenset())
        return found

    def _unfold(self, expr: sp.Expr, found: ByHand, numbers: bool, within: frozenset[sp.Basic]) -> sp.Expr:
        """``within`` are the atoms that are being put in: a claim such as z = z/2 is not put into itself."""
        there: dict[sp.Basic, sp.Expr] = {}
        for atom in sorted(expr.free_symbols, key=str):
            local = self.names.local(atom)
            if numbers and atom in self.said:
                found.used[atom] = self.said[atom]
            elif atom in within:
                continue
            elif atom in self.claims:
                found.claims.append(self.claims[atom])
                there[atom] = self._unfold(self.claims[atom].expr, found, numbers, within | {atom})
            elif local is not None:
                there[atom] = self._unfold(local, found, numbers, within | {atom})
        return expr.xreplace(there)

    def value(self, found: ByHand) -> sp.Expr | None:
        """The exact number, None where an input has no value."""
        return put_in(found.expr, {**self.names.point, **{a: s.value for a, s in found.used.items()}})

    def ball(self, found: ByHand) -> arb | None:
        """All that the value may be when more digits than were printed went into it; in mean value form, so that a (1 - a) stays narrow."""
        with ctx.workprec(BITS):
            middle = {a: to_flint(v) for a, v in self.names.point.items()} | {a: to_flint(s.value) for a, s in found.used.items()}
            if found.expr.free_symbols - set(middle):
                return None
            loose = {a: kept(s) for a, s in found.used.items() if not s.exact and a in found.expr.free_symbols}
            try:
                made = as_ball(compute(found.expr, middle))
                for atom, box in loose.items():
                    slope = as_ball(compute(without_stops(found.expr).diff(atom), {**middle, **loose}))
                    made += slope * (box - as_ball(middle[atom]))
            except (SymnetError, ZeroDivisionError, RecursionError):
                return None
            return made if made.is_finite() else None

    def literals(self, text: str, latex: bool, known: dict[sp.Basic, Said], loose: bool = False) -> ByHand:
        """An expression whose decimals stand for numbers of the page where they look like them: 0.768 for a1.

        With ``loose`` a decimal that stands nowhere else is taken as the rounding that it shows.
        """
        table: dict[str, Said] = {}

        def stand(match: re.Match[str]) -> str:
            said = self.lookup(match[1], known) or (self._rounded(match[1]) if loose else None)
            if said is None or (said.exact and not said.wrong):
                return match[1]
            sign = "-" if said.value == -rational(match[1]) else ""
            name = next((n for n, s in table.items() if s == said), f"lit{len(table)}")  # the same number twice is one number
            table[name] = said
            return rf" ({sign}\mathrm{{lit}}_{{{name[3:]}}}) " if latex else f" ({sign}{name}) "

        source = LITERAL.sub(stand, text)
        for name in table:
            self.names.tensors[name] = Tensor(name)
        try:
            found = self.unfold(self.names.read(source, latex))
        finally:
            for name in table:
                del self.names.tensors[name]
        for name, said in table.items():
            found.used[Tensor(name)[()]] = said
        return found

    def lookup(self, printed: str, known: dict[sp.Basic, Said]) -> Said | None:
        """The number of the page that a literal repeats: one that the formula before uses, else the last one with these digits."""
        value = rational(printed)
        if "." not in printed and "e" not in printed.lower():
            return next((s for s in known.values() if abs(s.value) == value), None)
        near = [s for s in known.values() if abs(s.value) == value]
        if not near and value in {abs(v) for v in self.names.point.values()}:
            return None  # a given number
        near = near or [s for s in known.values() if digits(printed) > 1 and _rounds(s, printed)]
        rest = [s for s in self.said.values() if abs(s.value) == value]
        found = near or sorted(rest, key=lambda s: s.line)[-1:]
        if not found:
            return self._computed(printed)
        s = found[0]
        return s if abs(s.value) == value else replace(s, printed=("-" if s.value < 0 else "") + printed, exact=False)


    def _computed(self, printed: str) -> Said | None:
        """A value that the page uses without having said it: a decimal with two digits or more that one of its names rounds to."""
        if digits(printed) < 2:
            return None
        for tensor in list(self.names.tensors.values()):
            value = self.names.value(tensor[()]) if not tensor.axes and self.names.local(tensor[()]) is not None else None
            for sign in ("", "-"):
                if value is not None and rounds_to(value, sign + printed):
                    exact = value.is_Rational and value == rational(sign + printed)
                    return Said(tensor[()], tensor.name, sign + printed, 0, exact=bool(exact))
        return None


    def _rounded(self, printed: str) -> Said | None:
        value = rational(printed)
        if digits(printed) < 2 or "." not in printed or value in {abs(v) for v in self.names.point.values()}:
            return None
        return Said(sp.Symbol(printed), printed, printed, 0)


def _rounds(said: Said, printed: str) -> bool:
    return bool(abs(abs(said.value) - rational(printed)) <= half_unit(printed))


def kept(said: Said) -> arb:
    """A number with the digits that were not printed."""
    unit = half_unit(said.printed) * (2 if said.cut else 1)
    return as_ball(to_flint(said.value)) + arb(0, as_ball(to_flint(unit)).upper())
