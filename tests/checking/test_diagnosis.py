"""Every kind of slip by its name: a program, a wrong answer, the kind, what the message must say. Each slip undone is checked by
finite differences of the loss, which knows nothing of the chain rule."""

from __future__ import annotations

import random
import re
from functools import cache
from typing import Any

import pytest
import sympy as sp

import symnet as sn
from symnet.calculus.evaluate import evaluate
from symnet.calculus.jacobian import jacobian
from symnet.checking.slips.kinds import KINDS, Mistake
from symnet.checking.slips.search import diagnose
from symnet.core.derivation import Derivation
from symnet.core.program import Program
from symnet.errors import SymnetError

N, ND, DH = ("n",), ("N", "d"), ("d", "h")
PROGRAMS: dict[str, tuple[tuple[str, ...], str, dict[str, Any] | None]] = {
    "net": (("z1 = w1*x + b1", "a1 = sigmoid(z1)", "z2 = w2*a1 + b2", "a2 = sigmoid(z2)", "L = (a2 - y)**2"), "w1 b1 w2 b2", None),
    "tanh": (("z = w*x + b", "a = tanh(z)", "L = (a - y)**2/2"), "w b", None),
    "relu": (("z = w*x + b", "a = relu(z)", "L = (a - y)**2/2"), "w b", None),
    "one line": (("L = (sigmoid(w*x + b) - y)**2",), "w b", None),
    "twice": (("h = tanh(w*x)", "o = w*h", "L = (o - y)**2"), "w", None),
    "sin": (("L = x**2*sin(x)",), "x", None),
    "quotient": (("L = u/(1 + u**2)",), "u", None),
    "log": (("L = log(1 + x**2)",), "x", None),
    "log2": (("L = log2(3 + x**2)",), "x", None),
    "power of 2": (("L = 2**(w*x)",), "w", None),
    "hinge": (("L = maximum(0, 1 - y*w*x)",), "w", None),
    "huber": (("z = w*x", "L = (z**2/2 if abs(z) < 1 else abs(z) - 1/2)"), "w", None),
    "difference": (("z = u*v - u", "L = z**3"), "u v", None),
    "squares": (("r = X @ w - y", "L = sum(r**2)/N"), "w y X", {"X": ND, "w": ("d",), "y": ("N",)}),
    "sum of squares": (("r = X @ w - y", "L = sum(r**2)"), "w", {"X": ND, "w": ("d",), "y": ("N",)}),
    "ridge": (("L = sum((X@w - y)**2)/(2*N) + c*sum(w**2)",), "w", {"X": ND, "w": ("d",), "y": ("N",), "c": ()}),
    "layer": (("Z = X @ W", "A = tanh(Z)", "L = sum((A - Y)**2)/2"), "W X", {"X": ND, "W": DH, "Y": ("N", "h")}),
    "bias": (("Z = X @ W + b", "A = relu(Z)", "L = sum((A - Y)**2)/(2*N)"), "W b", {"X": ND, "W": DH, "b": ("h",), "Y": ("N", "h")}),
    "two layers": (("Z = X @ W", "A = sigmoid(Z)", "O = A @ V", "L = sum((O - Y)**2)/N"), "W V",
                   {"X": ND, "W": DH, "V": ("h", "k"), "Y": ("N", "k")}),
    "classes": (("p = softmax(z)", "L = -sum(y*log(p))"), "z", {"z": N, "y": N}),
    "true class": (("p = softmax(z)", "L = -log(sum(y*p))"), "z", {"z": N, "y": N}),
    "true classes": (("P = softmax(Z)", "L = -sum(log(sum(Y*P, axis=1)))/N"), "Z", {"Z": ("N", "k"), "Y": ("N", "k")}),
    "softmax": (("s = softmax(z)", "L = s @ c"), "z", {"z": N, "c": N}),
    "quadratic": (("L = x @ A @ x",), "x", {"A": ("n", "n"), "x": N}),
    "tied": (("h = tanh(W @ x)", "o = W @ h", "L = sum(o*c)"), "W", {"x": N, "c": N, "W": ("n", "n")}),
    "off-diagonal": (("u = c*x + sum(x)*x", "L = sum(u**2)"), "x", {"x": N, "c": N}),
}
JACOBIANS = {"J softmax": (("s = softmax(z)", "L = sum(s)"), "s", "z", {"z": N}), "J tanh": (("a = tanh(z)", "L = sum(a)"), "a", "z", {"z": N}),
             "J linear": (("y = A @ x", "L = sum(y)"), "y", "x", {"x": N, "A": ("m", "n")})}

