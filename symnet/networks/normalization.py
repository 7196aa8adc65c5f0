"""Normalization by PyTorch's names: subtract a mean, divide by a standard deviation, then scale and shift by parameters.

Variances are biased (divided by the count, not the count less one), as PyTorch normalizes. Each layer adds its mean mu, its variance
var and the normalized x̂ as lines of their own. Sources: Ioffe & Szegedy 2015, algorithm 1; Ba, Kiros & Hinton 2016, eq. 4;
Zhang & Sennrich 2019, eq. 4.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import sympy as sp

from symnet.core.axes import Axis, Kind
from symnet.core.axes import size as to_size
from symnet.core.expressions import When, limits, total
from symnet.core.numbers import rational
from symnet.core.program import Program
from symnet.core.tensors import Role, Tensor
from symnet.errors import OptionError, ShapeError
from symnet.networks.arguments import BOTH, PLACE, torch_arguments
from symnet.networks.builder import Builder, axes_text
from symnet.networks.layers import Layer, Size
from symnet.networks.windows import letters, signal, signal_letters, whole

Places = tuple[sp.Symbol, ...]
MEANS = "means of normalization {}"
KEPT = re.compile(r"variances of normalization (\d+), kept with momentum (\S+)\Z")  # the note of a variance that training keeps
MACHINE_EPS = sp.Rational(1, 2**52)  # of float64


def _eps(where: str, value: object) -> sp.Rational:
    eps = rational(value)
    if eps < 0:
        raise OptionError(where, f"eps={value}", "a number that is not negative")
    return eps


def _number(to: Builder) -> int:
    """1 + how many normalizations there are already."""
    return 1 + sum(d.name.startswith(("xhat", "rms")) for d in to.lines)


def _mean(body: sp.Expr, x: Tensor, places: Places, over: Sequence[int]) -> sp.Expr:
    """The mean of ``body`` over the axes ``over`` of x."""
    sums = tuple((places[k], *x.axes[k].range) for k in reversed(over))
    return total(body, sums) / sp.Mul(*[x.axes[k].size for k in over])


@dataclass(frozen=True)
class RunningStatistics:
    """What training keeps of a batch normalization: its lines ``mean`` and ``variance``, how many entries one of them is taken over, and
    the share ``momentum`` of the newest batch in the running values; None for the mean over all batches so far."""

    mean: Tensor
    variance: Tensor
    count: sp.Expr
    momentum: sp.Rational | None


def running_statistics(program: Program) -> tuple[RunningStatistics, ...]:
    """The batch normalizations of a program whose statistics training keeps, in order."""
    found = []
    for mean, var in itertools.pairwise(program.definitions):
        said = KEPT.match(var.note)
        if said is not None and mean.note == MEANS.format(said[1]):
            count = sp.Mul(*[hi - lo + 1 for s in mean.expr.atoms(sp.Sum) for _, lo, hi in limits(s)])
            found.append(RunningStatistics(mean.target, var.target, count, None if said[2] == "None" else sp.Rational(said[2])))
    return tuple(found)


def _normalized(to: Builder, k: int, over: Sequence[int], eps: sp.Rational, momentum: str = "") -> None:
    """mu, var and x̂ = (x - mu)/√(var + eps), with means over the axes ``over``; ``momentum`` is that of running statistics."""
    x = to.now
    places = to.letters(x.axes)
    kept = [d for d in range(len(x.axes)) if d not in over]
    axes, here = tuple(x.axes[d] for d in kept), tuple(places[d] for d in kept)
    mu = to.line(f"mu{k}", axes, here, _mean(x[places], x, places, over), MEANS.format(k))[here if here else ()]
    body = (x[places] - mu) ** 2
    note = f"variances of normalization {k}" + (f", kept with momentum {momentum}" if momentum else "")
    var = to.line(f"var{k}", axes, here, _mean(body, x, places, over), note)[here if here else ()]
    to.line(f"xhat{k}", x.axes, places, (x[places] - mu) / sp.sqrt(var + eps), "normalized: mean 0, variance near 1")


def _scaled(to: Builder, k: int, along: Sequence[int], value: sp.Expr, places: Places, bias: bool) -> None:
    """u = gamma·value + beta, with parameters along the axes ``along``."""
    x = to.now
    axes, here = tuple(x.axes[d] for d in along), tuple(places[d] for d in along)
    value = to.add_input(f"gamma{k}", axes, Role.PARAMETER, f"scales of normalization {k}")[here] * value
    if bias:
        value = value + to.add_input(f"beta{k}", axes, Role.PARAMETER, f"shifts of normalization {k}")[here]
    to.line(f"u{k}", x.axes, places, value, "normalized, then scaled" + (" and shifted" if bias else ""))


@dataclass(frozen=True)
class _BatchNorm(Layer):
    """What the batch normalizations share: x̂ = (x - mu)/√(var + eps), u = gamma x̂ + beta for each channel."""

    num_features: Size
    eps: object = "1e-5"
    momentum: object = "1/10"
    affine: bool = True
    track_running_stats: bool = True
    bias: bool = field(default=True, kw_only=True)
    training: bool = field(default=True, kw_only=True)

    ranks: ClassVar[tuple[int, ...]]
    shapes: ClassVar[str]

    def __post_init__(self) -> None:
        if self.momentum is not None and not 0 <= rational(self.momentum) <= 1:
            raise OptionError(f"{type(self).__name__}, momentum", str(self.momentum), "a number from 0 to 1, or None")

    def sample_axes(self) -> tuple[Axis, ...]:
        return (Axis.of(self.num_features),) if 2 in self.ranks else ()

    def build(self, to: Builder) -> None:
        axes, k = to.now.axes, _number(to)
        where = f"{type(self).__name__} {k}"
        if len(axes) not in self.ranks or axes[0].kind is not Kind.BATCH:
            raise ShapeError(where, f"an input of shape {axes_text(axes)}", self.shapes, "a batch")
        if axes[1].size != Axis.of(self.num_features).size:
            raise ShapeError(where, f"{axes[1].size} features", str(self.num_features))
        if self.training:
            kept = str(None if self.momentum is None else rational(self.momentum)) if self.track_running_stats else ""
            _normalized(to, k, [d for d in range(len(axes)) if d != 1], _eps(where, self.eps), kept)
        else:
            self._evaluated(to, k, _eps(where, self.eps))
        if self.affine:
            places = to.letters(axes)
            _scaled(to, k, [1], to.now[places], places, self.bias)

    @staticmethod
    def _evaluated(to: Builder, k: int, eps: sp.Rational) -> None:
        """x̂ = (x - running mean)/√(running var + eps)."""
        x, places = to.now, to.letters(to.now.axes)
        mean = to.add_input(f"running_mean{k}", (x.axes[1],), Role.CONSTANT, f"the mean of each feature, kept by training {k}")
        note = f"the variance of each feature, kept by training {k}"
        var = Tensor(f"running_var{k}", (x.axes[1],), "nonnegative", Role.CONSTANT, note=note)
        to.inputs.append(var)
        value = (x[places] - mean[places[1]]) / sp.sqrt(var[places[1]] + eps)
        to.line(f"xhat{k}", x.axes, places, value, "normalized by the statistics that training kept")


_BATCH = "num_features eps momentum affine track_running_stats device dtype"


@torch_arguments(_BATCH, PLACE)
@dataclass(frozen=True)
class BatchNorm1d(_BatchNorm):
    """x̂ = (x - mu)/√(var + eps), u = gamma x̂ + beta: for each feature over the samples (and positions), training statistics.

    Inputs are X[n, j] or X[n, c, i]; the mean of feature j is over n (and i). eps as in PyTorch, 1e-5; ``affine=False`` leaves gamma
    and beta out, ``bias=False`` beta. With ``training=False``, PyTorch's evaluation mode, mean and variance are inputs, running_mean1 and
    running_var1. ``sn.fit`` keeps those averages as PyTorch does, (1 - momentum) old + momentum new with the unbiased variance
    (momentum=None: the mean over all batches), and predicts with them; ``track_running_stats=False`` predicts with the statistics of the
    rows that are asked.

    >>> import symnet as sn
    >>> [t.name for t in sn.Sequential(sn.Linear("d", "h"), sn.BatchNorm1d("h")).program().inputs]
    ['X', 'W1', 'b1', 'gamma1', 'beta1']
    """

    ranks = (2, 3)
    shapes = "(N, features) or (N, channels, length)"


@torch_arguments(_BATCH, PLACE)
@dataclass(frozen=True)
class BatchNorm2d(_BatchNorm):
    """As BatchNorm1d, for images X[n, c, i, j]: the mean of a channel is over the samples and all places.

    >>> import symnet as sn
    >>> print(sn.Sequential(sn.Input("c", "h", "w"), sn.BatchNorm2d("c")).program()["mu1"].shape)
    (c,)
    """

    ranks = (4,)
    shapes = "(N, channels, height, width)"


@torch_arguments(_BATCH, PLACE)
@dataclass(frozen=True)
class BatchNorm3d(_BatchNorm):
    """As BatchNorm1d, for volumes X[n, c, i, j, l].

    >>> import symnet as sn
    >>> print(sn.Sequential(sn.Input("c", 2, 3, 4), sn.BatchNorm3d("c")).program()["var1"].shape)
    (c,)
    """

    ranks = (5,)
    shapes = "(N, channels, depth, height, width)"


@torch_arguments("num_features eps momentum affine track_running_stats process_group device dtype", PLACE | {"process_group": (None,)})
@dataclass(frozen=True)
class SyncBatchNorm(_BatchNorm):
    """Batch normalization over the samples of all processes together: with all samples at hand, as here, BatchNorm1d to 3d by shape.

    >>> import symnet as sn
    >>> print(sn.Sequential(sn.Input("c", "h", "w"), sn.SyncBatchNorm("c")).program()["mu1"].shape)
    (c,)
    """

    ranks = (2, 3, 4, 5)
    shapes = "(N, channels, …)"


@dataclass(frozen=True)
class _InstanceNorm(Layer):
    """What the instance normalizations share: x̂ = (x - mu)/√(var + eps) for each channel of each sample."""

    num_features: Size
    eps: object = "1e-5"
    affine: bool = False
    bias: bool = field(default=True, kw_only=True)

    dims: ClassVar[int]

    def build(self, to: Builder) -> None:
        k = _number(to)
        where = f"{type(self).__name__} {k}"
        front = signal(to, where, self.dims)
        if front[-1].size != Axis.of(self.num_features).size:
            raise ShapeError(where, f"{front[-1].size} channels", str(self.num_features))
        _normalized(to, k, list(range(len(front), len(to.now.axes))), _eps(where, self.eps))
        if self.affine:
            places = to.letters(to.now.axes)
            _scaled(to, k, [len(front) - 1], to.now[places], places, self.bias)


_INSTANCE = PLACE | {"momentum": ("1/10", 0.1), "track_running_stats": BOTH}


@torch_arguments(_BATCH, _INSTANCE)
@dataclass(frozen=True)
class InstanceNorm1d(_InstanceNorm):
    """Each channel of each sample of X[n, c, i] to mean 0 and variance near 1; ``affine=True`` scales and shifts each channel.

    In training, as here, track_running_stats changes nothing. Source: Ulyanov, Vedaldi & Lempitsky 2016, eq. 3.

    >>> import symnet as sn
    >>> print(sn.Sequential(sn.Input("c", "T"), sn.InstanceNorm1d("c")).program()["mu1"].shape)
    (N, c)
    """

    dims = 1


@torch_arguments(_BATCH, _INSTANCE)
@dataclass(frozen=True)
class InstanceNorm2d(_InstanceNorm):
    """As InstanceNorm1d, for images X[n, c, i, j].

    >>> import symnet as sn
    >>> print(sn.Sequential(sn.Input("c", "h", "w"), sn.InstanceNorm2d("c")).program()["mu1"].shape)
    (N, c)
    """

    dims = 2


@torch_arguments(_BATCH, _INSTANCE)
@dataclass(frozen=True)
class InstanceNorm3d(_InstanceNorm):
    """As InstanceNorm1d, for volumes X[n, c, i, j, l].

    >>> import symnet as sn
    >>> print(sn.Sequential(sn.Input("c", 2, 3, 4), sn.InstanceNorm3d("c")).program()["mu1"].shape)
    (N, c)
    """

    dims = 3


@torch_arguments("num_groups num_channels eps affine device dtype", PLACE)
@dataclass(frozen=True)
class GroupNorm(Layer):
    """x̂ = (x - mu)/√(var + eps) over the channels of a group and all places of one sample, u = gamma[c] x̂ + beta[c].

    The channels fall into ``num_groups`` groups of m = C/G: G[n, g, q, i] = X[n, m(g-1) + q, i] is what is normalized, and channel c of
    the result is its place with m(g-1) + q = c. Source: Wu & He 2018, eq. 7.

    >>> import symnet as sn
    >>> print(sn.Sequential(sn.Input(6, "h", "w"), sn.GroupNorm(3, 6)).program()["mu1"].shape)
    (N, 3)
    """

    num_groups: Size
    num_channels: Size
    eps: object = "1e-5"
    affine: bool = True
    bias: bool = field(default=True, kw_only=True)

    def build(self, to: Builder) -> None:
        x, k = to.now, _number(to)
        where = f"GroupNorm {k}"
        first = 1 if x.axes and x.axes[0].kind is Kind.BATCH else 0
        groups, channels = to_size(self.num_groups), to_size(self.num_channels)
        if len(x.axes) <= first or x.axes[first].size != channels:
            raise ShapeError(where, f"an input of shape {axes_text(x.axes)}", f"(N, {channels}, …)")
        each = sp.expand(channels / groups)
        if not each.is_integer:
            raise ShapeError(where, f"{channels} channels in {groups} groups", "a number of groups that divides the channels")
        parts = (Axis.of(groups), Axis.of(each))
        axes = (*x.axes[:first], *parts, *x.axes[first + 1:])
        c, g, q, *more = letters(to, "cgqijl"[:3 + len(x.axes) - first - 1])
        front = letters(to, "n")[:first]
        to.line(f"G{k}", axes, (*front, g, q, *more), x[(*front, sp.expand(each * (g - 1) + q), *more)], "the channels, group by group")
        _normalized(to, k, list(range(first + 1, len(axes))), _eps(where, self.eps))
        value = When(to.now[(*front, g, q, *more)], sp.Eq(c, sp.expand(each * (g - 1) + q)))
        whole_ = total(value, ((q, *parts[1].range), (g, *parts[0].range)))
        to.line(f"v{k}", x.axes, (*front, c, *more), whole_, "normalized, channel by channel")
        if self.affine:
            places = to.letters(x.axes)
            _scaled(to, k, [first], to.now[places], places, self.bias)


@torch_arguments("size alpha beta k")
@dataclass(frozen=True)
class LocalResponseNorm(Layer):
    """u = x/s^β with s[c] = k + (α/size) Σ x[c']² over the ``size`` channels around c, zeros beyond the ends.

    Channel c sees c - ⌊size/2⌋ to c + ⌊(size-1)/2⌋, as in PyTorch. Source: Krizhevsky, Sutskever & Hinton 2012, section 3.3.

    >>> import symnet as sn
    >>> sn.Sequential(sn.Input("c", "h", "w"), sn.LocalResponseNorm(3)).program().definitions[-1].target.shape
    (N, c, h, w)
    """

    size: int
    alpha: object = "1/10000"
    beta: object = "3/4"
    k: object = 1

    def build(self, to: Builder) -> None:
        x, number = to.now, to.next_number("s")
        where = "LocalResponseNorm"
        size, k = whole(where, "size", self.size, 1), rational(self.k)
        first = 1 if x.axes and x.axes[0].kind is Kind.BATCH else 0
        if len(x.axes) <= first + 1:
            raise ShapeError(where, f"an input of shape {axes_text(x.axes)}", "(N, channels, …)")
        if k <= 0 or rational(self.alpha) < 0:
            raise OptionError(where, f"k={self.k}, alpha={self.alpha}", "k positive and alpha not negative, so that no s is 0")
        places = letters(to, signal_letters(x.axes))
        p = letters(to, "p")[0]
        at = sp.expand(places[first] - size // 2 + p - 1)
        seen = When(x[(*places[:first], at, *places[first + 1:])], sp.And(sp.Ge(at, 1), sp.Le(at, x.axes[first].size)))
        square = When(seen.args[0] ** 2, seen.args[1]) if isinstance(seen, When) else seen**2
        value = k + rational(self.alpha) / size * total(square, ((p, sp.S.One, sp.Integer(size)),))
        s = to.line(f"s{number}", x.axes, places, value, "how strong the channels around are")
        to.line(f"u{number}", x.axes, places, x[places] / s[places] ** rational(self.beta), "divided by the response around it")


def _last(where: str, x: Tensor, shape: Size | tuple[Size, ...]) -> list[int]:
    """The positions of the last axes of x, which must have the sizes ``shape``."""
    wanted = [Axis.of(s) for s in (shape if isinstance(shape, tuple) else (shape,))]
    last = list(range(len(x.axes) - len(wanted), len(x.axes)))
    if not wanted or last[0] < 0 or any(x.axes[d].size != a.size for d, a in zip(last, wanted, strict=True)):
        raise ShapeError(where, f"an input of shape {axes_text(x.axes)}", f"one that ends in {axes_text(wanted)}")
    return last


@torch_arguments("normalized_shape eps elementwise_affine bias device dtype", PLACE)
@dataclass(frozen=True)
class LayerNorm(Layer):
    """x̂ = (x - mu)/√(var + eps), u = gamma x̂ + beta: for each sample over its last axes, those of ``normalized_shape``.

    ``normalized_shape`` is one size or several; eps as in PyTorch, 1e-5. gamma and beta have that shape; ``bias=False`` leaves beta
    out, ``elementwise_affine=False`` both.

    >>> import symnet as sn
    >>> print(sn.Sequential(sn.Input("d"), sn.LayerNorm("d")).program().definitions[0])
    mu1[n] := Sum(X[n, i], (i, 1, d))/d
    """

    normalized_shape: Size | tuple[Size, ...]
    eps: object = "1e-5"
    elementwise_affine: bool = True
    bias: bool = True

    def sample_axes(self) -> tuple[Axis, ...]:
        return tuple(Axis.of(s) for s in (self.normalized_shape if isinstance(self.normalized_shape, tuple) else (self.normalized_shape,)))

    def build(self, to: Builder) -> None:
        k = _number(to)
        where = f"LayerNorm {k}"
        last = _last(where, to.now, self.normalized_shape)
        _normalized(to, k, last, _eps(where, self.eps))
        if self.elementwise_affine:
            places = to.letters(to.now.axes)
            _scaled(to, k, last, to.now[places], places, self.bias)


@torch_arguments("normalized_shape eps elementwise_affine device dtype", PLACE)
@dataclass(frozen=True)
class RMSNorm(Layer):
    """u = gamma x/√(mean(x²) + eps), the mean over the last axes, those of ``normalized_shape``.

    ``eps=None`` is the machine epsilon 2^-52 of float64 (PyTorch's default: that of the input's type).

    >>> import symnet as sn
    >>> print(sn.Sequential(sn.Input("d"), sn.RMSNorm("d")).program().definitions[-1])
    u1[n, i] := X[n, i]*gamma1[i]/rms1[n]
    """

    normalized_shape: Size | tuple[Size, ...]
    eps: object = None
    elementwise_affine: bool = True

    def sample_axes(self) -> tuple[Axis, ...]:
        return tuple(Axis.of(s) for s in (self.normalized_shape if isinstance(self.normalized_shape, tuple) else (self.normalized_shape,)))

    def build(self, to: Builder) -> None:
        k, x = _number(to), to.now
        where = f"RMSNorm {k}"
        last = _last(where, x, self.normalized_shape)
        eps = MACHINE_EPS if self.eps is None else _eps(where, self.eps)
        places = to.letters(x.axes)
        kept = [d for d in range(len(x.axes)) if d not in last]
        axes, here = tuple(x.axes[d] for d in kept), tuple(places[d] for d in kept)
        value = sp.sqrt(_mean(x[places] ** 2, x, places, last) + eps)
        rms = to.line(f"rms{k}", axes, here, value, f"root mean squares of normalization {k}")[here if here else ()]
        to.now = x
        if self.elementwise_affine:
            _scaled(to, k, last, x[places] / rms, places, False)
        else:
            to.line(f"u{k}", x.axes, places, x[places] / rms, "divided by the root mean square")


NORMALIZATIONS: tuple[type[Layer], ...] = (
    BatchNorm1d, BatchNorm2d, BatchNorm3d, SyncBatchNorm, InstanceNorm1d, InstanceNorm2d, InstanceNorm3d, GroupNorm, LocalResponseNorm,
    LayerNorm, RMSNorm)
