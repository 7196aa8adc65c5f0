"""Tokens to a syntax tree: NumPy's plain maths, textbook juxtaposition, sums written ``sum(… for n in 1..N)``.

A Pratt parser (Pratt 1973). Nothing is looked up here except which names are functions: ``sigmoid(z)`` is a call while
``a(1 - a)`` is a product.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from symnet.errors import ParseError
from symnet.parsing.tokens import Token, tokenize

MAX_NODES, MAX_DEPTH = 400, 60
LEVELS = {"if": 1, "==": 3, "!=": 3, "<": 3, ">": 3, "<=": 3, ">=": 3, "+": 5, "-": 5, "*": 7, "/": 7, "@": 7}
PRODUCT, UNARY, POWER, POSTFIX = 7, 8, 9, 10
KEYWORDS = frozenset({"if", "else", "for", "in", "and"})


@dataclass(frozen=True, slots=True)
class Node:
    """``kind``: number, name, call, index, attribute, unary, binary, cond, sum, bracket. ``text`` is its sign or name."""

    kind: str
    text: str
    args: tuple[Node, ...] = ()
    column: int = 0
    keywords: tuple[tuple[str, Node], ...] = ()


class Parser:
    """One text. ``functions`` are the names that are called; every other name before a bracket is a factor."""

    def __init__(self, text: str, where: str, functions: Collection[str]) -> None:
        self.tokens, self.where, self.functions = tokenize(text, where), where, functions
        self.at, self.nodes, self.depth = 0, 0, 0

    @property
    def now(self) -> Token:
        """The token to be read."""
        return self.tokens[self.at]

    def fail(self, found: str, expected: str = "", hint: str = "") -> ParseError:
        """An error at the current column."""
        return ParseError(f"{self.where}, column {self.now.column}", found, expected, hint)

    def take(self, text: str) -> Token:
        """Read the mark ``text``."""
        if self.now.text != text or self.now.kind == "end":
            raise self.fail(self._seen(), f"{text!r}")
        self.at += 1
        return self.tokens[self.at - 1]

    def _seen(self) -> str:
        return "the end of the line" if self.now.kind == "end" else repr(self.now.text)

    def node(self, kind: str, text: str, args: tuple[Node, ...] = (), column: int = 0,
             keywords: tuple[tuple[str, Node], ...] = ()) -> Node:
        """A node, counted against the limit."""
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise self.fail("an expression that is too long", f"at most {MAX_NODES} parts")
        return Node(kind, text, args, column or self.now.column, keywords)

    def whole(self) -> Node:
        """The whole text as one expression."""
        tree = self.expression(0)
        if self.now.kind != "end":
            raise self.fail(self._seen(), "an operator or the end of the line",
                            "a decimal point, not a comma" if self.now.text == "," else "")
        return tree

    def expression(self, level: int) -> Node:
        """An expression whose operators bind more tightly than ``level``."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.fail("brackets nested too deeply", f"at most {MAX_DEPTH} levels")
        left = self.prefix()
        while True:
            token = self.now
            if token.text in LEVELS and token.kind in ("mark", "name"):
                binds = LEVELS[token.text]
                if binds <= level:
                    break
                left = self.infix(left, token, binds)
            elif self.starts_factor() and level < PRODUCT:
                left = self.node("binary", "juxtaposed", (left, self.expression(PRODUCT)), token.column)
            else:
                break
        self.depth -= 1
        return left

    def starts_factor(self) -> bool:
        """True where a factor may follow without a sign: 2x, X w, a(1 - a)."""
        return (self.now.kind in ("number", "name") and self.now.text not in KEYWORDS) or self.now.text == "("

    def infix(self, left: Node, token: Token, binds: int) -> Node:
        """An operator between two expressions, or ``A if c else B``."""
        self.at += 1
        if token.text == "if":
            condition = self.expression(1)
            self.take("else")
            return self.node("cond", "if", (left, condition, self.expression(0)), token.column)
        right = self.expression(binds)
        if binds == 3 and self.now.text in LEVELS and LEVELS[self.now.text] == 3:
            chained = self.infix(right, self.now, 3)
            return self.node("binary", "and", (self.node("binary", token.text, (left, right), token.column), chained))
        return self.node("binary", token.text, (left, right), token.column)

    def prefix(self) -> Node:
        """A sign, or a factor with its powers."""
        token = self.now
        if token.text in ("-", "+") and token.kind == "mark":
            self.at += 1
            inner = self.expression(UNARY - 1)
            return self.node("unary", "-", (inner,), token.column) if token.text == "-" else inner
        return self.powered(self.postfix(self.atom()))

    def powered(self, base: Node) -> Node:
        """base ** exponent, right to left; ``X^T`` is a transpose."""
        if self.now.text not in ("**", "^"):
            return base
        column = self.now.column
        self.at += 1
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.fail("a tower of powers", "one power at a time")
        if self.now.text == "T" and self.now.kind == "name":
            self.at += 1
            return self.powered(self.postfix(self.node("attribute", "T", (base,), column)))
        sign = self.now.text == "-"
        self.at += sign
        exponent = self.powered(self.postfix(self.atom()))
        if sign:
            exponent = self.node("unary", "-", (exponent,), column)
        return self.node("binary", "**", (base, exponent), column)

    def atom(self) -> Node:
        """A number, a name, a call, a bracketed expression or a [condition]."""
        token = self.now
        if token.kind == "number":
            self.at += 1
            return self.node("number", token.text, (), token.column)
        if token.kind == "name" and token.text not in KEYWORDS:
            return self.named(token)
        if token.text == "(":
            self.at += 1
            inner = self.expression(0)
            self.take(")")
            return inner
        if token.text == "[":
            self.at += 1
            condition = self.expression(0)
            self.take("]")
            return self.node("bracket", "[]", (condition,), token.column)
        raise self.fail(self._seen(), "a number, a name or a bracket")

    def named(self, token: Token) -> Node:
        """A name, a dotted function name, or a call."""
        self.at += 1
        name = token.text
        if name in ("np", "numpy") and self.now.text == ".":
            self.at += 1
            name = self.part()
        if name == "linalg" and self.now.text == ".":
            self.at += 1
            name = "linalg." + self.part()
        if name in self.functions and self.now.text == "(":
            return self.call(name, token.column)
        return self.node("name", name, (), token.column)

    def part(self) -> str:
        """The name after a dot."""
        if self.now.kind != "name":
            raise self.fail(self._seen(), "a name after the dot")
        self.at += 1
        return self.tokens[self.at - 1].text

    def call(self, name: str, column: int) -> Node:
        """name(arguments, keyword=value) or sum(expression for i in a..b)."""
        self.take("(")
        args: list[Node] = []
        keywords: list[tuple[str, Node]] = []
        while self.now.text != ")":
            if self.now.kind == "name" and self.tokens[self.at + 1].text == "=":
                key = self.part()
                self.take("=")
                keywords.append((key, self.expression(0)))
            else:
                args.append(self.expression(0))
            if self.now.text == "for" and len(args) == 1:
                return self.loops(args[0], name, column)
            if self.now.text != ")":
                self.take(",")
        self.take(")")
        return self.node("call", name, tuple(args), column, tuple(keywords))

    def loops(self, body: Node, name: str, column: int) -> Node:
        """``for n in 1..N`` once or more."""
        if name != "sum":
            raise self.fail(f"{name} with 'for'", "sum(… for n in 1..N)")
        parts = [body]
        while self.now.text == "for":
            self.at += 1
            token = self.now
            parts.append(self.node("name", self.part(), (), token.column))
            self.take("in")
            parts.append(self.expression(3))
            self.take("..")
            parts.append(self.expression(3))
        self.take(")")
        return self.node("sum", "sum", tuple(parts), column)

    def postfix(self, base: Node) -> Node:
        """.T, .shape and [indices]."""
        while True:
            token = self.now
            if token.text == "." and token.kind == "mark":
                self.at += 1
                name = self.part()
                if name not in ("T", "shape"):
                    raise self.fail(f".{name}", ".T or .shape[0]")
                base = self.node("attribute", name, (base,), token.column)
            elif token.text == "[" and not token.spaced and base.kind in ("name", "attribute", "call"):
                self.at += 1
                places = [self.expression(0)]
                while self.now.text == ",":
                    self.at += 1
                    places.append(self.expression(0))
                self.take("]")
                base = self.node("index", "[]", (base, *places), token.column)
            else:
                return base
