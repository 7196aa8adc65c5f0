"""A page becomes chains, rows, stated numbers and prose; nothing is lost."""

from __future__ import annotations

import pytest

from symnet.checking.pages.page_lines import Chain, Prose, Row, Stated, Unread, read_lines
from symnet.worksheets.builtin import lines_text

CHAINS: dict[str, tuple[str, str, tuple[tuple[str, str], ...]]] = {
    "one link": ("z = w*x", "z", (("=", "w*x"),)),
    "three links": ("z1 = w1 * x + b1 = 0.5 * 2 + 0.2 = 1.2", "z1",
                    (("=", "w1 * x + b1"), ("=", "0.5 * 2 + 0.2"), ("=", "1.2"))),
    "rounded": ("a1 = sigmoid(z1) ≈ 0.768", "a1", (("=", "sigmoid(z1)"), ("≈", "0.768"))),
    "a slope": ("dLoss/dw2 = dLoss/da2 * a1", "dLoss/dw2", (("=", "dLoss/da2 * a1"),)),
    "a primed name": ("w1' = w1 - 0.1", "w1'", (("=", "w1 - 0.1"),)),
    "a label before it": ("Weight (hidden layer): w1 = 0.5", "w1", (("=", "0.5"),)),
    "a full stop after it": ("y = w * x.", "y", (("=", "w * x"),)),
    "a comparison is no link": ("s = 1 if x <= 2 else 0", "s", (("=", "1 if x <= 2 else 0"),)),
    "bold and a list": ("- **dL/dw** = `2(a - y)`", "dL/dw", (("=", "2(a - y)"),)),
    "a numbered list": ("3. dL/dw = a1", "dL/dw", (("=", "a1"),)),
    "a quotation": ("> z = w*x", "z", (("=", "w*x"),)),
    "a power is no emphasis": ("L = (a - y)**2 + (b - c)**2", "L", (("=", "(a - y)**2 + (b - c)**2"),)),
    "curly derivatives and subscripts": ("∂L/∂w₂ = ∂L/∂a₂·a₁", "dL/dw2", (("=", "dL/da2*a1"),)),
    "an assignment": ("z := w*x", "z", (("=", "w*x"),)),
    "an arrow of assignment": ("w ← w - 0.1", "w", (("=", "w - 0.1"),)),
    "a new value in words": ("new w1 = 0.5", "w1_new", (("=", "0.5"),)),
    "a power of ten": ("z = 1.2 × 10^-3", "z", (("=", "1.2e-3"),)),
    "an explanation behind it": ("z = w*x, where w is the weight", "z", (("=", "w*x"),)),
    "a remark in brackets": ("z = 0.769 (rounded to three)", "z", (("=", "0.769"),)),
    "a bracket of letters is no remark": ("dw = X.T @ (a - y)", "dw", (("=", "X.T @ (a - y)"),)),
    "nor one behind a number": ("e = 2 (alpha - y)", "e", (("=", "2 (alpha - y)"),)),
    "nor a name alone": ("e = 2 (alpha)", "e", (("=", "2 (alpha)"),)),
    "equals inside of brackets": ("s = sum(X, axis=0)", "s", (("=", "sum(X, axis=0)"),)),
    "a function of something": ("L(w) = (w*x - y)**2", "L", (("=", "(w*x - y)**2"),)),
    "more than a name on the left": ("so z - b = 2 holds", "z - b", (("=", "2"),)),
    "a slope as PyTorch has it": ("W1.grad = X", "W1_grad", (("=", "X"),)),
    "a left side that is none": ("z_{1}? = 2*3", "z_{1}?", (("=", "2*3"),)),
    "LaTeX without dollars": (r"a_1 = \sigma(z_1)", "a_1", (("=", r"\sigma(z_1)"),)),
    "a minus sign of typography": ("b = −0.4", "b", (("=", "-0.4"),)),
}


@pytest.mark.parametrize(("text", "left", "links"), CHAINS.values(), ids=CHAINS)
def test_a_chain(text: str, left: str, links: tuple[tuple[str, str], ...]) -> None:
    (line,) = read_lines(text)
    assert isinstance(line, Chain)
    assert (line.left, line.links) == (left, links)


STATED: dict[str, tuple[str, list[tuple[str, str]]]] = {
    "in a sentence": ("Let us say we have an input value x = 2.", [("x", "2")]),
    "in brackets": ("as follows: weight (w) = 0.1.", [("w", "0.1")]),
    "two of them": ("Take x = 2 and say y = -1.5 for the rest.", [("x", "2"), ("y", "-1.5")]),
    "inside of brackets": ("Using the same weights (w = 0.1) we go on.", [("w", "0.1")]),
    "with a power of ten": ("With the rate lr = 1e-3 it works.", [("lr", "1e-3")]),
    "not a number with a unit": ("it takes t = 2ms of time", []),
}


@pytest.mark.parametrize(("text", "found"), STATED.values(), ids=STATED)
def test_numbers_stated_in_prose(text: str, found: list[tuple[str, str]]) -> None:
    lines = list(read_lines(text))
    assert [(s.left, s.value) for s in lines if isinstance(s, Stated)] == found
    assert any(isinstance(s, Prose) for s in lines) is (not found)


