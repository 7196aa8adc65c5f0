"""Every option of every loss of torch.nn beside PyTorch in float64: the reductions, weights, ignored classes, margins. With "none" the
terms are compared one by one, and their gradients under a random factor for each, as ``loss.backward(G)`` has it."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import sympy as sp
import torch
from torch import nn

import symnet as sn
from symnet.calculus import derive
from symnet.core.axes import Axis, index
from symnet.core.expressions import total
from symnet.core.program import Definition, Program
from symnet.core.tensors import Role, Tensor
from symnet.errors import OptionError, ShapeError
from symnet.networks.builder import Builder
from symnet.networks.catalogue import LOSSES
from symnet.networks.layers import batch_axis

Arrays = dict[str, np.ndarray[Any, Any]]
N, C = 4, 3
RNG = np.random.default_rng(11)
CLASSES = np.array([0, 2, 1, 2])
HOT = np.array([[1, 0, 1], [0, 1, 0], [0, 0, 0], [1, 1, 0]], dtype=float)
LISTED = np.array([[0, 2, -1], [1, -1, -1], [-1, -1, -1], [0, 1, -1]])
SIGNS = np.array([[1, -1, 1], [-1, -1, 1], [1, 1, -1], [-1, 1, -1]], dtype=float)
UNIT = RNG.uniform(0.1, 0.9, size=(N, C))
COUNTS = np.array([[0, 1, 2], [3, 5, 1], [0, 7, 2], [1, 1, 4]], dtype=float)


@dataclass(frozen=True)
class Options:
    """One loss with options. ``own`` and ``other`` are its options here and in PyTorch where they are written otherwise; ``more`` are
    further tensors of the output's shape, ``row`` says how PyTorch takes (output, target, further ones)."""

    name: str
    target: Any  # as symnet takes it; None for none
    theirs: Any = None  # as PyTorch does, where that differs
    both: dict[str, Any] = field(default_factory=dict)
    own: dict[str, Any] = field(default_factory=dict)
    other: dict[str, Any] = field(default_factory=dict)
    given: Arrays = field(default_factory=dict)  # weights by name
    more: tuple[str, ...] = ()
    row: Callable[..., tuple[Any, ...]] = lambda a, y, *more: (a, *([] if y is None else [y]), *more)
    output: str = "any"
    reductions: tuple[str, ...] = ("mean", "sum", "none")


def to_text(options: dict[str, Any]) -> dict[str, Any]:
    return {k: str(v) if isinstance(v, float) else v for k, v in options.items()}


