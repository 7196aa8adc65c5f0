"""How entries and slopes are written in plain maths: W[j, k], W_jk, W_{jk}, z^(l); dL/dw, d L / d(w), dL/dW_jk, dp[i]/dz[j].

The one grammar of both, for answers and for pages. What a name stands for, and whether W_1 is one name or an entry, is for the reader
to say: these functions only take apart what is written.
"""

from __future__ import annotations

import re
from collections.abc import Callable

NAME = r"[A-Za-z]\w*"
_BRACKET = r"\[[^\[\]/]{1,40}\]"
_PLACED = rf"{NAME}(?:(?<=_)\{{\w{{1,8}}\}}|(?<=_)\(\w{{1,3}},\s?\w{{1,6}}\))?(?:{_BRACKET}|\^\([a-z0-9+\-, ]{{1,10}}\))?"
# an entry: brackets, or letters and digits below
ENTRY = rf"(?:{NAME}{_BRACKET}|[A-Za-z][A-Za-z0-9]*_\{{?[a-z0-9]{{1,4}}\}}?(?![A-Za-z0-9]))"
_SPLIT = re.compile(rf"({NAME})\[([^\[\]]+)\]\Z|([A-Za-z]\w*?)_\{{?([a-z0-9]{{1,4}})\}}?\Z")


def _slope(part: str) -> str:
    """A quotient of differentials of two such parts, each in brackets or not."""
    one = rf"(?:{part}|\(\s?{part}\s?\))"
    return rf"d\s?{one}\s?/\s?d\s?{one}"


SLOPE = _slope(_PLACED)  # without groups, to stand in a larger pattern
_SLOPES = {True: re.compile(rf"\b{SLOPE}(?![\w\[])"), False: re.compile(rf"\b{_slope(NAME)}")}  # by whether places stand in it


def slope_parts(text: str) -> tuple[str, str] | None:
    """What stands above and below in a slope that is all of ``text``, as it is written; None for any other text.

    >>> slope_parts("dL / d(W_jk)"), slope_parts("dp[i]/dz[j]"), slope_parts("w/d")
    (('L', 'W_jk'), ('p[i]', 'z[j]'), None)
    """
    return _parts(text) if _SLOPES[True].fullmatch(text) else None


def with_slopes(text: str, put: Callable[[str, str, str], str], placed: bool = True) -> str:
    """``text`` with ``put(what is written, above, below)`` for each slope; those of names alone unless ``placed``.

    >>> with_slopes("2 dL/da * da/dz", lambda said, above, below: f"<{above} by {below}>")
    '2 <L by a> * <a by z>'
    """
    return _SLOPES[placed].sub(lambda m: put(m[0], *_parts(m[0])), text)


def _parts(slope: str) -> tuple[str, str]:
    above, _, below = slope.partition("/")
    first, second = (part.strip()[1:].strip() for part in (above, below))
    return _opened(first), _opened(second)


def _opened(part: str) -> str:
    return part[1:-1].strip() if part.startswith("(") else part


def entry_parts(text: str) -> tuple[str, tuple[str, ...]] | None:
    """(name, places) of an entry as it is written: brackets at commas, letters below one by one; None where it has no places.

    >>> entry_parts("W_{jk}"), entry_parts("z[t, i + 1]"), entry_parts("w")
    (('W', ('j', 'k')), ('z', ('t', 'i + 1')), None)
    """
    found = _SPLIT.match(text)
    if found is None:
        return None
    return (found[1], tuple(p.strip() for p in found[2].split(","))) if found[1] else (found[3], tuple(found[4]))
