"""Program -> callable. The array tree is printed as source for one library; the source is the function that runs."""

from __future__ import annotations

from typing import Any

from symnet.core.derivation import Derivation


def compile_derivation(derivation: Derivation, backend: str = "numpy", dtype: str = "float64", check: bool = False) -> Any:
    """A function ``loss, grads = f(params, X, Y)`` for a derivation; ``check`` checks the steps that are carried out. Raises OptionError
    for an unknown backend or dtype."""
    from symnet.backends.compiled import CompiledDerivation
    from symnet.backends.source import named

    if check:
        named(derivation).check()
    return CompiledDerivation(derivation, dtype, backend)
