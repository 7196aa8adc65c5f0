"""The identities of matrix calculus as a table: Matrix Cookbook, Bishop 2006, Magnus & Neudecker 2019, and the networks' own.

Each row is a scalar in plain maths and the gradient that the books give. The gradient derived is proved equal to it by normal form,
for all sizes; every step checks itself; and the same two texts, read as JAX code, agree with JAX's own gradient and with the compiled
one at a random point in float64.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.calculus import derive
from symnet.core.derivation import Derivation
from symnet.core.verdict import Answer

SIZES = {"n": 5, "d": 4, "k": 3, "m": 2, "h": 6}
ONE_HOT = "sum(y) == 1"


@dataclass(frozen=True)
class Row:
    """``wants[x]`` is the gradient by x of the last of ``lines``; ``assume`` is declared, and the answers need it."""

    name: str
    lines: tuple[str, ...]
    shapes: dict[str, tuple[str, ...]]
    wants: dict[str, str]
    assume: str


def row(name: str, lines: str, of: str, assume: str = "", **wants: str) -> Row:
    """``lines`` apart by ";", the last an expression; ``of`` gives the shapes, "X:nd" for {"X": ("n", "d")}."""
    *before, last = lines.split("; ")
    shapes = {n: tuple(sizes) for n, _, sizes in (part.partition(":") for part in of.split())}
    return Row(name, (*before, f"L = {last}"), shapes, wants, assume)


G = "n*log(det(S))/2 + trace(inv(S) @ (X - mu).T @ (X - mu))/2"
RESIDUAL = "P*sum(Y, axis=1, keepdims=True) - Y"
ROWS = [
    row("1", "a @ x", "a:d x:d", x="a"),
    row("2", "a @ X @ b", "a:n X:nd b:d", X="outer(a, b)"),
    row("2 transposed", "a @ X.T @ b", "a:d X:nd b:n", X="outer(b, a)"),
    row("3", "b @ X.T @ X @ c", "b:d X:nd c:d", X="X @ (outer(b, c) + outer(c, b))"),
    row("4", "x @ A @ x", "x:d A:dd", x="(A + A.T) @ x", A="outer(x, x)"),
    row("5", "(X @ b + c) @ D @ (X @ b + c)", "X:nd b:d c:n D:nn", X="outer((D + D.T) @ (X @ b + c), b)"),
    row("6 squared", "sum((A @ x - b)**2)", "A:nd x:d b:n", x="2*A.T @ (A @ x - b)"),
    row("6", "norm(A @ x - b)", "A:nd x:d b:n", x="A.T @ (A @ x - b)/norm(A @ x - b)"),
    row("7", "norm(X @ W - Y)**2", "X:nd W:dk Y:nk", W="2*X.T @ (X @ W - Y)"),
    row("8", "sum((X @ W + b - Y)**2)", "X:nd W:dk b:k Y:nk", W="2*X.T @ (X @ W + b - Y)", b="2*sum(X @ W + b - Y, axis=0)",
        X="2*(X @ W + b - Y) @ W.T"),
    row("9", "sum((X @ W - Y)**2)/n + lam*sum(W**2)", "X:nd W:dk Y:nk lam:", W="2/n*X.T @ (X @ W - Y) + 2*lam*W"),
    row("10 tr X", "trace(X)", "X:dd", X="eye(d)"),
    row("10 tr XA", "trace(X @ A)", "X:nd A:dn", X="A.T"),
    row("10 tr AXB", "trace(A @ X @ B)", "A:kn X:nd B:dk", X="A.T @ B.T"),
    row("10 tr AX'B", "trace(A @ X.T @ B)", "A:kd X:nd B:nk", X="B @ A"),
    row("11 tr X^2", "trace(X @ X)", "X:dd", X="2*X.T"),
    row("11 tr X'X", "trace(X.T @ X)", "X:nd", X="2*X"),
    row("11 tr X'BXC", "trace(X.T @ B @ X @ C)", "X:nd B:nn C:dd", X="B @ X @ C + B.T @ X @ C.T"),
    row("12", "trace(matrix_power(X, 5))", "X:dd", X="5*matrix_power(X, 4).T"),
    row("13", "trace(kron(A, X))", "A:dd X:mm", X="trace(A)*eye(m)", A="trace(X)*eye(d)"),
    row("14", "det(X)", "X:dd", X="det(X)*inv(X).T"),
    row("15", "log(det(X))", "X:dd", X="inv(X).T"),
    row("15 either sign", "log(abs(det(X)))", "X:dd", X="inv(X).T"),
    row("16", "log(det(X.T @ X))", "X:nd", X="2*X @ inv(X.T @ X)"),
    row("17", "a @ inv(X) @ b", "a:d X:dd b:d", X="-inv(X).T @ outer(a, b) @ inv(X).T"),
    row("18", "trace(A @ inv(X) @ B)", "A:kd X:dd B:dk", X="-(inv(X) @ B @ A @ inv(X)).T"),
    row("19", G.replace("S", "(C @ C.T)"), "X:nd mu:d C:dd", mu="-inv(C @ C.T) @ sum(X - mu, axis=0)"),
    row("20", G, "X:nd mu:d S:dd", S="(n*inv(S) - inv(S) @ (X - mu).T @ (X - mu) @ inv(S)).T/2"),
    row("26", "sum(((X*C) @ b)**2)", "X:nd C:nd b:d", X="2*outer((X*C) @ b, b)*C"),
    row("27", "a @ diag(x) @ b", "a:d x:d b:d", x="a*b"),
    row("quadratic form of an inverse", "x @ inv(S) @ x", "x:d S:dd", x="(inv(S) + inv(S).T) @ x", S="-outer(inv(S).T @ x, inv(S) @ x)"),
    row("Frobenius norm", "norm(X)", "X:nd", X="X/norm(X)"),
    row("Hadamard product", "sum(A*X*X)", "A:nd X:nd", X="2*A*X"),
    row("vec", "vec(X) @ vec(A*X)", "X:nd A:nd", X="2*A*X"),
    row("solve", "b @ solve(A, c)", "A:dd b:d c:d", A="-outer(solve(A.T, b), solve(A, c))", c="solve(A.T, b)"),
    row("Kronecker, all entries", "sum(kron(A, X))", "A:nk X:md", A="sum(X)*(A*0 + 1)", X="sum(A)*(X*0 + 1)"),
    row("22 sigmoid", "sum(sigmoid(z))", "z:d", z="sigmoid(z)*(1 - sigmoid(z))"),
    row("22 tanh", "sum(tanh(z))", "z:d", z="1 - tanh(z)**2"),
    row("22 softplus", "sum(softplus(z))", "z:d", z="sigmoid(z)"),
    row("22 relu", "sum(relu(z))", "z:d", z="step(z)"),
    row("23", "sum(z*sigmoid(z))", "z:d", z="sigmoid(z)*(1 + z*(1 - sigmoid(z)))"),
    row("24", "sum(z*Phi(z))", "z:d", z="Phi(z) + z*exp(-z**2/2)/sqrt(2*pi)"),
    row("25", "sum(sigmoid(X @ W))", "X:nd W:dk", W="X.T @ (sigmoid(X @ W)*(1 - sigmoid(X @ W)))"),
    row("29", "log(sum(exp(z)))", "z:d", z="softmax(z)"),
    row("31", "-y @ log(softmax(z))", "z:k y:k", ONE_HOT, z="softmax(z) - y"),
    row("32", "-y @ log(softmax(z))", "z:k y:k", z="sum(y)*softmax(z) - y"),
    row("33", "-y @ log(softmax(z/tau))", "z:k y:k tau:", ONE_HOT, z="(softmax(z/tau) - y)/tau"),
    row("34", "p = sigmoid(X @ w); -sum(y*log(p) + (1 - y)*log(1 - p))", "X:nd w:d y:n", w="X.T @ (p - y)"),
    row("35", "sum(log(1 + exp(-y*(X @ w))))", "X:nd w:d y:n", w="-X.T @ (y*sigmoid(-y*(X @ w)))"),
    row("36", "sum(maximum(0, 1 - y*(X @ w)))", "X:nd w:d y:n", w="-X.T @ (y*step(1 - y*(X @ w)))"),
    row("37", "sum(where(abs(x) <= c, x**2/2, c*(abs(x) - c/2)))", "x:d c:", x="clip(x, -c, c)"),
    row("38", "sum(y*(log(y) - log(softmax(z))))", "y:k z:k", ONE_HOT, z="softmax(z) - y"),
    row("39", "-sum(1 + s - mu**2 - exp(s))/2", "mu:d s:d", mu="mu", s="(exp(s) - 1)/2"),
    row("41", "a @ x/(norm(a)*norm(x))", "a:k x:k", x="a/(norm(a)*norm(x)) - a @ x/(norm(a)*norm(x))*x/(x @ x)"),
    row("42-44", "z1 = V @ x + b; a1 = sigmoid(z1); z2 = W @ a1 + c; a2 = sigmoid(z2); sum((a2 - y)**2)/2",
        "V:hd x:d b:h W:kh c:k y:k", z2="(a2 - y)*a2*(1 - a2)", z1="W.T @ ((a2 - y)*a2*(1 - a2))*a1*(1 - a1)",
        c="(a2 - y)*a2*(1 - a2)", W="outer((a2 - y)*a2*(1 - a2), a1)", V="outer(W.T @ ((a2 - y)*a2*(1 - a2))*a1*(1 - a1), x)"),
    row("45", "H = tanh(X @ V + b); P = softmax(H @ W + c); -sum(Y*log(P))/X.shape[0]", "X:nd V:dh b:h W:hk c:k Y:nk",
        W=f"H.T @ ({RESIDUAL})/n", c=f"sum({RESIDUAL}, axis=0)/n", V=f"X.T @ (({RESIDUAL}) @ W.T/n*(1 - H**2))",
        b=f"sum(({RESIDUAL}) @ W.T/n*(1 - H**2), axis=0)"),
    row("45, one class each", "P = softmax(X @ W); -sum(Y*log(P))/n", "X:nd W:dk Y:nk", "sum(Y, axis=1) == 1", W="X.T @ (P - Y)/n"),
    row("46", "sum((relu(X @ V) @ W - Y)**2)", "X:nd V:dh W:hk Y:nk", W="2*relu(X @ V).T @ (relu(X @ V) @ W - Y)",
        V="X.T @ (2*(relu(X @ V) @ W - Y) @ W.T*step(X @ V))"),
    row("47", "E = X - X @ W @ W.T; sum(E**2)", "X:nd W:dk", W="-2*(X.T @ E @ W + E.T @ X @ W)"),
    row("48", "v @ (x + tanh(A @ x))", "v:d x:d A:dd", x="v + A.T @ ((1 - tanh(A @ x)**2)*v)"),
    row("49", "sum((X @ (W + B @ A) - Y)**2)", "X:nd W:dk B:dm A:mk Y:nk", B="2*X.T @ (X @ (W + B @ A) - Y) @ A.T",
        A="B.T @ (2*X.T @ (X @ (W + B @ A) - Y))"),
    row("50", "h1 = tanh(W @ h0 + U @ x1); h2 = tanh(W @ h1 + U @ x2); v @ h2", "W:mm U:md h0:m x1:d x2:d v:m",
        W="outer(v*(1 - h2**2), h1) + outer(W.T @ (v*(1 - h2**2))*(1 - h1**2), h0)",
        U="outer(v*(1 - h2**2), x2) + outer(W.T @ (v*(1 - h2**2))*(1 - h1**2), x1)"),
    row("51", "sum((S @ E)*G)", "S:nk E:kd G:nd", E="S.T @ G"),
    row("52", "sum((X @ W)*M)", "X:nd W:dk M:nk", W="X.T @ M"),
    row("54", "u = (x - mean(x))/sqrt(mean((x - mean(x))**2) + c); sum(g*(a*u + b))", "x:k g:k a: b: c:",
        x="a/sqrt(mean((x - mean(x))**2) + c)*(g - mean(g) - u*mean(g*u))", a="sum(g*u)", b="sum(g)"),
    row("55", "u = (x - mean(x))/sqrt(mean((x - mean(x))**2) + c); sum(g*u)", "x:k g:k c:",
        x="(g - mean(g) - u*mean(g*u))/sqrt(mean((x - mean(x))**2) + c)"),
    row("56", "r = sqrt(mean(x**2) + c); sum(g*x/r)", "x:k g:k c:", x="(g - x*mean(g*x)/r**2)/r"),
    row("56 by the normalized x", "r = sqrt(mean(x**2) + c); sum(g*x/r)", "x:k g:k c:", x="(g - x/r*mean(g*x/r))/r"),
    row("57", "S = Q @ K.T/sqrt(d); P = softmax(S); sum(G*(P @ V))", "Q:md K:kd V:kh G:mh", V="P.T @ G", P="G @ V.T",
        S="P*(G @ V.T - sum(P*(G @ V.T), axis=1, keepdims=True))",
        Q="P*(G @ V.T - sum(P*(G @ V.T), axis=1, keepdims=True)) @ K/sqrt(d)",
        K="(P*(G @ V.T - sum(P*(G @ V.T), axis=1, keepdims=True))).T @ Q/sqrt(d)"),
    row("58", "-trace(log(softmax(Z @ K.T/tau)))/n", "Z:nd K:nd tau:", Z="(softmax(Z @ K.T/tau) - eye(n)) @ K/(n*tau)"),
    row("59", "sum(tanh(A @ X @ W)*Y)", "A:nn X:nd W:dk Y:nk", W="(A @ X).T @ (Y*(1 - tanh(A @ X @ W)**2))"),
]
BY_NAME = {r.name: r for r in ROWS}
EACH = [pytest.param(r.name, wrt, id=f"{r.name} d{wrt}") for r in ROWS for wrt in r.wants]
EVERY = pytest.mark.parametrize("name", list(BY_NAME))


@cache
def derived(name: str) -> Derivation:
    r = BY_NAME[name]
    positive = {n: sn.Tensor(n, domain="positive") for n in ("c", "tau") if r.shapes.get(n) == ()}
    tensors = {**{n: tuple(int(s) if s.isdigit() else s for s in shape) for n, shape in r.shapes.items()}, **positive}
    return derive(sn.program(*r.lines, tensors=tensors, assumptions=[r.assume] if r.assume else []), list(r.wants))


@pytest.mark.parametrize(("name", "wrt"), EACH)
def test_the_gradient_is_the_one_in_the_books(name: str, wrt: str) -> None:
    verdict = sn.check(BY_NAME[name].wants[wrt], derived(name), wrt)
    assert verdict.answer is (Answer.CONDITIONAL if BY_NAME[name].assume else Answer.PROVED), str(verdict)
    assert verdict.scope == "for all sizes"


@EVERY
def test_every_step_checks(name: str) -> None:
    assert [s.check().reason for s in derived(name).steps if not s.check()] == []


def point(r: Row) -> dict[str, Any]:
    """Random numbers; a square matrix is near the unit matrix, so that its determinant is positive."""
    rng = np.random.default_rng(7)
    made = {}
    for name, shape in r.shapes.items():
        size = tuple(SIZES[s] if s in SIZES else int(s) for s in shape)
        made[name] = rng.normal(size=size) if size else np.array(rng.uniform(0.5, 1.5))
        if len(shape) == 2 and shape[0] == shape[1]:
            made[name] = np.eye(size[0]) + 0.3*made[name]
    for name in {"y", "Y"} & made.keys():
        made[name] = np.abs(made[name])/np.abs(made[name]).sum(axis=-1, keepdims=True)
    return made


def namespace(jnp: Any, jax: Any) -> dict[str, Any]:
    """NumPy's names as the plain maths reads them."""
    names = {n: getattr(jnp, n) for n in ("sum mean trace outer exp log sqrt abs tanh where clip kron diag eye maximum pi").split()}
    nn = {"softmax": jax.nn.softmax, "sigmoid": jax.nn.sigmoid, "relu": jax.nn.relu, "softplus": jax.nn.softplus}
    linalg = {"inv": jnp.linalg.inv, "det": jnp.linalg.det, "solve": jnp.linalg.solve, "matrix_power": jnp.linalg.matrix_power}
    own = {"step": lambda x: jnp.heaviside(x, 0.0), "norm": lambda x: jnp.sqrt(jnp.sum(x*x)), "vec": lambda a: a.T.ravel(), "Phi": jax.scipy.stats.norm.cdf}
    return {**names, **nn, **linalg, **own, **SIZES}


