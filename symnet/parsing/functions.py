"""The functions of plain maths, by NumPy's names: how each builds an index expression."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial, reduce

import sympy as sp
from sympy.core.parameters import distribute

from symnet.core.axes import Axis
from symnet.core.expressions import substitute
from symnet.core.functions import NAMED, Max, Min, absolute, ceiling, half_to_even, relu, step
from symnet.errors import ParseError, ShapeError, SymnetError
from symnet.indexing import composites
from symnet.indexing.arithmetic import count, elementwise, matmul, outer, reduce_sum
from symnet.indexing.composites import ENTRIES, AtOnce
from symnet.indexing.conditions import choose
from symnet.indexing.index_array import IndexArray, contract, new_indices, number
from symnet.indexing.numpy_ufuncs import NUMBERS
from symnet.parsing.function_call import Build, Call
from symnet.parsing.matrices import LARGEST, MATRICES


def _entrywise(function: Callable[..., sp.Expr], arity: int = 1) -> Build:
    return lambda call: elementwise(call.where, call.name, settled(function), *call.only(arity))


def settled(function: Callable[..., sp.Expr]) -> Callable[..., sp.Expr]:
    """SymPy writes tanh(-u) as -tanh(u), and back without end where a minus sign is not multiplied into a sum: tanh(-x w - v)."""
    def build(*args: sp.Expr) -> sp.Expr:
        if all(a.could_extract_minus_sign() and (-a).could_extract_minus_sign() for a in args):
            with distribute(True):
                return function(*args)
        return function(*args)
    return build


def _stated(form: Callable[[sp.Expr], sp.Expr]) -> Build:
    """A function of one argument by its formula."""
    return lambda call: elementwise(call.where, call.name, form, *call.only(1))


def maximum(u: sp.Expr, v: sp.Expr) -> sp.Expr:
    """max(u, v); with 0 it is relu, so that its kink follows relu's convention."""
    return relu(v) if u.is_zero else relu(u) if v.is_zero else Max(u, v)


def _sum(call: Call) -> IndexArray:
    (value,) = call.only(1)
    return reduce_sum(call.where, value, call.axis, call.keepdims)


def _mean(call: Call) -> IndexArray:
    (value,) = call.only(1)
    return AtOnce(call.where, call.name).mean(value, call.axis, call.keepdims)


def _no_formula(reason: str, instead: str) -> Build:
    """A function of NumPy's that is refused by name."""
    def build(call: Call) -> IndexArray:
        raise ParseError(call.where, f"{call.name}, {reason}", instead)
    return build


def _along_one(rule: Callable[..., IndexArray]) -> Build:
    """A rule along one axis, the last unless told."""
    def build(call: Call) -> IndexArray:
        (z,) = call.only(1)
        return rule(AtOnce(call.where, call.name), z, _last(call, z))
    return build


def _last(call: Call, z: IndexArray) -> int:
    if not z.axes:
        raise ShapeError(call.where, f"{call.name} of a single number", "a vector or a matrix")
    return -1 if call.axis is None else call.axis


def _norm(call: Call) -> IndexArray:
    (x,) = call.only(1)
    return composites.norm(AtOnce(call.where, call.name), x, call.axis, call.keepdims)


def _trace(call: Call) -> IndexArray:
    (a,) = call.only(1)
    if len(a.axes) != 2 or a.axes[0].range != a.axes[1].range:
        raise ShapeError(call.where, f"trace of shape {a.shape}", "a square matrix")
    return contract((a,), ("ii",), "", call.where)


def _outer(call: Call) -> IndexArray:
    a, b = call.only(2)
    if len(a.axes) != 1 or len(b.axes) != 1:
        raise ShapeError(call.where, f"outer of {a.shape} and {b.shape}", "two vectors")
    return outer(a, b)


def _dot(call: Call) -> IndexArray:
    a, b = call.only(2)
    return matmul(call.where, a, b)


def _variance(call: Call) -> IndexArray:
    """The mean square of what is left of the mean: NumPy's, which divides by the number of entries."""
    (x,) = call.only(1)
    m = AtOnce(call.where, call.name)
    return m.mean(m.map("square", m.map("sub", x, m.mean(x, call.axis, True))), call.axis, call.keepdims)


