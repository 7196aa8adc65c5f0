"""Slopes where a case changes: the limit where both sides agree, else the convention; against differences in mpmath at 60 digits."""

from __future__ import annotations

import random
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest

import symnet as sn
from symnet.core.verdict import Answer

SMOOTH = {  # lines -> the slope at z = 0, with y = 1/4
    "cross-entropy from logits": (["L = maximum(z, 0) - y*z + log(1 + exp(-abs(z)))"], Fraction(1, 4)),
    "the same, line by line": (["m = maximum(z, 0)", "t = abs(z)", "L = m - y*z + log(1 + exp(-t))"], Fraction(1, 4)),
    "softplus by hand": (["L = relu(z) + log(1 + exp(-abs(z)))"], Fraction(1, 2)),
    "softplus of 2 z": (["w = 2*z", "L = relu(w) + log(1 + exp(-abs(w)))"], Fraction(1)),
    "z in two parts": (["L = maximum(z, 0) + minimum(z, 0)"], Fraction(1)),
    "z in two rectified parts": (["p = relu(z)", "q = relu(-z)", "L = p - q"], Fraction(1)),
    "z by an absolute value": (["L = 2*relu(z) - abs(z)"], Fraction(1)),
    "cases and a minimum": (["L = where(z >= 0, z, 0) + minimum(z, 0)"], Fraction(1)),
    "multiples of one kink": (["v = 3*z", "w = -2*z", "L = relu(v)/3 - relu(w)/2"], Fraction(1)),
    "signed square": (["L = abs(z)*z"], Fraction(0)),
    "squared relu": (["L = relu(z)**2"], Fraction(0)),
    "elu": (["L = where(z > 0, z, exp(z) - 1)"], Fraction(1)),
    "huber": (["L = where(abs(z) <= 1, z**2/2, abs(z) - 1/2)"], Fraction(0)),
    "log cosh by hand": (["L = abs(z) + log(1 + exp(-2*abs(z)))"], Fraction(0)),
}


def at_zero(lines: list[str]) -> Any:
    d = sn.derive(sn.program(*lines), wrt=["z"])
    names = [t.name for t in d.program.inputs]
    return d, {n: {"z": Fraction(0), "y": Fraction(1, 4)}[n] for n in names}


@pytest.mark.parametrize(("lines", "slope"), SMOOTH.values(), ids=SMOOTH)
def test_a_smooth_function_has_its_slope_where_a_case_changes(lines: list[str], slope: Fraction) -> None:
    d, point = at_zero(lines)
    assert Fraction(str(d.at(point).exact("dL_dz"))) == slope
    given = {name: np.float64(value) for name, value in point.items()}
    assert d.compile()(given)[1]["z"] == pytest.approx(float(slope))


KINKS = {"abs": ("abs(z)", 0), "relu": ("relu(z)", 0), "a kink beside a smooth part": ("abs(z) + 3*z", 3), "less than smooth": ("relu(z) - abs(z)", 0)}


@pytest.mark.parametrize(("expr", "slope"), KINKS.values(), ids=KINKS)
def test_a_kink_keeps_its_convention(expr: str, slope: int) -> None:
    d, point = at_zero([f"L = {expr}"])
    assert Fraction(str(d.at(point).exact("dL_dz"))) == slope
    assert not any("both sides" in c for s in d.steps for c in s.conditions)


def test_the_step_says_that_both_sides_agree() -> None:
    d, _ = at_zero(["L = relu(z) + log(1 + exp(-abs(z)))"])
    assert any("z = 0" in c and "both sides" in c for c in d.steps[-1].conditions)
    assert all(s.check().ok for s in d.steps)


def test_an_answer_is_right_at_the_border_too() -> None:
    d, _ = at_zero(["L = maximum(z, 0) - y*z + log(1 + exp(-abs(z)))"])
    assert sn.check("sigmoid(z) - y", d, wrt="z").answer is Answer.PROVED


def test_arrays() -> None:
    program = sn.program("L = sum(maximum(z, 0) - y*z + log(1 + exp(-abs(z))))", tensors={"z": ("n",), "y": ("n",)})
    d = sn.derive(program, wrt=["z"])
    z, y = np.array([0.0, -1.0, 2.0]), np.array([0.25, 0.5, 1.0])
    assert d.compile()({"z": z, "y": y})[1]["z"] == pytest.approx(1 / (1 + np.exp(-z)) - y)
    assert sn.check("sigmoid(z) - y", d, wrt="z").answer is Answer.PROVED


PIECES: list[tuple[str, int, Callable[[Any], Any]]] = [  # text of p, jump of the slope at p = 0, value
    ("relu({p})", 1, lambda p: max(p, 0)), ("relu(-({p}))", 1, lambda p: max(-p, 0)), ("abs({p})", 2, abs), ("maximum({p}, 0)", 1, lambda p: max(p, 0)),
    ("minimum({p}, 0)", -1, lambda p: min(p, 0)), ("where({p} > 0, {p}, 0)", 1, lambda p: max(p, 0)), ("where({p} <= 0, {p}, 0)", -1, lambda p: min(p, 0)),
    ("log(1 + exp(-abs({p})))", -1, lambda p: mpmath.log(1 + mpmath.exp(-abs(p)))), ("abs({p})*({p})", 0, lambda p: abs(p) * p),
    ("relu({p})**2", 0, lambda p: max(p, 0) ** 2), ("maximum(-2*({p}), 0)", 2, lambda p: max(-2 * p, 0)),
]


