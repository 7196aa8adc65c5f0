"""A derivation as an ONNX model: loss and gradients with standard operators, written from the NumPy source line by line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import sympy as sp

from symnet.backends.c_source import sizes_of
from symnet.backends.compiled import DTYPES
from symnet.backends.onnx_arrays import ONNX_TYPES, OWN, Graph, Names, Traced, cast, lift
from symnet.backends.running import functions_of
from symnet.backends.source import HELPERS, lines_source
from symnet.backends.stable_code import needed
from symnet.core.derivation import Derivation
from symnet.core.short_forms import listed
from symnet.core.signatures import checked
from symnet.errors import OptionError, did_you_mean, shown
from symnet.frontends.onnx_models import onnx_itself

OPSET = 18


class OnnxModel(Protocol):
    """What is used of an ``onnx.ModelProto``, which onnx makes: its graph, and its bytes."""

    graph: Any

    def SerializeToString(self) -> bytes:
        """The file."""


@checked
def to_onnx(derivation: Derivation, sizes: Mapping[str, int] | None = None, dtype: str = "float32", outputs: Sequence[str] = (),
            check: bool = True) -> OnnxModel:
    """An ``onnx.ModelProto`` whose outputs are the objective, the gradients, and the lines named by ``outputs``.

    The graph is the compiled code, operator by operator, with its stable forms: onnxruntime computes what ``compile`` computes. Inputs
    and outputs have the names of the program (a gradient that of its line, dL_dW). ``sizes`` gives a number for every size; float32 runs
    everywhere, float64 where the runtime has the operators for it. Save it with ``onnx.save(model, "net.onnx")``.

    Raises OptionError for sizes and lines that do not fit, UnknownNodeError for what ONNX has no operator for (inverses, log det), and
    MissingToolError without onnx.

    >>> import symnet as sn
    >>> model = to_onnx(sn.derive(sn.program("L = (w*x - 1)**2"), wrt=["w"]))
    >>> [i.name for i in model.graph.input], [o.name for o in model.graph.output]
    (['w', 'x'], ['L', 'dL_dw'])
    """
    onnx = onnx_itself("to_onnx")
    if dtype not in DTYPES:
        raise OptionError("to_onnx", f"the dtype {shown(dtype)}", "one of " + ", ".join(DTYPES), did_you_mean(dtype, DTYPES))
    if check:
        derivation.check()
    program = derivation.program
    for name in outputs:
        if name not in program.by_name:
            raise OptionError("to_onnx, outputs", f"no line named {shown(name)}", listed(list(program.by_name), 60),
                              did_you_mean(str(name), list(program.by_name)))
    numbers = sizes_of(derivation.full, sizes)
    graph = Graph(dtype)
    given, told = {}, []
    for t in program.inputs:
        shape = tuple(int(n.xreplace({s: sp.Integer(k) for s, k in numbers.items()})) for n in t.shape)
        kind = "int64" if t.domain == "index" else dtype
        given[t.name] = Traced(graph, t.name, shape, kind)
        told.append(onnx.helper.make_tensor_value_info(t.name, ONNX_TYPES[kind], shape))
    lines = {**given, **_lines(derivation, dtype, graph, [*given.values(), *[numbers[s] for s in derivation.full.sizes]], outputs)}
    wanted = dict.fromkeys([derivation.objective, *[derivation.gradient_name(w) for w in derivation.wrt], *outputs])
    results = [(name, cast(lift(graph, lines[name]), dtype)) for name in wanted]
    nodes = [onnx.helper.make_node(o, list(i), [n], **a) for o, i, n, a in graph.nodes]
    nodes += [onnx.helper.make_node("Identity", [value.name], [name]) for name, value in results if name not in given]
    made = onnx.helper.make_graph(
        nodes, "symnet", told, [onnx.helper.make_tensor_value_info(name, ONNX_TYPES[dtype], v.shape) for name, v in results],
        [onnx.numpy_helper.from_array(np.asarray(a), name) for name, a in graph.constants.items()])
    standard = [onnx.helper.make_opsetid("", OPSET)]
    model: OnnxModel = onnx.helper.make_model(made, opset_imports=standard, producer_name="symnet", ir_version=9)
    onnx.checker.check_model(model)
    return model


def _lines(derivation: Derivation, dtype: str, graph: Graph, held: list[Any], outputs: Sequence[str]) -> dict[str, Any]:
    """Every line that the compiled code computes, as arrays of the graph."""
    text = lines_source(derivation, dtype, outputs)
    body = text[text.index("def prepare("):]
    known = {**HELPERS, **OWN}
    helpers = "\n\n".join(known[name] for name in needed(body, known))
    compute, = functions_of(f"{helpers}\n\n{body}", "compute", given={"np": Names(graph), "dtype": getattr(np, dtype)})
    found: dict[str, Any] = compute(*held)
    return found
