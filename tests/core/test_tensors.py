"""Tensors and their entries."""

from __future__ import annotations

import pytest
import sympy as sp

from symnet.core.axes import Axis, index
from symnet.core.tensors import DOMAINS, Role, Tensor, entry_indices, has_name, scalar, tensor_name
from symnet.errors import NameError_, ShapeError

i, j = index("i"), index("j")
W = Tensor("W", (Axis.of("d"), Axis.of(3)))


def test_an_entry_knows_its_tensor_and_its_place() -> None:
    entry = W[i, j + 1]
    assert tensor_name(entry) == "W"
    assert entry_indices(entry) == (i, j + 1)
    assert W.shape == (sp.Symbol("d", integer=True, positive=True), 3)


def test_a_scalar_is_a_plain_symbol() -> None:
    w = scalar("w1")
    assert w[()] == sp.Symbol("w1", real=True)
    assert tensor_name(w[()]) == "w1"
    assert entry_indices(w[()]) == ()


@pytest.mark.parametrize("domain", DOMAINS)
def test_the_domain_reaches_the_entry(domain: str) -> None:
    for entry in (scalar("x", domain)[()], Tensor("x", (Axis.of("d"),), domain)[i]):
        assert (entry.is_positive, entry.is_nonnegative, entry.is_real) == {
            "real": (None, None, True), "positive": (True, True, True), "nonnegative": (None, True, True),
            "negative": (False, False, True), "nonpositive": (False, None, True), "nonzero": (None, None, True),
            "complex": (None, None, None), "index": (None, True, True)}[domain]


@pytest.mark.parametrize("name", ["", "1w", "w-1", "w 1", "w;import os", "<script>", "\\input", "__w", "_", "w" * 65, "w\n", "é"])
def test_a_bad_name_is_refused(name: str) -> None:
    with pytest.raises(NameError_, match="a letter followed by letters, digits or _"):
        Tensor(name)


def test_a_bad_domain_is_refused() -> None:
    with pytest.raises(NameError_, match="one of real, positive"):
        Tensor("w", domain="quaternion")


@pytest.mark.parametrize("where", [(), (i,), (i, j, i)], ids=len)
def test_the_number_of_indices_must_fit(where: tuple[sp.Expr, ...]) -> None:
    with pytest.raises(ShapeError, match=f"{len(where)} indices; expected 2, one for each axis"):
        W[where]


def test_has_name_looks_at_names_and_not_at_letters() -> None:
    expr = sp.exp(W[i, j]) + scalar("x")[()]
    assert has_name(expr, {"W"})
    assert has_name(expr, {"x", "q"})
    assert not has_name(expr, {"i", "w"})


def test_with_role_changes_the_role_alone() -> None:
    other = W.with_role(Role.PARAMETER)
    assert other.role is Role.PARAMETER
    assert (other.name, other.axes) == (W.name, W.axes)
