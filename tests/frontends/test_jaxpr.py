"""JAX functions read as programs: their gradients are JAX's, whatever the function is made of."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.core.program import Program
from symnet.errors import NameError_, ShapeError, UnknownNodeError
from symnet.frontends.jax_equation import dimension
from symnet.frontends.jaxpr import from_jax

jax = importlib.import_module("jax")
jax.config.update("jax_enable_x64", True)
jnp, nn = jax.numpy, jax.nn
RNG = np.random.default_rng(0)
TOLERANCE = 1e-10
X, Y = RNG.normal(size=(5, 3)), RNG.random(size=(5, 2))
MLP = {"W1": RNG.normal(size=(3, 4)), "b1": RNG.normal(size=4), "W2": RNG.normal(size=(4, 2)), "b2": RNG.normal(size=2)}
SHAPES = {"X": ("N", "d"), "Y": ("N", "c"), "W1": ("d", "h"), "b1": ("h",), "W2": ("h", "c"), "b2": ("c",)}
HEADS = {**{c: RNG.normal(size=(3, 4)) for c in "QKV"}, "O": RNG.normal(size=(4, 3))}


def hidden(activation: Callable[[Any], Any]) -> Callable[..., Any]:
    """Squared error of an MLP with this activation."""
    def loss(p: Any, X: Any, Y: Any) -> Any:
        return jnp.mean((activation(X @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"] - Y) ** 2)
    return loss


def mlp_log_softmax(p: Any, X: Any, Y: Any) -> Any:
    return -(Y * nn.log_softmax(jnp.tanh(X @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"])).sum(1).mean()


def mlp_softmax(p: Any, X: Any, Y: Any) -> Any:
    return -jnp.mean(jnp.sum(Y * jnp.log(nn.softmax(nn.relu(X @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"])), axis=1))


def logsumexp(p: Any, X: Any) -> Any:
    return jax.scipy.special.logsumexp(X @ p["Q"], axis=1).mean() + jnp.linalg.norm(X @ p["Q"])


def layer_norm(p: Any, X: Any) -> Any:
    z = X @ p["Q"]
    u = (z - z.mean(-1, keepdims=True)) / jnp.sqrt(z.var(-1, keepdims=True) + 1e-5)
    return jnp.sum((u * p["K"][0] + p["V"].sum(axis=0)) ** 3)


def unnormalized_first(p: Any, X: Any) -> Any:
    """Attention that divides last: the maximum cancels all the same."""
    z = X @ p["Q"] @ p["K"].T
    e = jnp.exp(z - z.max(1, keepdims=True))
    return jnp.sum((e @ p["V"][:, :2] / e.sum(1, keepdims=True)) ** 2)


def attention(p: Any, X: Any) -> Any:
    q, k, v = X @ p["Q"], X @ p["K"], X @ p["V"]
    return jnp.sum((nn.softmax(q @ k.T / 2, axis=-1) @ v) ** 2)


def two_heads(p: Any, X: Any) -> Any:
    q, k, v = ((X @ p[c]).reshape(5, 2, 2).transpose(1, 0, 2) for c in "QKV")
    o = nn.softmax(jnp.einsum("hqd,hkd->hqk", q, k) / 2**0.5) @ v
    return jnp.sum((o.transpose(1, 0, 2).reshape(5, 4) @ p["O"]) ** 2)


def moved(p: Any, X: Any) -> Any:
    z = X @ p["Q"]
    return jnp.vdot(z, z**2) + jnp.sum(z[:, None, :] * z[:, :, None]) + jnp.sum(z[1:4, ::2]) + z[0, 1] + jnp.sum(X) * jnp.ones((2, 3)).sum()


@dataclass(frozen=True)
class Case:
    """A function, its arguments, and symbolic sizes where the program is to have them."""

    function: Callable[..., Any]
    inputs: tuple[Any, ...]
    shapes: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def program(self) -> Program:
        return from_jax(self.function, self.inputs, shapes=self.shapes)


ACTIVATIONS = {
    "tanh": jnp.tanh, "logistic": nn.sigmoid, "relu": nn.relu, "softplus": nn.softplus, "leaky relu": nn.leaky_relu, "silu": nn.silu,
    "gelu, tanh": nn.gelu, "gelu, erf": lambda z: nn.gelu(z, approximate=False), "elu": nn.elu, "selu": nn.selu, "soft sign": nn.soft_sign,
    "sin cos": lambda z: jnp.sin(z) * jnp.cos(z), "abs": jnp.abs, "clip": lambda z: jnp.clip(z, -0.5, 0.5), "log sigmoid": nn.log_sigmoid,
    "log1p": lambda z: jnp.log1p(z**2), "expm1": jnp.expm1, "rsqrt": lambda z: jax.lax.rsqrt(z**2 + 1), "sqrt": lambda z: jnp.sqrt(z**2 + 2),
    "min max": lambda z: jnp.maximum(z, 2 * z) + jnp.minimum(z, z**2), "pow": lambda z: (z**2 + 1) ** 1.5, "sign": lambda z: z * jnp.sign(z),
    "where": lambda z: jnp.where(z > 1, z, z**2), "step": lambda z: z * (z > 0), "erf": jax.scipy.special.erf, "inner jit": jax.jit(jnp.sinh),
    "checkpoint": jax.checkpoint(jnp.tanh), "stop gradient": lambda z: z * 1 + jax.lax.stop_gradient(1.5),
}
CASES = {
    **{name: Case(hidden(f), (MLP, X, Y)) for name, f in ACTIVATIONS.items()},
    "any sizes": Case(hidden(jnp.tanh), (MLP, X, Y), SHAPES),
    "log softmax": Case(mlp_log_softmax, (MLP, X, Y)), "log softmax, any sizes": Case(mlp_log_softmax, (MLP, X, Y), SHAPES),
    "softmax": Case(mlp_softmax, (MLP, X, Y)), "softmax, any sizes": Case(mlp_softmax, (MLP, X, Y), SHAPES),
    "logsumexp": Case(logsumexp, (HEADS, X)), "layer norm": Case(layer_norm, (HEADS, X)), "attention": Case(attention, (HEADS, X)),
    "divided last": Case(unnormalized_first, (HEADS, X)), "two heads": Case(two_heads, (HEADS, X)), "moved": Case(moved, (HEADS, X)),
}


@pytest.mark.parametrize("name", CASES)
def test_gradients_are_those_of_jax(name: str) -> None:
    case = CASES[name]
    d = sn.derive(case.program())
    arrays = dict(zip([t.name for t in d.program.inputs], jax.tree_util.tree_leaves(case.inputs), strict=True))
    value, found = d.compile(check=False)({n: arrays[n] for n in d.wrt}, **{n: a for n, a in arrays.items() if n not in d.wrt})
    wanted, gradients = jax.jit(jax.value_and_grad(case.function))(*case.inputs)
    assert value == pytest.approx(float(wanted), rel=TOLERANCE)
    assert set(gradients) == set(found)
    for key, gradient in gradients.items():
        assert found[key].shape == gradient.shape
        assert np.max(np.abs(found[key] - gradient)) < TOLERANCE * (1 + np.max(np.abs(gradient)))


@pytest.mark.parametrize("name", ["gelu, tanh", "elu", "log softmax, any sizes", "layer norm", "two heads", "moved"])
def test_every_step_checks(name: str) -> None:
    assert all(step.check() for step in sn.derive(CASES[name].program()).steps)


def test_the_program_reads_like_the_textbook() -> None:
    assert str(CASES["softmax, any sizes"].program()) == """\
