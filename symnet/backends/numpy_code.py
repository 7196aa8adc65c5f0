"""The array tree as NumPy source: matrix products as @ or einsum, sums and broadcasting by axis, no loop over entries."""

from __future__ import annotations

import string
from collections.abc import Callable

import sympy as sp

from symnet.arrays import stable_functions as st
from symnet.arrays.tree import (
    Apply,
    Cases,
    Contract,
    Crossed,
    Labels,
    Leaf,
    LogSum,
    LogWeighted,
    Masked,
    Node,
    Number,
    OfMatrix,
    Others,
    OtherTerms,
    Scatter,
    Softmax,
    is_inverse,
    sign_of,
    without_sign,
)
from symnet.backends.brackets import atom, divisor, factor, whole
from symnet.backends.contraction import contraction
from symnet.backends.index_code import COMPARE, IndexCode
from symnet.backends.linear_code import of_matrix
from symnet.backends.stable_code import CALLS
from symnet.core import functions as fn
from symnet.core.expressions import Limits
from symnet.core.functions import Max, Min
from symnet.errors import UnknownNodeError

PLAIN = {sp.exp: "np.exp", sp.log: "np.log", sp.sin: "np.sin", sp.cos: "np.cos", sp.tanh: "np.tanh", sp.sinh: "np.sinh",
         sp.cosh: "np.cosh", sp.atan: "np.arctan", sp.Abs: "np.abs", sp.sign: "np.sign", sp.floor: "np.floor",
         **dict.fromkeys((Max, sp.Max), "np.maximum"),
         **dict.fromkeys((Min, sp.Min), "np.minimum"), sp.erf: "erf"}
FORMS: dict[type, Callable[..., str]] = {
    fn.relu: lambda z: f"np.maximum({z}, 0)",
    fn.softplus: lambda z: f"np.logaddexp({z}, 0)",
    fn.step: lambda z: f"np.heaviside({z}, 0.0)",
    st.exceeds: lambda u, v: f"np.asarray({u} > {v}, dtype=dtype)",
    fn.leaky_relu: lambda z, s: f"np.where({z} > 0, {z}, {s}*{z})",
    fn.stop_gradient: lambda u: f"stop_gradient({u})",
}


