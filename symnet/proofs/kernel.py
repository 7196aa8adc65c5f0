"""The kernel: the only maker of Proof. Each rule makes its conclusion itself, none takes one on trust.

A statement is an equality or an inequality of real expressions; it holds under the hypotheses of its proof, for all values of its symbols
in their domains. What is proved of an inequality has a value at every one of these points: a rule that meets a divisor, a logarithm or a
root of which that is not seen is refused, and says so. The rules of inequalities stand in ``inequality_rules``.

A Proof keeps the rule, the premises and the rule's data, so that ``checks(proof)`` can make it again from nothing. What is compared is
plain data (``core/plain``): every line is written down as tuples of text and whole numbers, each node by the exact class it has, and new
objects are made from that; no method of the object that is judged is called. So a Proof that was not made here, or was changed
afterwards by whatever means, does not check: not by subclasses with their own ``__eq__``, not by values hidden in SymPy's cache or in an
object's own attributes, not by a pickle, and not while SymPy or the equality prover is patched. What Python cannot stop is somebody
who replaces the functions of this module in memory: run a fresh process to be sure. Source for the manner: Milner's LCF (Gordon,
Milner & Wadsworth 1979).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from types import FunctionType, ModuleType
from typing import Any

import sympy as sp
from sympy.core.cache import clear_cache

from symnet.core import plain_data as plain
from symnet.core.axes import is_index
from symnet.core.claim import RELATIONS, ProofLine, Statement
from symnet.core.expressions import BINDERS, Nabla, limits
from symnet.core.number_sets import NumberSet, numbers_of
from symnet.core.program import Assumption
from symnet.core.short_forms import short_lines
from symnet.core.verdict import Answer, Verdict
from symnet.equality import order
from symnet.equality.compare import prove_equal
from symnet.equality.signs import FROM_ZERO, PLUS
from symnet.equality.sums.all_sizes import prove_for_all_sizes
from symnet.errors import ProofError, UnknownNodeError

ADDING = "adding inequalities"
NO_FACTS, ZERO = order.NONE, order.ZERO
_PERMIT = object()  # held by this module alone


@dataclass(frozen=True, slots=True)  # slots: no instance can have a check() of its own
class Proof:
    """hypotheses ⊢ equations (all of them). Made by the functions of this module; anything else raises ProofError."""

    hypotheses: tuple[Statement, ...]
    statements: tuple[Statement, ...]
    rule: str
    premises: tuple[Proof, ...] = ()
    data: tuple[Any, ...] = ()
    note: str = ""
    permit: Any = None

    def __post_init__(self) -> None:
        if self.permit is not _PERMIT:
            raise ProofError("proof", "made outside the kernel", "a proof made by the kernel's rules")
        object.__setattr__(self, "permit", None)

    def __repr__(self) -> str:
        return "\n".join(short_lines([f"Proof by {self.rule}", *[f"  {e}" for e in self.statements]]))

    def __init_subclass__(cls) -> None:
        raise ProofError("proof", f"{cls.__name__}, another kind of proof", "a proof made by the kernel's rules")

    def check(self) -> bool:
        """Make every line again by its rule and compare. True only when all agree."""
        return checks(self)

    @property
    def lines(self) -> tuple[ProofLine, ...]:
        """The proof as a list of lines, each after the lines it uses."""
        numbers: dict[int, int] = {}
        found: list[ProofLine] = []
        kept = set(self.hypotheses)

        def visit(p: Proof) -> int:
            if id(p) not in numbers:
                if p is not self and p.rule == "algebra" and p.statements[0].left == p.statements[0].right:
                    numbers[id(p)] = 0  # a = a, the start of a rewriting, is not told
                    return 0
                uses = tuple(n for n in map(visit, p.premises) if n)
                numbers[id(p)] = len(found) + 1
                under = tuple(h for h in p.hypotheses if h not in kept and not (p.rule == "given" and h in p.statements))
                rest = p.data[3] if p.rule == ADDING and p.data[3] != 0 and not p.premises else None
                supposed = p.rule == "given" and p.note == "given" and not kept.issuperset(p.statements)
                note = "supposed in the case at hand" if supposed else p.note
                found.append(ProofLine(len(found) + 1, p.statements, p.rule, uses, note, under, rest))
            return numbers[id(p)]

        visit(self)
        return tuple(found)


def checks(proof: Any) -> bool:
    """True when ``proof`` is a Proof every line of which its rule makes again. Ask this rather than an object you do not know."""
    try:
        clear_cache()  # SymPy's: what is made again must be new
        return dict(_watched()) == _WATCHED and _again(proof, {}) is not None
    except Exception:  # an object that was tampered with may raise anything, and is no proof
        return False


def _again(proof: Any, done: dict[int, Proof | None]) -> Proof | None:
    """The proof made anew, from its plain data alone; None when something else comes out."""
    if id(proof) in done:
        return done[id(proof)]
    done[id(proof)] = None  # a proof that uses itself does not check
    if type(proof) is not Proof or any(type(part) is not tuple for part in (
            proof.premises, proof.data, proof.hypotheses, proof.statements)) or type(proof.rule) is not str or type(proof.note) is not str:
        return None
    premises = [_again(p, done) for p in proof.premises]
    if None in [p if p is None else "" for p in premises]:
        return None
    again = _RULES[proof.rule](*premises, *map(new, proof.data))
    same = set(written(again.hypotheses)) == set(written(proof.hypotheses)) and written(again.statements) == written(proof.statements)
    done[id(proof)] = again if same else None
    return done[id(proof)]


def written(value: Any) -> plain.Plain:
    """A statement, an expression, a word, or a tuple of them as plain data. Raises ProofError for anything else."""
    try:
        if type(value) is Statement:
            over = () if value.over is None else plain.encode(value.over)
            if type(value.relation) is not str or value.relation not in RELATIONS or type(value.first) is not int \
                    or type(value.general) is not bool:
                raise UnknownNodeError("plain data", "a statement of another kind", "one of " + ", ".join(RELATIONS))
            return ("statement", plain.encode(value.left), value.relation, plain.encode(value.right), over, value.first, value.general)
        if type(value) is str:
            return ("text", value)
        return tuple(written(v) for v in value) if type(value) is tuple else plain.encode(value)
    except UnknownNodeError as error:
        raise ProofError("proof", error.found, error.expected) from None


def new(value: Any) -> Any:
    """The same thing made from its plain data."""
    try:
        if type(value) is Statement:
            written(value)
            sides = [v if v is None else plain.decode(plain.encode(v)) for v in (value.left, value.right, value.over)]
            return Statement(sides[0], sides[1], sides[2], value.relation, value.first, value.general)
        if type(value) is str:
            return value
        return tuple(new(v) for v in value) if type(value) is tuple else plain.decode(plain.encode(value))
    except UnknownNodeError as error:
        raise ProofError("proof", error.found, error.expected) from None


def _watched() -> Iterator[tuple[tuple[str, str], tuple[int, int]]]:
    """What a check relies on beside this file: the methods of SymPy's nodes, and the functions and classes that prove equalities."""
    own = (v for module in _MODULES for v in vars(module).values() if isinstance(v, type) and v.__module__ == module.__name__)
    owners: list[Any] = [*_MODULES, *dict.fromkeys(base for cls in (*plain.CLASSES, *own) for base in cls.__mro__[:-1])]
    for owner in owners:
        name = f"{getattr(owner, '__module__', '')} {getattr(owner, '__qualname__', owner.__name__)}"  # a module, or a class in one
        for key, value in list(vars(owner).items()):
            if isinstance(value, (FunctionType, property, classmethod, staticmethod, type)) and not key.startswith(("_repr_", "__repr__")):
                yield (name, key), (id(value), id(getattr(value, "__code__", None)))


