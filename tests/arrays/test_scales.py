"""Compiled values and slopes of losses made of exponentials beside 50 and more digits (mpmath), from inputs of 1e-20 to far beyond the range of exp:
nothing is NaN, and each slope has eight digits, or fifteen places beside the largest."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from typing import Any

import mpmath as mp
import numpy as np
import pytest

import symnet as sn

SCALES = (1e-20, 1.0, 20.0, 40.0, 600.0)
P, Q, O = "p = softmax(z)", "q = softmax(x)", "p = exp(z)/(1+sum(exp(z)))"
ROWS: Sequence[tuple[str, ...]] = (  # z and x of any sign, y positive
    (P, "L = sum(y*p/(1-p))"), (P, "L = sum(y*p*log(1-p))"), (P, "L = sum(y*log(p/(1-p)))"), (P, "L = sum(y*log(1-p))"),
    (P, "L = -sum(y*log(p) + (1-y)*log(1-p))"), ("p = softmax(2*z)", "L = -sum(y*log(1-p))"), (P, "L = 1/(1-sum(p**2))"),
    (P, "L = log(1 - sum(p*sigmoid(y)))"), (P, "L = -(1 - sum(y*p)/4)**2*log(sum(y*p))"), (P, "L = sum(y*sqrt(p))"), (P, "L = sum(sqrt(p*y))**2"),
    ("o = sum(exp(z)) - exp(z)", "L = sum(y*log(o))"), ("o = sum(exp(z)) - exp(z)", "L = sum(y*exp(z)/o)"),
    ("L = sum(softmax(z)*softmax(y*z))",), ("L = sum(softmax(z)/softmax(y*z))",),
    ("L = (2+sum(y*exp(z)))/(3+sum(exp(z)))",), ("L = log(sum(exp(z))+sum(exp(x)))",), ("L = log(sum(y*exp(z))+sum(exp(x)))",),
    ("L = sum(exp(z))/(sum(exp(z))+sum(exp(x)))",), ("L = log(1+sum(y*exp(z)))",), ("L = log(sum(exp(y*softmax(z))))",),
    ("L = sum(y*exp(z))**2/sum(exp(2*z))",), ("L = sqrt(sum(exp(z)))/sum(exp(z/2))",), ("L = sum(exp(z)*exp(x))/sum(exp(z+x))",),
    ("l = log_softmax(z)", "p = exp(l)", "L = -sum(y*log(1-p))"), ("L = sum(y*log((1+tanh(z/4))/(1-tanh(z/4)))/2)",),
    ("L = log(1+sum((1+exp(z))**2))",), ("L = log(1+sum((exp(z)/exp(z+1))**2))",), ("L = log(3+sum((y+exp(z))**2))",),
    ("L = sum(log(1/(1+exp(-z-1))))",), ("L = sum(1/(2+exp(-2*z-1)))",),
    (P, "L = log(p[1]) - log(1-p[1])"), (P, "L = log(p[1]) - log(p[n])"), (P, "L = p[1]*log(p[1]) + (1-p[1])*log(1-p[1])"), (P, "L = 1/(1-p[1])"),
    (O, "L = sum(y*log(1-p))"), (O, "L = sum(y*p/(1-p))"), (O, "L = log(1-sum(p))"), (O, "L = log(p[1]) - log(1-p[1])"),
    ("p = exp(z)/(sum(exp(x))+sum(exp(z)))", "L = sum(y*log(1-p))"), ("m = max(z)", "e = exp(z-m)", "p = e/sum(e)", "L = sum(y*log(1-p))"),
    (P, "q = p**2/sum(p**2)", "L = sum(y*log(q))"), ("L = log(1-mean(sigmoid(z)))",), ("v = sigmoid(z)", "m = mean(v)", "L = log(1-m)+log(m)"),
    (P, "L = sum((1-sigmoid(z))*exp(z))/sum(y*p)"), ("L = sum(log(sinh(y)**2))*sum(y)",), (P, Q, "L = sum(p*log(p/q))"),
)


def _vector(f: Any) -> Any:
    return lambda a: np.vectorize(f, otypes=[object])(a) if isinstance(a, np.ndarray) else f(a)


EXP = _vector(mp.exp)
LANGUAGE = {"exp": EXP, "log": _vector(mp.log), "sqrt": _vector(mp.sqrt), "sinh": _vector(mp.sinh), "sum": np.sum, "softplus": _vector(lambda u: mp.log1p(mp.exp(u))),
            "erf": _vector(lambda u: 1 - mp.erfc(u) if u > 0 else mp.erfc(-u) - 1),
            "sigmoid": _vector(lambda u: 1 / (1 + mp.exp(-u))), "softmax": lambda a: EXP(a) / np.sum(EXP(a)), "tanh": _vector(mp.tanh),
            "mean": np.mean, "max": np.max, "log_softmax": lambda a: a - mp.log(np.sum(EXP(a)))}


def _value(lines: Sequence[str], at: dict[str, Any]) -> Any:
    space: dict[str, Any] = {**LANGUAGE, **at}
    for line in lines:
        name, text = line.split(" = ")
        space[name] = eval(text.replace("[1]", "[0]").replace("[n]", "[-1]"), space)  # noqa: S307 - a line of this file
    return space["L"]


def _slopes(lines: Sequence[str], at: dict[str, Any], name: str) -> Iterator[Any]:
    h = mp.mpf(10) ** (-mp.mp.dps // 3)
    for i in range(len(at[name])):
        ends = []
        for sign in (1, -1):
            moved = at[name].copy()
            moved[i] += sign * h
            ends.append(_value(lines, {**at, name: moved}))
        yield (ends[0] - ends[1]) / (2 * h)


def _points(names: Sequence[str], rng: np.random.Generator, scales: Sequence[float]) -> Iterator[tuple[float, dict[str, Any]]]:
    for scale in scales:
        yield scale, {n: rng.uniform(0.1, 2, size=3).round(3) if n == "y" else scale * rng.choice([-1.0, 0.0, 0.5, 1.0], size=3) for n in names}
        yield scale, {n: rng.uniform(0.1, 2, size=3).round(3) if n == "y" else scale * rng.uniform(-1, 1, size=3) for n in names}


@pytest.mark.parametrize("lines", ROWS, ids=lambda lines: "; ".join(lines))
def test_values_and_slopes_keep_their_digits(lines: tuple[str, ...]) -> None:
    names, f = _compiled(lines)
    _keeps_its_digits(lines, names, f, SCALES)


def _compiled(lines: Sequence[str]) -> tuple[list[str], Any]:
    names = [n for n in "zxy" if any(re.search(rf"\b{n}\b", line) for line in lines)]
    return names, sn.derive(sn.program(*lines, tensors=dict.fromkeys(names, ("n",))), wrt=names).compile()


def _keeps_its_digits(lines: Sequence[str], names: list[str], f: Any, scales: Sequence[float]) -> None:
    for scale, at in _points(names, np.random.default_rng(5), scales):
        with mp.workdps(int(120 + 3 * scale)):
            exact = {n: np.array([mp.mpf(float(v)) for v in a], dtype=object) for n, a in at.items()}
            found, grads = f.value_and_grad(**at)
            truth = {"L": [_value(lines, exact)]} | {n: list(_slopes(lines, exact, n)) for n in names}
            if any(abs(w) > 1e150 for wanted in truth.values() for w in wanted):  # their squares are beyond the range
                continue
            for name, wanted in truth.items():
                slack = 2e-15 * max(4, scale) * max([1, *(abs(w) for w in wanted)])  # e^(u - log S) has an error of u's last place
                for got, want in zip(np.ravel([found] if name == "L" else grads[name]), wanted, strict=True):
                    assert abs(mp.mpf(float(got)) - want) <= 1e-8 * abs(want) + slack, (scale, name, at)


# spellings of what is between 0 and 1, and what losses make of it: drawn together
BETWEEN = ((P,), ("p = softmax(-z)",), ("p = softmax(2*z)",), ("p = exp(z)/sum(exp(z))",), (O,), ("m = max(z)", "e = exp(z-m)", "p = e/sum(e)"),
           ("q = softmax(z)", "p = q**2/sum(q**2)"), ("l = log_softmax(z)", "p = exp(l)"), ("p = sigmoid(z)",), ("p = 1/(1+exp(-z))",),
           ("p = (1+tanh(z))/2",), ("p = exp(z)/(exp(z)+1)",), ("p = 1 - sigmoid(z)",), ("p = (1+erf(z/2))/2",), ("e = exp(z)", "p = e/(1+e)"),
           ("p = 1 - exp(-softplus(z))",), ("p = softmax(z+x)",), ("p = sigmoid(z)*sigmoid(x)",), ("p = softmax(z)*sigmoid(x)",))
USES = ("log(p)", "log(1-p)", "p*log(p)", "(1-p)*log(1-p)", "1/(1-p)", "1/p", "p/(1-p)", "(1-p)**2*log(p)", "p", "p**2", "p*(1-p)", "log(p/(1-p))",
        "sqrt(p)", "sqrt(1-p)", "log(1+p)", "exp(p)", "log(2-p)")


def _drawn(seed: int) -> tuple[str, ...]:
    r = random.Random(seed)
    first, second = (r.choice(USES) for _ in range(2))
    here, there = (re.sub(r"\bp\b", "p[1]", text) for text in (first, second))
    loss = r.choice([f"sum(y*({first}))", f"sum(y*({first}))", f"sum(y*({first}) + (1-y)*({second}))", here, f"{here} - {there}", "log(1-mean(p))",
                     f"sum(y*({first}))**2"])
    return (*r.choice(BETWEEN), f"L = {loss}")


@pytest.mark.parametrize("share", range(12))
def test_a_drawn_spelling_keeps_its_digits_or_its_caveats_say_so(share: int, request: pytest.FixtureRequest) -> None:
    for seed in range(share, 300 if request.config.getoption("--whole") else 12, 12):
        lines = _drawn(seed)
        names, f = _compiled(lines)
        if not f.caveats:
            with np.errstate(all="ignore"):
                _keeps_its_digits(lines, names, f, (1.0, 20.0, 40.0, 300.0))


@pytest.mark.parametrize("lines", [
    ("Z = X@W", "P = softmax(Z, axis=1)", "L = -sum(Y*log(1-P))"), ("P = softmax(X@W, axis=1)", "L = -sum(Y*log(1-P))"),
    ("L = -sum(Y*log(1-softmax(X@W, axis=1)))",)], ids="; ".join)
@pytest.mark.parametrize("z", [10.0, 20.0, 40.0, 300.0])
def test_a_slope_that_keeps_its_digits_keeps_them_in_the_lines_that_use_it(z: float, lines: tuple[str, ...]) -> None:
    program = sn.program(*lines, tensors={"X": ("n", "d"), "W": ("d", "k"), "Y": ("n", "k")})
    _, grads = sn.derive(program, wrt=["X", "W"]).compile().value_and_grad(X=[[z, -z]], W=np.eye(2), Y=[[1.0, 0.0]])
    p = 1 / (1 + np.exp(-2 * z))  # the slope by Z is (p, -p)
    assert grads["X"] == pytest.approx(np.array([[p, -p]]), rel=1e-12)
    assert grads["W"] == pytest.approx(z * np.array([[p, -p], [-p, p]]), rel=1e-12)


@pytest.mark.parametrize(("text", "value", "slope"), [
    ("log(sinh(u)/u)", lambda u: np.log(np.sinh(u) / u), lambda u: 1 / np.tanh(u) - 1 / u),
    ("log(tanh(u)/tanh(u/2))", lambda u: np.log(np.tanh(u) / np.tanh(u / 2)), lambda u: 2 / np.sinh(2 * u) - 1 / np.sinh(u)),
    ("log((exp(u)-1)/u)", lambda u: np.log((np.exp(u) - 1) / u), lambda u: np.exp(u) / (np.exp(u) - 1) - 1 / u),
    ("log(u*(exp(2*u)-exp(u)))", lambda u: np.log(u * (np.exp(2 * u) - np.exp(u))), lambda u: 1 / u + 1 + np.exp(u) / (np.exp(u) - 1)),
])
def test_two_factors_that_are_negative_have_a_logarithm(text: str, value: Any, slope: Any) -> None:
    f = sn.derive(sn.program(f"L = sum({text})", tensors={"u": ("n",)}), wrt=["u"]).compile().value_and_grad
    u = np.array([-1.58, -0.39, 1.07])
    with np.errstate(all="raise"):
        found, grads = f(u=u)
    assert float(found) == pytest.approx(value(u).sum(), rel=1e-12)
    assert grads["u"] == pytest.approx(slope(u), rel=1e-9)


@pytest.mark.parametrize(("lines", "told"), [
    (("p = softmax(z)", "L = -sum(y*log(p))"), ()), (("p = softmax(z)", "L = sum(y*p/(1-p))"), ()), (("L = log(1+sum(y*exp(z)))",), ()),
    (("L = sum(exp(z)) - sum(exp(y))",), ("L: an exponential is taken from another, or divided by it; where both leave the range of the "
                                          "numbers it is not a number",)),
    (("p = exp(z)/(1+sum(exp(z)))", "L = sum(y*log(1-p))"), ()),
    (("p = softmax(z)", "L = log(1-max(p))"), tuple(
        f"{name}: a share is taken from a number, or from another; where they are nearly equal, digits are lost" for name in ("L", "dL_dmax_p"))),
])
def test_what_no_rule_could_write_is_told(lines: tuple[str, ...], told: tuple[str, ...]) -> None:
    assert sn.derive(sn.program(*lines, tensors={"z": ("n",), "y": ("n",)}), wrt=["z", "y"]).compile().caveats == told
