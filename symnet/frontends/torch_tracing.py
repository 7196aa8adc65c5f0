"""A PyTorch function traced while PyTorch itself runs it: every operator, those of its backward too, on tensors of symbolic sizes.

PyTorch runs the function under its own autograd, on fake tensors, which have sizes and no numbers; a dispatch mode sees each ATen operator
and adds it to a graph. In-place operators and writes through views are read as the new values of what was written into. Python sees sizes
as torch.SymInt, and PyTorch keeps what was asked of them (``guards``): a trace holds for the sizes that answer all of it alike.
"""

from __future__ import annotations

import itertools
import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sympy as sp

from symnet.core.axes import Axis
from symnet.core.numbers import rational
from symnet.core.simple_numbers import read_float
from symnet.core.tensors import Role
from symnet.core.user_code import StandIn, instead
from symnet.errors import ShapeError
from symnet.frontends.torch_library import TracingParts
from symnet.frontends.torch_ops import TRACED
from symnet.indexing.graph import Graph, unsupported
from symnet.indexing.operations import Array, Maker

MOST_CONSTANTS = 64  # numbers of a tensor that is no argument
ON_TRUTHS = frozenset({"where", "logical_not", "logical_and", "logical_or", "logical_xor", "bitwise_not", "bitwise_and", "bitwise_or",
                       "masked_fill", "index", "index_put", "_to_copy", "eq", "ne", "detach", "alias", "view", "expand", "unsqueeze",
                       "squeeze", "clone", "copy", "slice", "select", "t", "transpose", "permute", "masked_scatter", "any", "all"})
SIZES_SHOWN = (*range(2, 41), 64, 97, 100, 128, 211, 1000, 4096, 10**6 + 3)  # sizes at which a guard is looked at
MOST_TRIED = 20_000
ENTRYWISE = frozenset({"add", "sub", "mul", "div", "neg", "exp", "log", "tanh", "sigmoid", "pow", "sqrt", "rsqrt", "square", "abs", "sign",
                       "reciprocal", "relu", "clone", "detach", "alias", "_to_copy"})  # done to x[mask] as to x
REASONS = "the same operations for all sizes"


@dataclass(frozen=True, slots=True)
class _View:
    """The operator that made a view, its arguments behind the tensor, and which of several results the view is."""

    name: str
    more: tuple[Any, ...]
    named: Mapping[str, Any]
    part: int | None

    def of(self, maker: Maker, whole: Array) -> Array:
        """The view of a whole."""
        made = TRACED[self.name](maker, whole, *self.more, **self.named)
        return made if isinstance(made, Array) else made[self.part or 0]


@dataclass
class _Held:
    """A tensor while it is alive, and what it holds now; a view knows what it is a view of."""

    tensor: Any
    array: Array
    base: _Held | None = None
    view: _View | None = None
    mask: Array | None = None  # x[mask]: ``array`` is whole, and counts where the mask is true
    views: list[_Held] = field(default_factory=list)


