"""Deriving a gradient: time and size of what is derived, symnet against SymPy, JAX, CasADi, PyTensor and tensorgrad in one run.

    python benchmarks/derivation.py                   depths 2 to 256, three rounds, a limit of 8 s for each measurement
    python benchmarks/derivation.py --quick           depths 2, 4, 8, one round, a limit of 2 s
    python benchmarks/derivation.py --peers PYTHON    also tries this interpreter for peers that are not installed here

The network is an MLP of tanh layers of width 8 with squared error (SymPy, entry by entry: width 2), then one of symbolic depth, a
transformer block and an LSTM. Time is the processor's, of building the network and its gradient (symnet: of deriving the program),
each system and depth in a process of its own: one at depth 1 to warm up, then the median of the rounds. Size is what each system
counts: operations over all definitions (symnet), over all entries (SymPy), equations (JAX), instructions (CasADi), applications
(PyTensor), nodes (tensorgrad). JAX, CasADi and PyTensor give a program to run; symnet also the formula of each gradient with a
reason for every step. One thread.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

from measuring import machine, table

WIDTH, SMALL, LIMIT = 8, 2, 8.0
DEPTHS = (2, 4, 8, 16, 32, 64, 128, 256)
PEERS = ("sympy", "jax", "casadi", "pytensor", "tensorgrad")
WHOLE = ("symbolic depth", "block", "lstm")
Found = tuple[float, int, int] | str  # seconds, size, definitions; or why there is none


def own(what: str, rounds: int) -> tuple[float, int, int]:
    """symnet: the seconds that a derivation takes, operations over all definitions, definitions."""
    import sympy as sp

    from symnet.calculus import derive
    from symnet.networks import architectures

    if what == "block":
        from symnet.networks.architectures import transformer_block

        program = transformer_block(WIDTH, 2, 4 * WIDTH)
    elif what == "lstm":
        from symnet.networks.architectures import lstm

        program = lstm(WIDTH, WIDTH)
    else:
        program = architectures.deep_mlp(WIDTH) if what == WHOLE[0] else architectures.unrolled_mlp(WIDTH, int(what))
    derive(architectures.unrolled_mlp(2, 1))  # what loads on first use
    times = []
    while len(times) < rounds:
        start = time.process_time()
        done = derive(program)
        times.append(time.process_time() - start)
    return statistics.median(times), sum(int(sp.count_ops(d.expr)) for d in done.full.definitions), len(done.full.definitions)


class Bench:
    """Measurements, in processes of their own. What did not end once is not tried at a larger depth."""

    def __init__(self, rounds: int, limit: float, peers: str) -> None:
        self.rounds, self.limit = rounds, limit
        self.pythons = [sys.executable, *([peers] if peers else [])]
        self.over: set[str] = set()

    def run(self, command: list[str], limit: float) -> Found:
        """What the command prints; ``limit`` is on the clock."""
        try:
            shown = subprocess.run([*command, str(self.rounds)], capture_output=True, text=True, timeout=limit).stdout.split()
        except subprocess.TimeoutExpired:
            return f"> {self.limit:g} s"
        if len(shown) < 2 or shown[0] == "not":
            return "not installed" if shown[:1] == ["not"] else "failed"
        return float(shown[0]), int(shown[1]), int(shown[2]) if shown[2:] else 0

    def peer(self, name: str, depth: int) -> Found:
        """One peer at one depth."""
        if name in self.over:
            return "-"
        found: Found = ""
        for python in self.pythons:
            width = SMALL if name == "sympy" else WIDTH
            found = self.run([python, str(Path(__file__).with_name("peers.py")), name, str(width), str(depth)], self.limit + 4)
            if found != "not installed":
                break
        if isinstance(found, str):
            self.over.add(name)
        return found

    def ours(self, what: str) -> Found:
        """symnet."""
        return self.run([sys.executable, __file__, "--one", what], 90)


def seconds(found: Found, ours: Found) -> str:
    """The seconds, and how many times symnet's they are."""
    if isinstance(found, str) or isinstance(ours, str):
        return found if isinstance(found, str) else f"{found[0]:.3f}"
    times = found[0] / ours[0]
    return f"{found[0]:.4f} ({times:.0f}x)" if times >= 10 else f"{found[0]:.4f} ({times:.2g}x)"


def size(found: Found) -> str:
    """The size."""
    return "-" if isinstance(found, str) else str(found[1])


def by_depth(bench: Bench, depths: tuple[int, ...]) -> None:
    """Both tables of the MLP."""
    times, sizes, last = [], [], 0.0
    for depth in depths:
        ours = bench.ours(str(depth))
        if isinstance(ours, str):
            times.append([depth, ours, *[""] * (2 + len(PEERS))])
            break
        peers = [bench.peer(name, depth) for name in PEERS]
        growth = f"{ours[0] / last:.2f}" if last else ""
        last = ours[0]
        times.append([depth, f"{ours[0]:.4f}", f"{1000 * ours[0] / ours[2]:.2f}", growth, *[seconds(p, ours) for p in peers]])
        sizes.append([depth, ours[2], ours[1], f"{ours[1] / ours[2]:.2f}", *[size(p) for p in peers]])
    table("MLP: seconds (times symnet's)", ["depth", "symnet", "ms a definition", "to half the depth", *PEERS], times)
    table("MLP: size", ["depth", "definitions", "symnet", "a definition", *PEERS], sizes)


def whole(bench: Bench) -> None:
    """Symbolic depth, a transformer block, an LSTM."""
    rows = []
    for what in WHOLE:
        ours = bench.ours(what)
        if isinstance(ours, str):
            rows.append([what, "", "", ours, "", ""])
            continue
        peer = bench.peer(f"{what}-jax", 1) if what != WHOLE[0] else "no symbolic depth"
        rows.append([what, str(ours[2]), str(ours[1]), f"{ours[0]:.3f}", seconds(peer, ours), size(peer)])
    table(f"Whole networks (symnet: symbolic depth, batch and time; width {WIDTH})",
          ["network", "definitions", "operations", "symnet s", "jax s", "jax equations"], rows)


def main(arguments: list[str]) -> int:
    """Print the tables."""
    quick = "--quick" in arguments
    peers = arguments[arguments.index("--peers") + 1] if "--peers" in arguments[:-1] else ""
    print(f"derivation: {machine()}; width {WIDTH}, SymPy's width {SMALL}", flush=True)
    start = time.perf_counter()
    bench = Bench(1 if quick else 3, 2.0 if quick else LIMIT, peers)
    by_depth(bench, DEPTHS[:3] if quick else DEPTHS)
    whole(bench)
    print(f"\n{time.perf_counter() - start:.0f} s in all")
    return 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        print(*own(sys.argv[2], int(sys.argv[3])))
        sys.exit(0)
    sys.exit(main(sys.argv[1:]))
