"""Steps with one field changed: ``step.check()`` must see it.

A change counts only where it changes what the step says: JAX says whether the gradient is zero, or symmetric, at a random point.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import sympy as sp

from symnet.core.derivation import Step


def changed(step: Step) -> Iterator[tuple[str, Step]]:
    """(what was done, the changed step), for a step whose gradient is not zero everywhere."""
    line, c = step.definition, step.contributions
    yield "line + 1", replace(step, definition=replace(line, expr=line.expr + 1))
    yield "7 line + 1", replace(step, definition=replace(line, expr=7 * line.expr + 1))
    if line.expr != 0:
        yield "2 line", replace(step, definition=replace(line, expr=2 * line.expr))
        yield "-line", replace(step, definition=replace(line, expr=-line.expr))
        yield "line 0", replace(step, definition=replace(line, expr=sp.S.Zero))
    if step.raw != 0:
        yield "2 raw", replace(step, raw=2 * step.raw)
    for k, one in enumerate(c):
        def put(**fields: object) -> Step:
            return replace(step, contributions=(*c[:k], replace(one, **fields), *c[k + 1:]))  # noqa: B023 - used at once

        if one.upstream != 0 and one.local != 0:
            yield f"local {k} doubled", put(local=2 * one.local)
            yield f"local {k} negated", put(local=-one.local)
            yield f"upstream {k} doubled", put(upstream=2 * one.upstream)
        yield f"local {k} + 1", put(local=one.local + 1)
        if one.sums and not one.conditions:
            yield f"sums {k} dropped", put(sums=one.sums[1:])
    if c:
        yield "contributions dropped", replace(step, contributions=())
        yield "contribution 0 twice", replace(step, contributions=(*c, c[0]))
    if len(c) > 1:
        yield "last contribution dropped", replace(step, contributions=c[:-1])
