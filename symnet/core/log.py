"""What a training run leaves behind: settings and the loss after each epoch."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TrainingLog:
    """``losses[0]`` is the loss before the first step, ``losses[k]`` after epoch k; ``settings`` are exact, as text."""

    optimizer: str
    settings: tuple[tuple[str, str], ...]
    losses: tuple[float, ...]
    samples: int
    batch_size: int

    @property
    def epochs(self) -> int:
        """How many passes over the data."""
        return len(self.losses) - 1
