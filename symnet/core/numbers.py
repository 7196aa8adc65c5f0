"""Exact numbers in, certified decimals out.

Input is read as exact rationals (a Python float as the decimal it prints as). Values are computed as exact rationals while
they stay rational and as ball enclosures (Arb, Johansson 2017, in python-flint) where exp, log, … enter, so every decimal
printed is correctly rounded or says that it is exact.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

import sympy as sp
from flint import arb, ctx, fmpq

from symnet.core.balls import HEIGHT, RULES, exactly, hull, times, to_flint
from symnet.core.decimals import Number, Shown, as_ball, half_even, layout, nearest_tie, own_rounding, rounded, shown_number, unsettled
from symnet.core.functions import sum_of_squares
from symnet.core.linear import OF_MATRICES
from symnet.core.signatures import MOST_BITS
from symnet.core.verbs import verb
from symnet.errors import DomainError, ParseError, UnknownNodeError, shown

__all__ = ["ASK_BITS", "HEIGHT", "MAX_BITS", "RULES", "Number", "Shown", "as_ball", "bounded", "compute",
           "decide", "decimal", "enclose", "fixed", "hull", "layout", "proved_zero", "rational", "shown_number", "to_flint"]

NUMBER = re.compile(r"\s*([+-]?)\s*(\d+)?(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?\s*(?:/\s*(\d+))?\s*\Z", re.ASCII)
MOST_CHARACTERS = 2000  # of a number
MAX_BITS = 4096
SMALL_BITS = 65536  # how far the precision is raised for a divisor or an argument of log that may be tiny and not 0
ASK_BITS = 256  # bits from which on a proof is looked for that a value is 0, or on a tie


def rational(value: Any) -> sp.Rational:
    """The exact rational that ``value`` stands for: an int, Fraction, Decimal, float, "0.5", "-2e-3" or "1/3".

    A float is taken as the shortest decimal that prints as it: 0.1 is 1/10. Raises ParseError.

    >>> rational("1/3"), rational(0.1), rational("-2e-3")
    (1/3, 1/10, -1/500)
    """
    if isinstance(value, sp.Rational):
        return value
    if isinstance(value, int) and value.bit_length() > MOST_BITS:
        raise ParseError("number", "a whole number of thousands of digits", "a shorter one")
    if isinstance(value, bool) or value is None:
        raise ParseError("number", shown(value), "a number such as 2, 0.5 or 1/3")
    if isinstance(value, (int, Fraction)):
        return sp.Rational(value.numerator, value.denominator)
    if not isinstance(value, (str, float, Decimal)) and not hasattr(value, "__float__"):
        raise ParseError("number", shown(value), "a number such as 2, 0.5 or 1/3")
    text = repr(float(value)) if isinstance(value, float) else str(value)
    match = NUMBER.match(text) if len(text) <= MOST_CHARACTERS else None
    if match is None or not (match[2] or match[3]):
        if isinstance(value, Decimal) or "," in text:
            raise ParseError("number", shown(value), "a finite number", "a decimal point, not a comma")
        raise ParseError("number", shown(value), "a number such as 2, 0.5, -2e-3 or 1/3")
    digits, after = match[2] or "", match[3] or ""
    whole = sp.Rational(int(digits + after), 10 ** len(after)) * sp.Integer(10) ** int(match[4] or 0)
    if match[5] is not None:
        if int(match[5]) == 0:
            raise ParseError("number", shown(value), "a denominator that is not 0")
        whole /= int(match[5])
    return -whole if match[1] == "-" else whole


def compute(expr: sp.Basic, values: Mapping[Any, Number], known: dict[Any, Number] | None = None) -> Number:
    """The value of ``expr`` at the current precision: an exact fmpq where it stays rational, else a ball.

    ``values`` maps entries to numbers. Raises UnknownNodeError for a node without a rule, DomainError outside a domain.
    """
    known = {} if known is None else known
    if expr in known:
        return known[expr]
    if expr in values:
        return to_flint(values[expr])
    known[expr] = result = _compute(expr, values, known)
    return result


def _compute(expr: sp.Basic, values: Mapping[Any, Number], known: dict[Any, Number]) -> Number:
    if isinstance(expr, sp.Rational):
        return to_flint(expr)
    if isinstance(expr, sp.Pow):
        base = compute(expr.base, values, known)
        if isinstance(base, arb) and base.contains(0) and expr.exp.is_Rational and not expr.exp.is_Integer and expr.exp > 0 \
                and sum_of_squares(expr.base):  # which is not negative, though its ball may be in part
            return arb(0).union(as_ball(base).upper() ** as_ball(to_flint(expr.exp)))
        return _power(base, expr.exp, values, known)
    if isinstance(expr, sp.Piecewise):
        return _cases(expr, values, known)
    if isinstance(expr, (sp.Add, sp.Mul)):
        result = compute(expr.args[0], values, known)
        for arg in expr.args[1:]:
            other = compute(arg, values, known)
            result = result + other if isinstance(expr, sp.Add) else times(result, other)
        return bounded(result)
    if expr is sp.pi:
        return arb.pi()
    if expr is sp.E:
        return arb(1).exp()
    rule = RULES.get(expr.func) or OF_MATRICES.get(expr.func)
    if rule is None:
        what = f"no value for {expr}" if expr.is_Symbol or isinstance(expr, sp.Indexed) else f"no rule for {expr.func.__name__}"
        raise UnknownNodeError("value", what, "a value for every symbol and a known function")
    found = rule(*[compute(a, values, known) for a in expr.args])
    return exactly(found) if isinstance(found, arb) else found


def bounded(value: Number) -> Number:
    """Exact rationals that grow too long become balls."""
    if isinstance(value, fmpq) and value.height_bits() > HEIGHT:
        return arb(value)
    return value


def _power(base: Number, exponent: sp.Expr, values: Mapping[Any, Number], known: dict[Any, Number]) -> Number:
    power = compute(exponent, values, known)
    if isinstance(power, fmpq) and power.q == 1 and abs(power.p) <= 10_000:
        if power < 0 and base == 0:
            raise DomainError("division", "0", "a divisor that is not 0")
        return bounded(_whole_power(base, int(power.p))) if power >= 0 else bounded(1 / _whole_power(base, int(-power.p)))
    if base == 0 and power > 0:
        return fmpq(0)
    if isinstance(base, fmpq) and base == 1 and (isinstance(power, fmpq) or power.is_finite()):
        return base
    if base < 0:
        raise DomainError("power", f"a negative base {shown_number(base, 6)}", "a base that is not negative")
    root = _root(base, power) if isinstance(base, fmpq) and isinstance(power, fmpq) else None
    if root is not None:
        return root
    return as_ball(base).sqrt() if power == fmpq(1, 2) else as_ball(base) ** as_ball(power)


def _root(base: fmpq, power: fmpq) -> Number | None:
    """base ** power where that is rational, as (4/9)^(1/2) is; None otherwise."""
    if base <= 0 or power.q > 64 or abs(power.p) > 10_000:
        return None
    (above, whole), (below, whole_below) = (sp.integer_nthroot(int(n), int(power.q)) for n in (base.p, base.q))
    return bounded(fmpq(above, below) ** int(power.p)) if whole and whole_below else None


def _whole_power(base: Number, exponent: int) -> Number:
    """base ** exponent by squaring where the ball holds 0, which Arb's power of a ball answers with nan."""
    if isinstance(base, fmpq) or not base.contains(0):
        return base**exponent
    result: Number = fmpq(1)
    for bit in f"{exponent:b}":
        result = result * result * base if bit == "1" else result * result
    return result


