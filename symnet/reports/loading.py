"""The templates: those in the installed package, else those of the source tree beside it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any


@cache
def folder() -> Path:
    """The folder that holds the templates."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "_templates"
    return inside if inside.is_dir() else package.parent / "templates"


@cache
def environment(kind: str) -> Any:
    """The Jinja environment: HTML escapes by itself; in LaTeX the marks are \\VAR{…} and \\BLOCK{…}, escaped by a filter."""
    import jinja2

    loader = jinja2.FileSystemLoader(str(folder()))
    if kind == "html":
        return jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined)
    return jinja2.Environment(loader=loader, block_start_string=r"\BLOCK{", block_end_string="}", variable_start_string=r"\VAR{",
                              variable_end_string="}", comment_start_string=r"\#{", comment_end_string="}", trim_blocks=True,
                              lstrip_blocks=True, autoescape=False, undefined=jinja2.StrictUndefined)


def read(name: str) -> str:
    """A template file as text."""
    return (folder() / name).read_text(encoding="utf-8")


def read_bytes(name: str) -> bytes:
    """A template file as bytes."""
    return (folder() / name).read_bytes()
