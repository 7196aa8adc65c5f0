"""Reading LaTeX strictly: every command, brace and argument is checked, and every symbol is taken out of the text.

latex2mathml shows unknown commands as they are, accepts a missing brace and copies the content of ``\\text`` into the page. So
it never sees any of them: each number, name, text and symbol is replaced by one private character that stands for a Leaf of our
own, and latex2mathml lays out what is left: letters, scripts, fractions, roots, brackets and tables.
"""

from __future__ import annotations

import re

from symnet.reports.mathml_tables import (
    ACCENTS,
    CHARACTERS,
    DELIMITERS,
    ENVIRONMENTS,
    FRACTIONS,
    GAP,
    OVER,
    PLAIN,
    SYMBOLS,
    Leaf,
)
from symnet.reports.mathml_words import WORDS, refused, word

TOKEN = re.compile(r"\\[A-Za-z]+|\\.|\d+(?:\.\d+)?|\s+|.", re.S)
FIRST = 0xF0000  # a private plane: no LaTeX we accept holds such a character
LONGEST, DEEPEST = 100_000, 120


class Reader:
    """One formula: ``plain`` is what latex2mathml gets, ``leaves`` what its private characters stand for."""

    def __init__(self, latex: str) -> None:
        if len(latex) > LONGEST:
            raise refused(LONGEST, f"a formula of {len(latex)} characters", f"at most {LONGEST}")
        self.latex = latex
        self.tokens = [(m.group(), m.start() + 1) for m in TOKEN.finditer(latex)]
        self.at = 0
        self.leaves: list[Leaf] = []
        self.out: list[str] = []
        self.depth = 0
        self.row("")
        self.plain = "".join(self.out)

    def leaf(self, leaf: Leaf) -> None:
        self.out.append(chr(FIRST + len(self.leaves)))
        self.leaves.append(leaf)

    def peek(self) -> str:
        """The next token that is not white space, or "" at the end."""
        while self.at < len(self.tokens) and self.tokens[self.at][0].isspace():
            self.at += 1
        return self.tokens[self.at][0] if self.at < len(self.tokens) else ""

    def next_one(self) -> str:
        """What comes next, for a message."""
        return f"'{self.peek()}'" if self.peek() else "the end of the formula"

    @property
    def position(self) -> int:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else len(self.latex) + 1

    def take(self) -> str:
        token = self.peek()
        self.at += 1
        return token

    def row(self, stop: str, cells: bool = False) -> None:
        """A run of items up to the token ``stop``, which is left to the caller; ``cells``: & and \\\\ may stand in it."""
        self.depth += 1
        if self.depth > DEEPEST:
            raise refused(self.position, f"brackets nested deeper than {DEEPEST}")
        scripts: set[str] = set()  # the marks already at the item before
        while True:
            token = self.peek()
            if token == stop:
                break
            if not token:
                raise refused(self.position, "the end of the formula", f"a closing {stop}")
            if token in ("&", r"\\"):
                if not cells:
                    raise refused(self.position, f"'{token}' outside a table")
                self.at += 1
                self.out.append(f" {token} ")
                scripts = set()
            elif token in ("^", "_"):
                if token in scripts:
                    raise refused(self.position, f"a second '{token}' at the same item", "braces around the first")
                scripts.add(token)
                self.script()
            elif token == "'" and "^" not in scripts:
                scripts.add("^")
                self.primes()
            else:
                self.item()
                scripts = set()
        self.depth -= 1

    def script(self) -> None:
        """^ or _ and its argument."""
        self.mark(self.take())
        self.argument(self.out[-1])

    def mark(self, mark: str) -> None:
        if not self.out or self.out[-1] in ("{", " & ", r" \\ "):
            raise refused(self.tokens[self.at - 1][1], f"'{mark}' with nothing before it")
        self.out.append(mark)

    def primes(self) -> None:
        """u'' and u'^{2}: one superscript."""
        count = 0
        while self.peek() == "'":
            self.at += 1
            count += 1
        self.mark("^")
        self.out.append("{")
        self.leaf(Leaf("mi", "′" * count, (), "prime"))
        if self.peek() == "^":
            self.at += 1
            self.argument("^")
        self.out.append("}")

    def argument(self, mark: str) -> None:
        token = self.peek()
        if token == "{":
            self.group()
        elif (token.isascii() and token.isalnum()) or (token[:1] == "\\" and token[1:] in SYMBOLS):
            self.out.append("{")
            self.item()
            self.out.append("}")
        else:
            raise refused(self.position, f"'{token}' after '{mark}'" if token else f"nothing after '{mark}'", "braces")

    def group(self) -> None:
        """{…}, braces kept."""
        if self.peek() != "{":
            raise refused(self.position, self.next_one(), "an argument in braces")
        self.at += 1
        self.out.append("{")
        self.row("}")
        self.at += 1
        self.out.append("}")

    def item(self) -> None:
        """One letter, number, symbol, group or command with its arguments."""
        token, position = self.peek(), self.position
        name = token[1:] if token[0] == "\\" else ""
        if token == "{":
            self.group()
        elif token[0].isascii() and token[0].isdigit():
            self.at += 1
            self.leaf(Leaf("mn", token))
        elif token.isascii() and token.isalpha():
            self.at += 1
            self.out.append(token)
        elif token in CHARACTERS:
            self.at += 1
            self.leaf(CHARACTERS[token])
        elif name and name in SYMBOLS:
            self.at += 1
            self.leaf(SYMBOLS[name])
        elif name:
            self.at += 1
            self.command(name, position)
        else:
            what = {"}": "a closing brace without its opening brace", "]": "']' without '['"}
            raise refused(position, what.get(token, f"the character '{token}'"))

    def command(self, name: str, position: int) -> None:
        """A command with arguments; the backslash is off."""
        if name in FRACTIONS:
            self.out.append(f"\\{name}")
            self.group()
            self.group()
        elif name == "sqrt":
            self.out.append(r"\sqrt")
            if self.peek() == "[":
                self.at += 1
                self.out.append("[")
                self.row("]")
                self.at += 1
                self.out.append("]")
            self.group()
        elif name in ACCENTS:
            self.out.append(r"\overset{" if name in OVER else r"\underset{")
            self.leaf(ACCENTS[name])
            self.out.append("}")
            self.group()
        elif name in ("overset", "underset"):
            self.out.append(f"\\{name}")
            self.group()
            self.group()
        elif name in WORDS:
            self.peek()
            start = self.position + 1
            self.leaf(word(name, self.braced(), start))
        elif name == "left":
            self.delimited()
        elif name == "begin":
            self.environment()
        elif name in ("right", "end"):
            raise refused(position, f"\\{name} without its \\{'left' if name == 'right' else 'begin'}")
        else:
            raise refused(position, f"unknown command \\{name}", "a command that symnet prints")

    def delimited(self) -> None:
        if self.at > 1 and self.tokens[self.at - 2][0].isspace() and self.out[-1:] not in ([], ["{"]):
            self.leaf(GAP)
        self.out.append(r"\left" + self.delimiter() + " ")
        self.row(r"\right")
        self.at += 1
        self.out.append(r"\right" + self.delimiter() + " ")

    def delimiter(self) -> str:
        token, position = self.peek(), self.position
        bare = token[1:] if token[:1] == "\\" else token
        if bare not in DELIMITERS or ((token == bare) != (bare in PLAIN) and token != r"\|"):
            raise refused(position, self.next_one(), "a delimiter")
        self.at += 1
        return token

    def environment(self) -> None:
        name = self.braced()
        if name not in ENVIRONMENTS:
            raise refused(self.tokens[self.at - 1][1], f"unknown environment '{name}'", ", ".join(ENVIRONMENTS))
        left, right = ENVIRONMENTS[name]
        inner = {"aligned": "split"}.get(name, "matrix" if left else name)
        self.out.append((rf"\left{left}" if left else "") + rf"\begin{{{inner}}} ")
        self.row(r"\end", cells=True)
        self.at += 1
        position = self.position
        if self.braced() != name:
            raise refused(position, "another \\end", f"\\end{{{name}}}")
        self.out.append(rf" \end{{{inner}}}" + (rf"\right{right} " if right else " "))

    def braced(self) -> str:
        """The raw text between braces, as in \\begin{cases}; a name holds no braces of its own."""
        if self.peek() != "{":
            raise refused(self.position, self.next_one(), "an argument in braces")
        self.at += 1
        start = self.at
        while self.at < len(self.tokens) and self.tokens[self.at][0] not in ("{", "}"):
            self.at += 1
        if self.at == len(self.tokens) or self.tokens[self.at][0] == "{":
            raise refused(self.position, "braces that do not balance", "a closing brace")
        self.at += 1
        return "".join(t for t, _ in self.tokens[start:self.at - 1])
