"""Train a network, a program, a derivation or an imported model on arrays: what is asked, and what comes of it."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from symnet.calculus import derive
from symnet.core.derivation import Derivation
from symnet.core.latex import definition_latex
from symnet.core.program import Program
from symnet.core.short_forms import cut, listed
from symnet.core.signatures import checked
from symnet.core.tensors import Role
from symnet.core.text import definition_text
from symnet.core.training_log import TrainingLog
from symnet.errors import DivergedError, OptionError, ShapeError, did_you_mean, shown
from symnet.networks.catalogue import AnyLoss
from symnet.networks.gradient_transforms import clip_by_norm, clip_by_value
from symnet.networks.initializers import Initializer
from symnet.networks.optimizers import Optimizer, optimizer
from symnet.networks.sample_weights import weighted
from symnet.networks.schedules import Schedule, with_schedule
from symnet.networks.schedules import schedule as schedule_of
from symnet.networks.sequential import Sequential
from symnet.training.batches import check_rows, rows_of
from symnet.training.callbacks import Callbacks, callbacks_of
from symnet.training.checkpoints import State, read, sweep, write
from symnet.training.initial_values import data_for, floats, start_for
from symnet.training.loop import Loop, Plan
from symnet.training.masks import Masks
from symnet.training.metrics import Metrics, metrics_of, target_name
from symnet.training.models import model_of
from symnet.training.samples import count_samples
from symnet.training.stopping import EarlyStopping, stopping_of
from symnet.training.validation import split
from symnet.training.weights import ClassWeight, sample_weights

Array = np.ndarray[Any, Any]
DTYPES = ("float64", "float32")
LOSSES = ("after", "during")


@runtime_checkable
class ReadModel(Protocol):
    """A model of another library, as ``sn.from_torch`` and the like give it: its program, and the values of its weights and constants."""

    @property
    def program(self) -> Program: ...
    @property
    def values(self) -> Mapping[str, Any]: ...


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
    state: State | None = field(default=None, repr=False, compare=False)

    def __repr__(self) -> str:
        told = f"loss {self.losses[0]:.6g} -> {self.losses[-1]:.6g}" if self.losses else "no loss"
        shapes = listed(f"{name} {np.shape(value)}" for name, value in self.params.items())
        return cut(f"Fit: {self.log.optimizer}, {self.log.epochs} epochs, {told}") + f"\n  {shapes}"

    def _repr_html_(self) -> str:
        rows = "".join(f"<tr><td>{escape(name)}</td><td>{escape(str(np.shape(value)))}</td></tr>" for name, value in self.params.items())
        curve = self.log.curve() if len(self.losses) > 1 and np.isfinite(self.losses).all() else ""
        told = f"loss {self.losses[0]:.6g} &rarr; {self.losses[-1]:.6g}" if self.losses else "no loss"
        said = f"{escape(self.log.optimizer)}, {self.log.epochs} epochs: {told}"
        return f"<table><caption>{said}</caption><tr><th>parameter</th><th>shape</th></tr>{rows}</table>{curve}"

    @property
    def losses(self) -> tuple[float, ...]:
        """The loss before the first step and after each epoch."""
        return self.log.losses

    @property
    def history(self) -> dict[str, tuple[float, ...]]:
        """Every series by its name: "loss", "val_loss", the metrics; the first value of each is of before the first step."""
        return dict(self.log.history)

    @checked
    def predict(self, X: Any) -> Array:
        """The output of the network for inputs X: the last line that does not use the target. It is that of evaluation: nothing is
        dropped, and batch normalization uses the running statistics, so that a row's prediction does not depend on the others. X may be a
        table of arrays by name, for a network with several inputs."""
        program = self.derivation.program
        first = next(t.name for t in program.inputs if t.name not in self.derivation.wrt and t.role is not Role.TARGET)
        given = X if isinstance(X, Mapping) else {first: X}
        for name in given:
            if name not in program.tensors or name in self.derivation.wrt or name in program.by_name:
                raise OptionError("predict, X", f"no input named {shown(name)}", f"a table of arrays by name, such as {first}")
        arrays = {**self.params, **self.constants, **self.statistics, **{n: floats(n, a) for n, a in given.items()}}
        still = Masks(self.derivation, arrays).still(arrays, program.inputs)
        output = model_of(self.derivation, str(next(iter(self.params.values())).dtype)).output
        try:
            made: Array = output(**arrays, **still)
        except KeyError as error:
            raise ShapeError("predict", f"no values for {error.args[0]}", "an array for every input") from None
        except ValueError as error:
            raise ShapeError("predict", str(error), "an array that fits the network") from None
        return made

    @checked
    def save(self, path: str | Path) -> None:
        """Write a checkpoint, from which ``sn.fit(…, resume=path)`` goes on."""
        if self.state is None:
            raise OptionError("save", "a fit without its state", "one that sn.fit gave")
        write(path, self.state)


@checked
def fit(what: Sequential | Program | Derivation | ReadModel, X: Any = None, Y: Any = None, *, loss: AnyLoss | None = None,
        optimizer: str | Optimizer | Callable[..., Optimizer] = "sgd", lr: Any = None, epochs: int = 100,
        batch_size: int | None = None, seed: int = 0, params: Mapping[str, Any] | None = None,
        schedule: str | Schedule | None = None, clip_value: Any = None, clip_norm: Any = None,
        init: str | Initializer = "xavier_uniform", progress: bool | None = None, constants: Mapping[str, Any] | None = None,
        shuffle: bool = True, dtype: str = "float64", sample_weight: Any = None, class_weight: ClassWeight = None,
        validation_data: Any = None, validation_split: float | None = None, metrics: Metrics = None,
        early_stopping: EarlyStopping | int | bool | None = None, callbacks: Callbacks = None, epoch_loss: str = "after",
        log: str | Path | None = None, checkpoint: str | Path | None = None, checkpoint_every: int | None = None,
        resume: Fit | str | Path | bool | None = None, **settings: Any) -> Fit:
    """Train a network (with ``loss``), a program, a derivation or an imported model on arrays X, Y, one sample a row; returns a Fit.

    Gradients are the derivation's, compiled; the update is the optimizer's own program, compiled and done on all parameters at once.
    ``params`` are starting values; an imported model starts from its own; other weights start by the initializer ``init`` from ``seed``
    (uniform in ±√(6/(inputs + outputs)) unless told, Glorot & Bengio 2010, eq. 16), biases at 0. ``schedule`` gives the learning rate of
    each step (one mini-batch), ``clip_value`` and ``clip_norm`` bound the gradients, ``settings`` are the optimizer's, weight_decay among
    them. ``constants`` are values of other inputs, such as the weights of classes; X may be a table of arrays by name.
    The masks of dropout are drawn anew for each step, and the running statistics of batch normalization kept; losses and predictions are
    those of evaluation, with 1 - p and those statistics. Mini-batches of ``batch_size`` are drawn anew each epoch, unless ``shuffle`` is
    False. ``dtype`` is "float64" or "float32".

    ``sample_weight`` (one number a row) and ``class_weight`` ({class: weight}, or "balanced") make the mean over the samples a weighted
    one, Σ s ℓ/Σ s. ``validation_data`` is (X, Y), ``validation_split`` a share of the rows that is kept apart; ``metrics`` are names
    ("accuracy", "f1", "mse", "rmse", "mae", "r2") or functions of targets and outputs; ``early_stopping`` is an EarlyStopping, its patience
    or True; ``callbacks`` are functions of an Epoch, of which one that gives True ends the run. ``fit.history`` has every series.
    With ``epoch_loss="during"`` the loss of an epoch is the mean of its steps' own and nothing is computed for it; "after" is that of all
    samples after the epoch.

    ``log`` is a file of JSON lines, one an epoch. ``checkpoint`` is a file that is written after every epoch, or every
    ``checkpoint_every`` steps, and is whole at every moment; ``resume=True`` goes on from it where it is there, and a Fit or a file may be
    given too. A run that goes on has the same bits as one that was never stopped; ``epochs`` counts all. One that early stopping or a
    callback has ended does not go on. Only the run that wrote a state goes on from it: same program, optimizer, data, seed and batches.

    Raises ShapeError for arrays that do not fit, DomainError for data that are not finite, DivergedError when a value is no longer
    finite, with the line and the step where that began; its ``partial`` is the Fit of before. XOR has starts from which this small net
    never gets away (loss log 2 / 2 ≈ 0.3466): then another seed helps.

    >>> import symnet as sn
    >>> net = sn.Sequential(sn.Linear(2, 2), sn.Tanh(), sn.Linear(2, 1), sn.Sigmoid())
    >>> X, Y = [[0, 0], [0, 1], [1, 0], [1, 1]], [[0], [1], [1], [0]]
    >>> made = sn.fit(net, X, Y, loss=sn.BCELoss(), optimizer="adam", lr="1/10", epochs=300, seed=3, metrics="accuracy")
    >>> made.losses[-1] < 0.1, made.history["accuracy"][-1]
    (True, 1.0)
    """
    _check_numbers(epochs, batch_size, seed, checkpoint_every)
    for name, value, known in (("dtype", dtype, DTYPES), ("epoch_loss", epoch_loss, LOSSES)):
        if value not in known:
            raise OptionError(f"fit, {name}", shown(value), "one of " + ", ".join(known), did_you_mean(value, known))
    derivation = derivation_for(what, X, loss)
    own: dict[str, Any] = dict(getattr(what, "values", {})) if _was_read(what) else {}  # the weights of a model of another library
    rule = _rule(optimizer, {**settings, **({} if lr is None else {"lr": lr})}, settings, schedule, clip_value, clip_norm)
    held = {n: v for n, v in own.items() if n not in derivation.wrt}
    data = data_for(derivation, X, Y, {**held, **(constants or {})})
    names, count = rows_of(derivation.program, data)
    check_rows(names, data, count)
    if batch_size is not None and not names:
        raise OptionError("fit, batch_size", "a program without an axis of samples", "data with one row a sample: an axis of size N or B")
    target = target_name(derivation.program)
    weights = sample_weights(sample_weight, class_weight, data.get(target or ""), count)
    if weights is not None:
        derivation, data = _weighted(derivation, data, names, weights)
        names, count = rows_of(derivation.program, data)
    valid = None
    if validation_data is not None:
        if validation_split is not None:
            raise OptionError("fit", "validation_data and validation_split", "one of them")
        valid = _validation(derivation, validation_data, data, held, constants or {})
    elif validation_split is not None:
        data, valid = split(data, names, validation_split, seed)
    measures = metrics_of(metrics, derivation.program)
    series = ["loss", *measures] + ([] if valid is None else [f"val_{n}" for n in ("loss", *measures)])
    rng = np.random.default_rng(seed)
    begun = {n: v for n, v in own.items() if n in derivation.wrt}
    start = start_for(derivation, {**begun, **(params or {})}, data, rng, init)
    plan = Plan(derivation, rule, data, valid, batch_size, seed, shuffle, dtype, epoch_loss, measures, stopping_of(early_stopping, series),
                callbacks_of(callbacks), log, checkpoint, checkpoint_every, progress)
    with np.errstate(over="ignore", invalid="ignore"):
        loop = Loop(plan, start, rng)
    _go_on(loop, resume)
    try:
        loop.run(epochs)
    except DivergedError as error:
        error.partial = _fitted(loop)
        raise
    return _fitted(loop)


def _was_read(what: Any) -> bool:
    held = not isinstance(what, Derivation) and isinstance(getattr(what, "program", None), Program)
    return held and isinstance(getattr(what, "values", None), Mapping)


def _check_numbers(epochs: int, batch_size: int | None, seed: int, every: int | None) -> None:
    if not epochs < sys.maxsize or epochs < 0 or (batch_size is not None and batch_size < 1):
        raise OptionError("fit", f"epochs={shown(epochs)}, batch_size={shown(batch_size)}", "whole numbers, at least 0 and 1")
    if seed < 0:
        raise OptionError("fit, seed", shown(seed), "a whole number, at least 0")
    if every is not None and every < 1:
        raise OptionError("fit, checkpoint_every", shown(every), "a number of steps, at least 1")


def _rule(name: Any, settings: Mapping[str, Any], given: Mapping[str, Any], schedule: Any, clip_value: Any, clip_norm: Any) -> Optimizer:
    """The optimizer; a setting that it does not have may be one of fit's own arguments, misspelt."""
    try:
        return optimizer_for(name, settings, schedule, clip_value, clip_norm)
    except OptionError as error:
        for key in given:
            if f"no setting {key!r}" == error.found:
                own, meant = inspect.signature(fit).parameters, error.hint.startswith("did you mean")
                raise OptionError("fit", f"no argument {shown(key)}", "those of fit, and of the optimizer " + error.expected,
                                  error.hint if meant else did_you_mean(key, own)) from None
        raise


