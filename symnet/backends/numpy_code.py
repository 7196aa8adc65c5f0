"""The array tree as NumPy source: matrix products as @ or einsum, sums and broadcasting by axis, no loop over entries."""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping

import sympy as sp

from symnet.arrays.tree import Apply, Cases, Contract, Labels, Leaf, LogSum, Masked, Node, Number, Softmax, is_inverse
from symnet.backends.brackets import atom, divisor, factor
from symnet.core import functions as fn
from symnet.core.axes import Range
from symnet.core.program import Program
from symnet.core.tensors import Tensor
from symnet.errors import UnknownNodeError

PLAIN = {sp.exp: "np.exp", sp.log: "np.log", sp.sin: "np.sin", sp.cos: "np.cos", sp.tanh: "np.tanh", sp.sinh: "np.sinh",
         sp.cosh: "np.cosh", sp.atan: "np.arctan", sp.Abs: "np.abs", sp.sign: "np.sign", sp.Max: "np.maximum",
         sp.Min: "np.minimum", sp.erf: "erf"}
FORMS: dict[type, Callable[..., str]] = {
    fn.sigmoid: lambda z: f"0.5*(1 + np.tanh(0.5*{z}))",
    fn.relu: lambda z: f"np.maximum({z}, 0)",
    fn.softplus: lambda z: f"np.logaddexp({z}, 0)",
    fn.step: lambda z: f"np.heaviside({z}, 0.0)",
    fn.leaky_relu: lambda z, s: f"np.where({z} > 0, {z}, {s}*{z})",
}
COMPARE = {sp.Gt: ">", sp.Ge: ">=", sp.Lt: "<", sp.Le: "<=", sp.Eq: "==", sp.Ne: "!="}


