"""The stable functions as NumPy source: how each is called, and the helpers that a module then holds.

The helpers are NumPy, and standalone: they use ``np``, ``dtype`` and one another, in words that ``dialects`` can translate.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from fractions import Fraction

from symnet.arrays import stable_functions as st
from symnet.backends.brackets import atom
from symnet.core import functions as fn


def _ratio(name: str) -> Callable[..., str]:
    def called(u: str, k: str, a: str, count: str, *rest: str) -> str:
        n = int(count)
        parts = [f"({', '.join(p)}{',' if len(p) == 1 else ''})" for p in (rest[:n], rest[n:])]
        return f"{name}({u}, {k}, {a}, {parts[0]}, {parts[1]})"
    return called


def _logratio(u: str, k: str, a: str, count: str, *rest: str) -> str:
    """The differences P - Q, by rising and by falling powers, are exact here and would not be in the module."""
    p, q = ([Fraction(c.strip("()")) for c in part] for part in (rest[:int(count)], rest[int(count):]))
    n = max(len(p), len(q))
    ends = [[x - y for x, y in zip(f + [Fraction(0)] * (n - len(f)), g + [Fraction(0)] * (n - len(g)), strict=True)]
            for f, g in ((p, q), (p[::-1], q[::-1]))]
    parts = [f"({', '.join(str(c) for c in part)}{',' if len(part) == 1 else ''})" for part in (p, q, *ends)]
    return f"logratio({u}, {a}, {', '.join(parts)})"


COMPARE = (">", ">=", "<", "<=", "==", "!=")  # in the order of RELATIONS


def _kept(u: str, place: str, left: str, right: str, relation: str, holds: str) -> str:
    test = f"{atom(left)} {COMPARE[int(relation)]} {atom(right)}"
    return f"np.where({test}, {u}, {place})" if holds == "1" else f"np.where({test}, {place}, {u})"


def _call(name: str) -> Callable[..., str]:
    return lambda *args: f"{name}({', '.join(args)})"


CALLS: Mapping[type, Callable[..., str]] = {
    fn.sigmoid: _call("sigmoid"),
    st.bell: _call("bell"),
    st.expm1: _call("np.expm1"),
    st.log1p: _call("np.log1p"),
    st.logaddexp: _call("np.logaddexp"),
    st.ratio: _ratio("ratio"),
    st.logratio: _logratio,
    st.near: _call("near"),
    st.clamped: _call("np.clip"),
    st.kept: _kept,
    st.part: _call("part"),
    st.log_part: _call("logpart"),
    st.grouped: lambda code: f"({code})",
    st.xlogy: _call("xlogy"),
    st.gauss: _call("gauss"),
    st.log_gauss: _call("loggauss"),
    st.hazard: _call("hazard"),
    st.reciprocal: _call("reciprocal"),
}
HELPERS: Mapping[str, str] = {
    "falling": """def falling(z):
    return np.exp(-np.abs(z))
""",
    "sigmoid": """def sigmoid(z):
    # a product, as it is written where its slope shares the factors: equal values tie wherever they are computed
    e = falling(z)
    return np.where(z < 0, e, 1)*(1/(1 + e))
""",
    "bell": """def bell(z):
    e = falling(z)
    return e/(1 + e)**2
""",
    "polynomial": """def polynomial(c, e):
    value = c[-1] + 0*e
    for k in range(2, len(c) + 1):
        value = value*e + c[-k]
    return value
""",
    "ratio": """def ratio(u, k, a, p, q):
    # (E - 1)**k * E**a * P(E)/Q(E) with E = exp(u), from e = exp(-abs(u)) alone
    e = np.exp(-np.abs(u))
    above = np.where(u > 0, polynomial(p[::-1], e), polynomial(p, e))
    value = above/np.where(u > 0, polynomial(q[::-1], e), polynomial(q, e))
    b = a + k + len(p) - len(q)
    if k:
        m = -np.expm1(-np.abs(u))
        value = value*np.where(u > 0, m, -m)**k
    if a:
        value = value*np.exp(a*np.minimum(u, 0))
    if b:
        value = value*np.exp(b*np.maximum(u, 0))
    return value
""",
    "logratio": """def logratio(u, a, p, q, low, high):
    # log(E**a * P(E)/Q(E)) with E = exp(u); low and high are P - Q, by rising powers of E and by falling ones
    e = np.exp(-np.abs(u))
    up = np.where(u > 0, polynomial(p[::-1], e), polynomial(p, e))
    down = np.where(u > 0, polynomial(q[::-1], e), polynomial(q, e))
    d = np.where(u > 0, polynomial(high, e), polynomial(low, e))/down
    value = np.where(np.abs(d) < 0.5, np.log1p(d), np.log(up/down))
    b = a + len(p) - len(q)
    if a:
        value = value + a*np.minimum(u, 0)
    if b:
        value = value + b*np.maximum(u, 0)
    return value
""",
    "near": """def near(u, x, y):
    return np.where(np.abs(u) < 1, y, x)
