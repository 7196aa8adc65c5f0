"""The elementary functions of neural networks: derivative, domain, kink, stable form and LaTeX, one table row each.

SymPy's own ``exp``, ``log``, ``tanh``, … are used where they exist; ``sigmoid``, ``relu``, ``leaky_relu``, ``softplus``,
``step`` and ``stop_gradient`` are ours because SymPy has none (or expands them at once, which hides the textbook form).

Kinks follow PyTorch: relu'(0) = 0, leaky_relu'(0) = slope, sign(0) = 0, d|u|/du at 0 is 0. Where arguments of a maximum or
minimum tie, the first of them gets the derivative, as in torch.max along an axis and in pooling; so the arguments keep their order.
A norm, the root of a sum of squares, has the derivative 0 where it is 0, in compiled code.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass
from typing import Any

import sympy as sp


def simple(z: Any) -> bool:
    """True where asking for the sign is cheap: a number, a name or an entry. SymPy would evaluate anything else numerically."""
    return bool(z.is_Number or z.is_Symbol or isinstance(z, sp.Indexed))


def raised(u: Any) -> Any:
    """exp(u). SymPy's own rules, which ask much about signs, are left out where they have nothing to find."""
    plain = not u.is_Number and not u.has(sp.log, sp.I, sp.oo, sp.zoo, sp.nan)
    return sp.exp(u, evaluate=False) if plain else sp.exp(u)


def below(u: Any) -> Any:
    """1/u, left as it is."""
    return sp.Pow(u, -1, evaluate=False)


class sigmoid(sp.Function):  # type: ignore[misc]
    """sigmoid(z) = 1/(1 + exp(-z)), the logistic function. Derivative: sigmoid(z)(1 - sigmoid(z)).

    >>> sigmoid(0)
    1/2
    """

    nargs = 1
    is_real = True
    is_positive = True

    @classmethod
    def eval(cls, z: Any) -> Any:
        return sp.Rational(1, 2) if z == 0 else None

    def fdiff(self, argindex: int = 1) -> Any:
        return self * (1 - self)


class step(sp.Function):  # type: ignore[misc]
    """step(z) = 1 if z > 0 else 0: the Iverson bracket [z > 0], relu's derivative under the convention relu'(0) = 0.

    >>> step(0), step(3)
    (0, 1)
    """

    nargs = 1
    is_real = True
    is_nonnegative = True

    @classmethod
    def eval(cls, z: Any) -> Any:
        if not simple(z):
            return None
        if z.is_positive:
            return sp.S.One
        return sp.S.Zero if z.is_nonpositive else None

    def fdiff(self, argindex: int = 1) -> Any:
        return sp.S.Zero  # constant on each side; at the kink 0, by convention


class relu(sp.Function):  # type: ignore[misc]
    """relu(z) = max(z, 0). Derivative step(z): 1 for z > 0, 0 for z < 0 and, by convention, 0 at z = 0.

    >>> relu(-2), relu(5)
    (0, 5)
    """

    nargs = 1
    is_real = True
    is_nonnegative = True

    @classmethod
    def eval(cls, z: Any) -> Any:
        if not simple(z):
            return None
        if z.is_nonnegative:
            return z
        return sp.S.Zero if z.is_nonpositive else None

    def fdiff(self, argindex: int = 1) -> Any:
        return step(self.args[0])


class leaky_relu(sp.Function):  # type: ignore[misc]
    """leaky_relu(z, s) = z for z > 0, s z otherwise. Derivative in z: step(z) + s(1 - step(z)).

    >>> leaky_relu(-2, sp.Rational(1, 100))
    -1/50
    """

    nargs = 2
    is_real = True

    @classmethod
    def eval(cls, z: Any, slope: Any) -> Any:
        if not simple(z):
            return None
        if z.is_positive:
            return z
        return slope * z if z.is_nonpositive else None

    def fdiff(self, argindex: int = 1) -> Any:
        z, slope = self.args
        return step(z) + slope * (1 - step(z)) if argindex == 1 else z * (1 - step(z))


class softplus(sp.Function):  # type: ignore[misc]
    """softplus(z) = log(1 + exp(z)). Derivative: sigmoid(z).

    >>> softplus(0)
    log(2)
    """

    nargs = 1
    is_real = True
    is_positive = True

    @classmethod
    def eval(cls, z: Any) -> Any:
        return sp.log(2) if z == 0 else None

    def fdiff(self, argindex: int = 1) -> Any:
        return sigmoid(self.args[0])


