"""Laws of what proofs of inequalities rest on: signs, definedness, and each rule, beside exact values at drawn points."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
import sympy as sp

from symnet.core.claim import Statement
from symnet.core.functions import Max, Min, leaky_relu, relu, sigmoid, softplus, step
from symnet.core.number_sets import number_set
from symnet.core.numbers import enclose
from symnet.equality import order
from symnet.errors import DomainError, ProofError
from symnet.proofs import inequality_rules as rules
from symnet.proofs import kernel
from symnet.proofs.counterexamples import certain, sign_at
from symnet.proofs.inequalities import Search

x, y = sp.symbols("x y", real=True)
q = sp.Symbol("q", positive=True)
p = sp.Symbol("p", **number_set("(0, 1)").facts)
t = sp.Symbol("t", **number_set("[0, 1]").facts)
LETTERS = (x, y, q, p, t)
VALUES = {x: (-3, -1, "-1/2", 0, "1/3", 1, 2, 10), y: (-2, -1, 0, "1/2", 1, 3), q: ("1/100", "1/2", 1, 2, 7), p: ("1/9", "1/2", "8/9"),
          t: (0, "1/4", "1/2", 1)}
ONE: tuple[Callable[[sp.Expr], sp.Expr], ...] = (
    sp.exp, sp.log, sp.tanh, sigmoid, softplus, relu, step, sp.Abs, sp.sign, sp.sqrt, lambda u: u**2, lambda u: u**3, lambda u: 1 / u, lambda u: -u,
    sp.cosh, sp.sinh, sp.atan, sp.sin, sp.cos, lambda u: leaky_relu(u, sp.Rational(1, 10)))
TWO: tuple[Callable[[sp.Expr, sp.Expr], sp.Expr], ...] = (
    lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a * b, lambda a, b: a / b, Max, Min)


def drawn(dice: random.Random, depth: int) -> sp.Expr:
    """An expression over the letters."""
    if depth == 0 or dice.random() < 0.15:
        return dice.choice((*LETTERS, sp.Integer(dice.choice((-2, -1, 1, 2, 3))), sp.Rational(1, 2)))
    if dice.random() < 0.5:
        return dice.choice(ONE)(drawn(dice, depth - 1))
    return dice.choice(TWO)(drawn(dice, depth - 1), drawn(dice, depth - 1))


def points(dice: random.Random, count: int) -> list[dict[sp.Symbol, sp.Rational]]:
    """Points in the domains, ends and zeros among them."""
    return [{s: sp.Rational(str(dice.choice(VALUES[s]))) for s in LETTERS} for _ in range(count)]


def usable(e: sp.Expr) -> bool:
    return not e.has(sp.nan, sp.zoo, sp.oo, sp.I, sp.arg, sp.re, sp.im) and sp.count_ops(e) < 60


@pytest.mark.parametrize("seed", (*range(8), 106, 121, 130, 163, 189, 199))
def test_signs_and_definedness_hold_at_every_point(seed: int) -> None:
    dice = random.Random(seed)
    told = 0
    for _ in range(40):
        e, gap = drawn(dice, 3), drawn(dice, 1)
        if not usable(e) or not usable(gap):
            continue
        given = [Statement(sp.S.Zero, gap, None, dice.choice(("<=", "<", "=", "!=")))] if dice.random() < 0.6 else []
        facts = order.Facts(given)
        signs, sure, span = order.signs(e, facts), order.defined(e, facts), order.span(e)
        for at in points(dice, 12):
            if not all(certain(g.left, g.relation, g.right, at) for g in given):
                continue
            try:
                value = enclose(e, at, 200)
            except (DomainError, ZeroDivisionError):
                assert not sure, (e, given, at)
                continue
            found = sign_at(e, at)
            assert found is None or found in signs, (e, given, at, found, signs)
            assert span.low is None or not value < enclose(span.low, {}, 200), (e, at, span)
            assert span.high is None or not value > enclose(span.high, {}, 200), (e, at, span)
            told += 1
    assert told > 60


def holds(proof: kernel.Proof, dice: random.Random, count: int = 15) -> int:
    """How often the statements of a proof were met, where its hypotheses hold; fails where one is not true."""
    told = 0
    for at in points(dice, count):
        letters = {s for one in (*proof.statements, *proof.hypotheses) for side in (one.left, one.right) for s in side.free_symbols}
        at |= {s: sp.Rational(dice.randint(-20, 20), 7) for s in letters - set(at)}
        if not all(h.over is None and certain(h.left, h.relation, h.right, at) for h in proof.hypotheses):
            continue
        for one in proof.statements:
            sign = sign_at(one.right - one.left, at)
            assert sign is None or sign in {"=": (0,), "<=": (0, 1), "<": (1,), "!=": (-1, 1)}[one.relation], (proof, at)
            told += 1
    return told


@pytest.mark.parametrize("seed", range(10))
def test_what_the_search_proves_is_true_at_every_point(seed: int) -> None:
    """Of drawn inequalities few are true; whatever is proved is true wherever it is looked at, and its proof checks."""
    dice = random.Random(1000 + seed)
    told = 0
    for _ in range(14):
        e, gap = drawn(dice, 2), drawn(dice, 1)
        if not usable(e) or not usable(gap):
            continue
        given = (Statement(sp.S.Zero, gap, None, dice.choice(("<=", "<"))),) if dice.random() < 0.5 else ()
        proof = Search(2).prove(e, dice.random() < 0.4, given, 0)
        if proof is not None:
            told += holds(proof, dice)
            assert kernel.checks(proof)
    assert told > 0


NODES = [Max(x, y), Min(x, y), Max(-q, x), Min(x, q), relu(x - y), sp.Abs(x - y), step(x), leaky_relu(x, sp.Rational(1, 5)), sp.sign(x - 1)]


@pytest.mark.parametrize("node", NODES, ids=str)
def test_the_case_that_hypotheses_leave_is_the_value(node: sp.Expr) -> None:
    dice = random.Random(5)
    u = node.args[0] - node.args[1] if isinstance(node, (Max, Min)) else node.args[0]
    told = 0
    for given in ((Statement(sp.S.Zero, u, None, "<="),), (Statement(u, sp.S.Zero, None, "<="),), (Statement(sp.S.Zero, u, None, "<"),),
                  (Statement(u, sp.S.Zero, None, "<"),)):
        try:
            told += holds(rules.branch(node, given), dice, 40)
        except ProofError:
            continue
    assert told > 10


WRONG = [
    ("a sign that may be another", lambda: rules.sign(x, "<=", ())),
    ("a sign of what may have no value", lambda: rules.sign(1 / x**2, "<=", ())),
    ("a strict sign of a square", lambda: rules.sign(x**2, "<", ())),
    ("a multiplier that may be negative", lambda: rules.combine(rules.sign(q, "<", ()), sp.S.Zero, "<=", x * q, sp.S.Zero, (x,), ())),
    ("a rest that may be negative", lambda: rules.combine(sp.S.Zero, "<=", x, x, (), ())),
    ("a sum that is not the difference", lambda: rules.combine(rules.sign(q, "<", ()), sp.S.Zero, "<", 2 * q + x, sp.S.Zero, (sp.S.One,), ())),
    ("strict from what is not", lambda: rules.combine(rules.sign(x**2, "<=", ()), sp.S.Zero, "<", x**2, sp.S.Zero, (sp.S.One,), ())),
    ("an increasing function that is none", lambda: rules.increasing(rules.sign(q, "<", ()), sp.cos(x), x)),
    ("an even power as increasing", lambda: rules.increasing(rules.sign(q, "<", ()), x**2, x)),
    ("cases that leave a gap", lambda: rules.cases(*[kernel.given(Statement(sp.S.Zero, x, None, "<="))] * 2, Statement(sp.S.One, x, None, "<="),
                                                   Statement(x, sp.S.Zero, None, "<="))),
    ("cases of two strict sides", lambda: rules.cases(*[kernel.given(Statement(sp.S.Zero, x, None, "<="))] * 2,
                                                      Statement(sp.S.Zero, x, None, "<"), Statement(x, sp.S.Zero, None, "<"))),
    ("a derivative of another function", lambda: rules.from_derivative(
        rules.sign(sp.exp(x), "<", ()), kernel.algebra(sp.S.Zero, sp.S.Zero), x**2, x, sp.S.Zero, sp.S.One, sp.S.Zero)),
    ("a derivative through a kink", lambda: rules.from_derivative(
        rules.sign(sp.S.One, "<", ()), kernel.algebra(sp.S.Zero, sp.S.Zero), sp.Abs(x), x, sp.S.Zero, sp.S.One, sp.S.Zero)),
    ("a derivative through a pole", lambda: rules.from_derivative(
        rules.sign(1 / q**2, "<", ()), rules.sign(sp.S.One, "<", ()), -1 / x, x, sp.S.NegativeOne, sp.S.One, sp.S.Zero)),
    ("a tangent of what is not convex", lambda: rules.tangent(rules.sign(sp.exp(x), "<", ()), sp.tanh(x), x, y, q)),
    ("a number outside the domain of a letter", lambda: kernel.put(rules.sign(q, "<", ()), q, x)),
    ("a sum over an index that a hypothesis fixes", lambda: rules.sum_up(
        kernel.given(Statement(sp.S.Zero, sp.IndexedBase("a", real=True)[sp.Symbol("i", integer=True)], None, "<=")),
        sp.Symbol("i", integer=True), sp.S.One, sp.Symbol("n", integer=True, positive=True))),
    ("a cut of what is no hypothesis", lambda: kernel.cut(rules.sign(q, "<", ()), rules.sign(p, "<", ()))),
    ("an enclosure that is not positive", lambda: rules.enclosed(x, x, sp.S.NegativeOne, sp.S.One)),
    ("equal from one inequality", lambda: rules.antisymmetry(rules.sign(x**2, "<=", ()), rules.sign(x**2, "<=", ()))),
    ("different without a strict sign", lambda: rules.different(rules.sign(x**2, "<=", ()), sp.S.Zero, x**2)),
    ("a triangle of a product", lambda: rules.triangle(x * y)),
    ("a case that is not left", lambda: rules.branch(relu(x), ())),
]


@pytest.mark.parametrize("wrong", [w for _, w in WRONG], ids=[n for n, _ in WRONG])
def test_a_wrong_step_is_refused(wrong: Callable[[], kernel.Proof]) -> None:
    with pytest.raises(ProofError):
        wrong()
