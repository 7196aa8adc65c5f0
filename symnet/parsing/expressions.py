"""One expression of plain maths -> its meaning over declared names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import sympy as sp

from symnet.core.axes import Axis, index
from symnet.core.brackets import rectangular
from symnet.core.expressions import substitute
from symnet.core.tensors import Tensor
from symnet.errors import NameError_, ShapeError, did_you_mean
from symnet.parsing.asking import with_holes
from symnet.parsing.from_sympy import SympyAnswer, SympyReader
from symnet.parsing.functions import FUNCTIONS
from symnet.parsing.grammar import Parser
from symnet.parsing.lowering import Lowering
from symnet.parsing.own_lines import OwnLines, cut
from symnet.parsing.plain_atoms import KEYWORDS
from symnet.parsing.values import Value, new_indices


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


def sympy_value(answer: SympyAnswer, tensors: Mapping[str, Tensor], axes: tuple[Axis, ...], where: str = "answer") -> Value:
    """The meaning of a SymPy expression over declared tensors; its free indices run over ``axes``."""
    sizes = {str(s): s for t in tensors.values() for a in t.axes for e in a.range for s in e.free_symbols}
    reader = SympyReader(tensors, sizes=dict(sizes))
    (tree,) = reader.read([(where, answer.expr)])
    unknown = sorted(reader.tensors)
    if unknown:
        raise NameError_(where, f"unknown name {unknown[0]!r}", "a declared name", did_you_mean(unknown[0], [*tensors, *sizes]))
    letters = answer.letters or tuple(reader.letters)
    if not reader.letters:
        letters = ()
    elif len(letters) != len(axes) or set(reader.letters) - set(letters) or any(letters.count(i) > 1 for i in letters if i):
        raise ShapeError(where, f"the indices {', '.join(reader.letters)}", f"{len(axes)} of them, one for each axis",
                         "wrt=W[i, j] says which is which")
    elif len(letters) > 1 and not answer.letters:
        raise ShapeError(where, f"the indices {', '.join(letters)} in no order", "wrt=W[i, j], which says which is which")
    if any(not i and a.lower != a.upper for i, a in zip(letters, axes, strict=False)):
        raise ShapeError(where, "a gradient at one fixed place", "an index for every axis that has several places", "wrt=W[i, j]")
    lowering = Lowering(tensors, sizes, where, {i: index(i) for i in letters if i})
    if not letters:
        value = lowering.real(tree)
    else:
        own = new_indices(axes)
        there = {index(i): p - answer.shift for i, p in zip(letters, own, strict=True) if i}
        made = lowering.scalar(tree)
        value = Value(axes, own, substitute(made, there))
        lowering.asked[:] = [(substitute(u, there), sign, tuple((i, lo.xreplace(there), hi.xreplace(there)) for i, lo, hi in over))
                             for u, sign, over in lowering.asked]
    ranges = {i: a.range for i, a in zip(value.indices, value.axes, strict=True)}
    return with_holes(replace(value, expr=rectangular(value.expr, ranges)), list(lowering.asked))


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
