r"""LaTeX on a page: names as they are printed, with slopes of every value in every other, \delta_2, \mathcal{L} and w^{new}."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import sympy as sp

from symnet.core.names import name_latex
from symnet.core.tensors import Tensor
from symnet.errors import NameError_, ShapeError
from symnet.indexing.index_array import IndexArray, number
from symnet.parsing.latex import latex_expression

if TYPE_CHECKING:
    from symnet.checking.pages.page_names import Names

WORD = r"(?:\\(?:text|mathrm|textrm|rm|mathit)\s*\{\s*(?:new|updated)\s*\}|new|updated)"
LATEX_NEW = re.compile(rf",\s*{WORD}(?=\s*\}})|[_^]\s*\{{\s*(?:{WORD}|\+|')\s*\}}|[_^]\s*{WORD}|\^\s*\+|'\s*\Z")
LATEX_NAME = re.compile(r"\\?[A-Za-z]+(?:\s*\{\s*\\?[A-Za-z]+\s*\})?(?:\s*[_^]\s*(?:\w|\{[^{}]*\}))*")


def without_new(text: str) -> str:
    r"""The name that a new value such as w_{1,\mathrm{new}}, b^{\text{new}} or c' belongs to, "" for any other text.

    >>> without_new(r"w_{1,\mathrm{new}}^{(2)}"), without_new("c'"), without_new("w_1")
    ('w_{1}^{(2)}', 'c', '')
    """
    found, count = LATEX_NEW.subn("", text.strip(), count=1)
    return found.strip() if count and LATEX_NAME.fullmatch(found.strip()) else ""


def read_latex(names: Names, text: str) -> sp.Expr:
    """A piece of LaTeX in the atoms of a page. Raises ParseError, NameError_ or ShapeError."""
    old = without_new(text)
    if old:
        if text.strip().endswith(("'", "'}")) and str(read_latex(names, old)) in names.program.by_name:
            raise NameError_("line", f"{text.strip()}, which may be a slope or a new value", "dL/dw, or a new value such as L_{new}")
        return names.updated(str(read_latex(names, old)))
    other = {name: names.rate[()] for name in ("alpha", "eta") if names.has_rate and name not in names.tensors}
    other |= {name: names.atom(name) for name in re.findall(r"delta\d*", text.replace("_", "").replace("{", "").replace("}", ""))
              if name not in names.tensors and names.delta(name)}

    def local(above: str, below: str) -> IndexArray | None:
        slope = names.activation(above, below)
        return None if slope is None else number(slope)

    found = latex_expression(_objective(names, text), {**{n: Tensor(n) for n in other}, **names.tensors}, where="line", slopes=local)
    if found.axes:
        raise ShapeError("line", f"shape {found.shape}", "a single number")
    return names.meant(found, {Tensor(n)[()]: atom for n, atom in other.items()})


def _objective(names: Names, text: str) -> str:
    """The loss by the name it has here."""
    name = " " + name_latex(names.derivation.objective) + " "
    text = re.sub(r"\\mathcal\s*(?:\{\s*[LJ]\s*\}|[LJ])|\\(?:text|mathrm|operatorname)\{\s*(?:Loss|loss|Cost|cost)\s*\}",
                  lambda _: name, text)
    free = "".join(c for c in "LJCE" if c not in names.tensors)
    return re.sub(rf"(?<![A-Za-z\\])[{free}](?![A-Za-z_^({{])", lambda _: name, text) if free else text
