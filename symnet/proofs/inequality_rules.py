"""The kernel's rules for inequalities. Each makes its conclusion itself, under hypotheses, and only where everything has a value."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import sympy as sp

from symnet.core.claim import RELATIONS, Statement
from symnet.core.functions import Max, Min, leaky_relu, relu, step
from symnet.core.number_sets import numbers_of
from symnet.equality import order
from symnet.equality.generators import Signs
from symnet.equality.order import ZERO
from symnet.equality.signs import ALL, FROM_ZERO, MINUS, PLUS, TO_ZERO, plus, times
from symnet.errors import ProofError
from symnet.proofs import kernel
from symnet.proofs.kernel import Proof


def _suits(signs: Signs, relation: str) -> bool:
    return signs <= {"<=": FROM_ZERO, "<": PLUS, "=": ZERO, "!=": frozenset((-1, 1))}[relation]


@kernel.rule("sign")
def sign(expr: sp.Expr, relation: str, hypotheses: tuple[Statement, ...] = ()) -> Proof:
    """Γ ⊢ 0 ≤ e, 0 < e or 0 ≠ e: seen from how e is written, from the domains of its symbols and from the hypotheses Γ."""
    expr, hypotheses = kernel.new(expr), kernel.new(tuple(hypotheses))
    facts = kernel.facts_of(hypotheses)
    if relation == "=" or relation not in RELATIONS or not _suits(order.signs(expr, facts), relation):
        raise ProofError("sign", f"0 {relation} {expr}", "an expression whose sign is seen")
    kernel.sure("sign", facts, expr)
    return kernel.make("sign", hypotheses, (Statement(sp.S.Zero, expr, None, relation),), (), (expr, relation, hypotheses))


@kernel.rule(kernel.ADDING)
def combine(*parts: Any) -> Proof:
    """From ⊢ a_i ≤ b_i: ⊢ l ≤ r, where r - l = Σ m_i (b_i - a_i) + rest by algebra, each m_i ≥ 0 and rest ≥ 0 by their signs.

    ``parts`` are the premises, then l, the relation, r, the rest, the multipliers, and hypotheses that the signs use. An equality may be
    multiplied by anything. The result is strict where the rest is positive, or a strict premise has a positive multiplier.
    """
    *premises, left, relation, right, rest, multipliers, hypotheses = parts
    left, right, rest, multipliers, hypotheses = map(kernel.new, (left, right, rest, tuple(multipliers), tuple(hypotheses)))
    given = [kernel.one_statement("combine", p) for p in premises]
    every = tuple(dict.fromkeys((*kernel.join(*premises), *hypotheses)))
    facts = kernel.facts_of(every)
    if len(given) != len(multipliers) or relation not in RELATIONS:
        raise ProofError("combine", f"{len(given)} premises and {len(multipliers)} multipliers", "one for each")
    found, total = order.signs(rest, facts), rest
    for one, m in zip(given, multipliers, strict=True):
        gap = {"=": ZERO, "<=": FROM_ZERO, "<": PLUS, "!=": ALL}[one.relation]
        found, total = plus(found, times(order.signs(m, facts), gap)), total + m * (one.right - one.left)
    if not _suits(found, relation):
        raise ProofError("combine", f"a sum of these that may be {sorted(found)}", f"one that gives {relation}")
    kernel.sure("combine", facts, left, right, rest, *multipliers, *(side for one in given for side in (one.left, one.right)))
    if not kernel.equal_under(right - left, total, facts):
        raise ProofError("combine", f"{right - left} and {total}", "two expressions that are proved equal")
    return kernel.make(kernel.ADDING, every, (Statement(left, right, None, relation),), tuple(premises),
                 (left, relation, right, rest, multipliers, hypotheses))


@kernel.rule("increasing function")
def increasing(premise: Proof, function: sp.Expr, letter: sp.Symbol) -> Proof:
    """From ⊢ a ≤ b: ⊢ f(a) ≤ f(b) for an increasing f, given as f(x) with the letter x."""
    one, function, letter = kernel.one_statement("increasing", premise), kernel.new(function), kernel.new(letter)
    strict = order.increasing(function, letter)
    if strict is None or one.relation == "!=" or not isinstance(letter, sp.Symbol):
        raise ProofError("increasing", f"{function} of {one}", "an increasing function of both sides")
    facts = kernel.facts_of(premise.hypotheses)
    left, right = (function.xreplace({letter: side}) for side in (one.left, one.right))
    kernel.sure("increasing", facts, one.left, one.right, left, right)
    relation = "<=" if one.relation == "<" and not strict else one.relation
    return kernel.make("increasing function", premise.hypotheses, (Statement(left, right, None, relation),), (premise,), (function, letter))


@kernel.rule("definition of the cases")
def branch(node: sp.Expr, hypotheses: tuple[Statement, ...]) -> Proof:
    """Γ ⊢ |u| = u, relu(u) = 0, max(u, v) = u, …: the case that the hypotheses Γ leave."""
    node, hypotheses = kernel.new(node), kernel.new(tuple(hypotheses))
    facts = kernel.facts_of(hypotheses)
    value = _branch(node, facts)
    if value is None:
        raise ProofError("branch", f"{node}", "a case that the hypotheses decide")
    kernel.sure("branch", facts, *node.args)
    return kernel.make("definition of the cases", hypotheses, (Statement(node, value),), (), (node, hypotheses))


def _branch(node: sp.Expr, facts: order.Facts) -> sp.Expr | None:
    if isinstance(node, (Max, Min)) and len(node.args) == 2:
        greater, less = node.args
        found = order.signs(greater - less, facts)
        if found <= TO_ZERO:
            greater, less = less, greater
        return (greater if isinstance(node, Max) else less) if found <= FROM_ZERO or found <= TO_ZERO else None
    if not isinstance(node, (sp.Abs, relu, step, leaky_relu, sp.sign)):
        return None
    u = node.args[0]
    found = order.signs(u, facts)
    if isinstance(node, sp.sign):
        return {PLUS: sp.S.One, MINUS: sp.S.NegativeOne, ZERO: sp.S.Zero}.get(found)
    if isinstance(node, step):
        return sp.S.One if found == PLUS else sp.S.Zero if found <= TO_ZERO else None
    if found <= FROM_ZERO:
        return u
    below = -u if isinstance(node, sp.Abs) else sp.S.Zero if isinstance(node, relu) else node.args[1] * u
    return below if found <= TO_ZERO else None


@kernel.rule("case by case")
def cases(first: Proof, second: Proof, one: Statement, other: Statement) -> Proof:
    """From Γ, a ≤ b ⊢ P and Δ, b ≤ a ⊢ P: Γ, Δ ⊢ P. One of the two may be strict. Both sides have a value everywhere."""
    one, other = kernel.new(one), kernel.new(other)
    strict, mirrored = (one.relation, other.relation), (one.left, one.right) == (other.right, other.left)
    plain = not (one.over or other.over or one.general or other.general)
    if strict not in (("<=", "<="), ("<", "<="), ("<=", "<")) or not mirrored or not plain:
        raise ProofError("cases", f"{one} and {other}", "a ≤ b and b ≤ a")
    if first.statements != second.statements:
        raise ProofError("cases", f"{first.statements} and {second.statements}", "the same statement in both cases")
    rest = tuple(dict.fromkeys((*(h for h in first.hypotheses if h != one), *(h for h in second.hypotheses if h != other))))
    kernel.sure("cases", kernel.facts_of(rest), one.left, one.right)
    return kernel.make("case by case", rest, first.statements, (first, second), (one, other))


@kernel.rule("sign of the derivative")
def from_derivative(slope: Proof, start: Proof, function: sp.Expr, letter: sp.Symbol, point: sp.Expr, side: sp.Expr,
                    open_: sp.Expr) -> Proof:
    """From Γ, p < x ⊢ 0 ≤ f'(x) and Δ ⊢ 0 ≤ f(p): Γ, Δ, p ≤ x ⊢ 0 ≤ f(x). With side -1, from x < p ⊢ 0 ≤ -f'(x), under x ≤ p.

    The mean value theorem: f has a derivative between p and x, and a value at p. Where ``open_`` is 1 the conclusion is about p < x, and
    is strict where the slope is; else it is strict where f(p) is.
    """
    function, letter, point, side, open_ = map(kernel.new, (function, letter, point, side, open_))
    tilt, begin = kernel.one_statement("derivative", slope), kernel.one_statement("derivative", start)
    if not (isinstance(letter, sp.Symbol) and letter.is_real and letter.is_integer is None and side in (1, -1) and open_ in (0, 1)):
        raise ProofError("derivative", f"{letter}", "a real letter, a side and a kind")
    numbers = numbers_of(letter)
    between = Statement(*((point, letter) if side == 1 else (letter, point)), None, "<")
    mine = tuple(h for h in slope.hypotheses if h not in (between, replace(between, relation="<=")))
    every = tuple(dict.fromkeys((*mine, *start.hypotheses)))
    if any(letter in h.left.free_symbols | h.right.free_symbols for h in every) or letter in point.free_symbols:
        raise ProofError("derivative", f"a hypothesis about {letter} beside {between}", f"{letter} free")
    if numbers.members or numbers.apart or not kernel.in_reach(point, numbers, side, kernel.facts_of(start.hypotheses)):
        raise ProofError("derivative", f"the point {point}", f"a point of an interval {numbers}")
    inside = kernel.facts_of((*every, between))
    there = function.xreplace({letter: point})
    if not order.smooth(function, inside):
        raise ProofError("derivative", f"{function}", "a function with a derivative at every point")
    kernel.sure("derivative", kernel.facts_of(start.hypotheses), there)
    kernel.sure("derivative", kernel.facts_of((*every, replace(between, relation="<="))), function)  # continuous from p on
    if tilt.left != 0 or tilt.relation not in ("<=", "<") or not kernel.equal(tilt.right, side * sp.diff(function, letter)):
        raise ProofError("derivative", f"{tilt}", f"the sign of the derivative of {function}")
    if begin.left != 0 or begin.relation not in ("<=", "<", "=") or not kernel.equal(begin.right, there):
        raise ProofError("derivative", f"{begin}", f"the sign of {there}")
    strict = begin.relation == "<" or (open_ == 1 and tilt.relation == "<")
    under = between if open_ == 1 else replace(between, relation="<=")
    return kernel.make("sign of the derivative", (*every, under), (Statement(sp.S.Zero, function, None, "<" if strict else "<="),),
                 (slope, start), (function, letter, point, side, open_))


@kernel.rule("tangent of a convex function")
def tangent(bend: Proof, function: sp.Expr, letter: sp.Symbol, point: sp.Expr, other: sp.Expr) -> Proof:
    """From Γ ⊢ 0 ≤ f''(x) for all x of an interval: Γ ⊢ f(u) + f'(u)(v - u) ≤ f(v) for numbers u and v of it (Taylor, Lagrange's rest)."""
    function, letter, point, other = map(kernel.new, (function, letter, point, other))
    curve, numbers = kernel.one_statement("tangent", bend), numbers_of(letter)
    if not (isinstance(letter, sp.Symbol) and letter.is_real and letter.is_integer is None) or numbers.members or numbers.apart:
        raise ProofError("tangent", f"{letter}", "a letter for the numbers of an interval")
    facts = kernel.facts_of(bend.hypotheses)
    about = {s for h in bend.hypotheses for s in h.left.free_symbols | h.right.free_symbols}
    if letter in about | point.free_symbols | other.free_symbols:
        raise ProofError("tangent", f"a hypothesis about {letter}", f"{letter} free")
    inside = all(kernel.in_reach(p, numbers, sp.Integer(s), facts) for p in (point, other) for s in (1, -1))
    if not inside or not order.smooth(function, facts):
        raise ProofError("tangent", f"{function}", "a function with derivatives on the whole interval")
    if curve.left != 0 or curve.relation not in ("<=", "<") or not kernel.equal(curve.right, sp.diff(function, letter, 2)):
        raise ProofError("tangent", f"{curve}", f"the sign of the second derivative of {function}")
    kernel.sure("tangent", facts, point, other)
    f, slope = function.xreplace({letter: point}), sp.diff(function, letter).xreplace({letter: point})
    right = function.xreplace({letter: other})
    return kernel.make("tangent of a convex function", bend.hypotheses, (Statement(f + slope * (other - point), right, None, "<="),),
                       (bend,), (function, letter, point, other))


@kernel.rule("sum over an index")
def sum_up(premise: Proof, letter: sp.Symbol, low: sp.Expr, high: sp.Expr) -> Proof:
    """From ⊢ a_i ≤ b_i for every i: ⊢ Σ a_i ≤ Σ b_i, over i from ``low`` to ``high``."""
    one, letter, low, high = kernel.one_statement("sum", premise), kernel.new(letter), kernel.new(low), kernel.new(high)
    if not kernel.is_step(letter) or any(letter in h.left.free_symbols | h.right.free_symbols for h in premise.hypotheses):
        raise ProofError("sum", f"a hypothesis about one particular {letter}", "an index that is free")
    relation = {"=": "=", "<=": "<=", "<": "<="}.get(one.relation)
    if relation is None or letter in low.free_symbols | high.free_symbols or letter in kernel.bound(one.left + one.right):
        raise ProofError("sum", f"{one}", "an equality or inequality for every index")
    left, right = (sp.Sum(side, (letter, low, high)) for side in (one.left, one.right))
    kernel.sure("sum", order.NONE, left, right)
    return kernel.make("sum over an index", premise.hypotheses, (Statement(left, right, None, relation),), (premise,), (letter, low, high))


@kernel.rule("enclosure")
def enclosed(expr: sp.Expr, letter: sp.Symbol, low: sp.Rational, high: sp.Rational) -> Proof:
    """low ≤ x, x ≤ high ⊢ 0 < e, for an expression in one letter: balls on pieces of the interval (Moore 1966; Johansson 2017)."""
    expr, letter, low, high = map(kernel.new, (expr, letter, low, high))
    if not (isinstance(letter, sp.Symbol) and letter.is_real) or expr.free_symbols - {letter} or not (low.is_Rational and high.is_Rational):
        raise ProofError("enclosure", f"{expr}", "an expression in one letter between rational numbers")
    under = (Statement(low, letter, None, "<="), Statement(letter, high, None, "<="))
    if not order.positive_between(expr, letter, low, high):
        raise ProofError("enclosure", f"{expr} from {low} to {high}", "an expression that balls show to be positive")
    kernel.sure("enclosure", kernel.facts_of(under), expr)
    return kernel.make("enclosure", under, (Statement(sp.S.Zero, expr, None, "<"),), (), (expr, letter, low, high))


@kernel.rule("both inequalities")
def antisymmetry(first: Proof, second: Proof) -> Proof:
    """From ⊢ a ≤ b and ⊢ b ≤ a: ⊢ a = b."""
    one, two = kernel.one_statement("antisymmetry", first), kernel.one_statement("antisymmetry", second)
    if (one.relation, two.relation) != ("<=", "<=") or (one.left, one.right) != (two.right, two.left):
        raise ProofError("antisymmetry", f"{one} and {two}", "a ≤ b and b ≤ a")
    return kernel.make("both inequalities", kernel.join(first, second), (Statement(one.left, one.right),), (first, second))


@kernel.rule("one is greater")
def different(premise: Proof, left: sp.Expr, right: sp.Expr) -> Proof:
    """From ⊢ 0 < b - a, or ⊢ 0 < a - b: ⊢ a ≠ b."""
    one, left, right = kernel.one_statement("different", premise), kernel.new(left), kernel.new(right)
    if (one.left, one.relation) != (sp.S.Zero, "<") or not (kernel.equal(one.right, right - left) or kernel.equal(one.right, left - right)):
        raise ProofError("different", f"{one}", f"the sign of {right - left}")
    kernel.sure("different", kernel.facts_of(premise.hypotheses), left, right)
    return kernel.make("one is greater", premise.hypotheses, (Statement(left, right, None, "!="),), (premise,), (left, right))


@kernel.rule("never equal")
def apart(left: sp.Expr, right: sp.Expr, hypotheses: tuple[Statement, ...]) -> Proof:
    """Γ ⊢ a ≠ b, where the sign of b - a is seen never to be 0."""
    left, right, hypotheses = kernel.new(left), kernel.new(right), kernel.new(tuple(hypotheses))
    facts = kernel.facts_of(hypotheses)
    if 0 in order.signs(right - left, facts):
        raise ProofError("apart", f"{right - left}", "an expression that is seen never to be 0")
    kernel.sure("apart", facts, left, right)
    return kernel.make("never equal", hypotheses, (Statement(left, right, None, "!="),), (), (left, right, hypotheses))


@kernel.rule("triangle inequality")
def triangle(total: sp.Expr) -> Proof:
    """⊢ |Σ a_i| ≤ Σ |a_i|; for a sum of terms, |a + b| ≤ |a| + |b|."""
    total = kernel.new(total)
    if isinstance(total, sp.Sum):
        right = sp.Sum(sp.Abs(total.function), *total.args[1:])
    elif isinstance(total, sp.Add):
        right = sp.Add(*[sp.Abs(a) for a in total.args])
    else:
        raise ProofError("triangle", f"{total}", "a sum")
    kernel.sure("triangle", order.NONE, total)
    return kernel.make("triangle inequality", (), (Statement(sp.Abs(total), right, None, "<="),), (), (total,))
