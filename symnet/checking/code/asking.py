"""Where the code divides, or takes a root or a logarithm: what it asks for and the derivation does not is part of the verdict.

x/x is 1 as soon as SymPy sees it; the code, though, has no value at x = 0. So divisors are read off the graph, as the user wrote them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import sympy as sp
from flint import fmpq

from symnet.checking.code.nodes import Node
from symnet.checking.code.proving import Prover
from symnet.checking.code.truth import sign_of
from symnet.equality.difference_is_zero import ruled_out, without_implied
from symnet.equality.domain_conditions import holes
from symnet.equality.fractions import TooLarge
from symnet.equality.regions import excluded
from symnet.errors import SymnetError

DEEP, SHORT = 3, 400  # how often names are spelled out to see a sign; nodes of an expression that is looked at
Hole = tuple[sp.Expr, str]  # u with "=" (u must not be 0), "<=" (u must be positive) or "<" (u must not be negative)


Guards = tuple[tuple[Node, bool], ...]  # conditions, and whether they hold


def asked(results: Iterable[Node]) -> dict[tuple[Node, str], Guards]:
    """What the values of the results ask for, each with the conditions of np.where under which it is looked at: none where it always is."""
    found: dict[tuple[Node, str], Guards] = {}
    seen: set[Node] = set()
    waiting: list[tuple[Node, Guards]] = [(node, ()) for node in results]
    while waiting:
        guarded = list[tuple[Node, Guards]]()
        while waiting:
            node, guards = waiting.pop()
            if node in seen:
                continue
            seen.add(node)
            if node.op == "where":
                condition, yes, no = node.args
                waiting.append((condition, guards))
                guarded += [(yes, (*guards, (condition, True))), (no, (*guards, (condition, False)))]
            else:
                waiting += [(a, guards) for a in node.args]
            for hole in _own(node):
                found.setdefault(hole, guards)
        waiting = guarded  # what is met without a condition, or with fewer, comes first
    return found


def _own(node: Node) -> Iterator[tuple[Node, str]]:
    if node.op == "log":
        yield node.args[0], "<="
    elif node.op == "pow" and node.args[1].op == "num":
        exponent: fmpq = node.args[1].value
        if exponent.q != 1:
            yield node.args[0], "<=" if exponent < 0 else "<"
        elif exponent < 0:
            yield node.args[0], "="


def beyond(prover: Prover, results: Iterable[Node]) -> list[Hole]:
    """What the code asks for beyond the derivation, as far as it is not seen to hold everywhere, or where it is asked for."""
    own = {(_scaled(u), kind) for e in prover.truth.definitions.values() for u, kind in holes(e)}
    own |= {(_scaled(u), kind) for u, kind in prover.truth.domain.holes}
    found: dict[Hole, None] = {}
    for (node, kind), guards in asked(results).items():
        u = prover.form[node]
        if not any((_scaled(u), stronger) in own for stronger in (kind, "<=")) and not _sure(prover, u, kind) and \
                not _ruled_out(prover, u, kind, guards):
            found[u, kind] = None
    known = [h for h in prover.truth.domain.holes if any(h[0].free_symbols <= u.free_symbols for u, _ in found)]
    if known:
        found = dict.fromkeys(without_implied(found, known))
    both = [u for u, kind in found if kind == "<" and ((u, "=") in found or (u, "<=") in found)]
    return [(u, kind) for u, kind in dict.fromkeys((u, "<=" if u in both else kind) for u, kind in found)]


def _ruled_out(prover: Prover, u: sp.Expr, kind: str, guards: Guards) -> bool:
    """True when the conditions under which it is looked at exclude the hole."""
    facts = [fact for condition, holds in guards for fact in _facts(prover, condition, holds)]
    if kind == "=" and any(sign == "!=" and _scaled(v) in (_scaled(u), _scaled(-u)) for v, sign in facts):
        return True
    told = tuple((v, sign == ">") for v, sign in facts if sign != "!=")
    try:
        return bool(told) and excluded(u, kind, told)
    except (TooLarge, SymnetError, ZeroDivisionError, RecursionError):
        return False


def _facts(prover: Prover, condition: Node, holds: bool) -> list[tuple[sp.Expr, str]]:
    """What a condition says: (u, ">"), (u, ">=") or (u, "!=") against 0."""
    if condition.op == "not":
        return _facts(prover, condition.args[0], not holds)
    if condition.op == ("and" if holds else "or"):
        return [fact for a in condition.args for fact in _facts(prover, a, holds)]
    if condition.op not in ("gt", "ge", "eq") or any(a not in prover.form for a in condition.args):
        return []
    a, b = (prover.form[x] for x in condition.args)
    if condition.op == "eq":
        return [(a - b, ">="), (b - a, ">=")] if holds else [(a - b, "!=")]
    return [(a - b, ">" if condition.op == "gt" else ">=")] if holds else [(b - a, ">=" if condition.op == "gt" else ">")]


def _scaled(u: sp.Expr) -> sp.Expr:
    return u.as_content_primitive()[1] if u.is_Add or u.is_Mul else u


def _sure(prover: Prover, u: sp.Expr, kind: str) -> bool:
    """True when u is seen to be fine for all values, with names spelled out a little."""
    for _ in range(DEEP):
        sign = sign_of(u)
        if sign == "positive" or (sign == "nonnegative" and kind == "<") or ruled_out(u, kind):
            return True
        there = {s: prover.definitions[s] for s in u.free_symbols if s in prover.definitions}
        u = sp.together(u.xreplace(there)) if there and len(u.free_symbols) < SHORT else u
        if kind == "=" and u.is_Mul:
            return all(_sure(prover, a.base if a.is_Pow else a, kind) for a in u.args)
        if not there:
            return False
    return False
