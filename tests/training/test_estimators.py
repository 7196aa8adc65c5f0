"""The estimators are scikit-learn's: its own checks pass, and without shuffling a fit follows scikit-learn's, loss by loss."""

from __future__ import annotations

import inspect
import pickle
import warnings
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris, make_multilabel_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.utils.estimator_checks import parametrize_with_checks

import symnet as sn
from symnet.errors import OptionError
from symnet.training import sklearn_library

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
FLOWERS, KINDS = load_iris(return_X_y=True)
FLOWERS = (FLOWERS - FLOWERS.mean(axis=0)) / FLOWERS.std(axis=0)
BODIES, ILLNESS = load_diabetes(return_X_y=True)
ILLNESS = (ILLNESS - ILLNESS.mean()) / ILLNESS.std()
LABELLED = make_multilabel_classification(60, 5, n_classes=3, random_state=0)


@parametrize_with_checks([sn.SymbolicMLPClassifier(), sn.SymbolicMLPRegressor()])
def test_every_check_of_scikit_learn(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.mark.parametrize(("ours", "theirs"), [(sn.SymbolicMLPClassifier, MLPClassifier), (sn.SymbolicMLPRegressor, MLPRegressor)])
def test_the_arguments_have_the_names_and_defaults_of_scikit_learn(ours: Any, theirs: Any) -> None:
    left, right = (inspect.signature(c).parameters for c in (ours, theirs))
    assert set(right) - set(left) <= {"max_fun", "loss"} and set(left) <= set(right)
    assert all(left[n].default == right[n].default for n in left)


RUNS: dict[str, dict[str, Any]] = {
    "adam": {}, "small batches": {"batch_size": 16}, "two layers": {"hidden_layer_sizes": (7, 5), "activation": "tanh"}, "logistic": {"activation": "logistic"}, "identity": {"activation": "identity"},
    "no hidden layer": {"hidden_layer_sizes": ()}, "alpha": {"alpha": 0.5, "batch_size": 40}, "nesterov": {"solver": "sgd", "learning_rate_init": 0.05}, "momentum": {"solver": "sgd", "nesterovs_momentum": False, "learning_rate_init": 0.05},
    "plain": {"solver": "sgd", "momentum": 0, "learning_rate_init": 0.1}, "invscaling": {"solver": "sgd", "learning_rate": "invscaling", "learning_rate_init": 0.5, "nesterovs_momentum": False},
    "adaptive": {"solver": "sgd", "learning_rate": "adaptive", "learning_rate_init": 0.3, "nesterovs_momentum": False, "tol": 3e-3, "n_iter_no_change": 3}, "stops": {"tol": 1e-2, "n_iter_no_change": 4, "max_iter": 400},
}
KINDS_OF_TASK: dict[str, tuple[Any, Any, Any, Any]] = {
    "three classes": (sn.SymbolicMLPClassifier, MLPClassifier, FLOWERS, KINDS), "two classes": (sn.SymbolicMLPClassifier, MLPClassifier, FLOWERS, np.where(KINDS > 0, "yes", "no")),
    "labels": (sn.SymbolicMLPClassifier, MLPClassifier, *LABELLED), "numbers": (sn.SymbolicMLPRegressor, MLPRegressor, BODIES, ILLNESS),
    "several numbers": (sn.SymbolicMLPRegressor, MLPRegressor, FLOWERS, FLOWERS[:, :2] ** 2),
}


def both(task: str, **options: Any) -> tuple[Any, Any]:
    ours, theirs, X, y = KINDS_OF_TASK[task]
    call = {"hidden_layer_sizes": (6,), "shuffle": False, "random_state": 3, "max_iter": 40, **options}
    return ours(**call).fit(X, y), theirs(**call).fit(X, y)


@pytest.mark.parametrize("task", KINDS_OF_TASK)
@pytest.mark.parametrize("run", RUNS)
def test_a_fit_follows_scikit_learns(run: str, task: str) -> None:
    if task == "several numbers" and run in ("adaptive", "stops"):
        pytest.skip("scikit-learn stops by another loss than it descends: it divides by the number of outputs")
    made, wanted = both(task, **RUNS[run])
    X = KINDS_OF_TASK[task][2]
    assert made.n_iter_ == wanted.n_iter_ and made.n_layers_ == wanted.n_layers_ and made.out_activation_ == wanted.out_activation_
    if task != "several numbers":  # there, too, it says the other loss
        np.testing.assert_allclose(made.loss_curve_, wanted.loss_curve_, rtol=1e-8)
    for one, other in zip(made.coefs_ + made.intercepts_, wanted.coefs_ + wanted.intercepts_, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-7)
    assert (made.predict(X) == wanted.predict(X)).mean() > 0.99 if hasattr(made, "classes_") else np.allclose(made.predict(X), wanted.predict(X), atol=1e-3)
    if hasattr(made, "classes_"):
        np.testing.assert_allclose(made.predict_proba(X), wanted.predict_proba(X), atol=1e-3)


def test_a_weight_counts_how_often_a_sample_is_there() -> None:
    times = np.arange(150) % 3
    call = {"hidden_layer_sizes": (6,), "random_state": 0, "max_iter": 30, "batch_size": 200}
    by_weight = sn.SymbolicMLPClassifier(**call).fit(FLOWERS, KINDS, times)
    rows = np.repeat(np.arange(150), times)
    np.testing.assert_allclose(by_weight.predict_proba(FLOWERS), sn.SymbolicMLPClassifier(**call).fit(FLOWERS[rows], KINDS[rows]).predict_proba(FLOWERS), atol=1e-7)


def test_early_stopping_keeps_the_best_of_what_was_kept_apart() -> None:
    made = sn.SymbolicMLPClassifier((8,), early_stopping=True, validation_fraction=0.2, random_state=1, max_iter=500, n_iter_no_change=5, learning_rate_init=0.02).fit(FLOWERS, KINDS)
    assert made.n_iter_ < 500 and made.best_validation_score_ == max(made.validation_scores_) > 0.8 and made.best_loss_ is None
    theirs = MLPClassifier((8,), early_stopping=True, validation_fraction=0.2, random_state=1, max_iter=500, n_iter_no_change=5, learning_rate_init=0.02).fit(FLOWERS, KINDS)
    assert abs(made.score(FLOWERS, KINDS) - theirs.score(FLOWERS, KINDS)) < 0.1


def test_a_warm_start_goes_on_from_the_weights() -> None:
    made = sn.SymbolicMLPRegressor((6,), warm_start=True, max_iter=20, random_state=0, shuffle=False).fit(BODIES, ILLNESS)
    first = made.loss_curve_[-1]
    assert made.fit(BODIES, ILLNESS).loss_curve_[0] == pytest.approx(first, rel=0.01)


def test_other_rules_and_activations_and_numbers() -> None:
    made = sn.SymbolicMLPClassifier((6,), "gelu", solver="nadam", learning_rate_init=0.02, random_state=0).fit(FLOWERS.astype(np.float32), KINDS)
    assert made.score(FLOWERS, KINDS) > 0.9 and made.coefs_[0].dtype == np.float32
    assert pickle.loads(pickle.dumps(made)).predict(FLOWERS).tolist() == made.predict(FLOWERS).tolist()
    assert [d.name for d in made.derivation.program.definitions][-1] == "L" and all(made.derivation.check())
    assert clone(made).get_params() == made.get_params()


def test_a_run_to_its_last_epoch_is_warned_of() -> None:
    with pytest.warns(ConvergenceWarning, match=r"Maximum iterations \(2\) reached"):
        sn.SymbolicMLPClassifier(max_iter=2, random_state=0).fit(FLOWERS, KINDS)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sn.SymbolicMLPClassifier((6,), max_iter=1000, tol=1e-2, random_state=0).fit(FLOWERS, KINDS)


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "activation": ({"activation": "reul"}, "did you mean 'relu'"), "solver": ({"solver": "lbfgs"}, "solver: 'lbfgs'; expected one of sgd"), "rate": ({"learning_rate_init": -1}, "learning_rate_init: -1"),
    "hidden": ({"hidden_layer_sizes": (3, 0)}, "hidden_layer_sizes"), "schedule": ({"learning_rate": "fast"}, "learning_rate: 'fast'"), "batch": ({"batch_size": 0}, "batch_size: 0"),
    "fraction": ({"validation_fraction": 1.5}, "between 0 and 1"), "epochs": ({"max_iter": 0}, "max_iter: 0"), "beta": ({"beta_1": 1.0}, "beta1: 1; expected a number of at least 0, below 1"),
}


@pytest.mark.parametrize(("options", "says"), REFUSED.values(), ids=REFUSED)
def test_an_argument_that_does_not_fit_is_told_in_one_line(options: dict[str, Any], says: str) -> None:
    with pytest.raises(OptionError, match=says) as caught:
        sn.SymbolicMLPClassifier(**options).fit(FLOWERS, KINDS)
    assert "\n" not in str(caught.value) and isinstance(caught.value, ValueError)


def test_without_scikit_learn_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr(sklearn_library, "import_module", absent)
    sklearn_library.estimator_parts.cache_clear()
    try:
        with pytest.raises(sn.SymnetError, match="scikit-learn of version 1.6"):
            sn.SymbolicMLPClassifier().fit(FLOWERS, KINDS)
        assert len(sklearn_library.bases.__wrapped__()) == 3
    finally:
        sklearn_library.estimator_parts.cache_clear()