class TorchTracing:
    """One session: sizes, tensors, and the graph of all that was run under ``recorded``. A class with state, used once."""

    def __init__(self, parts: TracingParts, who: str) -> None:
        self.parts, self.who = parts, who
        self.graph = Graph()
        self.maker = Maker(self.graph, who)
        self.env = parts.shape_env()
        self.fakes = parts.fake_mode(shape_env=self.env, static_shapes=False, allow_non_fake_inputs=True)
        self.sizes: dict[Any, sp.Symbol] = {}  # PyTorch's symbol -> ours
        self.ints: dict[sp.Symbol, Any] = {}  # ours -> PyTorch's SymInt
        self.held: dict[int, _Held] = {}
        self.read_as: dict[str, None] = {}  # floats that came from arithmetic, and what they were read as

    # What goes in.

    def size(self, symbol: sp.Symbol, like: int) -> None:
        """A new size; ``like`` is a number of which no other size and no constant is a neighbour."""
        made = self.fakes.from_tensor(self.parts.torch.empty(like), static_shapes=False).shape[0]
        self.ints[symbol] = made
        self.sizes[made.node.expr] = symbol

    def _length(self, size: sp.Expr) -> Any:
        if size.is_Integer:
            return int(size)
        factor, symbol = size.as_coeff_Mul()
        return self.ints[symbol] if factor == 1 else int(factor) * self.ints[symbol]

    def input(self, name: str, axes: tuple[Axis, ...], dtype: Any, role: Role) -> Array:
        """An input of the graph."""
        domain = "bool" if dtype is self.parts.torch.bool else "real" if dtype.is_floating_point else "index"
        return Array(self.graph.add_input(name, axes, role, "", domain), tuple(a.size for a in axes))

    def tensor(self, array: Array, dtype: Any, requires_grad: bool = False) -> Any:
        """A fake tensor that holds an array."""
        with self.parts.torch.utils._python_dispatch._disable_current_modes(), self.fakes:
            made = self.parts.torch.empty(tuple(map(self._length, array.shape)), dtype=dtype)
        made.requires_grad_(requires_grad)
        self.held[id(made)] = _Held(made, array)
        return made

    # The run.

    @contextmanager
    def recorded(self, functions: Sequence[Any]) -> Iterator[None]:
        """Within, what PyTorch does is recorded; ``functions`` are the user's, whose math.sqrt of a size stays one."""
        outer = self

        class Recorder(self.parts.dispatch_mode):  # type: ignore[misc, name-defined]
            def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
                return outer._called(self, func, args, kwargs or {})

        with ExitStack() as stack:
            for function in functions:
                stack.enter_context(instead(function, [self._maths()], {"float": self._float, "len": self._len}))
            stack.enter_context(self.fakes)
            stack.enter_context(Recorder())
            stack.enter_context(self.wide())
            yield

    def wide(self) -> Any:
        """Within, functions that would fix a size leave it a name; PyTorch leaves it when it calls a backward."""
        torch = self.parts.torch

        class Wide(self.parts.function_mode):  # type: ignore[misc, name-defined]
            def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
                name = getattr(func, "__name__", "")
                if name == "one_hot" and isinstance(args[-1], torch.SymInt):
                    return (args[0].unsqueeze(-1) == torch.arange(args[-1])).long()
                if name == "einsum" and isinstance(args[0], str) and "." not in args[0]:
                    return _einsum(args[0], args[1] if isinstance(args[1], (list, tuple)) else args[1:])
                return func(*args, **(kwargs or {}))
        return Wide()

    def _maths(self) -> StandIn:
        torch = self.parts.torch

        def root(x: Any) -> Any:
            return torch.sym_sqrt(x) if isinstance(x, (torch.SymInt, torch.SymFloat)) else math.sqrt(x)
        return StandIn(math, {"sqrt": root}, lambda: True)

    def _float(self, x: Any = 0.0) -> Any:
        torch = self.parts.torch
        return torch.sym_float(x) if isinstance(x, (torch.SymInt, torch.SymFloat)) else float(x)

    def _len(self, x: Any) -> Any:
        return x.shape[0] if isinstance(x, self.parts.torch.Tensor) and x.dim() else len(x)

    def array(self, tensor: Any) -> Array:
        """What a tensor holds now; one that is no argument is a constant."""
        found = self.held.get(id(tensor))
        if found is None:
            found = self.held[id(tensor)] = _Held(tensor, self._constant(tensor))
        return found.array

    def _constant(self, tensor: Any) -> Array:
        if isinstance(tensor, self.parts.fake_tensor):
            if tensor.constant is None:
                raise unsupported("a tensor whose origin is not seen", self.maker.where, "operators of PyTorch")
            tensor = tensor.constant
        if tensor.numel() > MOST_CONSTANTS:
            raise unsupported(f"a tensor of shape {tuple(tensor.shape)} that is no argument", self.maker.where, "tensors as arguments")
        with self.parts.torch.utils._python_dispatch._disable_current_modes():
            numbers = [self.exact(v) for v in tensor.detach().reshape(-1).tolist()]
        if tensor.dim() == 0:
            return self.maker.number(numbers[0])
        return self.maker.table(tuple(tensor.shape), [sp.sympify(v, strict=True) if isinstance(v, bool) else v for v in numbers])

    def exact(self, value: Any) -> Any:
        """A number of the user's exactly; a float that came from arithmetic is the simple number that it is the rounding of."""
        if not isinstance(value, float) or not math.isfinite(value):
            return value
        found, said = read_float(value)
        if said:
            self.read_as[said] = None
        return value if found is None else found

    def _called(self, mode: Any, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        namespace, _, name = func._schema.name.partition("::")
        if namespace == "prim":
            return func(*args, **kwargs)
        self.maker.where = self._place(name)
        written_ = [k for k, a in enumerate(func._schema.arguments) if a.alias_info is not None and a.alias_info.is_write]
        base = name.removesuffix("_") if written_ and name.endswith("_") else name
        rule = TRACED.get(base)
        if base in ("_local_scalar_dense", "nonzero"):
            raise unsupported("a branch or a number that depends on the entries of a tensor", self.maker.where,
                              "the same operators for all data: torch.where")
        if rule is None and func in self.parts.decompositions:
            with mode:
                return self.parts.decompositions[func](*args, **kwargs)
        if base == "lift_fresh":
            made = func(*args, **kwargs)
            self.held[id(made)] = _Held(made, self.array(args[0]))
            return made
        if written_ and (written_ != [0] or base == name):
            raise unsupported(f"{name} with out=", self.maker.where, "a result of its own")
        before = [self.array(t) for t in _tensors_in(self.parts.torch, (args, kwargs))]  # a constant, while it has numbers
        made = func(*args, **kwargs)
        del before
        if not any(True for _ in _tensors_in(self.parts.torch, made)):
            return made
        if rule is None:
            if "rand" in name or "bernoulli" in name or "dropout" in name:
                raise unsupported(f"{name}: a random number", self.maker.where, "the same result on every call: the mask as an argument")
            raise unsupported(f"the operator aten.{name}", self.maker.where)
        truths = base in ON_TRUTHS
        mine, named = [self._argument(a, truths) for a in args], {k: self._argument(a, truths) for k, a in kwargs.items()}
        if base == "_to_copy":
            named = {"to": _kind(self.parts.torch, kwargs.get("dtype") or args[0].dtype), "of": _kind(self.parts.torch, args[0].dtype)}
        mask = self._mask(base, args, kwargs)
        if mask is not None and base == "index":
            result: Any = mine[0]
        else:
            result = rule(self.maker, *mine, **named)
        if written_:
            target = self.held[id(args[0])]
            self._write(target, self.maker.expand(result, target.array.shape) if result.shape != target.array.shape else result)
            return made
        tensors, arrays = list(_tensors_in(self.parts.torch, made)), result if isinstance(result, (list, tuple)) else [result]
        for k, (tensor, array) in enumerate(zip(tensors, arrays, strict=False)):
            if array is None:
                continue
            held = self.held[id(tensor)] = _Held(tensor, array, mask=mask)
            if func.is_view and args and id(args[0]) in self.held:
                held.base, held.view = self.held[id(args[0])], _View(base, tuple(mine[1:]), named, k if len(tensors) > 1 else None)
                held.base.views.append(held)
        return made

    def _mask(self, base: str, args: Any, kwargs: Any) -> Array | None:
        """The truths that choose the places of a result; refused where it is more than chosen entries, each changed alone."""
        torch = self.parts.torch
        masks = {h.mask for t in _tensors_in(torch, (args, kwargs)) if (h := self.held.get(id(t))) is not None and h.mask is not None}
        places = args[1] if base in ("index", "index_put") else ()
        chosen = [t for t in places if t is not None and t.dtype is torch.bool]
        if base == "index" and chosen and not masks:
            if len(places) == 1 and chosen[0].dim() == args[0].dim():
                return self.array(chosen[0])
            raise unsupported("x[mask] with a mask for some axes", self.maker.where, "a mask of x's shape, or torch.where")
        if not masks:
            return None
        whole = [t for t in _tensors_in(torch, (args[:1] if base == "index_put" else args, kwargs)) if t.dim() and self._unmasked(t)]
        if base == "index_put" and [self.array(t) for t in chosen] == list(masks) and not self._unmasked(args[2]):
            return None
        if base in ENTRYWISE and len(masks) == 1 and not whole:
            return masks.pop()
        raise unsupported(f"aten.{base} of x[mask]", self.maker.where, "the whole array: torch.where(mask, x, 0)")

    def _unmasked(self, tensor: Any) -> bool:
        held = self.held.get(id(tensor))
        return held is None or held.mask is None

    def _place(self, name: str) -> str:
        """The line of the user's file, and the operator."""
        frame = sys._getframe(2)
        while frame is not None:
            module = str(frame.f_globals.get("__name__", "")).split(".")[0]
            if module not in ("torch", "symnet", "contextlib", "sympy") and not frame.f_code.co_filename.startswith("<"):
                return f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}, aten.{name}"
            if frame.f_back is None:
                break
            frame = frame.f_back
        return f"{self.who}, aten.{name}"

    def _argument(self, value: Any, truths: bool) -> Any:
        torch = self.parts.torch
        if isinstance(value, torch.Tensor):
            found = self.array(value)
            return found if truths or value.dtype is not torch.bool else self.maker.map("indicator", found)
        if isinstance(value, (torch.SymInt, torch.SymFloat, torch.SymBool)):
            return self.expression(value.node.expr)
        if isinstance(value, (list, tuple)):
            return [self._argument(v, truths) for v in value]
        return self.exact(value)

    def expression(self, expr: Any) -> Any:
        """What PyTorch computed of sizes, in ours."""
        if expr in self.sizes:
            return self.sizes[expr]
        if expr.is_Integer or isinstance(expr, (bool, int)):
            return sp.Integer(int(expr))
        if expr.is_number and not expr.args:
            found = self.exact(float(expr))
            return found if isinstance(found, sp.Basic) else rational(found)
        rule = SIZE_FUNCTIONS.get(type(expr).__name__)
        if rule is None:
            raise unsupported(f"{type(expr).__name__} of a size", self.maker.where, REASONS)
        return rule(*map(self.expression, expr.args))

    # Writes.

    def _write(self, held: _Held, array: Array, through: _Held | None = None) -> None:
        if held.base is not None:
            self._write(held.base, self._put_back(held, array), held)
        held.array = array
        self._refresh(held, through)

    def _refresh(self, held: _Held, through: _Held | None = None) -> None:
        for other in held.views:
            if other is not through:
                assert other.view is not None
                other.array = other.view.of(self.maker, held.array)
                self._refresh(other)

    def _put_back(self, held: _Held, array: Array) -> Array:
        """The whole that a view is a part of, with the part written anew."""
        assert held.base is not None and held.view is not None
        whole, name, more = held.base.array, held.view.name, held.view.more
        if name in ("view", "_unsafe_view", "unsqueeze", "squeeze", "alias", "detach"):
            return self.maker.reshape(array, whole.shape)
        if name in ("t", "transpose"):
            return held.view.of(self.maker, array)
        if name == "permute":
            return self.maker.permute(array, [[k % whole.rank for k in more[0]].index(j) for j in range(whole.rank)])
        if name in ("slice", "select") and more and not held.view.named:
            return self._in_place(whole, array, name, more)
        raise unsupported(f"a write through a view made by {name}", self.maker.where, "a result of its own")

    def _in_place(self, whole: Array, part: Array, name: str, more: tuple[Any, ...]) -> Array:
        axis = more[0] % whole.rank
        size = whole.shape[axis]
        if name == "select":
            start = more[1] if _positive(more[1]) else size + more[1]
            part = self.maker.reshape(part, [*part.shape[:axis], 1, *part.shape[axis:]])
        else:
            begin, *rest = (*more[1:], None, None)[:3]
            if rest[1] not in (None, 1):
                raise unsupported("a write into every other place", self.maker.where, "neighbouring places")
            start = sp.S.Zero if begin is None else begin if _positive(begin) else size + begin
        stop = sp.expand(start + part.shape[axis])
        if sp.expand(stop - size) == 0 and start == 0:
            return part
        low, high = sp.expand(start), sp.expand(size - stop)
        padded = self.maker.pad(part, axis, low, high)
        there = self.maker.iota([size if k == axis else 1 for k in range(whole.rank)], axis)
        inside = [self.maker.map("ge", there, low)] if low != 0 else []
        inside += [self.maker.map("lt", there, stop)] if high != 0 else []
        test = inside[0] if len(inside) == 1 else self.maker.map("and", *inside)
        return self.maker.map("select", test, padded, whole)

    # What was asked of the sizes.

    def asked(self) -> int:
        """How many questions about sizes were asked."""
        return len(self.env.guards)

    def forget(self, count: int) -> None:
        """Forget the questions behind the first ``count``."""
        del self.env.guards[count:]

    def restricted(self) -> str:
        """What the function asked of sizes that is not so for all of them; "" where the trace holds for all."""
        for symbol, value in self.env.replacements.items():
            if symbol in self.sizes:
                return f"{self.sizes[symbol]} = {value}"
        for guard in self.env.guards:
            if not self._always(guard.expr):
                return str(guard.expr.xreplace(dict(self.sizes)))
        return ""

    def _always(self, condition: Any) -> bool:
        symbols = sorted(condition.free_symbols, key=str)
        if any(abs(int(n)) > 200 for n in condition.atoms(sp.Integer)):
            return False
        count = len(symbols)
        choices = SIZES_SHOWN if count < 2 else tuple(range(2, 12)) if count == 2 else (2, 3, 5, 8)
        points = list(itertools.islice(itertools.product(choices, repeat=count), MOST_TRIED))
        points += [tuple(97 + 31 * ((k + j) % 4) for k in range(count)) for j in range(4)]
        try:
            return all(bool(condition.xreplace(dict(zip(symbols, map(sp.Integer, p), strict=True)))) for p in points)
        except TypeError:
            return False


