"""The same programs built from core nouns, as another program would build them: Tensor, Axis, Definition and plain SymPy."""

from __future__ import annotations

from typing import Any

import sympy as sp
from laws import spelling
from laws.language import Apply, Choice, Count, Entry, Expr, Held, Line, Number, Op, Place, Power, Source, Total

import symnet as sn
from symnet.core import functions as f
from symnet.core.axes import Axis, index, size
from symnet.core.program import Definition, Program
from symnet.core.tensors import Role, Tensor

FUNCTIONS: dict[str, Any] = {
    "exp": sp.exp, "log": sp.log, "sqrt": sp.sqrt, "tanh": sp.tanh, "sin": sp.sin, "cos": sp.cos, "sinh": sp.sinh, "cosh": sp.cosh,
    "arctan": sp.atan, "erf": sp.erf, "abs": sp.Abs, "sigmoid": f.sigmoid, "relu": f.relu, "softplus": f.softplus, "maximum": sp.Max,
    "minimum": sp.Min, "max": sp.Max, "min": sp.Min, "square": lambda z: z**2, "leaky": lambda z: f.leaky_relu(z, sp.Rational(1, 10)),
    "silu": lambda z: z * f.sigmoid(z), "log1p": lambda z: sp.log(1 + z), "expm1": lambda z: sp.exp(z) - 1, "sign": sp.sign,
    "clip": lambda z, lo, hi: sp.Min(sp.Max(z, lo), hi),
}
COMPARE = {"<=": sp.Le, "<": sp.Lt, "==": sp.Eq, ">=": sp.Ge, ">": sp.Gt}


def place(p: Place, sizes: tuple[str, ...]) -> sp.Expr:
    """An index expression."""
    total: sp.Expr = sp.Integer(p.const)
    for name, c in p.terms:
        total += c * (size(name) if name in sizes else index(name))
    return total


def expr(node: Expr, tensors: dict[str, Tensor], sizes: tuple[str, ...]) -> sp.Expr:
    """The SymPy expression, built with SymPy's own operators."""
    def go(n: Expr) -> sp.Expr:
        return expr(n, tensors, sizes)

    match node:
        case Number(v):
            return sp.Rational(v.numerator, v.denominator)
        case Count(p):
            return place(p, sizes)
        case Entry(name, places):
            return tensors[name][tuple(place(p, sizes) for p in places)]
        case Total(body, over):
            return sp.Sum(go(body), *reversed([(index(x), place(lo, sizes), place(hi, sizes)) for x, lo, hi in over]))
        case Op(sign, a, b):
            x, y = go(a), go(b)
            return x + y if sign == "+" else x - y if sign == "-" else x * y if sign == "*" else x / y
        case Power(base, by):
            return go(base) ** by
        case Apply(name, args):
            return FUNCTIONS[name](*map(go, args))
        case Choice(sign, a, b, yes, no):
            return sp.Piecewise((go(yes), COMPARE[sign](go(a), go(b))), (go(no), True))
        case _:
            raise TypeError(node)


def _axis(name: str, axes: tuple[Any, ...], sizes: tuple[str, ...]) -> tuple[Axis, ...]:
    return tuple(Axis.of(place(a.last, sizes)) if a.first == 1 else Axis(spelling.place(a.last), sp.Integer(a.first), place(a.last, sizes)) for a in axes)


def _line(line: Line, tensors: dict[str, Tensor], sizes: tuple[str, ...]) -> Definition:
    ranges = tuple((index(x), place(lo, sizes), place(hi, sizes)) for x, lo, hi in line.over)
    return Definition(tensors[line.name], tuple(place(p, sizes) for p in line.places), expr(line.expr, tensors, sizes), ranges)


def buildable(source: Source) -> bool:
    """Brackets have no public spelling in SymPy terms; such programs are built from text alone."""
    from laws.language import walk

    return not any(isinstance(n, Held) for line in source.lines for n in walk(line.expr))


def build(source: Source) -> Program:
    """The Program from nouns."""
    tensors = {name: Tensor(name, _axis(name, axes, source.sizes), "positive" if name in source.positive else "real",
                            Role.INPUT if name in source.inputs else Role.INTERMEDIATE) for name, axes in source.shapes.items()}
    return Program(tuple(tensors[n] for n in source.inputs), tuple(_line(one, tensors, source.sizes) for one in source.lines), source.objective)


def read(source: Source) -> Program:
    """The Program from text."""
    shapes: dict[str, Any] = dict(spelling.shapes(source))
    for name in source.positive:
        shapes[name] = Tensor(name, _axis(name, source.shapes[name], source.sizes), "positive", Role.INPUT)
    return sn.program(*spelling.lines(source), tensors=shapes)
