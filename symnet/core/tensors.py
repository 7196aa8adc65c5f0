"""Tensors: a name, its axes and what is known of its entries. A scalar is a tensor without axes."""

from __future__ import annotations

import difflib
import re
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from typing import Any

import sympy as sp

from symnet.core.axes import MOST, Axis
from symnet.core.expressions import entries
from symnet.core.number_sets import EXAMPLES, NAMED, REAL, NumberSet, name_of, number_set
from symnet.core.short_forms import cut
from symnet.core.signatures import checked
from symnet.core.structures import IS, ONE_HOT, check_structure
from symnet.errors import NameError_, ShapeError, needs, shown

NAME = re.compile(r"(?:[A-Za-z]|_(?=[A-Za-z0-9]))[A-Za-z0-9_]{0,63}\Z")
DOMAINS = (*NAMED, "complex", "index")


class Role(StrEnum):
    """What a tensor is for; reports say so in the symbol table."""

    INPUT = "input"
    TARGET = "target"
    PARAMETER = "parameter"
    CONSTANT = "constant"
    INTERMEDIATE = "intermediate"
    OBJECTIVE = "objective"
    GRADIENT = "gradient"


@dataclass(frozen=True, slots=True)
class Tensor:
    """A named array of numbers: ``axes`` gives its shape, ``domain`` what its entries may be, ``structure`` how they go together.

    A domain is "real", "positive", "nonnegative", "negative", "nonpositive", "nonzero", an interval "(0, 1)" or "[0, oo)", a finite set
    "{0, 1}", "complex" or "index"; the structures are those of ``structures.STRUCTURES``: "symmetric", "one-hot", …

    ``of`` names the tensor that a gradient belongs to and ``objective`` what was differentiated. ``latex`` overrides the
    printed name. ``W[i, j]`` is the entry, a SymPy expression; a scalar's entry is ``w[()]``. A scalar made from the entry
    W1[1, 2] when a program is instantiated keeps ``parent`` "W1" and ``place`` (1, 2).

    The entries of an "index" tensor are whole numbers that count from 0, as positions in an array do: 0..classes-1, or ``ignored``.
    They stand in brackets such as [c = y[n] + 1], since the indices of a program count from 1; nothing is differentiated by them.

    >>> from symnet.core.axes import index
    >>> Tensor("W", (Axis.of("d"), Axis.of("h")))[index("i"), index("j")]
    W[i, j]
    """

    name: str
    axes: tuple[Axis, ...] = ()
    domain: str = "real"
    role: Role = Role.INTERMEDIATE
    latex: str = ""
    of: str = ""
    objective: str = ""
    note: str = ""
    parent: str = ""
    place: tuple[int, ...] = ()
    classes: sp.Expr | None = None
    ignored: int | None = None
    structure: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not NAME.match(self.name):
            raise NameError_("tensor", f"the name {shown(self.name)}", "a letter followed by letters, digits or _")
        needs(self.axes, tuple, f"tensor {self.name}, axes", "a tuple of Axis", 'Axis.of("d")')
        for axis in self.axes:
            needs(axis, Axis, f"tensor {self.name}, axes", "a tuple of Axis", 'Axis.of("d")')
        if not isinstance(self.domain, str) or self.domain not in DOMAINS:
            object.__setattr__(self, "domain", domain_named(self.domain, f"tensor {self.name}"))
        if self.structure:
            check_structure(self)
            if self.structure == ONE_HOT and self.domain == "real":
                object.__setattr__(self, "domain", "{0, 1}")

    def __repr__(self) -> str:
        shape = f"{self.name}[{', '.join(str(s) for s in self.shape)}]" if self.axes else self.name
        return cut(f"Tensor {shape}: {self.role}" + ("" if self.domain == "real" else f", {self.domain}"))

    @property
    def shape(self) -> tuple[sp.Expr, ...]:
        """The sizes of the axes."""
        return tuple(axis.size for axis in self.axes)

    @property
    def base(self) -> sp.Symbol | sp.IndexedBase:
        """The SymPy object behind the name: a Symbol for a scalar, an IndexedBase otherwise."""
        return _base(self.name, bool(self.axes), self.domain, self.ignored, self.structure)

    @property
    def numbers(self) -> NumberSet:
        """The numbers that an entry may be; of a complex tensor and of an index all real ones."""
        return REAL if self.domain in ("complex", "index") else number_set(self.domain)

    def __getitem__(self, indices: Any) -> sp.Expr:
        where = indices if isinstance(indices, tuple) else (indices,)
        if len(where) != len(self.axes):
            raise ShapeError(f"tensor {self.name}", f"{len(where)} indices", f"{len(self.axes)}, one for each axis")
        for place in where:
            needs(place, (int, sp.Expr), f"tensor {self.name}", "a whole number or an index in each place", f"{self.name}[i]")
            if isinstance(place, int) and abs(place) > MOST:
                raise ShapeError(f"tensor {self.name}", "a place of too many digits", "a place in the array")
        return self.base[where] if self.axes else self.base

    @checked
    def with_role(self, role: Role) -> Tensor:
        """The same tensor in another role."""
        return replace(self, role=role)


