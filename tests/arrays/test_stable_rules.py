"""Every stable form is an identity: proved by the equality room, and at work in more than one spelling."""

from __future__ import annotations

import numpy as np
import pytest
import sympy as sp

import symnet as sn
from symnet.arrays.exponentials import Exponentials
from symnet.arrays.stable import rewritings, stable
from symnet.arrays.stable_functions import MEANING, in_language, near
from symnet.core.functions import sigmoid, softplus
from symnet.core.verdict import Answer
from symnet.equality.compare import prove_equal

z, y, u, v = sp.symbols("z y u v", real=True)
e = sp.exp
RULES: dict[str, tuple[str, tuple[sp.Expr, ...]]] = {
    "sigmoid": ("factored", (1 / (1 + e(-z)), e(z) / (1 + e(z)), (1 + sp.tanh(z / 2)) / 2)),
    "complement": ("cancelled", (1 - sigmoid(z), 1 - 1 / (1 + e(-z)), 1 - sp.tanh(z), 1 - sp.tanh(z) ** 2)),
    "slope": ("factored", (sigmoid(z) * (1 - sigmoid(z)), e(-z) / (1 + e(-z)) ** 2, 1 / sp.cosh(z) ** 2)),
    "differences": ("cancelled", (e(z) - 1, 1 - e(-z), 2 * sigmoid(z) - 1)),
    "quotients": ("factored", ((e(z) - e(-z)) / (e(z) + e(-z)), (e(2 * z) - 1) / (e(2 * z) + 1), 1 / sp.cosh(z), z * sp.tanh(softplus(z)))),
    "logarithms": ("logarithm of a product", (sp.log(sigmoid(z)), sp.log(1 - sigmoid(z)), sp.log(1 + e(z)), sp.log(1 + e(-y * z)))),
    "near 1": ("logarithm of a product", (sp.log(sp.cosh(z)), sp.log((1 + e(z)) / 2))),
    "log1p": ("log1p", (sp.log(1 + z**2),)),
    "target": ("target", (sigmoid(z) - y, sp.tanh(z) - y)),
    "softplus": ("softplus", (softplus(z) - y * z, softplus(z) - z, softplus(z) - softplus(-z))),
    "sums": ("shares", (e(z) / (e(z) + e(u)), e(z) / (e(z) + e(u) + e(v)))),
    "unbounded parts cancel": ("factored", ((-y / sigmoid(z) + (1 - y) / (1 - sigmoid(z))) * sigmoid(z) * (1 - sigmoid(z)),)),
    "quotient": ("quotient", (1 / sp.sqrt(z**2 + 1) - z**2 / (z**2 + 1) ** sp.Rational(3, 2),)),
    "normal distribution": ("normal distribution", ((1 + sp.erf(z / sp.sqrt(2))) / 2, z * (1 - sp.erf(z)))),
}


@pytest.mark.parametrize(("rule", "exprs"), RULES.values(), ids=RULES)
def test_a_rule_is_an_identity(rule: str, exprs: tuple[sp.Expr, ...]) -> None:
    for expr in exprs:
        made = Exponentials({})
        after = made.text(expr)
        assert rule in made.rules, (expr, after, made.rules)
        for form in (after, after.replace(near, lambda u, x, y: x)):
            assert prove_equal(expr, in_language(form)).answer is Answer.PROVED, (expr, form)


def test_every_stable_function_means_something_in_the_language() -> None:
    assert all(issubclass(f, sp.Function) for f in MEANING)


def test_what_the_rules_say_of_a_program() -> None:
    program = sn.program("a = 1/(1 + exp(-z))", "L = -log(1 - a)")
    assert [r.rules for r in rewritings(program)] == [("factored",), ("factored", "logarithm of a product")]
    assert str(stable(program)) == "a := sigmoid(z)\nL := softplus(z)"


def compiled(*lines: str, wrt: list[str], dtype: str = "float64", **tensors: tuple[str, ...]) -> object:
    return sn.derive(sn.program(*lines, tensors=tensors or None), wrt=wrt).compile(dtype=dtype)


NORMS = {
    "norm": ("L = norm(z)",), "spelled": ("L = sqrt(sum(z**2))",), "squares by name": ("q = sum(z**2)", "L = 3*sqrt(q)"),
    "std": ("m = mean(z)", "v = mean((z - m)**2)", "s = sqrt(v)", "L = 2*s"), "std in one line": ("L = sqrt(mean(z**2) - mean(z)**2)",),
}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("lines", NORMS.values(), ids=NORMS)
def test_the_slope_of_a_norm_at_0_is_0(lines: tuple[str, ...], dtype: str) -> None:
    at = np.zeros(3) if "norm" in lines[0] or "sum" in lines[0] else np.full(3, 0.5)
    with np.errstate(all="raise"):
        loss, grads = compiled(*lines, wrt=["z"], dtype=dtype, z=("K",))({"z": at})  # type: ignore[operator]
    assert loss == 0 and np.array_equal(grads["z"], np.zeros(3)) and grads["z"].dtype == dtype


