"""Early stopping: end a run when what is watched no longer gets better, and give back the best parameters."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from symnet.core.signatures import checked
from symnet.errors import OptionError, did_you_mean, shown

RISING = ("accuracy", "r2", "f1")  # what is better when it is larger


@dataclass(frozen=True)
class EarlyStopping:
    """Stop after ``patience`` epochs in a row in which ``monitor`` did not get better than its best by more than ``min_delta``.

    ``monitor`` is "loss", "val_loss" or the name of a metric, "val_" before it for the validation data; "" is "val_loss" where there are
    validation data, else "loss". ``rising`` says that larger is better; by default that is so of accuracy, f1 and r2. With ``restore_best``
    the fit has the parameters of the best epoch, else those of the last. Source: Prechelt 1998; Goodfellow et al. 2016, algorithm 7.1.

    >>> import symnet as sn
    >>> sn.EarlyStopping(patience=3).patience
    3
    """

    monitor: str = ""
    patience: int = 10
    min_delta: float = 0.0
    restore_best: bool = True
    rising: bool | None = None

    def __post_init__(self) -> None:
        if isinstance(self.patience, bool) or not isinstance(self.patience, int) or self.patience < 1:
            raise OptionError("EarlyStopping, patience", shown(self.patience), "a whole number of epochs, at least 1")
        if isinstance(self.min_delta, bool) or not isinstance(self.min_delta, (int, float)) or not self.min_delta >= 0:
            raise OptionError("EarlyStopping, min_delta", shown(self.min_delta), "a number, at least 0")
        if not isinstance(self.monitor, str):
            raise OptionError("EarlyStopping, monitor", shown(self.monitor), '"loss", "val_loss" or the name of a metric')

    @property
    def goes_up(self) -> bool:
        """Is larger better?"""
        return self.monitor.removeprefix("val_") in RISING if self.rising is None else self.rising


@checked
def stopping_of(asked: EarlyStopping | int | bool | None, known: list[str]) -> EarlyStopping | None:
    """What was asked for, with the name of what is watched; ``known`` are the names that an epoch gives."""
    if asked is None or asked is False:
        return None
    found = asked if isinstance(asked, EarlyStopping) else EarlyStopping() if asked is True else EarlyStopping(patience=asked)
    name = found.monitor or ("val_loss" if "val_loss" in known else "loss")
    if name not in known:
        raise OptionError("EarlyStopping, monitor", shown(name), "one of " + ", ".join(known),
                          "validation_split=0.1" if name.startswith("val_") else did_you_mean(name, known))
    return replace(found, monitor=name)


class Watch:
    """What early stopping remembers from epoch to epoch."""

    def __init__(self, rule: EarlyStopping) -> None:
        self.rule = rule
        self.best = -math.inf if rule.goes_up else math.inf
        self.bar = self.best  # what min_delta is measured from
        self.best_epoch, self.waited = 0, 0

    def sees(self, epoch: int, values: Mapping[str, float]) -> tuple[bool, bool]:
        """Is this epoch the best so far, and is it time to stop?"""
        value, sign = values[self.rule.monitor], 1 if self.rule.goes_up else -1
        better = sign * value > sign * self.best
        if sign * value > sign * self.bar + self.rule.min_delta or math.isinf(self.bar):
            self.waited, self.bar = 0, value
        else:
            self.waited += 1
        if better:
            self.best, self.best_epoch = value, epoch
        return better, self.waited >= self.rule.patience

    def memory(self) -> dict[str, Any]:
        return {"best": self.best, "bar": self.bar, "best_epoch": self.best_epoch, "waited": self.waited}

    def remember(self, memory: Mapping[str, Any]) -> None:
        for name, value in memory.items():
            setattr(self, name, value)
