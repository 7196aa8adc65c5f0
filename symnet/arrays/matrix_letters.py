"""The letters of matrix notation: capitals for matrices, small letters for columns, D and δ for gradients at z."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sympy as sp

from symnet.arrays.flow_axes import ALONG
from symnet.core.latex import LatexPrinter
from symnet.core.names import gradient_latex, name_latex, other_case, parts, stem_latex
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
    bracketed = name.startswith(r"\left(") and name.endswith(r"\right)") and name.count(r"\left(") == 1
    return rf"\left({name}\right)" if not bracketed and ("^" in name or name.startswith(r"\frac")) else name


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
            above = self.tensors.get(tensor.objective)
            if stem.lower() != "z" or not plain or (above is not None and (above.axes or above.of)):  # no Jacobian is called D
                return self._gradient(tensor, along)
            if self._taken("d" if len(plain) == 2 else "delta", digits) or self._slopes(tensor.of) > 1:  # a mask d1 is printed D_1
                return self._gradient(tensor, along)
            return self._marked("D" if len(plain) == 2 else r"\delta", digits, along)
        stem, digits, tail = parts(tensor.name)
        if tail or len(stem) > 1 or tensor.latex:
            return self._marked(tensor.latex or name_latex(tensor.name), "", along)
        letter = stem.upper() if len(plain) == 2 else stem.lower() if len(plain) == 1 else stem_latex(stem)
        if other_case(tensor.name) in self.tensors:
            letter = stem_latex(stem)
        return self._marked(letter, digits, along)

    def _taken(self, letter: str, digits: str) -> bool:
        """True when a tensor is called so, whatever the case."""
        return any(parts(t.name)[:2] in ((letter, digits), (letter.upper(), digits)) for t in self.tensors.values() if not t.of)

    def _slopes(self, of: str) -> int:
        """How many slopes at one tensor there are: of the loss, and of what a second derivative is taken of."""
        return sum(t.of == of for t in self.tensors.values())

    def _gradient(self, tensor: Tensor, along: list[sp.Expr]) -> str:
        of = self.tensors.get(tensor.of)
        above = self.tensors.get(tensor.objective)
        if of is not None and of.of:
            top = self._nabla(above) if above is not None else name_latex(tensor.objective)
            return gradient_latex(top, self._nabla(of))
        inner = self.name(of, along) if of is not None else name_latex(tensor.of)
        if above is not None and above.of:
            first = self.tensors.get(above.of)
            if first is not None and len(first.axes) != len(above.axes):  # a third derivative
                return rf"\frac{{\partial}}{{\partial {inner}}} {self.name(above, [])}"
            beside = self.name(first, []) if first is not None else name_latex(above.of)
            mark = r"^{\top}" if len(tensor.axes) == 2 else ""
            return rf"\frac{{\partial^{{2}} {name_latex(above.objective)}}}{{\partial {beside} \, \partial {inner}{mark}}}"
        return gradient_latex(self.name(above, []) if above is not None and above.axes else name_latex(tensor.objective), inner)

    def _nabla(self, tensor: Tensor) -> str:
        """∇_w L for a gradient that is itself differentiated, or differentiated by."""
        if not tensor.of:
            return self.name(tensor, [])
        of = self.tensors.get(tensor.of)
        return rf"\nabla_{{{self.name(of, []) if of is not None else name_latex(tensor.of)}}} {name_latex(tensor.objective)}"

    def _marked(self, letter: str, digits: str, along: list[sp.Expr]) -> str:
        above = ",".join(self.printer(p) for p in along)
        return letter + (f"_{{{digits}}}" if digits else "") + (f"^{{({above})}}" if above else "")
