"""Slopes that a step, a relu, a min, a max or a case switches off are 0 however large the exponential beside them is."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import mpmath
import numpy as np
import pytest

import symnet as sn

POINTS = (-1e4, -700.0, -100.0, -3.0, -0.25, 0.4, 1.5, 90.0, 100.0, 720.0, 1e4)
Slope = Callable[[mpmath.mpf], mpmath.mpf]
exp = mpmath.exp
SPELLINGS: dict[str, tuple[tuple[str, ...], Slope]] = {
    "elu of the paper": (("a = max(z, 0) + min(0, exp(z) - 1)",), lambda z: 1 if z > 0 else exp(z)),
    "elu, the exponential by name": (("E = exp(z)", "a = max(0, z) + min(0, E - 1)"), lambda z: 1 if z > 0 else exp(z)),
    "elu, the difference by name": (("m = exp(z) - 1", "a = relu(z) + min(m, 0)"), lambda z: 1 if z > 0 else exp(z)),
    "elu as minus a relu": (("a = relu(z) - relu(1 - exp(z))",), lambda z: 1 if z > 0 else exp(z)),
    "selu": (("a = 1.05*(max(0, z) + min(0, 1.67*(exp(z) - 1)))",),
             lambda z: mpmath.mpf(21)/20 if z > 0 else mpmath.mpf(21)/20*mpmath.mpf(167)/100*exp(z)),
    "celu": (("a = max(0, z) + min(0, 2*(exp(z/2) - 1))",), lambda z: 1 if z > 0 else exp(z/2)),
    "a ceiling": (("a = min(exp(z), 5)",), lambda z: exp(z) if exp(z) < 5 else 0),
    "a ceiling, by name": (("E = exp(z)", "a = min(5, E)"), lambda z: exp(z) if exp(z) < 5 else 0),
    "clip": (("a = clip(exp(z), 0.5, 2)",), lambda z: exp(z) if 0.5 < exp(z) < 2 else 0),
    "clip by name, squared": (("E = exp(z)", "c = clip(E, 0.5, 2)", "a = c**2"), lambda z: 2*exp(2*z) if 0.5 < exp(z) < 2 else 0),
    "two ceilings": (("a = min(exp(z), 3)*min(exp(z), 2)",),
                     lambda z: 2*exp(2*z) if exp(z) < 2 else 2*exp(z) if exp(z) < 3 else 0),
    "a ceiling for cosh": (("a = min(cosh(z), 3)",), lambda z: mpmath.sinh(z) if mpmath.cosh(z) < 3 else 0),
    "a hinge, squared": (("a = relu(2 - exp(z))**2",), lambda z: -2*exp(z)*(2 - exp(z)) if exp(z) < 2 else 0),
    "the smaller of two": (("a = min(z, exp(z) - 10)",), lambda z: exp(z) if exp(z) - 10 < z else 1),
    "a gate": (("a = relu(z)*exp(-z)",), lambda z: exp(-z)*(1 - z) if z > 0 else 0),
    "a step": (("a = step(-z)*exp(z)",), lambda z: exp(z) if z < 0 else 0),
    "a case times an exponential": (("a = where(z > 0, 0, 1)*exp(z)",), lambda z: exp(z) if z < 0 else 0),
    "a case the other way": (("a = where(z < 0, z, 0)*exp(z)",), lambda z: exp(z)*(1 + z) if z < 0 else 0),
}


@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")
@pytest.mark.parametrize(("spelling", "width"), list(product(SPELLINGS, ("float64", "float32"))))
def test_a_slope_that_is_switched_off_is_0(spelling: str, width: str) -> None:
    lines, slope = SPELLINGS[spelling]
    derivation = sn.derive(sn.program(*lines, "L = sum(a)", tensors={"z": ("n",)}), ["z"])
    _, found = derivation.compile(dtype=width)({"z": np.array(POINTS, dtype=width)})
    with mpmath.workdps(50):
        wanted = [slope(mpmath.mpf(float(np.dtype(width).type(z)))) for z in POINTS]
        largest = float(np.finfo(width).max)
        exact = np.array([float(w) if abs(w) < largest else np.inf for w in wanted])
    np.testing.assert_allclose(found["z"], exact, rtol=1e-12 if width == "float64" else 2e-5, atol=1e-37)


@pytest.mark.parametrize("spelling", ["a = max(z, 0) + min(0, exp(z) - 1)", "a = min(exp(z), 5)", "a = relu(z)*exp(-z)"])
def test_a_nan_stays(spelling: str) -> None:
    value, found = sn.derive(sn.program(spelling, "L = sum(a)", tensors={"z": ("n",)}), ["z"]).compile()({"z": np.array([np.nan, -1.0])})
    assert np.isnan(value)
    assert np.isnan(found["z"][0])
    assert np.isfinite(found["z"][1])


def test_what_has_a_pole_where_it_is_off_stays_finite() -> None:
    """z/(e^z - 1), switched off for z < 1: nothing is taken at the pole."""
    derivation = sn.derive(sn.program("a = relu(z - 1)*exp(z)/(exp(z) - 1)", "L = sum(a)", tensors={"z": ("n",)}), ["z"])
    _, found = derivation.compile()({"z": np.array([-2.0, 0.5, 3.0])})
    grown = np.exp(3.0)
    np.testing.assert_allclose(found["z"], [0, 0, grown/(grown - 1) - 2*grown/(grown - 1)**2], rtol=1e-12)


@pytest.mark.parametrize("line", ["a = relu(z)*w", "a = tanh(z)*step(w)", "a = max(z, w) + exp(z)"])
def test_other_lines_stay_as_they_are(line: str) -> None:
    derivation = sn.derive(sn.program(line, "L = sum(a)", tensors={"z": ("n",), "w": ("n",)}))
    assert "where" not in derivation.compile().source.partition("def compute")[2]


def test_a_switch_may_hold_a_sum_over_the_letter_of_the_sum_that_it_switches() -> None:
    v = np.array([0.5, -0.4, 0.75, 1.25])
    d = sn.derive(sn.program("L = maximum(sum(c*expm1(v[i]) for i in 1..4), 1)", tensors={"c": (), "v": (4,)}), wrt=["c"])
    for c in (0.125, 1.5):
        value, grads = d.compile()({"c": c}, v=v)
        assert value == max(c * np.expm1(v).sum(), 1) and grads["c"] == (np.expm1(v).sum() if value > 1 else 0)
