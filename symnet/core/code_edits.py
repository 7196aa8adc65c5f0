"""Edits of a function's text that change what it does at one place: = for += or -=, += for =, another axis of a sum, a transposed factor.

While a function is traced, the places are noted where such an edit is possible; traced again with one of them in force it computes what
the edited text would. So a slip that only code can have is undone, and named where what is returned then is proved right.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from symnet.core.user_code import place_of_the_user


@dataclass(frozen=True)
class Edit:
    """At a place of the text (model.py:12), ``new`` instead of ``old``. ``kind`` is a row of the table of slips."""

    kind: str
    place: str
    old: str
    new: str


@dataclass
class Watch:
    """The edits that were found possible, in the order in which the function comes to them; and the one in force."""

    force: Edit | None = None
    seen: dict[Edit, None] = field(default_factory=dict)


_WATCH: ContextVar[Watch | None] = ContextVar("watch", default=None)


@contextmanager
def watched(force: Edit | None = None) -> Iterator[Watch]:
    """Within, possible edits are noted, or one is in force."""
    token = _WATCH.set(Watch(force))
    try:
        made = _WATCH.get()
        assert made is not None
        yield made
    finally:
        _WATCH.reset(token)


def edited(kind: str, old: str, options: Iterable[str]) -> str | None:
    """What stands in place of ``old`` where the user's code is now; None where nothing does, which is nearly always."""
    watch = _WATCH.get()
    if watch is None or (watch.force is not None and (watch.force.kind, watch.force.old) != (kind, old)):
        return None
    place = place_of_the_user()
    if watch.force is None:
        watch.seen |= {Edit(kind, place, old, new): None for new in options if place}
        return None
    return watch.force.new if watch.force.place == place else None
