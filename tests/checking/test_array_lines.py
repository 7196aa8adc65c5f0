"""Lines about arrays: products, transposes, sums, names of the page's own, lists of numbers; judged for all sizes where possible."""

from __future__ import annotations

from functools import cache

import pytest

import symnet as sn
from symnet.checking.pages.judge import judge_page
from symnet.core.derivation import Derivation
from symnet.core.page_verdict import Errata, Follows, Judged, Mark
from symnet.worksheet_loader import check_page


@cache
def mlp() -> Derivation:
    return sn.derive(sn.program("Z1 = X @ W1 + b1", "A1 = tanh(Z1)", "Z2 = A1 @ W2 + b2", "L = sum((Z2 - Y)**2)/N", tensors={
        "X": ("N", "d"), "Y": ("N", "K"), "W1": ("d", "h"), "b1": ("h",), "W2": ("h", "K"), "b2": ("K",)}), wrt=["W1", "b1", "W2", "b2"])


def judged(page: str, derivation: Derivation | None = None) -> Errata:
    return judge_page(page, derivation or mlp())


RIGHT = {
    "a line of the forward pass": "Z1 = X @ W1 + b1",
    "the gradient at the output": "dL/dZ2 = 2*(Z2 - Y)/N",
    "a slope used by name": "dL/dW2 = A1.T @ dL/dZ2",
    "delta by its usual name": "dL/dW2 = A1.T @ D2",
    "a sum over the batch": "dL/db2 = sum(dL/dZ2, axis=0)",
    "entry by entry": "dL/dZ1 = dL/dA1 * (1 - A1**2)",
    "from the start": "dL/dW2 = A1.T @ (2*(A1 @ W2 + b2 - Y)/N)",
    "curly derivatives": "∂L/∂W₁ = X^T ∂L/∂Z₁",
    "LaTeX": r"$\frac{\partial L}{\partial W_2} = A_1^\top \frac{\partial L}{\partial Z_2}$",
    "names as in code": "dW1 = X.T @ dZ1",
    "names as in PyTorch": "W2.grad = A1.T @ Z2.grad",
    "a chain": "dL/dA1 = dL/dZ2 @ W2.T = (2*(Z2 - Y)/N) @ W2.T",
}


@pytest.mark.parametrize("line", RIGHT.values(), ids=RIGHT)
def test_right_lines_follow_and_hold_for_all_sizes(line: str) -> None:
    found = judged(line).judged
    assert found
    for j in found:
        assert (j.mark, j.follows, j.note) == (Mark.RIGHT, Follows.YES, "for all sizes")


WRONG = {  # a line, words of the slip
    "transposed": ("dL/dW2 = D2.T @ A1", "transposed"),
    "a factor": ("dL/dW2 = A1.T @ (Z2 - Y)/N", "a factor 2"),
    "summed over the wrong axis": ("dL/db2 = sum(D2, axis=1)", "wrong axis"),
    "the slope of tanh": ("dL/dZ1 = dL/dA1 * (1 - A1)", "A1"),
    "a line of the forward pass": ("Z1 = X @ W1", ""),
}


@pytest.mark.parametrize(("line", "words"), WRONG.values(), ids=WRONG)
def test_wrong_lines_are_wrong_with_the_slip(line: str, words: str) -> None:
    (j,) = judged(line).judged
    assert (j.mark, j.follows, j.carried) == (Mark.WRONG, Follows.NO, False)
    assert words in j.slip
    assert j.correct


def letters(found: Errata) -> list[str]:
    def one(j: Judged) -> str:
        return f"follows from {j.from_line}" if j.carried else j.mark.value

    return [one(j) for j in found.judged]


def test_names_of_the_page_are_used_from_then_on() -> None:
    page = "E2 = 2*(Z2 - Y)/N\nE1 = (E2 @ W2.T) * (1 - A1**2) = dL/dZ1\ndL/dW1 = X.T @ E1\ndL/db1 = sum(E1, axis=0)"
    assert letters(judged(page)) == ["given", "given", "right", "right", "right"]


