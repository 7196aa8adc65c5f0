"""The multilayer perceptron of scikit-learn as a program, for all sizes: each is derived and compiled once, however often it is fitted."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import sympy as sp

from symnet.calculus import derive
from symnet.core.axes import index
from symnet.core.derivation import Derivation
from symnet.core.expressions import as_written, total
from symnet.core.program import Program
from symnet.core.tensors import Role, Tensor, scalar
from symnet.errors import OptionError, did_you_mean, shown
from symnet.networks.activations import ELU, GELU, SELU, SiLU
from symnet.networks.layers import Layer, Linear, ReLU, Sigmoid, Softplus, Tanh
from symnet.networks.losses import CrossEntropyLoss, HalfSquaredError, Loss
from symnet.networks.losses_classes import BCEWithLogitsLoss
from symnet.networks.sample_weights import weighted
from symnet.networks.sequential import Sequential

ACTIVATIONS: dict[str, Layer | None] = {"identity": None, "logistic": Sigmoid(), "tanh": Tanh(), "relu": ReLU(), "gelu": GELU(),
                                        "silu": SiLU(), "elu": ELU(), "selu": SELU(), "softplus": Softplus()}
LOSSES: dict[str, Loss] = {"softmax": CrossEntropyLoss(normalized=True, reduction="sum"), "logistic": BCEWithLogitsLoss(reduction="sum"),
                           "identity": HalfSquaredError()}


@lru_cache(maxsize=16)
def perceptron(hidden: int, activation: str, output: str, weights: bool = False) -> Derivation:
    """L = (Σ_n s_n ℓ_n + α/2 Σ W²)/Σ_n s_n, with ``hidden`` layers, for a batch of N samples; s is 1 without ``weights``.

    ℓ is the cross-entropy of the "softmax", the sum of the cross-entropies of "logistic" outputs, or half the squared error of the
    "identity". Weights are W1, W2, …, biases b1, b2, …, inputs X and Y. Source: scikit-learn's user guide, section 1.17.

    >>> perceptron(1, "relu", "softmax").wrt
    ('W1', 'b1', 'W2', 'b2')
    """
    if activation not in ACTIVATIONS:
        raise OptionError("activation", shown(activation), "one of " + ", ".join(ACTIVATIONS), did_you_mean(activation, ACTIVATIONS))
    between = ACTIVATIONS[activation]
    layers: list[Layer] = []
    for k in range(hidden + 1):
        layers += [Linear(f"m{k}", f"m{k + 1}"), *([between] if between is not None and k < hidden else [])]
    made, s = Sequential(*layers).program(LOSSES[output], "N"), ""
    if weights:
        made, s = weighted(made)
    return derive(_with_penalty(made, s))


def _with_penalty(program: Program, weights: str) -> Program:
    """The sum over the samples, with the squares of the weights behind it, divided by how many samples there are."""
    *before, last = program.definitions
    alpha = scalar("alpha", role=Role.CONSTANT, note="the strength of the penalty")
    batch = next(t for t in program.inputs if t.name == "X").axes[0]
    with as_written():
        count = batch.size
        if weights:
            n = index("n_")
            count = total(program.tensors[weights][n,], ((n, *batch.range),))
        squares = [_square(t) for t in program.inputs if t.role is Role.PARAMETER and not t.name.startswith("b")]
        whole = last.expr / count + alpha[()] * sp.Add(*squares) / (2 * count)
    return Program((*program.inputs, alpha), (*before, replace(last, expr=whole)), program.objective, program.assumptions, program.title)


def _square(tensor: Tensor) -> sp.Expr:
    places = tuple(index(f"i{k}") for k in range(1, len(tensor.axes) + 1))
    over = tuple((i, *a.range) for i, a in zip(places, tensor.axes, strict=True))
    return total(tensor[places] ** 2, over[::-1])  # the outermost last, as the entries lie in memory
