"""Entries computed at points without closed forms: the first that differs is found, borders and undefined points are passed by."""

from __future__ import annotations

import sympy as sp

import symnet as sn
from symnet.calculus.instantiate import instantiate_program
from symnet.checking.answers_points import Numbers, in_domain
from symnet.core.program import Program
from symnet.equality.assumption_solving import solved

x1, x2, x3 = sp.symbols("x_1 x_2 x_3", real=True)


def numbers(*lines: str, assume: str = "", **sizes: int) -> tuple[Program, Numbers]:
    program = sn.program(*lines, tensors={"x": ("n",), "A": ("n", "n")}, assumptions=[assume] if assume else [])
    scalars, entries = instantiate_program(program, sizes or {"n": 3})
    return scalars, Numbers(scalars, entries)


def test_the_first_entry_that_differs_is_found_with_exact_values() -> None:
    _, made = numbers("p = A @ x", "q = A.T @ x", "L = sum(p*q)")
    found = made.difference("p", "q", {})
    assert found is not None
    place, witness = found
    assert place == (1,) and witness.left != witness.right
    assert {name for name, _ in witness.point} == {"A_1_1", "A_1_2", "A_1_3", "A_2_1", "A_3_1", "x_1", "x_2", "x_3"}


def test_equal_tensors_have_no_difference() -> None:
    _, made = numbers("p = (A @ A).T @ x", "q = A.T @ (A.T @ x)", "L = sum(p*q)")
    assert made.difference("p", "q", {}) is None


def test_points_where_a_case_changes_are_passed_by() -> None:
    _, made = numbers("p = step(x*0 - x[1] + 1)", "q = where(x*0 - x[1] + 1 >= 0, 1, 0)", "L = sum(p*q)", n=1)  # differ at x_1 = 1 alone
    assert made.difference("p", "q", {}) is None


def test_points_where_nothing_is_defined_are_passed_by() -> None:
    _, made = numbers("p = log(x - 1)", "q = log(x - 1) + 1", "L = sum(p*q)", n=1)  # x = 1 is tried first
    found = made.difference("p", "q", {})
    assert found is not None and found[1].point == (("x_1", "2"),)


def test_values_that_look_alike_are_shown_with_more_digits() -> None:
    _, made = numbers("p = exp(-50*x**2) + x", "q = x", "L = sum(p*q)", n=1)
    found = made.difference("p", "q", {})
    assert found is not None and found[1].left != found[1].right


def test_the_point_satisfies_the_assumptions() -> None:
    scalars, made = numbers("p = x*sum(x)", "q = 2*x", "L = sum(p*q)", assume="sum(x) == 1")
    there = solved(scalars.assumptions)
    assert there is not None
    found = made.difference("p", "q", there)
    assert found is not None and sum(sp.Rational(v) for _, v in found[1].point) == 1
    _, same = numbers("p = x*sum(x)", "q = x", "L = sum(p*q)", assume="sum(x) == 1")
    assert same.difference("p", "q", there) is None


def test_a_value_outside_its_domain_is_no_point() -> None:
    p = sp.Symbol("p", positive=True)
    assert in_domain(p, sp.Rational(1, 2)) and not in_domain(p, sp.S.Zero) and in_domain(x1, sp.S.NegativeOne)
