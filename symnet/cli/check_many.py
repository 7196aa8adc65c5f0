"""symnet check FILES -j N: many worksheets at once."""

from __future__ import annotations

from argparse import Namespace

from symnet.errors import OptionError


def check_many(options: Namespace) -> int:
    """Every answer of every file, a summary at the end."""
    raise OptionError("check", f"{len(options.files)} files", "one worksheet (.toml) or page of worked lines (.md, .txt)")
