"""Kinds of ONNX models: loops, scans and branches, writes and reads at places, constant arrays, functions of the model's own. Values beside
ONNX's reference evaluator, gradients beside differences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.errors import SymnetError

onnx = pytest.importorskip("onnx")
helper, REAL, WHOLE, TRUTH = onnx.helper, onnx.TensorProto.DOUBLE, onnx.TensorProto.INT64, onnx.TensorProto.BOOL
node, info = helper.make_node, helper.make_tensor_value_info
RNG = np.random.default_rng(4)


def model(nodes: list[Any], x: tuple[int, ...] | list[Any], constants: dict[str, Any] | None = None, more: list[Any] | None = None, opset: int = 18,
          functions: list[Any] | None = None) -> Any:
    """x: real numbers in, y out."""
    tensors = [onnx.numpy_helper.from_array(np.asarray(v), n) for n, v in (constants or {}).items()]
    graph = helper.make_graph(nodes, "g", [info("x", REAL, list(x)), *(more or [])], [info("y", REAL, None)], tensors)
    imports = [helper.make_opsetid("", opset), *([helper.make_opsetid("own", 1)] if functions else [])]
    return helper.make_model(graph, opset_imports=imports, ir_version=9, functions=functions or [])


def part(nodes: list[Any], inputs: list[Any], outputs: list[Any], constants: dict[str, Any] | None = None) -> Any:
    return helper.make_graph(nodes, "part", inputs, outputs, [onnx.numpy_helper.from_array(np.asarray(v), n) for n, v in (constants or {}).items()])


def real(*names: str) -> list[Any]:
    return [info(n, REAL, None) for n in names]


STEP = part([node("MatMul", ["h", "W"], ["u"]), node("Add", ["u", "row"], ["v"]), node("Tanh", ["v"], ["h1"]), node("Mul", ["h1", "h1"], ["o"])],
            real("h", "row"), real("h1", "o"))
TURN = part([node("Identity", ["go"], ["on"]), node("MatMul", ["h", "W"], ["u"]), node("Tanh", ["u"], ["h1"]), node("ReduceSum", ["h1"], ["o"], keepdims=0)],
            [info("t", WHOLE, []), info("go", TRUTH, []), *real("h")], [info("on", TRUTH, []), *real("h1", "o")])
STOPS = part([node("Less", ["t", "two"], ["on"]), node("Sin", ["h"], ["h1"])], [info("t", WHOLE, []), info("go", TRUTH, []), *real("h")],
             [info("on", TRUTH, []), *real("h1")])
UNTIL = part([node("ReduceSum", ["h"], ["s"], keepdims=0), node("Less", ["s", "nought"], ["on"]), node("Sin", ["h"], ["h1"])],
             [info("t", WHOLE, []), info("go", TRUTH, []), *real("h")], [info("on", TRUTH, []), *real("h1")])
SQUARE, OTHER = part([node("Mul", ["x", "x"], ["a"])], [], real("a")), part([node("Tanh", ["x"], ["b"])], [], real("b"))
SWISH = helper.make_function("own", "Swish", ["u"], ["v"], [node("Sigmoid", ["u"], ["s"]), node("Mul", ["u", "s"], ["v"])], [helper.make_opsetid("", 18)])
W = RNG.normal(size=(3, 3))
PLACES = np.array([[0, -1], [2, 1]])
MODELS: dict[str, Any] = {
    "a scan": model([node("Scan", ["h0", "x"], ["hT", "ys"], num_scan_inputs=1, body=STEP), node("Add", ["hT", "ys"], ["y"])], (4, 3),
                    {"h0": RNG.normal(size=3), "W": W}),
    "a loop": model([node("Loop", ["n", "yes", "x"], ["h", "sums"], body=TURN), node("ReduceSum", ["sums"], ["s"], keepdims=0), node("Add", ["h", "s"], ["y"])],
                    (2, 3), {"n": 3, "yes": True, "W": W}),
    "a loop that stops": model([node("Loop", ["n", "yes", "x"], ["y"], body=STOPS)], (2, 3), {"n": 9, "yes": True, "two": 2}),
    "a branch that is known": model([node("If", ["c"], ["z"], then_branch=SQUARE, else_branch=OTHER), node("Add", ["z", "x"], ["y"])], (2, 3), {"c": False}),
    "a branch of data": model([node("ReduceSum", ["x"], ["s"], keepdims=0), node("Greater", ["s", "nought"], ["c"]),
                               node("If", ["c"], ["y"], then_branch=SQUARE, else_branch=OTHER)], (2, 3), {"nought": 0.0}),
    "a function of the model's own": model([node("Swish", ["x"], ["z"], domain="own"), node("Swish", ["z"], ["y"], domain="own")], ["N", 3],
                                           functions=[SWISH]),
    "ScatterND": model([node("ScatterND", ["x", "i", "u"], ["y"])], (3, 4), {"i": [[0], [2]], "u": RNG.normal(size=(2, 4))}),
    "ScatterND, entries": model([node("ScatterND", ["x", "i", "u"], ["y"])], (3, 4), {"i": [[0, 1], [2, -1]], "u": RNG.normal(size=2)}),
    "ScatterND, added": model([node("ScatterND", ["x", "i", "u"], ["y"], reduction="add")], (3, 4), {"i": [[0], [0]], "u": RNG.normal(size=(2, 4))}),
    "ScatterElements": model([node("ScatterElements", ["x", "i", "u"], ["y"], axis=1)], (3, 4), {"i": PLACES, "u": RNG.normal(size=(2, 2))}),
    "ScatterElements, added": model([node("ScatterElements", ["x", "i", "x2"], ["y"], axis=0, reduction="add")], (3, 4),
                                    {"i": [[0, 1, 1, 2]], "x2": RNG.normal(size=(1, 4))}),
    "GatherND": model([node("GatherND", ["x", "i"], ["z"]), node("Exp", ["z"], ["y"])], (3, 4), {"i": [[[0, 1], [2, 2]]]}),
    "GatherND, rows": model([node("GatherND", ["x", "i"], ["y"])], (3, 4), {"i": [[2], [-1]]}),
    "a constant array": model([node("Range", ["a", "b", "c"], ["r"]), node("Mul", ["x", "r"], ["y"])], ["N", 4], {"a": 0.0, "b": 2.0, "c": 0.5}),
    "a mean of arrays": model([node("Mean", ["x", "b", "x"], ["y"])], ["N", 3], {"b": RNG.normal(size=3)}),
    "thresholds": model([node("ThresholdedRelu", ["x"], ["a"], alpha=0.5), node("Shrink", ["x"], ["b"], lambd=0.3, bias=0.1), node("Sub", ["a", "b"], ["y"])],
                        ["N", 4]),
    "LpNormalization": model([node("LpNormalization", ["x"], ["y"], axis=1)], (3, 4)),
    "LRN": model([node("LRN", ["x"], ["y"], size=3, alpha=0.5, beta=0.6, bias=1.5)], (4, 4, 2, 2)),
    "xor": model([node("Greater", ["x", "nought"], ["a"]), node("Less", ["x", "one"], ["b"]), node("Xor", ["a", "b"], ["c"]),
                  node("Where", ["c", "x", "one"], ["y"])], (3, 4), {"nought": 0.0, "one": 1.0}),
}


def known(read: Any, x: Any) -> dict[str, Any]:
    return {t.name: read.values.get(t.name, x) for t in read.program.inputs}


@pytest.mark.parametrize("name", MODELS)
def test_a_model_says_what_onnx_computes(name: str) -> None:
    from onnx.reference import ReferenceEvaluator

    proto = MODELS[name]
    x = RNG.normal(size=[d.dim_value or 2 for d in proto.graph.input[0].type.tensor_type.shape.dim])
    wanted = ReferenceEvaluator(proto).run(None, {"x": x})[0]
    read = sn.from_onnx(proto)
    np.testing.assert_allclose(read.program.run(**known(read, x)), wanted, rtol=1e-7, atol=1e-12)
    priced = sn.from_onnx(proto, sn.SquaredError())
    inputs = [t.name for t in priced.program.inputs]
    flows = next(n for n in inputs if n not in priced.values and n.lower() != "y")
    given = {**known(priced, x), **{n: np.zeros_like(wanted) for n in inputs if n in ("Y", "y") and n != flows}}
    _, slopes = sn.derive(priced.program, wrt=[flows]).compile(check=False)({flows: x}, *[given[n] for n in inputs if n != flows])
    way, h = RNG.normal(size=x.shape), 1e-6
    ends = [float((ReferenceEvaluator(proto).run(None, {"x": x + s * h * way})[0] ** 2).sum()) for s in (1, -1)]
    assert float((slopes[flows] * way).sum()) == pytest.approx((ends[0] - ends[1]) / (2 * h), rel=2e-6, abs=1e-8)


def test_one_hot_along_another_axis() -> None:
    made = node("OneHot", ["i", "d", "v"], ["o"], axis=1)
    graph = helper.make_graph([made, node("MatMul", ["o", "W"], ["y"])], "g", [info("i", WHOLE, [2, 3])], real("y"),
                              [onnx.numpy_helper.from_array(np.asarray(v), n) for n, v in (("d", 4), ("v", [-1.0, 2.0]), ("W", W))])
    read = sn.from_onnx(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9))
    i = np.array([[0, 3, 1], [2, 2, 0]])
    hot = np.where(np.arange(4)[None, :, None] == i[:, None, :], 2.0, -1.0)
    assert np.allclose(read.program.run(**known(read, i)), hot @ W) and list(read.values) == ["W"]


REFUSED = {
    "a loop that data stop": (model([node("Loop", ["n", "yes", "x"], ["y"], body=UNTIL)], (2, 3), {"n": 9, "yes": True, "nought": 0.0}), "depends on data"),
    "many turns": (model([node("Loop", ["n", "", "x"], ["h", "s"], body=TURN), node("Identity", ["h"], ["y"])], (2, 3), {"n": 900, "W": W}), "900 turns"),
    "a scan of unknown length": (model([node("Scan", ["h0", "x"], ["hT", "y"], num_scan_inputs=1, body=STEP)], ["N", 3], {"h0": W[0], "W": W}), "Scan over N"),
    "a grid": (model([node("GridSample", ["x", "g"], ["y"])], (1, 1, 3, 3), {"g": np.zeros((1, 2, 2, 2))}), "computed"),
    "an argmax": (model([node("ArgMax", ["x"], ["i"]), node("Cast", ["i"], ["y"], to=REAL)], (2, 3)), "without a slope"),
    "a scatter that may repeat": (model([node("ScatterND", ["x", "i", "u"], ["y"], reduction="mul")], (3, 4), {"i": [[0]], "u": W[:1, :1] * np.ones((1, 4))}), "'mul'"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_formula_is_refused_in_one_line(name: str) -> None:
    proto, says = REFUSED[name]
    with pytest.raises(SymnetError) as caught:
        sn.from_onnx(proto)
    assert says in str(caught.value) and "\n" not in str(caught.value)
