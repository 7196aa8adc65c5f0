"""Positions in memory as whole-number forms that are linear in C variables: 16*i + j - 1, with the least and greatest value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

Span = tuple[int, int]


@final
@dataclass(frozen=True)
class Place:
    """A sum of variables (or bracketed texts) with whole factors, and a number."""

    terms: tuple[tuple[str, int], ...] = ()
    number: int = 0

    def plus(self, other: Place, times: int = 1) -> Place:
        """self + times*other."""
        found = dict(self.terms)
        for text, factor in other.terms:
            found[text] = found.get(text, 0) + times * factor
        return Place(tuple((t, f) for t, f in found.items() if f), self.number + times * other.number)

    def over(self, below: int) -> str:
        """The text of the form divided by a number, which leaves no rest wherever it counts."""
        return str(self) if below == 1 else f"({self})/{below}"

    def factor(self, variable: str) -> int:
        """What stands before a variable."""
        return dict(self.terms).get(variable, 0)

    def without(self, variable: str) -> Place:
        """The form where the variable is 0."""
        return Place(tuple(t for t in self.terms if t[0] != variable), self.number)

    def span(self, ranges: Mapping[str, Span]) -> Span | None:
        """The least and greatest value; None where a text has no known range."""
        low = high = self.number
        for text, factor in self.terms:
            if text not in ranges:
                return None
            ends = [factor * end for end in ranges[text]]
            low, high = low + min(ends), high + max(ends)
        return low, high

    def __str__(self) -> str:
        made = ""
        for text, factor in sorted(self.terms, key=lambda t: -t[1]):
            size = text if abs(factor) == 1 else f"{text}*{abs(factor)}"
            made += (" - " if factor < 0 else " + ") + size if made else ("-" if factor < 0 else "") + size
        if self.number or not made:
            made += f"{' - ' if self.number < 0 else ' + '}{abs(self.number)}" if made else str(self.number)
        return made