def make(rule: str, hypotheses: Sequence[Statement], equations: Sequence[Statement], premises: tuple[Proof, ...] = (),
          data: tuple[Any, ...] = (), note: str = "") -> Proof:
    """A line; what it says is made new, so that it says what it shows."""
    if any(type(p) is not Proof for p in premises):
        raise ProofError("proof", "a premise that is no proof", "a proof made by the kernel's rules")
    return Proof(new(tuple(hypotheses)), new(tuple(equations)), rule, premises, new(data), note, _PERMIT)


_RULES: dict[str, Callable[..., Proof]] = {}


def rule(name: str) -> Callable[[Callable[..., Proof]], Callable[..., Proof]]:
    def keep(function: Callable[..., Proof]) -> Callable[..., Proof]:
        _RULES[name] = function
        return function
    return keep


def join(*proofs: Proof) -> tuple[Statement, ...]:
    return tuple(dict.fromkeys(h for p in proofs for h in p.hypotheses))


def noted(proof: Proof, note: str) -> Proof:
    """The same proof with a sentence for the reader."""
    return make(proof.rule, proof.hypotheses, proof.statements, proof.premises, proof.data, note)


@rule("given")
def given(equation: Statement) -> Proof:
    """{A} ⊢ A."""
    return make("given", (equation,), (equation,), (), (equation,))


