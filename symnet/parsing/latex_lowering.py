r"""LaTeX to meaning by the textbook's conventions: names as they are printed, vectors that stand or lie, sums, cases, matrices.

A power of a square matrix is refused unless it says which: A^{\odot 2} entry by entry, A A as a product; A^{-1} is the inverse.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import sympy as sp

from symnet.core.axes import Axis, Range, index
from symnet.core.expressions import When, total
from symnet.core.functions import BY_NAME
from symnet.core.tensors import Tensor
from symnet.errors import MismatchError, NameError_, ParseError, ShapeError, did_you_mean
from symnet.indexing.arithmetic import elementwise, outer, reduce_sum
from symnet.indexing.conditions import choose, indicator, times
from symnet.indexing.index_array import IndexArray, apart, new_indices, number, of_tensor
from symnet.parsing.conventions import (
    OPEN,
    TEXTBOOK,
    UNKNOWN,
    Row,
    Unit,
    as_they_lie,
    column,
    is_open,
    ones,
    product,
    row,
    stretch,
    together,
    transpose,
)
from symnet.parsing.function_call import Call
from symnet.parsing.functions import FUNCTIONS, built
from symnet.parsing.latex_grammar import NONE
from symnet.parsing.latex_names import ALONG, Names, Reading
from symnet.parsing.lost_conditions import ASKING
from symnet.parsing.lowering import CONSTANTS, MAX_PRODUCTS, MOST_CELLS, Lowering
from symnet.parsing.matrices import stacked, written_out
from symnet.parsing.naming import SPELLED, is_one_letter
from symnet.parsing.node import Node
from symnet.parsing.own_lines import key_of

NAMES = frozenset(FUNCTIONS) | frozenset(BY_NAME)
WHOLE = frozenset({"softmax", "log_softmax", "sum", "mean", "norm", "linalg.norm", "trace", "tr", "outer", "dot", "matmul", "transpose",
                   "det", "linalg.det", "logdet", "inv", "linalg.inv", "solve", "linalg.solve", "kron",
                   "vec", "ravel", "diag", "eye", "identity", "onehot", "one_hot", "tril", "triu", "arange", "var", "std"})


class LatexLowering(Lowering):
    """The names that one piece of LaTeX may use."""

    convention = TEXTBOOK

    def __init__(self, tensors: Mapping[str, Tensor], sizes: Mapping[str, sp.Symbol], where: str,
                 free: Mapping[str, sp.Symbol] | None = None, columns: bool = False, partial: str = "") -> None:
        super().__init__(tensors, sizes, where, free)
        self.names, self.columns = Names(tensors, self._place, partial), columns

    @property
    def partly(self) -> bool:
        """True once one letter stood below a matrix."""
        return self.names.partly

    def _place(self, node: Node) -> sp.Expr:
        place = self.scalar(node)
        if not all(s.is_integer for s in place.free_symbols) or place.has(sp.Indexed):
            raise ShapeError(self.at(node), f"{place} as an index", "an index or a whole number")
        return place

    def _sized(self, node: Node, value: IndexArray) -> IndexArray:
        """A vector of ones may be an argument: its size is found where the function of it is used."""
        return super()._sized(node, value) if isinstance(value, Unit) else value

    def _printed(self, node: Node) -> IndexArray:
        bare = not node.args[0].args and not node.args[1].args
        if bare and index_name(node.text) in self.scope:
            return number(self.scope[index_name(node.text)])
        own = self.own.get(key_of(node), shown(node))
        if own is not None:
            return own
        if node.text.endswith("'"):
            raise NameError_(self.at(node), f"the prime of {node.text.rstrip(chr(39))!r}", "a prime behind a function or an index",
                             "X^{\\top} for the transpose")
        found = self.names.readings(node)
        if len(found) > 1:
            raise NameError_(self.at(node), f"{shown(node)} may be " + " or ".join(map(spelled, found)), "a name with one reading")
        return self._meant(found[0]) if found else self._other(node, bare)

    def _prime(self, node: Node) -> IndexArray:
        """sigma'(z); f'(z), where a = f(z) is a line; and k' (…), the product of an index."""
        letter = index_name(f"{node.text}'")
        if letter in self.scope:
            return product(self.at(node), "j", number(self.scope[letter]), self.any(node.args[0]))
        return super()._prime(node)

    def activation(self, node: Node) -> IndexArray | None:
        inner = node.args[0].args[0] if node.args[0].kind == "group" else node.args[0]
        below = self.names.readings(inner)
        above = self.names.readings(Node("printed", node.text, (NONE, NONE), node.column))
        if len(below) != 1 or len(above) > 1 or not (above or is_one_letter(node.text)):
            return None
        value = self.slopes(above[0].tensor.name if above else "", below[0].tensor.name)
        if value is None or all(s is None for s in below[0].slots):
            return value
        return number(value.at(*[s for s in below[0].slots if s is not None])) if None not in below[0].slots else None

    def _meant(self, reading: Reading) -> IndexArray:
        """A tensor with the places that are given filled in."""
        axes = tuple(a for a, s in zip(reading.tensor.axes, reading.slots, strict=True) if s is None)
        letters = new_indices(axes)
        fill = iter(letters)
        places = tuple(next(fill) if s is None else s for s in reading.slots)
        for place, axis, slot in zip(places, reading.tensor.axes, reading.slots, strict=True):
            if slot is not None and place.is_Symbol and not place.is_positive:
                self.spans.setdefault(place, []).append(axis.range)
        made = IndexArray.over(axes, letters, reading.tensor[places] if places else reading.tensor[()])
        kinds = [a for a in axes if a.kind not in ALONG]
        made = made.transposed if self.columns and len(kinds) == len(axes) == 2 else made
        return row(made) if reading.lies else made

    def _other(self, node: Node, bare: bool) -> IndexArray:
        """A size, a constant or a unit matrix."""
        name = shown(node).replace("_", "").translate(str.maketrans("", "", "{}"))
        for size, symbol in self.sizes.items():
            if size.replace("_", "") == name:
                return number(symbol)
        if node.text == "I" and not node.args[1].args:
            if bare:
                return Unit((), sp.S.One)
            (below,) = node.args[0].args if len(node.args[0].args) == 1 else (None,)
            if below is not None and len(below.args) == 1:
                return stretch(Unit((), sp.S.One), (Axis.of(self._size(below.args[0])),) * 2)
        if bare and node.text in CONSTANTS:
            return number(CONSTANTS[node.text])
        if bare and node.text in SPELLED and (found := self.find(node.text)) is not None:
            return of_tensor(self.tensors[found])
        if node.text == "delta" and node.args[0].args and not node.args[1].args:  # Kronecker's
            places = self.names.fit(node.args[0].args, 2)
            if places is not None:
                return number(When(sp.S.One, sp.Eq(*places)))
        known = [*self.tensors, *self.sizes, *self.scope]
        power = node.args[1].args and node.text in known
        raise NameError_(self.at(node), f"unknown name {shown(node)}", "a declared name",
                         "^{2} for the square; ^{(2)} is part of a name" if power else did_you_mean(name, known))

    def _size(self, node: Node) -> sp.Expr:
        size = self.scalar(node)
        if not size.is_integer or not size.is_positive or size.free_symbols - set(self.sizes.values()):
            raise ShapeError(self.at(node), f"the size {size}", "a size such as N or 3")
        return size

    def _slope(self, node: Node) -> IndexArray:
        if node.text == "d" and ("d" in self.tensors or "d" in self.sizes):
            raise NameError_(self.at(node), "d is a declared name: the fraction may be a quotient or a slope", "\\partial for the slope")
        found = self.names.slopes(node.args[0], tuple(a.args[0] if a.kind == "transpose" else a for a in node.args[1:]))
        said = f"the slope of {shown(node.args[0])} by {' and '.join(map(shown, node.args[1:]))}"
        if len(found) > 1:
            raise NameError_(self.at(node), f"{said} may be " + " or ".join(map(spelled, found)), "a slope with one reading")
        if not found and len(node.args) == 2:
            names = [self.names.readings(a) for a in node.args]
            if all(len(n) == 1 and all(s is None for s in n[0].slots) for n in names):
                value = self.slopes(names[0][0].tensor.name, names[1][0].tensor.name)
                if value is not None:
                    return value
        if not found:
            raise NameError_(self.at(node), said, "a slope that has a name here", "write out what it is")
        return self._meant(found[0])

    def _group(self, node: Node) -> IndexArray:
        return self.value(node.args[0])

    def _terms(self, node: Node) -> IndexArray:
        values = [self.any(a) for a in node.args]
        signed = [v if s == "+" else replace(v, expr=-v.expr) for s, v in zip(node.text, values, strict=True)]
        if not any(v.axes or isinstance(v, Unit) for v in signed):
            return number(sp.Add(*[v.expr for v in signed]))
        made = signed[0]
        for value in signed[1:]:
            made = together(self.at(node), "+", lambda a, b: a + b, made, value)
        return made

    def _entrywise(self, node: Node) -> IndexArray:
        made = self.any(node.args[0])
        for sign, arg in zip(node.text, node.args[1:], strict=True):
            made = together(self.at(arg), "\\odot" if sign == "*" else "\\oslash", times if sign == "*" else self.over(arg), made,
                            self.any(arg))
        return made

    def _product(self, node: Node) -> IndexArray:
        values, args, signs = list[IndexArray](), list(node.args), node.text
        while args:
            said = self._said_again(*args[:2]) if len(args) > 1 and signs[len(values)] == "j" else None
            values.append(self.any(args[0]) if said is None else said)
            signs = signs if said is None else signs[:len(values) - 1] + signs[len(values):]
            args = args[1 if said is None else 2:]
        made, rest = values[0], node.args[len(node.args) - len(values) + 1:]
        for sign, arg, value in zip(signs, rest, values[1:], strict=True):
            if sign == "/":
                made = self._divided(arg, made, value)
            elif sign == "k":
                made = self._kron(arg, made, value)
            else:
                self.products += bool(made.axes and value.axes)
                if self.products > MAX_PRODUCTS:
                    raise ParseError(self.at(arg), "too many matrix products", f"at most {MAX_PRODUCTS}")
                made = product(self.at(arg), sign, made, value)
        return made

    def _said_again(self, name: Node, of: Node) -> IndexArray | None:
        r"""h_\theta(x) is h, where h is made of \theta and of x; h_\theta(x^{(n)}) is its entry n."""
        if name.kind != "printed" or of.kind != "group" or len(name.args[0].args) != 1 or self.names.readings(name):
            return None
        bare = Node("printed", name.text, (NONE, name.args[1]), name.column)
        below = name.args[0].args[0].args
        found = [self.names.readings(n) for n in (bare, *below[:1], of.args[0])] if len(below) == 1 else [[]]
        if any(len(f) != 1 for f in found):
            return None
        above, parameter, data = (f[0] for f in found)
        if not all(self.depends(above.tensor.name, r.tensor.name) for r in (parameter, data)):
            return None
        places = [s for s in data.slots if s is not None]
        if not places:
            return self._meant(above)
        at = [a.range for a, s in zip(data.tensor.axes, data.slots, strict=True) if s is not None]
        if at != [a.range for a in above.tensor.axes]:
            raise ShapeError(self.at(of), f"{shown(name)} at {shown(of.args[0])}", f"an index on the axes of {name.text}")
        return self._meant(Reading(above.tensor, tuple(places)))

    def _divided(self, node: Node, above: IndexArray, below: IndexArray) -> IndexArray:
        if (below.axes and len(above.axes) > 1) or isinstance(below, Unit):
            raise ShapeError(self.at(node), f"{above.shape} over {below.shape}", "a number below", "\\oslash entry by entry")
        self.ask(below, "=")
        if isinstance(above, Unit):
            return Unit((), self.over(node)(above.expr, below.expr))
        return together(self.at(node), "a fraction", self.over(node), above, below)

    def _kron(self, node: Node, a: IndexArray, b: IndexArray) -> IndexArray:
        if len(a.axes) == len(b.axes) == 1 and not isinstance(a, Row):  # of a^T and b it is b a^T
            return outer(a, column(b))
        if len(a.axes) != 2 or len(b.axes) != 2 or is_open(a) or is_open(b):
            raise ShapeError(self.at(node), f"\\otimes between {a.shape} and {b.shape}", "two vectors or two matrices",
                             "a b^{\\top} for an outer product")
        self.products += MAX_PRODUCTS // 4
        if self.products > MAX_PRODUCTS:
            raise ParseError(self.at(node), "too many Kronecker products", "4 at most")
        return built(Call("kron", self.at(node), (a, b)))

    def _binary(self, node: Node) -> IndexArray:
        if node.text == "/":
            return self._divided(node, self.any(node.args[0]), self.any(node.args[1]))
        return super()._binary(node)

    def _transpose(self, node: Node) -> IndexArray:
        value = self.any(node.args[0])
        if not isinstance(value, Unit) and self.power_of_t(node, value):
            return self.to_the_t(node, value)
        return value if isinstance(value, Unit) else transpose(self.at(node), value)

    def _ones(self, node: Node) -> IndexArray:
        if not node.args:
            return ones()
        axis = Axis.of(self._size(node.args[0]))
        return IndexArray.over((axis,), new_indices((axis,)), sp.S.One)

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
            return made if node.text in WHOLE else as_they_lie(made, args)
        known = BY_NAME[node.text]
        if len(args) != len(known.derivative):
            raise ParseError(self.at(node), f"{node.text} with {len(args)} arguments", str(len(known.derivative)))
        return self.convention.applied(self.at(node), node.text, known.function, *args)

    def _raised(self, node: Node) -> IndexArray:
        layer = self.names.layered(node, number=node.args[0].text == "delta")
        if len(layer) == 1:
            return self._meant(layer[0])
        base, exponent = self.real(node.args[0]), self.value(node.args[1])
        power = exponent.expr
        if exponent.axes:
            raise ShapeError(self.at(node), f"an exponent of shape {exponent.shape}", "a number")
        if base.axes and not node.text:
            if len(base.axes) == 2 and power == -1:
                return built(Call("inv", self.at(node), (base,)))
            if power == -1:
                raise ShapeError(self.at(node), f"the inverse of shape {base.shape}", "a square matrix", "1 \\oslash x entry by entry")
            self.no_square(node, base, power)
        made = self._power(node, column(base), exponent)
        if made.expr.has(sp.I):
            raise ParseError(self.at(node), "a value that no real number has, such as the root of -1", "a real number")
        return as_they_lie(made, (base,))

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
        if self.partly and any(span != (limits or span) for span in self.spans.get(symbol, ())):
            raise ShapeError(self.at(name), f"two ranges for the index {shown(name)}", "one range for each index")
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
            ranges = "two ranges, " + " and ".join(f"{lo}..{hi}" for lo, hi in found) + "," if found else "no range"
            kind = MismatchError if apart(found) else ShapeError
            raise kind(self.at(node), f"{ranges} for the index {shown(node)}", "\\sum_{i=1}^{N} with its limits")
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
        if len(rows[0]) == 1:
            return stacked([number(r[0]) for r in rows])
        return row(stacked([number(e) for e in rows[0]])) if len(rows) == 1 else written_out(rows)


def index_name(letter: str) -> str:
    """k' is the index k1, as it is printed."""
    bare = letter.rstrip("'")
    return bare if bare == letter else f"{bare}{len(letter) - len(bare)}"


def shown(node: Node) -> str:
    """A name with its scripts, for a message."""
    if node.kind == "slope":
        return f"the slope of {shown(node.args[0])}"
    if node.kind != "printed":
        return shown(node.args[0]) if node.args else node.text or node.kind
    letter, _, accent = node.text.partition(":")
    below, above = (",".join(part.text for part in scripts.args) for scripts in node.args)
    return (f"{accent} {letter}" if accent else letter) + (f"_{{{below}}}" if below else "") + (f"^{{({above})}}" if above else "")


def spelled(reading: Reading) -> str:
    """A reading in plain maths: W1, W1[i, j] or z[l, :]."""
    places = ", ".join(":" if s is None else str(s) for s in reading.slots)
    return f"{reading.tensor.name}[{places}]" if any(s is not None for s in reading.slots) else reading.tensor.name
