"""Looking for a proof of 0 ≤ e. The search proposes; every line is made by the kernel, or there is none.

In turn: the sign as it is written; a case for each |u|, relu(u), max(u, v); forms in which the sign is seen (factors, squares,
exponentials as positive letters); sums of squares over indices; a sum of hypotheses with multipliers (Farkas's lemma, with products and
squares: Positivstellensatz certificates of low degree); divisors multiplied out; increasing functions taken off; tangents of convex
functions; and the sign of the derivative on both sides of a point where e is known.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from fractions import Fraction
from typing import Any

import sympy as sp
from sympy.polys.polyerrors import BasePolynomialError

from symnet.core.axes import is_index
from symnet.core.claim import Statement
from symnet.core.expressions import limits
from symnet.core.functions import TABLE, Max, Min, leaky_relu, relu, sigmoid, softplus, step
from symnet.core.number_sets import like, numbers_of
from symnet.core.numbers import enclose
from symnet.core.text import text
from symnet.equality import order
from symnet.equality.fourier_motzkin import Row, solution
from symnet.equality.signs import FROM_ZERO, PLUS, TO_ZERO
from symnet.errors import ProofError, SymnetError
from symnet.proofs import inequality_rules as rules
from symnet.proofs import kernel
from symnet.proofs.counterexamples import failing_point
from symnet.proofs.kernel import Proof

Hypotheses = tuple[Statement, ...]
CASES = (sp.Abs, relu, step, leaky_relu, sp.sign, Max, Min)
I_ONE = sp.Symbol("i_", integer=True)
DEEPEST, MOST_LETTERS, MOST_GAPS = 5, 6, 40
RULES_THAT_FAIL = (ProofError, SymnetError, ArithmeticError, BasePolynomialError, NotImplementedError, RecursionError)


def prove_nonnegative(expr: sp.Expr, strict: bool, hypotheses: Hypotheses = (), seconds: float = 10) -> Proof | None:
    """A proof of 0 ≤ expr, or 0 < expr with ``strict``, under (some of) the hypotheses; None when none is found.

    >>> x = sp.Symbol("x", real=True)
    >>> print(prove_nonnegative(sp.exp(x) - 1 - x, False).statements[0])
    0 <= -x + exp(x) - 1
    """
    return Search(seconds).prove(expr, strict, hypotheses, 0)


class Search:
    """One search with its limit in seconds."""

    def __init__(self, seconds: float) -> None:
        self.end = time.monotonic() + seconds
        self.failed: set[tuple[sp.Expr, bool, frozenset[Statement]]] = set()

    def prove(self, e: sp.Expr, strict: bool, given: Hypotheses, depth: int) -> Proof | None:
        """0 ≤ e, by the first way that leads somewhere."""
        key = (e, strict, frozenset(given))
        if e.has(sp.nan, sp.zoo, sp.oo, -sp.oo):
            return None
        if depth > DEEPEST or time.monotonic() > self.end or key in self.failed or impossible(e, strict, given):
            return None
        for way in (self.by_sign, self.by_hypothesis, self.by_cases, self.by_form, self.by_squares_of_sums, self.by_sum,
                    self.without_divisor, self.by_increase, self.by_convexity, self.by_derivative, self.by_opening, self.by_logarithm):
            try:
                found = way(e, strict, given, depth)
            except RULES_THAT_FAIL:
                continue
            if found is not None:
                return found
        self.failed.add(key)
        return None

    def by_sign(self, e: sp.Expr, strict: bool, given: Hypotheses, depth: int) -> Proof | None:
        """As it is written."""
        used = needed(e, strict, given)
        if used is None:
            return None
        proof = rules.sign(e, "<" if strict else "<=", used)
        return kernel.noted(proof, f"{'positive' if strict else 'never negative'}, {'by what is supposed' if used else 'as it is written'}")

    def by_hypothesis(self, e: sp.Expr, strict: bool, given: Hypotheses, depth: int) -> Proof | None:
        """One of the hypotheses, in another form; for all sizes, too."""
        for h in given:
            if h.over is not None or h.general or h.relation not in ("<=", "<") or (strict and h.relation != "<") or not e.has(sp.Sum):
                continue
            try:
                proof = rules.combine(kernel.noted(kernel.given(h), "given"), sp.S.Zero, h.relation, e, sp.S.Zero, (sp.S.One,), ())
            except ProofError:
                continue
            return kernel.noted(proof, "this is what is given, in another form")
        return None

    def by_squares_of_sums(self, e: sp.Expr, strict: bool, given: Hypotheses, depth: int) -> Proof | None:
        """Σa² Σb² - (Σab)² = ½ΣΣ (a_i b_j - a_j b_i)² (Lagrange), for factors a, b of the summands; with b = 1 a variance."""
        if strict:
            return None
        for form in itertools.islice(_lagrange(e), 40):
            try:
                proof = rules.combine(sp.S.Zero, "<=", e, form, (), needed(form, False, given) or ())
            except ProofError:
                continue
            return kernel.noted(proof, "a sum of squares")
        return None

    def by_form(self, e: sp.Expr, strict: bool, given: Hypotheses, depth: int) -> Proof | None:
        """In another form."""
        for form in forms(e):
            used = needed(form, strict, given)
            if used is None:
                continue
            try:
                proof = rules.combine(sp.S.Zero, "<" if strict else "<=", e, form, (), used)
            except ProofError:
                continue
            return kernel.noted(proof, f"in this form it is seen to be {'positive' if strict else 'never negative'}")
        return None

    def by_cases(self, e: sp.Expr, strict: bool, given: Hypotheses, depth: int) -> Proof | None:
        """On both sides of a kink."""
        nodes = [n for n in sp.postorder_traversal(e) if isinstance(n, CASES) and not any(isinstance(m, CASES) for a in n.args
                                                                                         for m in sp.preorder_traversal(a))]
        if not nodes:
            return None
        border = _border(nodes[0])
        facts = order.Facts(given)
        found = order.signs(border, facts)
        if found <= FROM_ZERO or found <= TO_ZERO:
            return self._in_case(e, strict, given, nodes, depth)
        zero = sp.S.Zero
        pair = (Statement(zero, border, None, "<"), Statement(border, zero, None, "<="))
        if all(order.signs(_border(n), order.Facts((*given, Statement(zero, border, None, "<=")))) <= FROM_ZERO for n in nodes
               if _border(n) == border) and not any(isinstance(n, (step, sp.sign)) for n in nodes):
            pair = (Statement(zero, border, None, "<="), Statement(border, zero, None, "<="))
        proofs = [self._in_case(e, strict, (*given, case), nodes, depth + 1) for case in pair]
        if proofs[0] is None or proofs[1] is None:
            return None
        said = f"{text(border)} is positive, or it is not" if pair[0].relation == "<" else f"{text(border)} ≥ 0 or ≤ 0"
        return kernel.noted(rules.cases(proofs[0], proofs[1], *pair), f"in both cases: {said}")

    def _in_case(self, e: sp.Expr, strict: bool, given: Hypotheses, nodes: Sequence[sp.Expr], depth: int) -> Proof | None:
        """With the cases put in that the hypotheses decide."""
        equal = kernel.algebra(e, e)
        changed = e
        for node in nodes:
            try:
                put = rules.branch(node, needed_case(node, given))
            except ProofError:
                continue
            equal = kernel.rewrite(kernel.noted(put, "the case that is left"), equal)
            changed = equal.statements[0].right
        if changed == e:
            return None
        inner = self.prove(changed, strict, given, depth)
        if inner is None:
            return None
        return kernel.noted(rules.combine(equal, inner, sp.S.Zero, "<" if strict else "<=", e, sp.S.Zero, (sp.S.NegativeOne, sp.S.One), ()),
                            "the same with the case put in")

    def by_sum(self, e: sp.Expr, strict: bool, given: Hypotheses, depth: int) -> Proof | None:
        """A sum of hypotheses, of their products and of squares."""
        facts = order.Facts(given)
        gaps = list(itertools.islice(_gaps(e, given, facts), MOST_GAPS))
        return _certificate(e, strict, given, gaps, facts) if gaps else None

    def without_divisor(self, e: sp.Expr, strict: bool, given: Hypotheses, depth: int) -> Proof | None:
        """What stands over a positive divisor."""
        whole = sp.together(e)
        above, below = sp.fraction(whole)
        if below == 1 or below.is_number:
            return None
        used = needed(below, True, given)
        if used is None:
            if needed(-below, True, given) is None:
                return None
            above, below, used = -above, -below, needed(-below, True, given)
        inner = self.prove(sp.expand(above), strict, given, depth + 1)
        if inner is None:
            return None
        proof = rules.combine(inner, sp.S.Zero, "<" if strict else "<=", e, sp.S.Zero, (1 / below,), used)
        return kernel.noted(proof, f"divide by {text(below)}, which is positive")

    def by_increase(self, e: sp.Expr, strict: bool, given: Hypotheses, depth: int) -> Proof | None:
        """f(a) ≤ f(b) from a ≤ b."""
        if not (isinstance(e, sp.Add) and len(e.args) == 2):
            return None
        for down, up in (e.args, e.args[::-1]):
            low, high = _argument(-down), _argument(up)
            if low is None or high is None or type(-down) is not type(up):
                continue
            letter = sp.Symbol("_x", real=True)
            function = up.func(letter, *up.args[1:]) if not isinstance(up, sp.Pow) else sp.Pow(letter, up.exp)
            if order.increasing(function, letter) is None or (isinstance(up, sp.Pow) and (-down).exp != up.exp):
                continue
            inner = self.prove(high - low, strict, given, depth + 1)
            if inner is None:
                continue
            less = rules.combine(inner, low, "<" if strict else "<=", high, sp.S.Zero, (sp.S.One,), ())
            more = kernel.noted(rules.increasing(less, function, letter), f"{text(up.func(sp.Symbol('x')))[:-3]} increases"
                                if isinstance(up, sp.Function) else "the power increases")
            return rules.combine(more, sp.S.Zero, "<" if strict else "<=", e, sp.S.Zero, (sp.S.One,), ())
        return None

    def by_convexity(self, e: sp.Expr, strict: bool, given: Hypotheses, depth: int) -> Proof | None:
        """Jensen's inequality and tangents: Σ c_k f(a_k) ≥ (Σ c_k) f(m), from the tangents at m; and a tangent itself."""
        kinds = {type(n) for n in e.atoms(sp.Function)} & set(order.SMOOTH)
        for kind in sorted(kinds, key=lambda k: str(k.__name__)):
            terms = _coefficients(e, sorted(e.atoms(kind), key=str))
            for sign in (1, -1):
                found = self._tangents(e, strict, given, kind, {n.args[0]: sign * c for n, c in terms.items()}, sign, depth)
                if found is not None:
                    return found
        return None

    def _tangents(self, e: sp.Expr, strict: bool, given: Hypotheses, kind: type[sp.Function], terms: dict[sp.Expr, sp.Expr], sign: int,
                  depth: int) -> Proof | None:
        facts = order.Facts(given)
        ups = [a for a, c in terms.items() if order.signs(c, facts) <= FROM_ZERO]
        middles = [a for a in terms if a not in ups] or [a for a in terms if len(terms) == 2]
        if strict or not 1 <= len(ups) <= 4 or not middles:
            return None
        letter = sp.Symbol("_x", real=True, **({"positive": True} if kind is sp.log else {}))
        function = sign * kind(letter)
        bend = self.prove(sp.diff(function, letter, 2), False, (), depth + 1)
        if bend is None:
            return None
        m = middles[0]
        parts, weights = [], []
        for a in ups:
            if a != m:
                parts.append(kernel.noted(rules.tangent(bend, function, letter, m, a), "the tangent lies below the curve"))
                weights.append(terms[a])
        return kernel.noted(rules.combine(*parts, sp.S.Zero, "<=", e, sp.S.Zero, tuple(weights), _of(given, *weights)), "add the tangents")

    def by_derivative(self, e: sp.Expr, strict: bool, given: Hypotheses, depth: int) -> Proof | None:
        """e is known at a point, and rises on both sides of it."""
        if depth > 3:
            return None
        for x in numbers_in(e):
            above = [h for h in given if x in h.left.free_symbols | h.right.free_symbols]
            rest = tuple(h for h in given if h not in above)
            if not order.smooth(e, order.Facts(given)):
                return None
            for point, sides in _points(x, e, above):
                found = self._from(e, strict, rest, x, point, sides, depth)
                if found is not None:
                    return found
        return None

    def _from(self, e: sp.Expr, strict: bool, given: Hypotheses, x: sp.Symbol, point: sp.Expr, sides: dict[int, Statement | None],
              depth: int, ends: Hypotheses = ()) -> Proof | None:
        there = e.xreplace({x: point})
        open_only = all(h is not None and h.relation == "<" for h in sides.values())
        start = self._at(there, strict and not open_only, given, depth)
        if start is None:
            return None
        proofs = []
        for side, hypothesis in sides.items():
            slope = side * sp.diff(e, x)
            between = Statement(*((point, x) if side == 1 else (x, point)), None, "<")
            steep = strict and start.statements[0].relation != "<"
            tilt = self.prove(_shortest(slope), steep, (*given, *(h for h in ends if h != between), between), depth + 1)
            if tilt is None:
                return None
            tilt = _restated(tilt, slope)
            open_ = sp.Integer(int(hypothesis is not None and hypothesis.relation == "<"))
            made = rules.from_derivative(tilt, start, e, x, point, sp.Integer(side), open_)
            proofs.append(kernel.noted(made, f"it holds at {text(x)} = {text(point)}, and from there it rises to the "
                                             f"{'right' if side == 1 else 'left'}"))
        if len(proofs) == 1:
            return _with_hypothesis(proofs[0], *sides.values())
        pair = (Statement(point, x, None, "<="), Statement(x, point, None, "<="))
        return kernel.noted(rules.cases(proofs[0], proofs[1], *pair), f"on both sides of {text(point)}")

    def _at(self, there: sp.Expr, strict: bool, given: Hypotheses, depth: int) -> Proof | None:
        """0 ≤ e at the point."""
        if not strict and (there == 0 or kernel.equal(there, sp.S.Zero)):
            return kernel.noted(kernel.algebra(sp.S.Zero, there), "the value at the point")
        return self.prove(there, strict, given, depth + 1)


    def by_logarithm(self, e: sp.Expr, strict: bool, given: Hypotheses, depth: int) -> Proof | None:
        """A ≥ B from log A ≥ log B, where e holds one logarithm, or more: c log A + r ≥ 0 from A^c exp(r) ≥ 1."""
        whole = e.replace(softplus, lambda u: sp.log(1 + sp.exp(u)))
        logs = sorted(whole.atoms(sp.log), key=str)
        if not logs or depth > 2:
            return None
        terms = _coefficients(whole, logs)
        if any(not c.is_Integer for c in terms.values()):
            return None
        rest = sp.expand(whole - sum((c * n for n, c in terms.items()), sp.S.Zero))
        if rest.has(sp.log) or any(needed(n.args[0], True, given) is None for n in logs):
            return None
        up = sp.Mul(*[n.args[0] ** c for n, c in terms.items() if c > 0], *([sp.exp(rest)] if rest != 0 and _leading(rest) > 0 else []))
        down = sp.Mul(*[n.args[0] ** -c for n, c in terms.items() if c < 0], *([sp.exp(-rest)] if rest != 0 and _leading(rest) < 0 else []))
        inner = self.prove(sp.expand(up - down), strict, given, depth + 1)
        if inner is None:
            return None
        relation = "<" if strict else "<="
        less = rules.combine(inner, down, relation, up, sp.S.Zero, (sp.S.One,), _positive(given, up, down))
        letter = sp.Symbol("_x", positive=True)
        more = kernel.noted(rules.increasing(less, sp.log(letter), letter), "the logarithm increases")
        return rules.combine(more, sp.S.Zero, relation, e, sp.S.Zero, (sp.S.One,), _positive(given, up, down))

    def by_opening(self, e: sp.Expr, strict: bool, given: Hypotheses, depth: int) -> Proof | None:
        """With an end of a domain, or of a hypothesis, as the point from which e rises: for a new letter that may come to it."""
        if depth > 2:
            return None
        for x in numbers_in(e):
            numbers = numbers_of(x)
            low, high = numbers.ends
            u = sp.Symbol(f"{x.name}_", real=True)
            taken = {s for h in given for s in h.left.free_symbols | h.right.free_symbols}
            if numbers.members or numbers.apart or u in e.free_symbols or x in taken:
                continue
            for end, side in ((low, 1), (high, -1)):
                if end is None or not end[1]:
                    continue
                ends = [Statement(low[0], u, None, "<" if low[1] else "<=")] if low else []
                ends += [Statement(u, high[0], None, "<" if high[1] else "<=")] if high else []
                inner = self._from(e.xreplace({x: u}), strict, tuple(given), u, end[0], {side: _end_of(ends, side)}, depth, tuple(ends))
                if inner is None:
                    continue
                back = kernel.put(inner, u, x)
                support = [_shown_end(h, x) for h in back.hypotheses if x in h.left.free_symbols | h.right.free_symbols]
                return kernel.noted(kernel.cut(back, *support), f"for the numbers {text(x)} in {numbers}")
        return None


