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

import mpmath
import sympy as sp
from sympy.codegen.cfunctions import log1p

from symnet.core.sympy_methods import Meaning, teach


def simple(z: Any) -> bool:
    """True where asking for the sign is cheap: a number, a name or an entry. SymPy would evaluate anything else numerically."""
    return bool(z.is_Number or z.is_Symbol or isinstance(z, sp.Indexed))


def sign_of(z: Any) -> bool | None:
    """True where z > 0, False where z <= 0, None where that is not seen at once."""
    if z.is_Number:
        return None if z is sp.nan else bool(z > 0)
    if not simple(z) or z.is_Dummy:  # SymPy solves equations with dummies that it takes for positive, and forgets the other half
        return None
    return True if z.is_positive else False if z.is_nonpositive else None


def raised(u: Any) -> Any:
    """exp(u). SymPy's own rules, which ask much about signs, are left out where they have nothing to find."""
    plain = not u.is_Number and not u.has(sp.log, sp.I, sp.oo, sp.zoo, sp.nan)
    return sp.exp(u, evaluate=False) if plain else sp.exp(u)


def below(u: Any) -> Any:
    """1/u, left as it is."""
    return sp.Pow(u, -1, evaluate=False)


_NO_NUMBER = {sp.nan: sp.nan, sp.zoo: sp.nan}
AT_THE_ENDS = {"sigmoid": {sp.oo: sp.S.One, -sp.oo: sp.S.Zero, **_NO_NUMBER}, "softplus": {sp.oo: sp.oo, -sp.oo: sp.S.Zero, **_NO_NUMBER}}


class logit(sp.Function):  # type: ignore[misc]
    """logit(y) = log(y/(1 - y)), written out at once: what sigmoid takes to y.

    >>> logit(sp.Rational(1, 4))
    -log(3)
    """

    nargs = 1

    @classmethod
    def eval(cls, y: Any) -> Any:
        return sp.log(y / (1 - y))


class sigmoid(sp.Function):  # type: ignore[misc]
    """sigmoid(z) = 1/(1 + exp(-z)), the logistic function. Derivative: sigmoid(z)(1 - sigmoid(z)).

    >>> z = sp.Symbol("z", real=True)
    >>> sigmoid(0), sigmoid(z).rewrite(sp.exp), sp.limit(sigmoid(z), z, sp.oo)
    (1/2, 1/(1 + exp(-z)), 1)
    """

    nargs = 1

    @classmethod
    def eval(cls, z: Any) -> Any:
        if z == 0:
            return sp.S.Half
        return AT_THE_ENDS[cls.__name__].get(z) if z.is_Number or z is sp.zoo else None

    def fdiff(self, argindex: int = 1) -> Any:
        return self * (1 - self)

    def inverse(self, argindex: int = 1) -> Any:
        return logit

    def _eval_is_extended_real(self) -> Any:
        return self.args[0].is_extended_real or None

    _eval_is_real = _eval_is_finite = _eval_is_nonnegative = _eval_is_extended_real

    def _eval_is_positive(self) -> Any:
        return self.args[0].is_real or None

    def _eval_conjugate(self) -> Any:
        return self.func(self.args[0].conjugate())

    def as_real_imag(self, deep: bool = True, **hints: Any) -> tuple[Any, Any]:
        if self.args[0].is_extended_real:
            return self, sp.S.Zero
        x, y = self.args[0].as_real_imag(deep, **hints)
        below = 2 * (sp.cosh(x) + sp.cos(y))
        return sp.S.Half + sp.sinh(x) / below, sp.sin(y) / below


