"""Which signs may an expression have? Read off how it is written, from the domains of its symbols and from given inequalities.

Sound and small, since proofs of inequalities rest on it: each rule is a fact about real numbers, said beside it, and what no rule sees
may have every sign. All statements are about the points where the expression has a value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import sympy as sp
from flint import arb, ctx

from symnet.core.axes import nonnegative
from symnet.core.claim import Statement
from symnet.core.expressions import Nabla, When, limits
from symnet.core.functions import Max, Min, leaky_relu, relu, sigmoid, softplus, step
from symnet.core.matrices import Det, Grid, InverseEntry, Rows
from symnet.core.number_sets import numbers_of
from symnet.core.numbers import as_ball, compute, enclose, to_flint
from symnet.equality.domain_conditions import indexed_holes
from symnet.equality.generators import Signs
from symnet.equality.signs import ALL, FROM_ZERO, MINUS, PLUS, TO_ZERO, plus, times
from symnet.errors import SymnetError

ZERO: Signs = frozenset((0,))
OF_ARGUMENT = (sp.tanh, sp.sinh, sp.atan, sp.asinh, sp.erf)  # increasing, and 0 at 0
POSITIVE = (sp.exp, sigmoid, softplus, sp.cosh)
NOT_NEGATIVE = (sp.Abs, relu, step)
RANGE: Mapping[Any, tuple[int, int]] = {sigmoid: (0, 1), sp.tanh: (-1, 1), sp.erf: (-1, 1)}  # never the ends themselves
WITHIN: Mapping[Any, tuple[int, int]] = {sp.sin: (-1, 1), sp.cos: (-1, 1), step: (0, 1)}
UNSEEN = (sp.Piecewise, When, Nabla, Det, Grid, InverseEntry, Rows)  # where they have a value is not looked into
MOST_TERMS = 60


@dataclass(frozen=True, slots=True)
class Span:
    """The numbers from ``low`` to ``high`` (None: no end); an end is left out where ``open_low``, ``open_high``."""

    low: sp.Rational | None = None
    high: sp.Rational | None = None
    open_low: bool = True
    open_high: bool = True

    @property
    def signs(self) -> Signs:
        """The signs of the numbers in it."""
        found = set(ALL)
        if self.low is not None and self.low >= 0:
            found -= {-1} if self.low == 0 and not self.open_low else {-1, 0}
        if self.high is not None and self.high <= 0:
            found -= {1} if self.high == 0 and not self.open_high else {0, 1}
        return frozenset(found)

    def scaled(self, by: sp.Rational) -> Span:
        """The numbers times a number that is not 0."""
        low, high = (None if end is None else end * by for end in (self.low, self.high))
        return Span(low, high, self.open_low, self.open_high) if by > 0 else Span(high, low, self.open_high, self.open_low)

    def plus(self, other: Span) -> Span:
        """The sums of a number of each."""
        low = None if self.low is None or other.low is None else self.low + other.low
        high = None if self.high is None or other.high is None else self.high + other.high
        return Span(low, high, self.open_low or other.open_low, self.open_high or other.open_high)


EVERY = Span()


class Facts:
    """Given inequalities and equalities, as gaps that have known signs."""

    def __init__(self, given: Iterable[Statement] = ()) -> None:
        self.gaps: list[tuple[dict[sp.Expr, sp.Rational], Signs]] = []
        for g in given:
            if g.over is None and not g.general:
                signs = {"=": ZERO, "<=": FROM_ZERO, "<": PLUS, "!=": frozenset((-1, 1))}[g.relation]
                gap = g.right - g.left
                self.gaps.append((_terms(gap), signs))
                rest = sp.Mul(*[f for f in sp.Mul.make_args(gap) if not ((f.is_Symbol or f.is_Rational) and f.is_positive)])
                if isinstance(gap, sp.Mul) and rest != gap:  # a·p ≥ 0 with p > 0: a ≥ 0
                    self.gaps.append((_terms(rest), signs))

    def signs(self, expr: sp.Expr) -> Signs:
        """What the gaps say of ``expr``: those of a gap times a number, plus a number of the same sign."""
        terms = _terms(expr) if self.gaps else {}
        found = ALL
        for gap, known in self.gaps:
            lead = next((t for t in gap if t is not sp.S.One and t != 1), None)
            if lead is None or lead not in terms:
                continue
            ratio = terms[lead] / gap[lead]
            rest = {t: terms.get(t, sp.S.Zero) - ratio * gap.get(t, sp.S.Zero) for t in {*terms, *gap}}
            if all(c == 0 for t, c in rest.items() if t != 1):
                more = rest.get(sp.S.One, sp.S.Zero)
                found &= plus(times(known, frozenset((int(sp.sign(ratio)),))), frozenset((int(sp.sign(more)),)))
        return found


NONE = Facts()


def signs(expr: sp.Expr, facts: Facts = NONE) -> Signs:
    """The signs that ``expr`` may have.

    >>> x, p = sp.Symbol("x", real=True), sp.Symbol("p", positive=True)
    >>> sorted(signs(x**2 + p)), sorted(signs(x)), sorted(signs(x + 1, Facts([Statement(sp.S.Zero, x, relation="<=")])))
    ([1], [-1, 0, 1], [1])
    """
    return _structural(expr, facts) & span(expr).signs & facts.signs(expr) or ALL


def _structural(expr: sp.Expr, facts: Facts) -> Signs:
    if expr.is_Rational:
        return frozenset((int(sp.sign(expr)),))
    if expr.is_number and not expr.has(sp.Sum, *UNSEEN):
        return _of_number(expr)
    if isinstance(expr, (sp.Symbol, sp.Indexed)):
        return PLUS if expr.is_positive else MINUS if expr.is_negative else FROM_ZERO if expr.is_nonnegative else \
            TO_ZERO if expr.is_nonpositive else frozenset((-1, 1)) if expr.is_nonzero else ALL
    if isinstance(expr, sp.Add) and len(expr.args) <= MOST_TERMS:
        found: Signs = ZERO
        for a in expr.args:
            found = plus(found, signs(a, facts))
        return found
    if isinstance(expr, sp.Mul):
        found = PLUS
        for a in expr.args:
            found = times(found, signs(a, facts))
        return found
    if isinstance(expr, sp.Pow):
        return _power(expr, facts)
    if isinstance(expr, POSITIVE):
        return PLUS
    if isinstance(expr, OF_ARGUMENT):
        return signs(expr.args[0], facts)
    if isinstance(expr, sp.log):
        return signs(expr.args[0] - 1, facts)
    if isinstance(expr, NOT_NEGATIVE):
        inner = signs(expr.args[0], facts)
        if isinstance(expr, sp.Abs):
            return FROM_ZERO if 0 in inner else PLUS
        return PLUS if inner == PLUS else ZERO if inner <= TO_ZERO else FROM_ZERO
    if isinstance(expr, sp.sign):
        return signs(expr.args[0], facts)
    if isinstance(expr, leaky_relu) and signs(expr.args[1], facts) == PLUS:
        return signs(expr.args[0], facts)
    if isinstance(expr, (Max, Min, sp.Max, sp.Min)):
        return _extremum([signs(a, facts) for a in expr.args], 1 if isinstance(expr, (Max, sp.Max)) else -1)
    if isinstance(expr, sp.Sum):
        inner = signs(expr.function, NONE)  # a fact about one index says nothing of the others
        some = all(nonnegative(hi - lo) for _, lo, hi in limits(expr))
        return inner if some and inner in (PLUS, MINUS) else plus(inner, ZERO) | ZERO if inner <= FROM_ZERO or inner <= TO_ZERO else ALL
    return ALL


def _extremum(parts: list[Signs], side: int) -> Signs:
    """max: the greatest of some choice of the parts' signs; min with side -1."""
    found: Signs = frozenset(side * s for s in parts[0])
    for p in parts[1:]:
        found = frozenset(max(a, side * b) for a in found for b in p)
    return frozenset(side * s for s in found)


