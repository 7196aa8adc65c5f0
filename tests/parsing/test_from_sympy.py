"""SymPy in: expressions, equations, indexed arrays and matrices become programs and answers; the oracles are SymPy and NumPy."""

from __future__ import annotations

import random

import mpmath
import numpy as np
import pytest
import sympy as sp

import symnet as sn
from symnet.errors import SymnetError
from symnet.parsing.from_sympy import name_of

x, y, w = sp.symbols("x y w")
p, q, r = sp.Symbol("p", positive=True), sp.Symbol("q", real=True), sp.Symbol("r", real=True)
n, m = sp.symbols("n m", integer=True, positive=True)
i, j = sp.symbols("i j", integer=True)
v, X, b = sp.IndexedBase("v"), sp.IndexedBase("X"), sp.IndexedBase("b")
A, u, t = sp.MatrixSymbol("A", n, m), sp.MatrixSymbol("u", m, 1), sp.MatrixSymbol("t", n, 1)

SCALARS = [
    (w * x - y) ** 2, sp.sin(x) ** 2 * sp.exp(-y), sp.log(p) / x + sp.sqrt(p), sp.tan(x) + sp.sec(y) - sp.coth(p), sp.atan(x * y) ** 3,
    sp.asinh(x) + sp.erfc(y), sp.Abs(r) + w * sp.sign(q), sp.Max(x, y, w) - sp.Min(x, 2), sp.Piecewise((x**2, x > 0), (y, sp.Or(y > 1, y < -1)), (0, True)),
    0.1 * x - sp.Rational(7, 3) * y**-2, x ** sp.Rational(2, 1) * p**x, sp.pi * x + sp.E**y, sp.acos(x / 10), sp.sinc(x), sp.log(p, 2),
    sp.Piecewise((x, sp.And(x > 0, sp.Not(y > 0))), (w, True)), -x - y, -(x + y) / (w - 3), sp.Heaviside(x) * y, sp.sqrt(1 + sp.cos(x) ** 2) ** -3,
]


@pytest.mark.parametrize("expr", SCALARS, ids=lambda e: str(e)[:40])
def test_gradients_of_sympy_expressions_are_sympys(expr: sp.Expr) -> None:
    names = sorted(expr.free_symbols, key=str)
    d = sn.derive(expr, wrt=names)
    dice = random.Random(str(expr))
    for _ in range(3):
        at = {s: sp.Rational(dice.randint(1, 40) * (1 if s.is_positive else dice.choice((1, -1))), 17) for s in names}
        for s in names:
            wanted = sp.diff(expr.rewrite(sp.Piecewise) if expr.has(sp.Heaviside) else expr, s).subs(at).evalf(30)
            got = d.closed_form(s.name).subs(at).evalf(30)
            assert abs(got - wanted) < (1e-15 if expr.has(sp.Float) else 1e-20) * (1 + abs(wanted))
    assert all(d.symbols[s.name] == s for s in names) and d.closed_form(names[0].name).free_symbols <= set(names)
    for s in (s for s in names if not sp.diff(expr, s).has(sp.DiracDelta)):
        right, wrong = sn.check(sp.diff(expr, s), d, wrt=s, timeout=None), sn.check(sp.diff(expr, s) + 1, d, wrt=s, timeout=None)
        assert wrong.answer.value == "refuted", wrong
        assert right.answer.value in ("proved", "almost_everywhere", "conditional") or expr.has(sp.Max, sp.Min, sp.acos), right


def test_arrays_have_the_axes_that_their_sums_say() -> None:
    d = sn.derive(sp.Sum((X[i, j] * b[j] - 1) ** 2, (i, 0, n - 1), (j, 0, m - 1)) / n, wrt=b)
    assert [str(a.range) for a in d.program["X"].axes] == ["(0, n - 1)", "(0, m - 1)"]
    assert sn.check(sp.Sum(2 * X[i, j] * (X[i, j] * b[j] - 1) / n, (i, 0, n - 1)), d, wrt=b[j]).scope == "for all sizes"
    assert sn.check(sp.Sum(2 * X[i, j] * (X[i, j] * b[j] + 1) / n, (i, 0, n - 1)), d, wrt=b[j]).answer.value == "refuted"
    at = np.arange(12.0).reshape(3, 4) / 7, np.array([1.0, -2.0, 0.5, 3.0])
    wanted = (2 * at[0] * (at[0] * at[1] - 1) / 3).sum(0)
    for modules in ("numpy", "torch", "math", "mpmath", "sympy"):
        assert np.allclose(np.array(d.lambdify("b", modules, args=["X", "b"])(*at), dtype=float), wanted)
    exact = d.lambdify("b", "mpmath", args=[X, b])(mpmath.matrix([[1, 2]]).tolist(), [mpmath.mpf(1) / 3, 4])
    assert exact[0] == 2 * (mpmath.mpf(1) / 3 - 1)


