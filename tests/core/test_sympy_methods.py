"""Our functions as SymPy's own: limits, series, integrals, digits, rewriting, solving, assumptions, copies. The oracle is mpmath."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import mpmath
import pytest
import sympy as sp

from symnet.core.functions import ROWS, Max, Min, leaky_relu, relu, sigmoid, softplus, step, stop_gradient

x, z, b, s = sp.Symbol("x"), *sp.symbols("z b s", real=True)
a = sp.Symbol("a", positive=True)
third = sp.Rational(1, 3)
NODES = (sigmoid(z), relu(z), leaky_relu(z, s), step(z), softplus(z), stop_gradient(z), Max(z, s), Min(z, s))


@pytest.mark.parametrize(("expr", "at", "left", "right"), [
    (sigmoid(z), 0, sp.S.Half, sp.S.Half), ((sigmoid(z) - sp.S.Half)/z, 0, sp.Rational(1, 4), sp.Rational(1, 4)),
    (softplus(z), 0, sp.log(2), sp.log(2)), (sigmoid(1/z), 0, 0, 1), (z*softplus(1/z), 0, 0, 1), (sigmoid(1/(z - 2)), 2, 0, 1),
    (relu(z)/z, 0, 0, 1), (relu(z - 1)/(z - 1), 1, 0, 1), (relu(z**3)/z**3, 0, 0, 1), (relu(1/z), 0, 0, sp.oo), (relu(sp.sin(z))/z, 0, 0, 1),
    (step(z), 0, 0, 1), (step(-z), 0, 1, 0), (step(z**2), 0, 1, 1), (step(-z**2), 0, 0, 0), (step(1/z), 0, 0, 1),
    (leaky_relu(z, s)/z, 0, s, 1), ((relu(z) - relu(-z))/z, 0, 1, 1), (stop_gradient(z)/z, 0, 1, 1),
    (Max(z, 0)/z, 0, 0, 1), (Min(z, 0)/z, 0, 1, 0), (Max(z, 2*z, -z)/z, 0, -1, 2), (sp.exp(relu(z)), 0, 1, 1),
], ids=str)
def test_limits_from_both_sides(expr: sp.Expr, at: Any, left: Any, right: Any) -> None:
    assert (sp.limit(expr, z, at, "-"), sp.limit(expr, z, at, "+")) == (left, right)


@pytest.mark.parametrize(("expr", "falling", "rising"), [
    (sigmoid(z), 0, 1), (sigmoid(z)*sp.exp(-z), 1, 0), ((1 - sigmoid(z))*sp.exp(z), 0, 1), (sp.log(sigmoid(z))/z, 1, 0),
    (softplus(z), 0, sp.oo), (softplus(z)*sp.exp(-z), 1, 0), (softplus(z) - relu(z), 0, 0), (relu(z)/z, 0, 1), (relu(z**2 - z)/z**2, 1, 1),
    (step(z), 0, 1), (step(z**2 - 5), 1, 1), (step(sigmoid(z) - third), 0, 1), (leaky_relu(z, s)/z, s, 1), (Max(z, 1)/z, 0, 1),
    (Min(z, sp.exp(z))*sp.exp(-z), -sp.oo, 0), (stop_gradient(z)/z, 1, 1), (sigmoid(sigmoid(z)), sp.S.Half, sigmoid(1)),
], ids=str)
def test_limits_at_both_ends(expr: sp.Expr, falling: Any, rising: Any) -> None:
    assert (sp.limit(expr, z, -sp.oo), sp.limit(expr, z, sp.oo)) == (falling, rising)


@pytest.mark.parametrize("expr", [relu(s*z)/z, step(s*z), leaky_relu(s*z, 2)/z, Max(s*z, 0)/z], ids=str)
def test_a_limit_that_hangs_on_an_unknown_sign_is_not_made_up(expr: sp.Expr) -> None:
    with pytest.raises(NotImplementedError, match="sign of"):
        sp.limit(expr, z, 0)


@pytest.mark.parametrize(("expr", "point", "direction", "wanted"), [
    (sigmoid(z), 0, "+", sp.S.Half + z/4 - z**3/48), (softplus(z), 0, "+", sp.log(2) + z/2 + z**2/8),
    (softplus(z), 0, "-", sp.log(2) + z/2 + z**2/8),
    (relu(z), 0, "+", z), (relu(z), 0, "-", 0), (relu(sp.sin(z)), 0, "+", z - z**3/6), (relu(1 + z), 0, "+", 1 + z), (relu(z), 1, "+", z),
    (step(z), 0, "+", 1), (step(z), 0, "-", 0), (leaky_relu(z, s), 0, "-", s*z), (Max(z, z**2), 0, "+", z), (Min(z, -z), 0, "+", -z),
    (stop_gradient(sp.exp(z)), 0, "+", 1 + z + z**2/2 + z**3/6), (softplus(z), sp.oo, "-", z), (sigmoid(z), sp.oo, "-", 1),
    (softplus(z), -sp.oo, "+", 0), (relu(z), sp.oo, "-", z),
], ids=str)
def test_series_on_the_side_that_is_asked_for(expr: sp.Expr, point: Any, direction: str, wanted: Any) -> None:
    assert sp.expand(sp.series(expr, z, point, 4, direction).removeO() - wanted) == 0


def test_a_series_in_a_shifted_argument_keeps_the_function() -> None:
    assert sp.series(sigmoid(z + b), z, 0, 2).removeO().coeff(z).expand() == (sigmoid(b)*(1 - sigmoid(b))).expand()


INTEGRANDS = (
    sigmoid(z), softplus(z), relu(z), step(z), leaky_relu(z, s), stop_gradient(z)*z, Max(z, b), 2*sigmoid(z) - z, sigmoid(z)*(1 - sigmoid(z)),
    sigmoid(z)**2, sigmoid(a*z + b), softplus(a*z + b), 3*softplus(1 - 2*z) + z, relu(a*z + b), relu(z - 1), step(z - 1), step(z - b),
    z*step(z - 1), z*relu(z - 1), relu(z)**2, relu(1 - z**2), relu(z)*sp.exp(-z), sp.exp(-z)*sigmoid(z), step(z)*sp.cos(z), relu(z - 1)/(z + 3),
    step(z - 1)*stop_gradient(z), relu(x) - relu(x - 1),
)
VALUES = {a: sp.Rational(3, 2), b: sp.Rational(1, 2), s: sp.Rational(1, 4)}


def quadrature(expr: sp.Expr, variable: sp.Symbol, low: float, high: float) -> Any:
    f = sp.lambdify(variable, expr.subs(VALUES), "mpmath")
    return mpmath.quad(f, [low, *(p for p in (mpmath.mpf(-1)/3, 0, 0.5, 1) if low < p < high), high])


@pytest.mark.parametrize("expr", INTEGRANDS, ids=str)
def test_integrals_are_what_quadrature_says(expr: sp.Expr) -> None:
    variable = x if expr.has(x) else z
    wanted = float(quadrature(expr, variable, -1, 2))
    definite = sp.integrate(expr, (variable, -1, 2))
    assert not definite.has(sp.Integral)
    assert complex(definite.subs(VALUES)) == pytest.approx(wanted, rel=1e-10)
    antiderivative = sp.integrate(expr, variable).subs(VALUES)  # one function, without a jump
    assert complex(antiderivative.subs(variable, 2) - antiderivative.subs(variable, -1)) == pytest.approx(wanted, rel=1e-10)


@pytest.mark.parametrize(("expr", "low", "high", "wanted"), [
    (softplus(z), -sp.oo, 0, sp.pi**2/12), (softplus(z), 0, sp.oo, sp.oo), (sigmoid(z), -sp.oo, 0, sp.log(2)),
    (sigmoid(z)*(1 - sigmoid(z)), -sp.oo, sp.oo, 1), (step(z)*sp.exp(-z), -sp.oo, sp.oo, 1),
    (relu(z)*sp.exp(-z**2/2)/sp.sqrt(2*sp.pi), -sp.oo, sp.oo, 1/sp.sqrt(2*sp.pi)),
], ids=str)
def test_improper_integrals(expr: sp.Expr, low: Any, high: Any, wanted: Any) -> None:
    assert sp.expand(sp.integrate(expr, (z, low, high)) - wanted) == 0 or wanted == sp.oo == sp.integrate(expr, (z, low, high))


def test_an_integral_that_is_not_done_stays_as_written() -> None:
    for expr in (z*sigmoid(z), relu(sp.sin(z)), step(sp.cos(z))*z, relu(sp.floor(z) - sp.S.Half)):
        for limits in ((z,), (z, 0, 10)):
            assert sp.integrate(expr, limits) == sp.Integral(expr, limits)
    assert float(sp.Integral(z*sigmoid(z), (z, 0, 1)).evalf()) == pytest.approx(0.3294426504975618)
    assert sp.Integral(relu(z), z).func is sp.Integral
    assert sp.Integral(relu(z), (z, 0, x)).diff(x) == relu(x)
    assert sp.integrate(sp.sin(x), x) == -sp.cos(x)


EXACT: dict[Any, Callable[..., Any]] = {
    sigmoid: lambda u: 1/(1 + mpmath.exp(-u)), softplus: lambda u: mpmath.log1p(mpmath.exp(u)), relu: lambda u: max(u, mpmath.mpf(0)),
    step: lambda u: mpmath.mpf(u > 0), leaky_relu: lambda u, c: u if u > 0 else c*u, stop_gradient: lambda u: u,
}


NUMBERS = (third, -third, sp.Integer(1000), sp.Integer(-1000), -10**6*sp.pi, sp.sqrt(2) - 1, sp.exp(7), -10**9*third, sp.pi - sp.Rational(22, 7))


@pytest.mark.parametrize(("function", "args"), [
    *((f, (u,)) for f in (sigmoid, softplus, relu, step, stop_gradient) for u in NUMBERS),
    *((leaky_relu, (u, sp.sqrt(2)/7)) for u in NUMBERS),
], ids=str)
@pytest.mark.parametrize("digits", [15, 50])
def test_digits(function: Any, args: tuple[sp.Expr, ...], digits: int) -> None:
    with mpmath.workdps(digits + 40):
        wanted = EXACT[function](*[sp.N(arg, digits + 60)._to_mpmath(mpmath.mp.prec) for arg in args])
        found = sp.N(function(*args), digits)._to_mpmath(mpmath.mp.prec)
        assert abs(found - wanted) <= abs(wanted)*mpmath.mpf(10)**(1 - digits)


def test_digits_of_complex_numbers_and_of_a_hidden_zero() -> None:
    for u in (sp.I, 1 + 2*sp.I, -30 + 5*sp.I*third):
        assert complex(sigmoid(u)) == pytest.approx(complex(1/(1 + sp.exp(-u))), rel=1e-14)
        assert complex(softplus(u)) == pytest.approx(complex(sp.log(1 + sp.exp(u))), rel=1e-14)
        assert tuple(map(complex, sigmoid(u).as_real_imag())) == pytest.approx((complex(sigmoid(u)).real, complex(sigmoid(u)).imag))
    hidden = (1 + sp.sqrt(2))**2 - 3 - 2*sp.sqrt(2)
    assert relu(hidden).evalf() == 0
    assert step(hidden).evalf() == 0
    assert float(sigmoid(x).evalf(subs={x: 2})) == pytest.approx(0.8807970779778823)
    assert sigmoid(0.5).is_Float


@pytest.mark.parametrize("node", NODES, ids=str)
@pytest.mark.parametrize("rule", [sp.exp, sp.log, sp.tanh, sp.Piecewise, sp.Max, sp.Heaviside, sp.Abs], ids=str)
def test_rewriting_keeps_the_value(node: sp.Expr, rule: Any) -> None:
    for point in (-2, 0, 3):
        at = {z: point, s: third}
        if not (point == 0 and rule == sp.Heaviside and node.has(sp.Max, sp.Min)):
            assert complex(node.rewrite(rule).subs(at)) == pytest.approx(complex(node.subs(at)))


def test_rewriting_says_what_is_meant() -> None:
    assert sigmoid(z).rewrite(sp.exp) == 1/(1 + sp.exp(-z))
    assert softplus(z).rewrite(sp.log) == sp.log(1 + sp.exp(z))
    assert sigmoid(2*z).rewrite(sp.tanh) == (1 + sp.tanh(z))/2
    assert relu(z).rewrite(sp.Max) == sp.Max(z, 0)
    assert step(z).rewrite(sp.Heaviside) == sp.Heaviside(z, 0)
    assert relu(z).rewrite(sp.Piecewise) == sp.Piecewise((z, z > 0), (0, True))
    assert sp.tanh(sigmoid(z)).rewrite(sigmoid, sp.exp) == sp.tanh(1/(1 + sp.exp(-z)))
    assert relu(sp.I*a).rewrite(sp.Piecewise) == relu(sp.I*a)


def test_equations() -> None:
    assert sp.solve(sigmoid(z) - sp.Rational(3, 10), z) == [sp.log(sp.Rational(3, 7))]
    assert sp.solve(softplus(z) - 1, z) == [sp.log(sp.E - 1)]
    assert sp.solve(sigmoid(z) - 2, z) == []
    assert sp.solveset(sigmoid(z) - sp.Rational(1, 4), z, sp.S.Reals) == {-sp.log(3)}
    for f in (sigmoid, softplus):
        assert complex(f(f(z).inverse()(sp.Rational(2, 3)))) == pytest.approx(2/3)
        assert sp.simplify(f(sp.sin(z)), inverse=True) == f(sp.sin(z))


p, q, e, w = sp.Symbol("p", positive=True), sp.Symbol("q", negative=True), sp.Symbol("e", extended_real=True), sp.Symbol("w", complex=True)
FACTS = ("real", "finite", "zero", "positive", "negative", "nonnegative", "nonpositive", "rational", "integer", "extended_real")
SAMPLES = {z: (-2, 0, 3), x: (-2, 0, 1, 1 + sp.I), w: (-1, sp.I*3, 2 - sp.I), p: (third, 4), q: (-third, -4), e: (-sp.oo, -1, 0, 2, sp.oo),
           s: (-2, 0, 1)}


@pytest.mark.parametrize("letter", [z, x, w, p, q, e], ids=lambda v: f"{v}")
@pytest.mark.parametrize("node", [sigmoid(x), relu(x), softplus(x), step(x), stop_gradient(x), leaky_relu(x, 0), leaky_relu(x, third),
                                  relu(x + 1), sigmoid(x*sp.I), softplus(-x), relu(2*x), step(x - 1), leaky_relu(x, x)], ids=str)
def test_no_assumption_is_wrong(node: sp.Expr, letter: sp.Symbol) -> None:
    """What is claimed of a symbol's kind holds at every number of that kind."""
    general = node.xreplace({x: letter})
    for number in SAMPLES[letter]:
        at = node.func(*[arg.subs(x, number) for arg in node.args])
        value = at if not at.is_number or at.is_infinite or at.is_Rational else sp.nsimplify(at.rewrite(sp.exp)) if at.has(sp.I) else at
        for fact in FACTS:
            claimed, true = getattr(general, f"is_{fact}"), getattr(value, f"is_{fact}")
            assert claimed is None or true is None or claimed == true, (fact, number)


