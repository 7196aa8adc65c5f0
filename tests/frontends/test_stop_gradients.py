"""Stop-gradients read from JAX and PyTorch: detach, no_grad, frozen parameters, straight-through estimators, and rules that are no derivative."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.core.tensors import Role
from symnet.errors import SymnetError

torch, jax = importlib.import_module("torch"), importlib.import_module("jax")
jnp, stop = jax.numpy, jax.lax.stop_gradient
jax.config.update("jax_enable_x64", True)
W, X = np.random.default_rng(4).normal(size=3), np.random.default_rng(5).normal(size=3)


# JAX

@jax.custom_jvp
def right_rule(x: Any, y: Any) -> Any:
    return x * jnp.sin(y)


right_rule.defjvp(lambda p, t: (right_rule(*p), t[0] * jnp.sin(p[1]) + p[0] * jnp.cos(p[1]) * t[1]))


@jax.custom_vjp
def right_backward(x: Any) -> Any:
    return jnp.log1p(jnp.exp(x))


right_backward.defvjp(lambda x: (right_backward(x), x), lambda x, g: (g * jax.nn.sigmoid(x),))

READ: dict[str, Callable[..., Any]] = {
    "held product": lambda w, x: (stop(w * x) * (w * x)).sum(),
    "straight through round": lambda w, x: ((5 * w * x + stop(jnp.round(5 * w * x) - 5 * w * x)) ** 2).sum(),
    "straight through floor and ceil": lambda w, x: (x * (w + stop(jnp.floor(w) + jnp.ceil(w * x) - w))).sum(),
    "softmax": lambda w, x: (jax.nn.softmax(w * x) * x + jax.nn.logsumexp(w) + jax.nn.log_softmax(w) * x).sum(),
    "held softmax": lambda w, x: (stop(jax.nn.softmax(w * x)) * w * x).sum(),
    "softmax in parts": lambda w, x: (jnp.exp(w - stop(w.max())) / jnp.exp(w - stop(w.max())).sum() * x).sum(),
    "held exponentials": lambda w, x: (stop(jnp.exp(w - stop(w.max()))) / jnp.exp(w - stop(w.max())).sum() * x).sum(),
    "a rule that is right": lambda w, x: right_rule(w, x).sum() + right_rule(w, w).sum() + right_rule(2.0, w).sum(),
    "a backward that is right": lambda w, x: (right_backward(w) * x).sum(),
    "under jit": lambda w, x: jax.jit(lambda u: (stop(u) * u).sum())(w * x),
    "a mask": lambda w, x: (stop(w > 0) * w * x).sum(),
}


@pytest.mark.parametrize("sizes", [None, {"w": ("n",), "x": ("n",)}], ids=["numbers", "any size"])
@pytest.mark.parametrize("name", READ)
def test_gradients_and_hessians_are_those_of_jax(name: str, sizes: Any) -> None:
    f = READ[name]
    d = sn.derive(sn.from_jax(f, (W, X), shapes=sizes))
    value, found = d.compile(check=False)({"w": W}, X)
    assert value == pytest.approx(float(f(W, X)), rel=1e-12)
    assert np.allclose(found["w"], jax.grad(f)(W, X), rtol=1e-11, atol=1e-13)
    _, second = sn.hessian(d, "w").compile(check=False)({"w": W}, X)
    assert np.allclose(second["w"], jax.jacrev(jax.grad(f))(W, X), rtol=1e-10, atol=1e-11)
    assert all(s.check().ok for s in d.steps)


def rule(forward: Callable[[Any], Any], backward: Callable[[Any], Any]) -> Any:
    made = jax.custom_vjp(forward)
    made.defvjp(lambda x: (forward(x), x), lambda x, g: (backward(g),))
    return made


def my_estimator(x: Any) -> Any:
    return jnp.tanh(x)


LIES: dict[str, Any] = {
    "straight through": (rule(my_estimator, lambda g: g), "my_estimator"),
    "reversed": (rule(lambda x: x, lambda g: -g), "<lambda>"),
    "clipped": (rule(lambda x: x, lambda g: jnp.clip(g, -1, 1)), "<lambda>"),
    "none": (rule(lambda x: x * x, lambda g: 0 * g), "<lambda>"),
    "scaled by little": (rule(lambda x: x, lambda g: 1.01 * g), "<lambda>"),
}


@pytest.mark.parametrize("sizes", [None, {"w": ("n",), "x": ("n",)}], ids=["numbers", "any size"])
@pytest.mark.parametrize("name", LIES)
def test_a_rule_that_is_no_derivative_is_refused_by_name(name: str, sizes: Any) -> None:
    f, called = LIES[name]
    for inside in (lambda w, x: (f(w) * x).sum(), lambda w, x: jax.jit(lambda u: f(jnp.tanh(u)) * x)(w).sum()):
        with pytest.raises(SymnetError) as caught:
            sn.from_jax(inside, (W, X), shapes=sizes)
        assert "custom_vjp" in str(caught.value) and called in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("f", [
    lambda w: (stop(jnp.exp(w - w.max())) / jnp.exp(w - w.max()).sum()).sum() * w[0],
    lambda w: (jnp.exp(w - stop(w.max())) / jnp.exp(w - w.max()).sum()).sum() * w[0],
    lambda w: (jnp.exp(w - stop(w).max()) / jnp.exp(w - stop(w.max())).sum())[1] * w[0],
], ids=["all above", "the maximum above", "both maxima"])
def test_a_maximum_that_is_held_here_and_not_there_is_a_maximum(f: Any) -> None:
    read = sn.from_jax(f, (W,))
    name = read.inputs[0].name
    value, gradients = sn.derive(read, wrt=[name]).compile()({name: W})
    assert value == pytest.approx(float(f(jnp.asarray(W))), rel=1e-13)
    assert gradients[name] == pytest.approx(np.asarray(jax.grad(f)(jnp.asarray(W))), rel=1e-12, abs=1e-14)


# PyTorch

class Sine(torch.autograd.Function):  # type: ignore[misc]
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return torch.sin(x)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g * torch.cos(*ctx.saved_tensors)


class Through(torch.autograd.Function):  # type: ignore[misc]
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        return torch.tanh(3 * x)

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g


class Clipped(torch.autograd.Function):  # type: ignore[misc]
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        return x.clone()

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return g.clamp(-1, 1)


class Model(torch.nn.Module):  # type: ignore[misc]
    """A few parameters, one of them frozen, and a function of them."""

    def __init__(self, run: Callable[..., Any]) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.run = run
        self.w = torch.nn.Parameter(torch.randn(3))
        self.frozen = torch.nn.Parameter(torch.randn(3), requires_grad=False)
        self.first, self.lstm = torch.nn.Linear(3, 3), torch.nn.LSTM(3, 2, batch_first=True)

    def forward(self, x: Any) -> Any:
        return self.run(self, x)


def block(s: Any, x: Any) -> Any:
    with torch.no_grad():
        t = torch.tanh(s.w * x * 2)
        t = t + 1
        r = t.sum()
    return (s.w * t).sum() * r


def turned_on_again(s: Any, x: Any) -> Any:
    q = 5 * s.w * x
    with torch.no_grad():
        a = q.tanh()
        with torch.enable_grad():
            b = q.sin() * a
    return (q * s.w * a * b).sum()


def in_place(s: Any, x: Any) -> Any:
    q = (s.w * x).clone()
    a = 2 * q
    q.detach_()
    return (q * a * s.w).sum()


@torch.no_grad()  # type: ignore[untyped-decorator]
def teacher(s: Any, x: Any) -> Any:
    return torch.softmax(s.first(x), 0)


def recurrent(s: Any, x: Any) -> Any:
    with torch.no_grad():
        held, _ = s.lstm(x[None, None, :])
    return (s.first(x)[:2] * held[0, 0]).sum()


MODULES: dict[str, Callable[..., Any]] = {
    "detach": lambda s, x: ((s.w * x).detach() * s.w * x).sum(),
    "frozen": lambda s, x: (s.w * s.frozen * x).sum(),
    "no_grad": block, "no_grad, then enable_grad": turned_on_again, "detach_": in_place,
    "a decorated method": lambda s, x: -(teacher(s, x) * torch.log_softmax(s.first(s.w * x), 0)).sum(),
    "an LSTM without gradients": recurrent,
    "an LSTM of what is held": lambda s, x: s.lstm((x * s.w).detach()[None, None, :])[0].sum() + (s.w * x).sum(),
    "straight through": lambda s, x: ((s.w * 5 + ((s.w * 5).round() - s.w * 5).detach()) ** 2 * x).sum(),
    "vector quantization": lambda s, x: ((s.first(x).detach() - s.w) ** 2).sum() + ((s.first(x) - s.w.detach()) ** 2).sum() / 4,
    "a backward that is right": lambda s, x: (s.w * Sine.apply(x * s.w)).sum(),
    "a tensor in the code": lambda s, x: (torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64) * s.w * x).sum(),
}


@pytest.mark.parametrize("name", MODULES)
def test_gradients_are_those_of_autograd(name: str) -> None:
    module, x = Model(MODULES[name]).double(), torch.from_numpy(X)
    model = sn.from_torch(module, (x,))
    d = sn.derive(model)
    own = {n: v for n, v in model.values.items() if n in d.wrt}
    value, found = d.compile(check=False)(own, x=X, **{n: v for n, v in model.values.items() if n not in d.wrt})
    wanted = module(x)
    wanted.backward()
    assert value == pytest.approx(float(wanted), rel=1e-12)
    gradients = {n: p.grad for n, p in module.named_parameters() if p.grad is not None and bool(p.grad.abs().max() > 0)}
    assert set(gradients) <= {model.sources[n] for n in d.wrt}
    for n in d.wrt:
        expected = gradients.get(model.sources[n])
        assert np.allclose(found[n], 0 if expected is None else expected.numpy(), rtol=1e-10, atol=1e-12), n


def test_a_frozen_parameter_is_a_constant_with_a_value() -> None:
    model = sn.from_torch(Model(MODULES["frozen"]).double(), (torch.from_numpy(X),))
    assert model.program["frozen"].role is Role.CONSTANT and "frozen" in model.values
    assert sn.derive(model).wrt == ("w",)


def hooked(s: Any, x: Any) -> Any:
    q = s.w * x
    if q.requires_grad:
        q.register_hook(lambda g: 2 * g)
    return q.sum()


REFUSED: dict[str, tuple[Callable[..., Any], str]] = {
    "straight through": (lambda s, x: (s.w * Through.apply(x * s.w)).sum(), "Through"),
    "clipped": (lambda s, x: Clipped.apply(x * s.w).sum(), "Clipped"),
    "a hook": (hooked, "hook"),
    "data": (lambda s, x: (s.w.data * s.w * x).sum(), "detach"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_derivative_is_refused_in_one_line(name: str) -> None:
    run, says = REFUSED[name]
    with pytest.raises(SymnetError, match=says) as caught:
        sn.from_torch(Model(run).double(), (torch.from_numpy(X),))
    assert "\n" not in str(caught.value)


def test_reading_changes_neither_the_module_nor_the_random_numbers() -> None:
    module = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.Tanh()).double()
    before = {n: t.clone() for n, t in module.state_dict().items()}
    torch.manual_seed(7)
    wanted = torch.rand(3)
    torch.manual_seed(7)
    sn.from_torch(module, (torch.zeros(5, 3, dtype=torch.float64),), sn.MSELoss())
    assert torch.equal(torch.rand(3), wanted)
    assert all(torch.equal(before[n], t) for n, t in module.state_dict().items())
    assert all(p.grad is None for p in module.parameters())
