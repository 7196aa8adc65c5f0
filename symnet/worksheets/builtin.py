"""Find a worksheet or a text that comes with symnet by its plain name."""

from __future__ import annotations

import re
import tomllib
from importlib.resources import files

from symnet.errors import WorksheetError, did_you_mean, shown

NAME = re.compile(r"[a-z0-9-]{1,40}\Z")


def plain_name(text: str) -> bool:
    """True for what looks like the name of a worksheet that comes with symnet, and not like a file."""
    return NAME.match(text.lower()) is not None


def names() -> list[str]:
    """The names of the worksheets that come with symnet."""
    return sorted(f.name[:-5] for f in files(__package__).iterdir() if f.name.endswith(".toml"))


def titles() -> dict[str, str]:
    """The title of each, by its name.

    >>> titles()["xor"]
    'Exclusive or with two hidden neurons'
    """
    return {name: str(tomllib.loads(worksheet_text(name)).get("title", "")) for name in names()}


def worksheet_text(name: str) -> str:
    """The text of the worksheet called ``name``. Raises WorksheetError for any other name.

    >>> "title" in worksheet_text("first")
    True
    """
    if not NAME.match(name) or name not in names():
        raise WorksheetError("worksheet", f"no file and no worksheet named {shown(name)}", "a file, or one of " + ", ".join(names()),
                             did_you_mean(name, names()))
    return files(__package__).joinpath(f"{name}.toml").read_text(encoding="utf-8")


def lines_text(file: str) -> str:
    """A text of worked lines that comes with symnet."""
    place = files("symnet.data").joinpath(file)
    if not re.fullmatch(r"[a-z0-9-]{1,40}\.txt", file) or not place.is_file():
        raise WorksheetError("[errata]", f"no text named {file[:60]!r}", "the name of a text that comes with symnet")
    return place.read_text(encoding="utf-8")
