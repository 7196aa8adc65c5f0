"""Shared by the tests of networks: what does not fit is said in one line. Lets them import ``networks.torch_pairs``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from symnet.errors import SymnetError

HERE = str(Path(__file__).parents[1])
if HERE not in sys.path:
    sys.path.append(HERE)

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
