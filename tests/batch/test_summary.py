"""What outcomes come to: counts, problems, slips, exit codes; and the text, JSON and CSV made of them."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from symnet.batch.items import UNUSABLE, Outcome, sources
from symnet.batch.page import report_of, write_html
from symnet.batch.progress import Progress
from symnet.batch.summary import NO_SLIP, WORDS, summary, table
from symnet.batch.writing import write_csv, write_json, write_text
from symnet.core.verdict import Answer

CLASS = [
    Outcome("c/ann.toml", "A1", "w", "proved", message="proved", read_as="2*x", seconds=0.25),
    Outcome("c/ann.toml", "A2", "b", "refuted", kind="sign", slip="the sign is wrong", message="refuted (at x = 1: 1 ≠ -1)",
            witness=((("x", "1"),), "1", "-1"), read_as="-x"),
    Outcome("c/bo.toml", "A1", "w", "conditional", condition="if x > 0", message="conditional (if x > 0)"),
    Outcome("c/bo.toml", "A2", "b", "refuted", kind="sign", slip="the sign is wrong", message="refuted (at x = 1: 1 ≠ -1)"),
    Outcome("c/cy.toml", "A1", "w", "refuted", message="refuted (at x = 2: 3 ≠ 4)"),
    Outcome("c/cy.toml", "A2", "b", "undecided", message="undecided (not decided in 2 s)"),
    Outcome("c/di.toml", verdict=UNUSABLE, message="c/di.toml: no TOML"),
]


def test_counts() -> None:
    found = summary(CLASS)
    assert (found.right, found.wrong, found.undecided, len(found.unusable)) == (2, 3, 1, 1)
    assert found.counts == {"proved": 1, "almost_everywhere": 0, "conditional": 1, "refuted": 3, "undecided": 1}
    assert [(p.id, p.right, p.wrong, p.undecided, p.answers) for p in found.problems] == [("A1", 2, 1, 0, 3), ("A2", 0, 2, 1, 3)]
    assert str(found) == "6 answers in 3 files: 2 right, 3 wrong, 1 undecided; 1 file unusable"


def test_the_commonest_slip_comes_first_and_no_slip_last() -> None:
    many = [*CLASS, *[Outcome("c/eve.toml", f"B{k}", "w", "refuted") for k in range(5)]]
    assert [(s.kind, s.count) for s in summary(many).slips] == [("sign", 2), (NO_SLIP, 6)]


@pytest.mark.parametrize(("verdicts", "code"), [
    (["proved"], 0), (["proved", "almost_everywhere", "conditional"], 0), (["proved", "undecided"], 3), (["undecided", "refuted"], 1),
    (["refuted", UNUSABLE], 2), (["proved", UNUSABLE], 2), ([], 2),
], ids=lambda v: "-".join(v) if isinstance(v, list) else str(v))
def test_exit_codes(verdicts: list[str], code: int) -> None:
    assert summary([Outcome("a.toml", str(k), verdict=v) for k, v in enumerate(verdicts)]).exit_code == code


def test_every_verdict_has_a_word() -> None:
    assert set(WORDS) == {a.value for a in Answer} | {UNUSABLE}


def test_the_table_of_a_class_and_none_where_files_share_nothing() -> None:
    grid = table(summary(CLASS))
    assert grid is not None and grid[0] == ("A1", "A2")
    assert grid[1] == [("c/ann.toml", [["proved"], ["refuted"]]), ("c/bo.toml", [["conditional"], ["refuted"]]),
                       ("c/cy.toml", [["refuted"], ["undecided"]])]
    assert table(summary([Outcome(f"{k}.toml", f"id{k}", verdict="proved") for k in range(5)])) is None


def test_two_answers_with_one_id_are_both_shown() -> None:
    found = summary([Outcome("a.toml", "A1", verdict="proved"), Outcome("a.toml", "A1", verdict="refuted")])
    assert "right + wrong" in write_text(found) and [p.answers for p in found.problems] == [2]


def test_text() -> None:
    text = write_text(summary(CLASS))
    lines = text.splitlines()
    assert lines[:4] == ["            A1     A2", "c/ann.toml  right  wrong", "c/bo.toml   right  wrong", "c/cy.toml   wrong  undecided"]
    assert "  2 x sign: the sign is wrong (c/ann.toml A2)" in lines
    assert "  c/cy.toml A2 (b): not decided in 2 s" in lines and "  c/bo.toml A1 (w): if x > 0" in lines
    assert lines[-1] == str(summary(CLASS)) and text.endswith("\n") and "\x1b" not in text


def test_json_has_the_fields_of_the_contract() -> None:
    data = json.loads(write_json(summary(CLASS), "1.2.3"))
    assert data["version"] == "1.2.3" and len(data["results"]) == 6
    assert data["results"][1] == {
        "file": "c/ann.toml", "id": "A2", "wrt": "b", "verdict": "refuted", "condition": "", "message": "refuted (at x = 1: 1 ≠ -1)",
        "witness": {"point": {"x": "1"}, "answer": "1", "correct": "-1"}, "mistake": {"kind": "sign", "message": "the sign is wrong"},
        "read_as": "-x", "seconds": 0.0}
    assert data["unusable"] == [{"file": "c/di.toml", "message": "c/di.toml: no TOML"}]
    assert data["summary"]["slips"][0] == {"kind": "sign", "count": 2, "examples": [{"file": "c/ann.toml", "id": "A2"},
                                                                                  {"file": "c/bo.toml", "id": "A2"}]}


def test_csv_has_a_row_for_each() -> None:
    rows = list(csv.DictReader(io.StringIO(write_csv(summary(CLASS)))))
    assert [r["verdict"] for r in rows] == [o.verdict for o in CLASS]
    assert rows[0] == {"file": "c/ann.toml", "id": "A1", "wrt": "w", "verdict": "proved", "condition": "", "mistake": "",
                       "message": "proved", "read_as": "2*x", "seconds": "0.250"}


@pytest.mark.parametrize("text", ["=1+1", "+1", "-x", "@SUM(A1)", "\t=1", "\r\n=1", " =1", "=HYPERLINK(\"http://x\")", "＝1+1"])
def test_no_cell_is_a_formula(text: str) -> None:
    found = summary([Outcome(text, text, text, "refuted", text, None, text, text, text, text)])
    (row,) = list(csv.reader(io.StringIO(write_csv(found))))[1:]
    assert not any(cell.strip().startswith(("=", "+", "-", "@", "＝")) for cell in row)


HOSTILE = "<script>alert(1)</script>\x1b[31m\u202e\"'&{{7919*7907}}\n2"


def test_hostile_text_stays_text() -> None:
    found = summary([Outcome(HOSTILE, HOSTILE, HOSTILE, v, HOSTILE, (((HOSTILE, HOSTILE),), HOSTILE, HOSTILE), HOSTILE, HOSTILE, HOSTILE,
                             HOSTILE, 0.0, HOSTILE, HOSTILE, HOSTILE) for v in WORDS])
    page = write_html(found)
    assert "<script" not in page and "&lt;script&gt;" in page and "62615533" not in page and "\x1b" not in page
    for text in (write_text(found), write_csv(found)):
        assert "\x1b" not in text and "\u202e" not in text
    assert json.loads(write_json(found, "1"))["results"][0]["id"] == HOSTILE  # JSON keeps what was said, escaped as JSON does


def test_the_page_leads_from_the_table_to_the_details() -> None:
    report = report_of(summary(CLASS))
    anchors = [cell.anchor for row in report.rows for cells in row.cells for cell in cells]
    details = [d.anchor for _, those in report.details for d in those]
    assert [a for a in anchors if a] == details and anchors[0] == ""
    assert [row.file for row in report.rows] == ["ann", "bo", "cy"] and report.title == "Class report"
    page = write_html(summary(CLASS))
    assert all(f'id="{a}"' in page and f'href="#{a}"' in page for a in details)


def test_the_page_needs_nothing_from_outside() -> None:
    page = write_html(summary(CLASS))
    assert "http://" not in page.replace("http://www.w3.org", "") and "https://" not in page and "<script" not in page


def test_an_empty_summary_can_be_written() -> None:
    for write in (write_text, write_csv, write_html):
        assert write(summary([]))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("stream", "no_color", "term", "drawn", "colour"), [
    (Terminal(), "", "xterm", True, True), (Terminal(), "1", "xterm", True, False), (Terminal(), "", "dumb", False, False),
    (io.StringIO(), "", "xterm", False, False),
], ids=["terminal", "NO_COLOR", "dumb", "file"])
def test_the_bar_is_for_terminals(stream: io.StringIO, no_color: str, term: str, drawn: bool, colour: bool,
                                  monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", no_color)
    monkeypatch.setenv("TERM", term)
    with Progress(stream) as progress:
        progress.watch(4, CLASS[:2])
        progress.watch(4, CLASS[5:7])
    text = stream.getvalue()
    assert (("4/4" in text), ("\x1b[32m" in text)) == (drawn, colour)
    assert not drawn or ("1 wrong, 1 undecided, 1 unusable" in text and text.endswith("\r\x1b[K"))  # the line is left clean


def test_files_are_found_once_and_in_order(tmp_path: Path) -> None:
    for name in ("b.toml", "a.toml", "sub/c.toml", ".hidden/d.toml", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("title = ''", encoding="utf-8")
    (tmp_path / "empty").mkdir()
    (tmp_path / "link.toml").symlink_to(tmp_path / "a.toml")
    found = sources([str(tmp_path / "b.toml"), str(tmp_path), str(tmp_path / "empty"), str(tmp_path / "nope.toml"), str(tmp_path / "x.py:f")])
    assert [(Path(s.name).name, bool(s.error)) for s in found] == [
        ("b.toml", False), ("a.toml", False), ("notes.txt", False), ("c.toml", False), ("empty", True), ("nope.toml", True), ("x.py:f", True)]
    assert [s.number for s in found] == list(range(7))


@pytest.mark.parametrize(("content", "reason"), [(b"\xff\xfe\x00", "not a text file"), (b"x" * 1_000_001, "more than 1 MB")])
def test_a_file_that_is_no_text_says_so(content: bytes, reason: str, tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_bytes(content)
    (found,) = sources([str(tmp_path / "a.toml")])
    assert reason in found.error and found.text == ""


@pytest.mark.parametrize("name", ["/dev/zero", "a\0b.toml", "x" * 5000 + ".toml"])
def test_a_name_that_is_no_file_says_so(name: str) -> None:
    (found,) = sources([name])
    assert found.error and "\n" not in found.error
