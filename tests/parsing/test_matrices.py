"""Matrices by NumPy's names: the same text means the same array, exactly, in NumPy and here."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sympy as sp

import symnet as sn
from symnet.calculus.evaluate import evaluate
from symnet.core.axes import Axis
from symnet.core.program import Program
from symnet.core.tensors import Tensor
from symnet.errors import ParseError, ShapeError
from symnet.parsing.matrices import MATRICES
from symnet.parsing.program import expression, tensor_of

RNG = np.random.default_rng(5)
VALUES: dict[str, Any] = {
    "A": RNG.integers(-4, 5, (3, 3)), "B": RNG.integers(-4, 5, (2, 2)), "X": RNG.integers(-4, 5, (4, 3)), "u": RNG.integers(-4, 5, 3),
    "v": RNG.integers(-4, 5, 2), "R": RNG.integers(-4, 5, (2, 3, 3)),
}
SHAPES = {"A": ("d", "d"), "B": ("m", "m"), "X": ("N", "d"), "u": ("d",), "v": ("m",), "R": ("m", "d", "d")}
KNOWN = {"det": np.linalg.det, "inv": np.linalg.inv, "solve": np.linalg.solve, "matrix_power": np.linalg.matrix_power, "kron": np.kron,
         "diag": np.diag, "tril": np.tril, "triu": np.triu, "arange": np.arange, "eye": np.eye, "identity": np.identity, "trace": np.trace, "outer": np.outer, "norm": np.linalg.norm,
         "vec": lambda a: a.T.ravel(), "ravel": np.ravel, "log": np.log, "logdet": lambda a: np.linalg.slogdet(a)[1], "logabsdet": lambda a: np.linalg.slogdet(a)[1],
         "abs": np.abs, "sum": np.sum, "np": np, "linalg": np.linalg, "d": 3, "m": 2}
TEXTS = [
    "det(A)", "np.linalg.det(B)", "linalg.det(X.T @ X)", "inv(A)", "np.linalg.inv(B) @ v", "solve(A, u)", "np.linalg.solve(A, X.T)",
    "matrix_power(A, 3)", "np.linalg.matrix_power(B, -2)", "matrix_power(A, 0)", "matrix_power(A, 1)", "kron(A, B)", "np.kron(B, X)",
    "kron(u, v)", "diag(u)", "diag(A)", "diag(diag(A))", "diag(u) @ X.T", "eye(d) - A", "identity(m)", "eye(3)", "vec(X)", "ravel(X)",
    "trace(kron(A, B))", "trace(inv(A))", "trace(diag(u) @ A)", "sum(kron(A, B), axis=1)", "det(R)", "inv(R)", "kron(A, B) @ kron(u, v)",
    "norm(X)", "norm(X, axis=1)", "norm(A, axis=0, keepdims=True)", "log(abs(det(A)))", "outer(u, v)", "det(kron(B, B))", "inv(inv(A))", "logdet(X.T @ X)",
    "logabsdet(A)", "tril(A)", "np.triu(X)", "tril(R)", "triu(A) @ tril(A)", "arange(d) * X", "sum(np.arange(m))",
]


def made(text: str) -> Any:
    shapes = {n: s for n, s in SHAPES.items() if n in text.replace("np.", "").replace("keepdims=True", "")}
    used = {"d": "A", "m": "B"}
    shapes |= {used[s]: SHAPES[used[s]] for s in used if f"({s})" in text}
    program = sn.program(f"out = {text}", tensors=shapes)
    return evaluate(program, {n: VALUES[n] for n in shapes}).decimal("out", 17)


@pytest.mark.parametrize("text", TEXTS)
def test_it_means_what_numpy_says(text: str) -> None:
    want = eval(text, {}, {**KNOWN, **VALUES})  # noqa: S307 - the texts of this table
    got = np.array(made(text), dtype=float)
    assert got.shape == np.shape(want)
    assert np.allclose(got, want, rtol=1e-9, atol=1e-9)


def test_every_function_has_a_text_here() -> None:
    assert [name for name in MATRICES if not any(f"{name}(" in text for text in TEXTS)] == ["onehot", "one_hot"]  # tests of their own, below and in test_places.py


@pytest.mark.parametrize(("text", "error"), [
    ("det(X)", ShapeError), ("inv(u)", ShapeError), ("det(A, B)", ParseError), ("matrix_power(A, 0.5)", ParseError),
    ("matrix_power(A, 99)", ParseError), ("matrix_power(X, 2)", ShapeError), ("kron(A, u)", ShapeError), ("diag(X)", ShapeError),
    ("diag(R)", ShapeError), ("eye(A)", ShapeError), ("eye(0)", ShapeError), ("vec(u)", ShapeError), ("solve(A, v)", ShapeError),
    ("inv(A)[1, 1, 1]", ShapeError),
])
def test_what_has_no_meaning_is_refused(text: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        sn.program(f"out = {text}", tensors=SHAPES)


def lines(program: Program) -> list[str]:
    from symnet.core.text import definition_text

    return [definition_text(d, program.tensors) for d in program]


@pytest.mark.parametrize(("text", "shown"), [
    ("L = trace(kron(A, B))", "L = sum(A[i, i]*B[j, j] for j in 1..m for i in 1..d)"),
    ("L = u @ diag(u) @ u", "L = sum(u[i]**3 for i in 1..d)"),
    ("L = trace(A @ eye(d))", "L = sum(A[i, i] for i in 1..d)"),
    ("L = vec(A) @ vec(A)", "L = sum(A[i, k]**2 for k in 1..d for i in 1..d)"),
])
def test_brackets_are_settled_where_they_fix_an_index(text: str, shown: str) -> None:
    assert lines(sn.program(text, tensors={"A": ("d", "d"), "B": ("m", "m"), "u": ("d",)})) == [shown]


@pytest.mark.parametrize("text", ["L = det(A)", "B[i, j] = inv(A)[j, i]", "L = sum(inv(A)[i, i] for i in 1..d)", "L = log(det(A.T))"])
def test_what_is_printed_is_read_back(text: str) -> None:
    tensors = {"A": ("d", "d")}
    once = lines(sn.program(text, tensors=tensors))
    assert lines(sn.program(*once, tensors=tensors)) == once


def test_onehot_counts_classes_from_zero() -> None:
    tensors = {"y": Tensor("y", (Axis.of(3),), "index"), "W": tensor_of("W", (4, 2))}
    value = expression("onehot(y, 4) @ W", tensors)
    assert value.shape == "(3, 2)"
    entry = value.at(sp.Integer(2), sp.Integer(1)).doit()
    for c in range(4):
        assert entry.xreplace({tensors["y"][2]: sp.Integer(c)}).doit() == tensors["W"][c + 1, 1]
    for text in ("onehot(y, 0)", "onehot(y, W)", "onehot(y)"):
        with pytest.raises((ShapeError, ParseError)):
            expression(text, tensors)
