"""Answers to judge: the true gradient derived here by the rules of a textbook, written in another way; and the same with one slip.

The derivation, the rewriting and the slips work on the trees of `laws.language`; JAX says of each answer whether it is right or wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction

from laws import spelling
from laws.dice import Dice, chance, pick
from laws.language import (
    ONE,
    TWO,
    Apply,
    Axis,
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
    children,
    put,
    rebuilt,
    walk,
    with_children,
)

Bind = tuple[str, Place, Place]
LETTERS = ("i", "j", "k", "l", "p", "q", "s", "u", "o", "f")
MINUS = Number(Fraction(-1))


class NoForm(Exception):
    """The gradient has no form without brackets, or the answer no spelling: another program is taken."""


def over(a: Expr, b: Expr) -> Expr:
    """a/b."""
    return Op("/", a, b)


def times(*factors: Expr) -> Expr:
    """A product without ones."""
    kept = [f for f in factors if f != ONE] or [ONE]
    out = kept[0]
    for f in kept[1:]:
        out = Op("*", out, f)
    return out


def minus(a: Expr, b: Expr) -> Expr:
    """a - b."""
    return Op("-", a, b)


SLOPES: dict[str, Callable[[Expr], Expr]] = {
    "exp": lambda u: Apply("exp", (u,)), "log": lambda u: over(ONE, u), "sqrt": lambda u: over(ONE, times(TWO, Apply("sqrt", (u,)))),
    "tanh": lambda u: minus(ONE, Power(Apply("tanh", (u,)), 2)), "sin": lambda u: Apply("cos", (u,)), "cos": lambda u: times(MINUS, Apply("sin", (u,))),
    "sigmoid": lambda u: times(Apply("sigmoid", (u,)), minus(ONE, Apply("sigmoid", (u,)))), "softplus": lambda u: Apply("sigmoid", (u,)),
    "sinh": lambda u: Apply("cosh", (u,)), "cosh": lambda u: Apply("sinh", (u,)), "arctan": lambda u: over(ONE, Op("+", ONE, Power(u, 2))),
    "square": lambda u: times(TWO, u), "expm1": lambda u: Apply("exp", (u,)),
}


class Fresh:
    """New letters, and expressions with all bound letters new."""

    def __init__(self) -> None:
        self.count = 0

    def letter(self) -> str:
        self.count += 1
        return f"i{self.count}"

    def copy(self, node: Expr) -> Expr:
        if isinstance(node, Total):
            there = {x: at(self.letter()) for x, _, _ in node.over}
            names = {x: p.terms[0][0] for x, p in there.items()}
            limits = tuple((names[x], lo.put(there), hi.put(there)) for x, lo, hi in node.over)
            return Total(self.copy(put(node.body, there)), limits)
        return with_children(node, tuple(map(self.copy, children(node))))


def written_out(source: Source, fresh: Fresh) -> Expr:
    """The objective in the inputs alone."""
    lines = {one.name: one for one in source.lines}

    def go(node: Expr) -> Expr:
        if isinstance(node, Entry) and node.name in lines:
            one = lines[node.name]
            body = fresh.copy(one.expr)
            return go(put(body, {x: p for (x, _, _), p in zip(one.over, node.places, strict=True)}))
        return with_children(node, tuple(map(go, children(node))))

    return go(fresh.copy(source.lines[-1].expr))


def uses(node: Expr, name: str, fresh: Fresh) -> Iterator[tuple[tuple[Place, ...], Expr, tuple[Bind, ...]]]:
    """(places, local derivative, the sums around) for every use of a tensor."""
    match node:
        case Entry(found, places):
            if found == name:
                yield places, ONE, ()
        case Total(body, limits):
            for places, f, around in uses(body, name, fresh):
                yield places, f, (*limits, *around)
        case Op("+", a, b):
            yield from uses(a, name, fresh)
            yield from uses(b, name, fresh)
        case Op("-", a, b):
            yield from uses(a, name, fresh)
            yield from ((p, times(MINUS, f), o) for p, f, o in uses(b, name, fresh))
        case Op("*", a, b):
            yield from ((p, times(f, fresh.copy(b)), o) for p, f, o in uses(a, name, fresh))
            yield from ((p, times(fresh.copy(a), f), o) for p, f, o in uses(b, name, fresh))
        case Op("/", a, b):
            yield from ((p, over(f, fresh.copy(b)), o) for p, f, o in uses(a, name, fresh))
            yield from ((p, times(MINUS, over(times(fresh.copy(a), f), Power(fresh.copy(b), 2))), o) for p, f, o in uses(b, name, fresh))
        case Power(base, by):
            slope = times(Number(Fraction(by)), Power(base, by - 1) if by > 2 else base)
            yield from ((p, times(fresh.copy(slope), f), o) for p, f, o in uses(base, name, fresh))
        case Apply("silu", (u,)):
            yield from uses(Op("*", u, Apply("sigmoid", (fresh.copy(u),))), name, fresh)
        case Apply(function, (u,)):
            inner = list(uses(u, name, fresh))
            if inner and function not in SLOPES:
                raise NoForm(function)
            yield from ((p, times(fresh.copy(SLOPES[function](u)), f), o) for p, f, o in inner)
        case _:
            if any(isinstance(n, Entry) and n.name == name for n in walk(node)):
                raise NoForm(type(node).__name__)


def gradient(source: Source, name: str) -> tuple[tuple[str, ...], Expr]:
    """(letters of the entry, ∂L/∂name at it), by the chain rule; raises NoForm where it needs a bracket."""
    fresh = Fresh()
    axes = source.shapes[name]
    alphas = tuple(fresh.letter() for _ in axes)
    terms = [solved(places, factor, around, alphas, axes) for places, factor, around in uses(written_out(source, fresh), name, fresh)]
    if not terms:
        return alphas, Number(Fraction(0))
    out = terms[0]
    for t in terms[1:]:
        out = Op("+", out, t)
    if sum(1 for _ in walk(out)) > 150:
        raise NoForm("too long")
    return alphas, out


def solved(places: tuple[Place, ...], factor: Expr, around: tuple[Bind, ...], alphas: tuple[str, ...], axes: tuple[Axis, ...]) -> Expr:
    """Σ over the letters left, once the entry's own places are the letters of the answer."""
    left = list(around)
    there: dict[str, Place] = {}
    for place, alpha, axis in zip(places, alphas, axes, strict=True):
        found = [b for b in left if place in (at(b[0]), b[2] + b[1] - at(b[0])) and (b[1], b[2]) == (at(axis.first), axis.last)]
        if not found or place.names - {found[0][0]} - axis.last.names:
            raise NoForm("a bracket")
        bind = found[0]
        left.remove(bind)
        there[bind[0]] = at(alpha) if place == at(bind[0]) else bind[2] + bind[1] - at(alpha)
    if any(x in there for _, lo, hi in left for x in lo.names | hi.names):
        raise NoForm("a triangle")
    body = put(factor, there)
    return Total(body, tuple(left)) if left else body


