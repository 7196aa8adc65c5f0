"""A claim as text: "sum(softmax(z)) == 1", "abs(tanh(x)) <= abs(x)", "log(x) <= x - 1 if x > 0" -> a Program with a line for each side.

A claim is a chain of comparisons, or several joined by "and"; hypotheses stand behind "if" (or "when", "where") and "for all"; grad(f, x)
and diff(f, x) are the derivative of f by a name.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from symnet.core.numbers import Number
from symnet.core.program import Program
from symnet.core.tensors import Role, Tensor, sizes_of
from symnet.errors import NameError_, ParseError, ShapeError, SymnetError, did_you_mean
from symnet.parsing.assumptions import links, narrowed
from symnet.parsing.declaring import tensor_of
from symnet.parsing.functions import FUNCTIONS
from symnet.parsing.node import Node
from symnet.parsing.node_values import NotANumber, asks, has_values, value
from symnet.parsing.plain_grammar import Parser
from symnet.parsing.program import ASSIGN, free_names, lines_of, program
from symnet.parsing.tokens import MAX_LENGTH, plain

IF = re.compile(r",?\s+(?:if|when|where|given|provided)\s+(?!.*\selse\s)")
EVERY = re.compile(r",?\s*\bfor (?:all|every|each)\s+(?:real\s+|numbers?\s+|steps?\s+|sizes?\s+)*([^,]*(?:,\s*[A-Za-z]\w*)*)\s*\Z")
AND = re.compile(r"\s+and\s+|\s*;\s*|\s*&&\s*")
SINGLE = re.compile(r"(?<![<>=!:≤≥≠])=(?!=)")
NO_NAMES = frozenset({"oo", "inf", "infinity", "nan", "None", "True", "False", "I"})
CALLED = re.compile(r"(?<![\w.])([A-Za-z]\w+)\s*\(")
SLOPE = re.compile(r"\b(?:grad|diff)\s*\(")
OF_ARRAYS = frozenset({"sum", "mean", "softmax", "log_softmax", "logsumexp", "norm", "var", "std", "dot", "prod", "cumsum", "trace",
                       "outer"})
SIDE, OBJECTIVE, DERIVATIVE = "side_{}", "slope_of_{}", "slope_{}"
Comparison = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Slope:
    """A derivative in a claim: it is called ``name`` there; the last line of ``program`` is what is differentiated by ``wrt``."""

    name: str
    program: Program
    wrt: str


@dataclass(frozen=True, slots=True)
class ReadClaim:
    """A claim as it was read: ``program`` has the lines of the sheet, then one for each side; comparisons name these lines. ``turned`` are
    those that were written with > or >=."""

    text: str
    program: Program
    conclusions: tuple[Comparison, ...]
    hypotheses: tuple[Comparison, ...]
    slopes: tuple[Slope, ...] = ()
    assumed: tuple[str, ...] = ()
    turned: tuple[bool, ...] = ()
    trees: tuple[Node, ...] = ()
    line_trees: tuple[tuple[str, Node], ...] = ()
    indices: tuple[str, ...] = ()

    @property
    def asks(self) -> bool:
        """Does a part of it ask for something to have a value: a divisor, a root, a logarithm?"""
        return any(asks(tree, self.indices) for tree in (*self.trees, *(tree for _, tree in self.line_trees)))

    def has_values(self, values: Mapping[str, Number]) -> bool:
        """Have all parts, as they were written, certainly values at a point? Lines come in order; arrays are not seen through."""
        known = dict(values)
        try:
            for name, tree in self.line_trees:
                known[name] = value(tree, known)
        except (NotANumber, SymnetError, ArithmeticError, ValueError, TypeError, RecursionError):
            return False
        return has_values(list(self.trees), known)


def is_claim(text: str) -> bool:
    """Does the text hold a comparison?

    >>> is_claim("loss-scaling"), is_claim("x**2 >= 0")
    (False, True)
    """
    return bool(re.search(r"[=<>≤≥≠]", text))


def read_claim(text: str, tensors: Mapping[str, Any] | None = None, given: Sequence[str] = (),
               definitions: Sequence[str] = ()) -> ReadClaim:
    """A claim over declared names; a name that is not declared is a number, or an array where an array function is taken of it alone.

    ``given`` are hypotheses, ``definitions`` lines that the claim may use. Raises the error family.

    >>> found = read_claim("0 < sigmoid(x) < 1")
    >>> found.conclusions, [str(d) for d in found.program.definitions]
    ((('side_1', '<', 'side_2'), ('side_2', '<', 'side_3')), ['side_1 := 0', 'side_2 := sigmoid(x)', 'side_3 := 1'])
    """
    if not isinstance(text, str) or not text.strip():
        raise ParseError("claim", "no text", 'such as "abs(tanh(x)) <= abs(x)"')
    if len(text) > MAX_LENGTH:
        raise ParseError("claim", f"{len(text)} characters", f"at most {MAX_LENGTH}")
    body, assumed = _parts(_doubled(plain(text)))
    known = {name: tensor_of(name, spec) for name, spec in (tensors or {}).items()}
    for name, tensor in known.items():
        if tensor.domain in ("complex", "index") or tensor.structure:
            raise NameError_("claim", f"{name}, {tensor.structure or tensor.domain}", "real numbers without a structure",
                             "hypotheses say what a matrix is: given=['S == S.T']")
    lines = [line for line, _ in lines_of(definitions)]
    defined = {m[1].partition("[")[0].strip() for line in lines if (m := ASSIGN.match(plain(line)))}
    reader = _Reader(known, defined, lines)
    shown = [c for part in _split(body, AND) for c in links(part)]
    extra = [*(_doubled(plain(g)) for g in given if g.strip()), *assumed]
    reader.learn([s for a, _, b in shown for s in (a, b)], extra)
    inputs, rest = narrowed([p for g in extra for p in _split(g, AND)], {n: t for n, t in reader.known.items() if n not in defined})
    reader.known |= inputs
    conclusions = [reader.comparison(*c) for c in shown]
    hypotheses = [reader.comparison(a, sign, b) for a, sign, b, _ in rest]
    turned = tuple(sign in (">", ">=") for _, sign, _ in shown)
    return ReadClaim(text.strip(), reader.whole(), tuple(conclusions), tuple(hypotheses), tuple(reader.slopes), tuple(dict.fromkeys(extra)),
                     turned, reader.trees(), reader.line_trees(), tuple(reader.letters))


def _parts(text: str) -> tuple[str, list[str]]:
    """The claim and its hypotheses."""
    assumed: list[str] = []
    every = EVERY.search(text)
    if every is not None:
        said = every[1].strip()
        text = text[:every.start()]
        if re.search(r"[<>=]", said):
            assumed.append(said)
    cut = IF.search(text)
    if cut is not None and _depth(text[:cut.start()]) == 0:
        return text[:cut.start()].strip(), [text[cut.end():].strip(), *assumed]
    return text.strip(), assumed


def _doubled(text: str) -> str:
    """A single = between the sides as ==; one inside brackets belongs to what stands there: sum(A, axis=1)."""
    return SINGLE.sub(lambda m: "==" if _depth(text[:m.start()]) == 0 else "=", text)


def _depth(text: str) -> int:
    return sum(c in "([{" for c in text) - sum(c in ")]}" for c in text)


def _split(text: str, sign: re.Pattern[str]) -> list[str]:
    """The parts between signs that stand in no bracket."""
    parts, start = list[str](), 0
    for match in sign.finditer(text):
        if _depth(text[:match.start()]) == 0:
            parts.append(text[start:match.start()])
            start = match.end()
    return [p.strip() for p in (*parts, text[start:]) if p.strip()]


class _Reader:
    """The sides of a claim, each a line; derivatives in them get a name."""

    def __init__(self, known: dict[str, Tensor], defined: set[str], lines: list[str]) -> None:
        self.known, self.defined, self.lines = known, defined, lines
        self.sides: dict[str, tuple[str, tuple[str, ...]]] = {}
        self.slopes: list[Slope] = []
        self.letters: list[str] = []
        self.differentiated: list[str] = []

    def learn(self, sides: Iterable[str], extra: Iterable[str]) -> None:
        """Declare what is not declared."""
        more = [side for g in extra for part in _split(g, AND) for a, _, b in links(part) for side in (a, b)]
        texts = [SLOPE.sub("maximum(", s) for s in (*sides, *more)]
        texts += [m[2] for line in self.lines if (m := ASSIGN.match(plain(line)))]
        arrays: set[str] = set()
        names: list[str] = []
        for text in texts:
            text = text.split(" for ")[0] if " for " in text and _depth(text.split(" for ")[0]) == 0 else text
            declared = set(self.known) | self.defined
            arrays |= self._arrays(Parser(text, "claim", FUNCTIONS, declared).whole())
            names += free_names(text, "claim", declared)
        for name in dict.fromkeys(n for t in texts for n in CALLED.findall(t)):
            if name not in FUNCTIONS and name not in self.known and name not in self.defined:
                raise NameError_("claim", f"an unknown function {name!r}", "a function that symnet knows",
                                 did_you_mean(name, FUNCTIONS) or f"{name}*(…) for a product")
        for name in dict.fromkeys(n for n in names if n not in self.known and n not in self.defined):
            if name in NO_NAMES:
                raise NameError_("claim", f"the name {name!r}", "another name, or a declared one")
            if 1 < len(name) <= 3 and name.isalpha() and all(c in names for c in name) and name not in sizes_of(self.known):
                raise NameError_("claim", f"{name!r}, a name or the product {'*'.join(name)}", "one of them",
                                 f"{'*'.join(name)}, or declare {name}")
        letters = {n for text in texts for inner in re.findall(r"\[([^\[\]]*)\]", text) for n in re.findall(r"\b[a-z]\b", inner)}
        sizes = set(sizes_of(self.known))
        size = "n" if "n" not in self.known else "m"
        for name in dict.fromkeys(names):
            if name in self.known or name in self.defined or name in sizes or name in letters or (arrays and name == size):
                continue
            self.known[name] = tensor_of(name, (size,) if name in arrays else ())
        self.letters = sorted(letters)

    def _arrays(self, tree: Node) -> set[str]:
        """Names of which an array function is taken, that nobody declared: one alone is an array."""
        found: set[str] = set()
        if tree.kind == "call" and tree.text.rpartition(".")[2] in OF_ARRAYS:
            inner = [n for a in tree.args for n in _names(a)]
            new = [n for n in dict.fromkeys(inner) if n not in self.known and n not in self.defined]
            if len(new) > 1 and not all(a.kind == "name" for a in tree.args):
                raise ShapeError("claim", f"{tree.text}(…) of {' and '.join(new)}, of which it is not said which are arrays",
                                 "shapes", f"--shape {new[0]}:n, and --domain {new[1]}:real for a number")
            found |= set(new)
        for a in (*tree.args, *(v for _, v in tree.keywords)):
            found |= self._arrays(a)
        return found

    def comparison(self, left: str, sign: str, right: str) -> Comparison:
        """The lines of both sides and the relation, turned so that it is =, <=, < or !=."""
        if sign in (">", ">="):
            left, right, sign = right, left, {">": "<", ">=": "<="}[sign]
        sides = [self._without_slopes(text) for text in (left, right)]
        letters = tuple(c for c in self.letters if any(self._is_free(c, side) for side in sides))
        one, other = (self._side(side, letters) for side in sides)
        return one, "=" if sign == "==" else sign, other

    def _is_free(self, letter: str, side: str) -> bool:
        """Does an index stand in a side without being bound there?"""
        return bool(re.search(rf"(?<![\w.]){letter}(?![\w(])", side)) and not re.search(rf"\bfor {letter} in\b", side)

    def _side(self, text: str, letters: tuple[str, ...]) -> str:
        """The name of the line of a side. Both sides of a comparison have the same indices, so that x[i] == x[j] is about all i and j."""
        name = next((n for n, t in self.sides.items() if t == (text, letters)), None)
        if name is None:
            taken = {*self.known, *self.defined, *self.sides}
            name = next(n for k in itertools.count() if (n := SIDE.format(len(self.sides) + 1) + "_" * k) not in taken)
            self.sides[name] = (text, letters)
        return name

    def _without_slopes(self, text: str) -> str:
        """The text with a name for each derivative, from the inside out."""
        while (matches := list(SLOPE.finditer(text))):
            start = matches[-1]
            depth, end = 1, start.end()
            while depth and end < len(text):
                depth += (text[end] in "([{") - (text[end] in ")]}")
                end += 1
            if depth:
                raise ParseError("claim", f"a bracket that is not closed in {text[start.start():][:40]!r}", "grad(f, x)")
            parts = [p.strip() for p in _commas(text[start.end():end - 1])]
            if len(parts) < 2 or not all(re.fullmatch(r"[A-Za-z]\w*", p) for p in parts[1:]):
                raise ParseError("claim", f"{text[start.start():end]!r}", "grad(f, x): an expression, then a name to differentiate by")
            what = parts[0]
            for wrt in parts[1:]:
                what = self._slope(what, wrt)
            text = text[:start.start()] + what + text[end:]
        return text

    def _slope(self, what: str, wrt: str) -> str:
        if wrt not in self.known or wrt in self.defined:
            raise NameError_("claim", f"a derivative by {wrt!r}", "a name of the claim that is no line")
        name = DERIVATIVE.format(len(self.slopes) + 1)
        objective = OBJECTIVE.format(len(self.slopes) + 1)
        real = {n: replace(t, domain="real", structure="") for n, t in self.known.items()}  # so that a kink at the end of a domain is one
        made = program(*self.lines, f"{objective} = {what}", tensors=real)
        if made[objective].axes:
            raise ShapeError("claim", f"the derivative of {what}, an array of shape {made[objective].shape}", "one of a number",
                             "sum(u*f) with a vector u says the same of all entries")
        self.differentiated.append(what)
        self.slopes.append(Slope(name, replace(made, objective=objective), wrt))
        self.known[name] = replace(self.known[wrt], name=name, latex="", role=Role.INPUT, domain="real", structure="")
        return name

    def whole(self) -> Program:
        """All lines as one program."""
        lines = []
        for name, (text, letters) in self.sides.items():
            spans = "".join(f" for {c} in {span[0]}..{span[1]}" for c in letters if (span := self._range(c)) is not None)
            lines.append(f"{name}[{', '.join(letters)}] = {text}{spans}" if letters else f"{name} = {text}")
        return program(*self.lines, *lines, tensors=self.known, objective=None)

    def trees(self) -> tuple[Node, ...]:
        """The sides, and what is differentiated, as they were written."""
        declared = {*self.known, *self.defined}
        return tuple(Parser(t, "claim", FUNCTIONS, declared).whole() for t in (*(t for t, _ in self.sides.values()), *self.differentiated))

    def line_trees(self) -> tuple[tuple[str, Node], ...]:
        """The lines, in order; one of an entry under its whole left side."""
        declared = {*self.known, *self.defined}
        found = [m for line in self.lines if (m := ASSIGN.match(plain(line)))]
        return tuple((m[1].strip(), Parser(m[2], "claim", FUNCTIONS, declared).line()[0]) for m in found)

    def _range(self, letter: str) -> tuple[str, str] | None:
        """What an index runs over: an axis of an array at whose place it stands alone."""
        for text, _ in self.sides.values():
            for name, inner in re.findall(r"([A-Za-z]\w*)\[([^\[\]]*)\]", text):
                places = [p.strip() for p in inner.split(",")]
                if letter in places and name in self.known and len(self.known[name].axes) == len(places):
                    low, high = self.known[name].axes[places.index(letter)].range
                    return str(low), str(high)
        return None


def _commas(text: str) -> list[str]:
    return _split(text, re.compile(","))


def _names(node: Node) -> Iterable[str]:
    if node.kind == "name":
        yield node.text
    for a in (*node.args, *(v for _, v in node.keywords)):
        yield from _names(a)
