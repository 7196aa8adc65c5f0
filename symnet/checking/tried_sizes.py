"""The sizes at which a claim is tried that no proof covers for all sizes: small, all different, and no two choices alike.

A claim is proved at the sizes of PROVED_AT. These share no size, no sum, product or quotient of two axes, and no sum or product of all, so
that a number in place of N·d, of N + d + k, or of 2/N, is caught; a polynomial that is 0 at both, such as (N - 3)(N - 4), is met at
SCREENED_AT, where exact points alone are tried. All that is then said is at which sizes something was proved.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from math import prod

PROVED_AT = ((3, 2, 4, 5, 6, 7), (4, 5, 2, 6, 7, 8))
SCREENED_AT = ((5, 7, 3, 2, 4, 8), (2, 9, 5, 7, 3, 4), (6, 4, 7, 2, 8, 3), (1, 3, 2, 4, 5, 6))
MOST_SIZES = len(PROVED_AT[0])


def unlike(one: Sequence[int], two: Sequence[int]) -> bool:
    """True when no size, no sum, product or quotient of two, and no sum or product of all is the same at both choices.

    >>> unlike((3, 2), (2, 3)), unlike((3, 2, 4, 5), (4, 5, 2, 3)), unlike((3, 2, 4, 5), (4, 5, 2, 6))
    (False, False, True)
    """
    some = [axes for count in (1, 2, len(one)) for axes in combinations(range(len(one)), count)]
    return all(join([one[k] for k in axes]) != join([two[k] for k in axes]) for axes in some for join in (sum, prod)) and \
        all(one[i] * two[j] != one[j] * two[i] for i, j in combinations(range(len(one)), 2))
