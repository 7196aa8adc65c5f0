"""The right gradients at integer sizes: a list of scalars, each defined from those before it, with their values at exact points."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping
from copy import copy
from functools import cached_property
from typing import Any

import sympy as sp
from flint import ctx

from symnet.calculus.instantiate import Entries, environment, instantiate_program
from symnet.checking.code.values import BITS
from symnet.checking.domains import classes_of, needed_for
from symnet.core import functions as fn
from symnet.core.decimals import as_ball
from symnet.core.numbers import compute, to_flint
from symnet.core.program import Program
from symnet.equality.cases import has_cases
from symnet.equality.domain import Domain
from symnet.equality.domain_conditions import holes, surely_defined
from symnet.equality.points import nearby, suited
from symnet.equality.structured import forms_of
from symnet.errors import OptionError, SymnetError

Values = dict[Any, Any]
READABLE = [sp.Rational(p, q) for p, q in ((1, 1), (-1, 1), (1, 2), (2, 1), (-1, 2), (3, 2), (-2, 1), (1, 3), (-3, 2), (2, 3), (-1, 3),
                                           (3, 1))]

ABOVE = [k for k in range(-16, 17) if k]


class Frame:
    """The shapes and entries of a program's tensors at integer sizes."""

    def __init__(self, program: Program, sizes: Mapping[str, int], entries: Entries | None = None) -> None:
        self.program, self.sizes = program, dict(sizes)
        self.entries = Entries(program.tensors, environment(program, sizes)) if entries is None else entries

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of a tensor at these sizes."""
        return tuple(int(a.size.xreplace(self.entries.env)) for a in self.program.tensors[name].axes)

    def places(self, name: str) -> dict[tuple[int, ...], tuple[int, ...]]:
        """The places of a tensor as NumPy counts them, from 0, and as the program does."""
        first = [int(a.lower.xreplace(self.entries.env)) for a in self.program.tensors[name].axes]
        return {tuple(p - f for p, f in zip(place, first, strict=True)): place for place in self.entries.places(name)}


class Truth(Frame):
    """The scalars of one program at ``sizes``; ``known`` are inputs that are numbers, such as class labels.

    Each defined scalar is a symbol with what is known of its sign; equal definitions share one symbol. ``here`` says what stands for an
    entry of a tensor: a symbol, a multiple of one, or a number.
    """

    def __init__(self, program: Program, sizes: Mapping[str, int], known: Mapping[tuple[str, tuple[int, ...]], int] | None = None,
                 solved: bool = False, plain: bool = True) -> None:
        self.scalars, entries = instantiate_program(program, sizes)
        super().__init__(program, sizes, entries)
        self.there: dict[sp.Basic, sp.Expr] = {self.entries(*key): sp.Integer(v) for key, v in (known or {}).items()}
        forms = forms_of(self.scalars.inputs)
        if forms.lacking or (forms.dense and any(has_cases(d.expr) for d in self.scalars.definitions)):
            found = forms.lacking or "cases of an orthogonal matrix"
            raise OptionError("check_code", found, "a structure that is written out in free numbers")
        self.there |= {e: form.xreplace(self.there) for e, form in forms.there.items()}
        if solved:  # the declared assumptions, each solved for one symbol
            for a in self.scalars.assumptions:
                self.there.update(_solved(a.left.xreplace(self.there) - a.right.xreplace(self.there)))
        self.definitions: dict[sp.Symbol, sp.Expr] = {}
        self.parent: dict[sp.Symbol, str] = {}
        self.inputs = [*(t[()] for t in self.scalars.inputs if t[()] not in self.there), *sorted(forms.free, key=str)]
        self.classes = classes_of(self.scalars)
        made: dict[sp.Expr, sp.Expr] = {}
        for d in self.scalars.definitions:
            expr = d.expr.xreplace(self.there)
            if expr not in made or not plain:  # ``plain``: one symbol for what is equal, none for a multiple of one
                short = plain and _plain(expr)
                made[expr] = expr if short else self._symbol(d.target.name, d.target.parent or d.target.name, expr)
            self.there[d.entry] = made[expr]
        self.rank = {s: k for k, s in enumerate(self.definitions)}

    def _symbol(self, name: str, parent: str, expr: sp.Expr) -> sp.Symbol:
        symbol = sp.Symbol(name, **{sign_of(expr): True})
        self.definitions[symbol], self.parent[symbol] = expr, parent
        return symbol

    def entry(self, name: str, place: tuple[int, ...]) -> sp.Expr:
        """What stands for the entry of a tensor."""
        symbol = self.entries(name, place)
        return self.there.get(symbol, symbol)

    def number(self, entry: sp.Expr) -> Any:
        """The value of an entry that is a number."""
        return to_flint(entry) if entry.is_Rational else None

    def with_definitions(self, changed: Mapping[sp.Symbol, sp.Expr]) -> Truth:
        """The same scalars, some with other definitions; of what depends on these no sign is known any more."""
        made, below = copy(self), set(changed)
        for symbol, expr in self.definitions.items():
            if expr.free_symbols & below:
                below.add(symbol)
        rename = {symbol: sp.Symbol(f"{symbol}_", real=True) for symbol in below}
        made.definitions = {rename.get(s, s): changed.get(s, e).xreplace(rename) for s, e in self.definitions.items()}
        made.parent = {rename.get(s, s): p for s, p in self.parent.items()}
        made.rank = {s: k for k, s in enumerate(made.definitions)}
        made.there = {k: v.xreplace(rename) for k, v in self.there.items()}
        return made

    def array(self, name: str) -> dict[tuple[int, ...], sp.Expr]:
        """What stands for the entries of a tensor, by places counted from 0."""
        return {mine: self.entry(name, place) for mine, place in self.places(name).items()}

    def points(self, count: int, seed: int = 1) -> Iterator[Values]:
        """Exact points, each input within its domain, in small numbers; inputs given by assumptions follow the others.

        At the first every input is positive, so that few kinks are on their flat side.
        """
        dice = random.Random(seed)
        for k in range(count):
            drawn = [dice.choice(READABLE) if k == 0 else sp.Rational(dice.choice(ABOVE), dice.choice((5, 7, 9, 11))) for _ in self.inputs]
            yield self._whole({s: suited(s, abs(v) if k == 0 else v, self.classes.get(s)) for s, v in zip(self.inputs, drawn, strict=True)})

    def near(self, point: Mapping[Any, Any], seed: int) -> Values:
        """A point beside another, so near that a case changes only where the other lies on its border."""
        return self._whole(nearby({s: sp.Rational(int(point[s].p), int(point[s].q)) for s in self.inputs}, seed))

    def _whole(self, drawn: Mapping[sp.Symbol, sp.Rational]) -> Values:
        point = {s: to_flint(v) for s, v in drawn.items()}
        given = [t[()] for t in self.scalars.inputs if t[()] in self.there]
        return {**point, **{s: value_of(self.there[s], point) for s in given}}

    @cached_property
    def domain(self) -> Domain:
        """The domain of the objective, in the names of the scalars."""
        own = needed_for(self.program)
        lines = [d for d in self.scalars.definitions if (d.target.parent or d.name) in own]
        unseen = self._asked((u, sign) for d in lines for u, sign, _ in d.holes)
        shown = self._asked(h for d in lines for h in holes(d.expr))
        return Domain(tuple(dict.fromkeys((*unseen, *shown))), self.classes, unseen, self.program.objective)

    def _asked(self, found: Iterable[tuple[sp.Expr, str]]) -> tuple[tuple[sp.Expr, str], ...]:
        put = dict.fromkeys((u.xreplace(self.there), sign) for u, sign in found)
        return tuple(h for h in put if not surely_defined(*h))

    def defined(self, found: Mapping[Any, Any]) -> bool:
        """Has the objective a value, as it was written, where these are the values of the scalars?"""
        goals = [self.entries(self.program.objective, place) for place in self.entries.places(self.program.objective)]
        if any(value_of(self.there.get(goal, goal), found) is None for goal in goals):
            return False
        return not any(met(u, sign, found) for u, sign in self.domain.unseen)

    @cached_property
    def has_cases(self) -> bool:
        """True when a scalar has a case, so that values may differ on its border alone."""
        return has_cases(*self.definitions.values())

    def values(self, point: Mapping[Any, Any]) -> Values:
        """The value of every scalar at a point, None where there is none."""
        found: Values = dict(point)
        for s in self.definitions:
            found[s] = value_of(self.definitions[s], found)
        return found


def value_of(expr: sp.Expr, values: Mapping[Any, Any]) -> Any:
    """The value of an expression, or None."""
    try:
        with ctx.workprec(BITS):
            return compute(expr, values)
    except (SymnetError, ZeroDivisionError, TypeError, AttributeError):  # a part of it is None
        return None


def met(u: sp.Expr, sign: str, values: Mapping[Any, Any]) -> bool:
    """May the hole be met at these values?"""
    value = value_of(u, values)
    if value is None:
        return True
    with ctx.workprec(BITS):
        return bool(as_ball(value).contains(0)) if sign == "=" else not value > 0 if sign == "<=" else not value >= 0


def sign_of(expr: sp.Expr) -> str:
    """ "positive", "nonnegative" or "real", as far as it is seen at once (SymPy's own search takes long)."""
    if expr.is_Number or expr.is_Symbol or expr is sp.pi:
        return "positive" if expr.is_positive else "nonnegative" if expr.is_nonnegative else "real"
    if isinstance(expr, (sp.exp, fn.sigmoid)):
        return "positive"
    if isinstance(expr, (sp.Abs, fn.relu, fn.step, fn.softplus)):
        return "nonnegative"
    if expr.is_Pow:
        base = sign_of(expr.base)
        return base if base == "positive" else "nonnegative" if expr.exp.is_even and expr.exp.is_positive else "real"
    if expr.is_Add or expr.is_Mul:
        found = set()
        for a in expr.args:
            found.add(sign_of(a))
            if "real" in found:
                return "real"
        return "positive" if found == {"positive"} or (expr.is_Add and "positive" in found) else "nonnegative"
    return "real"


def _plain(expr: sp.Expr) -> bool:
    """A number, a symbol or a multiple of one: no new name is needed."""
    multiple = expr.is_Mul and len(expr.args) == 2 and expr.args[0].is_Rational and expr.args[1].is_Symbol
    return bool(expr.is_Rational or expr.is_Symbol or multiple)


def _solved(gap: sp.Expr) -> dict[sp.Basic, sp.Expr]:
    """gap = 0, linear in a symbol with a number as factor, solved for that symbol."""
    gap = sp.expand(gap)
    for symbol in sorted(gap.free_symbols, key=str, reverse=True):
        factor = gap.coeff(symbol, 1)
        rest = sp.expand(gap - factor * symbol)
        if factor.is_Rational and factor != 0 and symbol not in rest.free_symbols:
            return {symbol: -rest / factor}
    return {}
