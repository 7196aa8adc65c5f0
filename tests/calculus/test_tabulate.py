"""Values array by array: the same numbers as entry by entry, torch and mpmath as oracles, and work that is known before it is done."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy as sp
from flint import arb, ctx, fmpq

import symnet as sn
from symnet.calculus import derive
from symnet.calculus import evaluate as evaluating
from symnet.calculus.evaluate import evaluate
from symnet.calculus.tabulate import Plan, _times, two_factors
from symnet.core.derivation import Derivation
from symnet.core.numbers import as_ball, compute, to_flint
from symnet.core.program import Program
from symnet.errors import ShapeError
from symnet.networks.architectures import conv1d, deep_mlp, mlp, rnn


def values_for(program: Program, sizes: dict[str, int], seed: int = 0) -> dict[str, Any]:
    """Decimals of two digits for every input, inside its domain."""
    rng, env = np.random.default_rng(seed), {s: sizes[str(s)] for s in program.sizes}
    found = {}
    for t in program.inputs:
        shape = [int(n.xreplace(env)) for n in t.shape]
        drawn = rng.integers(0, int(t.classes or 2), size=shape) if t.domain == "index" else np.round(rng.normal(size=shape), 2)
        found[t.name] = (abs(drawn) + 0.5 if t.domain in ("positive", "nonnegative") else drawn).tolist()
    return found


def recurrent(kind: Any) -> Program:
    return sn.Sequential(kind(2, 2), sn.Linear(2, 1)).program(sn.MSELoss())


PROGRAMS: dict[str, tuple[Program, dict[str, int]]] = {
    "mlp": (mlp(), {"N": 3, "d": 4, "h": 5, "k": 3}),
    "conv1d, stride 2": (conv1d(stride=2), {"K": 3, "M": 4}),
    "rnn": (rnn(), {"T": 4, "d": 2, "m": 3}),
    "deep mlp": (deep_mlp(), {"d": 3, "L": 4}),
    "lstm": (recurrent(sn.LSTM), {"N": 2, "T": 3}),
    "gru": (recurrent(sn.GRU), {"N": 2, "T": 3}),
    "attention": (sn.Sequential(sn.MultiheadAttention(4, 2)).program(sn.MSELoss()), {"N": 2, "T": 3}),
    "batch norm": (sn.Sequential(sn.Linear(2, 3), sn.BatchNorm1d(3), sn.ReLU()).program(sn.MSELoss(), "N"), {"N": 4}),
    "maximum": (sn.program("L = sum(maximum(X, Y)**2 * X)", tensors={"X": ("n", "d"), "Y": ("n", "d")}), {"n": 2, "d": 3}),
    "inverse": (sn.program("M = A @ A.T + diag(exp(b))", "L = b @ inv(M) @ b + log(det(M))", tensors={"A": ("d", "d"), "b": ("d",)}), {"d": 3}),
    "cases": (sn.program("L = sum(where(x > y, x*exp(y), y**2))", tensors={"x": ("d",), "y": ("d",)}), {"d": 5}),
    "running sums": (sn.program("h[0] = s", "h[t] = a*h[t-1] + x[t]", "L = sum(h**2)", tensors={"x": ("T",), "h": ("0..T",), "a": (), "s": ()}), {"T": 4}),
    "class labels": (sn.Sequential(sn.Linear(2, 3)).program(sn.NLLLoss(), "N"), {"N": 3}),
}


def entry_by_entry(d: Derivation, values: dict[str, Any], sizes: dict[str, int], bits: int) -> dict[str, Any]:
    """Every scalar's number, from the program of scalars."""
    at = evaluate(d.full, values, sizes)
    with ctx.workprec(bits):
        known: dict[Any, Any] = {t[()]: to_flint(at.point[t.name]) for t in at.scalars.inputs}
        for line in at.scalars.definitions:
            known[line.entry] = compute(line.expr, known)
    return {str(e): v for e, v in known.items()}


@pytest.mark.parametrize("name", PROGRAMS)
def test_arrays_hold_the_numbers_that_entries_hold(name: str) -> None:
    program, sizes = PROGRAMS[name]
    d = derive(program)
    sizes = {str(s): sizes.get(str(s), 2) for s in d.full.sizes}
    values = values_for(d.program, sizes)
    wanted, at = entry_by_entry(d, values, sizes, 200), evaluate(d.full, values, sizes)
    assert set(wanted) == set(at.where)
    for scalar, number in wanted.items():
        found = at.number(scalar, 200)
        assert not isinstance(number, fmpq) or not isinstance(found, fmpq) or found == number, scalar
        with ctx.workprec(200):
            difference = as_ball(found) - as_ball(number)
            assert difference.contains(0) and difference.rad() < arb(2) ** -120, scalar


