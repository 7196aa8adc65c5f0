"""What went wrong in a hand-derived gradient: usual slips are tried one at a time, and a slip is named only when undoing it
gives the right answer, by proof.

For programs of numbers. The truth and the answer are closed forms in the inputs; each candidate is compared by normal form.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

import sympy as sp

from symnet.calculus.closed import closed_form, closed_scalars
from symnet.core.derivation import Derivation
from symnet.core.functions import TABLE
from symnet.core.tensors import Tensor
from symnet.core.text import text
from symnet.equality.compare import prove_equal, refute
from symnet.errors import SymnetError

MOST = 400  # candidates tried; each is first compared at a point, so most cost little
CONSTANTS = {sp.Integer(-1): "the sign", sp.Integer(2): "a factor 2", sp.Rational(1, 2): "a factor 1/2", sp.Integer(3): "a factor 3",
             sp.Integer(4): "a factor 4", sp.log(2): "a factor ln 2"}


@dataclass(frozen=True, slots=True)
class Mistake:
    """``kind`` is stable and for programs, ``message`` for people, ``undo`` the answer with the slip undone."""

    kind: str
    message: str
    undo: str


Closed = Mapping[sp.Basic, sp.Expr]  # each scalar of the forward and backward pass, written in the inputs
Candidate = tuple[str, str, sp.Expr]  # kind, message, the answer with the slip undone


def diagnose(answer: sp.Expr, derivation: Derivation, wrt: str) -> Mistake | None:
    """The slip in ``answer``, written in the names of the program, or None when no single one explains it.

    >>> import symnet as sn
    >>> d = sn.derive(sn.program("z = w*x", "L = (z - y)**2"), wrt=["w"])
    >>> x, y, w = (d.program[n][()] for n in "xyw")
    >>> diagnose(2 * (w * x - y), d, "w").message
    'the factor dz/dw = x is missing'
    """
    there = closed_scalars(derivation.full)
    truth = closed_form(derivation, wrt)
    for kind, message, undone in islice(_candidates(answer, truth, derivation, wrt, there), MOST):
        try:
            if refute(undone, truth, 4) is None and prove_equal(undone, truth).holds:
                return Mistake(kind, message, text(undone))
        except SymnetError:
            continue
    return None


def _candidates(named: sp.Expr, truth: sp.Expr, derivation: Derivation, wrt: str, there: Closed) -> Iterator[Candidate]:
    """Every single slip, undone, the likeliest first."""
    answer = named.xreplace(there)
    for value, name in CONSTANTS.items():
        if value == -1:
            yield "sign", "the sign is wrong", -answer
        else:
            yield "constant", f"{name} is missing", answer * value
            yield "constant", f"{name} is too much", answer / value
    factors = list(_factors(derivation, there))
    for kind, name, value in factors:
        yield f"missing {kind}", f"the factor {name} is missing", answer * value
    for kind, name, value in factors:
        yield f"doubled {kind}", f"the factor {name} was taken twice", answer / value
    yield from _other_gradient(answer, truth, derivation, wrt, there)
    yield from _wrong_place(answer, derivation, there)
    yield from _swapped(named, derivation, there)
    yield from _terms(answer, truth)
    for kind, name, value in factors:
        yield f"missing {kind}, sign", f"the factor {name} is missing and the sign is wrong", -answer * value
        for k in (sp.Integer(2), sp.Rational(1, 2)):
            yield f"missing {kind}, constant", f"the factor {name} and a factor {k} are missing", answer * value * k


def _factors(derivation: Derivation, there: Closed) -> Iterator[tuple[str, str, sp.Expr]]:
    """The links of the chain, then every value of the forward and backward pass."""
    seen: set[sp.Expr] = set()
    for step in derivation.steps:
        for c in step.contributions:
            if c.upstream == 1:
                name = f"d{derivation.objective}/d{step.of.name}"
            else:
                name = f"d{c.through.name}/d{step.of.name}"
            value = c.local.xreplace(there)
            if value not in seen and not value.is_number:
                seen.add(value)
                yield "chain factor", f"{name} = {text(c.local)}", value
    for name, value in ((str(k), v) for k, v in there.items()):
        if value not in seen and not value.is_number and name != derivation.objective:
            seen.add(value)
            yield "value", name, value
    for t in derivation.program.inputs:
        if t[()] not in seen:
            yield "value", t.name, t[()]


def _other_gradient(answer: sp.Expr, truth: sp.Expr, derivation: Derivation, wrt: str, there: Closed) -> Iterator[Candidate]:
    """The answer is another line of the derivation: undoing it means going on from there."""
    for step in derivation.steps:
        value = there.get(step.target[()]) if step.live else None
        if value is not None and step.of.name != wrt:
            name = step.of.name
            yield "another gradient", f"this is d{derivation.objective}/d{name}, not yet d{derivation.objective}/d{wrt}", \
                answer - value + truth


def _wrong_place(answer: sp.Expr, derivation: Derivation, there: Closed) -> Iterator[Candidate]:
    """An activation's slope taken at its output instead of its input: σ'(a) for σ'(z)."""
    for d in derivation.program.definitions:
        row = TABLE.get(d.expr.func)
        if row is None or len(d.expr.args) != 1:
            continue
        right = row.derivative[0](d.expr.args[0], d.entry).xreplace(there)
        inside = d.entry.xreplace(there)
        wrong = row.derivative[0](inside, row.function(inside))
        argument = text(d.expr.args[0])
        yield "slope at the output", f"the slope of {row.name} was taken at {d.name} instead of {argument}", answer / wrong * right


def _swapped(named: sp.Expr, derivation: Derivation, there: Closed) -> Iterator[Candidate]:
    """One name written for another, in one factor or throughout; or two names exchanged."""
    tensors: list[Tensor] = list(derivation.program.tensors.values())
    used = [t for t in tensors if t[()] in named.free_symbols]
    for wrong in used:
        for right in tensors:
            if right.name != wrong.name:
                message = f"{wrong.name} stands where {right.name} belongs"
                yield "wrong variable", message, named.xreplace({wrong[()]: right[()]}).xreplace(there)
                if wrong[()] in sp.Mul.make_args(named):
                    yield "wrong variable", message, (named / wrong[()] * right[()]).xreplace(there)
    for k, a in enumerate(used):
        for b in used[k + 1:]:
            swapped = named.xreplace({a[()]: b[()], b[()]: a[()]})
            yield "swapped variables", f"{a.name} and {b.name} are exchanged", swapped.xreplace(there)


def _terms(answer: sp.Expr, truth: sp.Expr) -> Iterator[Candidate]:
    """A term of a sum left out, or with the wrong sign."""
    terms = sp.Add.make_args(sp.expand(truth))
    if 1 < len(terms) <= 8:
        for term in terms:
            yield "dropped term", f"the term {text(term)} is missing", answer + term
            yield "sign of a term", f"the term {text(term)} has the wrong sign", answer + 2 * term


