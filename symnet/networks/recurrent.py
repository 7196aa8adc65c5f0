"""Recurrent layers over symbolic time, by PyTorch's names: RNN, GRU and LSTM; several layers and both directions, batch first.

The input is x[n, t, k] (PyTorch's batch_first=True); without a batch, x[t, k]. The weights W1_ii, W1_hi, … and biases b1_ii, b1_hi
are PyTorch's W_ii, W_hi, b_ii, b_hi of layer 1, one tensor for each gate: W[j, k] feeds unit j from input k. PyTorch stacks them:
weight_ih_l0 is the rows of W_ir, W_iz, W_in (GRU) or W_ii, W_if, W_ig, W_io (LSTM), in this order, and weight_hh_l0, bias_ih_l0 and
bias_hh_l0 likewise. The states run over t = 0..T; h[0] and c[0] are 0, or inputs with ``initial=True``.
With ``num_layers`` the states of one layer are the input of the next. With ``bidirectional=True`` each layer has a second network that
runs from t = T to 1, its states over t = 1..T+1 with h[T+1] = 0, and passes on both states side by side, the forward ones first. Each
layer and direction has a number of its own: W1 and W2 are PyTorch's _l0 and _l0_reverse, W3 and W4 its _l1 and _l1_reverse.
Source: docs.pytorch.org, torch.nn.RNN, GRU, LSTM; Hochreiter & Schmidhuber 1997; Cho et al. 2014.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field

import sympy as sp

from symnet.core.axes import Axis, Kind
from symnet.core.expressions import When
from symnet.core.functions import relu, sigmoid
from symnet.core.program import Definition
from symnet.core.tensors import Role, Tensor
from symnet.errors import OptionError, shown
from symnet.networks.arguments import PLACE, torch_arguments
from symnet.networks.builder import Builder, over, same_size
from symnet.networks.layers import Layer, Size

OUTPUTS = ("all", "last")
UNREAD = PLACE | {"batch_first": (True,), "dropout": (0,)}
HINTS = {"batch_first": "sequences are batch first here, x[n, t, k]", "dropout": "Dropout between layers of their own"}

MOST_LAYERS = 1000


@dataclass(frozen=True)
class Recurrent(Layer):
    """What RNN, GRU and LSTM share. ``output`` is "all", the states at t = 1..T, or "last", the final states: at T, and at 1 of the
    backward direction (PyTorch's h_n of the last layer)."""

    input_size: Size
    hidden_size: Size
    num_layers: int = 1
    bias: bool = True
    bidirectional: bool = field(default=False, kw_only=True)
    steps: Size = field(default="T", kw_only=True)
    output: str = field(default="all", kw_only=True)
    initial: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        if isinstance(self.num_layers, bool) or not isinstance(self.num_layers, int) or not 1 <= self.num_layers <= MOST_LAYERS:
            raise OptionError(f"{type(self).__name__}, num_layers", shown(self.num_layers), f"a whole number, 1 to {MOST_LAYERS}",
                              "steps=… for the number of times")

    def sample_axes(self) -> tuple[Axis, ...]:
        """The axes of one sample of the input: time and features."""
        return Axis.of(self.steps, Kind.TIME), Axis.of(self.input_size)

    def build(self, to: Builder) -> None:
        if self.output not in OUTPUTS:
            raise OptionError(type(self).__name__, f"output={self.output!r}", '"all" or "last"')
        time, width = self.sample_axes()
        where = f"{type(self).__name__}, layer {to.linear + 1}"
        same_size(where, to.now.axes[-1], width)
        if len(to.now.axes) < 2 or to.now.axes[-2].size != time.size:
            raise OptionError(where, f"an input of shape {to.now.shape}", "(..., T, features)")
        for depth in range(1, self.num_layers + 1):
            x, made = to.now, []
            for back in (False, True)[:1 + self.bidirectional]:
                to.linear, to.now = to.linear + 1, x
                cell = Cell(to, self.bias, Axis.of(self.hidden_size), back)
                made.append((cell, self.cell(cell)))
            self._pass_on(to, made, time, self.output == "last" and depth == self.num_layers)

    @staticmethod
    def _pass_on(to: Builder, made: list[tuple[Cell, Tensor]], time: Axis, last: bool) -> None:
        """The states of one layer, those of both directions side by side."""
        cell, note = made[0][0], "the last state" if last else "the state at each time"
        here = () if last else (cell.t,)
        width = cell.out if len(made) == 1 else Axis.of(2 * cell.out.size)
        axes = (*cell.rest_axes, *(() if last else (time,)), width)
        j = cell.j if len(made) == 1 else to.letters(axes)[-1]

        def state(k: int, at: sp.Expr) -> sp.Expr:
            own, h = made[k]
            return h[(*cell.rest, (own.last if last else cell.t), at)]

        value = state(0, j)
        if len(made) > 1:
            m = cell.out.size
            value = When(value, sp.And(sp.Ge(j, 1), sp.Le(j, m))) + When(state(1, j - m), sp.And(sp.Ge(j, m + 1), sp.Le(j, 2 * m)))
            note += " of both directions, the forward one first"
        to.line(f"a{to.linear}", axes, (*cell.rest, *here, j), value, note)

    @abstractmethod
    def cell(self, cell: Cell) -> Tensor:
        """Add the equations of one time step and give the state."""


class Cell:
    """One layer under construction: its letters and the lines that its equations are made of. Used once, then dropped."""

    def __init__(self, to: Builder, bias: bool, out: Axis, back: bool = False) -> None:
        self.back = back
        self.to, self.bias, self.out, self.x, self.number = to, bias, out, to.now, to.linear
        *self.rest_axes, self.time, self.ins = to.now.axes
        self.whole = Axis.between(1, self.time.upper + 1, Kind.TIME) if back else Axis.between(0, self.time.upper, Kind.TIME)
        self.start, self.last = (self.whole.upper, sp.S.One) if back else (sp.S.Zero, self.time.upper)
        *self.rest, self.t, self.k, self.j, self.m = to.letters((*to.now.axes, out, out))

    def state(self, letter: str, initial: bool, note: str) -> Tensor:
        """A tensor over t = 0..T with its first place: 0 or an input."""
        state = Tensor(self.to.free(f"{letter}{self.number}"), (*self.rest_axes, self.whole, self.out), note=note)
        start: sp.Expr = sp.S.Zero
        if initial:
            axes, before = (*self.rest_axes, self.out), f"{note}, before the first input"
            given = self.to.add_input(f"{letter}{self.number}_0", axes, Role.INPUT, before)
            start = given[(*self.rest, self.j)]
        self._slice(state, self.start, start)
        return state

    def next_state(self, state: Tensor, value: sp.Expr) -> None:
        """state[t] := value for t = 1..T."""
        self._slice(state, self.t, value)

    def _slice(self, state: Tensor, t: sp.Expr, value: sp.Expr) -> None:
        ranges = tuple((i, *a.range) for i, a in zip(self.rest, self.rest_axes, strict=True))
        moving = ((self.t, *self.time.range),) if t == self.t else ()
        note = state.note if t == self.t else state.note.replace("time t", f"time {self.start}")
        self.to.lines.append(Definition(state, (*self.rest, t, self.j), value, (*ranges, *moving, (self.j, *self.out.range)), note))

    def line(self, name: str, value: sp.Expr, note: str) -> sp.Expr:
        """A tensor over t = 1..T; gives its entry."""
        letter, _, gate = name.partition("_")
        title = f"{letter}{self.number}" + (f"_{gate}" if gate else "")
        places = (*self.rest, self.t, self.j)
        return self.to.line(title, (*self.rest_axes, self.time, self.out), places, value, note)[places]

    def before(self, state: Tensor, j: sp.Symbol | None = None) -> sp.Expr:
        """state[t-1]; state[t+1] of the backward direction."""
        return state[(*self.rest, self.t + 1 if self.back else self.t - 1, j or self.j)]

    def from_input(self, gate: str, of: str) -> sp.Expr:
        """W_i· x[t] + b_i·."""
        w = self._parameter(f"W{self.number}_i{gate}", (self.out, self.ins), f"weights of the {of} from the input")
        value = over(w[self.j, self.k] * self.x[(*self.rest, self.t, self.k)], self.k, self.ins)
        return value + self._bias(f"b{self.number}_i{gate}", f"biases of the {of}, beside the input")

    def from_state(self, gate: str, state: Tensor, of: str) -> sp.Expr:
        """W_h· h[t-1] + b_h·."""
        w = self._parameter(f"W{self.number}_h{gate}", (self.out, self.out), f"weights of the {of} from the state before")
        value = over(w[self.j, self.m] * self.before(state, self.m), self.m, self.out)
        return value + self._bias(f"b{self.number}_h{gate}", f"biases of the {of}, beside the state")

    def gate(self, gate: str, state: Tensor, function: object, note: str) -> sp.Expr:
        """s := W_i· x[t] + b_i· + W_h· h[t-1] + b_h·; gate := function(s)."""
        total = self.line(f"s_{gate}", self.from_input(gate, note) + self.from_state(gate, state, note), f"weighted sums of the {note}")
        return self.line(gate, function(total), note)  # type: ignore[operator]

    def _bias(self, name: str, note: str) -> sp.Expr:
        return self._parameter(name, (self.out,), note)[self.j] if self.bias else sp.S.Zero

    def _parameter(self, name: str, axes: tuple[Axis, ...], note: str) -> Tensor:
        return self.to.add_input(name, axes, Role.PARAMETER, f"{note}, layer {self.number}")


@torch_arguments("input_size hidden_size num_layers nonlinearity bias batch_first dropout bidirectional device dtype", UNREAD, HINTS)
@dataclass(frozen=True)
class RNN(Recurrent):
    """h[t] = tanh(W_ih x[t] + b_ih + W_hh h[t-1] + b_hh), or relu with nonlinearity="relu" (Elman network).

    >>> from symnet.networks.sequential import Sequential
    >>> print(Sequential(RNN("d", "m", bias=False)).program(batch=False))
    h1[0, j] := 0
    z1[t, j] := Sum(W1_hh[j, k]*h1[t - 1, k], (k, 1, m)) + Sum(W1_ih[j, i]*X[t, i], (i, 1, d))
    h1[t, j] := tanh(z1[t, j])
    a1[t, j] := h1[t, j]
    """

    nonlinearity: str = field(default="tanh", kw_only=True)

    def cell(self, cell: Cell) -> Tensor:
        if self.nonlinearity not in ("tanh", "relu"):
            raise OptionError("RNN", f"nonlinearity={self.nonlinearity!r}", '"tanh" or "relu"')
        h = cell.state("h", self.initial, "the state at time t")
        z = cell.line("z", cell.from_input("h", "state") + cell.from_state("h", h, "state"), "weighted sums at time t")
        cell.next_state(h, sp.tanh(z) if self.nonlinearity == "tanh" else relu(z))
        return h


@torch_arguments("input_size hidden_size num_layers bias batch_first dropout bidirectional device dtype", UNREAD, HINTS)
@dataclass(frozen=True)
class GRU(Recurrent):
    """The gated recurrent unit, with r the reset gate, z the update gate, n the new state::

        r[t] = σ(W_ir x[t] + b_ir + W_hr h[t-1] + b_hr)
        z[t] = σ(W_iz x[t] + b_iz + W_hz h[t-1] + b_hz)
        n[t] = tanh(W_in x[t] + b_in + r[t] ⊙ (W_hn h[t-1] + b_hn))
        h[t] = (1 - z[t]) ⊙ n[t] + z[t] ⊙ h[t-1]

    The reset gate acts after the product, as in PyTorch; Cho et al. 2014 let it act on h[t-1]. q[t] is the bracket that r gates.

    >>> import symnet as sn
    >>> [d.name for d in sn.Sequential(sn.GRU("d", "m")).program()][-1]
    'a1'
    """

    def cell(self, cell: Cell) -> Tensor:
        h = cell.state("h", self.initial, "the state at time t")
        r = cell.gate("r", h, sigmoid, "reset gate")
        z = cell.gate("z", h, sigmoid, "update gate")
        q = cell.line("q", cell.from_state("n", h, "new state"), "what the state before says to the new state")
        total = cell.line("s_n", cell.from_input("n", "new state") + r * q, "weighted sums of the new state")
        n = cell.line("n", sp.tanh(total), "new state, before the update gate")
        cell.next_state(h, (1 - z) * n + z * cell.before(h))
        return h


@torch_arguments("input_size hidden_size num_layers bias batch_first dropout bidirectional proj_size device dtype",
                 UNREAD | {"proj_size": (0,)}, HINTS)
@dataclass(frozen=True)
class LSTM(Recurrent):
    """Long short-term memory, with i the input, f the forget, g the cell and o the output gate::

        i[t] = σ(W_ii x[t] + b_ii + W_hi h[t-1] + b_hi), f[t] and o[t] likewise, g[t] likewise with tanh
        c[t] = f[t] ⊙ c[t-1] + i[t] ⊙ g[t]
        h[t] = o[t] ⊙ tanh(c[t])

    >>> import symnet as sn
    >>> sn.Sequential(sn.LSTM("d", "m")).program().definitions[-1].target.shape
    (N, T, m)
    """

    def cell(self, cell: Cell) -> Tensor:
        h = cell.state("h", self.initial, "the state at time t")
        c = cell.state("c", self.initial, "the cell state at time t")
        i = cell.gate("i", h, sigmoid, "input gate")
        f = cell.gate("f", h, sigmoid, "forget gate")
        g = cell.gate("g", h, sp.tanh, "cell gate")
        o = cell.gate("o", h, sigmoid, "output gate")
        cell.next_state(c, f * cell.before(c) + i * g)
        cell.next_state(h, o * sp.tanh(c[(*cell.rest, cell.t, cell.j)]))
        return h
