"""ONNX operators on places and windows, and recurrent layers unrolled in time: one row each, conventions of ONNX's operator reference."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from symnet.core.numbers import rational
from symnet.frontends import torch_norms, torch_places, torch_windows
from symnet.frontends.onnx_call import MOST_CONSTANTS, Call, Rule
from symnet.indexing import composites
from symnet.indexing.graph import unsupported
from symnet.indexing.operations import Array, Maker

OF_DIRECTION = {"forward": (False,), "reverse": (True,), "bidirectional": (False, True)}


def _gather(c: Call) -> Array:
    a, axis, where = c.first(), int(c.get("axis", 0)), c.inputs[1]
    if not isinstance(where, Array) and where.ndim == 0:
        return c.maker.take(a, axis, int(where))
    if not isinstance(where, Array):  # places before 0 count from the end
        where = where + (where < 0) * int(a.shape[axis])
    places = Call(c.maker, [a, where], {}).needed(1)
    return torch_places.index(c.maker, a, [None] * (axis % a.rank) + [places])


def _gather_elements(c: Call) -> Array:
    return torch_places.gather(c.maker, c.first(), int(c.get("axis", 0)), c.needed(1))


def _parts(c: Call, k: int, count: int) -> list[Array]:
    """The last axis of an index array of places, one array for each."""
    found = c.inputs[k]
    if isinstance(found, Array):
        return [c.maker.take(found, -1, j) for j in range(count)]
    return [Call(c.maker, [np.ascontiguousarray(found[..., j])], {}).needed(0) for j in range(count)]


def _gather_nd(c: Call) -> Array:
    a, places = c.first(), c.inputs[1]
    if c.get("batch_dims", 0):
        raise unsupported("GatherND with batch_dims", c.maker.where, "batch_dims=0")
    count = int(places.shape[-1])
    if not isinstance(places, Array):
        places = places + (places < 0) * np.array([int(n) for n in a.shape[:count]])
    return torch_places.index(c.maker, a, [*_parts(Call(c.maker, [a, places], {}), 1, count)])


def _scatter_nd(c: Call) -> Array:
    a, places, values = c.first(), c.inputs[1], c.needed(2)
    count, m = int(places.shape[-1]), c.maker
    if isinstance(places, Array):
        if str(c.get("reduction", "none")) != "add":
            raise unsupported("a scatter at places that are computed", m.where, "reduction='add', or places that are constants")
        return m.added_at(a, _parts(c, 1, count), values)
    rows = places.reshape(-1, count) + (places.reshape(-1, count) < 0) * np.array([int(n) for n in a.shape[:count]])
    return _written(c, a, rows, m.reshape(values, [len(rows), *a.shape[count:]]))


def _written(c: Call, a: Array, rows: Any, values: Array) -> Array:
    """Values put or added at constant places along the first axes, one after another."""
    m, way = c.maker, str(c.get("reduction", "none"))
    if way not in ("none", "add") or len(rows) > MOST_CONSTANTS:
        raise unsupported(f"a scatter by {way!r} at {len(rows)} places", m.where, f"'none' or 'add', at most {MOST_CONSTANTS} places")
    count, made = rows.shape[1], a
    for r, places in enumerate(rows):
        here: Array | None = None
        for k, place in enumerate(places):
            at = m.map("eq", m.iota([n if j == k else 1 for j, n in enumerate(a.shape)], k), int(place))
            here = at if here is None else m.map("and", here, at)
        value = m.take(values, 0, r)
        value = m.reshape(value, [*[1] * count, *value.shape])
        made = m.map("add", made, m.map("select", here, value, 0)) if way == "add" else m.map("select", here, value, made)
    return made


def _scatter_elements(c: Call) -> Array:
    """a[i, places[i, j]] along an axis; the constant index array may be smaller than a along the others."""
    a, where, values = c.first(), c.inputs[1], c.needed(2)
    axis, m = int(c.get("axis", 0)) % a.rank, c.maker
    if isinstance(where, Array):
        if str(c.get("reduction", "none")) != "add":
            raise unsupported("a scatter at places that are computed", m.where, "reduction='add', or places that are constants")
        return torch_places.scatter_add(m, a, axis, where, values)
    every = np.indices(where.shape)
    every[axis] = where + (where < 0) * int(a.shape[axis])
    rows = every.reshape(a.rank, -1)
    return _written(c, a, rows.T, m.reshape(values, [rows.shape[1]]))


def _xor(c: Call) -> Array:
    """One, not both."""
    m, (a, b) = c.maker, c.arrays()
    return m.map("or", m.map("and", a, m.map("not", b)), m.map("and", m.map("not", a), b))


def _lrn(c: Call) -> Array:
    """x/(bias + alpha/size Σ over neighbouring channels x²)^beta."""
    m, x, size = c.maker, c.first(), int(c.get("size", 1))
    square = m.pad(m.map("square", x), 1, (size - 1) // 2, size // 2)
    channels = x.shape[1]
    around = m.cut(square, 1, 0, channels)
    for k in range(1, size):
        around = m.map("add", around, m.cut(square, 1, k, channels + k))
    scaled = m.map("add", c.get("bias", 1.0), m.map("mul", rational(str(c.get("alpha", 0.0001))) / size, around))
    return m.map("div", x, m.map("pow", scaled, c.get("beta", 0.75)))


def _pad(c: Call) -> Array:
    a, amounts, mode = c.first(), c.integers(1, "pads") or [], str(c.get("mode", "constant"))
    axes = c.integers(3, "axes") or list(range(a.rank))
    half, value = len(amounts) // 2, c.inputs[2] if len(c.inputs) > 2 and c.inputs[2] is not None else 0
    by_axis = {axis % a.rank: (amounts[k], amounts[half + k]) for k, axis in enumerate(axes)}
    flat = [n for k in reversed(range(a.rank)) for n in by_axis.get(k, (0, 0))]
    return torch_windows.pad(c.maker, a, flat, {"edge": "replicate", "wrap": "circular"}.get(mode, mode), float(value))


def _cumsum(c: Call) -> Array:
    if c.get("exclusive", 0):
        raise unsupported("a running sum without its own place", c.maker.where, "exclusive=0")
    return c.maker.running(c.first(), (c.integers(1, "axis") or [0])[0], bool(c.get("reverse", 0)))


def _one_hot(c: Call) -> Array:
    depth, values, rank = (c.integers(1, "depth") or [0])[0], c.inputs[2], c.first().rank + 1
    if isinstance(values, Array):
        raise unsupported("OneHot with values that are computed", c.maker.where, "constants")
    low, high = (rational(float(v)) for v in values)
    made, axis = torch_places.one_hot(c.maker, c.first(), depth), int(c.get("axis", -1)) % rank
    if axis != rank - 1:
        made = c.maker.permute(made, [*range(axis), rank - 1, *range(axis, rank - 1)])
    return made if (low, high) == (0, 1) else c.maker.map("add", low, c.maker.map("mul", high - low, made))


def _trilu(c: Call) -> Array:
    edge = (c.integers(1, "k") or [0])[0] if len(c.inputs) > 1 else 0
    return c.maker.triangle(c.first(), not c.get("upper", 1), edge)


def _window(c: Call, weights: Array | None = None) -> tuple[list[int], list[int], list[tuple[int, int]], list[int]]:
    """(kernel, stride, padding on either side, dilation) of the spatial axes."""
    a = c.first()
    rank = a.rank - 2
    kernel = [int(n) for n in c.get("kernel_shape", None) or (weights.shape[2:] if weights is not None else [])]
    stride, dilation = list(c.get("strides", [1] * rank)), list(c.get("dilations", [1] * rank))
    pads, auto = list(c.get("pads", [0] * 2 * rank)), str(c.get("auto_pad", "NOTSET"))
    if auto in ("SAME_UPPER", "SAME_LOWER"):
        pads = [0] * 2 * rank
        for k in range(rank):
            length = int(a.shape[2 + k])
            total = max((-(-length // stride[k]) - 1) * stride[k] + dilation[k] * (kernel[k] - 1) + 1 - length, 0)
            small, large = total // 2, total - total // 2
            pads[k], pads[rank + k] = (small, large) if auto == "SAME_UPPER" else (large, small)
    elif auto not in ("NOTSET", "VALID"):
        raise unsupported(f"auto_pad {auto!r}", c.maker.where, "NOTSET, VALID, SAME_UPPER or SAME_LOWER")
    return kernel, stride, [(pads[k], pads[rank + k]) for k in range(rank)], dilation


def _conv(c: Call) -> Array:
    x, w, bias = c.first(), c.needed(1), c.array(2)
    _, stride, pads, dilation = _window(c, w)
    even = [low if low == high else 0 for low, high in pads]
    for k, (low, high) in enumerate(pads):
        if low != high:
            x = c.maker.pad(x, 2 + k, low, high)
    return composites.convolution(c.maker, x, w, bias, stride, even, dilation, int(c.get("group", 1)))


def _conv_transpose(c: Call) -> Array:
    x, w = c.first(), c.needed(1)
    _, stride, pads, dilation = _window(c, w)
    if c.get("output_shape", None) or any(low != high for low, high in pads) or str(c.get("auto_pad", "NOTSET")) != "NOTSET":
        raise unsupported("output_shape, auto_pad or padding on one side", c.maker.where, "equal padding on both sides")
    return torch_windows.conv_transpose(c.maker, x, w, c.array(2), stride, [p for p, _ in pads], c.get("output_padding", None) or 0,
                                        int(c.get("group", 1)), dilation)


def _resize(c: Call) -> Array:
    """Interpolation as PyTorch's exporters write it: nearest by the floor, linear by half pixels or with the corners aligned."""
    m, x, rank = c.maker, c.first(), c.first().rank - 2
    scales = c.inputs[2] if len(c.inputs) > 2 and c.inputs[2] is not None and np.size(c.inputs[2]) else None
    sizes = c.integers(3, "sizes") if len(c.inputs) > 3 else None
    way, mode = str(c.get("coordinate_transformation_mode", "half_pixel")), str(c.get("mode", "nearest"))
    if isinstance(scales, Array):
        raise unsupported("a Resize whose scales are computed", m.where, "constants")
    factors = None if scales is None else [float(str(v)) for v in np.asarray(scales).reshape(-1)]
    if factors is not None and (factors[:2] != [1, 1] or len(factors) != rank + 2):
        raise unsupported("a Resize of other axes than the last ones", m.where, "scales 1, 1, …")
    whole = factors is not None and all(f == int(f) for f in factors)
    ends, steps = None if sizes is None else sizes[2:], None if factors is None else factors[2:]
    if mode == "nearest" and ((way, str(c.get("nearest_mode", "round_prefer_floor"))) == ("asymmetric", "floor") or (
            whole and way in ("half_pixel", "pytorch_half_pixel"))):
        return torch_windows.nearest(rank)(m, x, ends, steps)  # type: ignore[return-value]
    if mode == "linear" and way in ("half_pixel", "pytorch_half_pixel", "align_corners") and not c.get("antialias", 0):
        return torch_windows.linear(rank)(m, x, ends, way == "align_corners", steps)  # type: ignore[return-value]
    raise unsupported(f"a Resize by {mode} and {way}", m.where,
                      "nearest by asymmetric and floor, or linear by half_pixel or align_corners")


