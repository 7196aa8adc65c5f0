"""Is this text, in plain maths or LaTeX, that array of the derivation?

The derivation's slopes (dL_dZ1) and the page's own names are lines of the program, so an answer may use them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace

import sympy as sp

from symnet.calculus import derive
from symnet.calculus.jacobian import jacobian
from symnet.checking.answers import check_answer, line_asked
from symnet.checking.claims import claim_of, unfolded
from symnet.checking.local_slopes import other_way
from symnet.checking.pages.page_names import GRADIENT
from symnet.checking.question import Asked as Wording
from symnet.checking.question import Question
from symnet.checking.slips.kinds import Mistake
from symnet.core.axes import Axis, Range, bounds, inside
from symnet.core.derivation import Derivation
from symnet.core.expressions import entries, rebuild
from symnet.core.index_letters import Labels, extend, relabel
from symnet.core.program import Definition, Program, right_side_at
from symnet.core.tensors import Tensor, entry_indices, free_name, sizes_of, tensor_name
from symnet.core.text import text
from symnet.core.verdict import Answer, Verdict
from symnet.errors import MismatchError, NameError_, ShapeError, SymnetError, did_you_mean
from symnet.indexing.index_array import IndexArray, new_indices
from symnet.parsing.claim_prefix import LOSSES
from symnet.parsing.latex import latex_expression
from symnet.parsing.latex_answers import slopes_in
from symnet.parsing.latex_lines import LatexLines
from symnet.parsing.latex_lowering import NAMES
from symnet.parsing.latex_names import ALONG
from symnet.parsing.lettered_entries import Side, in_brackets, latex_left, latex_right, over, plain_left, plain_right, ranges
from symnet.parsing.program import expression
from symnet.parsing.tokens import plain
from symnet.parsing.written_slopes import slope_parts, with_slopes

OTHER = re.compile(r"\b(?:D|delta|d|grad)_?\w+\b|\b\w+_grad\b|\bD\b")  # names that may stand for a slope
DELTA = re.compile(r"\b(?:D|delta)_?(\d*)\b")
LAYER = re.compile(r"\b(d?)([A-Za-z]\w*?)\^\(([^()]{1,30})\)")
BELOW_TWO = re.compile(r"([A-Za-z])_\((\w+),\s?(\w+)\)")  # W_(1,hi) is W1_hi
RATE = re.compile(r"\b(?:lr|learning_rate|alpha|rate)\b")
LATEX_RATE = re.compile(r"\\alpha(?![A-Za-z])|\\(?:text|mathrm)\{\s*lr\s*\}")
CAPITAL = re.compile(r"\b[A-Z]\d*\b")
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
        self.local: set[str] = set()  # slopes that the page alone speaks of, of one value in another
        self.two: dict[str, tuple[str, str]] = {}  # those of a line that uses a name itself and by way of other lines
        self.quick = False  # True while nothing but a proof in names is sought
        self.rate = False  # True once eta is the learning rate here
        self.wrong: dict[str, str] = {}  # a name -> the line of the program that holds what the page wrongly says it is

    def tensor(self, name: str) -> Tensor:
        """The tensor that a name on the page stands for: Z1, z_1, dL/dW1, Loss. Raises NameError_."""
        found = self._find(plain(name.replace("∂", "d")).strip())
        if found is None:
            known = [n for n, t in self.program.tensors.items() if not t.of]
            raise NameError_("line", f"nobody defined {name!r}", "a name of the worksheet or of the lines above", did_you_mean(name, known))
        return self.program.tensors[found]

    def _find(self, name: str) -> str | None:
        slope = slope_parts(name)
        tensors = self.program.tensors
        if slope:
            above, below = map(self._find, slope)
            wanted = self.all.names.get(below or "")
            if above != self.derivation.objective or wanted is None:
                raise NameError_("line", f"the slope {name!r}", f"a slope of {self.derivation.objective} in a name of the worksheet",
                                 did_you_mean(slope[1], self.all.names))
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
        if self.rate:
            source = LATEX_RATE.sub(r"\\eta ", source) if latex else RATE.sub("eta", plain(source))
        if latex:
            name = self.derivation.objective
            source = CALLED.sub(lambda m: m[0] if m[2] in self.program.tensors else f"{m[1]} {name} ", source)
            return re.sub(r"\\mathcal\s*(?:\{\s*[LJ]\s*\}|[LJ])|\\(?:text|mathrm|operatorname)\{\s*(?:Loss|loss|Cost|cost)\s*\}",
                          lambda _: f" {name} ", source)
        source = in_brackets(self._plain(source), self._tensors(), self._named, self._slope_of)
        source = with_slopes(source, lambda said, *_: " " + self.tensor(said).name + " ", placed=False)
        tensors = self.program.tensors
        source = CAPITAL.sub(lambda m: self._other_case(m[0]), source)
        return OTHER.sub(lambda m: m[0] if m[0] in tensors else self._find(m[0]) or m[0], source)

    def _plain(self, source: str) -> str:
        """Plain maths as it is typed or printed: a^(l) is a layer of a where a has layers, A^(⊙ 2) a square entry by entry."""
        source = re.sub(r"\^\(\*\s*(\d+)\)", r"**\1", plain(source.replace("∂", "d").replace("⋅", "*").replace("⊘", "/")))

        def layer(match: re.Match[str]) -> str:
            name = self._named(match[1] + match[2]) or self._named(match[2])
            along = [a.kind in ALONG for a in self.program.tensors[name].axes] if name else []
            places = match[3].split(",")
            if not name or along.count(True) != len(places):
                return match[0]
            there = iter(p.strip() for p in places)
            last = max(k for k, is_along in enumerate(along) if is_along)
            at = ", ".join(next(there) if is_along else ":" for is_along in along[:last + 1])  # V^(t) is V[:, t] of all heads
            return f"{match[1]}{match[2]}[{at}]"

        def joined(match: re.Match[str]) -> str:
            ways = (f"{match[1]}{match[2]}_{match[3]}", f"{match[1]}_{match[2]}_{match[3]}")
            return next((n for n in ways if n in self.program.tensors), match[0])

        return LAYER.sub(layer, BELOW_TWO.sub(joined, source))

    def _other_case(self, name: str) -> str:
        """A capital for a whole matrix whose name here is a small letter, as matrix notation has it."""
        known = self.program.tensors
        if name in known or name.lower() not in known or name in map(str, self.program.sizes):
            return name
        return name.lower() if len(known[name.lower()].axes) >= 2 else name

    def read(self, source: str, latex: bool) -> IndexArray:
        """What a text means here."""
        source = self.written(source, latex)
        if latex:
            self._define_slopes(source)
        tensors = self.program.tensors
        return latex_expression(source, tensors, where="line") if latex else expression(source, tensors, sizes_of(tensors), "line")

    def function(self, text: str) -> Tensor:
        """A line for sigmoid(z) or sigma'(z), where z may be a letter that nothing else has."""
        letter = text[text.index("(") + 1:-1].strip()
        if letter not in self.program.tensors:
            self.program = replace(self.program, inputs=(*self.program.inputs, Tensor(letter)))
        return self.define("function", text, latex=False)

    def define(self, name: str, source: str, latex: bool) -> Tensor:
        """A name of the page's own, as a line of the program."""
        return self.line(name, self.read(source, latex))

    def line(self, name: str, value: IndexArray) -> Tensor:
        """An array as a line of the program, under this name or with a number behind it: a long page has hundreds of such lines."""
        if name in {d.name for d in self.program.definitions}:
            name = free_name(f"{name}_{len(self.program.definitions)}", self.program.tensors)
        made = Tensor(name, value.axes)
        labels = Labels.of(self.program)
        scope = extend({}, [(i, *a.range) for i, a in zip(value.indices, value.axes, strict=True)], labels)
        line = Definition(made, tuple(scope[i] for i in value.indices), relabel(value.expr, scope, labels))
        self.program = self.program.extend((line,))
        return made

    def part(self, value: IndexArray) -> Tensor:
        """A line for a part of an array, such as row T, by the line that gives it there."""
        name, places = str(value.expr.base), tuple(value.expr.indices)
        return self.line("part", replace(value, expr=self._line_at(name, places, _spans(value.indices, value.axes))))

    def known(self, name: str) -> str | None:
        """The tensor that a plain name stands for, None where nothing has that name."""
        return self._named(plain(name))

    def rated(self) -> None:
        """From here on the page may speak of its learning rate."""
        if "eta" not in self.program.tensors:
            self.program = replace(self.program, inputs=(*self.program.inputs, Tensor("eta")))
            self.rate = True

    def stepped(self, old: Tensor) -> Iterator[Tensor]:
        """A parameter after a step of descent: with the letter of the learning rate, then with its value where the sheet has one."""
        slope = self.program.tensors[self.all.names[old.name]]
        places = new_indices(old.axes)
        value = self.derivation.meta.get("learning_rate")
        for rate in (self.program.tensors["eta"][()], *([] if value is None else [value])):
            yield self.line("stepped", IndexArray.over(old.axes, places, old[places] - rate * slope[places]))

    def side(self, source: str, latex: bool) -> Side | None:
        r"""The left side of a line about entries at index letters, \frac{\partial L}{\partial W_{jk}} or dL/dW_jk; None for any other."""
        if not latex:
            return plain_left(self._plain(source), self._tensors(), self._named, self._slope_of)
        source = self.written(source, latex=True)
        self._define_slopes(source)
        return latex_left(source, self.program.tensors)

    def _tensors(self) -> Mapping[str, Tensor]:
        """The tensors by name, as they are when it is asked."""
        return _Growing(self)

    def _named(self, name: str) -> str | None:
        try:
            return self._find(name)
        except SymnetError:
            return None

    def _slope_of(self, above: str, below: str) -> str | None:
        """The tensor of the slope of one by another, in a line of its own where the program lacks it."""
        name = f"d{above}_d{below}"
        if above == self.derivation.objective and below in self.all.names:
            return self.all.names[below]
        if name not in self.program.tensors:
            with suppress(SymnetError):  # then nobody can speak of it here
                self._define_slope(above, (below,))
        return name if name in self.program.tensors else None

    def at(self, left: Side, source: str, latex: bool, stated: str = "") -> tuple[Tensor, IndexArray]:
        """The tensor that a line about entries speaks of, and what it says of it.

        The line holds at every place of its letters at which both sides exist, and where a condition behind it says.
        """
        if latex:
            source = self.written(source, latex)
            self._define_slopes(source)
            right = latex_right(source, self.program.tensors, left.letters)
        else:
            right = plain_right(self._plain(source), self._tensors(), left.letters, self._named, self._slope_of)
        tensors = self.program.tensors
        spans = ranges(left.letters, (left.value, right), tensors, stated)
        name, places = str(left.value.expr.base), tuple(left.value.expr.indices)
        target = tensors[name]
        whole = not left.value.axes and sorted(map(str, places)) == sorted(map(str, left.letters)) and \
            all(spans[i] == a.range for i, a in zip(places, target.axes, strict=True))
        if right.axes and [a.size for a in right.axes] != [a.size for a in left.value.axes]:
            said = f"shape {right.shape}" if left.value.axes else f"shape {right.shape} for one entry"
            raise MismatchError("line", said, f"shape {left.value.shape}" if left.value.axes else "a single number")
        inner = {**spans, **_spans(left.value.indices, left.value.axes), **_spans(right.indices, right.axes)}
        right = self._written_out(right, inner)
        if whole:
            return target, over(right, places, spans)
        part = over(replace(left.value, expr=self._line_at(name, places, inner)), left.letters, spans)
        return self.line("part", part), over(right, left.letters, spans)

    def _line_at(self, name: str, places: tuple[sp.Expr, ...], spans: Mapping[sp.Symbol, Range]) -> sp.Expr:
        """An entry by the line that gives it there; by its name where none is sure to."""
        entry: sp.Expr = self.program.tensors[name][places]
        ends = [bounds(at, spans) for at in places]
        for line in self.program.by_name.get(name, ()):
            if all(end is not None and inside(end, there) for end, there in zip(ends, line.slice(), strict=True)):
                return right_side_at(line, places)
        return entry

    def _whole(self, expr: sp.Basic, spans: Mapping[sp.Symbol, Range]) -> sp.Basic:
        """``expr`` with the values that the network computes in several lines, the first step and the later ones, by the line for them."""
        if isinstance(expr, sp.Indexed):
            name = tensor_name(expr)
            sliced = name in self.derivation.program.by_name and len(self.program.by_name[name]) > 1
            return self._line_at(name, tuple(expr.indices), spans) if sliced else expr
        if isinstance(expr, sp.Sum):
            spans = {**spans, **{i: (lo, hi) for i, lo, hi in expr.limits}}
        return rebuild(expr, tuple(self._whole(a, spans) for a in expr.args)) if expr.args and expr.has(sp.Indexed) else expr

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
            try:
                made = jacobian(program, top, below).full.definitions
                if below[0] in program.uses(top) and other_way(program, top, below[0]):
                    self.two[f"d{top}_d{below[0]}"] = top, below[0]
            except ShapeError:  # along a recurrence: the slope of its own lines alone
                made = self._own_slope(top, below[0])
        elif len(below) == 2 and top == program.objective and below[0] in self.all.names:
            made = jacobian(self.all.full, self.all.gradient_name(below[0]), below[1:]).full.definitions
        else:
            return
        new = [d for d in made if d.name not in self.program.by_name]
        self.local |= {d.name for d in new}
        self.program = self.program.extend(new)

    @contextmanager
    def lines_alone(self, quick: bool) -> Iterator[None]:
        """Slopes that may be meant in two ways are those of one line alone, with all other names held, not the whole ones."""
        before, self.quick = self.program, quick
        try:
            lost, kept = set(self.two), list[Definition]()
            for d in before.definitions:
                if d.name in lost or any(tensor_name(e) in lost for e in entries(d.expr)):
                    lost.add(d.name)
                else:
                    kept.append(d)
            self.program = replace(before, definitions=tuple(kept))
            for top, below in self.two.values():
                self.program = self.program.extend(self._own_slope(top, below))
            yield
        finally:
            self.program, self.quick = before, False

    def _own_slope(self, top: str, below: str) -> tuple[Definition, ...]:
        """The slope of a recurrence's own lines, whose other places are held, as all other names are: dc[t + 1]/dc[t] is f[t + 1].

        Raises NameError_ where the lines use ``below`` by way of other lines alone.
        """
        program = self.derivation.program
        if below not in program.uses(top):
            raise NameError_("line", f"the slope d{top}/d{below}, through other lines along a recurrence", "the slope of one line")
        own, given = program[top], tuple(t for n, t in program.tensors.items() if n != top)
        held = replace(own, name=free_name(f"held_{top}", program.tensors))
        lines = tuple(replace(d, expr=_exchanged(d.expr, {top: held}), holes=()) for d in program.by_name[top])
        name = held.name if below == top else below
        made = jacobian(Program((*given, held), lines, top), top, name)
        slope = replace(made.full[made.gradient_name(name)], name=free_name(f"d{top}_d{below}", program.tensors), of=below)
        found = made.full.by_name[made.gradient_name(name)]
        return tuple(replace(d, target=slope, expr=_exchanged(d.expr, {held.name: own})) for d in found)

    def _written_out(self, value: IndexArray, spans: Mapping[sp.Symbol, Range]) -> IndexArray:
        """``value`` with the slopes that the page alone speaks of written out: most brackets of theirs then hold or fail."""
        def line(e: sp.Expr) -> sp.Expr:
            lines, places = self.program.by_name[tensor_name(e)], tuple(entry_indices(e))
            return right_side_at(lines[0], places) if len(lines) == 1 else self._line_at(tensor_name(e), places, spans)

        there = {e: line(e) for e in entries(value.expr) if tensor_name(e) in self.local}
        return replace(value, expr=value.expr.xreplace(there)) if there else value

    def verdict(self, source: str, target: Tensor, latex: bool, carried: bool = False) -> Verdict:
        """Is the text this tensor? With ``carried`` the page's own wrong formulas stand for the names that it gave them."""
        source = self.written(source, latex)
        if latex:
            self._define_slopes(source)
        asked, aim = self._asked(target, self.wrong if carried else {})
        return check_answer(source, asked, aim, latex)

    def judged(self, value: IndexArray, target: Tensor, carried: bool = False) -> Verdict:
        """Is the array this tensor? As both stand, where that proves it, else with what is computed in several lines opened."""
        instead = self.wrong if carried else {}
        asked, aim = self._asked(target, instead)
        named = Question(asked, aim, claim_of(value, asked.full), asked.program.assumptions)
        if self.quick:
            return named.for_all_sizes() or Verdict(Answer.UNDECIDED)
        opened = replace(value, expr=self._whole(value.expr, _spans(value.indices, value.axes)))
        asked, aim = self._asked(target, instead, opened=True)
        if opened.expr == value.expr and asked.full.by_name[aim] == named.formulas:
            return named.verdict(Wording("entry"))
        verdict = named.for_all_sizes()
        return verdict or Question(asked, aim, claim_of(opened, asked.full), asked.program.assumptions).verdict(Wording("entry"))

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

    def _asked(self, target: Tensor, instead: Mapping[str, str], opened: bool = False) -> tuple[Derivation, str]:
        """The question for ``target``, written out once so that it can be compared for all sizes; ``opened``: its parts too."""
        lines = self.program.by_name.get(target.name, ())
        places = lines[0].indices if len(lines) == 1 else new_indices(target.axes)
        body = lines[0].expr if len(lines) == 1 else target[places or ()]
        if opened:
            body = self._whole(body, _spans(places, target.axes))
        aim = Definition(Tensor(free_name("aim", self.program.tensors), target.axes), places, self._instead(body, instead))
        return line_asked(self.program.extend((aim,)), aim.name), aim.name

    def _instead(self, body: sp.Expr, instead: Mapping[str, str]) -> sp.Expr:
        return _exchanged(body, {name: self.program.tensors[other] for name, other in instead.items()})

    def slip(self, value: IndexArray, target: Tensor) -> Mistake | None:
        """The slip in a wrong gradient, where one is found."""
        if not target.of or target.of not in self.derivation.program.tensors:
            return None
        try:
            from symnet.checking.slips.search import slip_of  # much to load, with NumPy, and right answers do not need it

            return slip_of(unfolded(value, self.derivation.program.tensors, self.program.by_name), self.all, target.of)
        except (SymnetError, NotImplementedError, RecursionError):
            return None


def _spans(indices: Sequence[sp.Expr], axes: Sequence[Axis]) -> dict[sp.Symbol, Range]:
    """The range of each index."""
    return {i: a.range for i, a in zip(indices, axes, strict=True)}


def _exchanged(expr: sp.Expr, there: Mapping[str, Tensor]) -> sp.Expr:
    """``expr`` with entries of other tensors, at the same places, for those that have these names."""
    return expr.xreplace({e: there[tensor_name(e)][entry_indices(e)] for e in entries(expr) if tensor_name(e) in there})


class _Growing(Mapping[str, Tensor]):
    """The tensors of a page, whose program gets lines while a text is read."""

    def __init__(self, claims: Claims) -> None:
        self.claims = claims

    def __getitem__(self, name: str) -> Tensor:
        return self.claims.program.tensors[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.claims.program.tensors)

    def __len__(self) -> int:
        return len(self.claims.program.tensors)