# program, wrt, answer, kind, what the message says
SLIPS = [
    ("net", "w2", "-2*(a2 - y)*a2*(1 - a2)*a1", "sign", "the sign is wrong"),
    ("net", "w2", "2*(y - a2)*a2*(1 - a2)*a1", "difference reversed", "y - a2 stands where a2 - y belongs"),
    ("net", "w2", "(a2 - y)*a2*(1 - a2)*a1", "constant", "a factor 2 is missing"),
    ("net", "w2", "4*(a2 - y)*a2*(1 - a2)*a1", "constant", "a factor 2 is too much"),
    ("net", "w2", "3*(a2 - y)*a2*(1 - a2)*a1", "constant", "a factor 2/3 is missing"),
    ("net", "w2", "-4*(a2 - y)*a2*(1 - a2)*a1", "constant, sign", "a factor 2 is too much and the sign is wrong"),
    ("net", "w2", "2*(a2 - y)*a2*(1 - a2)", "missing chain factor", "the factor dz2/dw2 = a1 is missing"),
    ("net", "w1", "2*(a2 - y)*a2*(1 - a2)*a1*(1 - a1)*x", "missing chain factor", "the factor dz2/da1 = w2 is missing"),
    ("net", "w2", "2*(a2 - y)*a1", "missing activation slope", "the factor da2/dz2 = a2*(1 - a2) is missing"),
    ("one line", "w", "2*(sigmoid(w*x+b) - y)*x", "missing activation slope", "d(sigmoid(w*x + b))"),
    ("one line", "w", "2*(w*x + b - y)*sigmoid(w*x + b)*(1 - sigmoid(w*x + b))*x", "missing activation", "the activation was left out"),
    ("net", "w2", "a2*(1 - a2)*a1", "missing outer derivative", "the factor dL/da2"),
    ("net", "w2", "2*(y - a2)*a2*(1 - a2)", "missing chain factor, sign", "the factor dz2/dw2 = a1 is missing and the sign is wrong"),
    ("net", "w2", "(a2 - y)*a2*(1 - a2)", "missing chain factor, constant", "the factor dz2/dw2 = a1 is missing and a factor 2 is missing"),
    ("net", "w1", "2*(a2 - y)*a2*(1 - a2)*w2*a1*(1 - a1)*x*x", "doubled chain factor", "the factor dz1/dw1 = x was taken twice"),
    ("net", "w2", "2*(a2 - y)*sigmoid(a2)*(1 - sigmoid(a2))*a1", "slope at the output", "the slope of sigmoid was taken at a2 instead of z2"),
    ("net", "w2", "2*(a2 - y)*(1 - a2**2)*a1", "slope of another activation", "the slope of tanh stands where that of sigmoid belongs"),
    ("net", "w2", "2*(a2 - y)*a2*a1", "value for the slope", "the value of a2 stands where its slope belongs"),
    ("net", "w1", "2*(a2 - y)*a2*(1 - a2)*w1*a1*(1 - a1)*x", "neighbouring weight", "w1 stands where w2 belongs"),
    ("net", "w1", "2*(a2 - y)*a2*(1 - a2)*w2*a2*(1 - a2)*x", "wrong link", "da2/dz2 = a2*(1 - a2) stands where da1/dz1 = a1*(1 - a1) belongs"),
    ("net", "w2", "2*(a2 - y)*a2*(1 - a2)*z1", "wrong variable", "z1 stands where a1 belongs"),
    ("net", "w2", "2*(a1 - y)*a1*(1 - a1)*a2", "swapped variables", "are exchanged"),
    ("net", "w2", "2*(a2 - y)/(a2*(1 - a2))*a1", "inverted chain factor", "the factor da2/dz2 = a2*(1 - a2) is upside down"),
    ("net", "w2", "2*(a2 - y)**2*a2*(1 - a2)*a1", "power not lowered", "the exponent was not lowered in the derivative of (a2 - y)**2"),
    ("net", "w2", "(a2 - y)**3/3*a2*(1 - a2)*a1", "integrated", "(a2 - y)**2 was integrated"),
    ("net", "w2", "2*a2*a2*(1 - a2)*a1", "dropped term", "the term -y is missing"),
    ("net", "w2", "(a2 - y)**2", "not differentiated", "this is L itself"),
    ("net", "b1", "2*(a2 - y)*a2*(1 - a2)*w2*a1*(1 - a1)*x", "another gradient", "this is dL/dw1, not dL/db1"),
    ("net", "w2", "a1", "missing upstream", "only the last factor dz2/dw2 = a1 is there"),
    ("one line", "w", "2*(sigmoid(w*x+b) - y)*(1 - sigmoid(w*x+b))*x", "missing factor", "the factor sigmoid(w*x + b) is missing"),
    ("tanh", "w", "(a - y)*(1 - a)*x", "wrong power", "a stands where a**2 belongs"),
    ("tanh", "w", "(a + y)*(1 - a**2)*x", "sign of a term", "y has the wrong sign"),
    ("tanh", "w", "(a - y)*(1 - sigmoid(z)**2)*x", "another function", "sigmoid stands where tanh belongs"),
    ("tanh", "w", "(a - y)*(1 - a**2)*(w*x)", "extra factor", "the factor w does not belong"),
    ("relu", "w", "(a - y)*x", "missing indicator", "the factor da/dz = step(z) is missing"),
    ("relu", "w", "(a - y)*(1 - step(z))*x", "reversed indicator", "is turned round"),
    ("hinge", "w", "-y*x", "missing indicator", "step(1 - w*x*y) is missing"),
    ("huber", "w", "z*x", "missing case", "right only where"),
    ("twice", "w", "2*(o - y)*h", "missing use", "the use of w in h is missing"),
    ("sin", "x", "2*x*sin(x)", "product rule", "the term x**2*cos(x) of the product rule is missing"),
    ("sin", "x", "2*x*cos(x)", "product of derivatives", "is not the product of the derivatives"),
    ("sin", "x", "x*sin(x) + x**2*cos(x)", "missing exponent", "the exponent did not come down in the derivative of x**2"),
    ("sin", "x", "2*x*sin(x) + x**2*cos(x) + 1", "extra term", "the term 1 is too much"),
    ("sin", "x", "2*x*sin(x) + 2*x**2*cos(x)", "factor of a term", "has a factor 2 too much"),
    ("quotient", "u", "1/(1 + u**2) + 2*u**2/(1 + u**2)**2", "quotient rule sign", "the sign in the quotient rule"),
    ("quotient", "u", "1/(1 + u**2) - 2*u**2/(1 + u**2)", "quotient not squared", "the denominator is not squared"),
    ("log", "x", "2*x*log(1 + x**2)", "log derivative", "was taken as log(x**2 + 1)"),
    ("log2", "x", "2*x/(3 + x**2)", "log base", "a factor 1/ln 2 is missing"),
    ("power of 2", "w", "x*2**(w*x)", "exponential derivative", "instead of log(2)*2**(w*x)"),
    ("squares", "w", "2*X.T @ r", "sum for mean", "a factor 1/N is missing"),
    ("sum of squares", "w", "2/N*X.T @ r", "mean for sum", "a factor N is missing"),
    ("squares", "w", "2/d*X.T @ r", "wrong size", "1/d stands where 1/N belongs"),
    ("squares", "w", "2/N*X.T @ (y - X @ w)", "difference reversed", "belongs"),
    ("squares", "w", "2/N*X @ r", "transposed factor", "X.T"),
    ("squares", "w", "2/N*X.T * r", "elementwise for matrix product", "entry-by-entry product for a matrix product"),
    ("squares", "X", "2/N*outer(w, r)", "transposed answer", "the answer is transposed"),
    ("squares", "w", "2/N*outer(r, w)", "another gradient", "this is dL/dX, not dL/dw"),
    ("squares", "w", "2/N*sum(X.T @ r)", "summed too far", "the sum over d"),
    ("off-diagonal", "x", "2*u*(c + sum(x)) + 2*u*x", "missing off-diagonal terms", "only the diagonal of du/dx"),
    ("ridge", "w", "X.T @ (X@w - y)/N - 2*c*w", "sign of a term", "the term 2*c*w[i] has the wrong sign"),
    ("ridge", "w", "2*X.T @ (X@w - y)/N + 2*c*w", "factor of a term", "a factor 2 too much"),
    ("layer", "W", "X.T @ (A - Y)", "missing activation slope", "the factor dA/dZ = 1 - A[n, j]**2 is missing"),
    ("layer", "W", "((A - Y)*(1 - A**2)) @ X", "wrong order", "X.T @ ((A - Y)*(1 - A**2)) belongs"),
    ("layer", "W", "X.T @ ((A - Y) @ (1 - A**2))", "matrix product for elementwise", "(A - Y)*(1 - A**2) belongs"),
    ("layer", "W", "X.T @ (1 - A**2)", "missing outer derivative", "the factor dL/dA"),
    ("layer", "W", "(A - Y)*(1 - A**2)", "another gradient", "this is dL/dZ, not yet dL/dW"),
    ("bias", "b", "(A - Y)*step(Z)/N", "missing batch sum", "the sum over N"),
    ("bias", "b", "sum((A - Y)*step(Z), axis=1)/N", "wrong axis", "axis=0"),
    ("bias", "b", "sum((A - Y)*step(Z), axis=0, keepdims=True)/N", "extra axis", "axis of size 1"),
    ("bias", "b", "sum((A - Y)*step(Z))/N", "wrong axis", "axis=0"),
    ("bias", "W", "X.T @ (A - Y)/N", "missing indicator", "the factor dA/dZ = step(Z[n, j])"),
    ("two layers", "W", "X.T @ (2/N*(O - Y) @ V.T*A)", "value for the slope", "the value of A"),
    ("two layers", "V", "2/N*X.T @ (O - Y)", "wrong variable", "X stands where A belongs"),
    ("classes", "z", "p - y", "hidden assumption", "right if sum(y[i] for i in 1..n) == 1, which is not declared"),
    ("classes", "z", "-y*(1 - p)", "softmax elementwise", "the terms between different entries are missing"),
    ("true class", "z", "p - y", "hidden assumption", "right if y is one-hot, which is not declared"),
    ("true classes", "Z", "(Y - P)/N", "hidden assumption, sign", "Y is one-hot"),
    ("net", "w2", "2*(a2 - y)*a2*(2 - a2)*a1", "wrong number", "2 - a2 stands where 1 - a2 belongs"),
    ("softmax", "z", "s*(1 - s)*c", "softmax elementwise", "entry by entry"),
    ("softmax", "z", "c", "missing activation slope", "the factor ds/dz is missing"),
    ("quadratic", "x", "2*A @ x", "hidden assumption", "A is symmetric"),
    ("quadratic", "x", "A @ x", "product rule", "is missing"),
    ("tied", "W", "outer(c, h)", "missing use", "the use of W in h is missing"),
    ("J softmax", "z", "diag(s*(1 - s))", "softmax elementwise", "entry by entry"),
    ("J tanh", "z", "1 - a**2", "missing diag", "the diagonal stands alone"),
    ("J linear", "x", "A.T", "jacobian layout", "row and column are exchanged"),
]


