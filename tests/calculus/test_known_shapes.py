"""Steps that are renamed from others say what they say where each is derived by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import symnet as sn
from symnet.calculus import derive, layers
from symnet.core.program import Program

WEIGHTS = {**dict.fromkeys(("A", "B", "C"), ("d", "d")), "x": ("d",), "y": ("d",)}


def network(*parts: Any, loss: Any = sn.MSELoss) -> Program:
    """Three times the same layers."""
    return sn.Sequential(*[part for _ in range(3) for part in parts]).program(loss())


PROGRAMS: dict[str, Callable[[], Program]] = {
    "relu": lambda: network(sn.Linear(3, 3), sn.ReLU()), "gelu": lambda: network(sn.Linear(3, 3), sn.GELU()),
    "norm": lambda: network(sn.Linear(3, 3), sn.LayerNorm(3)), "softmax": lambda: network(sn.Linear(3, 3), sn.Softmax()),
    "classes": lambda: network(sn.Linear(3, 3), sn.Sigmoid(), loss=sn.CrossEntropyLoss),
    "shares": lambda: network(sn.Linear(3, 3), sn.Tanh(), loss=lambda: sn.CrossEntropyLoss(normalized=True)),
    "labels": lambda: network(sn.Linear(3, 3), sn.Tanh(), loss=lambda: sn.CrossEntropyLoss(indices=True)),
    "transformer": lambda: network(sn.TransformerEncoderLayer(4, 2, 4, positions=2)),
    "residual": lambda: sn.program("a = tanh(A @ x) + x", "b = tanh(B @ a) + a", "c = tanh(C @ b) + b", "L = sum((c - y)**2)", tensors=WEIGHTS),
    "shared weights": lambda: sn.program("a = tanh(A @ x)", "b = tanh(A @ a)", "c = tanh(B @ b)", "L = sum((c - y)**2) + sum(a*b)",
                                         tensors=WEIGHTS),
    "other shapes": lambda: sn.program("a = A.T @ x", "b = B @ a", "c = C.T @ b", "L = sum((c - y)**2)", tensors=WEIGHTS),
    "numbers": lambda: sn.program("p = sigmoid(u*x)", "q = sigmoid(v*p)", "r = 1/(1 + w*q)", "s = 1/(1 + k*r)", "L = log(s) + q"),
    "recurrence": lambda: sn.program("h[0] = s", "h[t] = tanh(a*h[t-1] + x[t]) for t in 1..T", "g[0] = s",
                                     "g[t] = tanh(b*g[t-1] + h[t]) for t in 1..T", "L = sum(g[t]**2 for t in 1..T)", tensors={"x": ("T",), "s": (), "a": (), "b": ()}),
}


def said(program: Program) -> list[tuple[object, ...]]:
    """All that the steps say, but for the marks of bound indices."""
    done = derive(program)
    assert [s.uses for s in done.steps] == [s.definition.uses for s in done.steps]
    return [(str(s), str(s.definition), s.rule, str(s.raw), str(s.contributions), s.conditions, s.inlined, s.live, s.uses, s.definition.ranges)
            for s in done.steps]


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_renamed_step_is_the_step_that_is_derived(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    program = PROGRAMS[name]()
    renamed = said(program)
    monkeypatch.setattr(layers.KnownShapes, "key", lambda self, of, users: None)
    assert renamed == said(program)


@pytest.mark.parametrize("loss", [sn.MSELoss(), sn.CrossEntropyLoss(normalized=True)])
def test_the_layers_of_a_network_are_derived_once(loss: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many steps are kept as shapes for 3 layers as for 9."""
    kept: list[object] = []
    plain = layers.KnownShapes.keep
    monkeypatch.setattr(layers.KnownShapes, "keep", lambda self, key, place, step: (kept.append(key), plain(self, key, place, step))[1])
    counts = []
    for depth in (3, 9):
        kept.clear()
        derive(sn.Sequential(*[p for _ in range(depth) for p in (sn.Linear(2, 2), sn.Tanh())]).program(loss))
        counts.append(len(kept))
    assert counts[0] == counts[1] < 12
