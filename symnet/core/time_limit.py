"""A moment after which no proof goes on: the steps of a proof ask whether it has come, and what is not proved by then is undecided."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_UNTIL: ContextVar[float] = ContextVar("until", default=math.inf)


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Within, the time is over after so many seconds, or when it was over already by a limit further out."""
    token = _UNTIL.set(min(_UNTIL.get(), time.monotonic() + seconds))
    try:
        yield
    finally:
        _UNTIL.reset(token)


def time_is_over() -> bool:
    """Is it later than every limit that holds here?

    >>> with time_limit(0):
    ...     time_is_over()
    True
    """
    return time.monotonic() >= _UNTIL.get()