# The parts of the search -----------------------------------------------------------------------------------------------------------


def needed(e: sp.Expr, strict: bool, given: Hypotheses) -> Hypotheses | None:
    """The fewest hypotheses with which the sign of ``e`` is seen and it has a value; None when all are not enough."""
    wanted = PLUS if strict else FROM_ZERO

    def enough(some: Hypotheses) -> bool:
        facts = order.Facts(some)
        return order.signs(e, facts) <= wanted and order.defined(e, facts)

    return _fewest(enough, given)


def needed_case(node: sp.Expr, given: Hypotheses) -> Hypotheses:
    """The hypotheses that decide the case of a node; all when none do."""
    border = _border(node)
    wanted = (PLUS, TO_ZERO) if isinstance(node, (step, sp.sign)) else (FROM_ZERO, TO_ZERO)
    return _fewest(lambda some: any(order.signs(border, order.Facts(some)) <= w for w in wanted), given) or given


def _fewest(enough: Callable[[Hypotheses], bool], given: Hypotheses) -> Hypotheses | None:
    if enough(()):
        return ()
    if not enough(given):
        return None
    kept = given
    for h in given:
        less = tuple(k for k in kept if k != h)
        if enough(less):
            kept = less
    return kept


def _of(given: Hypotheses, *exprs: sp.Expr) -> Hypotheses:
    """Hypotheses that the signs of multipliers may use."""
    kept: list[Statement] = []
    for e in exprs:
        kept += needed(e, False, given) or ()
    return tuple(dict.fromkeys(kept))