class step(sp.Function):  # type: ignore[misc]
    """step(z) = 1 if z > 0 else 0: the Iverson bracket [z > 0], relu's derivative under the convention relu'(0) = 0.

    What relu lets through is positive where what goes in is: step(relu(z)) is step(z).

    >>> step(0), step(3), step(relu(sp.Symbol("z", real=True)))
    (0, 1, step(z))
    """

    nargs = 1

    @classmethod
    def eval(cls, z: Any) -> Any:
        if z is sp.nan or z is sp.zoo:
            return sp.nan
        if isinstance(z, relu):
            return cls(z.args[0])
        positive = sign_of(z)
        return None if positive is None else sp.Integer(positive)

    def fdiff(self, argindex: int = 1) -> Any:
        return sp.S.Zero  # constant on each side; at the kink 0, by convention

    def _eval_is_real(self) -> Any:
        return self.args[0].is_extended_real or None

    _eval_is_extended_real = _eval_is_finite = _eval_is_rational = _eval_is_nonnegative = _eval_is_real

    def _eval_is_positive(self) -> Any:
        return self.args[0].is_extended_positive

    def _eval_is_zero(self) -> Any:
        return self.args[0].is_extended_nonpositive


class relu(sp.Function):  # type: ignore[misc]
    """relu(z) = max(z, 0). Derivative step(z): 1 for z > 0, 0 for z < 0 and, by convention, 0 at z = 0.

    >>> z = sp.Symbol("z", real=True)
    >>> relu(-2), relu(5), relu(z).rewrite(sp.Max), sp.integrate(relu(z), (z, -1, 2))
    (0, 5, Max(0, z), 2)
    """

    nargs = 1

    @classmethod
    def eval(cls, z: Any) -> Any:
        if z is sp.nan or z is sp.zoo:
            return sp.nan
        positive = sign_of(z)
        if positive is None:
            return z if simple(z) and z.is_nonnegative and not z.is_Dummy else None
        return z if positive else sp.S.Zero

    def fdiff(self, argindex: int = 1) -> Any:
        return step(self.args[0])

    def _eval_is_extended_real(self) -> Any:
        return self.args[0].is_extended_real or None

    _eval_is_extended_nonnegative = _eval_is_extended_real

    def _eval_is_real(self) -> Any:
        return self.args[0].is_real or None

    _eval_is_nonnegative = _eval_is_real

    def _eval_is_integer(self) -> Any:
        return self.args[0].is_integer or None

    def _eval_is_rational(self) -> Any:
        return self.args[0].is_rational or None

    def _eval_is_extended_positive(self) -> Any:
        return self.args[0].is_extended_positive

    def _eval_is_zero(self) -> Any:
        return self.args[0].is_extended_nonpositive


class leaky_relu(sp.Function):  # type: ignore[misc]
    """leaky_relu(z, s) = z for z > 0, s z otherwise. Derivative in z: step(z) + s(1 - step(z)).

    >>> leaky_relu(-2, sp.Rational(1, 100))
    -1/50
    """

    nargs = 2

    @classmethod
    def eval(cls, z: Any, slope: Any) -> Any:
        if z is sp.nan or z is sp.zoo:
            return sp.nan
        positive = sign_of(z)
        if positive is None:
            return None
        return z if positive else slope * z

    def fdiff(self, argindex: int = 1) -> Any:
        z, slope = self.args
        return step(z) + slope * (1 - step(z)) if argindex == 1 else z * (1 - step(z))

    def _eval_is_real(self) -> Any:
        return all(a.is_real for a in self.args) or None

    def _eval_is_extended_positive(self) -> Any:
        z, slope = self.args
        if z.is_extended_positive:
            return True
        return (slope * z).is_extended_positive if z.is_extended_nonpositive else None

    def _eval_is_zero(self) -> Any:
        z, slope = self.args
        if z.is_extended_nonpositive:
            return (slope * z).is_zero
        return False if z.is_extended_positive else None


class inverse_softplus(sp.Function):  # type: ignore[misc]
    """inverse_softplus(y) = log(exp(y) - 1), written out at once: what softplus takes to y.

    >>> inverse_softplus(sp.log(3))
    log(2)
    """

    nargs = 1

    @classmethod
    def eval(cls, y: Any) -> Any:
        return sp.log(sp.exp(y) - 1)


