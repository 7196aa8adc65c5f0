"""A claim that no proof covers for all sizes is tried at large ones too: 2x + relu(N - 100) is 2x at every small N.

The program is computed array by array at one point of random numbers, in balls; only a certain difference is told.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from typing import Any

import sympy as sp

from symnet.calculus.evaluate import evaluate
from symnet.checking.domains import MANY
from symnet.core.numbers import as_ball
from symnet.core.program import Program
from symnet.core.tensors import Tensor
from symnet.core.verdict import Answer, Verdict, Witness
from symnet.equality.domain_conditions import surely_defined
from symnet.errors import SymnetError

LARGE, EQUAL, OTHERS = 127, 7, (2, 3, 5, 4, 6, 8, 9, 10)
MOST_ENTRIES, MOST_WORK, BITS, DIGITS = 5_000, 100_000, 128, 10


def choices(program: Program) -> Iterator[dict[str, int]]:
    """All sizes the same; then each of them large beside small ones."""
    names = [str(s) for s in program.sizes]
    if len(names) > 1:
        yield dict.fromkeys(names, EQUAL)
    for one in names:
        rest = iter(OTHERS * len(names))
        yield {name: LARGE if name == one else next(rest) for name in names}


def different(program: Program, claimed: Tensor, wanted: Tensor) -> Verdict | None:
    """REFUTED at an entry where the two tensors certainly differ; None where no difference was met.

    Left out: programs with parts that have no value everywhere, with assumptions or with matrices of a structure, for which a point of
    random numbers may be none.
    """
    if any(t.structure for t in program.inputs):
        return None
    if program.assumptions or any(not surely_defined(u, sign) for d in program.definitions for u, sign, _ in d.holes):
        return None
    counted = {s for t in program.inputs if t.classes is not None for s in t.classes.free_symbols}
    if not counted <= set(program.sizes):  # no size tells how many classes there are
        return None
    for sizes in choices(program):
        try:
            verdict = _at(program, claimed, wanted, sizes)
        except SymnetError:  # sizes that do not fit, or a point outside a domain
            continue
        if verdict is not None:
            return verdict
    return None


def _at(program: Program, claimed: Tensor, wanted: Tensor, sizes: Mapping[str, int]) -> Verdict | None:
    env = {s: sp.Integer(sizes[str(s)]) for s in program.sizes}
    if sum(int(sp.Mul(*[n.xreplace(env) for n in t.shape])) for t in program.tensors.values()) > MOST_ENTRIES:
        return None
    rng = random.Random(0)
    values = evaluate(program, {t.name: _numbers(t, [int(n.xreplace(env)) for n in t.shape], env, rng) for t in program.inputs}, sizes)
    if values.plan.work() > MOST_WORK:
        return None
    numbers = values.numbers(BITS)
    ours, theirs = numbers.table(claimed.name), numbers.table(wanted.name)
    for place, found in ours.items():
        apart = as_ball(found - theirs[place])
        if apart.is_finite() and not apart.contains(0):
            left, right = (values.shown(values.entries.title(name, place), DIGITS).text for name in (claimed.name, wanted.name))
            where = f"entry ({', '.join(map(str, place))})" if place else ""
            scope = "at sizes " + ", ".join(f"{k} = {v}" for k, v in sizes.items())
            return Verdict(Answer.REFUTED, "ball enclosure", where, Witness((), left, right), "at a point of random numbers", scope)
    return None


def _numbers(tensor: Tensor, shape: list[int], env: Mapping[sp.Basic, sp.Expr], rng: random.Random) -> Any:
    """Nested lists of numbers in the tensor's domain, small enough that no exponential is extreme."""
    if shape:
        return [_numbers(tensor, shape[1:], env, rng) for _ in range(shape[0])]
    if tensor.domain == "index":
        return rng.randrange(MANY if tensor.classes is None else int(tensor.classes.xreplace(dict(env))))
    value = sp.Rational(rng.randint(1, 9973), 8192)
    return tensor.numbers.suited(value if rng.random() < 0.6 else -value)
