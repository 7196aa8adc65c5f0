"""One training step, loss and all gradients: symnet's compiled code beside hand-written NumPy, PyTorch and JAX.

    python benchmarks/steps.py [--quick] [--only W1,W3]

W1 is the 1-1-1 sigmoid network, W2 the 2-2-2 network (its published loss is 0.298371109), W3 a 4-16-3 classifier (131 parameters), W4
64-64-32-10 (6,570), W5 784-512-256-10 (535,818), all tanh with softmax cross-entropy. One thread, float64. Before anything is timed, all
must agree with the hand-written step to 1e-9. "C" is ``d.compile("c")``, bound, where there is a C compiler: "bind" gives gradients of
their own at every call, as NumPy's does, "run" leaves them where they were before, "descend" is a whole step of gradient descent on the
parameters (its rate is 0), many in one call, as CasADi's and JAX's loops are. Each repeat visits all in another order; the least time of
the repeats counts, and the ratios are to hand-written NumPy of the same run. A library that is not installed is left out.
"""

from __future__ import annotations

import argparse
import itertools
import random
import statistics
import time
from collections.abc import Callable
from typing import Any

import measuring  # before NumPy: it sets the threads
import numpy as np

import symnet as sn

Arrays = dict[str, np.ndarray[Any, Any]]
Step = Callable[[], tuple[Any, dict[str, Any]]]
LAYERS = {"W3": (4, 16, 3), "W4": (64, 64, 32, 10), "W5": (784, 512, 256, 10)}
ROWS = {"W3": 32, "W4": 32, "W5": 128}
TWO = ("z1 = w1*i1 + w2*i2 + b1", "z2 = w3*i1 + w4*i2 + b1", "h1 = sigmoid(z1)", "h2 = sigmoid(z2)", "u1 = w5*h1 + w6*h2 + b2",
       "u2 = w7*h1 + w8*h2 + b2", "o1 = sigmoid(u1)", "o2 = sigmoid(u2)", "L = ((t1 - o1)**2 + (t2 - o2)**2)/2")
PEERS = ("call", "bind", "math", "C, bind", "C, run", "C, descend", "PyTorch", "JAX")
STEPS = 100  # of descent in one call
ONE = ("z1 = w1*x + b1", "a1 = sigmoid(z1)", "z2 = w2*a1 + b2", "a2 = sigmoid(z2)", "L = (a2 - y)**2")


def sigmoid(z: Any) -> Any:
    """As it is written by hand."""
    return 1 / (1 + np.exp(-z))


def by_hand_one(p: Arrays, x: Any, y: Any) -> Step:
    """W1 in NumPy."""
    def step() -> tuple[Any, dict[str, Any]]:
        a1 = sigmoid(p["w1"] * x + p["b1"])
        a2 = sigmoid(p["w2"] * a1 + p["b2"])
        d2 = 2 * (a2 - y) * a2 * (1 - a2)
        d1 = d2 * p["w2"] * a1 * (1 - a1)
        return (a2 - y) ** 2, {"w1": d1 * x, "b1": d1, "w2": d2 * a1, "b2": d2}
    return step


def by_hand_two(p: Arrays, i: Any, t: Any) -> Step:
    """W2 in NumPy, as arrays."""
    w, v = np.array([[p["w1"], p["w2"]], [p["w3"], p["w4"]]]), np.array([[p["w5"], p["w6"]], [p["w7"], p["w8"]]])

    def step() -> tuple[Any, dict[str, Any]]:
        h = sigmoid(w @ i + p["b1"])
        o = sigmoid(v @ h + p["b2"])
        du = (o - t) * o * (1 - o)
        dz = (v.T @ du) * h * (1 - h)
        dv, dw = np.outer(du, h), np.outer(dz, i)
        return 0.5 * ((t - o) ** 2).sum(), {"w1": dw[0, 0], "w2": dw[0, 1], "w3": dw[1, 0], "w4": dw[1, 1], "w5": dv[0, 0], "w6": dv[0, 1],
                                            "w7": dv[1, 0], "w8": dv[1, 1], "b1": dz.sum(), "b2": du.sum()}
    return step


