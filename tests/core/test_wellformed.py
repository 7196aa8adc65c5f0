"""A Program checks itself at birth: every fault has its error class and one clear line that names the place."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sympy as sp

from symnet.core.axes import Axis, Kind, index, size
from symnet.core.expressions import When
from symnet.core.program import Definition, Program, define
from symnet.core.tensors import Tensor, scalar
from symnet.errors import NameError_, ShapeError, SymnetError, did_you_mean

i, j, k, t = (index(c) for c in "ijkt")
N, T, M, K = size("N"), size("T"), size("M"), size("K")
AXIS, TIME = Axis.of("N"), Axis.of("T", Kind.TIME)
WHOLE = Axis.between(0, "T", Kind.TIME)
x, y, w = Tensor("x", (AXIS,)), Tensor("y", (AXIS,)), scalar("w")
h, s = Tensor("h", (WHOLE,)), Tensor("s", (TIME,))
L, z, m = Tensor("L"), Tensor("z", (AXIS,)), Tensor("m", (AXIS, AXIS))


def program(*lines: Definition, inputs: tuple[Tensor, ...] = (x, y, w), objective: str = "") -> Callable[[], Program]:
    """A program that is not made yet."""
    return lambda: Program(inputs, lines, objective)


def summed(body: sp.Expr, upper: sp.Expr = N, lower: int = 1) -> sp.Expr:
    return sp.Sum(body, (i, lower, upper))


def loss(expr: sp.Expr) -> Definition:
    return define(L, expr=expr)


def place(target: Tensor, where: object, expr: sp.Expr, *ranges: tuple[sp.Symbol, object, object]) -> Definition:
    return Definition(target, (sp.sympify(where),), expr, ranges)  # type: ignore[arg-type]


BAD: dict[str, tuple[Callable[[], Program], type[SymnetError], str]] = {
    "unknown name": (program(loss(scalar("q")[()] * w[()])), NameError_, "line 1, L: uses 'q' before it is named"),
    "unknown tensor": (program(loss(summed(Tensor("xs", (AXIS,))[i]))), NameError_, "did you mean 'x'?"),
    "unknown objective": (program(loss(w[()]), objective="J"), NameError_, "objective: no tensor named 'J'"),
    "used before it is named": (program(define(z, i, expr=m[i, i]), define(m, i, j, expr=x[i] * x[j]), loss(z[1])),
                                NameError_, "definition of z: uses 'm' before it is named; expected a name from above"),
    "input named twice": (program(loss(w[()]), inputs=(w, scalar("w"))), NameError_, "input w: the name is already taken"),
    "an input is defined": (program(define(x, i, expr=y[i]), loss(w[()])), NameError_, "'x' is an input"),
    "defined twice": (program(define(z, i, expr=x[i]), define(z, i, expr=y[i]), loss(w[()])), NameError_,
                      "two slices are not shown to be apart"),
    "defined with other axes": (program(define(z, i, expr=x[i]), define(Tensor("z"), expr=w[()])), ShapeError,
                                "line 2, z: 'z' is defined with other axes before"),
    "too many indices": (program(loss(summed(x.base[i, i]))), ShapeError, "has 2 indices; expected 1, one for each axis of x"),
    "no index": (program(loss(sp.Symbol("x", real=True))), ShapeError, "'x' stands without indices; expected 1 indices"),
    "free index": (program(loss(x[i])), NameError_, "the index i is free on the right"),
    "free index on a wider right side": (program(define(z, i, expr=x[j])), NameError_, "the index j is free"),
    "past the end": (program(loss(summed(x[i + 1]))), ShapeError,
                     "the index i + 1 of x[i + 1] runs over 2..N + 1; expected it to stay in 1..N, the axis of x"),
    "before the start": (program(loss(summed(x[i - 1]))), ShapeError, "runs over 0..N - 1"),
    "a place that is not shown to exist": (program(loss(x[2])), ShapeError, "runs over 2..2; expected it to stay in 1..N"),
    "another axis": (program(loss(summed(x[i], upper=M))), ShapeError, "runs over 1..M; expected it to stay in 1..N"),
    "not affine": (program(loss(summed(x[i**2]))), ShapeError, "expected an affine expression"),
    "a half index": (program(loss(summed(x[i / 2]))), ShapeError, "expected an affine expression"),
    "between two places": (
        lambda: Program((Tensor("f", (Axis.of(5),)),), (loss(sp.Sum(sp.IndexedBase("f", real=True)[i + sp.Rational(1, 2)], (i, 1, 3))),)),
        ShapeError, "expected an affine expression"),
    "a sum over an index in use": (program(define(z, i, expr=summed(x[i]))), ShapeError,
                                   "the index i is summed over and also used outside"),
    "nested sums over one index": (program(loss(summed(x[i] * summed(y[i])))), ShapeError, "the index i is summed over"),
    "a sum up to another index": (program(loss(sp.Sum(x[i] * y[j], (j, 1, i), (i, 1, N)))), ShapeError, "runs over 1..i"),
    "one index twice on the left": (program(define(m, i, i, expr=x[i])), ShapeError, "the index i stands twice on the left"),
    "a left side past its axis": (program(place(z, i, x[1], (i, 1, N + 1)), loss(w[()])), ShapeError,
                                  "the left side covers 1..N + 1; expected 1..N at most"),
    "only a slice is defined": (program(place(s, 1, w[()])), ShapeError, "only a slice of it is defined"),
    "a gap between slices": (program(place(h, 0, w[()]), place(h, t, w[()], (t, 2, T))), ShapeError,
                             "the place 1 is not defined; expected all of 0..T"),
    "slices that end early": (program(place(h, 0, w[()]), place(h, t, w[()], (t, 1, T - 1))), ShapeError,
                              "it ends at T - 1; expected all of 0..T"),
    "slices that overlap": (program(place(h, 0, w[()]), place(h, t, w[()], (t, 0, T))), NameError_, "not shown to be apart"),
    "a recurrence on itself": (program(place(h, 0, w[()]), place(h, t, h[t], (t, 1, T))), NameError_,
                               "uses 'h' at the same place before it is defined"),
    "a recurrence both ways": (
        lambda: Program((w,), (place(h, 0, w[()]), place(h, T, w[()]), place(h, t, h[t - 1] + h[t + 1], (t, 1, T - 1)))),
        NameError_, "looks both back and ahead"),
    "a recurrence before its first place": (program(place(s, t, s[t - 1], (t, 1, T))), ShapeError,
                                            "runs over 0..T - 1; expected it to stay in 1..T"),
    "a guard that is too wide": (program(define(z, i, expr=When(x[i + 1], sp.And(sp.Ge(i + 1, 1), sp.Le(i + 1, N + 1))))),
                                 ShapeError, "runs over 1..N + 1"),
    "wrong number of places": (lambda: Program((x,), (define(z, i, j, expr=x[i]),)), ShapeError,
                               "definition of z: 2 indices; expected 1, one for each axis"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_program_is_refused_in_one_line(name: str) -> None:
    make, kind, phrase = BAD[name]
    with pytest.raises(SymnetError) as caught:
        make()
    assert type(caught.value) is kind
    assert phrase in str(caught.value)
    assert "\n" not in str(caught.value)


GOOD: dict[str, Callable[[], Program]] = {
    "a mean": program(loss(summed(x[i]) / N)),
    "the same index in two sums": program(loss(summed(x[i]) * summed(y[i]))),
    "a shifted sum": program(loss(summed(x[i + 1] * y[i], upper=N - 1))),
    "reversed": program(loss(summed(x[N - i + 1]))),
    "first and last": program(loss(x[1] * x[N])),
    "a guarded entry": program(define(z, i, expr=When(x[i + 1], sp.And(sp.Ge(i + 1, 1), sp.Le(i + 1, N))))),
    "a recurrence": program(place(h, 0, w[()]), place(h, t, sp.tanh(h[t - 1]), (t, 1, T)), loss(h[T])),
    "a recurrence written backwards": program(place(h, t, h[t + 1], (t, 0, T - 1)), place(h, T, w[()]), loss(h[0])),
    "a convolution": lambda: Program(
        (Tensor("v", (Axis.of(K),)), Tensor("u", (Axis.of(K + M - 1),))),
        (define(Tensor("c", (Axis.of(M),)), i, expr=sp.Sum(sp.IndexedBase("v", real=True)[k]
                * sp.IndexedBase("u", real=True)[i + k - 1], (k, 1, K))),)),
}


@pytest.mark.parametrize("name", GOOD)
def test_a_good_program_is_made(name: str) -> None:
    made = GOOD[name]()
    assert made.objective == made.definitions[-1].name


def test_the_fault_that_is_reported_is_the_first() -> None:
    with pytest.raises(SymnetError, match="line 1, z"):
        Program((x,), (define(z, i, expr=x[i + 1]), loss(sp.Symbol("q", real=True))))


def test_did_you_mean_takes_the_nearest_or_lists() -> None:
    assert did_you_mean("sigmod", ["relu", "sigmoid"]) == "did you mean 'sigmoid'?"
    assert did_you_mean("W", ["w", "x"]) == "did you mean 'w'?"
    assert did_you_mean("zzz", ["a", "b"]) == "known names: a, b"
    assert did_you_mean("zzz", []) == ""
