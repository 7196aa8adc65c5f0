"""Where a training run begins: the data as arrays and the starting values of the parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from symnet.backends.source import tensors_of
from symnet.core.derivation import Derivation
from symnet.core.tensors import Role, Tensor
from symnet.errors import OptionError, ShapeError, did_you_mean, shown
from symnet.networks.initializers import Initializer, initializer
from symnet.training.finite_data import check_finite
from symnet.training.masks import Masks

Array = np.ndarray[Any, Any]


def data_for(derivation: Derivation, X: Any, Y: Any, constants: Mapping[str, Any] | None = None, where: str = "fit") -> dict[str, Array]:
    """Arrays by name: the given ones (X may be a table of them), the derivation's own values for the rest, no values for the masks of
    dropout. Raises DomainError for an array with nan or inf in it."""
    names = [t.name for t in tensors_of(derivation)[1]]
    masks = [t.name for t in tensors_of(derivation)[1] if t.role is Role.CONSTANT]  # neither X nor Y; the derivation's values give them
    table, row = (X, [Y]) if isinstance(X, Mapping) else ({}, [X, Y])
    given = [a for a in row if a is not None]
    places = [n for n in names if n not in masks and n not in table]
    if len(given) > len(places):
        hint = "" if names else f'sn.derive(program, wrt="{derivation.wrt[0]}"): here every input is a parameter'
        raise ShapeError(where, f"{len(given) + len(table)} arrays", f"{len(places) + len(table)}: {', '.join(places)}".rstrip(": "), hint)
    for said, values in (("constants", constants or {}), (f"{where}, X", table)):
        for name in values:
            if name not in names:
                raise OptionError(said, f"no input named {shown(name)}", "one of " + ", ".join(names), did_you_mean(name, names))
    own = {n: to_array(v) for n, v in derivation.values.items() if n in names} | {n: floats(n, v) for n, v in (constants or {}).items()}
    data = {**own, **{n: floats(n, a) for n, a in (*table.items(), *zip(places, given, strict=False))}}
    drawn = Masks(derivation, data).kept
    missing = [n for n in names if n not in data and n not in drawn]
    if missing:
        raise ShapeError(where, f"no values for {', '.join(missing)}", "an array for every input")
    for name, array in data.items():
        check_finite(where, name, array)
    return data


def floats(name: str, value: Any) -> Array:
    """Anything that is an array of real numbers, as floats."""
    try:
        if np.iscomplexobj(value):
            raise TypeError("complex numbers")
        return np.asarray(value, dtype=float)
    except (TypeError, ValueError, OverflowError) as error:
        raise ShapeError(f"array {name}", str(error), "numbers in rows of one length") from None


def to_array(value: Any) -> Array:
    """Nested lists of exact numbers as floats."""
    if isinstance(value, list):
        return np.array([to_array(v) for v in value])
    return np.asarray(float(value))


def start_for(derivation: Derivation, given: Mapping[str, Any], data: Mapping[str, Array], rng: np.random.Generator,
              init: str | Initializer = "xavier_uniform") -> dict[str, Array]:
    """Starting values by name: the given ones, the derivation's own, random weights for the rest."""
    sizes = dict(derivation.meta.get("sizes") or {})
    sizes |= {str(s): n for t in derivation.program.inputs if t.name in data
              for s, n in zip(t.shape, data[t.name].shape, strict=False)}
    made: dict[str, Array] = {}
    names = [t.name for t in tensors_of(derivation)[0]]
    for name in given:
        if name not in names:
            raise OptionError("params", f"no parameter named {name!r}", "one of " + ", ".join(names), did_you_mean(name, names))
    method = initializer(init)
    for t in tensors_of(derivation)[0]:
        if t.name in given:
            made[t.name] = floats(t.name, given[t.name])
            check_finite("fit, params", t.name, made[t.name])
        elif t.name in derivation.values:
            made[t.name] = to_array(derivation.values[t.name])
        else:
            made[t.name] = _random(t, sizes, rng, method)
    return made


def _random(t: Tensor, sizes: Mapping[str, int], rng: np.random.Generator, method: Initializer) -> Array:
    shape = []
    for s in t.shape:
        if not s.is_Integer and str(s) not in sizes:
            raise ShapeError(f"parameter {t.name}", f"the size {s} is not known", "starting values in params")
        shape.append(int(s) if s.is_Integer else sizes[str(s)])
    if t.name.startswith("b"):
        return np.zeros(shape)
    if t.name.startswith("gamma"):  # the scales of a normalization
        return np.ones(shape)
    if t.note.startswith("kernel") and len(shape) > 2:
        return method.draw(shape, rng)
    n, m = [1, 1, *shape][-2:]  # axes before these are depth, time or heads; a missing axis counts 1
    return method.draw(shape, rng, fans=(n, m))
