"""Lines of plain maths -> a Program."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sympy as sp

from symnet.core.axes import Axis, Range, index, is_index, nonnegative
from symnet.core.expressions import as_written
from symnet.core.index_letters import Labels
from symnet.core.iverson import reachable, rectangular
from symnet.core.program import Definition, Program
from symnet.core.signatures import checked
from symnet.core.tensors import Role, Tensor, sizes_of
from symnet.errors import NameError_, ParseError, ShapeError, SymnetError, a_kind
from symnet.indexing.arithmetic import broadcast
from symnet.indexing.conditions import is_condition
from symnet.indexing.index_array import IndexArray, new_indices, same
from symnet.indexing.line_names import lettered_line
from symnet.indexing.recurrences import Recurrences, guarded
from symnet.parsing.assumptions import declared, narrowed, under, with_assumptions
from symnet.parsing.claim_prefix import equations
from symnet.parsing.conventions import UNKNOWN as SIZELESS
from symnet.parsing.conventions import is_open
from symnet.parsing.declaring import axis_of, check_name, check_undeclared, tensor_of
from symnet.parsing.expressions import expression
from symnet.parsing.from_sympy import SympyReader, is_sympy, name_of, stated
from symnet.parsing.functions import FUNCTIONS
from symnet.parsing.lost_conditions import with_holes
from symnet.parsing.lowering import CONSTANTS, Lowering
from symnet.parsing.naming import UNKNOWN
from symnet.parsing.node import Node
from symnet.parsing.plain_grammar import Parser
from symnet.parsing.slices import STATE, Slice, counted_from_left, inferred, settle_ranges
from symnet.parsing.tokens import MAX_LENGTH, plain

__all__ = ["Line", "axis_of", "check_name", "expression", "free_names", "lines_of", "program", "split", "tensor_of",
           "with_assumptions"]

ASSIGN = re.compile(r"\s*([^=<>!:]+?)\s*(?::=|=)(?!=)\s*(.*)\Z", re.S)
LARGE = 1000  # a range T..1 runs down for all sizes of this size
LETTER = re.compile(r"[A-Za-z][A-Za-z0-9]{0,7}\Z")
LEFT = re.compile(r"([A-Za-z][A-Za-z0-9_]*)\s*(?:\[([^\[\]]*)\])?\Z")


@dataclass(frozen=True, slots=True)
class Line:
    """One definition as text: ``name``, the index texts on its left (None when it has none) and its right side."""

    name: str
    places: tuple[str, ...] | None
    right: str
    where: str
    tree: Any = None  # of a right side that is no text: SymPy, then its syntax tree
    ranges: tuple[Node, ...] = ()

    def read(self, named: Collection[str] = (), closed: bool = False) -> tuple[Node, tuple[Node, ...]]:
        """The right side as a tree, and the ranges stated behind it. ``named`` are declared names, which hide functions; all that
        there are where ``closed``."""
        return Parser(self.right, self.where, FUNCTIONS, named, closed).line() if self.tree is None else (self.tree, self.ranges)


def split(text: str, where: str) -> Line:
    """Take "z[l, i] = …" apart."""
    if len(text) > MAX_LENGTH:
        raise ParseError(where, f"{len(text)} characters", f"at most {MAX_LENGTH}", "a line for a part of it")
    match = ASSIGN.match(plain(text))
    if match is None or not match[2].strip():
        raise ParseError(where, f"no definition in {text!r}", "name = expression")
    left = LEFT.match(match[1])
    if left is None:
        raise ParseError(where, f"the left side {match[1]!r}", "a name, or a name with indices such as z[l, i]")
    check_name(left[1], where)
    places = None if left[2] is None else tuple(p.strip() for p in left[2].split(","))
    return Line(left[1], places, " " * match.start(2) + match[2], where)


def lines_of(texts: Iterable[Any], where: str = "program") -> list[tuple[Any, str]]:
    """The lines of several texts, each with its place: a text may hold several, parted by ; or a line break, and comments behind #.

    A line goes on while a bracket is open. SymPy expressions are lines. Raises ParseError for anything else.

    >>> lines_of(["z = w*x  # the sum\\n\\nL = (z -\\n  y)**2; M = z"])
    [('z = w*x', 'line 1'), ('L = (z -   y)**2', 'line 3'), ('M = z', 'line 4')]
    """
    found: list[tuple[Any, str]] = []
    number = 0
    for text in texts:
        if isinstance(text, (list, tuple)) and all(isinstance(t, str) for t in text):
            text = "\n".join(text)
        if is_sympy(text):
            number += 1
            found.append((text, f"line {number}"))
            continue
        if not isinstance(text, str):
            raise ParseError(where, a_kind(text), "lines such as 'L = (w*x - y)**2', or SymPy expressions",
                             "'z = w*x', 'L = z**2', or one text with a line for each")
        whole, open_, first = "", 0, number + 1
        for row in text.splitlines():
            number += 1
            for k, part in enumerate(row.partition("#")[0].split(";")):
                if open_:
                    whole += (";" if k else " ") + part
                else:
                    found += [(whole.strip(), f"line {first}")] if whole.strip() else []
                    whole, first = part, number
                open_ = max(0, open_ + sum((c in "([{") - (c in ")]}") for c in part))
        found += [(whole.strip(), f"line {first}")] if whole.strip() else []
    return found


@checked
def program(*lines: Any, tensors: Mapping[str, Any] | None = None, objective: Any = None,
            assumptions: Sequence[str] = (), title: str = "") -> Program:
    """A Program from lines of plain maths, or of SymPy equations; the last line, or an expression alone, is the objective.

    One text may hold several lines; # starts a comment.

    ``tensors`` maps names to shapes (sizes are integers or names; () is a number) or Tensors. Without it every name that
    is not defined is a number. ``objective`` may be the name of a line or an expression. ``assumptions`` are equalities such as
    "sum(y) == 1" or "A == A.T", and inequalities: "0 < p < 1", "x > y". In SymPy, Symbols are numbers with the domain that they assume,
    an IndexedBase under Sum and a MatrixSymbol are arrays. Raises ParseError, NameError_ or ShapeError naming line and column.

    >>> print(program("z = w*x + b", "a = sigmoid(z)", "L = (a - y)**2"))
    z := b + w*x
    a := sigmoid(z)
    L := (a - y)**2
    >>> w, x, z = sp.symbols("w x z")
    >>> print(program(sp.Eq(z, w*x), sp.sin(z)**2))
    z := w*x
    L := sin(z)**2
    """
    given = None if tensors is None else {name: tensor_of(name, spec) for name, spec in tensors.items()}
    found = lines_of(lines)
    parts = [_part(line, where, k == len(found) and objective is None) for k, (line, where) in enumerate(found, start=1)]
    goal = ""
    if objective is not None:
        if isinstance(objective, str) and any(p.name == objective for p in parts):
            goal = objective
        else:
            parts.append(_part(objective, "objective", True))
    if not parts:
        raise ParseError("program", "no lines", "at least one definition")
    taken = {p.name for p in parts} | set(given or {})
    reader = SympyReader(given or {}, defined={p.name for p in parts if p.name})
    parts = _from_sympy(parts, reader)
    if given is None:
        given = {**reader.tensors, **_scalars(parts, reader)}
    else:
        given |= {name: t for name, t in reader.tensors.items() if name not in given}
    parts = [p if p.name else replace(p, name=_goal_name(taken | set(given))) for p in parts]
    defined = {p.name for p in parts}
    for name, tensor in given.items():
        if name in defined and (tensor.structure or tensor.domain not in ("real", "complex")):
            raise NameError_(f"tensor {name}", f"a {tensor.structure or tensor.domain} tensor that a line defines", "an input",
                             "the line says what it is; assumptions say what is known besides")
    inputs, rest = narrowed(assumptions, {name: t for name, t in given.items() if name not in defined})
    known = given | inputs
    with as_written():
        return replace(_build(parts, known, goal, rest, title, reader.sizes, tensors is not None), symbols=reader.own)


def _part(line: Any, where: str, last: bool) -> Line:
    """One line, text or SymPy; without a name where it is an expression alone, as the last may be."""
    if isinstance(line, str):
        if last and not equations(plain(line)) and line.strip():
            return Line("", None, line, where)
        return split(line, where)
    if not is_sympy(line):
        raise ParseError("program", a_kind(line), "lines such as 'L = (w*x - y)**2', or SymPy expressions")
    if isinstance(line, sp.Eq) and isinstance(line.lhs, (sp.Symbol, sp.Indexed)):
        left = line.lhs
        if isinstance(left, sp.Symbol):
            return Line(name_of(left, where), None, "", where, line.rhs)
        return Line(name_of(left.base, where), tuple(str(p) for p in left.indices), "", where, line.rhs, stated(left.indices))
    if not last:
        raise ParseError(where, "an expression without a name", "sp.Eq(z, expression); the last line may be the objective alone")
    return Line("", None, "", where, line)


def _from_sympy(parts: list[Line], reader: SympyReader) -> list[Line]:
    """The lines with trees for what is SymPy."""
    of = [k for k, p in enumerate(parts) if p.tree is not None]
    trees = reader.read([(parts[k].where, parts[k].tree) for k in of])
    made = dict(zip(of, trees, strict=True))
    return [replace(p, tree=made[k]) if k in made else p for k, p in enumerate(parts)]


def _goal_name(taken: set[str]) -> str:
    return next(name for name in ("L", "J", "loss", "objective", "L_") if name not in taken)


def _build(parts: list[Line], known: dict[str, Tensor], goal: str, assumed: Sequence[tuple[str, str, str, str]], title: str,
           more: Mapping[str, sp.Symbol], closed: bool) -> Program:
    sizes = sizes_of(known) | dict(more)
    clash = sorted(set(sizes) & set(known))
    if clash:
        raise NameError_(f"size {clash[0]}", "the name is also a tensor", "different names for sizes and tensors")
    lines = _Lines(parts, known, sizes, closed)
    definitions = lines.definitions()
    labels = Labels(lines.table.values(), definitions, sizes)
    definitions = [lettered_line(d, labels) for d in definitions]
    inputs = tuple(t for name, t in known.items() if name not in {p.name for p in parts})
    equalities, holes = declared(assumed, lines.table, sizes, labels)
    return under(Program(inputs, tuple(definitions), goal or definitions[-1].name, equalities, title), holes)


class _Lines:
    """The lines of one program. A tensor that is defined by index and has no declared shape gets its axes from its lines."""

    def __init__(self, parts: list[Line], known: Mapping[str, Tensor], sizes: Mapping[str, sp.Symbol], closed: bool = True) -> None:
        self.parts, self.sizes = parts, sizes
        self.table = dict(known)
        defined = {p.name for p in parts}
        self.named = defined | set(known)
        self.trees = [p.read(self.named | set(sizes) if closed else self.named, closed) for p in parts]
        self.uses = [{stem for n in _names(tree) for stem in (n, n.partition("_")[0]) if stem in defined} for tree, _ in self.trees]
        self.units: dict[str, list[int]] = {}  # the lines of each name
        for k, p in enumerate(parts):
            self.units.setdefault(p.name, []).append(k)
            if len(self.units[p.name]) > 1 and (p.places is None or parts[self.units[p.name][0]].places is None):
                raise NameError_(p.where, f"{p.name!r} is already named", "a new name: a name binds once")
        self.shapeless = {p.name: Tensor(p.name, (UNKNOWN,) * len(p.places)) for p in reversed(parts)
                          if p.places is not None and p.name not in known}
        self.extra: dict[int, list[Definition]] = {}  # what stands before a line: the recurrence of a maximum along an axis
        self.ranked: set[str] = set()  # of these, those whose number of axes is known

    def definitions(self) -> list[Definition]:
        """One for each line, in the order of the lines."""
        made: dict[int, Definition] = {}
        waiting = list(self.units)
        while waiting:
            ready = self._ready(waiting)
            if ready is None:
                raise self._refusal(waiting)
            waiting.remove(ready)
            made |= dict(zip(self.units[ready], self._unit(ready), strict=True))
        first = {ks[0]: ks for ks in self.units.values()}  # what a later line of a name needs stands before the name too
        return [d for k in range(len(self.parts)) for d in (*(e for u in first.get(k, ()) for e in self.extra.get(u, ())), made[k])]

    def _ready(self, waiting: list[str]) -> str | None:
        """The first name whose lines can be read now; the axes of tensors without a shape are looked for on the way."""
        while True:
            names = [name for name in waiting if name in self.shapeless]
            if any(self._ranked(name) or self._inferred(name) for name in names):
                continue
            found = next((name for name in waiting if name not in self.shapeless
                          and all(used in self.table for k in self.units[name] for used in self.uses[k])), None)
            if found is not None or set(names) <= self.ranked:
                return found
            self.ranked |= set(names)  # lines that all use one another are read as entries

    def _inferred(self, name: str) -> bool:
        if not all(used in self.table or used in self.ranked for k in self.units[name] for used in self.uses[k]) or name not in self.ranked:
            return False
        axes = inferred([self._slice(k) for k in self.units[name]], self.table.values())
        if axes is not None:
            self.table[name] = replace(self.shapeless.pop(name), axes=axes)
        return axes is not None

    def _taken(self) -> set[str]:
        """The names that a new line may not have."""
        return {*self.table, *self.sizes, *(p.name for p in self.parts), *(n for tree, _ in self.trees for n in _names(tree))}

    def _refusal(self, waiting: list[str]) -> SymnetError:
        """Why no line can be read."""
        for name in waiting:
            for k in self.units[name] if name in self.shapeless else ():
                if all(used in self.table or used in self.ranked for used in self.uses[k]):
                    line = self._slice(k)
                    bare = [i for i in line.letters if not line.ranged(i)]
                    if bare:
                        return ShapeError(line.where, f"no range for the index {bare[0]}",
                                          "an index that stands alone somewhere on the right",
                                          f"{STATE.format(bare[0])}, or declare the shape of {name}")
        k = self.units[waiting[0]][0]
        late = sorted(used for used in self.uses[k] if used not in self.table) or [waiting[0]]
        return NameError_(self.parts[k].where, f"uses {late[0]!r} before it is named", "a name from above")

    def _unit(self, name: str) -> list[Definition]:
        """The definitions of one name."""
        first = self.parts[self.units[name][0]]
        if first.places is None:
            return [self._whole(self.units[name][0])]
        target = self.table[name]
        lines = [self._slice(k) for k in self.units[name]]
        for line in lines:
            if len(line.places) != len(target.axes):
                raise ShapeError(line.where, f"{len(line.places)} indices", f"{len(target.axes)}, the axes of {name}")
        if len(lines) == 1 and name not in self.uses[self.units[name][0]]:  # a place past the end is then a slip, not a range
            lines[0].reached = ()
        settle_ranges(lines, target.axes)
        lines = [self._settled(k, line) if self.extra[k] else line for k, line in zip(self.units[name], lines, strict=True)]
        return [Definition(target, line.places, reachable(rectangular(line.expr, line.spans), line.spans),
                           tuple((i, *line.spans[i]) for i in line.letters), holes=line.holes) for line in lines]

    def _whole(self, k: int) -> Definition:
        part, (tree, stated) = self.parts[k], self.trees[k]
        if part.name in self.table:
            raise NameError_(part.where, f"{part.name!r} is already named", "a new name: a name binds once")
        if stated:
            raise ParseError(part.where, "a range behind a line without indices", f"{part.name}[{stated[0].text}] = … on the left")
        lowering = Lowering(self.table, self.sizes, part.where)
        lowering.recurrences = Recurrences(self._taken())
        value = lowering.value(tree)
        _check_real(value, part)
        target = Tensor(part.name, value.axes)
        ranges = {i: a.range for i, a in zip(value.indices, value.axes, strict=True)}
        expr = rectangular(value.expr, ranges)
        self.extra[k] = guarded(lowering.recurrences.lines, expr)
        self.table |= {d.name: d.target for d in (*self.extra[k], Definition(target, value.indices, expr))}
        return Definition(target, value.indices, expr, holes=with_holes(value, lowering.asked).holes)

    def _settled(self, k: int, line: Slice) -> Slice:
        """Line number k once more, now that the ranges of its letters are known: the lines that a maximum needs run over these."""
        made = self._slice(k, line.box())
        made.spans = {p: span for p, span in zip(made.places, line.box(), strict=True) if span is not None and is_index(p)}
        self.table |= {d.name: d.target for d in self.extra[k]}
        return made

    def _slice(self, k: int, box: Sequence[Range | None] | None = None) -> Slice:
        """Line number k, which has indices on its left; the indices of a row, h[t] = W @ h[t-1], are added. ``box`` are the places that
        it defines along each axis, once they are known."""
        part = self.parts[k]
        places, value, ranges, lowering = self._lowered(k, box)
        target = self.table.get(part.name) or self.shapeless[part.name]
        rest = target.axes[len(places):]
        if value.axes or rest:
            value = self._row(part, value, rest)
            places += value.indices
            ranges |= {i: a.range for i, a in zip(value.indices, rest, strict=True)}
        holes = with_holes(value, lowering.asked, [p for p in places if is_index(p)]).holes
        return counted_from_left(Slice(part.where, part.name, places, value.expr, ranges, lowering.reached, lowering.ranges, holes))

    @staticmethod
    def _row(part: Line, value: IndexArray, rest: tuple[Axis, ...]) -> IndexArray:
        """The right side over the axes that the left side leaves open; a number fills them."""
        if len(value.axes) > len(rest):
            raise ShapeError(part.where, f"the right side has shape {value.shape}", "entries: index every tensor")
        dims, (_, expr) = broadcast(part.where, "'='", IndexArray.over(rest, new_indices(rest), sp.S.Zero), value)
        if not all(same(d.size, b.size) for d, b in zip(dims, rest, strict=True)):
            raise ShapeError(part.where, f"the right side has shape {value.shape}", f"{', '.join(str(a.size) for a in rest)}")
        made = IndexArray(dims, expr)
        shift = {i: i - b.lower + a.lower for i, a, b in zip(made.indices, made.axes, rest, strict=True) if a.lower != b.lower}
        return IndexArray.over(rest, made.indices, made.put(shift))

    def _lowered(self, k: int, box: Sequence[Range | None] | None = None
                 ) -> tuple[tuple[sp.Expr, ...], IndexArray, dict[sp.Symbol, Range], Lowering]:
        """The places on the left of line number k, its right side, its stated ranges, and what was met on the way."""
        part, (tree, stated) = self.parts[k], self.trees[k]
        left = [Parser(p, part.where, FUNCTIONS, self.named).whole() for p in part.places or ()]
        letters = [n for place in left for n in dict.fromkeys(_names(place)) if LETTER.match(n) and n not in self.sizes]
        taken = [n for n in letters if n in self.table or n in self.shapeless]
        if taken or len(set(letters)) != len(letters):
            raise NameError_(part.where, f"the index {(taken or letters)[0]!r} is already a name", "a different letter for each axis")
        free = {n: index(n) for n in letters}
        lowering = Lowering({**self.table, **self.shapeless}, self.sizes, part.where, free)
        places = tuple(sp.expand(lowering.scalar(place)) for place in left)
        ranges = self._stated(part, stated, free, lowering)
        lowering.recurrences = Recurrences(self._taken(), draft=box is None)
        lowering.ranges |= ranges
        for place, span in zip(places, box or (), strict=False):
            for letter in filter(is_index, place.free_symbols):
                if span is None:
                    continue
                shift = place - letter  # h[t+1] = …: t is one less
                lowering.ranges[letter] = sp.expand(span[0] - shift), sp.expand(span[1] - shift)
        value = lowering.value(tree)
        own = {i: a.range for i, a in zip(value.indices, value.axes, strict=True)}
        self.extra[k] = guarded(lowering.recurrences.lines, rectangular(value.expr, {**lowering.ranges, **own}))
        _check_real(value, part)
        return places, value, ranges, lowering

    def _ranked(self, name: str) -> bool:
        """Find out how many axes the rows of a tensor without a shape have: as many as a line has that does not use it."""
        known = set(self.table) | self.ranked
        free = [k for k in self.units[name] if self.uses[k] <= known]
        if name in self.ranked or not free:
            return False
        rows = max((self._lowered(k)[1].axes for k in free), key=len)
        self.shapeless[name] = replace(self.shapeless[name], axes=(*self.shapeless[name].axes, *rows))
        self.ranked.add(name)
        return True

    @staticmethod
    def _stated(part: Line, stated: tuple[Node, ...], free: Mapping[str, sp.Symbol], lowering: Lowering) -> dict[sp.Symbol, Range]:
        found: dict[sp.Symbol, Range] = {}
        for name, first, last in zip(stated[::3], stated[1::3], stated[2::3], strict=True):
            if name.text not in free:
                raise ParseError(part.where, f"a range for {name.text!r}", f"an index of the left side: {', '.join(free) or 'it has none'}")
            arrays = [n for end in (first, last) for n in _names(end) if (there := lowering.tensors.get(n)) is not None and there.axes]
            if arrays:
                raise ShapeError(part.where, f"{arrays[0]!r}, an array, as an end of the range of {name.text}",
                                 "ends that are numbers or sizes", "one name for a size, another for an array")
            low, high = (sp.expand(lowering.scalar(end)) for end in (first, last))
            if any(is_index(s) for s in low.free_symbols | high.free_symbols):
                raise ShapeError(part.where, f"the range {low}..{high} of {name.text}", "ends that are numbers or sizes",
                                 "a condition on the right: (… if i < j else 0)")
            if nonnegative(low - high - 2, dict.fromkeys(low.free_symbols | high.free_symbols, LARGE)):
                raise ShapeError(part.where, f"the range {low}..{high} of {name.text}, which runs down", "the first place before the last",
                                 "the order of computation is found from the right side")
            found[free[name.text]] = (low, high)
        return found


def _scalars(parts: list[Line], reader: SympyReader) -> dict[str, Tensor]:
    """Every name that no line of text defines, as a number."""
    defined = {p.name for p in parts} | set(reader.tensors) | set(reader.sizes)
    found: dict[str, Tensor] = {}
    for part in (p for p in parts if p.tree is None):
        tree, stated = part.read(defined)
        own = {n for p in part.places or () for n in _names(Parser(p, part.where, FUNCTIONS).whole())} | {n.text for n in stated[::3]}
        for name in _names(tree):
            if name not in defined and name not in CONSTANTS and name not in own:
                check_undeclared(name, part.where)
                found[name] = Tensor(name, role=Role.INPUT)
    return found


def _names(node: Node) -> Iterable[str]:
    bound = {a.text for a in (node.args[1::3] if node.kind == "sum" else node.args[1:] if node.kind == "along" else ())}
    if node.kind == "name":
        yield node.text
    for arg in node.args:
        yield from (n for n in _names(arg) if n not in bound)
    if node.kind != "call":
        return
    for _, value in node.keywords:
        yield from (n for n in _names(value) if n not in ("True", "False"))


def _check_real(value: IndexArray, part: Line) -> None:
    if is_open(value):
        raise ShapeError(part.where, SIZELESS, "ones(N) or eye(d) with its size")
    if is_condition(value.expr):
        raise ParseError(part.where, "a comparison alone", "a number: where(condition, 1, 0)")


def free_names(text: str, where: str = "expression", declared_names: Collection[str] = ()) -> list[str]:
    """Every name that an expression uses, once, in order; functions and constants aside, but for those that are ``declared_names``.

    >>> free_names("sum((X@w - y)**2)/N")
    ['X', 'w', 'y', 'N']
    """
    found = _names(Parser(text, where, FUNCTIONS, declared_names).whole())
    return [n for n in dict.fromkeys(found) if n not in CONSTANTS or n in declared_names]
