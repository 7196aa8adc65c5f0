"""The options that say how to train: an optimizer, its settings, a schedule and a clipping."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from symnet.errors import OptionError


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
    """What the command line changes in the [training] table of a worksheet."""
    from symnet.parsing.worksheet import schedule_call

    changes = {"optimizer": options.optimizer, "learning_rate": options.lr, "epochs": options.epochs, "batch_size": options.batch_size,
               "seed": options.seed, "clip_value": options.clip_value, "clip_norm": options.clip_norm, "init": options.init,
               "schedule": None if options.schedule is None else schedule_call(options.schedule, "--schedule"),
               "settings": settings_of(options) or None}
    return {k: v for k, v in changes.items() if v is not None}


def rule_of(options: Namespace) -> Any:
    """The optimizer that the options describe."""
    from symnet.parsing.worksheet import schedule_call
    from symnet.training.fit import optimizer_for
    from symnet.training.run import schedule_from

    rates = None if options.schedule is None else schedule_from(schedule_call(options.schedule, "--schedule"))
    return optimizer_for(options.optimizer, settings_of(options), rates, options.clip_value, options.clip_norm)
