"""Functions of one number, and of one line of numbers, as C99: the helpers that a C file holds, each with the meaning that its
namesake has in NumPy's source (``stable_code``), and the calls that the array tree makes of them.

They are written for ``real`` double; ``in_float`` gives the same text for float. ``exp`` and the other functions of the C library are
called by their names, so that a target may put faster ones in their place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import sympy as sp

from symnet.arrays import stable_functions as st
from symnet.backends.brackets import atom
from symnet.core import functions as fn
from symnet.core.functions import Max, Min

LIBRARY = ("exp", "expm1", "log", "log1p", "sin", "cos", "tanh", "sinh", "cosh", "atan", "sqrt", "fabs", "floor", "erf", "erfc", "pow")
COMPARE = (">", ">=", "<", "<=", "==", "!=")  # in the order of RELATIONS


def _call(name: str) -> Callable[..., str]:
    return lambda *args: f"{name}({', '.join(args)})"


def _folded(name: str) -> Callable[..., str]:
    """A function of two as one of any number."""
    def called(first: str, *rest: str) -> str:
        for other in rest:
            first = f"{name}({first}, {other})"
        return first
    return called


def _kept(u: str, place: str, left: str, right: str, relation: str, holds: str) -> str:
    test = f"{atom(left)} {COMPARE[int(float(relation))]} {atom(right)}"
    return f"({test} ? {u} : {place})" if float(holds) == 1 else f"({test} ? {place} : {u})"


CALLS: Mapping[type, Callable[..., str]] = {
    **{f: _call(name) for f, name in ((sp.exp, "exp"), (sp.log, "log"), (sp.sin, "sin"), (sp.cos, "cos"), (sp.tanh, "tanh"),
                                      (sp.sinh, "sinh"), (sp.cosh, "cosh"), (sp.atan, "atan"), (sp.Abs, "fabs"), (sp.sign, "sign"),
                                      (sp.floor, "floor"), (sp.erf, "erf"), (fn.sigmoid, "sigmoid"), (fn.step, "step"),
                                      (fn.relu, "relu"), (fn.softplus, "softplus"), (fn.leaky_relu, "leaky_relu"),
                                      (st.bell, "bell"), (st.expm1, "expm1"), (st.log1p, "log1p"), (st.logaddexp, "logaddexp"),
                                      (st.near, "near_zero"), (st.clamped, "clamped"), (st.xlogy, "xlogy"), (st.gauss, "gauss"),
                                      (st.log_gauss, "loggauss"), (st.hazard, "hazard"),
                                      (st.reciprocal, "reciprocal"))},
    **dict.fromkeys((Max, sp.Max), _folded("maximum")),
    **dict.fromkeys((Min, sp.Min), _folded("minimum")),
    st.kept: _kept,
    st.exceeds: lambda u, v: f"({atom(u)} > {atom(v)} ? 1.0 : 0.0)",
    st.grouped: lambda u: f"({u})",
    fn.stop_gradient: lambda u: u,
}
CHEAP = {fn.step, fn.relu, fn.leaky_relu, sp.Abs, sp.sign, sp.floor, Max, sp.Max, Min, sp.Min, st.kept, st.exceeds, st.grouped, st.near,
         st.clamped, fn.stop_gradient, st.reciprocal, sp.Add, sp.Mul, sp.Pow}
HELPERS: Mapping[str, str] = {
    "modulo": """static int modulo(int a, int b)
{
    const int r = a % b;
    return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}
