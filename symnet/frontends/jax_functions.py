"""jax.custom_vjp and jax.custom_jvp as they are judged: what JAX makes of the function and its own rule, traced and run."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import sympy as sp

from symnet.core.own_backward import Argument, Run, Trace
from symnet.core.tensors import Role
from symnet.core.user_code import told
from symnet.errors import NameError_, OptionError, SymnetError
from symnet.frontends.free_sizes import Shapes, axes_of, declared_shapes, free_shapes, needed_arguments, shapes_at, size_names
from symnet.frontends.function_programs import FunctionGraph
from symnet.frontends.jax_equation import dimension
from symnet.frontends.jaxpr import Reader, jax_for, symbolic_sizes
from symnet.indexing.graph import Graph, unsupported
from symnet.indexing.operations import Array

WHO = "check_function"


def is_jax_function(function: Any) -> bool:
    """True for a jax.custom_vjp or jax.custom_jvp; jax is not imported for the answer."""
    return type(function).__name__ in ("custom_vjp", "custom_jvp") and type(function).__module__.startswith("jax.")


class JaxFunction:
    """One function with a rule of its own and an example of its arguments; arrays in dicts, lists and tuples are arguments each."""

    def __init__(self, function: Any, example: Any, shapes: Shapes | None = None, wrt: Sequence[str] = ()) -> None:
        self.jax = jax_for(WHO)
        self.function, self.name = function, str(getattr(function, "__name__", type(function).__name__))
        self.values = _values(function, example)
        held = tuple(function.nondiff_argnums)
        flat, self.structure = self.jax.tree_util.tree_flatten_with_path(tuple(
            None if k in held else v for k, v in enumerate(self.values.values())))
        self.leaves = [leaf for _, leaf in flat]
        named = [_named(list(self.values), path) for path, _ in flat]
        arrays = {n: leaf for n, leaf in zip(named, self.leaves, strict=True) if hasattr(leaf, "shape")}
        self.places = [named.index(n) for n in arrays]
        wanted, self.marked = needed_arguments(WHO, list(arrays), wrt, ())
        self.arguments = tuple(Argument(n, tuple(map(int, a.shape)), _domain(a), _domain(a) == "real" and n in wanted,
                                        int(np.max(a)) if _domain(a) == "index" and np.size(a) else 0) for n, a in arrays.items())
        self.wrt = tuple(a.name for a in self.arguments if a.wanted)
        if not self.wrt:
            raise OptionError(WHO, f"no argument of {self.name} is an array of real numbers", "an example with one")
        if shapes is not None:
            self.shapes = declared_shapes(self.arguments, shapes, WHO)
        else:
            self._runs({a.name: a.shape for a in self.arguments}, True)
            self.shapes = free_shapes(self.arguments, self._runs, set(self.values))
        self.sizes = size_names(self.shapes)

    def shapes_at(self, sizes: Mapping[str, int]) -> dict[str, tuple[int, ...]]:
        """The shapes of the arguments at these sizes."""
        return shapes_at(self.shapes, sizes)

    # The function and its rule, as functions of the arrays alone.

    def _called(self, function: Any, arrays: Sequence[Any]) -> list[Any]:
        """The outputs, flat."""
        leaves = list(self.leaves)
        for place, value in zip(self.places, arrays, strict=True):
            leaves[place] = value
        given = list(self.jax.tree_util.tree_unflatten(self.structure, leaves))
        held = list(self.values.values())
        for k in self.function.nondiff_argnums:
            given[k] = held[k]
        return list(self.jax.tree_util.tree_leaves(function(*given)))

    def _pulled(self, needed: Sequence[str], arrays: Sequence[Any], upstream: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        """The outputs of real numbers and the gradients, by JAX's own vjp."""
        names = [a.name for a in self.arguments]
        places = [names.index(n) for n in needed]

        def of_needed(*some: Any) -> list[Any]:
            every = list(arrays)
            for k, value in zip(places, some, strict=True):
                every[k] = value
            return self._real(self._called(self.function, every))
        outputs, pull = self.jax.vjp(of_needed, *[arrays[k] for k in places])
        return outputs, list(pull(list(upstream)))

    def _real(self, outputs: Sequence[Any]) -> list[Any]:
        found = [o for o in outputs if self.jax.numpy.issubdtype(o.dtype, self.jax.numpy.floating)]
        if not found:
            raise unsupported("no output of real numbers", self.name, "one")
        return found

    def _spec(self, argument: Argument, shape: Sequence[Any]) -> Any:
        kinds = {"real": "float64", "bool": "bool", "index": "int64"}
        return self.jax.ShapeDtypeStruct(tuple(shape), kinds[argument.domain])

    # Traced.

    def traced(self, sizes: Mapping[str, int] | None = None) -> Trace:
        """The trace, for all sizes or for the given numbers. Raises the error family where there is none."""
        numbers = {sp.Symbol(n, integer=True, positive=True): sp.Integer(k) for n, k in (sizes or {}).items()}
        shapes = {name: tuple(n.xreplace(numbers) for n in shape) for name, shape in self.shapes.items()}
        try:
            with self.jax.enable_x64(True):
                return self._traced(shapes, sizes or {})
        except SymnetError:
            raise
        except Exception as error:  # whatever a user's function may raise, told in one line
            raise told(error) from None

    def _traced(self, shapes: Mapping[str, tuple[sp.Expr, ...]], sizes: Mapping[str, int]) -> Trace:
        jax = self.jax
        dims = symbolic_sizes(sorted({str(s) for shape in shapes.values() for n in shape for s in n.free_symbols}))
        specs = [self._spec(a, [_dimension(n, dims) for n in shapes[a.name]]) for a in self.arguments]
        plain = jax.make_jaxpr(lambda *arrays: self._real(self._called(self.function.fun, arrays)))(*specs)
        outputs = [jax.ShapeDtypeStruct(o.shape, "float64") for o in plain.out_avals]
        whole = FunctionGraph(Graph(), self.name, frozenset({*shapes, *self.sizes}))
        reader, axes = Reader(whole.graph), axes_of(shapes)
        nodes = [whole.graph.add_input(a.name, axes[a.name], Role.INPUT, "", a.domain) for a in self.arguments]
        incoming = [whole.incoming(k, len(outputs), axes_of({"G": tuple(dimension(n, self.name) for n in out.shape)})["G"])
                    for k, out in enumerate(outputs)]

        def read(closed: Any, given: Sequence[int]) -> list[int]:
            return reader.read(closed.jaxpr, [reader.constant(c, "constant") for c in closed.consts] + list(given), "")

        def both(*given: Any) -> list[Any]:
            made = self._pulled(self.wrt, given[:len(specs)], given[len(specs):])
            return [*made[0], *made[1]]
        results = [Array(n, g.shape) for n, g in zip(read(plain, nodes), incoming, strict=True)]
        pulled = read(jax.make_jaxpr(both)(*specs, *outputs), [*nodes, *[g.node for g in incoming]])
        gradients = {n: [None if _nothing(whole.graph, node) else node]
                     for n, node in zip(self.wrt, pulled[len(results):], strict=True)}
        again = [Array(n, g.shape) for n, g in zip(pulled, incoming, strict=False)]
        return whole.trace(results, incoming, gradients, sizes, again=again)

    # Run.

    def _runs(self, shapes: Mapping[str, tuple[int, ...]], loud: bool = False) -> bool:
        """Does it run, forward and backward, on arrays of these shapes? What ``loud`` asks for is the error."""
        def both(*arrays: Any) -> Any:
            outputs = self._real(self._called(self.function, arrays))
            return self._pulled(self.wrt, arrays, [self.jax.numpy.ones_like(o) for o in outputs])
        try:
            with self.jax.enable_x64(True):
                self.jax.eval_shape(both, *[self._spec(a, shapes[a.name]) for a in self.arguments])
            return True
        except SymnetError:
            if loud:
                raise
            return False
        except Exception as error:  # whatever a user's function may raise
            if loud:
                raise told(error) from None
            return False

    def run(self, arrays: Mapping[str, Any], upstream: Callable[[Sequence[Any]], Sequence[Any]], needed: Sequence[str] = (),
            strided: bool = False) -> Run:
        """One run in float64: ``upstream`` makes the incoming gradients of the outputs, ``needed`` are the arguments that need one."""
        wanted = tuple(needed or self.wrt)
        try:
            with self.jax.enable_x64(True):
                given = [self.jax.numpy.asarray(arrays[a.name]) for a in self.arguments]
                plain = [np.asarray(o) for o in self._real(self._called(self.function, given))]
                outputs, found = self._pulled(wanted, given, [self.jax.numpy.asarray(g, dtype=float) for g in upstream(plain)])
                numbers, gradients = [np.asarray(o) for o in outputs], [np.asarray(g) for g in found]
        except SymnetError:
            raise
        except Exception as error:  # whatever a user's function may raise
            raise told(error) from None
        if any(not np.allclose(a, b, rtol=1e-9, atol=1e-12, equal_nan=True) for a, b in zip(plain, numbers, strict=True)):
            raise OptionError(self.name, "its fwd gives another value than the function", "the same value")
        return Run(tuple(plain), dict(zip(wanted, gradients, strict=True)))


