"""What the user's function returns, read as gradients by name and a loss."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from symnet.checking.code.calling import plain_name
from symnet.core.derivation import Derivation
from symnet.errors import OptionError

Read = Callable[[str, Any], Any]  # a returned value, and where it stands, as an array
LOSSES = frozenset({"loss", "cost", "l", "j", "objective", "error"})


def read_result(result: Any, derivation: Derivation, names: Sequence[str], read: Read) -> tuple[dict[str, Any], list[str]]:
    """Arrays by name (the objective's own name for the loss), as ``read`` makes them, and the keys that were not understood.

    A mapping goes by its keys (W1, dW1, grad_W1, dL_dW1); a tuple by ``names``, else by the order of ``wrt``, with the loss before or
    after; (loss, gradients) and (gradients, loss) are read too.
    """
    if names:
        parts = list(result) if isinstance(result, (tuple, list)) else [result]
        if len(parts) != len(names):
            raise OptionError("returned value", f"{len(parts)} values", f"{len(names)}: {', '.join(names)}")
        return _by_key(dict(zip(names, parts, strict=True)), derivation, read)
    if isinstance(result, Mapping):
        return _by_key(result, derivation, read)
    if isinstance(result, (tuple, list)):
        return _by_order(list(result), derivation, read)
    if result is None:
        raise OptionError("returned value", "nothing", "gradients by name, or in order", "return {'W1': dW1, ...}")
    only = derivation.wrt[0] if len(derivation.wrt) == 1 else ""
    scalar = not np.shape(result)
    if only and (not scalar or not derivation.program[only].axes):
        return {only: read(only, result)}, []
    if scalar:
        return {derivation.objective: read("the loss", result)}, []
    raise OptionError("returned value", f"one array for {len(derivation.wrt)} gradients", "gradients by name, or in order",
                      "return {'W1': dW1, ...}")


def _by_order(parts: list[Any], derivation: Derivation, read: Read) -> tuple[dict[str, Any], list[str]]:
    wrt, loss = list(derivation.wrt), derivation.objective
    inner = [k for k, p in enumerate(parts) if isinstance(p, (Mapping, tuple, list))]
    if len(parts) == 2 and len(inner) == 1:
        found, unread = read_result(parts[inner[0]], derivation, (), read)
        other = parts[1 - inner[0]]
        return ({loss: read("the loss", other)} if not np.shape(other) else {}) | found, unread
    if len(parts) == len(wrt):
        order = wrt
    elif len(parts) == len(wrt) + 1 and not np.shape(parts[0]):
        order = [loss, *wrt]
    elif len(parts) == len(wrt) + 1 and not np.shape(parts[-1]):
        order = [*wrt, loss]
    else:
        raise OptionError("returned value", f"{len(parts)} values", f"{len(wrt)}, in the order {', '.join(wrt)}, or a dict by name",
                          "returns=(...) names them")
    return {name: read(name, p) for name, p in zip(order, parts, strict=True)}, []


def _by_key(parts: Mapping[str, Any], derivation: Derivation, read: Read) -> tuple[dict[str, Any], list[str]]:
    found: dict[str, Any] = {}
    unread: list[str] = []
    for key, value in parts.items():
        if isinstance(value, Mapping):
            inner, more = _by_key(value, derivation, read)
            if twice := next((n for n in inner if n in found), ""):
                raise _two(twice)
            found |= inner
            unread += more
            continue
        name = tensor_named(str(key), derivation)
        kept = key == name and name not in (*derivation.wrt, derivation.objective) and name in derivation.program.by_name
        if name is None or kept:  # a line under its own name is a value, kept for later, and no gradient
            unread.append(str(key))
        elif name in found:
            raise _two(name)
        else:
            found[name] = read(str(key), value)
    if not found:
        raise OptionError("returned value", "no key that names a gradient: " + ", ".join(map(str, parts)),
                          "keys such as " + ", ".join(f"d{w}" for w in derivation.wrt))
    return found, unread


def _two(name: str) -> OptionError:
    return OptionError("returned value", f"two keys that mean the gradient by {name}", "one", "leave one of them out")


def tensor_named(key: str, derivation: Derivation) -> str | None:
    """The tensor that a key such as dW1, grad_W1 or dL_dW1 means; the objective for "loss"."""
    tensors = derivation.program.tensors
    wanted = {name: name for name in derivation.wrt}
    for table in (wanted, {name: name for name in tensors if name != derivation.objective}):
        for text in dict.fromkeys((key, *_without_prefix(key))):
            if text in table:
                return text
            same = [name for name in table if plain_name(name) == plain_name(text)]
            same = same or [name for name in table if plain_name(name).rstrip("0123456789") == plain_name(text) and table is wanted]
            if len(same) == 1:
                return same[0]
        if key == derivation.objective or key.lower() in LOSSES:
            return derivation.objective
    return None


def _without_prefix(key: str) -> list[str]:
    found = []
    for prefix in ("dL_d", "dL/d", "dJ_d", "dloss_d", "grad_", "grad", "d_", "d", "g_", "g"):
        if key.lower().startswith(prefix.lower()) and len(key) > len(prefix):
            found.append(key[len(prefix):])
    return found

