"""Closed forms: in the inputs alone, and of the same value as the line they close."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import sympy as sp

import symnet as sn
from symnet.calculus import derive
from symnet.calculus.closed import Closing, closed_length
from symnet.calculus.evaluate import evaluate
from symnet.core.derivation import Derivation
from symnet.core.expressions import entries, limits
from symnet.core.length import length, parts
from symnet.core.program import Definition, Program
from symnet.core.tensors import tensor_name
from symnet.core.text import text
from symnet.errors import NameError_, ShapeError
from symnet.networks.architectures import conv1d, deep_mlp, mlp, rnn

NETS: dict[str, tuple[Program, dict[str, int]]] = {
    "mlp": (mlp(), {"N": 2, "d": 1, "h": 3, "k": 2}),
    "mlp, same sizes": (mlp("d", "d", "d"), {"N": 3, "d": 2}),
    "conv1d": (conv1d(), {"K": 2, "M": 3}),
    "conv1d, stride 2": (conv1d(stride=2), {"K": 3, "M": 2}),
    "binary cross-entropy": (sn.Sequential(sn.Linear("d", "h"), sn.Sigmoid()).program(sn.BCELoss()), {"N": 2, "d": 3, "h": 1}),
    "relu": (sn.Sequential(sn.Linear("d", "h"), sn.ReLU(), sn.Linear("h", "k")).program(sn.MSELoss()),
             {"N": 2, "d": 3, "h": 4, "k": 1}),
    "four layers": (sn.Sequential(*[layer for k in range(4) for layer in (sn.Linear(f"d{k}", f"d{k + 1}"), sn.Tanh())]).program(sn.MSELoss()),
                   {"N": 2, **{f"d{k}": 1 + k % 2 for k in range(5)}}),
    "softmax twice": (sn.Sequential(sn.Linear("d", "h"), sn.Softmax(), sn.Linear("h", "k"), sn.Softmax()).program(sn.MSELoss()),
                      {"N": 2, "d": 2, "h": 3, "k": 2}),
    "layer norm": (sn.Sequential(sn.Linear("d", "h"), sn.LayerNorm("h")).program(sn.MSELoss()), {"N": 2, "d": 2, "h": 3}),
    "inverse": (sn.program("M = A @ A.T + diag(exp(b))", "L = b @ inv(M) @ b", tensors={"A": ("d", "d"), "b": ("d",)}), {"d": 3}),
    "quadratic": (sn.program("u = A @ x", "v = A @ u", "L = sum(v**2)", tensors={"A": ("d", "d"), "x": ("d",)}), {"d": 3}),
}


def closed_line(d: Derivation, name: str) -> Definition:
    """The gradient's line with its closed form on the right."""
    line = d.gradients[name].definitions[0]
    return Definition(line.target, line.indices, d.closed_form(name), line.ranges)


def point(program: Program, sizes: dict[str, int]) -> dict[str, Any]:
    """Different rationals for all inputs; positive, below 1."""
    env = {s: sp.Integer(sizes[str(s)]) for s in program.sizes}
    numbers = iter(range(1, 500))
    return {t.name: nested([int(n.xreplace(env)) for n in t.shape], numbers) for t in program.inputs}


def nested(shape: list[int], numbers: Iterator[int]) -> Any:
    return f"{next(numbers) * 7 % 101}/101" if not shape else [nested(shape[1:], numbers) for _ in range(shape[0])]


@pytest.mark.parametrize("name", NETS)
def test_a_closed_form_has_the_value_of_its_line(name: str) -> None:
    program, sizes = NETS[name]
    d = derive(program)
    values = point(program, sizes)
    at = evaluate(d.full, values, sizes)
    inputs = {t.name for t in program.inputs}
    for wrt in d.wrt:
        line = closed_line(d, wrt)
        assert {tensor_name(e) for e in entries(line.expr)} <= inputs, "in the inputs alone"
        alone = Program(program.inputs, (line,))
        used = evaluate(alone, values, {k: v for k, v in sizes.items() if k in map(str, alone.sizes)})
        assert used.decimal(line.name, 25) == at.decimal(line.name, 25), wrt


@pytest.mark.parametrize("name", NETS)
def test_bound_indices_of_a_closed_form_do_not_collide(name: str) -> None:
    d = derive(NETS[name][0])
    for wrt in d.wrt:
        line = closed_line(d, wrt)
        stack: list[tuple[sp.Basic, frozenset[sp.Basic]]] = [(line.expr, frozenset(line.free))]
        while stack:
            node, taken = stack.pop()
            if isinstance(node, sp.Sum):
                own = [i for i, _, _ in limits(node)]
                assert not set(own) & taken
                taken |= set(own)
            stack += [(arg, taken) for arg in node.args]


