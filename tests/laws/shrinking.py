"""The smallest program that still breaks the same law."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from laws.language import (
    ONE,
    Choice,
    Count,
    Entry,
    Expr,
    Held,
    Number,
    Op,
    Place,
    Power,
    Source,
    Total,
    at,
    children,
    entries,
    letters,
    size_of,
    with_children,
)


def smaller(source: Source) -> Iterator[Source]:
    """Programs that are simpler by one change, the boldest first."""
    if source.kind == "numpy":
        from laws import numpy_programs

        yield from numpy_programs.smaller(source)
        return
    for k in range(len(source.lines) - 1):  # leave a line out
        name = source.lines[k].name
        rest = (*source.lines[:k], *source.lines[k + 1:])
        if all(name not in {e.name for e in entries(o.expr)} for o in rest):
            yield tidy(replace(source, lines=rest, notes={**source.notes, "blocks": ()}))
    for k, line in enumerate(source.lines):
        for new in simpler(line.expr, {x for x, _, _ in line.over} | set(source.sizes)):
            yield tidy(replace(source, lines=(*source.lines[:k], replace(line, expr=new), *source.lines[k + 1:])))
    if source.notes.get("from") == "nouns":
        yield replace(source, notes={**source.notes, "from": "text"})


def simpler(node: Expr, scope: set[str]) -> Iterator[Expr]:
    """Nodes to stand in the place of ``node``: a child, 1, simpler places; then the same below it."""
    if node != ONE and not isinstance(node, Held):
        yield ONE
    inner = scope | {x for x, _, _ in node.over} if isinstance(node, Total) else scope
    for c in children(node):
        if letters(c) - bound(c) <= scope:
            yield c
    match node:
        case Total(body, over):
            for k in range(len(over)):
                rest = (*over[:k], *over[k + 1:])
                if over[k][0] not in letters(body) and rest:
                    yield Total(body, rest)
            for k, (x, lo, hi) in enumerate(over):
                for a, b in ((at(1), hi), (lo, Place(hi.terms, 0 if hi.terms else hi.const)), (lo, hi + 1)):
                    if (a, b) != (lo, hi):
                        yield Total(body, (*over[:k], (x, a, b), *over[k + 1:]))
        case Entry(name, places):
            for k, p in enumerate(places):
                for x in p.names & scope:
                    if p != at(x):
                        yield Entry(name, (*places[:k], at(x), *places[k + 1:]))
        case Power(base, by):
            if by not in (2, 1):
                yield Power(base, 2)
        case Number(v):
            if v not in (1, 2):
                yield Number(type(v)(2))
        case Count(p):
            if p.const or len(p.terms) > 1:
                yield Count(at(p.terms[0][0]))
        case Op(_, a, b):
            if a != ONE and b != ONE:
                yield Op("*", a, b) if not (isinstance(node, Op) and node.sign == "*") else Op("+", a, b)
        case Choice(_, a, b, yes, no):
            yield Choice(">", a, b, yes, no) if node.sign != ">" else Choice(">", a, ONE, yes, no)
        case _:
            pass
    below = children(node)
    for k, c in enumerate(below):
        for new in simpler(c, inner):
            yield with_children(node, (*below[:k], new, *below[k + 1:]))


def bound(node: Expr) -> set[str]:
    """The letters that sums inside bind."""
    from laws.language import walk

    return {x for n in walk(node) if isinstance(n, Total) for x, _, _ in n.over}


def tidy(source: Source) -> Source:
    """Inputs that no line uses are left out (not those that alone tell a size)."""
    used = {e.name for o in source.lines for e in entries(o.expr)}
    needed = {s for o in source.lines for s in letters(o.expr) | {x for _, lo, hi in o.over for x in lo.names | hi.names}} & set(source.sizes)
    keep = [n for n in source.inputs if n in used]
    for s in sorted(needed):
        if not any(s in a.last.names for n in keep for a in source.shapes[n]):
            keep += [n for n in source.inputs if n not in keep and any(s in a.last.names for a in source.shapes[n])][:1]
    inputs = tuple(n for n in source.inputs if n in keep)
    defined = {o.name for o in source.lines}
    sizes = tuple(s for s in source.sizes if any(s in a.last.names for n in inputs for a in source.shapes[n]))
    return replace(source, inputs=inputs, wrt=tuple(n for n in source.wrt if n in inputs), sizes=sizes,
                   positive=source.positive & set(inputs), shapes={n: a for n, a in source.shapes.items() if n in inputs or n in defined})


def shrink(source: Source, fails: Callable[[Source], bool], seconds: float = 60.0) -> Source:
    """A program no change of ``smaller`` to which still fails, or as far as the time goes."""
    end = time.monotonic() + seconds
    best = source
    while True:
        for candidate in sorted(smaller(best), key=size_of):
            if time.monotonic() > end:
                return best
            if measure(candidate) >= measure(best) or not candidate.wrt:
                continue
            try:
                failed = fails(candidate)
            except Exception:
                failed = False
            if failed:
                best = candidate
                break
        else:
            return best


def measure(source: Source) -> tuple[int, int, int]:
    """What shrinking makes smaller: nodes, then the width of the text, then nouns before text."""
    from laws import spelling

    text = "".join(spelling.lines(source))
    return size_of(source), len(text) + text.count("-") + text.count("where"), source.notes.get("from") == "nouns"

