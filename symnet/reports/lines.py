"""Definitions and steps as views: symbols, then numbers put in, then the value; what each uses, and why it holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import sympy as sp

from symnet.arrays.notation import matrix_latex
from symnet.core.derivation import Contribution, Rule, Step
from symnet.core.expressions import entries
from symnet.core.latex import LatexPrinter, definition_latex, latex
from symnet.core.names import gradient_latex, name_latex, tensor_latex, tensor_text
from symnet.core.program import Definition
from symnet.core.sentences import capitalised
from symnet.core.tensors import Tensor, tensor_name
from symnet.core.text import TextPrinter, definition_text, text
from symnet.reports.plainmath import plain_math
from symnet.reports.values import Values, equals
from symnet.reports.view import Formula, Level, Link, Notation, Rich, Stage, StepView
from symnet.reports.words import RULES, law, plural

MOST_ENTRIES = 8


@dataclass
class Lines:
    """Makes the views of one derivation. ``entries`` maps a tensor to its scalar definitions when there are values."""

    tensors: Mapping[str, Tensor]
    level: Level
    notation: Notation = Notation.BOTH
    columns: bool = False
    values: Values | None = None
    entries: Mapping[str, tuple[Definition, ...]] = field(default_factory=dict)
    scalar_tensors: Mapping[str, Tensor] = field(default_factory=dict)
    anchors: dict[str, str] = field(default_factory=dict)
    numbers: dict[str, str] = field(default_factory=dict)
    count: int = 0  # lines of the forward pass
    said: set[Rule] = field(default_factory=set)

    def name(self, tensor: Tensor) -> Formula:
        """A tensor's name in a sentence: a gradient as ∂L/∂w, which keeps the height of the line."""
        if tensor.of and not tensor.latex:
            of = self.tensors.get(tensor.of)
            under = tensor_latex(of) if of is not None else name_latex(tensor.of)
            return Formula(rf"\partial {name_latex(tensor.objective)} / \partial {under}", tensor_text(tensor))
        return Formula(tensor_latex(tensor), tensor_text(tensor))

    def definition(self, d: Definition) -> Formula:
        """``left = right``."""
        return Formula(definition_latex(d, self.tensors), definition_text(d, self.tensors))

    def forward(self, d: Definition, number: int) -> StepView:
        """One line of the forward pass."""
        anchor = self._anchor("v", d)
        self.anchors[d.name], self.numbers[d.name], self.count = anchor, str(number), number
        why: tuple[Rich, ...] = ()
        if self.level is Level.BEGINNER:
            why = tuple((s,) for s in (_spoken(d),) if s)
        return StepView(anchor, str(number), self._title(d), tuple(self.stages(d)), self._uses(d), why)

    def _title(self, d: Definition) -> Rich:
        note = d.note or d.target.note
        return (capitalised(note, self.tensors),) if note else ("Compute ", self.name(d.target))

    def _anchor(self, kind: str, d: Definition) -> str:
        taken = set(self.anchors.values())
        anchor = f"{kind}-{d.name}"
        while anchor in taken:
            anchor += "-"
        return anchor

    def forms(self, d: Definition) -> Iterator[Stage]:
        """The formula in index form, in matrix notation, or in both."""
        known = {**self.tensors, d.name: d.target}
        asked = self.notation in (Notation.BOTH, Notation.MATRIX) and (d.target.axes or d.expr.has(sp.Indexed))
        matrix = matrix_latex(d, known, self.columns) if asked else None
        if matrix is None or self.notation is Notation.BOTH:
            yield Stage("", Formula(definition_latex(d, known), definition_text(d, known)))
        if matrix is not None:
            yield Stage("in matrix notation" if self.notation is Notation.BOTH else "", Formula(matrix, plain_math(matrix)))

    def stages(self, d: Definition) -> Iterator[Stage]:
        """The formula and numbers."""
        yield from self.forms(d)
        if self.values is not None:
            yield from self._numbers(d)

    def _numbers(self, d: Definition) -> Iterator[Stage]:
        assert self.values is not None
        lines = self.entries.get(d.name, ()) if d.target.axes or d.expr.has(sp.Indexed) else (d,)
        if not d.target.axes and not d.expr.has(sp.Indexed):
            yield from self._put_in(d)
            return
        for line in lines[:MOST_ENTRIES]:
            yield Stage("entry" if line.target.place else "with numbers", self._entry(line))
        if len(lines) > MOST_ENTRIES:
            rest = f"and {plural(len(lines) - MOST_ENTRIES, 'more entry', 'more entries')}"
            yield Stage("", Formula(rf"\text{{{rest}}}", rest))

    def _put_in(self, d: Definition) -> Iterator[Stage]:
        assert self.values is not None
        if d.name not in self.scalar_tensors and self.scalar_tensors:
            return
        numbers = self.values.put_in(d.expr, self.tensors)
        shown = self.values.of(d.name)
        if self.level is not Level.EXPERT and numbers.text != shown.text and d.expr.free_symbols:
            yield Stage("with numbers", Formula("= " + numbers.latex, "= " + numbers.text))
        yield Stage("value", equals(Formula("", ""), shown))

    def _entry(self, line: Definition) -> Formula:
        """One scalar line, all in one row."""
        assert self.values is not None
        left = Formula(latex(line.entry, self.scalar_tensors), text(line.entry))
        middle = Formula(latex(line.expr, self.scalar_tensors), text(line.expr))
        numbers = self.values.put_in(line.expr, self.scalar_tensors)
        shown = self.values.of(line.name)
        parts = [left, middle, *([] if self.level is Level.EXPERT or len(numbers.latex) > 160 else [numbers])]
        joined = Formula(" = ".join(p.latex for p in parts), " = ".join(p.text for p in parts))
        return equals(joined, shown)

    def _uses(self, d: Definition) -> Rich:
        names = dict.fromkeys(tensor_name(e) for e in entries(d.expr))
        pieces: list[str | Formula | Link] = []
        for name in names:
            if name not in self.tensors:
                continue
            formula, anchor = self.name(self.tensors[name]), self.anchors.get(name, "symbols")
            pieces += [", " if pieces else "", Link(formula, anchor)]
            pieces.append(f" (line {self.numbers[name]})" if name in self.numbers else " (given)")
        return tuple(p for p in pieces if p != "")

    def backward(self, step: Step) -> StepView:
        """One line of the backward pass."""
        d = step.definition
        anchor = self._anchor("g", d)
        number = str(self.count + step.number)
        stages: list[Stage] = []
        if self.level is not Level.EXPERT and step.rule is not Rule.DIRECT and self.notation is not Notation.MATRIX:
            stages += self._chain(step)
        stages += self.forms(d)
        if self.values is not None and step.live:
            stages += self._numbers(d)
        uses = self._uses(d)
        self.anchors[d.name], self.numbers[d.name] = anchor, number
        note = "" if step.live else "The later lines no longer need this one."
        title: Rich = (self.name(step.target), f": {step.rule.value}")
        return StepView(anchor, number, title, tuple(stages), uses, self._why(step), note)

    def _chain(self, step: Step) -> Iterator[Stage]:
        """∂L/∂w = Σ ∂L/∂z · ∂z/∂w, and each slope ∂z/∂w."""
        if any(c.conditions for c in step.contributions) or not step.contributions:
            return
        of = step.of[step.definition.indices] if step.definition.indices else step.of[()]
        here = LatexPrinter({**self.tensors, step.target.name: step.target}), TextPrinter(self.tensors)
        left = Formula(here[0](step.definition.entry), here[1](step.definition.entry))
        terms = [self._term(c, of, here) for c in step.contributions]
        if all(t is not None for t in terms):
            made = [t for t in terms if t is not None]
            yield Stage("chain rule", Formula(left.latex + " = " + " + ".join(t[0].latex for t in made),
                                              left.text + " = " + " + ".join(t[0].text for t in made)))
            for slope in dict.fromkeys(t[1] for t in made):
                yield Stage("slope", slope)

    def _term(self, c: Contribution, of: sp.Expr, here: tuple[LatexPrinter, TextPrinter]) -> tuple[Formula, Formula] | None:
        marks, words = here
        if c.upstream.is_Number:
            return None
        through = c.through.target
        places = c.upstream.indices if isinstance(c.upstream, sp.Indexed) else ()
        value = through[places] if through.axes else through[()]
        partial = gradient_latex(marks(value), marks(of)), f"d{_whole(words(value))}/d{_whole(words(of))}"
        sums = "".join(rf"\sum_{{{marks(i)}={marks(lo)}}}^{{{marks(hi)}}} " for i, lo, hi in c.sums)
        loops = "".join(f" for {i} in {words(lo)}..{words(hi)}" for i, lo, hi in c.sums)
        upstream = self.tensors.get(tensor_name(c.upstream))
        up = words(c.upstream) if upstream is None or "_d" in upstream.objective else f"d{upstream.objective}/d{words(value)}"
        product = f"{up}*{partial[1]}"
        term = Formula(f"{sums}{marks(c.upstream)} \\cdot {partial[0]}", f"sum({product}{loops})" if loops else product)
        return term, Formula(f"{partial[0]} = {marks(c.local)}", f"{partial[1]} = {words(c.local)}")

    def _why(self, step: Step) -> tuple[Rich, ...]:
        if self.level is Level.EXPERT:
            return self._conditions(step)
        said = self.level is not Level.BEGINNER and step.rule in self.said
        why: list[Rich] = [] if said else [(RULES[step.rule],)]  # a student reads each rule once, a beginner every time
        self.said.add(step.rule)
        for c in step.contributions:
            line = next(iter(self.forms(c.through))).formula
            why.append((self.name(step.of), " enters ", line, "."))
            if self.level is Level.BEGINNER and not c.sums and not c.through.target.axes:
                why.append(("When ", self.name(step.of), " grows a little, ", self.name(c.through.target), " moves ",
                            Formula(latex(c.local, self.tensors), text(c.local, tensors=self.tensors)), " times as much."))
            if law(c.through):
                why.append((law(c.through),))
        return (*dict.fromkeys(why), *self._conditions(step))

    def _conditions(self, step: Step) -> tuple[Rich, ...]:
        found: list[Rich] = []
        for a in step.assumptions:
            found.append(("This line uses what was declared: ", Formula(f"{latex(a.left, self.tensors)} = {latex(a.right, self.tensors)}",
                                                                        f"{text(a.left)} = {text(a.right)}"), "."))
        for name in step.inlined:
            if name in self.tensors or name in self.anchors:
                tensor = self.tensors.get(name)
                shown = self.name(tensor) if tensor is not None else Formula(name, name)
                found.append(("The gradient ", Link(shown, self.anchors.get(name, "backward")), " was put in."))
        return tuple(found)


def _whole(name: str) -> str:
    """A gradient in brackets, where a d stands before it."""
    return f"({name})" if "_d" in name else name


def _spoken(d: Definition) -> str:
    said = {sp.Add: "Multiply, then add up.", sp.Mul: "Multiply.", sp.Pow: "Take the difference and multiply it by itself."}
    named = {"sigmoid": "The sigmoid squeezes any number into the range from 0 to 1.",
             "tanh": "tanh squeezes any number into the range from −1 to 1.", "relu": "Negative numbers become 0; others stay."}
    return named.get(d.expr.func.__name__, said.get(d.expr.func, ""))
