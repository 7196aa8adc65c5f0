"""symnet: the mathematics of neural networks, derived, proved, checked, run and printed."""

from __future__ import annotations

from typing import Any

__version__ = "0.1.0"

# The public names and the file each lives in; loaded on first use, so that `import symnet` stays light.
_WHERE = {
    "program": "symnet.parsing.program", "derive": "symnet.face", "check": "symnet.face", "prove": "symnet.proofs",
    "report": "symnet.face", "fit": "symnet.training.fit", "load": "symnet.loading", "compare": "symnet.equality.compare",
    "Program": "symnet.core.program", "Definition": "symnet.core.program", "Assumption": "symnet.core.program",
    "Tensor": "symnet.core.tensors", "Axis": "symnet.core.axes", "Derivation": "symnet.core.derivation",
    "SymnetError": "symnet.errors",
    "Sequential": "symnet.networks.sequential",
    "Linear": "symnet.networks.layers", "Sigmoid": "symnet.networks.layers", "Tanh": "symnet.networks.layers",
    "ReLU": "symnet.networks.layers", "LeakyReLU": "symnet.networks.layers", "Softplus": "symnet.networks.layers",
    "Softmax": "symnet.networks.layers", "LogSoftmax": "symnet.networks.layers",
    "MSELoss": "symnet.networks.losses", "SquaredError": "symnet.networks.losses", "HalfSquaredError": "symnet.networks.losses",
    "BCELoss": "symnet.networks.losses", "CrossEntropyLoss": "symnet.networks.losses",
    "SGD": "symnet.networks.optimizers", "Momentum": "symnet.networks.optimizers", "RMSprop": "symnet.networks.optimizers",
    "Adam": "symnet.networks.optimizers",
}

__all__ = [*_WHERE, "__version__"]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'symnet' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_WHERE[name]), name)


def _join_readings() -> None:
    """Give the nouns their verbs. Core imports no room, so the rooms are named here and loaded on first use."""
    from symnet.core.verbs import install

    def verb(module: str, name: str) -> Any:
        def call(*args: Any, **options: Any) -> Any:
            import importlib

            return getattr(importlib.import_module(module), name)(*args, **options)
        return call

    install("check_step", verb("symnet.calculus.checking", "check_step"))
    install("closed_form", verb("symnet.calculus.closed", "closed_form"))
    install("instantiate", verb("symnet.calculus.instantiate", "instantiate"))
    install("evaluate", verb("symnet.calculus.evaluate", "evaluate"))
    install("compile", verb("symnet.backends", "compile_derivation"))


_join_readings()
