"""What may come to ∞/∞, 0/0 or 0·∞ in a machine as it is written."""

from __future__ import annotations

import sympy as sp

from symnet.arrays.stable_functions import bell, part, share
from symnet.core.expressions import When
from symnet.core.functions import sigmoid

SHARES = (share, sigmoid, part, bell)  # they may be 0


def indefinite(expr: sp.Expr) -> bool:
    """May ``expr`` come to ∞/∞, 0/0 or 0·∞ in a machine? True where a product has an exponential above the stroke and one below, or one and
    a share, which may be 0; what stands within a function of its own is not looked into.

    >>> x, y = sp.symbols("x y")
    >>> indefinite(sp.exp(x)/(1 + sp.exp(y))), indefinite(1 + sp.exp(x)), indefinite(sp.exp(x - sp.log(1 + sp.exp(y)), evaluate=False))
    (True, False, False)
    """
    for node in sp.preorder_traversal(expr):
        if isinstance(node, sp.Mul):
            above = [f for f in node.args if not f.as_base_exp()[1].could_extract_minus_sign() or isinstance(f, sp.exp)]
            below = [f.as_base_exp()[0] for f in node.args if f not in above]
            if any(map(_raw, above)) and (any(map(_raw, below)) or any(isinstance(f, SHARES) for f in above)):
                return True
    return False


def _raw(node: sp.Expr) -> bool:
    """Does an exponential stand open in a node: under sums, products and powers alone?"""
    if isinstance(node, sp.exp):
        return True
    if isinstance(node, sp.Sum):
        return _raw(node.function)
    if isinstance(node, When):
        return _raw(node.body)
    return isinstance(node, (sp.Add, sp.Mul, sp.Pow)) and any(map(_raw, node.args))
