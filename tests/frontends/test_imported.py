"""What all readers share: the Imported model, and a plain word where a framework is not installed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.errors import MissingToolError
from symnet.frontends.parameter_names import parameter_names

READERS: dict[str, Callable[[], Any]] = {
    "jax": lambda: sn.from_jax(lambda x: x, (np.ones(2),)),
    "torch": lambda: sn.from_torch(None, ()),
    "onnx": lambda: sn.from_onnx(None),
}


@pytest.mark.parametrize("library", READERS)
def test_without_the_framework_its_reader_says_how_to_get_it(library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingToolError, match=f"pip install {library}"):
        READERS[library]()


def test_derive_takes_a_model_that_was_read() -> None:
    model = sn.Imported(sn.program("L = (w*x - 1)**2"), {"w": np.array(2.0)}, {"w": "weight"})
    assert sn.derive(model, wrt=["w"]).compile()(model.values, 3.0)[0] == 25.0


@pytest.mark.parametrize(("paths", "names"), [
    ([("0.weight", 2), ("0.bias", 1), ("2.weight", 2)], ["W1", "b1", "W2"]),
    ([("norm.weight", 1), ("norm.bias", 1)], ["g1", "b1"]),
    ([("weight", 2), ("bias", 1)], ["W1", "b1"]),
    ([("a.scale", 1), ("a_scale", 1)], ["a_scale", "a_scale_"]),
    ([("3", 1), ("x:y/z", 2)], ["p_3", "x_y_z"]),
])
def test_names_are_short_and_different(paths: list[tuple[str, int]], names: list[str]) -> None:
    assert parameter_names(paths) == names
