"""PyTorch's linear algebra: inverses, determinants, Cholesky factors, diagonals, products of vectors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy as sp

from symnet.indexing.graph import unsupported
from symnet.indexing.operations import Array, Maker

Rule = Callable[..., "Array | list[Array] | list[Any]"]


def _cholesky(m: Maker, a: Array, upper: bool = False, **_: Any) -> Array:
    return m.cholesky(a, upper)


def _cholesky_solve(m: Maker, b: Array, factor: Array, upper: bool = False) -> Array:
    """(C Cᵀ)⁻¹ b, of which C's triangle is read alone."""
    factor = m.triangular(factor, not upper)
    one, other = (m.transposed(factor), factor) if upper else (factor, m.transposed(factor))
    return m.solve(other, m.solve(one, b))


def _triangular(m: Maker, a: Array, b: Array, upper: bool, left: bool = True, unitriangular: bool = False, **_: Any) -> Array:
    return m.solve(m.triangular(a, not upper, unitriangular), b, left)


def diagonal(m: Maker, a: Array, offset: int = 0, first: int = 0, second: int = 1) -> Array:
    """The entries at equal places of two axes, as the last axis."""
    i, j = first % a.rank, second % a.rank
    return m.diagonal(m.permute(a, [*[k for k in range(a.rank) if k not in (i, j)], i, j]), offset)


def _diagonal_matrix(m: Maker, a: Array, offset: int = 0, first: int = -2, second: int = -1) -> Array:
    """Matrices with the last axis on a diagonal."""
    if offset or (first, second) not in ((-2, -1), (a.rank - 1, a.rank)):
        raise unsupported("entries on another diagonal, or along other axes", m.where, "the main one of the last two axes")
    n = a.shape[-1]
    return m.map("mul", m.unit(n), m.reshape(a, [*a.shape, 1]))


def _diag(m: Maker, a: Array, offset: int = 0) -> Array:
    return _diagonal_matrix(m, a, offset) if a.rank == 1 else m.diagonal(a, offset)


def _cross(m: Maker, a: Array, b: Array, dim: int = -1) -> Array:
    axis = dim % a.rank

    def part(v: Array, k: int) -> Array:
        return m.take(v, axis, k)
    parts = [m.map("sub", m.map("mul", part(a, i), part(b, j)), m.map("mul", part(a, j), part(b, i))) for i, j in ((1, 2), (2, 0), (0, 1))]
    return m.concat([m.reshape(p, [*a.shape[:axis], 1, *a.shape[axis + 1:]]) for p in parts], axis)


def _bilinear(m: Maker, x: Array, y: Array, w: Array, b: Array | None = None) -> Array:
    """x W_k y + b_k for each output k."""
    made = m.dot(x, w, ([x.rank - 1], [1]))  # the axes in front, outputs, the second input
    lead = list(range(x.rank - 1))
    made = m.dot(made, y, ([made.rank - 1], [y.rank - 1]), (lead, lead))
    return made if b is None else m.map("add", made, b)


def _distances(m: Maker, a: Array, b: Array, p: float = 2.0, *_: Any) -> Array:
    """|a_i - b_j| for all rows."""
    if p not in (1, 2):
        raise unsupported(f"distances of order {p}", m.where, "1 or 2")
    gaps = m.map("sub", m.reshape(a, [*a.shape[:-1], 1, a.shape[-1]]), m.reshape(b, [*b.shape[:-2], 1, *b.shape[-2:]]))
    return m.sum(m.map("abs", gaps), -1) if p == 1 else m.map("sqrt", m.sum(m.map("square", gaps), -1))


def _refused(reason: str, instead: str) -> Rule:
    def rule(m: Maker, *_: Any, **__: Any) -> Array:
        raise unsupported(reason, m.where, instead)
    return rule


EIGEN = _refused("a decomposition by eigenvectors or singular vectors, which has no formula in the entries", "inv, det, cholesky or solve")
PLACE = _refused("the place of an entry: a whole number, without a slope", "the values before it, such as amax")
ORDER = _refused("entries in an order that depends on their values", "amax, amin or a sum")
MATRICES: dict[str, Rule] = {
    **dict.fromkeys(("argmax", "argmin", "argsort", "nonzero", "searchsorted", "bucketize"), PLACE),
    **dict.fromkeys(("sort", "topk", "median", "nanmedian", "kthvalue", "mode", "quantile", "unique", "unique2", "_unique2"), ORDER),
    **dict.fromkeys(("grid_sampler", "grid_sampler_2d", "grid_sampler_3d"), _refused("a read at places that are computed", "interpolate")),
    **dict.fromkeys(("fft_fft", "fft_rfft", "fft_ifft", "fft_irfft", "fft_fft2", "fft_fftn", "stft"), _refused(
        "a Fourier transform, whose numbers are complex", "sums of cosines and sines")),
    **dict.fromkeys(("linalg_inv", "inverse"), lambda m, a: m.inverse(a)), "linalg_inv_ex": lambda m, a, *_: [m.inverse(a), None],
    "linalg_solve": lambda m, a, b, left=True, **options: m.solve(a, b, options.get("left", left)),
    "_linalg_solve_ex": lambda m, a, b, left=True, **options: [m.solve(a, b, options.get("left", left)), None, None, None],
    **dict.fromkeys(("linalg_det", "det"), lambda m, a: m.det(a)), "_linalg_det": lambda m, a: [m.det(a), None, None],
    **dict.fromkeys(("linalg_slogdet", "slogdet"), lambda m, a: list(m.slogdet(a))),
    "_linalg_slogdet": lambda m, a: [*m.slogdet(a), None, None], "logdet": lambda m, a: m.map("log", m.det(a)),
    **dict.fromkeys(("linalg_cholesky", "cholesky"), _cholesky),
    "linalg_cholesky_ex": lambda m, a, **options: [_cholesky(m, a, **options), None],
    "cholesky_solve": _cholesky_solve, "linalg_solve_triangular": _triangular,
    **dict.fromkeys(("linalg_matrix_power", "matrix_power"), Maker.matrix_power),
    "diagonal": diagonal, "diagonal_copy": diagonal, "linalg_diagonal": lambda m, a, *, offset=0, dim1=-2, dim2=-1: diagonal(
        m, a, offset, dim1, dim2), "diag": _diag, "diag_embed": _diagonal_matrix, "trace": lambda m, a: m.sum(m.diagonal(a)),
    "linalg_cross": _cross, "cross": lambda m, a, b, dim=None: _cross(m, a, b, -1 if dim is None else dim), "bilinear": _bilinear,
    "cdist": _distances, "_cdist_forward": _distances,
    "tril": lambda m, a, diagonal=0: m.triangle(a, True, diagonal), "triu": lambda m, a, diagonal=0: m.triangle(a, False, diagonal),
    "eye": lambda m, rows, columns=None, **_: m.unit(rows, columns if isinstance(columns, (int, sp.Expr)) else None),
    **dict.fromkeys(("linalg_svd", "linalg_eigh", "linalg_eig", "linalg_svdvals", "linalg_eigvalsh", "linalg_pinv", "_linalg_svd",
                     "linalg_qr"), EIGEN), "linalg_matrix_exp": _refused("the exponential of a matrix, a series", "a few of its terms"),
    "matrix_exp": _refused("the exponential of a matrix, a series", "a few of its terms"),
}
