"""Every use of a tensor in a right side, with the derivative of the right side with respect to that one use.

The walk goes from the top of the expression down and carries the factor "derivative of the whole with respect to this
node", so each local rule is one line: a sum passes it on, a product multiplies by the other factors, a power and the
functions of ``core.functions`` by their derivative, a bound Sum opens under a fresh index. A node without a rule raises.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import sympy as sp

from symnet.core.axes import Range, bounds, nonnegative
from symnet.core.expressions import Limits, When, entries, limits
from symnet.core.functions import TABLE, extremum_slope
from symnet.core.matrices import Det, Grid, InverseEntry, local
from symnet.core.tensors import tensor_name
from symnet.errors import UnknownNodeError


class opaque_exp(sp.Function):  # type: ignore[misc]
    """exp that SymPy leaves alone: exp(a)*exp(b) would become exp(a + b) and hide the softmax inside."""

    nargs = 1
    is_real = True
    is_positive = True


def hide_exp(expr: sp.Expr) -> sp.Expr:
    """exp -> opaque_exp throughout."""
    return _swap(expr, sp.exp, opaque_exp)


def show_exp(expr: sp.Expr) -> sp.Expr:
    """opaque_exp -> exp throughout."""
    return _swap(expr, opaque_exp, sp.exp)


def _swap(expr: sp.Expr, old: type, new: type) -> sp.Expr:
    """A number such as exp(3) stays: it hides nothing, and SymPy must be able to compare it."""
    if not expr.has(old) or (new is opaque_exp and not expr.free_symbols):
        return expr
    args = tuple(_swap(a, old, new) for a in expr.args)
    return new(*args) if isinstance(expr, old) else expr.func(*args)


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One use ``entry`` under the bound indices ``sums`` and brackets ``conditions``; ``factor`` is the derivative."""

    entry: sp.Expr
    factor: sp.Expr
    sums: tuple[Limits, ...]
    conditions: tuple[sp.Basic, ...]


Path = tuple[sp.Expr, sp.Expr, tuple[Limits, ...], tuple[sp.Basic, ...]]


def occurrences(expr: sp.Expr, wanted: frozenset[str], ranges: Mapping[sp.Symbol, Range] | None = None) -> list[Occurrence]:
    """All uses of the ``wanted`` tensors in ``expr`` (whose exps are hidden), like uses under no sum added up. ``ranges`` are those of
    the free indices."""
    found: dict[tuple[sp.Expr, tuple[Limits, ...], tuple[sp.Basic, ...]], sp.Expr] = {}
    stack: list[Path] = [(expr, sp.S.One, (), ())]
    while stack:
        node, factor, sums, conditions = stack.pop()
        if factor is sp.S.Zero or not _uses(node, wanted):
            continue
        if isinstance(node, (sp.Indexed, sp.Symbol)):
            key = (node, sums, conditions)
            found[key] = found.get(key, sp.S.Zero) + factor
        else:
            stack.extend(reversed(list(_open(node, factor, sums, conditions, wanted, ranges or {}))))
    return [Occurrence(e, f, s, c) for (e, s, c), f in found.items() if f is not sp.S.Zero]


def _uses(node: sp.Basic, wanted: frozenset[str]) -> bool:
    return any(tensor_name(e) in wanted for e in entries(node))


def _open(node: sp.Expr, factor: sp.Expr, sums: tuple[Limits, ...], conditions: tuple[sp.Basic, ...],
          wanted: frozenset[str], ranges: Mapping[sp.Symbol, Range]) -> Iterator[Path]:
    if isinstance(node, sp.Sum):
        rename = {i: sp.Dummy(str(i), integer=True) for i, _, _ in limits(node)}
        inner = tuple((rename[i], lo.xreplace(rename), hi.xreplace(rename)) for i, lo, hi in limits(node))
        yield node.function.xreplace(rename), factor, (*sums, *inner), conditions
    elif isinstance(node, (Det, InverseEntry)):
        yield from _open_matrix(node, factor, sums, conditions)
    elif isinstance(node, sp.log) and isinstance(node.args[0], sp.Abs):  # log|u| has the slope 1/u on both sides of 0
        u = node.args[0].args[0]
        yield u, factor / u, sums, conditions
    elif isinstance(node, When):
        yield node.body, factor, sums, (*conditions, node.condition)
    elif isinstance(node, sp.Piecewise):
        yield from _open_cases(node, factor, sums, conditions, wanted, ranges)
    elif isinstance(node, sp.Pow) and _may_be_constant(node.exp, {**ranges, **{i: (lo, hi) for i, lo, hi in sums}}):
        yield node.base, factor * local_derivative(node, 0), sums, (*conditions, sp.Ge(node.exp, 1))
    else:
        for k, arg in enumerate(node.args):
            yield arg, factor * local_derivative(node, k), sums, conditions


