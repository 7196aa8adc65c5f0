"""The generated module: it needs numpy alone, has no loop over entries, and its names never clash."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import symnet as sn
from symnet.backends.source import forward_source, numpy_source, python_names, size_names
from symnet.core.axes import Axis, Kind, index
from symnet.core.derivation import Derivation
from symnet.core.expressions import total
from symnet.core.program import Program, define
from symnet.core.tensors import Role, Tensor
from symnet.errors import ShapeError
from symnet.networks import architectures as nets

# name -> (derivation, how many Python loops its module may have: one forward and one backward along time or depth)
MODULES: dict[str, tuple[Callable[[], Derivation], int]] = {
    "first": (lambda: sn.load("first"), 0),
    "two-two-two": (lambda: sn.load("two-two-two"), 0),
    "ages": (lambda: sn.load("ages"), 0),
    "softmax-regression": (lambda: sn.load("softmax-regression"), 0),
    "mlp": (lambda: sn.derive(nets.mlp()), 0),
    "unrolled-mlp": (lambda: sn.derive(nets.unrolled_mlp(3, 3)), 0),
    "conv": (lambda: sn.derive(nets.conv1d()), 0),
    "deep-mlp": (lambda: sn.derive(nets.deep_mlp()), 2),
    "rnn": (lambda: sn.derive(nets.rnn()), 2),
}
LOOPS = (ast.For, ast.While, ast.ListComp, ast.GeneratorExp, ast.SetComp, ast.DictComp)


def body(source: str) -> ast.FunctionDef:
    """The function that is generated; what stands before it is fixed."""
    return next(f for f in ast.parse(source).body if isinstance(f, ast.FunctionDef) and f.name == "compute")


@pytest.mark.parametrize("name", MODULES)
def test_loops_run_along_time_or_depth_alone(name: str) -> None:
    make, loops = MODULES[name]
    found = [n for n in ast.walk(body(numpy_source(make()))) if isinstance(n, LOOPS)]
    assert len(found) == loops
    assert all(isinstance(n, ast.For) and "range(" in ast.unparse(n.iter) for n in found)


@pytest.mark.parametrize("name", MODULES)
def test_numpy_is_all_that_is_imported(name: str) -> None:
    tree = ast.parse(numpy_source(MODULES[name][0]()))
    imports = [n for n in ast.walk(tree) if isinstance(n, (ast.Import, ast.ImportFrom))]
    assert [ast.unparse(n) for n in imports] == ["import numpy as np"]


@pytest.mark.parametrize("name", MODULES)
def test_the_source_is_the_same_every_time(name: str) -> None:
    assert numpy_source(MODULES[name][0]()) == numpy_source(MODULES[name][0]())


def test_the_module_runs_in_a_fresh_python_with_numpy_alone(tmp_path: Path) -> None:
    d = sn.derive(nets.rnn())
    rng = np.random.default_rng(1)
    shapes = {"x": (5, 3), "y": (5, 4), "s": (4,), "U": (4, 3), "V": (4, 4), "b": (4,)}
    arrays = {n: rng.normal(size=s) for n, s in shapes.items()}
    (tmp_path / "made.py").write_text(numpy_source(d), encoding="utf-8")
    (tmp_path / "arrays.json").write_text(json.dumps({n: a.tolist() for n, a in arrays.items()}), encoding="utf-8")
    script = f"""
