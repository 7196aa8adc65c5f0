"""Slopes of piecewise functions that are smooth where a case changes: the one-sided limits come before a convention.

relu(z) + log(1 + exp(-|z|)) is softplus, which is smooth, though neither part is: by the conventions relu'(0) = 0 and |·|'(0) = 0 its
slope at 0 would be 0, and it is 1/2. So where a line of a gradient has several terms with a case at the same u = 0, its limits for
u ↑ 0 and u ↓ 0 are compared. Where they are shown to be equal, and the conventions give something else, every case at u = 0 is written
so that u = 0 belongs to the side below: sign(u) as 2 step(u) - 1, step(-u) as 1 - step(u). That changes nothing where u ≠ 0, and at
u = 0 gives the limit, which is the slope there (a continuous function whose slope has a limit has it as its slope). A kink that stays
one, such as |z| alone, keeps its convention. So does all that asks about u where a line of the program jumps at u = 0: [1 <= x <= 1] a
has the slope 1 in a at x = 1, and 0 on both sides.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from itertools import chain, combinations, islice

import sympy as sp
from sympy.core.parameters import distribute
from sympy.core.relational import Relational

from symnet.calculus.chain import flat_indices
from symnet.core.expressions import BINDERS, entries, fresh, unlettered
from symnet.core.functions import leaky_relu, relu, step
from symnet.core.numbers import enclose
from symnet.core.program import Definition, Program, right_side_at
from symnet.core.schedule import schedule
from symnet.core.tensors import entry_indices, tensor_name
from symnet.errors import SymnetError

UNKNOWN = (SymnetError, NotImplementedError, RecursionError, ValueError, TypeError)  # the last: SymPy compares no infinity
MOST_PARTS, MOST_KEY, MOST_STAGES = 500, 60, 12
STRICT = {sp.Ge: sp.Gt, sp.Lt: sp.Le, sp.Gt: sp.Gt, sp.Le: sp.Le}  # what a comparison of c u with 0, c > 0, is with u = 0 below
LOOSE = {sp.Gt: sp.Ge, sp.Le: sp.Lt, sp.Ge: sp.Ge, sp.Lt: sp.Lt}  # and for c < 0
TRUTH = {sp.Gt: 1, sp.Ge: 1, sp.Lt: -1, sp.Le: -1}


class OneSided:
    """The kinks of one program, and the lines that an expression may be written out by."""

    def __init__(self, program: Program) -> None:
        loops = {d.name for block in schedule(program) if block.is_loop for d in block.definitions}
        self.lines: dict[str, Definition] = {n: ds[0] for n, ds in program.by_name.items() if len(ds) == 1 and n not in loops}
        self.order = {n: k for k, n in enumerate(self.lines)}
        with distribute(True):
            asked = [set(map(_key, self._levels(u))) for d in program.definitions for u in _kinks(d.expr)]
            self.meet = any(a & b for a, b in combinations(asked, 2))  # two kinks at one place
            jumps = [u for d in program.definitions for u in _jumps(d.expr)] if self.meet else []
            self.jumps = {key for u in jumps for key in map(_key, self._levels(u))}

    def add(self, line: Definition) -> None:
        """One more line, of the gradient."""
        if line.name not in self.lines:
            self.order[line.name] = len(self.order)
            self.lines[line.name] = line

    def smooth(self, expr: sp.Expr) -> tuple[sp.Expr, list[sp.Expr]]:
        """The line with its limit where that exists and the conventions give something else; and what is 0 there."""
        if not self.meet:
            return expr, []
        with distribute(True):
            try:
                return self._smooth(expr)
            except UNKNOWN:
                return expr, []

    def _smooth(self, expr: sp.Expr) -> tuple[sp.Expr, list[sp.Expr]]:
        found: list[sp.Expr] = []
        for node in [n for n in sp.preorder_traversal(expr) if isinstance(n, sp.Sum)]:
            body, more = self._smooth(node.function)
            if more:
                expr, found = expr.xreplace({node: sp.Sum(body, *node.limits)}), found + more
        stages = list(self._stages(expr))
        for u in self._shared(stages):
            made = self._at(u, expr)
            if made is not None:
                expr, found = made, [*found, u]
        return expr, found

    def _stages(self, expr: sp.Expr) -> Iterator[sp.Expr]:
        """The expression, and with one name after another written out, the latest first."""
        for _ in range(MOST_STAGES):
            yield expr
            open_ = [n for n in {tensor_name(e) for e in entries(expr)} if n in self.lines]
            if not open_:
                return
            last = self.lines[max(open_, key=self.order.__getitem__)]
            expr = fresh(expr).xreplace({e: right_side_at(last, entry_indices(e)) for e in entries(expr) if tensor_name(e) == last.name})
            if sum(1 for _ in islice(sp.preorder_traversal(expr), MOST_PARTS)) >= MOST_PARTS:
                return

    def _levels(self, u: sp.Expr) -> Iterator[sp.Expr]:
        for level in self._stages(u):
            if sum(1 for _ in islice(sp.preorder_traversal(level), MOST_KEY)) >= MOST_KEY:
                return
            yield level

    @staticmethod
    def _shared(stages: Iterable[sp.Expr]) -> list[sp.Expr]:
        """What two different cases ask about, at one stage or another."""
        found: dict[sp.Expr, None] = {}
        for stage in stages:
            cases: dict[sp.Expr, set[sp.Basic]] = {}
            for case in _cases(stage):
                cases.setdefault(_primitive(_asked(case))[0], set()).add(case)
            found |= dict.fromkeys(u for u, same in cases.items() if len(same) > 1)
        return list(found)

    def _at(self, u: sp.Expr, expr: sp.Expr) -> sp.Expr | None:
        """The line with u = 0 put below, written out as little as will do; None where it may stay or no limit is shown."""
        solution = _solved(u)
        if solution is None or _always_somewhere(u) or any(_key(level) in self.jumps for level in self._levels(u)):
            return None
        stages = list(self._stages(expr))
        for whole in reversed(stages):
            below, above = (_one_side(whole, u, side).xreplace(solution) for side in (-1, 1))
            if not _vanishes(above - below):
                continue
            if _vanishes(whole.xreplace(solution) - below):
                return None  # the conventions give the limit
            for stage in stages:
                made = _put_below(stage, u)
                if made != stage and any(_vanishes(w.xreplace(solution) - below) for w in self._stages(made)):
                    return made
        return None


def _always_somewhere(u: sp.Expr) -> bool:
    """True where u is 0 for every input at some places: x[i] - x[k] at i = k, where no side of 0 is ever reached."""
    for a, b in combinations(u.atoms(sp.Indexed), 2):
        there: dict[sp.Symbol, sp.Expr] = {}
        for p, q in zip(a.indices, b.indices, strict=False):
            gap = sp.expand((p - q).xreplace(there))
            index = next((s for s in gap.free_symbols if not s.is_positive and gap.coeff(s, 1).is_Rational), None)
            if index is not None:
                value = index - gap / gap.coeff(index, 1)
                there = {i: e.xreplace({index: value}) for i, e in there.items()} | {index: value}
        at = flat_indices(u.xreplace(there))
        if a.base == b.base and there and sp.expand(at) == 0:
            return True
    return False


def _jumps(expr: sp.Basic) -> Iterator[sp.Expr]:
    """What the cases of a right side ask about at which it is not shown to be continuous."""
    for node in [n for n in sp.preorder_traversal(expr) if isinstance(n, sp.Sum)]:
        yield from _jumps(node.function)
    for u in dict.fromkeys(_primitive(_asked(case))[0] for case in _cases(expr)):
        try:
            if not _continuous(expr, u):
                yield u
        except UNKNOWN:
            yield u


def _continuous(expr: sp.Basic, u: sp.Expr) -> bool:
    """Are the limits from both sides of u = 0 shown to be the value there?"""
    solution = _solved(u)
    if solution is None:
        return False
    below, there, above = (one.xreplace(solution) for one in (_one_side(expr, u, -1), expr, _one_side(expr, u, 1)))
    return _vanishes(above - below) and _vanishes(there - below)


def _kinks(expr: sp.Basic) -> Iterator[sp.Expr]:
    """What the kinks of a right side ask about."""
    for node in sp.preorder_traversal(expr):
        if isinstance(node, (relu, leaky_relu, sp.Abs, step, sp.sign)):
            yield node.args[0]
        elif isinstance(node, (sp.Max, sp.Min)):
            yield from (a - b for a, b in combinations(node.args, 2))
        elif isinstance(node, Relational) and next(entries(node), None) is not None:
            yield node.lhs - node.rhs


def _cases(expr: sp.Basic) -> Iterator[sp.Basic]:
    """Steps, signs and comparisons; those under sums have indices of their own."""
    if isinstance(expr, (*BINDERS, sp.Indexed)):
        return
    if isinstance(expr, (step, sp.sign)) or (isinstance(expr, Relational) and not isinstance(expr, (sp.Eq, sp.Ne))):
        yield expr
    yield from chain.from_iterable(map(_cases, expr.args))


def _asked(case: sp.Basic) -> sp.Expr:
    return case.lhs - case.rhs if isinstance(case, Relational) else case.args[0]


def _primitive(u: sp.Expr) -> tuple[sp.Expr, int]:
    """(v, s) with u = s |c| v, where all multiples of one expression share v."""
    content, rest = sp.expand(u).as_content_primitive()
    sign = 1 if content > 0 else -1
    return (-rest, -sign) if rest.could_extract_minus_sign() else (rest, sign)


def _key(u: sp.Expr) -> sp.Expr:
    """``_primitive`` with the names of indices forgotten."""
    return _primitive(unlettered(u))[0]


def _of(case: sp.Basic, u: sp.Expr) -> int:
    """1 or -1 where the case asks about a positive or negative multiple of u, else 0."""
    if not isinstance(case, (step, sp.sign, Relational)):
        return 0
    v, sign = _primitive(_asked(case))
    return sign if v == u else 0


def _one_side(expr: sp.Basic, u: sp.Expr, side: int) -> sp.Basic:
    """The expression where u has this sign, close to 0."""
    sign = side * _of(expr, u)
    if sign:
        if isinstance(expr, step):
            return sp.Integer(sign > 0)
        if isinstance(expr, sp.sign):
            return sp.Integer(sign)
        return sp.true if isinstance(expr, sp.Ne) or TRUTH.get(expr.func) == sign else sp.false
    return _mapped(expr, lambda a: _one_side(a, u, side))


def _put_below(expr: sp.Basic, u: sp.Expr) -> sp.Basic:
    """The same expression, in which u = 0 goes with u < 0."""
    sign = _of(expr, u)
    if sign and isinstance(expr, (step, sp.sign)):
        v = expr.args[0] if sign > 0 else sp.expand(-expr.args[0])
        up = step(v)
        whole = up if isinstance(expr, step) else 2 * up - 1
        return whole if sign > 0 else (1 if isinstance(expr, step) else 0) - whole
    if sign and isinstance(expr, (sp.Eq, sp.Ne)):
        return sp.false if isinstance(expr, sp.Eq) else sp.true
    if sign:
        return (STRICT if sign > 0 else LOOSE)[expr.func](*expr.args)
    return _mapped(expr, lambda a: _put_below(a, u))


def _mapped(expr: sp.Basic, change: object) -> sp.Basic:
    if not expr.args or isinstance(expr, (*BINDERS, sp.Indexed)):
        return expr
    args = tuple(change(a) for a in expr.args)  # type: ignore[operator]
    return expr if args == expr.args else expr.func(*args)


def _solved(u: sp.Expr) -> dict[sp.Expr, sp.Expr] | None:
    """u = 0 solved for a number or an entry that stands in it once, with a number."""
    for e in sorted(set(entries(u)), key=str):
        c = u.coeff(e, 1)
        rest = sp.expand(u - c * e)
        if c.is_Rational and c != 0 and not any(tensor_name(e) == tensor_name(f) and e == f for f in entries(rest)):
            return {e: -rest / c}
    return None


def _vanishes(expr: sp.Basic) -> bool:
    """True when the expression is shown to be 0: as a fraction of polynomials in what is no sum, product or power of them."""
    if expr == 0:
        return True
    if not isinstance(expr, sp.Expr) or expr.has(sp.nan, sp.zoo, sp.oo):
        return False
    known: dict[sp.Basic, sp.Symbol] = {}
    flat = _flat(expr, known)
    dice = random.Random(1)
    for _ in range(2):  # a point tells sooner that it is not 0
        try:
            if not enclose(flat, {s: sp.Rational(dice.randint(2, 99), 31) for s in flat.free_symbols}).contains(0):
                return False
        except (SymnetError, ZeroDivisionError):
            continue
    above = sp.fraction(sp.together(flat))[0]
    return bool(sp.expand(above) == 0)


def _flat(expr: sp.Expr, known: dict[sp.Basic, sp.Symbol]) -> sp.Expr:
    """Everything but sums, products, whole powers and numbers as a symbol of its own."""
    whole = isinstance(expr, sp.Pow) and expr.exp.is_Integer
    if expr.is_Rational:
        return expr
    if isinstance(expr, (sp.Add, sp.Mul)) or whole:
        return expr.func(*[_flat(a, known) for a in expr.args])
    if isinstance(expr, sp.exp) and expr.args[0].could_extract_minus_sign():
        return 1 / _flat(sp.exp(-expr.args[0]), known)
    return known.setdefault(expr, sp.Dummy(f"f{len(known)}", real=True))


