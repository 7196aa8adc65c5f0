"""Which value a name of plain maths stands for."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager

import sympy as sp

from symnet.core.axes import Axis, Range
from symnet.core.expressions import Limits, When
from symnet.core.names import GREEK
from symnet.core.program import Hole
from symnet.core.tensors import Tensor, same_name
from symnet.errors import NameError_, ParseError, did_you_mean
from symnet.indexing.conditions import on_indices
from symnet.indexing.index_array import IndexArray, new_indices, number, of_tensor
from symnet.indexing.recurrences import Recurrences
from symnet.parsing.conventions import Unit
from symnet.parsing.functions import FUNCTIONS
from symnet.parsing.lost_conditions import rules_out
from symnet.parsing.node import Node
from symnet.parsing.own_lines import OwnLines
from symnet.parsing.partial_entries import LAST

MOST_TERMS = 100_000
Reach = tuple[sp.Expr, Axis, Mapping[sp.Symbol, Range]]  # a place outside all conditions, its axis, and the ranges of the sums around
CONSTANTS = {"pi": sp.pi, "e": sp.E}
UNKNOWN = Axis("?", sp.Dummy("first", integer=True), sp.Dummy("last", integer=True))  # of a tensor whose lines are being read


NUMBERED = re.compile(r"(?<=[A-Za-z])_(?=\d)")
# λ, which Python does not take as a name, and ε, which nobody writes out
SPELLED = {"lambda": ("lam", "lambd", "lamb", "lmbda", "lamda", "lambda_"), "epsilon": ("eps",)}
MOST_LETTERS = 12  # of a word that may be a product of declared names


def factorings(name: str, known: Iterable[str]) -> list[tuple[str, ...]]:
    """The ways in which a word is a product of declared names: wx is w x, Xw is X w. At most two are looked for.

    >>> factorings("wx", ["w", "x", "b"]), factorings("abc", ["a", "bc", "ab", "c"]), factorings("w_2a_1", ["w2", "a1"])
    ([('w', 'x')], [('a', 'bc'), ('ab', 'c')], [('w2', 'a1')])
    """
    name = NUMBERED.sub("", name)
    names = {n for n in known if "_" not in n}
    found: list[tuple[str, ...]] = []
    waiting: list[tuple[tuple[str, ...], str]] = [((), name)] if len(name) <= MOST_LETTERS else []
    while waiting and len(found) < 2:
        done, rest = waiting.pop(0)
        if not rest:
            found.append(done)
        waiting += [((*done, rest[:k]), rest[k:]) for k in range(1, len(rest) + 1) if rest[:k] in names]
    return [way for way in found if len(way) > 1]


def is_one_letter(name: str) -> bool:
    """True for one letter, Latin or Greek: what a book calls a function that it does not name, f, g or phi."""
    return len(name) == 1 or name in GREEK


def stands_alone(node: Node, name: str) -> bool:
    """True where a name stands in a text, places in [ ] aside."""
    args = node.args[:1] if node.kind == "index" else node.args
    return (node.kind == "name" and node.text == name) or any(stands_alone(a, name) for a in (*args, *(v for _, v in node.keywords)))


class Names:
    """The names one line may use: ``tensors``, ``sizes`` and the ``free`` indices of its left side."""

    def __init__(self, tensors: Mapping[str, Tensor], sizes: Mapping[str, sp.Symbol], where: str,
                 free: Mapping[str, sp.Symbol] | None = None) -> None:
        self.tensors, self.sizes, self.where = tensors, sizes, where
        self.scope: dict[str, sp.Symbol] = dict(free or {})
        self.ranges: dict[sp.Symbol, Range] = {}
        self.reached: list[Reach] = []
        self.bound: dict[sp.Symbol, Range] = {}  # the indices of the sums around, and their ranges
        self.conditions: list[sp.Basic] = []  # what the branches around say of the indices
        self.partial, self.one_letter = "", False  # the axis on which one letter below a matrix stands, and whether there was one
        self.products, self.terms = 0, 1
        self.own = OwnLines({}, self.real, where)
        self.spans: dict[sp.Symbol, list[Range]] = {}  # the ranges of the axes on which an index stands alone
        self.slopes: Callable[[str, str], IndexArray | None] = lambda above, below: None
        self.depends: Callable[[str, str], bool] = lambda above, below: False  # does a line use a name, by way of others or not?
        self.recurrences: Recurrences | None = None  # where a text may have lines of its own for a maximum along an axis
        self.steps = False  # read where(z > 0, x, 0) as x times a step, which the normal form knows
        self.lying: dict[int, Node] = {}  # the nodes, by identity, that stand for a vector on its side
        self.matrices: dict[int, Node] = {}  # and those that stand for a matrix
        self.asked: list[Hole] = []  # what was divided by, or taken a root or logarithm of

    @property
    def partly(self) -> bool:
        """True once one letter stood below a matrix."""
        return self.one_letter

    def at(self, node: Node) -> str:
        """Where a node stands, for a message."""
        return f"{self.where}, column {node.column}" if node.column else self.where

    @abstractmethod
    def real(self, node: Node) -> IndexArray: ...

    def _name(self, node: Node) -> IndexArray:
        name = node.text
        if name in self.scope:
            return number(self.scope[name])
        own = self.own.get(name.replace("_", ""), name)
        if own is not None:
            return own
        found = self.find(name)
        if found is not None:
            return of_tensor(self.tensors[found])
        if name in self.sizes:
            return number(self.sizes[name])
        if name in CONSTANTS:
            return number(CONSTANTS[name])
        if name == "I":
            return Unit((), sp.S.One)
        found_here = self._lettered(*name.rpartition("_")[::2]) or self._by_name_of_slope(name)
        if found_here is not None:
            return found_here
        known = [*self.tensors, *self.sizes, *self.scope]
        ways = factorings(name, known)
        if len(ways) == 1 and name[0] != "d" and name[-1] != "T":  # dx may be a slope, XT a transpose
            made = Node("name", ways[0][0], (), node.column)
            for part in ways[0][1:]:
                made = Node("binary", "juxtaposed", (made, Node("name", part, (), node.column)), node.column)
            return self.real(made)
        hint = " or ".join("*".join(w) for w in ways[:2]) + " for a product" if ways else did_you_mean(name, [*known, *FUNCTIONS])
        raise NameError_(self.at(node), f"unknown name {name!r}", "a declared name", hint)

    def factors(self, name: str) -> tuple[str, ...]:
        """The declared names whose product ``name`` spells, () for a name with a meaning of its own."""
        if name in self.scope or name in self.sizes or name in CONSTANTS or self.find(name) or self.own.has(name.replace("_", "")):
            return ()
        ways = factorings(name, [*self.tensors, *self.sizes, *self.scope])
        return ways[0] if ways else ()

    def _lettered(self, stem: str, below: str, tensor: Tensor | None = None) -> IndexArray | None:
        """X_nj, the entry X[n, j]: every letter below is an index, every digit a place. x_nj is one of X, where nothing is called x.

        One letter below a matrix is a row or a column, as ``partial`` says; delta_ij is Kronecker's.
        """
        if not stem or not below or not all(c in self.scope or c.isdigit() for c in below):
            return None
        places = [self.scope[c] if c in self.scope else sp.Integer(c) for c in below]
        if stem == "delta" and len(below) == 2 and not self.find(stem) and not below.isdigit():
            return number(When(sp.S.One, sp.Eq(*places)))
        tensor = tensor or self.tensors.get(stem) or self._slope_named(stem)
        if tensor is None and stem not in self.sizes and stem.islower():
            tensor = self.tensors.get(stem[0].upper() + stem[1:])
        if tensor is None:
            return None
        axes = tensor.axes
        if len(axes) == 2 and len(below) == 1 and self.partial and not below.isdigit():
            self.one_letter = True
            rest = new_indices(axes[:1] if self.partial == LAST else axes[1:])
            place = self.placed(places[0], axes[1] if self.partial == LAST else axes[0])
            where = (*rest, place) if self.partial == LAST else (place, *rest)
            return IndexArray.over(axes[:1] if self.partial == LAST else axes[1:], rest, tensor[where])
        if len(below) != len(axes):
            return None
        return number(tensor[tuple(self.placed(p, a) for p, a in zip(places, axes, strict=True))])

    def _slope_named(self, name: str) -> Tensor | None:
        """delta1 is the slope at z1 where nothing is called so, and dz1 where no d is declared; only of the objective."""
        delta = re.fullmatch(r"delta_?(\d*)", name)
        d_is_free = name[0] == "d" and "d" not in (*self.tensors, *self.sizes)
        below = {f"z{delta[1]}", f"Z{delta[1]}"} if delta else {name[1:]} if d_is_free else set()
        found = [t for t in self.tensors.values() if t.of in below and not (
            t.objective in self.tensors and (self.tensors[t.objective].axes or self.tensors[t.objective].of))]
        return found[0] if len(found) == 1 and not self.find(name) else None

    def _by_name_of_slope(self, name: str) -> IndexArray | None:
        found = self._slope_named(name)
        return None if found is None else of_tensor(found)

    def hides(self, letter: str, *bodies: Node) -> None:
        """Refuse an index that has the name of a size where that name stands alone too: in sum_n x_n/n it may be either."""
        if letter in self.sizes and any(stands_alone(body, letter) for body in bodies):
            raise NameError_(self.where, f"{letter!r}, which is an index and a size here", "another letter for the index")

    @abstractmethod
    def placed(self, place: sp.Expr, axis: Axis) -> sp.Expr: ...

    def find(self, name: str) -> str | None:
        """The declared tensor that is meant: w_1, w_{1} and w1 are one name, and so are λ and lam."""
        if name in SPELLED and name not in self.tensors:
            return next((n for n in SPELLED[name] if n in self.tensors), None)
        return None if name in CONSTANTS and name not in self.tensors else same_name(name, self.tensors)

    def loop(self, node: Node, low: sp.Expr, high: sp.Expr) -> int:
        """Count the terms of nested sums whose limits are numbers, so that working them out ends; returns the count before."""
        before = self.terms
        if low.is_Integer and high.is_Integer:
            self.terms *= max(1, int(high) - int(low) + 1)
        if self.terms > MOST_TERMS:
            raise ParseError(self.at(node), f"a sum of {self.terms} terms", f"at most {MOST_TERMS}")
        return before

    def branch(self, node: Node, condition: sp.Basic, indices: tuple[sp.Symbol, ...] = ()) -> IndexArray:
        """The meaning of a branch. What it asks for is kept where the condition, with these indices, does not rule it out."""
        before = len(self.asked)
        with self.under(condition):
            value = self.real(node)
        asked = self.asked[before:]
        del self.asked[before:]
        self.asked += [hole for hole in asked if not rules_out(condition, hole, indices)]
        return value

    @contextmanager
    def under(self, condition: sp.Basic) -> Iterator[None]:
        """While what is read is looked at where the condition holds alone."""
        self.conditions.append(sp.And(*[c for c in sp.And.make_args(condition) if on_indices(c)]))
        try:
            yield
        finally:
            self.conditions.pop()

    def ask(self, value: IndexArray, sign: str) -> None:
        """Note that the text has no value where this number, or an entry of this array, is 0 (or below)."""
        if not value.expr.is_number:
            self.asked.append((value.expr, sign, tuple((i, *a.range) for i, a in zip(value.indices, value.axes, strict=True))))

    def asked_everywhere(self, before: int, over: Iterable[Limits]) -> None:
        """What was asked for since ``before`` is asked for at every place of the indices that were bound then."""
        limits = tuple(over)
        for k, (u, sign, own) in enumerate(self.asked[before:], before):
            self.asked[k] = (u, sign, (*own, *[t for t in limits if t[0] in u.free_symbols]))
