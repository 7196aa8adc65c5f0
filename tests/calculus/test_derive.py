"""Derivations as they read: BP1-BP4, BPTT, the softmax cancellation and the gradients of a convolution, line by line."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import sympy as sp

import symnet as sn
from symnet.calculus import derive
from symnet.core.derivation import Derivation, Rule
from symnet.core.expressions import limits
from symnet.core.program import Program, define
from symnet.core.tensors import Tensor, scalar
from symnet.core.text import definition_text
from symnet.errors import NameError_, ShapeError, UnknownNodeError
from symnet.networks.architectures import conv1d, deep_mlp, mlp, rnn, unrolled_mlp


def shown(d: Derivation) -> list[str]:
    """Every step as text."""
    return [definition_text(s.definition, d.full.tensors) for s in d.steps]


def line(d: Derivation, name: str) -> str:
    """The gradient of ``name`` as text."""
    found, = (definition_text(s.definition, d.full.tensors) for s in d.steps if s.of.name == name)
    return found


def test_backpropagation_for_a_symbolic_number_of_layers() -> None:
    """Nielsen 2015, chapter 2: BP1 to BP4."""
    d = derive(deep_mlp())
    assert shown(d) == [
        "dC_da[L, i] = a[L, i] - y[i]",                                           # BP1: δ at the last layer
        "dC_da[l, i] = sum(dC_dz[l + 1, j]*W[l + 1, j, i] for j in 1..d)",         # BP2: from layer l + 1 to l
        "dC_dz[l, i] = dC_da[l, i]*a[l, i]*(1 - a[l, i])",
        "dC_dW[l, i, j] = dC_dz[l, i]*a[l - 1, j]",                               # BP4
        "dC_db[l, i] = dC_dz[l, i]",                                              # BP3
    ]
    assert [s.rule for s in d.steps] == [Rule.BOUNDARY, Rule.RECURRENCE, Rule.ELEMENTWISE, Rule.LINEAR, Rule.LINEAR]


def test_the_depth_costs_nothing_and_the_ranges_meet() -> None:
    d = derive(deep_mlp())
    last, rest = (s.definition for s in d.steps if s.of.name == "a")
    deep = sp.Symbol("L", integer=True, positive=True)
    assert last.slice()[0] == (deep, deep)
    assert rest.slice()[0] == (0, deep - 1)


def test_backpropagation_through_time() -> None:
    assert shown(derive(rnn())) == [
        "dL_dh[T, i] = h[T, i] - y[T, i]",
        "dL_dh[t, i] = sum(dL_dz[t + 1, k]*V[k, i] for k in 1..m) + h[t, i] - y[t, i]",
        "dL_dh[0, i] = sum(dL_dz[1, k]*V[k, i] for k in 1..m)",
        "dL_dz[t, i] = dL_dh[t, i]*(1 - h[t, i]**2)",
        "dL_dU[i, j] = sum(dL_dz[t, i]*x[t, j] for t in 1..T)",
        "dL_dV[i, k] = sum(dL_dz[t, i]*h[t - 1, k] for t in 1..T)",
        "dL_db[i] = sum(dL_dz[t, i] for t in 1..T)",
    ]


def test_softmax_with_cross_entropy_keeps_the_sum_of_the_target() -> None:
    step = next(s for s in derive(mlp()).steps if s.of.name == "z2")
    assert definition_text(step.definition) == "dL_dz2[n, u] = (p[n, u]*sum(Y[n, u1] for u1 in 1..k) - Y[n, u])/N"
    assert step.rule is Rule.SUBSTITUTED
    assert step.inlined == ("dL_dp",)
    assert step.assumptions == ()


def test_p_minus_y_only_where_the_shares_are_declared_to_add_up_to_one() -> None:
    program = mlp(normalized=True)
    step = next(s for s in derive(program).steps if s.of.name == "z2")
    assert definition_text(step.definition) == "dL_dz2[n, u] = (p[n, u] - Y[n, u])/N"
    assert step.assumptions == program.assumptions
    assert any(c.startswith("declared: ") for c in step.conditions)


def test_the_step_that_was_put_in_is_shown_but_not_computed() -> None:
    d = derive(mlp())
    first = d.steps[0]
    assert definition_text(first.definition) == "dL_dp[n, u] = -Y[n, u]/(N*p[n, u])"
    assert not first.live
    assert "dL_dp" not in d.full.tensors


def test_sigmoid_with_binary_cross_entropy_cancels_without_any_assumption() -> None:
    d = derive(sn.Sequential(sn.Linear("d", "h"), sn.Sigmoid()).program(sn.BCELoss()))
    assert line(d, "z1") == "dL_dz1[n, j] = (a1[n, j] - Y[n, j])/(N*h)"


CONVOLUTIONS: dict[str, tuple[Callable[[], Program], str, str]] = {
    "stride 1": (conv1d, "dL_dw1[p] = sum(dL_dz1[i]*x[i + p - 1] for i in 1..M)",
                 "dL_dx[j] = sum([1 <= j - p + 1 <= M]*dL_dz1[j - p + 1]*w1[p] for p in 1..K)"),
    "stride 2": (lambda: conv1d(stride=2), "dL_dw1[p] = sum(dL_dz1[i]*x[2*i + p - 2] for i in 1..M)",
                 "dL_dx[j] = sum([1 <= j - 2*i + 2 <= K]*dL_dz1[i]*w1[j - 2*i + 2] for i in 1..M)"),
}


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_kernel_and_input_gradients_of_a_convolution(name: str) -> None:
    make, kernel, inputs = CONVOLUTIONS[name]
    d = derive(make(), ["w1", "x", "b1"])
    assert line(d, "w1") == kernel
    assert line(d, "x") == inputs
    assert line(d, "b1") == "dL_db1 = sum(dL_dz1[i] for i in 1..M)"


def test_a_two_layer_network_reads_like_the_textbook() -> None:
    assert shown(derive(mlp()))[2:] == [
        "dL_dW2[j, u] = sum(dL_dz2[n, u]*a1[n, j] for n in 1..N)",
        "dL_db2[u] = sum(dL_dz2[n, u] for n in 1..N)",
        "dL_da1[n, j] = sum(dL_dz2[n, u]*W2[j, u] for u in 1..k)",
        "dL_dz1[n, j] = dL_da1[n, j]*(1 - a1[n, j]**2)",
        "dL_dW1[i, j] = sum(dL_dz1[n, j]*X[n, i] for n in 1..N)",
        "dL_db1[j] = sum(dL_dz1[n, j] for n in 1..N)",
    ]


def test_no_kronecker_delta_is_ever_made() -> None:
    for program in (mlp(), deep_mlp(), rnn(), conv1d(stride=2)):
        d = derive(program, [t.name for t in program.inputs])
        assert not any(x.expr.has(sp.KroneckerDelta, sp.Derivative) for x in d.full)


def test_a_bound_index_is_not_captured() -> None:
    """SymPy's own derivative of Σ_a Z[n,a]² in Z[n,a] takes the bound a for the free one."""
    n, a = sp.symbols("n a", integer=True)
    z = Tensor("Z", (sn.Axis.of("N"), sn.Axis.of("c")))
    c = z.axes[1].size
    row, loss = Tensor("r", z.axes[:1]), Tensor("L")
    program = Program((z,), (define(row, n, expr=sp.Sum(z[n, a] ** 2, (a, 1, c))),
                             define(loss, expr=sp.Sum(row[n] ** 2, (n, 1, z.axes[0].size)))))
    d = derive(program, ["Z"])
    assert line(d, "Z") == "dL_dZ[n, a] = 2*dL_dr[n]*Z[n, a]"
    assert all(s.check() for s in d.steps)
    sympys_own = sp.Sum(z[n, a] ** 2, (a, 1, c)).diff(z[n, a])
    assert sympys_own != 2 * z[n, a], "the trap is still there; the rooms must not use Sum.diff"


