"""One expression of plain maths -> its meaning over declared names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

import sympy as sp

from symnet.core.axes import Axis, index, inside
from symnet.core.expressions import substitute
from symnet.core.iverson import rectangular
from symnet.core.program import Definition, Hole
from symnet.core.tensors import Tensor, sizes_of
from symnet.errors import MismatchError, NameError_, ParseError, ShapeError, did_you_mean
from symnet.indexing.index_array import IndexArray, new_indices
from symnet.indexing.recurrences import Recurrences
from symnet.parsing.claim_prefix import Asked, equated, free_letters, without_remark
from symnet.parsing.conventions import UNKNOWN, is_open, stretch
from symnet.parsing.from_sympy import SympyAnswer, SympyReader
from symnet.parsing.functions import FUNCTIONS
from symnet.parsing.lost_conditions import with_holes
from symnet.parsing.lowering import Lowering
from symnet.parsing.own_lines import OwnLines, cut, same_or_written_out
from symnet.parsing.partial_entries import by_shape
from symnet.parsing.plain_grammar import KEYWORDS, Parser
from symnet.parsing.tokens import MAX_LENGTH, plain

QUANTITIES = frozenset({"var", "std", "mean", "norm"})  # functions whose value an answer may call so, too
Slopes = Callable[[str, str], IndexArray | None]
Depends = Callable[[str, str], bool]


def expression(text: str, tensors: Mapping[str, Tensor], sizes: Mapping[str, sp.Symbol] | None = None,
               where: str = "expression", given: Mapping[str, IndexArray] | None = None, asked: Asked | None = None,
               slopes: Slopes | None = None, depends: Depends | None = None, lines: Iterable[Definition] | None = None) -> IndexArray:
    """One expression over declared tensors: its axes, indices and SymPy entry. It may name parts in lines of its own.

    ``given`` are declared names that stand for something; a line may say again what they are, and nothing else of a declared name.
    ``asked`` is the gradient that the text gives, which may stand on its left: dL/dW_jk = sum_n X_nj R_nk. ``slopes`` gives da/dz, and
    ``depends`` says whether h is made of theta and x, which h_theta(x) says again.
    With ``lines``, those of the program, the value may come with lines of its own: a maximum along an axis is a recurrence.

    >>> from symnet.parsing.declaring import tensor_of
    >>> expression("s = sigma(z); 2 s (1 - s)", {"z": tensor_of("z", ())}).expr
    2*(1 - sigmoid(z))*sigmoid(z)
    """
    known = sizes or sizes_of(tensors)
    if len(text) > MAX_LENGTH:
        raise ParseError(where, f"{len(text)} characters", f"at most {MAX_LENGTH}")
    bare = without_remark(text.rstrip("; \n"), None if asked is None else asked.gradient)
    answer, parts = cut(bare.rstrip("; \n"), where, (lambda name: None) if asked is None else asked.named)
    declared = {*tensors, *known, *parts}
    left, answer = ("", answer) if asked is None else equated(plain(answer), where)
    letters = asked.letters(left, where) if asked is not None and left else ()
    letters = letters or (() if asked is None else free_letters(answer, asked, tensors, where))
    trees = {name: Parser(right, where, FUNCTIONS, declared, closed=True).whole() for name, right in parts.items()}
    tree = Parser(answer, where, FUNCTIONS, declared, closed=True).whole()
    program = None if lines is None else tuple(lines)

    def lowering(partial: str) -> Lowering:
        made = Lowering(tensors, known, where)
        made.steps, made.partial = asked is not None, partial
        made.scope |= {c: index(c) for c in letters}
        if slopes is not None:
            made.slopes = slopes
        if depends is not None:
            made.depends = depends
        if program is not None:
            made.recurrences = Recurrences(declared, program)
        made.own = OwnLines({name.replace("_", ""): tree for name, tree in trees.items()}, made.real, where)
        for name in trees:
            _check_new(name, made, given or {}, where)
        for letter in letters:
            made.hides(letter, tree, *trees.values())
        return made

    def meaning(made: Lowering) -> IndexArray:
        value = made.real(tree) if asked is None else stretched(made.factor(tree), asked.gradient.axes, where)
        if letters and asked is not None:
            value = _every_entry(value, letters, asked.gradient, made)
        holes = list(made.asked)
        made.own.finish()
        ranges = {i: a.range for i, a in zip(value.indices, value.axes, strict=True)}
        own = () if made.recurrences is None else tuple(made.recurrences.lines)
        return with_holes(replace(value, expr=rectangular(value.expr, ranges), lines=own), holes)
    return meaning(lowering("")) if asked is None else by_shape(lowering, meaning, asked.gradient.axes, where)


def stretched(value: IndexArray, axes: Sequence[Axis], where: str) -> IndexArray:
    """``value`` with vectors of ones and unit matrices as large as these axes ask for."""
    made = stretch(value, axes)
    if is_open(made):
        raise ShapeError(where, UNKNOWN, "ones(N) or eye(d) with its size")
    return made


def sympy_value(answer: SympyAnswer, tensors: Mapping[str, Tensor], axes: tuple[Axis, ...], where: str = "answer") -> IndexArray:
    """The meaning of a SymPy expression over declared tensors; its free indices run over ``axes``."""
    sizes = sizes_of(tensors)
    reader = SympyReader(tensors, sizes=dict(sizes), letters=dict.fromkeys(i for i in answer.letters if i))
    (tree,) = reader.read([(where, answer.expr)])
    unknown = sorted(reader.tensors)
    if unknown:
        raise NameError_(where, f"unknown name {unknown[0]!r}", "a declared name", did_you_mean(unknown[0], [*tensors, *sizes]))
    fixed = next((i for i in answer.letters if i in sizes), None)
    if fixed is not None:
        raise ShapeError(where, f"one entry, at the size {fixed}", "the gradient at an index", "wrt=W[i, j]")
    letters = answer.letters or tuple(reader.letters)
    if letters and (len(letters) != len(axes) or set(reader.letters) - set(letters) or any(letters.count(i) > 1 for i in letters if i)):
        raise ShapeError(where, f"the indices {', '.join(reader.letters)}", f"{len(axes)} of them, one for each axis",
                         "wrt=W[i, j] says which is which")
    if len(letters) > 1 and not answer.letters:
        raise ShapeError(where, f"the indices {', '.join(letters)} in no order", "wrt=W[i, j], which says which is which")
    if any(not i and a.lower != a.upper for i, a in zip(letters, axes, strict=False)):
        raise ShapeError(where, "a gradient at one fixed place", "an index for every axis that has several places", "wrt=W[i, j]")
    lowering = Lowering(tensors, sizes, where, {i: index(i) for i in letters if i})
    if not letters:
        value = lowering.real(tree)
    else:
        value = _at_every_place(lowering.scalar(tree), letters, axes, lowering, answer.shift)
    ranges = {i: a.range for i, a in zip(value.indices, value.axes, strict=True)}
    return with_holes(replace(value, expr=rectangular(value.expr, ranges)), list(lowering.asked))


def _every_entry(value: IndexArray, letters: tuple[str, ...], gradient: Tensor, lowering: Lowering) -> IndexArray:
    """What is said of one entry, dL/dW_jk = …, as the whole gradient."""
    for letter, axis in zip(letters, gradient.axes, strict=True):
        other = next((low_high for low_high in lowering.spans.get(index(letter), ()) if not inside(axis.range, low_high)), None)
        if other is not None:
            raise MismatchError(lowering.where, f"the index {letter}, which runs over {axis.lower}..{axis.upper} in the gradient, "
                                f"on an axis {other[0]}..{other[1]}", "one range for each index")
    if value.axes:
        raise ShapeError(lowering.where, f"shape {value.shape} for one entry of the gradient", "a single number")
    return _at_every_place(value.expr, letters, gradient.axes, lowering)


def _at_every_place(entry: sp.Expr, letters: Sequence[str], axes: tuple[Axis, ...], lowering: Lowering, shift: int = 0) -> IndexArray:
    """An entry with these letters as the whole array. What the entry asks for is asked for at every place of its letters, which are
    ``shift`` less than the places; "" is the letter of an axis with one place."""
    places = new_indices(axes)
    there = {index(i): p - shift for i, p in zip(letters, places, strict=True) if i}
    ranges = {index(i): (p, *a.range) for i, p, a in zip(letters, places, axes, strict=True) if i}

    def everywhere(hole: Hole) -> Hole:
        u, sign, over = hole
        inner = tuple((i, substitute(lo, there), substitute(hi, there)) for i, lo, hi in over)
        return substitute(u, there), sign, (*inner, *[limits for i, limits in ranges.items() if i in u.free_symbols])

    lowering.asked[:] = [everywhere(hole) for hole in lowering.asked]
    return IndexArray.over(axes, places, substitute(entry, there))


def _check_new(name: str, lowering: Lowering, given: Mapping[str, IndexArray], where: str) -> None:
    """Refuse a line for a name that means something else already."""
    known = lowering.find(name) or (name if name in lowering.sizes else None)
    if (name in FUNCTIONS and name not in QUANTITIES and known is None) or name in KEYWORDS:
        raise NameError_(where, f"{name!r} is a function or a word of the language", "another name", f"{name}_1")
    if known is None:
        return
    said = lowering.own.get(name.replace("_", ""), name)
    if said is None or known not in given or not same_or_written_out(said, given[known], given):
        raise NameError_(where, f"a line for {name!r}, which is declared", "a new letter, or the answer without that line")
