"""The shipped page has exactly the known verdicts; changed pages change exactly the verdicts they should."""

from __future__ import annotations

from functools import cache

import pytest

import symnet as sn
from symnet.checking.errata import judge_page
from symnet.core.derivation import Derivation
from symnet.core.errata import Errata, Judged, Mark
from symnet.worksheets.builtin import lines_text

PAGE = lines_text("worked-example.txt")


@cache
def first() -> Derivation:
    return sn.load("first")


@cache
def judged() -> Errata:
    return judge_page(PAGE, first())


FOLLOWS = "it follows from the rounded or wrong numbers before it"
CUT = "the digits were cut off, not rounded"
WRONG = [  # line, name, printed, correct, the slip; "" where no single slip gives the printed number
    (36, "y at x = 20", "0.524", "0.881", "sigmoid gives 0.524 at about 0.0961, but its input here is 2"),
    (37, "y at x = 30", "0.574", "0.953", "sigmoid gives 0.574 at about 0.298, but its input here is 3"),
    (38, "y at x = 40", "0.622", "0.982", "sigmoid gives 0.622 at about 0.498, but its input here is 4"),
    (39, "y at x = 50", "0.668", "0.993", "sigmoid gives 0.668 at about 0.699, but its input here is 5"),
    (40, "y at x = 60", "0.711", "0.998", "sigmoid gives 0.711 at about 0.900, but its input here is 6"),
    (60, "a1", "0.768", "0.769", CUT),
    (64, "z2", "0.222", "0.215", ""),
    (65, "a2", "0.555", "0.553", FOLLOWS),
    (69, "Loss", "0.175", "0.199", ""),
    (78, "da2/dz2", "0.246", "0.247", CUT),
    (80, "dLoss/dw2", "-0.054", "-0.170", "0.246 (da2/dz2) was put in again where a1 belongs"),
    (81, "dLoss/db2", "-0.219", "-0.221", FOLLOWS),
    (85, "da1/dz1", "0.181", "0.178", ""),
    (87, "dLoss/dw1", "-0.032", "-0.063", "the factor x was left out"),
    (88, "dLoss/db1", "-0.071", "-0.031", ""),
    (93, "w1'", "0.503", "0.506", FOLLOWS),
    (94, "b1'", "0.207", "0.203", FOLLOWS),
    (95, "w2'", "0.805", "0.817", FOLLOWS),
]
RIGHT = [  # line, name, printed
    (21, "y at x = 20", "2"), (22, "y at x = 30", "3"), (23, "y at x = 40", "4"), (24, "y at x = 50", "5"),
    (25, "y at x = 60", "6"), (33, "w", "0.1"), (46, "x", "2"), (50, "w1", "0.5"), (51, "b1", "0.2"), (52, "w2", "0.8"),
    (53, "b2", "-0.4"), (59, "z1", "w1 * x + b1"), (59, "z1", "0.5 * 2 + 0.2"), (59, "z1", "1.2"), (60, "a1", "sigmoid(z1)"),
    (60, "a1", "sigmoid(1.2)"), (64, "z2", "w2 * a1 + b2"), (65, "a2", "sigmoid(z2)"), (68, "y", "1"),
    (69, "Loss", "(a2 - y)^2"), (76, "dLoss/da2", "2 * (a2 - y)"), (76, "dLoss/da2", "-0.89"),
    (78, "da2/dz2", "sigmoid'(z2)"), (78, "da2/dz2", "sigmoid(z2) * (1 - sigmoid(z2))"),
    (80, "dLoss/dw2", "dLoss/da2 * da2/dz2 * dz2/dw2"), (81, "dLoss/db2", "dLoss/da2 * da2/dz2 * dz2/db2"),
    (85, "da1/dz1", "sigmoid'(z1)"), (85, "da1/dz1", "sigmoid(z1) * (1 - sigmoid(z1))"),
    (87, "dLoss/dw1", "dLoss/da2 * da2/dz2 * dz2/da1 * da1/dz1 * dz1/dw1"),
    (88, "dLoss/db1", "dLoss/da2 * da2/dz2 * dz2/da1 * da1/dz1 * dz1/db1"), (91, "alpha", "0.1"),
    (93, "w1'", "w1 - alpha * dLoss/dw1"), (94, "b1'", "b1 - alpha * dLoss/db1"), (95, "w2'", "w2 - alpha * dLoss/dw2"),
    (96, "b2'", "b2 - alpha * dLoss/db2"), (96, "b2'", "-0.378"),
]


def test_the_wrong_numbers_of_the_page_and_how_they_came_about() -> None:
    assert [(j.line, j.name, j.printed, j.correct, j.slip) for j in judged().wrong] == WRONG


def test_the_right_claims_of_the_page() -> None:
    assert [(j.line, j.name, j.printed) for j in judged().right] == RIGHT
    assert (len(judged().right), len(judged().wrong)) == (36, 18)


def test_nothing_is_undecided_and_prose_is_counted() -> None:
    rest = [j for j in judged().judged if j.mark not in (Mark.RIGHT, Mark.WRONG)]
    assert {j.mark for j in rest} == {Mark.PUT_IN}
    assert (len(rest), judged().skipped) == (14, 24)


