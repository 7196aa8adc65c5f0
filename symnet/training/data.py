"""Small data sets: XOR, the ages, and scikit-learn's digits."""

from __future__ import annotations

from typing import Any

import numpy as np

from symnet.errors import OptionError, did_you_mean
from symnet.training.sklearn_library import load_digits

Arrays = tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]


def xor() -> Arrays:
    """The four cases of exclusive or."""
    return np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), np.array([[0.0], [1], [1], [0]])


def ages() -> Arrays:
    """Five ages in tens of years, and whether the person has the condition."""
    return np.array([[2.0], [3], [4], [5], [6]]), np.array([[0.0], [0], [1], [1], [1]])


def digits() -> Arrays:
    """1797 images of 8 x 8 grey values in 0..1, targets one-hot (scikit-learn; Alpaydin & Kaynak 1998)."""
    images, labels = load_digits()
    return images / 16.0, np.eye(10)[labels]


SETS = {"xor": xor, "ages": ages, "digits": digits}


def dataset(name: str) -> Arrays:
    """A data set by name: (X, Y), one sample a row."""
    if name not in SETS:
        raise OptionError("data", f"{name[:60]!r}", "one of " + ", ".join(SETS), did_you_mean(name, SETS))
    return SETS[name]()
