"""Answers as people write them: right ones proved, wrong ones refuted, and what cannot be told said so."""

from __future__ import annotations

import functools

import pytest

import symnet as sn
from symnet.core.verdict import Answer, Verdict
from symnet.errors import SymnetError
from symnet.parsing.worksheet import parse_worksheet
from symnet.worksheet_loader import check_worksheet

Shapes = dict[str, tuple[str, ...]]
PROBLEMS: dict[str, tuple[tuple[str, ...], Shapes, tuple[str, ...]]] = {
    "affine": (("Z = X@W + b", "L = sum((Z-Y)**2)/2"), {"X": ("N", "d"), "W": ("d", "k"), "b": ("k",), "Y": ("N", "k")}, ("W", "b")),
    "squares": (("r = X@w - y", "L = sum(r**2)/N"), {"X": ("N", "d"), "w": ("d",), "y": ("N",)}, ("w",)),
    "neuron": (("z = w*x + b", "a = sigmoid(z)", "L = (a - y)**2"), dict.fromkeys("wxby", ()), ("w",)),
    "layers": (("Z1 = X@W1", "A1 = relu(Z1)", "O = A1@W2", "L = sum((O-Y)**2)/2"),
               {"X": ("N", "d"), "W1": ("d", "h"), "W2": ("h", "k"), "Y": ("N", "k")}, ("W1", "W2")),
    "linear": (("o = W@h", "L = sum((o-y)**2)/2"), {"W": ("k", "d"), "h": ("d",), "y": ("k",)}, ("W", "h")),
    "average": (("L = mean(x)",), {"x": ("N",)}, ("x",)),
    "product": (("L = prod(x)",), {"x": ("n",)}, ("x",)),
    "norm": (("L = sum(z**2)",), {"z": ("n",)}, ("z",)),
    "one layer": (("z1 = X@W1 + b1", "p = sigmoid(z1)", "L = -sum(y*log(p) + (1-y)*log(1-p))"),
                  {"X": ("N", "f"), "W1": ("f", "k"), "b1": ("k",), "y": ("N", "k")}, ("W1", "b1")),
    "upstream": (("Y = X@W", "L = sum(G*Y)"), {"X": ("N", "d"), "W": ("d", "k"), "G": ("N", "k")}, ("X",)),
    "recurrent": (("h[0, i] = s[i]", "z[t, i] = u[i]*h[t-1, i] + b[i]", "h[t, i] = tanh(z[t, i])", "E = sum(h[t, i] for t in 1..T for i in 1..m)"),
                  {"s": ("m",), "u": ("m",), "b": ("m",), "z": ("T", "m"), "h": ("0..T", "m")}, ("b",)),
    "underscores": (("a1 = sigmoid(w1*x)", "a2 = w2*a1", "L = (a2 - y)**2"), dict.fromkeys(("w1", "w2", "x", "y"), ()), ("w1",)),
}


@functools.cache
def derived(problem: str) -> sn.Derivation:
    lines, shapes, wrt = PROBLEMS[problem]
    return sn.derive(sn.program(*lines, tensors=shapes), wrt=list(wrt))


def verdict(problem: str, wrt: str, answer: str) -> Verdict:
    return sn.check(answer, derived(problem), wrt=wrt)


