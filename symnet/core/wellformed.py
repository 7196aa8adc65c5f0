"""What a Program checks at birth: names before use, single assignment, whole coverage, axes that agree, indices in range."""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING

import sympy as sp

from symnet.core.axes import Axis, Least, Range, at_most, inside, nonnegative
from symnet.core.expressions import BINDERS, When, entries, limits
from symnet.core.guards import Guards, spans
from symnet.core.matrices import Grid, InverseEntry
from symnet.core.schedule import go_on, schedule
from symnet.core.tensors import Tensor, tensor_name
from symnet.errors import NameError_, ShapeError, did_you_mean

if TYPE_CHECKING:
    from symnet.core.program import Definition, Program

Ranges = dict[sp.Symbol, Range]


def check_program(program: Program, begun: Program | None = None) -> None:
    """Raise the first fault found, naming the line and the definition. Of lines that ``begun`` has before them, all is known."""
    done = _taken_over(program, begun) if begun is not None else 0
    known: dict[str, Tensor] = {}
    for tensor in program.inputs:
        if tensor.name in known:
            raise NameError_(f"input {tensor.name}", "the name is already taken", "each name once")
        known[tensor.name] = tensor
    inputs = set(known)
    for line, d in enumerate(program.definitions, start=1):
        where = f"line {line}, {d.name}"
        if d.name in inputs:
            raise NameError_(where, f"{d.name!r} is an input", "a new name: a name binds once")
        if d.name in known and known[d.name] != d.target:
            raise ShapeError(where, f"{d.name!r} is defined with other axes before", "the same tensor in every slice")
        known[d.name] = d.target
    least = program.least
    well_formed = set[Hashable]()
    for line, d in enumerate(program.definitions[done:], start=done + 1):
        shape, names = d.shape
        like = shape, d.target.axes, *[(t.axes, t.domain) for n in names if (t := known.get(n)) is not None]
        if like not in well_formed or not known.keys() >= set(names):
            _check_definition(f"line {line}, {d.name}", d, known, least)
            well_formed.add(like)
    _check_slices({d.name: program.by_name[d.name] for d in program.definitions[done:]}, least)
    schedule(program)
    if program.objective and program.objective not in known:
        raise NameError_("objective", f"no tensor named {program.objective!r}", "a defined name",
                         did_you_mean(program.objective, known))


def _taken_over(program: Program, begun: Program) -> int:
    """How many lines of ``program`` are those of ``begun``, which was checked; its order and least sizes are kept, where they stay.

    All lines are new where those behind give more of an array that ``begun`` has, or ask more of a size.
    """
    done = len(begun.definitions)
    new = program.definitions[done:]
    if program.inputs != begun.inputs or program.definitions[:done] != begun.definitions or any(d.name in begun.tensors for d in new):
        return 0
    pieces = {d.name: program.by_name[d.name] for d in new}
    if least_sizes(pieces):
        return 0
    program.__dict__["least"] = begun.least
    go_on(program, begun, pieces)
    return done


def _check_definition(where: str, d: Definition, known: Mapping[str, Tensor], least: Least) -> None:
    free = d.free
    symbols = [i for i in d.indices if i in free]
    if len(set(symbols)) != len(symbols):
        raise ShapeError(where, f"the index {symbols[-1]} stands twice on the left", "a different index for each axis")
    for place, axis in zip(d.slice(), d.target.axes, strict=True):
        if not inside(place, axis.range, least):
            raise ShapeError(where, f"the left side covers {place[0]}..{place[1]}", f"{axis.lower}..{axis.upper} at most")
    _check(d.expr, free, Guards(), where, known, least, set())


