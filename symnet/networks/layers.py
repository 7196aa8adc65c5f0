"""Layers by PyTorch's names. Rows are samples: a linear map is Z = X W + 1 bᵀ with W of shape (in, out)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import sympy as sp

from symnet.core.axes import Axis, Kind, index
from symnet.core.functions import leaky_relu, relu, sigmoid, softplus
from symnet.core.numbers import rational
from symnet.core.tensors import Role
from symnet.errors import OptionError, a_kind, shown
from symnet.indexing.composites import AtOnce, log_softmax, softmax
from symnet.indexing.index_array import IndexArray
from symnet.networks.arguments import BOTH, PLACE, torch_arguments
from symnet.networks.builder import Builder, axes_text, over, same_size, with_letter

Size: TypeAlias = int | str | sp.Expr


class Layer(ABC):
    """A step of a network: adds its definitions to a Builder. It has no gradient rule; the chain rule needs none.

    >>> import symnet as sn
    >>> isinstance(sn.Linear(2, 3), sn.Layer), isinstance(sn.Sequential(sn.Linear(2, 3)), sn.Layer)
    (True, True)
    """

    @abstractmethod
    def build(self, to: Builder) -> None:
        """Add this layer's definitions."""

    def sample_axes(self) -> tuple[Axis, ...]:
        """The axes of one sample of the input, where the layer's arguments tell them; () where any shape will do."""
        return ()

    def classes(self) -> sp.Expr | None:
        """How many values an entry of the input may take where the layer takes whole numbers 0, 1, …; None for real numbers."""
        return None


def as_layer(what: Any, where: str) -> Layer:
    """The layer that is meant: itself, or the class of one that needs no arguments. Raises OptionError."""
    if isinstance(what, type) and issubclass(what, Layer):
        try:
            return what()
        except TypeError:
            raise OptionError(where, a_kind(what), f"a layer: {what.__name__}(…) with its arguments") from None
    if not isinstance(what, Layer):
        hint = ""
        if type(what).__module__.split(".")[0] == "torch":
            hint = "sn.from_torch(model) reads a PyTorch model"
        elif isinstance(what, (list, tuple)):
            hint = f"{where}(*layers)"
        elif isinstance(what, str):
            hint = "a layer is an object: sn.Tanh(), without quotes"
        raise OptionError(where, f"{shown(what)}, which is no layer", "layers such as Linear(2, 3)", hint)
    return what


@torch_arguments("in_features out_features bias device dtype", PLACE)
@dataclass(frozen=True)
class Linear(Layer):
    """z = x W + b: W has shape (in_features, out_features), b (out_features,).

    PyTorch stores the transpose of this W. Source: Goodfellow, Bengio & Courville 2016, eq. 6.3.

    >>> from symnet.networks.sequential import Sequential
    >>> print(Sequential(Linear("d", "h")).program())
    z1[n, j] := b1[j] + Sum(W1[i, j]*X[n, i], (i, 1, d))
    """

    in_features: Size
    out_features: Size
    bias: bool = True

    def sample_axes(self) -> tuple[Axis, ...]:
        return (Axis.of(self.in_features),)

    def build(self, to: Builder) -> None:
        to.linear += 1
        k, x = to.linear, to.now
        if not x.axes:
            self._scalars(to)
            return
        ins, outs = x.axes[-1], Axis.of(self.out_features)
        same_size(f"Linear, layer {k}", ins, Axis.of(self.in_features))
        w = to.add_input(f"W{k}", (ins, outs), Role.PARAMETER, f"weights of layer {k}: row i feeds from input i")
        b = to.add_input(f"b{k}", (outs,), Role.PARAMETER, f"biases of layer {k}") if self.bias else None
        *rest, i, j = to.letters((*x.axes, outs))
        value = over(w[i, j] * x[(*rest, i)], i, ins) + (b[j] if b else 0)
        to.line(f"z{k}", (*x.axes[:-1], outs), (*rest, j), value, f"weighted sums of layer {k}, before its activation")

    def _scalars(self, to: Builder) -> None:
        k = to.linear
        w = to.add_input(f"w{k}", (), Role.PARAMETER, f"weight of layer {k}")
        value = w[()] * to.now[()]
        if self.bias:
            value = value + to.add_input(f"b{k}", (), Role.PARAMETER, f"bias of layer {k}")[()]
        to.line(f"z{k}", (), (), value, f"weighted sum of layer {k}, before its activation")


