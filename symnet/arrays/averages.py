"""A mean with the weights of a softmax, Σ_i w_i e^{u_i} / Σ_i e^{u_i}: each exponential stands beside the sum that it is a term of.

So the rules of ``exponentials`` find shares, which never overflow, where both sums do; whether or not the author gave the shares a name.
Sums within sums, and products of several such means, are read likewise.
"""

from __future__ import annotations

import sympy as sp

from symnet.arrays.canonical import same
from symnet.core.expressions import fresh, limits, rebuild
from symnet.core.functions import sigmoid


def averaged(expr: sp.Expr) -> sp.Expr:
    """``expr`` with the sums of exponentials that divide it moved to the exponentials that they add up.

    >>> i, n = sp.symbols("i n", integer=True, positive=True)
    >>> x, y = sp.IndexedBase("x"), sp.IndexedBase("y")
    >>> total = sp.Sum(sp.exp(x[i]), (i, 1, n))
    >>> averaged(sp.Sum(y[i]*sp.exp(x[i]), (i, 1, n))/total).has(total)
    False
    """
    if not (expr.has(sp.exp) and expr.has(sp.Sum)):
        return expr
    return _walk(expr)


def _walk(node: sp.Expr) -> sp.Expr:
    if not node.args or not node.has(sp.Sum) or isinstance(node, sp.Indexed):
        return node
    if isinstance(node, sp.Sum):
        return sp.Sum(_walk(node.function), *node.limits)
    made = rebuild(node, tuple(_walk(a) if isinstance(a, sp.Expr) else a for a in node.args))
    return _means(made) if isinstance(made, sp.Mul) else made


def _means(product: sp.Mul) -> sp.Expr:
    """A product with every total moved that can be."""
    factors = [f for a in product.args for f in _single(a)]
    waiting, done = [f for f in factors if _is_inverse_total(f)], False
    for total in waiting:
        at = factors.index(total)
        others = [*factors[:at], *factors[at + 1:]]
        for k, f in enumerate(others):
            moved = _beside(f, total)
            if moved is not None:
                factors, done = [*others[:k], moved, *others[k + 1:]], True
                break
    return sp.Mul(*factors) if done else product


def _single(factor: sp.Expr) -> list[sp.Expr]:
    """A whole power as so many factors; 1/(c + S) as 1/S and S/(c + S)."""
    base, count = factor.as_base_exp()
    if isinstance(base, sp.Add) and count == -1 and len(base.args) == 2 and base.args[0].is_positive:
        number, total = base.args
        if number.is_number and _is_inverse_total(1 / total):
            return [1 / total, sigmoid(sp.log(total) - sp.log(number))]
    return [base ** sp.sign(count)] * abs(int(count)) if isinstance(base, sp.Sum) and count.is_Integer and abs(count) <= 4 else [factor]


def _is_inverse_total(factor: sp.Expr) -> bool:
    base, count = factor.as_base_exp()
    return count == -1 and isinstance(base, sp.Sum) and len(base.limits) == 1 and isinstance(base.function, sp.exp)


def _beside(node: sp.Expr, total: sp.Expr) -> sp.Expr | None:
    """``node`` with 1/Σ e^u beside one e^u of each of its terms; None where a term has none."""
    if isinstance(node, sp.Add):
        terms = [_beside(t, total) for t in node.args]
        return None if any(t is None for t in terms) else sp.Add(*terms)
    if isinstance(node, sp.Mul):
        for k, f in enumerate(node.args):
            moved = _beside(f, total)
            if moved is not None:
                return sp.Mul(*node.args[:k], moved, *node.args[k + 1:])
        return None
    if not isinstance(node, sp.Sum) or {i for i, _, _ in limits(node)} & total.free_symbols:
        return None
    (bound, *span), = limits(total.base)
    mine = [i for i, *own in limits(node) if own == span]
    terms = [_in_term(t, total, bound, mine) for t in sp.Add.make_args(node.function)]
    return None if any(t is None for t in terms) else sp.Sum(sp.Add(*terms), *node.limits)


def _in_term(term: sp.Expr, total: sp.Expr, bound: sp.Symbol, mine: list[sp.Symbol]) -> sp.Expr | None:
    factors = sp.Mul.make_args(term)
    shared = any(_is_inverse_total(f) and same(f.base, total.base) for f in factors)
    if not shared and any(isinstance(f, sp.exp) and same(total.base.function.xreplace({bound: i}), f) for i in mine for f in factors):
        return sp.Mul(*factors, fresh(total))
    for k, f in enumerate(factors):
        moved = _beside(f, total)
        if moved is not None:
            return sp.Mul(*factors[:k], moved, *factors[k + 1:])
    return None
