"""scikit-learn's estimators, trained by symnet: the gradients are derived, the updates are the optimizers' own programs."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any, Self, TypeAlias

import numpy as np
import sympy as sp

from symnet.core.derivation import Derivation
from symnet.core.expressions import as_written
from symnet.errors import OptionError, did_you_mean, shown
from symnet.networks.optimizer_program import Optimizer, symbol, update_rule
from symnet.networks.optimizers import OPTIMIZERS, optimizer
from symnet.training.callbacks import Epoch
from symnet.training.loop import Loop, Plan
from symnet.training.metrics import accuracy, r2
from symnet.training.models import model_of
from symnet.training.perceptrons import perceptron
from symnet.training.sklearn_library import bases, estimator_parts

Array = np.ndarray[Any, Any]
Score: TypeAlias = Callable[[Array, Array, Array | None], float]  # of targets, outputs and the weights of samples
BaseEstimator, ClassifierMixin, RegressorMixin = bases()
RATES = ("constant", "invscaling", "adaptive")
LEAST_RATE = 1e-6  # below it an adaptive rate ends the run


class _SymbolicMLP(BaseEstimator):  # type: ignore[misc, valid-type]
    """What both have in common. Arguments, attributes and their meaning are those of scikit-learn's MLPClassifier and MLPRegressor."""

    def __init__(self, hidden_layer_sizes: int | Sequence[int] = (100,), activation: str = "relu", *, solver: str = "adam",
                 alpha: float = 0.0001, batch_size: int | str = "auto", learning_rate: str = "constant", learning_rate_init: float = 0.001,
                 power_t: float = 0.5, max_iter: int = 200, shuffle: bool = True, random_state: Any = None, tol: float = 1e-4,
                 verbose: bool = False, warm_start: bool = False, momentum: float = 0.9, nesterovs_momentum: bool = True,
                 early_stopping: bool = False, validation_fraction: float = 0.1, beta_1: float = 0.9, beta_2: float = 0.999,
                 epsilon: float = 1e-8, n_iter_no_change: int = 10) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change

    @property
    def derivation(self) -> Derivation:
        """The gradients that the fit went by, step by step; ``sn.report`` tells them."""
        estimator_parts().check_is_fitted(self)
        return perceptron(len(self.coefs_) - 1, self.activation, self.out_activation_)

    def _trained(self, X: Array, Y: Array, weights: Array | None, strata: Array | None, score: Score) -> None:
        """Fit the parameters to rows of X and Y; ``score`` judges the part that early stopping keeps apart."""
        parts, hidden = estimator_parts(), _checked(self)
        if weights is not None:
            rows = weights > 0
            if (weights < 0).any() or not rows.any():
                raise OptionError("sample_weight", f"a smallest weight of {weights.min():g}", "numbers of at least 0, not all of them 0")
            X, Y, weights = X[rows], Y[rows], weights[rows]
            strata = None if strata is None else strata[rows]
        random = parts.check_random_state(self.random_state)
        derivation = perceptron(len(hidden), self.activation, self.out_activation_, weights is not None)
        start = self._start(derivation, [X.shape[1], *hidden, Y.shape[1]], random)
        s = "" if weights is None else next(t.name for t in derivation.program.inputs if t.name not in (*derivation.wrt, "X", "Y", "alpha"))
        data: dict[str, Array] = {"X": X, "Y": Y, **({} if weights is None else {s: weights})}
        valid: dict[str, Array] | None = None
        if self.early_stopping:
            kept, apart = parts.train_test_split(np.arange(len(X)), random_state=random, stratify=strata,
                                                 test_size=self.validation_fraction)
            if len(apart) < 2:
                raise OptionError("validation_fraction", f"{len(apart)} samples", "at least two", "a larger share, or more data")
            data, valid = ({n: a[rows] for n, a in data.items()} for rows in (kept, apart))
        count = len(data["X"])
        size = 200 if self.batch_size == "auto" else int(self.batch_size)
        if self.batch_size != "auto" and size > count:
            warnings.warn(f"batch_size={size} is more than the {count} samples: each step takes all of them", stacklevel=3)
        size = min(size, count)
        watch = _Watch(self, valid, None if valid is None else valid.get(s), score, count)
        plan = Plan(derivation, _rule(self), {**data, "alpha": np.asarray(float(self.alpha))}, None, size, 0, bool(self.shuffle),
                    str(X.dtype), "during", callbacks=(watch.sees,), progress=False)
        loop = watch.loop = Loop(plan, start, np.random.default_rng(random.randint(np.iinfo(np.int32).max)))
        loop.run(self.max_iter)
        if watch.best is not None:
            loop.steps.params.whole[:] = watch.best
        self._keep(loop, watch, parts.convergence_warning)

    def _start(self, derivation: Derivation, widths: list[int], random: Any) -> dict[str, Array]:
        """Uniform in ±√(6/(inputs + outputs)), with 2 for 6 where the activation is logistic, biases too (Glorot & Bengio 2010)."""
        if self.warm_start and hasattr(self, "coefs_"):
            found = self._params()
            if [found[f"W{k + 1}"].shape for k in range(len(widths) - 1)] == list(pairwise(widths)):
                return found
        made: dict[str, Array] = {}
        for k, (n, m) in enumerate(pairwise(widths), start=1):
            bound = math.sqrt((2 if self.activation == "logistic" else 6) / (n + m))
            made[f"W{k}"], made[f"b{k}"] = random.uniform(-bound, bound, (n, m)), random.uniform(-bound, bound, m)
        return made

    def _keep(self, loop: Loop, watch: _Watch, warning: Any) -> None:
        found = loop.steps.params.copies()
        depth = len(found) // 2
        self.coefs_ = [found[f"W{k}"] for k in range(1, depth + 1)]
        self.intercepts_ = [found[f"b{k}"] for k in range(1, depth + 1)]
        self.loss_curve_ = list(loop.history["loss"][1:])
        self.loss_ = self.loss_curve_[-1] if self.loss_curve_ else math.nan
        self.best_loss_ = None if self.early_stopping else min(self.loss_curve_, default=math.nan)
        self.validation_scores_ = watch.scores if self.early_stopping else None
        self.best_validation_score_ = watch.best_score if self.early_stopping else None
        self.n_iter_, self.t_ = loop.epoch, loop.epoch * watch.count
        self.n_layers_, self.n_outputs_ = depth + 1, self.coefs_[-1].shape[1]
        if loop.epoch == self.max_iter and not loop.stopped:
            warnings.warn(f"Stochastic Optimizer: Maximum iterations ({self.max_iter}) reached and the optimization hasn't converged yet.",
                          warning, stacklevel=4)

    def _params(self) -> dict[str, Array]:
        by_letter = {"W": self.coefs_, "b": self.intercepts_}
        return {f"{letter}{k}": a for letter, arrays in by_letter.items() for k, a in enumerate(arrays, start=1)}

    def _outputs(self, X: Any, checked: bool = True) -> Array:
        """The last line of the network for rows X."""
        parts = estimator_parts()
        if checked:
            parts.check_is_fitted(self)
            X = parts.validate_data(self, X, dtype=(np.float64, np.float32), reset=False)
        model = model_of(self.derivation, str(self.coefs_[0].dtype))
        made: Array = model.output(X=X, **self._params())
        return made


