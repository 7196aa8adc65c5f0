"""Derivations as ONNX models: functions at the ends of their range, recurrences, look-ups, and what is refused."""

from __future__ import annotations

import importlib.util
import re
from typing import Any

import mpmath
import numpy as np
import pytest

import symnet as sn
from symnet.backends.onnx_arrays import Graph, Names, Traced
from symnet.errors import OptionError, UnknownNodeError

onnx = pytest.importorskip("onnx")


def run(model: Any, **arrays: Any) -> dict[str, Any]:
    from onnx.reference import ReferenceEvaluator

    kinds = {i.name: np.int64 if i.type.tensor_type.elem_type == 7 else np.float64 for i in model.graph.input}
    found = [ReferenceEvaluator(model).run(None, {n: np.asarray(a, kinds[n]) for n, a in arrays.items()})]
    if importlib.util.find_spec("onnxruntime") is not None:
        import onnxruntime

        session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        found.append(session.run(None, {n: np.asarray(a, kinds[n]) for n, a in arrays.items()}))
        for a, b in zip(*found, strict=True):
            assert np.allclose(a, b, rtol=1e-12, atol=1e-300, equal_nan=True)
    return dict(zip([o.name for o in model.graph.output], found[0], strict=True))


@pytest.mark.parametrize("text", ["log(1 + exp(x))", "log(1 - exp(-x**2 - 1))", "exp(x) - 1", "sigmoid(x)", "softplus(x)", "max(x, 2*x)", "abs(x)",
                                  "x/(1 + exp(-x))", "log(2 + exp(x))", "tanh(x)", "floor(x)", "sqrt(1 + x**2)", "where(x > 1, x**3, x)"])
@pytest.mark.parametrize("at", [0.0, 1e-12, -1e-12, 0.3, -2.5, 40.0, -40.0, 700.0, -700.0])
def test_functions_at_the_ends_of_their_range(text: str, at: float) -> None:
    d = sn.derive(sn.program(f"L = {text}"), wrt=["x"])
    model = sn.to_onnx(d, dtype="float64", check=False)
    with np.errstate(all="ignore"):
        value, grads = d.compile(check=False)({"x": at})
        made = run(model, x=at)
    assert made["L"] == pytest.approx(value, rel=1e-14, nan_ok=True) and made["dL_dx"] == pytest.approx(grads["x"], rel=1e-14, nan_ok=True)


def test_log1p_expm1_and_the_normal_distribution_keep_their_digits() -> None:
    from onnx.reference import ReferenceEvaluator

    graph = Graph("float64")
    names, x = Names(graph), Traced(graph, "x", (1,), "float64")
    outputs = {"log1p": names.log1p(x), "expm1": names.expm1(x), "gauss": names.gauss(x)}
    nodes = [onnx.helper.make_node(o, list(i), [n], **a) for o, i, n, a in graph.nodes]
    model = onnx.helper.make_model(onnx.helper.make_graph(
        nodes, "f", [onnx.helper.make_tensor_value_info("x", 11, [1])],
        [onnx.helper.make_tensor_value_info(v.name, 11, [1]) for v in outputs.values()],
        [onnx.numpy_helper.from_array(a, n) for n, a in graph.constants.items()]), opset_imports=[onnx.helper.make_opsetid("", 18)])
    mpmath.mp.dps = 40
    exact = {"log1p": lambda t: mpmath.log1p(t), "expm1": lambda t: mpmath.expm1(t), "gauss": lambda t: mpmath.erfc(-t / mpmath.sqrt(2)) / 2}
    evaluator = ReferenceEvaluator(model)
    for at in (1e-20, 1e-9, -1e-9, 0.1, -0.4, 0.99, 1.0, 3.0, -0.9999, 30.0, -8.0, -20.0, -30.0):
        with np.errstate(all="ignore"):
            made = dict(zip(outputs, evaluator.run(None, {"x": np.array([at])}), strict=True))
        for name, f in exact.items():
            if name == "log1p" and at <= -1:
                continue
            assert made[name][0] == pytest.approx(float(f(mpmath.mpf(at))), rel=2e-13 if name == "gauss" else 1e-15), (name, at)


def test_lines_may_be_outputs_too() -> None:
    d = sn.derive(sn.Sequential(sn.Linear("d", 3), sn.Tanh()), loss=sn.MSELoss())
    model = sn.to_onnx(d, {"N": 2, "d": 4}, "float64", outputs=["z1"])
    rng = np.random.default_rng(0)
    arrays = {"X": rng.normal(size=(2, 4)), "W1": rng.normal(size=(4, 3)), "b1": rng.normal(size=3), "Y": rng.normal(size=(2, 3))}
    made = run(model, **arrays)
    assert made["z1"] == pytest.approx(arrays["X"] @ arrays["W1"] + arrays["b1"])
    assert list(made) == ["L", "dL_dW1", "dL_db1", "z1"]


@pytest.mark.parametrize(("options", "said"), [({}, "no number for N, d"), ({"sizes": {"N": 2, "d": 3, "q": 1}}, "no size named 'q'"),
                                               ({"sizes": {"N": 2, "d": 3}, "outputs": ["q"]}, "no line named 'q'"),
                                               ({"sizes": {"N": 2, "d": 3}, "dtype": "float16"}, "float16")])
def test_what_does_not_fit_is_told(options: dict[str, Any], said: str) -> None:
    d = sn.derive(sn.Sequential(sn.Linear("d", 3)), loss=sn.MSELoss())
    with pytest.raises(OptionError, match=re.escape(said)):
        sn.to_onnx(d, **options)


def test_what_onnx_has_no_operator_for_is_refused() -> None:
    d = sn.derive(sn.program("L = sum(inv(A) @ x)", tensors={"A": ("n", "n"), "x": ("n",)}), wrt=["A"])
    with pytest.raises(UnknownNodeError, match=r"no operator for np\.linalg\.inv"):
        sn.to_onnx(d, {"n": 2}, check=False)
