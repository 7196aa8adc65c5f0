"""SymPy index expressions -> the array tree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import sympy as sp

from symnet.arrays.canonical import axis_of, sum_with
from symnet.arrays.digits import all_digits
from symnet.arrays.one_hot_sums import gathered, taken
from symnet.arrays.partly_defined import defined
from symnet.arrays.stable_functions import (
    Stable,
    crossed,
    expm1,
    grouped,
    in_language,
    log_others,
    log_share,
    log_total,
    logaddexp,
    other_terms,
    share,
)
from symnet.arrays.stable_functions import others as share_of_others
from symnet.arrays.tree import (
    Apply,
    Cases,
    Contract,
    Crossed,
    Labels,
    Leaf,
    LogSum,
    LogWeighted,
    Masked,
    Node,
    Number,
    OfMatrix,
    Others,
    OtherTerms,
    Scatter,
    Softmax,
)
from symnet.arrays.weighted import split_weight, weighted_exponentials, weighted_shares
from symnet.core.axes import Range, nonnegative
from symnet.core.expressions import Limits, When, asks_data, entries, fresh, limits
from symnet.core.functions import TABLE, sigmoid, softplus
from symnet.core.matrices import AdjugateEntry, Det, Grid, InverseEntry, written_out
from symnet.core.program import Definition
from symnet.core.tensors import Tensor, entry_indices, tensor_name
from symnet.errors import UnknownNodeError


def lower_definition(d: Definition, scalars: Iterable[sp.Symbol] = (), tensors: Mapping[str, Tensor] | None = None) -> Node:
    """The right side of a definition; ``scalars`` are indices that are plain numbers here, such as a loop's.

    With ``tensors`` a sum that a class chooses from becomes a look-up; without, it stays a sum with a bracket, as it is printed.
    """
    free = {i: span for i, span in d.free.items() if i not in set(scalars)}
    return Lowering(free, tensors).node(fresh(d.expr))


SHARES = (share, log_share, share_of_others, log_others)


class Lowering:
    """``spans`` gives the range of every index in scope; an index that is not in it is a number.

    With ``tensors`` the tree is to be computed: the axes of everything made on the way stand in the order of ``spans``, that of the left
    side and then of the sums from outside in, so that little is transposed. Without, axes stand in the order in which they are printed.
    """

    def __init__(self, spans: Mapping[sp.Symbol, Range], tensors: Mapping[str, Tensor] | None = None,
                 under: tuple[sp.Basic, ...] = ()) -> None:
        self.spans = dict(spans)
        self.tensors, self.under = tensors, under

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
        if isinstance(expr, (Det, InverseEntry, AdjugateEntry)):
            return self._of_matrix(expr)
        if isinstance(expr, sp.log):
            return self._log_sum(expr.args[0]) or self._log_det(expr.args[0]) or self._apply(expr)
        if isinstance(expr, SHARES):
            return self._share(expr)
        if isinstance(expr, crossed):
            return self._crossed(*expr.args)
        if isinstance(expr, other_terms):
            return self._other_terms(*expr.args)
        if isinstance(expr, (sp.Add, sp.Pow, Stable)) or expr.func in TABLE:
            return self._apply(expr)
        raise UnknownNodeError("arrays", f"no form for {expr.func.__name__}", "an expression of the program language")

    def _union(self, nodes: Iterable[Node]) -> Labels:
        """Every label once."""
        found = union(nodes)
        return found if self.tensors is None else tuple(s for s in self.spans if s in set(found))

    def _leaf(self, expr: sp.Expr) -> Leaf:
        places = entry_indices(expr)
        labels = tuple(dict.fromkeys(s for e in places for s in letters_in(e) if s in self.spans))
        return Leaf(labels, tensor_name(expr), places, tuple((s, self.spans[s]) for s in labels))

    def _apply(self, expr: sp.Expr) -> Apply:
        args = tuple(self.node(a) for a in expr.args)
        if self.under and not defined(expr):
            args = (self._masked(args[0], sp.And(*self.under), sp.S.One), *args[1:])
        return Apply(self._union(args), expr.func, args)

    def _inner(self, over: Iterable[Limits]) -> Lowering:
        return Lowering({**self.spans, **{i: (lo, hi) for i, lo, hi in reversed(tuple(over))}}, self.tensors, self.under)

    def _bracket(self, condition: sp.Basic) -> Lowering:
        """For what counts under a bracket alone: it is computed at every place, and where the bracket fails its functions are taken at 1,
        at which all are defined. Comparisons of sizes and of loop variables are decided before anything is computed."""
        more = [c for c in sp.And.make_args(condition) if any(s in self.spans for s in c.free_symbols)] if self.tensors is not None else []
        return Lowering(self.spans, self.tensors, (*self.under, *more))

    def _sum(self, expr: sp.Sum) -> Node:
        over = limits(expr)
        inside, body = self._inner(over), expr.function
        if isinstance(body, When):
            digits = all_digits(body.condition, over, self.spans)
            if digits is not None:
                return self.node(body.body.xreplace(digits))
            chosen = self._chosen(body, over)
            if chosen is not None:
                return chosen
        factors = tuple(inside.node(f) for f in _apart(body))
        bound = {i for i, _, _ in over}
        return Contract(tuple(s for s in inside._union(factors) if s not in bound), factors, over)

    def _chosen(self, body: When, over: tuple[Limits, ...]) -> Node | None:
        if self.tensors is None:
            return None
        there = taken(body, over, self.tensors)
        if there is not None:
            return self.node(there)
        rows = gathered(body, over, self.spans)
        if rows is None:
            return None
        node = self._inner(rows.over).node(rows.body)
        bound = {t[0] for t in rows.over}
        others = tuple(s for s in node.labels if s not in bound)
        spans = tuple((s, self.spans[s]) for s in others)
        return Scatter((rows.label, *others), node, rows.place, rows.over, self.spans[rows.label], spans)

    def _when(self, expr: When, outside: sp.Expr = sp.S.Zero) -> Masked:
        return self._masked(self._bracket(expr.condition).node(expr.body), expr.condition, outside)

    def _masked(self, body: Node, condition: sp.Basic, outside: sp.Expr) -> Masked:
        used = tuple(s for s in _sorted(condition.free_symbols) if s in self.spans)
        labels = tuple(dict.fromkeys((*body.labels, *used)))
        return Masked(labels, body, condition, tuple((s, self.spans[s]) for s in labels), outside)

    def _exponent(self, expr: sp.Expr) -> Node:
        """u for exp(u); for [c] exp(u) it is u where c holds and -∞ elsewhere."""
        if isinstance(expr, When):
            return self._when(When(expr.body.args[0], expr.condition), sp.S.NegativeInfinity)
        return self.node(expr.args[0])

    def _of_matrix(self, expr: Det | InverseEntry | AdjugateEntry, kind: str = "det") -> Node:
        if not isinstance(expr.matrix, Grid):
            shown = written_out(expr)
            if shown != expr:
                return self.node(shown)
            raise UnknownNodeError("arrays", "a matrix written out entry by entry", "the program before it was instantiated")
        rows, columns = limits(expr.matrix)
        body = self._inner((columns, rows)).node(expr.matrix.function)  # rows in front
        outer = tuple(s for s in body.labels if s not in (rows[0], columns[0]))
        if isinstance(expr, Det):
            return OfMatrix(outer, kind, body, rows, columns)
        used = tuple(dict.fromkeys(s for e in expr.places for s in _sorted(e.free_symbols) if s in self.spans))
        labels = tuple(dict.fromkeys((*outer, *used)))
        kind = "inv" if isinstance(expr, InverseEntry) else "adj"
        return OfMatrix(labels, kind, body, rows, columns, expr.places, tuple((s, self.spans[s]) for s in used))

    def _log_det(self, inside: sp.Expr) -> Node | None:
        """log det A and log|det A|, from the factors of A: the determinant itself may overflow."""
        if isinstance(inside, sp.Abs) and isinstance(inside.args[0], Det):
            return self._of_matrix(inside.args[0], "logabsdet")
        return self._of_matrix(inside, "logdet") if isinstance(inside, Det) else None

    def _cases(self, expr: sp.Piecewise) -> Cases:
        branches: list[tuple[Node, type | None, Node | None, Node | None]] = []
        for value, condition in _apart_cases(expr.args):
            if condition is sp.true:
                branches.append((self.node(value), None, None, None))
            elif isinstance(condition, sp.core.relational.Relational):
                branches.append((self.node(value), condition.func, self.node(condition.lhs), self.node(condition.rhs)))
            else:
                raise UnknownNodeError("arrays", f"the condition {condition}", "one comparison")
        nodes = [n for b in branches for n in (b[0], b[2], b[3]) if n is not None]
        return Cases(self._union(nodes), tuple(branches))

    def _softmax(self, expr: sp.Mul) -> Node | None:
        """exp(u[k]) · (Σ_k' exp(u[k']))^-1 · rest, with or without a bracket around each exp."""
        for top in expr.args:
            for bottom in expr.args:
                inverse = isinstance(bottom, sp.Pow) and bottom.exp == -1
                if not (_is_exp(top) and inverse and _is_exp_sum(bottom.base)):
                    continue
                found = self._matching(top, bottom.base)
                if found is None:
                    continue
                whole = Softmax(found[0].labels, *found)
                rest = [a for a in expr.args if a not in (top, bottom)]
                if not rest:
                    return whole
                others = tuple(self.node(a) for a in rest)
                return Apply(self._union((*others, whole)), sp.Mul, (*others, whole))
        return None

    def _share(self, expr: sp.Expr) -> Node:
        """One entry of a softmax and its relatives, along the whole axis; at a single place by the log of the sum."""
        e, total = expr.args
        if weighted_exponentials(total) is not None:
            return self._weighted_share(e, total, isinstance(expr, share_of_others))
        logarithm, others = isinstance(expr, (log_share, log_others)), isinstance(expr, (share_of_others, log_others))
        if not _is_exp(e):  # shares by name
            (_, lo, hi), axis = limits(total)[0], axis_of(e, total, self.spans)
            return self.node(1 - e) if axis is None else Others((node := self.node(e)).labels, node, (axis, lo, hi))
        found = self._matching(e, total)
        if found is not None:
            made = Softmax(found[0].labels, *found, logarithm, others)
            return made if isinstance(total, sp.Sum) else self._within(made, self._more(e, total))
        if isinstance(e, When):
            bound = limits(next(iter(total.atoms(sp.Sum))))[0][0]
            raise UnknownNodeError("arrays", f"one place of a softmax over {bound} in brackets", "the whole axis")
        apart = e.args[0] - log_total(total)
        form = {share: sp.exp(apart, evaluate=False), log_share: apart, share_of_others: -expm1(apart), log_others: sp.log(-expm1(apart))}
        return self.node(form[expr.func])

    def _within(self, made: Softmax, more: Node) -> Node:
        """A share of e^more + Σ e^u, from that of S = Σ e^u and σ(log S - more), which S has of it; 1 - p σ is (1 - p) σ + (1 - σ)."""
        body, axis = made.body, made.axis
        inner = LogSum(tuple(s for s in body.labels if s != axis[0]), body, axis)
        d, minus = self._of(sp.Add, inner, self._of(sp.Mul, Number((), sp.S.NegativeOne), more)), Number((), sp.S.NegativeOne)
        turned = self._of(sp.Mul, minus, d)
        if made.logarithm:
            up, down = (self._of(sp.Mul, minus, self._of(softplus, x)) for x in (turned, d))
            whole = self._of(sp.Add, made, up)
            return self._of(logaddexp, whole, down) if made.others else whole
        whole = self._of(sp.Mul, made, self._of(sigmoid, d))
        return self._of(sp.Add, whole, self._of(sigmoid, turned)) if made.others else whole

    def _of(self, function: type, *args: Node) -> Apply:
        return Apply(self._union(args), function, args)

    def _crossed(self, weight: sp.Expr, e: sp.Expr, total: sp.Sum) -> Node:
        """Along the whole axis; at a single place as the difference."""
        found = self._matching(e, total)
        if found is None:
            return self.node(in_language(crossed(weight, e, total)))
        body, axis = found
        front = self.node(weight)
        return Crossed(self._union((body, front)), body, front, axis, None if isinstance(total, sp.Sum) else self._more(e, total))

    def _more(self, e: sp.Expr, total: sp.Expr) -> Node:
        """The logarithm of what a total has besides the sum that e is a term of."""
        own = sum_with(e, total)
        assert own is not None
        return self.node(log_total(total - own))

    def _other_terms(self, own: sp.Expr, total: sp.Sum) -> Node:
        axis = axis_of(own, total, self.spans)
        if axis is None:
            return self.node(grouped(total - own))
        _, lo, hi = limits(total)[0]
        return OtherTerms((node := self.node(own)).labels, node, (axis, lo, hi))

    def _weighted_share(self, e: sp.Expr, total: sp.Sum, others: bool) -> Node:
        """One weighted share along the whole axis; at a single place by the logarithm of the sum."""
        _, lo, hi = limits(total)[0]
        weight, exponent = split_weight(e) or (sp.S.One, e.args[0])
        free = axis_of(e, total, self.spans)
        if free is not None:
            body, front = self.node(exponent), self.node(weight)
            return Softmax(self._union((body, front)), body, (free, lo, hi), others=others, weight=front)
        one = sp.Mul(weight, sp.exp(exponent - sp.log(total), evaluate=False))
        return self.node(1 - one if others else one)

    def _matching(self, top: sp.Expr, bottom: sp.Expr) -> tuple[Node, Limits] | None:
        free = axis_of(top, bottom, self.spans)
        return None if free is None else (self._exponent(top), (free, *self.spans[free]))

    def _log_sum(self, inside: sp.Expr) -> Node | None:
        if isinstance(inside, sp.Sum) and not _is_exp(inside.function):
            return self._log_weighted(inside)
        if not isinstance(inside, sp.Sum):
            return None
        over = limits(inside)
        body = self._inner(over)._exponent(inside.function)
        counts = [hi - lo + 1 for i, lo, hi in over if i not in body.labels]  # as many equal terms
        if not all(nonnegative(n - 1) for n in counts):
            return None
        for axis in over:
            if axis[0] in body.labels:
                body = LogSum(tuple(s for s in body.labels if s != axis[0]), body, axis)
        return Apply(body.labels, sp.Add, (body, self.node(sp.log(sp.Mul(*counts))))) if counts else body


    def _log_weighted(self, inside: sp.Sum) -> Node | None:
        """log Σ w exp(u) and log Σ w p, p the share of exp(u), from one shift, that of the largest exp(u) whose weight is not 0."""
        found = weighted_exponentials(inside) or weighted_shares(inside)
        if found is None:
            return None
        weight, exponent, mean = found
        axis, = limits(inside)
        body, front = (self._inner((axis,)).node(x) for x in (exponent, weight))
        return LogWeighted(tuple(s for s in self._inner((axis,))._union((body, front)) if s != axis[0]), body, front, axis, mean)


def _apart_cases(cases: Iterable[tuple[sp.Expr, sp.Basic]]) -> list[tuple[sp.Expr, sp.Basic]]:
    """The same cases, each with one comparison: c or d is two cases, c and d is a case within a case."""
    made: list[tuple[sp.Expr, sp.Basic]] = []
    rest = list(cases)
    while rest:
        value, condition = rest.pop(0)
        if isinstance(condition, sp.Or):
            rest = [(value, c) for c in condition.args] + rest
        elif isinstance(condition, sp.And):
            first, *others = condition.args
            otherwise = rest or [(sp.nan, sp.true)]
            made.append((sp.Piecewise((value, sp.And(*others)), *otherwise, evaluate=False), first))
        else:
            made.append((value, condition))
    return made


def _is_exp_sum(expr: sp.Basic) -> bool:
    return isinstance(expr, sp.Sum) and len(expr.limits) == 1 and _is_exp(expr.function)


def _is_exp(expr: sp.Basic) -> bool:
    """exp(u), or [c] exp(u)."""
    return isinstance(expr, sp.exp) or (isinstance(expr, When) and isinstance(expr.body, sp.exp))


def _apart(body: sp.Expr) -> tuple[sp.Expr, ...]:
    """The factors under a sum; entries at plain indices stand in front of a bracket: [c] W[o, p] z[i - p] is W[o, p] · [c] z[i - p]."""
    if not isinstance(body, When):
        return tuple(sp.Mul.make_args(body))
    factors = sp.Mul.make_args(body.body)
    if asks_data(body):  # [v = x[n] + 1] E[v, j] is a product of two arrays, the first of zeros and ones
        entries_ = [f for f in factors if isinstance(f, sp.Indexed)]
        return (When(sp.Mul(*[f for f in factors if f not in entries_]), body.condition), *entries_)
    plain = [f for f in factors if isinstance(f, sp.Indexed) and all(p.is_Symbol for p in f.indices)]
    rest = [f for f in factors if f not in plain]
    return (*plain, When(sp.Mul(*rest), body.condition)) if rest else (body,)


def letters_in(place: sp.Expr) -> list[sp.Symbol]:
    """The symbols of a place in a fixed order: those of x[n, t] + 1 as they stand."""
    inner = [s for e in entries(place) for p in entry_indices(e) for s in _sorted(p.free_symbols)]
    return inner or _sorted(place.free_symbols)


def union(nodes: Iterable[Node]) -> Labels:
    """Every label once, in order of first use."""
    return tuple(dict.fromkeys(s for n in nodes for s in n.labels))


def _sorted(symbols: Iterable[sp.Basic]) -> list[sp.Symbol]:
    return sorted(symbols, key=str)
