"""The C file to take away: compiled with every warning an error, run, and compared with NumPy, which mpmath checks elsewhere."""

from __future__ import annotations

import ctypes
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy as sp

import symnet as sn
from symnet.core.derivation import Derivation
from symnet.errors import OptionError, UnknownNodeError

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
STRICT = ("-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", "-O1", "-fPIC", "-shared")


def built(source: str, folder: Path) -> ctypes.CDLL:
    """The library of a file, which must compile without a warning."""
    (folder / "net.c").write_text(source, encoding="ascii")
    done = subprocess.run(["cc", *STRICT, str(folder / "net.c"), "-o", str(folder / "net.so"), "-lm"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[:2000]
    return ctypes.CDLL(str(folder / "net.so"))


class Net:
    """A C file with its arrays, as a caller in C would hold them."""

    def __init__(self, d: Derivation, arrays: dict[str, Any], sizes: dict[str, int], folder: Path, dtype: str = "float64", **options: Any) -> None:
        self.source = sn.export(d, "c", dtype, sizes=sizes, **options)
        self.library = built(self.source, folder)
        self.number = ctypes.c_double if dtype == "float64" else ctypes.c_float
        whole = {t.name: t.domain == "index" for t in d.program.inputs}
        self.arrays = {t.name: np.array(arrays[t.name], dtype=np.intc if whole[t.name] else dtype, order="C") for t in d.program.inputs}
        self.gradients = {w: np.full(shape(d, d.gradient_name(w), sizes), np.nan, dtype) for w in d.wrt}
        self.memory = np.full(int(re.findall(r"real work\[(\d+)\]", self.source)[0]), np.nan, dtype)
        self.outputs = {name: np.full(shape(d, name, sizes), np.nan, dtype) for name in options.get("outputs", ())}

    def call(self, name: str, *more: Any) -> float:
        function = getattr(self.library, name)
        function.restype = self.number
        return float(function(*more))

    @staticmethod
    def pointers(arrays: dict[str, Any]) -> Any:
        return ctypes.byref((ctypes.c_void_p * max(1, len(arrays)))(*[a.ctypes.data for a in arrays.values()]))

    def gradient(self) -> tuple[float, dict[str, Any]]:
        value = self.call("symnet_gradient", self.pointers(self.arrays), self.pointers(self.gradients), ctypes.c_void_p(self.memory.ctypes.data))
        return value, self.gradients

    def loss(self) -> float:
        return self.call("symnet_loss", self.pointers(self.arrays), ctypes.c_void_p(self.memory.ctypes.data))

    def forward(self) -> dict[str, Any]:
        self.library.symnet_forward.restype = None
        self.library.symnet_forward(self.pointers(self.arrays), self.pointers(self.outputs), ctypes.c_void_p(self.memory.ctypes.data))
        return self.outputs

    def sgd(self, rate: float) -> float:
        return self.call("symnet_sgd", self.pointers(self.arrays), self.pointers(self.gradients), ctypes.c_void_p(self.memory.ctypes.data),
                         self.number(rate))


def shape(d: Derivation, name: str, sizes: dict[str, int]) -> list[int]:
    return [int(n.xreplace({s: sp.Integer(sizes[str(s)]) for s in n.free_symbols})) for n in d.full.tensors[name].shape]


NET = sn.derive(sn.Sequential(sn.Linear("d", "h"), sn.Tanh(), sn.Linear("h", 3)), loss=sn.CrossEntropyLoss())
SIZES = {"N": 6, "d": 4, "h": 5}


def values() -> dict[str, Any]:
    rng = np.random.default_rng(5)
    return {"X": rng.normal(size=(6, 4)), "W1": rng.normal(size=(4, 5)), "b1": rng.normal(size=5), "W2": rng.normal(size=(5, 3)),
            "b2": rng.normal(size=3), "Y": np.eye(3)[rng.integers(0, 3, 6)]}


@pytest.mark.parametrize(("dtype", "bound"), [("float64", 1e-13), ("float32", 1e-5)])
def test_loss_gradients_forward_and_steps_of_descent(dtype: str, bound: float, tmp_path: Path) -> None:
    arrays = values()
    net = Net(NET, arrays, SIZES, tmp_path, dtype, outputs=("z2", "a1"), update=True)
    g = NET.compile().bind({k: arrays[k].copy() for k in NET.wrt}, arrays["X"], arrays["Y"])
    loss, gradients = g()
    found, made = net.gradient()
    assert found == pytest.approx(loss, rel=bound) and net.loss() == pytest.approx(loss, rel=bound)
    for name, wanted in gradients.items():
        assert made[name] == pytest.approx(wanted, rel=bound, abs=bound)
    z2, a1 = NET.program.values(["z2", "a1"], arrays).values()
    assert net.forward()["z2"] == pytest.approx(z2, rel=bound, abs=bound) and net.outputs["a1"] == pytest.approx(a1, rel=bound, abs=bound)
    last = [net.sgd(0.1) for _ in range(5)][-1]
    assert last == pytest.approx(g.descend(0.1, steps=5), rel=10 * bound)
    for w in NET.wrt:
        assert net.arrays[w] == pytest.approx(g.arrays[w], rel=10 * bound, abs=10 * bound)


def test_a_main_of_c_runs_it(tmp_path: Path) -> None:
    """The file included in another, as it is on a microcontroller."""
    d = sn.derive(sn.program("L = sum((W[i]*x[i] - y[i])**2 for i in 1..n)", tensors={"W": ("n",), "x": ("n",), "y": ("n",)}), wrt=["W"])
    (tmp_path / "net.h").write_text(sn.export(d, "c", "float32", sizes={"n": 2}, update=True), encoding="ascii")
    (tmp_path / "main.c").write_text("""#include <stdio.h>
#include "net.h"
int main(void)
{
    static symnet_memory memory;
    float w[2] = {1, 2}, g[2];
    const float x[2] = {3, 4}, y[2] = {1, 1};
    const symnet_inputs in = {w, x, y};
    const symnet_gradients out = {g};
    printf("%g ", symnet_gradient(&in, &out, &memory));
    printf("%g %g ", g[0], g[1]);
    symnet_sgd(&in, &out, &memory, 0.5f);
    printf("%g %g %g\\n", w[0], w[1], symnet_loss(&in, &memory));
    return 0;
}
""", encoding="ascii")
    order = [t.name for t in d.program.inputs]
    assert order == ["W", "x", "y"]
    subprocess.run(["cc", "-std=c99", "-Wall", "-Wextra", "-Werror", str(tmp_path / "main.c"), "-o", str(tmp_path / "main"), "-lm"], check=True)
    said = subprocess.run([str(tmp_path / "main")], capture_output=True, text=True, check=True).stdout
    # L = (3 - 1)^2 + (8 - 1)^2; gradient 2*2*3, 2*7*4; w = 1 - 6, 2 - 28; L = 16^2 + 105^2
    assert said == "53 12 56 -5 -26 11281\n"


@pytest.mark.parametrize("name", ["double", "memory", "work", "symnet_loss", "main", "I", "exp", "sum", "restrict", "M_PI", "u1", "row", "s1"])
def test_names_of_a_program_never_stand_as_written(name: str, tmp_path: Path) -> None:
    d = sn.derive(sn.program(f"z = {name}*{name}" if name != "I" else "z = I*I", "L = z + 1", tensors={name: ()}), wrt=[name])
    net = Net(d, {name: 3.0}, {}, tmp_path)
    assert net.gradient()[0] == 10 and net.gradients[name] == 6
    assert f"v_{name}" in net.source


def test_memory_is_shared_by_what_is_not_needed_at_the_same_time() -> None:
    layers = [layer for _ in range(12) for layer in (sn.Linear(8, 8), sn.Tanh())]
    d = sn.derive(sn.Sequential(*layers), loss=sn.MSELoss())
    room = int(re.findall(r"real work\[(\d+)\]", sn.export(d, "c", sizes={"N": 4}, check=False))[0])
    assert room < 12 * 2 * 32 + 6 * 32  # z and a of each layer, and a few arrays more: not four a layer


def test_equal_layers_share_their_functions() -> None:
    def functions(depth: int) -> int:
        layers = [layer for _ in range(depth) for layer in (sn.Linear(8, 8), sn.Tanh())]
        return sn.export(sn.derive(sn.Sequential(*layers), loss=sn.MSELoss()), "c", sizes={"N": 4}, check=False).count("static void step")

    assert functions(10) == functions(4)


@pytest.mark.parametrize(("options", "said"), [
    ({}, "no number for N, d, h"), ({"sizes": {**SIZES, "k": 2}}, "no size named 'k'"), ({"sizes": {**SIZES, "N": 0}}, "sizes, N"),
    ({"sizes": {**SIZES, "N": 2.5}}, "sizes, N"), ({"sizes": SIZES, "outputs": ["z3"]}, "no line named 'z3'"),
    ({"sizes": SIZES, "dtype": "float16"}, "float16")])
def test_what_does_not_fit_is_told(options: dict[str, Any], said: str) -> None:
    with pytest.raises(OptionError, match=re.escape(said)):
        sn.export(NET, "c", **options)


def test_places_are_ints() -> None:
    with pytest.raises(UnknownNodeError, match="an array of 4000000000 entries"):
        sn.export(NET, "c", sizes={"N": 10**9, "d": 4, "h": 2})


def test_another_library_takes_no_sizes() -> None:
    with pytest.raises(OptionError, match="sizes for jax"):
        sn.export(NET, "jax", sizes=SIZES)


@pytest.mark.parametrize("standard", ["c99", "c11", "gnu99", "gnu17"])
def test_every_helper_compiles_without_a_warning_under_every_standard(standard: str, tmp_path: Path) -> None:
    """No name of a helper is one of the C library's."""
    from symnet.backends.c_functions import HELPERS, finished
    from symnet.backends.c_source import needed

    text = "\n".join(HELPERS[name] for name in needed(" ".join(f"{name}(" for name in HELPERS), HELPERS))
    uses = "\n".join(f"void *use_{name}(void);\nvoid *use_{name}(void) {{ union {{ void (*f)(void); void *p; }} u; u.f = (void (*)(void)){name}; return u.p; }}"
                     for name in HELPERS)
    for dtype, real in (("float64", "double"), ("float32", "float")):
        (tmp_path / "all.c").write_text(finished(f"#include <math.h>\n#include <string.h>\ntypedef {real} real;\n{text}\n{uses}\n", dtype), encoding="ascii")
        done = subprocess.run(["cc", f"-std={standard}", "-Wall", "-Wextra", *["-Wdouble-promotion"]*(real == "float"), "-Werror", "-Wno-cast-function-type", "-c",
                               str(tmp_path / "all.c"), "-o", str(tmp_path / "all.o")], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[:1500]


def test_a_class_outside_reads_and_writes_nothing_outside(tmp_path: Path) -> None:
    v = sp.Symbol("v", integer=True, positive=True)
    d = sn.derive(sn.program("e[n] = E[x[n]]", "L = sum(e[n]**2 for n in 1..N)", tensors={
        "x": sn.Tensor("x", (sn.Axis.of("N"),), domain="index", classes=v), "E": ("v",)}), wrt=["E"])
    net = Net(d, {"x": [0, 2, 1000000, -1000000], "E": [1.0, 2.0, 3.0]}, {"N": 4, "v": 3}, tmp_path)
    value, grads = net.gradient()
    assert value == 1 + 9 + 9 + 1 and grads["E"].tolist() == [4, 0, 12]
