"""Thousands of random programs against PyTorch, every tenth against JAX: ``python -m tests.laws.nightly --programs 10000 --seed 1``.

Each program has a number; the number and the seed give the same program on every machine. Results are appended to ``--log``, one line
of JSON a program, and a run that is started again goes on where the log ends. A failure is printed with its smallest form.
Exit 0 when nothing is wrong, 1 otherwise. ``--kinds index,numpy,recurrence,checker`` chooses what is made.
"""

# ruff: noqa: E402 - the path comes first
from __future__ import annotations

import argparse
import json
import re
import signal
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parents[1])]

from laws import judging, spelling
from laws.dice import Dice, Seeded
from laws.index_programs import index_program
from laws.judging import DIFFERENT, LAWS, Case, Fault, judge
from laws.language import Source
from laws.numpy_programs import numpy_program
from laws.oracle import table
from laws.recurrences import recurrence
from laws.shrinking import shrink

KINDS: dict[str, Callable[[Dice], Source]] = {"index": index_program, "numpy": numpy_program, "recurrence": recurrence}
RARE = {"jax module": 20, "torch module": 4, "numpy module": 2, "hessian": 8, "jacobian": 3, "step fields": 5, "answers": 3}  # laws asked of every so manieth program: they are slow
SHRUNK = 2  # failures of one sort that are made small


class OutOfTime(BaseException):
    """A program took longer than its limit; no ``except Exception`` on the way keeps it."""


@contextmanager
def limit(seconds: int) -> Iterator[None]:
    """Raise OutOfTime after so many seconds of work: a machine that is busy with other things makes no fault."""
    def stop(*_: Any) -> None:
        raise OutOfTime

    old = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, old)


def made(number: int, seed: int, kinds: list[str]) -> Source:
    """The program of a number."""
    return KINDS[kinds[number % len(kinds)]](Seeded(f"{seed} {number}"))


def case_of(source: Source, number: int) -> Case:
    """With its oracle: PyTorch, which is fast for shapes that it has not seen, or JAX."""
    return Case(source, number, oracle="torch" if number % 10 else "jax")


def asked(number: int) -> tuple[str, ...]:
    """The laws asked of it."""
    return tuple(name for name in LAWS if number // 3 % RARE.get(name, 1) == 0)


def sort_of(fault: Fault) -> tuple[str, str, str]:
    """Faults of one sort are likely one fault."""
    words = "" if fault.kind == "wrong" else re.sub(r"d[A-Z]_d\w+|\d+|\[.*?\]|'.*?'|\{.*?\}|\b\w\b", "", fault.detail)[:50]
    return fault.kind, fault.law, " ".join(words.split())


def reproduction(source: Source, number: int, fault: Fault, seconds: float) -> str:
    """The smallest program that fails in the same way, as text to paste, with its point and what the oracle says."""
    names = tuple(LAWS) if fault.law not in LAWS else (fault.law,)

    def fails(candidate: Source) -> bool:
        return any(sort_of(f) == sort_of(fault) for f in judge(case_of(candidate, number), names))

    small = shrink(source, fails, seconds)
    case = case_of(small, number)
    again = next((f for f in judge(case, names) if sort_of(f) == sort_of(fault)), fault)
    how = "sn.program from text" if small.notes.get("from", "text") == "text" else "from nouns"
    lines = "\n    ".join(spelling.lines(small))
    return f"  {again}\n  {how}, tensors={spelling.shapes(small)}, positive: {sorted(small.positive)}\n    {lines}\n  at {table(case.at(DIFFERENT)[1])}"


def main(arguments: list[str] | None = None) -> int:
    """Run; 0 when nothing is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.laws.nightly", description=__doc__.splitlines()[0])
    parser.add_argument("--programs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="the number of the first program")
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--log", type=Path, default=None, help="JSON lines; a run that is started again goes on behind them")
    parser.add_argument("--limit", type=int, default=120, help="seconds a program")
    parser.add_argument("--shrink", type=float, default=60.0, help="seconds to make one failure small")
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    kinds = options.kinds.split(",")
    counts, seen, done = Counter[str](), Counter[tuple[str, str, str]](), set[int]()
    if options.log is not None and options.log.exists():
        for line in options.log.read_text(encoding="utf-8").splitlines():
            one = json.loads(line)
            done.add(one["number"])
            counts.update(one["counts"])
            seen.update(tuple(s) for s in one["sorts"])
        print(f"going on behind {len(done)} programs")
    start = time.monotonic()
    for number in range(options.first, options.first + options.programs):
        if number in done:
            continue
        source = made(number, options.seed, kinds)
        case = case_of(source, number)
        try:
            with limit(options.limit):
                faults = judge(case, asked(number))
        except OutOfTime:
            faults = [Fault("time", f"not done in {options.limit} s", "slow")]
        nothing = not faults and case.at(DIFFERENT)[2] is None
        outcome = Counter({"programs": 1, source.kind: 1, **({"without a value": 1} if nothing else {}), **dict.fromkeys({f.kind for f in faults}, 1)})
        counts.update(outcome)
        for fault in {sort_of(f): f for f in faults}.values():
            seen[sort_of(fault)] += 1
            if seen[sort_of(fault)] <= SHRUNK and fault.kind != "slow":
                print(f"program {number} ({source.kind}):\n{reproduction(source, number, fault, options.shrink)}", flush=True)
            elif fault.kind == "slow":
                print(f"program {number} ({source.kind}): {fault}\n    " + "\n    ".join(spelling.lines(source)), flush=True)
        if options.log is not None:
            with options.log.open("a", encoding="utf-8") as log:
                log.write(json.dumps({"number": number, "counts": outcome, "sorts": sorted({sort_of(f) for f in faults})}) + "\n")
        if counts["programs"] % 100 == 0:
            print(f"{time.monotonic() - start:.0f} s: {dict(counts)}", flush=True)
        if counts["programs"] % 300 == 0:
            judging.jax_memory()
    print(f"{time.monotonic() - start:.0f} s: {dict(counts)}")
    for sort, n in seen.most_common():
        print(f"{n:6} {' | '.join(s for s in sort if s)}")
    return int(any(counts[k] for k in ("wrong", "crash", "slow", "refused")))


if __name__ == "__main__":
    sys.exit(main())
