"""Recurrences in every target against an ordinary loop differentiated by JAX: exact values, compiled, the NumPy module, and the exports.

Each row says the lines as an author writes them, the shapes, and the same computation as a loop in jax.numpy over lists. Values and
gradients agree to 1e-10 in float64 at several sizes, size 1 among them where it has a meaning; where it has none it is refused in
one line. Every step of every derivation checks itself.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

import symnet as sn
from symnet.backends.dialects import library_source
from symnet.core.derivation import Derivation
from symnet.errors import SymnetError

jax.config.update("jax_enable_x64", True)
Arrays = Mapping[str, Any]


@dataclass(frozen=True)
class Row:
    """A recurrence, its oracle, the sizes it is tried at, and the sizes that are refused."""

    lines: tuple[str, ...]
    tensors: dict[str, tuple[Any, ...]]
    oracle: Callable[[Any], Any]
    sizes: tuple[dict[str, int], ...] = ({"T": 1}, {"T": 2}, {"T": 5})
    refused: tuple[dict[str, int], ...] = ()
    wrt: tuple[str, ...] = ()
    positive: bool = False
    values: Arrays = field(default_factory=dict)


def linear(p: Any) -> Any:
    h, loss = p["s"], 0.0
    for x in p["x"]:
        h = p["a"] * h + x
        loss = loss + h**2
    return loss


def running_sum(p: Any) -> Any:
    c, loss = 0.0, 0.0
    for x in p["x"]:
        c = c + x
        loss = loss + c**2
    return loss


def running_product(p: Any) -> Any:
    c, loss = 1.0, 0.0
    for x in p["x"]:
        c = c * x
        loss = loss + c
    return loss


def coupled(p: Any) -> Any:
    u, v = p["s"], 1.0
    for x in p["x"]:
        u, v = jnp.tanh(p["a"] * u + v), u * x + p["b"] * v
    return u**2 + 3 * v


def leapfrog(p: Any) -> Any:
    q, v, loss = p["q0"], p["v0"], 0.0
    for f in p["f"]:
        v = v - f * q
        q = q + v / 10
        loss = loss + q**4 + v**2
    return loss


def gated(p: Any) -> Any:
    h = jnp.zeros(p["V"].shape[0])
    loss = 0.0
    for x in p["x"]:
        z = jax.nn.sigmoid(p["U"] @ x + p["V"] @ h)
        h = z * h + (1 - z) * jnp.tanh(p["W"] @ x)
        loss = loss + jnp.sum(h**2)
    return loss


def deep(p: Any) -> Any:
    depth, steps, m = p["W"].shape[0], p["x"].shape[0], p["x"].shape[1]
    below = [p["x"][t] for t in range(steps)]
    for layer in range(depth):
        h, here = jnp.zeros(m), []
        for t in range(steps):
            h = jnp.tanh(p["W"][layer] @ below[t] + p["V"][layer] @ h)
            here.append(h)
        below = here
    return sum(jnp.sum(h**3) for h in below)


def returns(p: Any) -> Any:
    r, loss = 0.0, 0.0
    for t in reversed(range(p["r"].shape[0])):
        r = p["r"][t] + p["g"] * r
        loss = loss + r**2
    return loss


def gae(p: Any) -> Any:
    steps = p["r"].shape[0]
    advantage, loss = 0.0, 0.0
    for t in reversed(range(steps)):
        delta = p["r"][t] + p["g"] * p["V"][t + 1] - p["V"][t]
        advantage = delta + p["g"] * p["l"] * advantage
        loss = loss + advantage**2
    return loss


def ar2(p: Any) -> Any:
    y = [p["y1"], p["y2"]]
    for t in range(2, p["x"].shape[0]):
        y.append(p["a"] * y[-1] + p["b"] * y[-2] + p["x"][t])
    return sum(v**2 for v in y)


def ar2_zero(p: Any) -> Any:
    y: list[Any] = []
    for t in range(p["x"].shape[0]):
        y.append(p["x"][t] + (p["a"] * y[t - 1] if t > 0 else 0) + (p["b"] * y[t - 2] if t > 1 else 0))
    return sum(v**3 for v in y)


def convolved(p: Any) -> Any:
    """A recurrence of unbounded lag: f[t] = x[t] + sum over all earlier f[j] w[t - j]."""
    f: list[Any] = []
    for t in range(p["x"].shape[0]):
        f.append(p["x"][t] + sum(f[j] * p["w"][t - j - 1] for j in range(t)))
    return sum(v**2 for v in f)


def grid(p: Any) -> Any:
    rows, columns = p["m"].shape
    d = [[0.0] * (columns + 1) for _ in range(rows + 1)]
    for i in range(1, rows + 1):
        for j in range(1, columns + 1):
            d[i][j] = p["m"][i - 1, j - 1] + p["a"] * d[i - 1][j] + p["b"] * d[i][j - 1] + p["c"] * d[i - 1][j - 1]
    return sum(v**2 for row in d for v in row)


def warping(p: Any) -> Any:
    """Soft dynamic time warping of two series, with its edges as running sums."""
    n, m = p["x"].shape[0], p["y"].shape[0]
    d = [[0.0] * m for _ in range(n)]
    for i in range(n):
        for j in range(m):
            cost = (p["x"][i] - p["y"][j]) ** 2
            if i == 0 and j == 0:
                d[i][j] = cost
            elif i == 0:
                d[i][j] = cost + d[i][j - 1]
            elif j == 0:
                d[i][j] = cost + d[i - 1][j]
            else:
                d[i][j] = cost - jnp.log(jnp.exp(-d[i - 1][j]) + jnp.exp(-d[i][j - 1]) + jnp.exp(-d[i - 1][j - 1]))
    return d[n - 1][m - 1]


def pascal(p: Any) -> Any:
    """Rows from the row above: the row index is the only loop."""
    rows, columns = p["m"].shape
    above = [p["m"][0, j] for j in range(columns)]
    for i in range(1, rows):
        above = [p["m"][i, j] * above[j] + (above[j - 1] if j > 0 else 0.0) for j in range(columns)]
    return sum(v**2 for v in above)


def down_the_rows(p: Any) -> Any:
    rows, columns = p["m"].shape
    d = [[0.0] * columns for _ in range(rows)]
    for i in range(rows):
        for j in reversed(range(columns)):
            d[i][j] = p["m"][i, j] + (d[i - 1][j] ** 2 if i > 0 else 0) + (p["a"] * d[i][j + 1] if j + 1 < columns else 0)
    return d[rows - 1][0]


def intervals(p: Any) -> Any:
    """The inside recurrence of a chart parser: C[i, j] from all cuts of i..j."""
    n = p["x"].shape[0]
    c = [[0.0] * n for _ in range(n)]
    for i in reversed(range(n)):
        c[i][i] = p["x"][i]
        for j in range(i + 1, n):
            c[i][j] = sum(c[i][k] * c[k + 1][j] for k in range(i, j)) * p["a"]
    return c[0][n - 1]


def descent(p: Any) -> Any:
    w = p["w0"]
    for _ in range(5):
        w = w - p["lr"] * (p["a"] * w - p["b"])
    return p["a"] * w**2 / 2 - p["b"] * w


def momentum(p: Any) -> Any:
    w, v = p["w0"], jnp.zeros_like(p["w0"])
    for rate in p["lr"]:
        v = p["mu"] * v + p["A"] @ w - p["b"]
        w = w - rate * v
    return w @ p["A"] @ w / 2 - p["b"] @ w


def adam(p: Any) -> Any:
    w, m, v = p["w0"], 0.0, 0.0
    for k in range(1, 5):
        g = p["a"] * w - p["b"]
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g**2
        w = w - p["lr"] * (m / (1 - 0.9**k)) / (jnp.sqrt(v / (1 - 0.999**k)) + 0.01)
    return (w - 1) ** 2


def triangle(p: Any) -> Any:
    n = p["x"].shape[0]
    return sum(p["x"][i] * p["x"][j] ** 2 for i in range(n) for j in range(i + 1, n)) + p["x"][0]


def earlier_sums(p: Any) -> Any:
    return sum((t + 1) * jnp.exp(sum(p["x"][: t + 1])) for t in range(p["x"].shape[0]))


def hmm(p: Any) -> Any:
    a = p["p0"] + p["B"][0]
    for t in range(1, p["B"].shape[0]):
        a = p["B"][t] + jax.scipy.special.logsumexp(a[:, None] + p["A"], axis=0)
    return jax.scipy.special.logsumexp(a)


def compositing(p: Any) -> Any:
    through, color = 1.0, 0.0
    for alpha, c in zip(p["alpha"], p["c"], strict=True):
        color = color + through * alpha * c
        through = through * (1 - alpha)
    return (color - 1) ** 2


def held_in_the_middle(p: Any) -> Any:
    steps = p["x"].shape[0]
    h = [p["s"]]
    for t in range(1, steps - 1):
        h.append(jnp.sin(h[-1]) + p["x"][t])
    h.append(p["z"])
    return sum(v**2 * (k + 1) for k, v in enumerate(h))


def apart(p: Any) -> Any:
    """u looks three places ahead at v, v five places back at u: one of them runs ahead of the other."""
    n = p["x"].shape[0]
    u, v = [None] * n, [None] * n

    def at_u(t: int) -> Any:
        if u[t] is None:
            u[t] = p["x"][t] + (p["a"] * at_v(t + 3) if t + 3 < n else 0)
        return u[t]

    def at_v(t: int) -> Any:
        if v[t] is None:
            v[t] = jnp.tanh(p["x"][t] + (at_u(t - 5) if t > 4 else 0))
        return v[t]

    return sum(at_u(t) ** 2 + at_v(t) for t in range(n))


def to_the_first(p: Any) -> Any:
    h = [p["s"]]
    for x in p["x"]:
        h.append(h[-1] * x + h[0] * p["a"])
    return h[-1] ** 2


def pairs(p: Any) -> Any:
    h: list[Any] = [p["s"], p["s"] ** 2]
    for t in range(1, p["x"].shape[0] + 1):
        h.append(h[t - 1] * p["x"][t - 1])
    return sum(v**2 for v in h)


def ewma(p: Any) -> Any:
    m = p["x"][0]
    loss = (m - 1) ** 2
    for t in range(1, p["x"].shape[0]):
        m = p["b"] * m + (1 - p["b"]) * p["x"][t]
        loss = loss + (m - 1) ** 2
    return loss


def kalman(p: Any) -> Any:
    mean, var, loss = 0.0, 1.0, 0.0
    for y in p["y"]:
        var = var + p["q"] ** 2
        gain = var / (var + p["r"] ** 2)
        mean = mean + gain * (y - mean)
        var = (1 - gain) * var
        loss = loss + (y - mean) ** 2
    return loss


def horner(p: Any) -> Any:
    b = 0.0
    for c in reversed(list(p["c"])):
        b = b * p["z"] + c
    return b**2


ONE = ({"T": 1}, {"T": 2}, {"T": 5})
GRID = ({"I": 1, "J": 1}, {"I": 1, "J": 3}, {"I": 3, "J": 2}, {"I": 4, "J": 5})
XS: dict[str, tuple[Any, ...]] = {"x": ("T",), "a": (), "s": ()}
ROWS: dict[str, Row] = {
    "one axis": Row(("h[0] = s", "h[t] = a*h[t-1] + x[t]", "L = sum(h[t]**2 for t in 1..T)"), XS, linear),
    "one axis, declared": Row(("h[0] = s", "h[t] = a*h[t-1] + x[t]", "L = sum(h[t]**2 for t in 1..T)"), {**XS, "h": ("0..T",)}, linear),
    "one axis, from the left": Row(("h[0] = s", "h[t+1] = a*h[t] + x[t+1]", "L = sum(h[t+1]**2 for t in 0..T-1)"), XS, linear),
    "one axis, another letter": Row(("c[0] = s", "c[n] = a*c[n-1] + u[n]", "L = sum(c**2) - s**2"), {"u": ("N",), "a": (), "s": ()},
                                    lambda p: linear({**p, "x": p["u"]}), ({"N": 1}, {"N": 2}, {"N": 5})),
    "the base case below": Row(("h[t] = a*h[t-1] + x[t]", "h[0] = s", "L = sum(h[t]**2 for t in 1..T)"), XS, linear),
    "running sum": Row(("c[1] = x[1]", "c[t] = c[t-1] + x[t]", "L = sum(c**2)"), {"x": ("T",)}, running_sum),
    "running sum, by cases": Row(("c[t] = x[t] + (c[t-1] if t > 1 else 0)", "L = sum(c**2)"), {"x": ("T",), "c": ("T",)}, running_sum),
    "running sum, by other cases": Row(("c[t] = (x[t] if t == 1 else x[t] + c[t-1])", "L = sum(c**2)"), {"x": ("T",)}, running_sum),
    "running sum, as a sum": Row(("c[t] = sum(x[j] for j in 1..t)", "L = sum(c**2)"), {"x": ("T",), "c": ("T",)}, running_sum),
    "running product": Row(("c[0] = 1", "c[t] = c[t-1]*x[t]", "L = sum(c[t] for t in 1..T)"), {"x": ("T",)}, running_product),
    "two coupled": Row(("u[0] = s", "v[0] = 1", "u[t] = tanh(a*u[t-1] + v[t-1])", "v[t] = u[t-1]*x[t] + b*v[t-1]", "L = u[T]**2 + 3*v[T]"),
                       {**XS, "b": (), "u": ("0..T",), "v": ("0..T",)}, coupled),
    "leapfrog": Row(("q[0] = q0", "v[0] = v0", "v[t] = v[t-1] - f[t]*q[t-1]", "q[t] = q[t-1] + v[t]/10",
                     "L = sum(q[t]**4 + v[t]**2 for t in 1..T)"), {"f": ("T",), "q0": (), "v0": ()}, leapfrog),
    "gated unit": Row(("h[0, i] = 0", "z[t, i] = sigmoid(sum(U[i, k]*x[t, k] for k in 1..d) + sum(V[i, k]*h[t-1, k] for k in 1..m))",
                       "h[t, i] = z[t, i]*h[t-1, i] + (1 - z[t, i])*tanh(sum(W[i, k]*x[t, k] for k in 1..d))",
                       "L = sum(h[t, i]**2 for t in 1..T for i in 1..m)"),
                      {"x": ("T", "d"), "U": ("m", "d"), "V": ("m", "m"), "W": ("m", "d"), "h": ("0..T", "m")}, gated,
                      ({"T": 1, "d": 2, "m": 3}, {"T": 4, "d": 1, "m": 2})),
    "deep and in time": Row(
        ("h[0, t, i] = x[t, i]", "h[l, 0, i] = 0",
         "h[l, t, i] = tanh(sum(W[l, i, k]*h[l-1, t, k] for k in 1..m) + sum(V[l, i, k]*h[l, t-1, k] for k in 1..m))",
         "L = sum(h[D, t, i]**3 for t in 1..T for i in 1..m)"),
        {"x": ("T", "m"), "W": ("D", "m", "m"), "V": ("D", "m", "m"), "h": ("0..D", "0..T", "m"), },
        deep, ({"T": 1, "m": 1, "D": 1}, {"T": 3, "m": 2, "D": 2})),
    "discounted returns": Row(("R[T+1] = 0", "R[t] = r[t] + g*R[t+1]", "L = sum(R[t]**2 for t in 1..T)"), {"r": ("T",), "g": ()}, returns),
    "discounted returns, from the end": Row(("R[T] = r[T]", "R[t] = r[t] + g*R[t+1]", "L = sum(R**2)"), {"r": ("T",), "g": ()}, returns),
    "discounted returns, by cases": Row(("R[t] = r[t] + (g*R[t+1] if t < T else 0)", "L = sum(R**2)"), {"r": ("T",), "g": ()}, returns),
    "generalized advantages": Row(("u[t] = r[t] + g*V[t+1] - V[t]", "A[T+1] = 0", "A[t] = u[t] + g*l*A[t+1]", "L = sum(A**2)"),
                                  {"r": ("T",), "V": ("T+1",), "g": (), "l": ()}, gae),
    "two lags": Row(("y[1] = y1", "y[2] = y2", "y[t] = a*y[t-1] + b*y[t-2] + x[t] for t in 3..T", "L = sum(y**2)"),
                    {"x": ("T",), "y1": (), "y2": (), "a": (), "b": ()}, ar2, ({"T": 2}, {"T": 3}, {"T": 6}), ({"T": 1},)),
    "two lags, range found": Row(("y[1] = y1", "y[2] = y2", "y[t] = a*y[t-1] + b*y[t-2] + x[t]", "L = sum(y**2)"),
                                 {"x": ("T",), "y1": (), "y2": (), "a": (), "b": ()}, ar2, ({"T": 2}, {"T": 3}, {"T": 6}), ({"T": 1},)),
    "two lags, by cases": Row(("y[t] = x[t] + (a*y[t-1] if t > 1 else 0) + (b*y[t-2] if t > 2 else 0)", "L = sum(y**3)"),
                              {"x": ("T",), "a": (), "b": (), "y": ("T",)}, ar2_zero),
    "all lags": Row(("f[t] = x[t] + sum(f[j]*w[t-j] for j in 1..t-1)", "L = sum(f**2)"), {"x": ("T",), "w": ("T",), "f": ("T",)}, convolved),
    "grid": Row(("D[0, j] = 0", "D[i, 0] = 0", "D[i, j] = m[i, j] + a*D[i-1, j] + b*D[i, j-1] + c*D[i-1, j-1]", "L = sum(D**2)"),
                {"m": ("I", "J"), "a": (), "b": (), "c": (), "D": ("0..I", "0..J")}, grid, GRID),
    "grid, inferred": Row(("D[0, j] = 0 for j in 0..J", "D[i, 0] = 0 for i in 1..I",
                           "D[i, j] = m[i, j] + a*D[i-1, j] + b*D[i, j-1] + c*D[i-1, j-1]", "L = sum(D**2)"),
                          {"m": ("I", "J"), "a": (), "b": (), "c": ()}, grid, GRID),
    "soft time warping": Row(
        ("D[1, 1] = (x[1] - y[1])**2", "D[i, 1] = (x[i] - y[1])**2 + D[i-1, 1]", "D[1, j] = (x[1] - y[j])**2 + D[1, j-1]",
         "D[i, j] = (x[i] - y[j])**2 - log(exp(-D[i-1, j]) + exp(-D[i, j-1]) + exp(-D[i-1, j-1]))", "L = D[I, J]"),
        {"x": ("I",), "y": ("J",)}, warping, GRID),
    "rows from rows": Row(("D[1, j] = m[1, j]", "D[i, j] = m[i, j]*D[i-1, j] + (D[i-1, j-1] if j > 1 else 0)", "L = sum(D[I, j]**2 for j in 1..J)"),
                          {"m": ("I", "J")}, pascal, GRID),
    "up and down": Row(("D[i, j] = m[i, j] + (D[i-1, j]**2 if i > 1 else 0) + (a*D[i, j+1] if j < J else 0)", "L = D[I, 1]"),
                       {"m": ("I", "J"), "a": ()}, down_the_rows, GRID),
    "intervals": Row(("C[i, j] = (x[i] if i == j else a*sum(C[i, k]*C[k+1, j] for k in i..j-1) if i < j else 0)", "L = C[1, T]"),
                     {"x": ("T",), "a": (), "C": ("T", "T")}, intervals, ({"T": 1}, {"T": 2}, {"T": 4})),
    "gradient descent, 5 steps": Row(("w[0] = w0", "w[k] = w[k-1] - lr*(a*w[k-1] - b) for k in 1..5", "L = a*w[5]**2/2 - b*w[5]"),
                                     {"w0": (), "lr": (), "a": (), "b": ()}, descent, ({},)),
    "momentum": Row(("w[0, i] = w0[i]", "v[0, i] = 0", "v[k, i] = mu*v[k-1, i] + sum(A[i, j]*w[k-1, j] for j in 1..d) - b[i]",
                     "w[k, i] = w[k-1, i] - lr[k]*v[k, i]",
                     "L = sum(w[K, i]*A[i, j]*w[K, j] for i in 1..d for j in 1..d)/2 - sum(b[i]*w[K, i] for i in 1..d)"),
                    {"w0": ("d",), "A": ("d", "d"), "b": ("d",), "lr": ("K",), "mu": (), "w": ("0..K", "d"), "v": ("0..K", "d")}, momentum,
                    ({"K": 1, "d": 2}, {"K": 4, "d": 3})),
    "adam, 4 steps": Row(("w[0] = w0", "m[0] = 0", "v[0] = 0", "g[k] = a*w[k-1] - b for k in 1..4", "m[k] = 0.9*m[k-1] + 0.1*g[k]",
                          "v[k] = 0.999*v[k-1] + 0.001*g[k]**2",
                          "w[k] = w[k-1] - lr*(m[k]/(1 - 0.9**k))/(sqrt(v[k]/(1 - 0.999**k)) + 0.01)", "L = (w[4] - 1)**2"),
                         {"w0": (), "lr": (), "a": (), "b": ()}, adam, ({},), values={"w0": 2.0, "a": 1.5, "b": 0.25, "lr": 0.125}),
    "triangular sum": Row(("L = sum(x[i]*x[j]**2 for i in 1..T for j in i+1..T) + x[1]",), {"x": ("T",)}, triangle),
    "sums up to here": Row(("L = sum(t*exp(sum(x[j] for j in 1..t)) for t in 1..T)",), {"x": ("T",)}, earlier_sums),
    "forward algorithm": Row(("u[1, j] = p0[j] + B[1, j]", "u[t, j] = B[t, j] + log(sum(exp(u[t-1, i] + A[i, j]) for i in 1..S))",
                              "L = log(sum(exp(u[T, j]) for j in 1..S))"),
                             {"p0": ("S",), "B": ("T", "S"), "A": ("S", "S")}, hmm, ({"T": 1, "S": 2}, {"T": 2, "S": 1}, {"T": 4, "S": 3})),
    "alpha compositing": Row(("Q[1] = 1", "Q[i] = Q[i-1]*(1 - alpha[i-1])", "C = sum(Q[i]*alpha[i]*c[i] for i in 1..N)", "L = (C - 1)**2"),
                             {"alpha": ("N",), "c": ("N",), "Q": ("N",)}, compositing, ({"N": 1}, {"N": 2}, {"N": 5})),
    "first and last held": Row(("h[1] = s", "h[T] = z", "h[t] = sin(h[t-1]) + x[t] for t in 2..T-1", "L = sum(t*h[t]**2 for t in 1..T)"),
                               {"x": ("T",), "s": (), "z": (), "h": ("T",)}, held_in_the_middle, ({"T": 2}, {"T": 3}, {"T": 5}), ({"T": 1},)),
    "one runs ahead": Row(("u[t] = x[t] + (a*v[t+3] if t + 3 <= T else 0)", "v[t] = tanh(x[t] + (u[t-5] if t > 5 else 0))", "L = sum(u**2) + sum(v)"),
                          {"x": ("T",), "a": (), "u": ("T",), "v": ("T",)}, apart, ({"T": 1}, {"T": 4}, {"T": 9})),
    "back to the first": Row(("h[0] = s", "h[t] = h[t-1]*x[t] + h[0]*a", "L = h[T]**2"), XS, to_the_first),
    "two base cases at 0 and 1": Row(("h[0] = s", "h[1] = h[0]**2", "h[t] = h[t-2]*x[t-1]", "L = sum(h**2)"),
                                     {"x": ("T",), "s": ()}, pairs),
    "moving average": Row(("m[1] = x[1]", "m[t] = b*m[t-1] + (1 - b)*x[t]", "L = sum((m - 1)**2)"), {"x": ("T",), "b": ()}, ewma),
    "kalman filter": Row(("P[0] = 1", "m[0] = 0", "Q[t] = P[t-1] + q**2", "K[t] = Q[t]/(Q[t] + r**2)", "m[t] = m[t-1] + K[t]*(y[t] - m[t-1])",
                          "P[t] = (1 - K[t])*Q[t]", "L = sum((y[t] - m[t])**2 for t in 1..T)"),
                         {"y": ("T",), "q": (), "r": (), "Q": ("T",), "K": ("T",)}, kalman, positive=True),
    "horner": Row(("b[T+1] = 0", "b[k] = b[k+1]*z + c[k]", "L = b[1]**2"), {"c": ("T",), "z": ()}, horner),
}


def draw(row: Row, sizes: Mapping[str, int]) -> dict[str, Any]:
    """Sixteenths, which are exact in binary."""
    rng = random.Random(str(sorted(sizes.items())))
    d = derivation(row)

    def one() -> float:
        value = rng.choice([k for k in range(-14, 15) if k]) / 16
        return abs(value) if row.positive else value

    made: dict[str, Any] = {}
    for t in d.program.inputs:
        shape = [int(n.xreplace({s: sizes[str(s)] for s in n.free_symbols})) for n in t.shape]
        made[t.name] = np.array([one() for _ in range(int(np.prod(shape)))]).reshape(shape) if shape else one()
    return {**made, **row.values}


KNOWN: dict[tuple[Any, ...], Derivation] = {}


def derivation(row: Row) -> Derivation:
    """The derivation by every input."""
    key = (row.lines, str(row.tensors))
    if key not in KNOWN:
        program = sn.program(*row.lines, tensors=row.tensors)
        KNOWN[key] = sn.derive(program, wrt=[t.name for t in program.inputs])
    return KNOWN[key]


MADE: dict[tuple[str, str], Any] = {}


def made(name: str, target: str) -> Any:
    """The compiled function, or the module for a library; once for all sizes."""
    if (name, target) not in MADE:
        d = derivation(ROWS[name])
        MADE[name, target] = d.compile() if target == "compiled" else module(library_source(d, target))
    return MADE[name, target]


def truth(row: Row, arrays: Arrays) -> tuple[float, dict[str, np.ndarray[Any, Any]]]:
    given = {n: jnp.asarray(a, dtype=jnp.float64) for n, a in arrays.items()}
    value, gradients = jax.value_and_grad(lambda p: row.oracle(p) + 0.0 * sum(jnp.sum(a) for a in p.values()))(given)
    return float(value), {n: np.asarray(g) for n, g in gradients.items()}


def same(found: tuple[Any, Mapping[str, Any]], wanted: tuple[float, Mapping[str, Any]], what: str) -> None:
    assert float(found[0]) == pytest.approx(wanted[0], rel=1e-10, abs=1e-12), what
    assert set(found[1]) == set(wanted[1])
    for name, g in wanted[1].items():
        got = np.asarray(found[1][name], dtype=np.float64)
        assert got.shape == g.shape, (what, name)
        assert np.allclose(got, g, rtol=1e-10, atol=1e-11), (what, name, got, g)


def module(source: str) -> dict[str, Any]:
    space: dict[str, Any] = {}
    exec(source, space)
    return space


def exact(d: Derivation, arrays: Arrays) -> tuple[float, dict[str, Any]]:
    at = d.at({n: np.vectorize(Fraction, otypes=[object])(a).tolist() if np.ndim(a) else Fraction(a) for n, a in arrays.items()})

    def floats(nested: Any) -> Any:
        return [floats(v) for v in nested] if isinstance(nested, list) else float(nested.mid())

    return floats(at.ball(d.objective)), {n: np.array(floats(at.ball(d.gradient_name(n))), dtype=float).reshape(np.shape(arrays[n])) for n in d.wrt}


def test_a_report_says_from_which_size_on() -> None:
    story = sn.report(derivation(ROWS["two lags"])).text()
    assert "The size T may be any whole number from 2 on." in story
    assert "any positive whole number" not in story


CASES = [(name, k) for name, row in ROWS.items() for k in range(len(row.sizes))]


@pytest.mark.parametrize(("name", "which"), CASES, ids=[f"{n}-{ROWS[n].sizes[k]}" for n, k in CASES])
def test_every_target_agrees_with_the_loop(name: str, which: int) -> None:
    row = ROWS[name]
    d, arrays = derivation(row), draw(row, row.sizes[which])
    wanted = truth(row, arrays)
    same(exact(d, arrays), wanted, "exact")
    with np.errstate(all="raise", under="ignore"):
        same(made(name, "compiled")(arrays), wanted, "compiled")
    same(made(name, "numpy")["value_and_grad"](**arrays), wanted, "numpy")
    found = made(name, "jax")
    same(found["value_and_grad"](**arrays), wanted, "jax")
    if which == len(row.sizes) - 1:
        given = {n: jnp.asarray(a, dtype=jnp.float64) for n, a in arrays.items()}
        same((found["loss"](given, {}), jax.grad(found["loss"])(given, {})), wanted, "jax.grad")
    leaves = {n: torch.tensor(a, dtype=torch.float64, requires_grad=True) for n, a in arrays.items()}
    loss = made(name, "torch")["loss"](**leaves)
    loss.backward()
    same((loss.detach(), {n: t.grad for n, t in leaves.items()}), wanted, "torch")


@pytest.mark.parametrize("name", [n for n, row in ROWS.items() if row.refused])
def test_a_size_without_a_meaning_is_refused_in_one_line(name: str) -> None:
    row = ROWS[name]
    d = derivation(row)
    for sizes in row.refused:
        arrays = draw(row, sizes)
        for run in (made(name, "compiled"), lambda some: exact(d, some)):
            with pytest.raises(SymnetError, match=r"T: 1; .*at least 2") as caught:
                run(arrays)
            assert "\n" not in str(caught.value)
        for library in ("numpy", "jax", "torch"):
            with pytest.raises(ValueError, match="T: 1; at least 2 expected"):
                made(name, library)["value_and_grad"](**arrays)


@pytest.mark.parametrize("name", ROWS)
def test_every_step_checks_itself(name: str) -> None:
    for step in derivation(ROWS[name]).steps:
        assert step.check(), f"{step.definition}: {step.check().reason}"
