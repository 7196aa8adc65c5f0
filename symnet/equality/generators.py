"""The generators of one comparison: what rules about functions are told and may ask. A Rule says what a kind of node is over them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sympy as sp

from symnet.equality.fractions import Fraction, Ring
from symnet.equality.rules.linear_relations import Exponents, Rests, Terms
from symnet.equality.rules.radicals import Root

Signs = frozenset[int]  # of -1, 0 and 1


class Generators(ABC):
    """The generators met so far, with what is known of each."""

    kinds: dict[sp.Symbol, tuple[Any, ...]]  # generator -> its kind and its key
    meaning: dict[sp.Symbol, sp.Expr]  # generator -> what it stands for
    steps: set[sp.Symbol]
    roots: dict[sp.Symbol, Root]  # generator -> what it is the root of
    circles: dict[sp.Symbol, sp.Symbol]  # sine -> cosine of the same angle
    logs: dict[sp.Symbol, sp.Expr]  # the generators that are logarithms, with what they are the logarithms of
    sizes: dict[sp.Symbol, sp.Expr]  # those that are log|f|, with f
    exponents: Exponents
    units: dict[sp.Expr, sp.Rational]  # independent exponent -> of what its coefficients are whole multiples
    stems: set[sp.Expr] | None  # sums inside functions, each one generator: see ``opaque_sums``
    waving: set[sp.Expr]  # the independent exponents of which sigmoid is the generator
    angles: dict[sp.Expr, sp.Rational]  # the same as ``units`` for the monomials under sin and cos
    degrees: dict[sp.Expr, int]  # f -> the common denominator of the powers of |f|
    rests: Rests

    @abstractmethod
    def generator(self, kind: str, key: Any, meaning: sp.Expr) -> sp.Symbol:
        """The symbol for one kind of atom with one normalized argument."""

    @abstractmethod
    def flat(self, expr: sp.Expr) -> sp.Expr:
        """``expr`` with every atom replaced by its generator; only + · and whole powers are left."""

    @abstractmethod
    def normal(self, expr: sp.Expr) -> tuple[Ring, Fraction]:
        """The reduced fraction of ``expr`` and the ring it lives in."""

    @abstractmethod
    def key(self, expr: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
        """The reduced fraction of an argument, scaled so that two equal arguments share it."""

    @abstractmethod
    def monomials(self, argument: sp.Expr) -> Terms:
        """A normalized argument as Σ rational · monomial."""

    @abstractmethod
    def real(self, expr: sp.Basic) -> bool:
        """True when every symbol and entry in ``expr`` stands for a real number."""

    @abstractmethod
    def numbers(self, symbol: sp.Symbol) -> Any:
        """The set of numbers that a symbol or a generator may be."""

    @abstractmethod
    def spelled(self, expr: sp.Expr) -> sp.Expr:
        """``expr`` with every generator replaced by what it stands for."""

    @abstractmethod
    def signs_of(self, factor: sp.Expr) -> Signs:
        """The signs that a polynomial over the generators may have."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What a node of the kind ``head`` is over the generators: an identity wherever the node is defined."""

    head: type[sp.Basic]
    function: Callable[[Generators, Any], sp.Expr]


def inside(basis: Generators, symbol: sp.Symbol) -> sp.Expr:
    """u, for the generators exp(u) and sigmoid(u)."""
    member, one = basis.kinds[symbol][1]
    return one * member
