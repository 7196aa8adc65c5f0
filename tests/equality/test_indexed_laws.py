"""Random index expressions: whatever is proved for all sizes holds at small sizes, 1 among them; what is only rewritten is proved.

The oracle writes every sum out at integer sizes and computes with exact numbers and balls; it knows nothing of normal forms.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Mapping

import pytest
import sympy as sp
from flint import ctx
from hypothesis import given, settings
from hypothesis import strategies as st

from symnet.core.axes import index, size
from symnet.core.expressions import When, fresh, limits, substitute, total
from symnet.core.functions import sigmoid, step
from symnet.core.index_evaluation import at_place
from symnet.core.numbers import as_ball, compute
from symnet.core.program import Assumption
from symnet.core.verdict import Answer
from symnet.equality.sums.all_sizes import prove_for_all_sizes
from symnet.errors import DomainError

N, M = size("n"), size("m")
I, J = index("i"), index("j")  # free, over 1..n and 1..m
RANGES = {I: (sp.S.One, N), J: (sp.S.One, M)}
SHAPES = {"A": (N, M), "B": (N, N), "x": (N,), "y": (M,), "p": (N,)}
TENSORS = {name: sp.IndexedBase(name, **({"positive": True} if name == "p" else {"real": True})) for name in SHAPES}
C = sp.Symbol("c", positive=True)
SIZES = ((1, 1), (1, 3), (2, 1), (3, 2), (2, 3))


class Maker:
    """Random expressions over the tensors; ``scope`` are the indices at hand, each with its size."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.count = 0

    def entry(self, scope: Mapping[sp.Symbol, sp.Expr]) -> sp.Expr:
        names = [n for n, shape in SHAPES.items() if set(shape) <= set(scope.values())]
        if not names or self.dice.random() < 0.1:
            return C
        name = self.dice.choice(names)
        return TENSORS[name][tuple(self.dice.choice([i for i, s in scope.items() if s == d]) for d in SHAPES[name])]

    def bound(self, scope: Mapping[sp.Symbol, sp.Expr]) -> tuple[sp.Symbol, sp.Expr, dict[sp.Symbol, sp.Expr]]:
        self.count += 1
        new, high = sp.Symbol(f"k{self.count}", integer=True), self.dice.choice((N, M))
        return new, high, {**scope, new: high}

    def expr(self, scope: Mapping[sp.Symbol, sp.Expr], depth: int) -> sp.Expr:
        if depth == 0:
            return self.entry(scope)
        kind = self.dice.choice(("sum", "sum", "product", "product", "plus", "function", "bracket", "shifted", "entry"))
        if kind == "sum":
            new, high, inner = self.bound(scope)
            return sp.Sum(self.expr(inner, depth - 1), (new, 1, high))
        if kind in ("product", "plus"):
            parts = [self.expr(scope, depth - 1) for _ in range(2)]
            return sp.Mul(*parts) if kind == "product" else parts[0] + self.dice.choice((1, -1, 2, sp.Rational(1, 3))) * parts[1]
        if kind == "function":
            inside = self.expr(scope, depth - 1)
            return self.dice.choice((sp.exp, sigmoid, step, sp.tanh, sp.cos, lambda u: 1 / (1 + u**2), lambda u: sp.sqrt(C + u**2)))(inside)
        if kind == "bracket" and len(scope) > 1:
            a, b = self.dice.sample(sorted(scope, key=str), 2)
            return When(self.expr(scope, depth - 1), self.dice.choice((sp.Eq, sp.Le))(a, b))
        if kind == "shifted":
            new, _, _ = self.bound(scope)
            return sp.Sum(TENSORS["x"][new - 1] * self.entry({**scope, new: N}), (new, 2, N))
        return self.entry(scope)