def by_hand(p: Arrays, X: Any, Y: Any) -> Step:
    """A tanh network with softmax cross-entropy in NumPy."""
    depth = len(p) // 2

    def step() -> tuple[Any, dict[str, Any]]:
        a = [X]
        for k in range(1, depth):
            a.append(np.tanh(a[-1] @ p[f"W{k}"] + p[f"b{k}"]))
        z = a[-1] @ p[f"W{depth}"] + p[f"b{depth}"]
        z -= z.max(axis=1, keepdims=True)
        e = np.exp(z)
        total = e.sum(axis=1, keepdims=True)
        loss = -(Y * (z - np.log(total))).sum() / len(X)
        d = (e / total - Y) / len(X)
        grads = {}
        for k in range(depth, 0, -1):
            grads[f"W{k}"], grads[f"b{k}"] = a[k - 1].T @ d, d.sum(axis=0)
            if k > 1:
                d = (d @ p[f"W{k}"].T) * (1 - a[k - 1] ** 2)
        return loss, grads
    return step


def network(name: str) -> tuple[sn.Derivation, Arrays, Arrays, Step]:
    """The derivation, its parameters, its data and the step by hand."""
    rng = np.random.default_rng(7)
    if name == "W1":
        p = {"w1": 0.5, "b1": 0.1, "w2": -0.4, "b2": 0.2}
        p, data = ({k: np.float64(v) for k, v in part.items()} for part in (p, {"x": 0.7, "y": 1.0}))
        return sn.derive(sn.program(*ONE), wrt=list(p)), p, data, by_hand_one(p, data["x"], data["y"])
    if name == "W2":
        values = (0.15, 0.2, 0.25, 0.3, 0.4, 0.45, 0.5, 0.55)
        p = {**{f"w{k}": np.float64(v) for k, v in enumerate(values, 1)}, "b1": np.float64(0.35), "b2": np.float64(0.6)}
        data = {k: np.float64(v) for k, v in {"i1": 0.05, "i2": 0.1, "t1": 0.01, "t2": 0.99}.items()}
        return sn.derive(sn.program(*TWO), wrt=list(p)), p, data, by_hand_two(p, np.array([0.05, 0.1]), np.array([0.01, 0.99]))
    widths = LAYERS[name]
    layers: list[Any] = []
    for k, (i, o) in enumerate(itertools.pairwise(widths), 1):
        layers += [sn.Linear(i, o), *([sn.Tanh()] if k < len(widths) - 1 else [])]
    d = sn.derive(sn.Sequential(*layers), loss=sn.CrossEntropyLoss())
    p = {}
    for k, (i, o) in enumerate(itertools.pairwise(widths), 1):
        p |= {f"W{k}": rng.normal(size=(i, o)) / np.sqrt(i), f"b{k}": rng.normal(size=o) / 10}
    X, Y = rng.normal(size=(ROWS[name], widths[0])), np.eye(widths[-1])[rng.integers(0, widths[-1], ROWS[name])]
    return d, p, {"X": X, "Y": Y}, by_hand(p, X, Y)


def torch_step(name: str, p: Arrays, data: Arrays) -> Step | None:
    """PyTorch, eager."""
    try:
        import torch
    except ImportError:
        return None
    torch.set_num_threads(1)
    t = {k: torch.tensor(v, dtype=torch.float64, requires_grad=True) for k, v in p.items()}
    given = {k: torch.tensor(v, dtype=torch.float64) for k, v in data.items()}

    def step() -> tuple[Any, dict[str, Any]]:
        loss = formula(name, t, given, torch.sigmoid, torch.tanh, lambda z: torch.log_softmax(z, 1))
        return loss, dict(zip(t, torch.autograd.grad(loss, list(t.values())), strict=True))
    return step


def jax_step(name: str, p: Arrays, data: Arrays) -> Step | None:
    """JAX, jitted."""
    try:
        import jax
    except ImportError:
        return None
    jax.config.update("jax_enable_x64", True)
    run = jax.jit(jax.value_and_grad(lambda q, given: formula(name, q, given, jax.nn.sigmoid, jax.numpy.tanh,
                                                              lambda z: jax.nn.log_softmax(z, axis=1))))
    q, given = ({k: jax.numpy.asarray(v) for k, v in part.items()} for part in (p, data))
    return lambda: jax.block_until_ready(run(q, given))


