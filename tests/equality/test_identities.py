"""True identities and tempting falsehoods of elementary functions; each is also computed by mpmath, which knows nothing of symnet."""

from __future__ import annotations

import contextlib
import random

import mpmath
import pytest
import sympy as sp
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from symnet.core.expressions import as_written
from symnet.core.functions import relu, sigmoid, softplus, step
from symnet.core.verdict import Answer
from symnet.equality.compare import compare, prove_equal

x, y, z, a, b = sp.symbols("x y z a b", real=True)
p, q = sp.symbols("p q", positive=True)
n = sp.Symbol("n", nonnegative=True)
k = sp.Symbol("k", integer=True, positive=True)
c = sp.Symbol("c")  # the domain "complex"
exp, log, sqrt, sin, cos, tanh, erf, atan, Abs, R = (
    sp.exp, sp.log, sp.sqrt, sp.sin, sp.cos, sp.tanh, sp.erf, sp.atan, sp.Abs, sp.Rational)
E = sp.S.One


class Undefined(Exception):
    """No real value."""


def value(e: sp.Expr, at: dict[sp.Symbol, mpmath.mpf]) -> mpmath.mpf:
    """The real value of ``e``, by its tree alone."""
    if e.is_Rational:
        return mpmath.mpf(int(e.p)) / int(e.q)
    if e.is_Symbol:
        return at[e]
    if e in (sp.pi, sp.E):
        return +mpmath.pi if e is sp.pi else +mpmath.e
    u = [value(arg, at) for arg in e.args]
    if isinstance(e, sp.Pow):
        whole = e.exp.is_Integer
        if (u[0] == 0 and u[1] <= 0) or (u[0] < 0 and not whole):
            raise Undefined
        return u[0] ** (int(e.exp) if whole else u[1])
    if isinstance(e, sp.log) and u[0] <= 0:
        raise Undefined
    table = {sp.Add: lambda *t: mpmath.fsum(t), sp.Mul: lambda *t: mpmath.fprod(t), exp: mpmath.exp, log: mpmath.log, sin: mpmath.sin,
             cos: mpmath.cos, tanh: mpmath.tanh, sp.sinh: mpmath.sinh, sp.cosh: mpmath.cosh, erf: mpmath.erf, atan: mpmath.atan,
             Abs: abs, sp.sign: mpmath.sign, sp.Max: max, sp.Min: min, sigmoid: lambda t: 1 / (1 + mpmath.exp(-t)),
             softplus: lambda t: mpmath.log(1 + mpmath.exp(t)), relu: lambda t: max(t, mpmath.mpf(0)), step: lambda t: mpmath.mpf(t > 0)}
    return table[e.func](*u)


def apart(left: sp.Expr, right: sp.Expr, tries: int = 40) -> tuple[int, int, int]:
    """At how many random points both sides have values, at how many of these they differ, and where one alone has a value."""
    dice, both, different, alone = random.Random(7), 0, 0, 0
    for _ in range(tries):
        at = {s: mpmath.mpf(dice.randint(-300, 300)) / 97 for s in left.free_symbols | right.free_symbols}
        at = {s: abs(v) if s.is_nonnegative else v for s, v in at.items()}
        values = []
        with mpmath.workdps(60):
            for side in (left, right):
                with contextlib.suppress(Undefined):
                    values.append(value(side, at))
            both, alone = both + (len(values) == 2), alone + (len(values) == 1)
            different += len(values) == 2 and abs(values[0] - values[1]) > mpmath.mpf(10) ** -40 * (1 + abs(values[0]))
    return both, different, alone


