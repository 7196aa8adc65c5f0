"""NumPy's names as nodes of an ONNX graph: the generated NumPy source, carried out on these arrays, writes the graph.

Shapes are known numbers. What no array of the graph is part of is computed by NumPy itself, and becomes a constant where it meets one.
Only what generated code calls is here; a function without a form in ONNX is refused.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, final

import numpy as np

from symnet.errors import UnknownNodeError

ONNX_TYPES = {"float64": 11, "float32": 1, "int64": 7, "bool": 9}  # the numbers of TensorProto


@final
class Graph:
    """Nodes and constants; equal ones are one."""

    def __init__(self, dtype: str) -> None:
        self.dtype = dtype
        self.nodes: list[tuple[str, tuple[str, ...], str, dict[str, Any]]] = []
        self.constants: dict[str, np.ndarray[Any, Any]] = {}
        self.known: dict[Any, Traced] = {}

    def constant(self, value: Any) -> Traced:
        """An array of numbers in the graph."""
        array = np.asarray(value)
        kind = "bool" if array.dtype.kind == "b" else "int64" if array.dtype.kind in "iu" else self.dtype
        array = np.ascontiguousarray(array.astype(kind)).reshape(array.shape)
        mark = ("constant", kind, array.shape, array.tobytes())
        if mark not in self.known:
            name = f"/c{len(self.constants)}"
            self.constants[name] = array
            self.known[mark] = Traced(self, name, array.shape, kind)
        return self.known[mark]

    def node(self, operator: str, inputs: Sequence[Traced], shape: tuple[int, ...], kind: str, **attributes: Any) -> Traced:
        """The output of an operator."""
        names = tuple(x.name for x in inputs)
        mark = (operator, names, kind, tuple(sorted((k, tuple(v) if isinstance(v, list) else v) for k, v in attributes.items())))
        if mark not in self.known:
            name = f"/t{len(self.nodes)}"
            self.nodes.append((operator, names, name, attributes))
            self.known[mark] = Traced(self, name, shape, kind)
        return self.known[mark]


class Traced:
    """An array of the graph. An array that is filled place by place changes which output it stands for."""

    __array_ufunc__ = None  # NumPy's arrays leave operations to this one

    def __init__(self, graph: Graph, name: str, shape: Sequence[int], kind: str) -> None:
        self.graph, self.name, self.shape, self.kind = graph, name, tuple(shape), kind

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def T(self) -> Traced:
        return self.transpose()

    # methods of NumPy's arrays

    def transpose(self, *axes: int) -> Traced:
        order = list(axes) or list(range(self.ndim))[::-1]
        if order == list(range(self.ndim)):
            return self
        return self.graph.node("Transpose", [self], tuple(self.shape[k] for k in order), self.kind, perm=order)

    def swapaxes(self, a: int, b: int) -> Traced:
        order = list(range(self.ndim))
        order[a], order[b] = order[b], order[a]
        return self.transpose(*order)

    def reshape(self, *shape: Any) -> Traced:
        sizes = [int(n) for n in (shape[0] if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape)]
        if -1 in sizes:
            sizes[sizes.index(-1)] = self.size // max(1, -math.prod(sizes))
        if tuple(sizes) == self.shape:
            return self
        return self.graph.node("Reshape", [self, self.graph.constant(np.array(sizes, dtype=np.int64))], tuple(sizes), self.kind)

    def squeeze(self, axis: int) -> Traced:
        return self.reshape([n for k, n in enumerate(self.shape) if k != axis % self.ndim])

    def copy(self) -> Traced:
        return Traced(self.graph, self.name, self.shape, self.kind)

    def sum(self, axis: Any = None, keepdims: bool = False) -> Traced:
        return self._reduced("ReduceSum", axis, keepdims)

    def max(self, axis: Any = None, keepdims: bool = False, initial: float = -np.inf) -> Traced:
        if self.size == 0:
            return self.graph.constant(np.full(self._kept(axis, keepdims), initial))
        return self._reduced("ReduceMax", axis, keepdims)

    def _kept(self, axis: Any, keepdims: bool) -> tuple[int, ...]:
        gone = self._axes(axis)
        return tuple(1 if k in gone else n for k, n in enumerate(self.shape) if keepdims or k not in gone)

    def _axes(self, axis: Any) -> list[int]:
        return [k % self.ndim for k in (range(self.ndim) if axis is None else (axis,) if isinstance(axis, int) else axis)]

    def _reduced(self, operator: str, axis: Any, keepdims: bool) -> Traced:
        value = self if self.kind != "bool" else cast(self, self.graph.dtype)
        if not self.ndim:
            return value
        axes = self.graph.constant(np.array(self._axes(axis), dtype=np.int64))
        return self.graph.node(operator, [value, axes], self._kept(axis, keepdims), value.kind, keepdims=int(keepdims))

    # places

    def __getitem__(self, index: Any) -> Traced:
        parts = index if isinstance(index, tuple) else (index,)
        if any(isinstance(p, (np.ndarray, Traced)) for p in parts):
            return self._gathered(parts)
        made, axis, shape = self, 0, list[int]()
        for part in (*parts, *[slice(None)] * (self.ndim - sum(p is not None for p in parts))):
            if part is None:
                shape.append(1)
                continue
            size = self.shape[axis]
            part = part if isinstance(part, slice) else slice(_place(int(part), size), _place(int(part), size) + 1, "one")
            step = 1 if part.step in (None, "one") else part.step
            start, stop, step = slice(part.start, part.stop, step).indices(size)
            count = len(range(start, stop, step))
            if (start, step, count) != (0, 1, size):
                limits = [self.graph.constant(np.array([n], dtype=np.int64)) for n in (start, stop, axis, step)]
                there = tuple(count if k == axis else n for k, n in enumerate(made.shape))
                made = self.graph.node("Slice", [made, *limits], there, self.kind)
            if part.step != "one":
                shape.append(count)
            axis += 1
        return made.reshape(shape)

    def _gathered(self, parts: tuple[Any, ...]) -> Traced:
        """Entries at arrays of places, one for each axis; or rows."""
        if len(parts) == 1 and self.ndim > 1:
            rows = lift(self.graph, parts[0])
            return self.graph.node("Gather", [self, rows], (*rows.shape, *self.shape[1:]), self.kind, axis=0)
        if len(parts) != self.ndim or not all(isinstance(p, (int, np.integer, np.ndarray, Traced)) for p in parts):
            raise UnknownNodeError("onnx", "arrays of places beside slices", "places along all axes, or rows")
        place: Any = 0
        stride = self.size
        for part, n in zip(parts, self.shape, strict=True):
            stride //= max(n, 1)
            place = place + part * stride
        there = lift(self.graph, place)
        return self.graph.node("Gather", [self.reshape(-1), there], there.shape, self.kind, axis=0)

    def __setitem__(self, index: Any, value: Any) -> None:
        places = np.arange(self.size).reshape(self.shape)[index]
        new = _broadcast(_typed(self.graph, value, self.kind), np.shape(places))
        if np.shape(places) != self.shape or not np.array_equal(places, np.arange(self.size).reshape(self.shape)):
            where = self.graph.constant(np.asarray(places, dtype=np.int64).reshape(-1))
            flat = self.graph.node("ScatterElements", [self.reshape(-1), where, new.reshape(-1)], (self.size,), self.kind, axis=0)
            new = flat.reshape(self.shape)
        self.name = new.name

    # operators

    def __add__(self, other: Any) -> Any:
        return binary("Add", self, other)

    def __radd__(self, other: Any) -> Any:
        return binary("Add", other, self)

    def __sub__(self, other: Any) -> Any:
        return binary("Sub", self, other)

    def __rsub__(self, other: Any) -> Any:
        return binary("Sub", other, self)

    def __mul__(self, other: Any) -> Any:
        return binary("Mul", self, other)

    def __rmul__(self, other: Any) -> Any:
        return binary("Mul", other, self)

    def __truediv__(self, other: Any) -> Any:
        return binary("Div", cast(self, self.graph.dtype), other)

    def __rtruediv__(self, other: Any) -> Any:
        return binary("Div", other, cast(self, self.graph.dtype))

    def __pow__(self, other: Any) -> Any:
        if isinstance(other, int) and other in (2, 3):
            return self * self if other == 2 else self * self * self
        return binary("Pow", cast(self, self.graph.dtype), other)

    def __rpow__(self, other: Any) -> Any:
        return binary("Pow", other, cast(self, self.graph.dtype))

    def __neg__(self) -> Any:
        return self.graph.node("Neg", [self], self.shape, self.kind)

    def __abs__(self) -> Any:
        return self.graph.node("Abs", [self], self.shape, self.kind)

    def __mod__(self, other: Any) -> Any:
        return binary("Mod", self, other)

    def __floordiv__(self, other: Any) -> Any:
        rest = self % other
        return binary("Div", self - rest, other)

    def __matmul__(self, other: Any) -> Any:
        return _product(self.graph, self, other)

    def __rmatmul__(self, other: Any) -> Any:
        return _product(self.graph, other, self)

    def __gt__(self, other: Any) -> Any:
        return binary("Greater", self, other, "bool")

    def __ge__(self, other: Any) -> Any:
        return binary("GreaterOrEqual", self, other, "bool")

    def __lt__(self, other: Any) -> Any:
        return binary("Less", self, other, "bool")

    def __le__(self, other: Any) -> Any:
        return binary("LessOrEqual", self, other, "bool")

    def __eq__(self, other: Any) -> Any:
        return binary("Equal", self, other, "bool")

    def __ne__(self, other: Any) -> Any:
        return (self == other).__invert__()

    def __invert__(self) -> Any:
        return self.graph.node("Not", [self], self.shape, "bool")

    def __and__(self, other: Any) -> Any:
        return binary("And", self, other, "bool")

    __rand__ = __and__

    def __or__(self, other: Any) -> Any:
        return binary("Or", self, other, "bool")

    __ror__ = __or__
    __hash__ = object.__hash__

    def __bool__(self) -> bool:
        raise UnknownNodeError("onnx", "a decision that depends on data", "a form without one")


def _place(place: int, size: int) -> int:
    return place + size if place < 0 else place


def lift(graph: Graph, value: Any) -> Traced:
    """An array of the graph."""
    return value if isinstance(value, Traced) else graph.constant(value)


def cast(value: Traced, kind: str) -> Traced:
    """The same numbers as another type."""
    return value if value.kind == kind else value.graph.node("Cast", [value], value.shape, kind, to=ONNX_TYPES[kind])


def _typed(graph: Graph, value: Any, kind: str) -> Traced:
    if isinstance(value, Traced):
        return cast(value, kind)
    return graph.constant(np.asarray(value).astype(kind))


def _broadcast(value: Traced, shape: tuple[int, ...]) -> Traced:
    if value.shape == tuple(shape):
        return value
    return value.graph.node("Expand", [value, value.graph.constant(np.array(shape, dtype=np.int64))], tuple(shape), value.kind)


def _kind(value: Any, graph: Graph) -> str:
    if isinstance(value, Traced):
        return value.kind
    found = np.asarray(value).dtype.kind
    return "bool" if found == "b" else "int64" if found in "iu" else graph.dtype


def _together(graph: Graph, values: Sequence[Any]) -> tuple[list[Traced], str]:
    """The arrays in one type: numbers where there are any, then whole numbers."""
    kinds = {_kind(v, graph) for v in values}
    kind = graph.dtype if graph.dtype in kinds else "int64" if "int64" in kinds else "bool"
    return [_typed(graph, v, kind) for v in values], kind


def _graph(*values: Any) -> Graph | None:
    return next((v.graph for v in values if isinstance(v, Traced)), None)


def binary(operator: str, left: Any, right: Any, result: str = "") -> Traced:
    """An operator of two arrays, entry by entry."""
    graph = _graph(left, right)
    assert graph is not None
    both, kind = _together(graph, (left, right))
    if kind == "bool" and operator not in ("And", "Or", "Equal"):
        both, kind = [cast(b, "int64") for b in both], "int64"
    return graph.node(operator, both, np.broadcast_shapes(*[b.shape for b in both]), result or kind)


def _product(graph: Graph, left: Any, right: Any) -> Traced:
    a, b = (_typed(graph, v, graph.dtype) for v in (left, right))
    shape = np.matmul(np.empty(a.shape), np.empty(b.shape)).shape
    # vectors as matrices: onnxruntime (1.32) fuses A.T @ v for a vector v wrongly
    a, b = a.reshape(1, *a.shape) if a.ndim == 1 else a, b.reshape(*b.shape, 1) if b.ndim == 1 else b
    there = np.matmul(np.empty(a.shape), np.empty(b.shape)).shape
    return graph.node("MatMul", [a, b], there, graph.dtype).reshape(*shape)


def _unary(operator: str, plain: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def called(value: Any) -> Any:
        if not isinstance(value, Traced):
            return plain(value)
        value = cast(value, value.graph.dtype)
        return value.graph.node(operator, [value], value.shape, value.kind)
    return called


UNARY = {"exp": "Exp", "log": "Log", "tanh": "Tanh", "sqrt": "Sqrt", "floor": "Floor", "sin": "Sin", "cos": "Cos", "arctan": "Atan",
         "sinh": "Sinh", "cosh": "Cosh", "abs": "Abs", "sign": "Sign"}


@final
class Linalg:
    """np.linalg: what ONNX has of it."""

    det = staticmethod(_unary("Det", np.linalg.det))

    def __getattr__(self, name: str) -> Any:
        raise UnknownNodeError("onnx", f"no operator for np.linalg.{name}", "a program without it")


@final
class Names:
    """The names of NumPy that generated code uses."""

    pi, e, nan, inf = np.pi, np.e, np.nan, np.inf
    float64, float32, int64 = np.float64, np.float32, np.int64
    arange = staticmethod(np.arange)
    linalg = Linalg()
    erf = staticmethod(_unary("Erf", np.vectorize(math.erf, otypes=[np.float64])))

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        for name, operator in UNARY.items():
            setattr(self, name, _unary(operator, getattr(np, name)))

    def zeros(self, shape: Any, dtype: Any = None) -> Traced:
        return self.graph.constant(np.zeros(shape)).copy()

    def asarray(self, value: Any, dtype: Any = None) -> Any:
        if isinstance(value, Traced):
            return value if dtype is None else cast(value, self.graph.dtype)
        return np.asarray(value, dtype=dtype)

    def array(self, value: Any, dtype: Any = None) -> Any:
        return self.asarray(value, dtype)

    def where(self, test: Any, yes: Any, no: Any) -> Any:
        if _graph(test, yes, no) is None:
            return np.where(test, yes, no)
        both, kind = _together(self.graph, (yes, no))
        test = _typed(self.graph, test, "bool")
        return self.graph.node("Where", [test, *both], np.broadcast_shapes(test.shape, *[b.shape for b in both]), kind)

    def _of_two(self, operator: str, plain: Any, a: Any, b: Any) -> Any:
        return plain(a, b) if _graph(a, b) is None else binary(operator, a, b)

    def maximum(self, a: Any, b: Any) -> Any:
        return self._of_two("Max", np.maximum, a, b)

    def minimum(self, a: Any, b: Any) -> Any:
        return self._of_two("Min", np.minimum, a, b)

    def clip(self, value: Any, low: Any, high: Any) -> Any:
        return self.minimum(self.maximum(value, low), high)

    def heaviside(self, z: Any, zero: Any) -> Any:
        if _graph(z) is None:
            return np.heaviside(z, zero)
        return self.where(z > 0, 1.0, self.where(z < 0, 0.0, self.where(z == 0, zero, z)))

    def expm1(self, x: Any) -> Any:
        """e^x - 1 from e^x and its logarithm (Kahan)."""
        if _graph(x) is None:
            return np.expm1(x)
        u = self.exp(x)
        near = (abs(x) < 1) & (u != 1)
        made = (u - 1) * (x / self.log(self.where(near, u, 2.0)))
        return self.where(near, made, self.where(abs(x) < 1, x, u - 1))

    def log1p(self, x: Any) -> Any:
        """log(1 + x) from u = 1 + x as it was rounded, and what that is off (Kahan)."""
        if _graph(x) is None:
            return np.log1p(x)
        u = 1 + x
        near = (abs(x) < 1) & (u != 1)
        made = self.log(self.where(near, u, 2.0)) * (x / self.where(near, u - 1, 1.0))
        return self.where(near, made, self.where(abs(x) < 1, self.where(u == 1, x, self.log(u)), self.log(u)))

    def logaddexp(self, a: Any, b: Any) -> Any:
        if _graph(a, b) is None:
            return np.logaddexp(a, b)
        apart = a - b
        return self.where(self._eq(a, b), a + np.log(2), self.maximum(a, b) + self.log1p(self.exp(-abs(apart))))

    @staticmethod
    def _eq(a: Any, b: Any) -> Any:
        return a == b

    def broadcast_to(self, value: Any, shape: Any) -> Any:
        return _broadcast(_typed(self.graph, value, self.graph.dtype), tuple(shape)).copy()

    def vdot(self, a: Any, b: Any) -> Any:
        return (lift(self.graph, a) * b).sum()

    def einsum(self, spec: str, *factors: Any, optimize: bool = False) -> Traced:
        arrays = [_typed(self.graph, f, self.graph.dtype) for f in factors]
        shape = np.einsum(spec, *[np.empty(a.shape) for a in arrays]).shape
        return self.graph.node("Einsum", arrays, shape, self.graph.dtype, equation=spec)

    def scatter(self, at: Any, values: Any, shape: tuple[int, ...]) -> Traced:
        """Rows added up by class."""
        place = lift(self.graph, at)
        rows = _broadcast(_typed(self.graph, values, self.graph.dtype), (*place.shape, *shape[1:]))
        return self.graph.node("ScatterND", [self.graph.constant(np.zeros(shape)), place.reshape(*place.shape, 1), rows], shape,
                               self.graph.dtype, reduction="add")

    def gauss(self, z: Any) -> Any:
        """Φ(z) with all digits in both tails: erfc(x) = t exp(P(t) - x²), t = 2/(2 + x), P by Chebyshev's polynomials."""
        if _graph(z) is None:
            return 0.5 * math.erfc(-z / math.sqrt(2))
        x = abs(z) * math.sqrt(0.5)
        t = 2 / (2 + x)
        twice, b, c = 4 * t - 2, 0.0, 0.0
        for factor in tail()[:0:-1]:
            b, c = twice * b - c + factor, b
        half = 0.5 * t * self.exp(0.5 * (tail()[0] + twice * b) - c - x * x)
        return self.where(z < 0, half, 1 - half)

    def norm(self, v: Any, axis: Any) -> Any:
        """The root of a sum of squares, of v next to its largest entry."""
        top = abs(v).max(axis=axis, keepdims=True)
        top = self.where((top == 0) | (top == np.inf), 1.0, top)
        return self.sqrt(((v / top) ** 2).sum(axis=axis)) * top.sum(axis=axis)

    def __getattr__(self, name: str) -> Any:  # what is not here
        raise UnknownNodeError("onnx", f"no operator for np.{name}", "a function with a form in ONNX")


@cache
def tail() -> tuple[float, ...]:
    """Chebyshev's coefficients of log(erfc(x) exp(x²)/t) over t in 0..1, from 50 digits; the first is twice the constant."""
    import mpmath

    count = 40
    with mpmath.workdps(50):
        def value(t: Any) -> Any:
            x = 2 / t - 2
            grown = mpmath.erfc(x) * mpmath.exp(x * x) if x < 1000 else 1 / (x * mpmath.sqrt(mpmath.pi)) * (1 - 1 / (2 * x * x))
            return mpmath.log(grown / t)

        angles = [mpmath.pi * (k + mpmath.mpf(1) / 2) / count for k in range(count)]
        values = [value((mpmath.cos(a) + 1) / 2) for a in angles]
        return tuple(float(2 * sum(v * mpmath.cos(n * a) for v, a in zip(values, angles, strict=True)) / count) for n in range(count))


OWN: Mapping[str, str] = {name: f"def {name}(*args):\n    return np.{name}(*args)\n" for name in ("erf", "gauss", "scatter", "norm")}
