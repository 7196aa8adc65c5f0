"""Index expressions: brackets ``When``, binders, and the three operations every room needs on them.

``fresh`` renames bound indices apart, ``substitute`` replaces without capture, ``entries`` lists the tensor entries.
SymPy's own ``diff`` and ``subs`` capture bound indices (``Sum(Z[n,a]**2, a).diff(Z[n,a])`` is wrong), so rooms use these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from functools import wraps
from typing import Any

import sympy as sp
from sympy.concrete import expr_with_limits
from sympy.core.assumptions import StdFactKB
from sympy.core.parameters import distribute, global_parameters

from symnet.core.axes import is_index
from symnet.core.matrices import Grid

BINDERS = (sp.Sum, Grid)  # the nodes that bind indices
Limits = tuple[sp.Symbol, sp.Expr, sp.Expr]


class When(sp.Expr):  # type: ignore[misc]
    """When(body, condition) = body where the condition on indices holds, 0 elsewhere: an Iverson bracket.

    The body is not looked at where the condition fails, so it may hold entries that do not exist there.

    >>> i = sp.Symbol("i", integer=True)
    >>> When(i, sp.Eq(1, 2)), When(i, sp.true)
    (0, i)
    """

    is_commutative = True

    def __new__(cls, body: Any, condition: Any) -> Any:
        body, condition = sp.sympify(body, strict=True), sp.sympify(condition, strict=True)
        if condition is sp.false or body is sp.S.Zero:
            return sp.S.Zero
        return body if condition is sp.true else super().__new__(cls, body, condition)

    def _eval_is_real(self) -> Any:
        return self.args[0].is_real

    def _eval_is_extended_real(self) -> Any:
        return self.args[0].is_extended_real

    @property
    def body(self) -> sp.Expr:
        """What stands where the condition holds."""
        return self.args[0]

    @property
    def condition(self) -> sp.Basic:
        """A condition on indices and sizes alone."""
        return self.args[1]


class Nabla(sp.Expr):  # type: ignore[misc]
    """Nabla(loss, point): the gradient of a loss *function* at a point, not computed. Proofs about any loss use it.

    ``loss`` is built from the symbol of a function and numbers: Nabla(L/c, w[t]) is the gradient of L/c at w[t].
    """

    is_commutative = True
    is_real = True

    @property
    def loss(self) -> sp.Expr:
        """The function that is differentiated."""
        return self.args[0]

    @property
    def point(self) -> sp.Expr:
        """Where."""
        return self.args[1]


class Partial(sp.Expr):  # type: ignore[misc]
    """Partial(v[P], u[α]): the slope ∂v[P]/∂u[α] of the one line that defines v[P], all else that this line uses held still.

    A chain rule is written with it; its value is what the line's right side says, never looked up elsewhere.
    """

    is_commutative = True
    is_real = True

    @property
    def of(self) -> sp.Expr:
        """The entry whose line is differentiated."""
        return self.args[0]

    @property
    def by(self) -> sp.Expr:
        """The entry it is differentiated by."""
        return self.args[1]


def as_written() -> AbstractContextManager[None]:
    """Keep 2(a - y) as it is: SymPy would multiply a number into a sum at once. Entering it clears SymPy's cache."""
    return distribute(False)  # type: ignore[no-any-return]


def _absolute_sum(u: sp.Add) -> sp.Expr | None:
    """|u| of a sum u: |-u| with the minus signs in the sum, where the terms ask for that; None leaves it to SymPy.

    SymPy writes |u| as |-u| so too, but while -(…) is kept as written it takes the minus sign out again, and never ends: asked
    whether -(i - 2 n - 1) is a whole number it asks for |i - 2 n - 1|, and every condition i - 2 n <= 1 asks that.
    """
    if global_parameters.distribute or not u.could_extract_minus_sign():
        return None
    away = sp.Add(*[-t for t in u.args])
    return sp.Abs(away, evaluate=bool(away.is_Add and not away.could_extract_minus_sign()))


sp.Add._eval_Abs = _absolute_sum  # what SymPy asks of a node before its own rules