def impossible(e: sp.Expr, strict: bool, given: Hypotheses, tries: int = 6) -> bool:
    """A quick look for a point at which 0 ≤ e fails: then no proof is looked for."""
    if e.has(sp.Sum, sp.Indexed) or any(side.has(sp.Sum, sp.Indexed) for h in given for side in (h.left, h.right)):
        return False
    return failing_point(sp.S.Zero, "<" if strict else "<=", e, given, tries) is not None


def _coefficients(e: sp.Expr, nodes: Sequence[sp.Expr]) -> dict[sp.Expr, sp.Expr]:
    """The factor of each node in a sum in which it stands once in a term."""
    letters = {n: sp.Dummy() for n in nodes}
    plain = sp.expand(e.xreplace(letters))
    return {n: plain.coeff(letters[n]) for n in nodes}


def _leading(e: sp.Expr) -> sp.Rational:
    return min(sp.Add.make_args(e), key=str).as_coeff_Mul()[0]


def _positive(given: Hypotheses, *exprs: sp.Expr) -> Hypotheses:
    return tuple(dict.fromkeys(h for e in exprs for h in needed(e, True, given) or ()))


def _end_of(ends: Sequence[Statement], side: int) -> Statement:
    return next(h for h in ends if h.right.is_Symbol == (side == 1) and (h.left if side == 1 else h.right).is_Rational)


