"""Stable forms of expressions with exponentials, found from the expression, however it is spelled.

Every exponential-like function (exp, σ, tanh, sinh, cosh, softplus in an exponent, Σ exp) is a rational function of generators
E = e^u and S = Σ e^v. An expression is read as a sum of *coefficient · rational function of generators*; in that form everything
that overflows against something else cancels exactly, and what is left is written again with functions whose forms neither
overflow nor cancel (``stable_functions``): 1 - σ(u) is E/(1 + E) taken from 1, which factors to 1/(1 + E), which is σ(-u).

The rules, each an identity of the real numbers where both sides are defined (a test proves each):

* *factored*: a rational function of one E is c (E - 1)^k E^a P(E)/Q(E); it is computed from e^-|u| alone;
* *shares*: E/S with E a term of S is one entry of a softmax, (S - E)/S what the others add up to;
* *logarithm of a product*: log of such a form is the sum of the logarithms of its factors, all of one sign;
* *near 1*: log R with R(1) = 1 is log1p(R - 1) for |u| < 1;
* *target*: σ(u) - y = (1 - y) σ(u) - y σ(-u), which keeps its digits where y is 0 or 1;
* *normal distribution*: 1 + erf(v) = 2 Φ(√2 v);
* *log1p*: log(1 + x);
* *scale*: a sum of exponentials N is N e^-M times e^M; the scales M of a quotient or a logarithm are subtracted before anything overflows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import sympy as sp
from sympy.core.relational import Relational

from symnet.arrays import stable_functions as st
from symnet.arrays.canonical import canonical, place_in, same, term_of
from symnet.arrays.indefinite import is_open
from symnet.arrays.partly_defined import defined, is_partly_defined
from symnet.arrays.scaled import FAR, kept_below, log_scaled
from symnet.arrays.weighted import weighted_exponentials, weighted_shares
from symnet.core.axes import Range
from symnet.core.expressions import Limits, When, limits, rebuild
from symnet.core.functions import relu, sigmoid, softplus, step
from symnet.core.tensors import entry_indices

Form = dict[sp.Expr, sp.Expr]  # coefficient -> rational function of generators
Wish = Callable[[sp.Expr], bool] | None
Unfold = Callable[[sp.Expr, Mapping[sp.Symbol, Range], Wish], sp.Expr | None]
MOST_TERMS, MOST_DEGREE = 12, 40
ONE = sp.S.One


@dataclass(frozen=True, slots=True)
class Generator:
    """e^argument, or with ``node`` a sum of exponentials or an exponential in brackets, which is written as ``node``."""

    symbol: sp.Symbol
    argument: sp.Expr
    node: sp.Expr | None = None


@dataclass(frozen=True, slots=True)
class Factored:
    """c (E - 1)^k E^a P(E)/Q(E); P and Q have a constant term, given by their coefficients from the constant up."""

    c: sp.Rational
    k: int
    a: int
    above: tuple[sp.Expr, ...]
    below: tuple[sp.Expr, ...]

    @property
    def bounded(self) -> bool:
        """True when it stays finite at both ends."""
        return self.a >= 0 and self.k + self.a + len(self.above) <= len(self.below)

    @property
    def sign(self) -> int:
        """1 or -1 where the function has one sign, else 0."""
        one_sign = self.k == 0 and all(c >= 0 for c in (*self.above, *self.below))
        return (1 if self.c > 0 else -1) if one_sign else 0


class Exponentials:
    """One expression; ``unfold`` gives the right side of a name that is worth looking into, or None.

    With ``nameless``, what is found is written out also where the program has a name for it; with ``in_logs`` shares over what others lack
    are one exponential, so that both may be below all numbers.

    ``rules`` collects the names of the rules that were used. Where none was, the expression is as good as it was.
    """

    def __init__(self, scope: Mapping[sp.Symbol, Range], unfold: Unfold = lambda entry, scope, wish: None,
                 nameless: bool = False, in_logs: bool = False) -> None:
        self.scope = dict(scope)
        self.unfold = unfold
        self.rules: set[str] = set()
        self.opaque = False
        self.generators: dict[sp.Expr, Generator] = {}
        self.by_symbol: dict[sp.Symbol, Generator] = {}
        self.named: dict[sp.Expr, sp.Expr] = {}
        self.seen: dict[sp.Expr, Form] = {}
        self.nameless, self.in_logs = nameless, in_logs
        self.below = False  # is this a sum that stands below a stroke?
        self.scaling = False  # is this the logarithm of a scale?
        self.bare_sums: dict[sp.Expr, sp.Sum | None] = {}
        self.letters: dict[sp.Sum, tuple[Limits, ...]] = {}  # of sums that were read; those around what is read now are ``within``
        self.within: set[sp.Sum] = set()
        self.parts: dict[sp.Expr, tuple[sp.Expr, list[sp.Expr]]] = {}
        self.terms: dict[tuple[sp.Symbol, sp.Symbol], bool] = {}

    def text(self, expr: sp.Expr) -> sp.Expr:
        """``expr`` in its stable form."""
        return self.write(self.read(expr))

    def argument(self, expr: sp.Expr) -> sp.Expr:
        """An argument of a function in its stable form; no name is looked into, since nothing cancels across a function."""
        kept, self.opaque = self.opaque, True
        made = self.text(expr)
        self.opaque = kept
        return made

    def opens(self, form: Form) -> bool:
        """True for a right side that users should look into: one exponential function, or something that may overflow."""
        if len(form) == 1:
            (c, r), = form.items()
            if self._divides(c):
                return True
            return (c == 1 or self._loose(r)) if r.free_symbols else any(
                f.is_Pow and f.exp == -1 and f.base.is_Add and f.base.has(sp.Abs) for f in sp.Mul.make_args(c))
        return any(self._loose(r) for r in form.values()) or any(map(_divides_by_normal, form))

    # reading

    def read(self, node: sp.Expr) -> Form:
        """``node`` as a sum of coefficient · rational function of generators."""
        if node.is_Rational:
            return {ONE: node} if node != 0 else {}
        if isinstance(node, (sp.Indexed, sp.Symbol)):
            return self._entry(node)
        if not node.args:
            return {node: ONE}
        if isinstance(node, sp.Add):
            return _added(self.read(a) for a in node.args)
        if isinstance(node, sp.Mul):
            return self._product([self.read(a) for a in node.args])
        if isinstance(node, sp.Pow):
            return self._power(*node.args)
        if isinstance(node, sp.Sum):
            return self._sum(node)
        if isinstance(node, sp.log):
            return {self._log(node.args[0]): ONE}
        if isinstance(node, When):
            return self._bracket(node)
        if isinstance(node, sp.Piecewise):
            return {self._cases(node): ONE}
        pure = self._exponential(node)
        if pure is not None:
            return {ONE: pure}
        if isinstance(node, step) and node.args[0].is_Add and not any(t.is_number for t in node.args[0].args):
            # which of two values is greater: at a tie they are 0 apart only as the values themselves are computed
            return {step(sp.Add(*[self.argument(t) for t in node.args[0].args])): ONE}
        return {rebuild(node, tuple(self.argument(a) if isinstance(a, sp.Expr) else a for a in node.args)): ONE}

    def _entry(self, node: sp.Expr) -> Form:
        if self.opaque:
            return {node: ONE}
        if node not in self.seen:
            right = self.unfold(node, self.scope, None)
            self.seen[node] = {node: ONE}  # a name that stands in its own right side, by way of a recurrence, stays
            if right is not None:
                form = self.read(canonical(right))
                self.seen[node] = form
                if not self.nameless and len(form) == 1 and ONE in form and self._same_indices(node, form[ONE]):
                    self.named.setdefault(self._pure(form[ONE]), node)
        return self.seen[node]

    def _same_indices(self, node: sp.Expr, pure: sp.Expr) -> bool:
        """Q[i] = tanh(t) is no name for tanh(t), which may stand in front of a sum over i."""
        used = set[sp.Basic]().union(*[(g.node if g.node is not None else g.argument).free_symbols
                                       for g in (self.by_symbol[s] for s in pure.free_symbols)])
        return {s for place in entry_indices(node) for s in place.free_symbols if not s.is_positive} <= used

    def _exponential(self, node: sp.Expr) -> sp.Expr | None:
        """The rational function that ``node`` is, or None."""
        if isinstance(node, sp.exp):
            return self._exp(node.args[0])
        if isinstance(node, sigmoid):
            g = self._exp(node.args[0])
            return g / (1 + g)
        if isinstance(node, sp.tanh):
            g = self._exp(2 * node.args[0])
            return (g - 1) / (g + 1)
        if isinstance(node, (sp.sinh, sp.cosh)):
            g = self._exp(node.args[0])
            return (g + (1 if isinstance(node, sp.cosh) else -1) / g) / 2
        return None

    def _exp(self, u: sp.Expr) -> sp.Expr:
        """e^u, a power of a generator; e^softplus(v) is 1 + e^v and e^log w is w."""
        out, rest = ONE, []
        for term in sp.Add.make_args(u):
            count, inner = term.as_coeff_Mul()
            power = self._exp_of(inner) if count.is_Integer else None
            if power is None:
                rest.append(term)
            else:
                out *= power**count
        content, inner = primitive(self.argument(sp.Add(*rest))) if rest else (sp.S.Zero, sp.S.Zero)
        if content == 0:
            return out
        if inner == 1:  # e^(1/2) is a number
            return out * self._generator(sp.exp(content), content).symbol
        return out * self._generator(sp.exp(inner, evaluate=False), inner).symbol ** content

    def _exp_of(self, u: sp.Expr) -> sp.Expr | None:
        """e^u for a logarithm, a softplus, or the name of one of them."""
        if isinstance(u, softplus):
            return 1 + self._exp(u.args[0])
        if isinstance(u, sp.log):
            form = self.read(u.args[0])
            return form[ONE] if set(form) == {ONE} and form[ONE].free_symbols else None
        if isinstance(u, (sp.Indexed, sp.Symbol)) and not self.opaque:
            right = self.unfold(u, self.scope, _has_logarithm)
            return None if right is None else self._exp(canonical(right))
        return None

    def _generator(self, key: sp.Expr, argument: sp.Expr, node: sp.Expr | None = None) -> Generator:
        if key not in self.generators:
            made = Generator(sp.Symbol(f"t{len(self.generators)}", positive=True), argument, node)
            self.generators[key] = self.by_symbol[made.symbol] = made
        return self.generators[key]

    def _bracket(self, node: When) -> Form:
        if isinstance(node.body, sp.exp):
            inner = When(sp.exp(self.argument(node.body.args[0]), evaluate=False), node.condition)
            return {ONE: self._generator(inner, inner.body.args[0], inner).symbol}
        return {When(self.text(node.body), node.condition): ONE}

    def _cases(self, node: sp.Piecewise) -> sp.Expr:
        """Every branch is computed everywhere, and used where its condition holds; elsewhere at a place where it is defined."""
        made: list[tuple[sp.Expr, sp.Basic]] = []
        before: list[sp.Basic] = []
        for value, condition in node.args:
            inside = self.text(value)
            for guard in before:
                inside = guarded(inside, guard, False)
            made.append((guarded(inside, condition, True), condition))
            before.append(condition)
        result = sp.Piecewise(*made, evaluate=False)
        if result.has(st.kept):
            self.rules.add("cases")
        return result

    def _product(self, forms: list[Form]) -> Form:
        """Single terms multiply; a sum is multiplied out only where something unbounded may cancel."""
        if any(not f for f in forms):
            return {}
        coefficient, pure = ONE, ONE
        many = []
        for f in forms:
            if len(f) == 1:
                (c, r), = f.items()
                coefficient, pure = times(coefficient, c), pure * r
            else:
                many.append(f)
        generators = pure.free_symbols
        loose = any(self._loose(r) for f in many for r in f.values())
        shared = any(generators & r.free_symbols for f in many for r in f.values())
        size = sp.Integer(1)
        for f in many:
            size *= len(f)
        loose = loose or any(self._divides(c) for f in many for c in f)
        if many and size <= MOST_TERMS and (loose or (shared and self._loose(pure))):
            made: Form = {ONE: pure}
            for f in many:
                made = _added({times(c, d): self._tidy(r * q)} for c, r in made.items() for d, q in f.items())
            if not any(self._loose(r) for r in made.values()) and coefficient != 1:
                return {times(coefficient, self.write(made)): ONE}
            return {times(coefficient, c): r for c, r in made.items()}
        for f in many:
            coefficient = times(coefficient, self.write(f))
        return {coefficient: self._tidy(pure)}

    def _tidy(self, pure: sp.Expr) -> sp.Expr:
        return pure if pure.is_Atom or not pure.free_symbols else _factored_text(pure)

    def _power(self, base: sp.Expr, exponent: sp.Expr) -> Form:
        kept, self.below = self.below, bool(exponent.is_negative) and isinstance(base, sp.Sum)
        form = self.read(self._weighted_name(base) if exponent.is_negative else base)
        self.below = kept
        if len(form) == 1:
            (c, r), = form.items()
            if exponent.is_Integer:
                return {c**exponent: r**exponent} if not r.is_Number else {sp.Pow(c, exponent): r**exponent}
            positive = r.free_symbols and all(f.as_base_exp()[0].is_Symbol for f in sp.Mul.make_args(r))
            if positive and not c.is_negative and exponent.is_Rational:
                return {sp.Pow(c, exponent): r**exponent}
        return {sp.Pow(self.write(form), self.argument(exponent)): ONE}

    def _sum(self, node: sp.Sum) -> Form:
        """Σ is linear: what does not depend on the index stands in front of it."""
        over, repeated = self._limits(node), node in self.within
        names = {i: d for (i, _, _), (d, _, _) in zip(limits(node), over, strict=True)}
        kept = dict(self.scope)
        self.scope |= {d: (lo, hi) for d, lo, hi in over}
        self.within.add(node)
        form = self._weighted(self.read(node.function.xreplace(names)))
        self.within -= set() if repeated else {node}
        if len(form) > 1 and not any(self._loose(r) for r in form.values()):
            form = {self.write(form): ONE}
        made = _added(self._summed(c, r, over) for c, r in form.items())
        self.scope = kept
        return made

    def _limits(self, node: sp.Sum) -> tuple[Limits, ...]:
        """The limits of a sum with letters of its own: the same for the same sum, so that what was found of its terms is found again."""
        if node in self.letters and node not in self.within:
            return self.letters[node]
        names = {i: sp.Dummy(str(i), integer=True) for i, _, _ in limits(node)}
        self.letters[node] = tuple((names[i], lo.xreplace(names), hi.xreplace(names)) for i, lo, hi in limits(node))
        return self.letters[node]

    def _summed(self, coefficient: sp.Expr, pure: sp.Expr, over: tuple[Limits, ...]) -> Form:
        whole = self._shares_add_up(coefficient, pure, over)
        if whole is not None:
            return self._summed(*whole) if whole[2] else {whole[0]: whole[1]}
        bound = {i for i, _, _ in over}
        number, parts = self._components(pure)
        if number == 0:  # terms that cancelled
            return {}
        outer, inner = [number], []
        for part in parts:
            factors = sp.Mul.make_args(part)
            within = [f for f in factors if self._depends(f, bound)]
            alone = coefficient == 1 and len(within) == 1 and (  # shares add up to S/(c + S), and below a stroke their powers to Σ E²/S²
                within[0].is_Symbol or (self.below and within[0].is_Pow and within[0].base.is_Symbol))
            if within and not self._loose(part) and not alone:
                inner.append(part)
                continue
            scale = self._scale_of_complements(within, bound, [f.as_base_exp()[0] for f in factors])  # S/(S - E) stays together
            inner += [*within, 1 / scale]
            outer += [*[f for f in factors if f not in within], scale]
        inside, front = sp.Mul(*inner), sp.Mul(*outer)
        if coefficient == 1 and inside.free_symbols and (inside.is_Symbol or (inside.is_Pow and inside.base.is_Symbol)):
            body = self._direct(inside)
            whole = canonical(sp.Sum(body, *over))
            return {ONE: front * self._generator(whole, sp.log(whole), whole).symbol}
        number = front if front.is_Number else ONE
        body = times(coefficient, times(number, self._pure(inside)))
        return {canonical(sp.Sum(body, *over)): front / number}

    def _scale_of_complements(self, factors: list[sp.Expr], bound: set[sp.Symbol], candidates: list[sp.Expr]) -> sp.Expr:
        """S^d where the product of ``factors``, an S - E among them, is of degree d in e^u and S: what is left is made of shares."""
        powers = dict(f.as_base_exp() for f in factors)
        for total in [g for g in self._totals(candidates) if not self._depends(g.symbol, bound)]:
            degrees = {b: self._degree(b, total) for b in powers}
            if any(isinstance(b, sp.Add) and d != 0 for b, d in degrees.items()):
                return total.symbol ** sp.Add(*[powers[b] * d for b, d in degrees.items()])
        return ONE

    def _degree(self, base: sp.Expr, total: Generator) -> sp.Expr:
        """1 for a term of a sum and for the sum without a term, 1/k for the k-th root of a term, 0 for anything else."""
        if self._share_of(base, total)[0] is not None:
            return ONE
        return 1 / self._power_in(base, total)[1] if self._power_in(base, total)[0] is not None else sp.S.Zero

    def _depends(self, factor: sp.Expr, bound: set[sp.Symbol]) -> bool:
        found = [self.by_symbol[s] for s in factor.free_symbols]
        return any((g.node if g.node is not None else g.argument).free_symbols & bound for g in found)

    # weighted sums

    def _bare(self, total: sp.Expr) -> sp.Sum | None:
        """Σ w e^u, or Σ w e^u/Σ e^u, that ``total`` is, names of shares written out; None for any other sum."""
        if not isinstance(total, sp.Sum) or len(total.limits) != 1 or self.opaque:
            return None
        if total not in self.bare_sums:
            self.bare_sums[total] = None
            kept = self.named, self.seen, self.nameless
            self.named, self.seen, self.nameless = {}, {}, True
            form = self._sum(total)
            self.named, self.seen, self.nameless = kept
            if len(form) == 1:
                (c, r), = form.items()
                if r == 1 and (weighted_exponentials(c) or weighted_shares(c)):
                    self.bare_sums[total] = c
        return self.bare_sums[total]

    def _divides(self, coefficient: sp.Expr) -> bool:
        """True for a coefficient that divides by a weighted sum of exponentials or of shares, or by Φ(u), which may be far below 1, or
        overflow."""
        below = [f.base for f in sp.Mul.make_args(coefficient) if f.is_Pow and f.exp.is_negative]
        return _divides_by_normal(coefficient) or any(self._bare(b) is not None for b in below)

    def _weighted_name(self, base: sp.Expr) -> sp.Expr:
        """For a name of a weighted sum, or of Φ(u), that."""
        if isinstance(base, (sp.Indexed, sp.Symbol)) and not self.opaque:
            right = self.unfold(base, self.scope, lambda u: isinstance(u, sp.Sum) or u.has(sp.erf))
            right = None if right is None else canonical(right)
            return base if right is None or (self._bare(right) is None and not self._is_normal(right)) else right
        return base

    def _is_normal(self, right: sp.Expr) -> bool:
        """Is it c Φ(u), c a number?"""
        kept = {*self.rules}
        found = self._times_normal(self.read(right)) if right.has(sp.erf) else None
        self.rules = kept
        return found is not None

    def _times_normal(self, form: Form) -> tuple[sp.Expr, st.gauss] | None:
        """(c, Φ(u)) where the form is c Φ(u), c a number."""
        left, parts = self._normal(form)
        terms = [*parts, *[times(c, r) for c, r in left.items()]]
        number, normal = terms[0].as_coeff_Mul() if len(terms) == 1 else (ONE, None)
        return (number, normal) if isinstance(normal, st.gauss) else None

    def _log_weighted(self, inside: sp.Expr) -> sp.Expr | None:
        """log Σ w e^u from its largest term; Σ w e^u/Σ e^u is Σ w p; what stands in front is part of the weights, and a power of e is
        added outside. None where ``inside`` is anything else."""
        form = self.read(self._weighted_name(inside))
        if len(form) != 1:
            return None
        (c, r), = form.items()
        totals = [f for f in sp.Mul.make_args(c) if self._bare(f) is not None]
        total = self._bare(totals[0]) if len(totals) == 1 else None
        if total is None:
            return None
        number = sp.Mul(*[f for f in sp.Mul.make_args(r) if f.is_number])
        front, rest = number * sp.Mul(*[f for f in sp.Mul.make_args(c) if f is not totals[0]]), r / number
        over, shares = limits(total)[0], weighted_shares(total)
        parts = shares or weighted_exponentials(total)
        if parts is None:
            return None
        weight, exponent, _ = parts
        e = sp.exp(exponent, evaluate=False)
        below = canonical(sp.Sum(e, over))
        if shares is None and rest == 1 / self._exp_sum(below):
            shares, rest = (weight, exponent, True), ONE
        found = self._log_of(rest) if rest != 1 else (sp.S.Zero, 1)
        if found is None or found[1] != 1 or (rest != 1 and any(map(self._turns, self._components(rest)[1]))):
            return None
        term = st.share(e, below) if shares is not None else e
        return sp.log(canonical(sp.Sum(times(front * weight, term), over))) + found[0]

    def _weighted(self, form: Form) -> Form:
        """w e^u/Σ w e^v and w p/Σ w q, for shares p and q, are one weighted share: neither overflows, nor is it 0/0."""
        made: list[Form] = []
        for c, r in form.items():
            while (found := self._weighted_share(c, r)) is not None:
                c, r = found
                self.rules.add("shares")
            made.append({c: r})
        return _added(made)

    def _weighted_share(self, coefficient: sp.Expr, pure: sp.Expr) -> tuple[sp.Expr, sp.Expr] | None:
        for f in sp.Mul.make_args(coefficient):
            total = self._bare(f.base) if f.is_Pow and f.exp.is_Integer and f.exp < 0 else None
            parts = None if total is None else weighted_exponentials(total) or weighted_shares(total)
            if total is None or parts is None:
                continue
            (bound, lo, hi), (weight, exponent, mean) = limits(total)[0], parts
            e = sp.exp(exponent, evaluate=False)
            below = self._exp_sum(canonical(sp.Sum(e, (bound, lo, hi)))) if mean else ONE
            whole = canonical(sp.Sum(weight * e, (bound, lo, hi)))
            for place in self._places(coefficient, pure):
                there = {bound: place}
                unit = self._exp(exponent.xreplace(there)) / below
                rest = coefficient * f.base / weight.xreplace(there)
                if _within(unit, pure) and _within(weight.xreplace(there), coefficient):
                    own = sp.Mul(weight.xreplace(there), sp.exp(exponent.xreplace(there), evaluate=False))
                    return rest * st.share(own, whole), self._tidy(pure / unit)
        return None

    def _shares_add_up(self, coefficient: sp.Expr, pure: sp.Expr,
                       over: tuple[Limits, ...]) -> tuple[sp.Expr, sp.Expr, tuple[Limits, ...]] | None:
        """What is left to be summed where a weighted share is summed over its whole axis, which gives 1."""
        for f in sp.Mul.make_args(coefficient):
            total = f.args[1] if isinstance(f, st.share) and weighted_exponentials(f.args[1]) is not None else None
            if total is None:
                continue
            for t in over:
                (bound, *ends), rest = limits(total)[0], coefficient / f
                if ends == list(t[1:]) and same(total.function.xreplace({bound: t[0]}), f.args[0]) and t[0] not in rest.free_symbols \
                        and t[0] not in total.free_symbols and not self._depends(pure, {t[0]}):
                    return rest, pure, tuple(s for s in over if s is not t)
        return None

    def _exp_sum(self, total: sp.Sum) -> sp.Symbol:
        return self._generator(total, sp.log(total), total).symbol

    def _places(self, coefficient: sp.Expr, pure: sp.Expr) -> list[sp.Expr]:
        """Where entries are taken, in an expression and in its exponentials."""
        arguments = [self.by_symbol[s].argument for s in pure.free_symbols]
        return list(dict.fromkeys(p for e in (coefficient, *arguments) for entry in e.atoms(sp.Indexed) for p in entry_indices(entry)
                                  if not isinstance(p, sp.Symbol) or p in self.scope))

    # logarithms

    def _log(self, inside: sp.Expr) -> sp.Expr:
        found = self._log_weighted(inside)
        if found is not None:
            self.rules.add("logarithm of a product")
            return found
        form = self.read(self._one_and(self._weighted_name(inside)))
        form = self._lacking(form) or self._lacking_terms(form) or form
        normal = self._times_normal(form)
        if normal is not None and normal[0].is_positive:
            self.rules.add("normal distribution")
            return sp.log(normal[0]) + st.log_gauss(*normal[1].args)
        if len(form) == 1:
            (c, r), = form.items()
            if r.free_symbols:
                turns = any(map(self._turns, self._components(r)[1]))
                found = None if turns and c != 1 else self._log_of(r) or self._log_terms(r)
                if found is not None:
                    value, sign = found
                    if c != 1 or sign < 0:
                        value = value + sp.log(c if sign > 0 else -c)
                    self.rules.add("logarithm of a product")
                    return value
        elif form.get(ONE) == 1:
            self.rules.add("log1p")
            more = self.write({c: r for c, r in form.items() if c != 1})
            return self._log_scaled(1 + more, st.log1p(kept_below(more))) or st.log1p(more)
        text = self.write(form)
        return self._log_scaled(text) or sp.log(text)

    def _log_scaled(self, total: sp.Expr, near_one: sp.Expr | None = None) -> sp.Expr | None:
        """log of several terms with exponentials among them, from their scale; ``near_one`` is the value where the log is near 0."""
        inner = Exponentials(self.scope)
        inner.scaling = True
        ours = isinstance(total, sp.Add) and is_open(total) and not self.scaling  # not for the scale itself
        found = log_scaled(total, inner.argument_log) if ours else None
        if found is None:
            return None
        self.rules.add("scale")
        value, scale = found
        return value if near_one is None else st.near(scale, value, near_one)

    def argument_log(self, total: sp.Expr) -> sp.Expr:
        """The logarithm of ``total`` in its stable form, no name looked into."""
        return self.argument(sp.log(total))

    def _one_and(self, inside: sp.Expr) -> sp.Expr:
        """For a name of 1 + x, that."""
        if isinstance(inside, (sp.Indexed, sp.Symbol)) and not self.opaque:
            right = self.unfold(inside, self.scope, lambda u: u.is_Add and 1 in u.args)
            return inside if right is None else canonical(right)
        return inside

    def _log_of(self, pure: sp.Expr) -> tuple[sp.Expr, int] | None:
        """(log |pure|, the sign of pure), or None where the sign is not known."""
        left, parts = self._components(pure)
        if sum(map(self._turns, parts)) > 1:  # two that may both be negative
            return None
        sign, value = 1, sp.S.Zero
        if not parts:  # a number
            return sp.log(sp.Abs(left)) if left not in (1, -1) else value, 1 if left > 0 else -1
        for part in sorted(parts, key=self._turns, reverse=True):  # 1 - e^u, and not e^u - 1, where a number is -1
            found = self._log_component(part, left)
            if found is None:
                return None
            value, sign, left = value + found[0], sign * found[1], ONE
        return value, sign

    def _turns(self, part: sp.Expr) -> bool:
        """Does a part change its sign, as e^u - 1 and e^u - e^v do?"""
        found = self._single(part)
        if found is None and self._shares(part) is None:
            two = self._of_two(part)
            found = None if two is None else two[:2]
        return found is not None and found[1].k % 2 == 1

    def _log_component(self, part: sp.Expr, number: sp.Expr) -> tuple[sp.Expr, int] | None:
        single = self._single(part)
        if single is not None:
            return _log_factored(single[0], _scaled(single[1], number))
        sign, front = (1 if number > 0 else -1), sp.log(sp.Abs(number)) if number not in (1, -1) else sp.S.Zero
        found = self._shares(part)
        if found is not None:
            return sp.Add(front, *[count * self._log_kind(kind, args) for kind, args, count in found]), sign
        fraction = self._part_of(part)
        if fraction is not None:
            v, w = fraction
            return front + (-softplus(minus(w[0], v[0])) if len(v) == len(w) == 1 else st.log_part(len(v), *v, *w)), sign
        whole = self._log_sum_of(part)
        if whole is None and (two := self._of_two(part)) is not None:
            u, ratio, outside = two
            found_ratio = _log_factored(u, _scaled(ratio, number))
            return None if found_ratio is None else (found_ratio[0] + outside, found_ratio[1])
        return None if whole is None else (front + whole, sign)

    @staticmethod
    def _log_kind(kind: type, args: tuple[sp.Expr, ...]) -> sp.Expr:
        """The logarithm of a factor that ``_shares`` found."""
        return args[0] if kind is sp.exp else st.log_total(args[0]) if kind is sp.log else kind(*args)

    def _log_terms(self, pure: sp.Expr) -> tuple[sp.Expr, int] | None:
        """The logarithm of a sum of positive terms, from their logarithms."""
        logs = [found for t in sp.Add.make_args(pure) if (found := self._log_of(t)) is not None and found[1] > 0
                and not any(map(self._turns, self._components(t)[1]))]
        if len(logs) < max(2, len(sp.Add.make_args(pure))):
            return None
        value = logs[0][0]
        for found in logs[1:]:
            value = st.logaddexp(value, found[0])
        return value, 1

    # writing

    def write(self, form: Form) -> sp.Expr:
        """The sum again, every rational function in its stable form."""
        form = self._weighted({c: r for c, r in form.items() if r != 0})
        lacking = self._lacking(form) or self._lacking_terms(form)
        if lacking is not None:
            return self.write(lacking)
        common = self._common(form)
        if common is not None:
            return times(self.write(common[1]), self._pure(common[0]))
        form, parts = self._normal(self._softplus(self._quotient(self._smooth(form))))
        form, more = self._target(form)
        return sp.Add(*parts, *more, *[times(c, self._pure(r)) for c, r in form.items()])

    def _lacking(self, form: Form) -> Form | None:
        """c - c Σ w p for shares p is c Σ (1 - w) p, also where the mean is nearly 1."""
        number = form.get(ONE)
        if number is None or not number.is_Number:
            return None
        for total, factor in form.items():
            if factor != -number or not isinstance(total, sp.Sum) or len(total.limits) != 1 or self.opaque:
                continue
            (bound, *span), body = limits(total)[0], total.function
            for f in (g.as_base_exp()[0] for g in sp.Mul.make_args(body) if g.as_base_exp()[1].is_positive):
                share = f if isinstance(f, st.share) else self._named_share(f, bound, span)
                if share is None or not isinstance(share.args[1], sp.Sum) or list(limits(share.args[1])[0][1:]) != span:
                    continue
                if place_in(*share.args) != bound:
                    continue
                self.rules.add("what a mean lacks")
                mean = {c: number * r for c, r in self._sum(sp.Sum(sp.Mul(f, 1 - body / f, evaluate=False), *total.limits)).items()}
                return _added([_without(form, ONE, total), mean])
        return None

    def _lacking_terms(self, form: Form) -> Form | None:
        """Σ w - Σ w f is Σ w (1 - f) for an f between 0 and 1, or -1 and 1: n - Σ σ(u) is Σ σ(-u), also where all are nearly 1; the sums
        may be divided, as in a mean."""
        for product, factor in form.items() if len(form) > 1 and not self.opaque else ():
            for name in sp.Mul.make_args(product) if factor.is_Number else ():
                mean = self._bare_name(name)
                total = next((f for f in sp.Mul.make_args(mean) if isinstance(f, sp.Sum) and len(f.limits) == 1), None)
                if total is None:
                    continue
                rest, (bound, lo, hi) = product / name * mean / total, self._limits(total)[0]
                body = total.function.xreplace({limits(total)[0][0]: bound})
                kept, self.scope = self.scope, {**self.scope, bound: (lo, hi)}
                for f in sp.Mul.make_args(body):
                    weight = body / f
                    all_ = canonical(sp.Sum(weight, (bound, lo, hi))) if weight.has(bound) else weight * (hi - lo + 1)
                    number, key = (all_ * rest).as_coeff_Mul()
                    if number.is_Number and form.get(key) == -factor * number and self._is_bounded(f):
                        self.rules.add("what a mean lacks")
                        self.scope = kept
                        lacks = self._sum(sp.Sum(sp.Mul(weight, 1 - f, evaluate=False), (bound, lo, hi)))
                        return _added([_without(form, key, product), {times(rest, c): -factor * r for c, r in lacks.items()}])
                self.scope = kept
        return None

    def _bare_name(self, node: sp.Expr) -> sp.Expr:
        """For the name of a sum or a mean, that."""
        named = isinstance(node, (sp.Indexed, sp.Symbol))
        right = self.unfold(node, self.scope, lambda u: any(isinstance(f, sp.Sum) for f in sp.Mul.make_args(u))) if named else None
        return node if right is None else canonical(right)

    def _is_bounded(self, f: sp.Expr) -> bool:
        """Is it a sigmoid, a share, a tanh or Φ, or the name of one?"""
        if isinstance(f, st.gauss) or self._is_normal(self._weighted_name(f)):
            return True
        form = self.read(f)
        return set(form) == {ONE} and bool(form[ONE].free_symbols) and self._span(form[ONE]) is not None

    def _named_share(self, entry: sp.Expr, bound: sp.Symbol, span: list[sp.Expr]) -> sp.Expr | None:
        """The share that a name stands for."""
        if not isinstance(entry, sp.Indexed):
            return None
        right = self.unfold(entry, self.scope | {bound: (span[0], span[1])}, None)
        factors = sp.Mul.make_args(canonical(right)) if right is not None else ()
        tops, totals = [f for f in factors if isinstance(f, sp.exp)], [f.base for f in factors if isinstance(f, sp.Pow) and f.exp == -1]
        if len(factors) != 2 or len(tops) != 1 or len(totals) != 1 or not isinstance(totals[0], sp.Sum) or len(totals[0].limits) != 1:
            return None
        return st.share(tops[0], totals[0])

    def _smooth(self, form: Form) -> Form:
        """step(u) - sign(u) σ(-|u|), the slope of relu(u) + softplus(-|u|), is σ(u), at 0 as its limit from both sides."""
        for coefficient, number in list(form.items()):
            for found in [f for f in sp.Mul.make_args(coefficient) if isinstance(f, step)]:
                u, rest = found.args[0], coefficient / found
                other = rest * sp.sign(u)
                if number.is_Number and other in form and self._plain_of(form[other] / -number) == sigmoid(-sp.Abs(u)):
                    self.rules.add("softplus")
                    smooth = {times(rest, c): number * r for c, r in self.read(sigmoid(u)).items()}
                    return _added([_without(form, coefficient, other), smooth])
        return form

    def _plain_of(self, pure: sp.Expr) -> sp.Expr | None:
        number, parts = self._components(pure) if pure.free_symbols else (pure, [])
        return self._plain(parts[0]) if number == 1 and len(parts) == 1 else None

    def _common(self, form: Form) -> tuple[sp.Expr, Form] | None:
        """A rational function that stands in every term, and the rest."""
        first = next(iter(form.values()), ONE)
        if len(form) < 2 or not first.free_symbols:
            return None
        numbers = {c: sp.cancel(r / first) if r != first else ONE for c, r in form.items()}
        return (first, numbers) if all(n.is_Number for n in numbers.values()) else None

    def _softplus(self, form: Form) -> Form:
        """softplus(u) - y u is (1 - y) softplus(u) + y softplus(-u), also for y = 1; relu(u) + softplus(-|u|) is softplus(u)."""
        for coefficient in list(form):
            for found in [f for f in sp.Mul.make_args(coefficient) if isinstance(f, softplus)]:
                if coefficient not in form:
                    break
                rest, u, number = coefficient / found, found.args[0], form[coefficient]
                other = rest * softplus(-u)
                if form.get(other) == -number and other != coefficient:  # softplus(u) - softplus(-u) is u
                    form = _added([_without(form, other, coefficient), self.read(rest * u) if number == 1 else {rest * u: number}])
                    self.rules.add("softplus")
                    break
                if isinstance(u, sp.Mul) and isinstance(-u, sp.Abs):
                    inner = (-u).args[0]
                    other = rest * relu(inner)
                    if form.get(other) == number:
                        form = _added([_without(form, other, coefficient), {rest * softplus(inner): number}])
                        self.rules.add("softplus")
                        break
                scale, v = primitive(u)
                if not isinstance(v, (sp.Indexed, sp.Symbol)):
                    continue
                for c, r in list(form.items()):
                    y = c / (rest * v)
                    if v in y.free_symbols or y.has(v) or not r.is_Number or not number.is_Number or sp.fraction(y)[1] != 1:
                        continue
                    y = y * r / (-number * scale)
                    if y != 1 and not isinstance(y, (sp.Indexed, sp.Symbol)):
                        continue
                    kept: Form = {} if y == 1 else {times(1 - y, rest * softplus(u)): number}
                    form = _added([_without(form, c, coefficient), kept, {times(y, rest * softplus(-u)): number}])
                    self.rules.add("softplus")
                    break
        return form

    def _quotient(self, form: Form) -> Form:
        """1/d - x d'/d², the slope of a quotient, over one denominator, where the numerator is then a single term: 1/d² for x/(1 + x)."""
        if len(form) != 2 or not all(r.is_Number for r in form.values()):
            return form
        bases = {f.base for c in form for f in sp.Mul.make_args(c) if f.is_Pow and f.base.is_Add and f.exp.is_Rational and f.exp < 0}
        for base in bases:
            terms = [times(r, c) for c, r in form.items()]
            low = min(_exponent(t, base) for t in terms)
            gaps = [_exponent(t, base) - low for t in terms]
            if not all(g.is_Integer and g <= 3 for g in gaps) or len(set(gaps)) == 1:
                continue
            whole = sp.expand(sp.Add(*[t / base**_exponent(t, base) * base**g for t, g in zip(terms, gaps, strict=True)]))
            whole = sp.expand(whole.replace(lambda e: e.is_Mul and any(sp.sign(f) in e.args for f in e.args), _unsigned))
            if not whole.is_Add:
                self.rules.add("quotient")
                number, rest = whole.as_coeff_Mul()
                return {rest * base**low: number}
        return form

    def _normal(self, form: Form) -> tuple[Form, list[sp.Expr]]:
        """c + c erf(v) is 2 c Φ(√2 v), c - c Φ(u) is c Φ(-u)."""
        parts = []
        if any(c.has(st.gauss) for c in form):  # a number that was multiplied into a coefficient is one of the form
            form = _added({c.as_coeff_Mul()[1]: r * c.as_coeff_Mul()[0]} if c.has(st.gauss) else {c: r} for c, r in form.items())
        for coefficient in [c for c in form if len(form) > 1]:
            for f in sp.Mul.make_args(coefficient) if coefficient in form else ():
                written = self._weighted_name(f)
                normal = f if isinstance(f, st.gauss) else self._times_normal(self.read(written)) if written is not f else None
                number, normal = normal if isinstance(normal, tuple) else (ONE, normal)
                rest = coefficient / f
                if normal is not None and number == 1 and form[coefficient].is_Number and form.get(rest) == -form[coefficient]:
                    parts.append(times(rest, -form[coefficient] * st.gauss(-normal.args[0])))
                    form = _without(form, rest, coefficient)
                    self.rules.add("normal distribution")
                    break
        for coefficient in list(form):
            found = [f for f in sp.Mul.make_args(coefficient) if isinstance(f, sp.erf)]
            if len(found) != 1 or coefficient not in form:
                continue
            rest = sp.Mul(*[f for f in sp.Mul.make_args(coefficient) if f is not found[0]])
            value = form[coefficient]
            if rest in form and form[rest] in (value, -value):
                sign = 1 if form[rest] == value else -1
                parts.append(times(rest, 2 * self._pure(form[rest]) * st.gauss(sp.sqrt(2) * sign * found[0].args[0])))
                form = {c: r for c, r in form.items() if c not in (rest, coefficient)}
                self.rules.add("normal distribution")
        return form, parts

    def _target(self, form: Form) -> tuple[Form, list[sp.Expr]]:
        """r - y is (1 - y) r - y (1 - r) for an r between 0 and 1, and T r - y is (T - y) r - y (1 - r) where T is the sum of the y;
        y - Σ y p, p a share of the same sum, is y (1 - p) - (Σ y p - y p). Where y is 0 or 1 nothing is lost."""
        for t, r in form.items() if len(form) > 1 else ():
            made = self._toward(t, r, {c: q for c, q in form.items() if c is not t}) or (self._centred(form, t) if len(form) == 2 else None)
            if made is not None:
                self.rules.add("target")
                return {}, made
        return form, []

    def _toward(self, t: sp.Expr, r: sp.Expr, rest: Form) -> list[sp.Expr] | None:
        sign = self._sign(r) or 1
        if not r.free_symbols or not (t == 1 or isinstance(t, sp.Sum)):
            return None
        span = self._span(sign * r)
        if span is None:
            return None
        low, up, down = span
        if t == 1:
            (y, number), *more = rest.items()
            if more or number != -sign or not isinstance(y, (sp.Indexed, sp.Symbol, st.share)):
                return None
            left = st.others(*y.args) if isinstance(y, st.share) else 1 - y
            return [times(sign * left, up), times(sign * (low - y), down)]
        own = sp.Add(*[times(c, self._pure(-sign * q)) for c, q in rest.items()])
        if low != 0 or not term_of(own, t):
            return None
        return [times(sign * minus(t, own), up), *[times(c, self._pure(q * (1 - sign * r))) for c, q in rest.items()]]

    def _centred(self, form: Form, t: sp.Expr) -> list[sp.Expr] | None:
        (y, number), = [(c, q) for c, q in form.items() if c is not t]
        if not isinstance(t, sp.Sum) or len(t.limits) != 1 or not isinstance(y, sp.Indexed) or form[t] != -number or not number.is_Number:
            return None
        bound = limits(t)[0][0]
        for place in y.indices:
            weight = t.function.xreplace({bound: place}) / y
            read = self.read(weight) if not weight.has(sp.Pow) and y not in weight.atoms(sp.Indexed) else {}
            span = self._span(read[ONE]) if set(read) == {ONE} and read[ONE].free_symbols else None
            if span is not None and isinstance(self._plain(self._components(read[ONE])[1][0]), st.share):
                return [times(number, times(y, span[2])), -number * st.other_terms(times(y, span[1]), t)]
        return None

    def _span(self, r: sp.Expr) -> tuple[int, sp.Expr, sp.Expr] | None:
        """(low, up, down) with r = up + low · down and up + down = 1: of a sigmoid or a share (0, r, 1 - r), of a tanh (-1, …)."""
        number, parts = self._components(r)
        if number != 1 or len(parts) != 1:
            return None
        written = self._plain(parts[0])
        if isinstance(written, (sigmoid, st.share)):
            return 0, self._pure(r), self._pure(1 - r)
        if isinstance(written, sp.tanh):
            return -1, self._pure((1 + r) / 2), self._pure((1 - r) / 2)
        return None

    def _pure(self, pure: sp.Expr) -> sp.Expr:
        """A rational function of generators. Terms of one sign stay apart; terms that could cancel are brought together."""
        if not pure.free_symbols:
            return pure
        terms = [self._tidy(t) for t in sp.Add.make_args(pure)]
        if len(terms) > 1:
            signs = {self._sign(t) for t in terms}
            if len(signs) == 1 and 0 not in signs:
                return sp.Add(*[self._term(t) for t in terms])
            together = _groups(terms)
            if len(together) > 1:
                return sp.Add(*[self._pure(sp.Add(*ts)) for ts in together])
            whole = _factored_text(pure)
            if isinstance(whole, sp.Add) and len(whole.free_symbols) > 1:
                return sp.Add(*[self._term(t) for t in terms])
            self.rules.add("cancelled")
            return self._term(whole)
        return self._term(terms[0])

    def _term(self, pure: sp.Expr) -> sp.Expr:
        number, parts = self._components(pure)
        return sp.Mul(number, *[self._component(p) for p in parts])

    def _sign(self, pure: sp.Expr) -> int:
        """1 or -1 where it has one sign, else 0. Every generator is positive."""
        number, parts = self._components(pure)
        sign = 1 if number > 0 else -1
        for part in parts:
            above, below = sp.fraction(part)
            if any(c.as_coeff_Mul()[0] < 0 for p in (above, below) for f in sp.Mul.make_args(p)
                   for c in sp.Add.make_args(f.base if f.is_Pow else f)):
                return 0
        return sign

    def _components(self, pure: sp.Expr) -> tuple[sp.Expr, list[sp.Expr]]:
        """(a number, factors that share no generator)."""
        if pure not in self.parts:
            self.parts[pure] = self._parted(pure)
        number, parts = self.parts[pure]
        return number, list(parts)

    def _parted(self, pure: sp.Expr) -> tuple[sp.Expr, list[sp.Expr]]:
        factors = [self._turned(f) for f in sp.Mul.make_args(self._tidy(pure))]
        factors = [g for f in factors for g in sp.Mul.make_args(f)]
        number = sp.Mul(*[f for f in factors if f.is_number])
        kin = self._kin({s for f in factors for s in f.free_symbols})
        found = connected([f for f in factors if not f.is_number], lambda f: {kin.get(s, s) for s in f.free_symbols})
        return number, [p for fs in found for p in self._split(sp.Mul(*fs))]

    def _is_total(self, base: sp.Expr) -> bool:
        """Is it c + S + …, S a sum of exponentials and all else positive: a total that the terms of S have shares of?"""
        terms = [t.as_coeff_Mul() for t in base.args] if isinstance(base, sp.Add) else []
        known = [self.by_symbol.get(t) for _, t in terms if t != 1]
        if not known or not all(number == 1 or (number > 0 and t == 1) for number, t in terms):
            return False
        sums = [g.node for g in known if g is not None and isinstance(g.node, sp.Sum)]
        single = [g.symbol for g in known if g is not None and g.node is None]
        return bool(sums) and len(sums) + len(single) == len(known) and not any(term_of(self._direct(e), s) for e in single for s in sums)

    def _totals(self, bases: Iterable[sp.Expr]) -> list[Generator]:
        """The sums of exponentials that were read, and the totals that are among ``bases``, or of which a base is what is left without a
        term."""
        lacking = [sp.Add(*[t for t in b.args if t.as_coeff_Mul()[0] > 0]) for b in bases if isinstance(b, sp.Add)]
        made = [Generator(b, sp.log(self._direct(b)), self._direct(b)) for b in dict.fromkeys(lacking) if self._is_total(b)]
        return [*made, *[g for g in self.by_symbol.values() if isinstance(g.node, sp.Sum)]]

    def _split(self, part: sp.Expr) -> list[sp.Expr]:
        """E/(1 + S) is E/S times S/(1 + S): a share, and a function of the sum."""
        factors = {f: f.as_base_exp() for f in sp.Mul.make_args(part)}
        sums = {s for s in part.free_symbols if isinstance(self.by_symbol[s].node, sp.Sum)}
        plain = [f for f, (b, n) in factors.items() if b.is_Symbol and b not in sums and n.is_Integer and n > 0]
        rest = [f for f in factors if f not in plain]
        left = {s for f in rest for s in f.free_symbols}
        if len(sums) != 1 or left != sums or not plain or all(f.as_base_exp()[0].is_Symbol for f in rest):
            return [part]
        if self._shares(part) is not None:
            return [part]
        (total,) = sums
        count = sum(factors[f][1] for f in plain)
        return [sp.Mul(*plain, total**-count), _factored_text(sp.Mul(*rest, total**count))]

    def _turned(self, factor: sp.Expr) -> sp.Expr:
        """(E - S)^n as (-1)^n (S - E)^n."""
        base, count = factor.as_base_exp()
        if base.is_Add and count.is_Integer and any(
                t.as_coeff_Mul()[0] < 0 and isinstance(getattr(self.by_symbol.get(-t), "node", None), sp.Sum) for t in base.args):
            return (-1) ** count * sp.Pow(sp.Add(*[-t for t in base.args]), count)
        return factor

    def _kin(self, symbols: set[sp.Symbol]) -> dict[sp.Symbol, sp.Symbol]:
        """The sum of exponentials that an exponential is a term of, where both are there."""
        sums = [s for s in symbols if isinstance(self.by_symbol[s].node, sp.Sum)]
        return {e: s for s in sums for e in symbols if e not in sums and self._is_term(e, s)}

    def _is_term(self, e: sp.Symbol, total: sp.Symbol) -> bool:
        if (e, total) not in self.terms:
            found = self.by_symbol[total]
            self.terms[e, total] = term_of(self._direct(e), found.node) or self._power_in(e, found)[0] is not None
        return self.terms[e, total]

    def _single(self, part: sp.Expr) -> tuple[sp.Expr, Factored] | None:
        """(u, the function of e^u) where there is one generator."""
        symbols = part.free_symbols
        if len(symbols) != 1:
            return None
        generator = self.by_symbol[next(iter(symbols))]
        if generator.node is not None and (isinstance(generator.node, When) or part.is_Symbol or part.is_Pow):
            return None
        found = factored(part, generator.symbol)
        return None if found is None else (generator.argument / found[0], found[1])

    def _of_two(self, part: sp.Expr) -> tuple[sp.Expr, Factored, sp.Expr] | None:
        """(x - y, f, d y) where ``part``, of the same degree d in e^x and e^y, is e^(d y) f(e^(x - y)); only where terms cancel in it."""
        symbols = sorted(part.free_symbols, key=str)
        if len(symbols) != 2 or any(self.by_symbol[s].node is not None for s in symbols):
            return None
        t, scale = sp.Symbol("t", positive=True), sp.Symbol("s", positive=True)
        scaled = sp.cancel(part.xreplace({symbols[0]: t * scale, symbols[1]: scale}))
        degree = sp.cancel(scale * scaled.diff(scale) / scaled)  # Euler: the degree of what is homogeneous; roots have degrees of halves
        found = factored(scaled.xreplace({scale: ONE}), t) if degree.is_Number else None
        if found is None or found[1].k == 0:
            return None
        u = minus(self.by_symbol[symbols[0]].argument, self.by_symbol[symbols[1]].argument)
        return u / found[0], found[1], degree * self.by_symbol[symbols[1]].argument

    def _component(self, part: sp.Expr) -> sp.Expr:
        return self._name(self._written(part))

    def _name(self, written: sp.Expr) -> sp.Expr:
        """The name that the program has for a value, or the value."""
        return self.named.get(written, written)

    def _plain(self, part: sp.Expr) -> sp.Expr:
        """The function itself, not its name."""
        kept, self.named = self.named, {}
        written = self._written(part)
        self.named = kept
        return written

    def _written(self, part: sp.Expr) -> sp.Expr:
        single = self._single(part)
        if single is not None:
            return self._of_one(*single)
        found = self._shares(part)
        if found is not None:
            if any(kind in (st.log_share, st.log_others) for kind, _, _ in found):
                self.rules.add("shares")
            if self.in_logs and len(found) > 1 and any(kind is st.log_others and count < 0 for kind, _, count in found):
                return sp.exp(st.grouped(sp.Add(*[count * self._log_kind(kind, args) for kind, args, count in found])), evaluate=False)
            kinds: Mapping[type, Callable[..., sp.Expr]] = {
                st.log_share: self._share, st.log_others: self._others, sp.log: lambda total: total,
                sp.exp: lambda u: sp.exp(u, evaluate=False)}
            return sp.Mul(*[kinds[kind](*args) ** count for kind, args, count in found])
        fraction = self._part_of(part)
        if fraction is not None:
            self.rules.add("shares")
            v, w = fraction
            return sigmoid(minus(v[0], w[0])) if len(v) == len(w) == 1 else st.part(len(v), *v, *w)
        two = self._of_two(part)
        if two is not None and two[2] == 0:
            return self._of_one(*two[:2])
        return self._direct(part)

    def _direct(self, part: sp.Expr) -> sp.Expr:
        """The generators put back as they are."""
        there = {}
        for power in part.atoms(sp.Pow):
            if power.base in self.by_symbol and self.by_symbol[power.base].node is None:
                there[power] = sp.exp(power.exp * self.by_symbol[power.base].argument, evaluate=False)
        for s in part.free_symbols:
            g = self.by_symbol[s]
            there[s] = g.node if g.node is not None else sp.exp(g.argument, evaluate=False)
        return part.xreplace(there)

    def _share(self, e: sp.Expr, total: sp.Sum) -> sp.Expr:
        return self._name(st.share(e, total))

    def _others(self, e: sp.Expr, total: sp.Sum) -> sp.Expr:
        """What the other shares add up to, from their names where they have one."""
        own = st.share(e, total)
        name = self.named.get(own)
        if name is None:
            return st.others(e, total)
        if not isinstance(total, sp.Sum):
            return st.others(e, total)
        bound, lo, hi = limits(total)[0]
        place = place_in(e, total)
        return st.others(name, canonical(sp.Sum(name.xreplace({place: bound}), (bound, lo, hi))))

    def _of_one(self, u: sp.Expr, r: Factored) -> sp.Expr:
        """A function of one exponential by its name, or else as a ``ratio``."""
        if r.k == 0 and len(r.above) == len(r.below) == 1:
            return r.c * sp.exp(r.a * u, evaluate=False) if r.c != 1 else sp.exp(r.a * u, evaluate=False)
        self.rules.add("factored")
        if len(r.below) == 1:
            if r.k == 0:
                return r.c * sp.Add(*[c * sp.exp((n + r.a) * u) for n, c in enumerate(r.above)])
            if r.k == 1 and len(r.above) == 1 and r.a in (0, -1):
                return r.c * st.expm1(u) if r.a == 0 else -r.c * st.expm1(-u)
            if r.k == 1 and r.above == (1, 1) and r.a == -1:
                return 2 * r.c * sp.sinh(u)
        power = len(r.below) - 1
        if r.k == power > 0 and r.a == 0 and r.above == (1,) and r.below == binomial(power):
            return r.c * self._name(sp.tanh(u / 2)) ** power
        if r.k == 0 and r.above == (1,) and 0 <= r.a <= power <= 4 and r.below == binomial(power):
            pairs = min(r.a, power - r.a)
            left = power - 2 * pairs
            ends = self._name(sigmoid(u if 2 * r.a > power else -u)) ** left
            return r.c * self._name(st.bell(u)) ** pairs * ends
        return r.c * st.ratio(u, r.k, r.a, len(r.above), *r.above, *r.below)

    def _loose(self, pure: sp.Expr) -> bool:
        """True when some part of it may grow without bound."""
        if not pure.free_symbols:
            return False
        for term in sp.Add.make_args(pure):
            for part in self._components(term)[1]:
                single = self._single(part)
                if single is not None:
                    if not single[1].bounded:
                        return True
                    continue
                found = self._shares(part)
                if found is not None:
                    if any(kind not in (st.log_share, st.log_others) or count < 0 for kind, _, count in found):
                        return True
                elif self._part_of(part) is None:
                    return True
        return False

    def _shares(self, part: sp.Expr) -> list[tuple[type, tuple[sp.Expr, ...], sp.Rational]] | None:
        """Powers of shares, of their complements, of sums and of exponentials, each by its logarithm; None when there is more."""
        powers: dict[sp.Expr, sp.Rational] = {}
        for f in sp.Mul.make_args(part):
            base, count = f.as_base_exp()
            if not count.is_Rational:
                return None
            powers[base] = powers.get(base, sp.S.Zero) + count
        if not any(isinstance(self.by_symbol[s].node, sp.Sum) for s in part.free_symbols):
            return None
        made: list[tuple[type, tuple[sp.Expr, ...], sp.Rational]] = []
        totals = self._totals(powers)
        for base in [b for b in powers if b.is_Add]:  # (S - E)^n is S^n times a power of what the others add up to
            for total in totals:
                top, kind = self._share_of(base, total)
                if top is not None and powers[base].is_Integer:
                    count = powers.pop(base)
                    made.append((kind, (top, total.node), count))
                    powers[total.symbol] = powers.get(total.symbol, 0) + count
                    break
        for generator in totals:
            s = generator.symbol
            for base in list(powers):
                if powers.get(s, 0) >= 0:
                    break
                top, kind = self._share_of(base, generator)
                top, each = (top, ONE) if top is not None else self._power_in(base, generator)
                count = min(powers[base] / each, -powers[s]) if top is not None else 0
                if top is not None and count > 0:
                    made.append((kind if each == 1 else st.log_share, (top, generator.node), count))
                    powers[base] -= count * each
                    powers[s] += count
        for base, count in powers.items():
            if count == 0:
                continue
            whole = self._direct(base) if self._is_total(base) else None
            if whole is not None and any(args[-1] == whole for _, args, _ in made):  # of others _part_of knows more
                made.append((sp.log, (whole,), count))
                continue
            if base not in self.by_symbol:
                return None
            g = self.by_symbol[base]
            if g.node is None:
                made.append((sp.exp, (count * g.argument,), ONE))
            else:
                made.append((sp.log, (g.node,), count))
        return made

    def _share_of(self, base: sp.Expr, total: Generator) -> tuple[sp.Expr | None, type]:
        """The exponential e when ``base`` is e or the sum without e, and e a term of the sum."""
        if base in self.by_symbol:
            e = self._direct(base)
            return (e, st.log_share) if term_of(e, total.node) else (None, sp.log)
        rest = minus(total.symbol, base)
        if isinstance(base, sp.Add) and rest.as_base_exp()[0] in self.by_symbol:
            e = self._direct(rest)
            return (e, st.log_others) if term_of(e, total.node) else (None, sp.log)
        return None, sp.log

    def _power_in(self, base: sp.Expr, total: Generator) -> tuple[sp.Expr | None, sp.Expr]:
        """(e, k) where the k-th power of the exponential ``base`` is e, a term of the sum: exp(-x) is the power -1 of exp(x)."""
        g = self.by_symbol.get(base)
        if g is None or g.node is not None or not isinstance(total.node, sp.Sum) or len(total.node.limits) != 1:
            return None, ONE
        bound = limits(total.node)[0][0]
        for p in dict.fromkeys(p for entry in g.argument.atoms(sp.Indexed) for p in entry_indices(entry)):
            e = total.node.function.xreplace({bound: p})
            k = sp.cancel(e.args[0] / g.argument) if isinstance(e, sp.exp) else sp.S.Zero
            if k.is_Rational and k not in (0, 1):
                return e, k
        return None, ONE

    def _part_of(self, part: sp.Expr) -> tuple[tuple[sp.Expr, ...], tuple[sp.Expr, ...]] | None:
        """(the v, the w) where ``part`` is Σ e^v/(Σ e^v + Σ e^w)."""
        above, below = sp.fraction(part)
        rest = sp.expand(below - above)
        if below.is_number or rest == 0 or not sp.expand(below).is_Add or len(sp.expand(below).args) > MOST_TERMS:
            return None
        found = [self._exponents(p) for p in (above, rest)]
        return None if found[0] is None or found[1] is None else (found[0], found[1])

    def _log_sum_of(self, polynomial: sp.Expr) -> sp.Expr | None:
        """log of a sum of exponentials with positive coefficients, or None."""
        exponents = self._exponents(polynomial)
        if exponents is None:
            return None
        result = exponents[0]
        for value in exponents[1:]:
            result = softplus(value) if result == 0 else softplus(result) if value == 0 else st.logaddexp(result, value)
        return result

    def _exponents(self, polynomial: sp.Expr) -> tuple[sp.Expr, ...] | None:
        """The v of Σ e^v, which ``polynomial`` is when its coefficients are positive, or None."""
        exponents = []
        for term in sp.Add.make_args(sp.expand(polynomial)):
            number, rest = term.as_coeff_Mul()
            if not number > 0:
                return None
            value = sp.log(number)
            for f in sp.Mul.make_args(rest):
                base, count = f.as_base_exp()
                if base == 1:
                    continue
                if base not in self.by_symbol or isinstance(self.by_symbol[base].node, When):
                    return None
                value += count * self.by_symbol[base].argument
            exponents.append(value)
        return tuple(exponents)


