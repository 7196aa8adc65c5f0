"""sn.check_function on jax.custom_vjp and jax.custom_jvp."""

from __future__ import annotations

from typing import Any

import pytest

import symnet as sn
from symnet.core.verdict import Answer

jax = pytest.importorskip("jax")
jnp = jax.numpy


def made(fun: Any, fwd: Any, bwd: Any, nondiff: tuple[int, ...] = ()) -> Any:
    function = jax.custom_vjp(fun, nondiff_argnums=nondiff)
    function.defvjp(fwd, bwd)
    return function


def softmax(z: Any) -> Any:
    return jax.nn.softmax(z, axis=-1)


def kept(z: Any) -> Any:
    p = softmax(z)
    return p, p


def norm(x: Any, w: Any) -> Any:
    return x * jax.lax.rsqrt(jnp.mean(x * x, -1, keepdims=True) + 1e-6) * w


def norm_kept(x: Any, w: Any) -> Any:
    r = jax.lax.rsqrt(jnp.mean(x * x, -1, keepdims=True) + 1e-6)
    return x * r * w, (x * r, w, r)


def norm_back(kept_: Any, g: Any) -> Any:
    xh, w, r = kept_
    return r * (g * w - xh * jnp.mean(g * w * xh, -1, keepdims=True)), jnp.sum(g * xh, 0)


def norm_without_weight(kept_: Any, g: Any) -> Any:
    xh, _, r = kept_
    return r * (g - xh * jnp.mean(g * xh, -1, keepdims=True)), jnp.sum(g * xh, 0)


Z, NORM = (jnp.ones((4, 6)),), (jnp.ones((4, 6)), jnp.ones(6))


def test_right_rules_are_proved_for_all_sizes() -> None:
    for function, example in ((made(softmax, kept, lambda p, g: (p * (g - jnp.sum(g * p, -1, keepdims=True)),)), Z),
                              (made(norm, norm_kept, norm_back), NORM)):
        found = sn.check_function(function, example)
        assert found and {j.verdict.scope for j in found.judged} == {"for all sizes"}, str(found)


def test_a_custom_jvp_is_judged_by_its_transpose() -> None:
    @jax.custom_jvp
    def log1pexp(x: Any) -> Any:
        return jnp.log(1.0 + jnp.exp(x))

    log1pexp.defjvp(lambda p, t: (log1pexp(*p), (1 - 1 / (1 + jnp.exp(p[0]))) * t[0]))
    assert sn.check_function(log1pexp, jnp.ones(3))
    wrong = jax.custom_jvp(log1pexp.fun)
    wrong.defjvp(lambda p, t: (wrong(*p), (1 / (1 + jnp.exp(p[0]))) * t[0]))
    assert sn.check_function(wrong, jnp.ones(3))["x"].verdict.answer is Answer.REFUTED


def test_wrong_rules_are_refuted_with_the_slip() -> None:
    found = sn.check_function(made(norm, norm_kept, norm_without_weight), NORM)
    assert found["x"].slip is not None and found["x"].slip.kind == "missing chain factor" and found["w"].right
    found = sn.check_function(made(softmax, kept, lambda p, g: (g * p * (1 - p),)), Z)
    assert found["z"].slip is not None and found["z"].slip.kind == "softmax elementwise"
    straight = made(jnp.sign, lambda x: (jnp.sign(x), None), lambda _, g: (g,))
    assert sn.check_function(straight, jnp.ones(3)).worst is Answer.REFUTED


def test_fwd_must_give_the_value_of_the_function() -> None:
    found = sn.check_function(made(lambda x: x * x, lambda x: (x * x * x, x), lambda x, g: (2 * x * g,)), jnp.ones(3))
    assert not found, str(found)


def test_arguments_that_are_no_arrays() -> None:
    scaled = made(lambda k, x: k * x, lambda k, x: (k * x, None), lambda k, _, g: (k * g,), (0,))
    assert sn.check_function(scaled, (3.0, jnp.ones(3)))
