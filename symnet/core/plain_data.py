"""Expressions as plain data: nested tuples of str, int and bool, and back.

What is written down is compared by Python's own tuples and strings, so that an object with an ``__eq__`` or ``__hash__`` of its own has
no say in it. A node is read only when its type *is* a class of the table (a subclass is another type, and a lying metaclass is not
asked), and its data are read through SymPy's own slots; everything else is refused. ``decode`` makes new objects from nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy as sp
from sympy.functions.elementary.piecewise import ExprCondPair
from sympy.logic.boolalg import BooleanFalse, BooleanTrue

from symnet.core.expressions import Nabla, When
from symnet.core.functions import TABLE
from symnet.core.matrices import Det, Grid, InverseEntry, Rows
from symnet.errors import UnknownNodeError

Plain = tuple[Any, ...]
DEEPEST = 200


def _unevaluated(cls: Any) -> Callable[..., Any]:
    return lambda *args: cls(*args, evaluate=False)


def _full(cls: Any) -> str:
    """Its name with its library: SymPy and symnet have a Max each."""
    return f"{cls.__module__.partition('.')[0]}.{cls.__name__}"


_SINGLE: dict[str, Any] = {"0": sp.S.Zero, "1": sp.S.One, "-1": sp.S.NegativeOne, "1/2": sp.S.Half, "pi": sp.pi, "e": sp.E,
                           "true": sp.true, "false": sp.false}
# name -> (class, how it is made from its arguments): the whole language of claims
_NODES: dict[str, tuple[Any, Callable[..., Any]]] = {
    **{_full(cls): (cls, _unevaluated(cls)) for cls in (
        sp.Add, sp.Mul, sp.Pow, sp.And, sp.Or, sp.Not, sp.Eq, sp.Ne, sp.Lt, sp.Le, sp.Gt, sp.Ge, sp.Piecewise, sp.Max, sp.Min, *TABLE)},
    **{_full(cls): (cls, cls) for cls in (ExprCondPair, sp.Tuple, sp.Sum, sp.Indexed, sp.IndexedBase, When, Nabla, Grid, Det,
                                            InverseEntry, Rows)}}
_BY_TYPE: dict[int, str] = {id(cls): name for name, (cls, _) in _NODES.items()}
_BY_SINGLE: dict[int, str] = {id(type(value)): name for name, value in _SINGLE.items()}
CLASSES: tuple[type, ...] = (sp.Basic, sp.Expr, sp.Symbol, sp.Dummy, sp.Integer, sp.Rational, BooleanTrue, BooleanFalse,
                             *[cls for cls, _ in _NODES.values()])
_ARGS, _P, _Q = sp.Basic._args, sp.Rational.p, sp.Rational.q  # the slots themselves
_NAME, _KNOWN, _COUNT = sp.Symbol.name, sp.Symbol._assumptions0, sp.Dummy.dummy_index
_OWN = frozenset(("nargs", "_argset", "_shape", "_offset", "_strides", "_name"))  # what SymPy keeps in an object beside its slots


def encode(value: Any) -> Plain:
    """``value`` written down. Raises UnknownNodeError for what is not in the table.

    >>> encode(sp.Integer(2) * sp.Symbol("x", integer=True))[0]
    'sympy.Mul'
    """
    return _encode(value, 0)


def _encode(value: Any, depth: int) -> Plain:
    kind = type(value)
    if depth > DEEPEST:
        raise UnknownNodeError("plain data", "an expression that is too deep", f"at most {DEEPEST} levels")
    if kind is sp.Integer or kind is sp.Rational:
        return ("number", _whole(_P.__get__(value)), _whole(_Q.__get__(value)) if kind is sp.Rational else 1)
    if kind is sp.Symbol:
        return ("symbol", _text(_NAME.__get__(value)), _known(value))
    if kind is sp.Dummy:
        return ("dummy", _text(_NAME.__get__(value)), _known(value), _whole(_COUNT.__get__(value)))
    if id(kind) in _BY_SINGLE:
        return (_BY_SINGLE[id(kind)],)
    name = _BY_TYPE.get(id(kind))
    if name is None:
        raise UnknownNodeError("plain data", f"a {_called(kind)}", "a node of the language of claims")
    strange = set(object.__getattribute__(value, "__dict__")) - _OWN if hasattr(value, "__dict__") else set()
    if strange:
        raise UnknownNodeError("plain data", f"a {name} with {min(strange)} of its own", "a node as SymPy makes it")
    args = _ARGS.__get__(value)
    if type(args) is not tuple:
        raise UnknownNodeError("plain data", f"arguments of a {name} that are no tuple", "a tuple")
    return (name, *[_encode(a, depth + 1) for a in args])


def _called(kind: type) -> str:
    """The name of a class, whatever its metaclass would say."""
    return str(type.__dict__["__name__"].__get__(kind))


def _whole(number: Any) -> int:
    if type(number) is not int:
        raise UnknownNodeError("plain data", f"a {_called(type(number))} in a number", "a whole number")
    return number


def _text(text: Any) -> str:
    if type(text) is not str:
        raise UnknownNodeError("plain data", f"a {_called(type(text))} for a name", "text")
    return text


def _known(symbol: Any) -> Plain:
    """What is assumed of a symbol, as pairs."""
    pairs = _KNOWN.__get__(symbol)
    if type(pairs) is not tuple or not all(type(p) is tuple and len(p) == 2 and type(p[0]) is str and type(p[1]) is bool for p in pairs):
        raise UnknownNodeError("plain data", "assumptions that are no plain pairs", "a symbol as SymPy makes it")
    return pairs


def decode(plain: Plain) -> Any:
    """A new object with this plain form. Raises UnknownNodeError when there is none.

    >>> x = sp.Symbol("x", real=True)
    >>> decode(encode(sp.exp(x) / 2)) == sp.exp(x) / 2
    True
    """
    made = _decode(plain)
    if encode(made) != plain:  # SymPy would have it otherwise
        raise UnknownNodeError("plain data", f"{made}, which does not stay as it is written", "an expression that SymPy keeps")
    return made


def _decode(plain: Plain) -> Any:
    head, rest = plain[0], plain[1:]
    if head == "number":
        return sp.Rational(*rest)
    if head == "symbol":
        return sp.Symbol(rest[0], **dict(rest[1]))
    if head == "dummy":
        return sp.Dummy(rest[0], dummy_index=rest[2], **dict(rest[1]))
    if head in _SINGLE:
        return _SINGLE[head]
    return _NODES[head][1](*[_decode(p) for p in rest])
