"""Optimizers that divide the gradient by its own recent size, entry by entry. Conventions and defaults are PyTorch's.

Every state is 0 at the start. ``weight_decay`` is coupled (g + λ w in place of g) except in AdamW and Lion, where it is decoupled.
"""

from __future__ import annotations

from typing import Any

import sympy as sp

from symnet.core.expressions import as_written
from symnet.core.functions import Max, Min, step
from symnet.core.numbers import rational
from symnet.errors import OptionError, shown
from symnet.networks.arguments import BOTH, torch_arguments
from symnet.networks.gradient_transforms import ascent, decoupled_decay
from symnet.networks.gradient_transforms import weight_decay as coupled_decay
from symnet.networks.optimizer_program import EPS, LR, STEP, G, Optimizer, W, symbol, update_rule

BETAS = ("9/10", "999/1000")
FIRST = 1 - step(STEP - 1)  # [t = 1]
HOW = {"foreach": (None, *BOTH), "differentiable": BOTH, "fused": (None, *BOTH), "capturable": BOTH}  # how PyTorch computes, not what
SIZE = "the update divides the gradient by its own recent size, so a constant factor in the loss (almost) cancels, while a factor in " \
       "the learning rate stays"
TURNS = "only the sign of the gradient is used, so a constant factor in the loss cancels, while a factor in the learning rate changes " \
        "the first step"
SLOWS = "the learning rate decides how fast the rate falls, which the factor in the loss does not"
SIGN = "only the sign of the averaged gradient is used, so a constant factor in the loss cancels, while a factor in the learning rate stays"


@torch_arguments("lr lr_decay weight_decay initial_accumulator_value eps", HOW)
def Adagrad(lr: Any = "1/100", lr_decay: Any = 0, weight_decay: Any = 0, initial_accumulator_value: Any = 0, eps: Any = "1e-10", *,
            maximize: bool = False) -> Optimizer:
    """s_new = s + g²; w_new = w - lr g / (√s_new + eps). With ``lr_decay`` eta the rate is lr / (1 + (t - 1) eta).

    An ``initial_accumulator_value`` is added at the first step, since states start at 0. Source: Duchi, Hazan & Singer 2011, section 1
    (diagonal form); PyTorch's Adagrad.

    >>> print(Adagrad().program)
    s_new := g**2 + s
    w_new := -g*lr/(eps + sqrt(s_new)) + w
    """
    s, eta, slowed, first = symbol("s"), symbol("eta"), rational(lr_decay) != 0, rational(initial_accumulator_value)
    if first < 0:
        raise OptionError("Adagrad, initial_accumulator_value", shown(initial_accumulator_value), "a number that is not negative")
    with as_written():
        rate = LR / (1 + (STEP - 1) * eta) if slowed else LR
        start = s + FIRST * symbol("s_0") if first else s
        lines = {"s_new": start + G**2, "w_new": W - rate * G / (sp.sqrt(symbol("s_new")) + EPS)}
    settings = {"lr": lr, **({"eta": lr_decay} if slowed else {}), **({"s_0": first} if first else {}), "eps": eps}
    rule = update_rule("Adagrad", lines, (("s", "s_new"),), settings, bool(slowed or first), (SIZE,))
    return decayed(rule, weight_decay, maximize)


@torch_arguments("lr alpha eps weight_decay momentum centered", HOW)
def RMSprop(lr: Any = "1/100", alpha: Any = "99/100", eps: Any = "1e-8", weight_decay: Any = 0, momentum: Any = 0,
            centered: bool = False, *, maximize: bool = False) -> Optimizer:
    """v_new = rho v + (1 - rho) g²; w_new = w - lr g / (√v_new + eps), with rho the constructor's ``alpha``.

    ``centered`` divides by the square root of v_new - a_new², where a_new = rho a + (1 - rho) g, an estimate of the variance of g: never
    negative in exact numbers. ``momentum`` mu keeps b_new = mu b + (the quotient) and w_new = w - lr b_new.
    Source: Tieleman & Hinton 2012, lecture 6.5; centered: Graves 2013, eq. 38-41, but with eps outside the root, as in PyTorch.

    >>> print(RMSprop().program)
    v_new := g**2*(1 - rho) + rho*v
    w_new := -g*lr/(eps + sqrt(v_new)) + w
    """
    v, a, b, rho, mu = (symbol(n) for n in ("v", "a", "b", "rho", "mu"))
    pushed, size = rational(momentum) != 0, symbol("v_new")
    with as_written():
        lines = {"v_new": rho * v + (1 - rho) * G**2}
        if centered:
            lines["a_new"] = rho * a + (1 - rho) * G
            size = size - symbol("a_new") ** 2
        quotient = G / (sp.sqrt(size) + EPS)
        if pushed:
            lines["b_new"] = mu * b + quotient
        lines["w_new"] = W - LR * (symbol("b_new") if pushed else quotient)
    states = tuple((n[0], n) for n in lines if n != "w_new")
    settings = {"lr": lr, "rho": alpha, "eps": eps, **({"mu": momentum} if pushed else {})}
    return decayed(update_rule("RMSprop", lines, states, settings, remarks=(SIZE,)), weight_decay, maximize)


