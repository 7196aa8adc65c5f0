"""Jacobians and second derivatives: the same chain rule, with the objective's own indices carried along.

A Jacobian's tensor has the axes of what is differentiated, then those of the variable: J[i, j] = ∂y[i]/∂x[j]. A Hessian is
the Jacobian of a gradient line, so it is the same rule applied again to a longer program.
"""

from __future__ import annotations

from collections.abc import Iterable

import sympy as sp

from symnet.calculus.derive import _Builder, _wanted, derive
from symnet.calculus.rules import recurs
from symnet.core.axes import Axis
from symnet.core.derivation import Derivation
from symnet.core.expressions import When, as_written, fresh, substitute, total
from symnet.core.index_letters import Labels, extend, relabel
from symnet.core.program import Definition, Program
from symnet.core.signatures import checked
from symnet.core.tensors import Role, Tensor, free_name
from symnet.errors import NameError_, OptionError, ShapeError, a_kind


@checked
def jacobian(program: Program, of: str, wrt: str | Iterable[str] | None = None) -> Derivation:
    """The Jacobian of a definition with respect to tensors: a Derivation whose gradients have of's axes in front.

    A tensor that is defined slice by slice is taken as one line, each slice in its bracket. Raises NameError_ for a name that no
    line defines and ShapeError for a recurrence.

    >>> from symnet.parsing.program import program
    >>> p = program("s = softmax(z)", "L = sum(s)", tensors={"z": ("n",)})
    >>> print(jacobian(p, "s", ["z"]).gradients["z"])
    ds_dz[i, j] = [j == i]*s[i] - s[i]*s[j]
    """
    if not isinstance(program, Program):
        raise OptionError("jacobian", a_kind(program), "a Program", "derivation.program")
    if of not in program.by_name:
        raise NameError_("jacobian", f"no line defines {of!r}", "one of " + ", ".join(program.by_name))
    lines = program.by_name[of]
    if recurs(program, of):
        raise ShapeError("jacobian", f"{of!r} depends on other places of itself", "a tensor without a recurrence",
                         "instantiate(sizes) first")
    upto = [d for d in program.definitions[: program.definitions.index(lines[-1]) + 1] if d.name != of]
    part = Program(program.inputs, (*upto, _one_line(program, lines)), of, program.assumptions, program.title)
    with as_written():
        return _Builder(part, _wanted(part, wrt)).build()


def _one_line(program: Program, lines: tuple[Definition, ...]) -> Definition:
    """The same tensor in one line: Σ over its slices of [i in the slice] · its right side."""
    first, axes = lines[0], lines[0].target.axes
    if len(lines) == 1 and first.slice() == tuple(a.range for a in axes):
        return first
    letters = _letters(program, axes)
    parts = []
    for d in lines:
        inside = [c for i, own, span, axis in zip(letters, d.indices, d.slice(), axes, strict=True) if span != axis.range
                  for c in ([sp.Eq(i, own)] if own not in d.free else [sp.Ge(i, span[0]), sp.Le(i, span[1])])]
        places = {own: i for i, own in zip(letters, d.indices, strict=True) if own in d.free}
        parts.append(When(substitute(fresh(d.expr), places), sp.And(*inside)))
    whole = relabel(sp.Add(*parts), {i: i for i in letters}, Labels.of(program))  # no letter of an axis is bound inside
    return Definition(first.target, letters, whole, note=first.note)


@checked
def hessian(derivation: Derivation | Program, of: str, wrt: str | None = None) -> Derivation:
    """∂²L/∂of ∂wrt (wrt defaults to of): the Jacobian of the gradient line of ``of``. A Program is derived by ``of`` first.

    >>> from symnet.parsing.program import program
    >>> p = program("L = log(sum(exp(z)))", tensors={"z": ("n",)})
    >>> d = hessian(derive(p, ["z"]), "z")
    >>> d.gradients["z"].shape
    (n, n)
    """
    first = _derived(derivation, of, "hessian")
    return jacobian(first.full, first.gradient_name(of), [wrt or of])