def _shown_end(h: Statement, x: sp.Symbol) -> Proof:
    """A hypothesis about the ends of the domain of x, as it is."""
    gap = rules.sign(h.right - h.left, h.relation, ())
    return rules.combine(gap, h.left, h.relation, h.right, sp.S.Zero, (sp.S.One,), ())


def numbers_in(e: sp.Expr) -> list[sp.Symbol]:
    """The numbers that ``e`` is made of: no sizes, indices and names of arrays."""
    arrays = {x.base.label for x in e.atoms(sp.Indexed)}
    return sorted((s for s in e.free_symbols - arrays if isinstance(s, sp.Symbol) and s.is_real and s.is_integer is None), key=str)


def _lagrange(e: sp.Expr) -> Iterator[sp.Expr]:
    """Candidates c ΣΣ (a_i b_j - a_j b_i)²."""
    sums = sorted(e.atoms(sp.Sum), key=str)
    factors: dict[sp.Expr, tuple[sp.Symbol, sp.Expr, sp.Expr]] = {}
    for s in sums:
        for i, low, high in limits(s):
            for f in sp.Mul.make_args(s.function):
                base = f.base if isinstance(f, sp.Pow) and f.exp == 2 else f
                if base.has(i) and isinstance(base, sp.Indexed):
                    factors.setdefault(base.xreplace({i: I_ONE}), (i, low, high))
    found = sorted(factors.items(), key=lambda p: str(p[0]))
    j = sp.Symbol("j_", integer=True)
    for (a, (_, low, high)), b in [(f, g) for f in found for g in [sp.S.One, *[h for h, _ in found if h != f[0]]]]:
        size = high - low + 1
        others = sorted({x for x in (a + b).free_symbols if is_index(x) and x not in (I_ONE, j)}, key=str)
        square = (a * b.xreplace({I_ONE: j}) - a.xreplace({I_ONE: j}) * b) ** 2
        outer = [next((i, lo, hi) for s in sums for i, lo, hi in limits(s) if i == x) for x in others if any(
            i == x for s in sums for i, _, _ in limits(s))]
        whole = sp.Sum(square, (I_ONE, low, high), (j, low, high), *outer)
        for c in (sp.S.Half, 1 / (2 * size), 1 / (2 * size ** 2), sp.S.One / size, sp.S.One):
            yield c * whole


