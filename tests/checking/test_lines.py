"""A page becomes chains, rows, stated numbers and prose; nothing is lost."""

from __future__ import annotations

import pytest

from symnet.checking.lines import Chain, Prose, Row, Stated, read_lines
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
    "not a formula": ("we know that z = 2 * x holds", []),
    "not a number with a unit": ("it takes t = 2ms of time", []),
}


@pytest.mark.parametrize(("text", "found"), STATED.values(), ids=STATED)
def test_numbers_stated_in_prose(text: str, found: list[tuple[str, str]]) -> None:
    lines = list(read_lines(text))
    assert [(s.left, s.value) for s in lines if isinstance(s, Stated)] == found
    assert any(isinstance(s, Prose) for s in lines) is (not found)


PROSE = ["Forward Pass Calculation:", "Compute the derivative of the loss.", "= 3", "x =", "3 = 3", "a || b", "(x) = ", "≈"]


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
    assert sum(isinstance(line, Chain) for line in lines) == 22
    assert sum(isinstance(line, Row) for line in lines) == 15
