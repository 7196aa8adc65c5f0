"""Starting values: what is given stays, weights follow the initializer with the right fans, biases are 0 and scales 1."""

from __future__ import annotations

import math

import numpy as np
import pytest

import symnet as sn
from symnet.core.axes import Axis
from symnet.core.program import Definition, Program
from symnet.core.tensors import Role, Tensor, scalar
from symnet.networks.initializers import initializer
from symnet.training.fit import derivation_for
from symnet.training.initial_values import start_for

WIDE = sn.Sequential(sn.Linear(30, 20), sn.Tanh(), sn.Linear(20, 10))


def begun(init: str, seed: int = 0) -> dict[str, np.ndarray]:
    derivation = derivation_for(WIDE, np.zeros((2, 30)), sn.MSELoss())
    return start_for(derivation, {}, {"X": np.zeros((2, 30))}, np.random.default_rng(seed), init)


@pytest.mark.parametrize("init", ["xavier_uniform", "xavier_normal", "kaiming_uniform", "kaiming_normal", "lecun_uniform", "lecun_normal"])
def test_weights_follow_the_initializer_and_biases_are_0(init: str) -> None:
    made = begun(init)
    rng = np.random.default_rng(0)
    assert np.array_equal(made["W1"], initializer(init).draw((30, 20), rng)) and np.array_equal(made["W2"], initializer(init).draw((20, 10), rng))
    assert not made["b1"].any() and not made["b2"].any()


def test_the_start_without_a_word_is_glorots() -> None:
    rng = np.random.default_rng(4)
    assert np.array_equal(begun("xavier_uniform", 4)["W1"], rng.uniform(-math.sqrt(6 / 50), math.sqrt(6 / 50), (30, 20)))


def single(tensor: Tensor) -> np.ndarray:
    program = Program((tensor, scalar("x")), (Definition(Tensor("L"), (), scalar("x")[()] ** 2),))
    return start_for(sn.derive(program, wrt=[tensor.name]), {}, {}, np.random.default_rng(0))[tensor.name]


def test_a_kernel_counts_its_taps() -> None:
    made = single(Tensor("W1", (Axis.of(8), Axis.of(4), Axis.of(5), Axis.of(3)), role=Role.PARAMETER, note="kernels of layer 1"))
    bound = math.sqrt(6 / (4 * 15 + 8 * 15))
    assert np.abs(made).max() <= bound and np.abs(made).max() > 0.98 * bound


def test_weights_along_a_depth_have_the_fans_of_one_layer() -> None:
    made = single(Tensor("W", (Axis.of(6), Axis.of(20), Axis.of(10)), role=Role.PARAMETER, note="weights into layer l"))
    bound = math.sqrt(6 / 30)
    assert np.abs(made).max() <= bound and np.abs(made).max() > 0.98 * bound


def test_the_scales_of_a_normalization_start_at_1() -> None:
    assert np.array_equal(single(Tensor("gamma1", (Axis.of(4),), role=Role.PARAMETER)), np.ones(4))
    assert np.array_equal(single(Tensor("beta1", (Axis.of(4),), role=Role.PARAMETER)), np.zeros(4))
