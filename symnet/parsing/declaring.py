"""Declarations as text: names, sizes and shapes -> axes and tensors."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import sympy as sp

from symnet.core.axes import Axis, Kind, at_most, size
from symnet.core.tensors import NAME, Role, Tensor
from symnet.errors import NameError_, ShapeError, did_you_mean
from symnet.parsing.functions import FUNCTIONS
from symnet.parsing.lowering import CONSTANTS
from symnet.parsing.plain_grammar import KEYWORDS, MODULES

KINDS = {"N": Kind.BATCH, "B": Kind.BATCH, "T": Kind.TIME, "L": Kind.DEPTH}
DECLARED = ("shape", "domain", "structure", "classes", "note")
BUILT_IN = frozenset(FUNCTIONS) | frozenset(CONSTANTS) | MODULES | {"linalg", "T"}


def check_name(name: str, where: str) -> None:
    """Refuse what is no name. A declared name may be a built-in's, which is then hidden: with a tensor e, e is that tensor."""
    if not isinstance(name, str) or not NAME.match(name):
        raise NameError_(where, f"the name {str(name)[:80]!r}", "a letter followed by letters, digits or _")
    if name in KEYWORDS:
        raise NameError_(where, f"{name!r} is a word of the language", "another name", f"{name}_1")


def check_undeclared(name: str, where: str) -> None:
    """Refuse what is no name, or means something else where nobody declared it."""
    check_name(name, where)
    if name in BUILT_IN:
        raise NameError_(where, f"{name!r} is a function or a constant", "another name", f"{name}_1, or declare {name}")


def hidden_by(names: Iterable[str]) -> list[str]:
    """The built-in names, of functions, constants and modules, that declared ones hide.

    >>> hidden_by(["w", "e", "dot"])
    ['e', 'dot']
    """
    return [name for name in names if name in BUILT_IN]


SIZE = r"[-+]?(?:\d{1,6}\*)?(?:[A-Za-z][A-Za-z0-9_]{0,31}|\d{1,6})"
SIZES = re.compile(rf"(?:({SIZE}(?:[-+]{SIZE})*)\.\.)?({SIZE}(?:[-+]{SIZE})*)\Z")
TERM = re.compile(r"([-+]?)(?:(\d+)\*)?([A-Za-z]\w*|\d+)")


def axis_of(text: Any, where: str) -> Axis:
    """3, "d", "q - m + 1", or a range such as "0..L"."""
    if isinstance(text, Axis):
        return text
    if isinstance(text, int) and not isinstance(text, bool):
        return Axis.of(text)
    match = SIZES.match("".join(str(text).split()))
    if match is None or re.search(r"\w\s+\w", str(text)):
        raise ShapeError(where, f"the size {text!r}", "a positive integer, a name, a sum such as T + 1, or a range such as 0..T")
    upper = _size(match[2], where)
    kinds = [KINDS[s.name] for s in sorted(upper.free_symbols, key=str) if s.name in KINDS]
    kind = kinds[0] if kinds else Kind.FEATURE
    if match[1] is None and at_most(upper, sp.S.Zero):
        raise ShapeError(where, f"the size {upper}", "a positive size")
    if match[1] is None:
        return Axis.of(upper, kind)
    lower = _size(match[1], where)
    if at_most(upper + 1, lower):
        raise ShapeError(where, f"the range {lower}..{upper}", "the first place before the last")
    return Axis.between(lower, upper, kind)


def _size(text: str, where: str) -> sp.Expr:
    """A sum of names and numbers."""
    total: sp.Expr = sp.S.Zero
    for sign, times, name in TERM.findall(text):
        if not name.isdigit() and name not in KINDS:
            check_name(name, where)
        value = sp.Integer(name) if name.isdigit() else size(name)
        total += value * int(times or 1) * (-1 if sign == "-" else 1)
    return total


def tensor_of(name: str, spec: Any, where: str = "") -> Tensor:
    """A Tensor from a Tensor, a shape such as ("N", "d"), () for a number, or a mapping as in a worksheet.

    >>> tensor_of("p", {"shape": ("N",), "domain": "(0,1)"}).domain
    '(0, 1)'
    """
    check_name(name, where or f"tensor {name}")
    if isinstance(spec, Tensor):
        return replace(spec, name=name)
    if isinstance(spec, Mapping):
        unknown = [str(key) for key in spec if key not in DECLARED]
        if unknown:
            raise NameError_(where or f"tensor {name}", f"the key {unknown[0][:60]!r}", "one of " + ", ".join(DECLARED),
                             did_you_mean(unknown[0], DECLARED))
        more = {key: spec[key] for key in ("domain", "structure", "note") if key in spec}
        classes = {"classes": axis_of(spec["classes"], where or f"classes of {name}").size} if "classes" in spec else {}
        return replace(tensor_of(name, spec.get("shape", ()), where), **more, **classes)
    shape = () if spec is None else spec if isinstance(spec, (tuple, list)) else (spec,)
    return Tensor(name, tuple(axis_of(s, where or f"shape of {name}") for s in shape), role=Role.INPUT)
