"""Where a text has no value although its expression has one: SymPy shortens x*y/x to y and sqrt(x)**2 to x while it builds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import sympy as sp

from symnet.core.expressions import asked_of, unlettered
from symnet.core.program import Hole
from symnet.indexing.index_array import IndexArray

ASKING = {"log": "<=", "ln": "<=", "log2": "<=", "log10": "<=", "sqrt": "<"}


def with_holes(value: IndexArray, asked: Iterable[Hole], free: Iterable[sp.Symbol] = ()) -> IndexArray:
    """``value`` with what its text asked for and its expression no longer does. ``free`` are the indices of a line's left side.

    >>> from symnet.parsing.program import expression, tensor_of
    >>> expression("x*y/x", {"x": tensor_of("x", ()), "y": tensor_of("y", ())}).holes
    ((x, '=', ()),)
    """
    known = {*free, *value.indices}
    plain = [h for h in dict.fromkeys(asked) if all(_is_name(s) or s in known or s in {i for i, _, _ in h[2]} for s in _letters(h[0]))]
    still = asked_of(value.expr) if plain else set()
    lost = {(unlettered(u), sign): (u, sign, over) for u, sign, over in plain if not _within(u, sign, still)}
    return replace(value, holes=tuple(lost.values())) if lost else value


def _letters(u: sp.Expr) -> set[sp.Symbol]:
    bases = {e.base.label for e in u.atoms(sp.Indexed)}
    return {s for s in u.free_symbols if isinstance(s, sp.Symbol) and s not in bases}


def _is_name(s: sp.Symbol) -> bool:
    """True for a number's name or a size; False for an index."""
    return not s.is_integer or bool(s.is_positive)


def rules_out(condition: sp.Basic, hole: Hole, indices: tuple[sp.Symbol, ...] = ()) -> bool:
    """Does the condition say that the hole is not met? x > 0 does for log(x) and 1/(2 x), x >= 1 for log(x), x != 0 for 1/x.

    The last of the hole's indices are those of the condition, as NumPy lines axes up.
    """
    u, sign, over = _root_of(hole[0]) if hole[1] == "=" else hole[0], hole[1], hole[2]
    own = [i for i, _, _ in over]
    count = min(len(own), len(indices))
    u = u.xreplace(dict(zip(own[len(own) - count:], indices[len(indices) - count:], strict=True)))
    if isinstance(condition, sp.And):
        return any(rules_out(c, (u, sign, ()), ()) for c in condition.args)
    if not isinstance(condition, (sp.Gt, sp.Lt, sp.Ge, sp.Le, sp.Ne)):
        return False
    turned = isinstance(condition, (sp.Lt, sp.Le))
    gap = sp.expand(condition.rhs - condition.lhs if turned else condition.lhs - condition.rhs)
    term = next((t.as_coeff_Mul()[1] for t in sp.Add.make_args(gap) if not t.is_number), None)
    wanted = sp.expand(u)
    ratio = sp.S.Zero if term is None else wanted.coeff(term) / gap.coeff(term)
    rest = sp.expand(wanted - ratio * gap)
    if not (ratio.is_Rational and ratio and rest.is_Rational):
        return False
    if isinstance(condition, sp.Ne):
        return sign == "=" and rest == 0
    side = rest if ratio > 0 else -rest  # how far above 0 the thing asked about (or what it is minus) stays
    apart = bool(side > 0 or (side == 0 and isinstance(condition, (sp.Gt, sp.Lt))))
    return apart if sign == "=" else bool(ratio > 0 and (apart if sign == "<=" else side >= 0))


def _within(u: sp.Expr, sign: str, still: set[tuple[sp.Expr, str]]) -> bool:
    """Does the expression still ask for it? 1/(x y) asks by 1/x and 1/y."""
    if (unlettered(u), sign) in still:
        return True
    bases = [unlettered(f.as_base_exp()[0]) for f in sp.Mul.make_args(u) if not f.is_number]
    return sign == "=" and all((base, "=") in still or (base, "<=") in still for base in bases)


def _root_of(u: sp.Expr) -> sp.Expr:
    """What is 0 where u is: x for sqrt(x)."""
    base, exponent = u.as_base_exp()
    return base if exponent.is_positive else u
