"""``d.compile("c")``: the system's compiler, libraries kept on disk, arrays bound by their addresses; and the functions made for it."""

from __future__ import annotations

import ctypes
import gc
import os
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy as sp

import symnet as sn
from symnet.backends import c_compiled, c_compiler
from symnet.backends.c_fast import FAST
from symnet.errors import DomainError, NameError_, OptionError, ShapeError

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
NET = sn.derive(sn.Sequential(sn.Linear("d", "h"), sn.Tanh(), sn.Linear("h", "k")), loss=sn.CrossEntropyLoss())


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    monkeypatch.setattr(c_compiler, "FLAGS", tuple("-O1" if f == "-O3" else f for f in c_compiler.FLAGS))
    monkeypatch.setenv("SYMNET_CACHE", str(tmp_path_factory.getbasetemp() / "kept"))


def of_net(n: int = 5, d: int = 4, h: int = 3, k: int = 2, dtype: str = "float64") -> tuple[dict[str, Any], dict[str, Any]]:
    rng = np.random.default_rng(3)
    params = {"W1": rng.normal(size=(d, h)), "b1": rng.normal(size=h), "W2": rng.normal(size=(h, k)), "b2": rng.normal(size=k)}
    data = {"X": rng.normal(size=(n, d)), "Y": np.eye(k)[rng.integers(0, k, n)]}
    return {k: v.astype(dtype) for k, v in params.items()}, {k: v.astype(dtype) for k, v in data.items()}


def near(a: tuple[Any, dict[str, Any]], b: tuple[Any, dict[str, Any]], bound: float = 1e-13) -> bool:
    return bool(np.allclose(a[0], b[0], rtol=bound, atol=bound)) and a[1].keys() == b[1].keys() and all(
        a[1][k].shape == b[1][k].shape and a[1][k].dtype == b[1][k].dtype and np.allclose(a[1][k], b[1][k], rtol=bound, atol=bound) for k in a[1])


@pytest.mark.parametrize(("dtype", "bound"), [("float64", 1e-13), ("float32", 1e-5)])
def test_a_call_gives_what_numpy_gives_at_every_size(dtype: str, bound: float) -> None:
    f, c = NET.compile(dtype=dtype), NET.compile("c", dtype)
    for n in (1, 5, 33):
        params, data = of_net(n, dtype=dtype)
        assert near(c(params, **data), f(params, **data), bound)


def test_large_products_go_to_the_library_of_numpy_and_agree() -> None:
    f, c = NET.compile(), NET.compile("c")
    params, data = of_net(40, 70, 50, 30)
    assert near(c(params, **data), f(params, **data))
    assert "product(40, 50, 70" in c.source
    d = sn.derive(sn.Sequential(sn.Input(4, 9, 9), sn.Conv2d(4, 24, 3), sn.Flatten()), loss=sn.MSELoss())
    rng = np.random.default_rng(0)
    arrays = {t.name: rng.normal(size=[int(n.xreplace({s: sp.Integer(8) for s in n.free_symbols})) for n in t.shape]) for t in d.program.inputs}
    params, data = {w: arrays[w] for w in d.wrt}, {n: a for n, a in arrays.items() if n not in d.wrt}
    made = d.compile("c", check=False)
    assert near(made(params, **data), d.compile(check=False)(params, **data), 1e-12) and "    product(" in made.source


