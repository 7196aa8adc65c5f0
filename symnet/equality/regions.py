"""Equality case by case: split space by the signs of what step, max, |·| and cases ask about, and prove each region.

In a region every case is decided, so that the normal form of what is left decides. A border p = 0 is a region of its own: there p
is solved for one of its symbols. Two things make it shorter. A region is passed over when its inequalities, taken as linear
in their monomials, cannot hold together (``feasible``). And when both sides are continuous, borders need no proof:
the sides agree on a dense set. A border is called negligible only where the zeros of p are shown to have measure 0 (``null_sets``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import sympy as sp

from symnet.core.functions import step
from symnet.equality.cases import asked_of, continuous, first_case, in_steps, is_real, outcome, put
from symnet.equality.domain_conditions import holes, surely_defined
from symnet.equality.fractions import Nowhere, TooLarge
from symnet.equality.null_sets import is_null
from symnet.equality.region_signs import Factor, Facts, FactSigns, basis_where
from symnet.equality.undefined import undefined

MOST_REGIONS = 150
Hole = tuple[sp.Expr, str]


@dataclass(frozen=True, slots=True)
class Agreement:
    """The sides agree, save where one of ``borders`` is 0; ``holes`` are where one side alone may be undefined."""

    borders: tuple[sp.Expr, ...]
    holes: tuple[Hole, ...]


@dataclass(frozen=True, slots=True)
class Suspect:
    """The proof failed in a region; ``point`` gives numbers inside it for those symbols for which that was easy."""

    point: dict[sp.Symbol, sp.Rational]


def agree(left: sp.Expr, right: sp.Expr, null: Callable[[sp.Expr], bool],
          also: tuple[sp.Expr, ...] = ()) -> Agreement | Suspect:
    """Proof region by region, or where it failed. ``null`` says of an expression that its zeros are a set that may be left out;
    ``also`` have values where the sides have.

    >>> x = sp.Symbol("x", real=True)
    >>> agree(sp.Max(x, 0) - sp.Max(-x, 0), x, lambda p: p != 0)
    Agreement(borders=(), holes=())
    """
    if not is_real(left) or not is_real(right):
        return Suspect({})
    whole = not left.has(sp.Piecewise) and not right.has(sp.Piecewise)
    defined = tuple(side for side in (left, right, *also) if any(not surely_defined(*h) for h in holes(side)))
    search = _Search(continuous(left) and continuous(right), whole, null, defined)
    if not search.holds(in_steps(left), in_steps(right), (), False):
        return Suspect(search.point)
    return Agreement(tuple(search.borders), tuple(search.holes))


@dataclass
class _Search:
    smooth: bool  # both sides continuous
    whole: bool  # no Piecewise: what is undefined in a part is undefined
    null: Callable[[sp.Expr], bool]
    defined: tuple[sp.Expr, ...]  # sides that say something by having a value
    borders: dict[sp.Expr, None] = field(default_factory=dict)
    holes: dict[Hole, None] = field(default_factory=dict)
    point: dict[sp.Symbol, sp.Rational] = field(default_factory=dict)
    count: int = 0

    def holds(self, left: sp.Expr, right: sp.Expr, facts: Facts, exact: bool) -> bool:
        """Do the sides agree where the facts hold? Unless ``exact``, negligible borders may be passed over and noted."""
        self.count += 1
        if self.count > MOST_REGIONS:
            raise TooLarge(f"more than {MOST_REGIONS} regions")
        while (case := first_case(left, right)) is not None:
            signs = FactSigns(asked_of(case), facts, self.defined)
            if not signs.possible:
                return True  # the facts cannot hold together
            split = signs.open_factor()
            if split is not None:
                return self._split(split, signs, left, right, facts, exact)
            if any(f.below and f.signs == (0,) for f in signs.factors):
                return self.whole  # undefined here
            if not isinstance(case, step):
                self._note(undefined(signs.basis, asked_of(case)), facts)
            decided = {case: outcome(case, signs.sign)}
            left, right = put(left, decided), put(right, decided)
        return self._plain(left, right, facts)

    def _split(self, split: Factor, signs: FactSigns, left: sp.Expr, right: sp.Expr, facts: Facts, exact: bool) -> bool:
        for sign in split.signs:
            if sign and not self.holds(left, right, (*facts, (sign * split.meaning, True)), exact):
                return False
        return 0 not in split.signs or self._border(split, signs, left, right, facts, exact)

    def _border(self, split: Factor, signs: FactSigns, left: sp.Expr, right: sp.Expr, facts: Facts, exact: bool) -> bool:
        if split.below and self.whole:
            return True  # undefined there
        if not exact and self.smooth and is_null(split.meaning):
            return True
        negligible = not exact and self.null(split.meaning)
        solved = signs.solved(split)
        zero = ((split.meaning, False), (-split.meaning, False))
        there = (put(left, solved), put(right, solved))
        if any(side.has(sp.zoo, sp.nan, sp.oo, -sp.oo) for side in there):
            held = self.whole
        else:
            held = self.holds(*there, tuple((f.xreplace(solved), strict) for f, strict in facts) if solved else (*facts, *zero), True)
        if not held and negligible:
            self.borders[split.meaning] = None
        return held or negligible

    def _plain(self, left: sp.Expr, right: sp.Expr, facts: Facts) -> bool:
        """A region in which all cases are decided."""
        if any(side.has(sp.zoo, sp.nan, sp.oo, -sp.oo) for side in (left, right)):
            return False
        try:
            basis = basis_where(self.defined, facts)
        except Nowhere:
            return True
        basis.survey(left, right)
        if not basis.normal(left - right)[1].is_zero:
            signs = FactSigns(sp.S.One, facts, self.defined)
            self.point = signs.inside()
            return not signs.possible
        if not self.whole:
            sides = [undefined(basis, side) for side in (left, right)]
            self._note({key: (sides[0] | sides[1])[key] for key in sides[0].keys() ^ sides[1].keys()}, facts)
        return True

    def _note(self, undefined: dict[Hole, sp.Expr], facts: Facts) -> None:
        """Keep the holes that may be met where the facts hold."""
        for (_, sign), hole in undefined.items():
            if not excluded(hole, sign, facts):
                self.holes[hole, sign] = None


def excluded(hole: sp.Expr, sign: str, facts: Facts) -> bool:
    """True when the hole cannot be met where the facts hold."""
    met: dict[str, Facts] = {"<=": ((-hole, False),), "<": ((-hole, True),), "=": ((hole, False), (-hole, False))}
    return not FactSigns(sp.S.One, (*facts, *met[sign])).possible