class Activation(Layer):
    """An elementwise function; the subclass names it."""

    def build(self, to: Builder) -> None:
        k = max(to.linear, 1)
        to.entrywise(f"a{k}", f"activation of layer {k}: what it passes on", self.function())

    @abstractmethod
    def function(self) -> Callable[[sp.Expr], sp.Expr]:
        """The function of one entry."""


@torch_arguments()
@dataclass(frozen=True)
class Sigmoid(Activation):
    """σ(z) = 1/(1 + e^-z), between 0 and 1.

    >>> import symnet as sn
    >>> print(sn.Sequential(sn.Linear(1, 1), sn.Sigmoid()).program().definitions[-1])
    a1 := sigmoid(z1)
    """

    def function(self) -> Callable[[sp.Expr], sp.Expr]:
        return sigmoid


@torch_arguments()
@dataclass(frozen=True)
class Tanh(Activation):
    """tanh(z), between -1 and 1.

    >>> import symnet as sn
    >>> print(sn.Sequential(sn.Linear(1, 1), sn.Tanh()).program().definitions[-1])
    a1 := tanh(z1)
    """

    def function(self) -> Callable[[sp.Expr], sp.Expr]:
        return sp.tanh  # type: ignore[no-any-return]


@torch_arguments("inplace", {"inplace": BOTH})
@dataclass(frozen=True)
class ReLU(Activation):
    """max(z, 0), with slope 0 at 0 (PyTorch's convention).

    >>> import symnet as sn
    >>> print(sn.Sequential(sn.Linear(1, 1), sn.ReLU()).program().definitions[-1])
    a1 := relu(z1)
    """

    def function(self) -> Callable[[sp.Expr], sp.Expr]:
        return relu


@torch_arguments("negative_slope inplace", {"inplace": BOTH})
@dataclass(frozen=True)
class LeakyReLU(Activation):
    """z for z > 0, slope·z otherwise; PyTorch's default slope 0.01.

    >>> import symnet as sn
    >>> print(sn.Sequential(sn.Linear(1, 1), sn.LeakyReLU("1/10")).program().definitions[-1])
    a1 := leaky_relu(z1, 1/10)
    """

    negative_slope: object = "1/100"

    def function(self) -> Callable[[sp.Expr], sp.Expr]:
        slope = rational(self.negative_slope)
        return lambda z: leaky_relu(z, slope)


@torch_arguments("beta threshold", {"threshold": (20,)})
@dataclass(frozen=True)
class Softplus(Activation):
    """log(1 + e^(β z))/β; PyTorch's default β = 1. Past PyTorch's threshold this is z but for rounding.

    >>> import symnet as sn
    >>> print(sn.Sequential(sn.Linear(1, 1), sn.Softplus()).program().definitions[-1])
    a1 := softplus(z1)
    """

    beta: object = 1

    def __post_init__(self) -> None:
        if rational(self.beta) <= 0:
            raise OptionError("Softplus, beta", str(self.beta), "a positive number")

    def function(self) -> Callable[[sp.Expr], sp.Expr]:
        beta = rational(self.beta)
        return softplus if beta == 1 else lambda z: softplus(beta * z) / beta


