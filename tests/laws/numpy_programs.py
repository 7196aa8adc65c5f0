"""Random programs as NumPy users write them: @, .T, axis, keepdims, broadcasting, softmax, norms, clip, trace, outer.

Each node is spelled as text, and lowered here, by the definitions of NumPy's functions, to the index language that JAX runs
(`laws.meaning`). Real NumPy reads the same text as a second witness of the objective's value.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from laws.dice import Dice, chance, pick, weighted
from laws.language import Apply, Axis, Choice, Count, Entry, Expr, Line, Number, Op, Place, Power, Source, Total, at

Shape = tuple[str, ...]  # names of sizes; "1" for an axis kept by keepdims
INPUTS: tuple[tuple[str, Shape], ...] = (
    ("x", ("n",)), ("A", ("n", "n")), ("W", ("n", "m")), ("b", ("m",)), ("y", ("n",)), ("V", ("m", "m")), ("t", ()), ("c", ()), ("r", ("n",)))
POSITIVE = frozenset({"c", "r"})
UNARY = ("exp", "tanh", "sin", "sigmoid", "cos", "softplus", "square", "arctan", "erf")
KINKED = ("relu", "abs")


@dataclass(frozen=True, slots=True)
class Array:
    """``kind`` is "name", "number", "call", "binary", "matmul", "T", "reduce", … with its own ``text`` argument in ``what``."""

    kind: str
    shape: Shape
    args: tuple[Array, ...] = ()
    what: Any = None


def text(a: Array) -> str:
    """As a person types it."""
    args = [text(b) for b in a.args]
    match a.kind:
        case "name":
            return str(a.what)
        case "number":
            return str(a.what) if a.what >= 0 and a.what.denominator == 1 else f"({a.what})"
        case "matmul" if len(args[0]) % 3 == 0 and args[0][-1] == ")":
            return f"{args[0]}.dot({args[1]})"
        case "binary" | "matmul":
            return f"({args[0]} {a.what or '@'} {args[1]})"
        case "power":
            return f"{args[0]}**{a.what}" if a.args[0].kind == "name" else f"({args[0]})**{a.what}"
        case "T":
            return f"{args[0]}.T"
        case "reduce":
            function, axis, keep = a.what
            if len(args[0]) % 2 and (args[0].isalpha() or args[0][-1] == ")") and a.args[0].shape and a.args[0].kind != "power":
                inner = ", ".join([f"axis={axis}"] * (axis is not None) + ["keepdims=True"] * bool(keep))
                return f"({args[0]}).{function}({inner})"
            return f"{function}({args[0]}" + (f", axis={axis}" if axis is not None else "") + (", keepdims=True" if keep else "") + ")"
        case "softmax" | "log_softmax":
            return f"{a.kind}({args[0]})" if a.what == -1 else f"{a.kind}({args[0]}, axis={a.what})"
        case "where":
            return f"where({args[0]} > {args[1]}, {args[2]}, {args[3]})"
        case _:
            return f"{a.kind}({', '.join(args)})"


class Lowering:
    """Array trees as entries over letters; each sum takes letters of its own."""

    def __init__(self) -> None:
        self.letters = iter(f"i{k}" for k in range(1, 500))

    def entry(self, a: Array, places: tuple[Place, ...]) -> Expr:
        """The entry of ``a`` at places; those of kept axes are not looked at."""
        match a.kind:
            case "name":
                return Entry(a.what, places)
            case "number":
                return Number(a.what)
            case "binary":
                return Op(a.what, *(self.entry(b, self.broadcast(b, places)) for b in a.args))
            case "power":
                return Power(self.entry(a.args[0], places), a.what)
            case "T":
                return self.entry(a.args[0], places[::-1])
            case "outer":
                return Op("*", self.entry(a.args[0], places[:1]), self.entry(a.args[1], places[1:]))
            case "matmul":
                left, right = a.args
                k = next(self.letters)
                front, back = places[:len(left.shape) - 1], places[len(left.shape) - 1:]
                body = Op("*", self.entry(left, (*front, at(k))), self.entry(right, (at(k), *back)))
                return Total(body, ((k, at(1), at(left.shape[-1])),))
            case "reduce":
                return self.reduced(a, places)
            case "norm":
                over = [next(self.letters) for _ in a.args[0].shape]
                body = Power(self.entry(a.args[0], tuple(map(at, over))), 2)
                return Apply("sqrt", (Total(body, tuple((k, at(1), at(s)) for k, s in zip(over, a.args[0].shape, strict=True))),))
            case "trace":
                k = next(self.letters)
                return Total(self.entry(a.args[0], (at(k), at(k))), ((k, at(1), at(a.args[0].shape[0])),))
            case "softmax" | "log_softmax":
                k, where = next(self.letters), a.what % len(a.shape)
                inner = (*places[:where], at(k), *places[where + 1:])
                below = Total(Apply("exp", (self.entry(a.args[0], inner),)), ((k, at(1), at(a.shape[where])),))
                z = self.entry(a.args[0], places)
                return Op("/", Apply("exp", (z,)), below) if a.kind == "softmax" else Op("-", z, Apply("log", (below,)))
            case "where":
                p, q, yes, no = (self.entry(b, self.broadcast(b, places)) for b in a.args)
                return Choice(">", p, q, yes, no)
            case name:
                return Apply(name, tuple(self.entry(b, self.broadcast(b, places)) for b in a.args))

    def reduced(self, a: Array, places: tuple[Place, ...]) -> Expr:
        function, axis, keep = a.what
        inner = a.args[0]
        if axis is None:
            over = list(range(len(inner.shape)))
            kept: list[Place] = []
        else:
            over = [axis % len(inner.shape)]
            kept = [p for k, p in enumerate(places) if k not in over] if keep else list(places)
        letters = {k: next(self.letters) for k in over}
        rest = iter(kept)
        where = tuple(at(letters[k]) if k in letters else next(rest) for k in range(len(inner.shape)))
        body = self.entry(inner, where)
        real = [(letters[k], at(1), at(inner.shape[k])) for k in over if inner.shape[k] != "1"]
        out: Expr = Total(body, tuple(real)) if real else body
        for _, _, high in real:
            out = Op("/", out, Count(high)) if function == "mean" else out
        return out

    @staticmethod
    def broadcast(b: Array, places: tuple[Place, ...]) -> tuple[Place, ...]:
        """NumPy's rule: the last axes meet."""
        return places[len(places) - len(b.shape):]


