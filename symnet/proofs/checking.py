"""Do a claim and a proof belong together? The kernel makes the proof again, and the prover of that name says again what it is a proof of.

A Proved is right when the two agree in everything that a reader sees: the words, the hypotheses, every line with its rule and its note,
and the printed names. So neither can be exchanged for another.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

from symnet.core.claim import Claim, Proved
from symnet.networks.optimizer_program import Optimizer
from symnet.proofs import kernel
from symnet.proofs.scaling import EFFECTS, loss_scaling
from symnet.proofs.variance import variance_of_sum

# name -> (the type of what the claim is about, its prover)
PROVERS: dict[str, tuple[type, Callable[[Any], Any]]] = {
    **{name: (Optimizer, partial(loss_scaling, effect=effect)) for name, effect in EFFECTS.items()},
    "variance": (type(None), lambda _: variance_of_sum()), "variance-relu": (type(None), lambda _: variance_of_sum(relu=True))}


def check_proved(found: Any, more: Mapping[type, Callable[[Any], Any]] = MappingProxyType({})) -> bool:
    """True for a claim with its own proof and nobody else's. ``more`` are provers by the type of what a claim is about."""
    try:
        if type(found) is not Proved or type(found.claim) is not Claim or not kernel.checks(found.proof):
            return False
        if type(found.claim.subject) in more:
            prover = more[type(found.claim.subject)]
        else:
            kind, prover = PROVERS[_text(found.claim.name)]
            if type(found.claim.subject) is not kind:
                return False
        again = prover(found.claim.subject)
        return type(again) is Proved and _seen(again) == _seen(found)
    except Exception:  # whatever a forged object raises, it is no proof
        return False


def _seen(found: Proved) -> tuple[Any, ...]:
    """All that a reader sees, as plain data."""
    claim, proof = found.claim, found.proof
    conditions = tuple(map(_text, claim.conditions)) if type(claim.conditions) is tuple else None
    lines = tuple((kernel.written(line.statements), line.rule, line.uses, _text(line.note), kernel.written(line.under),
                   () if line.rest is None else kernel.written(line.rest))
                  for line in proof.lines)
    hypotheses = frozenset(kernel.written(proof.hypotheses))  # type: ignore[attr-defined]
    if type(found.tensors) is not dict:
        raise TypeError
    names = tuple(sorted((_text(k), _text(t.name), _text(t.latex)) for k, t in found.tensors.items()))
    return _text(claim.name), _text(claim.sentence), conditions, lines, hypotheses, names


def _text(value: Any) -> str:
    if type(value) is not str:
        raise TypeError
    return value
