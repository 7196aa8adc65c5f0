r"""LaTeX to meaning: the same values as plain maths, with names as they are printed.

Nothing is evaluated. Names are looked up among the declared tensors (latex_names.py); a name with two readings is refused with both.
A power of a square matrix is refused unless it says which: A^{\odot 2} entry by entry, A A as a product; A^{-1} is the inverse.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import sympy as sp

from symnet.core.axes import Axis, Range, index
from symnet.core.expressions import When, total
from symnet.core.functions import BY_NAME
from symnet.core.tensors import Tensor, sizes_of
from symnet.errors import NameError_, ParseError, ShapeError
from symnet.indexing.arithmetic import elementwise, reduce_sum
from symnet.indexing.conditions import choose, indicator
from symnet.indexing.index_array import IndexArray, new_indices, number
from symnet.parsing.function_call import Call
from symnet.parsing.functions import FUNCTIONS, built
from symnet.parsing.latex_lines import LatexLines, use_lines
from symnet.parsing.latex_lowering import Sides, index_name, shown
from symnet.parsing.latex_products import OPEN, UNKNOWN, Row, Unit, column, is_open, row, stretch
from symnet.parsing.lost_conditions import ASKING, with_holes
from symnet.parsing.node import Node

NAMES = frozenset(FUNCTIONS) | frozenset(BY_NAME)
WHOLE = frozenset({"softmax", "log_softmax", "sum", "mean", "norm", "linalg.norm", "trace", "tr", "outer", "dot", "matmul", "transpose",
                   "det", "linalg.det", "logdet", "inv", "linalg.inv", "solve", "linalg.solve", "kron",
                   "vec", "ravel", "diag", "eye", "identity", "onehot"})
MOST_CELLS = 64


class LatexLowering(Sides):
    """The names that one piece of LaTeX may use."""

    def _call(self, node: Node) -> IndexArray:
        args = [self.real(a) for a in node.args]
        for _, base in node.keywords:  # e^{x}, which is a power where e is declared
            if self.names.readings(base):
                return self._power(node, self.real(base), args[0])
        if node.text in WHOLE and any(OPEN in a.axes for a in args):
            raise ShapeError(self.at(node), UNKNOWN, "\\mathbf{1}_{N} with its length")
        axis = 0 if self.columns and node.text.endswith("softmax") and len(args[0].axes) == 2 else None
        if node.text in ASKING:
            self.ask(args[0], ASKING[node.text])
        if node.text in FUNCTIONS:
            made = built(Call(node.text, self.at(node), tuple(map(column, args)), axis))
        else:
            made = elementwise(self.at(node), node.text, self._checked(node), *map(column, args))
        lying = node.text not in WHOLE and any(isinstance(a, Row) for a in args) and all(isinstance(a, Row) or not a.axes for a in args)
        return row(made) if lying else made

    def _checked(self, node: Node) -> Callable[..., sp.Expr]:
        function: Callable[..., sp.Expr] = BY_NAME[node.text].function
        if len(node.args) != len(BY_NAME[node.text].derivative):
            raise ParseError(self.at(node), f"{node.text} with {len(node.args)} arguments", str(len(BY_NAME[node.text].derivative)))
        return function

    def _prime(self, node: Node) -> IndexArray:
        """The derivative of a named function of one argument."""
        known = BY_NAME.get(node.text)
        if known is None or len(known.derivative) != 1 or len(node.args) != 1:
            raise ParseError(self.at(node), f"the derivative of {node.text}", "a function of one argument that symnet knows")
        inner = self.real(node.args[0])
        made = elementwise(self.at(node), node.text, lambda z: known.derivative[0](z, known.function(z)), column(inner))
        return row(made) if isinstance(inner, Row) else made

    def _raised(self, node: Node) -> IndexArray:
        base, exponent = self.real(node.args[0]), self.value(node.args[1])
        power = exponent.expr
        if exponent.axes:
            raise ShapeError(self.at(node), f"an exponent of shape {exponent.shape}", "a number")
        if base.axes and not node.text:
            if len(base.axes) == 2 and power == -1:
                return built(Call("inv", self.at(node), (base,)))
            if power == -1:
                raise ShapeError(self.at(node), f"the inverse of shape {base.shape}", "a square matrix", "1 \\oslash x entry by entry")
            if len(base.axes) == 2 and base.is_square:
                raise ShapeError(self.at(node), f"the power {power} of a square matrix, which may be a product or entry by entry",
                                 "A A, or A^{\\odot 2}")
        made = self._power(node, column(base), exponent)
        if made.expr.has(sp.I):
            raise ParseError(self.at(node), "a value that no real number has, such as the root of -1", "a real number")
        return row(made) if isinstance(base, Row) else made

    def _norm(self, node: Node) -> IndexArray:
        value = column(self.real(node.args[0]))
        if len(value.axes) == 2:
            raise ShapeError(self.at(node), "the norm of a matrix, which may be Frobenius' or the spectral norm", "\\lVert A \\rVert_{F}")
        return self._normed(node, value, "2")

    def _normed(self, node: Node, value: IndexArray, kind: str) -> IndexArray:
        if OPEN in value.axes:
            raise ShapeError(self.at(node), UNKNOWN, "\\mathbf{1}_{N} with its length")
        if kind == "1" and len(value.axes) < 2:
            return reduce_sum(self.at(node), elementwise(self.at(node), "abs", sp.Abs, value), None)
        if kind not in ("2", "F") or (kind == "2" and len(value.axes) == 2):
            raise ParseError(self.at(node), f"the norm {kind} of shape {value.shape}", "1 or 2 of a vector, F of a matrix")
        squares = reduce_sum(self.at(node), replace(value, expr=value.expr**2), None)
        return number(sp.sqrt(squares.expr))

    def _abs(self, node: Node) -> IndexArray:
        value = self.real(node.args[0])
        if value.axes:
            raise ShapeError(self.at(node), f"|…| of shape {value.shape}, which may be entry by entry, a norm or a determinant",
                             "\\operatorname{abs}, \\lVert x \\rVert or \\det")
        return number(sp.Abs(value.expr))

    def _sum(self, node: Node) -> IndexArray:
        body, name, low, high = node.args
        text = index_name(name.text)
        if text in self.tensors or text in self.scope:  # a size may be hidden by an index, as a book's k is
            raise NameError_(self.at(name), f"the index {shown(name)!r} is already a name", "another letter")
        limits = None if low.kind == "none" else (self._place(low), self._place(high))
        terms = self.loop(node, *limits) if limits else self.terms
        symbol, saved, spans = index(text), dict(self.scope), self.spans.pop(index(text), [])
        self.scope[text], asked = symbol, len(self.asked)
        value = self.any(body)
        self.scope, self.terms = saved, terms
        limits = limits or self._span(name, symbol)
        self.asked_everywhere(asked, [(symbol, *limits)])
        self.spans[symbol] = spans
        if isinstance(value, Unit):
            raise ShapeError(self.at(node), UNKNOWN, "I_{d} with its size")
        return replace(value, expr=total(value.expr, ((symbol, *limits),)))

    def _span(self, node: Node, symbol: sp.Symbol) -> Range:
        """The range of an index, from the axes where it stands."""
        found: list[Range] = list(dict.fromkeys(self.spans.get(symbol, [])))
        if len(found) != 1:
            count = "two ranges" if found else "no range"
            raise ShapeError(self.at(node), f"{count} for the index {shown(node)}", "\\sum_{i=1}^{N} with its limits")
        return found[0]

    def _at(self, node: Node) -> IndexArray:
        """An entry of what is in brackets, or the array whose entry is in the brackets: (A B)_{ij} and [x_i y_j]_{i,j}."""
        base, parts = node.args[0], node.args[1:]
        if base.kind == "norm":
            return self._normed(node, column(self.real(base.args[0])), parts[0].text)
        letters = [a for p in parts for a in p.args]
        if len(letters) <= 2 and letters and all(a.kind == "printed" and not a.args[0].args and self._is_new(a.text) for a in letters):
            return self._array(node, [index_name(a.text) for a in letters])
        value = column(self.real(base))
        places = self.names.fit(tuple(parts), len(value.axes)) if value.axes and OPEN not in value.axes else None
        if places is None:
            raise ShapeError(self.at(node), f"indices below {value.shape}", f"{len(value.axes)} indices")
        return number(value.at(*places))

    def _is_new(self, name: str) -> bool:
        return index_name(name) not in self.scope and name not in self.sizes and len(name.rstrip("'")) == 1

    def _array(self, node: Node, letters: list[str]) -> IndexArray:
        if len(set(letters)) != len(letters) or set(letters) & set(self.tensors):
            raise NameError_(self.at(node), f"the indices {', '.join(letters)}", "letters that are no names, each once")
        symbols, saved = [index(c) for c in letters], dict(self.scope)
        self.scope |= dict(zip(letters, symbols, strict=True))
        asked = len(self.asked)
        entry = self.scalar(node.args[0])
        self.scope = saved
        spans = [self._span(node, s) for s in symbols]
        self.asked_everywhere(asked, [(s, *span) for s, span in zip(symbols, spans, strict=True)])
        axes = tuple(Axis(str(hi), lo, hi) for lo, hi in spans)
        places = new_indices(axes)
        return IndexArray.over(axes, places, entry.xreplace(dict(zip(symbols, places, strict=True))))

    def _cases(self, node: Node) -> IndexArray:
        tests = [None if r.args[1].kind == "none" else self._test(r.args[1]) for r in node.args]
        values = []
        for k, r in enumerate(node.args):
            own, said = tests[k], [sp.Not(t.expr) for t in tests[:k] if t is not None]
            values.append(self.branch(r.args[0], sp.And(*said, sp.true if own is None else own.expr, evaluate=False)))
        if len(tests) == 2 and tests[0] and tests[1] and sp.Not(tests[0].expr) == tests[1].expr:
            tests[1] = None
        if None in tests[:-1] or tests[-1] is not None or len(tests) < 2:
            raise ParseError(self.at(node), "cases that do not end with \\text{otherwise}", "one line for each case, the rest last")
        count = len(values)

        def cases(*found: sp.Expr) -> sp.Expr:
            if any(test.has(sp.Piecewise) for test in found[count:]):
                made = found[count - 1]
                for value, test in zip(found[count - 2::-1], found[:count - 1:-1], strict=True):
                    made = choose(test, value, made)
                return made
            return sp.Piecewise(*zip(found[:count], [*found[count:], True], strict=True), evaluate=False)
        return elementwise(self.at(node), "cases", cases, *map(column, values), *[t for t in tests if t is not None])

    def _test(self, node: Node) -> IndexArray:
        value = self.value(node)
        if not isinstance(value.expr, (sp.logic.boolalg.Boolean,)) or isinstance(value.expr, sp.Symbol):
            raise ParseError(self.at(node), "no comparison", "a comparison such as z > 0")
        return value

    def _bracket(self, node: Node) -> IndexArray:
        value = self._test(node.args[0])
        return elementwise(self.at(node), "[…]", indicator, value)

    def _divides(self, node: Node) -> IndexArray:
        step_, place = self.scalar(node.args[0]), self.scalar(node.args[1])
        return number(sp.Eq(sp.Mod(place, step_), 0))

    def _rows(self, node: Node) -> IndexArray:
        """A matrix written out."""
        rows = [[self.scalar(c) for c in r.args] for r in node.args]
        if len({len(r) for r in rows}) != 1 or len(rows) * len(rows[0]) > MOST_CELLS:
            raise ShapeError(self.at(node), "rows of different lengths or too many entries", f"a full matrix, {MOST_CELLS} entries at most")
        axes = (Axis.of(len(rows)), Axis.of(len(rows[0])))
        i, j = new_indices(axes)
        cells = [When(e, sp.And(sp.Eq(i, r), sp.Eq(j, c))) for r, cells in enumerate(rows, 1) for c, e in enumerate(cells, 1)]
        made = IndexArray.over(axes, (i, j), sp.Add(*cells))
        if len(rows[0]) == 1:
            return IndexArray.over(axes[:1], (i,), made.expr.xreplace({j: sp.S.One}))
        return Row.over(axes[1:], (j,), made.expr.xreplace({i: sp.S.One})) if len(rows) == 1 else made


def latex_expression(text: str, tensors: Mapping[str, Tensor], sizes: Mapping[str, sp.Symbol] | None = None, where: str = "LaTeX",
                     free: Mapping[str, sp.Symbol] | None = None, axes: Sequence[Axis] = (), columns: bool = False,
                     given: Mapping[str, sp.Expr] | None = None) -> IndexArray:
    r"""One expression in LaTeX over declared tensors: its axes, indices and SymPy entry.

    ``free`` are the indices that the left side gives; ``axes`` the shape that is wanted, which tells how long a vector of ones is.
    A part may be named in a line of its own; ``given`` says what declared names stand for, which a line may say again.
    With ``columns`` every letter of a matrix stands for the transpose of what is declared. Raises ParseError, NameError_ or
    ShapeError in one line.

    >>> from symnet.parsing.declaring import tensor_of
    >>> tensors = {name: tensor_of(name, shape) for name, shape in {"X": ("N", "d"), "w": "d", "y": "N"}.items()}
    >>> latex_expression(r"\frac{2}{N} X^{\top} \left(X w - y\right)", tensors).shape
    '(d,)'
    """
    lowering = LatexLowering(tensors, sizes or sizes_of(tensors), where, free, columns)
    (*left, right), lines = LatexLines(text, where, NAMES).lines()
    if left:
        raise ParseError(f"{where}, column {left[0].column}", "a left side and =", "the right side alone")
    use_lines(lowering, lines, given or {}, where)
    return understood(right, lowering, axes, where)


def understood(tree: Node, lowering: LatexLowering, axes: Sequence[Axis], where: str) -> IndexArray:
    """The meaning of a tree, with every size known."""
    value = stretch(lowering.any(tree), axes)
    holes = list(lowering.asked)
    lowering.own.finish()
    if is_open(value):
        raise ShapeError(where, UNKNOWN, "\\mathbf{1}_{N} or I_{d} with its size")
    return with_holes(column(value), holes)