def _deviation(call: Call) -> IndexArray:
    return AtOnce(call.where, call.name).map("sqrt", _variance(call))


def _transpose(call: Call) -> IndexArray:
    return call.only(1)[0].transposed


def _clip(call: Call) -> IndexArray:
    return elementwise(call.where, call.name, lambda x, lo, hi: Min(Max(x, lo), hi), *call.only(3))


def _length(call: Call) -> IndexArray:
    (x,) = call.only(1)
    if not x.axes:
        raise ShapeError(call.where, f"{call.name} of a single number", "a vector or a matrix")
    return number(x.axes[0].size)


def _heaviside(call: Call) -> IndexArray:
    """0 below 0, 1 above it; at 0 the second argument, or 0 without one."""
    z, *at_zero = call.only(1, 2)
    if not at_zero or at_zero[0].expr.is_zero:
        return elementwise(call.where, call.name, step, z)
    return elementwise(call.where, call.name, lambda u, h: sp.Piecewise((1, u > 0), (h, sp.Eq(u, 0)), (0, True), evaluate=False),
                       z, at_zero[0])


def _reshape(call: Call) -> IndexArray:
    """Axes of size 1 put in or taken out: r.reshape(-1, 1). The order of the entries never changes here."""
    x, *sizes = call.only(2, 6)
    wanted = [s.expr for s in sizes]
    if any(s.axes for s in sizes) or not all(w.is_integer for w in wanted):
        raise ShapeError(call.where, f"{call.name} to what is no shape", "sizes, such as reshape(-1, 1)")
    kept = [(a, i) for a, i in zip(x.axes, x.indices, strict=True) if a.size != 1]
    long = [w for w in wanted if w != 1]
    if len(long) != len(kept) or any(w != -1 and sp.expand(w - a.size) != 0 for w, (a, _) in zip(long, kept, strict=False)) \
            or long.count(sp.S.NegativeOne) > 1:
        shape = ", ".join(map(str, wanted))
        raise ShapeError(call.where, f"{call.name} of {x.shape} to ({shape})", "axes of size 1 put in or taken out",
                         "x[:, None], or ravel(X)")
    ones = {i: a.lower for a, i in zip(x.axes, x.indices, strict=True) if a.size == 1}
    rest = iter(kept)
    parts = [(Axis.of(1), sp.Dummy("i", integer=True)) if w == 1 else next(rest) for w in wanted]
    return IndexArray.over(tuple(a for a, _ in parts), tuple(i for _, i in parts), substitute(x.expr, ones))


def _extremum(pick: Callable[[sp.Expr, sp.Expr], sp.Expr]) -> Build:
    """The larger or smaller of two numbers, entry by entry; max and min take more."""
    return lambda call: reduce(lambda a, b: elementwise(call.where, call.name, pick, a, b), call.only(2, 12 if len(call.name) == 3 else 2))


def _filled(number: int) -> Build:
    """ones(N), zeros(N, d)."""
    def build(call: Call) -> IndexArray:
        sizes = call.only(1, 3)
        if any(s.axes or not s.expr.is_integer or not s.expr.is_positive for s in sizes):
            raise ShapeError(call.where, f"{call.name} of {', '.join(str(s.expr) for s in sizes)}", "sizes, such as ones(N) or ones(N, d)")
        if any(s.expr.is_Integer and s.expr > LARGEST for s in sizes):
            raise ShapeError(call.where, f"{call.name} of a large size", f"at most {LARGEST}, or a name")
        axes = tuple(Axis.of(s.expr) for s in sizes)
        return IndexArray.over(axes, new_indices(axes), sp.Integer(number))
    return build


def _log_sum_exp(call: Call) -> IndexArray:
    (z,) = call.only(1)
    return composites.logsumexp(AtOnce(call.where, call.name), z, _last(call, z), call.keepdims)


def _in_context(call: Call) -> IndexArray:
    raise ParseError(call.where, f"{call.name} with {len(call.args)} arguments", "einsum('nd,n->d', X, r)" if call.name == "einsum" else
                     f"an array in plain maths, with an axis or without: {call.name}(X, axis=1)")


def _formula(rule: Callable[..., sp.Expr]) -> Build:
    """An activation by its one definition."""
    return _stated(lambda x: rule(ENTRIES, x))


