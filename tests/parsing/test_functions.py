"""The functions of plain maths: every name has a row here, each read and then computed like NumPy's or mpmath's own."""

from __future__ import annotations

import math
from collections.abc import Callable

import mpmath
import numpy as np
import pytest
import sympy as sp

from symnet.core.functions import NAMED
from symnet.core.numbers import enclose
from symnet.errors import ParseError, ShapeError
from symnet.parsing.functions import FUNCTIONS
from symnet.parsing.matrices import MATRICES
from symnet.parsing.program import expression, program, tensor_of

POINTS = [-1.5, -0.25, 0.75, 2.0, 2.5]
ENTRYWISE: dict[str, Callable[[float], float]] = {
    "exp": math.exp,
    "square": lambda x: x * x,
    "abs": abs,
    "sign": lambda x: math.copysign(1, x),
    "floor": math.floor,
    "ceil": math.ceil,
    "round": round,
    "rint": lambda x: float(np.rint(x)),
    **dict.fromkeys(NAMED["stop_gradient"].names, float),
    "tanh": math.tanh,
    "sinh": math.sinh,
    "cosh": math.cosh,
    "sin": math.sin,
    "cos": math.cos,
    "arctan": math.atan,
    "atan": math.atan,
    "erf": math.erf,
    "Phi": lambda x: float(mpmath.ncdf(x)),
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
    "sigma": lambda x: 1 / (1 + math.exp(-x)),
    "expit": lambda x: 1 / (1 + math.exp(-x)),
    "relu": lambda x: max(x, 0),
    "ReLU": lambda x: max(x, 0),
    "softplus": lambda x: math.log1p(math.exp(x)),
    "step": lambda x: float(x > 0),
    "sgn": lambda x: math.copysign(1, x),
    "logistic": lambda x: 1 / (1 + math.exp(-x)),
    "expm1": math.expm1,
    "cbrt": lambda x: math.copysign(abs(x) ** (1 / 3), x),
    "tan": math.tan,
    "cot": lambda x: 1 / math.tan(x),
    "sec": lambda x: 1 / math.cos(x),
    "csc": lambda x: 1 / math.sin(x),
    "sech": lambda x: 1 / math.cosh(x),
    "csch": lambda x: 1 / math.sinh(x),
    "coth": lambda x: 1 / math.tanh(x),
    "silu": lambda x: x / (1 + math.exp(-x)),
    "swish": lambda x: x / (1 + math.exp(-x)),
    "gelu": lambda x: x * (1 + math.erf(x / math.sqrt(2))) / 2,
    "mish": lambda x: x * math.tanh(math.log1p(math.exp(x))),
    "logsigmoid": lambda x: -math.log1p(math.exp(-x)),
}
POSITIVE: dict[str, Callable[[float], float]] = {
    "log": math.log,
    "ln": math.log,
    "sqrt": math.sqrt,
    "log2": math.log2,
    "log10": math.log10,
    "log1p": math.log1p,
    "lg": math.log10,
}
PAIRS: dict[str, Callable[[float, float], float]] = {
    "maximum": max,
    "max": max,
    "minimum": min,
    "min": min,
    "leaky_relu": lambda x, s: x if x > 0 else s * x,
}
X = np.array([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]])
A = np.array([[0.5, -1.0], [2.0, 1.5]])
U, V = np.array([0.5, -1.0, 2.0]), np.array([1.5, 0.25, -0.75])


def softmax(z: np.ndarray) -> np.ndarray:
    e = np.exp(z)
    return e / e.sum(axis=-1, keepdims=True)


