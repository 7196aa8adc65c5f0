"""The atoms of LaTeX maths: names, numbers, brackets, fractions, functions, sums, cases, and slopes of named tensors."""

from __future__ import annotations

from abc import abstractmethod

from symnet.parsing.grammar import Node
from symnet.parsing.latex_reader import ACCENTS, FONTS, GREEK, NONE, Reader
from symnet.parsing.latex_tokens import Token

CALLS = {"tanh": "tanh", "log": "log", "ln": "log", "exp": "exp", "sin": "sin", "cos": "cos", "sinh": "sinh", "cosh": "cosh",
         "arctan": "arctan", "max": "max", "min": "min", "det": "det", "tr": "trace"}
CALLS |= {name: name for name in ("tan", "cot", "sec", "csc", "coth")}
WORDS = {"tr": "trace", "trace": "trace", "ln": "log", "diag": "diag", "ReLU": "relu", "sgn": "sign",
         "SiLU": "silu", "GELU": "gelu", "leaky_relu": "leaky_relu"}
CLOSERS = {"(": ")", "[": "]", r"\{": r"\}", "{": "}", "lvert": "rvert", "lVert": "rVert", "|": "|", "Vert": "Vert", "lfloor": "rfloor",
           "langle": "rangle"}
BASES = {"2": "log2", "10": "log10"}


class Atoms(Reader):
    """What a factor may be."""

    @abstractmethod
    def terms(self) -> Node: ...
    @abstractmethod
    def entrywise(self) -> Node: ...
    @abstractmethod
    def factor(self) -> Node: ...
    @abstractmethod
    def conditions(self) -> Node: ...
    @abstractmethod
    def condition(self) -> Node: ...
    @abstractmethod
    def starts_factor(self) -> bool: ...

    def atom(self) -> Node:
        """One atom."""
        token = self.now
        if token.kind == "number":
            return self.node("number", self.next().text, (), token.column)
        if token.kind == "letter":
            return self.named()
        if token.kind == "mark" and token.text in ("(", "[", "{", r"\{", "|"):
            return self.bracketed()
        if token.kind == "command":
            return self._command(token)
        raise self.fail(token.shown, "a number, a name or a bracket")

    def _command(self, token: Token) -> Node:
        name = token.text
        if name in ("lvert", "lVert", "Vert", "lfloor", "langle"):
            return self.bracketed()
        own = {"frac": self.fraction, "sqrt": self.root, "sum": self.sum, "nabla": self.nabla, "begin": self.rows,
               "partial": self.slope_line}
        if name in own:
            self.next()
            return own[name](token.column)
        if name in ("mathbf", "mathbb") and self.is_one():
            return self.ones(token.column)
        if name in CALLS or (name == "sigma" and self.ahead(1).text != "_") or (name == "Phi" and self.ahead(1).text == "("):
            self.next()
            return self.call({**CALLS, "sigma": "sigmoid", "Phi": "Phi"}[name], token.column)
        if name in GREEK or name in ACCENTS or name in FONTS:
            return self.named()
        raise self.fail(f"the command {token.shown}", "LaTeX maths that symnet knows")

    def named(self) -> Node:
        """A name, or a call when the name is a function's."""
        token = self.now
        self.no_function_in_letters()
        name = self.name()
        known = WORDS.get(name, name.replace("-", "_"))
        upright = token.kind == "command" and token.text in FONTS and known in self.functions
        if upright and (token.text == "operatorname" or self.mark("(", "[", "{", "'", r"\{")):
            return self.call(known, token.column)
        if name == "e" and self.mark("^"):
            self.next()
            above = self.single() if not self.mark("{") else self.braced()
            return self.node("call", "exp", (above,), token.column, (("base", Node("printed", "e", (NONE, NONE), token.column)),))
        while self.mark("'"):
            self.next()
            name += "'"
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

    def single(self) -> Node:
        """What stands behind ^ or _ without braces: one digit, one letter, one command."""
        token = self.now
        if token.kind == "number" and len(token.text) > 1:
            raise self.fail(f"{token.text[:12]} without braces", f"{{{token.text[:12]}}}", "LaTeX takes the first digit alone")
        if token.kind == "number":
            return self.node("number", self.next().text, (), token.column)
        if self.name_ahead():
            return Node("printed", self.name(), (NONE, NONE), token.column)
        raise self.fail(token.shown, "{…}, a digit or a letter")

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
        while self.mark(","):
            self.next()
            found.append(self._part(closer))
        return Node("scripts", "", tuple(found))

    def _part(self, closer: str) -> Node:
        tokens, k, depth = [], 0, 0
        while (depth or self.ahead(k).text not in (",", closer)) and self.ahead(k).kind != "end":
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
        return Node("place", raw[:40], (self.condition(),))  # one: a comma ends an index

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

    def bracketed(self) -> Node:
        r"""(…), […], {…}, |…|, ‖…‖, ⌊…⌋ or ⟨a, b⟩."""
        token = self.next()
        self.open.append(token.text)
        inner = self.conditions() if token.text in ("[", r"\{") else self.terms()
        second = None
        if token.text == "langle":
            self.take(",")
            second = self.terms()
        self.close(token)
        if token.text in ("[", r"\{") and _compares(inner):
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
            raise self.fail(self.now.shown, f"{wanted!r} for the {token.shown} at column {token.column}")
        closing = self.next()
        self.open.pop()
        if (token.sized == "left") != (closing.sized == "right") or token.sized == "right" or closing.sized == "left":
            raise self.fail(f"{token.shown} and {closing.shown}", "\\left with \\right", column=token.column)

    def call(self, name: str, column: int) -> Node:
        r"""A function with what it takes: f'(x), f^2(x), \log_2 x, f(x, y), or one factor without brackets."""
        primes, power = 0, NONE
        while self.mark("'"):
            self.next()
            primes += 1
        if self.mark("_") and name == "log":
            self.next()
            base = self.braced() if self.mark("{") else self.single()
            if base.text not in BASES:
                raise self.fail("a logarithm to that base", "2 or 10", "\\frac{\\log x}{\\log b}", column=column)
            name = BASES[base.text]
        if self.mark("^") and not primes:
            self.next()
            power = self.braced() if self.mark("{") else self.single()
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
            args = [self.terms()]
            while self.mark(","):
                self.next()
                args.append(self.terms())
            self.close(token)
            return tuple(args)
        if not self.starts_factor():
            raise self.fail(self.now.shown, f"what {name} is taken of")
        inner = self.factor()
        if self.starts_factor() or self.mark("/", "*") or self.command("cdot", "times"):
            raise self.fail(f"{self.now.shown} behind {name} without brackets", "brackets", f"{name} x y may be {name}(x) y or {name}(x y)")
        return (inner,)

    @abstractmethod
    def fraction(self, column: int) -> Node: ...
    @abstractmethod
    def root(self, column: int) -> Node: ...
    @abstractmethod
    def slope_line(self, column: int) -> Node: ...
    @abstractmethod
    def nabla(self, column: int) -> Node: ...
    @abstractmethod
    def sum(self, column: int) -> Node: ...
    @abstractmethod
    def rows(self, column: int) -> Node: ...
    @abstractmethod
    def ones(self, column: int) -> Node: ...
    @abstractmethod
    def is_one(self) -> bool: ...


def _compares(node: Node) -> bool:
    return (node.kind == "binary" and node.text in ("<", ">", "<=", ">=", "==", "!=", "and")) or node.kind == "divides"