@cache
def derivation(name: str) -> Derivation:
    if name in JACOBIANS:
        lines, of, wrt, tensors = JACOBIANS[name]
        return jacobian(sn.program(*lines, tensors=tensors), of, [wrt])
    lines, names, shapes = PROGRAMS[name]
    return sn.derive(sn.program(*lines, tensors=shapes), wrt=names.split())


@cache
def slip(name: str, wrt: str, answer: str) -> Mistake | None:
    return diagnose(answer, derivation(name), wrt)


@pytest.mark.parametrize(("name", "wrt", "answer", "kind", "says"), SLIPS, ids=[f"{s[3]}: {s[2]}" for s in SLIPS])
def test_the_slip_is_named(name: str, wrt: str, answer: str, kind: str, says: str) -> None:
    found = slip(name, wrt, answer)
    assert found is not None
    assert found.kind == kind
    assert says in found.message
    assert found.place and found.hint.endswith("?") and found.why


def inputs(program: Program, seed: int) -> dict[str, Any]:
    """Values for all inputs; sizes are all different."""
    dice = random.Random(seed)
    lengths = {str(s): n for s, n in zip(program.sizes, (3, 2, 4, 5), strict=False)}

    def nested(shape: tuple[Any, ...]) -> Any:
        return sp.Rational(dice.randint(9, 99), 61) if not shape else [nested(shape[1:]) for _ in range(lengths[str(shape[0])])]

    return {t.name: nested(t.shape) for t in program.inputs}


