"""What a traced function asks of its values, by dividing or taking a root or a logarithm, as far as no line of its program shows it."""

from __future__ import annotations

from collections.abc import Mapping

import sympy as sp

from symnet.core.expressions import When, asked_of, limits, unlettered
from symnet.core.program import Definition, Hole, Program
from symnet.indexing.entrywise import Scale, marked
from symnet.indexing.graph import Graph, Op, unsupported
from symnet.indexing.lowering import GraphLowering


def asked_by(writer: GraphLowering, made: Program, where: str) -> tuple[Hole, ...]:
    """Where the code divides, or takes a root or a logarithm, of what may be 0 or negative, as far as no line shows it: x/x is 1 at once.

    What np.where or torch.where looks at in some places alone is refused: where it has no value is not seen.
    """
    graph, found = writer.graph, dict[Hole, None]()
    guarded = set[int]()
    needed = graph.needed(writer.output)
    for k in reversed(needed):
        op = graph.ops[k]
        if op.kind == "map" and op.more[0] in ("select", "and", "or"):
            guarded.update(op.args[op.more[0] == "select":])
        elif k in guarded:
            guarded.update(op.args)
    lines = {d.name: d for d in made.definitions}
    shown = set[tuple[sp.Expr, str]]().union(*(asked_of(d.expr) for d in made.definitions))
    for k in needed:
        for arg, sign in _asks(graph, graph.ops[k]):
            v = writer.values[arg]
            whole = v.expr + 1 if graph.ops[k].more[0] == "log1p" else v.expr
            if not isinstance(whole, sp.Expr) or _sure(whole, sign, lines):
                continue
            if k in guarded or marked(whole):
                raise unsupported("a division, root or logarithm that a choice or a mask guards", where,
                                  "a formula that holds for all sizes")
            over = tuple((i, *a.range) for i, a in v.parts if i in whole.free_symbols)
            for u in sp.Mul.make_args(whole) if sign == "=" else (whole,):
                if not _sure(u, sign, lines) and shown.isdisjoint({(unlettered(u), sign), (unlettered(u), "<=")}):
                    found[u, sign, over] = None
    return tuple(found)


def _asks(graph: Graph, op: Op) -> list[tuple[int, str]]:
    """The arguments that must not be 0 ("="), must be positive ("<=") or not negative ("<")."""
    if op.kind != "map":
        return []
    name = op.more[0]
    if name == "div":
        return [(op.args[1], "=")]
    if name in ("log", "log1p", "sqrt", "rsqrt"):
        return [(op.args[0], "<" if name == "sqrt" else "<=")]
    if name == "pow":
        exponent = graph.ops[op.args[1]]
        power = exponent.more[0] if exponent.kind == "number" else None
        if power is None or not power.is_Rational:
            return [(op.args[0], "<=")]
        return [] if power.is_Integer and power >= 0 else [(op.args[0], "=" if power.is_Integer else "<" if power > 0 else "<=")]
    return []


def _sure(u: sp.Expr, sign: str, lines: Mapping[str, Definition]) -> bool:
    """Has it a value everywhere, as is seen at once? A name stands for its line."""
    if isinstance(u, sp.Indexed) and str(u.base.label) in lines:
        return _sure(lines[str(u.base.label)].expr, sign, lines)
    if isinstance(u, sp.Symbol) and u.name in lines:
        return _sure(lines[u.name].expr, sign, lines)
    if isinstance(u, sp.Mul):
        return all(_sure(a, sign, lines) for a in u.args)
    if isinstance(u, sp.Add):
        return all(_sure(a, "<", lines) for a in u.args) and (sign == "<" or any(_sure(a, "<=", lines) for a in u.args))
    if isinstance(u, sp.Sum):
        whole = all(lo == 1 and hi.is_positive for _, lo, hi in limits(u))  # at least one term
        return not u.function.has(When) and _sure(u.function, "<" if sign == "<" else "<=", lines) and (whole or sign == "<")
    if isinstance(u, sp.Pow) and u.exp.is_Rational:
        return _sure(u.base, "<=", lines) or (sign == "<" and bool(u.exp.is_even))
    if isinstance(u, (sp.exp, Scale)):
        return True
    return bool(u.is_positive or (sign == "<" and u.is_nonnegative) or (sign == "=" and u.is_nonzero))
