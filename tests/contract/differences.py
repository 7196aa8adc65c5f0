"""What changed between two records, and whether allowed.toml names it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

Row = Mapping[str, str]
Said = list[dict[str, str]]
FILE = Path(__file__).with_name("allowed.toml")


@dataclass(frozen=True)
class Rule:
    """One change that is meant: a field, what it said and says now, in which cases, and the fields that change with it."""

    reason: str
    field: str = ".*"
    old: str = r"[\s\S]*"
    new: str = r"[\s\S]*"
    case: str = ".*"
    also: tuple[str, ...] = ()

    def names(self, case: str, field: str, old: str, new: str) -> bool:
        """Is it this change?"""
        pairs = ((self.case, case), (self.field, field), (self.old, old), (self.new, new))
        return all(re.fullmatch(pattern, text) for pattern, text in pairs)


@dataclass(frozen=True)
class Allowed:
    """The whole list."""

    rules: tuple[Rule, ...] = ()
    gone: tuple[Rule, ...] = ()

    @staticmethod
    def read(text: str) -> Allowed:
        """From the text of the file; a rule without a reason is refused."""
        found = tomllib.loads(text)

        def rule(entry: dict[str, object]) -> Rule:
            more = {"also": tuple(entry.pop("with"))} if "with" in entry else {}  # type: ignore[arg-type]
            assert entry.get("reason"), f"no reason: {entry}"
            return Rule(**entry, **more)  # type: ignore[arg-type]

        return Allowed(tuple(map(rule, found.get("allowed", []))), tuple(map(rule, found.get("gone", []))))


def differences(case: str, old: Said, new: Said, allowed: Allowed) -> Iterator[str]:
    """Each field that changed and may not."""
    before, after = keyed(old), keyed(new)
    for key in [*before, *(k for k in after if k not in before)]:
        yield from row_differences(case, key, before.get(key, {}), after.get(key, {}), allowed.rules)


def keyed(rows: Said) -> dict[str, Row]:
    """Rows by their id; those with the same one are counted."""
    found: dict[str, Row] = {}
    for row in rows:
        name, n = row.get("id", ""), 1
        while (key := name if n == 1 else f"{name} ({n})") in found:
            n += 1
        found[key] = row
    return found


def row_differences(case: str, key: str, old: Row, new: Row, rules: Iterable[Rule]) -> Iterator[str]:
    """Of one row."""
    changed = {f: (old.get(f, ""), new.get(f, "")) for f in {**old, **new} if old.get(f, "") != new.get(f, "")}
    named = {field: rule for field, (a, b) in changed.items() for rule in rules if rule.names(case, field, a, b)}
    free = {f for rule in named.values() for f in rule.also} | set(named)
    for field, (a, b) in changed.items():
        if field not in free:
            yield f"{case}{f' [{key}]' if key else ''} {field}:\n    was {a!r}\n    is  {b!r}"