def _power(expr: sp.Pow, facts: Facts) -> Signs:
    base, exponent = expr.args
    inner = signs(base, facts)
    if inner == PLUS:
        return PLUS
    if exponent.is_Integer:
        if exponent < 0:
            inner -= ZERO
        return frozenset(s ** int(exponent % 2 or 2) for s in inner)
    if exponent.is_Rational or inner <= FROM_ZERO:  # a root of what is not negative, where it has a value
        return PLUS if exponent.is_negative else FROM_ZERO
    return FROM_ZERO if exponent.is_integer and exponent.is_even and exponent.is_nonnegative else ALL


def _of_number(expr: sp.Expr) -> Signs:
    try:
        ball = enclose(expr, {}, 128)
    except (SymnetError, ArithmeticError, TypeError, ValueError):
        return ALL
    return PLUS if ball > 0 else MINUS if ball < 0 else ALL


def span(expr: sp.Expr) -> Span:
    """Between which rational numbers ``expr`` certainly lies.

    >>> span(1 - sp.Symbol("p", **__import__("symnet.core.number_sets", fromlist=["x"]).number_set("(0, 1)").facts))
    Span(low=0, high=1, open_low=True, open_high=True)
    """
    if expr.is_Rational:
        return Span(expr, expr, False, False)
    if isinstance(expr, (sp.Symbol, sp.Indexed)):
        low, high = numbers_of(expr).ends
        if expr.is_integer and low is not None and low[1]:
            low = (low[0] + 1, False)
        return Span(low[0] if low else None, high[0] if high else None, low[1] if low else True, high[1] if high else True)
    if isinstance(expr, sp.Add) and len(expr.args) <= MOST_TERMS:
        found = Span(sp.S.Zero, sp.S.Zero, False, False)
        for a in expr.args:
            found = found.plus(span(a))
        return found
    if isinstance(expr, sp.Mul) and expr.args[0].is_Rational and expr.args[0] != 0:
        return span(sp.Mul(*expr.args[1:])).scaled(expr.args[0])
    if isinstance(expr, sp.Mul):
        return _product([span(a) for a in expr.args])
    if isinstance(expr, sp.Pow) and expr.exp.is_Integer and expr.exp > 0:
        return _whole_power(span(expr.base), int(expr.exp))
    kind = type(expr)
    if kind in RANGE or kind in WITHIN:
        ends = RANGE.get(kind) or WITHIN[kind]
        return Span(sp.Integer(ends[0]), sp.Integer(ends[1]), kind in RANGE, kind in RANGE)
    return EVERY


