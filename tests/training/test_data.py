"""The small data sets."""

from __future__ import annotations

import builtins
import importlib
from typing import Any

import numpy as np
import pytest

from symnet.errors import MissingToolError, OptionError
from symnet.training.data import SETS, ages, dataset, digits, xor


def test_xor_is_the_sum_modulo_two() -> None:
    X, Y = xor()
    assert np.array_equal(Y[:, 0], X.sum(axis=1) % 2)
    assert len({tuple(row) for row in X}) == 4


def test_ages_have_the_condition_from_forty_on() -> None:
    X, Y = ages()
    assert X.shape == Y.shape == (5, 1)
    assert np.array_equal(Y, X >= 4)


def test_digits_are_grey_values_with_one_hot_targets() -> None:
    importlib.import_module("sklearn")
    X, Y = digits()
    assert X.shape == (1797, 64) and Y.shape == (1797, 10)
    assert X.min() == 0 and X.max() == 1
    assert (Y.sum(axis=1) == 1).all() and set(np.unique(Y)) == {0, 1}


def test_digits_without_scikit_learn_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def refuse(name: str, *rest: Any, **more: Any) -> Any:
        if name.startswith("sklearn"):
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(MissingToolError, match=r"scikit-learn.*symnet\[data\]"):
        digits()


@pytest.mark.parametrize("name", ["xor", "ages"])
def test_a_data_set_by_name_has_as_many_targets_as_inputs(name: str) -> None:
    X, Y = dataset(name)
    assert len(X) == len(Y) > 0


def test_each_call_gives_arrays_of_its_own() -> None:
    dataset("xor")[0][:] = 9
    assert dataset("xor")[0].max() == 1


@pytest.mark.parametrize("name", ["xorr", "", "../../x", "mnist"])
def test_an_unknown_name_is_told_the_known_ones(name: str) -> None:
    with pytest.raises(OptionError, match=", ".join(SETS)):
        dataset(name)
