"""What a program means, as JAX or PyTorch says, in float64, from the trees of ``laws.language`` alone.

A line is computed over all of its indices at once: a letter is a whole-number array along an axis of its own, an entry is a gather,
a sum goes over the last axis. A line that uses its own tensor is filled in place by place.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, reduce
from typing import Any

import numpy as np
from laws.language import Apply, Choice, Count, Entry, Expr, Held, Line, Number, Op, Power, Source, Total

Arrays = dict[str, Any]


@cache
def jax() -> Any:
    """JAX with 64-bit numbers."""
    import jax as library

    library.config.update("jax_enable_x64", True)
    return library


class Jax:
    """The operations in jax.lax; elementary functions by their textbook formulas."""

    def __init__(self) -> None:
        lax, like = jax().lax, jax().numpy.full_like

        def sig(z: Any) -> Any:
            one = like(z, 1.0)
            return lax.div(one, lax.add(one, lax.exp(lax.neg(z))))

        def chosen(slope: float) -> Callable[[Any], Any]:
            return lambda z: lax.select(lax.gt(z, like(z, 0.0)), z, lax.mul(like(z, slope), z))

        self.functions: dict[str, Callable[..., Any]] = {
            "exp": lax.exp, "log": lax.log, "sqrt": lax.sqrt, "tanh": lax.tanh, "sin": lax.sin, "cos": lax.cos, "sinh": lax.sinh, "cosh": lax.cosh,
            "arctan": lax.atan, "erf": lax.erf, "abs": lambda z: lax.mul(z, lax.sign(z)),  # slope 0 at 0, as stated
            "sigmoid": sig, "relu": chosen(0.0), "leaky": chosen(0.1),
            "softplus": lambda z: lax.log(lax.add(like(z, 1.0), lax.exp(z))), "maximum": lax.max, "minimum": lax.min, "sign": lax.sign,
            "square": lambda z: lax.mul(z, z), "silu": lambda z: lax.mul(z, sig(z)), "expm1": lambda z: lax.sub(lax.exp(z), like(z, 1.0)),
            "log1p": lambda z: lax.log(lax.add(like(z, 1.0), z)),
        }
        self.max, self.min, self.power = lax.max, lax.min, lax.integer_pow
        self.arithmetic = {"+": lax.add, "-": lax.sub, "*": lax.mul, "/": lax.div}
        self.compare = {">": lax.gt, "<": lax.lt, ">=": lax.ge, "<=": lax.le}
        self.select = lax.select
        self._gather = lax.GatherDimensionNumbers(offset_dims=(), collapsed_slice_dims=(0,), start_index_map=(0,))
        self._scatter = lax.ScatterDimensionNumbers(update_window_dims=(), inserted_window_dims=(0,), scatter_dims_to_operand_dims=(0,))

    def array(self, a: Any) -> Any:
        """What the operations take: NumPy's own arrays."""
        return a

    def taken(self, array: Any, where: np.ndarray[Any, Any]) -> Any:
        """array[where], both flat."""
        return jax().lax.gather(array, where.astype(np.int32)[:, None], self._gather, (1,), mode="clip")

    def added(self, array: Any, where: np.ndarray[Any, Any], n: int) -> Any:
        """Σ of the entries that go to each of n places."""
        return jax().lax.scatter_add(np.zeros(n), where.astype(np.int32)[:, None], array, self._scatter, mode="clip")

    def joined(self, old: Any, found: Any) -> Any:
        """One behind the other."""
        return jax().lax.concatenate([old, found], 0)

    def value_and_grad(self, loss: Callable[[Arrays], Any], given: Arrays, wrt: Sequence[str]) -> tuple[Any, Arrays]:
        """The value, and its gradient for each name."""
        found: tuple[Any, Arrays] = jax().value_and_grad(lambda some: loss({**given, **some}))({k: given[k] for k in wrt})
        return found


