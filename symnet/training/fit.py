"""Minimize an objective: gradients from a compiled derivation, updates from an optimizer's program."""

from __future__ import annotations

import inspect
import math
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from typing import Any

import numpy as np

from symnet.backends import compile_derivation
from symnet.backends.running import function_of
from symnet.backends.source import forward_source, tensors_of
from symnet.backends.updates import update_function
from symnet.calculus import derive
from symnet.core.axes import Kind
from symnet.core.derivation import Derivation
from symnet.core.latex import definition_latex
from symnet.core.program import Program
from symnet.core.short_forms import cut, listed
from symnet.core.signatures import checked
from symnet.core.tensors import Role
from symnet.core.text import definition_text
from symnet.core.training_log import TrainingLog
from symnet.errors import DomainError, OptionError, ShapeError, did_you_mean, shown
from symnet.networks.catalogue import AnyLoss
from symnet.networks.gradient_transforms import clip_by_norm, clip_by_value, global_norm
from symnet.networks.initializers import Initializer
from symnet.networks.optimizers import Optimizer, optimizer
from symnet.networks.schedules import Schedule, with_schedule
from symnet.networks.schedules import schedule as schedule_of
from symnet.networks.sequential import Sequential
from symnet.training.initial_values import data_for, floats, start_for
from symnet.training.masks import Masks
from symnet.training.running import Running, evaluated
from symnet.training.samples import count_samples

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Fit:
    """Fitted parameters and the log of the run.

    >>> import symnet as sn
    >>> made = sn.fit(sn.Sequential(sn.Linear(1, 1)), [[0], [1]], [[0], [2]], loss="mse", lr="0.1", epochs=200)
    >>> made.losses[-1] < 0.01, made.predict([[2]]).shape
    (True, (1, 1))
    """

    derivation: Derivation
    params: Mapping[str, Array]
    log: TrainingLog
    data: tuple[str, ...] = field(default=())
    constants: Mapping[str, Array] = field(default_factory=dict)
    statistics: Mapping[str, Array] = field(default_factory=dict)  # running means and variances of batch normalization

    def __repr__(self) -> str:
        first, last = self.losses[0], self.losses[-1]
        shapes = listed(f"{name} {np.shape(value)}" for name, value in self.params.items())
        return cut(f"Fit: {self.log.optimizer}, {self.log.epochs} epochs, loss {first:.6g} -> {last:.6g}") + f"\n  {shapes}"

    def _repr_html_(self) -> str:
        rows = "".join(f"<tr><td>{escape(name)}</td><td>{escape(str(np.shape(value)))}</td></tr>" for name, value in self.params.items())
        said = f"{escape(self.log.optimizer)}, {self.log.epochs} epochs: loss {self.losses[0]:.6g} &rarr; {self.losses[-1]:.6g}"
        return f"<table><caption>{said}</caption><tr><th>parameter</th><th>shape</th></tr>{rows}</table>"

    @property
    def losses(self) -> tuple[float, ...]:
        """The loss before the first step and after each epoch."""
        return self.log.losses

    @cached_property
    def _forward(self) -> Any:
        program = self.derivation.program
        return function_of(forward_source(evaluated(program), output_name(program)), "forward")

    @checked
    def predict(self, X: Any) -> Array:
        """The output of the network for inputs X: the last line that does not use the target. It is that of evaluation: nothing is
        dropped, and batch normalization uses the running statistics, so that a row's prediction does not depend on the others."""
        first = next(t.name for t in tensors_of(self.derivation)[1] if t.role is not Role.TARGET)
        arrays = {**self.params, **self.constants, **self.statistics, first: floats(first, X)}
        try:
            made: Array = self._forward(**arrays, **Masks(self.derivation, arrays).still(arrays, self.derivation.program.inputs))
        except ValueError as error:
            raise ShapeError("predict", str(error), "an array that fits the network") from None
        return made


def output_name(program: Program) -> str:
    """The last definition before the targets come in."""
    targets = {t.name for t in program.inputs if t.role is Role.TARGET}
    late = set(targets)
    for d in program.definitions:
        if late & set(program.uses(d.name)):
            late.add(d.name)
    early = [d.name for d in program.definitions if d.name not in late]
    if not early or not targets:
        raise OptionError("predict", "no target in this program", "a network with a loss")
    return early[-1]