class _Watch:
    """When a fit ends, as scikit-learn has it: after ``n_iter_no_change`` epochs without a gain of ``tol``, and one more."""

    def __init__(self, model: _SymbolicMLP, valid: Mapping[str, Array] | None, weights: Array | None, score: Score, count: int) -> None:
        self.model, self.valid, self.weights, self.score, self.count = model, valid, weights, score, count
        self.loop: Loop | None = None
        self.best_loss, self.best_score, self.waited = math.inf, -math.inf, 0
        self.scores: list[float] = []
        self.best: Array | None = None

    def sees(self, epoch: Epoch) -> bool:
        """Is it time to stop?"""
        model, loop = self.model, self.loop
        if loop is None:
            return False
        loss = epoch.values["loss"]
        if model.verbose:
            print(f"Iteration {epoch.number}, loss = {loss:.8f}")
        if self.valid is None:
            better = loss <= self.best_loss - model.tol
            self.best_loss = min(self.best_loss, loss)
        else:
            value = self.score(self.valid["Y"], loop.model.output(X=self.valid["X"], **loop.params), self.weights)
            better = value >= self.best_score + model.tol
            self.scores.append(value)
            if value > self.best_score:
                self.best_score, self.best = value, loop.steps.params.whole.copy()
            if model.verbose:
                print(f"Validation score: {value:f}")
        self.waited = 0 if better else self.waited + 1
        return self._rate(loop, epoch.number) and self.waited > model.n_iter_no_change

    def _rate(self, loop: Loop, epoch: int) -> bool:
        """The learning rate of the next epoch; may the run stop?"""
        model, numbers = self.model, loop.steps.numbers
        if model.solver != "sgd" or model.learning_rate == "constant":
            return True
        if model.learning_rate == "invscaling":
            numbers["lr"] = float(model.learning_rate_init) / (epoch * self.count + 1) ** model.power_t
            return True
        if self.waited > model.n_iter_no_change and numbers["lr"] > LEAST_RATE:
            numbers["lr"] /= 5
            self.waited = 0
            return False
        return True