@dataclass
class Maker:
    """Arrays of a wanted shape."""

    dice: Dice
    names: dict[str, Shape]
    kinks: bool
    budget: int = 12

    def leaf(self, shape: Shape) -> Array:
        fitting = [n for n, s in self.names.items() if s == shape]
        if fitting and not (shape == () and chance(self.dice, 30)):
            return Array("name", shape, (), pick(self.dice, fitting[::-1]))
        if shape == ():
            return Array("number", (), (), pick(self.dice, (Fraction(2), Fraction(1, 2), Fraction(-1), Fraction(3))))
        if len(shape) == 1:
            return Array("reduce", shape, (self.leaf(("n", shape[0])),), ("sum", 0, False))
        if shape[1] == "1":
            return Array("reduce", shape, (self.leaf((shape[0], "m")),), ("sum", 1, True))
        if shape == ("m", "n"):
            return Array("T", shape, (self.leaf(("n", "m")),))
        return Array("outer", shape, (self.leaf(shape[:1]), self.leaf(shape[1:])))

    def make(self, shape: Shape, depth: int) -> Array:
        """An array of this shape."""
        self.budget -= 1
        if depth <= 0 or self.budget <= 0:
            return self.leaf(shape)
        go = self.make
        size = lambda: pick(self.dice, ("n", "m"))  # noqa: E731
        if shape == ():
            kind = weighted(self.dice, ((5, "sum"), (2, "mean"), (2, "dot"), (1, "trace"), (1, "norm"), (1, "binary"), (1, "unary")))
            if kind in ("sum", "mean"):
                inner = go(pick(self.dice, (("n",), ("n", "m"), ("n", "n"), ("m",))), depth - 1)
                return Array("reduce", (), (inner,), (kind, None, False))
            if kind == "dot":
                s = size()
                return Array("matmul", (), (go((s,), depth - 1), go((s,), depth - 1)))
            if kind == "trace":
                return Array("trace", (), (go((s := size(), s), depth - 1),))
            if kind == "norm":
                return Array("norm", (), (go(pick(self.dice, (("n",), ("n", "m"))), depth - 1),))
        elif len(shape) == 1:
            s = size()
            kind = weighted(self.dice, ((3, "matvec"), (1, "vecmat"), (2, "sum1"), (2, "sum0"), (3, "binary"), (3, "unary"), (1, "softmax"), (1, "broadcast")))
            if kind == "matvec":
                return Array("matmul", shape, (go((shape[0], s), depth - 1), go((s,), depth - 1)))
            if kind == "vecmat":
                return Array("matmul", shape, (go((s,), depth - 1), go((s, shape[0]), depth - 1)))
            if kind in ("sum1", "sum0"):
                inner = (shape[0], s) if kind == "sum1" else (s, shape[0])
                return Array("reduce", shape, (go(inner, depth - 1),), (pick(self.dice, ("sum", "mean")), 1 if kind == "sum1" else 0, False))
        elif shape[1] == "1":
            inner = go((shape[0], size()), depth - 1)
            return Array("reduce", shape, (inner,), (pick(self.dice, ("sum", "mean")), pick(self.dice, (1, -1)), True))
        else:
            s = size()
            kind = weighted(self.dice, ((3, "matmul"), (2, "T"), (3, "outer"), (3, "binary"), (3, "unary"), (2, "softmax"), (3, "broadcast")))
            if kind == "matmul":
                return Array("matmul", shape, (go((shape[0], s), depth - 1), go((s, shape[1]), depth - 1)))
            if kind == "T":
                inner = go(shape[::-1], depth - 1)
                return Array("T", shape, (inner,)) if inner.kind in ("name", "T") or inner.kind in ("matmul", "binary") else Array("T", shape, (self.leaf(shape[::-1]),))
            if kind == "outer":
                left = go(shape[:1], depth - 1)
                return Array("outer", shape, (left, left if shape[0] == shape[1] and chance(self.dice, 60) else go(shape[1:], depth - 1)))
        if kind == "softmax":
            return Array(pick(self.dice, ("softmax", "softmax", "log_softmax")), shape, (go(shape, depth - 1),), -1 if len(shape) == 1 or chance(self.dice, 60) else 0)
        if kind == "unary":
            return self.unary(shape, depth)
        other = shape
        if kind == "broadcast":
            other = pick(self.dice, ((), shape[1:], (shape[0], "1"))) if len(shape) == 2 else ()
        return self.binary(shape, other, depth)

    def unary(self, shape: Shape, depth: int) -> Array:
        """A function entry by entry, a power, a clip or a choice."""
        inner = self.make(shape, depth - 1)
        kind = weighted(self.dice, ((6, "function"), (2, "power"), (1 if self.kinks else 0, "clip"), (1 if self.kinks else 0, "where"), (1, "sqrt"), (1, "log")))
        if kind == "power":
            return Array("power", shape, (inner,), pick(self.dice, (2, 3)))
        if kind == "clip":
            return Array("clip", shape, (inner, number(Fraction(-1, 3)), number(Fraction(2, 3))))
        if kind == "where":
            return Array("where", shape, (self.leaf(shape), number(Fraction(1, 5)), inner, self.make(shape, depth - 1)))
        if kind in ("sqrt", "log"):
            return Array(kind, shape, (Array("binary", shape, (number(Fraction(1)), Array("power", shape, (inner,), 2)), "+"),))
        return Array(pick(self.dice, UNARY + KINKED if self.kinks else UNARY), shape, (inner,))

    def binary(self, shape: Shape, other: Shape, depth: int) -> Array:
        """a op b, with NumPy's broadcasting."""
        left = self.make(shape, depth - 1)
        right = left if other == shape and chance(self.dice, 25) else self.make(other, depth - 1)
        sign = weighted(self.dice, ((3, "*"), (3, "+"), (2, "-"), (2, "/")))
        if sign == "/":
            right = Array("binary", other, (number(Fraction(1)), Array("power", other, (right,), 2)), "+") if chance(self.dice, 70) else Array("exp", other, (right,))
            return Array("binary", shape, (left, right), "/")
        return Array("binary", shape, (left, right) if chance(self.dice, 70) or sign == "-" else (right, left), sign)