def formula(name: str, p: Any, g: Any, sigmoid: Any, tanh: Any, log_softmax: Any) -> Any:
    """The loss, in a library's own functions."""
    if name == "W1":
        return (sigmoid(p["w2"] * sigmoid(p["w1"] * g["x"] + p["b1"]) + p["b2"]) - g["y"]) ** 2
    if name == "W2":
        h1, h2 = (sigmoid(p[a] * g["i1"] + p[b] * g["i2"] + p["b1"]) for a, b in (("w1", "w2"), ("w3", "w4")))
        o1, o2 = (sigmoid(p[a] * h1 + p[b] * h2 + p["b2"]) for a, b in (("w5", "w6"), ("w7", "w8")))
        return ((g["t1"] - o1) ** 2 + (g["t2"] - o2) ** 2) / 2
    z, depth = g["X"], len(p) // 2
    for k in range(1, depth + 1):
        z = z @ p[f"W{k}"] + p[f"b{k}"]
        z = tanh(z) if k < depth else z
    return -(g["Y"] * log_softmax(z)).sum() / len(g["X"])


def in_c(d: sn.Derivation, p: Arrays, data: Arrays) -> dict[str, Any]:
    """The system's C compiler, where there is one."""
    try:
        g = d.compile("c", check=False).bind(p, **data)
        own = {k: np.array(v) for k, v in p.items()}
        h = d.compile("c", check=False).bind(own, **data)
    except sn.SymnetError:
        return {}
    return {"C, bind": g, "C, run": g.run, "C, descend": lambda: h.descend(0.0, STEPS)}


def agree(name: str, peer: str, found: tuple[Any, dict[str, Any]], wanted: tuple[Any, dict[str, Any]]) -> None:
    """Stop where a peer computes something else."""
    pairs = [("the loss", found[0], wanted[0]), *[(k, found[1][k], g) for k, g in wanted[1].items()]]
    for what, a, b in pairs:
        a = a.detach().numpy() if hasattr(a, "detach") else np.asarray(a)
        if a.shape != np.shape(b) or not np.allclose(a, b, rtol=1e-9, atol=1e-12):
            raise SystemExit(f"{name}, {peer}: {what} is not what is computed by hand")


def timed(steps: dict[str, Step], repeats: int, seconds: float) -> dict[str, list[float]]:
    """Seconds of a step, a number a repeat; each repeat visits all in another order."""
    counts = {}
    for peer, step in steps.items():
        step()
        start = time.perf_counter()
        step()
        counts[peer] = max(1, int(seconds / max(time.perf_counter() - start, 1e-7)))
    found: dict[str, list[float]] = {peer: [] for peer in steps}
    dice = random.Random(1)
    for _ in range(repeats):
        for peer in dice.sample(list(steps), len(steps)):
            step, count = steps[peer], counts[peer]
            start = time.perf_counter()
            for _ in range(count):
                step()
            found[peer].append((time.perf_counter() - start) / count)
    return found


def measure(name: str, repeats: int, seconds: float) -> list[object]:
    """One row of the table."""
    d, p, data, hand = network(name)
    f = d.compile()
    steps: dict[str, Step | None] = {"by hand": hand, "call": lambda: f(p, **data), "bind": f.bind(p, **data)}
    if name in ("W1", "W2"):
        m = d.compile(backend="math")
        numbers = {k: float(v) for k, v in {**p, **data}.items()}
        steps["math"] = m.bind({k: numbers[k] for k in p}, **{k: numbers[k] for k in data})
    steps |= in_c(d, p, data)
    steps |= {"PyTorch": torch_step(name, p, data), "JAX": jax_step(name, p, data)}
    there = {peer: step for peer, step in steps.items() if step is not None}
    wanted = hand()
    for peer, step in there.items():
        if peer not in ("C, run", "C, descend"):  # which give the loss alone
            agree(name, peer, step(), wanted)
    found = timed(there, repeats, seconds)
    least = {peer: min(times) for peer, times in found.items()}
    middle = statistics.median(found["by hand"])
    least |= {"C, descend": least["C, descend"] / STEPS} if "C, descend" in least else {}
    shown = [f"{least[peer] / least['by hand']:.3g}" if peer in least else "-" for peer in PEERS]
    return [name, f"{1e6 * least['by hand']:.1f} µs ({1e6 * middle:.1f})", *shown]


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="W1 to W3, few repeats")
    parser.add_argument("--only", default="", help="W1,W4")
    options = parser.parse_args()
    names = options.only.split(",") if options.only else ["W1", "W2", "W3"] if options.quick else ["W1", "W2", "W3", "W4", "W5"]
    repeats, seconds = (3, 0.01) if options.quick else (13, 0.05)
    print(measuring.machine())
    measuring.table("A step relative to hand-written NumPy = 1 (least of the repeats)",
                    ["", "by hand: least (median)", *PEERS],
                    [measure(name, repeats, seconds) for name in names])
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
