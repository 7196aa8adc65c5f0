"""A node in SymPy, given its arguments, and what all multiples of one list of values share."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import sympy as sp
from flint import ctx, fmpq

from symnet.checking.code.values import BITS, SYMPY
from symnet.core.decimals import as_ball
from symnet.core.functions import step

LIKELY = 360  # the largest numerator and denominator of a factor that is tried


def form(op: str, args: list[sp.Expr]) -> sp.Expr:
    """One operation; a condition is 1 or 0, written with steps."""
    if op == "add":
        return sp.Add(*args)
    if op == "mul":
        return sp.Mul(*args)
    if op == "pow":
        return sp.Pow(*args) if args[1].is_Rational or args[0].is_positive else sp.exp(args[1] * sp.log(args[0]))
    if op == "where":
        return args[2] + args[0] * (args[1] - args[2])
    if op in ("true", "false", "gt", "ge", "eq", "and", "or", "not"):
        return indicator(op, args)
    if op == "pi":
        return sp.pi
    if op in ("max", "min"):  # SymPy compares the arguments one by one, which takes long where they are no names
        return (sp.Max if op == "max" else sp.Min)(*args, evaluate=all(a.is_Symbol or a.is_Number for a in args))
    return SYMPY[op](*args)


def indicator(op: str, args: list[sp.Expr]) -> sp.Expr:
    """A condition as 1 or 0, by steps."""
    if op in ("true", "false"):
        return sp.Integer(op == "true")
    if op == "gt":
        return step(args[0] - args[1])
    if op == "ge":
        return 1 - step(args[1] - args[0])
    if op == "eq":
        return 1 - step(args[0] - args[1]) - step(args[1] - args[0])
    if op == "not":
        return 1 - args[0]
    if op == "and":
        return sp.Mul(*args)
    return 1 - sp.Mul(*[1 - a for a in args])


def ratios(values: list[Any]) -> tuple[str, ...] | None:
    """What all multiples of one list of values share."""
    if any(v is None for v in values):
        return None
    with ctx.workprec(BITS):
        first = next((k for k, v in enumerate(values) if not as_ball(v).contains(0)), None)
        if first is None:
            return None
        return (str(first), *[f"{float(as_ball(v / values[first]).mid()):.10e}" for v in values])


def factor(mine: list[Any], theirs: list[Any]) -> sp.Rational | None:
    """The simple number c with mine = c · theirs."""
    with ctx.workprec(BITS):
        first = next(k for k, v in enumerate(theirs) if not as_ball(v).contains(0))
        guess = Fraction(float(as_ball(mine[first] / theirs[first]).mid())).limit_denominator(LIKELY)
        if abs(guess.numerator) > LIKELY or (abs(guess) != 1 and sum(v != 0 for v in theirs) < 2):  # one value fits any factor
            return None
        c = fmpq(guess.numerator, guess.denominator)
        if c != 0 and all(as_ball(a - c * b).contains(0) for a, b in zip(mine, theirs, strict=True)):
            return sp.Rational(guess.numerator, guess.denominator)
    return None
