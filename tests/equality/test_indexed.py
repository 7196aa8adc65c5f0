"""Identities of tensors of any size: proved when true, never proved when the wiring of one index, a range or a factor is off."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sympy as sp

import symnet as sn
from symnet.core.axes import index, size
from symnet.core.expressions import When
from symnet.core.program import Assumption
from symnet.core.tensors import Tensor
from symnet.core.verdict import Answer, Verdict
from symnet.equality.sums.all_sizes import prove_for_all_sizes
from symnet.parsing.program import expression, with_assumptions

POSITIVE = {n: Tensor(n, domain="positive") for n in ("c", "t")}
SHAPES: dict[str, tuple[str, ...]] = {
    "X": ("n", "d"), "Y": ("n", "k"), "W": ("d", "k"), "A": ("n", "n"), "B": ("d", "d"), "C": ("n", "n"), "D": ("d", "d"), "x": ("n",),
    "u": ("n",), "w": ("d",), "z": ("k",), "s": ()}
PROGRAM = sn.program("L = 1", tensors={**SHAPES, **POSITIVE})


def prove(left: str, right: str, *assumed: str) -> Verdict:
    a, b = (expression(t, PROGRAM.tensors) for t in (left, right))
    ranges = {i: axis.range for i, axis in zip(a.indices, a.axes, strict=True)}
    assert [x.size for x in a.axes] == [x.size for x in b.axes]
    return prove_for_all_sizes(a.expr, b.at(*a.indices), ranges, with_assumptions(replace(PROGRAM, assumptions=()), assumed).assumptions)


TRUE = {
    "multiplied out": ("X.T @ (X @ w - x)", "X.T @ X @ w - X.T @ x"),
    "products associate": ("(A @ C) @ (X @ W)", "A @ ((C @ X) @ W)"),
    "a transposed product": ("(A @ C @ X).T", "X.T @ C.T @ A.T"),
    "the trace turns round": ("trace(A @ C @ X @ X.T)", "trace(X @ X.T @ A @ C)"),
    "a square of a sum": ("sum(X)**2", "sum(outer(sum(X, axis=1), sum(X, axis=1)))"),
    "a cube of a sum": ("sum(x)**3", "sum(x)*sum(outer(x, x))"),
    "a mean is subtracted": ("sum((x - mean(x))**2)", "x @ x - n*mean(x)**2"),
    "the centring matrix": ("(eye(n) - 1/n) @ X", "X - mean(X, axis=0)"),
    "deviations add up to 0": ("sum(x - mean(x))*u", "0*u"),
    "a sum of ones is a size": ("sum(x*0 + 1)*u", "n*u"),
    "unit vectors": ("eye(n) @ x", "x"),
    "a diagonal": ("diag(x) @ A @ diag(u)", "outer(x, u)*A"),
    "Kronecker of products": ("kron(A, B) @ kron(C, D)", "kron(A @ C, B @ D)"),
    "softmax adds up to 1": ("sum(softmax(z))", "1"),
    "softmax Jacobian's rows add up to 0": ("(diag(softmax(z)) - outer(softmax(z), softmax(z))) @ (z*0 + 1)", "0*z"),
    "softmax of a shifted vector": ("softmax(z + s)", "softmax(z)"),
    "softmax with the largest taken off": ("exp(z - s)/sum(exp(z - s))", "exp(z)/sum(exp(z))"),
    "sigmoid of minus": ("sigmoid(-z)", "1 - sigmoid(z)"),
    "slope of a sigmoid": ("sigmoid(z)*(1 - sigmoid(z))", "exp(-z)/(1 + exp(-z))**2"),
    "tanh by sigmoid": ("tanh(z)", "2*sigmoid(2*z) - 1"),
    "slope of tanh": ("X.T @ (1 - tanh(X @ W)**2)", "X.T @ (4*exp(2*X @ W)/(exp(2*X @ W) + 1)**2)"),
    "cosh and sinh": ("cosh(z)**2 - sinh(z)**2", "z*0 + 1"),
    "exp of a sum is a product": ("exp(X @ w + x)", "exp(x)*exp(X @ w)"),
    "log of an exp": ("log(exp(x)*c*n)", "x + log(c) + log(n)"),
    "log-sum-exp shifts": ("log(sum(exp(z + s)))", "s + log(sum(exp(z)))"),
    "roots of sizes": ("x/sqrt(n*d)", "x/sqrt(n)/sqrt(d)"),
    "the square of a root": ("(x @ x + c)*x/sqrt(x @ x + c)", "sqrt(x @ x + c)*x"),
    "a root below": ("x/sqrt(mean(x**2) + c)**3", "x*sqrt(mean(x**2) + c)/(mean(x**2) + c)**2"),
    "numbers under roots": ("sqrt(8)*x + x/sqrt(2)", "5*x/sqrt(2)"),
    "a fraction of fractions": ("x/(1 + s**2) + x*s**2/(1 + s**2)", "x"),
    "two divisors": ("1/(c + 1) - 1/(c + 2)", "1/((c + 1)*(c + 2))"),
    "normalized squares": ("sum(x**2/(x @ x + c)) + c/(x @ x + c)", "1"),
    "steps are idempotent": ("relu(x)*step(x)", "relu(x)"),
    "a scaled step": ("step(2*n*x)", "step(x)"),
    "abs by relu": ("abs(x)*c", "abs(c*x)"),
    "max of two": ("maximum(x, u)", "maximum(u, x)"),
    "max and min": ("maximum(x, u) + minimum(x, u)", "x + u"),
    "cos is even": ("cos(x - u)", "cos(u - x)"),
    "sin is odd": ("sin(x - u)", "-sin(u - x)"),
    "the inverse of a Gram matrix is symmetric": ("inv(X.T @ X)", "inv(X.T @ X).T"),
    "an inverse undone": ("inv(A) @ (A @ C + s*A) @ X", "inv(A) @ A @ (C @ X + s*X)"),
    "an inverse between": ("inv(A) @ A @ inv(A)", "inv(A)"),
    "the inverse of a transpose": ("inv(A.T)", "inv(A).T"),
    "a number in an inverse": ("inv(2*c*A)", "inv(A)/(2*c)"),
    "the resolvent": ("inv(A + c*eye(n)) @ (A + c*eye(n)) @ C", "inv(A + c*eye(n)) @ A @ C + c*inv(A + c*eye(n)) @ C"),
    "det of a transpose": ("det(A @ C.T)", "det(C @ A.T)"),
    "where by cases": ("where(x > s, x, u)", "where(s < x, x, u)"),
}


@pytest.mark.parametrize(("left", "right"), TRUE.values(), ids=TRUE)
def test_an_identity_is_proved_for_all_sizes(left: str, right: str) -> None:
    verdict = prove(left, right)
    assert verdict.answer is Answer.PROVED and verdict.scope == "for all sizes", verdict


FALSE = {
    "a transpose": ("A @ x", "A.T @ x"),
    "the trace swaps nothing": ("trace(A @ C @ A)", "trace(A @ A.T @ C)"),
    "another index": ("sum(outer(x, u)*A)", "sum(outer(x, x)*A)"),
    "a square inside": ("sum(x)**2", "sum(x**2)"),  # equal at n = 1
    "a size": ("mean(x)", "sum(x)"),  # equal at n = 1
    "the other size": ("X/n", "X/d"),  # equal where n = d
    "a sum over the other axis": ("sum(A, axis=0)", "sum(A, axis=1)"),
    "softmax with a factor": ("softmax(2*z)", "softmax(z)"),
    "softmax weights": ("sum(softmax(z)*z)", "sum(z)"),
    "a step of minus": ("step(-x)", "step(x)"),
    "a root of a square": ("sqrt(x**2)", "x"),
    "an inverse is not symmetric": ("inv(A)", "inv(A).T"),
    "inverses do not commute": ("inv(A) @ C @ A", "C"),
    "det is not linear": ("det(2*A)", "2*det(A)"),  # equal at n = 1
    "a coefficient": ("X.T @ x", "2*X.T @ x"),
    "cases that differ": ("where(x > s, x, u)", "where(x >= s, x, u)"),
    "log of minus": ("log(c*exp(x))", "log(c) - x"),
    "a matrix product is no Hadamard product": ("A @ C", "A*C"),  # equal at n = 1
}


@pytest.mark.parametrize(("left", "right"), FALSE.values(), ids=FALSE)
def test_what_is_false_at_some_size_is_not_proved(left: str, right: str) -> None:
    assert prove(left, right).answer is Answer.UNDECIDED


ASSUMED = {
    "shares": ("softmax(z)*sum(z) - z", "softmax(z) - z", "sum(z) == 1"),
    "shares by row": ("X.T @ sum(Y, axis=1)", "sum(X, axis=0)", "sum(Y, axis=1) == 1"),
    "a symmetric matrix": ("(A + A.T) @ x", "2*A @ x", "A - A.T == 0"),
    "its inverse is symmetric": ("inv(A)", "inv(A).T", "A - A.T == 0"),
    "an orthogonal matrix": ("A @ (A.T @ X)", "X", "A @ A.T - eye(n) == 0"),
    "a unit vector": ("(x @ x)*u", "u", "x @ x == 1"),
    "labels of plus and minus 1": ("sum(x**4)", "n", "x**2 == 1"),
}


@pytest.mark.parametrize(("left", "right", "assumed"), ASSUMED.values(), ids=ASSUMED)
def test_an_assumption_makes_it_conditional(left: str, right: str, assumed: str) -> None:
    assert prove(left, right).answer is Answer.UNDECIDED
    verdict = prove(left, right, assumed)
    assert verdict.answer is Answer.CONDITIONAL and verdict.condition and verdict.scope == "for all sizes"


@pytest.mark.parametrize(("left", "right", "assumed"), [
    ("sum(Y, axis=0)", "z*0 + 1", "sum(Y, axis=1) == 1"), ("sum(Y**2, axis=1)", "x*0 + 1", "sum(Y, axis=1) == 1"),
    ("sum(x)*u", "u", "sum(u) == 1"), ("trace(A)", "1", "sum(A, axis=1) == 1"), ("trace(A)", "1", "sum(A, axis=0) == 1"),
    ("trace(A @ C.T)", "n", "A @ A.T - eye(n) == 0"), ("C @ x", "C.T @ x", "A - A.T == 0"),
])
def test_an_assumption_is_used_for_what_it_says_alone(left: str, right: str, assumed: str) -> None:
    assert prove(left, right, assumed).answer is Answer.UNDECIDED


HOLES = {
    "1/u on one side": ("A @ inv(A)", "eye(n)", False), "0/0 at 0": ("norm(x)", "x @ x/norm(x)", False),
    "the same divisors": ("x/(s*u)", "x/s/u", True), "a divisor and its square": ("x/u**2*s", "s*x/u/u", True),
    "u = 0 and u**2 = 0": ("s*(x @ x)/norm(x)", "s*(x @ x)**2/norm(x)**3", True),
    "a divisor that is never 0": ("x*(1 + s**2)/(1 + s**2)", "x", True), "a sum of exps": ("sum(exp(z))*x/sum(exp(z))", "x", True),
    "a variance and c": ("x*sqrt(mean((x - mean(x))**2) + c)", "x*(mean((x - mean(x))**2) + c)/sqrt(mean((x - mean(x))**2) + c)", True),
    "log of a name": ("log(s) - log(s*exp(s)) + s + x", "x", False), "log on both sides": ("log(s*exp(s))*x", "(log(s) + s)*x", True),
}


@pytest.mark.parametrize(("left", "right", "true"), HOLES.values(), ids=HOLES)
def test_what_is_undefined_elsewhere_is_not_passed_over(left: str, right: str, true: bool) -> None:
    verdict = prove(left, right)
    assert verdict.holds is true and (true or "undefined" in verdict.reason or verdict.condition), verdict


N = size("n")
I, J, K = index("i"), index("j"), index("k")
F, G = sp.IndexedBase("f", real=True), sp.IndexedBase("g", real=True)
B = sp.IndexedBase("B", real=True)
RANGES = {
    "shifted": (sp.Sum(F[J - 1], (J, 2, N + 1)), sp.Sum(F[J], (J, 1, N)), True),
    "one less": (sp.Sum(F[J], (J, 1, N - 1)), sp.Sum(F[J], (J, 1, N)), False),
    "counted, empty at n = 1": (sp.Sum(G[1], (J, 2, N)), (N - 1) * G[1], True),
    "counted, less than empty at n = 1": (sp.Sum(G[1], (J, 3, N)), (N - 2) * G[1], False),  # 0 at n = 1, not -1
    "a bracket out of range": (sp.Sum(When(F[J], sp.Eq(J, K + 1)), (J, 1, N)), F[K + 1], False),  # f[n + 1] is not there
    "a bracket in range": (sp.Sum(When(F[J + 1], sp.Eq(J, K)), (J, 1, N)), F[K + 1], True),
    "a triangle": (sp.Sum(F[J] * G[I], (J, 1, I), (I, 1, N)), sp.Sum(F[K] * G[J], (K, 1, J), (J, 1, N)), True),
    "the other triangle": (sp.Sum(F[J] * G[I], (J, 1, I), (I, 1, N)), sp.Sum(F[I] * G[J], (J, 1, I), (I, 1, N)), False),
    "a triangle counted": (sp.Sum(F[I], (J, 1, I), (I, 1, N)), sp.Sum(I * F[I], (I, 1, N)), True),
    "brackets either way": (When(F[I], sp.Eq(I, K)), When(F[K], sp.Eq(K, I)), True),
    "a bracket always true": (When(F[I], sp.Ge(I, 1)), F[I], True),
    "a bracket true but at n = 1": (When(F[I], sp.Le(I, N - 1)), F[I], False),
    "softmax over all": (sp.Sum(sp.exp(F[J]), (J, 1, N)) / sp.Sum(sp.exp(F[I]), (I, 1, N)), sp.S.One, True),
    "softmax over some": (sp.Sum(sp.exp(F[J]), (J, 1, N - 1)) / sp.Sum(sp.exp(F[I]), (I, 1, N)), sp.S.One, False),
    "softmax, masked above": (sp.Sum(When(sp.exp(F[J]), J <= I), (J, 1, N)) / sp.Sum(sp.exp(F[J]), (J, 1, N)), sp.S.One, False),
    "softmax, masked below": (sp.Sum(sp.exp(F[J]), (J, 1, N)) / sp.Sum(When(sp.exp(F[J]), J <= I), (J, 1, N)), sp.S.One, False),
    "softmax, masked": (sp.Sum(When(sp.exp(F[J]), J <= I), (J, 1, N)) / sp.Sum(When(sp.exp(F[K]), K <= I), (K, 1, N)), sp.S.One, True),
    "softmax, another row's mask": (sp.Sum(When(sp.exp(F[J]), J <= I), (J, 1, N)) / sp.Sum(When(sp.exp(F[J]), J <= K), (J, 1, N)), sp.S.One, False),
    "softmax of a diagonal": (sp.Sum(sp.exp(B[J, J]) / sp.Sum(sp.exp(B[J, K]), (K, 1, N)), (J, 1, N)), N, False),
    "softmax by row": (sp.Sum(sp.exp(B[J, K]) / sp.Sum(sp.exp(B[J, K]), (K, 1, N)), (K, 1, N), (J, 1, N)), N, True),
    "softmax by column": (sp.Sum(sp.exp(B[J, K]) / sp.Sum(sp.exp(B[K, J]), (K, 1, N)), (J, 1, N), (K, 1, N)), N, False),
    "strides are kept": (When(F[I], sp.Eq(sp.Mod(I, 2), 0)), F[I], False),
}


@pytest.mark.parametrize(("left", "right", "true"), RANGES.values(), ids=RANGES)
def test_ranges_of_every_length(left: sp.Expr, right: sp.Expr, true: bool) -> None:
    verdict = prove_for_all_sizes(left, right, {I: (sp.S.One, N), K: (sp.S.One, N)})
    assert verdict.holds is true, verdict


def test_an_assumption_that_is_no_rule_is_told() -> None:
    a = Assumption(sp.log(sp.Symbol("a", real=True)), sp.S.Zero)
    assert prove_for_all_sizes(F[I], F[I] + 1, {I: (sp.S.One, N)}, [a]).answer is Answer.UNDECIDED


def test_what_is_too_large_is_undecided_with_the_reason() -> None:
    text = "sum((" + "+".join(f"x**{k}*u" for k in range(1, 9)) + ")**8)**8"
    assert "more than" in prove(text, "s").reason or "power" in prove(text, "s").reason