def _may_be_constant(exponent: sp.Expr, ranges: Mapping[sp.Symbol, Range]) -> bool:
    """True for an index as an exponent that may be 0 and never is negative: u^0 is 1, with the slope 0 also where u is 0."""
    if not exponent.free_symbols & ranges.keys():
        return False
    span = bounds(sp.expand(exponent), ranges)
    return span is not None and nonnegative(span[0]) and not nonnegative(span[0] - 1)


def _open_matrix(node: Det | InverseEntry, factor: sp.Expr, sums: tuple[Limits, ...],
                 conditions: tuple[sp.Basic, ...]) -> Iterator[Path]:
    """A determinant, or an entry of an inverse, uses every entry of its matrix; what it depends on otherwise are indices."""
    matrix = node.matrix
    if isinstance(matrix, Grid):
        rename = {i: sp.Dummy(str(i), integer=True) for i, _, _ in limits(matrix)}
        row, column = rename.values()
        inner = tuple((rename[i], lo, hi) for i, lo, hi in limits(matrix))
        yield matrix.function.xreplace(rename), factor * local(node, row, column), (*sums, *inner), conditions
    else:
        for k, entry in enumerate(matrix.args):
            row, column = (sp.Integer(p + 1) for p in divmod(k, matrix.count))
            yield entry, factor * local(node, row, column), sums, conditions


def _open_cases(node: sp.Piecewise, factor: sp.Expr, sums: tuple[Limits, ...],
                conditions: tuple[sp.Basic, ...], wanted: frozenset[str], ranges: Mapping[sp.Symbol, Range]) -> Iterator[Path]:
    """One use, one set of cases: each branch with its own derivative; on the borders the branch that holds there is taken.

    The derivative stays inside its branch: next to it, as e^z times {0 if z > 0, 1 otherwise}, it would overflow times 0.
    """
    found: dict[tuple[sp.Expr, tuple[Limits, ...], tuple[sp.Basic, ...]], dict[int, sp.Expr]] = {}
    for k, (branch, _) in enumerate(node.args):
        for use in occurrences(branch, wanted, {**ranges, **{i: (lo, hi) for i, lo, hi in sums}}):
            found.setdefault((use.entry, use.sums, use.conditions), {})[k] = use.factor
    for (entry, inner, brackets), slopes in found.items():
        chosen = sp.Piecewise(*[(slopes.get(k, sp.S.Zero), c) for k, (_, c) in enumerate(node.args)])
        yield entry, factor * chosen, (*sums, *inner), (*conditions, *brackets)


def local_derivative(node: sp.Expr, k: int) -> sp.Expr:
    """∂node/∂(argument k), the other arguments held; raises UnknownNodeError when no rule is known."""
    if isinstance(node, sp.Add):
        return sp.S.One
    if isinstance(node, sp.Mul):
        return sp.Mul(*node.args[:k], *node.args[k + 1:])
    if isinstance(node, sp.Pow):
        base, exponent = node.args
        return exponent * base ** (exponent - 1) if k == 0 else node * sp.log(base)
    if isinstance(node, opaque_exp):
        return node
    if isinstance(node, (sp.Max, sp.Min)):
        return extremum_slope(node, k)
    row = TABLE.get(node.func)
    if row is None or k >= len(row.derivative):
        raise UnknownNodeError("derivative", f"no rule for {node.func.__name__}", "a function of the table in core.functions")
    rule: Callable[..., sp.Expr] = row.derivative[k]
    return hide_exp(rule(*node.args, node))
