"""What a user's own function is told after each epoch."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np

from symnet.errors import OptionError, a_kind


@dataclass(frozen=True)
class Epoch:
    """An epoch that has just ended: its number from 1, the steps so far, the values by name ("loss", "val_loss", metrics, "lr") and the
    parameters, which can be read and not written.

    >>> import symnet as sn
    >>> seen = []
    >>> def look(epoch: sn.Epoch) -> bool:
    ...     seen.append(epoch.number)
    ...     return epoch.values["loss"] < 0.5
    >>> made = sn.fit(sn.Sequential(sn.Linear(1, 1)), [[0], [1]], [[0], [2]], loss="mse", lr="0.2", epochs=100, callbacks=look)
    >>> seen[-1] == made.log.epochs < 100
    True
    """

    number: int
    steps: int
    values: Mapping[str, float]
    params: Mapping[str, np.ndarray[Any, Any]]


Callback: TypeAlias = Callable[[Epoch], object]
Callbacks: TypeAlias = Callback | Iterable[Callback] | None


def callbacks_of(asked: Callbacks) -> tuple[Callback, ...]:
    """One function or several, as a row of them."""
    every = () if asked is None else (asked,) if callable(asked) else tuple(asked)
    for one in every:
        if isinstance(one, type) or not callable(one) or not _takes_one(one):
            raise OptionError("callbacks", a_kind(one), "a function of an epoch, or several", "lambda epoch: print(epoch.values)")
    return every


def _takes_one(function: Callback) -> bool:
    try:
        inspect.signature(function).bind(None)
    except TypeError:
        return False
    except ValueError:  # a function of C, without a signature
        return True
    return True


def tell(callbacks: tuple[Callback, ...], number: int, steps: int, values: Mapping[str, float], params: Mapping[str, Any]) -> bool:
    """Call each; True where one of them says True, which ends the run."""
    if not callbacks:
        return False
    views = {}
    for name, array in params.items():
        views[name] = array.view()
        views[name].flags.writeable = False
    epoch = Epoch(number, steps, MappingProxyType(dict(values)), MappingProxyType(views))
    said = [one(epoch) is True for one in callbacks]  # all are called, whatever the first ones say
    return any(said)
