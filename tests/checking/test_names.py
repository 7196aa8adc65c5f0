"""Names on a page stand for exact values: symbols, intermediates, slopes, primed functions and updated weights."""

from __future__ import annotations

import importlib
from functools import cache

import pytest
import sympy as sp

import symnet as sn
from symnet.checking.pages.page_names import Names
from symnet.core.functions import sigmoid
from symnet.core.numbers import decimal
from symnet.errors import NameError_, ParseError, ShapeError
from symnet.worksheet_loader import with_values


@cache
def names() -> Names:
    return Names(sn.load("first"))


VALUES = {  # to 8 digits, from a calculation with mpmath at 50 digits
    "x": "2", "w1": "0.5", "b2": "-0.4", "z1": "1.2", "a1": "0.76852478", "z2": "0.21481983", "a2": "0.55349938",
    "Loss": "0.19936281", "loss": "0.19936281", "cost": "0.19936281", "L": "0.19936281", "alpha": "0.1", "α": "0.1", "η": "0.1", "z_1": "1.2", "w₁": "0.5", "C": "0.19936281", "delta2": "-0.22069438", "∂L/∂w₂": "-0.16960910",
    "dL/d(w2)": "-0.16960910", "w1_new": "0.50628165", "dw2": "-0.16960910", "grad_b2": "-0.22069438", "w1_grad": "-0.062816485", "dL/dz1": "-0.031408242",
    "dLoss/da2": "-0.89300125", "dL/da2": "-0.89300125", "da2/dz2": "0.24713782", "dz2/dw2": "0.76852478", "dz2/db2": "1",
    "dz2/da1": "0.8", "da1/dz1": "0.17789444", "dz1/dw1": "2", "dLoss/dw2": "-0.16960910", "dLoss/dw1": "-0.062816485",
    "dLoss/db1": "-0.031408242", "d L / d w1": "-0.062816485", "w1'": "0.50628165", "b2'": "-0.37793056",
}


def exact(known: Names, name: str) -> sp.Expr:
    found = known.value(known.atom(name))
    assert found is not None
    return found


@pytest.mark.parametrize(("name", "value"), VALUES.items(), ids=VALUES)
def test_a_name_has_its_exact_value(name: str, value: str) -> None:
    assert decimal(exact(names(), name), 8).text == value


def test_the_values_agree_with_mpmath() -> None:
    mpmath = importlib.import_module("mpmath")
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
    found = names().value(names().read(text))
    assert found is not None
    assert sp.expand(found - value) == 0


LATEX = {
    r"\frac{\partial L}{\partial a_2}": "dL/da2", r"\frac{\partial a_2}{\partial z_2}": "da2/dz2", r"\frac{d L}{d w_1}": "dL/dw1",
    r"\frac{\partial \mathcal{L}}{\partial w_{2}}": "dL/dw2", r"\frac{\partial \text{Loss}}{\partial b_1}": "dL/db1",
    r"\frac{\partial C}{\partial b_2}": "dL/db2", r"\delta_2": "dL/dz2", "w_1'": "w1'", r"w_1^{\text{new}}": "w1'", r"\alpha": "alpha",
    r"\eta": "alpha", "z_{1}": "z1", "a_1": "a1",
}


@pytest.mark.parametrize(("latex", "plain"), LATEX.items(), ids=LATEX)
def test_latex_names_are_the_same_atoms(latex: str, plain: str) -> None:
    known = Names(sn.load("first"))
    assert known.read(latex, latex=True) == known.atom(plain)


DEFINITIONS = {"z2": "w2*a1 + b2", "da2/dz2": "a2*(1 - a2)", "dz2/dw2": "a1", "da2/da1": "a2*(1 - a2)*w2", "dL/da2": "2*(a2 - y)",
               "w2'": "w2 - alpha*dL/dw2"}


@pytest.mark.parametrize(("name", "text"), DEFINITIONS.items(), ids=DEFINITIONS)
def test_an_atom_is_defined_by_the_atoms_before_it(name: str, text: str) -> None:
    local = names().local(names().atom(name))
    assert local is not None
    assert sp.expand(local - names().read(text)) == 0


def test_the_truth_is_in_the_inputs_alone() -> None:
    inputs = {t[()] for t in names().program.inputs}
    assert names().truth(names().read("dL/dw1 * da1/dz1")).free_symbols <= inputs


def test_what_the_page_defines_itself_is_used_from_then_on() -> None:
    own = Names(sn.load("first"))
    own.define("e", own.read("a2 - y"))
    assert decimal(exact(own, "e"), 8).text == "-0.44650062"
    assert sp.expand(own.truth(own.read("2*e")) - own.truth(own.read("dL/da2"))) == 0
    assert own.read("2e", latex=True) == 2 * own.atom("e")


def test_a_value_that_is_missing_gives_none() -> None:
    bare = sn.derive(sn.program("z = w*x", "L = (z - y)**2"), wrt=["w"])
    known = Names(bare)
    assert known.value(known.read("2*z")) is None
    known.give(known.atom("w"), sp.Integer(3))
    known.give(known.atom("x"), sp.Integer(2))
    assert known.value(known.read("2*z")) == 12


UNKNOWN = {
    "a name": ("q", NameError_, "nobody defined 'q'"),
    "above a slope": ("dq/dw1", NameError_, "nobody defined 'q'"),
    "a primed function": ("foo'(z1)", NameError_, "no function 'foo'"),
    "a name that is nearly one": ("a22", NameError_, "did you mean 'a2'"),
    "a function that is nearly one": ("sigmod(z1)", NameError_, "did you mean 'sigmoid'"),
    "below a slope": ("dL/dw11", NameError_, "did you mean 'w1'"),
    "code": ("__import__(x)", ParseError, "column 1"),
}


@pytest.mark.parametrize(("text", "error", "says"), UNKNOWN.values(), ids=UNKNOWN)
def test_an_unknown_name_is_told(text: str, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        names().read(text)


def test_a_slope_below_an_unknown_name_is_told() -> None:
    with pytest.raises(NameError_):
        names().atom("dLoss/dq")


def test_an_update_needs_a_learning_rate() -> None:
    values = {"x": "2", "w": "1"}
    bare = with_values(sn.derive(sn.program("L = (w*x)**2"), wrt=["w"]), {k: sp.Rational(v) for k, v in values.items()}, {})
    with pytest.raises(NameError_, match="without a learning rate"):
        Names(bare).atom("w'")


def test_an_array_is_no_single_number() -> None:
    with pytest.raises(ShapeError, match="'W1' is an array"):
        Names(sn.load("two-two-two")).atom("W1")
