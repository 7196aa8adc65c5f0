"""A Pratt parser (Pratt 1973) of two languages: tokens to a syntax tree, by a table of what stands before, between and behind.

Nothing is looked up here except which names are functions. What has two readings is refused with both by the handlers of a table, or,
where it depends on shapes, in lowering.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from symnet.errors import ParseError
from symnet.parsing.node import Node
from symnet.parsing.tokens import Lexicon, Token, tokenize

MAX_DEPTH = 60
MAX_HEIGHT = 150  # nodes one above another: who walks a tree goes down by recursion
SIGNS = ("-", "+")
EXPECTED = "a number, a name or a bracket"


@dataclass(frozen=True, slots=True)
class Infix:
    """An operator that binds more tightly than those of a lower ``level``. ``read`` takes the parser, what stands left, the operator,
    and the column where the expression begins with the operator read before in it; only ``once`` in a row."""

    level: int
    read: Callable[[Any, Node, Token, tuple[int, str]], Node]
    once: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A language: handlers by the kind or the text of the token at hand, its limits, and its words for the end.

    ``postfix`` handlers say with the node whether more may follow; ``signed`` is the first level at which a sign may not stand in front.
    """

    lexicon: Lexicon
    atoms: Mapping[str, Callable[[Any, Token], Node]]
    prefix: Mapping[str, Callable[[Any, Token], Node]]
    infix: Mapping[str, Infix]
    beside: Infix
    postfix: Mapping[str, Callable[[Any, Node], tuple[Node, bool]]]
    signed: int
    most_nodes: int
    end: str
    shown: int


class Grammar(ABC):
    """One text in the language of its ``table``. ``functions`` are the names that are called."""

    table: ClassVar[Table]

    def __init__(self, text: str, where: str, functions: Collection[str]) -> None:
        self.tokens, self.where, self.functions = tokenize(text, where, self.table.lexicon), where, functions
        self.at, self.nodes, self.depth = 0, 0, 0
        self.heights: dict[int, int] = {}  # of the nodes made here, by identity
        self.open: list[str] = []  # the brackets around the token at hand, since | opens and closes alike

    @property
    def now(self) -> Token:
        """The token to be read."""
        return self.tokens[self.at]

    def ahead(self, steps: int) -> Token:
        """A token further on."""
        return self.tokens[min(self.at + steps, len(self.tokens) - 1)]

    def mark(self, *texts: str) -> bool:
        """True when the token at hand is one of these signs."""
        return self.now.kind == "mark" and self.now.text in texts

    def next(self) -> Token:
        """Read any token."""
        token = self.now
        if token.kind == "end":
            raise self.fail("the end", "more maths")
        self.at += 1
        return token

    def accept(self, *texts: str) -> bool:
        """Read one of these signs, if it stands here."""
        if not self.mark(*texts):
            return False
        self.at += 1
        return True

    def listed(self, read: Callable[[], Node]) -> list[Node]:
        """What ``read`` reads, with commas between."""
        found = [read()]
        while self.accept(","):
            found.append(read())
        return found

    def take(self, text: str) -> Token:
        """Read the sign or word ``text``."""
        if self.now.text != text or self.now.kind == "end":
            raise self.fail(self.seen(), repr(text))
        return self.next()

    def seen(self, token: Token | None = None) -> str:
        """A token, else the one at hand, for a message."""
        token = token or self.now
        if token.kind == "end":
            return self.table.end
        return repr((("\\" if token.kind == "command" else "") + token.text)[:self.table.shown])

    def fail(self, found: str, expected: str = "", hint: str = "", column: int = 0) -> ParseError:
        """An error at the current column."""
        return ParseError(f"{self.where}, column {column or self.now.column}", found, expected, hint)

    def node(self, kind: str, text: str, args: tuple[Node, ...] = (), column: int = 0,
             keywords: tuple[tuple[str, Node], ...] = ()) -> Node:
        """A node, counted against the limits."""
        self.nodes += 1
        if self.nodes > self.table.most_nodes:
            raise self.fail("an expression that is too long", f"at most {self.table.most_nodes} parts")
        height = 1 + max((self.heights.get(id(a), 0) for a in args), default=0)
        if height > MAX_HEIGHT:
            raise self.fail("an expression that is too deep", f"at most {MAX_HEIGHT} operations one upon another",
                            "a line for a part of it")
        made = Node(kind, text, args, column or self.now.column, keywords)
        self.heights[id(made)] = height
        return made

    def deeper(self, found: str = "brackets nested too deeply", expected: str = f"at most {MAX_DEPTH} levels") -> None:
        """One level further in."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.fail(found, expected)

    def expression(self, level: int) -> Node:
        """An expression whose operators bind more tightly than ``level``, one level further in."""
        self.deeper()
        made = self.operators(level)
        self.depth -= 1
        return made

    def operators(self, level: int) -> Node:
        """What begins here, with the operators behind it that bind more tightly than ``level``."""
        table, token, before, last = self.table, self.tokens[self.at], "", -1
        start = token.column
        left = self.signed() if token.text in SIGNS and level < table.signed else self.factor()
        while True:
            token = self.tokens[self.at]
            found = table.infix.get(token.text)
            if found is None and self.starts_factor():
                found = table.beside
            if found is None or found.level <= level or (found.once and found.level == last):
                return left
            left = found.read(self, left, token, (start, before))
            before, last = "" if found is table.beside else token.text, found.level

    def factor(self) -> Node:
        """An atom with what stands behind it: indices, attributes, powers."""
        token, table = self.tokens[self.at], self.table
        read = table.atoms.get(token.kind) or table.prefix.get(token.text)
        if read is None:
            raise self.no_factor(token)
        base, more, depth = read(self, token), True, self.depth
        while more and (behind := table.postfix.get(self.tokens[self.at].text)) is not None:
            base, more = behind(self, base)
        self.depth = depth  # X^T^T^T is three deep
        return base

    @abstractmethod
    def signed(self) -> Node:
        """A sign and what it stands before."""

    @abstractmethod
    def starts_factor(self) -> bool:
        """True where a factor may follow without a sign."""

    @abstractmethod
    def no_factor(self, token: Token) -> ParseError:
        """Why nothing begins with this token."""