""",
    "quotient": """static int quotient(int a, int b)
{
    const int q = a/b;
    return a % b != 0 && (a < 0) != (b < 0) ? q - 1 : q;
}
""",
    "inside": """static int inside(int place, int last)
{
    return place < 0 ? 0 : place > last ? last : place;
}
""",
    "square": """static real square(real x)
{
    return x*x;
}
""",
    "cube": """static real cube(real x)
{
    return x*x*x;
}
""",
    "sign": """static real sign(real u)
{
    return u > 0 ? 1.0 : u < 0 ? -1.0 : u;
}
""",
    "step": """static real step(real z)
{
    return z > 0 ? 1.0 : z <= 0 ? 0.0 : z;
}
""",
    "maximum": """static real maximum(real a, real b)
{
    return a > b || a != a ? a : b;
}
""",
    "minimum": """static real minimum(real a, real b)
{
    return a < b || a != a ? a : b;
}
""",
    "relu": """static real relu(real z)
{
    return z > 0 || z != z ? z : 0;
}
""",
    "leaky_relu": """static real leaky_relu(real z, real slope)
{
    return z > 0 ? z : slope*z;
}
""",
    "falling": """static real falling(real z)
{
    return exp(-fabs(z));
}
""",
    "sigmoid_of": """/* the sigmoid of z from e = exp(-|z|) */
static real sigmoid_of(real z, real e)
{
    return (z < 0 ? e : 1)*(1/(1 + e));
}
""",
    "sigmoid": """static real sigmoid(real z)
{
    return sigmoid_of(z, falling(z));
}
""",
    "bell_of": """/* the slope of the sigmoid from e = exp(-|z|) */
static real bell_of(real e)
{
    return e*(1/(1 + e))*(1/(1 + e));
}
""",
    "bell": """static real bell(real z)
{
    return bell_of(falling(z));
}
""",
    "logaddexp": """/* log(exp(a) + exp(b)) */
static real logaddexp(real a, real b)
{
    return a == b ? a + 0.6931471805599453 : maximum(a, b) + log1p(exp(-fabs(a - b)));
}
""",
    "softplus": """static real softplus(real z)
{
    return relu(z) + log1p(exp(-fabs(z)));
}
""",
    "polynomial": """static real polynomial(int n, const real *c, int rising, real e)
{
    real value = rising ? c[n - 1] : c[0];
    int k;
    for (k = 1; k < n; k++)
        value = value*e + (rising ? c[n - 1 - k] : c[k]);
    return value;
}
""",
    "ratio": """/* (E - 1)^k E^a P(E)/Q(E) with E = exp(u), from e = exp(-|u|) alone */
static real ratio(real u, int k, real a, int np, const real *p, int nq, const real *q)
{
    const real e = exp(-fabs(u)), b = a + k + np - nq;
    const int up = !(u > 0);
    real value = polynomial(np, p, up, e)/polynomial(nq, q, up, e);
    if (k != 0)
        value *= pow(u > 0 ? -expm1(-fabs(u)) : expm1(-fabs(u)), k);
    if (a != 0)
        value *= exp(a*(u < 0 ? u : 0));
    if (b != 0)
        value *= exp(b*(u > 0 ? u : 0));
    return u != u ? u : value;
}
""",
    "logratio": """/* log(E^a P(E)/Q(E)) with E = exp(u); low and high are P - Q, by rising powers of E and by falling ones */
static real logratio(real u, real a, int np, const real *p, int nq, const real *q, int n, const real *low, const real *high)
{
    const real e = exp(-fabs(u)), b = a + np - nq;
    const int rising = !(u > 0);
    const real up = polynomial(np, p, rising, e), down = polynomial(nq, q, rising, e);
    const real d = polynomial(n, u > 0 ? high : low, 1, e)/down;
    real value = fabs(d) < 0.5 ? log1p(d) : log(up/down);
    if (a != 0)
        value += a*(u < 0 ? u : 0);
    if (b != 0)
        value += b*(u > 0 ? u : 0);
    return u != u ? u : value;
}
""",
    "near_zero": """static real near_zero(real u, real x, real y)
{
    return fabs(u) < 1 ? y : x;
}
""",
    "clamped": """static real clamped(real u, real low, real high)
{
    return u < low ? low : u > high ? high : u;
}
""",
    "part": """/* exp(v) of the first m of n, over all of them */
