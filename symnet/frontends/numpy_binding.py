"""NumPy functions as programs: ``sn.from_numpy``, and the tracing that ``sn.check_code`` judges."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import sympy as sp

from symnet.core.axes import Axis, Kind
from symnet.core.program import Program
from symnet.core.signatures import checked
from symnet.core.tensors import Role, Tensor
from symnet.core.user_code import SymbolicIndex, told
from symnet.errors import NameError_, OptionError, ShapeError, SymnetError, UnknownNodeError, a_kind, did_you_mean, errors_made, internal
from symnet.frontends.asked_conditions import asked_by
from symnet.frontends.numpy_tracer import Selection, Size, SizedArray, lifted, refused, sized_numpy
from symnet.indexing.graph import Graph
from symnet.indexing.lowering import GraphLowering
from symnet.indexing.operations import Array, Maker

KIND = {"index": "i", "bool": "b"}  # of dtypes, by the domain
KINDS = {"N": Kind.BATCH, "B": Kind.BATCH, "T": Kind.TIME}
OBJECTIVES = ("loss", "cost", "L", "J", "objective", "error")
Shape = Sequence[int | str] | int | str


class NumpyTracing:
    """One function traced: arrays for its arguments, the call, and what it gave. Used once.

    With symbolic sizes what it gave are programs; with a maker of ``entries`` sizes are numbers, and it is arrays of its nodes.
    """

    def __init__(self, entries: Any = None) -> None:
        self.graph = Graph()
        self.maker: Maker = Maker(self.graph, "NumPy code") if entries is None else entries

    def argument(self, tensor: Tensor, entries: Any) -> SizedArray:
        """An argument whose entries are these nodes."""
        made = SizedArray(self.maker, self.maker.array(entries), KIND.get(tensor.domain, "f"))  # type: ignore[attr-defined]
        made.name = tensor.name
        return made

    def array(self, tensor: Tensor) -> SizedArray:
        """An argument: the array that a tensor is."""
        node = self.graph.add_input(tensor.name, tensor.axes, tensor.role, tensor.note, tensor.domain)
        return SizedArray(self.maker, Array(node, tensor.shape), KIND.get(tensor.domain, "f"))

    def truths(self, name: str, axes: tuple[Axis, ...]) -> SizedArray:
        """An argument of truths."""
        return SizedArray(self.maker, Array(self.graph.add_input(name, axes, Role.INPUT, "", "bool"), tuple(a.size for a in axes)), "b")

    def size(self, size: sp.Expr) -> Size:
        """An argument that is a size."""
        return Size(self.maker, size)

    def run(self, function: Callable[..., Any], front: Sequence[Any], given: Mapping[str, Any]) -> Any:
        """What the function returns. Raises the error family, with the place in the user's file."""
        made: list[SymnetError] = []
        try:
            with errors_made() as made, sized_numpy(function, self.maker):
                result = function(*front, **given)
            if made:
                raise made[0]
            return result
        except SymbolicIndex:
            raise
        except (Exception, SystemExit) as error:  # whatever a user's function may raise, told in one line; NumPy may hide ours
            raise told(made[0].with_traceback(error.__traceback__) if made and not isinstance(error, SymnetError) else error) from None

    def read(self, where: str, value: Any) -> SizedArray:
        """A returned value as an array."""
        if isinstance(value, Selection) and value.find is None:
            raise OptionError(where, "x[mask], whose shape is not known", "the whole array", "np.where(mask, x, 0)")
        if isinstance(value, SizedArray):
            return value
        try:
            return SizedArray(self.maker, *lifted(self.maker, value))
        except (TypeError, ValueError):
            raise OptionError(where, type(value).__name__, "an array or a number") from None

    def nodes(self, where: str, value: Any) -> Any:
        """A returned value, as NumPy's array of nodes."""
        made = self.read(where, value)
        return made.array.node if made.kind != "b" else self.maker.map("indicator", made.array).node

    def program(self, value: SizedArray, name: str, title: str = "") -> Program:
        """The program whose last line is a returned value; that line also asks for what the code asks for and no line shows."""
        array = value.array
        writer = GraphLowering(self.graph, self.maker.map("indicator", array).node if value.kind == "b" else array.node, name)
        try:
            made = writer.program(title)
        except SymnetError:
            raise
        except Exception as error:  # an operation without a form, found late
            raise refused(internal(error)) from None
        asked = asked_by(writer, made, "NumPy code")
        return replace(made, definitions=(*made.definitions[:-1], replace(made.definitions[-1], holes=asked))) if asked else made


