"""Each door of symnet, from the question to the answer, timed in one process with one thread; against another checkout, taking turns.

    python benchmarks/doors.py                     medians of 5, and what an answer costs besides time
    python benchmarks/doors.py --against PATH      the same of the checkout in PATH, in turns with this one, and the ratios
    python benchmarks/doors.py --quick             medians of 2
    python benchmarks/doors.py --only numpy,page   some doors

A door is what a user calls: an answer in plain maths or LaTeX, a line of a page, a NumPy or torch function, a report, the import. Every
checkout has a process of its own, which works one door at a time when it is told to; the process's own seconds count, and SymPy's cache
is emptied before each call. Calls are Python function calls, files those of symnet in which one was made, memory the most that Python
held during one call, both from a call of its own. A checkout that does not have a door says so. The limit is 1.2 times.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

from measuring import machine, table

HERE = Path(__file__).parents[1]
LIMIT = 1.2
NETWORK = ("z1 = X @ W1 + b1", "a1 = maximum(z1, 0)", "z2 = a1 @ W2 + b2", "P = softmax(z2)", "L = -sum(Y*log(P))/N")
SHAPES = {"X": ("N", "d"), "W1": ("d", "h"), "b1": ("h",), "W2": ("h", "k"), "b2": ("k",), "Y": ("N", "k")}
PAGE = """z1 = w1*x + b1 = 0.5*2 + 0.2 = 1.2
a1 = sigmoid(z1) ≈ 0.769
dL/da2 = 2*(a2 - y) ≈ -0.893
dL/dw2 = dL/da2 * a2*(1 - a2) * a1 ≈ -0.170
dL/dw1 = dL/da2 * a2*(1 - a2) * w2 * a1*(1 - a1) ≈ -0.031
"""


def classifier(X: Any, Y: Any, W1: Any, b1: Any, W2: Any, b2: Any) -> Any:
    """The backward pass of a two-layer classifier."""
    import numpy as np

    z1 = X @ W1 + b1
    a1 = np.maximum(z1, 0)
    z2 = a1 @ W2 + b2
    e = np.exp(z2 - z2.max(axis=1, keepdims=True))
    d2 = (e / e.sum(axis=1, keepdims=True) - Y) / len(X)
    d1 = d2 @ W2.T * (z1 > 0)
    return {"W2": a1.T @ d2, "b2": d2.sum(axis=0), "W1": X.T @ d1, "b1": d1.sum(axis=0)}


def doors() -> dict[str, Callable[[], Any]]:
    """What a user calls; each gives something that can be told right from wrong."""
    import symnet as sn

    line = sn.derive(sn.program("r = X @ w - y", "L = sum(r**2)/N", tensors={"X": ("N", "d"), "w": ("d",), "y": ("N",)}), wrt=["w"])
    one = sn.load("first")
    net = sn.derive(sn.program(*NETWORK, tensors=SHAPES, assumptions=["sum(Y, axis=1) == 1"]), wrt=["W1", "b1", "W2", "b2"])
    found: dict[str, Callable[[], Any]] = {
        "derive": lambda: sn.derive(sn.program(*NETWORK, tensors=SHAPES), wrt=["W1"]).steps,
        "answer, plain": lambda: sn.check("(2/N) * X.T @ (X @ w - y)", line, "w", timeout=None).holds,
        "answer, LaTeX": lambda: sn.check(r"\frac{2}{N} X^{\top} (X w - y)", line, "w", timeout=None).holds,
        "answer, wrong": lambda: not sn.check("X.T @ (X @ w - y)", line, "w", timeout=None) and sn.diagnose("X.T @ (X @ w - y)", line, "w"),
        "answer, 1-1-1": lambda: sn.check("2*(a2 - y)*a2*(1 - a2)*w2*a1*(1 - a1)*x", one, "w1", timeout=None).holds,
        "page": lambda: len(sn.check_page(PAGE, "first", timeout=None).wrong) == 2,
        "NumPy function": lambda: bool(sn.check_code(classifier, net)),
        "report": lambda: "<math" in sn.report(one).html(),
        "import": imported,
    }
    if hasattr(sn, "check_function"):
        found["torch Function"] = torch_function(sn)
    return found


def imported() -> bool:
    """A fresh interpreter that loads symnet; its own seconds."""
    subprocess.run([sys.executable, "-c", "import symnet"], check=True)
    return True


def torch_function(sn: Any) -> Callable[[], Any]:
    """A square with its own backward pass."""
    import torch

    class Square(torch.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx: Any, up: Any) -> Any:
            return 2 * ctx.saved_tensors[0] * up

    x = torch.ones(3, dtype=torch.float64)
    return lambda: bool(sn.check_function(Square, (x,)))


def seconds(work: Callable[[], Any]) -> float:
    """The processor's seconds of one call, with those of the processes that it started."""
    from sympy.core.cache import clear_cache

    clear_cache()
    before = used()
    if not work():
        raise SystemExit("doors: the answer is not the right one")
    return used() - before


