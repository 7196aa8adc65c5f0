"""Functions of one number that are smooth at 0 and are written so that everything cancels there: (e^x - 1)/x, (1 - cos x)/x².

Near 0 they are computed from their Taylor series, which also gives the limit at 0; elsewhere as they are written. Which they are is found
by arithmetic of truncated Laurent series: a sum whose first terms cancel, or a product of a pole and a zero, where the whole has no pole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction

import mpmath as mp
import sympy as sp

from symnet.arrays import stable_functions as st
from symnet.core.expressions import When, entries, rebuild

Series = tuple[int, list[mp.mpf]]  # u^v (c0 + c1 u + …) with c0 not 0
TERMS, MOST, DIGITS = 44, 26, 90  # coefficients computed, and used at most
MOST_NAMES = 6
SMALL = mp.mpf(10) ** -60
RADII = (sp.S.One, sp.S.Half, sp.Rational(1, 4), sp.Rational(1, 8))
SMOOTH = (sp.exp, sp.log, sp.sin, sp.cos, sp.tanh, sp.sinh, sp.cosh, sp.atan, sp.erf, st.Stable)


def with_limits(expr: sp.Expr) -> sp.Expr:
    """``expr`` with each such function of one entry near 0 as a polynomial.

    >>> x = sp.Symbol("x", real=True)
    >>> made = with_limits(st.expm1(x)/x)
    >>> made.func, [round(float(made.args[2].subs(st.clamped(x, -1, 1), at)), 12) for at in (0, 1)]
    (near, [1.0, 1.718281828459])
    """
    if expr.is_Atom or isinstance(expr, (sp.Indexed, sp.Piecewise)) or not _may_cancel(expr):
        return expr
    with mp.workdps(DIGITS):
        return _walk(expr)


def _may_cancel(expr: sp.Expr) -> bool:
    """A quick no for nearly all lines."""
    if not (expr.has(*SMOOTH) or any(p.exp.is_Rational and not p.exp.is_Integer for p in expr.atoms(sp.Pow))):
        return False
    below = any(p.exp.is_negative and not p.base.is_number for p in expr.atoms(sp.Pow)) or any(r.args[1] < 0 for r in expr.atoms(st.ratio))
    return below or any(sum(bool(t.has(*SMOOTH) or t.has(sp.Pow)) for t in a.args) > 0 for a in expr.atoms(sp.Add))


def _walk(expr: sp.Expr) -> sp.Expr:
    if expr.is_Atom or isinstance(expr, (sp.Indexed, sp.Piecewise, st.share, st.others)) or not _may_cancel(expr):
        return expr
    names = sorted(set(entries(expr)), key=str)
    for u in names if isinstance(expr, (sp.Add, sp.Mul)) and len(names) <= MOST_NAMES else ():
        made = _replaced(expr, u)
        if made is not None:
            return made
    return rebuild(expr, tuple(_walk(a) if isinstance(a, sp.Expr) else a for a in expr.args))


def _replaced(expr: sp.Expr, u: sp.Expr) -> sp.Expr | None:
    """A sum or product with what depends on ``u`` alone as a series; None where nothing cancels in that."""
    if isinstance(expr, sp.Mul):
        own = [f for f in expr.args if {*entries(f)} == {u}]
        made = _near_zero(sp.Mul(*own), u) if own else None
        return None if made is None else sp.Mul(made, *[f for f in expr.args if f not in own])
    groups: dict[sp.Expr, list[sp.Expr]] = {}
    for t in expr.args:
        own = [f for f in sp.Mul.make_args(t) if {*entries(f)} == {u} or f.is_number]
        groups.setdefault(sp.Mul(*[f for f in sp.Mul.make_args(t) if f not in own]), []).append(sp.Mul(*own))
    parts, found = list[sp.Expr](), False
    for rest, terms in groups.items():
        made = _near_zero(sp.Add(*terms), u)
        found |= made is not None
        parts.append(sp.Mul(rest, sp.Add(*terms) if made is None else made))
    return sp.Add(*parts) if found else None


def _near_zero(expr: sp.Expr, u: sp.Expr) -> sp.Expr | None:
    if not _may_cancel(expr) or {*entries(expr)} != {u}:
        return None
    found = _cancels(expr, u)
    if found is None or not found[1] or found[0][0] < 0:
        return None
    (v, c), chosen = found[0], None
    for r in RADII:
        limit = abs(c[0]) * mp.mpf(2) ** -56
        tail = [k for k, x in enumerate(c) if abs(x) * mp.mpf(int(r.p)) ** k / mp.mpf(int(r.q)) ** k > limit]
        if tail[-1] + 1 <= MOST and tail[-1] < len(c) - 6:
            chosen = r, c[:tail[-1] + 1]
            break
    if chosen is None:
        return None
    r, c = chosen
    inside, poly = st.clamped(u, -r, r), sp.S.Zero
    for x in reversed(c):
        poly = sp.Add(sp.Mul(inside, poly), _number(x))
    away = st.kept(u, r, sp.Abs(u), r, st.RELATIONS.index(sp.Ge), 1)
    return st.near(u / r, expr.xreplace({u: away}), sp.Mul(inside**v, poly, evaluate=False) if v else poly)


def _number(x: mp.mpf) -> sp.Expr:
    """A coefficient: the fraction that it is, or else rounded."""
    if abs(x) < SMALL:
        return sp.S.Zero
    short = Fraction(mp.nstr(x, 60)).limit_denominator(10**18)
    exact = abs(mp.mpf(short.numerator) / short.denominator - x) < SMALL**0.6 * abs(x)
    return sp.Rational(*(short if exact else Fraction(float(x))).as_integer_ratio())


def _cancels(expr: sp.Expr, u: sp.Expr) -> tuple[Series, bool] | None:
    """(the series, do digits cancel, or is it 0/0 at 0?)"""
    if isinstance(expr, sp.Add):
        parts = [_cancels(t, u) for t in expr.args]
        if any(p is None for p in parts):
            return None
        known = [p for p in parts if p is not None]
        total = _added([s for s, _ in known])
        return None if total is None else (total, total[0] > min(s[0] for s, _ in known) or any(c for _, c in known))
    if isinstance(expr, sp.Mul) or (expr.is_Pow and expr.exp.is_Integer):
        factors = [f.as_base_exp() for f in sp.Mul.make_args(expr)]
        found = [(_cancels(b, u), n) for b, n in factors] if all(n.is_Integer or b.is_number for b, n in factors) else []
        whole = _series(expr, u)
        if not found or any(f is None for f, _ in found) or whole is None:
            whole = _series(expr, u)
            return None if whole is None else (whole, False)
        signs = {mp.sign(f[0][0] * int(n)) for f, n in found if f is not None and n.is_Integer and f[0][0]}
        return whole, len(signs) > 1 or any(f[1] for f, _ in found if f is not None)
    made = _series(expr, u)
    return None if made is None else (made, False)


def _trimmed(v: int, c: list[mp.mpf]) -> Series | None:
    scale = max((abs(x) for x in c), default=mp.mpf(0))
    first = next((k for k, x in enumerate(c) if abs(x) > SMALL * scale), None) if scale else None
    return None if first is None or len(c) - first < 20 else (v + first, c[first:])


def _added(terms: list[Series]) -> Series | None:
    low = min(v for v, _ in terms)
    end = min(v + len(c) for v, c in terms)
    whole = [mp.mpf(0)] * (end - low)
    for v, c in terms:
        for k, x in enumerate(c):
            if v - low + k < len(whole):
                whole[v - low + k] += x
    size = max(abs(c[0]) for v, c in terms if v == low)
    return _trimmed(low, [x if abs(x) > SMALL * size else mp.mpf(0) for x in whole])


def _times(a: list[mp.mpf], b: list[mp.mpf]) -> list[mp.mpf]:
    n = min(len(a), len(b))
    return [mp.fsum(a[j] * b[k - j] for j in range(k + 1)) for k in range(n)]


def _raised(a: list[mp.mpf], p: mp.mpf) -> list[mp.mpf]:
    """The p-th power of a series that begins with a number that is not 0, by its differential equation."""
    made = [a[0] ** p]
    for k in range(1, len(a)):
        made.append(mp.fsum((p * j - (k - j)) * a[j] * made[k - j] for j in range(1, k + 1)) / (k * a[0]))
    return made


def _slope(a: list[mp.mpf]) -> list[mp.mpf]:
    return [k * x for k, x in enumerate(a)][1:]


def _integral(a: list[mp.mpf], start: mp.mpf) -> list[mp.mpf]:
    return [start, *[x / (k + 1) for k, x in enumerate(a)]]


def _exp(a: list[mp.mpf]) -> list[mp.mpf]:
    made = [mp.exp(a[0])]
    for k in range(1, len(a)):
        made.append(mp.fsum(j * a[j] * made[k - j] for j in range(1, k + 1)) / k)
    return made


def _waves(a: list[mp.mpf], sign: int) -> tuple[list[mp.mpf], list[mp.mpf]]:
    """(sin, cos) for sign -1, (sinh, cosh) for 1."""
    s, c = ([mp.sin(a[0])], [mp.cos(a[0])]) if sign < 0 else ([mp.sinh(a[0])], [mp.cosh(a[0])])
    for k in range(1, len(a)):
        s.append(mp.fsum(j * a[j] * c[k - j] for j in range(1, k + 1)) / k)
        c.append(sign * mp.fsum(j * a[j] * s[k - j] for j in range(1, k + 1)) / k)
    return s, c


def _quotient(a: list[mp.mpf], b: list[mp.mpf]) -> list[mp.mpf]:
    return _times(a, _raised(b, mp.mpf(-1)))


FUNCTIONS: Mapping[type, Callable[[list[mp.mpf]], list[mp.mpf]]] = {
    sp.exp: _exp,
    sp.log: lambda a: _integral(_quotient(_slope(a), a), mp.log(a[0])),
    sp.sin: lambda a: _waves(a, -1)[0],
    sp.cos: lambda a: _waves(a, -1)[1],
    sp.sinh: lambda a: _waves(a, 1)[0],
    sp.cosh: lambda a: _waves(a, 1)[1],
    sp.tanh: lambda a: _quotient(*_waves(a, 1)),
    sp.atan: lambda a: _integral(_quotient(_slope(a), [x + (k == 0) for k, x in enumerate(_times(a, a))]), mp.atan(a[0])),
    sp.erf: lambda a: _integral(_times(_slope(a), [2 / mp.sqrt(mp.pi) * x for x in _exp([-x for x in _times(a, a)])]), mp.erf(a[0])),
}


def _series(expr: sp.Expr, u: sp.Expr) -> Series | None:
    """The Laurent series in ``u``; None where there is none, or other things stand in it."""
    if expr == u:
        return 1, [mp.mpf(1), *[mp.mpf(0)] * (TERMS - 1)]
    if expr.is_number:
        value = mp.mpf(str(sp.N(expr, DIGITS))) if expr.is_real and expr.is_finite else mp.mpf(0)
        return (0, [value, *[mp.mpf(0)] * (TERMS - 1)]) if value else None
    if isinstance(expr, (When, sp.Sum, sp.Piecewise)) or expr.is_Symbol or isinstance(expr, sp.Indexed):
        return None
    if isinstance(expr, st.Stable) and not isinstance(expr, (st.kept, st.near)):
        written = st.in_language(expr)
        return _series(written, u) if not isinstance(written, st.Stable) else None
    if isinstance(expr, sp.Add):
        return _all(_added, (_series(t, u) for t in expr.args))
    if isinstance(expr, sp.Mul):
        return _all(_multiplied, (_series(f, u) for f in expr.args))
    if expr.is_Pow:
        base = _series(expr.base, u)
        if base is None or not expr.exp.is_Rational or (not expr.exp.is_Integer and (base[0] != 0 or base[1][0] < 0)):
            return None
        return (base[0] * int(expr.exp) if base[0] else 0), _raised(base[1], mp.mpf(int(expr.exp.p)) / int(expr.exp.q))
    written = expr.rewrite(sp.exp) if expr.func.__name__ in ("sigmoid", "softplus") else expr
    if written is not expr:
        return _series(written, u)
    inner = _series(expr.args[0], u) if expr.func in FUNCTIONS and len(expr.args) == 1 else None
    if inner is None or inner[0] < 0:
        return None
    whole = ([mp.mpf(0)] * inner[0] + inner[1])[:TERMS]
    if isinstance(expr, sp.log) and not whole[0] > 0:
        return None
    return _trimmed(0, FUNCTIONS[expr.func](whole))


def _all(join: Callable[[list[Series]], Series | None], parts: Iterable[Series | None]) -> Series | None:
    known = []
    for p in parts:
        if p is None:
            return None
        known.append(p)
    return join(known)


def _multiplied(factors: list[Series]) -> Series | None:
    v, c = factors[0]
    for w, d in factors[1:]:
        v, c = v + w, _times(c, d)
    return v, c
