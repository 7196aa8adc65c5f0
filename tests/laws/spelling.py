"""A program as a person types it: lines of plain maths for ``sn.program``."""

from __future__ import annotations

from laws.language import Apply, Axis, Choice, Count, Entry, Expr, Held, Line, Number, Op, Place, Power, Source, Total

LEVEL = {"+": 1, "-": 1, "*": 2, "/": 2}
SPELLED = {"leaky": "leaky_relu", "tanh": "np.tanh"}  # NumPy's prefix is read too


def place(p: Place) -> str:
    """n + 1 - i, with the positive parts first."""
    parts = [(c, name) for name, c in p.terms if c > 0] + [(p.const, "")] * (p.const != 0) + [(c, name) for name, c in p.terms if c < 0]
    out = ""
    for c, name in parts:
        body = name if name and abs(c) == 1 else f"{abs(c)}*{name}" if name else str(abs(c))
        out = (f"{out}+{body}" if c > 0 else f"{out}-{body}") if out else (body if c > 0 else f"-{body}")
    return out or "0"


def text(node: Expr, level: int = 0) -> str:
    """The node, in brackets where it binds looser than ``level``: 1 within a sum, 2 a product, 3 a divisor or a base."""
    match node:
        case Number(v):
            out, own = (str(v), 2 if v.denominator > 1 else 4) if v >= 0 else (f"({v})", 4)
        case Count(p):
            out, own = place(p), 4 if len(p.terms) <= 1 and not p.const and all(c == 1 for _, c in p.terms) else 1
        case Entry(name, places):
            out, own = name + (f"[{', '.join(map(place, places))}]" if places else ""), 4
        case Total(body, over):
            loops = " ".join(f"for {x} in {place(lo)}..{place(hi)}" for x, lo, hi in over)
            out, own = f"sum({text(body)} {loops})", 4
        case Op(sign, a, b):
            own = LEVEL[sign]
            out = f"{text(a, own)} {sign} {text(b, own + (sign in '-/'))}" if own == 1 else f"{text(a, own)}{sign}{text(b, own + (sign in '-/'))}"
        case Power(base, by):
            out, own = f"{text(base, 4)}**{by if by >= 0 else f'({by})'}", 3
        case Apply("leaky", (z,)):
            out, own = f"leaky_relu({text(z)}, 1/10)", 4
        case Apply(name, args):
            out, own = f"{SPELLED.get(name, name)}({', '.join(map(text, args))})", 4
        case Choice(sign, a, b, yes, no):
            out, own = f"where({text(a, 1)} {sign} {text(b, 1)}, {text(yes)}, {text(no)})", 4
        case Held(sign, p, q):
            out, own = f"[{place(p)} {sign} {place(q)}]", 4
        case _:
            raise TypeError(node)
    return f"({out})" if own < level else out


def line(one: Line, stated: bool = False) -> str:
    """z[i, j] = …; ``stated`` says the range of a recurrence, h[t] = … for t in 1..T."""
    left = one.name + (f"[{', '.join(map(place, one.places))}]" if one.places else "")
    loop = next((f" for {x} in {place(lo)}..{place(hi)}" for x, lo, hi in one.over if stated and x == "t"), "")
    return f"{left} = {text(one.expr)}{loop}"


def axis(a: Axis) -> str | int:
    """A shape entry: n, 3 or 0..T."""
    if a.first == 1:
        return a.last.const if not a.last.terms else place(a.last)
    return f"{a.first}..{place(a.last)}"


def lines(source: Source) -> list[str]:
    """All lines; a program that was made as text keeps its own."""
    return list(source.notes.get("text") or [line(one, bool(source.notes.get('looping'))) for one in source.lines])


def shapes(source: Source) -> dict[str, tuple[str | int, ...]]:
    """The shapes as ``sn.program`` takes them."""
    return {name: tuple(map(axis, axes)) for name, axes in source.shapes.items() if name not in source.undeclared and (axes or name in source.inputs)}
