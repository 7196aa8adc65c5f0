"""Places that come from data in plain maths: take, take_along_axis, gather, scatter_add and one_hot beside NumPy and PyTorch, values and
gradients in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

import symnet as sn
from symnet.errors import SymnetError

RNG = np.random.default_rng(3)
N, D, K = 4, 3, 5
DATA: dict[str, Any] = {"X": RNG.normal(size=(N, D)), "u": RNG.normal(size=D), "v": RNG.normal(size=N), "S": RNG.normal(size=(N, K)),
                        "y": RNG.integers(0, D, size=N), "r": RNG.integers(0, N, size=K), "Y": RNG.integers(0, D, size=(N, K)),
                        "Z": RNG.integers(0, N, size=(N, D))}
SHAPES: dict[str, Any] = {"X": ("N", "d"), "u": ("d",), "v": ("N",), "S": ("N", "k"),
                          **{n: {"shape": s, "domain": "index", "classes": c} for n, s, c in (
                              ("y", ["N"], "d"), ("r", ["k"], "N"), ("Y", ["N", "k"], "d"), ("Z", ["N", "d"], "N"))}}
TEXTS = {  # plain maths, and PyTorch
    "take(u, y)": lambda t: t["u"].take(t["y"]), "take(X, y, axis=1)": lambda t: torch.index_select(t["X"], 1, t["y"]),
    "take(X, r, axis=0)": lambda t: torch.index_select(t["X"], 0, t["r"]), "np.take(X, r, 0)": lambda t: torch.index_select(t["X"], 0, t["r"]),
    "take(X, Y, axis=1)": lambda t: t["X"][:, t["Y"]],
    "take_along_axis(X, Y, axis=1)": lambda t: torch.take_along_dim(t["X"], t["Y"], 1), "take_along_axis(X, Y, 1)": lambda t: torch.gather(t["X"], 1, t["Y"]),
    "gather(X, 1, Y)": lambda t: torch.gather(t["X"], 1, t["Y"]), "gather(X, 0, Z)": lambda t: torch.gather(t["X"], 0, t["Z"]),
    "gather(X, Y, dim=-1)": lambda t: torch.gather(t["X"], -1, t["Y"]), "gather(u, 0, y)": lambda t: torch.gather(t["u"], 0, t["y"]),
    "scatter_add(u, y, v)": lambda t: torch.scatter_add(t["u"], 0, t["y"], t["v"]),
    "scatter_add(X, 1, Y, S)": lambda t: torch.scatter_add(t["X"], 1, t["Y"], t["S"]),
    "scatter_add(X, 0, Z, 2*X)": lambda t: torch.scatter_add(t["X"], 0, t["Z"], 2 * t["X"]),
    "scatter_add(zeros(N, d), 1, Y, S**2)": lambda t: torch.scatter_add(torch.zeros(N, D, dtype=torch.float64), 1, t["Y"], t["S"] ** 2),
    "one_hot(y, d) * X": lambda t: functional.one_hot(t["y"], D) * t["X"], "gather(log_softmax(X), 1, Y)": lambda t: torch.log_softmax(t["X"], 1).gather(1, t["Y"]),
}


@pytest.mark.parametrize("text", TEXTS)
def test_places_in_plain_maths_are_pytorchs(text: str) -> None:
    words = "".join(c if c.isalnum() or c == "_" else " " for c in text).split()
    used = [n for n in SHAPES if n in words or (n == "X" and "d" in words)]
    program = sn.program(f"P = {text}", "L = sum(tanh(P)**2)" if "X" in used else "L = sum(P**3)", tensors={n: SHAPES[n] for n in used})
    wrt = [n for n in used if n in ("X", "u", "v", "S") and n in words]
    tensors = {n: torch.from_numpy(DATA[n]) for n in used}
    for n in wrt:
        tensors[n] = tensors[n].clone().requires_grad_(True)
    out = TEXTS[text](tensors)
    loss = (torch.tanh(out) ** 2).sum() if "X" in used else (out**3).sum()
    loss.backward()
    d = sn.derive(program, wrt=wrt)
    found, ours = d.compile(check=False)({n: DATA[n] for n in wrt}, *[DATA[t.name] for t in program.inputs if t.name not in wrt])
    assert float(found) == pytest.approx(float(loss), rel=1e-12)
    for n in wrt:
        np.testing.assert_allclose(ours[n], tensors[n].grad.numpy(), rtol=1e-11, atol=1e-13, err_msg=n)
    assert all(s.check().ok for s in d.steps)


REFUSED = {
    "take(X, y)": "an axis", "gather(X, Y)": "an axis", "take(u, v)": 'domain "index"', "gather(X, 1, y)": "the same other axes",
    "scatter_add(u, y, X)": "one place for each value", "scatter_add(u, y)": "scatter_add(X, 1, Y, S)", "take(X, y, axis=2)": "axis",
    "gather(X, 1, Y, S, u)": "5 arguments",
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_does_not_fit_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(SymnetError) as caught:
        sn.program(f"P = {text}", "L = sum(P)", tensors=SHAPES)
    assert REFUSED[text] in str(caught.value) and "\n" not in str(caught.value)
