"""ONNX models read as programs: the values are those of ONNX's reference evaluator, the gradients those of PyTorch's original."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.core.tensors import Role
from symnet.errors import UnknownNodeError
from symnet.frontends.onnx_models import from_onnx

onnx = importlib.import_module("onnx")
reference = importlib.import_module("onnx.reference")
helper, DOUBLE = onnx.helper, onnx.TensorProto.DOUBLE
RNG = np.random.default_rng(0)
W, B, IMAGE, KERNEL = (RNG.normal(size=s) for s in ((3, 4), (4,), (2, 2, 5, 4), (3, 2, 2, 2)))


def node(op: str, inputs: str, **attributes: Any) -> Any:
    return helper.make_node(op, inputs.split(), ["out"], name=f"the_{op}", **attributes)


def model(nodes: list[Any], shape: tuple[Any, ...] = (5, 3), constants: dict[str, Any] | None = None) -> Any:
    """A model of one input; node k passes on ``hk``, the last one ``out``."""
    for k, n in enumerate(nodes[:-1], start=1):
        n.output[0] = f"h{k}"
    arrays = {"W": W, "B": B, **(constants or {})}
    used = {name for n in nodes for name in n.input}
    tensors = [onnx.numpy_helper.from_array(np.asarray(a), n) for n, a in arrays.items() if n in used]
    given = helper.make_tensor_value_info("input", DOUBLE, shape)
    out = helper.make_tensor_value_info("out", DOUBLE, None)
    return helper.make_model(helper.make_graph(nodes, "net", [given], [out], tensors), opset_imports=[helper.make_opsetid("", 20)])


def after_matmul(op: str, more: str = "", **attributes: Any) -> list[Any]:
    return [node("MatMul", "input W"), node(op, f"h1 {more}".strip(), **attributes)]


def ints(*values: int) -> Any:
    return np.array(values, dtype=np.int64)


CASES: dict[str, tuple[list[Any], tuple[Any, ...], dict[str, Any]]] = {
    **{op: (after_matmul(op), (5, 3), {}) for op in (
        "Tanh", "Sigmoid", "Relu", "Elu", "Selu", "Gelu", "Softplus", "Softsign", "Mish", "Erf", "Exp", "Abs", "Sin", "Cos", "Neg",
        "Softmax", "LogSoftmax", "Transpose", "Identity", "Reciprocal", "Sinh", "Flatten")},
    "LeakyRelu": (after_matmul("LeakyRelu", alpha=0.25), (5, 3), {}),
    "Gelu, tanh": (after_matmul("Gelu", approximate="tanh"), (5, 3), {}), "Softmax, axis 0": (after_matmul("Softmax", axis=0), (5, 3), {}),
    "Gemm": ([node("Gemm", "input V B", transB=1, alpha=0.5, beta=2.0)], (5, 3), {"V": W.T}),
    "Add, Mul, Sub, Div": ([node("Add", "input c"), node("Mul", "h1 input"), node("Sub", "c h2"), node("Div", "h3 c")], (5, 3),
                           {"c": np.float64(0.25)}),
    "Pow, Clip": ([node("Pow", "input p"), node("Clip", "h1 lo hi")], (5, 3), {"p": np.float64(2), "lo": np.float64(0.1), "hi": np.float64(0.7)}),
    "Where": ([node("Greater", "input c"), node("Where", "h1 input c")], (5, 3), {"c": np.float64(0.1)}),
    "Max, Min": ([node("Max", "input B"), node("Min", "h1 c B")], (5, 4), {"c": np.float64(0.3)}),
    "ReduceSum": (after_matmul("ReduceSum", "a", keepdims=0), (5, 3), {"a": ints(1)}),
    "ReduceMean": (after_matmul("ReduceMean", "a"), (5, 3), {"a": ints(0)}), "ReduceL2": (after_matmul("ReduceL2", "a"), (5, 3), {"a": ints(1)}),
    "ReduceLogSumExp": (after_matmul("ReduceLogSumExp", "a", keepdims=0), (5, 3), {"a": ints(-1)}),
    "Reshape": (after_matmul("Reshape", "s"), (5, 3), {"s": ints(0, 2, -1)}), "Squeeze": ([node("Unsqueeze", "input a"), node("Squeeze", "h1 a")],
                                                                                      (5, 3), {"a": ints(1)}),
    "Slice": (after_matmul("Slice", "s e a t"), (5, 3), {"s": ints(1, 0), "e": ints(4, 99), "a": ints(0, 1), "t": ints(1, 2)}),
    "Gather": (after_matmul("Gather", "g", axis=1), (5, 3), {"g": np.int64(2)}), "Expand": ([node("Expand", "input s")], (1, 3), {"s": ints(4, 3)}),
    "LayerNormalization": (after_matmul("LayerNormalization", "g B"), (5, 3), {"g": B + 1}),
    "BatchNormalization": (after_matmul("BatchNormalization", "g B m v"), (5, 3), {"g": B + 1, "m": B / 2, "v": B**2 + 1}),
    "Conv": ([node("Conv", "input K b", pads=[1, 0, 1, 0], strides=[2, 1])], IMAGE.shape, {"K": KERNEL, "b": B[:3]}),
    "AveragePool": ([node("AveragePool", "input", kernel_shape=[2, 2], strides=[1, 2])], IMAGE.shape, {}),
    "MaxPool": ([node("MaxPool", "input", kernel_shape=[2, 2], strides=[2, 2])], IMAGE.shape, {}),
    "GlobalAveragePool": ([node("GlobalAveragePool", "input")], IMAGE.shape, {}),
}


@pytest.mark.parametrize("name", CASES)
def test_values_are_those_of_the_reference_evaluator(name: str) -> None:
    nodes, shape, constants = CASES[name]
    proto = model(nodes, shape, constants)
    x = RNG.normal(size=shape)
    (wanted,) = reference.ReferenceEvaluator(proto).run(None, {"input": x})
    read = from_onnx(proto)
    data = next(t.name for t in read.program.inputs if t.role is Role.INPUT)
    from symnet.backends.source import forward_source

    space: dict[str, Any] = {}
    exec(forward_source(read.program, read.program.objective), space)
    found = space["forward"](**{n: v for n, v in read.values.items() if n in read.program.tensors}, **{data: x})
    assert found.shape == wanted.shape
    assert np.max(np.abs(found - wanted)) < (1e-6 if name.startswith(("Erf", "Gelu")) else 1e-10)  # its erf is in 32 bits


def mlp(batch: Any) -> Any:
    nodes = [node("MatMul", "input W"), node("Add", "h1 B"), node("Tanh", "h2"), node("Gemm", "h3 V")]
    return model(nodes, (batch, 3), {"V": RNG.normal(size=(4, 2))})


def test_gradients_are_those_of_differences_of_its_own_values() -> None:
    proto = mlp("N")
    read = from_onnx(proto, sn.MSELoss())
    x, y = RNG.normal(size=(6, 3)), RNG.normal(size=(6, 2))
    _, found = sn.derive(read).compile(check=False)(read.values, x, y)

    def loss(w: Any) -> float:
        changed = onnx.ModelProto()
        changed.CopyFrom(proto)
        (place,) = (t for t in changed.graph.initializer if t.name == "W")
        place.CopyFrom(onnx.numpy_helper.from_array(w, "W"))
        return float(np.mean((reference.ReferenceEvaluator(changed).run(None, {"input": x})[0] - y) ** 2))

    step, e = 1e-3, np.zeros_like(W)
    e[1, 2] = step  # central differences, extrapolated: the error is of the order step^4
    one, two = ((loss(W + k * e) - loss(W - k * e)) / (2 * k * step) for k in (1, 2))
    assert found[next(n for n, s in read.sources.items() if s == "W")][1, 2] == pytest.approx((4 * one - two) / 3, abs=1e-10)


def test_a_named_dimension_is_a_symbolic_size() -> None:
    assert str(from_onnx(mlp("N"), sn.MSELoss()).program) == """\
