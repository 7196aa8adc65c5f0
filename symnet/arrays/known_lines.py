"""What was worked out of one line holds of every line that is the same but for names.

A network of many layers has few kinds of lines. While a line is worked out, what is asked about the names that it uses, and of the names
in their right sides, is written down with the answers. Where all that is asked of another line of its shape has the same answers, it comes
to the same, with its own names.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from symnet.core.program import Definition, Program
from symnet.core.schedule import schedule

R = TypeVar("R")
Question = Callable[[str], Hashable]
MOST_ALIKE = 12  # lines of one shape that came to different ends; a further one is worked out by itself, and not kept


@dataclass
class _Trace:
    """The names met in order, what was asked about them by number, and whether it was all that the result depends on."""

    names: list[str]
    steps: list[tuple[int, Question | None, Hashable]] = field(default_factory=list)
    whole: bool = True

    def add(self, names: tuple[str, ...]) -> tuple[int, ...]:
        """The numbers of some names; new ones come behind."""
        for name in names:
            if name not in self.names:
                self.names.append(name)
        return tuple(map(self.names.index, names))


class KnownLines:
    """The lines of one program that were worked out. ``facts`` are what is known of a name besides its line."""

    def __init__(self, program: Program, facts: Question = lambda name: None) -> None:
        self.program, self.facts = program, facts
        self.open: list[_Trace] = []
        self.known: dict[Hashable, list[tuple[_Trace, Any]]] = {}
        self.loops = any(block.is_loop for block in schedule(program))

    def ask(self, name: str, question: Question) -> Hashable:
        """The answer, which what is being worked out depends on."""
        if not self.open or name not in self.program.tensors:
            return question(name)
        with self._apart():
            answer = question(name)
        trace = self.open[-1]
        if name in trace.names:
            step = trace.names.index(name), question, answer
            if step not in trace.steps:
                trace.steps.append(step)
        else:
            trace.whole = False
        return answer

    def look_into(self, name: str) -> None:
        """The right side of a name is read: the names in it count too."""
        if self.open and name in self.open[-1].names:
            trace = self.open[-1]
            number = trace.names.index(name)
            if all(n != number or question is not None for n, question, _ in trace.steps):
                known = len(trace.names)
                trace.steps.append((number, None, trace.add(self.program.by_name[name][0].uses)))
                trace.steps += [(k, self.line, self.line(trace.names[k])) for k in range(known, len(trace.names))]

    @contextmanager
    def _apart(self) -> Iterator[None]:
        """What is asked in here is summed up by its answer."""
        held, self.open = self.open, []
        try:
            yield
        finally:
            self.open = held

    def line(self, name: str) -> Hashable:
        """A question: the shape of a line and what is known of its tensor; one that no other has for several slices."""
        t = self.program.tensors[name]
        lines = self.program.by_name.get(name, ())
        return t.axes, t.domain, t.structure, t.classes, t.ignored, t.role, self.facts(name), (
            name if len(lines) > 1 else lines[0].shape[0] if lines else None)

    def work_out(self, what: str, d: Definition, make: Callable[[], R]) -> tuple[R, dict[str, str] | None]:
        """What ``make()`` gives for the line, or gave for one like it: then with this line's names by that one's."""
        if self.loops:
            return make(), None
        with self._apart():
            key = what, self.line(d.name)
            for trace, result in self.known.get(key, ()):
                names = self._same(trace, d)
                if names is not None:
                    return result, names
        trace = _Trace([])
        trace.add((d.name, *d.uses))
        held, self.open = self.open, [trace]
        try:
            for name in d.uses:
                self.ask(name, self.line)
            made = make()
        finally:
            self.open = held
        alike = self.known.setdefault(key, [])
        if trace.whole and len(self.program.by_name[d.name]) == 1 and len(alike) < MOST_ALIKE:
            alike.append((trace, made))
        return made, None

    def _same(self, trace: _Trace, d: Definition) -> dict[str, str] | None:
        """This line's names by the trace's, where every answer is the same."""
        own = _Trace([])
        own.add((d.name, *d.uses))
        for number, question, answer in trace.steps:
            name = own.names[number]
            found = question(name) if question is not None else own.add(self.program.by_name[name][0].uses)
            if found != answer:
                return None
        return dict(zip(trace.names, own.names, strict=True))
