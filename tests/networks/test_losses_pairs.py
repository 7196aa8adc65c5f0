"""Losses of several tensors against JAX in float64: values and all gradients, both reductions, and where the tensors come from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import symnet as sn
from symnet.calculus import derive
from symnet.core.expressions import as_written
from symnet.core.tensors import Role
from symnet.networks.builder import Builder
from symnet.networks.layers import Tanh
from symnet.networks.losses import Loss
from symnet.networks.losses_pairs import PAIRS
from symnet.networks.sequential import Sequential

jax.config.update("jax_enable_x64", True)
DICE = np.random.default_rng(8)
A, U, V, Y = (DICE.normal(size=(4, 3)) for _ in range(4))
VARIANCE, SIGNS = DICE.random((4, 3)) + 0.1, np.array([1.0, -1.0, -1.0, 1.0])


def cosine(a: Any, v: Any) -> Any:
    return (a * v).sum(-1) / jnp.sqrt((a**2).sum(-1)) / jnp.sqrt((v**2).sum(-1))


def distance(a: Any, v: Any, p: int = 2, eps: float = 1e-6) -> Any:
    return (jnp.abs(a - v + eps) ** p).sum(-1) ** (1 / p)


def triplet(a: Any, u: Any, v: Any, p: int = 2, margin: float = 1, swap: bool = False, eps: float = 1e-6) -> Any:
    far = distance(a, v, p, eps)
    far = jnp.minimum(far, distance(u, v, p, eps)) if swap else far
    return jnp.maximum(distance(a, u, p, eps) - far + margin, 0)


def info_nce(a: Any, v: Any, tau: float = 0.1, normalize: bool = True) -> Any:
    if normalize:
        a, v = a / jnp.linalg.norm(a, axis=1, keepdims=True), v / jnp.linalg.norm(v, axis=1, keepdims=True)
    return -jnp.diagonal(jax.nn.log_softmax(a @ v.T / tau))


def gaussian(a: Any, v: Any, y: Any, full: bool = False) -> Any:
    v = jnp.maximum(v, 1e-6)
    return 0.5 * (jnp.log(v) + (a - y) ** 2 / v) + (0.5 * jnp.log(2 * jnp.pi) if full else 0)


def divergence(a: Any, v: Any) -> Any:
    return -0.5 * (1 + v - a**2 - jnp.exp(v)).sum(-1)


Row = tuple[Callable[..., Loss], dict[str, Any], tuple[Any, ...], Callable[..., Any]]  # loss, parameters, data, terms
TABLE: dict[str, Row] = {
    "CosineEmbeddingLoss": (sn.CosineEmbeddingLoss, {"A": A, "V": V}, (SIGNS,),
                            lambda a, v: jnp.where(SIGNS > 0, 1 - cosine(a, v), jnp.maximum(cosine(a, v), 0))),
    "CosineEmbeddingLoss with a margin": (lambda **k: sn.CosineEmbeddingLoss("-1/2", **k), {"A": A, "V": V}, (SIGNS,),
                                          lambda a, v: jnp.where(SIGNS > 0, 1 - cosine(a, v), jnp.maximum(cosine(a, v) + 0.5, 0))),
    "TripletMarginLoss": (sn.TripletMarginLoss, {"A": A, "U": U, "V": V}, (), triplet),
    "TripletMarginLoss p = 1": (lambda **k: sn.TripletMarginLoss(p=1, **k), {"A": A, "U": U, "V": V}, (), lambda *t: triplet(*t, p=1)),
    "TripletMarginLoss p = 3": (lambda **k: sn.TripletMarginLoss(2, 3, 0, **k), {"A": A, "U": U, "V": V}, (),
                                lambda *t: triplet(*t, p=3, margin=2, eps=0)),
    "TripletMarginLoss swapped": (lambda **k: sn.TripletMarginLoss(swap=True, **k), {"A": A, "U": U, "V": V}, (),
                                  lambda *t: triplet(*t, swap=True)),
    "InfoNCE": (sn.InfoNCE, {"A": A, "V": V}, (), info_nce),
    "InfoNCE of products": (lambda **k: sn.InfoNCE(2, False, **k), {"A": A, "V": V}, (), lambda a, v: info_nce(a, v, 2, False)),
    "GaussianNLLLoss": (sn.GaussianNLLLoss, {"A": A, "V": VARIANCE}, (Y,), lambda a, v: gaussian(a, v, Y)),
    "GaussianNLLLoss full": (lambda **k: sn.GaussianNLLLoss(full=True, eps=0, **k), {"A": A, "V": VARIANCE}, (Y,), lambda a, v: gaussian(a, v, Y, True)),
    "VAEKLLoss": (sn.VAEKLLoss, {"A": A, "V": V}, (), divergence),
}


def test_every_loss_of_several_tensors_has_a_formula_here() -> None:
    assert {name.split()[0] for name in TABLE} == {c.__name__ for c in PAIRS}


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("row", TABLE.values(), ids=TABLE)
def test_value_and_all_gradients_agree_with_jax(row: Row, reduction: str) -> None:
    make, params, data, terms = row
    total = jnp.mean if reduction == "mean" else jnp.sum
    wanted, slopes = jax.value_and_grad(lambda p: total(terms(*p)))([jnp.asarray(p) for p in params.values()])
    loss, grads = derive(sn.loss_program(make(reduction=reduction), "N", "d")).compile(check=False)(params, *data)
    assert loss == pytest.approx(float(wanted), rel=1e-11)
    assert list(grads) == list(params)
    for name, slope in zip(params, slopes, strict=True):
        np.testing.assert_allclose(grads[name], slope, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("row", TABLE.values(), ids=TABLE)
def test_every_step_checks_on_its_own(row: Row) -> None:
    d = derive(sn.loss_program(row[0](), "N", "d"))
    assert all(s.check() for s in d.steps)


@pytest.mark.parametrize("name", ["CosineEmbeddingLoss", "TripletMarginLoss", "GaussianNLLLoss", "VAEKLLoss"])
def test_of_one_sample_it_is_the_term(name: str) -> None:
    make, params, data, terms = TABLE[name]
    loss, _ = derive(sn.loss_program(make(reduction="sum"), "N", "d")).compile(check=False)({k: v[:1] for k, v in params.items()}, *[y[:1] for y in data])
    wanted = terms(*params.values())[0]
    assert loss == pytest.approx(float(jnp.sum(wanted)), rel=1e-11)


def test_behind_a_network_the_other_rows_are_inputs_and_the_weights_are_differentiated() -> None:
    made = Sequential(sn.Linear("d", "h"), Tanh()).program(sn.TripletMarginLoss())
    assert {t.name: t.role for t in made.inputs} == {"X": Role.INPUT, "W1": Role.PARAMETER, "b1": Role.PARAMETER, "U": Role.INPUT, "V": Role.INPUT}
    d = derive(made)
    assert d.wrt == ("W1", "b1") and all(s.check() for s in d.steps)


def test_the_names_of_the_other_tensors_can_be_chosen() -> None:
    made = sn.loss_program(sn.TripletMarginLoss(positive="same", negative="other"), "N", "d")
    assert [t.name for t in made.inputs] == ["A", "same", "other"]


def test_a_loss_reads_a_tensor_that_the_program_has() -> None:
    to = Builder()
    rows = sn.loss_program(sn.VAEKLLoss(), "N", "d").inputs[0].axes
    x = to.now = to.add_input("X", rows, Role.PARAMETER, "the input")
    with as_written():
        v = to.entrywise("v", "log-variances", lambda z: 2 * z)
        to.now = x
        sn.VAEKLLoss(logvar="v").build(to)
        d = derive(to.program())
    assert [t.name for t in d.program.inputs] == ["X"] and v.name in d.program.by_name
    _, grads = d.compile(check=False)({"X": A})
    np.testing.assert_allclose(grads["X"], jax.grad(lambda a: jnp.mean(divergence(a, 2 * a)))(A), rtol=1e-11)


def test_contrast_of_rows_a_thousand_long_stays_finite() -> None:
    loss, grads = derive(sn.loss_program(sn.InfoNCE(1, False), "N", "d")).compile(check=False)({"A": 40 * A, "V": 40 * V})
    wanted, slope = jax.value_and_grad(lambda a: jnp.mean(info_nce(a, 40 * V, 1, False)))(40 * A)
    assert np.isfinite(loss) and loss == pytest.approx(float(wanted), rel=1e-11)
    np.testing.assert_allclose(grads["A"], slope, rtol=1e-9, atol=1e-12)


WRONG: dict[str, Callable[[], object]] = {
    "one number": lambda: Sequential(sn.Linear(1, 1)).program(sn.CosineEmbeddingLoss()),
    "one sample for a contrast": lambda: Sequential(sn.Linear(2, 3)).program(sn.InfoNCE(), batch=False),
    "p of 0": lambda: sn.TripletMarginLoss(p=0), "p that is a text": lambda: sn.TripletMarginLoss(p="two"),
    "eps below 0": lambda: sn.loss_program(sn.TripletMarginLoss(eps=-1), "N", "d"), "margin 0": lambda: sn.loss_program(sn.TripletMarginLoss(0), "N", "d"),
    "temperature 0": lambda: sn.loss_program(sn.InfoNCE(0), "N", "d"), "a reduction": lambda: sn.VAEKLLoss(reduction="nothing"),
    "another shape": lambda: Sequential(sn.Linear("d", "h")).program(sn.VAEKLLoss(logvar="W1")),
    "a name that is none": lambda: sn.loss_program(sn.VAEKLLoss(logvar="<b>"), "N", "d"),
}


@pytest.mark.parametrize("make", WRONG.values(), ids=WRONG)
def test_what_does_not_fit_is_said_in_one_line(make: Callable[[], object]) -> None:
    with pytest.raises(sn.SymnetError) as caught:
        make()
    assert "\n" not in str(caught.value)
