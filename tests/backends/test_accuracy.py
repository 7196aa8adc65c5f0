"""Compiled values and gradients against mpmath, whatever the spelling: within 4 ulp at 0, tiny, large and huge inputs, in both widths.

The oracle is the naive formula in 1,200-digit arithmetic (and its numerical derivative), never symnet's own evaluator. Nothing may
warn: overflow, division by zero and invalid operations raise; underflow is allowed, and below the normal numbers the error is absolute.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import mpmath
import numpy as np
import pytest

import symnet as sn
from symnet.backends.dialects import library_source
from symnet.backends.running import function_of

DIGITS = 1200
POINTS = (0.0, 1e-20, -1e-20, 0.3, -0.7, 1.0, -2.5, 20.0, -20.0, 40.0, -40.0, 745.0, -745.0, 1e4, -1e4)
ULP = 4
M = mpmath


@dataclass(frozen=True)
class Row:
    """A program in z (a number, or the vector that ``of`` makes of a point) and what it should compute, in mpmath."""

    lines: tuple[str, ...]
    oracle: Callable[..., Any]
    data: Mapping[str, Any] = field(default_factory=dict)
    of: Callable[[float], list[float]] | None = None
    points: tuple[float, ...] = POINTS
    tensors: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ulp: float = ULP
    slopes: bool = True


def sg(z: Any) -> Any:
    return 1 / (1 + M.exp(-z))


def sp(z: Any) -> Any:
    return M.log(1 + M.exp(z))


def lse(zs: Any) -> Any:
    return M.log(sum(M.exp(z) for z in zs))


def scalar(oracle: Callable[[Any], Any], *lines: str, **more: Any) -> Row:
    return Row(lines, oracle, **more)


def vector(oracle: Callable[[Any], Any], *lines: str, **more: Any) -> Row:
    return Row(lines, oracle, of=lambda t: [t, 1.0, 0.0], tensors={"z": ("K",), "y": ("K",)}, **more)


def bce(y: float) -> Callable[[Any], Any]:
    return lambda z: -(y * M.log(sg(z)) + (1 - y) * M.log(1 - sg(z))) if 0 < y < 1 else sp(-z) if y else sp(z)


GROWS = tuple(p for p in POINTS if p < 80)
SMALL = tuple(p for p in POINTS if abs(p) < 80)
NEGATIVE = tuple(p for p in POINTS if p < 0)
POSITIVE = tuple(p for p in POINTS if p > 0)
ONE_HOT = {"y": [1.0, 0.0, 0.0]}
ROWS: dict[str, Row] = {
    # sigmoid
    "sigmoid": scalar(sg, "L = sigmoid(z)"),
    "sigmoid as a quotient": scalar(sg, "L = 1/(1 + exp(-z))"),
    "sigmoid, other quotient": scalar(sg, "L = exp(z)/(1 + exp(z))"),
    "sigmoid by tanh": scalar(sg, "L = 0.5*(1 + tanh(z/2))"),
    "sigmoid by tanh, in steps": scalar(sg, "h = z/2", "t = tanh(h)", "L = (1 + t)/2"),
    "sigmoid by two exponentials": scalar(sg, "u = exp(z/2)", "v = exp(-z/2)", "L = u/(u + v)"),
    "sigmoid in steps": scalar(sg, "q = exp(-z)", "d = 1 + q", "L = 1/d"),
    "sigmoid by one minus": scalar(sg, "L = 1 - 1/(1 + exp(z))"),
    "sigmoid by a negative power": scalar(sg, "L = (1 + exp(-z))**(-1)"),
    "one minus a sigmoid": scalar(lambda z: sg(-z), "a = sigmoid(z)", "L = 1 - a"),
    "slope of a sigmoid": scalar(lambda z: sg(z) * sg(-z), "a = 1/(1 + exp(-z))", "L = a*(1 - a)"),
    "a minus a squared": scalar(lambda z: sg(z) * sg(-z), "a = sigmoid(z)", "L = a - a**2"),
    "two sigmoid minus one": scalar(lambda z: M.tanh(z / 2), "L = 2*sigmoid(z) - 1"),
    "odds": scalar(lambda z: M.exp(z), "a = sigmoid(z)", "L = a/(1 - a)", points=GROWS),
    # log sigmoid
    "log sigmoid": scalar(lambda z: -sp(-z), "L = log(sigmoid(z))"),
    "log of a named sigmoid": scalar(lambda z: -sp(-z), "a = 1/(1 + exp(-z))", "L = log(a)"),
    "log of one minus a": scalar(lambda z: -sp(z), "a = sigmoid(z)", "L = log(1 - a)"),
    "log of one minus a, in steps": scalar(lambda z: -sp(z), "a = sigmoid(z)", "b = 1 - a", "L = log(b)"),
    "logit of a sigmoid": scalar(lambda z: z, "a = sigmoid(z)", "L = log(a/(1 - a))"),
    "logit as a difference": scalar(lambda z: z, "a = sigmoid(z)", "L = log(a) - log(1 - a)"),
    "softplus": scalar(sp, "L = softplus(z)"),
    "log(1 + exp(z))": scalar(sp, "L = log(1 + exp(z))"),
    "log1p(exp(z))": scalar(sp, "L = log1p(exp(z))"),
    "softplus in steps": scalar(sp, "q = exp(z)", "s = 1 + q", "L = log(s)"),
    "softplus from minus z": scalar(sp, "L = z + log(1 + exp(-z))"),
    "logistic loss": scalar(lambda z: sp(-2 * z), "L = log(1 + exp(-y*z))", data={"y": 2.0}),
    "logistic loss of a score": scalar(lambda z: sp(2 * z), "s = z*w", "L = log(1 + exp(-y*s))", data={"y": -1.0, "w": 2.0}),
    "log of an average of exponentials": scalar(lambda z: M.log((1 + M.exp(z)) / 2), "L = log((1 + exp(z))/2)"),
    "log of a sigmoid and a little": scalar(lambda z: M.log(sg(z) + M.mpf("0.001")), "a = sigmoid(z)", "L = log(a + 0.001)"),
    # binary cross-entropy
    "bce, y = 1": scalar(bce(1), "a = 1/(1 + exp(-z))", "L = -(y*log(a) + (1 - y)*log(1 - a))", data={"y": 1.0}),
    "bce, y = 0": scalar(bce(0), "a = 1/(1 + exp(-z))", "L = -(y*log(a) + (1 - y)*log(1 - a))", data={"y": 0.0}),
    "bce, y = 1/4": scalar(bce(0.25), "a = sigmoid(z)", "L = -y*log(a) - (1 - y)*log(1 - a)", data={"y": 0.25}),
    "bce by tanh": scalar(bce(1), "a = (1 + tanh(z/2))/2", "L = -y*log(a) - (1 - y)*log(1 - a)", data={"y": 1.0}),
    "bce, three names": scalar(bce(1), "q = exp(-z)", "a = 1/(1 + q)", "l1 = log(a)", "l2 = log(1 - a)", "L = -(y*l1 + (1 - y)*l2)",
                               data={"y": 1.0}),
    "bce from logits": scalar(bce(1), "L = log(1 + exp(z)) - y*z", data={"y": 1.0}, points=tuple(p for p in POINTS if p < 20)),
    "mse of a sigmoid": scalar(lambda z: (1 - sg(z)) ** 2, "a = sigmoid(z)", "L = (a - y)**2", data={"y": 1.0}),
    "mse of a tanh": scalar(lambda z: (1 - M.tanh(z)) ** 2, "a = tanh(z)", "L = (a - y)**2", data={"y": 1.0}),
    "focal loss": scalar(lambda z: sg(-z) ** 2 * sp(-z), "p = sigmoid(z)", "L = -(1 - p)**2*log(p)"),
    "focal loss, with targets": scalar(lambda z: sg(-z) ** 2 * sp(-z), "p = 1/(1 + exp(-z))",
                                       "L = -y*(1 - p)**2*log(p) - (1 - y)*p**2*log(1 - p)", data={"y": 1.0}),
    # hyperbolic
    "tanh": scalar(M.tanh, "L = tanh(z)"),
    "tanh as a quotient": scalar(M.tanh, "L = (exp(z) - exp(-z))/(exp(z) + exp(-z))"),
    "tanh in steps": scalar(M.tanh, "p = exp(z)", "m = exp(-z)", "L = (p - m)/(p + m)"),
    "tanh by exp(2z)": scalar(M.tanh, "E1 = exp(2*z)", "L = (E1 - 1)/(E1 + 1)"),
    "tanh by expm1": scalar(M.tanh, "m = expm1(2*z)", "L = m/(m + 2)"),
    "one minus tanh squared": scalar(lambda z: M.sech(z) ** 2, "h = tanh(z)", "L = 1 - h**2"),
    "one minus tanh": scalar(lambda z: 1 - M.tanh(z), "h = tanh(z)", "L = 1 - h"),
    "sech": scalar(M.sech, "L = 1/cosh(z)"),
    "log cosh": scalar(lambda z: M.log(M.cosh(z)), "L = log(cosh(z))"),
    "log cosh, spelled": scalar(lambda z: M.log(M.cosh(z)), "L = log((exp(z) + exp(-z))/2)"),
    "log cosh, in steps": scalar(lambda z: M.log(M.cosh(z)), "p = exp(z)", "m = exp(-z)", "c = (p + m)/2", "L = log(c)"),
    "sinh": scalar(M.sinh, "L = sinh(z)", points=SMALL),
    "sinh, spelled": scalar(M.sinh, "L = (exp(z) - exp(-z))/2", points=SMALL),
    "atanh of tanh": scalar(lambda z: z, "h = tanh(z)", "L = 0.5*log((1 + h)/(1 - h))"),
    # exponentials and logarithms
    "expm1": scalar(lambda z: M.exp(z) - 1, "L = expm1(z)", points=GROWS),
    "exp(z) - 1": scalar(lambda z: M.exp(z) - 1, "L = exp(z) - 1", points=GROWS),
    "1 - exp(-z)": scalar(lambda z: 1 - M.exp(-z), "L = 1 - exp(-z)", points=tuple(-p for p in GROWS)),
    "exp(z) - 1 in steps": scalar(lambda z: M.exp(z) - 1, "u = exp(z)", "L = u - 1", points=GROWS),
    "log1p": scalar(lambda z: M.log(1 + z), "L = log1p(z)", points=(0.0, 1e-20, -1e-20, 0.3, -0.7, 20.0, 1e4)),
    "log(1 + z)": scalar(lambda z: M.log(1 + z), "L = log(1 + z)", points=(0.0, 1e-20, -1e-20, 0.3, -0.7, 20.0, 1e4)),
    "log(1 + z) in steps": scalar(lambda z: M.log(1 + z), "u = 1 + z", "L = log(u)", points=(0.0, 1e-20, -1e-20, 0.3, 20.0, 1e4)),
    "log(1 - exp(z))": scalar(lambda z: M.log(1 - M.exp(z)), "L = log(1 - exp(z))", points=NEGATIVE),
    "log(exp(z) - 1)": scalar(lambda z: M.log(M.exp(z) - 1), "L = log(exp(z) - 1)", points=POSITIVE),
    "bell curve": scalar(lambda z: M.exp(-z * z / 2), "L = exp(-z**2/2)", ulp=6),
    # activations
    "silu": scalar(lambda z: z * sg(z), "L = z*sigmoid(z)"),
    "silu as a quotient": scalar(lambda z: z * sg(z), "L = z/(1 + exp(-z))"),
    "silu, named": scalar(lambda z: z * sg(z), "a = 1/(1 + exp(-z))", "L = z*a"),
    "mish": scalar(lambda z: z * M.tanh(sp(z)), "L = mish(z)"),
    "mish in steps": scalar(lambda z: z * M.tanh(sp(z)), "s = log(1 + exp(z))", "t = tanh(s)", "L = z*t"),
    "gelu": scalar(lambda z: z * M.erfc(-z / M.sqrt(2)) / 2, "L = gelu(z)", ulp=8),
    "gelu, spelled": scalar(lambda z: z * M.erfc(-z / M.sqrt(2)) / 2, "P = (1 + erf(z/sqrt(2)))/2", "L = z*P", ulp=8),
    "normal distribution": scalar(lambda z: M.erfc(-z / M.sqrt(2)) / 2, "L = Phi(z)"),
    "elu": scalar(lambda z: z if z > 0 else M.exp(z) - 1, "L = z if z > 0 else exp(z) - 1"),
    "selu": scalar(lambda z: 2 * (z if z > 0 else 3 * (M.exp(z) - 1)), "L = 2*where(z > 0, z, 3*(exp(z) - 1))",
                   points=tuple(p for p in POINTS if p)),
    "softsign": scalar(lambda z: z / (1 + abs(z)), "L = z/(1 + abs(z))"),
    "gated": scalar(lambda z: M.tanh(z) * sg(z), "L = tanh(z)*sigmoid(z)", ulp=8),
    # softmax
    "softmax": vector(lambda z: M.exp(z[0]) / sum(map(M.exp, z)), "p = softmax(z)", "L = sum(y*p)", data=ONE_HOT),
    "softmax, spelled": vector(lambda z: M.exp(z[0]) / sum(map(M.exp, z)), "E1 = exp(z)", "s = sum(E1)", "p = E1/s", "L = sum(y*p)", data=ONE_HOT),
    "log softmax": vector(lambda z: z[0] - lse(z), "L = sum(y*log(softmax(z)))", data=ONE_HOT),
    "cross-entropy": vector(lambda z: lse(z) - z[0], "p = softmax(z)", "L = -sum(y*log(p))", data=ONE_HOT),
    "cross-entropy, spelled": vector(lambda z: lse(z) - z[0], "E1 = exp(z)", "p = E1/sum(E1)", "l = log(p)", "L = -sum(y*l)", data=ONE_HOT),
    "cross-entropy, two names": vector(lambda z: lse(z) - z[0], "E1 = exp(z)", "s = sum(E1)", "p = E1/s", "L = -sum(y*log(p))", data=ONE_HOT),
    "cross-entropy, shifted by hand": vector(lambda z: lse(z) - z[0], "E1 = exp(z - c)", "p = E1/sum(E1)", "L = -sum(y*log(p))",
                                             data={**ONE_HOT, "c": 3.0}),
    "cross-entropy, log of a sum": vector(lambda z: lse(z) - z[0], "L = -log(sum(y*softmax(z)))", data=ONE_HOT),
    "cross-entropy, log of a dot product": vector(lambda z: lse(z) - z[0], "p = softmax(z)", "L = -log(y @ p)", data=ONE_HOT),
    "cross-entropy, log of a named sum": vector(lambda z: lse(z) - z[0], "p = softmax(z)", "q = sum(y*p)", "L = -log(q)", data=ONE_HOT),
    "cross-entropy, log of a ratio of sums": vector(lambda z: lse(z) - z[0], "s = sum(exp(z))", "L = -log(sum(y*exp(z))/s)", data=ONE_HOT),
    "cross-entropy, the last class": vector(lambda z: lse(z) - z[2], "p = softmax(z)", "L = -log(sum(p*y))", data={"y": [0.0, 0.0, 1.0]}),
    "log of a weighted mean of shares": vector(lambda z: lse(z) - M.log(M.exp(z[0]) + M.exp(z[1]) / 4), "p = softmax(z)", "L = -log(y @ p)",
                                               data={"y": [1.0, 0.25, 0.0]}),
    "log of a weighted sum": vector(lambda z: M.log(M.exp(z[0]) / 2 + 3 * M.exp(z[2])), "L = log(sum(y*exp(z)))",
                                    data={"y": [0.5, 0.0, 3.0]}),
    "log of a weighted sum, in steps": vector(lambda z: M.log(2 * M.exp(z[1])), "E1 = exp(z)", "t = y @ E1", "L = log(t)",
                                              data={"y": [0.0, 2.0, 0.0]}),
    "log-sum-exp": vector(lse, "L = logsumexp(z)"),
    "log-sum-exp, spelled": vector(lse, "s = sum(exp(z))", "L = log(s)"),
    "log-sum-exp, shifted by hand": vector(lse, "s = sum(exp(z - c))", "L = c + log(s)", data={"c": 0.0}),
    "log of a mean of exponentials": vector(lambda z: M.log(sum(map(M.exp, z)) / 3), "s = mean(exp(z))", "L = log(s)", ulp=8),
    "log of one minus a share": vector(lambda z: M.log(1 - M.exp(z[0]) / sum(map(M.exp, z))), "p = softmax(z)", "L = sum(y*log(1 - p))", data=ONE_HOT,
                                       points=SMALL),
    "focal loss of a share": vector(lambda z: (1 - M.exp(z[0] - lse(z))) ** 2 * (lse(z) - z[0]), "p = softmax(z)",
                                    "L = -sum(y*(1 - p)**2*log(p))", data=ONE_HOT),
    "log(1 + sum(exp(z)))": vector(lambda z: M.log(1 + sum(map(M.exp, z))), "s = sum(exp(z))", "L = log(1 + s)"),
    # variance, norms
    "variance": vector(lambda z: sum((v - sum(z) / 3) ** 2 for v in z) / 3, "L = mean(z**2) - mean(z)**2"),
    "variance, in steps": vector(lambda z: sum((v - sum(z) / 3) ** 2 for v in z) / 3, "m = mean(z)", "q = mean(z**2)", "L = q - m**2"),
    "variance, centred": vector(lambda z: sum((v - sum(z) / 3) ** 2 for v in z) / 3, "m = mean(z)", "L = mean((z - m)**2)"),
    "x log x": scalar(lambda z: z * M.log(z), "L = z*log(z)", points=tuple(p for p in POINTS if p > 0)),
    "entropy by cases": scalar(lambda z: z * M.log(z) if z > 0 else M.mpf(0), "L = z*log(z) if z > 0 else 0",
                               points=tuple(p for p in POINTS if p)),
    "two scores": Row(("s = exp(z) + exp(u)", "L = log(s)"), lambda z: M.log(M.exp(z) + M.exp(3)), {"u": 3.0}),
    "difference of two exponentials": Row(("L = log(exp(z) - exp(u))",), lambda z: M.log(M.exp(z) - M.exp(3)), {"u": 3.0},
                                          points=(20.0, 40.0, 745.0, 1e4)),
    "difference of two exponentials, in steps": Row(("a = exp(u)", "b = exp(z)", "L = log(a - b)"), lambda z: M.log(M.exp(3) - M.exp(z)),
                                                    {"u": 3.0}, points=(0.3, -0.7, -20.0, -745.0, -1e4), ulp=6),
    "two scores, share": Row(("p = exp(z)/(exp(z) + exp(u))", "L = -log(p)"), lambda z: M.log(1 + M.exp(3 - z)), {"u": 3.0}),
    "two scores, shifted by their maximum": Row(("m = max(z, u)", "L = m + log(exp(z - m) + exp(u - m))"), lambda z: M.log(M.exp(z) + M.exp(3)), {"u": 3.0}),
    "three scores": Row(("s = exp(z) + exp(u) + exp(v)", "L = log(exp(u)/s)"), lambda z: 3 - M.log(M.exp(z) + M.exp(3) + M.exp(1)),
                        {"u": 3.0, "v": 1.0}),
}


LOW = 1024  # below the normal numbers the error may be as many of the smallest numbers: z σ(z) at -745 is 745 times a rounded one


def distance(got: Any, true: Any, dtype: Any) -> float:
    """|got - true| in units in the last place of ``true``; of the smallest number below the normal ones."""
    small = abs(true) < float(np.finfo(dtype).tiny)
    unit = float(np.spacing(dtype(0))) * LOW / ULP if small else float(np.spacing(dtype(abs(float(true)))))
    return float(abs(M.mpf(float(got)) - true) / M.mpf(unit))


def compiled(row: Row, dtype: str) -> Any:
    names = {"z": (), **dict.fromkeys(row.data, ()), **{k: v for k, v in row.tensors.items() if k == "z" or k in row.data}}
    return sn.derive(sn.program(*row.lines, tensors=names), wrt=["z"]).compile(dtype=dtype)


def worst(row: Row, dtype: str) -> tuple[float, str]:
    kind = getattr(np, dtype)
    run = compiled(row, dtype)
    found = (0.0, "")
    with M.workdps(DIGITS):
        for point in row.points:
            z = np.asarray(row.of(point) if row.of else point, dtype=kind)
            exact = [M.mpf(float(v)) for v in z] if row.of else M.mpf(float(z))
            with np.errstate(all="raise", under="ignore"):
                value, grads = run({"z": z}, **{k: np.asarray(v) for k, v in row.data.items()})
            assert grads["z"].dtype == kind
            pairs = [("value", value, row.oracle(exact))]
            if row.slopes and row.of:
                pairs += [(f"slope {k}", g, M.diff(lambda t, k=k, at=exact: row.oracle([*at[:k], t, *at[k + 1:]]), exact[k]))
                          for k, g in enumerate(grads["z"])]
            elif row.slopes:
                pairs.append(("slope", grads["z"], M.diff(row.oracle, exact)))
            for name, got, true in pairs:
                assert np.isfinite(got), f"{name} at {point}: {got}, not {M.nstr(true, 8)}"
                if abs(true) > float(np.finfo(kind).max):
                    continue
                found = max(found, (distance(got, true, kind), f"{name} at {point}: {got!r}, not {M.nstr(true, 17)}"))
    return found


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_value_and_slope_are_right_to_the_last_digits(row: Row, dtype: str) -> None:
    error, where = worst(row, dtype)
    assert error <= row.ulp, f"{error:.1f} ulp, {where}"


def test_the_measure_sees_a_lost_digit() -> None:
    assert distance(1 + 5 * np.finfo(np.float64).eps, M.mpf(1), np.float64) > ULP
    assert distance(0.0, M.mpf("1e-30"), np.float32) > ULP


@pytest.mark.parametrize("library", ["jax", "torch"])
@pytest.mark.parametrize("name", ROWS)
def test_exports_agree_with_numpy(name: str, library: str) -> None:
    """Within 16 units of NumPy's results; 256 where erfc of a rounded argument is asked (the normal distribution in its tails)."""
    pytest.importorskip(library)
    row, limit = ROWS[name], 256 if "gelu" in name or "normal" in name else 16
    names = {"z": (), **dict.fromkeys(row.data, ()), **{k: v for k, v in row.tensors.items() if k == "z" or k in row.data}}
    d = sn.derive(sn.program(*row.lines, tensors=names), wrt=["z"])
    runs = [function_of(library_source(d, lib, "float32"), "value_and_grad") for lib in (library, "numpy")]
    unit = np.finfo(np.float32)
    for point in row.points:
        z = np.asarray(row.of(point) if row.of else point, dtype=np.float32)
        results = [run(z=z, **{k: np.asarray(v, dtype=np.float32) for k, v in row.data.items()}) for run in runs]
        got, true = (np.append(np.asarray(grads["z"]).ravel(), float(value)).astype(np.float64) for value, grads in results)
        assert str(results[0][1]["z"].dtype).endswith("float32")
        assert (np.abs(got - true) <= limit * unit.eps * np.abs(true) + 4 * unit.tiny).all(), (point, got, true)
