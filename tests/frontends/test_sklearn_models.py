"""scikit-learn's fitted networks read as programs: the gradients are those of its own backpropagation."""

from __future__ import annotations

import importlib
import warnings
from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.errors import OptionError, UnknownNodeError
from symnet.frontends.sklearn_models import from_sklearn

neural = importlib.import_module("sklearn.neural_network")
RNG = np.random.default_rng(0)
X = RNG.normal(size=(30, 4))
TARGETS = {
    "regression": RNG.normal(size=30), "three outputs": RNG.normal(size=(30, 3)), "two classes": RNG.integers(0, 2, 30),
    "three classes": RNG.integers(0, 3, 30), "three labels": RNG.integers(0, 2, (30, 3)),
}


def fitted(kind: str, activation: str = "tanh", alpha: float = 0.3, hidden: tuple[int, ...] = (5, 3)) -> tuple[Any, Any]:
    """A model after a few steps, and its targets as the indicator matrix that it makes of them."""
    make = neural.MLPRegressor if kind in ("regression", "three outputs") else neural.MLPClassifier
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = make(hidden_layer_sizes=hidden, activation=activation, max_iter=4, alpha=alpha, random_state=0).fit(X, TARGETS[kind])
    binary = model._label_binarizer.transform(TARGETS[kind]) if hasattr(model, "_label_binarizer") else TARGETS[kind]
    return model, np.asarray(binary, dtype=float).reshape(30, -1)


def backprop(model: Any, y: Any) -> tuple[float, dict[str, Any]]:
    """scikit-learn's own loss and gradients."""
    widths = [w.shape[1] for w in model.coefs_]
    empty = [np.empty_like(w) for w in model.coefs_], [np.empty_like(b) for b in model.intercepts_]
    loss, weights, biases = model._backprop(X, y.copy(), None, [X, *[np.empty((30, n)) for n in widths]], [None] * len(widths), *empty)
    return loss, {f"{letter}{k}": g for letter, gs in (("W", weights), ("b", biases)) for k, g in enumerate(gs, start=1)}


@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
@pytest.mark.parametrize("kind", TARGETS)
def test_gradients_are_those_of_its_backprop(kind: str, activation: str) -> None:
    model, y = fitted(kind, activation)
    read = from_sklearn(model)
    value, found = sn.derive(read).compile(check=False)(read.values, X, y)
    loss, gradients = backprop(model, y)
    if kind != "three outputs":  # see the next test
        assert value == pytest.approx(loss, rel=1e-10)
    assert set(found) == set(gradients)
    assert all(np.max(np.abs(found[n] - g)) < 1e-10 for n, g in gradients.items())


def test_with_several_outputs_it_descends_a_loss_that_it_does_not_report() -> None:
    """The reported squared loss is divided by the number of outputs, its gradient is not; the program has the one descended."""
    model, y = fitted("three outputs", alpha=0.0)
    read = from_sklearn(model)
    assert sn.derive(read).compile(check=False)(read.values, X, y)[0] == pytest.approx(3 * backprop(model, y)[0], rel=1e-12)


@pytest.mark.parametrize("kind", TARGETS)
def test_every_step_checks(kind: str) -> None:
    assert all(step.check() for step in sn.derive(from_sklearn(fitted(kind, hidden=(2,))[0])).steps)


def test_values_are_the_fitted_ones_and_know_where_they_come_from() -> None:
    model, _ = fitted("three classes")
    read = from_sklearn(model)
    assert list(read.values) == ["W1", "b1", "W2", "b2", "W3", "b3"]
    assert read.values["W2"] is model.coefs_[1]
    assert read.sources["b3"] == "intercepts_[2]"


def test_the_penalty_is_there_only_when_alpha_is_not_zero() -> None:
    lines = [str(from_sklearn(fitted("two classes", alpha=a)[0]).program.definitions[-1].expr) for a in (0.0, 0.5)]
    assert "W1" not in lines[0]
    assert "W1" in lines[1] and "b1" not in lines[1]


def test_a_model_that_is_not_fitted_is_refused() -> None:
    with pytest.raises(OptionError, match="fit"):
        from_sklearn(neural.MLPClassifier())


def test_a_loss_that_is_not_read_is_named() -> None:
    model, _ = fitted("regression")
    model.loss = "poisson"
    with pytest.raises(UnknownNodeError, match=r"output layer.*'poisson'"):
        from_sklearn(model)