class NumpyCode:
    """Source for one program. ``names`` maps a tensor to the Python name that holds it, ``sizes`` a size likewise."""

    def __init__(self, program: Program, names: Mapping[str, str], sizes: Mapping[str, str] | None = None) -> None:
        self.tensors: Mapping[str, Tensor] = program.tensors
        self.names = names
        self.sizes = sizes or {}

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
            return self._leaf(node)
        if isinstance(node, Number):
            return f"np.arange({self._ends(node.span)}, dtype=dtype)" if node.span else self.number(node.value)
        if isinstance(node, Apply):
            return self._apply(node)
        if isinstance(node, Contract):
            return self._contract(node)
        if isinstance(node, Softmax):
            return f"softmax({self.code(node.body)}, {node.body.labels.index(node.axis[0])})"
        if isinstance(node, LogSum):
            return f"logsumexp({self.code(node.body)}, {node.body.labels.index(node.axis[0])})"
        if isinstance(node, Masked):
            return f"np.where({self.mask(node)}, {self.aligned(node.body, node.labels)}, 0.0)"
        if isinstance(node, Cases):
            return self._cases(node)
        raise UnknownNodeError("numpy", type(node).__name__, "an array expression")

    def number(self, value: sp.Expr) -> str:
        """A number, a size or an index expression."""
        if isinstance(value, sp.Integer):
            return str(int(value))
        if isinstance(value, sp.Rational):
            return f"({int(value.p)}/{int(value.q)})"
        if value in (sp.pi, sp.E):
            return {sp.pi: "np.pi", sp.E: "np.e"}[value]
        if isinstance(value, sp.Symbol):
            return self.sizes.get(str(value), str(value))
        if isinstance(value, sp.Add):
            first, *rest = sorted(value.args, key=lambda a: (a.could_extract_minus_sign(), a.is_number, str(a)))
            tail = "".join(f" - {self.number(-a)}" if a.could_extract_minus_sign() else f" + {self.number(a)}" for a in rest)
            return f"({self.number(first)}{tail})"
        if isinstance(value, sp.Mul):
            return "(" + "*".join(self.number(a) for a in value.args) + ")"
        raise UnknownNodeError("numpy", f"the number {value}", "sizes and whole numbers")

    def _leaf(self, node: Leaf) -> str:
        name, axes = self.names[node.name], self.tensors[node.name].axes
        if not axes:
            return name
        spans = dict(node.spans)
        pairs = list(zip(node.places, axes, strict=True))
        if all(isinstance(p, sp.Symbol) and p in spans and spans[p] == a.range for p, a in pairs) \
                and len(set(node.places)) == len(node.places):
            return name
        simple = [self._slice(p, a.range, spans) for p, a in zip(node.places, axes, strict=True)]
        if None not in simple and len(set(node.places)) == len(node.places):
            return f"{name}[{', '.join(str(s) for s in simple)}]"
        gathered = ", ".join(self._position(p, a.range, node, spans) for p, a in zip(node.places, axes, strict=True))
        return f"{name}[{gathered}]"

    def _slice(self, place: sp.Expr, axis: Range, spans: Mapping[sp.Symbol, Range]) -> str | None:
        """A plain slice or fixed position along one axis; None when the place mixes indices."""
        used = [s for s in place.free_symbols if s in spans]
        if not used:
            return self.number(sp.expand(place - axis[0]))
        if len(used) != 1 or sp.expand(place - used[0]).free_symbols & set(spans):
            return None
        shift = sp.expand(place - used[0])
        lo, hi = spans[used[0]]
        start, stop = sp.expand(lo + shift - axis[0]), sp.expand(hi + shift - axis[0] + 1)
        if start == 0 and sp.expand(stop - (axis[1] - axis[0] + 1)) == 0:
            return ":"
        return None if start.could_extract_minus_sign() else f"{self.number(start)}:{self.number(stop)}"

    def _position(self, place: sp.Expr, axis: Range, node: Leaf, spans: Mapping[sp.Symbol, Range]) -> str:
        """Positions along one axis as an integer array over the node's labels; what falls outside is masked elsewhere."""
        terms = sp.expand(place - axis[0])
        there = {s: sp.Symbol(self.grid(s, spans[s], node.labels)) for s in terms.free_symbols if s in spans}
        code = self.number(terms.xreplace(there)) if there else self.number(terms)
        top = self.number(sp.expand(axis[1] - axis[0]))
        return f"np.clip({code}, 0, {top})" if there else code

    def grid(self, s: sp.Symbol, span: Range, labels: Labels) -> str:
        """The values of an index, laid along its axis among ``labels``."""
        values = f"np.arange({self._ends(span)})"
        shape = ", ".join(":" if t == s else "None" for t in labels)
        return values if len(labels) == 1 else f"{values}[{shape}]"

    def _ends(self, span: Range) -> str:
        return f"{self.number(span[0])}, {self.number(sp.expand(span[1] + 1))}"

    def mask(self, node: Masked) -> str:
        """The condition of a bracket over the node's labels."""
        spans = dict(node.spans)
        there = {s: sp.Symbol(self.grid(s, spans[s], node.labels)) for s in node.condition.free_symbols if s in spans}
        parts = node.condition.args if isinstance(node.condition, sp.And) else (node.condition,)
        return " & ".join(f"({self._test(p, there)})" for p in parts)

    def _test(self, part: sp.Basic, there: Mapping[sp.Symbol, sp.Symbol]) -> str:
        if type(part) not in COMPARE:
            raise UnknownNodeError("numpy", f"the condition {part}", "comparisons of indices")
        left, right = (self._index_code(a, there) for a in part.args)
        return f"{left} {COMPARE[type(part)]} {right}"

    def _index_code(self, expr: sp.Expr, there: Mapping[sp.Symbol, sp.Symbol]) -> str:
        if isinstance(expr, sp.Mod):
            return f"({self._index_code(expr.args[0], there)} % {self._index_code(expr.args[1], there)})"
        return self.number(expr.xreplace(dict(there)))

    def _apply(self, node: Apply) -> str:
        args = [self.aligned(a, node.labels) for a in node.args]
        if node.function is sp.Add:
            return "(" + " + ".join(args) + ")"
        if node.function is sp.Mul:
            return self._product(node, args)
        if node.function is sp.Pow:
            return _power(node.args[0], node.args[1], args)
        if node.function in FORMS:
            return FORMS[node.function](*[atom(a) for a in args])
        if node.function in PLAIN:
            code = f"{PLAIN[node.function]}({', '.join(args)})"
            return f"float({code})" if _constant(*node.args) else code  # a NumPy number would turn float32 arrays to float64
        raise UnknownNodeError("numpy", node.function.__name__, "a function with a NumPy form")

    def _product(self, node: Apply, args: list[str]) -> str:
        above = [a for a, n in zip(args, node.args, strict=True) if not is_inverse(n)]
        below = [self.aligned(n.args[0], node.labels) for n in node.args if is_inverse(n)]
        if above and above[0] == "-1" and len(above) > 1:
            above = [f"-{atom(above[1])}", *above[2:]]
        top = "*".join(factor(a) for a in above) or "1"
        return f"({top}/{divisor(below)})" if below else f"({top})"

    def _contract(self, node: Contract) -> str:
        bound = {i for i, _, _ in node.over}
        factors = [f for f in node.factors if f.labels]
        numbers = [self.code(f) for f in node.factors if not f.labels]
        missing = [(lo, hi) for i, lo, hi in node.over if not any(i in f.labels for f in factors)]
        numbers += [self.number(sp.expand(hi - lo + 1)) for lo, hi in missing]
        if not factors:  # Σ 1: as often as there are terms
            return f"({'*'.join(numbers)})"
        inner = [i for i, _, _ in node.over if any(i in f.labels for f in factors)]
        core = self._sum_product(factors, [i for i in inner if i in bound], node.labels)
        return "(" + "*".join([*numbers, core]) + ")" if numbers else core

    def _sum_product(self, factors: list[Node], over: list[sp.Symbol], out: Labels) -> str:
        if len(factors) == 1:
            code, labels = self.code(factors[0]), factors[0].labels
            at = [labels.index(i) for i in over]
            axis = f"axis={at[0] if len(at) == 1 else tuple(at)}" if out else ""
            summed = f"{atom(code)}.sum({axis})" if at else code
            rest = tuple(s for s in labels if s not in over)
            return summed if rest == out else f"{atom(summed)}.transpose({', '.join(str(rest.index(s)) for s in out)})"
        matrix = _matmul(self, factors, over, out) if len(factors) == 2 and len(over) == 1 else None
        return matrix or self._einsum(factors, out)

    def _einsum(self, factors: list[Node], out: Labels) -> str:
        letters = dict(zip(dict.fromkeys(s for f in factors for s in f.labels), string.ascii_letters, strict=False))
        spec = ",".join("".join(letters[s] for s in f.labels) for f in factors) + "->" + "".join(letters[s] for s in out)
        optimize = ", optimize=True" if len(factors) > 2 else ""
        return f"np.einsum('{spec}', {', '.join(self.code(f) for f in factors)}{optimize})"

    def _cases(self, node: Cases) -> str:
        text = ""
        for value, relation, left, right in node.branches:
            code = self.aligned(value, node.labels)
            if relation is None or left is None or right is None:
                return text + code + ")" * text.count("np.where(")
            test = f"{self.aligned(left, node.labels)} {COMPARE[relation]} {self.aligned(right, node.labels)}"
            text += f"np.where({test}, {code}, "
        return text + "np.nan" + ")" * text.count("np.where(")


