"""How far a run is, on a terminal: tqdm's bar where it is installed, else one line that is written over."""

from __future__ import annotations

import sys
from contextlib import suppress
from importlib import import_module
from typing import Any, final


@final
class Bar:
    """``shown`` None is: on a terminal alone."""

    def __init__(self, title: str, epochs: int, shown: bool | None) -> None:
        self.title, self.epochs = title, epochs
        self.shown = sys.stderr.isatty() if shown is None else shown
        self.bar: Any = None
        if self.shown:
            with suppress(ImportError):
                self.bar = import_module("tqdm").tqdm(total=epochs, desc=title, unit="epoch", file=sys.stderr, leave=True)

    def at(self, epoch: int, loss: float) -> None:
        """This many epochs are done."""
        if not self.shown:
            return
        if self.bar is not None:
            self.bar.set_postfix_str(f"loss {loss:.6g}", refresh=False)
            self.bar.update(epoch - self.bar.n)
        elif epoch == self.epochs or epoch % max(1, self.epochs // 100) == 0:
            sys.stderr.write(f"\r{self.title}: epoch {epoch}/{self.epochs}  loss {loss:.6g}   ")
            sys.stderr.flush()

    def end(self) -> None:
        """Nothing more comes."""
        if self.bar is not None:
            self.bar.close()
        elif self.shown:
            sys.stderr.write("\n")
            sys.stderr.flush()
