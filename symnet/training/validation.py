"""A part of the samples kept apart, to see what a run has learnt of what it does not train on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from symnet.errors import OptionError, ShapeError, shown

Array = np.ndarray[Any, Any]
STREAM = 1  # of the seed's random numbers: the batches of a run are the same with a split and without


def split(data: Mapping[str, Array], names: tuple[str, ...], share: Any, seed: int) -> tuple[dict[str, Array], dict[str, Array]]:
    """(what is trained on, what is kept apart): ``share`` of the rows of ``names``, drawn by the seed; their order stays."""
    if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 < share < 1:
        raise OptionError("validation_split", shown(share), "a number between 0 and 1")
    count = len(data[names[0]]) if names and np.ndim(data[names[0]]) else 0
    kept = round(count * share)
    if not 0 < kept < count:
        raise ShapeError("validation_split", f"{share} of {count} samples", "at least one sample on either side")
    apart = np.zeros(count, dtype=bool)
    apart[np.random.default_rng([seed, STREAM]).permutation(count)[:kept]] = True

    def part(rows: Array) -> dict[str, Array]:
        return {n: a[rows] if n in names else a for n, a in data.items()}

    return part(~apart), part(apart)
