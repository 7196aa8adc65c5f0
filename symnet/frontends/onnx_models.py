"""ONNX models as programs: the graph of the file, node by node."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import sympy as sp

from symnet.core.axes import Axis, Kind
from symnet.core.signatures import checked
from symnet.core.tensors import Role, free_name
from symnet.errors import MissingToolError, OptionError, SymnetError, a_kind, one_line
from symnet.frontends.attach_loss import finish
from symnet.frontends.imported import Imported
from symnet.frontends.onnx_call import Call, one_sided
from symnet.frontends.onnx_ops import OPERATORS
from symnet.frontends.onnx_sizes import OF_SIZES
from symnet.frontends.parameter_names import clean, parameter_names
from symnet.indexing.graph import Graph, unsupported
from symnet.indexing.operations import Array, Maker
from symnet.networks.catalogue import AnyLoss


@checked
def from_onnx(model: Any, loss: AnyLoss | None = None, *, title: str = "") -> Imported:
    """An ONNX model (a ModelProto, or the path of a .onnx file) as a program, with its weights and their values; nothing is run.

    A named dimension of an input ("N") becomes a symbolic size. Initializers of real numbers that have axes are the parameters; single
    numbers stay numbers. ``loss`` (``sn.MSELoss()``, …) is put behind the output; without it the output is the last line.

    Raises UnknownNodeError naming the operator and its node, MissingToolError without onnx. Example::

        model = sn.from_onnx("net.onnx", sn.MSELoss())
        loss, gradients = sn.derive(model).compile()(model.values, X, Y)

    >>> import symnet as sn
    >>> import onnx
    >>> node = onnx.helper.make_node("Relu", ["x"], ["y"])
    >>> ends = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["N", 3]) for name in "xy"]
    >>> model = onnx.helper.make_model(onnx.helper.make_graph([node], "g", ends[:1], ends[1:]))
    >>> print(sn.from_onnx(model).program)
    out[n, i] := relu(X[n, i])
    """
    onnx = onnx_itself("from_onnx")
    proto = _loaded(onnx, str(model)) if isinstance(model, (str, Path)) else model
    if not hasattr(proto, "graph"):
        raise OptionError("from_onnx", a_kind(model), "a file or an ONNX ModelProto")
    if proto.functions:  # operators that the model defines itself
        proto = import_module("onnx.inliner").inline_local_functions(proto)
    reader = _Reader(onnx, proto.graph)
    try:
        output = reader.read()
    except SymnetError:
        raise
    except (LookupError, ValueError, TypeError) as error:  # a name that nothing makes, a tensor without its data
        found = one_line(f"a model that is not whole: {type(error).__name__}: {error}", 160)
        raise OptionError(f"from_onnx, {reader.maker.where}".rstrip(", "), found, "a model as torch.onnx.export writes it") from None
    return Imported(finish(reader.graph, output, loss, title), reader.values, reader.sources)


def _loaded(onnx: Any, file: str) -> Any:
    """The model in a file. Raises OptionError in one line for a file that is none, or is only the beginning of one."""
    try:
        if not Path(file).is_file():
            raise OptionError(f"from_onnx, {file}", "no such file", "an ONNX model")
        proto = onnx.load(file)
    except (OSError, ValueError) as error:
        if isinstance(error, OptionError):
            raise
        raise OptionError(f"from_onnx, {file}", getattr(error, "strerror", None) or str(error), "an ONNX model") from None
    except Exception as error:  # protobuf's DecodeError, whose home depends on its version
        raise OptionError(f"from_onnx, {file}", f"no whole ONNX model ({type(error).__name__})", "a file as torch.onnx.export writes it"
                          ) from None
    if not proto.graph.node and not proto.graph.output:
        raise OptionError(f"from_onnx, {file}", "no ONNX model, or an empty one", "a file as torch.onnx.export writes it")
    return proto


def onnx_itself(where: str) -> Any:
    """The library, for whoever reads or writes models. Raises MissingToolError without it."""
    try:
        return import_module("onnx")
    except ImportError:
        raise MissingToolError(where, "onnx is not installed", "onnx", "pip install onnx") from None


WITHOUT_SLOPE = {**dict.fromkeys(("ArgMax", "ArgMin", "TopK", "NonZero"), "whose results are places: whole numbers without a slope"),
                 "Sort": "whose order depends on values"}
WITHOUT_FORMULA = {"GridSample": "which reads at places that are computed", "NonMaxSuppression": "whose result depends on an order",
                   "Hardmax": "whose result is a place", "RandomNormal": "which draws at random", "RandomUniform": "which draws at random",
                   "Multinomial": "which draws at random", "Bernoulli": "which draws at random", "StringNormalizer": "which is about text",
                   "QuantizeLinear": "which rounds to whole numbers of a scale", "DequantizeLinear": "which reads quantized numbers"}
CONTROL = frozenset({"If", "Loop", "Scan"})
MOST_TURNS = 64
OPTIONS = {"Resize": 1, "OneHot": 2, "Range": 0}  # from which input on initializers are numbers of the operator, no parameters


def _graphs(graph: Any, onnx: Any) -> Iterator[Any]:
    """The graph and all that its nodes hold."""
    yield graph
    for node in graph.node:
        for a in node.attribute:
            if a.type == onnx.AttributeProto.GRAPH:
                yield from _graphs(a.g, onnx)


class _Reader:
    """The state of one reading."""

    def __init__(self, onnx: Any, proto: Any) -> None:
        self.onnx, self.proto, self.graph = onnx, proto, Graph()
        self.maker = Maker(self.graph)
        self.values: dict[str, Any] = {}
        self.sources: dict[str, str] = {}
        self.env: dict[str, Any] = {}

    def read(self) -> Array:
        """Every node in order; the output."""
        self._initializers()
        for given in self.proto.input:
            if given.name not in self.env:
                self.env[given.name] = self._input(given)
        self._run(self.proto)
        if len(self.proto.output) != 1:
            raise unsupported(f"{len(self.proto.output)} outputs", "from_onnx", "one")
        found = self.env[self.proto.output[0].name]
        if not isinstance(found, Array):
            raise unsupported("an output that does not depend on the inputs", "from_onnx", "a computed one")
        return found

    def _run(self, graph: Any, inside: str = "") -> list[Any]:
        """The nodes of a graph, or of a part that a node holds; what its outputs are."""
        for number, node in enumerate(graph.node, start=1):
            self.maker.where = f"{inside}node {number}{f' {node.name!r}' if node.name else ''}, operator {node.op_type}"
            made = self._controlled(node) if node.op_type in CONTROL else self._node(node)
            results = made if isinstance(made, list) else [made]
            self.env.update(zip(node.output, results, strict=False))
        return [self.env[o.name] for o in graph.output] if inside else []

    def _controlled(self, node: Any) -> list[Any]:
        """If, Loop and Scan: a branch, or turns that are written out one after another."""
        where = self.maker.where
        attributes = {a.name: self.onnx.helper.get_attribute_value(a) for a in node.attribute}
        given: list[Any] = [self.env[n] if n else None for n in node.input]
        if node.op_type == "If":
            return self._branch(given[0], attributes, f"{where}, ")
        body = attributes["body"]
        scan = node.op_type == "Scan"
        if scan:
            count = int(attributes["num_scan_inputs"])
            states, rows = given[:len(given) - count], given[len(given) - count:]
            if any(any(attributes.get(f"scan_{k}", ())) for k in ("input_axes", "output_axes", "input_directions", "output_directions")):
                raise unsupported("a Scan along another axis, or backwards", where, "axis 0, forwards")
            rows = [Call(self.maker, [r], {}).needed(0) for r in rows]
            turns: Any = rows[0].shape[0]
        else:
            turns, going, states, rows = given[0], given[1], given[2:], []
            if turns is None or isinstance(turns, Array) or isinstance(going, Array):
                raise unsupported("a loop whose number of turns depends on data", where, "a constant number of turns")
            turns = int(np.asarray(turns).reshape(-1)[0]) if going is None or bool(going) else 0
        if not isinstance(turns, int) and not turns.is_Integer:
            raise unsupported(f"a Scan over {turns} places", where, "a number of places that is known")
        if int(turns) > MOST_TURNS:
            raise unsupported(f"a loop of {turns} turns", where, f"at most {MOST_TURNS}, which are written out")
        kept: list[list[Any]] = []
        for turn in range(int(turns)):
            self.maker.where = where
            fed = [*states, *[self.maker.take(r, 0, turn) for r in rows]] if scan else [np.asarray(turn), np.asarray(True), *states]
            self.env.update(zip([i.name for i in body.input], fed, strict=True))
            made = self._run(body, f"{where}, turn {turn + 1}, ")
            if not scan:
                going, *made = made
                if isinstance(going, Array):
                    raise unsupported("a loop whose end depends on data", where, "a constant number of turns")
            states = made[:len(states)]
            kept.append(made[len(states):])
            if not scan and not bool(going):
                break
        self.maker.where = where
        return [*states, *[self._stacked([row[k] for row in kept]) for k in range(len(kept[0]) if kept else 0)]]

    def _stacked(self, rows: list[Any]) -> Array:
        m = self.maker
        found = [Call(m, [r], {}).needed(0) for r in rows]
        return m.concat([m.reshape(a, [1, *a.shape]) for a in found], 0)

    def _branch(self, condition: Any, attributes: dict[str, Any], inside: str) -> list[Any]:
        """The branch that a constant picks; for a test of data both, entry by entry."""
        where = self.maker.where
        if not isinstance(condition, Array):
            return self._run(attributes["then_branch" if bool(condition) else "else_branch"], inside)
        yes, no = (self._run(attributes[name], inside) for name in ("then_branch", "else_branch"))
        self.maker.where = where
        yes, no = ([Call(self.maker, [v], {}).needed(0) for v in values] for values in (yes, no))
        pairs = list(zip(yes, no, strict=True))
        if any(a.shape != b.shape for a, b in pairs):
            raise unsupported("branches of different shapes, picked by data", where, "one shape")
        return [self.maker.map("select", self.maker.reshape(condition, []) if condition.rank else condition, a, b) for a, b in pairs]

    def _initializers(self) -> None:
        parts = list(_graphs(self.proto, self.onnx))
        arrays = {t.name: self.onnx.numpy_helper.to_array(t) for part in parts for t in part.initializer}
        options = {name for part in parts for node in part.node if node.op_type in OPTIONS for name in node.input[OPTIONS[node.op_type]:]}
        real = {name: a for name, a in arrays.items() if a.dtype.kind == "f" and a.ndim and a.size and name not in options}
        self.env.update({name: a for name, a in arrays.items() if name not in real})
        names = parameter_names([(name, a.ndim) for name, a in real.items()])
        for name, (source, a) in zip(names, real.items(), strict=True):
            axes, mask = tuple(Axis.of(n) for n in a.shape), one_sided(a) is not None
            self.values[name], self.sources[name] = a.astype("float64"), source
            role, domain = (Role.CONSTANT, "bool") if mask else (Role.PARAMETER, "real")
            self.env[source] = Array(self.graph.add_input(name, axes, role, source, domain), tuple(x.size for x in axes))

    def _input(self, given: Any) -> Array:
        sizes: list[int | str] = []
        for k, d in enumerate(given.type.tensor_type.shape.dim):
            named = clean(d.dim_param) if d.dim_param else f"n{k}"
            sizes.append(d.dim_value if d.HasField("dim_value") else named)
        many = len(sizes) > 1
        axes = tuple(Axis.of(n, Kind.BATCH if k == 0 and many else Kind.FEATURE) for k, n in enumerate(sizes))
        name = clean({"input": "x", "output": "y"}.get(given.name, given.name))
        name = name.upper() if many and len(name) == 1 else name
        taken = {*self.values, *[str(s) for a in axes for s in a.size.free_symbols]}
        domain = {6: "index", 7: "index", 9: "bool"}.get(given.type.tensor_type.elem_type, "real")
        return Array(self.graph.add_input(free_name(name, taken), axes, Role.INPUT, given.name, domain), tuple(a.size for a in axes))

    def _node(self, node: Any) -> Any:
        attributes = {a.name: self.onnx.helper.get_attribute_value(a) for a in node.attribute}
        attributes = {k: _plain(v) for k, v in attributes.items()}
        if hasattr(attributes.get("value"), "raw_data") and node.op_type != "Constant":
            attributes["value"] = self.onnx.numpy_helper.to_array(attributes["value"])
        if node.op_type == "Constant":
            return self._constant(attributes)
        if node.op_type == "Shape":
            return self._shape(node, attributes)
        given = [self.env[n] if n else None for n in node.input]
        if given and all(a is None or isinstance(a, np.ndarray) for a in given):
            if any(a is not None and a.dtype == object for a in given) and node.op_type in OF_SIZES:
                return OF_SIZES[node.op_type](given, attributes)
            if all(a is None or a.dtype != object for a in given):
                return self._constants(node, given)
        if node.op_type in WITHOUT_SLOPE:
            raise unsupported(f"the operator {node.op_type!r}, {WITHOUT_SLOPE[node.op_type]}", self.maker.where, "the values before it")
        if node.op_type in WITHOUT_FORMULA:
            raise unsupported(f"the operator {node.op_type!r}, {WITHOUT_FORMULA[node.op_type]}", self.maker.where, "a model without it")
        if node.op_type not in OPERATORS or node.domain not in ("", "ai.onnx"):
            raise unsupported(f"the operator {node.op_type!r}", self.maker.where)
        return OPERATORS[node.op_type](Call(self.maker, given, attributes))

    def _constants(self, node: Any, given: list[Any]) -> Any:
        """A node whose inputs are all constants, such as a shape put together: ONNX's reference computes it."""
        evaluator = import_module("onnx.reference").ReferenceEvaluator(node)
        made = evaluator.run(None, {n: a for n, a in zip(node.input, given, strict=True) if n})
        return made if len(made) > 1 else np.asarray(made[0])

    def _constant(self, attributes: dict[str, Any]) -> Any:
        if "value" in attributes:
            return self.onnx.numpy_helper.to_array(attributes["value"])
        value = next(iter(attributes.values()))
        return np.asarray(value)

    def _shape(self, node: Any, attributes: dict[str, Any]) -> Any:
        shape = self.env[node.input[0]].shape
        known = all(isinstance(n, int) or n.is_Integer for n in shape)
        sizes = [int(n) if known else sp.sympify(n, strict=True) for n in shape][attributes.get("start"):attributes.get("end")]
        return np.asarray(sizes, dtype=np.int64 if known else object)


def _plain(value: Any) -> Any:
    """An attribute; ONNX keeps real numbers in 32 bits, so 0.01 is the shortest decimal that 32 bits print as it, not 0.0099999998."""
    if isinstance(value, float):
        return float(str(np.float32(value)))
    return value.decode() if isinstance(value, bytes) else value
