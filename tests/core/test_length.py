"""How long the text of an expression would be, and how many parts it has, found without writing it."""

from __future__ import annotations

import mpmath
import pytest
import sympy as sp

from symnet.core.length import AsItStands, length, parts

x, y = sp.symbols("x y")


@pytest.mark.parametrize("expr", [
    x, x + 1, x * y + 2, sp.exp(x) + sp.tanh(y) / 3, (x + y)**5 - sp.Rational(22, 7) * x, sp.sin(x * sp.cos(x * sp.sin(y + 1))),
    sp.Add(*[sp.exp(k * x) for k in range(1, 40)]), sp.Integer(10)**80,
], ids=lambda e: str(e)[:30])
def test_the_length_is_about_that_of_the_text(expr: sp.Expr) -> None:
    assert 0.6 * len(str(expr)) - 3 <= length(expr) <= 1.6 * len(str(expr)) + 3


def test_shared_parts_are_looked_at_once() -> None:
    tower: sp.Expr = x
    for _ in range(60):
        tower = sp.Add(sp.sin(tower), sp.cos(tower), evaluate=False)  # 2^60 characters, 180 parts
    assert length(tower) > 2**60
    assert parts(tower) == 181


def test_lengths_of_symbols_may_be_those_of_what_is_put_in() -> None:
    assert length(x * y, {x: 1000, y: 1}) == 1004


def test_a_long_number_prints_and_evaluates() -> None:
    number = sp.exp(sp.Rational(1, 3)) + sp.tanh(2) * sp.exp(1)
    held = AsItStands(number)
    assert sp.sympify(str(held)) == number == held.doit()
    assert held.is_real and sp.latex(held)
    with mpmath.workdps(40):
        truth = mpmath.exp(mpmath.mpf(1) / 3) + mpmath.tanh(2) * mpmath.e
        assert abs(mpmath.mpf(str(held.evalf(30))) - truth) < mpmath.mpf(10)**-28
    assert not (held + 1).free_symbols
