"""The same slip has the same kind and the same hint in an answer, on a line of a page and in a NumPy function."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

import symnet as sn
from symnet.checking.pages.judge import judge_page
from symnet.checking.slips.kinds import KINDS
from symnet.core.derivation import Derivation
from symnet.core.page_verdict import Mark
from symnet.core.verdict import Answer

ND, HH = ("N", "d"), ("h", "h")
PROGRAMS: dict[str, tuple[tuple[str, ...], str, dict[str, Any] | None]] = {
    "deep": (("A = tanh(X @ U)", "B = tanh(A @ V)", "C = tanh(B @ W)", "o = C @ u", "L = sum((o - y)**2)/N + c*sum(u**2)"), "U V W u",
             {"X": ND, "U": ("d", "h"), "V": HH, "W": HH, "u": ("h",), "y": ("N",), "c": ()}),
    "softmax": (("Z = X @ W + b", "P = softmax(Z)", "L = -sum(Y*log(P))/N"), "W b",
                {"X": ND, "W": ("d", "k"), "b": ("k",), "Y": ("N", "k")}),
    "squares": (("Z = X @ W + b", "L = sum((Z - Y)**2)/N"), "W b", {"X": ND, "W": ("d", "k"), "b": ("k",), "Y": ("N", "k")}),
    "three steps": (("f = tanh(w*x)", "g = tanh(w*p + r*f)", "h = tanh(w*q + r*g)", "L = (h - y)**2"), "w r", None),
    "norm": (("m = sum(x)/n", "s = sum((x - m)**2)/n", "v = (x - m)/sqrt(s + c)", "L = sum(v*t)"), "x",
             {"x": ("n",), "t": ("n",), "c": ()}),
}
CODE = {
    "deep": """def backward(X, U, V, W, u, y, c):
    N = len(y)
    A = np.tanh(X @ U)
    B = np.tanh(A @ V)
    C = np.tanh(B @ W)
    o = C @ u
    do = 2 * (o - y) / N
    dC = np.outer(do, u) * (1 - C**2)
    dB = (dC @ W.T) * (1 - B**2)
    dA = (dB @ V.T) * (1 - A**2)
    return {"u": C.T @ do + 2 * c * u, "W": B.T @ dC, "V": A.T @ dB, "U": X.T @ dA}
""",
    "softmax": """def backward(X, W, b, Y):
    N = len(X)
    E = np.exp(X @ W + b)
    P = E / E.sum(axis=1, keepdims=True)
    dZ = (P * Y.sum(axis=1, keepdims=True) - Y) / N
    return {"W": X.T @ dZ, "b": dZ.sum(axis=0)}
""",
    "squares": """def backward(X, W, b, Y):
    N = len(X)
    dZ = 2 * (X @ W + b - Y) / N
    return {"W": X.T @ dZ, "b": dZ.sum(axis=0)}
""",
    "three steps": """def backward(w, r, x, p, q, y):
    f = np.tanh(w * x)
    g = np.tanh(w * p + r * f)
    h = np.tanh(w * q + r * g)
    dh = 2 * (h - y) * (1 - h**2)
    dg = dh * r * (1 - g**2)
    df = dg * r * (1 - f**2)
    return {"w": dh * q + dg * p + df * x, "r": dh * g + dg * f}
""",
    "norm": """def backward(x, t, c):
    n = len(x)
    m = x.mean()
    s = ((x - m)**2).mean()
    i = 1 / np.sqrt(s + c)
    ds = (t * (x - m)).sum() * (-1 / 2) * i**3
    dm = -t.sum() * i
    return {"x": t * i + ds * 2 * (x - m) / n + dm / n}