RIGHT: dict[tuple[str, str], tuple[str, ...]] = {
    ("affine", "b"): (
        "(Z-Y).sum(axis=0)", "(Z-Y).sum(0)", "(Z-Y).sum(dim=0)", "N*(Z-Y).mean(0)", "(Z-Y).T.dot(ones(N))", "len(Y)*mean(Z-Y, axis=0)", "Z.size/k*(Z-Y).mean(0)",
        "dL/dZ.sum(axis=0)", "(dL/dZ).T @ np.ones(N)", "np.einsum('nk->k', Z-Y)", "sum(Z[n, :] - Y[n, :] for n in 1..N)", "sum(Z[n] - Y[n] for n in 1..N)",
        "dL/db_k = sum_n (Z_nk - Y_nk)", "dL/db_j = sum_n (Z_nj - Y_nj)", "sum_n (Z_nj - Y_nj)", "Σ_n (Z_nj − Y_nj)", "dL/db[j] = sum_n (Z[n,j] - Y[n,j])",
        "db = (Z-Y).sum(0)", "grad_b = (Z-Y).sum(0)", "∇_b L = (Z−Y).sum(0)", "(Z-Y).sum(axis=0) (a row vector)", "Σ_n (Z_n − Y_n)", "sum_n dL/dZ_n",
        "N*np.average(Z-Y, axis=0)", "(Z-Y).sum(0), a row vector", "(Z-Y).sum(0) (k×1)", "(Z-Y).sum(0).  # over the batch", "np.add(Z, -Y).sum(0)",
        "delta.sum(0)", "np.subtract(Z, Y).sum(0) (by the chain rule)"),
    ("affine", "W"): (
        "X.T @ dL/dZ", "X.T.dot(Z-Y)", "Xᵀ(Z−Y)", "X.T @ (XW + b - Y)", "dL/dW = X.T @ (Z-Y)", "dL/dW_jk = sum_n X_nj (Z_nk - Y_nk)",
        "dL/dW_kj = sum_n X_nk (Z_nj - Y_nj)", "np.einsum('nd,nk->dk', X, Z-Y)", "X.T @ (Z-Y)[:, :]", "sum(outer(X[n], Z[n]-Y[n]) for n in 1..N)",
        "X.transpose() @ (Z - Y)", "dL/dW = X^T I (Z - Y);", "sum_n x_n (z_n - y_n)^T", "X^T [Z - Y]", "dL/dW_jk = sum_n X_nj dL/dZ_nk",
        "dL/dW_jk = sum_n x_nj (z_nk - y_nk)", "dL/dW_jk = sum_nm δ_nm X_nj (Z_mk - Y_mk)"),
    ("squares", "w"): (
        "r = X @ w - y; 2/N * X.T @ r", "r = X @ w - y\n2/N * X.T @ r", "2/N X^T (Xw - y)", "2/N Xᵀ(Xw−y)", "2*mean(r[:, None]*X, axis=0)",
        "2*np.mean(X*r[:, np.newaxis], axis=0)", "2*(r.reshape(-1, 1)*X).mean(0)", "np.einsum('nd,n->d', X, r)*2/N", "2/N*sum(r[n]*X[n] for n in 1..N)",
        "2/X.shape[0]*X.T.dot(r)", "2/y.size*r.dot(X)", "dL/dw_j = (2/N) sum_n X_nj r_n", "(2/N) sum_n X_nj r_n", "2/N Σ_n X_nj r_n", "(2/N) sum_n (sum_k X_nk w_k - y_n) X_nj",
        "dr = 2/N*r\ndw = X.T @ dr", "2/N X.T r (a column vector)", "dJ/dw = X.T @ dL/dr", "2/N Σ_n r_n x_n", "2/N sum_n r_n X_n",
        "2/N X^T (Xw - y) (d×1)", "2/N [X^T (Xw - y)]", "r = Xw - y; 2/N X^T r, a column vector"),
    ("neuron", "w"): (
        "dL/da * da/dz * dz/dw", "∂L/∂a · ∂a/∂z · ∂z/∂w", "x*dL/dz", "dL/da*da/dw", "dL/dw = 2(a-y)a(1-a)x", "2(σ(wx+b) − y)σ(wx+b)(1−σ(wx+b))x",
        "2*(σ(wx+b)-y)*σ'(wx+b)*x", "2(a-y)a(1-a)x where a = σ(wx+b)", "z = wx + b; a = σ(z); 2(a-y)a(1-a)x", "delta*x",
        "2(a-y)a(1-a)x (by the chain rule)", "2(a-y)a(1-a)x.", "2(a-y)xσ(wx+b)(1-σ(wx+b))", "2(a-y)a(1-a)x, a scalar", "np.multiply(2*(a-y)*a*(1-a), x)"),
    ("layers", "W1"): (
        "X.T@(((O-Y)@W2.T)*(Z1>0))", "X.T@((dL/dO @ W2.T)*(Z1 > 0).astype(float))", "X.T @ (((O-Y)@W2.T) ⊙ 1[Z1>0])", "X.T@(dL/dA1 * dA1/dZ1)", "X.T@(dL/dA1*(A1 > 0))",
        "X.T @ (((O-Y)@W2.T)*Heaviside(Z1))", "X.T @ np.where(Z1 > 0, (O-Y)@W2.T, 0)",
        "D2 = O-Y\nD1 = (D2@W2.T)*(Z1>0)\nX.T@D1", "D2 = O-Y; dW1 = X.T@((D2@W2.T)*(Z1>0)); dW2 = A1.T@D2"),
    ("layers", "W2"): ("A1.T@(O-Y)", "D2 = O-Y; dW1 = X.T@((D2@W2.T)*(Z1>0)); dW2 = A1.T@D2"),
    ("linear", "W"): ("(o-y) h^T", "(o-y) * h^T", "(o-y)[:, None]*h", "(o-y)[:, None]*h[None, :]", "dL/do h^T", "(Wh - y) h^T", "dL/dW_ij = (o_i - y_i) h_j"),
    ("linear", "h"): ("dL/dh = sum_i W_ij (o_i - y_i)", "W^T(Wh-y)", "(o-y)^T W (a row vector)", "dL/dh_j = sum_i W_ij (o_i - y_i)"),
    ("average", "x"): ("ones(N)/N",),
    ("one layer", "W1"): ("X.T@(p-y)", "dL/dW_jk = sum_n X_nj (p_nk - y_nk)", "dL/dW = X.T @ (p-y)", "dW = X.T@(p-y)", "X^T delta1", "X.T @ δ1"),
    ("one layer", "b1"): ("db = (p-y).sum(0)", "dL/db_k = sum_n (p_nk - y_nk)"),
    ("upstream", "X"): ("GWᵀ", "G W^T", "GW^T", "dL/dX_ni = sum_j G_nj W_ij"),
    ("recurrent", "b"): ("sum_t dE/dz_t", "dE/db_i = sum_t dE/dz_ti"),
    ("underscores", "w1"): ("2(a_2-y)w_2a_1(1-a_1)x", "2(a_2-y)w_2 a_1(1-a_1)x", "2(a2-y)*w_2a_1*(1-a1)*x"),
    ("norm", "z"): ("2*z*sum(softmax(z))", "2*z*n*mean(softmax(z))", "2*z*softmax(z).sum()"),
}
WRONG: dict[tuple[str, str], tuple[str, ...]] = {
    ("affine", "b"): ("(Z-Y).sum(axis=1)", "Z - Y", "(Z-Y).mean(0)", "X.T @ Y @ b", "sum_n (Z_nk + Y_nk)", "dL/db = 2*(Z-Y).sum(0)"),
    ("affine", "W"): ("X @ (Z-Y)", "(Z-Y) @ X", "X.T*(Z-Y)", "dL/dW_jk = sum_n X_nk (Z_nj - Y_nj)", "dL/dZ.T @ X", "X.T @ (XW - Y)"),
    ("squares", "w"): ("2/N*X@r", "2/N*(X.T@r + y)", "2/N*outer(r, r)", "r = X @ w - y; X.T @ r", "np.einsum('nd,n->d', X, r)/N", "(2/N) sum_n X_nj y_n"),
    ("neuron", "w"): ("dL/da * da/dz", "x*e^(-0.3775)", "x*dL/da"),
    ("layers", "W1"): ("X.T@((O-Y)@W2.T)", "X.T@(((O-Y)@W2.T)*(Z1<0))", "X.T@(dL/dA1*(A1 < 0))", "D2 = O-Y; dW2 = A1.T@D2; dW1 = X.T@(D2@W2.T)"),
    ("linear", "W"): ("h (o-y)^T", "(o+y) h^T", "(o-y)@h", "h^T (o-y)", "(o-y) h", "dL/dW_ij = (o_j - y_j) h_i"),
    ("linear", "h"): ("dL/dh_j = sum_i W_ji (o_i - y_i)", "W(o-y)"),
    ("one layer", "W1"): ("X.T@(y-p)", "dL/dW = X.T@p", "X^T delta1/N"),
    ("upstream", "X"): ("WG", "G^T W"),
    ("underscores", "w1"): ("2(a_2-y)w_2a_1x", "(a_2-y)w_2a_1(1-a_1)x"),
    ("average", "x"): ("2/N", "x/N", "1"),
    ("norm", "z"): ("z*sum(softmax(z))", "2*z*mean(softmax(z))"),
}


