"""What travels between a pool and its processes: tasks, how they ended, and the frames they are sent in."""

from __future__ import annotations

import pickle
import struct
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, BinaryIO

from symnet.errors import SymnetError

# Loaded before the clock and the limit on memory count, so that those count the work alone.
LIGHT = ("symnet.batch.judging",)  # enough where what one answer needs may be loaded in its time
PRELOAD = ("symnet.batch.judging", "symnet.networks.sequential", "symnet.equality.compare",
           "symnet.checking.slips.search", "flint", "numpy.random")
HEAD = struct.Struct(">Q")


class How(StrEnum):
    """How a task ended. Only DONE has a value; the others have a reason."""

    DONE = "done"
    REFUSED = "refused"  # a SymnetError: the input is unusable
    TIME = "time"
    MEMORY = "memory"
    DIED = "died"  # the process ended: a crash, or it was killed from outside
    ERROR = "error"  # any other exception: a bug of ours, which must not stop the others


@dataclass(frozen=True, slots=True)
class Task:
    """``function(argument)``, both picklable. ``key`` is its name; tasks of one ``group`` like to meet in one process."""

    key: Hashable
    function: Callable[[Any], Any]
    argument: Any = None
    group: Hashable = None
    seconds: float | None = None  # what the pool that runs it allows, told to the process with it


@dataclass(frozen=True, slots=True)
class Reached:
    """Said by a task on its way: its clock starts again, with ``times`` the limit; ``value`` is kept in case it gets no further."""

    value: Any = None
    times: float = 1.0


@dataclass(frozen=True, slots=True)
class Ended:
    """The value of a task, or the reason why it has none: then ``last`` is what it had reached, and ``error`` what was REFUSED."""

    how: How
    value: Any = None
    reason: str = ""
    seconds: float = 0.0
    last: Any = None
    error: SymnetError | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """What one task may take, and the modules that a process loads before it starts to count."""

    seconds: float = 60.0
    megabytes: int = 1024
    preload: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ready:
    """A process has loaded its modules. ``limited`` is False where the system has no limit on memory."""

    limited: bool


def send(stream: BinaryIO, value: Any) -> None:
    """Write one value as one frame."""
    content = pickle.dumps(value)
    stream.write(HEAD.pack(len(content)) + content)
    stream.flush()


def receive(stream: BinaryIO) -> bytes:
    """Read one frame, still pickled. Raises EOFError when the other side has gone."""
    length = HEAD.unpack(_exactly(stream, HEAD.size))[0]
    return _exactly(stream, length)


def _exactly(stream: BinaryIO, length: int) -> bytes:
    content = stream.read(length)
    if len(content) != length:
        raise EOFError
    return content