def number(v: Fraction) -> Array:
    """A number."""
    return Array("number", (), (), v)


@dataclass(frozen=True)
class NumpyProgram:
    """Lines (name, array); the last one is the objective."""

    inputs: dict[str, Shape]
    lines: tuple[tuple[str, Array], ...]

    def source(self) -> Source:
        """The same as an index program, with the text that symnet reads."""
        shapes = {n: tuple(Axis(at(s)) for s in shape) for n, shape in self.inputs.items()}
        made = []
        for name, a in self.lines:
            lowering = Lowering()
            letters = [next(lowering.letters) for _ in a.shape]
            made.append(Line(name, tuple(map(at, letters)), tuple((x, at(1), at(s)) for x, s in zip(letters, a.shape, strict=True)),
                             lowering.entry(a, tuple(map(at, letters)))))
            shapes[name] = tuple(Axis(at(s)) for s in a.shape)
        names = tuple(self.inputs)
        sizes = tuple(s for s in ("n", "m") if any(s in shape for shape in self.inputs.values()))
        return Source(shapes, names, tuple(made), sizes, POSITIVE & set(names), frozenset(n for n, _ in self.lines), names, "numpy",
                      {"from": "text", "text": [f"{name} = {text(a)}" for name, a in self.lines], "numpy": self})