static real part(int m, int n, const real *v)
{
    real top = v[0], some = 0, all = 0;
    int k;
    for (k = 1; k < n; k++)
        top = maximum(top, v[k]);
    for (k = 0; k < n; k++) {
        const real e = exp(v[k] - top);
        all += e;
        some += k < m ? e : 0;
    }
    return some/all;
}
""",
    "logpart": """/* the logarithm of part */
static real logpart(int m, int n, const real *v)
{
    real a = v[0], b = v[m], above = 0, below = 0, q, e;
    int k;
    for (k = 1; k < m; k++)
        a = maximum(a, v[k]);
    for (k = m + 1; k < n; k++)
        b = maximum(b, v[k]);
    for (k = 0; k < m; k++)
        below += exp(v[k] - a);
    for (k = m; k < n; k++)
        above += exp(v[k] - b);
    q = above/below;
    e = exp(-fabs(b - a));
    return -(b > a ? (b - a) + log(q) + log1p(e/q) : log1p(e*q));
}
""",
    "xlogy": """static real xlogy(real x, real w)
{
    return x == 0 ? 0 : x*log(w);
}
""",
    "gauss": """/* erfc(-z/sqrt(2))/2; what rounding -z/sqrt(2) to x lost is put back by the slope of erfc */
static real gauss(real u)
{
    const double z = u < -40 ? -40 : u > 40 ? 40 : u, root = 0.7071067811865476, c = 134217729.0;
    const double x = -z*root, a = c*z - (c*z - z), h = c*root - (c*root - root), b = z - a, l = root - h;
    const double lost = ((a*h + x) + a*l + b*h) + b*l - 4.833646656726457e-17*z;
    return (real)(0.5*(erfc(x) + 1.1283791670955126*exp(-x*x)*lost));
}
""",
    "mills": """/* Mills' ratio (1 - F(z))/F'(z) of the normal distribution F for z of 10 and more, a continued fraction (Laplace) */
static real mills(real z)
{
    real value = z;
    int k;
    for (k = 30; k > 0; k--)
        value = z + k/value;
    return 1/value;
}
""",
    "loggauss": """/* the logarithm of gauss */
static real loggauss(real z)
{
    if (z < -10)
        return log(mills(-z)) - z*z/2 - 0.9189385332046727;
    return z < 0 ? log(gauss(z)) : log1p(-gauss(-z));
}
""",
    "hazard": """/* exp(-z*z/2)/gauss(z) */
static real hazard(real z)
{
    return z < -10 ? 2.5066282746310002/mills(-z) : exp(-(z*z)/2)/gauss(z);
}
""",
    "reciprocal": """static real reciprocal(real r)
{
    return r == 0 ? 0 : 1/r;
}
""",
    "finite_top": """/* the largest entry, 0 where a bracket leaves none */
static real finite_top(real top)
{
    return top == -INFINITY ? 0 : top;
}
""",
    "below_top": """/* the largest entry of a line; e is the line minus that */
static real below_top(int n, const real *z, real *e)
{
    real top = -INFINITY;
    int k;
    for (k = 0; k < n; k++)
        top = maximum(top, z[k]);
    for (k = 0; k < n; k++)
        e[k] = z[k] - finite_top(top);
    return top;
}
""",
    "besides_top": """/* what all but one of the largest of a line z add up to, where e = exp(z - top) */
static real besides_top(int n, const real *z, const real *e, real top)
{
    real more = 0;
    int k, ties = 0;
    for (k = 0; k < n; k++) {
        if (z[k] == top && top > -INFINITY)
            ties++;
        else
            more += e[k];
    }
    return more + (ties > 1 ? ties - 1 : 0);
}
""",
    "rest": """static void rest(int n, const real *z, real *e, real *top, real *more)
{
    int k;
    *top = below_top(n, z, e);
    for (k = 0; k < n; k++)
        e[k] = exp(e[k]);
    *more = besides_top(n, z, e, *top);
}
""",
    "share": """/* a share of nothing is 0 */