def decayed(rule: Optimizer, decay: Any, maximize: bool = False, decoupled: bool = False) -> Optimizer:
    """The rule with its decay, coupled or not, for the gradient or, to maximize, minus it."""
    made = decoupled_decay(rule, decay) if decoupled else coupled_decay(rule, decay)
    return ascent(made) if maximize else made


def two(where: str, name: str, value: Any, hint: str = "") -> tuple[Any, Any]:
    """The two numbers of a pair."""
    row = value.tolist() if hasattr(value, "tolist") else value
    if not isinstance(row, (list, tuple)) or len(row) != 2:
        raise OptionError(f"{where}, {name}", shown(value), "two numbers", hint)
    return row[0], row[1]


def pair(where: str, betas: Any, beta1: Any, beta2: Any) -> tuple[Any, Any]:
    """(beta1, beta2): PyTorch's ``betas``, or the one that is given by its own name."""
    betas = two(where, "betas", betas, "betas=(0.9, 0.999), or beta1=… and beta2=…")
    return betas[0] if beta1 is None else beta1, betas[1] if beta2 is None else beta2


@torch_arguments("lr betas eps weight_decay amsgrad", HOW)
def Adam(lr: Any = "1/1000", betas: Any = BETAS, eps: Any = "1e-8", weight_decay: Any = 0, amsgrad: bool = False, *,
         maximize: bool = False, decoupled_weight_decay: bool = False, beta1: Any = None, beta2: Any = None) -> Optimizer:
    """Averages of g and g², corrected for their start at 0; w_new = w - lr m̂ / (√v̂ + eps). ``betas`` are (beta1, beta2).

    m_new = beta1 m + (1 - beta1) g, v_new = beta2 v + (1 - beta2) g², m̂ = m_new / (1 - beta1^t), v̂ = v_new / (1 - beta2^t).
    With ``amsgrad`` v̂ has the largest v_new so far. Source: Kingma & Ba 2015, algorithm 1; Reddi, Kale & Kumar 2018, algorithm 2 (there
    without the corrections).

    >>> import symnet as sn
    >>> print(sn.Adam().program.definitions[-1])
    w_new := -lr*m_hat/(eps + sqrt(v_hat)) + w
    """
    beta1, beta2 = pair("Adam", betas, beta1, beta2)
    m, v, b1, b2 = (symbol(n) for n in ("m", "v", "beta1", "beta2"))
    with as_written():
        lines = {"m_new": b1 * m + (1 - b1) * G, "v_new": b2 * v + (1 - b2) * G**2,
                 **({"u_new": Max(symbol("u"), symbol("v_new"))} if amsgrad else {}),
                 "m_hat": symbol("m_new") / (1 - b1**STEP), "v_hat": symbol("u_new" if amsgrad else "v_new") / (1 - b2**STEP),
                 "w_new": W - LR * symbol("m_hat") / (sp.sqrt(symbol("v_hat")) + EPS)}
    settings = {"lr": lr, "beta1": beta1, "beta2": beta2, "eps": eps}
    states = (("m", "m_new"), ("v", "v_new"), *([("u", "u_new")] if amsgrad else []))
    rule = update_rule("Adam", lines, states, settings, True, (SIZE,))
    return decayed(rule, weight_decay, maximize, decoupled_weight_decay)


@torch_arguments("lr betas eps weight_decay amsgrad", HOW)
def AdamW(lr: Any = "1/1000", betas: Any = BETAS, eps: Any = "1e-8", weight_decay: Any = "1/100", amsgrad: bool = False, *,
          maximize: bool = False, beta1: Any = None, beta2: Any = None) -> Optimizer:
    """Adam from w - lr λ w instead of w: the decay is decoupled from the averages.

    Source: Loshchilov & Hutter 2019, algorithm 2; the decay times lr, as in PyTorch's AdamW.

    >>> import symnet as sn
    >>> print(sn.AdamW(weight_decay="1/100").program.definitions[0])
    w_decay := -lam*lr*w + w
    """
    rule = decoupled_decay(Adam(lr, pair("AdamW", betas, beta1, beta2), eps, amsgrad=amsgrad), weight_decay, "AdamW")
    return ascent(rule) if maximize else rule


