"""What the left side of a line is: a name of the derivation, whose value is claimed, or one that the page brings."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import replace
from enum import Enum, auto

import sympy as sp

from symnet.checking.pages.chains import LETTERS, NUMBER
from symnet.checking.pages.page_lines import Chain
from symnet.checking.pages.page_names import PRIME_CALL, Names
from symnet.core.numbers import rational
from symnet.core.tensors import Tensor
from symnet.errors import NameError_, ParseError, SymnetError
from symnet.parsing.written_slopes import slope_parts

NAME = re.compile(r"[A-Za-z]\w*'?(?:\[[\w, ]+\])?\Z")
PLAIN = re.compile(r"[A-Za-z]\w*\Z")
LATEX_CALL = re.compile(r"\\?(?:mathrm\{|operatorname\{)?([A-Za-z]+)\}?(\^\{?\\prime\}?|')?\s*(?:\\left)?\(\s*([A-Za-z])\s*(?:\\right)?\)")
CALL = re.compile(r"[A-Za-z]\w*\(\s*\w+\s*\)")
ACCENT = re.compile(r"\\(?:wide)?(hat|bar|tilde)\s*(?:\{\s*(\\?[A-Za-z]+)\s*\}|(\\[A-Za-z]+|[A-Za-z]))")
DRESS = re.compile(r"\\(?:text|mathrm|mathbf|boldsymbol|mathit|operatorname|bm|vec)\b|[\\{}_^\s]")


def plain_name(latex: str) -> str:
    r"""A printed name in letters: the hat is part of it, a font is not.

    >>> plain_name(r"\hat{y}"), plain_name(r"\mathbf{w}_{1}"), plain_name(r"\bar x_2")
    ('y_hat', 'w1', 'x_bar2')
    """
    there: list[str] = []

    def stand(match: re.Match[str]) -> str:
        there.append(f"{(match[2] or match[3]).lstrip(chr(92))}_{match[1]}")
        return f" @{len(there) - 1}@ "

    bare = DRESS.sub("", ACCENT.sub(stand, latex))
    return re.sub(r"@(\d+)@", lambda m: there[int(m[1])], bare)


def function_of(line: Chain) -> str:
    r"""The left side σ(z) or \sigma'(z) of a line about a function, as plain maths; "" for any other.

    >>> function_of(Chain(1, "", "", r"\sigma'\left(z\right)", (("=", "1"),), latex=True))
    "sigma'(z)"
    """
    if line.latex:
        found = LATEX_CALL.fullmatch(line.left.strip())
        prime = "'" if found and found[2] else ""
        return f"{found[1]}{prime}({found[3]})" if found and found[1] in LETTERS else ""
    return line.left if PRIME_CALL.fullmatch(line.left) or CALL.fullmatch(line.left) else ""


class Kind(Enum):
    """What the first link of a line does."""

    CLAIM = auto()  # it says something about a name of the derivation
    VALUE = auto()  # it gives an input its number
    DEFINES = auto()  # it brings a name of the page's own
    FORMULA = auto()  # it gives a formula for a name that is given: y = w * x, to be used in a table
    REPEATED = auto()  # the same formula again, in numbers
    LABEL = auto()  # a word, a colon and a number: no claim about a name


class Lefts:
    """The left sides of one page. ``fresh`` are the names given under this heading; anything else may be given anew."""

    def __init__(self, names: Names, own_values: bool) -> None:
        self.names, self.own_values = names, own_values
        self.fresh: set[sp.Basic] = set()
        self.formulas: dict[str, str] = {}

    def meaning(self, line: Chain) -> tuple[sp.Symbol, Kind]:
        """The atom on the left, and what the first link does with it. Raises NameError_ where the name is none."""
        first = line.links[0][1]
        function = function_of(line)
        if function:
            return self._function(function), Kind.CLAIM
        if not line.latex and not (NAME.match(line.left) or slope_parts(line.left)):
            return self._expression(line.left), Kind.CLAIM
        left = self._latex(line.left) if line.latex else self._plain(line.left)
        if left is not None and self._updates(line, left):
            if self.names.has_rate:
                return self.names.updated(str(left)), Kind.CLAIM
            return self._define(replace(line, left=f"{left}new"), None), Kind.DEFINES  # by a rate of the page's own
        if line.labelled and (left is None or str(left) in self.names.own):
            return sp.Symbol(line.left), Kind.LABEL
        if left is None or (line.defines and self._free(left)) or self._anew(left, first):
            return self._define(line, left), Kind.DEFINES
        if self._is_formula(left, line):
            return left, self._formula(str(left), first)
        return left, Kind.VALUE if self._gives(left, first) else Kind.CLAIM

    def called(self, line: Chain, left: sp.Symbol) -> str:
        """The name for the reader."""
        return line.left if not line.latex else self.names.called.get(left, str(left))

    def _plain(self, left: str) -> sp.Symbol | None:
        try:
            return self.names.atom(left)
        except SymnetError:
            if not PLAIN.match(left):
                raise
            return None

    def _latex(self, left: str) -> sp.Symbol | None:
        try:
            found = self.names.read(left, latex=True)
            if found.is_Symbol:
                self.names.called.setdefault(found, left)
                return found
        except SymnetError:
            if "frac" in left:
                raise
        bare = plain_name(left)
        if slope_parts(bare):
            return self._plain(bare)
        if not PLAIN.match(bare):
            raise ParseError("line", f"the left side {left[:40]!r}", "a name, or a slope such as dL/dw")
        return self._plain(bare)

    def _free(self, left: sp.Symbol) -> bool:
        """True for a name that is the page's to define: its own, or one that only stands for another (C for the loss)."""
        return str(left) in self.names.own or (self.names.called.get(left) != str(left) and not self.names.tensors[str(left)].of)

    def _anew(self, left: sp.Symbol, first: str) -> bool:
        """A name of the page's own that a new heading gives another number."""
        return str(left) in self.names.own and left not in self.fresh and bool(NUMBER.match(first))

    def _define(self, line: Chain, left: sp.Symbol | None) -> sp.Symbol:
        first = line.links[0][1]
        bare = plain_name(line.left) if line.latex else line.left
        value = rational(first) if NUMBER.match(first) else self.names.read(first, line.latex)
        if left is not None and left in value.free_symbols:
            value = value.xreplace({left: self.names.own.get(str(left), left)})
        atom = self.names.define(bare, value)
        self.names.called[atom] = bare
        return atom

    def _function(self, text: str) -> sp.Symbol:
        """σ'(z) = …: a function of something, whatever z is."""
        inner = text[text.index("(") + 1:-1].strip()
        if self.names.known(inner) is None:
            self.names.tensors[inner] = Tensor(inner)
        atom = self.names.define("function_", self.names.read(text))
        self.names.called[atom] = text
        return atom

    def _expression(self, text: str) -> sp.Symbol:
        """w2 - 0.1 dL/dw2 = …: whatever stands on the left."""
        atom = self.names.define("left_side_", self.names.read(text))
        self.names.called[atom] = text
        return atom

    def _updates(self, line: Chain, left: sp.Symbol) -> bool:
        """w ← w - …, w := w - … or w = w - …, for something that is given: its new value."""
        given = str(left) in self.names.program.tensors and str(left) not in self.names.program.by_name
        if self.names.local(left) is not None or not (line.updates or line.defines or given):
            return False
        first = line.links[0][1]
        return not NUMBER.match(first) and left in self.names.read(first, line.latex).free_symbols

    def _is_formula(self, left: sp.Symbol, line: Chain) -> bool:
        """A formula for a name that is given and not computed is the page's own; it does not hide the given one."""
        program, name = self.names.program, str(left)
        given = name in program.tensors and name not in program.by_name
        return given and len(line.links) == 1 and not NUMBER.match(line.links[0][1])

    def _formula(self, name: str, first: str) -> Kind:
        old = self.formulas.get(name)
        if old is not None and old != first and self._same(old, first):
            return Kind.REPEATED
        with suppress(NameError_):  # y = w * x may come before w = 0.1
            self.names.read(first)
        self.formulas[name] = first
        return Kind.FORMULA

    def _same(self, old: str, new: str) -> bool:
        try:
            a, b = (self.names.read(t) for t in (old, new))
        except NameError_:
            return False
        own = {s: v for s in a.free_symbols | b.free_symbols if (v := self.names.local(s)) is not None}
        return bool(a.xreplace(own) == b.xreplace(own))

    def _gives(self, left: sp.Symbol, text: str) -> bool:
        """True when this number is the value of an input from now on."""
        if not NUMBER.match(text) or self.names.local(left) is not None:
            return False
        point = self.names.point
        return left not in point or (self.own_values and left not in self.fresh and point[left] != rational(text))