def _check(expr: sp.Basic, ranges: Ranges, guards: Guards, where: str, known: Mapping[str, Tensor], least: Least,
           seen: set[sp.Basic]) -> None:
    """Raise for what is not well formed; ``seen`` are the parts that were looked at under these ranges and guards."""
    if expr in seen:
        return
    seen.add(expr)
    if isinstance(expr, sp.Indexed):
        _check_entry(expr, ranges, guards, where, known, least)
    elif isinstance(expr, sp.Symbol):
        _check_symbol(expr, ranges, where, known)
    elif isinstance(expr, BINDERS):
        inner = dict(ranges)
        for i, lo, hi in limits(expr):
            if i in ranges:
                what = "summed over and also used outside the sum" if isinstance(expr, sp.Sum) else "bound in a matrix and also free"
                raise ShapeError(where, f"the index {i} is {what}", "another index")
            inner[i] = (lo, hi)
        for i, lo, hi in limits(expr):
            if any(s in inner for end in (lo, hi) for s in end.free_symbols):
                raise ShapeError(where, f"the index {i} of a sum runs over {lo}..{hi}", "ends that are numbers or sizes",
                                 "a sum over the whole axis with a bracket, [j <= i]")
        _check(expr.function, inner, guards, where, known, least, set())
    elif isinstance(expr, InverseEntry) and isinstance(expr.matrix, Grid):
        _check(expr.matrix, ranges, guards, where, known, least, seen)
        for place, (_, low, high) in zip(expr.places, reversed(expr.matrix.limits), strict=True):
            _check_place("the inverse", place, Axis("", low, high), ranges, guards, where, known, least)
    elif isinstance(expr, When):
        for entry in entries(expr.condition):
            _check(entry, ranges, guards, where, known, least, seen)
            tensor = known[tensor_name(entry)]
            if tensor.domain != "index":
                raise ShapeError(where, f"the bracket [{expr.condition}] asks for {tensor.name!r}, a {tensor.domain} tensor",
                                 'indices, sizes and tensors of the domain "index"', "where(condition, a, b) compares values")
        _check(expr.body, ranges, guards.under(expr.condition, ranges), where, known, least, set())
    else:
        for arg in expr.args:
            _check(arg, ranges, guards, where, known, least, seen)


def _check_symbol(symbol: sp.Symbol, ranges: Ranges, where: str, known: Mapping[str, Tensor]) -> None:
    if symbol.is_integer:
        if symbol in ranges or symbol.is_positive:
            return
        raise NameError_(where, f"the index {symbol} is free on the right", "an index of the left side or of a sum")
    if symbol.name not in known:
        raise NameError_(where, f"uses {symbol.name!r} before it is named", "a name from above",
                         did_you_mean(symbol.name, known))
    if known[symbol.name].axes:
        raise ShapeError(where, f"{symbol.name!r} stands without indices", f"{len(known[symbol.name].axes)} indices")


def _check_entry(entry: sp.Indexed, ranges: Ranges, guards: Guards, where: str,
                 known: Mapping[str, Tensor], least: Least) -> None:
    name = tensor_name(entry)
    if name not in known:
        raise NameError_(where, f"uses {name!r} before it is named", "a name from above", did_you_mean(name, known))
    axes = known[name].axes
    if len(entry.indices) != len(axes):
        raise ShapeError(where, f"{entry} has {len(entry.indices)} indices", f"{len(axes)}, one for each axis of {name}")
    for place, axis in zip(entry.indices, axes, strict=True):
        _check_place(entry, place, axis, ranges, guards, where, known, least)


def _check_place(entry: object, place: sp.Expr, axis: Axis, ranges: Ranges, guards: Guards, where: str,
                 known: Mapping[str, Tensor], least: Least) -> None:
    for symbol in place.free_symbols:
        _check_symbol(symbol, ranges, where, known)
    first: Range | None = None
    least = {s: max(m, guards.least.get(s, 1)) for s, m in {**guards.least, **least}.items()}
    not_before = not_behind = False  # each end by a reason of its own
    for span in spans(place, ranges, guards):
        first = first or span
        not_before = not_before or at_most(axis.lower, span[0], least)
        not_behind = not_behind or at_most(span[1], axis.upper, least)
        if not_before and not_behind:
            break
    else:
        _refuse(str(entry), place, axis, first, where)


def _refuse(entry: str, place: sp.Expr, axis: Axis, span: Range | None, where: str) -> None:
    name = entry.split("[")[0]
    if span is None and place.has(When, sp.Piecewise):
        raise ShapeError(where, f"an index of {name} that depends on a condition", "an affine expression such as 2*i + p",
                         f"the condition around the entries: ({name}[…] if … else {name}[…])")
    if span is None:
        raise ShapeError(where, f"the index {place} of {entry}", "an affine expression such as 2*i + p")
    raise ShapeError(where, f"the index {place} of {entry} runs over {span[0]}..{span[1]}",
                     f"it to stay in {axis.lower}..{axis.upper}, the axis of {name}")


