"""What a prompt and a notebook show: a few lines of every noun, however large it is, and formulas where there are some."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symnet as sn

LINES, CHARACTERS = 8, 600


def answers() -> dict[str, Any]:
    net = sn.Sequential(sn.Linear(2, 3), sn.Tanh(), sn.Linear(3, 1), sn.Sigmoid())
    d = sn.derive(net, loss="mse")
    return {"net": net, "d": d, "fit": sn.fit(net, np.ones((4, 2)), np.ones((4, 1)), loss="mse", epochs=1, progress=False)}


MADE = answers()
NOUNS: dict[str, Callable[[], Any]] = {
    "a small derivation": lambda: sn.derive(sn.program("L = (w*x - y)**2")),
    **{f"the derivation of {name}": (lambda name=name: sn.load(name, check=False)) for name in ("transformer", "lstm", "digits", "depth", "first")},
    "its program": lambda: sn.load("transformer", check=False).program,
    "its gradients": lambda: sn.load("transformer", check=False).gradients,
    "a derivation at sizes": lambda: sn.load("mlp", check=False).instantiate({"N": 2, "d": 2, "h": 3, "k": 2}),
    "a line of many terms": lambda: sn.program("L = " + " + ".join(f"x{k}**2" for k in range(80))),
    "names of sixty letters": lambda: sn.derive(sn.program(f"L = ({'w' * 60}*{'x' * 60} - {'y' * 60})**2")),
    "a definition": lambda: MADE["d"].program.definitions[0],
    "a tensor": lambda: MADE["d"].program.inputs[0],
    "an axis": lambda: sn.Axis.of("d"),
    "a step": lambda: MADE["d"].steps[0],
    "a checked step": lambda: MADE["d"].steps[0].check(),
    "a formula": lambda: MADE["d"].gradients["W1"],
    "values": lambda: sn.load("first", check=False).at(),
    "a compiled function": lambda: MADE["d"].compile(),
    "a network": lambda: MADE["net"],
    "a fit": lambda: MADE["fit"],
    "a report": lambda: sn.report(MADE["d"], check=False),
    "a proof": lambda: sn.prove("loss-scaling"),
    "its lines": lambda: sn.prove("loss-scaling").proof,
    "a refutation": lambda: sn.prove("loss-scaling", optimizer="adam"),
    "a verdict": lambda: sn.check("x", sn.derive(sn.program("L = (w*x - y)**2"), wrt="w"), "w", timeout=None),
    "a page": lambda: sn.check_page("z1 = 3\nL = 4", "first", timeout=None),
    "an optimizer": lambda: sn.Adam(),
    "a schedule": lambda: sn.StepLR(3),
    "an imported model": lambda: sn.Imported(MADE["d"].program, {"W1": np.ones((2, 3))}, {"W1": "0.weight"}),
}


@pytest.mark.parametrize("noun", NOUNS.values(), ids=NOUNS)
def test_a_repr_is_a_few_lines(noun: Callable[[], Any]) -> None:
    shown = repr(noun())
    assert shown.count("\n") < LINES and 0 < len(shown) <= CHARACTERS and "object at 0x" not in shown


def test_a_derivation_shows_the_network_the_objective_and_the_gradients() -> None:
    assert repr(sn.derive(sn.program("z = w*x + b", "L = (z - y)**2"), wrt=["w", "b"])).split("\n") == [
        "Derivation of L by w, b (3 steps)", "  z = w*x + b", "  L = (z - y)**2", "  dL_dw = dL_dz*x", "  dL_db = dL_dz"]


@pytest.mark.parametrize("noun", ["a small derivation", "its program", "its gradients", "a formula", "a step", "an optimizer", "a schedule",
                                  "an imported model", "a derivation at sizes"])
def test_a_notebook_shows_formulas(noun: str) -> None:
    latex = NOUNS[noun]()._repr_latex_()
    assert latex.startswith("$") and latex.endswith("$") and "=" in latex and latex.count("{") == latex.count("}")


def test_a_notebook_shows_a_fit_as_a_table() -> None:
    assert "<td>W1</td>" in MADE["fit"]._repr_html_() and "<script" not in MADE["fit"]._repr_html_()
