"""Every function of the table in every printer of SymPy: the printed code is run, and gives the function's value.

Where no interpreter is at hand (Julia, Octave, R, Fortran, Mathematica, Maple, GLSL) the text is read with that language's few words put
into Python's or JavaScript's; where a library is not (TensorFlow, CuPy, numexpr), NumPy answers to its names.
"""

from __future__ import annotations

import functools
import math
import re
import shutil
import subprocess
import warnings
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jax
import mpmath
import numpy as np
import pytest
import scipy.special
import sympy as sp
import torch
from sympy.printing import fcode
from sympy.printing.lambdarepr import NumExprPrinter
from sympy.printing.numpy import CuPyPrinter, JaxPrinter, NumPyPrinter, SciPyPrinter
from sympy.printing.pycode import CmathPrinter, MpmathPrinter, PythonCodePrinter
from sympy.printing.pytorch import TorchPrinter
from sympy.printing.tensorflow import TensorflowPrinter

from symnet.core.functions import BY_NAME, ROWS, Elementary

z, s = sp.symbols("z s", real=True)
SLOPE = 0.25
POINTS = (-2.5, -0.125, 0.0, 0.5, 1.0, 3.25)  # the probe has its kink at 0 and at 1
FAR = (-1000.0, -700.0, -100.0, -40.0, -15.0, 15.0, 40.0, 800.0)  # exp overflows, log(1 + exp) and 1 - tanh lose all digits
OURS = ("sigmoid", "relu", "leaky_relu", "step", "softplus", "stop_gradient")

MEANING: dict[str, Callable[..., Any]] = {  # by definition, in mpmath
    "sigmoid": lambda u: 1 / (1 + mpmath.exp(-u)), "relu": lambda u: max(u, 0), "leaky_relu": lambda u, a: u if u > 0 else a * u,
    "step": lambda u: int(u > 0), "softplus": lambda u: mpmath.log(1 + mpmath.exp(u)), "arctan": mpmath.atan, "abs": abs,
    "maximum": max, "minimum": min, "stop_gradient": lambda u: u,
    **{name: getattr(mpmath, name) for name in ("tanh", "exp", "log", "sin", "cos", "sinh", "cosh", "erf", "sign", "floor")},
}


def probe(row: Elementary, f: Callable[..., Any], u: Any, v: Any) -> Any:
    """An expression that is wrong if a bracket is missing."""
    more = 5 if row.domain == "positive" else 0
    rest = (v,) if len(row.derivative) == 2 else ()
    return 3 * f(u - 1 + more, *rest) ** 2 - f(u + more, *rest)


def expected(row: Elementary, point: float) -> float:
    return float(probe(row, MEANING[row.name], mpmath.mpf(point), mpmath.mpf(SLOPE)))


def far(name: str, point: float) -> float:
    with mpmath.workdps(500):
        args = (mpmath.mpf(point), mpmath.mpf(SLOPE)) if name == "leaky_relu" else (mpmath.mpf(point),)
        return float(MEANING[name](*args))


def plain(row: Elementary) -> sp.Expr:
    return row.function(z, s) if len(row.derivative) == 2 else row.function(z)


# ---- in Python

def tensor(x: Any) -> Any:
    return torch.tensor(x, dtype=torch.float64)


def double(x: Any) -> Any:
    return jax.numpy.asarray(x, dtype="float64")


TENSORFLOW = SimpleNamespace(
    math=SimpleNamespace(sigmoid=scipy.special.expit, softplus=lambda x: np.logaddexp(x, 0), pow=np.power, erf=scipy.special.erf,
                         **{n: getattr(np, n) for n in ("tanh", "exp", "log", "sin", "cos", "sinh", "cosh", "abs", "sign", "floor",
                                                        "maximum", "minimum")}, atan=np.arctan),
    nn=SimpleNamespace(relu=lambda x: np.maximum(x, 0)), where=np.where, cast=lambda x, dtype: np.asarray(x, dtype=dtype),
    stop_gradient=lambda x: x)
