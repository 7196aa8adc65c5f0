r"""LaTeX to a syntax tree: sums of products of factors with scripts, fractions, slopes, sums with limits, cases and matrices.

From loose to tight: comparisons; + and -; \odot and \oslash; products (juxtaposed, \cdot, /); scripts. A sum takes in the product behind
it. Where a book would leave the reader guessing (\log x y, 1/N X, x^23) the text is refused with both readings.
"""

from __future__ import annotations

from symnet.errors import ParseError
from symnet.parsing.grammar import EXPECTED, Grammar, Infix, Table
from symnet.parsing.latex_tokens import LATEX
from symnet.parsing.node import Node, same_tree
from symnet.parsing.tokens import Token

MAX_NODES, MAX_WORD, MOST_FACTORS = 2500, 40, 200
NONE = Node("none", "")
CONDITION, RELATION, TERMS, ENTRYWISE, PRODUCT = range(5)  # what binds more tightly than the first is a comparison, …
GREEK = frozenset((
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu", "nu", "xi", "pi",
    "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega", "Gamma", "Delta", "Theta", "Lambda", "Xi", "Pi", "Sigma",
    "Phi", "Psi", "Omega", "ell",
))
FONTS = frozenset({"mathbf", "mathrm", "mathit", "mathsf", "mathcal", "mathbb", "text", "textbf", "textit", "operatorname"})
ACCENTS = frozenset({"hat", "tilde", "bar"})
NAMED = GREEK | FONTS | ACCENTS
CALLS = {"tanh": "tanh", "log": "log", "ln": "log", "exp": "exp", "sin": "sin", "cos": "cos", "sinh": "sinh", "cosh": "cosh",
         "arctan": "arctan", "max": "max", "min": "min", "det": "det", "tr": "trace"}
CALLS |= {name: name for name in ("tan", "cot", "sec", "csc", "coth")}
CALLED = {**CALLS, "sigma": "sigmoid", "Phi": "Phi"}
WORDS = {"tr": "trace", "trace": "trace", "ln": "log", "diag": "diag", "ReLU": "relu", "sgn": "sign",
         "SiLU": "silu", "GELU": "gelu", "leaky_relu": "leaky_relu"}
CLOSERS = {"(": ")", "[": "]", r"\{": r"\}", "{": "}", "lvert": "rvert", "lVert": "rVert", "|": "|", "Vert": "Vert", "lfloor": "rfloor",
           "langle": "rangle"}
BASES = {"2": "log2", "10": "log10"}
RELATIONS = {"le": "<=", "ge": ">=", "ne": "!=", "<": "<", ">": ">", "=": "=="}
PRODUCTS = {"cdot": "c", "times": "x", "*": "c", "otimes": "k", "/": "/", "div": "/"}
NO_START = frozenset({*RELATIONS, *PRODUCTS, "odot", "oslash", "rvert", "rVert", "rfloor", "rangle", "mid", "end", "top", "pm", "mp", "in",
                      "to", "prime", "rceil"})
MATRICES = ("pmatrix", "bmatrix", "matrix", "Bmatrix")
COMPARED = frozenset({"<", ">", "<=", ">=", "==", "!=", "and"})


