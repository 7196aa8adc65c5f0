"""NumPy's and SciPy's entrywise functions, each in the operations that a graph names (``Maker.map``): one table for every kind of array."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

import sympy as sp


class Operations(Protocol):
    """What the functions are made of."""

    def map(self, name: str, *args: Any) -> Any:
        """The operation of this name, of entries and numbers."""


Formula = Callable[..., Any]  # of the operations and the arguments


def _plainly(name: str) -> Formula:
    return lambda m, *args: m.map(name, *args)


def _log_of(base: int) -> Formula:
    return lambda m, a: m.map("div", m.map("log", a), sp.log(base))


def _heaviside(m: Operations, a: Any, at_zero: Any) -> Any:
    return m.map("select", m.map("eq", a, 0), at_zero, m.map("indicator", m.map("gt", a, 0)))


TESTS = {name: _plainly(op) for name, op in {
    "greater": "gt", "greater_equal": "ge", "less": "lt", "less_equal": "le", "equal": "eq", "not_equal": "ne"}.items()}
LOGIC = {name: _plainly(op) for name, op in {
    "logical_and": "and", "logical_or": "or", "bitwise_and": "and", "bitwise_or": "or", "logical_not": "not", "invert": "not"}.items()}
NUMBERS: dict[str, Formula] = {
    **{name: _plainly(op) for name, op in {
        "negative": "neg", "absolute": "abs", "fabs": "abs", "sign": "sign", "exp": "exp", "log": "log", "expm1": "expm1", "log1p": "log1p",
        "sqrt": "sqrt", "square": "square", "tanh": "tanh", "sinh": "sinh", "cosh": "cosh", "sin": "sin", "cos": "cos", "arctan": "atan",
        "erf": "erf", "erfc": "erfc", "expit": "logistic", "add": "add", "subtract": "sub", "multiply": "mul", "divide": "div",
        "true_divide": "div", "power": "pow", "float_power": "pow", "maximum": "max", "minimum": "min", "fmax": "max",
        "fmin": "min"}.items()},
    "positive": lambda m, a: a, "conjugate": lambda m, a: a, "reciprocal": lambda m, a: m.map("div", 1, a), "log2": _log_of(2),
    "log10": _log_of(10), "exp2": lambda m, a: m.map("exp", m.map("mul", a, sp.log(2))),
    "log_expit": lambda m, a: m.map("log", m.map("logistic", a)),
    "tan": lambda m, a: m.map("div", m.map("sin", a), m.map("cos", a)), "heaviside": _heaviside,
    "ndtr": lambda m, a: m.map("mul", sp.S.Half, m.map("add", 1, m.map("erf", m.map("div", a, sp.sqrt(2))))),
    "logaddexp": lambda m, a, b: m.map("log", m.map("add", m.map("exp", a), m.map("exp", b))),
    "xlogy": lambda m, a, b: m.map("mul", a, m.map("log", b)),
}


def made_of(operations: Operations) -> dict[str, Callable[..., Any]]:
    """All of them, for these operations."""
    return {name: partial(formula, operations) for name, formula in {**NUMBERS, **TESTS, **LOGIC}.items()}
