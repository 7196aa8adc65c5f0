"""Helpers of C files for this machine's own compiler: functions that it can carry out on many numbers at once, and matrix products.

``fast_exp`` and ``fast_tanh`` are within 2.5 units in the last place and give the same bits wherever they stand in an array, so that
equal arguments tie (measured against mpmath in ``tests/backends/test_c_target.py``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

FAST: Mapping[str, str] = {
    "muladd": """static inline real muladd(real a, real b, real c)
{
#ifdef __FMA__
    return FMA(a, b, c);
#else
    return a*b + c;
#endif
}
""",
    "fast_exp": """/* 2^n exp(r) for x = n log 2 + r; exp(r) by Taylor's series, 2^n as a product of two, written as bits */
static inline double fast_exp(double x)
{
    const double u = x > 710.0 ? 710.0 : x < -746.0 ? -746.0 : x;
    const double shifted = u*1.4426950408889634 + 6755399441055744.0, n = shifted - 6755399441055744.0;
    const double r = (u - n*6.93147180369123816490e-01) - n*1.90821492927058770002e-10;
    const double p = 1 + muladd(r*r, series(r), r);
    double a, b;
    int64_t bits, half;
    memcpy(&bits, &shifted, 8);
    bits = (int64_t)((uint64_t)bits << 13) >> 13;
    half = bits >> 1;
    bits = (bits - half + 1023) << 52;
    half = (half + 1023) << 52;
    memcpy(&a, &half, 8);
    memcpy(&b, &bits, 8);
    return p*a*b;
}
""",
    "fast_tanh": """/* m/(m + 2) for m = exp(2 |x|) - 1 = 2^n (exp(r) - 1) + (2^n - 1) */
static inline double fast_tanh(double x)
{
    const double t = fabs(x), u = t > 22.0 ? 44.0 : 2*t;
    const double shifted = u*1.4426950408889634 + 6755399441055744.0, n = shifted - 6755399441055744.0;
    const double r = (u - n*6.93147180369123816490e-01) - n*1.90821492927058770002e-10;
    double a, m;
    int64_t bits;
    memcpy(&bits, &shifted, 8);
    bits = (int64_t)(((uint64_t)bits + 1023) << 52);
    memcpy(&a, &bits, 8);
    m = a*muladd(r*r, series(r), r) + (a - 1);
    m = m/(m + 2);
    return x < 0 ? -m : m;
}
""",
    "series": """/* (exp(r) - 1 - r)/r^2 */
static inline double series(double r)
{
    double p = 1.6059043836821613e-10;
    p = muladd(p, r, 2.08767569878681e-09);
    p = muladd(p, r, 2.505210838544172e-08);
    p = muladd(p, r, 2.755731922398589e-07);
    p = muladd(p, r, 2.7557319223985893e-06);
    p = muladd(p, r, 2.48015873015873e-05);
    p = muladd(p, r, 0.0001984126984126984);
    p = muladd(p, r, 0.001388888888888889);
    p = muladd(p, r, 0.008333333333333333);
    p = muladd(p, r, 0.041666666666666664);
    p = muladd(p, r, 0.16666666666666666);
    return muladd(p, r, 0.5);
}
""",
    "product": """/* c = scale a b for m x k and k x n numbers, each with its two strides (one is 1), c in rows: by the library, or here */
typedef void (*library_product)(int, int, int, int64_t, int64_t, int64_t, real, const real *, int64_t, const real *, int64_t, real, real *,
                                int64_t);
static library_product symnet_library = 0;

void symnet_use(void *address)
{
    memcpy(&symnet_library, &address, sizeof(address));
}

static void product(int m, int n, int k, const real *a, int ar, int ac, const real *b, int br, int bc, real *c, int cr, real scale)
{
    if (symnet_library) {
        symnet_library(101, ac == 1 ? 111 : 112, bc == 1 ? 111 : 112, m, n, k, scale, a, ac == 1 ? ar : ac, b, bc == 1 ? br : bc, 0, c, cr);
        return;
    }
    for (int i = 0; i < m; i++) {
        real *restrict row = c + (size_t)i*cr;
        for (int j = 0; j < n; j++)
            row[j] = 0;
        for (int from = 0; from < n; from += 256) {
            const int to = from + 256 < n ? from + 256 : n;
            for (int l = 0; l < k; l++) {
                const real by = scale*a[(size_t)i*ar + (size_t)l*ac];
                const real *restrict other = b + (size_t)l*br;
                for (int j = from; j < to; j++)
                    row[j] = muladd(by, other[(size_t)j*bc], row[j]);
            }
        }
    }
}
""",
}


def with_fast_functions(text: str) -> str:
    """The text of a file in double with exp and tanh that work on many numbers at once."""
    return re.sub(r"\b(exp|tanh)\(", r"fast_\1(", text)
