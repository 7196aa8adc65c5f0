"""A page about arrays: lines such as dL/dW1 = X.T @ D1, judged for all sizes where that is possible; its numbers entry by entry."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import product

import sympy as sp

from symnet.checking.array_claims import Claims
from symnet.checking.pages.chains import NUMBER
from symnet.checking.pages.claimed_names import function_of, plain_name
from symnet.checking.pages.formula_claims import unreadable
from symnet.checking.pages.given_facts import with_given_facts
from symnet.checking.pages.judge import Claimed, Page, lost
from symnet.checking.pages.page_lines import Chain, Prose, Row, Stated, Unread, read_lines
from symnet.checking.pages.page_names import GRADIENT, NEW, Names
from symnet.checking.pages.page_slips import said_of
from symnet.checking.pages.printed_arrays import Rows, printed_rows
from symnet.checking.pages.printed_digits import half_unit, places, rounds_to, within
from symnet.checking.pages.printed_latex import without_new
from symnet.checking.progress import ALONE, Way
from symnet.checking.slips.kinds import mistake
from symnet.core.derivation import Derivation
from symnet.core.expressions import entries
from symnet.core.latex import latex
from symnet.core.numbers import decimal, fixed, rational
from symnet.core.page_verdict import Errata, Follows, Judged, Mark, Source, from_lines
from symnet.core.tensors import Tensor, tensor_name
from symnet.core.text import text as plain_text
from symnet.core.verdict import Answer, Verdict
from symnet.errors import FaultError, MismatchError, NameError_, ShapeError, SymnetError
from symnet.indexing.index_array import IndexArray, new_indices
from symnet.parsing.expressions import expression
from symnet.parsing.lettered_entries import Side, conditions

MOST_ENTRIES = 1000
PUT_IN = re.compile(r"\d\.\d|\\begin\{|\[[\[\d]")


@dataclass(frozen=True, slots=True)
class Link:
    """The link before: how it was judged, and what it says where that is a formula."""

    mark: Mark
    line: int = 0
    value: IndexArray | None = None


@dataclass(frozen=True, slots=True)
class Left:
    """What a line speaks of: an array of the page, or (``side``) its entries at index letters."""

    name: str
    target: Tensor | None = None
    side: Side | None = None
    fixed: bool = False  # an entry, of an array whose size is a letter
    new: bool = False  # the value of ``target`` after a step of descent


def _bare(text: str) -> str:
    return re.sub(r"\s|\\(?:left|right)(?![A-Za-z])", "", text)


def judge_array_page(page: str, derivation: Derivation, own_values: bool = False, way: Way = ALONE) -> Errata:
    """Every claim of a page about arrays. Lines about single numbers and entries (w1_11 = 0.15) are judged as numbers."""
    known = with_given_facts(derivation)
    judge = _ArrayPage(known, own_values)
    found = judge.judge(page, way)
    if known is not derivation and judge.other_numbers():  # then it is not known what these add up to
        return _ArrayPage(derivation, own_values).judge(page, way)
    return found


@dataclass
class _ArrayPage:
    derivation: Derivation
    own_values: bool = False
    found: list[Judged] = field(default_factory=list)
    skipped: int = 0
    last: tuple[Left, Link | None] | None = None

    def __post_init__(self) -> None:
        self.claims = Claims(self.derivation)
        self.stated: dict[str, int] = {}  # sizes that the page gives and the worksheet leaves open
        self.lines: dict[str, tuple[int, str]] = {}  # where a wrong formula stands
        self.scalars = self._scalars()

    def _scalars(self) -> Page | None:
        """The same page for every entry a number, where the sizes are known, from the worksheet or the page, and small."""
        sizes = {**self.stated, **dict(self.derivation.meta.get("sizes") or {})}
        there = {s: sp.Integer(sizes[str(s)]) for s in self.derivation.program.sizes if str(s) in sizes}
        entries = sum(sp.Mul(*[n.xreplace(there) for n in t.shape]) for t in self.derivation.program.tensors.values())
        if not entries.is_Integer or entries > MOST_ENTRIES:
            return None
        try:
            made = self.derivation.instantiate(sizes)
        except SymnetError:
            return None
        return Page(Names(made), self.own_values)

    def judge(self, page: str, way: Way = ALONE) -> Errata:
        """All lines in order."""
        section = ""
        for number, line in enumerate(read_lines(page)):
            if isinstance(line, Prose):
                self.skipped += 1
                continue
            if line.section != section:
                section = line.section
                self._forget()
                if self.scalars is not None:
                    self.scalars.lefts.fresh = set()
            way.at(number)
            try:
                self._one(lost(line, way.lost.get(number)))
            except (FaultError, MemoryError):
                raise
            except Exception as error:  # a bug of ours costs one line
                self._unread(line, error)
            way.at(None)
        return Errata(tuple(self.found), self.skipped)

    def other_numbers(self) -> bool:
        """Did the page give an array other numbers than the worksheet?"""
        if self.scalars is None:
            return False
        given = Names(self.scalars.names.derivation).point
        return any(self.scalars.names.point.get(a) != v for a, v in given.items())

    def _forget(self) -> None:
        """What comes next goes on from no line before it."""
        self.last = None
        if self.scalars is not None:
            self.scalars.last = None

    def _one(self, line: Claimed) -> None:
        if isinstance(line, Unread):
            self._add(line, "", line.text, "=", Mark.UNDECIDED, Follows.UNDECIDED, slip=line.reason)
        elif isinstance(line, Chain) and self._declared(line):
            self._add(line, line.left, line.links[0][1], line.links[0][0], Mark.GIVEN, Follows.YES)
        elif self._is_about_numbers(line):
            assert self.scalars is not None
            judged, passed, self.last = len(self.scalars.found), self.scalars.skipped, None
            self.scalars.line(line)
            self.found += self.scalars.found[judged:]
            self.skipped += self.scalars.skipped - passed
        else:
            last = self.last
            self._forget()
            self.last = last
            self._line(line)

    def _is_about_numbers(self, line: Chain | Row | Stated) -> bool:
        if self.scalars is None or isinstance(line, Row):
            return self.scalars is not None
        if not line.left:
            return self.last is None and self.scalars.last is not None
        try:
            if isinstance(line, Chain) and line.latex:
                self.scalars.names.read(line.left, latex=True)
            else:
                self.scalars.names.atom(line.left)
        except SymnetError:
            return False
        if isinstance(line, Stated) or NUMBER.match(line.links[0][1]):
            return True
        try:
            self.scalars.names.read(line.links[0][1], isinstance(line, Chain) and line.latex)
        except SymnetError:
            return False
        return True

    def _line(self, line: Chain | Row | Stated) -> None:
        before = len(self.found)
        try:
            if isinstance(line, Chain):
                self._chain(line)
            elif not isinstance(line, Stated) or not self._aside(
                    Chain(line.number, line.text, line.section, line.left, (("=", line.value),))):
                raise NameError_("line", f"a number for {getattr(line, 'left', 'a row')!r}", "sizes and values in the worksheet")
        except SymnetError as error:
            if len(self.found) == before:
                self._unread(line, error)
            self.last = None  # judged as far as it could be read

    def _unread(self, line: Claimed, error: Exception) -> None:
        """A line that cannot be judged; the page goes on."""
        links = line.links if isinstance(line, Chain) else ()
        printed = " ".join(f"{r} {t}" for r, t in links).removeprefix("= ") or line.text
        self._add(line, getattr(line, "left", ""), printed, "=", Mark.UNDECIDED, Follows.UNDECIDED, **unreadable(error).more)
        self.last = None

    def _add(self, line: Claimed, name: str, printed: str, relation: str, mark: Mark, follows: Follows,
             **more: object) -> None:
        self.found.append(Judged(line.number, line.text, line.section, name, printed, mark, relation=relation, follows=follows,
                                 **more))  # type: ignore[arg-type]

    def _aside(self, line: Chain) -> bool:
        """A line that is about no array: the number of a size, N = 4, or of a function at a number, step(0) = 0."""
        numbers = [text for _, text in line.links]
        if not all(map(NUMBER.match, numbers)):
            return False
        name = line.left.strip()
        if name in map(str, self.derivation.program.sizes):
            known = dict(self.derivation.meta.get("sizes") or {}).get(name)
            for (relation, text) in line.links:
                mark = Mark.GIVEN if known is None else Mark.RIGHT if rational(text) == known else Mark.UNDECIDED
                said = "" if mark is not Mark.UNDECIDED else f"in the worksheet {name} is {known}"
                self._add(line, name, text, relation, mark, Follows.YES if mark is not Mark.UNDECIDED else Follows.UNDECIDED, slip=said)
                if known is None and text.isdigit() and 0 < int(text) < MOST_ENTRIES and name not in self.stated:
                    self.stated[name] = int(text)
                    self.scalars = self.scalars or self._scalars()
            return True
        if line.latex or not re.match(r"[A-Za-z]\w*\s*\(", name):
            return False
        try:
            value = expression(name, {}, {}, "line").expr
        except SymnetError:
            return False
        for relation, text in line.links:
            right = rounds_to(value, text)
            self._add(line, name, text, relation, Mark.RIGHT if right else Mark.WRONG, Follows.YES if right else Follows.NO,
                      slip="" if right else f"it is {value}")
        return True

    def _declared(self, line: Chain) -> bool:
        """True for an equality that the worksheet declares, as symnet prints it."""
        programs = [self.derivation.program, *([] if self.scalars is None else [self.scalars.names.program])]
        said = (_bare(line.left), *(_bare(text) for _, text in line.links))
        return any(said == tuple(_bare(latex(e, p.tensors) if line.latex else plain_text(e)) for e in (a.left, a.right))
                   for p in programs for a in p.assumptions)

    def _chain(self, line: Chain) -> None:
        if line.left and self._aside(line):
            self.last = None
            return
        links = line.links
        if not line.left:
            if self.last is None:
                raise NameError_("line", "it begins with =", "a line before it that can be read")
            left, before = self.last
        else:
            function = function_of(line)
            left, before = Left(line.left, self.claims.function(function)) if function else Left(line.left, side=self._side(line)), None
            if left.side is None and left.target is None and (old := self._stepped(line)) is not None:
                left = Left(line.left, old, new=True)
            elif left.side is None and left.target is None:
                target = self._target(line)
                if (line.labelled or line.supposed) and target is None:
                    self.skipped += 1
                    return
                if target is None:
                    target, before = self._defined(line), Link(Mark.RIGHT)
                    links = links[1:]
                left = Left(line.left, target, fixed=target.name.startswith("part") and bool(self.claims.program.sizes))
        for relation, text in links:
            before = self._link(line, left, relation, text, before)
        self.last = (left, before)

    def _defined(self, line: Chain) -> Tensor:
        """A name of the page's own."""
        relation, first = line.links[0]
        bare = plain_name(line.left) if line.latex else line.left
        made = self.claims.define(bare, first, line.latex)
        self._add(line, line.left, first, relation, Mark.GIVEN, Follows.YES)
        return made

    def _stepped(self, line: Chain) -> Tensor | None:
        """The parameter whose new value a line gives: W_new = …, W ← W - …, W = W - …; None for any other line."""
        plain_new = NEW.fullmatch(line.left)
        old = without_new(line.left) if line.latex else plain_new[1] if plain_new and self.claims.known(line.left) is None else ""
        try:
            target = self._target(replace(line, left=old or line.left))
        except SymnetError:
            return None
        if target is None or target.name in self.claims.program.by_name or target.name not in self.claims.all.names:
            return None
        if not old:
            first = line.links[0][1]
            if printed_rows(first) or NUMBER.match(first):
                return None
            with suppress(SymnetError):
                self.claims.rated()
                return target if any(tensor_name(e) == target.name for e in entries(self.claims.read(first, line.latex).expr)) else None
            return None
        return target

    def _side(self, line: Chain) -> Side | None:
        try:
            return self.claims.side(line.left, line.latex)
        except SymnetError:
            if line.latex:
                raise
            return None

    def _target(self, line: Chain) -> Tensor | None:
        """The tensor on the left; None for a name of the page's own."""
        try:
            if not line.latex and not re.search(r"[\[(]", line.left):
                return self.claims.tensor(line.left)
            value = self.claims.read(line.left, line.latex)
            name = str(getattr(value.expr, "base", value.expr))
            found = self.claims.program.tensors.get(name)
            if found is None:
                raise NameError_("line", f"the left side {line.left!r}", "a name or a slope")
            if value.axes == found.axes and (not found.axes or tuple(value.expr.indices) == tuple(value.indices)):
                return found
            return self.claims.part(value) if isinstance(value.expr, sp.Indexed) else self.claims.line("part", value)  # w_1 of w
        except NameError_:
            bare = plain_name(line.left)
            if not re.fullmatch(r"[A-Za-z]\w*", bare) or "frac" in line.left:
                raise
            if GRADIENT.fullmatch(bare):  # dθ is the slope of the loss at θ
                with suppress(NameError_):
                    return self.claims.tensor(bare)
            return None

    def _mark(self, verdict: Verdict) -> Mark:
        """Right where it is proved, or needs no more than the worksheet declares."""
        declared = set(map(str, self.claims.program.assumptions))
        known = verdict.answer is Answer.CONDITIONAL and set(verdict.condition.split(" and ")) <= declared
        if known or verdict.answer in (Answer.PROVED, Answer.ALMOST_EVERYWHERE):
            return Mark.RIGHT
        return Mark.WRONG if verdict.answer is Answer.REFUTED else Mark.UNDECIDED

    def _link(self, line: Chain, left: Left, relation: str, text: str, before: Link | None) -> Link:
        """One link, judged against the truth and against the link before it."""
        try:
            rows = printed_rows(text) or (((text,),) if NUMBER.match(text) else None)
            if left.target is not None and left.target.axes and rows == (("0",),):
                rows = None  # the array of zeros
            if rows and left.target is not None and (left.target.axes or self.scalars is not None):
                mark = self._numbers(line, left, relation, text, rows)
                return before or Link(mark, line.number)
            comes = self._come_to(left.target, text, line.latex, alone=True) if left.target is not None and left.target.axes else None
            if comes is not None:
                mark = Mark.PUT_IN if comes else Mark.UNDECIDED
                said = "" if comes else "the numbers put in do not come to it, as far as their digits tell"
                self._add(line, left.name, text, relation, mark, Follows.YES if comes else Follows.UNDECIDED, slip=said)
                return Link(mark, line.number)
            target, value, verdict = self._either_way(line, left, text)
            mark = self._mark(verdict)
            if mark is Mark.WRONG and not left.new and target.axes and PUT_IN.search(text) and self._come_to(target, text, line.latex):
                mark = Mark.PUT_IN
            if mark is Mark.WRONG and line.condition and not conditions(line.condition, self.claims.program.tensors):
                mark, verdict = Mark.UNDECIDED, replace(verdict, reason=f"the condition {line.condition[:60]!r} is not read")
            if mark is Mark.WRONG and left.fixed and verdict.method != "shape" and not self._wrong_at_two(line, relation, text):
                mark, verdict = Mark.UNDECIDED, replace(verdict, reason="it speaks of entries, and nobody told how many there are")
            follows, sources = self._follows(value, target, mark, before)
            more = self._more(value, target, verdict, mark, follows, sources)
            if more.get("carried") and not sources and before is not None:
                more["from_line"] = before.line
            self._add(line, left.name, text, relation, mark, follows, **more)
            if mark is Mark.WRONG and value is not None and tuple(a.size for a in value.axes) == target.shape:
                made = self.claims.line(f"said{len(self.claims.program.definitions)}", value)
                self.claims.wrong[target.name] = made.name
                self.lines[target.name] = (line.number, f"{left.name} = {text}")
            return Link(mark, line.number, value)
        except SymnetError as error:
            self._add(line, left.name, text, relation, Mark.UNDECIDED, Follows.UNDECIDED, slip=error.message)
            return Link(Mark.UNDECIDED, line.number)

    def _wrong_at_two(self, line: Chain, relation: str, text: str) -> bool:
        """Whether a link about entries is wrong too where every size is 2; as far as it can be read there."""
        try:
            made = Page(Names(self.derivation.instantiate({str(s): 2 for s in self.derivation.program.sizes})))
        except SymnetError:
            return False
        made.line(replace(line, links=((relation, text),)))
        return any(j.mark is Mark.WRONG for j in made.found)

    def _either_way(self, line: Chain, left: Left, text: str) -> tuple[Tensor, IndexArray | None, Verdict]:
        """As ``_verdict``; a line right with slopes of one line alone, dy/dx = 1 in y = x + f(x), is right, as with whole ones."""
        slopes = "/" in line.text or "partial" in line.text
        if slopes and left.side is not None:
            with suppress(SymnetError):
                self.claims.at(left.side, text, line.latex, line.condition)  # which slopes it speaks of
        if slopes and self.claims.two and left.side is not None and (found := self._alone(line, left, text, True)) is not None:
            return found
        whole = self._verdict(line, left, text)
        if not slopes or not self.claims.two or self._mark(whole[2]) is Mark.RIGHT:
            return whole
        found = self._alone(line, left, text, False)
        if found is not None and self._mark(found[2]) is Mark.UNDECIDED and self._mark(whole[2]) is Mark.WRONG:
            return found
        return found if found is not None and self._mark(found[2]) is Mark.RIGHT else whole

    def _alone(self, line: Chain, left: Left, text: str, quick: bool) -> tuple[Tensor, IndexArray | None, Verdict] | None:
        """The verdict with slopes of one line alone; None where there is none, or (``quick``) where it is not seen at once to be right."""
        with suppress(SymnetError), self.claims.lines_alone(quick):
            found = self._verdict(line, left, text)
            return found if not quick or self._mark(found[2]) is Mark.RIGHT else None
        return None

    def _verdict(self, line: Chain, left: Left, text: str) -> tuple[Tensor, IndexArray | None, Verdict]:
        """The tensor that is spoken of, what the text says of it where that is an array, and whether it is so."""
        if left.new:
            assert left.target is not None
            return self._step_verdict(left.target, text, line.latex)
        if left.side is None:
            assert left.target is not None
            if left.target.axes and text == "0":
                zeros = IndexArray.over(left.target.axes, new_indices(left.target.axes), sp.S.Zero)
                return left.target, zeros, self.claims.judged(zeros, left.target)
            verdict = self.claims.verdict(text, left.target, line.latex)
            value = None
            with suppress(SymnetError):  # a product that does not fit: nothing can be carried on from it
                value = self.claims.read(text, line.latex)
            return left.target, value, verdict
        try:
            target, value = self.claims.at(left.side, text, line.latex, line.condition)
        except MismatchError as error:
            name = str(left.side.value.expr.base)
            return self.claims.program.tensors[name], None, Verdict(Answer.REFUTED, "shape", reason=error.message)
        return target, value, self.claims.judged(value, target)

    def _step_verdict(self, old: Tensor, text: str, latex: bool) -> tuple[Tensor, IndexArray, Verdict]:
        """Whether a text is a parameter after a step of descent, by the letter of the learning rate or with its value put in."""
        self.claims.rated()
        value = self.claims.read(text, latex)
        verdicts = [(made, self.claims.judged(value, made)) for made in self.claims.stepped(old)]
        best = next((v for v in verdicts if self._mark(v[1]) is Mark.RIGHT), verdicts[0])
        if self._mark(best[1]) is not Mark.RIGHT and len(verdicts) == 1 and not any(tensor_name(e) == "eta" for e in entries(value.expr)):
            return best[0], value, Verdict(Answer.UNDECIDED, reason="the worksheet has no learning_rate")
        return best[0], value, best[1]

    def _follows(self, value: IndexArray | None, target: Tensor, mark: Mark, before: Link | None) -> tuple[Follows, list[Source]]:
        if before is None:
            if mark is Mark.WRONG and value is not None and self.claims.wrong and self.claims.judged(value, target, carried=True).holds:
                used = sorted(self.lines[n] for n in self.claims.carried(target))
                return Follows.YES, [Source(claim.partition(" = ")[0], claim.partition(" = ")[2], line, True) for line, claim in used]
            return (Follows.YES if mark is Mark.RIGHT else Follows.NO if mark is Mark.WRONG else Follows.UNDECIDED), []
        if mark is Mark.RIGHT and before.mark is Mark.RIGHT:
            return Follows.YES, []
        if Mark.UNDECIDED in (mark, before.mark) or mark is not before.mark or value is None or before.value is None:
            return (Follows.NO if {mark, before.mark} == {Mark.RIGHT, Mark.WRONG} else Follows.UNDECIDED), []
        held = self.claims.line(f"before{len(self.claims.program.definitions)}", before.value)
        same = self._mark(self.claims.judged(value, held))
        return (Follows.YES if same is Mark.RIGHT else Follows.NO if same is Mark.WRONG else Follows.UNDECIDED), []

    def _more(self, value: IndexArray | None, target: Tensor, verdict: Verdict, mark: Mark, follows: Follows,
              sources: list[Source]) -> dict[str, object]:
        if mark is Mark.PUT_IN:
            return {}
        if mark is Mark.RIGHT:
            luck = "right, but it does not follow from the link before it" if follows is Follows.NO else ""
            return {"note": "; ".join(filter(None, (luck, verdict.condition, verdict.scope)))}
        if mark is Mark.UNDECIDED:
            return {"slip": "; ".join(filter(None, (verdict.reason or verdict.condition, verdict.scope))) or "neither proved nor refuted"}
        correct = self.claims.shown(target)
        if follows is Follows.YES:
            where = from_lines(sources) if sources else "the wrong link before it"
            return {**said_of(mistake("carried", {"source": where})), "carried": True, "correct": correct, "sources": tuple(sources),
                    "from_line": sources[-1].line if sources else None}
        slip = None if value is None else self.claims.slip(value, target)
        if slip is not None:
            return {**said_of(slip), "correct": correct}
        reason = verdict.reason or (str(verdict.witness) if verdict.witness else "")
        return {"slip": reason or "it is not equal to what stands on the left", "correct": correct}

    def _entries(self, target: Tensor) -> list[Tensor]:
        """The entries of an array as numbers, row by row. Raises ShapeError where the sizes are not known."""
        if self.scalars is None:
            raise ShapeError("line", "numbers without sizes", "sizes and values in the worksheet")
        names = self.scalars.names
        known = names.program.tensors
        found = [t for t in names.all.full.tensors.values() if (t.parent or t.name) == target.name or _of(t, target)]
        return sorted(found, key=lambda t: known[t.of].place if t.of else t.place)

    def _come_to(self, target: Tensor, text: str, latex: bool, alone: bool = False) -> bool | None:
        """Whether arithmetic with numbers comes to an array, as far as the digits tell; None for anything else. ``alone``: no names."""
        if self.scalars is None:
            return None
        read = self.claims.read(text, latex)
        if (alone and any(True for _ in entries(read.expr))) or not read.axes or not all(a.size.is_Integer for a in read.axes):
            return None
        given = {self.claims.program.tensors[t.parent][t.place]: v for t in self.scalars.names.program.tensors.values()
                 if t.parent in self.claims.program.tensors and (v := self.scalars.names.value(t[()])) is not None}
        truth = [self.scalars.names.value(t[()]) for t in self._entries(target)]
        places = list(product(*[range(1, int(a.size) + 1) for a in read.axes]))
        if len(places) != len(truth) or None in truth or len(places) > MOST_ENTRIES:
            return None
        said = re.findall(r"\d*\.\d+|\d+", text)
        room = sum(half_unit(n) for n in said if "." in n) * (1 + max((abs(rational(n)) for n in said), default=sp.S.Zero))
        come = [read.at(*map(sp.Integer, p)).doit().xreplace(given) for p in places]
        if not all(c.is_Rational for c in come):
            return None
        return all(within(v, c, room) for v, c in zip(truth, come, strict=True) if v is not None)

    def _numbers(self, line: Chain, left: Left, relation: str, text: str, rows: Rows) -> Mark:
        """An array of numbers, entry by entry in the order of rows; of an input that has no values it gives them."""
        assert left.target is not None
        there, printed = self._entries(left.target), [n for row in rows for n in row]
        atoms = [self.scalars.names.updated(t.name) if left.new and self.scalars is not None else t[()] for t in there]
        assert self.scalars is not None
        names, point = self.scalars.names, self.scalars.names.point
        if len(there) != len(printed):
            raise ShapeError("line", f"{len(printed)} numbers", f"{len(there)}, the entries of {left.name}")
        shape = tuple(map(len, (rows, rows[0])))
        places_ = [names.program.tensors[t.of].place if t.of else t.place for t in there]
        columns = max((int(p[-1]) for p in places_ if p), default=0)  # the last index of the entries tells how long the rows are
        if len(left.target.axes) == 2 and min(shape) > 1 and columns and shape[1] != columns:
            self._add(line, left.name, text, relation, Mark.WRONG, Follows.NO, slip=f"this is of shape {shape}, and {left.name} of shape "
                      f"{(len(there) // columns, columns)}")
            return Mark.WRONG
        inputs = all(names.local(a) is None for a in atoms)
        same = inputs and all(point.get(a) == rational(p) for a, p in zip(atoms, printed, strict=True))
        if inputs and not same and (self.own_values or not any(a in point for a in atoms)):
            for t, p in zip(there, printed, strict=True):
                point[t[()]] = rational(p)
                self.scalars.say(t[()], t.name, p, line, Mark.RIGHT)
            self._add(line, left.name, text, relation, Mark.GIVEN, Follows.YES)
            return Mark.GIVEN
        values = [names.value(a) for a in atoms]
        if None in values:
            raise ShapeError("line", f"no value for {left.name}", "a value for every input")
        wrong = [k for k, (v, p) in enumerate(zip(values, printed, strict=True)) if v is not None and not rounds_to(v, p)]
        exact = ", ".join(fixed(v, places(p)).text for v, p in zip(values, printed, strict=True) if v is not None)
        more: dict[str, object] = {"value": ", ".join(decimal(v, 8).text for v in values if v is not None)}
        for t, a, p in zip(there, atoms, printed, strict=True):
            self.scalars.say(a, f"{t.name}_new" if left.new else t.name, p, line, Mark.RIGHT)
        mark = Mark.WRONG if wrong else Mark.RIGHT
        if wrong:
            more |= {"correct": f"[{exact}]", "slip": "wrong at " + ", ".join(f"place {k + 1}" for k in wrong)}
        self._add(line, left.name, text, relation, mark, Follows.NO if wrong else Follows.YES, **more)
        return mark


def _of(scalar: Tensor, target: Tensor) -> bool:
    return bool(target.of) and bool(scalar.of) and (scalar.of == target.of or scalar.of.startswith(f"{target.of}_"))