with as_written():
    PROVED = {
        "circle": (sin(x) ** 2 + cos(x) ** 2, E), "circle inside": (tanh((sin(x) ** 2 + cos(x) ** 2) * y), tanh(y)),
        "double sine": (sin(2 * x), 2 * sin(x) * cos(x)), "half angle": (sin(x / 2) ** 2, (1 - cos(x)) / 2),
        "sine of a sum": (sin(x + y), sin(x) * cos(y) + cos(x) * sin(y)), "triple sine": (sin(3 * x), 3 * sin(x) - 4 * sin(x) ** 3),
        "cosine of a difference": (cos(x - y), cos(x) * cos(y) + sin(x) * sin(y)), "cosine is even": (cos(y - x), cos(x - y)),
        "product to sum": (2 * sin(x) * cos(y), sin(x + y) + sin(x - y)), "a third of π": (sin(x + sp.pi / 3), (sin(x) + sqrt(3) * cos(x)) / 2),
        "a twelfth of π": (cos(x) * cos(sp.pi / 12), cos(x) * (sqrt(6) + sqrt(2)) / 4), "complex circle": (sin(c) ** 2 + cos(c) ** 2, E),
        "sine under a root": (sqrt(1 - cos(x) ** 2), Abs(sin(x))), "hyperbola": (sp.cosh(x) ** 2 - sp.sinh(x) ** 2, E),
        "arctan is odd": (atan(y - 2 * x), -atan(2 * x - y)), "erf is odd": (erf((y - x) / sqrt(2)), -erf((x - y) / sqrt(2))),
        "Phi of -x": ((1 + erf(-x / sqrt(2))) / 2, 1 - (1 + erf(x / sqrt(2))) / 2),
        "log of a product": (log(p * (1 + q)), log(p) + log(1 + q)), "log of a quotient": (log(p / q), log(p) - log(q)),
        "log of an inverse": (log(1 / p), -log(p)), "log of a square": (log(x**2), 2 * log(Abs(x))), "log of a cube": (log(x**3), 3 * log(x)),
        "log of a root": (log(sqrt(p * q)), (log(p) + log(q)) / 2), "log 12": (log(sp.Integer(12)), 2 * log(2) + log(3)),
        "log₂": (log(2 * p) / log(2), 1 + log(p) / log(2)), "log of exp": (log(exp(x) * exp(y)), x + y), "log of a power": (log(p**x * q), x * log(p) + log(q)),
        "log sigmoid": (log(sigmoid(x)), x - softplus(x)), "log sigmoid, stable": (log(sigmoid(x)), -softplus(-x)),
        "softplus of -x": (softplus(x) - softplus(-x), x), "softplus is -log": (-log(1 - sigmoid(x)), softplus(x)),
        "log(1 + e^x)": (log(1 + exp(x)), x + log(1 + exp(-x))), "log cosh": (log(sp.cosh(x)), x + softplus(-2 * x) - log(2)),
        "log-sum-exp moves": (log(exp(a - z) + exp(b - z)) + z, log(exp(a) + exp(b))), "log of squares": (log(x**2 * (1 + y**2)), 2 * log(Abs(x)) + log(1 + y**2)),
        "log of a difference": (log(exp(p) - 1) + log(exp(p) + 1), log(exp(2 * p) - 1)), "log(1 - tanh²)": (log(1 - tanh(x) ** 2), -2 * log(sp.cosh(x))),
        "4^x": (4**x, 2 ** (2 * x)), "6^x": (6**x * p**x, (2 * p) ** x * 3**x), "(4p)^y": ((4 * p) ** y, 2 ** (2 * y) * p**y),
        "exp of fractions": (exp(x / (1 + exp(x)) + y / (1 + x**2)), exp(x / (1 + exp(x))) * exp(y / (1 + x**2))),
        "gelu's tanh": (tanh(sqrt(2 / sp.pi) * (x + R(44715, 10**6) * x**3)), 1 - 2 / (1 + exp(sqrt(8 / sp.pi) * (x + R(44715, 10**6) * x**3)))),
        "mish": (tanh(softplus(x)), ((1 + exp(x)) ** 2 - 1) / ((1 + exp(x)) ** 2 + 1)), "silu": (x * sigmoid(x), x / 2 * (1 + tanh(x / 2))),
        "root of a product": (sqrt(n * p + n), sqrt(1 + p) * sqrt(n)), "root of 8": (sqrt(8 + 8 * p), 2 * sqrt(2) * sqrt(1 + p)), "1/√2": (1 / sqrt(2 + 2 * p), sqrt(2) / 2 / sqrt(1 + p)),
        "√2 √3": (sqrt(2 + 2 * p) * sqrt(3 + 3 * q), sqrt(6 * (1 + p) * (1 + q))), "root of a square": (sqrt(x**2 + 2 * x + 1), Abs(x + 1)), "|x|³": ((x**2 + 2 * x + 1) ** R(3, 2), Abs(x + 1) ** 3),
        "roots of roots": ((p**2 + 2 * p + 1) ** R(1, 4), sqrt(p + 1)), "sixth": ((2 + 2 * p) ** R(1, 3) * (1 + p) ** R(1, 6), 2 ** R(1, 3) * sqrt(1 + p)), "root of exps": (sqrt(exp(x) + 2 + exp(-x)), exp(x / 2) + exp(-x / 2)),
        "root below": (1 / sqrt(p + 1) - 1 / sqrt(p), (sqrt(p) - sqrt(p + 1)) / sqrt(p * (p + 1))), "conjugate": (1 / (sqrt(p + 1) + 1), (sqrt(p + 1) - 1) / p),
        "normal density": (exp(-(x**2 + log(2 * sp.pi) + log(p)) / 2), exp(-(x**2) / 2) / sqrt(2 * sp.pi * p)),
        "|xy|": (Abs(x * y), Abs(x) * Abs(y)), "|x|²": (Abs(x + y) ** 2, x**2 + 2 * x * y + y**2), "sign·|x|": (sp.sign(x) * Abs(x), x), "step scaled": (step(3 * x / (1 + p)), step(x)),
        "log(1 + |x|)": (exp(log(1 + Abs(x)) * sin(y) ** 2 + log(1 + Abs(x)) * cos(y) ** 2), 1 + Abs(x)), "max": (sp.Max(a, b) + log(1 + exp(-Abs(a - b))), log(exp(a) + exp(b))),
        "√(1 - tanh²)": (sqrt(1 - tanh(x) ** 2), 1 / sp.cosh(x)), "π": (2 * sp.cosh(sp.pi * x) ** 2 - 1, sp.cosh(2 * sp.pi * x)), "step of a log": (step(log(p)), step(p - 1)),
    }
    QUALIFIED = {
        "log x² = 2 log x": (log(x**2), 2 * log(x), "x > 0"), "log xy": (log(x * y), log(x) + log(y), "x > 0 and y > 0"),
        "√xy": (sqrt(x * y), sqrt(x) * sqrt(y), "x >= 0 and y >= 0"), "sigmoid of log": (sigmoid(log(x)), x / (1 + x), "x > 0"),
        "cube root of a cube": ((x**3) ** R(1, 3), x, "x >= 0"), "x^(2/3)": (x ** R(2, 3), (x**2) ** R(1, 3), "x >= 0"),
        "exp of half a log": (exp((y + log(x**2 + 2 * x + 1)) / 2), exp(y / 2) * Abs(x + 1), "except where x + 1 = 0"),
        "sign is x/|x|": (sp.sign(x), x / Abs(x), "except where x = 0"), "sign²": (sp.sign(x) ** 2, E, "except where x = 0"),
        "x^y": ((x * p) ** y * exp(-y * log(p)), exp(y * log(x)), ""), "log of a negative": (log(-x) + log(-y), log(x * y), "-x > 0 and -y > 0"),
    }
    FALSE = {
        "sin 2x": (sin(2 * x), 2 * sin(x)), "circle with 3x": (sin(x) ** 2 + cos(3 * x) ** 2, E), "sin shifted": (sin(x + sp.pi), sin(x)),
        "sine without bars": (sqrt(1 - cos(x) ** 2), sin(x)), "log of a sum": (log(p + q), log(p) * log(q)), "√x² is x": (sqrt(x**2 + 2 * x + 1), x + 1),
        "log₂ as log": (log(p) / log(2), log(p)), "softplus is even": (softplus(x), softplus(-x)), "log-sum-exp lost": (log(exp(a - z) + exp(b - z)), log(exp(a) + exp(b))),
        "4^x": (4**x, 2 ** (x + 2)), "(1 + p)^y": ((1 + p) ** y, 1 + p**y), "gelu constant": (tanh(sqrt(2 / sp.pi) * (x + R(44715, 10**6) * x**3)), tanh(sqrt(2 / sp.pi) * (x + R(44716, 10**6) * x**3))),
        "0.25001": (R(25001, 100000) * sin(x), sin(x) / 4), "e is 2.71828": (sp.E**x, R(271828, 100000) * sp.E ** (x - 1)), "π is 3.14": (sin(sp.pi * x), sin(R(314, 100) * x)),
        "exp of fractions": (exp(x / (1 + exp(x)) + y), exp(x / (1 + exp(x))) + exp(y)), "Phi": (1 + erf(-x / sqrt(2)), 1 + erf(x / sqrt(2))),
        "atan(1/x)": (atan(1 / x), sp.pi / 2 - atan(x)), "|x + y|": (Abs(x + y), Abs(x) + Abs(y)), "√(x + y)": (sqrt(p + q), sqrt(p) + sqrt(q)),
    }