def _divides_by_normal(coefficient: sp.Expr) -> bool:
    return any(f.is_Pow and f.exp.is_negative and isinstance(f.base, st.gauss) for f in sp.Mul.make_args(coefficient))


def guarded(value: sp.Expr, condition: sp.Basic, holds: bool) -> sp.Expr:
    """``value`` with the left side u of a comparison replaced, inside functions that are not defined or overflow elsewhere, by what is
    u where the condition ``holds`` (or does not) and some place where it does (or does not) elsewhere. What is divided by, or taken a root
    or logarithm of, without u is 1 elsewhere, and so is any argument where several comparisons hold. A NaN stays where it was."""
    parts = [c for c in (sp.And if holds else sp.Or).make_args(condition) if isinstance(c, Relational) and c.free_symbols]
    tests = [(c.lhs, c.rhs, st.RELATIONS.index(c.func), int(holds)) for c in parts]
    sides = [u if not u.is_number else other for u, other, *_ in tests]
    there = {sides[0]: st.kept(sides[0], _place(parts[0], sides[0], holds), *tests[0])} if len(parts) == 1 else {}

    def walk(node: sp.Expr) -> sp.Expr:
        if node.is_Atom or isinstance(node, (sp.Indexed, st.kept)):
            return node
        if is_partly_defined(node):
            met = any(node.has(u) for u in sides)
            if met and there:
                made = node.xreplace(there)
                return made if not isinstance(node, sp.exp) else sp.exp(made.args[0], evaluate=False)
            if not defined(node) and (met or (isinstance(node, (sp.Pow, sp.log)) and node.args[0].has(sp.Indexed))):
                inner = walk(node.args[0])
                for test in tests:
                    inner = st.kept(inner, ONE, *test)
                return node.func(inner, *node.args[1:]) if not isinstance(node, sp.exp) else sp.exp(inner, evaluate=False)
        return rebuild(node, tuple(walk(a) if isinstance(a, sp.Expr) else a for a in node.args))

    return walk(value) if tests else value


