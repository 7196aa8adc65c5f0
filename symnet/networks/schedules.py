"""Learning-rate schedules as programs of the step number t = 1, 2, …: the rate of step t, ``lr_t``, from the base rate ``lr``.

PyTorch counts its epochs from 0, so its ``last_epoch`` is t - 1 here, and a step is one update (one mini-batch), as for
``scheduler.step()`` after every ``optimizer.step()``. Names and formulas are those of ``torch.optim.lr_scheduler``. A schedule that moves
the momentum too has a line ``momentum_t``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import sympy as sp

from symnet.core.expressions import as_written
from symnet.core.functions import Max, Min, step
from symnet.core.latex import aligned
from symnet.core.numbers import compute, rational
from symnet.core.program import Program
from symnet.core.signatures import checked
from symnet.core.tensors import Role, scalar
from symnet.errors import OptionError, SymnetError, did_you_mean, shown
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
FIXED = "the schedule has rates of its own and does not read the learning rate"
EPOCH = STEP - 1  # PyTorch's last_epoch


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

    @property
    def moves_momentum(self) -> bool:
        """True when the momentum of a step is told too."""
        return "momentum_t" in self.program.by_name

    @checked
    def rate(self, t: int, lr: Any = 1) -> float:
        """The learning rate of step t = 1, 2, …

        >>> [round(StepLR(2, "1/10").rate(t), 4) for t in (1, 2, 3, 5)]
        [1.0, 1.0, 0.1, 0.01]
        """
        return self._at("lr_t", t, lr)

    @checked
    def momentum(self, t: int) -> float:
        """The momentum of step t = 1, 2, …, of a schedule that moves it.

        >>> [round(CyclicLR("1/10", 1, 2).momentum(t), 4) for t in (1, 2, 3)]
        [0.9, 0.85, 0.8]
        """
        if not self.moves_momentum:
            raise OptionError(f"schedule {self.name}", "no momentum", "a schedule that moves it", "OneCycleLR with cycle_momentum=True")
        return self._at("momentum_t", t, 1)

    def _at(self, name: str, t: int, lr: Any) -> float:
        values: dict[Any, Any] = {symbol(k): v for k, v in self.settings.items()} | {LR: rational(lr), STEP: sp.Integer(t)}
        for d in self.program.definitions:
            values[d.entry] = compute(d.expr, values)
        return float(values[symbol(name)])


def _schedule(name: str, expr: sp.Expr | Mapping[str, sp.Expr], settings: Mapping[str, Any], remarks: tuple[str, ...] = ()) -> Schedule:
    """A schedule of one formula for lr_t, or of lines, one of them for lr_t."""
    inputs = (scalar("lr", role=Role.CONSTANT, latex=LETTERS["lr"], note="the base learning rate"), COUNT, *constants(settings))
    lines = expr if isinstance(expr, Mapping) else {"lr_t": expr}
    program = Program(inputs, definitions(lines), "lr_t", (), name)
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


@torch_arguments("T_0 T_mult eta_min last_epoch", LAST)
def CosineAnnealingWarmRestarts(T_0: Any, T_mult: Any = 1, eta_min: Any = 0) -> Schedule:
    """CosineAnnealingLR that starts again after T_0 steps, then after T_mult T_0, T_mult² T_0, …; both whole numbers, as in PyTorch.

    Before step t there were k restarts, and T_0 T_mult^k ≤ (t - 1)(T_mult - 1) + T_0 tells k; half a step is added to t - 1 there, so that
    rounding does not move a restart. Source: Loshchilov & Hutter 2017 (SGDR), eq. 5.

    >>> import symnet as sn
    >>> [round(sn.CosineAnnealingWarmRestarts(4).rate(t), 4) for t in (1, 3, 5, 7)]
    [1.0, 0.5, 1.0, 0.5]
    """
    _positive("CosineAnnealingWarmRestarts", T_0=T_0, T_mult=T_mult)
    for name, value in (("T_0", T_0), ("T_mult", T_mult)):
        if not rational(value).is_Integer:
            raise OptionError(f"CosineAnnealingWarmRestarts, {name}", shown(value), "a whole number")
    least, kept, length, longer = symbol("lr_min"), rational(eta_min) != 0, symbol("T_max"), symbol("T_mult")
    lines: dict[str, sp.Expr] = {}
    grows = rational(T_mult) != 1
    with as_written():
        if grows:
            restarts = sp.floor(sp.log((STEP - sp.Rational(1, 2)) * (longer - 1) / length + 1) / sp.log(longer))
            lines = {"k": restarts, "T_k": length * longer ** symbol("k"), "e_k": (symbol("T_k") - length) / (longer - 1)}
            passed = (STEP - 1 - symbol("e_k")) / symbol("T_k")
        else:
            passed = (STEP - 1 - length * sp.floor((STEP - 1) / length)) / length
        wave = (1 + sp.cos(sp.pi * passed)) / 2
        lines["lr_t"] = least + (LR - least) * wave if kept else LR * wave
    settings = {"T_max": T_0, **({"T_mult": T_mult} if grows else {}), **({"lr_min": eta_min} if kept else {})}
    return _schedule("CosineAnnealingWarmRestarts", lines, settings, (KEPT,) if kept else ())


@torch_arguments("max_lr total_steps epochs steps_per_epoch pct_start anneal_strategy cycle_momentum base_momentum max_momentum div_factor "
                 "final_div_factor three_phase last_epoch", LAST)
def OneCycleLR(max_lr: Any, total_steps: Any = None, epochs: Any = None, steps_per_epoch: Any = None, pct_start: Any = "3/10",
               anneal_strategy: str = "cos", cycle_momentum: bool = True, base_momentum: Any = "17/20", max_momentum: Any = "19/20",
               div_factor: Any = 25, final_div_factor: Any = 10000, three_phase: bool = False) -> Schedule:
    """Up from max_lr/div_factor to max_lr and down to a final_div_factor-th of the start, while the momentum goes down and up again.

    The way up takes the part pct_start of the n = total_steps steps (or epochs · steps_per_epoch); with ``three_phase`` the way down to
    the start takes as many. ``anneal_strategy`` is "cos", half a cosine, or "linear". The learning rate of the optimizer is not read,
    as in PyTorch; behind the last step, where PyTorch raises an error, the last rate stays.
    Source: Smith & Topin 2018, section 2; PyTorch's OneCycleLR.

    >>> import symnet as sn
    >>> rates = sn.OneCycleLR(1, 10)
    >>> [round(rates.rate(t), 4) for t in (1, 3, 10)], round(rates.momentum(3), 4)
    ([0.04, 1.0, 0.0], 0.85)
    """
    if total_steps is None and (epochs is None or steps_per_epoch is None):
        raise OptionError("OneCycleLR", "neither total_steps nor epochs and steps_per_epoch", "the number of steps",
                          "OneCycleLR(max_lr, total_steps)")
    count = rational(total_steps) if total_steps is not None else rational(epochs) * rational(steps_per_epoch)
    part = rational(pct_start)
    _positive("OneCycleLR", total_steps=count, max_lr=max_lr, div_factor=div_factor, final_div_factor=final_div_factor)
    if anneal_strategy not in ("cos", "linear"):
        raise OptionError("OneCycleLR, anneal_strategy", shown(anneal_strategy), "'cos' or 'linear'")
    ends = [part * count - 1, *([2 * part * count - 2] if three_phase else []), count - 1]
    if not 0 <= part <= 1 or any(a >= b for a, b in pairwise(ends)) or ends[0] == 0 or (three_phase and ends[0] < 0):
        raise OptionError("OneCycleLR", f"pct_start={pct_start}, total_steps={count}",
                          "phases of some steps each, and more than one step before the top")
    n, most = symbol("total_iters"), symbol("max_lr")
    high, low = symbol("momentum_max"), symbol("momentum_min")
    start, least = symbol("lr_start"), symbol("lr_least")
    stops = [symbol("pct_start") * n - 1, *([2 * symbol("pct_start") * n - 2] if three_phase else []), n - 1]
    rates, momenta = ([start, most, *([start] if three_phase else []), least], [high, low, high, *([high] if three_phase else [])])
    if ends[0] < 0:  # no way up
        phases = [(stops[0], stops[1], 1)]
    else:
        phases = [(a, b, k) for k, (a, b) in enumerate(zip((sp.S.Zero, *stops), stops, strict=False))]
    conditions = [*[b >= EPOCH for _, b, _ in phases[:-1]], sp.true]
    with as_written():
        place = Min(1, sp.Piecewise(*[((EPOCH - a) / (b - a), c) for (a, b, _), c in zip(phases, conditions, strict=True)]))
        left = (1 + sp.cos(sp.pi * symbol("u"))) / 2 if anneal_strategy == "cos" else 1 - symbol("u")

        def between(values: list[sp.Symbol]) -> sp.Expr:
            return sp.Piecewise(*[(values[k + 1] + (values[k] - values[k + 1]) * symbol("h"), c)
                                  for (_, _, k), c in zip(phases, conditions, strict=True)])

        lines = {"lr_start": most / symbol("div_factor"), "lr_least": start / symbol("final_div_factor"), "u": place, "h": left,
                 "lr_t": between(rates)}
        if cycle_momentum:
            lines["momentum_t"] = between(momenta)
    settings = {"max_lr": max_lr, "total_iters": count, "pct_start": part, "div_factor": div_factor, "final_div_factor": final_div_factor}
    if cycle_momentum:
        settings |= _momenta("OneCycleLR", base_momentum, max_momentum)
    return _schedule("OneCycleLR", lines, settings, (FIXED,))


def _momenta(name: str, low: Any, high: Any) -> dict[str, Any]:
    """The two momenta as settings."""
    if not 0 <= rational(low) <= rational(high) <= 1:
        raise OptionError(f"schedule {name}", f"base_momentum={low}, max_momentum={high}", "numbers from 0 to 1, the base the smaller one")
    return {"momentum_min": low, "momentum_max": high}


@torch_arguments("base_lr max_lr step_size_up step_size_down mode gamma scale_fn scale_mode cycle_momentum base_momentum max_momentum "
                 "last_epoch", LAST | {"scale_fn": (None,), "scale_mode": ("cycle", "iterations")},
                 {"scale_fn": "LambdaLR, or a Schedule of one's own", "scale_mode": "mode, which tells it"})
def CyclicLR(base_lr: Any, max_lr: Any, step_size_up: Any = 2000, step_size_down: Any = None, mode: str = "triangular", gamma: Any = 1,
             cycle_momentum: bool = True, base_momentum: Any = "4/5", max_momentum: Any = "9/10") -> Schedule:
    """Up from base_lr to max_lr in step_size_up steps, down in step_size_down (as many), again and again; the momentum the other way.

    ``mode`` "triangular2" halves the height at each cycle, "exp_range" multiplies it by gamma at each step. The learning rate of the
    optimizer is not read, as in PyTorch. Source: Smith 2017, section 3; PyTorch's CyclicLR.

    >>> import symnet as sn
    >>> [sn.CyclicLR(0, 1, 2, cycle_momentum=False).rate(t) for t in (1, 2, 3, 4, 5)]
    [0.0, 0.5, 1.0, 0.5, 0.0]
    """
    down = step_size_up if step_size_down is None else step_size_down
    _positive("CyclicLR", step_size_up=step_size_up, step_size_down=down)
    if mode not in ("triangular", "triangular2", "exp_range"):
        raise OptionError("CyclicLR, mode", shown(mode), "'triangular', 'triangular2' or 'exp_range'")
    up, length, cycle, place, height = (symbol(n) for n in ("step_up", "length", "k", "u", "h"))
    low, high = symbol("momentum_min"), symbol("momentum_max")
    with as_written():
        part = up / length
        heights = {"triangular": sp.S.One, "triangular2": 2 ** (1 - cycle), "exp_range": symbol("gamma") ** EPOCH}
        lines = {"length": up + symbol("step_down"), "k": sp.floor(1 + EPOCH / length), "u": 1 + EPOCH / length - cycle,
                 "h": heights[mode] * sp.Piecewise((place / part, place <= part), ((place - 1) / (part - 1), sp.true)),
                 "lr_t": symbol("base_lr") + (symbol("max_lr") - symbol("base_lr")) * height}
        if cycle_momentum:
            lines["momentum_t"] = high - (high - low) * height
    settings = {"base_lr": base_lr, "max_lr": max_lr, "step_up": step_size_up, "step_down": down}
    if mode == "exp_range":
        settings["gamma"] = gamma
    if cycle_momentum:
        settings |= _momenta("CyclicLR", base_momentum, max_momentum)
    return _schedule("CyclicLR", lines, settings, (FIXED,))


@torch_arguments("lr_lambda last_epoch", LAST)
def LambdaLR(lr_lambda: Callable[[Any], Any]) -> Schedule:
    """lr_t = lr f(t - 1) for a function f of the epoch that is a formula, such as ``lambda epoch: 0.95**epoch``.

    The function is called with a symbol, so it may not branch or use ``math`` (``sympy.Min``, ``sympy.cos`` … may stand in it); then it is
    called with the numbers 0 to 60, where it must give what the formula gives. Source: PyTorch's LambdaLR.

    >>> import symnet as sn
    >>> [sn.LambdaLR(lambda epoch: 1/(epoch + 1)).rate(t) for t in (1, 2, 4)]
    [1.0, 0.5, 0.25]
    """
    return _schedule("LambdaLR", LR * _formula("LambdaLR", lr_lambda), {})


@torch_arguments("lr_lambda last_epoch", LAST)
def MultiplicativeLR(lr_lambda: Callable[[Any], Any]) -> Schedule:
    """lr_t = lr c^(t - 1) for a function that gives the same factor c at every epoch, such as ``lambda epoch: 0.95``.

    A factor that depends on the epoch would make lr_t a product as long as t, which is no formula. Source: PyTorch's MultiplicativeLR.

    >>> import symnet as sn
    >>> [sn.MultiplicativeLR(lambda epoch: 0.5).rate(t) for t in (1, 2, 3)]
    [1.0, 0.5, 0.25]
    """
    factor = _formula("MultiplicativeLR", lr_lambda)
    if factor.free_symbols:
        raise OptionError("MultiplicativeLR, lr_lambda", f"the factor {factor}", "the same factor at every epoch",
                          "LambdaLR with the product of the factors as a formula")
    return _schedule("MultiplicativeLR", LR * symbol("gamma") ** EPOCH, {"gamma": factor})


def _formula(name: str, function: Any) -> sp.Expr:
    """What a function of the epoch gives for the symbol t - 1. Raises OptionError for one that is no formula."""
    where, wanted = f"{name}, lr_lambda", "a function of the epoch that is a formula"
    if not callable(function):
        raise OptionError(where, shown(function), wanted, "lambda epoch: 0.95**epoch")
    try:
        made = sp.sympify(function(EPOCH), strict=True)
        made = made.xreplace({f: rational(float(f)) for f in made.atoms(sp.Float)})
        tried = [(float(compute(made, {STEP: sp.Integer(k + 1)})), float(function(k))) for k in range(61)]
    except SymnetError as error:
        raise OptionError(where, str(error)[:120], wanted) from None
    except Exception as error:  # a user's function may raise anything
        raise OptionError(where, f"{type(error).__name__}: {str(error).splitlines()[0][:80] if str(error) else ''}", wanted,
                          "no branches, and sympy's functions in place of math's") from None
    for k, (formula, number) in enumerate(tried):
        if not abs(formula - number) <= 1e-9 * max(1, abs(number)):
            raise OptionError(where, f"{number} at epoch {k}, where its formula gives {formula}", wanted)
    return made


def _parts(name: str, schedulers: Any) -> tuple[Schedule, ...]:
    """The schedules of a list, none of which moves the momentum."""
    if not isinstance(schedulers, (list, tuple)) or not schedulers or not all(isinstance(s, Schedule) for s in schedulers):
        raise OptionError(f"{name}, schedulers", shown(schedulers), "a list of schedules", f"{name}([StepLR(30), …]…)")
    for s in schedulers:
        if s.moves_momentum:
            raise OptionError(f"{name}, schedulers", f"{s.name}, which moves the momentum", "schedules of the rate alone",
                              "cycle_momentum=False")
    return tuple(schedulers)


def _numbered(part: Schedule, k: int, swap: Mapping[sp.Symbol, sp.Expr]) -> tuple[dict[str, sp.Expr], dict[str, sp.Rational]]:
    """The lines and settings of a schedule with its number k behind every name of its own."""
    own = [*part.settings, *[d.name for d in part.program.definitions]]
    names: dict[sp.Basic, sp.Basic] = {symbol(n): symbol(f"{n}_{k}" if n != "lr_t" else f"lr_{k}") for n in own} | dict(swap)
    lines = {str(names[symbol(d.name)]): d.expr.xreplace(names) for d in part.program.definitions}
    return lines, {f"{n}_{k}": v for n, v in part.settings.items()}


@torch_arguments("schedulers milestones last_epoch", LAST)
def SequentialLR(schedulers: Any, milestones: Any) -> Schedule:
    """One schedule after another: the next one begins with its own first step once t - 1 has reached the milestone.

    Source: PyTorch's SequentialLR.

    >>> import symnet as sn
    >>> rates = sn.SequentialLR([sn.ConstantLR("1/10", 2), sn.ExponentialLR("1/2")], [3])
    >>> [rates.rate(t) for t in (1, 3, 4, 5, 6)]
    [0.1, 1.0, 1.0, 0.5, 0.25]
    """
    parts = _parts("SequentialLR", schedulers)
    if not isinstance(milestones, (list, tuple)) or len(milestones) != len(parts) - 1:
        raise OptionError("SequentialLR, milestones", shown(milestones), f"{len(parts) - 1} steps, one fewer than schedules")
    starts = [rational(m) for m in milestones]
    if any(a >= b for a, b in pairwise([sp.S.Zero, *starts])):
        raise OptionError("SequentialLR, milestones", shown(milestones), "steps that rise")
    lines: dict[str, sp.Expr] = {}
    settings: dict[str, Any] = {f"m{k}": m for k, m in enumerate(starts, start=1)}
    for k, part in enumerate(parts, start=1):
        own, values = _numbered(part, k, {STEP: Max(1, STEP - symbol(f"m{k - 1}"))} if k > 1 else {})
        lines |= own
        settings |= values
    cases = [(symbol(f"lr_{k}"), symbol(f"m{k}") >= STEP) for k in range(1, len(parts))]
    lines["lr_t"] = sp.Piecewise(*cases, (symbol(f"lr_{len(parts)}"), sp.true))
    remarks = tuple(dict.fromkeys(r for p in parts for r in p.remarks))
    return _schedule(f"SequentialLR of {', '.join(p.name for p in parts)}", lines, settings, remarks)


FACTORS = {"Constant", "StepLR", "MultiStepLR", "ExponentialLR", "LinearLR", "ConstantLR", "PolynomialLR", "MultiplicativeLR", "WarmupLR",
           "InverseTimeLR"}  # of the rate, whatever it is


@torch_arguments("schedulers")
def ChainedScheduler(schedulers: Any) -> Schedule:
    """Several schedules at once: lr times the factor of each. A schedule that is no factor (a cosine, a cycle) is refused: in PyTorch what
    comes of it depends on the order and on where the rate is at the moment. Source: PyTorch's ChainedScheduler.

    >>> import symnet as sn
    >>> [sn.ChainedScheduler([sn.ConstantLR("1/2", 2), sn.ExponentialLR("1/2")]).rate(t) for t in (1, 2, 3)]
    [0.5, 0.25, 0.25]
    """
    parts = _parts("ChainedScheduler", schedulers)
    lines: dict[str, sp.Expr] = {}
    settings: dict[str, Any] = {}
    for k, part in enumerate(parts, start=1):
        if part.name not in FACTORS:
            raise OptionError("ChainedScheduler, schedulers", f"{part.name}, which is no factor of the rate",
                              "one of " + ", ".join(sorted(FACTORS)), "SequentialLR, one after another")
        own, values = _numbered(part, k, {LR: symbol(f"lr_{k - 1}")} if k > 1 else {})
        lines |= own
        settings |= values
    lines["lr_t"] = lines.pop(f"lr_{len(parts)}")
    return _schedule(f"ChainedScheduler of {', '.join(p.name for p in parts)}", lines, settings)


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
    "onecycle": OneCycleLR, "cyclic": CyclicLR, "lambda": LambdaLR, "multiplicative": MultiplicativeLR, "sequential": SequentialLR,
    "chainedscheduler": ChainedScheduler,
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

    A schedule that moves the momentum puts momentum_t in place of the rule's momentum, or of the first beta of Adam and its kin.

    >>> import symnet as sn
    >>> print(sn.with_schedule(sn.SGD(), sn.ExponentialLR("9/10")).program)
    lr_t := gamma**(t - 1)*lr
    w_new := -g*lr_t + w
    """
    lines, swap = {d.name: d.expr for d in rates.program.definitions}, {LR: symbol("lr_t")}
    if rates.moves_momentum:
        name = next((n for n in ("mu", "beta1") if n in rule.settings), "")
        if not name:
            raise OptionError(f"schedule {rates.name}", f"{rule.name}, which has no momentum", "a rule with a momentum or betas",
                              "SGD(momentum=…), or cycle_momentum=False")
        swap[symbol(name)] = symbol("momentum_t")
    return in_front(rule, named(rule, rates.name), lines, swap, rates.settings, (COUNT,), rates.remarks)