LINEAR_MODELS = {
    "LinearRegression": ("linear_model", "LinearRegression", {}, "y"), "Ridge": ("linear_model", "Ridge", {"alpha": 0.7}, "y"),
    "ElasticNet": ("linear_model", "ElasticNet", {"alpha": 0.01, "tol": 1e-12, "max_iter": 10**5}, "y"),
    "LogisticRegression": ("linear_model", "LogisticRegression", {"tol": 1e-10, "max_iter": 10**4}, "b"),
    "three classes": ("linear_model", "LogisticRegression", {"tol": 1e-10, "max_iter": 10**4}, "c"),
    "PoissonRegressor": ("linear_model", "PoissonRegressor", {"tol": 1e-10, "max_iter": 10**4}, "p"),
    "LinearSVC": ("svm", "LinearSVC", {"fit_intercept": False, "tol": 1e-10, "max_iter": 10**6}, "s"),
}
SCALERS = {"StandardScaler": ("preprocessing", {}), "MinMaxScaler": ("preprocessing", {}), "RobustScaler": ("preprocessing", {}),
           "Normalizer": ("preprocessing", {}), "PCA": ("decomposition", {"n_components": 2, "whiten": True})}
RNG_ = np.random.default_rng(0)
ROWS = RNG_.normal(size=(40, 3)) * [1, 2, 0.5] + [0, 1, 2]
NUMBERS = ROWS @ [1.0, -2.0, 0.5] + 0.3 * RNG_.normal(size=40)
AIMS = {"y": (NUMBERS, NUMBERS), "p": (np.exp(0.3 * NUMBERS), np.exp(0.3 * NUMBERS)),
        "b": ((NUMBERS > -1).astype(int),) * 2, "s": ((NUMBERS > -1).astype(int), np.where(NUMBERS > -1, 1, -1)),
        "c": (np.digitize(NUMBERS, [-3, 1]), np.eye(3)[np.digitize(NUMBERS, [-3, 1])])}


def of_sklearn(room: str, name: str, options: dict[str, Any]) -> Any:
    return getattr(importlib.import_module(f"sklearn.{room}"), name)(**options)


@pytest.mark.parametrize("name", LINEAR_MODELS)
def test_a_fitted_linear_model_stands_where_its_gradient_is_0(name: str) -> None:
    room, kind, options, aim = LINEAR_MODELS[name]
    fit, target = AIMS[aim]
    noisy = fit if aim in "yp" else np.where(RNG_.random(40) < 0.1, np.roll(fit, 1), fit)
    target = target if aim in "yp" else np.eye(3)[noisy] if aim == "c" else noisy if aim == "b" else 2 * noisy - 1
    read = sn.from_sklearn(of_sklearn(room, kind, options).fit(ROWS, noisy))
    run = sn.derive(read).compile()
    value, gradients = run(read.values, ROWS, np.asarray(target, dtype=float).reshape(40, -1))
    assert all(np.max(np.abs(g)) < 1e-3 * (1 + abs(value)) for g in gradients.values())
    moved = run({**read.values, "W1": read.values["W1"] + 0.1}, ROWS, np.asarray(target, dtype=float).reshape(40, -1))
    assert moved[0] > value and np.max(np.abs(moved[1]["W1"])) > 1e-2


@pytest.mark.parametrize("name", SCALERS)
def test_scalers_of_a_pipeline_are_lines_and_constants(name: str) -> None:
    room, options = SCALERS[name]
    pipeline = importlib.import_module("sklearn.pipeline").make_pipeline(of_sklearn(room, name, options), of_sklearn("linear_model", "Ridge", {}))
    read = sn.from_sklearn(pipeline.fit(ROWS, NUMBERS))
    value, gradients = sn.derive(read).compile()(read.values, ROWS, NUMBERS[:, None])
    rest = pipeline.predict(ROWS) - NUMBERS
    assert value == pytest.approx(float(np.sum(rest**2) + np.sum(pipeline[-1].coef_**2)), rel=1e-9)
    assert all(np.max(np.abs(g)) < 1e-7 for g in gradients.values())


@pytest.mark.parametrize(("room", "kind", "options", "said"), [
    ("tree", "DecisionTreeRegressor", {}, "the model DecisionTreeRegressor"), ("linear_model", "LogisticRegression", {"class_weight": "balanced"},
                                                                               "class_weight"),
    ("svm", "LinearSVC", {}, "an intercept, which liblinear penalizes")])
def test_what_would_be_read_wrongly_is_refused_by_name(room: str, kind: str, options: dict[str, Any], said: str) -> None:
    model = of_sklearn(room, kind, options).fit(ROWS, AIMS["b"][0])
    with pytest.raises(UnknownNodeError, match=said):
        sn.from_sklearn(model)
