"""Entrywise answers about arrays under partial functions and cases: programs, answers, and their values entry by entry.

A tree's names x, y, c are the entries of arrays, S stands for sum(y), k for an entry of an index array with four classes.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

import mpmath
import sympy as sp
from soundness.oracle import DIGITS, SIGNS, Unsure, value
from soundness.trees import ONE, Tree, add, div, f, mul, n, power, sub, text, v, when

x, y, c, S, k = map(v, ("x", "y", "c", "S", "k"))
ZERO = n(0)
TRUTHS: tuple[Tree, ...] = (  # the slope of sum(q * truth) in q
    x, y, mul(x, y), power(x, 2), f("log", x), f("sqrt", x), power(f("sqrt", x), 2), f("exp", f("log", x)), div(mul(x, y), y), div(x, y), f("abs", x),
    f("relu", x), f("maximum", x, y), f("minimum", x, c), when(x, x, ">", y, y), when(f("log", x), x, ">", ZERO, ZERO), mul(x, k), mul(x, power(k, 2)),
    mul(x, S), div(x, add(ONE, power(S, 2))), f("exp", x), add(f("log", x), f("log", y)), mul(f("relu", x), f("relu", y)),
)


def written(tree: Tree) -> str:
    """Plain maths over arrays."""
    return re.sub(r"\bS\b", "sum(y)", text(tree))


def otherwise(t: Tree, dice: random.Random) -> Tree:
    """The same wherever both have a value."""
    u = dice.choice((x, y, c, sub(y, ONE), add(x, y), mul(x, c)))
    ways = [f("exp", f("log", t)), power(f("sqrt", t), 2), div(mul(t, u), u), sub(add(t, f("log", u)), f("log", u)), div(mul(t, S), S), f("log", f("exp", t)),
            when(t, u, ">", ZERO, f("exp", f("log", t))), when(div(mul(t, u), u), u, ">", ZERO, t), when(div(mul(t, u), u), u, "!=", ZERO, t),
            sub(f("relu", t), f("relu", ("neg", t))), add(f("maximum", t, u), sub(f("minimum", t, u), u)), mul(power(u, -1), mul(u, t)),
            add(t, mul(ZERO, f("log", u))), when(f("exp", f("log", u)), u, ">", ZERO, u) if t == u else t, add(t, sub(f("abs", k), k)), mul(t, div(add(ONE, S), add(S, ONE)))]
    return dice.choice(ways)


def slipped(t: Tree, dice: random.Random) -> Tree:
    """Often something else somewhere."""
    u = dice.choice((x, y, c, k))
    return dice.choice((f("abs", t), f("relu", t), f("sqrt", power(t, 2)), when(t, u, ">", n(Fraction(-1, 2)), mul(n(2), t)), mul(t, f("sign", t)),
                        when(mul(n(2), t), f("minimum", u, n(2)), "==", n(2), t), when(mul(n(2), t), f("relu", u), "==", ZERO, t), f("maximum", t, u),
                        when(t, k, "<=", ONE, add(t, ONE)), add(t, mul(k, sub(k, ONE))), when(mul(n(3), t), f("abs", u), "==", u, t), f("floor", t)))


def answers(dice: random.Random, count: int) -> Iterator[tuple[Tree, Tree]]:
    """(truth, answer)."""
    for _ in range(count):
        truth = dice.choice(TRUTHS)
        made = slipped(truth, dice) if dice.random() < 0.5 else truth
        for _ in range(dice.randint(0, 2)):
            made = otherwise(made, dice)
        yield truth, made


SIZE = 3


def points(count: int, seed: int) -> list[dict[str, list[Fraction]]]:
    """Values for the entries: the same simple ones, then at random; classes 0 to 3."""
    dice, made = random.Random(seed), list[dict[str, list[Fraction]]]()
    for kind in range(count):
        pick = (lambda: Fraction(dice.choice((0, 1, 1, 2, -1, 3)))) if kind < 4 else (lambda: Fraction(dice.randint(1, 400), 97)) if kind % 3 == 0 else \
            (lambda: Fraction(dice.randint(-400, 400), 97))
        made.append({name: [pick() for _ in range(SIZE)] for name in "xyc"} | {"k": [Fraction(dice.randint(0, 3)) for _ in range(SIZE)]})
    return made


def entries(tree: Tree, point: Mapping[str, list[Fraction]]) -> list[Any]:
    """The values of every entry; None where there is none."""
    total, found = sum(point["y"]), []
    for i in range(SIZE):
        here = {name: values[i] for name, values in point.items()} | {"S": total}
        for digits in (DIGITS, 5 * DIGITS):
            with mpmath.workdps(digits):
                try:
                    found.append(value(tree, here, {}))
                    break
                except Unsure:
                    continue
    return found


def holds(condition: str, point: Mapping[str, list[Fraction]]) -> bool:
    """Is a printed condition met, for all i where it has an i? "x[i] > 0 and Sum(y[i], (i, 1, n)) != 0"."""
    return all(_one(part, point) for part in filter(None, condition.split(" and ")))


def _one(part: str, point: Mapping[str, list[Fraction]]) -> bool:
    formula, sign, zero = part.rsplit(" ", 2)
    assert zero == "0", part
    formula = re.sub(r"Sum\(y\[(\w)\], \(\1, 1, n\)\)", "S", formula)
    named = {f"{name}_{i + 1}": q for name, values in point.items() for i, q in enumerate(values)} | {"S": sum(point["y"])}
    found = []
    for i in range(SIZE):
        table = {s: sp.Rational(q.numerator, q.denominator) for s, q in {**named, **{name: values[i] for name, values in point.items()}}.items()}
        functions = {"relu": lambda z: sp.Max(z, 0), "step": lambda z: sp.Integer(1 if z > 0 else 0)}
        try:
            number = sp.sympify(re.sub(r"\[\w\]", "", formula), locals={**table, **functions})
        except TypeError:  # it names an entry that this point does not have
            return False
        found.append(bool(number.is_real) and SIGNS[sign](number, 0))
    return all(f in (True, sp.true) for f in found)
