"""The peers of derivation.py: the same networks in other systems. Each gives (seconds, size) of forming the gradient.

Only what is asked for is imported, and never symnet, so that a peer may live in an environment of its own:

    python peers.py sympy 2 4 3          the system, the width, the depth, the rounds; prints seconds and size
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import measuring  # noqa: F401 - sets the threads

Result = tuple[float, int]
BATCH, STEPS, HEADS = 4, 8, 2


def tree_size(expr: Any, known: dict[Any, int]) -> int:
    """Operations of a SymPy expression, counted as it prints; shared parts are visited once."""
    if not expr.args:
        return 0
    if expr not in known:
        known[expr] = len(expr.args) - 1 + (expr.func.__name__ not in ("Add", "Mul")) + sum(tree_size(a, known) for a in expr.args)
    return known[expr]


def with_sympy(width: int, depth: int) -> Result:
    """Entry by entry: the loss written out, then diff for every parameter."""
    import sympy as sp
    from sympy.core.cache import clear_cache

    clear_cache()
    sys.setrecursionlimit(100_000)
    values = list(sp.symbols(f"x:{width}", real=True))
    target = sp.symbols(f"y:{width}", real=True)
    parameters: list[Any] = []
    start = time.process_time()
    for k in range(depth):
        w, b = sp.symbols(f"w{k}_:{width * width}", real=True), sp.symbols(f"b{k}_:{width}", real=True)
        parameters += [*w, *b]
        values = [sp.tanh(sp.Add(b[i], *[w[i * width + j] * v for j, v in enumerate(values)])) for i in range(width)]
    loss = sp.Add(*[(v - t) ** 2 for v, t in zip(values, target, strict=True)])
    gradients = [loss.diff(p) for p in parameters]
    taken = time.process_time() - start
    known: dict[Any, int] = {}
    return taken, tree_size(loss, known) + sum(tree_size(g, known) for g in gradients)


def equations(jaxpr: Any) -> int:
    """The equations of a jaxpr, those inside its loops and calls included."""
    inner = [v for e in jaxpr.eqns for p in e.params.values() for v in (p if isinstance(p, (tuple, list)) else (p,))]
    return len(jaxpr.eqns) + sum(equations(getattr(v, "jaxpr", v)) for v in inner if hasattr(v, "eqns") or hasattr(v, "jaxpr"))


def traced(loss: Callable[..., Any], shapes: list[tuple[int, ...]], *fixed: tuple[int, ...]) -> Result:
    """Trace value and gradient with respect to the first argument, a list of arrays."""
    import jax
    import jax.numpy as jnp

    parameters, data = [jnp.zeros(s) for s in shapes], [jnp.zeros(s) for s in fixed]
    jax.make_jaxpr(jax.value_and_grad(lambda p: (p**2).sum()))(data[0])  # the first trace loads much
    start = time.process_time()
    made = jax.make_jaxpr(jax.value_and_grad(loss))(parameters, *data)
    return time.process_time() - start, equations(made.jaxpr)


def with_jax(width: int, depth: int) -> Result:
    """Tracing a Python loop over the layers: seconds and equations of the jaxpr."""
    import jax.numpy as jnp

    def loss(p: list[Any], x: Any, y: Any) -> Any:
        for w, b in zip(p[::2], p[1::2], strict=True):
            x = jnp.tanh(x @ w + b)
        return ((x - y) ** 2).sum()

    return traced(loss, [(width, width), (width,)] * depth, (BATCH, width), (BATCH, width))


def block_with_jax(width: int, depth: int) -> Result:
    """One transformer encoder layer (post-norm, relu), half squared error."""
    import jax
    import jax.numpy as jnp

    head = width // HEADS

    def norm(x: Any, g: Any, b: Any) -> Any:
        middle = x - x.mean(-1, keepdims=True)
        return g * middle / jnp.sqrt((middle**2).mean(-1, keepdims=True) + 1e-5) + b

    def loss(p: list[Any], x: Any, y: Any) -> Any:
        wq, bq, wk, bk, wv, bv, wo, bo, g1, n1, w1, b1, w2, b2, g2, n2 = p
        q, k, v = (jnp.einsum("nti,hik->nhtk", x, w) + b[:, None] for w, b in ((wq, bq), (wk, bk), (wv, bv)))
        a = jax.nn.softmax(jnp.einsum("nhtk,nhsk->nhts", q, k) / head**0.5)
        x = norm(x + jnp.einsum("nhts,nhsk,hki->nti", a, v, wo) + bo, g1, n1)
        x = norm(x + jnp.maximum(x @ w1 + b1, 0) @ w2 + b2, g2, n2)
        return ((x - y) ** 2).sum() / 2

    one = [(HEADS, width, head), (HEADS, head)]
    shapes = [*one * 3, (HEADS, head, width), (width,), (width,), (width,), (width, 4 * width), (4 * width,), (4 * width, width)]
    return traced(loss, [*shapes, (width,), (width,), (width,)], (BATCH, STEPS, width), (BATCH, STEPS, width))


def lstm_with_jax(width: int, depth: int) -> Result:
    """One LSTM layer by lax.scan, half squared error on every state."""
    import jax
    import jax.numpy as jnp

    def loss(p: list[Any], x: Any, y: Any) -> Any:
        def cell(state: Any, now: Any) -> Any:
            h, c = state
            s = [now @ p[4 * k] + p[4 * k + 1] + h @ p[4 * k + 2] + p[4 * k + 3] for k in range(4)]
            c = jax.nn.sigmoid(s[1]) * c + jax.nn.sigmoid(s[0]) * jnp.tanh(s[2])
            h = jax.nn.sigmoid(s[3]) * jnp.tanh(c)
            return (h, c), h

        zero = jnp.zeros((BATCH, width))
        return ((jax.lax.scan(cell, (zero, zero), x)[1] - y) ** 2).sum() / 2

    return traced(loss, [(width, width), (width,)] * 8, (STEPS, BATCH, width), (STEPS, BATCH, width))


def with_casadi(width: int, depth: int) -> Result:
    """CasADi's matrix graph (MX), the parameters in one vector: the instructions of loss and gradient together."""
    import casadi as ca

    start = time.process_time()
    x, y, p = ca.MX.sym("x", width), ca.MX.sym("y", width), ca.MX.sym("p", depth * width * (width + 1))
    sizes = [width * width, width] * depth
    parts = ca.vertsplit(p, [sum(sizes[:k]) for k in range(len(sizes) + 1)])
    a = x
    for w, b in zip(parts[::2], parts[1::2], strict=True):
        a = ca.tanh(ca.reshape(w, width, width) @ a + b)
    loss = ca.sumsqr(a - y)
    made = ca.Function("g", [x, y, p], [loss, ca.gradient(loss, p)])
    return time.process_time() - start, made.n_instructions()


