"""LaTeX to meaning, first half: names as they are printed, sums and products with vectors that stand or lie."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import sympy as sp

from symnet.core.axes import Axis
from symnet.core.tensors import Tensor
from symnet.errors import NameError_, ParseError, ShapeError, did_you_mean
from symnet.indexing.conditions import times
from symnet.indexing.index_array import IndexArray, new_indices, number
from symnet.parsing.function_call import Call
from symnet.parsing.functions import built
from symnet.parsing.latex_names import ALONG, Names, Reading
from symnet.parsing.latex_products import Unit, is_open, ones, product, stretch, together, transpose
from symnet.parsing.lowering import CONSTANTS, MAX_PRODUCTS, Lowering
from symnet.parsing.node import Node
from symnet.parsing.own_lines import key_of


class Sides(Lowering):
    """The names that one piece of LaTeX may use."""

    sized = "I_{d} with its size"

    def __init__(self, tensors: Mapping[str, Tensor], sizes: Mapping[str, sp.Symbol], where: str,
                 free: Mapping[str, sp.Symbol] | None = None, columns: bool = False) -> None:
        super().__init__(tensors, sizes, where, free)
        self.names, self.columns = Names(tensors, self._place), columns
    def _place(self, node: Node) -> sp.Expr:
        place = self.scalar(node)
        if not all(s.is_integer for s in place.free_symbols) or place.has(sp.Indexed):
            raise ShapeError(self.at(node), f"{place} as an index", "an index or a whole number")
        return place

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
        return made.transposed if self.columns and len(kinds) == len(axes) == 2 else made

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
        if not found:
            raise NameError_(self.at(node), said, "a slope that has a name here", "write out what it is")
        return self._meant(found[0])

    def _group(self, node: Node) -> IndexArray:
        return self.value(node.args[0])

    def _unary(self, node: Node) -> IndexArray:
        inner = self.any(node.args[0])
        return replace(inner, expr=-inner.expr)

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
            made = together(self.at(arg), "\\odot" if sign == "*" else "\\oslash", times if sign == "*" else self._over(arg), made,
                            self.any(arg))
        return made

    def _over(self, node: Node) -> Callable[..., sp.Expr]:
        def divide(a: sp.Expr, b: sp.Expr) -> sp.Expr:
            if b.is_zero:
                raise ParseError(self.at(node), "division by 0", "a divisor that is not 0")
            return a / b
        return divide

    def _product(self, node: Node) -> IndexArray:
        made = self.any(node.args[0])
        for sign, arg in zip(node.text, node.args[1:], strict=True):
            value = self.any(arg)
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

    def _divided(self, node: Node, above: IndexArray, below: IndexArray) -> IndexArray:
        if (below.axes and len(above.axes) > 1) or isinstance(below, Unit):
            raise ShapeError(self.at(node), f"{above.shape} over {below.shape}", "a number below", "\\oslash entry by entry")
        self.ask(below, "=")
        if isinstance(above, Unit):
            return Unit((), self._over(node)(above.expr, below.expr))
        return together(self.at(node), "a fraction", self._over(node), above, below)

    def _kron(self, node: Node, a: IndexArray, b: IndexArray) -> IndexArray:
        if len(a.axes) != 2 or len(b.axes) != 2 or is_open(a) or is_open(b):
            raise ShapeError(self.at(node), f"\\otimes between {a.shape} and {b.shape}", "two matrices", "a b^{\\top} for an outer product")
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
