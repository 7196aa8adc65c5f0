"""Each construct of the program language, run by NumPy, agrees with the same thing written by hand."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import sympy as sp

import symnet as sn
from symnet.arrays.stable_functions import MEANING, crossed, log_others, log_share, other_terms, others, share
from symnet.backends.numpy_code import FORMS, PLAIN, NumpyCode
from symnet.backends.source import forward_source
from symnet.backends.stable_code import CALLS
from symnet.core.axes import Axis, index
from symnet.core.expressions import When, total
from symnet.core.functions import TABLE
from symnet.core.program import Program, define
from symnet.core.tensors import Tensor
from symnet.errors import UnknownNodeError

SHAPES = {"A": ("N", "d"), "B": ("N", "d"), "C": ("d", "k"), "E": ("k", "h"), "R": ("N", "d", "k"), "S": ("d", "d"),
          "Y": ("d", "k"), "u": ("N",), "v": ("d",), "s": ()}
SIZES = {"N": 5, "d": 3, "k": 4, "h": 2}
rng = np.random.default_rng(7)
DATA = {n: rng.uniform(0.2, 1.5, [SIZES[a] for a in shape]) for n, shape in SHAPES.items()}
A, B, C, E, R, S, Y, u, v, s = DATA.values()

LINES: dict[str, tuple[str, Callable[[], object]]] = {
    "sum": ("Q = A + 2*B - 1", lambda: A + 2 * B - 1),
    "product": ("Q = A*B*s", lambda: A * B * s),
    "quotient": ("Q = A/(B*s)", lambda: A / (B * s)),
    "half": ("Q = A/2", lambda: A / 2),
    "square root": ("Q = sqrt(A)", lambda: np.sqrt(A)),
    "one over a root": ("Q = 1/sqrt(A)", lambda: 1 / np.sqrt(A)),
    "third power": ("Q = A**3", lambda: A**3),
    "negative power": ("Q = A**(-2)", lambda: A**-2.0),
    "power of arrays": ("Q = A**B", lambda: A**B),
    "row broadcast": ("Q = A + v", lambda: A + v),
    "row times": ("Q = v*A", lambda: A * v),
    "column by keepdims": ("Q = A/sum(A, axis=1, keepdims=True)", lambda: A / A.sum(axis=1, keepdims=True)),
    "transpose": ("Q = A.T", lambda: A.T),
    "transpose plus column": ("Q = A.T + u", lambda: A.T + u),
    "matrix product": ("Q = A @ C", lambda: A @ C),
    "product of three": ("Q = A @ C @ E", lambda: A @ C @ E),
    "product with transposes": ("Q = C.T @ A.T", lambda: C.T @ A.T),
    "gram": ("Q = A.T @ A", lambda: A.T @ A),
    "matrix times vector": ("Q = A @ v", lambda: A @ v),
    "vector times matrix": ("Q = u @ A", lambda: u @ A),
    "dot": ("Q = v @ v", lambda: v @ v),
    "bilinear": ("Q = u @ A @ v", lambda: u @ A @ v),
    "outer": ("Q = outer(u, v)", lambda: np.outer(u, v)),
    "trace": ("Q = trace(S)", lambda: np.trace(S)),
    "sum of all": ("Q = sum(R)", lambda: R.sum()),
    "sum of middle axis": ("Q = sum(R, axis=1)", lambda: R.sum(axis=1)),
    "mean": ("Q = mean(A, axis=0)", lambda: A.mean(axis=0)),
    "sum of a product": ("Q = sum(A*B)", lambda: (A * B).sum()),
    "three axes times one": ("Q = sum(R*Y, axis=1)", lambda: (R * Y).sum(axis=1)),
    "three factors summed": ("Q = sum(A*B*v)", lambda: (A * B * v).sum()),
    "sum of a constant": ("Q = sum(A) + sum(A*0 + 1)", lambda: A.sum() + 15),
    "softmax of rows": ("Q = softmax(A)", lambda: np.exp(A) / np.exp(A).sum(axis=1, keepdims=True)),
    "log sum exp": ("Q = log(sum(exp(A), axis=1))", lambda: np.log(np.exp(A).sum(axis=1))),
    "log sum exp of columns": ("Q = log(sum(exp(A), axis=0))", lambda: np.log(np.exp(A).sum(axis=0))),
    "maximum": ("Q = maximum(A, B)", lambda: np.maximum(A, B)),
    "minimum": ("Q = minimum(A, 1)", lambda: np.minimum(A, 1)),
    "choice": ("Q = A if A > B else 2*B", lambda: np.where(A > B, A, 2 * B)),
    "where": ("Q = where(A > 1, A, 0)", lambda: np.where(A > 1, A, 0)),
    "erf": ("Q = erf(A)", lambda: np.vectorize(math.erf)(A)),
    "constants": ("Q = A*pi + exp(1)", lambda: A * math.pi + math.e),
    "a size as a number": ("Q = A/N", lambda: A / 5),
}


def forward(program: Program, output: str, **arrays: object) -> np.ndarray:
    space: dict[str, Callable[..., np.ndarray]] = {}
    exec(forward_source(program, output), space)
    return space["forward"](**arrays)


@pytest.mark.parametrize(("line", "by_hand"), LINES.values(), ids=LINES)
def test_a_line_agrees_with_numpy_by_hand(line: str, by_hand: Callable[[], object]) -> None:
    program = sn.program(line, "L_end = 0", tensors=SHAPES)
    wanted = np.asarray(by_hand())
    made = np.asarray(forward(program, "Q", **{n: DATA[n] for n in program.uses("Q")}))
    assert made.shape == wanted.shape
    assert np.allclose(made, wanted, rtol=1e-13)


REFERENCE: dict[str, Callable[[float], float]] = {
    "sigmoid": lambda z: 1 / (1 + math.exp(-z)), "tanh": math.tanh, "relu": lambda z: max(z, 0.0),
    "leaky_relu": lambda z: z if z > 0 else z / 4, "step": lambda z: float(z > 0),
    "softplus": lambda z: math.log1p(math.exp(z)), "exp": math.exp, "log": lambda z: math.log(abs(z) + 1),
    "sin": math.sin, "cos": math.cos, "sinh": math.sinh, "cosh": math.cosh, "arctan": math.atan, "erf": math.erf,
    "abs": abs, "sign": lambda z: (z > 0) - (z < 0.0), "floor": math.floor,
    "maximum": lambda z: max(z, 0.5), "minimum": lambda z: min(z, 0.5), "stop_gradient": float,
}


@pytest.mark.parametrize("row", TABLE.values(), ids=lambda row: row.name)
def test_every_row_of_the_function_table_runs(row: object) -> None:
    z = Tensor("z", (Axis.of("d"),))
    i = index("i")
    argument = sp.Abs(z[i]) + 1 if row.name == "log" else z[i]
    more = {"leaky_relu": (sp.Rational(1, 4),), "maximum": (sp.Rational(1, 2),), "minimum": (sp.Rational(1, 2),)}
    program = Program((z,), (define(Tensor("Q", z.axes), i, expr=row.function(argument, *more.get(row.name, ()))),
                             define(Tensor("L"), expr=sp.S.Zero)))
    points = [-2.5, -0.3, 0.0, 0.4, 3.0]
    wanted = [REFERENCE[row.name](p) for p in points]
    assert np.allclose(forward(program, "Q", z=np.array(points)), wanted, rtol=1e-13, atol=1e-15)


def test_no_function_has_a_form_without_a_row() -> None:
    assert {*PLAIN, *FORMS, *CALLS} == {*TABLE, *MEANING} - {share, log_share, others, log_others, crossed, other_terms}


def _v(expr: Callable[..., sp.Expr], *shape: Axis) -> Program:
    x, letters = Tensor("x", shape), [index(n) for n in "ij"][: len(shape)]
    return Program((x,), (define(Tensor("Q", shape), *letters, expr=expr(x, *letters)), define(Tensor("L"), expr=sp.S.Zero)))


def test_an_index_as_a_number_counts_along_its_axis() -> None:
    made = forward(_v(lambda x, i, j: i * x[i, j] + j**2, Axis.of("d"), Axis.of("k")), "Q", x=np.ones((2, 3)))
    assert made.tolist() == [[2, 5, 10], [3, 6, 11]]


def test_a_bracket_masks_what_lies_outside() -> None:
    d = Axis.of("d")
    there = _v(lambda x, i: When(x[i - 1], sp.And(sp.Ge(i - 1, 1), sp.Le(i - 1, d.upper), evaluate=False)), d)
    made = forward(there, "Q", x=np.array([5.0, 6, 7]))
    assert made.tolist() == [0, 5, 6]


def test_a_bracket_between_two_indices_makes_a_triangle() -> None:
    x = np.arange(1.0, 7).reshape(2, 3)
    made = forward(_v(lambda x, i, j: When(x[i, j], sp.Le(j, i)), Axis.of("d"), Axis.of("k")), "Q", x=x)
    assert made.tolist() == np.tril(x).tolist()


def test_the_diagonal_is_gathered() -> None:
    d, i = Axis.of("d"), index("i")
    x = Tensor("x", (d, d))
    program = Program((x,), (define(Tensor("Q", (d,)), i, expr=x[i, i]), define(Tensor("L"), expr=sp.S.Zero)))
    assert forward(program, "Q", x=np.arange(9.0).reshape(3, 3)).tolist() == [0, 4, 8]


def test_a_diagonal_beside_the_main_one_is_gathered_too() -> None:
    d, i = Axis.of("d"), index("i")
    x = Tensor("x", (d, d))
    for places, one in (((i, i - 1), 1), ((i - 1, i), -1), ((i, i), 0)):  # two slices would be a block
        program = Program((x,), (define(Tensor("Q"), expr=total(x[places] * x[i, i], ((i, sp.Integer(2), d.upper),))), define(Tensor("L"), expr=sp.S.Zero)))
        a = np.arange(9.0).reshape(3, 3)
        assert forward(program, "Q", x=a) == sum(a[k, k - one] * a[k, k] if one > 0 else a[k + one, k] * a[k, k] for k in (1, 2))


def test_a_range_that_starts_above_one_is_a_slice() -> None:
    d, i = Axis.of("d"), index("i")
    x = Tensor("x", (d,))
    program = Program((x,), (define(Tensor("Q"), expr=total(x[i] - x[i - 1], ((i, sp.Integer(2), d.upper),))),
                             define(Tensor("L"), expr=sp.S.Zero)))
    assert forward(program, "Q", x=np.array([1.0, 5, 4, 9])) == 8.0


def test_an_unknown_number_raises() -> None:
    with pytest.raises(UnknownNodeError, match="number"):
        NumpyCode(_v(lambda x, i: x[i], Axis.of("d")), {"x": "x"}).number(sp.gamma(sp.Symbol("q")))
