"""A page about arrays: lines such as dL/dW1 = X.T @ D1, judged for all sizes where that is possible; its numbers entry by entry."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field

import sympy as sp

from symnet.checking.array_claims import Claims
from symnet.checking.pages.chains import NUMBER
from symnet.checking.pages.claimed_names import plain_name
from symnet.checking.pages.formula_claims import unreadable
from symnet.checking.pages.judge import Claimed, Page, lost
from symnet.checking.pages.page_lines import Chain, Prose, Row, Stated, Unread, read_lines
from symnet.checking.pages.page_names import GRADIENT, Names
from symnet.checking.pages.page_slips import said_of
from symnet.checking.pages.printed_digits import places, rounds_to
from symnet.checking.progress import ALONE, Way
from symnet.checking.slips.kinds import mistake
from symnet.core.derivation import Derivation
from symnet.core.numbers import decimal, fixed
from symnet.core.page_verdict import Errata, Follows, Judged, Mark, Source, from_lines
from symnet.core.tensors import Tensor
from symnet.core.verdict import Answer, Verdict
from symnet.errors import FaultError, NameError_, ShapeError, SymnetError

MOST_ENTRIES = 300
LIST = re.compile(r"\[[-+\d.eE,;\s\[\]]+\]\Z")


@dataclass(frozen=True, slots=True)
class Link:
    """The link before."""

    text: str
    latex: bool
    mark: Mark
    line: int = 0


def judge_array_page(page: str, derivation: Derivation, own_values: bool = False, way: Way = ALONE) -> Errata:
    """Every claim of a page about arrays. Lines about single numbers and entries (w1_11 = 0.15) are judged as numbers."""
    return _ArrayPage(derivation, own_values).judge(page, way)


@dataclass
class _ArrayPage:
    derivation: Derivation
    own_values: bool = False
    found: list[Judged] = field(default_factory=list)
    skipped: int = 0
    last: tuple[Tensor, str, Link | None] | None = None

    def __post_init__(self) -> None:
        self.claims = Claims(self.derivation)
        self.lines: dict[str, tuple[int, str]] = {}  # where a wrong formula stands
        self.scalars = self._scalars()

    def _scalars(self) -> Page | None:
        """The same page for every entry a number, where the sizes are known and small."""
        sizes = dict(self.derivation.meta.get("sizes") or {})
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
        for number, line in enumerate(read_lines(page)):
            if isinstance(line, Prose):
                self.skipped += 1
                continue
            way.at(number)
            try:
                self._one(lost(line, way.lost.get(number)))
            except (FaultError, MemoryError):
                raise
            except Exception as error:  # a bug of ours costs one line
                self._unread(line, error)
            way.at(None)
        return Errata(tuple(self.found), self.skipped)

    def _one(self, line: Claimed) -> None:
        if isinstance(line, Unread):
            self._add(line, "", line.text, "=", Mark.UNDECIDED, Follows.UNDECIDED, slip=line.reason)
        elif self._is_about_numbers(line):
            assert self.scalars is not None
            before = len(self.scalars.found)
            self.scalars.line(line)
            self.found += self.scalars.found[before:]
        else:
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
            else:
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

    def _chain(self, line: Chain) -> None:
        links = line.links
        if not line.left:
            if self.last is None:
                raise NameError_("line", "it begins with =", "a line before it that can be read")
            target, name, before = self.last
        else:
            name, before = line.left, None
            entry = self.claims.entry_of(line.left) if line.latex else None
            if entry is not None:
                self._entry(line, *entry)
                return
            found = self._target(line)
            if line.labelled and found is None:
                self.skipped += 1
                return
            if found is None:
                relation, first = links[0]
                bare = plain_name(line.left) if line.latex else line.left
                target = self.claims.define(bare, first, line.latex)
                self._add(line, name, first, relation, Mark.GIVEN, Follows.YES)
                links, before = links[1:], Link(first, line.latex, Mark.RIGHT)
            else:
                target = found
        for relation, text in links:
            before = self._link(line, target, name, relation, text, before)
        self.last = (target, name, before)

    def _entry(self, line: Chain, target: Tensor, places: tuple[sp.Symbol, ...]) -> None:
        """A line about the entry of an array at index letters, which holds for all of them."""
        for relation, text in line.links:
            try:
                verdict = self.claims.verdict(text, target, line.latex, places=places)
                mark = self._mark(verdict)
                more = self._more(text, target, line, verdict, mark, Follows.UNDECIDED, [], entry=True)
                self._add(line, line.left, text, relation, mark, Follows.YES if mark is Mark.RIGHT else Follows.UNDECIDED, **more)
            except SymnetError as error:
                self._add(line, line.left, text, relation, Mark.UNDECIDED, Follows.UNDECIDED, slip=error.message)
        self.last = None

    def _target(self, line: Chain) -> Tensor | None:
        """The tensor on the left; None for a name of the page's own."""
        try:
            if not line.latex:
                return self.claims.tensor(line.left)
            value = self.claims.read(line.left, latex=True)
            name = str(getattr(value.expr, "base", value.expr))
            found = self.claims.program.tensors.get(name)
            if found is None:
                raise NameError_("line", f"the left side {line.left!r}", "a name or a slope")
            if value.axes == found.axes and (not found.axes or tuple(value.expr.indices) == tuple(value.indices)):
                return found
            return self.claims.entry(value)  # w_1 is an entry of w, and not w
        except NameError_:
            bare = plain_name(line.left)
            if not re.fullmatch(r"[A-Za-z]\w*", bare) or "frac" in line.left:
                raise
            if GRADIENT.fullmatch(bare):  # dθ is the slope of the loss at θ
                with suppress(NameError_):
                    return self.claims.tensor(bare)
            return None

    def _is_formula(self, text: str, target: Tensor, line: Chain) -> bool:
        """A number that a single number always is, whatever the sizes and values: the second derivative 1."""
        if target.axes or self.scalars is not None:
            return False
        return self.claims.verdict(text, target, line.latex).holds

    def _mark(self, verdict: Verdict) -> Mark:
        """Right where it is proved, or needs no more than the worksheet declares."""
        declared = set(map(str, self.claims.program.assumptions))
        known = verdict.answer is Answer.CONDITIONAL and set(verdict.condition.split(" and ")) <= declared
        if known or verdict.answer in (Answer.PROVED, Answer.ALMOST_EVERYWHERE):
            return Mark.RIGHT
        return Mark.WRONG if verdict.answer is Answer.REFUTED else Mark.UNDECIDED

    def _link(self, line: Chain, target: Tensor, name: str, relation: str, text: str, before: Link | None) -> Link:
        try:
            if LIST.match(text) or (NUMBER.match(text) and not self._is_formula(text, target, line)):
                mark = self._numbers(line, target, name, relation, text)
                return before or Link(text, line.latex, mark, line.number)
            verdict = self.claims.verdict(text, target, line.latex)
            mark = self._mark(verdict)
            follows, sources = self._follows(text, target, line, mark, before)
            more = self._more(text, target, line, verdict, mark, follows, sources)
            if more.get("carried") and not sources and before is not None:
                more["from_line"] = before.line
            self._add(line, name, text, relation, mark, follows, **more)
            if mark is Mark.WRONG:
                self._claim(target, name, text, line)
        except SymnetError as error:
            mark = Mark.UNDECIDED
            self._add(line, name, text, relation, mark, Follows.UNDECIDED, slip=error.message)
        return Link(text, line.latex, mark, line.number)

    def _claim(self, target: Tensor, name: str, text: str, line: Chain) -> None:
        try:
            made = self.claims.define(f"said{len(self.claims.program.definitions)}", text, line.latex)
        except SymnetError:  # a product that does not fit: nothing can be carried on from it
            return
        if made.shape == target.shape:
            self.claims.wrong[target.name] = made.name
            self.lines[target.name] = (line.number, f"{name} = {text}")

    def _follows(self, text: str, target: Tensor, line: Chain, mark: Mark, before: Link | None) -> tuple[Follows, list[Source]]:
        if before is None:
            if mark is Mark.WRONG and self.claims.wrong and self.claims.verdict(text, target, line.latex, carried=True).holds:
                used = sorted(self.lines[n] for n in self.claims.carried(target))
                return Follows.YES, [Source(claim.partition(" = ")[0], claim.partition(" = ")[2], line, True) for line, claim in used]
            return (Follows.YES if mark is Mark.RIGHT else Follows.NO if mark is Mark.WRONG else Follows.UNDECIDED), []
        if mark is Mark.RIGHT and before.mark is Mark.RIGHT:
            return Follows.YES, []
        if Mark.UNDECIDED in (mark, before.mark) or mark is not before.mark:
            return (Follows.NO if {mark, before.mark} == {Mark.RIGHT, Mark.WRONG} else Follows.UNDECIDED), []
        held = self.claims.define(f"before{len(self.claims.program.definitions)}", before.text, before.latex)
        same = self._mark(self.claims.verdict(text, held, line.latex))
        return (Follows.YES if same is Mark.RIGHT else Follows.NO if same is Mark.WRONG else Follows.UNDECIDED), []

    def _more(self, text: str, target: Tensor, line: Chain, verdict: Verdict, mark: Mark, follows: Follows,
              sources: list[Source], entry: bool = False) -> dict[str, object]:
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
        slip = None if entry else self.claims.slip(text, target, line.latex)
        if slip is not None:
            return {**said_of(slip), "correct": correct}
        reason = verdict.reason or (str(verdict.witness) if verdict.witness else "")
        return {"slip": reason or "it is not equal to what stands on the left", "correct": correct}

    def _numbers(self, line: Chain, target: Tensor, name: str, relation: str, text: str) -> Mark:
        """A list of numbers, entry by entry in the order of rows."""
        printed = re.findall(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?", text)
        if self.scalars is None:
            raise ShapeError("line", "numbers without sizes", "sizes and values in the worksheet")
        names = self.scalars.names
        known = names.program.tensors
        entries = [t for t in names.all.full.tensors.values() if (t.parent or t.name) == target.name or _of(t, target)]
        entries.sort(key=lambda t: known[t.of].place if t.of else t.place)
        if len(entries) != len(printed):
            raise ShapeError("line", f"{len(printed)} numbers", f"{len(entries)}, the entries of {name}")
        values = [names.value(t[()]) for t in entries]
        if None in values:
            raise ShapeError("line", f"no value for {name}", "a value for every input")
        wrong = [k for k, (v, p) in enumerate(zip(values, printed, strict=True)) if v is not None and not rounds_to(v, p)]
        exact = ", ".join(fixed(v, places(p)).text for v, p in zip(values, printed, strict=True) if v is not None)
        more: dict[str, object] = {"value": ", ".join(decimal(v, 8).text for v in values if v is not None)}
        for t, p in zip(entries, printed, strict=True):
            self.scalars.say(t[()], t.name, p, line, Mark.RIGHT)
        mark = Mark.WRONG if wrong else Mark.RIGHT
        if wrong:
            more |= {"correct": f"[{exact}]", "slip": "wrong at " + ", ".join(f"place {k + 1}" for k in wrong)}
        self._add(line, name, text, relation, mark, Follows.NO if wrong else Follows.YES, **more)
        return mark


def _of(scalar: Tensor, target: Tensor) -> bool:
    return bool(target.of) and bool(scalar.of) and (scalar.of == target.of or scalar.of.startswith(f"{target.of}_"))


