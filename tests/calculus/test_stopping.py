"""Stop-gradient: the value passes, the slope does not. The oracle is JAX in float64, through gradients, Jacobians and Hessians."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import sympy as sp

import symnet as sn
from symnet.calculus.checking import check_step
from symnet.core.derivation import Rule
from symnet.core.functions import stop_gradient
from symnet.core.latex import latex
from symnet.core.text import text
from symnet.parsing.latex_answers import latex_answer

jax = importlib.import_module("jax")
jnp, stop = jax.numpy, jax.lax.stop_gradient
jax.config.update("jax_enable_x64", True)

W, X, A = (np.random.default_rng(k).normal(size=s) for k, s in enumerate([(3,), (3,), (3, 3)]))
SHAPES = {"w": ("n",), "x": ("n",), "A": ("n", "n")}
CASES: dict[str, tuple[list[str], Callable[..., Any]]] = {
    "a product": (["L = sum((w*x).detach()*(w*x))"], lambda w, x, A: (stop(w * x) * (w * x)).sum()),
    "half of a square": (["L = sum(stop_gradient(w)*w)"], lambda w, x, A: (stop(w) * w).sum()),
    "nested": (["L = sum(sg(w*stopgrad(x) + w)*w**2*stop_gradient(x))"], lambda w, x, A: (stop(w * stop(x) + w) * w**2 * stop(x)).sum()),
    "straight through": (["z = 3*w*x", "q = z + stop_gradient(round(z) - z)", "L = sum((q - x)**2)"],
                         lambda w, x, A: ((3 * w * x + stop(jnp.round(3 * w * x) - 3 * w * x) - x) ** 2).sum()),
    "sign, straight through": (["L = sum(x*(w + jax.lax.stop_gradient(sign(w) - w)))"], lambda w, x, A: (x * (w + stop(jnp.sign(w) - w))).sum()),
    "two networks": (["z = A @ w", "L = sum((detach(z) - x)**2) + 1/4*sum((z - detach(x))**2)"],
                     lambda w, x, A: ((stop(A @ w) - x) ** 2).sum() + ((A @ w - stop(x)) ** 2).sum() / 4),
    "a softmax that is held": (["p = softmax(A @ w)", "L = sum(stop_gradient(p)*log(p)) + sum(p*x)"],
                               lambda w, x, A: (lambda p: (stop(p) * jnp.log(p)).sum() + (p * x).sum())(jax.nn.softmax(A @ w))),
    "a baseline": (["b = mean(w*x)", "L = sum((w - stop_gradient(b))**2*exp(stop_gradient(x)/4))"],
                   lambda w, x, A: ((w - stop((w * x).mean())) ** 2 * jnp.exp(stop(x) / 4)).sum()),
    "norm in a divisor": (["L = sum(w*x)/stop_gradient(norm(w))"], lambda w, x, A: (w * x).sum() / stop(jnp.linalg.norm(w))),
    "cases": (["L = sum(where(stop_gradient(w) > 0, w**2, stop_gradient(w)*x))"],
              lambda w, x, A: jnp.where(stop(w) > 0, w**2, stop(w) * x).sum()),
    "a matrix of it": (["L = x @ stop_gradient(A @ A.T) @ w"], lambda w, x, A: x @ stop(A @ A.T) @ w),
    "a name used both ways": (["s = sum(w*x)", "L = s*stop_gradient(s)**2 + s"], lambda w, x, A: (lambda s: s * stop(s) ** 2 + s)((w * x).sum())),
}
names = pytest.mark.parametrize("name", CASES)


def derivation(name: str) -> Any:
    lines, _ = CASES[name]
    used = {n: s for n, s in SHAPES.items() if any(n in line.replace("mean", "").replace("max", "").replace("exp", "") for line in lines)}
    return sn.derive(sn.program(*lines, tensors=used), wrt=[n for n in "wx" if n in used])


def arrays(d: Any) -> dict[str, Any]:
    return {t.name: {"w": W, "x": X, "A": A}[t.name] for t in d.program.inputs}


@names
def test_values_and_gradients_are_those_of_jax(name: str) -> None:
    d, f = derivation(name), CASES[name][1]
    value, found = d.compile()({n: a for n, a in arrays(d).items() if n in d.wrt}, **{n: a for n, a in arrays(d).items() if n not in d.wrt})
    assert value == pytest.approx(float(f(W, X, A)), rel=1e-12)
    wanted = dict(zip("wx", jax.grad(f, (0, 1))(W, X, A), strict=True))
    for n in d.wrt:
        assert np.allclose(found[n], wanted[n], rtol=1e-11, atol=1e-12), n


@names
def test_every_step_checks_and_a_wrong_one_does_not(name: str) -> None:
    d = derivation(name)
    assert all(step.check().ok for step in d.steps)


def test_the_check_is_not_blind_for_what_is_held() -> None:
    d = sn.derive(sn.program("L = stop_gradient(w*x)*w*x"), wrt=["w"])
    plain = sn.derive(sn.program("L = w*x*w*x"), wrt=["w"])
    wrong = replace(d, full=replace(d.full, definitions=(d.full.definitions[0], plain.full.definitions[-1])))
    assert check_step(d, d.steps[0]).ok
    assert not check_step(wrong, wrong.steps[0]).ok


@names
def test_second_derivatives_are_those_of_jax(name: str) -> None:
    d, f = derivation(name), CASES[name][1]
    h = sn.hessian(d, "w")
    _, found = h.compile()({"w": W}, **{n: a for n, a in arrays(d).items() if n != "w"})
    assert np.allclose(found["w"], jax.hessian(f)(W, X, A), rtol=1e-10, atol=1e-11)
    assert all(step.check().ok for step in h.steps)


def test_a_jacobian_passes_no_slope_either() -> None:
    d = sn.jacobian(sn.program("v = w*stop_gradient(w*x) + x", "L = sum(v)", tensors={"w": ("n",), "x": ("n",)}), "v", ["w", "x"])
    _, found = d.compile()({"w": W, "x": X})
    for k, n in enumerate("wx"):
        assert np.allclose(found[n], jax.jacobian(lambda w, x: w * stop(w * x) + x, k)(W, X))


@names
@pytest.mark.parametrize("library", ["jax", "torch", "numpy"])
def test_the_export_computes_the_same(name: str, library: str) -> None:
    d, f = derivation(name), CASES[name][1]
    space: dict[str, Any] = {}
    exec(sn.export(d, library), space)
    _, found = space["value_and_grad"](**arrays(d))
    wanted = dict(zip("wx", jax.grad(f, (0, 1))(W, X, A), strict=True))
    for n in d.wrt:
        assert np.allclose(np.asarray(found[n]), wanted[n], rtol=1e-10, atol=1e-11)


def test_jax_takes_the_hessian_of_an_export() -> None:
    d = sn.derive(sn.program("L = sum(stop_gradient(w*x)*w**2)", tensors={"w": ("n",), "x": ("n",)}), wrt=["w"])
    space: dict[str, Any] = {}
    exec(sn.export(d, "jax"), space)
    found = jax.jacobian(lambda w: space["value_and_grad"](w=w, x=X)[1]["w"])(W)
    assert np.allclose(found, jax.hessian(lambda w: (stop(w * X) * w**2).sum())(W))


def test_what_is_reached_only_through_a_stop_has_slope_0_and_says_so() -> None:
    d = sn.derive(sn.program("z = u*v", "L = stop_gradient(z)*w"), wrt=["u", "w", "q"][:2])
    rules = {s.of.name: s.rule for s in d.steps}
    assert rules["u"] is Rule.STOPPED and d.gradients["u"].expr == 0
    assert [s.of.name for s in d.steps] == ["w", "u"]  # nothing is derived for z


def test_equality_and_exact_values_are_those_of_the_value() -> None:
    d = sn.derive(sn.program("L = stop_gradient(w*x)*w*x"), wrt=["w"])
    assert sn.check("w*x**2", d, wrt="w").holds
    assert sn.check("stop_gradient(x)*sg(w)*x", d, wrt="w").holds
    assert not sn.check("2*w*x**2", d, wrt="w").holds
    values = d.at({"w": "1/2", "x": "1/3"})
    assert values.exact("dL_dw") == sp.Rational(1, 18)


def test_arrays_are_proved_for_all_sizes() -> None:
    d = sn.derive(sn.program("L = sum(stop_gradient(A @ w)*(A @ w))", tensors=SHAPES | {"x": ()}), wrt=["w"])
    verdict = sn.check("A.T @ (A @ w)", d, wrt="w")
    assert verdict.holds, verdict
    assert not sn.check("2*A.T @ (A @ w)", d, wrt="w").holds


@pytest.mark.parametrize("written", [r"\operatorname{sg}(w x) x", r"\operatorname{sg}[w x] x", r"\mathrm{stopgrad}(w x) x", r"\text{sg}(wx)x",
                                     r"\operatorname{stop\_gradient}(wx)x", r"\operatorname{StopGradient}(wx)x",
                                     r"\operatorname{detach}(wx) x", r"\operatorname{sg}\left(w x\right) x"])
def test_latex_spellings(written: str) -> None:
    d = sn.derive(sn.program("L = stop_gradient(w*x)*w*x"), wrt=["w"])
    found = latex_answer(written, d.program.tensors, d.full[d.gradient_name("w")])
    assert found.expr.has(stop_gradient)
    assert sn.check(text(found.expr), d, wrt="w").holds


def test_it_prints_and_is_a_sympy_function() -> None:
    u = sp.Symbol("u", real=True)
    assert text(stop_gradient(u) * 2) == "2*stop_gradient(u)"
    assert latex(stop_gradient(u)) == r"\operatorname{sg}\left(u\right)"
    assert stop_gradient(u).is_real
    assert (u * stop_gradient(u)).diff(u) == stop_gradient(u)
    assert stop_gradient(sp.pi) == sp.pi
    assert float(stop_gradient(u).subs(u, sp.Rational(1, 3))) == pytest.approx(1 / 3)


def test_the_report_measures_with_the_held_value() -> None:
    d = sn.derive(sn.program("L = stop_gradient(w*x)*w*x"), wrt=["w"])
    from symnet.worksheet_loader import with_values

    shown = sn.report(with_values(d, {"w": "1/2", "x": "3"}, {"sizes": {}})).text()
    assert "4.5" in shown and "9.0" not in shown.split("Checked without formulas")[-1].split("Every step")[0]
    assert "what stands inside counts as a constant" in shown
