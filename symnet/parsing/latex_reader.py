"""What every part of the LaTeX grammar needs: the token at hand, errors that name the place, nodes counted against a limit."""

from __future__ import annotations

from collections.abc import Collection

from symnet.errors import ParseError
from symnet.parsing.grammar import Node
from symnet.parsing.latex_tokens import Token, tokenize

MAX_NODES, MAX_DEPTH = 2500, 60
NONE = Node("none", "")
GREEK = frozenset((
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu", "nu", "xi", "pi",
    "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega", "Gamma", "Delta", "Theta", "Lambda", "Xi", "Pi", "Sigma",
    "Phi", "Psi", "Omega", "ell",
))
FONTS = frozenset({"mathbf", "mathrm", "mathit", "mathsf", "mathcal", "mathbb", "text", "textbf", "textit", "operatorname"})
ACCENTS = frozenset({"hat", "tilde", "bar"})
MAX_WORD = 40


class Reader:
    """One text as tokens. ``functions`` are the names that are called."""

    def __init__(self, text: str, where: str, functions: Collection[str]) -> None:
        self.tokens, self.where, self.functions = tokenize(text, where), where, functions
        self.at, self.nodes, self.depth = 0, 0, 0
        self.open: list[str] = []

    @property
    def now(self) -> Token:
        """The token to be read."""
        return self.tokens[self.at]

    def ahead(self, steps: int) -> Token:
        """A token further on."""
        return self.tokens[min(self.at + steps, len(self.tokens) - 1)]

    def fail(self, found: str, expected: str = "", hint: str = "", column: int = 0) -> ParseError:
        """An error at the current column."""
        return ParseError(f"{self.where}, column {column or self.now.column}", found, expected, hint)

    def mark(self, *texts: str) -> bool:
        """True when the token at hand is one of these signs."""
        return self.now.kind == "mark" and self.now.text in texts

    def command(self, *names: str) -> bool:
        """True when the token at hand is one of these commands."""
        return self.now.kind == "command" and self.now.text in names

    def next(self) -> Token:
        """Read any token."""
        token = self.now
        if token.kind == "end":
            raise self.fail("the end", "more maths")
        self.at += 1
        return token

    def take(self, text: str) -> Token:
        """Read the sign ``text``."""
        if not self.mark(text):
            raise self.fail(self.now.shown, repr(text))
        return self.next()

    def node(self, kind: str, text: str, args: tuple[Node, ...] = (), column: int = 0,
             keywords: tuple[tuple[str, Node], ...] = ()) -> Node:
        """A node, counted against the limit."""
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise self.fail("an expression that is too long", f"at most {MAX_NODES} parts")
        return Node(kind, text, args, column or self.now.column, keywords)

    def deeper(self) -> None:
        """One level further in."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.fail("brackets nested too deeply", f"at most {MAX_DEPTH} levels")

    def word(self) -> str:
        r"""The letters in {…} after \mathrm, \text or \operatorname, as they stand."""
        self.take("{")
        text = ""
        while not self.mark("}"):
            token = self.next()
            if token.kind not in ("letter", "number") and token.text not in ("_", ",", "-", "."):
                raise self.fail(token.shown, "a word", column=token.column)
            text += token.text
            if len(text) > MAX_WORD:
                raise self.fail("a word that is too long", f"at most {MAX_WORD} letters")
        self.take("}")
        return text

    def digit(self) -> Token:
        r"""One digit of a number: \frac12 is a half, and x^23 is x^2 3, which nobody means."""
        token = self.now
        if len(token.text) > 1:
            head = Token("number", token.text[0], token.column)
            self.tokens[self.at] = Token("number", token.text[1:], token.column + 1)
            return head
        return self.next()

    def name_ahead(self) -> bool:
        """True when a letter or a Greek letter, plain or in a font or under an accent, stands here."""
        return self.now.kind == "letter" or (self.now.kind == "command" and self.now.text in (GREEK | ACCENTS | FONTS))

    def name(self) -> str:
        r"""A letter, Greek letter or word; \hat{y} is "y:hat"."""
        self.deeper()
        found = self._name(self.next())
        self.depth -= 1
        return found

    def _name(self, token: Token) -> str:
        if token.kind == "letter" or (token.kind == "command" and token.text in GREEK):
            return token.text
        if token.kind == "command" and token.text in ACCENTS:
            if self.mark("{"):
                self.take("{")
                inner = self.name()
                self.take("}")
            else:
                inner = self.name()
            return f"{inner}:{token.text}"
        if token.kind == "command" and token.text in FONTS:
            if not self.mark("{"):
                return self.name()
            if self.ahead(1).kind == "command":
                self.take("{")
                inner = self.name()
                self.take("}")
                return inner
            return self.word()
        raise self.fail(token.shown, "a name", column=token.column)
