"""Answers made from random programs: the true gradient written in another way is never refuted, one with a slip is never proved."""

from __future__ import annotations

import pytest
from laws.answers import NoForm, gradient
from laws.dice import Seeded
from laws.index_programs import index_program
from laws.judging import DIFFERENT, Case, answers_law


@pytest.mark.parametrize("block", range(4))
def test_no_verdict_is_wrong(block: int) -> None:
    given, faults, undecided = 0, [], 0
    for k in range(6 * block, 6 * block + 6):
        case = Case(index_program(Seeded(f"answers {k}"), kinks=False, most_lines=3), k)
        faults += answers_law(case)
        verdicts = case.kept.get("verdicts", [])
        given += len(verdicts)
        undecided += sum("undecided" in v for v in verdicts)
    assert faults == []
    assert given >= 4 and undecided <= 1


def test_the_laws_derive_most_gradients_themselves() -> None:
    found = 0
    for k in range(40):
        source = index_program(Seeded(f"answers {k}"), kinks=False, most_lines=3)
        if Case(source, k).at(DIFFERENT)[2] is None:
            continue
        try:
            gradient(source, source.wrt[k % len(source.wrt)])
            found += 1
        except NoForm:
            pass
    assert found >= 20
