"""A claim of one's own, decided: proved by the kernel, refuted by an exact point, or undecided with the reason.

An equality is proved by normal form, for all sizes where there are arrays; an inequality by ``inequalities``; what is claimed of a sequence
for all steps by induction (``recurrences``). A point is looked for first: what fails at a point needs no search for a proof.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import sympy as sp
from sympy.core.relational import Relational

from symnet.calculus import derive
from symnet.calculus.closed import Closing, closed_form
from symnet.core.axes import is_index
from symnet.core.claim import Claim, Proved, Refutation, Statement
from symnet.core.expressions import as_written, limits, substitute
from symnet.core.functions import Max, Min, leaky_relu, relu, step
from symnet.core.index_letters import Labels
from symnet.core.number_sets import like
from symnet.core.numbers import Number, compute, decimal, to_flint
from symnet.core.program import Definition, Program
from symnet.core.tensors import Role, Tensor
from symnet.core.text import text
from symnet.core.verdict import Answer, Verdict
from symnet.equality import order
from symnet.equality.domain_conditions import indexed_holes
from symnet.equality.points import suited
from symnet.equality.signs import ALL
from symnet.errors import DomainError, ProofError, ShapeError, SymnetError
from symnet.proofs import inequality_rules as rules
from symnet.proofs import kernel
from symnet.proofs.counterexamples import failing_point
from symnet.proofs.inequalities import RULES_THAT_FAIL, Hypotheses, Search, prove_of_entries
from symnet.proofs.kernel import Proof
from symnet.proofs.recurrences import by_induction, lines_of

SECONDS = 20.0
WHERE = ", where all has a value and a slope"
SMALL_SIZES = (1, 2, 3)
NO_PROOF = "no proof was found, and no point at which it fails"


class Derivative(Protocol):
    """A derivative in a claim, by its name there: the last line of a program, by what it is differentiated."""

    @property
    def name(self) -> str: ...
    @property
    def program(self) -> Program: ...
    @property
    def wrt(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Conjecture:
    """What is to follow from what. Indices that are free stand for every place; ``sequences`` are the lines of recurrences."""

    conclusions: tuple[Statement, ...]
    hypotheses: Hypotheses = ()
    sequences: tuple[Definition, ...] = ()
    first: tuple[tuple[sp.Symbol, int], ...] = ()
    ranges: tuple[tuple[sp.Symbol, sp.Expr, sp.Expr], ...] = ()
    tensors: tuple[Tensor, ...] = ()
    said: tuple[str, ...] = ()
    turned: tuple[bool, ...] = ()
    has_values: Callable[[Mapping[str, Number]], bool] | None = field(default=None, compare=False)
    slopes: tuple[tuple[str, sp.Expr], ...] = ()
    kinked: bool = False


def conjecture(program: Program, conclusions: Iterable[tuple[str, str, str]], hypotheses: Iterable[tuple[str, str, str]] = (),
               slopes: Iterable[Derivative] = (), said: Sequence[str] = (), turned: Sequence[bool] = (),
               has_values: Callable[[Mapping[str, Number]], bool] | None = None) -> Conjecture:
    """The statements that lines of a program make, each written in the inputs alone; derivatives are derived by the engine.

    They are about the points where both sides, as they were written, have values, and what is differentiated no kink: what that asks for is
    a hypothesis, and said. ``has_values`` answers that for a point, from the text, of which SymPy may have cancelled a part.
    """
    writer = _Writer(program)
    for s in slopes:
        writer.derivative(s)
    shown = tuple(writer.statement(*c) for c in conclusions)
    given = [writer.statement(*h) for h in hypotheses]
    where = writer.where_defined(shown, given)
    inputs, there = _narrowed(program.inputs, where)
    shown = tuple(_put(s, there) for s in shown)
    given = [_put(s, there) for s in (*given, *where)]
    given = [h for h in given if h not in {_put(w, there) for w in where if _put(w, there) != w}]  # the symbols know
    said = (*said, *(f"{text(h.left)} {h.relation} {text(h.right)}{WHERE}" for h in where))
    given = [replace(h, general=any(is_index(i) for e in (h.left, h.right) for i in e.free_symbols)) for h in given]
    free = {i for c in shown for e in (c.left, c.right) for i in e.free_symbols if is_index(i)}
    letters: dict[sp.Symbol, tuple[sp.Expr, sp.Expr]] = {i: r for i, r in writer.ranges.items() if i in free}
    sequences = tuple(d for d in program.definitions if d.name in writer.slices)
    steps = tuple((i, int(low)) for i, (low, _) in letters.items() if low.is_Integer) if sequences else ()
    if not sequences:
        for i, (low, high) in letters.items():
            given += [Statement(low, i, None, "<="), Statement(i, high, None, "<=")]
    return Conjecture(shown, tuple(dict.fromkeys(given)), sequences, steps,
                      tuple((i, *span) for i, span in writer.ranges.items()), inputs, tuple(said), tuple(turned), has_values,
                      tuple((d.name, _put_in(writer.lines[d.name].expr, there)) for d in writer.slopes if not d.indices), writer.kinked)


def _narrowed(inputs: Sequence[Tensor], where: Sequence[Statement]) -> tuple[tuple[Tensor, ...], dict[sp.Basic, sp.Basic]]:
    """Numbers that must be positive, not negative or not 0 as symbols that are."""
    names = {"<": "positive", "<=": "nonnegative", "!=": "nonzero"}
    found = {h.right: names[h.relation] for h in where if h.left == 0 and h.right.is_Symbol}
    changed = tuple(replace(t, domain=found[t[()]]) if not t.axes and t.domain == "real" and t[()] in found else t for t in inputs)
    return changed, {t[()]: new[()] for t, new in zip(inputs, changed, strict=True) if new != t}


def _put_in(e: sp.Expr, there: Mapping[sp.Basic, sp.Basic]) -> sp.Expr:
    return e.xreplace(dict(there)) if there else e


def _put(s: Statement, there: Mapping[sp.Basic, sp.Basic]) -> Statement:
    return replace(s, left=s.left.xreplace(dict(there)), right=s.right.xreplace(dict(there))) if there else s


class _Writer:
    """Lines of a program in closed form; what is defined slice by slice stays an entry."""

    def __init__(self, program: Program, more: Iterable[Definition] = ()) -> None:
        self.program = program
        counts: dict[str, int] = {}
        for d in program.definitions:
            counts[d.name] = counts.get(d.name, 0) + 1
        self.slices = {d.name for d in program.definitions if counts[d.name] > 1 or d.name in program.uses(d.name)}
        self.lines = {d.name: d for d in (*more, *program.definitions) if d.name not in self.slices}
        self.slopes: list[Definition] = []
        self.closing = Closing(self.lines, Labels.of(program))
        self.ranges: dict[sp.Symbol, tuple[sp.Expr, sp.Expr]] = {}
        self.asked: list[tuple[sp.Expr, str]] = []
        self.kinked = False

    def derivative(self, slope: Derivative) -> None:
        """Give the derivative a line that says what it is."""
        tensor = next(t for t in self.program.inputs if t.name == slope.name)
        if any(t.name in self.lines for t in slope.program.inputs):  # a derivative of a derivative
            body = _Writer(slope.program, self.slopes).line(slope.program.objective, ())
            if tensor.axes or body.has(sp.Sum, sp.Indexed):
                raise ShapeError("claim", "a second derivative by an array", "derivatives by numbers", "sn.hessian(derivation)")
            symbol = next(t for t in slope.program.inputs if t.name == slope.wrt)[()]
            places, value = (), sp.diff(body, symbol)
        else:
            derivation = derive(slope.program, [slope.wrt])
            target = derivation.full[derivation.names.get(slope.wrt, slope.wrt)].name
            places, value = derivation.full.by_name[target][0].indices, closed_form(derivation, slope.wrt)
            self.asked += [(self._own(u, slope.program), sign) for d in slope.program.definitions for u, sign, over in d.holes if not over]
            body = _Writer(slope.program).line(slope.program.objective, ())
        self.asked += [(self._own(u, slope.program), sign) for u, sign, over in indexed_holes(body) if not over]
        for u in borders(body):
            if u.has(sp.Indexed, sp.Sum) or any(map(is_index, u.free_symbols)):
                self.kinked = True
            else:
                self.asked.append((self._own(u, slope.program), "="))
        self.slopes.append(Definition(tensor, places, value))  # in symbols of all real numbers, as derivatives are taken
        self.lines[slope.name] = Definition(tensor, places, self._own(value, slope.program))

    def _own(self, expr: sp.Expr, other: Program) -> sp.Expr:
        """``expr`` in the symbols of this program, which know their domains."""
        there: dict[sp.Basic, sp.Basic] = {}
        own = {t.name: t for t in self.program.inputs}
        for t in other.inputs:
            if t.name in own and _bare(own[t.name]) != _bare(t):
                there[_bare(t)] = _bare(own[t.name])
        return expr.xreplace(there) if there else expr

    def where_defined(self, shown: Sequence[Statement], given: Sequence[Statement]) -> list[Statement]:
        """What the sides ask for so that they have values, as they were written, where nothing shows that it holds anyway."""
        steps = [Statement(low, i, None, "<=") for i, (low, _) in self.ranges.items()]
        facts = order.Facts([*(h for h in given if not h.general), *steps])
        asked = [*self.asked]
        for d in self.program.definitions:
            if d.name not in self.slices:
                asked += [(self._put_in(u), sign) for u, sign, over in d.holes if not over]
        asked += [(u, sign) for s in (*shown, *given) for e in (s.left, s.right)
                  for u, sign, over in indexed_holes(order.without_whole_powers(e, facts)) if not over]
        found: list[Statement] = []
        for u, sign in dict.fromkeys(asked):
            if u.has(sp.Indexed, sp.Sum) or any(map(is_index, u.free_symbols)) or order.met(u, sign, facts):
                continue
            zero = sp.S.Zero
            found.append(Statement(zero, u, None, {"=": "!=", "<=": "<", "<": "<="}[sign]))
        return found

    def _put_in(self, u: sp.Expr) -> sp.Expr:
        with as_written():
            return self.closing.expression(u, {}, ())

    def line(self, name: str, places: Sequence[sp.Expr]) -> sp.Expr:
        """A line in closed form at some places."""
        d = self.lines[name]
        with as_written():
            return self.closing.expression(d.expr, dict(zip(d.indices, places, strict=True)), tuple(map(str, places)))

    def statement(self, left: str, relation: str, right: str) -> Statement:
        """What a comparison of two lines says."""
        a, b = self.lines[left], self.lines[right]
        wider = a if len(a.indices) >= len(b.indices) else b
        self.ranges |= {i: (low, high) for i, low, high in wider.ranges}
        sides = []
        for d in (a, b):
            if d.indices and len(d.indices) != len(wider.indices):
                raise ShapeError("claim", f"sides with {len(a.indices)} and {len(b.indices)} indices", "sides of one shape")
            sides.append(self.line(d.name, wider.indices if d.indices else ()))
        return Statement(sides[0], sides[1], None, relation)


def borders(expr: sp.Expr) -> list[sp.Expr]:
    """What is 0 where ``expr`` may have a kink: u for |u| and relu(u), u - v for max(u, v) and for a case that asks for u > v."""
    found: list[sp.Expr] = []
    for node in sp.preorder_traversal(expr):
        if isinstance(node, (sp.Abs, relu, step, sp.sign, leaky_relu)):
            found.append(node.args[0])
        elif isinstance(node, (Max, Min, sp.Max, sp.Min)):
            found += [a - b for a, b in itertools.combinations(node.args, 2)]
        elif isinstance(node, Relational):
            found.append(node.lhs - node.rhs)
    return list(dict.fromkeys(found))


def _bare(t: Tensor) -> sp.Basic:
    """The symbol of a number, the base of an array."""
    return t[tuple(sp.Symbol(f"_{k}", integer=True) for k in range(len(t.axes)))].base if t.axes else t[()]


# Deciding --------------------------------------------------------------------------------------------------------------------------


def decide(what: Conjecture, claimed: Callable[[tuple[str, ...]], Claim], seconds: float = SECONDS) -> Proved | Refutation | Verdict:
    """Proved, refuted with an exact point, or undecided. ``claimed`` gives the claim in words, from its conditions.

    >>> x = sp.Symbol("x", real=True)
    >>> print(decide(Conjecture((Statement(x, x**2, relation="<="),)), lambda conditions: Claim("claim", "x <= x**2", conditions)))
    refuted: x <= x**2. Counterexample: with x = 1/2 the left side is 0.5 and the right side 0.25.
    """
    claim = claimed(conditions_of(what))
    if _contradictory(what.hypotheses):
        return Verdict(Answer.UNDECIDED, reason="no values satisfy the hypotheses, so that anything would follow from them")
    for c in what.conclusions:
        found = refutation(claim, c, what)
        if found is not None:
            return found
    search = Search(seconds)
    proofs: list[Proof] = []
    for c in what.conclusions:
        made = _proof(c, what, search)
        if made is None:
            return Verdict(Answer.UNDECIDED, reason=NO_PROOF + (f": {_told(c)}" if len(what.conclusions) > 1 else ""))
        proofs.append(made)
    whole = proofs[0] if len(proofs) == 1 else kernel.noted(kernel.together(*proofs), "all of it")
    return Proved(claim, whole, {t.name: t for t in what.tensors})


def conditions_of(what: Conjecture) -> tuple[str, ...]:
    """What the claim is under, in words: hypotheses, domains, ranges."""
    said = [s.replace("==", "=") for s in what.said]
    for t in what.tensors:
        if t.domain not in ("real", "index", "complex") and not any(t.name in s for s in said):
            said.append(f"{t.name} is {t.domain}" if t.domain.isalpha() else f"{t.name} in {t.domain}")
    return tuple(dict.fromkeys(said))


def _told(c: Statement) -> str:
    return f"{text(c.left)} {c.relation} {text(c.right)}"


def _contradictory(given: Hypotheses) -> bool:
    """True where two hypotheses plainly deny each other."""
    facts = order.Facts(given)
    for h in given:
        rest = order.Facts([k for k in given if k is not h])
        gap = h.right - h.left
        found = rest.signs(gap) & (order.signs(gap, rest) if h.over is None and not h.general else ALL)
        wanted = {"=": {0}, "<=": {0, 1}, "<": {1}, "!=": {-1, 1}}[h.relation]
        if not found & wanted:
            return True
    return any(not facts.signs(h.right - h.left) for h in given)


def _proof(c: Statement, what: Conjecture, search: Search) -> Proof | None:
    given = what.hypotheses
    try:
        if what.sequences:
            return _for_all_steps(c, what, search)
        if c.relation == "=":
            return equality(c.left, c.right, given, search)
        if c.relation == "!=":
            if order.signs(c.right - c.left, order.Facts(given)) <= {-1, 1}:
                return rules.apart(c.left, c.right, tuple(h for h in given if not h.general))
            for left, right in ((c.left, c.right), (c.right, c.left)):
                gap = search.prove(right - left, True, given, 0)
                if gap is not None:
                    return rules.different(gap, c.left, c.right)
            return None
        gap = prove_of_entries(c.right - c.left, c.relation == "<", given, search)
        if gap is None or (c.left == 0 and gap.statements == (c,)):
            return gap
        return kernel.noted(rules.combine(gap, c.left, c.relation, c.right, sp.S.Zero, (sp.S.One,), _kept(given, c)),
                            "the same with both sides as they are claimed")
    except RULES_THAT_FAIL:
        return None


def _kept(given: Hypotheses, c: Statement) -> Hypotheses:
    """Hypotheses that are needed for the two sides to have values."""
    if order.defined(c.left) and order.defined(c.right):
        return ()
    return given


def equality(left: sp.Expr, right: sp.Expr, given: Hypotheses, search: Search) -> Proof | None:
    """left = right: by normal form, else from the hypotheses, else by both inequalities."""
    try:
        if not any(is_index(s) for s in left.free_symbols | right.free_symbols) and kernel.equal(left, right):
            return kernel.noted(kernel.algebra(left, right), "both sides have the same normal form")
    except RULES_THAT_FAIL:
        pass
    ranges = tuple(h for h in given if not h.general and h.relation == "<=" and (is_index(h.left) or is_index(h.right)))
    equalities = tuple(h for h in given if h.relation == "=")
    for used in dict.fromkeys(((), *((e,) for e in equalities), equalities)):
        try:
            return kernel.noted(kernel.under(left, right, (*ranges, *used)), "both sides have the same normal form" + (
                ", by the hypotheses" if used else ", for all sizes"))
        except RULES_THAT_FAIL:
            continue
    equalities = tuple(h for h in equalities if not h.general)
    for used in dict.fromkeys((e,) for e in equalities):
        found = _multiple(left, right, used)
        if found is not None:
            return found
    found = _multiple(left, right, equalities) if len(equalities) > 1 else None
    if found is not None or left.has(sp.Sum, sp.Indexed) or right.has(sp.Sum, sp.Indexed):
        return found
    up, down = search.prove(right - left, False, given, 1), search.prove(left - right, False, given, 1)
    if up is None or down is None:
        return None
    one = rules.combine(up, left, "<=", right, sp.S.Zero, (sp.S.One,), ())
    two = rules.combine(down, right, "<=", left, sp.S.Zero, (sp.S.One,), ())
    return rules.antisymmetry(one, two)


def _multiple(left: sp.Expr, right: sp.Expr, used: Hypotheses) -> Proof | None:
    """right - left as a sum of multiples of the equalities."""
    gaps = [sp.fraction(sp.together(h.right - h.left))[0] for h in used]
    above, below = sp.fraction(sp.together(right - left))
    try:
        if len(used) == 1:
            ratio = sp.cancel((right - left) / (used[0].right - used[0].left))
            if not sp.fraction(ratio)[1].has(*gaps):
                premise = kernel.noted(kernel.given(used[0]), "given")
                return kernel.noted(rules.combine(premise, left, "=", right, sp.S.Zero, (ratio,), ()), f"{text(ratio)} times what is given")
    except (*RULES_THAT_FAIL, ZeroDivisionError):
        pass
    try:
        quotients, rest = sp.reduced(above, gaps, *sorted(set().union(*(g.free_symbols for g in gaps)), key=str))
        if rest != 0:
            return None
        multipliers = tuple(sp.together(q * g / (below * (h.right - h.left))) for q, g, h in zip(quotients, gaps, used, strict=True))
        premises = [kernel.noted(kernel.given(h), "given") for h in used]
        return kernel.noted(rules.combine(*premises, left, "=", right, sp.S.Zero, multipliers, ()), "a multiple of what is given")
    except (*RULES_THAT_FAIL, ZeroDivisionError):
        return None


def _for_all_steps(c: Statement, what: Conjecture, search: Search) -> Proof | None:
    lines = lines_of([d for d in what.sequences if len(d.indices) == 1])
    if len(lines) != len(what.sequences):
        return None
    for letter, first in what.first:
        if letter in c.left.free_symbols | c.right.free_symbols:
            return by_induction(c, letter, first, lines, what.hypotheses, search, lambda a, b, g: equality(a, b, g, search))
    return None


# Refuting --------------------------------------------------------------------------------------------------------------------------


def refutation(claim: Claim, c: Statement, what: Conjecture) -> Refutation | None:
    """A counterexample to one conclusion: for arrays at a small size, for sequences at an early step."""
    for case, left, right, given in _instances(c, what):
        point = failing_point(left, c.relation, right, given, accept=_accepted(what))
        if point is None:
            continue
        shown = (*case, *((str(s), str(v)) for s, v in sorted(point.items(), key=lambda p: str(p[0]))))
        try:
            values = [decimal(side.xreplace(point), 10) for side in (left, right)]
        except (DomainError, SymnetError):
            continue
        exact = [str(v) if (v := side.xreplace(point)).is_Rational and len(str(v)) <= 30 else "" for side in (left, right)]
        told = [v.text for v in values]
        if c in what.conclusions and any(what.turned) and what.turned[what.conclusions.index(c)]:
            exact, told = exact[::-1], told[::-1]  # as it was written
        unused = [t for t in what.tensors if not t.axes and t.role is not Role.INTERMEDIATE and not any(t.name == n for n, _ in shown)]
        if not what.sequences:  # names that do not matter, so that hypotheses can be looked up
            shown += tuple((t.name, str(suited(t[()], sp.S.One))) for t in unused if not any(
                t[()] in e.free_symbols for h in what.hypotheses for e in (h.left, h.right)) and not t.name.startswith("slope_"))
        why = f"this part fails: {_told(c)}" if len(what.conclusions) > 1 else ""
        return Refutation(claim, shown, told[0], told[1], why, (exact[0], exact[1]))
    return None


def _accepted(what: Conjecture) -> Callable[[Mapping[sp.Symbol, sp.Rational]], bool] | None:
    """Which points count: those where the text has values, where it asks for something; None for all."""
    if what.kinked:
        return lambda at: False
    ask = what.has_values
    if ask is None:
        return None

    def accepted(at: Mapping[sp.Symbol, sp.Rational]) -> bool:
        values: dict[str, Number] = {str(s): to_flint(v) for s, v in at.items()}
        values |= {t.name: to_flint(suited(t[()], sp.S.One)) for t in what.tensors if not t.axes and t.name not in values}
        try:
            for name, slope in what.slopes:
                values[name] = compute(slope, {s: to_flint(v) for s, v in at.items()})
        except (SymnetError, ArithmeticError):
            return False
        return ask(values)

    return accepted


def _instances(c: Statement, what: Conjecture) -> Iterable[tuple[tuple[tuple[str, str], ...], sp.Expr, sp.Expr, Hypotheses]]:
    """The statement as one about numbers: itself, or at small sizes and each place."""
    everything = [e for h in (c, *what.hypotheses) for e in (h.left, h.right)]
    if not any(e.has(sp.Sum, sp.Indexed) for e in everything) and not any(is_index(s) for e in everything for s in e.free_symbols):
        sizes = sorted({s for e in everything for s in e.free_symbols if s.is_integer}, key=str)
        if not sizes:
            yield (), c.left, c.right, what.hypotheses
            return
    if what.sequences:
        yield from _early_steps(c, what)
        return
    sizes = sorted({s for e in everything for s in _all_symbols(e) if s.is_integer and s.is_positive}, key=str)
    for chosen in itertools.islice(itertools.product(SMALL_SIZES, repeat=len(sizes)), 9):
        there = dict(zip(sizes, map(sp.Integer, chosen), strict=True))
        case = tuple((str(s), str(v)) for s, v in there.items())
        letters = sorted({s for e in (c.left, c.right) for s in e.free_symbols if is_index(s)}, key=str)
        spans = [_span(i, what, there) for i in letters]
        if any(s is None for s in spans):
            continue
        for places in itertools.islice(itertools.product(*[s for s in spans if s is not None]), 9):
            at = {**there, **dict(zip(letters, places, strict=True))}
            numbers = _Numbers()
            try:
                given: list[Statement] = []
                for h in what.hypotheses:
                    if h.general or not any(is_index(s) for s in (h.left, h.right)):
                        given += _everywhere(h, there, what, numbers)
                yield case, numbers.of(c.left, at), numbers.of(c.right, at), tuple(given)
            except (SymnetError, ValueError, TypeError):
                continue


def _everywhere(h: Statement, sizes: Mapping[sp.Symbol, sp.Expr], what: Conjecture, numbers: _Numbers) -> list[Statement]:
    """A hypothesis at every place of its free indices. Raises ValueError where a range is not known."""
    own = sorted({s for e in (h.left, h.right) for s in e.free_symbols if is_index(s)}, key=str)
    spans = [_span(i, what, sizes) for i in own]
    if any(s is None for s in spans):
        raise ValueError("an index without a range")
    places = [{**sizes, **dict(zip(own, p, strict=True))} for p in itertools.product(*[s for s in spans if s is not None])]
    return [Statement(numbers.of(h.left, at), numbers.of(h.right, at), None, h.relation) for at in places]


def _all_symbols(e: sp.Expr) -> set[sp.Symbol]:
    return {*e.free_symbols, *(s for node in e.atoms(sp.Sum) for _, lo, hi in limits(node) for s in lo.free_symbols | hi.free_symbols)}


def _span(i: sp.Symbol, what: Conjecture, there: Mapping[sp.Symbol, sp.Expr]) -> list[sp.Integer] | None:
    ends = next(((low, high) for j, low, high in what.ranges if j == i), None)
    if ends is None:
        return None
    a, b = (e.xreplace(dict(there)) for e in ends)
    return [sp.Integer(k) for k in range(int(a), int(b) + 1)] if a.is_Integer and b.is_Integer else None


class _Numbers:
    """Entries as numbers with a name, sums written out."""

    def __init__(self) -> None:
        self.names: dict[sp.Expr, sp.Symbol] = {}

    def of(self, expr: sp.Expr, at: Mapping[sp.Symbol, sp.Expr]) -> sp.Expr:
        """``expr`` with sizes and indices put in."""
        if isinstance(expr, sp.Sum):
            total: sp.Expr = sp.S.Zero
            ((i, low, high), *rest) = limits(expr)
            inner = sp.Sum(expr.function, *rest) if rest else expr.function
            for k in range(int(low.xreplace(dict(at))), int(high.xreplace(dict(at))) + 1):
                total += self.of(inner, {**at, i: sp.Integer(k)})
            return total
        if isinstance(expr, sp.Indexed):
            places = tuple(p.xreplace(dict(at)) for p in expr.indices)
            if not all(p.is_Integer for p in places):
                raise ValueError("a place that is no number")
            there = expr.base[places]
            if there not in self.names:
                made = like(expr, "x")
                self.names[there] = sp.Symbol(f"{expr.base.label}_{'_'.join(map(str, places))}", **made.assumptions0)
            return self.names[there]
        if not expr.args:
            return at.get(expr, expr)
        return expr.func(*[self.of(a, at) if isinstance(a, sp.Expr) else a.xreplace(dict(at)) for a in expr.args])


def _early_steps(c: Statement, what: Conjecture) -> Iterable[tuple[tuple[tuple[str, str], ...], sp.Expr, sp.Expr, Hypotheses]]:
    """The statement at the first steps, with the sequences computed."""
    try:
        lines = lines_of([d for d in what.sequences if len(d.indices) == 1])
    except ProofError:
        return
    letters = [i for i, _ in what.first if i in c.left.free_symbols | c.right.free_symbols]
    if len(letters) != 1:
        return
    (letter,), first = letters, dict(what.first)[letters[0]]
    values: dict[sp.Expr, sp.Expr] = {}
    for k in range(first, first + 5):
        for _ in range(2):
            for line in lines:
                step = sp.Integer(k)
                if line.over is None:
                    values[line.left] = line.right.xreplace(values)
                elif k - 1 >= line.first:
                    at = line.at(step - 1)
                    values[at.left] = at.right.xreplace(values)
        there = {letter: sp.Integer(k)}
        numbers = _Numbers()
        try:
            left, right = (numbers.of(substitute(e, there).xreplace(values), {}) for e in (c.left, c.right))
            given = [h for one in what.hypotheses for h in _at_steps(one, k + 1, values, numbers)]
        except (ValueError, TypeError):
            continue
        yield ((str(letter), str(k)),), left, right, tuple(given)


def _at_steps(h: Statement, last: int, values: Mapping[sp.Expr, sp.Expr], numbers: _Numbers) -> list[Statement]:
    """A hypothesis at the places 1, 2, … up to ``last``. Raises ValueError where it is about a sum."""
    own = sorted({s for e in (h.left, h.right) for s in e.free_symbols if is_index(s)}, key=str)
    if h.left.has(sp.Sum) or h.right.has(sp.Sum):
        raise ValueError("a sum over a size that is not known")
    found = []
    for places in itertools.product(range(1, last + 1), repeat=len(own)):
        there = dict(zip(own, map(sp.Integer, places), strict=True))
        sides = [numbers.of(substitute(e, there).xreplace(dict(values)), {}) for e in (h.left, h.right)]
        found.append(Statement(sides[0], sides[1], None, h.relation))
    return found
