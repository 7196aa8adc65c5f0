"""Running statistics of batch normalization: kept while a network is trained, and used for losses and predictions.

As in PyTorch, running = (1 - momentum) running + momentum of the batch, from mean 0 and variance 1, with the unbiased variance (divided
by the count less one) of the batch; without a momentum the mean over all batches. A prediction then does not depend on its company.
Source: Ioffe & Szegedy 2015, algorithm 2; docs.pytorch.org, torch.nn.BatchNorm1d.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import sympy as sp

from symnet.backends.running import function_of
from symnet.backends.source import forward_source
from symnet.core.program import Program
from symnet.core.tensors import Role
from symnet.errors import ShapeError
from symnet.networks.normalization import running_statistics

Array = np.ndarray[Any, Any]


class Running:
    """The running statistics of one training run, by the names of the program's lines; empty where nothing is kept."""

    def __init__(self, program: Program) -> None:
        self.program, self.kept = program, running_statistics(program)
        self.values: dict[str, Array] = {}
        self.batches = 0
        names = [n for k in self.kept for n in (k.mean.name, k.variance.name)]
        self._of_batch = function_of(forward_source(program, *names), "forward") if names else None

    def start(self, arrays: Mapping[str, Array]) -> None:
        """Mean 0 and variance 1, of the shapes that these arrays give."""
        for k, (mean, variance) in zip(self.kept, self._statistics(arrays), strict=True):
            self.values |= {k.mean.name: np.zeros_like(mean), k.variance.name: np.ones_like(variance)}

    def update(self, arrays: Mapping[str, Array]) -> None:
        """Take in one batch. Raises ShapeError for a batch with one entry a feature, whose variance says nothing."""
        self.batches += 1
        for k, (mean, variance) in zip(self.kept, self._statistics(arrays), strict=True):
            share = 1 / self.batches if k.momentum is None else float(k.momentum)
            count = self._count(k.count, arrays)
            if count < 2:
                raise ShapeError(f"fit, {k.mean.note}", "a batch of one row", "more than one entry for each feature",
                                 "a batch_size that leaves no single row")
            for name, new in ((k.mean.name, mean), (k.variance.name, variance * count / (count - 1))):
                self.values[name] = (1 - share) * self.values[name] + share * new

    def _statistics(self, arrays: Mapping[str, Array]) -> list[tuple[Array, Array]]:
        if self._of_batch is None:
            return []
        found = self._of_batch(**arrays)
        return list(zip(found[::2], found[1::2], strict=True))

    def _count(self, count: sp.Expr, arrays: Mapping[str, Array]) -> int:
        sizes = {s: n for t in self.program.inputs if t.name in arrays for s, n in zip(t.shape, np.shape(arrays[t.name]), strict=False)
                 if s.is_Symbol}
        return int(count.xreplace({s: sp.Integer(n) for s, n in sizes.items()}))


def evaluated(program: Program) -> Program:
    """The program of evaluation: the statistics that training keeps are inputs, of the same names."""
    held = {t.name: t for k in running_statistics(program) for t in (k.mean, k.variance)}
    if not held:
        return program
    inputs = (*program.inputs, *[replace(t, role=Role.CONSTANT) for t in held.values()])
    lines = tuple(d for d in program.definitions if d.name not in held)
    return Program(inputs, lines, program.objective, program.assumptions, program.title)
