"""What a function returns, traced with symbolic sizes, against the gradients: proved for all sizes, or left to the proof at sizes.

Each returned value is a Program. Its lines are sought among the derivation's first to last, as in circuit equivalence checking: a line
that is proved equal to one of the same names and shape takes that one's name, so that a deep network is compared layer by layer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import replace
from typing import Any, Protocol

import sympy as sp

from symnet.calculus import derive
from symnet.checking.answers_sizes import Question
from symnet.checking.code.calling import Binding, arguments_of
from symnet.checking.code.returning import read_result
from symnet.core.axes import Axis
from symnet.core.derivation import Derivation
from symnet.core.expressions import When, entries, rebuild
from symnet.core.functions import step
from symnet.core.program import Assumption, Definition, Program, right_side_at
from symnet.core.tensors import Tensor, entry_indices, free_name, tensor_name
from symnet.core.time_limit import time_is_over
from symnet.core.verdict import Answer, Verdict
from symnet.equality.sums.all_sizes import prove_for_all_sizes
from symnet.errors import FaultError, SymnetError, internal
from symnet.indexing.index_array import IndexArray

MOST_LINES = 200  # of one returned value


class Tracing(Protocol):
    """How a function is traced with symbolic sizes; ``frontends.numpy_binding`` has one, and the face hands it in."""

    def array(self, tensor: Tensor) -> Any:
        """The argument that a tensor is."""

    def size(self, size: sp.Expr) -> Any:
        """The argument that a size is."""

    def run(self, function: Callable[..., Any], front: Sequence[Any], given: Mapping[str, Any]) -> Any:
        """What the function returns."""

    def read(self, where: str, value: Any) -> Any:
        """A returned value as an array."""

    def program(self, value: Any, name: str) -> Program:
        """The program whose last line is a returned value."""


def proved_for_all_sizes(function: Callable[..., Any], binding: Binding, derivation: Derivation, declared: tuple[Assumption, ...],
                         returns: Sequence[str], tracer: Callable[[], Tracing], wrong: Set[str] = frozenset()) -> dict[str, Verdict]:
    """The returned values that are PROVED, or CONDITIONAL on what is declared, for all sizes; others that are judged are not in the table.

    ``derivation`` has every tensor that is returned among its gradients or lines, and is made without what is ``declared``.
    What is known to be ``wrong`` somewhere is not tried.
    """
    found: dict[str, Verdict] = {}
    try:
        judge = _Judge(function, binding, derivation, declared, returns, tracer())
    except FaultError:
        raise
    except (SymnetError, RecursionError):  # what has no form for all sizes is judged at sizes
        return found
    for name in judge.returned:
        if name not in wrong and not time_is_over():
            verdict = _alone(judge, name)
            if verdict is not None:
                found[name] = verdict
    return found


def _alone(judge: _Judge, name: str) -> Verdict | None:
    """The verdict on one value, if there is one; what breaks inside symnet is said, and not passed over."""
    try:
        return judge.verdict(name)
    except (FaultError, MemoryError):
        raise
    except (SymnetError, RecursionError):
        return None
    except Exception as error:
        return Verdict(Answer.UNDECIDED, reason=internal(error))


class _Judge:
    """One function, traced once, and the lines of the derivation that its own were found equal to."""

    def __init__(self, function: Callable[..., Any], binding: Binding, derivation: Derivation,
                 declared: tuple[Assumption, ...], returns: Sequence[str], tracing: Tracing) -> None:
        program, self.labels = _with_labels(derivation.program, binding)
        self.declared = () if self.labels else declared
        self.derivation = derive(program, derivation.wrt) if self.labels else derivation
        self.tracing = tracing
        every: dict[str, Any] = {t.name: tracing.array(t) for t in program.inputs}
        chosen = {name: every[label.name] for name, label in self.labels.items()}
        sizes = {str(s): tracing.size(s) for s in program.sizes}
        front, given = arguments_of(function, binding, derivation.program, every, sizes, chosen)
        self.returned, _ = read_result(tracing.run(function, front, given), derivation, returns, tracing.read)
        self.full = self.derivation.full
        self.given = tuple(self.derivation.program.definitions)
        self.equal: dict[tuple[Any, ...], Definition | None] = {}
        self.known: dict[tuple[Any, ...], list[Definition]] = {}
        for lines in self.full.by_name.values():
            if len(lines) == 1 and all(i.is_Symbol for i in lines[0].indices):
                names = frozenset(tensor_name(e) for e in entries(lines[0].expr))
                self.known.setdefault((_ranges(lines[0]), names), []).append(lines[0])  # what equal lines share

    def verdict(self, name: str) -> Verdict | None:
        """The verdict on one returned value, or None."""
        if name not in self.derivation.names and name != self.full.objective:
            return None
        program = self._own(self.tracing.program(self.returned[name], free_name("answer", self.full.tensors)))
        if len(program.definitions) > MOST_LINES:
            return None
        lines, answer = self._matched(program)
        wanted = self.full[self.derivation.names.get(name, name)]
        if [a.range for a in answer.target.axes] != [a.range for a in wanted.axes]:
            return None
        value = IndexArray.over(wanted.axes, answer.indices, answer.expr, answer.holes)
        verdict = Question(self.derivation, name, self.declared, lines).for_all_sizes(value)
        conditional = verdict is not None and verdict.answer is Answer.CONDITIONAL and self.declared and \
            set(verdict.condition.split(" and ")) <= set(map(str, self.declared))
        return verdict if verdict is not None and (verdict.answer is Answer.PROVED or conditional) else None

    def _own(self, program: Program) -> Program:
        """The lines in the derivation's tensors, with names that it does not have."""
        taken = {*self.full.tensors, *map(str, self.full.sizes)}
        names: dict[str, str] = {}
        for d in program.definitions:
            if d.name not in names:
                names[d.name] = free_name(f"code_{d.name}", taken)
                taken.add(names[d.name])
        own = {t.base: self.full[t.name].base for t in program.inputs}
        own |= {d.target.base: replace(d.target, name=names[d.name]).base for d in program.definitions}
        return replace(program, inputs=tuple(self.full[t.name] for t in program.inputs), objective=names[program.objective],
                       definitions=tuple(replace(d, target=replace(d.target, name=names[d.name]), expr=_renamed(d.expr, own),
                                                 holes=tuple((_renamed(u, own), sign, over) for u, sign, over in d.holes))
                                         for d in program.definitions))

    def _matched(self, program: Program) -> tuple[tuple[Definition, ...], Definition]:
        """The lines that are equal to none of the derivation's, and the last one, in the derivation's names as far as they are."""
        found: dict[str, Definition] = {}
        kept: list[Definition] = []
        for d in program.definitions:
            line = replace(d, expr=_in_names(d.expr, found), holes=tuple((_in_names(u, found), sign, over) for u, sign, over in d.holes))
            kept.append(line)
            equal = None if d is program.definitions[-1] else self._equal(line, {k.name: k for k in kept})
            if equal is not None:
                found[d.name] = equal
                kept.pop()
        used, needed = {tensor_name(e) for e in (*entries(kept[-1].expr), *(e for u, _, _ in kept[-1].holes for e in entries(u)))}, []
        for line in reversed(kept[:-1]):
            if line.name in used:
                used |= {tensor_name(e) for e in entries(line.expr)}
                needed.append(line)
        return tuple(needed[::-1]), kept[-1]

    def _equal(self, line: Definition, own: Mapping[str, Definition]) -> Definition | None:
        """The line of the derivation that this one is; ``own`` are the code's lines before it."""
        used, waiting = dict[str, Definition](), [line]  # its own lines, which are written out
        while waiting:
            for e in entries(waiting.pop().expr):
                name = tensor_name(e)
                if name in own and name not in used:
                    used[name] = own[name]
                    waiting.append(own[name])
        names = frozenset(n for d in (line, *used.values()) for e in entries(d.expr) if (n := tensor_name(e)) not in used)
        key = line.expr, line.ranges, tuple(d.expr for d in used.values())
        if key not in self.equal:
            others = self.known.get((_ranges(line), names), ())
            self.equal[key] = next((other for other in others if self._proved(line, other, used)), None)
        return self.equal[key]

    def _proved(self, line: Definition, other: Definition, used: Mapping[str, Definition]) -> bool:
        wanted = right_side_at(other, line.indices)
        if line.expr == wanted:
            return True
        opened = {name: (d,) for name, d in used.items()}
        return prove_for_all_sizes(line.expr, wanted, line.free, (), self.given, (), opened, self.full.by_name).answer is Answer.PROVED


