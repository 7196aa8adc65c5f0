"""The error family: where it went wrong, what was found, what was expected, what to try.

Every error symnet raises on purpose is a ``SymnetError``; the command line prints it as one line and exits with 2.
Each class carries a stable ``code`` that scripts may test; the sentence is built here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

T = TypeVar("T")
KNOWN = "known names: "


def one_line(text: str, limit: int = 200) -> str:
    """``text`` without control characters or line breaks, shortened: safe to show in a message."""
    clean = "".join(ch if ch.isprintable() else " " for ch in str(text))
    clean = " ".join(clean.split())
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"


def shown(value: object, limit: int = 60) -> str:
    """Any value in one short line, also one that cannot show itself, such as a number of more digits than Python prints.

    >>> shown([1, 2]), shown(10**5000)
    ('[1, 2]', 'an int')
    """
    try:
        return one_line(repr(value), limit)
    except Exception:  # a stranger's __repr__ may raise anything
        return a_kind(value)


def a_kind(value: object) -> str:
    """What kind of thing a value is, with its article: "a list", "the class Linear".

    >>> a_kind([]), a_kind(3), a_kind(int)
    ('a list', 'an int', 'the class int')
    """
    if isinstance(value, type):
        return f"the class {value.__name__}"
    name = type(value).__name__
    return f"{'an' if name[:1] in 'aeiouAEIO' else 'a'} {name}"


def did_you_mean(name: object, known: Iterable[object]) -> str:
    """"did you mean …?" for the closest known name, or the list of names when none is close."""
    import difflib

    text, names = name[:80] if isinstance(name, str) else "", [str(k) for k in known]
    folded = {k.lower(): k for k in reversed(names)}
    letters = sorted(text.lower())
    turned = [k for k in names if len(text) > 2 and sorted(k.lower()) == letters]
    close = turned or difflib.get_close_matches(text, names, n=1, cutoff=0.8) or [
        folded[k] for k in (*difflib.get_close_matches(text.lower(), folded, n=1, cutoff=0.5),
                            *(k for k in folded if len(text) > 1 and k.startswith(text.lower())))]
    if close:
        return f"did you mean {close[0]!r}?"
    return KNOWN + ", ".join(names[:12]) if names else ""


def needs(value: object, kinds: type | tuple[type, ...], where: str, expected: str, hint: str = "") -> None:
    """Raise OptionError unless ``value`` is of one of ``kinds``; True and False are no numbers.

    >>> needs(3, str, "check", "text")
    Traceback (most recent call last):
    symnet.errors.OptionError: check: an int; expected text
    """
    truth = isinstance(value, bool) and not (kinds is bool or (isinstance(kinds, tuple) and bool in kinds))
    if truth or not isinstance(value, kinds):
        raise OptionError(where, a_kind(value), expected, hint)


def all_of_kind(values: Iterable[T], kind: type, where: str) -> tuple[T, ...]:
    """The values as a tuple; raises OptionError unless they are a list of that kind."""
    needs(values, Iterable, where, f"a list of {kind.__name__}s")
    found = tuple(values)
    for value in found:
        needs(value, kind, where, f"a list of {kind.__name__}s")
    return found


def internal(error: BaseException) -> str:
    """How an error that nobody meant is told: one line, as the reason why one answer is undecided."""
    if isinstance(error, RecursionError):
        return "too deeply nested"
    return one_line(f"internal error: {type(error).__name__}: {error}; please report it")


_MADE: ContextVar[list[SymnetError] | None] = ContextVar("made", default=None)


@contextmanager
def errors_made() -> Iterator[list[SymnetError]]:
    """Every error of the family that is made within, whoever catches it: what a user's ``try`` swallows has been refused all the same."""
    made: list[SymnetError] = []
    token = _MADE.set(made)
    try:
        yield made
    finally:
        _MADE.reset(token)


class SymnetError(ValueError):
    """Base of the family: ``where``: found …; expected …; try: …

    >>> str(SymnetError("line 2", "unknown name 'W'", "a declared name", "did you mean 'w'?"))
    "line 2: unknown name 'W'; expected a declared name; try: did you mean 'w'?"
    """

    code = "error"

    def __init__(self, where: str, found: str, expected: str = "", hint: str = "") -> None:
        self.where, self.found, self.expected, self.hint = (one_line(part) for part in (where, found, expected, hint))
        super().__init__(self.message)
        made = _MADE.get()
        if made is not None:
            made.append(self)

    def __str__(self) -> str:
        return self.message

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:  # an error comes whole from another process
        return _again, (type(self), self.where, self.found, self.expected, self.hint)

    @property
    def message(self) -> str:
        """The one line a person reads."""
        parts = [f"{self.where}: {self.found}" if self.where else self.found]
        if self.expected:
            parts.append(f"expected {self.expected}")
        if self.hint and not (self.hint.startswith(KNOWN) and self.expected.startswith("one of ")):  # said once
            parts.append(f"try: {self.hint}")
        return "; ".join(parts)


def _again(kind: type[SymnetError], *parts: str) -> SymnetError:
    made = kind.__new__(kind)
    SymnetError.__init__(made, *parts)
    return made


class NameError_(SymnetError):
    """A name is unknown, used before it is defined, or defined twice."""

    code = "name"


class UnknownKeyError(NameError_, KeyError):
    """A name that a table does not hold: also Python's KeyError, so that ``in`` and ``get`` work."""

    __str__ = SymnetError.__str__  # KeyError's own would put the line in quotes


class UnknownAttributeError(NameError_, AttributeError):
    """A name that symnet does not have: also Python's AttributeError, so that ``hasattr`` works."""


class ShapeError(SymnetError):
    """Axes do not agree, an index leaves its axis, or the number of indices is wrong."""

    code = "shape"


class MismatchError(ShapeError):
    """Arrays of a text whose shapes do not fit one another: at sizes that are all different it has no value."""


class ParseError(SymnetError):
    """Text is not in the grammar, or is over a limit."""

    code = "parse"


class WorksheetError(SymnetError):
    """A worksheet file cannot be read or breaks the contract."""

    code = "worksheet"


class UnknownNodeError(SymnetError):
    """An expression node for which no rule is registered; never treated as zero."""

    code = "node"


class DomainError(SymnetError):
    """A value lies outside the domain of a function or symbol."""

    code = "domain"


class DivergedError(DomainError):
    """A training run came to inf or nan. ``partial`` is the Fit of the parameters before that step, with the log up to it."""

    code = "diverged"
    partial: Any = None


class OptionError(SymnetError):
    """A command, option or argument that does not fit."""

    code = "option"


class PlaceError(OptionError, IndexError):
    """A place behind the end: also Python's IndexError."""


class MissingToolError(SymnetError):
    """An optional library or program is needed and absent."""

    code = "missing"


class ProofError(SymnetError):
    """A proof does not check, or someone other than the kernel tried to make one."""

    code = "proof"


class FaultError(SymnetError):
    """A self-check failed: a fault of symnet itself, never of the input. Nothing is built on what was found wrong; exit code 4."""

    code = "fault"

    def __init__(self, where: str, found: str) -> None:
        super().__init__(where, found, hint="this is an internal fault of symnet, please report it with the input")
