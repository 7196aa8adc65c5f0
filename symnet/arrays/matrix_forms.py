r"""Matrix notation of determinants and inverses: \det A, \log \det A, A^{-1}, A^{-\top}."""

from __future__ import annotations

from collections.abc import Callable

from symnet.arrays.matrix_letters import ATOM, HAD, Form
from symnet.arrays.tree import Labels, Node, OfMatrix


def of_matrix_form(form: Callable[[Node, Labels], Form], node: OfMatrix, labels: Labels, columns: bool = False) -> Form | None:
    """The form over ``labels``, or None. With ``columns`` every letter stands for a transpose, whose inverse is transposed."""
    over = (node.rows[0], node.columns[0])
    if set(node.body.labels) != set(over):
        return None
    matrix = form(node.body, over[::-1] if columns else over)
    if node.kind == "logabsdet":
        return Form(rf"\log \left|\det {matrix.within(ATOM)}\right|", HAD)  # in a product it is bracketed: (det A) A^{-T}
    if node.kind in ("det", "logdet"):
        return Form((r"\log " if node.kind == "logdet" else "") + rf"\det {matrix.within(ATOM)}", HAD)
    spans = dict(node.spans)
    if any(spans.get(p) != t[1:] for p, t in zip(node.places, (node.columns, node.rows), strict=True)) or len(set(labels)) != 2:
        return None
    straight = (labels == node.places) is not columns
    if matrix.text.endswith(r"^{\top}") and matrix.binds == ATOM:  # (A^T)^{-1} is A^{-T}
        matrix, straight = Form(matrix.text.removesuffix(r"^{\top}"), ATOM), not straight
    name = matrix.within(ATOM)
    if "^" in name and matrix.binds == ATOM:
        name = rf"\left({name}\right)"
    return Form(rf"{name}^{{-1}}" if straight else rf"{name}^{{-\top}}", ATOM)