class NumpyCode(IndexCode):
    """Source for one program. ``names`` maps a tensor to the Python name that holds it, ``sizes`` a size likewise."""

    def aligned(self, node: Node, labels: Labels) -> str:
        """``node`` as an array that broadcasts over ``labels``, in this order."""
        code = self.code(node)
        if node.labels == labels or not node.labels:
            return code
        present = tuple(s for s in labels if s in node.labels)
        if present != node.labels:
            code = f"{atom(code)}.transpose({', '.join(str(node.labels.index(s)) for s in present)})" if len(present) > 2 \
                else f"{atom(code)}.T"
        missing = [s for s in labels if s not in node.labels]
        if not missing:
            return code
        first = labels.index(present[0])
        if all(labels.index(s) < first for s in missing):
            return code  # leading axes repeat by themselves
        return f"{atom(code)}[{', '.join(':' if s in node.labels else 'None' for s in labels)}]"

    def code(self, node: Node) -> str:
        """Source for an array whose axes are ``node.labels``."""
        if isinstance(node, Leaf):
            return self.leaf(node)
        if isinstance(node, Number):
            return f"np.arange({self.ends(node.span)}, dtype=dtype)" if node.span else self.number(node.value)
        if isinstance(node, Apply):
            return self._apply(node)
        if isinstance(node, Contract):
            return self._contract(node)
        if isinstance(node, Softmax) and node.weight is not None:
            parts = [self.aligned(x, node.labels) for x in (node.body, node.weight)]
            axis = node.labels.index(node.axis[0]) - len(node.labels)
            shares = f"weighted({', '.join(parts)}, {axis})"
            return f"allbut({shares}, {axis})" if node.others else shares
        if isinstance(node, LogWeighted):
            labels = (*node.labels, node.axis[0])
            parts = [self.aligned(x, labels) for x in (node.body, node.weight)]
            return f"{'logmean' if node.mean else 'logweighted'}({', '.join(parts)}, -1)"
        if isinstance(node, Softmax):
            body, axis = self.code(node.body), node.body.labels.index(node.axis[0])
            if node.others and not node.logarithm:
                return f"others(softmax({body}, {axis}), {axis})"
            return f"{'logothers' if node.others else 'logsoftmax' if node.logarithm else 'softmax'}({body}, {axis})"
        if isinstance(node, Others):
            return f"others({self.code(node.body)}, {node.body.labels.index(node.axis[0])})"
        if isinstance(node, OtherTerms):
            return f"sumofothers({self.code(node.body)}, {node.body.labels.index(node.axis[0])})"
        if isinstance(node, Crossed):
            weight, body = (self.aligned(x, node.labels) for x in (node.weight, node.body))
            axis = node.labels.index(node.axis[0]) - len(node.labels)
            if node.more is None:
                return f"crossed({weight}, {body}, {axis})"
            every = f"np.broadcast_to({weight}, {atom(body)}.shape)"
            body = f"extended({body}, {self.aligned(node.more, node.labels)}, {axis})"
            return f"butlast(crossed(extended({every}, 0, {axis}), {body}, {axis}), {axis})"
        if isinstance(node, LogSum):
            return f"logsumexp({self.code(node.body)}, {node.body.labels.index(node.axis[0])})"
        if isinstance(node, Masked):
            rest, plain = self.apart(node)
            if rest is not node and plain is sp.true:
                return self.code(rest)
            if rest is not node:  # decided by Python before anything is looked at
                shape = ", ".join(self.length(span) for _, span in node.spans)
                nothing = f"np.zeros(({shape}{',' if len(node.labels) == 1 else ''}), dtype=dtype)"
                nothing += "" if node.outside == 0 else " - np.inf"
                return f"({self.where(plain).code(rest)} if {self.test(plain)} else {nothing})"
            if isinstance(node.body, Number) and not node.body.labels and node.outside == 0:  # zeros and ones of the dtype
                ones = f"np.asarray({self.mask(node)}, dtype=dtype)"
                return ones if node.body.value == 1 else f"({self.number(node.body.value)}*{ones})"
            outside = "-np.inf" if node.outside is sp.S.NegativeInfinity else f"{self.number(node.outside)}.0"
            return f"np.where({self.mask(node)}, {self.aligned(node.body, node.labels)}, {outside})"
        if isinstance(node, Cases):
            return self._cases(node)
        if isinstance(node, OfMatrix):
            return of_matrix(self, node)
        if isinstance(node, Scatter):
            return self._scatter(node)
        raise UnknownNodeError("numpy", type(node).__name__, "an array expression")

    def _apply(self, node: Apply) -> str:
        if node.function is sp.Add:
            return self._total(node)
        if node.function is sp.Mul:
            return self._product(node)
        args = [self.aligned(a, node.labels) for a in node.args]
        if node.function is sp.Pow:
            return self._norm(node) or _power(node.args[0], node.args[1], args)
        if node.function in CALLS:
            if node.function in (st.part, st.log_part):  # a count, and exponents
                args[1:] = [f"np.asarray({a}, dtype=dtype)" if constant(n) else a for a, n in zip(args[1:], node.args[1:], strict=True)]
            elif constant(*node.args):  # a number's own type would decide that of the result
                args[0] = f"np.asarray({args[0]}, dtype=dtype)"
            return CALLS[node.function](*args)
        if node.function in FORMS:
            return FORMS[node.function](*[atom(a) for a in args])
        if node.function in PLAIN:
            while len(args) > 2:  # np.maximum takes two; a third would be where it writes
                args = [f"{PLAIN[node.function]}({args[0]}, {args[1]})", *args[2:]]
            code = f"{PLAIN[node.function]}({', '.join(args)})"
            return f"float({code})" if constant(*node.args) else code  # a NumPy number would turn float32 arrays to float64
        raise UnknownNodeError("numpy", node.function.__name__, "a function with a NumPy form")

    def _norm(self, node: Apply) -> str | None:
        """The root of a sum of squares, which may be in range where the squares are not."""
        total, exponent = node.args
        half = isinstance(exponent, Number) and exponent.value == sp.Rational(1, 2)
        if not (half and isinstance(total, Contract) and len(total.factors) == 1):
            return None
        (square,) = total.factors
        bound = [i for i, _, _ in total.over]
        if not (isinstance(square, Apply) and square.function is sp.Pow and isinstance(square.args[1], Number) and square.args[1].value == 2
                and set(bound) <= set(square.labels) and tuple(s for s in square.labels if s not in bound) == node.labels
                and square.args[0].labels == square.labels):
            return None
        at = [square.labels.index(i) for i in bound]
        return f"norm({self.code(square.args[0])}, {at[0] if len(at) == 1 else tuple(at)})"

    def _total(self, node: Apply) -> str:
        """A sum, what has a minus as a difference, in the order of the terms: another order rounds otherwise, but for the first two."""
        first, *rest = node.args
        if sign_of(first) < 0 and sign_of(rest[0]) > 0:
            first, rest[0] = rest[0], first
        text = self._term(first, node.labels)
        for term in rest:
            minus = sign_of(term) < 0
            text += f" - {self._term(without_sign(term), node.labels, atom)}" if minus else f" + {self._term(term, node.labels)}"
        return f"({text})"

    def _term(self, term: Node, labels: Labels, bracketed: Callable[[str], str] = str) -> str:
        """A term of a sum; a product needs no brackets there."""
        code = self.aligned(term, labels)
        if isinstance(term, Apply) and term.function is sp.Mul and term.labels == labels and whole(code):
            return code[1:-1]
        return bracketed(code)

    def _product(self, node: Apply) -> str:
        steps = [n for n in node.args if isinstance(n, Apply) and n.function in (fn.step, st.exceeds)]
        numbers = any(n not in steps and not constant(n) for n in node.args)  # a product of truth values alone would be one of these
        args = [n for n in node.args if not constant(n)] if node.labels else []
        plain = [n for n in node.args if constant(n)]
        if args and any(map(is_inverse, plain)) and not all(map(is_inverse, plain)):  # one number, and one pass over the array
            args.insert(0, Apply((), sp.Mul, tuple(plain)))
        else:
            args = list(node.args)
        over = [n for n in args if not is_inverse(n)]
        above = [self._truth(n, node.labels) if n in steps and numbers else self.aligned(n, node.labels) for n in over]
        below = [self.aligned(n.args[0], node.labels) for n in args if is_inverse(n)]
        minus = len(above) > 1 and above[0] == "-1"
        truth = minus and numbers and over[1] in steps  # NumPy has no minus of a truth value: it stands before the whole product
        if minus:
            above = above[1:] if truth else [f"-{atom(above[1])}", *above[2:]]
        top = "*".join(factor(a) for a in above) or "1"
        made = f"({top}/{divisor(below)})" if below else f"({top})"
        return f"(-{made})" if truth else made

    def _truth(self, step: Node, labels: Labels) -> str:
        """A step as a truth value, which counts as 0 or 1 in a product with numbers."""
        assert isinstance(step, Apply)
        left, right = (*[atom(self.aligned(a, labels)) for a in step.args], "0")[:2]
        return f"({left} > {right})"

    def _contract(self, node: Contract) -> str:
        factors = [f for f in node.factors if f.labels]
        numbers = [self.code(f) for f in node.factors if not f.labels]
        missing = [(lo, hi) for i, lo, hi in node.over if not any(i in f.labels for f in factors)]
        numbers += [self.length(span) for span in missing]
        if not factors:  # Σ 1: as often as there are terms
            return f"({'*'.join(numbers)})"
        inner = [i for i, _, _ in node.over if any(i in f.labels for f in factors)]
        core = self._sum_product(factors, tuple(t for t in node.over if t[0] in inner), node.labels)
        return "(" + "*".join([*numbers, core]) + ")" if numbers else core

    def _scatter(self, node: Scatter) -> str:
        over = tuple(t[0] for t in node.over)
        at = self.position(node.place, node.span, Leaf(over, "", ()), {i: (lo, hi) for i, lo, hi in node.over})
        values = self.aligned(node.body, (*over, *node.labels[1:]))
        shape = ", ".join(self.length(span) for span in (node.span, *[span for _, span in node.spans]))
        return f"scatter({at}, {values}, ({shape}{'' if node.spans else ','}))"

    def _sum_product(self, factors: list[Node], limits: tuple[Limits, ...], out: Labels) -> str:
        factors = joined(factors, limits)
        over = [i for i, _, _ in limits if any(i in f.labels for f in factors)]
        if len(factors) == 1:
            code, labels = self.code(factors[0]), factors[0].labels
            at = [labels.index(i) for i in over]
            axis = f"axis={at[0] if len(at) == 1 else tuple(at)}" if out else ""
            summed = f"{atom(code)}.sum({axis})" if at else code
            rest = tuple(s for s in labels if s not in over)
            return summed if rest == out else f"{atom(summed)}.transpose({', '.join(str(rest.index(s)) for s in out)})"
        product = contraction(self, factors[0], factors[1], over, out) if len(factors) == 2 else None
        return product or self._einsum(factors, out)

    def _einsum(self, factors: list[Node], out: Labels) -> str:
        letters = dict(zip(dict.fromkeys(s for f in factors for s in f.labels), string.ascii_letters, strict=False))
        spec = ",".join("".join(letters[s] for s in f.labels) for f in factors) + "->" + "".join(letters[s] for s in out)
        optimize = ", optimize=True" if len(factors) > 2 else ""
        return f"np.einsum('{spec}', {', '.join(self.code(f) for f in factors)}{optimize})"

    def _cases(self, node: Cases) -> str:
        text = ""
        for depth, (value, relation, left, right) in enumerate(node.branches):
            code = self.aligned(value, node.labels)
            if constant(value):  # where() of two plain numbers would be of another type
                code = f"np.asarray({code}, dtype=dtype)"
            if relation is None or left is None or right is None:
                return text + code + ")" * depth
            test = f"{self.aligned(left, node.labels)} {COMPARE[relation]} {self.aligned(right, node.labels)}"
            text += f"np.where({test}, {code}, "
        return text + "np.nan" + ")" * len(node.branches)