""",
    "highest": """def highest(z, axis):
    return z.max(axis=axis, keepdims=True, initial=-np.inf)
""",
    "finite": """def finite(top):
    # the largest entry, 0 where a bracket leaves none: a share of nothing is 0, its logarithm and that of the sum -inf
    return np.where(top == -np.inf, 0, top)
""",
    "repeated": """def repeated(ties, axis):
    # how many of the largest there are besides one
    count = np.asarray(ties, dtype=dtype).sum(axis=axis, keepdims=True)
    return np.maximum(count - 1, 0)
""",
    "rest": """def rest(z, axis):
    # the largest entry, exp(z minus that), where it is 1, what all but one of these add up to, and that and 1
    top = highest(z, axis)
    e, ties = np.exp(z - finite(top)), (z == top) & (top > -np.inf)
    more = np.where(ties, 0, e).sum(axis=axis, keepdims=True) + repeated(ties, axis)
    return top, e, ties, more, 1 + more
""",
    "logtotal": """def logtotal(of, axis):
    top, _, _, more, _ = of
    return (top + np.log1p(more)).squeeze(axis=axis)
""",
    "shares": """def shares(of):
    _, e, _, _, total = of
    return e/total
""",
    "logshares": """def logshares(z, of):
    top, _, _, more, _ = of
    return (z - finite(top)) - np.log1p(more)
""",
    "othersof": """def othersof(of):
    # 1 - p for shares p; of the largest, as what the rest add up to
    _, e, ties, more, total = of
    return np.where(ties, more, total - e)/total
""",
    "logsumexp": """def logsumexp(z, axis):
    return logtotal(rest(z, axis), axis)
""",
    "softmax": """def softmax(z, axis):
    e = np.exp(z - finite(highest(z, axis)))
    total = e.sum(axis=axis, keepdims=True)
    return e/np.where(total == 0, 1, total)
""",
    "logsoftmax": """def logsoftmax(z, axis):
    return logshares(z, rest(z, axis))
""",
    "shifted": """def shifted(u, w, axis):
    # the largest u whose weight is not 0, and w*exp(u - that); an entry of weight 0 takes no part, however large its u
    top = finite(highest(np.where(w == 0, -np.inf, u), axis))
    return top, np.where(w == 0, 0, w*np.exp(np.where(w == 0, 0, u - top)))
""",
    "weighted": """def weighted(u, w, axis):
    _, e = shifted(u, w, axis)
    total = e.sum(axis=axis, keepdims=True)
    return e/np.where(total == 0, 1, total)
""",
    "logweighted": """def logweighted(u, w, axis):
    top, e = shifted(u, w, axis)
    first = np.where(u == top, e, 0).sum(axis=axis, keepdims=True)
    more = np.where(u == top, 0, e).sum(axis=axis, keepdims=True)
    near = np.log(np.where(first > 0, first, 1)) + np.log1p(np.where(first > 0, more, 0)/np.where(first > 0, first, 1))
    return (top + np.where(first > 0, near, np.log(np.where(first > 0, 1, first + more)))).squeeze(axis=axis)
""",
    "logmean": """def logmean(u, w, axis):
    # log(sum(w*p)) for the softmax p of u; where the sum is near 1, from what it lacks
    u = u - highest(u, axis)
    lacks = ((1 - w)*softmax(u, axis)).sum(axis=axis)
    near = np.abs(lacks) < 0.5
    return np.where(near, np.log1p(-np.where(near, lacks, 0)), logweighted(u, w, axis) - logsumexp(u, axis))
""",
    "others": """def others(p, axis):
    # 1 - p for shares p along an axis; of one above a half, as what the rest add up to
    large = p > 0.5
    return np.where(large, np.where(large, 0, p).sum(axis=axis, keepdims=True), 1 - p)
""",
    "sumofothers": """def sumofothers(v, axis):
    # along an axis the sum of all but the entry itself; of the largest from the others, which the sum of all would lose
    size = np.abs(v)
    less = np.where(size == highest(size, axis), 0, v)
    most = v - less
    return (less.sum(axis=axis, keepdims=True) - less) + (most.sum(axis=axis, keepdims=True) - most)
""",
    "crossed": """def crossed(w, z, axis):
    # p_j times the sum of all w_i/(1 - p_i) but its own, for the shares p of z; of an i with more than all the rest, p_j/(1 - p_i)
    # is the share of j among the rest
    of = rest(z, axis)
    _, _, ties, more, _ = of
    most = ties & (more < 1)
    v = np.where(most, 0, w/np.where(most, 1, othersof(of)))
    return shares(of)*sumofothers(v, axis) + softmax(np.where(most, -np.inf, z), axis)*np.where(most, w, 0).sum(axis=axis, keepdims=True)
""",
    "extended": """def extended(z, u, axis):
    # z with one entry more, u, along an axis
    return np.concatenate((z, np.broadcast_to(np.asarray(u, dtype=dtype), z.sum(axis=axis, keepdims=True).shape)), axis=axis)
""",
    "butlast": """def butlast(v, axis):
    return v[(slice(None),)*(axis % v.ndim) + (slice(0, -1),)]
