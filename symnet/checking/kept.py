"""What is worked out once about a derivation and the name that is asked for, and kept for the next answer."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from symnet.core.derivation import Derivation

Made = TypeVar("Made")
MOST = 32  # questions, over all derivations: a worksheet asks for a few gradients


def kept(make: Callable[[Derivation, str], Made]) -> Callable[[Derivation, str], Made]:
    """``make(derivation, name)``, which must not depend on anything else, once for each derivation and name.

    A derivation is known by being the same object, never by its looks; the object is held, so that no other takes its place.
    """
    known: dict[tuple[int, str], tuple[Derivation, Any]] = {}

    @wraps(make)
    def made(derivation: Derivation, name: str) -> Made:
        key = id(derivation), name
        found = known.get(key)
        if found is None or found[0] is not derivation:
            found = known[key] = derivation, make(derivation, name)
            while len(known) > MOST:
                known.pop(next(iter(tuple(known))), None)
        value: Made = found[1]
        return value
    return made
