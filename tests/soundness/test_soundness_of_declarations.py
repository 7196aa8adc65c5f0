"""Declared domains and structures: no answer that is right at every point that obeys is refuted, none that is wrong at one is proved.

The gradient of a*f(x, y) in a is f, that of sum(C*f(S)) in C is f(S). Witnesses obey; conditions say nothing that the domains give.
"""

from __future__ import annotations

import re
from collections import Counter
from fractions import Fraction
from itertools import product
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy as sp
from soundness import declared

import symnet as sn
from symnet.checking.answers import check_answer
from symnet.core.axes import Axis
from symnet.core.tensors import Tensor
from symnet.core.verdict import Answer, Verdict
from symnet.errors import SymnetError

COUNT, MATRICES = 120, 40


def _judged(domains: dict[str, str], truth: str, answer: str) -> Verdict | None:
    tensors = {"a": (), **{name: Tensor(name, (), domain) for name, domain in domains.items()}}
    try:
        return check_answer(answer, sn.derive(sn.program(f"L = a*({truth})", tensors=tensors), wrt=["a"]), "a")
    except SymnetError:
        return None  # a formula without any value is refused


def _holds(condition: str, point: dict[str, Fraction]) -> bool:
    parts = [p.partition(s) for p in condition.split(" and ") for s in (" != ", " >= ", " > ") if s in p]
    signs = {" != ": sp.Ne, " > ": sp.Gt, " >= ": sp.Ge}
    there = {name: sp.Rational(v.numerator, v.denominator) for name, v in point.items()}
    found = [signs[s](sp.sympify(u, locals={n: sp.Symbol(n) for n in point}).subs(there), 0) for u, s, _ in parts]
    return all(bool(f) for f in found)


def wrong(domains: dict[str, str], truth: str, answer: str, verdict: Verdict) -> str:
    """Why the verdict is wrong, or ""."""
    if verdict.answer is Answer.UNDECIDED:
        return ""
    if verdict.answer is Answer.REFUTED:
        assert verdict.witness is not None
        at = {name: Fraction(v) for name, v in verdict.witness.point}
        if not all(declared.DOMAINS[domains[name]](v) for name, v in at.items() if name in domains):
            return f"the witness does not obey: {verdict}"
        for rest in product(*[declared.members(domains[n]) for n in "xy" if n not in at]):
            whole = {**at, **dict(zip([n for n in "xy" if n not in at], rest, strict=True))}
            right, mine = declared.value(truth, whole), declared.value(answer, whole)
            if right is not None and (mine is None or abs(mine - right) > mpmath.mpf(10) ** -12):
                return ""
        return f"no difference at the witness: {verdict}"
    condition = verdict.condition
    if verdict.answer is Answer.ALMOST_EVERYWHERE:
        condition = " and ".join(e.removesuffix(" = 0") + " != 0" for e in condition.removeprefix("except where ").split(" or "))
    points = [dict(zip("xy", p, strict=True)) for p in product(*[declared.members(domains[n]) for n in "xy"])]
    for point in points:
        right = declared.value(truth, point)
        if right is None:
            continue
        if condition and not _holds(condition, point):
            continue
        mine = declared.value(answer, point)
        if mine is None or abs(mine - right) > mpmath.mpf(10) ** -12:
            return f"{verdict}, but at {point} it is {mine}, right is {right}"
    given = condition and all(_holds(condition, point) for point in points)
    return f"its condition is what the domain gives: {verdict}" if given else ""


def test_no_wrong_verdict_under_declared_domains() -> None:
    kinds, faults = Counter[str](), list[str]()
    with mpmath.workdps(40):
        for domains, truth, answer in declared.questions(COUNT, seed=11):
            verdict = _judged(domains, truth, answer)
            if verdict is not None:
                kinds[verdict.answer.value] += 1
                fault = wrong(domains, truth, answer, verdict)
                faults += [f"{domains} {truth} =? {answer}: {fault}"] * bool(fault)
    assert not faults, "\n".join(faults)
    assert kinds["proved"] > COUNT // 8 and kinds["refuted"] > COUNT // 8 and kinds["undecided"] < COUNT // 6, kinds