FUNCTIONS: Mapping[str, Build] = {
    **{name: _entrywise(row.function, len(row.derivative)) for name, row in NAMED.items()},
    "sqrt": _entrywise(sp.sqrt), "abs": _entrywise(absolute), "square": _entrywise(lambda x: x**2),
    "log1p": _entrywise(lambda x: sp.log(1 + x)),
    "log2": _entrywise(lambda x: sp.log(x) / sp.log(2)), "log10": _entrywise(lambda x: sp.log(x) / sp.log(10)),
    "ceil": _stated(ceiling), "round": _stated(half_to_even), "rint": _stated(half_to_even),
    "Phi": _entrywise(lambda x: (1 + sp.erf(x / sp.sqrt(2))) / 2), "expm1": _stated(lambda x: sp.exp(x) - 1),
    "lg": _stated(lambda x: sp.log(x) / sp.log(10)), "cbrt": _stated(lambda x: sp.sign(x) * absolute(x) ** sp.Rational(1, 3)),
    "tan": _stated(lambda x: sp.sin(x) / sp.cos(x)), "cot": _stated(lambda x: sp.cos(x) / sp.sin(x)),
    "sec": _stated(lambda x: 1 / sp.cos(x)), "csc": _stated(lambda x: 1 / sp.sin(x)), "sech": _stated(lambda x: 1 / sp.cosh(x)),
    "csch": _stated(lambda x: 1 / sp.sinh(x)), "coth": _stated(lambda x: sp.cosh(x) / sp.sinh(x)),
    "silu": _formula(composites.silu), "swish": _formula(composites.silu), "gelu": _formula(composites.gelu),
    "mish": _formula(composites.mish), "logsigmoid": _formula(composites.log_sigmoid),
    "logsumexp": _log_sum_exp, "ones": _filled(1), "zeros": _filled(0),
    "maximum": _extremum(maximum), "max": _extremum(maximum),
    "minimum": _extremum(Min), "min": _extremum(Min), "clip": _clip,
    "softmax": _along_one(composites.softmax), "log_softmax": _along_one(composites.log_softmax),
    "sum": _sum, "mean": _mean, "average": _mean, "norm": _norm, "linalg.norm": _norm, "trace": _trace, "tr": _trace,
    "outer": _outer, "ger": _outer, "var": _variance, "std": _deviation,
    "dot": _dot, "matmul": _dot, "transpose": _transpose, **MATRICES,
    "len": _length, "size": lambda call: number(count(call.only(1)[0], None)), "hypot": _entrywise(lambda u, v: sp.sqrt(u**2 + v**2), 2),
    "Heaviside": _heaviside, "heaviside": _heaviside, "reshape": _reshape,
    **dict.fromkeys(("amax", "amin", "prod", "einsum", "tensordot", "swapaxes", "permute", "cumsum", "cumprod", "cummax", "cummin",
                     "cholesky", "linalg.cholesky", "take", "take_along_axis", "gather", "scatter_add"),
                    lambda call: _in_context(call)),
    **{name: _no_formula("whose value is a place, and has no slope", "max(X, axis=1), or the place as data: domain \"index\"")
       for name in ("argmax", "argmin", "argsort")},
    **{name: _no_formula("which puts entries in an order that depends on their values", "max, min or a sum")
       for name in ("sort", "median", "quantile", "percentile")},
    **{name: _no_formula("which has two values", "logabsdet(A), and sign(det(A)) for the sign") for name in ("slogdet", "linalg.slogdet")},
    **{name: _entrywise(partial(NUMBERS[name], ENTRIES))
       for name in ("arcsin", "arccos", "arcsinh", "arccosh", "arctanh", "exp2", "trunc")},
    **{name: _entrywise(partial(NUMBERS[name], ENTRIES), 2) for name in ("arctan2", "logaddexp", "fmod", "remainder")},
    "where": lambda call: elementwise(call.where, call.name, choose, *call.only(3)),
}


def built(call: Call) -> IndexArray:
    """The value of a call by its name."""
    try:
        return FUNCTIONS[call.name](call)
    except ValueError as error:
        if isinstance(error, SymnetError) or "not comparable" not in str(error):
            raise
        raise ParseError(call.where, f"a sum of numbers in {call.name}, which is not worked out", "the number itself") from None
