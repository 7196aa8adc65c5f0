"""SymPy index expressions -> the array tree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import sympy as sp

from symnet.arrays.tree import Apply, Cases, Contract, Labels, Leaf, LogSum, Masked, Node, Number, Softmax
from symnet.core.axes import Range
from symnet.core.expressions import Limits, When, fresh, limits
from symnet.core.functions import TABLE
from symnet.core.program import Definition
from symnet.core.tensors import entry_indices, tensor_name
from symnet.errors import UnknownNodeError


def lower_definition(d: Definition, scalars: Iterable[sp.Symbol] = ()) -> Node:
    """The right side of a definition; ``scalars`` are indices that are plain numbers here, such as a loop's."""
    free = {i: span for i, span in d.free.items() if i not in set(scalars)}
    return Lowering(free).node(fresh(d.expr))


class Lowering:
    """``spans`` gives the range of every index in scope; an index that is not in it is a number."""

    def __init__(self, spans: Mapping[sp.Symbol, Range]) -> None:
        self.spans = dict(spans)

    def node(self, expr: sp.Basic) -> Node:
        """The array for one expression."""
        if isinstance(expr, sp.Indexed) or (isinstance(expr, sp.Symbol) and not expr.is_integer):
            return self._leaf(expr)
        if isinstance(expr, sp.Symbol) or (expr.is_number and not expr.args) or isinstance(expr, sp.Rational):
            return Number((expr,), expr, self.spans[expr]) if expr in self.spans else Number((), expr)
        if isinstance(expr, sp.Sum):
            return self._sum(expr)
        if isinstance(expr, When):
            return self._when(expr)
        if isinstance(expr, sp.Piecewise):
            return self._cases(expr)
        if isinstance(expr, sp.Mul):
            return self._softmax(expr) or self._apply(expr)
        if isinstance(expr, sp.log):
            return self._log_sum(expr.args[0]) or self._apply(expr)
        if isinstance(expr, (sp.Add, sp.Pow)) or expr.func in TABLE:
            return self._apply(expr)
        raise UnknownNodeError("arrays", f"no form for {expr.func.__name__}", "an expression of the program language")

    def _leaf(self, expr: sp.Expr) -> Leaf:
        places = entry_indices(expr)
        labels = tuple(dict.fromkeys(s for e in places for s in _sorted(e.free_symbols) if s in self.spans))
        return Leaf(labels, tensor_name(expr), places, tuple((s, self.spans[s]) for s in labels))

    def _apply(self, expr: sp.Expr) -> Apply:
        args = tuple(self.node(a) for a in expr.args)
        return Apply(union(args), expr.func, args)

    def _inner(self, over: Iterable[Limits]) -> Lowering:
        return Lowering({**self.spans, **{i: (lo, hi) for i, lo, hi in over}})

    def _sum(self, expr: sp.Sum) -> Contract:
        over = limits(expr)
        inside = self._inner(over)
        factors = tuple(inside.node(f) for f in sp.Mul.make_args(expr.function))
        bound = {i for i, _, _ in over}
        return Contract(tuple(s for s in union(factors) if s not in bound), factors, over)

    def _when(self, expr: When) -> Masked:
        body = self.node(expr.body)
        used = tuple(s for s in _sorted(expr.condition.free_symbols) if s in self.spans)
        labels = tuple(dict.fromkeys((*body.labels, *used)))
        return Masked(labels, body, expr.condition, tuple((s, self.spans[s]) for s in labels))

    def _cases(self, expr: sp.Piecewise) -> Cases:
        branches: list[tuple[Node, type | None, Node | None, Node | None]] = []
        for value, condition in expr.args:
            if condition is sp.true:
                branches.append((self.node(value), None, None, None))
            elif isinstance(condition, sp.core.relational.Relational):
                branches.append((self.node(value), condition.func, self.node(condition.lhs), self.node(condition.rhs)))
            else:
                raise UnknownNodeError("arrays", f"the condition {condition}", "one comparison")
        nodes = [n for b in branches for n in (b[0], b[2], b[3]) if n is not None]
        return Cases(union(nodes), tuple(branches))

    def _softmax(self, expr: sp.Mul) -> Node | None:
        """exp(u[k]) · (Σ_k' exp(u[k']))^-1 · rest."""
        for top in expr.args:
            for bottom in expr.args:
                inverse = isinstance(bottom, sp.Pow) and bottom.exp == -1
                if not (isinstance(top, sp.exp) and inverse and _is_exp_sum(bottom.base)):
                    continue
                found = self._matching(top.args[0], bottom.base)
                if found is None:
                    continue
                whole = Softmax(found[0].labels, *found)
                rest = [a for a in expr.args if a not in (top, bottom)]
                if not rest:
                    return whole
                others = tuple(self.node(a) for a in rest)
                return Apply(union((*others, whole)), sp.Mul, (*others, whole))
        return None

    def _matching(self, exponent: sp.Expr, bottom: sp.Sum) -> tuple[Node, Limits] | None:
        (bound, lo, hi), inner = limits(bottom)[0], bottom.function.args[0]
        for free, span in self.spans.items():
            if span == (lo, hi) and inner.xreplace({bound: free}) == exponent:
                return self.node(exponent), (free, lo, hi)
        return None

    def _log_sum(self, inside: sp.Expr) -> Node | None:
        if not _is_exp_sum(inside):
            return None
        over = limits(inside)
        body = self._inner(over).node(inside.function.args[0])
        return LogSum(tuple(s for s in body.labels if s != over[0][0]), body, over[0])


def _is_exp_sum(expr: sp.Basic) -> bool:
    return isinstance(expr, sp.Sum) and len(expr.limits) == 1 and isinstance(expr.function, sp.exp)


def union(nodes: Iterable[Node]) -> Labels:
    """Every label once, in order of first use."""
    return tuple(dict.fromkeys(s for n in nodes for s in n.labels))


def _sorted(symbols: Iterable[sp.Basic]) -> list[sp.Symbol]:
    return sorted(symbols, key=str)
