"""JAX functions as programs: the jaxpr of a function, operation by operation."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any

import sympy as sp

from symnet.core.axes import Axis, Kind
from symnet.core.numbers import rational
from symnet.core.program import Program
from symnet.core.signatures import checked
from symnet.core.tensors import Role
from symnet.errors import MissingToolError, NameError_, ShapeError
from symnet.frontends.jax_equation import Equation
from symnet.frontends.jax_rules import CUSTOM, check_rules
from symnet.frontends.primitives import INNER, PRIMITIVES, inner_jaxpr
from symnet.indexing.graph import Graph, unsupported
from symnet.indexing.lowering import write

MOST_CONSTANTS = 64  # numbers of an array that stands inside a function
KINDS = {"N": Kind.BATCH, "B": Kind.BATCH, "T": Kind.TIME}
Shapes = Mapping[str, Sequence[int | str]]


@checked
def from_jax(function: Callable[..., Any], example_inputs: Sequence[Any], names: Sequence[str] | None = None, *,
             shapes: Shapes | None = None, parameters: Sequence[int] = (0,), objective: str = "L", title: str = "") -> Program:
    """The program of a JAX function of arrays, read off its jaxpr; nothing is computed.

    ``example_inputs`` are the arguments (arrays or nested dicts, lists and tuples of arrays); only their shapes matter. An input is
    named by its dictionary key or the argument's name, or by ``names``, one for each array in JAX's order. ``shapes`` gives an
    input symbolic sizes, {"X": ("N", "d")}: the program then holds for all of them. The arguments in ``parameters`` (default: the
    first, as in ``jax.grad``) are what ``sn.derive`` differentiates. Arrays of whole numbers are index arrays, whose entries count from
    0; negative ones, which JAX counts from the end, are not read. A maximum subtracted inside a softmax or log-sum-exp
    cancels exactly; ``lax.stop_gradient`` is read as such. ``custom_jvp`` and ``custom_vjp`` functions are read as what they compute, so
    kinks follow symnet's conventions; one whose rule is not the derivative of that is refused by name.

    Raises UnknownNodeError naming the primitive and its place in the jaxpr, MissingToolError without jax. Example::

        def loss(params, X, Y):
            return ((jnp.tanh(X @ params["W1"] + params["b1"]) - Y)**2).mean()
        sn.derive(sn.from_jax(loss, (params, X, Y), shapes={"X": ("N", "d"), "W1": ("d", "h"), "b1": ("h",), "Y": ("N", "h")}))

    >>> import symnet as sn
    >>> import numpy as np
    >>> print(sn.from_jax(lambda w, x: ((w*x - 1)**2).sum(), [np.ones(3), np.ones(3)], names=["w", "x"]))
    L := Sum((w[i]*x[i] - 1)**2, (i, 1, 3))
    """
    jax = jax_for("from_jax")
    leaves, paths = _leaves(jax, example_inputs)
    found = list(names) if names is not None else _names(function, paths)
    if len(found) != len(leaves) or len(set(found)) != len(found):
        raise NameError_("from_jax", f"the names {', '.join(found)}", f"{len(leaves)} different names, one for each array",
                         "names=[…]")
    axes = [_axes(jax, name, leaf, shapes or {}) for name, leaf in zip(found, leaves, strict=True)]
    sizes = {str(s) for group in axes for a in group for s in a.size.free_symbols}
    if sizes & set(found):
        raise NameError_("from_jax", f"{min(sizes & set(found))!r} is a size and an input", "different names for sizes and inputs")
    _first_is_batch([a for a, p in zip(axes, paths, strict=True) if p[0] not in parameters])
    closed = _trace(jax, function, example_inputs, leaves, axes)
    if any(str(name) in str(closed.jaxpr) for name in CUSTOM):
        known = closed if not sizes else jax.make_jaxpr(function)(*example_inputs)
        check_rules(import_module("jax.extend.core"), jax.vjp, known.jaxpr)
    graph = Graph()
    roles = [Role.PARAMETER if p[0] in parameters else Role.INPUT for p in paths]
    domains = ["bool" if "bool" in d else "index" if "int" in d else "real" for d in (str(jax.numpy.result_type(v)) for v in leaves)]
    nodes = [graph.add_input(n, tuple(a), r, "", d) for n, a, r, d in zip(found, axes, roles, domains, strict=True)]
    reader = Reader(graph)
    outputs = reader.read(closed.jaxpr, [reader.constant(c, "constant") for c in closed.consts] + nodes, "")
    if len(outputs) != 1:
        raise unsupported(f"{len(outputs)} outputs", "from_jax", "one array: the objective")
    return write(graph, outputs[0], objective, title)


def jax_for(who: str) -> Any:
    """The module jax. Raises MissingToolError naming ``who`` asks."""
    try:
        return import_module("jax")
    except ImportError:
        raise MissingToolError(who, "jax is not installed", "jax", "pip install jax") from None


def symbolic_sizes(names: Sequence[str]) -> dict[str, Any]:
    """JAX's own symbolic dimensions by name."""
    return dict(zip(names, import_module("jax.export").symbolic_shape(",".join(names)), strict=True)) if names else {}


