"""torch.autograd.Functions that are wrong, each by one slip that people make. With the argument whose gradient is wrong, and the slip's kinds."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from right_functions import (
    GELU,
    AlphaComposite,
    Attention,
    Bilinear,
    CosineSimilarity,
    EmbeddingFunction,
    GroupNorm,
    Huber,
    LayerNormFunction,
    LinearFunction,
    LogSumExp,
    MaskedDropout,
    Mish,
    QuaternionCovariance,
    RMSNormFunction,
    Rotary,
    SinCos,
    SoftmaxCrossEntropy,
    Standardize,
    SwiGLU,
    Swish,
    real,
    rotation,
)
from torch.autograd import Function


class SquareWithoutUpstream(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, grad_output):
        (x,) = ctx.saved_tensors
        return 2 * x


class SquareWithoutTwo(SquareWithoutUpstream):
    @staticmethod
    def backward(ctx, g):
        return g * ctx.saved_tensors[0]


class ISRLU(Function):
    """pytorch/pytorch#4355: grad_output is forgotten on the negative side."""

    @staticmethod
    def forward(ctx, x, alpha):
        ctx.save_for_backward(x)
        ctx.alpha = alpha
        return x / torch.sqrt(1 + alpha * x * x)

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return (1 / torch.sqrt(1 + ctx.alpha * x * x)) ** 3, None


class RMSNormWithoutWeight(RMSNormFunction):
    """karpathy/llm.c#763."""

    @staticmethod
    def backward(ctx, g):
        x_hat, _weight, rstd = ctx.saved_tensors
        c1 = (x_hat * g).mean(dim=-1, keepdim=True)
        return (g - x_hat * c1) * rstd, (g * x_hat).sum(0), None


class RMSNormWithoutMean(RMSNormFunction):
    @staticmethod
    def backward(ctx, g):
        x_hat, weight, rstd = ctx.saved_tensors
        return g * weight * rstd, (g * x_hat).sum(0), None


class RMSNormWeightOfX(RMSNormFunction):
    """The wrong saved tensor: x where x_hat belongs."""

    @staticmethod
    def forward(ctx, x, weight, eps):
        rstd = torch.rsqrt(x.pow(2).mean(dim=-1, keepdim=True) + eps)
        ctx.save_for_backward(x, weight, rstd)
        return x * rstd * weight

    @staticmethod
    def backward(ctx, g):
        x, weight, rstd = ctx.saved_tensors
        x_hat = x * rstd
        wdy = g * weight
        dx = (wdy - x_hat * (x_hat * wdy).mean(-1, keepdim=True)) * rstd
        return dx, (g * x).sum(0), None


class RMSNormFirstRow(RMSNormFunction):
    """The sum over the batch is missing."""

    @staticmethod
    def backward(ctx, g):
        dx, _dw, _ = RMSNormFunction.backward(ctx, g)
        x_hat, _weight, _rstd = ctx.saved_tensors
        return dx, (g * x_hat)[0], None


class RMSNormMeanOfBatch(RMSNormFunction):
    @staticmethod
    def backward(ctx, g):
        dx, _dw, _ = RMSNormFunction.backward(ctx, g)
        return dx, (g * ctx.saved_tensors[0]).mean(0), None


class LayerNormWithoutMean(LayerNormFunction):
    """What comes back through the mean is left out."""

    @staticmethod
    def backward(ctx, dy):
        x_hat, weight, rstd = ctx.saved_tensors
        wdy = weight * dy
        c1 = (x_hat * wdy).mean(-1, keepdim=True)
        return (wdy - x_hat * c1) * rstd, (dy * x_hat).sum(0), dy.sum(0), None


class LayerNormSign(LayerNormFunction):
    @staticmethod
    def backward(ctx, dy):
        x_hat, weight, rstd = ctx.saved_tensors
        wdy = weight * dy
        c1 = (x_hat * wdy).mean(-1, keepdim=True)
        c2 = wdy.mean(-1, keepdim=True)
        return (wdy + x_hat * c1 - c2) * rstd, (dy * x_hat).sum(0), dy.sum(0), None


