"""Every layer of torch.nn that symnet has, beside PyTorch in float64: the output's loss and all gradients. (Argument names and defaults:
``test_arguments.py``.) The rest of torch.nn is refused by name. ``docs/coverage.md`` is written from these tables with --update."""

from __future__ import annotations

import inspect
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from networks.torch_pairs import HOW, compared, pairs
from torch import nn

import symnet as sn
from symnet.calculus import derive
from symnet.networks.losses import SquaredError
from symnet.networks.unavailable import UNAVAILABLE

torch.set_default_dtype(torch.float64)
Tensors = Mapping[str, torch.Tensor]
COVERAGE = Path(__file__).parents[2] / "docs" / "coverage.md"


@dataclass(frozen=True)
class Beside:
    """A layer of symnet beside PyTorch's: what flows in (the batch first), and where symnet's tensors stand in PyTorch's."""

    ours: Callable[[], Any]
    theirs: Callable[[], Any]
    shape: tuple[int, ...]
    names: Mapping[str, str] = field(default_factory=dict)  # "W1": "weight.T" - a parameter of the module, as an expression of it
    more: Mapping[str, tuple[int, ...]] = field(default_factory=dict)  # further inputs, in the order of forward
    wrap: Callable[[Any, list[torch.Tensor]], torch.Tensor] | None = None  # how the module is called
    whole: int = 0  # inputs are whole numbers below this


def rows(values: torch.Tensor, k: int, of: int) -> torch.Tensor:
    """Part k of a stack of gates."""
    return values.chunk(of)[k]


AFFINE = {"gamma1": "weight", "beta1": "bias"}
CONV = {"W1": "weight", "b1": "bias"}


def _gates(cell: str, letters: str, suffix: str = "", k: int = 1) -> dict[str, str]:
    """PyTorch's stacked weights of one cell, gate by gate."""
    n = len(letters)
    return {f"{kind}{k}_{side}{g}": f"rows({'weight' if kind == 'W' else 'bias'}_{side}h{suffix}, {p}, {n})"
            for p, g in enumerate(letters) for kind in "Wb" for side in "ih"}


def heads(k: int, prefix: str, d: int, h: int) -> dict[str, str]:
    """PyTorch's in_proj and out_proj of attention number k as symnet's heads."""
    made = {}
    for p, letter in enumerate("qkv"):
        made[f"W{k}_{letter}"] = f"rows({prefix}in_proj_weight, {p}, 3).reshape({h}, {d // h}, {d}).permute(0, 2, 1)"
        made[f"b{k}_{letter}"] = f"rows({prefix}in_proj_bias, {p}, 3).reshape({h}, {d // h})"
    return made | {f"W{k}_o": f"{prefix}out_proj.weight.T.reshape({h}, {d // h}, {d})", f"b{k}_o": f"{prefix}out_proj.bias"}


def encoder(prefix: str, k: int, norm: int) -> dict[str, str]:
    """One encoder layer whose attention is number k, then two linear maps, and normalizations from ``norm``."""
    return heads(k, f"{prefix}self_attn.", 4, 2) | {
        f"W{k + 1}": f"{prefix}linear1.weight.T", f"b{k + 1}": f"{prefix}linear1.bias", f"W{k + 2}": f"{prefix}linear2.weight.T",
        f"b{k + 2}": f"{prefix}linear2.bias", **{f"{g}{norm + n}": f"{prefix}norm{n + 1}.{t}" for n in (0, 1)
                                                for g, t in (("gamma", "weight"), ("beta", "bias"))}}


def decoder(prefix: str, k: int, norm: int) -> dict[str, str]:
    """One decoder layer: two attentions, two linear maps, three normalizations."""
    return heads(k, f"{prefix}self_attn.", 4, 2) | heads(k + 1, f"{prefix}multihead_attn.", 4, 2) | {
        f"W{k + 2}": f"{prefix}linear1.weight.T", f"b{k + 2}": f"{prefix}linear1.bias", f"W{k + 3}": f"{prefix}linear2.weight.T",
        f"b{k + 3}": f"{prefix}linear2.bias", **{f"{g}{norm + n}": f"{prefix}norm{n + 1}.{t}" for n in (0, 1, 2)
                                                for g, t in (("gamma", "weight"), ("beta", "bias"))}}


def unbiased(names: dict[str, str]) -> dict[str, str]:
    """The same without the parameters that bias=False leaves out."""
    return {n: t for n, t in names.items() if "bias" not in t}


def last_norm(prefix: str, norm: int) -> dict[str, str]:
    return {f"gamma{norm}": f"{prefix}norm.weight", f"beta{norm}": f"{prefix}norm.bias"}


def simple(name: str, *args: Any, shape: tuple[int, ...] = (2, 5), names: Mapping[str, str] | None = None, **keywords: Any) -> Beside:
    """Both libraries' class of one name with the same arguments; decimals are texts here, exact there."""
    told = [str(a) if isinstance(a, float) else a for a in args]
    said = {n: str(v) if isinstance(v, float) else v for n, v in keywords.items()}
    return Beside(lambda: getattr(sn, name)(*told, **said), lambda: getattr(nn, name)(*args, **keywords), shape, names or {})


def first_last(name: str, *args: Any, shape: tuple[int, ...] = (2, 3, 4, 5), **keywords: Any) -> Beside:
    return simple(name, *args, shape=shape, **keywords)


