"""The branches of a maximum or minimum, chosen by comparing its arguments as they were computed.

The slope of max(x + g, y + g) holds step(y - x) once SymPy has added up: rounded, x + g and y + g may tie where x and y do not, and of
three arguments two tests that are rounded differently may choose none, or two. ``compared`` puts the arguments themselves back in every
test of a gradient line, as ``exceeds``: the numbers that the forward pass compared, so that exactly one branch is taken, of equals the
first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import sympy as sp

from symnet.arrays.canonical import canonical
from symnet.arrays.stable_functions import exceeds
from symnet.core.axes import is_index
from symnet.core.expressions import as_written, fresh, rebuild, substitute
from symnet.core.functions import extremum_tests, step
from symnet.core.program import Program
from symnet.core.tensors import Role, entry_indices, tensor_name

Letters = Mapping[sp.Symbol, sp.Expr]


@dataclass(frozen=True, slots=True)
class _Test:
    """One test of a maximum: is ``left`` above ``right``? ``difference`` is added up, ``entries`` stand in it."""

    left: sp.Expr
    right: sp.Expr
    difference: sp.Expr
    entries: tuple[sp.Indexed, ...]
    names: frozenset[str]


def compared(program: Program) -> Program:
    """The same program; in gradient lines step(u - v) is exceeds(u, v) where a line above takes the larger or smaller of u and v.

    >>> import symnet as sn
    >>> d = sn.derive(sn.program("L = max(x + g, y + g)"), wrt="x")
    >>> print(compared(d.full).by_name["dL_dx"][0].expr)
    1 - exceeds(g + y, g + x)
    """
    with as_written():
        return _compared(program)


def _compared(program: Program) -> Program:
    tests = list(dict.fromkeys(_tests(program)))
    if not tests:
        return program
    known: dict[sp.Basic, sp.Basic] = {}

    def with_tests(expr: sp.Basic) -> sp.Basic:
        if expr.is_Atom or isinstance(expr, sp.Indexed) or not expr.has(step):
            return expr
        if expr not in known:
            made = _found(expr.args[0], tests) if isinstance(expr, step) else None
            known[expr] = made or rebuild(expr, tuple(with_tests(a) if isinstance(a, sp.Basic) else a for a in expr.args))
        return known[expr]

    lines = [replace(d, expr=with_tests(d.expr)) if d.target.role is Role.GRADIENT else d for d in program.definitions]
    return Program(program.inputs, tuple(lines), program.objective, program.assumptions, program.title)


def _tests(program: Program) -> Iterator[_Test]:
    for d in program.definitions:
        if d.target.role is Role.GRADIENT:
            continue
        for node in sorted(d.expr.atoms(sp.Max, sp.Min), key=str):
            for left, right in extremum_tests(node):
                if left != 0 and right != 0:  # the sign of one number is no difference
                    yield _Test(left, right, *_read(left - right))


def _read(difference: sp.Expr) -> tuple[sp.Expr, tuple[sp.Indexed, ...], frozenset[str]]:
    added = canonical(sp.expand(difference))
    inside = sorted(added.atoms(sp.Indexed), key=lambda e: (-len(_letters(e)), str(e)))
    return added, tuple(inside), frozenset(s.name for s in added.free_symbols if s.is_Symbol and not s.is_integer)


def _letters(expr: sp.Expr) -> set[sp.Symbol]:
    return {*filter(is_index, expr.free_symbols)}


def _found(difference: sp.Expr, tests: Sequence[_Test]) -> sp.Expr | None:
    """exceeds of the two whose difference this is, at its own places."""
    added, inside, names = _read(difference)
    for test in tests:
        if test.names == names and len(test.entries) == len(inside):
            for there in _bound({}, test.entries, inside, _letters(test.difference)):
                placed = {e.xreplace(dict(there)) for e in test.entries}  # much sooner found than the whole difference
                if placed == {*inside} and canonical(sp.expand(substitute(test.difference, there))) == added:
                    return exceeds(*[fresh(substitute(side, there)) for side in (test.left, test.right)])
    return None


def _bound(there: Letters, written: Sequence[sp.Indexed], read: Sequence[sp.Indexed], letters: set[sp.Symbol]) -> Iterator[Letters]:
    """What the letters may stand for, so that the entries ``written`` become those ``read``."""
    left = next((e for e in written if (_letters(e) & letters) - there.keys()), None)
    if left is None:
        yield there
        return
    for e in read:
        if tensor_name(e) == tensor_name(left):
            more = dict(there)
            for own, place in zip(entry_indices(left), entry_indices(e), strict=True):
                for s in (_letters(own) & letters) - more.keys():
                    if not (own - s).has(s):
                        more[s] = sp.expand(place - (own - s).xreplace(more))
            if len(more) > len(there):
                yield from _bound(more, written, read, letters)
