r"""An answer in LaTeX for a gradient: an expression, or a line \frac{\partial L}{\partial w_{ij}} = expression in i and j."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import replace

import sympy as sp

from symnet.core.axes import index, inside
from symnet.core.expressions import entries
from symnet.core.tensors import Tensor, entry_indices, sizes_of, tensor_name
from symnet.errors import MismatchError, ParseError, ShapeError
from symnet.indexing.index_array import IndexArray, apart, new_indices
from symnet.parsing.claim_prefix import LOSSES, without_number
from symnet.parsing.latex import understood
from symnet.parsing.latex_grammar import NONE
from symnet.parsing.latex_lines import Given, LatexLines, use_lines
from symnet.parsing.latex_lowering import NAMES, LatexLowering, index_name
from symnet.parsing.latex_names import ALONG, Names, Reading, word
from symnet.parsing.node import Node
from symnet.parsing.partial_entries import by_shape

Depends = Callable[[str, str], bool]
Slopes = Callable[[str, str], IndexArray | None]


def no_slope(above: str, below: str) -> IndexArray | None:
    """Slopes of one line by another are not given."""
    return None


def latex_answer(text: str, tensors: Mapping[str, Tensor], gradient: Tensor, where: str = "answer",
                 given: Given | None = None, slopes: Slopes = no_slope,
                 depends: Depends = lambda above, below: False) -> IndexArray:
    """What ``text`` says that ``gradient`` is. Raises ParseError when the left side is something else.

    ``given`` says what declared names stand for; a line of the answer may say it again. ``slopes`` gives \\partial a/\\partial z, and
    ``depends`` says whether h is made of \\theta and x, which h_\\theta(x) says again.
    """
    (*left, right), lines = LatexLines(text, where, NAMES).lines()
    sizes = sizes_of(tensors)
    free: dict[str, sp.Symbol] = {}
    places: tuple[sp.Expr | None, ...] = ()
    if left:
        free = {name: index(name) for name in letters_below(left[0]) if name not in sizes and name not in tensors}
        places = _places(left[0], tensors, gradient, sizes, free, where)
    guessed = not places and len(gradient.axes) == 1
    if guessed:  # \sum_n X_{nj} r_n has one letter that no sum binds
        names = LatexLowering(tensors, sizes, where).names
        unbound = [name for name in dict.fromkeys(_unbound(right, tensors, names)) if name not in sizes and name not in tensors]
        if len(unbound) == 1:
            free, places = {unbound[0]: index(unbound[0])}, (index(unbound[0]),)
    rest = tuple(a for a, p in zip(gradient.axes, places or (None,) * len(gradient.axes), strict=True) if p is None)

    def lowering(partial: str) -> LatexLowering:
        made = LatexLowering(tensors, sizes, where, free if places else None, partial=partial)
        made.slopes, made.depends = slopes, depends
        use_lines(made, lines, given or {}, where)
        return made

    def value(lowering: LatexLowering) -> IndexArray:
        made = understood(right, lowering, rest, where)
        if made.axes and places and guessed:
            raise ShapeError(where, f"shape {made.shape} at an index that no sum binds", "the index on the left, too")
        return _over(gradient, places, made, tensors, where) if places else made
    return by_shape(lowering, value, gradient.axes, where)


def _over(target: Tensor, places: Sequence[sp.Expr | None], value: IndexArray, tensors: Mapping[str, Tensor], where: str) -> IndexArray:
    """The array whose entry at ``places`` is ``value``; where a place is None, the value has that axis."""
    rest = tuple(a for p, a in zip(places, target.axes, strict=True) if p is None)
    if [a.range for a in value.axes] != [a.range for a in rest]:
        raise MismatchError(where, f"shape {value.shape} for one {'part' if rest else 'entry'}",
                            f"shape ({', '.join(str(a.size) for a in rest)})" if rest else "a single number")
    ranges = {p: a.range for p, a in zip(places, target.axes, strict=True) if p is not None}
    for e in entries(value.expr):
        for at, axis in zip(entry_indices(e), tensors[tensor_name(e)].axes if tensor_name(e) in tensors else (), strict=False):
            if at in ranges and not inside(ranges[at], axis.range):
                kind = MismatchError if apart([ranges[at], axis.range]) else ShapeError
                raise kind(where, f"{tensor_name(e)} at {at}, which runs over {ranges[at][0]}..{ranges[at][1]}",
                           f"an index of {axis.lower}..{axis.upper}")
    own = iter(value.indices)
    letters = new_indices(target.axes)
    there = {(next(own) if p is None else p): i for p, i in zip(places, letters, strict=True)}
    return IndexArray.over(target.axes, letters, value.expr.xreplace(there), value.holes)


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
            free: Mapping[str, sp.Symbol], where: str) -> tuple[sp.Expr | None, ...]:
    """The indices on the left, () for the whole gradient; None for the axes of a layer or time step that is given whole."""
    names = LatexLowering({**tensors, **_called(gradient, tensors)}, sizes, where, free).names
    if node.kind == "slope" and len(node.args) == 1:  # \nabla L, by what is asked for
        known = names.readings(node.args[0])
        if [r.tensor.name for r in known] == [gradient.objective] or (not known and node.args[0].text in LOSSES):
            return ()
    found = names.slopes(node.args[0], node.args[1:]) if node.kind == "slope" else []
    if node.kind == "printed" and node.text.endswith(":bar"):  # \overline{w}
        bare = names.readings(Node("printed", node.text.removesuffix(":bar"), node.args, node.column))
        found = [Reading(gradient, r.slots) for r in bare if r.tensor.name == gradient.of]
    if found and all(r.tensor.of and r.tensor.axes == gradient.axes for r in found) and \
            {r.tensor.name for r in found} <= {gradient.name, *_called(gradient, tensors)}:
        slots = found[0].slots
        given = [s for s in slots if s is not None]
        whole = all(a.kind not in ALONG for a, s in zip(gradient.axes, slots, strict=True) if s is None)
        if not given or (len(set(given)) == len(given) and all(s.is_Symbol for s in given) and (len(given) == len(slots) or whole)):
            return slots if given else ()
    raise ParseError(f"{where}, column {node.column}", "something else than the gradient asked for on the left", "the right side alone")


def _called(gradient: Tensor, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The gradient, and by the letter alone of a parameter W1 that is the only W: \\partial L/\\partial W."""
    found = {gradient.name: gradient}
    stem = without_number(gradient.of, tensors)
    if stem and gradient.of in tensors:
        found |= {stem: replace(tensors[gradient.of], name=stem, latex=""),
                  f"{gradient.name}_": replace(gradient, name=f"{gradient.name}_", of=stem)}
    return found