@checked
def fit(what: Sequential | Program | Derivation, X: Any = None, Y: Any = None, *, loss: AnyLoss | None = None,
        optimizer: str | Optimizer | Callable[..., Optimizer] = "sgd", lr: Any = None, epochs: int = 100,
        batch_size: int | None = None, seed: int = 0, params: Mapping[str, Any] | None = None,
        schedule: str | Schedule | None = None, clip_value: Any = None, clip_norm: Any = None,
        init: str | Initializer = "xavier_uniform", progress: bool | None = None, constants: Mapping[str, Any] | None = None,
        **settings: Any) -> Fit:
    """Train a network (with ``loss``) or a derivation on arrays X, Y, one sample a row; returns a Fit.

    Gradients are the derivation's, compiled; the update is the optimizer's own program. ``params`` are starting values;
    other weights start by the initializer ``init`` from ``seed`` (uniform in ±√(6/(inputs + outputs)) unless told, Glorot & Bengio
    2010, eq. 16), biases at 0. ``schedule`` gives the learning rate of each step (one mini-batch), ``clip_value`` and ``clip_norm``
    bound the gradients, ``settings`` are the optimizer's, weight_decay among them. ``constants`` are values of other inputs, such as the
    weights of classes. The masks of dropout are drawn anew for each step, and the running statistics of batch normalization kept; losses
    and predictions are those of evaluation, with 1 - p and those statistics.
    Mini-batches of ``batch_size`` are drawn anew each epoch. Raises ShapeError for arrays that do not fit, DomainError
    when the loss is no longer finite. XOR has starts from which this small net never gets away (loss log 2 / 2 ≈ 0.3466):
    then another seed helps.

    >>> import symnet as sn
    >>> net = sn.Sequential(sn.Linear(2, 2), sn.Tanh(), sn.Linear(2, 1), sn.Sigmoid())
    >>> X, Y = [[0, 0], [0, 1], [1, 0], [1, 1]], [[0], [1], [1], [0]]
    >>> made = sn.fit(net, X, Y, loss=sn.BCELoss(), optimizer="adam", lr="1/10", epochs=300, seed=3)
    >>> made.losses[-1] < 0.1
    True
    """
    if not epochs < sys.maxsize or epochs < 0 or (batch_size is not None and batch_size < 1):
        raise OptionError("fit", f"epochs={shown(epochs)}, batch_size={shown(batch_size)}", "whole numbers, at least 0 and 1")
    if seed < 0:
        raise OptionError("fit, seed", shown(seed), "a whole number, at least 0")
    derivation = derivation_for(what, X, loss)
    try:
        rule = optimizer_for(optimizer, {**settings, **({} if lr is None else {"lr": lr})}, schedule, clip_value, clip_norm)
    except OptionError as error:
        for name in settings:
            if f"no setting {name!r}" == error.found:  # it may be one of fit's own arguments, misspelt
                own, meant = inspect.signature(fit).parameters, error.hint.startswith("did you mean")
                raise OptionError("fit", f"no argument {shown(name)}", "those of fit, and of the optimizer " + error.expected,
                                  error.hint if meant else did_you_mean(name, own)) from None
        raise
    data = data_for(derivation, X, Y, constants)
    rng = np.random.default_rng(seed)
    start = start_for(derivation, params or {}, data, rng, init)
    with np.errstate(over="ignore", invalid="ignore"):  # a run that diverges ends in a DomainError, without warnings before
        return _Run(derivation, rule, data, start, rng, batch_size, progress).train(epochs)


def derivation_for(what: Any, X: Any = None, loss: AnyLoss | None = None) -> Derivation:
    """The derivation of a network, Program or Derivation. Rows of X are samples, also where every width is 1."""
    if isinstance(what, Derivation):
        return what
    if isinstance(what, Program):
        return derive(what)
    if not hasattr(what, "program"):
        raise OptionError("fit", type(what).__name__, "a network, a Program or a Derivation")
    if loss is None:
        raise OptionError("fit", "a network without a loss", "loss=sn.MSELoss() or another loss")
    return derive(what.program(loss, "N" if floats("X", X).ndim == 2 else None))


def optimizer_for(name: str | Optimizer | Callable[..., Optimizer], settings: Mapping[str, Any], schedule: str | Schedule | None = None,
                  clip_value: Any = None, clip_norm: Any = None) -> Optimizer:
    """The optimizer with its settings, behind a clipping and with a schedule where they are asked for."""
    rule = optimizer(name, **settings)
    if clip_value is not None:
        rule = clip_by_value(rule, clip_value)
    if clip_norm is not None:
        rule = clip_by_norm(rule, clip_norm)
    return rule if schedule is None else with_schedule(rule, schedule_of(schedule))


