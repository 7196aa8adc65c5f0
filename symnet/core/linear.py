"""Determinants and inverses of numbers: by exact elimination while the entries are rational, else in balls."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cached_property
from typing import Any

from flint import arb, arb_mat, ctx, fmpq, fmpq_mat

from symnet.core.decimals import Number, as_ball
from symnet.core.matrices import SINGULAR, Det, InverseEntry, Rows
from symnet.errors import DomainError

ENOUGH = 256  # bits at which a matrix that balls cannot tell from a singular one is given up


class Square:
    """A square matrix of numbers; what is computed from it is computed once."""

    def __init__(self, *entries: Number) -> None:
        n = math.isqrt(len(entries))
        self.exact = all(isinstance(x, fmpq) for x in entries)
        self.matrix: Any = fmpq_mat(n, n, list(entries)) if self.exact else arb_mat(n, n, [as_ball(x) for x in entries])

    @cached_property
    def det(self) -> Number:
        """The determinant."""
        return self.matrix.det()

    @cached_property
    def inverse(self) -> Any:
        """The inverse matrix; None where the balls are too wide to say that there is one."""
        try:
            return self.matrix.inv()
        except ZeroDivisionError:
            if self.exact:
                raise DomainError("inverse", *SINGULAR) from None
            if ctx.prec >= ENOUGH:
                raise DomainError("inverse", f"a matrix that {ctx.prec} bits cannot tell from a singular one", SINGULAR[1]) from None
            return None

    def inverse_at(self, i: Number, j: Number) -> Number:
        """The entry (i, j) of the inverse, counted from 1."""
        return arb("nan") if self.inverse is None else self.inverse[int(i.p) - 1, int(j.p) - 1]


OF_MATRICES: dict[Any, Callable[..., Any]] = {
    Rows: Square,
    Det: lambda matrix: matrix.det,
    InverseEntry: lambda matrix, i, j: matrix.inverse_at(i, j),
}
