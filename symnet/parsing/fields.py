"""The fields of a worksheet: each is what it should be, or the error names the place, what was found and what was expected."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from symnet.errors import WorksheetError, did_you_mean, shown

# The exact numbers of [training]: the rate, the clippings, and the settings of the optimizer.
EXACT = ("learning_rate", "clip_value", "clip_norm", "validation_split", "min_delta",
         "momentum", "dampening", "weight_decay", "beta1", "beta2", "alpha", "eps")
KEYS: dict[str, tuple[str, ...]] = {
    "": ("title", "symbols", "sizes", "program", "answers", "training", "errata", "simplify", "claim", "given"),
    "program": ("definitions", "layers", "loss", "objective", "wrt", "learning_rate", "batch"),
    "symbols": ("shape", "value", "domain", "structure", "classes", "assume", "note"),
    "answers": ("id", "wrt", "text", "latex"),
    "training": ("data", "optimizer", "epochs", "batch_size", "seed", "schedule", "init", "dtype", "shuffle", "metrics", "monitor",
                 "patience", "class_weight", *EXACT),
    "errata": ("file", "text"),
}


def only(table: Mapping[str, Any], section: str, where: str) -> None:
    """Refuse a key that the section does not have."""
    for key in table:
        if key not in KEYS[section]:
            raise WorksheetError(where, f"the key {key[:60]!r}", "one of " + ", ".join(KEYS[section]),
                                 did_you_mean(key, KEYS[section]))


def table_in(value: Any, where: str) -> dict[str, Any]:
    """A table."""
    if not isinstance(value, dict):
        raise WorksheetError(where, type(value).__name__, "a table")
    return value


def list_in(value: Any, where: str) -> list[Any]:
    """A list."""
    if not isinstance(value, list):
        raise WorksheetError(where, type(value).__name__, "a list", f"[{value!r}]" if isinstance(value, (str, int)) else "")
    return value


def text_in(value: Any, where: str) -> str:
    """A text of bounded length."""
    if not isinstance(value, str):
        raise WorksheetError(where, type(value).__name__, "a text")
    if len(value) > 20_000:
        raise WorksheetError(where, "more than 20,000 letters", "a text")
    return value


def texts_in(value: Any, where: str) -> tuple[str, ...]:
    """A list of texts."""
    items: Iterable[Any] = list_in(value, where)
    return tuple(text_in(v, where) for v in items)


def whole_in(value: Any, where: str) -> int:
    """A positive whole number."""
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 1_000_000:
        raise WorksheetError(where, shown(value), "a positive whole number")
    return value