LINE, IMAGE, VOLUME = (2, 4, 6), (2, 4, 6, 4), (2, 2, 4, 6, 4)
CASES: dict[str, Beside] = {
    "Linear": simple("Linear", 5, 3, names={"W1": "weight.T", "b1": "bias"}),
    "Linear without bias": simple("Linear", 5, 3, False, names={"W1": "weight.T"}),
    "LazyLinear": Beside(lambda: sn.LazyLinear(3), lambda: nn.Linear(5, 3), (2, 5), {"W1": "weight.T", "b1": "bias"}),
    "Identity": Beside(lambda: sn.Sequential(sn.Identity(54, unused=1), sn.Tanh()), lambda: nn.Sequential(nn.Identity(), nn.Tanh()), (2, 5)),
    **{n: simple(n) for n in (
        "Sigmoid Tanh ReLU LeakyReLU Softplus LogSigmoid ReLU6 ELU SELU GELU SiLU Mish Softsign Hardtanh Softshrink CELU Hardsigmoid "
        "Hardswish Hardshrink Tanhshrink").split()},
    "CELU with alpha": simple("CELU", 2.5), "ELU with alpha": simple("ELU", 0.3), "LeakyReLU with slope": simple("LeakyReLU", 0.2),
    "GELU by tanh": simple("GELU", "tanh"), "Softplus with beta": simple("Softplus", 2.0), "Hardtanh -2..1": simple("Hardtanh", -2.0, 1.0),
    "Threshold": simple("Threshold", 0.1, 20.0),
    "Softmax": simple("Softmax", 1), "Softmin": simple("Softmin", 1), "LogSoftmax": simple("LogSoftmax", 1),
    "Softmin of channels": simple("Softmin", 1, shape=LINE), "Softmax2d": simple("Softmax2d", shape=IMAGE),
    "PReLU": simple("PReLU", names={"slope1": "weight[0]"}),
    "PReLU by channel": simple("PReLU", 4, shape=LINE, names={"slope1": "weight"}),
    "RReLU": Beside(lambda: sn.RReLU(training=False), lambda: nn.RReLU(0.125, 1 / 3).eval(), (2, 5)),
    "GLU": simple("GLU", shape=(2, 6)), "GLU of channels": simple("GLU", 1, shape=LINE),
    "Bilinear": Beside(lambda: sn.Bilinear(5, 3, 4), lambda: nn.Bilinear(5, 3, 4), (2, 5), CONV, {"V": (2, 3)}),
    "CosineSimilarity": Beside(sn.CosineSimilarity, nn.CosineSimilarity, (2, 5), more={"V": (2, 5)}),
    "CosineSimilarity of columns": Beside(lambda: sn.CosineSimilarity(0), lambda: nn.CosineSimilarity(0), (2, 5), more={"V": (2, 5)}),
    "PairwiseDistance": Beside(sn.PairwiseDistance, nn.PairwiseDistance, (2, 5), more={"V": (2, 5)}),
    "PairwiseDistance, p = 3": Beside(lambda: sn.PairwiseDistance(3, keepdim=True), lambda: nn.PairwiseDistance(3, keepdim=True), (2, 5),
                                      more={"V": (2, 5)}),
    "Conv1d": simple("Conv1d", 4, 3, 3, 2, 1, 2, shape=(2, 4, 9), names=CONV),
    "Conv1d in groups": simple("Conv1d", 4, 6, 3, groups=2, shape=LINE, names=CONV),
    **{f"Conv1d, {m}": simple("Conv1d", 4, 3, 3, padding=2, padding_mode=m, shape=LINE, names=CONV) for m in ("reflect", "replicate", "circular")},
    "Conv2d": simple("Conv2d", 4, 3, (3, 2), 2, (1, 0), shape=IMAGE, names=CONV),
    "Conv2d, reflect": simple("Conv2d", 4, 2, 3, padding=(2, 1), padding_mode="reflect", shape=(2, 4, 4, 3), names=CONV),
    "Conv3d": simple("Conv3d", 2, 3, (2, 3, 2), (1, 2, 1), (1, 0, 1), shape=(2, 2, 3, 5, 3), names=CONV),
    "ConvTranspose1d": simple("ConvTranspose1d", 4, 3, 3, shape=LINE, names=CONV),
    "ConvTranspose1d with everything": simple("ConvTranspose1d", 4, 6, 3, 2, 1, 1, 2, dilation=2, shape=(2, 4, 5), names=CONV),
    "ConvTranspose2d": simple("ConvTranspose2d", 3, 2, (3, 2), (2, 1), (1, 0), (1, 0), shape=(2, 3, 3, 4), names=CONV),
    "ConvTranspose3d": simple("ConvTranspose3d", 2, 2, 2, 2, shape=(1, 2, 2, 2, 2), names=CONV),
    **{f"LazyConv{d}d": Beside(lambda d=d: getattr(sn, f"LazyConv{d}d")(3, 2), lambda d=d: getattr(nn, f"Conv{d}d")(2, 3, 2),
                               (2, 2, 3, 4, 3)[:2 + d], CONV) for d in (1, 2, 3)},
    **{f"LazyConvTranspose{d}d": Beside(lambda d=d: getattr(sn, f"LazyConvTranspose{d}d")(3, 2),
                                        lambda d=d: getattr(nn, f"ConvTranspose{d}d")(2, 3, 2), (2, 2, 3, 2, 2)[:2 + d], CONV) for d in (1, 2, 3)},
    "MaxPool1d": simple("MaxPool1d", 3, 2, 1, shape=LINE), "MaxPool2d": simple("MaxPool2d", (3, 2), shape=IMAGE),
    "MaxPool3d": simple("MaxPool3d", 2, shape=VOLUME), "MaxPool1d, ceil": simple("MaxPool1d", 4, 3, ceil_mode=True, shape=LINE),
    "AvgPool1d": simple("AvgPool1d", 3, 2, 1, shape=LINE), "AvgPool2d": simple("AvgPool2d", (3, 2), shape=IMAGE),
    "AvgPool2d, divisor": simple("AvgPool2d", 2, 1, 1, count_include_pad=False, divisor_override=3, shape=IMAGE),
    "AvgPool3d": simple("AvgPool3d", 2, 2, 1, divisor_override=5, shape=VOLUME), "LPPool1d": simple("LPPool1d", 2, 3, 2, shape=LINE),
    "LPPool2d": simple("LPPool2d", 4, (3, 2), shape=IMAGE), "LPPool3d": simple("LPPool3d", 2, 2, shape=VOLUME),
    "LPPool1d, ceil": simple("LPPool1d", 2, 4, 3, ceil_mode=True, shape=LINE), "LPPool2d, ceil": simple("LPPool2d", 2, 2, ceil_mode=True, shape=IMAGE),
    "AdaptiveAvgPool1d": simple("AdaptiveAvgPool1d", 4, shape=(2, 3, 6)), "AdaptiveAvgPool1d, side by side": simple("AdaptiveAvgPool1d", 3, shape=LINE),
    "AdaptiveAvgPool2d": simple("AdaptiveAvgPool2d", (None, 3), shape=IMAGE), "AdaptiveAvgPool2d to one": simple("AdaptiveAvgPool2d", 1, shape=IMAGE),
    "AdaptiveAvgPool3d": simple("AdaptiveAvgPool3d", (2, 3, 1), shape=VOLUME),
    "AdaptiveMaxPool1d": simple("AdaptiveMaxPool1d", 3, shape=LINE), "AdaptiveMaxPool2d": simple("AdaptiveMaxPool2d", (3, 1), shape=IMAGE),
    "AdaptiveMaxPool3d": simple("AdaptiveMaxPool3d", (2, 3, None), shape=VOLUME),
    **{f"{kind}{d}d": simple(f"{kind}{d}d", (1, 2, 0, 1, 2, 1)[:2 * d], *value, shape=(2, 2, 3, 4, 3)[:2 + d])
       for kind, value in (("ZeroPad", ()), ("ConstantPad", (3.5,)), ("ReplicationPad", ()), ("CircularPad", ())) for d in (1, 2, 3)},
    **{f"ReflectionPad{d}d": simple(f"ReflectionPad{d}d", (1, 2, 0, 1, 2, 1)[:2 * d], shape=(2, 2, 3, 4, 3)[:2 + d]) for d in (1, 2, 3)},
    "ZeroPad2d, one number": simple("ZeroPad2d", 2, shape=(2, 2, 3, 2)),
    "BatchNorm1d": simple("BatchNorm1d", 5, shape=(3, 5), names=AFFINE), "BatchNorm1d of signals": simple("BatchNorm1d", 4, shape=LINE, names=AFFINE),
    "BatchNorm2d": simple("BatchNorm2d", 4, 0.1, shape=IMAGE, names=AFFINE), "BatchNorm3d": simple("BatchNorm3d", 2, shape=VOLUME, names=AFFINE),
    "SyncBatchNorm": Beside(lambda: sn.SyncBatchNorm(4), lambda: nn.BatchNorm2d(4), IMAGE, AFFINE),
    "InstanceNorm1d": simple("InstanceNorm1d", 4, shape=LINE), "InstanceNorm2d": simple("InstanceNorm2d", 4, affine=True, shape=IMAGE, names=AFFINE),
    "InstanceNorm3d": simple("InstanceNorm3d", 2, 0.1, shape=VOLUME), "LayerNorm": simple("LayerNorm", 5, names=AFFINE),
    "LayerNorm over two axes": simple("LayerNorm", (4, 6), shape=LINE, names={"gamma1": "weight", "beta1": "bias"}),
    "GroupNorm": simple("GroupNorm", 2, 4, shape=LINE, names=AFFINE), "GroupNorm of images": simple("GroupNorm", 2, 6, shape=(2, 6, 2, 3), names=AFFINE),
    "GroupNorm of rows": simple("GroupNorm", 3, 6, shape=(2, 6), names=AFFINE),
    "LocalResponseNorm": simple("LocalResponseNorm", 2, 0.5, shape=LINE), "LocalResponseNorm of 3": simple("LocalResponseNorm", 3, 1.0, 0.5, 2.0, shape=(2, 5, 2, 3)),
    "RMSNorm": simple("RMSNorm", 5, names={"gamma1": "weight"}), "RMSNorm with eps": simple("RMSNorm", 5, 0.1, names={"gamma1": "weight"}),
    **{f"LazyBatchNorm{d}d": Beside(lambda d=d: getattr(sn, f"LazyBatchNorm{d}d")(), lambda d=d: getattr(nn, f"BatchNorm{d}d")(2),
                                    (3, 2, 3, 2, 2)[:2 + d], AFFINE) for d in (1, 2, 3)},
    **{f"LazyInstanceNorm{d}d": Beside(lambda d=d: getattr(sn, f"LazyInstanceNorm{d}d")(), lambda d=d: getattr(nn, f"InstanceNorm{d}d")(2, affine=True),
                                       (3, 2, 3, 2, 2)[:2 + d], AFFINE) for d in (1, 2, 3)},
    "Flatten": simple("Flatten", shape=(2, 3, 4)), "Flatten from axis 2": simple("Flatten", 2, shape=(2, 2, 3, 2)),
    "Unflatten": simple("Unflatten", 1, (2, 3), shape=(2, 6)), "Unflatten with -1": simple("Unflatten", 1, (-1, 2), shape=(2, 6, 3)),
    "PixelShuffle": simple("PixelShuffle", 2, shape=(2, 8, 2, 3)), "PixelUnshuffle": simple("PixelUnshuffle", 2, shape=(2, 2, 4, 6)),
    "ChannelShuffle": simple("ChannelShuffle", 2, shape=(2, 6, 2, 3)), "Unfold": simple("Unfold", (2, 3), 1, (1, 0), (2, 1), shape=(2, 2, 4, 4)),
    "Fold": simple("Fold", (4, 4), (2, 3), 1, (1, 0), (2, 1), shape=(2, 12, 6)),
    "Upsample": simple("Upsample", None, 2, shape=(2, 2, 3)), "Upsample to a size": simple("Upsample", 5, shape=(2, 2, 3)),
    "Upsample, linear": simple("Upsample", 7, None, "linear", shape=(2, 2, 3)),
    "Upsample, bilinear": simple("Upsample", (5, 4), None, "bilinear", True, shape=(2, 2, 3, 2)),
    "Upsample, trilinear": simple("Upsample", None, 2, "trilinear", False, shape=(2, 1, 2, 2, 3)),
    "UpsamplingNearest2d": simple("UpsamplingNearest2d", None, 2, shape=(2, 2, 3, 2)),
    "UpsamplingBilinear2d": simple("UpsamplingBilinear2d", (5, 4), shape=(2, 2, 3, 2)),
    "RNNCell": Beside(lambda: sn.RNNCell(5, 3), lambda: nn.RNNCell(5, 3), (2, 5), _gates("RNN", "h"), {"h1_0": (2, 3)}),
    "GRUCell": Beside(lambda: sn.GRUCell(5, 3), lambda: nn.GRUCell(5, 3), (2, 5), _gates("GRU", "rzn"), {"h1_0": (2, 3)}),
    "LSTMCell": Beside(lambda: sn.LSTMCell(5, 3), lambda: nn.LSTMCell(5, 3), (2, 5), _gates("LSTM", "ifgo"), {"h1_0": (2, 3), "c1_0": (2, 3)},
                       lambda m, a: m(a[0], (a[1], a[2]))[0]),
    "RNN": Beside(lambda: sn.RNN(5, 3, steps=4), lambda: nn.RNN(5, 3, batch_first=True), (2, 4, 5), _gates("RNN", "h", "_l0"), wrap=lambda m, a: m(a[0])[0]),
    "GRU": Beside(lambda: sn.GRU(5, 3, steps=4), lambda: nn.GRU(5, 3, batch_first=True), (2, 4, 5), _gates("GRU", "rzn", "_l0"), wrap=lambda m, a: m(a[0])[0]),
    "LSTM": Beside(lambda: sn.LSTM(5, 3, steps=4), lambda: nn.LSTM(5, 3, batch_first=True), (2, 4, 5), _gates("LSTM", "ifgo", "_l0"),
                   wrap=lambda m, a: m(a[0])[0]),
    "Embedding": Beside(lambda: sn.Embedding(6, 3), lambda: nn.Embedding(6, 3), (4,), {"E1": "weight"}, whole=6),
    "EmbeddingBag": Beside(lambda: sn.EmbeddingBag(6, 3), lambda: nn.EmbeddingBag(6, 3), (4, 5), {"E1": "weight"}, whole=6),
    "EmbeddingBag, sum": Beside(lambda: sn.EmbeddingBag(6, 3, mode="sum"), lambda: nn.EmbeddingBag(6, 3, mode="sum"), (4, 5), {"E1": "weight"}, whole=6),
    "MultiheadAttention": Beside(lambda: sn.MultiheadAttention(4, 2, positions=3), lambda: nn.MultiheadAttention(4, 2, batch_first=True), (2, 3, 4),
                                 heads(1, "", 4, 2), wrap=lambda m, a: m(a[0], a[0], a[0])[0]),
    "TransformerEncoderLayer": Beside(lambda: sn.TransformerEncoderLayer(4, 2, 5, positions=3),
                                      lambda: nn.TransformerEncoderLayer(4, 2, 5, 0.0, batch_first=True), (2, 3, 4), encoder("", 1, 1)),
    "TransformerEncoderLayer without biases": Beside(
        lambda: sn.TransformerEncoderLayer(4, 2, 5, positions=3, bias=False),
        lambda: nn.TransformerEncoderLayer(4, 2, 5, 0.0, batch_first=True, bias=False), (2, 3, 4), unbiased(encoder("", 1, 1))),
    "TransformerDecoderLayer without biases": Beside(
        lambda: sn.TransformerDecoderLayer(4, 2, 5, positions=3, memory=2, bias=False),
        lambda: nn.TransformerDecoderLayer(4, 2, 5, 0.0, batch_first=True, bias=False), (2, 3, 4), unbiased(decoder("", 1, 1)), {"E": (2, 2, 4)}),
    "Transformer without biases": Beside(
        lambda: sn.Transformer(4, 2, 1, 1, 5, positions=3, memory=2, bias=False),
        lambda: nn.Transformer(4, 2, 1, 1, 5, 0.0, batch_first=True, bias=False), (2, 2, 4),
        unbiased(encoder("encoder.layers.0.", 1, 1) | last_norm("encoder.", 3) | decoder("decoder.layers.0.", 4, 4) | last_norm("decoder.", 7)),
        {"X_tgt": (2, 3, 4)}),
    "TransformerEncoder": Beside(
        lambda: sn.TransformerEncoder(sn.TransformerEncoderLayer(4, 2, 5, positions=3), 2, sn.LayerNorm(4)),
        lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 5, 0.0, batch_first=True), 2, nn.LayerNorm(4)), (2, 3, 4),
        encoder("layers.0.", 1, 1) | encoder("layers.1.", 4, 3) | last_norm("", 5)),
    "TransformerDecoderLayer": Beside(
        lambda: sn.TransformerDecoderLayer(4, 2, 5, positions=3, memory=2), lambda: nn.TransformerDecoderLayer(4, 2, 5, 0.0, batch_first=True),
        (2, 3, 4), decoder("", 1, 1), {"E": (2, 2, 4)}),
    "TransformerDecoderLayer, norm first": Beside(
        lambda: sn.TransformerDecoderLayer(4, 2, 5, positions=3, memory=2, norm_first=True, activation="gelu"),
        lambda: nn.TransformerDecoderLayer(4, 2, 5, 0.0, "gelu", batch_first=True, norm_first=True), (2, 3, 4), decoder("", 1, 1), {"E": (2, 2, 4)}),
    "TransformerDecoder": Beside(
        lambda: sn.TransformerDecoder(sn.TransformerDecoderLayer(4, 2, 5, positions=3, memory=2), 2),
        lambda: nn.TransformerDecoder(nn.TransformerDecoderLayer(4, 2, 5, 0.0, batch_first=True), 2), (2, 3, 4),
        decoder("layers.0.", 1, 1) | decoder("layers.1.", 5, 4), {"E": (2, 2, 4)}),
    "Transformer": Beside(
        lambda: sn.Transformer(4, 2, 1, 1, 5, positions=3, memory=2), lambda: nn.Transformer(4, 2, 1, 1, 5, 0.0, batch_first=True), (2, 2, 4),
        encoder("encoder.layers.0.", 1, 1) | last_norm("encoder.", 3) | decoder("decoder.layers.0.", 4, 4) | last_norm("decoder.", 7),
        {"X_tgt": (2, 3, 4)}),
}
CHECKED = {  # layers whose inputs need more than numbers, in tests of their own below
    "Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout", "FeatureAlphaDropout", "MaxUnpool1d", "MaxUnpool2d", "MaxUnpool3d",
    "Sequential"}