def value(expr: sp.Expr, sizes: tuple[int, int], seed: int, assumed: bool = False) -> list[object]:
    """``expr`` at every place of its free indices; B symmetric and the rows of A adding up to 1 where that is assumed."""
    env = {N: sp.Integer(sizes[0]), M: sp.Integer(sizes[1])}

    def entry(name: str, place: tuple[int, ...]) -> sp.Expr:
        if assumed and name == "A" and place[1] == sizes[1]:
            return sp.S.One - sp.Add(*[entry("A", (place[0], k)) for k in range(1, sizes[1])])
        dice = random.Random(f"{name}{sorted(place) if assumed and name == 'B' else place}{seed}")
        number = sp.Rational(dice.randint(-12, 12), dice.choice((5, 7)))
        return abs(number) + 1 if name in ("p", "c") else number

    places = itertools.product(range(1, sizes[0] + 1), range(1, sizes[1] + 1))
    with ctx.workprec(200):
        return [as_ball(compute(at_place(expr, {**env, I: sp.Integer(a), J: sp.Integer(b)}, entry), {})) for a, b in places]


def differ(left: sp.Expr, right: sp.Expr, assumed: bool = False) -> tuple[int, int] | None:
    """Sizes at which the two certainly differ."""
    for seed, sizes in enumerate(SIZES):
        try:
            pairs = zip(value(left, sizes, seed, assumed), value(right, sizes, seed, assumed), strict=True)
            if any(not (a - b).contains(0) for a, b in pairs):
                return sizes
        except (DomainError, ZeroDivisionError):
            continue
    return None


def rewritten(expr: sp.Expr, dice: random.Random) -> sp.Expr:
    """The same value, written otherwise: one random rewriting at every node that has one."""
    if not expr.args or isinstance(expr, sp.Indexed):
        return expr
    if isinstance(expr, sp.Sum):
        body = rewritten(expr.function, dice)
        return dice.choice((_renamed, _split, _shifted, _inserted))(sp.Sum(body, *expr.limits))
    if isinstance(expr, When):
        return When(rewritten(expr.body, dice), expr.condition)
    made = expr.func(*[rewritten(a, dice) if isinstance(a, sp.Expr) else a for a in expr.args])
    if isinstance(made, sp.Mul):
        return dice.choice((_merged, _distributed))(made)
    return dice.choice((sigmoid(2 * made.args[0]) * 2 - 1, made)) if isinstance(made, sp.tanh) else made


def _renamed(node: sp.Sum) -> sp.Expr:
    return fresh(node)


def _split(node: sp.Sum) -> sp.Expr:
    return sp.Add(*[sp.Sum(term, *node.limits) for term in sp.Add.make_args(sp.expand_mul(node.function))])


def _shifted(node: sp.Sum) -> sp.Expr:
    node = fresh(node)
    (i, low, high), *rest = limits(node)
    return total(sp.Sum(substitute(node.function, {i: i - 1}), (i, low + 1, high + 1)), tuple(rest))


def _inserted(node: sp.Sum) -> sp.Expr:
    """f(i) = Σ_k [k = i] f(k)."""
    node = fresh(node)
    i, low, high = limits(node)[0]
    new = sp.Dummy("q", integer=True)
    return total(sp.Sum(When(substitute(node.function, {i: new}), sp.Eq(new, i)), (new, low, high)), limits(node))


def _merged(node: sp.Mul) -> sp.Expr:
    """a Σ b = Σ a b."""
    sums = [a for a in node.args if isinstance(a, sp.Sum)]
    if not sums:
        return node
    inner = fresh(sums[0])
    rest = sp.Mul(*[a for a in node.args if a is not sums[0]])
    return sp.Sum(inner.function * rest, *inner.limits)


def _distributed(node: sp.Mul) -> sp.Expr:
    return sp.expand_mul(node)


