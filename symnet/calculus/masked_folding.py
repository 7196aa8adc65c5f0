"""Fold under brackets: a masked softmax p = [c] exp(u)/Σ [c] exp(u) has the gradient of a softmax, since p is 0 where c fails."""

from __future__ import annotations

import sympy as sp

from symnet.calculus.folding import Match, take_out
from symnet.core.expressions import Limits, When, entries, substitute
from symnet.core.program import Definition
from symnet.core.tensors import entry_indices


def fold_under(expr: sp.Expr, conditions: tuple[sp.Basic, ...], definition: Definition,
               right: sp.Expr, sums: tuple[Limits, ...]) -> tuple[sp.Expr, tuple[sp.Basic, ...]]:
    """``expr`` with what is left of its brackets: where ``definition`` is p = [c] u/v, a factor u/v under the bracket [c] is p.

    Then the bracket goes, since p is 0 where c fails. It stays where an entry at a shifted place may need it.
    """
    brackets = [f for f in sp.Mul.make_args(right) if isinstance(f, When)]
    if not conditions or len(brackets) != 1 or not isinstance(right, sp.Mul) or not isinstance(expr, sp.Mul):
        return expr, conditions
    bracket = brackets[0]
    bare = sp.Mul(bracket.body, *[f for f in right.args if f is not bracket])
    for condition in conditions:

        def same(match: Match, wanted: sp.Basic = condition) -> bool:
            return bool(substitute(bracket.condition, match) == wanted)

        folded = take_out(expr, definition, bare, sums, same)
        if folded is not None and all(i.is_Symbol for e in entries(folded) for i in entry_indices(e)):
            return folded, tuple(c for c in conditions if c != condition)
    return expr, conditions
