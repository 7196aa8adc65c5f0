"""A small language of index programs that knows nothing of symnet: what is generated, spelled, given a meaning and made smaller.

Every law says a program twice from one of these trees: once for symnet (`spelling`, `nouns`) and once for JAX (`meaning`). Nothing
that symnet computes is ever turned into the oracle's program.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields, replace
from fractions import Fraction
from typing import Any


@dataclass(frozen=True, slots=True)
class Place:
    """A whole number affine in letters and sizes: n + 1 - i, 2*i - 1, 3."""

    terms: tuple[tuple[str, int], ...] = ()
    const: int = 0

    def __add__(self, other: Place | int) -> Place:
        if isinstance(other, int):
            return Place(self.terms, self.const + other)
        found = dict(self.terms)
        for name, c in other.terms:
            found[name] = found.get(name, 0) + c
        return Place(tuple((k, c) for k, c in found.items() if c), self.const + other.const)

    def __mul__(self, by: int) -> Place:
        return Place(tuple((k, c * by) for k, c in self.terms if c * by), self.const * by)

    def __sub__(self, other: Place | int) -> Place:
        return self + (other * -1)

    def value(self, env: dict[str, Any]) -> Any:
        """The number, or the array of numbers where letters are arrays."""
        total: Any = self.const
        for name, c in self.terms:
            total = total + c * env[name]
        return total

    def put(self, there: dict[str, Place]) -> Place:
        """With letters replaced."""
        total = Place((), self.const)
        for name, c in self.terms:
            total = total + there.get(name, Place(((name, 1),))) * c
        return total

    @property
    def names(self) -> set[str]:
        return {name for name, _ in self.terms}


def at(what: str | int | Place) -> Place:
    """A letter, a size or a number as a Place."""
    return what if isinstance(what, Place) else Place((), what) if isinstance(what, int) else Place(((what, 1),))


class Expr:
    """A node. Every node is one of the final classes below."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Number(Expr):
    value: Fraction


@dataclass(frozen=True, slots=True)
class Count(Expr):
    """A size, or an index, as a number: n in Σx/n."""

    place: Place


@dataclass(frozen=True, slots=True)
class Entry(Expr):
    """x[i, n + 1 - j]; a scalar has no places."""

    name: str
    places: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True)
class Total(Expr):
    """Σ over ``over``, each (letter, first, last); nothing where last < first."""

    body: Expr
    over: tuple[tuple[str, Place, Place], ...]


@dataclass(frozen=True, slots=True)
class Op(Expr):
    sign: str  # + - * /
    left: Expr
    right: Expr


@dataclass(frozen=True, slots=True)
class Power(Expr):
    base: Expr
    by: int


@dataclass(frozen=True, slots=True)
class Apply(Expr):
    """An elementary function: exp(u), maximum(u, v)."""

    name: str
    args: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Choice(Expr):
    """yes where left > right (or <, >=, <=), else no."""

    sign: str
    left: Expr
    right: Expr
    yes: Expr
    no: Expr


@dataclass(frozen=True, slots=True)
class Held(Expr):
    """The Iverson bracket [i <= j] of places."""

    sign: str  # <= < == >= >
    left: Place
    right: Place


@dataclass(frozen=True, slots=True)
class Line:
    """name[places] = expr, for the letters in ``over``. ``shape`` are the sizes of the whole tensor's axes, ``first`` where they start."""

    name: str
    places: tuple[Place, ...]
    over: tuple[tuple[str, Place, Place], ...]
    expr: Expr


@dataclass(frozen=True, slots=True)
class Axis:
    """first..last."""

    last: Place
    first: int = 1


@dataclass(frozen=True)
class Source:
    """Tensors by name with their axes, which of them are inputs, and the lines; the last line is the objective.

    ``positive`` are inputs drawn above zero (and declared so); ``sizes`` are the names of the sizes; ``undeclared`` defined tensors
    are left to be inferred in the text form; ``kinks`` says that some function is not smooth everywhere.
    """

    shapes: dict[str, tuple[Axis, ...]]
    inputs: tuple[str, ...]
    lines: tuple[Line, ...]
    sizes: tuple[str, ...]
    positive: frozenset[str] = frozenset()
    undeclared: frozenset[str] = frozenset()
    wrt: tuple[str, ...] = ()
    kind: str = "index"
    notes: dict[str, Any] = field(default_factory=dict)

    @property
    def objective(self) -> str:
        return self.lines[-1].name


def children(node: Expr) -> tuple[Expr, ...]:
    """The nodes below a node, in order."""
    match node:
        case Total(body, _):
            return (body,)
        case Op(_, a, b):
            return (a, b)
        case Power(base, _):
            return (base,)
        case Apply(_, args):
            return args
        case Choice(_, a, b, yes, no):
            return (a, b, yes, no)
        case _:
            return ()


def with_children(node: Expr, new: tuple[Expr, ...]) -> Expr:
    """The same node over other nodes."""
    match node:
        case Total(_, over):
            return Total(new[0], over)
        case Op(sign, _, _):
            return Op(sign, *new)
        case Power(_, by):
            return Power(new[0], by)
        case Apply(name, _):
            return Apply(name, new)
        case Choice(sign, _, _, _, _):
            return Choice(sign, *new)
        case _:
            return node


def walk(node: Expr) -> Iterator[Expr]:
    """The node and everything below it."""
    yield node
    for c in children(node):
        yield from walk(c)


def rebuilt(node: Expr, change: Callable[[Expr], Expr]) -> Expr:
    """Every node changed, the lowest first."""
    return change(with_children(node, tuple(rebuilt(c, change) for c in children(node))))


def entries(node: Expr) -> list[Entry]:
    """Every use of a tensor."""
    return [n for n in walk(node) if isinstance(n, Entry)]


def letters(node: Expr) -> set[str]:
    """Every letter or size that stands in a place."""
    found: set[str] = set()
    for n in walk(node):
        match n:
            case Entry(_, places):
                found |= {x for p in places for x in p.names}
            case Count(place):
                found |= place.names
            case Held(_, a, b):
                found |= a.names | b.names
            case Total(_, over):
                found |= {x for _, lo, hi in over for x in lo.names | hi.names}
            case _:
                pass
    return found


def put(node: Expr, there: dict[str, Place]) -> Expr:
    """With letters replaced; bound letters must be new (see ``fresh``)."""
    match node:
        case Entry(name, places):
            return Entry(name, tuple(p.put(there) for p in places))
        case Count(place):
            return Count(place.put(there))
        case Held(sign, a, b):
            return Held(sign, a.put(there), b.put(there))
        case Total(body, over):
            return Total(put(body, there), tuple((x, lo.put(there), hi.put(there)) for x, lo, hi in over))
        case _:
            return with_children(node, tuple(put(c, there) for c in children(node)))


def size_of(source: Source) -> int:
    """How large a program is; shrinking makes it smaller."""
    return sum(1 + sum(1 + sum(len(p.terms) + (p.const != 0) for p in getattr(n, "places", ())) for n in walk(line.expr)) for line in source.lines)


ONE, TWO = Number(Fraction(1)), Number(Fraction(2))

__all__ = [
    "ONE", "TWO", "Apply", "Axis", "Choice", "Count", "Entry", "Expr", "Held", "Line", "Number", "Op", "Place", "Power", "Source", "Total", "at",
    "children", "entries", "fields", "letters", "put", "rebuilt", "replace", "size_of", "walk", "with_children",
]