def _blocks(shuffle: str) -> Rule:
    """DepthToSpace (CRD or DCR) and SpaceToDepth: channels as blocks of places, and back."""
    def rule(c: Call) -> Array:
        m, a, k = c.maker, c.first(), int(c.get("blocksize", 1))
        n, channels, height, width = a.shape
        if shuffle == "space":
            a = m.reshape(a, [n, channels, height / k, k, width / k, k])
            return m.reshape(m.permute(a, [0, 3, 5, 1, 2, 4]), [n, channels * k * k, height / k, width / k])
        first = str(c.get("mode", "DCR")) == "DCR"
        a = m.reshape(a, [n, k, k, channels / k**2, height, width] if first else [n, channels / k**2, k, k, height, width])
        a = m.permute(a, [0, 3, 4, 1, 5, 2] if first else [0, 1, 4, 2, 5, 3])
        return m.reshape(a, [n, channels / k**2, height * k, width * k])
    return rule


def _filled(c: Call) -> Any:
    """ConstantOfShape, which keeps whole numbers a constant where the shape is known."""
    value = np.asarray(c.get("value", np.zeros(1, np.float32))).reshape(-1)[0]
    return c.maker.expand(c.maker.number(value.item()), c.integers(0, "shape") or [])


def _pool(make: Callable[[int], Any], average: bool) -> Rule:
    def rule(c: Call) -> Array:
        kernel, stride, pads, dilation = _window(c)
        if any(low != high for low, high in pads) or (average and any(d != 1 for d in dilation)):
            raise unsupported("padding on one side, or dilations of an average", c.maker.where, "equal padding on both sides")
        rank, low, ceil = len(kernel), [p for p, _ in pads], bool(c.get("ceil_mode", 0))
        if average:
            return make(rank)(c.maker, c.first(), kernel, stride, low, ceil, bool(c.get("count_include_pad", 0)))  # type: ignore[no-any-return]
        return make(rank)(c.maker, c.first(), kernel, stride, low, dilation, ceil)  # type: ignore[no-any-return]
    return rule


