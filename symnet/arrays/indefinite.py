"""What may come to ∞/∞, 0/0 or 0·∞ in a machine as it is written."""

from __future__ import annotations

from collections.abc import Callable

import sympy as sp

from symnet.arrays.stable_functions import bell, grouped, log1p, log_part, log_share, part, share
from symnet.core.expressions import When
from symnet.core.functions import sigmoid, softplus

BETWEEN_0_AND_1 = (share, sigmoid, part, bell)  # in a machine they may be either
LOGS = (grouped, log_share, log_part)


def indefinite(expr: sp.Expr) -> bool:
    """May ``expr`` come to ∞/∞, 0/0, 0·∞ or ∞ - ∞ in a machine? True where a product has an exponential above the stroke and one below, or
    two, or one and a share, which may be 0; and where one is taken from another. Logarithms of sums are computed from their scales.

    >>> x, y = sp.symbols("x y")
    >>> indefinite(sp.exp(x)/(1 + sp.exp(y))), indefinite(1 + sp.exp(x)), indefinite(sp.exp(x - sp.log(1 + sp.exp(y)), evaluate=False))
    (True, False, False)
    """
    nodes = sp.preorder_traversal(expr)
    for node in nodes:
        if isinstance(node, sp.log) and isinstance(node.args[0], sp.Sum) and all(
                isinstance(f, sp.exp) or not is_open(f) for f in sp.Mul.make_args(node.args[0].function)):
            nodes.skip()
        elif isinstance(node, sp.Mul):
            above = [f for f in node.args if not f.as_base_exp()[1].could_extract_minus_sign() or isinstance(f, sp.exp)]
            below = [f.as_base_exp()[0] for f in node.args if f not in above]
            opened = [f for f in above if is_open(f)]
            if len(opened) > 1 or (opened and (any(map(is_open, below)) or any(isinstance(f, BETWEEN_0_AND_1) for f in above))):
                return True
        elif isinstance(node, sp.Add) and len({_is_negative(t) for t in node.args if is_open(t) and not _is_scaled(t)}) > 1:
            return True
    return False


def cancels(expr: sp.Expr, is_share: Callable[[sp.Expr], bool]) -> bool:
    """Is a share taken from a number in ``expr``, or an exponential from another within a logarithm or below a stroke? Where they are
    nearly equal most digits are lost. ``is_share`` knows the names of shares.

    >>> u = sp.Symbol("u")
    >>> cancels(1 - sigmoid(u), lambda name: False), cancels(1 + sigmoid(u), lambda name: False)
    (True, False)
    """
    for node in sp.preorder_traversal(expr):
        if isinstance(node, sp.log) or (isinstance(node, sp.Pow) and node.exp.is_negative):
            inner = node.args[0].args[0] if isinstance(node.args[0], grouped) else node.args[0]
            if isinstance(inner, sp.Add) and len({_is_negative(t) for t in inner.args
                                                  if is_open(t) or isinstance(t.as_coeff_Mul()[1], BETWEEN_0_AND_1)}) > 1:
                return True
        if isinstance(node, log1p) or (isinstance(node, sp.Add) and any(t.is_number for t in node.args)):
            terms = sp.Add.make_args(node.args[0]) if isinstance(node, log1p) else node.args
            negative = [t for t in terms if not t.is_number and _is_negative(t)]
            if any(isinstance(f, BETWEEN_0_AND_1) or is_share(f) for t in negative for f in sp.Mul.make_args(t)):
                return True
    return False


def _is_scaled(term: sp.Expr) -> bool:
    """Has each exponential of a term a scale taken off?"""
    return all(any(t.has(log_share, log_part) or (_is_negative(t) and t.has(grouped, softplus)) for t in sp.Add.make_args(e.args[0]))
               for e in term.atoms(sp.exp) if not any(e in g.atoms(sp.exp) for g in term.atoms(*LOGS)))


def _is_negative(term: sp.Expr) -> bool:
    return bool(term.as_coeff_Mul()[0] < 0)


def is_open(node: sp.Expr) -> bool:
    """Does an exponential stand open in ``node``: under sums, products and powers alone?"""
    if isinstance(node, sp.exp):
        return True
    if isinstance(node, sp.Sum):
        return is_open(node.function)
    if isinstance(node, When):
        return is_open(node.body)
    return isinstance(node, (sp.Add, sp.Mul, sp.Pow)) and any(map(is_open, node.args))
