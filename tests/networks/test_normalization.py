"""BatchNorm1d, LayerNorm and RMSNorm against JAX in float64: value and all gradients, sizes all different."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import symnet as sn
from symnet.calculus import derive
from symnet.core.axes import size
from symnet.core.program import Program
from symnet.core.tensors import Role
from symnet.networks.layers import Layer
from symnet.networks.losses import SquaredError
from symnet.networks.normalization import MACHINE_EPS, BatchNorm1d, LayerNorm, RMSNorm
from symnet.networks.sequential import Sequential

jax.config.update("jax_enable_x64", True)
Arrays = dict[str, Any]


def norm(over: tuple[int, ...], eps: float, shape: tuple[int, ...] | None, bias: bool = True) -> Callable[[Arrays], Any]:
    """gamma (x - mean)/√(var + eps) + beta in JAX; ``shape`` is how gamma broadcasts, None without parameters."""
    def value(a: Arrays) -> Any:
        x = a["X"]
        hat = (x - x.mean(axis=over, keepdims=True)) / jnp.sqrt(x.var(axis=over, keepdims=True) + eps)
        if shape is None:
            return hat
        return a["gamma1"].reshape(shape) * hat + (a["beta1"].reshape(shape) if bias else 0.0)
    return value


def rms(over: tuple[int, ...], eps: float, scaled: bool = True) -> Callable[[Arrays], Any]:
    def value(a: Arrays) -> Any:
        hat = a["X"] / jnp.sqrt((a["X"] ** 2).mean(axis=over, keepdims=True) + eps)
        return a["gamma1"] * hat if scaled else hat
    return value


EPS = 2.0**-52
CASES: dict[str, tuple[Layer, tuple[Any, ...], tuple[int, ...], tuple[int, ...] | None, bool, Callable[[Arrays], Any]]] = {
    # layer, sample shape in symbols, array shape, gamma's shape, beta there, JAX
    "batch": (BatchNorm1d("d"), ("d",), (4, 3), (3,), True, norm((0,), 1e-5, (3,))),
    "batch, positions": (BatchNorm1d("c"), ("c", "T"), (2, 3, 5), (3,), True, norm((0, 2), 1e-5, (1, 3, 1))),
    "batch, large eps": (BatchNorm1d("d", "1/2"), ("d",), (4, 3), (3,), True, norm((0,), 0.5, (3,))),
    "batch, no parameters": (BatchNorm1d("d", affine=False), ("d",), (4, 3), None, False, norm((0,), 1e-5, None)),
    "batch, numbers": (BatchNorm1d(3), (3,), (4, 3), (3,), True, norm((0,), 1e-5, (3,))),
    "layer": (LayerNorm("d"), ("d",), (2, 5), (5,), True, norm((1,), 1e-5, (5,))),
    "layer, positions": (LayerNorm("d"), ("T", "d"), (2, 3, 5), (5,), True, norm((2,), 1e-5, (5,))),
    "layer, two axes": (LayerNorm(("T", "d")), ("T", "d"), (2, 3, 5), (3, 5), True, norm((1, 2), 1e-5, (3, 5))),
    "layer, no beta": (LayerNorm("d", bias=False), ("d",), (2, 5), (5,), False, norm((1,), 1e-5, (5,), False)),
    "layer, no parameters": (LayerNorm("d", elementwise_affine=False), ("d",), (2, 5), None, False, norm((1,), 1e-5, None)),
    "rms": (RMSNorm("d"), ("d",), (2, 5), (5,), False, rms((1,), EPS)),
    "rms, eps": (RMSNorm("d", "1e-3"), ("T", "d"), (2, 3, 5), (5,), False, rms((2,), 1e-3)),
    "rms, two axes": (RMSNorm(("T", "d")), ("T", "d"), (2, 3, 5), (3, 5), False, rms((1, 2), EPS)),
    "rms, no parameters": (RMSNorm("d", elementwise_affine=False), ("d",), (2, 5), None, False, rms((1,), EPS, False)),
}


def built(layer: Layer, sample: tuple[Any, ...]) -> Program:
    return Sequential(sn.Input(*sample), layer).program(SquaredError())


@pytest.mark.parametrize("layer, sample, shape, gamma, beta, theirs", CASES.values(), ids=CASES)
def test_value_and_gradients_agree_with_jax(layer: Layer, sample: tuple[Any, ...], shape: tuple[int, ...],
                                            gamma: tuple[int, ...] | None, beta: bool, theirs: Callable[[Arrays], Any]) -> None:
    rng = np.random.default_rng(8)
    arrays = {"X": rng.normal(size=shape)} | ({} if gamma is None else {"gamma1": rng.normal(size=gamma)})
    arrays |= {"beta1": rng.normal(size=gamma)} if beta else {}
    y = rng.normal(size=shape)
    made = built(layer, sample)
    assert [t.name for t in made.inputs] == [*arrays, "Y"]
    run = derive(made, wrt=list(arrays)).compile(check=False)
    assert "for " not in run.source.split("def compute")[1]
    found, grads = run(arrays, y)
    wanted, slopes = jax.value_and_grad(lambda a: ((theirs(a) - y) ** 2).sum())({k: jnp.asarray(v) for k, v in arrays.items()})
    assert found == pytest.approx(float(wanted), rel=1e-12)
    for name in arrays:
        np.testing.assert_allclose(grads[name], slopes[name], rtol=1e-9, atol=1e-11, err_msg=name)


@pytest.mark.parametrize("layer, sample", [(c[0], c[1]) for c in CASES.values()], ids=CASES)
def test_every_step_checks(layer: Layer, sample: tuple[Any, ...]) -> None:
    made = built(layer, sample)
    for s in derive(made, wrt=[t.name for t in made.inputs if t.role is not Role.TARGET]).steps:
        assert s.check(), f"{s.definition}: {s.check().reason}"


def test_the_lines_are_the_papers() -> None:
    assert [str(d) for d in built(BatchNorm1d("d", "1/8"), ("d",))][:4] == [
        "mu1[i] := Sum(X[n, i], (n, 1, N))/N", "var1[i] := Sum((X[n, i] - mu1[i])**2, (n, 1, N))/N",
        "xhat1[n, i] := (X[n, i] - mu1[i])/sqrt(var1[i] + 1/8)", "u1[n, i] := beta1[i] + gamma1[i]*xhat1[n, i]"]
    assert [d.name for d in built(RMSNorm("d"), ("d",))] == ["rms1", "u1", "L"]


def test_the_machine_epsilon_is_float64s() -> None:
    assert float(MACHINE_EPS) == np.finfo(np.float64).eps


def test_the_gradient_of_gamma_is_upstream_times_the_normalized() -> None:
    d = derive(built(BatchNorm1d("d"), ("d",)), wrt=["gamma1", "beta1"])
    assert str(d.gradients["gamma1"].expr) == "Sum(dL_du1[n, i]*xhat1[n, i], (n, 1, N))"
    assert str(d.gradients["beta1"].expr) == "Sum(dL_du1[n, i], (n, 1, N))"


def test_the_gradient_through_a_normalization_adds_up_to_nothing() -> None:
    """A shift of all samples changes nothing: Σ_n dL/dx = 0 (Ioffe & Szegedy 2015, section 3)."""
    run = derive(built(BatchNorm1d("d"), ("d",)), wrt=["X"]).compile(check=False)
    rng = np.random.default_rng(9)
    _, grads = run({"X": rng.normal(size=(5, 3))}, rng.normal(size=3), rng.normal(size=3), rng.normal(size=(5, 3)))
    np.testing.assert_allclose(grads["X"].sum(axis=0), 0, atol=1e-12)


def test_several_normalizations_keep_their_names_apart() -> None:
    made = Sequential(sn.Linear("d", "h"), BatchNorm1d("h"), sn.ReLU(), sn.Linear("h", "k"), LayerNorm("k"), RMSNorm("k")).program()
    assert [t.name for t in made.inputs] == ["X", "W1", "b1", "gamma1", "beta1", "W2", "b2", "gamma2", "beta2", "gamma3"]
    assert made["u3"].shape == (size("N"), size("k"))


def test_a_normalization_first_tells_the_width() -> None:
    assert Sequential(BatchNorm1d(3)).program().inputs[0].shape == (size("N"), 3)
    assert Sequential(LayerNorm(("T", 4))).program(batch=False).inputs[0].shape == (size("T"), 4)


MISFITS: dict[str, tuple[Callable[[], object], str]] = {
    "features": (lambda: Sequential(sn.Linear(2, 3), BatchNorm1d(4)).program(), "3 features; expected 4"),
    "no batch": (lambda: Sequential(BatchNorm1d(4)).program(batch=False), "a batch"),
    "too many axes": (lambda: Sequential(sn.Input(4, 3, 2), BatchNorm1d(4)).program(), "shape"),
    "another last axis": (lambda: Sequential(sn.Linear(2, 3), LayerNorm(4)).program(), "ends in (4)"),
    "more axes than there are": (lambda: Sequential(sn.Linear(2, 3), LayerNorm((5, 4, 2, 3))).program(), "ends in"),
    "no axes": (lambda: Sequential(sn.Linear(2, 3), LayerNorm(())).program(), "ends in"),
    "a negative eps": (lambda: Sequential(BatchNorm1d(4, -1)).program(), "eps"),
    "an eps that is no number": (lambda: Sequential(RMSNorm(4, "small")).program(), "number"),
}


@pytest.mark.parametrize("make, words", MISFITS.values(), ids=MISFITS)
def test_what_does_not_fit_is_said_in_one_line(refused: Callable[..., None], make: Callable[[], object], words: str) -> None:
    refused(make, words)