W3, WNC = np.array([0.5, 2.0, 1.25]), RNG.uniform(0.2, 2, size=(N, C))
WEIGHTED = {"own": {"weight": "w"}, "other": {"weight": torch.from_numpy(W3)}, "given": {"w": W3}}
ENTRIES = {"own": {"weight": "w"}, "other": {"weight": torch.from_numpy(WNC)}, "given": {"w": WNC}}
BY_CLASS = {"indices": True}
OTHER_FIRST: dict[str, Any] = {"row": lambda a, y, v: (a, v, y), "more": ("V",)}
Y = RNG.normal(size=(N, C))
CASES: dict[str, Options] = {
    "MSELoss": Options("MSELoss", Y), "L1Loss": Options("L1Loss", Y), "HuberLoss": Options("HuberLoss", Y, both={"delta": 0.3}),
    "SmoothL1Loss": Options("SmoothL1Loss", Y, both={"beta": 0.4}), "SmoothL1Loss, beta 0": Options("SmoothL1Loss", Y, both={"beta": 0}),
    "BCELoss": Options("BCELoss", UNIT, output="unit"), "BCELoss, weight": Options("BCELoss", UNIT, output="unit", **ENTRIES),
    "BCEWithLogitsLoss, weight": Options("BCEWithLogitsLoss", UNIT, **ENTRIES),
    "BCEWithLogitsLoss, pos_weight": Options("BCEWithLogitsLoss", UNIT, own={"pos_weight": "0.7"}, other={"pos_weight": torch.tensor(0.7, dtype=torch.float64)}),
    "BCEWithLogitsLoss, pos_weight of each class": Options(
        "BCEWithLogitsLoss", UNIT, own={"pos_weight": "p", "per_class": True, "weight": "w"},
        other={"pos_weight": torch.from_numpy(W3), "weight": torch.from_numpy(WNC)}, given={"p": W3, "w": WNC}),
    "CrossEntropyLoss": Options("CrossEntropyLoss", CLASSES, own=BY_CLASS),
    "CrossEntropyLoss, weight": Options("CrossEntropyLoss", CLASSES, own={"weight": "w"} | BY_CLASS, other=WEIGHTED["other"], given={"w": W3}),
    "CrossEntropyLoss, everything": Options(
        "CrossEntropyLoss", CLASSES, both={"ignore_index": 2, "label_smoothing": 0.2}, own={"weight": "w"} | BY_CLASS, other=WEIGHTED["other"],
        given={"w": W3}),
    "CrossEntropyLoss of shares": Options("CrossEntropyLoss", UNIT, both={"label_smoothing": 0.2}, **WEIGHTED),
    "NLLLoss": Options("NLLLoss", CLASSES, own={"weight": "w"} | BY_CLASS, other=WEIGHTED["other"], given={"w": W3}),
    "NLLLoss, ignore_index": Options("NLLLoss", CLASSES, own=BY_CLASS, both={"ignore_index": 0}),
    "KLDivLoss": Options("KLDivLoss", UNIT, reductions=("mean", "sum", "none", "batchmean")),
    "KLDivLoss, log_target": Options("KLDivLoss", Y, both={"log_target": True}, reductions=("mean", "sum", "none", "batchmean")),
    "PoissonNLLLoss": Options("PoissonNLLLoss", COUNTS), "PoissonNLLLoss, full": Options("PoissonNLLLoss", COUNTS, both={"full": True}),
    "PoissonNLLLoss of rates": Options("PoissonNLLLoss", COUNTS, both={"log_input": False, "full": True, "eps": 0.01}, output="unit"),
    "GaussianNLLLoss": Options("GaussianNLLLoss", Y, more=("V",), output="unit"),
    "GaussianNLLLoss, full": Options("GaussianNLLLoss", Y, both={"full": True, "eps": 0.001}, more=("V",), output="unit"),
    "SoftMarginLoss": Options("SoftMarginLoss", SIGNS), "HingeEmbeddingLoss": Options("HingeEmbeddingLoss", SIGNS, both={"margin": 0.7}),
    "MarginRankingLoss": Options("MarginRankingLoss", SIGNS, both={"margin": 0.3}, **OTHER_FIRST),
    "CosineEmbeddingLoss": Options("CosineEmbeddingLoss", SIGNS[:, 0], both={"margin": -0.2}, **OTHER_FIRST),
    "TripletMarginLoss": Options("TripletMarginLoss", None, both={"margin": 2.0, "p": 3, "eps": 0.01, "swap": True}, more=("U", "V")),
    "TripletMarginWithDistanceLoss": Options("TripletMarginWithDistanceLoss", None, both={"margin": 0.5, "swap": True}, more=("U", "V")),
    "MultiMarginLoss": Options("MultiMarginLoss", CLASSES, both={"p": 2, "margin": 0.7}),
    "MultiMarginLoss, weight": Options("MultiMarginLoss", CLASSES, **WEIGHTED),
    "MultiLabelMarginLoss": Options("MultiLabelMarginLoss", HOT, LISTED),
    "MultiLabelSoftMarginLoss": Options("MultiLabelSoftMarginLoss", HOT, **WEIGHTED),
}


def with_factors(program: Program) -> Program:
    """S := Σ G L, the terms of L under a factor each."""
    axes = program.objective_tensor.axes
    at = tuple(index(f"i{k}") for k in range(len(axes)))
    G = Tensor("G", axes, role=Role.CONSTANT)
    body = G[at] * program.objective_tensor[at]
    line = Definition(Tensor("S", role=Role.OBJECTIVE), (), total(body, tuple((i, *a.range) for i, a in zip(at, axes, strict=True))))
    return Program((*program.inputs, G), (*program.definitions, line), "S", program.assumptions)