def _product(parts: list[Span]) -> Span:
    """Of numbers that are all from 0 on."""
    if not all(p.low is not None and p.low >= 0 for p in parts):
        return EVERY
    low = sp.Mul(*[p.low for p in parts])
    high = None if any(p.high is None for p in parts) else sp.Mul(*[p.high for p in parts])
    none = any(p.low == 0 and not p.open_low for p in parts)  # one that is 0 makes the product 0
    return Span(low, high, not none and any(p.open_low for p in parts), any(p.open_high for p in parts) and all(p.high != 0 for p in parts))


def _whole_power(base: Span, n: int) -> Span:
    if base.low is not None and base.low >= 0:
        return Span(base.low ** n, None if base.high is None else base.high ** n, base.open_low, base.open_high)
    if n % 2:
        low, high = (None if end is None else end ** n for end in (base.low, base.high))
        return Span(low, high, base.open_low, base.open_high)
    if base.low is None or base.high is None:
        return Span(sp.S.Zero, None, False)
    ends = sorted(((abs(base.low), base.open_low), (abs(base.high), base.open_high)), key=lambda e: (e[0], not e[1]))
    return Span(sp.S.Zero, ends[-1][0] ** n, False, ends[-1][1])


def defined(expr: sp.Expr, facts: Facts = NONE) -> bool:
    """True when ``expr`` certainly has a value at every point: no divisor is 0, no logarithm or root of what it cannot be taken of.

    >>> x = sp.Symbol("x", real=True)
    >>> defined(sp.log(1 + x**2)), defined(1/x)
    (True, False)
    """
    if expr.has(*UNSEEN):
        return False
    return all(met(u, sign, NONE if over else facts) for u, sign, over in indexed_holes(without_whole_powers(expr, facts)))


def without_whole_powers(expr: sp.Expr, facts: Facts = NONE) -> sp.Expr:
    """b in place of b^n for whole n that are not negative, which has a value for any b."""
    return expr.replace(lambda p: isinstance(p, sp.Pow) and _whole(p.exp, facts), lambda p: p.base)


def _whole(exponent: sp.Expr, facts: Facts) -> bool:
    return bool(exponent.is_integer and not exponent.is_Integer and signs(exponent, facts) <= FROM_ZERO)


