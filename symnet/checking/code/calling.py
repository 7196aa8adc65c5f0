"""Calling the user's function: its arguments found by name, its errors told in one line with the place in the user's file."""

from __future__ import annotations

import inspect
import random
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from symnet.core.program import Program
from symnet.core.tensors import Role, Tensor
from symnet.errors import NameError_, OptionError, did_you_mean

TABLES = frozenset({"params", "parameters", "param", "theta", "weights", "model", "p", "inputs", "data", "batch", "cache", "values", "net",
                    "state", "args"})
ROLES = {Role.TARGET: frozenset({"y", "t", "target", "targets", "label", "labels", "ytrue", "truth"}),
         Role.INPUT: frozenset({"x", "input", "inputs", "data", "xbatch"}), Role.CONSTANT: frozenset({"mask", "m", "masks", "dropmask"})}


@dataclass(frozen=True)
class Binding:
    """What each argument of the function is: a tensor, a size, class labels, a fixed value or a table of tensors."""

    tensors: Mapping[str, str] = field(default_factory=dict)
    sizes: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    fixed: Mapping[str, Any] = field(default_factory=dict)
    tables: tuple[str, ...] = ()
    rest: bool = False  # the function takes **names


class Table(dict[str, Any]):
    """The inputs by name; iterating gives the parameters. An unknown name is told with the names there are."""

    def __missing__(self, key: str) -> Any:
        for name in self.every:
            if plain_name(name) == plain_name(key):
                return self.every[name]
        raise NameError_("arguments", f"no input named {key!r}", "one of " + ", ".join(self.every), did_you_mean(str(key), self.every))

    every: Mapping[str, Any] = {}


def plain_name(name: str) -> str:
    """Letters and digits, small: W_1 is w1."""
    return re.sub(r"[^a-z0-9]", "", str(name).lower())


def bind(function: Callable[..., Any], program: Program, arguments: Mapping[str, Any], labels: Mapping[str, str]) -> Binding:
    """Find what each argument is. Raises NameError_ for one that is like nothing in the program."""
    inputs = {t.name: t for t in program.inputs}
    for where, given in (("arguments", arguments), ("labels", labels)):
        for name in given.values():
            if isinstance(name, str) and name not in inputs and name not in map(str, program.sizes):
                raise NameError_(where, f"no input named {name!r}", "one of " + ", ".join(inputs), did_you_mean(name, inputs))
    tensors: dict[str, str] = {}
    sizes: dict[str, str] = {}
    fixed: dict[str, Any] = {}
    tables: list[str] = []
    rest = False
    sizes_known = {str(s) for s in program.sizes}
    asked = _parameters(function)
    unknown = [] if any(p.kind is p.VAR_KEYWORD for p in asked) else [n for n in (*arguments, *labels) if n not in {p.name for p in asked}]
    if unknown:
        raise NameError_("arguments" if unknown[0] in arguments else "labels", f"the function has no argument {unknown[0]!r}",
                         "one of " + ", ".join(p.name for p in asked), did_you_mean(unknown[0], [p.name for p in asked]))
    taken = {p.name for p in asked if p.name in inputs} | {v for v in arguments.values() if isinstance(v, str)}
    for p in asked:
        said = arguments.get(p.name)
        if p.kind is p.VAR_KEYWORD:
            rest = True
        elif p.name in labels or p.kind is p.VAR_POSITIONAL:
            continue
        elif said is not None and not isinstance(said, str):
            fixed[p.name] = said
        elif (said or p.name) in inputs:
            tensors[p.name] = said or p.name
        elif (said or p.name) in sizes_known:
            sizes[p.name] = said or p.name
        elif (found := _alike(p.name, inputs, taken)) is not None:
            tensors[p.name] = found
            taken.add(found)
        elif p.name in TABLES:
            tables.append(p.name)
        elif p.default is p.empty:
            free = [name for name in inputs if name not in taken]
            raise NameError_(f"argument {p.name}", "no input of the program has this name", "one of " + ", ".join(free or inputs),
                             did_you_mean(p.name, inputs) or f"arguments={{{p.name!r}: {(free or list(inputs))[0]!r}}}")
    return Binding(tensors, sizes, dict(labels), fixed, tuple(tables), rest)


def _parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    if not callable(function):
        raise OptionError("check_code", type(function).__name__, "a function")
    try:
        return list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        raise OptionError("check_code", "a function whose arguments cannot be seen", "a Python function") from None


def _alike(name: str, inputs: Mapping[str, Tensor], taken: set[str]) -> str | None:
    """The one input that ``name`` may stand for: the same but for _ and capitals, or without its number, or the only one of its role."""
    mine = plain_name(name)
    free = {other: t for other, t in inputs.items() if other not in taken}
    tests: list[Callable[[str, Tensor], bool]] = [
        lambda other, t: plain_name(other) == mine,
        lambda other, t: plain_name(other).rstrip("0123456789") == mine,
        lambda other, t: mine in ROLES.get(t.role, ()),
    ]
    for test in tests:
        found = [other for other, t in free.items() if test(other, t)]
        if len(found) == 1:
            return found[0]
    return None


def class_labels(truth_shape: tuple[int, ...], seed: int) -> Any:
    """Class numbers, counted from 0: one for each row of a one-hot array of this shape, no two choices alike."""
    dice = random.Random(seed)
    rows, classes = truth_shape[:-1], truth_shape[-1]
    count = int(np.prod(rows, dtype=int))
    order = dice.sample(range(classes), classes)
    return np.array([order[k % classes] if k < classes else dice.randrange(classes) for k in range(count)], dtype=int).reshape(rows)


def one_hot(name: str, chosen: Any, shape: tuple[int, ...]) -> Iterator[tuple[tuple[str, tuple[int, ...]], int]]:
    """The entries (counted from 1) of the one-hot array that the labels stand for."""
    for place in np.ndindex(*shape):
        yield (name, tuple(k + 1 for k in place)), int(chosen[place[:-1]] == place[-1])


def arguments_of(function: Callable[..., Any], binding: Binding, program: Program, every: Mapping[str, Any], sizes: Mapping[str, Any],
                 chosen: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """The function's arguments, those by place and those by name: ``every`` input by name, the ``sizes`` and the ``chosen`` labels."""
    parameters = [t.name for t in program.inputs if t.role is Role.PARAMETER and t.name in every] or list(every)
    table = Table({name: every[name] for name in parameters})
    table.every = every
    given: dict[str, Any] = {a: every[name] for a, name in binding.tensors.items()}
    given |= {a: sizes[name] for a, name in binding.sizes.items()} | dict(binding.fixed)
    given |= {a: chosen[name] for a, name in binding.labels.items()}
    given |= dict.fromkeys(binding.tables, table)
    if binding.rest:
        used = set(binding.tensors.values())
        given |= {name: a for name, a in every.items() if name not in used and name not in given}
    front = [given.pop(p.name) for p in _parameters(function) if p.name in given and p.kind is p.POSITIONAL_ONLY]
    return front, given

