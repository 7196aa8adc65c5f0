"""Losses of several tensors: the output of the network is the first, the others are inputs unless the program has them.

Each takes the names of its other tensors: ``GaussianNLLLoss(var="s")`` reads the variance from the line s of the program.
``loss_program`` makes a program of a loss alone, in which every tensor but the target is a parameter.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import sympy as sp

from symnet.core.axes import Axis
from symnet.core.expressions import as_written
from symnet.core.functions import Max, Min, relu
from symnet.core.numbers import rational
from symnet.core.program import Program
from symnet.core.signatures import checked
from symnet.core.tensors import Role, Tensor
from symnet.errors import OptionError, ShapeError
from symnet.indexing.composites import AtOnce, logsumexp
from symnet.indexing.index_array import IndexArray
from symnet.networks.arguments import LEGACY, torch_arguments
from symnet.networks.builder import Builder, over, with_letter
from symnet.networks.layers import Size, batch_axis
from symnet.networks.loss_inputs import amount, given, number, target
from symnet.networks.losses import HALF, REDUCTION, Loss, Reduced, as_loss


@checked
def loss_program(loss: Loss | type[Loss], *sizes: Size) -> Program:
    """The loss of an output A with these sizes, the first the number of samples; A and the other tensors are parameters.

    >>> from symnet.networks.losses import MSELoss
    >>> print(loss_program(MSELoss(), "N"))
    L := Sum((a[n] - y[n])**2, (n, 1, N))/N
    """
    to = Builder()
    axes = tuple(Axis.of(s) if k else batch_axis(s) for k, s in enumerate(sizes))
    to.now = to.add_input("A" if len(axes) > 1 else "a", axes, Role.INPUT, "the output")
    with as_written():
        as_loss(loss).build(to)
        to.inputs = [replace(t, role=Role.PARAMETER) if t.role is Role.INPUT else t for t in to.inputs]
        return to.program()


def _second(to: Builder, name: str, note: str, domain: str = "real") -> Tensor:
    """A tensor of the shape of the output."""
    return given(to, name, to.now.axes, Role.INPUT, note, domain)


def _rows(to: Builder, where: str) -> tuple[tuple[Axis, ...], Axis]:
    """The axes of the samples and the axis of the features."""
    if not to.now.axes:
        raise ShapeError(where, "a network with one number as output", "a vector for each sample")
    return to.now.axes[:-1], to.now.axes[-1]


def _distance(to: Builder, name: str, u: Tensor, v: Tensor, p: float, eps: sp.Expr, note: str) -> Tensor:
    """name := ‖u - v + eps‖_p over the last axis (PyTorch's pairwise_distance)."""
    *rest, j = to.letters(u.axes)
    gap = u[(*rest, j)] - v[(*rest, j)] + eps
    powers = over(gap**p if p % 2 == 0 else sp.Abs(gap) ** p, j, u.axes[-1])
    return to.line(name, u.axes[:-1], tuple(rest), powers ** sp.Rational(1, p), note)


def _norm(to: Builder, name: str, u: Tensor, note: str) -> Tensor:
    *rest, j = to.letters(u.axes)
    return to.line(name, u.axes[:-1], tuple(rest), sp.sqrt(over(u[(*rest, j)] ** 2, j, u.axes[-1])), note)


@torch_arguments("margin size_average reduce reduction", LEGACY, REDUCTION)
@dataclass(frozen=True)
class CosineEmbeddingLoss(Reduced):
    """1 - cos(a, v) where y = 1, max(0, cos(a, v) - margin) where y = -1, the mean over samples; rows a and v of two tensors.

    PyTorch also adds 1e-12 to both squared lengths; here nothing is added, so no row may be 0.

    >>> import symnet as sn
    >>> print(sn.loss_program(sn.CosineEmbeddingLoss(), "N", "d").definitions[-1])
    L := Sum(Piecewise((1 - c[n], y[n] > 0), (relu(c[n]), True)), (n, 1, N))/N
    """

    margin: object = 0
    other: str = field(default="V", kw_only=True)

    def build(self, to: Builder) -> None:
        rows, features = _rows(to, "CosineEmbeddingLoss")
        a, v = to.now, _second(to, self.other, "the rows to compare with")
        y = target(to, "the target: 1 for alike, -1 for different", axes=rows)
        margin = amount(to, "CosineEmbeddingLoss, margin", self.margin, "the margin", "real")
        first, second = _norm(to, "rho1", a, "lengths of the output's rows"), _norm(to, "rho2", v, "lengths of the other rows")
        *rest, j = to.letters(a.axes)
        at = tuple(rest)
        dot = over(a[(*at, j)] * v[(*at, j)], j, features)
        c = to.line("c", rows, at, dot / (first[at] * second[at]), "cosines of the angles between the rows")
        body = sp.Piecewise((1 - c[at], y[at] > 0), (relu(c[at] - margin), sp.true))
        self.finish(to, lambda over: over(body), at, rows, "the cosine embedding loss")


@torch_arguments("margin p eps swap size_average reduce reduction", LEGACY, REDUCTION)
@dataclass(frozen=True)
class TripletMarginLoss(Reduced):
    """max(0, d(a, u) - d(a, v) + margin), the mean over samples: a the output, u like it, v unlike it, d(x, y) = ‖x - y + ε‖_p.

    Defaults are PyTorch's: margin 1, p = 2, eps = 1e-6; eps = 0 gives the textbook's distance. With ``swap`` the second distance
    is the smaller one of d(a, v) and d(u, v). Source: Balntas et al. 2016, section 3.

    >>> import symnet as sn
    >>> print(sn.loss_program(sn.TripletMarginLoss(), "N", "d").definitions[-1])
    L := Sum(relu(rho1[n] - rho2[n] + 1), (n, 1, N))/N
    """

    margin: object = 1
    p: float = 2
    eps: object = "1e-6"
    swap: bool = False
    positive: str = field(default="U", kw_only=True)
    negative: str = field(default="V", kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        p = rational(self.p)
        if not p.is_Integer or p < 1:
            raise OptionError("TripletMarginLoss, p", str(self.p), "a positive whole number")
        object.__setattr__(self, "p", int(p))

    def build(self, to: Builder) -> None:
        rows, _ = _rows(to, "TripletMarginLoss")
        a, eps = to.now, number("TripletMarginLoss, eps", self.eps, "nonnegative")
        u, v = _second(to, self.positive, "rows that are alike"), _second(to, self.negative, "rows that are different")
        margin = amount(to, "TripletMarginLoss, margin", self.margin, "the margin")
        near = _distance(to, "rho1", a, u, self.p, eps, "distances to the rows that are alike")
        far = _distance(to, "rho2", a, v, self.p, eps, "distances to the rows that are different")
        at = to.letters(rows)
        second = far[at]
        if self.swap:
            second = Min(far[at], _distance(to, "rho3", u, v, self.p, eps, "distances between the other rows")[at])
        body = relu(near[at] - second + margin)
        self.finish(to, lambda over: over(body), at, rows, "the triplet margin loss")


@torch_arguments("temperature normalize other")
@dataclass(frozen=True)
class InfoNCE(Reduced):
    """log Σ_m e^{s_nm} - s_nn, the mean over samples n, with s_nm = a_n·v_m/τ: row n of the output belongs to row n of V and
    the other rows of V are its negatives. ``normalize`` takes cosines in place of a·v. Source: van den Oord et al. 2018, eq. 4.

    >>> import symnet as sn
    >>> print(sn.loss_program(sn.InfoNCE(), "N", "d").definitions[0])
    rho1[n] := sqrt(Sum(A[n, i]**2, (i, 1, d)))
    """

    temperature: object = "1/10"
    normalize: bool = True
    other: str = "V"

    def build(self, to: Builder) -> None:
        rows, features = _rows(to, "InfoNCE")
        if len(rows) != 1:
            raise ShapeError("InfoNCE", f"shape {to.now.shape}", "rows of samples: one axis of samples and one of features")
        a, v = to.now, _second(to, self.other, "the rows that belong to the output's rows")
        tau = amount(to, "InfoNCE, temperature", self.temperature, "the temperature")
        n, m, j = to.letters((*rows, *rows, features))
        below = tau
        if self.normalize:
            first, second = _norm(to, "rho1", a, "lengths of the output's rows"), _norm(to, "rho2", v, "lengths of the other rows")
            below = tau * first[n] * second[m]
        s = to.line("s", (*rows, *rows), (n, m), over(a[n, j] * v[m, j], j, features) / below, "how alike row n and row m are")
        whole = logsumexp(AtOnce("InfoNCE", "logsumexp"), IndexArray.over(s.axes, (n, m), s[n, m]), 1)
        e = to.line("e", rows, (n,), with_letter(whole.at(n), m), "logarithm of the sum over all rows")
        self.finish(to, lambda over: over(e[n] - s[n, n]), (n,), rows, "the contrastive loss")


@torch_arguments()
@dataclass(frozen=True)
class GaussianNLLLoss(Reduced):
    """(log s + (a - y)²/s)/2 with s = max(variance, eps), the mean over all entries; ``full`` adds log(2π)/2.

    Where the variance lies below eps its gradient is 0 (PyTorch passes it through there). Source: Nix & Weigend 1994, eq. 7.

    >>> import symnet as sn
    >>> print(sn.loss_program(sn.GaussianNLLLoss(), "N"))
    s[n] := Max(1/1000000, V[n])
    L := Sum((a[n] - y[n])**2/s[n] + log(s[n]), (n, 1, N))/(2*N)
    """

    full: bool = field(default=False, kw_only=True)
    eps: object = field(default="1e-6", kw_only=True)
    var: str = field(default="V", kw_only=True)

    def build(self, to: Builder) -> None:
        a, y = to.now, target(to, "the target: what the network should say")
        v = _second(to, self.var, "variances", "nonnegative")
        eps, at = number("GaussianNLLLoss, eps", self.eps, "nonnegative"), to.letters(a.axes)
        s = v if eps == 0 else to.line("s", a.axes, at, Max(v[at], eps), "variances, kept away from 0")
        body = sp.log(s[at]) + (a[at] - y[at]) ** 2 / s[at] + (sp.log(2 * sp.pi) if self.full else 0)
        self.finish(to, lambda over: HALF * over(body), at, a.axes, "minus the Gaussian log-likelihood")


@torch_arguments("logvar")
@dataclass(frozen=True)
class VAEKLLoss(Reduced):
    """Σ_j (μ_j² + e^{v_j} - 1 - v_j)/2, the mean over samples: the divergence of N(μ, e^v) from N(0, 1), μ the output and v the
    log-variances. Source: Kingma & Welling 2014, appendix B.

    >>> import symnet as sn
    >>> print(sn.loss_program(sn.VAEKLLoss(), "N", "d"))
    L := Sum(exp(V[n, i]) + A[n, i]**2 - V[n, i] - 1, (i, 1, d), (n, 1, N))/(2*N)
    """

    logvar: str = "V"

    def build(self, to: Builder) -> None:
        _rows(to, "VAEKLLoss")
        mu, v = to.now, _second(to, self.logvar, "logarithms of the variances")
        at = to.letters(mu.axes)
        body = mu[at] ** 2 + sp.exp(v[at]) - 1 - v[at]
        self.finish(to, lambda over: HALF * over(body), at, mu.axes, "the divergence from the standard normal distribution", 1)


PAIRS: tuple[type[Loss], ...] = (CosineEmbeddingLoss, TripletMarginLoss, InfoNCE, GaussianNLLLoss, VAEKLLoss)