def joined(factors: list[Node], over: tuple[Limits, ...]) -> list[Node]:
    """Two factors at most where that can be: one that needs no axis of its own is multiplied into another entry by entry, and of
    what is left two are summed over the axes that are theirs alone, first those whose product has the fewest axes."""
    left = list(factors)
    while len(left) > 2:
        pairs = [(a, b) for k, a in enumerate(left) for b in left[k + 1:]]
        summed = _summed_pair(pairs, left, over)
        products = [Apply(large.labels, sp.Mul, (large, small)) for a, b in pairs for small, large in ((a, b), (b, a))
                    if set(small.labels) <= set(large.labels)]
        entrywise = min(products, key=lambda p: len(p.labels), default=None)
        if summed is not None and (entrywise is None or len(summed.labels) < len(entrywise.labels)):
            left = [*_without(left, summed.factors), summed]
        elif entrywise is not None:
            left = [*_without(left, entrywise.args), entrywise]
        else:
            return left
    return [_alone(f, [g for g in left if g is not f], over) for f in left] if len(left) == 2 else left


def _without(factors: list[Node], used: tuple[Node, ...]) -> list[Node]:
    """The others; two equal factors are two."""
    return [f for f in factors if not any(f is u for u in used)]


def _alone(factor: Node, others: list[Node], over: tuple[Limits, ...]) -> Node:
    """Summed over the axes that it alone has."""
    own = tuple(t for t in over if t[0] in factor.labels and not any(t[0] in g.labels for g in others))
    bound = {i for i, _, _ in own}
    return Contract(tuple(s for s in factor.labels if s not in bound), (factor,), own) if own else factor