def moved(value: Any, along: Any, step: sp.Rational) -> Any:
    return [moved(v, a, step) for v, a in zip(value, along, strict=True)] if isinstance(value, list) else value + step * along


def product(a: Any, b: Any) -> float:
    return sum(product(x, y) for x, y in zip(a, b, strict=True)) if isinstance(a, list) else float(a) * float(b)


def undone(d: Derivation, wrt: str, text: str) -> list[Program]:
    """The program with the undone answer as its last line, in every reading of its free indices."""
    shapes = {t.name: t.shape for t in d.program.inputs}
    lines = [str(f"{k.name}[{', '.join(map(str, k.indices))}] = " if k.indices else f"{k.name} = ") + sn_text(k) for k in d.program.definitions]
    bound = set(re.findall(r"for (\w+) in", text))
    letters = [c for c in dict.fromkeys(re.findall(r"[a-z]\d?\b", " ".join(re.findall(r"\[(.*?)\]", text)))) if c not in bound]
    axes = len(d.program[wrt].axes)
    orders = [letters, letters[::-1]] if axes and letters else [[]]
    found = []
    for order in orders:
        left = f"G[{', '.join(order)}]" if order else "G"
        try:
            found.append(sn.program(*lines, f"{left} = {text}", tensors={**shapes, **({"G": d.program[wrt].shape} if order else {})}))
        except SymnetError:
            continue
    return found


