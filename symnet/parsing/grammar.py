"""Tokens to a syntax tree: NumPy's plain maths, textbook juxtaposition, sums written ``sum(… for n in 1..N)``.

A Pratt parser (Pratt 1973). Nothing is looked up here except which names are functions: ``sigmoid(z)`` is a call while
``a(1 - a)`` is a product. What has two readings (1/2x, e^2x, sin 2x) is refused with both,
here or, where it depends on shapes ("behind": a/b c, "called": f(x)), in lowering.
"""

from __future__ import annotations

from symnet.errors import did_you_mean
from symnet.parsing.node import Node
from symnet.parsing.plain_atoms import MAX_DEPTH, MAX_NODES, Atoms
from symnet.parsing.tokens import Token

__all__ = ["MAX_DEPTH", "MAX_NODES", "Node", "Parser", "is_slope"]

METHODS = {**{name: name for name in ("sum", "mean", "prod", "dot", "transpose", "trace", "reshape", "ravel", "matmul",
                                      "exp", "log", "sqrt", "abs", "tanh", "sigmoid", "relu")},
           "max": "amax", "min": "amin", "amax": "amax", "amin": "amin", "flatten": "ravel", "mm": "matmul", "t": "transpose",
           "detach": "stop_gradient"}  # PyTorch's methods are read too
TYPES = frozenset({"np", "numpy", "torch", "float", "float32", "float64", "int", "int32", "int64", "double"})
LEVELS = {"if": 1, "and": 2, "==": 3, "!=": 3, "<": 3, ">": 3, "<=": 3, ">=": 3, "+": 5, "-": 5, "*": 7, "/": 7, "@": 7}
PRODUCT, UNARY, POWER, POSTFIX = 7, 8, 9, 10


def is_slope(node: Node) -> bool:
    """True for what may be dL/dz, the name of a slope."""
    return node.kind == "binary" and node.text == "/" and all(a.kind == "name" and len(a.text) > 1 and a.text[0] == "d" for a in node.args)


