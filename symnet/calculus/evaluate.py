"""Exact values: a program at a point, every line an exact number, decimals to any number of digits on request."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import sympy as sp
from flint import ctx, fmpq

from symnet.calculus.instantiate import Entries, instantiate_program
from symnet.core.axes import Axis
from symnet.core.numbers import Number, Shown, as_ball, compute, decide, decimal, rational, to_flint
from symnet.core.program import Program
from symnet.core.tensors import Tensor
from symnet.core.wellformed import did_you_mean
from symnet.errors import DomainError, NameError_, ShapeError, SymnetError

EXACT_BITS, LARGE = 256, 100  # bits that decide which case holds; nodes of numbers that SymPy still may look at


@dataclass(frozen=True)
class Evaluation:
    """The values of every line of a program. Tensors come as nested lists, scalars as single values.

    ``exact(name)`` gives exact SymPy numbers, ``decimal(name, digits)`` correctly rounded decimals, ``ball(name, bits)``
    certified enclosures; ``scalars`` is the program of scalars that was evaluated.
    """

    program: Program
    scalars: Program
    point: Mapping[str, sp.Rational]  # scalar name -> value
    sizes: Mapping[str, int]
    entries: Entries = field(repr=False)
    _balls: dict[int, dict[str, Any]] = field(default_factory=dict, repr=False)
    _exact: dict[str, sp.Expr] = field(default_factory=dict, repr=False)

    @property
    def names(self) -> tuple[str, ...]:
        """Every tensor that has a value."""
        return tuple(self.program.tensors)

    def balls(self, bits: int) -> dict[str, Any]:
        """Every scalar at a working precision of ``bits``: exact fmpq while it is rational, else a certified ball."""
        if bits not in self._balls:
            with ctx.workprec(bits):
                values: dict[Any, Any] = {t[()]: to_flint(self.point[t.name]) for t in self.scalars.inputs}
                for d in self.scalars.definitions:
                    values[d.entry] = compute(d.expr, values)
            self._balls[bits] = {str(k): v for k, v in values.items()}
        return self._balls[bits]

    def exact_scalar(self, name: str) -> sp.Expr:
        """The exact value of one scalar line, all values put in."""
        if not self._exact:
            table: dict[sp.Basic, sp.Expr] = {t[()]: self.point[t.name] for t in self.scalars.inputs}
            known = self._known()
            with ctx.workprec(EXACT_BITS):
                for d in self.scalars.definitions:
                    table[d.entry] = _put_in(d.expr, known.get(d.entry), table, known)
            self._exact.update({str(k): v for k, v in table.items()})
        return self._exact[name]

    def _known(self) -> dict[sp.Basic, Number]:
        """A ball for every scalar; nothing when some line has no value here."""
        try:
            balls = self.balls(EXACT_BITS)
        except SymnetError:
            return {}
        places = [*(t[()] for t in self.scalars.inputs), *(d.entry for d in self.scalars.definitions)]
        return {e: balls[str(e)] for e in places}

    def exact(self, name: str) -> Any:
        """The exact value(s) of a tensor."""
        return self._nested(name, lambda t: self.exact_scalar(t.name))

    def ball(self, name: str, bits: int = 128) -> Any:
        """Certified enclosure(s)."""
        return self._nested(name, lambda t: as_ball(self.balls(bits)[t.name]))

    def decimal(self, name: str, digits: int = 6) -> Any:
        """Correctly rounded decimal text(s), ``digits`` significant digits."""
        return self._nested(name, lambda t: self.shown(t.name, digits).text)

    def shown(self, scalar: str, digits: int) -> Shown:
        """The decimal of one scalar with word on whether it is exact."""
        return decimal(lambda bits: self.balls(bits)[scalar], digits)

    def _nested(self, name: str, leaf: Callable[[Tensor], Any]) -> Any:
        tensor = self.program[name]
        flat = iter([leaf(t) for t in self.entries.of(name)])
        return _nest(flat, [int(a.size.xreplace(self.entries.env)) for a in tensor.axes])


def _put_in(expr: sp.Expr, value: Number | None, table: Mapping[sp.Basic, sp.Expr], known: Mapping[sp.Basic, Number]) -> sp.Expr:
    """``expr`` with every value put in: a rational where it is one, of cases the branch that holds, and large numbers as they stand.

    SymPy asks for the sign of every number that it puts into tanh, | | or a comparison, which takes for ever where it is large.
    """
    if isinstance(value, fmpq):
        return sp.Rational(int(value.p), int(value.q))
    if known:
        expr = expr.xreplace({c: _branch(c, known) for c in expr.atoms(sp.Piecewise)})
    used = {e: table[e] for e in expr.free_symbols if e in table}
    with sp.evaluate(sum(itertools.islice((1 for v in used.values() for _ in sp.preorder_traversal(v)), LARGE)) < LARGE):
        return expr.xreplace(used)


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
            raise NameError_("values", f"no input named {name!r}", "an input of the program", did_you_mean(name, known))
    missing = [name for name in known if name not in values]
    if missing:
        raise NameError_("values", f"no value for {', '.join(missing)}", "a value for every input")
    nested = {name: to_rationals(name, value) for name, value in values.items()}
    found = {**sizes_from(program, nested), **(sizes or {})}
    scalars, entries = instantiate_program(program, found)
    point = {t.name: v for name in known for t, v in zip(entries.of(name), _leaves(nested[name]), strict=True)}
    _check_domains(scalars, point)
    return Evaluation(program, scalars, point, found, entries)


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
    found: dict[str, int] = {}
    later: list[tuple[str, Axis, int]] = []
    for t in program.inputs:
        shape = shape_of(t.name, nested[t.name])
        if len(shape) != len(t.axes):
            raise ShapeError(f"value of {t.name}", f"an array with {len(shape)} axes", f"{len(t.axes)} axes, {t.shape}")
        for axis, n in zip(t.axes, shape, strict=True):
            if axis.size.is_Symbol:
                if found.setdefault(str(axis.size), n) != n:
                    raise ShapeError(f"value of {t.name}", f"size {axis.size} = {n}", f"{found[str(axis.size)]}, as above")
            else:
                later.append((t.name, axis, n))
    for name, axis, n in later:
        _fits(name, axis, n, found)
    return found


def _fits(name: str, axis: Axis, n: int, found: dict[str, int]) -> None:
    """An axis of size K + M - 1 or 3: solve for the one unknown size, or compare."""
    env = {s: sp.Integer(found[str(s)]) for s in axis.size.free_symbols if str(s) in found}
    left = sp.expand(axis.size.xreplace(env))
    unknown = sorted(left.free_symbols, key=str)
    if len(unknown) == 1 and left.coeff(unknown[0], 1).is_Integer:
        value = (n - left.xreplace({unknown[0]: sp.S.Zero})) / left.coeff(unknown[0], 1)
        if value.is_Integer and value >= 1:
            found[str(unknown[0])] = int(value)
            return
    if left != n:
        raise ShapeError(f"value of {name}", f"{n} entries along an axis", f"{left}")


def _check_domains(scalars: Program, point: Mapping[str, sp.Rational]) -> None:
    for t in scalars.inputs:
        value = point[t.name]
        if (t.domain == "positive" and value <= 0) or (t.domain == "nonnegative" and value < 0):
            raise DomainError(f"value of {t.parent or t.name}", str(value), f"a {t.domain} number, as declared")
        inside = value.is_Integer and (t.classes is None or (value >= 0 and value < t.classes))
        if t.domain == "index" and value != t.ignored and not inside:
            top = "" if t.classes is None else f" to {t.classes - 1}"
            raise DomainError(f"value of {t.parent or t.name}", str(value), f"a whole number from 0{top}, as declared")
