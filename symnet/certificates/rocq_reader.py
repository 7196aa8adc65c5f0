"""Reads Rocq back: sentences, and the terms of real numbers that certificates are written in, as SymPy. It shares nothing with the printer.

The grammar is Rocq's own for R_scope: application binds most, then ``^``, then the signs ``-`` and ``/`` in front, then ``*`` and ``/``,
then ``+`` and ``-``. What is not understood is an error: a second reader that skips is none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import sympy as sp

from symnet.core.functions import leaky_relu, relu, sigmoid, softplus, step
from symnet.errors import SymnetError

TOKEN = re.compile(r"\s*(?:([A-Za-z_][A-Za-z0-9_']*)|([0-9]+)|(->|<>|<=|=>|:=|[-+*/^()<=>:,.{};|]))")
APPLIED: dict[str, tuple[int, Callable[..., sp.Expr]]] = {
    "exp": (1, sp.exp), "ln": (1, sp.log), "sqrt": (1, sp.sqrt), "sin": (1, sp.sin), "cos": (1, sp.cos), "sinh": (1, sp.sinh),
    "cosh": (1, sp.cosh), "tanh": (1, sp.tanh), "atan": (1, sp.atan), "erf": (1, sp.erf), "sigmoid": (1, sigmoid),
    "softplus": (1, softplus), "relu": (1, relu), "leaky_relu": (2, leaky_relu), "step": (1, step), "sign": (1, sp.sign),
    "Rabs": (1, sp.Abs), "Rmax": (2, sp.Max), "Rmin": (2, sp.Min),
    "choose": (3, lambda z, u, v: sp.Piecewise((u, sp.StrictGreaterThan(z, 0)), (v, True)))}
Entry = Callable[[str, tuple[str, ...]], sp.Expr]


@dataclass(frozen=True, slots=True)
class Comparison:
    """left < right, left <= right, left = right or left <> right, where all ``guards`` hold."""

    sign: str
    left: sp.Expr
    right: sp.Expr
    guards: tuple[Comparison, ...] = ()

    def __str__(self) -> str:
        return " -> ".join([*map(str, self.guards), f"{self.left} {self.sign} {self.right}"])


class UnreadError(SymnetError):
    """A sentence that the second reader does not understand."""

    code = "certificate-unread"


def without_comments(text: str) -> str:
    """The text without its comments, which may be nested."""
    kept, depth, at = list[str](), 0, 0
    for mark in re.finditer(r"\(\*|\*\)", text):
        if depth == 0:
            kept.append(text[at:mark.start()])
        depth += 1 if mark.group() == "(*" else -1
        if depth < 0:
            raise UnreadError("certificate", "a comment that ends before it begins")
        at = mark.end()
    if depth:
        raise UnreadError("certificate", "a comment without an end")
    return "".join([*kept, text[at:]])


def sentences(text: str) -> list[str]:
    """The sentences: each ends with a dot before a space or the end."""
    found = [" ".join(s.split()) for s in re.split(r"\.(?=\s|\Z)", without_comments(text))]
    if found and found[-1]:
        raise UnreadError("certificate", f"{found[-1][:60]!r} without a dot")
    return [s for s in found if s]


def tokens(text: str) -> list[str]:
    """The words and signs of a sentence."""
    found, at = list[str](), 0
    while at < len(text):
        match = TOKEN.match(text, at)
        if match is None:
            if text[at:].strip():
                raise UnreadError("certificate", f"the sign {text[at:].strip()[0]!r}")
            break
        found.append(next(g for g in match.groups() if g is not None))
        at = match.end()
    return found


@dataclass
class Parser:
    """One sentence, read from the left; ``entry`` says what a name with its arguments stands for."""

    words: list[str]
    entry: Entry
    at: int = 0

    @property
    def word(self) -> str:
        """The next word; none at the end."""
        return self.words[self.at] if self.at < len(self.words) else ""

    def take(self, expected: str = "") -> str:
        """The next word, which must be ``expected`` where that is told."""
        word = self.word
        if not word or (expected and word != expected):
            raise UnreadError("certificate", f"{word!r} in {' '.join(self.words)[:80]!r}", repr(expected or "a word"))
        self.at += 1
        return word

    def end(self) -> None:
        """Nothing may follow."""
        if self.word:
            raise UnreadError("certificate", f"{self.word!r} behind {' '.join(self.words[:self.at])[-60:]!r}")

    def term(self) -> sp.Expr:
        """A sum."""
        made = self.product()
        while self.word in ("+", "-"):
            made = made + self.product() if self.take() == "+" else made - self.product()
        return made

    def product(self) -> sp.Expr:
        """A product."""
        made = self._signed()
        while self.word in ("*", "/"):
            made = made * self._signed() if self.take() == "*" else made / self._signed()
        return made

    def _signed(self) -> sp.Expr:
        if self.word in ("-", "/"):
            return -self._signed() if self.take() == "-" else 1 / self._signed()
        made = self._applied()
        if self.word == "^":
            self.take()
            exponent = self.take()
            if not exponent.isdigit():
                raise UnreadError("certificate", f"the exponent {exponent!r}", "a number")
            made = made ** int(exponent)
        return made

    def _applied(self) -> sp.Expr:
        if self.word in APPLIED:
            arity, made = APPLIED[self.take()]
            return made(*[self._atom() for _ in range(arity)])
        if self.word and (self.word[0].isalpha() or self.word[0] == "_") and self.word != "PI":
            name, arguments = self.take(), list[str]()
            while self.word and (self.word[0].isalnum() or self.word[0] == "_"):
                arguments.append(self.take())
            return self.entry(name, tuple(arguments))
        return self._atom()

    def _atom(self) -> sp.Expr:
        word = self.take()
        if word == "(":
            made = self.term()
            self.take(")")
            return made
        if word == "PI":
            return sp.pi
        if word.isdigit():
            return sp.Integer(word)
        if word[0].isalpha() and word not in APPLIED:
            return self.entry(word, ())
        raise UnreadError("certificate", f"{word!r} in {' '.join(self.words)[:80]!r}", "a term in parentheses")

    def proposition(self) -> Comparison:
        """A comparison; in parentheses behind a guard, one that is asked there alone."""
        if self.word == "(" and self._implication():
            self.take("(")
            guard = self.proposition()
            self.take("->")
            made = self.proposition()
            self.take(")")
            return replace(made, guards=(guard, *made.guards))
        left = self.term()
        sign = self.take()
        if sign not in ("<", "<=", "=", "<>"):
            raise UnreadError("certificate", repr(sign), "a comparison")
        return Comparison(sign, left, self.term())

    def _implication(self) -> bool:
        depth = 0
        for word in self.words[self.at:]:
            depth += {"(": 1, ")": -1}.get(word, 0)
            if word == "->" and depth == 1:
                return True
            if depth == 0:
                return False
        return False


def implications(parser: Parser) -> Iterator[Comparison]:
    """The hypotheses before the conclusion ``is_derive …``, which is left."""
    while parser.word != "is_derive":
        yield parser.proposition()
        parser.take("->")