static real share(real e, real top, real more)
{
    return top == -INFINITY ? 0 : e/(1 + more);
}
""",
    "other_share": """/* 1 minus the share; of the largest, as what the rest add up to */
static real other_share(real z, real e, real top, real more)
{
    return (z == top && top > -INFINITY ? more : 1 + more - e)/(1 + more);
}
""",
    "shifted": """/* the largest u whose weight is not 0, and w*exp(u - that) */
static real shifted(int n, const real *u, const real *w, real *e)
{
    real top = -INFINITY;
    int k;
    for (k = 0; k < n; k++)
        top = w[k] == 0 ? top : maximum(top, u[k]);
    top = finite_top(top);
    for (k = 0; k < n; k++)
        e[k] = w[k] == 0 ? 0 : w[k]*exp(u[k] - top);
    return top;
}
""",
    "weighted": """/* w exp(u)/sum(w exp(u)) */
static void weighted(int n, const real *u, const real *w, real *e)
{
    real total = 0;
    int k;
    (void)shifted(n, u, w, e);
    for (k = 0; k < n; k++)
        total += e[k];
    for (k = 0; k < n; k++)
        e[k] /= total == 0 ? 1 : total;
}
""",
    "logweighted": """/* log(sum(w exp(u))); e is room for n numbers */
static real logweighted(int n, const real *u, const real *w, real *e)
{
    const real top = shifted(n, u, w, e);
    real first = 0, more = 0;
    int k;
    for (k = 0; k < n; k++) {
        if (u[k] == top)
            first += e[k];
        else
            more += e[k];
    }
    return top + (first > 0 ? log(first) + log1p(more/first) : log(first + more));
}
""",
    "logmean": """/* log(sum(w*p)) for the softmax p of u; where the sum is near 1, from what it lacks; e is room for n numbers */
static real logmean(int n, const real *u, const real *w, real *e)
{
    real top, more, lacks = 0;
    int k;
    rest(n, u, e, &top, &more);
    for (k = 0; k < n; k++)
        lacks += (1 - w[k])*share(e[k], top, more);
    return fabs(lacks) < 0.5 ? log1p(-lacks) : logweighted(n, u, w, e) - (top + log1p(more));
}
""",
    "othersofall": """/* 1 - p for shares p; of one above a half, as what the rest add up to */
static void othersofall(int n, const real *p, real *made)
{
    real small = 0;
    int k;
    for (k = 0; k < n; k++)
        small += p[k] > 0.5 ? 0 : p[k];
    for (k = 0; k < n; k++)
        made[k] = p[k] > 0.5 ? small : 1 - p[k];
}
""",
    "sumofothers": """/* the sum of all but the entry itself; of the largest from the others, which the sum of all would lose */
static void sumofothers(int n, const real *v, real *made)
{
    real top = -INFINITY, large = 0, small = 0;
    int k;
    for (k = 0; k < n; k++)
        top = maximum(top, fabs(v[k]));
    for (k = 0; k < n; k++) {
        large += fabs(v[k]) == top ? v[k] : 0;
        small += fabs(v[k]) == top ? 0 : v[k];
    }
    for (k = 0; k < n; k++)
        made[k] = fabs(v[k]) == top ? small + (large - v[k]) : (small - v[k]) + large;
}
""",
    "crossed": """/* p_j times the sum of all w_i/(1 - p_i) but its own, for the shares p of z where exp(u) is added to the sum; e and v are
   room for n
   numbers each */