def test_free_and_bound_indices_stay_apart_in_every_gradient() -> None:
    d = derive(sn.program("L = sum(A.T @ A @ A)", tensors={"A": ("d", "d")}))
    step, = d.steps
    for node in step.expression.atoms(sp.Sum):
        assert not {i for i, _, _ in limits(node)} & set(step.definition.indices)


@pytest.mark.parametrize("node", [sp.gamma, sp.Function("f"), sp.zeta], ids=["gamma", "unknown function", "zeta"])
def test_a_node_without_a_rule_raises(node: Callable[[sp.Expr], sp.Expr]) -> None:
    w = scalar("w")
    with pytest.raises(UnknownNodeError, match=f"no rule for {node(w[()]).func.__name__}"):
        derive(Program((w,), (define(Tensor("L"), expr=node(w[()]) + w[()]),)))


def test_a_node_without_a_rule_off_the_path_does_no_harm() -> None:
    w, c = scalar("w"), scalar("c")
    d = derive(Program((w, c), (define(Tensor("L"), expr=sp.gamma(c[()]) * w[()] ** 2),)), ["w"])
    assert d.gradients["w"].expr == 2 * w[()] * sp.gamma(c[()])


def test_what_the_objective_does_not_use_has_gradient_zero_by_a_rule() -> None:
    d = derive(sn.program("u = v**2", "L = w**2", tensors={"v": (), "w": (), "x": ("d",)}), ["v", "u", "x", "w", "L"])
    for name in ("v", "u", "x"):
        assert d.gradients[name].expr == 0
        assert next(s for s in d.steps if s.of.name == name).rule is Rule.ABSENT
    assert d.gradients["L"].expr == 1
    assert str(d.gradients["w"]) == "dL_dw = 2*w"


