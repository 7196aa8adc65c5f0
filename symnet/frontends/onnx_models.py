"""ONNX models as programs: the graph of the file, node by node."""

from __future__ import annotations

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
    onnx = _onnx()
    proto = _loaded(onnx, str(model)) if isinstance(model, (str, Path)) else model
    if not hasattr(proto, "graph"):
        raise OptionError("from_onnx", a_kind(model), "a file or an ONNX ModelProto")
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


def _onnx() -> Any:
    try:
        return import_module("onnx")
    except ImportError:
        raise MissingToolError("from_onnx", "onnx is not installed", "onnx", "pip install onnx") from None


WITHOUT_SLOPE = {**dict.fromkeys(("ArgMax", "ArgMin", "TopK", "NonZero"), "whose results are places: whole numbers without a slope"),
                 "Sort": "whose order depends on values"}


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
        for number, node in enumerate(self.proto.node, start=1):
            made = self._node(node, number)
            results = made if isinstance(made, list) else [made]
            self.env.update(zip(node.output, results, strict=False))
        if len(self.proto.output) != 1:
            raise unsupported(f"{len(self.proto.output)} outputs", "from_onnx", "one")
        found = self.env[self.proto.output[0].name]
        if not isinstance(found, Array):
            raise unsupported("an output that does not depend on the inputs", "from_onnx", "a computed one")
        return found

    def _initializers(self) -> None:
        arrays = {t.name: self.onnx.numpy_helper.to_array(t) for t in self.proto.initializer}
        options = {name for node in self.proto.node if node.op_type == "Resize" for name in node.input[1:]}
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

    def _node(self, node: Any, number: int) -> Any:
        self.maker.where = f"node {number}{f' {node.name!r}' if node.name else ''}, operator {node.op_type}"
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
