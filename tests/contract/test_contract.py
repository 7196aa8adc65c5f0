"""The contract corpus: what symnet said of thousands of inputs is what it says now, save where allowed.toml names the change.

A share of the corpus, chosen by a fingerprint of each name, is asked by default; ``--whole`` asks all. ``--update`` records what was asked.
"""

from __future__ import annotations

import importlib
import json
import warnings
import zlib
from pathlib import Path

import pytest
from contract.differences import FILE, Allowed, differences
from contract.groups import GROUPS, RECORDED_TESTS, asked, recorded_tests

RECORDED = Path(__file__).with_name("recorded")
NEEDS = {"jax": "jax", "torch": "torch", "onnx": "onnx", "sklearn": "sklearn"}
SHOWN = 25
Said = list[dict[str, str]]


def read(group: str) -> dict[str, Said]:
    """The record, one case a line."""
    file = RECORDED / f"{group}.jsonl"
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return dict(map(json.loads, lines))


def write(group: str, said: dict[str, Said]) -> None:
    """One case a line, in a fixed order."""
    RECORDED.mkdir(exist_ok=True)
    lines = [json.dumps([case, said[case]], ensure_ascii=False, separators=(",", ":")) for case in sorted(said)]
    (RECORDED / f"{group}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


def sampled(name: str, share: int) -> bool:
    """One in ``share``, the same ones on every run."""
    return not zlib.crc32(name.encode()) % share


def unlike(group: str, old: dict[str, Said], new: dict[str, Said], asked_for: list[str]) -> list[str]:
    """Every change that is not allowed. A case that was never recorded is no change."""
    allowed = Allowed.read(FILE.read_text(encoding="utf-8"))
    found = [d for case, rows in new.items() if case in old for d in differences(f"{group} {case}", old[case], rows, allowed)]
    return found + [f"{group} {case}: is asked no more" for case in asked_for if case not in new
                    and not any(rule.names(f"{group} {case}", "", "", "") for rule in allowed.gone)]


def compare(request: pytest.FixtureRequest, group: str, new: dict[str, Said], asked_for: list[str]) -> None:
    """Record or compare."""
    old = read(group)
    if request.config.getoption("--update"):
        kept = {} if request.config.getoption("--whole") else {case: rows for case, rows in old.items() if case not in asked_for}
        write(group, {**kept, **new})
        return
    assert old, f"nothing recorded for {group}; run with --update --whole"
    found = unlike(group, old, new, asked_for)
    assert not found, "\n".join([f"{len(found)} changes that tests/contract/allowed.toml does not name:", *found[:SHOWN]])


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("group", GROUPS)
def test_symnet_says_what_it_said(group: str, request: pytest.FixtureRequest) -> None:
    if group in NEEDS:
        try:
            importlib.import_module(NEEDS[group])
        except ImportError:
            warnings.warn(f"{NEEDS[group]} is not installed: its operators were NOT compared", stacklevel=1)
            pytest.skip(f"{NEEDS[group]} is not installed: its operators were NOT compared")
    cases, usual = GROUPS[group]
    share = 1 if request.config.getoption("--whole") else usual
    new = {name: asked(question) for name, question in cases() if sampled(name, share)}
    compare(request, group, new, [name for name in read(group) if sampled(name, share)])


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("group", RECORDED_TESTS)
def test_the_public_verbs_say_in_the_tests_what_they_said(group: str, request: pytest.FixtureRequest) -> None:
    share = 1 if request.config.getoption("--whole") else RECORDED_TESTS[group][1]
    new = recorded_tests(group, share)
    compare(request, group, new, [case for case in read(group) if sampled(case.split(" ", 1)[1].rpartition(" ")[0], share)])


ROW = [{"id": "W1", "verdict": "proved", "scope": "at sizes N = 3", "message": "proved (at sizes N = 3)"}]


def test_a_change_is_found_and_may_be_allowed() -> None:
    now = [{"id": "W1", "verdict": "proved", "scope": "for all sizes", "message": "proved (for all sizes)"}]
    found = list(differences("code x", ROW, now, Allowed()))
    assert len(found) == 2 and "code x [W1] scope:\n    was 'at sizes N = 3'\n    is  'for all sizes'" in found
    rule = "[[allowed]]\nfield = 'scope'\nold = 'at sizes .*'\nnew = 'for all sizes'\nwith = ['message']\nreason = 'more is decided'"
    assert not list(differences("code x", ROW, now, Allowed.read(rule)))
    assert list(differences("code x", now, ROW, Allowed.read(rule)))  # not the other way round
    worse = [{**now[0], "verdict": "refuted"}]
    assert len(list(differences("code x", ROW, worse, Allowed.read(rule)))) == 1
    assert list(differences("page x", ROW, now, Allowed.read(rule + "\ncase = 'code .*'")))


def test_what_is_there_no_more_is_found() -> None:
    assert list(differences("x", ROW, [], Allowed()))
    assert list(differences("x", [], ROW, Allowed()))
    assert unlike("code", {"x": ROW}, {}, ["x"]) == ["code x: is asked no more"]


def test_a_rule_gives_its_reason() -> None:
    with pytest.raises(AssertionError, match="no reason"):
        Allowed.read("[[allowed]]\nfield = 'scope'")


def test_the_corpus_is_small() -> None:
    assert sum(file.stat().st_size for file in RECORDED.iterdir()) < 1_000_000