class stop_gradient(sp.Function):  # type: ignore[misc]
    """stop_gradient(u) = u, a constant for derivatives: its slope is 0 whatever u is.

    JAX's ``lax.stop_gradient``, PyTorch's ``detach``. A straight-through estimator is z + stop_gradient(f(z) - z): the value of f(z),
    the slope of z (Bengio, Léonard & Courville 2013, section 4). What depends on no entry is a constant already.

    >>> u = sp.Symbol("u", real=True)
    >>> stop_gradient(stop_gradient(u)), stop_gradient(3), (u * stop_gradient(u)).diff(u)
    (stop_gradient(u), 3, stop_gradient(u))
    """

    nargs = 1

    @classmethod
    def eval(cls, u: Any) -> Any:
        return u if isinstance(u, cls) or u.is_number or (u.is_Symbol and u.is_integer) else None

    def fdiff(self, argindex: int = 1) -> Any:
        return sp.S.Zero

    def _eval_is_extended_real(self) -> Any:
        return self.args[0].is_extended_real

    def _eval_is_finite(self) -> Any:
        return self.args[0].is_finite

    def _eval_is_extended_positive(self) -> Any:
        return self.args[0].is_extended_positive

    def _eval_is_extended_negative(self) -> Any:
        return self.args[0].is_extended_negative

    def _eval_is_zero(self) -> Any:
        return self.args[0].is_zero

    def _eval_is_rational(self) -> Any:
        return self.args[0].is_rational

    def _eval_evalf(self, prec: int) -> Any:
        return self.args[0]._eval_evalf(prec)


def ceiling(u: Any) -> Any:
    """The smallest whole number that is not below u, -⌊-u⌋."""
    return -sp.floor(-u)


def half_to_even(u: Any) -> Any:
    """u rounded to a whole number, halves to the even one, as NumPy, PyTorch and JAX round.

    >>> [half_to_even(sp.Rational(n, 2)) for n in (-3, -1, 1, 3, 5)]
    [-2, 0, 0, 2, 2]
    """
    near = sp.floor(u + sp.Rational(1, 2))
    return sp.Piecewise((2 * sp.floor(near / 2), sp.Eq(near, u + sp.Rational(1, 2))), (near, True))


def without_stops(expr: sp.Basic) -> sp.Basic:
    """``expr`` with u for every stop_gradient(u): the same value, and the slope of that value."""
    return expr.replace(stop_gradient, lambda u: u) if expr.has(stop_gradient) else expr


def absolute(u: Any) -> Any:
    """|u|, of -u where u is mostly minus signs: SymPy never ends on Abs(x - y - 1) while it keeps -(…) as written.

    >>> x, y = sp.symbols("x y", real=True)
    >>> absolute(x - y - 1)
    Abs(-x + y + 1)
    """
    return sp.Abs(sp.Add(*[-t for t in u.args]) if u.is_Add and u.could_extract_minus_sign() else u)


def _in_order(function: Any, args: Any) -> Any:
    """max or min of ``args`` in their order: nested ones opened, repeated arguments and all numbers but the one that counts left out."""
    opened: dict[Any, None] = {}
    for arg in (sp.sympify(a, strict=True) for a in args):
        opened |= dict.fromkeys(arg.args if isinstance(arg, function.__mro__[1]) else (arg,))
    numbers = [a for a in opened if a.is_Number]
    counts = (max if issubclass(function, sp.Max) else min)(numbers) if numbers else None
    kept = [a for a in opened if not a.is_Number or a is counts]
    return kept[0] if len(kept) == 1 else sp.Expr.__new__(function, *kept)


def extremum_slope(node: Any, k: int) -> Any:
    """The derivative of a Max or Min in its argument k: 1 where that beats all before it and none behind it beats it, so that of
    those that tie the first gets it; else 0."""
    args = node.args

    def beats(a: Any, b: Any) -> Any:
        return step(a - b if isinstance(node, sp.Max) else b - a)

    before = [beats(args[k], node.func(*args[:k]))] if k else []
    behind = [1 - beats(node.func(*args[k + 1:]), args[k])] if k < len(args) - 1 else []
    return sp.Mul(*before, *behind)


class Max(sp.Max):  # type: ignore[misc]
    """SymPy's Max with its arguments in the order written: where two tie, the first gets the derivative.

    >>> x, y = sp.symbols("x y", real=True)
    >>> Max(y, x, 1, y, 2).args
    (y, x, 2)
    """

    def __new__(cls, *args: Any, **options: Any) -> Any:
        return _in_order(cls, args)

    def fdiff(self, argindex: int = 1) -> Any:
        return extremum_slope(self, argindex - 1)