def test_without_a_library_the_product_is_computed_in_c(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(c_compiled, "gemm", lambda dtype: 0)
    params, data = of_net(41, 70, 50, 30)
    assert near(NET.compile("c")(params, **data), NET.compile()(params, **data))


def test_a_bound_function_sees_changes_in_place_and_other_arrays() -> None:
    f, c = NET.compile(), NET.compile("c")
    params, data = of_net()
    g = c.bind(params, **data)
    assert near(g(), f(params, **data))
    params["W1"] -= 0.5  # the array that is held itself
    g.arrays["b2"] += 1
    assert near(g(), f(params, **data)) and g.arrays["b2"] is params["b2"]
    params["b1"] = np.ones(3)
    g.arrays["b1"] = params["b1"]  # another array in its place
    assert near(g(), f(params, **data))
    params["b1"] = np.full(3, 2.0)
    g.arrays.update(b1=params["b1"])
    assert near(g(), f(params, **data))
    _, more = of_net(n=9)
    assert near(g(**more), f(params, **more)) and near(g(), f(params, **more))
    turned = np.asfortranarray(params["W1"])  # does not lie in rows: read anew at every call
    assert near(g(W1=turned), f(params, **more))
    turned *= 2
    assert near(g(), f({**params, "W1": turned}, **more)) and g.run() == pytest.approx(g()[0])


def test_run_makes_nothing_anew_and_gradients_of_calls_share_no_memory() -> None:
    g = NET.compile("c").bind(*of_net()[:1], **of_net()[1])
    (a, first), (b, second) = g(), g()
    assert a == b and not any(np.shares_memory(first[k], second[j]) for k in first for j in second)
    held = g.gradients["W1"]
    assert g.run() == a and g.gradients["W1"] is held and np.array_equal(held, first["W1"])
    assert not np.shares_memory(held, first["W1"])


def test_more_bound_functions_than_places_in_a_library_and_places_are_given_back() -> None:
    c = NET.compile("c")
    params, data = of_net()
    bound = [c.bind({**params, "b2": params["b2"] + n}, **data) for n in range(2*c_compiled.SLOTS)]
    f = NET.compile()
    for n, g in enumerate(bound):
        assert g.run() == pytest.approx(f({**params, "b2": params["b2"] + n}, **data)[0])
    built = c.in_c.last
    assert built.free == []
    del bound, g
    gc.collect()
    assert len(built.free) == c_compiled.SLOTS


def test_derivations_with_the_same_source_share_a_library_and_no_place_in_it() -> None:
    bound, f = [], NET.compile()
    for n in range(3):
        params, data = of_net()
        params["b2"] += n
        bound.append((NET.compile("c").bind(params, **data), f(params, **data)))
    for g, wanted in bound:
        assert near(g(), wanted) and g.run() == pytest.approx(wanted[0])


@pytest.mark.parametrize("backend", ["numpy", "c"])
def test_descent_in_place_is_the_rule(backend: str) -> None:
    params, data = of_net()
    mine = {k: v.copy() for k, v in params.items()}
    g = NET.compile(backend).bind(params, **data)
    f = NET.compile()
    last = g.descend(0.3, steps=4)
    for _ in range(4):
        value, grads = f(mine, **data)
        mine = {k: v - 0.3*grads[k] for k, v in mine.items()}
    assert last == pytest.approx(value) and all(np.allclose(params[k], mine[k], rtol=1e-13) for k in mine)
    for wrong in ({"rate": float("nan")}, {"rate": "a"}, {"rate": 0.1, "steps": 0}, {"rate": 0.1, "steps": 2.5}, {"rate": True}):
        with pytest.raises(OptionError):
            g.descend(**wrong)
    params["W1"].flags.writeable = False
    with pytest.raises(OptionError, match="W1, which is read-only"):
        g.descend(0.1)


def test_whole_numbers_that_are_no_int_are_computed_by_numpy() -> None:
    d = sn.derive(sn.program("L = sum(w*[x[n] > 5]*n for n in 1..N)", tensors={"x": sn.Tensor("x", (sn.Axis.of("N"),), domain="index"), "w": ()}), wrt=["w"])
    for x in ([3, 7, 2], [3, 2**40, -2**40]):
        assert near(d.compile("c", check=False)({"w": 1.0}, x=np.array(x)), d.compile(check=False)({"w": 1.0}, x=np.array(x)))


def test_many_threads_may_call_at_once() -> None:
    c, f = NET.compile("c"), NET.compile()
    params, data = of_net(30)
    wanted, found = f(params, **data), []
    threads = [threading.Thread(target=lambda: found.append(all(near(c(params, **data), wanted) for _ in range(50)))) for _ in range(4)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert found == [True]*4


def test_what_does_not_fit_is_told_as_numpy_tells_it() -> None:
    c, (params, data) = NET.compile("c"), of_net()
    for p, given, kind in ((params, {"X": data["X"]}, NameError_), ({**params, "W1": np.zeros((9, 9))}, data, ShapeError),
                           ({**params, "W1": [["a"]]}, data, ShapeError), ([1.0], data, OptionError)):
        with pytest.raises(kind):
            c(p, **given)
    d = sn.derive(sn.program("L = sum(inv(A) @ x)", tensors={"A": ("n", "n"), "x": ("n",)}), wrt=["A"])
    with pytest.raises(DomainError):
        d.compile("c")({"A": np.zeros((2, 2))}, np.ones(2))


@pytest.mark.parametrize("text", ["max(sigmoid(x[j]) for j in 1..n)", "max(tanh(x[j]) for j in 1..n)", "max(exp(x[j])/(1+exp(x[j])) for j in 1..n)"])
def test_equal_arguments_tie_wherever_they_stand(text: str) -> None:
    """In a vector register or behind the last one: the first of them alone gets the slope."""
    d = sn.derive(sn.program(f"L = {text}", tensors={"x": ("n",)}), wrt=["x"])
    for n in (2, 3, 9, 19):
        x = np.full(n, 0.37)
        assert near(d.compile("c", check=False)({"x": x}), d.compile(check=False)({"x": x}))


def test_a_library_is_kept_by_content_and_made_again_where_it_is_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYMNET_CACHE", str(tmp_path))
    source = "int answer(void);\nint answer(void) { return 42; }\n"
    assert c_compiler.library(source).answer() == 42
    kept, = (tmp_path / "compiled").iterdir()
    before = kept.stat().st_mtime_ns
    assert c_compiler.library(source).answer() == 42 and kept.stat().st_mtime_ns == before
    other = "int answer(void);\nint answer(void) { return 43; }\n"
    damaged = kept.with_name(c_compiler._mark(other, list(c_compiler.FLAGS)) + c_compiler.SUFFIX)
    damaged.write_bytes(b"no library")
    assert c_compiler.library(other).answer() == 43 and damaged.stat().st_size > 100
    assert {p.suffix for p in (tmp_path / "compiled").iterdir()} == {c_compiler.SUFFIX}, "nothing half made is left"


def test_a_directory_that_others_may_write_to_is_not_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "compiled").mkdir()
    os.chmod(tmp_path / "compiled", 0o777)
    monkeypatch.setenv("SYMNET_CACHE", str(tmp_path))
    assert c_compiler.directory() != tmp_path / "compiled"


def test_no_compiler_is_one_clear_line(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", "import symnet as sn\nsn.derive(sn.program('L = w**2'), wrt=['w']).compile('c')"], check=False,
                          capture_output=True, text=True, env={**os.environ, "PATH": str(tmp_path), "CC": "mycc", "PYTHONPATH": os.getcwd()})
    last = done.stderr.strip().splitlines()[-1]
    assert "compile: no C compiler: none of mycc is on the path" in last and 'backend="numpy"' in last
    with pytest.raises(OptionError, match="ended with"):
        c_compiler.library("this is no C")


def test_fast_functions_are_within_two_and_a_half_units_in_the_last_place() -> None:
    source = "#include <math.h>\n#include <stdint.h>\n#include <string.h>\n" + "typedef double real;\n" + "".join(FAST[n] for n in ("muladd", "series", "fast_exp", "fast_tanh")).replace("FMA(a", "__builtin_fma(a") + "".join(
        f"void all_{name}(int n, const double *restrict a, double *restrict b)\n{{\n    for (int i = 0; i < n; i++) b[i] = fast_{name}(a[i]);\n}}\n"
        for name in ("exp", "tanh"))
    library = c_compiler.library(source, "-O3")
    mpmath.mp.dps = 40
    rng = np.random.default_rng(0)
    for name, points in (("exp", [rng.uniform(-708, 709, 800), rng.normal(size=400), rng.normal(size=100)*1e-9]),
                         ("tanh", [rng.normal(size=600)*4, rng.uniform(-1, 1, 600), rng.normal(size=100)*1e-9])):
        x = np.concatenate([*points, [0.0, np.inf, -np.inf, np.nan, 1e308, -1e308]])
        found = np.empty_like(x)
        getattr(library, f"all_{name}")(len(x), ctypes.c_void_p(x.ctypes.data), ctypes.c_void_p(found.ctypes.data))
        with np.errstate(all="ignore"):
            assert np.array_equal(found[-6:], getattr(np, name)(x[-6:]), equal_nan=True)
        for a, b in zip(x[:-6], found[:-6], strict=True):
            exact = getattr(mpmath, name)(mpmath.mpf(float(a)))
            assert abs(mpmath.mpf(float(b)) - exact) <= 2.5*float(np.spacing(abs(float(exact)))), (name, a)


def test_the_source_is_what_runs() -> None:
    c = NET.compile("c")
    params, data = of_net()
    c(params, **data)
    assert re.search(r"for \(int i = 0; i < 5; i\+\+\)", c.source) and "symnet_run_0" in c.source


@pytest.mark.parametrize(("condition", "n"), [("i**2*n**2 < 3000000000", 2000), ("i**10 < 5000000000", 12)])
def test_a_condition_beyond_an_int_is_refused(condition: str, n: int) -> None:
    """It overflowed in silence."""
    d = sn.derive(sn.program(f"L = sum((x[i]**2 if {condition} else x[i]) for i in 1..n)", tensors={"x": ("n",)}), wrt="x")
    with pytest.raises(sn.SymnetError, match="beyond C's int"):
        d.compile("c")({"x": np.linspace(0.5, 2, n)})
