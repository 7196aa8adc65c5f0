"""Right answers that are arrays: ("@", a, b), ("T", a) and sums beside the elementwise signs, with values in mpmath by NumPy's rules."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
from soundness import rewrites
from soundness.oracle import FUNCTIONS
from soundness.trees import ONE, Tree, add, div, f, mul, n, neg, places, power, replaced, sub, v

X, W, A, w, b, y, r, p, h, N = map(v, "X W A w b y r p h N".split())


def at(a: Tree, c: Tree) -> Tree:
    """a @ c."""
    return ("@", a, c)


def turned(a: Tree) -> Tree:
    """a.T"""
    return ("T", a)


@dataclass(frozen=True)
class ArrayProblem:
    """A program by its lines, the shapes of its inputs, and one right answer; ``lines`` also give values to the names."""

    name: str
    lines: tuple[tuple[str, Tree], ...]
    shapes: Mapping[str, tuple[str, ...]]
    wrt: str
    truth: Tree


def text(tree: Tree, within: int = 0) -> str:
    """Plain maths; every operation within another is in brackets."""
    kind = tree[0]
    if kind == "n":
        return str(tree[1]) if within == 0 or (tree[1] >= 0 and tree[1].denominator == 1) else f"({tree[1]})"
    if kind == "v":
        return str(tree[1])
    if kind == "f":
        return f"{tree[1]}({', '.join(text(a) for a in tree[2:])})"
    if kind == "T":
        return f"{text(tree[1], 1)}.T"
    made = f"-{text(tree[1], 1)}" if kind == "neg" else f"{text(tree[1], 1)} {'**' if kind == '^' else kind} {text(tree[2], 1)}"
    return f"({made})" if within else made


SIZES = {"N": 3, "d": 2, "h": 4}


def value(tree: Tree, known: Mapping[str, Any]) -> Any:
    """The value as NumPy computes it, on arrays of mpmath numbers."""
    kind = tree[0]
    if kind == "n":
        return mpmath.mpf(tree[1].numerator) / tree[1].denominator
    if kind == "v":
        return known[tree[1]]
    if kind == "f":
        args = [value(a, known) for a in tree[2:]]
        if tree[1] == "sum":
            return np.sum(args[0])
        if tree[1] == "columns":
            return np.sum(args[0], axis=0)
        if tree[1] == "outer":
            return np.outer(*args)
        return np.frompyfunc(FUNCTIONS[tree[1]], len(args), 1)(*args)
    if kind == "T":
        return value(tree[1], known).T
    if kind == "neg":
        return -value(tree[1], known)
    a, c = value(tree[1], known), value(tree[2], known)
    return {"+": lambda: a + c, "-": lambda: a - c, "*": lambda: a * c, "/": lambda: a / c, "^": lambda: a ** c, "@": lambda: a @ c}[kind]()


def inputs(problem: ArrayProblem, seed: int) -> dict[str, Any]:
    """Random exact numbers for the inputs and sizes."""
    dice = random.Random(seed)
    found: dict[str, Any] = {k: mpmath.mpf(size) for k, size in SIZES.items()}
    for name, shape in problem.shapes.items():
        made = np.empty([SIZES[s] for s in shape], dtype=object)
        for place in np.ndindex(made.shape):
            number = Fraction(dice.randint(-90, 90), 47)
            made[place] = mpmath.mpf(number.numerator) / number.denominator
        found[name] = made if shape else made[()]
    return found


def valued(problem: ArrayProblem, given: Mapping[str, Any]) -> dict[str, Any]:
    """All names of the program with their values."""
    known = dict(given)
    for name, tree in problem.lines:
        known[name] = value(tree, known)
    return known


def slope_by_differences(problem: ArrayProblem, given: Mapping[str, Any], step: Any) -> Any:
    """The gradient by central differences: at 60 digits with a step of 1e-20 it is right to 1e-38."""
    goal = problem.lines[-1][0]
    start = given[problem.wrt]
    found = np.empty(np.shape(start), dtype=object)
    for place in np.ndindex(found.shape):
        ends = []
        for sign in (1, -1):
            moved = np.array(start, dtype=object)
            moved[place] = moved[place] + sign * step
            ends.append(valued(problem, {**given, problem.wrt: moved if found.shape else moved[()]})[goal])
        found[place] = (ends[0] - ends[1]) / (2 * step)
    return found


R = (("r", sub(at(X, w), y)), ("L", div(f("sum", power(r, 2)), N)))
LOGISTIC = (("p", f("sigmoid", at(X, w))), ("L", div(f("sum", power(sub(p, y), 2)), n(2))))
LAYER = (("Z", add(at(X, W), b)), ("H", f("tanh", v("Z"))), ("L", f("sum", power(v("H"), 2))))
QUADRATIC = (("L", at(at(w, A), w)),)
SHAPES = {"X": ("N", "d"), "w": ("d",), "y": ("N",)}
WIDE = {"X": ("N", "d"), "W": ("d", "h"), "b": ("h",)}
INNER = mul(mul(n(2), v("H")), sub(ONE, power(v("H"), 2)))

PROBLEMS = (
    ArrayProblem("least squares by w", R, SHAPES, "w", mul(div(n(2), N), at(turned(X), r))),
    ArrayProblem("least squares by y", R, SHAPES, "y", neg(div(mul(n(2), r), N))),
    ArrayProblem("least squares by X", R, SHAPES, "X", mul(div(n(2), N), f("outer", r, w))),
    ArrayProblem("logistic by w", LOGISTIC, SHAPES, "w", at(turned(X), mul(sub(p, y), mul(p, sub(ONE, p))))),
    ArrayProblem("layer by W", LAYER, WIDE, "W", at(turned(X), INNER)),
    ArrayProblem("layer by X", LAYER, WIDE, "X", at(INNER, turned(W))),
    ArrayProblem("quadratic form by w", QUADRATIC, {"w": ("d",), "A": ("d", "d")}, "w", at(add(A, turned(A)), w)),
    ArrayProblem("quadratic form by A", QUADRATIC, {"w": ("d",), "A": ("d", "d")}, "A", f("outer", w, w)),
)
ENTRYWISE = {name: rewrites.RULES[name] for name in (
    "commute", "associate", "distribute", "factor", "minus", "sigmoid_forms", "tanh_forms", "powers", "quotients", "split_number")}


def product_rules(t: Tree) -> list[Tree]:
    """Laws of matrix products and transposes."""
    made: list[Tree] = []
    if t[0] == "T" and t[1][0] in "+-":
        made.append((t[1][0], turned(t[1][1]), turned(t[1][2])))
    if t[0] == "@":
        a, c = t[1:]
        made += [(k[0], at(k[1], c), at(k[2], c)) for k in (a,) if k[0] in "+-"] + [(k[0], at(a, k[1]), at(a, k[2])) for k in (c,) if k[0] in "+-"]
        if c[0] == "neg":
            made.append(neg(at(a, c[1])))
        if a[0] == "T" and c[0] == "v" and c[1] in ("r", "w", "y"):
            made.append(at(c, a[1]))
    return [*made, div(mul(n(3), t), n(3)), sub(add(t, t), t)]


def changed(tree: Tree, dice: random.Random) -> Tree:
    """``tree`` written otherwise at a random place."""
    fits = [(path, m) for path, part in places(tree) for m in product_rules(part)]
    fits += [(path, m) for path, part in places(tree) for rule in ENTRYWISE.values() if part[0] not in "@T"
             and (m := rule(part, dice, frozenset())) is not None]
    return replaced(tree, *dice.choice(fits))


def slipped(tree: Tree, dice: random.Random) -> Tree:
    """``tree`` with a slip at a random place that keeps its shape."""
    fits: list[tuple[tuple[int, ...], Tree]] = []
    for path, t in places(tree):
        fits += [(path, neg(t)), (path, mul(n(2), t)), (path, mul(n(Fraction(100_001, 100_000)), t))]
        if t[0] == "n":
            fits.append((path, n(t[1] + 1)))
        if t[0] in "+-":
            fits += [(path, ("-" if t[0] == "+" else "+", *t[1:])), (path, t[1]), (path, t[2])]
        if t[0] == "T" and t[1][0] == "v" and t[1][1] == "A":
            fits.append((path, t[1]))
        if t[0] == "^":
            fits.append((path, power(t[1], t[2][1] + 1)))
        if t[0] == "v" and t[1] in "rpH":
            fits.append((path, mul(t, t)))
    return replaced(tree, *dice.choice(fits))
