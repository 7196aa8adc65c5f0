"""The right answers that are rewritten and mutated: gradients of small networks, slopes of activations and losses, and hard cases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from soundness.trees import HALF, ONE, PI, TWO, Tree, add, div, f, mul, n, neg, power, slope, sub, v, variables, when

x, y, w, a, b, c, t = map(v, "x y w a b c t".split())
S = "sigmoid"


@dataclass(frozen=True)
class Problem:
    """A right answer, with the names that are known to be positive."""

    name: str
    truth: Tree
    positive: frozenset[str] = frozenset()

    @cached_property
    def names(self) -> list[str]:
        """Every name, in order."""
        return sorted(variables(self.truth) | {"x"})


def network(widths: tuple[int, int, int], activation: str, last: str) -> Tree:
    """The loss of a network with one hidden layer, written out: the mean of squares of a - y."""
    inputs, hidden, outputs = widths
    h = [f(activation, add(*[mul(v(f"w{j}{i}"), v(f"x{i}")) for i in range(1, inputs + 1)], v(f"b{j}"))) for j in range(1, hidden + 1)]
    out = [add(*[mul(v(f"u{k}{j}"), h[j - 1]) for j in range(1, hidden + 1)], v(f"c{k}")) for k in range(1, outputs + 1)]
    squares = [power(sub(f(last, z) if last else z, v(f"y{k}")), 2) for k, z in enumerate(out, 1)]
    return squares[0] if outputs == 1 else div(add(*squares), n(outputs))


def gelu(z: Tree) -> Tree:
    """z Φ(z)."""
    return mul(z, f("Phi", z))


NETS = {"1-1-1": network((1, 1, 1), S, S), "2-2-2": network((2, 2, 2), S, ""), "2-3-1": network((2, 3, 1), "tanh", ""),
        "2-3-1 relu": network((2, 3, 1), "relu", ""), "1-1-1 tanh": network((1, 1, 1), "tanh", S)}
BY = {"1-1-1": ("w11", "b1", "u11", "c1"), "2-2-2": ("w11", "u12", "b2"), "2-3-1": ("w32", "u12", "c1"), "2-3-1 relu": ("w21", "u13"),
      "1-1-1 tanh": ("w11", "u11")}

FUNCTIONS: Mapping[str, Tree] = {  # of x
    "sigmoid": f(S, x), "tanh": f("tanh", x), "relu": f("relu", x), "softplus": f("softplus", x), "silu": mul(x, f(S, x)),
    "gelu": gelu(x), "gelu with tanh": mul(HALF, x, add(ONE, f("tanh", mul(f("sqrt", div(TWO, PI)), add(x, mul(n("0.044715"), power(x, 3))))))),
    "mish": mul(x, f("tanh", f("softplus", x))), "elu": when(x, x, ">", n(0), sub(f("exp", x), ONE)),
    "selu": mul(n("1.0507"), when(x, x, ">", n(0), mul(n("1.67326"), sub(f("exp", x), ONE)))),
    "hardtanh": when(n(-1), x, "<=", n(-1), when(x, x, "<", ONE, ONE)), "softsign": div(x, add(ONE, f("abs", x))),
    "logsigmoid": neg(f("softplus", neg(x))), "softshrink": sub(f("relu", sub(x, HALF)), f("relu", sub(neg(x), HALF))),
    "leaky relu": when(x, x, ">", n(0), mul(n("0.01"), x)), "tanh shrink": sub(x, f("tanh", x)),
}
LOSSES: Mapping[str, Tree] = {  # slopes by a
    "squared error": power(sub(a, y), 2), "absolute error": f("abs", sub(a, y)),
    "huber": when(mul(HALF, power(sub(a, y), 2)), f("abs", sub(a, y)), "<=", ONE, sub(f("abs", sub(a, y)), HALF)),
    "with logits": sub(f("softplus", a), mul(y, a)), "hinge": f("relu", sub(ONE, mul(y, a))), "log cosh": f("log", f("cosh", sub(a, y))),
    "poisson": sub(f("exp", a), mul(y, a)), "soft margin": f("log", add(ONE, f("exp", mul(neg(y), a)))),
    "softmax of two": neg(f("log", div(f("exp", a), add(f("exp", a), f("exp", y))))),
}
HARD: Mapping[str, Tree] = {
    "root of a square": f("sqrt", power(sub(x, y), 2)), "absolute value": mul(f("abs", x), sub(x, y)),
    "largest": f("maximum", x, y), "smallest of three": f("minimum", x, f("minimum", y, w)),
    "relu of a product": f("relu", mul(w, x)), "clip": f("minimum", f("maximum", x, n(-1)), ONE),
    "rational": div(add(power(x, 2), mul(n(3), x), ONE), add(power(x, 2), ONE)), "quotient": div(mul(sub(x, y), w), add(power(x, 2), power(y, 2), ONE)),
    "pole": div(x, sub(y, w)), "near miss": mul(n("0.25001"), x, sub(ONE, x)), "near miss of an angle": mul(n("0.3333"), f("sin", x)),
    "cubic": power(add(x, mul(TWO, y)), 3), "bell curve": f("exp", neg(div(power(sub(x, y), 2), TWO))), "erf": f("erf", mul(w, x)),
    "arc": f("arctan", mul(w, x)), "waves": mul(f("sin", x), f("cos", y)), "wave squared": sub(power(f("cos", x), 2), mul(f("sin", x), f("cos", x))),
    "tower": f("exp", f("exp", neg(x))), "log of a logistic": f("log", f(S, mul(w, x))), "ratio of exps": div(f("exp", x), add(f("exp", x), f("exp", y))),
    "sech": div(ONE, f("cosh", x)), "steps": mul(f("step", x), f("step", y)), "nested cases": when(x, x, ">", y, when(y, y, ">", n(0), n(0))),
}
POSITIVE: Mapping[str, Tree] = {  # x and y are positive
    "cross-entropy": neg(add(mul(w, f("log", x)), mul(sub(ONE, w), f("log", add(ONE, x))))), "log of a product": f("log", mul(x, power(y, 2))),
    "log base two": f("log2", div(x, y)), "power": power(x, w), "roots": mul(f("sqrt", x), power(y, n(1, 3))),
    "root of a sum": f("sqrt", add(x, power(y, 2))), "entropy": mul(x, f("log2", x)), "kl": mul(x, sub(f("log", x), f("log", y))),
    "inverse root": div(w, f("sqrt", add(mul(x, y), n("0.00001")))), "log of a log": f("log", add(ONE, f("log", add(ONE, x)))),
}


def problems() -> list[Problem]:
    """All of them, in a fixed order."""
    made = [Problem(f"{name} by {by}", slope(NETS[name], by)) for name in NETS for by in BY[name]]
    made += [Problem(name, tree) for name, tree in FUNCTIONS.items()]
    made += [Problem(f"slope of {name}", slope(tree, "x")) for name, tree in FUNCTIONS.items()]
    made += [Problem(f"slope of {name}", slope(tree, "a")) for name, tree in LOSSES.items()]
    made += [Problem(name, tree) for name, tree in HARD.items()]
    return made + [Problem(name, tree, frozenset("xy")) for name, tree in POSITIVE.items()]