def test_the_convention_is_stated_and_a_root_that_is_no_norm_keeps_its_slope() -> None:
    assert any(c.startswith("norm:") for c in sn.derive(sn.program("L = norm(z)", tensors={"z": ("K",)}), wrt=["z"]).conventions)
    d = sn.derive(sn.program("L = sqrt(x)"), wrt=["x"])
    assert not any(c.startswith("norm:") for c in d.conventions)
    with np.errstate(divide="ignore"):
        assert d.compile()({"x": 0.0})[1]["x"] == np.inf


@pytest.mark.parametrize("line", ["L = sum(y*log(y/q))", "L = sum(y*(log(y) - log(q)))", "L = sum(y*log(y)) - sum(y*log(q))"])
def test_x_log_x_is_0_at_0(line: str) -> None:
    with np.errstate(all="raise"):
        loss, _ = compiled(line, wrt=["q"], y=("K",), q=("K",))({"q": np.full(2, 0.5)}, y=np.array([0.0, 1.0]))  # type: ignore[operator]
    assert loss == pytest.approx(np.log(2))


SHARED = {"the data": ("L = sum(x*w)", ["w"]), "one gradient twice": ("L = sum((b + c)**2)", ["b", "c"]), "a parameter": ("L = sum(x*w)", ["w", "x"]),
          "transposed": ("L = sum(x*w) + sum(M.T*P)", ["w", "M"])}


@pytest.mark.parametrize(("line", "wrt"), SHARED.values(), ids=SHARED)
def test_results_share_no_memory(line: str, wrt: list[str]) -> None:
    shapes = {k: s for k, s in {"x": ("K",), "w": ("K",), "b": ("K",), "c": ("K",), "M": ("K", "d"), "P": ("d", "K")}.items() if k in line}
    rng = np.random.default_rng(1)
    data = {k: rng.normal(size=[{"K": 3, "d": 2}[a] for a in s]) for k, s in shapes.items()}
    _, grads = compiled(line, wrt=wrt, **shapes)({k: data[k] for k in wrt}, **{k: a for k, a in data.items() if k not in wrt})  # type: ignore[operator]
    arrays = [*grads.values(), *data.values()]
    for k, a in enumerate(grads.values()):
        assert not any(np.shares_memory(a, b) for j, b in enumerate(arrays) if j != k)


FLOAT32 = ["Hardtanh()", "ReLU6()", "ELU()", "SELU()", "GELU()", "SiLU()", "Mish()", "Softsign()", "Softplus()", "LeakyReLU()", "Sigmoid()", "Tanh()"]


@pytest.mark.parametrize("layer", FLOAT32)
def test_a_float32_program_computes_in_float32(layer: str) -> None:
    net = sn.Sequential(sn.Linear(2, 3), getattr(sn, layer[:-2])(), sn.Linear(3, 1))
    d = sn.derive(net, loss=sn.MSELoss())
    f = d.compile(dtype="float32")
    space: dict[str, object] = {}
    body = f.source.rsplit("    return ", 1)
    exec(body[0] + "    return locals()\n", space)  # the module's own source, every line of it looked at
    rng = np.random.default_rng(0)
    data = {t.name: rng.normal(size=[2 if s.is_Symbol else int(s) for s in t.shape]).astype(np.float32) for t in d.program.inputs}
    lines = space["value_and_grad"](**data)  # type: ignore[operator]
    wrong = {k: a.dtype for k, a in lines.items() if hasattr(a, "dtype") and a.dtype != np.float32}
    assert not wrong


@pytest.mark.parametrize("scale", [1.0, 30.0, 1e4])
def test_a_recurrence_of_log_sum_exps_and_its_gradient_are_finite(scale: float) -> None:
    program = sn.program("a[1, j] = B[1, j]", "a[t, j] = B[t, j] + log(sum(exp(a[t-1, i] + A[i, j]) for i in 1..K))",
                         "L = log(sum(exp(a[T, j]) for j in 1..K))", tensors={"A": ("K", "K"), "B": ("T", "K"), "a": ("T", "K")})
    rng = np.random.default_rng(0)
    A, B = rng.normal(size=(3, 3)) * scale, rng.normal(size=(5, 3)) * scale
    with np.errstate(all="raise", under="ignore"):
        loss, grads = sn.derive(program, wrt=["A", "B"]).compile()({"A": A, "B": B})
    at = B[0]
    for b in B[1:]:
        at = b + np.logaddexp.reduce(at[:, None] + A, axis=0)
    assert loss == pytest.approx(np.logaddexp.reduce(at), rel=1e-14)
    assert np.allclose(grads["B"].sum(axis=1), 1, atol=1e-12) and grads["A"].sum() == pytest.approx(4, rel=1e-12)
