"""The library of theorems: TOML files beside this one. A theorem is a claim as anybody might write it, with its false neighbours."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from symnet.core.claim import ClaimText
from symnet.core.tensors import Tensor
from symnet.parsing.declaring import tensor_of

# those that have provers of their own, written in Python
WITH_PROVERS = {
    "loss-scaling": "Dividing the loss by c is dividing the learning rate by c",
    "loss-scaling-nothing": "Dividing the loss by c changes nothing: sign descent, Lion",
    "loss-scaling-epsilon": "Dividing the loss by c is multiplying ε by c: Adam and its kin",
    "loss-scaling-without-epsilon": "Dividing the loss by c changes nothing where ε is 0: Adam and its kin",
    "loss-scaling-decay": "With coupled weight decay, dividing the loss by c is dividing the rate by c and multiplying the decay by c",
    "loss-scaling-clipping": "With clipping by value, dividing the loss by c is dividing the rate by c and multiplying the limit by c",
    "variance": "Var(z) = n Var(w) Var(x) for z = Σ w_i x_i, from which starting weights take their size",
    "variance-relu": "The same for inputs that passed a relu: half of it"}


@dataclass(frozen=True, slots=True)
class FalseNeighbour:
    """A claim that is nearly the theorem and is refuted, and what the difference is."""

    claim: ClaimText
    why: str


@dataclass(frozen=True, slots=True)
class Theorem:
    """One theorem: what it claims, in symbols and in words, where it is from, and what is nearly the same and wrong."""

    name: str
    topic: str
    title: str
    claim: ClaimText
    words: str = ""
    source: str = ""
    false: tuple[FalseNeighbour, ...] = ()


@cache
def library() -> Mapping[str, Theorem]:
    """All theorems of the library by name, in the order of the files."""
    found: dict[str, Theorem] = {}
    for file in sorted(files("symnet.theorems").iterdir(), key=lambda f: f.name):
        if file.name.endswith(".toml"):
            data = tomllib.loads(file.read_text(encoding="utf-8"))
            for entry in data["theorems"]:
                theorem = _theorem(entry, data["topic"])
                found[theorem.name] = theorem
    return found


def _theorem(entry: Mapping[str, Any], topic: str) -> Theorem:
    claim = _claim(entry, entry["name"])
    near = tuple(FalseNeighbour(_claim({**entry, **n}, ""), n["why"]) for n in entry.get("false", ()))
    return Theorem(entry["name"], topic, entry["title"], claim, entry.get("words", ""), entry.get("source", ""), near)


def _claim(entry: Mapping[str, Any], name: str) -> ClaimText:
    claim = entry["claim"]
    return ClaimText(claim if isinstance(claim, str) else " and ".join(claim), _declared(entry.get("symbols", {})),
                     tuple(entry.get("given", ())), tuple(entry.get("lines", ())), name)


def _declared(symbols: Mapping[str, Any]) -> tuple[Tensor, ...]:
    """[theorems.symbols]: a shape, a domain, or a table of both, for each name."""
    return tuple(tensor_of(name, {"domain": spec} if isinstance(spec, str) else tuple(spec) if isinstance(spec, list) else spec)
                 for name, spec in symbols.items())
