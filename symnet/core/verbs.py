"""The verbs of the nouns that live in other rooms. The package's face installs them, so that core imports no room."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_METHODS: dict[str, Callable[..., Any]] = {}


def install(name: str, function: Callable[..., Any]) -> None:
    """Give the nouns a verb. Only the package's face calls this."""
    _METHODS[name] = function


def method(name: str) -> Callable[..., Any]:
    """The installed verb."""
    return _METHODS[name]