def test_what_is_known_of_real_arguments() -> None:
    assert sigmoid(z).is_positive and softplus(z).is_positive and relu(z).is_nonnegative and step(z).is_nonnegative
    assert relu(p + 1).is_positive and relu(q).is_zero and step(p + p**2).is_positive and leaky_relu(q*p, p).is_negative
    assert sigmoid(e).is_real and not sigmoid(e).is_positive and softplus(e).is_finite is None
    assert all(f(w).is_real is None and f(w).is_positive is None for f in (sigmoid, softplus, relu, step, stop_gradient))
    assert sp.conjugate(sigmoid(w)) == sigmoid(sp.conjugate(w)) and sp.conjugate(relu(z)) == relu(z)
    assert sp.sqrt(sigmoid(z)**2) == sigmoid(z) and sp.log(sp.exp(softplus(z))) == softplus(z)


@pytest.mark.parametrize(("node", "wanted"), [
    (sigmoid(sp.oo), 1), (sigmoid(-sp.oo), 0), (softplus(sp.oo), sp.oo), (softplus(-sp.oo), 0), (relu(sp.oo), sp.oo), (relu(-sp.oo), 0),
    (step(sp.oo), 1), (step(-sp.oo), 0), (leaky_relu(sp.oo, s), sp.oo), (leaky_relu(-sp.oo, a), -sp.oo), (stop_gradient(sp.oo), sp.oo),
    *((f(u), sp.nan) for f in (sigmoid, softplus, relu, step) for u in (sp.nan, sp.zoo)), (relu(2.5), 2.5), (step(sp.Float(-1)), 0),
], ids=str)
def test_the_ends_of_the_line(node: Any, wanted: Any) -> None:
    assert node is sp.nan if wanted is sp.nan else node == wanted


def test_latex_with_and_without_a_power() -> None:
    assert sp.latex(sigmoid(z)) == r"\sigma{\left(z \right)}"
    assert sp.latex(3*sigmoid(z)**2) == r"3 \sigma^{2}{\left(z \right)}"
    assert sp.latex(1/sigmoid(z)) == r"\frac{1}{\sigma{\left(z \right)}}"
    assert sp.latex(leaky_relu(z, s)**a) == r"\operatorname{leaky\_relu}^{a}{\left(z, s \right)}"
    assert sp.pretty(relu(z)) == "relu(z)"


@pytest.mark.parametrize("node", NODES, ids=str)
def test_copies_are_equal(node: sp.Expr) -> None:
    names = {row.function.__name__: row.function for row in ROWS} | {"Symbol": sp.Symbol}
    whole = node**2 + sp.Derivative(node, z)
    assert pickle.loads(pickle.dumps(whole)) == whole
    assert eval(sp.srepr(node), names) == node  # noqa: S307 - SymPy's own text
    assert node.subs(z, x).subs(x, z) == node
    assert node.func(*node.args) == node
    assert sp.Subs(node, z, 2).doit() == node.subs(z, 2)