def _weighted(derivation: Derivation, data: Mapping[str, Array], names: tuple[str, ...],
              weights: Array) -> tuple[Derivation, dict[str, Array]]:
    """The derivation of the weighted objective, and the data with the weights; a sample of weight 0 is left out."""
    program, name = weighted(derivation.program)
    counts = weights > 0
    rows = {n: a[counts] if n in names else a for n, a in data.items()}
    made = _derived(program, derivation.wrt)
    if derivation.values or derivation.meta:
        made = replace(made, values=derivation.values, meta=derivation.meta)
    return made, {**rows, name: weights[counts]}


def _validation(derivation: Derivation, given: Any, data: Mapping[str, Array], held: Mapping[str, Any],
                constants: Mapping[str, Any]) -> dict[str, Array]:
    """The arrays of validation data, (X, Y) or (X, Y, weights); every other input is that of training."""
    if not isinstance(given, (tuple, list)) or len(given) not in (2, 3):
        raise OptionError("validation_data", shown(given), "(X, Y) or (X, Y, weights)")
    batched, _ = rows_of(derivation.program, data)
    s = next((n for n in batched if derivation.program.tensors[n].role is Role.CONSTANT and n not in held and n not in constants), None)
    fixed = {n: a for n, a in data.items() if n not in batched}
    first = floats("validation_data", given[0])
    count = len(first) if first.ndim else 1
    weights = {} if s is None else {s: np.ones(count) if len(given) == 2 else sample_weights(given[2], None, None, count)}
    return data_for(derivation, given[0], given[1], {**fixed, **weights}, "validation_data")


