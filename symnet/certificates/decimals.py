"""Certified decimals: where a worksheet gives every input a value, theorems that bound the objective and each gradient entry there.

Every line has one lemma that encloses its value at the sheet, from those of the lines it uses, by the ``interval`` tactic of Rocq's
Interval library. The enclosures are computed here in interval arithmetic; that they hold is the kernel's to say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

import mpmath

from symnet.certificates.names import safe_name
from symnet.certificates.rocq_terms import text
from symnet.certificates.terms import Term, number
from symnet.core.derivation import Derivation

DIGITS, SIGNIFICANT, BITS = 24, 6, 120
REQUIRED = "From Interval Require Import Tactic."
ENCLOSED: dict[str, Any] = {
    "plus": lambda a, b: a + b, "minus": lambda a, b: a - b, "times": lambda a, b: a * b, "divide": lambda a, b: a / b,
    "negative": lambda a: -a, "inverse": lambda a: 1 / a, "exp": mpmath.iv.exp, "ln": mpmath.iv.log, "sqrt": mpmath.iv.sqrt,
    "sin": mpmath.iv.sin, "cos": mpmath.iv.cos, "sinh": lambda z: (mpmath.iv.exp(z) - mpmath.iv.exp(-z)) / 2,
    "cosh": lambda z: (mpmath.iv.exp(z) + mpmath.iv.exp(-z)) / 2, "sigmoid": lambda z: 1 / (1 + mpmath.iv.exp(-z)),
    "tanh": lambda z: 1 - 2 / (1 + mpmath.iv.exp(2 * z)), "softplus": lambda z: mpmath.iv.log(1 + mpmath.iv.exp(z))}
OPENED = ("softplus", "sigmoid", "tanh", "sinh", "cosh")  # which the tactic reads as exponentials


def has_decimals(scalars: Derivation, lines: Mapping[str, Term]) -> bool:
    """True where every input has a rational value and every line is made of what ``interval`` encloses."""
    known = {*ENCLOSED, "number", "entry", "power", "pi"}
    return all(t.name in scalars.values for t in scalars.program.inputs) and all(
        t.head in known for line in lines.values() for t in line.walk())


def enclosures(scalars: Derivation, lines: Mapping[str, Term]) -> dict[str, tuple[Fraction, Fraction]]:
    """Decimals of DIGITS digits below and above each line's value, from those of the lines before it."""
    found = {t.name: (_exact(scalars.values[t.name]),) * 2 for t in scalars.program.inputs}
    before = mpmath.iv.prec
    mpmath.iv.prec = 2 * BITS
    try:
        for name, line in lines.items():
            value = _enclosed(line, found)
            scale = 10**DIGITS
            with mpmath.workprec(4 * BITS):
                low, high = (Fraction(int(mpmath.floor(mpmath.mpf(end) * scale))) for end in (value.a, value.b))
            found[name] = ((low - 2) / scale, (high + 3) / scale)
    finally:
        mpmath.iv.prec = before
    return {name: found[name] for name in lines}


def _exact(value: Any) -> Fraction:
    return Fraction(int(value.p), int(value.q))


def _interval(low: Fraction, high: Fraction) -> Any:
    ends = [mpmath.iv.mpf(f.numerator) / f.denominator for f in (low, high)]
    return mpmath.iv.mpf([ends[0].a, ends[1].b])


def _enclosed(term: Term, found: Mapping[str, tuple[Fraction, Fraction]]) -> Any:
    if term.head == "number":
        return _interval(term.value, term.value)
    if term.head == "entry":
        return _interval(*found[term.name])
    if term.head == "pi":
        return mpmath.iv.pi
    parts = [_enclosed(p, found) for p in term.parts]
    return parts[0] ** int(term.value) if term.head == "power" else ENCLOSED[term.head](*parts)


def decimal(low: Fraction, high: Fraction) -> tuple[Fraction, Fraction]:
    """The value between the ends to SIGNIFICANT digits, and how far it may be off."""
    middle = (low + high) / 2
    if low <= 0 <= high:
        return Fraction(0), Fraction(1, 10**SIGNIFICANT)
    scale, size = Fraction(10) ** (SIGNIFICANT - 1), abs(middle)
    while size >= 10:
        size, scale = size / 10, scale / 10
    while size < 1:
        size, scale = size * 10, scale * 10
    return Fraction(round(middle * scale)) / scale, Fraction(11, 20) / scale  # a little more than half of the last digit


def sheet_point(scalars: Derivation, whole: Derivation) -> str:
    """The point of the worksheet's values."""
    parts = []
    for t in whole.program.inputs:
        made = f"(fun {' '.join('_' * len(t.axes))} => 0)" if t.axes else text(number(_exact(scalars.values[t.name])), str, 9)
        for s in scalars.program.inputs:
            if s.parent == t.name:
                value = text(number(_exact(scalars.values[s.name])), str, 9)
                made = f"(at{len(t.axes)} {made} {' '.join(map(str, s.place))} {value})"
        parts.append(made)
    return f"Definition sheet : point := Point {' '.join(parts)}."


def decimals(scalars: Derivation, whole: Derivation, lines: Mapping[str, Term], at: Any) -> Iterator[str]:
    """The part of the file; ``at`` writes an entry at a point."""
    bounds = enclosures(scalars, lines)
    yield f"\n(* The values of the worksheet. *)\n{REQUIRED}\n{sheet_point(scalars, whole)}"
    inputs = {t.name for t in scalars.program.inputs}
    for name, line in lines.items():
        low, high = (_fraction(f) for f in bounds[name])
        here, used = at("sheet", name), sorted(line.entries)
        opened = [o for o in OPENED if any(t.head == o for t in line.walk())]
        opened += ["sinh", "cosh"] if "tanh" in opened else []
        steps = [f"unfold {', '.join([safe_name(name), *dict.fromkeys(opened)])}."]
        for n in used:
            if n in inputs:
                steps.append(f"change ({at('sheet', n)}) with {text(number(_exact(scalars.values[n])), str, 9)}.")
        for k, n in enumerate(n for n in used if n not in inputs):
            steps.append(f"generalize bound_{safe_name(n)}. generalize ({at('sheet', n)}). intros x{k} B{k}.")
        yield (f"Lemma bound_{safe_name(name)} : {low} <= {here} <= {high}.\n"
               f"Proof. {' '.join(steps)} interval with (i_prec {BITS}). Qed.")
    for name in (scalars.objective, *[scalars.names[w] for w in scalars.wrt]):
        value, off = decimal(*bounds[name])
        here = at("sheet", name)
        yield (f"Theorem value_{safe_name(name)} : Rabs ({here} - {_fraction(value)}) <= {_fraction(off)}.\n"
               f"Proof. apply Rabs_le. pose proof bound_{safe_name(name)}. lra. Qed.")


def _fraction(value: Fraction) -> str:
    return text(number(value), str, 9)
