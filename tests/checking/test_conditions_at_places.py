"""What an answer asks for is asked for at every place, also where it cancels when the place is put in."""

from __future__ import annotations

from typing import Any

import pytest
import sympy as sp

import symnet as sn
from symnet.core.derivation import Derivation
from symnet.errors import SymnetError


def made(line: str, wrt: str, tensors: dict[str, Any]) -> Derivation:
    return sn.derive(sn.program(f"L = {line}", tensors=tensors), wrt=wrt)


PRODUCT = ("sum(P*C)", "C", {"P": ("n",), "C": ("n",)})
THREE = ("prod(v)", "v", {"v": (3,)})
SQUARES = ("sum(v**2)/2", "v", {"v": (3,)})
CONDITIONS = [  # the program, an answer, the verdict, what its condition names
    (PRODUCT, "dL/dC_i = sqrt(P[i])**2", "conditional", ["P[i] >= 0"]),
    (PRODUCT, "dL/dC_i = sqrt(P[i])**2*(1 if i>0 else 2)", "conditional", ["P[i] >= 0"]),
    (PRODUCT, "exp(log(P))", "conditional", ["P[i] > 0"]),
    (PRODUCT, "P*P/P", "almost_everywhere", ["P[i] = 0"]),
    (THREE, "prod(v)/v", "almost_everywhere", ["v[1] = 0", "v[2] = 0", "v[3] = 0"]),
    (THREE, "prod(v)*v/v**2", "almost_everywhere", ["v[1] = 0", "v[2] = 0", "v[3] = 0"]),
    (SQUARES, "inv(diag(v))@diag(v)@v", "almost_everywhere", ["v_1 = 0", "v_2 = 0", "v_3 = 0"]),
    (SQUARES, "inv(diag(v))@(v**2)", "almost_everywhere", ["v_1 = 0", "v_2 = 0", "v_3 = 0"]),
    (SQUARES, "v", "proved", []),
    (("sum(v[1]*v)", "v", {"v": ("n",)}), "dL/dv_i = [i==1]*sum(v)+v[1]*v[i]/v[i]", "almost_everywhere", ["v[i] = 0"]),
]


@pytest.mark.parametrize(("program", "answer", "wanted", "named"), CONDITIONS, ids=[c[1] for c in CONDITIONS])
def test_conditions_are_those_of_every_place(program: tuple[str, str, dict[str, Any]], answer: str, wanted: str, named: list[str]) -> None:
    verdict = sn.check(answer, made(*program), program[1], timeout=None)
    assert verdict.answer.value == wanted and all(part in verdict.condition for part in named), verdict


@pytest.mark.parametrize("answer", ["dL/dv_1 = 2 v_1 + 1", "dL/dv[2] = 2*v[2]", "dL/dv_3 = 2 v_3"])
def test_one_entry_is_no_whole_gradient(answer: str) -> None:
    with pytest.raises(SymnetError, match="one entry"):
        sn.check(answer, made("sum(v**2)+v[1]", "v", {"v": (3,)}), "v", timeout=None)


def test_a_size_is_no_index() -> None:
    n, i = sp.Symbol("n", integer=True, positive=True), sp.Symbol("i", integer=True)
    v = sp.IndexedBase("v")
    with pytest.raises(SymnetError, match="at the size n"):
        sn.check(2 * v[n], sn.derive(sp.Sum(v[i] ** 2, (i, 1, n))), wrt=v[n], timeout=None)


@pytest.mark.parametrize("sides", [("exp(sum(log(v)))", "prod(v)"), ("prod(v)", "exp(sum(log(v)))")])
def test_what_either_side_asks_for_restricts_an_equality(sides: tuple[str, str]) -> None:
    verdict = sn.compare(*sides, tensors={"v": (3,)}, timeout=None)
    assert verdict.answer.value == "conditional" and "v_1 > 0" in verdict.condition


@pytest.mark.parametrize(("answer", "wanted"), [("1+2*w+3*w**2", "proved"), ("1+2*w+4*w**2", "refuted")])
def test_powers_by_an_index(answer: str, wanted: str) -> None:
    d = sn.derive("sum(w**k for k in 0..3)", wrt="w")
    assert sn.check(answer, d, "w", timeout=None).answer.value == wanted
    assert d.compile()({"w": 0.0})[1]["w"] == 1.0 and d.at({"w": 0}).exact("dL_dw") == 1


def test_polynomial_features_have_a_slope_at_0() -> None:
    d = sn.derive(sn.program("p[k] = x**k", "L = sum(a[k]*p[k] for k in 0..n)", tensors={"p": ("0..n",), "x": (), "a": ("0..n",)}), wrt="x")
    assert d.compile()({"x": 0.0}, a=[5.0, 7.0, 11.0])[1]["x"] == 7.0 and all(d.check())