class LatexParser(Grammar):
    """One text of LaTeX."""

    def whole(self) -> Node:
        """The whole text as one expression."""
        return self.sides(1)[0]

    def equated(self, most: int) -> list[Node]:
        """Expressions with = between them."""
        found = [self.terms()]
        while len(found) < most and self.accept("="):
            found.append(self.terms())
        return found

    def sides(self, most: int = 2) -> list[Node]:
        """One line."""
        found = self.equated(most)
        self.accept(".", ",")
        self.ended()
        return found

    def ended(self) -> None:
        """Refuse what stands behind the last line."""
        if self.now.kind != "end":
            hint = "the right side alone" if self.mark("=") else ""
            raise self.fail(self.seen(), "an operator or the end", hint)

    def terms(self) -> Node:
        """Terms with + and -."""
        return self.expression(RELATION)

    def signed(self) -> Node:
        """Terms of which the first has a sign."""
        column, sign = self.now.column, self.next().text
        return self._summed([self.operators(TERMS)], sign, column)

    def plus(self, left: Node, token: Token, since: tuple[int, str]) -> Node:
        """Terms behind the first."""
        return self._summed([left], "+", since[0])

    def _summed(self, args: list[Node], signs: str, column: int) -> Node:
        while self.mark("+", "-"):
            signs += self.next().text
            args.append(self.operators(TERMS))
        if len(args) == 1:
            return args[0] if signs == "+" else self.node("unary", "-", (args[0],), column)
        return self.node("terms", signs, tuple(args), column)

    def entrywise(self, left: Node, token: Token, since: tuple[int, str]) -> Node:
        r"""Products with \odot and \oslash between them."""
        signs, args = "", [left]
        while self.command("odot", "oslash"):
            signs += "*" if self.next().text == "odot" else "/"
            args.append(self.operators(ENTRYWISE))
        return self.node("entrywise", signs, tuple(args), since[0])

    def product(self, left: Node, token: Token, since: tuple[int, str]) -> Node:
        r"""Factors side by side or with \cdot, \times or / between them."""
        signs, args = "", [left]
        while True:
            token = self.now
            if token.text in PRODUCTS and token.kind in ("mark", "command"):
                self.next()
                signs += PRODUCTS[token.text]
                args.append(self.factor())
                if token.text in ("/", "div") and self.starts_factor():
                    raise self.fail(f"a factor after a division with / ({self.seen()})", "brackets or \\frac",
                                    "a/b c may be (a/b) c or a/(b c)")
            elif self.starts_factor():
                signs += "j"
                args.append(self._beside(args[-1], token))
            else:
                break
            if len(args) > MOST_FACTORS:
                raise self.fail("a product that is too long", f"at most {MOST_FACTORS} factors")
        return self.node("product", signs, tuple(args), since[0])

    def _beside(self, left: Node, token: Token) -> Node:
        """A factor without a sign before it, where that can mean only one thing."""
        if token.kind == "number" and left.kind != "bracket":
            raise self.fail(f"the number {token.text[:12]} behind a factor", "\\cdot before it, or _{…} or ^{…}")
        right = self.factor()
        if left.kind == "number" and right.text == "/" and all(a.kind == "number" for a in right.args):
            raise self.fail("a number before a fraction of numbers", "\\cdot or + between them", "2\\frac{1}{2} may be 2·½ or 2½",
                            column=token.column)
        if left.kind == "printed" and token.text == "[" and not token.sized and right.kind != "bracket":
            raise self.fail("[…] behind a name", "an index below, x_{i}, or a product with round brackets", column=token.column)
        if left.kind == "printed" and right.kind == "group" and token.text == "(" and right.args[0].kind == "printed" \
                and not any(part.args for name in (left, right.args[0]) for part in name.args):
            a, b = left.text, right.args[0].text
            raise self.fail(f"{a}({b}), where {a} is no function", f"{a} {b} or {a} \\cdot {b} for the product", column=token.column)
        return right

    def starts_factor(self) -> bool:
        """True where a factor may follow without a sign."""
        token = self.now
        if token.kind in ("letter", "number"):
            return True
        if token.kind == "mark":
            return token.text in ("(", "[", "{", r"\{") or (token.text == "|" and self.open[-1:] != ["|"])
        if token.kind == "command" and token.text == "Vert":
            return self.open[-1:] != ["Vert"]
        return token.kind == "command" and token.text not in NO_START and not self.at_word()

    def at_word(self) -> bool:
        """True at words such as \\text{otherwise}, which end what stands before them."""
        if not (self.command("text", "mathrm", "textbf", "textit") and self.ahead(1).text == "{"):
            return False
        word, k = "", 2
        while self.ahead(k).kind == "letter" and len(word) < 12:
            word, k = word + self.ahead(k).text, k + 1
        return word in ("if", "for", "when", "where", "otherwise", "else", "and", "or", "with", "let") and self.ahead(k).text == "}"

    def conditions(self) -> Node:
        """Comparisons with commas between them; an expression alone is returned as it is."""
        parts = [self.expression(CONDITION)]
        while self.ahead(1).text not in ("\\\\", "end") and self.accept(","):
            parts.append(self.expression(CONDITION))
        return self._all(parts)

    def _all(self, parts: list[Node]) -> Node:
        """These conditions together."""
        tree = parts[0]
        for part in parts[1:]:
            tree = self.node("binary", "and", (tree, part), part.column)
        return tree

    def compared(self, left: Node, token: Token, since: tuple[int, str]) -> Node:
        r"""a \le b \le c, or m \mid n."""
        if self.command("mid"):
            self.next()
            return self.node("divides", "", (left, self.operators(RELATION)))
        sides, signs = [left], list[str]()
        while self.now.text in RELATIONS and self.now.kind in ("mark", "command"):
            signs.append(RELATIONS[self.next().text])
            sides.append(self.operators(RELATION))
        return self._all([self.node("binary", s, (a, b), a.column) for s, a, b in zip(signs, sides, sides[1:], strict=False)])

    def factor(self) -> Node:
        """An atom with its scripts, one level further in."""
        self.deeper()
        made = super().factor()
        self.depth -= 1
        return made

    def no_factor(self, token: Token) -> ParseError:
        if token.kind == "command":
            return self.fail(f"the command {self.seen()}", "LaTeX maths that symnet knows")
        return self.fail(self.seen(), EXPECTED)

    def scripts(self, base: Node) -> tuple[Node, bool]:
        """Indices, a name's number in brackets, a transpose, a power: each at most once."""
        below, marks, done = NONE, [], ""
        while self.mark("_", "^", "'"):
            token = self.next()
            if token.text == "'":
                raise self.fail("a prime", "a derivative such as \\sigma'(z), or an index such as k'", column=token.column)
            if token.text in done:
                raise self.fail(f"a second {token.text}", "one index and one power", "brackets", column=token.column)
            done += token.text
            if token.text == "_":
                below = self.places()
            else:
                marks = self.above(base)
        above = next((m for m in marks if m.kind == "scripts"), NONE)
        if base.kind == "printed":
            base = Node("printed", base.text, (below, above), base.column)
        elif above is not NONE:
            raise self.fail("a bracket as a power", "^{2} for the power", "only a name has a number in brackets", column=base.column)
        elif below is not NONE:
            base = self.node("at", "", (base, *below.args), base.column)
        for m in marks:
            if m.kind != "scripts":
                base = self._marked(base, m)
        return base, False

    def _marked(self, base: Node, mark: Node) -> Node:
        if mark.kind == "transpose":
            return self.node("transpose", mark.text, (base,), mark.column)
        if mark.kind == "inverse":  # A^{-T}
            return self.node("transpose", "", (self.node("raised", "", (base, mark.args[0]), mark.column),), mark.column)
        return self.node("raised", mark.text, (base, mark.args[0]), mark.column)

    def above(self, base: Node) -> list[Node]:
        """What stands above a factor."""
        column = self.now.column
        if not self.mark("{"):
            sign = self._letter_t()
            if self._top():
                return [self.node("transpose", sign, (), column)]
            return [self.node("raised", "", (self.single(),), column)]
        self.take("{")
        found = []
        if self.mark("(") and base.kind in ("printed", "group") and self._closes():
            self.take("(")
            found.append(self.parts(")"))
            self.take(")")
        elif self.mark("[") and base.kind == "printed" and self._closes():  # layer 2 as z^{[2]}
            self.take("[")
            found.append(self.parts("]"))
            self.take("]")
        sign = self._letter_t()
        if self._top():
            found.append(self.node("transpose", sign, (), column))
        elif self.command("odot"):
            self.next()
            found.append(self.node("raised", "odot", (self.terms(),), column))
        elif self.mark("-") and (self.ahead(1).text in ("top", "T")) and self.ahead(2).text == "}":
            self.next()
            self._top()
            one = self.node("unary", "-", (self.node("number", "1"),), column)
            found.append(self.node("inverse", "", (one,), column))
        elif not found:
            found.append(self.node("raised", "", (self.terms(),), column))
        self.take("}")
        return found

    def _letter_t(self) -> str:
        """"^T" where the letter T stands above, which may be a power."""
        return "^T" if self.now.kind == "letter" and self.now.text == "T" else ""

    def _top(self) -> bool:
        r"""Read \top, T, \mathsf{T} or \mathrm{T}, when that is all there is."""
        closing = self.now.column and (self.ahead(1).text == "}" or self.ahead(-1).text == "^")
        if self.command("top") or (self.now.kind == "letter" and self.now.text == "T" and closing):
            self.next()
            return True
        after = [self.ahead(k).text for k in (1, 2, 3)]
        if self.command("mathsf", "mathrm", "mathbf", "text") and (after == ["{", "T", "}"] or after[:2] == ["T", "}"]):
            self.name()
            return True
        return False

    def _closes(self) -> bool:
        """True when the bracket at hand closes right before the end of the braces, or before a transpose."""
        depth = 0
        for k in range(len(self.tokens) - self.at):
            text = self.ahead(k).text
            depth += (text in "([{" and len(text) == 1) - (text in ")]}" and len(text) == 1)
            if depth == 0:
                return self.ahead(k + 1).text in ("}", "top", "T")
        return False

    def numeral(self, token: Token) -> Node:
        """A number; 1_{z > 0} is 1 where that holds, 1_{N} a vector of ones."""
        self.next()
        if token.text == "1" and self.accept("_"):
            return self._ones_below(token)
        return self.node("number", token.text, (), token.column)

    def of(self, token: Token) -> Node:
        r"""A function by its command; \sigma_{1} and \Phi alone are names."""
        if (token.text == "sigma" and self.ahead(1).text == "_") or (token.text == "Phi" and self.ahead(1).text != "("):
            return self.named(token)
        self.next()
        return self.call(CALLED[token.text], token.column)

    def named(self, token: Token) -> Node:
        """A name, or a call when the name is a function's."""
        self.no_function_in_letters()
        if token.kind == "command" and token.text in ACCENTS and self.ahead(1).text == "{" and self.ahead(3).text in ("_", "^"):
            self.next()
            return self._over(token)
        name = self.name()
        known = WORDS.get(name, name.replace("-", "_"))
        upright = token.kind == "command" and token.text in FONTS and known in self.functions
        if upright and (token.text == "operatorname" or self.mark("(", "[", "{", "'", r"\{")):
            return self.call(known, token.column)
        if name == "e" and self.accept("^"):
            return self.node("call", "exp", (self.script(),), token.column, (("base", Node("printed", "e", (NONE, NONE), token.column)),))
        return self._primed(name, token)

    def _over(self, token: Token) -> Node:
        r"""The rest of \overline{z_1}: the accent is the letter's, \bar{z}_1."""
        self.take("{")
        inner = self.factor()
        self.take("}")
        if inner.kind != "printed" or ":" in inner.text:
            raise self.fail(f"\\{token.text} over more than a name", "a name such as \\hat{y} or \\overline{z_{1}}", column=token.column)
        return Node("printed", f"{inner.text}:{token.text}", inner.args, token.column)

    def _primed(self, name: str, token: Token) -> Node:
        """A name with the primes behind it."""
        while self.accept("'"):
            name += "'"
        if name.endswith("'") and not name.endswith("''") and self.mark("("):
            return self.node("prime", name[:-1], (self.bracketed(self.now),), token.column)
        return Node("printed", name, (NONE, NONE), token.column)

    def no_function_in_letters(self) -> None:
        """exp(x) without a backslash is e times x times p of x in LaTeX, which nobody means."""
        before = self.tokens[self.at - 1] if self.at else self.tokens[-1]
        if before.kind == "letter" and before.column + 1 == self.now.column:
            return
        letters, k = "", 0
        while k < 16 and self.ahead(k).kind == "letter" and self.ahead(k).column == self.now.column + k:
            letters, k = letters + self.ahead(k).text, k + 1
        if len(letters) > 1 and letters in self.functions and self.ahead(k).text == "(":
            raise self.fail(f"{letters}(…)", f"\\operatorname{{{letters}}} or a space between factors",
                            f"{letters} may be a function or the product {' '.join(letters)}")

    def braced(self) -> Node:
        """{an expression}."""
        self.take("{")
        inner = self.terms()
        self.take("}")
        return inner

    def script(self) -> Node:
        """What stands behind ^ or _."""
        return self.braced() if self.mark("{") else self.single()

    def single(self) -> Node:
        """What stands behind ^ or _ without braces: one digit, one letter, one command."""
        token = self.now
        if token.kind == "number" and len(token.text) > 1:
            raise self.fail(f"{token.text[:12]} without braces", f"{{{token.text[:12]}}}", "LaTeX takes the first digit alone")
        if token.kind == "number":
            return self.node("number", self.next().text, (), token.column)
        if self.name_ahead():
            return Node("printed", self.name(), (NONE, NONE), token.column)
        raise self.fail(self.seen(token), "{…}, a digit or a letter")

    def places(self) -> Node:
        """What stands below a name: indices, a number or a word."""
        if not self.mark("{"):
            one = self.single()
            letters = one.kind == "number" or len(one.text) == 1
            return Node("scripts", "", (Node("letters" if letters else "place", one.text, (one,)),))
        self.take("{")
        found = self.parts("}")
        self.take("}")
        return found

    def parts(self, closer: str) -> Node:
        """Indices with commas between them, up to ``closer``."""
        found = [self._part(closer)]
        while self.accept(",") or self.mark(":"):
            found.append(self._part(closer))
        return Node("scripts", "", tuple(found))

    def _part(self, closer: str) -> Node:
        if self.accept(":"):
            return Node("whole", ":")
        tokens, k, depth = [], 0, 0
        while (depth or self.ahead(k).text not in (",", ":", closer)) and self.ahead(k).kind != "end":
            tokens.append(self.ahead(k))
            depth += (tokens[-1].text in ("{", "(", "[")) - (tokens[-1].text in ("}", ")", "]"))
            k += 1
        raw = "".join(t.text for t in tokens)
        if tokens and tokens[0].kind != "mark" and all(t.kind in ("letter", "number") or t.text == "'" for t in tokens):
            return Node("letters", raw, tuple(self._letters(len(tokens))))
        if tokens and tokens[0].kind == "command" and tokens[0].text in FONTS and tokens[-1].text == "}" and len(tokens) > 3:
            token = self.next()
            word = self.word()
            return Node("word", word, (Node("printed", word, (NONE, NONE), token.column),))
        return Node("place", raw[:40], (self.expression(CONDITION),))  # one: a comma ends an index

    def _letters(self, count: int) -> list[Node]:
        end, found = self.at + count, []
        while self.at < end:
            token = self.next()
            text = token.text
            while token.kind == "letter" and self.at < end and self.mark("'"):
                text += self.next().text
            found.append(self.node("number", text, (), token.column) if token.kind == "number" else
                         Node("printed", text, (NONE, NONE), token.column))
            if text.startswith("'"):
                raise self.fail("a prime", "a letter before it", column=token.column)
        return found

    def bracketed(self, token: Token, holds: bool = False) -> Node:
        r"""(…), […], {…}, |…|, ‖…‖, ⌊…⌋ or ⟨a, b⟩; a comparison in it is 1 where it holds, of any kind where that is said."""
        self.next()
        self.open.append(token.text)
        several = holds or token.text in ("[", r"\{")
        inner = self.conditions() if several else self.expression(CONDITION) if token.text == "(" else self.terms()
        second = None
        if token.text == "langle":
            self.take(",")
            second = self.terms()
        self.close(token)
        if inner.kind == "divides" or (inner.kind == "binary" and inner.text in COMPARED):
            if token.text == "(" and not holds and inner.text in ("==", "!="):
                raise self.fail("an equation in round brackets", "[i = j] for 1 where it holds", column=token.column)
            return self.node("bracket", "[]", (inner,), token.column)
        kind = {"lvert": "abs", "|": "abs", "lVert": "norm", "Vert": "norm"}.get(token.text, "group")
        if token.text == "lfloor":
            return self.node("call", "floor", (inner,), token.column)
        if second is not None:
            return self.node("call", "dot", (inner, second), token.column)
        return self.node(kind, "", (inner,), token.column)

    def close(self, token: Token) -> None:
        r"""Read the bracket that closes ``token``; \left goes with \right."""
        wanted = CLOSERS[token.text]
        if self.now.text != wanted or self.now.kind not in ("mark", "command"):
            raise self.fail(self.seen(), f"{wanted!r} for the {self.seen(token)} at column {token.column}")
        closing = self.next()
        self.open.pop()
        if (token.sized == "left") != (closing.sized == "right") or token.sized == "right" or closing.sized == "left":
            raise self.fail(f"{self.seen(token)} and {self.seen(closing)}", "\\left with \\right", column=token.column)

    def call(self, name: str, column: int) -> Node:
        r"""A function with what it takes: f'(x), f^2(x), \log_2 x, f(x, y), or one factor without brackets."""
        primes, power = 0, NONE
        while self.accept("'"):
            primes += 1
        if name == "log" and self.accept("_"):
            base = self.script()
            if base.text not in BASES:
                raise self.fail("a logarithm to that base", "2 or 10", "\\frac{\\log x}{\\log b}", column=column)
            name = BASES[base.text]
        if not primes and self.accept("^"):
            power = self.script()
            if power.kind != "number":
                raise self.fail(f"a power of {name} that is no whole number", "(…)^{…}", "f^{-1} may be the inverse or 1/f", column=column)
        args = self._arguments(name, column)
        if primes > 1:
            raise self.fail(f"{primes} primes", "one", column=column)
        made = self.node("prime" if primes else "call", name, args, column)
        return made if power is NONE else self.node("raised", "odot", (made, power), column)

    def _arguments(self, name: str, column: int) -> tuple[Node, ...]:
        if self.mark("(", "[", r"\{") or (self.mark("{") and name not in CALLS.values()):
            token = self.next()
            self.open.append(token.text)
            args = tuple(self.listed(self.terms))
            self.close(token)
            return args
        if not self.starts_factor():
            raise self.fail(self.seen(), f"what {name} is taken of")
        inner = self.factor()
        if self.starts_factor() or self.mark("/", "*") or self.command("cdot", "times"):
            raise self.fail(f"{self.seen()} behind {name} without brackets", "brackets", f"{name} x y may be {name}(x) y or {name}(x y)")
        return (inner,)

    def fraction(self, token: Token) -> Node:
        r"""\frac{a}{b}; \frac{\partial L}{\partial w} is the name of a gradient."""
        self.next()
        slope = self.slope(token.column)
        if slope is not None:
            return slope
        above, below = self._argument(), self._argument()
        return self.node("binary", "/", (above, below), token.column)

    def _argument(self) -> Node:
        if self.now.kind == "number":
            token = self.digit()
            return self.node("number", token.text, (), token.column)
        return self.script()

    def root(self, token: Token) -> Node:
        r"""\sqrt{x} and \sqrt[3]{x}."""
        self.next()
        order = NONE
        if self.accept("["):
            order = self.terms()
            self.take("]")
        inner = self._argument()
        if order is NONE:
            return self.node("call", "sqrt", (inner,), token.column)
        one = self.node("number", "1", (), token.column)
        return self.node("raised", "odot", (inner, self.node("binary", "/", (one, order), token.column)), token.column)

    def slope(self, column: int) -> Node | None:
        r"""The rest of \frac{\partial L}{\partial w}, or None when the fraction is a quotient."""
        by_letter = self._differentials()
        if not (self.mark("{") and self.ahead(1).kind == "command" and self.ahead(1).text == "partial") and not by_letter:
            return None
        sign = "d" if by_letter else "partial"
        self.take("{")
        self._delta(sign)
        order = self._order()
        top = NONE if self.mark("}") else self._bare()  # \frac{\partial}{\partial w} L has its name behind it
        while top.kind == "printed" and len(top.text) < MAX_WORD and self.now.kind == "letter" and not any(part.args for part in top.args):
            top = Node("printed", top.text + self.next().text, top.args, top.column)  # \partial KL, of one thing
        if top.kind == "printed" and self.accept("("):  # \partial J(\theta) says of what the objective is made
            self.listed(self.factor)
            self.take(")")
        self.take("}")
        self.take("{")
        below = []
        while not self.mark("}"):
            self._delta(sign)
            below.append(self._below())
        self.take("}")
        if len(below) == 1 and below[0].kind == "raised" and below[0].args[1].text == "2":  # \partial w^{2}
            below = [below[0].args[0]] * 2
        if len(below) != order:
            raise self.fail(f"a slope of order {order} with {len(below)} names below", "one name for each", column=column)
        top = self._differentiated(tuple(below)) if top is NONE else top
        return self.node("slope", sign, (top, *below), column)

    def _bare(self) -> Node:
        r"""A factor without braces around it: \partial{L}."""
        made = self.factor()
        return made.args[0] if made.kind == "group" and made.args[0].kind in ("printed", "raised") else made

    def _below(self) -> Node:
        r"""What is differentiated by: a name, or W1 and W1_{jk}, whose number is written beside it."""
        made = self._bare()
        if made.kind != "printed" or any(part.args for part in made.args) or self.now.kind != "number":
            return made
        number = self.next()
        digits = Node("letters", number.text, (self.node("number", number.text, (), number.column),))
        below = self.places().args if self.accept("_") else ()
        return Node("printed", made.text, (Node("scripts", "", (digits, *below)), NONE), made.column)

    def _delta(self, sign: str) -> None:
        token = self.next()
        if token.text in ("mathrm", "mathit") and sign == "d":
            self.take("{")
            token = self.next()
            self.take("}")
        if token.text != sign:
            raise self.fail(self.seen(token), "\\partial" if sign == "partial" else "d", column=token.column)

    def _order(self) -> int:
        if not self.accept("^"):
            return 1
        node = self.script()
        if node.text not in ("1", "2"):
            raise self.fail("a slope of that order", "1 or 2", column=node.column)
        return int(node.text)

    def _differentials(self) -> bool:
        """True for {d L}{d w}: both start with the letter d and go on."""
        k, depth = 0, 0
        starts: list[bool] = []
        if not self.mark("{"):
            return False
        while self.ahead(k).kind != "end" and len(starts) < 2:
            if depth == 0 and self.ahead(k).text == "{":
                starts.append(self._is_d(k + 1))
            depth += (self.ahead(k).text == "{") - (self.ahead(k).text == "}")
            k += 1
        return starts == [True, True]

    def _is_d(self, k: int) -> bool:
        if [self.ahead(k + j).text for j in range(4)] == ["mathrm", "{", "d", "}"]:
            return True
        after = self.ahead(k + 1)
        named = after.kind == "letter" or (after.kind == "command" and after.text not in ("cdot", "times", "odot"))
        return self.ahead(k).kind == "letter" and self.ahead(k).text == "d" and named

    def slope_line(self, token: Token) -> Node:
        r"""The rest of \partial L / \partial w."""
        self.next()
        top = self.factor()
        self.take("/")
        self._delta("partial")
        return self.node("slope", "partial", (top, self.factor()), token.column)

    def nabla(self, token: Token) -> Node:
        r"""The rest of \nabla_{w} L, or of \nabla L, by whatever is asked for."""
        self.next()
        below = (self._argument(),) if self.accept("_") else ()
        if not self.name_ahead():
            raise self.fail(self.seen(), "the name of what is differentiated, as in \\nabla_{w} L")
        return self.node("slope", "partial", (self._differentiated(below), *below), token.column)

    def _differentiated(self, below: tuple[Node, ...]) -> Node:
        r"""The name behind an operator, and J(\theta), which says again by what it is differentiated; on a left side, what it is of."""
        top = self.factor()
        if self.mark("("):
            self.next()
            said = self.listed(self.factor)
            again = len(said) <= len(below) and all(any(same_tree(a, b) for b in below) for a in said)
            if not self.mark(")") or not (again or self.ahead(1).text == "="):
                raise self.fail("a bracket behind a gradient", "\\nabla_{w} L alone, or \\cdot before the bracket")
            self.next()
        return top

    def sum(self, token: Token) -> Node:
        r"""The rest of \sum_{i=1}^{N} …; without limits the index runs over the axis where it stands."""
        self.next()
        indices, low, high, left_out = [], NONE, NONE, NONE
        while self.mark("_", "^"):
            if self.next().text == "^":
                high = self.script()
                continue
            if not self.accept("{"):
                indices = [self.single()]
                continue
            indices = self.listed(self._index)
            low = self.terms() if self.accept("=") else low
            if self.command("ne") and len(indices) == 1:
                self.next()
                other = self.node("binary", "!=", (indices[0], self.terms()), token.column)
                left_out = self.node("bracket", "[]", (other,), token.column)
            self.take("}")
        if not indices or len(indices) > 4 or (low is NONE) != (high is NONE) or (len(indices) > 1 and low is not NONE):
            found = "a sum without both limits" if indices else "a sum without an index"
            raise self.fail(found, "\\sum_{i=1}^{N} or \\sum_{i}", column=token.column)
        self.deeper()
        minus = self.accept("-")
        body = self.operators(TERMS)
        self.depth -= 1
        body = self.node("unary", "-", (body,)) if minus else body
        body = body if left_out is NONE else self.node("product", "j", (left_out, body), token.column)
        for name in reversed(indices):
            body = self.node("sum", "sum", (body, name, low, high), token.column)
        return body

    def _index(self) -> Node:
        """An index under a sum."""
        token = self.now
        return self._primed(self.name(), token)

    def braced_under(self, token: Token) -> Node:
        r"""The rest of \underbrace{…}_{what it is}, which says nothing that is computed."""
        self.next()
        self.take("{")
        inner = self.terms()
        self.take("}")
        if self.accept("_", "^"):
            depth = 0
            while depth or not (self.mark("}") or self.now.kind == "end"):
                depth += self.mark("{") - (self.mark("}") and depth > 0)
                self.next()
                if not depth:
                    break
        return self.node("group", "", (inner,), token.column)

    def rows(self, token: Token) -> Node:
        r"""The rest of \begin{cases} … \end{cases} or of a matrix written out."""
        self.next()
        kind = self.word()
        if kind != "cases" and kind not in MATRICES:
            raise self.fail(f"\\begin{{{kind[:20]}}}", "cases or pmatrix", column=token.column)
        self.deeper()
        self.open.append(kind)
        made = [self._row(kind)]
        while self.accept("\\\\"):
            if not self.command("end"):
                made.append(self._row(kind))
        if not self.command("end"):
            raise self.fail(self.seen(), f"\\end{{{kind}}}")
        self.next()
        if self.word() != kind:
            raise self.fail("another \\end", f"\\end{{{kind}}}", column=token.column)
        self.open.pop()
        self.depth -= 1
        return self.node("cases" if kind == "cases" else "rows", "", tuple(made), token.column)

    def _row(self, kind: str) -> Node:
        cells = [self.terms()]
        if kind == "cases":
            self.accept(",")
            self.take("&")
            return self.node("row", "", (cells[0], self._case()))
        while self.accept("&"):
            cells.append(self.terms())
        return self.node("row", "", tuple(cells))

    def _case(self) -> Node:
        """The condition of one case; NONE for otherwise."""
        if self.command("text", "mathrm", "textbf", "textit"):
            self.next()
            word = self.word().rstrip(".,")
            if word in ("otherwise", "else"):
                self.accept(",", ".")
                return NONE
            if word not in ("if", "for", "when", "where"):
                raise self.fail(f"the word {word!r}", "if or otherwise")
        found = self.conditions()
        self.accept(",", ".")
        return found

    def is_one(self) -> bool:
        r"""True at \mathbf{1} and \mathbb{1}, and at \mathbf 1."""
        return self.ahead(1).text == "1" or [self.ahead(k).text for k in (1, 2, 3)] == ["{", "1", "}"]

    def ones(self, token: Token) -> Node:
        r"""\mathbf{1} is a vector of ones, \mathbf{1}_{N} one of known length; \mathbf{1}[c] and \mathbf{1}_{c} are 1 where c holds."""
        if not self.is_one():
            return self.named(token)
        self.next()
        braces = self.accept("{")
        self.next()
        if braces:
            self.take("}")
        if self.mark("[", r"\{", "("):
            before, token = self.at, self.now
            made = self.bracketed(token, holds=True)
            if made.kind == "bracket":
                return made
            if token.text == "(":  # a vector of ones, and what it is multiplied by
                self.at = before
                return self.node("ones", "", (), token.column)
            raise self.fail("no comparison in the bracket", "\\mathbf{1}[z > 0]", column=token.column)
        if not self.accept("_"):
            return self.node("ones", "", (), token.column)
        return self._ones_below(token)

    def _ones_below(self, token: Token) -> Node:
        r"""What stands below a 1: the length of a vector of ones, or where it is 1 and not 0."""
        braces = self.accept("{")
        inner = self.conditions() if braces else self.single()
        if braces:
            self.take("}")
        if inner.kind == "bracket":
            return inner
        if inner.kind == "divides" or inner.text in COMPARED:
            return self.node("bracket", "[]", (inner,), token.column)
        return self.node("ones", "", (inner,), token.column)

    def command(self, *names: str) -> bool:
        """True when the token at hand is one of these commands."""
        return self.now.kind == "command" and self.now.text in names

    def word(self) -> str:
        r"""The letters in {…} after \mathrm, \text or \operatorname, as they stand."""
        self.take("{")
        text = ""
        while not self.mark("}"):
            token = self.next()
            if token.kind not in ("letter", "number") and token.text not in ("_", ",", "-", "."):
                raise self.fail(self.seen(token), "a word", column=token.column)
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
        return self.now.kind == "letter" or (self.now.kind == "command" and self.now.text in NAMED)

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
            return f"{self._inner_name()}:{token.text}"
        if token.kind == "command" and token.text in FONTS:
            return self.word() if self.mark("{") and self.ahead(1).kind != "command" else self._inner_name()
        raise self.fail(self.seen(token), "a name", column=token.column)

    def _inner_name(self) -> str:
        """The name under an accent or in a font, with or without braces."""
        braces = self.accept("{")
        inner = self.name()
        if braces:
            self.take("}")
        return inner