def with_pytensor(width: int, depth: int) -> Result:
    """PyTensor's graph before compilation: the applications of loss and gradients together."""
    import pytensor.tensor as pt
    from pytensor.gradient import grad
    from pytensor.graph.traversal import applys_between

    start = time.process_time()
    x, y = pt.matrix("x"), pt.matrix("y")
    parameters: list[Any] = []
    a = x
    for k in range(depth):
        parameters += [pt.matrix(f"w{k}"), pt.vector(f"b{k}")]
        a = pt.tanh(a @ parameters[-2] + parameters[-1])
    loss = ((a - y) ** 2).sum()
    gradients = grad(loss, parameters)
    taken = time.process_time() - start
    return taken, sum(1 for _ in applys_between([x, y, *parameters], [loss, *gradients]))


def with_tensorgrad(width: int, depth: int) -> Result:
    """tensorgrad, symbolic width: Derivative(loss, parameter).full_simplify() for each; the nodes of the results."""
    from sympy import symbols
    from tensorgrad import Derivative, Variable
    from tensorgrad import functions as F

    sys.setrecursionlimit(100_000)
    d = symbols("d")
    start = time.process_time()
    a: Any = Variable("x", i=d)
    parameters: list[Any] = []
    for k in range(depth):
        parameters += [Variable(f"w{k}", j=d, i=d), Variable(f"b{k}", i=d)]
        a = F.tanh((parameters[-2] @ a).rename(j="i") + parameters[-1])
    miss = a - Variable("y", i=d)
    loss = F.sum(miss * miss)
    gradients = [Derivative(loss, p).full_simplify() for p in parameters]
    taken = time.process_time() - start
    return taken, sum(nodes(g) for g in (loss, *gradients))


def nodes(tensor: Any) -> int:
    """The nodes of a tensorgrad expression."""
    inner = [*getattr(tensor, "terms", ()), *getattr(tensor, "factors", ()), *getattr(tensor, "inputs", ())]
    inner += [tensor.tensor] if hasattr(tensor, "tensor") else []
    return 1 + sum(nodes(t) for t in inner)


SYSTEMS: dict[str, Callable[[int, int], Result]] = {
    "sympy": with_sympy, "jax": with_jax, "casadi": with_casadi, "pytensor": with_pytensor, "tensorgrad": with_tensorgrad,
    "block-jax": block_with_jax, "lstm-jax": lstm_with_jax}


if __name__ == "__main__":
    system, (width, depth, rounds) = SYSTEMS[sys.argv[1]], map(int, sys.argv[2:5])
    try:
        system(width, 1)  # what loads on first use
    except ImportError:
        print("not installed")
    else:
        found = [system(width, depth)]
        while len(found) < rounds and found[0][0] < 1:  # a long one needs no median
            found.append(system(width, depth))
        print(statistics.median(seconds for seconds, _ in found), found[0][1])