class LayerNormWrongAxis(LayerNormFunction):
    @staticmethod
    def backward(ctx, dy):
        x_hat, weight, rstd = ctx.saved_tensors
        wdy = weight * dy
        c1 = (x_hat * wdy).mean(-1, keepdim=True)
        c2 = wdy.mean(-1, keepdim=True)
        return (wdy - x_hat * c1 - c2) * rstd, (dy * x_hat).sum(1), dy.sum(0), None


class LayerNormAssigned(LayerNormFunction):
    """= for +=: of three parts the last stays."""

    @staticmethod
    def backward(ctx, dy):
        x_hat, weight, rstd = ctx.saved_tensors
        wdy = weight * dy
        dx = wdy * rstd
        dx = dx - x_hat * (x_hat * wdy).mean(-1, keepdim=True) * rstd
        dx = wdy * rstd - wdy.mean(-1, keepdim=True) * rstd
        return dx, (dy * x_hat).sum(0), dy.sum(0), None


class LinearTransposed(LinearFunction):
    @staticmethod
    def backward(ctx, g):
        input, weight, _bias = ctx.saved_tensors
        return g.mm(weight), input.t().mm(g), g.sum(0)


class LinearMean(LinearFunction):
    @staticmethod
    def backward(ctx, g):
        input, weight, _bias = ctx.saved_tensors
        return g.mm(weight), g.t().mm(input), g.mean(0)


class LinearNeeds(LinearFunction):
    """The gradient of the weight asks for the input's entry."""

    @staticmethod
    def backward(ctx, g):
        input, weight, _bias = ctx.saved_tensors
        gx = gw = gb = None
        if ctx.needs_input_grad[0]:
            gx = g.mm(weight)
            gw = g.t().mm(input)
        if ctx.needs_input_grad[2]:
            gb = g.sum(0)
        return gx, gw, gb


class LinearNoBias(LinearFunction):
    @staticmethod
    def backward(ctx, g):
        input, weight, _bias = ctx.saved_tensors
        return g.mm(weight), g.t().mm(input), None


class LinearTwiceBias(LinearFunction):
    """+= for =."""

    @staticmethod
    def backward(ctx, g):
        input, weight, _bias = ctx.saved_tensors
        gb = g.sum(0)
        gb += g.sum(0)
        return g.mm(weight), g.t().mm(input), gb


class SwishWithoutInput(Swish):
    @staticmethod
    def backward(ctx, g):
        i = ctx.saved_tensors[0]
        s = torch.sigmoid(i)
        return g * (s + i * (1 - s))


class SwishSigmoidAlone(Swish):
    @staticmethod
    def backward(ctx, g):
        i = ctx.saved_tensors[0]
        s = torch.sigmoid(i)
        return g * s * (1 - s)


class GELUWithoutDensity(GELU):
    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * 0.5 * (1 + torch.erf(x / math.sqrt(2.0)))


class GELUDensity(GELU):
    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        cdf = 0.5 * (1 + torch.erf(x / math.sqrt(2.0)))
        pdf = torch.exp(-x * x) / math.sqrt(2 * math.pi)
        return g * (cdf + x * pdf)


class SoftmaxElementwise(Function):
    @staticmethod
    def forward(ctx, z):
        p = torch.softmax(z, -1)
        ctx.save_for_backward(p)
        return p

    @staticmethod
    def backward(ctx, g):
        (p,) = ctx.saved_tensors
        return g * p * (1 - p)


class SoftmaxWithoutP(SoftmaxElementwise):
    @staticmethod
    def backward(ctx, g):
        (p,) = ctx.saved_tensors
        return g - (g * p).sum(-1, keepdim=True)


class SoftmaxMinus(SoftmaxElementwise):
    @staticmethod
    def backward(ctx, g):
        (p,) = ctx.saved_tensors
        return p * (g + (g * p).sum(-1, keepdim=True))