@torch_arguments("lr betas eps weight_decay momentum_decay decoupled_weight_decay", HOW)
def NAdam(lr: Any = "1/500", betas: Any = BETAS, eps: Any = "1e-8", weight_decay: Any = 0, momentum_decay: Any = "1/250",
          decoupled_weight_decay: bool = False, *, maximize: bool = False, beta1: Any = None, beta2: Any = None) -> Optimizer:
    """Adam whose m̂ looks one step ahead: mu_next m_new / (1 - μ_1⋯μ_{t+1}) + (1 - mu_t) g / (1 - μ_1⋯μ_t).

    mu_t = beta1 (1 - 0.96^(t psi) / 2), mu_next the same for t + 1. The state q = 1 - μ_1⋯μ_t is kept in place of the product, because
    it is 0 at the start like every state (PyTorch keeps the product, in single precision). Source: Dozat 2016, algorithm 2 (Nadam).

    >>> import symnet as sn
    >>> print(sn.NAdam().program.definitions[-1])
    w_new := -lr*m_hat/(eps + sqrt(v_hat)) + w
    """
    beta1, beta2 = pair("NAdam", betas, beta1, beta2)
    m, v, q, b1, b2, psi = (symbol(n) for n in ("m", "v", "q", "beta1", "beta2", "psi"))
    base = sp.Rational(24, 25)
    now, ahead = symbol("mu_t"), symbol("mu_next")
    with as_written():
        lines = {"mu_t": b1 * (1 - base ** (STEP * psi) / 2), "mu_next": b1 * (1 - base ** ((STEP + 1) * psi) / 2),
                 "m_new": b1 * m + (1 - b1) * G, "v_new": b2 * v + (1 - b2) * G**2, "q_new": 1 - (1 - q) * now,
                 "m_hat": ahead * symbol("m_new") / (1 - (1 - symbol("q_new")) * ahead) + (1 - now) * G / symbol("q_new"),
                 "v_hat": symbol("v_new") / (1 - b2**STEP),
                 "w_new": W - LR * symbol("m_hat") / (sp.sqrt(symbol("v_hat")) + EPS)}
    settings = {"lr": lr, "beta1": beta1, "beta2": beta2, "eps": eps, "psi": momentum_decay}
    states = (("m", "m_new"), ("v", "v_new"), ("q", "q_new"))
    return decayed(update_rule("NAdam", lines, states, settings, True, (SIZE,)), weight_decay, maximize, decoupled_weight_decay)


def SignSGD(lr: Any = "1/10000", *, weight_decay: Any = 0) -> Optimizer:
    """w_new = w - lr sign(g), with sign(0) = 0: only the direction of each entry counts.

    Source: Bernstein, Wang, Azizzadenesheli & Anandkumar 2018, algorithm 1 (signSGD). ``weight_decay`` is coupled.

    >>> print(SignSGD().program)
    w_new := -lr*sign(g) + w
    """
    rule = update_rule("signSGD", {"w_new": W - LR * sp.sign(G)}, (), {"lr": lr}, remarks=(SIGN.replace("averaged ", ""),))
    return decayed(rule, weight_decay)


@torch_arguments("lr betas weight_decay")
def Lion(lr: Any = "1/10000", betas: Any = ("9/10", "99/100"), weight_decay: Any = 0, *, beta1: Any = None, beta2: Any = None) -> Optimizer:
    """w_new = w - lr sign(beta1 m + (1 - beta1) g); m_new = beta2 m + (1 - beta2) g. The decay is decoupled, times lr.

    Source: Chen et al. 2023, algorithm 2 (found by program search); sign(0) = 0.

    >>> import symnet as sn
    >>> print(sn.Lion().program.definitions[0])
    u := beta1*m + g*(1 - beta1)
    """
    beta1, beta2 = pair("Lion", betas, beta1, beta2)
    m, b1, b2 = symbol("m"), symbol("beta1"), symbol("beta2")
    with as_written():
        lines = {"u": b1 * m + (1 - b1) * G, "m_new": b2 * m + (1 - b2) * G, "w_new": W - LR * sp.sign(symbol("u"))}
    settings = {"lr": lr, "beta1": beta1, "beta2": beta2}
    return decoupled_decay(update_rule("Lion", lines, (("m", "m_new"),), settings, remarks=(SIGN,)), weight_decay, "Lion")


