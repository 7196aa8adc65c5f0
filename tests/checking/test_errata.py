"""The shipped page has exactly the known verdicts; changed pages change exactly the verdicts they should."""

from __future__ import annotations

import importlib
import math
import re
from functools import cache

import pytest

import symnet as sn
from symnet.checking.pages.judge import judge_page
from symnet.core.derivation import Derivation
from symnet.core.page_verdict import Errata, Follows, Judged, Mark
from symnet.worksheets.builtin import lines_text

PAGE = lines_text("worked-example.txt")


@cache
def first() -> Derivation:
    return sn.load("first")


@cache
def judged() -> Errata:
    return judge_page(PAGE, first())


CUT = "the digits were cut off, not rounded"
WRONG = [  # line, name, printed, correct, the slip; "" where no single slip gives the printed number
    (36, "y at x = 20", "0.524", "0.881", "sigmoid gives 0.524 at about 0.0961, but its input here is 2"),
    (37, "y at x = 30", "0.574", "0.953", "sigmoid gives 0.574 at about 0.298, but its input here is 3"),
    (38, "y at x = 40", "0.622", "0.982", "sigmoid gives 0.622 at about 0.498, but its input here is 4"),
    (39, "y at x = 50", "0.668", "0.993", "sigmoid gives 0.668 at about 0.699, but its input here is 5"),
    (40, "y at x = 60", "0.711", "0.998", "sigmoid gives 0.711 at about 0.900, but its input here is 6"),
    (60, "a1", "0.768", "0.769", CUT),
    (64, "z2", "0.222", "0.215", ""),
    (65, "a2", "0.555", "0.553", "follows from your line 64 (z2 = 0.222)"),
    (69, "Loss", "0.175", "0.199", ""),
    (78, "da2/dz2", "0.246", "0.247", CUT),
    (80, "dLoss/dw2", "-0.054", "-0.170", "0.246 (da2/dz2) was put in again where a1 belongs"),
    (81, "dLoss/db2", "-0.219", "-0.221", "follows from your line 78 (da2/dz2 = 0.246)"),
    (85, "da1/dz1", "0.181", "0.178", ""),
    (87, "dLoss/dw1", "-0.032", "-0.063", "the factor x is missing"),
    (88, "dLoss/db1", "-0.071", "-0.031", ""),
    (93, "w1'", "0.503", "0.506", "follows from your line 87 (dLoss/dw1 = -0.032)"),
    (94, "b1'", "0.207", "0.203", "follows from your line 88 (dLoss/db1 = -0.071)"),
    (95, "w2'", "0.805", "0.817", "follows from your line 80 (dLoss/dw2 = -0.054)"),
]
RIGHT = [  # line, name, printed
    (18, "y", "0.1 * x"),
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
    assert (len(judged().right), len(judged().wrong)) == (37, 18)


GIVEN = [(3, "w", "0.1"), (7, "y", "w * x"), (12, "x, y", "20, 0"), (13, "x, y", "30, 0"), (14, "x, y", "40, 1"), (15, "x, y", "50, 1"),
         (16, "x, y", "60, 1"), (31, "y", "sigmoid(w * x)")]
PUT_IN = [(64, "0.8 * 0.768 - 0.4", 60), (65, "sigmoid(0.222)", 64), (69, "(0.555 - 1)^2", 65), (76, "2 * (0.555 - 1)", 65),
          (78, "0.555 * (1 - 0.555)", 65), (80, "-0.89 * 0.246 * a1", 78), (81, "-0.89 * 0.246", 78), (85, "0.768 * (1 - 0.768)", 60),
          (87, "-0.89 * 0.246 * w2 * da1/dz1 * x", 85), (88, "-0.89 * 0.246 * w2 * da1/dz1", 85), (93, "0.5 - 0.1 * (-0.032)", 87),
          (94, "0.2 - 0.1 * (-0.071)", 88), (95, "0.8 - 0.1 * (-0.054)", 80), (96, "-0.4 - 0.1 * (-0.219)", 81)]


def test_the_rest_is_given_or_numbers_put_in_and_prose_is_counted() -> None:
    rest = [j for j in judged().judged if j.mark not in (Mark.RIGHT, Mark.WRONG)]
    assert [(j.line, j.name, j.printed) for j in rest if j.mark is Mark.GIVEN] == GIVEN
    assert [(j.line, j.printed, j.from_line) for j in rest if j.mark is Mark.PUT_IN] == PUT_IN
    assert all(j.follows is Follows.YES for j in rest)
    assert (len(rest), judged().skipped) == (len(GIVEN) + len(PUT_IN), 23)


def test_every_line_with_a_relation_or_a_row_of_numbers_is_judged() -> None:
    claims = {k for k, text in enumerate(PAGE.splitlines(), 1) if re.search(r"[=≈]|^\d+ \|", text)}
    assert {j.line for j in judged().judged} == claims


def test_what_follows_from_earlier_numbers_names_the_line() -> None:
    assert {(j.line, j.from_line) for j in judged().carried} == {(65, 64), (81, 78), (93, 87), (94, 88), (95, 80)}
    assert all(j.follows is Follows.YES and j.kind == "carried" for j in judged().carried)
    assert all(j.follows is Follows.NO and not j.carried for j in judged().errors)
    assert len(judged().errors) == 13


def test_the_first_wrong_line_is_the_first_row_of_the_second_table() -> None:
    first_wrong = judged().first_wrong
    assert first_wrong is not None
    assert (first_wrong.line, first_wrong.printed, first_wrong.correct) == (36, "0.524", "0.881")
    assert str(judged()).splitlines()[0] == "the first wrong line is line 36"


def test_right_numbers_that_rest_on_wrong_ones_say_so() -> None:
    noted = {j.line: j.note for j in judged().right if j.note}
    assert noted == {76: "right to these digits, though it rests on your line 65 (a2 = 0.555)",
                     96: "right to these digits, though it rests on your line 81 (dLoss/db2 = -0.219)"}


def test_the_summary_has_one_line_for_each_wrong_number() -> None:
    lines = str(judged()).splitlines()
    assert len(lines) == 19
    assert lines[14] == "line 87: dLoss/dw1 is printed as -0.032; it is -0.063 (-0.062816485); the factor x is missing"


def s(z: float) -> float:
    return 1 / (1 + math.exp(-z))


BY_HAND = {  # the link before each result of the worked example, with the numbers that stand in it
    60: s(1.2), 64: 0.8 * 0.768 - 0.4, 65: s(0.222), 69: (0.555 - 1) ** 2, 76: 2 * (0.555 - 1), 78: 0.555 * (1 - 0.555),
    80: -0.89 * 0.246 * 0.768, 81: -0.89 * 0.246, 85: 0.768 * (1 - 0.768), 87: -0.89 * 0.246 * 0.8 * 0.181 * 2,
    88: -0.89 * 0.246 * 0.8 * 0.181, 93: 0.5 - 0.1 * (-0.032), 94: 0.2 - 0.1 * (-0.071), 95: 0.8 - 0.1 * (-0.054),
    96: -0.4 - 0.1 * (-0.219),
}


@pytest.mark.parametrize(("line", "value"), BY_HAND.items())
def test_follows_agrees_with_a_calculation_in_floats(line: int, value: float) -> None:
    result = [j for j in judged().judged if j.line == line and j.value][-1]
    rounded = f"{value:.{len(result.printed.partition('.')[2])}f}"
    assert (rounded == result.printed) is (result.follows is Follows.YES)


def test_the_truth_agrees_with_mpmath() -> None:
    mpmath = importlib.import_module("mpmath")
    with mpmath.workdps(40):
        start = [mpmath.mpf(v) for v in ("0.5", "0.2", "0.8", "-0.4")]

        def sigma(z: object) -> object:
            return 1 / (1 + mpmath.exp(-z))

        def loss(w1: object, b1: object, w2: object, b2: object) -> object:
            return (sigma(w2 * sigma(w1 * 2 + b1) + b2) - 1) ** 2

        slopes = [mpmath.diff(loss, tuple(start), tuple(int(i == k) for i in range(4))) for k in range(4)]
        wanted = {80: slopes[2], 81: slopes[3], 87: slopes[0], 88: slopes[1]}
        wanted |= {93 + k: v - g / 10 for k, (v, g) in enumerate(zip(start, slopes, strict=True))}
        found = {j.line: j.value for j in judged().judged if j.line in wanted and j.value}
        assert found == {line: mpmath.nstr(v, 8, strip_zeros=False) for line, v in wanted.items()}


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
    assert len(after.right) == 38


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
    assert "this formula gives " in found.slip
    assert (found.follows, found.carried) == (Follows.NO, False)


def test_a_line_that_cannot_be_read_is_undecided_and_the_rest_is_judged() -> None:
    errata = judge_page("q = foo(3) = 7.5\nz1 = w1 * x + b1 = 1.2", first())
    assert [j.mark for j in errata.judged] == [Mark.UNDECIDED, Mark.RIGHT, Mark.RIGHT]
    assert "'foo'" in errata.judged[0].slip


def test_a_page_of_prose_has_no_verdicts() -> None:
    errata = judge_page("Nothing is claimed here.\n\nNor here.", first())
    assert (errata.judged, errata.skipped) == ((), 2)


def test_a_new_heading_may_give_a_name_of_the_pages_own_anew() -> None:
    page = "# One\nLet us set v = 3.\nv = 3\nv = 4\n# Two\nv = 4\nv = 4"
    assert [j.mark for j in judge_page(page, first()).judged] == [Mark.GIVEN, Mark.RIGHT, Mark.WRONG, Mark.GIVEN, Mark.RIGHT]


@pytest.mark.parametrize("text", ["z1 = __import__('os')", "z1 = <script>", r"z1 = \input{x}", "z1 = " + "9" * 5000, "z1 = 1/0"])
def test_hostile_lines_are_undecided_and_never_run(text: str) -> None:
    marks = [j.mark for j in judge_page(text, first()).judged]
    assert Mark.RIGHT not in marks
