"""x_n and x^{(n)} of a matrix x: row n where the samples are rows, column n where they are columns. The shape that is asked for tells."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from symnet.core.axes import Axis
from symnet.errors import MismatchError, NameError_, ShapeError, SymnetError
from symnet.indexing.index_array import IndexArray

FIRST, LAST = "first", "last"  # the axis on which the one letter below a matrix stands


class Partial(Protocol):
    """What knows whether a text that it read has one letter below a matrix."""

    @property
    def partly(self) -> bool: ...


Reading = TypeVar("Reading", bound=Partial)


def by_shape(reading: Callable[[str], Reading], value: Callable[[Reading], IndexArray], axes: Sequence[Axis], where: str) -> IndexArray:
    """What a text means: where one letter stands below a matrix, the reading that has the shape of ``axes``.

    ``reading`` gives who reads it with such letters on the first or the last axis. Raises ShapeError where neither has that shape and
    NameError_ where both have: what is guessed is never judged.
    """
    found: list[IndexArray] = []
    unfit = 0  # readings whose shapes do not fit
    for axis in (FIRST, LAST):
        reader = reading(axis)
        try:
            made = value(reader)
        except SymnetError as error:
            if not reader.partly:
                raise
            unfit += isinstance(error, MismatchError)
            continue
        if not reader.partly:
            return made
        if [a.range for a in made.axes] == [a.range for a in axes]:
            found.append(made)
        else:
            unfit += 1
    if len(found) == 1:
        return found[0]
    if unfit == 2:
        raise MismatchError(where, "one letter below a matrix, a row or a column, of which neither fits", "the shape of the gradient")
    kind, what = (NameError_, "a row or a column") if found else (ShapeError, "a row or a column, and fits as neither")
    raise kind(where, f"one letter below a matrix, which may name {what}", "both of its indices, X_nj")