def _border(node: sp.Expr) -> sp.Expr:
    return node.args[0] - node.args[1] if isinstance(node, (Max, Min)) else node.args[0]


def _argument(term: Any) -> sp.Expr | None:
    if type(term) in order.INCREASING:
        return term.args[0]
    return term.base if isinstance(term, sp.Pow) and term.exp.is_Rational and term.exp > 0 else None


def _with_hypothesis(proof: Proof, hypothesis: Statement | None) -> Proof:
    """The same, where x - p > 0 was supposed in another spelling than p < x."""
    if hypothesis is None or hypothesis in proof.hypotheses:
        return proof
    x_side = [h for h in proof.hypotheses if h.relation in ("<", "<=") and (h.left.is_Symbol or h.right.is_Symbol)]
    for h in x_side:
        same = sp.expand(h.right - h.left - (hypothesis.right - hypothesis.left)) == 0
        if same or order.Facts([hypothesis]).signs(h.right - h.left) <= FROM_ZERO:
            given = kernel.noted(kernel.given(hypothesis), "supposed")
            try:
                shown = rules.combine(h.left, h.relation, h.right, h.right - h.left, (), (hypothesis,))
            except ProofError:
                gap, other = h.right - h.left, hypothesis.right - hypothesis.left
                shown = rules.combine(given, h.left, h.relation, h.right, sp.S.Zero, (sp.cancel(gap / other),), ())
            return kernel.cut(proof, shown)
    return proof


