"""Train as a worksheet says: its data, optimizer and settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from symnet.core.derivation import Derivation
from symnet.errors import WorksheetError
from symnet.training.data import dataset
from symnet.training.fit import Fit, fit


def train_sheet(derivation: Derivation, changes: Mapping[str, Any], progress: bool | None = None) -> Fit:
    """A fit by the [training] table of a worksheet, with ``changes`` on top. Raises WorksheetError when it has none."""
    spec = {**(derivation.meta.get("training") or {}), **changes}
    if not derivation.meta.get("training"):
        raise WorksheetError("train", "no [training] in this worksheet", "a [training] table", "symnet train xor")
    name = spec.get("data", "values")
    data = () if name == "values" else dataset(name)
    settings = {"momentum": spec["momentum"]} if "momentum" in spec else {}
    return fit(derivation, *data, optimizer=spec.get("optimizer", "sgd"), lr=spec.get("learning_rate"),
               epochs=spec.get("epochs", 100), batch_size=spec.get("batch_size"), seed=spec.get("seed", 0),
               progress=progress, **settings)
