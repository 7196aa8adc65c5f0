"""From text to meaning: a law table text -> printed text, shapes as in NumPy, and what makes no sense is refused."""

from __future__ import annotations

import pytest

from symnet.core.text import text as printed
from symnet.errors import NameError_, ParseError, ShapeError, SymnetError
from symnet.indexing.index_array import IndexArray
from symnet.parsing.program import expression, tensor_of

SHAPES = {
    "x": (),
    "y": (),
    "a": (),
    "z": (),
    "w1": (),
    "b_2": (),
    "w": ("d",),
    "v": ("d",),
    "X": ("N", "d"),
    "t": ("N",),
    "W": ("d", "h"),
    "A": ("d", "d"),
}
TENSORS = {name: tensor_of(name, shape) for name, shape in SHAPES.items()}


def read(text: str) -> IndexArray:
    return expression(text, TENSORS)


SCALARS = [
    ("2x", "2*x"),
    ("2x**2", "2*x**2"),
    ("-x^2", "-x**2"),
    ("2**-x", "2**(-x)"),
    ("2**3**2", "512"),
    ("a(1-a)", "a*(1 - a)"),
    ("a(1 - a)(1 + a)", "a*(1 - a)*(a + 1)"),
    ("x y z", "x*y*z"),
    ("x (y)", "x*y"),
    ("x(+y)", "x*y"),
    ("(x)2", "2*x"),
    ("(1/2)x", "x/2"),
    ("x/2*y", "x*y/2"),
    ("--x", "x"),
    ("x - -y", "x + y"),
    ("x**-1", "1/x"),
    ("0.1", "1/10"),
    ("1e-3x", "x/1000"),
    ("x**0.5", "sqrt(x)"),
    ("e**x", "exp(x)"),
    ("e^-x", "exp(-x)"),
    ("1/(1+e^(-x))", "1/(1 + exp(-x))"),
    ("σ(x)·½", "sigmoid(x)/2"),
    ("x²+y³", "x**2 + y**3"),
    ("pi x", "pi*x"),
    ("sqrt(x^2)", "abs(x)"),
    ("w_1", "w1"),
    ("w_{1}", "w1"),
    ("w₁", "w1"),
    ("b2", "b_2"),
    ("x^T", "x"),
    ("x if x > 0 else 0", "(x if x > 0 else 0)"),
    ("[x > 0]*y", "y*step(x)"),
    ("np.exp(x)", "exp(x)"),
    ("tanh(x)(y)", "y*tanh(x)"),
    ("X[1, 2]", "X[1, 2]"),
    ("A[1, d]", "A[1, d]"),
    ("X.shape[0]", "N"),
    ("X.shape[-1]", "d"),
    ("A.T.shape[0]", "d"),
    ("sum(w[i]*v[i] for i in 1..d)", "sum(v[i]*w[i] for i in 1..d)"),
    ("sum(A[i, j] for i in 1..d for j in 1..d)", "sum(A[i, j] for i in 1..d for j in 1..d)"),
    ("sum(sum(A[i, j] for j in 1..d) for i in 1..d)", "sum(A[i, j] for i in 1..d for j in 1..d)"),
    ("sum(w[i] for i in 2..3)", "sum(w[i] for i in 2..3)"),
]


@pytest.mark.parametrize("text, wanted", SCALARS, ids=[t for t, _ in SCALARS])
def test_a_number_is_read_as_mathematics_does(text: str, wanted: str) -> None:
    value = read(text)
    assert value.axes == () and printed(value.expr) == wanted


SHAPED = [
    ("X @ w", "(N,)"),
    ("X.T @ X", "(d, d)"),
    ("X^T X", "(d, d)"),
    ("w @ v", "()"),
    ("w^T v", "()"),
    ("w*v", "(d,)"),
    ("X*w", "(N, d)"),
    ("w @ W", "(h,)"),
    ("X @ W", "(N, h)"),
    ("X^T (X w - t)", "(d,)"),
    ("(2/N) X^T (X w - t)", "(d,)"),
    ("X.T.T", "(N, d)"),
    ("w.T", "(d,)"),
    ("X + 1", "(N, d)"),
    ("2X", "(N, d)"),
    ("sum(X, axis=0)", "(d,)"),
    ("sum(X, 1)", "(N,)"),
    ("mean(X)", "()"),
    ("sum(X, axis=-1, keepdims=True)", "(N, 1)"),
    ("X - mean(X, axis=1, keepdims=True)", "(N, d)"),
    ("outer(t, w)", "(N, d)"),
    ("softmax(X)", "(N, d)"),
    ("sum(softmax(X), axis=1)", "(N,)"),
    ("where(X > 0, X, 0)", "(N, d)"),
]