z1[n, j] := B[j] + Sum(W[i, j]*X[n, i], (i, 1, 3))
a1[n, j] := tanh(z1[n, j])
out[n, k] := Sum(V[j, k]*a1[n, j], (j, 1, 4))
L := Sum((-Y[n, k] + out[n, k])**2, (k, 1, 2), (n, 1, N))/(2*N)"""


def test_an_attribute_of_32_bits_is_the_decimal_that_it_prints_as() -> None:
    assert ", 1/100)" in str(from_onnx(model(after_matmul("LeakyRelu", alpha=0.01))).program)


def test_a_file_is_read(tmp_path: Path) -> None:
    onnx.save(mlp(5), tmp_path / "net.onnx")
    assert str(from_onnx(tmp_path / "net.onnx").program) == str(from_onnx(mlp(5)).program)


def test_every_step_checks() -> None:
    proto = model([node("MatMul", "input W"), node("Gelu", "h1"), node("LayerNormalization", "h2 B"), node("Softmax", "h3")])
    assert all(step.check() for step in sn.derive(from_onnx(proto, sn.MSELoss())).steps)


@pytest.mark.parametrize(("nodes", "message"), [
    (after_matmul("Hardmax"), r"node 2 'the_Hardmax', operator Hardmax.*'Hardmax'"),
    (after_matmul("ArgMax"), r"node 2 'the_ArgMax'.*without a slope"),
    ([node("CumSum", "input g", exclusive=1)], "without its own place"),
    ([node("Cast", "input", to=7)], "something else than real numbers"),
], ids=["hardmax", "maximum", "running sum", "cast"])
def test_what_is_not_read_is_named_with_its_place(nodes: list[Any], message: str) -> None:
    with pytest.raises(UnknownNodeError, match=message):
        from_onnx(model(nodes, constants={"g": ints(0)}))


def test_gradients_of_an_exported_torch_module_are_those_of_autograd(tmp_path: Path) -> None:
    torch = importlib.import_module("torch")
    importlib.import_module("onnxscript")
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.LayerNorm(4), torch.nn.Linear(4, 2)).double()
    x, y = torch.randn(5, 3).double(), torch.randn(5, 2).double()
    torch.onnx.export(net, (x,), tmp_path / "net.onnx", dynamo=True)
    read = from_onnx(tmp_path / "net.onnx", sn.MSELoss())
    torch.nn.functional.mse_loss(net(x), y).backward()
    _, found = sn.derive(read).compile(check=False)(read.values, x.numpy(), y.numpy())
    wanted = {name: p.grad.numpy() for name, p in net.named_parameters()}
    for name, g in found.items():
        theirs = wanted[read.sources[name]]
        assert np.max(np.abs(g - (theirs if g.shape == theirs.shape else theirs.T))) < 1e-10