@torch_arguments("lr rho eps weight_decay", HOW)
def Adadelta(lr: Any = 1, rho: Any = "9/10", eps: Any = "1e-6", weight_decay: Any = 0, *, maximize: bool = False) -> Optimizer:
    """w_new = w - lr d with d = g √(u + eps)/√(v_new + eps): steps as large as the last ones were, whatever the size of g.

    v_new = rho v + (1 - rho) g², u_new = rho u + (1 - rho) d². Source: Zeiler 2012, algorithm 1.

    >>> import symnet as sn
    >>> print(sn.Adadelta().program.definitions[0])
    v_new := g**2*(1 - rho) + rho*v
    """
    u, v, r = symbol("u"), symbol("v"), symbol("rho")
    with as_written():
        lines = {"v_new": r * v + (1 - r) * G**2, "d": G * sp.sqrt(u + EPS) / sp.sqrt(symbol("v_new") + EPS),
                 "u_new": r * u + (1 - r) * symbol("d") ** 2, "w_new": W - LR * symbol("d")}
    rule = update_rule("Adadelta", lines, (("v", "v_new"), ("u", "u_new")), {"lr": lr, "rho": rho, "eps": eps}, remarks=(SIZE,))
    return decayed(rule, weight_decay, maximize)


@torch_arguments("lr betas eps weight_decay", HOW)
def Adamax(lr: Any = "1/500", betas: Any = BETAS, eps: Any = "1e-8", weight_decay: Any = 0, *, maximize: bool = False, beta1: Any = None,
           beta2: Any = None) -> Optimizer:
    """Adam with the largest |g| of late in place of √v̂: u_new = max(beta2 u, |g| + eps), w_new = w - lr m̂/u_new.

    Source: Kingma & Ba 2015, algorithm 2; eps inside the maximum, as in PyTorch.

    >>> import symnet as sn
    >>> print(sn.Adamax().program.definitions[1])
    u_new := Max(beta2*u, eps + Abs(g))
    """
    beta1, beta2 = pair("Adamax", betas, beta1, beta2)
    m, u, b1, b2 = (symbol(n) for n in ("m", "u", "beta1", "beta2"))
    with as_written():
        lines = {"m_new": b1 * m + (1 - b1) * G, "u_new": Max(b2 * u, sp.Abs(G) + EPS), "m_hat": symbol("m_new") / (1 - b1**STEP),
                 "w_new": W - LR * symbol("m_hat") / symbol("u_new")}
    settings = {"lr": lr, "beta1": beta1, "beta2": beta2, "eps": eps}
    return decayed(update_rule("Adamax", lines, (("m", "m_new"), ("u", "u_new")), settings, True, (SIZE,)), weight_decay, maximize)


@torch_arguments("lr betas eps weight_decay decoupled_weight_decay", HOW)
def RAdam(lr: Any = "1/1000", betas: Any = BETAS, eps: Any = "1e-8", weight_decay: Any = 0, decoupled_weight_decay: bool = False, *,
          maximize: bool = False, beta1: Any = None, beta2: Any = None) -> Optimizer:
    """Adam whose division waits until v is known well: √q m̂ √(1 - beta2^t)/(√v_new + eps) where rho_t > 5, m̂ before.

    rho_t = rho_oo - 2 t beta2^t/(1 - beta2^t) with rho_oo = 2/(1 - beta2) - 1, and
    q = (rho_t - 4)(rho_t - 2) rho_oo/((rho_oo - 4)(rho_oo - 2) rho_t). Source: Liu et al. 2020, algorithm 2.

    >>> import symnet as sn
    >>> print(sn.RAdam().program.definitions[3])
    rho_t := -2*beta2**t*t/(1 - beta2**t) + rho_oo
    """
    beta1, beta2 = pair("RAdam", betas, beta1, beta2)
    if rational(beta2) <= sp.Rational(3, 5):
        raise OptionError("RAdam, beta2", shown(beta2), "a number between 3/5 and 1, so that rho_oo is above 4")
    m, v, b1, b2, limit, now = (symbol(n) for n in ("m", "v", "beta1", "beta2", "rho_oo", "rho_t"))
    with as_written():
        known = sp.Piecewise(((now - 4) * (now - 2) * limit / ((limit - 4) * (limit - 2) * now), now > 5), (0, sp.true))
        size = sp.sqrt(1 - b2**STEP) / (sp.sqrt(symbol("v_new")) + EPS)
        lines = {"m_new": b1 * m + (1 - b1) * G, "v_new": b2 * v + (1 - b2) * G**2, "rho_oo": 2 / (1 - b2) - 1,
                 "rho_t": limit - 2 * STEP * b2**STEP / (1 - b2**STEP), "m_hat": symbol("m_new") / (1 - b1**STEP),
                 "q": known, "d": sp.Piecewise((symbol("m_hat") * sp.sqrt(symbol("q")) * size, now > 5), (symbol("m_hat"), sp.true)),
                 "w_new": W - LR * symbol("d")}
    settings = {"lr": lr, "beta1": beta1, "beta2": beta2, "eps": eps}
    rule = update_rule("RAdam", lines, (("m", "m_new"), ("v", "v_new")), settings, True, (SIZE,))
    return decayed(rule, weight_decay, maximize, decoupled_weight_decay)


