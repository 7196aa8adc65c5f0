"""Declared domains and structures, and what formulas are worth under them: by Fractions, mpmath and NumPy, and nothing of symnet."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np

F = Fraction
DOMAINS: Mapping[str, Callable[[Fraction], bool]] = {
    "real": lambda v: True, "positive": lambda v: v > 0, "nonnegative": lambda v: v >= 0, "negative": lambda v: v < 0,
    "nonpositive": lambda v: v <= 0, "nonzero": lambda v: v != 0, "(0, 1)": lambda v: 0 < v < 1, "[0, 1]": lambda v: 0 <= v <= 1,
    "(-1, 1)": lambda v: -1 < v < 1, "[1, oo)": lambda v: v >= 1, "(-oo, 1/2]": lambda v: v <= F(1, 2), "(2, 3]": lambda v: 2 < v <= 3,
    "{0, 1}": lambda v: v in (0, 1), "{-1, 1}": lambda v: v in (-1, 1), "{-1, 0, 2}": lambda v: v in (-1, 0, 2), "{3}": lambda v: v == 3}
GRID = [F(p, q) for p, q in ((0, 1), (1, 1), (-1, 1), (2, 1), (-2, 1), (3, 1), (-3, 1), (1, 2), (-1, 2), (1, 3), (-1, 3), (2, 3), (-2, 3), (3, 4), (1, 7),
                             (-6, 7), (5, 2), (11, 4), (7, 3), (9, 4), (-5, 1), (7, 1), (1, 100), (-1, 100), (99, 100), (101, 100))]


def members(domain: str) -> list[Fraction]:
    """Numbers of the domain, its ends among them where they belong to it."""
    return [v for v in GRID if DOMAINS[domain](v)]


class Undefined(ArithmeticError):
    """A formula without a value."""


def _only(holds: Callable[[Any], bool], f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def inner(z: Any) -> Any:
        if not holds(z):
            raise Undefined
        return f(z)

    return inner


def _mp(z: Any) -> Any:
    return mpmath.mpf(z.numerator) / z.denominator


WORDS: Mapping[str, Callable[..., Any]] = {
    "abs": abs, "max": max, "min": min, "relu": lambda z: max(z, 0), "step": lambda z: int(z > 0), "sign": lambda z: (z > 0) - (z < 0),
    "clip": lambda z, a, b: min(max(z, a), b), "exp": mpmath.exp,
    "log": _only(lambda z: z > 0, mpmath.log), "sqrt": _only(lambda z: z >= 0, mpmath.sqrt)}


def value(text: str, point: Mapping[str, Fraction]) -> Any:
    """The value of a formula that was made here, or None."""
    try:
        return mpmath.mpf(eval(text, {"__builtins__": {}}, {**WORDS, **{name: _mp(v) for name, v in point.items()}}))  # noqa: S307 (the text is made in this file)
    except (Undefined, ZeroDivisionError):
        return None


TRUTHS = ("x", "x*y", "x + y", "x**2", "abs(x)", "relu(x)*y", "abs(x)*y", "log(x)", "sqrt(x)", "1/x", "y/(x*(1 - x))", "x/(1 - x)", "max(x, y)", "exp(x)",
          "min(x, 1)", "log(1 - x)", "x*(1 - y) + y*(1 - x)", "abs(x - 1)", "abs(x - y)", "y/(x - 2)", "sqrt(x**2)", "1/(1 + x)")
REWRITES = ("{0}", "abs({0})", "-abs({0})", "{0}**2", "{0}**3", "1/{0}", "{0}*{0}/{0}", "sqrt({0}**2)", "sqrt({0})**2", "relu({0})", "max({0}, 0)", "-{0}", "min({0}, 1)",
            "clip({0}, 0, 1)", "step({0})", "sign({0})", "exp(log({0}))", "log(exp({0}))", "{0}*abs({0})", "1 - (1 - {0})", "abs({0} - 1) + 2*{0} - 1",
            "{0}/(1 - {0})*(1 - {0})", "{0}*(3 - {0})/2", "max({0}, 1)", "max({0}, 2)", "{0}*sign({0})", "2 - abs({0} - 2)", "({0} + {0}**2)/2", "3*{0}/3")


def questions(count: int, seed: int) -> Iterator[tuple[dict[str, str], str, str]]:
    """(domains of x and y, the truth, an answer): the truth with one or both names written otherwise, which may be right there or not."""
    dice = random.Random(seed)
    for _ in range(count):
        domains = {name: dice.choice(list(DOMAINS)) for name in "xy"}
        truth = dice.choice(TRUTHS)
        spelled = {"x": f"({dice.choice(REWRITES).format('x')})", "y": "y" if dice.random() < 0.6 else f"({dice.choice(REWRITES).format('y')})"}
        answer = "".join(spelled.get(c, c) if c in "xy" and not (truth[k - 1:k].isalpha() or truth[k + 1:k + 2].isalpha()) else c
                         for k, c in enumerate(truth))
        yield domains, truth, answer


def obeying(structure: str, n: int, dice: np.random.Generator) -> np.ndarray:
    """A random matrix of the structure; of one-hot rows n + 1 classes."""
    a = dice.uniform(-2, 2, (n, n))
    if structure == "symmetric":
        return a + a.T
    if structure == "diagonal":
        return np.diag(np.diag(a))
    if structure == "positive definite":
        return a @ a.T + 0.3 * np.eye(n)
    if structure == "orthogonal":
        return np.linalg.qr(a)[0] * np.where(dice.uniform(size=n) < 0.5, -1, 1)
    return np.eye(n + 1)[dice.integers(0, n + 1, n)]


SQUARE = ("S", "S.T", "S@S", "S@S.T", "S.T@S", "S*S", "S*S.T", "inv(S)", "inv(S).T", "inv(S.T)", "diag(diag(S))", "inv(S)@S", "S@S@S.T", "abs(S)",
          "S@inv(S)@S", "sqrt(det(S)**2)*S", "abs(det(S))*S", "det(S)*S", "det(S)*det(S)*S", "S*trace(S)", "log(abs(det(S)))*S", "log(det(S))*S")
ROWS = ("S", "S*S", "S**3", "abs(S)", "relu(S)", "1 - S", "S*(1 - S)", "S*sum(S, axis=1, keepdims=True)", "sum(S, axis=1, keepdims=True)*ones_like(S)", "S@S.T@S",
        "sqrt(S)", "sqrt(S**2)", "S*sum(S**2, axis=1, keepdims=True)", "exp(S) - 1", "S*(exp(1) - 1)", "step(S)", "S*sum(S, axis=0)", "S@(S.T@S)")
NUMPY: Mapping[str, Any] = {
    "inv": np.linalg.inv, "det": np.linalg.det, "diag": np.diag, "trace": np.trace, "abs": np.abs, "sqrt": np.sqrt, "sum": np.sum, "exp": np.exp,
    "log": np.log, "relu": lambda z: np.maximum(z, 0), "step": lambda z: (z > 0) * 1.0, "ones_like": np.ones_like}


def matrix(text: str, s: np.ndarray) -> np.ndarray | None:
    """The value of a matrix formula, or None where it has none."""
    with np.errstate(all="ignore"):
        try:
            found = np.asarray(eval(text, {"__builtins__": {}}, {**NUMPY, "S": s}), dtype=float)  # noqa: S307
        except np.linalg.LinAlgError:
            return None
    return found if np.all(np.isfinite(found)) else None


def matrix_questions(count: int, seed: int) -> Iterator[tuple[str, str, str]]:
    """(a structure, the truth, an answer), both sums and differences of the formulas above."""
    dice = random.Random(seed)
    for _ in range(count):
        structure = dice.choice(("symmetric", "diagonal", "positive definite", "orthogonal", "one-hot"))
        pool = list(ROWS if structure == "one-hot" else SQUARE)
        if structure == "diagonal" or structure == "symmetric":
            pool = [t for t in pool if "inv" not in t and "log" not in t]
        first, second, other = (dice.choice(pool) for _ in range(3))
        yield (structure, first, second) if dice.random() < 0.6 else (structure, f"{first} + {other}", f"{second} + {other}")
