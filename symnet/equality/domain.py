"""Where a question is asked: an equality need hold only there, and a point that refutes it lies there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import sympy as sp

from symnet.equality.domain_conditions import AS_READ
from symnet.equality.structured import NO_FORMS, Forms

Holes = tuple[tuple[sp.Expr, str], ...]  # (u, "="): nothing is asked where u = 0; "<=" where u <= 0, "<" where u < 0
NEEDED = {"=": "!=", "<=": ">", "<": ">="}


@dataclass(frozen=True)
class Domain:
    """``holes``, where what the question is about has no value itself; ``classes`` gives how many values an index takes, 0, 1, ….

    ``forms`` are the entries of matrices of a declared structure in free numbers.
    ``unseen`` are those of the holes that no formula shows, since SymPy shortened it: they are said with every verdict. ``of`` says what
    has no value there, and ``read`` are bases of powers with a variable exponent, which are read as positive.
    """

    holes: Holes = ()
    classes: Mapping[sp.Basic, int] = field(default_factory=dict)
    unseen: Holes = ()
    of: str = ""
    forms: Forms = NO_FORMS
    read: frozenset[sp.Expr] = frozenset()

    def said(self, holes: Holes) -> str:
        """"where L has a value: x > 0", or "" without holes."""
        if not holes:
            return ""
        how = AS_READ if any(u in self.read for u, sign in holes[:3] if sign == "<=") else ""
        return f"where {self.of} has a value: " + " and ".join(f"{u} {NEEDED[sign]} 0" for u, sign in holes[:3]) + how


EVERYWHERE = Domain()
