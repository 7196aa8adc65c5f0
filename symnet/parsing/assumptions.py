"""What is assumed of symbols, as text: equalities, and inequalities that say where a question is asked.

"sum(y) == 1" and "A == A.T" are equalities, entry by entry. "0 < p < 1" narrows the domain of p. "x > y" leaves out of every question
where it does not hold: the objective is defined there and nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import sympy as sp

from symnet.core.index_letters import Labels, extend, relabel
from symnet.core.number_sets import NAMED, NumberSet, interval, name_of
from symnet.core.numbers import rational
from symnet.core.program import Assumption, Hole, Program
from symnet.core.tensors import NAME, Tensor
from symnet.errors import NameError_, ParseError, ShapeError
from symnet.indexing.arithmetic import broadcast
from symnet.indexing.index_array import IndexArray
from symnet.parsing.conventions import Unit, stretch
from symnet.parsing.functions import FUNCTIONS
from symnet.parsing.lowering import Lowering
from symnet.parsing.plain_grammar import Parser

SIGN = re.compile(r"==|!=|<=|>=|≤|≥|≠|<|>|=")
SAME = {"≤": "<=", "≥": ">=", "≠": "!="}
MIRROR = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
LEFT_OUT = {">": "<=", ">=": "<", "!=": "="}  # where u > 0, u >= 0, u != 0 do not hold, as holes say it
EXPECTED = "an equality such as sum(y, axis=1) == 1, or an inequality such as x > y or 0 < p < 1"
MOST = 20  # links of one chain


def links(text: str) -> list[tuple[str, str, str]]:
    """The comparisons of a chain: "0 < p < 1" is 0 < p and p < 1. Signs inside brackets belong to what stands there.

    >>> links("0 < p < 1"), links("sum(where(x > 0, 1, 0)) == 1")
    ([('0', '<', 'p'), ('p', '<', '1')], [('sum(where(x > 0, 1, 0))', '==', '1')])
    """
    where = f"assumption {text[:80]!r}"
    sides, signs, depth, start = list[str](), list[str](), 0, 0
    for match in re.finditer(r"[([{]|[)\]}]|" + SIGN.pattern, text):
        if match[0] in "([{":
            depth += 1
        elif match[0] in ")]}":
            depth -= 1
        elif depth == 0:
            sides.append(text[start:match.start()].strip())
            signs.append(SAME.get(match[0], match[0]))
            start = match.end()
    sides.append(text[start:].strip())
    if not signs or "=" in signs or "" in sides or len(signs) > MOST:
        raise ParseError(where, "no '=='" if not signs else "a single '='" if "=" in signs else "a comparison without a side", EXPECTED)
    return list(zip(sides, signs, sides[1:], strict=False))


def narrowed(texts: Iterable[str], tensors: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], list[tuple[str, str, str, str]]]:
    """The tensors with the domains that inequalities between a name and a number leave; and the other links, each with its text.

    Raises NameError_ where no number is left.
    """
    known, rest = dict(tensors), list[tuple[str, str, str, str]]()
    for text in texts:
        for left, sign, right in links(text):
            name, sign_, number = (left, sign, right) if NAME.match(left) else (right, MIRROR[sign], left)
            numbers = _numbers(sign_, number) if name in known and sign != "==" else None
            if numbers is None or known[name].domain in ("complex", "index"):
                rest.append((left, sign, right, text))
            else:
                known[name] = _within(known[name], numbers, text)
    return known, rest


def _numbers(sign: str, text: str) -> NumberSet | None:
    """The numbers with this relation to a number; None for what is none, or for != another number than 0."""
    try:
        end = rational(text)
    except ParseError:
        return None
    if sign == "!=":
        return NAMED["nonzero"] if end == 0 else None
    return interval(end, None, sign == ">") if sign in (">", ">=") else interval(None, end, True, sign == "<")


def _within(tensor: Tensor, numbers: NumberSet, text: str) -> Tensor:
    both = tensor.numbers.intersected(numbers)
    if both is None:
        raise NameError_(f"assumption {text!r}", f"no number of the domain of {tensor.name}, {tensor.domain}, satisfies it",
                         "assumptions that hold together")
    return replace(tensor, domain=name_of(both))


def declared(rest: Iterable[tuple[str, str, str, str]], table: Mapping[str, Tensor], sizes: Mapping[str, sp.Symbol],
             labels: Labels) -> tuple[tuple[Assumption, ...], tuple[Hole, ...]]:
    """The equalities, and where the inequalities leave nothing to ask."""
    equalities, holes = list[Assumption](), list[Hole]()
    for left, sign, right, text in rest:
        where = f"assumption {text!r}"
        lowering = Lowering(table, sizes, where)
        a, b = (lowering.any(Parser(side, where, FUNCTIONS, table).whole()) for side in (left, right))
        a, b = stretch(a, b.axes), stretch(b, a.axes)  # A.T @ A == I
        if isinstance(a, Unit) or isinstance(b, Unit):
            raise ShapeError(where, "a unit matrix beside what is no square matrix", "two arrays of one shape", "eye(d) with its size")
        if sign in ("<", "<="):
            a, b, sign = b, a, MIRROR[sign]
        if b.axes and not a.axes:
            a, b = b, a
            if sign != "==":
                raise ShapeError(where, "a number compared with an array", "two arrays, two numbers, or an array and then a number")
        dims, (one, other) = broadcast(where, f"'{sign}'", a, b) if b.dims else (a.dims, (a.expr, b.expr))
        value = IndexArray(dims, one)
        scope = extend({}, [(i, *axis.range) for i, axis in zip(value.indices, value.axes, strict=True)], labels)
        one, other = relabel(one, scope, labels), relabel(other, scope, labels)
        if sp.expand(one - other).is_Rational:
            raise ParseError(where, "what holds whatever the symbols are, or never", EXPECTED)
        if sign == "==":
            equalities.append(Assumption(one, other))
        else:
            over = tuple((scope[i], *axis.range) for i, axis in zip(value.indices, value.axes, strict=True))
            holes.append((one - other, LEFT_OUT[sign], over))
    return tuple(equalities), tuple(holes)


def under(program: Program, holes: tuple[Hole, ...]) -> Program:
    """The program whose objective is asked about nowhere in the ``holes``."""
    if not holes:
        return program
    lines, last = list(program.definitions), max(k for k, d in enumerate(program.definitions) if d.name == program.objective)
    lines[last] = replace(lines[last], holes=(*lines[last].holes, *holes))
    return replace(program, definitions=tuple(lines))


def with_assumptions(program: Program, texts: Sequence[str]) -> Program:
    """The program under what is declared over its tensors, besides what was: "sum(Y, axis=1) == 1", "x > y"."""
    labels, sizes = Labels.of(program), {str(s): s for s in program.sizes}
    rest = [(*link, text) for text in texts for link in links(text)]
    equalities, holes = declared(rest, program.tensors, sizes, labels)
    return under(replace(program, assumptions=(*program.assumptions, *equalities)), holes)
