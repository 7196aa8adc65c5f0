"""How large a constant may become: SymPy compares and rounds constants as they are made, and e^(e^(e^50)) would never end."""

from __future__ import annotations

import math

import sympy as sp

MOST_DIGITS = 5000
GROWING = (sp.exp, sp.sinh, sp.cosh)


def too_large(expr: sp.Basic) -> bool:
    """True for a constant of more than MOST_DIGITS digits, before or behind the point.

    >>> too_large(sp.exp(50)), too_large(sp.exp(sp.exp(50, evaluate=False), evaluate=False))
    (False, True)
    >>> too_large(sp.exp(sp.exp(sp.Rational(1, 3))))  # 4.04
    False
    """
    return bool(expr.is_number and not expr.is_Rational and _digits(expr) > MOST_DIGITS)


def _digits(expr: sp.Basic) -> float:
    """No more than so many digits, by the form alone."""
    if isinstance(expr, sp.Rational):
        return max(int(expr.p).bit_length(), int(expr.q).bit_length()) * 0.302
    if not expr.args:
        return 1.0
    inner = [_digits(a) for a in expr.args]
    if isinstance(expr, GROWING) or (isinstance(expr, sp.Pow) and not expr.exp.is_Rational):
        power = inner[-1]
        if power <= MOST_DIGITS:  # so many digits can be worked out: the exponent itself says more than their number
            value = expr.args[-1].evalf(6)
            power = math.log10(max(1.0, float(abs(value)))) if value.is_Float and abs(value) < 1e300 else power
        return math.inf if power > 9 else 10.0**power * max(1.0, inner[0] if isinstance(expr, sp.Pow) else 1.0)
    if isinstance(expr, sp.Pow):
        return float(max(1, abs(expr.exp))) * inner[0]
    return sum(inner) if isinstance(expr, sp.Mul) else max(inner) + 1