def _cases(expr: sp.Piecewise, values: Mapping[Any, Number], known: dict[Any, Number]) -> Number:
    result: Number | None = None
    for branch, condition in expr.args:
        truth = decide(condition, values, known)
        if truth is False:
            continue
        if branch is sp.zoo:  # SymPy's 1/0, in a case that may hold
            raise DomainError("division", "0", "a divisor that is not 0")
        value = compute(branch, values, known)
        result = value if result is None else hull(result, value)
        if truth is True:
            return result
    if result is None:
        raise DomainError("cases", "no case applies", "a case for every value")
    return result


def decide(condition: sp.Basic, values: Mapping[Any, Number], known: dict[Any, Number]) -> bool | None:
    """Truth of a condition on values; None when the balls leave it open."""
    if condition in (sp.true, sp.false):
        return bool(condition)
    if isinstance(condition, (sp.And, sp.Or)):
        truths = [decide(c, values, known) for c in condition.args]
        stop = isinstance(condition, sp.Or)
        return stop if stop in truths else None if None in truths else not stop
    if isinstance(condition, sp.ITE):  # SymPy's form of a comparison of cases
        first = decide(condition.args[0], values, known)
        ways = {decide(condition.args[k], values, known) for k in ((1, 2) if first is None else (1,) if first else (2,))}
        return ways.pop() if len(ways) == 1 else None
    if isinstance(condition, sp.Not):
        inner = decide(condition.args[0], values, known)
        return None if inner is None else not inner
    if not isinstance(condition, sp.core.relational.Relational):
        raise UnknownNodeError("condition", type(condition).__name__, "a comparison")
    if condition in values:  # the difference of its sides, found by other means
        gap = to_flint(values[condition])
    else:
        gap = compute(condition.lhs, values, known) - compute(condition.rhs, values, known)
    equal = gap == 0 if isinstance(gap, fmpq) or gap.is_exact() else (False if not gap.contains(0) else None)
    positive, negative = (True if gap > 0 else None), (True if gap < 0 else None)
    table = {sp.Eq: (equal, False, False), sp.Ne: (False if equal else None, True, True), sp.Gt: (False, True, False),
             sp.Ge: (True, True, False), sp.Lt: (False, False, True), sp.Le: (True, False, True)}
    at_zero, above, below = table[type(condition)]
    if positive:
        return above
    if negative:
        return below
    return at_zero if equal else None


def enclose(expr: sp.Basic, values: Mapping[Any, Any] | None = None, prec: int = 128) -> arb:
    """A ball that contains the value of ``expr``, computed with ``prec`` bits.

    >>> enclose(sp.exp(1), {}, 64).str(15, radius=False)
    '2.71828182845905'
    """
    with ctx.workprec(prec):
        return as_ball(compute(expr, values or {}))


