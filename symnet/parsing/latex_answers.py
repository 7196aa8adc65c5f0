r"""An answer in LaTeX for a gradient: an expression, or a line \frac{\partial L}{\partial w_{ij}} = expression in i and j."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import sympy as sp

from symnet.core.axes import index
from symnet.core.tensors import Tensor, sizes_of
from symnet.errors import MismatchError, ParseError
from symnet.indexing.index_array import IndexArray, new_indices
from symnet.parsing.latex import understood
from symnet.parsing.latex_lines import Given, LatexLines, use_lines
from symnet.parsing.latex_lowering import NAMES, LatexLowering, index_name
from symnet.parsing.node import Node


def latex_answer(text: str, tensors: Mapping[str, Tensor], gradient: Tensor, where: str = "answer",
                 given: Given | None = None) -> IndexArray:
    """What ``text`` says that ``gradient`` is. Raises ParseError when the left side is something else.

    ``given`` says what declared names stand for; a line of the answer may say it again.
    """
    (*left, right), lines = LatexLines(text, where, NAMES).lines()
    sizes = sizes_of(tensors)

    def lowering(free: Mapping[str, sp.Symbol] | None = None) -> LatexLowering:
        made = LatexLowering(tensors, sizes, where, free)
        use_lines(made, lines, given or {}, where)
        return made
    if not left:
        return understood(right, lowering(), gradient.axes, where)
    free = {name: index(name) for name in letters_below(left[0]) if name not in sizes and name not in tensors}
    places = _places(left[0], {**tensors, gradient.name: gradient}, gradient, sizes, free, where)
    if not places:
        return understood(right, lowering(), gradient.axes, where)
    return _over(gradient, places, understood(right, lowering(free), (), where), where)


def _over(target: Tensor, places: tuple[sp.Expr, ...], value: IndexArray, where: str) -> IndexArray:
    """The array whose entry at ``places`` is ``value``."""
    if value.axes:
        raise MismatchError(where, f"shape {value.shape} for one entry", "a single number")
    letters = new_indices(target.axes)
    return IndexArray.over(target.axes, letters, value.expr.xreplace(dict(zip(places, letters, strict=True))), value.holes)


def slopes_in(nodes: Sequence[Node], tensors: Mapping[str, Tensor], where: str = "line") -> Iterator[tuple[str, tuple[str, ...]]]:
    r"""(top, below) by name for every slope in syntax trees whose names have one reading each and that is none of the ``tensors``."""
    for node in nodes:
        if node.kind == "slope":
            free = {name: index(name) for name in letters_below(node) if name not in tensors}
            names = LatexLowering(tensors, sizes_of(tensors), where, free).names
            found = [names.readings(a) for a in node.args]
            if all(len(f) == 1 for f in found) and not names.slopes(node.args[0], node.args[1:]):
                yield found[0][0].tensor.name, tuple(f[0].tensor.name for f in found[1:])
        yield from slopes_in(node.args, tensors, where)


def _places(node: Node, tensors: Mapping[str, Tensor], gradient: Tensor, sizes: Mapping[str, sp.Symbol],
            free: Mapping[str, sp.Symbol], where: str) -> tuple[sp.Expr, ...]:
    """The indices on the left, () for the whole gradient."""
    names = LatexLowering(tensors, sizes, where, free).names
    found = names.slopes(node.args[0], node.args[1:]) if node.kind == "slope" else []
    if [r.tensor.name for r in found] == [gradient.name]:
        given = tuple(s for s in found[0].slots if s is not None)
        if not given or (len(set(given)) == len(gradient.axes) and all(s.is_Symbol for s in given)):
            return given
    raise ParseError(f"{where}, column {node.column}", "something else than the gradient asked for on the left", "the right side alone")


def letters_below(node: Node) -> Iterator[str]:
    """The index letters of names and slopes: k' is k1."""
    if node.kind in ("letters", "place"):
        yield from (index_name(a.text) for a in node.args if a.kind == "printed" and len(a.text.rstrip("'")) == 1 and not a.args[0].args)
        return
    for arg in node.args:
        yield from letters_below(arg)