def _nothing(graph: Graph, node: int) -> bool:
    """Is it 0, as JAX writes a gradient that a rule does not give?"""
    op = graph.ops[node]
    while op.kind in ("spread", "reshape") and op.args:
        op = graph.ops[op.args[0]]
    return op.kind == "number" and op.more[0] == 0


def _dimension(size: sp.Expr, dims: Mapping[str, Any]) -> Any:
    """A size as JAX's dimension."""
    factor, symbol = size.as_coeff_Mul()
    return int(size) if size.is_Integer else int(factor) * dims[str(symbol)]


def _domain(array: Any) -> str:
    kind = np.dtype(array.dtype).kind if not str(array.dtype).startswith("bfloat") else "f"
    return {"f": "real", "b": "bool"}.get(kind, "index")


def _named(names: Sequence[str], path: Sequence[Any]) -> str:
    """params_W1 of what stands at params["W1"]."""
    keys = [getattr(k, "key", getattr(k, "idx", getattr(k, "name", k))) for k in path]
    return re.sub(r"\W", "_", "_".join(map(str, [names[keys[0]], *keys[1:]])))


def _values(function: Any, example: Any) -> dict[str, Any]:
    """The arguments by name; those that the example leaves out keep their defaults."""
    asked = list(inspect.signature(function.fun).parameters.values())
    names = [p.name for p in asked if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    rest = next((p.name for p in asked if p.kind is p.VAR_POSITIONAL), "")
    if isinstance(example, Mapping) and set(example) <= set(names):
        given = dict(example)
    else:
        row = list(example) if isinstance(example, (tuple, list)) else [example]
        names += [f"{rest}{k + 1}" for k in range(len(row) - len(names))] if rest else []
        if len(row) > len(names):
            raise OptionError(f"{WHO}, example", f"{len(row)} arguments", f"{len(names)}: {', '.join(names)}")
        given = dict(zip(names, row, strict=False))
    for p in asked:
        if p.name in names and p.name not in given:
            if p.default is p.empty:
                raise NameError_(f"{WHO}, example", f"no argument {p.name}", f"one for each of {', '.join(names)}")
            given[p.name] = p.default
    return {n: given[n] for n in names}
