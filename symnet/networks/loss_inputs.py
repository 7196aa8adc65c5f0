"""What a loss takes besides the output: targets, constants with a name or a number, and sums over all places."""

from __future__ import annotations

import sympy as sp

from symnet.core.axes import Axis
from symnet.core.expressions import total
from symnet.core.numbers import rational
from symnet.core.tensors import NAME, Role, Tensor
from symnet.errors import OptionError, ShapeError
from symnet.networks.builder import Builder

Places = tuple[sp.Symbol, ...]


def given(to: Builder, name: str, axes: tuple[Axis, ...], role: Role, note: str, domain: str = "real") -> Tensor:
    """The tensor of that name: one that the program has already, or else a new input."""
    known = {t.name: t for t in (*[d.target for d in to.lines], *to.inputs)}.get(name)
    if known is None:
        known = Tensor(name, axes, domain, role, note=note)
        to.inputs.append(known)
    elif known.shape != tuple(a.size for a in axes):
        raise ShapeError(f"loss, {name}", f"shape {known.shape}", f"{tuple(a.size for a in axes)}")
    return known


def target(to: Builder, note: str, domain: str = "real", axes: tuple[Axis, ...] | None = None) -> Tensor:
    """The target Y, of the shape of the output unless ``axes`` are given."""
    axes = to.now.axes if axes is None else axes
    tensor = Tensor("Y" if len(axes) > 1 else "y", axes, domain, Role.TARGET, note=note)
    to.inputs.append(tensor)
    return tensor


def amount(to: Builder, where: str, value: object, note: str, domain: str = "positive") -> sp.Expr:
    """A constant of a loss: an exact number, or a name, which then is a symbol."""
    if is_name(value):
        return given(to, str(value), (), Role.CONSTANT, note, domain)[()]
    return number(where, value, domain)


def is_name(value: object) -> bool:
    """True for a text that names a symbol."""
    return isinstance(value, str) and NAME.match(value) is not None


def number(where: str, value: object, domain: str = "positive") -> sp.Rational:
    """An exact number of a domain; raises OptionError outside it."""
    found = rational(value)
    if domain != "real" and (found < 0 or (domain == "positive" and found == 0)):
        raise OptionError(where, str(found), "a positive number" if domain == "positive" else "a number that is not negative")
    return found


def summed(body: sp.Expr, places: Places, axes: tuple[Axis, ...]) -> sp.Expr:
    """Σ body over all of ``axes``."""
    return total(body, tuple((i, *a.range) for i, a in reversed(list(zip(places, axes, strict=True)))))