NUMEXPR = {n: getattr(np, n) for n in ("exp", "log", "sin", "cos", "tanh", "sinh", "cosh", "arctan", "where", "abs", "log1p")}
PYTHON: dict[str, tuple[Any, Mapping[str, Any], Callable[[Any], Any]]] = {
    "python": (PythonCodePrinter, {"math": math}, float),
    "mpmath": (MpmathPrinter, {"mpmath": mpmath}, mpmath.mpf),
    "cmath": (CmathPrinter, {"cmath": __import__("cmath"), "math": math}, float),
    "numpy": (NumPyPrinter, {"numpy": np, "functools": functools}, np.asarray),
    "scipy": (SciPyPrinter, {"numpy": np, "scipy": scipy, "functools": functools}, np.asarray),
    "cupy": (CuPyPrinter, {"cupy": np, "functools": functools}, np.asarray),
    "jax": (JaxPrinter, {"jax": jax, "functools": functools}, double),
    "torch": (TorchPrinter, {"torch": torch}, tensor),
    "tensorflow": (TensorflowPrinter, {"tensorflow": TENSORFLOW}, np.asarray),
    "numexpr": (NumExprPrinter, NUMEXPR | {"evaluate": None}, np.asarray),
}
# SymPy's own printers have no code for these of SymPy's own functions, or take them for whole numbers.
GAPS = {("numpy", "erf"), ("cupy", "erf"), ("jax", "erf"), ("javascript", "erf"), ("rust", "erf"), ("glsl", "erf"),
        *(("cmath", n) for n in ("erf", "sign", "maximum", "minimum", "abs", "floor")),
        *(("numexpr", n) for n in ("erf", "sign", "floor", "maximum", "minimum")), ("fortran", "floor"), ("fortran", "sign"), ("rust", "log"), ("rust", "sign"),
        *(("glsl", n) for n in ("tanh", "sinh", "cosh"))}


def run_python(language: str, expr: sp.Expr, points: Iterable[Any]) -> list[Any]:
    """The values of the printed code; a warning is an error."""
    printer, names, number = PYTHON[language]
    code = printer({"fully_qualified_modules": True}).doprint(expr)
    if language == "numexpr":
        code = re.fullmatch(r"(?:numexpr\.)?evaluate\('(.*)', truediv=True\)", code)[1]  # type: ignore[index]
    with warnings.catch_warnings(), jax.enable_x64(True):
        warnings.simplefilter("error")
        return [eval(code, dict(names) | {"z": number(p), "s": number(SLOPE)}) for p in points]  # noqa: S307 - SymPy's own text


@pytest.mark.parametrize("language", PYTHON)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_python_code_is_the_function(row: Elementary, language: str) -> None:
    if (language, row.name) in GAPS:
        pytest.skip("SymPy's own printer has no code for its own function")
    values = run_python(language, probe(row, row.function, z, s), POINTS)
    assert [float(np.real(np.asarray(v, dtype=complex))) for v in values] == pytest.approx([expected(row, p) for p in POINTS], rel=1e-13, abs=1e-13)


@pytest.mark.parametrize("language", [name for name in PYTHON if name not in ("cmath", "tensorflow")])
@pytest.mark.parametrize("name", OURS)
def test_python_code_is_accurate_far_out_and_warns_of_nothing(name: str, language: str) -> None:
    with np.errstate(all="raise" if language != "numexpr" else "ignore", under="ignore"):  # numexpr warns of nothing
        values = [float(v) for v in run_python(language, plain(BY_NAME[name]), FAR)]
    assert values == pytest.approx([far(name, p) for p in FAR], rel=1e-13, abs=1e-305)


@pytest.mark.parametrize("language", ["numpy", "scipy", "jax", "torch", "cupy"])
@pytest.mark.parametrize("name", OURS)
def test_arrays_keep_their_shape(name: str, language: str) -> None:
    points = [[-1.0, 0.0, 2.0], [3.0, -4.0, 0.5]]
    value = np.asarray(run_python(language, plain(BY_NAME[name]), [points])[0])
    assert value.shape == (2, 3)
    assert value == pytest.approx(np.vectorize(functools.partial(far, name))(points), rel=1e-13)


# ---- compiled, or run by node

def programs(language: str, show: Callable[[sp.Expr], str]) -> dict[str, str]:
    found = {row.name: show(probe(row, row.function, z, s)) for row in ROWS if (language, row.name) not in GAPS}
    return found | {f"far_{name}": show(plain(BY_NAME[name])) for name in OURS}


def calls(codes: Mapping[str, str]) -> list[tuple[str, float]]:
    return [(name, p) for name in codes for p in (FAR if name.startswith("far_") else POINTS)]


C_START = "#include <stdio.h>\n#include <math.h>\n"
CXX_START = "#include <cstdio>\n#include <cmath>\n#include <algorithm>\n"