def test_what_follows_from_a_wrong_formula_names_its_line() -> None:
    page = "dL/dZ2 = (Z2 - Y)/N\ndL/dW2 = A1.T @ ((Z2 - Y)/N)\ndL/db2 = sum((Z2 - Y)/N, axis=0)\ndL/dW2 = A1.T @ dL/dZ2"
    assert letters(judged(page)) == ["wrong", "follows from 1", "follows from 1", "right"]


def test_a_wrong_link_and_what_follows_from_it_in_the_same_line() -> None:
    page = "dL/dA1 = D2 @ W2.T = 2*(Z2 - Y)/N @ W2.T\ndL/dW2 = A1.T @ (Z2 - Y)/N = (A1.T @ Z2 - A1.T @ Y)/N\n"
    assert letters(judged(page)) == ["right", "right", "wrong", "follows from 2"]


def test_names_that_nobody_defined_are_refused_with_a_hint() -> None:
    reasons = [j.slip for j in judged("dL/dW3 = X.T @ D1\ndL/dW1 = X.T @ DD\nZ1 = X @ W11 + b1").undecided]
    for reason, words in zip(reasons, ("'W2'", "DD", "'W1'"), strict=True):
        assert words in reason


def test_a_product_that_does_not_fit_is_wrong_with_the_reason() -> None:
    (j,) = judged("dL/dW1 = X @ D1").judged
    assert j.mark is Mark.WRONG
    assert "equal inner sizes" in j.slip


def test_numbers_need_sizes_and_values() -> None:
    (j,) = judged("Z1 = [1, 2, 3]").judged
    assert (j.mark, "sizes and values" in j.slip) == (Mark.UNDECIDED, True)


LISTS = {
    "right": ("z1 = [0.3775, 0.3925]", Mark.RIGHT, ""),
    "one entry is wrong": ("z1 = [0.3775, 0.3952]", Mark.WRONG, "wrong at place 2"),
    "rows": ("dL/dW2 = [[0.0822, -0.0226], [0.0827, -0.0227]]", Mark.RIGHT, ""),
    "too many": ("z1 = [0.3775, 0.3925, 1]", Mark.UNDECIDED, "3 numbers; expected 2"),
}


@pytest.mark.parametrize(("line", "mark", "words"), LISTS.values(), ids=LISTS)
def test_lists_of_numbers_are_judged_entry_by_entry(line: str, mark: Mark, words: str) -> None:
    (j,) = judged(line, sn.load("two-two-two")).judged
    assert j.mark is mark
    assert words in j.slip


def test_entries_are_numbers() -> None:
    page = "z1_1 = 0.3775\na1_1 = sigmoid(z1_1) ≈ 0.593\nL = 0.298\ndL/da2_1 = a2_1 - y_1 = 0.741"
    found = judged(page, sn.load("two-two-two"))
    assert {j.mark for j in found.judged} == {Mark.RIGHT}
    assert len(found.judged) == 6


LOGISTIC = r"""```toml
[symbols]
X = { shape = ["m", "n"] }
w = { shape = ["n"] }
b = {}
y = { shape = ["m"] }
[program]
definitions = ["z = X @ w + b", "a = sigmoid(z)"]
objective = "-mean(y*log(a) + (1-y)*log(1-a))"
wrt = ["w", "b"]
```
$$\frac{\partial L}{\partial z} = \frac{1}{m}(a - y)$$
$$\frac{\partial L}{\partial w} = X^\top \frac{\partial L}{\partial z} = \frac{1}{m} X^\top (a - y)$$
dw = X.T @ (a - y) / m
db = mean(a - y)
db = sum(a - y)
dz = a - y
dw = X.T @ (a - y)
"""


def test_a_hand_in_about_logistic_regression() -> None:
    found = check_page(LOGISTIC)
    assert letters(found) == ["right"] * 5 + ["wrong", "wrong", "follows from 17"]
    assert found.first_wrong is not None
    assert found.first_wrong.line == 16
    assert "1/m" in found.first_wrong.slip