def least_sizes(definitions: Mapping[str, tuple[Definition, ...]]) -> dict[sp.Symbol, int]:
    """The sizes that the left sides ask for: h[1] = …, h[2] = … and h[t] = … for t in 3..T need T >= 2.

    A place on the left must exist, two slices must be apart, and a range may be empty but not less.
    """
    found: dict[sp.Symbol, int] = {}
    several = [pieces for pieces in definitions.values() if len(pieces) > 1]
    alone = {(d.indices, d.ranges, d.target.axes): (d,) for (d, *rest) in definitions.values() if not rest}  # those of one shape once
    for pieces in (*alone.values(), *several):
        needed = [sp.expand(e) for d in pieces for (low, high), axis in zip(d.slice(), d.target.axes, strict=True)
                  for e in ((low - axis.lower, axis.upper - high) if low == high else (high - low + 1,))]
        for e in needed:
            _ask_for(e, found)
    for pieces in several:
        for a, b in itertools.combinations(pieces, 2):
            gaps = [sp.expand(e) for p, q in zip(a.slice(), b.slice(), strict=True) for e in (q[0] - p[1] - 1, p[0] - q[1] - 1)]
            if not any(nonnegative(g, found) for g in gaps):
                ways = [(least, s) for g in gaps for s, least in _asked(g)]
                for least, s in sorted(ways, key=lambda way: (way[0], str(way[1])))[:1]:
                    found[s] = max(found.get(s, 1), least)
    return found


def _ask_for(e: sp.Expr, found: dict[sp.Symbol, int]) -> None:
    if not e.is_Integer and not nonnegative(e, found):
        for s, least in _asked(e):
            found[s] = max(found.get(s, 1), least)


def _asked(e: sp.Expr) -> list[tuple[sp.Symbol, int]]:
    """The least value of the one size for which ``e``, such as T - 2, is not negative."""
    sizes = [s for s in e.free_symbols if s.is_integer and s.is_positive]
    if len(sizes) != 1 or len(e.free_symbols) != 1 or not (e.diff(sizes[0]).is_Integer and e.diff(sizes[0]) > 0):
        return []
    rise = e.diff(sizes[0])
    return [(sizes[0], int(sp.ceiling(-(e - rise * sizes[0]) / rise)))]


def _check_slices(definitions: Mapping[str, tuple[Definition, ...]], least: Least) -> None:
    from symnet.core.program import disjoint

    for name, pieces in definitions.items():
        if len(pieces) == 1:
            missing = [f"{a.lower}..{a.upper}" for s, a in zip(pieces[0].slice(), pieces[0].target.axes, strict=True)
                       if not inside(a.range, s, least)]
            if missing:
                raise ShapeError(f"definition of {name}", "only a slice of it is defined", f"the whole axis {missing[0]}")
            continue
        for i, a in enumerate(pieces):
            for b in pieces[i + 1:]:
                if not disjoint(a, b, least):
                    raise NameError_(f"definition of {name}", "two slices are not shown to be apart", "each entry once",
                                     _overlap(a, b))
        _check_coverage(name, pieces)


def _overlap(a: Definition, b: Definition) -> str:
    """What to try where two slices may overlap."""
    wide = next((d for d in (a, b) if d.ranges), None)
    return "" if wide is None else f"state the range: {wide.entry} = … for {wide.ranges[0][0]} in …"


def _check_coverage(name: str, pieces: tuple[Definition, ...]) -> None:
    axes = pieces[0].target.axes
    split = [k for k in range(len(axes)) if any(p.slice()[k] != pieces[0].slice()[k] for p in pieces)]
    if len(split) != 1:
        _check_volume(name, pieces)
        return
    k = split[0]
    spans = [p.slice()[k] for p in pieces]
    here = axes[k].lower
    while spans:
        following = [s for s in spans if sp.expand(s[0] - here) == 0]
        if not following:
            raise ShapeError(f"definition of {name}", f"the place {here} is not defined",
                             f"all of {axes[k].lower}..{axes[k].upper}")
        spans.remove(following[0])
        here = sp.expand(following[0][1] + 1)
    if sp.expand(here - 1 - axes[k].upper) != 0:
        raise ShapeError(f"definition of {name}", f"it ends at {here - 1}", f"all of {axes[k].lower}..{axes[k].upper}")
    for d, axis in zip(range(len(axes)), axes, strict=True):
        if d != k and not inside(axis.range, pieces[0].slice()[d]):
            raise ShapeError(f"definition of {name}", "only a slice of it is defined", f"the whole axis {axis.lower}..{axis.upper}")


def _check_volume(name: str, pieces: tuple[Definition, ...]) -> None:
    """Slices that are apart and lie in the array cover it when they have as many entries together, as polynomials in the sizes."""
    axes = pieces[0].target.axes
    covered = sp.Add(*[sp.Mul(*[high - low + 1 for low, high in p.slice()]) for p in pieces])
    missing = sp.expand(sp.Mul(*[a.size for a in axes]) - covered)
    if missing != 0:
        raise ShapeError(f"definition of {name}", f"{missing} of its entries are not defined",
                         f"all of {', '.join(f'{a.lower}..{a.upper}' for a in axes)}")
