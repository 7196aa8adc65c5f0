"""The second reader: does a certificate say what the derivation says? A kernel tells only that what stands there is proved.

It reads the file back and compares it, sentence by sentence, with the derivation: the inputs, every line, what each theorem states of
which entry, and that each hypothesis is a declared one or one that a line of the program asks for. Other sentences may only prove:
nothing is assumed, and no name of the kernel's libraries is defined anew. A file that proves 0 + 0 = 0 is told here, not by the kernel.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

import sympy as sp

from symnet.certificates.entries import library
from symnet.certificates.names import safe_name
from symnet.certificates.rocq_reader import Comparison, Parser, UnreadError, implications, sentences, tokens, without_comments
from symnet.core.derivation import Derivation
from symnet.core.expressions import When
from symnet.core.functions import TABLE, leaky_relu, relu, step
from symnet.core.program import Program

HELPERS = ("own_", "use_", "d_", "bound_", "sheet")  # names of what only proves
POINTS = 4
OWN_NAMES = re.compile(r"(?:v_|put_v_|own_v_|use_v_|d_v_|gradient_v_|moves_v_|still_v_|adjoint_v_|spread_v_|positive_v_|nonnegative_v_|"
                       r"rest_v_|bound_v_|value_v_)|(?:every_gradient|every_value|point|sheet|along)\Z")
ALLOWED = ("Print Assumptions every_gradient", "Print Assumptions every_value", "From Interval Require Import Tactic")


def read_back(text: str, derivation: Derivation, sizes: Mapping[str, int]) -> tuple[str, ...]:
    """What is wrong with the file, one sentence each; none where it states the derivation's gradients at ``sizes``."""
    try:
        return tuple(_Reading(text, derivation, sizes).faults())
    except UnreadError as error:
        return (str(error),)


