"""A pool of processes that can be killed: a task that hangs, eats memory or crashes ends alone, and the others go on."""

from __future__ import annotations

import queue
import time
from collections import deque
from collections.abc import Hashable, Iterator
from dataclasses import replace
from typing import Any, Protocol

from symnet.batch.child import Child
from symnet.batch.tasks import Ended, How, Limits, Reached, Ready, Task
from symnet.errors import MissingToolError

MOST_FAILED_STARTS = 3


class Runs(Protocol):
    """What runs tasks: this pool, or a cluster. Tasks may be submitted while it is iterated."""

    def submit(self, task: Task) -> None:
        """Add a task."""

    def __iter__(self) -> Iterator[tuple[Task, Ended]]:
        """Every task with how it ended, as they end, until none is left."""


class Pool:
    """Up to ``jobs`` processes under ``limits``.

    Every task that was submitted comes out exactly once. A task whose process died, or that ran out of memory in a process that had
    served other tasks before, gets one more try in a fresh one, so that no task suffers for its neighbours.

    >>> import math
    >>> with Pool(1) as pool:
    ...     pool.submit(Task("five", math.factorial, 5))
    ...     [(task.key, ended.value) for task, ended in pool]
    [('five', 120)]
    """

    def __init__(self, jobs: int = 1, limits: Limits | None = None) -> None:
        self.jobs, self.limits = jobs, limits or Limits()
        self.memory_is_limited = True  # known when the first process has started
        self._events: queue.SimpleQueue[tuple[Child, Any]] = queue.SimpleQueue()
        self._children: list[Child] = []
        self._waiting: dict[Hashable, deque[Task]] = {}
        self._again: deque[Task] = deque()  # these need a fresh process
        self._tried: set[Hashable] = set()
        self._failed_starts = 0
        self._why = ""  # the last process that could not start said so

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Kill every process."""
        while self._children:
            self._children[-1].kill()
            self._children.pop()

    def start(self) -> None:
        """Start a process before there is a task for it, so that it loads what it needs meanwhile."""
        if not self._children:
            self._start()

    def allow(self, seconds: float) -> None:
        """Another limit of time, for the tasks that are handed out from now on."""
        self.limits = replace(self.limits, seconds=seconds)
        for child in self._children:
            child.limits = self.limits

    def submit(self, task: Task) -> None:
        """Add a task."""
        self._waiting.setdefault(task.group, deque()).append(task)

    def __iter__(self) -> Iterator[tuple[Task, Ended]]:
        while self._waiting or self._again or any(c.task for c in self._children):
            self._hand_out()
            yield from self._wait()

    def _hand_out(self) -> None:
        """A task for every idle process; more processes while there are tasks for them."""
        for child in [c for c in self._children if c.ready and c.task is None]:
            if self._again and child.used:
                self._drop(child)
            elif task := self._next(child):
                child.give(task)
        starting = sum(not c.ready for c in self._children)
        left = sum(map(len, self._waiting.values())) + len(self._again)
        for _ in range(min(self.jobs - len(self._children), left - starting)):
            self._start()

    def _start(self) -> None:
        child = Child(self.limits, self._events)
        self._children.append(child)
        try:
            child.start()
        except OSError as error:
            self._children.remove(child)
            if not self._children:
                raise self._no_process(f" ({error.strerror or type(error).__name__})") from None
            self.jobs = len(self._children)  # the system has no room for more

    def _next(self, child: Child) -> Task | None:
        """A task that needs a fresh process; one of the group this process knows; one of a group that nobody has; any."""
        if self._again:
            return self._again.popleft()
        if not self._waiting:
            return None
        group = child.group
        if group not in self._waiting:
            taken = {c.group for c in self._children}
            group = next((g for g in self._waiting if g not in taken), next(iter(self._waiting)))
        tasks = self._waiting[group]
        task = tasks.popleft()
        if not tasks:
            del self._waiting[group]
        child.group = group
        return task

    def _wait(self) -> Iterator[tuple[Task, Ended]]:
        """Wait for the next reply or the next deadline."""
        deadlines = [c.deadline for c in self._children if c.deadline is not None]
        try:
            child, reply = self._events.get(timeout=max(0.0, min(deadlines, default=time.monotonic()) - time.monotonic()))
        except queue.Empty:
            yield from self._late()
            return
        if child not in self._children:  # it was killed meanwhile
            return
        if isinstance(reply, Ready):
            child.ready, self.memory_is_limited, self._failed_starts = True, reply.limited, 0
        elif isinstance(reply, Reached):
            child.goes_on(reply)
        elif isinstance(reply, Ended):
            yield from self._replied(child, reply)
        elif isinstance(reply, str):
            self._why = f" ({reply})"
        else:
            yield from self._died(child)

    def _replied(self, child: Child, ended: Ended) -> Iterator[tuple[Task, Ended]]:
        task, child.task = child.task, None
        if ended.how is How.MEMORY:
            yield from self._once_more(child, task, ended)
        elif task is not None:
            yield task, ended

    def _died(self, child: Child) -> Iterator[tuple[Task, Ended]]:
        if not child.ready:
            self._could_not_start(child)
            return
        reason = child.how_it_ended()
        yield from self._once_more(child, child.task, Ended(How.DIED, None, reason, time.monotonic() - child.since, child.reached.value))

    def _once_more(self, child: Child, task: Task | None, ended: Ended) -> Iterator[tuple[Task, Ended]]:
        """The process is given up; the task gets a second try when the process was not its own from the start, or was killed."""
        self._drop(child)
        if task is None:
            return
        if (child.used > 1 or ended.how is How.DIED) and task.key not in self._tried:
            self._tried.add(task.key)
            self._again.append(task)
        else:
            yield task, ended

    def _late(self) -> Iterator[tuple[Task, Ended]]:
        now = time.monotonic()
        for child in [c for c in self._children if c.deadline is not None and c.deadline <= now]:
            if not child.ready:
                self._could_not_start(child)
                continue
            self._drop(child)
            if child.task is not None:
                reason = f"not decided in {self.limits.seconds * child.reached.times:g} s"
                yield child.task, Ended(How.TIME, None, reason, now - child.since, child.reached.value)

    def _could_not_start(self, child: Child) -> None:
        self._drop(child)
        self._failed_starts += 1
        if self._failed_starts >= MOST_FAILED_STARTS:
            raise self._no_process(self._why)

    def _no_process(self, why: str) -> MissingToolError:
        return MissingToolError("workers", f"no process can be started{why}", "a system that can start Python again")

    def _drop(self, child: Child) -> None:
        self._children.remove(child)
        child.kill()
