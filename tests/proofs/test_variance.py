"""How a sum of products spreads: the proof checks, its hypotheses are the ones told, and exact distributions agree with it."""

from __future__ import annotations

import itertools

import pytest
import sympy as sp

import symnet as sn
from symnet.core.claim import Proved, Statement
from symnet.core.latex import latex
from symnet.proofs.variance import SUM, K, S, variance_of_sum
from symnet.reports.mathml import to_mathml
from symnet.theorems.library import WITH_PROVERS
from symnet.theorems.proving import prove

SIDES = pytest.mark.parametrize("relu", [False, True], ids=["linear", "relu"])
Law = list[tuple[sp.Rational, sp.Rational]]  # values and probabilities


def law(*pairs: tuple[str, str]) -> Law:
    return [(sp.Rational(v), sp.Rational(p)) for v, p in pairs]


def mean(outcomes: Law) -> sp.Rational:
    return sum((v * p for v, p in outcomes), sp.S.Zero)


def variance(outcomes: Law) -> sp.Rational:
    return mean([(v**2, p) for v, p in outcomes]) - mean(outcomes) ** 2


def weighted_sum(weights: Law, inputs: Law, n: int) -> Law:
    """Σ w_i x_i with all 2n variables independent: every outcome with its probability, exactly."""
    total = law(("0", "1"))
    for _ in range(n):
        total = [(z + w * x, p * q * r) for (z, p), (w, q), (x, r) in itertools.product(total, weights, inputs)]
        merged: dict[sp.Rational, sp.Rational] = {}
        for value, p in total:
            merged[value] = merged.get(value, sp.S.Zero) + p
        total = list(merged.items())
    return total


WEIGHTS = {"coin": law(("-1", "1/2"), ("1", "1/2")), "skew": law(("-1", "2/3"), ("2", "1/3")), "three": law(("-3/2", "1/4"), ("0", "1/4"), ("3/4", "1/2"))}
SYMMETRIC = {"coin": WEIGHTS["coin"], "wide": law(("-3", "1/8"), ("-1/2", "3/8"), ("1/2", "3/8"), ("3", "1/8")), "with 0": law(("-2", "1/3"), ("0", "1/3"), ("2", "1/3"))}


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("inputs", WEIGHTS.values(), ids=WEIGHTS)
@pytest.mark.parametrize("weights", WEIGHTS.values(), ids=WEIGHTS)
def test_exact_distributions_have_the_variance_that_is_proved(weights: Law, inputs: Law, n: int) -> None:
    wanted = variance_of_sum().proof.statements[0].right.subs({K: n, S["var_w"]: variance(weights), S["var_x"]: variance(inputs)})
    assert variance(weighted_sum(weights, inputs, n)) == wanted


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("given", SYMMETRIC.values(), ids=SYMMETRIC)
def test_exact_distributions_behind_a_relu_too(given: Law, n: int) -> None:
    inputs = [(max(u, sp.S.Zero), p) for u, p in given]
    weights = WEIGHTS["skew"]
    wanted = variance_of_sum(relu=True).proof.statements[0].right.subs({K: n, S["var_w"]: variance(weights), S["var_z"]: variance(given)})
    assert variance(weighted_sum(weights, inputs, n)) == wanted


def test_without_mean_0_or_symmetry_it_fails_so_the_conditions_are_needed() -> None:
    shifted = law(("0", "1/2"), ("2", "1/2"))
    assert variance(weighted_sum(shifted, WEIGHTS["coin"], 2)) != 2 * variance(shifted) * variance(WEIGHTS["coin"])
    assert variance(weighted_sum(WEIGHTS["coin"], shifted, 2)) != 2 * variance(WEIGHTS["coin"]) * variance(shifted)
    skew = WEIGHTS["skew"]
    behind = [(max(u, sp.S.Zero), p) for u, p in skew]
    assert variance(weighted_sum(WEIGHTS["coin"], behind, 2)) != variance(WEIGHTS["coin"]) * variance(skew)


@SIDES
def test_the_proof_checks_and_says_what_it_rests_on(relu: bool) -> None:
    found = variance_of_sum(relu)
    assert isinstance(found, Proved) and found.check() and str(found).startswith("proved: ")
    said = {str(h) for h in found.proof.hypotheses}
    assert {"V[0] = 0", "mean_w = 0", "mean_wx = mean_w*mean_x", "square_wx = square_w*square_x", "V[k + 1] = var_wx + V[k] for all k"} <= said
    assert ("mean_x = 0" in said) is not relu and ("left_z = square_x" in said) is relu
    assert not any(h.left == SUM[K] for h in found.proof.hypotheses)  # the induction hypothesis is gone
    assert any("mean 0" in c for c in found.claim.conditions) and any("symmetric" in c for c in found.claim.conditions) is relu


@SIDES
def test_a_proof_changed_anywhere_does_not_check(relu: bool) -> None:
    for at in range(2):
        found = variance_of_sum(relu)
        object.__setattr__(found.proof.premises[at], "statements", (Statement(sp.S.One, sp.S.Zero),))
        assert not found.check()


@SIDES
def test_every_line_prints_and_every_hypothesis_says_why(relu: bool) -> None:
    found = variance_of_sum(relu)
    for line in found.proof.lines:
        assert line.rule != "given" or line.note
        for e in line.statements:
            assert to_mathml(latex(e.left, found.tensors)) and to_mathml(latex(e.right, found.tensors))
    assert {s for e in found.proof.hypotheses for side in (e.left, e.right) for s in map(str, side.atoms(sp.Symbol))} <= {*S, "V", "k"}


def test_the_claims_have_names() -> None:
    assert {"variance", "variance-relu"} <= set(WITH_PROVERS)
    assert sn.prove("variance").claim.name == "variance" and prove("variance-relu").proof.statements == variance_of_sum(True).proof.statements
