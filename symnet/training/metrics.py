"""What is measured of predictions beside the loss: each is a function of targets and outputs, one sample a row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

import numpy as np

from symnet.core.functions import softplus
from symnet.core.program import Program
from symnet.core.tensors import Role
from symnet.errors import OptionError, did_you_mean, shown

Array = np.ndarray[Any, Any]
Metric: TypeAlias = Callable[[Array, Array], float]


def mse(targets: Array, outputs: Array) -> float:
    """The mean of the squared differences."""
    return float(np.mean((outputs - targets) ** 2))


def rmse(targets: Array, outputs: Array) -> float:
    """Its root."""
    return float(np.sqrt(mse(targets, outputs)))


def mae(targets: Array, outputs: Array) -> float:
    """The mean of the absolute differences."""
    return float(np.mean(np.abs(outputs - targets)))


def r2(targets: Array, outputs: Array, weights: Array | None = None) -> float:
    """1 - Σ (y - a)²/Σ (y - ȳ)², the mean over the columns; 1 or 0 for a column without spread (scikit-learn's r2_score)."""
    gaps = np.average((targets - outputs) ** 2, axis=0, weights=weights)
    spread = np.average((targets - np.average(targets, axis=0, weights=weights)) ** 2, axis=0, weights=weights)
    shares = np.where(spread > 0, 1 - gaps / np.where(spread > 0, spread, 1), np.where(gaps == 0, 1.0, 0.0))
    return float(np.mean(shares))


def accuracy(targets: Array, outputs: Array, weights: Array | None = None) -> float:
    """The share of samples whose class is found; of rows of several labels, those that are right in all of them."""
    same = targets == outputs
    return float(np.average(same if same.ndim < 2 else same.all(axis=1), weights=weights))


def f1(targets: Array, outputs: Array) -> float:
    """The mean over the classes of 2 TP/(2 TP + FP + FN), 0 where a class is neither there nor found (scikit-learn's macro average)."""
    found = []
    for c in np.unique(np.concatenate([np.ravel(targets), np.ravel(outputs)])):
        hit = np.sum((targets == c) & (outputs == c))
        every = np.sum(targets == c) + np.sum(outputs == c)
        found.append(2 * hit / every if every else 0.0)
    return float(np.mean(found))


OF_NUMBERS: dict[str, Metric] = {"mse": mse, "rmse": rmse, "mae": mae, "r2": r2}
OF_CLASSES: dict[str, Metric] = {"accuracy": accuracy, "f1": f1}
Metrics: TypeAlias = str | Metric | Iterable[str | Metric] | None


def metrics_of(asked: Metrics, program: Program) -> dict[str, Metric]:
    """The functions by name; those of classes see the classes that targets and outputs stand for."""
    if asked is None:
        return {}
    every = [asked] if isinstance(asked, str) or callable(asked) else list(asked)
    known = [*OF_NUMBERS, *OF_CLASSES]
    found: dict[str, Metric] = {}
    for one in every:
        if callable(one):
            found[getattr(one, "__name__", "metric").strip("<>")] = one
        elif one in OF_NUMBERS:
            found[one] = OF_NUMBERS[one]
        elif one in OF_CLASSES:
            found[one] = _of_classes(OF_CLASSES[one], program)
        else:
            raise OptionError("metrics", shown(one), "a function of targets and outputs, or one of " + ", ".join(known),
                              did_you_mean(one, known))
    return found


def _of_classes(metric: Metric, program: Program) -> Metric:
    at_zero = any(d.expr.has(softplus) for d in program.definitions if d.name == program.objective)  # the output is a log-odds

    def measured(targets: Array, outputs: Array) -> float:
        return metric(*classes(targets, outputs, at_zero))

    return measured


def classes(targets: Array, outputs: Array, at_zero: bool = False) -> tuple[Array, Array]:
    """The classes of targets and outputs: whole numbers and one-hot rows against the largest output, else each entry on its side.

    >>> classes(np.array([[0, 1], [1, 0]]), np.array([[0.2, 0.8], [0.1, 0.9]]))
    (array([1, 0]), array([1, 1]))
    """
    if outputs.ndim == targets.ndim + 1:
        return targets, outputs.argmax(axis=-1)
    if targets.ndim == 2 and targets.shape[1] > 1 and one_hot(targets):
        return targets.argmax(axis=1), outputs.argmax(axis=1)
    low, high = (float(targets.min()), float(targets.max())) if targets.size else (0.0, 1.0)
    low = min(low, 0.0) if high > 0 else low
    middle = 0.0 if at_zero or low < 0 else 0.5
    return targets > middle, outputs > middle


def one_hot(rows: Array) -> bool:
    """Is there one 1 in each row, and 0 elsewhere?"""
    return bool(((rows == 0) | (rows == 1)).all() and (rows.sum(axis=1) == 1).all())


def target_name(program: Program) -> str | None:
    """The name of the first target."""
    return next((t.name for t in program.inputs if t.role is Role.TARGET), None)


def measured(metrics: Mapping[str, Metric], targets: Array, outputs: Array, before: str = "") -> dict[str, float]:
    """Each metric by its name, with ``before`` in front. Raises OptionError for one that gives no number."""
    found = {}
    for name, metric in metrics.items():
        try:
            value: Any = metric(targets, outputs)
        except Exception as error:  # a user's function may raise anything
            raise OptionError(f"metric {name}", f"{type(error).__name__}: {error}", "a function of targets and outputs") from None
        if np.ndim(value) or np.asarray(value).dtype.kind not in "biuf":
            raise OptionError(f"metric {name}", shown(value), "a function of targets and outputs that gives a number")
        found[before + name] = float(value)
    return found
