"""The sizes at which a claim is tried that no proof covers for all sizes: small, all different, and no two choices alike.

A claim is proved at the sizes of PROVED_AT. No two of these share a size, a sum, a product or a quotient of the same axes, so that a
number in place of N·d, or of 2/N, is caught; a polynomial that is 0 at both, such as (N - 3)(N - 4), is met at SCREENED_AT, where exact
points alone are tried. All that is then said is at which sizes something was proved.
"""

from __future__ import annotations

PROVED_AT = ((3, 2, 4, 5, 6, 7), (4, 5, 2, 3, 7, 6))
SCREENED_AT = ((5, 7, 3, 2, 4, 8), (2, 9, 5, 7, 3, 4), (6, 4, 7, 2, 8, 3), (1, 3, 2, 4, 5, 6))
MOST_SIZES = len(PROVED_AT[0])
