"""The values of formulas in mpmath, and what a verdict of symnet is worth against them.

Nothing of symnet is used here but the fields of a verdict. A value is None where a formula has no real value.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import mpmath
import sympy as sp
from soundness.trees import Tree

DIGITS = 60
Point = Mapping[str, Fraction]
SIGNS: Mapping[str, Callable[[Any, Any], bool]] = {
    ">": lambda a, b: a > b, "<": lambda a, b: a < b, ">=": lambda a, b: a >= b, "<=": lambda a, b: a <= b,
    "==": lambda a, b: a == b, "!=": lambda a, b: a != b}


def _sigmoid(z: Any) -> Any:
    return 1 / (1 + mpmath.exp(-z))


class Unsure(Exception):
    """A number so close to 0 that these digits do not tell on which side it lies."""


def _decided(z: Any) -> Any:
    """``z``, or exactly 0 where only rounding keeps it from being 0; Unsure where more digits are needed to say so."""
    if z == 0 or abs(z) > mpmath.mpf(10) ** -(DIGITS - 20):
        return z
    if mpmath.mp.dps < 4 * DIGITS:
        raise Unsure
    if abs(z) > mpmath.mpf(10) ** -(3 * DIGITS):
        return z
    return mpmath.mpf(0)


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "exp": mpmath.exp, "sin": mpmath.sin, "cos": mpmath.cos, "sinh": mpmath.sinh, "cosh": mpmath.cosh, "tanh": mpmath.tanh,
    "arctan": mpmath.atan, "erf": mpmath.erf, "sigmoid": _sigmoid, "abs": abs, "sign": lambda z: mpmath.sign(_decided(z)),
    "log": lambda z: mpmath.log(z) if _decided(z) > 0 else None, "log2": lambda z: mpmath.log(z, 2) if _decided(z) > 0 else None,
    "sqrt": lambda z: mpmath.sqrt(_decided(z)) if _decided(z) >= 0 else None, "relu": lambda z: max(z, mpmath.mpf(0)),
    "softplus": lambda z: mpmath.log(1 + mpmath.exp(z)) if z < 100 else z + mpmath.log1p(mpmath.exp(-z)),
    "step": lambda z: mpmath.mpf(int(_decided(z) > 0)), "maximum": max, "minimum": min, "Phi": mpmath.ncdf,
    "leaky_relu": lambda z, s: z if z > 0 else s * z, "floor": mpmath.floor,
}


def value(tree: Tree, point: Point, known: dict[Tree, Any]) -> Any:
    """The value at a point at the current precision; ``known`` keeps what was worked out for this point."""
    if tree not in known:
        known[tree] = _value(tree, point, known)
    return known[tree]


def _value(tree: Tree, point: Point, known: dict[Tree, Any]) -> Any:
    kind = tree[0]
    if kind == "n":
        return mpmath.mpf(tree[1].numerator) / tree[1].denominator
    if kind == "v":
        return mpmath.mpf(point[tree[1]].numerator) / point[tree[1]].denominator
    if kind == "c":
        return +mpmath.pi if tree[1] == "pi" else +mpmath.e
    if kind == "if":
        _, yes, sign, left, right, no = tree
        a, b = value(left, point, known), value(right, point, known)
        return None if a is None or b is None else value(yes if SIGNS[sign](_decided(a - b), 0) else no, point, known)
    args = [value(a, point, known) for a in tree[1 if kind != "f" else 2:]]
    if None in args:
        return None
    return FUNCTIONS[tree[1]](*args) if kind == "f" else _arithmetic(kind, *args)


def _arithmetic(kind: str, a: Any, b: Any = None) -> Any:
    if kind == "+":
        return a + b
    if kind == "-":
        return a - b
    if kind == "*":
        return a * b
    if kind == "/":
        return None if _decided(b) == 0 else a / b
    if kind == "neg":
        return -a
    whole = b == int(b)
    if (b < 0 or not whole) and ((_decided(a) == 0 and b < 0) or (_decided(a) < 0 and not whole)):
        return None
    return mpmath.power(a, b)


def values(left: Tree, right: Tree, point: Point, steps: tuple[int, ...] = (DIGITS, 5 * DIGITS)) -> tuple[Any, Any]:
    """Both values, with more digits where 60 do not tell a sign or a difference."""
    for digits in steps:
        with mpmath.workdps(digits):
            known: dict[Tree, Any] = {}
            try:
                a, b = value(left, point, known), value(right, point, known)
            except Unsure:
                continue
            if a is None or b is None or a == b or abs(a - b) > mpmath.mpf(10) ** -25 * max(abs(a), abs(b), mpmath.mpf(10) ** -15):
                return a, b
    return a, b


def gap(left: Tree, right: Tree, point: Point) -> bool | None:
    """Are the values different? None where one of them does not exist."""
    a, b = values(left, right, point)
    if a is None or b is None:
        return None
    return bool(abs(a - b) > mpmath.mpf(10) ** -(2 * DIGITS) * max(1, abs(a), abs(b)))


SPECIAL = [Fraction(0), Fraction(1), Fraction(-1), Fraction(1, 2), Fraction(2), Fraction(-3)]


def points(names: list[str], positive: frozenset[str], count: int = 10, seed: int = 1) -> list[dict[str, Fraction]]:
    """Where formulas are compared: every name alike at some simple numbers, then at random."""
    dice, made = random.Random(seed), []
    for number in SPECIAL[:4]:
        made.append({x: _fit(number, x in positive) for x in names})
    made.append({x: _fit(SPECIAL[k % len(SPECIAL)], x in positive) for k, x in enumerate(names)})
    while len(made) < count:
        made.append({x: _fit(Fraction(dice.randint(-300, 300), dice.choice((71, 97, 113))), x in positive) for x in names})
    return made


def _fit(number: Fraction, positive: bool) -> Fraction:
    return abs(number) or Fraction(1, 3) if positive else number


def wrong(verdict: Any, left: Tree, right: Tree, places: list[dict[str, Fraction]]) -> str:
    """Why the verdict is wrong, or "". ``left`` is the answer, ``right`` the truth."""
    answer = verdict.answer.value
    if answer == "undecided":
        return ""
    if answer == "refuted":
        return _wrong_witness(verdict, left, right, places)
    for point in places:
        if not _holds_there(answer, verdict.condition, point):
            continue
        a, b = values(left, right, point)
        if (a is None) != (b is None):
            return f"{answer} ({verdict.condition}), but one side alone exists at {_shown(point)}"
        if gap(left, right, point):
            return f"{answer} ({verdict.condition}), but they differ at {_shown(point)}"
    return ""


def _wrong_witness(verdict: Any, left: Tree, right: Tree, places: list[dict[str, Fraction]]) -> str:
    if verdict.witness is None:
        return "refuted without a witness"
    given = {name: Fraction(number) for name, number in verdict.witness.point}
    point = {x: given.get(x, Fraction(1, 3)) for x in places[0]}
    differ = gap(left, right, point)
    if differ is None:  # SymPy reads sqrt(u)**2 as u: then they must differ elsewhere
        differ = any(gap(left, right, place) for place in places)
        return "" if differ else f"refuted at {_shown(point)}, where one side does not exist, and there is no point where they differ"
    if not differ:
        return f"refuted at {_shown(point)}, but the values agree there"
    for real, said in zip(values(left, right, point, (5 * DIGITS,)), (verdict.witness.left, verdict.witness.right), strict=True):
        if abs(mpmath.mpf(said) - real) > mpmath.mpf(10) ** -8 * abs(real) + mpmath.mpf(10) ** -DIGITS:
            return f"the value {said} at {_shown(point)} should be {mpmath.nstr(real, 12)}"
    return ""


def _holds_there(answer: str, condition: str, point: Point) -> bool:
    """Is the verdict's condition met at the point? "except where u = 0 or …" of almost_everywhere, "u > 0 and …" of conditional."""
    values = {sp.Symbol(x): sp.Rational(q.numerator, q.denominator) for x, q in point.items()}
    if answer == "almost_everywhere":
        said = condition.removeprefix("except where ").split(" or ")
        return all(_number(s.removesuffix(" = 0"), values) not in (0, None) for s in said)
    if answer == "conditional":
        return all(_met(s, values) for s in condition.split(" and "))
    return True


def _met(condition: str, values: Mapping[sp.Symbol, sp.Rational]) -> bool:
    u, sign, zero = condition.rsplit(" ", 2)
    assert zero == "0", condition
    number = _number(u, values)
    return number is not None and SIGNS[sign](number, 0)


def _number(formula: str, values: Mapping[sp.Symbol, sp.Rational]) -> Any:
    """The value of a printed condition, None where it has none; SymPy's own reading, apart from symnet's."""
    named = {"sigmoid": lambda z: 1 / (1 + sp.exp(-z)), "relu": lambda z: sp.Max(z, 0), "softplus": lambda z: sp.log(1 + sp.exp(z)),
             "step": lambda z: sp.Piecewise((1, z > 0), (0, True))}
    made = sp.sympify(formula, locals={**named, **{str(s): s for s in values}}).xreplace(dict(values)).doit()
    number = made.evalf(40, chop=True)
    return number if number.is_real else None


def _shown(point: Point) -> str:
    return ", ".join(f"{k} = {q}" for k, q in point.items())
