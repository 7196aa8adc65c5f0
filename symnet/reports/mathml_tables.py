"""What LaTeX the reports may hold, and the exact MathML leaf that each symbol becomes. What is not here is refused."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Node:
    """A MathML element. ``kind`` is its part in the spacing of a row; "" is an operand."""

    tag: str
    text: str = ""
    attrs: dict[str, str] = field(default_factory=dict)
    kids: list[Node] = field(default_factory=list)
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A token element as the tables give it; a formula gets a fresh Node of it each time."""

    tag: str
    text: str = ""
    attrs: tuple[tuple[str, str], ...] = ()
    kind: str = ""

    def node(self) -> Node:
        return Node(self.tag, self.text, dict(self.attrs), [], self.kind)


UPRIGHT = (("mathvariant", "normal"),)
THIN = "0.1667em"

GREEK = dict(zip("""alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi pi rho sigma
tau upsilon phi varphi chi psi omega""".split(), "αβγδϵεζηθϑικλμνξπρστυϕφχψω", strict=True))
CAPITALS = dict(zip("Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega".split(), "ΓΔΘΛΞΠΣΥΦΨΩ", strict=True))
FUNCTIONS = ("arccos", "arcsin", "arctan", "arg", "cos", "cosh", "cot", "deg", "dim", "exp", "ker", "ln", "log", "sec", "sin",
             "sinh", "tan", "tanh")
LIMITS = ("lim", "max", "min", "sup", "inf", "det")

RELATIONS = {"le": "≤", "leq": "≤", "ge": "≥", "geq": "≥", "ne": "≠", "neq": "≠", "approx": "≈", "equiv": "≡", "sim": "∼",
             "simeq": "≃", "propto": "∝", "lt": "<", "gt": ">", "in": "∈", "notin": "∉", "ni": "∋", "subset": "⊂",
             "subseteq": "⊆", "mid": "∣", "parallel": "∥", "perp": "⟂", "ll": "≪", "gg": "≫", "leftarrow": "←", "gets": "←",
             "rightarrow": "→", "to": "→", "leftrightarrow": "↔", "mapsto": "↦", "Leftarrow": "⇐", "Rightarrow": "⇒",
             "Leftrightarrow": "⇔", "implies": "⟹", "iff": "⟺", "longrightarrow": "⟶", "Longrightarrow": "⟹", "vdash": "⊢",
             "models": "⊨"}
BINARIES = {"cdot": "·", "times": "×", "div": "÷", "pm": "±", "mp": "∓", "odot": "⊙", "oslash": "⊘", "otimes": "⊗",
            "oplus": "⊕", "circ": "∘", "ast": "∗", "star": "⋆", "wedge": "∧", "vee": "∨", "land": "∧", "lor": "∨", "cup": "∪",
            "cap": "∩", "setminus": "∖", "bullet": "∙"}
LETTERLIKE = {"infty": "∞", "nabla": "∇", "top": "⊤", "bot": "⊥", "forall": "∀", "exists": "∃", "emptyset": "∅", "hbar": "ℏ",
              "ldots": "…", "dots": "…", "cdots": "⋯", "vdots": "⋮", "ddots": "⋱", "prime": "′", "dagger": "†", "neg": "¬",
              "lnot": "¬", "therefore": "∴", "blacksquare": "■", "checkmark": "✓", "Re": "ℜ", "Im": "ℑ"}
LARGE = {"sum": "∑", "prod": "∏", "bigcup": "⋃", "bigcap": "⋂"}
INTEGRALS = {"int": "∫"}
SPACES = {",": THIN, ":": "0.2222em", ">": "0.2222em", ";": "0.2778em", "!": "-0.1667em", " ": "0.25em", "quad": "1em",
          "qquad": "2em"}
OPENERS = {"(": "(", "[": "[", "{": "{", "lbrace": "{", "lbrack": "[", "lvert": "|", "lVert": "‖", "langle": "⟨", "lfloor": "⌊",
           "lceil": "⌈"}
CLOSERS = {")": ")", "]": "]", "}": "}", "rbrace": "}", "rbrack": "]", "rvert": "|", "rVert": "‖", "rangle": "⟩", "rfloor": "⌋",
           "rceil": "⌉"}
DELIMITERS = {**OPENERS, **CLOSERS, "|": "|", "vert": "|", "Vert": "‖", ".": "", "/": "/"}
PLAIN = {"(", ")", "[", "]", "|", ".", "/"}  # delimiters written without a backslash; \| is the double bar


def _symbols() -> dict[str, Leaf]:
    """Command without its backslash -> leaf."""
    zero = (("lspace", "0"), ("rspace", "0"))
    table = {name: Leaf("mi", char) for name, char in {**GREEK, "ell": "ℓ", "partial": "∂"}.items()}
    table |= {name: Leaf("mi", char, UPRIGHT if len(char) == 1 else ()) for name, char in CAPITALS.items()}
    table |= {name: Leaf("mi", char, UPRIGHT if name == "nabla" else ()) for name, char in LETTERLIKE.items()}
    table |= {name: Leaf("mi", name, (), "function") for name in FUNCTIONS}
    table |= {name: Leaf("mo", name, (("movablelimits", "true"), *zero), "limits") for name in LIMITS}
    table |= {name: Leaf("mo", char, (), "relation") for name, char in RELATIONS.items()}
    table |= {name: Leaf("mo", char, (), "binary") for name, char in BINARIES.items()}
    table |= {name: Leaf("mo", char, (), "large") for name, char in LARGE.items()}
    table |= {name: Leaf("mo", char, (), "integral") for name, char in INTEGRALS.items()}
    table |= {name: Leaf("mspace", "", (("width", width),), "space") for name, width in SPACES.items()}
    table |= {name: Leaf("mo", char, (("form", "prefix"), ("stretchy", "false")), "open") for name, char in OPENERS.items()}
    table |= {name: Leaf("mo", char, (("form", "postfix"), ("stretchy", "false")), "close") for name, char in CLOSERS.items()}
    table |= {name: Leaf("mo", char, (("stretchy", "false"), *zero), "mark")
              for name, char in {"vert": "|", "Vert": "‖", "|": "‖"}.items()}
    table["colon"] = Leaf("mo", ":", (("lspace", "0"), ("rspace", "0.2222em")), "comma")
    table["%"] = Leaf("mtext", "%")
    return table


