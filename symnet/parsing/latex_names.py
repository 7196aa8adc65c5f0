r"""Which tensor a printed name stands for: W_{1}, W_1 and W^{(1)} are W1; w_{ij}^{(1)} is its entry; z^{(l)} a layer of z.

Every reading is found. One letter in the case that is written goes before the same letter in the other case, since matrix notation
writes capitals for matrices and index form small letters; if several tensors fit, the name is ambiguous.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import sympy as sp

from symnet.core.axes import Kind
from symnet.core.names import parts
from symnet.core.tensors import Tensor
from symnet.errors import SymnetError
from symnet.parsing.claim_prefix import LOSSES
from symnet.parsing.latex_grammar import LatexParser
from symnet.parsing.node import Node, same_tree
from symnet.parsing.partial_entries import LAST

ALONG = (Kind.TIME, Kind.DEPTH)
Place = Callable[[Node], sp.Expr]


@dataclass(frozen=True, slots=True)
class Reading:
    """A tensor and, for each axis, the place or None for the whole axis; X_{n,:} is a row that lies."""

    tensor: Tensor
    slots: tuple[sp.Expr | None, ...]
    lies: bool = False


class Names:
    """The tensors of one program by their printed names. ``place`` gives the meaning of an index."""

    def __init__(self, tensors: Mapping[str, Tensor], place: Place, partial: str = "") -> None:
        self.tensors, self.place, self.partial = tensors, place, partial
        self.partly = False  # one letter stood below a matrix, on the axis that ``partial`` says
        self._places: dict[Node, sp.Expr | None] = {}
        self._bare: dict[str, list[Reading]] = {}  # of names without scripts, which stand often in a line

    def readings(self, node: Node) -> list[Reading]:
        """Every tensor, whole or at a place, that ``node`` may stand for."""
        if node.kind == "slope":
            return self.slopes(node.args[0], node.args[1:])
        if node.kind == "raised":
            return self.layered(node)
        if node.kind != "printed":
            return []
        if node.args[0].args or node.args[1].args:
            return self._printed(node)
        if node.text not in self._bare:
            self._bare[node.text] = self._printed(node)
        return self._bare[node.text]

    def layered(self, node: Node, number: bool = True) -> list[Reading]:
        r"""\delta^l and w^{l-1}_{jk}: a layer or step without brackets around it, where a power would be one by an index; with ``number``
        also \delta^2 and W^1_{jk} of what has no meaning without it."""
        base, above = node.args
        if node.text or base.kind != "printed" or base.args[1].args or (above.kind == "number" and not number):
            return []
        if above.kind == "number" and self.readings(base):
            return []
        kind = "letters" if above.kind == "number" or (above.kind == "printed" and len(above.text) == 1) else "place"
        scripts = Node("scripts", "", (Node(kind, above.text, (above,)),))
        found = self.readings(Node("printed", base.text, (base.args[0], scripts), base.column))
        return found if above.kind == "number" else [r for r in found if any(
            s is not None and s.free_symbols for s, a in zip(r.slots, r.tensor.axes, strict=True) if a.kind in ALONG)]

    def _printed(self, node: Node) -> list[Reading]:
        plain = [t for t in self.tensors.values() if not t.of]
        for swapped in (False, True):
            found = [r for t in plain for r in self._of(t, node, swapped) if not swapped or _is_case(node.text[0], r)]
            if found:
                return _apart(found)
        return self._deltas(node) or self._adjoints(node) or self._word(node)

    def _word(self, node: Node) -> list[Reading]:
        r"""W_{xh} is Wxh and h_p is hp, where p is no index."""
        found = self.tensors.get(word(node))
        if found is None or found.of or any(a.kind != "printed" or self._once(a) is not None for a in node.args[0].args[0].args):
            return []
        return [Reading(found, (None,) * len(found.axes))]

    def _of(self, tensor: Tensor, node: Node, swapped: bool) -> Iterator[Reading]:
        if tensor.latex:
            known = override(tensor.latex)
            if known is not None and same_tree(known, node):
                yield Reading(tensor, (None,) * len(tensor.axes))
                return
        stem, digits, tail = parts(tensor.name)
        letter = node.text
        if swapped and len(letter.partition(":")[0]) == 1:
            letter = letter.swapcase() if ":" not in letter else letter[0].swapcase() + letter[1:]
        elif swapped:
            return
        for rest in _endings(letter, stem, tail, tensor):
            yield from self._scripts(tensor, digits, rest, node)

    def _scripts(self, tensor: Tensor, digits: str, tail: str, node: Node) -> Iterator[Reading]:
        below, above = node.args[0].args, node.args[1].args
        for low in _without_tail(below, tail):
            for left, right in _without_digits(low, above, digits):
                yield from self._placed(tensor, left, right)
        if digits and tail and _raw(below) == [digits] and _raw(above) == [tail]:  # a_1^{(2)}: a name, never a square
            yield Reading(tensor, (None,) * len(tensor.axes))

    def _placed(self, tensor: Tensor, below: tuple[Node, ...], above: tuple[Node, ...]) -> Iterator[Reading]:
        """Indices below for the plain axes, above in brackets for time and depth; x_{t} and x_{ti} are read for those too."""
        plain = tuple(k for k, a in enumerate(tensor.axes) if a.kind not in ALONG)
        along = tuple(k for k, a in enumerate(tensor.axes) if a.kind in ALONG)
        if not below and not above:
            yield Reading(tensor, (None,) * len(tensor.axes))
        elif any(p.kind == "whole" for p in below):  # X_{n,:} is row n
            if len(below) == len(tensor.axes) and not above:
                given = tuple(k for k, p in enumerate(below) if p.kind != "whole")
                lies = len(below) == 2 and given == (0,)
                yield from (replace(r, lies=lies) for r in self._filled(tensor, ((given, tuple(below[k] for k in given)),)))
        elif above and not along:
            yield from self._sample(tensor, plain, below, above)
        elif above:
            yield from self._filled(tensor, ((along, above), (plain, below)))
        elif not along and len(plain) == 2 and self.partial and self._is_letter(below):
            yield from self._sample(tensor, plain, (), below)
        elif not along:
            yield from self._filled(tensor, ((plain, below),))
        else:
            yield from self._filled(tensor, ((tuple(range(len(tensor.axes))), below),))
            if plain:
                yield from self._filled(tensor, ((along, below),))

    def _sample(self, tensor: Tensor, plain: tuple[int, ...], below: tuple[Node, ...], above: tuple[Node, ...]) -> Iterator[Reading]:
        r"""x^{(n)} and x^{(n)}_j: the sample n stands above, along the rows or the columns of a matrix."""
        if not self._is_letter(above) or not plain or (len(plain) > 1 and not self.partial):
            return
        places = plain[::-1] if self.partial == LAST and len(plain) == 2 else plain
        found = list(self._filled(tensor, ((places[:1], above), (places[1:], below))))
        self.partly |= bool(found) and len(plain) > 1
        yield from found

    def _is_letter(self, found: tuple[Node, ...]) -> bool:
        """True for one index letter, n; sizes and numbers are none."""
        atoms = found[0].args if len(found) == 1 else ()
        place = self._once(atoms[0]) if len(atoms) == 1 and atoms[0].kind == "printed" else None
        return isinstance(place, sp.Symbol) and not place.is_positive

    def _filled(self, tensor: Tensor, given: tuple[tuple[tuple[int, ...], tuple[Node, ...]], ...]) -> Iterator[Reading]:
        where: dict[int, sp.Expr] = {}
        for axes, found in given:
            places = self.fit(found, len(axes)) if found else ()
            if places is None:
                return
            where |= dict(zip(axes, places, strict=False))
        if not any(p.is_Integer and a.lower.is_Integer and p < a.lower for p, a in ((where[k], tensor.axes[k]) for k in where)):
            yield Reading(tensor, tuple(where.get(k) for k in range(len(tensor.axes))))

    def fit(self, found: tuple[Node, ...], count: int) -> tuple[sp.Expr, ...] | None:
        """The places that ``found`` spells, when there are ``count`` of them."""
        if not count:
            return None
        if len(found) == 1 and found[0].kind == "letters" and count > 1:
            atoms = [a for part in found[0].args for a in _digits(part)]
        elif len(found) == count and all(len(f.args) == 1 for f in found):
            atoms = [f.args[0] for f in found]
        else:
            return None
        if len(atoms) != count or not all(self._is_place(a) for a in atoms):
            return None
        places = [self._once(a) for a in atoms]
        return None if None in places else tuple(p for p in places if p is not None)

    def _once(self, node: Node) -> sp.Expr | None:
        """The meaning of an index, looked up once however many tensors are tried; None when it has none."""
        if node not in self._places:
            try:
                self._places[node] = self.place(node)
            except SymnetError:  # no index of that name: then this is no entry
                self._places[node] = None
        return self._places[node]

    def _is_place(self, node: Node) -> bool:
        return node.kind != "number" or node.text.isdigit()

    def _deltas(self, node: Node) -> list[Reading]:
        r"""D_1 and \delta_1 are the slopes of the objective at Z_1 and z_1, where nothing else has that name."""
        if node.text not in ("D", "delta"):
            return []
        found: list[Reading] = []
        for slope in self.tensors.values():
            of = self.tensors.get(slope.of)
            if of is None or not self._is_objective(slope.objective):
                continue
            stem, digits, tail = parts(of.name)
            rank = sum(a.kind not in ALONG for a in of.axes)
            if stem.lower() != "z" or tail or (rank != 2 if node.text == "D" else rank > 1 and not digits):
                continue
            for low, high in _without_digits(node.args[0].args, node.args[1].args, digits):
                if digits or high or not low or self._is_letter(low):  # two letters may be Kronecker's
                    found += self._placed(slope, low, high)
        return _apart(found)

    def _adjoints(self, node: Node) -> list[Reading]:
        r"""\bar{z}_1 and \overline{Y}, where nothing has that name: the slope at z1, as automatic differentiation writes it. The bar over a
        vector may be a mean."""
        if not node.text.endswith(":bar"):
            return []
        below = self.readings(Node("printed", node.text.removesuffix(":bar"), node.args, node.column))
        found = [Reading(slope, r.slots) for r in below for slope in self.tensors.values() if slope.of == r.tensor.name
                 and self._is_objective(slope.objective) and len(r.tensor.axes) != 1]
        return _apart(found)

    def _is_objective(self, name: str) -> bool:
        """True for the name of a number that is differentiated; it need not be declared."""
        tensor = self.tensors.get(name)
        return tensor is None or not (tensor.axes or tensor.of)

    def slopes(self, top: Node, below: tuple[Node, ...]) -> list[Reading]:
        r"""The gradients that \frac{\partial top}{\partial below} names."""
        tops, belows = self.readings(top), [self.readings(b) for b in below]
        called = not tops and top.kind == "printed" and top.text in LOSSES and not any(part.args for part in top.args)
        found: list[Reading] = []
        for slope in (t for t in self.tensors.values() if t.of):
            declared = slope.objective in self.tensors
            foreign = called and self._is_objective(slope.objective) if declared else _spelled(top, slope.objective)
            found += self._slope(slope, None if foreign else tops, belows)
        return _apart(found)

    def _slope(self, slope: Tensor, tops: list[Reading] | None, belows: list[list[Reading]]) -> Iterator[Reading]:
        """Readings of one gradient; ``tops`` is None where the objective is no tensor here but spelled right."""
        inner = self.tensors.get(slope.objective)
        if len(belows) == 2 and inner is not None and inner.of:
            outer = list(self._slope(inner, tops, belows[:1]))
        elif len(belows) == 1 and tops is not None:
            outer = [r for r in tops if r.tensor.name == slope.objective]
        else:
            outer = [Reading(slope, ())] if len(belows) == 1 else []
        for a in outer:
            for b in belows[-1]:
                slots = (*a.slots, *b.slots)
                if b.tensor.name == slope.of and len(slots) == len(slope.axes):
                    yield Reading(slope, slots)


def word(node: Node) -> str:
    r"""The letters of a name and those below it as one word: Wxh of W_{xh}; "" for a name with other scripts."""
    below, above = (s.args for s in node.args) if node.kind == "printed" else ((), ())
    return node.text + below[0].text if len(below) == 1 and below[0].kind in ("letters", "word") and not above else ""


def _spelled(node: Node, name: str) -> bool:
    stem, digits, _ = parts(name)
    return node.kind == "printed" and node.text == stem and _raw(node.args[0].args) == [digits] * bool(digits)


def _is_case(letter: str, reading: Reading) -> bool:
    """True where the printers change the case: capitals for whole matrices, small letters for vectors and entries."""
    plain = [s for s, a in zip(reading.slots, reading.tensor.axes, strict=True) if a.kind not in ALONG]
    whole = all(s is None for s in plain)
    return len(plain) == 2 if whole and letter.isupper() else letter.islower() and (not whole or len(plain) == 1)


def _apart(found: list[Reading]) -> list[Reading]:
    return list(dict.fromkeys(found))


def _digits(node: Node) -> list[Node]:
    return [Node("number", c, (), node.column) for c in node.text] if node.kind == "number" and node.text.isdigit() else [node]


def _raw(found: tuple[Node, ...]) -> list[str]:
    return [f.text for f in found]


def _endings(letter: str, stem: str, tail: str, tensor: Tensor) -> Iterator[str]:
    """What of the tail is still to be found below the letter, for each way that the letter fits."""
    base, _, accent = letter.partition(":")
    if tensor.latex:
        known = override(tensor.latex)
        if known is not None and known.text == letter and not known.args[0].args and not known.args[1].args:
            yield tail
    elif accent:
        if base == stem and tail == accent:
            yield ""
        elif base + accent == stem:
            yield tail
    elif letter == stem:
        yield tail


def _without_tail(below: tuple[Node, ...], tail: str) -> Iterator[tuple[Node, ...]]:
    if not tail:
        yield below
    elif below and below[-1].text.replace(",", "_") == tail:
        yield below[:-1]
    elif "_" in tail and [t for t in tail.split("_") if t] == _raw(below)[-tail.count("_") - 1:]:
        yield below[: -tail.count("_") - 1]


def _without_digits(below: tuple[Node, ...], above: tuple[Node, ...], digits: str) -> Iterator[tuple[tuple[Node, ...], tuple[Node, ...]]]:
    """The number of a name stands below it, or above it in brackets when indices stand below."""
    if not digits:
        yield below, above
        return
    if above and above[0].text == digits:
        yield below, above[1:]
    if below and below[0].text == digits:
        yield below[1:], above


@lru_cache(maxsize=4096)
def override(latex: str) -> Node | None:
    """The tree of a tensor's own LaTeX, when that is a name."""
    try:
        tree = LatexParser(latex, "name", frozenset()).whole()
    except ValueError:
        return None
    return tree if tree.kind == "printed" else None
