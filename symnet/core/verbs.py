"""The verbs of the nouns that live in other rooms. The package's face installs them, so that core imports no room."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

_PLACES: dict[str, tuple[str, str]] = {}


def install(name: str, file: str, function: str = "") -> None:
    """Give the nouns a verb, by the file and the function that is it. Only the package's face calls this."""
    _PLACES[name] = (file, function or name)


def verb(name: str) -> Callable[..., Any]:
    """The installed verb, looked up and loaded when it is first called. Who holds it states its type."""

    def call(*args: Any, **options: Any) -> Any:
        file, function = _PLACES[name]
        return getattr(importlib.import_module(file), function)(*args, **options)

    return call