class Torch:
    """The operations in PyTorch, which compiles nothing: some thirty times faster for small arrays that differ in shape."""

    def __init__(self) -> None:
        import torch

        def chosen(slope: float) -> Callable[[Any], Any]:
            return lambda z: torch.where(z > 0, z, slope * z)

        def sig(z: Any) -> Any:
            return 1.0 / (1.0 + torch.exp(-z))

        self.torch = torch
        self.functions: dict[str, Callable[..., Any]] = {
            **{name: getattr(torch, name) for name in ("exp", "log", "sqrt", "tanh", "sin", "cos", "sinh", "cosh", "erf", "maximum", "minimum", "sign")},
            "arctan": torch.atan, "abs": lambda z: z * torch.sign(z), "sigmoid": sig, "relu": chosen(0.0), "leaky": chosen(0.1),
            "softplus": lambda z: torch.log(1.0 + torch.exp(z)), "square": lambda z: z * z, "silu": lambda z: z * sig(z),
            "expm1": lambda z: torch.exp(z) - 1.0, "log1p": lambda z: torch.log(1.0 + z),
        }
        self.max, self.min, self.power = torch.maximum, torch.minimum, torch.pow
        self.arithmetic = {"+": torch.add, "-": torch.sub, "*": torch.mul, "/": torch.div}
        self.compare = {">": torch.gt, "<": torch.lt, ">=": torch.ge, "<=": torch.le}
        self.select = torch.where

    def array(self, a: Any) -> Any:
        """What the operations take."""
        return self.torch.as_tensor(a)

    def taken(self, array: Any, where: np.ndarray[Any, Any]) -> Any:
        """array[where], both flat."""
        return self.array(array)[self.torch.from_numpy(where.astype(np.int64))]

    def added(self, array: Any, where: np.ndarray[Any, Any], n: int) -> Any:
        """Σ of the entries that go to each of n places."""
        return self.torch.zeros(n, dtype=self.torch.float64).index_add(0, self.torch.from_numpy(where.astype(np.int64)), array)

    def joined(self, old: Any, found: Any) -> Any:
        """One behind the other."""
        return self.torch.cat([self.array(old), found])

    def value_and_grad(self, loss: Callable[[Arrays], Any], given: Arrays, wrt: Sequence[str]) -> tuple[Any, Arrays]:
        """The value, and its gradient for each name."""
        torch = self.torch
        some = {k: torch.tensor(given[k], dtype=torch.float64, requires_grad=True) for k in wrt}
        value = loss({**given, **some})
        slopes = torch.autograd.grad(value, list(some.values()), allow_unused=True) if value.requires_grad else [None] * len(some)
        return value.detach().numpy(), {k: np.zeros_like(given[k]) if g is None else g.numpy() for k, g in zip(wrt, slopes, strict=True)}


@cache
def library(name: str) -> Jax | Torch:
    """The operations of "jax" or "torch"."""
    return {"jax": Jax, "torch": Torch}[name]()


COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "<=": lambda a, b: a <= b, "<": lambda a, b: a < b, "==": lambda a, b: a == b, ">=": lambda a, b: a >= b, ">": lambda a, b: a > b}


class OutOfRange(Exception):
    """The generator made a program that leaves an axis: a fault of the laws, never of symnet."""


class Scope:
    """Letters, each an array along its own axis; ``mask`` is where the bounds of all sums hold.

    Values over a scope lie flat, filled up to a power of two, so that JAX meets few shapes: it compiles every operation for each.
    """

    def __init__(self, env: dict[str, Any], shape: tuple[int, ...], mask: Any = None) -> None:
        self.env, self.shape, self.mask = env, shape, mask
        self.count = math.prod(shape)
        self.padded = padded(self.count)

    def under(self, letter: str, low: Any, high: Any) -> Scope:
        """With one more letter, along a new last axis."""
        lo, hi = np.asarray(low), np.asarray(high)
        first, last = (int(lo.min()), int(hi.max())) if lo.size and hi.size else (1, 0)
        values = np.arange(first, max(last, first - 1) + 1)
        env = {k: v[..., None] if isinstance(v, np.ndarray) and v.ndim else v for k, v in self.env.items()}
        env[letter] = values.reshape((1,) * len(self.shape) + (-1,))
        mask = None if self.mask is None else self.mask[..., None]
        if lo.ndim or hi.ndim:
            own = (env[letter] >= _more(lo)) & (env[letter] <= _more(hi))
            mask = own if mask is None else mask & own
        return Scope(env, (*self.shape, len(values)), mask)

    def flat(self, a: Any) -> np.ndarray[Any, Any]:
        """Numbers over the scope, flat and filled up with the first, so that what is filled in divides as the rest does."""
        array = np.broadcast_to(np.asarray(a), self.shape).ravel()
        return np.concatenate([array, np.full(self.padded - self.count, array[0] if array.size else 1, array.dtype)])