class SoftmaxDim(SoftmaxElementwise):
    @staticmethod
    def backward(ctx, g):
        (p,) = ctx.saved_tensors
        return p * (g - (g * p).sum(0, keepdim=True))


class CrossEntropyWithoutUpstream(SoftmaxCrossEntropy):
    @staticmethod
    def backward(ctx, g):
        log_probs, target = ctx.saved_tensors
        return (log_probs.exp() - F.one_hot(target, log_probs.shape[1])) / log_probs.shape[0], None


class CrossEntropyWithoutMean(SoftmaxCrossEntropy):
    @staticmethod
    def backward(ctx, g):
        log_probs, target = ctx.saved_tensors
        return g * (log_probs.exp() - F.one_hot(target, log_probs.shape[1])), None


class CrossEntropyReversed(SoftmaxCrossEntropy):
    @staticmethod
    def backward(ctx, g):
        log_probs, target = ctx.saved_tensors
        return g * (F.one_hot(target, log_probs.shape[1]) - log_probs.exp()) / log_probs.shape[0], None


class CrossEntropyLogs(SoftmaxCrossEntropy):
    """Logarithms where probabilities belong."""

    @staticmethod
    def backward(ctx, g):
        log_probs, target = ctx.saved_tensors
        return g * (log_probs - F.one_hot(target, log_probs.shape[1])) / log_probs.shape[0], None


class GroupNormWithoutSecond(GroupNorm):
    @staticmethod
    def backward(ctx, g):
        x_hat, rstd, weight = ctx.saved_tensors
        N, C = g.shape
        m = C // ctx.groups
        d_hat = (g * weight).reshape(N, ctx.groups, m)
        dx = rstd / m * (m * d_hat - d_hat.sum(-1, keepdim=True))
        return dx.reshape(N, C), (g * x_hat.reshape(N, C)).sum(0), g.sum(0), None, None


class RotaryForward(Rotary):
    """The rotation of the forward pass once more, where its inverse belongs."""

    @staticmethod
    def backward(ctx, g):
        cos, sin = ctx.saved_tensors
        g1, g2 = g.chunk(2, dim=-1)
        return torch.cat([g1 * cos - g2 * sin, g2 * cos + g1 * sin], dim=-1), None, None


class RotarySwapped(Rotary):
    @staticmethod
    def backward(ctx, g):
        cos, sin = ctx.saved_tensors
        g1, g2 = g.chunk(2, dim=-1)
        return torch.cat([g2 * cos - g1 * sin, g1 * cos + g2 * sin], dim=-1), None, None


class AttentionWithoutScale(Attention):
    @staticmethod
    def backward(ctx, do):
        q, k, v, p = ctx.saved_tensors
        dp = do @ v.transpose(-2, -1)
        ds = p * (dp - (dp * p).sum(dim=-1, keepdim=True))
        return ds @ k, ds.transpose(-2, -1) @ q * ctx.scale, p.transpose(-2, -1) @ do


class AttentionElementwise(Attention):
    @staticmethod
    def backward(ctx, do):
        q, k, v, p = ctx.saved_tensors
        dp = do @ v.transpose(-2, -1)
        ds = p * (1 - p) * dp
        return ds @ k * ctx.scale, ds.transpose(-2, -1) @ q * ctx.scale, p.transpose(-2, -1) @ do


class AttentionValues(Attention):
    """p where its transpose belongs, which has another shape."""

    @staticmethod
    def backward(ctx, do):
        q, k, v, p = ctx.saved_tensors
        dp = do @ v.transpose(-2, -1)
        ds = p * (dp - (dp * p).sum(dim=-1, keepdim=True))
        return ds @ k * ctx.scale, ds.transpose(-2, -1) @ q * ctx.scale, (do.transpose(-2, -1) @ p)


