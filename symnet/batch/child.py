"""The parent's side of one process of the pool: start it, give it a task, kill it."""

from __future__ import annotations

import json
import pickle
import queue
import signal
import subprocess
import sys
import time
from collections.abc import Hashable
from dataclasses import replace
from threading import Thread
from typing import Any

from symnet.batch.tasks import Limits, Reached, Task, receive, send

# -P: the folder the user stands in, which may hold answers of strangers, is no place to import from.
BOOT = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from symnet.batch.worker import main; main()"
START = 120.0  # seconds a process may take to load its modules


class Child:
    """A process that can be killed. What it says is put on ``events`` as (child, reply); (child, None) when it has ended."""

    def __init__(self, limits: Limits, events: queue.SimpleQueue[tuple[Child, Any]]) -> None:
        self.limits, self.events = limits, events
        self.task: Task | None = None
        self.group: Hashable = None  # of its last task: what it has loaded
        self.ready = False
        self.used = 0  # tasks it has taken
        self.since = time.monotonic()
        self.reached = Reached()  # how far its task is
        self.process: subprocess.Popen[bytes] | None = None
        self._listener = Thread(target=self._listen, daemon=True)

    def start(self) -> None:
        """Start the process. The pool knows the child before, so that an interruption in between leaves nothing running."""
        self.process = subprocess.Popen([sys.executable, "-P", "-c", BOOT, json.dumps(sys.path)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self._listener.start()
        self._send(self.limits)

    @property
    def deadline(self) -> float | None:
        """The time by which it must have spoken; None when it has nothing to do."""
        if not self.ready:
            return self.since + START
        return None if self.task is None else self.since + self.limits.seconds * self.reached.times

    def give(self, task: Task) -> None:
        """Start a task; its clock runs from now."""
        self.task, self.since, self.reached = task, time.monotonic(), Reached()
        self.used += 1
        self._send(replace(task, seconds=self.limits.seconds))

    def goes_on(self, reached: Reached) -> None:
        """A new part of its task has begun, with a clock of its own."""
        self.reached, self.since = reached, time.monotonic()

    def kill(self) -> None:
        """End the process at once and leave nothing of it behind."""
        if self.process is None:
            return
        self.process.kill()
        self.process.wait()
        if self._listener.ident is not None:
            self._listener.join()
        for stream in (self.process.stdin, self.process.stdout):
            try:
                if stream is not None:
                    stream.close()
            except OSError:  # what it had not read yet
                continue

    def how_it_ended(self) -> str:
        """A sentence for a process that has died by itself."""
        assert self.process is not None
        code = self.process.wait()
        if -code in (signal.SIGABRT, signal.SIGSEGV) and self.limits.megabytes:  # what a library written in C does when it gets no memory
            return f"its process was ended by signal {-code}, perhaps over the memory limit of {self.limits.megabytes} MB"
        return f"its process was ended by signal {-code}" if code < 0 else f"its process ended by itself (exit code {code})"

    def _send(self, value: Any) -> None:
        assert self.process is not None and self.process.stdin is not None
        try:
            send(self.process.stdin, value)  # type: ignore[arg-type]
        except OSError:
            return  # it has just died; the listener says so

    def _listen(self) -> None:
        assert self.process is not None and self.process.stdout is not None
        try:
            while True:
                self.events.put((self, pickle.loads(receive(self.process.stdout))))  # type: ignore[arg-type]
        except (EOFError, OSError, ValueError):
            self.events.put((self, None))