def _characters() -> dict[str, Leaf]:
    """A character by itself -> leaf."""
    table = {char: Leaf("mo", char, (), "relation") for char in "=<>:"}
    table |= {"+": Leaf("mo", "+", (), "sign"), "-": Leaf("mo", "−", (), "sign"), "*": Leaf("mo", "∗", (), "binary")}
    table |= {char: Leaf("mo", char, (), "comma") for char in ",;"}
    table |= {char: Leaf("mo", char, (("lspace", "0"), ("rspace", "0")), "mark") for char in "/.!?"}
    table |= {char: Leaf("mo", char, (("form", "prefix"), ("stretchy", "false")), "open") for char in "(["}
    table |= {char: Leaf("mo", char, (("form", "postfix"), ("stretchy", "false")), "close") for char in ")]"}
    table["|"] = Leaf("mo", "|", (("stretchy", "false"), ("lspace", "0"), ("rspace", "0")), "mark")
    table["~"] = Leaf("mspace", "", (("width", SPACES[" "]),), "space")
    return table


SYMBOLS = _symbols()
CHARACTERS = _characters()

GAP = Leaf("mspace", "", (("width", THIN),), "gap")  # symnet prints a (1 - a) for a product and f(x) for an application
FRACTIONS = ("frac", "dfrac", "tfrac")
OVER = {"hat": "ˆ", "tilde": "˜", "bar": "¯", "dot": "˙", "widehat": "\u0302", "overline": "‾", "overbrace": "⏞"}
UNDER = {"underbrace": "⏟", "underline": "_"}
# Chromium cuts a stretched mark off where the screen tile ends, unless its box is known to paint further out than it is wide
REACH = ("style", "box-shadow:0 0 0 9em transparent")
ACCENTS = {name: Leaf("mo", char, (("stretchy", "false"),), "accent") if name in ("hat", "tilde", "bar", "dot") else
           Leaf("mo", char, (("stretchy", "true"), REACH), "brace" if name.endswith("brace") else "accent")
           for name, char in {**OVER, **UNDER}.items()}
ENVIRONMENTS = {"cases": ("", ""), "matrix": ("", ""), "bmatrix": ("[", "]"), "pmatrix": ("(", ")"), "vmatrix": ("|", "|"),
                "aligned": ("", ""), "split": ("", "")}
NAMES = ("mathrm", "operatorname")
TEXTS = ("text", "textrm", "mathit", "textbf")

# (capital A, small a, digit 0) of each alphabet; Greek of the bold ones: (capital Alpha, small alpha)
ALPHABETS = {"mathbf": (0x1D400, 0x1D41A, 0x1D7CE), "boldsymbol": (0x1D468, 0x1D482, 0x1D7CE),
             "mathbb": (0x1D538, 0x1D552, 0x1D7D8), "mathcal": (0x1D49C, 0x1D4B6, None), "mathsf": (0x1D5A0, 0x1D5BA, 0x1D7E2),
             "mathtt": (0x1D670, 0x1D68A, 0x1D7F6)}
GREEKS = {"mathbf": (0x1D6A8, 0x1D6C2), "boldsymbol": (0x1D71C, 0x1D736)}
# letters that Unicode had before the alphabets, so that their place in the alphabet is empty
EARLIER = {("mathbb", c): v for c, v in zip("CHNPQRZ", "ℂℍℕℙℚℝℤ", strict=True)} | \
          {("mathcal", c): v for c, v in zip("BEFHILMRego", "ℬℰℱℋℐℒℳℛℯℊℴ", strict=True)}
GREEK_ODD = {"ϵ": 26, "ϑ": 27, "ϕ": 29}  # places after omega, counted from alpha


def in_alphabet(font: str, char: str) -> str | None:
    """The code point of ``char`` in the alphabet of ``font``, or None.

    >>> in_alphabet("mathbf", "1"), in_alphabet("mathbb", "R"), in_alphabet("mathcal", "7")
    ('𝟏', 'ℝ', None)
    """
    if (font, char) in EARLIER:
        return EARLIER[font, char]
    capital, small, digit = ALPHABETS[font]
    if "A" <= char <= "Z":
        return chr(capital + ord(char) - ord("A"))
    if "a" <= char <= "z":
        return chr(small + ord(char) - ord("a"))
    if "0" <= char <= "9" and digit is not None:
        return chr(digit + ord(char) - ord("0"))
    if font not in GREEKS:
        return None
    if char in GREEK_ODD:
        return chr(GREEKS[font][1] + GREEK_ODD[char])
    if "α" <= char <= "ω":
        return chr(GREEKS[font][1] + ord(char) - ord("α"))
    return chr(GREEKS[font][0] + ord(char) - ord("Α")) if "Α" <= char <= "Ω" else None
