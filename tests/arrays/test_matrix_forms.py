"""Determinants and inverses in matrix notation."""

from __future__ import annotations

import pytest

import symnet as sn
from symnet.arrays.notation import matrix_latex
from symnet.calculus import derive

SHAPES = {"A": ("d", "d"), "C": ("d", "d"), "X": ("N", "d"), "b": ("d",), "R": ("N", "d", "d")}


def shown(text: str, columns: bool = False) -> str | None:
    d, = sn.program(text, tensors=SHAPES)
    return matrix_latex(d, sn.program(text, tensors=SHAPES).tensors, columns)


@pytest.mark.parametrize(("text", "latex"), [
    ("B = inv(A)", "B = A^{-1}"),
    ("B = inv(A).T", r"B = A^{-\top}"),
    ("B = inv(A.T)", r"B = A^{-\top}"),
    ("B = inv(A.T).T", r"B = A^{-1}"),
    ("L = det(A)", r"L = \det A"),
    ("L = log(det(A))", r"L = \log \det A"),
    ("L = log(abs(det(A)))", r"L = \log \left|\det A\right|"),
    ("B = inv(X.T @ X)", r"B = \left(X^{\top} X\right)^{-1}"),
    ("L = det(A + C)", r"L = \det \left(A + C\right)"),
    ("x = inv(A) @ b", "x = A^{-1} b"),
    ("L = 2*det(A)", r"L = 2 \det A"),
])
def test_matrix_notation(text: str, latex: str) -> None:
    assert shown(text) == latex


@pytest.mark.parametrize("text", ["D = det(R)", "L = trace(inv(A))"])
def test_what_has_no_matrix_form_stays_in_indices(text: str) -> None:
    assert shown(text) is None


def test_columns_as_samples_transpose_every_letter() -> None:
    assert shown("B = inv(A)", columns=True) == "B = A^{-1}"
    assert shown("B = inv(A).T", columns=True) == r"B = A^{-\top}"


def test_the_gradients_read_as_in_the_cookbook() -> None:
    d = derive(sn.program("L = b @ inv(A) @ b + log(det(A))", tensors=SHAPES), ["A"])
    assert matrix_latex(d.gradients["A"].definitions[0], d.full.tensors) == \
        r"\frac{\partial L}{\partial A} = A^{-\top} - A^{-\top} b \left(A^{-1} b\right)^{\top}"
