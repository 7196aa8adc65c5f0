r"""Textbook habits are understood, in plain maths and in LaTeX, and are said back as they were read."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

import symnet as sn
from symnet.checking.reading import read_answer, read_as
from symnet.core.derivation import Derivation
from symnet.core.tensors import Tensor
from symnet.core.text import text as printed
from symnet.indexing.index_array import IndexArray
from symnet.parsing.latex import latex_expression
from symnet.parsing.program import expression, tensor_of

Same = Callable[[IndexArray, IndexArray, Mapping[str, Tensor]], bool]
SHAPES = {"x": (), "y": (), "z": (), "a": (), "w1": (), "y_hat": (), "a2": ("h",), "b1": (), "v": ("d",), "u": ("d",), "r": ("N",), "X": ("N", "d"),
          "A": ("d", "d"), "W": ("d", "h")}
TENSORS = {name: tensor_of(name, shape) for name, shape in SHAPES.items()}

PLAIN: dict[str, tuple[str, str]] = {  # what is written, the same said in full
    "number before a name": ("2x", "2*x"),
    "name before a bracket": ("a(1-a)", "a*(1 - a)"),
    "brackets side by side": ("(x+1)(x-1)", "(x + 1)*(x - 1)"),
    "one name in many spellings": ("w1 + w_1 + w_{1} + w₁", "4*w1"),
    "hat": ("ŷ", "y_hat"),
    "hat as a combining sign": ("y\u0302", "y_hat"),
    "Greek before a letter": ("πx", "pi*x"),
    "raised digits": ("x²y³", "x**2*y**3"),
    "raised minus": ("x⁻¹", "1/x"),
    "braces above": ("x^{2} + e^{-x}", "x**2 + exp(-x)"),
    "half": ("½x", "x/2"),
    "half with a space": ("1/2 x", "x/2"),
    "prime": ("sigma'(z)", "sigmoid(z)*(1 - sigmoid(z))"),
    "prime, as typeset": ("σ′(z)²", "(sigmoid(z)*(1 - sigmoid(z)))**2"),
    "power of a function": ("sin^2(x) + tanh^{2}(x)", "sin(x)**2 + tanh(x)**2"),
    "function without brackets": ("log x + sin x²", "log(x) + sin(x**2)"),
    "root sign": ("√x + √(x+1)", "sqrt(x) + sqrt(x + 1)"),
    "bars": ("|x| + 2|x - |y||", "abs(x) + 2*abs(x - abs(y))"),
    "double bars": ("||r||^2", "sum(r**2)"),
    "double bars as one sign": ("‖r‖²", "sum(r**2)"),
    "condition": ("x if x > 0 else y", "where(x > 0, x, y)"),
    "two conditions": ("x if x > 0 and y > 0 else 0", "where(x > 0, where(y > 0, x, 0), 0)"),
    "two conditions and a line": ("s if x > 0 and y > 0 else 0 where s = x and t = 2", "where(x > 0, where(y > 0, x, 0), 0)"),
    "cases in a condition": ("1 if (x if y > 0 else z) > 0 else 0", "(step(x) if y > 0 else step(z))"),
    "indicator": ("1[x > 0] + 1{x > 0} + [x > 0] + 𝟙[x > 0]", "4*step(x)"),
    "maximum of three": ("max(x, y, 0)", "maximum(relu(x), y)"),
    "transpose": ("X^T r + Xᵀ r + X.T @ r + X^{T} r", "4*X.T @ r"),
    "fraction before a matrix": ("2/N X^T (X u - r)", "(2/N)*X.T @ (X @ u - r)"),
    "row and column": ("u^T v", "u @ v"),
    "entrywise": ("u ⊙ v", "u*v"),
    "diagonal": ("diag(v) u", "v*u"),
    "ones": ("ones(N) @ r + ones(N)^T r", "2*sum(r)"),
    "index notation": ("sum(r[i]**2 for i in 1..N)", "sum(r**2)"),
    "modules": ("np.exp(x) + math.sqrt(x) + jnp.tanh(x)", "exp(x) + sqrt(x) + tanh(x)"),
    "other functions": ("sech^2(x) + tan(x) + silu(x)", "1/cosh(x)**2 + sin(x)/cos(x) + x*sigmoid(x)"),
    "log-sum-exp": ("logsumexp(v)", "log(sum(exp(v)))"),
    "a minus and a power": ("-x^2", "-(x**2)"),
    "a negative exponent": ("2^-x", "2**(-x)"),
    "a part with a name": ("s = sigma(z); 2 s (1-s)", "2*sigmoid(z)*(1 - sigmoid(z))"),
    "a part named behind": ("2 s (1-s) where s = sigma(z)", "2*sigmoid(z)*(1 - sigmoid(z))"),
    "a part on a line of its own": ("let s = sigma(z)\n2 s (1 - s)", "2*sigmoid(z)*(1 - sigmoid(z))"),
    "a part behind a comma": ("2 s t, with s = sigma(z) and t = 1 - s", "2*sigmoid(z)*(1 - sigmoid(z))"),
    "a vector with a name": ("q = X u - r; X^T q", "X.T @ (X @ u - r)"),
}


@pytest.mark.parametrize(("written", "full"), PLAIN.values(), ids=PLAIN)
def test_habits_of_plain_maths(same_value: Same, written: str, full: str) -> None:
    left, right = expression(written, TENSORS), expression(full, TENSORS)
    assert left.shape == right.shape
    assert same_value(left, right, TENSORS)


LATEX: dict[str, tuple[str, str]] = {
    "one name in many spellings": (r"w_1 + w_{1} + w^{(1)}", "3*w1"),
    "a number above in brackets is part of the name": (r"a_1^{(2)}", "a2[1]"),
    "hat": (r"\hat y + \hat{y}", "2*y_hat"),
    "prime": (r"\sigma'(z)", "sigmoid(z)*(1 - sigmoid(z))"),
    "prime squared": (r"\sigma'(z)^2", "(sigmoid(z)*(1 - sigmoid(z)))**2"),
    "softmax": (r"\operatorname{softmax}(v)", "softmax(v)"),
    "norm": (r"\lVert r\rVert^2 + \left\| r \right\|^2", "2*sum(r**2)"),
    "cases": (r"\begin{cases} x & \text{if } x > 0 \\ y & \text{otherwise} \end{cases}", "where(x > 0, x, y)"),
    "cases with stops": (r"\begin{cases} x, & x \geq 0, \\ y, & x < 0. \end{cases}", "where(x >= 0, x, y)"),
    "cases in the condition of cases": (r"\begin{cases} 1 & \begin{cases} x & y > 0 \\ z & \text{else} \end{cases} > 0 \\ 0 & \text{otherwise} \end{cases}",
                                        "(step(x) if y > 0 else step(z))"),
    "matrix": (r"\begin{pmatrix} 1 & 2 \end{pmatrix} \begin{bmatrix} x \\ y \end{bmatrix}", "x + 2*y"),
    "sum": (r"\sum_{i=1}^{N} r_i^2", "sum(r**2)"),
    "index notation": (r"\sum_i u_i v_i", "u @ v"),
    "transpose": (r"X^T r + X^\top r", "2*X.T @ r"),
    "entrywise": (r"u \odot v", "u*v"),
    "diagonal": (r"\operatorname{diag}(v) u", "v*u"),
    "ones": (r"\mathbf{1}^\top r + \mathbf 1_N^{\top} r", "2*sum(r)"),
    "indicator": (r"\mathbb{1}_{x > 0} + \mathbf{1}\{x > 0\} + [x > 0]", "3*step(x)"),
    "sigmas of several layers": (r"\tan x + \coth x \div y", "sin(x)/cos(x) + cosh(x)/sinh(x)/y"),
    "maximum of three": (r"\max(x, y, 0)", "maximum(relu(x), y)"),
    "a part with a name": (r"s = \sigma(z), \quad 2 s (1 - s)", "2*sigmoid(z)*(1 - sigmoid(z))"),
    "a part named behind": (r"2 s (1 - s) \quad \text{where } s = \sigma(z)", "2*sigmoid(z)*(1 - sigmoid(z))"),
    "parts with indices": (r"\text{let } s_1 = \sigma(z); \; t_1^{(2)} = 1 - s_1 \\ 2 s_1 t_1^{(2)}", "2*sigmoid(z)*(1 - sigmoid(z))"),
}


@pytest.mark.parametrize(("written", "full"), LATEX.values(), ids=LATEX)
def test_habits_of_latex(same_value: Same, written: str, full: str) -> None:
    left, right = latex_expression(written, TENSORS), expression(full, TENSORS)
    assert left.shape == right.shape
    assert same_value(left, right, TENSORS)


def test_a_declared_sigma_with_a_number_is_no_function() -> None:
    tensors = {"sigma1": tensor_of("sigma1", ()), "x": tensor_of("x", ())}
    assert latex_expression(r"\sigma_1^2 + \sigma(x)", tensors).expr == expression("sigma1**2 + sigma(x)", tensors).expr


def _derivation() -> Derivation:
    return sn.derive(sn.program("z = w*x + b", "a = sigmoid(z)", "L = (a - y)**2"), wrt=["w"])


ECHOES: dict[str, tuple[str, str]] = {
    "slopes by name": ("dL/da * a(1-a) x", "a*dL_da*x*(1 - a)"),
    "slopes as printed": (r"\frac{\partial L}{\partial z} x", "dL_dz*x"),
    "curly d": ("∂L/∂z x", "dL_dz*x"),
    "a line of its own": ("s = sigma(z); 2(s - y) s(1-s) x", "2*(sigmoid(z) - y)*sigmoid(z)*(1 - sigmoid(z))*x"),
    "a line that says again what a is": ("a = sigma(z); 2(a - y) a(1-a) x", "2*(sigmoid(z) - y)*sigmoid(z)*(1 - sigmoid(z))*x"),
    "the same in LaTeX": (r"a = \sigma(z); \; 2(a - y) a (1 - a) x", "2*(sigmoid(z) - y)*sigmoid(z)*(1 - sigmoid(z))*x"),
}


@pytest.mark.parametrize(("written", "full"), ECHOES.values(), ids=ECHOES)
def test_what_was_understood_is_said_back(same_value: Same, written: str, full: str) -> None:
    made = _derivation()
    value = read_answer(written, made, "w")
    said = read_as(value, made.program)
    tensors = {**made.full.tensors, **made.program.tensors}
    assert expression(said, tensors).expr == value.expr
    assert same_value(value, expression(full, tensors), tensors)


def test_what_is_said_back_is_short() -> None:
    assert printed(expression("½x + 2a(1-a)", TENSORS).expr) in ("x/2 + 2*a*(1 - a)", "2*a*(1 - a) + x/2")
