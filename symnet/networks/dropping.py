"""Dropout of entries, of whole channels, and with mean and variance kept, by PyTorch's names. Source: Srivastava et al. 2014.

The mask is an input, 1 where something is kept and 0 where it is dropped; the derivation holds for every mask.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import sympy as sp

from symnet.core.numbers import rational
from symnet.core.tensors import Role, Tensor
from symnet.errors import OptionError
from symnet.networks.activations import constant
from symnet.networks.arguments import BOTH, torch_arguments
from symnet.networks.builder import Builder
from symnet.networks.layers import Layer
from symnet.networks.windows import signal

ALPHA = Tensor("alpha_drop", role=Role.CONSTANT, latex=r"\alpha'", note="what SELU tends to at minus infinity")
ALPHA_VALUE = rational("-1.7580993408473766")  # PyTorch's digits, aten/src/ATen/native/Dropout.cpp


def _probability(where: str, p: object) -> sp.Rational:
    found = rational(p)
    if not 0 <= found < 1:
        raise OptionError(where, f"p={p}", "a probability, 0 <= p < 1")
    return found


def _mask(to: Builder, axes: int, note: str = "1 for what is kept, 0 for what is dropped") -> tuple[sp.Expr, tuple[sp.Symbol, ...], int]:
    """The entry of a new mask over the first ``axes`` axes of what flows, the places, and its number."""
    x = to.now
    k = 1 + sum(t.name.startswith("mask") for t in to.inputs)
    mask = to.add_input(f"mask{k}", x.axes[:axes], Role.CONSTANT, note)
    places = to.letters(x.axes)
    return mask[places[:axes]] if axes else mask[()], places, k


@torch_arguments("p inplace", {"inplace": BOTH})
@dataclass(frozen=True)
class Dropout(Layer):
    """d = mask ⊙ x/(1 - p): the mask is an input of x's shape, 1 where an entry is kept and 0 where it is dropped.

    Training draws each entry of the mask, 1 with probability 1 - p; the derivation holds for every mask. PyTorch's evaluation mode is
    the same with the mask 1 - p everywhere.

    >>> import symnet as sn
    >>> print(sn.Sequential(sn.Linear("d", "h"), sn.Dropout("1/5")).program().definitions[-1])
    d1[n, j] := 5*mask1[n, j]*z1[n, j]/4
    """

    p: Any = "1/2"

    def build(self, to: Builder) -> None:
        p, x = _probability("Dropout", self.p), to.now
        mask, places, k = _mask(to, len(x.axes), "1 for an entry that is kept, 0 for one that is dropped")
        to.line(f"d{k}", x.axes, places, mask * (x[places] if places else x[()]) / (1 - p), "what dropout keeps, scaled up")


@dataclass(frozen=True)
class _ChannelDropout(Layer):
    """What the dropouts of channels share."""

    p: Any = "1/2"

    dims: ClassVar[int]

    def build(self, to: Builder) -> None:
        where = type(self).__name__
        p, front, x = _probability(where, self.p), signal(to, where, self.dims), to.now
        mask, places, k = _mask(to, len(front))
        to.line(f"d{k}", x.axes, places, mask * x[places] / (1 - p), "the channels that dropout keeps, scaled up")


@torch_arguments("p inplace", {"inplace": BOTH})
@dataclass(frozen=True)
class Dropout1d(_ChannelDropout):
    """d[n, c, i] = mask[n, c] X[n, c, i]/(1 - p): whole channels are kept or dropped. Source: Tompson et al. 2015.

    >>> import symnet as sn
    >>> print(sn.Sequential(sn.Input("c", "T"), sn.Dropout1d("1/5")).program().definitions[-1])
    d1[n, i, j] := 5*X[n, i, j]*mask1[n, i]/4
    """

    dims = 1


@torch_arguments("p inplace", {"inplace": BOTH})
@dataclass(frozen=True)
class Dropout2d(_ChannelDropout):
    """As Dropout1d, for images.

    >>> import symnet as sn
    >>> sn.Sequential(sn.Input("c", "h", "w"), sn.Dropout2d()).program().inputs[-1].shape
    (N, c)
    """

    dims = 2


@torch_arguments("p inplace", {"inplace": BOTH})
@dataclass(frozen=True)
class Dropout3d(_ChannelDropout):
    """As Dropout1d, for volumes.

    >>> import symnet as sn
    >>> sn.Sequential(sn.Input("c", 2, 3, 4), sn.Dropout3d()).program().inputs[-1].shape
    (N, c)
    """

    dims = 3


def _alpha(to: Builder, where: str, p: object, axes: int) -> None:
    """d = a (mask ⊙ x + α'(1 - mask)) + b with a = 1/√((1 - p)(1 + p α'²)), b = -a p α'."""
    share, x = _probability(where, p), to.now
    constant(to, ALPHA, ALPHA_VALUE)
    to.now = x
    mask, places, k = _mask(to, axes)
    dropped = ALPHA[()]
    value = x[places] if places else x[()]
    scale = 1 / sp.sqrt((1 - share) * (1 + share * dropped**2))
    to.line(f"d{k}", x.axes, places, scale * (mask * value + dropped * (1 - mask) - share * dropped),
            "what dropout keeps, with mean and variance as they were")


@torch_arguments("p inplace", {"inplace": BOTH})
@dataclass(frozen=True)
class AlphaDropout(Layer):
    """d = a (mask ⊙ x + α'(1 - mask) - p α') with a = 1/√((1 - p)(1 + p α'²)): dropped entries become α' = -1.7580993408473766, and mean
    0 and variance 1 are kept, for networks of SELU. Source: Klambauer et al. 2017, section 3.

    >>> import symnet as sn
    >>> [t.name for t in sn.Sequential(sn.Linear("d", "h"), sn.AlphaDropout()).program().inputs]
    ['X', 'W1', 'b1', 'mask1']
    """

    p: Any = "1/2"

    def build(self, to: Builder) -> None:
        _alpha(to, "AlphaDropout", self.p, len(to.now.axes))


@torch_arguments("p inplace", {"inplace": BOTH})
@dataclass(frozen=True)
class FeatureAlphaDropout(Layer):
    """AlphaDropout of whole channels: the mask is one number for each sample and channel.

    >>> import symnet as sn
    >>> sn.Sequential(sn.Input("c", "T"), sn.FeatureAlphaDropout()).program().inputs[-1].shape
    (N, c)
    """

    p: Any = "1/2"

    def build(self, to: Builder) -> None:
        if len(to.now.axes) < 2:
            raise OptionError("FeatureAlphaDropout", f"an input with {len(to.now.axes)} axes", "(N, channels, …)")
        _alpha(to, "FeatureAlphaDropout", self.p, 2)


DROPPING: tuple[type[Layer], ...] = (Dropout, Dropout1d, Dropout2d, Dropout3d, AlphaDropout, FeatureAlphaDropout)
