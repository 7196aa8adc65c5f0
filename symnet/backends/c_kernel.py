"""The parts of a C file while it is written: loop nests, statements, and where arrays lie."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import final

import sympy as sp

from symnet.backends.places import Place, Span

LETTERS = "ijklmnpqr"
FORMAL: Mapping[str, str] = {"real": "u", "const real *": "a", "real *": "to", "const int *": "at"}


@final
@dataclass(frozen=True)
class Memory:
    """Where an array lies: its sizes, the first place along each axis, and the type of its entries. A number has no sizes."""

    sizes: tuple[int, ...] = ()
    first: tuple[int, ...] = ()
    kind: str = "real"

    @property
    def count(self) -> int:
        """How many entries."""
        made = 1
        for n in self.sizes:
            made *= max(n, 0)
        return made


@final
@dataclass
class Line:
    """A statement, the arrays that it touches, and what stands inside it (a loop, a condition)."""

    text: str
    touches: tuple[str, ...] = ()
    inner: list[Line] = field(default_factory=list)

    def arrays(self) -> Iterator[str]:
        """All arrays touched, inside too."""
        yield from self.touches
        for line in self.inner:
            yield from line.arrays()

    def texts(self, indent: str = "    ") -> Iterator[str]:
        """The source."""
        if not self.inner:
            yield indent + self.text
            return
        yield f"{indent}{self.text} {{"
        for line in self.inner:
            yield from line.texts(indent + "    ")
        yield indent + "}"


@final
class Kernel:
    """One loop nest while it is written: its arguments by the names outside, the values of indices as places, the lines."""

    def __init__(self, index: Mapping[sp.Symbol, Place], ranges: Mapping[str, Span]) -> None:
        self.index, self.ranges = dict(index), dict(ranges)
        self.outside = dict(ranges)
        self.arguments: dict[str, tuple[str, str]] = {}
        self.lines: list[str] = []
        self.depth = 1
        self.letters = (*LETTERS, *(f"i{n}" for n in range(1, 100)))

    def argument(self, name: str, kind: str) -> str:
        """The name inside for what is called ``name`` outside."""
        if name not in self.arguments:
            count = sum(k == kind for _, k in self.arguments.values())
            self.arguments[name] = (f"{FORMAL[kind]}{count + 1}", kind)
        return self.arguments[name][0]

    def line(self, text: str) -> None:
        """One more line at this depth."""
        self.lines.append("    " * self.depth + text)

    def variable(self) -> str:
        """A letter for one more loop."""
        return str(next(c for c in self.letters if c not in self.ranges))

    @contextmanager
    def loop(self, symbol: sp.Symbol | None, first: Place, count: int, variable: str = "") -> Iterator[str]:
        """``for`` over ``count`` values of an index that begins at ``first``."""
        name = variable or self.variable()
        self.line(f"for (int {name} = 0; {name} < {count}; {name}++) {{")
        self.depth += 1
        self.ranges[name] = (0, max(count - 1, 0))
        if symbol is not None:
            self.index[symbol] = Place(((name, 1),)).plus(first)
        yield name
        self.depth -= 1
        del self.ranges[name]
        self.line("}")
