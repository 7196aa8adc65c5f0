"""Logarithms over the generators: wherever log u is defined u = |u|, so log u is the sum of the log|f| over the factors f of u.

A number is split into primes, and log of an exp is what stands in it. Thus log(x²) = 2 log|x|, log(1/u) = -log u, log 12 = 2 log 2 + log 3,
log sigmoid(x) = x - log(1 + exp(x)). What may be complex is one generator, as it stands.
"""

from __future__ import annotations

import sympy as sp

from symnet.equality.factors import factored, primes
from symnet.equality.generators import Generators, Rule, inside
from symnet.equality.rules.rational_powers import size_meant, size_of_steps


def logarithm(basis: Generators, argument: sp.Expr) -> sp.Expr:
    """log(argument) over the generators."""
    if not basis.real(argument):
        made = basis.generator("log", basis.key(argument), sp.log(argument))
        basis.logs[made] = argument
        return made
    ring, value = basis.normal(argument)
    if value.is_zero:
        raise ZeroDivisionError
    number, factors = factored(value)
    total = _log_of_number(basis, abs(number))
    for polynomial, times in factors:
        total += times * _log_of_size(basis, ring.back(polynomial))
    return total


def _log_of_number(basis: Generators, number: sp.Rational) -> sp.Expr:
    return sp.Add(*[times * _log_of_size(basis, prime) for prime, times in primes(number)])


def _log_of_size(basis: Generators, factor: sp.Expr) -> sp.Expr:
    """log|factor|, for an irreducible polynomial over the generators or a prime."""
    kind, key = basis.kinds.get(factor, ("", None))
    if kind == "exp":
        return inside(basis, factor)
    if kind == "wave":  # log a = u + log(1 - a) for a = sigmoid(u)
        return inside(basis, factor) + _log_of_size(basis, factor - 1)
    if kind == "root":
        return _log_of_size(basis, key[0]) / key[1]
    if factor in basis.circles:  # sin² = (1 - cos)(1 + cos)
        cosine = basis.circles[factor]
        return (_log_of_size(basis, cosine - 1) + _log_of_size(basis, cosine + 1)) / 2
    size = size_of_steps(basis, factor)
    if size is not None:  # where it is 0 there is no logarithm
        return _log_of_number(basis, size)
    meant = size_meant(basis, factor)
    made = basis.generator("log", factor, sp.log(meant, evaluate=False))
    basis.logs[made] = meant
    basis.sizes[made] = factor
    return made


RULES = (Rule(sp.log, lambda basis, node: logarithm(basis, node.args[0])),)