ARRAYS: dict[str, tuple[str, np.ndarray]] = {
    "softmax": ("sum(softmax(X)*X*X)", (softmax(X) * X * X).sum()),
    "log_softmax": ("sum(log_softmax(X)*X)", (np.log(softmax(X)) * X).sum()),
    "logsumexp": ("sum(logsumexp(X)**2)", (np.log(np.exp(X).sum(axis=1)) ** 2).sum()),
    "ones": ("sum((ones(2) @ X)**2)", (X.sum(axis=0) ** 2).sum()),
    "zeros": ("sum(zeros(2, 3) + X)", X.sum()),
    "sum": ("sum(sum(X, axis=0)**2)", (X.sum(axis=0) ** 2).sum()),
    "mean": ("sum(mean(X, axis=1)**2)", (X.mean(axis=1) ** 2).sum()),
    "average": ("sum(average(X, axis=1)**2)", (np.average(X, axis=1) ** 2).sum()),
    "norm": ("norm(X)", np.linalg.norm(X)),
    "linalg.norm": ("np.linalg.norm(u - v)", np.linalg.norm(U - V)),
    "trace": ("trace(A @ A.T)", np.trace(A @ A.T)),
    "tr": ("tr(A)", np.trace(A)),
    "outer": ("sum(outer(u, v)**2)", (np.outer(U, V) ** 2).sum()),
    "ger": ("sum(torch.ger(u, v)**2)", (np.outer(U, V) ** 2).sum()),
    "var": ("sum(var(X, axis=1)*A[1]) + X.var()*X.var(0)[1]", (X.var(axis=1) * A[0]).sum() + X.var() * X.var(0)[0]),
    "std": ("sum(np.std(X, axis=0, keepdims=True)*X)", (X.std(axis=0, keepdims=True) * X).sum()),
    "tensordot": ("sum(np.tensordot(A, X, axes=([0], [0]))**2) + sum(np.tensordot(u, v, axes=0)) + np.tensordot(X, X)",
                  (np.tensordot(A, X, axes=([0], [0])) ** 2).sum() + np.tensordot(U, V, axes=0).sum() + np.tensordot(X, X)),
    "swapaxes": ("sum((X.swapaxes(0, 1) @ A)**3)", ((X.T @ A) ** 3).sum()),
    "permute": ("sum((X.permute(1, 0) @ A)**3)", ((X.T @ A) ** 3).sum()),
    "dot": ("dot(u, v)", U @ V),
    "matmul": ("sum(matmul(A, X)**2)", ((A @ X) ** 2).sum()),
    "transpose": ("sum((transpose(X) @ A)**3)", ((X.T @ A) ** 3).sum()),
    "clip": ("sum(clip(X, -1/2, 1)**2)", (np.clip(X, -0.5, 1) ** 2).sum()),
    "len": ("len(X)*len(u)", 6.0),
    "size": ("size(X) + X.size", 12.0),
    "hypot": ("sum(hypot(u, v))", np.hypot(U, V).sum()),
    "Heaviside": ("sum(Heaviside(u - 0.5)*v)", (np.heaviside(U - 0.5, 0) * V).sum()),
    "heaviside": ("sum(np.heaviside(u - 0.5, 0.25)*v)", (np.heaviside(U - 0.5, 0.25) * V).sum()),
    "reshape": ("sum(reshape(u, -1, 1)*X.T)", (U.reshape(-1, 1) * X.T).sum()),
    "amax": ("sum(np.amax(X, axis=1)**2)", (X.max(axis=1) ** 2).sum()),
    "amin": ("sum(X.min(0)**2)", (X.min(axis=0) ** 2).sum()),
    "prod": ("sum(prod(X, axis=-1, keepdims=True)*X)", (X.prod(axis=-1, keepdims=True) * X).sum()),
    "einsum": ("np.einsum('nd,d,mn->m', X, u, A) @ A[1]", np.einsum("nd,d,mn->m", X, U, A) @ A[0]),
    "arcsin": ("sum(arcsin(tanh(u)))", np.arcsin(np.tanh(U)).sum()),
    "arccos": ("sum(arccos(tanh(u)))", np.arccos(np.tanh(U)).sum()),
    "arcsinh": ("sum(arcsinh(u))", np.arcsinh(U).sum()),
    "arccosh": ("sum(arccosh(1 + u*u))", np.arccosh(1 + U * U).sum()),
    "arctanh": ("sum(arctanh(tanh(v)))", V.sum()),
    "exp2": ("sum(exp2(u))", np.exp2(U).sum()),
    "trunc": ("sum(trunc(X))", np.trunc(X).sum()),
    "arctan2": ("sum(arctan2(u, v))", np.arctan2(U, V).sum()),
    "logaddexp": ("sum(logaddexp(u, v))", np.logaddexp(U, V).sum()),
    "fmod": ("sum(fmod(X, 0.75))", np.fmod(X, 0.75).sum()),
    "remainder": ("sum(remainder(X, 0.75))", np.remainder(X, 0.75).sum()),
    "cumsum": ("sum(cumsum(X, axis=1)**2)", (np.cumsum(X, 1) ** 2).sum()),
    "cumprod": ("sum(cumprod(X, axis=0)*X)", (np.cumprod(X, 0) * X).sum()),
    "cummax": ("sum(cummax(u)**2)", (np.maximum.accumulate(U) ** 2).sum()),
    "cummin": ("sum(cummin(u)*v)", (np.minimum.accumulate(U) * V).sum()),
    "cholesky": ("sum(cholesky(A @ A.T))", np.linalg.cholesky(A @ A.T).sum()),
    "linalg.cholesky": ("sum(np.linalg.cholesky(A @ A.T)**2)", (A * A).sum()),
    "where": ("sum(where(X > 0, X, X**2))", np.where(X > 0, X, X**2).sum()),
}


