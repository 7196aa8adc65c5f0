"""Where a question is asked: an equality need hold only there, and a point that refutes it lies there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import sympy as sp

Hole = tuple[sp.Expr, str]  # (u, "="): nothing is asked where u = 0; "<=" where u <= 0, "<" where u < 0


@dataclass(frozen=True)
class Domain:
    """``holes``, where what the question is about has no value itself; ``classes`` gives how many values an index takes, 0, 1, ….

    ``of`` says whose domain it is, for the verdict's words.
    """

    holes: tuple[Hole, ...] = ()
    classes: Mapping[sp.Basic, int] = field(default_factory=dict)
    of: str = ""


EVERYWHERE = Domain()
