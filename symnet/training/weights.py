"""The weights of samples, given one by one or by their classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np

from symnet.errors import OptionError, ShapeError, shown
from symnet.training.finite_data import check_finite
from symnet.training.metrics import one_hot

Array = np.ndarray[Any, Any]
ClassWeight: TypeAlias = Mapping[Any, Any] | str | None


def sample_weights(given: Any, by_class: ClassWeight, targets: Array | None, count: int) -> Array | None:
    """One weight a sample, those of classes times those of samples; None where neither is given. Raises OptionError or ShapeError."""
    if given is None and by_class is None:
        return None
    weights = np.ones(count)
    if given is not None:
        try:
            weights = np.array(given, dtype=float)
        except (TypeError, ValueError, OverflowError) as error:
            raise ShapeError("sample_weight", str(error), f"{count} numbers") from None
        if weights.shape != (count,):
            raise ShapeError("sample_weight", f"shape {weights.shape}", f"{count} numbers, one a sample")
        check_finite("fit", "sample_weight", weights)
        if (weights < 0).any():
            raise OptionError("sample_weight", f"{weights.min():g} at {int(weights.argmin())}", "numbers of at least 0")
    if by_class is not None:
        weights = weights * _by_class(by_class, targets)
    if not weights.any():
        raise OptionError("sample_weight", "no weight above 0", "a sample that counts")
    return weights


def _by_class(given: Mapping[Any, Any] | str, targets: Array | None) -> Array:
    if targets is None:
        raise OptionError("class_weight", "no targets", "Y, the classes of the samples")
    labels = class_labels(targets)
    found, places, counts = np.unique(labels, return_inverse=True, return_counts=True)
    if isinstance(given, str):
        if given != "balanced":
            raise OptionError("class_weight", shown(given), '"balanced", or a table {class: weight}')
        even: Array = len(labels) / (len(found) * counts)
        return np.asarray(even[places])
    if not isinstance(given, Mapping):
        raise OptionError("class_weight", shown(given), '"balanced", or a table {class: weight}')
    there = {float(c) for c in found}
    for c, w in given.items():
        if isinstance(w, bool) or not isinstance(w, (int, float)) or not 0 <= w < np.inf:
            raise OptionError(f"class_weight of {shown(c)}", shown(w), "a number of at least 0")
        if isinstance(c, str) or float(c) not in there:
            raise OptionError("class_weight", f"no sample of the class {shown(c)}", "one of " + ", ".join(f"{x:g}" for x in found[:20]))
    weights: Array = np.array([float(given.get(int(c), given.get(c, 1.0))) for c in found])
    return weights[places]


def class_labels(targets: Array) -> Array:
    """The class of each sample: whole numbers as they are, the column of a 1 in a row."""
    values = np.asarray(targets, dtype=float)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim == 2 and one_hot(values):
        return np.asarray(values.argmax(axis=1))
    if values.ndim != 1 or (values != np.floor(values)).any():
        raise OptionError("class_weight", f"targets of shape {values.shape}", "class labels, or rows with one 1 each")
    return values