class Min(sp.Min):  # type: ignore[misc]
    """SymPy's Min with its arguments in the order written; see Max."""

    def __new__(cls, *args: Any, **options: Any) -> Any:
        return _in_order(cls, args)

    def fdiff(self, argindex: int = 1) -> Any:
        return extremum_slope(self, argindex - 1)


Derivative = Callable[..., sp.Expr]


@dataclass(frozen=True, slots=True)
class Elementary:
    """One row: everything symnet knows of an elementary function.

    ``derivative[k](*args, value)`` is the partial derivative in argument k, given the node itself as ``value`` so that
    it can be written with it (sigmoid: value(1 - value)). ``kinks`` are the points of the first argument where the
    derivative follows the convention in ``convention`` (of stop_gradient, everywhere). ``in_exp`` rewrites to exp/log/step form,
    ``stable`` names the overflow-free NumPy form, ``latex`` is the operator, ``law`` the derivative rule in a sentence for beginners.
    """

    function: Any
    name: str
    latex: str
    derivative: tuple[Derivative, ...]
    domain: str = "real"
    kinks: tuple[int, ...] = ()
    convention: str = ""
    in_exp: Callable[..., sp.Expr] | None = None
    stable: str = ""
    law: str = ""


_HALF = sp.Rational(1, 2)
_KINK = "at the kink the derivative is taken as "

ROWS: tuple[Elementary, ...] = (
    Elementary(sigmoid, "sigmoid", r"\sigma", (lambda z, f: f * (1 - f),), in_exp=lambda z: below(1 + raised(-z)),
               stable="0.5*(1 + tanh(z/2))", law="the slope of a sigmoid is its value times one minus its value"),
    Elementary(sp.tanh, "tanh", r"\tanh", (lambda z, f: 1 - f**2,), in_exp=lambda z: 1 - 2 * below(raised(2 * z) + 1),
               stable="tanh(z)", law="the slope of tanh is one minus its value squared"),
    Elementary(relu, "relu", r"\operatorname{relu}", (lambda z, f: step(z),), kinks=(0,), convention=_KINK + "0",
               in_exp=lambda z: z * step(z), stable="maximum(z, 0)",
               law="relu has slope 1 where its input is positive, else 0"),
    Elementary(leaky_relu, "leaky_relu", r"\operatorname{leaky\_relu}",
               (lambda z, s, f: step(z) + s * (1 - step(z)), lambda z, s, f: z * (1 - step(z))), kinks=(0,),
               convention=_KINK + "the slope of the negative side", in_exp=lambda z, s: z * step(z) + s * z * (1 - step(z)),
               stable="where(z > 0, z, s*z)", law="leaky relu has slope 1 where its input is positive, else the small slope"),
    Elementary(step, "step", r"\operatorname{step}", (lambda z, f: sp.S.Zero,), kinks=(0,), convention="step(0) = 0",
               stable="(z > 0)", law="a step is flat on both sides, so its slope is 0"),
    Elementary(softplus, "softplus", r"\operatorname{softplus}", (lambda z, f: sigmoid(z),),
               in_exp=lambda z: sp.log(1 + raised(z)), stable="logaddexp(z, 0)", law="the slope of softplus is the sigmoid"),
    Elementary(sp.exp, "exp", r"\exp", (lambda z, f: f,), stable="exp(z)", law="the exponential is its own slope"),
    Elementary(sp.log, "log", r"\log", (lambda z, f: 1 / z,), domain="positive", stable="log(z)",
               law="the slope of log u is one over u"),
    Elementary(sp.sin, "sin", r"\sin", (lambda z, f: sp.cos(z),), stable="sin(z)", law="the slope of sine is cosine"),
    Elementary(sp.cos, "cos", r"\cos", (lambda z, f: -sp.sin(z),), stable="cos(z)", law="the slope of cosine is minus sine"),
    Elementary(sp.sinh, "sinh", r"\sinh", (lambda z, f: sp.cosh(z),), in_exp=lambda z: (raised(z) - raised(-z)) / 2,
               stable="sinh(z)", law="the slope of sinh is cosh"),
    Elementary(sp.cosh, "cosh", r"\cosh", (lambda z, f: sp.sinh(z),), in_exp=lambda z: (raised(z) + raised(-z)) / 2,
               stable="cosh(z)", law="the slope of cosh is sinh"),
    Elementary(sp.atan, "arctan", r"\arctan", (lambda z, f: 1 / (1 + z**2),), stable="arctan(z)",
               law="the slope of arctan u is one over one plus u squared"),
    Elementary(sp.erf, "erf", r"\operatorname{erf}", (lambda z, f: 2 * sp.exp(-(z**2)) / sp.sqrt(sp.pi),), stable="erf(z)",
               law="the slope of erf is the bell curve 2 exp(-u²)/√π"),
    Elementary(sp.Abs, "abs", r"\operatorname{abs}", (lambda z, f: sp.sign(z),), kinks=(0,), convention=_KINK + "0",
               in_exp=lambda z: z * (2 * step(z) - 1), stable="abs(z)", law="the slope of |u| is the sign of u"),
    Elementary(sp.sign, "sign", r"\operatorname{sign}", (lambda z, f: sp.S.Zero,), kinks=(0,), convention="sign(0) = 0",
               stable="sign(z)", law="a sign is flat on both sides, so its slope is 0"),
    Elementary(sp.floor, "floor", r"\operatorname{floor}", (lambda z, f: sp.S.Zero,), kinks=(0,),
               convention="at a whole number the derivative is taken as 0", stable="floor(z)",
               law="between whole numbers the floor is flat, so its slope is 0"),
    Elementary(Max, "maximum", r"\max", (lambda u, v, f: extremum_slope(f, 0), lambda u, v, f: extremum_slope(f, 1)), kinks=(0,),
               convention="where arguments are equal the first of them gets the derivative", stable="maximum(u, v)",
               law="the larger argument passes its slope on, the other gets 0"),
    Elementary(Min, "minimum", r"\min", (lambda u, v, f: extremum_slope(f, 0), lambda u, v, f: extremum_slope(f, 1)), kinks=(0,),
               convention="where arguments are equal the first of them gets the derivative", stable="minimum(u, v)",
               law="the smaller argument passes its slope on, the other gets 0"),
    Elementary(stop_gradient, "stop_gradient", r"\operatorname{sg}", (lambda u, f: sp.S.Zero,),
               convention="what stands inside counts as a constant when derivatives are taken", in_exp=lambda u: u, stable="u",
               law="a stop-gradient passes the value on and no slope"),
)