@pytest.mark.parametrize(("problem", "wrt", "answer"), [(p, w, a) for (p, w), found in RIGHT.items() for a in found])
def test_an_ordinary_answer_is_proved(problem: str, wrt: str, answer: str) -> None:
    found = verdict(problem, wrt, answer)
    assert found.answer is Answer.PROVED, found


@pytest.mark.parametrize(("problem", "wrt", "answer"), [(p, w, a) for (p, w), found in WRONG.items() for a in found])
def test_a_wrong_one_is_refuted(problem: str, wrt: str, answer: str) -> None:
    found = verdict(problem, wrt, answer)
    assert found.answer is Answer.REFUTED, found


@pytest.mark.parametrize(("problem", "wrt", "answer", "words"), [
    ("average", "x", "1/N", "broadcast to shape (N)"), ("affine", "b", "(Z-Y).sum(axis=0, keepdims=True)", "axes of size 1 are moved")])
def test_what_numpy_would_broadcast_is_right_on_that_condition(problem: str, wrt: str, answer: str, words: str) -> None:
    found = verdict(problem, wrt, answer)
    assert found.answer is Answer.CONDITIONAL and words in found.condition


def test_a_mask_that_takes_in_the_kink_is_right_almost_everywhere() -> None:
    found = verdict("layers", "W1", "X.T@(((O-Y)@W2.T)*(Z1>=0))")
    assert found.answer is Answer.ALMOST_EVERYWHERE and found.condition == "except where an entry of Z1 is 0", found
    assert verdict("layers", "W1", "X.T@(((O-Y)@W2.T)*(A1>=0))").answer is Answer.REFUTED  # A1 is never below 0