def _group_norm(c: Call) -> Array:
    return torch_norms.group_norm(c.maker, c.first(), int(c.get("num_groups", 1)), c.array(1), c.array(2), c.get("epsilon", 1e-5))


def _instance_norm(c: Call) -> Array:
    return torch_norms.instance_norm(c.maker, c.first(), c.array(1), c.array(2), None, None, True, 0.0, c.get("epsilon", 1e-5))


def _cross_entropy(whole: bool) -> Rule:
    def rule(c: Call) -> Array:
        code = {"none": 0, "mean": 1, "sum": 2}[str(c.get("reduction", "mean"))]
        ignore = int(c.get("ignore_index", torch_places.NOT_IGNORED))
        made = torch_places.cross_entropy if whole else torch_places.nll
        return made(c.maker, c.first(), c.needed(1), c.array(2), code, ignore)
    return rule


def _gates(m: Maker, sums: Array, count: int) -> list[Array]:
    size = int(sums.shape[-1]) // count
    return [m.cut(sums, -1, k * size, (k + 1) * size) for k in range(count)]


def _rnn_step(m: Maker, x: Array, h: Array, c: Array, w: Sequence[Array], later: bool) -> tuple[Array, Array]:
    return m.map("tanh", m.map("add", m.linear(x, w[0], w[2]), m.linear(h, w[1], w[3]))), c


