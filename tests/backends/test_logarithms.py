"""Logarithms, roots and powers of what may be negative in parts: the compiled value is that of Python's own floats, the slope that of differences."""

from __future__ import annotations

import math
import random
import re
from typing import Any

import numpy as np
import pytest

import symnet as sn

MATHS: dict[str, Any] = vars(math) | {"sigmoid": lambda u: 1 / (1 + math.exp(-u)), "softplus": lambda u: math.log1p(math.exp(u)), "abs": abs, "ln": math.log}
ROWS = [
    ("log(2+sinh(a))", "a=-1"), ("log(2+sinh(a))", "a=-0.3"), ("log(tanh(a)-tanh(c))", "a=2 c=1"), ("log(2+tanh(c)-tanh(a))", "a=2 c=1"),
    ("log(1+(exp(c)-exp(a))/20)", "a=1.84 c=0.57"), ("log(1+sigmoid(a)*(exp(b)-1))", "a=0.17 b=-1.23"), ("log(-a*tanh(b))", "a=-1 b=0.3"),
    ("log(1-(1-exp(b))*sigmoid(a))", "a=0.3 b=-0.2"), ("log1p(expm1(b)*cosh(a))", "a=0.17 b=-1.23"), ("log(sinh(a)-sinh(c))", "a=2 c=1"),
    ("log(tanh(a)*tanh(b))", "a=-2 b=-0.5"), ("log((1-exp(-a))*(1-exp(-b)))", "a=-1 b=-2"), ("log((exp(a)-exp(b))/(a-b))", "a=1 b=2"),
    ("log((1-2*sigmoid(c))*b)", "c=1 b=-0.2"), ("log(1+sinh(a)*tanh(c))", "a=-0.82 c=-2.1"), ("log(cosh(a)+sinh(b))", "a=0.9 b=-0.2"),
    ("(tanh(a)*tanh(c))**b", "a=-1 c=-2 b=0.5"), ("((exp(a)-1)/a)**b", "a=-1 b=0.5"), ("log((1-exp(c))/cosh(a))", "a=0.3 c=-1"),
    ("log((1-exp(c))/(1+exp(a)))", "a=0.3 c=-1"), ("sqrt(sinh(a)/a)", "a=-1"), ("log(abs(exp(a)-exp(b)))", "a=-1 b=0.4"),
]


def _value(text: str, at: dict[str, float]) -> Any:
    return eval(text.replace("^", "**"), MATHS | at)  # noqa: S307 - a text of this file


def _slope(text: str, at: dict[str, float], name: str) -> float:
    ends = [_value(text, {**at, name: at[name] + h}) for h in (1e-5, -1e-5)]
    return float((ends[0] - ends[1]) / 2e-5)


def _agrees(text: str, at: dict[str, float], vectors: bool) -> None:
    shape = ("n",) if vectors else ()
    f = sn.derive(sn.program(f"L = sum({text})" if vectors else f"L = {text}", tensors=dict.fromkeys(at, shape)), wrt=list(at)).compile()
    with np.errstate(all="ignore"):
        found, grads = f.value_and_grad(**{k: np.array([v]) if vectors else v for k, v in at.items()})
    assert float(found) == pytest.approx(_value(text, at), rel=1e-9, abs=1e-9), text
    for name in at:
        assert float(np.ravel(grads[name])[0]) == pytest.approx(_slope(text, at, name), rel=1e-4, abs=1e-4), (text, name)


@pytest.mark.parametrize("vectors", [False, True], ids=["numbers", "vectors"])
@pytest.mark.parametrize(("text", "point"), ROWS)
def test_a_part_may_be_negative(text: str, point: str, vectors: bool) -> None:
    _agrees(text, {k: float(v) for k, v in (p.split("=") for p in point.split())}, vectors)


def _drawn(r: random.Random, depth: int = 0) -> str:
    kind = r.randrange(6)
    if depth > 2 or kind == 0:
        return r.choice(["{}", "exp({})", "exp(-{})", "tanh({})", "sigmoid({})", "sinh({})", "cosh({})", "softplus({})"]).format(r.choice("abc"))
    first, second = _drawn(r, depth + 1), _drawn(r, depth + 1)
    return [f"({first}+{second})", f"({first}-{second})", f"{first}*{second}", f"({r.choice([1, 2, 3])}-{first})", f"{first}/({second})"][kind - 1]


@pytest.mark.parametrize("seed", range(60))
def test_drawn_logarithms_roots_and_powers(seed: int) -> None:
    r = random.Random(seed)
    for _ in range(200):  # until one is drawn that has a value and slopes
        text = r.choice(["log({})", "log(2+{})", "sqrt({})", "({})**c", "({})^c", "ln(({})*({}))"]).format(_drawn(r), _drawn(r))
        at = {k: round(r.uniform(-2, 2), 2) for k in sorted(set(re.findall(r"\b[abc]\b", text)))}
        try:
            known = [_value(text, at), *[_slope(text, at, k) for k in at]]
        except (ValueError, ArithmeticError, TypeError):  # outside of its domain, or complex
            continue
        if at and all(isinstance(v, float) and abs(v) < 1e6 for v in known):
            return _agrees(text, at, vectors=False)
    pytest.fail("no expression with a value")