@dataclass
class _Reading:
    text: str
    whole: Derivation
    sizes: Mapping[str, int]
    told: dict[str, str] = field(default_factory=dict)  # definitions by name
    theorems: dict[str, str] = field(default_factory=dict)

    @cached_property
    def scalars(self) -> Derivation:
        """The derivation at the sizes."""
        return self.whole.instantiate(dict(self.sizes))

    @cached_property
    def symbols(self) -> dict[str, sp.Symbol]:
        """The symbol of every entry."""
        program: Program = self.scalars.full
        found = {t.name: t.base for t in program.tensors.values()}
        return found | {str(s): s for d in program.definitions for s in d.expr.free_symbols}

    @cached_property
    def places(self) -> dict[tuple[str, tuple[str, ...]], str]:
        """The entry behind a name of the file and its places."""
        found: dict[tuple[str, tuple[str, ...]], str] = {}
        for t in self.scalars.program.inputs:
            found[safe_name(t.parent or t.name), tuple(map(str, t.place)) if t.parent else ()] = t.name
        return found | {(safe_name(d.name), ()): d.name for d in self.scalars.full.definitions}

    def entry(self, name: str, arguments: tuple[str, ...]) -> sp.Expr:
        """What ``name e places`` stands for."""
        if not arguments or arguments[0] != "e" or (name, arguments[1:]) not in self.places:
            raise UnreadError("certificate", f"{name} {' '.join(arguments)}", "an entry of the derivation at the point e")
        return self.symbols[self.places[name, arguments[1:]]]

    def parser(self, text: str) -> Parser:
        """A parser of a sentence's part."""
        return Parser(tokens(text), self.entry)

    def faults(self) -> Iterator[str]:
        """Everything that differs."""
        if not self.text.isascii() or '"' in self.text:  # within a string a comment would not end where it seems to
            yield "a sign that no certificate has"
            return
        rest = without_comments(self.text).lstrip()
        known = without_comments(library()).lstrip()
        if not rest.startswith(known):
            yield "the library at the head is not the one that symnet ships"
            return
        yield from self._sentences(sentences(rest[len(known):]))
        yield from self._points()
        yield from self._lines()
        yield from self._theorems()

    def _sentences(self, found: Sequence[str]) -> Iterator[str]:
        """Sorts the sentences and tells those that may not stand in a certificate."""
        depth, proving, taken = 0, False, set[str]()
        for before, s in pairwise(["", *found]):
            word = s.split()[0]
            if proving:
                if word in ("Qed",):
                    proving = False
                elif word[0].isupper() and word != "Proof":
                    yield f"{s[:60]!r} within a proof"
                continue
            name = self._named(s)
            if name and (name in taken or not OWN_NAMES.match(name)):
                yield f"the name {name} is defined twice" if name in taken else f"the name {name} is not of a certificate"
            taken.add(name)
            if word in ("Lemma", "Theorem"):
                proving = True
                if word == "Theorem" and depth:
                    yield f"{name} stands within a section"
                if word == "Theorem":
                    self.theorems[name] = s
            elif word in ("Definition", "Record"):
                self.told[name] = s
                if depth and not name.startswith(HELPERS):
                    yield f"{name} is defined within a section"
            elif word in ("Section", "End"):
                depth += 1 if word == "Section" else -1
            elif word in ("Variable", "Variables", "Hypothesis") and depth:
                pass
            elif not (s.startswith("Local Hint Resolve ") and depth) and s not in ALLOWED:
                yield f"{s[:60]!r} may not stand in a certificate"
            del before
        if depth or proving:
            yield "a section or a proof without an end"

    @staticmethod
    def _named(sentence: str) -> str:
        match = re.match(r"(?:Lemma|Theorem|Definition|Record) ([A-Za-z0-9_']+)", sentence)
        return match.group(1) if match else ""

    def _points(self) -> Iterator[str]:
        """The record of the inputs, and what puts a new entry into it."""
        tensors = self.whole.program.inputs
        fields = " ; ".join(f"{safe_name(t.name)} : {'nat -> ' * len(t.axes)}R" for t in tensors)
        yield from self._same("point", f"Record point := Point {{ {fields} }}")
        for name in dict.fromkeys((self.scalars.program[w].parent or w) for w in self.scalars.wrt):
            axes = len(self.whole.program[name].axes)
            places = [f"i{k}" for k in range(1, axes + 1)]
            put = f"at{axes} ( {safe_name(name)} e ) {' '.join(places)} t" if axes else "t"
            parts = " ".join(f"( {put} )" if t.name == name else f"( {safe_name(t.name)} e )" for t in tensors)
            given = f"( e : point ) {'( ' + ' '.join(places) + ' : nat ) ' if axes else ''}( t : R )"
            yield from self._same(f"put_{safe_name(name)}", f"Definition put_{safe_name(name)} {given} : point := Point {parts}")

    def _same(self, name: str, expected: str) -> Iterator[str]:
        found = self.told.get(name, "")
        if tokens(found) != tokens(expected):
            yield f"{name} is {found[:120]!r}, not {expected[:120]!r}"

    def _lines(self) -> Iterator[str]:
        """Every line that a theorem rests on."""
        lines = {safe_name(d.name): d for d in self.scalars.full.definitions}
        for name in self.told:
            if name.startswith("v_") and name not in lines:
                yield f"{name} is no line of the derivation"
        for name in self._needed(lines):
            if name not in self.told:
                yield f"the line {name} is missing"
                continue
            head = f"Definition {name} (e : point) : R := "
            if not self.told[name].startswith(head):
                yield f"{name} is no function of a point: {self.told[name][:80]!r}"
                continue
            parser = self.parser(self.told[name][len(head):])
            read = parser.term()
            parser.end()
            if not same(read, lines[name].expr):
                yield f"{name} is {read}, not {lines[name].expr}"

    def _needed(self, lines: Mapping[str, object]) -> list[str]:
        """The lines of the gradients and of the objective, and all that those use in the file."""
        wanted = [safe_name(self.scalars.objective), *[safe_name(self.scalars.names[w]) for w in self.scalars.wrt]]
        found = dict.fromkeys(wanted)
        while wanted:
            for word in tokens(self.told.get(wanted.pop(), "")):
                if word in lines and word not in found:
                    found[word] = None
                    wanted.append(word)
        return list(found)

    def _theorems(self) -> Iterator[str]:
        """What is stated of each entry."""
        allowed = list(allowed_hypotheses(self.scalars))
        names = [f"gradient_{safe_name(w)}" for w in self.scalars.wrt]
        for w, name in zip(self.scalars.wrt, names, strict=True):
            if name not in self.theorems:
                yield f"no theorem {name}"
                continue
            parser = self.parser(self.theorems[name])
            for word in ("Theorem", name, "(", "e", ":", "point", ")", ":"):
                parser.take(word)
            for hypothesis in implications(parser):
                if not any(_same_comparison(hypothesis, a) for a in allowed):
                    yield f"{name} assumes {hypothesis}, which is neither declared nor asked by a line"
            t = self.scalars.program[w]
            places = " ".join(map(str, t.place)) if t.parent else ""
            owner, gradient = safe_name(t.parent or w), safe_name(self.scalars.names[w])
            expected = tokens(f"is_derive ( fun t => {safe_name(self.scalars.objective)} ( put_{owner} e {places} t ) ) "
                              f"( {owner} e {places} ) ( {gradient} e )")
            if parser.words[parser.at:] != expected:
                yield f"{name} states {' '.join(parser.words[parser.at:])[:160]}, not {' '.join(expected)[:160]}"
        values = [n for n in self.theorems if n.startswith("value_v_")]
        for name in self.theorems:
            if name not in names and name not in values:
                yield f"{name} is no gradient of the derivation"
        if values:
            yield from self._decimals(values)
            yield from self._same("every_value", _together("every_value", values))
        yield from self._same("every_gradient", _together("every_gradient", names))

    def _decimals(self, values: Sequence[str]) -> Iterator[str]:
        """The values of the worksheet, and what is said of the lines there: near a number, with five digits that hold."""
        parts = []
        for t in self.whole.program.inputs:
            made = f"( fun {' '.join('_' * len(t.axes))} => 0 )" if t.axes else self._number(self.scalars.values.get(t.name))
            for s in self.scalars.program.inputs:
                if s.parent == t.name:
                    value = self._number(self.scalars.values.get(s.name))
                    made = f"( at{len(t.axes)} {made} {' '.join(map(str, s.place))} {value} )"
            parts.append(made)
        yield from self._same("sheet", f"Definition sheet : point := Point {' '.join(parts)}")
        told = [self.scalars.objective, *[self.scalars.names[w] for w in self.scalars.wrt]]
        if values != [f"value_{safe_name(n)}" for n in told]:
            yield f"decimals of {', '.join(values)}, not of the objective and its gradients"
        for name in values:
            line = name.removeprefix("value_")
            parser = self.parser(self.theorems[name])
            for word in ("Theorem", name, ":", "Rabs", "(", line, "sheet", "-"):
                parser.take(word)
            near = parser.product()
            for word in (")", "<="):
                parser.take(word)
            off = parser.term()
            parser.end()
            if not (near.is_Rational and off.is_Rational and 0 <= off <= max(abs(near), sp.Rational(1, 10)) / 10**5):
                yield f"{name} says {near} with an error of {off}"

    @staticmethod
    def _number(value: object) -> str:
        if not isinstance(value, sp.Rational):
            return "no value"
        return f"({value.p} / {value.q})" if value.q != 1 else f"({value.p})" if value.p < 0 else str(value.p)