REFUSED = {"argmax", "argmin", "argsort", "sort", "median", "quantile", "percentile", "slogdet", "linalg.slogdet"}
PLACED = {"take", "take_along_axis", "gather", "scatter_add"}  # tests/parsing/test_places.py


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_what_has_no_formula_is_refused_by_name_with_the_reason(name: str) -> None:
    with pytest.raises(ParseError, match=f"{name}, wh.* expected") as caught:
        program(f"L = {name}(A)", tensors={"A": (2, 2)})
    assert "\n" not in str(caught.value)


def value_of(text: str) -> float:
    made = program(f"L = {text}", tensors={"X": (2, 3), "A": (2, 2), "u": (3,), "v": (3,)})
    from symnet.calculus.evaluate import evaluate

    given = {"X": X.tolist(), "A": A.tolist(), "u": U.tolist(), "v": V.tolist()}
    return float(evaluate(made, given).decimal("L", 15))


def at(text: str, **point: float) -> float:
    tensors = {n: tensor_of(n, ()) for n in ("x", "s")}
    expr = expression(text, tensors).expr
    return float(enclose(expr, {tensors[n][()]: sp.Rational(v) for n, v in point.items()}))


def test_every_function_has_a_row_here() -> None:
    assert {*ENTRYWISE, *POSITIVE, *PAIRS, *ARRAYS} == set(FUNCTIONS) - set(MATRICES) - REFUSED - PLACED  # which have tests of their own


@pytest.mark.parametrize("name", ENTRYWISE)
def test_entrywise_functions_are_the_known_ones(name: str) -> None:
    for x in POINTS:
        assert at(f"{name}(x)", x=x) == pytest.approx(ENTRYWISE[name](x), rel=1e-14)


@pytest.mark.parametrize("name", POSITIVE)
def test_functions_of_positive_numbers(name: str) -> None:
    for x in (0.25, 1.75, 9.0):
        assert at(f"{name}(x)", x=x) == pytest.approx(POSITIVE[name](x), rel=1e-14)


@pytest.mark.parametrize("name", PAIRS)
def test_functions_of_two_numbers(name: str) -> None:
    for x, s in ((-1.5, 0.5), (2.0, 0.25), (0.5, 3.0)):
        assert at(f"{name}(x, s)", x=x, s=s) == pytest.approx(PAIRS[name](x, s), rel=1e-14)


@pytest.mark.parametrize("text, wanted", ARRAYS.values(), ids=ARRAYS)
def test_functions_of_arrays_agree_with_numpy(text: str, wanted: float) -> None:
    assert value_of(text) == pytest.approx(float(wanted), rel=1e-12)


@pytest.mark.parametrize("text", ["maximum(x, 0)", "max(0, x)"])
def test_a_maximum_with_zero_is_relu_so_that_its_kink_follows_the_convention(text: str) -> None:
    assert expression(text, {"x": tensor_of("x", ())}).expr.func.__name__ == "relu"


@pytest.mark.parametrize("name", sorted(set(FUNCTIONS) - REFUSED))
def test_a_wrong_number_of_arguments_is_refused(name: str) -> None:
    tensors = {"A": tensor_of("A", (2, 2))}
    with pytest.raises((ParseError, ShapeError)) as caught:
        expression(f"{name}(" + ", ".join("A" * 13) + ")", tensors)
    assert "13 arguments" in str(caught.value)
