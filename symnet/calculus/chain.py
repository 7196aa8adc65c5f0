"""The chain rule, once, for everything.

For every use ``u[e]`` in the definition of ``v[i]``, under bound sums k, with local factor g = ∂(right side)/∂(that use)::

    ū[α] += Σ over i, k with e(i, k) = α of  v̄[i] · g

Source: the vector-Jacobian product of reverse-mode differentiation (Linnainmaa 1970; Griewank & Walther 2008, ch. 3) for
index expressions (Laue, Mitterreiter & Giesen 2018).
"""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from symnet.calculus.folding import fold
from symnet.calculus.occurrences import Occurrence, hide_exp, occurrences, show_exp
from symnet.calculus.solving import solve
from symnet.core.axes import Range
from symnet.core.expressions import Limits, When, substitute, total
from symnet.core.program import Definition
from symnet.core.tensors import Tensor, entry_indices, tensor_name


@dataclass(frozen=True, slots=True)
class Term:
    """One summand of a gradient before it is put in its place: α are ``alphas``, restricted to ``spans``."""

    through: Definition
    occurrence: sp.Expr
    upstream: sp.Expr
    local: sp.Expr
    sums: tuple[Limits, ...]
    spans: tuple[Range, ...]
    conditions: tuple[sp.Basic, ...]

    @property
    def expr(self) -> sp.Expr:
        """Σ [conditions] upstream · local."""
        return total(When(self.upstream * self.local, sp.And(*self.conditions)), self.sums)


def terms_of(definition: Definition, wanted: frozenset[str], tensors: dict[str, Tensor],
             alphas: dict[str, tuple[sp.Symbol, ...]], upstream: Tensor | None) -> list[tuple[str, Term]]:
    """The terms that ``definition`` adds to the gradients of the ``wanted`` tensors it uses.

    ``upstream`` is the gradient tensor of the definition's target, None when it is the objective itself (gradient 1).
    """
    right = hide_exp(definition.expr)
    rename = {i: sp.Dummy(str(i), integer=True) for i in definition.free}
    above = upstream[definition.indices] if upstream is not None else sp.S.One
    found = []
    for use in occurrences(right, wanted):
        local = show_exp(fold(use.factor, definition, right))
        name = tensor_name(use.entry)
        found.append((name, _term(definition, use, local, above, rename, tensors[name], alphas[name])))
    return found


def _term(definition: Definition, use: Occurrence, local: sp.Expr, above: sp.Expr,
          rename: dict[sp.Symbol, sp.Symbol], target: Tensor, alphas: tuple[sp.Symbol, ...]) -> Term:
    """Solve for one use. The definition's free indices become summation indices, hence the renaming."""
    free = tuple((rename[i], lo, hi) for i, (lo, hi) in definition.free.items())
    bound = tuple((i, lo.xreplace(rename), hi.xreplace(rename)) for i, lo, hi in use.sums)
    places = tuple(sp.expand(e.xreplace(rename)) for e in entry_indices(use.entry))
    solution = solve(places, alphas, tuple(a.range for a in target.axes), free, bound)

    def place(expr: sp.Expr) -> sp.Expr:
        return flat_indices(substitute(substitute(expr, rename), solution.mapping))

    conditions = tuple(c.xreplace(rename).xreplace(solution.mapping) for c in use.conditions)
    sums = tuple((i, lo.xreplace(solution.mapping), hi.xreplace(solution.mapping)) for i, lo, hi in solution.sums)
    return Term(definition, use.entry, place(above), place(local), sums, solution.spans,
                (*solution.conditions, *conditions))


def flat_indices(expr: sp.Expr) -> sp.Expr:
    """``expr`` with every index multiplied out: x[(i + 1) - 1] is x[i]."""
    changed = {}
    for entry in expr.atoms(sp.Indexed):
        flat = tuple(sp.expand(e) if isinstance(e, (sp.Add, sp.Mul)) else e for e in entry.indices)
        if flat != tuple(entry.indices):
            changed[entry] = entry.base[flat]
    return expr.xreplace(changed) if changed else expr
