"""A strided place beside a plain one of the same tensor, of symbolic size: values and gradients are JAX's, at even and odd sizes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import sympy as sp

import symnet as sn
from symnet.errors import ShapeError

jax.config.update("jax_enable_x64", True)
At = Callable[[int], Any]
Text = tuple[str, ...]
Loss = Callable[[At, At, int], Any]


def total(term: Callable[[At, At, int, int], Any]) -> Loss:
    return lambda q, x, n: sum(term(q, x, n, i) for i in range(1, n + 1))


def product(q: At, x: At, n: int) -> Any:
    h = q(1)
    for t in range(1, n + 1):
        h = h * q(2 * t) + q(t) * x(t)
    return h


def running(q: At, x: At, n: int) -> Any:
    h, found = x(1), 0.0
    for t in range(1, n + 1):
        h = h + q(2 * t) * h * x(t)
        found = found + h * q(n + 1 - t)
    return found


CASES: dict[str, tuple[Text, str, Loss]] = {
    "2i and i": (("L = sum(q[2*i]*q[i]*x[i] for i in 1..n)",), "2*n", total(lambda q, x, n, i: q(2*i)*q(i)*x(i))),
    "2i and a square": (("L = sum(q[2*i]*x[i] + q[i]**2 for i in 1..n)",), "2*n", total(lambda q, x, n, i: q(2*i)*x(i) + q(i)**2)),
    "two sums": (("L = sum(q[2*i]*x[i] for i in 1..n) + sum(q[j]**2 for j in 1..n)",), "2*n",
                 total(lambda q, x, n, i: q(2*i)*x(i) + q(i)**2)),
    "3i and a shift by the size": (("L = sum(q[3*i]*q[i+n]*x[i] for i in 1..n)",), "3*n", total(lambda q, x, n, i: q(3*i)*q(i+n)*x(i))),
    "2i and from the end": (("L = sum(q[2*i]*q[n+1-i]*x[i] for i in 1..n)",), "2*n", total(lambda q, x, n, i: q(2*i)*q(n+1-i)*x(i))),
    "a stride from the end": (("L = sum(q[2*n+2-2*i]*q[i]*x[i] for i in 1..n)",), "2*n", total(lambda q, x, n, i: q(2*n+2-2*i)*q(i)*x(i))),
    "both from the end": (("L = sum(q[n-i+1]*q[2*n-2*i+1]*x[i] for i in 1..n)",), "2*n",
                          total(lambda q, x, n, i: q(n-i+1)*q(2*n-2*i+1)*x(i))),
    "three strides": (("L = sum(q[3*i]*q[2*i]*q[i]*x[i] for i in 1..n)",), "3*n", total(lambda q, x, n, i: q(3*i)*q(2*i)*q(i)*x(i))),
    "odd and even": (("L = sum(q[2*i-1]*q[2*i]*q[i]*x[i] for i in 1..n)",), "2*n", total(lambda q, x, n, i: q(2*i-1)*q(2*i)*q(i)*x(i))),
    "strides 5 and 3": (("L = sum(q[5*i-2]*q[3*i]*q[i+1]*x[i] for i in 1..n)",), "5*n",
                        total(lambda q, x, n, i: q(5*i-2)*q(3*i)*q(i+1)*x(i))),
    "a size with a remainder": (("L = sum(exp(q[2*i+1]*q[i])*x[i] for i in 1..n)",), "2*n+1",
                                total(lambda q, x, n, i: jnp.exp(q(2*i+1)*q(i))*x(i))),
    "through a line": (("a[i] = tanh(q[2*i])*q[i] for i in 1..n", "L = sum(a[i]*q[i+n]*x[i] for i in 1..n)"), "2*n",
                       total(lambda q, x, n, i: jnp.tanh(q(2*i))*q(i)*q(i+n)*x(i))),
    "two indices": (("L = sum(q[i+j]*q[2*i]*q[j]*x[i] for i in 1..n for j in 1..n)",), "2*n",
                    total(lambda q, x, n, i: sum(q(i+j)*q(2*i)*q(j)*x(i) for j in range(1, n + 1)))),
    "a triangle": (("L = sum(q[2*i]*q[j]*x[i]*x[j] for i in 1..n for j in 1..i)",), "2*n",
                   total(lambda q, x, n, i: sum(q(2*i)*q(j)*x(i)*x(j) for j in range(1, i + 1)))),
    "a recurrence": (("h[0] = q[1]", "h[t] = h[t-1]*q[2*t] + q[t]*x[t] for t in 1..n", "L = h[n]"), "2*n", product),
    "a recurrence read as a whole": (("h[0] = x[1]", "h[t] = h[t-1] + q[2*t]*h[t-1]*x[t] for t in 1..n",
                                      "L = sum(h[t]*q[n+1-t] for t in 1..n)"), "2*n", running),
}


@pytest.mark.parametrize(("lines", "size", "loss"), CASES.values(), ids=CASES)
def test_values_and_gradients_are_those_of_jax(lines: Text, size: str, loss: Loss) -> None:
    derivation = sn.derive(sn.program(*lines, tensors={"q": (size,), "x": ("n",)}), ["q", "x"])
    compiled, dice = derivation.compile(), np.random.default_rng(5)
    for n in (1, 2, 3, 4, 5, 6):
        q, x = dice.normal(size=int(sp.sympify(size).subs("n", n))), dice.normal(size=n)

        def whole(q: Any, x: Any, n: int = n) -> Any:
            return loss(lambda i: q[i - 1], lambda i: x[i - 1], n)

        value, gradients = compiled({"q": q, "x": x})
        wanted, (in_q, in_x) = jax.value_and_grad(whole, argnums=(0, 1))(jnp.array(q), jnp.array(x))
        np.testing.assert_allclose(value, wanted, rtol=1e-12)
        np.testing.assert_allclose(gradients["q"], in_q, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(gradients["x"], in_x, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(("line", "size"), [("sum(q[2*i]*q[i+1] for i in 1..n)", "n"), ("sum(q[3*i]*q[i] for i in 1..n)", "2*n"),
                                            ("sum(q[2*i+1]*q[i] for i in 1..n)", "2*n")])
def test_a_place_outside_of_the_axis_is_still_refused(line: str, size: str) -> None:
    with pytest.raises(ShapeError, match="it to stay in"):
        sn.program(f"L = {line}", tensors={"q": (size,)})


@pytest.mark.parametrize(("rows", "columns"), [(3, 4), (4, 2)])
@pytest.mark.parametrize("spare", [0, 2])
@pytest.mark.parametrize("strides", [(1, 1), (1, -1), (-1, -1), (1, 2), (-1, 2), (-1, -2), (2, 1), (2, -1), (-2, -1), (2, -2), (-2, -2), (3, -2)])
def test_two_strides_of_either_sign(strides: tuple[int, int], rows: int, columns: int, spare: int) -> None:
    """q[c + s i + t j] for every sign of s and t, with places of q that nothing reaches: each entry gathers the terms that stand there."""
    s, t = strides
    reached = [s*i + t*j for i in range(1, rows + 1) for j in range(1, columns + 1)]
    c = 1 - min(reached) + spare
    length = max(reached) + c + spare
    text = f"L = sum(q[{c} + ({s})*i + ({t})*j]*x[i]*v[j] for i in 1..{rows} for j in 1..{columns})"
    d = sn.derive(sn.program(text, tensors={"q": (length,), "x": (rows,), "v": (columns,)}), wrt=["q"])
    dice = np.random.default_rng(0)
    q, x, v = (dice.normal(size=n) for n in (length, rows, columns))
    wanted = np.zeros(length)
    for i in range(1, rows + 1):
        for j in range(1, columns + 1):
            wanted[c + s*i + t*j - 1] += x[i - 1]*v[j - 1]
    assert all(step.check() for step in d.steps)
    np.testing.assert_allclose(d.compile()({"q": q}, x=x, v=v)[1]["q"], wanted, rtol=1e-12, atol=1e-14)
