"""Whatever is typed is read or refused in one line: no traceback, no long wait, nothing executed, nothing opened."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from soundness.fuzz import HOSTILE, LATEX, PAGES, PLAIN, READERS, SHEETS, fault, inputs, watched

NAMES = list(READERS)


@pytest.mark.parametrize("name", NAMES)
def test_the_corpus_itself_is_read(name: str) -> None:
    """Most of it without an error, so that changing a byte starts from something valid."""
    from symnet.errors import SymnetError

    fine = 0
    for text in READERS[name][1]:
        assert not fault(name, text)
        try:
            READERS[name][0](text)
            fine += 1
        except SymnetError:
            continue
    assert fine >= len(READERS[name][1]) / 2


COUNT = {"plain": 150, "LaTeX": 150, "answer": 60, "program": 80, "worksheet": 30, "page": 12}


@pytest.mark.parametrize("name", NAMES)
def test_broken_inputs_leave_no_traceback(name: str) -> None:
    found = {text: f for text in inputs(name, COUNT[name], seed=1) if (f := fault(name, text))}
    assert not found, list(found.items())[:3]


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_many_broken_inputs_leave_no_traceback(name: str) -> None:
    found = {text: f for text in inputs(name, 15 * COUNT[name], seed=2) if (f := fault(name, text))}
    assert not found, list(found.items())[:3]


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_executed_or_opened(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    texts = list(inputs(name, 20, seed=3))
    for text in texts[:5]:
        fault(name, text)  # once before, so that what is loaded on first use is there
    notes = watched(lambda: [fault(name, text) for text in texts])
    assert not notes, notes[:5]
    assert not list(tmp_path.iterdir())


def test_the_watch_sees_what_is_executed(tmp_path: Path) -> None:
    file = tmp_path / "canary"
    notes = watched(lambda: [exec("1"), file.write_text("x")])
    assert any(n.startswith("exec") for n in notes) and any(n.startswith("open") and "canary" in n for n in notes)


PIECES = [*HOSTILE[:12], *(p for t in (*PLAIN, *LATEX) for p in t.replace("(", " ( ").split())]
TYPED = st.one_of(st.text(max_size=80), st.lists(st.sampled_from(PIECES), max_size=12).map(" ".join),
                  st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
ONE = settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])


@given(TYPED)
@ONE
def test_plain_maths_typed_at_random(text: str) -> None:
    assert not fault("plain", text)


@given(TYPED)
@ONE
def test_latex_typed_at_random(text: str) -> None:
    assert not fault("LaTeX", text)


@given(st.sampled_from(SHEETS), st.sampled_from(["text", "latex"]), TYPED)
@settings(ONE, max_examples=20)
def test_answers_typed_at_random_leave_the_worksheet_standing(sheet: str, kind: str, answer: str) -> None:
    """An answer that cannot be read is undecided; the other answers are judged."""
    quoted = answer.replace("\\", "\\\\").replace('"', '\\"')
    clean = "".join(c if c.isprintable() else " " for c in quoted)
    assert not fault("worksheet", f'{sheet}\n[[answers]]\nid = "last"\nwrt = "w"\n{kind} = "{clean}"\n')


@given(st.sampled_from(PAGES), TYPED, st.integers(0, 200))
@settings(ONE, max_examples=20)
def test_pages_typed_at_random(page: str, typed: str, at: int) -> None:
    assert not fault("page", page[:at] + typed + page[at:])
