"""Brackets around pieces of NumPy source."""

from __future__ import annotations


def atom(code: str) -> str:
    """Brackets unless the text is a name, a number, or already one bracketed or called whole."""
    if code.replace("_", "a").replace(".", "a").isalnum():
        return code
    depth = 0
    for k, c in enumerate(code):
        depth += (c in "([") - (c in ")]")
        if (depth == 0 and c in " +-*/@%<>=&,") or (depth == 0 and c == "-"):
            return f"({code})"
        if depth == 0 and k == len(code) - 1:
            return code
    return f"({code})"


def factor(code: str) -> str:
    """One factor of a product; a leading minus needs no brackets."""
    return code if code.startswith("-") and atom(code[1:]) == code[1:] else atom(code)


def divisor(parts: list[str]) -> str:
    """What stands below the fraction stroke."""
    return atom(parts[0]) if len(parts) == 1 else "(" + "*".join(atom(p) for p in parts) + ")"


def whole(code: str) -> bool:
    """Is the text one pair of brackets with all else inside?"""
    if not (code.startswith("(") and code.endswith(")")):
        return False
    depth = 0
    for k, c in enumerate(code):
        depth += (c == "(") - (c == ")")
        if depth == 0:
            return k == len(code) - 1
    return False
