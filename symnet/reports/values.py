"""Values for print: every number with the relation it deserves, = when it is exact and ≈ when it is rounded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any, Protocol

import sympy as sp

from symnet.core.expressions import entries
from symnet.core.latex import latex
from symnet.core.numbers import Shown, compute, rational, to_flint
from symnet.core.printing import ADD, ATOM, Piece
from symnet.core.tensors import Tensor, tensor_name
from symnet.core.text import text
from symnet.errors import SymnetError
from symnet.reports.document import Formula

APPROX = r"\approx"


class Evaluated(Protocol):
    """What a report needs of an evaluation."""

    def shown(self, scalar: str, digits: int) -> Shown:
        """The decimal of one scalar."""


class Values:
    """The values of a scalar program's names at so many digits."""

    def __init__(self, evaluation: Evaluated, digits: int) -> None:
        self.evaluation, self.digits = evaluation, digits
        self.known: dict[str, Shown] = {}

    def of(self, name: str) -> Shown:
        """The number behind a name."""
        if name not in self.known:
            self.known[name] = self.evaluation.shown(name, self.digits)
        return self.known[name]

    def formula(self, name: str) -> Formula:
        """The number alone."""
        shown = self.of(name)
        return Formula(number_latex(shown.text), shown.text)

    def put_in(self, expr: sp.Expr, tensors: Mapping[str, Tensor]) -> tuple[Formula, bool]:
        """``expr`` with numbers in place of names, negative ones in brackets; and whether all of them are exact."""
        exact = all(self.of(tensor_name(e)).exact for e in entries(expr))
        return Formula(latex(expr, tensors, self._leaf(number_latex)), text(expr, self._leaf(str), tensors)), exact

    def comes_to(self, expr: sp.Expr, shown: Shown) -> bool:
        """False where the number shown is exact and the decimals put in come to another one: 0.333333 * 3 is not 1, 0.333333 * 0 is 0."""
        if not shown.exact or all(self.of(tensor_name(e)).exact for e in entries(expr)):
            return True
        try:
            point = {e: rational(Fraction(self.of(tensor_name(e)).text)) for e in entries(expr)}
            return bool(compute(expr, point) == to_flint(rational(Fraction(shown.text))))
        except (SymnetError, ValueError):  # log(0.00000) has no value, an interval is no number
            return False

    def printed(self, expr: sp.Expr) -> tuple[tuple[str, str], ...]:
        """The decimals that ``put_in`` shows, by name."""
        return tuple((name, self.of(name).text) for name in dict.fromkeys(tensor_name(e) for e in entries(expr)))

    def _leaf(self, mark: Callable[[str], str]) -> Callable[[Any], Piece]:
        def leaf(entry: sp.Expr) -> Piece:
            shown = self.of(tensor_name(entry)).text
            return mark(shown), ADD if shown.startswith("-") else ATOM
        return leaf


def number_latex(text: str) -> str:
    """1.5e-9 as 1.5 × 10^{-9}.

    >>> number_latex("-1.5e-9")
    '-1.5 \\\\times 10^{-9}'
    """
    if text.startswith("["):  # an interval
        return r"\left[" + ", ".join(map(number_latex, text[1:-1].split(", "))) + r"\right]"
    head, e, tail = text.partition("e")
    return rf"{head} \times 10^{{{int(tail)}}}" if e else head


def equals(left: Formula, shown: Shown) -> Formula:
    """``left = number`` or ``left ≈ number``, with the note of a number that no precision settled."""
    return related(left, _noted(shown), shown.exact)


def related(left: Formula, right: Formula, exact: bool) -> Formula:
    """``left = right``, or ``left ≈ right`` where something in ``right`` is rounded."""
    signs = ("=", "=") if exact else (APPROX, "≈")
    return Formula(f"{left.latex} {signs[0]} {right.latex}".strip(), f"{left.text} {signs[1]} {right.text}".strip())


def number(shown: Shown) -> Formula:
    """A number that stands alone: as it is where it is exact, behind ≈ where it is rounded."""
    if not shown.exact:
        return equals(Formula("", ""), shown)
    return _noted(shown)


def _noted(shown: Shown) -> Formula:
    """A number with what its text does not say: that no precision up to the limit settled it."""
    note = (rf" \quad \text{{({shown.note})}}", f" ({shown.note})") if shown.note else ("", "")
    return Formula(number_latex(shown.text) + note[0], shown.text + note[1])
