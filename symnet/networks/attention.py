"""Attention and the transformer block, by PyTorch's names, with symbolic positions, widths and heads.

Rows are positions (batch first, as PyTorch's batch_first=True): X[n, t, i]. A linear map is X W + 1 bᵀ with W of shape (in, out), as in
``Linear``. The heads are an axis: W1_q[h, i, k] makes entry k of head h's query from feature i, W1_o[h, k, i] puts the heads together
again. PyTorch stacks them: in_proj_weight is the transposes of W_q, W_k and W_v, each (heads · head_dim, embed_dim) with the heads one
after another, and out_proj.weight the transpose of W_o. Dropout is left out.
Source: Vaswani et al. 2017, eq. 1 and section 3.2.2; docs.pytorch.org, scaled_dot_product_attention, MultiheadAttention.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import sympy as sp

from symnet.core.axes import Axis, Kind, index
from symnet.core.axes import size as to_size
from symnet.core.expressions import as_written
from symnet.core.program import Program
from symnet.core.tensors import Role, Tensor
from symnet.errors import OptionError
from symnet.indexing.composites import AtOnce, softmax
from symnet.indexing.conditions import Barred
from symnet.indexing.index_array import IndexArray
from symnet.networks.activations import GELU
from symnet.networks.arguments import NONE, PLACE, torch_arguments
from symnet.networks.builder import Builder, over, same_size, with_letter
from symnet.networks.layers import Layer, Linear, ReLU, Size
from symnet.networks.loss_inputs import given
from symnet.networks.losses import HalfSquaredError
from symnet.networks.normalization import LayerNorm
from symnet.networks.structure import Residual

HINTS = {"dropout": "layers of its own with Dropout", "batch_first": "sequences are batch first here, X[n, t, i]"}
MASKS = (None, "additive", "causal")


def attention(queries: Size = "T", keys: Size = "S", width: Size = "d", values: Size = "v", mask: str | None = None) -> Program:
    """O = softmax(Q Kᵀ/√d + M) V, row by row, with half the squared error on O; Q, K and V are the parameters.

    ``mask`` is None, "additive" (an input M that is added to the scores; -∞ forbids a place; PyTorch's float attn_mask) or "causal"
    (row t sees the keys s ≤ t only; PyTorch's is_causal; takes as many keys as queries).

    >>> print(attention(mask="causal"))
    U[t, s] := Sum(K[s, i]*Q[t, i], (i, 1, d))/sqrt(d)
    P[t, s] := When(exp(U[t, s]), s <= t)/Sum(When(exp(U[t, s1]), s1 <= t), (s1, 1, T))
    O[t, j] := Sum(P[t, s]*V[s, j], (s, 1, T))
    L := Sum((O[t, j] - Y[t, j])**2, (j, 1, v), (t, 1, T))/2
    """
    rows, columns, d, out = Axis.of(queries), Axis.of(queries if mask == "causal" else keys), Axis.of(width), Axis.of(values)
    t, s, i, j = (index(c) for c in _unused("tsij", rows, columns, d, out))
    with as_written():
        to = Builder()
        q = to.add_input("Q", (rows, d), Role.PARAMETER, "queries, one a row")
        k = to.add_input("K", (columns, d), Role.PARAMETER, "keys, one a row")
        v = to.add_input("V", (columns, out), Role.PARAMETER, "values, one a row")
        p = weights(to, (q, k), ((), t, s, i), mask, "")
        to.line("O", (rows, out), (t, j), over(p[t, s] * v[s, j], s, columns), "a mean of the values for each query")
        HalfSquaredError().build(to)
        return to.program("Scaled dot-product attention")


def weights(to: Builder, sources: tuple[Tensor, Tensor], letters: tuple[tuple[sp.Symbol, ...], sp.Symbol, sp.Symbol, sp.Symbol],
            mask: str | None, number: str, names: tuple[str, str] = ("U", "P"), padding: bool = False) -> Tensor:
    """Add U = Q Kᵀ/√d (+ M) and P = softmax(U) over the keys; ``letters`` are those of the leading axes, query, key and feature.

    With ``padding`` an input pad[n, s] of zeros and ones says which keys are padding: their share is 0.
    """
    if mask not in MASKS:
        raise OptionError("attention", f"mask={mask!r}", 'None, "additive" or "causal"')
    (q, k), (rest, t, s, i) = sources, letters
    *lead, rows, features = q.axes
    columns = k.axes[-2]
    scores = over(q[(*rest, t, i)] * k[(*rest, s, i)], i, features) / sp.sqrt(features.size)
    if mask == "additive":
        scores = scores + to.add_input(f"M{number}", (rows, columns), Role.INPUT, "mask: is added to the scores")[t, s]
    u = to.line(f"{names[0]}{number}", (*lead, rows, columns), (*rest, t, s), scores, "scores: how well each key fits each query")

    pad = _padding(to, q, columns, number) if padding else None

    seen = [sp.Le(s, t)] if mask == "causal" else []
    if pad is not None:
        seen.append(sp.Eq(pad[(*rest[:len(pad.axes) - 1], s)], 0))
    if mask == "causal" and rows.range != columns.range:
        raise OptionError("attention", f"mask='causal' with {rows.size} queries and {columns.size} keys", "as many keys as queries")
    scored = IndexArray.over(u.axes, (*rest, t, s), Barred(u[(*rest, t, s)], sp.And(*seen)))
    shares = softmax(AtOnce("attention", "softmax"), scored, -1).at(*rest, t, s)
    note = "attention weights: shares that add up to 1 for each query"
    return to.line(f"{names[1]}{number}", u.axes, (*rest, t, s), with_letter(shares, index(f"{s}1")), note)


def _padding(to: Builder, q: Tensor, columns: Axis, number: str) -> Tensor:
    """pad[n, s] = 1 for a key that is padding, 0 for one that counts: PyTorch's key_padding_mask."""
    lead = q.axes[:1] if q.axes[0].kind is Kind.BATCH else ()
    pad = Tensor(f"pad{number}", (*lead, columns), "index", Role.INPUT, note="1 for a key that is padding, 0 for one that counts",
                 classes=sp.Integer(2))
    to.inputs.append(pad)
    return pad


def _unused(wanted: str, *axes: Axis) -> list[str]:
    """The letters wanted, each with a 0 behind it where a size has that name."""
    sizes = {str(s) for a in axes for s in a.upper.free_symbols}
    return [c if c not in sizes else f"{c}0" for c in wanted]


@torch_arguments("embed_dim num_heads dropout bias add_bias_kv add_zero_attn kdim vdim batch_first device dtype",
                 PLACE | {"dropout": (0,), "add_bias_kv": (False,), "add_zero_attn": (False,), "kdim": NONE, "vdim": NONE,
                          "batch_first": (True,)}, HINTS)
@dataclass(frozen=True)
class MultiheadAttention(Layer):
    """Self-attention with several heads: O_h = softmax(Q_h K_hᵀ/√d_h + M) V_h, then Σ_h O_h W_o[h] + b_o.

    Q_h = X W_q[h] + b_q[h], and so K_h and V_h. ``head_dim`` is embed_dim/num_heads when both are numbers, else the name "d_h" (any size
    will do; PyTorch takes embed_dim/num_heads). ``mask`` as in ``attention``; ``key_padding_mask=True`` adds an input pad1[n, s], 1 for a
    key that is padding (each row must keep a key that is seen), as PyTorch's argument of that name. With ``memory="S"`` keys and values
    come from a second input E1[n, s, i] of that many positions (cross-attention), or from what the program has under the name ``source``.

    >>> import symnet as sn
    >>> sn.Sequential(sn.MultiheadAttention(8, 2)).program().definitions[-1].target.shape
    (N, T, 8)
    """

    embed_dim: Size
    num_heads: Size
    bias: bool = field(default=True, kw_only=True)
    head_dim: Size | None = field(default=None, kw_only=True)
    positions: Size = field(default="T", kw_only=True)
    mask: str | None = field(default=None, kw_only=True)
    memory: Size | None = field(default=None, kw_only=True)
    source: str | None = field(default=None, kw_only=True)
    key_padding_mask: bool = field(default=False, kw_only=True)

    def sample_axes(self) -> tuple[Axis, ...]:
        return Axis.of(self.positions, Kind.TIME), Axis.of(self.embed_dim)

    @property
    def width(self) -> Size:
        """The width of one head."""
        if self.head_dim is not None:
            return self.head_dim
        d, heads = to_size(self.embed_dim), to_size(self.num_heads)
        if not (d.is_Integer and heads.is_Integer):
            return "d_h"
        if d % heads != 0:
            raise OptionError("MultiheadAttention", f"{d} features for {heads} heads", "a width that the number of heads divides")
        return int(d / heads)

    def build(self, to: Builder) -> None:
        to.linear += 1
        x, number = to.now, str(to.linear)
        same_size(f"MultiheadAttention, layer {number}", x.axes[-1], Axis.of(self.embed_dim))
        if len(x.axes) < 2:
            raise OptionError(f"MultiheadAttention, layer {number}", f"an input of shape {x.shape}", "(..., T, features)")
        heads, inner = Axis.of(self.num_heads), Axis.of(self.width)
        *lead, rows, ins = x.axes
        *rest, t, i, h, k = to.letters((*x.axes, heads, inner))
        memory = x
        if self.memory is not None:
            source = (*lead, Axis.of(self.memory, Kind.TIME), ins)
            memory = given(to, self.source or f"E{number}", source, Role.INPUT, "the memory that keys and values come from")
        s = index("s" if index("s") not in (*rest, t, i, h, k) and "s" in _unused("s", *x.axes, *memory.axes, heads, inner) else "s0")
        axes, columns = (*lead, heads), memory.axes[-2]

        def head(letter: str, of: Tensor, at: sp.Symbol, note: str) -> Tensor:
            w = to.add_input(f"W{number}_{letter}", (heads, ins, inner), Role.PARAMETER, f"weights of the {note}, layer {number}")
            value = over(w[h, i, k] * of[(*rest, at, i)], i, ins)
            if self.bias:
                b = to.add_input(f"b{number}_{letter}", (heads, inner), Role.PARAMETER, f"biases of the {note}, layer {number}")
                value = value + b[h, k]
            name = f"{letter.upper()}{number}"
            return to.line(name, (*axes, of.axes[-2], inner), (*rest, h, at, k), value, f"{note} of each head")

        q, key, v = head("q", x, t, "queries"), head("k", memory, s, "keys"), head("v", memory, s, "values")
        p = weights(to, (q, key), ((*rest, h), t, s, k), self.mask, number, ("S", "alpha"), self.key_padding_mask)
        value = over(p[(*rest, h, t, s)] * v[(*rest, h, s, k)], s, columns)
        o = to.line(f"O{number}", (*axes, rows, inner), (*rest, h, t, k), value, "what each head passes on")
        w = to.add_input(f"W{number}_o", (heads, inner, ins), Role.PARAMETER, f"weights that put the heads together, layer {number}")
        value = over(over(o[(*rest, h, t, k)] * w[h, k, i], k, inner), h, heads)
        if self.bias:
            value = value + to.add_input(f"b{number}_o", (ins,), Role.PARAMETER, f"biases behind the heads, layer {number}")[i]
        to.line(f"a{number}", x.axes, (*rest, t, i), value, f"attention of layer {number}")


def at_each_position(where: str, width: Size, wide: Size, activation: str, bias: bool = True) -> tuple[Layer, ...]:
    """The network of two layers that a transformer has at each position."""
    if activation not in ("relu", "gelu"):
        raise OptionError(where, f"activation={activation!r}", '"relu" or "gelu"')
    return Linear(width, wide, bias), ReLU() if activation == "relu" else GELU(), Linear(wide, width, bias)


@torch_arguments("d_model nhead dim_feedforward dropout activation layer_norm_eps batch_first norm_first bias device dtype",
                 PLACE | {"dropout": (0,), "batch_first": (True,)}, HINTS)
@dataclass(frozen=True)
class TransformerEncoderLayer(Layer):
    """Attention and a network of two layers at each position, each with a residual connection and a layer normalization.

    As published, x = LN(x + attention(x)), x = LN(x + W₂ᵀ φ(W₁ᵀ x + b₁) + b₂); with ``norm_first=True`` x = x + attention(LN(x)), and
    so on. ``activation`` φ is "relu" or "gelu"; ``bias=False`` leaves out all b and the shifts of LN. Names and defaults are PyTorch's
    (torch.nn.TransformerEncoderLayer, without dropout).

    >>> import symnet as sn
    >>> sn.Sequential(sn.TransformerEncoderLayer(8, 2, 16)).program().definitions[-1].target.shape
    (N, T, 8)
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
    mask: str | None = field(default=None, kw_only=True)
    key_padding_mask: bool = field(default=False, kw_only=True)

    def sample_axes(self) -> tuple[Axis, ...]:
        return Axis.of(self.positions, Kind.TIME), Axis.of(self.d_model)

    def parts(self) -> tuple[Layer, ...]:
        """The layers that it is made of."""
        d = self.d_model
        attend = MultiheadAttention(d, self.nhead, head_dim=self.head_dim, positions=self.positions, mask=self.mask,
                                    key_padding_mask=self.key_padding_mask, bias=self.bias)
        mlp = at_each_position("TransformerEncoderLayer", d, self.dim_feedforward, self.activation, self.bias)
        norm = LayerNorm(d, self.layer_norm_eps, bias=self.bias)
        return (Residual(norm, attend), Residual(norm, *mlp)) if self.norm_first else (Residual(attend), norm, Residual(*mlp), norm)

    def build(self, to: Builder) -> None:
        for part in self.parts():
            part.build(to)
