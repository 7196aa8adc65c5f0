"""Optimizers as programs: the update of one entry, written once, used by training, proofs and reports alike.

Conventions and defaults are PyTorch's. Here: descent and its momentum forms, and the table of all rules by name;
``optimizers_adaptive`` has the rules that divide by the size of the gradients.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from symnet.core.expressions import as_written
from symnet.core.functions import step
from symnet.core.numbers import rational
from symnet.errors import OptionError, did_you_mean, shown
from symnet.networks.arguments import bare_name, torch_arguments
from symnet.networks.gradient_transforms import ascent, clip_by_norm, clip_by_value, decoupled_decay, global_norm, weight_decay
from symnet.networks.optimizer_program import LR, STEP, G, Optimizer, W, symbol, update_rule
from symnet.networks.optimizers_adaptive import (
    ASGD,
    HOW,
    Adadelta,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    Lion,
    NAdam,
    RAdam,
    RMSprop,
    Rprop,
    SignSGD,
    pair,
)

__all__ = ["ASGD", "OPTIMIZERS", "SGD", "Adagrad", "Adam", "AdamW", "HeavyBall", "Lion", "Momentum", "NAdam", "Nesterov", "Optimizer",
           "RMSprop", "Rprop", "SignSGD", "clip_by_norm", "clip_by_value", "decoupled_decay", "global_norm", "optimizer", "symbol",
           "update_rule", "weight_decay"]


RATE = "1/1000"  # PyTorch's SGD


@torch_arguments("lr momentum dampening weight_decay nesterov", HOW)
def SGD(lr: Any = RATE, momentum: Any = 0, dampening: Any = 0, weight_decay: Any = 0, nesterov: bool = False, *,
        maximize: bool = False) -> Optimizer:
    """w_new = w - lr g: gradient descent, stochastic when g comes from a mini-batch.

    Arguments and defaults are PyTorch's: with ``momentum`` it is Momentum, with ``nesterov`` too Nesterov.
    Source: Cauchy 1847; Robbins & Monro 1951. ``weight_decay`` λ is coupled: g + λ w in place of g.

    >>> print(SGD().program)
    w_new := -g*lr + w
    """
    pushed = rational(momentum) != 0
    if nesterov and (not pushed or rational(dampening) != 0):
        raise OptionError("SGD, nesterov", f"momentum={momentum}, dampening={dampening}", "a momentum, and no dampening")
    if pushed:
        made = Nesterov(lr, momentum, weight_decay) if nesterov else Momentum(lr, momentum, dampening, weight_decay)
    else:
        made = _decayed(update_rule("SGD", {"w_new": W - LR * G}, (), {"lr": lr}), weight_decay)
    return ascent(made) if maximize else made


@torch_arguments("lr momentum dampening weight_decay")
def Momentum(lr: Any = RATE, momentum: Any = "9/10", dampening: Any = 0, weight_decay: Any = 0) -> Optimizer:
    """m_new = mu m + (1 - tau) g; w_new = w - lr m_new: momentum in PyTorch's convention, the learning rate outside the average.

    At the first step PyTorch sets m = g, whatever the dampening tau: the bracket [t > 1] with tau says so. Without dampening both are the
    same. With tau = mu, m is an average of the gradients. Source: Polyak 1964; PyTorch's SGD. See HeavyBall for the other convention.

    >>> print(Momentum().program)
    m_new := g + m*mu
    w_new := -lr*m_new + w
    """
    m, mu, tau = symbol("m"), symbol("mu"), symbol("tau")
    damped = rational(dampening) != 0
    new = mu * m + (1 - tau * step(STEP - 1)) * G if damped else mu * m + G
    settings = {"lr": lr, "mu": momentum, **({"tau": dampening} if damped else {})}
    rule = update_rule("Momentum", {"m_new": new, "w_new": W - LR * symbol("m_new")}, (("m", "m_new"),), settings, damped)
    return _decayed(rule, weight_decay)


@torch_arguments("lr momentum weight_decay")
def HeavyBall(lr: Any = RATE, momentum: Any = "9/10", weight_decay: Any = 0) -> Optimizer:
    """w_new = w - lr g + mu (w - w of the step before); the state v is that difference, 0 at the start.

    Polyak 1964, and with v_new = mu v - lr g Sutskever et al. 2013, eq. 1-2. The learning rate is inside the state: with a constant
    rate the parameters are Momentum's, with a schedule they are not.

    >>> print(HeavyBall().program)
    w_new := -g*lr + mu*v + w
    v_new := -w + w_new
    """
    lines = {"w_new": W - LR * G + symbol("mu") * symbol("v"), "v_new": symbol("w_new") - W}
    return _decayed(update_rule("HeavyBall", lines, (("v", "v_new"),), {"lr": lr, "mu": momentum}), weight_decay)


@torch_arguments("lr momentum weight_decay")
def Nesterov(lr: Any = RATE, momentum: Any = "9/10", weight_decay: Any = 0) -> Optimizer:
    """m_new = mu m + g; w_new = w - lr (g + mu m_new): Nesterov's accelerated gradient as in PyTorch's SGD(nesterov=True).

    The parameters are those of the point looked ahead to, w + mu v. Source: Nesterov 1983; Sutskever et al. 2013, eq. 3-4; the form
    in which the gradient is taken at the kept point: Bengio, Boulanger-Lewandowski & Pascanu 2013.

    >>> print(Nesterov().program)
    m_new := g + m*mu
    w_new := -lr*(g + m_new*mu) + w
    """
    m, mu = symbol("m"), symbol("mu")
    with as_written():
        lines = {"m_new": mu * m + G, "w_new": W - LR * (G + mu * symbol("m_new"))}
    return _decayed(update_rule("Nesterov", lines, (("m", "m_new"),), {"lr": lr, "mu": momentum}), weight_decay)


_decayed = weight_decay  # the keyword of the same name hides it above

OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {
    "sgd": SGD, "momentum": Momentum, "heavyball": HeavyBall, "nesterov": Nesterov, "adagrad": Adagrad, "rmsprop": RMSprop, "adam": Adam,
    "adamw": AdamW, "nadam": NAdam, "lion": Lion, "signsgd": SignSGD, "adadelta": Adadelta, "adamax": Adamax, "radam": RAdam,
    "asgd": ASGD, "rprop": Rprop,
}


def optimizer(name: str | Optimizer | Callable[..., Optimizer], **settings: Any) -> Optimizer:
    """An optimizer by its name, case and dashes aside, or its constructor, with settings: keywords of it or symbols of its formulas.

    An Optimizer is returned as it is, or with other constants. Raises OptionError for a name or setting that does not exist.

    >>> optimizer("momentum", momentum="1/2").settings["mu"], optimizer(Adam, beta1="1/2").settings["beta1"]
    (1/2, 1/2)
    """
    if isinstance(name, Optimizer):
        if "betas" in settings:
            settings |= dict(zip(("beta1", "beta2"), pair(name.name, settings.pop("betas"), None, None), strict=True))
        return name.with_settings(**settings) if settings else name
    make = OPTIMIZERS.get(bare_name(name)) if isinstance(name, str) else name
    if not any(make is known for known in OPTIMIZERS.values()):
        raise OptionError("optimizer", shown(name), "one of " + ", ".join(OPTIMIZERS), did_you_mean(name, OPTIMIZERS))
    assert callable(make)
    keywords = inspect.signature(make).parameters
    made = make(**{k: v for k, v in settings.items() if k in keywords})
    return made.with_settings(**{k: v for k, v in settings.items() if k not in keywords})
