"""Powers with rational exponents over the generators, where they are real: for u ≥ 0, u^c is a product of |f|^c.

u is taken apart into a number and irreducible factors f. Wherever u^c is defined u = |u|, so u^c is the product of the |f|^(times
c), and that of |f| is a whole power of f, of sign f · f and of one root of |f|. Thus sqrt(xy) = sqrt|x| sqrt|y| where xy ≥ 0,
sqrt(8) = 2 sqrt 2, (x²)^(3/2) = |x|³. What may be complex is one generator, as it stands.
"""

from __future__ import annotations

from math import lcm

import sympy as sp

from symnet.core.functions import absolute
from symnet.equality.factors import factored, primes
from symnet.equality.generators import Generators, inside
from symnet.equality.rules.heaviside import step_of_factor
from symnet.equality.signs import FROM_ZERO


def power(basis: Generators, base: sp.Expr, exponent: sp.Rational) -> sp.Expr:
    """base^exponent over the generators."""
    if not basis.real(base):
        key = basis.key(base)
        root = basis.generator(f"root{exponent.q}", key, base ** sp.Rational(1, exponent.q))
        basis.roots[root] = (int(exponent.q), key)
        return root**exponent.p
    ring, value = basis.normal(base)
    if value.is_zero:
        if exponent < 0:
            raise ZeroDivisionError
        return sp.S.Zero
    number, factors = factored(value)
    result = power_of_number(basis, abs(number), exponent)
    for factor, times in _with_sines(basis, {ring.back(polynomial): times for polynomial, times in factors}).items():
        result *= power_of_size(basis, factor, times * exponent)
    return result


def _with_sines(basis: Generators, powers: dict[sp.Expr, int]) -> dict[sp.Expr, int]:
    """(1 - cos)(1 + cos) is sin²."""
    for sine, cosine in basis.circles.items():
        while powers.get(cosine - 1, 0) > 0 and powers.get(cosine + 1, 0) > 0:
            powers = powers | {f: powers[f] - 1 for f in (cosine - 1, cosine + 1)} | {sine: powers.get(sine, 0) + 2}
    return powers


def power_of_number(basis: Generators, number: sp.Rational, exponent: sp.Rational) -> sp.Expr:
    """A positive number to a power, prime by prime."""
    return sp.Mul(*[power_of_size(basis, prime, times * exponent) for prime, times in primes(number)])


def power_of_size(basis: Generators, factor: sp.Expr, exponent: sp.Rational) -> sp.Expr:
    """|factor|^exponent, for an irreducible polynomial over the generators or a prime."""
    kind, key = basis.kinds.get(factor, ("", None))
    if kind == "exp":
        return basis.flat(sp.exp(exponent * inside(basis, factor), evaluate=False))
    if kind == "root":  # |f|^(1/q), or the q-th root of a prime
        return power_of_size(basis, key[0], exponent / key[1])
    if kind == "step":
        return factor if exponent > 0 else 1 / factor
    if size_of_steps(basis, factor) == 1:
        return sp.S.One
    whole = int(exponent.p // exponent.q)
    result = factor**whole * (sign_of(basis, factor) if whole % 2 else 1)
    rest = exponent - whole
    if rest:
        degree = lcm(basis.degrees.get(factor, 1), int(rest.q))
        basis.degrees[factor] = degree
        meaning = sp.Pow(size_meant(basis, factor), sp.Rational(1, degree))
        root = basis.generator("root", (factor, degree), meaning)
        basis.roots[root] = (degree, (factor * sign_of(basis, factor), sp.S.One))
        result *= root ** int(rest * degree)
    return result


def sign_of(basis: Generators, factor: sp.Expr) -> sp.Expr:
    """What ``factor`` is multiplied by to be |factor|: 1, -1 or 2 step(factor) - 1."""
    signs = basis.signs_of(factor)
    if signs <= FROM_ZERO:
        return sp.S.One
    if 1 not in signs:
        return sp.S.NegativeOne
    return 2 * step_of_factor(basis, factor) - 1


def size_meant(basis: Generators, factor: sp.Expr) -> sp.Expr:
    """|factor| as SymPy writes it, without the bars where the sign is known."""
    signs = basis.signs_of(factor)
    return factor if signs <= FROM_ZERO else -factor if 1 not in signs else absolute(factor)


def size_of_steps(basis: Generators, factor: sp.Expr) -> sp.Rational | None:
    """The one size that a polynomial in steps alone has where it is not 0: 2 step(x) - 1 is 1 or -1."""
    used = sorted(factor.free_symbols, key=str)
    if not used or len(used) > 4 or any(s not in basis.steps for s in used):
        return None
    values = {sp.S.Zero}
    for chosen in range(2 ** len(used)):
        values.add(abs(factor.xreplace({s: sp.Integer(chosen >> k & 1) for k, s in enumerate(used)})))
    values.discard(sp.S.Zero)
    return values.pop() if len(values) == 1 else None