@pytest.mark.parametrize("text, shape", SHAPED, ids=[t for t, _ in SHAPED])
def test_shapes_are_numpys(text: str, shape: str) -> None:
    assert read(text).shape == shape


WRONG = [
    ("q", NameError_, "unknown name 'q'"),
    ("xz1", NameError_, "did you mean"),
    ("xq", NameError_, "unknown name"),
    ("f(x)", NameError_, "'f'"),
    ("lambda", NameError_, "'lambda'"),
    ("import os", NameError_, "'import'"),
    ("eval(x)", NameError_, "'eval'"),
    ("np", NameError_, "'np'"),
    ("T", NameError_, "'T'"),
    ("sum(x for x in 1..3)", NameError_, "already a name"),
    ("q[1]", NameError_, "'q'"),
    ("W @ w", ShapeError, "h is not d"),
    ("X @ X", ShapeError, "transpose the right one"),
    ("X*W", ShapeError, "'@' for a matrix"),
    ("X + t", ShapeError, "line up"),
    ("x @ y", ShapeError, "vectors or matrices"),
    ("X[1, 1, 1]", ShapeError, "3 indices on X"),
    ("x[1]", ShapeError, "1 indices on x"),
    ("X.shape[2]", ShapeError, "an axis from 0 to 1"),
    ("w[w]", ShapeError, "the index w"),
    ("sum(w, axis=1)", ShapeError, "axis 1"),
    ("softmax(x)", ShapeError, "single number"),
    ("trace(X)", ShapeError, "square"),
    ("1/0", ParseError, "division by 0"),
    ("x/(x-x)", ParseError, "division by 0"),
    ("0**-1", ParseError, "no real number"),
    ("log(0)", ParseError, "no real number"),
    ("1/log(0)", ParseError, "no real number"),
    ("sqrt(-1)", ParseError, "no real number"),
    ("sqrt(-1)**2", ParseError, "no real number"),
    ("log(-2)", ParseError, "no real number"),
    ("0*log(0)", ParseError, "no real number"),
    ("9**9**9", ParseError, "the exponent 387420489"),
    ("x**65", ParseError, "at most 64"),
    ("x**64**64", ParseError, "exponent"),
    ("(x**64)**64", ParseError, "a power of a power"),
    ("((2**64)**64)**64", ParseError, "very long number"),
    ("(x > 0) + (y > 0)", ParseError, "between comparisons"),
    ("-(x > 0)", ParseError, "a comparison as a number"),
    ("exp(x > 0)", ParseError, "a comparison as a number"),
    ("(x > 0)**2", ParseError, "a comparison as a number"),
    ("x if y else z", ParseError, "a comparison such as"),
    ("where(x, y, z)", ParseError, "a comparison such as"),
    ("[x]", ParseError, "compar"),
    ("X.shape", ParseError, ".shape[0]"),
    ("sum(X, axis=x)", ParseError, "the axis x"),
    ("sum(X, foo=1)", ParseError, "'foo'"),
    ("exp(x, y)", ParseError, "exp with 2 arguments"),
    ("exp()", ParseError, "exp with 0 arguments"),
    ("__import__('os').system('x')", ParseError, "'_'"),
    ("x.__class__", ParseError, "'_'"),
    ("<script>", ParseError, "'<'"),
    (r"\input{x}", ParseError, r"\\"),
    ("lambda x: x", ParseError, "':'"),
    ("open('/etc/passwd')", NameError_, "unknown name 'open'"),
]


@pytest.mark.parametrize("text, kind, words", WRONG, ids=[t for t, _, _ in WRONG])
def test_what_makes_no_sense_is_refused_in_one_line(text: str, kind: type[SymnetError], words: str) -> None:
    with pytest.raises(kind) as caught:
        read(text)
    assert words in str(caught.value) and "\n" not in str(caught.value) and caught.value.where
