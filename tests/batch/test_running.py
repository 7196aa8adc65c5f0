"""Every answer of every file comes out once and in order, whatever happens to the processes that read, derive and judge."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from symnet.batch.items import UNUSABLE, Outcome, Source
from symnet.batch.pool import Pool
from symnet.batch.running import PRELOAD, judge_all
from symnet.batch.summary import summary
from symnet.batch.tasks import Ended, Limits, Task

LIMITS = Limits(seconds=5, megabytes=200, preload=PRELOAD)
SHEET = """title = "A line"
[symbols]
x = {}
w = {}
y = {}
[program]
definitions = ["z = w*x"]
objective = "(z - y)**2"
wrt = ["w"]
[[answers]]
id = "A1"
text = "2*x*(w*x - y)"
[[answers]]
id = "A2"
text = "x*(w*x - y)"
"""


class Spoilt:
    """A pool in which some tasks are replaced by one that hangs, crashes or eats memory; all else is real."""

    def __init__(self, pool: Pool, instead: dict[Any, tuple[Callable[[Any], Any], Any]]) -> None:
        self.pool, self.instead, self.met = pool, instead, set[Any]()

    def submit(self, task: Task) -> None:
        if task.key in self.instead:
            self.met.add(task.key)
            task = Task(task.key, *self.instead[task.key], task.group)
        self.pool.submit(task)

    def __iter__(self) -> Iterator[tuple[Task, Ended]]:
        return iter(self.pool)


def files(count: int = 3) -> list[Source]:
    return [Source(k, f"s{k}.toml", SHEET) for k in range(count)]


def found(spoilt: dict[Any, tuple[Callable[[Any], Any], Any]], sources: list[Source], jobs: int = 2) -> list[Outcome]:
    with Pool(jobs, LIMITS) as pool:
        runs = Spoilt(pool, spoilt)
        outcomes = judge_all(sources, runs)
    assert runs.met == set(spoilt)
    return outcomes


HANG, CRASH, HOG = (time.sleep, 3600), (os._exit, 3), (bytearray, 1 << 30)
RIGHT_AND_HALF = ["proved", "refuted"]


@pytest.mark.parametrize(("what", "reason"), [(HANG, "not decided in 5 s"), (CRASH, "exit code 3"), (HOG, "over the memory limit of 200 MB")],
                         ids=["hang", "crash", "memory"])
@pytest.mark.parametrize("jobs", [1, 2])
def test_an_answer_that_cannot_be_judged_is_undecided_and_the_rest_go_on(what: Any, reason: str, jobs: int) -> None:
    outcomes = found({("item", 1, 0): what}, files(), jobs)
    assert [(o.file, o.id) for o in outcomes] == [(f"s{k}.toml", a) for k in range(3) for a in ("A1", "A2")]
    assert [o.verdict for o in outcomes] == [*RIGHT_AND_HALF, "undecided", "refuted", *RIGHT_AND_HALF]
    assert reason in outcomes[2].message and outcomes[2].wrt == "w"
    assert summary(outcomes).exit_code == 1


def test_a_worksheet_that_cannot_be_derived_leaves_each_of_its_answers_undecided() -> None:
    outcomes = found({("open", 1): HANG}, files())
    assert [(o.id, o.verdict) for o in outcomes[2:4]] == [("A1", "undecided"), ("A2", "undecided")]
    assert all("the gradients of this worksheet: not decided in 5 s" in o.message for o in outcomes[2:4])
    assert [o.verdict for o in outcomes[:2] + outcomes[4:]] == RIGHT_AND_HALF * 2


def test_a_file_that_cannot_even_be_read_is_one_undecided_item() -> None:
    outcomes = found({("read", 0): CRASH}, files(2))
    assert [(o.file, o.id, o.verdict) for o in outcomes] == [("s0.toml", "", "undecided"), ("s1.toml", "A1", "proved"), ("s1.toml", "A2", "refuted")]


def test_a_page_that_hangs_is_undecided() -> None:
    with Pool(1, LIMITS) as pool:
        runs = Spoilt(pool, {("page", 0): HANG})
        outcomes = judge_all([Source(0, "p.md", "a1 = 2"), Source(1, "s.toml", SHEET)], runs, Source(-1, "sheet", SHEET))
    assert [(o.file, o.verdict) for o in outcomes] == [("p.md", "undecided"), ("s.toml", "proved"), ("s.toml", "refuted")]


@pytest.mark.parametrize(("text", "reason"), [
    ("title =", "no TOML"), ("title = 'x'", "no [[answers]]"), (SHEET.replace("z = w*x", "z = w*q"), "q"),
    (SHEET.replace("x = {}", "x = { shape = ['N'] }"), ""), ("a" * 10, "no TOML"), ("", "no [[answers]]"),
], ids=["no TOML", "no answers", "unknown name", "shapes", "prose", "empty"])
def test_an_unusable_file_is_one_line_and_the_others_go_on(text: str, reason: str) -> None:
    with Pool(1, LIMITS) as pool:
        outcomes = judge_all([Source(0, "bad.toml", text), Source(1, "good.toml", SHEET)], pool)
    assert [o.verdict for o in outcomes if o.file == "good.toml"] == RIGHT_AND_HALF
    (bad,) = (o for o in outcomes if o.file == "bad.toml")
    assert bad.verdict == UNUSABLE and bad.message.startswith("bad.toml") and "\n" not in bad.message
    assert reason in bad.message


def test_the_watcher_sees_every_answer_once_and_knows_the_total() -> None:
    totals, seen = [], []
    with Pool(2, LIMITS) as pool:
        outcomes = judge_all([*files(), Source(3, "gone.toml", error="gone.toml: no such file")], pool,
                             watch=lambda total, new: (totals.append(total), seen.extend(new)))  # type: ignore[func-returns-value]
    assert sorted((o.file, o.id) for o in seen) == sorted((o.file, o.id) for o in outcomes) and totals[-1] == len(outcomes) == 7
