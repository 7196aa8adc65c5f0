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
from symnet.frontends.jax_equation import Equation, dimension
from symnet.frontends.jax_library import library_function
from symnet.frontends.jax_rules import CUSTOM, check_rules
from symnet.frontends.primitives import INNER, PRIMITIVES, chosen, inner_jaxpr
from symnet.indexing.graph import Graph, unsupported
from symnet.indexing.lowering import write
from symnet.indexing.operations import Array, Maker

MOST_CONSTANTS = 64  # numbers of an array that stands inside a function
LOOPS = ("scan", "while", "cond")
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
    cancels exactly, any other is taken; ``scan`` and ``fori_loop`` are recurrences. ``lax.stop_gradient`` is read as such. ``custom_jvp``
    and ``custom_vjp`` functions are read as what they compute, so kinks follow symnet's conventions; one whose rule is not the derivative
    of that is refused by name.

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


def symbolic_sizes(names: Sequence[str], scope: Any = None) -> dict[str, Any]:
    """JAX's own symbolic dimensions by name."""
    made = import_module("jax.export").symbolic_shape(",".join(names), scope=scope) if names else ()
    return dict(zip(names, made, strict=True))


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
            name = "jit" if name == "cond" and inner is not None else name
            if self._is_constant(name, args):
                values = eqn.primitive.bind(*[self.known[a] for a in args], **eqn.params)
                made = [self.constant(v, where) for v in (values if eqn.primitive.multiple_results else [values])]
            elif name in LOOPS:
                made = getattr(self, f"_{name}")(eqn, args, f"{path}, equation {number} ({name})", where)
            elif (whole := library_function(eqn)) is not None:
                made = whole(Equation(self.graph, eqn, args, where))
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

    # Control flow.

    def _cond(self, eqn: Any, args: Sequence[int], path: str, where: str) -> list[int]:
        """Each branch, and of each result the one that the condition chooses."""
        e, (which, *given), branches = Equation(self.graph, eqn, list(args), where), args, eqn.params["branches"]
        op = self.graph.ops[which]
        while op.kind == "map" and op.more[0] in ("max", "min") and len(branches) > 2:  # held inside 0..k: so are the cases
            which = next((a for a in op.args if self.graph.ops[a].kind != "number"), op.args[0])
            op = self.graph.ops[which]
        if op.kind == "number":
            return self._inner(branches[min(max(int(op.more[0]), 0), len(branches) - 1)], given, path)
        made = [self._inner(branch, given, path) for branch in branches]
        if len(branches) == 2 and op.kind == "map" and op.more[0] == "indicator":
            return [b if a == b else self.graph.map("select", op.args[0], b, a, where=where) for a, b in zip(*made, strict=True)]
        return [chosen(e, which, cases) for cases in zip(*made, strict=True)]

    def _inner(self, closed: Any, given: Sequence[int], path: str) -> list[int]:
        return self.read(closed.jaxpr, [*[self.constant(c, path) for c in closed.consts], *given], path)

    def _while(self, eqn: Any, args: Sequence[int], path: str, where: str) -> list[int]:
        """A loop that counts to a number, which is a scan; the turns of any other depend on values."""
        p, maker = eqn.params, Maker(self.graph, where)
        test, body = p["cond_jaxpr"], p["body_jaxpr"]
        for_test, consts, first = (list(args[i:j]) for i, j in ((0, p["cond_nconsts"]), (
            p["cond_nconsts"], p["cond_nconsts"] + p["body_nconsts"]), (p["cond_nconsts"] + p["body_nconsts"], len(args))))
        steps = _counters(body.jaxpr, p["body_nconsts"], len(first))
        ends = [q for q in test.jaxpr.eqns if str(q.primitive.name) == "lt" and q.outvars[0] is test.jaxpr.outvars[0]]
        known = dict(zip(test.jaxpr.invars, [*for_test, *first], strict=True))
        turns = None
        if len(test.jaxpr.eqns) == 1 and ends and not hasattr(ends[0].invars[0], "val"):
            start, end = (self._atom(known, v, where) for v in ends[0].invars)
            k = test.jaxpr.invars.index(ends[0].invars[0]) - len(for_test)
            ops = [self.graph.ops[n] for n in (start, end)]
            if k in steps and steps[k] > 0 and all(o.kind == "number" for o in ops):
                turns = max(-(-(int(ops[1].more[0]) - int(ops[0].more[0])) // steps[k]), 0)
        if turns is None:
            raise unsupported("a loop whose number of turns depends on values", where, "lax.fori_loop or lax.scan with a fixed number")
        return self._loop(maker, body, consts, first, [], sp.Integer(turns), turns, False, path)

    def _scan(self, eqn: Any, args: Sequence[int], path: str, where: str) -> list[int]:
        """h[t] = f(h[t-1], x[t]): a recurrence, all of whose turns JAX's own vmap says at once."""
        p = eqn.params
        consts, first, rows = (list(args[i:j]) for i, j in ((0, p["num_consts"]), (p["num_consts"], p["num_consts"] + p["num_carry"]), (
            p["num_consts"] + p["num_carry"], len(args))))
        return self._loop(Maker(self.graph, where), p["jaxpr"], consts, first, rows, dimension(p["length"], where), p["length"],
                          bool(p["reverse"]), path)

    def _loop(self, maker: Maker, body: Any, consts: list[int], first: list[int], rows: list[int], length: sp.Expr, count: Any,
              reverse: bool, path: str) -> list[int]:
        inside, number = body.jaxpr, len(consts)
        states = inside.invars[number:number + len(first)]
        shapes = [tuple(dimension(n, maker.where) for n in v.aval.shape) for v in inside.invars]
        if length == 0:
            return [*first, *[maker.expand(maker.number(0), (0,)).node] * (len(inside.outvars) - len(first))]
        along = [Array(r, (length, *shapes[number + len(first) + k])) for k, r in enumerate(rows)]
        if length == 1:
            made = self._inner(body, [*consts, *first, *[maker.take(a, 0, 0).node for a in along]], path)
            return [*made[:len(first)], *[self._row(maker, n, v, length) for n, v in zip(made[len(first):], inside.outvars[len(first):],
                                                                                         strict=True)]]
        steps = {k: s for k, s in _counters(inside, number, len(first)).items() if self.graph.ops[first[k]].kind == "number"}
        fixed = [k for k, v in enumerate(states) if inside.outvars[k] is v]
        moving = [k for k in range(len(first)) if k not in steps and k not in fixed]
        if bad := [states[k].aval.dtype for k in moving if not str(states[k].aval.dtype).startswith(("float", "bfloat"))]:
            raise unsupported(f"a loop that carries {bad[0]}", maker.where, "real numbers, and whole numbers that count the turns")
        along = [maker.flip(a, 0) if reverse else a for a in along]
        jax = import_module("jax")
        places = [None] * number + [None if k in fixed else 0 for k in range(len(first))] + [0] * len(rows)
        specs = [jax.ShapeDtypeStruct(v.aval.shape if at is None else (count, *v.aval.shape), v.aval.dtype)
                 for v, at in zip(inside.invars, places, strict=True)]
        function = import_module("jax.extend.core").jaxpr_as_fun(body)
        at_once = jax.make_jaxpr(jax.vmap(function, in_axes=places, axis_size=count))(*specs)
        seen: list[int] = []

        def turn(before: list[Array]) -> list[Array]:
            held = dict(zip(moving, before, strict=True))
            given = [held[k].node if k in held else maker.counted(length, maker.graph.ops[first[k]].more[0], steps[k]).node if k in steps
                     else first[k] for k in range(len(first))]
            seen.extend(self._inner(at_once, [*consts, *given, *[a.node for a in along]], path))
            return [Array(seen[k], (length, *shapes[number + k])) for k in moving]
        after = dict(zip(moving, maker.recurrence([Array(first[k], shapes[number + k]) for k in moving], length, turn), strict=True)
                     ) if moving else (turn([]), {})[1]
        last = [maker.take(after[k], 0, -1).node if k in after else first[k] if k in fixed else
                maker.number(maker.graph.ops[first[k]].more[0] + steps[k] * length).node for k in range(len(first))]
        results = [Array(n, (length, *[dimension(s, maker.where) for s in v.aval.shape]))
                   for n, v in zip(seen[len(first):], inside.outvars[len(first):], strict=True)]
        return [*last, *[(maker.flip(r, 0) if reverse else r).node for r in results]]

    @staticmethod
    def _row(maker: Maker, node: int, variable: Any, length: sp.Expr) -> int:
        shape = [dimension(n, maker.where) for n in variable.aval.shape]
        return maker.reshape(Array(node, tuple(shape)), [length, *shape]).node

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


def _counters(body: Any, consts: int, count: int) -> dict[int, int]:
    """The whole numbers that a loop carries and adds a number to each turn, and that number."""
    found: dict[int, int] = {}
    for eqn in body.eqns:
        if str(eqn.primitive.name) != "add" or "int" not in str(eqn.outvars[0].aval.dtype) or eqn.outvars[0].aval.shape:
            continue
        for k, variable in enumerate(body.invars[consts:consts + count]):
            one, other = eqn.invars
            if body.outvars[k] is eqn.outvars[0] and one is variable and hasattr(other, "val"):
                found[k] = int(other.val)
    return found


def _for_any_platform(eqn: Any) -> Any:
    """The branch that JAX takes where it has no special one for the machine; None for a choice by a value."""
    platforms = eqn.params.get("branches_platforms")
    return eqn.params["branches"][list(platforms).index(None)] if platforms and None in platforms else None
