"""The chain rule on programs nobody chose: random scalars, random index expressions, and the terms of one use."""

from __future__ import annotations

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

import symnet as sn
from symnet.calculus import derive
from symnet.calculus.chain import flat_indices, terms_of
from symnet.calculus.occurrences import local_derivative, occurrences, show_exp
from symnet.core import functions as fn
from symnet.core.axes import Axis, Kind, index
from symnet.core.derivation import Derivation
from symnet.core.expressions import When
from symnet.core.program import define
from symnet.core.tensors import Tensor
from symnet.errors import UnknownNodeError

LAW = settings(max_examples=60, deadline=None, derandomize=True)
FEWER = settings(max_examples=15, deadline=None, derandomize=True)
i, j = index("i"), index("j")
a, b, c = sp.symbols("a b c", real=True)
x, y = sp.IndexedBase("x", real=True), sp.IndexedBase("y", real=True)

UNARY = ["tanh({})", "sigmoid({})", "exp(-{}**2)", "sin({})", "cos({})", "softplus({})", "arctan({})", "erf({})", "relu({})",
         "abs({})", "1/({}**2 + 1)", "sqrt({}**2 + 2)", "log({}**2 + 3)", "leaky_relu({}, 1/7)", "({})**3", "-{}"]
BINARY = ["{} + {}", "{} - {}", "{}*{}", "{}/({}**2 + 1)", "maximum({}, {})", "minimum({}, {})", "({} if {} > 0.1 else 2)",
          "({}**2 + 1)**{}"]


@st.composite
def scalar_programs(draw: st.DrawFn) -> list[str]:
    """Lines v1, v2, …; each applies one form to two earlier names."""
    names, lines = ["a", "b", "c"], []
    for k in range(draw(st.integers(2, 6))):
        form = draw(st.sampled_from(UNARY + BINARY))
        pick = [draw(st.sampled_from(names)) for _ in range(form.count("{}"))]
        lines.append(f"v{k} = {form.format(*pick)}")
        names.append(f"v{k}")
    return [*lines, f"L = {names[-1]}*{draw(st.sampled_from(names))} + 2*{draw(st.sampled_from(names))}"]


def assert_checks(d: Derivation) -> None:
    for step in d.steps:
        found = step.check()
        assert found, f"{step.definition}: {found.reason}"


def assert_compiles(d: Derivation) -> None:
    """The compiled gradients are those of the exact evaluation: brackets mask, strides divide, no slice is cut short."""
    rng = np.random.default_rng(1)
    arrays = {t.name: np.round(rng.normal(size=[int(n) for n in t.shape]), 3) for t in d.program.inputs}
    at = d.at({name: array.tolist() for name, array in arrays.items()})
    _, gradients = d.compile()(arrays)
    for name in d.wrt:
        exact = np.array(at.decimal(d.gradient_name(name), 17), dtype=float)
        assert gradients[name].shape == exact.shape
        assert np.allclose(gradients[name], exact, rtol=1e-10, atol=1e-10), name


@LAW
@given(scalar_programs())
def test_any_scalar_program_is_differentiated_rightly(lines: list[str]) -> None:
    program = sn.program(*lines)
    assert_checks(derive(program, [t.name for t in program.inputs]))


PLACES = ["i", "j", "i + 1", "i + j - 1", "2*i", "2*i - 1", "i + 2*j - 2", "5 - i", "1", "4", "3*j", "6 - i", "2*i + 2*j - 3"]


@FEWER
@given(st.tuples(*[st.sampled_from(PLACES)] * 3), st.sampled_from(["x[{}]*x[{}]*y[{}]", "tanh(x[{}] + y[{}])*x[{}]",
                                                                      "x[{}]**2*(y[{}] - x[{}])"]))
def test_any_affine_index_is_differentiated_rightly(places: tuple[str, str, str], form: str) -> None:
    body = form.format(*places)
    program = sn.program(f"L = sum({body} for i in 1..4 for j in 1..3)", tensors={"x": (12,), "y": (12,)})
    d = derive(program, ["x", "y"])
    assert_checks(d)
    assert_compiles(d)


@FEWER
@given(st.tuples(*[st.sampled_from(["i", "j", "k", "i + j - 1", "4 - i", "2*j - 1", "2"])] * 4))
def test_any_use_of_a_matrix_is_differentiated_rightly(places: tuple[str, str, str, str]) -> None:
    p, q, r, s = places
    program = sn.program(f"u[i, k] = sum(A[{p}, {q}]*B[{r}, {s}] for j in 1..3)", "L = sum(u**2)",
                         tensors={"A": (6, 5), "B": (5, 6), "u": (3, 2)})
    d = derive(program, ["A", "B"])
    assert_checks(d)
    assert_compiles(d)