def _leaves(jax: Any, inputs: Sequence[Any]) -> tuple[list[Any], list[tuple[int, tuple[Any, ...]]]]:
    """Every array, and where it stands: (number of its argument, the keys below)."""
    flat = jax.tree_util.tree_flatten_with_path(tuple(inputs))[0]
    plain = [tuple(getattr(k, "key", getattr(k, "idx", getattr(k, "name", k))) for k in path) for path, _ in flat]
    return [leaf for _, leaf in flat], [(p[0], p[1:]) for p in plain]


def _names(function: Callable[..., Any], paths: Sequence[tuple[int, tuple[Any, ...]]]) -> list[str]:
    """The last key where that is a name and used once, else the whole path."""
    try:
        arguments = list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        arguments = []
    whole = [[arguments[k] if k < len(arguments) else f"x{k}", *keys] for k, keys in paths]
    last = [str(w[-1]) for w in whole]
    chosen = [name if last.count(name) == 1 and name[:1].isalpha() else "_".join(map(str, w))
              for name, w in zip(last, whole, strict=True)]
    return [re.sub(r"\W", "_", name) for name in chosen]


def _axes(jax: Any, name: str, leaf: Any, shapes: Shapes) -> list[Axis]:
    shape = tuple(int(n) for n in jax.numpy.shape(leaf))
    wanted = shapes.get(name, shape)
    wanted = (wanted,) if isinstance(wanted, (str, int)) else wanted
    if len(wanted) != len(shape):
        raise ShapeError(f"shapes of {name}", f"{len(wanted)} sizes", f"{len(shape)}, one for each axis")
    return [Axis.of(n, KINDS.get(str(n), Kind.FEATURE)) for n in wanted]


def _first_is_batch(data: list[list[Axis]]) -> None:
    """The first axis of the data arrays counts samples, where one of them has a second axis."""
    first = next((a[0] for a in data if len(a) > 1), None)
    for axes in data:
        if first is not None and axes and axes[0].size == first.size:
            axes[0] = Axis.of(first.size, Kind.BATCH)


def _trace(jax: Any, function: Callable[..., Any], inputs: Sequence[Any], leaves: Sequence[Any], axes: Sequence[Sequence[Axis]]) -> Any:
    """The jaxpr; symbolic sizes are traced as JAX's own symbolic dimensions."""
    symbols = sorted({str(s) for group in axes for a in group for s in a.size.free_symbols})
    dims = symbolic_sizes(symbols)
    specs = []
    for leaf, group in zip(leaves, axes, strict=True):
        shape = tuple(dims[str(a.size)] if a.size.is_Symbol else int(a.size) for a in group)
        specs.append(jax.ShapeDtypeStruct(shape, jax.numpy.result_type(leaf)))
    structure = jax.tree_util.tree_structure(tuple(inputs))
    try:
        return jax.make_jaxpr(function)(*jax.tree_util.tree_unflatten(structure, specs))
    except (TypeError, ValueError) as error:
        raise ShapeError("from_jax", f"JAX cannot trace the function: {error}", "arrays whose declared sizes agree") from None


