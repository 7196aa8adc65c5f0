"""Is left = right for every size? Proved by a normal form of sums over indices, or not decided; never refuted here.

Both sides become sums of terms c · Σ over indices of a product of atoms: sums are distributed over addition, products of sums are
merged, what an index does not touch is pulled out, brackets fix indices, and the names of bound indices are forgotten. Each rewriting
is an identity for all sizes >= 1 (the ranges may be empty where a shift makes them so), so when the terms cancel the two sides are
equal for all sizes wherever both are defined; that they are defined at the same points is checked with their holes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction

import sympy as sp

from symnet.core.axes import Range, is_index
from symnet.core.program import Assumption, Definition, Hole
from symnet.core.tensors import Tensor
from symnet.core.verdict import EXCEPT, Answer, Verdict
from symnet.equality.domain import NEEDED
from symnet.equality.fractions import TooLarge
from symnet.equality.structured import facts_of
from symnet.equality.sums.entrywise import termwise_difference
from symnet.equality.sums.function_atoms import Algebra
from symnet.equality.sums.plain_signs import signs, surely
from symnet.equality.sums.product_rules import rule_of_equality
from symnet.equality.sums.reading import Key, Opened, Reader
from symnet.equality.sums.terms import Atom, Poly, Term, add_to, indices
from symnet.equality.sums.undefined_places import conditions
from symnet.errors import SymnetError

SCOPE = "for all sizes"
DIFFER, ELSEWHERE = "the normal forms over indices differ", "one side is undefined at points where the other is not"
WHERE = "where the objective has a value: "
ROUNDS = 3  # of multiplying through by a divisor


def prove_for_all_sizes(left: sp.Expr, right: sp.Expr, ranges: Mapping[sp.Symbol, Range], assumptions: Iterable[Assumption] = (),
                        given: Iterable[Definition] = (), asked: Iterable[Hole] = (),
                        opened: Mapping[str, tuple[Definition, ...]] | None = None,
                        defined: Mapping[str, tuple[Definition, ...]] | None = None, structured: Iterable[Tensor] = (),
                        termwise: bool = False) -> Verdict:
    """PROVED for every size, CONDITIONAL where the assumptions were used, else UNDECIDED with the reason.

    ``ranges`` are those of the free indices; ``given`` are lines that are defined wherever the question is asked,
    those of the program; ``asked`` are holes that the left side had as it was written, before SymPy cancelled them;
    ``opened`` are the lines to write out, by name; ``defined`` are all lines, by name, so that an exception u = 0 in a name is judged
    by what the name stands for: relu(z) is 0 on half of all z. What is declared of ``structured`` tensors holds without being a condition.
    With ``termwise``, what stands under sums is compared as numbers, too: Σ (sin² + cos²) is n.

    >>> i, j, k = sp.symbols("i j k", integer=True)
    >>> n, X, y = sp.Symbol("n", integer=True, positive=True), sp.IndexedBase("X", real=True), sp.IndexedBase("y", real=True)
    >>> left = sp.Sum(X[j, i]*(sp.Sum(X[j, k]*y[k], (k, 1, n)) - 1), (j, 1, n))
    >>> right = sp.Sum(X[k, i]*X[k, j]*y[j], (j, 1, n), (k, 1, n)) - sp.Sum(X[k, i], (k, 1, n))
    >>> print(prove_for_all_sizes(left, right, {i: (sp.S.One, n)}))
    proved (for all sizes)
    """
    declared = tuple(assumptions)
    try:
        lines = tuple(given)
        own = {d.name for d in lines}
        opening = {name: (ds, name in own) for name, ds in (opened or {}).items()}
        return _prove((left, right), ranges, declared, lines, tuple(asked), opening, defined or {}, tuple(structured), termwise)
    except (TooLarge, SymnetError, ZeroDivisionError, RecursionError) as problem:
        return Verdict(Answer.UNDECIDED, reason=str(problem) or "a denominator that is 0")


def _prove(pair: tuple[sp.Expr, sp.Expr], ranges: Mapping[sp.Symbol, Range], declared: tuple[Assumption, ...],
           given: tuple[Definition, ...], asked: tuple[Hole, ...], opened: Opened,
           defined: Mapping[str, tuple[Definition, ...]], structured: tuple[Tensor, ...],
           termwise: bool) -> Verdict:
    there = {i: sp.Symbol(f"_f{k}", integer=True) for k, i in enumerate(ranges)}
    space = Algebra({there[i]: span for i, span in ranges.items()})
    space.signs = signs(dict.fromkeys((*given, *(d for ds in defined.values() for d in ds))))
    space.spans = {t.name: t.axes[0].range for t in structured}
    for a in (*facts_of(structured), *declared):
        _declare(space, a)
    sides: list[Poly] = []
    readers: list[Reader] = []
    for side in pair:
        reader = Reader(space, opened)
        sides.append(reader.read(side.xreplace(there)))
        for hole in () if readers else asked:
            _ask(space, reader, hole, there)
        readers.append(reader)
    gap = dict(sides[0])
    add_to(gap, sides[1], Fraction(-1))
    same = _vanishes(space, gap)
    if not same and not (termwise and _vanishes(space, _termwise(space, [s.xreplace(there) for s in pair], opened))):
        return Verdict(Answer.UNDECIDED, reason=DIFFER)
    mine, others = (r.holes for r in readers)
    known = _known(space, given, opened) if mine != others or any(d.holes for d in given) else set()
    if not _lacking(readers[1], readers[0], not same) <= known:
        return Verdict(Answer.UNDECIDED, reason=ELSEWHERE)
    answer, said = conditions((readers[0].said[h] for h in _lacking(readers[0], readers[1], not same) - known), defined)
    if said and not same:  # numbers know more of where they are defined
        return Verdict(Answer.UNDECIDED, reason=ELSEWHERE)
    unseen = [(u.xreplace(readers[0].letters(over)), sign) for d in given for u, sign, over in d.holes
              if not surely(u, sign, space.signs)]
    reason = WHERE + " and ".join(dict.fromkeys(f"{u} {NEEDED[sign]} 0" for u, sign in unseen)) if unseen else ""
    if declared:
        also = [c.removesuffix(" = 0") + " != 0" for c in said] if answer is Answer.ALMOST_EVERYWHERE else said
        return Verdict(Answer.CONDITIONAL, "normal form", " and ".join([*map(str, declared), *also]), reason=reason, scope=SCOPE)
    whole = EXCEPT + " or ".join(said) if said and answer is Answer.ALMOST_EVERYWHERE else " and ".join(said)
    return Verdict(answer, "normal form", whole, reason=reason, scope=SCOPE)


def _lacking(one: Reader, other: Reader, termwise: bool) -> set[Key]:
    """The holes that one side has and the other has not, ``termwise`` not as the same number either: Σ |x| and Σ (relu x + relu -x)."""
    missing = one.holes - other.holes
    numbers = [h for h in other.said.values() if _is_number(h[0])] if termwise else []
    return {k for k in missing if not any(sign == one.said[k][1] and _is_number(one.said[k][0])
                                          and termwise_difference(one.said[k][0], u, {}) == 0 for u, sign in numbers)}


def _is_number(u: sp.Expr) -> bool:
    return not any(map(is_index, u.free_symbols))


def _termwise(space: Algebra, sides: list[sp.Expr], opened: Opened) -> Poly:
    """The difference with what stands under sums compared as numbers. What it asks for is part of what the sides ask for."""
    reader = Reader(space, opened)
    reader.silent = True
    return reader.read(termwise_difference(sides[0], sides[1], {name: lines for name, (lines, _) in opened.items()}))


def _ask(space: Algebra, reader: Reader, hole: Hole, there: Mapping[sp.Symbol, sp.Symbol]) -> None:
    """Note a hole of a text; its own indices run over their ranges."""
    u, sign, over = hole
    own = {i: space.fresh() for i, _, _ in over}
    reader.ranges |= {own[i]: (lo, hi) for i, lo, hi in over}
    space.ranges |= {own[i]: (lo, hi) for i, lo, hi in over}
    u = u.xreplace({**there, **own})
    reader.hole(sign, reader.read(u), u)


def _declare(space: Algebra, a: Assumption) -> None:
    """An assumption as a symmetry of a tensor or as a rule for its leading term."""
    free = sorted(filter(is_index, (a.left - a.right).free_symbols), key=str)
    there = {i: sp.Symbol(f"_w{k}", integer=True) for k, i in enumerate(free)}
    gap = sp.expand((a.left - a.right).xreplace(there))
    if _is_symmetry(space, gap):
        return
    reader = Reader(space)
    rule = rule_of_equality(reader.read(a.left.xreplace(there)), reader.read(a.right.xreplace(there)), frozenset(there.values()))
    if rule is None or reader.holes:
        raise TooLarge("an assumption that is no rule")
    space.rules.setdefault(rule.factors[0][0][0], []).append(rule)


def _is_symmetry(space: Algebra, gap: sp.Expr) -> bool:
    """A[i, j] = A[j, i]: the tensor's places may change."""
    terms = sp.Add.make_args(gap)
    if len(terms) != 2:
        return False
    one, other = (t.as_coeff_Mul() for t in terms)
    a, b = one[1], other[1]
    if one[0] + other[0] != 0 or not all(isinstance(t, sp.Indexed) for t in (a, b)) or a.base != b.base:
        return False
    if not all(i.is_Symbol and not i.is_positive for i in a.indices) or len(set(a.indices)) != len(a.indices) or \
            set(a.indices) != set(b.indices):
        return False
    order = tuple(a.indices.index(i) for i in b.indices)
    if tuple(order[k] for k in order) != tuple(range(len(order))):
        return False
    space.symmetric[a.base.label.name] = (order,)
    return True


def _vanishes(space: Algebra, gap: Poly) -> bool:
    """True when the difference is 0, if need be after multiplying through by divisors that no sum's index touches."""
    for _ in range(ROUNDS):
        if not gap:
            return True
        divisors = dict.fromkeys(a for t in gap for a, _ in t.factors if a[0].kind == "inverse" and a[0].inner and _is_free(a, t))
        if not divisors:
            return False
        for atom in divisors:
            gap = space.cleared(gap, atom)
    return not gap


def _is_free(atom: Atom, term: Term) -> bool:
    return not {s for p in atom[1] for s in indices(p)} & {i for i, _, _ in term.over}


def _known(space: Algebra, given: tuple[Definition, ...], opened: Opened) -> set[Key]:
    """The holes of what is given."""
    reader = Reader(space, opened)
    for d in given:
        there = {i: space.fresh() for i in d.free}
        reader.ranges |= {there[i]: span for i, span in d.free.items()}
        reader.read(d.expr.xreplace(there))
        for hole in d.holes:
            _ask(space, reader, hole, there)
    return reader.holes