@torch_arguments("lr etas step_sizes", HOW)
def Rprop(lr: Any = "1/100", etas: Any = ("1/2", "6/5"), step_sizes: Any = ("1e-6", 50), *, maximize: bool = False) -> Optimizer:
    """w_new = w - s_new sign(p_new): each entry has a step length s, times eta⁺ while the sign of g stays, times eta⁻ where it turned.

    ``etas`` are (eta⁻, eta⁺) and ``step_sizes`` the least and the largest length; the first length is lr. Where the sign turned, the entry
    waits: p_new = 0, else p_new = g. Only lr of the first step is read, so that a schedule changes nothing later, as in PyTorch.
    Source: Riedmiller & Braun 1993; the variant without going back, Igel & Hüsken 2000.

    >>> import symnet as sn
    >>> print(sn.Rprop().program.definitions[-1])
    w_new := -s_new*sign(p_new) + w
    """
    (low, high), (least, most) = ([rational(v) for v in two("Rprop", n, row)] for n, row in (("etas", etas), ("step_sizes", step_sizes)))
    if not 0 < low < 1 < high or not 0 < least <= most:
        raise OptionError("Rprop", f"etas=({low}, {high}), step_sizes=({least}, {most})", "0 < eta⁻ < 1 < eta⁺ and 0 < least <= largest")
    s, p, turned = symbol("s"), symbol("p"), symbol("u")
    with as_written():
        factor = sp.Piecewise((symbol("eta_plus"), turned > 0), (symbol("eta_minus"), turned < 0), (1, sp.true))
        lines = {"s_old": s + FIRST * LR, "u": G * p, "s_new": Max(symbol("s_min"), Min(symbol("s_max"), symbol("s_old") * factor)),
                 "p_new": sp.Piecewise((0, turned < 0), (G, sp.true)), "w_new": W - symbol("s_new") * sp.sign(symbol("p_new"))}
    settings = {"lr": lr, "eta_minus": low, "eta_plus": high, "s_min": least, "s_max": most}
    rule = update_rule("Rprop", lines, (("s", "s_new"), ("p", "p_new")), settings, True, (TURNS,))
    return decayed(rule, 0, maximize)


@torch_arguments("lr lambd alpha t0 weight_decay", HOW)
def ASGD(lr: Any = "1/100", lambd: Any = "1/10000", alpha: Any = "3/4", t0: Any = "1e6", weight_decay: Any = 0, *,
         maximize: bool = False) -> Optimizer:
    """w_new = w (1 - lambd eta) - eta g with eta = lr/(1 + lambd lr (t - 1))^alpha, and beside it the average a of the parameters.

    a_new = a + (w_new - a)/max(1, t - 1 - t0): w itself until step t0, an average from then on; it is kept as the state ``a``, which
    training does not read, as PyTorch's "ax". The rate is kept as a state too, from the step before. Source: Polyak & Juditsky 1992;
    Bottou 2012, section 5.

    >>> import symnet as sn
    >>> print(sn.ASGD().program.definitions[1])
    w_new := -eta_now*g + w*(-eta_now*lambd + 1)
    """
    now, averaged, last = symbol("eta_now"), symbol("a"), symbol("t_0")
    with as_written():
        lines = {"eta_now": symbol("eta") + FIRST * LR, "w_new": W * (1 - symbol("lambd") * now) - now * G,
                 "a_new": averaged + (symbol("w_new") - averaged) / Max(1, STEP - 1 - last),
                 "eta_new": LR / (1 + symbol("lambd") * LR * STEP) ** symbol("rho")}
    settings = {"lr": lr, "lambd": lambd, "rho": alpha, "t_0": t0}
    return decayed(update_rule("ASGD", lines, (("a", "a_new"), ("eta", "eta_new")), settings, True, (SLOWS,)), weight_decay, maximize)
