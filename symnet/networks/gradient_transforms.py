"""What may be put in front of any optimizer: weight decay, coupled and decoupled, and clipping, by value and by norm.

Each takes a rule and gives a rule with one more line, so the result is again a program that trains, prints and can be proved about.
The one put on last acts first: ``clip_by_norm(SGD(weight_decay="1/100"), 1)`` clips the gradient of the loss and then adds the decay,
as ``clip_grad_norm_`` before ``optimizer.step()`` does in PyTorch.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import sympy as sp

from symnet.core.axes import index
from symnet.core.expressions import as_written, total
from symnet.core.functions import Max, Min
from symnet.core.numbers import rational
from symnet.core.program import Definition, Program
from symnet.core.signatures import checked
from symnet.core.tensors import Tensor, free_name
from symnet.errors import OptionError, needs
from symnet.networks.optimizer_program import LR, NORM, TOTAL, G, Optimizer, W, in_front, named, symbol

DECAY = "the decay pulls at w itself, which the factor in the loss does not touch and the factor in the learning rate does"
COUPLED = "the decay λw is added to the gradient of the loss and is not divided with it"
CLIP = "the limit of the clipping stays where it is, so a divided gradient may pass where the whole one is cut"


@checked
def weight_decay(rule: Optimizer, decay: Any) -> Optimizer:
    """g_decay = g + λ w in place of g: coupled decay, the gradient of L + λ/2 ‖w‖² (PyTorch's ``weight_decay`` of SGD and Adam).

    Source: Krogh & Hertz 1991. A decay of 0 leaves the rule as it is.

    >>> import symnet as sn
    >>> print(sn.weight_decay(sn.SGD(), "1/100").program)
    g_decay := g + lam*w
    w_new := -g_decay*lr + w
    """
    if rational(decay) == 0:
        return rule
    return in_front(rule, named(rule, "weight decay"), {"g_decay": G + symbol("lam") * W}, {G: symbol("g_decay")}, {"lam": decay},
                    remarks=(COUPLED,))


@checked
def decoupled_decay(rule: Optimizer, decay: Any, name: str = "") -> Optimizer:
    """w_decay = w - lr λ w in place of w: the decay does not pass through the rule's averages.

    PyTorch's AdamW, with the factor lr. Source: Loshchilov & Hutter 2019, algorithm 2, line 12 (their η_t λ is lr λ here).

    >>> import symnet as sn
    >>> print(sn.decoupled_decay(sn.SGD(), "1/100").program)
    w_decay := -lam*lr*w + w
    w_new := -g*lr + w_decay
    """
    if rational(decay) == 0:
        return replace(rule, name=name or rule.name)
    return in_front(rule, name or named(rule, "decoupled weight decay"), {"w_decay": W - LR * symbol("lam") * W},
                    {W: symbol("w_decay")}, {"lam": decay}, remarks=(DECAY,))


@checked
def ascent(rule: Optimizer) -> Optimizer:
    """-g in place of g: the objective is maximized, as PyTorch's ``maximize=True`` has it.

    >>> import symnet as sn
    >>> print(ascent(sn.SGD()).program)
    g_up := -g
    w_new := -g_up*lr + w
    """
    return in_front(rule, named(rule, "ascent"), {"g_up": -G}, {G: symbol("g_up")}, {})


@checked
def clip_by_value(rule: Optimizer, limit: Any) -> Optimizer:
    """g_clip = max(-k, min(k, g)) in place of g, entry by entry: PyTorch's ``clip_grad_value_``.

    >>> import symnet as sn
    >>> print(sn.clip_by_value(sn.SGD(), 1).program)
    g_clip := Max(-limit, Min(g, limit))
    w_new := -g_clip*lr + w
    """
    _check(rule, limit)
    k = symbol("limit")
    line = Max(-k, Min(k, G))
    return _clipped(rule, "value", line, {"limit": limit})


@checked
def clip_by_norm(rule: Optimizer, limit: Any) -> Optimizer:
    """g_clip = g min(1, k / (‖g‖ + ε_c)) in place of g, with ‖g‖ the norm of all gradients together (``global_norm``).

    PyTorch's ``clip_grad_norm_``, with its ε_c = 10⁻⁶, the setting ``eps_clip``. Source: Pascanu, Mikolov & Bengio 2013, algorithm 1.

    >>> import symnet as sn
    >>> print(sn.clip_by_norm(sn.SGD(), 1).program)
    g_clip := g*Min(1, limit/(eps_clip + norm))
    w_new := -g_clip*lr + w
    """
    _check(rule, limit)
    with as_written():
        line = G * Min(1, symbol("limit") / (NORM + symbol("eps_clip")))
    return _clipped(rule, "norm", line, {"limit": limit, "eps_clip": "1/1000000"}, TOTAL)


def _clipped(rule: Optimizer, by: str, line: sp.Expr, settings: Mapping[str, Any], *more: Tensor) -> Optimizer:
    name, cut = named(rule, f"gradients clipped by {by}"), symbol("g_clip")
    return in_front(rule, name, {"g_clip": line}, {G: cut}, settings, more, (CLIP,))


def _check(rule: Optimizer, limit: Any) -> None:
    if rational(limit) <= 0:
        raise OptionError("clip", f"the limit {limit}", "a positive number")
    if "g_clip" in rule.program.by_name:
        raise OptionError("clip", "gradients that are clipped already", "one kind of clipping")


@checked
def global_norm(gradients: Iterable[Tensor]) -> Program:
    """norm = √(Σ over all entries of all gradients of g²), as a program whose inputs are the gradients.

    >>> from symnet.core.axes import Axis
    >>> print(global_norm([Tensor("W", (Axis.of("d"),)), Tensor("b")]))
    norm := sqrt(b**2 + Sum(W[i1]**2, (i1, 1, d)))
    """
    tensors = tuple(gradients)
    for t in tensors:
        needs(t, Tensor, "global_norm", "the tensors of the gradients", "[t for t in derivation.program.inputs]")
    squares = []
    for t in tensors:
        places = tuple(index(f"i{k}") for k in range(1, len(t.axes) + 1))
        over = tuple((i, a.lower, a.upper) for i, a in zip(places, t.axes, strict=True))
        squares.append(total(t[places] ** 2, over) if places else t[()] ** 2)
    name = free_name("norm", {t.name for t in tensors})
    return Program(tensors, (Definition(Tensor(name, latex=TOTAL.latex), (), sp.sqrt(sp.Add(*squares))),))
