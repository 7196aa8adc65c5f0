"""A fraction over the generators as a number times powers of irreducible polynomials; a number as a product of primes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sympy as sp

from symnet.equality.fractions import Fraction

MOST_TERMS = 150  # a longer polynomial is taken as one factor, which is always true
TRIED = 10_000  # divisors tried; what is left of a longer number is taken as one factor


def factored(value: Fraction) -> tuple[sp.Rational, list[tuple[Any, int]]]:
    """The number and the (polynomial with leading coefficient 1, power) pairs whose product is ``value``, which is not 0."""
    number, found = sp.S.One, list[tuple[Any, int]]()
    for part, sign in ((value.above, 1), (value.below, -1)):
        content, factors = part.factor() if len(part) <= MOST_TERMS else (1, [(part, 1)])
        number *= sp.Rational(int(content.numerator), int(content.denominator)) ** sign if content != 1 else 1
        for polynomial, times in factors:
            lead = polynomial.leading_coefficient()
            number *= sp.Rational(int(lead.p), int(lead.q)) ** (sign * int(times))
            if not polynomial.is_constant():
                found.append((polynomial / lead, sign * int(times)))
    return number, found


def primes(number: sp.Rational) -> Iterator[tuple[sp.Integer, int]]:
    """The (prime, power) pairs of a positive number; a large one may hold a factor that is not prime.

    >>> dict(primes(sp.Rational(12, 5)))
    {2: 2, 3: 1, 5: -1}
    """
    for part, sign in ((int(number.p), 1), (int(number.q), -1)):
        for prime, times in sorted(sp.factorint(part, limit=TRIED, use_rho=False, use_pm1=False, use_ecm=False).items()):
            if prime != 1:
                yield sp.Integer(prime), sign * times