def test_matrices_are_read_as_matrix_expressions_and_count_from_0() -> None:
    d = sn.derive((A * u - t).T * (A * u - t) / n, wrt=u)
    assert sn.check(2 * A.T * (A * u - t) / n, d, wrt=u).scope == "for all sizes"
    assert sn.check(A.T * (A * u - t) / n, d, wrt=u).answer.value == "refuted"
    k = sp.Symbol("k", integer=True)
    row = sp.Sum(A[i, k] * u[k, 0], (k, 0, m - 1))
    assert sn.check(sp.Sum(2 * A[i, j] * (row - t[i, 0]) / n, (i, 0, n - 1)), d, wrt=u[j, 0]).holds
    values = np.array([[1.0, 2.0], [3.0, -1.0], [0.5, 4.0]]), np.array([[1.0], [-1.0]]), np.array([[1.0], [2.0], [3.0]])
    found = d.lambdify("u", args=["A", "u", "t"])(*values)
    assert np.allclose(found, 2 * values[0].T @ (values[0] @ values[1] - values[2]) / 3)
    assert str(sn.program(sp.Trace(A.T * A))) == str(sn.program("L = trace(A.T @ A)", tensors={"A": ("n", "m")}))


def test_equations_name_lines() -> None:
    z = sp.Symbol("z")
    made = sn.program(sp.Eq(z, w * x), sp.sin(z) ** 2)
    assert [d.name for d in made.definitions] == ["z", "L"] and [t.name for t in made.inputs] == ["w", "x"]
    h = sp.IndexedBase("h")
    k = sp.Symbol("k", integer=True)
    made = sn.program(sp.Eq(h[0], x), sp.Eq(h[k], sp.tanh(h[k - 1] * w)), h[4] ** 2, tensors={"h": ("0..4",), "x": (), "w": ()})
    value, _ = sn.derive(made, wrt=["w"]).compile()({"w": 0.5}, x=0.3)
    wanted = 0.3
    for _ in range(4):
        wanted = np.tanh(0.5 * wanted)
    assert value == pytest.approx(wanted**2)
    assert sn.program("z = w*x", sp.sin(z) ** 2).definitions == sn.program(sp.Eq(z, w * x), sp.sin(z) ** 2).definitions


@pytest.mark.parametrize(("text", "name"), [(r"\theta", "theta"), ("σ_1", "sigma_1"), ("x'", "x"), ("w^{(1)}", "w_1"), ("ŷ", "y"), ("Ω", "Omega")])
def test_any_symbol_has_a_name(text: str, name: str) -> None:
    own = sp.Symbol(text)
    assert name_of(own) == name
    assert sn.derive(own**2, wrt=own).closed_form(name) == 2 * own


def test_closed_forms_take_values_by_name() -> None:
    d = sn.derive((w * x - y) ** 2, wrt="w")
    assert d.closed_form("w", subs={"w": "1/3", x: 2}) == sp.Rational(8, 3) - 4 * y
    assert sp.sympify(d.gradients["w"]) == 2 * x * (w * x - y) and "partial" in sp.latex(d.gradients["w"])
    net = sn.derive(sn.Sequential(sn.Linear(1, 1), sn.Sigmoid()), loss=sn.MSELoss())
    symbol = next(iter(net.symbols.values()))
    assert symbol in {s for e in net.gradients.values() for s in e.expr.atoms(sp.Symbol, sp.IndexedBase)} | set(net.symbols.values())


def test_what_stands_in_conditions_and_products_is_an_index_too() -> None:
    W = sp.IndexedBase("W", shape=(n, n))
    d = sn.derive(sp.Sum(W[i, j] ** 2, (j, 0, i), (i, 0, n - 1)), wrt=W)
    assert sn.check(sp.Piecewise((2 * W[i, j], j <= i), (0, True)), d, wrt=W[i, j]).holds
    assert sn.check(sp.Piecewise((2 * W[i, j], j < i), (0, True)), d, wrt=W[i, j]).answer.value == "refuted"
    ramp = sn.derive(sp.Sum(i * v[i], (i, 0, n - 1)), wrt=v)
    assert sn.check(j, ramp, wrt=v[j]).holds and sn.check(j + 1, ramp, wrt=v[j]).answer.value == "refuted"
    assert sn.check(sp.Integer(2), sn.derive(sp.Sum(2 * v[i], (i, 0, n - 1))), wrt=v[j]).holds


