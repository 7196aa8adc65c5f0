"""One answer or one page within a limit of time, from anybody's program: in a process that can be killed, kept for the next."""

from __future__ import annotations

import pickle
from dataclasses import replace
from functools import lru_cache
from typing import Any

from symnet.batch.items import Source
from symnet.batch.judging import OPENING, judge_lines
from symnet.batch.one_task_process import run_once
from symnet.batch.running import without
from symnet.batch.tasks import LIGHT, Ended, How, Limits, Task
from symnet.batch.worker import reached
from symnet.checking.answers import check_answer, compare_lines
from symnet.core.derivation import Derivation
from symnet.core.page_verdict import Errata, Follows, Judged, Mark
from symnet.core.program import Program
from symnet.core.verdict import Answer, Verdict
from symnet.errors import OptionError, SymnetError, internal, shown
from symnet.parsing.from_sympy import SympyAnswer
from symnet.parsing.worksheet import Worksheet

MEGABYTES = 8192
Question = tuple[str | SympyAnswer, bytes, str]  # an answer, a derivation as it travels, the name it is differentiated by


def check_within(answer: str | SympyAnswer, derivation: Derivation, wrt: str, seconds: float) -> Verdict:
    """``check_answer``, undecided when it takes longer. Raises what it raises."""
    try:
        task = Task("answer", _check, (answer, _packed(derivation), wrt))
    except (pickle.PicklingError, TypeError, AttributeError, RecursionError):  # something of the user's own is in it
        return check_alone(answer, derivation, wrt)
    ended = run_once(task, limits_within(seconds))
    if ended.error is not None:
        raise ended.error
    return ended.value if ended.how is How.DONE else Verdict(Answer.UNDECIDED, reason=ended.reason)


def check_alone(answer: str | SympyAnswer, derivation: Derivation, wrt: str) -> Verdict:
    """``check_answer`` in this process, without a limit; an error of ours leaves it undecided."""
    try:
        return check_answer(answer, derivation, wrt)
    except (SymnetError, MemoryError):
        raise
    except Exception as error:
        return Verdict(Answer.UNDECIDED, reason=internal(error))


def compare_within(program: Program, left: str, right: str, seconds: float | None) -> Verdict:
    """``compare_lines``, undecided when it takes longer; with None in this process, without a limit."""
    if seconds is None:
        return compare_lines(program, left, right)
    sent = replace(program, symbols={})  # the user's own objects stay here
    ended = run_once(Task("comparison", _compare, (sent, left, right)), limits_within(seconds))
    if ended.error is not None:
        raise ended.error
    return ended.value if ended.how is How.DONE else Verdict(Answer.UNDECIDED, reason=ended.reason)


def _compare(question: tuple[Program, str, str]) -> Verdict:
    """Runs in the process."""
    return compare_lines(*question)


def judge_page_within(page: str, worksheet: Worksheet, where: str, limits: Limits) -> Errata:
    """``page_errata`` with a limit for each line: one that takes longer is undecided, and the page is judged again without it."""
    source, lost = Source(0, where, page), dict[int, str]()
    while True:
        ended = run_once(Task(len(lost), judge_lines, (source, worksheet, lost)), limits)
        again = without(lost, ended)
        if again is None:
            return _page(ended)
        lost = dict(again)


def _page(ended: Ended) -> Errata:
    if ended.error is not None:
        raise ended.error
    if ended.how is How.DONE:
        return ended.value  # type: ignore[no-any-return]
    return Errata((Judged(1, "", "", "the page", "", Mark.UNDECIDED, slip=ended.reason, follows=Follows.UNDECIDED),))


def limits_within(seconds: Any) -> Limits:
    """The limits of a call from Python. Raises OptionError."""
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 0 < seconds <= 1e6:
        raise OptionError("timeout", shown(seconds), "a number of seconds above 0, or None for no limit")
    return Limits(float(seconds), MEGABYTES, LIGHT)


_sent: list[tuple[Derivation, bytes]] = []  # the last few, so that a derivation is packed, and opened, once


def _packed(derivation: Derivation) -> bytes:
    for known, content in _sent:
        if known is derivation:
            return content
    plain = replace(derivation, program=replace(derivation.program, symbols={}), full=replace(derivation.full, symbols={}))
    _sent.append((derivation, pickle.dumps(plain)))
    del _sent[:-4]
    return _sent[-1][1]


@lru_cache(maxsize=4)
def _opened(content: bytes) -> Derivation:
    made: Derivation = pickle.loads(content)
    return made


def _check(question: Question) -> Verdict:
    """Runs in the process: the derivation is opened and checked once, and then the answer has its time."""
    answer, content, wrt = question
    reached(times=OPENING)
    derivation = _opened(content)
    derivation.check()
    reached()
    return check_alone(answer, derivation, wrt)
