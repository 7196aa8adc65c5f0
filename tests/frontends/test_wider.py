"""Ordinary models of PyTorch and JAX that need more than a chain of layers: loops, writes, maxima, linear algebra, resampling.

Each is read, compiled and compared with its own library in float64, value and gradient.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symnet as sn

jax, torch = importlib.import_module("jax"), importlib.import_module("torch")
jnp, lax, nn, F = jax.numpy, jax.lax, torch.nn, torch.nn.functional
RNG = np.random.default_rng(0)
W, X, ROWS = RNG.normal(size=(3, 3)), RNG.normal(size=(5, 3)), RNG.normal(size=(3, 4))


def positive(w: Any) -> Any:
    return w.T @ w + 2 * jnp.eye(3)


def causal(w: Any, x: Any) -> Any:
    return jax.nn.softmax(jnp.where(jnp.tril(jnp.ones((5, 5), bool)), x @ w @ x.T, -jnp.inf)) @ x


def pooled(w: Any, x: Any) -> Any:
    return lax.reduce_window(x * w[0, 0], -jnp.inf, lax.max, (1, 2), (1, 2), "SAME")


IN_JAX: dict[str, tuple[Callable[..., Any], list[Any], dict[str, Any]]] = {
    "fori_loop": (lambda w: lax.fori_loop(0, 3, lambda i, h: h + w[i] * i, jnp.zeros(3)), [], {}),
    "fori_loop that writes": (lambda w: lax.fori_loop(0, 3, lambda i, h: h.at[i].set(w[i].sum()), jnp.zeros(3)), [], {}),
    "scan": (lambda w, x: lax.scan(lambda h, v: (jnp.tanh(h @ w + v),) * 2, jnp.zeros(3), x)[1], [X], {"shapes": {"x": ("T", 3)}}),
    "scan of two, from the end": (lambda w, x: lax.scan(lambda c, v: ((c[0] * v + c[1], jnp.tanh(c[0] @ w)), c[0]), (
        jnp.zeros(3), jnp.ones(3)), x, reverse=True)[1], [X], {}),
    "cond": (lambda w: lax.cond(w.sum() > 0, lambda z: z * z, lambda z: -z, w), [], {}),
    "write": (lambda w: w.at[1].set(0.0) + w.at[:, 2].multiply(3.0), [], {}),
    "write by label": (lambda w, y: w.at[jnp.arange(3), y].add(-1.0), [np.array([2, 0, 2])], {}),
    "segment_sum": (lambda w, y: jax.ops.segment_sum(w, y, 4), [np.array([1, 0, 1])], {}),
    "max": (lambda w: w / jnp.max(jnp.abs(w), axis=1, keepdims=True), [], {}), "max pooling": (pooled, [RNG.normal(size=(2, 5))], {}),
    "causal mask": (causal, [X], {}), "inv": (lambda w: jnp.linalg.inv(positive(w)), [], {}),
    "solve": (lambda w: jnp.linalg.solve(positive(w), w[0]), [], {}), "slogdet": (lambda w: jnp.linalg.slogdet(positive(w))[1], [], {}),
    "cholesky": (lambda w: jax.scipy.linalg.solve_triangular(jnp.linalg.cholesky(positive(w)), w[0], lower=True), [], {}),
}


@pytest.mark.parametrize("name", IN_JAX)
def test_jax(name: str) -> None:
    function, more, options = IN_JAX[name]

    def loss(w: Any, *rest: Any) -> Any:
        return jnp.sum(jnp.sin(function(w, *rest)))
    with jax.enable_x64(True):
        program = sn.from_jax(loss, [jnp.asarray(a) for a in (W, *more)], names=["w", "x"][:1 + len(more)], **options)
        wanted, slope = jax.value_and_grad(loss)(*[jnp.asarray(a) for a in (W, *more)])
    value, gradients = sn.derive(program).compile()({"w": W}, *more)
    assert value == pytest.approx(float(wanted), rel=1e-9)
    assert np.allclose(gradients["w"], slope, rtol=1e-8, atol=1e-10)


class Model(nn.Module):  # type: ignore[misc]
    """Layers and a function of them."""

    def __init__(self, forward: Callable[..., Any], **layers: Any) -> None:
        super().__init__()
        self.run = forward
        for name, layer in layers.items():
            if isinstance(layer, torch.Tensor):
                self.register_buffer(name, layer)
            else:
                setattr(self, name, layer)

    def forward(self, *inputs: Any) -> Any:
        return self.run(self, *inputs)


def of(function: Callable[[Any], Any]) -> Callable[[], Any]:
    return lambda: Model(lambda s, x: function(s.layer(x)), layer=nn.Linear(4, 4))


def gram(z: Any) -> Any:
    return z.T @ z + 2 * torch.eye(4, dtype=z.dtype)


IMAGE = (1, 2, 3, 2)
IN_TORCH: dict[str, tuple[Callable[[], Any], Any]] = {
    "eye": (of(gram), (3, 4)), "flatten at the end": (lambda: nn.Sequential(nn.Conv1d(2, 2, 2), nn.Flatten()), (2, 2, 4)),
    "mask of a buffer": (lambda: Model(lambda s, x: (s.layer(x) @ x.T).masked_fill(s.mask == 0, float("-inf")).softmax(-1), layer=nn.Linear(4, 4),
                                       mask=torch.tril(torch.ones(3, 3))), (3, 4)),
    "mask made of numbers": (of(lambda z: F.scaled_dot_product_attention(z[None], z[None], z[None], torch.tril(torch.ones(3, 3)).bool())),
                             (3, 4)),
    "EmbeddingBag": (lambda: nn.EmbeddingBag(5, 3), torch.tensor([[0, 1], [2, 0]])),
    "adaptive average": (lambda: nn.Sequential(nn.Conv1d(2, 2, 1), nn.AdaptiveAvgPool1d(3)), (1, 2, 5)),
    "PixelShuffle, Conv2d": (lambda: nn.Sequential(nn.Conv2d(2, 4, 1), nn.PixelShuffle(2), nn.Conv2d(1, 1, 2)), IMAGE),
    "max of a dim": (of(lambda z: z.max(1).values * z.min(0)[0][:3]), (3, 4)), "prod": (of(lambda z: z.prod(1) + z.cumprod(0)[2, :3]), (3, 4)),
    "nearest": (lambda: nn.Sequential(nn.Conv2d(2, 2, 1), nn.Upsample(scale_factor=2), nn.Conv2d(2, 1, 2)), IMAGE),
    "bilinear": (lambda: nn.Sequential(nn.Conv2d(2, 1, 1), nn.Upsample(scale_factor=2, mode="bilinear")), IMAGE),
    "depthwise after GroupNorm": (lambda: nn.Sequential(nn.GroupNorm(2, 4), nn.Conv1d(4, 4, 2, groups=4)), (1, 4, 3)),
    "Bilinear": (lambda: Model(lambda s, x: s.layer(x, x), layer=nn.Bilinear(3, 3, 2)), (4, 3)),
    "solve, det": (of(lambda z: torch.linalg.solve(gram(z), z.T) * torch.linalg.det(gram(z))), (3, 4)),
    "formulas": (of(lambda z: torch.atan2(z, z.flip(1)) + torch.asinh(z) + (z > 0).sum()), (3, 4)),
}


@pytest.mark.parametrize("name", IN_TORCH)
def test_torch(name: str) -> None:
    torch.manual_seed(0)
    make, shape = IN_TORCH[name]
    module, x = make().double(), shape if isinstance(shape, torch.Tensor) else torch.randn(shape, dtype=torch.float64)
    out = module(x)
    y = torch.randn(out.shape, dtype=torch.float64)
    wanted = F.mse_loss(out, y)
    wanted.backward()
    model = sn.from_torch(module, (x,), sn.MSELoss())
    value, gradients = sn.derive(model).compile()(model.values, x.numpy(), y.numpy())
    assert value == pytest.approx(wanted.item(), rel=1e-9)
    for key, found in gradients.items():
        assert np.allclose(found, dict(module.named_parameters())[model.sources[key]].grad.numpy(), rtol=1e-8, atol=1e-10), key