class Reader:
    """Adds the operations of a jaxpr to a graph."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.known: dict[int, Any] = {}  # the nodes that are constants, and their values

    def read(self, jaxpr: Any, inputs: Sequence[int], path: str) -> list[int]:
        """The nodes of the outputs. Inner functions (jit, custom_jvp, …) are read in place."""
        env: dict[Any, int] = dict(zip([*jaxpr.constvars, *jaxpr.invars], inputs, strict=True))
        for number, eqn in enumerate(jaxpr.eqns, start=1):
            name = str(eqn.primitive.name)
            where = f"jaxpr{path}, equation {number} ({name})"
            args = [self._atom(env, a, where) for a in eqn.invars]
            inner = _for_any_platform(eqn) if name == "cond" else inner_jaxpr(name, eqn.params)
            if self._is_constant(name, args):
                values = eqn.primitive.bind(*[self.known[a] for a in args], **eqn.params)
                made = [self.constant(v, where) for v in (values if eqn.primitive.multiple_results else [values])]
            elif inner is not None:
                body, constants = getattr(inner, "jaxpr", inner), getattr(inner, "consts", ())
                made = self.read(body, [self.constant(c, where) for c in constants] + args[len(args) - len(body.invars):],
                                 f"{path}, equation {number} ({eqn.params.get('name', name)})")
            elif name in PRIMITIVES:
                found = PRIMITIVES[name](Equation(self.graph, eqn, args, where))
                made = found if isinstance(found, list) else [found]
            else:
                made = [self.graph.add("unread", more=(name, where), where=where)] * len(eqn.outvars)
            env.update(zip(eqn.outvars, made, strict=False))
        return [self._atom(env, v, f"jaxpr{path}, output") for v in jaxpr.outvars]

    def _atom(self, env: Mapping[Any, int], atom: Any, where: str) -> int:
        return self.constant(atom.val, where) if hasattr(atom, "val") else env[atom]

    def _is_constant(self, name: str, args: Sequence[int]) -> bool:
        """True when every argument is a constant, one of them an array: then the equation is computed."""
        return name not in INNER and all(a in self.known for a in args) and any(getattr(self.known[a], "shape", ()) for a in args)

    def constant(self, value: Any, where: str) -> int:
        """A number that stands in the function, or a small array of them; a large one would need a name."""
        shape = getattr(value, "shape", ())
        if shape != ():
            if value.size > MOST_CONSTANTS:
                raise unsupported(f"an array of shape {shape} inside the function", where, "arrays as arguments")
            numbers = [self._plain(v) for v in import_module("numpy").asarray(value).reshape(-1)]
            node = self.graph.add("table", more=(tuple(map(sp.Integer, shape)), tuple(
                sp.true if n is True else sp.false if n is False else rational(n) for n in numbers)), where=where)
        else:
            node = self.graph.number(self._plain(value), where)
        self.known[node] = value
        return node

    @staticmethod
    def _plain(value: Any) -> Any:
        """A Python number; one of 32 bits as the shortest decimal that prints as it."""
        narrow = getattr(value, "dtype", None) is not None and str(value.dtype) == "float32"
        return float(str(value)) if narrow else value.item() if hasattr(value, "item") else value


def _for_any_platform(eqn: Any) -> Any:
    """The branch that JAX takes where it has no special one for the machine; None for a choice by a value."""
    platforms = eqn.params.get("branches_platforms")
    return eqn.params["branches"][list(platforms).index(None)] if platforms and None in platforms else None
