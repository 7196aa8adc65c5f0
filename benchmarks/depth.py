"""Time to derive all gradients, against depth: an unrolled width-8 MLP, and one whose depth is a symbol.

    python benchmarks/depth.py

One thread. Each depth is derived in a fresh process, three times in turn with the others; the best time counts.
The limit: 256 layers take at most 2.5 times as long as 128.
"""

from __future__ import annotations

import os
import subprocess
import sys

WIDTH, DEPTHS, ROUNDS, LIMIT = 8, (16, 32, 64, 128, 256), 3, 2.5
SYMBOLIC = "L"
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def derive_once(depth: str) -> None:
    """Print the seconds that one derivation takes and its number of steps. Building the program is not counted."""
    import time

    from symnet.calculus import derive
    from symnet.networks.architectures import deep_mlp, unrolled_mlp

    derive(unrolled_mlp(2, 1))  # imports and first-use tables
    program = deep_mlp(WIDTH, depth) if depth == SYMBOLIC else unrolled_mlp(WIDTH, int(depth))
    start = time.perf_counter()
    done = derive(program)
    print(time.perf_counter() - start, len(done.steps))


def measured(depth: str) -> tuple[float, int]:
    """``derive_once`` in a process of its own."""
    shown = subprocess.run([sys.executable, __file__, depth], env={**os.environ, **ONE_THREAD}, check=True,
                           capture_output=True, text=True).stdout.split()
    return float(shown[0]), int(shown[1])


def main() -> int:
    """Print the table and the ratio; 1 when the ratio is over the limit."""
    depths = [*map(str, DEPTHS), SYMBOLIC]
    best = {depth: min(row) for depth, row in
            zip(depths, zip(*[[measured(d) for d in depths] for _ in range(ROUNDS)], strict=True), strict=True)}
    print(f"width {WIDTH}, best of {ROUNDS}\n{'depth':>8} {'steps':>6} {'seconds':>9} {'ms a layer':>11}")
    for depth, (taken, steps) in best.items():
        each = f"{1000 * taken / int(depth):11.2f}" if depth != SYMBOLIC else f"{'any':>11}"
        print(f"{depth:>8} {steps:6d} {taken:9.3f} {each}")
    ratio = best["256"][0] / best["128"][0]
    print(f"256 layers / 128 layers: {ratio:.2f}, limit {LIMIT:.2f}: {'ok' if ratio <= LIMIT else 'TOO SLOW'}")
    return int(ratio > LIMIT)


if __name__ == "__main__":
    if sys.argv[1:]:
        derive_once(sys.argv[1])
        sys.exit(0)
    sys.exit(main())