def _minus_in_the_sum(as_fraction: Callable[[Any], tuple[Any, Any]]) -> Callable[[Any], tuple[Any, Any]]:
    """e^u as 1 over e^-u, with the minus sign in the sum u where SymPy keeps it before the bracket and would take it out again: asked for
    the sign of e^(-x - 1), it goes by that of e^-(-x - 1), then by that of e^(-x - 1), and never ends."""
    @wraps(as_fraction)
    def method(self: Any) -> tuple[Any, Any]:
        above, below = as_fraction(self)
        if global_parameters.distribute or above != 1 or below == 1:
            return above, below
        factor, inner = self.exp.as_coeff_Mul()
        away = sp.Add(*[-factor * t for t in sp.Add.make_args(inner)])
        return (self, sp.S.One) if away.could_extract_minus_sign() else (above, sp.exp(away))
    return method


sp.exp.as_numer_denom = _minus_in_the_sum(sp.exp.as_numer_denom)


def _cases_outside(body: sp.Expr) -> sp.Expr:
    """The cases of a sum's body in front, as SymPy puts them, but those of a sum or a bracket inside it stay in there.

    Their conditions may name the inner sum's index, or entries that exist only under the bracket: Σ_i (Σ_k {x_i x_k > 0: 1, 0})²
    has no k outside the inner sum.
    """
    whole: dict[sp.Basic, sp.Basic] = {}
    stack: list[sp.Basic] = [body]
    while stack:
        node = stack.pop()
        if not node.has(sp.Piecewise):
            continue
        if isinstance(node, (When, *BINDERS)):
            whole[node] = whole.get(node, sp.Dummy())
        else:
            stack.extend(node.args)
    open_ = body.xreplace(whole)
    return sp.piecewise_fold(open_).xreplace({d: node for node, d in whole.items()}) if open_.has(sp.Piecewise) else body


expr_with_limits.piecewise_fold = _cases_outside  # what SymPy does to the body of every sum it makes


def _with_facts(made: sp.Basic, assumptions: Mapping[str, bool | None]) -> None:
    """What SymPy knows of an entry, deduced once from each set of facts: SymPy deduces it anew for each entry that it makes."""
    key = tuple(assumptions.items())
    known = _FACTS.get(key)
    if known is None:
        known = _FACTS[key] = StdFactKB({**assumptions, "commutative": assumptions.get("commutative", True) is not False})
    facts = StdFactKB()
    facts.update(known)
    facts._generator = dict(assumptions)
    made._assumptions = facts


_FACTS: dict[tuple[tuple[str, bool | None], ...], StdFactKB] = {}  # as many as there are kinds of symbols
sp.IndexedBase._set_assumptions = staticmethod(_with_facts)


def limits(node: sp.Expr) -> tuple[Limits, ...]:
    """The (index, first, last) triples of a sum, outermost last; of a matrix, its rows and its columns."""
    return tuple((t[0], t[1], t[2]) for t in node.limits)


def total(body: sp.Expr, over: tuple[Limits, ...]) -> sp.Expr:
    """The sum of ``body`` over ``over``; the body itself when there is nothing to sum over, or one place; 0 for 0."""
    if any(lo == hi for _, lo, hi in over):
        there = {i: lo for i, lo, hi in over if lo == hi}
        body = substitute(body, there)
        over = tuple((i, lo.xreplace(there), hi.xreplace(there)) for i, lo, hi in over if i not in there)
    if not over or body is sp.S.Zero:
        return body
    if isinstance(body, sp.Sum):
        return sp.Sum(body.function, *body.limits, *over)
    return sp.Sum(body, *over)


def summed(body: sp.Expr, over: Iterable[Limits]) -> sp.Expr:
    """The sum of a long ``body``, made without SymPy's look through all of it for cases and equations, of which there are none."""
    made = sp.Expr.__new__(sp.Sum, body, *[sp.Tuple(*t) for t in over])
    made.is_commutative = True
    return made


