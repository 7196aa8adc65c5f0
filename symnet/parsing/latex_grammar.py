r"""LaTeX to a syntax tree: sums of products of factors with scripts. Nothing is looked up except which names are functions.

From loose to tight: + and -; \odot and \oslash; products (juxtaposed, \cdot, /); scripts. A sum takes in the product behind it. Where a
book would leave the reader guessing (\log x y, 1/N X, x^23) the text is refused with both readings.
"""

from __future__ import annotations

from symnet.parsing.grammar import Node
from symnet.parsing.latex_forms import Forms
from symnet.parsing.latex_reader import NONE
from symnet.parsing.latex_tokens import Token

RELATIONS = {"le": "<=", "ge": ">=", "ne": "!=", "<": "<", ">": ">", "=": "=="}
MOST_FACTORS = 200
PRODUCTS = {"cdot": "c", "times": "x", "*": "c", "otimes": "k", "/": "/", "div": "/"}
NO_START = frozenset({*RELATIONS, *PRODUCTS, "odot", "oslash", "rvert", "rVert", "rfloor", "rangle", "mid", "end", "top", "pm", "mp", "in",
                      "to", "prime", "rceil"})


class LatexParser(Forms):
    """One text of LaTeX."""

    def whole(self) -> Node:
        """The whole text as one expression."""
        return self.sides(1)[0]

    def equated(self, most: int) -> list[Node]:
        """Expressions with = between them."""
        found = [self.terms()]
        while self.mark("=") and len(found) < most:
            self.next()
            found.append(self.terms())
        return found

    def sides(self, most: int = 2) -> list[Node]:
        """One line."""
        found = self.equated(most)
        if self.mark(".", ","):
            self.next()
        self.ended()
        return found

    def ended(self) -> None:
        """Refuse what stands behind the last line."""
        if self.now.kind != "end":
            hint = "the right side alone" if self.mark("=") else ""
            raise self.fail(self.now.shown, "an operator or the end", hint)

    def terms(self) -> Node:
        """Terms with + and -."""
        self.deeper()
        column, signs = self.now.column, ""
        args: list[Node] = []
        while not args or self.mark("+", "-"):
            sign = self.next().text if self.mark("+", "-") else "+"
            signs += sign
            args.append(self.entrywise())
        self.depth -= 1
        if len(args) == 1:
            return args[0] if signs == "+" else self.node("unary", "-", (args[0],), column)
        return self.node("terms", signs, tuple(args), column)

    def entrywise(self) -> Node:
        r"""Products with \odot and \oslash between them."""
        column, signs, args = self.now.column, "", [self.product()]
        while self.command("odot", "oslash"):
            signs += "*" if self.next().text == "odot" else "/"
            args.append(self.product())
        return args[0] if len(args) == 1 else self.node("entrywise", signs, tuple(args), column)

    def product(self) -> Node:
        r"""Factors side by side or with \cdot, \times or / between them."""
        column, signs, args = self.now.column, "", [self.factor()]
        while True:
            token = self.now
            if token.text in PRODUCTS and token.kind in ("mark", "command"):
                self.next()
                signs += PRODUCTS[token.text]
                args.append(self.factor())
                if token.text in ("/", "div") and self.starts_factor():
                    raise self.fail(f"a factor after a division with / ({self.now.shown})", "brackets or \\frac",
                                    "a/b c may be (a/b) c or a/(b c)")
            elif self.starts_factor():
                signs += "j"
                args.append(self._beside(args[-1], token))
            else:
                break
            if len(args) > MOST_FACTORS:
                raise self.fail("a product that is too long", f"at most {MOST_FACTORS} factors")
        return args[0] if len(args) == 1 else self.node("product", signs, tuple(args), column)

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
        parts = [self.condition()]
        while self.mark(",") and self.ahead(1).text not in ("\\\\", "end"):
            self.next()
            parts.append(self.condition())
        tree = parts[0]
        for part in parts[1:]:
            tree = self.node("binary", "and", (tree, part), part.column)
        return tree

    def condition(self) -> Node:
        r"""a \le b \le c, or m \mid n."""
        sides, signs = [self.terms()], []
        while self.now.text in RELATIONS and self.now.kind in ("mark", "command"):
            signs.append(RELATIONS[self.next().text])
            sides.append(self.terms())
        if not signs and self.command("mid"):
            self.next()
            return self.node("divides", "", (sides[0], self.terms()))
        made = [self.node("binary", s, (a, b), a.column) for s, a, b in zip(signs, sides, sides[1:], strict=False)]
        tree = made[0] if made else sides[0]
        for part in made[1:]:
            tree = self.node("binary", "and", (tree, part), part.column)
        return tree

    def factor(self) -> Node:
        """An atom with its scripts."""
        self.deeper()
        made = self.scripts(self.atom())
        self.depth -= 1
        return made

    def scripts(self, base: Node) -> Node:
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
        return base

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
