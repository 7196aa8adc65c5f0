"""What an optimizer is: a program for one entry of one parameter, the constants in it, and the states it keeps.

``w`` is the parameter, ``g`` the gradient, ``lr`` the learning rate, ``t`` = 1, 2, … the number of the step, ``norm`` the norm of
the gradients of all parameters together; every state has an old and a new name and is 0 at the start.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import sympy as sp

from symnet.core.latex import aligned
from symnet.core.numbers import rational
from symnet.core.program import Definition, Program
from symnet.core.short_forms import short_lines
from symnet.core.signatures import checked
from symnet.core.tensors import Role, Tensor, scalar
from symnet.errors import NameError_, OptionError, did_you_mean, shown

# How the constants and the lines in front print; every other name prints as its letters say.
LETTERS = {"lr": r"\alpha", "mu": r"\mu", "rho": r"\rho", "beta1": r"\beta_{1}", "beta2": r"\beta_{2}", "eps": r"\varepsilon",
           "lam": r"\lambda", "tau": r"\tau", "psi": r"\psi", "eta": r"\eta", "gamma": r"\gamma", "lr_t": r"\alpha_{t}",
           "lr_start": r"\alpha_{t}'", "lr_min": r"\alpha_{\min}", "limit": "k", "eps_clip": r"\varepsilon_{c}",
           "step_size": "s", "total_iters": "n", "start_factor": "a", "end_factor": "b",
           "warmup": "n_{0}", "decay": r"\delta", "T_max": "T", "lambd": r"\lambda_{a}", "s_0": "s_{0}", "t_0": "t_{0}",
           "eta_minus": r"\eta^{-}", "eta_plus": r"\eta^{+}", "s_min": r"s_{\min}", "s_max": r"s_{\max}",
           "max_lr": r"\alpha_{\max}", "base_lr": r"\alpha_{0}", "lr_least": r"\alpha_{\text{end}}", "momentum_t": r"\mu_{t}",
           "momentum_max": r"\mu_{\max}", "momentum_min": r"\mu_{\min}", "pct_start": "q", "div_factor": "d", "final_div_factor": "f",
           "T_mult": "r", "T_k": "T_{k}", "e_k": "e_{k}", "length": "c", "step_up": "c_{1}", "step_down": "c_{2}"}
# The keywords of the constructors (PyTorch's) and the symbols that stand for them in the formulas.
SYMBOLS = {"momentum": "mu", "dampening": "tau", "alpha": "rho", "weight_decay": "lam", "lr_decay": "eta", "momentum_decay": "psi",
           "learning_rate": "lr", "t0": "t_0"}
# What PyTorch refuses of a constant: below the first, or from the second on.
BOUNDS: dict[str, tuple[int, int | None]] = {"lr": (0, None), "mu": (0, None), "lam": (0, None), "eps": (0, None),
                                             "beta1": (0, 1), "beta2": (0, 1)}


@dataclass(frozen=True)
class Optimizer:
    """An update rule: ``program`` defines w_new and the new states; ``states`` pairs old with new names.

    ``settings`` are the exact values of the constants; ``counts`` says that the rule uses the step number t = 1, 2, …;
    ``remarks`` say what in the rule feels the size of the loss otherwise than the size of the learning rate.

    >>> import symnet as sn
    >>> rule = sn.SGD(momentum="9/10")
    >>> print(rule.definition("w_new"), rule.settings["mu"], rule.states)
    -lr*m_new + w 9/10 (('m', 'm_new'),)
    """

    name: str
    program: Program
    states: tuple[tuple[str, str], ...] = ()
    settings: Mapping[str, sp.Rational] = field(default_factory=dict)
    counts: bool = False
    remarks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for key, value in self.settings.items():
            if key not in BOUNDS:
                continue
            low, high = BOUNDS[key]
            if value < low or (high is not None and value >= high):
                raise OptionError(f"optimizer {self.name}, {key}", str(value),
                                  f"a number of at least {low}" + ("" if high is None else f", below {high}"))

    @checked
    def definition(self, name: str) -> sp.Expr:
        """The right side that defines ``name``."""
        if name not in self.program.by_name:
            raise NameError_(f"optimizer {self.name}", f"no line for {shown(name)}", "one of " + ", ".join(self.program.by_name),
                             did_you_mean(name, self.program.by_name))
        return self.program.by_name[name][0].expr

    def __repr__(self) -> str:
        return settled_lines("Optimizer", self.name, self.program, self.settings)

    @property
    def uses_norm(self) -> bool:
        """True when the update of one parameter needs the gradients of all."""
        return any(t.name == "norm" for t in self.program.inputs)

    @property
    def latex(self) -> str:
        """The lines of the update, as the rows of an aligned block."""
        return aligned(self.program)

    def _repr_latex_(self) -> str:
        return f"$${self.latex}$$"

    def with_settings(self, **changes: Any) -> Optimizer:
        """The same rule with other constants. Raises OptionError for a constant that the rule does not have."""
        named = {k if k in self.settings else SYMBOLS.get(k, k): (k, v) for k, v in changes.items()}
        for symbol_name, (key, _) in named.items():
            if symbol_name not in self.settings:
                known = [*self.settings, *[k for k, v in SYMBOLS.items() if v in self.settings]]
                raise OptionError(f"optimizer {self.name}", f"no setting {key[:60]!r}", "one of " + ", ".join(self.settings),
                                  did_you_mean(key, known))
        return replace(self, settings={**self.settings, **{k: rational(v) for k, (_, v) in named.items()}})


def settled_lines(kind: str, name: str, program: Program, settings: Mapping[str, sp.Rational]) -> str:
    """The repr of a rule: its name, its constants, its lines."""
    constants = ", ".join(f"{key} = {value}" for key, value in settings.items())
    return "\n".join(short_lines([f"{kind} {name}: {constants}", *[f"  {d!r}" for d in program.definitions]]))


def symbol(name: str) -> sp.Symbol:
    """The scalar called ``name``."""
    return sp.Symbol(name, real=True)


W, G, LR, EPS, STEP, NORM = (symbol(n) for n in ("w", "g", "lr", "eps", "t", "norm"))
COUNT = scalar("t", role=Role.CONSTANT, note="the number of the step")
TOTAL = scalar("norm", role=Role.CONSTANT, latex=r"\left\Vert g\right\Vert", note="the norm of the gradients of all parameters together")


def letter(name: str) -> str:
    """How a constant or line is printed: by its letter; that of part 2 of a schedule, such as gamma_2, with a 2."""
    base, _, number = name.rpartition("_")
    if name in LETTERS or base not in LETTERS or not number.isdigit():
        return LETTERS.get(name, "")
    return f"{LETTERS[base]}^{{({number})}}" if "_" in LETTERS[base] else f"{LETTERS[base]}_{{{number}}}"


def constants(settings: Mapping[str, Any]) -> tuple[Tensor, ...]:
    """The settings as inputs of a program."""
    return tuple(scalar(key, role=Role.CONSTANT, latex=letter(key)) for key in settings)


def definitions(lines: Mapping[str, sp.Expr]) -> tuple[Definition, ...]:
    """name := expression, one a line."""
    return tuple(Definition(Tensor(target, latex=letter(target)), (), expr) for target, expr in lines.items())


def update_rule(name: str, lines: Mapping[str, sp.Expr], states: tuple[tuple[str, str], ...], settings: Mapping[str, Any],
                counts: bool = False, remarks: tuple[str, ...] = ()) -> Optimizer:
    """An optimizer from its lines, the last of them for w_new and the states in any order."""
    inputs = [scalar("w", role=Role.PARAMETER, note="the parameter"), scalar("g", note="the gradient of the loss")]
    inputs += [scalar(old, note="kept from the step before, 0 at the start") for old, _ in states]
    program = Program((*inputs, *constants(settings), *((COUNT,) if counts else ())), definitions(lines), "w_new", (), name)
    return Optimizer(name, program, states, {k: rational(v) for k, v in settings.items()}, counts, remarks)


def named(rule: Optimizer, what: str) -> str:
    """The name of a rule that has something more: "SGD with weight decay, StepLR"."""
    return f"{rule.name}{', ' if ' with ' in rule.name else ' with '}{what}"


def in_front(rule: Optimizer, name: str, lines: Mapping[str, sp.Expr], swap: Mapping[sp.Symbol, sp.Symbol],
             settings: Mapping[str, Any], more: tuple[Tensor, ...] = (), remarks: tuple[str, ...] = ()) -> Optimizer:
    """``rule`` with ``lines`` put before its own, in which the symbols of ``swap`` are replaced."""
    old = rule.program
    known = {t.name for t in old.inputs}
    inputs = (*old.inputs, *constants(settings), *[t for t in more if t.name not in known])
    own = tuple(replace(d, expr=d.expr.xreplace(dict(swap))) for d in old.definitions)
    program = Program(inputs, (*definitions(lines), *own), "w_new", (), name)
    return Optimizer(name, program, rule.states, {**rule.settings, **{k: rational(v) for k, v in settings.items()}},
                     rule.counts or any(t.name == "t" for t in more), tuple(dict.fromkeys((*rule.remarks, *remarks))))