def c_source(codes: Mapping[str, str], start: str) -> str:
    bodies = "".join(f"double f_{n}(double z, double s) {{ (void)s; return {code}; }}\n" for n, code in codes.items())
    lines = "".join(f'printf("%.17g\\n", f_{n}({p}, {SLOPE}));\n' for n, p in calls(codes))
    return f"{start}{bodies}int main(void) {{\n{lines}return 0;\n}}\n"


def rust_source(codes: Mapping[str, str]) -> str:
    bodies = "".join(f"fn f_{n}(z: f64, s: f64) -> f64 {{ {code} }}\n" for n, code in codes.items())
    lines = "".join(f'println!("{{:e}}", f_{n}({p}, {SLOPE}));\n' for n, p in calls(codes))
    return f"#![allow(warnings)]\n{bodies}fn main() {{\n{lines}}}\n"


def js_source(codes: Mapping[str, str]) -> str:
    bodies = "".join(f"function f_{n}(z, s) {{ return {code}; }}\n" for n, code in codes.items())
    return bodies + "".join(f"console.log(f_{n}({p}, {SLOPE}));\n" for n, p in calls(codes))


GLSL_WORDS = "const {exp, log, sin, cos, tanh, sinh, cosh, atan, abs, sign, floor, max, min, pow} = Math;\n"


def compiled(tool: str, file: Path, source: str, *options: str) -> str:
    file.write_text(source, encoding="utf-8")
    if tool != "node":
        subprocess.run([tool, str(file), "-o", str(file.with_suffix(".out")), *options], check=True, capture_output=True, timeout=120)
    command = ["node", str(file)] if tool == "node" else [str(file.with_suffix(".out"))]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


RUN: dict[str, tuple[str, Callable[[sp.Expr], str], Callable[[Mapping[str, str]], str], str, tuple[str, ...]]] = {
    "c": ("gcc", sp.ccode, lambda codes: c_source(codes, C_START), "a.c", ("-lm", "-O0")),
    "c++": ("g++", sp.cxxcode, lambda codes: c_source(codes, CXX_START), "a.cpp", ("-O0",)),
    "rust": ("rustc", sp.rust_code, rust_source, "a.rs", ()),
    "javascript": ("node", sp.jscode, js_source, "a.js", ()),
    "glsl": ("node", sp.glsl_code, lambda codes: GLSL_WORDS + js_source(codes), "b.js", ()),
}


@pytest.mark.parametrize("language", RUN)
def test_compiled_code_is_the_function(language: str, tmp_path: Path) -> None:
    tool, show, source, name, options = RUN[language]
    if shutil.which(tool) is None:
        pytest.skip(f"no {tool} here")
    codes = programs(language, show)
    values = [float(v) for v in compiled(tool, tmp_path / name, source(codes), *options).split()]
    for (row, point), value in zip(calls(codes), values, strict=True):
        wanted = far(row[4:], point) if row.startswith("far_") else expected(BY_NAME[row], point)
        small = 1e-13 if not row.startswith("far_") else 1e-15 if language == "glsl" else 1e-305  # GLSL has no log1p
        assert value == pytest.approx(wanted, rel=1e-13, abs=small), (row, point)


# ---- read as the language says

WORDS: dict[str, Any] = {name: getattr(mpmath, name) for name in
                         ("exp", "log", "log1p", "sin", "cos", "tanh", "sinh", "cosh", "atan", "erf", "sign", "floor")}
WORDS |= {"abs": abs, "max": max, "min": min, "pmax": max, "pmin": min, "ln": mpmath.log, "arctan": mpmath.atan, "sqrt": mpmath.sqrt,
          "ifelse": lambda c, a, b: a if c else b, "merge": lambda a, b, c: a if c else b, "piecewise": lambda c, a, b: a if c else b,
          "LogisticSigmoid": MEANING["sigmoid"], "Boole": int, "ArcTan": mpmath.atan, "pi": mpmath.pi,
          **{name: WORDS[name.lower()] for name in ("Exp", "Log", "Sin", "Cos", "Tanh", "Sinh", "Cosh", "Erf", "Sign", "Floor")},
          "Abs": abs, "Max": max, "Min": min}