@rule("at one step")
def specialize(proof: Proof, value: sp.Expr) -> Proof:
    """From ⊢ A for all t: ⊢ A at t = value, a nonnegative integer or an index."""
    (equation,), value = proof.statements, new(value)
    if equation.over is None:
        raise ProofError("specialize", "no 'for all'", "a statement about every step")
    if not is_step(value, equation.first):
        raise ProofError("specialize", f"the step {value}", "0, 1, 2, … or an index")
    if value.free_symbols & bound(equation.left + equation.right):
        raise ProofError("specialize", f"the index {value}, which a sum already uses", "another index")
    later = () if value.is_Integer or not equation.first else (Statement(sp.Integer(equation.first), value, relation="<="),)
    return make("at one step", (*proof.hypotheses, *later), (equation.at(value),), (proof,), (value,))


def is_step(value: sp.Expr, first: int = 0) -> bool:
    """A number ``first``, ``first`` + 1, …, or an index that is free to be each of them: one that is declared positive is not. An index
    stands for the steps from the first on, whichever that is; index + 1, + 2, … for later ones."""
    if isinstance(value, sp.Add) and value.args[0].is_Integer and value.args[0] > 0:
        value = value - value.args[0]
    if isinstance(value, sp.Symbol):
        return any(value.assumptions0 == sp.Symbol("t", **known).assumptions0 for known in _INDEX)
    return isinstance(value, sp.Integer) and value >= first


_INDEX: tuple[dict[str, bool], ...] = ({"integer": True}, {"integer": True, "nonnegative": True})


@rule("algebra")
def algebra(left: sp.Expr, right: sp.Expr) -> Proof:
    """⊢ left = right, when the equality is proved by normal form, everywhere and without conditions."""
    left, right = new(left), new(right)
    if not equal(left, right):
        raise ProofError("algebra", f"{left} = {right}, which is not proved", "an equality that is proved")
    return make("algebra", (), (Statement(left, right),), (), (left, right))


def equal(left: sp.Expr, right: sp.Expr) -> bool:
    """Is left = right proved by normal form, everywhere and without conditions, for all sizes where there are sums over indices?"""
    if left == right or _holds(prove_equal(left, right)):
        return True
    free = left.free_symbols | right.free_symbols
    if not (left.has(sp.Sum) or right.has(sp.Sum)) or any(map(is_index, free)):
        return False
    verdict = prove_for_all_sizes(left, right, {})
    return _holds(verdict) and not verdict.reason


def _holds(verdict: Any) -> bool:
    return type(verdict) is Verdict and verdict.answer is Answer.PROVED


