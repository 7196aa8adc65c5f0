"""Elementary functions on numbers that are exact rationals (fmpq) or balls (arb): one rule each, exact where it can be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy as sp
from flint import arb, fmpq

from symnet.core import functions as fn
from symnet.core.decimals import Number, as_ball, shown_number
from symnet.errors import DomainError

HEIGHT = 4096  # bits of a rational number from which on it is kept as a ball


def to_flint(value: Any) -> Number:
    """A SymPy rational as fmpq; balls and fmpq as they are."""
    return fmpq(int(value.p), int(value.q)) if isinstance(value, sp.Rational) else value


def hull(a: Number, b: Number) -> Number:
    """The smallest ball that holds both; of two equal rationals that number."""
    if isinstance(a, fmpq) and isinstance(b, fmpq) and a == b:
        return a
    return as_ball(a).union(as_ball(b))


def times(a: Number, b: Number) -> Number:
    """a b, exactly 0 where one factor is exactly 0 and the other, however rounded, is a number."""
    for zero, other in ((a, b), (b, a)):
        if isinstance(zero, fmpq) and zero == 0 and (isinstance(other, fmpq) or other.is_finite()):
            return zero
    return a * b


def exactly(value: Number) -> Number:
    """A ball without radius is the rational number in its middle, as relu(-π) = 0 and cos 0 = 1 are; other numbers as they are."""
    if isinstance(value, arb) and value.is_exact() and value.is_finite():
        mantissa, exponent = value.mid().man_exp()
        if int(mantissa).bit_length() + abs(int(exponent)) <= HEIGHT:
            return fmpq(mantissa) * fmpq(2) ** int(exponent)
    return value


def _sign_step(x: Number) -> Number:
    if x > 0:
        return fmpq(1)
    return fmpq(0) if x <= 0 else arb(0.5, 0.5)  # undecided at this precision: somewhere in [0, 1]


def _sign(x: Number) -> Number:
    return _sign_step(x) - _sign_step(-x)


def _log(x: Number) -> Number:
    if x <= 0:
        raise DomainError("log", f"the value {shown_number(x, 6)}", "a positive number")
    return fmpq(0) if x == 1 else as_ball(x).log()  # of a ball around 1 neither x == 1 nor x != 1 is true


def _extremum(pick: str) -> Callable[..., Number]:
    def best(*xs: Number) -> Number:
        result = xs[0]
        for x in xs[1:]:
            if x > result or x < result:
                result = x if (x > result) == (pick == "max") else result
            elif not (isinstance(x, fmpq) and isinstance(result, fmpq)):  # two rationals are equal here
                result = getattr(as_ball(result), pick)(as_ball(x))
        return result
    return best


def _relu(x: Number) -> Number:
    return _extremum("max")(x, fmpq(0))


def _sigmoid(x: Number) -> Number:
    return fmpq(1, 2) if x == 0 else 1 / (1 + (-as_ball(x)).exp())


RULES: dict[Any, Callable[..., Number]] = {
    fn.sigmoid: _sigmoid,
    fn.relu: _relu,
    fn.step: _sign_step,
    fn.leaky_relu: lambda x, s: _relu(x) - times(s, _relu(-x)),
    fn.softplus: lambda x: (1 + as_ball(x).exp()).log(),
    sp.exp: lambda x: fmpq(1) if x == 0 else as_ball(x).exp(),
    sp.log: _log,
    sp.tanh: lambda x: fmpq(0) if x == 0 else as_ball(x).tanh(),
    sp.sinh: lambda x: as_ball(x).sinh(),
    sp.cosh: lambda x: as_ball(x).cosh(),
    sp.sin: lambda x: as_ball(x).sin(),
    sp.cos: lambda x: as_ball(x).cos(),
    sp.atan: lambda x: as_ball(x).atan(),
    sp.erf: lambda x: as_ball(x).erf(),
    sp.Abs: lambda x: abs(x),
    sp.sign: _sign,
    sp.floor: lambda x: fmpq(x.p // x.q) if isinstance(x, fmpq) else x.floor(),
    fn.stop_gradient: lambda x: x,
    **dict.fromkeys((fn.Max, sp.Max), _extremum("max")),
    **dict.fromkeys((fn.Min, sp.Min), _extremum("min")),
}
