"""sn.check_function on functions as people write them: right ones are proved, wrong ones refuted, with the slip named."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
sys.path.insert(0, str(Path(__file__).parent))

import right_functions as right  # noqa: E402
import wrong_functions as wrong  # noqa: E402
from torch.autograd import Function  # noqa: E402

import symnet as sn  # noqa: E402
from symnet.core.verdict import Answer  # noqa: E402

SLOW = {"GroupNorm", "QuaternionCovariance", "GroupNormWithoutSecond", "CovarianceHalf", "CovarianceTransposed", "AttentionWithoutScale",
        "AttentionElementwise", "AttentionValues", "Attention", "LayerNormWithoutMean", "LayerNormSign", "LayerNormWrongAxis", "Clamp",
        "HuberSign", "HuberSum", "Huber", "CrossEntropyLogs", "CrossEntropyReversed", "CosineWithoutProjection", "BilinearTransposed",
        "Bilinear", "SoftmaxMinus"}
AT_SIZES = {"Huber", "Clamp"}  # cases on data; what the example says of the others is proved for all sizes


def marked(rows: list[Any]) -> list[Any]:
    return [pytest.param(*row, id=row[0].__name__, marks=[pytest.mark.slow] if row[0].__name__ in SLOW else []) for row in rows]


@pytest.mark.parametrize(("function", "example"), marked(right.RIGHT))
def test_a_right_function_is_proved(function: Any, example: tuple[Any, ...]) -> None:
    found = sn.check_function(function, example)
    assert found, str(found)
    scopes = {j.verdict.scope for j in found.judged}
    assert scopes == {"for all sizes"} or function.__name__ in AT_SIZES, str(found)


@pytest.mark.parametrize(("function", "example", "name", "kind"), marked(wrong.WRONG))
def test_a_wrong_function_is_refuted(function: Any, example: tuple[Any, ...], name: str, kind: str) -> None:
    found = sn.check_function(function, example)
    judged = found[name]
    assert judged.verdict.answer is Answer.REFUTED, str(found)
    if kind:
        assert judged.slip is not None and judged.slip.kind.startswith(kind), (kind, str(found))


def test_the_right_gradients_of_a_wrong_function_are_proved() -> None:
    found = sn.check_function(wrong.RMSNormWithoutWeight, wrong.NORM)
    assert found["weight"].verdict.scope == "for all sizes" and found["weight"].right and not found["x"].right


def test_sizes_may_be_said() -> None:
    found = sn.check_function(right.RMSNormFunction, wrong.NORM, shapes={"x": ("rows", "width"), "weight": "width"}, wrt=["weight"])
    assert [j.name for j in found.judged] == ["weight"] and found
    with pytest.raises(sn.SymnetError, match="no array argument named 'y'"):
        sn.check_function(right.RMSNormFunction, wrong.NORM, shapes={"y": ("N",)})


class Square(Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return 2 * g * ctx.saved_tensors[0]


COUNT: list[int] = []


class AtItsOwnSize(Square):
    """Right for three entries alone."""

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (x,) = ctx.saved_tensors
        return 2 * g * x if x.shape[0] == 3 else g * x


class UpToAThousand(Square):
    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (x,) = ctx.saved_tensors
        return 2 * g * x if x.shape[0] <= 1000 else g * x


class ForOnes(Square):
    """Right for an incoming gradient of 1."""

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return 2 * g * g * ctx.saved_tensors[0]


class Clipped(Square):
    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return 2 * g.clamp(-50, 50) * ctx.saved_tensors[0]


class ForPositive(Square):
    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return 2 * g * ctx.saved_tensors[0].abs()


class InMemoryOrder(Square):
    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (x,) = ctx.saved_tensors
        out = torch.empty(x.shape, dtype=x.dtype)
        out.set_((2 * g * x).untyped_storage(), 0, x.shape)
        return out


class Viewed(Square):
    """view() of an incoming gradient that sum().backward() gives as one number spread out."""

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (x,) = ctx.saved_tensors
        return (2 * g.view(-1) * x.reshape(-1)).reshape(x.shape)


class Counting(Square):
    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        COUNT.append(1)
        return (2 if len(COUNT) < 12 else 3) * g * ctx.saved_tensors[0]


class Branching(Square):
    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (x,) = ctx.saved_tensors
        return 2 * g * x if x.sum() > -1e9 else g


class TellingTensors(Square):
    """Another gradient on fake tensors than on plain ones."""

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (x,) = ctx.saved_tensors
        return (2 if type(x) is not torch.Tensor else 3) * g * x


class Squeezed(Function):
    """squeeze() takes the axis of samples away where there is one sample."""

    @staticmethod
    def forward(ctx: Any, x: Any, w: Any) -> Any:
        ctx.save_for_backward(x, w)
        return x @ w.t()

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, w = ctx.saved_tensors
        return g.squeeze() @ w, g.t() @ x


class Chance(Square):
    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return 2 * g * ctx.saved_tensors[0] * (torch.rand(1) < 2)


class Numbers(Square):
    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        (x,) = ctx.saved_tensors
        return 2 * g * x if x[0].item() < 1e9 else g


class WritesItsInput(Square):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x.clone())
        x.data.mul_(x.data)
        return x.clone()


MUST_NOT_PASS = [AtItsOwnSize, ForOnes, Clipped, ForPositive, InMemoryOrder, Counting, Branching, TellingTensors, Chance, Numbers,
                 WritesItsInput]


@pytest.mark.parametrize("function", MUST_NOT_PASS, ids=lambda f: f.__name__)
def test_what_is_right_at_times_alone_is_not_proved(function: Any) -> None:
    COUNT.clear()
    found = sn.check_function(function, torch.ones(3, dtype=torch.float64))
    assert not found, str(found)


def test_what_is_right_up_to_a_size_is_not_proved_for_all() -> None:
    found = sn.check_function(UpToAThousand, torch.ones(3, dtype=torch.float64))
    assert not found or "for all sizes" not in str(found["x"].verdict.scope), str(found)


def test_memory_and_axes_of_one_place() -> None:
    assert not sn.check_function(Viewed, torch.ones(3, 4, dtype=torch.float64)), "view() of what sum() gives back raises"
    assert not sn.check_function(Squeezed, (torch.ones(3, 4), torch.ones(5, 4)))


def test_refusals_name_what_is_refused() -> None:
    for given in (np.sin, "Square", Square()):
        with pytest.raises(sn.SymnetError):
            sn.check_function(given, torch.ones(3))
    with pytest.raises(sn.SymnetError, match="no argument eps"):
        sn.check_function(right.RMSNormFunction, (torch.ones(2, 3), torch.ones(3)))
    said = str(sn.check_function(Branching, torch.ones(3))["x"].verdict)
    assert "test_own_backward.py" in said and "entries of a tensor" in said


def test_json_has_the_fields_of_the_contract() -> None:
    (row,) = sn.check_function(wrong.SquareWithoutUpstream, torch.ones(3)).as_json()["results"]  # type: ignore[misc]
    assert row["verdict"] == "refuted" and row["mistake"]["kind"] == "missing outer derivative" and row["wrt"] == "x"