def _place(condition: sp.Basic, u: sp.Expr, holds: bool) -> sp.Expr:
    """A number, or a number beside the other side, at which u makes the comparison hold, or fail."""
    other = condition.rhs if u == condition.lhs else condition.lhs
    if isinstance(condition, (sp.Eq, sp.Ne)):
        return other if isinstance(condition, sp.Eq) == holds else other + 1
    above = isinstance(condition, (sp.Gt, sp.Ge)) == (u == condition.lhs)
    return other + (1 if above == holds else -1)


def times(a: sp.Expr, b: sp.Expr) -> sp.Expr:
    """a·b; a number is not multiplied into a sum."""
    if a == 1:
        return b
    if b == 1:
        return a
    if b.is_Number:
        a, b = b, a
    if a == -1 and b.is_Add:
        return sp.Add(*[-t for t in b.args])
    return sp.Mul(a, b, evaluate=False) if a.is_Number and b.is_Add else sp.Mul(a, b)


def minus(a: sp.Expr, b: sp.Expr) -> sp.Expr:
    """a - b, like terms taken together."""
    return sp.Add(a, *[-t for t in sp.Add.make_args(b)])


def primitive(u: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
    """(r, v) with u = r v: v has coprime whole coefficients and a fixed sign, so that u and -u/2 have the same v."""
    number, rest = u.as_coeff_Mul()
    if number == 0:
        return sp.S.Zero, sp.S.Zero
    if rest.is_Add:
        content, rest = rest.primitive()
        number *= content
    if rest.could_extract_minus_sign():
        number, rest = -number, sp.Add(*[-t for t in sp.Add.make_args(rest)])
    return number, rest


def _has_logarithm(right: sp.Expr) -> bool:
    """A log-softmax or a log σ: terms, of which one takes a logarithm of exponentials off, or is that of a σ."""
    for number, f in (t.as_coeff_Mul() for t in sp.Add.make_args(right)):
        logarithm = isinstance(f, sp.log)
        if (number < 0 and (isinstance(f, softplus) or (logarithm and f.has(sp.exp)))) or (logarithm and f.has(sigmoid)):
            return True
    return False


def _added(forms: Iterable[Form]) -> Form:
    made: Form = {}
    for form in forms:
        for c, r in form.items():
            made[c] = made[c] + r if c in made else r
    return made


def _without(form: Form, *coefficients: sp.Expr) -> Form:
    return {c: r for c, r in form.items() if c not in coefficients}


def _within(unit: sp.Expr, product: sp.Expr) -> bool:
    """True when every factor of ``unit`` is one of ``product``, with as large a power of the same sign."""
    own = dict(f.as_base_exp() for f in sp.Mul.make_args(product))
    return all(f == 1 or (b in own and (own[b] / n).is_number and own[b] / n >= 1) for f in sp.Mul.make_args(unit)
               for b, n in [f.as_base_exp()])


def _exponent(term: sp.Expr, base: sp.Expr) -> sp.Expr:
    return sp.Add(*[f.as_base_exp()[1] for f in sp.Mul.make_args(term) if f.as_base_exp()[0] == base])


def _unsigned(product: sp.Mul) -> sp.Expr:
    """x sign(x) is |x|."""
    args = list(product.args)
    for f in list(args):
        if isinstance(f, sp.sign) and f.args[0] in args:
            args.remove(f)
            args.remove(f.args[0])
            args.append(sp.Abs(f.args[0]))
    return sp.Mul(*args)


def _groups(terms: list[sp.Expr]) -> list[list[sp.Expr]]:
    """Terms that share generators; the number goes to the only group there is, or else alone."""
    numbers = [t for t in terms if not t.free_symbols]
    groups = connected([t for t in terms if t.free_symbols], lambda t: set(t.free_symbols))
    if len(groups) == 1:
        return [[*groups[0], *numbers]]
    return [*groups, *([numbers] if numbers else [])]


def connected(items: list[sp.Expr], symbols_of: Callable[[sp.Expr], set[sp.Basic]]) -> list[list[sp.Expr]]:
    """The items in groups, so that those with a symbol in common are in one group."""
    groups: list[tuple[set[sp.Basic], list[sp.Expr]]] = []
    for item in items:
        symbols, own, apart = symbols_of(item), [item], []
        for s, others in groups:
            if s & symbols:
                symbols, own = symbols | s, others + own
            else:
                apart.append((s, others))
        groups = [*apart, (symbols, own)]
    return [own for _, own in groups]


@lru_cache(maxsize=4096)
def _factored_text(pure: sp.Expr) -> sp.Expr:
    """Factors over the rationals, common ones cancelled; powers such as t**(1/2) are factors of their own."""
    back: dict[sp.Symbol, sp.Expr] = {}
    roots = _roots(pure)
    if roots != 1:
        return sp.Mul(roots, _factored_text(sp.Add(*[t / roots for t in sp.Add.make_args(pure)])))
    for symbol in pure.free_symbols:
        powers = [p for p in pure.atoms(sp.Pow) if p.base == symbol and p.exp.is_Rational]
        q = sp.ilcm(1, 1, *[p.exp.q for p in powers])
        if any(abs(p.exp * q) > MOST_DEGREE for p in powers):  # exp(0.7978845608028654 u) is no power to write out
            return pure.xreplace(back)
        if q > 1:
            root = sp.Symbol(f"{symbol}r{q}", positive=True)
            pure = pure.xreplace({p: root ** (p.exp * q) for p in powers} | {symbol: root**q})
            back[root] = symbol ** sp.Rational(1, q)
    return sp.factor(sp.together(pure)).xreplace(back)


def _roots(total: sp.Expr) -> sp.Expr:
    """The roots that are factors of every term: t**(1/2) of t**(1/2) - t**(3/2). S - E is not to be split into its roots."""
    found = sp.S.One
    for symbol in total.free_symbols:
        parts = {_exponent(t, symbol) % 1 for t in sp.Add.make_args(total)}
        if len(parts) == 1 and (part := parts.pop()) != 0:
            found *= symbol**part
    return found


@lru_cache(maxsize=4096)
def factored(part: sp.Expr, symbol: sp.Symbol) -> tuple[int, Factored] | None:
    """(q, f) with part = f(symbol^(1/q)) and q as small as it may be, 1/2 for a function of the square; None if it is not rational."""
    powers = [p.exp for p in part.atoms(sp.Pow) if p.base == symbol]
    if any(not p.is_Rational for p in powers):
        return None
    q = sp.ilcm(1, 1, *[p.q for p in powers])
    if any(abs(p * q) > MOST_DEGREE for p in powers):
        return None
    t = sp.Symbol("t", positive=True)
    there = {p: t ** (p.exp * q) for p in part.atoms(sp.Pow) if p.base == symbol}
    above, below = sp.fraction(sp.cancel(part.xreplace(there | {symbol: t**q})))
    polys = [sp.Poly(p, t) for p in (above, below)]
    lows = [min(m[0] for m in p.monoms()) for p in polys]
    lists = [[p.nth(n) for n in range(low, p.degree() + 1)] for p, low in zip(polys, lows, strict=True)]
    stride = sp.igcd(lows[0] - lows[1], 0, *[n for p in lists for n, c in enumerate(p) if c != 0])
    stride = max(int(stride), 1)
    lists = [p[::stride] for p in lists]
    a, k = (lows[0] - lows[1]) // stride, 0
    for which, sign in ((0, 1), (1, -1)):
        while len(lists[which]) > 1 and sum(lists[which]) == 0:
            lists[which], k = _divided(lists[which]), k + sign
    contents = [sp.Poly(p[::-1], t).primitive()[0] * (-1 if p[-1] < 0 else 1) for p in lists]
    above_, below_ = (tuple(sp.Rational(c) / content for c in p) for p, content in zip(lists, contents, strict=True))
    return sp.Rational(q, stride), Factored(sp.Rational(contents[0]) / contents[1], k, int(a), above_, below_)


def _divided(coefficients: list[sp.Expr]) -> list[sp.Expr]:
    """The polynomial divided by t - 1, of which 1 is a root; coefficients from the constant up."""
    made, carry = [], sp.S.Zero
    for c in reversed(coefficients[1:]):
        carry += c
        made.append(carry)
    return made[::-1]


@lru_cache(maxsize=64)
def binomial(n: int) -> tuple[sp.Expr, ...]:
    """The coefficients of (1 + t)^n."""
    return tuple(sp.binomial(n, k) for k in range(n + 1))


def _scaled(r: Factored, number: sp.Expr) -> Factored:
    return Factored(r.c * number, r.k, r.a, r.above, r.below)


def _log_factored(u: sp.Expr, r: Factored) -> tuple[sp.Expr, int] | None:
    """(log |c (E - 1)^k E^a P/Q|, sign) for E = e^u and k = 0 or 1; for k = 1 where the function is positive."""
    if any(c < 0 for c in (*r.above, *r.below)) or not (r.k == 1 or r.k % 2 == 0):
        return None
    if r.k not in (0, 1):  # log |E - 1| = log(1 - e^-|u|), and u where u > 0
        rest = _log_factored(u, Factored(r.c, 0, r.a, r.above, r.below))
        return None if rest is None else (r.k * (_log_gap(sp.Abs(u)) + relu(u)) + rest[0], rest[1])
    number, sign, a = sp.Abs(r.c), (1 if r.c > 0 else -1), r.a
    if r.k == 1:  # E - 1 > 0 where u > 0, and 1 - E > 0 where u < 0
        inner = _log_gap(u * sign)
        a += 1 if sign > 0 else 0
        rest = _log_factored(u, Factored(number, 0, a, r.above, r.below))
        return None if rest is None else (inner + rest[0], 1)
    m = max(len(r.above), len(r.below)) - 1
    value = sum(r.above) * number / sum(r.below)
    if value == 1 and m > 0:
        return _near_one(u, r, number), sign
    return _log_powers(u, r, number, a, m), sign


def _log_gap(v: sp.Expr) -> sp.Expr:
    """log(1 - e^-v) for v > 0."""
    return st.near(v, st.log1p(-sp.exp(-st.clamped(v, 1, FAR))), sp.log(-st.expm1(-st.clamped(v, -1, 1))))


def _log_powers(u: sp.Expr, r: Factored, number: sp.Expr, a: int, m: int) -> sp.Expr:
    constant = sp.log(number) if number != 1 else sp.S.Zero
    if m == 0:
        return constant + a * u
    for sign, one, other in ((1, r.above, r.below), (-1, r.below, r.above)):
        if other == (1,) and one == binomial(m):  # E^a (1 + E)^±m
            up = sign * a
            if up > 0:
                return constant + a * u + sign * m * softplus(u)
            if up < -m:
                return constant + (a + sign * m) * u + sign * m * softplus(-u)
            return constant + sign * (-up * softplus(-u) + (m + up) * softplus(u))
    return st.logratio(u, 0, a, len(r.above), *[c * number for c in r.above], *r.below)


def _near_one(u: sp.Expr, r: Factored, number: sp.Expr) -> sp.Expr:
    """R(1) = 1: near u = 0 the logarithm of R is log1p(R - 1), and R - 1 has the factor E - 1."""
    t = sp.Symbol("t", positive=True)
    above, below = (sp.Add(*[c * t**n for n, c in enumerate(p)]) for p in (r.above, r.below))
    found = factored(number * t**r.a * above / below - 1, t)
    far = _log_powers(u, r, number, r.a, max(len(r.above), len(r.below)) - 1)
    if found is None:
        return far
    q, d = found
    inside = st.clamped(u, -1, 1) / q
    return st.near(u, far, st.log1p(d.c * st.ratio(inside, d.k, d.a, len(d.above), *d.above, *d.below)))