@dataclass
class _Run:
    """The moving parts of one training run."""

    derivation: Derivation
    rule: Optimizer
    data: dict[str, Array]
    params: dict[str, Array]
    rng: np.random.Generator
    batch_size: int | None
    progress: bool | None

    def train(self, epochs: int) -> Fit:
        """Run the epochs."""
        self.function = compile_derivation(self.derivation).value_and_grad
        results = ("w_new", *[new for _, new in self.rule.states])
        self.update = update_function(self.rule.program, results)
        self.states = {n: [np.zeros_like(p) for _ in self.rule.states] for n, p in self.params.items()}
        norm = global_norm(tensors_of(self.derivation)[0])
        self.norm = update_function(norm, (norm.objective,)) if self.rule.uses_norm else None
        self.constants = {k: float(v) for k, v in self.rule.settings.items()}
        self.steps = 0
        self.masks = Masks(self.derivation, self.data)
        self.running = Running(self.derivation.program)
        self._begin_statistics()
        losses: list[float] = []
        for epoch in range(epochs):
            before = None if self._loss_of_step() else self._loss(epoch)
            for batch in self._batches():
                value = self._step(batch, epoch)
            losses.append(value if before is None else before)
            if epoch:
                self._say(epoch, epochs, losses[-1])
        losses.append(self._loss(epochs))
        self._say(epochs, epochs, losses[-1])
        settings = tuple((k, str(v)) for k, v in self.rule.settings.items())
        rule = self.rule.program
        law = tuple((definition_latex(d, rule.tensors), definition_text(d, rule.tensors)) for d in rule.definitions)
        log = TrainingLog(self.rule.name, settings, tuple(losses), self._samples(), self.batch_size if self._cut() else None, law)
        held = {t.name for t in self.derivation.program.inputs if t.role is Role.CONSTANT}
        return Fit(self.derivation, dict(self.params), log, tuple(self.data), {n: a for n, a in self.data.items() if n in held},
                   dict(self.running.values))

    def _begin_statistics(self) -> None:
        """Where statistics are kept, losses are computed with them."""
        self.forward = None
        if self.running.kept:
            program = self.derivation.program
            still = self.masks.still(self._arrays(self.data), program.inputs)
            self.running.start({**self._arrays(self.data), **still})
            self.forward = function_of(forward_source(evaluated(program), program.objective), "forward")

    def _loss_of_step(self) -> bool:
        """Is the loss of an epoch's only step that of all samples, before it? Then it is not computed twice."""
        return self.forward is None and not self.masks.kept and not self._cut()

    def _loss(self, epoch: int) -> float:
        try:
            still = self.masks.still(self._arrays(self.data), self.derivation.program.inputs)
            known = {**self.data, **self.params, **still}
            value = float(self.function(**known)[0] if self.forward is None else self.forward(**known, **self.running.values))
        except ValueError as error:
            raise ShapeError("fit", str(error), "arrays that fit the network") from None
        return _finite(value, epoch)

    def _step(self, batch: dict[str, Array], epoch: int) -> float:
        """One update; returns the loss before it."""
        drawn = self.masks.drawn(self._arrays(batch), self.derivation.program.inputs, self.rng)
        try:
            value, gradients = self.function(**batch, **self.params, **drawn)
        except ValueError as error:
            raise ShapeError("fit", str(error), "arrays that fit the network") from None
        value = _finite(float(value), epoch) if self._loss_of_step() else float(value)
        self.running.update({**batch, **self.params, **drawn})
        self.steps += 1
        shared = {"t": float(self.steps)} if self.rule.counts else {}
        if self.norm is not None:
            shared["norm"] = float(self.norm(**gradients)[0])
        for name, gradient in gradients.items():
            olds = {old: s for (old, _), s in zip(self.rule.states, self.states[name], strict=True)}
            new, *states = self.update(w=self.params[name], g=gradient, **olds, **self.constants, **shared)
            self.params[name], self.states[name] = new, states
        return value

    def _arrays(self, batch: Mapping[str, Array]) -> dict[str, Array]:
        return {**batch, **self.params}

    def _batched(self) -> list[str]:
        return [t.name for t in self.derivation.program.inputs
                if t.name in self.data and t.axes and t.axes[0].kind is Kind.BATCH]

    def _samples(self) -> int | None:
        return count_samples(self.derivation.program, self.derivation.wrt, {n: a.shape for n, a in self.data.items()})

    def _rows(self) -> int:
        names = self._batched()
        return len(self.data[names[0]]) if names and np.ndim(self.data[names[0]]) else 1

    def _cut(self) -> bool:
        """True when a step takes a part of the samples."""
        return self.batch_size is not None and self.batch_size < self._rows()

    def _batches(self) -> Iterator[dict[str, Array]]:
        names, count = self._batched(), self._rows()
        if not self.batch_size or not self._cut():
            yield self.data
            return
        order = self.rng.permutation(count)
        for start in range(0, count, self.batch_size):
            rows = order[start:start + self.batch_size]
            yield {n: a[rows] if n in names else a for n, a in self.data.items()}

    def _say(self, epoch: int, epochs: int, loss: float) -> None:
        if not (sys.stderr.isatty() if self.progress is None else self.progress):
            return
        if epoch == epochs or epoch % max(1, epochs // 100) == 0:
            end = "\n" if epoch == epochs else ""
            sys.stderr.write(f"\r{self.rule.name}: epoch {epoch}/{epochs}  loss {loss:.6g}   {end}")
            sys.stderr.flush()


def _finite(loss: float, epoch: int) -> float:
    """Raise DomainError for a loss that is no number."""
    if not math.isfinite(loss):
        raise DomainError(f"fit, epoch {epoch}", f"the loss is {loss}", "a finite loss", "a smaller learning rate")
    return loss
