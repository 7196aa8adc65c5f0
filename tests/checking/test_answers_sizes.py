"""Answers about tensors: for all sizes or at named ones, under declared assumptions, transposed, and of the wrong shape."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

import pytest

import symnet as sn
from symnet.checking.answers import check_answer
from symnet.core.derivation import Derivation
from symnet.core.verdict import Answer

EPS = sn.Tensor("eps", domain="positive")
MLP = ("H = tanh(X @ V + b)", "P = softmax(H @ W + c)", "L = -sum(Y*log(P))/n")
MLP_SHAPES = {"X": ("n", "d"), "V": ("d", "h"), "b": ("h",), "W": ("h", "k"), "c": ("k",), "Y": ("n", "k")}
PROGRAMS: dict[str, tuple[tuple[str, ...], dict[str, object], tuple[str, ...]]] = {
    "squares": (("r = X @ w - y", "L = sum(r**2)/N"), {"X": ("N", "d"), "w": ("d",), "y": ("N",)}, ()),
    "ridge": (("L = sum((X @ W - Y)**2)/(2*N) + lam/2*sum(W**2)",), {"X": ("N", "d"), "W": ("d", "k"), "Y": ("N", "k"), "lam": ()}, ()),
    "quadratic": (("L = x @ A @ x",), {"A": ("d", "d"), "x": ("d",)}, ("A - A.T == 0",)),
    "logdet": (("L = log(det(X))",), {"X": ("d", "d")}, ()),
    "square": (("L = sum((X @ W)**3)",), {"X": ("d", "d"), "W": ("d", "d")}, ()),
    "norm": (("L = norm(X)",), {"X": ("n", "d")}, ()),
    "logistic": (("p = sigmoid(X @ w)", "L = -sum(y*log(p) + (1 - y)*log(1 - p))/N"), {"X": ("N", "d"), "w": ("d",), "y": ("N",)}, ()),
    "mlp": (MLP, MLP_SHAPES, ("sum(Y, axis=1) == 1",)),
    "attention": (("S = Q @ K.T/sqrt(d)", "P = softmax(S)", "O = P @ V", "L = sum((O - Y)**2)/2"),
                  {"Q": ("m", "d"), "K": ("k", "d"), "V": ("k", "h"), "Y": ("m", "h")}, ()),
    "batch norm": (("mu = mean(x, axis=0)", "v = mean((x - mu)**2, axis=0)", "s = sqrt(v + eps)", "xh = (x - mu)/s", "o = g*xh + b",
                    "L = sum(o*dy)"), {"x": ("N", "d"), "g": ("d",), "b": ("d",), "dy": ("N", "d"), "eps": EPS}, ()),
    "layer norm": (("mu = mean(x, axis=1, keepdims=True)", "xh = (x - mu)/sqrt(mean((x - mu)**2, axis=1, keepdims=True) + eps)",
                    "L = sum(g*xh*dy)"), {"x": ("N", "d"), "g": ("d",), "dy": ("N", "d"), "eps": EPS}, ()),
}


@cache
def made(name: str) -> Derivation:
    if name not in PROGRAMS:
        return sn.load(name)
    lines, shapes, assumed = PROGRAMS[name]
    return sn.derive(sn.program(*lines, tensors=shapes, assumptions=list(assumed)),
                     wrt=[n for n in shapes if n not in ("dy", "eps", "lam")])


D = "(P*sum(Y, axis=1, keepdims=True) - Y)"
E = "(p*sum(Y, axis=1, keepdims=True) - Y)"
DS = "(P*((O - Y) @ V.T - sum(P*((O - Y) @ V.T), axis=1, keepdims=True)))"
FOR_ALL = [
    ("squares", "w", "(2/N)*X.T @ (X @ w - y)"), ("squares", "w", "2*(X.T @ X @ w - X.T @ y)/N"), ("squares", "w", "2/N*(w @ X.T @ X - y @ X)"),
    ("squares", "X", "2/N*outer(X @ w - y, w)"), ("squares", "w", "2*mean(outer(r, w*0 + 1)*X, axis=0)"),
    ("ridge", "W", "X.T @ (X @ W - Y)/N + lam*W"), ("ridge", "W", "(X.T @ X/N + lam*eye(d)) @ W - X.T @ Y/N"),
    ("quadratic", "x", "(A + A.T) @ x"), ("quadratic", "x", "A @ x + x @ A"), ("quadratic", "A", "outer(x, x)"),
    ("logdet", "X", "inv(X).T"), ("logdet", "X", "inv(X.T)"), ("norm", "X", "X/norm(X)"), ("norm", "X", "X/sqrt(trace(X.T @ X))"),
    ("logistic", "w", "X.T @ (p - y)/N"), ("logistic", "w", "X.T @ (sigmoid(X @ w) - y)/N"), ("logistic", "w", "X.T @ (1/(1 + exp(-X @ w)) - y)/N"),
    ("mlp", "W", f"H.T @ {D}/n"), ("mlp", "c", f"sum({D}, axis=0)/n"), ("mlp", "V", f"X.T @ ({D} @ W.T/n*(1 - H**2))"),
    ("mlp", "V", f"X.T @ ({D} @ W.T*(1 - tanh(X @ V + b)**2))/n"), ("mlp", "b", f"sum({D} @ W.T*4*exp(2*(X @ V + b))/(exp(2*(X @ V + b)) + 1)**2, axis=0)/n"),
    ("mlp", "W", f"tanh(X @ V + b).T @ {D.replace('P', 'softmax(tanh(X @ V + b) @ W + c)')}/n"),
    ("attention", "V", "P.T @ (P @ V - Y)"), ("attention", "Q", f"{DS} @ K/sqrt(d)"), ("attention", "K", f"{DS}.T @ Q/sqrt(d)"),
    ("attention", "K", "(P*((O - Y) @ V.T - sum((O - Y)*O, axis=1, keepdims=True))).T @ Q/sqrt(d)"),
    ("batch norm", "x", "g/(N*s)*(N*dy - sum(dy, axis=0) - xh*sum(dy*xh, axis=0))"),
    ("batch norm", "x", "g/sqrt(v + eps)*(dy - mean(dy, axis=0) - (x - mu)/(v + eps)*mean(dy*(x - mu), axis=0))"),
    ("batch norm", "g", "sum(dy*xh, axis=0)"),
    ("layer norm", "x", "(g*dy - mean(g*dy, axis=1, keepdims=True) - xh*mean(g*dy*xh, axis=1, keepdims=True))"
                        "/sqrt(mean((x - mu)**2, axis=1, keepdims=True) + eps)"),
    ("softmax-regression", "W1", f"X.T @ {E}/N"), ("@mlp", "W2", f"a1.T @ {E}/N"), ("@mlp", "W1", f"X.T @ ({E}/N @ W2.T*(1 - a1)*(1 + a1))"),
    ("digits", "W1", f"X.T @ ({E} @ W2.T*step(z1))/N"), ("transformer", "W2", "u2.T @ ((r3 - Y) @ W3.T*step(z2))"),
    ("lstm", "W2", "outer(a1, p*sum(y) - y)"), ("convolution", "b1", "sum(z1 - y)"),
    ("rnn", "U", r"\frac{\partial E}{\partial U_{ij}} = \sum_{t=1}^{T} (1 - h_{ti}^2) \frac{\partial E}{\partial h_{ti}} x_{tj}"),
    ("rnn", "b", r"\frac{\partial E}{\partial b_i} = \sum_{t=1}^{T} \frac{\partial E}{\partial z_{ti}}"),
]


@pytest.mark.parametrize(("name", "wrt", "text"), FOR_ALL)
def test_a_right_answer_is_proved_for_all_sizes(name: str, wrt: str, text: str) -> None:
    verdict = check_answer(text, made(name.removeprefix("@")) if not name.startswith("@") else sn.load(name[1:]), wrt)
    assert verdict.answer is Answer.PROVED and verdict.scope == "for all sizes", verdict


UNDER = [
    ("quadratic", "x", "2*A @ x"), ("quadratic", "x", "2*x @ A"), ("mlp", "W", "H.T @ (P - Y)/n"), ("mlp", "c", "mean(P - Y, axis=0)"),
    ("mlp", "V", "X.T @ ((P - Y) @ W.T*(1 - H**2))/n"), ("softmax-regression", "W1", "X.T @ (p - Y)/N"),
    ("softmax-regression", "W1", "X.T @ (softmax(X @ W1 + b1) - Y)/N"), ("softmax-regression", "b1", "mean(p, axis=0) - mean(Y, axis=0)"),
]


@pytest.mark.parametrize(("name", "wrt", "text"), UNDER)
def test_an_answer_that_needs_the_declared_assumption_is_conditional_for_all_sizes(name: str, wrt: str, text: str) -> None:
    verdict = check_answer(text, made(name), wrt)
    assert verdict.answer is Answer.CONDITIONAL and verdict.scope == "for all sizes", verdict
    assert verdict.condition == " and ".join(map(str, made(name).program.assumptions))


WRONG = [
    ("quadratic", "x", "A @ x"), ("quadratic", "x", "(A - A.T) @ x"), ("mlp", "W", "H.T @ (P - 2*Y)/n"), ("mlp", "W", "H.T @ (Y - P)/n"),
    ("mlp", "V", "X.T @ ((P - Y) @ W.T*(1 - H))/n"), ("mlp", "c", "sum(P - Y, axis=0)"), ("softmax-regression", "W1", "X.T @ (p - Y)"),
    ("softmax-regression", "W1", "X.T @ p/N"), ("attention", "Q", "P*((O - Y) @ V.T) @ K/sqrt(d)"), ("attention", "Q", f"{DS} @ K"),
    ("batch norm", "x", "g/s*(dy - mean(dy, axis=0))"), ("batch norm", "x", "g/s*(dy - mean(dy, axis=0) - xh*sum(dy*xh, axis=0))"),
    ("layer norm", "x", "(dy - mean(dy, axis=1, keepdims=True) - xh*mean(dy*xh, axis=1, keepdims=True))*g"), ("logdet", "X", "inv(X)"),
    ("norm", "X", "X/norm(X)**2"), ("ridge", "W", "X.T @ (X @ W - Y)/N + 2*lam*W"), ("digits", "W1", f"X.T @ ({E} @ W2.T)/N"),
    ("transformer", "b3", "mean(r3 - Y, axis=0)"), ("lstm", "b2", "p - y"),
]


@pytest.mark.parametrize(("name", "wrt", "text"), WRONG)
def test_a_wrong_answer_is_refuted_at_an_entry_and_a_point(name: str, wrt: str, text: str) -> None:
    verdict = check_answer(text, made(name), wrt)
    assert verdict.answer is Answer.REFUTED and verdict.witness is not None, verdict
    assert verdict.witness.left != verdict.witness.right
    assert verdict.scope.startswith("at sizes") and verdict.condition.startswith("entry (")


def test_the_scope_of_a_proof_at_small_sizes_is_told() -> None:
    assert check_answer("2/N*X.T @ (maximum(r, 0) - maximum(-r, 0))", made("squares"), "w").scope == "for all sizes"
    verdict = check_answer("2/N*X.T @ where(r > 0, r, where(r <= 0, r, 0))", made("squares"), "w")
    assert verdict.answer is Answer.PROVED
    assert verdict.scope == "at sizes N = 3, d = 2 and at sizes N = 4, d = 5"


def test_integer_sizes_have_no_scope() -> None:
    d = sn.derive(sn.program("L = sum((X @ w)**2)", tensors={"X": (3, 2), "w": (2,)}), wrt=["w"])
    assert check_answer("2*X.T @ X @ w", d, "w").scope == ""


def test_a_difference_on_a_border_alone_is_almost_nowhere() -> None:
    d = sn.derive(sn.program("L = sum(relu(x))", tensors={"x": ("n",)}), wrt=["x"])
    assert check_answer("step(x)", d, "x").holds
    assert check_answer("where(x >= 0, 1, 0)", d, "x").answer is Answer.ALMOST_EVERYWHERE


TRANSPOSED = [
    ("squares", "X", "2/N*outer(w, r)", True), ("ridge", "W", "((X @ W - Y).T @ X/N + lam*W.T)", True), ("quadratic", "A", "outer(x, A @ x)", False),
    ("logdet", "X", "inv(X)", True), ("softmax-regression", "W1", "(p - Y).T @ X/N", True), ("square", "W", "3*((X @ W)**2).T @ X", True),
    ("square", "W", "3*((X @ W)**2) @ X", False), ("mlp", "W", "(P - Y).T @ H/n", True), ("mlp", "W", "(P + Y).T @ H/n", False),
    ("@two-two-two", "W1", "outer(W2.T @ ((a2 - y)*a2*(1 - a2))*a1*(1 - a1), x)", None), ("attention", "V", "(O - Y).T @ P", True),
]


@pytest.mark.parametrize(("name", "wrt", "text", "turned"), TRANSPOSED)
def test_the_transpose_of_the_gradient_is_called_so(name: str, wrt: str, text: str, turned: bool | None) -> None:
    verdict = check_answer(text, sn.load(name[1:]) if name[0] == "@" else made(name), wrt)
    assert verdict.answer is Answer.REFUTED
    assert turned is None or ("this is the transpose of the gradient" in verdict.reason) is turned, verdict


SHAPES = {
    "transposed": ("softmax-regression", "W1", "(p - Y).T @ X/N", r"\(k, d\).*\(d, k\)"),
    "not summed over samples": ("softmax-regression", "b1", "(p - Y)/N", r"\(N, k\).*\(k\)"),
    "a number for an array": ("squares", "w", "sum(r**2)", r"a single number.*\(d\)"),
}


@pytest.mark.parametrize(("name", "wrt", "text", "says"), SHAPES.values(), ids=SHAPES)
def test_a_wrong_shape_is_refuted(name: str, wrt: str, text: str, says: str) -> None:
    verdict = check_answer(text, made(name), wrt)
    assert verdict.answer is Answer.REFUTED and verdict.method == "shape"
    assert re.search(says, verdict.reason)


def test_without_a_declared_assumption_p_minus_y_is_refuted() -> None:
    d = sn.derive(sn.Sequential(sn.Linear("d", "k")), loss=sn.CrossEntropyLoss())
    assert check_answer("X.T @ (p - Y)/N", d, "W1").answer is Answer.REFUTED


HOLES: list[tuple[Callable[[], Derivation], str, str, Answer, str]] = [
    (lambda: _scaled(), "w", "2*s*w", Answer.PROVED, ""), (lambda: _scaled(), "w", "2*s*w*(s/s)", Answer.ALMOST_EVERYWHERE, "except where s = 0"),
    (lambda: _scaled(), "w", "2*sqrt(s)**2*w", Answer.CONDITIONAL, "s >= 0"),
]


@cache
def _scaled() -> Derivation:
    return sn.derive(sn.program("L = s*sum(w**2)", tensors={"w": ("d",), "s": ()}), wrt=["w", "s"])


@pytest.mark.parametrize(("make", "wrt", "text", "answer", "condition"), HOLES)
def test_where_the_text_has_no_value_is_told(make: Callable[[], Derivation], wrt: str, text: str, answer: Answer, condition: str) -> None:
    verdict = check_answer(text, make(), wrt)
    assert (verdict.answer, verdict.condition) == (answer, condition)


@pytest.mark.parametrize(("answer", "verdict"), [
    ("h_i + 2 sum(x)", "proved"), (r"\frac{\partial L}{\partial x_i} = h_i + 2\sum_{j=1}^n x_j", "proved"), ("dL/dx[i] = h[i] + 2*sum(x)", "proved"),
    ("dL/dx_i = h_i + sum(x)", "refuted"), (r"\frac{\partial L}{\partial x_i} = h_{i-1} + 2\sum_{j=1}^n x_j", "refuted"),
    ("g_i + 2 sum(x)", "refuted"),
])
def test_an_index_may_stand_on_an_axis_that_holds_its_range(answer: str, verdict: str) -> None:
    """The letters of x run over 1..n; h has the places 0..n, so h_i is an entry of it. g has none at n."""
    p = sn.program("L = sum(h[i]*x[i] for i in 1..n) + sum(x)**2 + sum(g)", tensors={"x": ("n",), "h": ("0..n",), "g": ("1..n-1",)})
    assert sn.check(answer, sn.derive(p, wrt=["x"]), wrt="x").answer == verdict
