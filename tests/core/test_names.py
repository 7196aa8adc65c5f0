"""How names and entries are printed."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from latex2mathml.converter import convert

from symnet.core.axes import Axis, Kind
from symnet.core.names import (
    entry_latex,
    gradient_latex,
    index_latex,
    name_latex,
    parts,
    shape_latex,
    shape_text,
    tensor_latex,
    tensor_text,
)
from symnet.core.tensors import NAME, Tensor

D, H, TIME, DEPTH = Axis.of("d"), Axis.of("h"), Axis.of("T", Kind.TIME), Axis.of("L", Kind.DEPTH)


@pytest.mark.parametrize(("name", "wanted"), [
    ("w1", "w_{1}"), ("w_1", "w_{1}"), ("x12", "x_{12}"), ("theta", r"\theta"), ("theta_2", r"\theta_{2}"), ("N", "N"),
    ("w_new", r"w_{\mathrm{new}}"), ("w1_new", r"w_{1,\mathrm{new}}"), ("y_hat", r"\hat{y}"), ("yhat", r"\hat{y}"),
    ("a1_hat", r"\hat{a}_{1}"), ("loss", r"\mathrm{loss}"), ("E_line", r"E_{\mathrm{line}}"), ("alpha1", r"\alpha_{1}"),
    ("hat", r"\mathrm{hat}"), ("z1_", r"\mathrm{z1\_}"), ("a1b2", r"\mathrm{a1b2}"),
])
def test_name_latex(name: str, wanted: str) -> None:
    assert name_latex(name) == wanted


@settings(max_examples=60, deadline=None, derandomize=True)
@example("lambda_")
@example("a1b_c_d")
@example("w__2")
@given(st.from_regex(NAME, fullmatch=True))
def test_every_name_is_sound_latex(name: str) -> None:
    latex = name_latex(name.rstrip("\n"))
    assert latex.count("{") == latex.count("}")
    assert "_" not in latex.replace(r"\_", "").replace("_{", ""), "an underscore is escaped or opens a subscript"
    assert convert(latex).startswith("<math")


@pytest.mark.parametrize(("name", "wanted"), [
    ("w1", ("w", "1", "")), ("w_new", ("w", "", "new")), ("w1_new", ("w", "1", "new")), ("theta_2", ("theta", "2", "")),
    ("loss", ("loss", "", "")), ("a1b2", ("a1b2", "", "")),
])
def test_parts(name: str, wanted: tuple[str, str, str]) -> None:
    assert parts(name) == wanted


@pytest.mark.parametrize(("tensor", "places", "wanted"), [
    (Tensor("W1", (D, H)), ("1", "2"), "w_{12}^{(1)}"),
    (Tensor("W1", (D, H)), ("i", "j"), "w_{ij}^{(1)}"),
    (Tensor("W1", (D, H)), ("10", "2"), "w_{10,2}^{(1)}"),
    (Tensor("x", (D,)), ("i + p - 1",), "x_{i + p - 1}"),
    (Tensor("X", (D, H)), ("n", "j'"), "x_{nj'}"),
    (Tensor("W", (DEPTH, D, D)), ("l", "i", "j"), "w_{ij}^{(l)}"),
    (Tensor("h", (TIME, D)), ("t - 1", "k"), "h_{k}^{(t - 1)}"),
    (Tensor("h2", (TIME, D)), ("t", "k"), "h_{k}^{(2,t)}"),
    (Tensor("w_new", (D,)), ("i",), r"w_{i,\mathrm{new}}"),
    (Tensor("loss", (D,)), ("n",), r"\mathrm{loss}_{n}"),
    (Tensor("v", (D,), latex=r"\tilde{v}"), ("i",), r"\tilde{v}_{i}"),
    (Tensor("w1"), (), "w_{1}"),
], ids=lambda p: p if isinstance(p, str) else "")
def test_entry_latex(tensor: Tensor, places: tuple[str, ...], wanted: str) -> None:
    assert entry_latex(tensor, places, {}) == wanted


def test_a_gradient_entry_is_a_fraction_over_its_entry() -> None:
    w = Tensor("W1", (D, H))
    g = Tensor("dL_dW1", (D, H), of="W1", objective="L")
    assert entry_latex(g, ("i", "j"), {"W1": w}) == r"\frac{\partial L}{\partial w_{ij}^{(1)}}"
    assert tensor_latex(g) == gradient_latex("L", "W_{1}")
    assert tensor_text(g) == "dL/dW1"
    assert tensor_text(w) == "W1"


@pytest.mark.parametrize(("symbol", "wanted"), [("k", "k"), ("k1", "k'"), ("k2", "k''"), ("k3", "k'''"), ("k4", "k_{4}")])
def test_a_taken_letter_gets_primes(symbol: str, wanted: str) -> None:
    assert index_latex(symbol) == wanted


@pytest.mark.parametrize(("tensor", "text", "latex"), [
    (Tensor("w"), "a single number", r"\mathbb{R}"),
    (Tensor("x", (D,)), "(d,)", r"\mathbb{R}^{d}"),
    (Tensor("W", (D, Axis.of(3))), "(d, 3)", r"\mathbb{R}^{d \times 3}"),
    (Tensor("h", (Axis.between(0, "T", Kind.TIME), D)), "(T + 1, d)", r"\mathbb{R}^{(T + 1) \times d}"),
], ids=["scalar", "vector", "matrix", "with the place 0"])
def test_shapes(tensor: Tensor, text: str, latex: str) -> None:
    assert shape_text(tensor) == text
    assert shape_latex(tensor) == latex