def multiplied(factors: Iterable[sp.Expr]) -> sp.Expr:
    """The product of long factors: numbers multiplied and powers of one base joined, without SymPy's questions about their signs.

    >>> x, y = sp.symbols("x y")
    >>> multiplied((2 * x, y + 1, x / 3))
    2*x**2*(y + 1)/3
    """
    number, powers = sp.S.One, dict[sp.Expr, sp.Expr]()
    for factor in (f for product in factors for f in sp.Mul.make_args(product)):
        if factor.is_Rational:
            number *= factor
            continue
        base, exponent = factor.args if isinstance(factor, sp.Pow) and factor.exp.is_Integer else (factor, sp.S.One)
        powers[base] = powers.get(base, sp.S.Zero) + exponent
    made = [b if e == 1 else sp.Pow(b, e, evaluate=False) for b, e in powers.items() if e != 0]
    if number == 0 or not made:
        return number
    return made[0] if number == 1 and len(made) == 1 else sp.Mul(*([] if number == 1 else [number]), *made, evaluate=False)


def rebuild(node: sp.Basic, args: tuple[sp.Basic, ...]) -> sp.Basic:
    """``node`` with other arguments; the same object when nothing changed."""
    if args == node.args:
        return node
    return node.func(*args)


def fresh(expr: sp.Expr, keep: Callable[[sp.Symbol], bool] | None = None) -> sp.Expr:
    """The same expression with every bound index renamed to one never used before."""
    if not expr.has(*BINDERS):
        return expr
    if isinstance(expr, BINDERS):
        rename = {i: sp.Dummy(str(i), integer=True) for i, _, _ in limits(expr)}
        body = fresh(expr.function).xreplace(rename)
        return expr.func(body, *[(rename[i], lo.xreplace(rename), hi.xreplace(rename)) for i, lo, hi in limits(expr)])
    return rebuild(expr, tuple(fresh(arg) for arg in expr.args))  # the conditions of cases too: they may hold sums


def substitute(expr: sp.Expr, mapping: Mapping[sp.Basic, sp.Basic]) -> sp.Expr:
    """``expr`` with the keys of ``mapping`` replaced, all at once and without capturing any index.

    >>> i, j = sp.symbols("i j", integer=True)
    >>> x = sp.IndexedBase("x")
    >>> substitute(sp.Sum(x[i, j], (i, 1, 3)), {j: i}).has(x[i, i])
    False
    """
    if not mapping:
        return expr
    incoming = {s for value in mapping.values() for s in value.free_symbols}
    bound = {i for node in expr.atoms(*BINDERS) for i, _, _ in limits(node)}
    if bound & (incoming | set(mapping)):
        expr = fresh(expr)
    return expr.xreplace(dict(mapping))


def unlettered(expr: sp.Expr) -> sp.Expr:
    """``expr`` with its indices renamed in the order in which they stand: what is the same at places of other names becomes the same.

    >>> i, j = sp.symbols("i j", integer=True)
    >>> x = sp.IndexedBase("x")
    >>> unlettered(x[j, i]), unlettered(x[i, j])
    (x[_0, _1], x[_0, _1])
    """
    order = dict.fromkeys(filter(is_index, sp.preorder_traversal(expr)))
    return expr.xreplace({i: sp.Symbol(f"_{k}", integer=True) for k, i in enumerate(order)})


def asked_of(expr: sp.Basic) -> set[tuple[sp.Expr, str]]:
    """What an expression asks for to have a value: (x, "=") is that of 1/x, x != 0; (x, "<=") of log x, x > 0; (x, "<") of a root.

    Indices have the names of ``unlettered``.
    """
    found: set[tuple[sp.Expr, str]] = set()
    for part in sp.preorder_traversal(expr):
        if isinstance(part, sp.log):
            found.add((unlettered(part.args[0]), "<="))
        elif isinstance(part, sp.Pow) and not (part.exp.is_Integer and part.exp >= 0):
            found.add((unlettered(part.base), "=" if part.exp.is_integer else "<" if part.exp.is_Rational and part.exp > 0 else "<="))
    return found


def free_integers(expr: sp.Basic, known: dict[sp.Basic, frozenset[sp.Symbol]]) -> frozenset[sp.Symbol]:
    """The indices and sizes that are free in ``expr``; ``known`` keeps what was found of its parts.

    SymPy renames all bound indices of every sum to find its free symbols, which takes minutes where sums stand in one another.
    """
    if expr in known:
        return known[expr]
    if isinstance(expr, sp.Symbol):
        found = frozenset((expr,)) if expr.is_integer else frozenset()
    elif isinstance(expr, BINDERS):
        over = limits(expr)
        inside = free_integers(expr.function, known) - {i for i, _, _ in over}
        found = inside.union(*(free_integers(end, known) for _, lo, hi in over for end in (lo, hi)))
    else:
        parts = expr.indices if isinstance(expr, sp.Indexed) else expr.args
        found = frozenset[sp.Symbol]().union(*(free_integers(part, known) for part in parts))
    known[expr] = found
    return found


