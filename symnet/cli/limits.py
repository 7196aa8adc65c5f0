"""The options that say what one answer may take. Light, so that a process can be started before anything heavy is loaded."""

from __future__ import annotations

from argparse import Namespace

from symnet.batch.tasks import LIGHT, PRELOAD, Limits
from symnet.errors import OptionError

MOST_JOBS = 256


def limits_of(options: Namespace, many: bool = True) -> Limits:
    """--jobs, --time and --memory, checked."""
    if not 1 <= options.jobs <= MOST_JOBS:
        raise OptionError("--jobs", str(options.jobs), f"1 to {MOST_JOBS}")
    if not 0 < options.time <= 1e6:  # nan fails too
        raise OptionError("--time", str(options.time), "a number of seconds above 0")
    if not 1 <= options.memory <= 1 << 30:
        raise OptionError("--memory", str(options.memory), "a number of megabytes above 0")
    return Limits(options.time, options.memory, PRELOAD if many else LIGHT)