LatexParser.table = Table(
    LATEX, {"number": LatexParser.numeral, "letter": LatexParser.named},
    {**dict.fromkeys(NAMED, LatexParser.named), **dict.fromkeys(CALLED, LatexParser.of),
     **dict.fromkeys(CLOSERS, LatexParser.bracketed), **dict.fromkeys(("mathbf", "mathbb"), LatexParser.ones),
     "frac": LatexParser.fraction, "sqrt": LatexParser.root, "sum": LatexParser.sum, "nabla": LatexParser.nabla, "begin": LatexParser.rows,
     "partial": LatexParser.slope_line, "underbrace": LatexParser.braced_under, "overbrace": LatexParser.braced_under},
    {**dict.fromkeys((*RELATIONS, "mid"), Infix(RELATION, LatexParser.compared, once=True)),
     **dict.fromkeys("+-", Infix(TERMS, LatexParser.plus)), **dict.fromkeys(("odot", "oslash"), Infix(ENTRYWISE, LatexParser.entrywise)),
     **dict.fromkeys(PRODUCTS, Infix(PRODUCT, LatexParser.product))},
    Infix(PRODUCT, LatexParser.product), dict.fromkeys("_^'", LatexParser.scripts),
    signed=TERMS, most_nodes=MAX_NODES, end="the end", shown=40)