READ: dict[str, tuple[Callable[[sp.Expr], str], tuple[tuple[str, str], ...]]] = {
    "julia": (sp.julia_code, ((r"\.\^", "**"), (r"\^", "**"), (r"\.(?=[(*/+<>])", ""))),
    "octave": (sp.octave_code, ((r"\.\^", "**"), (r"\^", "**"), (r"\.(?=[*/])", ""), ("~", "not "))),
    "r": (sp.rcode, ((r"\^", "**"),)),
    "fortran": (lambda e: fcode(e, standard=2003, source_format="free"), ((r"&\s*", " "), (r"(?<=\d)d(?=\d)", "e"), (r"^@", ""))),
    "mathematica": (sp.mathematica_code, ((r"\[", "("), (r"\]", ")"), (r"\^", "**"))),
    "maple": (sp.maple_code, ((r"\^", "**"),)),
}


@pytest.mark.parametrize("language", READ)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_code_of_other_languages_means_the_function(row: Elementary, language: str) -> None:
    if (language, row.name) in GAPS:
        pytest.skip("SymPy's own printer has no code for its own function")
    show, rules = READ[language]
    text = show(probe(row, row.function, z, s))
    assert "ot supported" not in text
    for old, new in rules:
        text = re.sub(old, new, text)
    for point in POINTS:
        value = eval(text, WORDS | {"z": mpmath.mpf(point), "s": mpmath.mpf(SLOPE)})  # noqa: S307 - SymPy's own text
        assert float(value) == pytest.approx(expected(row, point), rel=1e-12, abs=1e-12), text


# ---- lambdify

@pytest.mark.parametrize("modules", [None, "numpy", "scipy", "math", "mpmath", "sympy", "jax", "torch", "cmath"], ids=str)
def test_lambdify_knows_every_function_of_ours(modules: str | None) -> None:
    number: Callable[[Any], Any] = {"torch": tensor, "jax": double, "sympy": sp.Float}.get(str(modules), float)
    for name in OURS:
        with jax.enable_x64(True):
            value = complex(sp.lambdify((z, s), plain(BY_NAME[name]) + 1, modules)(number(-1.5), number(SLOPE)))
        assert value == pytest.approx(1 + far(name, -1.5), rel=1e-14), name


def test_a_function_of_the_users_own_goes_first() -> None:
    sigmoid = BY_NAME["sigmoid"].function
    assert sp.lambdify(z, sigmoid(z), [{"sigmoid": lambda _: 7}, "numpy"])(1.0) == 7
    assert sp.ccode(sigmoid(z), user_functions={"sigmoid": "logistic"}) == "logistic(z)"


def test_code_stays_short_however_deep_the_network() -> None:
    sigmoid, deep = BY_NAME["sigmoid"].function, z
    for _ in range(12):
        deep = sigmoid(s * deep)
    for printer in (PythonCodePrinter, NumPyPrinter, SciPyPrinter, JaxPrinter, TorchPrinter):
        assert len(printer().doprint(deep)) < 2000
    assert max(len(sp.ccode(deep)), len(sp.rust_code(deep)), len(sp.jscode(deep)), len(sp.julia_code(deep))) < 2000
    assert sp.lambdify((z, s), deep, "numpy")(0.5, 2.0) == pytest.approx(float(deep.subs({z: 0.5, s: 2})), rel=1e-12)


def test_whole_numbers_and_complex_ones_are_printed_as_such() -> None:
    n, w = sp.Symbol("n", integer=True), sp.Symbol("w", imaginary=True)
    relu, step, sigmoid = (BY_NAME[name].function for name in ("relu", "step", "sigmoid"))
    assert "0.0" not in sp.rust_code(relu(n))
    assert "(n as f64) > 0.0" in sp.rust_code(step(n))
    assert sp.lambdify(w, sigmoid(w), "numpy")(1j) == pytest.approx(complex(sigmoid(sp.I).evalf()))
    with pytest.raises(TypeError):  # a real form, and a complex number
        sp.lambdify(z, sigmoid(z), "numpy")(1j)


@pytest.mark.parametrize("name", OURS)
def test_slopes_of_jax_and_torch_follow_the_convention(name: str) -> None:
    expr = plain(BY_NAME[name])
    wanted = {"sigmoid": 0.25, "softplus": 0.5, "leaky_relu": SLOPE}.get(name, 0.0)
    f = sp.lambdify((z, s), expr, "jax")
    assert float(jax.grad(f)(0.0, SLOPE)) == pytest.approx(wanted)
    at = torch.tensor(0.0, dtype=torch.float64, requires_grad=True)
    value = sp.lambdify((z, s), expr, "torch")(at, torch.tensor(SLOPE))
    slope = torch.autograd.grad(value, at)[0] if value.requires_grad else 0.0
    assert float(slope) == pytest.approx(wanted)
