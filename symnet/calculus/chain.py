"""The chain rule, once, for everything.

For every use ``u[e]`` in the definition of ``v[i]``, under bound sums k, with local factor g = ∂(right side)/∂(that use)::

    ū[α] += Σ over i, k with e(i, k) = α of  v̄[i] · g

Source: the vector-Jacobian product of reverse-mode differentiation (Linnainmaa 1970; Griewank & Walther 2008, ch. 3) for
index expressions (Laue, Mitterreiter & Giesen 2018).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import sympy as sp

from symnet.calculus.folding import fold
from symnet.calculus.masked_folding import fold_under
from symnet.calculus.occurrences import Occurrence, hide_exp, occurrences, show_exp
from symnet.calculus.solving import pin, solve
from symnet.core.axes import Range
from symnet.core.expressions import Limits, bracketed, substitute, total
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
        """Σ [conditions] upstream · local; a condition on the differentiated entry alone stands in front of the sum."""
        bound = {i for i, _, _ in self.sums}
        inner = [c for c in self.conditions if c.free_symbols & bound]
        outer = [c for c in self.conditions if c not in inner]
        return bracketed(total(bracketed(self.upstream * self.local, sp.And(*inner)), self.sums), sp.And(*outer))


def terms_of(definition: Definition, wanted: frozenset[str], tensors: dict[str, Tensor], alphas: dict[str, tuple[sp.Symbol, ...]],
             upstream: Tensor | None, lead: tuple[sp.Symbol, ...] = ()) -> list[tuple[str, Term]]:
    """The terms that ``definition`` adds to the gradients of the ``wanted`` tensors it uses.

    ``upstream`` is the gradient tensor of the definition's target, None when it is the objective itself (gradient 1).
    ``lead`` are the indices of an objective that is no scalar: they stay fixed, so that the same rule gives a Jacobian.
    """
    right = hide_exp(definition.expr)
    rename = {i: sp.Dummy(str(i), integer=True) for i in definition.free}
    if upstream is None:
        rename |= dict(zip(definition.indices, lead, strict=True))
    above = upstream[(*lead, *definition.indices)] if upstream is not None and upstream.axes else \
        upstream[()] if upstream is not None else sp.S.One
    found = []
    for use in occurrences(right, wanted, definition.free):
        factor, conditions = fold_under(fold(use.factor, definition, right, use.sums), use.conditions, definition, right,
                                        use.sums)
        use, local = replace(use, conditions=conditions), show_exp(factor)
        name = tensor_name(use.entry)
        found.append((name, _term(definition, use, local, above, rename, tensors[name], alphas[name],
                                  frozenset(lead if upstream is None else ()))))
    return found


def _term(definition: Definition, use: Occurrence, local: sp.Expr, above: sp.Expr,
          rename: dict[sp.Symbol, sp.Symbol], target: Tensor, alphas: tuple[sp.Symbol, ...],
          fixed: frozenset[sp.Symbol] = frozenset()) -> Term:
    """Solve for one use. The definition's free indices become summation indices, hence the renaming."""
    free = tuple((rename[i], lo, hi) for i, (lo, hi) in definition.free.items() if rename[i] not in fixed)
    bound = tuple((i, lo.xreplace(rename), hi.xreplace(rename)) for i, lo, hi in use.sums)
    places = tuple(sp.expand(e.xreplace(rename)) for e in entry_indices(use.entry))
    solution = solve(places, alphas, tuple(a.range for a in target.axes), free, bound)

    given = tuple(c.xreplace(rename).xreplace(solution.mapping) for c in use.conditions)
    sums = tuple((i, lo.xreplace(solution.mapping), hi.xreplace(solution.mapping)) for i, lo, hi in solution.sums)
    pinned, sums, given = pin(sums, given, dict(zip(alphas, solution.spans, strict=True)))

    def place(expr: sp.Expr) -> sp.Expr:
        solved = substitute(substitute(expr, rename), solution.mapping)
        return flat_indices(substitute(solved, pinned) if pinned else solved)

    conditions = tuple(c.xreplace(pinned) for c in solution.conditions)
    return Term(definition, use.entry, place(above), place(local), sums, solution.spans, (*conditions, *given))


def flat_indices(expr: sp.Expr) -> sp.Expr:
    """``expr`` with every index multiplied out: x[(i + 1) - 1] is x[i]."""
    changed = {}
    for entry in expr.atoms(sp.Indexed):
        flat = tuple(sp.expand(e) if isinstance(e, (sp.Add, sp.Mul)) else e for e in entry.indices)
        if flat != tuple(entry.indices):
            changed[entry] = entry.base[flat]
    return expr.xreplace(changed) if changed else expr
