"""Slopes of one value by another on a page: along a recurrence those of its own lines, in two meanings where a line has two, never a quotient."""

from __future__ import annotations

import time
from functools import cache

import pytest

import symnet as sn
from symnet.checking.pages.judge import judge_page
from symnet.core.derivation import Derivation
from symnet.core.page_verdict import Mark


@cache
def lstm() -> Derivation:
    return sn.derive(sn.Sequential(sn.LSTM("d", "m", output="last"), sn.Linear("m", "k")), loss="cross_entropy", batch=False)


@cache
def recurrent() -> Derivation:
    return sn.derive(sn.program("h[0] = s", "z[t] = U @ x[t] + V @ h[t-1] + b for t in 1..T", "h[t] = tanh(z[t]) for t in 1..T",
                                "L = sum(sum(h[t]**2) for t in 1..T)",
                                tensors={"x": ("T", "d"), "s": ("m",), "U": ("m", "d"), "V": ("m", "m"), "b": ("m",)}), wrt=["U", "V", "b"])


@cache
def residual() -> Derivation:
    return sn.derive(sn.program("m = x.mean(axis=1)", "v = ((x - m[:, None])**2).mean(axis=1)", "y = (x - m[:, None])/sqrt(v[:, None] + 1)",
                                "r = x + w*y", "L = sum(r**3)", tensors={"x": ("N", "d"), "w": ("d",)}), wrt=["x", "w"])


LINES = [
    (lstm, "dL/dg1[t, j] = dL/dc1[t, j]*dc1[t, j]/dg1[t, j]", Mark.RIGHT),
    (lstm, "dL/dg1[t, j] = dL/dc1[t, j]*dc1[t, j]/df1[t, j]", Mark.WRONG),
    (lstm, "dc1[t, j]/dc1[t-1, j] = f1[t, j]", Mark.RIGHT),
    (lstm, "dc1[t, j]/dc1[t-1, j] = i1[t, j]", Mark.WRONG),
    (lstm, "dL/dc1[0, j] = dL/dc1[1, j]*dc1[1, j]/dc1[0, j]", Mark.RIGHT),
    (lstm, "dL/ds1_o[t, j] = dL/do1[t, j]*o1[t, j]*(1 - o1[t, j])", Mark.RIGHT),
    (lstm, "dL/ds1_o[t, j] = dL/do1[t, j]*o1[t, j]", Mark.WRONG),
    (lstm, "i₁^(t) = σ(s_(1,i)^(t))", Mark.RIGHT),
    (lstm, "i₁^(t) = σ(s_(1,f)^(t))", Mark.WRONG),
    (lstm, "∂L/∂b_(1,io) = Σₜ₌₁^T ∂L/∂s_(1,o)^(t)", Mark.RIGHT),
    (lstm, "∂L/∂b_(1,io) = Σₜ₌₁^T ∂L/∂s_(1,f)^(t)", Mark.WRONG),
    (lstm, r"$\frac{\partial L}{\partial b_{1,\mathrm{if}}} = \sum_{t=1}^{T} \frac{\partial L}{\partial s_{1,f}^{(t)}}$", Mark.RIGHT),
    (lstm, r"$h_{1}^{(0)} = 0$", Mark.RIGHT),
    (lstm, "h₁⁽⁰⁾ = 0", Mark.RIGHT),
    (recurrent, "dz[t + 1, i]/dh[t, j] = V[i, j]", Mark.RIGHT),
    # the slope of h[t + 1] by h[t] goes through z: it stands in no line, and is not the quotient of two slopes of the loss
    (recurrent, "dL/dh[t, j] = dL/dh[t+1, j]*dh[t+1, j]/dh[t, j]", Mark.UNDECIDED),
    (residual, "dr[n, i]/dx[n, i] = 1", Mark.RIGHT),
    (residual, "dr[n, i]/dx[n, i] = 2", Mark.WRONG),
    (residual, "dL/dx[n, i] = dL/dr[n, i]*dr[n, i]/dx[n, i] + dL/dm[n]*dm[n]/dx[n, i] + dL/dv[n]*dv[n]/dx[n, i] + dL/dy[n, i]*dy[n, i]/dx[n, i]",
     Mark.RIGHT),
    (residual, "dy[n, i]/dx[n, j] = ([i == j] - 1/d - y[n, i]*y[n, j]/d)/sqrt(v[n] + 1)", Mark.RIGHT),  # the whole slope
]


@pytest.mark.parametrize(("derivation", "line", "mark"), LINES, ids=[line for _, line, _ in LINES])
def test_a_line_about_slopes_of_lines(derivation, line: str, mark: Mark) -> None:  # type: ignore[no-untyped-def]
    (found,) = judge_page(line, derivation()).claims
    assert found.mark is mark, found.slip


def test_lines_of_a_long_recurrence_are_judged_in_names() -> None:
    """Each took 15 seconds when all that a recurrence computes in two lines was written out on one side alone."""
    start = time.perf_counter()
    page = ("h₁^(t) = o₁^(t) ⊙ tanh(c₁^(t))  for t = 1..T\na1[j] = h1[T, j]\n"
            "∂L/∂c₁^(t) = ∂L/∂c₁^(t + 1) ⊙ f₁^(t + 1) + ∂L/∂h₁^(t) ⊙ o₁^(t) ⊙ (1 - (tanh(c₁^(t)))^(⊙ 2))  for t = 1..T - 1")
    assert [j.mark for j in judge_page(page, lstm()).claims] == [Mark.RIGHT] * 3
    assert time.perf_counter() - start < 15
