"""What a loss takes besides the output: targets, constants with a name or a number, and sums over all places."""

from __future__ import annotations

from collections.abc import Callable

import sympy as sp

from symnet.core.axes import Axis
from symnet.core.expressions import total
from symnet.core.numbers import rational
from symnet.core.tensors import NAME, Role, Tensor
from symnet.errors import OptionError, ShapeError, shown
from symnet.networks.builder import Builder

Places = tuple[sp.Symbol, ...]
Summed = Callable[[sp.Expr], sp.Expr]  # Σ over places that are told elsewhere
ENTRIES, CLASSES = "the factors of the terms, an input of the output's shape", "the weights of the classes, an input of C numbers"


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


def check_weight(where: str, weight: object, what: str) -> None:
    """Raise OptionError unless ``weight`` is a name, or None; a reduction that stands in its place is told so."""
    if isinstance(weight, str) and weight in ("mean", "sum", "none", "batchmean"):
        raise OptionError(f"{where}, weight", shown(weight), f"a name for {what.split(',')[0]}", f'reduction="{weight}"')
    if weight is not None and not is_name(weight):
        raise OptionError(f"{where}, weight", shown(weight), f"a name for {what}", 'weight="w", and its numbers as values of w')


def entry_weights(to: Builder, where: str, name: object, axes: tuple[Axis, ...], places: Places) -> sp.Expr:
    """w[n, i]: the tensor of that name, a new input of these axes, or one that the program has and that NumPy would spread over them."""
    known = {t.name: t for t in (*[d.target for d in to.lines], *to.inputs)}.get(str(name))
    if known is None:
        return given(to, str(name), axes, Role.CONSTANT, "the factor of each term", "nonnegative")[places]
    last = axes[len(axes) - len(known.axes):]
    if len(known.axes) > len(axes) or any(k.size not in (a.size, 1) for k, a in zip(known.axes, last, strict=True)):
        raise ShapeError(where, f"{name} of shape {known.shape}", f"{tuple(a.size for a in axes)}, or a shape that spreads over it")
    spread = [k.lower if k.size == 1 and a.size != 1 else i
              for i, k, a in zip(places[len(axes) - len(known.axes):], known.axes, last, strict=True)]
    return known[tuple(spread)]
