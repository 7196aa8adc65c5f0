"""Is the answer right under an assumption that nobody declared: rows that add up to 1, one-hot rows, a symmetric matrix?"""

from __future__ import annotations

from collections.abc import Iterator

import sympy as sp

from symnet.checking.slips.proof import proved, proved_one_hot
from symnet.checking.slips.sampled_points import SampledPoints
from symnet.checking.slips.setting import Claim, Setting, array_of, constant_ratio
from symnet.checking.slips.wording import say
from symnet.core.axes import index
from symnet.core.program import Assumption
from symnet.core.tensors import Role, Tensor
from symnet.core.text import text

NEAR = 1e-8
LETTERS = "nijkmpqrst"


def assumed(setting: Setting, natural: bool) -> tuple[str, sp.Expr] | None:
    """(the assumption in words, the sign) under which the answer is proved right, or right up to the sign.

    ``natural`` are those that people take for granted: targets that add up to 1, or are one-hot.
    """
    claim = Claim(setting.value, setting.gradient)
    if len(claim.left.axes) != len(claim.right.axes):
        return None
    for words, facts in _candidates(setting, natural):
        sign = _sign(setting, setting.points(range(100, 102), (*setting.declared, *facts)))
        if sign is not None and proved(setting, claim, sign, (*setting.declared, *facts)):
            return words, sign
    for t in setting.program.inputs:
        if natural and t.axes and _is_target(t):
            sign = _sign(setting, setting.points(range(100, 104), (), t.name))
            if sign is not None and proved_one_hot(setting, claim, sign, t.name):
                return f"{t.name} is one-hot", sign
    return None


def _sign(setting: Setting, sampled: SampledPoints) -> sp.Expr | None:
    ratio = constant_ratio(array_of(sampled, setting.value), sampled.values[setting.truth.name])
    return sp.Integer(round(ratio)) if ratio is not None and abs(abs(ratio) - 1) < NEAR else None


def _is_target(t: Tensor) -> bool:
    return t.role is Role.TARGET or t.name[0] in "yYtTpPqQ"


def _candidates(setting: Setting, natural: bool) -> Iterator[tuple[str, tuple[Assumption, ...]]]:
    taken = {*setting.program.tensors, *map(str, setting.sizes)}
    free = [c for c in LETTERS if c not in taken]
    for t in setting.program.inputs:
        if len(t.axes) > len(free):
            continue
        if not t.axes:
            continue
        letters = [index(c) for c in free[:len(t.axes)]]
        *_, last = t.axes
        rows = sp.Sum(t[tuple(letters)], (letters[-1], *last.range))
        if natural is _is_target(t):
            yield f"{text(rows)} == 1", (Assumption(rows, sp.S.One),)
        if not natural and len(t.axes) == 2 and t.axes[0].range == last.range:
            entry, mirrored = t[tuple(letters)], t[tuple(reversed(letters))]
            yield f"{t.name} is symmetric, {say(setting, entry)} == {say(setting, mirrored)}", (Assumption(entry, mirrored),)