@lru_cache(10_000)
def _base(name: str, indexed: bool, domain: str, ignored: int | None, structure: str) -> sp.Symbol | sp.IndexedBase:
    """The SymPy object behind a name, one for all tensors of which the same is known."""
    assumptions: dict[str, bool] = {"real": True}
    if domain != "real" or structure:
        assumptions = {} if domain == "complex" else {"rational": True} if domain == "index" else dict(number_set(domain).facts)
    if domain == "index" and (ignored is None or ignored >= 0):
        assumptions["nonnegative"] = True
    if structure and indexed:
        assumptions[IS + structure] = True
    symbol = sp.Symbol(name, **assumptions)
    return sp.IndexedBase(symbol) if indexed else symbol


def domain_named(text: Any, where: str) -> str:
    """The domain as it is kept: "(0,1)" is "(0, 1)", "[0, inf)" is "nonnegative". Raises NameError_ for what is none, or empty."""
    if not isinstance(text, str):
        raise NameError_(where, f"a domain that is a {type(text).__name__}", f"one of {', '.join(DOMAINS)}, or a set such as {EXAMPLES}")
    close = difflib.get_close_matches(text, DOMAINS, n=1, cutoff=0.7)
    if text in DOMAINS:
        return text
    try:
        return name_of(number_set(text, where))
    except NameError_ as error:
        hint = f"did you mean {close[0]!r}?" if close else error.hint
        raise NameError_(error.where, error.found, f"one of {', '.join(DOMAINS)}, or a set such as {EXAMPLES}", hint) from None


def scalar(name: str, domain: str = "real", role: Role = Role.INPUT, **more: Any) -> Tensor:
    """A tensor without axes."""
    return Tensor(name, (), domain, role, **more)


def sizes_of(tensors: Mapping[str, Tensor]) -> dict[str, sp.Symbol]:
    """The sizes of the axes."""
    return {str(s): s for t in tensors.values() for a in t.axes for e in a.range for s in e.free_symbols}


def same_name(name: str, names: Iterable[str]) -> str | None:
    """The one of ``names`` that is spelled like ``name``, _ aside: w_1 and w1 are one name. None where there is none, or several.

    >>> same_name("w1", ["w_1", "b"]), same_name("q", ["w_1"])
    ('w_1', None)
    """
    known = list(names)
    if name in known:
        return name
    bare = name.replace("_", "")
    same = [n for n in known if n.replace("_", "") == bare]
    return same[0] if len(same) == 1 else None


def free_name(name: str, taken: Container[str]) -> str:
    """``name``, with as many _ behind it as it takes to be none of ``taken``.

    >>> free_name("q", {"q", "q_"})
    'q__'
    """
    while name in taken:
        name += "_"
    return name


def tensor_name(entry: sp.Expr) -> str:
    """The tensor that an entry belongs to: "W" for ``W[i, j]``, "w" for the scalar ``w``."""
    return str(entry.base.label.name if isinstance(entry, sp.Indexed) else entry.name)


def entry_indices(entry: sp.Expr) -> tuple[sp.Expr, ...]:
    """The indices of an entry; none for a scalar."""
    return tuple(entry.indices) if isinstance(entry, sp.Indexed) else ()


def has_name(expr: sp.Basic, names: set[str] | frozenset[str]) -> bool:
    """True when an entry of one of the named tensors occurs in ``expr``."""
    return any(tensor_name(entry) in names for entry in entries(expr))
