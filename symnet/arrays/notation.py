"""Matrix notation of a definition: X^T D, D W^T ⊙ …, 1 b^T, diag(v) A. Where there is none, None: then the index form stands.

Vectors are columns. An index along time or depth is a superscript, not an axis. D_k stands for the gradient at z_k.
"""

from __future__ import annotations

from collections.abc import Mapping

import sympy as sp

from symnet.arrays.class_forms import class_form
from symnet.arrays.flow_axes import ALONG, along_sums
from symnet.arrays.lowering import lower_definition
from symnet.arrays.matrix_forms import of_matrix_form
from symnet.arrays.matrix_letters import ADD, ATOM, HAD, MUL, Form, Letters, brace
from symnet.arrays.scalars import power, squared_norm
from symnet.arrays.scalars import scale as scale_of
from symnet.arrays.tree import Apply, Contract, Labels, Leaf, Masked, Node, Number, OfMatrix, Softmax, is_inverse, sign_of, without_sign
from symnet.core.expressions import of_data
from symnet.core.functions import TABLE
from symnet.core.latex import LatexPrinter
from symnet.core.program import Definition
from symnet.core.tensors import Tensor

ONE = r"\mathbf{1}"


class NoForm(Exception):
    """The expression has no matrix form here."""


def matrix_latex(d: Definition, tensors: Mapping[str, Tensor], columns: bool = False) -> str | None:
    r"""``left = right`` in matrix notation, or None.

    With ``columns`` samples are columns: every letter of a matrix then stands for the transpose of what the program holds,
    so that Z = X W + 1 b^T reads Z = W X + b 1^T and X^T D reads D X^T.

    >>> from symnet.networks.architectures import mlp
    >>> from symnet.calculus import derive
    >>> full = derive(mlp()).full
    >>> matrix_latex(full.by_name["dL_dW2"][0], full.tensors)
    '\\frac{\\partial L}{\\partial W_{2}} = A_{1}^{\\top} D_{2}'
    """
    known = {**tensors, d.name: d.target}
    along = {i for i, axis in zip(d.indices, d.target.axes, strict=True) if axis.kind in ALONG}
    labels = tuple(i for i, axis in zip(d.indices, d.target.axes, strict=True) if axis.kind not in ALONG)
    if len(labels) > 2 or not all(i in d.free for i in labels):
        return None
    notation = _Notation(known, columns)
    try:
        right = notation.right(d, along, labels[::-1] if columns else labels)
    except NoForm:
        return None
    return f"{notation.letters.left(d)} = {right}"