def _restated(proof: Proof, wanted: sp.Expr) -> Proof:
    """The same about an equal expression."""
    one = proof.statements[0]
    if one.right == wanted:
        return proof
    return rules.combine(proof, sp.S.Zero, one.relation, wanted, sp.S.Zero, (sp.S.One,), ())


def _shortest(e: sp.Expr) -> sp.Expr:
    return min([e, *itertools.islice(forms(e), 3)], key=sp.count_ops)


def forms(e: sp.Expr) -> Iterator[sp.Expr]:
    """Expressions equal to ``e`` in which a sign may be seen: factors, factors in exponentials, sums of squares."""
    seen = {e}
    for made in dict.fromkeys((e, without_products_in_abs(e), in_exponentials(e))):
        names, plain = _as_letters(made)
        if plain is None:
            continue
        back = {v: k for k, v in names.items()}
        for form in _rational_forms(plain):
            whole = form.xreplace(back)
            if whole not in seen:
                seen.add(whole)
                yield whole


def _rational_forms(plain: sp.Expr) -> Iterator[sp.Expr]:
    together = sp.together(plain)
    above, below = sp.fraction(together)
    try:
        top, bottom = sp.factor(above), sp.factor(below)
    except RULES_THAT_FAIL:
        return
    yield top / bottom
    yield sp.expand(above) / bottom
    squares = completed(sp.expand(above))
    if squares is not None:
        yield squares / bottom
    if isinstance(top, sp.Mul):  # each factor on its own
        parts = [completed(sp.expand(f)) or f if not isinstance(f, sp.Pow) else f for f in top.args]
        kept = [p for p in parts if p != 1]
        yield sp.Mul(*kept, evaluate=False) / bottom if bottom != 1 else sp.Mul(*kept, evaluate=False)


def completed(poly: sp.Expr) -> sp.Expr | None:
    """A polynomial that is quadratic in one letter after the other as a sum of squares with multipliers: Lagrange's reduction (1759)."""
    letters = sorted(poly.free_symbols, key=str)
    if not 1 <= len(letters) <= MOST_LETTERS:
        return None
    for x in letters:
        try:
            p = sp.Poly(poly, x)
        except sp.PolynomialError:
            return None
        degree = p.degree()
        if degree == 2:
            a, b, c = p.all_coeffs()
            rest = sp.factor(c - b ** 2 / (4 * a))
            inner = completed(sp.expand(rest)) if rest.free_symbols and sp.fraction(rest)[1] == 1 else None
            return a * (x + sp.factor(b / (2 * a))) ** 2 + (inner if inner is not None else rest)
        if degree == 4 and p.coeff_monomial(x) == 0 and p.coeff_monomial(x ** 3) == 0:
            y = sp.Dummy("y", nonnegative=True)
            inner = completed(poly.subs(x ** 2, y)) if x not in poly.subs(x ** 2, y).free_symbols else None
            if inner is not None:
                return inner.xreplace({y: x ** 2})
    return None


def without_products_in_abs(e: sp.Expr) -> sp.Expr:
    """|ab| as |a||b|."""
    return e.replace(sp.Abs, lambda u: sp.Mul(*[sp.Abs(f) for f in sp.Mul.make_args(u)]))


def in_exponentials(e: sp.Expr) -> sp.Expr:
    """Sigmoids and hyperbolic functions written with exp, and exp(u + v) as a product."""
    made = e
    for kind in (sigmoid, sp.tanh, softplus, sp.cosh, sp.sinh):
        made = made.replace(kind, TABLE[kind].in_exp)
    return made.replace(sp.exp, lambda u: sp.Mul(*[sp.exp(t) for t in sp.Add.make_args(sp.expand(u))], evaluate=False))


