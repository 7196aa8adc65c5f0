"""The entries of matrices of a declared structure, written in free numbers: every choice of these gives such a matrix, and all are met.

- symmetric: one number for A[i, j] and A[j, i];
- diagonal: 0 off the diagonal;
- positive definite: L Lᵀ for L lower triangular with a positive diagonal (Cholesky's factor, which every such matrix has once);
- one-hot rows: the class k of a row, one of 1..C, and y[c] = Π_{m ≠ c} (k - m)/(c - m), which is 1 where k = c and 0 elsewhere;
- orthogonal: (I - S)(I + S)⁻¹ for skew S, times diag(±1, 1, …): Cayley's form, which meets all but a null set of them. What is
  continuous and equal on these is equal on all; anything else is not concluded from them.

Points that are tried and proofs at given sizes both put these in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import sympy as sp

from symnet.core.expressions import When
from symnet.core.number_sets import finite
from symnet.core.program import Assumption
from symnet.core.structures import ONE_HOT
from symnet.core.tensors import Tensor, free_name

MOST_ORTHOGONAL = 4  # rows of an orthogonal matrix that is written out
MOST_DEFINITE = 5
Place = tuple[int, ...]
Matrix = dict[Place, Tensor]


@dataclass(frozen=True)
class Forms:
    """``there`` gives entries as formulas in free numbers, of which ``free`` are no entries; ``dense`` where these meet not all but almost
    all matrices; ``lacking`` says of which matrix no formulas are known, so that no point obeys for sure."""

    there: Mapping[sp.Basic, sp.Expr] = field(default_factory=dict)
    free: frozenset[sp.Basic] = frozenset()
    dense: bool = False
    lacking: str = ""

    def of(self, *parts: sp.Basic) -> dict[sp.Basic, sp.Expr]:
        """The formulas of those entries that occur in ``parts``."""
        here = {s for part in parts for s in part.free_symbols}
        return {e: form for e, form in self.there.items() if e in here}


NO_FORMS = Forms()


def forms_of(inputs: Iterable[Tensor]) -> Forms:
    """The forms of the structured matrices among scalars, each of which knows its matrix and its place.

    >>> entries = [Tensor(f"S_{i}_{j}", parent="S", place=(i, j), structure="symmetric") for i in (1, 2) for j in (1, 2)]
    >>> forms_of(entries).there
    {S_2_1: S_1_2}
    """
    scalars = tuple(inputs)
    taken = {t.name for t in scalars}
    matrices: dict[str, Matrix] = {}
    for t in scalars:
        if t.structure and t.parent:
            matrices.setdefault(t.parent, {})[t.place] = t
    there: dict[sp.Basic, sp.Expr] = {}
    dense, lacking = False, ""
    for name, matrix in matrices.items():
        structure = next(iter(matrix.values())).structure
        rows = sorted({p[0] for p in matrix})
        if (structure == "orthogonal" and len(rows) > MOST_ORTHOGONAL) or (structure == "positive definite" and len(rows) > MOST_DEFINITE):
            lacking = f"{name} is declared {structure}, which is tried for at most " + \
                f"{MOST_ORTHOGONAL if structure == 'orthogonal' else MOST_DEFINITE} rows"
            continue
        dense |= structure == "orthogonal"
        there |= _FORMS[structure](name, matrix, taken)
    entries = {t[()] for t in scalars}
    return Forms(there, frozenset(s for form in there.values() for s in form.free_symbols) - entries, dense, lacking)


def facts_of(tensors: Iterable[Tensor]) -> tuple[Assumption, ...]:
    """The equations that hold for rows that are one-hot and matrices that are orthogonal, for all sizes.

    y[n, a] y[n, b] = [a = b] y[n, a] and Σ_c y[n, c] = 1; Σ_k Q[k, i] Q[k, j] = [i = j] = Σ_k Q[i, k] Q[j, k].
    """
    found = list[Assumption]()
    i, j, k = (sp.Symbol(letter, integer=True) for letter in ("_i", "_j", "_k"))
    for t in tensors:
        if t.structure == ONE_HOT:
            lead = tuple(sp.Symbol(f"_n{axis}", integer=True) for axis in range(len(t.axes) - 1))
            found.append(Assumption(sp.Sum(t[(*lead, k)], (k, *t.axes[-1].range)), sp.S.One))
            found.append(Assumption(t[(*lead, i)] * t[(*lead, j)], When(t[(*lead, i)], sp.Eq(i, j))))
        elif t.structure == "orthogonal":
            span = (k, *t.axes[0].range)
            found += [Assumption(sp.Sum(t[at] * t[other], span), When(sp.S.One, sp.Eq(i, j)))
                      for at, other in (((k, i), (k, j)), ((i, k), (j, k)))]
    return tuple(found)


def _free(name: str, taken: set[str], **facts: bool) -> sp.Symbol:
    title = free_name(name, taken)
    taken.add(title)
    return sp.Symbol(title, **(facts or {"real": True}))


def _symmetric(_: str, matrix: Matrix, taken: set[str]) -> dict[sp.Basic, sp.Expr]:
    return {t[()]: matrix[j, i][()] for (i, j), t in matrix.items() if i > j}


def _diagonal(_: str, matrix: Matrix, taken: set[str]) -> dict[sp.Basic, sp.Expr]:
    return {t[()]: sp.S.Zero for (i, j), t in matrix.items() if i != j}


def _positive_definite(name: str, matrix: Matrix, taken: set[str]) -> dict[sp.Basic, sp.Expr]:
    factor = {(i, j): _free(f"{name}_root_{i}_{j}", taken, **({"positive": True} if i == j else {})) for i, j in sorted(matrix) if i >= j}
    rows = sorted({p[0] for p in matrix})
    return {t[()]: sp.Add(*[factor[i, k] * factor[j, k] for k in rows if k <= min(i, j)]) for (i, j), t in matrix.items()}


def _one_hot(name: str, matrix: Matrix, taken: set[str]) -> dict[sp.Basic, sp.Expr]:
    classes = sorted({p[-1] for p in matrix})
    found: dict[sp.Basic, sp.Expr] = {}
    chosen: dict[Place, sp.Symbol] = {}
    numbers = finite(sp.Integer(c) for c in classes)
    assert numbers is not None
    for place, t in sorted(matrix.items()):
        row, c = place[:-1], place[-1]
        if row not in chosen:
            chosen[row] = _free("_".join([name, "class", *map(str, row)]), taken, **numbers.facts)
        found[t[()]] = sp.Mul(*[(chosen[row] - m) / sp.Integer(c - m) for m in classes if m != c])
    return found


def _orthogonal(name: str, matrix: Matrix, taken: set[str]) -> dict[sp.Basic, sp.Expr]:
    rows = sorted({p[0] for p in matrix})
    n = len(rows)
    turns = {(i, j): _free(f"{name}_turn_{rows[i]}_{rows[j]}", taken) for i in range(n) for j in range(i)}
    skew = sp.Matrix(n, n, lambda i, j: turns[i, j] if i > j else -turns[j, i] if i < j else 0)
    both = finite((sp.S.NegativeOne, sp.S.One))
    assert both is not None
    side = _free(f"{name}_side", taken, **both.facts)
    below = sp.expand((sp.eye(n) + skew).det())
    made = (sp.eye(n) - skew) * (sp.eye(n) + skew).adjugate()
    return {matrix[p][()]: (side if p[0] == rows[0] else 1) * sp.expand(made[rows.index(p[0]), rows.index(p[1])]) / below for p in matrix}


_FORMS = {"symmetric": _symmetric, "diagonal": _diagonal, "positive definite": _positive_definite, ONE_HOT: _one_hot,
          "orthogonal": _orthogonal}