@torch_arguments("dim")
@dataclass(frozen=True)
class Softmax(Layer):
    """p_k = e^{z_k} / Σ e^{z_c} along the axis ``dim``, by default the last: positive numbers that add up to 1.

    ``dim`` counts the axes as PyTorch does, the samples first; -1 is the last.

    >>> import symnet as sn
    >>> print(sn.Sequential(sn.Linear("d", "k"), sn.Softmax()).program().definitions[-1])
    a1[n, j] := exp(z1[n, j])/Sum(exp(z1[n, j1]), (j1, 1, k))
    """

    dim: int | None = None

    def build(self, to: Builder) -> None:
        softmax_line(to, f"a{max(to.linear, 1)}", "softmax: shares between 0 and 1 that add up to 1", logarithm=False, dim=self.dim)


@torch_arguments("dim")
@dataclass(frozen=True)
class LogSoftmax(Layer):
    """log of the softmax, z_k - log Σ e^{z_c}, along the axis ``dim``, by default the last.

    >>> import symnet as sn
    >>> print(sn.Sequential(sn.Linear("d", "k"), sn.LogSoftmax()).program().definitions[-1])
    a1[n, j] := -log(Sum(exp(z1[n, j1]), (j1, 1, k))) + z1[n, j]
    """

    dim: int | None = None

    def build(self, to: Builder) -> None:
        softmax_line(to, f"a{max(to.linear, 1)}", "logarithms of the softmax shares", logarithm=True, dim=self.dim)


@torch_arguments("dim")
@dataclass(frozen=True)
class Softmin(Layer):
    """The softmax of -z along the axis ``dim``, by default the last: the smallest entry gets the largest share.

    >>> import symnet as sn
    >>> print(sn.Sequential(sn.Linear("d", "k"), sn.Softmin()).program().definitions[-1])
    a1[n, j] := exp(-z1[n, j])/Sum(exp(-z1[n, j1]), (j1, 1, k))
    """

    dim: int | None = None

    def build(self, to: Builder) -> None:
        softmax_line(to, f"a{max(to.linear, 1)}", "softmin: the smallest entry gets the largest share", logarithm=False, dim=self.dim,
                     sign=-1)


@torch_arguments()
@dataclass(frozen=True)
class Softmax2d(Layer):
    """The softmax over the channels at each place of an image X[n, c, i, j].

    >>> import symnet as sn
    >>> sn.Sequential(sn.Input("c", "h", "w"), sn.Softmax2d()).program().definitions[-1].target.shape
    (N, c, h, w)
    """

    def build(self, to: Builder) -> None:
        if len(to.now.axes) not in (3, 4):
            raise OptionError("Softmax2d", f"an input of shape {axes_text(to.now.axes)}", "(N, channels, height, width)")
        softmax_line(to, f"a{max(to.linear, 1)}", "softmax over the channels at each place", logarithm=False, dim=-3)


def softmax_line(to: Builder, name: str, note: str, logarithm: bool, dim: int | None = None, sign: int = 1) -> None:
    """Add p := exp(z)/Σ exp(z), or its logarithm, along an axis, by default the last; with ``sign`` -1 of -z."""
    z = to.now
    at = -1 if dim is None else dim
    if isinstance(at, bool) or not isinstance(at, int) or not -len(z.axes) <= at < len(z.axes):
        where = "LogSoftmax, dim" if logarithm else "Softmax, dim"
        raise OptionError(where, shown(dim), f"an axis of an input of shape {axes_text(z.axes)}: {-len(z.axes)} to {len(z.axes) - 1}"
                          if z.axes else "an input with axes")
    places = to.letters(z.axes)
    rule = log_softmax if logarithm else softmax
    shares = rule(AtOnce(name, "softmax"), IndexArray.over(z.axes, places, sign * z[places]), at)
    to.line(name, z.axes, places, with_letter(shares.at(*places), index(f"{places[at]}1")), note)


def batch_axis(name: Size = "N") -> Axis:
    """The axis of samples."""
    return Axis.of(name, Kind.BATCH)
