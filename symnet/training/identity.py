"""What a run is made of, in short: a state of it goes on only where all of this is the same."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from symnet.core.derivation import Derivation
from symnet.errors import OptionError
from symnet.networks.optimizer_program import Optimizer


def program_identity(derivation: Derivation) -> str:
    """A hash of every line, forward and backward, and of the inputs with their shapes."""
    inputs = [f"{t.name}{t.shape} {t.domain} {t.role}" for t in derivation.program.inputs]
    lines = [f"{d} {d.ranges}" for d in derivation.full.definitions]
    return _hash("\n".join([*inputs, *lines, derivation.objective, *derivation.wrt]).encode())


def optimizer_identity(rule: Optimizer) -> str:
    """The lines of the update and the exact constants in them."""
    settings = ", ".join(f"{k} = {v}" for k, v in rule.settings.items())
    return f"{rule.name} ({settings}) {_hash(str(rule.program).encode())}"


def data_identity(data: Mapping[str, np.ndarray[Any, Any]]) -> str:
    """A hash of all arrays, with their names and shapes."""
    whole = hashlib.sha256()
    for name, array in sorted(data.items()):
        whole.update(f"{name} {array.shape} {array.dtype}".encode())
        whole.update(np.ascontiguousarray(array).tobytes())
    return whole.hexdigest()[:32]


def _hash(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()[:32]


WORDS = {"program": "another program", "optimizer": "another optimizer", "data": "other data", "validation": "other validation data",
         "metrics": "other metrics", "dtype": "another dtype", "batch_size": "another batch_size", "seed": "another seed",
         "shuffle": "another shuffle", "losses": "other losses"}


def check_same(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """Raise OptionError where a state is that of another run, saying in what."""
    for name, value in wanted.items():
        if found.get(name) != value:
            told = f": {found.get(name)}, here {value}" if name not in ("program", "data", "validation") else ""
            raise OptionError("resume", f"a checkpoint of {WORDS.get(name, name)}{told}", "the run that wrote it",
                              "the arrays that it was made with" if name in ("data", "validation") else
                              "params= for new training from its parameters")
