"""Matrix notation: exact LaTeX for whole networks, small forms one by one, and None where there is no matrix form."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.arrays.notation import matrix_latex
from symnet.calculus import derive
from symnet.core.derivation import Derivation
from symnet.networks.architectures import conv1d, deep_mlp, mlp, rnn

NETWORKS: dict[str, Callable[[], Derivation]] = {
    "mlp": lambda: derive(mlp()),
    "deep-mlp": lambda: derive(deep_mlp()),
    "rnn": lambda: derive(rnn()),
    "two-two-two": lambda: sn.load("two-two-two"),
    "softmax-regression": lambda: sn.load("softmax-regression"),
}

# Every line in order. Checked by hand against Nielsen 2015, ch. 2 (BP1-BP4), Goodfellow et al. 2016, 10.2.2 (BPTT) and
# Bishop 2006, 4.109; the rules of layout: a gradient has the shape of its variable, vectors are columns, rows are samples.
GOLDEN: dict[str, tuple[str, ...]] = {
    "mlp": (
        r"Z_{1} = X W_{1} + \mathbf{1} b_{1}^{\top}",
        r"A_{1} = \tanh\left(Z_{1}\right)",
        r"Z_{2} = A_{1} W_{2} + \mathbf{1} b_{2}^{\top}",
        r"P = \operatorname{softmax}\left(Z_{2}\right)",
        r"L = -\frac{\mathbf{1}^{\top} \left(Y \odot \log\left(P\right)\right) \mathbf{1}}{N}",
        r"D_{2} = \frac{\partial L}{\partial Z_{2}} = "
        r"\frac{1}{N} \left(\operatorname{diag}\left(Y \mathbf{1}\right) P - Y\right)",
        r"\frac{\partial L}{\partial W_{2}} = A_{1}^{\top} D_{2}",
        r"\frac{\partial L}{\partial b_{2}} = D_{2}^{\top} \mathbf{1}",
        r"\frac{\partial L}{\partial A_{1}} = D_{2} W_{2}^{\top}",
        r"D_{1} = \frac{\partial L}{\partial Z_{1}} = \frac{\partial L}{\partial A_{1}} \odot \left(1 - A_{1}^{\odot 2}\right)",
        r"\frac{\partial L}{\partial W_{1}} = X^{\top} D_{1}",
        r"\frac{\partial L}{\partial b_{1}} = D_{1}^{\top} \mathbf{1}",
    ),
    "deep-mlp": (
        r"a^{(0)} = x",
        r"z^{(l)} = W^{(l)} a^{(l - 1)} + b^{(l)}",
        r"a^{(l)} = \sigma\left(z^{(l)}\right)",
        r"C = \frac{\left\lVert a^{(L)} - y \right\rVert^{2}}{2}",
        r"\frac{\partial C}{\partial a^{(L)}} = a^{(L)} - y",
        r"\frac{\partial C}{\partial a^{(l)}} = \left(W^{(l + 1)}\right)^{\top} \delta^{(l + 1)}",
        r"\delta^{(l)} = \frac{\partial C}{\partial z^{(l)}} = "
        r"\frac{\partial C}{\partial a^{(l)}} \odot a^{(l)} \odot \left(1 - a^{(l)}\right)",
        r"\frac{\partial C}{\partial W^{(l)}} = \delta^{(l)} \left(a^{(l - 1)}\right)^{\top}",
        r"\frac{\partial C}{\partial b^{(l)}} = \delta^{(l)}",
    ),
    "rnn": (
        r"h^{(0)} = s",
        r"z^{(t)} = U x^{(t)} + V h^{(t - 1)} + b",
        r"h^{(t)} = \tanh\left(z^{(t)}\right)",
        r"L = \frac{1}{2} \sum_{t=1}^{T} \left\lVert h^{(t)} - y^{(t)} \right\rVert^{2}",
        r"\frac{\partial L}{\partial h^{(T)}} = h^{(T)} - y^{(T)}",
        r"\frac{\partial L}{\partial h^{(t)}} = V^{\top} \delta^{(t + 1)} + h^{(t)} - y^{(t)}",
        r"\frac{\partial L}{\partial h^{(0)}} = V^{\top} \delta^{(1)}",
        r"\delta^{(t)} = \frac{\partial L}{\partial z^{(t)}} = "
        r"\frac{\partial L}{\partial h^{(t)}} \odot \left(1 - \left(h^{(t)}\right)^{\odot 2}\right)",
        r"\frac{\partial L}{\partial U} = \sum_{t=1}^{T} \delta^{(t)} \left(x^{(t)}\right)^{\top}",
        r"\frac{\partial L}{\partial V} = \sum_{t=1}^{T} \delta^{(t)} \left(h^{(t - 1)}\right)^{\top}",
        r"\frac{\partial L}{\partial b} = \sum_{t=1}^{T} \delta^{(t)}",
    ),
    "two-two-two": (
        r"z_{1} = W_{1}^{\top} x + b_{1}",
        r"a_{1} = \sigma\left(z_{1}\right)",
        r"z_{2} = W_{2}^{\top} a_{1} + b_{2}",
        r"a_{2} = \sigma\left(z_{2}\right)",
        r"L = \frac{\left\lVert a_{2} - y \right\rVert^{2}}{2}",
        r"\frac{\partial L}{\partial a_{2}} = a_{2} - y",
        r"\delta_{2} = \frac{\partial L}{\partial z_{2}} = "
        r"\frac{\partial L}{\partial a_{2}} \odot a_{2} \odot \left(1 - a_{2}\right)",
        r"\frac{\partial L}{\partial W_{2}} = a_{1} \delta_{2}^{\top}",
        r"\frac{\partial L}{\partial b_{2}} = \delta_{2}",
        r"\frac{\partial L}{\partial a_{1}} = W_{2} \delta_{2}",
        r"\delta_{1} = \frac{\partial L}{\partial z_{1}} = "
        r"\frac{\partial L}{\partial a_{1}} \odot a_{1} \odot \left(1 - a_{1}\right)",
        r"\frac{\partial L}{\partial W_{1}} = x \delta_{1}^{\top}",
        r"\frac{\partial L}{\partial b_{1}} = \delta_{1}",
    ),
    "softmax-regression": (
        r"Z_{1} = X W_{1} + \mathbf{1} b_{1}^{\top}",
        r"P = \operatorname{softmax}\left(Z_{1}\right)",
        r"L = -\frac{\mathbf{1}^{\top} \left(Y \odot \log\left(P\right)\right) \mathbf{1}}{N}",
        r"D_{1} = \frac{\partial L}{\partial Z_{1}} = \frac{1}{N} \left(P - Y\right)",
        r"\frac{\partial L}{\partial W_{1}} = X^{\top} D_{1}",
        r"\frac{\partial L}{\partial b_{1}} = D_{1}^{\top} \mathbf{1}",
    ),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_every_line_of_a_network_reads_as_in_a_textbook(name: str) -> None:
    full = NETWORKS[name]().full
    assert [matrix_latex(d, full.tensors) for d in full.definitions] == list(GOLDEN[name])


SHAPES = {"A": ("N", "d"), "B": ("N", "d"), "C": ("N", "k"), "u": ("N",), "v": ("d",), "g": ("d",)}
FORMS = {  # the line -> its right side
    "product": ("Q = A.T @ C", r"A^{\top} C"),
    "matrix-times-column": ("q = A @ v", "A v"),
    "transposed-times-column": ("q = u @ A", r"A^{\top} u"),
    "dot": ("s = v @ g", r"g^{\top} v"),
    "transpose": ("Q = A.T", r"A^{\top}"),
    "hadamard": ("Q = A*B", r"A \odot B"),
    "division": ("Q = A/B", r"A \oslash B"),
    "power": ("Q = A**2", r"A^{\odot 2}"),
    "minus-in-front": ("Q = -A", "-A"),
    "minus-last": ("Q = A - 3*B", "A - 3 B"),
    "outer": ("Q = outer(u, v)", r"u v^{\top}"),
    "scaled-columns": ("Q = A*v", r"A \operatorname{diag}\left(v\right)"),
    "added-to-every-row": ("Q = A + v", r"\mathbf{1} v^{\top} + A"),
    "scaled-vector-in-every-row": ("Q = A + v/N", r"\mathbf{1} \left(\frac{1}{N} v\right)^{\top} + A"),
    "row-sums": ("q = sum(A, axis=1)", r"A \mathbf{1}"),
    "column-sums": ("q = sum(A, axis=0)", r"A^{\top} \mathbf{1}"),
    "sum-of-all": ("s = sum(A)", r"\mathbf{1}^{\top} A \mathbf{1}"),
    "sum-of-a-vector": ("s = sum(v)", r"\mathbf{1}^{\top} v"),
    "norm": ("s = sum(v**2)", r"\left\lVert v \right\rVert^{2}"),
    "frobenius": ("s = sum((A - B)**2)", r"\left\lVert A - B \right\rVert_{F}^{2}"),
    "softmax": ("Q = softmax(A)", r"\operatorname{softmax}\left(A\right)"),
    "function": ("Q = relu(A)", r"\operatorname{relu}\left(A\right)"),
}


def _right(line: str) -> str | None:
    program = sn.program(line, "L_end = 0", tensors=SHAPES)
    text = matrix_latex(program.definitions[0], program.tensors)
    return None if text is None else text.partition(" = ")[2]


@pytest.mark.parametrize(("line", "expected"), FORMS.values(), ids=FORMS)
def test_one_form(line: str, expected: str) -> None:
    assert _right(line) == expected


def test_a_column_of_row_sums_is_bracketed_before_it_is_transposed() -> None:
    d = sn.derive(sn.program("Q = A.T", "L = sum(Q @ C)", tensors=SHAPES), wrt=["Q"])
    (line,) = d.gradients["Q"].definitions
    assert matrix_latex(line, d.full.tensors) == r"\frac{\partial L}{\partial Q} = \mathbf{1} \left(C \mathbf{1}\right)^{\top}"


def test_a_gradient_as_a_fraction_is_bracketed_before_it_is_transposed() -> None:
    d = sn.derive(sn.program("m = mean(A, axis=0)", "Q = A - m", "L = sum(Q**2)", tensors=SHAPES), wrt=["A"])
    (line,) = d.gradients["A"].definitions
    text = matrix_latex(line, d.full.tensors)
    assert text is not None
    assert r"\left(\frac{1}{N} \frac{\partial L}{\partial m}\right)^{\top}" in text


def test_a_tensor_with_three_plain_axes_has_no_matrix_form() -> None:
    program = sn.program("Q = 2*A", "L = sum(Q)", tensors={"A": ("N", "d", "k")})
    assert [matrix_latex(d, program.tensors) for d in program.definitions] == [None, None]


def test_a_convolution_has_no_matrix_form_but_its_loss_has() -> None:
    full = derive(conv1d()).full
    shown = {d.name: matrix_latex(d, full.tensors) for d in full.definitions}
    assert shown["z1"] is None and shown["dL_dw1"] is None
    assert shown["dL_db1"] == r"\frac{\partial L}{\partial b_{1}} = \mathbf{1}^{\top} \delta_{1}"


class Reader:
    """Reads the LaTeX back as NumPy would compute it: ⊙ binds less tightly than a product, columns have shape (n, 1)."""

    CALLS = {r"\tanh": np.tanh, r"\log": np.log, r"\sigma": lambda z: 1 / (1 + np.exp(-z)),
             r"\operatorname{diag}": lambda v: np.diag(v.ravel()),
             r"\operatorname{softmax}": lambda z: np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)}

    def __init__(self, text: str, known: dict[str, Any]) -> None:
        self.text, self.known = text.replace(r"\left", "").replace(r"\right", ""), known

    def take(self, *options: str) -> str:
        """The longest option that comes next, consumed; "" when none does."""
        self.text = self.text.lstrip()
        found = max((o for o in options if self.text.startswith(o)), key=len, default="")
        self.text = self.text[len(found):]
        return found

    def sum(self) -> Any:
        value = -self.entrywise() if self.take("-") else self.entrywise()
        while sign := self.take("+", "-"):
            value = value + self.entrywise() if sign == "+" else value - self.entrywise()
        return value

    def entrywise(self) -> Any:
        value = self.product()
        while sign := self.take(r"\odot", r"\oslash"):
            value = value * self.product() if sign == r"\odot" else value / self.product()
        return value

    def product(self) -> Any:
        value = self.power()
        while self.text.lstrip()[:1] not in ("", "+", "-", ")", "}") and not re.match(r"\s*\\(odot|oslash|rVert)", self.text):
            value = self.times(value, self.power())
        return value

    @staticmethod
    def times(a: Any, b: Any) -> Any:
        if isinstance(a, str):  # 1ᵀB adds up the rows of B; 1bᵀ is the row bᵀ, which repeats by itself
            return np.sum(b, axis=0, keepdims=True) if a == "row" else b
        if isinstance(b, str):
            return np.sum(a, axis=1, keepdims=True) if b == "column" else a
        return a * b if np.size(a) == 1 or np.size(b) == 1 else a @ b

    def power(self) -> Any:
        value = self.atom()
        while mark := self.take(r"^{\top}", r"^{\odot 2}", "_{F}^{2}", "^{2}"):
            value = ("row" if isinstance(value, str) else value.T) if mark == r"^{\top}" else value**2
        return value

    def atom(self) -> Any:
        if name := self.take(*self.known):
            return self.known[name]
        if self.take(r"\mathbf{1}"):
            return "column"
        if self.take(r"\frac{"):
            above, _, below, _ = self.sum(), self.take("}{"), self.sum(), self.take("}")
            return above / below
        if self.take(r"\lVert"):
            value, _ = self.sum(), self.take(r"\rVert")
            return np.linalg.norm(value)
        call = self.take(*self.CALLS)
        if self.take("("):
            value, _ = self.sum(), self.take(")")
            return self.CALLS[call](value) if call else value
        digits = re.match(r"\d+", self.text)
        assert digits, self.text
        return float(self.take(digits.group()))


@pytest.mark.parametrize("name", ["mlp", "two-two-two", "softmax-regression"])
def test_the_latex_read_back_gives_the_compiled_gradients(name: str) -> None:
    program, rng = NETWORKS[name]().program, np.random.default_rng(3)
    full = derive(program, [t for t in program.tensors if t != "L"])
    sizes = {"N": 6, "d": 5, "h": 4, "k": 3}
    arrays = {t.name: rng.uniform(0.1, 1, [int(s.xreplace({s: sizes.get(str(s), s)})) for s in t.shape]) for t in program.inputs}
    if program.assumptions:
        arrays["Y"] /= arrays["Y"].sum(axis=1, keepdims=True)
    known: dict[str, Any] = {"N": 6.0}
    known |= {re.sub(r"(\d)", r"_{\1}", n): a[:, None] if a.ndim == 1 else a for n, a in arrays.items()}
    loss, grads = full.compile()(arrays)
    for d in full.full.definitions:
        *names, right = str(matrix_latex(d, full.full.tensors)).split(" = ")
        value = Reader(right, known).sum()
        known |= dict.fromkeys(names, value)
        wanted = grads[d.target.of] if d.target.of else loss if d.name == "L" else None
        if wanted is not None:
            assert np.allclose(value, wanted[:, None] if np.ndim(wanted) == 1 else wanted), right
