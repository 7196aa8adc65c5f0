"""Gradient functions of PyTorch and JAX traced with symbolic sizes, as ``sn.check_code`` judges them."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import FunctionType, ModuleType
from typing import Any

import numpy as np
import sympy as sp

from symnet.core.program import Program
from symnet.core.tensors import Tensor
from symnet.core.user_code import told
from symnet.errors import OptionError, SymnetError, UnknownNodeError
from symnet.frontends.asked_conditions import asked_by
from symnet.frontends.jaxpr import Reader, jax_for, symbolic_sizes
from symnet.frontends.torch_functions import LIKE
from symnet.frontends.torch_library import tracing_parts
from symnet.frontends.torch_tracing import TorchTracing
from symnet.indexing.graph import Graph, unsupported
from symnet.indexing.lowering import GraphLowering

WHO = "check_code"


def library_of(function: Any) -> str:
    """"torch" or "jax" where the names that the function uses lead there and not to NumPy; else ""."""
    at = getattr(function, "__wrapped__", function)
    if not isinstance(at, FunctionType):
        return ""
    found = set()
    for name in at.__code__.co_names:
        value = at.__globals__.get(name)
        home = value.__name__ if isinstance(value, ModuleType) else str(getattr(value, "__module__", "") or "")
        found.add(home.split(".")[0])
    return next((x for x in ("torch", "jax") if x in found and "numpy" not in found), "")


class TorchGradients:
    """One PyTorch function; used once."""

    def __init__(self) -> None:
        self.parts = tracing_parts(WHO)
        self.tracing = TorchTracing(self.parts, "PyTorch code")

    def array(self, tensor: Tensor) -> Any:
        """The tensor that stands for an input."""
        for symbol in sorted({s for n in tensor.shape for s in n.free_symbols}, key=str):
            self.size(symbol)
        dtype = self._dtype(tensor)
        return self.tracing.tensor(self.tracing.input(tensor.name, tensor.axes, dtype, tensor.role), dtype)

    def _dtype(self, tensor: Tensor) -> Any:
        return self.parts.torch.int64 if tensor.domain == "index" else self.parts.torch.float64

    def size(self, size: sp.Expr) -> Any:
        """A size as PyTorch has it."""
        if size not in self.tracing.ints:
            self.tracing.size(size, LIKE[len(self.tracing.ints)])
        return self.tracing.ints[size]

    def run(self, function: Callable[..., Any], front: Sequence[Any], given: Mapping[str, Any]) -> Any:
        """What the function returns. Raises the error family, with the place in the user's file."""
        try:
            with self.tracing.recorded([function]):
                result = function(*front, **given)
        except UnknownNodeError:
            raise
        except Exception as error:  # whatever a user's function may raise
            raise told(error) from None
        if restricted := self.tracing.restricted():
            raise unsupported(f"the function asks whether {restricted}", "PyTorch code", "the same operations for all sizes")
        return result

    def read(self, where: str, value: Any) -> Any:
        """A returned tensor."""
        if isinstance(value, self.parts.torch.Tensor):
            return value
        raise OptionError(where, type(value).__name__, "a tensor")

    def program(self, value: Any, name: str) -> Program:
        """The program whose last line is a returned value."""
        return _program(self.tracing.graph, self.tracing.array(value).node, name)

    def plain(self, tensor: Tensor, value: Any) -> Any:
        """A tensor of numbers."""
        return self.parts.torch.tensor(np.asarray(value), dtype=self._dtype(tensor))

    @staticmethod
    def called(function: Callable[..., Any], front: Sequence[Any], given: Mapping[str, Any]) -> Any:
        """The function on numbers."""
        return function(*front, **given)

    def numbers(self, value: Any) -> Any:
        """A tensor's numbers."""
        return np.asarray(value.detach() if hasattr(value, "detach") else value)


@dataclass(frozen=True, eq=False)
class _Place:
    """What stands for an input until JAX traces, and for a result afterwards."""

    shape: tuple[Any, ...]
    dtype: str
    node: int


class JaxGradients:
    """One JAX function; used once."""

    def __init__(self) -> None:
        self.jax = jax_for(WHO)
        self.graph, self.places, self.dims = Graph(), list[_Place](), dict[str, Any]()

    def array(self, tensor: Tensor) -> _Place:
        """What stands for an input."""
        shape = tuple(int(n) if n.is_Integer else self.size(n) for n in tensor.shape)
        node = self.graph.add_input(tensor.name, tensor.axes, tensor.role, "", tensor.domain)
        made = _Place(shape, "int64" if tensor.domain == "index" else "float64", node)
        self.places.append(made)
        return made

    def size(self, size: sp.Expr) -> Any:
        """A size as JAX's dimension."""
        if not size.is_Symbol:
            raise unsupported(f"the size {size}", "JAX code", "a name or a number")
        if str(size) not in self.dims:
            scope = next(iter(self.dims.values())).scope if self.dims else None
            self.dims |= symbolic_sizes([str(size)], scope)
        return self.dims[str(size)]

    def run(self, function: Callable[..., Any], front: Sequence[Any], given: Mapping[str, Any]) -> Any:
        """What the function returns, a node for each array. Raises the error family."""
        def called(*arrays: Any) -> Any:
            there = dict(zip(map(id, self.places), arrays, strict=True))
            return function(*[_put(v, there) for v in front], **{k: _put(v, there) for k, v in given.items()})
        try:
            with self.jax.enable_x64(True):
                specs = [self.jax.ShapeDtypeStruct(p.shape, p.dtype) for p in self.places]
                closed, shapes = self.jax.make_jaxpr(called, return_shape=True)(*specs)
        except SymnetError:
            raise
        except Exception as error:  # whatever a user's function may raise
            raise told(error) from None
        reader = Reader(self.graph)
        nodes = iter(reader.read(closed.jaxpr, [reader.constant(c, "constant") for c in closed.consts] + [p.node for p in self.places], ""))
        return self.jax.tree_util.tree_map(lambda s: _Place(tuple(s.shape), str(s.dtype), next(nodes)), shapes)

    def read(self, where: str, value: Any) -> Any:
        """A returned array."""
        if isinstance(value, _Place):
            return value
        raise OptionError(where, type(value).__name__, "an array")

    def program(self, value: _Place, name: str) -> Program:
        """The program whose last line is a returned value."""
        return _program(self.graph, value.node, name)

    def plain(self, tensor: Tensor, value: Any) -> Any:
        """An array of numbers."""
        with self.jax.enable_x64(True):
            return self.jax.numpy.asarray(value)

    def called(self, function: Callable[..., Any], front: Sequence[Any], given: Mapping[str, Any]) -> Any:
        """The function on numbers, in float64."""
        with self.jax.enable_x64(True):
            return function(*front, **given)

    def numbers(self, value: Any) -> Any:
        """An array's numbers."""
        return np.asarray(value)


def _put(value: Any, there: Mapping[int, Any]) -> Any:
    """An argument with arrays in their places; tables keep their kind."""
    if isinstance(value, dict):
        made = copy.copy(value)
        made.update({k: _put(v, there) for k, v in value.items()})
        if hasattr(made, "every"):
            made.every = {k: _put(v, there) for k, v in made.every.items()}
        return made
    return there.get(id(value), value)


def _program(graph: Graph, node: int, name: str) -> Program:
    writer = GraphLowering(graph, node, name)
    made = writer.program()
    asked = asked_by(writer, made, "the code")
    return replace(made, definitions=(*made.definitions[:-1], replace(made.definitions[-1], holes=asked))) if asked else made