static void crossed(int n, const real *w, const real *z, real u, real *made, real *e, real *v)
{
    real top, more, all = 0, most = 0, highest = -INFINITY;
    int k;
    rest(n, z, e, &top, &more);
    if (u > top) {
        more = 0;
        for (k = 0; k < n; k++)
            more += e[k] = exp(z[k] - u);
        top = u;
    } else if (u > -INFINITY)
        more += exp(u - top);
    highest = u;
    for (k = 0; k < n; k++)
        v[k] = z[k] == top && top > -INFINITY && more < 1 ? 0 : w[k]/other_share(z[k], e[k], top, more);
    sumofothers(n, v, made);
    for (k = 0; k < n; k++) {
        made[k] *= share(e[k], top, more);
        if (z[k] == top && top > -INFINITY && more < 1)
            most += w[k];
        else
            highest = maximum(highest, z[k]);
    }
    all = exp(u - finite_top(highest));
    for (k = 0; k < n; k++) {
        e[k] = z[k] == top && top > -INFINITY && more < 1 ? 0 : exp(z[k] - finite_top(highest));
        all += e[k];
    }
    for (k = 0; k < n; k++)
        made[k] += e[k]/(all == 0 ? 1 : all)*most;
}
""",
    "allbut": """/* 1 - p for numbers of any sign that add up to 1; of the largest, as what the rest add up to */
static void allbut(int n, const real *p, real *made)
{
    real top = -INFINITY, small = 0;
    int k, ties = -1;
    for (k = 0; k < n; k++)
        top = maximum(top, p[k]);
    for (k = 0; k < n; k++) {
        small += p[k] == top ? 0 : p[k];
        ties += p[k] == top;
    }
    for (k = 0; k < n; k++)
        made[k] = p[k] == top ? small + ties*p[k] : 1 - p[k];
}
""",
    "logothers": """/* log(1 - p) for shares p: log1p(-p), and of the largest the logarithm of what the rest add up to */
static void logothers(int n, const real *z, real *made)
{
    real top = -INFINITY, low = -INFINITY, sum = 0, more, last;
    int k, ties = -1;
    for (k = 0; k < n; k++)
        top = maximum(top, z[k]);
    for (k = 0; k < n; k++) {
        ties += z[k] == top;
        low = z[k] == top ? low : maximum(low, z[k]);
    }
    low = low == -INFINITY ? top : low;
    for (k = 0; k < n; k++)
        sum += z[k] == top ? 0 : exp(minimum(z[k] - low, 0));
    more = ties + sum*exp(low - top);
    last = ties > 0 ? log(maximum(more, 1)) : low - top + log(sum);
    for (k = 0; k < n; k++)
        made[k] = z[k] == top ? last - log1p(more) : log1p(-exp(z[k] - top)/(1 + more));
}
""",
    "norm": """/* the root of a sum of squares; of v next to its largest entry, so that no square leaves the range of the numbers */
static real norm(int n, const real *v)
{
    real top = 0, sum = 0;
    int k;
    for (k = 0; k < n; k++)
        sum += v[k]*v[k];
    if (sum > TINY && sum < HUGE)
        return sqrt(sum);
    sum = 0;
    for (k = 0; k < n; k++)
        top = maximum(top, fabs(v[k]));
    if (top == 0 || top == INFINITY)
        return top;
    for (k = 0; k < n; k++)
        sum += (v[k]/top)*(v[k]/top);
    return sqrt(sum)*top;
}
""",
    "factored": """/* a = p l u in place, by rows (Gauss, partial pivoting); gives the sign of p, 0 where a pivot is 0 */
static int factored(int n, real *a, int *rows)
{
    int i, j, k, sign = 1;
    for (i = 0; i < n; i++)
        rows[i] = i;
    for (k = 0; k < n; k++) {
        int best = k;
        for (i = k + 1; i < n; i++)
            best = fabs(a[i*n + k]) > fabs(a[best*n + k]) ? i : best;
        if (a[best*n + k] == 0)
            return 0;
        if (best != k) {
            const int row = rows[k];
            rows[k] = rows[best];
            rows[best] = row;
            sign = -sign;
            for (j = 0; j < n; j++) {
                const real x = a[k*n + j];
                a[k*n + j] = a[best*n + j];
                a[best*n + j] = x;
            }
        }
        for (i = k + 1; i < n; i++) {
            const real x = a[i*n + k] /= a[k*n + k];
            for (j = k + 1; j < n; j++)
                a[i*n + j] -= x*a[k*n + j];
        }
    }
    return sign;
}
""",
    "determinant": """/* room is for n*n numbers, rows for n */