def _matrix_verdict(structure: str, truth: str, answer: str) -> Verdict | None:
    axes = (Axis.of("n"), Axis.of("k" if structure == "one-hot" else "n"))
    tensors = {"S": Tensor("S", axes, structure=structure), "C": Tensor("C", axes)}
    try:
        return check_answer(answer, sn.derive(sn.program(f"L = sum(C*({truth}))", tensors=tensors), wrt=["C"]), "C")
    except SymnetError:
        return None


def wrong_of_matrices(structure: str, truth: str, answer: str, verdict: Verdict) -> str:
    """Why the verdict is wrong, or ""."""
    dice = np.random.default_rng(3)
    drawn = [declared.obeying(structure, n, dice) for n in (1, 2, 3, 4) for _ in range(6)]
    pairs = [(declared.matrix(truth, s), declared.matrix(answer, s)) for s in drawn]
    equal = all(a is None or (b is not None and np.allclose(a, b, rtol=1e-6, atol=1e-7)) for a, b in pairs)
    if verdict.answer in (Answer.PROVED, Answer.ALMOST_EVERYWHERE):
        return "" if equal else f"not equal: {verdict}"
    if verdict.answer is Answer.REFUTED:
        return "equal at every matrix that was drawn" if equal else _disobeys(structure, verdict)
    return ""


def _disobeys(structure: str, verdict: Verdict) -> str:
    assert verdict.witness is not None
    given = {tuple(map(int, m.groups())): Fraction(v) for name, v in verdict.witness.point if (m := re.fullmatch(r"S_(\d+)_(\d+)", name))}
    if structure == "one-hot":
        rows: dict[Any, list[Fraction]] = {}
        for (i, _), v in given.items():
            rows.setdefault(i, []).append(v)
        bad = any(set(r) - {0, 1} or sum(r) > 1 for r in rows.values())
    elif structure == "diagonal":
        bad = any(v for (i, j), v in given.items() if i != j)
    else:
        bad = structure != "orthogonal" and any(given.get((j, i), v) != v for (i, j), v in given.items())
    stated = re.search(r"n = (\d+)", verdict.scope)
    size = int(stated[1]) if stated else 0
    if structure in ("orthogonal", "positive definite") and len(given) == size**2:
        whole = np.array([[float(given[i, j]) for j in range(1, size + 1)] for i in range(1, size + 1)])
        bad = bad or (not np.allclose(whole @ whole.T, np.eye(size)) if structure == "orthogonal" else np.linalg.eigvalsh(whole).min() <= 0)
    return f"the witness does not obey: {verdict}" if bad else ""


def test_no_wrong_verdict_under_declared_structures() -> None:
    kinds, faults = Counter[str](), list[str]()
    for structure, truth, answer in declared.matrix_questions(MATRICES, seed=4):
        verdict = _matrix_verdict(structure, truth, answer)
        if verdict is not None:
            kinds[verdict.answer.value] += 1
            fault = wrong_of_matrices(structure, truth, answer, verdict)
            faults += [f"{structure}: {truth} =? {answer}: {fault}"] * bool(fault)
    assert not faults, "\n".join(faults)
    assert kinds["proved"] > MATRICES // 10 and kinds["refuted"] > MATRICES // 4, kinds


@pytest.mark.parametrize("domain", declared.DOMAINS)
def test_the_oracle_and_the_sets_agree(domain: str) -> None:
    numbers = Tensor("x", (), domain).numbers
    for v in declared.GRID:
        q = sp.Rational(v.numerator, v.denominator)
        assert (q in numbers) == declared.DOMAINS[domain](v)
        assert declared.DOMAINS[domain](Fraction(int(numbers.suited(q).p), int(numbers.suited(q).q)))