def _derived(given: Derivation | Program, of: str, where: str) -> Derivation:
    if isinstance(given, Program):
        return derive(given, [of])
    if not isinstance(given, Derivation):
        raise OptionError(where, a_kind(given), "a Derivation or a Program", "sn.derive(net, loss=sn.MSELoss())")
    return given


@checked
def hessian_vector_product(derivation: Derivation | Program, of: str, vector: str = "v") -> Derivation:
    """H v for the Hessian of the objective in ``of``: the gradient of Σ v·∂L/∂of. ``vector`` is a new input of of's shape.

    Source: Pearlmutter (1994), fast exact multiplication by the Hessian.

    >>> import symnet as sn
    >>> d = sn.hessian_vector_product(sn.program("L = x**2*y"), "x")
    >>> d.at({"x": 3, "y": 5, "v": 2}).exact("dq_dx")
    20
    """
    derivation = _derived(derivation, of, "hessian_vector_product")
    full = derivation.full
    if vector in full.tensors:
        raise NameError_("hessian_vector_product", f"{vector!r} is a name of the program", "a new name for the vector")
    gradient = full[derivation.gradient_name(of)]
    v = Tensor(vector, gradient.axes, role=Role.INPUT, note=f"a direction in {of}")
    product = Tensor(free_name("q", full.tensors), (), role=Role.OBJECTIVE, note="the gradient along the direction")
    letters = _letters(full, gradient.axes)
    body = v[letters] * gradient[letters] if letters else v[()] * gradient[()]
    line = Definition(product, (), total(body, tuple((i, *a.range) for i, a in zip(letters, gradient.axes, strict=True))))
    return derive(Program((*full.inputs, v), (*full.definitions, line), product.name, full.assumptions, full.title), [of])


def gauss_newton(derivation: Derivation, output: str, wrt: str) -> Program:
    """G = Jᵀ H J with J = ∂output/∂wrt and H = ∂²L/∂output²: the Hessian without the curvature of the network.

    ``output`` must be a vector and ``wrt`` a vector, both defined in one line; for weights use their flattened form. The
    result is a program whose last line is G. Source: Schraudolph (2002), fast curvature matrix-vector products.
    """
    program = derivation.program
    outer = hessian(derive(program, [output]), output)
    inner = jacobian(program, output, [wrt])
    h, j = outer.full[outer.gradient_name(output)], inner.full[inner.gradient_name(wrt)]
    if len(h.axes) != 2 or len(j.axes) != 2:
        raise ShapeError("gauss_newton", f"{output} and {wrt} of shapes {program[output].shape} and {program[wrt].shape}", "two vectors")
    lines = (*outer.full.definitions, *[d for d in inner.full.definitions if d.name not in outer.full.by_name])
    whole = Program(program.inputs, lines, program.objective, program.assumptions, program.title)
    a, b = _letters(whole, (j.axes[1], j.axes[1]))
    m, n = sp.Dummy("m", integer=True), sp.Dummy("n", integer=True)
    rows, columns = (m, *h.axes[0].range), (n, *h.axes[1].range)
    target = Tensor(free_name("G", whole.tensors), (j.axes[1], j.axes[1]), note="the Gauss-Newton matrix")
    body = sp.Sum(j[m, a] * h[m, n] * j[n, b], rows, columns)
    return whole.extend([Definition(target, (a, b), relabel(body, {a: a, b: b}, Labels.of(whole)))], target.name)


def _letters(program: Program, axes: tuple[Axis, ...]) -> tuple[sp.Symbol, ...]:
    labels = Labels.of(program)
    scope: dict[sp.Symbol, sp.Symbol] = {}
    for axis in axes:
        labels.spare(axis.range)
        scope = extend(scope, [(sp.Dummy(integer=True), *axis.range)], labels)
    return tuple(scope.values())
