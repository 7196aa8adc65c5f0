r"""LaTeX to tokens, with limits checked before anything is built. Spacing is dropped; sized brackets are marked as such.

A token is one letter, one run of digits, one command or one sign: ``ab`` is a times b, as LaTeX prints it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from symnet.errors import ParseError, one_line
from symnet.parsing.tokens import GREEK as GREEK_SIGNS

MAX_LENGTH, MAX_TOKENS, MAX_DIGITS = 12_000, 5000, 40

SPACING = frozenset({",", ";", ":", "!", " ", ">", "quad", "qquad", "displaystyle", "textstyle", "scriptstyle", "thinspace", "limits",
                     "nolimits", "medspace", "big", "Big", "bigg", "Bigg"})
SIZED = frozenset({"left", "right", "bigl", "bigr", "Bigl", "Bigr", "biggl", "biggr", "Biggl", "Biggr", "middle"})
OPENING = {"|": "lvert", "Vert": "lVert", "lVert": "lVert", "lvert": "lvert", "|c": "lVert"}
CLOSING = {"|": "rvert", "Vert": "rVert", "rVert": "rVert", "rvert": "rvert", "|c": "rVert"}
SAME = {"lbrack": "[", "rbrack": "]", "lparen": "(", "rparen": ")", "lbrace": r"\{", "rbrace": r"\}", "{": r"\{", "}": r"\}",
        "leq": "le", "leqslant": "le", "geq": "ge", "geqslant": "ge", "neq": "ne", "lt": "<", "gt": ">", "ast": "*", "intercal": "top",
        "circ": "odot", "operatorname*": "operatorname", "dfrac": "frac", "tfrac": "frac", "cfrac": "frac",
        "|": "Vert", "vert": "|", "varepsilon": "epsilon", "varphi": "phi", "vartheta": "theta", "bm": "mathbf", "boldsymbol": "mathbf",
        "vec": "mathbf", "mathbbm": "mathbb", "mathds": "mathbb", "widehat": "hat", "widetilde": "tilde", "overline": "bar",
        "textrm": "text", "mbox": "text", "sb": "_", "sp": "^"}
COMMANDS = {"·": "cdot", "×": "times", "⊙": "odot", "≤": "le", "≥": "ge", "≠": "ne", "⊤": "top", "∂": "partial", "∑": "sum", "∇": "nabla"}
SIGNS = {"−": "-", "–": "-", "÷": "/", "′": "'", "\u00a0": " "}

TOKEN = re.compile(r"""
    (?P<space>[\s~]+)
  | (?P<command>\\(?:operatorname\*|[A-Za-z]+|[^A-Za-z\s]|\s))
  | (?P<number>\d+(?:\.\d+)?|\.\d+)
  | (?P<letter>[A-Za-z])
  | (?P<mark>[-+*/^_(){}\[\],.=<>'|&:;])
""", re.X)


@dataclass(frozen=True, slots=True)
class Token:
    """``kind`` is number, letter, command, mark or end; a command's text has no backslash. ``sized`` is left, right or ""."""

    kind: str
    text: str
    column: int
    sized: str = ""

    @property
    def shown(self) -> str:
        """The token as typed, for a message."""
        if self.kind == "end":
            return "the end"
        text = "\\" + self.text if self.kind == "command" and not self.text.startswith("\\") else self.text
        return repr(text[:40])


def plain(text: str) -> str:
    """Unicode maths signs and Greek letters as LaTeX."""
    named = {**GREEK_SIGNS, **COMMANDS}
    return "".join(f"\\{named[c]} " if c in named else SIGNS.get(c, c) for c in text)


def tokenize(text: str, where: str) -> list[Token]:
    """The tokens of ``text``; raises ParseError with the column of the first thing that is not LaTeX maths."""
    if len(text) > MAX_LENGTH:
        raise ParseError(where, f"{len(text)} characters", f"at most {MAX_LENGTH}")
    source, tokens, position, sized = plain(_unwrapped(text)), [], 0, ""
    while position < len(source):
        match = TOKEN.match(source, position)
        if match is None:
            raise ParseError(f"{where}, column {position + 1}", f"the character {one_line(source[position])!r}", "maths in LaTeX")
        kind, found, column = match.lastgroup or "", match.group(), position + 1
        position = match.end()
        if kind == "number" and len(found) > MAX_DIGITS:
            raise ParseError(f"{where}, column {column}", "a number that is too long", f"at most {MAX_DIGITS} digits")
        if kind == "space" or (kind == "command" and (found[1:] in SPACING or found[1:].isspace())):
            continue
        token = _token(kind, found, column, sized)
        if token.kind == "command" and token.text in SIZED:
            sized = "right" if token.text.endswith(("r", "right")) else "left"
            continue
        sized = ""
        tokens.append(token)
        if len(tokens) > MAX_TOKENS:
            raise ParseError(where, "too many symbols", f"at most {MAX_TOKENS}")
    return [*tokens, Token("end", "", len(source) + 1)]


def _token(kind: str, found: str, column: int, sized: str) -> Token:
    if kind == "command":
        if found == "\\\\":
            return Token("mark", "\\\\", column)
        found = found[1:]
        if sized:
            found = {"left": OPENING, "right": CLOSING}[sized].get("|c" if found == "|" else found, found)
        found = SAME.get(found, found)
        kind = "mark" if not found[0].isalpha() else kind
    elif found == "|" and sized:
        return Token("command", (OPENING if sized == "left" else CLOSING)["|"], column, sized)
    return Token(kind, found, column, sized)


def _unwrapped(text: str) -> str:
    r"""Without the dollars or the \( \) or \[ \] around it; spaces keep the columns."""
    for opening, closing in (("$$", "$$"), ("$", "$"), (r"\(", r"\)"), (r"\[", r"\]")):
        bare = text.strip()
        if len(bare) > len(opening) + len(closing) and bare.startswith(opening) and bare.endswith(closing):
            start = text.index(opening)
            return " " * (start + len(opening)) + bare[len(opening):-len(closing)]
    return text
