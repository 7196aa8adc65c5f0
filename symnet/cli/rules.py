"""The options that say how to train: an optimizer, its settings, a schedule and a clipping."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from symnet.errors import OptionError, SymnetError


def settings_of(options: Namespace) -> dict[str, str]:
    """--set and --weight-decay by name."""
    found: dict[str, str] = {}
    for text in options.set:
        name, sign, value = text.partition("=")
        if not sign or not name.strip().isidentifier():
            raise OptionError("--set", repr(text)[:60], "a name and a value, such as momentum=0.9")
        found[name.strip()] = value
    return found if options.weight_decay is None else {**found, "weight_decay": options.weight_decay}


def training_changes(options: Namespace) -> dict[str, Any]:
    """What the command line changes in the [training] table of a worksheet, and adds to it: files, which a worksheet does not name."""
    from symnet.parsing.worksheet import schedule_call

    if (options.target or options.classes) and options.data is None:
        raise OptionError("--target and --classes", "no file", "--data FILE.csv")
    changes = {"optimizer": options.optimizer, "learning_rate": options.lr, "epochs": options.epochs, "batch_size": options.batch_size,
               "seed": options.seed, "clip_value": options.clip_value, "clip_norm": options.clip_norm, "init": options.init,
               "schedule": None if options.schedule is None else schedule_call(options.schedule, "--schedule"),
               "settings": settings_of(options) or None, "data": options.data, "target": _names(options.target),
               "classes": options.classes or None, "class_weight": _class_weight(options.class_weight),
               "validation_split": _number("--validation", options.validation), "metrics": options.metric or None,
               "patience": options.patience, "min_delta": _number("--min-delta", options.min_delta), "monitor": options.monitor,
               "dtype": options.dtype, "shuffle": False if options.no_shuffle else None,
               "log": options.log, "checkpoint": options.checkpoint, "checkpoint_every": options.checkpoint_every,
               "resume": options.resume or None}
    return {k: v for k, v in changes.items() if v is not None}


def _names(text: str | None) -> list[str] | None:
    return None if text is None else [part.strip() for part in text.split(",")]


def _number(where: str, text: str | None) -> float | None:
    from symnet.core.numbers import rational

    try:
        return None if text is None else float(rational(text))
    except SymnetError as error:
        raise OptionError(where, error.found, error.expected) from None


def _class_weight(text: str | None) -> str | dict[int, float] | None:
    """"balanced", or 0:1,1:2.5 as a table."""
    if text is None or ":" not in text:
        return text
    found: dict[int, float] = {}
    for part in text.split(","):
        label, _, weight = part.partition(":")
        if not label.strip().isdigit():
            raise OptionError("--class-weight", repr(part)[:60], '"balanced", or classes with their weights such as 0:1,1:2.5')
        found[int(label)] = _number("--class-weight", weight) or 0.0
    return found


def rule_of(options: Namespace) -> Any:
    """The optimizer that the options describe."""
    from symnet.parsing.worksheet import schedule_call
    from symnet.training.fit import optimizer_for
    from symnet.training.run import schedule_from

    rates = None if options.schedule is None else schedule_from(schedule_call(options.schedule, "--schedule"))
    return optimizer_for(options.optimizer, settings_of(options), rates, options.clip_value, options.clip_norm)