def test_what_follows_from_earlier_numbers_is_marked_as_carried() -> None:
    assert {j.name for j in judged().wrong if j.carried} == {j[1] for j in WRONG if j[4] == FOLLOWS}


def test_the_summary_has_one_line_for_each_wrong_number() -> None:
    lines = str(judged()).splitlines()
    assert len(lines) == 18
    assert lines[13] == "line 87: dLoss/dw1 is printed as -0.032; it is -0.063 (-0.062816485); the factor x was left out"


def changed(line: int, old: str, new: str, whole: bool = False) -> Errata:
    """The verdicts on the page with the last ``old`` of one line replaced; of its section, up to that line, unless ``whole``."""
    lines = PAGE.splitlines()
    head, found, tail = lines[line - 1].rpartition(old)
    assert found
    lines[line - 1] = head + new + tail
    if not whole:
        start = max(k for k, text in enumerate(lines[:line]) if text.startswith("#"))
        lines = [""] * start + lines[start:line]
    return judge_page("\n".join(lines), first())


def at(errata: Errata, line: int, name: str) -> Judged:
    """What was said of the last number of a line."""
    return [j for j in errata.judged if (j.line, j.name) == (line, name)][-1]


NUMBERS = [(line, name, printed) for line, name, printed in RIGHT if printed.lstrip("-").replace(".", "").isdigit()]


def digit_changes(printed: str) -> list[str]:
    """The number with each of its digits moved by one."""
    places = [k for k, c in enumerate(printed) if c.isdigit()]
    return [printed[:k] + str((int(printed[k]) + 1) % 10) + printed[k + 1:] for k in places]


@pytest.mark.parametrize(("line", "name", "printed"), NUMBERS, ids=[f"{n} = {p} (line {k})" for k, n, p in NUMBERS])
def test_a_right_number_with_one_digit_changed_is_wrong(line: int, name: str, printed: str) -> None:
    for other in digit_changes(printed):
        found = at(changed(line, printed, other), line, name)
        assert (found.printed, found.mark, found.correct) == (other, Mark.WRONG, printed)


@pytest.mark.parametrize(("line", "name", "printed", "correct"), [w[:4] for w in WRONG], ids=[f"{w[1]} (line {w[0]})" for w in WRONG])
def test_a_wrong_number_put_right_is_right(line: int, name: str, printed: str, correct: str) -> None:
    assert at(changed(line, printed, correct), line, name).mark is Mark.RIGHT


def test_one_number_put_right_leaves_the_other_verdicts_as_they_are() -> None:
    after = changed(85, "0.181", "0.178", whole=True)
    assert [j[:4] for j in WRONG if j[0] != 85] == [(j.line, j.name, j.printed, j.correct) for j in after.wrong]
    assert len(after.right) == 37


FORMULAS = {
    "a sign": (59, "w1 * x + b1", "w1 * x - b1", "z1"),
    "a factor": (76, "2 * (a2 - y)", "(a2 - y)", "dLoss/da2"),
    "a link of the chain": (80, "dLoss/da2 * da2/dz2 * dz2/dw2", "dLoss/da2 * dz2/dw2", "dLoss/dw2"),
    "the wrong layer": (78, "sigmoid'(z2)", "sigmoid'(z1)", "da2/dz2"),
    "uphill": (96, "b2 - α * dLoss/db2", "b2 + α * dLoss/db2", "b2'"),
}


@pytest.mark.parametrize(("line", "old", "new", "name"), FORMULAS.values(), ids=FORMULAS)
def test_a_wrong_formula_is_found_though_its_number_stands(line: int, old: str, new: str, name: str) -> None:
    after = changed(line, old, new)
    (found,) = [j for j in after.wrong if (j.line, j.printed) == (line, new.replace("α", "alpha"))]
    assert found.name == name
    assert found.slip.startswith("this formula gives ")


def test_a_line_that_cannot_be_read_is_undecided_and_the_rest_is_judged() -> None:
    errata = judge_page("q = foo(3) = 7.5\nz1 = w1 * x + b1 = 1.2", first())
    assert [j.mark for j in errata.judged] == [Mark.UNDECIDED, Mark.RIGHT, Mark.RIGHT]
    assert "'q'" in errata.judged[0].slip


def test_a_page_of_prose_has_no_verdicts() -> None:
    errata = judge_page("Nothing is claimed here.\n\nNor here.", first())
    assert (errata.judged, errata.skipped) == ((), 2)


def test_the_pages_own_definitions_end_with_their_section() -> None:
    page = "# One\nLet us set v = 3.\nv = 3\n# Two\nv = 4"
    assert [j.mark for j in judge_page(page, first()).judged] == [Mark.RIGHT]


@pytest.mark.parametrize("text", ["z1 = __import__('os')", "z1 = <script>", r"z1 = \input{x}", "z1 = " + "9" * 5000, "z1 = 1/0"])
def test_hostile_lines_are_undecided_and_never_run(text: str) -> None:
    marks = [j.mark for j in judge_page(text, first()).judged]
    assert Mark.RIGHT not in marks