@rule("whole powers")
def whole_powers(left: sp.Expr, right: sp.Expr, hypotheses: tuple[Statement, ...]) -> Proof:
    """Γ ⊢ left = right by algebra with b^(n+1) = b·b^n, also for b = 0, where Γ shows that the whole exponents n are not negative."""
    left, right, hypotheses = new(left), new(right), new(tuple(hypotheses))
    if not equal_under(left, right, facts_of(hypotheses)):
        raise ProofError("whole powers", f"{left} = {right}", "an equality that is proved")
    return make("whole powers", hypotheses, (Statement(left, right),), (), (left, right, hypotheses))


def equal_under(left: sp.Expr, right: sp.Expr, facts: order.Facts) -> bool:
    """``equal``, with whole powers b^n, n not negative, as letters: b^(n+1) is b times that of b^n."""
    if equal(left, right):
        return True
    there = order.power_letters((left, right), facts)
    return bool(there) and equal(left.xreplace(there), right.xreplace(there))


@rule("constant factor rule")
def constant_factor(factor: sp.Expr, loss: sp.Expr, point: sp.Expr) -> Proof:
    """⊢ ∇(k·L)(p) = k·∇L(p), when k does not depend on the parameters: the gradient is linear. L may be L[t], another loss at each step."""
    factor, loss, point = new(factor), new(loss), new(point)
    each = isinstance(loss, sp.Indexed) and all(_is_step_or_number(i) for i in loss.indices)
    if not (each or isinstance(loss, sp.Symbol)) or loss in factor.free_symbols or factor.free_symbols & _bases(point):
        raise ProofError("constant factor", f"the factor {factor}", "a factor that does not depend on the parameters")
    if factor.atoms(sp.Indexed) or factor.has(Nabla):
        raise ProofError("constant factor", f"the factor {factor}", "a constant")
    left, right = Nabla(factor * loss, point), factor * Nabla(loss, point)
    return make("constant factor rule", (), (Statement(left, right),), (), (factor, loss, point))


def _is_step_or_number(place: sp.Expr) -> bool:
    return isinstance(place, sp.Integer) or is_step(place)


def _bases(point: sp.Expr) -> set[sp.Basic]:
    return {s for s in point.free_symbols if not (isinstance(s, sp.Symbol) and s.is_integer)}


@rule("put equals for equals")
def rewrite(equal: Proof, into: Proof) -> Proof:
    """From ⊢ a = b and ⊢ P: ⊢ P with every a on its right sides replaced by b."""
    (equation,) = equal.statements
    if any(e.over is not None or e.general for e in (equation, *into.statements)):
        raise ProofError("rewrite", "a statement about every step", "statements at one step")
    if any(_shielded(equation, e.right) for e in into.statements):
        raise ProofError("rewrite", f"{equation} under a sum or a gradient", "an equality that holds for every bound index")
    if equation.relation != "=":
        raise ProofError("rewrite", str(equation), "an equality")
    changed = tuple(replace(e, right=e.right.xreplace({equation.left: equation.right})) for e in into.statements)
    return make("put equals for equals", join(equal, into), changed, (equal, into))


def _shielded(equation: Statement, inside: sp.Expr) -> bool:
    """True where the equality of two values says too little: below the sum that binds one of its indices (it holds for one
    index, not for all), and in the function of a gradient (equal values at a point are no equal functions)."""
    free = equation.left.free_symbols | equation.right.free_symbols
    return bool(bound(inside) & free) or any(n.loss.has(equation.left) for n in inside.atoms(Nabla))


def bound(expr: sp.Expr) -> set[sp.Symbol]:
    return {i for node in expr.atoms(*BINDERS) for i, _, _ in limits(node)}


@rule("same right side")
def same_right(first: Proof, second: Proof) -> Proof:
    """From ⊢ a = c and ⊢ b = d where c and d are equal by algebra: ⊢ a = b."""
    (one,), (two,) = first.statements, second.statements
    if any(e.over is not None or e.general for e in (one, two)):
        raise ProofError("same right side", "a statement about every step", "statements at one step")
    if (one.relation, two.relation) != ("=", "="):
        raise ProofError("same right side", f"{one} and {two}", "two equalities")
    if one.right != two.right and not equal(one.right, two.right):
        raise ProofError("same right side", f"{one.right} and {two.right}", "two right sides that are proved equal")
    return make("same right side", join(first, second), (Statement(one.left, two.left),), (first, second))