def _summed_pair(pairs: list[tuple[Node, Node]], factors: list[Node], over: tuple[Limits, ...]) -> Contract | None:
    """Σ of the product of two of the factors over the axes that no other factor has."""
    found: list[Contract] = []
    for a, b in pairs:
        others = {s for f in factors if f is not a and f is not b for s in f.labels}
        own = tuple(t for t in over if t[0] in a.labels and t[0] in b.labels and t[0] not in others)
        if own:
            bound = {i for i, _, _ in own}
            found.append(Contract(tuple(s for s in dict.fromkeys((*a.labels, *b.labels)) if s not in bound), (a, b), own))
    return min(found, key=lambda c: len(c.labels), default=None)


def constant(*nodes: Node) -> bool:
    """True when the nodes hold plain numbers and sizes only: in NumPy's source they are Python numbers. Σ 0.3 is one, Σ k is not."""
    return all(constant(*n.args) if isinstance(n, Apply) else constant(*n.factors) if isinstance(n, Contract)
               else isinstance(n, Number) and not n.labels for n in nodes)


def _power(base: Node, exponent: Node, args: list[str]) -> str:
    if isinstance(exponent, Number) and not constant(base):
        special = {sp.Rational(1, 2): f"np.sqrt({args[0]})", sp.S.NegativeOne: f"(1/{atom(args[0])})",
                   sp.Rational(-1, 2): f"(1/np.sqrt({args[0]}))"}
        if exponent.value in special:
            return special[exponent.value]
    return f"{atom(args[0])}**{atom(args[1])}"
