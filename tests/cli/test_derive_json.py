"""The JSON of derive: exact strings with decimals beside them, and a size that grows with the number of definitions and no faster."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import mpmath
import pytest
import sympy as sp

import symnet as sn
from symnet import case_builder
from symnet.calculus.evaluate import Evaluation
from symnet.core import functions
from symnet.core.derivation import Derivation
from symnet.worksheet_loader import with_values


def valued(net: Any, steps: int = 1) -> Derivation:
    """A derivation with small decimals for every input."""
    d = sn.derive(net, loss=sn.MSELoss())
    sizes = {str(s): steps if str(s) == "T" else 1 for s in d.program.sizes}
    numbers = iter(range(1, 10_000))
    env = {s: sizes[str(s)] for s in d.program.sizes}

    def nested(shape: list[int]) -> Any:
        return f"{(next(numbers) * 37) % 19 - 9}/10" if not shape else [nested(shape[1:]) for _ in range(shape[0])]

    return with_values(d, {t.name: nested([int(n.xreplace(env)) for n in t.shape]) for t in d.program.inputs}, {"sizes": sizes})


def leaves(nested: Any) -> Iterator[dict[str, Any]]:
    if isinstance(nested, dict) and "decimal" in nested:
        yield nested
    else:
        for inner in nested.values() if isinstance(nested, dict) else nested:
            yield from leaves(inner)


def lstm(steps: int) -> Derivation:
    return valued(sn.Sequential(sn.LSTM(1, 1), sn.Linear(1, 1)), steps)


def test_a_two_step_lstm_with_values_is_written() -> None:
    made = json.loads(case_builder.report(lstm(2), format="json").json())
    found = list(leaves(made["values"]))
    assert len(found) > 90
    long = [v for v in found if v["exact"] is None]
    assert long and all("characters, more than 1,000: its decimal alone is given" in v["note"] for v in long)
    assert all(len(v["exact"]) < 1700 for v in found if v["exact"] is not None)
    assert made["objective"]["value"] in found


def test_size_and_work_grow_with_the_number_of_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice the steps: about twice the definitions at integer sizes, twice the text, twice the exact values that are made."""
    made: list[Any] = []
    original = Evaluation._make_exact
    monkeypatch.setattr(Evaluation, "_make_exact", lambda self, name, place: made.append((name, place)) or original(self, name, place))
    sizes, works, counts = [], [], []
    for steps in (2, 4, 8):
        made.clear()
        values = json.loads(case_builder.report(lstm(steps), format="json").json())["values"]
        sizes.append(len(json.dumps(values)))
        works.append(len(made))
        counts.append(sum(1 for _ in leaves(values)))
    for small, large in ((0, 1), (1, 2)):
        grown = counts[large] / counts[small]
        assert sizes[large] / sizes[small] < 1.3 * grown
        assert works[large] / works[small] < 1.3 * grown


def test_exact_and_decimal_are_the_same_number() -> None:
    names = {f.__name__: f for f in (functions.sigmoid, functions.relu, functions.softplus)}
    made = json.loads(case_builder.report(valued(sn.Sequential(sn.Linear(2, 2), sn.Sigmoid(), sn.Linear(2, 1))), format="json").json())
    checked = 0
    for value in leaves(made["values"]):
        if value["exact"] is not None and "exp" not in value["exact"] and len(value["exact"]) < 300:
            exact = sp.sympify(value["exact"], locals=names)  # a text of ours, not a user's
            with mpmath.workdps(45):
                number = mpmath.mpf(str(sp.N(exact.rewrite(sp.exp).replace(functions.sigmoid, lambda z: 1 / (1 + sp.exp(-z))), 40)))
                assert abs(number - mpmath.mpf(value["decimal"])) <= abs(number) * mpmath.mpf(10) ** -29
            checked += 1
    assert checked > 20
    digits = [v["decimal"].lstrip("-0.").replace(".", "") for v in leaves(made["values"]) if v["exact"] and "(" in v["exact"]]
    assert digits and all(len(d.partition("e")[0]) >= 30 for d in digits)
