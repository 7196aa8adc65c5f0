"""A Program: an ordered list of Definitions ``v[i, j, …] := expression`` that checks itself at birth."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import InitVar, dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import sympy as sp

from symnet.core.axes import Axis, Least, Range, at_most, nonnegative
from symnet.core.expressions import Limits, entries, free_integers, fresh, substitute
from symnet.core.length import length
from symnet.core.renaming import shape_of
from symnet.core.short_forms import LINES, cut, listed, short_lines
from symnet.core.signatures import checked
from symnet.core.tensors import Tensor
from symnet.core.verbs import verb
from symnet.errors import NameError_, ShapeError, did_you_mean, needs, shown

if TYPE_CHECKING:
    import numpy as np

MOST_SHORT = 2000  # characters of a right side that a repr prints, to cut it off
MOST_ORDERS = 5000  # of small sizes that are tried
Hole = tuple[sp.Expr, str, tuple[Limits, ...]]
"""(u, "=", over): no value where u = 0 for some place of the indices ``over``; "<=" where u <= 0, "<" where u < 0."""


@dataclass(frozen=True, slots=True)
class Definition:
    """``target[indices] := expr``. Each index is a symbol that runs over ``ranges[symbol]``, or a fixed place.

    By default the indices run over the target's whole axes; a recurrence defines a tensor slice by slice, for instance
    ``h[0, j] := h0[j]`` and ``h[t, j] := tanh(… h[t-1, k] …)`` for t = 1..T. ``holes`` are where the line as it was written has no
    value though ``expr`` has: SymPy makes sqrt(x)**2 x while it is read.

    >>> import symnet as sn
    >>> line = sn.program("z = w*x + b").definitions[0]
    >>> line.name, line.expr, line.note
    ('z', b + w*x, '')
    """

    target: Tensor
    indices: tuple[sp.Expr, ...]
    expr: sp.Expr
    ranges: tuple[Limits, ...] = ()
    note: str = ""
    holes: tuple[Hole, ...] = ()
    _shape: tuple[Hashable, tuple[str, ...]] | None = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        needs(self.target, Tensor, "definition", "a Tensor on the left")
        needs(self.indices, tuple, f"definition of {self.target.name}", "a tuple of indices")
        needs(self.ranges, tuple, f"definition of {self.target.name}, ranges", "a tuple of (index, lower, upper)")
        for part in (*self.indices, self.expr):
            needs(part, sp.Expr, f"definition of {self.target.name}", "a SymPy expression")
        if len(self.indices) != len(self.target.axes):
            raise ShapeError(f"definition of {self.target.name}", f"{len(self.indices)} indices",
                             f"{len(self.target.axes)}, one for each axis")
        if not self.ranges:
            whole = tuple((i, *a.range) for i, a in zip(self.indices, self.target.axes, strict=True) if i.is_Symbol
                          and not i.is_positive)
            object.__setattr__(self, "ranges", whole)
        else:
            for span in self.ranges:
                if not isinstance(span, tuple) or len(span) != 3 or not all(isinstance(e, (int, sp.Expr)) for e in span):
                    raise ShapeError(f"definition of {self.target.name}", f"the range {shown(span)}", "(index, lower, upper)")
            exact = tuple((i, sp.sympify(lo, strict=True), sp.sympify(hi, strict=True)) for i, lo, hi in self.ranges)
            object.__setattr__(self, "ranges", exact)

    def renamed(self, target: Tensor, expr: sp.Expr) -> Definition:
        """This line, which was looked at, with other names: the ``target`` has the same axes, ``expr`` is the same but for names."""
        made = object.__new__(Definition)
        for name, value in (("target", target), ("indices", self.indices), ("expr", expr), ("ranges", self.ranges), ("note", self.note),
                            ("holes", self.holes), ("_shape", None)):
            object.__setattr__(made, name, value)
        return made

    @property
    def shape(self) -> tuple[Hashable, tuple[str, ...]]:
        """What the line is but for the names of its tensors, and the names that its right side uses, in order."""
        if self._shape is None:
            numbers: dict[str, int] = {}
            right = shape_of(self.expr, numbers)
            shape = self.indices, self.ranges, right, numbers.get(self.target.name, -1)
            object.__setattr__(self, "_shape", (shape, tuple(numbers)))
        found: tuple[Hashable, tuple[str, ...]] = self._shape  # type: ignore[assignment]
        return found

    @property
    def uses(self) -> tuple[str, ...]:
        """The names that the right side uses, in order."""
        return self.shape[1]

    @property
    def name(self) -> str:
        """The name of the target."""
        return self.target.name

    @property
    def entry(self) -> sp.Expr:
        """The left side, ``v[i, j]``."""
        return self.target[self.indices] if self.indices else self.target[()]

    @property
    def free(self) -> dict[sp.Symbol, Range]:
        """The free indices and their ranges."""
        return {i: (lo, hi) for i, lo, hi in self.ranges}

    def slice(self) -> tuple[Range, ...]:
        """The range of places defined, one per axis."""
        free = self.free
        return tuple(free.get(i, (i, i)) for i in self.indices)

    def __str__(self) -> str:
        return f"{self.entry} := {self.expr}"

    def __repr__(self) -> str:
        return cut(f"{self.entry} := …" if length(self.expr) > MOST_SHORT else str(self))


def right_side_at(line: Definition, places: Sequence[sp.Expr]) -> sp.Expr:
    """What a line says of its entry at ``places``, the bound indices with names of their own."""
    return substitute(fresh(line.expr), dict(zip(line.indices, places, strict=True)))


def unfoldings(expr: sp.Expr, right_side: Callable[[sp.Expr], sp.Expr | None]) -> Iterator[sp.Expr]:
    """``expr``, then with every entry that ``right_side`` knows written out, and so on until it knows none; bound indices have names of
    their own.

    >>> x, y, z = sp.symbols("x y z")
    >>> list(unfoldings(x + z, {x: y**2, y: 2 * z}.get))
    [x + z, y**2 + z, 4*z**2 + z]
    """
    while True:
        expr = fresh(expr)
        yield expr
        there = {e: right for e in set(entries(expr)) if (right := right_side(e)) is not None}
        if not there:
            return
        expr = expr.xreplace(there)


@dataclass(frozen=True, slots=True)
class Assumption:
    """A declared equality ``left = right``, for every value of its free indices: ``Σ_k y[n,k] = 1``.

    >>> import symnet as sn
    >>> sn.program("L = sum(y*x)", tensors={"x": ("n",), "y": ("n",)}, assumptions=["sum(y) == 1"]).assumptions
    (Assumption(left=Sum(y[i], (i, 1, n)), right=1, said=''),)
    """

    left: sp.Expr
    right: sp.Expr
    said: str = ""

    def __post_init__(self) -> None:
        for side in (self.left, self.right):
            needs(side, sp.Expr, "assumption", "a SymPy expression on each side")
        needs(self.said, str, "assumption, said", "text")

    def __str__(self) -> str:
        return self.said or f"{self.left} = {self.right}"


def define(target: Tensor, *indices: sp.Expr, expr: sp.Expr, note: str = "") -> Definition:
    """A definition over the whole of ``target``.

    >>> x = Tensor("x")
    >>> str(define(Tensor("y"), expr=x[()] ** 2))
    'y := x**2'
    """
    return Definition(target, indices, expr, (), note)


@dataclass(frozen=True)
class Program:
    """Inputs, then definitions in order; the last scalar is the objective unless one is named.

    Raises NameError_ (a name unknown, used too early or bound twice) or ShapeError (axes that do not agree, an index
    that may leave its axis), each naming the definition. Example::

        x, w, L = scalar("x"), scalar("w"), Tensor("L")
        Program((x, w), (define(L, expr=(w[()] * x[()] - 1) ** 2),))

    >>> import symnet as sn
    >>> p = sn.program("z = w*x", "L = (z - y)**2")
    >>> p
    Program of w, x, y: L
      z := w*x
      L := (-y + z)**2
    >>> p["w"], p.uses("L")
    (Tensor w: input, ('z', 'y'))
    """

    inputs: tuple[Tensor, ...]
    definitions: tuple[Definition, ...]
    objective: str = ""
    assumptions: tuple[Assumption, ...] = ()
    title: str = ""
    symbols: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
    """The SymPy objects that a user wrote, by the names that they have here."""
    begun: InitVar[Program | None] = None
    """A program with which this one begins; its lines are not checked again."""

    def __post_init__(self, begun: Program | None) -> None:
        from symnet.core.wellformed import check_program

        for name, parts, kind in (("inputs", self.inputs, Tensor), ("definitions", self.definitions, Definition),
                                  ("assumptions", self.assumptions, Assumption)):
            needs(parts, tuple, f"Program, {name}", f"a tuple of {kind.__name__}s", "" if name == "inputs" else "sn.program(text)")
            for part in parts:
                needs(part, kind, f"Program, {name}", f"a tuple of {kind.__name__}s")
        needs(self.objective, str, "Program, objective", "the name of a line")
        needs(self.title, str, "Program, title", "text")
        check_program(self, begun)
        if not self.objective and self.definitions:
            object.__setattr__(self, "objective", self.definitions[-1].name)

    @cached_property
    def tensors(self) -> dict[str, Tensor]:
        """Every tensor by name: inputs first, then definitions in order."""
        table = {t.name: t for t in self.inputs}
        for d in self.definitions:
            table.setdefault(d.name, d.target)
        return table

    @cached_property
    def by_name(self) -> dict[str, tuple[Definition, ...]]:
        """The definitions of each defined tensor (several when it is defined slice by slice)."""
        table: dict[str, tuple[Definition, ...]] = {}
        for d in self.definitions:
            table[d.name] = (*table.get(d.name, ()), d)
        return table

    @cached_property
    def axes(self) -> tuple[Axis, ...]:
        """Every different axis, in order of first use."""
        return tuple(dict.fromkeys(a for t in self.tensors.values() for a in t.axes))

    @cached_property
    def sizes(self) -> tuple[sp.Symbol, ...]:
        """The size symbols, in order of first use, including those used in expressions alone."""
        found = dict.fromkeys(s for a in self.axes for e in a.range for s in sorted(e.free_symbols, key=str))
        shapes: dict[Hashable, Definition] = {}
        for d in self.definitions:
            shapes.setdefault(d.shape[0], d)
        for d in shapes.values():
            found |= dict.fromkeys(s for s in sorted(free_integers(d.expr, {}), key=str) if is_size(s))
        return tuple(found)

    @cached_property
    def least(self) -> Mapping[sp.Symbol, int]:
        """The least value of each size that must be more than 1: places on the left, such as h[2], must exist."""
        from symnet.core.wellformed import least_sizes

        return least_sizes(self.by_name)

    @property
    def objective_tensor(self) -> Tensor:
        """The tensor that is differentiated."""
        return self.tensors[self.objective]

    def __getitem__(self, name: str) -> Tensor:
        if not isinstance(name, str) or name not in self.tensors:
            raise NameError_("program", f"no tensor named {shown(name)}", "one of its names", did_you_mean(name, self.tensors))
        return self.tensors[name]

    @checked
    def uses(self, name: str) -> tuple[str, ...]:
        """The names that the definitions of ``name`` use, in order."""
        return tuple(dict.fromkeys(u for d in self.by_name.get(name, ()) for u in d.uses))

    @checked
    def extend(self, definitions: Iterable[Definition], objective: str = "") -> Program:
        """This program with more lines after its own."""
        return replace(self, definitions=(*self.definitions, *definitions), objective=objective or self.objective, begun=self)

    def run(self, **arrays: Any) -> float | np.ndarray[Any, Any]:
        """The objective, as NumPy computes it in float64: a number, or an array.

        One array for each input, by name; sizes are read off the arrays.

        >>> import symnet as sn
        >>> sn.program("L = (w*x - 1)**2").run(w=2.0, x=3.0)
        25.0
        """
        return _run(self, (self.objective,), arrays)[0]

    def values(self, names: Iterable[str], arrays: Mapping[str, Any]) -> dict[str, float | np.ndarray[Any, Any]]:
        """Some lines, as NumPy computes them in float64.

        >>> import symnet as sn
        >>> sn.program("z = w*x", "L = (z - 1)**2").values(["z"], {"w": 2.0, "x": 3.0})
        {'z': 6.0}
        """
        wanted = tuple(names)
        return dict(zip(wanted, _run(self, wanted, arrays), strict=True)) if wanted else {}

    def __iter__(self) -> Iterator[Definition]:
        return iter(self.definitions)

    def __str__(self) -> str:
        return "\n".join(str(d) for d in self.definitions)

    def __repr__(self) -> str:
        known = f"Program of {listed(t.name for t in self.inputs)}: {self.objective}"
        return "\n".join(map(cut, [known, *short_lines([f"  {d!r}" for d in self.definitions], LINES - 1)]))

    def _repr_latex_(self) -> str:
        return f"$${_aligned(self)}$$"


_aligned: Callable[[Program], str] = verb("aligned")  # the printers know what a Program is, not the other way round
_run: Callable[[Program, Sequence[str], Mapping[str, Any]], tuple[float | np.ndarray[Any, Any], ...]] = verb("run")


def is_size(symbol: sp.Symbol) -> bool:
    """True for a size symbol (a positive integer)."""
    return bool(symbol.is_integer and symbol.is_positive)


def disjoint(a: Definition, b: Definition, least: Least | None = None) -> bool:
    """True when two slices of one tensor are shown not to overlap."""
    pairs = zip(a.slice(), b.slice(), strict=True)
    return any(at_most(p[1] + 1, q[0], least) or at_most(q[1] + 1, p[0], least) for p, q in pairs)


def small_sizes(program: Program, numbers: Sequence[int]) -> dict[str, int]:
    """A different one of ``numbers`` for each size, the first in order that fit: h[2] on a left side asks for T >= 2, an axis q - m + 1
    for q >= m. The plain order where none fits.
    """
    sizes = program.sizes
    asked = [a.size for a in program.axes if not nonnegative(a.size - 1)]
    for order in itertools.islice(itertools.permutations(numbers, len(sizes)), MOST_ORDERS):
        env = {s: sp.Integer(n) for s, n in zip(sizes, order, strict=True)}
        if all(env[s] >= least for s, least in program.least.items()) and all(e.xreplace(env) >= 1 for e in asked):
            return {str(s): n for s, n in zip(sizes, order, strict=True)}
    return {str(s): n for s, n in zip(sizes, numbers, strict=False)}
