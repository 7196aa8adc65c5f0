"""Powers of atoms brought down: step² is step, r² is u for r = sqrt(u), 2^(3/2) is 2·2^(1/2), (1/u)⁻¹ is u, y² is y for y in {0, 1}."""

from __future__ import annotations

from fractions import Fraction

from symnet.equality.fractions import TooLarge
from symnet.equality.rules.finite_sets import rest_of_power
from symnet.equality.sums.algebra import Space
from symnet.equality.sums.terms import Atom, Poly, add_to, one, scaled


def brought_down(space: Space, atom: Atom, e: Fraction) -> tuple[Fraction, Poly] | None:
    """(the power that is left, what the rest of it is), or None where nothing can be brought down."""
    head, places = atom
    if head.kind == "step" and e != 1:
        if e < 0 or e.denominator != 1:
            raise TooLarge("a division by a step")
        return Fraction(1), one()
    members = head.numbers.members
    if members and e > 0 and e != 1 and all(m in (0, 1) for m in members):
        return Fraction(1), one()  # roots too
    if members and e.denominator == 1 and (e >= len(members) or (e < 0 and 0 not in members)):
        found: Poly = {}
        for k, c in enumerate(rest_of_power(members, e.numerator)):
            add_to(found, space.settle(Fraction(1), (), {atom: Fraction(k)}), Fraction(int(c.p), int(c.q)))
        return Fraction(0), found
    if head.kind == "inverse" and e < 0:
        return Fraction(0), space.raised(space.inside(head, places), -e)
    if head.kind == "root" and not 0 <= e < head.root:
        times = e // head.root
        return e - times * head.root, space.raised(space.inside(head, places), Fraction(times))
    if head.kind == "prime" and not 0 <= e < 1:
        return e % 1, scaled(one(), Fraction(int(head.name)) ** (e.numerator // e.denominator))
    return None
