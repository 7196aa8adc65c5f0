"""Names on a page stand for exact values: symbols, intermediates, slopes, primed functions and updated weights."""

from __future__ import annotations

from functools import cache

import pytest
import sympy as sp

import symnet as sn
from symnet.checking.names import Names
from symnet.core.functions import sigmoid
from symnet.core.numbers import decimal
from symnet.errors import NameError_, ParseError, ShapeError
from symnet.loading import with_values


@cache
def names() -> Names:
    return Names(sn.load("first"))


VALUES = {  # to 8 digits, from a calculation with mpmath at 50 digits
    "x": "2", "w1": "0.5", "b2": "-0.4", "z1": "1.2", "a1": "0.76852478", "z2": "0.21481983", "a2": "0.55349938",
    "Loss": "0.19936281", "loss": "0.19936281", "cost": "0.19936281", "L": "0.19936281", "alpha": "0.1", "α": "0.1",
    "dLoss/da2": "-0.89300125", "dL/da2": "-0.89300125", "da2/dz2": "0.24713782", "dz2/dw2": "0.76852478", "dz2/db2": "1",
    "dz2/da1": "0.8", "da1/dz1": "0.17789444", "dz1/dw1": "2", "dLoss/dw2": "-0.16960910", "dLoss/dw1": "-0.062816485",
    "dLoss/db1": "-0.031408242", "d L / d w1": "-0.062816485", "w1'": "0.50628165", "b2'": "-0.37793056",
}


@pytest.mark.parametrize(("name", "value"), VALUES.items(), ids=VALUES)
def test_a_name_has_its_exact_value(name: str, value: str) -> None:
    assert decimal(names().exact(name), 8).text == value


def test_the_values_agree_with_mpmath() -> None:
    mpmath = pytest.importorskip("mpmath")
    with mpmath.workdps(50):
        w1, b1, w2, b2, x = (mpmath.mpf(v) for v in ("0.5", "0.2", "0.8", "-0.4", "2"))

        def loss(w: object) -> object:
            first = 1 / (1 + mpmath.exp(-(w * x + b1)))
            return (1 / (1 + mpmath.exp(-(w2 * first + b2))) - 1) ** 2

        slope = mpmath.diff(loss, w1)
        assert mpmath.nstr(loss(w1), 8) == VALUES["Loss"]
        assert mpmath.nstr(slope, 8) == VALUES["dLoss/dw1"]


READINGS = {
    "a formula in names": ("w1*x + b1", sp.Rational(6, 5)),
    "a primed function": ("sigmoid'(z1)", sigmoid(sp.Rational(6, 5)) * (1 - sigmoid(sp.Rational(6, 5)))),
    "a primed function of a formula": ("tanh'(w1*x - 1)", sp.Integer(1)),
    "slopes multiplied": ("dz2/da1*dz1/dw1", sp.Rational(8, 5)),
    "a slope in brackets": ("2*(dz1/dw1)", sp.Integer(4)),
    "greek": ("α*x", sp.Rational(1, 5)),
    "numbers": ("0.5*2 + 0.2", sp.Rational(6, 5)),
    "a power": ("(x - 3)^2", sp.Integer(1)),
}


@pytest.mark.parametrize(("text", "value"), READINGS.values(), ids=READINGS)
def test_an_expression_is_read_exactly(text: str, value: sp.Expr) -> None:
    assert sp.expand(names().read(text) - value) == 0


def test_the_numbers_of_the_page_come_first_when_given() -> None:
    assert names().read("w1*x", {"w1": sp.Rational(3)}) == 6
    assert names().read("dz2/da1*x", {"dz2/da1": sp.Rational(3)}) == 6
    assert names().read("w1*x") == 1


def test_what_the_page_defines_itself_comes_before_the_worksheet() -> None:
    own = Names(sn.load("first"))
    own.own["x"] = sp.Integer(5)
    assert own.exact("x") == 5
    assert names().exact("x") == 2


UNKNOWN = {
    "a name": ("q", NameError_, "nobody defined 'q'"),
    "above a slope": ("dq/dw1", NameError_, "nobody defined 'q'"),
    "a primed function": ("foo'(z1)", NameError_, "no function 'foo'"),
    "code": ("__import__(x)", ParseError, "column 1"),
}


@pytest.mark.parametrize(("text", "error", "says"), UNKNOWN.values(), ids=UNKNOWN)
def test_an_unknown_name_is_told(text: str, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        names().read(text)


def test_a_slope_below_an_unknown_name_is_told() -> None:
    with pytest.raises(NameError_):
        names().exact("dLoss/dq")


def test_an_update_needs_a_learning_rate() -> None:
    values = {"x": "2", "w": "1"}
    bare = with_values(sn.derive(sn.program("L = (w*x)**2"), wrt=["w"]), {k: sp.Rational(v) for k, v in values.items()}, {})
    with pytest.raises(NameError_, match="without a learning rate"):
        Names(bare).exact("w'")


def test_an_array_is_no_single_number() -> None:
    with pytest.raises(ShapeError, match="'W1' is an array"):
        Names(sn.load("two-two-two")).exact("W1")