def sn_text(definition: Any) -> str:
    from symnet.core.text import text

    return text(definition.expr)


@pytest.mark.parametrize(("name", "wrt", "answer"), [s[:3] for s in SLIPS if s[0] not in JACOBIANS], ids=lambda v: str(v)[:50])
def test_the_slip_undone_is_the_slope_of_the_loss(name: str, wrt: str, answer: str) -> None:
    found, d = slip(name, wrt, answer), derivation(name)
    assert found is not None
    point, along, step = inputs(d.program, 1), inputs(d.program, 2)[wrt], sp.Rational(1, 10**6)
    ends = [evaluate(d.program, {**point, wrt: moved(point[wrt], along, s)}).decimal("L", 25) for s in (step, -step)]
    slope = float(sp.Rational(ends[0]) - sp.Rational(ends[1])) / 2e-6
    readings = undone(d, wrt, found.undo)
    assert readings
    values = [product(evaluate(p, point).decimal("G", 20), along) for p in readings]
    assert any(v == pytest.approx(slope, rel=1e-6, abs=1e-9) for v in values)


def test_every_kind_has_a_row_above() -> None:
    elsewhere = {"learning rate", "missing time", "only the last step", "only the first step", "shifted index",  # test_diagnosis_more
                 "one use alone", "flipped", "shape",  # test_slips_at_every_door
                 "eps", "another eps", "number", "assignment", "axis in code", "comparison in code", "transposition in code",  # code
                 "needs_input_grad", "no gradient", "held constant", "sign of a variable", "halves exchanged",  # functions/test_own_backward
                 "arguments exchanged",  # code/test_slips_in_formulas
                 "cut off", "decimal point", "digits exchanged", "wrong argument", "wrong factor",  # test_slips
                 "not exact", "rounded early", "carried", "numbers put in"}  # test_errata, test_carried_errors
    named = {s[3].partition(",")[0] for s in SLIPS} | elsewhere
    assert named <= set(KINDS) and len(named) >= 50
    assert set(KINDS) - named == set()