def test_matrix_products_are_taken_where_they_are_and_nowhere_else() -> None:
    n, k, j, t = sp.symbols("n k j t", integer=True)
    X, W, S, K = (sp.IndexedBase(s) for s in "XWSK")
    plan, scope = Plan(mlp(), {}), frozenset((n, j, t))
    (left, rows), (right, columns) = two_factors(sp.Sum(X[n, k] * W[k, j], (k, 1, K)), scope, plan) or ((0, 0), (0, 0))
    assert {(left, rows), (right, columns)} == {(X[n, k], (n,)), (W[k, j], (j,))}
    assert two_factors(sp.Sum(X[n, k] * S[n, k, j], (k, 1, 3)), scope, plan) is None, "n on both sides: no product of two matrices"
    assert two_factors(sp.Sum(X[n, k] * W[k, n], (k, 1, 3)), scope, plan) is None
    assert two_factors(sp.Sum(sp.exp(X[n, k]), (k, 1, 3)), scope, plan) is None
    assert two_factors(sp.Sum(X[n, k] * W[k, j], (k, 1, 3), (t, 1, 3)), scope, plan) is None


def test_a_matrix_product_keeps_what_is_exact() -> None:
    """Irrational entries beside zeros: where each product is rational, so is the sum, as it is in a short sum."""
    irrational, nan = arb.pi(), arb("nan")
    a = [[fmpq(1, 3), fmpq(0), fmpq(2)], [irrational, fmpq(1), fmpq(0)], [fmpq(1), fmpq(1), fmpq(1)], [nan, fmpq(0), fmpq(0)]]
    b = [[fmpq(3), fmpq(0)], [irrational, fmpq(1, 7)], [fmpq(1, 5), irrational]]
    made = _times(a, b)
    assert made[0][0] == fmpq(7, 5) and isinstance(made[0][0], fmpq)
    assert made[1][1] == fmpq(1, 7) and isinstance(made[1][1], fmpq)
    assert [isinstance(made[i][j], arb) for i, j in ((0, 1), (1, 0), (2, 0), (2, 1))] == [True] * 4
    assert made[2][0].overlaps(fmpq(16, 5) + irrational) and not made[3][1].is_finite()


@pytest.fixture(scope="module")
def handwriting() -> tuple[Derivation, dict[str, Any]]:
    """784-30-10 with sigmoids, as in Nielsen's book, two samples with many zero pixels."""
    d = derive(sn.Sequential(sn.Linear(784, 30), sn.Sigmoid(), sn.Linear(30, 10), sn.Sigmoid()).program(sn.MSELoss(), "N"))
    rng = np.random.default_rng(7)
    X = np.round(rng.random((2, 784)) * (rng.random((2, 784)) < 0.2), 2)
    values = {"X": X, "W1": np.round(rng.normal(size=(784, 30)), 2), "b1": np.round(rng.normal(size=30), 2),
              "W2": np.round(rng.normal(size=(30, 10)), 2), "b2": np.round(rng.normal(size=10), 2), "Y": np.eye(10)[[3, 5]]}
    return d, {name: v.tolist() for name, v in values.items()}


def test_784_30_10_agrees_with_torch(handwriting: tuple[Derivation, dict[str, Any]]) -> None:
    torch = pytest.importorskip("torch")
    d, values = handwriting
    at = d.at(values)
    there = {name: torch.tensor(v, dtype=torch.float64, requires_grad=name in d.wrt) for name, v in values.items()}
    a = torch.sigmoid(there["X"] @ there["W1"] + there["b1"])
    loss = ((torch.sigmoid(a @ there["W2"] + there["b2"]) - there["Y"]) ** 2).mean()
    loss.backward()
    assert float(at.decimal("L", 17)) == pytest.approx(loss.item(), rel=1e-13)
    for name in d.wrt:
        ours = np.array(at.decimal(d.gradient_name(name), 15), dtype=float)
        assert ours == pytest.approx(there[name].grad.numpy(), rel=1e-10, abs=1e-16), name


def test_784_30_10_agrees_with_mpmath_to_fifty_digits(handwriting: tuple[Derivation, dict[str, Any]]) -> None:
    d, values = handwriting
    at = d.at(values)
    with mpmath.workdps(60):
        M = {n: [[mpmath.mpf(str(x)) for x in row] for row in (v if isinstance(v[0], list) else [v])] for n, v in values.items()}
        total = mpmath.mpf(0)
        for x, y in zip(M["X"], M["Y"], strict=True):
            hidden = [1 / (1 + mpmath.exp(-(M["b1"][0][j] + mpmath.fsum(p * w[j] for p, w in zip(x, M["W1"], strict=True) if p)))) for j in range(30)]
            for k in range(10):
                z = M["b2"][0][k] + mpmath.fsum(h * w[k] for h, w in zip(hidden, M["W2"], strict=True))
                total += (1 / (1 + mpmath.exp(-z)) - y[k]) ** 2
        assert abs(mpmath.mpf(at.decimal("L", 50)) - total / 20) < mpmath.mpf(10) ** -49


