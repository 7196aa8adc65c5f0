"""Is left = right? Proved by normal form, refuted by an exact point and a ball that excludes 0, otherwise undecided."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from itertools import chain, islice, product

import sympy as sp

from symnet.core.expressions import Limits
from symnet.core.functions import step
from symnet.core.matrices import written_out
from symnet.core.program import Assumption
from symnet.core.verdict import Answer, Verdict
from symnet.equality.assumption_solving import contradictory, said_of_nothing, solved
from symnet.equality.cases import has_cases
from symnet.equality.difference_is_zero import judged, ruled_out, without_implied
from symnet.equality.domain import EVERYWHERE, NEEDED, Domain, Holes
from symnet.equality.domain_conditions import AS_READ, read_as_positive, surely_defined
from symnet.equality.domain_conditions import holes as find_holes
from symnet.equality.feasible_point import defined_somewhere
from symnet.equality.fractions import TooLarge
from symnet.equality.normal import Basis
from symnet.equality.null_sets import is_null
from symnet.equality.refuting import FEW, MANY, Point, refute
from symnet.equality.regions import Agreement, Suspect, agree
from symnet.equality.rules.finite_sets import choices
from symnet.equality.undefined import undefined
from symnet.errors import OptionError, UnknownNodeError, a_kind, all_of_kind, needs


def compare(left: sp.Expr, right: sp.Expr, assumptions: Iterable[Assumption] = (), holes: Asked = (), other_holes: Asked = (),
            domain: Domain = EVERYWHERE) -> Verdict:
    """The verdict on left = right for real numbers, for every value in the domains of the symbols.

    A declared assumption is used only when the equality does not hold without it; the verdict is then CONDITIONAL and
    names it. "Equal except where a denominator vanishes" is ALMOST_EVERYWHERE and names the denominator. REFUTED carries
    an exact rational point at which ball arithmetic shows the two sides different. Where one side alone asks for more (log x
    needs x > 0) the verdict is CONDITIONAL too. ``holes`` are where the left side, as it was written, has no value,
    when SymPy has dropped that on reading: x*y/x is y except where x = 0; ``other_holes`` are those of the right side. See
    ``holes.holes`` for their signs. ``domain`` is where the question is asked at all: nothing is refuted outside, and what is proved
    by it, or asks for no more than it, is PROVED and says so.

    >>> x = sp.Symbol("x", real=True)
    >>> from symnet.core.functions import sigmoid
    >>> compare(sigmoid(x) * (1 - sigmoid(x)), sp.exp(x) / (1 + sp.exp(x)) ** 2).answer.value
    'proved'
    >>> str(compare(x**2, x))
    'refuted (at x = 2: 4 ≠ 2)'
    """
    if not isinstance(left, sp.Expr) or not isinstance(right, sp.Expr):
        raise OptionError("compare", f"{a_kind(left)} and {a_kind(right)}", "two SymPy expressions", "sn.check for text")
    conditions = all_of_kind(assumptions, Assumption, "compare, assumptions")
    written = tuple(tuple((u, sign) for u, sign, *_ in all_of_kind(found, tuple, "compare, holes")) for found in (holes, other_holes))
    needs(domain, Domain, "compare, domain", "a Domain")
    asked = (*written[0], *written[1], *domain.holes)
    whole = not has_cases(left, right)  # without cases a difference at one point is a difference all around it
    forms = domain.forms.of(left, right, *(u for u, _ in asked))
    search = partial(refute, left, right, borders=whole, asked=asked, classes=domain.classes, unsaid=domain.forms.free)
    witness = search(FEW, there=forms)
    if witness is None:
        proof, point = _in_forms(left, right, (written[0], written[1]), domain, forms)
        if proof.answer is not Answer.UNDECIDED:
            return proof
        witness = search(16 if whole else MANY, there=forms, near=point)
        if witness is None:
            nowhere = _one_has_no_value(left, right)
            return proof if nowhere is None else Verdict(Answer.UNDECIDED, reason=nowhere)
    if domain.forms.lacking:
        return Verdict(Answer.UNDECIDED, reason=domain.forms.lacking)
    if contradictory(conditions):
        return Verdict(Answer.UNDECIDED, reason=said_of_nothing(conditions))
    for used in _subsets(conditions):
        there = solved(used, domain.forms.of(left, right, *(side for a in used for side in (a.left, a.right))))
        verdict = prove_equal(left.xreplace(there), right.xreplace(there)) if there else None
        if verdict is not None and verdict.holds:
            return Verdict(Answer.CONDITIONAL, "normal form", " and ".join(map(str, used)))
    if conditions:
        sides = (left, right, *(u for u, _ in asked), *(side for a in conditions for side in (a.left, a.right)))
        there = solved(conditions, domain.forms.of(*sides))
        witness = None if there is None else search(there=there)
        if witness is None:
            return Verdict(Answer.UNDECIDED, reason="different in general; the declared assumptions were not enough to decide")
    return Verdict(Answer.REFUTED, "ball enclosure", witness=witness)


def _in_forms(left: sp.Expr, right: sp.Expr, written: tuple[Holes, Holes], domain: Domain,
              forms: Mapping[sp.Basic, sp.Expr]) -> tuple[Verdict, Point]:
    """What can be proved, if need be with the entries of structured matrices written in free numbers; no condition names one of these."""
    proof, point = _attempt(left, right, written, domain=domain)
    if not forms or proof.holds or (domain.forms.dense and has_cases(left, right)):
        return proof, point
    there = dict(forms)
    put = [tuple((u.xreplace(there), sign) for u, sign in found) for found in (*written, domain.holes, domain.unseen)]
    inner = replace(domain, holes=put[2], unseen=put[3])
    again, _ = _attempt(left.xreplace(there), right.xreplace(there), (put[0], put[1]), domain=inner)
    if again.holds and not domain.unseen:
        return Verdict(Answer.PROVED, again.method), {}
    return (replace(again, reason=domain.said(domain.unseen)), {}) if again.holds else (proof, point)


def _one_has_no_value(left: sp.Expr, right: sp.Expr) -> str | None:
    """What to say where one side is shown to have no value anywhere, as log(-x) for positive x, and the other has one somewhere."""
    never = [[u for u, sign in find_holes(side) if (sign == "<=" and surely_defined(-u, "<")) or (sign == "<" and surely_defined(-u, "<="))]
             for side in (left, right)]
    for side, other, holes in ((left, right, never[0]), (right, left, never[1])):
        if holes and defined_somewhere(other):
            return f"{side} has no value anywhere: {holes[0]} is never positive"
    return None


def _subsets(assumptions: tuple[Assumption, ...]) -> Iterable[tuple[Assumption, ...]]:
    yield from ((a,) for a in assumptions)
    if len(assumptions) > 1:
        yield assumptions


def prove_equal(left: sp.Expr, right: sp.Expr, null: Callable[[sp.Expr], bool] = is_null, domain: Domain = EVERYWHERE) -> Verdict:
    """PROVED, ALMOST_EVERYWHERE or CONDITIONAL by normal form, region by region where there are cases, else UNDECIDED; never REFUTED.

    Exceptions u = 0 are negligible where ``null`` says so of u. What is proved by the ``domain`` alone says so.
    """
    return _attempt(left, right, null=null, domain=domain)[0]


def _attempt(left: sp.Expr, right: sp.Expr, written: tuple[Holes, Holes] = ((), ()),
             null: Callable[[sp.Expr], bool] = is_null, domain: Domain = EVERYWHERE) -> tuple[Verdict, Point]:
    """What can be proved; and where a proof by regions failed, a point of that region. What the domain tells is used at need."""
    verdict, point = _proof(left, right, written, null, domain, ())
    here = left.free_symbols | right.free_symbols
    small = tuple((u, sign) for u, sign in domain.holes if u.free_symbols <= here
                  and sum(1 for _ in islice(sp.preorder_traversal(u), SHORT)) < SHORT)
    if verdict.answer is Answer.UNDECIDED and small:
        again, _ = _proof(left, right, written, null, domain, small)
        if again.answer is not Answer.UNDECIDED:
            return again, {}
    if not verdict.holds and _holds_for_each(left, right, written, null, domain):
        return Verdict(Answer.PROVED, "normal form in each case", reason=domain.said(domain.unseen)), {}
    return verdict, point


def _holds_for_each(left: sp.Expr, right: sp.Expr, written: tuple[Holes, Holes], null: Callable[[sp.Expr], bool], domain: Domain) -> bool:
    """Proved for every choice of the numbers that are one of finitely many? Choices for which nothing is asked are passed over."""
    asked = 0
    for there in choices(left, right):
        sides = left.xreplace(there), right.xreplace(there)
        mine, other, outside = (tuple((u.xreplace(there), sign) for u, sign in found) for found in (*written, domain.holes))
        if any(u.is_Rational and not HOLDS[sign](u) for u, sign in outside):
            continue
        if any(e.has(sp.zoo, sp.nan, sp.oo, -sp.oo) for e in (*sides, *(u for u, _ in (*mine, *other, *outside)))):
            return False
        if any(u.is_Rational and not HOLDS[sign](u) for u, sign in (*mine, *other)):
            return False
        mine, other, outside = (tuple(h for h in found if not h[0].is_Rational) for found in (mine, other, outside))
        asked += 1
        if not _proof(*sides, (mine, other), null, replace(domain, holes=outside, unseen=()), ())[0].holds:
            return False
    return bool(asked)


def _proof(left: sp.Expr, right: sp.Expr, written: tuple[Holes, Holes], null: Callable[[sp.Expr], bool], domain: Domain,
           known: Holes) -> tuple[Verdict, Point]:
    """One attempt, with the holes ``known`` not to be met."""
    try:
        left, right = written_out(left), written_out(right)
        also = [tuple(ASKING[sign](u) for u, sign in dropped) for dropped in (*written, known)]
        facts = tuple(chain(*also))
        basis, sides, same = judged(left, right, facts)
        for side, asking in zip(sides, also[:2], strict=True):
            for u in asking:
                side |= undefined(basis, u)
        found: Agreement | Suspect = Agreement((), ()) if same else Suspect({})
        if not same and has_cases(left, right) and defined_somewhere(left, right, *also[2]):
            found = agree(left, right, null, facts)
    except (TooLarge, UnknownNodeError, ZeroDivisionError, RecursionError) as problem:
        return Verdict(Answer.UNDECIDED, reason=str(problem) or "a denominator that is 0"), {}
    if isinstance(found, Suspect):
        return Verdict(Answer.UNDECIDED, reason="the normal forms differ, and no point was found where the values do"), found.point
    single = [((sides[0] | sides[1])[key], key[1]) for key in sides[0].keys() ^ sides[1].keys()]
    both = {(sides[0][key], key[1]) for key in sides[0].keys() & sides[1].keys()}
    single += [hole for hole in found.holes if hole not in both and hole not in single]
    single = without_implied([h for h in single if not _never(basis, *h, (left, right)) and not ruled_out(*h)], both)
    beyond = without_implied(single, domain.holes) if single and domain.holes else single
    said = domain.said(tuple(without_implied(known or domain.holes)) if known or len(beyond) < len(single) else domain.unseen)
    holes = sorted((str(u), sign) for u, sign in beyond)
    holes += [(str(p), "=") for p in found.borders if (str(p), "=") not in holes]
    method = "normal form" if same else "normal form in each region"
    if any(sign != "=" for _, sign in holes) or not all(map(null, (u for u, _ in beyond))):
        return Verdict(Answer.CONDITIONAL, method, " and ".join(f"{u} {NEEDED[sign]} 0" for u, sign in holes), reason=said), {}
    if holes:
        return Verdict(Answer.ALMOST_EVERYWHERE, method, "except where " + " or ".join(f"{u} = 0" for u, _ in holes), reason=said), {}
    if not said and left != right:
        read = sorted(str(u) for u in read_as_positive(left, right) if (u, "<=") in both)
        said = "for " + " and ".join(f"{u} > 0" for u in read[:3]) + AS_READ if read else ""
    return Verdict(Answer.PROVED, method, reason=said), {}


def _never(basis: Basis, u: sp.Expr, sign: str, sides: tuple[sp.Expr, sp.Expr]) -> bool:
    """True when a side as it is written shows that u is no hole: sqrt((x + 3)² + 1) speaks for sqrt(x² + 6x + 10)."""
    if u.has(step) and all(v.is_nonzero for v in _values(u)):
        return True
    known = dict.fromkeys(h for side in sides for h, kind in find_holes(side) if kind == sign and surely_defined(h, kind))
    try:
        ratios = [basis.normal(h / u)[1] for h in known if u != 0]
    except (TooLarge, UnknownNodeError, ZeroDivisionError, RecursionError):
        return False
    return any(r.above.is_constant() and r.below.is_constant() and r.above.leading_coefficient() / r.below.leading_coefficient() > 0
               for r in ratios if not r.is_zero)


def _values(u: sp.Expr) -> list[sp.Expr]:
    """What ``u`` is for every choice of 0 and 1 for its steps: 2 step(x) - 1, which |x| is x times, is never 0."""
    steps = sorted(u.atoms(step), key=str)[:4]
    return [u.xreplace(dict(zip(steps, chosen, strict=True))) for chosen in product((sp.S.Zero, sp.S.One), repeat=len(steps))]


HOLDS: dict[str, Callable[[sp.Expr], bool]] = {"=": lambda u: bool(u != 0), "<=": lambda u: bool(u > 0), "<": lambda u: bool(u >= 0)}
ASKING: dict[str, Callable[[sp.Expr], sp.Expr]] = {  # the shortest expression with that hole
    "=": lambda u: sp.Pow(u, -1, evaluate=False), "<=": lambda u: sp.log(u, evaluate=False),
    "<": lambda u: sp.Pow(u, sp.Rational(1, 2), evaluate=False)}
SHORT = 200  # nodes of what may tell something


Asked = Iterable[tuple[sp.Expr, str] | tuple[sp.Expr, str, tuple[Limits, ...]]]
"""Holes as a text's meaning or a line has them; those of numbers have no indices."""
Comparer = Callable[[sp.Expr, sp.Expr], Verdict]
