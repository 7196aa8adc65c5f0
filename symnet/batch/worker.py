"""Inside a process of the pool: one task at a time, under a limit on memory. It ends when its parent goes away."""

from __future__ import annotations

import errno
import importlib
import os
import pickle
import queue
import signal
import sys
import time
from pathlib import Path
from threading import Thread
from typing import Any, BinaryIO

from symnet.batch.tasks import Ended, How, Limits, Reached, Ready, Task, receive, send
from symnet.errors import SymnetError, internal, one_line

_replies: list[BinaryIO] = []  # where a task says how far it is; empty outside a worker
_last: list[Reached] = []  # the last it said
_seconds: list[float] = []  # the limit of the task that runs
IDLE = 600.0  # seconds without a task, after which the process ends by itself
MEGABYTE = 1 << 20


def main() -> None:
    """Serve tasks from standard input until it closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's business: it kills us
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # a library that prints must not write into the replies
    frames: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    Thread(target=_listen, args=(sys.stdin.buffer, frames), daemon=True).start()
    limits: Limits = pickle.loads(frames.get())
    _replies.append(replies)
    try:
        for module in limits.preload:
            importlib.import_module(module)
    except Exception as error:  # said before the end, so that the parent can say it too
        send(replies, one_line(f"{type(error).__name__}: {error}"))
        return
    send(replies, Ready(limit_memory(limits.megabytes)))
    while True:
        try:
            frame = frames.get(timeout=IDLE)
        except queue.Empty:
            return
        _last.clear()
        _reply(replies, _ended(frame, limits))


def reached(value: Any = None, times: float = 1.0) -> None:
    """Called by a task: a new part of it begins, which has ``times`` the limit. Outside a worker it does nothing."""
    if _replies:
        _last[:] = [Reached(value, times)]
        _limit_cpu(_seconds[0] * times)
        _reply(_replies[0], _last[0])


def _listen(stream: BinaryIO, frames: queue.SimpleQueue[bytes]) -> None:
    """Runs beside the tasks, so that the process ends with its parent even in the middle of one."""
    try:
        while True:
            frames.put(receive(stream))
    except (EOFError, OSError):
        os._exit(0)


def _ended(frame: bytes, limits: Limits) -> Ended:
    start, value, refused = time.monotonic(), None, None
    try:
        task: Task = pickle.loads(frame)
        _seconds[:] = [task.seconds or limits.seconds]
        _limit_cpu(_seconds[0])
        how, value, reason = How.DONE, task.function(task.argument), ""
    except SymnetError as error:
        how, reason, refused = How.REFUSED, error.message, error
    except BaseException as error:  # a bug of ours in one answer, SystemExit included: the other answers go on
        if out_of_memory(error):
            how, reason = How.MEMORY, f"over the memory limit of {limits.megabytes} MB"
        else:
            how, reason = How.ERROR, internal(error)
    return Ended(how, value, reason, time.monotonic() - start, _last[0].value if _last else None, refused)


def out_of_memory(error: BaseException) -> bool:
    """Python says it in three ways: as such, as an error of the system, or as a library that cannot be loaded."""
    return (isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM
            or (isinstance(error, ImportError) and ("failed to map" in str(error) or "allocate memory" in str(error))))


def _reply(replies: BinaryIO, said: Ended | Reached) -> None:
    try:
        send(replies, said)
    except OSError:
        os._exit(0)
    except Exception as error:  # the value cannot be pickled
        if out_of_memory(error):
            os._exit(1)
        if isinstance(said, Ended):
            send(replies, Ended(How.ERROR, None, internal(error), said.seconds))


def limit_memory(megabytes: int) -> bool:
    """Limit the memory of this process to that much beyond what it has now. False where the system cannot."""
    try:
        import resource

        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        most = pages * resource.getpagesize() + megabytes * MEGABYTE
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        resource.setrlimit(resource.RLIMIT_AS, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a crash leaves no core file behind
    except (ImportError, OSError, ValueError):
        return False
    return True


def _limit_cpu(seconds: float) -> None:
    """A second net under the parent's clock: should it be gone unnoticed, the system ends a task that runs wild."""
    try:
        import resource

        used = resource.getrusage(resource.RUSAGE_SELF)
        most = int(used.ru_utime + used.ru_stime + 2 * seconds + 60)
        resource.setrlimit(resource.RLIMIT_CPU, (most, resource.getrlimit(resource.RLIMIT_CPU)[1]))
    except (ImportError, OSError, ValueError):
        return
