"""Story -> plain text for the terminal, and Markdown with LaTeX between dollar signs."""

from __future__ import annotations

import re
import textwrap

from symnet.reports.document import Formula, Link, Picture, Rich, StepView, Story, Table

TWICE = re.compile(r"\bdd([A-Za-z0-9]+)_d([A-Za-z0-9]+)_dd\1_d([A-Za-z0-9]+)")
SECOND = re.compile(r"\bdd([A-Za-z0-9]+)_d([A-Za-z0-9]+)_d([A-Za-z0-9]+)")
SLOPE = re.compile(r"\bd([A-Za-z][A-Za-z0-9]*)_d([A-Za-z]\w*)")
SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|$~])")


def write_text(story: Story, width: int = 88) -> str:
    """The story as text, lines no longer than ``width`` where words allow."""
    out = [story.title, "=" * len(story.title), "", *_wrap(_say(story.summary), width), ""]
    for section in story.written:
        out += [section.title, "-" * len(section.title)]
        if section.lead:
            out += [*_wrap(_say(section.lead), width), ""]
        for block in section.blocks:
            out += _text_block(block, width)
        out.append("")
    return "\n".join([*out, story.footer]).rstrip() + "\n"


def human(text: str) -> str:
    """Gradients as people write them: dL_dw1 as dL/dw1.

    >>> human("dL_dw1 = dL_dz1*x")
    'dL/dw1 = dL/dz1*x'
    """
    text = TWICE.sub(r"d(d\1/d\2)/d(d\1/d\3)", text)
    return SLOPE.sub(r"d\1/d\2", SECOND.sub(r"d²\1/(d\2 d\3)", text))


def _say(pieces: Rich) -> str:
    return "".join(p if isinstance(p, str) else human(p.formula.text if isinstance(p, Link) else p.text) for p in pieces)


def _wrap(text: str, width: int, indent: str = "") -> list[str]:
    return textwrap.wrap(text, width, initial_indent=indent, subsequent_indent=indent, break_long_words=False) or [""]


def _text_block(block: object, width: int) -> list[str]:
    if isinstance(block, StepView):
        return _text_step(block, width)
    if isinstance(block, Table):
        return [*_text_table(block, width), ""]
    if isinstance(block, Picture):
        return [*_wrap(block.words, width), ""]
    assert isinstance(block, tuple)
    return [*_wrap(_say(block), width), ""]


def _text_step(step: StepView, width: int) -> list[str]:
    out = [f"{step.number + '.':<5} {_say(step.title)}"]
    for stage in step.stages:
        if stage.formula.text:
            label = f"  ({stage.label})" if stage.label not in ("", "value", "with numbers", "entry") else ""
            out += _wrap(human(stage.formula.text.strip()) + label, width, "      ")
    for sentence in step.why:
        out += _wrap(_say(sentence), width, "      | ")
    if step.note:
        out += _wrap(step.note, width, "      | ")
    return [*out, ""]


def _text_table(table: Table, width: int) -> list[str]:
    """Columns when they fit, else one line for each cell."""
    rows = [table.head, *[tuple(_say(c) for c in row) for row in table.rows]]
    wide = [max(len(r[k]) for r in rows) for k in range(len(table.head))]
    if sum(wide) + 2 * len(wide) <= width:
        lines = ["  ".join(c.ljust(w) for c, w in zip(r, wide, strict=True)).rstrip() for r in rows]
        return [lines[0], "  ".join("-" * w for w in wide), *lines[1:]]
    out: list[str] = []
    for row in rows[1:]:
        for head, cell in zip(table.head, row, strict=True):
            if cell:
                out += textwrap.wrap(f"{head}: {cell}", width, subsequent_indent="    ", break_long_words=False)
        out.append("")
    return out


def write_markdown(story: Story) -> str:
    """The story as Markdown; formulas stand between dollar signs."""
    out = [f"# {_plain(story.title)}", "", _mark(story.summary), ""]
    for section in story.written:
        out += [f"## {_plain(section.title)}", ""]
        if section.lead:
            out += [_mark(section.lead), ""]
        for block in section.blocks:
            out += _mark_block(block)
    return "\n".join([*out, f"*{_plain(story.footer)}*", ""])


def _plain(text: str) -> str:
    """Text with the marks of Markdown and HTML escaped."""
    return SPECIAL.sub(r"\\\1", text).replace("\\<", "&lt;").replace("\\>", "&gt;").replace("\n", " ")


def _mark(pieces: Rich) -> str:
    return "".join(_mark_piece(p) for p in pieces)


def _mark_piece(piece: str | Formula | Link) -> str:
    if isinstance(piece, str):
        return _plain(piece)
    if isinstance(piece, Link):
        return f"${piece.formula.latex.strip()}$"
    return f"${piece.latex.strip()}$" if piece.latex.strip() else _plain(piece.text)


def _cell(pieces: Rich) -> str:
    """A table cell; a bar inside a formula would end it."""
    text = _mark(pieces)
    return text.replace("|", r"\vert ") if "$" in text else text


def _mark_block(block: object) -> list[str]:
    if isinstance(block, StepView):
        out = [f"**{block.number}.** {_mark(block.title)}", ""]
        for stage in block.stages:
            if stage.formula.latex.strip():
                out += ["$$" + stage.formula.latex.strip() + "$$", ""]
        return [*out, *[f"> {_mark(s)}\n" for s in block.why]]
    if isinstance(block, Table):
        head = "| " + " | ".join(_plain(h) for h in block.head) + " |"
        rows = ["| " + " | ".join(_cell(c) for c in row) + " |" for row in block.rows]
        return [head, "|" + " --- |" * len(block.head), *rows, ""]
    if isinstance(block, Picture):
        return [_plain(block.words), ""]
    assert isinstance(block, tuple)
    return [_mark(block), ""]
