"""The page of a class: complete, escaped, self-contained, and readable on a phone."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser

import pytest

from symnet.reports.class_report import Cell, ClassReport, Detail, Example, Mark, Row, SlipView, Tally, class_report

EVIL = '"><img src=x onerror=alert(1)><!--{{7919*7907}}\'&'
WITNESS = ((("x", "1"), ("w_1", "-2")), "3", "4")


def report(text: str = "A1", file: str = "ann", columns: int = 2, grid: bool = True) -> ClassReport:
    """A report with one answer of each kind in each of two files; ``text`` stands wherever user text may."""
    marks = (Mark.RIGHT, Mark.WRONG, Mark.UNDECIDED, Mark.NOTE)
    cells = tuple(Cell(text, marks[k % 4], "" if k % 4 == 0 else f"a{k}") for k in range(columns))
    details = tuple(Detail(f"a{k}", text, marks[k % 4], (("slip", text), ("because", text)), text, r"2 x", r"\frac{1}{2} x", text, WITNESS)
                    for k in range(columns) if k % 4)
    shape = tuple((c,) for c in cells) if grid else (cells,)
    return ClassReport(text, text, Tally("", 1, 2, 3), 2, (text,) * columns if grid else (), (Row(file, shape, 1, columns),) * 2,
                       (Tally(text, 1, 0, 1),) * columns, (SlipView(text, 2, (Example(text, ((text, "a1"),), 5),)),), ((file, details),),
                       ((file, text),), text)


class Tags(HTMLParser):
    """The tags of a page and their attributes; fails when one is closed that is not open."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in ("meta", "link", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def tags(page: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = Tags()
    parser.feed(page)
    assert parser.open == []
    return parser.seen


@pytest.mark.parametrize("grid", [True, False], ids=["table", "list"])
def test_the_page_is_whole_and_its_links_lead_somewhere(grid: bool) -> None:
    seen = tags(class_report(report(columns=4, grid=grid)))
    anchors = {a["id"] for _, a in seen if "id" in a}
    links = {str(a["href"])[1:] for tag, a in seen if tag == "a"}
    assert links and links <= anchors
    assert not {tag for tag, _ in seen} & {"script", "img", "iframe", "object", "form"}
    assert not [a for _, a in seen for name in a if name.startswith("on") or (name in ("src", "href") and "//" in str(a[name]))]


@pytest.mark.parametrize("grid", [True, False], ids=["table", "list"])
def test_user_text_is_escaped_everywhere(grid: bool) -> None:
    page = class_report(report(EVIL, EVIL, 4, grid))
    assert [t for t, _ in tags(page)] == [t for t, _ in tags(class_report(report("x", "x", 4, grid)))]  # it adds no tag
    assert "<img" not in page and "62615533" not in page and page.count("&lt;img") > 10


def test_latex_that_symnet_does_not_print_is_shown_as_text() -> None:
    detail = Detail("a1", "A1", Mark.WRONG, (), "read_me", r"\href{javascript:alert(1)}{x}", r"\input{/etc/passwd}")
    page = class_report(ClassReport("t", "l", Tally("", 0, 1, 0), 1, (), (), details=(("f", (detail,)),)))
    assert "<code>read_me</code>" in page and "javascript" not in page and "passwd" not in page and "<math" not in page


def test_every_mark_has_a_sign_and_a_word_beside_its_colour() -> None:
    page = class_report(report(columns=4))
    for mark in Mark:
        assert re.search(rf'<span aria-hidden="true">[✓✗?]</span> {mark.value}', page), mark


@pytest.mark.slow
@pytest.mark.parametrize(("width", "grid"), [(400, True), (400, False), (1000, True)])
def test_nothing_sticks_out_of_a_phone(width: int, grid: bool, browse: Callable[..., str]) -> None:
    page = class_report(report("a_rather_long_identifier_of_an_answer", "a_name_without_any_space_" * 4, 9, grid))
    inner = ("const wide = [...document.querySelectorAll('main *, header *')].filter(e => !e.closest('.scroll, dd, math') "
             "&& e.getBoundingClientRect().right > innerWidth + 1);"
             "document.title = document.documentElement.scrollWidth + ' ' + innerWidth + ' ' + wide.map(e => e.className || e.tagName).join();")
    total, window, *wide = browse(page, inner, width).split(" ", 2)
    assert int(total) <= int(window) and "".join(wide) == ""
