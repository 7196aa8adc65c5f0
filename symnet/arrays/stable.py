"""A program written so that it can be computed without overflow and without loss of digits, forward and gradient lines alike.

The names are those of the program. A line is read with the names unfolded whose right sides are exponentials (a := 1/(1 + exp(-z)),
p := E/s) or divide by them (a gradient (1 - y)/(1 - a)); what cancels across definitions cancels there, and what is left is written
with the stable forms of ``exponentials``, under its name where it has one. A line in which no rule applies stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

import sympy as sp

from symnet.arrays.adjugates import with_adjugates
from symnet.arrays.arguments import is_argument, with_arguments
from symnet.arrays.at_zero import Norms, centred, x_log_x
from symnet.arrays.averages import averaged
from symnet.arrays.branches import compared
from symnet.arrays.by_places import by_places, few_places
from symnet.arrays.canonical import canonical
from symnet.arrays.exponentials import Exponentials, Unfold, Wish
from symnet.arrays.indefinite import BETWEEN_0_AND_1, cancels, indefinite, is_open
from symnet.arrays.known_lines import KnownLines
from symnet.arrays.limits_at_zero import with_limits
from symnet.arrays.normal_tails import with_hazards
from symnet.arrays.placed import placed
from symnet.arrays.scaled import scaled
from symnet.arrays.switched_off import OVERFLOW, has_switches, switched_off
from symnet.arrays.without_own import divides_by_complement, without_own
from symnet.core.axes import Range, bounds, inside
from symnet.core.expressions import BINDERS, When, as_written, entries, fresh, limits, substitute
from symnet.core.functions import sigmoid
from symnet.core.matrices import Det
from symnet.core.program import Definition, Program
from symnet.core.renaming import renamed
from symnet.core.tensors import Role, entry_indices, tensor_name

EXPONENTIALS = (sp.exp, sigmoid, sp.tanh, sp.sinh, sp.cosh)
MOST = 120  # operations of a right side that is looked into
GROWTH = 4  # how many times longer a line may get


@dataclass(frozen=True, slots=True)
class Rewritten:
    """One line that was rewritten: ``rules`` are the names of the rules, as in ``exponentials``."""

    before: Definition
    after: Definition
    rules: tuple[str, ...]


def stable(program: Program, results: Iterable[str] = ()) -> Program:
    """The same values, in forms that neither overflow nor cancel. With ``results``, only the lines that these need are kept.

    >>> import symnet as sn
    >>> print(stable(sn.program("a = 1/(1 + exp(-z))", "L = log(1 - a)")))
    a := sigmoid(z)
    L := -softplus(z)
    """
    named = with_arguments(compared(program))
    lines = [r.after for r in rewritings(named)]
    lines = placed(list(_without_arguments(lines)), named.tensors)
    made = Program(named.inputs, tuple(lines), program.objective, program.assumptions, program.title)
    return _needed(made, set(results)) if results else made


def caveats(program: Program, results: Iterable[str] = ()) -> tuple[str, ...]:
    """The lines of ``stable(program, results)`` that no rule could write so that nothing overflows or cancels, each with the reason.

    >>> import symnet as sn
    >>> caveats(sn.program("L = log(1 + exp(x)) - x")), caveats(sn.program("L = exp(x) - exp(y)"))
    ((), ('L: an exponential is taken from another, or divided by it; where both leave the range of the numbers it is not a number',))
    """
    made = stable(program, results)
    names = Names(made)
    open_ends = "an exponential is taken from another, or divided by it; where both leave the range of the numbers it is not a number"
    digits = "a share is taken from a number, or from another; where they are nearly equal, digits are lost"
    large = {d.name for d in made.definitions if divides_by_complement(d.expr)}
    return tuple(f"{d.name}: {reason}" for d in made.definitions for reason, there in (
        (open_ends, indefinite(d.expr)),
        (digits, cancels(d.expr, names.is_share) or any(_takes_off(node, large) for node in d.expr.atoms(sp.Add)))) if there)


def _takes_off(total: sp.Add, large: set[str]) -> bool:
    """Is a term taken from another where a line of ``large`` is among them, which divides by what a share nearly leaves over?"""
    return len({t.as_coeff_Mul()[0] < 0 for t in total.args}) > 1 and any(tensor_name(e) in large for e in entries(total))


def rewritings(program: Program) -> list[Rewritten]:
    """Every line, before and after."""
    with as_written():
        return list(_rewritings(program))


def _rewritings(program: Program) -> Iterator[Rewritten]:
    smooth: set[str] = set()  # names of functions that are computed from a series near 0
    norms = Norms()
    known = KnownLines(program, norms.of)
    names, means = Names(program, known), Names(program, known, averaged)

    def with_variances(d: Definition) -> sp.Expr:
        """The line with its variances as sums of squared differences."""
        return canonical(centred(canonical(d.expr), partial(names.unfold, scope=d.free, wish=_is_sum)))

    for name, lines in program.by_name.items():
        norms.add(name, [known.work_out("norm", d, lambda: norms.kind(with_variances(d)))[0] for d in lines])  # noqa: B023 - called at once

    def is_smooth(name: str) -> bool:
        return name in smooth

    def rewritten(d: Definition) -> tuple[sp.Expr | None, tuple[str, ...], tuple[bool | None, bool | None]]:
        """(the new right side, None for the old one; the rules; what was found out about the line's worth to its users)."""
        before, first = canonical(d.expr), with_variances(d)
        found = _by_places(d, first, names) or _without_own(d, first, names, means)
        rules_of, stages = {*found[0]}, [first, found[1]]
        stages.append(x_log_x(stages[-1], partial(names.unfold, scope=d.free, wish=lambda u: u.is_Pow)))
        stages.append(norms.divided(stages[-1]) if d.target.role is Role.GRADIENT else stages[-1])
        look = partial(names.unfold, scope=d.free)
        whole = partial(look, wish=lambda u: u.has(Det))
        stages.append(with_adjugates(stages[-1], whole) if d.target.role is Role.GRADIENT else stages[-1])
        stages.append(with_hazards(stages[-1]))
        stages.append(_with_limits(stages[-1], d, names, is_smooth))
        stages.append(switched_off(stages[-1], partial(look, wish=has_switches), partial(look, wish=_is_exponential)))
        rules = {*rules_of, *(rule for rule, old, new in (("variance", before, first), ("x log x", *stages[1:3]),
                                                             ("norm at 0", *stages[2:4]), ("adjugate", *stages[3:5]),
                                                             ("normal distribution", *stages[4:6]),
                                                             ("series at 0", *stages[5:7]), ("switched off", *stages[6:])) if old != new)}
        if stages[-1] == before:
            return None, (), (names.worth.get(d), means.worth.get(d))
        return stages[-1], tuple(sorted(rules)), (names.worth.get(d), means.worth.get(d))

    for d in program.definitions:
        (right, rules, worth), there = known.work_out("line", d, lambda: rewritten(d))  # noqa: B023
        if there is not None:
            names.worth |= {} if worth[0] is None else {d: worth[0]}
            means.worth |= {} if worth[1] is None else {d: worth[1]}
            bases = {program[old].base: program[new].base for old, new in there.items()}
            right = None if right is None else renamed(right, bases, {})
        smooth |= {d.name} if "series at 0" in rules else set()
        yield Rewritten(d, d if right is None else Definition(d.target, d.indices, right, d.ranges, d.note), rules)


def _with_limits(expr: sp.Expr, d: Definition, names: Names, is_smooth: Callable[[str], bool]) -> sp.Expr:
    """``expr`` with series near 0, the names of such functions looked into where the whole is then one: (cos x - s)/x for s := sin(x)/x."""
    there = {e: right for e in set(entries(expr)) if d.target.role is Role.GRADIENT
             and names.known.ask(tensor_name(e), is_smooth) and (right := names.unfold(e, d.free, lambda right: True)) is not None}
    opened = expr.xreplace(there) if there else expr
    made = with_limits(opened)
    return made if made != opened else with_limits(expr) if there else expr


def _by_places(d: Definition, right: sp.Expr, names: Names) -> tuple[set[str], sp.Expr] | None:
    """(rules, the right side) by the places at which a name in it is not 0; None where there are none, or exponentials would be
    subtracted."""
    rules, parts = {"few places"}, []
    for case, test in by_places(right, {*d.free}, names.few_places) or ():
        made = Exponentials(d.free, names.unfold, in_logs=True)
        text = made.text(case)
        if indefinite(text) or cancels(text, names.is_share) or any(
                any(map(is_open, t.args)) and len({a.as_coeff_Mul()[0] < 0 for a in t.args}) > 1 for t in text.atoms(sp.Add)):
            return None
        rules |= made.rules
        parts.append(When(text, test))
    return (rules, sp.Add(*parts)) if parts else None


def _without_own(d: Definition, right: sp.Expr, names: Names, means: Names) -> tuple[set[str], sp.Expr]:
    """(rules, the right side), sums without their own term written so."""
    rules, text = _definite(d, right, names, means)
    made = without_own(text, Exponentials(d.free, names.unfold, nameless=True).text)
    if made == text:
        return rules, text
    names.worth[d] = means.worth[d] = False  # what cancels here would come apart again in a line that looked into it
    return {*rules, "sum of the others"}, made


def _definite(d: Definition, right: sp.Expr, names: Names, means: Names) -> tuple[set[str], sp.Expr]:
    """(rules, the right side) in the first of its forms that is not indefinite and loses no digits; where there is none, the first that is
    not indefinite; where there is none either, the first of all, or the line as it stands where that is better."""
    finite: list[tuple[set[str], sp.Expr]] = []
    first: tuple[set[str], sp.Expr] | None = None
    for found in _forms(d, right, names, means):
        first = first or found
        if not indefinite(found[1]):
            finite.append(found)
            if not cancels(found[1], names.is_share):
                return found
    if finite:
        return finite[0]
    return first if first is not None and indefinite(right) else (set(), right)


def _forms(d: Definition, right: sp.Expr, names: Names, means: Names) -> Iterator[tuple[set[str], sp.Expr]]:
    """Names looked into and all terms together; as means with the weights of a softmax; with scales; each term by itself; no name looked
    into."""
    def form(unfold: Unfold, whole: sp.Expr, apart: bool = False) -> tuple[set[str], sp.Expr]:
        made = Exponentials(d.free, unfold)
        text = _apart(whole, made.text) if apart else made.text(whole)
        short = sp.count_ops(text) <= GROWTH * sp.count_ops(right) + MOST
        if not short and not apart:
            names.worth[d] = means.worth[d] = False  # its users would get longer still
        if not made.rules and whole.has(*EXPONENTIALS) and not text.has(*EXPONENTIALS, *BETWEEN_0_AND_1):
            return {"cancelled"}, text
        return (made.rules, text) if made.rules and short else (set(), right)

    mean = canonical(averaged(right))
    first = form(names.unfold, right)
    if averaged(first[1]) == first[1]:
        yield first
    second = form(means.unfold, mean)
    yield second
    for rules, text in (first, second):
        scales = scaled(text, Exponentials(d.free, _closed).argument_log)
        if scales != text:
            yield {*rules, "scale"}, scales
    yield form(names.unfold, right, True)
    yield form(_closed, right)
    yield form(_closed, mean, True)
    yield first


def _apart(expr: sp.Expr, text: Callable[[sp.Expr], sp.Expr]) -> sp.Expr:
    """Every term by itself, of a sum and of a sum in a product."""
    if isinstance(expr, sp.Add):
        return sp.Add(*[_apart(t, text) for t in expr.args])
    sums = [f for f in expr.args if isinstance(f, sp.Add)] if isinstance(expr, sp.Mul) else []
    return sp.Mul(text(sp.Mul(*[f for f in expr.args if f not in sums])), *[_apart(f, text) for f in sums]) if sums else text(expr)


def _closed(entry: sp.Expr, scope: Mapping[sp.Symbol, Range], wish: Wish) -> sp.Expr | None:
    """No name is looked into."""
    return None


def _is_exponential(right: sp.Expr) -> bool:
    return isinstance(right, OVERFLOW)


def _is_sum(right: sp.Expr) -> bool:
    """A mean or a sum of squares, times numbers and sizes."""
    return right.has(sp.Sum) and all(isinstance(f.as_base_exp()[0], sp.Sum) or not f.has(sp.Indexed) for f in sp.Mul.make_args(right))


class Names:
    """The right sides that are worth looking into."""

    def __init__(self, program: Program, known: KnownLines | None = None,
                 form: Callable[[sp.Expr], sp.Expr] = lambda right: right) -> None:
        self.program, self.form = program, form
        self.known = KnownLines(program) if known is None else known
        self.open: set[str] = set()
        self.worth: dict[Definition, bool] = {}
        self.rights: dict[Definition, sp.Expr] = {}

    def unfold(self, entry: sp.Expr, scope: Mapping[sp.Symbol, Range], wish: Wish = None) -> sp.Expr | None:
        """The right side at the places of ``entry``, whose indices run over ``scope``; None for a name that stays.

        Right sides that are worth it are unfolded, or those that ``wish`` asks for.
        """
        name = tensor_name(entry)
        if name not in self.program.by_name or name in self.open:
            return None
        self.known.ask(name, self.known.line)
        d = self._slice(name, entry_indices(entry), scope)
        several = len(self.program.by_name[name]) > 1
        if d is None or not (wish(d.expr) if wish is not None else self._opens(d) if several else self.known.ask(name, self._opened)):
            return None
        self.known.look_into(name)
        there = {i: p for i, p in zip(d.indices, entry_indices(entry), strict=True) if i in d.free}
        if d not in self.rights:
            self.rights[d] = self.form(d.expr)
        right = self.rights[d]
        captured = any(i in scope for node in right.atoms(*BINDERS) for i, _, _ in limits(node))
        return substitute(fresh(right) if captured else right, there)

    def few_places(self, name: str) -> tuple[Definition, ...]:
        """The lines of a name that is 0 but at a few places, where it is worth looking into."""
        if not self.known.ask(name, self._has_few_places):
            return ()
        self.known.look_into(name)
        return self.program.by_name[name]

    def _has_few_places(self, name: str) -> bool:
        found = self.program.by_name.get(name, ())
        places = few_places(found) if found and found[0].target.role is Role.GRADIENT and name not in self.open else None
        return any((form := Exponentials(d.free, self.unfold)).opens(form.read(canonical(value))) for d, _, _, value in places or ())

    def is_share(self, entry: sp.Expr) -> bool:
        """Does a name stand for an exponential over a sum, or a sigmoid?"""
        return isinstance(entry, (sp.Indexed, sp.Symbol)) and bool(self.known.ask(tensor_name(entry), self._is_share))

    def _is_share(self, name: str) -> bool:
        maxima = [m for d in self.program.by_name.get(name, ()) for m in d.expr.atoms(sp.Max, sp.Min)]
        if any(self.is_share(e) for m in maxima for e in m.args if isinstance(e, (sp.Indexed, sp.Symbol)) and tensor_name(e) != name):
            return True
        return any(d.expr.has(*BETWEEN_0_AND_1) or ((d.expr.is_Pow or d.expr.has(sp.exp)) and self._opens(d))
                   for d in self.program.by_name.get(name, ()) if isinstance(d.expr, (sp.Mul, sp.Pow, *BETWEEN_0_AND_1)))

    def _slice(self, name: str, places: tuple[sp.Expr, ...], scope: Mapping[sp.Symbol, Range]) -> Definition | None:
        """The definition that holds at ``places``, for all values of their indices."""
        found = self.program.by_name[name]
        if len(found) == 1 and all(span == a.range for span, a in zip(found[0].slice(), found[0].target.axes, strict=True)):
            return found[0]
        spans = [bounds(p, scope) for p in places]
        for d in found:
            if all(s is not None and inside(s, own) for s, own in zip(spans, d.slice(), strict=True)):
                return d
        return None

    def _opened(self, name: str) -> bool:
        """Is the one line of the name worth looking into?"""
        return self._opens(self.program.by_name[name][0])

    def _opens(self, d: Definition) -> bool:
        if d not in self.worth:
            self.worth[d] = False
            self.worth[d] = self.known.work_out(f"worth {id(self)}", d, lambda: self._is_worth(d))[0]
        return self.worth[d]

    def _is_worth(self, d: Definition) -> bool:
        if sp.count_ops(d.expr) > MOST:
            return False
        self.open.add(d.name)
        made = Exponentials(d.free, self.unfold)
        form = made.read(canonical(d.expr))
        self.open.discard(d.name)
        grown = sum(map(sp.count_ops, form)) > max(sp.count_ops(d.expr), MOST // 2)  # by the names that it looks into itself
        return not grown and made.opens(form)


def _needed(program: Program, results: set[str]) -> Program:
    """The lines that ``results`` need."""
    needed, stack = set(results), list(results)
    while stack:
        for used in program.uses(stack.pop()):
            if used not in needed:
                needed.add(used)
                stack.append(used)
    objective = program.objective if program.objective in needed else next(iter(results))
    return Program(program.inputs, tuple(d for d in program.definitions if d.name in needed), objective, program.assumptions, program.title)


def _without_arguments(lines: list[Definition]) -> Iterator[Definition]:
    """The names of arguments that one line alone uses, at one place, are put back."""
    users: dict[str, set[tuple[str, sp.Expr]]] = {}
    for d in lines:
        for e in entries(d.expr):
            users.setdefault(tensor_name(e), set()).add((d.name, e))
    waiting: dict[sp.Expr, sp.Expr] = {}
    for d in lines:
        if is_argument(d.target) and {e for _, e in users.get(d.name, ())} <= {d.entry} and len(users.get(d.name, ())) <= 1:
            waiting[d.entry] = d.expr
        elif waiting:
            there = {e: waiting[e] for e in entries(d.expr) if e in waiting}
            yield replace(d, expr=substitute(d.expr, there)) if there else d
        else:
            yield d