class AlphaWithoutBehind(AlphaComposite):
    @staticmethod
    def backward(ctx, g):
        alpha, color = ctx.saved_tensors
        t1 = 1 - alpha[0]
        t2 = t1 * (1 - alpha[1])
        grad_color = torch.stack([alpha[0] * g, t1 * alpha[1] * g, t2 * alpha[2] * g])
        return torch.stack([(color[0] * g).sum(), t1 * (color[1] * g).sum(), t2 * (color[2] * g).sum()]), grad_color


class AlphaTransmittance(AlphaComposite):
    @staticmethod
    def backward(ctx, g):
        alpha, _color = ctx.saved_tensors
        da, _ = AlphaComposite.backward(ctx, g)
        t1 = 1 - alpha[0]
        return da, torch.stack([alpha[0] * g, t1 * alpha[1] * g, t1 * alpha[2] * g])


class CovarianceHalf(QuaternionCovariance):
    """G M where (G + Gᵀ) M belongs."""

    @staticmethod
    def backward(ctx, g):
        q, s = ctx.saved_tensors
        R = rotation(q)
        dM = g @ (R * s.unsqueeze(-2))
        return QuaternionCovariance.backward(ctx, g)[0], (dM * R).sum(-2)


class CovarianceTransposed(QuaternionCovariance):
    @staticmethod
    def backward(ctx, g):
        q, s = ctx.saved_tensors
        R = rotation(q)
        dM = (g + g.transpose(-1, -2)) @ (R * s.unsqueeze(-2))
        return QuaternionCovariance.backward(ctx, g)[0], (dM * R).sum(-1)


class LogSumExpValue(LogSumExp):
    @staticmethod
    def backward(ctx, g):
        x, _lse = ctx.saved_tensors
        return g.unsqueeze(-1) * torch.exp(x)


class DropoutUnscaled(MaskedDropout):
    @staticmethod
    def backward(ctx, g):
        (mask,) = ctx.saved_tensors
        return g * mask, None, None


class DropoutUnmasked(MaskedDropout):
    @staticmethod
    def backward(ctx, g):
        return g / (1 - ctx.p), None, None


class StraightThrough(Function):
    """No slip, and not the derivative."""

    @staticmethod
    def forward(ctx, x):
        return torch.sign(x)

    @staticmethod
    def backward(ctx, g):
        return g


class ClampEverywhere(Function):
    @staticmethod
    def forward(ctx, x):
        return x.clamp(-1, 1)

    @staticmethod
    def backward(ctx, g):
        return g


class HuberSign(Huber):
    @staticmethod
    def backward(ctx, g):
        (diff,) = ctx.saved_tensors
        grad = torch.where(diff.abs() <= ctx.delta, diff, ctx.delta * torch.sign(diff)) * g / diff.numel()
        return grad, grad, None


class HuberSum(Huber):
    @staticmethod
    def backward(ctx, g):
        (diff,) = ctx.saved_tensors
        grad = torch.where(diff.abs() <= ctx.delta, diff, ctx.delta * torch.sign(diff)) * g
        return grad, -grad, None


class CosineWithoutProjection(CosineSimilarity):
    @staticmethod
    def backward(ctx, g):
        a, b, na, nb, cos = ctx.saved_tensors
        g = g.unsqueeze(-1)
        return g * b / (na * nb), g * (a / (na * nb) - cos * b / nb**2)


class EmbeddingOverwritten(EmbeddingFunction):
    """= for +=: a word that comes twice keeps the last."""

    @staticmethod
    def backward(ctx, g):
        (indices,) = ctx.saved_tensors
        grad = g.new_zeros(ctx.num, g.size(-1))
        grad[indices] = g
        return None, grad


class MishWithoutInner(Mish):
    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        t = torch.tanh(F.softplus(x))
        return g * (t + x * (1 - t * t))


class StandardizeAlone(Standardize):
    @staticmethod
    def backward(ctx, g, _):
        _xh, inv = ctx.saved_tensors
        return inv * g, None