class _Notation:
    def __init__(self, tensors: Mapping[str, Tensor], columns: bool = False) -> None:
        self.tensors, self.columns = tensors, columns
        self.printer = LatexPrinter(tensors)
        self.letters = Letters(tensors, self.printer)

    def right(self, d: Definition, along: set[sp.Symbol], labels: Labels) -> str:
        """The right side; sums over time or depth stand in front."""
        factor, over, body = along_sums(d.expr, self.tensors)
        inner = Definition(d.target, d.indices, body, (*d.ranges, *over))
        node = lower_definition(inner, along | {i for i, _, _ in over})
        shown = self.form(node, labels) if node.labels or not labels else self._filled(self.form(node, ()), len(labels))
        marks = "".join(rf"\sum_{{{i}={self.printer(lo)}}}^{{{self.printer(hi)}}} " for i, lo, hi in reversed(over))
        front = "" if factor == 1 else self.printer.within(factor, 2) + " "
        return front + marks + (shown.within(HAD) if over else shown.text)

    @staticmethod
    def _filled(number: Form, axes: int) -> Form:
        """An array whose entries are all one number: c 1, c 1 1^T."""
        ones = ONE if axes == 1 else rf"{ONE} {ONE}^{{\top}}"
        if number.text in ("0", "1", "-1"):
            return Form({"0": "0", "1": ones, "-1": f"-{ones}"}[number.text], MUL)
        return Form(f"{number.within(MUL)} {ones}", MUL)

    def form(self, node: Node, labels: Labels) -> Form:
        """``node`` as an array over ``labels``: a number, a column, or a matrix."""
        if set(node.labels) - set(labels):
            raise NoForm
        if set(node.labels) != set(labels) and node.labels:
            return self._repeated(node, labels)
        if isinstance(node, Leaf):
            return self._leaf(node, labels)
        if isinstance(node, Number):
            if node.labels:
                raise NoForm
            text, binds = self.printer.piece(node.value)
            return Form(text, ADD if binds == 1 else MUL if binds == 2 else ATOM)
        if isinstance(node, Apply):
            return self._apply(node, labels)
        if isinstance(node, Contract):
            return self._contract(node, labels)
        if isinstance(node, OfMatrix) and (shown := of_matrix_form(self.form, node, labels, self.columns)):
            return shown
        if isinstance(node, Masked):
            return self._diagonal(node, labels)
        if isinstance(node, Softmax) and labels and node.axis[0] == labels[0 if self.columns else -1]:
            name = r"\operatorname{softmax}"
            return Form(rf"{name}\left({self.form(node.body, labels).text}\right)", ATOM)
        raise NoForm

    def _diagonal(self, node: Masked, labels: Labels) -> Form:
        """[i = j] v[i] is diag(v); a number on the diagonal stands before the unit matrix. [j = y[i] + 1] is onehot(y, C)."""
        test = node.condition
        if of_data(test):
            found = class_form(self.form, self.letters, node, labels)
            if found is None:
                raise NoForm
            return found
        if len(labels) != 2 or not isinstance(test, sp.Eq) or set(test.args) != set(labels) or len(node.body.labels) > 1:
            raise NoForm
        inner = self.form(node.body, node.body.labels)
        if not node.body.labels:
            return Form("I" if inner.text == "1" else f"{inner.within(MUL)} I", MUL)
        return Form(rf"\operatorname{{diag}}\left({inner.text}\right)", MUL)

    def _repeated(self, node: Node, labels: Labels) -> Form:
        """A column repeated along the other axis: 1 b^T or v 1^T."""
        if len(node.labels) != 1 or len(labels) != 2:
            raise NoForm
        inner = self.form(node, node.labels)
        if node.labels[0] == labels[1]:
            return Form(rf"{ONE} {brace(inner.within(ATOM))}^{{\top}}", MUL)
        return Form(rf"{inner.within(MUL)} {ONE}^{{\top}}", MUL)

    def _leaf(self, node: Leaf, labels: Labels) -> Form:
        tensor = self.tensors[node.name]
        along = [p for p, a in zip(node.places, tensor.axes, strict=True) if a.kind in ALONG]
        plain = [p for p, a in zip(node.places, tensor.axes, strict=True) if a.kind not in ALONG]
        if tuple(plain) != node.labels or any(s in node.labels for p in along for s in p.free_symbols):
            raise NoForm
        axes = [a for a in tensor.axes if a.kind not in ALONG]
        if any(span != a.range for (_, span), a in zip(node.spans, axes, strict=True)):
            raise NoForm
        name = self.letters.name(tensor, along)
        if len(labels) < 2 or (node.labels == labels) is not self.columns:
            return Form(name, ATOM)
        return Form(rf"{brace(name)}^{{\top}}", ATOM)

    def _apply(self, node: Apply, labels: Labels) -> Form:
        if node.function is sp.Add:
            return self._add(node, labels)
        if node.function is sp.Mul:
            return self._mul(node, labels)
        if node.function is sp.Pow:
            shown = power(self.form, self.printer, node, labels)
            if shown is None:
                raise NoForm
            return shown
        if node.function in TABLE and len(node.args) == 1:
            inner = self.form(node.args[0], labels).text
            name = r"\exp" if node.function is sp.exp else TABLE[node.function].latex
            return Form(rf"{name}\left({inner}\right)", ATOM)
        raise NoForm

    def _add(self, node: Apply, labels: Labels) -> Form:
        terms = [(sign_of(a), a) for a in node.args]
        ordered = sorted(terms, key=lambda t: (t[0] < 0, not isinstance(t[1], Number), not isinstance(t[1], Contract)))
        text = ""
        for sign, term in ordered:
            bare = without_sign(term)
            shown = self._everywhere(bare, labels) if labels and not term.labels and not isinstance(bare, Number) else \
                self.form(bare, labels if term.labels else ()).within(HAD)
            text += (" - " if sign < 0 else " + " if text else "") + shown
        return Form(text.strip() if not text.startswith(" - ") else "-" + text[3:], ADD)

    def _everywhere(self, node: Node, labels: Labels) -> str:
        """A number added to every entry: b 1 beside a column, b 1 1^T beside a matrix. A plain number stands as it is, as in 1 - A."""
        return f"{self.form(node, ()).within(MUL)} {ONE}" + (rf" {ONE}^{{\top}}" if len(labels) == 2 else "")

    def _mul(self, node: Apply, labels: Labels) -> Form:
        if sign_of(node) < 0:
            return Form("-" + self.form(without_sign(node), labels).within(HAD), HAD)
        numbers = [a for a in node.args if not a.labels]
        arrays = [a for a in node.args if a.labels]
        scale, below = scale_of(self.form, numbers, not arrays)
        if not arrays:
            return Form(rf"\frac{{{scale or '1'}}}{{{below}}}" if below else scale or "1", MUL)
        body = self._product(arrays, labels)
        front = rf"\frac{{{scale or '1'}}}{{{below}}}" if below else scale
        return Form(f"{front} {body.within(MUL)}", MUL) if front else body

    def _product(self, arrays: list[Node], labels: Labels) -> Form:
        """Full arrays by ⊙, divisions by ⊘, columns by diag, two columns along different axes as an outer product."""
        full = [a for a in arrays if set(a.labels) == set(labels)]
        rows = [a for a in arrays if len(labels) == 2 and a.labels == (labels[0],)]
        columns = [a for a in arrays if len(labels) == 2 and a.labels == (labels[1],)]
        if len(full) + len(rows) + len(columns) != len(arrays):
            raise NoForm
        left, right = (self._hadamard(v, v[0].labels) if v else None for v in (rows, columns))
        if not full:
            if left is None or right is None:
                raise NoForm
            return Form(rf"{left.within(MUL)} {brace(right.within(ATOM))}^{{\top}}", MUL)
        body = self._hadamard(full, labels)
        if left is None and right is None:
            return body
        text = body.within(MUL)
        text = rf"\operatorname{{diag}}\left({left.text}\right) {text}" if left is not None else text
        return Form(rf"{text} \operatorname{{diag}}\left({right.text}\right)" if right is not None else text, MUL)

    def _hadamard(self, arrays: list[Node], labels: Labels) -> Form:
        above = [a for a in arrays if not is_inverse(a)]
        below = [a.args[0] for a in arrays if isinstance(a, Apply) and is_inverse(a)]
        order = sorted(above, key=lambda a: (not isinstance(a, Contract), self._is_gradient(a) is False, isinstance(a, Apply)))
        forms = [self.form(a, labels) for a in order]
        if len(forms) == 1 and not below:
            return forms[0]
        text = r" \odot ".join(f.within(MUL) for f in forms) or "1"
        return Form("".join([text, *(rf" \oslash {self.form(b, labels).within(ATOM)}" for b in below)]), HAD)

    def _is_gradient(self, node: Node) -> bool:
        return isinstance(node, Leaf) and self.tensors[node.name].of != ""

    def _contract(self, node: Contract, labels: Labels) -> Form:
        along = [(i, lo, hi) for i, lo, hi in node.over if not any(i in f.labels and self._plain(f, i) for f in node.factors)]
        if along:  # a sum over time or depth stays a sum
            raise NoForm
        over = [i for i, _, _ in node.over]
        factors = list(node.factors)
        squared = squared_norm(self.form, factors, over, labels, self.columns)
        if squared is not None:
            return squared
        if len(over) == 1 and len(factors) == 2:
            return self._matmul(factors, over[0], labels)
        return self._ones(factors, over, labels)

    @staticmethod
    def _plain(node: Node, i: sp.Symbol) -> bool:
        return i in node.labels

    def _matmul(self, factors: list[Node], k: sp.Symbol, labels: Labels) -> Form:
        for a, b in (factors, factors[::-1]):
            rows, columns = tuple(s for s in a.labels if s != k), tuple(s for s in b.labels if s != k)
            if k in a.labels and k in b.labels and len(rows) <= 1 and len(columns) <= 1 and rows + columns == labels \
                    and not set(rows) & set(columns):
                left = self.form(a, (*rows, k) if rows else (k,))
                right = self.form(b, (k, *columns))
                first = left.within(MUL) if rows else rf"{brace(left.within(ATOM))}^{{\top}}"
                if len(labels) == 1 and not rows:  # a column: (b^T a)^T = B^T a
                    return Form(f"{self.form(b, (*columns, k)).within(MUL)} {left.within(MUL)}", MUL)
                return Form(f"{first} {right.within(MUL)}", MUL)
        return self._ones(factors, [k], labels)

    def _ones(self, factors: list[Node], over: list[sp.Symbol], labels: Labels) -> Form:
        """Row sums, column sums and sums over all entries, with a vector of ones."""
        every = tuple(dict.fromkeys(s for f in factors for s in f.labels))
        every = every[::-1] if self.columns else every
        if set(every) != {*labels, *over} or len(every) > 2:
            raise NoForm
        arrays = [f for f in factors if f.labels]
        numbers = [f for f in factors if not f.labels]
        scale = " ".join(self.form(n, ()).within(MUL) for n in numbers)
        if len(labels) == 1 and len(over) == 1:
            body = rf"{self._product(arrays, (*labels, *over)).within(MUL)} {ONE}"
        elif len(over) == 1 and not labels:
            body = rf"{ONE}^{{\top}} {self._product(arrays, tuple(over)).within(MUL)}"
        elif len(over) == 2:
            body = rf"{ONE}^{{\top}} {self._product(arrays, every).within(MUL)} {ONE}"
        else:
            raise NoForm
        return Form(f"{scale} {body}".strip(), MUL)
