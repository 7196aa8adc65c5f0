"""Dropout while training: masks are drawn for each step, losses and predictions are those of evaluation; classes and weights as data."""

from __future__ import annotations

import numpy as np
import pytest

import symnet as sn
from symnet.calculus import derive
from symnet.errors import OptionError, SymnetError
from symnet.training.masks import Masks

DICE = np.random.default_rng(2)
X = DICE.normal(size=(24, 2))
Y = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)
NET = sn.Sequential(sn.Linear(2, 8), sn.Tanh(), sn.Dropout("1/4"), sn.Linear(8, 3))


def test_a_mask_keeps_an_entry_with_probability_1_less_p() -> None:
    d = derive(NET.program(sn.CrossEntropyLoss(indices=True)))
    masks = Masks(d, {})
    arrays = {"X": np.zeros((4000, 2))}
    drawn, still = masks.drawn(arrays, d.program.inputs, np.random.default_rng(0)), masks.still(arrays, d.program.inputs)
    assert drawn["mask1"].shape == (4000, 8) and set(np.unique(drawn["mask1"])) == {0.0, 1.0}
    assert abs(drawn["mask1"].mean() - 0.75) < 0.01 and np.all(still["mask1"] == 0.75)


def test_fit_draws_the_masks_and_predicts_without_dropping() -> None:
    made = sn.fit(NET, X, Y, loss=sn.CrossEntropyLoss(indices=True), optimizer="adam", lr="1/20", epochs=80, batch_size=7, seed=1)
    assert made.losses[-1] < made.losses[0] / 3
    p = made.params
    scores = np.tanh(X @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"]
    shares = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    np.testing.assert_allclose(made.predict(X), shares, rtol=1e-12)  # 0.75 x / 0.75: nothing is dropped
    assert made.losses[-1] == pytest.approx(-np.log(shares[np.arange(24), Y]).mean(), rel=1e-12)


def test_the_seed_decides_the_masks() -> None:
    runs = [sn.fit(NET, X, Y, loss=sn.CrossEntropyLoss(indices=True), epochs=3, seed=s).losses for s in (3, 3, 4)]
    assert runs[0] == runs[1] != runs[2]


def test_a_mask_that_is_given_is_not_drawn() -> None:
    loss = sn.CrossEntropyLoss(indices=True)
    runs = [sn.fit(NET, X, Y, loss=loss, epochs=4, seed=3, constants={"mask1": np.full((24, 8), k)}).losses for k in (0.75, 0.75)]
    plain = sn.Sequential(sn.Linear(2, 8), sn.Tanh(), sn.Linear(8, 3))
    start = sn.fit(plain, X, Y, loss=loss, epochs=4, seed=3).losses
    assert runs[0] == runs[1] == pytest.approx(start, rel=1e-12)


def test_the_weights_of_classes_are_constants_of_a_run() -> None:
    loss, plain = sn.CrossEntropyLoss(indices=True, weight="w"), sn.Sequential(sn.Linear(2, 3))
    even = sn.fit(plain, X, Y, loss=loss, constants={"w": [2, 2, 2]}, epochs=3, seed=1).losses
    assert even == pytest.approx(sn.fit(plain, X, Y, loss=sn.CrossEntropyLoss(indices=True), epochs=3, seed=1).losses, rel=1e-12)


@pytest.mark.parametrize("y", [np.full(24, 3), np.full(24, -1), np.full(24, 0.5)], ids=["too large", "negative", "no whole number"])
def test_what_is_no_class_is_refused(y: np.ndarray) -> None:
    with pytest.raises(SymnetError, match="y"):
        sn.fit(sn.Sequential(sn.Linear(2, 3)), X, y, loss=sn.CrossEntropyLoss(indices=True), epochs=1)


def test_a_constant_that_is_not_there_is_refused() -> None:
    with pytest.raises(OptionError, match="constants: no input named 'v'"):
        sn.fit(sn.Sequential(sn.Linear(2, 3)), X, Y, loss=sn.CrossEntropyLoss(indices=True), constants={"v": 1}, epochs=1)


def test_words_are_learned_by_their_numbers() -> None:
    words = DICE.integers(0, 6, size=(40, 3))
    known = (words == 2).any(1).astype(int)
    net = sn.Sequential(sn.Input(3), sn.Embedding(6, 4), sn.Flatten(), sn.Linear(12, 2))
    made = sn.fit(net, words, known, loss=sn.CrossEntropyLoss(indices=True), optimizer="adam", lr="1/20", epochs=80, batch_size=8, seed=1)
    assert np.array_equal(made.predict(words).argmax(1), known)