def _positive(place: Any) -> bool:
    """True for a place from the front."""
    return bool(place >= 0) if isinstance(place, int) else bool(sp.sympify(place, strict=True).is_nonnegative)


def _kind(torch: Any, dtype: Any) -> str:
    return "bool" if dtype is torch.bool else "real" if dtype.is_floating_point else "index"


def _tensors_in(torch: Any, value: Any) -> Iterator[Any]:
    """The tensors among arguments or results, in order."""
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, (list, tuple)):
        for v in value:
            yield from _tensors_in(torch, v)
    elif isinstance(value, Mapping):
        yield from _tensors_in(torch, list(value.values()))


def _einsum(letters: str, tensors: Sequence[Any]) -> Any:
    """The sum of products by letters, written with products and one sum."""
    left, _, kept = letters.replace(" ", "").partition("->")
    parts = left.split(",")
    kept = kept if "->" in letters else "".join(sorted(c for c in set(left) - {","} if left.count(c) == 1))
    order = [*kept, *sorted(set(left) - {",", *kept})]
    product = None
    for part, tensor in zip(parts, tensors, strict=True):
        while len(set(part)) < len(part):  # a letter twice: the diagonal, which comes last
            twice = next(c for c in part if part.count(c) > 1)
            i, j = (k for k, c in enumerate(part) if c == twice)
            tensor, part = tensor.diagonal(0, i, j), part.replace(twice, "") + twice
        tensor = tensor.permute([part.index(c) for c in order if c in part])
        for k, c in enumerate(order):
            tensor = tensor if c in part else tensor.unsqueeze(k)
        product = tensor if product is None else product * tensor
    assert product is not None
    return product.sum(list(range(len(kept), len(order)))) if len(order) > len(kept) else product


def _floor_division(a: sp.Expr, b: sp.Expr) -> sp.Expr:
    return sp.cancel(a / b) if sp.cancel(a / b).is_integer else sp.floor(a / b)


def _same(a: sp.Expr) -> sp.Expr:
    return a


SIZE_FUNCTIONS: dict[str, Callable[..., sp.Expr]] = {
    "Add": sp.Add, "Mul": sp.Mul, "Pow": sp.Pow, "ToFloat": _same, "TruncToInt": _same, "FloatTrueDiv": lambda a, b: a / b,
    "IntTrueDiv": lambda a, b: a / b, "CleanDiv": lambda a, b: sp.cancel(a / b), "FloorDiv": _floor_division,
    "FloatPow": lambda a, b: a**b, "PowByNatural": lambda a, b: a**b, "OpaqueUnaryFn_sqrt": sp.sqrt, "OpaqueUnaryFn_log": sp.log,
    "OpaqueUnaryFn_exp": sp.exp, "Identity": _same,
}


def refuse_sizes(who: str, found: str) -> ShapeError:
    """The error for a function that runs at no sizes but its own."""
    return ShapeError(who, found, REASONS)