# other ways to write the same -----------------------------------------------------------------------------------------------------

def free_of(node: Expr, letters: set[str]) -> bool:
    """True when no letter of these stands in the node."""
    from laws.language import letters as found

    return not found(node) & letters


def ways(node: Expr) -> list[Expr]:
    """Equal forms of a node."""
    made: list[Expr] = []
    match node:
        case Op("+", a, b):
            made += [Op("+", b, a), Op("-", a, times(MINUS, b))]
        case Op("-", a, b):
            made += [Op("+", a, times(MINUS, b)), times(MINUS, Op("-", b, a))]
        case Op("*", a, b):
            made += [Op("*", b, a)]
            if isinstance(b, Op) and b.sign in "+-":
                made += [Op(b.sign, Op("*", a, b.left), Op("*", a, b.right))]
            if isinstance(a, Op) and a.sign in "+-":
                made += [Op(a.sign, Op("*", a.left, b), Op("*", a.right, b))]
            if isinstance(b, Total):
                made += [Total(Op("*", a, b.body), b.over)]
            if isinstance(a, Op) and a.sign == "*":
                made += [Op("*", a.left, Op("*", a.right, b))]
        case Op("/", a, b):
            made += [Op("*", a, Op("/", ONE, b)), Op("/", times(TWO, a), times(TWO, b))]
            if isinstance(a, Op) and a.sign in "+-":
                made += [Op(a.sign, Op("/", a.left, b), Op("/", a.right, b))]
        case Power(a, 2):
            made += [Op("*", a, a)]
        case Power(a, 3):
            made += [Op("*", a, Power(a, 2))]
        case Total(Op("+" | "-" as sign, a, b), limits):
            made += [Op(sign, Total(a, limits), Total(b, limits))]
        case Total(Op("*", a, b), limits):
            bound = {x for x, _, _ in limits}
            made += [Op("*", a, Total(b, limits))] if free_of(a, bound) else []
            made += [Op("*", b, Total(a, limits))] if free_of(b, bound) else []
        case Total(Op("/", a, b), limits):
            made += [Op("/", Total(a, limits), b)] if free_of(b, {x for x, _, _ in limits}) else []
        case Apply("tanh", (u,)):
            e = Apply("exp", (times(TWO, u),))
            made += [Op("/", minus(e, ONE), Op("+", e, ONE)), minus(ONE, Op("/", TWO, Op("+", e, ONE)))]
        case Apply("sigmoid", (u,)):
            made += [Op("/", ONE, Op("+", ONE, Apply("exp", (times(MINUS, u),)))), minus(ONE, Apply("sigmoid", (times(MINUS, u),)))]
        case Apply("exp", (Op("+", a, b),)):
            made += [Op("*", Apply("exp", (a,)), Apply("exp", (b,)))]
        case Apply("cosh", (u,)):
            made += [Op("/", Op("+", Apply("exp", (u,)), Apply("exp", (times(MINUS, u),))), TWO)]
        case Apply("cos", (u,)):
            made += [Apply("cos", (times(MINUS, u),))]
        case _:
            pass
    if isinstance(node, Total) and len(node.over) > 1:
        (x, *_), (_, lo, hi) = node.over[0], node.over[1]
        if x not in lo.names | hi.names:
            made += [Total(node.body, (node.over[1], node.over[0], *node.over[2:]))]
            made += [Total(Total(node.body, node.over[1:]), node.over[:1])]
    return made


