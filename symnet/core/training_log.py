"""What a training run leaves behind: settings and the loss after each epoch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from symnet.core.verbs import verb

_curve: Callable[[TrainingLog], str] = verb("curve_file")


@dataclass(frozen=True, slots=True)
class TrainingLog:
    """``losses[0]`` is the loss before the first step, ``losses[k]`` after epoch k; ``settings`` are exact, as text.

    ``samples`` is None where the program leaves open how many samples its data are, ``batch_size`` None where each step takes all of them.
    ``history`` has every series by its name, "loss" too ("val_loss", metrics); ``stopped`` says why a run ended before its time.
    ``law`` is the update of one entry w with gradient g, line by line, each as LaTeX and as text.
    """

    optimizer: str
    settings: tuple[tuple[str, str], ...]
    losses: tuple[float, ...]
    samples: int | None
    batch_size: int | None
    law: tuple[tuple[str, str], ...] = ()
    history: tuple[tuple[str, tuple[float, ...]], ...] = ()
    stopped: str = ""

    @property
    def epochs(self) -> int:
        """How many passes over the data."""
        return max(0, len(self.losses) - 1)

    def curve(self) -> str:
        """The loss over the epochs, and that of the validation data, as the text of an SVG file."""
        return _curve(self)