def _ranges(d: Definition) -> tuple[Any, ...]:
    return tuple(a.range for a in d.target.axes)


def _renamed(expr: sp.Expr, own: Mapping[sp.Basic, sp.Basic]) -> sp.Expr:
    return _in_steps(expr.xreplace(own))


def _in_steps(expr: sp.Expr) -> sp.Expr:
    """Cases on data as sums of steps, [u > 0] = step(u): {a where u > 0, else b} is b + step(u) (a - b), the same at 0 too."""
    if not expr.has(sp.Piecewise):
        return expr
    args = tuple(_in_steps(a) if isinstance(a, sp.Expr) else a for a in expr.args)
    if not isinstance(expr, sp.Piecewise):
        return rebuild(expr, args)
    made: sp.Expr | None = None
    for body, condition in reversed(expr.args):
        holds = _step_of(condition)
        if holds is None:
            return expr
        made = _in_steps(body) if made is None and condition is sp.true else None if made is None else \
            made + holds * (_in_steps(body) - made)
        if made is None:
            return expr
    return made


def _step_of(condition: sp.Basic) -> sp.Expr | None:
    """1 where the condition holds, else 0, by steps."""
    if condition in (sp.true, sp.false):
        return sp.Integer(condition is sp.true)
    if isinstance(condition, (sp.And, sp.Or, sp.Not)):
        parts = [p for c in condition.args if (p := _step_of(c)) is not None]
        if len(parts) < len(condition.args):
            return None
        if isinstance(condition, sp.And):
            return sp.Mul(*parts)
        others = sp.Mul(*[1 - p for p in parts])
        return others if isinstance(condition, sp.Not) else 1 - others
    if not isinstance(condition, (sp.Gt, sp.Ge, sp.Lt, sp.Le, sp.Eq, sp.Ne)):
        return None
    a, b = condition.args
    if isinstance(condition, (sp.Eq, sp.Ne)):
        equal = (1 - step(a - b)) * (1 - step(b - a))
        return equal if isinstance(condition, sp.Eq) else 1 - equal
    above = a - b if isinstance(condition, (sp.Gt, sp.Le)) else b - a
    return step(above) if isinstance(condition, (sp.Gt, sp.Lt)) else 1 - step(above)


