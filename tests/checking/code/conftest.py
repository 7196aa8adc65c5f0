"""Wrong versions of hand-written code are made from the right one: one piece of its text replaced."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture
def changed() -> Callable[..., Any]:
    """changed(function, old, new): the same function with ``old``, which must occur in it, replaced."""
    def make(function: Callable[..., Any], old: str, new: str) -> Callable[..., Any]:
        source = textwrap.dedent(inspect.getsource(function))
        assert old in source, old
        space = dict(function.__globals__)
        exec(source.replace(old, new), space)
        return space[function.__name__]  # type: ignore[no-any-return]
    return make
