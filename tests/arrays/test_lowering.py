"""Index expressions become array nodes; an expression without a form raises and is never passed over."""

from __future__ import annotations

import pytest
import sympy as sp

import symnet as sn
from symnet.arrays.lowering import Lowering, lower_definition, union
from symnet.arrays.tree import Apply, Cases, Contract, Leaf, LogSum, Masked, Node, Number, Softmax
from symnet.calculus import derive
from symnet.core.axes import Axis, index
from symnet.core.expressions import When
from symnet.core.tensors import Tensor
from symnet.errors import UnknownNodeError
from symnet.networks.architectures import rnn

SHAPES = {"A": ("N", "d"), "B": ("N", "d"), "C": ("d", "k"), "v": ("d",)}
KINDS: dict[str, tuple[str, type[Node]]] = {
    "an entry": ("Q = A", Leaf),
    "a sum of terms": ("Q = A + B", Apply),
    "a power": ("Q = A**2", Apply),
    "a function": ("Q = tanh(A)", Apply),
    "a matrix product": ("Q = A @ C", Contract),
    "a sum over an axis": ("Q = sum(A, axis=1)", Contract),
    "softmax kept whole": ("Q = softmax(A)", Softmax),
    "log of a sum of exponentials": ("q = log(sum(exp(A), axis=1))", LogSum),
    "a choice": ("Q = A if A > 0 else B", Cases),
}


def lowered(line: str) -> Node:
    program = sn.program(line, "L_end = 0", tensors=SHAPES)
    return lower_definition(program.definitions[0])


@pytest.mark.parametrize(("line", "kind"), KINDS.values(), ids=KINDS)
def test_each_construct_has_its_node(line: str, kind: type[Node]) -> None:
    assert type(lowered(line)) is kind


def test_the_labels_are_the_free_indices_of_the_line() -> None:
    program = sn.program("Q = A @ C", "L_end = 0", tensors=SHAPES)
    node = lower_definition(program.definitions[0])
    assert set(node.labels) == set(program.definitions[0].indices)


def test_a_contraction_keeps_its_factors_apart() -> None:
    node = lowered("Q = A @ C")
    assert isinstance(node, Contract)
    assert sorted(f.name for f in node.factors if isinstance(f, Leaf)) == ["A", "C"]


def test_a_softmax_times_something_is_a_product_with_the_softmax_whole() -> None:
    node = lowered("Q = B*softmax(A)")
    assert isinstance(node, Apply) and node.function is sp.Mul
    assert sum(isinstance(a, Softmax) for a in node.args) == 1


def test_shares_of_exponentials_of_something_else_are_no_softmax() -> None:
    # exp(A)/Σ exp(B): the sum below is not over the exponential above
    node = lowered("Q = exp(A)/sum(exp(B), axis=1, keepdims=True)")
    assert isinstance(node, Apply)
    assert not any(isinstance(a, Softmax) for a in node.args)


def test_the_index_of_a_loop_is_a_number_and_no_axis() -> None:
    program = rnn()
    line = next(d for d in program.definitions if d.name == "z")
    t, i = line.indices
    assert set(lower_definition(line).labels) == {t, i}
    assert set(lower_definition(line, [t]).labels) == {i}


def test_a_fixed_place_is_no_axis() -> None:
    d = derive(rnn())
    last = d.full.by_name["dL_dh"][0]  # at t = T
    assert set(lower_definition(last).labels) == {last.indices[1]}


def test_an_index_used_as_a_number_knows_its_range() -> None:
    i = index("i")
    node = Lowering({i: (sp.Integer(1), sp.Integer(4))}).node(i)
    assert node == Number((i,), i, (sp.Integer(1), sp.Integer(4)))


def test_a_bracket_is_a_mask_over_the_indices_of_its_condition() -> None:
    d, i, j = Axis.of("d"), index("i"), index("j")
    body = Tensor("v", (d,))[i]
    node = Lowering({i: d.range, j: d.range}).node(When(body, sp.Ge(i - j, 1)))
    assert isinstance(node, Masked)
    assert set(node.labels) == {i, j}


def test_a_sum_is_lowered_with_bound_indices_renamed_apart() -> None:
    program = sn.program("q = sum(A, axis=1)*sum(B, axis=1)", "L_end = 0", tensors=SHAPES)
    node = lower_definition(program.definitions[0])
    assert isinstance(node, Apply)
    bound = [i for a in node.args if isinstance(a, Contract) for i, _, _ in a.over]
    assert len(bound) == len(set(bound)) == 2


def test_the_union_of_labels_keeps_the_order_of_first_use() -> None:
    i, j, k = index("i"), index("j"), index("k")
    assert union([Number((j, i), i), Number((i, k), i)]) == (j, i, k)


@pytest.mark.parametrize("expr", [sp.gamma(sp.Symbol("x")), sp.zeta(sp.Symbol("x")), sp.Function("f")(sp.Symbol("x"))], ids=str)
def test_an_unknown_function_raises(expr: sp.Expr) -> None:
    with pytest.raises(UnknownNodeError, match="no form for"):
        Lowering({}).node(expr)


def test_a_compound_condition_on_values_becomes_cases_within_cases() -> None:
    x, y, z = sp.symbols("x y z", real=True)
    both = Lowering({}).node(sp.Piecewise((x, (x > 0) & (y > 0)), (y, True)))
    either = Lowering({}).node(sp.Piecewise((z, (x > 0) | (y > 0)), (y, True)))
    assert isinstance(both, Cases) and isinstance(both.branches[0][0], Cases) and len(both.branches) == 2
    assert isinstance(either, Cases) and [b[1] for b in either.branches] == [sp.Gt, sp.Gt, None]
    run = sn.derive(sn.program("L = where(x > 0 and y > 1, x*y, where(x < -1 and y < 0, x**2, 3*x)) + y")).compile()
    for a, b in ((2.0, 3.0), (2.0, 0.5), (-2.0, -1.0), (-2.0, 1.0), (-0.5, -1.0)):
        value = a * b if a > 0 and b > 1 else a**2 if a < -1 and b < 0 else 3 * a
        assert run({"x": a, "y": b})[0] == value + b
