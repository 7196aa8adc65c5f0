"""Text to tokens by a lexicon, with limits checked before anything is built; and the lexicon of plain maths, Unicode maths included."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from symnet.errors import ParseError, one_line

MAX_LENGTH, MAX_TOKENS = 12_000, 5000  # a number may be as long as the text

GREEK = {"α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "ζ": "zeta", "η": "eta", "θ": "theta",
         "κ": "kappa", "λ": "lambda", "μ": "mu", "ν": "nu", "ξ": "xi", "π": "pi", "ρ": "rho", "σ": "sigma", "τ": "tau",
         "φ": "phi", "χ": "chi", "ψ": "psi", "ω": "omega", "Σ": "Sigma", "Φ": "Phi", "Ω": "Omega", "Δ": "Delta"}
SIGNS = {"·": "*", "×": "*", "⊙": "*", "∘": "*", "∗": "*", "⋅": "*", "∙": "*", "⊘": "/", "ℒ": "L",
         "−": "-", "–": "-", "÷": "/", "≤": "<=", "≥": ">=", "≠": "!=", "′": "'", "’": "'",
         "½": "(1/2)", "√": " sqrt ", "∂": "d", "‖": "||", "∥": "||", "∑": "sum", "∇": "grad", "\u00a0": " "}
DIGITS = {chr(0x2080 + k): str(k) for k in range(10)}
HATS = {"\u0302": "_hat", "\u0303": "_tilde", "\u0304": "_bar", "\u0305": "_bar"}
RAISED = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ᵀ", "0123456789+-T", strict=True))
LOWERED = DIGITS | dict(zip("ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ₊₋₌", "aehijklmnoprstuvx+-=", strict=True))
BELOW = re.compile(f"[{''.join(LOWERED)}]*[{''.join(LOWERED.keys() - DIGITS.keys())}][{''.join(LOWERED)}]*")  # xᵢ₊₁, but not x₁
ABOVE = re.compile(f"[{''.join(RAISED)}]+")
BOLD, BOLD_END = "\U0001d400", "\U0001d7ff"
CALLED = re.compile("(?<=[A-Za-ce-z0-9])(?=σ[('])")  # wσ(z) is w times σ(z), dσ a slope
NEXT = re.compile("([α-ωΣΦΩ])(?=[A-Za-zα-ωΣΦΩ])")  # πx is pi x

TOKEN = re.compile(r"""
    (?P<space>\s+)
  | (?P<number>[0-9]+(?:\.(?!\.)[0-9]*)?(?:[eE][+-]?[0-9]+)?|\.[0-9]+(?:[eE][+-]?[0-9]+)?)
  | (?P<name>_?[A-Za-z](?:[A-Za-z0-9]|_(?!\())*(?:\{[A-Za-z0-9]+\})?)
  | (?P<quoted>(?<=\()(?:'[^'"]*'|"[^'"]*"))
  | (?P<mark>\.\.|\*\*|\|\||<=|>=|==|!=|:=|[-+*/^@()\[\]{}|,.=<>':⊗⊤])
""", re.X)


@dataclass(frozen=True, slots=True)
class Token:
    """``kind`` is number, name, letter, command, mark, quoted or end; a command's text has no backslash.

    ``column`` counts from 1 in the text as typed; ``spaced`` tells of a space before it; ``sized`` is left, right or "".
    """

    kind: str
    text: str
    column: int
    spaced: bool = False
    sized: str = ""


@dataclass(frozen=True, slots=True)
class Lexicon:
    """How a text is cut. ``token`` makes a token of the kind, the text, the column, whether a space stands before it, and the size of the
    bracket it is to be; None drops it, as spacing is. A number has at most ``most_digits``."""

    pattern: re.Pattern[str]
    plain: Callable[[str], str]
    token: Callable[[str, str, int, bool, str], Token | None]
    most_length: int
    most_tokens: int
    most_digits: int
    maths: str = "maths"
    no_comma: str = ""


def plain(text: str) -> str:
    """Unicode maths signs, Greek letters, hats, raised and subscript digits as plain text.

    >>> plain("ŷ − σ(πx₁)²")
    'y_hat - sigma(pi x1)^{2} '
    >>> plain("Σₙ rₙ xₙⱼ₊₁")
    'Sigma_{n} r_{n} x_{nj+1}'
    """
    if text.isascii():
        return text
    text = "".join(map(_bare, text))
    text = BELOW.sub(lambda m: "_{" + "".join(LOWERED[c] for c in m[0]) + "}", text)
    text = CALLED.sub(" ", NEXT.sub(r"\1 ", text))
    text = ABOVE.sub(lambda m: "^⊤ " if m[0] == "ᵀ" else "^{" + "".join(RAISED[c] for c in m[0]) + "} ", text)
    text = re.sub(r"(?<!\^)(?<!\^\{)⊤", "^⊤ ", text)
    return "".join(GREEK.get(c) or SIGNS.get(c) or DIGITS.get(c) or c for c in text)


def _bare(sign: str) -> str:
    """A letter with a hat, a tilde or a bar as letters alone: ŷ is y_hat."""
    if BOLD <= sign <= BOLD_END:  # letters and digits of mathematics, bold, italic or both
        sign = f" {unicodedata.normalize('NFKC', sign)}" if sign in "𝟏𝟙" else unicodedata.normalize("NFKC", sign)
    parts = unicodedata.normalize("NFD", sign)
    return parts[:-1] + HATS[parts[-1]] if parts[-1] in HATS and parts[:-1].isalpha() else HATS.get(sign, sign)


def _token(kind: str, found: str, column: int, spaced: bool, sized: str) -> Token | None:
    if kind == "space":
        return None
    return Token(kind, found.replace("{", "").replace("}", "") if kind == "name" else found, column, spaced)


PLAIN = Lexicon(TOKEN, plain, _token, MAX_LENGTH, MAX_TOKENS, MAX_LENGTH, no_comma="a decimal point, not a comma")


def tokenize(text: str, where: str, lexicon: Lexicon = PLAIN) -> list[Token]:
    """The tokens of ``text``; raises ParseError with the column of the first thing that is not maths."""
    if len(text) > lexicon.most_length:
        raise ParseError(where, f"{len(text)} characters", f"at most {lexicon.most_length}")
    source, tokens, position, spaced, sized = lexicon.plain(text), list[Token](), 0, False, ""
    cut, make, end = lexicon.pattern.match, lexicon.token, len(source)
    while position < end:
        match = cut(source, position)
        if match is None:
            raise ParseError(f"{where}, column {position + 1}", f"the character {one_line(source[position])!r}", lexicon.maths,
                             lexicon.no_comma if source[position] == "," else "")
        kind, found = match.lastgroup or "", match.group()
        if kind == "number" and len(found) > lexicon.most_digits:
            raise ParseError(f"{where}, column {position + 1}", "a number that is too long", f"at most {lexicon.most_digits} digits")
        token = make(kind, found, position + 1, spaced, sized)
        position += len(found)
        if token is None:
            spaced = True
            continue
        if token.kind == "sized":
            sized = token.text
            continue
        tokens.append(token)
        spaced, sized = False, ""
        if len(tokens) > lexicon.most_tokens:
            raise ParseError(where, "too many symbols", f"at most {lexicon.most_tokens}")
    return [*tokens, Token("end", "", end + 1)]
