"""The letters of matrix notation: capitals for matrices, small letters for columns, D and δ for gradients at z."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sympy as sp

from symnet.arrays.along import ALONG
from symnet.core.latex import LatexPrinter
from symnet.core.names import gradient_latex, name_latex, parts, stem_latex
from symnet.core.program import Definition
from symnet.core.tensors import Tensor

ADD, HAD, MUL, ATOM = 1, 2, 3, 4


@dataclass(frozen=True, slots=True)
class Form:
    """LaTeX and how tightly it binds."""

    text: str
    binds: int

    def within(self, least: int) -> str:
        """In brackets when it binds less tightly than ``least``."""
        return self.text if self.binds >= least else rf"\left({self.text}\right)"


def brace(name: str) -> str:
    """A name that has a superscript or is a fraction is bracketed before it is transposed."""
    return rf"\left({name}\right)" if "^" in name or name.startswith(r"\frac") else name


class Letters:
    """The names of the tensors of one program."""

    def __init__(self, tensors: Mapping[str, Tensor], printer: LatexPrinter) -> None:
        self.tensors, self.printer = tensors, printer

    def left(self, d: Definition) -> str:
        """D_1 = ∂L/∂Z_1 for a gradient that has a short name, else the name."""
        places = [p for p, a in zip(d.indices, d.target.axes, strict=True) if a.kind in ALONG]
        short = self.name(d.target, places)
        if not d.target.of:
            return short
        long = self._gradient(d.target, places)
        return short if short == long else f"{short} = {long}"

    def name(self, tensor: Tensor, along: list[sp.Expr]) -> str:
        """The letter of a tensor: capitals for matrices, small letters for vectors and numbers, D for gradients at z."""
        plain = [a for a in tensor.axes if a.kind not in ALONG]
        if tensor.of:
            stem, digits, _ = parts(tensor.of)
            if stem.lower() != "z" or not plain:
                return self._gradient(tensor, along)
            return self._marked("D" if len(plain) == 2 else r"\delta", digits, along)
        stem, digits, tail = parts(tensor.name)
        if tail or len(stem) > 1 or tensor.latex:
            return self._marked(tensor.latex or name_latex(tensor.name), "", along)
        letter = stem.upper() if len(plain) == 2 else stem.lower() if len(plain) == 1 else stem_latex(stem)
        return self._marked(letter, digits, along)

    def _gradient(self, tensor: Tensor, along: list[sp.Expr]) -> str:
        of = self.tensors.get(tensor.of)
        inner = self.name(of, along) if of is not None else name_latex(tensor.of)
        return gradient_latex(name_latex(tensor.objective), inner)

    def _marked(self, letter: str, digits: str, along: list[sp.Expr]) -> str:
        above = ",".join(self.printer(p) for p in along)
        return letter + (f"_{{{digits}}}" if digits else "") + (f"^{{({above})}}" if above else "")
