"""The atoms of plain maths: numbers, names, calls, brackets, |…| and ‖…‖, conditions, and functions written without brackets."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Collection

from symnet.errors import ParseError
from symnet.parsing.node import Node
from symnet.parsing.tokens import Token, tokenize

MAX_NODES, MAX_DEPTH = 400, 60
TERM = 5  # what binds more tightly than a plus belongs to a sum
SUMMED = re.compile(r"(?:sum|Sigma)_[a-z]{1,4}\Z")
DIFFERENTIAL = re.compile(r"d[A-Za-z]\w*\Z")
KEYWORDS = frozenset({"if", "else", "for", "in", "and"})
MODULES = frozenset({"np", "numpy", "math", "jnp", "jax", "lax", "torch"})


class Atoms:
    """One text. ``functions`` are the names that are called; every other name before a bracket is a factor, and so are the ``declared``
    ones: with a tensor sum, sum(y) is no sum of y, and np.sum(y) is.

    Where the declared names are all that there are (``closed``), dL/dz, which is none of them, is a slope and sum_n a sum.
    """

    def __init__(self, text: str, where: str, functions: Collection[str], declared: Collection[str] = (), closed: bool = False) -> None:
        self.declared, self.closed = declared, closed
        self.tokens, self.where, self.functions = tokenize(text, where), where, functions
        self.bare_names = {n.replace("_", "") for n in declared}
        self.at, self.nodes, self.depth = 0, 0, 0
        self.open: list[str] = []  # the brackets around the token at hand, since | opens and closes alike

    @property
    def now(self) -> Token:
        """The token to be read."""
        return self.tokens[self.at]

    def fail(self, found: str, expected: str = "", hint: str = "", column: int = 0) -> ParseError:
        """An error at the current column."""
        return ParseError(f"{self.where}, column {column or self.now.column}", found, expected, hint)

    def take(self, text: str) -> Token:
        """Read the mark ``text``."""
        if self.now.text != text or self.now.kind == "end":
            raise self.fail(self.seen(), f"{text!r}")
        self.at += 1
        return self.tokens[self.at - 1]

    def seen(self) -> str:
        """The token at hand, for a message."""
        return "the end of the line" if self.now.kind == "end" else repr(self.now.text)

    def node(self, kind: str, text: str, args: tuple[Node, ...] = (), column: int = 0,
             keywords: tuple[tuple[str, Node], ...] = ()) -> Node:
        """A node, counted against the limit."""
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise self.fail("an expression that is too long", f"at most {MAX_NODES} parts")
        return Node(kind, text, args, column or self.now.column, keywords)

    @abstractmethod
    def expression(self, level: int) -> Node: ...
    @abstractmethod
    def powered(self, base: Node) -> Node: ...
    @abstractmethod
    def postfix(self, base: Node) -> Node: ...

    def starts_factor(self) -> bool:
        """True where a factor may follow without a sign: 2x, X w, a(1 - a), 2|x|."""
        if self.now.text == "||" and self.open[-2:] == ["|", "|"]:
            return False
        if self.now.text in ("|", "||"):
            return self.open[-1:] != [self.now.text]
        return (self.now.kind in ("number", "name") and self.now.text not in KEYWORDS) or self.now.text == "("

    def atom(self) -> Node:
        """A number, a name, a call, a bracketed expression or a [condition]."""
        token = self.now
        if token.kind == "number":
            self.at += 1
            if token.text == "1" and self.now.text in ("[", "{") and not self.now.spaced:
                return self.indicator()
            return self.node("number", token.text, (), token.column)
        if token.kind == "name" and token.text not in KEYWORDS:
            return self.named(token)
        if token.text in ("(", "[", "|", "||"):
            return self.bracketed()
        if token.kind == "quoted":
            self.at += 1
            return self.node("quoted", token.text[1:-1], (), token.column)
        raise self.fail(self.seen(), "a number, a name or a bracket")

    def bracketed(self) -> Node:
        """(…), a [condition], |…| or ||…||."""
        token = self.take(self.now.text)
        self.open.append(token.text)
        inner = self.expression(0)
        if token.text == "|" and self.now.text == "||":  # |x - |y|| ends with two
            bar = self.now
            self.tokens[self.at:self.at + 1] = [Token("mark", "|", bar.column), Token("mark", "|", bar.column + 1)]
        self.take({"(": ")", "[": "]"}.get(token.text, token.text))
        self.open.pop()
        if token.text == "(":
            return inner
        kinds = {"[": ("bracket", "[]"), "|": ("abs", "|"), "||": ("call", "norm")}
        return self.node(*kinds[token.text], (inner,), token.column)

    def indicator(self) -> Node:
        """1[x > 0] and 1{x > 0}."""
        token = self.take(self.now.text)
        self.open.append(token.text)
        inner = self.expression(0)
        self.take("]" if token.text == "[" else "}")
        self.open.pop()
        return self.node("bracket", "[]", (inner,), token.column)

    def named(self, token: Token) -> Node:
        """A name, a dotted function name, or a call."""
        self.at += 1
        name = token.text
        own = name in self.declared
        while name in MODULES and not own and self.now.text == ".":
            self.at += 1
            name = self.part()
        if name == "linalg" and not own and self.now.text == ".":
            self.at += 1
            name = "linalg." + self.part()
        if name != token.text and name in ("max", "min"):
            name = f"a{name}"  # np.max(X, 0) is a maximum along an axis, max(x, 0) the larger of two numbers
        if self.closed and not own and name.replace("_", "") not in self.bare_names:
            if SUMMED.match(name):
                return self.sum_over(name.partition("_")[2], token.column)
            if self.slope_ahead(name):
                return self.slope(name, token.column)
        if name in self.functions and not own:
            if self.now.text == "(":
                return self.call(name, token.column)
            if self.now.text in ("'", "^", "**") or self.starts_factor():
                return self.bare(name, token.column)
        return self.node("name", name, (), token.column)

    def slope_ahead(self, above: str) -> bool:
        """True after the dL of dL/dz; not of a/dL/dz, nor of dL/dz**2, which have two readings."""
        below = self.tokens[self.at + 1:self.at + 3]
        before = self.tokens[self.at - 2].text if self.at > 1 else ""
        return bool(DIFFERENTIAL.match(above) and self.now.text == "/" and len(below) == 2 and below[0].kind == "name" and before != "/"
                    and DIFFERENTIAL.match(below[0].text) and below[0].text.replace("_", "") not in self.bare_names
                    and below[1].text not in ("^", "**"))

    def slope(self, above: str, column: int) -> Node:
        """dL/dz, the slope of one name by another."""
        self.at += 2
        below = self.tokens[self.at - 1].text
        names = (self.node("name", above[1:], (), column), self.node("name", below[1:], (), column))
        return self.node("slope", f"{above}/{below}", names, column)

    def sum_over(self, letters: str, column: int) -> Node:
        """sum_n or Σ_{nk} and the product behind it; the letters run over the axes on which they stand."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.fail("sums nested too deeply", f"at most {MAX_DEPTH} levels")
        body = self.expression(TERM)
        self.depth -= 1
        return self.node("along", "sum", (body, *[self.node("name", letter, (), column) for letter in letters]), column)

    def part(self) -> str:
        """The name after a dot."""
        if self.now.kind != "name":
            raise self.fail(self.seen(), "a name after the dot")
        self.at += 1
        return self.tokens[self.at - 1].text

    def bare(self, name: str, column: int) -> Node:
        """sigma'(z), sin^2(x), and a function of one factor without brackets: log x."""
        if self.now.text == "'":
            self.at += 1
            if self.now.text == "'":
                raise self.fail(f"two primes behind {name}", "one")
            if self.now.text != "(":
                raise self.fail(self.seen(), f"a bracket: {name}'(z)")
            made = self.call(name, column)
            return self.node("prime", name, made.args, column)
        power = None
        if self.now.text in ("^", "**"):
            self.at += 1
            power = self.exponent()
            if power.kind != "number":
                raise self.fail(f"a power of {name} that is no whole number", f"({name}(…))**…",
                                f"{name}^-1 may be the inverse or 1/{name}", column=column)
        made = self.call(name, column) if self.now.text == "(" else self.unbracketed(name, column)
        return made if power is None else self.node("binary", "**", (made, power), column)

    def exponent(self) -> Node:
        """A whole number behind a function, with or without braces."""
        if self.now.text == "{":
            self.at += 1
            inner = self.expression(0)
            self.take("}")
            return inner
        return self.atom() if self.now.kind == "number" else self.node("none", "")

    def unbracketed(self, name: str, column: int) -> Node:
        """The one factor that a function without brackets is taken of."""
        if not self.starts_factor():
            raise self.fail(self.seen(), f"a bracket behind {name}")
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.fail("functions nested too deeply", f"at most {MAX_DEPTH} levels")
        inner = self.powered(self.postfix(self.atom()))
        self.depth -= 1
        if self.starts_factor() or self.now.text in ("*", "/", "@", "'"):
            raise self.fail(f"{self.seen()} behind {name} without brackets", "brackets",
                            f"{name} x y may be {name}(x) y or {name}(x y)")
        return self.node("call", name, (inner,), column)

    def call(self, name: str, column: int) -> Node:
        """name(arguments, keyword=value) or sum(expression for i in a..b)."""
        self.take("(")
        self.open.append("(")
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
        self.open.pop()
        return self.node("call", name, tuple(args), column, tuple(keywords))

    def loops(self, body: Node, name: str, column: int) -> Node:
        """``for n in 1..N`` once or more."""
        if name not in ("sum", "max", "min", "prod", "amax", "amin"):
            raise self.fail(f"{name} with 'for'", "sum(… for n in 1..N), max, min or prod")
        made = self.node("sum", name, (body, *self.ranges()), column)
        self.take(")")
        self.open.pop()
        return made

    def ranges(self) -> tuple[Node, ...]:
        """``for n in 1..N`` any number of times: a name, the first and the last place of each."""
        parts: list[Node] = []
        while self.now.text == "for":
            self.at += 1
            token = self.now
            parts.append(self.node("name", self.part(), (), token.column))
            self.take("in")
            parts.append(self.expression(3))
            self.take("..")
            parts.append(self.expression(3))
        return tuple(parts)
