"""What stands under exp: as few exponents as possible, all others being rational combinations of them.

exp of Q-independent arguments are algebraically independent (Risch 1979; Ax 1971 for formal exponentials), so each independent exponent
is one generator: exp(w1 x1 + w2 x2 + b) is one, unless exp(b) is met too.
"""

from __future__ import annotations

from math import gcd
from typing import TYPE_CHECKING, Any

import sympy as sp

from symnet.core.functions import raised, sigmoid
from symnet.equality.fractions import MAX_POWER
from symnet.equality.rules.rational_powers import power_of_size

if TYPE_CHECKING:
    from symnet.equality.normal import Basis

WAVES = (sigmoid, sp.tanh)
Terms = list[tuple[sp.Rational, sp.Expr]]  # Σ rational · monomial
Vector = dict[sp.Expr, sp.Rational]


def unit(units: dict[sp.Expr, sp.Rational], monomial: sp.Expr, coefficient: sp.Rational) -> sp.Rational:
    """The largest number of which this coefficient and all met before are whole multiples; noted in ``units``."""
    before = units.get(monomial, sp.S.Zero)
    if before == 0 or (coefficient / before).q != 1:
        whole = gcd(int(before.p * coefficient.q), int(coefficient.p * before.q))
        units[monomial] = sp.Rational(whole, before.q * coefficient.q)
    return units[monomial]


class Exponents:
    """Exponents that are independent over the rational numbers, in the order in which they were met."""

    def __init__(self) -> None:
        self.members: list[sp.Expr] = []
        self._rows: list[tuple[sp.Expr, Vector, dict[int, sp.Rational]]] = []  # pivot, reduced vector, what it is in members

    def combination(self, terms: Terms) -> Terms:
        """Σ terms as Σ rational · member; an exponent that is independent of them becomes one."""
        left: Vector = {}
        for c, monomial in terms:
            _add(left, monomial, c)
        found: dict[int, sp.Rational] = {}
        for pivot, row, made_of in self._rows:
            if pivot in left:
                times = left[pivot] / row[pivot]
                for monomial, c in row.items():
                    _add(left, monomial, -times * c)
                for k, c in made_of.items():
                    _add(found, k, times * c)
        if not left:
            return [(c, self.members[k]) for k, c in found.items()]
        sign = sp.S.One if terms[0][0] > 0 else sp.S.NegativeOne
        self._rows.append((next(iter(left)), left, {**{k: -c for k, c in found.items()}, len(self.members): sign}))
        self.members.append(sp.Add(*[sign * c * monomial for c, monomial in terms]))
        return [(sign, self.members[-1])]


def _add(vector: dict[Any, sp.Rational], at: Any, c: sp.Rational) -> None:
    total = vector.get(at, sp.S.Zero) + c
    if total:
        vector[at] = total
    else:
        vector.pop(at, None)


def is_exp(node: sp.Basic) -> bool:
    """True for exp and for the number e."""
    return isinstance(node, sp.exp) or node is sp.E


def study(basis: Basis, nodes: list[sp.Basic]) -> None:
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


def _wave(basis: Basis, argument: sp.Expr) -> None:
    """Let sigmoid be the generator where one is met whose argument is a unit."""
    logs, rest = _exponent(basis, argument)
    found = basis.exponents.combination(rest) if rest and not logs else []
    if len(found) == 1 and abs(found[0][0]) == basis.units.get(found[0][1]):
        basis.waving.add(found[0][1])


def exponential(basis: Basis, argument: sp.Expr) -> sp.Expr:
    """exp(argument) over the generators."""
    logs, rest = _exponent(basis, argument)
    result = sp.Mul(*[_raised_log(basis, log, coefficient) for coefficient, log in logs])
    for coefficient, member in basis.exponents.combination(rest) if rest else ():
        one = unit(basis.units, member, coefficient)
        if abs(coefficient / one) > MAX_POWER:
            one = abs(coefficient)
        result *= _raised(basis, member, one) ** int(coefficient / one)
    return result


def _raised(basis: Basis, member: sp.Expr, one: sp.Rational) -> sp.Expr:
    """exp(one · member); a/(1 - a) with a = sigmoid(one · member) where that is the generator."""
    if member in basis.waving:
        wave = basis.generator("wave", (member, one), sigmoid(one * member))
        return wave / (1 - wave)
    return basis.generator("exp", (member, one), raised(one * member))


def _exponent(basis: Basis, argument: sp.Expr) -> tuple[Terms, Terms]:
    """The terms of an argument of exp that are numbers times a logarithm, and the others."""
    terms = basis.monomials(argument)
    return [t for t in terms if t[1] in basis.logs], [t for t in terms if t[1] not in basis.logs]


def _raised_log(basis: Basis, log: sp.Symbol, power: sp.Rational) -> sp.Expr:
    """exp(c log u) is u^c, where log u is defined."""
    if log in basis.sizes:
        return power_of_size(basis, basis.sizes[log], power)
    return basis.flat(basis.logs[log] ** power)
