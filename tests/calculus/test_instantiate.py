"""Integer sizes: every entry becomes a scalar with a name, a place and a printed form of its own."""

from __future__ import annotations

from typing import Any

import pytest
import sympy as sp

import symnet as sn
from symnet.calculus import derive
from symnet.calculus.instantiate import LIMIT, Entries, instantiate_program
from symnet.core.derivation import Derivation
from symnet.core.text import definition_text
from symnet.errors import ShapeError
from symnet.networks.architectures import conv1d, deep_mlp, mlp, rnn

SIZES = {"N": 1, "d": 2, "h": 2, "k": 2}


def lines(d: Derivation) -> list[str]:
    return [definition_text(x, d.full.tensors) for x in d.full]


def test_the_lines_of_a_small_network() -> None:
    d = sn.load("two-two-two").instantiate({})
    shown = lines(d)
    assert shown[0] == "z1_1 = W1_1_1*x_1 + W1_2_1*x_2 + b1_1"
    assert "L = ((a2_1 - y_1)**2 + (a2_2 - y_2)**2)/2" in shown
    assert "dL_da1_1 = dL_dz2_1*W2_1_1 + dL_dz2_2*W2_1_2" in shown
    assert "dL_dz1_1 = dL_da1_1*a1_1*(1 - a1_1)" in shown
    assert "dL_dW1_2_1 = dL_dz1_1*x_2" in shown


def test_names_places_and_latex_of_entries() -> None:
    d = derive(mlp()).instantiate({"N": 2, "d": 3, "h": 4, "k": 2})
    entry = d.program["W1_3_4"]
    assert (entry.parent, entry.place, entry.axes) == ("W1", (3, 4), ())
    assert entry.latex == "w_{34}^{(1)}"
    gradient = d.full[d.gradient_name("W1_3_4")]
    assert gradient.name == "dL_dW1_3_4"
    assert gradient.of == "W1_3_4"
    assert gradient.latex == r"\frac{\partial L}{\partial w_{34}^{(1)}}"
    assert [t.name for t in d.program.inputs[:3]] == ["X_1_1", "X_1_2", "X_1_3"]


def test_recurrences_are_written_out_in_an_order_that_runs() -> None:
    shown = lines(derive(deep_mlp()).instantiate({"d": 1, "L": 2}))
    assert shown == [
        "a_0_1 = x_1", "z_1_1 = W_1_1_1*a_0_1 + b_1_1", "a_1_1 = sigmoid(z_1_1)", "z_2_1 = W_2_1_1*a_1_1 + b_2_1",
        "a_2_1 = sigmoid(z_2_1)", "C = (a_2_1 - y_1)**2/2",
        "dC_da_2_1 = a_2_1 - y_1", "dC_dz_2_1 = dC_da_2_1*a_2_1*(1 - a_2_1)", "dC_da_1_1 = dC_dz_2_1*W_2_1_1",
        "dC_dz_1_1 = dC_da_1_1*a_1_1*(1 - a_1_1)", "dC_da_0_1 = dC_dz_1_1*W_1_1_1",
        "dC_dW_1_1_1 = dC_dz_1_1*a_0_1", "dC_dW_2_1_1 = dC_dz_2_1*a_1_1", "dC_db_1_1 = dC_dz_1_1", "dC_db_2_1 = dC_dz_2_1",
    ]


def test_a_bracket_leaves_only_the_terms_that_exist() -> None:
    d = derive(conv1d(), ["x"]).instantiate({"K": 2, "M": 2})
    assert lines(d)[-3:] == ["dL_dx_1 = dL_dz1_1*w1_1", "dL_dx_2 = dL_dz1_1*w1_2 + dL_dz1_2*w1_1", "dL_dx_3 = dL_dz1_2*w1_2"]
    holes = derive(conv1d(stride=2), ["x"]).instantiate({"K": 1, "M": 2})
    assert lines(holes)[-3:] == ["dL_dx_1 = dL_dz1_1*w1_1", "dL_dx_2 = 0", "dL_dx_3 = dL_dz1_2*w1_1"]


