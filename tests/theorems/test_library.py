"""Every theorem of the library is proved and its proof checks; every false neighbour is refuted by a point that is one."""

from __future__ import annotations

import random
import re
from dataclasses import replace

import pytest
import sympy as sp

import symnet as sn
from symnet.core.claim import Claim, ClaimText, Proved, Refutation
from symnet.core.numbers import rational
from symnet.equality.points import suited
from symnet.parsing.claims import read_claim
from symnet.proofs.conjectures import conjecture
from symnet.proofs.counterexamples import certain, refuted, sign_at
from symnet.theorems.library import WITH_PROVERS, library
from symnet.theorems.proving import prove_text

NAMES = sorted(library())
FALSE = [(name, k) for name in NAMES for k in range(len(library()[name].false))]


def test_there_are_enough_of_them_and_each_is_told_apart() -> None:
    titles = [t.title for t in library().values()]
    assert len(NAMES) + len(WITH_PROVERS) >= 100 and len(set(titles)) == len(titles)
    assert len(FALSE) >= 45
    assert len({t.claim for t in library().values()}) == len(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_theorem_is_proved_and_checks(name: str) -> None:
    found = sn.prove(name)
    assert isinstance(found, Proved), found
    assert found.claim.name == name
    assert str(found) == f"proved: {library()[name].title}"  # made again, and it checks
    every_line_is_true(found)


def every_line_is_true(found: Proved) -> None:
    """Each printed line about numbers, at drawn points of the domains where what it supposes and the hypotheses hold."""
    dice = random.Random(len(found.proof.lines))
    for line in found.proof.lines:
        if line.rule == "given" and line.statements[0] not in found.proof.hypotheses:  # type: ignore[attr-defined]
            assert "suppos" in line.note
            continue
        sides = [e for s in (*line.statements, *line.under) for e in (s.left, s.right)]
        if any(e.has(sp.Sum, sp.Indexed) for e in sides) or any(s.over is not None or s.general for s in (*line.statements, *line.under)):
            continue
        free = sorted({s for e in (*sides, *(e for h in found.proof.hypotheses for e in (h.left, h.right)))  # type: ignore[attr-defined]
                       for s in e.free_symbols}, key=str)
        met = 0
        for _ in range(60):
            at = {s: suited(s, sp.Rational(dice.choice((0, 1, -1, 2, dice.randint(-30, 30))), dice.choice((1, 2, 7)))) for s in free}
            given = (*line.under, *(h for h in found.proof.hypotheses if h.over is None and not h.general))  # type: ignore[attr-defined]
            if not all(certain(h.left, h.relation, h.right, at) for h in given):
                continue
            for one in line.statements:
                sign = sign_at(one.right - one.left, at)
                assert sign is None or sign in {"=": (0,), "<=": (0, 1), "<": (1,), "!=": (-1, 1)}[one.relation], (line, at)
            if line.rest is not None and len(line.statements) == 1:
                assert sign_at(line.statements[0].right - line.statements[0].left - line.rest, at) in (0, None), (line, at)
            met += 1
            if met == 4:
                break


@pytest.mark.parametrize(("name", "k"), FALSE)
def test_a_false_neighbour_is_refuted(name: str, k: int) -> None:
    near = library()[name].false[k]
    found = prove_text(near.claim)
    assert isinstance(found, Refutation) and near.why, found
    read = read_claim(near.claim.text, {t.name: t for t in near.claim.tensors}, near.claim.given, near.claim.lines)
    what = conjecture(read.program, read.conclusions, read.hypotheses, read.slopes, read.assumed)
    if what.sequences or any(e.has(sp.Sum, sp.Indexed) for c in what.conclusions for e in (c.left, c.right)):
        return  # the point is about entries
    at = {s: rational(v) for s in {s for c in what.conclusions for e in (c.left, c.right) for s in e.free_symbols}
          for name_, v in found.case if str(s) == name_}
    assert any(refuted(c.left, c.relation, c.right, at) for c in what.conclusions)


@pytest.mark.parametrize("name", ["sigmoid-slope", "softmax-shift", "stability-limit", "bias-variance", "descent-lemma", "layer-gradient-bound"])
def test_a_theorem_changed_anywhere_does_not_check(name: str) -> None:
    found = sn.prove(name)
    assert isinstance(found, Proved)
    text = found.claim.subject
    assert isinstance(text, ClaimText)
    wrong = [
        replace(found, claim=replace(found.claim, sentence="Everything is proved")),
        replace(found, claim=replace(found.claim, name="softmax-sum" if name != "softmax-sum" else "young")),
        replace(found, claim=replace(found.claim, conditions=("nothing is asked",))),
        replace(found, claim=replace(found.claim, subject=replace(text, text="x <= x**2"))),
        replace(found, claim=replace(found.claim, subject=replace(text, theorem=""))),
        replace(found, claim=replace(found.claim, subject=replace(text, theorem="young" if name != "young" else "softmax-sum"))),
        replace(found, claim=Claim("claim", "0 = 1", (), ClaimText("0 == 1"))),
        replace(found, tensors={"q": sn.Tensor("q")}),
    ]
    assert found.check() and not any(w.check() for w in wrong)
    for line in (found.proof, *found.proof.premises):  # type: ignore[attr-defined]
        for one in line.statements:
            broken = sn.prove(name)
            assert isinstance(broken, Proved)
            object.__setattr__(broken.proof, "statements", (replace(one, right=one.right + 1),))
            assert not broken.check()


def test_names_are_names() -> None:
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name) for name in NAMES)