@rule("induction")
def induction(*parts: Any) -> Proof:
    """From ⊢ A(first) and, under the hypothesis A(t), ⊢ A(t + 1): ⊢ A(t) for all t from first on. A may be several statements at once.

    ``parts`` are the proofs of the base cases, the proofs of the steps, then the index t, the statements A(t), and first where it is not 0.
    """
    *proofs, t, claims = parts if isinstance(parts[-1], tuple) else parts[:-1]
    first = sp.S.Zero if isinstance(parts[-1], tuple) else new(parts[-1])
    t, claims = new(t), new(tuple(claims))
    count = len(claims)
    bases, steps = proofs[:count], proofs[count:]
    if len(proofs) != 2 * count or not (isinstance(t, sp.Symbol) and is_step(t)) or not (isinstance(first, sp.Integer) and first >= 0):
        raise ProofError("induction", f"{len(proofs)} proofs over {t}",
                         f"an index, a base and a step for each of {count} statements")
    if any(claim.over is not None or claim.general for claim in claims):
        raise ProofError("induction", "a hypothesis about every step", "a claim about the step t alone")
    done = tuple(Statement(c.left, c.right, t, c.relation, int(first)) for c in claims)
    for wanted, base, step in zip(done, bases, steps, strict=True):
        if base.statements != (wanted.at(first),) or step.statements != (wanted.at(t + 1),):
            raise ProofError("induction", "a base or step of another statement", str(wanted))
    here = facts_of([Statement(first, t, relation="<=")])  # t is one of first, first + 1, …
    rest = tuple(h for h in join(*steps) if h not in claims and not (
        h.over is None and not h.general and h.relation == "<=" and order.signs(h.right - h.left, here) <= FROM_ZERO))
    every = tuple(dict.fromkeys((*join(*bases), *rest)))
    if any(t in (h.left.free_symbols | h.right.free_symbols) - {h.over} and not h.general for h in every):
        raise ProofError("induction", f"a hypothesis about one particular {t}", "the induction hypothesis alone")
    data = (t, claims, first) if first else (t, claims)
    return make("induction", every, done, tuple(proofs), data)


# What inequalities need too


def facts_of(hypotheses: Sequence[Statement]) -> order.Facts:
    return order.Facts(hypotheses)


def sure(rule: str, facts: order.Facts, *exprs: sp.Expr) -> None:
    """Raises ProofError unless each has a value at every point."""
    for e in exprs:
        if not order.defined(e, facts):
            raise ProofError(rule, f"{e}, which is not seen to have a value everywhere", "hypotheses under which it has one")


def one_statement(rule: str, proof: Proof) -> Statement:
    (statement,) = proof.statements
    if statement.over is not None or statement.general:
        raise ProofError(rule, "a statement about every step or place", "a statement at one")
    return statement


def in_reach(point: sp.Expr, numbers: NumberSet, side: sp.Expr, facts: order.Facts) -> bool:
    """Is everything between the point and any number of the set in the set?"""
    low, high = numbers.ends
    if side == 1:
        return low is None or order.signs(point - low[0], facts) <= (PLUS if low[1] else FROM_ZERO)
    return high is None or order.signs(high[0] - point, facts) <= (PLUS if high[1] else FROM_ZERO)


@rule("what was supposed holds")
def cut(main: Proof, *support: Proof) -> Proof:
    """From Γ, A ⊢ P and Δ ⊢ A: Γ, Δ ⊢ P."""
    shown = {one_statement("cut", p) for p in support}
    if not shown <= set(main.hypotheses):
        raise ProofError("cut", "a statement that is no hypothesis", "what was supposed")
    rest = tuple(dict.fromkeys((*(h for h in main.hypotheses if h not in shown), *join(*support))))
    return make("what was supposed holds", rest, main.statements, (main, *support))


