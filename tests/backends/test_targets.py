"""Twelve architectures, every target: one derivation, the same numbers.

NumPy's gradients are compared with central differences of the objective (its values with mpmath in ``test_accuracy.py``), and what every
other target computes with NumPy: float64 to 1e-12, float32 to 3e-5, of the largest entry of each array.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy as sp

import symnet as sn
from symnet.backends import c_compiler
from symnet.backends.running import function_of
from symnet.core.derivation import Derivation
from symnet.core.program import Program
from symnet.networks import architectures as nets
from tests.backends.test_c_source import Net

Case = tuple[Callable[[], Program], dict[str, int]]
CASES: dict[str, Case] = {
    "1-1-1": (lambda: sn.program("z1 = w1*x + b1", "a1 = sigmoid(z1)", "z2 = w2*a1 + b2", "a2 = sigmoid(z2)", "L = (a2 - y)**2"), {}),
    "classifier": (nets.mlp, {"N": 3, "d": 4, "h": 5, "k": 3}),
    "logistic regression": (lambda: sn.Sequential(sn.Linear("d", 1), sn.Sigmoid()).program(sn.BCELoss()), {"N": 4, "d": 3}),
    "gelu, layer norm": (lambda: sn.Sequential(sn.Linear(4, 6), sn.LayerNorm(6), sn.GELU(), sn.Linear(6, 2)).program(sn.MSELoss()), {"N": 3}),
    "relu, dropout off, l1": (lambda: sn.Sequential(sn.Linear(4, 6), sn.ReLU(), sn.Linear(6, 2), sn.LeakyReLU()).program(sn.L1Loss()), {"N": 3}),
    "depth": (nets.deep_mlp, {"d": 3, "L": 3}),
    "rnn": (nets.rnn, {"T": 3, "d": 2, "m": 3}),
    "gru": (nets.gru, {"N": 2, "T": 3, "d": 2, "m": 2}),
    "lstm": (nets.lstm, {"N": 2, "T": 3, "d": 2, "m": 2}),
    "conv1d": (lambda: nets.conv1d(stride=2), {"K": 3, "M": 4}),
    "conv2d, max pool": (lambda: sn.Sequential(sn.Input(1, 6, 6), sn.Conv2d(1, 2, 3), sn.Tanh(), sn.MaxPool2d(2), sn.Flatten()).program(sn.MSELoss()), {"N": 2}),
    "attention": (lambda: sn.program("S = Q @ K.T/2", "p = softmax(S)", "O = p @ V", "L = sum(O**2)", tensors={
        "Q": ("T", "d"), "K": ("S1", "d"), "V": ("S1", "c")}), {"T": 3, "S1": 4, "d": 2, "c": 3}),
    "embedding": (lambda: sn.program("e[n, j] = E[x[n], j]", "L = sum((e[n, j] - y[n, j])**2 for n in 1..N for j in 1..d)",
                                     tensors={"x": sn.Tensor("x", (sn.Axis.of("N"),), domain="index", classes=sp.Symbol("v", integer=True, positive=True)),
                                              "E": ("v", "d"), "y": ("N", "d")}), {"N": 5, "v": 3, "d": 2}),
}
COMPILER = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")


@functools.cache
def case(name: str) -> tuple[Derivation, dict[str, Any], dict[str, int]]:
    make, sizes = CASES[name]
    d = sn.derive(make())
    rng = np.random.default_rng(11)
    number = {s: sp.Integer(sizes[str(s)]) for s in d.full.sizes}
    arrays: dict[str, Any] = {}
    for t in d.program.inputs:
        shape = [int(n.xreplace(number)) for n in t.shape]
        if t.domain == "index":
            arrays[t.name] = rng.integers(0, sizes["v"], shape)
        elif t.structure == "one-hot":
            arrays[t.name] = np.eye(shape[-1])[rng.integers(0, shape[-1], shape[:-1])]
        else:
            arrays[t.name] = rng.uniform(0.1, 0.9, shape) if t.name in ("Y", "y", "t") else rng.normal(size=shape)*0.7
    return d, arrays, {str(s): sizes[str(s)] for s in d.full.sizes}


@functools.cache
def by_numpy(name: str) -> tuple[float, dict[str, Any]]:
    d, arrays, _ = case(name)
    made: tuple[float, dict[str, Any]] = d.compile()({w: arrays[w] for w in d.wrt}, **{n: a for n, a in arrays.items() if n not in d.wrt})
    return made


def agree(name: str, value: Any, gradients: Any, bound: float) -> None:
    wanted, slopes = by_numpy(name)
    assert float(value) == pytest.approx(wanted, rel=bound, abs=bound)
    assert set(gradients) == set(slopes)
    for w, g in slopes.items():
        found = np.asarray(gradients[w])
        assert found.shape == np.shape(g)
        assert np.abs(found - g).max(initial=0) <= bound*max(1, np.abs(g).max(initial=0)), w


@pytest.mark.parametrize("name", CASES)
def test_numpy_beside_differences(name: str) -> None:
    """Central differences of the forward program that NumPy runs, of a direction drawn for each parameter."""
    d, arrays, _ = case(name)
    _, slopes = by_numpy(name)
    rng, h = np.random.default_rng(2), 1e-5
    for w in d.wrt:
        way = rng.normal(size=np.shape(arrays[w]))
        ends = [float(d.program.run(**{**arrays, w: arrays[w] + s*h*way})) for s in (1, -1)]
        assert (ends[0] - ends[1])/(2*h) == pytest.approx(float((slopes[w]*way).sum()), rel=1e-6, abs=1e-8)


@pytest.mark.parametrize(("library", "dtype"), [("jax", "float64"), ("torch", "float64"), ("torch", "float32")])
@pytest.mark.parametrize("name", CASES)
def test_modules(name: str, library: str, dtype: str) -> None:
    module = importlib.import_module(library)
    d, arrays, _ = case(name)
    run = function_of(sn.export(d, library, dtype, check=False), "value_and_grad")
    if library == "jax":
        module.config.update("jax_enable_x64", True)
        run = module.jit(run)  # one compilation, not one for each operation
    value, gradients = run(**arrays)
    agree(name, value, {w: np.asarray(g) for w, g in gradients.items()}, BOUND[dtype])


BOUND = {"float64": 1e-12, "float32": 3e-5}


@COMPILER
@pytest.mark.parametrize("name", CASES)
def test_compiled_c(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(c_compiler, "FLAGS", tuple("-O1" if f == "-O3" else f for f in c_compiler.FLAGS))
    monkeypatch.setenv("SYMNET_CACHE", str(tmp_path))
    d, arrays, _ = case(name)
    f = d.compile("c", check=False)
    value, gradients = f({w: arrays[w] for w in d.wrt}, **{n: a for n, a in arrays.items() if n not in d.wrt})
    agree(name, value, gradients, BOUND["float64"])


@COMPILER
@pytest.mark.parametrize("dtype", BOUND)
@pytest.mark.parametrize("name", CASES)
def test_exported_c(name: str, dtype: str, tmp_path: Path) -> None:
    d, arrays, sizes = case(name)
    net = Net(d, arrays, sizes, tmp_path, dtype, check=False)
    agree(name, *net.gradient(), BOUND[dtype])
    assert net.loss() == pytest.approx(by_numpy(name)[0], rel=BOUND[dtype], abs=BOUND[dtype])


@pytest.mark.parametrize("name", ["1-1-1"])
def test_numbers(name: str) -> None:
    d, arrays, _ = case(name)
    agree(name, *function_of(sn.export(d, "math"), "value_and_grad")(**{n: float(a) for n, a in arrays.items()}), 1e-15)


@pytest.mark.parametrize("dtype", BOUND)
@pytest.mark.parametrize("name", CASES)
def test_onnx(name: str, dtype: str) -> None:
    """Loss and gradients as a graph of standard operators: carried out by ONNX's own reference, and by onnxruntime where it is there."""
    onnx = importlib.import_module("onnx")
    d, arrays, sizes = case(name)
    model = sn.to_onnx(d, sizes, dtype, check=False)
    assert {n.domain for n in model.graph.node} == {""}
    feed = {i.name: np.asarray(arrays[i.name], np.int64 if i.type.tensor_type.elem_type == onnx.TensorProto.INT64 else dtype) for i in model.graph.input}
    runs = [importlib.import_module("onnx.reference").ReferenceEvaluator(model).run]
    if importlib.util.find_spec("onnxruntime") is not None:
        runtime = importlib.import_module("onnxruntime")
        runs.append(runtime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"]).run)
    for run in runs:
        made = dict(zip([o.name for o in model.graph.output], run(None, feed), strict=True))
        assert {np.asarray(v).dtype for v in made.values()} == {np.dtype(dtype)}
        agree(name, made[d.objective], {w: made[d.gradient_name(w)] for w in d.wrt}, BOUND[dtype])