def _gru_step(m: Maker, x: Array, h: Array, c: Array, w: Sequence[Array], later: bool) -> tuple[Array, Array]:
    """Gates z, r, h; with ``later`` (linear_before_reset) the reset gate acts on the product, as in PyTorch."""
    if not later:
        raise unsupported("linear_before_reset=0", m.where, "1, PyTorch's form")
    zx, rx, nx = _gates(m, m.linear(x, w[0], w[2]), 3)
    zh, rh, nh = _gates(m, m.linear(h, w[1], w[3]), 3)
    z, r = m.map("logistic", m.map("add", zx, zh)), m.map("logistic", m.map("add", rx, rh))
    n = m.map("tanh", m.map("add", nx, m.map("mul", r, nh)))
    return m.map("add", m.map("mul", m.map("sub", 1, z), n), m.map("mul", z, h)), c


def _lstm_step(m: Maker, x: Array, h: Array, c: Array, w: Sequence[Array], later: bool) -> tuple[Array, Array]:
    """Gates i, o, f, c: ONNX's order."""
    i, o, f, g = _gates(m, m.map("add", m.linear(x, w[0], w[2]), m.linear(h, w[1], w[3])), 4)
    i, o, f, g = m.map("logistic", i), m.map("logistic", o), m.map("logistic", f), m.map("tanh", g)
    new = m.map("add", m.map("mul", f, c), m.map("mul", i, g))
    return m.map("mul", o, m.map("tanh", new)), new


