"""What stands under exp: as few exponents as possible, all others being rational combinations of them.

exp of Q-independent arguments are algebraically independent (Risch 1979; Ax 1971 for formal exponentials), so each independent exponent
is one generator: exp(w1 x1 + w2 x2 + b) is one, unless exp(b) is met too.
"""

from __future__ import annotations

import sympy as sp

from symnet.core.functions import raised, sigmoid
from symnet.equality.fractions import MAX_POWER
from symnet.equality.generators import Generators, Rule
from symnet.equality.rules.linear_relations import Terms, unit
from symnet.equality.rules.rational_powers import power_of_size

WAVES = (sigmoid, sp.tanh)

def is_exp(node: sp.Basic) -> bool:
    """True for exp and for the number e."""
    return isinstance(node, sp.exp) or node is sp.E


def study(basis: Generators, nodes: list[sp.Basic]) -> None:
    """Note the exponents and units of nodes of one level, those of the fewest terms first, so that exp(x + y) becomes
    exp(x) exp(y) where these are met; and flatten the others, which notes theirs."""
    exponents = [_exponent(basis, n.args[0] if n.args else sp.S.One)[1] for n in nodes if is_exp(n)]
    for terms in sorted(filter(None, exponents), key=len):
        for coefficient, member in basis.exponents.combination(terms):
            unit(basis.units, member, coefficient)
    for node in nodes:
        if isinstance(node, WAVES):
            _wave(basis, -node.args[0] if isinstance(node, sigmoid) else 2 * node.args[0])
        elif not is_exp(node) or node.has(sp.log):
            basis.flat(node)


def _wave(basis: Generators, argument: sp.Expr) -> None:
    """Let sigmoid be the generator where one is met whose argument is a unit."""
    logs, rest = _exponent(basis, argument)
    found = basis.exponents.combination(rest) if rest and not logs else []
    if len(found) == 1 and abs(found[0][0]) == basis.units.get(found[0][1]):
        basis.waving.add(found[0][1])


def exponential(basis: Generators, argument: sp.Expr) -> sp.Expr:
    """exp(argument) over the generators."""
    logs, rest = _exponent(basis, argument)
    result = sp.Mul(*[_raised_log(basis, log, coefficient) for coefficient, log in logs])
    for coefficient, member in basis.exponents.combination(rest) if rest else ():
        one = unit(basis.units, member, coefficient)
        if abs(coefficient / one) > MAX_POWER:
            one = abs(coefficient)
        result *= _raised(basis, member, one) ** int(coefficient / one)
    return result


def _raised(basis: Generators, member: sp.Expr, one: sp.Rational) -> sp.Expr:
    """exp(one · member); a/(1 - a) with a = sigmoid(one · member) where that is the generator."""
    if member in basis.waving:
        wave = basis.generator("wave", (member, one), sigmoid(one * member))
        return wave / (1 - wave)
    return basis.generator("exp", (member, one), raised(one * member))


def _exponent(basis: Generators, argument: sp.Expr) -> tuple[Terms, Terms]:
    """The terms of an argument of exp that are numbers times a logarithm, and the others."""
    terms = basis.monomials(argument)
    return [t for t in terms if t[1] in basis.logs], [t for t in terms if t[1] not in basis.logs]


def _raised_log(basis: Generators, log: sp.Symbol, power: sp.Rational) -> sp.Expr:
    """exp(c log u) is u^c, where log u is defined."""
    if log in basis.sizes:
        return power_of_size(basis, basis.sizes[log], power)
    return basis.flat(basis.logs[log] ** power)


RULES = (Rule(sp.exp, lambda basis, node: exponential(basis, node.args[0])),
         Rule(type(sp.E), lambda basis, _: exponential(basis, sp.S.One)))