def rewritten(node: Expr, dice: Dice, times_: int = 6) -> Expr:
    """The same value in another form."""
    for _ in range(times_):
        places = [n for n in walk(node) if ways(n)]
        if not places:
            return node
        old = pick(dice, places)
        new = pick(dice, ways(old))
        done: list[bool] = []

        def swap(n: Expr, old: Expr = old, new: Expr = new, done: list[bool] = done) -> Expr:
            if n == old and not done:
                done.append(True)
                return new
            return n

        node = rebuilt(node, swap)
    return node


# slips ----------------------------------------------------------------------------------------------------------------------------

def slips(node: Expr, scope: dict[str, Place]) -> list[Expr]:
    """What a slip makes of a node; ``scope`` has the last value of every letter in scope."""
    made: list[Expr] = []
    match node:
        case Op("+", a, b):
            made += [Op("-", a, b), a, b]
        case Op("-", a, b):
            made += [Op("+", a, b), Op("-", b, a)]
        case Op("*", a, b):
            made += [a, b, Op("+", a, b)]
        case Op("/", a, b):
            made += [a, Op("*", a, b)]
        case Power(a, by):
            made += [a, Power(a, by + 1)]
        case Number(v):
            made += [Number(v + 1), Number(-v)] if v else [ONE]
        case Total(body, limits):
            made += [Total(body, (*limits[:-1], (limits[-1][0], limits[-1][1] + 1, limits[-1][2])))]
        case Entry(name, places) if len(places) == 2 and places[0] != places[1]:
            if scope.get(*places[0].names, at(0)) == scope.get(*places[1].names, at(1)) if len(places[0].names) == len(places[1].names) == 1 else False:
                made += [Entry(name, places[::-1])]
        case Apply("tanh", (u,)):
            made += [u, Apply("sigmoid", (u,))]
        case Apply("sin" | "cos" as f, (u,)):
            made += [Apply("cos" if f == "sin" else "sin", (u,))]
        case Apply("exp" | "sigmoid", (u,)):
            made += [u]
        case _:
            pass
    return made


def slipped(node: Expr, dice: Dice, alphas: dict[str, Place]) -> Expr:
    """One slip somewhere."""
    scope = dict(alphas) | {x: hi for n in walk(node) if isinstance(n, Total) for x, _, hi in n.over}
    places = [n for n in walk(node) if slips(n, scope)]
    if not places:
        return Op("+", node, ONE)
    old = pick(dice, places)
    new = pick(dice, slips(old, scope))
    done: list[bool] = []

    def swap(n: Expr) -> Expr:
        if n == old and not done:
            done.append(True)
            return new
        return n

    return rebuilt(node, swap)


# spelling -------------------------------------------------------------------------------------------------------------------------

