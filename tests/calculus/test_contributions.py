"""A contribution's ``local`` is the whole slope ∂v[P]/∂u[α]: compared, entry by entry at small sizes, with SymPy's derivative of the
scalar right side. Every place of a definition is named at most once, and the slope is 0 at the places that are not named."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Mapping

import pytest
import sympy as sp

import symnet as sn
from symnet.calculus import derive
from symnet.calculus.instantiate import Entries, environment, instantiate_program
from symnet.core.axes import Axis, index, size
from symnet.core.derivation import Derivation, Step
from symnet.core.expressions import When, as_written, total
from symnet.core.index_evaluation import at_place, holds, integer, span, visits
from symnet.core.program import Definition, Program, define
from symnet.core.tensors import Tensor, entry_indices
from symnet.networks import architectures

VECTOR = {"x": ("n",), "c": ("n",)}
SQUARE = {"A": ("n", "n"), "c": ("n", "n")}
TEXTS: dict[str, tuple[tuple[str, ...], Mapping[str, tuple[str, ...]], str]] = {
    "used twice at one place": (("v = x/(1 + exp(-x))", "L = sum(c*v)"), VECTOR, "x"),
    "three uses at one place": (("v = x*exp(x)/(1 + x**2)", "L = sum(c*v)"), VECTOR, "x"),
    "softmax": (("p = exp(x)/sum(exp(x))", "L = sum(c*p)"), VECTOR, "x"),
    "softmax of rows": (("p[i, j] = exp(A[i, j])/sum(exp(A[i, k]) for k in 1..n)", "L = sum(c*p)"), SQUARE, "A"),
    "softmax of columns": (("p[i, j] = exp(A[i, j])/sum(exp(A[k, j]) for k in 1..n)", "L = sum(c*p)"), SQUARE, "A"),
    "outer product": (("P = outer(x, x)", "L = sum(P*A)"), {"x": ("n",), "A": ("n", "n")}, "x"),
    "outer over its norm": (("P = outer(x, x)/(x@x)", "L = sum(P*A)"), {"x": ("n",), "A": ("n", "n")}, "x"),
    "every difference": (("v[i] = sum((x[i] - x[j])**2 for j in 1..n)", "L = sum(c*v)"), VECTOR, "x"),
    "reversed": (("v[i] = x[i]*x[n + 1 - i]", "L = sum(c[i]*v[i] for i in 1..n)"), VECTOR, "x"),
    "a matrix times itself": (("B = A@A", "L = sum(B*c)"), SQUARE, "A"),
    "a matrix times its transpose": (("B = A@A.T", "L = sum(B*c)"), SQUARE, "A"),
    "across the diagonal": (("B = A*A.T", "L = sum(B*c)"), SQUARE, "A"),
    "the diagonal and the rest": (("B[i, j] = A[i, j]*A[i, i]", "L = sum(B*c)"), SQUARE, "A"),
    "mean and spread in one line": (("v = (x - mean(x))/sqrt(sum((x - mean(x))**2)/n + 1)", "L = sum(c*v)"), VECTOR, "x"),
    "a scalar line": (("s = sum(x**2)*sum(x)", "L = s**2"), VECTOR, "x"),
    "one value for all": (("v = w*x + w", "L = sum(c*v**2)"), {**VECTOR, "w": ()}, "w"),
    "the objective alone": (("L = sum(x)**2/sum(x**2)",), VECTOR, "x"),
}


def of_text(name: str) -> tuple[Derivation, str]:
    lines, tensors, wrt = TEXTS[name]
    return derive(sn.program(*lines, tensors=dict(tensors)), [wrt]), wrt


def masked() -> Program:
    """p[i] = [i <= 2] e^x_i / Σ_j [j <= 2] e^x_j, and y[i] = Σ_j [j <= i] x_j x_i."""
    x, c, i, j = Tensor("x", (Axis.of("n"),)), Tensor("c", (Axis.of("n"),)), index("i"), index("j")
    over = ((j, sp.S.One, size("n")),)
    p, y = Tensor("p", x.axes), Tensor("y", x.axes)
    lines = (define(p, i, expr=When(sp.exp(x[i]), sp.Le(i, 2)) / total(When(sp.exp(x[j]), sp.Le(j, 2)), over)),
             define(y, i, expr=total(When(x[j], sp.Le(j, i)), over) * x[i]),
             define(Tensor("L"), expr=total(c[j] * p[j] * y[j], over)))
    return Program((x, c), lines)


def shifted(expr: Callable[[Tensor, sp.Symbol, sp.Symbol], sp.Expr], length: Callable[[sp.Expr, sp.Expr], sp.Expr]) -> Program:
    """v[i] = expr over i = 1..m, with an index p over 1..n beside it."""
    i, p, m, n = index("i"), index("p"), size("m"), size("n")
    x, c = Tensor("x", (Axis.of(length(m, n)),)), Tensor("c", (Axis.of("m"),))
    v = Tensor("v", c.axes)
    return Program((x, c), (define(v, i, expr=expr(x, i, p)), define(Tensor("L"), expr=total(c[i] * v[i] ** 2, ((i, sp.S.One, m),)))))


MADE: Mapping[str, Callable[[], Program]] = {
    "masked": masked, "mlp": architectures.mlp, "deep mlp": architectures.deep_mlp, "rnn": architectures.rnn,
    "conv1d": architectures.conv1d, "strided": lambda: architectures.conv1d(stride=2),
    "layer norm": lambda: sn.Sequential(sn.Linear("d", "h"), sn.LayerNorm("h")).program(sn.MSELoss()),
    "attention": lambda: sn.load("transformer").program,
    "second differences": lambda: shifted(lambda x, i, p: (x[i] - 2 * x[i + 1] + x[i + 2]) ** 2, lambda m, n: m + 2),
    "neighbours": lambda: shifted(lambda x, i, p: x[i] * x[i + 1], lambda m, n: m + 1),
    "with itself shifted": lambda: shifted(lambda x, i, p: total(x[p] * x[i + p - 1], ((p, sp.S.One, size("n")),)), lambda m, n: m + n - 1),
    "reversed": lambda: shifted(lambda x, i, p: sp.exp(x[size("m") + 1 - i] * x[i]) + x[i], lambda m, n: m),
}


def slopes_are_whole(d: Derivation, most: int = 4) -> int:
    sizes = {str(s): k for s, k in zip(d.program.sizes, (2, 3, 2, 3, 2, 3, 2), strict=False)}
    if "H" in sizes:
        sizes = dict.fromkeys(sizes, 2)
    env = environment(d.program, sizes)
    scalars, at = instantiate_program(d.program, sizes)
    right = {x.name: x.expr for x in scalars.definitions}
    rng = random.Random(7)
    point = {s: sp.Float(rng.uniform(0.2, 1.8), 40) for t in scalars.tensors.values() for s in [at_symbol(t)]}
    for x in scalars.definitions:  # a folded slope is written in the value itself
        point[at_symbol(x.target)] = x.expr.xreplace(point).evalf(40)
    count = 0
    for step in d.steps:
        places = list(visits(step.definition, env))
        for place, here in rng.sample(places, min(most, len(places))):
            count += one_entry(d, step, place, here, at, right, point)
    return count


def at_symbol(t: Tensor) -> sp.Symbol:
    return t[()]


def one_entry(d: Derivation, step: Step, place: tuple[int, ...], here: Mapping[sp.Symbol, sp.Expr], at: Entries,
              right: Mapping[str, sp.Expr], point: Mapping[sp.Expr, sp.Expr]) -> int:
    moved = at(step.of.name, place)
    named: dict[str, sp.Expr] = {}
    for c in step.contributions:
        for values in itertools.product(*[span((lo, hi), here) for _, lo, hi in c.sums]):
            inner = {**here, **{i: sp.Integer(v) for (i, _, _), v in zip(c.sums, values, strict=True)}}
            if not holds(sp.And(*c.conditions), inner):
                continue
            spot = tuple(integer(e, inner) for e in entry_indices(c.upstream))
            v = at.scalar(c.through.name, spot).name
            assert v not in named, f"{v} is named twice in {step.target.name}{place}"
            named[v] = at_place(c.local, inner, at)
    through = {c.through.name for c in step.contributions}
    for x, expr in right.items():
        parent = at.by_name[x].parent or x
        if parent in through and parent in d.program.by_name:
            wanted = expr.diff(moved).xreplace(point).evalf(40)
            found = named.pop(x, sp.S.Zero).xreplace(point).evalf(40)
            assert abs(wanted - found) < sp.Float(10) ** -25, (step.target.name, place, x, wanted, found)
    assert not named, f"places that are no places: {named}"
    return 1


@pytest.mark.parametrize("name", TEXTS)
def test_every_slope_is_whole(name: str) -> None:
    d, wrt = of_text(name)
    assert any(s.of.name == wrt and s.contributions for s in d.steps)
    with as_written():
        assert slopes_are_whole(d)


@pytest.mark.parametrize("name", MADE)
def test_every_slope_of_a_network_is_whole(name: str) -> None:
    with as_written():
        assert slopes_are_whole(derive(MADE[name]()), most=2)


def written(name: str, of: str) -> list[str]:
    from symnet.core.text import text

    d = of_text(name)[0] if name in TEXTS else derive(MADE[name]())
    step = next(s for s in d.steps if s.of.name == of)
    return [f"{text(c.upstream)}: {text(c.local)}" + "".join(f" for {i}" for i, _, _ in c.sums) for c in step.contributions]


def test_slopes_read_as_in_a_book() -> None:
    assert written("softmax", "x") == ["dL_dp[i1]: p[i1]*([i1 == i] - p[i]) for i1"]
    assert written("used twice at one place", "x") == ["dL_dv[i]: v[i]*exp(-x[i])/(1 + exp(-x[i])) + 1/(1 + exp(-x[i]))"]


def test_the_check_of_slopes_can_fail() -> None:
    from dataclasses import replace

    d, _ = of_text("softmax")
    step = next(s for s in d.steps if s.of.name == "x")
    wrong = replace(step.contributions[0], local=step.contributions[0].local * 2)
    with pytest.raises(AssertionError):
        slopes_are_whole(replace(d, steps=(replace(step, contributions=(wrong,)),)))
    with pytest.raises(AssertionError, match="named twice"):
        slopes_are_whole(replace(d, steps=(replace(step, contributions=step.contributions * 2),)))


def test_a_definition_is_where_it_was() -> None:
    """The gradient lines come from the terms, as before; contributions only tell them."""
    d, _ = of_text("softmax")
    assert isinstance(d.steps[0].definition, Definition)


def test_a_use_that_never_names_a_place_contributes_nothing_to_it() -> None:
    """v[2 j] and v[k + 1] are never v[1]."""
    d = derive(sn.program("P[i] = sum(v[2*j]*v[k+1] for j in 1..3 for k in 1..5)", "a[i] = sum(v[k] for k in 1..5)",
                          "L = sum(a[i] for i in 1..n)*sum(P[j] for j in 1..m) + sum(x)*sum(z)",
                          tensors={"x": ("n",), "z": ("m",), "v": (6,), "P": ("m",), "a": ("n",)}), ["v"])
    first = next(s for s in d.steps if s.target.name == "dL_dv" and s.definition.indices == (1,))
    assert [c.through.name for c in first.contributions] == ["a"] and first.check()
