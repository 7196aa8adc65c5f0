"""Programs as people write them: the compiled value is NumPy's, the compiled gradient that of finite differences, at several sizes."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from itertools import accumulate

import numpy as np
import pytest

import symnet as sn
from symnet.errors import SymnetError
from symnet.parsing.program import lines_of, program

Function = Callable[[np.ndarray], float]
Sizes = tuple[tuple[int, ...], ...]
ROW, MATRIX, SQUARE = ((1,), (2,), (4,)), ((1, 1), (2, 3), (3, 1)), ((1, 1), (2, 2), (3, 3))


def running(x: np.ndarray, state: float) -> float:
    for v in x:
        state = np.tanh(state / 2 + v)
    return float(state)


def smoothed(x: np.ndarray) -> np.ndarray:
    """Weights 1, 2, 3 on the entry before, the entry and the entry behind; 0 outside."""
    wide = np.r_[0, x, 0]
    return wide[:-2] + 2 * wide[1:-1] + 3 * wide[2:]


def softmax(X: np.ndarray) -> np.ndarray:
    e = np.exp(X - X.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def largest_before(x: np.ndarray) -> float:
    h = [x[0]]
    for t in range(1, len(x)):
        h.append(max(h[i] * x[t - 1 - i] for i in range(t)) + x[t])
    return float(sum(v**2 for v in h))


def best_split(x: np.ndarray) -> float:
    """Matrix chain order, with max for min."""
    n = len(x)
    c = {(i, i): x[i] for i in range(n)}
    for gap in range(1, n):
        for i in range(n - gap):
            j = i + gap
            c[i, j] = max(c[i, k] + c[k + 1, j] + x[i] * x[j] * x[k] for k in range(i, j))
    return float(c[0, n - 1])


def aligned(x: np.ndarray) -> float:
    """The best way through a grid, to the right or down to the right."""
    n = len(x)
    q = np.zeros((n, n))
    for j in range(n):
        for i in range(n):
            before = 0.0 if i == j == 0 else -2 if j == 0 else q[i, j - 1] if i == 0 else max(q[i, j - 1], q[i - 1, j - 1])
            q[i, j] = x[i] * x[j] + before
    return float(q[-1, -1])


def at_ends(x: np.ndarray) -> np.ndarray:
    """What stands before an entry times what stands behind it, 2 at the ends."""
    wide = np.r_[0, x, 0]
    return np.where((np.arange(len(x)) == 0) | (np.arange(len(x)) == len(x) - 1), 2, wide[:-2] * wide[2:])


def second(x: np.ndarray) -> np.ndarray:
    wide = np.r_[0, x, 0]
    return wide[:-2] - 2 * wide[1:-1] + wide[2:]


PROGRAMS: dict[str, tuple[str, tuple[str | int, ...], Function, Sizes]] = {
    # max, min and prod
    "the largest of each row": ("L = sum(max(X, axis=1)**2)", ("N", "d"), lambda X: (X.max(1) ** 2).sum(), MATRIX),
    "of a whole matrix": ("L = np.max(X)**2 + X.min()", ("N", "d"), lambda X: X.max() ** 2 + X.min(), MATRIX),
    "a product": ("L = prod(X)", ("N", "d"), lambda X: X.prod(), MATRIX),
    "products of columns": ("L = sum(np.prod(X, axis=0)**2)", ("N", "d"), lambda X: (X.prod(0) ** 2).sum(), MATRIX),
    "a negative axis, kept": ("L = sum(X*np.amin(X, axis=-2, keepdims=True))", ("N", "d"), lambda X: (X * X.min(0)).sum(), MATRIX),
    "within a sum": ("L = sum(prod(X[n])*max(X[n, :]) for n in 1..N)", ("N", "d"), lambda X: (X.prod(1) * X.max(1)).sum(), MATRIX),
    "with an index on the left": ("h[n] = max(X[n, :]) + X[n, 1]; L = sum(h**2)", ("N", "d"), lambda X: ((X.max(1) + X[:, 0]) ** 2).sum(), MATRIX),
    "of a product": ("L = sum(max(X.T @ X, axis=0))", ("N", "d"), lambda X: (X.T @ X).max(0).sum(), MATRIX),
    "one of the other": ("L = prod(max(X, axis=0))", ("N", "d"), lambda X: X.max(0).prod(), MATRIX),
    "at a size that is a number": ("L = max(x)*min(x) + prod(x)", (4,), lambda x: x.max() * x.min() + x.prod(), ((4,),)),
    "a softmax by hand": ("m = X.max(axis=1, keepdims=True)\nE = exp(X - m)\nP = E/sum(E, axis=1, keepdims=True)\nL = sum(P**2)", ("N", "d"),
                          lambda X: (softmax(X) ** 2).sum(), MATRIX),
    # recurrences
    "from 1": ("a[1] = tanh(x[1])\na[t] = tanh(a[t-1]/2 + x[t])\nL = a[T]", ("T",), lambda x: running(x, 0), ROW),
    "from 0": ("a[0] = 0; a[t] = tanh(a[t-1]/2 + x[t]); L = a[T]", ("T",), lambda x: running(x, 0), ROW),
    **{f"by {c}": (f"a[t] = tanh(({yes} if {c} else {no})/2 + x[t]); L = a[T]", ("T",), lambda x: running(x, 0), ROW) for c, yes, no in (
        ("t > 1", "a[t-1]", "0"), ("t >= 2", "a[t-1]", "0"), ("t != 1", "a[t-1]", "0"), ("t - 1 >= 1", "a[t-1]", "0"),
        ("1 < t", "a[t-1]", "0"), ("t == 1", "0", "a[t-1]"), ("t < 2", "0", "a[t-1]"))},
    "zeros around": ("c[t] = (x[t-1] if t - 1 >= 1 else 0) - 2*x[t] + (x[t+1] if t < T else 0); L = sum(c**2)", ("T",),
                     lambda x: (second(x) ** 2).sum(), ROW),
    "zeros around a window": ("c[t] = sum((x[t+p-2] if 1 <= t+p-2 <= T else 0)*p for p in 1..3) for t in 1..T; L = sum(c**2)", ("T",),
                              lambda x: (smoothed(x) ** 2).sum(), ROW),
    "zeros around by and": ("c[t] = sum((x[t+p-2] if t+p-2 >= 1 and t+p-2 <= T else 0)*p for p in 1..3) for t in 1..T; L = sum(c**2)", ("T",),
                            lambda x: (smoothed(x) ** 2).sum(), ROW),
    # maxima and products of earlier values, in pieces, and between ends that depend on other letters
    "a maximum of earlier values": ("h[1] = x; h[t] = max(h[t-1, i]*x[t] for i in 1..T) + x; L = sum(h[T])", ("T",),
                                    lambda x: reduce(lambda h, v: max(h * v) + x, x[1:], x).sum(), ROW),
    "a product of earlier values": ("h[0] = 1; h[t] = tanh(prod(h[t-1]*x[i] for i in 1..T) + x[t]); L = h[T]", ("T",),
                                    lambda x: reduce(lambda h, v: np.tanh(h ** len(x) * x.prod() + v), x, 1.0), ROW),
    "a running maximum of earlier values": ("h[0] = x; h[t] = cummax(h[t-1])*x[t] + x; L = sum(h)", ("T",),
                                            lambda x: sum(accumulate(x, lambda h, v: np.maximum.accumulate(h) * v + x, initial=x)).sum(), ROW),
    "under a condition": ("h[t] = (1 if t == 1 else max(x[i]*h[t-1] for i in 1..T))*x[t]; L = h[T]**2", ("T",),
                          lambda x: reduce(lambda h, v: max(x * h) * v, x[1:], x[0]) ** 2, ROW),
    "with places to the left": ("h[0] = 1; h[t+1] = (max(x[i]*h[t-1] for i in 1..T) if t > 0 else 2)*x[t+1]; L = h[T]**2", ("T",),
                                lambda x: reduce(lambda h, v: (h[1], max(x * h[0]) * v), x[1:], (1, 2 * x[0]))[1] ** 2, ROW),
    "two maxima, in two pieces": ("m[1] = max(x[i] for i in 1..T); m[t] = max(x[i]*x[t] for i in 1..T) for t in 2..T; L = sum(m)", ("T",),
                                  lambda x: max(x) + sum(max(x * v) for v in x[1:]), ROW),
    "the largest so far": ("h[t] = max(x[i] for i in 1..t) for t in 1..T; L = sum(h**2)", ("T",), lambda x: (np.maximum.accumulate(x)**2).sum(), ROW),
    "the product from here on": ("h[t] = prod(x[i] for i in t..T) for t in 1..T; L = sum(h)", ("T",), lambda x: np.cumprod(x[::-1]).sum(), ROW),
    "the product before": ("L = sum(prod(1 - x[i] for i in 1..t-1)*x[t] for t in 1..T)", ("T",),
                           lambda x: (np.cumprod(np.r_[1, 1 - x[:-1]]) * x).sum(), ROW),
    "the largest of all before": ("h[1] = x[1]; h[t] = max(h[i]*x[t-i] for i in 1..t-1) + x[t]; L = sum(h**2)", ("T",), largest_before, ROW),
    "the largest in a window": ("h[t] = max(x[i] for i in t-2..t) for t in 3..T; h[1] = x[1]; h[2] = x[2]; L = sum(h**2)", ("T",),
                                lambda x: (x[:2] ** 2).sum() + sum(max(x[t - 2:t + 1]) ** 2 for t in range(2, len(x))), ((2,), (6,))),
    "the best split": ("C[i, j] = (x[i] if i == j else max(C[i, k] + C[k+1, j] + x[i]*x[j]*x[k] for k in i..j-1) if i < j else 0) for i in 1..T "
                       "for j in 1..T; L = C[1, T]", ("T",), best_split, ROW),
    "of pairs": ("L = max(x[i]*x[j]*j for i in 1..T for j in 1..i)", ("T",),
                 lambda x: max(x[i] * x[j] * (j + 1) for i in range(len(x)) for j in range(i + 1)), ROW),
    "of sums": ("L = max(sum(x[j] for j in 1..i) for i in 1..T)", ("T",), lambda x: max(np.cumsum(x)), ROW),
    "from the second on": ("L = max(x[i] for i in 2..T)", ("T",), lambda x: max(x[1:]), ((2,), (5,))),
    # conditions: what is not there is not read, and nothing is computed where it is not defined
    "the entry before, or 1": ("a[i] = (1 if i == 1 else x[i-1])*x[i]; L = sum(a)", ("n",), lambda x: (np.r_[1, x[:-1]] * x).sum(), ROW),
    "neither end": ("b[i] = (2 if i == 1 or i == n else x[i-1]*x[i+1])*x[i]; L = sum(b**2)", ("n",), lambda x: ((at_ends(x) * x) ** 2).sum(), ROW),
    "neither end, said otherwise": ("b[i] = (x[i-1]*x[i+1] if not (i == 1 or i == n) else 2)*x[i]; L = sum(b**2)", ("n",),
                                    lambda x: ((at_ends(x) * x) ** 2).sum(), ROW),
    "or, decided by the first": ("b[i] = (2 if i == 1 or x[i-1] > 0 else x[i-1])*x[i]; L = sum(b)", ("n",),
                                 lambda x: (np.r_[2, np.where(x[:-1] > 0, 2, x[:-1])] * x).sum(), ROW),
    "and, decided by the first": ("b[i] = (x[i-1] if i > 1 and x[i-1] > 0 else 3)*x[i]; L = sum(b)", ("n",),
                                  lambda x: (np.r_[3, np.where(x[:-1] > 0, x[:-1], 3)] * x).sum(), ROW),
    "or counts": ("L = sum((x > 1 or x < 0)*x) + sum([i == 1 or j == 1]*x[i]*x[j] for i in 1..n for j in 1..n)", ("n",),
                  lambda x: x[(x > 1) | (x < 0)].sum() + x[0] * (2 * x.sum() - x[0]), ROW),
    "cases in cases": ("b[i] = (x[i] if x[i] > 1/2 or (x[i] < 0 and i > 2) else x[i]**2 if not (x[i] > -1 and i > 1) else 3*x[i]); L = sum(b)", ("n",),
                       lambda x: np.where((x > 0.5) | ((x < 0) & (np.arange(len(x)) > 1)), x,
                                          np.where(~((x > -1) & (np.arange(len(x)) > 0)), x**2, 3 * x)).sum(), ROW),
    "a place that need not be there": ("b[i] = (x[1] if i == 1 else x[2]*x[i] if i <= 3 else x[3]); L = sum(b**2) + sum(x)", ("n",),
                                       lambda x: x.sum() + x[0] ** 2 + sum((x[1] * v) ** 2 for v in x[1:3]) + sum(x[2] ** 2 for _ in x[3:]), ROW),
    "a band of places": ("L = sum((x[i]*x[j] if abs(i - j) <= 1 else 2) for i in 1..n for j in 1..n)", ("n",),
                         lambda x: sum(x[i] * x[j] if abs(i - j) <= 1 else 2 for i in range(len(x)) for j in range(len(x))), ROW),
    "cases that rule others out": ("Q[i, j] = x[i]*x[j] + (0 if i == 1 and j == 1 else -2 if j == 1 and i > 1 else Q[i, j-1] if i == 1 else "
                                   "max(Q[i, j-1], Q[i-1, j-1])) for i in 1..n for j in 1..n; L = Q[n, n]", ("n",), aligned, ROW),
    "the same case twice": ("b[i] = (1 if x[i] > 0 else 2 if x[i] > 0 else 3*x[i]); L = sum(b*x)", ("n",), lambda x: (np.where(x > 0, 1, 3 * x) * x).sum(), ROW),
    "a case that never holds": ("b[i] = (x[i] if x[i] > 0 and x[i] <= 0 else 3*x[i]); L = sum(b*x)", ("n",), lambda x: 3 * (x**2).sum(), ROW),
    "a band": ("L = sum(where(0 < x < 1, log(x/(1 - x)), x))", ("n",),
               lambda x: np.where((x > 0) & (x < 1), np.log(np.where((x > 0) & (x < 1), x / (1 - x), 1)), x).sum(), ((2,), (8,))),
    "off the diagonal": ("L = sum((1/(x[i] - x[j]) if i != j else 0)*x[i]**2 for i in 1..n for j in 1..n)", ("n",),
                         lambda x: sum(x[i] ** 2 / (x[i] - x[j]) for i in range(len(x)) for j in range(len(x)) if i != j), ROW),
    "below the diagonal": ("L = sum((log(abs(x[i] - x[j])) if i < j else 0)*x[i] for i in 1..n for j in 1..n)", ("n",),
                           lambda x: sum(x[i] * np.log(abs(x[i] - x[j])) for j in range(len(x)) for i in range(j)), ROW),
    "divided by a place": ("L = sum([i > 1]*x[i]/(i - 1) for i in 1..n) + sum((x[i]**2/(i - 1) if i > 1 else 3*x[i]) for i in 1..n)", ("n",),
                           lambda x: (x[1:] / np.arange(1, len(x))).sum() + (x[1:] ** 2 / np.arange(1, len(x))).sum() + 3 * x[0], ROW),
    "shares of nothing": ("P[i] = (sum(exp(x[i]*x[k])*x[k] for k in 1..i-1)/sum(exp(x[i]*x[k]) for k in 1..i-1) if i > 1 else 0) for i in 1..n; L = sum(P)",
                          ("n",), lambda x: sum(softmax(x[i] * x[:i]) @ x[:i] for i in range(1, len(x))), ROW),
    "the logarithm of a sum of nothing": ("P[i] = (log(sum(exp(x[i]*x[k]) for k in 1..i-1)) if i > 1 else 0) for i in 1..n; L = sum(P)", ("n",),
                                          lambda x: sum(np.log(np.exp(x[i] * x[:i]).sum()) for i in range(1, len(x))), ROW),
    "charges": ("L = sum(x[i]*x[j]/sqrt((x[i] - x[j])**2 + (i - j)**2) for i in 1..n for j in i+1..n)", ("n",),
                lambda x: sum(x[i] * x[j] / np.hypot(x[i] - x[j], i - j) for j in range(len(x)) for i in range(j)), ROW),
    # sums whose ends depend on other letters
    "above the diagonal": ("L = sum(X[i, j]**2 for i in 1..n for j in i+1..n)", ("n", "n"), lambda X: (np.triu(X, 1) ** 2).sum(), SQUARE),
    "up to the diagonal": ("L = sum(X[i, j]**2 for i in 1..n for j in 1..i)", ("n", "n"), lambda X: (np.tril(X) ** 2).sum(), SQUARE),
    "with an end on the left": ("S[i] = sum(x[j] for j in i+1..n) for i in 1..n; L = sum(S**2)", ("n",),
                                lambda x: sum(x[i + 1:].sum() ** 2 for i in range(len(x))), ROW),
    "an empty range": ("L = sum(x[j] for j in 5..2) + sum(x**2)", (6,), lambda x: (x**2).sum(), ((6,),)),
    # arrays as NumPy writes them
    "methods": ("L = ((X.mean(0)**2).sum() + X.T.dot(X).trace())/len(X)", ("N", "d"), lambda X: ((X.mean(0) ** 2).sum() + (X**2).sum()) / len(X), MATRIX),
    "rows and columns": ("L = sum(X[:, 1]*X[:, d]) + sum(X[1, :]**3)", ("N", "d"), lambda X: (X[:, 0] * X[:, -1]).sum() + (X[0] ** 3).sum(), MATRIX),
    "new axes": ("Y = X[:, None, :] - X[None]; L = sum(Y**2)/X.size", ("N", "d"), lambda X: ((X[:, None] - X[None]) ** 2).sum() / X.size, MATRIX),
    "einsum": ("L = np.einsum('ij,jk,ki', X, X.T, X @ X.T)", ("N", "d"), lambda X: np.trace(X @ X.T @ X @ X.T), MATRIX),
    "comparisons count": ("L = sum((X > 0)*X**2) + (X > 0).mean() + (X > 0).astype(float).sum()", ("N", "d"),
                          lambda X: ((X > 0) * X**2).sum() + (X > 0).mean() + (X > 0).sum(), MATRIX),
    "a unit matrix": ("L = sum((X + 2*I) @ X)", ("n", "n"), lambda X: ((X + 2 * np.eye(len(X))) @ X).sum(), SQUARE),
    "Kronecker's square": ("L = sum(kron(X, X) @ kron(X[:, 1], X[:, 1]))", ("n", "n"),
                           lambda X: (np.kron(X, X) @ np.kron(X[:, 0], X[:, 0])).sum(), SQUARE),
    # numbers of any length
    "many digits": ("L = 0.79788456080286535587989211986876373*sum(x**2) + 1e-30", ("n",), lambda x: 0.7978845608028654 * (x**2).sum(), ROW),
    "long integers": (f"L = {'9' * 100}*sum(x**2)/{'9' * 99}", ("n",), lambda x: 10 * (x**2).sum(), ROW),
    "exponents": ("L = sum(abs(x)**2.5001)*e^(-0.3775)", ("n",), lambda x: (abs(x) ** 2.5001).sum() * np.exp(-0.3775), ROW),
}


@pytest.mark.parametrize(("text", "shape", "function", "sizes"), PROGRAMS.values(), ids=PROGRAMS)
def test_an_ordinary_program_is_what_numpy_makes_of_it(text: str, shape: tuple[str | int, ...], function: Function, sizes: Sizes) -> None:
    name = "X" if "X" in text else "x"
    compiled = sn.derive(program(text, tensors={name: shape}), wrt=[name]).compile()
    for seed, size in enumerate(sizes):
        x = np.random.default_rng(seed).normal(size=size)
        with np.errstate(all="raise", under="ignore"):  # nothing is computed where it is not defined
            value, gradients = compiled({name: x})
        assert float(value) == pytest.approx(float(function(x)), rel=1e-12)
        assert gradients[name] == pytest.approx(differences(function, x), rel=1e-5, abs=1e-6)


def differences(function: Function, x: np.ndarray, step: float = 1e-6) -> np.ndarray:
    out = np.zeros_like(x)
    for place in np.ndindex(*x.shape):
        ahead, behind = x.copy(), x.copy()
        ahead[place] += step
        behind[place] -= step
        out[place] = (function(ahead) - function(behind)) / (2 * step)
    return out


@pytest.mark.parametrize(("text", "x", "value", "slope"), [
    ("L = sum((1/sqrt(x[i]) if x[i] > 0 else x[i]**2) for i in 1..n)", [4, -1], 1.5, [-1 / 16, -2]),
    ("L = sum(x[i]/sqrt(sum((x[i] - x[j])**2 for k in 1..3)) for i in 1..n for j in i+1..n)", [4, 1], 4 / 27**0.5, [-1 / 243**0.5, 4 / 243**0.5]),
])
def test_exact_values_ask_only_for_what_is_looked_at(text: str, x: list[int], value: float, slope: list[float]) -> None:
    at = sn.derive(program(text, tensors={"x": ("n",)}), wrt=["x"]).at({"x": x})
    assert float(at.ball("L").mid()) == pytest.approx(value, rel=1e-12)
    assert [float(b.mid()) for b in at.ball("dL_dx")] == pytest.approx(slope, rel=1e-12)


def test_an_empty_maximum_is_refused() -> None:
    for text in ("h[t] = max(x[i] for i in 1..t-1) for t in 1..T", "h[t] = max(x[i] for i in t..T-1) for t in 1..T"):
        with pytest.raises(SymnetError, match="which may be empty or change; expected as 1..n; try: a condition around it that says"):
            program(text, "L = sum(h)", tensors={"x": ("T",)})


@pytest.mark.parametrize("zeros", [(), (1,), (0, 2), (0, 1, 2)])
def test_the_slope_of_a_product_is_the_product_of_the_others_whatever_is_zero(zeros: tuple[int, ...]) -> None:
    x = np.array([0.5, -2.0, 3.0])
    x[list(zeros)] = 0
    for shape in (("n",), (3,)):
        _, gradients = sn.derive(program("L = prod(x)", tensors={"x": shape}), wrt=["x"]).compile()({"x": x})
        assert gradients["x"] == pytest.approx([np.delete(x, k).prod() for k in range(3)], abs=0)


@pytest.mark.parametrize("shape", [("n",), (3,)], ids=["n", "3"])
def test_of_entries_that_tie_the_first_gets_the_slope(shape: tuple[str | int, ...]) -> None:
    for text, where in (("L = max(x)", 1), ("L = min(x)", 0)):
        _, gradients = sn.derive(program(text, tensors={"x": shape}), wrt=["x"]).compile()({"x": np.array([1.0, 2.0, 2.0])})
        assert gradients["x"].tolist() == np.eye(3)[where].tolist()


SPELLED = {  # texts of several lines, and how many lines they are
    "breaks": (("z = w*x\nL = z**2",), 2), "semicolons": (("z = w*x; L = z**2",), 2), "a list": ((["z = w*x", "L = z**2"],), 2),
    "comments and blanks": (("# two lines\nz = w*x  # the sum; of one\n\nL = z**2\n",), 2), "within a bracket": (("L = (w*x +\n  1)**2",), 1),
    "empty parts": (("z = w*x;;\n;L = z**2;",), 2), "apart": (("z = w*x", "L = z**2"), 2),
}


@pytest.mark.parametrize(("texts", "count"), SPELLED.values(), ids=SPELLED)
def test_a_text_may_hold_several_lines(texts: tuple[str, ...], count: int) -> None:
    assert len(lines_of(texts)) == count == len(program(*texts).definitions)


def test_an_error_names_the_line_and_the_column_of_the_text() -> None:
    with pytest.raises(SymnetError) as caught:
        program("z = w*x  # fine\n\nL = z**2 +* 1")
    assert str(caught.value).startswith("line 3, column 11: '*'")


REFUSED = {  # and what would be accepted
    "a part of an axis": ("L = sum(x[1:3])", ("n",), "sum(x[t] for t in 2..T)"), "no such axis": ("L = sum(x, axis=2)", ("n",), "an axis from 0 to 0"),
    "no such method": ("L = x.summ()", ("n",), "did you mean 'sum'"), "a word of two readings": ("L = 2/xx", (), "a/(x*x)"),
    "a transpose without a dot": ("L = sum(xT)", ("T",), "x*T for a product"), "letters that do not fit": ("L = einsum('ij', x)", ("n",), "one letter for each axis"),
    "a maximum of no known range": ("a[t] = max(x[t-1]*x) for t in 2..T; L = sum(a)", ("T",), ""), "no range": ("c[t] = x[t-1]*x[t-3]", ("T",), ""),
    "two ranges and a comma": ("h[t, s] = x[t] for t in 2..T, s in 1..S; L = sum(h)", ("T",), "try: for t in … for s in …"),
    "two ranges in a sum": ("L = sum(x[t]*s for t in 2..T, s in 1..S)", ("T",), "',' between two ranges; expected 'for' before each index"),
    "a place by a condition": ("L = sum(x[(i+1 if i < n else 1)] for i in 1..n)", ("n",), "an index of x that depends on a condition"),
    "a size and a line of one name": ("m[i] = 2*x[i] for i in 1..m; L = sum(m)", ("n",), "'m', an array, as an end of the range of i"),
    "a reshape that moves": ("L = sum(reshape(x, 2, 3))", (6,), "axes of size 1"), "a sum of nothing": ("L = sum()", ("n",), "0 arguments"),
    "code": ("L = __import__('os')", ("n",), "maths"), "a lookalike": ("L = ѕum(x)", ("n",), "maths"), "a digit of another script": ("L = x*٣", ("n",), "maths"),
    "a long number": ("L = " + "9" * 100_000, ("n",), "at most 12000"), "deep brackets": ("L = " + "(" * 500 + "x" + ")" * 500, ("n",), "at most"),
    "deep places": ("L = " + "x[" * 300 + "1" + "]" * 300, ("n",), "at most"), "sums of sums": ("L = " + "sum_n " * 300 + "x_n", ("n",), ""),
}


@pytest.mark.parametrize(("text", "shape", "words"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused_says_in_one_line_what_would_do(text: str, shape: tuple[str | int, ...], words: str) -> None:
    try:
        program(text, tensors={"x": shape})
    except SymnetError as error:
        assert words in str(error) and "\n" not in str(error)
    else:
        assert not words


@pytest.mark.parametrize(("text", "value"), [("ab + a", "ab"), ("ba", "a*b"), ("2ba", "a*b"), ("aab", "two")])
def test_a_declared_name_goes_before_a_product(text: str, value: str) -> None:
    tensors = {"a": (), "b": (), "ab": ()}
    if value == "two":  # a ab, or a a b
        with pytest.raises(SymnetError, match=r"a\*ab or a\*a\*b"):
            program(f"L = {text}", tensors=tensors)
    else:
        assert value in str(program(f"L = {text}", tensors=tensors))


def test_a_number_that_no_float_holds_is_refused_when_compiled() -> None:
    with pytest.raises(SymnetError, match="float64"):
        sn.derive(program(f"L = {'9' * 400}*sum(x)", tensors={"x": ("n",)}), wrt=["x"]).compile()


def test_an_objective_may_have_keywords() -> None:
    assert str(program(tensors={"X": ("N", "d")}, objective="sum(max(X, axis=1))").definitions[-1]) == "L := Sum(max_X[n, d], (n, 1, N))"
    assert len(program("sum(softmax(X), axis=1)", tensors={"X": ("N", "d")}).definitions) == 1
