"""What stands beside a claim on a page: numbers of equations, reasons, labels, sentences about something else, hats, entries."""

from __future__ import annotations

import pytest

from symnet.core.page_verdict import Errata, Mark
from symnet.worksheet_loader import check_page

NEURON = """```toml
[symbols]
x = { value = "2" }
y = { value = "1" }
w = { value = "1/2" }
[program]
definitions = ["z = w*x", "a = sigmoid(z)"]
objective = "(a - y)**2"
wrt = ["w"]
learning_rate = "1/10"
```
"""
ONE = NEURON.replace('x = { value = "2" }', 'x = { value = "1" }')
LINE = """```toml
[symbols]
v = { shape = ["m"] }
u = { shape = ["m"] }
c = {}
t = {}
[program]
definitions = ["s = v @ u + c", "E = (s - t)**2"]
wrt = ["v", "c"]
```
"""
MATRICES = """```toml
[symbols]
A = { shape = ["n", "k"] }
B = { shape = ["k", "m"] }
[program]
definitions = ["F = A @ B", "G = tanh(F)", "J = sum(G)"]
wrt = ["A", "B"]
```
"""


def marks(sheet: str, *lines: str) -> list[list[str]]:
    """The marks of each line."""
    found, first = judged(sheet, *lines), sheet.count("\n") + 1
    return [[j.mark.value for j in found.judged if j.line == first + k] for k in range(len(lines))]


def judged(sheet: str, *lines: str) -> Errata:
    return check_page(sheet + "\n".join(lines), timeout=None)


@pytest.mark.parametrize("label", ["   (7)", "\t(12)", "  (a)", "  (iv)", "  (3.1)", " (because dE/ds = 2(s - t))", " (using the chain rule)"])
def test_a_label_or_a_reason_behind_a_formula_is_no_factor(label: str) -> None:
    assert marks(LINE, f"dE/dc = 2(s - t){label}", f"dE/dc = (s - t){label}") == [["right"], ["wrong"]]


@pytest.mark.parametrize("label", [r"\qquad (7)", r"\quad(a)", r"\tag{4.2}", r"\hspace{1cm} (3)"])
def test_a_label_behind_latex_is_no_factor(label: str) -> None:
    assert marks(LINE, rf"$\frac{{\partial E}}{{\partial c}} = 2(s - t) {label}$", rf"$\frac{{\partial E}}{{\partial c}} = \frac{{2(s - t)}}{{3}} {label}$") \
        == [["right"], ["wrong"]]


def test_a_bracket_in_a_product_stays_a_factor() -> None:
    assert marks(LINE, "dE/dc = 2 (s - t)", "dE/dc = (s - t) (2)", "dE/dc = (s - t)(3)") == [["right"], ["right"], ["wrong"]]


@pytest.mark.parametrize("between", [r", \quad ", r";\;", r" \qquad ", r" \text{ and } ", ", "])
def test_equations_side_by_side_are_judged_one_by_one(between: str) -> None:
    assert marks(MATRICES, rf"$$F = AB{between}G = \tanh(F)$$", rf"$$F = AB{between}G = \sin(F)$$") == [["right", "right"], ["right", "wrong"]]


def test_an_entry_is_not_the_array() -> None:
    lines = (r"$\frac{\partial E}{\partial v_1} = 2(s - t) u_1$", r"$\frac{\partial E}{\partial v_1} = 2(s - t) u$", "$v_1 = v$", r"$\frac{\partial E}{\partial v} = 2(s-t)u$")
    assert marks(LINE, *lines) == [["right"], ["wrong"], ["wrong"], ["right"]]


def test_d_theta_is_a_slope() -> None:
    assert marks(LINE, "$dv = 2(s - t) u$", "$dv = (s - t) u$") == [["right"], ["wrong"]]


def test_a_word_a_colon_and_a_number_claim_nothing_unless_the_word_is_a_name() -> None:
    assert marks(NEURON, "Step: 1", "Step: 2", "Exercise: 3", "Exercise: 4", "a: 0.731", "dL/dw: 0.3") == [[], [], [], [], ["right"], ["wrong"]]


@pytest.mark.parametrize("sentence", ["The gradient of w = -0.2115", "So the slope with respect to w = -0.2115 here.", "The change in w = 0.02",
                                      "The error of w = 3"])
def test_a_sentence_about_something_else_gives_a_name_no_value(sentence: str) -> None:
    assert marks(NEURON, sentence, "L ≈ 0.0723")[1] == ["right"]


def test_a_sentence_that_gives_a_value_still_does() -> None:
    assert marks(NEURON, "Now take a value of w = 3.", "z = 6")[1] == ["right"]


def test_a_column_of_slopes_is_one_of_slopes() -> None:
    table = ["| parameter | gradient |", "|---|---|", "| w | -0.2115 |", "| w | 0.5 |", "", "L ≈ 0.0723"]
    assert marks(NEURON, *table) == [[], [], ["right"], ["wrong"], [], ["right"]]
    assert marks(NEURON, "| weight | change |", "|---|---|", "| w | 0.0212 |", "", "L ≈ 0.0723") == [[], [], [], [], ["right"]]


def test_the_new_loss_is_the_loss_after_the_step() -> None:
    assert marks(NEURON, "w_new ≈ 0.52115", "L_new ≈ 0.06797", "new a ≈ 0.7393", "L_new ≈ 0.0723") == [["right"], ["right"], ["right"], ["wrong"]]
    (prime,) = judged(NEURON, "a' = a(1 - a)").judged
    assert prime.mark is Mark.UNDECIDED and "a slope or a new value" in prime.slip


def test_a_hat_belongs_to_the_name() -> None:
    assert marks(NEURON, r"$\hat{y} = \sigma(wx) \approx 0.731$", r"$L = (\hat y - y)^2 \approx 0.0723$", r"$\hat y \approx 0.5$") \
        == [["given", "right"], ["right", "right"], ["wrong"]]


def test_a_given_number_in_place_of_its_name_is_a_condition_and_a_factor_left_out_is_wrong() -> None:
    found = judged(ONE, "dL/dw = 2(a - y)a(1 - a)", "dL/dw = 2(a - y)a(1 - a)x", "dL/dw = 2(a - 1)a(1 - a)x", "dL/dw = 2(a - y)a(2 - a)x")
    assert [(j.mark.value, j.condition) for j in found.judged] == [("wrong", ""), ("right", ""), ("right", "y = 1"), ("wrong", "")]
    (wrong,) = judged(NEURON, "dL/dw = 2(a - y)a(1 - a)").judged
    assert wrong.mark is Mark.WRONG
