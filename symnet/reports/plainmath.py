"""Our own LaTeX as one line of plain Unicode: X^{\\top} D_{1} becomes Xᵀ D₁. For the terminal, where nothing is typeset."""

from __future__ import annotations

import re

LOW = str.maketrans("0123456789+-=()aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ")
HIGH = str.maketrans("0123456789+-=()", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾")
WORDS = {r"\top": "ᵀ", r"\odot": "⊙", r"\oslash": "⊘", r"\cdot": "·", r"\times": "×", r"\partial": "∂", r"\sigma": "σ", r"\delta": "δ",
         r"\nabla": "∇", r"\approx": "≈", r"\le": "≤", r"\ge": "≥", r"\ne": "≠", r"\mid": "|", r"\infty": "∞", r"\pi": "π",
         r"\alpha": "α", r"\beta": "β", r"\varepsilon": "ε", r"\mu": "μ", r"\rho": "ρ", r"\theta": "θ", r"\lambda": "λ",
         r"\gamma": "γ", r"\eta": "η", r"\tau": "τ", r"\phi": "φ", r"\psi": "ψ", r"\omega": "ω", r"\epsilon": "ε", r"\kappa": "κ",
         r"\lVert": "‖", r"\rVert": "‖", r"\quad": " ", r"\,": " ", r"\ldots": "…", r"\left": "", r"\right": "", r"\sum": "Σ"}
TOKEN = re.compile(r"\\[A-Za-z]+|\\.|[{}_^]|[^\\{}_^]")


def plain_math(latex: str) -> str:
    """One line of text for a formula in the commands that symnet's printers use; an unknown command keeps its name.

    >>> plain_math(r"\\frac{\\partial L}{\\partial W_{2}} = A_{1}^{\\top} D_{2}")
    '∂L/∂W₂ = A₁ᵀ D₂'
    """
    text, _ = _read(TOKEN.findall(latex), 0)
    return re.sub(r" +", " ", text).strip()


def _read(tokens: list[str], at: int) -> tuple[str, int]:
    """Text up to the closing brace."""
    out = ""
    while at < len(tokens) and tokens[at] != "}":
        token = tokens[at]
        if token == r"\frac":
            above, at = _group(tokens, at + 1)
            below, at = _group(tokens, at)
            out += f"{_whole(above)}/{_whole(below)}"
        elif token in ("_", "^"):
            inner, at = _group(tokens, at + 1)
            out = out.rstrip() + _script(inner, token)
        elif token == "{":
            inner, at = _group(tokens, at)
            out += inner
        elif token == r"\sqrt":
            inner, at = _group(tokens, at + 1)
            out += f"√{inner}" if len(inner) == 1 else f"√({inner})"
        elif token == r"\hat":
            inner, at = _group(tokens, at + 1)
            out += f"{inner}\u0302" if len(inner) == 1 else inner  # a combining circumflex
        elif token in (r"\mathbf", r"\mathrm", r"\operatorname", r"\text", r"\tilde", r"\mathbb"):
            inner, at = _group(tokens, at + 1)
            out += inner
        else:
            out, at = _word(out, token, tokens, at)
    return out, at


def _word(out: str, token: str, tokens: list[str], at: int) -> tuple[str, int]:
    word = WORDS.get(token, token[1:] if token.startswith("\\") else token)
    at += 1
    if token == r"\partial" and at < len(tokens) and tokens[at] == " ":
        at += 1
    return out + word, at


def _group(tokens: list[str], at: int) -> tuple[str, int]:
    while at < len(tokens) and tokens[at] == " ":
        at += 1
    if at < len(tokens) and tokens[at] == "{":
        inner, end = _read(tokens, at + 1)
        return inner.strip(), end + 1
    return (WORDS.get(tokens[at], tokens[at].lstrip("\\")), at + 1) if at < len(tokens) else ("", at)


def _whole(text: str) -> str:
    """Brackets around what a slash would take apart."""
    return f"({text})" if re.search(r" [-+⊙·] | (?!/)", text.strip()) and not text.startswith("∂") else text


def _script(inner: str, mark: str) -> str:
    if inner == "ᵀ":
        return inner
    table = LOW if mark == "_" else HIGH
    known = all(ord(c) in table for c in inner)
    return inner.translate(table) if known else f"{mark}({inner})" if len(inner) > 1 and not inner.startswith("(") else f"{mark}{inner}"
