"""A derivation as source for another library: forward and backward pass in one file that needs that library alone."""

from __future__ import annotations

from symnet.backends.dialects import library_source
from symnet.core.derivation import Derivation
from symnet.core.signatures import checked


@checked
def export(derivation: Derivation, library: str = "numpy", dtype: str = "float64", check: bool = True) -> str:
    """The text of a module with ``value_and_grad(**symbols)``, for "numpy", "jax" or "torch"; for a program of numbers also "math".

    Arrays by name in, (objective, {name: gradient}) out. The JAX module may be traced and compiled, and has ``loss(parameters, data)``
    whose ``jax.grad`` is the derived gradient (a ``jax.custom_vjp``); the PyTorch module has ``loss(**symbols)``, a
    ``torch.autograd.Function``. Both refuse to differentiate what was not derived. Raises OptionError for another library and
    UnknownNodeError for a function that the library does not have; FaultError where a step does not check (``check=False`` leaves
    that out).

    >>> import symnet as sn
    >>> source = export(sn.derive(sn.program("L = (w*x - 1)**2"), wrt=["w"]), "jax")
    >>> "import jax.numpy as jnp" in source
    True
    """
    if check:
        derivation.check()
    return library_source(derivation, library, dtype)
