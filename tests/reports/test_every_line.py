"""Every line of every shipped report, at every level and notation: what is printed is read back and evaluated.

Slopes are compared with differences of the one forward line they are slopes of, gradients and chain rules with differences of the whole
forward program, references with the lines that define the very entries used, counts with lengths, shapes with arrays, reasons with what
they say, and every decimal with the value it rounds. Nothing of the calculus is used but the forward program.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
import sympy as sp
from reports.reading import World, correctly_rounded, latex_line, matrix_line, text_line

import symnet as sn
from symnet.arrays.flow_axes import ALONG
from symnet.calculus.instantiate import environment, instantiate_program
from symnet.case_builder import _entries, report
from symnet.core.derivation import Derivation, Rule, Step
from symnet.core.expressions import Partial, as_written, entries
from symnet.core.index_evaluation import at_place, visits
from symnet.core.matrices import Det, InverseEntry
from symnet.core.tensors import Tensor, entry_indices, has_name, tensor_name
from symnet.errors import SymnetError
from symnet.reports.columns import with_samples_as_columns
from symnet.reports.document import Formula, Link, Section, Stage, StepView, Story, Table
from symnet.reports.plain import human
from symnet.reports.plainmath import plain_math
from symnet.reports.words import RULES, law, spoken
from symnet.worksheets.builtin import names

ALL_SIZES = (2, 3, 4, 5, 3, 2)
VIEWS = {
    "student": {}, "beginner": {"level": "beginner", "notation": "index"}, "expert": {"level": "expert", "notation": "both"},
    "matrix": {"notation": "matrix"}, "columns": {"samples": "columns"}, "matrix columns": {"notation": "matrix", "samples": "columns"},
    "expert matrix": {"notation": "matrix", "level": "expert"}, "scalar": {"notation": "scalar"},
    "beginner columns": {"level": "beginner", "samples": "columns"}, "many digits": {"digits": 12},
}
LONG = {"transformer", "lstm", "digits"}
SCALAR = {"first", "two-two-two", "softmax-regression", "ages", "xor"}  # small enough to be told number by number
CLOSE = 2.0**-90


@functools.cache
def loaded(name: str) -> Derivation:
    return sn.load(name)


@dataclass
class Told:
    """A report with the worlds in which it is read."""

    story: Story
    shown: Derivation
    held: Derivation
    columns: bool
    digits: int
    matrix_only: bool

    @functools.cached_property
    def sizes(self) -> dict[str, int]:
        known = self.shown.meta.get("sizes") or {}
        chosen = dict(zip([str(s) for s in self.shown.program.sizes], ALL_SIZES, strict=False))
        if "H" in chosen:
            chosen = dict(zip(chosen, (2, 3, 2, 3, 2, 2, 2), strict=False))
        return {n: int(known.get(n, k)) for n, k in chosen.items()}

    @functools.cached_property
    def world(self) -> World:
        return World(self.shown, self.sizes)

    @functools.cached_property
    def held_world(self) -> World:
        return World(self.held, self.sizes)

    @functools.cached_property
    def numbers(self) -> World | None:
        """The world of the values given, every entry a number of its own."""
        if not all(t.name in self.shown.values for t in self.shown.program.inputs):
            return None
        scalars = self.shown.instantiate(self.sizes) if any(t.axes for t in self.shown.program.tensors.values()) else self.shown
        made = World(scalars, {}, scalars.values)
        rate = self.shown.meta.get("learning_rate")
        if rate is not None:
            made.known["lr"], made.made[("lr", ())] = Tensor("lr"), sp.Rational(rate)
            for name in scalars.wrt:
                t = made.known[name]
                value = made.evaluate(t[()] - sp.Rational(rate) * made.known[scalars.names[name]][()], {})
                for new in {f"{name}_new", f"{t.parent or name}_new" + "".join(f"_{p}" for p in t.place)}:
                    made.known[new], made.made[(new, ())] = Tensor(new), value
        return made

    def steps(self, anchor: str) -> list[StepView]:
        return [b for b in self.section(anchor).blocks if isinstance(b, StepView)]

    def section(self, anchor: str) -> Section:
        return next(s for s in self.story.sections if s.anchor == anchor)


def told(name: str, view: str) -> Told:
    options: dict[str, Any] = VIEWS[view]
    d = replace(loaded(name), meta={**loaded(name).meta, "training": None})
    held = _entries(d) if options.get("notation") == "scalar" else d
    with as_written():
        shown = with_samples_as_columns(held) if options.get("samples") == "columns" else held
    story = report(d, **options).story
    return Told(story, shown, held, options.get("samples") == "columns", options.get("digits", 6), options.get("notation") == "matrix")


# --- the walkers: each yields what is wrong -------------------------------------------------------------------------------------


def walk(t: Told) -> Iterator[str]:
    yield from walk_lines(t)
    yield from walk_references(t)
    yield from walk_reasons(t)
    yield from walk_counts(t)
    yield from walk_tables(t)
    yield from walk_updates(t)
    yield from walk_words(t)


def complaints(pairs: list[tuple[float, str]]) -> Iterator[str]:
    for gap, said in pairs:
        if not gap < CLOSE:
            yield f"{gap:.2g} apart: {said}"


def walk_lines(t: Told) -> Iterator[str]:
    """Every formula line of the forward and the backward pass, and of the table of gradients."""
    for step in (*t.steps("forward"), *t.steps("backward")):
        left = ""
        for stage in step.stages:
            if stage.claim is None:
                if not re.fullmatch(r"and \d+ more entr(y|ies)", stage.formula.text):
                    yield f"line {step.number} says {stage.formula.text} and claims nothing"
                continue
            left = human(stage.formula.text).split(" = ")[0] if stage.label in ("", "with numbers") and " = " in stage.formula.text else left
            yield from (f"line {step.number}, {stage.label or 'formula'}: {said}" for said in one_line(t, stage, left))
    for row in next(b for b in t.section("gradients").blocks if isinstance(b, Table)).rows:
        for cell in row[1:3]:
            for piece in cell:
                if isinstance(piece, Formula) and " = " in piece.text:
                    about = next((s for v in t.steps("backward") for s in v.stages if s.formula == piece), None)
                    if about is None:
                        yield f"table of gradients: {piece.text} stands in no line"


def is_matrix(stage: Stage) -> bool:
    """Matrix notation is plain Unicode made from the LaTeX, index notation is worksheet text."""
    return plain_math(stage.formula.latex.split(r" \quad ")[0]) == stage.formula.text.split("  for ")[0]


def one_line(t: Told, stage: Stage, left: str) -> Iterator[str]:
    claim = stage.claim
    assert claim is not None
    inner = {str(i): (lo, hi) for i, lo, hi in claim.ranges}
    numeric = stage.label in ("with numbers", "value", "entry")
    if stage.label == "in matrix notation" or (t.matrix_only and not numeric and is_matrix(stage)):
        held = claim.left
        if t.columns:
            from symnet.reports.columns import Transposition

            held = Transposition(t.world.known).expr(claim.left)
        yield from complaints(matrix_line(t.held_world, stage.formula.latex, held, t.columns))
        return
    world = t.numbers if numeric else t.world
    assert world is not None
    text = human(stage.formula.text)
    if " % " in text:
        return  # strides are printed for people
    yield from complaints(text_line(world, text, inner, left=left))
    if claim.decimal:
        shown = text.rsplit(" = ", 1)[-1].rsplit(" ≈ ", 1)
        shown_text = ("≈ " if re.search(r"(^| )≈ [^≈=]*$", text) else "") + re.split(r"(?:^| )[=≈] ", text)[-1]
        place = next(w for w in [world.value(tensor_name(claim.left), ())])
        carried = bool(claim.put_in) and correctly_rounded(shown_text.removeprefix("≈ "), place, t.digits)  # ≈ for what was put in
        if not (correctly_rounded(shown_text, place, t.digits) or carried):
            yield f"{shown[-1]} is not {place} to {t.digits} digits"
    if not numeric and not claim.conditions:
        yield from complaints(latex_line(world, stage.formula.latex, None if isinstance(claim.left, Partial) else claim.left, inner))


def walk_references(t: Told) -> Iterator[str]:
    """ "name (lines 3, 12)": the lines that define an entry which the line uses, at the sizes of the world, and no others."""
    lines = {v.number: v for v in (*t.steps("forward"), *t.steps("backward"))}
    about = {**{str(k): d for k, d in enumerate(t.shown.program.definitions, 1)},
             **{str(len(t.shown.program.definitions) + s.number): s.definition for s in t.shown.steps}}
    if set(about) != set(lines):
        yield f"lines {sorted(lines)} are printed, {sorted(about)} are there"
        return
    along = {str(s) for x in t.shown.program.tensors.values() for a in x.axes if a.kind in ALONG for s in a.size.free_symbols}
    envs = [environment(t.shown.program, {n: few if n in along else k for n, k in t.sizes.items()}) for few in ((1, 2, 4) if along else (2,))]
    defined = [{n: {(d.name, place) for place, _ in visits(d, env)} for n, d in about.items()} for env in envs]
    for number, view in lines.items():
        if number not in view.anchor and not view.anchor:
            yield f"line {number} has no anchor"
        d = about[number]
        needed: dict[str, set[str]] = {}
        for env, there in zip(envs, defined, strict=True):
            used: set[tuple[str, tuple[int, ...]]] = set()
            for _, inner in visits(d, env):
                at_place(d.expr, inner, lambda name, place, used=used: used.add((name, place)) or sp.Symbol("_"))  # type: ignore[misc]
            for entry in used:
                needed.setdefault(entry[0], set()).update(n for n, entries_ in there.items() if entry in entries_)
        said = spoken_references(view)
        if set(said) != {human(n).replace("/", "_") for n in needed}:
            yield f"line {number} says it uses {sorted(said)}, and uses {sorted(needed)}"
        for name, wanted in needed.items():
            found = said.get(human(name).replace("/", "_"))
            if found is not None and found[0] != wanted:
                yield f"line {number}: {name} comes from {sorted(wanted) or 'the givens'}, and {sorted(found[0]) or 'the givens'} is printed"
            if found is not None and found[1] not in ({lines[n].anchor for n in wanted} or {"symbols"}):
                yield f"line {number}: the link of {name} leads to {found[1]}"


def spoken_references(view: StepView) -> dict[str, tuple[set[str], str]]:
    found: dict[str, tuple[set[str], str]] = {}
    for link, words in itertools.pairwise(view.uses):
        if isinstance(link, Link):
            assert isinstance(words, str) and re.fullmatch(r" \((given|lines? [\d, ]+)\)", words), words
            found[human(link.formula.text).replace("/", "_")] = set(re.findall(r"\d+", words)), link.anchor
    return found


def walk_reasons(t: Told) -> Iterator[str]:
    """Every sentence under a line is known, and true of its step."""
    for view, step in zip(t.steps("backward"), t.shown.steps, strict=True):
        title = "".join(p if isinstance(p, str) else human(p.formula.text if isinstance(p, Link) else p.text) for p in view.title)
        if title.partition(": ")[2] != step.rule.value:
            yield f"line {view.number} is called {title}"
        if not SOUND[step.rule](step, t.shown):
            yield f"line {view.number}: {step.rule.value} is not what {step.definition} does"
        for sentence in view.why:
            yield from (f"line {view.number}: {said}" for said in one_reason(t, step, sentence))
        if view.note and step.live:
            yield f"line {view.number}: {view.note}"
    for view, d in zip(t.steps("forward"), t.shown.program.definitions, strict=True):
        for (sentence,) in view.why:
            if sentence != spoken(d) or not SAID[sentence](d.expr):
                yield f"line {view.number}: {sentence}"


def one_reason(t: Told, step: Step, sentence: Any) -> Iterator[str]:
    first = sentence[0]
    if isinstance(first, str):
        if first == RULES[step.rule] or first in {law(c.through) for c in step.contributions}:
            return
        if first.startswith("This line uses what was declared"):
            if sentence[1].text not in {human(f"{sn_text(a.left)} = {sn_text(a.right)}") for a in step.assumptions}:
                yield f"{sentence[1].text} was not used"
            return
        if first == "The gradient ":
            put = sentence[1].anchor
            line = next(v for v in t.steps("backward") if v.anchor == put)
            if f"(line {line.number})" not in sentence[2] or put.strip("-") not in {f"g-{n}" for n in step.inlined}:
                yield f"{sentence} was not put in"
            return
        if first == "When ":
            c = next(c for c in step.contributions if c.through.name == sentence[3].text)
            yield from complaints(text_line(t.world, human(f"d{c.through.name}/d{step.of.name} = {sentence[5].text}"), {}))
            return
        yield f"nobody knows whether this is so: {sentence}"
        return
    if sentence[1] != " enters " or not any(has_name(c.through.expr, {step.of.name}) and sentence[2] in forms_of(t, c.through)
                                            for c in step.contributions):
        yield f"{sentence} is not so"


def forms_of(t: Told, d: Any) -> set[Formula]:
    number = 1 + next(k for k, x in enumerate(t.shown.program.definitions) if x == d)
    return {s.formula for s in next(v for v in t.steps("forward") if v.number == str(number)).stages}


def sn_text(expr: sp.Expr) -> str:
    from symnet.core.text import text

    return text(expr)


def linear(step: Step) -> bool:
    """The second derivatives of the lines that use the value, by SymPy, at small sizes: all zero."""
    p, through = step.derivation.program, {c.through.name for c in step.contributions}  # type: ignore[union-attr]
    scalars, at = instantiate_program(p, dict.fromkeys([str(s) for s in p.sizes], 2))
    own = {x.name for x in at.of(step.of.name)}
    for x in scalars.definitions:
        if x.name in through or at.by_name[x.name].parent in through:
            moved = [s for s in x.expr.free_symbols if s.name in own]
            if any(x.expr.diff(a).diff(b) != 0 for a in moved for b in moved):
                return False
    return True


def own_entry_alone(step: Step) -> bool:
    """Every entry of the next value uses one entry of this one, and no two the same."""
    c, = step.contributions
    use, = c.occurrences
    return not c.sums and sorted(map(str, entry_indices(use))) == sorted(map(str, c.through.indices)) and \
        not any(isinstance(i, sp.Add) for i in entry_indices(use)) and not c.through.expr.has(sp.Sum)


SOUND: dict[Rule, Callable[[Step, Derivation], bool]] = {
    Rule.CHAIN: lambda s, d: len(s.contributions) == 1 and not s.contributions[0].sums,
    Rule.SUM_OVER_USES: lambda s, d: len(s.contributions) > 1 or bool(s.contributions[0].sums),
    Rule.LINEAR: lambda s, d: linear(s),
    Rule.ELEMENTWISE: lambda s, d: own_entry_alone(s),
    Rule.BROADCAST: lambda s, d: (bool(s.contributions[0].sums) or bool(s.of.parent) or len(s.contributions) > 1) and linear(s),
    Rule.DIRECT: lambda s, d: all(c.through.name == d.objective for c in s.contributions),
    Rule.SUBSTITUTED: lambda s, d: bool(s.inlined) and not any(has_name(s.expression, {n}) for n in s.inlined),
    Rule.BOUNDARY: lambda s, d: any(i not in s.definition.free and i in a.range for i, a in zip(s.definition.indices, s.target.axes, strict=True))
    and len([x for x in d.steps if x.of == s.of]) > 1,
    Rule.RECURRENCE: lambda s, d: feeds_itself(d, s.of.name),
    Rule.DETERMINANT: lambda s, d: any(c.through.expr.has(Det) for c in s.contributions),
    Rule.INVERSE: lambda s, d: any(c.through.expr.has(InverseEntry) for c in s.contributions),
    Rule.ABSENT: lambda s, d: s.expression == 0,
}


def feeds_itself(d: Derivation, name: str) -> bool:
    reached, stack = set[str](), [name]
    while stack:
        for used in d.program.uses(stack.pop()) if stack else ():
            if used not in reached:
                reached.add(used)
                if used in d.program.by_name:
                    stack.append(used)
    return name in reached


def _terms(expr: sp.Expr) -> list[sp.Expr]:
    return [a.function if isinstance(a, sp.Sum) else a for a in sp.Add.make_args(expr)]


SAID: dict[str, Callable[[sp.Expr], bool]] = {
    "Multiply, then add up.": lambda e: all(isinstance(f, (sp.Symbol, sp.Indexed)) for a in _terms(e) for f in sp.Mul.make_args(a)) and any(
        a.is_Mul for a in _terms(e)),
    "Multiply.": lambda e: e.is_Mul and all(isinstance(f, (sp.Symbol, sp.Indexed)) for f in e.args),
    "Add up.": lambda e: e.is_Add and all(isinstance(f, (sp.Symbol, sp.Indexed)) for f in e.args),
    "Take the difference and multiply it by itself.": lambda e: e.is_Pow and e.exp == 2 and sorted(
        sp.Poly(e.base, *entries(e.base)).coeffs()) == [-1, 1],
    "The sigmoid squeezes any number into the range from 0 to 1.": lambda e: type(e).__name__ == "sigmoid",
    "tanh squeezes any number into the range from −1 to 1.": lambda e: isinstance(e, sp.tanh),
    "Negative numbers become 0; others stay.": lambda e: type(e).__name__ == "relu",
}


def words_of(pieces: Any) -> str:
    return "".join(p if isinstance(p, str) else human(p.formula.text if isinstance(p, Link) else p.text) for p in pieces)


def walk_counts(t: Told) -> Iterator[str]:
    count = len(t.steps("backward"))
    said = re.search(r"in (\d+) steps?, (each )?by one named rule", words_of(t.story.summary))
    if said is None or int(said[1]) != count or bool(said[2]) != (count > 1):
        yield f"{count} steps are shown: {words_of(t.story.summary)}"
    names_ = re.findall(r"respect to (.*), in", words_of(t.story.summary))[0]
    if re.split(r", | and ", names_) != list(t.shown.wrt):
        yield f"the summary names {names_}"
    for block in t.section("checks").blocks:
        if isinstance(block, tuple) and (found := re.search(r"(\d+) of (\d+) agree", words_of(block))) and set(found.groups()) != {str(count)}:
            yield f"{found[0]}, of {count} steps"
    numbers = [v.number for v in (*t.steps("forward"), *t.steps("backward"))]
    if numbers != [str(k) for k in range(1, len(numbers) + 1)]:
        yield f"the lines are numbered {numbers}"
    anchors = [v.anchor for v in (*t.steps("forward"), *t.steps("backward"))]
    if len(set(anchors)) != len(anchors):
        yield "two lines have one anchor"
    for view in t.steps("forward"):
        rest = [s.formula.text for s in view.stages if s.formula.text.startswith("and ")]
        d = t.shown.program.definitions[int(view.number) - 1]
        own = len(list(visits(d, t.world.at.env)))
        if rest and rest != [f"and {own - 8} more {'entry' if own == 9 else 'entries'}"]:
            yield f"line {view.number}: {rest}, of {own}"


def walk_tables(t: Told) -> Iterator[str]:
    """Shapes against arrays, numbers against values, in the tables of symbols and of gradients."""
    for anchor in ("symbols", "gradients"):
        table = next(b for b in t.section(anchor).blocks if isinstance(b, Table))
        for row in table.rows:
            name = row[0][0].text  # type: ignore[union-attr]
            cells = dict(zip(table.head, row, strict=True))
            if "shape" in cells:
                yield from one_shape(t, name, words_of(cells["shape"]))
            if "value" in cells and t.numbers is not None:
                target = name if anchor == "symbols" else t.shown.names[name]
                yield from one_value(t, target, words_of(cells["value"]))
            if anchor == "symbols" and re.search(r"\brows?\b", words_of(cells["meaning"])) and t.columns and len(t.world.known[name].axes) > 1:
                yield f"{name} is told by rows: {words_of(cells['meaning'])}"
    nudges = [b for b in t.section("checks").blocks if isinstance(b, Table)]
    for row in nudges[0].rows if nudges else ():
        assert t.numbers is not None
        name = row[0][0].text  # type: ignore[union-attr]
        if not correctly_rounded(words_of(row[4]), t.numbers.value(t.numbers.gradient_of(name), ()), t.digits):
            yield f"the gradient of {name} is not {words_of(row[4])}"


def one_shape(t: Told, name: str, printed: str) -> Iterator[str]:
    places = list(t.world.at.places(name))
    wanted = tuple(len({p[k] for p in places}) for k in range(len(places[0])))
    if printed == "a number":
        found: tuple[int, ...] = ()
    else:
        sizes = {str(s): s for s in t.shown.program.sizes}
        found = tuple(int(sp.sympify(s, locals=sizes).xreplace(t.world.at.env)) for s in printed.strip("()").split(",") if s.strip())
    if found != wanted:
        yield f"{name} is printed with the shape {printed}, and has {wanted}"


def one_value(t: Told, name: str, printed: str) -> Iterator[str]:
    assert t.numbers is not None
    if printed in ("see below", "entry by entry above") or "entries, the first" in printed:
        return
    approx = printed.startswith("≈")
    for place, text in zip(t.numbers.entries_of(name), re.findall(r"-?\d+\.?\d*(?:e-?\d+)?", printed), strict=True):
        value = t.numbers.value(place, ())
        if not (correctly_rounded(text, value, t.digits) or (approx and correctly_rounded(f"≈ {text}", value, t.digits))):
            yield f"{name}: {text} is not {value}"


def walk_updates(t: Told) -> Iterator[str]:
    """w_new = w - lr dL/dw, with numbers, and its value."""
    if not any(s.anchor == "update" for s in t.story.sections):
        return
    assert t.numbers is not None
    for view in t.steps("update"):
        left = human(view.stages[0].formula.text).split(" = ")[0]
        for stage in view.stages:
            assert stage.claim is not None
            yield from (f"line {view.number}: {said}" for said in complaints(text_line(t.numbers, human(stage.formula.text), {}, left=left)))
            if stage.claim.decimal and not correctly_rounded(human(stage.formula.text).removeprefix("= "), t.numbers.value(left, ()), t.digits):
                yield f"line {view.number}: {stage.formula.text}"


def walk_words(t: Told) -> Iterator[str]:
    """What is said once: that unrounded values are carried wherever a number is rounded, what a bracket is wherever one is printed."""
    said = [words_of(b) for b in t.section("symbols").blocks if isinstance(b, tuple)]
    lines = [s.formula.text for v in (*t.steps("forward"), *t.steps("backward")) for s in v.stages]
    if any("≈" in x for x in lines) and sum("carried" in s for s in said) != 1:
        yield "nothing is said of rounding"
    if any(re.search(r"(?<![A-Za-z0-9_])\[[^\]]*(==|<=|>=|!=|>|<)", x) for x in lines) and sum("square brackets" in s for s in said) != 1:
        yield "nothing is said of brackets"
    sizes = t.shown.meta.get("sizes") or {}
    told_sizes = " ".join(s for s in said if s.startswith(("Here ", "The size")))
    free = [w for s in said if "may be any" in s for w in re.findall(r"\w+", s.partition("may be any")[0])]
    if any(f"{n} = {k}" not in told_sizes for n, k in sizes.items()) or set(sizes) & set(free):
        yield f"the sizes are {dict(sizes)}: {told_sizes}"
    if t.columns and not any("Samples stand as columns" in s for s in said):
        yield "nothing is said of columns"
    for step in (*t.steps("forward"), *t.steps("backward")):
        for stage in step.stages:
            for number in re.findall(r"(?:^| )= (-?\d+\.\d+(?:e-?\d+)?)$", stage.formula.text):
                name = tensor_name(stage.claim.left) if stage.claim else ""
                if t.numbers is not None and name in t.numbers.known and not correctly_rounded(number, t.numbers.value(name, ()), t.digits):
                    yield f"line {step.number}: a bare = before the rounded number {number}"


# --- the reports ------------------------------------------------------------------------------------------------------------------


PAIRS = [pytest.param(n, v, marks=pytest.mark.slow if n in LONG and v not in ("student", "matrix columns") else ())
         for n in names() for v in VIEWS if v != "scalar" or n in SCALAR]


@pytest.mark.parametrize(("name", "view"), PAIRS)
def test_every_line_is_so(name: str, view: str) -> None:
    wrong = list(walk(told(name, view)))
    assert not wrong, "\n".join(wrong[:20])


# --- the walkers can fail ---------------------------------------------------------------------------------------------------------


def altered(story: Story, anchor: str, number: str, change: Callable[[StepView], StepView]) -> Story:
    """The story with one line changed."""
    sections = tuple(replace(s, blocks=tuple(change(b) if isinstance(b, StepView) and b.number == number else b for b in s.blocks))
                     if s.anchor == anchor else s for s in story.sections)
    return replace(story, sections=sections)


def stage_changed(label: str, old: str, new: str) -> Callable[[StepView], StepView]:
    def change(view: StepView) -> StepView:
        assert any(s.label == label and (old in s.formula.text or old in s.formula.latex) for s in view.stages), (view.number, label, old)
        return replace(view, stages=tuple(
            replace(s, formula=Formula(s.formula.latex.replace(old, new), s.formula.text.replace(old, new))) if s.label == label else s
            for s in view.stages))
    return change


def uses_changed(old: str, new: str) -> Callable[[StepView], StepView]:
    def change(view: StepView) -> StepView:
        assert any(old in p for p in view.uses if isinstance(p, str))
        return replace(view, uses=tuple(p.replace(old, new) if isinstance(p, str) else p for p in view.uses))
    return change


def why_changed(sentence: str) -> Callable[[StepView], StepView]:
    return lambda view: replace(view, why=((sentence,), *view.why[1:]))


LIES: dict[str, tuple[str, str, Callable[[Story], Story]]] = {
    "a slope of softmax without its bracket": ("softmax-regression", "student", lambda s: altered(
        s, "backward", "5", stage_changed("slope", "[j1 == j] - p[n, j]", "1 - p[n, j]"))),
    "a slope with another sign": ("softmax-regression", "student", lambda s: altered(s, "backward", "5", stage_changed("slope", "] - p", "] + p"))),
    "a chain rule that counts a term twice": ("mlp", "student", lambda s: altered(
        s, "backward", "8", stage_changed("chain rule", "= sum(", "= 2*sum("))),
    "a chain rule whose LaTeX alone is wrong": ("mlp", "student", lambda s: altered(
        s, "backward", "12", stage_changed("", r"\sum_{n=1}^{N}", r"\frac{1}{N} \sum_{n=1}^{N}"))),
    "a cancellation that forgets a factor": ("softmax-regression", "student", lambda s: altered(
        s, "backward", "5", stage_changed("cancelled", ")/N", ")"))),
    "what was put in has a sign too many": ("softmax-regression", "student", lambda s: altered(
        s, "backward", "5", stage_changed("put in", "= -sum(", "= sum("))),
    "a forward line": ("mlp", "student", lambda s: altered(s, "forward", "1", stage_changed("", "+ b1[j]", "- b1[j]"))),
    "a transpose in matrix notation": ("mlp", "matrix", lambda s: altered(s, "backward", "12", stage_changed("", r"X^{\top} D_{1}", r"D_{1} X^{\top}"))),
    "rows for columns": ("mlp", "matrix columns", lambda s: altered(s, "forward", "1", stage_changed("", "W_{1} X", "X W_{1}"))),
    "a gradient of columns": ("mlp", "matrix columns", lambda s: altered(
        s, "backward", "12", stage_changed("", r"D_{1} X^{\top}", r"X D_{1}^{\top}"))),
    "a range": ("depth", "student", lambda s: altered(s, "backward", "6", stage_changed("", "l = 0..L - 1", "l = 0..L - 2 + 1 + 1"))),
    "a reference": ("lstm", "student", lambda s: altered(s, "backward", "24", uses_changed("(line 22)", "(line 23)"))),
    "a reference to what is computed as given": ("depth", "student", lambda s: altered(s, "backward", "6", uses_changed("(line 7)", "(given)"))),
    "a count": ("first", "student", lambda s: replace(s, summary=tuple(
        p.replace("8 steps", "7 steps") if isinstance(p, str) else p for p in s.summary))),
    "a count of checks": ("first", "student", lambda s: replace(s, sections=tuple(replace(x, blocks=tuple(
        tuple(p.replace("8 of 8", "7 of 7") if isinstance(p, str) else p for p in b) if isinstance(b, tuple) else b for b in x.blocks))
        for x in s.sections))),
    "a number in its last digit": ("first", "student", lambda s: altered(s, "backward", "12", stage_changed("value", "0.0628165", "0.0628164"))),
    "a number put in": ("first", "student", lambda s: altered(s, "backward", "12", stage_changed("with numbers", "0.0314082", "0.0314182"))),
    "a bare = before a rounded number": ("first", "student", lambda s: altered(s, "backward", "12", stage_changed("value", "≈", "="))),
    "a bare = before rounded arithmetic": ("first", "student", lambda s: altered(s, "backward", "12", stage_changed("with numbers", "≈", "="))),
    "a new parameter": ("first", "student", lambda s: altered(s, "update", "U1", stage_changed("", "w1 - lr", "w1 + lr"))),
    "an entry": ("two-two-two", "student", lambda s: altered(s, "backward", "8", stage_changed("entry", "0.0821670", "0.0821671"))),
    "a reason": ("two-two-two", "student", lambda s: altered(s, "backward", "8", why_changed(RULES[Rule.ELEMENTWISE]))),
    "a reason nobody knows": ("mlp", "student", lambda s: altered(s, "backward", "8", why_changed("It is well known."))),
    "what a loss does": ("mlp", "beginner", lambda s: altered(s, "forward", "5", lambda v: replace(v, why=(("Multiply.",),)))),
    "a shape": ("mlp", "columns", lambda s: replace(s, sections=tuple(replace(x, blocks=tuple(replace(b, rows=tuple(tuple(
        (Formula("", "(N, d)"),) if words_of(c) == "(d, N)" else c for c in row) for row in b.rows)) if isinstance(b, Table) else b
        for b in x.blocks)) if x.anchor == "symbols" else x for x in s.sections))),
    "an anchor": ("mlp", "student", lambda s: altered(s, "backward", "8", lambda v: replace(v, anchor="g-dL_db2"))),
}


@pytest.mark.parametrize("lie", LIES)
def test_the_walkers_notice(lie: str) -> None:
    name, view, change = LIES[lie]
    honest = told(name, view)
    story = change(honest.story)
    assert story != honest.story
    try:
        noticed = list(walk(replace(honest, story=story)))
    except (AssertionError, SymnetError, KeyError, RuntimeError):  # what cannot even be read
        return
    assert noticed, lie


def test_a_false_slope_in_the_derivation_is_noticed() -> None:
    """Two uses of one array in one line, each called the whole slope: what was printed once."""
    t = told("softmax-regression", "student")
    step = t.shown.steps[1]
    c, = step.contributions
    one = replace(c, local=step.definition.target[step.definition.indices] * 0 + Tensor("p", c.through.target.axes)[step.definition.indices],
                  sums=(), upstream=c.upstream.xreplace({c.sums[0][0]: step.definition.indices[1]}))
    wrong = replace(step, contributions=(one,), rule=step.rule)
    d = replace(t.shown, steps=(t.shown.steps[0], wrong, *t.shown.steps[2:]))
    story = report(d, check=False, theorem=False).story
    assert any("slope" in said for said in walk_lines(replace(t, story=story, shown=d)))


def test_a_report_evaluates_its_own_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """A printed slope that is not so stops the report, though every step checks."""
    from symnet.errors import FaultError
    from symnet.reports import lines

    plain = lines.Lines._line
    monkeypatch.setattr(lines.Lines, "_line", lambda self, label, claim, step: plain(
        self, label, replace(claim, right=claim.right + 1) if label == "slope" else claim, step))
    with pytest.raises(FaultError, match="line 5 of the report: what is printed is not what the forward program gives"):
        report(sn.load("softmax-regression"))
    assert report(sn.load("softmax-regression"), check=False).text()
