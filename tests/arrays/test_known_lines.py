"""What is worked out of one line serves the others of its shape: compiled code is the same as where every line is worked out by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import symnet as sn
from symnet.arrays import known_lines
from symnet.arrays.stable import rewritings, stable
from symnet.core.program import Program
from symnet.networks.architectures import lstm, unrolled_mlp


def layers(activation: Any) -> Program:
    """Three layers of one kind, and the gradients."""
    parts = [part for _ in range(3) for part in (sn.Linear(3, 3), activation)]
    return sn.derive(sn.Sequential(*parts), loss=sn.CrossEntropyLoss()).full


# pairs of lines that look alike, of which one is to be written otherwise because of what its names stand for
UNLIKE = (
    "p = 1/(1 + exp(-x))\nq = x**2 + 2\na = log(1 - p)\nb = log(1 - q)\nL = a + b",
    "p = 1/(1 + exp(-x))\nq = exp(x)\na = log(1 - p)\nb = log(1 + q)\nc = log(1 + p)\nL = a + b + c",
    "u = sqrt(x**2 + y**2)\nv = sqrt(x + y + 3)\na = x/u\nb = x/v\nL = a + b",
    "s = exp(x)\nt = exp(y)\nc = cosh(x)\na = s/(1 + s)\nb = t/(1 + t)\nd = c/(1 + c)\nL = a + b + d",
    "m = x**2\nn = y\na = n*log(n**2)\nb = m*log(m**2)\nL = a + b",
)
PROGRAMS: dict[str, Callable[[], Program]] = {
    "tanh": lambda: sn.derive(unrolled_mlp(2, 5)).full,
    "sigmoid": lambda: layers(sn.Sigmoid()), "relu": lambda: layers(sn.ReLU()), "gelu": lambda: layers(sn.GELU()),
    "softplus": lambda: layers(sn.Softplus()), "softmax": lambda: layers(sn.Softmax()), "norms": lambda: layers(sn.LayerNorm(3)),
    "lstm": lambda: sn.derive(lstm(2, 2)).full,
    **{f"unlike {k}": (lambda text=text: sn.derive(sn.program(text)).full) for k, text in enumerate(UNLIKE)},  # type: ignore[misc]
}


def by_itself(self: known_lines.KnownLines, what: str, d: Any, make: Callable[[], Any]) -> tuple[Any, None]:
    """Nothing is known of other lines."""
    held, self.open = self.open, []
    try:
        return make(), None
    finally:
        self.open = held


@pytest.mark.parametrize("name", PROGRAMS)
def test_what_is_known_of_others_changes_nothing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    program = PROGRAMS[name]()
    together = str(stable(program)), [r.rules for r in rewritings(program)]
    monkeypatch.setattr(known_lines.KnownLines, "work_out", by_itself)
    assert together == (str(stable(program)), [r.rules for r in rewritings(program)])


def test_a_layer_is_worked_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many lines are worked out for 4 layers as for 12."""
    counts = []
    plain = known_lines.KnownLines.work_out

    def counted(self: known_lines.KnownLines, what: str, d: Any, make: Callable[[], Any]) -> tuple[Any, Any]:
        return plain(self, what, d, lambda: (counts.append(what), make())[1])

    monkeypatch.setattr(known_lines.KnownLines, "work_out", counted)
    found = []
    for depth in (4, 12):
        counts.clear()
        stable(sn.derive(unrolled_mlp(2, depth)).full)
        found.append(counts.count("line"))
    assert found[0] == found[1] < 20
