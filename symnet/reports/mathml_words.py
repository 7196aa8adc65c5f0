"""The arguments that are words: names, text and letters of an alphabet. Each becomes one Leaf, character by character."""

from __future__ import annotations

import re

from symnet.errors import UnknownNodeError
from symnet.reports.mathml_tables import ALPHABETS, CAPITALS, GREEK, NAMES, TEXTS, UPRIGHT, Leaf, in_alphabet

NAME = re.compile(r"(?:[A-Za-z0-9,'.: -]|\\_|\\,)*\Z")
PIECE = re.compile(r"\\[A-Za-z]+|\\.|.", re.S)
IN_TEXT = {r"\%": "%", r"\_": "_", r"\&": "&", r"\#": "#", r"\$": "$", r"\{": "{", r"\}": "}", r"\ ": " ", r"\,": " ", "~": " "}
NOT_IN_TEXT = "$#^_%&"
HARD = "\u00a0"  # MathML drops ordinary spaces at the ends of a token
WORDS = (*NAMES, *TEXTS, *ALPHABETS)
LETTERS = {**GREEK, **CAPITALS}


def refused(position: int, found: str, expected: str = "") -> UnknownNodeError:
    """The error for LaTeX that is not symnet's; ``position`` counts characters from 1."""
    return UnknownNodeError(f"LaTeX, position {position}", found, expected or "LaTeX in the form that symnet prints")


def word(command: str, raw: str, position: int) -> Leaf:
    """The Leaf of ``\\command{raw}``; ``position`` is where ``raw`` begins."""
    if command in TEXTS:
        return Leaf("mtext", _text(raw, position))
    if command in ALPHABETS:
        return _letters(command, raw, position)
    if not NAME.match(raw):
        raise refused(position, f"'{raw}' as a name", "letters, digits and commas")
    name = raw.replace(r"\_", "_").replace(r"\,", " ").strip().replace(" ", HARD)
    return Leaf("mi", name, UPRIGHT if len(name) == 1 else (), "function" if command == "operatorname" else "")


def _text(raw: str, position: int) -> str:
    shown = ""
    for match in PIECE.finditer(raw):
        piece = match.group()
        plain = IN_TEXT.get(piece, piece)
        if piece not in IN_TEXT and (piece[0] == "\\" or piece in NOT_IN_TEXT or not (piece.isprintable() or piece.isspace())):
            raise refused(position + match.start(), f"'{piece}' in text", "plain words")
        shown += HARD if plain.isspace() else plain
    return shown


def _letters(font: str, raw: str, position: int) -> Leaf:
    shown = ""
    for match in PIECE.finditer(raw):
        piece = match.group()
        if piece.isspace():
            continue
        char = LETTERS.get(piece[1:], "") if piece[0] == "\\" else piece
        styled = in_alphabet(font, char) if len(char) == 1 else None
        if styled is None:
            raise refused(position + match.start(), f"'{piece}' in \\{font}", "letters and digits")
        shown += styled
    if not shown:
        raise refused(position, f"nothing in \\{font}", "letters and digits")
    return Leaf("mn" if raw.strip().isdigit() else "mi", shown)