@pytest.mark.parametrize(("first", "step"), [
    (["h[0] = 2*w"], "tanh(h[t - 1] + x[t])"), (["h[0] = w**2"], "h[t - 1]**2*w + x[t]"),
    (["h[0] = 2*w", "h[1] = w**2"], "tanh(h[t - 1] + w*h[t - 2] + x[t])"), (["h[0] = x[2]", "h[1] = w*h[0]"], "h[t - 2]*w + x[t]"),
], ids=["one back", "one back, squared", "one and two back", "two back"])
def test_recurrences_that_look_one_or_two_steps_back(first: list[str], step: str) -> None:
    axis, later = Axis.between(0, 6, Kind.TIME), Axis.between(len(first), 6, Kind.TIME)
    program = sn.program(*first, f"h[t] = {step}", "L = sum(h[t]**2 for t in 0..6)",
                         tensors={"h": Tensor("h", (axis,)), "w": (), "x": Tensor("x", (later,))})
    assert_checks(derive(program, ["w", "x"]))


# One use at a time.

def local(expr: sp.Expr, name: str) -> dict[str, sp.Expr]:
    return {str(o.entry): o.factor for o in occurrences(expr, frozenset({name}))}


def test_each_use_has_its_own_derivative() -> None:
    found = local(x[i] * x[j] * b + x[i] ** 2, "x")
    assert found == {"x[i]": b * x[j] + 2 * x[i], "x[j]": b * x[i]}


def test_uses_under_a_sum_and_outside_it_are_kept_apart() -> None:
    found = occurrences(x[i] + sp.Sum(x[j] * y[j], (j, 1, 3)), frozenset({"x"}))
    assert sorted(len(o.sums) for o in found) == [0, 1]
    inner = next(o for o in found if o.sums)
    assert inner.factor == y[inner.sums[0][0]], "the factor is written with the same fresh index as the use"
    assert inner.sums[0][0] not in (i, j)


def test_a_bracket_and_a_case_pass_the_factor_on_where_they_hold() -> None:
    use, = occurrences(When(a * x[i], sp.Ge(i, 2)), frozenset({"x"}))
    assert (use.factor, use.conditions) == (a, (sp.Ge(i, 2),))
    found = local(sp.Piecewise((a * b, c > 0), (a**2, True)), "a")
    factor = found["a"]
    assert factor.xreplace({c: sp.Integer(1)}) == b
    assert factor.xreplace({c: sp.Integer(-1)}) == 2 * a


@pytest.mark.parametrize(("node", "k", "wanted"), [
    (a + b, 0, 1), (a * b * c, 1, a * c), (a**3, 0, 3 * a**2), (fn.relu(a), 0, fn.step(a)), (sp.exp(a), 0, sp.exp(a)),
    (sp.Pow(2, a), 1, 2**a * sp.log(2)), (sp.log(a), 0, 1 / a), (sp.tanh(a), 0, 1 - sp.tanh(a)**2),
], ids=str)
def test_local_derivatives(node: sp.Expr, k: int, wanted: object) -> None:
    assert show_exp(local_derivative(node, k)) == wanted


@pytest.mark.parametrize("node", [sp.gamma(a), sp.Function("f")(a), sp.Derivative(sp.Function("f")(a), a)], ids=str)
def test_an_unknown_node_raises(node: sp.Expr) -> None:
    with pytest.raises(UnknownNodeError, match="no rule for"):
        local_derivative(node, 0)


def test_the_terms_of_a_linear_map() -> None:
    rows, ins, outs = Axis.of("N"), Axis.of("d"), Axis.of("h")
    X, W, Z = Tensor("X", (rows, ins)), Tensor("W", (ins, outs)), Tensor("Z", (rows, outs))
    n, k = index("n"), index("k")
    line = define(Z, n, k, expr=sp.Sum(X[n, i] * W[i, k], (i, *ins.range)))
    alphas = {t.name: tuple(sp.Dummy(f"α{m}", integer=True) for m in range(2)) for t in (X, W)}
    upstream = Tensor("G", Z.axes, of="Z", objective="L")
    found = dict(terms_of(line, frozenset({"X", "W"}), {"X": X, "W": W, "Z": Z}, alphas, upstream))
    p, q = alphas["W"]
    (row,) = [s[0] for s in found["W"].sums]
    assert found["W"].upstream == upstream[row, q]
    assert found["W"].local == X[row, p]
    assert found["X"].sums[0][1:] == outs.range
    assert all(t.conditions == () for t in found.values())


def test_indices_are_multiplied_out() -> None:
    assert flat_indices(x[2 * (i + 1) - 2] + y[(i - 1) + 1]) == x[2 * i] + y[i]