def padded(count: int) -> int:
    """The power of two that holds ``count`` numbers."""
    return 1 << max(count - 1, 0).bit_length()


def _more(a: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return a[..., None] if a.ndim else a


@dataclass(frozen=True)
class Shapes:
    """The shape and the first place of every tensor."""

    shape: dict[str, tuple[int, ...]]
    first: dict[str, tuple[int, ...]]


def value(node: Expr, scope: Scope, arrays: Arrays, shapes: Shapes, ops: Jax | Torch) -> Any:
    """The flat array of a node over the scope."""
    def go(n: Expr) -> Any:
        return value(n, scope, arrays, shapes, ops)

    def filled(n: Expr) -> Any:  # an array of its own, whatever it is made of
        return ops.arithmetic["+"](go(n), zeros)

    zeros = ops.array(np.zeros(scope.padded))

    match node:
        case Number(v):
            return ops.array(np.full(scope.padded, v.numerator / v.denominator))
        case Count(place):
            return ops.array(scope.flat(np.asarray(place.value(scope.env), dtype=np.float64)))
        case Entry(name, places):
            return ops.taken(arrays[name], scope.flat(_where(name, places, scope, shapes)))
        case Total(body, over):
            inner = scope
            for letter, low, high in over:
                inner = inner.under(letter, low.value(inner.env), high.value(inner.env))
            if not inner.count:
                return zeros
            found = value(body, inner, arrays, shapes, ops)
            held = inner.flat(True if inner.mask is None else inner.mask)
            held[inner.count:] = False
            if not held.all():
                nothing = ops.array(np.zeros(inner.padded))
                found = ops.select(ops.array(held), ops.arithmetic["+"](found, nothing), nothing)
            return ops.added(found, inner.flat(np.arange(inner.count).reshape(inner.shape) // (inner.count // max(scope.count, 1))), scope.padded)
        case Op(sign, a, b):
            return ops.arithmetic[sign](go(a), go(b))
        case Power(base, by):
            return ops.power(go(base), by)
        case Apply("max" | "min" as name, args):
            return reduce(ops.max if name == "max" else ops.min, map(go, args))
        case Apply("clip", (z, lo, hi)):
            return ops.min(ops.max(go(z), go(lo)), go(hi))
        case Apply(name, args):
            return ops.functions[name](*map(filled, args))
        case Choice(sign, a, b, yes, no):
            return ops.select(ops.compare[sign](go(a), go(b)), filled(yes), filled(no))
        case Held(sign, p, q):
            return ops.array(scope.flat(np.asarray(COMPARE[sign](p.value(scope.env), q.value(scope.env)), dtype=np.float64)))
        case _:
            raise TypeError(node)


def _where(name: str, places: Sequence[Any], scope: Scope, shapes: Shapes) -> Any:
    """The flat places of an entry; raises OutOfRange where a place that counts is not there."""
    found: Any = 0
    for place, n, first in zip(places, shapes.shape[name], shapes.first[name], strict=True):
        where = np.asarray(place.value(scope.env)) - first
        wrong = np.broadcast_to((where < 0) | (where >= n), scope.shape)
        if (wrong if scope.mask is None else wrong & scope.mask).any():
            raise OutOfRange(f"{name} at {place}")
        found = found * n + np.clip(where, 0, max(n - 1, 0))
    return found


def run(source: Source, inputs: Arrays, sizes: dict[str, int], by: str = "jax") -> Arrays:
    """Every tensor's flat array, from the inputs' flat arrays."""
    ops = library(by)
    shapes = Shapes({name: shape_at(source, name, sizes) for name in source.shapes},
                    {name: tuple(a.first for a in axes) for name, axes in source.shapes.items()})
    arrays: Arrays = dict(inputs)
    several = {one.name for one in source.lines if sum(o.name == one.name for o in source.lines) > 1} | set(source.notes.get("looping", ()))
    for name in several:
        arrays[name] = np.full(padded(math.prod(shapes.shape[name])), np.nan)
    done: set[int] = set()
    for k, line in enumerate(source.lines):
        if k in done:
            continue
        together = next((list(g) for g in source.notes.get("blocks", ()) if k in g), [k])
        done |= set(together)
        if line.name not in several:
            arrays[line.name] = value(line.expr, _over(line, dict(sizes)), arrays, shapes, ops)
        else:
            _fill([source.lines[j] for j in together], source, arrays, sizes, shapes, ops)
    return arrays


def _over(line: Line, env: dict[str, Any]) -> Scope:
    """The scope of a line's letters that ``env`` does not fix, in the order of its axes."""
    scope = Scope(env, ())
    for letter, low, high in line.over:
        if letter not in env:
            scope = scope.under(letter, low.value(scope.env), high.value(scope.env))
    return scope


def _fill(lines: list[Line], source: Source, arrays: Arrays, sizes: dict[str, int], shapes: Shapes,
          ops: Jax | Torch) -> None:
    """Slices, and recurrences along the axis that ``notes["along"]`` names for each tensor, place by place, in the stated direction."""
    steps: list[tuple[int, int, Line, dict[str, int]]] = []
    for order, line in enumerate(lines):
        position = source.notes.get("along", {}).get(line.name)
        stepping = [] if position is None else [x for x, _, _ in line.over if x in line.places[position].names]
        for letter in stepping:
            low, high = next((lo, hi) for x, lo, hi in line.over if x == letter)
            for v in range(int(low.value(dict(sizes))), int(high.value(dict(sizes))) + 1):
                steps.append((int(line.places[position].value({**sizes, letter: v})), order, line, {letter: v}))
        if not stepping:
            steps.append((0 if position is None else int(line.places[position].value(dict(sizes))), order, line, {}))
    down = source.notes.get("down", False)
    for _, _, line, fixed in sorted(steps, key=lambda s: (-s[0] if down else s[0], s[1])):
        scope = _over(line, {**sizes, **fixed})
        if not scope.count:
            continue
        found = value(line.expr, scope, arrays, shapes, ops)
        old = arrays[line.name]
        where = np.arange(len(old))
        there = np.broadcast_to(_where(line.name, line.places, scope, shapes), scope.shape).ravel()
        where[there] = len(old) + np.arange(scope.count)
        arrays[line.name] = ops.taken(ops.joined(old, found), where)


def loss_of(source: Source, sizes: dict[str, int], by: str = "jax") -> Callable[[Arrays], Any]:
    """The objective as a function of the inputs."""
    return lambda inputs: run(source, inputs, sizes, by)[source.objective][0]


def value_and_grad(source: Source, sizes: dict[str, int], given: Arrays, by: str = "jax") -> tuple[Any, Arrays]:
    """The objective and its gradients with respect to ``source.wrt``, flat."""
    return library(by).value_and_grad(loss_of(source, sizes, by), given, source.wrt)


def shape_at(source: Source, name: str, sizes: dict[str, int]) -> tuple[int, ...]:
    """The shape of a tensor at given sizes."""
    return tuple(int(a.last.value(dict(sizes))) - a.first + 1 for a in source.shapes[name])


def flattened(array: Any) -> np.ndarray[Any, Any]:
    """An array as ``run`` takes it."""
    flat = np.asarray(array, dtype=np.float64).ravel()
    return np.concatenate([flat, np.zeros(padded(flat.size) - flat.size)])


def shaped(flat: Any, shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    """Back from ``run``."""
    return np.asarray(flat)[: math.prod(shape)].reshape(shape)
