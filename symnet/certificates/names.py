"""Names in a certificate: none of the user's is written as it is, so none is a word of the kernel's language or of its libraries."""

from __future__ import annotations

from collections.abc import Iterable

PREFIX = "v_"


def safe_name(name: str) -> str:
    """``name`` as an identifier that no library has: letters and digits after a prefix, any other sign by its number.

    >>> safe_name("forall"), safe_name("w1"), safe_name("é")
    ('v_forall', 'v_w1', "v_'e9")
    """
    return PREFIX + "".join(ch if ch.isascii() and (ch.isalnum() or ch == "_") else f"'{ord(ch):x}" for ch in name)


def comment(text: str) -> str:
    """``text`` as it may stand within a comment: one line of ASCII that opens and ends no comment and begins no string.

    >>> comment('a (* b *) "c"')
    "a ( * b * ) 'c'"
    """
    clean = " ".join(text.split()).replace('"', "'").replace("*)", "* )").replace("(*", "( *").replace("-/", "- /").replace("/-", "/ -")
    return "".join(ch if ch.isascii() and ch.isprintable() else "?" for ch in clean)


def legend(lines: Iterable[str]) -> str:
    """A comment of several lines."""
    return "(* " + "\n   ".join(comment(line) for line in lines) + " *)"