def test_what_holds_but_where_a_factor_is_zero_is_almost_everywhere() -> None:
    found = verdict("product", "x", "prod(x)/x")
    assert found.answer is Answer.ALMOST_EVERYWHERE and "x_1 = 0" in found.condition


def test_the_last_place_of_an_axis_is_not_taken_for_an_index() -> None:
    found = verdict("affine", "b", "sum_n (Z[n, k] - Y[n, k])")
    assert found.answer is Answer.UNDECIDED and "dL/db" in found.reason


REFUSED = [
    ("affine", "b", "dL/dW = Z", "the gradient asked for"), ("affine", "b", "2*dL/db", "the slope dL/db"), ("affine", "b", "dW = Z", "the gradient asked for"),
    ("affine", "b", "(Z-Y).sum(0) = Z", "the gradient asked for"), ("affine", "W", "sum_n X_nj (Z_nk - Y_nk)", "dL/dW_jk"),
    ("affine", "W", "dL/dW_jj = sum_n X_nj Y_nj", "the gradient asked for"), ("squares", "w", "w = X.T @ r", "the gradient asked for"),
    ("squares", "w", "dq/dw * r", "the slope dq/dw"), ("squares", "w", "r = y; X.T @ r", "'r', which is declared"),
    ("squares", "w", "X^T r 1", "two vectors side by side"), ("squares", "w", "r^T ⊗ r", "two vectors or two matrices"),
    ("squares", "w", "X.transpose(0, 1) @ r", "PyTorch"), ("squares", "w", "(2/N) 1 1^T", "ones(N)"), ("squares", "w", "torch.var(X)", "n - 1"),
    ("neuron", "w", "dL/dw = dL/da * da/dw = x", "every link of a chain"), ("squares", "w", "X.T @ r; dr = r; dw = r", ""),
    ("squares", "w", "X.T @ r * I", "a square matrix"), ("neuron", "w", "2/wx", "a/(w*x)"), ("upstream", "X", "GW.T", "G @ W.T or (G @ W).T"),
    ("norm", "z", "z * z^T", "outer(v, w) for the matrix"), ("upstream", "X", "G W^T (N×d)", "a shape or a product"), ("squares", "w", "2/N X^T r (d)", "a shape or a product"),
    ("neuron", "w", "x.astype(int)", "whole"), ("squares", "w", "X.T @ dr", "dr"), ("affine", "b", "dL/db = dL/db", "the slope dL/db"),
]


