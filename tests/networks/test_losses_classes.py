"""Every loss of one output and one target against JAX in float64: value, gradient, both reductions, large inputs, errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.nn import log_softmax, one_hot, sigmoid, softplus

import symnet as sn
from symnet.calculus import derive
from symnet.core.text import definition_text
from symnet.errors import did_you_mean
from symnet.networks.catalogue import LOSSES
from symnet.networks.losses import HalfSquaredError, Loss, SquaredError
from symnet.networks.losses_margin import MARGINS
from symnet.networks.losses_pairs import PAIRS
from symnet.networks.sequential import Sequential

jax.config.update("jax_enable_x64", True)
DICE = np.random.default_rng(3)
A, REAL = DICE.normal(size=(4, 3)), DICE.normal(size=(4, 3))
SHARES = DICE.dirichlet(np.ones(3), size=4)
ONE_HOT = np.eye(3)[[2, 0, 1, 2]]
SIGNS = np.where(DICE.random((4, 3)) > 0.5, 1.0, -1.0)
BITS = (SIGNS + 1) / 2
COUNTS = DICE.integers(0, 4, (4, 3)).astype(float)
PERCENT = sigmoid(A)


def huber(d: Any, delta: float) -> Any:
    return jnp.where(jnp.abs(d) <= delta, d**2 / 2, delta * (jnp.abs(d) - delta / 2))


def xlogy(y: Any) -> Any:
    return jnp.where(y > 0, y * jnp.log(jnp.where(y > 0, y, 1)), 0)


Each = Callable[[Any, Any], Any]
Row = tuple[Callable[..., Loss], Any, Any, Each]  # the loss, an output, a target, and all its terms: their mean is the loss
ENTRIES: dict[str, Row] = {  # one term for each entry
    "MSELoss": (sn.MSELoss, A, REAL, lambda a, y: (a - y) ** 2),
    "SquaredError": (SquaredError, A, REAL, lambda a, y: (a - y) ** 2),
    "HalfSquaredError": (HalfSquaredError, A, REAL, lambda a, y: (a - y) ** 2 / 2),
    "L1Loss": (sn.L1Loss, A, REAL, lambda a, y: jnp.abs(a - y)),
    "HuberLoss": (sn.HuberLoss, A, REAL, lambda a, y: huber(a - y, 1)),
    "HuberLoss narrow": (lambda **k: sn.HuberLoss(delta="1/4", **k), A, REAL, lambda a, y: huber(a - y, 0.25)),
    "SmoothL1Loss": (sn.SmoothL1Loss, A, REAL, lambda a, y: huber(a - y, 1)),
    "SmoothL1Loss wide": (lambda **k: sn.SmoothL1Loss(beta=2, **k), A, REAL, lambda a, y: huber(a - y, 2) / 2),
    "SmoothL1Loss at 0": (lambda **k: sn.SmoothL1Loss(beta=0, **k), A, REAL, lambda a, y: jnp.abs(a - y)),
    "BCELoss": (sn.BCELoss, PERCENT, SHARES, lambda a, y: -(y * jnp.log(a) + (1 - y) * jnp.log1p(-a))),
    "BCEWithLogitsLoss": (sn.BCEWithLogitsLoss, A, BITS, lambda a, y: -(y * jnp.log(sigmoid(a)) + (1 - y) * jnp.log(1 - sigmoid(a)))),
    "BCEWithLogitsLoss weighted": (lambda **k: sn.BCEWithLogitsLoss(pos_weight=3, **k), A, SHARES,
                                   lambda a, y: -(3 * y * jnp.log(sigmoid(a)) + (1 - y) * jnp.log(1 - sigmoid(a)))),
    "KLDivLoss": (sn.KLDivLoss, A, SHARES, lambda a, y: y * (jnp.log(y) - a)),
    "KLDivLoss of one-hot rows": (sn.KLDivLoss, A, ONE_HOT, lambda a, y: xlogy(y) - y * a),
    "KLDivLoss of logarithms": (lambda **k: sn.KLDivLoss(log_target=True, **k), A, REAL, lambda a, y: jnp.exp(y) * (y - a)),
    "HingeLoss": (sn.HingeLoss, A, SIGNS, lambda a, y: jnp.maximum(0, 1 - y * a)),
    "HingeLoss squared": (lambda **k: sn.HingeLoss(True, **k), A, SIGNS, lambda a, y: jnp.maximum(0, 1 - y * a) ** 2),
    "HingeEmbeddingLoss": (sn.HingeEmbeddingLoss, A, SIGNS, lambda a, y: jnp.where(y > 0, a, jnp.maximum(0, 1 - a))),
    "SoftMarginLoss": (sn.SoftMarginLoss, A, SIGNS, lambda a, y: jnp.log1p(jnp.exp(-y * a))),
    "PoissonNLLLoss": (sn.PoissonNLLLoss, A, COUNTS, lambda a, y: jnp.exp(a) - y * a),
}
SAMPLES: dict[str, Row] = {  # one term for each row
    "CrossEntropyLoss": (sn.CrossEntropyLoss, A, SHARES, lambda a, y: -(y * log_softmax(a)).sum(-1)),
    "CrossEntropyLoss of a class": (sn.CrossEntropyLoss, A, ONE_HOT,
                                    lambda a, y: -jnp.take_along_axis(log_softmax(a), jnp.array([[2], [0], [1], [2]]), 1)[:, 0]),
    "CrossEntropyLoss smoothed": (lambda **k: sn.CrossEntropyLoss(label_smoothing="1/10", **k), A, ONE_HOT,
                                  lambda a, y: -((0.9 * y + 0.1 / 3) * log_softmax(a)).sum(-1)),
    "CrossEntropyLoss of shares": (lambda **k: sn.CrossEntropyLoss(normalized=True, label_smoothing="1/10", **k), A, SHARES,
                                   lambda a, y: -((0.9 * y + 0.1 / 3) * log_softmax(a)).sum(-1)),
    "NLLLoss": (sn.NLLLoss, A, ONE_HOT, lambda a, y: -(y * a).sum(-1)),
}
TABLE = {**ENTRIES, **SAMPLES}


def test_every_loss_has_a_formula_in_a_test() -> None:
    # test_losses_pairs.py, test_torch_coverage.py, test_losses_penalty.py
    elsewhere = {c.__name__ for c in (*PAIRS, *MARGINS)} | {"L1Penalty", "L2Penalty"}
    assert {name.split()[0] for name in TABLE} | elsewhere == set(LOSSES)
    assert all(getattr(sn, name) is LOSSES[name] for name in LOSSES)


@pytest.mark.filterwarnings("ignore:divide by zero", "ignore:invalid value")  # y log y at y = 0, in the branch that does not hold
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("row", TABLE.values(), ids=TABLE)
def test_value_and_gradient_agree_with_jax(row: Row, reduction: str) -> None:
    make, a, y, each = row
    total = jnp.mean if reduction == "mean" else jnp.sum
    wanted, slope = jax.value_and_grad(lambda a: total(each(a, y)))(jnp.asarray(a))
    d = derive(sn.loss_program(make(reduction=reduction), "N", "d"))
    loss, grads = d.compile(check=False)({"A": np.asarray(a)}, y)
    assert loss == pytest.approx(float(wanted), rel=1e-12)
    np.testing.assert_allclose(grads["A"], slope, rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("name", [name for name in TABLE if name != "BCELoss"])
def test_every_step_checks_on_its_own(name: str) -> None:
    d = derive(sn.loss_program(TABLE[name][0](), "N", "d"))
    assert all(s.check() for s in d.steps)


def test_the_steps_of_bce_check_where_its_logarithms_are_defined() -> None:
    d = derive(Sequential(sn.Linear("d", "h"), sn.Sigmoid()).program(sn.BCELoss(reduction="sum")))
    assert all(s.check() for s in d.steps)


def test_the_defaults_of_the_older_losses_are_unchanged() -> None:
    assert [LOSSES[n]().reduction for n in ("MSELoss", "BCELoss", "CrossEntropyLoss", "SquaredError", "HalfSquaredError")] == [
        "mean", "mean", "mean", "sum", "sum"]


def test_batchmean_divides_by_the_samples_alone() -> None:
    loss, _ = derive(sn.loss_program(sn.KLDivLoss(reduction="batchmean"), "N", "d")).compile(check=False)({"A": A}, SHARES)
    assert loss == pytest.approx((SHARES * (np.log(SHARES) - A)).sum() / 4, rel=1e-12)


LARGE = np.array([[1000.0, -1000.0, 0.0], [-1000.0, 1000.0, 1000.0]])
TARGETS = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
HUGE: dict[str, tuple[Loss, Each]] = {
    "BCEWithLogitsLoss": (sn.BCEWithLogitsLoss(), lambda a, y: jnp.mean(softplus(a) - y * a)),
    "BCEWithLogitsLoss weighted": (sn.BCEWithLogitsLoss(pos_weight=2), lambda a, y: jnp.mean(2 * y * softplus(-a) + (1 - y) * softplus(a))),
    "CrossEntropyLoss": (sn.CrossEntropyLoss(), lambda a, y: -jnp.sum(y * log_softmax(a)) / 2),
    "CrossEntropyLoss normalized": (sn.CrossEntropyLoss(normalized=True), lambda a, y: -jnp.sum(y * log_softmax(a)) / 2),
    "CrossEntropyLoss smoothed": (sn.CrossEntropyLoss(label_smoothing="1/4"),
                                  lambda a, y: -jnp.sum((0.75 * y + 1 / 12) * log_softmax(a)) / 2),
    "SoftMarginLoss": (sn.SoftMarginLoss(), lambda a, y: jnp.mean(softplus(-y * a))),
}


@pytest.mark.parametrize("loss, formula", HUGE.values(), ids=HUGE)
def test_at_inputs_of_a_thousand_nothing_overflows(loss: Loss, formula: Each) -> None:
    wanted, slope = jax.value_and_grad(formula)(jnp.asarray(LARGE), TARGETS)
    found, grads = derive(sn.loss_program(loss, "N", "d")).compile(check=False)({"A": LARGE}, TARGETS)
    assert found == pytest.approx(float(wanted), rel=1e-12) and np.isfinite(found)
    np.testing.assert_allclose(grads["A"], slope, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("layer, loss", [(sn.LogSoftmax(), sn.NLLLoss()), (sn.LogSoftmax(), sn.KLDivLoss()), (sn.Softplus(), sn.MSELoss())],
                         ids=["LogSoftmax and NLLLoss", "LogSoftmax and KLDivLoss", "Softplus"])
def test_layers_of_a_thousand_stay_finite(layer: Any, loss: Loss) -> None:
    run = derive(Sequential(sn.Linear(3, 3), layer).program(loss)).compile(check=False)
    with np.errstate(divide="ignore", invalid="ignore"):  # y log y at y = 0, in the branch that does not hold
        found, grads = run({"W1": np.eye(3), "b1": np.zeros(3)}, LARGE, TARGETS)
    assert np.isfinite(found) and all(np.isfinite(g).all() for g in grads.values())


def test_log_softmax_with_nll_is_the_cross_entropy() -> None:
    nets = (Sequential(sn.Linear(3, 3), sn.LogSoftmax()).program(sn.NLLLoss()), Sequential(sn.Linear(3, 3)).program(sn.CrossEntropyLoss()))
    (one, first), (two, second) = (derive(p).compile(check=False)({"W1": REAL[:3], "b1": REAL[3]}, A, one_hot(jnp.array([0, 2, 1, 1]), 3)) for p in nets)
    assert one == pytest.approx(two, rel=1e-13)
    np.testing.assert_allclose(first["W1"], second["W1"], rtol=1e-11)


GRADIENTS: dict[str, tuple[Loss, str]] = {
    "L1": (sn.L1Loss(reduction="sum"), "sign(a - y)"), "Huber": (sn.HuberLoss(reduction="sum"), "((a - y) if abs(a - y) <= 1 else sign(a - y))"),
    "logits": (sn.BCEWithLogitsLoss(reduction="sum"), "sigmoid(a) - y"), "hinge": (sn.HingeLoss(reduction="sum"), "-y*step(1 - a*y)"),
}


@pytest.mark.parametrize("loss, wanted", GRADIENTS.values(), ids=GRADIENTS)
def test_the_gradient_reads_like_the_textbooks(loss: Loss, wanted: str) -> None:
    d = derive(sn.loss_program(loss))
    assert definition_text(d.steps[-1].definition, d.full.tensors) == f"dL_da = {wanted}"


@pytest.mark.parametrize("smoothing, wanted", [(0, "(p[n, i] - Y[n, i])/N"), ("1/10", "(p[n, i] - q[n, i])/N"), ("epsilon", "(p[n, i] - q[n, i])/N")])
def test_shares_that_add_up_to_one_give_the_short_gradient(smoothing: object, wanted: str) -> None:
    d = derive(sn.loss_program(sn.CrossEntropyLoss(normalized=True, label_smoothing=smoothing), "N", "d"))
    assert definition_text(d.steps[-1].definition, d.full.tensors) == f"dL_dA[n, i] = {wanted}"
    assert d.steps[-1].check()


def test_a_name_in_place_of_a_number_is_a_symbol() -> None:
    d = derive(sn.loss_program(sn.HuberLoss(delta="delta"), "N", "d"))
    loss, _ = d.compile(check=False)({"A": A}, Y=REAL, delta=0.25)
    assert loss == pytest.approx(float(huber(A - REAL, 0.25).mean()), rel=1e-12)


WRONG: dict[str, Callable[[], object]] = {
    "a reduction": lambda: sn.MSELoss(reduction="nothing"), "another reduction": lambda: sn.KLDivLoss(reduction="median"),
    "a number by zero": lambda: sn.loss_program(sn.HuberLoss(delta="1/0"), "N"),
    "delta 0": lambda: sn.loss_program(sn.HuberLoss(delta=0), "N"), "beta below 0": lambda: sn.loss_program(sn.SmoothL1Loss(beta=-1), "N"),
    "smoothing above 1": lambda: sn.CrossEntropyLoss(label_smoothing=2), "smoothing below 0": lambda: sn.CrossEntropyLoss(label_smoothing=-1),
    "a weight of 0": lambda: sn.loss_program(sn.BCEWithLogitsLoss(pos_weight=0), "N"), "a margin": lambda: sn.loss_program(sn.HingeEmbeddingLoss(-1), "N"),
}


@pytest.mark.parametrize("make", WRONG.values(), ids=WRONG)
def test_a_wrong_argument_is_said_in_one_line(make: Callable[[], object]) -> None:
    with pytest.raises(sn.SymnetError) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_a_misspelt_loss_is_told_what_was_meant() -> None:
    assert did_you_mean("HuberLos", LOSSES) == "did you mean 'HuberLoss'?"
