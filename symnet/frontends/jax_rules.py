"""JAX functions with a rule of their own, ``custom_jvp`` and ``custom_vjp``: is the rule the derivative of what the function computes?

A reader sees what such a function computes. Where its rule says something else (a straight-through estimator, a reversed or clipped
gradient), the program would have another gradient than JAX, so it is refused, with the function's name. The comparison is numerical,
at a few random points of different signs and sizes, with large and small upstream gradients; entries that are not finite are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from symnet.frontends.jax_library import library_function
from symnet.indexing.graph import unsupported

Array = np.ndarray[Any, Any]
CUSTOM = frozenset({"custom_jvp_call", "custom_vjp_call", "custom_vjp_call_jaxpr"})
Draw = Callable[[np.random.Generator, tuple[int, ...]], Array]
DRAWS: tuple[Draw, ...] = (
    lambda rng, shape: rng.normal(size=shape), lambda rng, shape: np.abs(rng.normal(size=shape)),
    lambda rng, shape: 1 + np.abs(rng.normal(size=shape)), lambda rng, shape: rng.uniform(0.05, 0.95, size=shape),
    lambda rng, shape: 5 * rng.normal(size=shape))
TOLERANCE = 1e4  # of the type's eps, relative to the largest entry
STRAIGHT_THROUGH = "z + stop_gradient(f(z) - z) for a straight-through estimator"


def check_rules(core: Any, vjp: Any, jaxpr: Any, where: str = "from_jax") -> None:
    """Raise UnknownNodeError for the first function of a jaxpr of known shapes whose rule is not its derivative.

    ``core`` is jax.extend.core and ``vjp`` jax.vjp.
    """
    for eqn in _equations(jaxpr):
        if str(eqn.primitive.name) not in CUSTOM:
            continue
        inner = eqn.params.get("call_jaxpr", eqn.params.get("fun_jaxpr"))
        said = getattr(getattr(inner, "jaxpr", inner), "debug_info", None)
        name = str(eqn.params.get("name") or getattr(said, "func_name", "?"))[:60]
        kind = "custom_vjp" if "vjp" in str(eqn.primitive.name) else "custom_jvp"
        try:
            agree = _agree(core, vjp, jaxpr, eqn, inner)
        except Exception as error:  # the user's rule runs here, and may raise anything
            raise unsupported(f"the {kind} function {name!r}, whose rule cannot be run ({type(error).__name__})", where,
                              "a rule that is the derivative of what the function computes") from None
        if not agree:
            raise unsupported(f"the {kind} function {name!r}, whose rule is not the derivative of what it computes", where,
                              f"a rule that is; {STRAIGHT_THROUGH}")


def _equations(jaxpr: Any) -> Iterator[Any]:
    """The equations of a jaxpr and of those inside it, but for JAX's own functions that are read whole."""
    for eqn in jaxpr.eqns:
        if library_function(eqn) is not None:
            continue
        yield eqn
        for value in eqn.params.values():
            for part in value if isinstance(value, (tuple, list)) else (value,):
                inner = getattr(part, "jaxpr", part)
                if hasattr(inner, "eqns"):
                    yield from _equations(inner)


def _agree(core: Any, vjp: Any, jaxpr: Any, eqn: Any, inner: Any) -> bool:
    """True when both gradients are alike at every point where both are finite."""
    invars = list(dict.fromkeys(v for v in eqn.invars if not hasattr(v, "val")))
    alone = core.ClosedJaxpr(jaxpr.replace(eqns=[eqn], constvars=[], invars=invars, outvars=eqn.outvars), [])
    ruled, plain = core.jaxpr_as_fun(alone), core.jaxpr_as_fun(inner)
    rng = np.random.default_rng(0)
    smooth = [k for k, v in enumerate(invars) if np.issubdtype(v.aval.dtype, np.floating)]
    for draw in DRAWS if smooth else ():
        point = [draw(rng, v.aval.shape).astype(v.aval.dtype) if k in smooth else np.zeros(v.aval.shape, v.aval.dtype)
                 for k, v in enumerate(invars)]
        for scale in (1.0, 1e4):
            gradients = [_pulled(vjp, _of_floats(f, point, smooth), [point[k] for k in smooth], scale)
                         for f in (ruled, _as_called(plain, eqn, invars))]
            if not all(map(_alike, *gradients)):
                return False
    return True


def _as_called(function: Any, eqn: Any, invars: list[Any]) -> Any:
    """``function`` of the equation's arguments as a function of its variables, each once."""
    return lambda *args: function(*[v.val if hasattr(v, "val") else args[invars.index(v)] for v in eqn.invars])


def _of_floats(function: Any, point: list[Array], smooth: list[int]) -> Any:
    def called(*floats: Any) -> Any:
        args: list[Any] = list(point)
        for k, value in zip(smooth, floats, strict=True):
            args[k] = value
        return [o for o in function(*args) if np.issubdtype(o.dtype, np.floating)]
    return called


def _pulled(vjp: Any, function: Any, floats: list[Array], scale: float) -> list[Array]:
    """The gradient for an upstream gradient that is drawn the same way each time."""
    out, pull = vjp(function, *floats)
    rng = np.random.default_rng(1)
    return [np.asarray(g) for g in pull([(scale * rng.normal(size=o.shape)).astype(o.dtype) for o in out])]


def _alike(a: Array, b: Array) -> bool:
    both = np.isfinite(a) & np.isfinite(b)
    size = max(np.abs(a[both]).max(initial=0.0), np.abs(b[both]).max(initial=0.0))
    return bool((np.abs(a - b)[both] <= TOLERANCE * np.finfo(a.dtype).eps * size).all())
