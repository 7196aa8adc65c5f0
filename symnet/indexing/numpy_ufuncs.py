"""NumPy's and SciPy's entrywise functions, each in the operations that a graph names (``Maker.map``): one table for every kind of array."""

from __future__ import annotations

from collections.abc import Callable
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


def _arcsin(m: Operations, a: Any) -> Any:
    """2 arctan(a / (1 + √(1 - a²))), which has a value at ±1 too."""
    root = m.map("sqrt", m.map("sub", 1, m.map("square", a)))
    return m.map("mul", 2, m.map("atan", m.map("div", a, m.map("add", 1, root))))


def _arctan2(m: Operations, y: Any, x: Any) -> Any:
    """The angle of the point (x, y), from -π to π."""
    turned = m.map("atan", m.map("div", x, y))
    left = m.map("select", m.map("lt", y, 0), m.map("sub", -sp.pi / 2, turned), m.map("select", m.map("lt", x, 0), sp.pi, 0))
    upper = m.map("select", m.map("gt", y, 0), m.map("sub", sp.pi / 2, turned), left)
    return m.map("select", m.map("gt", x, 0), m.map("atan", m.map("div", y, x)), upper)


def _arcsinh(m: Operations, a: Any) -> Any:
    """log(|a| + √(a² + 1)) with the sign of a, without the cancellation below 0."""
    root = m.map("sqrt", m.map("add", m.map("square", a), 1))
    below = m.map("neg", m.map("log", m.map("sub", root, a)))
    return m.map("select", m.map("lt", a, 0), below, m.map("log", m.map("add", a, root)))


def _arccosh(m: Operations, a: Any) -> Any:
    return m.map("log", m.map("add", a, m.map("sqrt", m.map("sub", m.map("square", a), 1))))


def _arctanh(m: Operations, a: Any) -> Any:
    return m.map("mul", sp.S.Half, m.map("sub", m.map("log1p", a), m.map("log1p", m.map("neg", a))))


def _cbrt(m: Operations, a: Any) -> Any:
    return m.map("mul", m.map("sign", a), m.map("pow", m.map("abs", a), sp.Rational(1, 3)))


def _trunc(m: Operations, a: Any) -> Any:
    return m.map("select", m.map("lt", a, 0), m.map("ceil", a), m.map("floor", a))


def _rest(rounded: Formula) -> Formula:
    """What a division leaves: a - b round(a/b)."""
    return lambda m, a, b: m.map("sub", a, m.map("mul", b, rounded(m, m.map("div", a, b))))


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
    "arcsin": _arcsin, "arccos": lambda m, a: m.map("sub", sp.pi / 2, _arcsin(m, a)), "arctan2": _arctan2, "arcsinh": _arcsinh,
    "arccosh": _arccosh, "arctanh": _arctanh, "cbrt": _cbrt, "trunc": _trunc, "fix": _trunc, "floor": _plainly("floor"),
    "ceil": _plainly("ceil"), "fmod": _rest(_trunc), "remainder": _rest(_plainly("floor")), "mod": _rest(_plainly("floor")),
    "floor_divide": lambda m, a, b: m.map("floor", m.map("div", a, b)),
    "hypot": lambda m, a, b: m.map("sqrt", m.map("add", m.map("square", a), m.map("square", b))),
    "xlogy": lambda m, a, b: m.map("mul", a, m.map("log", b)),
}