def test_products_over_indices() -> None:
    d = sn.derive(sp.Product(v[i], (i, 0, n - 1)), wrt=v)
    assert d.lambdify("v")([2.0, 0.0, 3.0]).tolist() == [0.0, 6.0, 0.0] and d.lambdify("L")([2.0, 4.0]) == 8.0


def test_closed_forms_of_shifts_are_cases_that_sympy_knows() -> None:
    d = sn.derive(sp.Sum((v[i + 1] - v[i]) ** 2, (i, 0, n - 2)), wrt=v)
    assert d.closed_form("v").has(sp.Piecewise)
    for modules in ("numpy", "math"):
        assert [float(e) for e in d.lambdify("v", modules)([1.0, 2.0, 4.0])] == [-2.0, -2.0, 4.0]


REFUSED = {
    "pi and pi": sp.Symbol("pi") * x + sp.pi,
    "imaginary": sp.I * x, "undefined": sp.Function("f")(x), "gamma": sp.gamma(x), "infinite": x + sp.oo, "two x": x + sp.Symbol("x", real=True),
    "integer": sp.Symbol("k", integer=True) * x, "not real": sp.Symbol("q", real=False) ** 2, "shape": v[i] * x, "matrix": sp.Matrix([[x, y]]),
    "no last case": sp.Piecewise((x, x > 0)), "integral": sp.Integral(sp.Function("f")(x), x), "no name": sp.Symbol("{}") ** 2,
}


@pytest.mark.parametrize("expr", REFUSED.values(), ids=REFUSED)
def test_what_is_no_program_is_refused_in_one_line(expr: sp.Basic) -> None:
    with pytest.raises(SymnetError) as caught:
        sn.derive(expr)
    assert "\n" not in str(caught.value)


COMPARED = [("x*y/x", "y", "almost_everywhere"), ("x**2", "x", "refuted"), (sp.sqrt(p**4), p**2, "proved"), ("sqrt(x**2)", "x", "refuted"),
            (sp.sin(x) ** 2 + sp.cos(x) ** 2, sp.S.One, "proved"), ("exp(log(x))", "x", "conditional"), (x * y, "y*x", "proved"),
            (sp.Sum(v[i] + 1, (i, 1, n)), sp.Sum(v[i], (i, 1, n)) + n, "proved"), (sp.Sum(v[i] + 1, (i, 1, n)), sp.Sum(v[i], (i, 1, n)), "refuted")]


@pytest.mark.parametrize(("left", "right", "wanted"), COMPARED, ids=lambda e: str(e)[:30])
def test_expressions_are_compared(left: object, right: object, wanted: str) -> None:
    assert sn.compare(left, right).answer.value == wanted


def test_arrays_are_compared_entry_by_entry() -> None:
    shapes = {"z": ("n",), "W": ("n", "n")}
    assert sn.compare("softmax(z + 3)", "softmax(z)", tensors=shapes).scope == "for all sizes"
    assert "transpose" in sn.compare("W.T", "W", tensors=shapes).reason
    assert "shapes differ" in sn.compare("sum(z)", "z", tensors=shapes).reason


def test_the_whole_way_from_sympy_to_lambdify() -> None:
    """SymPy, symnet, SymPy, lambdify: gradient descent on an expression of the user's own."""
    loss = (w * x - y) ** 2
    slope = sp.lambdify([w, x, y], sn.derive(loss, wrt=w).closed_form("w"))
    at = 0.0
    for _ in range(60):
        at -= 0.1 * slope(at, 1.0, 2.0)
    assert at == pytest.approx(2.0, abs=1e-4)


@pytest.mark.parametrize("modules", ["numpy", "math"])
def test_a_lambdified_array_program_takes_its_arguments_by_place_or_by_name(modules: str) -> None:
    d = sn.derive(sn.program("L = sum((q*X - sin(X))**2)", tensors={"X": ("n",), "q": ()}), wrt=["q"])
    f, X = d.lambdify("q", modules), np.array([1.0, 2.0, 3.0])
    wanted = float(np.sum(2 * X * (0.5 * X - np.sin(X))))
    for found in (f(X, 0.5), f(q=0.5, X=X), f(X, q=0.5)):
        assert float(found) == pytest.approx(wanted, rel=1e-14)
    with pytest.raises(SymnetError, match="the argument x"):
        f(x=X, q=0.5)
    with pytest.raises(SymnetError, match="3 arguments"):
        f(X, 0.5, q=0.5)
