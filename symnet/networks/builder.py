"""Line after line: what a layer needs to add its definitions to a growing program."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Sequence
from dataclasses import dataclass, field

import sympy as sp

from symnet.core.axes import Axis, Kind, index
from symnet.core.expressions import total
from symnet.core.program import Assumption, Definition, Program
from symnet.core.tensors import Role, Tensor, free_name
from symnet.errors import ShapeError

LETTERS = {Kind.BATCH: "n", Kind.TIME: "t", Kind.DEPTH: "l"}


@dataclass
class _Seen:
    """What a list of inputs or lines held when it was last looked at."""

    all: list[object] = field(default_factory=list)
    names: dict[str, None] = field(default_factory=dict)
    axes: dict[Axis, None] = field(default_factory=dict)


@dataclass
class Builder:
    """The program so far and the value that flows on. A class with state, used while one network is built, then dropped."""

    inputs: list[Tensor] = field(default_factory=list)
    lines: list[Definition] = field(default_factory=list)
    assumptions: list[Assumption] = field(default_factory=list)
    linear: int = 0  # how many linear maps so far; names carry this number
    now: Tensor = field(default_factory=lambda: Tensor("x"))
    _seen: list[_Seen] = field(default_factory=lambda: [_Seen(), _Seen()], init=False, repr=False)

    def add_input(self, name: str, axes: tuple[Axis, ...], role: Role, note: str) -> Tensor:
        """Declare an input."""
        tensor = Tensor(name, axes, role=role, note=note)
        self.inputs.append(tensor)
        return tensor

    def _known(self, kind: int) -> tuple[dict[str, None], dict[Axis, None]]:
        """The names and axes of the inputs (0) or the lines (1), in order; only what is new since is looked at."""
        seen, now = self._seen[kind], self.lines if kind else self.inputs
        count = len(seen.all)
        if len(now) < count or (count and seen.all[-1] is not now[count - 1]):
            seen = self._seen[kind] = _Seen()
        for part in now[len(seen.all):]:
            tensor = part.target if isinstance(part, Definition) else part
            seen.all.append(part)
            seen.names[tensor.name] = None
            seen.axes.update(dict.fromkeys(tensor.axes))
        return seen.names, seen.axes

    def free(self, name: str) -> str:
        """``name``, or that with _ behind it where the program has it already."""
        return free_name(name, ChainMap(self._known(0)[0], self._known(1)[0]))

    def next_number(self, stem: str) -> int:
        """1 + how many lines are called by ``stem`` and a number."""
        return 1 + sum(d.name.startswith(stem) and d.name[len(stem):].isdigit() for d in self.lines)

    def line(self, name: str, axes: tuple[Axis, ...], indices: tuple[sp.Expr, ...], expr: sp.Expr, note: str,
             role: Role = Role.INTERMEDIATE) -> Tensor:
        """Add a definition; its target flows on."""
        tensor = Tensor(self.free(name), axes, role=role, note=note)
        self.lines.append(Definition(tensor, indices, expr, (), note))
        self.now = tensor
        return tensor

    def letters(self, axes: tuple[Axis, ...]) -> tuple[sp.Symbol, ...]:
        """An index for each axis: those of the last line where it has these axes; else n for samples, then i, j, k, … by axis."""
        if self.lines and self.lines[-1].target.axes == axes and all(i in self.lines[-1].free for i in self.lines[-1].indices):
            return self.lines[-1].indices
        known = {a: LETTERS.get(a.kind, "") for a in (*self._known(0)[1], *self._known(1)[1], *axes)}
        sizes = {str(s) for a in known for s in a.upper.free_symbols}
        pool = [c for c in "ijkuvqrs" if c not in sizes]
        plain = [a for a in known if not known[a]]
        found: list[str] = []
        for axis in axes:
            own = known[axis] if known[axis] not in sizes else ""
            name = own or pool[plain.index(axis) % len(pool) if axis in plain else -1]
            spare = [c for c in pool if c not in found]
            found.append(name if name not in found else spare[0] if spare else f"{name}1")
        return tuple(index(name) for name in found)

    def entrywise(self, name: str, note: str, function: object) -> Tensor:
        """name := function(now), entry by entry."""
        places = self.letters(self.now.axes)
        value = self.now[places] if places else self.now[()]
        return self.line(name, self.now.axes, places, function(value), note)  # type: ignore[operator]

    def program(self, title: str = "") -> Program:
        """The finished program; the last line is the objective."""
        return Program(tuple(self.inputs), tuple(self.lines), self.now.name, tuple(self.assumptions), title)


def with_letter(expr: sp.Expr, letter: sp.Symbol) -> sp.Expr:
    """The expression whose one sum over an index without a name runs over ``letter``."""
    return expr.xreplace(dict.fromkeys(expr.atoms(sp.Dummy), letter))


def over(body: sp.Expr, letter: sp.Symbol, axis: Axis) -> sp.Expr:
    """Σ body over an axis."""
    return total(body, ((letter, *axis.range),))


def axes_text(axes: Sequence[Axis]) -> str:
    """The sizes of axes, for a message: "(N, 3)"."""
    return "(" + ", ".join(str(a.size) for a in axes) + ")"


def same_size(where: str, found: Axis, wanted: Axis) -> None:
    """Raise when a layer gets another width than it takes."""
    if found.size != wanted.size:
        layer = where.split(",")[0]
        raise ShapeError(where, f"{found.size} features", f"{wanted.size}", f"{layer} after a layer of that width")