def _go_on(loop: Loop, resume: Any) -> None:
    """Put the run into the state that is to go on."""
    place = loop.plan.checkpoint
    if place is not None:
        sweep(place)
    if resume is None or resume is False or (resume is True and place is not None and not Path(place).exists()):
        return
    if resume is True and place is None:
        raise OptionError("fit, resume", "True without a checkpoint", "checkpoint=, the file to go on from")
    state = resume.state if isinstance(resume, Fit) else read(place if resume is True and place is not None else resume)
    if state is None:
        raise OptionError("fit, resume", "a fit without its state", "one that sn.fit gave")
    loop.resume(state)


def _fitted(loop: Loop) -> Fit:
    """What the run has come to."""
    plan = loop.plan
    program = plan.derivation.program
    settings = tuple((k, str(v)) for k, v in plan.rule.settings.items())
    law = _law(plan.rule.program)
    samples = count_samples(program, plan.derivation.wrt, {n: a.shape for n, a in plan.data.items()})
    history = tuple((name, tuple(values)) for name, values in loop.history.items())
    log = TrainingLog(plan.rule.name, settings, tuple(loop.history.get("loss", ())), samples, plan.batch_size if loop.cut else None, law,
                      history, loop.stopped)
    batched, _ = rows_of(program, plan.data)
    held = {t.name for t in program.inputs if t.role is Role.CONSTANT and t.name not in batched}
    return Fit(plan.derivation, loop.fitted(), log, tuple(plan.data), {n: a for n, a in plan.data.items() if n in held},
               {n: a.copy() for n, a in loop.running.values.items()}, loop.state())


