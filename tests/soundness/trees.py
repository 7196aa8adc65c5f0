"""Formulas as plain tuples, apart from SymPy and from symnet: how to write them, their slopes, and their parts.

("n", Fraction), ("v", name), ("+", a, b), ("-", a, b), ("*", a, b), ("/", a, b), ("^", a, b), ("neg", a), ("f", name, a, …),
("c", constant) for pi and e, and ("if", yes, sign, left, right, no) for yes where left sign right, else no.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

Tree = tuple[Any, ...]
LEVEL = {"+": 1, "-": 1, "*": 2, "/": 2, "neg": 3, "^": 4}


def n(value: Any, below: int = 1) -> Tree:
    """A number."""
    return ("n", Fraction(value) / below)


def v(name: str) -> Tree:
    """A variable."""
    return ("v", name)


def f(name: str, *args: Tree) -> Tree:
    """A function."""
    return ("f", name, *args)


def add(*parts: Tree) -> Tree:
    """A sum, from left to right."""
    return _chain("+", parts)


def mul(*parts: Tree) -> Tree:
    """A product, from left to right."""
    return _chain("*", parts)


def _chain(sign: str, parts: tuple[Tree, ...]) -> Tree:
    made = parts[0]
    for part in parts[1:]:
        made = (sign, made, part)
    return made


def sub(a: Tree, b: Tree) -> Tree:
    """a - b."""
    return ("-", a, b)


def div(a: Tree, b: Tree) -> Tree:
    """a/b."""
    return ("/", a, b)


def power(a: Tree, b: Any) -> Tree:
    """a to the power b."""
    return ("^", a, b if isinstance(b, tuple) else n(b))


def neg(a: Tree) -> Tree:
    """-a."""
    return ("neg", a)


def when(yes: Tree, left: Tree, sign: str, right: Tree, no: Tree) -> Tree:
    """yes where left sign right, else no."""
    return ("if", yes, sign, left, right, no)


ZERO, ONE, TWO, HALF = n(0), n(1), n(2), n(1, 2)
PI = ("c", "pi")


def text(tree: Tree) -> str:
    """Plain maths, with no more brackets than are needed."""
    return _text(tree, 0)


def _text(tree: Tree, within: int) -> str:
    kind = tree[0]
    if kind == "n":
        return _number(tree[1], within)
    if kind in ("v", "c"):
        return str(tree[1])
    if kind == "f":
        return f"{tree[1]}({', '.join(_text(a, 0) for a in tree[2:])})"
    if kind == "if":
        _, yes, sign, left, right, no = tree
        return f"({_text(yes, 1)} if {_text(left, 1)} {sign} {_text(right, 1)} else {_text(no, 1)})"
    level = LEVEL[kind]
    if kind == "neg":
        made = "-" + _text(tree[1], level)
    elif kind == "^":
        made = f"{_text(tree[1], 5)}**{_text(tree[2], 5)}"
    else:
        made = f"{_text(tree[1], level)} {kind} {_text(tree[2], level + 1)}"
    return f"({made})" if level < within else made


def _number(value: Fraction, within: int) -> str:
    made = str(value)
    if value.denominator > 7 and not 10**12 % value.denominator:  # 25001/100000 as books write it
        made = f"{value.numerator / value.denominator:.12f}".rstrip("0")
        made = made if Fraction(made) == value else str(value)
    return f"({made})" if (value < 0 or "/" in made) and within > 0 else made


def children(tree: Tree) -> Iterator[tuple[int, Tree]]:
    """Where the parts of a formula stand, and what they are."""
    for k, part in enumerate(tree):
        if k and isinstance(part, tuple):
            yield k, part


def places(tree: Tree, path: tuple[int, ...] = ()) -> Iterator[tuple[tuple[int, ...], Tree]]:
    """Every part with its path."""
    yield path, tree
    for k, part in children(tree):
        if not (tree[0] == "^" and k == 2):  # an exponent is no place for a rewriting
            yield from places(part, (*path, k))


def replaced(tree: Tree, path: tuple[int, ...], part: Tree) -> Tree:
    """``tree`` with ``part`` at ``path``."""
    if not path:
        return part
    head, *rest = path
    return (*tree[:head], replaced(tree[head], tuple(rest), part), *tree[head + 1:])


def variables(tree: Tree) -> set[str]:
    """The names in a formula."""
    return {t[1] for _, t in places(tree) if t[0] == "v"} | {x for _, t in places(tree) if t[0] == "^" for x in variables(t[2])}


def size(tree: Tree) -> int:
    """How many parts it has."""
    return 1 + sum(size(part) for _, part in children(tree))


SLOPES = {
    "exp": lambda z: f("exp", z), "log": lambda z: div(ONE, z), "sqrt": lambda z: div(HALF, f("sqrt", z)),
    "sin": lambda z: f("cos", z), "cos": lambda z: neg(f("sin", z)), "sinh": lambda z: f("cosh", z), "cosh": lambda z: f("sinh", z),
    "tanh": lambda z: sub(ONE, power(f("tanh", z), 2)), "arctan": lambda z: div(ONE, add(ONE, power(z, 2))),
    "sigmoid": lambda z: mul(f("sigmoid", z), sub(ONE, f("sigmoid", z))), "softplus": lambda z: f("sigmoid", z),
    "relu": lambda z: f("step", z), "step": lambda z: ZERO, "abs": lambda z: f("sign", z), "sign": lambda z: ZERO,
    "erf": lambda z: div(mul(TWO, f("exp", neg(power(z, 2)))), f("sqrt", PI)), "log2": lambda z: div(ONE, mul(z, f("log", TWO))),
    "Phi": lambda z: div(f("exp", neg(div(power(z, 2), TWO))), f("sqrt", mul(TWO, PI))),
}


def slope(tree: Tree, x: str) -> Tree:
    """The derivative by ``x``, by the rules of a first course; 0 and 1 are left out, nothing else is made shorter."""
    kind = tree[0]
    if kind in ("n", "c"):
        return ZERO
    if kind == "v":
        return ONE if tree[1] == x else ZERO
    if kind == "f":
        (inner,) = tree[2:]
        return _times(SLOPES[tree[1]](inner), slope(inner, x))
    if kind == "if":
        _, yes, sign, left, right, no = tree
        return when(slope(yes, x), left, sign, right, slope(no, x))
    a, da = tree[1], slope(tree[1], x)
    if kind == "neg":
        return ZERO if da == ZERO else neg(da)
    b = tree[2]
    if kind == "^":
        return _times(_times(b, power(a, b[1] - 1)), da)
    db = slope(b, x)
    if kind in "+-":
        return da if db == ZERO else (db if kind == "+" else neg(db)) if da == ZERO else (kind, da, db)
    if kind == "*":
        return _plus(_times(da, b), _times(a, db))
    return div(da, b) if db == ZERO else div(sub(_times(da, b), _times(a, db)), power(b, 2))


def _times(a: Tree, b: Tree) -> Tree:
    return ZERO if ZERO in (a, b) else b if a == ONE else a if b == ONE else mul(a, b)


def _plus(a: Tree, b: Tree) -> Tree:
    return b if a == ZERO else a if b == ZERO else add(a, b)
