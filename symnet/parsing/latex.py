r"""LaTeX to meaning: the same values as plain maths, with names as they are printed.

Nothing is evaluated. Names are looked up among the declared tensors (latex_names.py); a name with two readings is refused with both.
A power of a square matrix is refused unless it says which: A^{\odot 2} entry by entry, A A as a product; A^{-1} is the inverse.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sympy as sp

from symnet.core.axes import Axis
from symnet.core.tensors import Tensor, sizes_of
from symnet.errors import ParseError, ShapeError
from symnet.indexing.index_array import IndexArray
from symnet.parsing.conventions import UNKNOWN, column, is_open, stretch
from symnet.parsing.expressions import Slopes
from symnet.parsing.latex_lines import LatexLines, use_lines
from symnet.parsing.latex_lowering import NAMES, LatexLowering
from symnet.parsing.lost_conditions import with_holes
from symnet.parsing.node import Node


def latex_expression(text: str, tensors: Mapping[str, Tensor], sizes: Mapping[str, sp.Symbol] | None = None, where: str = "LaTeX",
                     free: Mapping[str, sp.Symbol] | None = None, axes: Sequence[Axis] = (), columns: bool = False,
                     given: Mapping[str, sp.Expr] | None = None, slopes: Slopes | None = None) -> IndexArray:
    r"""One expression in LaTeX over declared tensors: its axes, indices and SymPy entry.

    ``free`` are the indices that the left side gives; ``axes`` the shape that is wanted, which tells how long a vector of ones is.
    A part may be named in a line of its own; ``given`` says what declared names stand for, which a line may say again.
    ``slopes`` gives g'(z).
    With ``columns`` every letter of a matrix stands for the transpose of what is declared. Raises ParseError, NameError_ or
    ShapeError in one line.

    >>> from symnet.parsing.declaring import tensor_of
    >>> tensors = {name: tensor_of(name, shape) for name, shape in {"X": ("N", "d"), "w": "d", "y": "N"}.items()}
    >>> latex_expression(r"\frac{2}{N} X^{\top} \left(X w - y\right)", tensors).shape
    '(d,)'
    """
    lowering = LatexLowering(tensors, sizes or sizes_of(tensors), where, free, columns)
    lowering.slopes = slopes or lowering.slopes
    (*left, right), lines = LatexLines(text, where, NAMES).lines()
    if left:
        raise ParseError(f"{where}, column {left[0].column}", "a left side and =", "the right side alone")
    use_lines(lowering, lines, given or {}, where)
    return understood(right, lowering, axes, where)


def understood(tree: Node, lowering: LatexLowering, axes: Sequence[Axis], where: str) -> IndexArray:
    """The meaning of a tree, with every size known."""
    value = stretch(lowering.any(tree), axes)
    holes = list(lowering.asked)
    lowering.own.finish()
    if is_open(value):
        raise ShapeError(where, UNKNOWN, "\\mathbf{1}_{N} or I_{d} with its size")
    return with_holes(column(value), holes)
