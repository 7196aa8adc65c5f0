"""Proof that nodes of the user's graph are the scalars of the derivation, from the inputs upwards.

Where a node takes the values of a scalar (or of a simple multiple of one) at exact points, the two are compared by normal form, written
in what was matched before; a proof merges them, and everything above is written with the scalar's name. So expressions stay small, as in
the equivalence checking of circuits (Kuehlmann & Krohm 1997). What is free in a proof stands for every value, so a merge is sound; where
names hide what is needed, values say which of them must be spelled out.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

import sympy as sp
from flint import arb, ctx

from symnet.checking.code.forms import factor, form, ratios
from symnet.checking.code.nodes import Node
from symnet.checking.code.tidying import Tidy
from symnet.checking.code.truth import Truth, met, sign_of, value_of
from symnet.checking.code.values import BITS
from symnet.core.decimals import as_ball
from symnet.core.functions import relu, step
from symnet.core.matrices import written_out
from symnet.core.numbers import to_flint
from symnet.core.time_limit import time_is_over
from symnet.core.verdict import Answer, Verdict
from symnet.equality.compare import prove_equal
from symnet.equality.difference_is_zero import judged
from symnet.equality.domain import Domain
from symnet.equality.fractions import TooLarge
from symnet.equality.null_sets import is_null
from symnet.equality.points import suited
from symnet.errors import UnknownNodeError

LARGE, QUICK = 4000, 800  # nodes of an expression in a proof; in one for a node in between
INLINE = 150  # nodes of an expression that is written out without a name of its own
NONE = (sp.nan, sp.oo, sp.zoo)
FEW, SHORT = 3, 120  # cases that are taken apart; nodes of two sides whose cases are, however many
CASES = (step, relu, sp.Max, sp.Min, sp.Abs, sp.sign, sp.Piecewise)
ROUNDS = (0, 1, 2)  # free values: all positive, then of either sign
Matched = dict[Any, list[sp.Symbol]]
LATE = Verdict(Answer.UNDECIDED, reason="equal at exact points, but the time for a proof was over")
NO = Verdict(Answer.UNDECIDED, reason="equal at exact points, but no proof was found")


def size(expr: sp.Basic, most: int = LARGE) -> int:
    """How many nodes an expression has, counted up to ``most``."""
    return sum(1 for _ in islice(sp.preorder_traversal(expr), most))


class Prover:
    """One graph against one Truth. ``values`` are those of the nodes at the points, ``right`` those of the scalars."""

    def __init__(self, truth: Truth, values: list[Mapping[Node, Any]], right: list[Mapping[Any, Any]], kinks: bool = False) -> None:
        self.truth, self.values, self.right = truth, values, right
        self.tidy = Tidy(self.thin if kinks else None)
        self.form: dict[Node, sp.Expr] = {}
        self.definitions = dict(truth.definitions)
        self.rank: dict[sp.Symbol, float] = dict(truth.rank)
        self.about: dict[sp.Symbol, Any] = {}
        self.conditions: dict[sp.Symbol, str] = {}
        self.cuts: dict[str, set[str]] = {}
        self._free: dict[tuple[sp.Symbol, int], Any] = {}
        self.domain_used: dict[str, None] = {}  # where the objective has a value, as far as a proof needed it
        self._thin: dict[sp.Expr, bool] = {}
        self.matched: Matched = {}
        for s in truth.definitions:
            key = ratios([r[s] for r in right])
            if key is not None:
                self.matched.setdefault(key, []).append(s)

    def write(self, order: Iterable[Node]) -> None:
        """Give each node its form in names of the derivation, arguments first."""
        for node in order:
            if node not in self.form:
                self.form[node] = self._form(node)

    def _form(self, node: Node) -> sp.Expr:
        made = self._written(node)
        if node.is_condition or not node.args or made.is_Symbol or made.is_number:
            return made
        mine = [v[node] for v in self.values]
        here = made.free_symbols
        likely = [(s, f) for s in self.matched.get(ratios(mine), ()) if (f := factor(mine, [r[s] for r in self.right])) is not None]
        likely.sort(key=lambda pair: -len(here & self.truth.definitions[pair[0]].free_symbols))
        for s, times in likely[:2]:
            if self.equal(made, times * s, QUICK).holds:
                return times * s
        if size(made, INLINE) == INLINE:
            return self._named(node, made)
        return made

    def _named(self, node: Node, made: sp.Expr) -> sp.Symbol:
        name = sp.Symbol(f"n{node.number}_", **{sign_of(made): True})
        self.definitions[name] = made
        self.rank[name] = max((self.rank.get(s, -1) for s in made.free_symbols), default=-1) + 1e-6 * (1 + node.number / 1e6)
        return name

    def _written(self, node: Node) -> sp.Expr:
        op, args = node.op, [self.form[a] for a in node.args]
        if op == "num":
            return sp.Rational(int(node.value.p), int(node.value.q))
        if op == "var":
            return self.truth.there.get(node.value, node.value)
        if op == "about":
            symbol = sp.Symbol(f"r{node.number}_", **{"positive" if node.value > 0 else "negative": True})
            self.about[symbol] = arb(node.value, abs(node.value) * 2e-15)
            return symbol
        if op in ("inf", "unset"):
            return sp.nan
        return self._of_activations(form(op, args))

    def _of_activations(self, made: sp.Expr) -> sp.Expr:
        """The mask of an activation as the mask of what goes into it: [a > 0], [a != 0] and sign(a) are [z > 0] where a is relu(z)."""
        there: dict[sp.Basic, sp.Basic] = {}
        for node in made.atoms(step, sp.sign, sp.Gt, sp.Ne):
            size, name = (node.args[0] if isinstance(node, (step, sp.sign)) else node.lhs - node.rhs).as_coeff_Mul()
            right = self.definitions.get(name)
            if isinstance(right, relu) and size > 0:
                there[node] = step(right.args[0]) if isinstance(node, (step, sp.sign)) else sp.Gt(right.args[0], 0)
        return made.xreplace(there) if there else made

    def equal(self, left: sp.Expr, right: sp.Expr, most: int = LARGE) -> Verdict:
        """PROVED or ALMOST_EVERYWHERE; else UNDECIDED. Names are spelled out as far as values say that it is needed."""
        if left == right:
            return Verdict(Answer.PROVED, "normal form")
        if left.has(*NONE) or right.has(*NONE):
            return Verdict(Answer.UNDECIDED, reason="an infinite value, or an entry that was never set")
        where = self._parent(right)
        top = {s: self.definitions[s] for s in right.free_symbols if s in self.definitions}
        right = right.xreplace(top) if where else right
        many = most > QUICK and self.tidy.kinks  # the last attempt at an entry, no node in between
        best = self._try(left, right, many)
        if best.answer is Answer.PROVED:
            return best
        for cut in ([self.cuts[where]] if where in self.cuts else []) + [None] + ([set[str]()] if many else []):
            open_ = cut == set()  # steps agree by chance at a few values: at last nothing is kept closed, where that is short
            cut = self._cut(left, right) if cut is None else cut
            if cut is None:
                break
            sides = self.spelled(left, SHORT if open_ else most, cut), self.spelled(right, SHORT if open_ else most, cut)
            if None in sides:
                break
            found = self._try(*sides, many)
            if found.answer is Answer.PROVED:
                self.cuts[where] = cut
                return found
            best = found if found.answer is not Answer.UNDECIDED else best
        return best

    def _parent(self, expr: sp.Expr) -> str:
        named = [s for s in expr.free_symbols if s in self.truth.parent]
        return self.truth.parent[named[0]] if len(named) == 1 else ""

    def _try(self, left: sp.Expr, right: sp.Expr, many: bool = False) -> Verdict:
        if left == right:
            return Verdict(Answer.PROVED, "normal form")
        if time_is_over():
            return LATE
        if size(left) >= LARGE or size(right) >= LARGE:
            return NO
        if not all(self._agree(left, right, {}, r) or self._outside(left, right, r) for r in ROUNDS):
            return NO
        left, right = self.tidy(left), self.tidy(right)
        if left == right:
            return Verdict(Answer.PROVED, "normal form")
        found = _proof(left, right, self.thin, self.truth.domain, SHORT if many else 0)
        if found.reason and found.answer is not Answer.UNDECIDED:
            self.domain_used[found.reason] = None
        return found if found.answer is not Answer.UNDECIDED else NO

    def thin(self, u: sp.Expr) -> bool:
        """True when the zeros of ``u``, an expression in names, are shown to have measure zero among the inputs."""
        if u not in self._thin:
            self._thin[u] = any(map(is_null, self._opened(u)))
        return self._thin[u]

    def _opened(self, u: sp.Expr) -> Iterator[sp.Expr]:
        """``u`` with more and more names written out, down to the inputs. Names are kept that do not depend on an input which stands in
        ``u`` itself: for each value of theirs the zeros in that input can be counted."""
        while True:
            here = [s for s in u.free_symbols if s in self.definitions]
            inputs = {s for s in u.free_symbols - self.about.keys() if s not in self.definitions and not self._uses(here, s)}
            free = {s: sp.Dummy(str(s), rational=True) for s in u.free_symbols if s not in inputs}
            if inputs:
                yield u.xreplace(free)
            if not here:
                return
            last = max(self.rank[s] for s in here)
            u = u.xreplace({s: self.definitions[s] for s in here if self.rank[s] == last})
            if size(u) >= LARGE:
                return

    def _uses(self, names: list[sp.Symbol], symbol: sp.Symbol) -> bool:
        """Does one of the names depend on the symbol?"""
        return any(symbol in self.definitions[s].free_symbols for s in self._cone(*names))

    def _free_value(self, symbol: sp.Symbol, round_: int) -> Any:
        if symbol in self.about:
            return self.about[symbol]
        if (symbol, round_) not in self._free:
            dice = random.Random(f"{symbol}{round_}")
            value = sp.Rational(dice.randint(1, 255), 64)  # few symbols tie
            value = value if round_ == 0 or dice.random() < 0.5 else -value
            self._free[symbol, round_] = to_flint(suited(symbol, value))
        return self._free[symbol, round_]

    def _agree(self, left: sp.Expr, right: sp.Expr, values: Mapping[Any, Any], round_: int) -> bool:
        """Can the sides be equal when every name that has no value in ``values`` is free?"""
        names = left.free_symbols | right.free_symbols
        point = {s: values[s] if s in values else self._free_value(s, round_) for s in names}
        a, b = value_of(left, point), value_of(right, point)
        if a is None or b is None:
            return a is None and b is None
        with ctx.workprec(BITS):
            return bool(as_ball(a - b).contains(0))

    def _outside(self, left: sp.Expr, right: sp.Expr, round_: int) -> bool:
        """Has the objective no value there, as log x has none for x < 0? The first round, all positive, counts anyway."""
        if round_ == 0:
            return False
        names = left.free_symbols | right.free_symbols
        point = {s: self._free_value(s, round_) for s in names}
        return any(met(u, sign, point) for u, sign in self.truth.domain.holes if u.free_symbols <= names)

    def _cone(self, *sides: sp.Expr) -> list[sp.Symbol]:
        """The defined names that the sides depend on, definitions first."""
        found: set[sp.Symbol] = set()
        waiting = [s for side in sides for s in side.free_symbols]
        while waiting:
            s = waiting.pop()
            if s in self.definitions and s not in found:
                found.add(s)
                waiting += self.definitions[s].free_symbols
        return sorted(found, key=lambda s: self.rank[s])

    def _cut(self, left: sp.Expr, right: sp.Expr) -> set[str] | None:
        """The tensors that may stay names: with every value of theirs the sides are still equal, as far as values tell."""
        cone = self._cone(left, right)
        inputs = {s for x in (left, right, *[self.definitions[s] for s in cone]) for s in x.free_symbols} - set(cone)

        def holds_at(cut: set[str], round_: int) -> bool:
            values = {s: self._free_value(s, round_) for s in inputs}
            for s in cone:
                values[s] = self._free_value(s, round_) if self._title(s) in cut else value_of(self.definitions[s], values)
            return self._agree(left, right, values, round_)

        def holds(cut: set[str]) -> bool:
            return all(holds_at(cut, r) for r in ROUNDS)

        if not holds(set()):
            return None
        cut: set[str] = set()
        for title in dict.fromkeys(self._title(s) for s in reversed(cone)):
            if holds(cut | {title}):
                cut.add(title)
        return cut

    def _title(self, s: sp.Symbol) -> str:
        return self.truth.parent.get(s, str(s))

    def spelled(self, expr: sp.Expr, most: int, cut: frozenset[str] | set[str] = frozenset()) -> sp.Expr | None:
        """``expr`` with every name that is not in ``cut`` put in, the latest first; None when it has more than ``most`` nodes."""
        while True:
            here = [s for s in expr.free_symbols if s in self.definitions and self._title(s) not in cut]
            if not here:
                return expr
            last = max(self.rank[s] for s in here)
            title = {self._title(s) for s in here if self.rank[s] == last}
            expr = expr.xreplace({s: self.definitions[s] for s in here if self._title(s) in title})
            if size(expr, most) >= most:
                return None


def _proof(left: sp.Expr, right: sp.Expr, null: Callable[[sp.Expr], bool], domain: Domain, short: int) -> Verdict:
    """By normal form; region by region only where there are few cases, since regions double with each.

    ``null`` says of something in names that its zeros are a null set among the inputs: a name such as min(x, 4) may be 4 everywhere.
    """
    cases = left.atoms(*CASES) | right.atoms(*CASES)
    if len(cases) > FEW and size(left, SHORT) + size(right, SHORT) >= short:
        try:
            _, _, same = judged(written_out(left), written_out(right))
        except (TooLarge, UnknownNodeError, ZeroDivisionError, RecursionError):
            return NO
        if not same:
            return NO
    return prove_equal(left, right, null, domain)
