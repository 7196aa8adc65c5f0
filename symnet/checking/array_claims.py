"""Is this text, in plain maths or LaTeX, that array of the derivation?

The derivation's slopes (dL_dZ1) and the page's own names are lines of the program, so an answer may use them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

import sympy as sp

from symnet.calculus import derive
from symnet.calculus.jacobian import jacobian
from symnet.checking.answers import check_answer, line_asked
from symnet.checking.claims import claim_of, unfolded
from symnet.checking.pages.page_names import GRADIENT, SLOPE
from symnet.checking.question import Asked as Wording
from symnet.checking.question import Question
from symnet.checking.slips.kinds import Mistake
from symnet.checking.slips.search import slip_of
from symnet.core.derivation import Derivation
from symnet.core.expressions import entries
from symnet.core.index_letters import Labels, extend, relabel
from symnet.core.program import Definition, Program
from symnet.core.tensors import Tensor, entry_indices, free_name, sizes_of, tensor_name
from symnet.core.text import text
from symnet.core.verdict import Answer, Verdict
from symnet.errors import MismatchError, NameError_, SymnetError, did_you_mean
from symnet.indexing.index_array import IndexArray, new_indices
from symnet.parsing.claim_prefix import LOSSES
from symnet.parsing.latex import latex_expression
from symnet.parsing.latex_answers import latex_at, latex_entry, slopes_in
from symnet.parsing.latex_lines import LatexLines
from symnet.parsing.latex_lowering import NAMES
from symnet.parsing.program import expression
from symnet.parsing.tokens import plain

OTHER = re.compile(r"\b(?:D|delta|d|grad)_?\w+\b|\b\w+_grad\b|\bD\b")  # names that may stand for a slope
DELTA = re.compile(r"\b(?:D|delta)_?(\d*)\b")
# LaTeX: an operator in front of the objective, whatever a book calls that
CALLED = re.compile(r"(\\partial\s*\{?\s*|\\nabla\s*(?:_\s*(?:\{[^{}]*\}|\\?[A-Za-z]+))?\s*|\\frac\s*\{\s*\\partial\s*\}\s*\{[^{}]*\}\s*)"
                    r"([LCEJ])(?![A-Za-z_'])")


class Claims:
    """The program of one page: forward pass, slopes, and what the page defines."""

    def __init__(self, derivation: Derivation) -> None:
        program = derivation.program
        self.derivation = derivation
        self.all = derive(program, [t for t in program.tensors if t != program.objective])
        self.program = Program(self.all.full.inputs, self.all.full.definitions, program.objective, program.assumptions)
        self.wrong: dict[str, str] = {}  # a name -> the line of the program that holds what the page wrongly says it is

    def tensor(self, name: str) -> Tensor:
        """The tensor that a name on the page stands for: Z1, z_1, dL/dW1, Loss. Raises NameError_."""
        found = self._find(plain(name.replace("∂", "d")).strip())
        if found is None:
            known = [n for n, t in self.program.tensors.items() if not t.of]
            raise NameError_("line", f"nobody defined {name!r}", "a name of the worksheet or of the lines above", did_you_mean(name, known))
        return self.program.tensors[found]

    def _find(self, name: str) -> str | None:
        slope = SLOPE.fullmatch(name)
        tensors = self.program.tensors
        if slope:
            above, below = self._find(slope[1].strip("()")), self._find(slope[2].strip("()"))
            wanted = self.all.names.get(below or "")
            if above != self.derivation.objective or wanted is None:
                raise NameError_("line", f"the slope {name!r}", f"a slope of {self.derivation.objective} in a name of the worksheet",
                                 did_you_mean(slope[2].strip("()"), self.all.names))
            return wanted
        if name in tensors:
            return name
        bare = name.replace("_", "")
        same = [n for n in tensors if n.replace("_", "") == bare] or [n for n in tensors if n.lower() == bare.lower() and not tensors[n].of]
        if len(same) == 1:
            return same[0]
        if name in LOSSES:
            return self.derivation.objective
        gradient = GRADIENT.fullmatch(name)
        below = self._find(gradient[1] or gradient[2]) if gradient else None
        if below in self.all.names:
            return self.all.names[below or ""]
        delta = DELTA.fullmatch(name)
        z = next((n for n in (f"Z{delta[1]}", f"z{delta[1]}") if n in self.all.names), None) if delta else None
        return self.all.names[z] if z is not None else None

    def written(self, source: str, latex: bool) -> str:
        """The text with slopes by the names of the program."""
        if latex:
            name = self.derivation.objective
            source = CALLED.sub(lambda m: m[0] if m[2] in self.program.tensors else f"{m[1]} {name} ", source)
            return re.sub(r"\\mathcal\s*(?:\{\s*[LJ]\s*\}|[LJ])|\\(?:text|mathrm|operatorname)\{\s*(?:Loss|loss|Cost|cost)\s*\}",
                          lambda _: f" {name} ", source)
        source = SLOPE.sub(lambda m: " " + self.tensor(m[0]).name + " ", plain(source.replace("∂", "d").replace("⋅", "*")))
        tensors = self.program.tensors
        return OTHER.sub(lambda m: m[0] if m[0] in tensors else self._find(m[0]) or m[0], source)

    def read(self, source: str, latex: bool) -> IndexArray:
        """What a text means here."""
        source = self.written(source, latex)
        if latex:
            self._define_slopes(source)
        tensors = self.program.tensors
        return latex_expression(source, tensors, where="line") if latex else expression(source, tensors, sizes_of(tensors), "line")

    def define(self, name: str, source: str, latex: bool) -> Tensor:
        """A name of the page's own, as a line of the program."""
        return self._line(name, self.read(source, latex))

    def entry(self, value: IndexArray) -> Tensor:
        """What stands on the left of a line and is a part of an array, w_1 or its slope, as a line of the program."""
        return self._line("part", value)

    def _line(self, name: str, value: IndexArray) -> Tensor:
        old = {d.name for d in self.program.definitions}
        made = Tensor(free_name(name, self.program.tensors) if name in old else name, value.axes)
        labels = Labels.of(self.program)
        scope = extend({}, [(i, *a.range) for i, a in zip(value.indices, value.axes, strict=True)], labels)
        line = Definition(made, tuple(scope[i] for i in value.indices), relabel(value.expr, scope, labels))
        self.program = replace(self.program, definitions=(*self.program.definitions, line))
        return made

    def entry_of(self, source: str) -> tuple[Tensor, tuple[sp.Symbol, ...]] | None:
        r"""The tensor and the letters of an entry in LaTeX, \frac{\partial L}{\partial W_{jk}}; None for anything else."""
        source = self.written(source, latex=True)
        self._define_slopes(source)
        return latex_entry(source, self.program.tensors)

    def _define_slopes(self, source: str) -> None:
        r"""Lines for slopes in LaTeX that the program lacks: \frac{\partial p_i}{\partial z_j}, second derivatives of the objective."""
        try:
            sides, _ = LatexLines(source, "line", NAMES).lines()
        except SymnetError:
            return
        for top, below in slopes_in(sides, self.program.tensors):
            try:
                self._define_slope(top, below)
            except SymnetError:  # then nobody can speak of it here
                continue

    def _define_slope(self, top: str, below: tuple[str, ...]) -> None:
        program = self.derivation.program
        if len(below) == 1 and top in program.by_name and top != program.objective:
            made = jacobian(program, top, below)
        elif len(below) == 2 and top == program.objective and below[0] in self.all.names:
            made = jacobian(self.all.full, self.all.gradient_name(below[0]), below[1:])
        else:
            return
        self.program = self.program.extend([d for d in made.full.definitions if d.name not in self.program.by_name])

    def verdict(self, source: str, target: Tensor, latex: bool, carried: bool = False, places: tuple[sp.Symbol, ...] = ()) -> Verdict:
        """Is the text this tensor, or its entry at ``places``? With ``carried`` the page's own wrong formulas stand for the names that it
        gave them."""
        source = self.written(source, latex)
        if latex:
            self._define_slopes(source)
        asked, aim = self._asked(target, self.wrong if carried else {})
        if not places:
            return check_answer(source, asked, aim, latex)
        try:
            value = latex_at(source, self.program.tensors, target, places)
        except MismatchError as error:
            return Verdict(Answer.REFUTED, "shape", reason=error.message)
        return Question(asked, aim, claim_of(value, asked.full), asked.program.assumptions).verdict(Wording("entry"))

    def carried(self, target: Tensor) -> set[str]:
        """The wrongly given names that the derivation's own line for a tensor uses."""
        return {tensor_name(e) for d in self.program.by_name.get(target.name, ()) for e in entries(d.expr)} & set(self.wrong)

    def shown(self, target: Tensor) -> str:
        """What the derivation says of a tensor, in index form."""
        lines = self.program.by_name.get(target.name, ())
        body = text(lines[0].expr) if len(lines) == 1 else ""
        for name, tensor in self.program.tensors.items():
            if tensor.of:
                body = re.sub(rf"\b{name}\b", f"d{tensor.objective}/d{tensor.of}", body)
        return body

    def _asked(self, target: Tensor, instead: Mapping[str, str]) -> tuple[Derivation, str]:
        """The question for ``target``, written out once so that it can be compared for all sizes."""
        lines = self.program.by_name.get(target.name, ())
        places = lines[0].indices if len(lines) == 1 else new_indices(target.axes)
        body = lines[0].expr if len(lines) == 1 else target[places or ()]
        aim = Definition(Tensor(free_name("aim", self.program.tensors), target.axes), places, self._instead(body, instead))
        return line_asked(self.program.extend((aim,)), aim.name), aim.name

    def _instead(self, body: sp.Expr, instead: Mapping[str, str]) -> sp.Expr:
        tensors = self.program.tensors
        used = {e for e in entries(body) if tensor_name(e) in instead}
        return body.xreplace({e: tensors[instead[tensor_name(e)]][entry_indices(e)] for e in used})

    def slip(self, source: str, target: Tensor, latex: bool) -> Mistake | None:
        """The slip in a wrong gradient, where one is found."""
        if not target.of or target.of not in self.derivation.program.tensors:
            return None
        try:
            answer = unfolded(self.read(source, latex), self.derivation.program.tensors, self.program.by_name)
            return slip_of(answer, self.all, target.of)
        except (SymnetError, NotImplementedError, RecursionError):
            return None