@pytest.mark.parametrize(("name", "reduction"), [(n, r) for n, c in CASES.items() for r in c.reductions])
def test_a_loss_with_options_is_pytorchs(name: str, reduction: str) -> None:
    case, rng = CASES[name], np.random.default_rng(zlib.crc32(name.encode()))
    draw = (lambda: rng.uniform(0.1, 0.9, size=(N, C))) if case.output == "unit" else (lambda: rng.normal(size=(N, C)))
    arrays = {n: draw() for n in ("A", *case.more)}
    tensors = {n: torch.from_numpy(v).requires_grad_(True) for n, v in arrays.items()}
    y = case.target if case.theirs is None else case.theirs
    module = getattr(nn, case.name)(**case.both, **case.other, reduction=reduction)
    loss = module(*case.row(tensors["A"], None if y is None else torch.from_numpy(y), *[tensors[n] for n in case.more]))
    G = rng.normal(size=tuple(loss.shape))
    loss.backward(torch.from_numpy(G))
    program = sn.loss_program(getattr(sn, case.name)(**to_text(case.both), **case.own, reduction=reduction), N, C)
    target = {t.name: case.target for t in program.inputs if t.role is Role.TARGET}
    if reduction != "none":
        whole = program
        G = G.reshape(())
        assert not program.objective_tensor.axes
    else:
        assert tuple(int(s) for s in program.objective_tensor.shape) == tuple(loss.shape)
        np.testing.assert_allclose(program.run(**arrays, **target, **case.given), loss.detach().numpy(), rtol=1e-10, atol=1e-13)
        whole = with_factors(program)
    run = derive(whole, wrt=list(arrays)).compile(check=False)
    rest = [{**case.given, **target, "G": G}[t.name] for t in whole.inputs if t.name not in arrays]
    found, ours = run(arrays, *rest)
    assert float(found) == pytest.approx(float((loss.detach() * (torch.from_numpy(G) if reduction == "none" else 1)).sum()), rel=1e-10)
    for n, tensor in tensors.items():
        scale = 1 if reduction == "none" else float(G)
        np.testing.assert_allclose(np.asarray(ours[n]) * scale, tensor.grad.numpy(), rtol=1e-9, atol=1e-12, err_msg=n)


def test_every_loss_of_pytorch_stands_in_the_table() -> None:
    theirs = {n for n in LOSSES if hasattr(nn, n)} - {"LinearCrossEntropyLoss"}  # which is CrossEntropyLoss behind a layer
    assert {c.name for c in CASES.values()} == theirs


def test_weights_may_be_a_line_of_the_program_that_spreads_over_the_output() -> None:
    w = Tensor("w", (Axis.of(C),), "nonnegative", Role.CONSTANT)
    to = Builder()
    to.inputs.append(w)
    to.now = to.add_input("A", (batch_axis("N"), w.axes[0]), Role.INPUT, "the output")
    sn.BCEWithLogitsLoss("w", reduction="sum").build(to)
    a = RNG.normal(size=(N, C))
    wanted = nn.BCEWithLogitsLoss(torch.from_numpy(W3), reduction="sum")(torch.from_numpy(a), torch.from_numpy(UNIT))
    assert to.program().run(A=a, w=W3, Y=UNIT) == pytest.approx(float(wanted), rel=1e-12)


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "a reduction": (lambda: sn.MSELoss(reduction="mena"), '"none"'), "numbers for weights": (lambda: sn.BCELoss([1, 2, 3]), 'weight="w"'),
    "a reduction as weight": (lambda: sn.MultiMarginLoss(weight="sum"), 'reduction="sum"'),
    "a number for each class": (lambda: sn.BCEWithLogitsLoss(pos_weight=2, per_class=True), 'pos_weight="w"'),
    "terms for a penalty": (lambda: sn.loss_program(sn.L2Penalty(sn.MSELoss(reduction="none"), 1), "N", "d"), 'reduction="mean"'),
    "terms to train on": (lambda: sn.fit(sn.Sequential(sn.Linear(2, 1)), Y[:, :2], Y[:, :1], loss=sn.MSELoss(reduction="none")), "sum or average it"),
    "a distance of one's own": (lambda: sn.TripletMarginWithDistanceLoss(distance_function=abs), "distance_function"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_meaning_is_refused_in_one_line(name: str) -> None:
    make, says = REFUSED[name]
    with pytest.raises((OptionError, ShapeError)) as caught:
        make()
    assert says in str(caught.value) and "\n" not in str(caught.value)


def test_the_jacobian_of_terms() -> None:
    d = sn.jacobian(sn.loss_program(sn.MSELoss(reduction="none"), "N"), "L", "a")
    assert str(d.gradients["a"].expr) != "0" and sp.sympify(d.steps[-1].check().ok)
