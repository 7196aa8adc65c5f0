"""scikit-learn itself, imported here alone: its digits, and what an estimator is made of."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from typing import Any

from symnet.errors import MissingToolError


def load_digits() -> tuple[Any, Any]:
    """1797 images of 8 x 8 grey values in 0..16 and their classes. Raises MissingToolError without scikit-learn."""
    try:
        from sklearn.datasets import load_digits as load
    except ImportError:
        raise MissingToolError("digits", "scikit-learn is not installed", "scikit-learn", "pip install 'symnet[data]'") from None
    images, labels = load(return_X_y=True)
    return images, labels


class Absent:
    """In place of a class of scikit-learn where it is not installed: the estimators can be named, and say so when they are fitted."""


@lru_cache(maxsize=1)
def bases() -> tuple[Any, Any, Any]:
    """BaseEstimator, ClassifierMixin and RegressorMixin."""
    try:
        base = import_module("sklearn.base")
    except ImportError:
        return Absent, type("NoClassifier", (), {}), type("NoRegressor", (), {})
    return base.BaseEstimator, base.ClassifierMixin, base.RegressorMixin


@dataclass(frozen=True, slots=True)
class EstimatorParts:
    """The functions that an estimator calls."""

    validate_data: Any
    check_is_fitted: Any
    check_random_state: Any
    check_classification_targets: Any
    check_sample_weight: Any
    column_or_1d: Any
    binarizer: Any
    train_test_split: Any
    convergence_warning: Any


@lru_cache(maxsize=1)
def estimator_parts(who: str = "SymbolicMLPClassifier") -> EstimatorParts:
    """What is needed to fit. Raises MissingToolError without scikit-learn 1.6."""
    try:
        utils, validation, multiclass = (import_module(f"sklearn.utils{n}") for n in ("", ".validation", ".multiclass"))
        return EstimatorParts(validation.validate_data, validation.check_is_fitted, utils.check_random_state,
                              multiclass.check_classification_targets, validation._check_sample_weight, utils.column_or_1d,
                              import_module("sklearn.preprocessing").LabelBinarizer,
                              import_module("sklearn.model_selection").train_test_split,
                              import_module("sklearn.exceptions").ConvergenceWarning)
    except (ImportError, AttributeError):
        raise MissingToolError(who, "no scikit-learn of version 1.6 or newer", "scikit-learn", "pip install 'symnet[data]'") from None