NEVER = {  # no value in common, or complex numbers: no claim may be made
    "log x, log -x": (log(x), log(-x)), "√ of negatives": (sqrt(-1 - x**2), 2 * sqrt(-1 - x**2) * 3), "log of exp": (log(exp(c)), c), "root of a square": (sqrt(c**2), c),
    "a whole power": (x**k * Abs(x), x**k * x), "any power": (x**y * Abs(x), x**y * x), "log of a product": (log(c * p), log(c) + log(p)), "|c|²": (Abs(c) ** 2, c**2), "-1 to the x": ((-2) ** x, 2**x), "log |c|": (log(c**2), 2 * log(c)),
}


@pytest.mark.parametrize(("left", "right"), PROVED.values(), ids=PROVED)
def test_a_true_identity_is_proved(left: sp.Expr, right: sp.Expr) -> None:
    assert left != right  # or SymPy has made it trivial
    assert str(prove_equal(left, right)) == "proved" == str(compare(right, left))
    both, different, alone = apart(left, right) if c not in left.free_symbols else (1, 0, 0)
    assert both > 0 and different == alone == 0


@pytest.mark.parametrize(("left", "right", "condition"), QUALIFIED.values(), ids=QUALIFIED)
def test_one_that_holds_in_part_says_where(left: sp.Expr, right: sp.Expr, condition: str) -> None:
    verdict = compare(left, right)
    wanted = (Answer.ALMOST_EVERYWHERE if condition.startswith("except") else Answer.CONDITIONAL) if condition else Answer.PROVED
    assert (verdict.answer, verdict.condition) == (wanted, condition)
    both, different, _ = apart(left, right)
    assert both > 0 and different == 0