def _as_letters(e: sp.Expr) -> tuple[dict[sp.Expr, sp.Symbol], sp.Expr | None]:
    """Functions, entries and roots as letters; powers of one exponential as powers of one letter."""
    names: dict[sp.Expr, sp.Symbol] = {}
    units: dict[sp.Expr, sp.Symbol] = {}
    powers = [p for p in e.atoms(sp.Pow) if p.exp.is_integer and not p.exp.is_Integer]

    def letter(node: sp.Expr) -> sp.Symbol:
        if node not in names:
            names[node] = sp.Dummy(f"g{len(names)}", real=True)
        return names[node]

    def walk(node: sp.Expr) -> sp.Expr:
        if isinstance(node, (sp.Add, sp.Mul)):
            return node.func(*[walk(a) for a in node.args])
        if isinstance(node, sp.Pow) and node.exp.is_Integer:
            return walk(node.base) ** node.exp
        if isinstance(node, sp.Pow) and node.exp.is_integer:
            least = min((q for q in powers if q.base == node.base and (q.exp - node.exp).is_Integer), key=lambda q: q.exp - node.exp)
            return letter(least) * walk(node.base) ** (node.exp - least.exp)
        if isinstance(node, sp.exp):
            number, rest = node.args[0].as_coeff_Mul()
            if number.is_Integer and rest != 1:
                if rest not in units:
                    other = next((u for u in units if u == -rest), None)
                    if other is not None:
                        return units[other] ** -number
                    units[rest] = letter(sp.exp(rest))
                return units[rest] ** number
            return letter(node)
        if isinstance(node, (sp.Symbol, sp.Rational)):
            return node
        return letter(node)

    return names, walk(e)


def _gaps(e: sp.Expr, given: Hypotheses, facts: order.Facts) -> Iterator[tuple[sp.Expr, bool, tuple[Statement, ...], sp.Expr]]:
    """Expressions that are not negative: (g, strict, the hypotheses it stands on, how it is made from the first of them)."""
    own: list[tuple[sp.Expr, bool, tuple[Statement, ...], sp.Expr]] = []
    for h in given:
        if h.over is None and h.relation in ("<=", "<", "="):
            own.append((h.right - h.left, h.relation == "<", (h,), sp.S.One))
    yield from own
    free = numbers_in(e)[:MOST_LETTERS]
    signed: list[sp.Expr] = []
    for s in free:
        low, high = numbers_of(s).ends
        signed += [s - low[0]] if low else []
        signed += [high[0] - s] if high else []
    for g, strict, used, _ in own:
        for f in (*signed, *(o[0] for o in own)):
            if used[0].relation != "=":
                yield g * f, strict and order.signs(f, facts) == PLUS, used, f
    for f, g in itertools.combinations_with_replacement(signed, 2):
        yield f * g, order.signs(f * g, facts) == PLUS, (), f * g
    for s in signed:
        yield s, order.signs(s, facts) == PLUS, (), s
    for s, t in itertools.combinations(free, 2):
        yield (s - t) ** 2, False, (), (s - t) ** 2
        yield (s + t) ** 2, False, (), (s + t) ** 2
    for s in free:
        yield (s - 1) ** 2, False, (), (s - 1) ** 2
        yield (s + 1) ** 2, False, (), (s + 1) ** 2


def _certificate(e: sp.Expr, strict: bool, given: Hypotheses, gaps: Sequence[tuple[sp.Expr, bool, tuple[Statement, ...], sp.Expr]],
                 facts: order.Facts) -> Proof | None:
    """e = Σ λ g + what is left, with λ ≥ 0 and what is left a sum of terms with the right signs, found by elimination."""
    target = _terms(e)
    tables = [_terms(g) for g, *_ in gaps]
    keep = [k for k, t in enumerate(tables) if set(t) & set(target) or gaps[k][2]]
    monomials = sorted({m for k in keep for m in tables[k]} | set(target), key=str)
    if len(monomials) > 40 or not keep:
        return None
    rows: list[Row] = []
    for m in monomials:
        coefficients: dict[Hashable, Fraction] = {k: -_fraction(tables[k][m]) for k in keep if m in tables[k]}
        constant = _fraction(target.get(m, sp.S.Zero))
        signs = PLUS if m == 1 else order.signs(m, facts)
        if signs <= FROM_ZERO and m != 1:
            rows.append(Row(coefficients, constant, False))  # what is left of it is not negative
        elif m == 1:
            rows.append(Row(coefficients, constant, strict and not any(gaps[k][1] for k in keep)))
        elif signs <= TO_ZERO:
            rows.append(Row({k: -c for k, c in coefficients.items()}, -constant, False))
        else:
            rows += [Row(coefficients, constant, False), Row({k: -c for k, c in coefficients.items()}, -constant, False)]
    rows += [Row({k: Fraction(1)}, Fraction(0), False) for k in keep if not (gaps[k][2] and gaps[k][2][0].relation == "=")]
    found = solution(rows) if len(rows) < 120 else None
    if found is None:
        return None
    premises, multipliers, rest = [], [], e
    for k in keep:
        weight = found.get(k, Fraction(0))
        if not weight:
            continue
        g, _, used, how = gaps[k]
        number = sp.Rational(weight.numerator, weight.denominator)
        rest -= number * g
        if used:
            premises.append(kernel.noted(kernel.given(used[0]), "given"))
            multipliers.append(number * how)
    left = sp.expand(rest)
    for k in keep:  # gaps without a hypothesis stay in what is left, as they are
        weight = found.get(k, Fraction(0))
        if weight and not gaps[k][2]:
            left += sp.Rational(weight.numerator, weight.denominator) * gaps[k][0]
    used_all = tuple(dict.fromkeys((*_of(given, *multipliers), *(needed(left, False, given) or ()))))
    proof = rules.combine(*premises, sp.S.Zero, "<" if strict else "<=", e, left, tuple(multipliers), used_all)
    how_said = " and ".join(f"{text(m)} times {h.statements[0]}" for m, h in zip(multipliers, premises, strict=True))
    return kernel.noted(proof, f"add {how_said}" if how_said else "in this form it is seen")