""",
}
E_ = "outer(2*(o - y)/N, u)"
DC = f"({E_}*(1 - C**2))"
DB = f"(({DC} @ W.T)*(1 - B**2))"
G = "2*(h - y)*(1 - h**2)"
NORM = "t/sqrt(s + c) - sum(t*(x - m))/(s + c)**(3/2)*(x - m)/n - sum(t)/sqrt(s + c)/n"

# program, wrt, the wrong answer, what is changed in the code, the kind
SAME = [
    ("deep", "W", f"B.T @ {E_}", ("* (1 - C**2)", ""), "missing activation slope"),
    ("deep", "V", f"A.T @ ({DC} @ W.T)", ("(dC @ W.T) * (1 - B**2)", "dC @ W.T"), "missing activation slope"),
    ("deep", "W", "B.T @ (outer(2*(y - o)/N, u)*(1 - C**2))", ("(o - y)", "(y - o)"), "difference reversed"),
    ("deep", "W", f"-B.T @ {DC}", ("B.T @ dC", "-B.T @ dC"), "sign"),
    ("deep", "W", "B.T @ (outer((o - y)/N, u)*(1 - C**2))", ("2 * (o - y)", "(o - y)"), "constant"),
    ("deep", "W", "B.T @ (outer(2*(o - y), u)*(1 - C**2))", ("(o - y) / N", "(o - y)"), "sum for mean"),
    ("deep", "W", f"({DC}).T @ B", ("B.T @ dC", "dC.T @ B"), "transposed answer"),
    ("deep", "W", f"B.T @ ({E_}*(1 - tanh(C)**2))", ("1 - C**2", "1 - np.tanh(C)**2"), "slope at the output"),
    ("deep", "W", f"B.T @ ({E_}*(1 - (B @ W)**2))", ("1 - C**2", "1 - (B @ W)**2"), "slope at the output"),
    ("deep", "W", f"B.T @ ({E_}*C*(1 - C))", ("(1 - C**2)", "C * (1 - C)"), "slope of another activation"),
    ("deep", "W", f"B.T @ ({E_}*C)", ("(1 - C**2)", "C"), "value for the slope"),
    ("deep", "W", f"B.T @ ({E_}*(1 - C**2)**2)", ("(1 - C**2)", "(1 - C**2)**2"), "doubled chain factor"),
    ("deep", "W", f"A.T @ {DC}", ("B.T @ dC", "A.T @ dC"), "wrong variable"),
    ("deep", "V", f"A.T @ (({DC} @ V.T)*(1 - B**2))", ("dC @ W.T", "dC @ V.T"), "wrong variable"),
    ("deep", "V", f"A.T @ (({DC} @ W)*(1 - B**2))", ("dC @ W.T", "dC @ W"), "transposed factor"),
    ("deep", "u", "C.T @ (2*(o - y)/N)", ("C.T @ do + 2 * c * u", "C.T @ do"), "missing use"),
    ("deep", "u", "C.T @ (2*(o - y)/N) - 2*c*u", ("do + 2 * c * u", "do - 2 * c * u"), "sign of a term"),
    ("deep", "u", "C.T @ (2*(o - y)/N) + c*u", ("2 * c * u", "c * u"), "missing exponent"),
    ("deep", "W", f"A.T @ {DB}", ('"W": B.T @ dC', '"W": A.T @ dB'), "another gradient"),
    ("softmax", "W", "X.T @ (P - Y)/N", ("P * Y.sum(axis=1, keepdims=True)", "P"), "hidden assumption"),
    ("squares", "b", "2*(Z - Y)/N", ("dZ.sum(axis=0)", "dZ"), "missing batch sum"),
    ("squares", "b", "sum(2*(Z - Y)/N, axis=1)", ("dZ.sum(axis=0)", "dZ.sum(axis=1)"), "wrong axis"),
    ("three steps", "r", f"{G}*g", (" + dg * f", ""), "missing use"),
    ("three steps", "w", f"{G}*q", (" + dg * p + df * x", ""), "one use alone"),
    ("three steps", "w", f"{G}*(q + r*(1 - g**2)*p)", (" + df * x", ""), "missing use"),
    ("three steps", "r", f"{G}*(g + r*f)", ("r * (1 - g**2)", "r"), "missing activation slope"),
    ("three steps", "r", f"{G}*(g + (1 - g**2)*f)", ("dh * r * (1 - g**2)", "dh * (1 - g**2)"), "missing chain factor"),
    ("norm", "x", NORM.rpartition(" - ")[0], (" + dm / n", ""), "missing use"),
    ("norm", "x", "t/sqrt(s + c)", (" + ds * 2 * (x - m) / n + dm / n", ""), "one use alone"),
]


@cache
def derivation(name: str) -> Derivation:
    lines, wrt, tensors = PROGRAMS[name]
    return sn.derive(sn.program(*lines, tensors=tensors), wrt=wrt.split())


def function(name: str, old: str = "", new: str = "") -> Any:
    assert old in CODE[name]
    space: dict[str, Any] = {}
    exec("import numpy as np\n" + CODE[name].replace(old, new, 1) if old else "import numpy as np\n" + CODE[name], space)
    return space["backward"]


IDS = [f"{s[4]}: {s[0]} {s[1]} {k}" for k, s in enumerate(SAME)]


@pytest.mark.parametrize(("name", "wrt", "answer", "change", "kind"), SAME, ids=IDS)
def test_an_answer(name: str, wrt: str, answer: str, change: tuple[str, str], kind: str) -> None:
    found = sn.diagnose(answer, derivation(name), wrt)
    assert found is not None and (found.kind, found.hint) == (kind, KINDS[kind].ask), found


@pytest.mark.parametrize(("name", "wrt", "answer", "change", "kind"), SAME, ids=IDS)
def test_a_line_of_a_page(name: str, wrt: str, answer: str, change: tuple[str, str], kind: str) -> None:
    (line,) = judge_page(f"dL/d{wrt} = {answer}", derivation(name)).judged
    assert line.mark is Mark.WRONG and (line.kind, line.hint) == (kind, KINDS[kind].ask), line


@pytest.mark.parametrize(("name", "wrt", "answer", "change", "kind"), SAME, ids=IDS)
def test_a_numpy_function(name: str, wrt: str, answer: str, change: tuple[str, str], kind: str) -> None:
    found = sn.check_code(function(name, *change), derivation(name))[wrt]
    assert found.verdict.answer is Answer.REFUTED and found.slip is not None, found
    assert (found.slip.kind, found.slip.hint) == (kind, KINDS[kind].ask), found


@pytest.mark.parametrize("name", PROGRAMS)
def test_what_is_right_has_no_slip(name: str) -> None:
    d = derivation(name)
    found = sn.check_code(function(name), d)
    assert found and all(j.slip is None for j in found.judged)
    for wrt in d.wrt:
        assert sn.diagnose(d.closed_form(wrt), d, wrt) is None if not d.program[wrt].axes else True


def test_a_program_is_a_claim_too() -> None:
    d = derivation("squares")
    tensors = PROGRAMS["squares"][2]
    right = sn.program("P = X @ W + b", "R = P - Y", "D = 2*R/N", "G = X.T @ D", tensors=tensors)
    assert sn.diagnose(right, d, "W") is None
    for lines, wrt, kind in ((("R = X @ W + b - Y", "G = X.T @ (R/N)"), "W", "constant"),
                             (("R = Y - X @ W - b", "G = X.T @ (2*R/N)"), "W", "sign"),
                             (("R = X @ W + b - Y", "D = 2*R/N", "G = sum(D, axis=1)"), "b", "wrong axis"),
                             (("R = X @ W + b - Y", "G = 2*R/N"), "b", "missing batch sum")):
        found = sn.diagnose(sn.program(*lines, tensors=tensors), d, wrt)
        assert found is not None and found.kind == kind, (lines, found)


LOOPS = sn.derive(sn.Sequential(sn.RNN("d", "h", steps="T")), sn.HalfSquaredError())
BACKWARD = """def backward(X, W1_ih, W1_hh, b1_ih, b1_hh, Y):
    N, T, _ = X.shape
    h = np.zeros((N, T + 1, W1_hh.shape[0]))
    for t in range(T):
        h[:, t + 1] = np.tanh(X[:, t] @ W1_ih.T + h[:, t] @ W1_hh.T + b1_ih + b1_hh)
    back = np.zeros_like(h[:, 0])
    dW = np.zeros_like(W1_ih)
    for t in reversed(range(T)):
        dz = (1 - h[:, t + 1]**2) * (h[:, t + 1] - Y[:, t] + back)
        dW += dz.T @ X[:, t]
        back = dz @ W1_hh
    return {"W1_ih": dW}
"""
IN_LOOPS = [
    ("dW += dz", "dW = dz", "only the first step"),
    ("back = dz @ W1_hh", "pass", "missing time"),
    ('"W1_ih": dW', '"W1_ih": dW[::-1]', "flipped"),
    ('"W1_ih": dW', '"W1_ih": dW.reshape(-1)', "shape"),
]


@pytest.mark.parametrize(("old", "new", "kind"), IN_LOOPS, ids=[kind for _, _, kind in IN_LOOPS])
def test_slips_in_loops(old: str, new: str, kind: str) -> None:
    space: dict[str, Any] = {}
    assert old in BACKWARD
    exec("import numpy as np\n" + BACKWARD.replace(old, new), space)
    found = sn.check_code(space["backward"], LOOPS, {"N": 2, "T": 4, "d": 3, "h": 5})["W1_ih"]
    assert found.slip is not None and found.slip.kind == kind, found
