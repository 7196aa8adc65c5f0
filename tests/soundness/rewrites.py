"""Ways to write the same value otherwise, each true for real numbers wherever both sides exist."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from fractions import Fraction

from soundness.trees import HALF, ONE, TWO, Tree, add, div, f, mul, n, neg, places, power, replaced, size, sub, v, variables, when

Rule = Callable[[Tree, random.Random, frozenset[str]], Tree | None]
LARGEST = 130
ANY = v("?")  # stands for one of the names of the whole formula


def positive(tree: Tree, known: frozenset[str]) -> bool:
    """Surely more than 0, by its form."""
    kind = tree[0]
    if kind == "n":
        return bool(tree[1] > 0)
    if kind == "v":
        return tree[1] in known
    if kind == "f":
        return tree[1] in ("exp", "sigmoid", "softplus", "cosh", "Phi") or (tree[1] == "sqrt" and positive(tree[2], known))
    if kind == "c":
        return True
    if kind in "*/":
        return positive(tree[1], known) and positive(tree[2], known)
    if kind == "+":
        return any(positive(a, known) and (positive(b, known) or _square(b)) for a, b in (tree[1:], tree[:0:-1]))
    return kind == "^" and positive(tree[1], known)


def _square(tree: Tree) -> bool:
    return tree[0] == "^" and tree[2][0] == "n" and tree[2][1].denominator == 1 and tree[2][1] % 2 == 0 and tree[2][1] > 0


def _is(tree: Tree, name: str) -> bool:
    return tree[0] == "f" and tree[1] == name


def _exp(z: Tree) -> Tree:
    return f("exp", z)


def commute(t: Tree, dice: random.Random, known: frozenset[str]) -> Tree | None:
    return (t[0], t[2], t[1]) if t[0] in "+*" else None


def associate(t: Tree, dice: random.Random, known: frozenset[str]) -> Tree | None:
    return (t[0], t[1][1], (t[0], t[1][2], t[2])) if t[0] in "+*" and t[1][0] == t[0] else None


def distribute(t: Tree, dice: random.Random, known: frozenset[str]) -> Tree | None:
    if t[0] == "*":
        for a, b in (t[1:], t[:0:-1]):
            if b[0] in "+-":
                return (b[0], mul(a, b[1]), mul(a, b[2]))
    return (t[1][0], div(t[1][1], t[2]), div(t[1][2], t[2])) if t[0] == "/" and t[1][0] in "+-" else None


def factor(t: Tree, dice: random.Random, known: frozenset[str]) -> Tree | None:
    if t[0] in "+-" and t[1][0] == t[2][0] == "*":
        a, b = t[1][1:]
        for c, d in (t[2][1:], t[2][:0:-1]):
            if a == c:
                return mul(a, (t[0], b, d))
            if b == d:
                return mul((t[0], a, c), b)
    return None


def put_in_and_out(t: Tree, dice: random.Random, known: frozenset[str]) -> Tree | None:
    """Add and take away."""
    extra = dice.choice([n(dice.randint(1, 9), dice.randint(1, 4)), v(_a_name(t, dice)), f("tanh", v(_a_name(t, dice)))])
    return sub(add(t, extra), extra) if dice.random() < 0.5 else add(sub(t, extra), extra)


def _a_name(t: Tree, dice: random.Random) -> str:
    return dice.choice(sorted(x[1] for _, x in places(t) if x[0] == "v") or [ANY[1]])


def times_and_over(t: Tree, dice: random.Random, known: frozenset[str]) -> Tree | None:
    x = v(_a_name(t, dice))
    extra = dice.choice([n(dice.randint(2, 9)), add(ONE, power(x, 2)), _exp(x), f("sigmoid", x), f("cosh", x), add(TWO, f("sin", x))])
    return div(mul(t, extra), extra) if dice.random() < 0.5 else mul(extra, div(t, extra))


def times_and_over_a_name(t: Tree, dice: random.Random, known: frozenset[str]) -> Tree | None:
    x = v(_a_name(t, dice))
    return div(mul(t, x), x)


def minus(t: Tree, dice: random.Random, known: frozenset[str]) -> Tree | None:
    if t[0] == "-":
        return neg(sub(t[2], t[1])) if dice.random() < 0.5 else add(t[1], neg(t[2]))
    return mul(n(-1), t[1]) if t[0] == "neg" else None


def sigmoid_forms(t: Tree, dice: random.Random, known: frozenset[str]) -> Tree | None:
    if not _is(t, "sigmoid"):
        return None
    z = t[2]
    return dice.choice([div(ONE, add(ONE, _exp(neg(z)))), div(add(ONE, f("tanh", div(z, TWO))), TWO), div(_exp(z), add(ONE, _exp(z))),
                        sub(ONE, f("sigmoid", neg(z))), div(_exp(div(z, TWO)), mul(TWO, f("cosh", div(z, TWO))))])


def tanh_forms(t: Tree, dice: random.Random, known: frozenset[str]) -> Tree | None:
    if not _is(t, "tanh"):
        return None
    z = t[2]
    return dice.choice([div(sub(_exp(z), _exp(neg(z))), add(_exp(z), _exp(neg(z)))), sub(mul(TWO, f("sigmoid", mul(TWO, z))), ONE),
                        div(f("sinh", z), f("cosh", z)), div(sub(_exp(mul(TWO, z)), ONE), add(_exp(mul(TWO, z)), ONE)), neg(f("tanh", neg(z)))])


def slope_of_tanh(t: Tree, dice: random.Random, known: frozenset[str]) -> Tree | None:
    """1 - tanh² = sech²."""
    if t[0] == "-" and t[1] == ONE and t[2][0] == "^" and _is(t[2][1], "tanh") and t[2][2] == TWO:
        z = t[2][1][2]
        return dice.choice([div(ONE, power(f("cosh", z), 2)), div(n(4), power(add(_exp(z), _exp(neg(z))), 2)),
                            mul(sub(ONE, f("tanh", z)), add(ONE, f("tanh", z)))])
    return None


def hyperbolic_forms(t: Tree, dice: random.Random, known: frozenset[str]) -> Tree | None:
    if not (_is(t, "cosh") or _is(t, "sinh")):
        return None
    z, sign = t[2], "+" if t[1] == "cosh" else "-"
    return div((sign, _exp(z), _exp(neg(z))), TWO)


def softplus_forms(t: Tree, dice: random.Random, known: frozenset[str]) -> Tree | None:
    if not _is(t, "softplus"):
        return None
    z = t[2]
    return dice.choice([f("log", add(ONE, _exp(z))), add(z, f("log", add(ONE, _exp(neg(z))))), neg(f("log", f("sigmoid", neg(z)))),
                        add(z, f("softplus", neg(z)))])


def folded_slope(t: Tree, dice: random.Random, known: frozenset[str]) -> Tree | None:
    """σ(1 - σ) written with exp, σ(-z) or cosh."""
    if t[0] == "*" and _is(t[1], "sigmoid") and t[2] == sub(ONE, t[1]):
        z = t[1][2]
        return dice.choice([mul(t[1], f("sigmoid", neg(z))), div(_exp(neg(z)), power(add(ONE, _exp(neg(z))), 2)), sub(t[1], power(t[1], 2)),
                            div(ONE, mul(n(4), power(f("cosh", div(z, TWO)), 2)))])
    return None


def exp_of_a_sum(t: Tree, dice: random.Random, known: frozenset[str]) -> Tree | None:
    if _is(t, "exp"):
        z = t[2]
        if z[0] in "+-":
            return ("*" if z[0] == "+" else "/", _exp(z[1]), _exp(z[2]))
        return div(ONE, _exp(z[1])) if z[0] == "neg" else power(_exp(div(z, TWO)), 2)
    return None


def log_of_a_product(t: Tree, dice: random.Random, known: frozenset[str]) -> Tree | None:
    if not _is(t, "log"):
        return None
    u = t[2]
    if u[0] in "*/" and positive(u[1], known) and positive(u[2], known):
        return ("+" if u[0] == "*" else "-", f("log", u[1]), f("log", u[2]))
    if u[0] == "^" and positive(u[1], known):
        return mul(u[2], f("log", u[1]))
    if _is(u, "exp"):
        return u[2]
    return mul(f("log2", u), f("log", TWO)) if positive(u, known) else div(f("log", power(u, 2)), TWO)  # the second needs u > 0 to begin with


def log_base_two(t: Tree, dice: random.Random, known: frozenset[str]) -> Tree | None:
    return div(f("log", t[2]), f("log", TWO)) if _is(t, "log2") else None


def powers(t: Tree, dice: random.Random, known: frozenset[str]) -> Tree | None:
    if t[0] == "^" and t[2][0] == "n" and t[2][1].denominator == 1:
        k = int(t[2][1])
        if k >= 2:
            return mul(t[1], power(t[1], k - 1)) if k > 2 else mul(t[1], t[1])
        return div(ONE, power(t[1], -k)) if k < 0 else None
    if t[0] == "*" and t[1] == t[2]:
        return power(t[1], 2)
    if t[0] == "^" and positive(t[1], known) and t[2] != ONE:
        return _exp(mul(t[2], f("log", t[1])))
    return None


def roots(t: Tree, dice: random.Random, known: frozenset[str]) -> Tree | None:
    if _is(t, "sqrt"):
        return power(t[2], HALF)
    if t[0] == "^" and t[2] == HALF:
        return f("sqrt", t[1])
    return power(f("sqrt", t), 2) if positive(t, known) else None


def absolute_forms(t: Tree, dice: random.Random, known: frozenset[str]) -> Tree | None:
    if not _is(t, "abs"):
        return None
    z = t[2]
    return dice.choice([f("sqrt", power(z, 2)), f("maximum", z, neg(z)), when(z, z, ">", n(0), neg(z)), mul(z, f("sign", z)),
                        add(f("relu", z), f("relu", neg(z))), f("abs", neg(z))])


def square_of_absolute(t: Tree, dice: random.Random, known: frozenset[str]) -> Tree | None:
    return power(f("abs", t[1]), 2) if t[0] == "^" and t[2] == TWO else None


def relu_forms(t: Tree, dice: random.Random, known: frozenset[str]) -> Tree | None:
    if not _is(t, "relu"):
        return None
    z = t[2]
    return dice.choice([f("maximum", z, n(0)), div(add(z, f("abs", z)), TWO), mul(z, f("step", z)), when(z, z, ">", n(0), n(0)),
                        add(z, f("relu", neg(z))), when(n(0), z, "<=", n(0), z)])


def step_forms(t: Tree, dice: random.Random, known: frozenset[str]) -> Tree | None:
    return when(ONE, t[2], ">", n(0), n(0)) if _is(t, "step") else None


def extremum_forms(t: Tree, dice: random.Random, known: frozenset[str]) -> Tree | None:
    if not (_is(t, "maximum") or _is(t, "minimum")):
        return None
    a, b = t[2:]
    if t[1] == "minimum":
        return dice.choice([neg(f("maximum", neg(a), neg(b))), div(sub(add(a, b), f("abs", sub(a, b))), TWO), when(a, a, "<", b, b)])
    return dice.choice([add(b, f("relu", sub(a, b))), div(add(add(a, b), f("abs", sub(a, b))), TWO), when(a, a, ">", b, b),
                        f("maximum", b, a)])


def turned_cases(t: Tree, dice: random.Random, known: frozenset[str]) -> Tree | None:
    if t[0] != "if":
        return None
    _, yes, sign, left, right, no = t
    other = {">": "<=", "<": ">=", ">=": "<", "<=": ">", "==": "!=", "!=": "=="}
    mirrored = {">": "<", "<": ">", ">=": "<=", "<=": ">=", "==": "==", "!=": "!="}
    return dice.choice([when(no, left, other[sign], right, yes), when(yes, right, mirrored[sign], left, no),
                        when(yes, sub(left, right), sign, n(0), no)])


def bell_curve(t: Tree, dice: random.Random, known: frozenset[str]) -> Tree | None:
    """Φ and erf."""
    if _is(t, "Phi"):
        return div(add(ONE, f("erf", div(t[2], f("sqrt", TWO)))), TWO)
    return neg(f("erf", neg(t[2]))) if _is(t, "erf") else None


def circle(t: Tree, dice: random.Random, known: frozenset[str]) -> Tree | None:
    """sin² + cos² = 1, and double angles."""
    if t == ONE:
        z = ANY
        return add(power(f("sin", z), 2), power(f("cos", z), 2))
    if _is(t, "sin"):
        half = div(t[2], TWO)
        return dice.choice([mul(TWO, f("sin", half), f("cos", half)), neg(f("sin", neg(t[2])))])
    if _is(t, "cos"):
        half = div(t[2], TWO)
        return dice.choice([sub(ONE, mul(TWO, power(f("sin", half), 2))), sub(power(f("cos", half), 2), power(f("sin", half), 2)),
                            f("cos", neg(t[2]))])
    return sub(ONE, power(f("cos", t[1][2]), 2)) if t[0] == "^" and _is(t[1], "sin") and t[2] == TWO else None


def split_number(t: Tree, dice: random.Random, known: frozenset[str]) -> Tree | None:
    if t[0] == "n" and t[1] not in (0, 1):
        k = Fraction(dice.randint(1, 7))
        return dice.choice([add(n(t[1] - k), n(k)), div(n(t[1] * k), n(k)), mul(n(t[1] / k), n(k))])
    return None


def quotients(t: Tree, dice: random.Random, known: frozenset[str]) -> Tree | None:
    if t[0] == "/":
        return dice.choice([mul(t[1], power(t[2], -1)), div(neg(t[1]), neg(t[2])), mul(div(ONE, t[2]), t[1])])
    return div(t[2], div(ONE, t[1])) if t[0] == "*" and positive(t[1], known) else None


def odd_functions(t: Tree, dice: random.Random, known: frozenset[str]) -> Tree | None:
    return neg(f("arctan", neg(t[2]))) if _is(t, "arctan") else mul(ONE, t)


RULES: Mapping[str, Rule] = {r.__name__: r for r in (
    commute, associate, distribute, factor, put_in_and_out, times_and_over, times_and_over_a_name, minus, sigmoid_forms, tanh_forms,
    slope_of_tanh, hyperbolic_forms, softplus_forms, folded_slope, exp_of_a_sum, log_of_a_product, log_base_two, powers, roots, absolute_forms,
    square_of_absolute, relu_forms, step_forms, extremum_forms, turned_cases, bell_curve, circle, split_number, quotients, odd_functions)}


def renamed(tree: Tree, old: str, new: str) -> Tree:
    """``tree`` with one name for another."""
    if tree[0] == "v":
        return v(new) if tree[1] == old else tree
    return tuple(renamed(part, old, new) if isinstance(part, tuple) else part for part in tree)


def rewritten(tree: Tree, dice: random.Random, known: frozenset[str], times: int) -> tuple[Tree, list[str]]:
    """``tree`` after so many rewritings at random places, and their names; rules that need a form of their own go first."""
    used: list[str] = []
    names = sorted(variables(tree)) or ["x"]
    while len(used) < times:
        fits = [(name, path, made) for path, part in places(tree) for name, rule in RULES.items()
                if (made := rule(part, dice, known)) is not None]
        name = dice.choice(sorted({f[0] for f in fits}))
        path, made = dice.choice([(p, m) for found, p, m in fits if found == name])
        changed = renamed(replaced(tree, path, made), ANY[1], dice.choice(names))
        if size(changed) > LARGEST:
            return tree, used
        tree = changed
        used.append(name)
    return tree, used
