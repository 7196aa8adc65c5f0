"""What the benchmarks share: one thread, a limit on time, tables. Import it before numpy."""

from __future__ import annotations

import os
import platform
import signal
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "JAX_PLATFORMS": "cpu"}
os.environ.update(ONE_THREAD)


class OutOfTime(BaseException):
    """Not an Exception, so that no library swallows it."""


@dataclass(frozen=True)
class Measured:
    """The processor's seconds that a call took, and what it gave; ``ended`` is False when the limit stopped it."""

    seconds: float
    result: Any = None
    ended: bool = True


def limited(work: Callable[[], Any], seconds: float) -> Measured:
    """Call ``work``, for ``seconds`` on the clock at most."""
    def stop(*_: object) -> None:
        raise OutOfTime

    before = signal.signal(signal.SIGALRM, stop)
    start = time.process_time()
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds)
        result = work()
        return Measured(time.process_time() - start, result)
    except OutOfTime:
        return Measured(time.process_time() - start, None, False)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def median(found: Sequence[Measured]) -> float:
    """The median of the seconds."""
    return statistics.median(m.seconds for m in found)


def stopped(found: Sequence[Measured]) -> bool:
    """True when half of the calls were stopped, so that the median is only known to be larger."""
    return 2 * sum(not m.ended for m in found) >= len(found)


def shown(found: Sequence[Measured]) -> str:
    """The median in milliseconds."""
    middle = 1000 * median(found)
    return ("> " if stopped(found) else "") + (f"{middle:.1f}" if middle < 100 else f"{middle:.0f}")


def ratio(peer: Sequence[Measured], ours: Sequence[Measured]) -> str:
    """How many times as long the peer takes for the same thing: the median over the things."""
    times = statistics.median(p.seconds / o.seconds for p, o in zip(peer, ours, strict=True))
    return ("> " if stopped(peer) else "") + (f"{times:.0f}x" if times >= 10 else f"{times:.2f}x")


def table(title: str, head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a Markdown table."""
    print(f"\n{title}\n")
    cells = [list(map(str, head)), *[list(map(str, row)) for row in rows]]
    widths = [max(len(row[k]) for row in cells) for k in range(len(head))]
    for n, row in enumerate(cells):
        print("| " + " | ".join(c.ljust(w) if k == 0 else c.rjust(w) for k, (c, w) in enumerate(zip(row, widths, strict=True))) + " |")
        if n == 0:
            print("|" + "|".join("-" * (w + 2) if k == 0 else "-" * (w + 1) + ":" for k, w in enumerate(widths)) + "|", flush=True)


def machine() -> str:
    """One line on where and when."""
    return f"{date.today()}, Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores, one thread used"
