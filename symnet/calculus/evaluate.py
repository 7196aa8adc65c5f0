"""Exact values: a program at a point, every line an exact number, decimals to any number of digits on request."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import sympy as sp
from flint import arb, ctx, fmpq

from symnet.calculus.declared_values import check_values
from symnet.calculus.instantiate import Entries, environment, instantiate_program, named
from symnet.calculus.norm_convention import with_norm_convention
from symnet.calculus.tabulate import Key, Numbers, Place, Plan, Table
from symnet.core.functions import stop_gradient
from symnet.core.given_sizes import sizes_of_shapes
from symnet.core.index_evaluation import at_place
from symnet.core.length import AsItStands, length
from symnet.core.numbers import Number, Shown, as_ball, compute, decide, decimal, proved_zero, rational, to_flint
from symnet.core.program import Program
from symnet.core.short_forms import listed
from symnet.core.signatures import checked
from symnet.errors import DomainError, NameError_, OptionError, ShapeError, SymnetError, did_you_mean, shown

EXACT_BITS, LARGE = 256, 300  # bits that decide which case holds; characters of numbers that SymPy still may look at
SORTED, LONGEST = 500, 100_000  # characters of an exact value whose terms SymPy sorts, and of one that is handed out whole
MOST_WORK = 20_000_000  # products and functions of numbers in one evaluation
MOST_BITS, MOST_DIGITS = 1_000_000, 100_000  # of a number that is handed out
MOST_PROOFS = 100  # different numbers of one evaluation that a proof is looked for


@dataclass(frozen=True)
class Evaluation:
    """The values of every line of a program. Tensors come as nested lists, scalars as single values.

    ``exact(name)`` gives exact SymPy numbers, ``decimal(name, digits)`` correctly rounded decimals, ``ball(name, bits)``
    certified enclosures; ``scalars`` is the same program as a program of scalars, made when it is asked for.

    Arrays are computed one after another and only as far as needed. A number that no precision tells from 0 or from a tie is looked at
    part by part for a proof; what then is still open is shown with a note (``shown``).
    """

    program: Program
    point: Mapping[str, sp.Rational]  # scalar name -> value
    sizes: Mapping[str, int]
    entries: Entries = field(repr=False)
    where: Mapping[str, tuple[str, Place]] = field(repr=False)  # scalar name -> tensor and place
    plan: Plan = field(repr=False)
    _numbers: dict[int, Numbers] = field(default_factory=dict, repr=False)
    _exact: dict[tuple[str, Place], sp.Expr] = field(default_factory=dict, repr=False)
    _lengths: dict[Any, int] = field(default_factory=dict, repr=False)
    _settled: dict[Key, Number] = field(default_factory=dict, repr=False)
    _looked: set[str] = field(default_factory=set, repr=False)
    _tried: set[tuple[Key, fmpq]] = field(default_factory=set, repr=False)
    _judged: dict[sp.Expr, bool] = field(default_factory=dict, repr=False)  # numbers that a proof was looked for
    _still: Evaluation | None = field(default=None, repr=False)
    _same: dict[sp.Expr, sp.Expr] = field(default_factory=dict, repr=False)  # one object for each exact value

    def __repr__(self) -> str:
        there = "".join(f", {name} = {size}" for name, size in self.sizes.items())
        return f"Values of {listed(self.names)}{there}\n  .exact(name), .decimal(name, digits), .ball(name)"

    @property
    def names(self) -> tuple[str, ...]:
        """Every tensor that has a value."""
        return tuple(self.program.tensors)

    @cached_property
    def scalars(self) -> Program:
        """The program with every entry a scalar."""
        return instantiate_program(self.program, self.sizes)[0]

    def moved(self, changes: Mapping[str, sp.Rational]) -> Evaluation:
        """The values at a point that differs in some scalars of the input; what stands in a stop-gradient keeps its value."""
        held = self if any(d.expr.has(stop_gradient) for d in self.program.definitions) else None
        return Evaluation(self.program, {**self.point, **changes}, self.sizes, self.entries, self.where, self.plan,
                          _still=held, _same=self._same)

    def numbers(self, bits: int) -> Numbers:
        """The numbers at a working precision: exact fmpq while they are rational, else certified balls."""
        if bits not in self._numbers:
            still = None if self._still is None else self._still.numbers(bits)
            self._numbers[bits] = Numbers(self.plan, self._inputs(), bits, self._settled, still=still)
        return self._numbers[bits]

    def _inputs(self) -> dict[str, Table]:
        tables: dict[str, Table] = {t.name: {} for t in self.program.inputs}
        for scalar, value in self.point.items():
            name, place = self.where[scalar]
            tables[name][place] = to_flint(value)
        return tables

    def number(self, scalar: str, bits: int) -> Number:
        """One scalar at a working precision."""
        if scalar not in self.where:
            raise NameError_("values", f"no value named {scalar!r}", "a scalar of the program", did_you_mean(scalar, self.where))
        name, place = self.where[scalar]
        return self.numbers(bits).table(name)[place]

    @checked
    def exact_scalar(self, name: str) -> sp.Expr:
        """The exact value of one scalar line, all values put in: an expression that shares its parts, however long its text."""
        if name not in self.where:
            raise NameError_("values", f"no value named {shown(name)}", "a scalar of the program", did_you_mean(name, self.where))
        return self._value_of(*self.where[name])

    def _value_of(self, name: str, place: Place) -> sp.Expr:
        stack = [(name, place)]
        while stack:
            key = stack[-1]
            if key not in self._exact:
                missing = self._make_exact(*key)
                stack += missing
                if missing:
                    continue
            stack.pop()
        return self._exact[name, place]

    def _make_exact(self, name: str, place: Place) -> list[tuple[str, Place]]:
        """Note the exact value of an entry, or tell which entries must be known first."""
        number, found = self._sure(name, place), self.plan.visit(name, place)
        if isinstance(number, fmpq):
            self._exact[name, place] = sp.Rational(int(number.p), int(number.q))
            return []
        if found is None:
            raise NameError_("values", f"no value for {name} at {list(place)}", "an entry that the program defines")
        expr, used = self._at_place(found[0].expr, found[1])
        missing = [u for u in used.values() if u not in self._exact]
        if not missing:
            if number is None:
                self._has_a_value(expr, used)
            made = _put_in(expr, {e: self._exact[u] for e, u in used.items()}, self._numbers_of(used), self._lengths)
            self._exact[name, place] = self._same.setdefault(made, made)
        return missing

    def _has_a_value(self, expr: sp.Expr, used: Mapping[sp.Expr, tuple[str, Place]]) -> None:
        """Raise DomainError where a line has no real value, for which SymPy has one: log(-2) is log(2) + iπ there, 1/0 is zoo."""
        with ctx.workprec(EXACT_BITS):
            compute(expr, {e: compute(self._exact[u], {}) for e, u in used.items()})

    def _at_place(self, expr: sp.Expr, at: Mapping[sp.Symbol, int]) -> tuple[sp.Expr, dict[sp.Expr, tuple[str, Place]]]:
        """A part of a line in scalars, and the entries that it holds."""
        used: dict[sp.Expr, tuple[str, Place]] = {}

        def entry(name: str, place: Place) -> sp.Expr:
            symbol = self.entries(name, place)
            used[symbol] = (name, place)
            return symbol

        made = at_place(expr, {s: sp.Integer(v) for s, v in at.items()}, entry)
        return made, {e: used[e] for e in made.free_symbols if e in used}

    def _sure(self, name: str, place: Place) -> Number | None:
        """The number of an entry; None where its array has no value here."""
        try:
            return self.numbers(EXACT_BITS).table(name).get(place)
        except SymnetError:
            return None

    def _numbers_of(self, used: Mapping[sp.Expr, tuple[str, Place]]) -> dict[sp.Expr, Number | None]:
        return {e: self._sure(*u) for e, u in used.items()}

    def length(self, scalar: str) -> int:
        """About how many characters the exact value of a scalar has when it is written out."""
        return length(self.exact_scalar(scalar), self._lengths)

    @checked
    def exact(self, name: str) -> Any:
        """The exact value(s) of a tensor, as SymPy numbers. Those of more than SORTED characters print their terms unsorted.

        Raises ShapeError, before anything is printed, for one whose text would have more than LONGEST characters: a value swells with
        every line that uses an earlier one twice.
        """
        return self.leaves(name, lambda scalar: self._short(name, scalar))

    def _short(self, name: str, scalar: str) -> sp.Expr:
        if self.length(scalar) > LONGEST:
            raise ShapeError(f"exact value of {name}", f"about {self.length(scalar):,} characters", f"at most {LONGEST:,}",
                             f"decimal({name!r}, 50) for certified digits, or exact_lines({name!r}): the same value in named parts")
        exact = self.exact_scalar(scalar)
        return exact if self.length(scalar) <= SORTED else AsItStands(exact)

    @checked
    def exact_lines(self, name: str) -> dict[str, sp.Expr]:
        """The exact value(s) of a tensor in named parts: scalar name -> expression in numbers and names that stand before it.

        What is rational is put in; each other line that the tensor needs is written once, so that the text grows with the number of
        lines and not with the number of ways through them.
        """
        found: dict[str, sp.Expr] = {}
        stack = [self.where[scalar] for scalar in reversed(list(self._scalars_of(name)))]
        while stack:
            key = stack[-1]
            title = self.entries.title(*key)
            if title in found:
                stack.pop()
                continue
            exact = self._value_of(*key)
            if exact.is_Rational:
                expr, missing = exact, []
            else:
                line = self.plan.visit(*key)
                assert line is not None  # an input is rational
                expr, used = self._at_place(line[0].expr, line[1])
                rational = {e: self._value_of(*u) for e, u in used.items() if self._value_of(*u).is_Rational}
                expr = _put_in(expr, rational, self._numbers_of(used), self._lengths)
                missing = [u for e, u in used.items() if e in expr.free_symbols and self.entries.title(*u) not in found]
            if missing:
                stack += missing
            else:
                found[title] = expr
                stack.pop()
        return found

    @checked
    def ball(self, name: str, bits: int = 128) -> Any:
        """Certified enclosure(s). What balls leave open, the root of a 0 or a quotient by one, is proved where it can be, and refused
        with a DomainError where it cannot."""
        if not 2 <= bits <= MOST_BITS:
            raise OptionError("bits", shown(bits), f"a whole number from 2 to {MOST_BITS}")
        return self.leaves(name, lambda scalar: self._enclosure(scalar, bits))

    def _enclosure(self, scalar: str, bits: int) -> arb:
        found = as_ball(self.number(scalar, bits))
        if found.is_nan():
            self.settle(self.where[scalar][0])
            found = as_ball(self.number(scalar, bits))
        if found.is_nan():
            raise DomainError(f"ball of {scalar}", f"no enclosure at {bits} bits", "a value inside the domain of every function",
                              "more bits, or .exact")
        return found

    @checked
    def decimal(self, name: str, digits: int = 6) -> Any:
        """Correctly rounded decimal text(s), ``digits`` significant digits."""
        if not 1 <= digits <= MOST_DIGITS:
            raise OptionError("digits", shown(digits), f"a whole number from 1 to {MOST_DIGITS}")
        return self.leaves(name, lambda scalar: self.shown(scalar, digits).text)

    def shown(self, scalar: str, digits: int, times: sp.Rational = sp.S.One) -> Shown:
        """The decimal of one scalar ``times`` a number, with word on whether it is exact, and a note where no precision settles it."""
        factor = to_flint(times)
        return decimal(lambda bits: self.number(scalar, bits) * factor, digits, lambda q: self.is_exactly(scalar, q / factor))

    def is_exactly(self, scalar: str, value: fmpq) -> bool:
        """True when a scalar is proved to be this rational number; False says nothing."""
        self.settle(self.where[scalar][0])
        number = self.number(scalar, EXACT_BITS)
        if isinstance(number, fmpq):
            return bool(number == value)
        return proved_zero(_minus(self.exact_scalar(scalar), value))

    def settle(self, name: str) -> None:
        """Look for parts of the lines that lead to a tensor which are 0, or a whole number under a floor, behind what balls can tell."""
        if name in self._looked:
            return
        self._looked.add(name)
        before = len(self._settled)
        Numbers(self.plan, self._inputs(), EXACT_BITS, self._settled, self._learn).table(name)
        if len(self._settled) > before:
            self._numbers.clear()
            self._exact.clear()

    def _learn(self, known: dict[Any, Number], at: Mapping[sp.Symbol, int]) -> bool:
        """Prove what can be proved of the numbers that balls leave open; True when something was learned."""
        learned = False
        for node, value in list(known.items()):
            learned = learned or any(self._prove(c, sp.Add(c.lhs, -c.rhs, evaluate=False), fmpq(0), at) for c in _comparisons(node))
            if isinstance(node, sp.floor) and not value.is_exact():
                near = as_ball(known.get(node.args[0], value)).mid().floor().unique_fmpz()
                for whole in () if near is None else (near, near + 1):
                    learned = learned or self._prove(node.args[0], node.args[0], fmpq(whole), at)
            elif isinstance(value, arb) and not isinstance(node, (sp.Mul, sp.Pow)) and _near_zero(value):
                learned = learned or self._prove(node, node, fmpq(0), at)
        return learned

    def _prove(self, part: sp.Basic, expr: sp.Expr, value: fmpq, at: Mapping[sp.Symbol, int]) -> bool:
        """Note that a part of a line has this value, where that is proved."""
        key = self.plan.key(part, dict(at))
        if key in self._settled or (key, value) in self._tried or len(self._judged) >= MOST_PROOFS:
            return False
        self._tried.add((key, value))
        try:
            there, used = self._at_place(expr, at)
            made = _put_in(there, {e: self._value_of(*u) for e, u in used.items()}, self._numbers_of(used), self._lengths)
        except SymnetError:
            return False
        made = _minus(made, value)
        if made not in self._judged:  # equal samples make equal questions
            self._judged[made] = proved_zero(made)
        if self._judged[made]:
            self._settled[key] = value
        return self._judged[made]

    def _scalars_of(self, name: str) -> Iterator[str]:
        tensor = self.program[name]
        return (self.entries.title(tensor.name, place) for place in self.entries.places(name))

    def leaves(self, name: str, leaf: Callable[[str], Any]) -> Any:
        """What ``leaf`` makes of the scalars of a tensor, as nested lists."""
        tensor = self.program[name]
        flat = iter([leaf(scalar) for scalar in self._scalars_of(name)])
        return _nest(flat, [int(a.size.xreplace(self.entries.env)) for a in tensor.axes])


def difference(one: Evaluation, other: Evaluation, scalar: str, times: sp.Rational, digits: int) -> Shown:
    """The decimal of ``times`` the difference of one scalar at two points; 0 where the two values are proved equal."""
    factor = to_flint(times)

    def equals(value: fmpq) -> bool:
        if one._still is not None or other._still is not None:
            return False  # exact values know nothing of what a stop-gradient holds
        a, b = one.exact_scalar(scalar), other.exact_scalar(scalar)
        if value == 0 and a is b:
            return True
        for at in (one, other):
            at.settle(at.where[scalar][0])
        return proved_zero(_minus(sp.Add(a, -b, evaluate=False), value / factor))

    return decimal(lambda bits: (one.number(scalar, bits) - other.number(scalar, bits)) * factor, digits, equals)


def _minus(expr: sp.Expr, value: fmpq) -> sp.Expr:
    return expr if value == 0 else expr - sp.Rational(int(value.p), int(value.q))


def _near_zero(value: arb) -> bool:
    """A narrow ball that holds 0 and is not 0."""
    return bool(not value.is_zero() and value.contains(0) and value.rad() < arb(2) ** -20)


def _comparisons(node: sp.Basic) -> set[sp.Basic]:
    """The comparisons of numbers that decide between cases."""
    return node.atoms(sp.core.relational.Relational) if isinstance(node, sp.Piecewise) else set()


def _put_in(expr: sp.Expr, used: Mapping[sp.Expr, sp.Expr], numbers: Mapping[sp.Expr, Number | None],
            lengths: dict[Any, int]) -> sp.Expr:
    """``expr`` with every value put in: of cases the branch that holds, and large numbers as they stand.

    SymPy asks for the sign of every number that it puts into tanh, | | or a comparison, which takes for ever where it is large.
    """
    if expr.has(sp.Piecewise) and all(n is not None for n in numbers.values()):
        known = {e: n for e, n in numbers.items() if n is not None}
        expr = expr.xreplace({c: _branch(c, known) for c in expr.atoms(sp.Piecewise)})
    there = {e: v for e, v in used.items() if e in expr.free_symbols}
    if sum(length(v, lengths) for v in there.values()) < LARGE:
        return expr.xreplace(there)
    with sp.evaluate(False):
        return expr.xreplace(there)


def _branch(cases: sp.Piecewise, known: Mapping[sp.Basic, Number]) -> sp.Expr:
    """The branch that holds; the cases themselves when that is not beyond doubt."""
    for branch, condition in cases.args:
        truth = decide(condition, known, {})
        if truth is not False:
            return branch if truth else cases
    return cases


def _nest(flat: Iterator[Any], sizes: list[int]) -> Any:
    return next(flat) if not sizes else [_nest(flat, sizes[1:]) for _ in range(sizes[0])]


def evaluate(program: Program, values: Mapping[str, Any], sizes: Mapping[str, int] | None = None) -> Evaluation:
    """``program`` at exact values: numbers, "1/3", "0.5" or nested lists of them for every input.

    Sizes are read off the shapes, or given. Raises NameError_ (missing or unknown value), ShapeError, DomainError.
    """
    known = {t.name: t for t in program.inputs}
    for name in values:
        if name not in known:
            raise NameError_("values", f"no input named {shown(name)}", "an input of the program", did_you_mean(name, known))
    missing = [name for name in known if name not in values]
    if missing:
        raise NameError_("values", f"no value for {', '.join(missing)}", "a value for every input")
    nested = {name: to_rationals(name, value) for name, value in values.items()}
    found = {**sizes_from(program, nested), **(sizes or {})}
    env = environment(program, found, None)
    program = with_norm_convention(program)
    plan, entries = Plan(program, env), Entries(program.tensors, env)
    _check_work(plan)
    where = named(program, entries)
    point = {entries.title(name, place): v for name in known
             for place, v in zip(entries.places(name), _leaves(nested[name]), strict=True)}
    check_values(program, env, entries, point)
    return Evaluation(program, point, found, entries, where, plan)


def _check_work(plan: Plan) -> None:
    """Raise ShapeError, before anything is computed, for what would take minutes."""
    work = plan.work()
    if work > MOST_WORK:
        raise ShapeError("exact values", f"about {work:,} operations", f"at most {MOST_WORK:,}",
                         "fewer samples at a time, or compile() for floats")


def to_rationals(name: str, value: Any) -> Any:
    """Nested lists of exact rationals; arrays are taken by their ``tolist``."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return [to_rationals(name, v) for v in value]
    return rational(value)


def _leaves(nested: Any) -> Iterator[sp.Rational]:
    if isinstance(nested, list):
        for inner in nested:
            yield from _leaves(inner)
    else:
        yield nested


def shape_of(name: str, nested: Any) -> tuple[int, ...]:
    """The shape of nested lists; raises ShapeError when they are ragged."""
    if not isinstance(nested, list):
        return ()
    inner = {shape_of(name, v) for v in nested}
    if len(inner) != 1:
        raise ShapeError(f"value of {name}", "rows of different lengths" if inner else "an empty list", "a full array")
    return (len(nested), *inner.pop())


def sizes_from(program: Program, nested: Mapping[str, Any]) -> dict[str, int]:
    """Sizes by name, read off the shapes of the values; raises ShapeError where two values disagree."""
    return sizes_of_shapes(program.inputs, {t.name: shape_of(t.name, nested[t.name]) for t in program.inputs})
