"""Definitions and steps as views: symbols, then numbers put in, then the value; what each uses, and why it holds.

Every formula line carries the claim that it makes, as expressions, so that a machine can evaluate what is printed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import sympy as sp

from symnet.core.derivation import Contribution, Rule, Step
from symnet.core.expressions import Limits, Partial, When, as_written, bracketed, substitute, total
from symnet.core.latex import LatexPrinter, definition_latex, latex
from symnet.core.names import name_latex, tensor_latex, tensor_text
from symnet.core.printing import negated
from symnet.core.program import Definition
from symnet.core.sentences import capitalised
from symnet.core.tensors import Tensor, tensor_name
from symnet.core.text import TextPrinter, definition_text, text
from symnet.reports.document import Claim, Formula, Level, Link, Notation, Rich, Stage, StepView
from symnet.reports.plainmath import plain_math
from symnet.reports.references import References
from symnet.reports.values import Values, equals, related
from symnet.reports.words import RULES, law, plural, spoken

MOST_ENTRIES = 8


@dataclass
class Lines:
    """Makes the views of one derivation. ``entries`` maps a tensor to its scalar definitions when there are values."""

    tensors: Mapping[str, Tensor]
    level: Level
    notation: Notation = Notation.BOTH
    values: Values | None = None
    entries: Mapping[str, tuple[Definition, ...]] = field(default_factory=dict)
    scalar_tensors: Mapping[str, Tensor] = field(default_factory=dict)
    references: References = field(default_factory=References)
    matrix: Callable[[Definition], str | None] = lambda d: None  # matrix notation of a line, where it has one
    earlier: Mapping[str, Definition] = field(default_factory=dict)  # gradients of a single line, by name
    said: set[Rule] = field(default_factory=set)

    def name(self, tensor: Tensor) -> Formula:
        """A tensor's name in a sentence: a gradient as ∂L/∂w, which keeps the height of the line."""
        if tensor.of and not tensor.latex:
            of = self.tensors.get(tensor.of)
            under = tensor_latex(of) if of is not None else name_latex(tensor.of)
            return Formula(rf"\partial {name_latex(tensor.objective)} / \partial {under}", tensor_text(tensor))
        return Formula(tensor_latex(tensor), tensor_text(tensor))

    def definition(self, d: Definition) -> Formula:
        """``left = right``, with the places that the line is for where they are not all of the axis."""
        known = {**self.tensors, d.name: d.target}
        return _over(d, Formula(definition_latex(d, known), definition_text(d, known)))

    def forward(self, d: Definition) -> StepView:
        """One line of the forward pass."""
        line = next(x for x in self.references.lines if x.definition is d)
        why: tuple[Rich, ...] = ()
        if self.level is Level.BEGINNER:
            why = tuple((s,) for s in (spoken(d),) if s)
        return StepView(line.anchor, line.number, self._title(d), tuple(self.stages(d)), self._uses(d), why)

    def _title(self, d: Definition) -> Rich:
        note = d.note or d.target.note
        return (capitalised(note, self.tensors),) if note else ("Compute ", self.name(d.target))

    def forms(self, d: Definition) -> Iterator[Stage]:
        """The formula in index form, in matrix notation, or in both."""
        asked = self.notation in (Notation.BOTH, Notation.MATRIX) and (d.target.axes or d.expr.has(sp.Indexed))
        matrix = self.matrix(d) if asked else None
        claim = Claim(d.entry, d.expr, _ranges(d))
        if matrix is None or self.notation is Notation.BOTH:
            yield Stage("", self.definition(d), claim)
        if matrix is not None:
            label = "in matrix notation" if self.notation is Notation.BOTH else ""
            yield Stage(label, _over(d, Formula(matrix, plain_math(matrix))), claim)

    def stages(self, d: Definition) -> Iterator[Stage]:
        """The formula and numbers."""
        yield from self.forms(d)
        if self.values is not None:
            yield from self._numbers(d)

    def _numbers(self, d: Definition) -> Iterator[Stage]:
        lines = self.entries.get(d.name, ()) if d.target.axes or d.expr.has(sp.Indexed) else (d,)
        if not d.target.axes and not d.expr.has(sp.Indexed):
            yield from self._put_in(d)
            return
        own = [line for line in lines if self._is_of(line, d)]
        for line in own[:MOST_ENTRIES]:
            yield Stage("entry" if line.target.place else "with numbers", *self._entry(line))
        if len(own) > MOST_ENTRIES:
            rest = f"and {plural(len(own) - MOST_ENTRIES, 'more entry', 'more entries')}"
            yield Stage("", Formula(rf"\text{{{rest}}}", rest))

    @staticmethod
    def _is_of(line: Definition, d: Definition) -> bool:
        """True for an entry that ``d`` itself defines, where several lines define one tensor."""
        return all(not i.is_Integer or int(i) == p for i, p in zip(d.indices, line.target.place, strict=False))

    def _put_in(self, d: Definition) -> Iterator[Stage]:
        assert self.values is not None
        if d.name not in self.scalar_tensors and self.scalar_tensors:
            return
        numbers, exact = self.values.put_in(d.expr, self.tensors)
        shown, empty = self.values.of(d.name), Formula("", "")
        told = self.level is not Level.EXPERT and numbers.text != shown.text and d.expr.free_symbols
        if told and self.values.comes_to(d.expr, shown):
            yield Stage("with numbers", related(empty, numbers, exact), Claim(d.entry, d.expr, put_in=self.values.printed(d.expr)))
        yield Stage("value", equals(empty, shown), Claim(d.entry, d.expr, decimal=shown.text))

    def _entry(self, line: Definition) -> tuple[Formula, Claim]:
        """One scalar line, all in one row."""
        assert self.values is not None
        left = Formula(latex(line.entry, self.scalar_tensors), text(line.entry))
        middle = Formula(latex(line.expr, self.scalar_tensors), text(line.expr, tensors=self.scalar_tensors))
        numbers, exact = self.values.put_in(line.expr, self.scalar_tensors)
        shown = self.values.of(line.name)
        row = related(left, middle, True)
        put_in: tuple[tuple[str, str], ...] = ()
        if (self.level is not Level.EXPERT and len(numbers.latex) <= 160 and numbers.text not in (shown.text, middle.text)
                and self.values.comes_to(line.expr, shown)):
            row, put_in = related(row, numbers, exact), self.values.printed(line.expr)
        if middle.text != shown.text:
            row = equals(row, shown)
        return row, Claim(line.entry, line.expr, decimal=shown.text, put_in=put_in)

    def _uses(self, d: Definition) -> Rich:
        pieces: list[str | Formula | Link] = []
        for name, lines in self.references.used(d).items():
            if name not in self.tensors:
                continue
            where = lines or self.references.defining(name)
            pieces += [", " if pieces else "", Link(self.name(self.tensors[name]), where[0].anchor if where else "symbols")]
            pieces.append(" (given)" if not where else f" (line{'s' * (len(where) > 1)} {', '.join(x.number for x in where)})")
        return tuple(p for p in pieces if p != "")

    def backward(self, step: Step) -> StepView:
        """One line of the backward pass."""
        d = step.definition
        line = next(x for x in self.references.lines if x.definition is d)
        stages: list[Stage] = []
        if self.level is not Level.EXPERT and step.rule is not Rule.DIRECT and self.notation is not Notation.MATRIX:
            stages += self._chain(step)
        stages += self.forms(d)
        if self.values is not None and step.live:
            stages += self._numbers(d)
        note = "" if step.live else "The later lines no longer need this one."
        title: Rich = (self.name(step.target), f": {step.rule.value}")
        return StepView(line.anchor, line.number, title, tuple(stages), self._uses(d), self._why(step), note)

    def _chain(self, step: Step) -> Iterator[Stage]:
        """∂L/∂w = Σ ∂L/∂z · ∂z/∂w, each slope ∂z/∂w, and where an earlier gradient was put in, how it cancels."""
        d = step.definition
        shares = [c for c in step.contributions if c.upstream != 1]
        if not shares:
            return
        of = step.of[d.indices[len(d.indices) - len(step.of.axes):]] if step.of.axes else step.of[()]
        partials = {c: Partial(_through(c), of) for c in shares}
        with as_written():
            chain = sp.Add(*[_term(c, c.upstream * partials[c] if c in partials else c.local) for c in step.contributions])
            yield self._line("chain rule", Claim(d.entry, chain, _ranges(d)), step)
            for c, partial in partials.items():
                yield self._line("slope", Claim(partial, c.local, (*_ranges(d), *c.sums), c.conditions), step)
            if step.inlined:
                whole = sp.Add(*[self._put_earlier(c, step.inlined) for c in step.contributions])
                yield self._line("put in", Claim(d.entry, whole, _ranges(d)), step)
            if step.unassumed is not None:
                yield self._line("cancelled" if step.inlined else "added up", Claim(d.entry, step.unassumed, _ranges(d)), step)

    def _put_earlier(self, c: Contribution, inlined: tuple[str, ...]) -> sp.Expr:
        """A term of the chain rule with the upstream gradient written out, nothing cancelled yet."""
        name = "" if c.upstream.is_Number else tensor_name(c.upstream)
        if name not in inlined or name not in self.earlier:
            return _term(c, c.upstream * c.local)
        line = self.earlier[name]
        places = c.upstream.indices if isinstance(c.upstream, sp.Indexed) else ()
        value = substitute(line.expr, dict(zip(line.indices, places, strict=True)))
        negative = [bool(e.as_coeff_Mul()[0] < 0) for e in (value, c.local)]  # one sign in front of the whole term
        above, slope = (negated(e) if below else e for e, below in zip((value, c.local), negative, strict=True))
        term = _term(c, sp.Mul(above, *sp.Mul.make_args(slope), evaluate=False))
        return sp.Mul(-1, term, evaluate=False) if sum(negative) == 1 else term

    def _line(self, label: str, claim: Claim, step: Step) -> Stage:
        """A claim about the gradient of a step, as it is printed."""
        known = {**self.tensors, step.target.name: step.target}
        marks, words = LatexPrinter(known), TextPrinter(known)
        where = sp.And(*claim.conditions)
        tail = ("", "") if where is sp.true else (rf" \quad \text{{where }} {marks(When(sp.S.One, where))}",
                                                  f" where {words(When(sp.S.One, where))}")
        return Stage(label, _over(step.definition, Formula(f"{marks(claim.left)} = {marks(claim.right)}{tail[0]}",
                                                           f"{words(claim.left)} = {words(claim.right)}{tail[1]}")), claim)

    def _why(self, step: Step) -> tuple[Rich, ...]:
        if self.level is Level.EXPERT:
            return self._conditions(step)
        said = self.level is not Level.BEGINNER and step.rule in self.said
        why: list[Rich] = [] if said else [(RULES[step.rule],)]  # a student reads each rule once, a beginner every time
        self.said.add(step.rule)
        for c in step.contributions:
            line = next(iter(self.forms(c.through))).formula
            why.append((self.name(step.of), " enters ", line, "."))
            if self.level is Level.BEGINNER and not c.sums and not c.through.target.axes and not step.of.axes:
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
            tensor, where = self.tensors.get(name), self.references.defining(name)
            shown = self.name(tensor) if tensor is not None else Formula(name, name)
            if where:
                found.append(("The gradient ", Link(shown, where[0].anchor), f" (line {where[0].number}) was put in."))
        return tuple(found)


