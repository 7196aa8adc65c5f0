"""What symbolic arrays cannot do is told in one line, with the place in the user's file."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.errors import SymnetError

LINE = sn.derive(sn.program("z = w*x", "L = sum((z - y)**2)", tensors={"w": (), "x": ("N",), "y": ("N",)}), wrt=["w"])


def branch(w, x, y):  # type: ignore[no-untyped-def]
    if w > 0:
        return x


def loop_until(w, x, y):  # type: ignore[no-untyped-def]
    while abs(w) > 0.1:
        w = w / 2
    return w


REFUSED: dict[str, tuple[Callable[..., Any], str]] = {
    "if": (branch, "np.where"), "while": (loop_until, "np.where"),
    "float": (lambda w, x, y: float(w), "has no float"), "math": (lambda w, x, y: math.floor(w), "has no float"),
    "int": (lambda w, x, y: int(w), "no whole number"), "python max": (lambda w, x, y: max(w, 0), "np.maximum"),
    "argmax": (lambda w, x, y: np.argmax(x), "np.max, or class labels"), "argmax method": (lambda w, x, y: x.argmax(), "np.max"),
    "sort": (lambda w, x, y: np.sort(x), "np.max or np.min"), "unknown": (lambda w, x, y: np.fft.fft(x), "a function that has a formula"),
    "random": (lambda w, x, y: np.random.randn(3) * x, "pass a dropout mask or noise as an argument"),
    "generator": (lambda w, x, y: np.random.default_rng(0).random(3) * x, "pass a dropout mask or noise as an argument"),
    "shape": (lambda w, x, y: x @ np.ones((7, 2)), "inner sizes that agree"), "name": (lambda w, x, y: nothing, "NameError"),  # type: ignore[name-defined] # noqa: F821
    "zero": (lambda w, x, y: x / 0, "a divisor that is not 0"), "round": (lambda w, x, y: np.round(x, 3), "has no digits"),
    "where alone": (lambda w, x, y: np.where(x > 0), "np.where(condition, a, b)"), "in": (lambda w, x, y: w in x, "values are not known"),
    "plain array": (lambda w, x, y: PLAIN.__setitem__(0, w), "has no float"), "nan": (lambda w, x, y: x * np.nan, "nan"),
    "nothing returned": (lambda w, x, y: None, "nothing"), "text returned": (lambda w, x, y: "dw", "number"),
    "wrong keys": (lambda w, x, y: {"alpha": x}, "keys such as dw"), "too many": (lambda w, x, y: (x, x, x), "returns=(...) names them"),
    "exit": (lambda w, x, y: exit(), "SystemExit"), "casting": (lambda w, x, y: x.astype(int), "whole number"),
    "mask returned": (lambda w, x, y: {"w": x[x > 0]}, "whose shape is not known"), "x as index": (lambda w, x, y: y[x], "values are not known"),
}
PLAIN = np.array([0.5, 0.5])


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_in_one_line(name: str) -> None:
    function, said = REFUSED[name]
    with pytest.raises(SymnetError) as caught:
        sn.check_code(function, LINE)
    assert said in caught.value.message and "\n" not in caught.value.message


def test_the_place_in_the_users_file_is_named() -> None:
    with pytest.raises(SymnetError, match=r"^test_code_refusals\.py:\d+: if: "):
        sn.check_code(branch, LINE)


@pytest.mark.parametrize(("function", "said"), [
    (lambda w, x, y, momentum: w, "argument momentum: no input of the program has this name"), (3, "a function"), (len, "no input"),
])
def test_arguments_that_are_like_nothing_are_refused(function: Any, said: str) -> None:
    with pytest.raises(SymnetError, match=said):
        sn.check_code(function, LINE)


@pytest.mark.parametrize(("what", "said"), [
    (sn.Sequential(sn.Linear(1, 1)), "expected a Derivation"),
    (sn.jacobian(sn.program("z = w*x", "L = sum(z)", tensors={"w": (), "x": ("N",)}), "z"), "one number"),
    (sn.derive(sn.program("L = w", tensors={"w": sn.Tensor("w", domain="complex")}), wrt=["w"]), "real inputs"),
])
def test_what_is_no_derivation_of_one_real_number_is_refused(what: Any, said: str) -> None:
    with pytest.raises(SymnetError, match=said):
        sn.check_code(lambda w, x: w, what)


def test_an_unknown_name_in_a_table_is_told_with_the_names_there_are() -> None:
    with pytest.raises(SymnetError, match="no input named 'W2'; expected one of w, x, y"):
        sn.check_code(lambda params: params["W2"], LINE)


def test_an_entry_that_was_never_set_proves_nothing() -> None:
    def code(w, x, y):  # type: ignore[no-untyped-def]
        out = np.empty(2)
        out[0] = ((w * x - y) * 2 * x).sum()
        return {"w": out[1]}

    found = sn.check_code(code, LINE)
    assert not found and found["w"].verdict.answer.value == "undecided"


def test_a_value_that_does_not_exist_proves_nothing() -> None:
    found = sn.check_code(lambda w, x, y: {"w": np.log(-np.abs(w) - 1)}, LINE)
    assert not found and "does not exist" in str(found)


def test_arguments_are_copies() -> None:
    def code(w, x, y):  # type: ignore[no-untyped-def]
        g = (2 * (w * x - y) * x).sum()
        x[:] = 0
        w -= g
        return g

    assert sn.check_code(code, LINE)
