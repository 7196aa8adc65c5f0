"""Slips in the forward pass that a gradient was taken of: arguments exchanged (p log y), a sum over another axis, statistics held constant.

The answer must be the gradient of the program with the slip in it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from functools import partial
from itertools import chain, combinations, islice

import sympy as sp

from symnet.calculus import derive
from symnet.calculus.closed import closed_form
from symnet.checking.local_slopes import depends
from symnet.checking.slips.answer_edits import other_axes
from symnet.checking.slips.kinds import WHOLE
from symnet.checking.slips.setting import Claim, Setting
from symnet.checking.slips.wording import Finding, Words, entry_of, like, say
from symnet.core.expressions import entries, rebuild
from symnet.core.functions import stop_gradient
from symnet.core.program import Definition, Program
from symnet.core.tensors import Tensor, tensor_name
from symnet.errors import SymnetError
from symnet.indexing.index_array import IndexArray

MOST = 24  # programs that are differentiated


def forward_slips(setting: Setting) -> Iterator[Finding]:
    """Every such slip, the gradient worked out for each."""
    for kind, words, lines, place in islice(chain(_held(setting), _exchanged(setting), _along_others(setting)), MOST):
        if setting.late:
            return
        value = _gradient(setting, lines)
        if value is not None:
            yield Finding(kind, Claim(setting.value, value), words, place)


def _gradient(setting: Setting, lines: tuple[Definition, ...]) -> IndexArray | None:
    """The gradient of other lines in the names of the forward pass, as far as these have the same lines in both; None where these are no
    program."""
    try:
        program = replace(setting.program, definitions=lines)
        derivation = derive(program, [setting.wrt])
        known = setting.program.by_name
        held = {d.name for d in lines if d.expr.has(stop_gradient)}  # the values stay
        changed = [n for n, own in program.by_name.items() if own != known.get(n) and n not in held]
        moved = {n for n in program.by_name if n in changed or any(depends(program, n, c) for c in changed)}
        kept = tuple(d for d in derivation.full.definitions if d.name in moved or d.name not in program.by_name)
        part = replace(derivation, full=Program(tuple(t for n, t in program.tensors.items() if n not in moved), kept))
        line = derivation.full.by_name[derivation.names[setting.wrt]]
        return IndexArray.over(setting.truth.axes, line[0].indices, closed_form(part, setting.wrt))
    except (SymnetError, RecursionError):
        return None


Change = tuple[str, Words, tuple[Definition, ...], str]  # kind, words, the lines with the slip, its place


def _held(setting: Setting) -> Iterator[Change]:
    """Means, variances, norms, two or all of them held constant ("missing use" tells of one): names with fewer axes than the variable,
    and sums over the entries of one array within a line."""
    program, own = setting.program, setting.truth
    fewer = [n for n in program.by_name if n != program.objective and len(program[n].axes) < len(own.axes)]
    names = [n for n in fewer if depends(program, n, setting.wrt)]
    sums = dict.fromkeys(s for d in program.definitions for s in sorted(d.expr.atoms(sp.Sum), key=str) if _of_one(s)
                         and d.target.axes and d.name not in names)
    found: list[str | sp.Sum] = [*names, *(s for s in sums if any(_moves(program, tensor_name(e), setting.wrt) for e in entries(s)))]
    for some in dict.fromkeys([tuple(found), *combinations(found, 2)]):
        if len(some) < 2:
            continue
        lines = tuple(replace(d, expr=_stopped(d.expr, some)) for d in program.definitions)
        words: Words = {"names": partial(_said, setting, some)}
        yield "held constant", words, lines, WHOLE


def _said(setting: Setting, held: Collection[str | sp.Sum]) -> str:
    return ", ".join(one if isinstance(one, str) else say(setting, one) for one in held)


def _of_one(found: sp.Sum) -> bool:
    """A sum of the entries of one array, of their squares or exponentials."""
    return len({tensor_name(e) for e in entries(found)}) == 1


def _moves(program: Program, name: str, by: str) -> bool:
    return name == by or depends(program, name, by)


def _stopped(expr: sp.Expr, held: Collection[str | sp.Sum]) -> sp.Expr:
    """The same value; nothing goes back through what is held."""
    if expr in held or (isinstance(expr, (sp.Indexed, sp.Symbol)) and tensor_name(expr) in held):
        return stop_gradient(expr)
    if isinstance(expr, (sp.Indexed, sp.Symbol)) or not expr.args:
        return expr
    return rebuild(expr, tuple(_stopped(a, held) if isinstance(a, sp.Expr) else a for a in expr.args))


def _exchanged(setting: Setting) -> Iterator[Change]:
    """Two arrays of a line in each other's place: the cross-entropy -Σ p log y for -Σ y log p."""
    for d in setting.program.definitions:
        used = [setting.program.tensors[n] for n in dict.fromkeys(map(tensor_name, sorted(set(entries(d.expr)), key=str)))]
        for a, b in ((a, b) for a, b in combinations(used, 2) if like(a, b)):
            words: Words = {"wrong": a.name, "right": b.name, "line": d.name}
            yield "arguments exchanged", words, _with(setting, d, {a: (b, None), b: (a, None)}), d.name
            for p, log in ((a, b), (b, a)):  # y log p, of log p by its name
                yield "arguments exchanged", words, _with(setting, d, {p: (log, sp.exp), log: (p, sp.log)}), d.name


def _with(setting: Setting, line: Definition, there: dict[Tensor, tuple[Tensor, type[sp.Function] | None]]) -> tuple[Definition, ...]:
    by_name = {t.name: new for t, new in there.items()}

    def other(e: sp.Expr) -> sp.Expr:
        tensor, function = by_name[tensor_name(e)]
        return entry_of(tensor, e) if function is None else function(entry_of(tensor, e))

    expr = line.expr.xreplace({e: other(e) for e in entries(line.expr) if tensor_name(e) in by_name})
    return _changed(setting, line, expr)


def _changed(setting: Setting, line: Definition, expr: sp.Expr) -> tuple[Definition, ...]:
    return tuple(replace(d, expr=expr, holes=()) if d is line else d for d in setting.program.definitions)


def _along_others(setting: Setting) -> Iterator[Change]:
    """A sum or softmax along another axis, wherever the line goes on to."""
    for d in setting.program.definitions:
        spans = {i: a.range for i, a in zip(d.indices, d.target.axes, strict=True) if isinstance(i, sp.Symbol)}
        for kind, words, expr in other_axes(d.expr, spans):
            yield kind, words, _changed(setting, d, expr), d.name
