"""A softmax under a bracket is computed whole: what the mask forbids counts as -∞, and large scores do not overflow."""

from __future__ import annotations

import numpy as np
import pytest
import sympy as sp

from symnet.arrays.lowering import lower_definition
from symnet.arrays.tree import LogSum, Masked, Softmax
from symnet.backends.source import forward_source
from symnet.core.axes import Axis, index
from symnet.core.expressions import When
from symnet.core.program import Definition, Program
from symnet.core.tensors import Tensor

T = Axis.of("T")
t, s, r = index("t"), index("s"), index("r")
u, p = Tensor("u", (T, T)), Tensor("p", (T, T))


def raised(key: sp.Symbol) -> sp.Expr:
    return When(sp.exp(u[t, key]), sp.Le(key, t))


SHARE = Definition(p, (t, s), raised(s) / sp.Sum(raised(r), (r, *T.range)))
LOG = Definition(Tensor("q", (T,)), (t,), sp.log(sp.Sum(raised(r), (r, *T.range))))


def test_both_are_one_node() -> None:
    share, log = lower_definition(SHARE), lower_definition(LOG)
    assert isinstance(share, Softmax) and isinstance(log, LogSum)
    assert isinstance(share.body, Masked) and share.body.outside == sp.S.NegativeInfinity


def test_other_brackets_are_no_softmax() -> None:
    different = Definition(p, (t, s), raised(s) / sp.Sum(sp.exp(u[t, r]), (r, *T.range)))
    assert not isinstance(lower_definition(different), Softmax)


@pytest.mark.parametrize("line", [SHARE, LOG], ids=["softmax", "log of the sum"])
def test_values_with_large_scores(line: Definition) -> None:
    space: dict[str, object] = {}
    exec(forward_source(Program((u,), (line,)), line.name), space)
    scores = 1000 * np.random.default_rng(0).normal(size=(4, 4))
    scores[0, 3] = 1e5  # forbidden, and larger than all others
    with np.errstate(over="raise", invalid="raise"):
        found = space["forward"](u=scores)  # type: ignore[operator]
    seen = np.where(np.tri(4) > 0, scores, -np.inf)
    top = seen.max(axis=1, keepdims=True)
    total = np.exp(seen - top).sum(axis=1, keepdims=True)
    wanted = np.exp(seen - top) / total if line is SHARE else (np.log(total) + top)[:, 0]
    np.testing.assert_allclose(found, wanted, rtol=1e-12)