@lru_cache(maxsize=32)
def _optimizer(solver: str, settings: tuple[tuple[str, float], ...]) -> Optimizer:
    return _adam(**dict(settings)) if solver == "adam" else optimizer(solver, **dict(settings))


def _adam(**settings: float) -> Optimizer:
    """w_new = w - lr √(1 - β₂^t)/(1 - β₁^t) m_new/(√v_new + ε): scikit-learn's Adam, in which ε is not corrected for the step.

    Source: Kingma & Ba 2015, the end of section 2. PyTorch's, and sn.Adam, is that of algorithm 1.
    """
    m, v, lr, b1, b2, eps, t, g, w = (symbol(n) for n in ("m", "v", "lr", "beta1", "beta2", "eps", "t", "g", "w"))
    with as_written():
        rate = lr * sp.sqrt(1 - b2**t) / (1 - b1**t)
        lines = {"m_new": b1 * m + (1 - b1) * g, "v_new": b2 * v + (1 - b2) * g**2, "lr_t": rate,
                 "w_new": w - symbol("lr_t") * symbol("m_new") / (sp.sqrt(symbol("v_new")) + eps)}
    return update_rule("Adam", lines, (("m", "m_new"), ("v", "v_new")), settings, counts=True)


def _rule(model: _SymbolicMLP) -> Optimizer:
    """The update that the arguments describe. "sgd" with momentum keeps the rate inside, as scikit-learn does."""
    rate = float(model.learning_rate_init)
    if model.solver == "adam":
        betas = ("beta1", float(model.beta_1)), ("beta2", float(model.beta_2))
        return _optimizer("adam", (("lr", rate), *betas, ("eps", float(model.epsilon))))
    if model.solver == "sgd":
        if not model.momentum:
            return _optimizer("sgd", (("lr", rate),))
        return _optimizer("nesterov" if model.nesterovs_momentum else "heavyball", (("lr", rate), ("momentum", float(model.momentum))))
    return _optimizer(model.solver, (("lr", rate),))


def _checked(model: _SymbolicMLP) -> list[int]:
    """The widths of the hidden layers. Raises OptionError for an argument that does not fit."""
    given = model.hidden_layer_sizes
    hidden = [int(h) for h in given] if isinstance(given, Iterable) else [int(given)]
    if any(h < 1 for h in hidden):
        raise OptionError("hidden_layer_sizes", shown(given), "whole numbers of at least 1")
    if model.solver not in OPTIMIZERS:
        hint = "SymbolicMLPClassifier(solver='adam')" if model.solver == "lbfgs" else did_you_mean(model.solver, OPTIMIZERS)
        raise OptionError("solver", shown(model.solver), "one of " + ", ".join(OPTIMIZERS), hint)
    if model.learning_rate not in RATES:
        raise OptionError("learning_rate", shown(model.learning_rate), "one of " + ", ".join(RATES),
                          did_you_mean(model.learning_rate, RATES))
    least: dict[str, float] = {"alpha": 0, "max_iter": 1, "tol": 0, "n_iter_no_change": 1, "learning_rate_init": 0, "power_t": 0,
                               "momentum": 0}
    if model.batch_size != "auto":
        least["batch_size"] = 1
    for name, low in least.items():
        value = getattr(model, name)
        if isinstance(value, (str, bool)) or not value >= low:
            raise OptionError(name, shown(value), f"a number of at least {low:g}")
    if not 0 < model.validation_fraction < 1:
        raise OptionError("validation_fraction", shown(model.validation_fraction), "a number between 0 and 1")
    return hidden


