"""Is left = right? Proved by normal form, refuted by an exact point and a ball that excludes 0, otherwise undecided."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import sympy as sp

from symnet.core.expressions import entries
from symnet.core.matrices import written_out
from symnet.core.numbers import compute, decimal, enclose
from symnet.core.program import Assumption
from symnet.core.verdict import Answer, Verdict, Witness
from symnet.equality.fractions import TooLarge
from symnet.equality.holes import holes as find_holes
from symnet.equality.holes import surely_defined
from symnet.equality.normal import Basis
from symnet.equality.points import points
from symnet.errors import DomainError, UnknownNodeError

BITS = 128
FEW = 4  # points tried before a proof is; nearly every wrong answer fails at the first


def compare(left: sp.Expr, right: sp.Expr, assumptions: Iterable[Assumption] = ()) -> Verdict:
    """The verdict on left = right for real numbers, for every value in the domains of the symbols.

    A declared assumption is used only when the equality does not hold without it; the verdict is then CONDITIONAL and
    names it. "Equal except where a denominator vanishes" is ALMOST_EVERYWHERE and names the denominator. REFUTED carries
    an exact rational point at which ball arithmetic shows the two sides different. Where one side alone asks for more (log x
    needs x > 0) the verdict is CONDITIONAL too.

    >>> x = sp.Symbol("x", real=True)
    >>> from symnet.core.functions import sigmoid
    >>> compare(sigmoid(x) * (1 - sigmoid(x)), sp.exp(x) / (1 + sp.exp(x)) ** 2).answer.value
    'proved'
    >>> str(compare(x**2, x))
    'refuted (at x = 2: 4 ≠ 2)'
    """
    conditions = tuple(assumptions)
    witness = refute(left, right, FEW)
    if witness is None:
        proof = prove_equal(left, right)
        witness = None if proof.holds else refute(left, right)
        if witness is None:
            return proof
    for used in _subsets(conditions):
        there = dict(pair for a in used for pair in _solved(a))
        verdict = prove_equal(left.xreplace(there), right.xreplace(there)) if there else None
        if verdict is not None and verdict.holds:
            return Verdict(Answer.CONDITIONAL, "normal form", " and ".join(map(str, used)))
    if conditions:
        solved = [_solved(a) for a in conditions]
        there = dict(pair for pairs in solved for pair in pairs)
        witness = refute(left, right, there=there) if all(solved) and len(there) == len(solved) else None
        if witness is None:
            return Verdict(Answer.UNDECIDED, reason="different in general; the declared assumptions were not enough to decide")
    return Verdict(Answer.REFUTED, "ball enclosure", witness=witness)


def _solved(assumption: Assumption) -> list[tuple[sp.Expr, sp.Expr]]:
    """An assumption that is linear in a symbol with a number as factor, solved for that symbol; else none."""
    gap = sp.expand(assumption.left - assumption.right)
    for symbol in sorted(gap.free_symbols, key=str, reverse=True):
        factor = gap.coeff(symbol, 1)
        rest = sp.expand(gap - factor * symbol)
        if factor.is_Rational and factor != 0 and symbol not in rest.free_symbols:
            return [(symbol, -rest / factor)]
    return []


def _subsets(assumptions: tuple[Assumption, ...]) -> Iterable[tuple[Assumption, ...]]:
    yield from ((a,) for a in assumptions)
    if len(assumptions) > 1:
        yield assumptions


def symbols_of(*sides: sp.Expr) -> list[sp.Symbol]:
    """The free scalars of the sides, in a fixed order."""
    return sorted({s for side in sides for s in side.free_symbols if isinstance(s, sp.Symbol)}, key=str)


def refute(left: sp.Expr, right: sp.Expr, tries: int = 16, there: Mapping[sp.Expr, sp.Expr] | None = None) -> Witness | None:
    """An exact point at which the sides are certainly different, or None. Points where a side is undefined are passed by.

    ``there`` gives some symbols as formulas in the others (declared assumptions, solved); the point then satisfies them.
    """
    if any(isinstance(e, sp.Indexed) for side in (left, right) for e in entries(side)) or left.has(sp.Sum) or right.has(sp.Sum):
        return None
    solved = dict(there or {})
    free = [s for s in symbols_of(left, right, *solved.values()) if s not in solved]
    for point in points(free, tries if free else 1):
        whole = {**point, **{s: value.xreplace(point) for s, value in solved.items()}}
        if not all(value.is_Rational and _in_domain(s, value) for s, value in whole.items()):
            continue
        try:
            if not enclose(left - right, whole, BITS).contains(0):
                return Witness(tuple((str(s), str(v)) for s, v in whole.items()), _shown(left, whole), _shown(right, whole))
        except (DomainError, ZeroDivisionError):
            continue
    return None


def _in_domain(symbol: sp.Expr, value: sp.Expr) -> bool:
    """A value computed from an assumption must still lie in the domain of its symbol."""
    return not (symbol.is_positive and value <= 0) and not (symbol.is_nonnegative and value < 0)


def _shown(side: sp.Expr, point: dict[sp.Symbol, sp.Rational]) -> str:
    return decimal(lambda bits: compute(side, point), 10).text


def prove_equal(left: sp.Expr, right: sp.Expr) -> Verdict:
    """PROVED or ALMOST_EVERYWHERE by normal form, else UNDECIDED with the reason; never REFUTED."""
    basis = Basis()
    try:
        left, right = written_out(left), written_out(right)
        basis.survey(left, right)
        sides = [basis.undefined(side) for side in (left, right)]
        _, difference = basis.normal(left - right)
    except (TooLarge, UnknownNodeError, ZeroDivisionError, RecursionError) as problem:
        return Verdict(Answer.UNDECIDED, reason=str(problem) or "a denominator that is 0")
    if not difference.is_zero:
        return Verdict(Answer.UNDECIDED, reason="the normal forms differ, and no point was found where the values do")
    single = [((sides[0] | sides[1])[key], key[1]) for key in sides[0].keys() ^ sides[1].keys()]
    holes = sorted((str(u), sign) for u, sign in single if not _never(basis, u, sign, (left, right)))
    if any(sign != "=" for _, sign in holes):
        return Verdict(Answer.CONDITIONAL, "normal form", " and ".join(f"{u} {NEEDED[sign]} 0" for u, sign in holes))
    if holes:
        return Verdict(Answer.ALMOST_EVERYWHERE, "normal form", "except where " + " or ".join(f"{u} = 0" for u, _ in holes))
    return Verdict(Answer.PROVED, "normal form")


def _never(basis: Basis, u: sp.Expr, sign: str, sides: tuple[sp.Expr, sp.Expr]) -> bool:
    """True when a side as it is written shows that u is no hole: sqrt((x + 3)² + 1) speaks for sqrt(x² + 6x + 10)."""
    known = dict.fromkeys(h for side in sides for h, kind in find_holes(side) if kind == sign and surely_defined(h, kind))
    try:
        ratios = [basis.normal(h / u)[1] for h in known if u != 0]
    except (TooLarge, UnknownNodeError, ZeroDivisionError, RecursionError):
        return False
    return any(r.above.is_constant() and r.below.is_constant() and r.above.leading_coefficient() / r.below.leading_coefficient() > 0
               for r in ratios if not r.is_zero)


NEEDED = {"=": "!=", "<=": ">", "<": ">="}


Comparer = Callable[[sp.Expr, sp.Expr], Verdict]
