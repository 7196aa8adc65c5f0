"""One step of training: the loss and all gradients of a batch, and the update of all parameters, in place."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, final

import numpy as np

from symnet.backends.updates import InPlaceUpdate, update_function
from symnet.core.axes import Axis
from symnet.core.matrices import SINGULAR
from symnet.core.tensors import Tensor
from symnet.errors import DomainError, ShapeError
from symnet.networks.gradient_transforms import global_norm
from symnet.networks.optimizer_program import Optimizer
from symnet.training.divergence import bad_update, diverged, where_it_began
from symnet.training.flat import Flat, aligned, finite
from symnet.training.models import Model

Array = np.ndarray[Any, Any]


def _norm() -> Callable[..., tuple[Any, ...]]:
    """The norm of all gradients together, which lie in one piece g."""
    norm = global_norm([Tensor("g", (Axis.of("P"),))])
    return update_function(norm, (norm.objective,))


@final
class Steps:
    """Parameters, gradients and the states of the optimizer, each in one piece of memory; ``count`` steps have been taken.

    The update is written for one entry and is the same for all, so it is done on the pieces, whatever arrays they hold.
    """

    def __init__(self, model: Model, rule: Optimizer, start: Mapping[str, Array]) -> None:
        self.model, self.rule, self.count = model, rule, 0
        shapes = {name: np.shape(start[name]) for name in model.derivation.wrt}
        self.params, self.slopes = Flat(shapes, model.dtype), Flat(shapes, model.dtype)
        self.params.take(start)
        self.before = np.empty_like(self.params.whole)
        self.states = {old: aligned(len(self.before), model.dtype) for old, _ in rule.states}
        self.update = InPlaceUpdate(rule.program, {"w": "w_new", **dict(rule.states)},
                                    {"w": self.params.whole, **self.states, "g": self.slopes.whole})
        self.numbers = {k: float(v) for k, v in rule.settings.items()}
        self.norm = _norm() if rule.uses_norm else None

    def gradients(self, arguments: tuple[Any, ...], epoch: int) -> float:
        """The loss for these arguments of the compiled step; its gradients are in ``slopes``. Raises DivergedError."""
        try:
            value, gradients = self.model.step[1](*arguments)
        except np.linalg.LinAlgError:
            raise DomainError(f"fit, epoch {epoch}, step {self.count + 1}", *SINGULAR) from None
        except ValueError as error:
            raise ShapeError("fit", str(error), "arrays that fit the network") from None
        self.slopes.take(gradients)
        loss = float(value)
        if not math.isfinite(loss) or not finite(self.slopes.whole):
            arrays = dict(zip(self.model.names, arguments, strict=False))
            found = where_it_began(self.model.derivation, arrays, self.model.dtype) or f"the loss is {loss}"
            raise diverged(epoch, self.count + 1, found)
        return loss

    def take(self, epoch: int) -> None:
        """Change the parameters by the gradients that are there. Raises DivergedError, with the parameters of before."""
        self.count += 1
        if self.rule.counts:
            self.numbers["t"] = float(self.count)
        if self.norm is not None:
            self.numbers["norm"] = float(self.norm(g=self.slopes.whole)[0])
        np.copyto(self.before, self.params.whole)
        self.update(self.numbers)
        if not finite(self.params.whole):
            found = bad_update(self.params.parts)
            np.copyto(self.params.whole, self.before)
            raise diverged(epoch, self.count, found)