def named(module: Any, expression: str) -> torch.Tensor:
    """A parameter of a module by an expression of the table, such as "layers.0.linear1.weight.T"."""
    found = dict(module.named_parameters())
    longest = sorted(found, key=len, reverse=True)
    name = next(n for n in longest if n in expression)
    return eval(expression.replace(name, "found[name]"), {"found": found, "name": name, "rows": rows})  # noqa: S307 - this file's own text


def both(case: Beside, rng: np.random.Generator) -> tuple[float, dict[str, Any], float, dict[str, Any]]:
    """symnet's loss and gradients and PyTorch's, at the same random point."""
    module = case.theirs()
    with torch.no_grad():
        for p in module.parameters():
            p.copy_(torch.from_numpy(rng.normal(size=tuple(p.shape))))
    shape = case.shape
    x = rng.integers(0, case.whole, size=shape) if case.whole else rng.normal(size=shape)
    start = [] if case.whole and len(shape) == 1 else [sn.Input(*shape[1:])]
    program = sn.Sequential(*start, case.ours()).program(SquaredError())
    args = [torch.from_numpy(x), *[torch.from_numpy(rng.normal(size=s)) for s in case.more.values()]]
    if not case.whole:
        args[0].requires_grad_(True)
    for a in args[1:]:
        a.requires_grad_(True)
    out = case.wrap(module, args) if case.wrap else module(*args)
    y = rng.normal(size=tuple(out.shape))
    loss = ((out - torch.from_numpy(y)) ** 2).sum()
    loss.backward()
    flows = program.inputs[0].name
    given: dict[str, Any] = {flows: args[0].detach().numpy(), **{n: a.detach().numpy() for n, a in zip(case.more, args[1:], strict=True)}}
    theirs: dict[str, Any] = {n: a.grad.numpy() for n, a in zip((flows, *case.more), args, strict=True) if a.grad is not None}
    leaves = {n: named(module, e) for n, e in case.names.items()}
    given |= {n: v.detach().numpy() for n, v in leaves.items()}
    with torch.no_grad():
        for p in module.parameters():
            p.data, p.grad = (p.grad if p.grad is not None else torch.zeros_like(p)), None
    theirs |= {n: named(module, e).detach().numpy() for n, e in case.names.items()}
    target = next(t for t in program.inputs if t.role.name == "TARGET")
    wrt = [n for n in given if n in theirs]
    run = derive(program, wrt=wrt).compile(check=False)
    rest = [given.get(t.name, y) for t in program.inputs if t.name not in wrt]
    assert {t.name for t in program.inputs} == {*given, target.name}
    found, ours = run({n: given[n] for n in wrt}, *rest)
    return float(found), ours, float(loss), theirs


