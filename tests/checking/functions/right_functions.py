"""torch.autograd.Functions that are right, written as such code is written. Each stands with an example of its arguments."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch.autograd import Function
from torch.autograd.function import once_differentiable


def real(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64)


class LinearFunction(Function):
    """As in PyTorch's own notes on extending autograd."""

    @staticmethod
    def forward(ctx, input, weight, bias=None):
        ctx.save_for_backward(input, weight, bias)
        output = input.mm(weight.t())
        if bias is not None:
            output += bias.unsqueeze(0).expand_as(output)
        return output

    @staticmethod
    def backward(ctx, grad_output):
        input, weight, bias = ctx.saved_tensors
        grad_input = grad_weight = grad_bias = None
        if ctx.needs_input_grad[0]:
            grad_input = grad_output.mm(weight)
        if ctx.needs_input_grad[1]:
            grad_weight = grad_output.t().mm(input)
        if bias is not None and ctx.needs_input_grad[2]:
            grad_bias = grad_output.sum(0)
        return grad_input, grad_weight, grad_bias


class RMSNormFunction(Function):
    @staticmethod
    def forward(ctx, x, weight, eps):
        rstd = torch.rsqrt(x.pow(2).mean(dim=-1, keepdim=True) + eps)
        x_hat = x * rstd
        ctx.save_for_backward(x_hat, weight, rstd)
        return x_hat * weight

    @staticmethod
    def backward(ctx, grad_output):
        x_hat, weight, rstd = ctx.saved_tensors
        grad_weight = (grad_output * x_hat).sum(dim=0)
        wdy = grad_output * weight
        c1 = (x_hat * wdy).mean(dim=-1, keepdim=True)
        return (wdy - x_hat * c1) * rstd, grad_weight, None


class LayerNormFunction(Function):
    @staticmethod
    def forward(ctx, x, weight, bias, eps=1e-5):
        mean = x.mean(-1, keepdim=True)
        var = ((x - mean) ** 2).mean(-1, keepdim=True)
        rstd = 1.0 / torch.sqrt(var + eps)
        x_hat = (x - mean) * rstd
        ctx.save_for_backward(x_hat, weight, rstd)
        return weight * x_hat + bias

    @staticmethod
    @once_differentiable
    def backward(ctx, dy):
        x_hat, weight, rstd = ctx.saved_tensors
        N = x_hat.shape[-1]
        wdy = weight * dy
        c1 = (x_hat * wdy).sum(-1, keepdim=True) / N
        c2 = wdy.sum(-1, keepdim=True) / N
        dx = (wdy - (x_hat * c1 + c2)) * rstd
        return dx, (dy * x_hat).sum(0), dy.sum(0), None


class GELU(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return F.gelu(x)

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        cdf = 0.5 * (1 + torch.erf(x / math.sqrt(2.0)))
        pdf = torch.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)
        return g * (cdf + x * pdf)