CASES: dict[str, tuple[Any, dict[str, int]]] = {
    "mlp": (mlp(), SIZES), "shares declared": (mlp(normalized=True), SIZES), "rnn": (rnn(), {"T": 2, "d": 1, "m": 2}),
    "deep mlp": (deep_mlp(), {"d": 2, "L": 2}), "conv1d": (conv1d(), {"K": 2, "M": 3}),
}


@pytest.mark.parametrize("name", CASES)
def test_a_step_is_the_sum_of_its_contributions(name: str) -> None:
    """Σ upstream · local over the contributions of a scalar step is its raw right side."""
    made, sizes = CASES[name]
    d = derive(made).instantiate(sizes)
    assert [s.number for s in d.steps] == list(range(1, len(d.steps) + 1))
    for step in d.steps:
        total = sp.Add(*[c.upstream * c.local for c in step.contributions])
        assert sp.expand(total - step.raw) == 0, step.target.name
        assert all(c.occurrences == (step.of[()],) for c in step.contributions)
        for c in step.contributions:
            assert c.upstream == 1 or d.names[c.through.name] == str(c.upstream)


@pytest.mark.parametrize("name", CASES)
def test_every_live_step_is_a_line_of_the_program(name: str) -> None:
    made, sizes = CASES[name]
    d = derive(made).instantiate(sizes)
    gradient_lines = set(d.full.definitions) - set(d.program.definitions)
    assert {s.definition for s in d.steps if s.live} == gradient_lines
    assert not any(x.indices or x.expr.has(sp.Sum, sp.Indexed) for x in d.full)


def test_declared_assumptions_are_written_out() -> None:
    d = derive(mlp(normalized=True)).instantiate({"N": 2, "d": 1, "h": 1, "k": 3})
    assert [str(a) for a in d.program.assumptions] == ["Y_1_1 + Y_1_2 + Y_1_3 = 1", "Y_2_1 + Y_2_2 + Y_2_3 = 1"]


def test_stored_values_go_to_their_entries() -> None:
    d = sn.load("two-two-two").instantiate({})
    assert sp.Rational(str(d.values["W1_1_2"])) == sp.Rational(1, 4)
    assert d.at().decimal("L", 20) == sn.load("two-two-two").at().decimal("L", 20)


@pytest.mark.parametrize(("sizes", "phrase"), [
    ({"N": 1, "d": 1, "h": 1}, "no value for k; expected an integer for every size; try: sizes={'k': 3}"),
    ({**SIZES, "q": 2}, "no size named 'q'; expected one of N, d, h, k"),
    ({**SIZES, "k": 0}, "size k: 0; expected a positive integer"),
    ({**SIZES, "k": True}, "size k: True; expected a positive integer"),
    ({**SIZES, "k": 2.5}, "size k: 2.5; expected a positive integer"),
    ({"N": 1000, "d": 100, "h": 2, "k": 2}, f"entries; expected at most {LIMIT}"),
], ids=["missing", "unknown", "zero", "a truth value", "a fraction", "too many entries"])
def test_bad_sizes_are_refused(sizes: Any, phrase: str) -> None:
    with pytest.raises(ShapeError) as caught:
        derive(mlp()).instantiate(sizes)
    assert phrase in str(caught.value)


def test_an_entry_name_that_is_taken_gets_another() -> None:
    program = sn.program("L = sum(x) + x_1", tensors={"x": (2,), "x_1": ()})
    scalars, entries = instantiate_program(program, {})
    assert isinstance(entries, Entries)
    assert [t.name for t in scalars.inputs] == ["x_1_", "x_2", "x_1"]
    assert {str(s) for s in scalars.definitions[0].expr.free_symbols} == {"x_1_", "x_2", "x_1"}