static real determinant(int n, const real *a, real *room, int *rows)
{
    real value;
    int k;
    for (k = 0; k < n*n; k++)
        room[k] = a[k];
    value = factored(n, room, rows);
    for (k = 0; k < n && value != 0; k++)
        value *= room[k*n + k];
    return value;
}
""",
    "logdeterminant": """/* log|det a|, or with signs log det a, which is no number where the determinant is not positive */
static real logdeterminant(int n, const real *a, int signs, real *room, int *rows)
{
    real value = 0;
    int k, sign;
    for (k = 0; k < n*n; k++)
        room[k] = a[k];
    sign = factored(n, room, rows);
    if (sign == 0)
        return signs ? NAN : -INFINITY;
    for (k = 0; k < n; k++) {
        sign = room[k*n + k] < 0 ? -sign : sign;
        value += log(fabs(room[k*n + k]));
    }
    return signs && sign < 0 ? NAN : value;
}
""",
    "inverse": """/* made = a^-1, no numbers where there is none; room is for n*n numbers, rows for n */
static void inverse(int n, const real *a, real *made, real *room, int *rows)
{
    int i, j, k, sign;
    for (k = 0; k < n*n; k++)
        room[k] = a[k];
    sign = factored(n, room, rows);
    for (j = 0; j < n; j++) {
        for (i = 0; i < n; i++) {
            real x = rows[i] == j ? 1 : 0;
            for (k = 0; k < i; k++)
                x -= room[i*n + k]*made[k*n + j];
            made[i*n + j] = x;
        }
        for (i = n - 1; i >= 0; i--) {
            real x = made[i*n + j];
            for (k = i + 1; k < n; k++)
                x -= room[i*n + k]*made[k*n + j];
            made[i*n + j] = sign == 0 ? NAN : x/room[i*n + i];
        }
    }
}
""",
    "adjugate": """/* det(a) a^-1 by cofactors, also of a matrix without an inverse; room is for n*n numbers, rows for n */
static void adjugate(int n, const real *a, real *made, real *room, int *rows)
{
    int i, j, k, l;
    for (i = 0; i < n; i++) {
        for (j = 0; j < n; j++) {
            const int m = n - 1;
            real value;
            for (k = 0; k < m; k++)
                for (l = 0; l < m; l++)
                    room[k*m + l] = a[(k < i ? k : k + 1)*n + (l < j ? l : l + 1)];
            value = factored(m, room, rows);
            for (k = 0; k < m && value != 0; k++)
                value *= room[k*m + k];
            made[j*n + i] = (i + j) % 2 ? -value : value;
        }
    }
}
""",
}
LIMITS = {"float64": ("1.0e-292", "1.7e308"), "float32": ("1.0e-31", "3.4e38")}  # TINY, HUGE of norm
IN_DOUBLE = re.compile(r"(?:.*const double.*\n|.*\(real\)\(.*\n)")


def finished(text: str, dtype: str) -> str:
    """The text for one width of numbers: in float each literal and function of the C library is float's."""
    tiny, huge = LIMITS[dtype]
    text = re.sub(r"\bTINY\b", tiny, re.sub(r"\bHUGE\b", huge, text))
    if dtype == "float64":
        return text
    lines = text.splitlines(keepends=True)
    return "".join(line if line.lstrip().startswith("/*") or IN_DOUBLE.fullmatch(line) else in_float(line) for line in lines)


def in_float(line: str) -> str:
    """One line of double as float."""
    line = re.sub(rf"\b({'|'.join(LIBRARY)})\(", r"\1f(", line)
    return re.sub(r"(?<![\w.])(\d+\.\d+(?:e[-+]?\d+)?)(?![\w.])", r"\1f", line)
