"""The same tasks on a Dask cluster. The cluster needs symnet; it does not need the files, whose text travels with the tasks.

A task runs in a killable process beside the Dask worker, under the same limits as at home. The futures are keyed by task: when
a worker is lost, Dask runs its tasks again elsewhere, and each result is taken once. Source of the method:
https://distributed.dask.org/en/stable/resilience.html
"""

from __future__ import annotations

import logging
import re
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from symnet.batch.one_task_process import close_idle, run_once
from symnet.batch.tasks import Ended, How, Limits, Task
from symnet.errors import MissingToolError, OptionError, one_line

ADDRESS = re.compile(r"(tcp|tls|ws|wss|ucx)://[^\s/]+:\d{1,5}")
TALKS = ("distributed.client", "distributed.utils", "distributed.core", "distributed.comm", "distributed.batched")
WAIT = 15.0  # seconds for the scheduler to answer, and then for its first worker
MOST_TRIES = 3  # times a task is sent again after the cluster has forgotten it


class DaskPool:
    """Runs tasks on the cluster of the scheduler at ``address``, such as tcp://127.0.0.1:8786.

    Raises MissingToolError without Dask, OptionError when there is no scheduler or it has no workers.
    """

    def __init__(self, address: str, limits: Limits | None = None, wait: float = WAIT) -> None:
        self.address, self.limits = address, limits or Limits()
        self._run = f"symnet-{uuid.uuid4().hex}"  # keys of two runs on one cluster must differ
        self._tasks: list[Task] = []
        self._places: dict[str, tuple[int, int]] = {}  # by key: the number of the task, how often it was sent before
        self._futures: dict[int, Any] = {}  # of the tasks that have not come out, by number
        self._new: list[Any] = []
        try:
            from distributed import Client
        except ImportError:
            raise MissingToolError("--dask", "Dask is not installed", "it", "pip install 'symnet[dask]'") from None
        if not ADDRESS.fullmatch(address):
            raise OptionError("--dask", f"no scheduler at {address!r}", "an address such as tcp://host:8786")
        self._levels = {name: logging.getLogger(name).level for name in TALKS}
        for name in TALKS:  # what it has to say comes out as the reason of a task
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
        try:
            self._client = Client(address, timeout=wait, set_as_default=False)
        except (OSError, ValueError, TypeError) as error:  # TimeoutError is an OSError
            self._loud()
            raise OptionError("--dask", f"no scheduler at {address} ({type(error).__name__})", "tcp://host:port") from None
        try:
            self._client.wait_for_workers(1, timeout=wait)
        except OSError:
            self.close()
            raise OptionError("--dask", f"the scheduler at {address} has no workers", "one or more", f"dask worker {address}") from None

    def __enter__(self) -> DaskPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Take back what is not done, end the processes beside the workers, and leave the cluster as it was."""
        with suppress(Exception):  # the cluster may be gone already, and nothing here is worth a second error
            if self._running():
                self._client.cancel(list(self._futures.values()))
                self._client.run(close_idle, on_error="ignore")
        with suppress(Exception):
            self._client.close(timeout=5)
        self._loud()

    def _loud(self) -> None:
        for name, level in self._levels.items():
            logging.getLogger(name).setLevel(level)

    def _running(self) -> bool:
        """True while there is a scheduler; a connection that was lost gets some time to come back."""
        while self._client.status == "connecting":
            time.sleep(0.05)
        return bool(self._client.status == "running")

    def submit(self, task: Task) -> None:
        """Add a task."""
        self._tasks.append(task)
        self._send(len(self._tasks) - 1, 0)

    def _send(self, number: int, tries: int) -> None:
        key = f"{self._run}-{number}-{tries}"  # a key that was lost once stays lost, so each try has its own
        # pure=False: nothing is taken from another run's results
        future = self._client.submit(run_once, self._tasks[number], self.limits, key=key, pure=False)
        self._places[key] = (number, tries)
        self._futures[number] = future
        self._new.append(future)

    def __iter__(self) -> Iterator[tuple[Task, Ended]]:
        from distributed import as_completed

        coming = as_completed([], loop=self._client.loop)
        while self._futures:
            while self._new:
                coming.add(self._new.pop())
            future = next(coming)
            number, tries = self._places[future.key]
            ended = self._ended(future, tries)
            if ended is None:
                self._send(number, tries + 1)
            else:
                del self._futures[number]  # its result may leave the cluster
                yield self._tasks[number], ended

    def _ended(self, future: Any, tries: int) -> Ended | None:
        """How the task of a future ended; None when the cluster has lost it and it may be sent again."""
        lost: BaseException = ConnectionError("it was lost, or the scheduler has gone")
        try:
            if future.status == "finished":
                ended: Ended = future.result(timeout=WAIT)
                return ended
            if future.status == "error":
                return _failed(future.exception(timeout=WAIT))
        except Exception as error:  # the result was lost with its worker after the news of it came
            lost = error
        return None if tries < MOST_TRIES and self._running() else _failed(lost)


def _failed(error: BaseException) -> Ended:
    """A task that the cluster could not run: its workers died one after the other, or they have no symnet."""
    if type(error).__name__ == "KilledWorker":
        return Ended(How.DIED, None, "the Dask workers that ran it died, one after the other")
    if isinstance(error, ConnectionError):
        return Ended(How.ERROR, None, one_line(f"the cluster could not run it: {error}"))
    return Ended(How.ERROR, None, one_line(f"the cluster could not run it: {type(error).__name__}: {error}"))