def _together(name: str, theorems: Sequence[str]) -> str:
    return f"Definition {name} := " + ", ".join(f"({n}" for n in theorems) + ")" * len(theorems)


def same(read: sp.Expr, line: sp.Expr) -> bool:
    """True where two expressions are the same tree once both are built anew, or agree at points of every sign to 30 digits."""
    left, right = _anew(read), _anew(line)
    if left == right:
        return True
    symbols = sorted(left.free_symbols | right.free_symbols, key=str)
    rng, compared = random.Random(7), 0
    for k in range(24):
        at = {}
        for s in symbols:
            size = sp.Float(rng.randint(1000, 9999), 40) / 10000
            at[s] = size if s.is_nonnegative or k % 3 == 0 else size * rng.choice((-1, 1)) * (1 if k % 3 == 1 else 3)
        a, b = (e.xreplace(at).evalf(40) for e in (left, right))
        if not (a.is_Number and b.is_Number and a.is_finite and b.is_finite):
            continue
        compared += 1
        if abs(a - b) > sp.Float("1e-30", 40) * (1 + abs(a)):
            return False
    return compared >= POINTS


def _anew(expr: sp.Basic) -> sp.Basic:
    """The expression built again from its leaves by SymPy's own rules, maxima without an order."""
    if not expr.args:
        return expr
    args = [_anew(a) for a in expr.args]
    if isinstance(expr, sp.Max | sp.Min):
        return (sp.Max if isinstance(expr, sp.Max) else sp.Min)(*args)
    if isinstance(expr, When):
        return sp.Piecewise((args[0], args[1]), (0, True))
    return expr.func(*args)