def used() -> float:
    """The processor's seconds of this process and of those that it started and that have ended."""
    below = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + below.ru_utime + below.ru_stime


def cost(work: Callable[[], Any]) -> tuple[int, int, float]:
    """(Python calls, files of symnet in which one was made, the most megabytes held) of one call."""
    calls, files, own = 0, set[str](), f"{os.sep}symnet{os.sep}"

    def count(frame: Any, event: str, _: object) -> None:
        nonlocal calls
        if event == "call":
            calls += 1
            if own in frame.f_code.co_filename:
                files.add(frame.f_code.co_filename)

    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(None)
    tracemalloc.start()
    work()
    most = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    return calls, len(files), most


def serve() -> None:
    """Work doors as they are named, line by line, and say what they took."""
    there = doors()
    for name in map(str.strip, sys.stdin):
        kind, _, door = name.partition(" ")
        work = there.get(door)
        said: Any = sorted(there) if kind == "doors" else None if work is None else seconds(work) if kind == "time" else cost(work)
        print(json.dumps(said), flush=True)


class Checkout:
    """A process that works the doors of one checkout."""

    def __init__(self, root: Path) -> None:
        self.process = subprocess.Popen([sys.executable, str(Path(__file__).resolve()), "--serve"], cwd=root, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(root)})

    def ask(self, kind: str, door: str = "") -> Any:
        """One line there and one back."""
        assert self.process.stdin is not None and self.process.stdout is not None
        print(f"{kind} {door}", file=self.process.stdin, flush=True)
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"doors: {door or 'the start'} failed")
        return json.loads(line)

    def end(self) -> None:
        """No more questions."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def measured(checkouts: list[Checkout], door: str, rounds: int) -> list[list[float]]:
    """The seconds of each checkout, which take turns after one call that does not count; none where it does not have the door."""
    times: list[list[float]] = [[] for _ in checkouts]
    for round_ in range(rounds + 1):
        for found, checkout in zip(times, checkouts, strict=True):
            taken = checkout.ask("time", door)
            if round_ and taken is not None:
                found.append(taken)
    return times


def shown(found: list[float]) -> str:
    """The median in milliseconds."""
    return f"{1000 * statistics.median(found):.1f}" if found else "no such door"


def ratio(ours: list[float], theirs: list[float]) -> float | None:
    """The median of the ratios of the turns."""
    return statistics.median(a / max(b, 1e-4) for a, b in zip(ours, theirs, strict=True)) if ours and theirs else None


def main(arguments: list[str]) -> int:
    """Print the tables; 1 when a door is slower than the limit allows."""
    rounds = 2 if "--quick" in arguments else 5
    other = Path(arguments[arguments.index("--against") + 1]).resolve() if "--against" in arguments[:-1] else None
    only = arguments[arguments.index("--only") + 1].split(",") if "--only" in arguments[:-1] else [""]
    print(f"doors: {machine()}", flush=True)
    start = time.perf_counter()
    checkouts = [Checkout(root) for root in (HERE, other) if root is not None]
    names = [door for door in checkouts[0].ask("doors") if any(part.lower() in door.lower() for part in only)]
    slow, rows, costs = [], [], []
    for door in names:
        times = measured(checkouts, door, rounds)
        row, spent = [door, *map(shown, times)], [door]
        if other is not None:
            times_as_long = ratio(*times)
            row.append("" if times_as_long is None else f"{times_as_long:.2f}")
            slow += [door] if times_as_long is not None and times_as_long > LIMIT else []
        rows.append(row)
        for checkout in checkouts if door != "import" else ():
            calls = checkout.ask("cost", door)
            spent += ["", "", ""] if calls is None else [str(calls[0]), str(calls[1]), f"{calls[2]:.1f}"]
        costs += [spent] if len(spent) > 1 else []
    for checkout in checkouts:
        checkout.end()
    both = ["here", *([other.name] if other is not None else [])]
    table("Milliseconds from the question to the answer", ["door", *both, *(["ratio"] if other is not None else [])], rows)
    table("What one answer costs", ["door", *[f"{what}, {who}" for who in both for what in ("calls", "files", "MB")]], costs)
    if other is not None:
        print(f"\nslower than {LIMIT:g} times: {', '.join(slow) or 'none'}")
    print(f"\n{time.perf_counter() - start:.0f} s in all")
    return int(bool(slow))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        serve()
        sys.exit(0)
    sys.exit(main(sys.argv[1:]))
