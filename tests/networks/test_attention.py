"""Attention and the transformer block: gradients against JAX, steps checked, masks, large scores, few array operations."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.arrays.notation import matrix_latex
from symnet.errors import SymnetError
from symnet.networks.architectures import transformer_block
from symnet.networks.attention import MultiheadAttention, TransformerEncoderLayer, attention
from symnet.parsing.worksheet import parse_worksheet
from symnet.worksheet_loader import derivation_of

jax = importlib.import_module("jax")
jax.config.update("jax_enable_x64", True)
jnp = jax.numpy

SIZES = {"N": 2, "T": 4, "S": 7, "d": 6, "H": 3, "d_h": 5, "f": 8, "v": 9}
MASKS = (None, "additive", "causal")
Values = dict[str, Any]


def random_values(program: sn.Program, seed: int = 0, scale: float = 1.0) -> Values:
    dice = np.random.default_rng(seed)
    return {t.name: scale * dice.normal(size=tuple(SIZES[str(s)] for s in t.shape)) for t in program.inputs}


def attend(q: Any, k: Any, v: Any, mask: Any = None) -> Any:
    """Rows are places: softmax(q kᵀ/√d + mask) v."""
    scores = q @ jnp.swapaxes(k, -1, -2) / np.sqrt(q.shape[-1])
    return jax.nn.softmax(scores if mask is None else scores + mask, axis=-1) @ v


def mask_of(kind: str | None, v: Values, name: str) -> Any:
    count = SIZES["T"]
    return v[name] if kind == "additive" else np.where(np.tri(count), 0, -np.inf) if kind == "causal" else None


def heads(v: Values, x: Any, number: int = 1, mask: Any = None, memory: Any = None) -> Any:
    source = x if memory is None else memory
    q, k, value = (jnp.einsum("nti,hik->nhtk", of, v[f"W{number}_{c}"]) + v[f"b{number}_{c}"][:, None]
                   for c, of in (("q", x), ("k", source), ("v", source)))
    return jnp.einsum("nhtk,hki->nti", attend(q, k, value, mask), v[f"W{number}_o"]) + v[f"b{number}_o"]


def layer_norm(v: Values, x: Any, number: int) -> Any:
    centred = x - x.mean(axis=-1, keepdims=True)
    return v[f"gamma{number}"] * centred / jnp.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-5) + v[f"beta{number}"]


def half_square(a: Any, y: Any) -> Any:
    return ((a - y) ** 2).sum() / 2


def agree(program: sn.Program, loss: Callable[[Values], Any], values: Values | None = None) -> None:
    d = sn.derive(program)
    values = values or random_values(program)
    found, grads = d.compile(check=False)({w: values[w] for w in d.wrt}, **{n: a for n, a in values.items() if n not in d.wrt})
    wanted, slopes = jax.jit(jax.value_and_grad(lambda p: loss({**values, **p})))({w: values[w] for w in d.wrt})
    assert found == pytest.approx(float(wanted), rel=1e-11)
    for name, slope in slopes.items():
        np.testing.assert_allclose(grads[name], slope, rtol=1e-8, atol=1e-10 * max(1, float(jnp.abs(slope).max())), err_msg=name)


@pytest.mark.parametrize("mask", MASKS)
def test_scaled_dot_product_attention_agrees_with_jax(mask: str | None) -> None:
    agree(attention(mask=mask), lambda v: half_square(attend(v["Q"], v["K"], v["V"], mask_of(mask, v, "M")), v["Y"]))


@pytest.mark.parametrize("mask", MASKS)
def test_multihead_attention_agrees_with_jax(mask: str | None) -> None:
    program = sn.Sequential(MultiheadAttention("d", "H", mask=mask)).program(sn.HalfSquaredError())
    agree(program, lambda v: half_square(heads(v, v["X"], mask=mask_of(mask, v, "M1")), v["Y"]))


def test_attention_to_a_memory_of_another_length() -> None:
    program = sn.Sequential(MultiheadAttention("d", "H", memory="S")).program(sn.HalfSquaredError())
    assert [str(s) for s in program["E1"].shape] == ["N", "S", "d"]
    agree(program, lambda v: half_square(heads(v, v["X"], memory=v["E1"]), v["Y"]))


@pytest.mark.parametrize("norm_first, mask", [(False, None), (True, "causal")], ids=["post-norm", "pre-norm, causal"])
def test_the_transformer_block_agrees_with_jax(norm_first: bool, mask: str | None) -> None:
    def loss(v: Values) -> Any:
        x, additive = v["X"], mask_of(mask, v, "")

        def mlp(u: Any) -> Any:
            return jax.nn.relu(u @ v["W2"] + v["b2"]) @ v["W3"] + v["b3"]

        if norm_first:
            x = x + heads(v, layer_norm(v, x, 1), mask=additive)
            return half_square(x + mlp(layer_norm(v, x, 2)), v["Y"])
        x = layer_norm(v, x + heads(v, x, mask=additive), 1)
        return half_square(layer_norm(v, x + mlp(x), 2), v["Y"])

    agree(transformer_block(norm_first=norm_first, mask=mask), loss)


@pytest.mark.slow
def test_gelu_and_two_layers_and_a_recurrent_layer_below() -> None:
    blocks = [TransformerEncoderLayer("d", "H", "f", activation="gelu", norm_first=True, mask="causal") for _ in range(2)]
    program = sn.Sequential(sn.RNN("v", "d"), *blocks, sn.Linear("d", "S")).program(sn.CrossEntropyLoss())

    def loss(v: Values) -> Any:
        h, states = jnp.zeros((SIZES["N"], SIZES["d"])), []
        for t in range(SIZES["T"]):
            h = jnp.tanh(v["X"][:, t] @ v["W1_ih"].T + v["b1_ih"] + h @ v["W1_hh"].T + v["b1_hh"])
            states.append(h)
        x = jnp.stack(states, axis=1)
        for a, norm in ((2, 1), (5, 3)):
            x = x + heads(v, layer_norm(v, x, norm), a, mask_of("causal", v, ""))
            inner = jax.nn.gelu(layer_norm(v, x, norm + 1) @ v[f"W{a + 1}"] + v[f"b{a + 1}"], approximate=False)
            x = x + inner @ v[f"W{a + 2}"] + v[f"b{a + 2}"]
        return -(v["Y"] * jax.nn.log_softmax(x @ v["W8"] + v["b8"])).sum() / SIZES["N"] / SIZES["T"]

    agree(program, loss)


SMALL: dict[str, Callable[[], sn.Program]] = {
    **{f"attention, mask {m}": lambda m=m: attention("T", "S", 3, 2, mask=m) for m in MASKS},  # type: ignore[misc]
    "heads": lambda: sn.Sequential(MultiheadAttention(2, 2, head_dim=3, positions="T")).program(sn.HalfSquaredError(), batch=False),
    "causal heads": lambda: sn.Sequential(MultiheadAttention(2, 2, head_dim=1, positions=3, mask="causal")).program(sn.HalfSquaredError(), batch=False),
    "block": lambda: sn.Sequential(TransformerEncoderLayer(2, 2, 1, positions="T")).program(sn.HalfSquaredError(), batch=False),
}


@pytest.mark.parametrize("make", SMALL.values(), ids=SMALL)
def test_every_step_checks(make: Callable[[], sn.Program]) -> None:
    d = sn.derive(make())
    assert d.steps and all(s.check() for s in d.steps)


@pytest.mark.slow
@pytest.mark.parametrize("norm_first", [False, True], ids=["post-norm", "pre-norm"])
def test_every_step_of_a_batched_block_checks(norm_first: bool) -> None:
    block = TransformerEncoderLayer(3, 2, 4, norm_first=norm_first, head_dim=1, positions=2, mask="causal")
    assert all(s.check() for s in sn.derive(sn.Sequential(block).program(sn.HalfSquaredError(), batch=2)).steps)


@pytest.mark.parametrize("mask", MASKS)
def test_a_mask_does_not_change_the_gradient_of_the_softmax(mask: str | None) -> None:
    d = sn.derive(attention(mask=mask))
    shown = matrix_latex(d.full.by_name["dL_dU"][0], d.full.tensors)
    assert shown is not None and shown.count("P") == 4 and "1" in shown  # ∂U = P ⊙ (∂P - (∂P ⊙ P) 1 1ᵀ)
    assert "<=" not in str(d.full.by_name["dL_dU"][0])


def test_matrix_notation_is_the_textbooks() -> None:
    d = sn.derive(attention())
    shown = {line.name: matrix_latex(line, d.full.tensors) for line in d.full.definitions}
    assert shown["U"] == r"U = \frac{1}{\sqrt{d}} Q K^{\top}"
    assert shown["P"] == r"P = \operatorname{softmax}\left(U\right)" and shown["O"] == "O = P V"
    assert shown["dL_dV"] == r"\frac{\partial L}{\partial V} = P^{\top} \frac{\partial L}{\partial O}"


@pytest.mark.parametrize("mask", MASKS)
def test_large_scores_do_not_overflow(mask: str | None) -> None:
    program = attention(mask=mask)
    d, values = sn.derive(program), random_values(program, scale=1000.0)
    values["Y"] /= 1000
    if mask == "additive":
        values["M"] = np.where(np.arange(SIZES["S"]) < 5, 0.0, -np.inf) + np.zeros((SIZES["T"], 1))
    with np.errstate(over="raise", invalid="raise"):
        loss, grads = d.compile(check=False)({w: values[w] for w in d.wrt}, **{n: values[n] for n in values if n not in d.wrt})
    wanted = half_square(attend(values["Q"], values["K"], values["V"], mask_of(mask, values, "M")), values["Y"])
    assert loss == pytest.approx(float(wanted), rel=1e-10) and all(np.isfinite(g).all() for g in grads.values())
    if mask == "additive":
        assert not grads["V"][5:].any() and grads["V"][:5].any()  # nothing flows where the mask forbids


def test_causal_weights_look_back_only() -> None:
    program, place = attention(mask="causal"), 1
    values = random_values(program)
    made = sn.derive(sn.Program(program.inputs, program.definitions[:3] + tuple(_one_row(program, place)), "C"), wrt=["V"])
    _, grads = made.compile(check=False)({"V": values["V"]}, **{n: values[n] for n in values if n != "V"})
    assert grads["V"][:place].any() and not grads["V"][place:].any()


def _one_row(program: sn.Program, place: int) -> list[sn.Definition]:
    import sympy as sp

    o, j = program["O"], sp.Symbol("j", integer=True)
    return [sn.Definition(sn.Tensor("C"), (), sp.Sum(o[place, j], (j, *o.axes[1].range)))]


def test_compiled_attention_is_few_array_operations_without_loops() -> None:
    source = sn.derive(attention()).compile(check=False).source.split("def compute")[1]
    assert not re.search(r"\bfor\b", source) and source.count("rest(") == 1 and "softmax(" not in source and "np.exp" not in source
    assert source.count(" @ ") + source.count("einsum") == 6  # U, O; ∂V, ∂P, ∂Q, ∂K
    block = sn.derive(transformer_block()).compile(check=False).source.split("def compute")[1]
    assert not re.search(r"\bfor\b", block) and block.count("rest(") == 1 and "softmax(" not in block and block.count("einsum") + block.count(" @ ") <= 32


def test_the_heads_divide_a_width_that_is_a_number() -> None:
    program = sn.Sequential(MultiheadAttention(6, 3)).program()
    assert program["W1_q"].shape == (3, 6, 2) and program["W1_o"].shape == (3, 2, 6)


def test_a_worksheet_of_layers() -> None:
    text = 'title = "x"\n[program]\nlayers = ["Linear(v, d)", "TransformerEncoderLayer(d, H, f)"]\nloss = "MSELoss()"\n'
    d = derivation_of(parse_worksheet(text, "x"), "x")
    assert [str(s) for s in d.program["X"].shape] == ["N", "T", "v"] and "W2_q" in d.wrt


WRONG: dict[str, Callable[[], Any]] = {
    "mask": lambda: attention(mask="random"), "heads": lambda: sn.Sequential(MultiheadAttention(6, 4)).program(),
    "activation": lambda: sn.Sequential(TransformerEncoderLayer(6, 3, 4, activation="tanh")).program(),
    "width": lambda: sn.Sequential(sn.Linear("d", "f"), MultiheadAttention("d", "H")).program(),
    "causal memory": lambda: sn.Sequential(MultiheadAttention("d", "H", mask="causal", memory="S")).program(),
}


@pytest.mark.parametrize("make", WRONG.values(), ids=WRONG)
def test_what_does_not_fit_is_refused(make: Callable[[], Any]) -> None:
    with pytest.raises(SymnetError):
        make()
