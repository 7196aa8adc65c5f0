"""Generated source -> the function it defines. The source is symnet's own: every name in it was checked at a program's birth."""

from __future__ import annotations

from typing import Any


def function_of(source: str, name: str) -> Any:
    """The function called ``name`` that a generated module defines."""
    space: dict[str, Any] = {}
    exec(compile(source, "<symnet>", "exec"), space)  # noqa: S102 - our own source
    return space[name]
