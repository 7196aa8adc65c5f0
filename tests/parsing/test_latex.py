r"""LaTeX means what a book means: each line is read like a line of plain maths, and what has two readings is refused with both."""

from __future__ import annotations

import itertools

import pytest

from symnet.calculus.instantiate import instantiate_program
from symnet.core.expressions import entries
from symnet.core.index_evaluation import span
from symnet.core.program import Definition, Program
from symnet.core.tensors import Tensor, tensor_name
from symnet.equality.compare import compare, prove_equal
from symnet.errors import NameError_, ParseError, ShapeError, SymnetError
from symnet.indexing.index_array import IndexArray
from symnet.parsing.latex import latex_expression
from symnet.parsing.latex_answers import latex_answer
from symnet.parsing.program import expression, tensor_of

SHAPES = {"x": (), "y": (), "a1": (), "a2": (), "y_hat": (), "w1": (), "z": (), "theta": (), "w_new": (), "line": (), "r": ("N",), "u": ("d",),
          "v": ("d",), "b": ("h",), "X": ("N", "d"), "W": ("d", "h"), "A": ("d", "d"), "B": ("N", "d"), "K2": ("d", "h"), "c": ("L", "d")}
TENSORS = {name: tensor_of(name, shape) for name, shape in SHAPES.items()}