@rule("all together")
def together(*proofs: Proof) -> Proof:
    """From ⊢ A and ⊢ B: ⊢ A and B."""
    return make("all together", join(*proofs), tuple(s for p in proofs for s in p.statements), proofs)


@rule("algebra under hypotheses")
def under(left: sp.Expr, right: sp.Expr, hypotheses: tuple[Statement, ...]) -> Proof:
    """Γ ⊢ left = right for all sizes, by the normal form of sums over indices. Γ are equalities, general where they have free indices, and
    lo ≤ i, i ≤ hi for the free indices of the two sides."""
    left, right, hypotheses = new(left), new(right), new(tuple(hypotheses))
    plain_ones = [h for h in hypotheses if h.over is None and not h.general]
    low = {h.right: h.left for h in plain_ones if h.relation == "<=" and is_index(h.right)}
    high = {h.left: h.right for h in plain_ones if h.relation == "<=" and is_index(h.left)}
    ranges = {i: (low[i], high[i]) for i in low if i in high}
    equalities = tuple(Assumption(h.left, h.right) for h in hypotheses if h.relation == "=" and h.over is None and (h.general or not any(
        map(is_index, h.left.free_symbols | h.right.free_symbols))))
    free = {s for s in left.free_symbols | right.free_symbols if is_index(s)}
    if len(equalities) + 2 * len(ranges) != len(hypotheses) or not free <= set(ranges):
        raise ProofError("under", "a hypothesis of another kind, or an index without its range", "equalities and ranges of indices")
    verdict = prove_for_all_sizes(left, right, {i: ranges[i] for i in free}, equalities)
    whole = " and ".join(map(str, equalities))
    fine = verdict.answer is (Answer.CONDITIONAL if equalities else Answer.PROVED) and verdict.condition == whole and not verdict.reason
    if type(verdict) is not Verdict or not fine:
        raise ProofError("under", f"{left} = {right} is {verdict}", "an equality that is proved")
    return make("algebra under hypotheses", hypotheses, (Statement(left, right),), (), (left, right, hypotheses))


@rule("replace a letter")
def put(premise: Proof, letter: sp.Symbol, value: sp.Expr) -> Proof:
    """From Γ ⊢ P for every x: Γ(u) ⊢ P(u), for u with values in the domain of x."""
    letter, value = new(letter), new(value)
    one = one_statement("put", premise)
    real = isinstance(letter, sp.Symbol) and letter.is_real and letter.is_integer is None
    if not real or any(h.over is not None or h.general for h in premise.hypotheses):
        raise ProofError("put", f"{letter}", "a real letter in a statement at one step")
    there = {letter: value}
    under = tuple(replace(h, left=h.left.xreplace(there), right=h.right.xreplace(there)) for h in premise.hypotheses)
    sides = [e for h in (one, *premise.hypotheses) for e in (h.left, h.right)]
    if any(bound(e) & value.free_symbols or e.has(Nabla) for e in sides):
        raise ProofError("put", f"{value}, an index of which is bound", "a value whose indices are free")
    facts, numbers = facts_of(under), numbers_of(letter)
    if not all(in_reach(value, numbers, sp.Integer(s), facts) for s in (1, -1)) or numbers.members or (
            numbers.apart and 0 in order.signs(value, facts)):
        raise ProofError("put", f"{value} for {letter}", f"a value in {numbers}")
    sure("put", facts, value)
    changed = Statement(one.left.xreplace(there), one.right.xreplace(there), None, one.relation)
    return make("replace a letter", under, (changed,), (premise,), (letter, value))


_MODULES: tuple[ModuleType, ...] = tuple(
    sys.modules[name] for name in sorted(sys.modules) if name.startswith(("symnet.equality.", "symnet.core.")))
_WATCHED = dict(_watched())  # as it was when this module was loaded