class SymbolicMLPClassifier(ClassifierMixin, _SymbolicMLP):  # type: ignore[misc, valid-type]
    """scikit-learn's MLPClassifier, trained by symnet: the same arguments, the same objective, the same rule when to stop.

    ``solver`` is "adam", "sgd" or the name of any other optimizer of symnet; ``activation`` also "gelu", "silu", "elu", "selu" or
    "softplus"; "lbfgs" is not there. ``fit(X, y, sample_weight)`` takes classes of any kind, or an indicator matrix of several labels;
    ``coefs_``, ``intercepts_``, ``loss_curve_``, ``n_iter_`` and the others are scikit-learn's. ``derivation`` is what was derived. Needs
    scikit-learn 1.6 (extra ``data``). Raises OptionError, a ValueError, for an argument that does not fit.

    >>> import symnet as sn
    >>> X, y = [[0.0, 0], [1, 1], [0, 1], [1, 0]], ["no", "no", "yes", "yes"]
    >>> made = sn.SymbolicMLPClassifier((8,), "tanh", learning_rate_init=0.05, random_state=1).fit(X, y)
    >>> made.predict([[1, 0], [1, 1]]).tolist()
    ['yes', 'no']
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit to rows of X and their classes y."""
        parts = estimator_parts()
        X, y = parts.validate_data(self, X, y, multi_output=True, dtype=(np.float64, np.float32))
        parts.check_classification_targets(y)
        weights = None if sample_weight is None else parts.check_sample_weight(sample_weight, X, dtype=X.dtype)
        if y.ndim == 2 and y.shape[1] == 1:
            y = parts.column_or_1d(y, warn=True)
        self._label_binarizer = parts.binarizer().fit(y)
        self.classes_ = self._label_binarizer.classes_
        Y = np.ascontiguousarray(self._label_binarizer.transform(y), dtype=X.dtype)
        several = self._label_binarizer.y_type_.startswith("multilabel")
        self.out_activation_ = "logistic" if several or Y.shape[1] == 1 else "softmax"
        self._trained(X, Y, weights, None if several else y, self._found)
        return self

    def _found(self, targets: Array, outputs: Array, weights: Array | None) -> float:
        if self.out_activation_ == "softmax":
            return accuracy(targets.argmax(axis=1), outputs.argmax(axis=1), weights)
        return accuracy(targets > 0.5, outputs > 0, weights)

    def predict(self, X: Any) -> Array:
        """The class of each row."""
        out = self._outputs(X)
        if self.out_activation_ == "softmax":
            return np.asarray(self.classes_[out.argmax(axis=1)])
        found = (out > 0).astype(int)  # log-odds
        return found if found.shape[1] > 1 else np.asarray(self.classes_[found[:, 0] if len(self.classes_) > 1 else 0 * found[:, 0]])

    def predict_proba(self, X: Any) -> Array:
        """The probability of each class, or of each label."""
        out = self._outputs(X)
        if self.out_activation_ == "softmax":
            return out
        odds = np.exp(-np.logaddexp(0, -out))
        return odds if odds.shape[1] > 1 else np.column_stack([1 - odds[:, 0], odds[:, 0]])

    def predict_log_proba(self, X: Any) -> Array:
        """Its logarithm."""
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(self.predict_proba(X)))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


class SymbolicMLPRegressor(RegressorMixin, _SymbolicMLP):  # type: ignore[misc, valid-type]
    """scikit-learn's MLPRegressor, trained by symnet; see SymbolicMLPClassifier. The objective is half the squared error with a penalty.

    >>> import symnet as sn
    >>> made = sn.SymbolicMLPRegressor((4,), "tanh", learning_rate_init=0.05, random_state=0, max_iter=500)
    >>> made.fit([[0.0], [1], [2]], [0, 1, 0]).predict([[1.0]]).shape
    (1,)
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit to rows of X and numbers y, one or several a row."""
        parts = estimator_parts()
        X, y = parts.validate_data(self, X, y, multi_output=True, y_numeric=True, dtype=(np.float64, np.float32))
        weights = None if sample_weight is None else parts.check_sample_weight(sample_weight, X, dtype=X.dtype)
        if y.ndim == 2 and y.shape[1] == 1:
            y = parts.column_or_1d(y, warn=True)
        self.out_activation_ = "identity"
        Y = np.ascontiguousarray(y[:, None] if y.ndim == 1 else y, dtype=X.dtype)
        self._trained(X, Y, weights, None, r2)
        return self

    def predict(self, X: Any) -> Array:
        """The numbers for each row."""
        out = self._outputs(X)
        return out[:, 0] if out.shape[1] == 1 else out
