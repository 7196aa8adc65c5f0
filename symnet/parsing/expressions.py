"""One expression of plain maths -> its meaning over declared names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import sympy as sp

from symnet.core.brackets import rectangular
from symnet.core.tensors import Tensor
from symnet.errors import NameError_
from symnet.parsing.asking import with_holes
from symnet.parsing.functions import FUNCTIONS
from symnet.parsing.grammar import Parser
from symnet.parsing.lowering import Lowering
from symnet.parsing.own_lines import OwnLines, cut
from symnet.parsing.plain_atoms import KEYWORDS
from symnet.parsing.values import Value


def expression(text: str, tensors: Mapping[str, Tensor], sizes: Mapping[str, sp.Symbol] | None = None,
               where: str = "expression", given: Mapping[str, sp.Expr] | None = None) -> Value:
    """One expression over declared tensors: its axes, indices and SymPy entry. It may name parts in lines of its own.

    ``given`` are declared names that stand for an expression; a line may say again what they are, and nothing else of a declared name.

    >>> from symnet.parsing.declaring import tensor_of
    >>> expression("s = sigma(z); 2 s (1 - s)", {"z": tensor_of("z", ())}).expr
    2*(1 - sigmoid(z))*sigmoid(z)
    """
    known = sizes or {str(s): s for t in tensors.values() for a in t.axes for e in a.range for s in e.free_symbols}
    lowering = Lowering(tensors, known, where)
    answer, lines = cut(text, where)
    trees = {name: Parser(right, where, FUNCTIONS, tensors).whole() for name, right in lines.items()}
    lowering.own = OwnLines({name.replace("_", ""): tree for name, tree in trees.items()}, lowering.real, where)
    for name in trees:
        _check_new(name, lowering, given or {}, where)
    value = lowering.real(Parser(answer, where, FUNCTIONS, tensors).whole())
    holes = list(lowering.asked)
    lowering.own.finish()
    ranges = {i: a.range for i, a in zip(value.indices, value.axes, strict=True)}
    return with_holes(replace(value, expr=rectangular(value.expr, ranges)), holes)


def _check_new(name: str, lowering: Lowering, given: Mapping[str, sp.Expr], where: str) -> None:
    """Refuse a line for a name that means something else already."""
    known = lowering.find(name) or (name if name in lowering.sizes else None)
    if (name in FUNCTIONS and known is None) or name in KEYWORDS:
        raise NameError_(where, f"{name!r} is a function or a word of the language", "another name", f"{name}_1")
    if known is None:
        return
    said = lowering.own.get(name.replace("_", ""), name)
    if said is None or known not in given or said.axes or said.expr != given[known]:
        raise NameError_(where, f"a line for {name!r}, which is declared", "a new letter, or the answer without that line")
