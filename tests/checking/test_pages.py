"""A page falls into headings, text, maths, tables and code; line numbers are those of the file."""

from __future__ import annotations

import pytest

from symnet.checking.pages.markdown import pieces, split_worksheet

PAGES = {
    "headings": ("# One\ntext\n## Two", [(1, "heading"), (2, "text"), (3, "heading")]),
    "code is passed over": ("```python\nz = 1\n```\nz = 2", [(2, "code"), (4, "text")]),
    "a fence without a language is read": ("```\nz = 1\n```", [(2, "text")]),
    "a fence of maths": ("```math\nz &= 1 \\\\\n&= 2\n```", [(2, "maths"), (3, "maths")]),
    "a fence that does not end": ("```python\nz = 1\nz = 2", [(2, "code"), (3, "code")]),
    "waves": ("~~~\nz = 1\n~~~", [(2, "text")]),
    "a display on one line": ("$$z = 1$$\nz = 2", [(1, "maths"), (2, "text")]),
    "a display over lines is one chain": ("$$\nz = 1\n= 2\n$$\nend", [(2, "maths"), (5, "text")]),
    "brackets": ("\\[\nz = 1\n\\]\nend", [(2, "maths"), (4, "text")]),
    "rows that are aligned": ("\\begin{align}\nz &= 1 \\\\\n &= 2 \\\\[2pt]\n &= 3\n\\end{align}", [(2, "maths"), (3, "maths"), (4, "maths")]),
    "aligned inside of dollars": ("$$\\begin{aligned} z &= 1 \\\\ &= 2 \\end{aligned}$$", [(1, "maths"), (1, "maths")]),
    "a display that does not end stops at an empty line": ("$$\nz = 1\n\nz = 2", [(2, "maths"), (4, "text")]),
    "a table": ("| x | y |\n|---|---|\n| 1 | 2 |", [(1, "table"), (2, "table"), (3, "table")]),
    "a norm is no table": ("a || b", [(1, "text")]),
    "a bar in LaTeX is no table": ("so $|x| = 1$", [(1, "text")]),
}


@pytest.mark.parametrize(("page", "wanted"), PAGES.values(), ids=PAGES)
def test_the_pieces_of_a_page(page: str, wanted: list[tuple[int, str]]) -> None:
    assert [(p.number, p.kind) for p in pieces(page)] == wanted


def test_the_marks_of_alignment_are_gone() -> None:
    (first, second) = pieces(r"\begin{align} z &= 1 \label{e} \\ &= 2 \tag{3} \end{align}")
    assert (first.text, second.text) == ("z = 1", "= 2")


def test_the_first_worksheet_is_cut_out_and_lines_keep_their_numbers() -> None:
    inner, rest = split_worksheet("# T\n```toml\ntitle = 'x'\n```\nz = 1\n```toml\nno = 1\n```")
    assert inner == "title = 'x'"
    assert [(p.number, p.kind) for p in pieces(rest)] == [(1, "heading"), (5, "text"), (7, "code")]


def test_a_page_without_a_worksheet_stays_as_it_is() -> None:
    assert split_worksheet("z = 1\n```python\nx\n```") == ("", "z = 1\n```python\nx\n```")


def test_a_worksheet_that_does_not_end_takes_the_rest() -> None:
    assert split_worksheet("```toml\ntitle = 'x'\n") == ("title = 'x'", "\n")
