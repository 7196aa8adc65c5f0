"""Judge every answer of every file in a pool: each comes out once, in the order of the files, whatever happens to the processes."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from symnet.batch.items import UNUSABLE, Item, Outcome, Source
from symnet.batch.judging import judge_item, judge_lines, open_source, page_outcomes, read_source
from symnet.batch.pool import Runs
from symnet.batch.tasks import PRELOAD, Ended, How, Task
from symnet.checking.worksheet_answers import Result
from symnet.core.verdict import Answer, Verdict
from symnet.errors import SymnetError

__all__ = ["PRELOAD", "judge_all", "without"]
Place = tuple[int, int]  # the number of the file, the number of the answer in it
Then = Callable[[Ended], None]
Watch = Callable[[int, Sequence[Outcome]], None]  # how many there are in all, and those that were judged just now


def judge_all(files: Sequence[Source], runs: Runs, against: Source | None = None, watch: Watch = lambda total, new: None) -> list[Outcome]:
    """The outcomes of all answers. ``against`` is the worksheet that pages are judged by; ``watch`` is told of each outcome."""
    return _Run(files, runs, against, watch).all()


class _Run:
    """First every worksheet is read, so that the number of answers is known; then each is derived, then its answers judged."""

    def __init__(self, files: Sequence[Source], runs: Runs, against: Source | None, watch: Watch) -> None:
        self.files, self.runs, self.against, self.watch = files, runs, against, watch
        self.items: dict[int, tuple[Item, ...]] = {}
        self.found: dict[Place, Outcome] = {}
        self.then: dict[Hashable, Then] = {}  # what to do when a task has ended, by its key; taken out when done, so never done twice

    def all(self) -> list[Outcome]:
        for source in self.files:
            if source.error:
                self._put((source.number, 0), Outcome(source.name, verdict=UNUSABLE, message=source.error))
            elif not source.page:
                self._submit("read", read_source, source, source, self._read)
        self._go()
        for source in self.files:
            if source.page and not source.error:
                self._submit("page", judge_lines, (source, self.against, {}), source, partial(self._page, {}))
            elif source.number in self.items:
                self._submit("open", open_source, source, source, self._opened)
        self._go()
        return [self.found[place] for place in sorted(self.found)]

    def _submit(self, kind: str, function: Callable[..., Any], argument: Any, source: Source,
                then: Callable[[Source, Ended], None]) -> None:
        key = (kind, source.number)
        self.then[key] = lambda ended: then(source, ended)
        self.runs.submit(Task(key, function, argument, source.number))

    def _go(self) -> None:
        for task, ended in self.runs:
            self.then.pop(task.key)(ended)

    def _put(self, place: Place, *outcomes: Outcome) -> None:
        for k, one in enumerate(outcomes):
            assert (place[0], place[1] + k) not in self.found
            self.found[place[0], place[1] + k] = one
        known = {p for p in self.found if p[0] not in self.items}
        self.watch(len(known) + sum(map(len, self.items.values())), outcomes)

    def _read(self, source: Source, ended: Ended) -> None:
        if ended.how is How.DONE:
            self.items[source.number] = ended.value
        else:
            self._put((source.number, 0), _lost(source, ended))

    def _page(self, lost: Mapping[int, str], source: Source, ended: Ended) -> None:
        again = without(lost, ended)
        if again is None:
            self._put((source.number, 0), *(page_outcomes(ended.value, source) if ended.how is How.DONE else [_lost(source, ended)]))
        else:
            self._submit(f"page without {len(again)}", judge_lines, (source, self.against, again), source, partial(self._page, again))

    def _opened(self, source: Source, ended: Ended) -> None:
        items = self.items[source.number]
        if ended.how is How.DONE:
            for item in items:
                key = ("item", source.number, item.number)
                self.then[key] = partial(self._item, item)
                self.runs.submit(Task(key, judge_item, item, source.number))
        elif ended.how is How.REFUSED:
            del self.items[source.number]
            self._put((source.number, 0), _lost(source, ended))
        else:
            reason = f"the gradients of this worksheet: {ended.reason}"
            self._put((source.number, 0), *[_undecided(i, reason, ended.seconds) for i in items])

    def _item(self, item: Item, ended: Ended) -> None:
        place = (item.source.number, item.number)
        found = ended.value or ended.last  # a verdict stands though the search for the slip did not end
        self._put(place, _undecided(item, ended.reason, ended.seconds, ended.error) if found is None
                  else replace(found, seconds=ended.seconds))


def without(lost: Mapping[int, str], ended: Ended) -> Mapping[int, str] | None:
    """What is to be left out of a page at the next try: also the line that did not end. None when it has ended, or nowhere in a line."""
    if ended.how in (How.DONE, How.REFUSED) or ended.last is None or ended.last in lost:
        return None
    return {**lost, ended.last: ended.reason}


def _undecided(item: Item, reason: str, seconds: float, error: SymnetError | None = None) -> Outcome:
    result = Result(item.id, Verdict(Answer.UNDECIDED, reason=reason))
    return Outcome(item.source.name, item.id, item.wrt, message=str(result.verdict), seconds=seconds, title=item.title, result=result,
                   error=error)


def _lost(source: Source, ended: Ended) -> Outcome:
    """A whole file without verdicts: unusable, or undecided when it could not even be read within the limits."""
    if ended.how is How.REFUSED:
        reason = ended.reason if ended.reason.startswith(source.name) else f"{source.name}: {ended.reason}"
        return Outcome(source.name, verdict=UNUSABLE, message=reason, seconds=ended.seconds, error=ended.error)
    verdict = Verdict(Answer.UNDECIDED, reason=ended.reason)
    return Outcome(source.name, message=str(verdict), seconds=ended.seconds, result=Result(source.name, verdict))
