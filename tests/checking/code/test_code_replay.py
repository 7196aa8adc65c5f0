"""What tracing cannot see, plain NumPy arrays show: such code is never proved, and what is right on them is never refuted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.core.verdict import Answer
from symnet.errors import SymnetError

ND: dict[str, Any] = {"X": ("N", "d")}
SQUARE = sn.derive(sn.program("L = sum(X**2)/2", tensors=ND), wrt="X")
RELU = sn.derive(sn.program("L = sum(relu(x)*c)", tensors={"x": ("n",), "c": ("n",)}), wrt="x")
LINEAR = sn.derive(sn.program("L = sum(x*c)", tensors={"x": ("n",), "c": ("n",)}), wrt="x")
LABELS = sn.derive(sn.program("L = sum((C - Y)**2)/2", tensors={"C": ("N", "k"), "Y": ("N", "k")}), wrt="C")
MEMORY: dict[Any, Any] = {}


def by_type(X: Any) -> Any:
    return 2 * X if type(X) is np.ndarray else X


def by_instance(X: Any) -> Any:
    return X if not isinstance(X, np.ndarray) or X.dtype == object else X * (1 + (type(X).__name__ == "ndarray"))


def by_attribute(X: Any) -> Any:
    return X if hasattr(X, "mask") or hasattr(X, "maker") else -X


def by_values(X: Any) -> Any:
    try:
        return 3 * X if float(X[0, 0]) > -1e9 else X
    except Exception:
        return X


def kept(X: Any) -> Any:
    if X.shape not in MEMORY:
        MEMORY[X.shape] = X * 1.0
    return MEMORY[X.shape]


def first_rows(X: Any) -> Any:
    return X[:3] if len(X) == 3 else X[:4]


def returned_in_place(x: Any, c: Any) -> Any:
    x *= 0
    x += c
    return x


def viewed(X: Any) -> Any:
    Z = X.astype(float, copy=False)
    Z *= 2
    return X


def counts_in_bytes(x: Any, c: Any) -> Any:
    return c * ((x > 0).astype(np.uint8) - 1) + c


def length_of_a_selection(x: Any, c: Any) -> Any:
    m = x > 0
    g = np.zeros_like(x)
    g[m] = c[m] * len(x[m]) / len(x)
    return g


def size_of_a_selection(x: Any, c: Any) -> Any:
    m = x > 0
    return np.where(m, c, 0) * x[m].size / x.size


def mean_where(x: Any, c: Any) -> Any:
    m = x > 0
    return np.where(m, c, 0) * np.mean(np.ones_like(x), where=m) * np.mean(m)


WRONG: dict[str, tuple[Callable[..., Any], Any]] = {
    **{f.__name__: (f, SQUARE) for f in (by_type, by_instance, by_attribute, by_values, kept, first_rows, viewed)},
    **{f.__name__: (f, RELU) for f in (counts_in_bytes, length_of_a_selection, size_of_a_selection, mean_where)},
    "returned in place": (returned_in_place, LINEAR),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_plain_arrays_contradict_is_never_proved(name: str) -> None:
    MEMORY.clear()
    f, d = WRONG[name]
    if f is by_values:  # what its own try catches is refused all the same
        with pytest.raises(SymnetError, match=r"float\(\)"):
            sn.check_code(f, d)
        return
    found = sn.check_code(f, d)
    assert not found, str(found)
    if found.worst is Answer.UNDECIDED:
        assert "on plain NumPy arrays" in str(found)


def test_the_verdict_says_where_they_part() -> None:
    said = str(sn.check_code(by_type, SQUARE))
    assert "refuted" in said and "on plain NumPy arrays" in said and "at sizes N = 3, d = 2" in said
    assert "what an earlier call left behind" in str(sn.check_code(kept, SQUARE))


def test_labels_that_repeat_tell() -> None:
    def scattered(C: Any, y: Any) -> Any:
        G = np.zeros_like(C)
        G += C
        G[np.arange(len(C)), y] -= 1
        return G

    def one_row_for_each_class(C: Any, y: Any) -> Any:
        rows = np.zeros_like(C)
        for k in range(C.shape[1]):
            rows[:, k] = C[:, k]
        hit = np.zeros(C.shape[1])
        for n, label in enumerate(y):
            rows[n, label] -= 1 - hit[label]  # a class is counted once
            hit[label] = 1
        return rows

    assert sn.check_code(scattered, LABELS, labels={"y": "Y"})["C"].verdict.scope == "for all sizes"
    assert sn.check_code(one_row_for_each_class, LABELS, labels={"y": "Y"}).worst is Answer.REFUTED


def test_a_written_argument_is_told() -> None:
    def centred(x: Any, c: Any) -> Any:
        g = c.copy()
        x -= x.mean()
        return g

    found = sn.check_code(centred, LINEAR)
    assert found and any("writes into its argument x" in note for note in found.notes)
    assert not sn.check_code(lambda x, c: c.copy(), LINEAR).notes


def summed_by_a_loop(x: Any, c: Any) -> Any:
    total, sums = 0.0, []
    for v in c:
        total += v  # a number is no array: what stands in ``sums`` stays
        sums.append(total)
    return np.diff(np.array(sums), prepend=0)


RIGHT: dict[str, tuple[Callable[..., Any], Any]] = {
    "loop": (summed_by_a_loop, LINEAR),
    "diff": (lambda x, c: np.diff(np.cumsum(c), prepend=0), LINEAR),
    "int64": (lambda x, c: c * np.int64(x > 0), RELU),
    "float32": (lambda x, c: c * (x > 0).astype(np.float32), RELU),
    "single": (lambda x, c: np.asarray(c, dtype=np.float32), LINEAR),
    "out": (lambda x, c: np.multiply(c, x > 0, out=np.empty_like(c)), RELU),
    "where": (lambda x, c: np.multiply(c, 1, out=np.zeros_like(c), where=x > 0), RELU),
    "selection": (lambda x, c: (lambda g, m: (g.__setitem__(m, c[m]), g)[1])(np.zeros_like(x), x > 0), RELU),
    "if on shapes": (lambda x, c: c if x.ndim == 1 and x.shape == c.shape else None, LINEAR),
}


@pytest.mark.parametrize("name", RIGHT)
def test_what_is_right_on_them_is_proved(name: str) -> None:
    f, d = RIGHT[name]
    found = sn.check_code(f, d)
    assert bool(found), str(found)


def test_what_is_declared_of_sums_holds_of_some_of_the_data() -> None:
    """Y is no target by its role; still some data meet what is declared, and code that is wrong there is not "right where Σ Y = 1"."""
    d = sn.derive(sn.program("P = softmax(Z)", "L = -sum(Y*log(P))", tensors={"Z": ("N", "k"), "Y": ("N", "k")},
                             assumptions=["sum(Y, axis=1) == 1"]), wrt="Z")

    def right(Z: Any, Y: Any) -> Any:
        e = np.exp(Z - Z.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True) - Y

    def at_large_sizes(Z: Any, Y: Any) -> Any:
        return right(Z, Y) * (2 if len(Z) > 100 else 1)

    found = sn.check_code(right, d)["Z"].verdict
    assert (found.answer, found.scope) == (Answer.CONDITIONAL, "for all sizes") and "Sum(Y" in found.condition
    for wrong in (at_large_sizes, lambda Z, Y: right(Z, Y) * (1 + (type(Z) is np.ndarray))):
        said = sn.check_code(wrong, d)["Z"].verdict
        assert said.answer is Answer.REFUTED and "on plain NumPy arrays" in said.scope, str(said)


def test_rows_of_a_target_that_sum_to_1_are_needed_for_all_sizes() -> None:
    d = sn.derive(sn.Sequential(sn.Linear("d", "k")), sn.CrossEntropyLoss())

    def right(X: Any, Y: Any, W1: Any, b1: Any) -> Any:
        e = np.exp(X @ W1 + b1)
        dz = (e / e.sum(axis=1, keepdims=True) - Y) / len(X)
        return {"W1": X.T @ dz, "b1": dz.sum(axis=0)}

    found = sn.check_code(right, d)
    assert {(j.verdict.answer, j.verdict.condition, j.verdict.scope) for j in found.judged} == {
        (Answer.CONDITIONAL, "each row of Y sums to 1", "for all sizes")}
    without = sn.check_code(lambda X, Y, W1, b1: {n: g * (2 if len(X) > 100 else 1) for n, g in right(X, Y, W1, b1).items()}, d)
    assert {j.verdict.answer for j in without.judged} == {Answer.REFUTED} and "on plain NumPy arrays" in str(without)


def test_values_that_break_what_is_declared_refute_nothing() -> None:
    shapes = {"q": ("n",), "x": ("n",), "y": ("n",)}
    d = sn.derive(sn.program("L = sum(q*abs(x-y))", tensors=shapes, assumptions=["x > y"]), wrt=["x", "q"])
    right = sn.check_code(lambda q, x, y: {"x": q, "q": x - y}, d)
    for found in (right["x"], right["q"]):
        assert found.verdict.answer not in (Answer.REFUTED, Answer.CONDITIONAL), str(found.verdict)
    wrong = sn.check_code(lambda q, x, y: {"x": q, "q": 2 * (x - y)}, d)
    assert wrong["q"].verdict.answer is Answer.REFUTED