def test_the_first_example_in_closed_form() -> None:
    d = sn.load("first")
    a2 = "sigmoid(w2*sigmoid(w1*x + b1) + b2)"
    assert text(d.closed_form("L")) == f"({a2} - y)**2"
    assert text(d.closed_form("a2")) == f"2*({a2} - y)", "a name means its gradient wherever there is one"
    assert text(d.closed_form("b2")) == f"2*({a2} - y)*(1 - {a2})*{a2}"
    assert set(map(str, d.closed_form("w1").free_symbols)) == {"x", "w1", "b1", "w2", "b2", "y"}


def test_a_value_has_a_closed_form_too() -> None:
    d = derive(sn.program("u = w*x", "v = u**2", "L = v + u"), ["w"])
    assert text(d.closed_form("L")) in ("w**2*x**2 + w*x", "(w*x)**2 + w*x")


def test_instantiated_recurrences_close() -> None:
    d = derive(deep_mlp()).instantiate({"d": 1, "L": 2})
    made = d.closed_form("W_1_1_1")
    assert set(map(str, made.free_symbols)) == {"x_1", "y_1", "W_1_1_1", "W_2_1_1", "b_1_1", "b_2_1"}
    values = {str(s): f"{k}/7" for k, s in enumerate(sorted(made.free_symbols, key=str), start=1)}
    alone = Program(d.program.inputs, (Definition(d.full[d.gradient_name("W_1_1_1")], (), made),))
    assert evaluate(alone, values).decimal("dC_dW_1_1_1", 30) == d.at(values).decimal("dC_dW_1_1_1", 30)


@pytest.mark.parametrize("program", [rnn(), deep_mlp()], ids=["rnn", "deep mlp"])
def test_a_symbolic_recurrence_has_none(program: Program) -> None:
    d = derive(program)
    with pytest.raises(ShapeError, match=r"is defined in slices along an axis.*instantiate\(sizes\) first"):
        d.closed_form("b")


def test_an_input_or_an_unknown_name_is_refused() -> None:
    d = derive(mlp(), ["W1"])
    with pytest.raises(NameError_, match="closed form of X: an input"):
        d.closed_form("X")
    with pytest.raises(NameError_, match="no tensor named 'Q'"):
        d.closed_form("Q")


def test_a_transformer_layer_closes_and_keeps_its_value() -> None:
    d = sn.load("transformer")
    sizes = {str(s): 2 for s in d.full.sizes}
    values = point(d.program, sizes)
    at = evaluate(d.full, values, sizes)
    for wrt in ("W1_v", "gamma2", "W3"):
        line = closed_line(d, wrt)
        alone = Program(d.program.inputs, (line,))
        used = evaluate(alone, values, {k: v for k, v in sizes.items() if k in map(str, alone.sizes)})
        assert used.decimal(line.name, 20) == at.decimal(line.name, 20), wrt


@pytest.mark.parametrize("name", NETS)
def test_the_length_is_known_before_the_work(name: str) -> None:
    d = derive(NETS[name][0])
    for wrt in d.wrt:
        assert 0.6 * len(made := text(d.closed_form(wrt))) < closed_length(d, wrt) < 1.7 * len(made) + 40


def dense(depth: int) -> Derivation:
    return derive(sn.Sequential(*[layer for _ in range(depth) for layer in (sn.Linear("d", "d"), sn.Sigmoid())]).program(sn.MSELoss()))


def test_a_closed_form_shares_its_parts() -> None:
    """A sigmoid layer uses its value twice backward: parts and text grow with the square of the depth, and no faster."""
    short, long = dense(10).closed_form("W1"), dense(20).closed_form("W1")
    assert parts(long) < 5 * parts(short) < 5000
    assert length(long) < 6 * length(short)
    assert abs(len(text(long)) / length(long) - 1) < 0.3


def test_what_is_too_long_is_refused_before_anything_is_put_in(monkeypatch: pytest.MonkeyPatch) -> None:
    layers = [layer for _ in range(4) for layer in (sn.Linear("d", "d"), sn.LayerNorm("d"))]
    d = derive(sn.Sequential(*layers).program(sn.MSELoss()))
    monkeypatch.setattr(Closing, "expression", lambda *_: pytest.fail("work was done"))
    with pytest.raises(ShapeError, match=r"closed form of dL_dW1: about [\d,]{9,} characters; expected at most 1,000,000; try: gradients"):
        d.closed_form("W1")
    assert closed_length(d, "W1") > 1_000_000