def smooth_program(dice: random.Random) -> tuple[list[str], Callable[[Any], Any], Fraction]:
    """Pieces whose kinks at one rational place cancel: lines, the function, the place."""
    place, scale = Fraction(dice.randint(-6, 6), dice.randint(1, 4)), dice.choice((1, 1, 2, -1))
    p = f"{scale}*(z - ({place}))" if scale != 1 else f"z - ({place})"
    chosen = [(dice.randrange(len(PIECES)), Fraction(dice.choice([k for k in range(-4, 5) if k]), dice.randint(1, 3))) for _ in range(dice.randint(1, 3))]
    jump = sum(c * PIECES[k][1] for k, c in chosen)
    last = dice.choice([k for k, piece in enumerate(PIECES) if piece[1]])
    chosen.append((last, -jump / PIECES[last][1]))
    chosen = [(k, c) for k, c in chosen if c] or [(8, Fraction(1))]
    tail = dice.choice(("0*z", "z**2", "sin(z)", "tanh(z)*z"))
    named = dice.random() < 0.5
    lines = [f"t{i} = {PIECES[k][0].format(p=p)}" for i, (k, _) in enumerate(chosen)] if named else []
    terms = [f"({c})*{f't{i}' if named else PIECES[k][0].format(p=p)}" for i, (k, c) in enumerate(chosen)]
    smooth = {"0*z": lambda z: 0 * z, "z**2": lambda z: z * z, "sin(z)": mpmath.sin, "tanh(z)*z": lambda z: mpmath.tanh(z) * z}[tail]

    def value(z: Any) -> Any:
        u = scale * (z - mpmath.mpf(place.numerator) / place.denominator)
        return sum((mpmath.mpf(c.numerator) / c.denominator * PIECES[k][2](u) for k, c in chosen), smooth(z))
    return [*lines, "L = " + " + ".join([*terms, tail])], value, place


def off_at_kinks(count: int, seed: int) -> list[str]:
    dice, found = random.Random(seed), []
    for _ in range(count):
        lines, value, place = smooth_program(dice)
        d = sn.derive(sn.program(*lines), wrt=["z"])
        with mpmath.workdps(60):
            z, h = mpmath.mpf(place.numerator) / place.denominator, mpmath.mpf(10) ** -20
            right = (value(z + h) - value(z - h)) / (2 * h)
            got = mpmath.mpf(d.at({"z": place}).ball("dL_dz", 128).mid().str(35, radius=False))
            if abs(got - right) > mpmath.mpf(10) ** -12:
                found.append(f"{lines} at z = {place}: {mpmath.nstr(got, 8)}, right is {mpmath.nstr(right, 8)}")
    return found


def test_random_smooth_programs_at_their_kinks() -> None:
    assert off_at_kinks(100, seed=3) == []


@pytest.mark.slow
def test_a_thousand_random_smooth_programs_at_their_kinks() -> None:
    assert off_at_kinks(1000, seed=4) == []


JUMPS = {  # the line, and the same in PyTorch: where a line jumps, each gradient is that of the case that holds there
    "where(x >= 1, where(x <= 1, 3*a, 0), 0)": lambda t, x, a: t.where(x >= 1, t.where(x <= 1, 3*a, 0*a), 0*a),
    "where(x >= 1, 2*a, a) - where(x > 1, 2*a, a)": lambda t, x, a: t.where(x >= 1, 2*a, a) - t.where(x > 1, 2*a, a),
    "where(x <= 1, a*x, 0)*where(x >= 1, a, 5)": lambda t, x, a: t.where(x <= 1, a*x, 0*a)*t.where(x >= 1, a, 0*a + 5),
    "where(x - 1 >= 0, a, 0)*where(2 - 2*x >= 0, a*x, 0)": lambda t, x, a: t.where(x - 1 >= 0, a, 0*a)*t.where(2 - 2*x >= 0, a*x, 0*a),
}


@pytest.mark.parametrize("text", JUMPS)
def test_at_a_jump_the_case_that_holds_there_counts(text: str) -> None:
    torch = pytest.importorskip("torch")
    d = sn.derive(sn.program("a = cos(w)", f"L = {text} + 0*x"), wrt=["w", "x"])
    assert all(d.check())
    for x in (0.5, 1.0, 1.5):
        w_, x_ = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (0.4, x))
        (JUMPS[text](torch, x_, torch.cos(w_)) + 0*x_).backward()
        _, grads = d.compile()({"w": 0.4, "x": x})
        assert float(grads["w"]) == pytest.approx(float(w_.grad), abs=1e-12), x
        assert float(grads["x"]) == pytest.approx(float(x_.grad), abs=1e-12), x


@pytest.mark.parametrize("lines", [
    ["a = where(x > 0, where(1/x > 2, w, 0), 0)", "L = a + relu(x)*w"], ["a = where(x > 0, log(x)*w, 0)", "L = a*where(x > 0, where(log(x) > 1, w, 2), 3)"],
    ["a = where(x >= 1, where(sqrt(x) > 0, w, 1), 0)", "L = a + relu(x - 1)"],
], ids=["1/x", "log x", "root of x"])
def test_a_line_without_a_value_at_the_border_of_its_case_is_derived(lines: list[str]) -> None:
    d = sn.derive(sn.program(*lines), wrt=["w", "x"])
    w, x, h = 0.7, 0.25, 1e-6  # inside of the first case, or outside of the last
    f = d.compile()
    _, grads = f({"w": w, "x": x})
    for name in ("w", "x"):
        up, down = (f({**{"w": w, "x": x}, name: {"w": w, "x": x}[name] + step})[0] for step in (h, -h))
        assert float(grads[name]) == pytest.approx((up - down) / (2 * h), rel=1e-6, abs=1e-9)
