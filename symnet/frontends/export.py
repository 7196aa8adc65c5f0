"""A derivation as source for another library: forward and backward pass in one file that needs that library alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from symnet.backends.c_source import c_source
from symnet.backends.dialects import DIALECTS, library_source
from symnet.core.derivation import Derivation
from symnet.core.signatures import checked
from symnet.errors import OptionError, did_you_mean, shown

LIBRARIES = ("numpy", *DIALECTS, "c")


@checked
def export(derivation: Derivation, library: str = "numpy", dtype: str = "float64", check: bool = True,
           sizes: Mapping[str, int] | None = None, outputs: Sequence[str] = (), update: bool = False) -> str:
    """The text of a module with ``value_and_grad(**symbols)``, for "numpy", "jax" or "torch"; for a program of numbers also "math".

    Arrays by name in, (objective, {name: gradient}) out. The JAX module may be traced and compiled, and has ``loss(parameters, data)``
    whose ``jax.grad`` is the derived gradient (a ``jax.custom_vjp``); the PyTorch module has ``loss(**symbols)``, a
    ``torch.autograd.Function``. Both refuse to differentiate what was not derived. Raises OptionError for another library and
    UnknownNodeError for a function that the library does not have; FaultError where a step does not check (``check=False`` leaves
    that out).

    "c" is one file of C99 that needs the mathematics of the C library alone and allocates no memory, for a microcontroller or to be
    compiled anywhere: ``symnet_loss``, ``symnet_gradient`` (the objective, and all gradients), with ``outputs`` ``symnet_forward``,
    which computes those lines, and with ``update`` ``symnet_sgd``, a step of gradient descent in place. ``sizes`` gives a number for
    every size of the program, since arrays in C have fixed sizes; "float32" makes every number a float. Names of the program stand in
    the file behind ``v_``.

    >>> import symnet as sn
    >>> source = export(sn.derive(sn.program("L = (w*x - 1)**2"), wrt=["w"]), "jax")
    >>> "import jax.numpy as jnp" in source
    True
    >>> net = sn.derive(sn.Sequential(sn.Linear("d", 3)), loss=sn.MSELoss())
    >>> "real symnet_sgd(" in export(net, "c", sizes={"N": 5, "d": 2}, update=True)
    True
    """
    if library not in LIBRARIES:
        raise OptionError("export", f"the library {shown(library)}", ", ".join(LIBRARIES), did_you_mean(library, LIBRARIES))
    if library != "c" and (sizes or outputs or update):
        given = "sizes" if sizes else "outputs" if outputs else "update"
        raise OptionError("export", f"{given} for {library}", '"c", which takes them')
    if check:
        derivation.check()
    if library == "c":
        return c_source(derivation, sizes, dtype, outputs, update)
    return library_source(derivation, library, dtype)
