"""Time to derive all gradients, to check every step and to compile, against depth: an unrolled width-8 MLP, and one of symbolic depth.

    python benchmarks/depth.py

One thread. Each depth is derived in a fresh process, three times in turn with the others; the best time of the processor counts.
MB is what derivation and compiled code hold in the end, measured in a run of its own.
The limit: 256 layers are derived, checked and compiled in at most 2.5 times what 128 take.
"""

from __future__ import annotations

import itertools
import os
import subprocess
import sys

WIDTH, DEPTHS, ROUNDS, LIMIT = 8, (16, 32, 64, 128, 256), 3, 2.5
SYMBOLIC = "L"
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def derive_once(depth: str, memory: bool) -> None:
    """Print the number of steps and the seconds for deriving, checking and compiling, or the MB held. Building is not counted."""
    import time
    import tracemalloc

    from symnet.calculus import derive
    from symnet.networks.architectures import deep_mlp, unrolled_mlp

    derive(unrolled_mlp(2, 1)).compile()  # imports and first-use tables
    program = deep_mlp(WIDTH, depth) if depth == SYMBOLIC else unrolled_mlp(WIDTH, int(depth))
    if memory:
        tracemalloc.start()
    times = [time.process_time()]
    done = derive(program)
    times.append(time.process_time())
    assert all(done.check()), "a step was not checked"
    times.append(time.process_time())
    held = done.compile()
    times.append(time.process_time())
    if memory:
        print(tracemalloc.get_traced_memory()[0] / 2**20)
    else:
        print(len(done.steps), *[after - before for before, after in itertools.pairwise(times)])
    assert held.source


def measured(depth: str, memory: bool = False) -> tuple[float, ...]:
    """``derive_once`` in a process of its own."""
    command = [sys.executable, __file__, depth, *(["memory"] if memory else [])]
    shown = subprocess.run(command, env={**os.environ, **ONE_THREAD}, check=True, capture_output=True, text=True).stdout.split()
    return tuple(map(float, shown))


def main() -> int:
    """Print the table and the ratio; 1 when the ratio is over the limit."""
    depths = [*map(str, DEPTHS), SYMBOLIC]
    runs = [[measured(d) for d in depths] for _ in range(ROUNDS)]
    best = {depth: tuple(map(min, *row)) for depth, row in zip(depths, zip(*runs, strict=True), strict=True)}
    print(f"width {WIDTH}, best of {ROUNDS}\n{'depth':>8} {'steps':>6} {'derive s':>9} {'check s':>9} {'compile s':>9} {'MB':>6}")
    for depth, (steps, *seconds) in best.items():
        print(f"{depth:>8} {steps:6.0f} " + " ".join(f"{t:9.3f}" for t in seconds) + f" {measured(depth, True)[0]:6.1f}")
    ratio = sum(best["256"][1:]) / sum(best["128"][1:])
    print(f"256 layers / 128 layers: {ratio:.2f}, limit {LIMIT:.2f}: {'ok' if ratio <= LIMIT else 'TOO SLOW'}")
    return int(ratio > LIMIT)


if __name__ == "__main__":
    if sys.argv[1:]:
        derive_once(sys.argv[1], "memory" in sys.argv[2:])
        sys.exit(0)
    sys.exit(main())