def _terms(e: sp.Expr) -> dict[sp.Expr, sp.Rational]:
    return dict(sp.expand(e).as_coefficients_dict())


def _fraction(c: sp.Rational) -> Fraction:
    return Fraction(int(c.p), int(c.q))


def _points(x: sp.Symbol, e: sp.Expr, above: Sequence[Statement]) -> Iterator[tuple[sp.Expr, dict[int, Statement | None]]]:
    """Points from which e may rise, with the sides that have to be looked at, each with the hypothesis that leaves it."""
    for h in above:
        if h.relation in ("<=", "<") and h.right == x:
            yield h.left, {1: h}
        if h.relation in ("<=", "<") and h.left == x:
            yield h.right, {-1: h}
        gap = sp.expand(h.right - h.left)
        slope = sp.diff(gap, x)
        if h.relation in ("<=", "<") and slope.is_Rational and slope and x not in (h.left, h.right):
            yield sp.expand(x - gap / slope), {int(sp.sign(slope)): h}
    if above:
        return
    numbers = numbers_of(x)
    low, high = numbers.ends
    tried: list[sp.Expr] = []
    if low is not None and not low[1]:
        tried.append(low[0])
    if high is not None and not high[1]:
        tried.append(high[0])
    tried += [p for p in (sp.S.Zero, sp.S.One, sp.S.Half, sp.S.NegativeOne, sp.Integer(2)) if p in numbers]
    tried += [s for s in numbers_in(e) if s != x and numbers_of(s) == numbers]
    values: list[tuple[float, int, sp.Expr]] = []
    for k, p in enumerate(dict.fromkeys(tried)):
        there = e.xreplace({x: p})
        size = 0.0
        if not there.free_symbols:
            try:
                size = abs(float(enclose(there, {}, 64).mid()))
            except RULES_THAT_FAIL:
                continue
        values.append((size, k, p))
    for _, _, p in sorted(values, key=lambda v: v[:2]):
        sides: dict[int, Statement | None] = {}
        if not (high is not None and high[0] == p):
            sides[1] = None
        if not (low is not None and low[0] == p):
            sides[-1] = None
        yield p, sides


def prove_of_entries(e: sp.Expr, strict: bool, given: Hypotheses, search: Search, depth: int = 0) -> Proof | None:
    """0 ≤ e where entries of arrays stand in e: proved for numbers of the same domains, and the entries put in."""
    entries = sorted({x for s in (e, *(side for h in given for side in (h.left, h.right))) for x in s.atoms(sp.Indexed)}, key=str)
    if not entries or e.has(sp.Sum) or any(h.over is not None or h.left.has(sp.Sum) or h.right.has(sp.Sum) for h in given):
        return search.prove(e, strict, given, depth)
    letters = {x: sp.Symbol(f"{x.base.label}_{k}", **like(x, "x").assumptions0) for k, x in enumerate(entries)}
    under = tuple(Statement(h.left.xreplace(letters), h.right.xreplace(letters), None, h.relation) for h in given)
    found = search.prove(e.xreplace(letters), strict, under, depth)
    for x, letter in letters.items():
        if found is not None and any(letter in s.left.free_symbols | s.right.free_symbols for s in (*found.statements, *found.hypotheses)):
            found = kernel.noted(kernel.put(found, letter, x), f"for {text(x)}")
    return found