@pytest.mark.parametrize("name", CASES)
def test_a_layer_is_pytorchs(name: str) -> None:
    found, ours, wanted, theirs = both(CASES[name], np.random.default_rng(zlib.crc32(name.encode())))
    close = 1e-7 if name == "Hardsigmoid" else 1e-9  # PyTorch's own 1/6 is a float32 number there
    assert found == pytest.approx(wanted, rel=1e-11)
    for n, value in theirs.items():
        np.testing.assert_allclose(ours[n], value, rtol=close, atol=1e-10, err_msg=n)


def dropped(name: str, p: float, shape: tuple[int, ...]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """What PyTorch's dropout makes of x, x itself, and the mask that it drew."""
    torch.manual_seed(4)
    x = torch.randn(shape, requires_grad=True)
    out = getattr(nn, name)(p)(x)
    slope, = torch.autograd.grad(out.sum(), x, retain_graph=True)
    return out, x, (slope != 0).to(x.dtype)


@pytest.mark.parametrize("name, shape, channels", [
    ("Dropout", (4, 5), False), ("Dropout1d", (4, 5, 3), True), ("Dropout2d", (3, 4, 2, 3), True), ("Dropout3d", (3, 4, 2, 2, 3), True),
    ("AlphaDropout", (4, 5), False), ("FeatureAlphaDropout", (4, 5, 3), True)])
def test_dropout_is_pytorchs_under_the_same_mask(name: str, shape: tuple[int, ...], channels: bool) -> None:
    out, x, mask = dropped(name, 0.3, shape)
    y = torch.randn(shape)
    loss = ((out - y) ** 2).sum()
    loss.backward()
    program = sn.Sequential(sn.Input(*shape[1:]), getattr(sn, name)("0.3")).program(SquaredError())
    flows = program.inputs[0].name
    given = mask[(slice(None), slice(None), *[0] * (len(shape) - 2))] if channels else mask
    found, ours = derive(program, wrt=[flows]).compile(check=False)({flows: x.detach().numpy()}, given.numpy(), y.numpy())
    assert float(found) == pytest.approx(float(loss), rel=1e-11)
    np.testing.assert_allclose(ours[flows], x.grad.numpy(), rtol=1e-9)


@pytest.mark.parametrize("dims, shape", [(1, (2, 3, 8)), (2, (2, 3, 4, 6)), (3, (1, 2, 2, 4, 6))])
def test_unpooling_puts_entries_where_pytorch_puts_them(dims: int, shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(8)
    small, spots = getattr(nn, f"MaxPool{dims}d")(2, return_indices=True)(torch.from_numpy(rng.normal(size=shape)))
    small = small.detach().requires_grad_(True)
    out = getattr(nn, f"MaxUnpool{dims}d")(2)(small, spots)
    y = torch.from_numpy(rng.normal(size=tuple(out.shape)))
    loss = ((out - y) ** 2).sum()
    loss.backward()
    program = sn.Sequential(sn.Input(*small.shape[1:]), getattr(sn, f"MaxUnpool{dims}d")(2)).program(SquaredError())
    found, ours = derive(program, wrt=["X"]).compile(check=False)({"X": small.detach().numpy()}, spots.numpy(), y.numpy())
    assert float(found) == pytest.approx(float(loss), rel=1e-11)
    np.testing.assert_allclose(ours["X"], small.grad.numpy(), rtol=1e-9)


AT = {"Hardshrink": (-0.5, 0.5), "Hardsigmoid": (-3.0, 3.0), "Hardswish": (-3.0, 3.0), "CELU": (0.0,), "Tanhshrink": (0.0,)}


@pytest.mark.parametrize("name", AT)
def test_a_kink_has_pytorchs_slope(name: str) -> None:
    d = sn.derive(sn.Sequential(sn.Input(1), getattr(sn, name)()).program(sn.SquaredError(), batch=False), wrt=["x"])
    for at in AT[name]:
        x = torch.tensor([at], requires_grad=True)
        ((getattr(nn, name)()(x) - 7) ** 2).sum().backward()
        _, ours = d.compile(check=False)({"x": np.array([at])}, np.array([7.0]))
        np.testing.assert_allclose(ours["x"], x.grad.numpy(), rtol=1e-7, err_msg=f"{name} at {at}")


# Losses: how PyTorch's is called, and what symnet's inputs are in its terms.

@dataclass(frozen=True)
class Priced:
    """A loss of symnet beside PyTorch's: the shape of the output, and how the target and other inputs are made."""

    ours: Callable[[], Any]
    theirs: Callable[..., Any]
    shape: tuple[int, ...] = (4, 3)
    target: str = "like"  # "like", "unit", "sign", "classes", "rows", "hot", "labels", "log", "none"
    more: tuple[str, ...] = ()  # names of further inputs of the output's shape
    output: str = "any"  # "any", "unit", "logs"
    squeeze: bool = False


def priced(name: str, *, target: str = "like", **keywords: Any) -> Priced:
    own = {k: str(v) if isinstance(v, float) else v for k, v in keywords.items()}
    return Priced(lambda: getattr(sn, name)(**own), getattr(nn, name)(**keywords), target=target)


def by_class(name: str, **keywords: Any) -> Priced:
    """Class indices as targets."""
    own = {k: str(v) if isinstance(v, float) else v for k, v in keywords.items()}
    return Priced(lambda: getattr(sn, name)(indices=True, **own), getattr(nn, name)(**keywords), target="classes")


LOSSES: dict[str, Priced] = {
    "MSELoss": priced("MSELoss"), "MSELoss, sum": priced("MSELoss", reduction="sum"), "L1Loss": priced("L1Loss"),
    "HuberLoss": priced("HuberLoss", delta=0.7), "SmoothL1Loss": priced("SmoothL1Loss", beta=0.4),
    "BCELoss": Priced(sn.BCELoss, nn.BCELoss(), target="unit", output="unit"), "BCEWithLogitsLoss": priced("BCEWithLogitsLoss", target="unit"),
    "CrossEntropyLoss": by_class("CrossEntropyLoss"), "CrossEntropyLoss, smoothed": by_class("CrossEntropyLoss", label_smoothing=0.2),
    "CrossEntropyLoss of shares": Priced(sn.CrossEntropyLoss, nn.CrossEntropyLoss(), target="unit"),
    "NLLLoss": by_class("NLLLoss"), "KLDivLoss": priced("KLDivLoss", target="unit", reduction="batchmean"),
    "KLDivLoss, mean": priced("KLDivLoss", target="log", log_target=True), "PoissonNLLLoss": priced("PoissonNLLLoss", target="unit"),
    "GaussianNLLLoss": Priced(lambda: sn.GaussianNLLLoss(), lambda a, y, v: nn.GaussianNLLLoss()(a, y, v), more=("V",), output="any"),
    "SoftMarginLoss": priced("SoftMarginLoss", target="sign"), "HingeEmbeddingLoss": priced("HingeEmbeddingLoss", target="sign"),
    "CosineEmbeddingLoss": Priced(lambda: sn.CosineEmbeddingLoss(margin="0.1"), lambda a, y, v: nn.CosineEmbeddingLoss(0.1)(a, v, y), target="rows",
                                  more=("V",)),
    "TripletMarginLoss": Priced(sn.TripletMarginLoss, lambda a, u, v: nn.TripletMarginLoss()(a, u, v), target="none", more=("U", "V")),
    "TripletMarginWithDistanceLoss": Priced(lambda: sn.TripletMarginWithDistanceLoss(margin="0.5", swap=True),
                                            lambda a, u, v: nn.TripletMarginWithDistanceLoss(margin=0.5, swap=True)(a, u, v), target="none",
                                            more=("U", "V")),
    "MarginRankingLoss": Priced(lambda: sn.MarginRankingLoss(margin="0.3"), lambda a, y, v: nn.MarginRankingLoss(0.3)(a, v, y), target="sign", more=("V",)),
    "MultiMarginLoss": Priced(sn.MultiMarginLoss, nn.MultiMarginLoss(), target="classes"),
    "MultiMarginLoss, squared": Priced(lambda: sn.MultiMarginLoss(2, "0.7"), nn.MultiMarginLoss(2, 0.7), target="classes"),
    "MultiLabelMarginLoss": Priced(sn.MultiLabelMarginLoss, nn.MultiLabelMarginLoss(), target="labels"),
    "MultiLabelSoftMarginLoss": priced("MultiLabelSoftMarginLoss", target="hot"),
}


def made_target(kind: str, shape: tuple[int, ...], rng: np.random.Generator) -> tuple[Any, Any]:
    """A target as symnet takes it and as PyTorch does."""
    if kind == "classes":
        y = rng.integers(0, shape[-1], size=shape[0])
        return y, y
    if kind == "labels":
        hot = np.array([[1, 0, 1], [0, 1, 0], [0, 0, 0], [1, 1, 0]])
        return hot.astype(float), np.array([[0, 2, -1], [1, -1, -1], [-1, -1, -1], [0, 1, -1]])
    made = {"like": lambda: rng.normal(size=shape), "unit": lambda: rng.uniform(0.1, 0.9, size=shape), "sign": lambda: rng.choice([-1.0, 1.0], size=shape),
            "rows": lambda: rng.choice([-1.0, 1.0], size=shape[:1]), "hot": lambda: rng.integers(0, 2, size=shape).astype(float),
            "log": lambda: np.log(rng.uniform(0.1, 0.9, size=shape))}[kind]()
    return made, made


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_is_pytorchs(name: str) -> None:
    case, rng = LOSSES[name], np.random.default_rng(zlib.crc32(name.encode()))
    a = rng.uniform(0.1, 0.9, size=case.shape) if case.output == "unit" else rng.normal(size=case.shape)
    positive = name == "GaussianNLLLoss"
    more = {n: rng.uniform(0.5, 2, size=case.shape) if positive else rng.normal(size=case.shape) for n in case.more}
    own, other = made_target(case.target, case.shape, rng) if case.target != "none" else (None, None)
    tensors = {n: torch.from_numpy(v).requires_grad_(True) for n, v in {"A": a, **more}.items()}
    between = [] if other is None else [torch.from_numpy(other)]
    loss = case.theirs(tensors["A"], *between, *[tensors[n] for n in case.more])
    loss.backward()
    program = sn.loss_program(case.ours(), *case.shape)
    found, ours = derive(program, wrt=["A", *case.more]).compile(check=False)({"A": a, **more}, *([] if own is None else [own]))
    assert float(found) == pytest.approx(float(loss), rel=1e-10)
    for n, tensor in tensors.items():
        np.testing.assert_allclose(ours[n], tensor.grad.numpy(), rtol=1e-9, atol=1e-12, err_msg=n)


def test_a_linear_layer_and_cross_entropy_in_one() -> None:
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(4, 5)), rng.integers(0, 3, size=4)
    module = nn.LinearCrossEntropyLoss(5, 3)
    loss = module(torch.from_numpy(x), torch.from_numpy(y))
    loss.backward()
    weight = module.linear.weight if hasattr(module, "linear") else next(module.parameters())
    program = sn.loss_program(sn.LinearCrossEntropyLoss(5, 3), 4, 5)
    found, ours = derive(program, wrt=["A", "W1"]).compile(check=False)({"A": x, "W1": weight.detach().numpy().T}, y)
    assert float(found) == pytest.approx(float(loss), rel=1e-10)
    np.testing.assert_allclose(ours["W1"], weight.grad.numpy().T, rtol=1e-9)


# What is here and what is not; the page of the docs.

THEIRS = sorted(n for n in dir(nn) if inspect.isclass(getattr(nn, n)) and issubclass(getattr(nn, n), nn.Module) and n != "Module")
HERE = [n for n in THEIRS if n in dir(sn)]

def test_every_module_of_pytorch_is_here_or_refused_by_name() -> None:
    compared = {n.split(",")[0].split(" ")[0] for n in (*CASES, *LOSSES)} | CHECKED | {"LinearCrossEntropyLoss"}
    assert set(HERE) == compared - {"Input"}
    assert set(THEIRS) - set(HERE) == set(UNAVAILABLE) & set(THEIRS)
    assert len([n for n in HERE if n != "Sequential"]) >= 140


@pytest.mark.parametrize("name", sorted(UNAVAILABLE))
def test_what_is_not_here_says_why(name: str, refused: Callable[[Callable[[], object], str], None]) -> None:
    why, instead = UNAVAILABLE[name]
    refused(lambda: getattr(sn, name), why)
    refused(lambda: getattr(sn, name), instead)


def classes_of(module: Any, base: str) -> list[str]:
    """The public classes of a module below one of it."""
    found = (n for n in dir(module) if inspect.isclass(getattr(module, n)) and issubclass(getattr(module, n), getattr(module, base)))
    return sorted(n for n in found if n not in (base, "_LRScheduler"))


PAIRS = pairs()


def _rows(names: list[str], compared_as: Callable[[str], str]) -> list[str]:
    """A table: what is here with its arguments, what is not with the reason."""
    lines = ["", "| PyTorch | here | arguments | compared as |", "|---|---|---|---|"]
    for n in names:
        if n in dir(sn):
            lines.append(f"| {n} | yes | {compared(n, *PAIRS[n]) if n in PAIRS else 'its layers'} | {compared_as(n)} |")
        else:
            lines.append(f"| {n} | no: {UNAVAILABLE[n][0]} | | instead: {UNAVAILABLE[n][1]} |")
    return lines


def _layer(name: str) -> str:
    found = "; ".join(c for c in (*CASES, *LOSSES) if c.split(",")[0].split(" ")[0] == name)
    return found or ("in every row" if name == "Sequential" else "under the same mask or places")


STARTS = sorted(n for n in dir(torch.nn.init) if n.endswith("_") and not n.startswith("_"))


def page() -> str:
    """The table of the docs."""
    lines = ["# What of torch.nn is here", "", "Written by `tests/networks/test_torch_coverage.py`, which compares every line with PyTorch in float64: "
             "the loss and all gradients, steps, rates, starts. The column of arguments is made from both signatures: \"equal\" has PyTorch's "
             "arguments, in its order, with its defaults, and reads them; \"only dropout=0\" takes no other value and refuses it by name. Arguments "
             f"that do not say what is computed ({', '.join(sorted(HOW))}) are left out.", "",
             f"{len(HERE)} of the {len(THEIRS)} classes of torch.nn {torch.__version__.split('+')[0].rsplit('.', 1)[0]}.", "", "## Layers"]
    losses = [n for n in THEIRS if n.endswith("Loss")]
    lines += _rows([n for n in THEIRS if n not in losses], _layer)
    lines += ["", "## Losses", *_rows(losses, lambda n: "under every reduction, `tests/networks/test_loss_options_torch.py`"
                                      if n != "LinearCrossEntropyLoss" else "the loss and all gradients")]
    lines += ["", "## Optimizers", *_rows(classes_of(torch.optim, "Optimizer"), lambda n: "twenty steps, `tests/networks/test_optimizers_torch.py`")]
    lines += ["", "## Schedules", *_rows(classes_of(torch.optim.lr_scheduler, "LRScheduler"), lambda n: "the rates of 24 steps, likewise")]
    lines += ["", "## Starting weights", "", "`torch.nn.init`, without the _ at the end; a shape stands in place of the tensor.",
              *_rows([n[:-1] for n in STARTS], _start)]
    return "\n".join(lines) + "\n"


def _start(name: str) -> str:
    drawn = {"trunc_normal": "numbers of the same law", "orthogonal": "the law drawn from, and that the rows are orthonormal"}
    return drawn.get(name, "entry by entry" if name in ("constant", "ones", "zeros", "eye", "dirac") else "the law and its parameters")


def test_every_start_and_rule_of_pytorch_is_here_or_refused_by_name() -> None:
    assert {n[:-1] for n in STARTS} <= set(PAIRS)
    for n in (*classes_of(torch.optim, "Optimizer"), *classes_of(torch.optim.lr_scheduler, "LRScheduler")):
        assert (n in PAIRS) is not (n in UNAVAILABLE), n


def test_no_argument_of_pytorchs_is_missing() -> None:
    assert not [n for n, (ours, theirs) in PAIRS.items() if "missing" in compared(n, ours, theirs)]


def test_the_page_of_the_docs_is_this_table(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--update"):
        COVERAGE.write_text(page(), encoding="utf-8")
    assert COVERAGE.read_text(encoding="utf-8") == page()
