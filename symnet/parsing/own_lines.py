"""An answer's own lines: "s = sigma(z); 2 s (1 - s)" and "2 s (1 - s) where s = sigma(z)" name a part before they use it.

The lines may stand before or behind the answer, in any order; no line may stand for itself, and none may rename what is declared.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Mapping
from dataclasses import replace
from itertools import islice

import sympy as sp

from symnet.core.expressions import BINDERS, fresh, limits, substitute
from symnet.core.program import unfoldings
from symnet.core.tensors import entry_indices, tensor_name
from symnet.errors import NameError_, ParseError
from symnet.indexing.index_array import IndexArray
from symnet.parsing.node import Node
from symnet.parsing.tokens import MAX_LENGTH, plain

OTHER = "the gradient asked for, or the right side alone"
MOST_LINES, MAX_SIZE = 12, 4000  # the second: parts of a line once it is written out, and four times as many for all its uses
CUT = re.compile(r"[;\n,]|\b(?:where|with|let)\b(?!\s*\()|\band\b(?=\s*[A-Za-z]\w*\s*:?=(?!=))")
LINE = re.compile(r"\s*([A-Za-z][A-Za-z0-9_{}]*)\s*(?::=|=)(?!=)(.*\S.*)\Z", re.S)


class OwnLines:
    """The values of the lines, worked out when they are first used."""

    def __init__(self, trees: Mapping[Hashable, Node], value: Callable[[Node], IndexArray], where: str) -> None:
        self.trees, self.value, self.where = trees, value, where
        self.known: dict[Hashable, tuple[IndexArray, int]] = {}
        self.open: list[Hashable] = []
        self.written = 0

    def has(self, key: Hashable) -> bool:
        """True for the name of a line."""
        return key in self.trees

    def get(self, key: Hashable, shown: str) -> IndexArray | None:
        """The value of a line, with bound indices of its own; None when there is no such line."""
        if key not in self.trees:
            return None
        if key in self.open:
            raise NameError_(self.where, f"{shown} stands for itself", "a line without it")
        if key not in self.known:
            self.open.append(key)
            made = self.value(self.trees[key])
            self.open.pop()
            self.known[key] = made, sum(1 for _ in islice(sp.preorder_traversal(made.expr), MAX_SIZE))
        value, size = self.known[key]
        self.written += size
        if size == MAX_SIZE or self.written > 4 * MAX_SIZE:
            raise ParseError(self.where, f"{shown}, which is too long once written out", "a shorter answer")
        return replace(value, expr=fresh(value.expr))

    def finish(self) -> None:
        """Read the lines that the answer does not use, too: what cannot be read is never passed over."""
        for key in self.trees:
            self.get(key, str(key))


def cut(text: str, where: str, asked: Callable[[str], bool | None] = lambda name: None) -> tuple[str, dict[str, str]]:
    """The answer and its lines by name, each with spaces before it so that its columns are those of the whole.

    Where every line has a name the answer is the one that is ``asked`` for, else the last; not one of which ``asked`` says False.

    >>> cut("s = sigma(z); 2 s", "answer")
    ('             2 s', {'s': '   sigma(z)'})
    """
    if len(text) > MAX_LENGTH:
        raise ParseError(where, f"{len(text)} characters", f"at most {MAX_LENGTH}")
    source = plain(text)
    pieces = [(start, end) for start, end in _pieces(source) if source[start:end].strip()]
    lines = {(start, end): LINE.match(source[start:end]) for start, end in pieces}
    if len(pieces) < 2 or not any(lines.values()):
        return text, {}
    rest = [place for place in pieces if lines[place] is None] or [p for p in pieces if asked(_name(lines[p]))][-1:] or pieces[-1:]
    if asked(_name(lines[rest[0]])) is False:
        raise ParseError(f"{where}, column {rest[0][0] + 1}", f"{_name(lines[rest[0]])} on the left of the last line", OTHER)
    if len(rest) > 1:
        raise ParseError(f"{where}, column {rest[1][0] + 1}", "a second answer", "one answer, and lines such as s = sigma(z)")
    if len(pieces) > MOST_LINES:
        raise ParseError(where, f"{len(pieces)} lines", f"at most {MOST_LINES}")
    (start, end), named = rest[0], lines[rest[0]]
    found: dict[str, str] = {}
    for place, match in lines.items():
        if match is not None and place != rest[0]:
            name = _name(match)
            if name in found:
                raise NameError_(where, f"{name!r} is named twice", "one line for each name")
            found[name] = _at(source, place[0] + match.start(2), place[1])
    return _at(source, start + named.start(2) if named else start, end), found


def _name(match: re.Match[str] | None) -> str:
    return "" if match is None else match[1].replace("{", "").replace("}", "")


def _at(source: str, start: int, end: int) -> str:
    return " " * start + source[start:end]


def _pieces(source: str) -> list[tuple[int, int]]:
    """The places between the signs and words that part lines, outside all brackets."""
    if CUT.search(source) is None:
        return [(0, len(source))]
    depth, start, found = 0, 0, []
    at = 0
    while at < len(source):
        depth += (source[at] in "([{") - (source[at] in ")]}")
        match = CUT.match(source, at) if depth == 0 else None
        if match is None:
            at += 1
            continue
        found.append((start, at))
        start = at = match.end()
    return [*found, (start, len(source))]


def same(a: IndexArray, b: IndexArray) -> bool:
    """Do two values say the same, up to the names of their indices? False says nothing."""
    if [x.range for x in a.axes] != [x.range for x in b.axes]:
        return False
    letters = [sp.Symbol(f"_i{k}", integer=True) for k in range(len(a.axes))]
    first, second = (numbered(substitute(v.expr, dict(zip(v.indices, letters, strict=True)))) for v in (a, b))
    return bool(first == second)


def same_or_written_out(a: IndexArray, b: IndexArray, given: Mapping[str, IndexArray]) -> bool:
    """Do two values say the same, as they stand or with what ``given`` says of their names?"""
    return same(a, b) or same(_unfolded(a, given), _unfolded(b, given))


def _unfolded(value: IndexArray, given: Mapping[str, IndexArray]) -> IndexArray:
    """``value`` with what ``given`` says put in for its names, as far as that goes."""
    def right_side(e: sp.Expr) -> sp.Expr | None:
        return fresh(given[tensor_name(e)].at(*entry_indices(e))) if tensor_name(e) in given else None
    expr = value.expr
    for stage in islice(unfoldings(value.expr, right_side), MOST_LINES + 1):
        expr = stage
        if sum(1 for _ in islice(sp.preorder_traversal(expr), MAX_SIZE)) == MAX_SIZE:
            break
    return replace(value, expr=expr)


def numbered(expr: sp.Expr) -> sp.Expr:
    """The expression with the indices that sums bind named by their order."""
    bound = dict.fromkeys(i for node in sp.preorder_traversal(expr) if isinstance(node, BINDERS) for i, _, _ in limits(node))
    return expr.xreplace({i: sp.Symbol(f"_b{k}", integer=True) for k, i in enumerate(bound)})


def key_of(node: Node) -> Hashable:
    """A name in LaTeX, apart from where it stands."""
    return (node.kind, node.text, *map(key_of, node.args))
