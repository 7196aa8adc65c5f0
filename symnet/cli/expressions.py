"""symnet derive EXPR: an expression with shapes and domains from the command line -> a derivation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from symnet.calculus import derive
from symnet.core.structures import STRUCTURES
from symnet.core.tensors import Role, Tensor, domain_named, sizes_of
from symnet.errors import OptionError, did_you_mean
from symnet.parsing.program import free_names, program, tensor_of


def from_expression(text: str, wrt: Sequence[str] | None, shapes: Sequence[str], domains: Sequence[str],
                    check: bool = True) -> Any:
    """The derivation of one expression; names without a shape are numbers, names of sizes are sizes."""
    tensors = shaped(shapes)
    known = set(sizes_of(tensors))
    said = {*tensors, *(wrt or ()), *(d.partition(":")[0].strip() for d in domains)}
    for name in free_names(text, declared_names=said):
        if name not in tensors and name not in known:
            tensors[name] = tensor_of(name, (), "expression")
    for name, domain in (_pair(d, "--domain", "x:positive") for d in domains):
        if name not in tensors:
            raise OptionError("--domain", f"{name}:{domain}", "a symbol of the expression", did_you_mean(name, tensors))
        tensors[name] = within(tensors[name], domain)
    wanted = list(wrt) if wrt else None
    for name in wanted or []:
        if name in tensors:
            tensors[name] = replace(tensors[name], role=Role.PARAMETER)
    made = derive(program(objective=text, tensors=tensors), wanted)
    if check:
        made.check()
    return made


def shaped(shapes: Sequence[str]) -> dict[str, Tensor]:
    """The arrays that --shape declares."""
    found: dict[str, Tensor] = {}
    for name, sizes in (_pair(s, "--shape", "X:N,d") for s in shapes):
        parts = [int(p) if p.strip().isdigit() else p.strip() for p in sizes.split(",") if p.strip()]
        found[name] = tensor_of(name, tuple(parts), "--shape")
    return found


def within(tensor: Tensor, domain: str) -> Tensor:
    """A tensor of the domain, or of the structure, that --domain names."""
    if domain.lower().replace("_", " ") in STRUCTURES:
        return replace(tensor, structure=domain)
    return replace(tensor, domain=domain_named(domain, "--domain"))


def declared(shapes: Sequence[str], domains: Sequence[str]) -> tuple[Tensor, ...]:
    """What --shape and --domain declare; a name without a shape is a number."""
    found = shaped(shapes)
    for name, domain in (_pair(d, "--domain", "x:positive") for d in domains):
        found[name] = within(found.get(name, tensor_of(name, (), "--domain")), domain)
    return tuple(found.values())


def _pair(text: str, option: str, example: str) -> tuple[str, str]:
    name, colon, rest = text.partition(":")
    if not colon or not name.strip() or not rest.strip():
        raise OptionError(option, repr(text)[:60], f"such as {example}")
    return name.strip(), rest.strip()