class softplus(sp.Function):  # type: ignore[misc]
    """softplus(z) = log(1 + exp(z)). Derivative: sigmoid(z).

    >>> z = sp.Symbol("z", real=True)
    >>> softplus(0), softplus(-1000).evalf(3), sp.limit(softplus(z) - z, z, sp.oo)
    (log(2), 5.08e-435, 0)
    """

    nargs = 1

    @classmethod
    def eval(cls, z: Any) -> Any:
        if z == 0:
            return sp.log(2)
        return AT_THE_ENDS[cls.__name__].get(z) if z.is_Number or z is sp.zoo else None

    def fdiff(self, argindex: int = 1) -> Any:
        return sigmoid(self.args[0])

    def inverse(self, argindex: int = 1) -> Any:
        return inverse_softplus

    def _eval_is_extended_real(self) -> Any:
        return self.args[0].is_extended_real or None

    _eval_is_extended_nonnegative = _eval_is_extended_real

    def _eval_is_real(self) -> Any:
        return self.args[0].is_real or None

    _eval_is_positive = _eval_is_real


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

    def _eval_is_integer(self) -> Any:
        return self.args[0].is_integer

    def _eval_conjugate(self) -> Any:
        return self.func(self.args[0].conjugate())


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


def _pair(node: Any, a: Any, b: Any) -> tuple[Any, Any]:
    """(left, right) where "a beats b" says left > right."""
    return (a, b) if isinstance(node, sp.Max) else (b, a)


def extremum_tests(node: Any) -> list[tuple[Any, Any]]:
    """The pairs (left, right) of a Max or Min of whose differences its slopes take steps: each argument and all before it, all behind
    an argument and that."""
    args = node.args
    pairs = [_pair(node, args[k], node.func(*args[:k])) for k in range(1, len(args))]
    return list(dict.fromkeys(pairs + [_pair(node, node.func(*args[k + 1:]), args[k]) for k in range(len(args) - 1)]))