class SwiGLUSwapped(SwiGLU):
    @staticmethod
    def backward(ctx, dc):
        a, b = ctx.saved_tensors
        sig = torch.sigmoid(a)
        silu = a * sig
        return dc * (silu * (1 - sig) + sig) * b, dc * sig


class SinCosOne(SinCos):
    """The second output is forgotten."""

    @staticmethod
    def backward(ctx, gs, gc):
        _s, c = ctx.saved_tensors
        return gs * c


class BilinearTransposed(Bilinear):
    @staticmethod
    def backward(ctx, g):
        x, W, y = ctx.saved_tensors
        return g[:, None] * (y @ W), torch.einsum("n,ni,nj->ij", g, x, y), g[:, None] * (x @ W)


class StatisticsHeld(Function):
    """Batch norm whose mean and variance are taken for constants, as at evaluation."""

    @staticmethod
    def forward(ctx, x, gamma, beta):
        mu = x.mean(0)
        inv = 1 / torch.sqrt(((x - mu) ** 2).mean(0) + 1e-5)
        x_hat = (x - mu) * inv
        ctx.save_for_backward(x_hat, gamma, inv)
        return gamma * x_hat + beta

    @staticmethod
    def backward(ctx, g):
        x_hat, gamma, inv = ctx.saved_tensors
        return g * gamma * inv, (g * x_hat).sum(0), g.sum(0)


class SoftTargets(Function):
    """Cross-entropy with shares for targets; the slope of -Σ p log y."""

    @staticmethod
    def forward(ctx, z, y):
        log_p = torch.log_softmax(z, 1)
        ctx.save_for_backward(log_p.exp(), y)
        return -(y * log_p).sum(1).mean()

    @staticmethod
    def backward(ctx, g):
        p, y = ctx.saved_tensors
        return -g * p * (torch.log(y) - (p * torch.log(y)).sum(1, keepdim=True)) / y.shape[0], None


class Interleaved(Function):
    """A rotary embedding of neighbours, turned forward once more."""

    @staticmethod
    def forward(ctx, q, cos, sin):
        ctx.save_for_backward(cos, sin)
        e, o = q[..., 0::2], q[..., 1::2]
        return torch.stack((e * cos - o * sin, e * sin + o * cos), -1).flatten(-2)

    @staticmethod
    def backward(ctx, g):
        cos, sin = ctx.saved_tensors
        e, o = g[..., 0::2], g[..., 1::2]
        return torch.stack((e * cos - o * sin, e * sin + o * cos), -1).flatten(-2), None, None


