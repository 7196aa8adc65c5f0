"""Every example of the documentation runs, and prints what the page says."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

TABLES = ("coverage.md", "theorems.md", "conversation.md", "certificates.md")
DOCS = Path(__file__).resolve().parent.parent / "docs"


@pytest.mark.parametrize("page", sorted(set(DOCS.glob("*.md")) - {DOCS / name for name in TABLES}), ids=lambda p: p.name)
def test_every_example_of_a_page_runs(page: Path) -> None:
    found = doctest.testfile(str(page), module_relative=False, optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS, encoding="utf-8")
    assert found.attempted > 5 and not found.failed


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda p: p.name)
def test_links_exist(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.S)
    for link in re.findall(r"\]\(([^)#]+)\)", text):
        assert link.startswith("http") or (DOCS / link).exists(), link


def test_the_list_of_theorems_is_that_of_the_library(request: pytest.FixtureRequest) -> None:
    from symnet.reports.report import Report
    from symnet.theorems.telling import index

    made = Report(index()).markdown()
    if request.config.getoption("--update"):
        (DOCS / "theorems.md").write_text(made, encoding="utf-8")
    assert (DOCS / "theorems.md").read_text(encoding="utf-8") == made


def test_what_the_conversation_page_names_are_theorems() -> None:
    from symnet.theorems.telling import names

    text = (DOCS / "conversation.md").read_text(encoding="utf-8")
    readme = (DOCS.parent / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"(\d{3}) theorems", readme)) == {str(len(names()))}
    named = re.findall(r"`([a-z0-9]+(?:-[a-z0-9]+)*)`", text)
    assert len(named) > 25 and set(named) <= set(names())
    assert len([row for row in text.splitlines() if row.startswith("| ")]) > 22
