"""The error family: where it went wrong, what was found, what was expected, what to try.

Every error symnet raises on purpose is a ``SymnetError``; the command line prints it as one line and exits with 2.
Each class carries a stable ``code`` that scripts may test; the sentence is built here and nowhere else.
"""

from __future__ import annotations

from typing import Any


def one_line(text: str, limit: int = 200) -> str:
    """``text`` without control characters or line breaks, shortened: safe to show in a message."""
    clean = "".join(ch if ch.isprintable() else " " for ch in str(text))
    clean = " ".join(clean.split())
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"


def internal(error: BaseException) -> str:
    """How an error that nobody meant is told: one line, as the reason why one answer is undecided."""
    if isinstance(error, RecursionError):
        return "too deeply nested"
    return one_line(f"internal error: {type(error).__name__}: {error}; please report it")


class SymnetError(ValueError):
    """Base of the family: ``where``: found …; expected …; try: …

    >>> str(SymnetError("line 2", "unknown name 'W'", "a declared name", "did you mean 'w'?"))
    "line 2: unknown name 'W'; expected a declared name; try: did you mean 'w'?"
    """

    code = "error"

    def __init__(self, where: str, found: str, expected: str = "", hint: str = "") -> None:
        self.where, self.found, self.expected, self.hint = (one_line(part) for part in (where, found, expected, hint))
        super().__init__(self.message)

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:  # an error comes whole from another process
        return _again, (type(self), self.where, self.found, self.expected, self.hint)

    @property
    def message(self) -> str:
        """The one line a person reads."""
        parts = [f"{self.where}: {self.found}" if self.where else self.found]
        if self.expected:
            parts.append(f"expected {self.expected}")
        if self.hint:
            parts.append(f"try: {self.hint}")
        return "; ".join(parts)


def _again(kind: type[SymnetError], *parts: str) -> SymnetError:
    made = kind.__new__(kind)
    SymnetError.__init__(made, *parts)
    return made


class NameError_(SymnetError):
    """A name is unknown, used before it is defined, or defined twice."""

    code = "name"


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


class OptionError(SymnetError):
    """A command, option or argument that does not fit."""

    code = "option"


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