@checked
def from_numpy(function: Callable[..., Any], example: Any = None, *, shapes: Mapping[str, Shape] | None = None, objective: str = "L",
               title: str = "") -> Program:
    """The program of a NumPy function, which runs once on arrays of symbolic sizes; nothing is computed.

    An input is named by its argument. ``shapes`` gives the sizes, {"X": ("N", "d"), "w": "d", "b": ()}: the program then holds for all
    of them. Arguments that ``shapes`` does not name have the shape of the array in ``example``, by name or in order; a keyword with a
    default keeps it. Arrays of whole numbers are index arrays, whose entries count from 0. A float that came from arithmetic is the
    simple number that it is the rounding of, such as 1/3 or √(2/π). Where the function returns several values,
    the objective is the first of a tuple, and of a dict the entry named loss, cost, L, J, objective or error, or its only one.

    A loop over a size, a boolean selection and whatever else has no formula for all sizes raises the error family, with the place in the
    user's file; integer shapes allow loops.

    >>> import symnet as sn
    >>> import numpy as np
    >>> def loss(w, X, y):
    ...     return np.mean((X @ w - y)**2)
    >>> p = sn.from_numpy(loss, shapes={"w": "d", "X": ("N", "d"), "y": "N"})
    >>> print(p)
    z1[n] := -y[n] + Sum(X[n, i]*w[i], (i, 1, d))
    L := Sum(z1[n]**2, (n, 1, N))/N
    >>> p.run(w=[1.0], X=[[1.0], [2.0]], y=[0.0, 0.0])
    2.5
    """
    names, fixed, rest = _arguments(function, example, shapes or {})
    arrays = _examples(names, example)
    tracing = NumpyTracing()
    given: dict[str, Any] = {}
    for name in names:
        given[name] = _input(tracing, name, (shapes or {}).get(name), arrays.get(name), arrays)
    sizes = {str(s) for i in tracing.graph.inputs for a in i.axes for s in a.size.free_symbols}
    if sizes & set(names):
        raise NameError_("from_numpy", f"{min(sizes & set(names))!r} is a size and an input", "different names for sizes and inputs")
    front = [given.pop(name) for name in rest]
    made = _objective(tracing.run(function, front, {**fixed, **given}))
    return tracing.program(tracing.read("returned value", made), objective, title)


def _arguments(function: Callable[..., Any], example: Any, shapes: Mapping[str, Any]) -> tuple[list[str], dict[str, Any], list[str]]:
    """The names of the inputs, what other arguments are fixed at, and the inputs that go by place alone."""
    try:
        asked = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        raise OptionError("from_numpy", "a function whose arguments cannot be seen", "a Python function") from None
    known = set(shapes) | (set(example) if isinstance(example, Mapping) else set())
    if unknown := known - {p.name for p in asked} if not any(p.kind is p.VAR_KEYWORD for p in asked) else set():
        raise NameError_("from_numpy", f"no argument named {min(unknown)!r}", "one of " + ", ".join(p.name for p in asked),
                         did_you_mean(min(unknown), [p.name for p in asked]))
    plain = [p for p in asked if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
    count = 0 if isinstance(example, Mapping) or example is None else len(_row(example))
    names = [p.name for k, p in enumerate(plain) if p.default is p.empty or p.name in known or k < count]
    if any(p.kind is p.VAR_KEYWORD for p in asked):
        names += [name for name in known if name not in names]
    return names, {}, [p.name for p in plain if p.kind is p.POSITIONAL_ONLY and p.name in names]


def _row(example: Any) -> list[Any]:
    return list(example) if isinstance(example, (tuple, list)) else [example]


def _examples(names: Sequence[str], example: Any) -> dict[str, Any]:
    """The example arrays by name."""
    if example is None:
        return {}
    if isinstance(example, Mapping):
        return dict(example)
    return dict(zip(names, _row(example), strict=False))


def _input(tracing: NumpyTracing, name: str, shape: Shape | None, example: Any, others: Mapping[str, Any]) -> SizedArray:
    if shape is None and example is None:
        raise ShapeError(f"from_numpy, {name}", "no shape and no example", "a shape", f'shapes={{"{name}": ("N", "d")}}')
    array = None if example is None else np.asarray(example)
    if array is not None and array.dtype.kind not in "biuf":
        raise ShapeError(f"from_numpy, {name}", a_kind(example), "an array of numbers")
    given = array.shape if shape is None and array is not None else shape or ()
    wanted = (given,) if isinstance(given, (str, int)) else tuple(given)
    if array is not None and len(wanted) != array.ndim:
        raise ShapeError(f"shapes of {name}", f"{len(wanted)} sizes", f"{array.ndim}, one for each axis of the example")
    axes = tuple(Axis.of(n, KINDS.get(str(n), Kind.FEATURE)) for n in wanted)
    if array is not None and array.dtype.kind == "b":
        return tracing.truths(name, axes)
    whole = array is not None and array.dtype.kind in "iu" and array.ndim > 0
    return tracing.array(Tensor(name, axes, "index" if whole else "real", Role.INPUT))


def _objective(result: Any) -> Any:
    """The one value that the program computes."""
    if isinstance(result, Mapping):
        found = [result[k] for k in OBJECTIVES if k in result] or (list(result.values()) if len(result) == 1 else [])
        if not found:
            raise UnknownNodeError("from_numpy", f"a table of {', '.join(map(str, result)) or 'nothing'}",
                                   "one value, or one that is named loss, cost, L, J, objective or error")
        return _objective(found[0])
    if isinstance(result, (tuple, list)) and result and not isinstance(result, SizedArray):
        return _objective(result[0])
    if result is None:
        raise UnknownNodeError("from_numpy", "a function that returns nothing", "an array or a number")
    return result
