"""Where the objective of a program has a value: only there has it a gradient, and only there can an answer be wrong."""

from __future__ import annotations

import sympy as sp

from symnet.core.program import Program


def classes_of(scalars: Program) -> dict[sp.Basic, int]:
    """How many classes each index among the inputs of a program of scalars counts, where that is a number."""
    return {t[()]: int(t.classes) for t in scalars.inputs if t.domain == "index" and t.classes is not None and t.classes.is_Integer}
