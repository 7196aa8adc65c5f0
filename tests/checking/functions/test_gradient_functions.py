"""sn.check_code on gradient functions of PyTorch and JAX."""

from __future__ import annotations

from typing import Any

import pytest

import symnet as sn
from symnet.core.verdict import Answer

torch = pytest.importorskip("torch")
jax = pytest.importorskip("jax")
jnp = jax.numpy

PROGRAM = sn.program("z = X@W + b", "a = tanh(z)", "L = sum((a-Y)**2)/N",
                     tensors={"X": ("N", "d"), "W": ("d", "h"), "b": ("h",), "Y": ("N", "h")})
DERIVATION = sn.derive(PROGRAM, wrt=["W", "b"])


def right(X: Any, W: Any, b: Any, Y: Any) -> Any:
    a = torch.tanh(X @ W + b)
    dz = 2 * (a - Y) / len(X) * (1 - a**2)
    return {"loss": ((a - Y) ** 2).sum() / len(X), "dW": X.T @ dz, "db": dz.sum(0)}


def without_slope(X: Any, W: Any, b: Any, Y: Any) -> Any:
    dz = 2 * (torch.tanh(X @ W + b) - Y) / X.shape[0]
    return X.T @ dz, dz.sum(0)


def small_alone(X: Any, W: Any, b: Any, Y: Any) -> Any:
    a = torch.tanh(X @ W + b)
    dz = 2 * (a - Y) / X.shape[0] * (1 - a**2) if X.shape[0] < 100 else a
    return X.T @ dz, dz.sum(0)


def in_jax(params: Any, X: Any, Y: Any) -> Any:
    a = jnp.tanh(X @ params["W"] + params["b"])
    dz = 2 * (a - Y) / X.shape[0] * (1 - a**2)
    return {"W": X.T @ dz, "b": jnp.sum(dz, 0)}


def without_two(params: Any, X: Any, Y: Any) -> Any:
    a = jnp.tanh(X @ params["W"] + params["b"])
    dz = (a - Y) / X.shape[0] * (1 - a**2)
    return {"W": X.T @ dz, "b": jnp.sum(dz, 0)}


def automatic(X: Any, W: Any, b: Any, Y: Any) -> Any:
    return jax.grad(lambda W, b: jnp.sum((jnp.tanh(X @ W + b) - Y) ** 2) / X.shape[0], (0, 1))(W, b)


@pytest.mark.parametrize("function", [right, in_jax, automatic], ids=lambda f: f.__name__)
def test_right_ones_are_proved_for_all_sizes(function: Any) -> None:
    found = sn.check_code(function, DERIVATION)
    assert found and {j.verdict.scope for j in found.judged} == {"for all sizes"}, str(found)


@pytest.mark.parametrize(("function", "kind"), [(without_slope, "missing activation slope"), (without_two, "constant")])
def test_wrong_ones_are_refuted_with_the_slip(function: Any, kind: str) -> None:
    judged = sn.check_code(function, DERIVATION)["W"]
    assert judged.verdict.answer is Answer.REFUTED and judged.slip is not None and judged.slip.kind == kind, str(judged)


def test_what_asks_for_a_size_is_undecided() -> None:
    found = sn.check_code(small_alone, DERIVATION)
    assert found.worst is Answer.UNDECIDED and "N < 100" in str(found)


def test_what_holds_as_declared_is_run_as_declared() -> None:
    d = sn.derive(sn.program("P = softmax(Z)", "L = -sum(Y*log(P))", tensors={"Z": ("N", "k"), "Y": ("N", "k")},
                             assumptions=["sum(Y, axis=1) == 1"]), wrt="Z")
    calls: list[int] = []

    def alike(Z: Any, Y: Any) -> Any:
        return torch.softmax(Z, 1) - Y

    def traced_alone(Z: Any, Y: Any) -> Any:
        calls.append(1)
        return (torch.softmax(Z, 1) - Y) * (2 if len(calls) > 1 else 1)

    found = sn.check_code(alike, d)["Z"].verdict
    assert (found.answer, found.scope) == (Answer.CONDITIONAL, "for all sizes")
    said = sn.check_code(traced_alone, d)["Z"].verdict
    assert said.answer is Answer.UNDECIDED and "on plain arrays it does not give what was traced" in said.reason
