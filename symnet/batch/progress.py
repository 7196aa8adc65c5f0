"""A bar on standard error while answers are judged; nothing at all where nobody is looking."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Sequence
from typing import TextIO

from symnet.batch.items import UNUSABLE, Outcome
from symnet.core.verdict import Answer

WIDTH = 24
EVERY = 0.1  # seconds between two drawings


class Progress:
    """Counts what is told to ``watch`` and draws it on a terminal. Elsewhere (a file, a pipe, TERM=dumb) it stays silent."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = sys.stderr if stream is None else stream
        self.live = self.stream.isatty() and os.environ.get("TERM") != "dumb"
        self.colour = self.live and not os.environ.get("NO_COLOR")
        self.done = self.wrong = self.undecided = self.unusable = 0
        self.start, self.drawn = time.monotonic(), 0.0

    def __enter__(self) -> Progress:
        if self.live:
            self._write(" reading")
        return self

    def __exit__(self, *_: object) -> None:
        if self.live:
            self._write("")

    def watch(self, total: int, new: Sequence[Outcome]) -> None:
        """These were judged just now; ``total`` are known."""
        self.done += len(new)
        self.wrong += sum(o.verdict == Answer.REFUTED for o in new)
        self.undecided += sum(o.verdict == Answer.UNDECIDED for o in new)
        self.unusable += sum(o.verdict == UNUSABLE for o in new)
        now = time.monotonic()
        if self.live and (now - self.drawn >= EVERY or self.done == total):
            self.drawn = now
            self._write(self.line(total))

    def line(self, total: int) -> str:
        """The bar as text."""
        full = WIDTH * self.done // max(total, 1)
        bar, rest = "#" * full, "." * (WIDTH - full)
        if self.colour:
            bar = f"\x1b[32m{bar}\x1b[0m"
        counts = [f"{n} {word}" for n, word in ((self.wrong, "wrong"), (self.undecided, "undecided"), (self.unusable, "unusable")) if n]
        minutes, seconds = divmod(int(time.monotonic() - self.start), 60)
        return f"[{bar}{rest}] {self.done}/{total} {minutes}:{seconds:02d}" + (f"  {', '.join(counts)}" if counts else "")

    def _write(self, text: str) -> None:
        room = shutil.get_terminal_size().columns - 1 + (9 if self.colour else 0)
        self.stream.write(f"\r\x1b[K{text[:room]}")
        self.stream.flush()