def decimal(source: Callable[[int], Number] | sp.Expr, digits: int = 6, equals: Callable[[fmpq], bool] | None = None) -> Shown:
    """``source`` correctly rounded to ``digits`` significant digits (half to even), or exactly when that is shorter.

    ``source`` is an expression without symbols, or a function from bits to an fmpq or ball. The precision is raised until the rounding is
    beyond doubt. Where balls alone never settle it, since the value lies on 0, on a tie or on the rounded number itself, ``equals`` is
    asked whether the value is that rational number; for an expression it looks for a proof. What 4096 bits (65536 for a divisor that
    may be 0) and no proof settle comes with a note that says so, or as a rounded number where only this is open: see
    ``decimals.unsettled``.

    >>> str(decimal(sp.exp(1), 5)), str(decimal(sp.Rational(1, 8), 6))
    ('2.7183', '0.125')
    >>> decimal(sp.sin(1)**2 + sp.cos(1)**2 - 1), decimal(sp.exp(sp.log(3) / 2)**2 / 10).relation
    (Shown(text='0', exact=True, note=''), '=')
    """
    at, equals = _source(source, equals)
    bits, top = 64 + 4 * digits, MAX_BITS + 8 * digits
    asked: list[fmpq] = []
    while True:
        with ctx.workprec(bits):
            value = at(bits)
            shown = rounded(value, digits)
            target = (nearest_tie(value, digits) or fmpq(0)) if shown is None else own_rounding(value, digits)
            if target is not None and bits < ASK_BITS:
                shown = None
            elif target is not None and target not in asked:
                asked.append(target)
                if not equals(target):
                    continue  # whoever was asked may have learned more of the number than before
                shown = rounded(target, digits)
            elif shown is None and bits == top:
                top = _top(value, top)
                shown = unsettled(value, digits) if bits == top else None
        if shown is not None:
            return shown
        bits = min(2 * bits, top)


def _top(value: Number, top: int) -> int:
    """The most bits that are tried: more for a ball without bounds or wide, behind a divisor or an argument as small as e^-10000."""
    if isinstance(value, fmpq) or (value.contains(0) and value.is_finite()) or value.rel_accuracy_bits() > ASK_BITS:
        return top
    return max(top, SMALL_BITS)


def _source(source: Callable[[int], Number] | sp.Expr,
            equals: Callable[[fmpq], bool] | None) -> tuple[Callable[[int], Number], Callable[[fmpq], bool]]:
    """The number at any precision, and whether it is, beyond doubt, a given rational one."""
    if isinstance(source, sp.Basic):
        expr = source
        return (lambda bits: _at(expr, bits)), equals or (lambda q: proved_zero(expr - sp.Rational(int(q.p), int(q.q))))
    return source, equals or (lambda q: False)


def _at(expr: sp.Expr, bits: int) -> Number:
    with ctx.workprec(bits):
        return compute(expr, {})


_proved_zero: Callable[[sp.Expr], bool] = verb("proved_zero")


def proved_zero(expr: sp.Expr) -> bool:
    """True when a number without symbols is proved to be 0, by normal form; False says nothing."""
    return expr.is_zero is True if expr.is_Rational else _proved_zero(expr)


def fixed(source: Callable[[int], Number] | sp.Expr, places: int, equals: Callable[[fmpq], bool] | None = None) -> Shown:
    """``source`` correctly rounded to ``places`` decimals, as a printed 0.768 claims; see ``decimal`` for what no precision settles.

    >>> str(fixed(sp.exp(1), 3))
    '2.718'
    """
    at, equals = _source(source, equals)
    bits, top, asked = 64 + 4 * abs(places), MAX_BITS + 8 * abs(places), False
    while True:
        with ctx.workprec(bits):
            value = at(bits)
            scaled = value * fmpq(10) ** places
            if not isinstance(value, fmpq) and not asked and bits >= ASK_BITS:
                asked, tie = True, (scaled + arb(0.5)).unique_fmpz()
                target = None if tie is None else fmpq(tie) - fmpq(1, 2)
                scaled = target if target is not None and equals(target / fmpq(10) ** places) else scaled
            if isinstance(scaled, fmpq):
                whole = half_even(scaled)
                return Shown(layout(whole, places), scaled == whole)
            unique = (scaled + arb(0.5)).floor().unique_fmpz()
            if unique is not None:
                return Shown(layout(int(unique), places), False)
            if bits == top:
                top = _top(value, top)
                if bits == top:
                    return _past_the_tie(value, places)
        bits = min(2 * bits, top)


def _past_the_tie(value: Number, places: int) -> Shown:
    """A number that no precision tells from a tie, with the places more that are beyond doubt."""
    for more in range(1, 4):
        unique = (value * fmpq(10) ** (places + more) + arb(0.5)).floor().unique_fmpz()
        if unique is not None:
            return Shown(layout(int(unique), places + more), False, f"{ctx.prec} bits do not tell to which side of a tie it lies")
    return unsettled(value, max(1, places))
