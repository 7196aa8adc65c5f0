"""A derivation compiled for training: the loss with its gradients, and the loss and the output of evaluation."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import cached_property
from typing import Any, final

from symnet.backends import compile_derivation
from symnet.backends.running import function_of
from symnet.backends.source import forward_source
from symnet.core.derivation import Derivation
from symnet.core.program import Program
from symnet.core.tensors import Role
from symnet.errors import OptionError
from symnet.training.running import evaluated

Functions = tuple[Callable[..., tuple[Any, ...]], Callable[..., Any]]  # what reads and checks arrays, and what computes with them
MOST_KEPT = 8


@final
class Model:
    """The functions of one derivation in one type of numbers, each compiled when it is first asked for."""

    def __init__(self, derivation: Derivation, dtype: str) -> None:
        self.derivation, self.dtype = derivation, dtype
        self.names = tuple(t.name for t in derivation.program.inputs)

    @cached_property
    def step(self) -> Functions:
        """The loss and all gradients."""
        made = compile_derivation(self.derivation, dtype=self.dtype)
        return made.prepare, made.compute

    @cached_property
    def loss(self) -> Callable[..., Any]:
        """The objective of evaluation, of arrays by name."""
        return self._forward(self.derivation.program.objective)

    @cached_property
    def output(self) -> Callable[..., Any]:
        """The last line that does not use the target."""
        return self._forward(output_name(self.derivation.program))

    @cached_property
    def loss_and_output(self) -> Callable[..., Any]:
        """Both at once."""
        program = self.derivation.program
        return self._forward(program.objective, output_name(program))

    def _forward(self, *lines: str) -> Callable[..., Any]:
        made: Callable[..., Any] = function_of(forward_source(evaluated(self.derivation.program), *lines, dtype=self.dtype), "forward")
        return made


_KEPT: OrderedDict[tuple[int, str], Model] = OrderedDict()


def model_of(derivation: Derivation, dtype: str = "float64") -> Model:
    """The compiled derivation; the last few are kept, so that many runs of one derivation compile it once."""
    key = (id(derivation), dtype)
    found = _KEPT.get(key)
    if found is None or found.derivation is not derivation:
        found = _KEPT[key] = Model(derivation, dtype)
        while len(_KEPT) > MOST_KEPT:
            _KEPT.popitem(last=False)
    _KEPT.move_to_end(key)
    return found


def output_name(program: Program) -> str:
    """The last definition before the targets come in that depends on the data: a penalty of the parameters is no output."""
    targets = {t.name for t in program.inputs if t.role is Role.TARGET}
    data = {t.name for t in program.inputs if t.role is Role.INPUT}
    late, of_data = set(targets), set(data)
    for d in program.definitions:
        uses = set(program.uses(d.name))
        if late & uses:
            late.add(d.name)
        if of_data & uses:
            of_data.add(d.name)
    early = [d.name for d in program.definitions if d.name not in late and (d.name in of_data or not data)]
    if not early or not targets:
        raise OptionError("predict", "no target in this program", "a network with a loss")
    return early[-1]