""",
    "allbut": """def allbut(p, axis):
    # 1 - p for numbers of any sign that add up to 1 along an axis; of the largest, as what the rest add up to
    top = p == highest(p, axis)
    ties = np.asarray(top, dtype=dtype).sum(axis=axis, keepdims=True) - 1
    return np.where(top, np.where(top, 0, p).sum(axis=axis, keepdims=True) + ties*p, 1 - p)
""",
    "logothers": """def logothers(z, axis):
    # log(1 - p) for shares p: log1p(-p), and of the largest the logarithm of what the rest add up to, next to their own largest
    top = highest(z, axis)
    ties = np.asarray(z == top, dtype=dtype).sum(axis=axis, keepdims=True) - 1
    low = highest(np.where(z == top, -np.inf, z), axis)
    low = np.where(low == -np.inf, top, low)
    rest = np.where(z == top, 0, np.exp(np.minimum(z - low, 0))).sum(axis=axis, keepdims=True)
    more = ties + rest*np.exp(low - top)
    last = np.where(ties > 0, np.log(np.maximum(more, 1)), low - top + np.log(np.where(ties > 0, 1, rest)))
    p = np.where(z == top, 0, np.exp(z - top))/(1 + more)
    return np.where(z == top, last - np.log1p(more), np.log1p(-p))
""",
    "largest": """def largest(v):
    top = v[0]
    for w in v[1:]:
        top = np.maximum(top, w)
    return top
""",
    "part": """def part(n, *v):
    e = [np.exp(w - largest(v)) for w in v]
    return sum(e[:n])/sum(e)
""",
    "logpart": """def logpart(n, *v):
    a, b = largest(v[:n]), largest(v[n:])
    q = sum(np.exp(w - b) for w in v[n:])/sum(np.exp(w - a) for w in v[:n])
    e = np.exp(-np.abs(b - a))
    return -np.where(b > a, (b - a) + np.log(q) + np.log1p(e/q), np.log1p(e*q))
""",
    "xlogy": """def xlogy(x, w):
    return np.where(x == 0, 0, x*np.log(np.where(x == 0, 1, w)))
""",
    "gauss": """def gauss(z):
    # erfc(-z/sqrt(2))/2 in float64; what rounding -z/sqrt(2) to x lost is put back by the slope of erfc
    from math import erfc
    z = np.clip(np.asarray(z, dtype=np.float64), -40, 40)
    root, c = 0.7071067811865476, 134217729.0
    x = -z*root
    a, h = c*z - (c*z - z), c*root - (c*root - root)
    b, l = z - a, root - h
    lost = ((a*h + x) + a*l + b*h) + b*l - 4.833646656726457e-17*z
    value = np.fromiter(map(erfc, x.ravel().tolist()), np.float64, x.size).reshape(x.shape) + 1.1283791670955126*np.exp(-x*x)*lost
    return np.asarray(0.5*value, dtype=dtype)
""",
    "mills": """def mills(z):
    # Mills' ratio (1 - F(z))/F'(z) of the normal distribution F for z of 10 and more, a continued fraction (Laplace)
    z = np.maximum(z, 10)
    value = z
    for k in range(30, 0, -1):
        value = z + k/value
    return 1/value
""",
    "loggauss": """def loggauss(z):
    far = np.clip(z, -10, 10)
    near = np.where(far < 0, np.log(gauss(far)), np.log1p(-gauss(-far)))
    low = np.log(mills(-z)) - z*z/2 - 0.9189385332046727
    return np.where(z < -10, low, np.where(z > 10, np.log1p(-gauss(-z)), near))
""",
    "hazard": """def hazard(z):
    near = np.exp(-(np.maximum(z, -10)**2)/2)/gauss(np.maximum(z, -10))
    return np.where(z < -10, 2.5066282746310002/mills(-z), near)
""",
    "norm": """def norm(v, axis):
    # the root of the sum of squares; where these leave the range of the numbers, of v next to its largest entry
    with np.errstate(over="ignore", under="ignore"):
        s = (v**2).sum(axis=axis)
    info = np.finfo(dtype)
    if np.all((s > info.tiny/info.eps) & (s < info.max)):
        return np.sqrt(s)
    top = np.abs(v).max(axis=axis, keepdims=True, initial=0.0)
    top = np.where((top == 0) | (top == np.inf), 1, top)
    return np.sqrt(((v/top)**2).sum(axis=axis))*top.sum(axis=axis)
""",
    "reciprocal": """def reciprocal(r):
    return np.where(r == 0, 0, 1/np.where(r == 0, 1, r))
""",
}


def needed(text: str, helpers: Mapping[str, str]) -> list[str]:
    """The names of the helpers that ``text`` calls, those that they call themselves included, in the order of the table."""
    found: set[str] = set()
    waiting = [text]
    while waiting:
        part = waiting.pop()
        for name, source in helpers.items():
            if name not in found and re.search(rf"(?<![\w.]){name}\(", part):
                found.add(name)
                waiting.append(source)
    return [name for name in helpers if name in found]