@pytest.mark.parametrize(("left", "right"), FALSE.values(), ids=FALSE)
def test_a_tempting_falsehood_is_refuted(left: sp.Expr, right: sp.Expr) -> None:
    assert prove_equal(left, right).answer is Answer.UNDECIDED
    assert compare(left, right).answer is Answer.REFUTED
    assert apart(left, right)[1] > 0


@pytest.mark.parametrize(("left", "right"), NEVER.values(), ids=NEVER)
def test_what_has_no_common_value_or_may_be_complex_is_never_proved(left: sp.Expr, right: sp.Expr) -> None:
    assert prove_equal(left, right).answer is Answer.UNDECIDED
    assert compare(left, right).answer in (Answer.UNDECIDED, Answer.REFUTED)


LEAVES = st.one_of(st.sampled_from([x, y, p, n]), st.sampled_from([E, sp.Integer(-2), sp.Integer(3), R(1, 2), R(-2, 3), sp.pi]))
UNARY = [exp, log, sqrt, sin, cos, tanh, erf, atan, sigmoid, softplus, sp.cosh, Abs, relu, step, lambda u: 1 / u, lambda u: u**2, lambda u: u ** R(2, 3)]
BINARY = [lambda u, v: u + v, lambda u, v: u - v, lambda u, v: u * v, lambda u, v: u / v]
TREES = st.recursive(LEAVES, lambda e: st.one_of(st.builds(lambda f, u: f(u), st.sampled_from(UNARY), e), st.builds(lambda f, u, v: f(u, v), st.sampled_from(BINARY), e, e)), max_leaves=4)
TEMPTING = [  # true everywhere, in part, or never: the verdict must be borne out by numbers
    lambda e: e.replace(log, lambda u: sp.Add(*map(log, sp.Mul.make_args(u)))), lambda e: e.replace(log, lambda u: log(u**2) / 2),
    lambda e: e.replace(lambda t: isinstance(t, sp.Pow), lambda t: 1 / (1 / t.base) ** t.exp), lambda e: sqrt(e**2 + 2 * e + 1) - 1, lambda e: sqrt(e) ** 3 / sqrt(e),
    lambda e: e.replace(sin, lambda u: 2 * sin(u / 2) * cos(u / 2)), lambda e: e.replace(cos, lambda u: sqrt(1 - sin(u) ** 2)), lambda e: e.replace(sin, lambda u: cos(u - sp.pi / 2)),
    lambda e: e.replace(sigmoid, lambda u: exp(-softplus(-u))), lambda e: e.replace(softplus, lambda u: u + log(1 + exp(-u))), lambda e: e.replace(tanh, lambda u: 2 * sigmoid(2 * u) - 1),
    lambda e: e.replace(Abs, lambda u: 2 * relu(u) - u), lambda e: e.replace(step, lambda u: 1 - step(-u)), lambda e: e.replace(exp, lambda u: sp.Mul(*map(exp, sp.Add.make_args(sp.expand(u))))),
    lambda e: e + log(x * y) - log(x) - log(y), lambda e: e + log(x**2) - 2 * log(x), lambda e: e * sp.sign(x) ** 2, lambda e: e + log(p * x) - log(p) - log(x),
    sp.expand, sp.together, lambda e: -e, lambda e: e + R(1, 10**9), lambda e: e * (sin(y) ** 2 + cos(y) ** 2), lambda e: Abs(e), lambda e: e.xreplace({x: -x}), lambda e: e.xreplace({x: y, y: x}),
]


