r"""An answer as text -> what it means. Plain maths, or LaTeX wherever a backslash, a dollar or a brace stands, which plain maths has not.

It may use the slopes at intermediate values by name (dL/dz1, \frac{\partial L}{\partial z_{1}}, \delta_{1}), but not the one that is
asked for.
"""

from __future__ import annotations

import re
from dataclasses import replace

import sympy as sp
from sympy.core.parameters import global_parameters

from symnet.checking.kept import kept
from symnet.checking.local_slopes import activation_of, depends, slope_of
from symnet.core.derivation import Derivation
from symnet.core.expressions import fresh
from symnet.core.functions import leaky_relu, relu, sigmoid, softplus
from symnet.core.index_letters import Labels, extend, relabel
from symnet.core.program import Program
from symnet.core.tensors import Tensor, same_name
from symnet.core.text import definition_text
from symnet.core.text import text as plain_text
from symnet.errors import SymnetError
from symnet.indexing.index_array import IndexArray
from symnet.indexing.line_names import lettered_line
from symnet.parsing.claim_prefix import Asked
from symnet.parsing.declaring import hidden_by
from symnet.parsing.expressions import expression, sympy_value
from symnet.parsing.from_sympy import SympyAnswer
from symnet.parsing.latex_answers import latex_answer


def is_latex(answer: str) -> bool:
    r"""True for what only LaTeX can be: \frac, w_{ij}^{(1)}, $x$."""
    return any(c in answer for c in "\\$&") or "^{" in answer or "}^" in answer


MOST_TEXTS = 4096


def read_answer(answer: str | SympyAnswer, derivation: Derivation, wrt: str, where: str = "answer",
                latex: bool | None = None) -> IndexArray:
    """The meaning of an answer for the gradient with respect to ``wrt``; ``latex`` says which it is, by default its looks do."""
    reader = _reader(derivation, wrt)
    if isinstance(answer, SympyAnswer):
        return sympy_value(answer, reader.usable, reader.axes, where)
    if latex is None and is_latex(answer) and not any(c in answer for c in "\\$&"):  # e^{x_i} is plain maths, too
        try:
            return reader.read(answer, where, True)
        except SymnetError:
            return reader.read(answer, where, False)
    return reader.read(answer, where, is_latex(answer) if latex is None else latex)


class _Reader:
    """The names that an answer may use, worked out once, and what texts were read before."""

    def __init__(self, derivation: Derivation, wrt: str) -> None:
        full, name = derivation.full, derivation.gradient_name(wrt)
        self.derivation, self.wrt, self.full = derivation, wrt, full
        self.usable = _usable(full, derivation.program, name)
        self.gradient = full.tensors.get(name)
        self.axes = (self.gradient or derivation.program[wrt]).axes
        self.given = {name: IndexArray.over(ds[0].target.axes, ds[0].indices, ds[0].expr) for name, ds in derivation.program.by_name.items()
                      if len(ds) == 1 and ds[0].slice() == tuple(a.range for a in ds[0].target.axes)}
        self.asked = Asked(full[name], wrt, derivation.objective, self.usable) if self.gradient is not None else None
        self.local: dict[tuple[str, str], IndexArray | None] = {}  # slopes of one line by another, which chains ask for again and again
        self.texts: dict[tuple[str, bool], IndexArray] = {}

    def slopes(self, above: str, below: str) -> IndexArray | None:
        """d above/d below in names of the program; without a name above, of the one line that is a function of the other alone."""
        if (above, below) not in self.local:
            program = self.derivation.program
            top = above or activation_of(program, same_name(below, program.tensors) or "") or ""
            self.local[above, below] = slope_of(self.derivation, self.usable, top, below, self.wrt)
        found = self.local[above, below]
        return found if found is None else replace(found, expr=fresh(found.expr))

    def depends(self, above: str, below: str) -> bool:
        """Is a name made of another?"""
        return depends(self.derivation.program, above, below)

    def read(self, text: str, where: str, latex: bool) -> IndexArray:
        """The meaning of a text; as it is written, unsimplified, it is another one and is not kept."""
        if not global_parameters.evaluate:
            return self._read(text, where, latex)
        found = self.texts.get((text, latex))
        if found is None:
            found = self._read(text, where, latex)
            if len(self.texts) >= MOST_TEXTS:
                self.texts.clear()
            self.texts[text, latex] = found
        return found

    def _read(self, text: str, where: str, latex: bool) -> IndexArray:
        asked = self.asked or Asked(self.full[self.derivation.gradient_name(self.wrt)], self.wrt, self.derivation.objective, self.usable)
        if latex:
            return latex_answer(text, self.usable, asked.gradient, where, self.given, self.slopes, self.depends)
        return expression(text, self.usable, where=where, given=self.given, asked=asked, lines=self.full.definitions, slopes=self.slopes,
                          depends=self.depends)


_reader = kept(_Reader)


ACTIVATIONS = (sp.tanh, relu, leaky_relu, sp.erf, sp.sin, sp.atan)
MEANS_SIGMOID = (sigmoid, softplus, sp.exp)  # where one of these stands, the letter is the sigmoid's
SIGMA = re.compile(r"σ|\\sigma(?![A-Za-z])|(?<![A-Za-z])sigma(?![A-Za-z])")


def other_reading(text: str, program: Program) -> str:
    """Why wrong work may be right in other words; empty where it may not. σ is read as the sigmoid, and is many authors' letter for
    whatever activation a network has: where a program has no sigmoid and another activation, work with σ is not called wrong.

    >>> import symnet as sn
    >>> other_reading("2*(a - y)*σ'(z)*x", sn.program("z = w*x", "a = tanh(z)", "L = (a - y)**2"))
    'σ is read as the sigmoid, which this program does not have; if it is the activation here, write tanh'
    """
    found = [f for f in ACTIVATIONS if any(d.expr.has(f) for d in program)]
    if not found or not SIGMA.search(text) or any(d.expr.has(*MEANS_SIGMOID) for d in program) or same_name("sigma", program.tensors):
        return ""
    return f"σ is read as the sigmoid, which this program does not have; if it is the activation here, write {found[0].__name__}"


def _usable(full: Program, program: Program, asked: str) -> dict[str, Tensor]:
    """The names that an answer may use: the program's, and the slopes at what the program defines."""
    defined = {d.name for d in program.definitions}
    slopes = {n: t for n, t in full.tensors.items() if t.of in defined and n != asked}
    return {**slopes, **program.tensors}


def read_as(value: IndexArray, program: Program, written: str = "") -> str:
    """What was understood, in plain maths with the program's own letters for indices; and which of its ``written`` names hide built-ins."""
    labels = Labels.of(program)
    scope = extend({}, [(i, *axis.range) for i, axis in zip(value.indices, value.axes, strict=True)], labels)
    used = [name for name in hidden_by(program.tensors) if re.search(rf"(?<![\w.^\\]){re.escape(name)}(?!\w)", written)]
    said = plain_text(relabel(value.expr, scope, labels)) + (f" (with {', '.join(used)} as declared, not built in)" if used else "")
    lines = [definition_text(lettered_line(d, labels), {d.name: d.target for d in value.lines} | program.tensors) for d in value.lines]
    return f"{said} where {'; '.join(lines)}" if lines else said
