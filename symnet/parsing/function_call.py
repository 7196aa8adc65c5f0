"""A call of a function of plain maths: its name and its arguments, already understood."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from symnet.errors import ParseError
from symnet.indexing.index_array import IndexArray


@dataclass(frozen=True, slots=True)
class Call:
    """A call with its arguments already understood."""

    name: str
    where: str
    args: tuple[IndexArray, ...]
    axis: int | None = None
    keepdims: bool = False

    def only(self, least: int, most: int | None = None) -> tuple[IndexArray, ...]:
        """The arguments, when their number fits."""
        most = least if most is None else most
        if not least <= len(self.args) <= most:
            wanted = f"{least}" if least == most else f"{least} to {most}"
            raise ParseError(self.where, f"{self.name} with {len(self.args)} arguments", f"{wanted}")
        return self.args


Build = Callable[[Call], IndexArray]
