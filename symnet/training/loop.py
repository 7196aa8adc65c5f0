"""The loop of training: epochs of batches, each a step; what is measured, watched, told, written and saved after them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, final

import numpy as np

from symnet.backends.updates import update_function
from symnet.core.derivation import Derivation
from symnet.errors import OptionError
from symnet.networks.optimizer_program import Optimizer
from symnet.training.batches import Batches
from symnet.training.callbacks import Callback, tell
from symnet.training.checkpoints import State, write
from symnet.training.divergence import diverged, where_it_began
from symnet.training.evaluation import Evaluation
from symnet.training.identity import check_same, data_identity, optimizer_identity, program_identity
from symnet.training.log_file import LogFile
from symnet.training.masks import Masks
from symnet.training.metrics import Metric
from symnet.training.models import model_of
from symnet.training.progress import Bar
from symnet.training.running import Running
from symnet.training.steps import Steps
from symnet.training.stopping import EarlyStopping, Watch

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Plan:
    """What is asked of a run."""

    derivation: Derivation
    rule: Optimizer
    data: Mapping[str, Array]
    valid: Mapping[str, Array] | None = None
    batch_size: int | None = None
    seed: int = 0
    shuffle: bool = True
    dtype: str = "float64"
    losses: str = "after"
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    stopping: EarlyStopping | None = None
    callbacks: tuple[Callback, ...] = ()
    log: str | Path | None = None
    checkpoint: str | Path | None = None
    every: int | None = None
    progress: bool | None = None

    @cached_property
    def made_of(self) -> dict[str, Any]:
        """What must be the same for a state to go on."""
        seen = None if self.valid is None else data_identity(self.valid)
        return {"program": program_identity(self.derivation), "optimizer": optimizer_identity(self.rule), "data": data_identity(self.data),
                "validation": seen, "metrics": sorted(self.metrics),
                "dtype": self.dtype, "batch_size": self.batch_size, "seed": self.seed, "shuffle": self.shuffle, "losses": self.losses}


@final
class Loop:
    """A run of a plan: ``run(epochs)`` goes on until so many epochs are done."""

    def __init__(self, plan: Plan, start: Mapping[str, Array], rng: np.random.Generator) -> None:
        self.plan, self.rng = plan, rng
        self.model = model_of(plan.derivation, plan.dtype)
        self.steps = Steps(self.model, plan.rule, start)
        self.params = self.steps.params.parts
        self.masks = Masks(plan.derivation, plan.data)
        self.running = Running(plan.derivation.program)
        self.batches = Batches(self.model, plan.data, self.params, self.masks)
        self.cut = plan.batch_size is not None and plan.batch_size < self.batches.count
        self.whole = not self.cut and not self.masks.kept and not self.running.kept  # an epoch's step has the loss of all samples
        if self.running.kept:
            known = {**plan.data, **start}
            self.running.start({**known, **self.masks.still(known, plan.derivation.program.inputs)})
        self.measures = Evaluation(self.model, self.batches.data, self.masks, plan.metrics)
        self.valid = None if plan.valid is None else Evaluation(self.model, plan.valid, self.masks, plan.metrics, "val_")
        self.watch = None if plan.stopping is None else Watch(plan.stopping)
        self.best: Array | None = None
        self.inputs = plan.derivation.program.inputs
        self.rates = update_function(plan.rule.program, ("lr_t",)) if "lr_t" in plan.rule.program.by_name else None
        self.epoch, self.stopped = 0, ""
        self.history: dict[str, list[float]] = {}
        self.order: Array | None = None  # of the rows in the epoch under way, of which the first ``position`` are done
        self.position, self.total = 0, 0.0
        self.ready: float | None = None  # the loss whose gradients are there already

    def run(self, epochs: int) -> None:
        """Raises DivergedError where a value is no longer finite; ``self`` is then as before that step."""
        log = None if self.plan.log is None else LogFile(self.plan.log, self.epoch)
        bar = Bar(self.plan.rule.name, epochs, self.plan.progress)
        try:
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # what is not finite is an error, without warnings before
                if not self.history:
                    self._record(self._values(), log)
                while self.epoch < epochs and not self.stopped:
                    self._one()
                    self._after(log)
                    bar.at(self.epoch, self.history["loss"][-1])
                self.save(self.plan.every is not None)
        finally:
            bar.end()

    def _one(self) -> None:
        """The steps of one epoch, or what is left of them."""
        if self.order is None:
            count = self.batches.count
            self.order = self.rng.permutation(count) if self.cut and self.plan.shuffle else np.arange(count)
            self.position, self.total = 0, 0.0
        size = self.plan.batch_size if self.cut and self.plan.batch_size else len(self.order)
        while self.position < len(self.order):
            rows = self.order[self.position:self.position + size] if self.cut else None
            self._step(rows)
            self.position += size
            self.save(self._due() and self.position < len(self.order))

    def _step(self, rows: Array | None) -> None:
        epoch = self.epoch + 1
        if self.ready is None:
            arguments = self.batches.arguments(rows, self.rng)
            loss = self.steps.gradients(arguments, epoch)
            if self.running.kept:
                self.running.update(self.batches.all(self.batches.count if rows is None else len(rows)))
        else:
            loss, self.ready = self.ready, None
        if self.steps.count == 0 and math.isnan(self.history["loss"][0]):
            self.history["loss"][0] = loss
        self.total += loss * (self.batches.count if rows is None else len(rows))
        self.steps.take(epoch)

    def _after(self, log: LogFile | None) -> None:
        """An epoch has ended."""
        values = self._values(self.total / self.batches.count)
        self.epoch, self.order = self.epoch + 1, None
        self._record(values, log)
        values["lr"] = self.rate()
        if self.watch is not None:
            better, stop = self.watch.sees(self.epoch, values)
            if better:
                self.best = self.steps.params.whole.copy()
            if stop:
                self.stopped = f"{self.watch.rule.monitor} was best at epoch {self.watch.best_epoch}"
        if tell(self.plan.callbacks, self.epoch, self.steps.count, values, self.params):
            self.stopped = "a callback said so"
        self.save(self.plan.every is None or self._due())

    def _values(self, during: float | None = None) -> dict[str, float]:
        """What is known of the parameters as they are; ``during`` is the mean of the losses of the epoch's steps."""
        if self.whole and self.plan.losses == "after":
            self.ready = self.steps.gradients(self.batches.arguments(None, self.rng), self.epoch + (1 if during is None else 2))
            values = {"loss": self.ready}
            if self.plan.metrics:
                values = {**self.measures.values(self.params, self.running), **values}
        elif self.plan.losses == "during" and not self.plan.metrics:
            values = {"loss": math.nan if during is None else during}
        else:
            values = self.measures.values(self.params, self.running)
            if not math.isfinite(values["loss"]):
                arrays = {**self.batches.data, **self.params, **self.masks.still({**self.batches.data, **self.params}, self.inputs)}
                found = where_it_began(self.plan.derivation, arrays, self.plan.dtype) or f"the loss is {values['loss']} after the epoch"
                raise diverged(self.epoch + 1, self.steps.count, found)
            if self.plan.losses == "during" and during is not None:
                values["loss"] = during
        return values if self.valid is None else {**values, **self.valid.values(self.params, self.running)}

    def _record(self, values: Mapping[str, float], log: LogFile | None) -> None:
        for name, value in values.items():
            self.history.setdefault(name, []).append(value)
        if log is not None:
            log.write(self.epoch, self.steps.count, {**values, "lr": self.rate()})

    def rate(self) -> float:
        """The learning rate of the last step, of the first one before it; nan for a rule without one."""
        if self.rates is None:
            return self.steps.numbers.get("lr", math.nan)
        others = dict.fromkeys(["w", "g", "norm", *self.steps.states], 0.0)
        return float(self.rates(**{**others, **self.steps.numbers, "t": float(max(1, self.steps.count))})[0])

    def save(self, now: bool = True) -> None:
        """Write the checkpoint, where one is asked for."""
        if self.plan.checkpoint is not None and now:
            write(self.plan.checkpoint, self.state())

    def _due(self) -> bool:
        """Has the number of steps come after which a checkpoint is written?"""
        return self.plan.every is not None and self.steps.count % self.plan.every == 0

    def state(self) -> State:
        """All that the next step depends on."""
        return State(self.arrays(), self.facts(), lambda: self.plan.made_of)

    def arrays(self) -> dict[str, Array]:
        """Copies of every array that changes."""
        found = {"w": self.steps.params.whole, **{f"state/{n}": a for n, a in self.steps.states.items()},
                 **{f"running/{n}": a for n, a in self.running.values.items()}}
        if self.best is not None:
            found["best"] = self.best
        if self.order is not None:
            found["order"] = self.order
        return {name: np.array(array) for name, array in found.items()}

    def facts(self) -> dict[str, Any]:
        """Every number that changes."""
        return {"epoch": self.epoch, "position": self.position, "total": self.total, "steps": self.steps.count,
                "batches": self.running.batches, "stopped": self.stopped, "history": {k: list(v) for k, v in self.history.items()},
                "watch": None if self.watch is None else self.watch.memory(), "rng": self.rng.bit_generator.state}

    def resume(self, state: State) -> None:
        """Go on from ``state``. Raises OptionError for the state of another run."""
        check_same(state.made_of(), self.plan.made_of)
        try:
            self._resume(state.arrays, state.facts)
        except (KeyError, ValueError, TypeError) as error:
            raise OptionError("resume", f"a state that does not fit: {error}", "a checkpoint of this run") from None

    def _resume(self, arrays: Mapping[str, Array], facts: Mapping[str, Any]) -> None:
        self.steps.params.whole[:] = arrays["w"]
        for name, place in self.steps.states.items():
            place[:] = arrays[f"state/{name}"]
        self.running.values = {n.removeprefix("running/"): a.copy() for n, a in arrays.items() if n.startswith("running/")}
        self.best = arrays["best"].copy() if "best" in arrays else None
        self.order = arrays["order"].copy() if "order" in arrays else None
        self.epoch, self.position, self.total = facts["epoch"], facts["position"], facts["total"]
        self.steps.count, self.running.batches, self.stopped = facts["steps"], facts["batches"], facts["stopped"]
        self.history = {name: list(values) for name, values in facts["history"].items()}
        if self.watch is not None and facts["watch"] is not None:
            self.watch.remember(facts["watch"])
        self.rng.bit_generator.state = facts["rng"]
        if self.whole and self.order is None and self.plan.losses == "after":
            with np.errstate(over="ignore", invalid="ignore"):
                self.ready = self.steps.gradients(self.batches.arguments(None, self.rng), self.epoch + 1)

    def fitted(self) -> dict[str, Array]:
        """The parameters that the run ends with: those of the best epoch where early stopping restores them."""
        if self.best is not None and self.plan.stopping is not None and self.plan.stopping.restore_best:
            held = self.steps.params.whole.copy()
            self.steps.params.whole[:] = self.best
            found = self.steps.params.copies()
            self.steps.params.whole[:] = held
            return found
        return self.steps.params.copies()
