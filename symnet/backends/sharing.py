"""What several lines of a module compute is computed once: common subexpressions, in the text of the lines (Aho et al. 2006, 8.5).

The lines that stand outside of loops are read as a graph in which equal texts are one node; a node with several users gets a line of its
own, right before the first of them. What reads an array that is still being filled is left alone. Functions that begin with the same work,
such as a softmax and its logarithm, are first written as what they make of it (``FAMILIES``), where more than one of them is asked for.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import count
from typing import final

from symnet.backends.brackets import whole

# the common work, and each function as what it makes of it; {0}, {1} are its arguments
FAMILIES: dict[str, dict[str, str]] = {
    "rest({0}, {1})": {"softmax": "shares(rest({0}, {1}))", "others": "othersof(rest({0}, {1}))",
                       "logsoftmax": "logshares({0}, rest({0}, {1}))", "logsumexp": "logtotal(rest({0}, {1}), {1})"},
    "falling({0})": {"sigmoid": "(np.where({0} < 0, falling({0}), 1)*(1/(1 + falling({0}))))",
                     "sigmoid of -z": "(np.where({0} < 0, 1, falling({0}))*(1/(1 + falling({0}))))",
                     "bell": "((falling({0})*(1/(1 + falling({0}))))*(1/(1 + falling({0}))))"},
}
MEMBERS = {name: (work, form) for work, forms in FAMILIES.items() for name, form in forms.items()}
CHEAP = {"reshape", "transpose", "squeeze", "copy", "broadcast_to", "asarray", "arange", "zeros", "array"}  # views; arrays to be filled
WORK = (ast.Call, ast.BinOp, ast.Compare)
MAYBE = (ast.IfExp, ast.Lambda, ast.GeneratorExp, ast.ListComp, ast.BoolOp)  # computed under a condition, or often


def shared(lines: Sequence[str], scalars: Collection[str], taken: Collection[str]) -> list[str]:
    """The lines of a function with common work done once. ``scalars`` are names of plain numbers, whose sums cost nothing; ``taken`` are
    names that no new line may use.

    >>> shared(["a = np.exp(z)*w", "b = np.exp(z)*y"], (), ())
    ['s1 = np.exp(z)', 'a = s1*w', 'b = s1*y']
    >>> shared(["p = softmax(z, 1)", "L = logsoftmax(z, 1).sum()"], (), ())
    ['s1 = rest(z, 1)', 'p = shares(s1)', 'L = logshares(z, s1).sum()']
    """
    statements = [_statement(line) for line in lines]
    made = _by_family(lines, statements)
    again = [s if line == before else _statement(line) for line, before, s in zip(made, lines, statements, strict=True)]
    return list(_Sharing(made, again, scalars, taken).lines())


def _statement(line: str) -> ast.Assign | None:
    """An assignment that stands in no loop and under no condition."""
    if line[:1].isspace() or line.startswith(("for ", "if ")):
        return None
    found = ast.parse(line).body[0]
    if not line.isascii():  # the parser counts bytes
        for node in ast.walk(found):
            if isinstance(node, ast.expr):
                ends = (node.col_offset, node.end_col_offset or 0)
                node.col_offset, node.end_col_offset = (len(line.encode()[:end].decode()) for end in ends)
    return found if isinstance(found, ast.Assign) else None


def _by_family(lines: Sequence[str], statements: Sequence[ast.Assign | None]) -> list[str]:
    """Functions of one family with the same arguments, as what they make of their common work."""
    if not any(f"{name}(" in line for line in lines for name in MEMBERS):
        return list(lines)
    shares = dict(_softmaxes(lines, statements))
    asked: dict[tuple[str, ...], set[str]] = {}
    for call in (n for s in statements if s is not None for n in ast.walk(s.value)):
        if (key := _member(call, shares)) is not None:
            asked.setdefault(key[1:], set()).add(key[0])

    def form(node: ast.expr, text: str) -> str | None:
        key = _member(node, shares)
        if key is None or len(asked[key[1:]]) < 2:
            return None
        return MEMBERS[key[0]][1].format(*key[2:])

    return [line if s is None else _with_value(line, s, form) for line, s in zip(lines, statements, strict=True)]


def _softmaxes(lines: Sequence[str], statements: Sequence[ast.Assign | None]) -> Iterator[tuple[str, ast.Call]]:
    """The names that stand for a softmax whose argument is written before it and never again."""
    written = dict(_writes(lines, statements))
    for at, s in enumerate(statements):
        if s is not None and isinstance(s.value, ast.Call) and isinstance(s.value.func, ast.Name) and s.value.func.id == "softmax":
            (target,) = s.targets
            read = [n.id for n in ast.walk(s.value) if isinstance(n, ast.Name)]
            if isinstance(target, ast.Name) and written[target.id] == at and all(written.get(name, -1) < at for name in read):
                yield target.id, s.value


def _member(node: ast.AST, shares: Mapping[str, ast.Call]) -> tuple[str, ...] | None:
    """(function, its common work, the arguments of that) of a call of one of a family; others(p, axis) is one for a softmax p, and
    sigmoid(-z) is 1 - sigmoid(z)."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MEMBERS):
        return None
    name, args = node.func.id, [ast.unparse(a) for a in node.args]
    if name == "sigmoid" and isinstance(node.args[0], ast.UnaryOp) and isinstance(node.args[0].op, ast.USub):
        name, args = "sigmoid of -z", [ast.unparse(node.args[0].operand)]
    if name == "others":
        of = shares.get(args[0]) if isinstance(node.args[0], ast.Name) else node.args[0]
        found = None if of is None else _member(of, shares)
        if found is None or found[0] != "softmax" or found[3] != args[1]:
            return None
        args = list(found[2:])
    return (name, MEMBERS[name][0], *args)


