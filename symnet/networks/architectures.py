"""Whole architectures with symbolic sizes: depth, time and width as symbols."""

from __future__ import annotations

import sympy as sp

from symnet.core.axes import Axis, Kind, index
from symnet.core.expressions import as_written
from symnet.core.functions import sigmoid
from symnet.core.program import Definition, Program
from symnet.core.tensors import Role, Tensor
from symnet.networks.attention import TransformerEncoderLayer
from symnet.networks.builder import over
from symnet.networks.convolution import Convolution
from symnet.networks.layers import Linear, Size, Tanh
from symnet.networks.losses import CrossEntropyLoss, HalfSquaredError, SquaredError
from symnet.networks.recurrent import GRU, LSTM
from symnet.networks.sequential import Sequential


def mlp(inputs: Size = "d", hidden: Size = "h", classes: Size = "k", normalized: bool = False) -> Program:
    """Two layers, tanh between, softmax with cross-entropy on top."""
    return Sequential(Linear(inputs, hidden), Tanh(), Linear(hidden, classes)).program(CrossEntropyLoss(normalized=normalized))


def unrolled_mlp(width: int, depth: int) -> Program:
    """``depth`` tanh layers of one width, each with tensors of its own."""
    parts = [p for _ in range(depth) for p in (Linear(width, width), Tanh())]
    return Sequential(*parts).program(SquaredError())


def deep_mlp(width: Size = "d", depth: Size = "L") -> Program:
    """Layers l = 1..L of one width with sigmoid, L a symbol: z[l] = W[l] a[l-1] + b[l], a[l] = σ(z[l]), a[0] = x.

    The cost C is half the squared error, so that its gradients are Nielsen's BP1-BP4 (2015, ch. 2).
    """
    d, deep = Axis.of(width), Axis.of(depth, Kind.DEPTH)
    whole = Axis.between(0, deep.upper, Kind.DEPTH)
    l, i, j = index("l"), index("i"), index("j")  # noqa: E741 - the textbook's letter for a layer
    x = Tensor("x", (d,), role=Role.INPUT, note="the input, the activation of layer 0")
    y = Tensor("y", (d,), role=Role.TARGET, note="the target")
    w = Tensor("W", (deep, d, d), role=Role.PARAMETER, note="weights into layer l: row i makes z_i")
    b = Tensor("b", (deep, d), role=Role.PARAMETER, note="biases of layer l")
    z, a = Tensor("z", (deep, d), note="weighted sums of layer l"), Tensor("a", (whole, d), note="activations of layer l")
    cost = Tensor("C", role=Role.OBJECTIVE, note="cost: half the squared error of the last layer")
    with as_written():
        return Program((x, y, w, b), (
            Definition(a, (sp.S.Zero, i), x[i], note="the input"),
            Definition(z, (l, i), over(w[l, i, j] * a[l - 1, j], j, d) + b[l, i], note="weighted sums"),
            Definition(a, (l, i), sigmoid(z[l, i]), ((l, *deep.range), (i, *d.range)), "activation"),
            Definition(cost, (), over((a[deep.upper, i] - y[i]) ** 2, i, d) / 2, note="cost"),
        ), "C", title="A network of symbolic depth")


def rnn(inputs: Size = "d", hidden: Size = "m", steps: Size = "T") -> Program:
    """h[t] = tanh(U x[t] + V h[t-1] + b), t = 1..T with T a symbol, half squared error on every output (BPTT).

    Source: Goodfellow, Bengio & Courville 2016, section 10.2.2.
    """
    d, m, time = Axis.of(inputs), Axis.of(hidden), Axis.of(steps, Kind.TIME)
    whole = Axis.between(0, time.upper, Kind.TIME)
    t, i, j, k = index("t"), index("i"), index("j"), index("k")
    x = Tensor("x", (time, d), role=Role.INPUT, note="the input at each time")
    y = Tensor("y", (time, m), role=Role.TARGET, note="the target at each time")
    u = Tensor("U", (m, d), role=Role.PARAMETER, note="weights from the input")
    v = Tensor("V", (m, m), role=Role.PARAMETER, note="weights from the state before")
    b = Tensor("b", (m,), role=Role.PARAMETER, note="biases")
    start = Tensor("s", (m,), role=Role.INPUT, note="the state before the first input")
    z, h = Tensor("z", (time, m), note="weighted sums at time t"), Tensor("h", (whole, m), note="the state at time t")
    loss = Tensor("L", role=Role.OBJECTIVE, note="loss: half the squared error at every time")
    with as_written():
        return Program((x, y, start, u, v, b), (
            Definition(h, (sp.S.Zero, i), start[i], note="the first state"),
            Definition(z, (t, i), over(u[i, j] * x[t, j], j, d) + over(v[i, k] * h[t - 1, k], k, m) + b[i]),
            Definition(h, (t, i), sp.tanh(z[t, i]), ((t, *time.range), (i, *m.range))),
            Definition(loss, (), over(over((h[t, i] - y[t, i]) ** 2, i, m), t, time) / 2),
        ), "L", title="A recurrent network")


def conv1d(kernel: Size = "K", positions: Size = "M", stride: int = 1) -> Program:
    """One 1-D convolution of one channel, half squared error."""
    return Sequential(Convolution(kernel, positions, stride)).program(HalfSquaredError(), batch=False)


def gru(inputs: Size = "d", hidden: Size = "m", steps: Size = "T", output: str = "all") -> Program:
    """One GRU layer on a batch of sequences, half the squared error on its states (or on the last one)."""
    return Sequential(GRU(inputs, hidden, steps=steps, output=output)).program(HalfSquaredError(), title="A gated recurrent network")


def lstm(inputs: Size = "d", hidden: Size = "m", steps: Size = "T", output: str = "all") -> Program:
    """One LSTM layer on a batch of sequences, half the squared error on its states (or on the last one)."""
    layer = LSTM(inputs, hidden, steps=steps, output=output)
    return Sequential(layer).program(HalfSquaredError(), title="A network with long short-term memory")


def transformer_block(width: Size = "d", heads: Size = "H", hidden: Size = "f", positions: Size = "T", mask: str | None = None,
                      norm_first: bool = False) -> Program:
    """One transformer encoder layer on a batch, half the squared error on top."""
    block = TransformerEncoderLayer(width, heads, hidden, norm_first=norm_first, positions=positions, mask=mask)
    return Sequential(block).program(HalfSquaredError(), title="A transformer block")
