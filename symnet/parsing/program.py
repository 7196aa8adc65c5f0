"""Lines of plain maths -> a Program."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sympy as sp

from symnet.core.axes import Axis, Range
from symnet.core.expressions import as_written
from symnet.core.labels import Labels, extend, relabel
from symnet.core.program import Assumption, Definition, Program
from symnet.core.tensors import Role, Tensor
from symnet.errors import NameError_, ParseError, ShapeError
from symnet.parsing.asking import with_holes
from symnet.parsing.declaring import axis_of, check_name, tensor_of
from symnet.parsing.expressions import expression
from symnet.parsing.functions import FUNCTIONS, is_condition
from symnet.parsing.grammar import Node, Parser
from symnet.parsing.lowering import CONSTANTS, Lowering
from symnet.parsing.tokens import plain
from symnet.parsing.values import Value

__all__ = ["Line", "assumptions_of", "axis_of", "check_name", "expression", "free_names", "program", "split", "tensor_of"]

ASSIGN = re.compile(r"\s*([^=<>!:]+?)\s*(?::=|=)(?!=)\s*(.*)\Z", re.S)
LEFT = re.compile(r"([A-Za-z][A-Za-z0-9_]*)\s*(?:\[([^\[\]]*)\])?\Z")


@dataclass(frozen=True, slots=True)
class Line:
    """One definition as text: ``name``, the index texts on its left (None when it has none) and its right side."""

    name: str
    places: tuple[str, ...] | None
    right: str
    where: str


def split(text: str, where: str) -> Line:
    """Take "z[l, i] = …" apart."""
    match = ASSIGN.match(plain(text))
    if match is None or not match[2].strip():
        raise ParseError(where, f"no definition in {text!r}", "name = expression")
    left = LEFT.match(match[1])
    if left is None:
        raise ParseError(where, f"the left side {match[1]!r}", "a name, or a name with indices such as z[l, i]")
    check_name(left[1], where)
    places = None if left[2] is None else tuple(p.strip() for p in left[2].split(","))
    return Line(left[1], places, match[2], where)


def program(*lines: str, tensors: Mapping[str, Any] | None = None, objective: str | None = None,
            assumptions: Sequence[str] = (), title: str = "") -> Program:
    """A Program from lines of plain maths; the last line is the objective.

    ``tensors`` maps names to shapes (sizes are integers or names; () is a number) or Tensors. Without it every name that
    is not defined is a number. ``objective`` may be the name of a line or an expression. Raises ParseError, NameError_ or
    ShapeError naming line and column.

    >>> print(program("z = w*x + b", "a = sigmoid(z)", "L = (a - y)**2"))
    z := b + w*x
    a := sigmoid(z)
    L := (a - y)**2
    """
    parts = [split(text, f"line {k}") for k, text in enumerate(lines, start=1)]
    goal = ""
    if objective is not None:
        if any(p.name == objective for p in parts):
            goal = objective
        else:
            goal = _goal_name({p.name for p in parts} | set(tensors or {}))
            parts.append(Line(goal, None, objective, "objective"))
    if not parts:
        raise ParseError("program", "no lines", "at least one definition")
    known = {name: tensor_of(name, spec) for name, spec in tensors.items()} if tensors is not None else _scalars(parts)
    with as_written():
        return _build(parts, known, goal, assumptions, title)


def _goal_name(taken: set[str]) -> str:
    return next(name for name in ("L", "J", "loss", "objective", "L_") if name not in taken)


def _build(parts: list[Line], known: dict[str, Tensor], goal: str, assumptions: Sequence[str], title: str) -> Program:
    sizes = {str(s): s for t in known.values() for a in t.axes for e in a.range for s in e.free_symbols}
    clash = sorted(set(sizes) & set(known))
    if clash:
        raise NameError_(f"size {clash[0]}", "the name is also a tensor", "different names for sizes and tensors")
    defined = {p.name for p in parts}
    table = dict(known)
    definitions = []
    for part in parts:
        made = _definition(part, table, sizes)
        table[part.name] = made.target
        definitions.append(made)
    labels = Labels(table.values(), definitions, sizes)
    definitions = [_named(d, labels) for d in definitions]
    inputs = tuple(t for name, t in known.items() if name not in defined)
    declared = tuple(_assumption(a, table, sizes, labels) for a in assumptions)
    return Program(inputs, tuple(definitions), goal or definitions[-1].name, declared, title)


def _scalars(parts: list[Line]) -> dict[str, Tensor]:
    """Every name that no line defines, as a number."""
    defined = {p.name for p in parts}
    found: dict[str, Tensor] = {}
    for part in parts:
        for name in _names(Parser(part.right, part.where, FUNCTIONS).whole()):
            if name not in defined and name not in CONSTANTS:
                check_name(name, part.where)
                found[name] = Tensor(name, role=Role.INPUT)
    return found


def _names(node: Node) -> Iterable[str]:
    bound = {a.text for a in node.args[1::3]} if node.kind == "sum" else set()
    if node.kind == "name":
        yield node.text
    for arg in node.args:
        yield from (n for n in _names(arg) if n not in bound)
    if node.kind != "call":
        return
    for _, value in node.keywords:
        yield from (n for n in _names(value) if n not in ("True", "False"))


def _definition(part: Line, table: Mapping[str, Tensor], sizes: Mapping[str, sp.Symbol]) -> Definition:
    tree = Parser(part.right, part.where, FUNCTIONS).whole()
    old = table.get(part.name)
    if part.places is None:
        if old is not None:
            raise NameError_(part.where, f"{part.name!r} is already named", "a new name: a name binds once")
        lowering = Lowering(table, sizes, part.where)
        value = lowering.value(tree)
        _check_real(value, part)
        target = Tensor(part.name, value.axes)
        return Definition(target, value.indices, value.expr, holes=with_holes(value, lowering.asked).holes)
    return _by_index(part, tree, table, sizes, old)


def _by_index(part: Line, tree: Node, table: Mapping[str, Tensor], sizes: Mapping[str, sp.Symbol],
              old: Tensor | None) -> Definition:
    """``z[l, i] = …``: ranges from the declared axes, else from where the index stands on the right."""
    letters = [p for p in part.places or () if re.fullmatch(r"[A-Za-z][A-Za-z0-9]{0,7}", p) and p not in sizes]
    free = {p: sp.Symbol(p, integer=True) for p in letters}
    taken = [p for p in letters if p in table]
    if taken or len(free) != len(letters):
        raise NameError_(part.where, f"the index {(taken or letters)[0]!r} is already a name",
                         "a different letter for each axis")
    lowering = Lowering(table, sizes, part.where, free)
    places = tuple(lowering.scalar(Parser(p, part.where, FUNCTIONS).whole()) for p in part.places or ())
    value = lowering.value(tree)
    if value.axes:
        raise ShapeError(part.where, f"the right side has shape {value.shape}", "entries: index every tensor")
    holes = with_holes(value, lowering.asked, free.values()).holes
    if old is None:
        target = Tensor(part.name, tuple(_inferred(part, p, lowering.ranges, table) for p in places))
        return Definition(target, places, value.expr, holes=holes)
    if len(old.axes) != len(places):
        raise ShapeError(part.where, f"{len(places)} indices", f"{len(old.axes)}, the axes of {part.name}")
    ranges = []
    for place, axis in zip(places, old.axes, strict=True):
        if place in free.values():
            span = lowering.ranges.get(place, axis.range)
            ranges.append((place, *_common(span, axis)))
    return Definition(old, places, value.expr, tuple(ranges), holes=holes)


def _common(span: Range, axis: Axis) -> Range:
    """The places that the right side can give, within the axis."""
    return span if sp.expand(span[1] - axis.upper) == 0 and (span[0] - axis.lower).is_nonnegative else axis.range


def _inferred(part: Line, place: sp.Expr, ranges: Mapping[sp.Symbol, Range], table: Mapping[str, Tensor]) -> Axis:
    if place not in ranges:
        raise ShapeError(part.where, f"no range for the index {place}", "an index that stands alone somewhere on the right",
                         f"declare the shape of {part.name}")
    span = ranges[place]
    return next(a for t in table.values() for a in t.axes if a.range == span)


def _check_real(value: Value, part: Line) -> None:
    if is_condition(value.expr):
        raise ParseError(part.where, "a comparison alone", "a number: where(condition, 1, 0)")


def _named(d: Definition, labels: Labels) -> Definition:
    """Readable letters for the indices that had none."""
    places = tuple((i, *d.free[i]) for i in d.indices if i in d.free)
    scope = {i: i for i, _, _ in places} if all(not isinstance(i, sp.Dummy) for i, _, _ in places) else \
        extend({}, places, labels)
    ranges = tuple((scope[i], lo, hi) for i, lo, hi in d.ranges)
    holes = tuple((relabel(u, {**scope, **{i: i for i, _, _ in over}}, labels), sign, over) for u, sign, over in d.holes)
    return Definition(d.target, tuple(scope.get(i, i) for i in d.indices), relabel(d.expr, scope, labels), ranges, d.note, holes)


def _assumption(text: str, table: Mapping[str, Tensor], sizes: Mapping[str, sp.Symbol], labels: Labels) -> Assumption:
    where = f"assumption {text!r}"
    left, sign, right = text.partition("==")
    if not sign:
        raise ParseError(where, "no '=='", "an equality such as sum(y, axis=1) == 1")
    lowering = Lowering(table, sizes, where)
    a, b = (lowering.value(Parser(t, where, FUNCTIONS).whole()) for t in (left, right))
    if b.axes:
        raise ShapeError(where, f"the right side has shape {b.shape}", "a single number")
    scope = extend({}, [(i, *axis.range) for i, axis in zip(a.indices, a.axes, strict=True)], labels)
    return Assumption(relabel(a.expr, scope, labels), relabel(b.expr, scope, labels))


def free_names(text: str, where: str = "expression") -> list[str]:
    """Every name that an expression uses, once, in order; functions and constants aside.

    >>> free_names("sum((X@w - y)**2)/N")
    ['X', 'w', 'y', 'N']
    """
    found = _names(Parser(text, where, FUNCTIONS).whole())
    return [n for n in dict.fromkeys(found) if n not in CONSTANTS]


def assumptions_of(program: Program, texts: Sequence[str]) -> tuple[Assumption, ...]:
    """Declared equalities such as "sum(Y, axis=1) == 1" over the tensors of a program."""
    labels = Labels.of(program)
    sizes = {str(s): s for s in program.sizes}
    return tuple(_assumption(text, program.tensors, sizes, labels) for text in texts)