def test_a_pixel_that_is_zero_everywhere_has_gradient_zero_exactly(handwriting: tuple[Derivation, dict[str, Any]]) -> None:
    d, values = handwriting
    dark = next(i for i in range(784) if values["X"][0][i] == values["X"][1][i] == 0)
    at = d.at(values)
    shown = [at.shown(at.entries.title("dL_dW1", (dark + 1, j)), 6) for j in range(1, 31)]
    assert {(s.text, s.exact) for s in shown} == {("0", True)}


def test_work_is_counted_before_it_is_done(monkeypatch: pytest.MonkeyPatch, handwriting: tuple[Derivation, dict[str, Any]]) -> None:
    d, values = handwriting
    work = evaluating.Plan(d.full, evaluate(d.full, values).entries.env).work()
    assert 4 * 23520 < work < 40 * 23520, "two samples, forward and backward"
    monkeypatch.setattr(evaluating, "MOST_WORK", 1000)
    with pytest.raises(ShapeError, match=r"exact values: about [\d,]+ operations; expected at most 1,000; try: fewer samples"):
        d.at(values)


def test_only_what_is_needed_is_computed() -> None:
    d = derive(mlp())
    at = evaluate(d.full, values_for(d.program, {"N": 2, "d": 3, "h": 4, "k": 2}), {})
    at.decimal("z1")
    assert set(at.numbers(88).done) == set(at.plan.block_of["z1"])


def nested_number(nested: Any) -> Iterator[Any]:
    if isinstance(nested, list):
        for inner in nested:
            yield from nested_number(inner)
    else:
        yield nested


def test_a_six_by_six_inverse_agrees_with_numpy() -> None:
    d = derive(sn.program("A = tanh(W)", "L = sum(inv(A) @ b)", tensors={"W": ("d", "d"), "b": ("d",)}))
    rng = np.random.default_rng(0)
    W, b = np.round(rng.normal(size=(6, 6)), 2), np.arange(1.0, 7.0)
    at = d.at({"W": W.tolist(), "b": b.tolist()})
    inverse = np.linalg.inv(np.tanh(W))
    assert float(at.decimal("L", 15)) == pytest.approx(float((inverse @ b).sum()), rel=1e-9)
    wanted = -np.outer(inverse.sum(axis=0), inverse @ b) * (1 - np.tanh(W) ** 2)
    assert np.array(at.decimal("dL_dW", 15), dtype=float) == pytest.approx(wanted, rel=1e-8)


@pytest.fixture(scope="module")
def unrolled() -> Any:
    """A recurrent network over five steps: exact values of the gradient have about 65,000 characters each."""
    d = derive(sn.Sequential(sn.RNN(2, 2)).program(sn.MSELoss()))
    return d.at(values_for(d.program, {"N": 1, "T": 5}), {})


def test_long_exact_values_are_numbers_that_print(unrolled: Any) -> None:
    exact = unrolled.exact("dL_dW1_ih")
    assert 200_000 < len(str(exact)) < 320_000
    value = next(nested_number(exact))
    with mpmath.workdps(40):
        assert abs(mpmath.mpf(str(value.evalf(30))) - mpmath.mpf(unrolled.decimal("dL_dW1_ih", 35)[0][0])) < mpmath.mpf(10) ** -29
    assert value.doit().free_symbols == set()


def test_what_would_be_too_long_is_said_before_it_is_written() -> None:
    d = derive(sn.Sequential(sn.RNN(2, 2)).program(sn.MSELoss()))
    at = d.at(values_for(d.program, {"N": 1, "T": 8}), {})
    with pytest.raises(ShapeError, match=r"exact value of dL_dW1_ih: about [\d,]+ characters; expected at most 100,000; try: decimal"):
        at.exact("dL_dW1_ih")
    assert len(at.decimal("dL_dW1_ih", 40)[0][0]) > 40


def test_exact_lines_are_the_value_in_named_parts(unrolled: Any) -> None:
    made = unrolled.exact_lines("dL_dW1_ih")
    assert sum(len(str(e)) for e in made.values()) < 20_000, "65,000 characters a value, written out"
    known: dict[str, Any] = {}
    with mpmath.workdps(45):
        for name, expr in made.items():
            used = {s: known[s.name] for s in expr.free_symbols}  # KeyError if a name stood after its use
            known[name] = mpmath.mpmathify(sp.N(expr.subs({s: sp.Float(str(v), 45) for s, v in used.items()}), 45))
        for row, shown in zip((1, 2), unrolled.decimal("dL_dW1_ih", 30), strict=True):
            for column, text in zip((1, 2), shown, strict=True):
                assert abs(known[f"dL_dW1_ih_{row}_{column}"] - mpmath.mpf(text)) < mpmath.mpf(10) ** -27