def _writes(lines: Sequence[str], statements: Sequence[ast.Assign | None]) -> Iterator[tuple[str, int]]:
    """Every name with the number of each line that writes it or into it."""
    for at, (line, statement) in enumerate(zip(lines, statements, strict=True)):
        block = " pass" if line.rstrip().endswith(":") else ""
        for node in ast.walk(ast.parse(line.strip() + block) if statement is None else statement):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                yield node.id, at
            elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store) and isinstance(node.value, ast.Name):
                yield node.value.id, at


CALLED = re.compile(r"[\w\])]$")  # what stands before the bracket of a call
Form = Callable[[ast.expr, str], str | None]


def _with_value(line: str, statement: ast.Assign, form: Form, inner: bool = False) -> str:
    """The line with its right side rewritten."""
    start, end = statement.value.col_offset, statement.value.end_col_offset or 0
    left = line[:start].rstrip("(")
    right = line[len(left):start] + _text(statement.value, line, form, inner) + line[end:]
    return left + (right[1:-1] if whole(right) and right != line[len(left):] else right)


def _text(node: ast.expr, text: str, form: Form, inner: bool = False) -> str:
    """The text of a node, the parts for which ``form`` has another text replaced, from the outside in; ``inner``: of the parts alone."""
    made = None if inner else form(node, text)
    if made is not None:
        return made
    start, end = node.col_offset, node.end_col_offset or 0
    out, at = "", start
    for part in sorted(_parts(node), key=lambda n: n.col_offset):
        new = _text(part, text, form)
        out, at = out + text[at:part.col_offset] + new, part.end_col_offset or 0
        if new.isidentifier() and out[:-len(new)].endswith("(") and text[at:at + 1] == ")" and not CALLED.search(out[:-len(new) - 1]):
            out, at = out[:-len(new) - 1] + new, at + 1  # a name needs no brackets
    return out + text[at:end]


def _parts(node: ast.AST) -> Iterator[ast.expr]:
    """The expressions directly below a node."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):
            yield child
        elif not isinstance(child, (ast.expr_context, ast.operator, ast.unaryop, ast.cmpop)):
            yield from _parts(child)  # a keyword, a slice


@final
class _Sharing:
    """The graph of the lines."""

    def __init__(self, lines: Sequence[str], statements: Sequence[ast.Assign | None], scalars: Collection[str],
                 taken: Collection[str]) -> None:
        self.source, self.statements = lines, statements
        self.plain = {*scalars, "np", "dtype"}
        self.filled = dict(_writes(lines, statements))  # the last line counts
        used = {*taken, *self.filled}
        self.fresh = (name for k in count(1) if (name := f"s{k}") not in used)
        self.keys: dict[ast.expr, str] = {}
        self.users: Counter[str] = Counter()
        for at, statement in enumerate(self.statements):
            if statement is not None and self._name(statement, at) is not None:
                self._count(statement.value, at)
            elif statement is not None:  # the right side has no name for others
                for part in _parts(statement.value):
                    self._count(part, at)
        self.names: dict[str, str] = {}
        self.unnamed: set[str] = set()  # the new names that no line of the program has taken for its whole right side

    def _name(self, statement: ast.Assign, at: int) -> str | None:
        """The name that a line gives to its right side; None where a place of an array is filled, or will be."""
        (target,) = statement.targets
        return target.id if isinstance(target, ast.Name) and self.filled[target.id] == at else None

    def _key(self, node: ast.expr, at: int) -> str | None:
        """The text of a node whose work may be shared at a line; None for a node that costs nothing or whose arrays are not filled yet."""
        if not isinstance(node, WORK):
            return None
        called = node.func if isinstance(node, ast.Call) else None
        if (called.attr if isinstance(called, ast.Attribute) else called.id if isinstance(called, ast.Name) else "") in CHEAP:
            return None
        functions = {n.func.id for n in ast.walk(node) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
        read = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)} - functions
        if not read - self.plain or any(self.filled.get(name, -1) >= at for name in read):
            return None
        return ast.unparse(node)

    def _count(self, node: ast.expr, at: int) -> None:
        if isinstance(node, MAYBE):
            return
        key = self._key(node, at)
        if key is not None:
            self.keys[node] = key
            self.users[key] += 1
            if self.users[key] > 1:
                return
        for part in _parts(node):
            self._count(part, at)

    def lines(self) -> Iterator[str]:
        """All lines, the new ones included."""
        for at, (line, statement) in enumerate(zip(self.source, self.statements, strict=True)):
            if statement is None:
                yield line
                continue
            made: list[str] = []
            form = self._form(made)
            key, name = self.keys.get(statement.value), self._name(statement, at)
            taken = key is not None and name is not None and self.names.get(key) in self.unnamed
            new = _with_value(line, statement, form, inner=not taken)
            if taken and key is not None:  # a result shares its memory with no other
                self.unnamed.discard(self.names[key])
            elif key is not None and name is not None:
                self.names.setdefault(key, name)
            yield from made
            yield new

    def _form(self, made: list[str]) -> Form:
        def form(node: ast.expr, text: str) -> str | None:
            key = self.keys.get(node)
            if key is None or self.users[key] < 2:
                return None
            if key not in self.names:
                right = _text(node, text, form, inner=True)
                self.names[key] = next(self.fresh)
                self.unnamed.add(self.names[key])
                made.append(f"{self.names[key]} = {right}")
            return self.names[key]
        return form
