"""Common work is done once, and nothing is shared that is not the same: the values of a module are those of its lines one by one."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import symnet as sn
from symnet.backends.sharing import shared

VALUES = {"u": np.array([0.5, -1.5, 2.0]), "v": np.array([3.0, 0.25, -0.75]), "n": 3}
EXPRESSIONS = st.recursive(
    st.sampled_from(["u", "v", "n", "2"]),
    lambda inner: st.one_of(st.tuples(inner, st.sampled_from("+-*"), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
                            inner.map(lambda a: f"np.cos({a})"), inner.map(lambda a: f"np.asarray({a})[None]"),
                            inner.map(lambda a: f"(-{a} if n > 2 else {a})")), max_leaves=6)


def ran(lines: list[str]) -> dict[str, object]:
    space: dict[str, object] = {"np": np, **{k: np.copy(v) if k != "n" else v for k, v in VALUES.items()}}
    exec("\n".join(lines), space)
    return {name: value for name, value in space.items() if re.fullmatch(r"r\d", name)}


@settings(max_examples=150, deadline=None)
@given(st.lists(EXPRESSIONS, min_size=2, max_size=5), st.data())
def test_the_values_stay(rights: list[str], data: st.DataObject) -> None:
    lines = [f"r{k} = {data.draw(st.sampled_from(['', f'np.exp(-abs({a}))*'])) if k else ''}{a}" for k, a in enumerate(rights)]
    if data.draw(st.booleans()):  # an array that is filled in place between two readers
        lines.insert(data.draw(st.integers(0, len(lines))), "u[0] = 7.0")
    wanted, found = ran(lines), ran(shared(lines, {"n"}, ()))
    assert wanted.keys() == found.keys()
    for name, value in wanted.items():
        assert np.array_equal(np.asarray(found[name]), np.asarray(value), equal_nan=True), (lines, shared(lines, {"n"}, ()))


@pytest.mark.parametrize(("lines", "new"), [
    (["a = np.exp(z)*w", "b = np.exp(z)*y"], ["s1 = np.exp(z)", "a = s1*w", "b = s1*y"]),
    (["a = np.exp(z)", "b = 1 + np.exp(z)"], ["a = np.exp(z)", "b = 1 + a"]),
    (["a = n*2*x", "b = n*2*y"], ["a = n*2*x", "b = n*2*y"]),  # numbers alone cost nothing
    (["a = z.T @ x", "z[0] = 1", "b = z.T @ x"], ["a = z.T @ x", "z[0] = 1", "b = z.T @ x"]),  # filled in between
    (["a = w @ x", "for t in range(2):", "    a[t] = w @ x", "b = (w @ x)*2"],
     ["a = w @ x", "for t in range(2):", "    a[t] = w @ x", "b = (w @ x)*2"]),
    (["a = (np.log(x) if n > 2 else 0)", "b = (np.log(x) if n > 3 else 1)"], ["a = (np.log(x) if n > 2 else 0)", "b = (np.log(x) if n > 3 else 1)"]),
    (["a = 2*np.exp(z)", "b = np.exp(z)", "c = np.exp(z)"], ["s1 = np.exp(z)", "a = 2*s1", "b = s1", "c = np.exp(z)"]),  # each result its own memory
    (["p = softmax(z, 1)", "q = Y*others(p, 1)", "L = logsumexp(z, 1)"],
     ["s1 = rest(z, 1)", "p = shares(s1)", "q = Y*othersof(s1)", "L = logtotal(s1, 1)"]),
    (["p = softmax(z, 1)", "q = others(p, 0)"], ["p = softmax(z, 1)", "q = others(p, 0)"]),  # along another axis
    (["a = sigmoid(z)", "b = g*bell(z)"],
     ["s1 = falling(z)", "s2 = 1/(1 + s1)", "a = np.where(z < 0, s1, 1)*s2", "b = g*((s1*s2)*s2)"]),
    (["a = sigmoid(z)", "b = g*bell(y)"], ["a = sigmoid(z)", "b = g*bell(y)"]),
    (["α = np.exp(θ)*é", "β = λ*(np.exp(θ))"], ["s1 = np.exp(θ)", "α = s1*é", "β = λ*s1"]),
    (["s1 = np.exp(z)*w", "b = np.exp(z)*y"], ["s2 = np.exp(z)", "s1 = s2*w", "b = s2*y"]),
])
def test_what_is_shared(lines: list[str], new: list[str]) -> None:
    assert shared(lines, {"n"}, ()) == new


@pytest.mark.parametrize("text", ["L = sum(w*softplus(z))", "L = sum(sigmoid(z)*w)", "L = sum(softmax(z)*w)", "L = sum(tanh(z)*w)", "L = sum(exp(z)*w)"])
def test_results_share_no_memory(text: str) -> None:
    d = sn.derive(sn.program(text, tensors={"z": ("n",), "w": ("n",)}), wrt=["z", "w"])
    at = {"z": np.array([0.3, -0.7]), "w": np.array([1.0, 2.0])}
    _, grads = d.compile()(at)
    held = [*at.values(), *grads.values()]
    assert not any(np.shares_memory(a, b) for k, a in enumerate(held) for b in held[:k])