def allowed_hypotheses(scalars: Derivation) -> Iterator[Comparison]:
    """What a theorem may assume: declared equalities and domains, and what the forward lines ask for themselves."""
    program = scalars.program
    for a in program.assumptions:
        yield Comparison("=", a.left, a.right)
    for t in program.inputs:
        if t.domain in ("real", "complex", "index"):
            continue
        low, high = t.numbers.ends
        if low is not None:
            yield Comparison("<=", low[0], t.base)
            if low[1] or (low[0] == 0 and t.numbers.apart):
                yield Comparison("<", low[0], t.base)
        if high is not None:
            yield Comparison("<=", t.base, high[0])
            if high[1]:
                yield Comparison("<", t.base, high[0])
        if t.numbers.apart:
            yield Comparison("<>", t.base, sp.S.Zero)
    for d in program.definitions:
        yield from _asked_by(d.expr)


def _asked_by(expr: sp.Basic) -> Iterator[Comparison]:
    """Where a line has no value, or a kink."""
    for node in sp.preorder_traversal(expr):
        if isinstance(node, sp.log):
            yield Comparison("<", sp.S.Zero, node.args[0])
        elif isinstance(node, sp.Pow):
            if node.exp.is_Integer and node.exp < 0:
                yield Comparison("<>", node.base, sp.S.Zero)
            elif not node.exp.is_Integer:
                yield Comparison("<", sp.S.Zero, node.base)
                if node.exp.is_Rational and node.exp < 0:
                    yield Comparison("<>", sp.sqrt(node.base), sp.S.Zero)
                    yield Comparison("<>", sp.sqrt(node.base) ** (-2 * node.exp), sp.S.Zero)
        elif isinstance(node, (sp.Max, sp.Min)):
            for k in range(1, len(node.args)):
                rest = node.args[0] if k == 1 else node.func(*node.args[:k])
                yield Comparison("<>", rest, node.args[k])
        elif isinstance(node, (relu, step, leaky_relu, sp.Abs, sp.sign)) or (type(node) in TABLE and TABLE[type(node)].kinks == (0,)):
            yield Comparison("<>", node.args[0], sp.S.Zero)
        elif isinstance(node, sp.core.relational.Relational) and isinstance(node, (sp.Gt, sp.Lt, sp.Ge, sp.Le)):
            yield Comparison("<>", node.lhs - node.rhs, sp.S.Zero)
        elif isinstance(node, sp.Mul):
            below = sp.denom(node)
            if below != 1:
                yield Comparison("<>", below, sp.S.Zero)


def _same_comparison(read: Comparison, allowed: Comparison) -> bool:
    """True where ``read`` says no more than ``allowed``: its guards, under which alone it is asked, only weaken it."""
    if read.sign != allowed.sign:
        return False
    if same(read.left, allowed.left) and same(read.right, allowed.right):
        return True
    return read.sign == "<>" and (same(read.left - read.right, allowed.left - allowed.right)
                                  or same(read.left - read.right, allowed.right - allowed.left))