def extremum_slope(node: Any, k: int) -> Any:
    """The derivative of a Max or Min in its argument k: 1 where that beats all before it and none behind it beats it, so that of
    those that tie the first gets it; else 0."""
    args = node.args

    def beats(a: Any, b: Any) -> Any:
        left, right = _pair(node, a, b)
        return step(left - right)

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
    ``latex`` is the operator, ``law`` the derivative rule in a sentence for beginners. ``meaning`` is what SymPy is told of a function
    that is not its own: the same in its functions, and the code of its printers. ``also`` are its other names, in text and frameworks.
    """

    function: Any
    name: str
    latex: str
    derivative: tuple[Derivative, ...]
    domain: str = "real"
    kinks: tuple[int, ...] = ()
    convention: str = ""
    in_exp: Callable[..., sp.Expr] | None = None
    law: str = ""
    meaning: Meaning | None = None
    also: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """All its names."""
        return self.name, *self.also


_KINK = "at the kink the derivative is taken as "
_ZERO = sp.Float(0)  # a float, for languages that keep whole numbers apart

SIGMOID = Meaning(
    (lambda z: 1 / (1 + sp.exp(-z)),),
    code=lambda z: 1 / (1 + sp.exp(-z)),
    ends=(lambda z: 1 / (1 + sp.exp(-z)), lambda z: sp.exp(z) / (1 + sp.exp(z))),
    number=lambda z: 1 / (1 + mpmath.exp(-z)),
    rewrites={sp.exp: lambda z: 1 / (1 + sp.exp(-z)), sp.tanh: lambda z: (1 + sp.tanh(z / 2)) / 2},
    calls=dict.fromkeys(("_pythoncode", "_lambdacode"), "(math.exp(min({0}, 0))/(1 + math.exp(-abs({0}))))") | {
        "_numpycode": "(numpy.exp(numpy.minimum({0}, 0))/(1 + numpy.exp(numpy.copysign({0}, -1))))",
        "scipy": "scipy.special.expit({})", "_jaxcode": "jax.nn.sigmoid({})", "_torchcode": "torch.sigmoid({})",
        "_tensorflowcode": "tensorflow.math.sigmoid({})", "_mcode": "LogisticSigmoid[{}]",
        "_julia": "(1 ./ (1 .+ exp.(-{})))"})

RELU = Meaning(
    (lambda z: z, lambda z: sp.S.Zero),
    code=lambda z: sp.Max(z, _ZERO),
    rewrites={sp.Max: lambda z: sp.Max(z, 0), sp.Heaviside: lambda z: z * sp.Heaviside(z, 0), sp.Abs: lambda z: (z + sp.Abs(z)) / 2},
    calls={"_mpmathcode": "max({}, 0)", "_numpycode": "numpy.maximum({}, 0)", "_jaxcode": "jax.nn.relu({})", "_torchcode": "torch.relu({})",
           "_tensorflowcode": "tensorflow.nn.relu({})", "_numexprcode": "where({0} > 0, {0}, 0)", "_julia": "max.({}, 0)",
           "_rust_code": "{}.max(0.0)", "_rcode": "pmax({}, 0)", "_glsl": "max({}, 0.0)", "_mcode": "Max[{}, 0]", "_maple": "max({}, 0)"})

LEAKY_RELU = Meaning(
    (lambda z, s: z, lambda z, s: s * z),
    code=lambda z, s: sp.Max(z, _ZERO) + s * sp.Min(z, _ZERO),
    rewrites={sp.Max: lambda z, s: sp.Max(z, 0) + s * sp.Min(z, 0),
              sp.Heaviside: lambda z, s: z * sp.Heaviside(z, 0) + s * z * (1 - sp.Heaviside(z, 0)),
              sp.Abs: lambda z, s: (z + sp.Abs(z)) / 2 + s * (z - sp.Abs(z)) / 2},
    calls=dict.fromkeys(("_pythoncode", "_lambdacode", "_mpmathcode"), "(max({0}, 0) + {1}*min({0}, 0))") | {
        "_numpycode": "(numpy.maximum({0}, 0) + {1}*numpy.minimum({0}, 0))", "_jaxcode": "jax.numpy.where({0} > 0, {0}, {1}*{0})",
        "_torchcode": "torch.where({0} > 0, {0}, {1}*{0})", "_tensorflowcode": "tensorflow.where({0} > 0, {0}, {1}*{0})",
        "_numexprcode": "where({0} > 0, {0}, {1}*{0})", "_julia": "(max.({0}, 0) + {1} .* min.({0}, 0))",
        "_rust_code": "({0}.max(0.0) + {1}*{0}.min(0.0))", "_rcode": "(pmax({0}, 0) + {1}*pmin({0}, 0))",
        "_glsl": "(max({0}, 0.0) + {1}*min({0}, 0.0))", "_mcode": "(Max[{0}, 0] + {1}*Min[{0}, 0])",
        "_maple": "(max({0}, 0) + {1}*min({0}, 0))"})

STEP = Meaning(
    (lambda z: sp.S.One, lambda z: sp.S.Zero),
    rewrites={sp.Heaviside: lambda z: sp.Heaviside(z, 0)},
    calls={"_numpycode": "numpy.heaviside({}, 0)", "_jaxcode": "jax.numpy.heaviside({}, 0)",
           "_torchcode": "({0} > 0).to({0}.dtype)", "_tensorflowcode": "tensorflow.cast({0} > 0, {0}.dtype)",
           "_fcode": "merge(1.0d0, 0.0d0, {} > 0)", "_julia": "({} .> 0)", "_rust_code": "(if {} > 0.0 { 1.0_f64 } else { 0.0 })",
           "_glsl": "(({} > 0.0) ? 1.0 : 0.0)",
           "_mcode": "Boole[{} > 0]", "_maple": "piecewise({} > 0, 1, 0)"})

SOFTPLUS = Meaning(
    (lambda z: sp.log(1 + sp.exp(z)),),
    code=lambda z: sp.Max(z, _ZERO) + log1p(sp.exp(-sp.Abs(z))),
    ends=(lambda z: z + sp.log(1 + sp.exp(-z)), lambda z: sp.log(1 + sp.exp(z))),
    number=lambda z: mpmath.log1p(mpmath.exp(z)),
    antiderivative=lambda z: sp.oo if z == sp.oo else -sp.polylog(2, -sp.exp(z)),
    rewrites=dict.fromkeys((sp.exp, sp.log), lambda z: sp.log(1 + sp.exp(z))),
    calls=dict.fromkeys(("_pythoncode", "_lambdacode"), "(max({0}, 0) + math.log1p(math.exp(-abs({0}))))") | {
        "_mpmathcode": "mpmath.log1p(mpmath.exp({}))", "_numpycode": "numpy.logaddexp({}, 0)", "_jaxcode": "jax.numpy.logaddexp({}, 0)",
        "_torchcode": "(-torch.nn.functional.logsigmoid(-{}))", "_tensorflowcode": "tensorflow.math.softplus({})",
        "_numexprcode": "(where({0} > 0, {0}, 0) + log1p(exp(-abs({0}))))", "_julia": "(max.({0}, 0) + log1p.(exp.(-abs.({0}))))",
        "_octave": "(max({0}, 0) + log1p(exp(-abs({0}))))", "_javascript": "(Math.max({0}, 0) + Math.log1p(Math.exp(-Math.abs({0}))))",
        "_rcode": "(pmax({0}, 0) + log1p(exp(-abs({0}))))", "_rust_code": "({0}.max(0.0) + (-{0}.abs()).exp().ln_1p())",
        "_glsl": "(max({0}, 0.0) + log(1.0 + exp(-abs({0}))))"})

STOP_GRADIENT = Meaning(
    (lambda u: u,),
    calls={"_jaxcode": "jax.lax.stop_gradient({})", "_torchcode": "{}.detach()", "_tensorflowcode": "tensorflow.stop_gradient({})"})

MAX, MIN = (Meaning(calls={
    "_torchcode": f"torch.where(({{0}} {sign} {{1}}) | ({{0}} != {{0}}), {{0}}, {{1}})",
    "_tensorflowcode": f"tensorflow.math.{name}imum({{0}}, {{1}})", "_cxxcode": f"std::{name}({{0}}, {{1}})",
    "_rcode": f"p{name}({{0}}, {{1}})", "_julia": f"{name}.({{0}}, {{1}})", **dict.fromkeys(("_fcode", "_glsl"), f"{name}({{0}}, {{1}})")})
    for name, sign in (("max", ">="), ("min", "<=")))

ROWS: tuple[Elementary, ...] = (
    Elementary(sigmoid, "sigmoid", r"\sigma", (lambda z, f: f * (1 - f),), in_exp=lambda z: below(1 + raised(-z)),
               law="the slope of a sigmoid is its value times one minus its value", meaning=SIGMOID, also=("sigma", "expit", "logistic")),
    Elementary(sp.tanh, "tanh", r"\tanh", (lambda z, f: 1 - f**2,), in_exp=lambda z: 1 - 2 * below(raised(2 * z) + 1),
               law="the slope of tanh is one minus its value squared"),
    Elementary(relu, "relu", r"\operatorname{relu}", (lambda z, f: step(z),), kinks=(0,), convention=_KINK + "0",
               in_exp=lambda z: z * step(z), law="relu has slope 1 where its input is positive, else 0", meaning=RELU, also=("ReLU",)),
    Elementary(leaky_relu, "leaky_relu", r"\operatorname{leaky\_relu}",
               (lambda z, s, f: step(z) + s * (1 - step(z)), lambda z, s, f: z * (1 - step(z))), kinks=(0,),
               convention=_KINK + "the slope of the negative side", in_exp=lambda z, s: z * step(z) + s * z * (1 - step(z)),
               law="leaky relu has slope 1 where its input is positive, else the small slope", meaning=LEAKY_RELU),
    Elementary(step, "step", r"\operatorname{step}", (lambda z, f: sp.S.Zero,), kinks=(0,), convention="step(0) = 0",
               law="a step is flat on both sides, so its slope is 0", meaning=STEP),
    Elementary(softplus, "softplus", r"\operatorname{softplus}", (lambda z, f: sigmoid(z),),
               in_exp=lambda z: sp.log(1 + raised(z)), law="the slope of softplus is the sigmoid", meaning=SOFTPLUS),
    Elementary(sp.exp, "exp", r"\exp", (lambda z, f: f,), law="the exponential is its own slope"),
    Elementary(sp.log, "log", r"\log", (lambda z, f: 1 / z,), domain="positive", law="the slope of log u is one over u",
               also=("ln",)),
    Elementary(sp.sin, "sin", r"\sin", (lambda z, f: sp.cos(z),), law="the slope of sine is cosine"),
    Elementary(sp.cos, "cos", r"\cos", (lambda z, f: -sp.sin(z),), law="the slope of cosine is minus sine"),
    Elementary(sp.sinh, "sinh", r"\sinh", (lambda z, f: sp.cosh(z),), in_exp=lambda z: (raised(z) - raised(-z)) / 2,
               law="the slope of sinh is cosh"),
    Elementary(sp.cosh, "cosh", r"\cosh", (lambda z, f: sp.sinh(z),), in_exp=lambda z: (raised(z) + raised(-z)) / 2,
               law="the slope of cosh is sinh"),
    Elementary(sp.atan, "arctan", r"\arctan", (lambda z, f: 1 / (1 + z**2),), law="the slope of arctan u is one over one plus u squared",
               also=("atan",)),
    Elementary(sp.erf, "erf", r"\operatorname{erf}", (lambda z, f: 2 * sp.exp(-(z**2)) / sp.sqrt(sp.pi),),
               law="the slope of erf is the bell curve 2 exp(-u²)/√π"),
    Elementary(sp.Abs, "abs", r"\operatorname{abs}", (lambda z, f: sp.sign(z),), kinks=(0,), convention=_KINK + "0",
               in_exp=lambda z: z * (2 * step(z) - 1), law="the slope of |u| is the sign of u"),
    Elementary(sp.sign, "sign", r"\operatorname{sign}", (lambda z, f: sp.S.Zero,), kinks=(0,), convention="sign(0) = 0",
               law="a sign is flat on both sides, so its slope is 0", also=("sgn",)),
    Elementary(sp.floor, "floor", r"\operatorname{floor}", (lambda z, f: sp.S.Zero,), kinks=(0,),
               convention="at a whole number the derivative is taken as 0",
               law="between whole numbers the floor is flat, so its slope is 0"),
    Elementary(Max, "maximum", r"\max", (lambda u, v, f: extremum_slope(f, 0), lambda u, v, f: extremum_slope(f, 1)), kinks=(0,),
               convention="where arguments are equal the first of them gets the derivative",
               law="the larger argument passes its slope on, the other gets 0", meaning=MAX),
    Elementary(Min, "minimum", r"\min", (lambda u, v, f: extremum_slope(f, 0), lambda u, v, f: extremum_slope(f, 1)), kinks=(0,),
               convention="where arguments are equal the first of them gets the derivative",
               law="the smaller argument passes its slope on, the other gets 0", meaning=MIN),
    Elementary(stop_gradient, "stop_gradient", r"\operatorname{sg}", (lambda u, f: sp.S.Zero,),
               convention="what stands inside counts as a constant when derivatives are taken", in_exp=lambda u: u,
               law="a stop-gradient passes the value on and no slope", meaning=STOP_GRADIENT,
               also=("stopgradient", "stop_grad", "stopgrad", "StopGradient", "detach", "sg")),  # JAX's, PyTorch's and the papers'
)

for _row in ROWS:
    if _row.meaning is not None:
        teach(_row.function, _row.latex, _row.meaning)

NORM = "norm: where a sum of squares is 0 the derivative of its root is taken as 0"

TABLE: dict[Any, Elementary] = {row.function: row for row in ROWS}
TABLE |= {sp.Max: TABLE[Max], sp.Min: TABLE[Min]}  # as a user's own SymPy expression has them
BY_NAME: dict[str, Elementary] = {row.name: row for row in ROWS}
NAMED: dict[str, Elementary] = {name: row for row in ROWS for name in row.names}


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
    used: set[type] = set()
    roots: list[sp.Pow] = []
    stack = [expr]
    while stack:
        node = stack.pop()
        kind = type(node)
        used.add(kind)
        if kind is sp.Pow and node.exp.is_Rational and 0 < node.exp < 1:
            roots.append(node)
        stack.extend(node.args)
    borders = ("cases: on a border the derivative is that of the branch that holds there",) if sp.Piecewise in used else ()
    norms = (NORM,) if any(sum_of_squares(p.base, squares) for p in roots) else ()
    return (*(f"{row.name}: {row.convention}" for row in ROWS if row.convention and row.function in used), *norms, *borders)