def test_gradients_have_the_shape_of_the_variable() -> None:
    for program in (mlp(), deep_mlp(), rnn(), conv1d()):
        d = derive(program, list(program.tensors))
        for name in d.wrt:
            assert d.gradients[name].shape == program[name].shape


def test_parameters_are_the_default_and_else_the_inputs() -> None:
    assert derive(mlp()).wrt == ("W1", "b1", "W2", "b2")
    assert set(derive(sn.program("L = (w*x - 1)**2")).wrt) == {"w", "x"}


def test_a_gradient_finds_another_name_when_its_own_is_taken() -> None:
    d = derive(sn.program("dL_dw = 3*w", "L = dL_dw**2"), ["w"])
    assert d.gradient_name("w") == "dL_dw_"
    assert d.at({"w": 1}).exact("dL_dw_") == 18


@pytest.mark.parametrize(("wrt", "phrase"), [(["W3"], "did you mean 'W[12]'"), (["Q"], "no symbol or definition named 'Q'")])
def test_an_unknown_name_is_refused(wrt: list[str], phrase: str) -> None:
    with pytest.raises(NameError_, match=phrase):
        derive(mlp(), wrt)


def test_an_objective_with_axes_is_refused() -> None:
    with pytest.raises(ShapeError, match="expected a scalar; try: sum or average it"):
        derive(sn.Sequential(sn.Linear("d", "h")).program())


def test_every_layer_adds_the_same_number_of_steps() -> None:
    """Linear growth, counted and not timed: intermediates stay named, so lines do not swell."""
    made = [derive(unrolled_mlp(2, depth)) for depth in (2, 4, 8)]
    counts = [len(d.steps) for d in made]
    assert counts[1] - counts[0] == 8
    assert counts[2] - counts[1] == 16
    longest = [max(sp.count_ops(x.expr) for x in d.full) for d in made]
    assert len(set(longest)) == 1, "the longest line does not depend on the depth"


def test_steps_know_what_they_use_and_where_they_belong() -> None:
    d = derive(mlp())
    assert [s.number for s in d.steps] == list(range(1, len(d.steps) + 1))
    seen = set(d.program.tensors)
    for step in d.steps:
        assert set(step.uses) <= seen, "a step uses only what stands above it"
        assert step.derivation is d
        assert step.contributions
        seen.add(step.target.name)


def test_a_line_of_a_recurrence_that_is_used_above_where_it_stands() -> None:
    """h uses g, which stands below it and does not use h: the gradient of g is named after that of h."""
    d = sn.derive(sn.program("h[1] = a", "g[1] = a", "h[t] = h[t-1] + g[t-1] for t in 2..n", "g[t] = x[t] for t in 2..n", "L = sum(h)",
                             tensors={"a": (), "x": ("n",), "h": ("n",), "g": ("n",)}), wrt=["a", "x"])
    value, grads = d.compile()({"a": 2.0}, x=np.array([1.0, 2.0, 3.0]))
    assert value == 12 and grads["a"] == 5 and grads["x"].tolist() == [0, 1, 0]
