r"""The lexicon of LaTeX maths. Spacing is dropped; sized brackets are marked as such.

A token is one letter, one run of digits, one command or one sign: ``ab`` is a times b, as LaTeX prints it.
"""

from __future__ import annotations

import re

from symnet.parsing.tokens import GREEK as GREEK_SIGNS
from symnet.parsing.tokens import Lexicon, Token

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
DISPLAYS = "align|aligned|equation|gather|gathered|eqnarray|multline|split"
DISPLAY = re.compile(rf"\\(?:begin|end)\{{(?:{DISPLAYS})\*?\}}")
NUMBERED = re.compile(r"\\(?:label|tag)\*?\{[^{}]*\}|\\(?:nonumber|notag)\b")
# what stands behind a formula and is no part of it: \text{(by the chain rule)}, \in \mathbb{R}^{d \times k}
REMARK = re.compile(r"(?:\\(?:text|textrm|mbox|mathrm)\s*\{\s*\([^{}]*\)\s*\}"
                    r"|\\in\s*\\mathbb\s*(?:\{\s*R\s*\}|R)\s*(?:\^\s*(?:\{[^{}]*\}|\w))?)\s*[.,]?\s*\Z")
BOXED = re.compile(r"(\s*\\boxed\s*\{)((?:[^{}]|\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\})*)\}\s*[.,]?\s*\Z")
SIGNS = {"−": "-", "–": "-", "÷": "/", "′": "'", "\u00a0": " "}

TOKEN = re.compile(r"""
    (?P<space>[\s~]+)
  | (?P<command>\\(?:operatorname\*|[A-Za-z]+|[^A-Za-z\s]|\s))
  | (?P<number>\d+(?:\.\d+)?|\.\d+)
  | (?P<letter>[A-Za-z])
  | (?P<mark>[-+*/^_(){}\[\],.=<>'|&:;])
""", re.X)


def plain(text: str) -> str:
    """Unicode maths signs and Greek letters as LaTeX, without the dollars or brackets around them."""
    named = {**GREEK_SIGNS, **COMMANDS}
    return "".join(f"\\{named[c]} " if c in named else SIGNS.get(c, c) for c in _undressed(_unwrapped(text)))


def _undressed(text: str) -> str:
    r"""Without equation numbers, environments of displays, a box and a remark behind it; spaces keep the columns.

    >>> _undressed(r"\begin{align} a &= b \tag{1} \end{align}").split()
    ['a', '=', 'b']
    """
    if "\\" not in text:
        return text

    def blank(match: re.Match[str]) -> str:
        return " " * len(match[0])
    bare = DISPLAY.sub(blank, text)
    if bare != text and not re.search(r"\\begin\b", bare):  # a matrix or cases keep theirs
        bare = re.sub(r"(?<!\\)&", " ", bare)
    bare = REMARK.sub(blank, NUMBERED.sub(blank, bare))
    boxed = BOXED.match(bare)
    return " " * len(boxed[1]) + boxed[2] if boxed else bare


def _token(kind: str, found: str, column: int, spaced: bool, sized: str) -> Token | None:
    if kind == "space" or (kind == "command" and (found[1:] in SPACING or found[1:].isspace())):
        return None
    if found == "|" and sized:
        return Token("command", (OPENING if sized == "left" else CLOSING)["|"], column, sized=sized)
    if kind != "command":
        return Token(kind, found, column, sized=sized)
    if found == "\\\\":
        return Token("mark", "\\\\", column)
    found = found[1:]
    if sized:
        found = {"left": OPENING, "right": CLOSING}[sized].get("|c" if found == "|" else found, found)
    found = SAME.get(found, found)
    if found in SIZED:
        return Token("sized", "right" if found.endswith(("r", "right")) else "left", column)
    return Token(kind if found[0].isalpha() else "mark", found, column, sized=sized)


def _unwrapped(text: str) -> str:
    r"""Without the dollars or the \( \) or \[ \] around it; spaces keep the columns."""
    for opening, closing in (("$$", "$$"), ("$", "$"), (r"\(", r"\)"), (r"\[", r"\]")):
        bare = text.strip()
        if len(bare) > len(opening) + len(closing) and bare.startswith(opening) and bare.endswith(closing):
            start = text.index(opening)
            return " " * (start + len(opening)) + bare[len(opening):-len(closing)]
    return text


LATEX = Lexicon(TOKEN, plain, _token, MAX_LENGTH, MAX_TOKENS, MAX_DIGITS, "maths in LaTeX")
