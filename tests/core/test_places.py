"""Index expressions at given places: sums written out, brackets decided, and nothing looked at that does not exist."""

from __future__ import annotations

import pytest
import sympy as sp

from symnet.core.axes import Axis, Kind, index, size
from symnet.core.expressions import When
from symnet.core.index_evaluation import at_place, holds, in_order, integer, span, visits
from symnet.core.program import Definition, Program, define
from symnet.core.schedule import schedule
from symnet.core.tensors import Tensor
from symnet.errors import ShapeError
from symnet.networks.architectures import deep_mlp

i, j, t = index("i"), index("j"), index("t")
N, T = size("N"), size("T")
ENV = {N: sp.Integer(3), T: sp.Integer(2), j: sp.Integer(2)}
x = sp.IndexedBase("x", real=True)
a = sp.Symbol("a", real=True)


def entry(name: str, place: tuple[int, ...]) -> sp.Expr:
    return sp.Symbol("_".join([name, *map(str, place)]), real=True)


def shown(expr: sp.Expr) -> str:
    return str(at_place(expr, ENV, entry))


@pytest.mark.parametrize(("expr", "wanted"), [
    (a, "a"), (x[j], "x_2"), (x[N - j + 1], "x_2"), (sp.Sum(x[i], (i, 1, N)), "x_1 + x_2 + x_3"),
    (sp.Sum(x[i, j], (i, 1, T)), "x_1_2 + x_2_2"), (sp.Sum(x[i], (i, 2, 1)), "0"), (a / N, "a/3"),
    (sp.exp(sp.Sum(x[i], (i, 1, T))), "exp(x_1 + x_2)"), (sp.Sum(a, (i, 1, N)), "3*a"), (sp.pi * a, "pi*a"),
    (sp.Sum(When(x[i + 1], sp.Le(i + 1, N)), (i, 1, N)), "x_2 + x_3"),
    (sp.Sum(When(x[i / 2], sp.Eq(sp.Mod(i, 2), 0)), (i, 1, N)), "x_1"),
    (sp.Sum(x[i] * x[t], (i, 1, 2), (t, 1, 1)), "x_1**2 + x_1*x_2"),
], ids=str)
def test_at_place(expr: sp.Expr, wanted: str) -> None:
    assert shown(expr) == wanted


def test_a_body_under_a_bracket_that_fails_is_never_looked_at() -> None:
    seen = []

    def watch(name: str, place: tuple[int, ...]) -> sp.Expr:
        seen.append(place)
        return entry(name, place)

    at_place(sp.Sum(When(x[i - 1], sp.Ge(i - 1, 1)), (i, 1, N)), ENV, watch)
    assert sorted(seen) == [(1,), (2,)]


def test_integer_needs_every_size() -> None:
    assert integer(2 * N - 1, ENV) == 5
    assert span((sp.S.Zero, T), ENV) == range(0, 3)
    with pytest.raises(ShapeError, match="no integer for K"):
        integer(size("K") + N, ENV)
    with pytest.raises(ShapeError, match="no integer for 3/2"):
        integer(N / 2, ENV)


def test_a_bracket_must_be_decided() -> None:
    assert holds(sp.Ge(j, 2), ENV)
    assert not holds(sp.And(sp.Ge(j, 1), sp.Le(j, 1)), ENV)
    with pytest.raises(ShapeError, match="cannot decide"):
        holds(sp.Ge(i, 2), ENV)


def test_visits_are_row_by_row() -> None:
    m = Tensor("m", (Axis.of("T"), Axis.of("N")))
    line = define(m, t, i, expr=a)
    assert [p for p, _ in visits(line, ENV)] == [(1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (2, 3)]
    part = Definition(m, (sp.Integer(2), i), a, ((i, sp.Integer(2), N),))
    assert [p for p, _ in visits(part, ENV)] == [(2, 2), (2, 3)]


def test_a_loop_goes_place_by_place_in_its_direction() -> None:
    h = Tensor("h", (Axis.between(0, "T", Kind.TIME),))
    up = Program((), (Definition(h, (sp.S.Zero,), sp.S.One), Definition(h, (t,), h[t - 1] + 1, ((t, sp.S.One, T),))))
    down = Program((), (Definition(h, (T,), sp.S.One), Definition(h, (t,), h[t + 1] + 1, ((t, sp.S.Zero, T - 1),))))
    for program, order in ((up, [0, 1, 2]), (down, [2, 1, 0])):
        first, loop = schedule(program)
        assert [place[0] for block in (first, loop) for _, place, _ in in_order(block, ENV)] == order


def test_a_loop_of_several_tensors_takes_turns() -> None:
    first, loop, _ = schedule(deep_mlp())
    env = {size("d"): sp.Integer(1), size("L"): sp.Integer(2)}
    assert [(d.name, p[0]) for block in (first, loop) for d, p, _ in in_order(block, env)] == [("a", 0), ("z", 1), ("a", 1), ("z", 2), ("a", 2)]