def _matmul(code: NumpyCode, factors: list[Node], over: list[sp.Symbol], out: Labels) -> str | None:
    """A @ B when both factors have at most two axes and share only the summed one."""
    k = over[0]
    for left, right in (factors, factors[::-1]):
        rows, columns = [s for s in left.labels if s != k], [s for s in right.labels if s != k]
        if k not in left.labels or k not in right.labels or len(rows) > 1 or len(columns) > 1 or set(rows) & set(columns):
            continue
        if tuple(rows + columns) != out:
            continue
        a = code.code(left) if left.labels[-1] == k else f"{atom(code.code(left))}.T"
        b = code.code(right) if right.labels[0] == k else f"{atom(code.code(right))}.T"
        return f"({atom(a)} @ {atom(b)})"
    return None


def _constant(*nodes: Node) -> bool:
    """True when the nodes hold plain numbers and sizes only: in NumPy's source they are Python numbers."""
    return all(_constant(*n.args) if isinstance(n, Apply) else isinstance(n, Number) and not n.labels for n in nodes)


def _power(base: Node, exponent: Node, args: list[str]) -> str:
    if isinstance(exponent, Number) and not _constant(base):
        special = {sp.Rational(1, 2): f"np.sqrt({args[0]})", sp.S.NegativeOne: f"(1/{atom(args[0])})",
                   sp.Rational(-1, 2): f"(1/np.sqrt({args[0]}))"}
        if exponent.value in special:
            return special[exponent.value]
    return f"{atom(args[0])}**{atom(args[1])}"