def power_letters(exprs: Iterable[sp.Expr], facts: Facts) -> dict[sp.Expr, sp.Expr]:
    """For each power with a whole, not negative, exponent that varies: a letter, times a power with a number for exponent. Powers of one
    base share the letter of the least."""
    powers = sorted({p for e in exprs for p in e.atoms(sp.Pow) if p.exp.is_integer and not p.exp.is_Integer}, key=str)
    there: dict[sp.Expr, sp.Expr] = {}
    letters: dict[sp.Expr, sp.Symbol] = {}
    for p in powers:
        least = min((q for q in powers if q.base == p.base and (q.exp - p.exp).is_Integer), key=lambda q, p=p: q.exp - p.exp)  # type: ignore[misc]
        known = signs(p.base, facts)
        if _whole(least.exp, facts) or known == PLUS:
            facts_of = {"positive": True} if known == PLUS else {"nonnegative": True} if known <= FROM_ZERO else {"real": True}
            letter = letters.setdefault(least, sp.Symbol(f"_power{len(letters)}", **facts_of))
            there[p] = letter * p.base ** (p.exp - least.exp)
    return there


def met(u: sp.Expr, sign: str, facts: Facts = NONE) -> bool:
    """True when what asks for u != 0 ("="), u > 0 ("<=") or u >= 0 ("<") certainly has it."""
    found = signs(u, facts)
    return 0 not in found if sign == "=" else found == PLUS if sign == "<=" else -1 not in found


def _terms(expr: sp.Expr) -> dict[sp.Expr, sp.Rational]:
    return dict(sp.expand(expr).as_coefficients_dict()) if _small(expr) else {expr: sp.S.One}


def _small(expr: sp.Expr) -> bool:
    return not expr.has(sp.Sum, *UNSEEN) or isinstance(expr, (sp.Add, sp.Mul))


INCREASING: Mapping[Any, bool] = {  # function -> strictly
    sp.exp: True, sp.log: True, sigmoid: True, sp.tanh: True, softplus: True, sp.sinh: True, sp.atan: True, sp.asinh: True, sp.erf: True,
    relu: False, step: False, sp.sign: False}
SMOOTH = (sp.exp, sp.log, sigmoid, sp.tanh, softplus, sp.sinh, sp.cosh, sp.atan, sp.asinh, sp.erf, sp.sin, sp.cos)


def increasing(expr: sp.Expr, letter: sp.Symbol) -> bool | None:
    """Is f(letter) an increasing function wherever it has a value? True: strictly; False: not strictly; None: not known."""
    if type(expr) in INCREASING and expr.args == (letter,):
        return INCREASING[type(expr)]
    if isinstance(expr, sp.Pow) and expr.base == letter and expr.exp.is_Rational and expr.exp > 0:
        odd = expr.exp.is_Integer and expr.exp % 2 == 1
        return True if odd or not expr.exp.is_Integer else None
    return None


def smooth(expr: sp.Expr, facts: Facts = NONE) -> bool:
    """True when ``expr`` has a value everywhere and is made of functions that have derivatives of all orders there."""
    for node in sp.preorder_traversal(expr):
        if isinstance(node, sp.Function) and not isinstance(node, SMOOTH):
            return False
        if isinstance(node, sp.Pow) and not node.exp.is_Integer and signs(node.base, facts) != PLUS:
            return False
        if not isinstance(node, (sp.Add, sp.Mul, sp.Pow, sp.Function, sp.Number, sp.NumberSymbol, sp.Symbol, sp.Indexed, sp.IndexedBase)):
            return False
    return defined(expr, facts)




def positive_between(expr: sp.Expr, letter: sp.Symbol, low: sp.Rational, high: sp.Rational, pieces: int = 400) -> bool:
    """Do balls show that ``expr`` is positive for every value of its letter from ``low`` to ``high``? Halved where they are too wide."""
    waiting = [(low, high)]
    for _ in range(pieces):
        if not waiting:
            return True
        a, b = waiting.pop()
        middle, radius = (a + b) / 2, (b - a) / 2
        try:
            with ctx.workprec(80):
                value = as_ball(compute(expr, {letter: as_ball(to_flint(middle)) + arb(0, as_ball(to_flint(radius)))}))
                if value > 0:
                    continue
                if as_ball(compute(expr, {letter: to_flint(middle)})) <= 0:
                    return False
        except (SymnetError, ArithmeticError, TypeError, ValueError):
            pass
        waiting += [(a, middle), (middle, b)]
    return not waiting
