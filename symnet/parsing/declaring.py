"""Declarations as text: names, sizes and shapes -> axes and tensors."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from symnet.core.axes import Axis, Kind, size
from symnet.core.tensors import NAME, Role, Tensor
from symnet.errors import NameError_, ShapeError
from symnet.parsing.functions import FUNCTIONS
from symnet.parsing.lowering import CONSTANTS

KINDS = {"N": Kind.BATCH, "B": Kind.BATCH, "T": Kind.TIME, "L": Kind.DEPTH}
RESERVED = frozenset(FUNCTIONS) | set(CONSTANTS) | {"np", "numpy", "linalg", "if", "else", "for", "in", "and", "T"}


def check_name(name: str, where: str) -> None:
    """Refuse what is no name, or means something else."""
    if not NAME.match(name):
        raise NameError_(where, f"the name {name!r}", "a letter followed by letters, digits or _")
    if name in RESERVED:
        raise NameError_(where, f"{name!r} is a function or a constant", "another name", f"{name}_1")


def axis_of(text: Any, where: str) -> Axis:
    """3, "d", or "0..L"."""
    if isinstance(text, Axis):
        return text
    if isinstance(text, int) and not isinstance(text, bool):
        return Axis.of(text)
    match = re.fullmatch(r"\s*(?:(\d{1,4})\s*\.\.\s*)?([A-Za-z][A-Za-z0-9_]{0,31}|\d{1,6})\s*", str(text))
    if match is None:
        raise ShapeError(where, f"the size {text!r}", "a positive integer, a name, or a range such as 0..T")
    if not match[2].isdigit():
        check_name(match[2], where) if match[2] not in KINDS else None
    kind = KINDS.get(match[2], Kind.FEATURE)
    upper = size(int(match[2])) if match[2].isdigit() else size(match[2])
    return Axis.of(upper, kind) if match[1] is None else Axis.between(int(match[1]), upper, kind)


def tensor_of(name: str, spec: Any, where: str = "") -> Tensor:
    """A Tensor from a Tensor, a shape such as ("N", "d"), or () for a number."""
    if isinstance(spec, Tensor):
        return replace(spec, name=name)
    check_name(name, where or f"tensor {name}")
    shape = () if spec is None else spec if isinstance(spec, (tuple, list)) else (spec,)
    return Tensor(name, tuple(axis_of(s, where or f"shape of {name}") for s in shape), role=Role.INPUT)
