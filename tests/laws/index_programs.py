"""Random index programs: repeated tensors, diagonals, reversed, shifted, strided and summed indices, slices, size factors, divisions.

Everything that is made is inside its axes for every positive size, except where a sum is empty (1..n-1 at n = 1), which means 0.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from laws.dice import Dice, chance, pick, weighted
from laws.language import (
    ONE,
    Apply,
    Axis,
    Choice,
    Count,
    Entry,
    Expr,
    Held,
    Line,
    Number,
    Op,
    Place,
    Power,
    Source,
    Total,
    at,
    entries,
    letters,
)

LETTERS = ("i", "j", "k", "l", "p", "q", "s", "u")
SIZES = ("n", "m")
N, M = at("n"), at("m")
INPUTS: tuple[tuple[str, tuple[Axis, ...]], ...] = (
    ("x", (Axis(N),)), ("A", (Axis(N), Axis(N))), ("y", (Axis(N),)), ("r", (Axis(N),)), ("B", (Axis(N), Axis(M))), ("z", (Axis(M),)),
    ("t", ()), ("c", ()), ("v", (Axis(at(6)),)), ("C", (Axis(N), Axis(N), Axis(M))), ("K", (Axis(N + M - 1),)), ("h", (Axis(N, 0),)))
POSITIVE = frozenset({"r", "c"})
SMOOTH = ("exp", "tanh", "sin", "sigmoid", "cos", "arctan", "softplus", "erf", "silu", "sinh", "cosh", "expm1", "square")
KINKED = ("relu", "abs", "leaky", "sign")
NUMBERS = tuple(Fraction(*p) for p in ((2, 1), (-1, 1), (3, 1), (1, 2), (-2, 1), (2, 3), (-1, 4), (5, 1)))


@dataclass
class Bound:
    """A letter in scope and its range."""

    letter: str
    low: Place
    high: Place


@dataclass
class Maker:
    """One program in the making."""

    dice: Dice
    kinks: bool = True
    text_only: bool = True  # brackets, and axes such as n + m - 1 that only nouns can declare
    tensors: dict[str, tuple[Axis, ...]] = field(default_factory=dict)
    defined: list[str] = field(default_factory=list)
    around: list[Bound] = field(default_factory=list)  # letters that stand around, though they may not be used here
    budget: int = 14  # factors that may still be made

    # places ---------------------------------------------------------------------------------------------------------------------

    def free_letter(self, scope: list[Bound]) -> str:
        return next(x for x in LETTERS if all(b.letter != x for b in [*scope, *self.around]))

    def places(self, axis: Axis, scope: list[Bound]) -> list[tuple[int, Place]]:
        """Index expressions over the scope that stay inside ``axis`` for all sizes, with weights."""
        found: list[tuple[int, Place]] = []
        for b in scope:
            x = at(b.letter)
            if b.high.terms != axis.last.terms:
                continue
            room = (axis.last - b.high).const
            below = b.low.const - axis.first
            if room < 0 or below < 0:
                continue
            found += [(6, x), (2, axis.last + b.low.const - room - x)]  # itself, and reversed within its own range
            for s in range(1, room + 1):
                found.append((4, x + s))
            for s in range(1, below + 1):
                found.append((4, x - s))
            if not axis.last.terms and axis.last.const >= 2 * b.high.const:  # strided: 2i, 2i - 1
                found += [(4, x * 2), (4, x * 2 - 1)]
        ends = (1, at(axis.first)), (1, axis.last)
        return found + list(ends)

    def new_bound(self, axis: Axis, scope: list[Bound]) -> Bound:
        letter = self.free_letter(scope)
        low, high = at(axis.first), axis.last
        kind = weighted(self.dice, ((10, "whole"), (2, "but last"), (1, "but first"), (1, "but two")))
        if kind == "but last":
            high = high - 1
        elif kind == "but first":
            low = low + 1
        elif kind == "but two":
            high = high - (3 if chance(self.dice, 40) else 2)  # empty at small sizes, and its end below 0
        if not axis.last.terms and chance(self.dice, 50):
            high = at(max(axis.last.const // 2, 1))
        return Bound(letter, low, high)

    # factors --------------------------------------------------------------------------------------------------------------------

    def factor(self, scope: list[Bound], pending: list[Bound], name: str = "") -> Expr:
        """An entry of some tensor; letters that it needs and nobody has are left in ``pending``."""
        self.budget -= 1
        name = name or self.some_tensor()
        places: list[Place] = []
        for axis in self.tensors[name]:
            here = [*scope, *pending]
            options = self.places(axis, here)
            letters_too = [o for o in options if o[1].names & {b.letter for b in here}]
            if name == "K":
                made = self.window(here)
                if made is not None and chance(self.dice, 80):
                    places.append(made)
                    continue
            if len(here) >= 4 or (letters_too and not chance(self.dice, 30)):
                places.append(weighted(self.dice, letters_too if letters_too and not chance(self.dice, 12) else options))
            else:
                new = self.new_bound(axis, here)
                pending.append(new)
                own = [o for o in self.places(axis, [*here, new]) if new.letter in o[1].names]
                places.append(weighted(self.dice, own))
        return Entry(name, tuple(places))

    def window(self, here: list[Bound]) -> Place | None:
        """i + j - 1 along an axis of n + m - 1."""
        rows = [b for b in here if b.high.terms == N.terms and b.high.const <= 0 and b.low == at(1)]
        columns = [b for b in here if b.high.terms == M.terms and b.high.const <= 0 and b.low == at(1)]
        if not rows or not columns:
            return None
        return at(pick(self.dice, rows).letter) + at(pick(self.dice, columns).letter) - 1

    def some_tensor(self) -> str:
        inputs = [n for n in self.tensors if n not in self.defined]
        options = [(3, n) for n in inputs] + [(5, n) for n in self.defined[-3:]]
        return weighted(self.dice, options)

    # expressions ----------------------------------------------------------------------------------------------------------------

    def product(self, scope: list[Bound], depth: int) -> Expr:
        """A product of one to four factors, some of one tensor, summed over the letters it needs; scaled and divided now and then."""
        pending: list[Bound] = []
        count = weighted(self.dice, ((3, 1), (5, 2), (3, 3), (1, 4)))
        names: list[str] = []
        parts: list[Expr] = []
        for _ in range(count):
            again = names and chance(self.dice, 55)
            name = pick(self.dice, names) if again else self.some_tensor()
            names.append(name)
            part = self.factor(scope, pending, name)
            if chance(self.dice, 15):
                part = Power(part, pick(self.dice, (2, 3)))
            elif depth > 0 and chance(self.dice, 15):
                part = Apply(self.function(), (part,))
            parts.append(part)
        out = parts[0]
        for part in parts[1:]:
            out = Op("*", out, part)
        if self.text_only and len([*scope, *pending]) >= 2 and chance(self.dice, 8):
            a, b = [*scope, *pending][-2:]
            if a.high == b.high:
                out = Op("*", Held(pick(self.dice, ("<=", "<", "==")), at(a.letter), at(b.letter)), out)
        if chance(self.dice, 18):
            out = Op("/", out, self.above_zero([*scope, *pending], depth - 1))
        if depth > 0 and pending and chance(self.dice, 20):
            out = Apply(self.function(), (out,))
        out = self.summed(out, pending)
        if chance(self.dice, 35):
            out = self.scaled(out)
        return out

    def summed(self, body: Expr, pending: list[Bound]) -> Expr:
        if not pending:
            return body
        if len(pending) > 1 and chance(self.dice, 40):  # nested
            for b in reversed(pending):
                body = Total(body, ((b.letter, b.low, b.high),))
            return body
        return Total(body, tuple((b.letter, b.low, b.high) for b in pending))

    def scaled(self, out: Expr) -> Expr:
        kind = weighted(self.dice, ((4, "number"), (3, "scalar"), (3, "1/n"), (1, "n"), (1, "-"), (1, "1/n**2")))
        if kind == "number":
            return Op("*", Number(pick(self.dice, NUMBERS)), out)
        if kind == "scalar":
            return Op("*", Entry(pick(self.dice, [n for n, a in self.tensors.items() if not a] or ["t"])), out)
        if kind == "1/n":
            return Op("/", out, Count(pick(self.dice, (N, M))))
        if kind == "1/n**2":
            return Op("/", out, Power(Count(N), 2))
        return Op("*", Count(N), out) if kind == "n" else Op("*", Number(Fraction(-1)), out)

    def above_zero(self, scope: list[Bound], depth: int) -> Expr:
        """Something positive to divide by or to take a root of."""
        pending: list[Bound] = []
        kind = weighted(self.dice, ((3, "squares"), (3, "r"), (2, "1 + square"), (1, "n"), (2, "exp"), (1, "c")))
        if kind == "squares":
            names = [n for n, a in self.tensors.items() if a]
            name, own, kept = pick(self.dice, names), list[Bound](), self.around
            self.around = [*kept, *scope]
            base = self.factor([], own, name)
            self.around = kept
            one = self.summed(Power(base, 2) if chance(self.dice, 50) else Op("*", base, base), own)
            empty = any(b.high.const - b.low.const < -1 for b in own)  # a sum that is empty at size 1
            return one if name in ("x", "A", "B", "z") and not empty else Op("+", ONE, one)
        if kind == "r":
            a = self.factor(scope, pending, "r")
            if pending:
                whole = all(p.high == N and p.low == at(1) for p in pending)
                return self.summed(a, pending) if whole else Op("+", ONE, self.summed(a, pending))
            return Op("*", a, Entry("r", tuple(p for _, p in self.places(Axis(N), scope))[:1] or (at(1),))) if chance(self.dice, 50) else a
        if kind == "n":
            return Count(N)
        if kind == "c":
            return Entry("c")
        inner = self.summed(self.factor(scope, pending), pending) if self.budget > 0 else Entry("t")
        return Op("+", ONE, Power(inner, 2)) if kind == "1 + square" else Apply("exp", (inner,))

    def function(self) -> str:
        return pick(self.dice, SMOOTH + KINKED) if self.kinks and chance(self.dice, 20) else pick(self.dice, SMOOTH)

    def expression(self, scope: list[Bound], depth: int) -> Expr:
        """Any expression over the scope."""
        if depth <= 0 or self.budget <= 0:
            return self.product(scope, 0)
        kind = weighted(self.dice, ((7, "product"), (4, "sum"), (3, "function"), (2, "divided"), (1, "root"), (1, "log"),
                                    (2 if self.kinks else 0, "max"), (1 if self.kinks else 0, "choice"), (1, "power"), (1, "times")))
        go = lambda: self.expression(scope, depth - 1)  # noqa: E731
        match kind:
            case "sum":
                return Op(pick(self.dice, ("+", "-")), go(), go())
            case "times":
                return Op("*", go(), go())
            case "function":
                return Apply(self.function(), (go(),))
            case "divided":
                return Op("/", go(), self.above_zero(scope, depth - 1))
            case "root" | "log":
                return Apply("sqrt" if kind == "root" else "log", (self.above_zero(scope, depth - 1),))
            case "power":
                return Power(go(), pick(self.dice, (2, 3)))
            case "max":
                return Apply(pick(self.dice, ("maximum", "minimum")), (go(), go() if chance(self.dice, 70) else Number(pick(self.dice, NUMBERS))))
            case "choice":
                return Choice(pick(self.dice, (">", "<", ">=")), self.product(scope, 0), Number(Fraction(1, 3)), go(), go())
            case _:
                return self.product(scope, depth)

    def outer(self, scope: list[Bound]) -> Expr:
        """A product of entries at the letters of the line itself, some tensor more than once: t*x[i]*x[j]/(r[i]*r[j])."""
        def one(b: Bound, name: str = "") -> Expr:
            fitting = [n for n, a in self.tensors.items() if len(a) == 1 and b in self.fits(a[0], [b])]
            name = name if name in fitting else pick(self.dice, fitting) if fitting else "t"
            if not self.tensors[name]:
                return Entry(name)
            own = [o for o in self.places(self.tensors[name][0], [b]) if b.letter in o[1].names]
            return Entry(name, (own[0][1] if chance(self.dice, 85) else weighted(self.dice, own),))

        first = one(scope[0])
        assert isinstance(first, Entry)
        out: Expr = first
        for b in [*scope[1:], *[pick(self.dice, scope) for _ in range(weighted(self.dice, ((3, 0), (3, 1), (1, 2))))]]:
            out = Op("*", out, one(b, first.name if chance(self.dice, 70) else ""))
        if chance(self.dice, 50):
            out = self.scaled(out)
        if chance(self.dice, 25):
            out = Op("/", out, self.above_zero(scope, 0))
        if chance(self.dice, 20):
            out = Op("/", ONE if chance(self.dice, 50) else out, Op("*", Entry("r", (at(scope[0].letter),)), Entry("r", (at(scope[-1].letter),))) if all(
                b in self.fits(Axis(N), [b]) for b in scope) else Entry("c"))
        return Apply(self.function(), (out,)) if chance(self.dice, 20) else out

    def fits(self, axis: Axis, scope: list[Bound]) -> list[Bound]:
        """The letters that may stand alone along the axis."""
        return [b for b in scope if at(b.letter) in [p for _, p in self.places(axis, scope)]]

    # programs -------------------------------------------------------------------------------------------------------------------

    def line(self, name: str, axes: tuple[Axis, ...], depth: int) -> Line:
        scope: list[Bound] = []
        for a in axes:
            scope.append(Bound(self.free_letter(scope), at(a.first), a.last))
        body = self.outer(scope) if scope and chance(self.dice, 40) else self.expression(scope, depth)
        return Line(name, tuple(at(b.letter) for b in scope), tuple((b.letter, b.low, b.high) for b in scope), body)


DEFINED = ("P", "Q", "a", "w", "g")
TARGETS: tuple[tuple[int, tuple[Axis, ...]], ...] = ((4, (Axis(N),)), (3, (Axis(N), Axis(N))), (2, (Axis(N), Axis(M))), (2, ()), (1, (Axis(M),)), (1, (Axis(N, 0),)))


def index_program(dice: Dice, kinks: bool = True, most_lines: int = 5) -> Source:
    """A program of one to five lines over a few inputs; wrt are the inputs that it uses."""
    text_only = chance(dice, 60)
    maker = Maker(dice, kinks, text_only)
    chosen = [INPUTS[0]] + [i for i in INPUTS[1:] if chance(dice, 45)]
    if text_only:
        chosen = [i for i in chosen if i[0] != "K"]
    maker.tensors = dict(chosen)
    for always in ("r", "c", "t"):
        maker.tensors.setdefault(always, dict(INPUTS)[always])
    made: list[Line] = []
    for name in DEFINED[: weighted(dice, ((3, 0), (4, 1), (3, 2), (2, 3), (1, 4))) if most_lines > 1 else 0]:
        axes = weighted(dice, TARGETS)
        maker.budget = 7
        made.append(maker.line(name, axes, weighted(dice, ((3, 0), (3, 1), (1, 2)))))
        maker.tensors[name] = axes
        maker.defined.append(name)
    maker.budget = 9
    made.append(goal(maker, dice))
    used = {e.name for one in made for e in entries(one.expr)}
    if any("m" in letters(one.expr) | {x for _, lo, hi in one.over for x in lo.names | hi.names} for one in made):
        maker.tensors.setdefault("z", (Axis(M),))
        used |= {n for n in ("B", "C", "z") if n in maker.tensors}  # some input must tell how large m is; the others have the gradient 0
    used |= {"x"}
    inputs = tuple(n for n, _ in INPUTS if n in maker.tensors and n in used)
    shapes = {n: maker.tensors[n] for n in inputs} | {n: maker.tensors[n] for n in maker.defined} | {"L": ()}
    return Source(shapes, inputs, tuple(made), tuple(s for s in SIZES if any(s in a.last.names for n in inputs for a in shapes[n])), POSITIVE & set(inputs), frozenset({"L"}), inputs, "index",
                  {"from": "text" if text_only else "nouns"})


def goal(maker: Maker, dice: Dice) -> Line:
    """The objective: it uses the last line, so that the lines hang together."""
    body = maker.expression([], weighted(dice, ((3, 0), (3, 1), (2, 2))))
    unused = [n for n in maker.defined if n not in {e.name for e in entries(body)}]
    for name in unused[-2:]:
        pending: list[Bound] = []
        part = maker.factor([], pending, name)
        part = Op("*", part, maker.factor([], pending, pick(dice, ["x", name, *maker.defined])))
        body = Op("+", body, maker.summed(part, pending))
    return Line("L", (), (), body)
