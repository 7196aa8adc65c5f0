r"""One side of a line about entries at index letters: \frac{\partial p_i}{\partial z_j} or z^{(t)} in LaTeX, dp_i/dz_j or z[t, i] in text.

The letters stand for every place at which all that the line names exists; ``ranges`` finds these, ``over`` makes the array.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import sympy as sp

from symnet.core.axes import Axis, Kind, Range, bounds, index, nonnegative
from symnet.core.expressions import entries, rebuild
from symnet.core.iverson import rectangular
from symnet.core.tensors import Tensor, entry_indices, sizes_of, tensor_name
from symnet.errors import MismatchError, NameError_, ParseError, SymnetError
from symnet.indexing.index_array import IndexArray, new_indices
from symnet.parsing.expressions import expression
from symnet.parsing.functions import FUNCTIONS
from symnet.parsing.latex import understood
from symnet.parsing.latex_answers import letters_below
from symnet.parsing.latex_lines import LatexLines, use_lines
from symnet.parsing.latex_lowering import NAMES, LatexLowering
from symnet.parsing.latex_names import ALONG
from symnet.parsing.lost_conditions import with_holes
from symnet.parsing.lowering import Lowering
from symnet.parsing.plain_grammar import Parser
from symnet.parsing.written_slopes import ENTRY, entry_parts, with_slopes
from symnet.parsing.written_slopes import NAME as A_NAME

ENTRY_AT = re.compile(rf"(?<![\w.])({ENTRY})(?![\w\[(])")
DELTA = re.compile(r"\bdelta_?\{?([a-z])([a-z])\}?(?!\w)")
RANGE = re.compile(r"(?<![A-Za-z])([a-z])\s*(?:=|\\in\s*\\\{|\bin\b)\s*([\w+\- ]+?)\s*(?:,\s*(?:\\[lc]?dots|\.\.\.|…)\s*,|\.\.)"
                   r"\s*([\w+\- ]+)")

SCRIPTS = re.compile(r"[_^]\s*(?:\{[^{}]*\}|\w)")
UPPER_END = re.compile(r"\\sum\s*(?:_\s*(?:\{[^{}]*\}|\w))?\s*\^\s*(\{[^{}]*\}|\w)")

Named = Callable[[str], str | None]  # the tensor that a name of the page stands for
Slope = Callable[[str, str], str | None]  # the tensor of the slope of one by another


@dataclass(frozen=True, slots=True)
class Side:
    """What a side says, in index ``letters`` of the line; the axes of ``value`` are those that have none."""

    value: IndexArray
    letters: tuple[sp.Symbol, ...]


def latex_left(text: str, tensors: Mapping[str, Tensor], where: str = "line") -> Side | None:
    r"""The left side of a line about entries in LaTeX; None where it has no index letters."""
    (node, *more), lines = LatexLines(text, where, NAMES).lines()
    sizes = sizes_of(tensors)
    free = {name: index(name) for name in letters_below(node) if (name not in sizes or name.islower()) and name not in tensors}
    if more or lines or not free or node.kind not in ("printed", "slope"):
        return None
    value = understood(node, LatexLowering(tensors, sizes, where, free), (), where)
    return _side(value, free.values())


def plain_left(text: str, tensors: Mapping[str, Tensor], named: Named, slope: Slope, where: str = "line") -> Side | None:
    """The left side of a line about entries in plain maths; None where it has no index letters."""
    source = in_brackets(text, tensors, named, slope)
    whole = re.fullmatch(rf"\s*({A_NAME})\[([^\[\]]+)\]\s*", source)
    if whole is None or whole[1] not in tensors:
        return None
    found = [n for n in dict.fromkeys(re.findall(r"[a-z]\d?(?![\w(])", whole[2])) if n not in tensors]
    if not found:
        return None
    free = {n: index(n) for n in found}
    value = _lowered(source, tensors, free, where)
    return _side(value, free.values())


def _side(value: IndexArray, free: Iterable[sp.Symbol]) -> Side | None:
    used = {i for e in entries(value.expr) for at in entry_indices(e) for i in at.free_symbols}
    letters = tuple(i for i in dict.fromkeys(free) if i in used)
    return Side(value, letters) if letters and isinstance(value.expr, sp.Indexed) else None


def latex_right(text: str, tensors: Mapping[str, Tensor], letters: Sequence[sp.Symbol], where: str = "line") -> IndexArray:
    """What a text in LaTeX says in these letters."""
    sizes = sizes_of(tensors)
    for letter in (str(i) for i in letters if str(i) in sizes):  # W_{jk}, where k is also how many classes there are
        alone = re.compile(rf"(?<![A-Za-z\\]){letter}(?![A-Za-z])")
        if alone.search(SCRIPTS.sub(" ", text)) or any(alone.search(m[1]) for m in UPPER_END.finditer(text)):
            raise NameError_(where, f"{letter!r}, which is an index and a size here", "another letter for the index")
    (right, *more), lines = LatexLines(text, where, NAMES).lines()
    if more:
        raise ParseError(f"{where}, column {right.column}", "a left side and =", "the right side alone")
    lowering = LatexLowering(tensors, sizes, where, {str(p): p for p in letters})
    use_lines(lowering, lines, {}, where)
    return understood(right, lowering, (), where)


def plain_right(text: str, tensors: Mapping[str, Tensor], letters: Sequence[sp.Symbol], named: Named, slope: Slope,
                where: str = "line") -> IndexArray:
    """What a text in plain maths says in these letters."""
    return _lowered(in_brackets(text, tensors, named, slope), tensors, {str(i): i for i in letters}, where)


def _lowered(source: str, tensors: Mapping[str, Tensor], free: Mapping[str, sp.Symbol], where: str) -> IndexArray:
    sizes = sizes_of(tensors)
    lowering = Lowering(tensors, sizes, where, free)
    tree = Parser(source, where, FUNCTIONS, {*tensors, *sizes}, closed=True).whole()
    for letter in free:
        lowering.hides(letter, tree)
    return with_holes(lowering.real(tree), list(lowering.asked))


def in_brackets(text: str, tensors: Mapping[str, Tensor], named: Named, slope: Slope) -> str:
    """Entries and slopes at letters by the names of the tensors: dp_i/dz_j is dp_dz[i, j], W_jk is W[j, k], delta_ij is [i == j].

    >>> from symnet.parsing.declaring import tensor_of
    >>> known = {"p": tensor_of("p", "k"), "z": tensor_of("z", "k"), "dp_dz": tensor_of("dp_dz", ("k", "k"))}
    >>> in_brackets("p_i*(delta_ij - dp_i/dz_j)", known, lambda n: n if n in known else None, lambda a, b: f"d{a}_d{b}")
    'p[i]*([i == j] - dp_dz[i, j])'
    """
    def parts(one: str) -> tuple[str, str] | None:
        """(tensor, places) of a name with places or without."""
        whole = named(one) if "[" not in one else None
        if whole is not None:
            return whole, ""
        name, places = entry_parts(one) or (one, ())
        tensor = named(name) if places else None
        return (tensor, ", ".join(places)) if tensor is not None and len(places) <= len(tensors[tensor].axes) else None

    def of_slope(said: str, top: str, under: str) -> str:
        if entry_parts(top) is None and entry_parts(under) is None:
            return said  # of names alone
        above, below = parts(top), parts(under)
        if above is None or below is None:
            return said
        name = slope(above[0], below[0])
        if name is None:  # never the quotient of two slopes of the objective, which dc and dg alone may stand for
            raise NameError_("line", f"the slope {said!r}, which is not known here",
                             "a slope of the objective, or of one line by a name that stands in it")
        if above[1] and above[1].count(",") + 1 < len(tensors[above[0]].axes):
            return said  # dz[t]/dh[t]: which axes are left is not said
        places = ", ".join(filter(None, (above[1], below[1])))
        return f"{name}[{places}]" if places else name

    def of_entry(match: re.Match[str]) -> str:
        found = parts(match[1])
        return match[0] if found is None or not found[1] else f"{found[0]}[{found[1]}]"

    source = with_slopes(text, of_slope)
    if "delta" not in tensors:
        source = DELTA.sub(r"[\1 == \2]", source)
    return ENTRY_AT.sub(of_entry, source)


def ranges(letters: Sequence[sp.Symbol], values: Sequence[IndexArray], tensors: Mapping[str, Tensor], stated: str = "",
           where: str = "line") -> dict[sp.Symbol, Range]:
    """The places of each letter: those of the axes on which it stands, and no more than a condition behind the line says.

    Raises MismatchError where it stands on axes of different length.
    """
    found: dict[sp.Symbol, list[Range]] = {i: [] for i in letters}
    bare: dict[sp.Symbol, Axis] = {}
    for value in values:
        guarded = {s for c in value.expr.atoms(sp.core.relational.Relational) for s in c.free_symbols}
        for e in entries(value.expr):
            for at, axis in zip(entry_indices(e), tensors[tensor_name(e)].axes, strict=True):
                here = [i for i in letters if i in at.free_symbols]
                if len(here) != 1 or not (at - here[0]).is_Integer:
                    continue
                shift = at - here[0]
                if shift == 0 and axis.kind not in ALONG:
                    old = bare.setdefault(here[0], axis)
                    if old.range != axis.range:
                        raise MismatchError(where, f"{tensor_name(e)} at {at}, which runs over {old.lower}..{old.upper}",
                                            f"an index of {axis.lower}..{axis.upper}")
                if shift == 0 or here[0] not in guarded:
                    found[here[0]].append((axis.lower - shift, axis.upper - shift))
    for i, span in conditions(stated, tensors).items():
        if i in found:
            found[i].append(span)
    return {i: _common(i, spans, where) for i, spans in found.items()}


def conditions(stated: str, tensors: Mapping[str, Tensor]) -> dict[sp.Symbol, Range]:
    r"""The ranges that a condition states: t = 1, \ldots, T - 1, or t = 1..T - 1."""
    sizes, made = sizes_of(tensors), dict[sp.Symbol, Range]()
    for letter, low, high in RANGE.findall(stated):
        try:
            ends = [expression(end, {}, sizes, "line").expr for end in (low, high)]
        except SymnetError:
            continue
        made[index(letter)] = (ends[0], ends[1])
    return made


def _common(letter: sp.Symbol, spans: Sequence[Range], where: str) -> Range:
    """The places that all ranges have in common."""
    if not spans:
        raise ParseError(where, f"the index {letter}, which stands on no axis alone", "an index of an array")
    low, high = spans[0]
    for lo, hi in spans[1:]:
        a, b = sp.expand(lo - low), sp.expand(high - hi)
        if not (nonnegative(a) or nonnegative(-a)) or not (nonnegative(b) or nonnegative(-b)):
            raise MismatchError(where, f"the index {letter}, which runs over {low}..{high} and {lo}..{hi}", "one range")
        low, high = lo if nonnegative(a) else low, hi if nonnegative(b) else high
    return low, high


def over(value: IndexArray, letters: Sequence[sp.Symbol], spans: Mapping[sp.Symbol, Range]) -> IndexArray:
    """The array whose entry at the letters is ``value``: an axis for each of them, then those of ``value``."""
    axes = tuple(Axis.between(*spans[i], Kind.FEATURE) for i in letters)
    places = new_indices(axes)
    there = dict(zip(letters, places, strict=True))
    limits = tuple((p, *a.range) for p, a in zip(places, axes, strict=True))
    holes = tuple((u.xreplace(there), sign, (*inner, *[t for t in limits if t[0] in u.xreplace(there).free_symbols]))
                  for u, sign, inner in value.holes)
    inner = {i: a.range for i, a in zip(value.indices, value.axes, strict=True)}
    known = {p: a.range for p, a in zip(places, axes, strict=True)} | inner
    expr = rectangular(_decided(value.expr.xreplace(there), known), known)
    return IndexArray.over((*axes, *value.axes), (*places, *value.indices), expr, holes)


def _decided(expr: sp.Basic, known: Mapping[sp.Symbol, Range]) -> sp.Basic:
    """``expr`` without the brackets that hold, or fail, at every place of the indices."""
    if not expr.has(sp.core.relational.Relational):
        return expr
    if isinstance(expr, sp.core.relational.Relational):
        return _holds(expr, known)
    if isinstance(expr, sp.Sum):
        known = {**known, **{i: (lo, hi) for i, lo, hi in expr.limits}}
    return rebuild(expr, tuple(_decided(a, known) for a in expr.args))


def _holds(condition: sp.Basic, known: Mapping[sp.Symbol, Range]) -> sp.Basic:
    gap = sp.expand(condition.lhs - condition.rhs)
    span = bounds(gap, known) if gap.free_symbols and all(s.is_integer for s in gap.free_symbols) and not gap.has(sp.Indexed) else None
    if span is None:
        return condition
    low, high = span
    if isinstance(condition, (sp.Lt, sp.Le)):
        low, high = -high, -low
    strict = isinstance(condition, (sp.Gt, sp.Lt))
    if isinstance(condition, (sp.Eq, sp.Ne)):
        apart = nonnegative(low - 1) or nonnegative(-1 - high)
        if not apart and not low == high == 0:
            return condition
        return sp.true if apart == isinstance(condition, sp.Ne) else sp.false
    return sp.true if nonnegative(low - int(strict)) else sp.false if nonnegative(-high - int(not strict)) else condition
