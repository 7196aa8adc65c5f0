"""Lines of plain maths to a Program: names, shapes, indices and assumptions; what is printed is read back the same."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import symnet as sn
from symnet.core.program import Program
from symnet.core.text import definition_text
from symnet.core.text import text as printed
from symnet.equality.compare import prove_equal
from symnet.errors import NameError_, ParseError, ShapeError, SymnetError
from symnet.networks import architectures
from symnet.parsing.program import program, with_assumptions

XWT = {"X": ("N", "d"), "w": ("d",), "t": ("N",)}


def lines(made: Program) -> list[str]:
    return [definition_text(d, made.tensors) for d in made.definitions]


READ = {
    "numbers without declarations": (
        ("z = w*x + b", "a = sigmoid(z)", "L = (a - y)**2"),
        None,
        ["z = w*x + b", "a = sigmoid(z)", "L = (a - y)**2"],
    ),
    "a plain name": (("y = x",), None, ["y = x"]),
    "the sign := too": (("y := 2x",), None, ["y = 2*x"]),
    "greek on the left": (("α = 2x", "L = α²"), None, ["alpha = 2*x", "L = alpha**2"]),
    "subscript on the left": (("z₁ = 2x",), None, ["z1 = 2*x"]),
    "a matrix product": (
        ("r = X @ w - t", "L = sum(r**2)/N"),
        XWT,
        ["r[n] = sum(X[n, i]*w[i] for i in 1..d) - t[n]", "L = sum(r[n]**2 for n in 1..N)/N"],
    ),
    "textbook side by side": (
        ("g = X^T (X w - t)",),
        XWT,
        ["g[i] = sum(X[n, i]*(sum(X[n, i1]*w[i1] for i1 in 1..d) - t[n]) for n in 1..N)"],
    ),
    "entries": (("r[n] = sum(X[n, i]*w[i] for i in 1..d)",), XWT, ["r[n] = sum(X[n, i]*w[i] for i in 1..d)"]),
    "a recurrence": (
        ("h[0] = s", "h[t] = tanh(u*h[t-1] + x[t])"),
        {"h": ("0..T",), "x": ("T",), "s": (), "u": ()},
        ["h[0] = s", "h[t] = tanh(h[t - 1]*u + x[t])"],
    ),
    "rows of a matrix": (
        ("r[n] = X[n]*w", "L = sum(r)"),
        XWT,
        ["r[n, i] = X[n, i]*w[i]", "L = sum(r[n, i] for n in 1..N for i in 1..d)"],
    ),
    "a stated range": (
        ("h[1] = s", "h[t] = u*h[t-1] for t in 2..T"),
        {"h": ("T",), "s": (), "u": ()},
        ["h[1] = s", "h[t] = h[t - 1]*u"],
    ),
    "a place counted from the left": (
        ("h[0] = s", "h[t+1] = tanh(u*h[t] + x[t+1])"),
        {"x": ("T",), "s": (), "u": ()},
        ["h[0] = s", "h[t] = tanh(h[t - 1]*u + x[t])"],
    ),
    "a triangular sum": (
        ("c[t] = sum(x[j] for j in 1..t)",),
        {"x": ("T",), "c": ("T",)},
        ["c[t] = sum([j <= t]*x[j] for j in 1..T)"],
    ),
    "cases on an index": (
        ("c[t] = x[t] + (c[t-1] if t > 1 else 0)",),
        {"x": ("T",)},
        ["c[t] = [t >= 2]*c[t - 1] + x[t]"],
    ),
    "integer sizes": (("L = sum(x**2)",), {"x": (3,)}, ["L = sum(x[i]**2 for i in 1..3)"]),
}


@pytest.mark.parametrize("texts, tensors, wanted", READ.values(), ids=READ)
def test_lines_are_read(texts: tuple[str, ...], tensors: dict | None, wanted: list[str]) -> None:
    assert lines(program(*texts, tensors=tensors)) == wanted


def test_the_last_line_is_the_objective_unless_one_is_named() -> None:
    assert program("a = x", "b = a**2").objective == "b"
    assert program("a = x**2", "b = a**2", objective="a").objective == "a"


def test_an_objective_that_is_an_expression_gets_a_name_of_its_own() -> None:
    made = program("L = 2x", objective="L**2")
    assert (made.objective, lines(made)) == ("J", ["L = 2*x", "J = L**2"])


WRONG = {
    "unknown name": (("y = q*x",), {"x": ()}, NameError_, "line 1, column 1: unknown name 'q'"),
    "unknown name, meant another": (("a1 = x", "y = a2"), {"x": ()}, NameError_, "line 2, column 1: unknown name 'a2'"),
    "twice": (("y = x", "y = x"), None, NameError_, "line 2: 'y' is already named"),
    "a keyword": (("if = x",), None, NameError_, "'if'"),
    "used as a name": (("y = sin",), None, NameError_, "'sin'"),
    "no sign": (("x + 1",), None, ParseError, "no definition"),
    "no right side": (("y =",), None, ParseError, "no definition"),
    "a comparison on the left": (("x == 1",), None, ParseError, "no definition"),
    "a sum on the left": (("x + y = 1",), None, ParseError, "the left side"),
    "a comparison alone": (("y = x > 0",), None, ParseError, "a comparison alone"),
    "no lines": ((), None, ParseError, "no lines"),
    "shapes": (("y = X @ t",), XWT, ShapeError, "line 1, column 3"),
    "an index outside its axis": (("y = w[d + 1]",), XWT, ShapeError, "to stay in 1..d"),
    "index zero": (("y = w[0]",), XWT, ShapeError, "to stay in 1..d"),
    "an index that is no place": (("y = w[a]",), {**XWT, "a": ()}, SymnetError, "the index a"),
    "a tensor among entries": (("r[n] = X[n, 1]*w",), {**XWT, "r": ("N",)}, ShapeError, "entries: index every tensor"),
    "an index without range": (("r[n] = 2",), XWT, ShapeError, "no range for the index n"),
    "one letter twice": (("r[n, n] = X[n, n]",), XWT, NameError_, "a different letter for each axis"),
    "a size named like a tensor": (("y = d",), {"w": ("d",), "d": ()}, NameError_, "size d"),
    "a bad size": (("y = w",), {"w": ("d e",)}, ShapeError, "the size 'd e'"),
    "size zero": (("y = w",), {"w": (0,)}, SymnetError, ""),
    "a bad tensor name": (("y = w",), {"__class__": ()}, NameError_, "__class__"),
    "a range that runs down": (("h[1] = s", "h[t] = h[t-1] for t in T..2"), {"h": ("T",), "s": ()}, ShapeError, "which runs down"),
    "a range that runs down, in numbers": (("h[1] = s", "h[t] = h[t-1] for t in 5..2"), {"h": (5,), "s": ()}, ShapeError, "which runs down"),
    "a range of another index": (("h[t] = s for k in 1..T",), {"h": ("T",), "s": ()}, ParseError, "a range for 'k'"),
    "a range that depends on an index": (("h[i, j] = s for i in 1..T for j in i..T",), {"h": ("T", "T"), "s": ()}, ShapeError, "the range i..T of j"),
    "a range behind a whole line": (("y = x for t in 1..T",), {"x": ("T",)}, ParseError, "a range behind a line without indices"),
    "a base case that is missing": (("h[t] = h[t-1] + x[t]",), {"x": ("T",)}, ShapeError, "only a slice of it is defined"),
    "twice at one place": (("h[1] = s", "h[t] = x[t] for t in 1..T"), {"x": ("T",), "s": ()}, NameError_, "not shown to be apart"),
    "a strided left side": (("h[2*t] = x[t]",), {"x": ("T",)}, ShapeError, "the place 2*t on the left"),
    "a circle": (("u[t] = v[t]", "v[t] = u[t] + x[t]"), {"x": ("T",), "u": ("T",), "v": ("T",)}, NameError_, "at the same place"),
    "back and ahead": (("h[t] = (h[t-1] if t > 1 else 0) + (h[t+1] if t < T else 0) + x[t]",), {"x": ("T",), "h": ("T",)}, NameError_,
                       "looks both back and ahead"),
    "hostile": (("y = __import__('os').system('x')",), None, ParseError, "column 1"),
    "hostile left": (("__builtins__ = x",), None, ParseError, "the left side"),
    "path on the left": (("../../x = y",), None, ParseError, "the left side"),
}


@pytest.mark.parametrize("texts, tensors, kind, words", WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_said_in_one_line(
    texts: tuple[str, ...], tensors: dict | None, kind: type[SymnetError], words: str
) -> None:
    with pytest.raises(kind) as caught:
        program(*texts, tensors=tensors)
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_assumptions_are_equalities_over_the_tensors() -> None:
    made = program("L = sum(Y)", tensors={"Y": ("N", "k")}, assumptions=["sum(Y, axis=1) == 1"])
    (declared,) = made.assumptions
    assert printed(declared.left) == "sum(Y[n, i] for i in 1..k)" and declared.right == 1
    assert with_assumptions(replace(made, assumptions=()), ["sum(Y, axis=1) == 1"]) == made


@pytest.mark.parametrize("text", ["sum(Y, axis=1)", "sum(Y, axis=1) = 1", "Y == Y", "q == 1", "== 1", "sum(Y) == "])
def test_a_bad_assumption_is_refused(text: str) -> None:
    with pytest.raises(SymnetError) as caught:
        program("L = sum(Y)", tensors={"Y": ("N", "k")}, assumptions=[text])
    assert "\n" not in str(caught.value)


PROGRAMS = {
    "mlp": architectures.mlp,
    "deep mlp": architectures.deep_mlp,
    "rnn": architectures.rnn,
    "conv": architectures.conv1d,
    "relu": lambda: sn.Sequential(sn.Linear("d", "h"), sn.ReLU(), sn.Linear("h", 1), sn.Sigmoid()).program(sn.BCELoss()),
    "log softmax": lambda: sn.Sequential(sn.Linear("d", 3), sn.LogSoftmax()).program(sn.SquaredError()),
}


@pytest.mark.parametrize("make", PROGRAMS.values(), ids=PROGRAMS)
def test_a_printed_program_is_read_back_as_the_same_program(make) -> None:
    made = make()
    shapes = {t.name: t for t in made.inputs} | {
        d.name: d.target for d in made.definitions if len(made.by_name[d.name]) > 1 or d.target.axes
    }
    again = program(*lines(made), tensors=shapes)
    for old, new in zip(made.definitions, again.definitions, strict=True):
        assert (new.entry, new.ranges) == (old.entry, old.ranges)
        assert prove_equal(new.expr, old.expr).answer.value == "proved"  # the letter of a sum does not matter


@given(st.lists(st.text(alphabet="xyzLw =+-*/()[]12,:'._σexp", max_size=30), max_size=4))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_any_lines_are_read_or_refused_in_one_line(texts: list[str]) -> None:
    try:
        made = program(*texts)
    except SymnetError as error:
        assert "\n" not in str(error)
    else:
        assert len(made.definitions) == len(texts)
