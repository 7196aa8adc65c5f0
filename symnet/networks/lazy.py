"""Layers that read their input width off the layer before, by PyTorch's names: LazyLinear(3) after 5 features is Linear(5, 3).

A network cannot begin with one unless Input(…) stands first.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import sympy as sp

from symnet.core.axes import Kind
from symnet.errors import OptionError
from symnet.networks import convolution, normalization, transposed_convolution
from symnet.networks.arguments import PLACE, torch_arguments
from symnet.networks.builder import Builder, axes_text
from symnet.networks.layers import Layer, Linear, Size
from symnet.networks.windows import Sizes

_CONVOLUTION = convolution.ORDER.removeprefix("in_channels ")
_TRANSPOSED = transposed_convolution.ORDER.removeprefix("in_channels ")
_NORM = "eps momentum affine track_running_stats device dtype"
_INSTANCE = PLACE | {"momentum": ("1/10", 0.1), "track_running_stats": (True, False)}


def _width(to: Builder, where: str, at: int) -> sp.Expr:
    """The size of the axis ``at``, the batch included, of what flows in."""
    axes = to.now.axes
    first = at if axes and axes[0].kind is Kind.BATCH else at - 1 if at > 0 else at
    if not -len(axes) <= first < len(axes):
        raise OptionError(where, f"an input of shape {axes_text(axes)}", "an input with features or channels")
    return axes[first].size


@torch_arguments("out_features bias device dtype", PLACE)
@dataclass(frozen=True)
class LazyLinear(Layer):
    """Linear(in_features, out_features) with in_features read off the input.

    >>> import symnet as sn
    >>> sn.Sequential(sn.Input("d"), sn.LazyLinear("h")).program()["W1"].shape
    (d, h)
    """

    out_features: Size
    bias: bool = True

    def build(self, to: Builder) -> None:
        Linear(_width(to, "LazyLinear", -1), self.out_features, self.bias).build(to)


@dataclass(frozen=True)
class _LazyConv(Layer):
    """What the lazy convolutions share."""

    out_channels: Size
    kernel_size: Sizes
    stride: int | tuple[int, ...] = 1
    padding: int | str | tuple[int, ...] = 0
    dilation: int | tuple[int, ...] = 1
    groups: int = 1
    bias: bool = True
    padding_mode: str = "zeros"

    kind: ClassVar[Any]

    def build(self, to: Builder) -> None:
        self.kind(_width(to, type(self).__name__, 1), self.out_channels, self.kernel_size, self.stride, self.padding, self.dilation,
                  self.groups, self.bias, self.padding_mode).build(to)


@dataclass(frozen=True)
class _LazyConvTranspose(Layer):
    """What the lazy transposed convolutions share."""

    out_channels: Size
    kernel_size: Sizes
    stride: int | tuple[int, ...] = 1
    padding: int | tuple[int, ...] = 0
    output_padding: int | tuple[int, ...] = 0
    groups: int = 1
    bias: bool = True
    dilation: int | tuple[int, ...] = 1

    kind: ClassVar[Any]

    def build(self, to: Builder) -> None:
        self.kind(_width(to, type(self).__name__, 1), self.out_channels, self.kernel_size, self.stride, self.padding, self.output_padding,
                  self.groups, self.bias, self.dilation).build(to)


@dataclass(frozen=True)
class _LazyNorm(Layer):
    """What the lazy normalizations share."""

    eps: object = "1e-5"
    momentum: object = "1/10"
    affine: bool = True
    track_running_stats: bool = True
    bias: bool = field(default=True, kw_only=True)

    kind: ClassVar[Any]

    def build(self, to: Builder) -> None:
        self.kind(_width(to, type(self).__name__, 1), self.eps, self.momentum, self.affine, self.track_running_stats,
                  bias=self.bias).build(to)


@dataclass(frozen=True)
class _LazyInstanceNorm(Layer):
    """What the lazy instance normalizations share."""

    eps: object = "1e-5"
    affine: bool = True
    bias: bool = field(default=True, kw_only=True)

    kind: ClassVar[Any]

    def build(self, to: Builder) -> None:
        self.kind(_width(to, type(self).__name__, 1), self.eps, affine=self.affine, bias=self.bias).build(to)


@torch_arguments(_CONVOLUTION, PLACE)
@dataclass(frozen=True)
class LazyConv1d(_LazyConv):
    """Conv1d with its in_channels read off the input.

    >>> import symnet as sn
    >>> sn.Sequential(sn.Input("c", 8), sn.LazyConv1d(3, 2)).program()["W1"].shape
    (3, c, 2)
    """

    kind = convolution.Conv1d


@torch_arguments(_CONVOLUTION, PLACE)
@dataclass(frozen=True)
class LazyConv2d(_LazyConv):
    """Conv2d with its in_channels read off the input.

    >>> import symnet as sn
    >>> sn.Sequential(sn.Input("c", 8, 6), sn.LazyConv2d(3, 2)).program()["W1"].shape
    (3, c, 2, 2)
    """

    kind = convolution.Conv2d


@torch_arguments(_CONVOLUTION, PLACE)
@dataclass(frozen=True)
class LazyConv3d(_LazyConv):
    """Conv3d with its in_channels read off the input.

    >>> import symnet as sn
    >>> sn.Sequential(sn.Input("c", 4, 5, 6), sn.LazyConv3d(3, 2)).program()["W1"].shape
    (3, c, 2, 2, 2)
    """

    kind = convolution.Conv3d


@torch_arguments(_TRANSPOSED, transposed_convolution.UNREAD)
@dataclass(frozen=True)
class LazyConvTranspose1d(_LazyConvTranspose):
    """ConvTranspose1d with its in_channels read off the input.

    >>> import symnet as sn
    >>> sn.Sequential(sn.Input("c", 8), sn.LazyConvTranspose1d(3, 2)).program()["W1"].shape
    (c, 3, 2)
    """

    kind = transposed_convolution.ConvTranspose1d


@torch_arguments(_TRANSPOSED, transposed_convolution.UNREAD)
@dataclass(frozen=True)
class LazyConvTranspose2d(_LazyConvTranspose):
    """ConvTranspose2d with its in_channels read off the input.

    >>> import symnet as sn
    >>> sn.Sequential(sn.Input("c", 8, 6), sn.LazyConvTranspose2d(3, 2)).program()["W1"].shape
    (c, 3, 2, 2)
    """

    kind = transposed_convolution.ConvTranspose2d


@torch_arguments(_TRANSPOSED, transposed_convolution.UNREAD)
@dataclass(frozen=True)
class LazyConvTranspose3d(_LazyConvTranspose):
    """ConvTranspose3d with its in_channels read off the input.

    >>> import symnet as sn
    >>> sn.Sequential(sn.Input("c", 4, 5, 6), sn.LazyConvTranspose3d(3, 2)).program()["W1"].shape
    (c, 3, 2, 2, 2)
    """

    kind = transposed_convolution.ConvTranspose3d


@torch_arguments(_NORM, PLACE)
@dataclass(frozen=True)
class LazyBatchNorm1d(_LazyNorm):
    """BatchNorm1d with its num_features read off the input.

    >>> import symnet as sn
    >>> sn.Sequential(sn.Input("c", 8), sn.LazyBatchNorm1d()).program()["gamma1"].shape
    (c,)
    """

    kind = normalization.BatchNorm1d


@torch_arguments(_NORM, PLACE)
@dataclass(frozen=True)
class LazyBatchNorm2d(_LazyNorm):
    """BatchNorm2d with its num_features read off the input.

    >>> import symnet as sn
    >>> sn.Sequential(sn.Input("c", 8, 6), sn.LazyBatchNorm2d()).program()["gamma1"].shape
    (c,)
    """

    kind = normalization.BatchNorm2d


@torch_arguments(_NORM, PLACE)
@dataclass(frozen=True)
class LazyBatchNorm3d(_LazyNorm):
    """BatchNorm3d with its num_features read off the input.

    >>> import symnet as sn
    >>> sn.Sequential(sn.Input("c", 4, 5, 6), sn.LazyBatchNorm3d()).program()["gamma1"].shape
    (c,)
    """

    kind = normalization.BatchNorm3d


@torch_arguments(_NORM, _INSTANCE)
@dataclass(frozen=True)
class LazyInstanceNorm1d(_LazyInstanceNorm):
    """InstanceNorm1d with its num_features read off the input.

    >>> import symnet as sn
    >>> sn.Sequential(sn.Input("c", 8), sn.LazyInstanceNorm1d()).program()["gamma1"].shape
    (c,)
    """

    kind = normalization.InstanceNorm1d


@torch_arguments(_NORM, _INSTANCE)
@dataclass(frozen=True)
class LazyInstanceNorm2d(_LazyInstanceNorm):
    """InstanceNorm2d with its num_features read off the input.

    >>> import symnet as sn
    >>> sn.Sequential(sn.Input("c", 8, 6), sn.LazyInstanceNorm2d()).program()["gamma1"].shape
    (c,)
    """

    kind = normalization.InstanceNorm2d


@torch_arguments(_NORM, _INSTANCE)
@dataclass(frozen=True)
class LazyInstanceNorm3d(_LazyInstanceNorm):
    """InstanceNorm3d with its num_features read off the input.

    >>> import symnet as sn
    >>> sn.Sequential(sn.Input("c", 4, 5, 6), sn.LazyInstanceNorm3d()).program()["gamma1"].shape
    (c,)
    """

    kind = normalization.InstanceNorm3d


LAZY: tuple[type[Layer], ...] = (
    LazyLinear, LazyConv1d, LazyConv2d, LazyConv3d,
    LazyConvTranspose1d, LazyConvTranspose2d, LazyConvTranspose3d, LazyBatchNorm1d,
    LazyBatchNorm2d, LazyBatchNorm3d, LazyInstanceNorm1d, LazyInstanceNorm2d,
    LazyInstanceNorm3d)
