"""Is a claim right? For all sizes by normal form, else entry by entry at small sizes, names first and then opened."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations, islice

import sympy as sp

from symnet.calculus.closed import closed_scalars
from symnet.calculus.instantiate import Entries, instantiate_program
from symnet.calculus.matrices import CONVENTIONS, symmetric
from symnet.checking.answers_opening import Opening, in_each_other
from symnet.checking.answers_points import Numbers
from symnet.checking.claims import claim_of, claimed, unfolded
from symnet.checking.domains import answer_holes, aside_of, asked_aside, domain_of, needed_for
from symnet.checking.large_sizes import different
from symnet.checking.line_matching import LineMatching
from symnet.checking.numbers_asked import NumbersAsked
from symnet.checking.tried_sizes import MOST_SIZES, PROVED_AT, SCREENED_AT
from symnet.core.axes import Range
from symnet.core.derivation import Derivation
from symnet.core.expressions import When, substitute
from symnet.core.expressions import entries as entries_in
from symnet.core.functions import step
from symnet.core.matrices import SINGULAR, Grid, written_out
from symnet.core.number_sets import like
from symnet.core.program import Assumption, Definition, Hole, Program, is_size
from symnet.core.tensors import Tensor, free_name, tensor_name
from symnet.core.verdict import EXCEPT, Answer, Verdict, all_of
from symnet.equality.assumption_solving import contradictory, said_of_nothing, solved
from symnet.equality.compare import compare, prove_equal
from symnet.equality.domain_conditions import indexed_holes
from symnet.equality.null_sets import is_null
from symnet.equality.sums.all_sizes import DIFFER, ELSEWHERE, SCOPE, prove_for_all_sizes
from symnet.errors import OptionError, SymnetError
from symnet.indexing.arithmetic import broadcasts, fitted
from symnet.indexing.index_array import IndexArray, number

MOST_PARTS = 3000  # nodes of scalars that are still worth a proof before everything is put in
MOST_SCREENED = 2000  # entries of a program that is tried at further sizes
NAMED = 2  # stages of opening: as it stands, and with the names that one side alone uses written out
RIGHT = frozenset({Answer.PROVED, Answer.ALMOST_EVERYWHERE, Answer.CONDITIONAL})
Sized = tuple[str, Program, Entries, Numbers]  # the scope, and the program of scalars at these sizes


class _Kept:
    """What an iterator gives, made when it is first asked for and kept."""

    def __init__(self, made: Iterator[Sized]) -> None:
        self._made, self._found = made, list[Sized]()

    def __iter__(self) -> Iterator[Sized]:
        yield from self._found
        for one in self._made:
            self._found.append(one)
            yield one


@dataclass(frozen=True)
class Asked:
    """How a question speaks of what is asked for, and how an index that is meant is written."""

    what: str = "gradient"
    hint: str = ""
    text: str = ""  # of the answer


class Question:
    """Is the last line of ``claim``, in the tensors of ``derivation``, the gradient with respect to ``wrt``?

    ``derivation`` was made without the assumptions that are ``declared``; where nothing was differentiated, the tensor ``wrt`` itself is
    asked for. The claim's lines are first sought among the derivation's; ``matching`` keeps what was found for the next question.
    """

    def __init__(self, derivation: Derivation, wrt: str, claim: Program, declared: tuple[Assumption, ...] = (),
                 matching: LineMatching | None = None) -> None:
        self.derivation, self.wrt, self.declared = derivation, wrt, declared
        self.matching = matching or LineMatching(derivation)
        claim = self.matching.matched(claim) if len(claim.definitions) > 1 else claim
        self.value = claimed(claim)
        self.whole = derivation.full.extend(self.value.lines) if self.value.lines else derivation.full
        self.wanted = self.whole[derivation.names.get(wrt, wrt)]
        self.formulas = self.whole.by_name[self.wanted.name]
        self.structured = tuple(t for t in self.whole.inputs if t.structure)
        aside = aside_of(derivation.program)
        self.given = tuple(d for d in derivation.program.definitions if d.name not in aside)
        self.aside = {**aside, **{d.name: claim.by_name[d.name] for d in self.value.lines}}

    @cached_property
    def opening(self) -> Opening:
        """The names that may be written out."""
        return Opening(self.whole)

    def verdict(self, asked: Asked = Asked()) -> Verdict:
        """The verdict on a claim of any shape.

        Numbers are decided outright. Arrays are first compared for all sizes by a normal form of sums over indices, in the names of the
        program and then with the names written out; if that does not decide, entry by entry at small sizes that are all different, and
        the verdict's scope says so. A wrong shape is refuted; the transpose of the gradient is refuted and called so.
        """
        value, shape, wanted = self.value, tuple(a.size for a in self.value.axes), self.wanted.shape
        if not shape and of_numbers(self.whole, (value.expr,)) and not any(d.target.axes for d in value.lines):
            return self._of_numbers()
        turned = len(shape) == 2 and shape[::-1] == wanted
        if shape != wanted:
            if (spread := fitted(value, self.wanted.axes)) is not None and (verdict := self._of(spread).judge()).answer in RIGHT:
                stretched = f"it is broadcast to shape ({', '.join(map(str, wanted))})"
                moved = f"axes of size 1 are moved to make it {_shape(wanted)}"
                condition = stretched if broadcasts(value.axes, self.wanted.axes) else moved
                return replace(verdict, answer=Answer.CONDITIONAL, condition=" and ".join(filter(None, (verdict.condition, condition))))
            last = [e for e in value.expr.atoms(sp.Indexed) if any(is_size(i) for i in e.indices) and tensor_name(e) in asked.text]
            if not shape and last:  # sum_n Z[n, k], where k is a size
                return Verdict(Answer.UNDECIDED, reason=f"a single number with the last place of an axis, {last[0]}; where an index is "
                               f"meant, say which: {asked.hint}")
            plain = f"the answer is {_shape(shape)}, the {asked.what} {_shape(wanted)}"
            transposed = turned and self._of(value.transposed).judge().answer in RIGHT
            return Verdict(Answer.REFUTED, "shape", reason=f"this is the transpose of the {asked.what}: {plain}" if transposed else plain)
        verdict = self.judge()
        if verdict.answer is Answer.REFUTED and self.derivation.program[self.wrt].structure in ("symmetric", "positive definite"):
            return next((v for v in self._conventions() if v.answer in RIGHT), verdict)
        if turned and verdict.answer is Answer.REFUTED and self._of(value.transposed).judge().answer in RIGHT:
            return replace(verdict, reason=f"this is the transpose of the {asked.what}")
        return verdict

    def _of(self, value: IndexArray) -> Question:
        """The same question about another value."""
        return Question(self.derivation, self.wrt, claim_of(value, self.derivation.full), self.declared, self.matching)

    def _conventions(self) -> Iterator[Verdict]:
        """Verdicts by the conventions for a gradient among symmetric matrices; right by one of them is right under that condition."""
        for convention, said in CONVENTIONS.items():
            made = symmetric(self.derivation, self.wrt, convention)
            verdict = Question(made, self.wrt, claim_of(self.value, made.full), self.declared).judge()
            if verdict.answer is Answer.PROVED:
                yield replace(verdict, answer=Answer.CONDITIONAL, condition=f"by the convention {convention!r} ({said})", reason="")

    def _of_numbers(self) -> Verdict:
        """The verdict where nothing has an axis or is summed: both sides in the inputs alone."""
        return NumbersAsked(self.derivation, self.wrt, self.whole, self.declared, self.aside).verdict(self.value)

    def judge(self) -> Verdict:
        """The verdict on a claim of the right shape."""
        value = self.value
        verdict = self._named(value)
        if verdict is not None:
            return verdict
        sized = _Kept(self._sized(value))
        different = self._first(sized, False)
        if different is not None and not self.declared:
            return different
        if different is not None and any(contradictory(program.assumptions) for _, program, _, _ in sized):
            return Verdict(Answer.UNDECIDED, reason=said_of_nothing(self.declared))
        if different is not None:
            ways: tuple[Callable[[], Verdict | None], ...] = (
                lambda: self._under(value, 0, NAMED), lambda: self._first(sized, True), lambda: self._under(value, NAMED, None))
            verdict = next((v for way in ways if (v := way()) is not None), None)
        else:
            verdict = self._proved(value, (), NAMED, None) or self._entrywise(value) or self._but_for_kinks(value, sized)
        if verdict is not None:
            return verdict
        verdict = self._entry_by_entry(sized)
        screened = None if verdict.answer is Answer.REFUTED else self._screened(value)
        return verdict if screened is None else screened

    def for_all_sizes(self, needed: bool = False) -> Verdict | None:
        """PROVED, or CONDITIONAL on what is declared, for all sizes; None where that is not shown. Nothing is refuted.

        ``needed``: without what is declared it is known to be wrong, so that no proof of that is sought.
        """
        value = self.value
        if [a.range for a in value.axes] != [a.range for a in self.wanted.axes]:
            return None
        if not needed and (verdict := self._named(value) or self._proved(value, (), NAMED, None)):
            return verdict
        if not self.declared:
            return None if needed else self._entrywise(value)
        found = self._under(value, 0, NAMED)
        return self._under(value, NAMED, None) if found is None else found

    def _first(self, sized: Iterable[Sized], assumed: bool) -> Verdict | None:
        """The first refutation."""
        return next((v for one in sized if (v := self._different(one, assumed)) is not None), None)

    def _different(self, sized: Sized, assumed: bool) -> Verdict | None:
        """REFUTED at an entry and a point, which satisfies the assumptions where they are ``assumed``."""
        scope, program, _, numbers = sized
        there = solved(program.assumptions if assumed else (), numbers.forms.there)
        found = None if there is None else numbers.difference(program.title, self.wanted.name, there)
        return Verdict(Answer.REFUTED, "ball enclosure", _entry(found[0]), found[1], scope=scope) if found else None

    def _named(self, value: IndexArray) -> Verdict | None:
        """Proved for all sizes while the names that both sides use stay closed: the usual right answer, and the cheapest to see."""
        return self._proved(value, (), 0, NAMED)

    def _under(self, value: IndexArray, first: int, last: int | None) -> Verdict | None:
        """Proved for all sizes under as few of the declared assumptions as will do."""
        for count in range(1, len(self.declared) + 1):
            for used in combinations(self.declared, count):
                verdict = self._proved(value, used, first, last)
                if verdict is not None:
                    return verdict
        return None

    def _proved(self, value: IndexArray, used: tuple[Assumption, ...], first: int, last: int | None,
                termwise: bool = False) -> Verdict | None:
        found: list[Verdict] = []
        for formula in self.formulas:
            verdict = self._slice(value, formula, used, first, last, termwise)
            if verdict is None:
                return None
            found.append(verdict)
        if not found:
            return None
        made = found[0] if len(found) == 1 else _joined(found, found[0].scope)
        return made if self.whole.sizes else replace(made, scope="")

    def _slice(self, value: IndexArray, formula: Definition, used: tuple[Assumption, ...], first: int, last: int | None,
               termwise: bool) -> Verdict | None:
        """The answer on one slice of the gradient; nearly always that is all of it."""
        expr, wanted = _sides(value, formula)
        ranges: dict[sp.Symbol, Range] = formula.free
        for names in islice(self.opening.stages(expr, wanted), first, last):
            verdict = prove_for_all_sizes(expr, wanted, ranges, used, self.given, (*self._asked(value), *_at_places(value, formula)),
                                          self.opening.lines(names), self.whole.by_name, self.structured, termwise)
            if verdict.answer is not Answer.UNDECIDED:
                return verdict
            if verdict.reason not in (DIFFER, ELSEWHERE):  # too large, or a node without a rule: opening more does not help
                return None
        return None

    def _entrywise(self, value: IndexArray) -> Verdict | None:
        """Proved for all sizes as an identity of numbers: cases, |x|, clip, sin² + cos²; also of the terms of sums."""
        if any(side.has(sp.Sum) for formula in self.formulas for side in _sides(value, formula)):
            return self._proved(value, (), 0, None, True)
        for formula in self.formulas:
            sides = _sides(value, formula)
            if any(side.has(When, Grid) for side in sides) or self._asked(value) or _at_places(value, formula):
                return None
            there = {e: like(e, str(e)) for side in sides for e in side.atoms(sp.Indexed)}
            if not all(e.is_real for e in there) or not prove_equal(*[side.xreplace(there) for side in sides]).holds:
                return None
        return Verdict(Answer.PROVED, "normal form", scope=SCOPE if self.whole.sizes else "")

    def _but_for_kinks(self, value: IndexArray, sized: Iterable[Sized]) -> Verdict | None:
        """ALMOST_EVERYWHERE for a mask [Z >= 0] where the convention has [Z > 0]: proved for all sizes with the one for the other, which
        differ where an entry of Z is 0, a null set at the sizes that are looked at."""
        kinks = {s: -s.args[0] for s in value.expr.atoms(step) if isinstance(-s.args[0], (sp.Indexed, sp.Symbol))}
        if not kinks or value.holes:
            return None
        other = value.expr.xreplace({s: 1 - step(u) for s, u in kinks.items()})
        verdict = self._of(IndexArray.over(value.axes, value.indices, other)).for_all_sizes()
        if verdict is None or verdict.answer is not Answer.PROVED:
            return None
        names, scopes = {tensor_name(u) for u in kinks.values()}, list[str]()
        for scope, scalars, entries, _ in sized:
            there = closed_scalars(scalars)
            at_zero = [entries(name, place) for name in names for place in entries.places(name)]
            if not all(is_null(there.get(e, e)) for e in at_zero):
                return None
            scopes.append(scope)
        return Verdict(Answer.ALMOST_EVERYWHERE, "normal form", EXCEPT + " or ".join(f"an entry of {n} is 0" for n in sorted(names)),
                       scope=" and ".join(filter(None, scopes)))

    def _asked(self, value: IndexArray) -> tuple[Hole, ...]:
        """What the answer's text asks for that its expression no longer shows, and what lines ask for that it alone uses: in the names of
        the derivation, of which alone it is known where they have a value."""
        found = (*value.holes, *asked_aside((value.expr, *(u for u, _, _ in value.holes)), self.aside))
        own = {d.name: tuple(o for o in value.lines if o.name == d.name) for d in value.lines}
        return tuple((unfolded(number(u), self.derivation.full.tensors, own).expr, sign, over) for u, sign, over in found) if own else found

    def _with_answer(self, value: IndexArray) -> tuple[Program, Tensor]:
        """The lines that the question needs, with the answer as the last."""
        target = Tensor(free_name("answer", self.whole.tensors), value.axes)
        asked = tuple(dict.fromkeys((*self._asked(value), *indexed_holes(value.expr))))  # sums written out may cancel what they stand over
        last = Definition(target, value.indices, value.expr, holes=asked)
        used = {tensor_name(e) for part in (value.expr, *(u for u, _, _ in asked)) for e in entries_in(part)}
        kept = needed_for(self.whole, {self.wanted.name, self.derivation.objective, self.whole.objective, *used})
        while more := {n for d in self.whole.definitions if d.name in kept for n in _spoken_of(d)} & self.whole.by_name.keys() - kept:
            kept |= needed_for(self.whole, more)
        lines = tuple(d for d in self.whole.definitions if d.name in kept)
        return Program(self.whole.inputs, (*lines, last), self.whole.objective, self.declared), target

    def _sized(self, value: IndexArray) -> Iterator[Sized]:
        """The program with the answer as its last line, at each choice of sizes."""
        program, target = self._with_answer(value)
        if len(program.sizes) > MOST_SIZES:
            raise OptionError("check", f"{len(program.sizes)} different sizes", f"at most {MOST_SIZES}")
        for choice in PROVED_AT[:2 if program.sizes else 1]:
            yield _at(program, choice, target.name)

    def _screened(self, value: IndexArray) -> Verdict | None:
        """A refutation at sizes at which nothing is proved."""
        program, target = self._with_answer(value)
        for choice in SCREENED_AT if program.sizes else ():
            sizes = {s: sp.Integer(n) for s, n in zip(program.sizes, choice, strict=False)}
            if sum(sp.Mul(*[n.xreplace(sizes) for n in t.shape]) for t in program.tensors.values()) > MOST_SCREENED:
                continue
            try:
                verdict = self._different(_at(program, choice, target.name), bool(self.declared))
            except SymnetError:  # sizes that do not fit, such as a window longer than what it slides over
                continue
            if verdict is not None:
                return verdict
        return different(program, target, self.wanted) if program.sizes else None

    def _entry_by_entry(self, sized: Iterable[Sized]) -> Verdict:
        """Every entry at small sizes, all different, for two choices of sizes."""
        found: list[Verdict] = []
        scopes: list[str] = []
        scope = ""
        for scope, scalars, entries, _ in sized:
            before = len(found)
            for place, verdict in self._verdicts(scalars, entries):
                if verdict.answer in (Answer.REFUTED, Answer.UNDECIDED):
                    return Verdict(verdict.answer, verdict.method, _entry(place), verdict.witness, verdict.reason, scope)
                found.append(verdict)
            scopes += [scope] * (len(found) > before)
        if not found:
            return Verdict(Answer.UNDECIDED, reason=f"{SINGULAR[0]} at every size that was tried", scope=scope)
        return _joined(found, " and ".join(scopes))

    def _verdicts(self, scalars: Program, entries: Entries) -> Iterator[tuple[tuple[int, ...], Verdict]]:
        """Entry by entry; nothing where there is no gradient at these sizes, as of log det X^T X for a wide X."""
        there = closed_scalars(scalars)
        right = self.wanted.name
        if any(_singular(there[entries(right, place)]) for place in entries.places(right)):
            return
        opening, domain = Opening(scalars), domain_of(scalars, self.derivation.program, there)
        own = {d.entry: d for d in scalars.definitions}
        for place in entries.places(right):
            sides = entries(scalars.title, place), entries(right, place)
            line = own[sides[0]]
            verdict = None if self.declared or domain.unseen else _in_names(opening, line, sides[1])
            asked = () if verdict is not None else answer_holes(line.expr, line.holes, there)
            verdict = verdict or compare(there[sides[0]], there[sides[1]], scalars.assumptions, asked, domain=domain)
            if verdict.condition and set(verdict.condition.split(" and ")) <= set(map(str, scalars.assumptions)):
                verdict = replace(verdict, condition=" and ".join(map(str, self.declared)))  # as declared, not entry by entry
            yield place, verdict


def _spoken_of(line: Definition) -> Iterator[str]:
    """The names that a line needs besides those that it is computed from: of what it asks for, and of a slope, what that is a slope of."""
    yield from (tensor_name(e) for u, _, _ in line.holes for e in entries_in(u))
    yield from (line.target.of, line.target.objective)


def of_numbers(whole: Program, parts: Iterable[sp.Expr] = ()) -> bool:
    """Has nothing here an axis, and is nothing summed?"""
    return not any(t.axes for t in whole.tensors.values()) and not sums_up((*parts, *(d.expr for d in whole.definitions)))


def sums_up(exprs: Iterable[sp.Expr]) -> bool:
    """Is there a sum or bracket over indices? Then numbers are judged as arrays are, written out at sizes."""
    return any(e.has(sp.Sum, When) for e in exprs)


def _shape(shape: tuple[sp.Expr, ...]) -> str:
    return "of shape (" + ", ".join(map(str, shape)) + ")" if shape else "a single number"


def _at(program: Program, choice: tuple[int, ...], title: str) -> Sized:
    """The program of scalars at a choice of sizes."""
    sizes = dict(zip([str(s) for s in program.sizes], choice, strict=False))
    scope = "at sizes " + ", ".join(f"{k} = {v}" for k, v in sizes.items()) if sizes else ""
    scalars, entries = instantiate_program(program, sizes)
    return scope, replace(scalars, title=title), entries, Numbers(scalars, entries)


def _in_names(opening: Opening, answer: Definition, right: sp.Expr) -> Verdict | None:
    """PROVED with some names still closed, or nothing."""
    for names in opening.stages(answer.expr, right):
        lines = {d.entry: d.expr for name in sorted(names, key=opening.order.__getitem__) for d in opening.definitions[name]}
        there = in_each_other(lines)
        sides = [side.xreplace(there) for side in (answer.expr, right)]
        if answer_holes(answer.expr, answer.holes, there):
            return None
        if sum(1 for side in sides for _ in islice(sp.preorder_traversal(side), MOST_PARTS)) >= MOST_PARTS:
            return None
        verdict = prove_equal(*sides)
        if verdict.holds:
            return verdict
    return None


def _at_places(value: IndexArray, formula: Definition) -> tuple[Hole, ...]:
    """What the answer asks for at the fixed places of a formula, where it may cancel: v[1]*v[2]/v[i] at i = 1."""
    there = {i: p for i, p in zip(value.indices, formula.indices, strict=True) if not p.is_Symbol or p.is_positive}
    if not there:
        return ()
    return tuple((substitute(u, there), sign, over) for u, sign, over in indexed_holes(value.expr) if u.free_symbols & there.keys())


def _sides(value: IndexArray, formula: Definition) -> tuple[sp.Expr, sp.Expr]:
    """The answer and the formula at the formula's indices; the only place of an axis is that place, v[k, 1]."""
    one = {i: lo for i, (lo, hi) in formula.free.items() if lo == hi}
    return value.at(*[one.get(i, i) for i in formula.indices]), substitute(formula.expr, one)


def _entry(place: tuple[int, ...]) -> str:
    return f"entry ({', '.join(map(str, place))})" if place else ""


def _singular(expr: sp.Expr) -> bool:
    try:
        written_out(expr)
    except (ZeroDivisionError, SymnetError):
        return True
    return False


def _joined(verdicts: list[Verdict], scope: str) -> Verdict:
    """The weakest of the answers, with all the conditions of the entries."""
    answer, said = all_of((v.answer, v.condition) for v in verdicts)
    condition = EXCEPT + " or ".join(said) if said and answer is Answer.ALMOST_EVERYWHERE else " and ".join(said)
    worst = next(v for v in verdicts if v.answer is answer)
    return Verdict(answer, worst.method, condition, None, worst.reason, scope)
