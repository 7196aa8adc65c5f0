"""The HTML report: self-contained, escaped, and drawn by a real browser."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html import unescape
from html.parser import HTMLParser

import pytest

import symnet as sn
from symnet.case_builder import report

WORKSHEETS = ["first", "two-two-two", "softmax-regression", "ages"]

MEASURE = """
const box = (e) => e.getBoundingClientRect();
const flat = [...document.querySelectorAll('math')].filter(e => box(e).width < 2 || box(e).height < 2).length;
const dead = [...document.querySelectorAll('a[href^="#"]')].filter(a => !document.getElementById(a.getAttribute('href').slice(1)))
  .map(a => a.getAttribute('href'));
const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
document.fonts.ready.then(() => { document.title = JSON.stringify({
  formulas: document.querySelectorAll('math').length, flat, dead, wide, errors: document.querySelectorAll('merror').length,
  links: document.querySelectorAll('a[href^="#"]').length, font: document.fonts.check('16px "Symnet Math"')}); });
"""


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return {name: report(sn.load(name)).html() for name in WORKSHEETS}


@pytest.mark.parametrize("width", [1000, 500], ids=["desk", "phone"])
@pytest.mark.parametrize("name", WORKSHEETS)
def test_the_browser_draws_every_formula_and_every_link_leads_somewhere(
        name: str, width: int, pages: dict[str, str], browse: Callable[..., str]) -> None:
    seen = json.loads(unescape(browse(pages[name], MEASURE, width)))
    assert seen["formulas"] > 40 and seen["links"] > 15
    assert seen["flat"] == 0, "a formula without a size"
    assert seen["errors"] == 0 and seen["dead"] == [] and seen["font"]
    assert seen["wide"] <= 0, "something is wider than the page"


def test_the_browser_test_can_fail(browse: Callable[..., str]) -> None:
    page = '<html><body><a href="#nowhere">x</a><math></math><div style="width:9999px">wide</div></body></html>'
    seen = json.loads(unescape(browse(page, MEASURE, 500)))
    assert seen["dead"] == ["#nowhere"] and seen["flat"] == 1 and seen["wide"] > 0


def test_no_network_no_script(pages: dict[str, str]) -> None:
    for page in pages.values():
        assert "<script" not in page and "javascript:" not in page
        assert not re.search(r'(?:src|href)="(?:https?:)?//', page)
        assert "default-src 'none'" in page


class _Tags(HTMLParser):
    VOID = {"meta", "link", "br", "img", "path", "circle", "polygon", "polyline"}

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.ids += [v for k, v in attrs if k == "id" and v]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open and self.open.pop() == tag, f"</{tag}> closes something else"


@pytest.mark.parametrize("name", WORKSHEETS)
def test_tags_are_balanced_and_ids_are_unique(name: str, pages: dict[str, str]) -> None:
    tags = _Tags()
    tags.feed(pages[name])
    assert tags.open == []
    assert len(tags.ids) == len(set(tags.ids))


HOSTILE = """
title = '<script>alert(1)</script> \\input{/etc/passwd} $x$ {{7*7}} %}'
[symbols]
w = { value = "2", note = "<img src=x onerror=alert(1)> \\\\write18{id} & _ # %" }
x = { value = "3" }
[program]
definitions = ["L = (w*x - 1)**2"]
wrt = ["w"]
learning_rate = "0.1"
"""


def test_hostile_titles_and_notes_are_escaped_in_every_format() -> None:
    from symnet.parsing.worksheet import parse_worksheet
    from symnet.worksheet_loader import derivation_of

    made = report(derivation_of(parse_worksheet(HOSTILE)))
    page = made.html()
    assert "<script" not in page and "<img" not in page and "{{7*7}}" in page
    tex = made.latex()
    assert r"\input{" not in tex and r"\write18" not in tex and r"\textbackslash{}input" in tex
    markdown = made.markdown()
    assert "<script" not in markdown and "<img" not in markdown
    assert json.loads(made.json())["title"].startswith("<script>")


def test_levels_say_more_or_less() -> None:
    sizes = [len(report(sn.load("first"), level=level).text()) for level in ("expert", "student", "beginner")]
    assert sizes[0] < sizes[1] < sizes[2]


def test_the_beginner_reads_why_without_a_click() -> None:
    assert "<details open>" in report(sn.load("first"), level="beginner").html()