z1[n, j] := b1[j] + Sum(W1[i, j]*X[n, i], (i, 1, d))
a1[n, j] := relu(z1[n, j])
z2[n, k] := b2[k] + Sum(W2[j, k]*a1[n, j], (j, 1, h))
p1[n, k] := exp(z2[n, k])/Sum(exp(z2[n, k1]), (k1, 1, c))
L := -Sum(log(p1[n, k])*Y[n, k], (k, 1, c), (n, 1, N))/N"""


@pytest.mark.parametrize(("name", "there"), [("softplus", "softplus(z1"), ("leaky relu", "leaky_relu(z1"), ("logistic", "sigmoid(z1")])
def test_an_activation_keeps_its_name(name: str, there: str) -> None:
    assert there in str(CASES[name].program())


def test_a_program_of_any_size_is_one_program_for_all() -> None:
    d = sn.derive(CASES["any sizes"].program())
    small = {"W1": np.ones((2, 6)), "b1": np.zeros(6), "W2": np.ones((6, 1)), "b2": np.zeros(1)}
    data = np.ones((7, 2)), np.zeros((7, 1))
    wanted = jax.jit(jax.grad(hidden(jnp.tanh)))(small, *data)
    found = d.compile(check=False)(small, *data)[1]
    assert all(np.allclose(found[k], wanted[k], rtol=1e-12) for k in small)


REFUSED = {
    "sort": (lambda p, X: jnp.sort(X @ p["Q"]).sum(), r"\(sort\).*the operation 'sort'"),
    "places of a maximum": (lambda p, X: (X * jnp.argmax(X @ p["Q"], axis=1)[:, None]).sum(), r"\(argmax\).*'argmax'"),
    "places that may repeat": (lambda p, X: p["Q"].at[jnp.array([0, 0])].set(1.0).sum(), r"\(scatter\).*places that may repeat"),
    "eigenvalues": (lambda p, X: jnp.linalg.eigvalsh(p["Q"].T @ p["Q"]).sum(), r"\(eigh\).*'eigh'"),
    "a large constant": (lambda p, X: (p["Q"].sum() * jnp.asarray(np.arange(100.0))).sum(), r"an array of shape \(100,\)"),
    "a loop whose turns depend on values": (lambda p, X: jax.lax.while_loop(lambda s: s.sum() < 3, lambda s: s + 1, X).sum(),
                                            r"\(while\).*turns depends on values"),
    "inside": (lambda p, X: jax.jit(lambda z: jnp.sort(z))(X).sum(), r"jaxpr, equation 1 \(.*\), equation \d.*sort"),
    "two outputs": (lambda p, X: (X.sum(), X.sum()), "2 outputs"),
    "regrouped": (lambda p, X: (X.reshape(3, 5) @ X).sum(), "a reshape"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_read_is_named_with_its_place(name: str) -> None:
    function, message = REFUSED[name]
    with pytest.raises(UnknownNodeError, match=message):
        from_jax(function, (HEADS, X))


def test_what_the_output_does_not_need_may_be_anything() -> None:
    def loss(w: Any) -> Any:
        jnp.sort(w)
        return jnp.sum(w**2)
    assert str(from_jax(loss, (np.ones(3),))) == "L := Sum(w[i]**2, (i, 1, 3))"


def test_nested_arguments_get_names() -> None:
    def loss(layers: Any, x: Any) -> Any:
        for w, b in layers:
            x = x @ w + b
        return x.sum()
    inputs = [(np.ones((2, 2)), np.ones(2)), (np.ones((2, 1)), np.ones(1))], np.ones((3, 2))
    names = [t.name for t in from_jax(loss, inputs).inputs]
    assert names == ["layers_0_0", "layers_0_1", "layers_1_0", "layers_1_1", "x"]
    assert [t.name for t in from_jax(loss, inputs, names=["U", "b", "V", "c", "X"]).inputs] == ["U", "b", "V", "c", "X"]


@pytest.mark.parametrize(("options", "error"), [
    ({"names": ["a"]}, NameError_), ({"shapes": {"X": ("X", 3)}}, NameError_), ({"shapes": {"X": ("N",)}}, ShapeError), ({"shapes": {"X": ("N", "m")}}, ShapeError),
], ids=["too few names", "a size of the name of an input", "too few sizes", "sizes that do not agree"])
def test_wrong_options_are_refused(options: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        from_jax(logsumexp, (HEADS, X), **options)


def test_a_size_is_read_as_a_polynomial() -> None:
    assert str(dimension("2*N^2 - d + 1", "here")) == "2*N**2 - d + 1"
    with pytest.raises(UnknownNodeError):
        dimension("floordiv(N, 2)", "here")


def test_the_absolute_value_of_a_difference_with_a_constant() -> None:
    program = from_jax(lambda w, x: jnp.sum(jnp.abs(w - x - 1)), (np.ones(3), np.ones(3)))
    assert str(program) == str(sn.program("L = sum(abs(w - x - 1))", tensors={"w": (3,), "x": (3,)}))


def test_a_number_of_32_bits_inside_a_function_is_the_decimal_that_it_prints_as() -> None:
    """0.1 in 32 bits is 0.100000001490116…; the function means 0.1."""
    number, few = np.float32(0.1), np.array([0.1, 0.7], dtype=np.float32)
    assert str(from_jax(lambda w: jnp.sum(w * number), (np.ones(2, dtype=np.float32),))) == "L := Sum(w[i]/10, (i, 1, 2))"
    text = str(from_jax(lambda w: jnp.sum(w * few), (np.ones(2, dtype=np.float32),)))
    assert "1/10" in text and "7/10" in text
