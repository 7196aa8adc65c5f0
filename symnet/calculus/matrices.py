r"""Gradients by a symmetric matrix, on request and with the convention said.

The plain gradient G of L by S moves every entry of S on its own. Where S is symmetric two conventions are in use:

- "projection": (G + Gᵀ)/2, the gradient among symmetric matrices: ⟨(G + Gᵀ)/2, H⟩ is the change of L along every symmetric H,
  and a step of descent along it keeps S symmetric (Bishop 2006, App. C; Srinivasan & Panda 2023);
- "entries": G + Gᵀ - diag(G), the slopes of L in the d(d+1)/2 entries on and above the diagonal, of which each off the
  diagonal stands in two places (Matrix Cookbook 138).

They differ off the diagonal by a factor 2; the plain gradient agrees with the first when it is symmetric itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import sympy as sp

from symnet.core.derivation import Derivation, Rule, Step
from symnet.core.expressions import When, as_written
from symnet.core.names import gradient_latex, tensor_latex
from symnet.core.program import Definition
from symnet.core.signatures import checked
from symnet.core.tensors import Role, Tensor, free_name
from symnet.errors import OptionError, ShapeError

CONVENTIONS = {
    "projection": "symmetric: the gradient among symmetric matrices, (G + G^T)/2",
    "entries": "symmetric: the slope in each entry on or above the diagonal, G + G^T - diag(G)",
}


@checked
def symmetric(derivation: Derivation, name: str, convention: str = "projection") -> Derivation:
    """The same derivation with the gradient by the symmetric matrix ``name`` as its last step.

    ``gradients[name]`` and everything computed from it is then the symmetric gradient; the convention stands in the step's
    conditions and in ``conventions``. Raises ShapeError where the tensor is no square matrix, OptionError for another convention.

    >>> import symnet as sn
    >>> d = sn.derive(sn.program("L = x @ S @ x", tensors={"S": ("d", "d"), "x": ("d",)}), wrt=["S"])
    >>> print(symmetric(d, "S", "entries").gradients["S"])
    dLdSsym[i, j] = dL_dS[i, j] + dL_dS[j, i] - [i == j]*dL_dS[i, j]
    """
    if convention not in CONVENTIONS:
        raise OptionError("symmetric", f"the convention {convention!r}", "one of " + ", ".join(CONVENTIONS))
    plain = derivation.full[derivation.gradient_name(name)]
    of = derivation.program[name]
    if len(of.axes) != 2 or of.axes[0].range != of.axes[1].range or plain.axes != of.axes:
        raise ShapeError(f"symmetric gradient by {name}", f"shape {of.shape}", "a square matrix and an objective that is a number")
    with as_written():
        line = _line(derivation, plain, of, convention)
    step = Step(len(derivation.steps) + 1, of, line, Rule.SYMMETRIC, (), line.expr, conditions=(CONVENTIONS[convention],))
    return replace(derivation, full=derivation.full.extend([line]), names={**derivation.names, name: line.name},
                   steps=(*derivation.steps, step), conventions=tuple(dict.fromkeys((*derivation.conventions, CONVENTIONS[convention]))))


def _line(derivation: Derivation, plain: Tensor, of: Tensor, convention: str) -> Definition:
    title = free_name(f"d{derivation.objective}d{of.name}sym", derivation.full.tensors)
    mark = gradient_latex(tensor_latex(derivation.program.objective_tensor), tensor_latex(of))
    target = Tensor(title, of.axes, "real", Role.GRADIENT, latex=rf"\left({mark}\right)^{{\mathrm{{sym}}}}", note=CONVENTIONS[convention])
    i, j = (sp.Symbol(letter, integer=True) for letter in _letters(derivation))
    both = plain[i, j] + plain[j, i]
    expr = both / 2 if convention == "projection" else both - When(plain[i, j], sp.Eq(i, j))
    return Definition(target, (i, j), expr)


def _letters(derivation: Derivation) -> list[str]:
    taken = {*derivation.full.tensors, *(str(s) for s in derivation.full.sizes)}
    return [c for c in "ijkpquvrs" if c not in taken][:2]


def moved_with(step: Step, place: tuple[int, ...], name: Callable[[tuple[int, ...]], str]) -> dict[str, int]:
    """The entries of the variable that the entry of ``step`` at ``place`` moves together, each 1/n of the way.

    ``name`` is the scalar at a place. In a program of scalars the entry across the diagonal is another scalar of the same matrix.
    """
    own, across = name(place), name(place[::-1])
    if step.rule is Rule.SYMMETRIC and step.of.parent and step.derivation is not None:
        across = next(t.name for t in step.derivation.program.tensors.values()
                      if t.parent == step.of.parent and t.place == step.of.place[::-1])
    if step.rule is not Rule.SYMMETRIC or own == across:
        return {own: 1}
    share = 2 if CONVENTIONS["projection"] in step.conditions else 1
    return {own: share, across: share}
