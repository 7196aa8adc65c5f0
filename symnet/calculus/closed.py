"""Closed forms: every intermediate put in, an expression in the inputs alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sympy as sp

from symnet.core.derivation import Derivation
from symnet.core.expressions import BINDERS, as_written, entries, limits, multiplied, rebuild, summed
from symnet.core.index_letters import Labels
from symnet.core.length import length
from symnet.core.program import Definition, Program
from symnet.core.schedule import schedule
from symnet.core.tensors import entry_indices, tensor_name
from symnet.errors import NameError_, ShapeError

LONGEST, LONG = 1_000_000, 400  # characters of a closed form that is made, and of a part that SymPy no longer looks through


def closed_form(derivation: Derivation, name: str) -> sp.Expr:
    """The gradient with respect to ``name`` (or the value of a definition, by its own name) in the inputs alone.

    A tensor's closed form is written with the indices of its definition. A line that is put in twice is one object: the expression
    shares its parts, though its text does not. Raises ShapeError for a recurrence with a symbolic number of steps, which has none until
    it is instantiated, and, before anything is put in, for one of more than LONGEST characters.
    """
    program = derivation.full
    target = derivation.names.get(name, name)
    with as_written():
        return _closed(program, program[target].name)


def closed_length(derivation: Derivation, name: str) -> int:
    """About how many characters ``closed_form`` has; nothing is put in to find out."""
    program = derivation.full
    target = program[derivation.names.get(name, name)].name
    return _lengths(_lines(program, target))[target]


def closed_scalars(program: Program, given: Mapping[sp.Basic, sp.Expr] | None = None) -> dict[sp.Basic, sp.Expr]:
    """Each line of a program of scalars with everything put in, by its entry; ``given`` are expressions for its inputs."""
    there = dict(given or {})
    for d in program.definitions:
        there[d.entry] = d.expr.xreplace(there)
    return there


def _closed(program: Program, name: str) -> sp.Expr:
    lines = _lines(program, name)
    long = _lengths(lines)[name]
    if long > LONGEST:
        raise ShapeError(f"closed form of {name}", f"about {long:,} characters", f"at most {LONGEST:,}",
                         "gradients[...] for the same in named intermediates, at(...) for values")
    d = lines[name]
    try:
        return Closing(lines, Labels.of(program)).expression(d.expr, {i: i for i in d.free}, tuple(map(str, d.free)))
    except RecursionError:
        raise ShapeError(f"closed form of {name}", f"{len(lines)} lines, one inside the other", "fewer",
                         "gradients[...] for the same in named intermediates, at(...) for values") from None


def _lines(program: Program, name: str) -> dict[str, Definition]:
    """The definitions that ``name`` needs, in order, each of which must be a single line."""
    needed, found = _needed(program, name), dict[str, Definition]()
    for block in schedule(program):
        names = {d.name for d in block.definitions} & needed
        if not names:
            continue
        if block.is_loop or any(len(program.by_name[n]) > 1 for n in names):
            raise ShapeError(f"closed form of {name}", f"{sorted(names)[0]} is defined in slices along an axis",
                             "a derivation without a recurrence", "instantiate(sizes) first")
        found[block.definitions[0].name] = block.definitions[0]
    if name not in found:
        raise NameError_(f"closed form of {name}", "an input", "a gradient or a definition")
    return found


def _lengths(lines: Mapping[str, Definition]) -> dict[str, int]:
    """How long the closed form of each line is: that of its right side with those of the lines before in place of their names."""
    found: dict[str, int] = {}
    for name, d in lines.items():
        known: dict[Any, int] = {e: found[tensor_name(e)] for e in entries(d.expr) if tensor_name(e) in found}
        found[name] = length(d.expr, known)
    return found


def _needed(program: Program, name: str) -> set[str]:
    found, stack = {name}, [name]
    while stack:
        for used in program.uses(stack.pop()):
            if used not in found:
                found.add(used)
                stack.append(used)
    return found


class Closing:
    """Writes closed forms from the outside in: bound indices get their letters at once, and what is put in twice is made once."""

    def __init__(self, lines: Mapping[str, Definition], labels: Labels) -> None:
        self.lines, self.labels = lines, labels
        self.made: dict[tuple[Any, ...], sp.Expr] = {}
        self.lengths: dict[Any, int] = {}

    def line(self, name: str, places: tuple[sp.Expr, ...], taken: tuple[str, ...]) -> sp.Expr:
        """The closed form of an entry. ``taken`` are the letters in use around it."""
        key = (name, places, taken)
        if key not in self.made:
            d = self.lines[name]
            self.made[key] = self.expression(d.expr, dict(zip(d.indices, places, strict=True)), taken)
        return self.made[key]

    def expression(self, expr: sp.Basic, scope: Mapping[sp.Basic, sp.Expr], taken: tuple[str, ...]) -> Any:
        """``expr`` with the indices of ``scope`` and the lines put in."""
        if isinstance(expr, (sp.Indexed, sp.Symbol)):
            if expr in scope:
                return scope[expr]
            places = tuple(e.xreplace(dict(scope)) for e in entry_indices(expr))
            name = tensor_name(expr)
            if name in self.lines and expr.is_integer is not True:
                return self.line(name, places, taken)
            return rebuild(expr, (expr.base, *places)) if places else expr
        if isinstance(expr, BINDERS):
            return self._binder(expr, dict(scope), taken)
        if not expr.args:
            return expr
        args = tuple(self.expression(a, scope, taken) for a in expr.args)
        if isinstance(expr, (sp.Pow, sp.Function)) and args != expr.args and self._long(args[0]):
            return expr.func(*args, evaluate=False)  # SymPy would ask for the sign of all of it
        if isinstance(expr, sp.Mul) and args != expr.args and any(map(self._long, args)):
            return multiplied(args)
        return rebuild(expr, args)

    def _long(self, expr: sp.Basic) -> bool:
        return length(expr, self.lengths) > LONG

    def _binder(self, expr: sp.Expr, scope: dict[sp.Basic, sp.Expr], taken: tuple[str, ...]) -> sp.Expr:
        over, inner = [], dict(scope)
        for i, lo, hi in limits(expr):
            letter = self.labels.pick((lo, hi), taken, str(i.name))
            inner[i], taken = letter, (*taken, str(letter))
            over.append((letter, lo.xreplace(scope), hi.xreplace(scope)))
        body = self.expression(expr.function, inner, taken)
        return summed(body, over) if isinstance(expr, sp.Sum) and self._long(body) else expr.func(body, *over)
