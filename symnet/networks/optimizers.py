"""Optimizers as programs: the update of one entry, written once, used by training, proofs and reports alike.

``w`` is the parameter, ``g`` the gradient, ``lr`` the learning rate; every state has an old and a new name. Conventions are
PyTorch's. Sources: Polyak 1964 (momentum); Tieleman & Hinton 2012 (RMSprop); Kingma & Ba 2015, algorithm 1 (Adam).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sympy as sp

from symnet.core.expressions import as_written
from symnet.core.numbers import rational
from symnet.core.program import Definition, Program
from symnet.core.tensors import Role, Tensor, scalar
from symnet.core.wellformed import did_you_mean
from symnet.errors import OptionError

GREEK = {"lr": r"\alpha", "mu": r"\mu", "rho": r"\rho", "beta1": r"\beta_{1}", "beta2": r"\beta_{2}", "eps": r"\varepsilon"}


@dataclass(frozen=True)
class Optimizer:
    """An update rule: ``program`` defines w_new and the new states; ``states`` pairs old with new names.

    ``settings`` are the exact values of the constants; ``counts`` says that the rule uses the step number t = 1, 2, ….
    """

    name: str
    program: Program
    states: tuple[tuple[str, str], ...] = ()
    settings: Mapping[str, sp.Rational] = field(default_factory=dict)
    counts: bool = False

    def definition(self, name: str) -> sp.Expr:
        """The right side that defines ``name``."""
        return self.program.by_name[name][0].expr

    def with_settings(self, **changes: Any) -> Optimizer:
        """The same rule with other constants. Raises OptionError for a constant that the rule does not have."""
        for key in changes:
            if key not in self.settings:
                raise OptionError(f"optimizer {self.name}", f"no setting {key!r}", "one of " + ", ".join(self.settings),
                                  did_you_mean(key, self.settings))
        return Optimizer(self.name, self.program, self.states,
                         {**self.settings, **{k: rational(v) for k, v in changes.items()}}, self.counts)


def symbol(name: str) -> sp.Symbol:
    """The scalar called ``name``."""
    return sp.Symbol(name, real=True)


def _rule(name: str, lines: Mapping[str, sp.Expr], states: tuple[tuple[str, str], ...], settings: Mapping[str, Any],
          counts: bool = False) -> Optimizer:
    inputs = [scalar("w", role=Role.PARAMETER, note="the parameter"), scalar("g", note="the gradient of the loss")]
    inputs += [scalar(old, note="kept from the step before, 0 at the start") for old, _ in states]
    inputs += [scalar(key, role=Role.CONSTANT, latex=GREEK.get(key, "")) for key in settings]
    inputs += [scalar("t", role=Role.CONSTANT, note="the number of the step")] if counts else []
    definitions = tuple(Definition(Tensor(target), (), expr) for target, expr in lines.items())
    program = Program(tuple(inputs), definitions, "w_new", (), name)
    return Optimizer(name, program, states, {k: rational(v) for k, v in settings.items()}, counts)


W, G, LR, EPS = symbol("w"), symbol("g"), symbol("lr"), symbol("eps")


def SGD(lr: Any = "1/100") -> Optimizer:
    """w_new = w - lr g: gradient descent, stochastic when g comes from a mini-batch.

    >>> print(SGD().program)
    w_new := -g*lr + w
    """
    return _rule("SGD", {"w_new": W - LR * G}, (), {"lr": lr})


def Momentum(lr: Any = "1/100", momentum: Any = "9/10") -> Optimizer:
    """m_new = mu m + g; w_new = w - lr m_new: heavy ball, PyTorch's convention (no dampening)."""
    m, mu = symbol("m"), symbol("mu")
    new = mu * m + G
    return _rule("Momentum", {"m_new": new, "w_new": W - LR * symbol("m_new")}, (("m", "m_new"),), {"lr": lr, "mu": momentum})


def RMSprop(lr: Any = "1/100", alpha: Any = "99/100", eps: Any = "1e-8") -> Optimizer:
    """v_new = rho v + (1 - rho) g²; w_new = w - lr g / (√v_new + eps)."""
    v, rho = symbol("v"), symbol("rho")
    with as_written():
        lines = {"v_new": rho * v + (1 - rho) * G**2, "w_new": W - LR * G / (sp.sqrt(symbol("v_new")) + EPS)}
    return _rule("RMSprop", lines, (("v", "v_new"),), {"lr": lr, "rho": alpha, "eps": eps})


def Adam(lr: Any = "1/1000", beta1: Any = "9/10", beta2: Any = "999/1000", eps: Any = "1e-8") -> Optimizer:
    """Averages of g and g², corrected for their start at 0; w_new = w - lr m̂ / (√v̂ + eps)."""
    m, v, b1, b2, t = (symbol(n) for n in ("m", "v", "beta1", "beta2", "t"))
    with as_written():
        lines = {"m_new": b1 * m + (1 - b1) * G, "v_new": b2 * v + (1 - b2) * G**2,
                 "m_hat": symbol("m_new") / (1 - b1**t), "v_hat": symbol("v_new") / (1 - b2**t),
                 "w_new": W - LR * symbol("m_hat") / (sp.sqrt(symbol("v_hat")) + EPS)}
    return _rule("Adam", lines, (("m", "m_new"), ("v", "v_new")), {"lr": lr, "beta1": beta1, "beta2": beta2, "eps": eps}, True)


OPTIMIZERS = {"sgd": SGD, "momentum": Momentum, "rmsprop": RMSprop, "adam": Adam}


def optimizer(name: str | Optimizer, **settings: Any) -> Optimizer:
    """An optimizer by its name, case aside, with settings; an Optimizer is returned as it is."""
    if isinstance(name, Optimizer):
        return name
    if str(name).lower() not in OPTIMIZERS:
        raise OptionError("optimizer", repr(name)[:60], "one of " + ", ".join(OPTIMIZERS),
                          did_you_mean(str(name).lower(), OPTIMIZERS))
    return OPTIMIZERS[str(name).lower()]().with_settings(**settings)