def mutated(expr: sp.Expr, dice: random.Random) -> sp.Expr:
    """One place, number, condition or range changed somewhere."""
    spots: list[tuple[sp.Expr, sp.Expr]] = []
    found = sorted({i for node in expr.atoms(sp.Sum) for i, _, _ in limits(node)} | {I, J}, key=str)
    for node in sorted(expr.atoms(sp.Indexed), key=str):
        for k, place in enumerate(node.indices):
            spots += [(node, node.base[(*node.indices[:k], other, *node.indices[k + 1:])]) for other in found if other != place]
        spots += [(node, node.base[node.indices[::-1]])] if node.indices != node.indices[::-1] else []
        spots += [(node, 2 * node), (node, sp.S.One)]
    for node in sorted(expr.atoms(sp.Sum), key=str):
        (i, low, high), *rest = limits(node)
        spots += [(node, sp.Sum(node.function, (i, low, high - 1), *rest)), (node, sp.Sum(node.function, (i, low + 1, high), *rest))]
    spots += [(node, node.body) for node in sorted(expr.atoms(When), key=str)]
    old, new = dice.choice(spots) if spots else (C, 2 * C)
    return expr.xreplace({old: new})


def well_placed(expr: sp.Expr) -> bool:
    """Every entry within its tensor at the small sizes, and no index out of its sum."""
    if not {s for s in expr.free_symbols if s.is_Symbol and s.is_integer} <= {I, J, N, M}:
        return False

    def entry(name: str, place: tuple[int, ...]) -> sp.Expr:
        if name in SHAPES and any(not 1 <= p <= e for p, e in zip(place, (int(s.xreplace(env)) for s in SHAPES[name]), strict=True)):
            raise IndexError
        return sp.Symbol("v")

    for sizes in SIZES:
        env = {N: sp.Integer(sizes[0]), M: sp.Integer(sizes[1])}
        try:
            for a, b in itertools.product(range(1, sizes[0] + 1), range(1, sizes[1] + 1)):
                at_place(expr, {**env, I: sp.Integer(a), J: sp.Integer(b)}, entry)
        except IndexError:
            return False
    return True


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.integers(0, 10**6))
def test_what_is_rewritten_is_proved(seed: int) -> None:
    expr = Maker(seed).expr({I: N, J: M}, 3)
    other = rewritten(expr, random.Random(seed))
    assert differ(expr, other) is None  # the rewriting itself is sound
    assert prove_for_all_sizes(expr, other, RANGES).answer is Answer.PROVED, (expr, other)


@settings(max_examples=250, deadline=None, derandomize=True)
@given(st.integers(0, 10**6))
def test_what_is_proved_of_a_mutant_holds_at_small_sizes(seed: int) -> None:
    expr, dice = Maker(seed).expr({I: N, J: M}, 3), random.Random(seed)
    other = mutated(expr, dice)
    if well_placed(other) and prove_for_all_sizes(expr, rewritten(other, dice), RANGES).answer is not Answer.UNDECIDED:
        assert differ(expr, other) is None, (expr, other)


K, Q = index("k"), index("q")
DECLARED = (Assumption(sp.Sum(TENSORS["A"][K, Q], (Q, 1, M)), sp.S.One), Assumption(TENSORS["B"][K, Q] - TENSORS["B"][Q, K], sp.S.Zero))


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.integers(0, 10**6))
def test_what_is_proved_under_assumptions_holds_where_they_do(seed: int) -> None:
    expr, dice = Maker(seed).expr({I: N, J: M}, 3), random.Random(seed)
    for other in (expr.xreplace({b: b.base[b.indices[::-1]] for b in expr.atoms(sp.Indexed) if b.base == TENSORS["B"]}), mutated(expr, dice)):
        if well_placed(other) and prove_for_all_sizes(expr, other, RANGES, DECLARED).answer is not Answer.UNDECIDED:
            assert differ(expr, other, assumed=True) is None, (expr, other)


@pytest.mark.slow
@pytest.mark.parametrize("change", [mutated, rewritten])
def test_many_more(change: Callable[[sp.Expr, random.Random], sp.Expr]) -> None:
    wrong = []
    for seed in range(10**7, 10**7 + 1500):
        expr, dice = Maker(seed).expr({I: N, J: M}, 4), random.Random(seed)
        other = change(expr, dice)
        if well_placed(other) and prove_for_all_sizes(expr, other, RANGES).answer is not Answer.UNDECIDED and differ(expr, other):
            wrong.append((expr, other))
    assert wrong == []
