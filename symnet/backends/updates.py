"""An optimizer's program as a NumPy function that changes whole arrays in place: the update is written for one entry and applies to all.

Every operation of the update writes into memory that is there already: a state into the state before it, the parameter into itself, the
rest into a few arrays of scratch. What depends on no array (a rate that a schedule gives, a correction of the step number) is computed
once, as a number.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np

from symnet.arrays.lowering import lower_definition
from symnet.backends.numpy_code import NumpyCode
from symnet.backends.running import function_of
from symnet.backends.source import HELPERS, python_names
from symnet.backends.stable_code import needed
from symnet.core.program import Program

OPERATIONS: dict[type[ast.operator], str] = {ast.Add: "add", ast.Sub: "subtract", ast.Mult: "multiply", ast.Div: "divide", ast.Pow: "power"}
TRUTHS = (np.less, np.less_equal, np.greater, np.greater_equal, np.equal, np.not_equal, np.logical_and, np.logical_or, np.logical_not)


def update_source(program: Program, results: tuple[str, ...]) -> str:
    """The source of ``update(**values)``, which gives the values of ``results``."""
    names = python_names(program)
    lines = [f"    {names[t.name]} = values[{t.name!r}]" for t in program.inputs]
    lines += [f"    {name} = {right}" for name, right in _lines(program, names)]
    lines.append(f"    return {', '.join(names[r] for r in results)},")
    return _module("update(**values)", lines)


@functools.lru_cache(maxsize=32)
def update_function(program: Program, results: tuple[str, ...]) -> Callable[..., tuple[Any, ...]]:
    """``update(w=…, g=…, …)`` for arrays."""
    made: Callable[..., tuple[Any, ...]] = function_of(update_source(program, results), "update")
    return made


def in_place_source(program: Program, changed: tuple[tuple[str, str], ...], read: tuple[str, ...]) -> tuple[str, int]:
    """The source of ``update(arrays, scratch, numbers)`` and how many arrays of scratch it takes.

    ``arrays`` are those of ``changed`` and ``read``, in this order; ``changed`` pairs an array with the line whose value it holds
    afterwards, arrays of ``read`` stay as they are. ``numbers`` maps every other input to a float.
    """
    names = python_names(program)
    arrays = [*[old for old, _ in changed], *read]
    maker = _InPlace({names[old]: names[new] for old, new in changed}, {names[a] for a in arrays})
    lines = _lines(program, names)
    for k, (name, right) in enumerate(lines):
        maker.line(name, ast.parse(right, mode="eval").body, [ast.parse(r, mode="eval").body for _, r in lines[k + 1:]])
    maker.end()
    head = [f"    {', '.join(names[a] for a in arrays)}, = arrays"]
    head += [f"    {names[t.name]} = numbers[{t.name!r}]" for t in program.inputs if t.name not in arrays]
    if maker.most:
        head.append(f"    {', '.join(map(_scratch, range(maker.most)))}, = scratch")
    return _module("update(arrays, scratch, numbers)", [*head, *[f"    {line}" for line in maker.lines]]), maker.most


@final
class InPlaceUpdate:
    """``update(numbers)``: one step of an optimizer on arrays that it holds and changes.

    >>> import numpy as np
    >>> import symnet as sn
    >>> w, g, m = np.ones(2), np.array([1.0, 2.0]), np.zeros(2)
    >>> rule = sn.SGD("1/10", momentum="9/10")
    >>> update = InPlaceUpdate(rule.program, {"w": "w_new", "m": "m_new"}, {"w": w, "m": m, "g": g})
    >>> update({"lr": 0.1, "mu": 0.9})
    >>> w, m
    (array([0.9, 0.8]), array([1., 2.]))
    """

    def __init__(self, program: Program, changed: Mapping[str, str], arrays: Mapping[str, np.ndarray[Any, Any]]) -> None:
        read = [name for name in arrays if name not in changed]
        self.source, most, self._update = _in_place(program, tuple(changed.items()), tuple(read))
        self._arrays = tuple(arrays[name] for name in (*changed, *read))
        self._scratch = tuple(np.empty_like(self._arrays[0]) for _ in range(most))

    def __call__(self, numbers: Mapping[str, float]) -> None:
        self._update(self._arrays, self._scratch, numbers)


@functools.lru_cache(maxsize=32)
def _in_place(program: Program, changed: tuple[tuple[str, str], ...], read: tuple[str, ...]) -> tuple[str, int, Callable[..., None]]:
    source, most = in_place_source(program, changed, read)
    return source, most, function_of(source, "update")


def _lines(program: Program, names: Mapping[str, str]) -> list[tuple[str, str]]:
    code = NumpyCode(program, dict(names))
    return [(names[d.name], code.code(lower_definition(d))) for d in program.definitions]


def _module(head: str, lines: Iterable[str]) -> str:
    text = "\n".join(lines)
    helpers = "".join(f"{HELPERS[name]}\n\n" for name in needed(text, HELPERS))
    return f"import numpy as np\n\ndtype = np.float64\n\n\n{helpers}def {head}:\n{text}\n"


def _scratch(k: int) -> str:
    return f"scratch_{k}"


@dataclass
class _InPlace:
    """Lines of assignments turned into calls that write where there is room."""

    changed: Mapping[str, str]  # array -> the line that it holds in the end
    arrays: set[str]  # the names whose values are arrays, lines among them
    lines: list[str] = field(default_factory=list)
    free: list[int] = field(default_factory=list)
    most: int = 0
    place: dict[str, str] = field(default_factory=dict)  # line -> where its value is
    used: set[str] = field(default_factory=set)  # what later lines read

    def line(self, name: str, right: ast.expr, later: list[ast.expr]) -> None:
        """name = right; ``later`` are the right sides that follow."""
        self.used = {n.id for e in later for n in ast.walk(e) if isinstance(n, ast.Name)}
        if not self.is_array(right):
            self.lines.append(f"{name} = float({ast.unparse(right)})")
            return
        room = next((old for old, new in self.changed.items() if new == name and not self.reads(old)), None)
        where = self.value(right, room)
        self.arrays.add(name)
        self.place[name] = where
        for old in [n for n, at in self.place.items() if n not in self.used and n != name and n not in self.changed.values()]:
            self.release(self.place.pop(old))

    def reads(self, name: str) -> bool:
        """Is this array read by a later line, by its own name or by that of a line which it holds?"""
        return name in self.used or any(at == name and n in self.used for n, at in self.place.items())

    def end(self) -> None:
        """What was not computed where it belongs is copied there: out of every place first that another copy writes to."""
        moves = [(old, self.place.get(new, new)) for old, new in self.changed.items() if self.place.get(new, new) != old]
        written = {old for old, _ in moves}
        for k, (old, source) in enumerate(moves):
            if source in written:
                self.lines.append(f"held_{k} = {source}.copy()")
                moves[k] = (old, f"held_{k}")
        self.lines += [f"{old}[...] = {source}" for old, source in moves]

    def is_array(self, node: ast.AST) -> bool:
        return any(isinstance(n, ast.Name) and n.id in self.arrays for n in ast.walk(node))

    def value(self, node: ast.expr, room: str | None = None) -> str:
        """The name of the array that holds the value of ``node``, or the text of a number; computed into ``room`` where one is given."""
        if not self.is_array(node):
            text = ast.unparse(node)
            return text if isinstance(node, (ast.Name, ast.Constant)) else f"float({text})"
        if isinstance(node, ast.Name):
            return self.place.get(node.id, node.id)
        function, operands = self.operation(node)
        if function is None:  # no operation of NumPy's that can be told where to write
            return self.apart(node)
        held = [self.value(operand) for operand in operands]
        for name in held:
            self.give_back(name)
        if function in {f.__name__ for f in TRUTHS}:
            return self.assigned(f"np.{function}({', '.join(held)})")
        out = room or self.take()
        self.lines.append(f"np.{function}({', '.join(held)}, out={out})")
        return out

    def operation(self, node: ast.expr) -> tuple[str | None, list[ast.expr]]:
        """The name of a ufunc and its operands."""
        if isinstance(node, ast.BinOp) and type(node.op) in OPERATIONS:
            if isinstance(node.op, ast.Pow) and isinstance(node.right, ast.Constant) and node.right.value == 2:
                return "square", [node.left]
            return OPERATIONS[type(node.op)], [node.left, node.right]
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return "negative", [node.operand]
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("np.") and not node.keywords:
            found = getattr(np, ast.unparse(node.func).removeprefix("np."), None)
            if isinstance(found, np.ufunc) and found.nout == 1:
                return found.__name__, node.args
        return None, []

    def apart(self, node: ast.expr) -> str:
        """An expression of another kind: its parts that are arrays first, then an array of its own."""
        maker = self

        class Parts(ast.NodeTransformer):
            def visit_Name(self, part: ast.Name) -> ast.expr:
                return ast.Name(maker.place.get(part.id, part.id))

        return self.assigned(ast.unparse(Parts().visit(ast.parse(ast.unparse(node), mode="eval").body)))

    def assigned(self, text: str) -> str:
        name = f"made_{len(self.lines)}"
        self.lines.append(f"{name} = {text}")
        return name

    def take(self) -> str:
        if not self.free:
            self.free.append(self.most)
            self.most += 1
        return _scratch(self.free.pop())

    def give_back(self, name: str) -> None:
        """A scratch array that no line is held in."""
        if name not in self.place.values():
            self.release(name)

    def release(self, name: str) -> None:
        number = name.removeprefix("scratch_")
        if number != name and name not in self.place.values():
            self.free.append(int(number))
