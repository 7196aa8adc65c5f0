"""One step of a recurrent network, by PyTorch's names: RNNCell, GRUCell and LSTMCell.

The input is x[n, k] (or x[k]); the state before, h1_0 (and c1_0), is an input of its own. The parameters are those of RNN, GRU and LSTM:
W1_ir and W1_hr are the rows of PyTorch's weight_ih and weight_hh that belong to the gate r. The state is what flows on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import sympy as sp

from symnet.core.axes import Axis
from symnet.core.functions import relu, sigmoid
from symnet.core.tensors import Role, Tensor
from symnet.errors import OptionError, ShapeError, shown
from symnet.networks.arguments import PLACE, torch_arguments
from symnet.networks.builder import Builder, axes_text, over, same_size
from symnet.networks.layers import Layer, Size


class _Step:
    """One step under construction: its letters and the lines that its equations are made of. Used once, then dropped."""

    def __init__(self, to: Builder, layer: Layer, ins: Size, out: Size, bias: bool) -> None:
        to.linear += 1
        self.to, self.bias, self.x, self.k, self.out = to, bias, to.now, to.linear, Axis.of(out)
        where = f"{type(layer).__name__}, layer {self.k}"
        if not self.x.axes:
            raise ShapeError(where, f"an input of shape {axes_text(self.x.axes)}", "(N, features)")
        same_size(where, self.x.axes[-1], Axis.of(ins))
        *self.rest, self.i, self.j, self.m = to.letters((*self.x.axes, self.out, self.out))
        self.axes = (*self.x.axes[:-1], self.out)
        self.places = (*self.rest, self.j)

    def state(self, letter: str, note: str) -> Tensor:
        """The state before, an input."""
        return self.to.add_input(f"{letter}{self.k}_0", self.axes, Role.INPUT, f"{note}, before this step")

    def line(self, name: str, value: sp.Expr, note: str) -> sp.Expr:
        """A line over the units; gives its entry."""
        letter, _, gate = name.partition("_")
        return self.to.line(f"{letter}{self.k}" + (f"_{gate}" if gate else ""), self.axes, self.places, value, note)[self.places]

    def from_input(self, gate: str, of: str) -> sp.Expr:
        """W_i· x + b_i·."""
        w = self._parameter(f"W{self.k}_i{gate}", (self.out, self.x.axes[-1]), f"weights of the {of} from the input")
        return over(w[self.j, self.i] * self.x[(*self.rest, self.i)], self.i, self.x.axes[-1]) + self._bias(f"b{self.k}_i{gate}", of)

    def from_state(self, gate: str, h: Tensor, of: str) -> sp.Expr:
        """W_h· h + b_h·."""
        w = self._parameter(f"W{self.k}_h{gate}", (self.out, self.out), f"weights of the {of} from the state before")
        return over(w[self.j, self.m] * h[(*self.rest, self.m)], self.m, self.out) + self._bias(f"b{self.k}_h{gate}", of)

    def gate(self, gate: str, h: Tensor, function: Callable[[sp.Expr], sp.Expr], note: str) -> sp.Expr:
        """s := W_i· x + b_i· + W_h· h + b_h·; gate := function(s)."""
        total = self.line(f"s_{gate}", self.from_input(gate, note) + self.from_state(gate, h, note), f"weighted sums of the {note}")
        return self.line(gate, function(total), note)

    def _bias(self, name: str, of: str) -> sp.Expr:
        return self._parameter(name, (self.out,), f"biases of the {of}")[self.j] if self.bias else sp.S.Zero

    def _parameter(self, name: str, axes: tuple[Axis, ...], note: str) -> Tensor:
        return self.to.add_input(name, axes, Role.PARAMETER, f"{note}, layer {self.k}")


@torch_arguments("input_size hidden_size bias nonlinearity device dtype", PLACE)
@dataclass(frozen=True)
class RNNCell(Layer):
    """h' = tanh(W_ih x + b_ih + W_hh h + b_hh), or relu.

    >>> import symnet as sn
    >>> print(sn.Sequential(sn.Input("d"), sn.RNNCell("d", "m", bias=False)).program(batch=False).definitions[-1])
    h1[j] := tanh(z1[j])
    """

    input_size: Size
    hidden_size: Size
    bias: bool = True
    nonlinearity: str = "tanh"

    def __post_init__(self) -> None:
        if self.nonlinearity not in ("tanh", "relu"):
            raise OptionError("RNNCell, nonlinearity", shown(self.nonlinearity), '"tanh" or "relu"')

    def sample_axes(self) -> tuple[Axis, ...]:
        return (Axis.of(self.input_size),)

    def build(self, to: Builder) -> None:
        s = _Step(to, self, self.input_size, self.hidden_size, self.bias)
        h = s.state("h", "the state")
        z = s.line("z", s.from_input("h", "state") + s.from_state("h", h, "state"), "weighted sums")
        s.line("h", sp.tanh(z) if self.nonlinearity == "tanh" else relu(z), "the state after this step")


@torch_arguments("input_size hidden_size bias device dtype", PLACE)
@dataclass(frozen=True)
class GRUCell(Layer):
    """r = σ(W_ir x + W_hr h + …), z likewise, n = tanh(W_in x + b_in + r ⊙ (W_hn h + b_hn)), h' = (1 - z) ⊙ n + z ⊙ h.

    >>> import symnet as sn
    >>> print(sn.Sequential(sn.Input("d"), sn.GRUCell("d", "m")).program().definitions[-1])
    h1[n, j] := (1 - z1[n, j])*n1[n, j] + h1_0[n, j]*z1[n, j]
    """

    input_size: Size
    hidden_size: Size
    bias: bool = True

    def sample_axes(self) -> tuple[Axis, ...]:
        return (Axis.of(self.input_size),)

    def build(self, to: Builder) -> None:
        s = _Step(to, self, self.input_size, self.hidden_size, self.bias)
        h = s.state("h", "the state")
        r, z = s.gate("r", h, sigmoid, "reset gate"), s.gate("z", h, sigmoid, "update gate")
        q = s.line("q", s.from_state("n", h, "new state"), "what the state before says to the new state")
        n = s.line("n", sp.tanh(s.line("s_n", s.from_input("n", "new state") + r * q, "weighted sums of the new state")),
                   "new state, before the update gate")
        s.line("h", (1 - z) * n + z * h[s.places], "the state after this step")


@torch_arguments("input_size hidden_size bias device dtype", PLACE)
@dataclass(frozen=True)
class LSTMCell(Layer):
    """i, f, o = σ(W x + W h + …), g = tanh(…), c' = f ⊙ c + i ⊙ g, h' = o ⊙ tanh(c'); h' flows on, c1 is the cell state.

    >>> import symnet as sn
    >>> print(sn.Sequential(sn.Input("d"), sn.LSTMCell("d", "m")).program().definitions[-1])
    h1[n, j] := tanh(c1[n, j])*o1[n, j]
    """

    input_size: Size
    hidden_size: Size
    bias: bool = True

    def sample_axes(self) -> tuple[Axis, ...]:
        return (Axis.of(self.input_size),)

    def build(self, to: Builder) -> None:
        s = _Step(to, self, self.input_size, self.hidden_size, self.bias)
        h, c = s.state("h", "the state"), s.state("c", "the cell state")
        i, f = s.gate("i", h, sigmoid, "input gate"), s.gate("f", h, sigmoid, "forget gate")
        g, o = s.gate("g", h, sp.tanh, "cell gate"), s.gate("o", h, sigmoid, "output gate")
        after = s.line("c", f * c[s.places] + i * g, "the cell state after this step")
        s.line("h", o * sp.tanh(after), "the state after this step")


CELLS: tuple[type[Layer], ...] = (RNNCell, GRUCell, LSTMCell)