SEVERAL = {
    "commas": ("x = 2, w1 = 0.5 and b1 = 0.2", [("x", "2"), ("w1", "0.5"), ("b1", "0.2")]),
    "an arrow": ("z1 = 1.2 => a1 = 0.769", [("z1", "1.2"), ("a1", "0.769")]),
    "semicolons": ("z1 = 1.2; a1 = 0.769", [("z1", "1.2"), ("a1", "0.769")]),
    "LaTeX in a sentence": (r"So $z_1 = 1.2$ and $a_1 \approx 0.769$ hold.", [("z_1", "1.2"), ("a_1", "0.769")]),
}


@pytest.mark.parametrize(("text", "wanted"), SEVERAL.values(), ids=SEVERAL)
def test_several_claims_in_a_line(text: str, wanted: list[tuple[str, str]]) -> None:
    found = list(read_lines(text))
    assert [(f.left, f.value if isinstance(f, Stated) else f.links[0][1]) for f in found if isinstance(f, (Chain, Stated))] == wanted


PROSE = ["Forward Pass Calculation:", "Compute the derivative of the loss.", "N = number of samples", "loss = how wrong we are", "x =", "3 = 3", "a || b", "(x) = ", "≈"]


@pytest.mark.parametrize("text", PROSE)
def test_what_claims_nothing_is_no_claim(text: str) -> None:
    assert not [s for s in read_lines(text) if not isinstance(s, Prose)]


TABLE = """Age (x) | Predicted (y)
20 | 2
30 | 3.5
"""


def test_a_table_names_its_columns() -> None:
    rows = list(read_lines(TABLE))
    assert all(isinstance(r, Row) for r in rows)
    assert [(r.number, r.cells, r.claimed) for r in rows if isinstance(r, Row)] == [
        (2, (("x", "20"), ("y", "2")), "y"), (3, (("x", "30"), ("y", "3.5")), "y")]


def test_a_table_without_a_predicted_column_claims_nothing() -> None:
    rows = [r for r in read_lines(TABLE.replace("Predicted", "Condition")) if isinstance(r, Row)]
    assert len(rows) == 2
    assert [r.claimed for r in rows] == ["", ""]


def test_a_heading_starts_a_section() -> None:
    chain, _, other = list(read_lines("# One\nz = 1*x\nprose\n## Two\nz = 2*x"))
    assert isinstance(chain, Chain) and isinstance(other, Chain)
    assert (chain.section, other.section) == ("One", "Two")
    assert (chain.number, other.number) == (2, 5)


def test_rows_under_another_text_do_not_use_the_table_above() -> None:
    assert not [r for r in read_lines("Age (x) | Predicted (y)\nSome words.\n20 | 2") if isinstance(r, Row)]


def test_every_line_of_the_shipped_page_is_accounted_for() -> None:
    page = lines_text("worked-example.txt")
    lines = list(read_lines(page))
    texts = page.splitlines()
    empty = {k for k, t in enumerate(texts, 1) if not t.strip() or t.startswith("#") or "(x) |" in t}
    assert {line.number for line in lines} | empty == set(range(1, len(texts) + 1))
    assert sum(isinstance(line, Chain) for line in lines) == 24
    assert sum(isinstance(line, Stated) for line in lines) == 4
    assert sum(isinstance(line, Row) for line in lines) == 15


def test_a_line_may_go_on_with_a_relation() -> None:
    first, second, third = list(read_lines("dL/dw = 2*(a - y)\n  = 2*e\n  ≈ -0.89"))
    assert isinstance(first, Chain) and isinstance(second, Chain) and isinstance(third, Chain)
    assert (second.left, second.links, third.left, third.links) == ("", (("=", "2*e"),), "", (("≈", "-0.89"),))


def test_a_left_side_may_wait_for_its_line() -> None:
    found = [line for line in read_lines("dL/dw =\n  = 2*(a - y)") if isinstance(line, Chain)]
    assert [(f.number, f.left, f.links) for f in found] == [(2, "dL/dw", (("=", "2*(a - y)"),))]


def test_let_defines() -> None:
    marks = [line.defines for line in read_lines("let e = a - y\ne := a - y\ne = a - y") if isinstance(line, Chain)]
    assert marks == [True, True, False]


def test_rows_of_names_formulas_and_values_are_chains() -> None:
    page = "| what | formula | value |\n|---|---|---|\n| dL/dw2 | 2(a2-y)*a1 | -0.17 |\n| **z1** | | 1.2 |"
    found = [line for line in read_lines(page) if isinstance(line, Chain)]
    assert [(f.left, f.links) for f in found] == [("dL/dw2", (("=", "2(a2-y)*a1"), ("≈", "-0.17"))), ("z1", (("≈", "1.2"),))]


def test_a_line_that_is_too_long_is_no_claim_but_is_told() -> None:
    (line,) = list(read_lines("z = " + "1 + " * 2000 + "1"))
    assert isinstance(line, Unread)
    assert "letters in one line" in line.reason
    assert isinstance(next(iter(read_lines("word " * 2000))), Prose)
