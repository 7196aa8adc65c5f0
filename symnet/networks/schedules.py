"""Learning-rate schedules as programs of the step number t = 1, 2, …: the rate of step t, ``lr_t``, from the base rate ``lr``.

PyTorch counts its epochs from 0, so its ``last_epoch`` is t - 1 here, and a step is one update (one mini-batch), as for
``scheduler.step()`` after every ``optimizer.step()``. Names and formulas are those of ``torch.optim.lr_scheduler``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import sympy as sp

from symnet.core.expressions import as_written
from symnet.core.functions import Min, step
from symnet.core.latex import aligned
from symnet.core.numbers import compute, rational
from symnet.core.program import Program
from symnet.core.signatures import checked
from symnet.core.tensors import Role, scalar
from symnet.errors import OptionError, did_you_mean, shown
from symnet.networks.arguments import bare_name, torch_arguments
from symnet.networks.optimizer_program import (
    COUNT,
    LETTERS,
    LR,
    STEP,
    Optimizer,
    constants,
    definitions,
    in_front,
    named,
    settled_lines,
    symbol,
)

LAST = {"last_epoch": (-1,)}
KEPT = "the least rate of the schedule is not divided with the learning rate"


@dataclass(frozen=True)
class Schedule:
    """``program`` defines lr_t from lr, t and the ``settings``, whose exact values are kept beside it.

    >>> import symnet as sn
    >>> sn.StepLR(30).rate(31, lr=1), sn.StepLR(30).settings["gamma"]
    (0.1, 1/10)
    """

    name: str
    program: Program
    settings: Mapping[str, sp.Rational] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return settled_lines("Schedule", self.name, self.program, self.settings)

    @property
    def latex(self) -> str:
        """The formula, as the rows of an aligned block."""
        return aligned(self.program)

    def _repr_latex_(self) -> str:
        return f"$${self.latex}$$"

    @checked
    def rate(self, t: int, lr: Any = 1) -> float:
        """The learning rate of step t = 1, 2, …

        >>> [round(StepLR(2, "1/10").rate(t), 4) for t in (1, 2, 3, 5)]
        [1.0, 1.0, 0.1, 0.01]
        """
        values: dict[Any, Any] = {symbol(k): v for k, v in self.settings.items()} | {LR: rational(lr), STEP: sp.Integer(t)}
        for d in self.program.definitions:
            values[d.entry] = compute(d.expr, values)
        return float(values[symbol("lr_t")])


def _schedule(name: str, expr: sp.Expr, settings: Mapping[str, Any], remarks: tuple[str, ...] = ()) -> Schedule:
    inputs = (scalar("lr", role=Role.CONSTANT, latex=LETTERS["lr"], note="the base learning rate"), COUNT, *constants(settings))
    program = Program(inputs, definitions({"lr_t": expr}), "lr_t", (), name)
    return Schedule(name, program, {k: rational(v) for k, v in settings.items()}, remarks)


def _positive(name: str, **values: Any) -> None:
    for key, value in values.items():
        if rational(value) <= 0:
            raise OptionError(f"schedule {name}", f"{key} = {value}", "a positive number")


@torch_arguments()
def Constant() -> Schedule:
    """lr_t = lr."""
    return _schedule("Constant", LR, {})


@torch_arguments("step_size gamma last_epoch", LAST)
def StepLR(step_size: Any, gamma: Any = "1/10") -> Schedule:
    """lr_t = lr gamma^⌊(t - 1)/s⌋: times gamma after every s = step_size steps. Source: PyTorch's StepLR.

    >>> import symnet as sn
    >>> [sn.StepLR(2, "1/2").rate(t) for t in (1, 2, 3, 4, 5)]
    [1.0, 1.0, 0.5, 0.5, 0.25]
    """
    _positive("StepLR", step_size=step_size)
    with as_written():
        passed = sp.floor((STEP - 1) / symbol("step_size"))
    return _schedule("StepLR", LR * symbol("gamma") ** passed, {"step_size": step_size, "gamma": gamma})


@torch_arguments("milestones gamma last_epoch", LAST)
def MultiStepLR(milestones: Any, gamma: Any = "1/10") -> Schedule:
    """lr_t = lr gamma^(how many milestones m are below t): PyTorch's MultiStepLR, whose epoch t - 1 has reached m.

    >>> MultiStepLR([30, 80]).program.definitions[0].expr
    gamma**(step(-m1 + t) + step(-m2 + t))*lr
    """
    if not isinstance(milestones, (list, tuple)):
        raise OptionError("MultiStepLR, milestones", shown(milestones), "a list of steps", f"MultiStepLR([{shown(milestones)}, …])")
    names = [f"m{k}" for k in range(1, len(milestones) + 1)]
    passed = sp.Add(*[step(STEP - symbol(n)) for n in names])
    return _schedule("MultiStepLR", LR * symbol("gamma") ** passed, {**dict(zip(names, milestones, strict=True)), "gamma": gamma})


@torch_arguments("gamma last_epoch", LAST)
def ExponentialLR(gamma: Any) -> Schedule:
    """lr_t = lr gamma^(t - 1). Source: PyTorch's ExponentialLR.

    >>> import symnet as sn
    >>> [sn.ExponentialLR("1/2").rate(t) for t in (1, 2, 3)]
    [1.0, 0.5, 0.25]
    """
    return _schedule("ExponentialLR", LR * symbol("gamma") ** (STEP - 1), {"gamma": gamma})


@torch_arguments("T_max eta_min last_epoch", LAST)
def CosineAnnealingLR(T_max: Any, eta_min: Any = 0) -> Schedule:
    """lr_t = eta_min + (lr - eta_min)(1 + cos(π (t - 1)/T_max))/2, from lr down to eta_min in T_max steps, and up again.

    Source: Loshchilov & Hutter 2017 (SGDR), eq. 5; PyTorch's CosineAnnealingLR without restarts.

    >>> import symnet as sn
    >>> [sn.CosineAnnealingLR(4).rate(t) for t in (1, 3)]
    [1.0, 0.5]
    """
    _positive("CosineAnnealingLR", T_max=T_max)
    least, kept = symbol("lr_min"), rational(eta_min) != 0
    with as_written():
        wave = (1 + sp.cos(sp.pi * (STEP - 1) / symbol("T_max"))) / 2
        expr = least + (LR - least) * wave if kept else LR * wave
    return _schedule("CosineAnnealingLR", expr, {"T_max": T_max, **({"lr_min": eta_min} if kept else {})}, (KEPT,) if kept else ())


@torch_arguments("start_factor end_factor total_iters last_epoch", LAST)
def LinearLR(start_factor: Any = "1/3", end_factor: Any = 1, total_iters: Any = 5) -> Schedule:
    """lr_t = lr (a + (b - a) min(t - 1, n)/n): from a lr to b lr in n = total_iters steps, then b lr. Source: PyTorch's LinearLR.

    >>> import symnet as sn
    >>> [sn.LinearLR("1/2", 1, 2).rate(t) for t in (1, 2, 3)]
    [0.5, 0.75, 1.0]
    """
    _positive("LinearLR", total_iters=total_iters)
    a, b, n = symbol("start_factor"), symbol("end_factor"), symbol("total_iters")
    with as_written():
        expr = LR * (a + (b - a) * Min(STEP - 1, n) / n)
    return _schedule("LinearLR", expr, {"start_factor": start_factor, "end_factor": end_factor, "total_iters": total_iters})


@torch_arguments("factor total_iters last_epoch", LAST)
def ConstantLR(factor: Any = "1/3", total_iters: Any = 5) -> Schedule:
    """lr_t = a lr for the first n = total_iters steps, then lr. Source: PyTorch's ConstantLR.

    >>> import symnet as sn
    >>> [sn.ConstantLR("1/2", 2).rate(t) for t in (1, 2, 3)]
    [0.5, 0.5, 1.0]
    """
    a, n = symbol("start_factor"), symbol("total_iters")
    with as_written():
        expr = LR * (a + (1 - a) * step(STEP - n))
    return _schedule("ConstantLR", expr, {"start_factor": factor, "total_iters": total_iters})


@torch_arguments("total_iters power last_epoch", LAST)
def PolynomialLR(total_iters: Any = 5, power: Any = 1) -> Schedule:
    """lr_t = lr (1 - min(t - 1, n)/n)^p: from lr to 0 in n = total_iters steps. Source: PyTorch's PolynomialLR.

    >>> import symnet as sn
    >>> [sn.PolynomialLR(4, 2).rate(t) for t in (1, 3, 5)]
    [1.0, 0.25, 0.0]
    """
    _positive("PolynomialLR", total_iters=total_iters, power=power)
    n, p = symbol("total_iters"), symbol("power")
    with as_written():
        expr = LR * (1 - Min(STEP - 1, n) / n) ** p
    return _schedule("PolynomialLR", expr, {"total_iters": total_iters, "power": power})


@torch_arguments("T_0 T_mult eta_min last_epoch", LAST | {"T_mult": (1,)})
def CosineAnnealingWarmRestarts(T_0: Any, *, eta_min: Any = 0) -> Schedule:
    """CosineAnnealingLR that starts again after every T_0 steps. Left out of PyTorch's arguments: T_mult other than 1.

    Source: Loshchilov & Hutter 2017 (SGDR), eq. 5.

    >>> import symnet as sn
    >>> [round(sn.CosineAnnealingWarmRestarts(4).rate(t), 4) for t in (1, 3, 5, 7)]
    [1.0, 0.5, 1.0, 0.5]
    """
    _positive("CosineAnnealingWarmRestarts", T_0=T_0)
    least, kept, length = symbol("lr_min"), rational(eta_min) != 0, symbol("T_max")
    with as_written():
        passed = STEP - 1 - length * sp.floor((STEP - 1) / length)
        wave = (1 + sp.cos(sp.pi * passed / length)) / 2
        expr = least + (LR - least) * wave if kept else LR * wave
    settings = {"T_max": T_0, **({"lr_min": eta_min} if kept else {})}
    return _schedule("CosineAnnealingWarmRestarts", expr, settings, (KEPT,) if kept else ())


@torch_arguments("steps then")
def WarmupLR(steps: Any, then: Schedule | None = None) -> Schedule:
    """lr_t = lr min(1, t/n): linear warm-up over n = steps steps; ``then`` another schedule, from the warmed rate.

    Source: Goyal et al. 2017, section 2.2.

    >>> import symnet as sn
    >>> [sn.WarmupLR(4).rate(t) for t in (1, 2, 4, 5)]
    [0.25, 0.5, 1.0, 1.0]
    """
    _positive("WarmupLR", steps=steps)
    made = _schedule("WarmupLR", LR * Min(1, STEP / symbol("warmup")), {"warmup": steps})
    if then is None:
        return made
    if not isinstance(then, Schedule):
        raise OptionError("schedule WarmupLR", f"then {then!r}"[:60], "another schedule")
    warmed = symbol("lr_start")
    inputs = (*made.program.inputs, *[t for t in then.program.inputs if t.name not in ("lr", "t")])
    later = tuple(replace(d, expr=d.expr.xreplace({LR: warmed})) for d in then.program.definitions)
    name = f"WarmupLR and {then.name}"
    lines = (*definitions({"lr_start": made.program.definitions[0].expr}), *later)
    return Schedule(name, Program(inputs, lines, "lr_t", (), name), {**made.settings, **then.settings}, then.remarks)


@torch_arguments("decay")
def InverseTimeLR(decay: Any = 1) -> Schedule:
    """lr_t = lr / (1 + decay (t - 1)): with decay 1, lr/t. Its sum diverges and the sum of its squares does not.

    Source: Robbins & Monro 1951; the form with a factor: Bottou 2012, section 5.

    >>> import symnet as sn
    >>> [sn.InverseTimeLR().rate(t) for t in (1, 2, 4)]
    [1.0, 0.5, 0.25]
    """
    with as_written():
        return _schedule("InverseTimeLR", LR / (1 + symbol("decay") * (STEP - 1)), {"decay": decay})


SCHEDULES: dict[str, Callable[..., Schedule]] = {
    "constant": Constant, "step": StepLR, "multistep": MultiStepLR, "exponential": ExponentialLR, "cosine": CosineAnnealingLR,
    "cosineannealing": CosineAnnealingLR, "linear": LinearLR, "warmup": WarmupLR, "inversetime": InverseTimeLR,
    "constantlr": ConstantLR, "polynomial": PolynomialLR, "cosineannealingwarmrestarts": CosineAnnealingWarmRestarts,
}


def schedule(name: str | Schedule, *args: Any, **settings: Any) -> Schedule:
    """A schedule by its name, with or without the LR at its end, case aside: ``schedule("step", 30)`` is ``StepLR(30)``.

    >>> import symnet as sn
    >>> print(sn.schedule("step", 30).program)
    lr_t := gamma**floor((t - 1)/step_size)*lr
    """
    if isinstance(name, Schedule):
        return name
    key = bare_name(name) if bare_name(name) in SCHEDULES else bare_name(name, "lr")  # constantlr is not constant
    if key not in SCHEDULES:
        raise OptionError("schedule", shown(name), "one of " + ", ".join(SCHEDULES), did_you_mean(name, SCHEDULES))
    return SCHEDULES[key](*args, **settings)


@checked
def with_schedule(rule: Optimizer, rates: Schedule) -> Optimizer:
    """``rule`` with lr_t in place of lr: in the step and in a decoupled decay, as PyTorch's schedulers have it.

    >>> import symnet as sn
    >>> print(sn.with_schedule(sn.SGD(), sn.ExponentialLR("9/10")).program)
    lr_t := gamma**(t - 1)*lr
    w_new := -g*lr_t + w
    """
    lines = {d.name: d.expr for d in rates.program.definitions}
    return in_front(rule, named(rule, rates.name), lines, {LR: symbol("lr_t")}, rates.settings, (COUNT,), rates.remarks)