def _over(d: Definition, formula: Formula) -> Formula:
    """The formula with the range of each index that does not run over its whole axis: for t = 1, …, T - 1."""
    shown = formula
    for i, axis in zip(d.indices, d.target.axes, strict=True):
        if i in d.free and d.free[i] != axis.range:
            (lo, hi), (marks, words) = d.free[i], (LatexPrinter(), TextPrinter())
            shown = Formula(rf"{shown.latex} \quad \text{{for }} {marks(i)} = {marks(lo)}, \ldots, {marks(hi)}",
                            f"{shown.text}  for {words(i)} = {words(lo)}..{words(hi)}")
    return shown


def _ranges(d: Definition) -> tuple[Limits, ...]:
    return tuple((i, lo, hi) for i, (lo, hi) in d.free.items())


def _through(c: Contribution) -> sp.Expr:
    """The entry of the forward line that a contribution comes through."""
    v = c.through.target
    places = c.upstream.indices if isinstance(c.upstream, sp.Indexed) else ()
    return v[tuple(places)[len(places) - len(v.axes):]] if v.axes else v[()]


def _term(c: Contribution, body: sp.Expr) -> sp.Expr:
    """Σ [conditions] body over the places of a contribution."""
    bound = {i for i, _, _ in c.sums}
    inner = sp.And(*[k for k in c.conditions if k.free_symbols & bound])
    outer = sp.And(*[k for k in c.conditions if not k.free_symbols & bound])
    return bracketed(total(bracketed(body, inner), c.sums), outer)
