"""Names for the parameters of a model: the k-th weight is Wk and its bias bk; any other name is kept, made fit for a program."""

from __future__ import annotations

import re
from collections.abc import Sequence


def parameter_names(parameters: Sequence[tuple[str, int]]) -> list[str]:
    """A name for each (path, rank): "0.weight" of rank 2 or more is W1, "0.bias" b1, "norm.weight" of rank 1 g2 for a second module.

    >>> parameter_names([("0.weight", 2), ("0.bias", 1), ("ln.weight", 1), ("ln.bias", 1), ("running_mean", 1)])
    ['W1', 'b1', 'g2', 'b2', 'running_mean']
    """
    modules = list(dict.fromkeys(path.rpartition(".")[0] for path, _ in parameters if path.endswith(("weight", "bias"))))
    found: list[str] = []
    for path, rank in parameters:
        parent, _, last = path.rpartition(".")
        if last in ("weight", "bias"):
            letter = "b" if last == "bias" else "W" if rank > 1 else "g"
            name = f"{letter}{modules.index(parent) + 1}"
        else:
            name = clean(path)
        while name in found:
            name += "_"
        found.append(name)
    return found


def clean(text: str) -> str:
    """Letters, digits and _ only, a letter first.

    >>> clean("onnx::MatMul_7"), clean("0.scale")
    ('onnx_MatMul_7', 'p_0_scale')
    """
    name = re.sub(r"\W+", "_", text).strip("_")
    return name[:60] if name[:1].isalpha() else f"p_{name}"[:60]