class Parser(Atoms):
    """One text. ``functions`` are the names that are called; every other name before a bracket is a factor, and each ``declared`` one."""

    def whole(self) -> Node:
        """The whole text as one expression."""
        return self.to_the_end(self.expression(0))

    def line(self) -> tuple[Node, tuple[Node, ...]]:
        """The right side of a definition, and the ranges stated behind it: ``… for t in 2..T``."""
        tree = self.expression(0)
        ranges = self.ranges()
        return self.to_the_end(tree), ranges

    def to_the_end(self, tree: Node) -> Node:
        """``tree``, when nothing stands behind it."""
        if self.now.kind != "end":
            hint = "a decimal point, not a comma" if self.now.text == "," else ""
            raise self.fail(self.seen(), "an operator or the end of the line", "X.T for the transpose" if self.now.text == "'" else hint)
        return tree

    def expression(self, level: int) -> Node:
        """An expression whose operators bind more tightly than ``level``."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.fail("brackets nested too deeply", f"at most {MAX_DEPTH} levels")
        left, before = self.prefix(), ""
        while True:
            token = self.now
            if token.text in LEVELS and token.kind in ("mark", "name"):
                binds = LEVELS[token.text]
                if binds <= level:
                    break
                left, before = self.infix(left, token, binds), token.text
            elif self.starts_factor() and level < PRODUCT:
                left, before = self.beside(left, before), "juxtaposed"
            else:
                break
        self.depth -= 1
        return left

    def beside(self, left: Node, before: str) -> Node:
        """A factor without a sign before it, where that can mean only one thing."""
        token, last = self.now, self.tokens[self.at - 1]
        half = left.text == "/" and token.spaced and all(a.kind == "number" for a in left.args)  # 1/2 x, with a space, is half of x
        open_ = before == "/" and not half and not is_slope(left)
        if token.kind == "number" and token.text != "1" and last.text != ")":
            raise self.fail(f"the number {token.text[:12]} behind a factor", "* or ** before it", "2 3 may be 2*3 or 23")
        start = self.at
        right = self.expression(PRODUCT)
        alone = token.text == "(" and not token.spaced and self.at == start + 3  # f(x) and nothing more
        if token.kind == "number" and right.kind == "number" and last.text != ")":
            raise self.fail(f"the number {token.text[:12]} behind a factor", "* or ** before it", column=token.column)
        called = last.kind == left.kind == right.kind == "name" and alone
        return self.node("binary", "behind" if open_ else "called" if called else "juxtaposed", (left, right), token.column)

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
        """base ** exponent, right to left; ``X^T`` may be a transpose, ``X**T`` is a power as in NumPy."""
        if self.now.text not in ("**", "^"):
            return base
        sign, column = self.now.text, self.now.column
        self.at += 1
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.fail("a tower of powers", "one power at a time")
        braces = self.now.text == "{"
        self.at += braces
        if sign == "^" and self.now.text == "T" and self.now.kind == "name":
            self.at += 1
            if braces:
                self.take("}")
            made = self.powered(self.postfix(self.node("attribute", "^T", (base,), column)))
            self.depth -= 1
            return made
        if sign == "^":
            self.no_layer(base, braces)
        exponent = self.braced() if braces else self.raised(column)
        self.depth -= 1
        return self.node("binary", sign, (base, exponent), column)

    def braced(self) -> Node:
        """The rest of {…}."""
        inner = self.expression(0)
        self.take("}")
        return inner

    def no_layer(self, base: Node, braces: bool) -> None:
        """a^(2) and a_1^{(2)} may be a square, or a value of layer 2."""
        texts = [t.text for t in self.tokens[self.at:self.at + 3]]
        if base.kind == "name" and texts[0] == "(" and texts[-1] == ")" and texts[1].isdigit():
            raise self.fail(f"{base.text}^({texts[1][:12]})", f"{base.text}**{texts[1][:12]} for the power",
                            "in a book it may also be the value of a layer")
        if braces and texts[0] == "}":
            raise self.fail("an empty exponent", "a number or a name")

    def raised(self, column: int) -> Node:
        """An exponent without braces; e^2x may be e^2 x or e^(2x)."""
        minus = self.now.text == "-"
        self.at += minus
        exponent = self.powered(self.postfix(self.atom()))
        if self.now.kind in ("name", "number") and self.starts_factor() and not self.now.spaced:
            raise self.fail(f"{self.seen()} right behind an exponent", "a space, * or brackets", "a^b c may be a^b * c or a^(b c)")
        return self.node("unary", "-", (exponent,), column) if minus else exponent

    def postfix(self, base: Node) -> Node:
        """.T, .shape, .size, methods such as .sum(axis=0), and [places]."""
        while True:
            token = self.now
            if token.text == "." and token.kind == "mark":
                self.at += 1
                base = self.member(base, self.part(), token.column)
            elif token.text == "[" and not token.spaced and (base.kind in ("name", "attribute", "call", "index", "slope")
                                                             or self.tokens[self.at - 1].text == ")"):
                self.at += 1
                self.open.append("[")
                places = [self.place()]
                while self.now.text == ",":
                    self.at += 1
                    places.append(self.place())
                self.take("]")
                self.open.pop()
                base = self.node("index", "[]", (base, *places), token.column)
            else:
                return base

    def member(self, base: Node, name: str, column: int) -> Node:
        """What stands behind the dot: an attribute, or a method, which is the function of that name with the array in front."""
        if name in ("T", "shape", "size"):
            return self.node("attribute", name, (base,), column)
        if name in METHODS and self.now.text == "(":
            made = self.call(METHODS[name], column)
            return self.node("call", made.text, (base, *made.args), column, made.keywords)
        if name in ("astype", "float", "double"):
            self.take("(")
            while name == "astype" and self.now.kind == "name" and self.now.text in TYPES:
                self.at += 1
                self.at += self.now.text == "."
            self.take(")")
            return self.node("counted", name, (base,), column)
        raise self.fail(f".{name}", ".T, .shape[0], .size or a method such as .sum(axis=0)", did_you_mean(name, METHODS), column=column)

    def place(self) -> Node:
        """One place in [ ]: an expression, : for the whole axis, None for a new axis of size 1."""
        token, ahead = self.now, [t.text for t in self.tokens[self.at + 1:self.at + 3]] + ["", ""]
        then = ahead[0]
        if token.text == ":" and then in (",", "]"):
            self.at += 1
            return self.node("whole", ":", (), token.column)
        if token.text == "None" and token.kind == "name":
            self.at += 1
            return self.node("new", "None", (), token.column)
        if token.text in ("np", "numpy") and ahead[:2] == [".", "newaxis"]:
            self.at += 3
            return self.node("new", "None", (), token.column)
        made = self.expression(0) if token.text != ":" else None
        if made is None or self.now.text == ":":
            raise self.fail("a part of an axis", "a place such as X[n, j], or : for all of it",
                            "sum(x[t] for t in 2..T): places count from 1 here, from 0 in NumPy")
        return made
