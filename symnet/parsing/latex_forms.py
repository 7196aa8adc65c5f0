r"""Larger forms of LaTeX maths: fractions, slopes \frac{\partial L}{\partial w}, sums with limits, cases and matrices, vectors of ones."""

from __future__ import annotations

from symnet.parsing.grammar import Node
from symnet.parsing.latex_atoms import Atoms
from symnet.parsing.latex_reader import NONE

MATRICES = ("pmatrix", "bmatrix", "matrix", "Bmatrix")


class Forms(Atoms):
    """Fractions, slopes, sums, rows."""

    def fraction(self, column: int) -> Node:
        r"""\frac{a}{b}; \frac{\partial L}{\partial w} is the name of a gradient."""
        slope = self.slope(column)
        if slope is not None:
            return slope
        above, below = self._argument(), self._argument()
        return self.node("binary", "/", (above, below), column)

    def _argument(self) -> Node:
        if self.mark("{"):
            return self.braced()
        if self.now.kind == "number":
            token = self.digit()
            return self.node("number", token.text, (), token.column)
        return self.single()

    def root(self, column: int) -> Node:
        r"""\sqrt{x} and \sqrt[3]{x}."""
        order = NONE
        if self.mark("["):
            self.next()
            order = self.terms()
            self.take("]")
        inner = self._argument()
        if order is NONE:
            return self.node("call", "sqrt", (inner,), column)
        one = self.node("number", "1", (), column)
        return self.node("raised", "odot", (inner, self.node("binary", "/", (one, order), column)), column)

    def slope(self, column: int) -> Node | None:
        r"""The rest of \frac{\partial L}{\partial w}, or None when the fraction is a quotient."""
        by_letter = self._differentials()
        if not (self.mark("{") and self.ahead(1).kind == "command" and self.ahead(1).text == "partial") and not by_letter:
            return None
        sign = "d" if by_letter else "partial"
        self.take("{")
        self._delta(sign)
        order = self._order()
        if self.mark("}"):
            raise self.fail("an operator", "\\frac{\\partial L}{\\partial w}, the slope of a name", column=column)
        top = self.factor()
        self.take("}")
        self.take("{")
        below = []
        while not self.mark("}"):
            self._delta(sign)
            below.append(self.factor())
        self.take("}")
        below = self._doubled(below)
        if len(below) != order:
            raise self.fail(f"a slope of order {order} with {len(below)} names below", "one name for each", column=column)
        return self.node("slope", sign, (top, *below), column)

    def _doubled(self, below: list[Node]) -> list[Node]:
        r"""\partial w^{2} stands for \partial w \partial w."""
        if len(below) == 1 and below[0].kind == "raised" and below[0].args[1].text == "2":
            return [below[0].args[0]] * 2
        return below

    def _delta(self, sign: str) -> None:
        token = self.next()
        if token.text in ("mathrm", "mathit") and sign == "d":
            self.take("{")
            token = self.next()
            self.take("}")
        if token.text != sign:
            raise self.fail(token.shown, "\\partial" if sign == "partial" else "d", column=token.column)

    def _order(self) -> int:
        if not self.mark("^"):
            return 1
        self.next()
        node = self.braced() if self.mark("{") else self.single()
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

    def slope_line(self, column: int) -> Node:
        r"""The rest of \partial L / \partial w."""
        top = self.factor()
        self.take("/")
        self._delta("partial")
        return self.node("slope", "partial", (top, self.factor()), column)

    def nabla(self, column: int) -> Node:
        r"""The rest of \nabla_{w} L."""
        self.take("_")
        below = self._argument()
        if not self.name_ahead():
            raise self.fail(self.now.shown, "the name of what is differentiated, as in \\nabla_{w} L")
        top = self.factor()
        if self.mark("("):
            raise self.fail("a bracket behind a gradient", "\\nabla_{w} L alone, or \\cdot before the bracket")
        return self.node("slope", "partial", (top, below), column)

    def sum(self, column: int) -> Node:
        r"""The rest of \sum_{i=1}^{N} …; without limits the index runs over the axis where it stands."""
        indices, low, high = [], NONE, NONE
        while self.mark("_", "^"):
            if self.next().text == "^":
                high = self.braced() if self.mark("{") else self.single()
                continue
            if not self.mark("{"):
                indices = [self.single()]
                continue
            self.take("{")
            indices = [self._index()]
            while self.mark(","):
                self.next()
                indices.append(self._index())
            if self.mark("="):
                self.next()
                low = self.terms()
            self.take("}")
        if not indices or len(indices) > 4 or (low is NONE) != (high is NONE) or (len(indices) > 1 and low is not NONE):
            found = "a sum without both limits" if indices else "a sum without an index"
            raise self.fail(found, "\\sum_{i=1}^{N} or \\sum_{i}", column=column)
        self.deeper()
        minus = self.mark("-")
        if minus:
            self.next()
        body = self.entrywise()
        self.depth -= 1
        body = self.node("unary", "-", (body,)) if minus else body
        for name in reversed(indices):
            body = self.node("sum", "sum", (body, name, low, high), column)
        return body

    def _index(self) -> Node:
        token = self.now
        name = self.name()
        while self.mark("'"):
            self.next()
            name += "'"
        return Node("printed", name, (NONE, NONE), token.column)

    def rows(self, column: int) -> Node:
        r"""The rest of \begin{cases} … \end{cases} or of a matrix written out."""
        kind = self.word()
        if kind != "cases" and kind not in MATRICES:
            raise self.fail(f"\\begin{{{kind[:20]}}}", "cases or pmatrix", column=column)
        self.deeper()
        self.open.append(kind)
        made = [self._row(kind)]
        while self.mark("\\\\"):
            self.next()
            if not self.command("end"):
                made.append(self._row(kind))
        if not self.command("end"):
            raise self.fail(self.now.shown, f"\\end{{{kind}}}")
        self.next()
        if self.word() != kind:
            raise self.fail("another \\end", f"\\end{{{kind}}}", column=column)
        self.open.pop()
        self.depth -= 1
        return self.node("cases" if kind == "cases" else "rows", "", tuple(made), column)

    def _row(self, kind: str) -> Node:
        cells = [self.terms()]
        if kind == "cases":
            if self.mark(","):
                self.next()
            self.take("&")
            return self.node("row", "", (cells[0], self._case()))
        while self.mark("&"):
            self.next()
            cells.append(self.terms())
        return self.node("row", "", tuple(cells))

    def _case(self) -> Node:
        """The condition of one case; NONE for otherwise."""
        if self.command("text", "mathrm", "textbf", "textit"):
            self.next()
            word = self.word().rstrip(".,")
            if word in ("otherwise", "else"):
                if self.mark(",", "."):
                    self.next()
                return NONE
            if word not in ("if", "for", "when", "where"):
                raise self.fail(f"the word {word!r}", "if or otherwise")
        found = self.conditions()
        if self.mark(",", "."):
            self.next()
        return found

    def is_one(self) -> bool:
        r"""True at \mathbf{1} and \mathbb{1}, and at \mathbf 1."""
        return self.ahead(1).text == "1" or [self.ahead(k).text for k in (1, 2, 3)] == ["{", "1", "}"]

    def ones(self, column: int) -> Node:
        r"""\mathbf{1} is a vector of ones, \mathbf{1}_{N} one of known length; \mathbf{1}[c] and \mathbf{1}_{c} are 1 where c holds."""
        self.next()
        if self.mark("{"):
            self.take("{")
            self.next()
            self.take("}")
        else:
            self.next()
        if self.mark("[") or self.mark(r"\{"):
            made = self.bracketed()
            if made.kind == "bracket":
                return made
            raise self.fail("no comparison in the bracket", "\\mathbf{1}[z > 0]", column=column)
        if not self.mark("_"):
            return self.node("ones", "", (), column)
        self.next()
        self.take("{") if self.mark("{") else None
        braces = self.ahead(-1).text == "{"
        inner = self.conditions() if braces else self.single()
        if braces:
            self.take("}")
        if inner.kind in ("divides",) or inner.text in ("<", ">", "<=", ">=", "==", "!=", "and"):
            return self.node("bracket", "[]", (inner,), column)
        return self.node("ones", "", (inner,), column)