def unreadable(e: sp.Expr) -> bool:
    return e.has(sp.I, sp.nan, sp.zoo, sp.oo, sp.re, sp.im, sp.arg, sp.Piecewise, sp.asin, sp.acos, sp.tan, sp.cot) or sp.count_ops(e) > 40


@given(TREES, TREES, st.lists(st.sampled_from(TEMPTING), max_size=2))
@settings(max_examples=250, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_numbers_bear_every_verdict_out(left: sp.Expr, right: sp.Expr, rules: list) -> None:
    if rules:
        right = left
        for rule in rules:
            right = rule(right)
    assume(not unreadable(left) and not unreadable(right))
    verdict = compare(left, right)
    _, different, alone = apart(left, right, 20)
    if verdict.answer is Answer.PROVED:
        assert different == alone == 0
    elif verdict.answer is Answer.REFUTED and verdict.witness is not None:
        names = {str(s): s for s in left.free_symbols | right.free_symbols}
        with mpmath.workdps(60):
            at = {names[name]: value(R(number), {}) for name, number in verdict.witness.point}
            assert abs(value(left, at) - value(right, at)) > mpmath.mpf(10) ** -40
    elif verdict.answer in (Answer.CONDITIONAL, Answer.ALMOST_EVERYWHERE) and not left.has(Abs, relu, step) and not right.has(Abs, relu, step, sp.sign):
        assert different == 0  # where both sides have values, and no kink is in the way
