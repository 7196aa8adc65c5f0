"""Where random choices come from: a seed in nightly runs, Hypothesis in the tests, so that one generator serves both."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Dice(Protocol):
    """Choices; the first option is the simplest, which is where Hypothesis shrinks to."""

    def below(self, n: int) -> int:
        """0..n-1."""
        ...


class Seeded:
    """Choices from a seed."""

    def __init__(self, seed: object) -> None:
        self._random = random.Random(str(seed))

    def below(self, n: int) -> int:
        return self._random.randrange(n)


class Drawn:
    """Choices drawn by Hypothesis."""

    def __init__(self, data: Any) -> None:
        self._data = data

    def below(self, n: int) -> int:
        from hypothesis import strategies as st

        return int(self._data.draw(st.integers(0, n - 1)))


def pick(dice: Dice, options: Sequence[T]) -> T:
    """One of them."""
    return options[dice.below(len(options))]


def chance(dice: Dice, percent: int) -> bool:
    """True in ``percent`` of a hundred; False is simpler."""
    return dice.below(100) >= 100 - percent


def weighted(dice: Dice, options: Sequence[tuple[int, T]]) -> T:
    """One of them by weight."""
    at = dice.below(sum(w for w, _ in options))
    for w, option in options:
        if at < w:
            return option
        at -= w
    raise AssertionError