@lru_cache(maxsize=16)
def _law(rule: Program) -> tuple[tuple[str, str], ...]:
    """The lines of an update, as LaTeX and as text."""
    return tuple((definition_latex(d, rule.tensors), definition_text(d, rule.tensors)) for d in rule.definitions)


def derivation_for(what: Any, X: Any = None, loss: AnyLoss | None = None) -> Derivation:
    """The derivation of a network, Program or Derivation. Rows of X are samples, also where every width is 1."""
    if isinstance(what, Derivation):
        return what
    given = getattr(what, "program", None)
    model = given if isinstance(given, Program) else what  # of another library, read
    if isinstance(model, Program):
        if model.objective_tensor.axes:
            raise OptionError("fit", f"a program whose last line {model.objective} is no number", "a loss as the last line",
                              'loss="mse" where the model is read, as in sn.from_torch(model, example, loss="mse")')
        if loss is not None:
            raise OptionError("fit", "a program and a loss", "a program whose last line is the loss, or a network for the loss")
        return _derived(model)
    if not hasattr(what, "program"):
        raise OptionError("fit", type(what).__name__, "a network, a Program or a Derivation")
    if loss is None:
        raise OptionError("fit", "a network without a loss", "loss=sn.MSELoss() or another loss")
    ranks = [floats(n, a).ndim for n, a in (X.items() if isinstance(X, Mapping) else [("X", X)])]
    return _derived(what.program(loss, "N" if 2 in ranks else None))


@lru_cache(maxsize=8)
def _derived(program: Program, wrt: tuple[str, ...] | None = None) -> Derivation:
    """The derivation of a program; the last few are kept, so that many runs of one program derive it once."""
    return derive(program, wrt)


def optimizer_for(name: str | Optimizer | Callable[..., Optimizer], settings: Mapping[str, Any], schedule: str | Schedule | None = None,
                  clip_value: Any = None, clip_norm: Any = None) -> Optimizer:
    """The optimizer with its settings, behind a clipping and with a schedule where they are asked for."""
    rule = optimizer(name, **settings)
    if clip_value is not None:
        rule = clip_by_value(rule, clip_value)
    if clip_norm is not None:
        rule = clip_by_norm(rule, clip_norm)
    return rule if schedule is None else with_schedule(rule, schedule_of(schedule))
