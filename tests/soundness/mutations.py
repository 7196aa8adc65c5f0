"""Slips of the pen and of the mind: one small change of a formula, which may or may not change its value."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from fractions import Fraction

from soundness.trees import Tree, add, div, f, mul, n, neg, places, power, replaced, sub, v

Slip = Callable[[Tree, random.Random, list[str]], Tree | None]
OTHERS = {"sigmoid": "tanh", "tanh": "sigmoid", "exp": "sinh", "log": "log2", "log2": "log", "sqrt": "abs", "abs": "relu", "relu": "softplus",
          "softplus": "relu", "sin": "cos", "cos": "sin", "sinh": "cosh", "cosh": "sinh", "step": "sign", "sign": "step", "erf": "tanh",
          "Phi": "sigmoid", "arctan": "tanh"}


def sign(t: Tree, dice: random.Random, names: list[str]) -> Tree | None:
    return {"+": sub, "-": add}[t[0]](*t[1:]) if t[0] in "+-" else t[1] if t[0] == "neg" else neg(t)


def constant(t: Tree, dice: random.Random, names: list[str]) -> Tree | None:
    return n(t[1] + dice.choice([-2, -1, 1, 2, 3])) if t[0] == "n" else None


def nearly(t: Tree, dice: random.Random, names: list[str]) -> Tree | None:
    """A relative change of 1e-5."""
    if t[0] == "n" and t[1]:
        return n(t[1] * (1 + Fraction(dice.choice([-1, 1]), 100_000)))
    return mul(n(Fraction(100_001, 100_000)), t) if t[0] in ("f", "/") else None


def factor_two(t: Tree, dice: random.Random, names: list[str]) -> Tree | None:
    return dice.choice([mul(n(2), t), div(t, n(2))])


def dropped(t: Tree, dice: random.Random, names: list[str]) -> Tree | None:
    """A factor or a term left out."""
    return dice.choice(t[1:]) if t[0] in "+*" else t[1] if t[0] in "-/" else None


def doubled(t: Tree, dice: random.Random, names: list[str]) -> Tree | None:
    """A factor taken twice."""
    return mul(t, t[1]) if t[0] == "*" else None


def other_name(t: Tree, dice: random.Random, names: list[str]) -> Tree | None:
    rest = [x for x in names if x != t[1]] if t[0] == "v" else []
    return v(dice.choice(rest)) if rest else None


def exponent(t: Tree, dice: random.Random, names: list[str]) -> Tree | None:
    if t[0] == "^" and t[2][0] == "n":
        return power(t[1], t[2][1] + dice.choice([-1, 1]))
    return power(t, 2) if t[0] in ("v", "f") else None


def other_function(t: Tree, dice: random.Random, names: list[str]) -> Tree | None:
    return f(OTHERS[t[1]], *t[2:]) if t[0] == "f" and t[1] in OTHERS else None


def no_function(t: Tree, dice: random.Random, names: list[str]) -> Tree | None:
    return t[2] if t[0] == "f" else None


def argument(t: Tree, dice: random.Random, names: list[str]) -> Tree | None:
    """The slope taken at the value, a sign or a factor inside the function."""
    return f(t[1], dice.choice([t, neg(t[2]), mul(n(2), t[2]), add(t[2], n(1))]), *t[3:]) if t[0] == "f" else None


def condition(t: Tree, dice: random.Random, names: list[str]) -> Tree | None:
    """The branches exchanged, or a kink at another place."""
    if t[0] != "if":
        return None
    _, yes, mark, left, right, no = t
    return dice.choice([("if", no, mark, left, right, yes), ("if", yes, mark, left, add(right, n(1)), no), yes, no])


def upside_down(t: Tree, dice: random.Random, names: list[str]) -> Tree | None:
    return div(t[2], t[1]) if t[0] == "/" else None


SLIPS: Mapping[str, Slip] = {s.__name__: s for s in (
    sign, constant, nearly, factor_two, dropped, doubled, other_name, exponent, other_function, no_function, argument, condition, upside_down)}


def mutated(tree: Tree, dice: random.Random, names: list[str]) -> tuple[Tree, str]:
    """``tree`` after one slip at a random place, and its name."""
    fits = [(name, path, made) for path, part in places(tree) for name, slip in SLIPS.items() if (made := slip(part, dice, names)) is not None]
    name = dice.choice(sorted({s[0] for s in fits}))
    path, made = dice.choice([(p, m) for found, p, m in fits if found == name])
    return replaced(tree, path, made), name
