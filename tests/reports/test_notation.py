"""Matrix, index or scalar notation on request; samples as rows or as columns."""

from __future__ import annotations

import pytest

import symnet as sn
from symnet.arrays.notation import matrix_latex
from symnet.errors import OptionError

COLUMNS = {
    "z1": r"Z_{1} = W_{1} X + b_{1} \mathbf{1}^{\top}",
    "a1": r"A_{1} = \tanh\left(Z_{1}\right)",
    "z2": r"Z_{2} = W_{2} A_{1} + b_{2} \mathbf{1}^{\top}",
    "p": r"P = \operatorname{softmax}\left(Z_{2}\right)",
    "dL_dW2": r"\frac{\partial L}{\partial W_{2}} = D_{2} A_{1}^{\top}",
    "dL_da1": r"\frac{\partial L}{\partial A_{1}} = W_{2}^{\top} D_{2}",
    "dL_dW1": r"\frac{\partial L}{\partial W_{1}} = D_{1} X^{\top}",
    "dL_db1": r"\frac{\partial L}{\partial b_{1}} = D_{1} \mathbf{1}",
}


@pytest.mark.parametrize("name", COLUMNS)
def test_samples_as_columns(name: str) -> None:
    full = sn.load("mlp").full
    assert matrix_latex(full.by_name[name][0], full.tensors, columns=True) == COLUMNS[name]


def test_each_notation_shows_its_own_lines() -> None:
    d = sn.load("softmax-regression")
    text = {n: sn.report(d, notation=n).text() for n in ("both", "matrix", "index", "scalar")}
    assert "Z₁ = X W₁" in text["both"] and "sum(W1[i, j]*X[n, i]" in text["both"]
    assert "Z₁ = X W₁" in text["matrix"] and "z1[n, j] =" not in text["matrix"]
    assert "Z₁" not in text["index"] and "z1[n, j] =" in text["index"]
    assert "z1_1_2 =" in text["scalar"] and "sum(" not in text["scalar"].split("Forward")[1].split("Backward")[0]


def test_columns_reach_the_report() -> None:
    assert "Z₁ = W₁ X" in sn.report(sn.load("mlp"), samples="columns").text()


def test_other_words_are_refused() -> None:
    for options in ({"notation": "tensor"}, {"samples": "diagonal"}):
        with pytest.raises(OptionError):
            sn.report(sn.load("first"), **options)
