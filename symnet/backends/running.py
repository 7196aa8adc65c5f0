"""Generated source -> the function it defines. The source is symnet's own: every name in it was checked at a program's birth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def function_of(source: str, name: str) -> Any:
    """The function called ``name`` that a generated module defines."""
    return functions_of(source, name)[0]


def functions_of(source: str, *names: str, given: Mapping[str, Any] | None = None) -> tuple[Any, ...]:
    """The functions of these names, from one run of the module, in which the names ``given`` are known."""
    space: dict[str, Any] = dict(given or {})
    exec(compile(source, "<symnet>", "exec"), space)  # noqa: S102 - our own source
    return tuple(space[name] for name in names)