def lettered(node: Expr, scope: dict[str, str], taken: frozenset[str]) -> Expr:
    """With readable letters, a sum's own letters free again beside it."""
    if isinstance(node, Total):
        inner = dict(scope)
        for x, _, _ in node.over:
            free = [c for c in LETTERS if c not in inner.values() and c not in taken]
            if not free:
                raise NoForm("letters")
            inner[x] = free[0]
        there = {x: at(c) for x, c in inner.items()}
        limits = tuple((inner[x], lo.put(there), hi.put(there)) for x, lo, hi in node.over)
        return Total(lettered(node.body, inner, taken), limits)
    if isinstance(node, (Entry, Count, Held)):
        return put(node, {x: at(c) for x, c in scope.items()})
    return with_children(node, tuple(lettered(c, scope, taken) for c in children(node)))


NAMES = {"sigmoid": r"\sigma", "exp": r"\exp", "log": r"\log", "tanh": r"\tanh", "sin": r"\sin", "cos": r"\cos", "sinh": r"\sinh", "cosh": r"\cosh",
         "arctan": r"\arctan"}


def latex(node: Expr, level: int = 0) -> str:
    """As LaTeX; brackets where the form binds looser than ``level``."""
    match node:
        case Number(v):
            out, own = (str(v), 4) if v.denominator == 1 and v >= 0 else (rf"\frac{{{v.numerator}}}{{{v.denominator}}}" if v >= 0 else str(v), 2 if v >= 0 else 0)
        case Count(p):
            out, own = spelling.place(p), 4 if len(p.terms) == 1 and not p.const else 1
        case Entry(name, places):
            out, own = name + (f"_{{{', '.join(spelling.place(p) for p in places)}}}" if places else ""), 4
        case Total(body, limits):
            sums = " ".join(rf"\sum_{{{x}={spelling.place(lo)}}}^{{{spelling.place(hi)}}}" for x, lo, hi in limits)
            out, own = f"{sums} {latex(body, 2)}", 2
            level = 9 if level >= 2 else level
        case Op("/", a, b):
            out, own = rf"\frac{{{latex(a)}}}{{{latex(b)}}}", 3
        case Op("*", a, b):
            out, own = rf"{latex(a, 2)} \cdot {latex(b, 2)}", 2
        case Op(sign, a, b):
            out, own = f"{latex(a, 1)} {sign} {latex(b, 2)}", 1
        case Power(base, by):
            out, own = f"{latex(base, 4)}^{{{by}}}", 3
        case Apply("sqrt", (u,)):
            out, own = rf"\sqrt{{{latex(u)}}}", 4
        case Apply("square", (u,)):
            out, own = f"{latex(u, 4)}^{{2}}", 3
        case Apply("softplus", (u,)):
            return latex(Apply("log", (Op("+", ONE, Apply("exp", (u,))),)), level)
        case Apply("expm1", (u,)):
            return latex(minus(Apply("exp", (u,)), ONE), level)
        case Apply("silu", (u,)):
            return latex(Op("*", u, Apply("sigmoid", (u,))), level)
        case Apply(name, (u,)) if name in NAMES:
            out, own = rf"{NAMES[name]}\left({latex(u)}\right)", 3
        case _:
            raise NoForm(type(node).__name__)
    return rf"\left({out}\right)" if own < level else out


def answer_text(source: Source, name: str, alphas: tuple[str, ...], node: Expr) -> str:
    """What a person hands in for ∂L/∂name: plain maths for a number, LaTeX with indices for an array."""
    taken = frozenset(source.shapes)
    free = [c for c in LETTERS if c not in taken]
    if len(alphas) > len(free):
        raise NoForm("letters")
    scope = dict(zip(alphas, free, strict=False))
    shown = lettered(node, scope, taken)
    if not alphas:
        return spelling.text(shown)
    return rf"\frac{{\partial L}}{{\partial {name}_{{{', '.join(scope[a] for a in alphas)}}}}} = {latex(shown)}"


def with_answer(source: Source, name: str, alphas: tuple[str, ...], node: Expr) -> Source:
    """The program whose last line is the claimed gradient, for JAX to evaluate."""
    axes = source.shapes[name]
    limits = tuple((a, at(x.first), x.last) for a, x in zip(alphas, axes, strict=True))
    line = Line("G", tuple(map(at, alphas)), limits, node)
    return replace(source, shapes={**source.shapes, "G": axes}, lines=(*source.lines, line))


def another(source: Source, name: str, dice: Dice, wrong: bool) -> tuple[tuple[str, ...], Expr]:
    """The gradient in another form, with a slip when ``wrong``."""
    alphas, node = gradient(source, name)
    node = rewritten(node, dice, 2 + dice.below(6))
    if wrong:
        node = slipped(node, dice, {a: x.last for a, x in zip(alphas, source.shapes[name], strict=True)})
        node = rewritten(node, dice, 2) if chance(dice, 50) else node
    return alphas, node
