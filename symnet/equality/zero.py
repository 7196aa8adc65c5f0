"""Is a number zero? A proof by normal form for numbers such as sin(1)² + cos(1)² - 1, which no precision tells from 0."""

from __future__ import annotations

import sympy as sp

from symnet.core.length import parts
from symnet.equality.difference_is_zero import judged
from symnet.equality.fractions import TooLarge
from symnet.errors import SymnetError

MOST_PARTS = 400  # different subexpressions of a number that is looked at


def proved_zero(number: sp.Expr) -> bool:
    """True when ``number``, which has no symbols and is defined, is proved to be 0; False says nothing.

    Its normal form is 0, and a normal form is reached by identities that hold wherever both sides are defined.

    >>> proved_zero(sp.log(6) - sp.log(2) - sp.log(3)), proved_zero(sp.exp(1) - sp.Rational(27183, 10000))
    (True, False)
    """
    if number.free_symbols or parts(number) > MOST_PARTS:
        return False
    try:
        return judged(number, sp.S.Zero)[2]
    except (TooLarge, SymnetError, ArithmeticError, RecursionError, TypeError, ValueError):
        return False
