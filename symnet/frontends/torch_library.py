"""PyTorch itself, imported here alone: the library, and what traces a function's operators on tensors that hold no numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from symnet.errors import MissingToolError


def torch_for(who: str) -> Any:
    """The module torch. Raises MissingToolError naming ``who`` asks."""
    try:
        return import_module("torch")
    except ImportError:
        raise MissingToolError(who, "torch is not installed", "torch", "pip install torch") from None


@dataclass(frozen=True, slots=True)
class TracingParts:
    """The parts of torch.fx's tracing with symbolic sizes that ``torch_tracing`` is made of."""

    torch: Any
    dispatch_mode: Any
    function_mode: Any
    fake_mode: Any
    fake_tensor: Any
    shape_env: Any
    data_dependent: tuple[type[Exception], ...]
    decompositions: Mapping[Any, Any]


def tracing_parts(who: str) -> TracingParts:
    """What is needed to trace. Raises MissingToolError."""
    torch = torch_for(who)
    fake, symbolic = import_module("torch._subclasses.fake_tensor"), import_module("torch.fx.experimental.symbolic_shapes")
    return TracingParts(torch, import_module("torch.utils._python_dispatch").TorchDispatchMode,
                        import_module("torch.overrides").TorchFunctionMode, fake.FakeTensorMode, fake.FakeTensor,
                        symbolic.ShapeEnv, (symbolic.GuardOnDataDependentSymNode, fake.DataDependentOutputException,
                                            fake.DynamicOutputShapeException),
                        import_module("torch._decomp").core_aten_decompositions())