def letters_below(node: Node) -> Iterator[str]:
    """The index letters of names and slopes: k' is k1."""
    if node.kind in ("letters", "place"):
        yield from (index_name(a.text) for a in node.args if a.kind == "printed" and len(a.text.rstrip("'")) == 1 and not a.args[0].args)
        for arg in node.args if node.kind == "place" else ():  # z_{j-p+1}
            if arg.kind != "printed":
                yield from _alone(arg, frozenset())
        return
    if node.kind == "raised" and node.args[1].kind == "printed" and len(node.args[1].text) == 1:  # the layer of w^l_{jk}
        yield node.args[1].text
    for arg in node.args:
        yield from letters_below(arg)


def _unbound(node: Node, known: Container[str], names: Names, bound: frozenset[str] = frozenset()) -> Iterator[str]:
    """The single letters below names that no sum around them binds; the p of h_p is none where hp is one of the ``known``, and the o of
    s_{1,o}^{(t)} none where that is a name."""
    if word(node) in known:
        return
    if node.kind == "sum":
        body, name, low, high = node.args
        for arg in (low, high):
            yield from _unbound(arg, known, names, bound)
        yield from _unbound(body, known, names, bound | {name.text})
    elif node.kind in ("letters", "place"):
        yield from (a.text for a in node.args if a.kind == "printed" and len(a.text) == 1 and a.text not in bound)
        for arg in node.args if node.kind == "place" else ():  # x_{i+k-1}
            if arg.kind != "printed":
                yield from _alone(arg, bound)
    elif node.kind == "printed" and node.args[0].args and names.readings(replace(node, args=(node.args[0], NONE))):
        yield from _unbound(node.args[1], known, names, bound)
    else:
        for arg in node.args:
            yield from _unbound(arg, known, names, bound)


def _alone(node: Node, bound: frozenset[str]) -> Iterator[str]:
    """The single letters of a place that is worked out."""
    if node.kind == "printed" and len(node.text) == 1 and node.text not in bound:
        yield node.text
    for arg in node.args:
        yield from _alone(arg, bound)