def is_whole_number(expr: sp.Expr) -> bool:
    """True for what is certainly a whole number: whole multiples of products and powers of indices, sizes and classes."""
    return all(t.is_integer or (t.is_rational and all(e.is_rational for e in entries(t)) and t.as_coeff_Mul()[0].is_Integer and not any(
        isinstance(p, sp.Pow) and not (p.exp.is_integer and p.exp.is_nonnegative) for p in sp.preorder_traversal(t)))
        for t in sp.Add.make_args(expr))


def without_fractions(gap: sp.Expr) -> sp.Expr:
    """A number with the sign of ``gap`` and, where that can be, without fractions: i - 5/2 is 2 i - 5, i/n - 1/2 is 2 i - n for a size n.

    >>> i, n = sp.Symbol("i", integer=True), sp.Symbol("n", integer=True, positive=True)
    >>> without_fractions(i - sp.Rational(5, 2)), without_fractions(i / n - sp.Rational(1, 2))
    (2*i - 5, 2*i - n)
    """
    whole = sp.expand(gap)
    if all(t.as_coeff_Mul()[0].is_Integer and not t.has(sp.Pow) for t in sp.Add.make_args(whole)):
        return whole
    above, below = sp.fraction(sp.together(whole))
    return sp.expand(above) if below.is_positive and below != 1 else whole


def of_data(condition: sp.Basic) -> bool:
    """True for a condition that asks for the entries of a tensor, such as [c = y[n] + 1] for classes y."""
    return next(entries(condition), None) is not None


def in_cases(expr: sp.Expr) -> sp.Expr:
    """Brackets as SymPy's cases: what does not hold is not computed.

    >>> i = sp.Symbol("i", integer=True)
    >>> in_cases(When(i, i > 1))
    Piecewise((i, i > 1), (0, True))
    """
    return expr.replace(When, lambda body, condition: sp.Piecewise((body, condition), (sp.S.Zero, True)))


def bracketed(body: sp.Expr, condition: sp.Basic) -> sp.Expr:
    """[condition] body. In front of a bracket that asks for data stand the factors of the body that have no index.

    >>> i, y, N = sp.Symbol("i", integer=True), sp.Symbol("y", real=True), sp.Symbol("N", integer=True, positive=True)
    >>> bracketed(-sp.IndexedBase("x")[i] / N, sp.Eq(i, y))
    -When(x[i], Eq(i, y))/N
    """
    factors = sp.Mul.make_args(body)
    inner = [f for f in factors if asks_data(f)]
    whole = sp.And(condition, *[f.condition for f in inner])
    if whole is sp.true or not all(of_data(c) for c in sp.And.make_args(whole)):
        return When(body, condition)
    plain = sp.Mul(*[f for f in factors if f not in inner], *[f.body for f in inner])
    front = [f for f in sp.Mul.make_args(plain) if not f.has(sp.Indexed, When) and all(
        s.is_integer is not True or s.is_positive for s in f.free_symbols)]
    return sp.Mul(*front, When(sp.Mul(*[f for f in sp.Mul.make_args(plain) if f not in front]), whole))


def asks_data(factor: sp.Expr) -> bool:
    """True for a bracket that asks for data alone, which guards no place."""
    return isinstance(factor, When) and all(of_data(c) for c in sp.And.make_args(factor.condition))


def entries(expr: sp.Basic) -> Iterator[sp.Expr]:
    """The tensor entries in ``expr``: every ``Indexed`` node and every plain Symbol that is no index or size."""
    stack = [expr]
    while stack:
        node = stack.pop()
        if isinstance(node, sp.Indexed):
            yield node
        elif isinstance(node, sp.Symbol):
            if node.is_integer is not True:
                yield node
        else:
            stack.extend(reversed(node.args))
