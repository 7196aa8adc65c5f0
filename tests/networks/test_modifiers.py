"""Weight decay and clipping: in front of any rule, in the order of PyTorch, equal to the published formulas."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy as sp

from symnet.backends.updates import update_function
from symnet.core.axes import Axis, Kind
from symnet.core.tensors import Tensor
from symnet.errors import OptionError, SymnetError
from symnet.networks.gradient_transforms import clip_by_norm, clip_by_value, decoupled_decay, global_norm, weight_decay
from symnet.networks.optimizers import OPTIMIZERS, SGD, HeavyBall, Momentum, Optimizer
from symnet.networks.optimizers_adaptive import Adam, AdamW
from symnet.reports.mathml import to_mathml

W, G = np.array([[1.0, -2.0], [3.0, 0.5]]), np.array([[0.5, 4.0], [-1.0, -3.0]])


def step(rule: Optimizer, w: Any = W, g: Any = G, **more: float) -> np.ndarray:
    """One step from states of 0.25."""
    states = {old: np.full_like(w, 0.25) for old, _ in rule.states}
    made: np.ndarray = update_function(rule.program, ("w_new",))(
        w=w, g=g, **states, **{k: float(v) for k, v in rule.settings.items()}, **({"t": 2.0} if rule.counts else {}), **more)[0]
    return made


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_coupled_decay_is_the_rule_for_the_gradient_of_the_penalized_loss(name: str) -> None:
    rule = OPTIMIZERS[name](weight_decay=0) if name in ("adamw", "lion") else OPTIMIZERS[name]()
    np.testing.assert_allclose(step(weight_decay(rule, "1/4")), step(rule, g=G + 0.25 * W), rtol=1e-14)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_decoupled_decay_is_the_rule_from_a_shrunk_parameter(name: str) -> None:
    rule = OPTIMIZERS[name](**({} if name == "rprop" else {"weight_decay": 0}))  # which has none, in PyTorch either
    lr = float(rule.settings["lr"])
    np.testing.assert_allclose(step(decoupled_decay(rule, "1/4")), step(rule, w=W - lr * 0.25 * W), rtol=1e-14)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_clipping_by_value_is_the_rule_for_clipped_gradients(name: str) -> None:
    rule = OPTIMIZERS[name]()
    np.testing.assert_allclose(step(clip_by_value(rule, "3/2")), step(rule, g=np.clip(G, -1.5, 1.5)), rtol=1e-14)


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("norm", [0.0, 0.5, 2.0, 7.25])
def test_clipping_by_norm_is_the_rule_for_gradients_times_pytorchs_factor(name: str, norm: float) -> None:
    rule = OPTIMIZERS[name]()
    factor = min(1.0, 1.5 / (norm + 1e-6))
    np.testing.assert_allclose(step(clip_by_norm(rule, "3/2"), norm=norm), step(rule, g=G * factor), rtol=1e-13)


def test_the_decay_of_a_clipped_rule_is_not_clipped_as_in_pytorch() -> None:
    rule = clip_by_value(SGD("1/8", weight_decay="1/4"), 1)
    np.testing.assert_allclose(step(rule), W - 0.125 * (np.clip(G, -1, 1) + 0.25 * W), rtol=1e-15)
    assert [d.name for d in rule.program.definitions] == ["g_clip", "g_decay", "w_new"]


def test_a_decay_put_before_the_clipping_is_clipped_with_it() -> None:
    rule = weight_decay(clip_by_value(SGD("1/8"), 1), "1/4")
    np.testing.assert_allclose(step(rule), W - 0.125 * np.clip(G + 0.25 * W, -1, 1), rtol=1e-15)


def test_adamw_is_adam_with_a_decoupled_decay_and_not_with_a_coupled_one() -> None:
    assert str(AdamW().program) == str(decoupled_decay(Adam(), "1/100").program)
    assert not np.allclose(step(AdamW(weight_decay="1/4")), step(Adam(weight_decay="1/4")))


def test_no_decay_is_the_rule_itself() -> None:
    rule = SGD()
    assert weight_decay(rule, 0) is rule and decoupled_decay(rule, 0).program is rule.program and SGD(weight_decay="0").program == rule.program


def test_the_name_tells_what_was_put_in_front() -> None:
    assert clip_by_norm(SGD(weight_decay="1/4"), 1).name == "SGD with weight decay, gradients clipped by norm"
    assert clip_by_norm(SGD(), 1).uses_norm and not clip_by_value(SGD(), 1).uses_norm


MODIFIED = {"coupled": weight_decay(HeavyBall(), "1/4"), "decoupled": decoupled_decay(Momentum(), "1/4"), "value": clip_by_value(SGD(), 1),
            "norm": clip_by_norm(SGD(), 1), "norm then decay": clip_by_norm(Momentum(weight_decay="1/4"), 1)}


def test_the_printed_lines_are_the_golden_ones(golden: Callable[[str, str], None]) -> None:
    golden("modifiers.tex", "".join(f"% {name}\n{rule.latex}\n".replace(r" \\ ", " \\\\\n") for name, rule in MODIFIED.items()))
    assert all(to_mathml(rule.latex) for rule in MODIFIED.values())


SHAPES: dict[str, tuple[tuple[int, ...], ...]] = {"one number": ((),), "a vector": ((3,),), "two layers": ((2, 3), (3,), (3, 1), (1,)), "deep": ((2, 3, 2), ())}


@pytest.mark.parametrize("shapes", SHAPES.values(), ids=SHAPES)
def test_the_global_norm_is_that_of_all_entries_together(shapes: tuple[tuple[int, ...], ...]) -> None:
    rng = np.random.default_rng(0)
    tensors = [Tensor(f"W{k}", tuple(Axis.of(f"s{k}{j}") for j in range(len(shape)))) for k, shape in enumerate(shapes)]
    arrays = {t.name: rng.normal(size=shape) for t, shape in zip(tensors, shapes, strict=True)}
    program = global_norm(tensors)
    (norm,) = update_function(program, ("norm",))(**arrays)
    assert float(norm) == pytest.approx(np.sqrt(sum((a**2).sum() for a in arrays.values())), rel=1e-14)


def test_the_global_norm_of_axes_that_do_not_start_at_one_and_of_a_parameter_of_its_name() -> None:
    deep = Tensor("norm", (Axis.between(0, "L", Kind.DEPTH),))
    program = global_norm([deep])
    assert program.objective == "norm_"
    assert float(update_function(program, ("norm_",))(norm=np.array([3.0, 4.0]))[0]) == 5.0


REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "limit 0": (lambda: clip_by_value(SGD(), 0), "a positive number"), "negative": (lambda: clip_by_norm(SGD(), -1), "a positive number"),
    "no number": (lambda: clip_by_norm(SGD(), "much"), "'much'"), "twice": (lambda: clip_by_norm(clip_by_value(SGD(), 1), 1), "one kind of clipping"),
    "decayed twice": (lambda: weight_decay(SGD(weight_decay=1), 1), "lam"),
}


@pytest.mark.parametrize("make, words", REFUSED.values(), ids=REFUSED)
def test_what_makes_no_sense_is_refused_in_one_line(make: Callable[[], object], words: str) -> None:
    with pytest.raises(SymnetError) as caught:
        make()
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_settings_of_the_line_in_front_can_be_changed() -> None:
    rule = clip_by_norm(SGD(weight_decay=1), 1).with_settings(limit="1/2", weight_decay="1/8", lr=1)
    assert dict(rule.settings) == {"lr": 1, "lam": sp.Rational(1, 8), "limit": sp.Rational(1, 2),
                                   "eps_clip": sp.Rational(1, 10**6)}
    with pytest.raises(OptionError, match="no setting 'lamb'"):
        rule.with_settings(lamb=1)
