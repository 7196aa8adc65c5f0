"""What a function returns, traced with symbolic sizes, against the gradients: proved for all sizes, or left to the proof at sizes.

Each returned value is a claim: a Program whose lines ``line_matching`` seeks among the derivation's, so that a deep network is compared
layer by layer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import replace
from typing import Any, Protocol

import sympy as sp

from symnet.calculus import derive
from symnet.checking.claims import in_tensors_of
from symnet.checking.code.calling import Binding, arguments_of
from symnet.checking.code.conditional import candidates
from symnet.checking.code.returning import read_result
from symnet.checking.line_matching import LineMatching
from symnet.checking.question import Question
from symnet.checking.slips.kinds import Mistake
from symnet.checking.slips.search import slip_of
from symnet.core.axes import Axis
from symnet.core.derivation import Derivation
from symnet.core.expressions import When, entries
from symnet.core.program import Assumption, Program
from symnet.core.tensors import Tensor, entry_indices, free_name, tensor_name
from symnet.core.time_limit import time_is_over
from symnet.core.verdict import Answer, Verdict
from symnet.errors import FaultError, SymnetError, internal

MOST_LINES = 200  # of one returned value
Known = tuple[tuple[Assumption, ...], str]  # what may be needed, and how it is said


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


def judge_for_all_sizes(function: Callable[..., Any], binding: Binding, derivation: Derivation, program: Program,
                        returns: Sequence[str], tracer: Callable[[], Tracing]) -> AllSizesJudge | None:
    """The judge of a function that has a form for all sizes; of any other, None: it is judged at sizes.

    ``derivation`` has every tensor that is returned among its gradients or lines, and is made without what ``program`` declares;
    where nothing is declared a value may need that the rows of targets sum to 1.
    """
    try:
        return AllSizesJudge(function, binding, derivation, candidates(program), not program.assumptions, returns, tracer())
    except FaultError:
        raise
    except (SymnetError, RecursionError):
        return None


class AllSizesJudge:
    """One function, traced once, and the lines of the derivation that its own were found equal to."""

    def __init__(self, function: Callable[..., Any], binding: Binding, derivation: Derivation,
                 known: list[Known], rows: bool, returns: Sequence[str], tracing: Tracing) -> None:
        program, self.labels = _with_labels(derivation.program, binding)
        self.known = [((), "")] if self.labels else known or [((), "")]
        self.rows = rows and not self.labels
        self.derivation = derive(program, derivation.wrt) if self.labels else derivation
        self.tracing = tracing
        every: dict[str, Any] = {t.name: tracing.array(t) for t in program.inputs}
        chosen = {name: every[label.name] for name, label in self.labels.items()}
        sizes = {str(s): tracing.size(s) for s in program.sizes}
        front, given = arguments_of(function, binding, derivation.program, every, sizes, chosen)
        self.returned, _ = read_result(tracing.run(function, front, given), derivation, returns, tracing.read)
        self.matching = LineMatching(self.derivation)

    def proved(self, wrong: Set[str] = frozenset(), needing: Set[str] = frozenset()) -> dict[str, Verdict]:
        """The returned values that are PROVED, or CONDITIONAL on what is declared, for all sizes; others are not in the table.

        What is known to be ``wrong`` somewhere is not tried, and what is ``needing`` what is declared not without it.
        """
        asked = [n for n in self.returned if n not in wrong or n in needing]
        found = {name: verdict for name in asked if not time_is_over() and (verdict := self._alone(name, name in needing)) is not None}
        return found

    def slip(self, name: str) -> Mistake | None:
        """The slip in a returned value that is refuted, by the formulas of the code's own lines."""
        claim = None if name not in self.derivation.names or name not in self.returned or time_is_over() else self._claim(name)
        return slip_of(claim, self.derivation, name) if claim is not None and len(claim.definitions) <= MOST_LINES else None

    def _claim(self, name: str) -> Program:
        return self.tracing.program(self.returned[name], free_name("answer", self.derivation.full.tensors))

    def _alone(self, name: str, needed: bool) -> Verdict | None:
        """The verdict on one value, if there is one; what breaks inside symnet is said, and not passed over."""
        try:
            return self._verdict(name, needed)
        except (FaultError, MemoryError):
            raise
        except (SymnetError, RecursionError):
            return None
        except Exception as error:
            return Verdict(Answer.UNDECIDED, reason=internal(error))

    def _verdict(self, name: str, needed: bool) -> Verdict | None:
        """The verdict on one returned value, or None."""
        full = self.derivation.full
        if name not in self.derivation.names and name != full.objective:
            return None
        claim = in_tensors_of(self._claim(name), full)
        if len(claim.definitions) > MOST_LINES:
            return None
        for declared, said in self.known if needed or not self.rows else [((), "")]:
            verdict = Question(self.derivation, name, claim, declared, self.matching).for_all_sizes(needed and bool(declared))
            if verdict is not None and verdict.answer is Answer.PROVED:
                return verdict
            if verdict is not None and verdict.answer is Answer.CONDITIONAL and \
                    set(verdict.condition.split(" and ")) <= set(map(str, declared)):
                return replace(verdict, condition=said) if self.rows else verdict
        return None


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