@pytest.mark.parametrize(("problem", "wrt", "answer", "words"), REFUSED)
def test_what_has_no_one_reading_is_refused_in_one_line(problem: str, wrt: str, answer: str, words: str) -> None:
    try:
        found = verdict(problem, wrt, answer)
    except SymnetError as error:
        assert words in str(error) and "\n" not in str(error)
    else:
        assert not words and found.answer is not Answer.PROVED


SYMBOLS = "\n[symbols]\nz = { shape = ['n'] }\nX = { shape = ['N', 'n'] }\nA = { shape = ['n', 'n'] }\n"
SIMPLIFIED: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "sum(softmax(z))": (("1",), ("2", "n")),
    "mean(softmax(z))": (("1/n",), ("1",)),
    "sum(softmax(X))": (("N",), ("n", "1")),
    "sum(softmax(X), axis=1)": (("ones(N)", "softmax(X).sum(-1)"), ("ones(n)", "2*ones(N)")),
    "X.T @ (X @ z)": (("(X.T@X)@z", "z@X.T@X"), ("X@z", "z", "2*X.T@X@z")),
    "(X@z) @ (X@z)": (("sum((X@z)**2)", "z@X.T@X@z"), ("sum(X@z)",)),
    "(A@A).T": (("A.T@A.T",), ("A@A",)),
    "max(X, axis=1)": (("X.max(-1)", "np.amax(X, 1)"), ("X.min(1)", "X.max(0)")),
    "2*(x/2)": (("x",), ("x/2",)),
}


@pytest.mark.parametrize("goal", SIMPLIFIED)
def test_arrays_are_simplified_too(goal: str) -> None:
    right, wrong = SIMPLIFIED[goal]
    answers = "".join(f'[[answers]]\ntext = "{a}"\n' for a in (*right, *wrong))
    symbols = SYMBOLS if goal != "2*(x/2)" else "\n[symbols]\nx = {}\n"
    found = [r.verdict.answer for r in check_worksheet(parse_worksheet(f'simplify = "{goal}"{symbols}{answers}'))]
    assert found == [Answer.PROVED] * len(right) + [Answer.REFUTED] * len(wrong)


def test_definitions_of_a_worksheet_may_be_one_text() -> None:
    sheet = parse_worksheet("program.definitions = '''\nz = w*x  # the sum\nL = z**2\n'''\n[[answers]]\nwrt = 'w'\ntext = '2*w*x^2'\n")
    assert [r.verdict.answer for r in check_worksheet(sheet)] == [Answer.PROVED]


def test_of_a_point_with_many_names_the_first_are_printed() -> None:
    wide = sn.derive(sn.program("L = sum(x**3)", tensors={"x": (40,)}), wrt=["x"])
    said = str(sn.check("3*x**2 + (sum(x) - sum(x*x))*0 + 1e-3*sum(x)", wide, wrt="x"))
    assert "and 32 more: " in said and len(said) < 400