def _in_names(expr: sp.Expr, found: Mapping[str, Definition]) -> sp.Expr:
    """The entries of lines that were found as entries of the derivation's."""
    there = {e: found[tensor_name(e)].target[tuple(entry_indices(e))] if entry_indices(e) else found[tensor_name(e)].target[()]
             for e in entries(expr) if tensor_name(e) in found}
    return expr.xreplace(there) if there else expr


def _with_labels(program: Program, binding: Binding) -> tuple[Program, dict[str, Tensor]]:
    """The program with class labels in place of the one-hot arrays that they stand for: Y[n, k] is [k = y[n] + 1]."""
    labels: dict[str, Tensor] = {}
    for name in binding.labels.values():
        tensor = program[name]
        axes: tuple[Axis, ...] = tensor.axes[:-1]
        label = Tensor(free_name(f"{name}_class", {*program.tensors, *map(str, program.sizes)}), axes, "index", tensor.role,
                       classes=tensor.axes[-1].size)
        labels[name] = label

        def one_hot(expr: sp.Expr, name: str = name, label: Tensor = label) -> sp.Expr:
            there = {e: When(sp.S.One, sp.Eq(entry_indices(e)[-1], label[tuple(entry_indices(e)[:-1])] + 1))
                     for e in entries(expr) if tensor_name(e) == name}
            return expr.xreplace(there)

        program = replace(program, inputs=tuple(label if t.name == name else t for t in program.inputs),
                          definitions=tuple(replace(d, expr=one_hot(d.expr)) for d in program.definitions))
    return program, labels


