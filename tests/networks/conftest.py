"""Shared by the tests of networks: what does not fit is said in one line."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from symnet.errors import SymnetError

Refusal = Callable[[Callable[[], object], str], None]


@pytest.fixture
def refused() -> Refusal:
    """refused(make, words): making it raises one of symnet's errors, a single line that holds the words."""
    def check(make: Callable[[], object], words: str) -> None:
        with pytest.raises(SymnetError) as caught:
            make()
        assert "\n" not in str(caught.value)
        assert words in str(caught.value)
    return check
