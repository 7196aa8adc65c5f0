"""One value of a derivation as a Python function, the way ``sp.lambdify`` makes them: arguments in a row, SymPy's modules."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import sympy as sp

from symnet.backends.dialects import library_source
from symnet.backends.running import function_of
from symnet.backends.source import forward_source
from symnet.core.derivation import Derivation
from symnet.core.expressions import in_cases
from symnet.core.given_sizes import sizes_of_shapes
from symnet.core.own_symbols import named_by
from symnet.core.tensors import Tensor, entry_indices, tensor_name
from symnet.errors import NameError_, OptionError, did_you_mean, shown

LIBRARIES = ("numpy", "jax", "torch")
ENTRYWISE = ("math", "mpmath", "sympy")


def lambdify(derivation: Derivation, name: str, modules: Any = "numpy", args: Iterable[Any] | None = None) -> Callable[..., Any]:
    """A function of ``args`` (default: the inputs in the program's order) that gives the gradient by ``name``, or the value of that line.

    The arguments go by place or by name. Numbers alone: SymPy's own ``lambdify`` of the closed form, with ``modules`` as there. Arrays:
    a NumPy, JAX or PyTorch module of the whole program, or with "math", "mpmath" and "sympy" the closed form entry by entry. Arrays are
    indexed from 0, as ever in Python.
    Raises NameError_ for an unknown name and OptionError for modules that arrays do not have.
    """
    inputs = _inputs(derivation, args)
    wanted = derivation.names.get(name, name) if name in derivation.wrt else name
    tensors = derivation.full.tensors
    if wanted not in tensors:
        derivation.gradient_name(name)  # raises
    own = derivation.symbols
    if not any(tensors[t].axes for t in (*inputs, wanted)) and not any(t.axes for t in derivation.program.tensors.values()):
        try:
            form = in_cases(derivation.closed_form(name))
            made: Callable[..., Any] = sp.lambdify([own[t] for t in inputs], form, modules=modules, cse=True)
        except (NameError, ImportError, TypeError) as error:  # a module that there is not
            raise OptionError("lambdify", f"modules = {shown(modules)}", 'modules as for sp.lambdify: "numpy", "math", "mpmath", …',
                              str(error)[:80]) from None
        return made
    if modules in LIBRARIES:
        return _of_module(derivation, name, wanted, inputs, modules)
    if modules in ENTRYWISE:
        return _entry_by_entry(derivation, name, wanted, inputs, modules)
    raise OptionError("lambdify", f"modules = {modules!r} for arrays", "one of " + ", ".join((*LIBRARIES, *ENTRYWISE)))


def _inputs(derivation: Derivation, args: Iterable[Any] | None) -> list[str]:
    names = [t.name for t in derivation.program.inputs]
    if args is None:
        return names
    asked = [named_by(a, derivation.symbols) for a in args]
    for a in asked:
        if a not in names:
            raise NameError_("lambdify", f"the argument {a}", "inputs of the program: " + ", ".join(names))
    left = [n for n in names if n not in asked]
    if left or len(set(asked)) != len(asked):
        raise OptionError("lambdify", f"args = {', '.join(map(str, asked))}", "every input once", f"{left[0]!r} is missing" if left else "")
    return asked


def _of_module(derivation: Derivation, name: str, wanted: str, inputs: list[str], library: str) -> Callable[..., Any]:
    value = wanted == derivation.objective
    if library == "numpy" and name not in derivation.wrt and not value:
        source, function = forward_source(derivation.full, wanted), "forward"
    elif name in derivation.wrt or value:
        source, function = library_source(derivation, library), "value_and_grad"
    else:
        raise OptionError("lambdify", f"the line {name} with {library}", "a gradient or the objective", 'modules="numpy" for other lines')
    run = function_of(source, function)

    def made(*values: Any, **named: Any) -> Any:
        found = run(**_named(inputs, values, named))
        return found if function == "forward" else found[0] if value else found[1][name]
    return made


def _named(inputs: list[str], values: tuple[Any, ...], named: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a call by their names, in the order of ``inputs``; each may be given by place or by name."""
    unknown = next((n for n in named if n not in inputs), None)
    if unknown is not None:
        raise NameError_("call", f"the argument {unknown}", f"{len(inputs)}: {', '.join(inputs)}", did_you_mean(unknown, inputs))
    given = {**dict(zip(inputs, values, strict=False)), **named}
    if len(values) + len(named) != len(inputs) or len(given) != len(inputs):
        raise OptionError("call", f"{len(values) + len(named)} arguments", f"{len(inputs)}: {', '.join(inputs)}")
    return {n: given[n] for n in inputs}


def _entry_by_entry(derivation: Derivation, name: str, wanted: str, inputs: list[str], modules: str) -> Callable[..., Any]:
    tensors = derivation.full.tensors
    target = tensors[wanted]
    first = derivation.full.by_name[wanted][0]
    expr = derivation.closed_form(name, own=False)
    indices = [i for i in first.indices if i.is_Symbol]
    sizes = list(derivation.program.sizes)
    bases = {t: sp.Symbol(t) if not tensors[t].axes else sp.IndexedBase(t) for t in inputs}
    one = sp.lambdify([*bases.values(), *sizes, *indices], _from_zero(expr, tensors, bases), modules=modules)

    def made(*values: Any, **named: Any) -> Any:
        given = {t: _exact(v) if tensors[t].axes else v for t, v in _named(inputs, values, named).items()}
        known = sizes_of_shapes(derivation.program.inputs, {t: np.shape(v) for t, v in given.items()})
        numbers = [known[str(s)] for s in sizes]
        env = {s: sp.Integer(known[str(s)]) for s in sizes}
        spans = [range(int(a.lower.xreplace(env)), int(a.upper.xreplace(env)) + 1) for a in target.axes]
        found = np.empty([len(s) for s in spans], dtype=object)
        for k, place in zip(np.ndindex(found.shape), itertools.product(*spans), strict=True):
            found[k] = one(*given.values(), *numbers, *place)
        return found if target.axes else found[()]
    return made


def _exact(value: Any) -> Any:
    """An array of whatever numbers ``value`` holds."""
    return np.array(value.tolist() if hasattr(value, "tolist") else value, dtype=object)


def _from_zero(expr: sp.Expr, tensors: Mapping[str, Tensor], bases: Mapping[str, Any]) -> sp.Expr:
    """Entries counted from 0, brackets as cases: a case that does not hold is not computed."""
    table: dict[sp.Basic, sp.Basic] = {}
    for e in expr.atoms(sp.Indexed):
        t = tensors[tensor_name(e)]
        table[e] = bases[t.name][tuple(sp.expand(p - a.lower) for p, a in zip(entry_indices(e), t.axes, strict=True))]
    table |= {s: bases[s.name] for s in expr.free_symbols if s.is_Symbol and s.name in bases}
    return in_cases(expr.xreplace(table))
