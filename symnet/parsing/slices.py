"""Which places a line v[t, i] = … defines, and the axes of a tensor that is only defined, never declared.

A stated range (… for t in 2..T) counts. Else an index runs over the places at which everything on the right that is looked at
without a condition exists, within the axis, and without the places that a more specific line defines: h[0] = s before h[t] = ….
A tensor without a declared shape gets the axes that its lines cover together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import sympy as sp

from symnet.core.axes import Axis, Range, at_most, bounds, inside, is_index
from symnet.core.expressions import substitute
from symnet.core.program import Hole
from symnet.core.tensors import Tensor
from symnet.errors import ShapeError
from symnet.parsing.naming import Reach

STATE = "state it: … for {0} in first..last"


@dataclass(slots=True)
class Slice:
    """One line on its way: its places on the left, its right side, the ranges that were stated, and what its right side reaches.

    ``alone`` are the axes on which a letter stands alone, under conditions too; ``spans`` are the ranges of its letters once
    they are known.
    """

    where: str
    name: str
    places: tuple[sp.Expr, ...]
    expr: sp.Expr
    stated: Mapping[sp.Symbol, Range]
    reached: Sequence[Reach]
    alone: Mapping[sp.Symbol, Range]
    holes: tuple[Hole, ...] = ()
    spans: dict[sp.Symbol, Range] = field(default_factory=dict)

    @property
    def letters(self) -> list[sp.Symbol]:
        """The indices on the left."""
        return [p for p in self.places if is_index(p)]

    def ranged(self, letter: sp.Symbol) -> bool:
        """True when something tells a range of the letter."""
        return letter in self.stated or letter in self.alone or bool(self.constraints(letter))

    def box(self) -> list[Range | None]:
        """The places defined along each axis, where they are known."""
        return [self.spans.get(p) if is_index(p) else (p, p) for p in self.places]

    def constraints(self, letter: sp.Symbol) -> list[tuple[Range, Axis]]:
        """Where the letter may be, one range for each entry on the right whose place moves with it alone."""
        found = []
        for place, axis, bound in self.reached:
            slope = place.diff(letter)
            rest = bounds(sp.expand(place - slope * letter), bound)
            if slope not in (1, -1) or rest is None or any(is_index(s) for end in rest for s in end.free_symbols):
                continue
            low, high = sp.expand(axis.lower - rest[0]), sp.expand(axis.upper - rest[1])
            found.append(((low, high) if slope == 1 else (-high, -low), axis))
        return found


def counted_from_left(line: Slice) -> Slice:
    """h[t+1] = f(h[t]) as h[t] = f(h[t-1]): the left side is a letter. Raises ShapeError where a place holds more than that."""
    there: dict[sp.Symbol, sp.Expr] = {}
    places = []
    for place in line.places:
        letters = [s for s in place.free_symbols if is_index(s)]
        if not letters or place.is_Symbol:
            places.append(place)
            continue
        letter = letters[0]
        if len(letters) > 1 or place.diff(letter) != 1 or letter in there or letter in line.places:
            raise ShapeError(line.where, f"the place {place} on the left", "an index, an index plus a number, or a number")
        there[letter] = sp.expand(letter - (place - letter))
        places.append(letter)
    if not there:
        return line

    def moved(expr: sp.Expr) -> sp.Expr:
        made = substitute(expr, there)
        flat = {e: e.base[tuple(sp.expand(i) for i in e.indices)] for e in made.atoms(sp.Indexed)}
        return made.xreplace(flat)

    stated = {i: tuple(sp.expand(end + i - there.get(i, i)) for end in span) for i, span in line.stated.items()}
    reached = [(sp.expand(place.xreplace(there)), axis, bound) for place, axis, bound in line.reached]
    alone = {i: span for i, span in line.alone.items() if i not in there}
    holes = tuple((moved(u), sign, tuple((i, lo.xreplace(there), hi.xreplace(there)) for i, lo, hi in over))
                  for u, sign, over in line.holes)
    return Slice(line.where, line.name, tuple(places), moved(line.expr), stated, reached, alone, holes)


def inferred(lines: Sequence[Slice], table: Iterable[Tensor]) -> tuple[Axis, ...] | None:
    """The axes that the lines of one tensor cover together; None where a range is not known yet."""
    known = {a.range: a for t in table for a in t.axes}
    axes = []
    for k in range(len(lines[0].places)):
        spans, kinds = [], []
        for line in lines:
            place = line.places[k]
            if not is_index(place):
                spans.append((place, place))
            elif place in line.stated:
                spans.append(line.stated[place])
            else:
                wide = line.constraints(place)
                kinds += [axis for _, axis in wide]
                if wide or place in line.alone:
                    spans.append(common([span for span, _ in wide] or [line.alone[place]], line, place))
        letters = [(line, line.places[k]) for line in lines if is_index(line.places[k])]
        if not letters or any(line.ranged(place) for line, place in letters):
            low, high = together(sorted(spans, key=lambda span: span[0] == span[1]), lines[0])  # h[2] may lie past the end of 1..T
            used = low.free_symbols | high.free_symbols
            same = next((a for a in kinds if (a.lower.free_symbols | a.upper.free_symbols) & used), None)
            axes.append(known.get((low, high)) or (
                Axis.between(low, high, same.kind, same.name) if same is not None else Axis(str(high), low, high)))
        else:
            return None
    return tuple(axes)


def common(spans: Sequence[Range], line: Slice, letter: sp.Symbol) -> Range:
    """The part that all ranges share. Raises ShapeError where it is not shown which end is the tighter one."""
    low, high = spans[0]
    for first, last in spans[1:]:
        low, high = _end(low, first, True, line, letter), _end(high, last, False, line, letter)
    return low, high


def together(spans: Sequence[Range], line: Slice) -> Range:
    """The range from the first place of any to the last place of any."""
    low, high = spans[0]
    for first, last in spans[1:]:
        low, high = _end(low, first, False, line, None), _end(high, last, True, line, None)
    return low, high


def _end(a: sp.Expr, b: sp.Expr, greater: bool, line: Slice, letter: sp.Symbol | None) -> sp.Expr:
    if at_most(a, b):
        return b if greater else a
    if at_most(b, a):
        return a if greater else b
    if letter is None and b.is_Integer:
        return a
    if letter is None:
        raise ShapeError(f"definition of {line.name}", f"places up to {a} and {b}", "a shape", f"declare the shape of {line.name}")
    raise ShapeError(line.where, f"the index {letter} could end at {a} or {b}", "a range", STATE.format(letter))


def settle_ranges(lines: Sequence[Slice], axes: Sequence[Axis]) -> None:
    """The ranges of all letters, the most specific line first."""
    done: list[Slice] = []
    for line in sorted(lines, key=lambda one: len(one.letters)):
        for place, axis in zip(line.places, axes, strict=True):
            if is_index(place):
                line.spans[place] = line.stated.get(place) or common([axis.range, *[s for s, _ in line.constraints(place)]], line, place)
        for k, place in enumerate(line.places):
            if is_index(place) and place not in line.stated:
                _without(line, k, done)
        done.append(line)


def _without(line: Slice, k: int, others: Sequence[Slice]) -> None:
    """Take off the ends of the range at axis ``k`` what other lines define."""
    changed = True
    while changed:
        changed = False
        for other in others:
            mine, theirs = line.box(), other.box()
            if any(b is None or a is None or (j != k and not inside(a, b)) for j, (a, b) in enumerate(zip(mine, theirs, strict=True))):
                continue
            (low, high), (first, last) = mine[k], theirs[k]  # type: ignore[misc]
            if at_most(first, low) and at_most(low, last) and not at_most(high, last):
                line.spans[line.places[k]], changed = (sp.expand(last + 1), high), True
            elif at_most(high, last) and at_most(first, high) and not at_most(first, low):
                line.spans[line.places[k]], changed = (low, sp.expand(first - 1)), True