import sys
sys.modules["symnet"] = sys.modules["sympy"] = None  # whoever imports these now gets an ImportError
import json, runpy
made = runpy.run_path({str(tmp_path / "made.py")!r})
arrays = json.load(open({str(tmp_path / "arrays.json")!r}))
value, gradients = made["value_and_grad"](**arrays)
print(json.dumps([float(value), {{n: g.tolist() for n, g in gradients.items()}}]))
"""
    done = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, cwd=tmp_path, check=True)
    value, gradients = json.loads(done.stdout)
    here = d.compile()({n: arrays[n] for n in d.wrt}, **{n: a for n, a in arrays.items() if n not in d.wrt})
    assert value == here[0]
    assert all(np.array_equal(gradients[n], here[1][n]) for n in d.wrt)


def test_forward_computes_what_its_output_needs_and_no_more() -> None:
    source = forward_source(nets.mlp(), "z2")
    assert "a1" in source and "softmax(" not in source and "'Y'" not in source
    space: dict[str, Callable[..., np.ndarray]] = {}
    exec(source, space)
    W1, W2, X = np.eye(2, 3), np.eye(3, 4), np.array([[0.5, -1.0]])
    made = space["forward"](X=X, W1=W1, b1=np.zeros(3), W2=W2, b2=np.ones(4))
    assert np.allclose(made, np.tanh(X @ W1) @ W2 + 1)


NAMES = ["lambda", "class", "np", "t", "step", "array", "symbols", "dtype", "range", "min", "max", "reversed", "float",
         "softmax", "logsumexp", "erf", "value_and_grad", "None", "print", "x_"]


@pytest.mark.parametrize("name", NAMES)
def test_a_tensor_may_have_any_name(name: str) -> None:
    w, x, loss = Tensor(name, role=Role.PARAMETER), Tensor("x"), Tensor("L")
    program = Program((w, x), (define(loss, expr=(w[()] * x[()] - 1) ** 2),))
    value, grads = sn.derive(program).compile()({name: 2.0}, 3.0)
    assert value == 25 and float(grads[name]) == 30


@pytest.mark.parametrize("name", NAMES)
def test_a_size_may_have_any_name(name: str) -> None:
    program = sn.Sequential(sn.Linear(name, "k"), sn.Softmax()).program(sn.MSELoss())
    plain = sn.Sequential(sn.Linear("d", "k"), sn.Softmax()).program(sn.MSELoss())
    rng = np.random.default_rng(0)
    params, data = {"W1": rng.normal(size=(3, 4)), "b1": rng.normal(size=4)}, (rng.normal(size=(5, 3)), rng.normal(size=(5, 4)))
    found, wanted = (sn.derive(p).compile()(params, *data) for p in (program, plain))
    assert found[0] == wanted[0]
    assert np.array_equal(found[1]["W1"], wanted[1]["W1"])


@pytest.mark.parametrize("name", ["t", "step", "np", "T_", "lambda"])
def test_a_recurrence_over_a_size_of_any_name(name: str) -> None:
    made = sn.derive(nets.rnn(steps=name, inputs="range" if name == "t" else "d")).compile()
    rng = np.random.default_rng(2)
    params = {"U": rng.normal(size=(3, 2)), "V": rng.normal(size=(3, 3)), "b": np.zeros(3)}
    data = (rng.normal(size=(4, 2)), rng.normal(size=(4, 3)), np.zeros(3))
    assert made(params, *data)[0] == sn.derive(nets.rnn()).compile()(params, *data)[0]


def test_python_names_are_all_different_and_differ_from_the_sizes() -> None:
    tensors = tuple(Tensor(n) for n in ("np", "np_", "lambda", "lambda_", "N_", "n"))
    v = Tensor("v", (Axis.of("N"), Axis.of("np_")))
    program = Program((*tensors, v), (define(Tensor("L"), expr=tensors[0][()]),))
    made = [*python_names(program).values(), *size_names(program).values()]
    assert len(set(made)) == len(made) == 10
    assert all(m.isidentifier() for m in made)


def test_the_size_of_a_kernel_is_read_before_the_length_that_depends_on_it() -> None:
    source = numpy_source(sn.derive(nets.conv1d(stride=3)))
    assert source.index("K = ") < source.index("array('x'")


def test_a_computed_axis_tells_the_size_that_nothing_else_tells() -> None:
    d, i = Axis.of("d"), index("i")
    x, loss = Tensor("x", (Axis.between(0, d.upper, Kind.FEATURE),)), Tensor("L")
    program = Program((x,), (define(loss, expr=total(x[i] * x[i - 1], ((i, *d.range),))),))
    value, grads = sn.derive(program).compile()({"x": np.array([1.0, 2, 5, 7])})
    assert value == 2 + 10 + 35
    assert grads["x"].tolist() == [2, 6, 9, 5]


def test_a_size_that_no_array_tells_is_refused() -> None:
    d, i = Axis.of("d"), index("i")
    w, loss = Tensor("w"), Tensor("L")
    program = Program((w,), (define(loss, expr=total(w[()] * i, ((i, *d.range),))),))
    with pytest.raises(ShapeError, match="no input tells the size d"):
        numpy_source(sn.derive(program))


def test_terms_that_cancel_inside_a_sum_with_an_exponential_leave_no_zero_behind() -> None:
    p = sn.program("P[i, j] = (r[j]*r[i]/exp(1) - 1)/r[i]", "L = sum(sum(P[i, i]*P[j, i] for j in 1..n) for i in 1..n)",
                   tensors={"r": ("n",), "P": ("n", "n")})
    f, r = sn.derive(p).compile(), np.array([0.5, 1.25, 2.0])

    def loss(r: np.ndarray) -> float:
        made = (np.outer(r, r) / np.e - 1) / r[:, None]
        return float(sum(made[i, i] * made[j, i] for i in range(3) for j in range(3)))

    value, gradients = f({"r": r})
    nudged = [(loss(r + e) - loss(r - e)) / 2e-6 for e in 1e-6 * np.eye(3)]
    assert np.isclose(value, loss(r)) and np.allclose(gradients["r"], nudged, rtol=1e-7)
