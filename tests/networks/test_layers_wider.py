"""Groups, "same" padding, ceil_mode, padding that does not count, both directions in time, padded keys, running statistics: against JAX."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import symnet as sn
from symnet.calculus import derive
from symnet.core.derivation import Derivation
from symnet.errors import OptionError
from symnet.networks.structure import Input

jax.config.update("jax_enable_x64", True)
DICE = np.random.default_rng(5)
Arrays = dict[str, Any]
Pads = tuple[tuple[int, int], ...]


def conv(a: Arrays, pads: Pads, groups: int = 1, dilation: int = 1) -> Any:
    names = ("NCH", "OIH", "NCH") if len(pads) == 1 else ("NCHW", "OIHW", "NCHW")
    made = jax.lax.conv_general_dilated(a["X"], a["W1"], (1,) * len(pads), pads, rhs_dilation=(dilation,) * len(pads),
                                        dimension_numbers=names, feature_group_count=groups)
    return made + a["b1"].reshape(1, -1, *[1] * len(pads))


def windows(z: Any, k: int, s: int, pads: tuple[int, int], filling: float) -> list[Any]:
    wide = jnp.pad(z, ((0, 0), (0, 0), pads), constant_values=filling)
    return [wide[:, :, i:i + k] for i in range(0, wide.shape[2] - k + 1, s)]


def largest(z: Any, k: int, s: int, pads: tuple[int, int]) -> Any:
    return jnp.stack([w.max(-1) for w in windows(z, k, s, pads, -np.inf)], -1)


def mean(z: Any, k: int, s: int, pads: tuple[int, int], counted: int) -> Any:
    """``counted``: how many places of the padding on either side count."""
    ones = jnp.pad(jnp.ones_like(z), ((0, 0), (0, 0), (counted, counted)), constant_values=1.0)
    ones = jnp.pad(ones, ((0, 0), (0, 0), (pads[0] - counted, pads[1] - counted)))
    below = [ones[:, :, i:i + k].sum(-1) for i in range(0, ones.shape[2] - k + 1, s)]
    return jnp.stack([w.sum(-1) / b for w, b in zip(windows(z, k, s, pads, 0.0), below, strict=True)], -1)


def pooled(*layer: Any) -> tuple[Any, ...]:
    return (Input(2, 9), sn.Conv1d(2, 3, 2), *layer)


SIGNAL = {"X": (2, 2, 9), "W1": (3, 2, 2), "b1": (3,)}
Case = tuple[tuple[Any, ...], dict[str, tuple[int, ...]], Callable[[Arrays], Any]]
CASES: dict[str, Case] = {
    "same, even kernel": ((Input(2, 7), sn.Conv1d(2, 4, 4, padding="same")), {"X": (3, 2, 7), "W1": (4, 2, 4), "b1": (4,)},
                          lambda a: conv(a, ((1, 2),))),
    "same, dilated": ((Input(2, 7), sn.Conv1d(2, 4, 3, padding="same", dilation=2)), {"X": (3, 2, 7), "W1": (4, 2, 3), "b1": (4,)},
                      lambda a: conv(a, ((2, 2),), 1, 2)),
    "valid": ((Input(2, 7), sn.Conv1d(2, 4, 3, padding="valid")), {"X": (3, 2, 7), "W1": (4, 2, 3), "b1": (4,)}, lambda a: conv(a, ((0, 0),))),
    "groups": ((Input(4, 7), sn.Conv1d(4, 6, 3, groups=2)), {"X": (3, 4, 7), "W1": (6, 2, 3), "b1": (6,)}, lambda a: conv(a, ((0, 0),), 2)),
    "one group a channel": ((Input(3, 5, 6), sn.Conv2d(3, 6, (3, 2), padding="same", groups=3)), {"X": (2, 3, 5, 6), "W1": (6, 1, 3, 2), "b1": (6,)},
                            lambda a: conv(a, ((1, 1), (0, 1)), 3)),
    "max, ceil_mode": (pooled(sn.MaxPool1d(3, ceil_mode=True)), SIGNAL, lambda a: largest(conv(a, ((0, 0),)), 3, 3, (0, 1))),
    "max, ceil_mode and padding": (pooled(sn.MaxPool1d(3, 2, 1, ceil_mode=True)), SIGNAL, lambda a: largest(conv(a, ((0, 0),)), 3, 2, (1, 2))),
    "mean, padding left out": (pooled(sn.AvgPool1d(3, 2, 1, count_include_pad=False)), SIGNAL,
                               lambda a: mean(conv(a, ((0, 0),)), 3, 2, (1, 1), 0)),
    "mean, ceil_mode": (pooled(sn.AvgPool1d(3, 2, 1, ceil_mode=True)), SIGNAL, lambda a: mean(conv(a, ((0, 0),)), 3, 2, (1, 2), 1)),
    "mean, both": (pooled(sn.AvgPool1d(3, 2, 1, ceil_mode=True, count_include_pad=False)), SIGNAL,
                   lambda a: mean(conv(a, ((0, 0),)), 3, 2, (1, 2), 0)),
    "batch norm, evaluation": ((sn.Linear("d", "h"), sn.BatchNorm1d("h", training=False)),
                               {"X": (5, 3), "W1": (3, 4), "b1": (4,), "running_mean1": (4,), "running_var1": (4,), "gamma1": (4,), "beta1": (4,)},
                               lambda a: (a["X"] @ a["W1"] + a["b1"] - a["running_mean1"]) / jnp.sqrt(a["running_var1"] + 1e-5) * a["gamma1"]
                               + a["beta1"]),
}


def gap(d: Derivation, arrays: Arrays, theirs: Callable[[Arrays], Any]) -> float:
    """The largest difference of the loss and of any gradient."""
    wanted = {**arrays, "Y": DICE.normal(size=theirs(arrays).shape)}
    value, slopes = jax.value_and_grad(lambda p: ((theirs({**wanted, **p}) - wanted["Y"]) ** 2).mean())({k: jnp.asarray(arrays[k]) for k in d.wrt})
    ours, found = d.compile(check=False)({}, **wanted)
    return max(abs(ours - float(value)), *[float(np.abs(found[k] - slopes[k]).max()) for k in d.wrt])


@pytest.mark.parametrize("name", CASES)
def test_values_and_gradients_are_those_of_jax(name: str) -> None:
    layers, shapes, theirs = CASES[name]
    d = derive(sn.Sequential(*layers).program(sn.MSELoss()))
    arrays = {k: (np.abs if "var" in k else np.asarray)(DICE.normal(size=s)) for k, s in shapes.items()}
    assert gap(d, arrays, theirs) < 1e-12
    assert all(s.check() for s in d.steps)


def scan(a: Arrays, x: Any, number: int, back: bool) -> Any:
    """One direction of an Elman network, step by step."""
    h, made = jnp.zeros((x.shape[0], a[f"W{number}_hh"].shape[0])), []
    for t in reversed(range(x.shape[1])) if back else range(x.shape[1]):
        h = jnp.tanh(x[:, t] @ a[f"W{number}_ih"].T + a[f"b{number}_ih"] + h @ a[f"W{number}_hh"].T + a[f"b{number}_hh"])
        made.append(h)
    return jnp.stack(made[::-1] if back else made, 1)


def both(a: Arrays, x: Any, number: int) -> Any:
    return jnp.concatenate([scan(a, x, number, False), scan(a, x, number + 1, True)], -1)


def ends(a: Arrays, x: Any, number: int) -> Any:
    return jnp.concatenate([scan(a, x, number, False)[:, -1], scan(a, x, number + 1, True)[:, 0]], -1)


RECURRENT = {
    "both directions": ({"bidirectional": True}, lambda a: both(a, a["X"], 1)),
    "final states": ({"bidirectional": True, "output": "last"}, lambda a: ends(a, a["X"], 1)),
    "two layers": ({"num_layers": 2, "output": "last"}, lambda a: scan(a, scan(a, a["X"], 1, False), 2, False)[:, -1]),
    "two layers, both directions": ({"num_layers": 2, "bidirectional": True}, lambda a: both(a, both(a, a["X"], 1), 3)),
}


@pytest.mark.parametrize("name", RECURRENT)
def test_time_runs_both_ways_and_in_layers(name: str) -> None:
    options, theirs = RECURRENT[name]
    program = sn.Sequential(sn.RNN("d", "m", **options)).program(sn.MSELoss())
    sizes = {"N": 2, "T": 4, "d": 3, "m": 5}
    arrays = {t.name: DICE.normal(size=[int(s.xreplace({q: sizes[str(q)] for q in s.free_symbols})) for s in t.shape])
              for t in program.inputs if t.name != "Y"}
    d = derive(program)
    assert gap(d, arrays, theirs) < 1e-12
    assert all(s.check() for s in d.steps)


@pytest.mark.slow
@pytest.mark.parametrize("cell", [sn.GRU, sn.LSTM])
def test_every_step_of_a_deep_network_in_both_directions_checks(cell: Any) -> None:
    assert all(s.check() for s in derive(sn.Sequential(cell("d", "m", num_layers=2, bidirectional=True)).program(sn.MSELoss())).steps)


@pytest.mark.parametrize("mask", [None, "causal"])
def test_padded_keys_get_no_share(mask: str | None) -> None:
    program = sn.Sequential(sn.MultiheadAttention("d", "H", mask=mask, key_padding_mask=True)).program(sn.MSELoss())
    sizes = {"N": 2, "T": 3, "d": 4, "H": 5, "d_h": 6}
    arrays: Arrays = {t.name: DICE.normal(size=[sizes[str(s)] for s in t.shape]) for t in program.inputs if t.name not in ("Y", "pad1")}
    arrays["pad1"] = np.array([[0, 0, 1], [0, 1, 0]])

    def theirs(a: Arrays) -> Any:
        q, k, v = (jnp.einsum("nti,hik->nhtk", a["X"], a[f"W1_{c}"]) + a[f"b1_{c}"][:, None] for c in "qkv")
        seen = (a["pad1"] == 0)[:, None, None, :] & (np.tril(np.ones((3, 3))) == 1 if mask else True)
        share = jax.nn.softmax(jnp.where(seen, jnp.einsum("nhtk,nhsk->nhts", q, k) / np.sqrt(6), -jnp.inf))
        return jnp.einsum("nhts,nhsk,hki->nti", share, v, a["W1_o"]) + a["b1_o"]

    d = derive(program)
    assert gap(d, arrays, theirs) < 1e-12
    assert all(s.check() for s in d.steps)


@pytest.mark.parametrize("make", [
    lambda: sn.Sequential(Input(2, 7), sn.Conv1d(2, 4, 3, padding="same", stride=2)).program(),
    lambda: sn.Sequential(Input(2, 7), sn.Conv1d(2, 4, 3, padding="full")).program(),
    lambda: sn.Sequential(Input(3, 7), sn.Conv1d(3, 4, 3, groups=2)).program(),
    lambda: sn.Sequential(Input(2, "T"), sn.MaxPool1d(3, ceil_mode=True)).program(),
    lambda: sn.Sequential(sn.RNN("d", "m", num_layers=0)).program(),
], ids=["same with a stride", "no such padding", "groups that do not divide", "ceil_mode of any length", "no layers"])
def test_what_cannot_be_is_refused(make: Callable[[], Any]) -> None:
    with pytest.raises(OptionError):
        make()