def run(r: Row, values: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    """The lines as JAX code; names given in ``values`` are not computed."""
    there = {**known, **values}
    for line in r.lines:
        name, _, right = line.partition(" = ")
        there[name] = values[name] if name in values else eval(right, {}, there)  # noqa: S307 - the texts of this table
    return there


@pytest.mark.slow
@EVERY
def test_jax_agrees(name: str) -> None:
    jax = importlib.import_module("jax")
    jax.config.update("jax_enable_x64", True)
    r, known = BY_NAME[name], namespace(jax.numpy, jax)
    values = point(r)
    there = run(r, values, known)
    loss, made = derived(name).compile()(values) if set(r.wants) >= set(r.shapes) else derived(name).compile()({}, **values)
    assert loss == pytest.approx(float(there["L"]), rel=1e-10, abs=1e-12)
    slopes = jax.grad(lambda inputs: run(r, inputs, known)["L"])(values)
    for wrt, want in r.wants.items():
        slope = slopes[wrt] if wrt in values else jax.grad(lambda at, of=wrt: run(r, {**values, of: at}, known)["L"])(there[wrt])
        scale = 1 + np.abs(slope).max()
        assert np.abs(made[wrt] - slope).max() < 1e-10*scale
        assert np.abs(eval(want, {}, there) - slope).max() < 1e-10*scale  # noqa: S307 - the texts of this table


def test_without_the_assumption_p_minus_y_is_refuted() -> None:
    assert sn.check("softmax(z) - y", derived("32"), "z").answer is Answer.REFUTED


@pytest.mark.parametrize(("name", "wrong"), [
    ("11 tr X^2", "2*X"), ("12", "5*matrix_power(X, 4)"), ("14", "det(X)*inv(X)"), ("15", "inv(X)"), ("16", "X @ inv(X.T @ X)"),
    ("17", "-inv(X) @ outer(a, b) @ inv(X)"), ("13", "eye(m)"),
])
def test_the_usual_slip_is_refuted(name: str, wrong: str) -> None:
    assert sn.check(wrong, derived(name), "X").answer is Answer.REFUTED
