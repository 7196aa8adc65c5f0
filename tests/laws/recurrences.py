"""Random recurrences along one axis: first and second order, coupled, with a feature axis, forward and backward, with boundary slices."""

from __future__ import annotations

from fractions import Fraction

from laws.dice import Dice, chance, pick, weighted
from laws.language import ONE, Apply, Axis, Count, Entry, Expr, Line, Number, Op, Power, Source, Total, at, entries

T, D = at("T"), at("d")
t, i, k = at("t"), at("i"), at("k")
FUNCTIONS = ("tanh", "sigmoid", "sin", "softplus")


def add(*terms: Expr) -> Expr:
    """a + b + …"""
    out = terms[0]
    for e in terms[1:]:
        out = Op("+", out, e)
    return out


def mul(*factors: Expr) -> Expr:
    """a*b*…"""
    out = factors[0]
    for e in factors[1:]:
        out = Op("*", out, e)
    return out


def recurrence(dice: Dice) -> Source:
    """One recurrence, a loss over it, and the inputs it uses."""
    wide = chance(dice, 35)  # a feature axis beside time
    down = chance(dice, 25)  # backward in time, from the last place
    lag = 2 if chance(dice, 30) else 1
    coupled = chance(dice, 30)
    place = (i,) if wide else ()
    over = (("i", at(1), D),) if wide else ()
    state_axes = (Axis(T, 0), Axis(D)) if wide else (Axis(T, 0),)
    step = 1 if down else -1
    shapes: dict[str, tuple[Axis, ...]] = {"x": (Axis(T), Axis(D)) if wide else (Axis(T),), "s": (Axis(D),) if wide else (), "w": (), "u": ()}
    if wide:
        shapes["V"] = (Axis(D), Axis(D))

    def state(name: str, shift: int) -> Expr:
        if wide and chance(dice, 50):
            return Total(mul(Entry("V", (i, k)), Entry(name, (t + shift, k))), (("k", at(1), D),))
        old = Entry(name, (t + shift, *place))
        return mul(Entry(pick(dice, ("w", "u"))), old) if chance(dice, 60) else old

    def drive(shift: int) -> Expr:
        entry = Entry("x", (t + shift, *place))
        return entry if chance(dice, 60) else Power(entry, 2) if chance(dice, 50) else mul(Entry("u"), entry)

    def body(name: str, others: list[Expr], shift: int) -> Expr:
        terms = [state(name, step * n) for n in range(1, lag + 1)] + [drive(shift), *others]
        form = weighted(dice, ((4, "sum"), (4, "function"), (1, "product")))
        out = mul(terms[0], add(ONE, *terms[1:])) if form == "product" else add(*terms)
        out = mul(Number(Fraction(1, 2)), out) if chance(dice, 20) else out
        return Apply(pick(dice, FUNCTIONS), (out,)) if form == "function" or (lag == 2 and form == "product") else out

    # down: h[T] = s; h[t] = f(h[t+1], x[t+1]) for t in 0..T-1; up: h[0] = s; h[t] = f(h[t-1], x[t]) for t in 1..T
    low, high = (at(0), T - lag) if down else (at(lag), T)
    shift = lag if down else 0
    names = ("h", "g") if coupled else ("h",)
    lines: list[Line] = []
    for n, name in enumerate(names):
        shapes[name] = state_axes
        for b in range(lag):
            start: Expr = Entry("s", place)
            start = mul(Number(Fraction(b + n + 1, 2)), start) if b or n or chance(dice, 30) else start
            lines.append(Line(name, (T - b if down else at(b), *place), over, start))
    for n, name in enumerate(names):
        others: list[Expr] = []
        if coupled:
            other = names[1 - n]
            same = n == 1 and chance(dice, 40)  # g[t] may use h[t], which stands above it
            others = [mul(Entry("u"), Entry(other, (t if same else t + step, *place)))]
        lines.append(Line(name, (t, *place), (("t", low, high), *over), body(name, others, shift if down else 0)))
    blocks = (tuple(range(len(lines))),)
    loss_range = pick(dice, ((at(1), T), (at(0), T), (at(0), T - 1)))
    sums = (("t", *loss_range), *over)
    last = names[-1]
    kind = weighted(dice, ((4, "squares"), (2, "end"), (2, "with x")))
    end = at(0) if down else T
    if kind == "end":
        value: Expr = Power(Entry(last, (end, *place)), 2)
        goal = Total(value, over) if over else value
    elif kind == "with x" and loss_range[0] == at(1):
        goal = Total(mul(Entry("h", (t, *place)), Entry("x", (t, *place))), sums)
    else:
        goal = Total(Power(Entry(last, (t, *place)), 2), sums)
    if coupled:
        goal = add(goal, Total(mul(Entry("h", (t, *place)), Entry("g", (t, *place))), sums))
    goal = Op("/", goal, Count(T)) if chance(dice, 20) else goal
    lines.append(Line("L", (), (), goal))
    shapes["L"] = ()
    used = {e.name for one in lines for e in entries(one.expr)} | {"x"}
    inputs = tuple(n for n in ("x", "s", "w", "u", "V") if n in shapes and n in used)
    sizes = ("T", "d") if wide else ("T",)
    return Source({n: a for n, a in shapes.items() if n in used or n in ("h", "g", "L")}, inputs, tuple(lines), sizes, frozenset(), frozenset({"L"}), inputs,
                  "recurrence", {"from": "text" if chance(dice, 50) else "nouns", "looping": names, "blocks": blocks,
                                 "along": dict.fromkeys(names, 0), "down": down})
