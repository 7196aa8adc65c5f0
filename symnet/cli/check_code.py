"""symnet check FILE.py:FUNCTION --worksheet W: a hand-written NumPy backward pass, judged."""

from __future__ import annotations

from argparse import Namespace

from symnet.errors import OptionError


def check_code(place: str, options: Namespace) -> int:
    """Run the user's own function on symbolic arrays and judge each gradient it returns."""
    raise OptionError("check", place, "a worksheet (.toml) or a page of worked lines (.md, .txt)")
