"""Terms: what a certificate says, as a tree of the operations that a foreign kernel knows; made from SymPy, which is never printed.

Every node is binary, as Rocq and Lean read ``a + b + c`` as (a + b) + c, so that one walk gives the text, the proof of the derivative and
the places where it exists. Numbers are exact. What has no such term is refused by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from typing import Any

import sympy as sp

from symnet.core.expressions import When
from symnet.core.functions import Max, Min, leaky_relu, relu, sigmoid, softplus, step, stop_gradient
from symnet.errors import OptionError


@dataclass(frozen=True, slots=True)
class Term:
    """``head`` of ``parts``: "number", "entry", "plus", "minus", "times", "divide", "negative", "inverse", "power", "choose" or a function.

    A number has a ``value``, an entry a ``name`` and the ``place`` where it stands in its array; a power has its exponent as ``value``.
    ``choose(z, u, v)`` is u where z > 0, else v.
    """

    head: str
    parts: tuple[Term, ...] = ()
    name: str = ""
    value: Fraction = Fraction(0)

    def walk(self) -> Iterator[Term]:
        """This term and all terms in it."""
        yield self
        for part in self.parts:
            yield from part.walk()

    @property
    def entries(self) -> frozenset[str]:
        """The names of the entries in it."""
        return frozenset(t.name for t in self.walk() if t.head == "entry")


@dataclass(frozen=True, slots=True)
class Function:
    """A function that the certificates know: SymPy's class, how many arguments, and where its derivative asks for more than theirs:
    "positive", "nonzero" of the first argument, "distinct" of two."""

    of: Any
    head: str
    arity: int = 1
    asks: str = ""


FUNCTIONS: tuple[Function, ...] = (
    Function(sp.exp, "exp"), Function(sp.log, "ln", asks="positive"), Function(sp.sin, "sin"), Function(sp.cos, "cos"),
    Function(sp.sinh, "sinh"), Function(sp.cosh, "cosh"), Function(sp.tanh, "tanh"), Function(sp.atan, "atan"), Function(sp.erf, "erf"),
    Function(sigmoid, "sigmoid"), Function(softplus, "softplus"), Function(relu, "relu", asks="nonzero"),
    Function(leaky_relu, "leaky_relu", 2, "nonzero"), Function(step, "step", asks="nonzero"), Function(sp.sign, "sign", asks="nonzero"),
    Function(sp.Abs, "abs", asks="nonzero"), Function(Max, "max", 2, "distinct"), Function(Min, "min", 2, "distinct"),
    Function(None, "sqrt", asks="positive"), Function(None, "choose", 3, "nonzero"))
BY_CLASS = {f.of: f for f in FUNCTIONS if f.of} | {sp.Max: next(f for f in FUNCTIONS if f.head == "max"),
                                                   sp.Min: next(f for f in FUNCTIONS if f.head == "min")}
BY_HEAD = {f.head: f for f in FUNCTIONS}
ONE, ZERO, PI = Term("number", value=Fraction(1)), Term("number"), Term("pi")
MOST_POWER = 200  # a^n is n factors to the kernel


class NotExpressible(OptionError):
    """What a certificate cannot say, and which construct that is."""

    code = "not-expressible"

    def __init__(self, construct: str, why: str, hint: str = "") -> None:
        self.construct, self.why = construct, why
        super().__init__("certificate", f"{construct}: {why}", "", hint)


def number(value: int | Fraction) -> Term:
    """A rational number."""
    return Term("number", value=Fraction(value))


def entry(name: str) -> Term:
    """An entry of an array, or a line."""
    return Term("entry", name=name)


def plus(a: Term, b: Term) -> Term:
    """a + b, a - b where b is a negative; without zeros."""
    if a == ZERO:
        return b
    if b == ZERO:
        return a
    if b.head == "negative":
        return Term("minus", (a, b.parts[0]))
    if b.head == "number" and b.value < 0:
        return Term("minus", (a, number(-b.value)))
    return Term("plus", (a, b))


def times(a: Term, b: Term) -> Term:
    """a b, a/b where b is an inverse; without ones."""
    if a == ONE:
        return b
    if b == ONE:
        return a
    if ZERO in (a, b):
        return ZERO
    return Term("divide", (a, b.parts[0])) if b.head == "inverse" else Term("times", (a, b))


def negative(a: Term) -> Term:
    """-a."""
    return number(-a.value) if a.head == "number" else a.parts[0] if a.head == "negative" else Term("negative", (a,))


def total(terms: list[Term]) -> Term:
    """The sum of ``terms``, from the left."""
    return reduce(plus, terms, ZERO)


def term_of(expr: sp.Expr) -> Term:
    """The term of a scalar expression. Raises NotExpressible for what no certificate can say.

    >>> x, y = sp.symbols("x y", real=True)
    >>> term_of(x - y**2).head, sorted(term_of(sigmoid(x) * y).entries)
    ('minus', ['x', 'y'])
    """
    if expr.is_Rational:
        return number(Fraction(int(expr.p), int(expr.q)))
    if expr.is_Symbol:
        return entry(str(expr.name))
    for kind, maker in _MAKERS:
        if isinstance(expr, kind):
            return maker(expr)
    known = BY_CLASS.get(type(expr))
    if known is not None:
        args = [term_of(a) for a in expr.args]
        if known.arity == 2 and len(args) != 2:
            return reduce(lambda a, b: Term(known.head, (a, b)), args)
        return Term(known.head, tuple(args))
    name = type(expr).__name__
    raise NotExpressible(name, "no term of the kernel stands for it")


def _add(expr: sp.Expr) -> Term:
    terms = [term_of(a) for a in expr.args]
    first = next((k for k, t in enumerate(terms) if t.head != "negative" and not (t.head == "number" and t.value < 0)), 0)
    return total([terms[first], *terms[:first], *terms[first + 1:]])


def _mul(expr: sp.Expr) -> Term:
    factors = [term_of(a) for a in expr.args]
    minus, above, below = False, list[Term](), list[Term]()
    for f in factors:
        if f.head == "negative":
            minus, f = not minus, f.parts[0]
        if f.head == "number" and f.value < 0:
            minus, f = not minus, number(-f.value)
        (below if f.head == "inverse" else above).append(f)
    made = reduce(times, above, ONE)
    made = reduce(times, below, made)
    return negative(made) if minus else made


def _pow(expr: sp.Expr) -> Term:
    base, exponent = expr.args
    if exponent.is_Integer:
        return power(term_of(base), int(exponent))
    if exponent.is_Rational and exponent.q == 2:
        return power(Term("sqrt", (term_of(base),)), int(exponent.p))
    logarithm = Term("ln", (term_of(base),))  # which asks for a positive base, as these powers do
    if exponent.is_Rational:
        return power(Term("exp", (times(number(Fraction(1, int(exponent.q))), logarithm),)), int(exponent.p))
    whole, rest = exponent.as_coeff_Add()  # b^(y-1) is b^y/b: one exponential for both
    if not whole.is_Integer:
        whole, rest = sp.S.Zero, exponent
    return times(Term("exp", (times(term_of(rest), logarithm),)), power(term_of(base), int(whole)))


def power(base: Term, exponent: int) -> Term:
    """base^exponent; an inverse where the exponent is negative."""
    if abs(exponent) > MOST_POWER:
        raise NotExpressible("power", f"the exponent {exponent} is beyond {MOST_POWER}")
    if exponent < 0:
        return Term("inverse", (power(base, -exponent),))
    return ONE if exponent == 0 else base if exponent == 1 else Term("power", (base,), value=Fraction(exponent))


def _piecewise(expr: sp.Expr) -> Term:
    made = ZERO
    for value, condition in reversed(expr.args):
        made = _where(condition, term_of(value), made)
    return made


def _when(expr: sp.Expr) -> Term:
    return _where(expr.condition, term_of(expr.body), ZERO)


def _where(condition: sp.Basic, yes: Term, no: Term) -> Term:
    """``yes`` where the condition holds, else ``no``."""
    if condition is sp.true or condition is sp.false:
        return yes if condition is sp.true else no
    if isinstance(condition, sp.And):
        return reduce(lambda made, c: _where(c, made, no), condition.args, yes)
    if isinstance(condition, sp.Or):
        return reduce(lambda made, c: _where(c, yes, made), condition.args, no)
    if isinstance(condition, sp.Not):
        return _where(condition.args[0], no, yes)
    if isinstance(condition, (sp.StrictGreaterThan, sp.StrictLessThan)):
        return Term("choose", (plus(term_of(condition.gts), negative(term_of(condition.lts))), yes, no))
    if isinstance(condition, (sp.GreaterThan, sp.LessThan)):
        return Term("choose", (plus(term_of(condition.lts), negative(term_of(condition.gts))), no, yes))
    raise NotExpressible("cases", f"the condition {condition.__class__.__name__} is no comparison of numbers")


def _stopped(expr: sp.Expr) -> Term:
    raise NotExpressible("stop_gradient", "what is derived is not the derivative of the objective as written")


_MAKERS: tuple[tuple[Any, Callable[[Any], Term]], ...] = (
    (type(sp.pi), lambda _: PI), (type(sp.E), lambda _: Term("exp", (ONE,))), (sp.Add, _add), (sp.Mul, _mul), (sp.Pow, _pow),
    (sp.Piecewise, _piecewise), (When, _when), (stop_gradient, _stopped))