READ: dict[str, tuple[str, str]] = {
    "fraction": (r"\frac{x}{y}", "x/y"),
    "fraction without braces": (r"\frac12 x", "x/2"),
    "side by side": (r"2x\left(1-x\right)", "2*x*(1 - x)"),
    "dot, cross and star": (r"2 \cdot x \times y * z", "2*x*y*z"),
    "square": ("x^2", "x**2"),
    "long power": ("x^{10}", "x**10"),
    "root": (r"\sqrt{x^2 + 1} + \sqrt[4]{x^2 + 1}", "(x**2 + 1)**(1/2) + (x**2 + 1)**(1/4)"),
    "name with a number": ("a_1 + a_{2}", "a1 + a2"),
    "number above": ("w^{(1)}", "w1"),
    "Greek": (r"\theta + \pi", "theta + pi"),
    "hat": (r"\hat{y} - \hat y + y", "y"),
    "index in a sum of letters": (r"\sum_{i=1}^{d} \sum_{j=1}^{d} A_{d+1-i, j} u_{d+1-j}", "sum(A[d+1-i, j]*u[d+1-j] for i in 1..d for j in 1..d)"),
    "word below": (r"w_{\mathrm{new}} + w_{new} + w_{\text{new}}", "3*w_new"),
    "word": (r"\mathrm{line} + \text{line}", "2*line"),
    "bold": (r"\mathbf{x} + \boldsymbol{x} + \mathit{x}", "3*x"),
    "sigmoid": (r"\sigma(z) + \operatorname{sigmoid}\left(z\right)", "2*sigmoid(z)"),
    "slope of sigmoid": (r"\sigma'(z)", "sigmoid(z)*(1 - sigmoid(z))"),
    "slope of tanh": (r"\tanh'\left(z\right)", "1 - tanh(z)**2"),
    "log and ln": (r"\log x + \ln{x} + \log\left(x\right)", "3*log(x)"),
    "other logs": (r"\log_2 x + \log_{10}(x)", "log2(x) + log10(x)"),
    "exp": (r"e^{-x} + \exp(-x)", "2*exp(-x)"),
    "power of a function": (r"\tanh^2(x) + \sin(x)^{2}", "tanh(x)**2 + sin(x)**2"),
    "maximum": (r"\max(0, x) + \operatorname{ReLU}(x)", "2*relu(x)"),
    "absolute value": (r"\left|x\right| + |x| + \lvert x \rvert", "3*abs(x)"),
    "floor": (r"\left\lfloor x \right\rfloor", "floor(x)"),
    "cases": (r"\begin{cases} x & \text{if } x > 0 \\ 0 & \text{otherwise} \end{cases}", "x if x > 0 else 0"),
    "complementary cases": (r"\begin{cases} x & x > 0 \\ y & x \le 0 \end{cases}", "x if x > 0 else y"),
    "indicator": (r"\mathbb{1}[x > 0] + \mathbf{1}_{x > 0} + \left[x > 0\right]", "3*step(x)"),
    "brackets of every kind": (r"\left[x + 1\right] \left\{x - 1\right\}", "(x + 1)*(x - 1)"),
    "sizes of brackets": (r"\bigl(x + 1\bigr) \Big( y \Big)", "(x + 1)*y"),
    "dollars": ("$x + 1$", "x + 1"),
    "Unicode": ("σ(z)·x − π", "sigmoid(z)*x - pi"),
    "sum": (r"\sum_{i=1}^{d} u_i v_{i}", "u @ v"),
    "sum without limits": (r"\sum_i u_i v_i", "u @ v"),
    "sum of sums": (r"\sum_{i,j} u_i A_{ij} v_j", "u @ A @ v"),
    "sum and more": (r"\sum_{i=1}^d u_i + x", "sum(u) + x"),
    "entries": (r"A_{12} + a_{1,2} + u_1", "2*A[1, 2] + u[1]"),
    "bracket on indices": (r"\sum_{i=1}^{d} \sum_{j=1}^{d} \left[i = j\right] a_{ij}", "trace(A)"),
    "inner product": (r"u^{\top} v", "u @ v"),
    "dot product": (r"u \cdot v", "u @ v"),
    "angle brackets": (r"\langle u, v \rangle", "u @ v"),
    "outer product": (r"u v^T", "outer(u, v)"),
    "matrix products": (r"X^\top (X u - r)", "X.T @ (X @ u - r)"),
    "transposes": (r"X^T X + X^{\mathsf{T}} X + X^{\top} X + X^{\mathrm T} X", "4*X.T @ X"),
    "quadratic form": (r"u^\top A u", "u @ A @ u"),
    "entrywise": (r"u \odot v \oslash (1 + u \odot u)", "u*v/(1 + u**2)"),
    "entrywise power": (r"A^{\odot 2}", "A**2"),
    "bias as a row": (r"X W + \mathbf{1} b^{\top}", "X @ W + b"),
    "bias as books add it": (r"X W + b^T", "X @ W + b"),
    "ones": (r"X^{\top} \mathbf{1} + u", "sum(X, axis=0) + u"),
    "all entries": (r"\mathbf{1}^{\top} X \mathbf{1}", "sum(X)"),
    "diag": (r"\operatorname{diag}(r) X", "diag(r) @ X"),
    "softmax": (r"\operatorname{softmax}\left(X W\right)", "softmax(X @ W)"),
    "trace": (r"\operatorname{tr}(A) + \mathrm{tr}(A)", "2*trace(A)"),
    "determinant": (r"\log \det A", "log(det(A))"),
    "inverse": (r"A^{-1} u + \left(A^{-\top}\right)^{T} u", "2*inv(A) @ u"),
    "unit matrix": (r"A + x I", "A + x*eye(d)"),
    "norm": (r"\|r\|^2 + \lVert r \rVert_2^2", "2*sum(r**2)"),
    "norm of a matrix": (r"\left\lVert A \right\rVert_{F}^{2}", "sum(A**2)"),
    "sum of absolute values": (r"\lVert r \rVert_1", "sum(abs(r))"),
    "number of a matrix": (r"K_{2} + K_2 + K^{(2)}", "3*K2"),
    "entry of what is in brackets": (r"\sum_{i=1}^{d} (A u)_i", "sum(A @ u)"),
    "matrix by its entries": (r"\left[u_i v_j\right]_{i,j}", "outer(u, v)"),
    "layer": (r"\sum_{l=1}^{L} c^{(l)}", "sum(c, axis=0)"),
    "written out": (r"\begin{pmatrix} 1 & 0 \end{pmatrix} \begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix} \begin{pmatrix} x \\ y \end{pmatrix}", "x + 2*y"),
}


def same(left: IndexArray, right: IndexArray) -> bool:
    """Equal for all sizes, or entry by entry at sizes that are all different."""
    there = left.expr.xreplace(dict(zip(left.indices, right.indices, strict=True)))
    if prove_equal(there, right.expr).holds:
        return True
    lines = tuple(Definition(Tensor(n, right.axes), right.indices, e) for n, e in (("left", there), ("right", right.expr)))
    used = dict.fromkeys(tensor_name(e) for d in lines for e in entries(d.expr))
    program = Program(tuple(TENSORS[n] for n in used), lines, "right")
    scalars, at = instantiate_program(program, {str(s): n for s, n in zip(program.sizes, (3, 2, 4), strict=False)})
    values = {d.entry: d.expr for d in scalars.definitions}
    places = itertools.product(*[span(a.range, at.env) for a in right.axes])
    return all(compare(values[at("left", p)], values[at("right", p)]).holds for p in places)