NORM = "norm: where a sum of squares is 0 the derivative of its root is taken as 0"

TABLE: dict[Any, Elementary] = {row.function: row for row in ROWS}
TABLE |= {sp.Max: TABLE[Max], sp.Min: TABLE[Min]}  # as a user's own SymPy expression has them
BY_NAME: dict[str, Elementary] = {row.name: row for row in ROWS}


def sum_of_squares(expr: sp.Expr, named: Container[str] = ()) -> bool:
    """True for what is a sum of squares (even powers, powers of |f|) with positive weights, so that it is 0 only where each f is 0.

    ``named`` are names that stand for such sums.

    >>> x, y = sp.symbols("x y", real=True)
    >>> sum_of_squares(x**2 + 3*y**4), sum_of_squares(x**2 + 1)
    (True, False)
    """
    if isinstance(expr, (sp.Indexed, sp.Symbol)):
        return str(expr.base.label if isinstance(expr, sp.Indexed) else expr.name) in named
    if isinstance(expr, sp.Sum):
        return sum_of_squares(expr.function, named)
    if isinstance(expr, sp.Add):
        return all(sum_of_squares(a, named) for a in expr.args)
    if isinstance(expr, sp.Mul):
        rest = [f for f in expr.args if not (simple(f.as_base_exp()[0]) and f.is_positive)]
        return bool(rest) and all(sum_of_squares(f, named) for f in rest)
    if isinstance(expr, sp.Pow):
        even = expr.exp.is_Integer and expr.exp.is_even and expr.exp > 0
        return bool(even or (isinstance(expr.base, sp.Abs) and expr.exp.is_positive) or
                    (expr.exp.is_positive and sum_of_squares(expr.base, named) and expr.exp.is_Integer))
    return False


def conventions(expr: sp.Basic, squares: Container[str] = ()) -> tuple[str, ...]:
    """The conventions that ``expr`` relies on, at kinks and for stop-gradients, one sentence each, in table order; ``squares`` are
    names of sums of squares."""
    used = {type(node) for node in sp.preorder_traversal(expr)}
    borders = ("cases: on a border the derivative is that of the branch that holds there",) if sp.Piecewise in used else ()
    norms = (NORM,) if any(p.exp.is_Rational and 0 < p.exp < 1 and sum_of_squares(p.base, squares) for p in expr.atoms(sp.Pow)) else ()
    return (*(f"{row.name}: {row.convention}" for row in ROWS if row.convention and row.function in used), *norms, *borders)
