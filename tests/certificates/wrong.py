"""Wrong gradients: a line of a derivation with one slip in it, such as people make."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

import sympy as sp

import symnet as sn


def slips(expr: sp.Expr, others: list[sp.Symbol], rng: random.Random) -> Iterator[tuple[str, sp.Expr]]:
    """Other expressions that look like ``expr``."""
    symbols = sorted(expr.free_symbols, key=str)
    yield "the sign", -expr
    yield "a number too much", expr + 1
    yield "twice", 2 * expr
    for s in symbols:
        yield f"without {s}", expr.xreplace({s: sp.S.One})
        yield f"-{s}", expr.xreplace({s: -s})
        yield f"{s} squared", expr.xreplace({s: s**2})
        other = rng.choice([o for o in others if o != s])
        yield f"{other} for {s}", expr.xreplace({s: other})
    for node in sp.preorder_traversal(expr):
        if node.is_Add:
            yield "without a term", expr.xreplace({node: sp.Add(*node.args[1:])})
            yield "a term's sign", expr.xreplace({node: sp.Add(-node.args[0], *node.args[1:])})
        if isinstance(node, sp.Pow) and node.exp.is_Integer:
            yield "another power", expr.xreplace({node: node.base ** (node.exp + 1)})


def wrong_lines(scalars: sn.Derivation, most: int, seed: int = 1) -> list[tuple[str, str, sn.Definition]]:
    """At most ``most`` lines (what is differentiated, the slip, the line) of the backward pass that are not what they should be."""
    rng = random.Random(seed)
    named = {g: u for u, g in scalars.names.items()}
    backward = [d for d in scalars.full.definitions[len(scalars.program.definitions):] if d.name in named]
    symbols = sorted({s for d in scalars.full.definitions for s in d.expr.free_symbols}, key=str)
    found = []
    for d in backward:
        for slip, expr in slips(d.expr, symbols, rng):
            if sp.expand(expr - d.expr) != 0:
                found.append((named[d.name], slip, replace(d, expr=expr)))
    rng.shuffle(found)
    return found[:most]