LABELS = torch.tensor([1, 0, 5, 2])
MASK = torch.tensor([[True, False, True, True, False, True]] * 4)
LINEAR = (real(4, 6), real(3, 6), real(3))
NORM = (real(4, 6), real(6), 1e-6)
LAYER = (real(4, 6), real(6), real(6))
ANY = ""  # a slip need not be named, or by any name
WRONG: list[tuple[Any, tuple[Any, ...], str, str]] = [
    (SquareWithoutUpstream, (real(4, 6),), "x", "missing outer derivative"),
    (SquareWithoutTwo, (real(4, 6),), "x", "constant"),
    (ISRLU, (real(4), 0.5), "x", "missing outer derivative"),
    (RMSNormWithoutWeight, NORM, "x", "missing chain factor"),
    (RMSNormWithoutMean, NORM, "x", "missing use"),
    (RMSNormWeightOfX, NORM, "weight", "wrong variable"),
    (RMSNormFirstRow, NORM, "weight", ANY),
    (RMSNormMeanOfBatch, NORM, "weight", "mean"),
    (LayerNormWithoutMean, LAYER, "x", "missing activation slope"),
    (LayerNormSign, LAYER, "x", ""),
    (LayerNormWrongAxis, LAYER, "weight", "wrong axis"),
    (LayerNormAssigned, LAYER, "x", "missing chain factor"),
    (LinearTransposed, LINEAR, "weight", "transposed answer"),
    (LinearMean, LINEAR, "bias", "mean"),
    (LinearNeeds, tuple(t.clone().requires_grad_() for t in LINEAR), "weight", "needs_input_grad"),
    (LinearNoBias, tuple(t.clone().requires_grad_() for t in LINEAR), "bias", "no gradient"),
    (LinearTwiceBias, LINEAR, "bias", "constant"),
    (SwishWithoutInput, (real(4, 6),), "i", ANY),
    (SwishSigmoidAlone, (real(4, 6),), "i", ANY),
    (GELUWithoutDensity, (real(4, 6),), "x", "missing use"),
    (GELUDensity, (real(4, 6),), "x", ANY),
    (SoftmaxElementwise, (real(4, 6),), "z", "softmax elementwise"),
    (SoftmaxWithoutP, (real(4, 6),), "z", ANY),
    (SoftmaxMinus, (real(4, 6),), "z", "quotient rule sign"),
    (SoftmaxDim, (real(4, 6),), "z", "wrong axis"),
    (CrossEntropyWithoutUpstream, (real(4, 6), LABELS), "logits", "missing factor"),
    (CrossEntropyWithoutMean, (real(4, 6), LABELS), "logits", "sum for mean"),
    (CrossEntropyReversed, (real(4, 6), LABELS), "logits", "sign"),
    (CrossEntropyLogs, (real(4, 6), LABELS), "logits", "missing activation"),
    (GroupNormWithoutSecond, (real(4, 6), real(6), real(6), 2, 1e-5), "x", ANY),
    (RotaryForward, (real(4, 6).requires_grad_(), real(4, 3), real(4, 3)), "x", "sign of a variable"),
    (RotarySwapped, (real(4, 6).requires_grad_(), real(4, 3), real(4, 3)), "x", "halves exchanged"),
    (AttentionWithoutScale, (real(4, 6), real(5, 6), real(5, 3)), "q", ANY),
    (AttentionElementwise, (real(4, 6), real(5, 6), real(5, 3)), "k", ANY),
    (AttentionValues, (real(4, 6), real(5, 6), real(5, 3)), "v", "transposed answer"),
    (AlphaWithoutBehind, (real(3), real(3, 4)), "alpha", ANY),
    (AlphaTransmittance, (real(3), real(3, 4)), "color", ANY),
    (CovarianceHalf, (real(5, 4), real(5, 3)), "s", ANY),
    (CovarianceTransposed, (real(5, 4), real(5, 3)), "s", ANY),
    (LogSumExpValue, (real(4, 6),), "x", ANY),
    (DropoutUnscaled, (real(4, 6), MASK, 0.1), "x", "constant"),
    (DropoutUnmasked, (real(4, 6), MASK, 0.1), "x", ANY),
    (StraightThrough, (real(4, 6),), "x", ANY),
    (ClampEverywhere, (real(4, 6),), "x", ANY),
    (HuberSign, (real(4), real(4), 1.0), "target", "sign"),
    (HuberSum, (real(4), real(4), 1.0), "input", "sum for mean"),
    (CosineWithoutProjection, (real(4, 6), real(4, 6)), "a", ANY),
    (EmbeddingOverwritten, (torch.tensor([0, 3, 3, 1, 6]), real(7, 3)), "weight", ANY),
    (MishWithoutInner, (real(4, 6),), "x", ANY),
    (StandardizeAlone, (real(4, 6), 1e-5), "x", "one use alone"),
    (SwiGLUSwapped, (real(4, 6), real(4, 6)), "b", ANY),
    (SinCosOne, (real(4, 6),), "x", ANY),
    (StatisticsHeld, (real(4, 6), real(6), real(6)), "x", "held constant"),
    (SoftTargets, (real(4, 6), real(4, 6).abs()), "z", "arguments exchanged"),
    (Interleaved, (real(4, 6).requires_grad_(), real(4, 3), real(4, 3)), "q", "sign of a variable"),
    (BilinearTransposed, (real(4, 6), real(6, 6), real(4, 6)), "x", ANY),
]
CASES = [(f, e) for f, e, _, _ in WRONG]
