"""Where the code divides, or takes a root or a logarithm: what it asks for and the derivation does not is part of the verdict.

x/x is 1 as soon as SymPy sees it; the code, though, has no value at x = 0. So divisors are read off the graph, as the user wrote them.
"""

from __future__ import annotations

from collections.abc import Iterable

import sympy as sp
from flint import fmpq

from symnet.checking.code.nodes import Node
from symnet.checking.code.proving import Prover
from symnet.checking.code.truth import sign_of
from symnet.equality.gap import without_implied
from symnet.equality.holes import holes, surely_defined

DEEP, SHORT = 3, 400  # how often names are spelled out to see a sign; nodes of an expression that is looked at
Hole = tuple[sp.Expr, str]  # u with "=" (u must not be 0), "<=" (u must be positive) or "<" (u must not be negative)


def asked(results: Iterable[Node]) -> dict[tuple[Node, str], None]:
    """What every value of the results asks for; a branch of np.where asks only where it is taken, and is left out."""
    found: dict[tuple[Node, str], None] = {}
    seen: set[Node] = set()
    waiting = list(results)
    while waiting:
        node = waiting.pop()
        if node in seen:
            continue
        seen.add(node)
        waiting += node.args[:1] if node.op == "where" else node.args
        if node.op == "log":
            found[node.args[0], "<="] = None
        elif node.op == "pow" and node.args[1].op == "num":
            exponent: fmpq = node.args[1].value
            if exponent.q != 1:
                found[node.args[0], "<=" if exponent < 0 else "<"] = None
            elif exponent < 0:
                found[node.args[0], "="] = None
    return found


def beyond(prover: Prover, results: Iterable[Node]) -> list[Hole]:
    """What the code asks for beyond the derivation, as far as it is not seen to hold everywhere."""
    own = {(_scaled(u), kind) for e in prover.truth.definitions.values() for u, kind in holes(e)}
    own |= {(_scaled(u), kind) for u, kind in prover.truth.domain.holes}
    found: dict[Hole, None] = {}
    for node, kind in asked(results):
        u = prover.form[node]
        if not any((_scaled(u), stronger) in own for stronger in (kind, "<=")) and not _sure(prover, u, kind):
            found[u, kind] = None
    known = [h for h in prover.truth.domain.holes if any(h[0].free_symbols <= u.free_symbols for u, _ in found)]
    if known:
        found = dict.fromkeys(without_implied(found, known))
    both = [u for u, kind in found if kind == "<" and ((u, "=") in found or (u, "<=") in found)]
    return [(u, kind) for u, kind in dict.fromkeys((u, "<=" if u in both else kind) for u, kind in found)]


def _scaled(u: sp.Expr) -> sp.Expr:
    return u.as_content_primitive()[1] if u.is_Add or u.is_Mul else u


def _sure(prover: Prover, u: sp.Expr, kind: str) -> bool:
    """True when u is seen to be fine for all values, with names spelled out a little."""
    for _ in range(DEEP):
        sign = sign_of(u)
        if sign == "positive" or (sign == "nonnegative" and kind == "<") or surely_defined(u, kind):
            return True
        there = {s: prover.definitions[s] for s in u.free_symbols if s in prover.definitions}
        u = sp.together(u.xreplace(there)) if there and len(u.free_symbols) < SHORT else u
        if kind == "=" and u.is_Mul:
            return all(_sure(prover, a.base if a.is_Pow else a, kind) for a in u.args)
        if not there:
            return False
    return False
