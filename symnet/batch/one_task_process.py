"""One task in a killable process of its own, for a thread of somebody else's program, such as a Dask worker."""

from __future__ import annotations

from dataclasses import replace
from threading import Lock

from symnet.batch.pool import Pool
from symnet.batch.tasks import Ended, Limits, Task

_idle: list[Pool] = []  # pools of one process, which keep what they have loaded for the next task
_lock = Lock()


def run_once(task: Task, limits: Limits) -> Ended:
    """The end of the task, within its limits. The process is kept for the next one; unused, it ends by itself."""
    with _lock:
        pool = next((p for p in _idle if replace(p.limits, seconds=limits.seconds) == limits), None)
        if pool is None:
            pool = Pool(1, limits)
        else:
            _idle.remove(pool)
            pool.allow(limits.seconds)
    try:
        pool.submit(task)
        ((_, ended),) = pool
    except BaseException:
        pool.close()
        raise
    with _lock:
        _idle.append(pool)
    return ended


def run_fresh(task: Task, limits: Limits) -> Ended:
    """The same in a process that nobody has used and nobody will: for code of the user's own."""
    with Pool(1, limits) as pool:
        pool.submit(task)
        ((_, ended),) = pool
    return ended


def close_idle() -> None:
    """End the processes that wait for a next task."""
    with _lock:
        while _idle:
            _idle.pop().close()
