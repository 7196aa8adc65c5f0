"""Solving e(i, k) = α: what is fixed, what is summed, what becomes a boundary, a bracket or a stride."""

from __future__ import annotations

import itertools

import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from symnet.calculus.solving import meet, solve
from symnet.core.axes import index, size

i, j, k, p = (index(c) for c in "ijkp")
A, B = sp.Dummy("α", integer=True), sp.Dummy("β", integer=True)
M, K, T = size("M"), size("K"), size("T")
ONE = sp.S.One


def test_a_plain_index_is_renamed() -> None:
    found = solve((i,), (A,), ((ONE, M),), ((i, ONE, M),), ())
    assert found.mapping == {i: A}
    assert (found.sums, found.conditions, found.spans) == ((), (), ((ONE, M),))


def test_an_index_that_does_not_occur_is_summed_over() -> None:
    found = solve((i,), (A,), ((ONE, M),), ((i, ONE, M), (j, ONE, K)), ((k, ONE, T),))
    assert found.mapping == {i: A}
    assert [s[0] for s in found.sums] == [j, k]


def test_a_shift_restricts_the_place_and_makes_no_bracket() -> None:
    """h[t - 1] for t = 1..T on the axis 0..T: α = t - 1 reaches 0..T - 1."""
    found = solve((i - 1,), (A,), ((sp.S.Zero, T),), ((i, ONE, T),), ())
    assert found.mapping == {i: A + 1}
    assert found.spans == ((0, T - 1),)
    assert found.conditions == ()


def test_a_fixed_place_is_a_single_place() -> None:
    found = solve((T,), (A,), ((sp.S.Zero, T),), (), ((i, ONE, M),))
    assert found.spans == ((T, T),)
    assert [s[0] for s in found.sums] == [i]


def test_a_convolution_leaves_one_sum_and_a_bracket() -> None:
    found = solve((i + p - 1,), (A,), ((ONE, K + M - 1),), ((i, ONE, M),), ((p, ONE, K),))
    assert len(found.mapping) == len(found.sums) == len(found.conditions) == 1
    (solved, value), = found.mapping.items()
    assert sp.expand((i + p - 1).xreplace({solved: value}) - A) == 0


def test_a_stride_asks_for_divisibility() -> None:
    found = solve((2 * i,), (A,), ((ONE, 2 * M),), ((i, ONE, M),), ())
    assert found.mapping == {i: A / 2}
    assert sp.Eq(sp.Mod(A, 2), 0) in found.conditions


def test_a_diagonal_fixes_both_places() -> None:
    found = solve((i, i), (A, B), ((ONE, M), (ONE, M)), ((i, ONE, M),), ())
    assert found.mapping in ({i: A}, {i: B})
    assert len(found.conditions) == 1
    assert found.conditions[0].free_symbols == {A, B}


def test_meet_takes_the_tighter_ends() -> None:
    assert meet((ONE, T), (sp.Integer(2), T)) == (2, T)
    assert meet((sp.S.Zero, T), (sp.S.Zero, T - 1)) == (0, T - 1)
    assert meet((sp.Integer(3), sp.Integer(9)), (ONE, sp.Integer(5))) == (3, 5)


SHAPES = {"i + c": (1, 0), "2i + c": (2, 0), "3i + c": (3, 0), "-i + c": (-1, 0), "i + p + c": (1, 1), "i - p + c": (1, -1),
          "2i + p + c": (2, 1), "i + 2p + c": (1, 2), "2i + 2p + c": (2, 2), "2i + 3p + c": (2, 3), "p + c": (0, 1)}


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.sampled_from(sorted(SHAPES)), st.integers(1, 4), st.integers(1, 4), st.integers(0, 2))
def test_every_pair_is_found_exactly_once(shape: str, m: int, n: int, spare: int) -> None:
    """By counting: the solution visits each (i, p) with e(i, p) = α once, and no other."""
    a, b = SHAPES[shape]
    reached = [a * x + b * y for x, y in itertools.product(range(1, m + 1), range(1, n + 1))]
    c = 1 - min(reached)
    top = max(reached) + c + spare
    expr = a * i + b * p + c
    found = solve((sp.sympify(expr),), (A,), ((ONE, sp.Integer(top)),), ((i, ONE, sp.Integer(m)),), ((p, ONE, sp.Integer(n)),))
    for alpha in range(1, top + 1):
        wanted = {(x, y) for x in range(1, m + 1) for y in range(1, n + 1) if a * x + b * y + c == alpha}
        assert set(visited(found, alpha)) == wanted
        assert len(visited(found, alpha)) == len(wanted)


def visited(found: object, alpha: int) -> list[tuple[int, int]]:
    """The (i, p) that a solution reaches for one α, in its own words: span, sums, brackets, mapping."""
    (low, high), = found.spans  # type: ignore[attr-defined]
    if not low <= alpha <= high:
        return []
    pairs = []
    sums = found.sums  # type: ignore[attr-defined]
    for places in itertools.product(*[range(int(lo), int(hi) + 1) for _, lo, hi in sums]):
        env = {A: sp.Integer(alpha)} | {s[0]: sp.Integer(v) for s, v in zip(sums, places, strict=True)}
        if all(c.xreplace(env) == sp.true for c in found.conditions):  # type: ignore[attr-defined]
            pair = tuple(int(found.mapping.get(s, s).xreplace(env)) for s in (i, p))  # type: ignore[attr-defined]
            pairs.append(pair)
    return pairs  # type: ignore[return-value]


@pytest.mark.parametrize("sign", [1, -1], ids=["rising", "falling"])
def test_unit_coefficients_of_either_sign_make_no_bracket_when_all_is_reached(sign: int) -> None:
    place = i if sign == 1 else M - i + 1
    found = solve((place,), (A,), ((ONE, M),), ((i, ONE, M),), ())
    assert found.conditions == ()
    assert found.spans == ((ONE, M),)
    assert sp.expand(place.xreplace(found.mapping) - A) == 0


def test_a_stride_that_fills_its_axis_needs_no_bracket() -> None:
    """2 i - 1 for i = 1..3 on 1..6: (α + 1)/2 is whole at 1, 3 and 5, and 1, 2 or 3 there; at α = 6 it is not."""
    found = solve((2*i - 1,), (A,), ((ONE, sp.Integer(6)),), ((i, ONE, sp.Integer(3)),), ())
    assert found.conditions == (sp.Eq(sp.Mod(A + 1, 2), 0),)
    assert found.spans == ((ONE, sp.Integer(6)),)
