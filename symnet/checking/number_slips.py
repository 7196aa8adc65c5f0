"""A wrong number of a page: the usual slips of a calculation tried one at a time on the link before it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import sympy as sp

from symnet.checking.carried import ByHand, Own
from symnet.checking.chains import NUMBER
from symnet.checking.names import Names
from symnet.checking.slips import cut_off, digits, explain, factors, other_argument, places, rounds_to, sum_slips
from symnet.core.numbers import fixed, rational
from symnet.errors import SymnetError

if TYPE_CHECKING:
    from symnet.checking.links import Before

KINDS = {"cut off": "cut off", "left out": "missing factor", "sign": "sign", "twice": "doubled factor", "put in again": "wrong factor",
         "decimal point": "decimal point", "exchanged": "digits exchanged", "input here": "wrong argument"}
MOST_FACTORS = 12


def number_slip(names: Names, own: Own, printed: str, value: sp.Expr, before: Before, found: ByHand | None) -> dict[str, Any]:
    """The sentence and the kind of the slip that gives exactly what was printed; empty when none does."""
    try:
        sentence = next(iter(_sentences(names, own, printed, value, before, found)), "")
    except SymnetError:
        sentence = ""
    return {"slip": sentence, "kind": next((kind for word, kind in KINDS.items() if word in sentence), "")} if sentence else {}


def _sentences(names: Names, own: Own, printed: str, value: sp.Expr, before: Before, found: ByHand | None) -> Iterator[str]:
    by_hand = own.value(found) if found is not None else None
    telling = digits(printed) > 1  # one digit is soon hit by chance
    if by_hand is not None:
        if cut_off(by_hand, printed):
            yield "the digits were cut off, not rounded"
        yield from filter(None, [explain(printed, by_hand, _parts(own, before, found) if telling else [])])
    if cut_off(value, printed):
        yield "the digits were cut off, not rounded"
    if by_hand is not None and telling:
        yield from (s for s, candidate in sum_slips(_terms(own, before)) if rounds_to(candidate, printed))
    if before.text:
        yield from filter(None, [_argument(own, before, printed)])
    for number in (by_hand, value):
        if number is not None:
            yield from _misprints(number, printed)


def _parts(own: Own, before: Before, found: ByHand | None) -> list[tuple[str, sp.Expr]]:
    """The factors of the link before, each as the page calls it and with the page's number."""
    if not before.text or before.expr is None:
        return []
    texts = [] if before.latex else factors(before.text)
    if len(texts) > 1:
        used = own.unfold(before.symbolic_expr).used if before.symbolic_expr is not None else {}
        return [(_label(own, t, used), _number(own, t)) for t in texts[:MOST_FACTORS]]
    args = sp.Mul.make_args(before.expr)
    values = [(str(a), own.value(own.unfold(a))) for a in args[:MOST_FACTORS]]
    return [(n, v) for n, v in values if v is not None] if len(args) > 1 and all(v is not None for _, v in values) else []


def _number(own: Own, text: str) -> sp.Expr:
    made = own.value(own.unfold(own.names.read(text)))
    return sp.S.One if made is None else made


def _label(own: Own, part: str, used: dict[sp.Basic, Any]) -> str:
    """A factor as the page calls it: "0.246 (da2/dz2)" for a number that the page gave that name."""
    if not NUMBER.match(part):
        return part
    near = [s for s in used.values() if s.value == rational(part)] or [s for s in own.said.values() if s.value == rational(part)]
    return f"{part} ({near[-1].name})" if near else part


def _terms(own: Own, before: Before) -> list[tuple[str, sp.Expr]]:
    """The terms of the link before, or of the formula before that, with the page's numbers."""
    source = before.symbolic_expr if before.symbolic_expr is not None else before.expr
    args = sp.Add.make_args(source) if source is not None else ()
    values = [(str(a), own.value(own.unfold(a))) for a in args[:MOST_FACTORS]]
    return [(n, v) for n, v in values if v is not None] if len(args) > 1 and all(v is not None for _, v in values) else []


def _argument(own: Own, before: Before, printed: str) -> str:
    inner = re.match(r"\s*[a-z]+\((.*)\)\s*\Z", before.text)
    if not inner or before.latex:
        return ""
    return other_argument(before.text, printed, _number(own, inner[1]))


def _misprints(value: sp.Expr, printed: str) -> Iterator[str]:
    """The sign, the decimal point, two digits exchanged."""
    number = rational(printed)
    if number == 0:
        return
    if rounds_to(-value, printed):
        yield "the sign is wrong"
    for shift in (10, 100, sp.Rational(1, 10), sp.Rational(1, 100)):
        moved = value * shift
        if len(printed.strip("-0.").replace(".", "")) > 1 and rounds_to(moved, printed):
            yield "the decimal point is misplaced"
    right = fixed(value, places(printed)).text
    if sorted(right) == sorted(printed) and sum(a != b for a, b in zip(right, printed, strict=True)) == 2:
        yield f"two digits are exchanged: {right}"
