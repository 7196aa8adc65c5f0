"""Short forms of what may be long: what a prompt or a notebook shows of an object, in a few lines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from symnet.errors import shown

WIDTH, LINES = 72, 8  # columns and lines that a repr takes


def short(value: object, width: int = WIDTH) -> str:
    """A value on one line, cut off at ``width``.

    >>> short("a" * 100, 12), short([1, 2])
    ('aaaaaaaaaaa…', '[1, 2]')
    """
    text = " ".join(value[:4 * width].split()) if isinstance(value, str) else shown(value, width)
    return text if len(text) <= width else text[: width - 1] + "…"


def cut(line: str, width: int = WIDTH) -> str:
    """A line as it stands, its indent too, cut off at ``width``."""
    return line if len(line) <= width else line[: width - 1] + "…"


def short_lines(lines: Sequence[str], most: int = LINES) -> list[str]:
    """At most ``most`` lines: the first, how many are left out, and the last.

    >>> short_lines(["a", "b", "c", "d", "e"], 4)
    ['a', 'b', '  … 2 more', 'e']
    """
    if len(lines) > most:
        lines = [*lines[: most - 2], f"  … {len(lines) - most + 1} more", lines[-1]]
    return [cut(line) for line in lines]


def listed(names: Iterable[str], width: int = WIDTH) -> str:
    """Names in a row, those that do not fit counted.

    >>> listed(["w1", "b1"]), listed(["weights"] * 9, 20)
    ('w1, b1', 'weights, … (9)')
    """
    every = list(names)
    whole = ", ".join(every)
    if len(whole) <= width:
        return whole
    kept: list[str] = []
    for name in every:
        if len(", ".join([*kept, name])) > width - 8:
            break
        kept.append(name)
    return ", ".join([*kept, f"… ({len(every)})"])
