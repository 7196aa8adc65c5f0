"""The loss and the metrics of a set of data, as in evaluation: nothing is dropped, and normalization uses its running statistics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, final

import numpy as np

from symnet.errors import ShapeError
from symnet.training.masks import Masks
from symnet.training.metrics import Metric, measured, target_name
from symnet.training.models import Model
from symnet.training.running import Running

Array = np.ndarray[Any, Any]


@final
class Evaluation:
    """Of one set of data; ``before`` is put in front of the names of its values ("val_")."""

    def __init__(self, model: Model, data: Mapping[str, Array], masks: Masks, metrics: Mapping[str, Metric], before: str = "") -> None:
        self.model, self.data, self.masks, self.metrics, self.before = model, data, masks, metrics, before
        self._still: dict[str, Array] | None = None

    def values(self, params: Mapping[str, Array], running: Running) -> dict[str, float]:
        """The loss, and the metrics of the output against the first target."""
        if self.metrics:
            loss, output = self._called(self.model.loss_and_output, params, running)
            target = self.data.get(target_name(self.model.derivation.program) or "")
            if target is None:
                raise ShapeError("metrics", "a program without a target", "a network with a loss")
            return {f"{self.before}loss": float(loss), **measured(self.metrics, target, np.asarray(output), self.before)}
        return {f"{self.before}loss": float(self._called(self.model.loss, params, running))}

    def _called(self, function: Any, params: Mapping[str, Array], running: Running) -> Any:
        known = {**self.data, **params}
        if self._still is None:
            self._still = self.masks.still(known, self.model.derivation.program.inputs)
        try:  # what does not fit the network is a ValueError of the compiled function
            return function(**known, **self._still, **running.values)
        except ValueError as error:
            raise ShapeError("fit", str(error), "arrays that fit the network") from None
