"""Transformers by PyTorch's names: stacks of encoder and decoder layers, and both together.

Positions come second, as PyTorch's batch_first=True: X[n, t, i]; dropout is left out. Each layer of a stack has parameters of its own.
Source: Vaswani et al. 2017, section 3.1; docs.pytorch.org, torch.nn.Transformer.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from symnet.core.axes import Axis, Kind
from symnet.core.tensors import Role
from symnet.errors import OptionError, shown
from symnet.networks.arguments import NONE, PLACE, torch_arguments
from symnet.networks.attention import HINTS, MultiheadAttention, TransformerEncoderLayer, at_each_position
from symnet.networks.builder import Builder
from symnet.networks.layers import Layer, Size, as_layer
from symnet.networks.normalization import LayerNorm
from symnet.networks.structure import Residual
from symnet.networks.windows import whole

MOST_LAYERS = 1000


def _count(where: str, number: object) -> int:
    found = whole(where, "num_layers", number, 1)
    if found > MOST_LAYERS:
        raise OptionError(f"{where}, num_layers", shown(number), f"a whole number, 1 to {MOST_LAYERS}")
    return found


@torch_arguments("encoder_layer num_layers norm enable_nested_tensor mask_check",
                 {"enable_nested_tensor": (True, False), "mask_check": (True, False)})
@dataclass(frozen=True)
class TransformerEncoder(Layer):
    """``num_layers`` encoder layers like the one given, then the layer ``norm`` where there is one.

    >>> import symnet as sn
    >>> net = sn.Sequential(sn.TransformerEncoder(sn.TransformerEncoderLayer(4, 2, 8), 2))
    >>> net.program().definitions[-1].target.shape
    (N, T, 4)
    """

    encoder_layer: Layer
    num_layers: int
    norm: Layer | None = None

    def sample_axes(self) -> tuple[Axis, ...]:
        return as_layer(self.encoder_layer, "TransformerEncoder").sample_axes()

    def build(self, to: Builder) -> None:
        layer = as_layer(self.encoder_layer, "TransformerEncoder")
        for _ in range(_count("TransformerEncoder", self.num_layers)):
            layer.build(to)
        if self.norm is not None:
            as_layer(self.norm, "TransformerEncoder").build(to)


@torch_arguments("d_model nhead dim_feedforward dropout activation layer_norm_eps batch_first norm_first bias device dtype",
                 PLACE | {"dropout": (0,), "batch_first": (True,)}, HINTS)
@dataclass(frozen=True)
class TransformerDecoderLayer(Layer):
    """Self-attention, attention to the memory E[n, s, i], and two linear layers at each position; each with a residual connection and a
    layer normalization, behind the sum as published or, with ``norm_first=True``, before the block.

    ``mask="causal"`` lets position t see the positions up to t only (PyTorch's tgt_is_causal). ``memory`` is the number of positions of
    the memory and ``source`` its name.

    >>> import symnet as sn
    >>> sn.Sequential(sn.TransformerDecoderLayer(4, 2, 8)).program().definitions[-1].target.shape
    (N, T, 4)
    """

    d_model: Size
    nhead: Size
    dim_feedforward: Size = 2048
    activation: str = field(default="relu", kw_only=True)
    layer_norm_eps: object = field(default="1e-5", kw_only=True)
    norm_first: bool = field(default=False, kw_only=True)
    bias: bool = field(default=True, kw_only=True)
    head_dim: Size | None = field(default=None, kw_only=True)
    positions: Size = field(default="T", kw_only=True)
    memory: Size = field(default="S", kw_only=True)
    source: str = field(default="E", kw_only=True)
    mask: str | None = field(default=None, kw_only=True)

    def sample_axes(self) -> tuple[Axis, ...]:
        return Axis.of(self.positions, Kind.TIME), Axis.of(self.d_model)

    def build(self, to: Builder) -> None:
        d = self.d_model
        norm = LayerNorm(d, self.layer_norm_eps, bias=self.bias)
        blocks: tuple[tuple[Layer, ...], ...] = (
            (MultiheadAttention(d, self.nhead, head_dim=self.head_dim, positions=self.positions, mask=self.mask,
                                bias=self.bias),),
            (MultiheadAttention(d, self.nhead, head_dim=self.head_dim, positions=self.positions, memory=self.memory, source=self.source,
                                bias=self.bias),),
            at_each_position("TransformerDecoderLayer", d, self.dim_feedforward, self.activation, self.bias))
        for block in blocks:
            for part in (Residual(norm, *block),) if self.norm_first else (Residual(*block), norm):
                part.build(to)


@torch_arguments("decoder_layer num_layers norm")
@dataclass(frozen=True)
class TransformerDecoder(Layer):
    """``num_layers`` decoder layers like the one given, all with the same memory, then the layer ``norm`` where there is one.

    >>> import symnet as sn
    >>> net = sn.Sequential(sn.TransformerDecoder(sn.TransformerDecoderLayer(4, 2, 8), 2))
    >>> [t.name for t in net.program().inputs if t.name[0] in "XE"]
    ['X', 'E']
    """

    decoder_layer: Layer
    num_layers: int
    norm: Layer | None = None

    def sample_axes(self) -> tuple[Axis, ...]:
        return as_layer(self.decoder_layer, "TransformerDecoder").sample_axes()

    def build(self, to: Builder) -> None:
        layer = as_layer(self.decoder_layer, "TransformerDecoder")
        for _ in range(_count("TransformerDecoder", self.num_layers)):
            layer.build(to)
        if self.norm is not None:
            as_layer(self.norm, "TransformerDecoder").build(to)


@torch_arguments("d_model nhead num_encoder_layers num_decoder_layers dim_feedforward dropout activation custom_encoder custom_decoder "
                 "layer_norm_eps batch_first norm_first bias device dtype",
                 PLACE | {"dropout": (0,), "batch_first": (True,), "custom_encoder": NONE, "custom_decoder": NONE}, HINTS)
@dataclass(frozen=True)
class Transformer(Layer):
    """An encoder of the input X[n, s, i] and a decoder of a second input X_tgt[n, t, i] that attends to it, each with a layer
    normalization at its end. ``mask="causal"`` is the decoder's.

    >>> import symnet as sn
    >>> net = sn.Sequential(sn.Transformer(4, 2, 1, 1, 8))
    >>> net.program().definitions[-1].target.shape
    (N, T, 4)
    """

    d_model: Size = 512
    nhead: Size = 8
    num_encoder_layers: int = 6
    num_decoder_layers: int = 6
    dim_feedforward: Size = 2048
    activation: str = field(default="relu", kw_only=True)
    layer_norm_eps: object = field(default="1e-5", kw_only=True)
    norm_first: bool = field(default=False, kw_only=True)
    bias: bool = field(default=True, kw_only=True)
    head_dim: Size | None = field(default=None, kw_only=True)
    positions: Size = field(default="T", kw_only=True)
    memory: Size = field(default="S", kw_only=True)
    mask: str | None = field(default=None, kw_only=True)

    def sample_axes(self) -> tuple[Axis, ...]:
        return Axis.of(self.memory, Kind.TIME), Axis.of(self.d_model)

    def build(self, to: Builder) -> None:
        d, norm = self.d_model, LayerNorm(self.d_model, self.layer_norm_eps, bias=self.bias)
        lead = to.now.axes[:-2]
        encoder = TransformerEncoderLayer(d, self.nhead, self.dim_feedforward, activation=self.activation, norm_first=self.norm_first,
                                          layer_norm_eps=self.layer_norm_eps, head_dim=self.head_dim, positions=self.memory,
                                          bias=self.bias)
        TransformerEncoder(encoder, self.num_encoder_layers, norm).build(to)
        memory = to.now.name
        to.now = to.add_input("X_tgt", (*lead, Axis.of(self.positions, Kind.TIME), Axis.of(d)), Role.INPUT, "the decoder's input")
        decoder = TransformerDecoderLayer(d, self.nhead, self.dim_feedforward, activation=self.activation, norm_first=self.norm_first,
                                          layer_norm_eps=self.layer_norm_eps, head_dim=self.head_dim, positions=self.positions,
                                          memory=self.memory, source=memory, mask=self.mask, bias=self.bias)
        TransformerDecoder(decoder, self.num_decoder_layers, norm).build(to)


STACKS: tuple[type[Layer], ...] = (TransformerEncoder, TransformerDecoderLayer, TransformerDecoder, Transformer)