class FastGELU(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return 0.5 * x * (1.0 + torch.tanh(0.7978845608 * (x + 0.044715 * x * x * x)))

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        t = torch.tanh(0.7978845608 * x * (1 + 0.044715 * x * x))
        ff = 0.5 * x * ((1 - t * t) * (0.7978845608 + 0.1070322243 * x * x)) + 0.5 * (1 + t)
        return ff * g


class TanhGELU(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return F.gelu(x, approximate="tanh")

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        k = math.sqrt(2 / math.pi)
        t = torch.tanh(k * (x + 0.044715 * x**3))
        return g * (0.5 * (1 + t) + 0.5 * x * (1 - t**2) * k * (1 + 3 * 0.044715 * x**2))


class Swish(Function):
    @staticmethod
    def forward(ctx, i):
        result = i * torch.sigmoid(i)
        ctx.save_for_backward(i)
        return result

    @staticmethod
    def backward(ctx, grad_output):
        i = ctx.saved_tensors[0]
        sigmoid_i = torch.sigmoid(i)
        return grad_output * (sigmoid_i * (1 + i * (1 - sigmoid_i)))


class SoftmaxCrossEntropy(Function):
    @staticmethod
    def forward(ctx, logits, target):
        logits = logits - logits.max(dim=1, keepdim=True).values
        log_probs = logits - logits.exp().sum(dim=1, keepdim=True).log()
        loss = -log_probs[torch.arange(logits.shape[0]), target].mean()
        ctx.save_for_backward(log_probs, target)
        return loss

    @staticmethod
    def backward(ctx, grad_output):
        log_probs, target = ctx.saved_tensors
        grad = log_probs.exp()
        grad[torch.arange(grad.shape[0]), target] -= 1
        return grad_output * grad / grad.shape[0], None


class GroupNorm(Function):
    """Two groups of channels."""

    @staticmethod
    def forward(ctx, x, weight, bias, groups, eps):
        N, C = x.shape[0], x.shape[1]
        xg = x.reshape(N, groups, C // groups)
        mean = xg.mean(-1, keepdim=True)
        rstd = torch.rsqrt(xg.var(-1, unbiased=False, keepdim=True) + eps)
        x_hat = ((xg - mean) * rstd)
        ctx.save_for_backward(x_hat, rstd, weight)
        ctx.groups = groups
        return x_hat.reshape(N, C) * weight + bias

    @staticmethod
    def backward(ctx, g):
        x_hat, rstd, weight = ctx.saved_tensors
        N, C = g.shape
        d_hat = (g * weight).reshape(N, ctx.groups, C // ctx.groups)
        m = C // ctx.groups
        dx = rstd / m * (m * d_hat - d_hat.sum(-1, keepdim=True) - x_hat * (d_hat * x_hat).sum(-1, keepdim=True))
        return dx.reshape(N, C), (g * x_hat.reshape(N, C)).sum(0), g.sum(0), None, None


class Rotary(Function):
    @staticmethod
    def forward(ctx, x, cos, sin):
        half = x.shape[-1] // 2
        x1, x2 = x[..., :half], x[..., half:]
        ctx.save_for_backward(cos, sin)
        return torch.cat([x1 * cos - x2 * sin, x2 * cos + x1 * sin], dim=-1)

    @staticmethod
    def backward(ctx, g):
        cos, sin = ctx.saved_tensors
        g1, g2 = g.chunk(2, dim=-1)
        return torch.cat([g1 * cos + g2 * sin, g2 * cos - g1 * sin], dim=-1), None, None


class Attention(Function):
    @staticmethod
    def forward(ctx, q, k, v):
        scale = 1.0 / math.sqrt(q.shape[-1])
        p = torch.softmax(q @ k.transpose(-2, -1) * scale, dim=-1)
        ctx.save_for_backward(q, k, v, p)
        ctx.scale = scale
        return p @ v

    @staticmethod
    def backward(ctx, do):
        q, k, v, p = ctx.saved_tensors
        dv = p.transpose(-2, -1) @ do
        dp = do @ v.transpose(-2, -1)
        ds = p * (dp - (dp * p).sum(dim=-1, keepdim=True))
        return ds @ k * ctx.scale, ds.transpose(-2, -1) @ q * ctx.scale, dv


class AlphaComposite(Function):
    """Front to back: colour = Σ T_i a_i c_i with T_i = Π_{j<i} (1 - a_j), for three samples."""

    @staticmethod
    def forward(ctx, alpha, color):
        t1 = 1 - alpha[0]
        t2 = t1 * (1 - alpha[1])
        ctx.save_for_backward(alpha, color)
        return alpha[0] * color[0] + t1 * alpha[1] * color[1] + t2 * alpha[2] * color[2]

    @staticmethod
    def backward(ctx, g):
        alpha, color = ctx.saved_tensors
        t1 = 1 - alpha[0]
        t2 = t1 * (1 - alpha[1])
        grad_color = torch.stack([alpha[0] * g, t1 * alpha[1] * g, t2 * alpha[2] * g])
        behind2 = (color[2] * g).sum() * alpha[2]
        da2 = t2 * (color[2] * g).sum()
        da1 = t1 * ((color[1] * g).sum() - behind2)
        behind1 = alpha[1] * (color[1] * g).sum() + (1 - alpha[1]) * behind2
        da0 = (color[0] * g).sum() - behind1
        return torch.stack([da0, da1, da2]), grad_color


def rotation(q):
    r, x, y, z = q.unbind(-1)
    return torch.stack([
        torch.stack([1 - 2 * (y * y + z * z), 2 * (x * y - r * z), 2 * (x * z + r * y)], -1),
        torch.stack([2 * (x * y + r * z), 1 - 2 * (x * x + z * z), 2 * (y * z - r * x)], -1),
        torch.stack([2 * (x * z - r * y), 2 * (y * z + r * x), 1 - 2 * (x * x + y * y)], -1)], -2)


class QuaternionCovariance(Function):
    """Gaussian splatting: Σ = R S Sᵀ Rᵀ of a unit quaternion and scales."""

    @staticmethod
    def forward(ctx, q, s):
        R = rotation(q)
        M = R * s.unsqueeze(-2)
        ctx.save_for_backward(q, s)
        return M @ M.transpose(-1, -2)

    @staticmethod
    def backward(ctx, g):
        q, s = ctx.saved_tensors
        R = rotation(q)
        M = R * s.unsqueeze(-2)
        dM = (g + g.transpose(-1, -2)) @ M
        ds = (dM * R).sum(-2)
        dR = dM * s.unsqueeze(-2)
        r, x, y, z = q.unbind(-1)
        a = dR
        dr = 2 * (-z * a[..., 0, 1] + y * a[..., 0, 2] + z * a[..., 1, 0] - x * a[..., 1, 2] - y * a[..., 2, 0] + x * a[..., 2, 1])
        dx = 2 * (y * a[..., 0, 1] + z * a[..., 0, 2] + y * a[..., 1, 0] - 2 * x * a[..., 1, 1] - r * a[..., 1, 2] + z * a[..., 2, 0]
                  + r * a[..., 2, 1] - 2 * x * a[..., 2, 2])
        dy = 2 * (-2 * y * a[..., 0, 0] + x * a[..., 0, 1] + r * a[..., 0, 2] + x * a[..., 1, 0] + z * a[..., 1, 2] - r * a[..., 2, 0]
                  + z * a[..., 2, 1] - 2 * y * a[..., 2, 2])
        dz = 2 * (-2 * z * a[..., 0, 0] - r * a[..., 0, 1] + x * a[..., 0, 2] + r * a[..., 1, 0] - 2 * z * a[..., 1, 1] + y * a[..., 1, 2]
                  + x * a[..., 2, 0] + y * a[..., 2, 1])
        return torch.stack([dr, dx, dy, dz], -1), ds


class LogSumExp(Function):
    @staticmethod
    def forward(x):
        return torch.logsumexp(x, dim=-1)

    @staticmethod
    def setup_context(ctx, inputs, output):
        (x,) = inputs
        ctx.save_for_backward(x, output)

    @staticmethod
    def backward(ctx, g):
        x, lse = ctx.saved_tensors
        return g.unsqueeze(-1) * torch.exp(x - lse.unsqueeze(-1))


class MaskedDropout(Function):
    @staticmethod
    def forward(ctx, x, mask, p):
        ctx.p = p
        ctx.save_for_backward(mask)
        return x * mask / (1 - p)

    @staticmethod
    def backward(ctx, g):
        (mask,) = ctx.saved_tensors
        return g * mask / (1 - ctx.p), None, None


class Clamp(Function):
    @staticmethod
    def forward(ctx, x, low, high):
        ctx.save_for_backward(x)
        ctx.low, ctx.high = low, high
        return x.clamp(low, high)

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * ((x > ctx.low) & (x < ctx.high)), None, None


class Huber(Function):
    @staticmethod
    def forward(ctx, input, target, delta):
        diff = input - target
        ctx.save_for_backward(diff)
        ctx.delta = delta
        a = diff.abs()
        return torch.where(a <= delta, 0.5 * diff**2, delta * (a - 0.5 * delta)).mean()

    @staticmethod
    def backward(ctx, g):
        (diff,) = ctx.saved_tensors
        grad = torch.where(diff.abs() <= ctx.delta, diff, ctx.delta * torch.sign(diff)) * g / diff.numel()
        return grad, -grad, None


class CosineSimilarity(Function):
    @staticmethod
    def forward(ctx, a, b):
        na, nb = a.norm(dim=-1, keepdim=True), b.norm(dim=-1, keepdim=True)
        cos = (a * b).sum(-1, keepdim=True) / (na * nb)
        ctx.save_for_backward(a, b, na, nb, cos)
        return cos.squeeze(-1)

    @staticmethod
    def backward(ctx, g):
        a, b, na, nb, cos = ctx.saved_tensors
        g = g.unsqueeze(-1)
        return g * (b / (na * nb) - cos * a / na**2), g * (a / (na * nb) - cos * b / nb**2)


class EmbeddingFunction(Function):
    @staticmethod
    def forward(ctx, indices, weight):
        ctx.save_for_backward(indices)
        ctx.num = weight.size(0)
        return weight[indices]

    @staticmethod
    def backward(ctx, g):
        (indices,) = ctx.saved_tensors
        grad = g.new_zeros(ctx.num, g.size(-1))
        grad.index_add_(0, indices, g)
        return None, grad


class LeakyReLU(Function):
    @staticmethod
    def forward(ctx, x, slope):
        ctx.slope = slope
        ctx.save_for_backward(x)
        return torch.where(x > 0, x, slope * x)

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        grad = g.clone()
        grad[x <= 0] *= ctx.slope
        return grad, None


class Mish(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * torch.tanh(F.softplus(x))

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        t = torch.tanh(F.softplus(x))
        return g * (t + x * torch.sigmoid(x) * (1 - t * t))


class Standardize(Function):
    """Batch norm in training, with two outputs of which one is not differentiable."""

    @staticmethod
    def forward(ctx, x, eps):
        mu, var = x.mean(0), x.var(0, unbiased=False)
        inv = torch.rsqrt(var + eps)
        xh = (x - mu) * inv
        ctx.save_for_backward(xh, inv)
        ctx.mark_non_differentiable(mu)
        return xh, mu

    @staticmethod
    def backward(ctx, g, _):
        xh, inv = ctx.saved_tensors
        return inv * (g - g.mean(0) - xh * (g * xh).mean(0)), None


class SwiGLU(Function):
    @staticmethod
    def forward(ctx, a, b):
        ctx.save_for_backward(a, b)
        return F.silu(a) * b

    @staticmethod
    def backward(ctx, dc):
        a, b = ctx.saved_tensors
        sig = torch.sigmoid(a)
        silu = a * sig
        return dc * (silu * (1 - sig) + sig) * b, dc * silu


class SinCos(Function):
    """Two outputs, both differentiable."""

    @staticmethod
    def forward(ctx, x):
        s, c = x.sin(), x.cos()
        ctx.save_for_backward(s, c)
        return s, c

    @staticmethod
    def backward(ctx, gs, gc):
        s, c = ctx.saved_tensors
        return gs * c - gc * s


class Bilinear(Function):
    @staticmethod
    def forward(ctx, x, W, y):
        ctx.save_for_backward(x, W, y)
        return torch.einsum("ni,ij,nj->n", x, W, y)

    @staticmethod
    def backward(ctx, g):
        x, W, y = ctx.saved_tensors
        return g[:, None] * (y @ W.T), torch.einsum("n,ni,nj->ij", g, x, y), g[:, None] * (x @ W)


RIGHT: list[tuple[Any, tuple[Any, ...]]] = [
    (LinearFunction, (real(4, 6), real(3, 6), real(3))),
    (RMSNormFunction, (real(4, 6), real(6), 1e-6)),
    (LayerNormFunction, (real(4, 6), real(6), real(6))),
    (GELU, (real(4, 6),)),
    (TanhGELU, (real(4),)),
    (Swish, (real(4, 6),)),
    (SoftmaxCrossEntropy, (real(4, 6), torch.tensor([1, 0, 5, 2]))),
    (GroupNorm, (real(4, 6), real(6), real(6), 2, 1e-5)),
    (Rotary, (real(4, 6).requires_grad_(), real(4, 3), real(4, 3))),
    (Attention, (real(4, 6), real(5, 6), real(5, 3))),
    (AlphaComposite, (real(3), real(3, 4))),
    (QuaternionCovariance, (real(5, 4), real(5, 3))),
    (LogSumExp, (real(4, 6),)),
    (MaskedDropout, (real(4, 6), torch.tensor([[True, False, True, True, False, True]] * 4), 0.1)),
    (Clamp, (real(4, 6), -0.5, 0.5)),
    (Huber, (real(4), real(4), 1.0)),
    (CosineSimilarity, (real(4, 6), real(4, 6))),
    (EmbeddingFunction, (torch.tensor([0, 3, 3, 1, 6]), real(7, 3))),
    (LeakyReLU, (real(4, 6), 0.1)),
    (Mish, (real(4, 6),)),
    (Standardize, (real(4, 6), 1e-5)),
    (SwiGLU, (real(4, 6), real(4, 6))),
    (SinCos, (real(4, 6),)),
    (Bilinear, (real(4, 6), real(6, 3), real(4, 3))),
]
CASES = RIGHT
