"""The log of a run as JSON lines: one object an epoch, the first one epoch 0, before the first step."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import final

from symnet.errors import OptionError
from symnet.training.checkpoints import place_of


@final
class LogFile:
    """Lines are written whole and flushed, so that a reader sees every epoch that ended. A number that is not finite is null."""

    def __init__(self, path: str | Path, begun: int) -> None:
        """``begun`` epochs are done already: lines that the file has of them stay, all others go."""
        self.path = place_of("log", path)
        try:
            kept = [line for line in self._lines() if self._epoch(line) <= begun] if begun else []
            self.path.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")
        except OSError as error:
            raise OptionError("log", f"{self.path}: {error.strerror}", "a file that can be written") from None
        self.has = {self._epoch(line) for line in kept}

    def write(self, epoch: int, step: int, values: Mapping[str, float]) -> None:
        """One epoch."""
        if epoch in self.has:
            return
        line = {"epoch": epoch, "step": step, **{k: v if math.isfinite(v) else None for k, v in values.items()}}
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def _lines(self) -> list[str]:
        return self.path.read_text(encoding="utf-8", errors="replace").splitlines() if self.path.exists() else []

    @staticmethod
    def _epoch(line: str) -> float:
        try:
            return float(json.loads(line)["epoch"])
        except (ValueError, KeyError, TypeError):  # a line cut short
            return math.inf