def walk(a: Array) -> Iterator[Array]:
    """The array and all below it."""
    yield a
    for b in a.args:
        yield from walk(b)


def numpy_program(dice: Dice, kinks: bool = True) -> Source:
    """One to four lines."""
    names = {n: s for n, s in INPUTS if n in ("x", "W") or chance(dice, 60)}
    maker = Maker(dice, dict(names), kinks)
    lines: list[tuple[str, Array]] = []
    for name in ("P", "Q", "z")[: weighted(dice, ((3, 0), (4, 1), (3, 2), (1, 3)))]:
        shape = pick(dice, (("n",), ("n", "n"), ("n", "m"), (), ("m",)))
        maker.budget = 6
        lines.append((name, maker.make(shape, 2)))
        maker.names[name] = shape
    maker.budget = 10
    goal = maker.make((), 3)
    for name, _ in lines:
        if all(name not in {b.what for b in walk(a)} for a in [goal, *[a for _, a in lines]]):
            part = Array("name", maker.names[name], (), name)
            part = part if maker.names[name] == () else Array("reduce", (), (Array("power", part.shape, (part,), 2),), ("sum", None, False))
            goal = Array("binary", (), (goal, part), "+")
    lines.append(("L", goal))
    used = {b.what for _, a in lines for b in walk(a) if b.kind == "name"}
    sizes = {s for _, a in lines for b in walk(a) for s in b.shape}
    keep = {n: s for n, s in names.items() if n in used or (n == "W" and "m" in sizes) or n == "x"}
    return NumpyProgram(keep, tuple(lines)).source()


def by_numpy(source: Source, arrays: dict[str, Any]) -> float:
    """The objective as real NumPy computes it from the text."""
    space: dict[str, Any] = {"np": np, **{f: getattr(np, f) for f in ("exp", "log", "sqrt", "tanh", "sin", "cos", "arctan", "square", "abs", "sum", "mean",
                                                                     "outer", "trace", "clip", "where")}}
    from math import erf

    def softmax(z: Any, axis: int = -1) -> Any:
        e = np.exp(z)
        return e / e.sum(axis=axis, keepdims=True)

    space |= {"sigmoid": lambda z: 1 / (1 + np.exp(-z)), "softplus": lambda z: np.log1p(np.exp(z)), "relu": lambda z: np.where(z > 0, z, 0.0),
              "erf": np.vectorize(erf), "softmax": softmax, "log_softmax": lambda z, axis=-1: np.log(softmax(z, axis)), "norm": np.linalg.norm, **arrays}
    value: Any = 0.0
    for one in source.notes["text"]:
        name, right = one.split(" = ", 1)
        value = space[name] = eval(right, space)  # noqa: S307 - text that the laws made themselves
    return float(value)


def smaller(source: Source) -> Iterator[Source]:
    """Programs that are simpler by one change."""
    program: NumpyProgram = source.notes["numpy"]
    for k, (name, a) in enumerate(program.lines):
        rest = (*program.lines[:k], *program.lines[k + 1:])
        if k < len(program.lines) - 1 and all(name not in {c.what for c in walk(b)} for _, b in rest):
            yield NumpyProgram(program.inputs, rest).source()
        for b in simpler(a, program.inputs):
            lines = (*program.lines[:k], (name, b), *program.lines[k + 1:])
            used = {c.what for _, d in lines for c in walk(d)} | {"x", "W"}
            yield NumpyProgram({n: s for n, s in program.inputs.items() if n in used}, lines).source()


def simpler(a: Array, names: dict[str, Shape]) -> Iterator[Array]:
    """A child of the same shape, an input of the same shape, then the same below."""
    for b in walk(a):
        if b is not a and b.shape == a.shape:
            yield b
    if a.kind != "name":
        yield from (Array("name", a.shape, (), n) for n, s in names.items() if s == a.shape)
    if a.kind != "number" and a.shape == ():
        yield number(Fraction(1))
    for k, c in enumerate(a.args):
        for d in simpler(c, names):
            yield Array(a.kind, a.shape, (*a.args[:k], d, *a.args[k + 1:]), a.what)


