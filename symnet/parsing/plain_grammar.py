"""Plain maths to a syntax tree: NumPy's, textbook juxtaposition, sums written ``sum(… for n in 1..N)``.

``sigmoid(z)`` is a call while ``a(1 - a)`` is a product. What has two readings (1/2x, e^2x, sin 2x) is refused with both, here or, where
it depends on shapes ("behind": a/b c, "called": f(x)), in lowering.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from symnet.errors import ParseError, did_you_mean
from symnet.parsing.grammar import EXPECTED, MAX_DEPTH, Grammar, Infix, Table
from symnet.parsing.node import Node
from symnet.parsing.tokens import PLAIN, Token

__all__ = ["LEVELS", "MAX_DEPTH", "MAX_NODES", "Parser", "is_slope"]

MAX_NODES = 5000
MOST_NESTED = 24  # terms of a sum that stand as one in another; of longer ones all stand side by side
TERM = 5  # what binds more tightly than a plus belongs to a sum
SUMMED = re.compile(r"(?:sum|Sigma)_[a-z]{1,4}\Z")
SUMS = ("sum_", "Sigma_")  # before braces
DIFFERENTIAL = re.compile(r"d[A-Za-z]\w*\Z")
KEYWORDS = frozenset({"if", "else", "for", "in", "and", "or", "not"})
COMPARED = frozenset({"<", ">", "<=", ">=", "==", "!="})
NEGATED = {"<": ">=", ">": "<=", "<=": ">", ">=": "<", "==": "!=", "!=": "==", "and": "or", "or": "and"}
TRANSPOSED = ("T", "⊤")  # as a power: the first may be one, the second is none
MODULES = frozenset({"np", "numpy", "math", "jnp", "jax", "lax", "torch"})
METHODS = {**{name: name for name in ("sum", "mean", "prod", "dot", "transpose", "trace", "reshape", "ravel", "matmul",
                                      "exp", "log", "sqrt", "abs", "tanh", "sigmoid", "relu", "square", "var", "std", "outer",
                                      "swapaxes", "permute")},
           "max": "amax", "min": "amin", "amax": "amax", "amin": "amin", "flatten": "ravel", "mm": "matmul", "t": "transpose",
           "detach": "stop_gradient"}  # PyTorch's methods are read too
# NumPy's functions that are operators
OPERATORS = {"multiply": "*", "add": "+", "subtract": "-", "divide": "/", "true_divide": "/", "power": "**", "greater": ">", "less": "<",
             "greater_equal": ">=", "less_equal": "<=", "equal": "==", "not_equal": "!="}
NUMBERS = frozenset({"array", "asarray", "float", "int"})  # of a comparison, 1 or 0
WHOLE_NUMBERS = frozenset({"int", "int32", "int64"})
TYPES = frozenset({"np", "numpy", "torch", "float", "float32", "float64", "int", "int32", "int64", "double"})
LEVELS = {"if": 1, "or": 2, "and": 3, "==": 4, "!=": 4, "<": 4, ">": 4, "<=": 4, ">=": 4, "+": 5, "-": 5, "*": 7, "/": 7, "@": 7, "⊗": 7}
CONDITION, COMPARISON, PRODUCT, UNARY, POWER, POSTFIX = 1, 4, 7, 8, 9, 10


def is_slope(node: Node) -> bool:
    """True for what may be dL/dz, the name of a slope."""
    return node.kind == "binary" and node.text == "/" and all(a.kind == "name" and len(a.text) > 1 and a.text[0] == "d" for a in node.args)


class Parser(Grammar):
    """One text. ``functions`` are the names that are called; every other name before a bracket is a factor, and so are the ``declared``
    ones: with a tensor sum, sum(y) is no sum of y, and np.sum(y) is.

    Where the declared names are all that there are (``closed``), dL/dz, which is none of them, is a slope and sum_n a sum.
    """

    def __init__(self, text: str, where: str, functions: Collection[str], declared: Collection[str] = (), closed: bool = False) -> None:
        super().__init__(text, where, functions)
        self.declared, self.closed = declared, closed
        self.bare_names = {n.replace("_", "") for n in declared}

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

    def starts_factor(self) -> bool:
        """True where a factor may follow without a sign: 2x, X w, a(1 - a), 2|x|."""
        if self.now.text == "||" and self.open[-2:] == ["|", "|"]:
            return False
        if self.now.text in ("|", "||"):
            return self.open[-1:] != [self.now.text]
        return (self.now.kind in ("number", "name") and self.now.text not in KEYWORDS) or self.now.text == "(" or \
            (self.now.text == "[" and self.now.spaced)

    def no_factor(self, token: Token) -> ParseError:
        return self.fail(self.seen(), EXPECTED)

    def signed(self) -> Node:
        """-x, and +x, which is x."""
        token = self.next()
        inner = self.expression(UNARY - 1)
        return self.node("unary", "-", (inner,), token.column) if token.text == "-" else inner

    def numeral(self, token: Token) -> Node:
        """A number; 1[x > 0] is 1 where that holds, and so is 1(x > 0)."""
        self.at += 1
        if token.text == "1" and not self.now.spaced and (self.now.text in ("[", "{") or self.compares()):
            return self.indicator()
        below = self.now
        if token.text == "1" and below.kind == "name" and below.text[0] == "_" and not below.spaced and below.text not in self.declared:
            self.at += 1  # 1_N
            return self.node("ones", "1", (self.node("name", below.text[1:], (), below.column),), token.column)
        return self.node("number", token.text, (), token.column)

    def quoted(self, token: Token) -> Node:
        """The letters of einsum."""
        self.at += 1
        return self.node("quoted", token.text[1:-1], (), token.column)

    def beside(self, left: Node, token: Token, since: tuple[int, str]) -> Node:
        """A factor without a sign before it, where that can mean only one thing. A 1 behind a factor is a vector of ones."""
        last = self.tokens[self.at - 1]
        half = left.text == "/" and token.spaced and all(a.kind == "number" for a in left.args)  # 1/2 x, with a space, is half of x
        open_ = since[1] == "/" and not half and not is_slope(left)
        if token.kind == "number" and token.text != "1" and last.text != ")":
            raise self.fail(f"the number {token.text[:12]} behind a factor", "* or ** before it", "2 3 may be 2*3 or 23")
        start = self.at
        right = self.expression(PRODUCT)
        alone = token.text == "(" and not token.spaced and self.at == start + 3  # f(x) and nothing more
        if token.text == "1" and right.kind == "number" and (token.spaced or last.text == ")") and left.kind != "number":
            right = self.node("ones", "1", (), token.column)
        if token.kind == "number" and right.kind == "number" and last.text != ")":
            raise self.fail(f"the number {token.text[:12]} behind a factor", "* or ** before it", column=token.column)
        if right.kind == "list" and left.kind == "name":
            raise self.fail(f"{left.text} [...]", "* or @ for a product, no space for an entry", column=token.column)
        called = last.kind == left.kind == right.kind == "name" and alone
        return self.node("binary", "behind" if open_ else "called" if called else "juxtaposed", (left, right), token.column)

    def conditional(self, left: Node, token: Token, since: tuple[int, str]) -> Node:
        """A if c else B."""
        self.at += 1
        condition = self.expression(CONDITION)
        self.take("else")
        return self.node("cond", "if", (left, condition, self.expression(0)), token.column)

    def infix(self, left: Node, token: Token, since: tuple[int, str]) -> Node:
        """An operator between two expressions; a < b < c says both."""
        self.at += 1
        binds = LEVELS[token.text]
        right = self.expression(binds)
        if token.text in "+-":
            return self.added(left, token, right)
        if binds == COMPARISON and self.now.text in COMPARED:
            chained = self.infix(right, self.now, since)
            return self.node("binary", "and", (self.node("binary", token.text, (left, right), token.column), chained))
        return self.node("binary", token.text, (left, right), token.column)

    def negated(self, condition: Node) -> Node:
        """What holds where a condition does not: not (a < b and c) is a >= b or not c."""
        if condition.kind == "bracket":
            return self.negated(condition.args[0])
        if condition.kind != "binary" or condition.text not in NEGATED:
            raise self.fail("'not' before what is no comparison", "not (x > 0)", column=condition.column)
        args = tuple(map(self.negated, condition.args)) if condition.text in ("and", "or") else condition.args
        return self.node("binary", NEGATED[condition.text], args, condition.column)

    def added(self, left: Node, token: Token, right: Node) -> Node:
        """a + b + …: one sum in another, as they are read, or all side by side where they are many."""
        if left.kind == "terms":
            return self.node("terms", left.text + token.text, (*left.args, right), left.column)
        signs, args, rest = token.text, [right], left
        while len(args) < MOST_NESTED and rest.kind == "binary" and rest.text in "+-" and rest.column:
            signs, args, rest = rest.text + signs, [rest.args[1], *args], rest.args[0]
        if len(args) < MOST_NESTED:
            return self.node("binary", token.text, (left, right), token.column)
        return self.node("terms", "+" + signs, (rest, *args), left.column)

    def powered(self, base: Node) -> tuple[Node, bool]:
        """base ** exponent, right to left; ``X^T`` may be a transpose, ``X**T`` is a power as in NumPy."""
        sign, column = self.now.text, self.now.column
        self.at += 1
        self.deeper("a tower of powers", "one power at a time")
        braces = self.now.text == "{"
        self.at += braces
        if sign == "^" and self.now.text in TRANSPOSED:
            made = self.node("attribute", f"^{self.next().text}", (base,), column)
            if braces:
                self.take("}")
            return made, True
        if sign == "^":
            self.no_layer(base, braces)
        exponent = self.braced() if braces else self.raised(column)
        self.depth -= 1
        return self.node("binary", sign, (base, exponent), column), False

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
        exponent = self.factor()
        if self.now.kind in ("name", "number") and self.starts_factor() and not self.now.spaced:
            raise self.fail(f"{self.seen()} right behind an exponent", "a space, * or brackets", "a^b c may be a^b * c or a^(b c)")
        return self.node("unary", "-", (exponent,), column) if minus else exponent

    def dotted(self, base: Node) -> tuple[Node, bool]:
        """.T, .shape, .size, and methods such as .sum(axis=0)."""
        token = self.next()
        return self.member(base, self.part(), token.column), True

    def places(self, base: Node) -> tuple[Node, bool]:
        """X[places], for what may have places."""
        token = self.now
        if token.spaced or not (base.kind in ("name", "attribute", "call", "index", "slope") or self.tokens[self.at - 1].text == ")"):
            return base, False
        self.at += 1
        self.open.append("[")
        places = self.listed(self.place)
        self.take("]")
        self.open.pop()
        return self.node("index", "[]", (base, *places), token.column), True

    def member(self, base: Node, name: str, column: int) -> Node:
        """What stands behind the dot: an attribute, or a method, which is the function of that name with the array in front."""
        if name in ("T", "mT", "shape", "size"):
            return self.node("attribute", name.removeprefix("m"), (base,), column)
        if name == "pow" and self.now.text == "(":
            return self.node("binary", "**", (base, *self.call(name, column).args[:1]), column)
        if name in METHODS and self.now.text == "(":
            made = self.call(METHODS[name], column)
            return self.node("call", made.text, (base, *made.args), column, made.keywords)
        if name in ("astype", "float", "double"):
            self.take("(")
            while name == "astype" and self.now.kind == "name" and self.now.text in TYPES:
                last = self.now.text
                self.at += 1
                self.at += self.now.text == "."
                name = name if self.now.text != ")" else last
            self.take(")")
            return self.node("counted", "int" if name in WHOLE_NUMBERS else name, (base,), column)
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

    def bracketed(self, token: Token) -> Node:
        """(…), a [condition], an array [a, b] written out, |…| or ||…||."""
        self.at += 1
        self.open.append(token.text)
        inner = self.expression(0)
        if self.now.text == "," and token.text in ("(", "["):
            return self.several(inner, token)
        if self.now.text == "=" and token.text == "[":  # [i = j] is 1 where that holds
            self.at += 1
            inner = self.node("binary", "==", (inner, self.expression(0)), token.column)
        if token.text == "|" and self.now.text == "||":  # |x - |y|| ends with two
            bar = self.now
            self.tokens[self.at:self.at + 1] = [Token("mark", "|", bar.column), Token("mark", "|", bar.column + 1)]
        self.take({"(": ")", "[": "]"}.get(token.text, token.text))
        self.open.pop()
        if token.text == "(":
            return inner
        kinds = {"[": ("bracket", "[]"), "|": ("abs", "|"), "||": ("call", "norm")}
        return self.node(*kinds[token.text], (inner,), token.column)

    def several(self, first: Node, token: Token) -> Node:
        """The rest of [a, b] or of (a, b)."""
        found = [first]
        while self.accept(",") and self.now.text not in (")", "]"):
            found.append(self.expression(0))
        self.take({"(": ")", "[": "]"}[token.text])
        self.open.pop()
        return self.node("list" if token.text == "[" else "tuple", "[]", tuple(found), token.column)

    def compares(self) -> bool:
        """True at a bracket that holds a comparison: (z > 0)."""
        depth = 0
        for token in self.tokens[self.at:] if self.now.text == "(" else ():
            depth += (token.text in ("(", "[")) - (token.text in (")", "]"))
            if depth < 1 or (depth == 1 and token.text in COMPARED):
                return depth == 1
        return False

    def indicator(self) -> Node:
        """1[x > 0], 1{x > 0} and 1(x > 0)."""
        token = self.take(self.now.text)
        self.open.append(token.text)
        inner = self.expression(0)
        self.take({"[": "]", "{": "}", "(": ")"}[token.text])
        self.open.pop()
        return self.node("bracket", "[]", (inner,), token.column)

    def named(self, token: Token) -> Node:
        """A name, a dotted function name, or a call."""
        name = token.text
        if name == "not":
            self.at += 1
            return self.negated(self.expression(COMPARISON - 1))
        if name in KEYWORDS:
            raise self.no_factor(token)
        self.at += 1
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
            if name in SUMS and self.now.text == "{":
                return self.sum_between(token.column)
            if self.slope_ahead(name):
                return self.slope(name, token.column)
        if name == "multiply" and [t.text for t in self.tokens[self.at:self.at + 2]] == [".", "outer"] and not own:
            self.at += 2
            name = "outer"
        if name in ("var", "std") and token.text == "torch":
            raise self.fail(f"torch.{name}", "np.var, which divides by n", "PyTorch's divides by n - 1")
        if name in (*OPERATORS, *NUMBERS) and not own and self.now.text == "(" and name not in self.functions:
            return self.operation(name, token.column)
        if name in self.functions and not own:
            if self.now.text == "(":
                return self.call(name, token.column)
            if self.now.text in ("'", "^", "**") or self.starts_factor():
                return self.bare(name, token.column)
        if self.said_again(name):
            inner = self.ahead(1)
            self.at += 3
            names = (self.node("name", name, (), token.column), self.node("name", inner.text, (), inner.column))
            return self.node("binary", "called", names, token.column)
        if self.closed and self.now.text == "'" and self.ahead(1).text == "(" and not self.ahead(1).spaced:
            self.at += 1
            return self.node("prime", name, self.call(name, token.column).args, token.column)
        if self.now.text == "{" and name.endswith("_") and not self.now.spaced:
            return self.below(self.node("name", name[:-1], (), token.column))
        return self.node("name", name, (), token.column)

    def said_again(self, name: str) -> bool:
        """True at the bracket of h_theta(x), where h and theta are declared and h_theta is not."""
        stem, _, below = name.partition("_")
        return bool(self.closed and {stem, below} <= self.bare_names and stem + below not in self.bare_names and self.now.text == "("
                    and not self.now.spaced and self.ahead(1).kind == "name" and self.ahead(2).text == ")")

    def below(self, base: Node) -> Node:
        """x_{i+k-1}, the entry x[i+k-1]."""
        self.take("{")
        self.open.append("{")
        places = self.listed(self.place)
        self.take("}")
        self.open.pop()
        return self.node("index", "[]", (base, *places), base.column)

    def operation(self, name: str, column: int) -> Node:
        """np.multiply(u, v) is u * v, and np.array(z > 0) the comparison as a number."""
        made = self.call(name, column)
        count = 1 if name in NUMBERS else 2
        if len(made.args) != count or made.keywords or made.kind != "call":
            raise self.fail(f"{name} with {len(made.args)} arguments", f"{count}", column=column)
        return self.node("counted", name, made.args, column) if name in NUMBERS else self.node("binary", OPERATORS[name], made.args, column)

    def slope_ahead(self, above: str) -> bool:
        """True after the dL of dL/dz; not of a/dL/dz, nor of dL/dz**2, which have two readings."""
        below = self.tokens[self.at + 1:self.at + 3]
        after = [t.text for t in self.tokens[self.at + 2:self.at + 5]]
        raised = after[:1] in (["^"], ["**"]) and after[:2] != ["^", "T"] and after != ["^", "{", "T"]
        before = self.tokens[self.at - 2].text if self.at > 1 else ""
        return bool(DIFFERENTIAL.match(above) and self.now.text == "/" and len(below) == 2 and below[0].kind == "name" and before != "/"
                    and DIFFERENTIAL.match(below[0].text) and below[0].text.replace("_", "") not in self.bare_names and not raised)

    def slope(self, above: str, column: int) -> Node:
        """dL/dz, the slope of one name by another."""
        self.at += 2
        below = self.tokens[self.at - 1].text
        names = (self.node("name", above[1:], (), column), self.node("name", below[1:].removesuffix("_"), (), column))
        made = self.node("slope", f"{above}/{below}".removesuffix("_"), names, column)
        return self.below(made) if below.endswith("_") and self.now.text == "{" else made

    def sum_over(self, letters: str, column: int) -> Node:
        """sum_n or Σ_{nk} and the product behind it; the letters run over the axes on which they stand."""
        self.deeper("sums nested too deeply")
        body = self.expression(TERM)
        self.depth -= 1
        return self.node("along", "sum", (body, *[self.node("name", letter, (), column) for letter in letters]), column)

    def sum_between(self, column: int) -> Node:
        """sum_{i=1}^{N}, sum_{i} and sum_{j != i}, and the product behind it."""
        self.take("{")
        letters = self.listed(self.letter)
        low = high = left_out = None
        if self.accept("="):
            low = self.expression(COMPARISON)
        elif self.accept("!=") and len(letters) == 1:
            left_out = self.node("binary", "!=", (letters[0], self.expression(COMPARISON)), column)
        self.take("}")
        if self.accept("^"):
            braces = self.accept("{")
            high = self.braced() if braces else self.factor()
        if (low is None) != (high is None) or (low is not None and len(letters) > 1):
            raise self.fail("a sum without both limits", "sum_{i=1}^{N} or sum_i", column=column)
        self.deeper("sums nested too deeply")
        body = self.expression(TERM)
        self.depth -= 1
        if left_out is not None:
            body = self.node("binary", "*", (self.node("bracket", "[]", (left_out,), column), body), column)
        if low is None or high is None:
            return self.node("along", "sum", (body, *letters), column)
        return self.node("sum", "sum", (body, letters[0], low, high), column)

    def letter(self) -> Node:
        """The name of an index."""
        token = self.now
        return self.node("name", self.part(), (), token.column)

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
        return self.numeral(self.now) if self.now.kind == "number" else self.node("none", "")

    def unbracketed(self, name: str, column: int) -> Node:
        """The one factor that a function without brackets is taken of."""
        if not self.starts_factor():
            raise self.fail(self.seen(), f"a bracket behind {name}")
        self.deeper("functions nested too deeply")
        inner = self.factor()
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
            parts.append(self.expression(COMPARISON))
            self.take("..")
            parts.append(self.expression(COMPARISON))
            if self.now.text == "," and self.tokens[self.at + 1].kind == "name" and self.tokens[self.at + 2].text == "in":
                second = self.tokens[self.at + 1].text
                raise self.fail("',' between two ranges", "'for' before each index", f"for {token.text} in … for {second} in …")
        return tuple(parts)


Parser.table = Table(
    PLAIN, {"number": Parser.numeral, "name": Parser.named, "quoted": Parser.quoted},
    dict.fromkeys(("(", "[", "|", "||"), Parser.bracketed),
    {sign: Infix(level, Parser.conditional if sign == "if" else Parser.infix) for sign, level in LEVELS.items()},
    Infix(PRODUCT, Parser.beside), {".": Parser.dotted, "[": Parser.places, "**": Parser.powered, "^": Parser.powered},
    signed=POSTFIX, most_nodes=MAX_NODES, end="the end of the line", shown=2000)