def _recurrent(step: Callable[..., tuple[Array, Array]], gates: int) -> Rule:
    """Y[t, direction, n, j] and the last states; the input is X[t, n, i]."""
    def rule(call: Call) -> list[Array]:
        m, x, w, r = call.maker, call.first(), call.needed(1), call.needed(2)
        named = {(a.decode() if isinstance(a, bytes) else str(a)).lower() for a in call.get("activations", None) or []}
        if not named <= ({"tanh"} if step is _rnn_step else {"sigmoid", "tanh"}) or call.get("clip", None) or call.get("layout", 0):
            raise unsupported("other activations, clip or layout=1", m.where, "the defaults")
        hidden, later = int(r.shape[-1]), bool(call.get("linear_before_reset", 0))
        bias, states = call.array(3), []
        for d, back in enumerate(OF_DIRECTION[str(call.get("direction", "forward"))]):
            b = m.take(bias, 0, d) if bias is not None else m.expand(m.number(0), [2 * gates * hidden])
            own = m.take(w, 0, d), m.take(r, 0, d), m.cut(b, 0, 0, gates * hidden), m.cut(b, 0, gates * hidden, 2 * gates * hidden)
            start = [m.take(s, 0, d) if (s := call.array(k)) is not None else m.expand(m.number(0), [x.shape[1], hidden]) for k in (5, 6)]
            states.append(_states(m, x, start, own, (step, later, back)))
        backs = OF_DIRECTION[str(call.get("direction", "forward"))]
        every = m.concat([m.reshape(h, [h.shape[0], 1, *h.shape[1:]]) for h, _ in states], 1)
        ends = [m.concat([m.reshape(m.take(s[k], 0, 0 if back else -1), [1, *s[k].shape[1:]])
                          for s, back in zip(states, backs, strict=True)], 0) for k in (0, 1)]
        return [every, *ends]
    return rule


def _states(m: Maker, x: Array, start: Sequence[Array], w: Sequence[Array], how: tuple[Any, bool, bool]) -> tuple[Array, Array]:
    """The states (h, c) at every time, in the order of time: a recurrence."""
    step, later, back = how
    x = m.flip(x, 0) if back else x
    if step is not _lstm_step:
        (h,) = m.recurrence(start[:1], x.shape[0], lambda s: [step(m, x, s[0], s[0], w, later)[0]])
        made = h, h
    else:
        h, c = m.recurrence(start, x.shape[0], lambda s: step(m, x, s[0], s[1], w, later))
        made = h, c
    return (m.flip(made[0], 0), m.flip(made[1], 0)) if back else made


def _cast_like(c: Call) -> Any:
    """A constant stays one; an array of the program has real numbers, whole numbers or truths already."""
    value = c.inputs[0]
    if isinstance(value, Array):
        return value
    whole = isinstance(c.inputs[1], Array) and c.maker.is_whole(c.inputs[1])
    return value if whole else value.astype(float)


PLACES: dict[str, Rule] = {
    "CastLike": _cast_like,
    "Gather": _gather, "GatherElements": _gather_elements, "GatherND": _gather_nd, "ScatterND": _scatter_nd,
    "ScatterElements": _scatter_elements, "LRN": _lrn,
    "Xor": _xor,
    "Concat": lambda c: c.maker.concat(c.arrays(), int(c.get("axis", 0))),
    "Pad": _pad, "CumSum": _cumsum, "OneHot": _one_hot, "Trilu": _trilu, "Conv": _conv,
    "ConvTranspose": _conv_transpose, "Resize": _resize, "DepthToSpace": _blocks("depth"), "SpaceToDepth": _blocks("space"),
    "ConstantOfShape": _filled,
    "MaxPool": _pool(torch_windows.max_pool, False), "AveragePool": _pool(torch_windows.average_pool, True),
    "GroupNormalization": _group_norm, "InstanceNormalization": _instance_norm,
    "SoftmaxCrossEntropyLoss": _cross_entropy(True), "NegativeLogLikelihoodLoss": _cross_entropy(False),
    "RNN": _recurrent(_rnn_step, 1), "GRU": _recurrent(_gru_step, 3), "LSTM": _recurrent(_lstm_step, 4),
    "Equal": lambda c: c.maker.map("eq", *c.arrays()), "Not": lambda c: c.maker.map("not", c.first()),
    "And": lambda c: c.maker.map("and", *c.arrays()), "Or": lambda c: c.maker.map("or", *c.arrays()),
    "PRelu": lambda c: c.maker.map("select", c.maker.map("gt", c.first(), 0), c.first(), c.maker.map("mul", c.needed(1), c.first())),
    "Celu": lambda c: composites.celu(c.maker, c.first(), c.get("alpha", 1.0)),
    "HardSigmoid": lambda c: composites.hardtanh(c.maker, c.maker.map("add", c.maker.map("mul", c.get("alpha", 0.2), c.first()),
                                                                  c.get("beta", 0.5)), 0, 1),
    "HardSwish": lambda c: torch_norms.NORMS["hardswish"](c.maker, c.first()),
}
