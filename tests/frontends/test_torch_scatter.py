"""scatter_reduce in all its ways, and places that happen to be 0 and 1, beside PyTorch in float64: values and gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import symnet as sn
from symnet.errors import SymnetError

PLACES = torch.tensor([[0, 1, 1], [2, 2, 2], [0, 0, 1], [1, 0, 2]])
BITS = torch.tensor([[0, 1, 1], [0, 1, 0], [1, 1, 1], [1, 0, 0]])


class Model(nn.Module):
    def __init__(self, rule: Callable[..., Any], places: torch.Tensor) -> None:
        super().__init__()
        self.rule = rule
        self.register_buffer("places", places)

    def forward(self, x: Any, b: Any) -> Any:
        return self.rule(x, b, self.places)


def beside(rule: Callable[..., Any], places: torch.Tensor) -> None:
    rng = np.random.default_rng(6)
    x, b = (torch.from_numpy(rng.normal(size=(4, 3))).requires_grad_(True) for _ in range(2))
    net = Model(rule, places)
    out = net(x, b)
    (out**2).sum().backward()
    read = sn.from_torch(net, (torch.zeros(4, 3, dtype=torch.float64), torch.ones(4, 3, dtype=torch.float64)), loss=sn.SquaredError())
    wrt = [n for n in ("X", "B") if n in read.program.tensors]
    given = {"X": x, "B": b}
    rest = [read.values[t.name] if t.name in read.values else np.zeros(tuple(out.shape)) for t in read.program.inputs if t.name not in wrt]
    value, found = sn.derive(read.program, wrt=wrt).compile(check=False)({n: given[n].detach().numpy() for n in wrt}, *rest)
    assert float(value) == pytest.approx(float((out.detach() ** 2).sum()), rel=1e-12)
    for n in wrt:
        grad = given[n].grad
        np.testing.assert_allclose(found[n], np.zeros((4, 3)) if grad is None else grad.numpy(), rtol=1e-10, atol=1e-13, err_msg=n)


@pytest.mark.parametrize("places", [PLACES, BITS], ids=["places", "zeros and ones"])
@pytest.mark.parametrize("include_self", [True, False])
@pytest.mark.parametrize("reduce", ["sum", "mean", "prod", "amax", "amin"])
def test_scatter_reduce(reduce: str, include_self: bool, places: torch.Tensor) -> None:
    beside(lambda x, b, i: b.scatter_reduce(1, i, x, reduce, include_self=include_self), places)


RULES = {"scatter_add": lambda x, b, i: b.scatter_add(1, i, x), "gather": lambda x, b, i: x.gather(1, i) * b, "gather rows": lambda x, b, i: x.gather(0, i) * b,
         "as numbers": lambda x, b, i: x * i + b, "equal": lambda x, b, i: torch.where(i == 1, x, b), "indexed": lambda x, b, i: x[i[0]].sum(0) * b,
         "embedded": lambda x, b, i: nn.functional.embedding(i, x).sum(1) * b}


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("places", [PLACES, BITS], ids=["places", "zeros and ones"])
def test_whole_numbers_that_are_zeros_and_ones_are_no_mask(rule: str, places: torch.Tensor) -> None:
    beside(RULES[rule], places)


def test_a_mask_is_equal_to_a_number_only_where_that_is_0_or_1() -> None:
    mask = torch.tensor([[True, False, True]] * 4)
    beside(lambda x, b, m: torch.where(m == torch.arange(3), x, b), mask)


def test_argmax_is_refused_with_the_reason() -> None:
    class Top(nn.Module):
        def forward(self, x: Any) -> Any:
            return x.argmax(1)

    with pytest.raises(SymnetError, match="without a slope"):
        sn.from_torch(Top(), torch.zeros(4, 3))
