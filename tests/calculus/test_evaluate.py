"""Exact values and certified decimals: the 1-1-1 network against its closed forms in mpmath at 50 digits, and bad input."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

import symnet as sn
from symnet.calculus import derive
from symnet.calculus.evaluate import evaluate, shape_of, sizes_from, to_rationals
from symnet.core.axes import Axis, index
from symnet.core.program import Program, define
from symnet.core.tensors import Tensor
from symnet.errors import DomainError, NameError_, ParseError, ShapeError, SymnetError
from symnet.networks.architectures import conv1d, mlp, rnn

POINT = {"x": "2", "w1": "1/2", "b1": "1/5", "w2": "4/5", "b2": "-2/5", "y": "1"}


def by_hand(point: dict[str, Any]) -> dict[str, mpmath.mpf]:
    """The 1-1-1 network with squared error, all in closed form, as one would write it on paper."""
    v = {k: mpmath.mpf(Fraction(str(q)).numerator) / Fraction(str(q)).denominator for k, q in point.items()}
    x, w1, b1, w2, b2, y = (v[k] for k in ("x", "w1", "b1", "w2", "b2", "y"))
    a1 = 1 / (1 + mpmath.exp(-(w1 * x + b1)))
    a2 = 1 / (1 + mpmath.exp(-(w2 * a1 + b2)))
    end = 2 * (a2 - y) * a2 * (1 - a2)
    middle = end * w2 * a1 * (1 - a1)
    return {"z1": w1 * x + b1, "a1": a1, "z2": w2 * a1 + b2, "a2": a2, "L": (a2 - y) ** 2, "dL_da2": 2 * (a2 - y),
            "dL_dz2": end, "dL_dw2": end * a1, "dL_db2": end, "dL_da1": end * w2, "dL_dz1": middle, "dL_dw1": middle * x,
            "dL_db1": middle}


def test_the_first_example_to_fifty_digits() -> None:
    at = sn.load("first").at()
    with mpmath.workdps(70):
        for name, value in by_hand(POINT).items():
            shown = at.decimal(name, 50)
            assert abs(mpmath.mpf(shown) - value) <= abs(value) * mpmath.mpf(10) ** -49 / 2, name
            assert name == "z1" or len(shown.lstrip("-0.").replace(".", "")) == 50


SMALL = st.fractions(-4, 4, max_denominator=40)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.tuples(*[SMALL] * 6))
def test_any_point_of_the_first_example_to_fifty_digits(values: tuple[Fraction, ...]) -> None:
    point = dict(zip(POINT, map(str, values), strict=True))
    at = sn.load("first").at(point)
    with mpmath.workdps(75):
        for name, value in by_hand(point).items():
            error = abs(mpmath.mpf(at.decimal(name, 50)) - value)
            assert error <= abs(value) * mpmath.mpf(10) ** -49, name


def test_a_rational_program_stays_exact() -> None:
    d = derive(sn.program("r = X @ w - y", "L = sum(r**2)/N", tensors={"X": ("N", "d"), "w": ("d",), "y": ("N",)}), ["w"])
    at = d.at({"X": [["1/2", 2, 0], ["-1", "0.1", "1/3"]], "w": [1, "1/7", -3], "y": [0, "1e-3"]})
    rows, w, y = [[Fraction(1, 2), 2, 0], [-1, Fraction(1, 10), Fraction(1, 3)]], [1, Fraction(1, 7), -3], [0, Fraction(1, 1000)]
    r = [sum(p * q for p, q in zip(row, w, strict=True)) - t for row, t in zip(rows, y, strict=True)]
    assert [Fraction(str(v)) for v in at.exact("r")] == r
    assert Fraction(str(at.exact("L"))) == sum(v * v for v in r) / 2
    wanted = [sum(v * row[k] for v, row in zip(r, rows, strict=True)) for k in range(3)]
    assert [Fraction(str(v)) for v in at.exact("dL_dw")] == wanted
    assert at.exact_scalar("dL_dw_2") == at.exact("dL_dw")[1]
    assert at.sizes == {"N": 2, "d": 3}


@pytest.mark.parametrize(("line", "value"), [
    ("L = norm(exp(x) - exp(y))", "0"), ("L = sqrt(sum((exp(x) - exp(y))**2))", "0"), ("L = sum((exp(x) - exp(y))**2)**(3/2)", "0"),
    ("L = 1 + norm(exp(x) - exp(y))", "1"),
])
def test_the_ball_of_a_root_of_a_sum_of_squares_holds_a_0(line: str, value: str) -> None:
    at = sn.derive(sn.program(line, tensors={"x": ("n",), "y": ("n",)})).at({"x": ["1/3", "1/7"], "y": ["1/3", "1/7"]})
    for bits in (53, 128, 1000):
        assert at.ball("L", bits).contains(int(value)) and at.ball("L", bits).rad() < 2.0 ** (8 - bits)
    assert str(at.exact("L")) == value


def test_a_ball_that_no_precision_and_no_proof_gives_is_refused() -> None:
    at = sn.derive(sn.program("L = sqrt(exp(x) - exp(y))")).at({"x": "1/3", "y": "1/3"})
    assert at.ball("L").contains(0)  # proved to be the root of 0
    below = sn.derive(sn.program("L = sqrt(cos(x) - 1)")).at({"x": "1e-40"})
    with pytest.raises(SymnetError, match="ball of L: no enclosure at 128 bits"):
        below.ball("L")
    with pytest.raises(SymnetError, match="a negative base"):
        below.ball("L", 400)


def test_the_exact_value_is_an_expression_and_its_ball_holds_it() -> None:
    at = sn.load("first").at()
    exact = at.exact("a1")
    assert exact.free_symbols == set()
    assert exact == sn.load("first").program.definitions[1].expr.func(sp.Rational(6, 5))
    wide, narrow = at.ball("a1", 40), at.ball("a1", 400)
    assert wide.contains(narrow)
    assert narrow.rad() < wide.rad()


def test_more_digits_only_add_digits() -> None:
    at = sn.load("first").at()
    long = at.decimal("dL_dw1", 60)
    for digits in (5, 12, 30):
        short = at.decimal("dL_dw1", digits)
        assert long.startswith(short[:-1]), "all but the rounded digit agree"


def test_given_values_come_first_and_stored_ones_fill_in() -> None:
    d = sn.load("first")
    assert d.at({"x": 0}).exact("z1") == sp.Rational(1, 5)
    assert d.at({"x": 0}).exact("b2") == sp.Rational(-2, 5)


def test_arrays_of_numpy_are_taken() -> None:
    d = derive(sn.program("L = sum(x**2)", tensors={"x": ("d",)}))
    assert d.at({"x": np.array([0.1, 0.2])}).exact("L") == sp.Rational(1, 20), "0.1 is taken as 1/10"


def test_places_from_zero_are_kept_in_order() -> None:
    program = rnn()
    at = evaluate(program, {"x": [[0], [0]], "y": [[0], [0]], "s": ["1/2"], "U": [[1]], "V": [[0]], "b": [0]})
    assert at.exact("h") == [[sp.Rational(1, 2)], [0], [0]]
    assert at.sizes == {"T": 2, "d": 1, "m": 1}


def test_sizes_are_read_off_shapes_even_where_they_are_sums() -> None:
    at = evaluate(conv1d(), {"x": [1, 2, 3, 4, 5], "w1": [1, -1], "b1": 0, "y": [0, 0, 0, 0]})
    assert at.sizes == {"K": 2, "M": 4}
    assert at.exact("z1") == [-1, -1, -1, -1]
    strided = evaluate(conv1d(stride=2), {"x": [1, 2, 3, 4, 5, 6, 7], "w1": [1, 0, 1], "b1": 0, "y": [0, 0, 0]})
    assert strided.exact("z1") == [4, 8, 12]


X, W, B = [[1, 2], [3, 4]], [[1, 2, 3], [4, 5, 6]], [0, 0, 0]
GOOD = {"X": X, "W1": W, "b1": B, "W2": [[1], [2], [3]], "b2": [0], "Y": [[1], [1]]}
BAD: dict[str, tuple[dict[str, Any], type[SymnetError], str]] = {
    "missing": ({k: v for k, v in GOOD.items() if k != "b2"}, NameError_, "no value for b2"),
    "unknown": ({**GOOD, "b3": 1}, NameError_, "no input named 'b3'.*did you mean 'b[12]'"),
    "ragged": ({**GOOD, "X": [[1, 2], [3]]}, ShapeError, "value of X: rows of different lengths"),
    "empty": ({**GOOD, "b1": []}, ShapeError, "value of b1: an empty list"),
    "too few axes": ({**GOOD, "X": [1, 2]}, ShapeError, "value of X: an array with 1 axes; expected 2 axes"),
    "a number for a matrix": ({**GOOD, "W2": 3}, ShapeError, "value of W2: an array with 0 axes"),
    "sizes that disagree": ({**GOOD, "b1": [0, 0]}, ShapeError, r"value of b1: size h = 2; expected 3"),
    "no number": ({**GOOD, "b2": ["one"]}, ParseError, "expected a number"),
    "not finite": ({**GOOD, "b2": [float("nan")]}, ParseError, "expected a number"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_values_are_refused_in_one_line(name: str) -> None:
    values, kind, phrase = BAD[name]
    with pytest.raises(kind, match=phrase) as caught:
        evaluate(mlp(), values)
    assert "\n" not in str(caught.value)


def test_an_integer_size_must_fit() -> None:
    with pytest.raises(ShapeError, match="value of x: 3 entries along an axis; expected 2"):
        evaluate(sn.program("L = sum(x)", tensors={"x": (2,)}), {"x": [1, 2, 3]})


def test_a_value_outside_its_declared_domain_is_refused() -> None:
    w = Tensor("w", (Axis.of("d"),), "positive")
    i = index("i")
    program = Program((w,), (define(Tensor("L"), expr=sp.Sum(sp.log(w[i]), (i, *w.axes[0].range))),))
    assert evaluate(program, {"w": [1, 1]}).exact("L") == 0
    with pytest.raises(DomainError, match="value of w: 0; expected a positive number, as declared"):
        evaluate(program, {"w": [1, 0]})


def test_outside_the_domain_of_a_function_is_an_error_when_shown() -> None:
    at = derive(sn.program("L = log(w)")).at({"w": -1})
    with pytest.raises(DomainError, match="log"):
        at.decimal("L")


def test_the_convention_at_a_kink_is_followed_exactly() -> None:
    program = sn.Sequential(sn.Linear(1, 1, bias=False), sn.ReLU()).program(sn.SquaredError())
    at = derive(program).at({"x": 1, "w1": 0, "y": 1})
    assert at.exact("dL_dw1") == 0
    leaky = sn.Sequential(sn.Linear(1, 1, bias=False), sn.LeakyReLU("1/4")).program(sn.SquaredError())
    assert derive(leaky).at({"x": 1, "w1": 0, "y": 1}).exact("dL_dw1") == sp.Rational(-1, 2)


def test_a_forward_program_whose_last_line_is_no_number_can_be_evaluated() -> None:
    program = sn.Sequential(sn.Linear("d", "h"), sn.ReLU()).program()
    at = evaluate(program, {"X": [[1, -1]], "W1": [[1], [2]], "b1": [0]})
    assert at.exact("a1") == [[0]]
    assert at.exact("z1") == [[-1]]


def test_helpers() -> None:
    assert to_rationals("x", [[1, "1/2"], (0.5, 2)]) == [[1, sp.Rational(1, 2)], [sp.Rational(1, 2), 2]]
    assert shape_of("x", [[1, 2, 3], [4, 5, 6]]) == (2, 3)
    assert shape_of("x", sp.S.One) == ()
    assert sizes_from(mlp(), {**GOOD}) == {"N": 2, "d": 2, "h": 3, "k": 1}


def test_what_a_line_asks_of_its_entries_is_asked_at_each_place() -> None:
    d = sn.derive(sn.program("P[i] = 1/exp(h[i])", "L = sum(P)", tensors={"h": ("0..n",), "P": ("n",)}))
    assert d.at({"h": [0, 1, 2]}).exact("P") == [sp.exp(-1), sp.exp(-2)]
    divided = sn.derive(sn.program("q[i] = h[i]**2/h[i]", "L = sum(q)", tensors={"h": ("n",), "q": ("n",)}))
    assert divided.at({"h": [1, 2]}).exact("L") == 3
    with pytest.raises(DomainError, match=r"h_2 is 0; expected h_2 != 0"):
        divided.at({"h": [1, 0]})


@pytest.mark.parametrize(("line", "x", "said"), [
    ("L = log(x)", -2, "log: the value -2"), ("L = log(x)", 0, "log: the value 0"), ("L = 1/x", 0, "division: 0"),
    ("L = sqrt(x)", -2, "power: a negative base -2"), ("L = x**(1/2 + 0*x)", -2, "power: a negative base -2"),
    ("L = log(x - 1)*(x - 1)", 1, "log: the value 0"),
])
@pytest.mark.parametrize("form", ["exact", "exact_lines", "decimal", "ball"])
def test_what_has_no_real_value_has_none_in_any_form(line: str, x: int, said: str, form: str) -> None:
    with pytest.raises(DomainError, match=said):
        getattr(sn.derive(line).at({"x": x}), form)("L")