@pytest.mark.parametrize(("latex", "plain"), READ.values(), ids=READ)
def test_latex_reads_as_plain_maths(latex: str, plain: str) -> None:
    left, right = latex_expression(latex, TENSORS), expression(plain, TENSORS)
    assert left.shape == right.shape
    assert same(left, right)


REFUSED: dict[str, tuple[str, str]] = {
    "a square matrix squared": ("A^2", "A A, or A^{\\odot 2}"),
    "one digit alone": ("x^23", "{23}"),
    "no brackets": (r"\log x y", "log(x) y or log(x y)"),
    "division": ("1/x y", "(a/b) c or a/(b c)"),
    "mixed number": (r"2\frac{3}{4}", "2·½ or 2½"),
    "two columns": ("u v", "a b^{\\top} for the outer product"),
    "row and column": (r"u + v^{\top}", "two columns or two rows"),
    "column on a square matrix": ("A + u", "adds b to every row"),
    "norm of a matrix": (r"\lVert A \rVert", "Frobenius"),
    "bars around a matrix": ("|A|", "determinant"),
    "bracket above": ("x^{(2)}", "^{2} for the square"),
    "inverse function": (r"\sin^{-1} x", "the inverse or 1/f"),
    "brackets behind a name": ("u[1]", "x_{i}"),
    "unknown name": ("q + 1", "unknown name q"),
    "unknown command": (r"x + \foo{x}", "column 5: the command '\\\\foo'"),
    "unknown length": (r"\mathbf{1}^{\top} \mathbf{1}", "\\mathbf{1}_{N}"),
    "d for the slope": (r"\frac{d x}{d y}", "quotient or a slope"),
    "shapes": ("X A X", "not"),
    "left without right": (r"\left(x)", "\\left with \\right"),
    "an equation": ("x = y", "the right side alone"),
    "case without rest": (r"\begin{cases} x & x > 0 \\ 1 & x < -1 \end{cases}", "otherwise"),
    "a name as index": (r"\sum_{x=1}^{3} x", "already a name"),
}


@pytest.mark.parametrize(("latex", "said"), REFUSED.values(), ids=REFUSED)
def test_what_is_unclear_is_refused(latex: str, said: str) -> None:
    with pytest.raises((ParseError, NameError_, ShapeError)) as caught:
        latex_expression(latex, TENSORS)
    assert said in str(caught.value)


def test_a_name_with_two_readings_is_refused_with_both() -> None:
    tensors = {name: tensor_of(name, shape) for name, shape in {"a": ("d",), "a1": ()}.items()}
    with pytest.raises(NameError_, match=r"a_\{1\} may be a\[1\] or a1"):
        latex_expression("a_1", tensors)


def test_a_number_in_brackets_above_is_part_of_the_name() -> None:
    """a_1^{(2)} is entry 1 of a2, never a square."""
    tensors = {"a1": tensor_of("a1", ()), "a2": tensor_of("a2", ("d",))}
    assert str(latex_expression("a_1^{(2)}", tensors).expr) == "a2[1]"
    assert str(latex_expression("(a_1)^2", tensors).expr) == "a1**2"


def test_the_other_case_is_read_only_where_printing_changes_it() -> None:
    """Capitals for whole matrices, small letters for entries: w_{ij} is an entry of W, but X is no vector x."""
    assert str(latex_expression("w_{12}", TENSORS).expr) == "W[1, 2]"
    with pytest.raises(NameError_):
        latex_expression("U", TENSORS)


GRADIENT = Tensor("dL_dA", TENSORS["A"].axes, of="A", objective="L")


@pytest.mark.parametrize("text", [r"u v^{\top}", r"\frac{\partial L}{\partial A} = u v^{\top}", r"\frac{\partial L}{\partial a_{ij}} = u_i v_j",
                                  r"\nabla_{A} L = u v^{\top}", r"\partial L/\partial A_{pq} = u_p v_q"])
def test_an_answer_may_name_its_left_side(text: str) -> None:
    value = latex_answer(text, {**TENSORS, "L": tensor_of("L", ())}, GRADIENT)
    i, j = value.indices
    assert value.expr == TENSORS["u"][i] * TENSORS["v"][j]


def test_an_answer_with_another_left_side_is_refused() -> None:
    with pytest.raises(SymnetError, match="something else than the gradient"):
        latex_answer(r"\frac{\partial L}{\partial W} = A", {**TENSORS, "L": tensor_of("L", ())}, GRADIENT)
