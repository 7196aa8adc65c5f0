"""The options that say what the arguments and the returned values of a NumPy function are, as ``sn.check_code`` takes them."""

from __future__ import annotations

import re
from argparse import Namespace
from typing import Any

from symnet.errors import OptionError

WORDS = {"True": True, "False": False, "None": None}
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?")
OWN = ("shape", "example", "wrt")  # for functions with a backward of their own
MOST = 60  # characters of an option that are repeated in an error


def code_options(options: Namespace) -> dict[str, Any]:
    """--argument, --labels, --returns and --sizes as keywords of ``sn.check_code``. Raises OptionError, one line for each mistake."""
    arguments = {name: _value(text) for name, text in _pairs(options.argument, "--argument", "w=W1 or eps=1e-5")}
    labels = dict(_pairs(options.labels, "--labels", "y=Y"))
    if both := next((name for name in labels if name in arguments), ""):
        raise OptionError("--labels", f"{both}, which --argument names too", "each argument once")
    sizes = [dict(_size(part) for part in text.split(",")) for text in options.sizes]
    returns = tuple(name.strip() for name in (options.returns or "").split(","))
    if options.returns is not None and not all(returns):
        raise OptionError("--returns", repr(options.returns)[:MOST], "names in the order of what is returned, such as loss,W1,b1")
    return {"arguments": arguments, "labels": labels, "returns": returns if options.returns is not None else (), "sizes": sizes or None}


def refuse_code_options(options: Namespace) -> None:
    """Raise where an option for code stands beside something else: it would be passed over in silence."""
    for name in ("argument", "labels", "returns", "sizes", *OWN):
        if getattr(options, name):
            wanted = "NumPy code, FILE.py:FUNCTION" if name not in OWN else "a torch.autograd.Function or a JAX function, FILE.py:NAME"
            raise OptionError(f"--{name}", options.files[0], wanted)


def _pairs(texts: list[str], option: str, example: str) -> list[tuple[str, str]]:
    found: dict[str, str] = {}
    for text in texts:
        name, sign, value = (part.strip() for part in text.partition("="))
        if not sign or not name.isidentifier() or not value:
            raise OptionError(option, repr(text)[:MOST], f"such as {example}")
        if name in found:
            raise OptionError(option, f"{name} twice", "each argument once")
        found[name] = value
    return list(found.items())


def _value(text: str) -> Any:
    """What a fixed value says: a number, True, False or None; any other text is the name of an input or a size."""
    if text in WORDS:
        return WORDS[text]
    if NUMBER.fullmatch(text):
        return int(text) if text.lstrip("+-").isdigit() else float(text)
    return text


def sizes_of(texts: list[str]) -> dict[str, int]:
    """--sizes, all together. Raises OptionError for what is no size, and for one that is given twice."""
    found: dict[str, int] = {}
    for name, size in (_size(part) for text in texts for part in text.split(",")):
        if name in found:
            raise OptionError("--sizes", f"{name} twice", "each size once")
        found[name] = size
    return found


def _size(part: str) -> tuple[str, int]:
    name, _, value = (p.strip() for p in part.partition("="))
    if not name.isidentifier() or not (value.isascii() and value.isdigit() and 1 <= len(value) <= 3 and int(value)):
        raise OptionError("--sizes", repr(part)[:MOST], "a name and a whole number up to 999 for each size, such as N=3,d=2")
    return name, int(value)
