"""What is printed is read back: every line of every worksheet and architecture, its index LaTeX and its matrix notation, is equal to the
index form it stands for; for all sizes where the normal forms agree, else entry by entry at two choices of small sizes, all different."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Mapping

import pytest
import sympy as sp
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import symnet as sn
from symnet.arrays.flow_axes import ALONG
from symnet.arrays.matrix_letters import Letters
from symnet.arrays.notation import matrix_latex
from symnet.calculus import derive
from symnet.calculus.instantiate import instantiate_program
from symnet.calculus.jacobian import hessian, hessian_vector_product, jacobian
from symnet.checking.answers import check_answer
from symnet.core.axes import Axis
from symnet.core.expressions import entries
from symnet.core.index_evaluation import span
from symnet.core.latex import LatexPrinter, latex, left_latex
from symnet.core.program import Definition, Program
from symnet.core.tensors import Tensor, tensor_name
from symnet.equality.compare import compare, prove_equal
from symnet.equality.sums.all_sizes import prove_for_all_sizes
from symnet.networks import architectures
from symnet.parsing.latex import latex_expression
from symnet.worksheets.builtin import names

CHOICES = ((3, 2, 4, 5, 6, 7), (2, 3, 5, 4, 7, 6))
ARCHITECTURES: Mapping[str, Callable[[], Program]] = {
    "mlp function": architectures.mlp,
    "mlp normalized": lambda: architectures.mlp(normalized=True),
    "unrolled mlp": lambda: architectures.unrolled_mlp(3, 2),
    "deep mlp": architectures.deep_mlp,
    "rnn function": architectures.rnn,
    "conv1d": architectures.conv1d,
    "class indices": lambda: sn.Sequential(sn.Embedding("V", "d"), sn.Linear("d", "C")).program(sn.CrossEntropyLoss(indices=True)),
    "classes with weights": lambda: sn.Sequential(sn.Linear("d", "C"), sn.LogSoftmax()).program(
        sn.NLLLoss(indices=True, weight="w", ignore_index=-1)),
}


LONG = {"transformer", "lstm"}
PROGRAMS = [pytest.param(n, marks=pytest.mark.slow) if n in LONG else n for n in (*names(), *ARCHITECTURES)]


@functools.cache
def full(name: str) -> Program:
    return derive(ARCHITECTURES[name]()).full if name in ARCHITECTURES else sn.load(name).full


def entrywise(left: sp.Expr, right: sp.Expr, d: Definition, tensors: Mapping[str, Tensor], choice: tuple[int, ...]) -> None:
    """Every entry at small sizes, all different."""
    axes = tuple(Axis(str(hi), lo, hi) for lo, hi in d.free.values())
    used = dict.fromkeys(tensor_name(e) for side in (left, right) for e in entries(side))
    made = [Definition(Tensor(name, axes), tuple(d.free), side) for name, side in (("back", left), ("form", right))]
    program = Program(tuple(Tensor(n, tensors[n].axes, tensors[n].domain) for n in used), tuple(made), "form")
    sizes = dict(zip([str(s) for s in program.sizes], choice, strict=False))
    scalars, at = instantiate_program(program, sizes)
    there = {x.entry: x.expr for x in scalars.definitions}
    for place in itertools.product(*[span(a.range, at.env) for a in axes]):
        verdict = compare(there[at("back", place)], there[at("form", place)])
        assert verdict.holds, (place, sizes, verdict)


def equal(back: sp.Expr, d: Definition, tensors: Mapping[str, Tensor]) -> None:
    if not prove_equal(back, d.expr).holds and not prove_for_all_sizes(back, d.expr, d.free).holds:
        for choice in CHOICES:
            entrywise(back, d.expr, d, tensors, choice)


def back_from_index(d: Definition, tensors: Mapping[str, Tensor]) -> None:
    value = latex_expression(latex(d.expr, tensors), tensors, free={str(i): i for i in d.free})
    assert not value.axes
    equal(value.expr, d, tensors)


def back_from_left(d: Definition, tensors: Mapping[str, Tensor]) -> None:
    assert latex_expression(left_latex(d, tensors), tensors, free={str(i): i for i in d.free}).expr == d.entry


def back_from_matrices(d: Definition, tensors: Mapping[str, Tensor], columns: bool) -> bool:
    """False when there is no matrix notation for the line."""
    form = matrix_latex(d, tensors, columns)
    if form is None:
        return False
    left = Letters(tensors, LatexPrinter(tensors)).left(d)
    assert form.startswith(f"{left} = ")
    parts = list(zip(d.indices, d.target.axes, strict=True))
    free = {str(i): i for i, a in parts if a.kind in ALONG and i in d.free}
    rows = [(i, Axis(str(d.free[i][1]), *d.free[i])) for i, a in parts if a.kind not in ALONG][:: -1 if columns else 1]
    value = latex_expression(form.removeprefix(f"{left} = "), tensors, free=free, axes=[a for _, a in rows], columns=columns)
    assert not value.axes or [a.size for a in value.axes] == [a.size for _, a in rows]  # h = 0 stands for an array of zeros
    equal(value.at(*[i for i, _ in rows]) if value.axes else value.expr, d, tensors)
    return True


def read_back(program: Program) -> None:
    """Every line: its left side, its index form and, where there is one, its matrix notation in both conventions."""
    for d in program.definitions:
        back_from_left(d, program.tensors)
        back_from_index(d, program.tensors)
        for columns in (False, True):
            back_from_matrices(d, program.tensors, columns)


@pytest.mark.parametrize("name", PROGRAMS)
def test_index_forms_are_read_back(name: str) -> None:
    for d in full(name).definitions:
        back_from_left(d, full(name).tensors)
        back_from_index(d, full(name).tensors)


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("columns", [False, True], ids=["rows", "columns"])
def test_matrix_forms_are_read_back(name: str, columns: bool) -> None:
    read = [back_from_matrices(d, full(name).tensors, columns) for d in full(name).definitions]
    assert any(read)


SQUARES = {"X": ("N", "d"), "w": ("d",), "y": ("N",), "A": ("d", "d"), "B": ("d", "d"), "v": ("d",), "s": ()}
LINES: dict[str, tuple[str, ...]] = {
    "least squares": ("r = X @ w - y", "L = sum(r**2)/N + s*sum(w**2)"),
    "trace": ("L = trace(A @ B @ A.T)",),
    "determinant": ("L = logdet(A) + det(B)",),
    "inverse": ("L = v @ inv(A) @ w + trace(inv(B) @ A)",),
    "norms": ("L = norm(A @ B) + norm(w)",),
    "diagonal": ("L = trace(diag(w) @ A) + sum(diag(v) @ w)",),
    "outer product": ("L = sum(outer(w, v)*A)",),
    "softmax": ("P = softmax(X)", "L = sum(P**2) + log(sum(exp(w)))"),
    "kinks": ("L = sum(abs(X @ w - y)) + sum(relu(X @ w)) + sum(maximum(X @ w, y))",),
    "cases": ("L = sum(where(y > 0, y**2, -y))",),
    "division": ("L = sum(w/v) + sum(v**3) + sqrt(s)",),
    "centred": ("C = X - mean(X, axis=1, keepdims=True)", "L = sum(C**3)"),
    "taken letters": ("d1 = X*w", "Z1 = d1 + v", "L = sum(Z1**2*d1)"),
    "both cases": ("x = X*w", "L = sum(x*X)"),
    "a number beside a column": ("z = X @ w + s", "L = sum(sigmoid(s/2 - z)) + sum((v - s)**2)"),
    "a number beside a matrix": ("Z = X @ A - s", "L = sum(tanh(s - 2*Z)*X)"),
    "a product with a sum with ones": ("z = (X @ w + s)*y", "L = sum(z**2)"),
}


@pytest.mark.parametrize("lines", LINES.values(), ids=LINES)
def test_matrix_calculus_is_read_back(lines: tuple[str, ...]) -> None:
    program = derive(sn.program(*lines, tensors=SQUARES)).full
    read_back(program)


SECOND: dict[str, Callable[[], Program]] = {
    "Jacobian": lambda: jacobian(sn.program("s = softmax(z)", "L = sum(s)", tensors={"z": ("n",)}), "s", ["z"]).full,
    "Hessian": lambda: hessian(derive(sn.program("L = w @ A @ w/2 + s*sum(w**2)", tensors=SQUARES), ["w"]), "w").full,
    "through r": lambda: hessian(derive(sn.program("r = X @ w - y", "L = sum(r**2)/N", tensors=SQUARES), ["w"]), "w").full,
    "times a vector": lambda: hessian_vector_product(derive(sn.program("L = log(sum(exp(z)))", tensors={"z": ("n",)}), ["z"]), "z").full,
}


@pytest.mark.parametrize("make", SECOND.values(), ids=SECOND)
def test_second_derivatives_are_read_back(make: Callable[[], Program]) -> None:
    program = make()
    read_back(program)


def test_the_law_can_fail() -> None:
    program = full("mlp")
    d = program.by_name["dL_dW1"][0]
    wrong = latex_expression(r"2 X^{\top} D_{1}", program.tensors)
    with pytest.raises(AssertionError):
        equal(wrong.at(*d.indices), d, program.tensors)


SHAPES = {"x": (), "c": (), "w": ("d",), "v": ("d",), "r": ("N",), "X": ("N", "d"), "A": ("d", "d")}
NUMBER = st.deferred(lambda: st.one_of(st.sampled_from(["x", "c", "2", "0.5", "1/3", "w @ v", "sum(r**2)", "trace(A)", "w @ A @ v", "norm(v)"]),
                                       grown(NUMBER, NUMBER, ["({} + {})", "({} - {})", "({})*({})", "sigmoid({})*({})", "exp(-({}))*({})", "({})**2/({})"])))
VECTOR = st.deferred(lambda: st.one_of(st.sampled_from(["w", "v", "X.T @ r", "softmax(w)", "sum(X, axis=0)", "A @ w", "A.T @ v", "sum(A, axis=1)"]),
                                       grown(VECTOR, VECTOR, ["({} + {})", "({} - {})", "({})*({})", "sigmoid({})/(1 + ({})**2)", "A @ ({}) - {}"]),
                                       grown(NUMBER, VECTOR, ["({})*({})", "-({})*({})"])))
MATRIX = st.deferred(lambda: st.one_of(st.sampled_from(["X", "outer(r, w)", "X @ A", "diag(r) @ X", "softmax(X)", "X*w"]),
                                       grown(MATRIX, MATRIX, ["({} + {})", "({})*({})", "relu({}) - ({})", "log(1 + exp({})) + ({})"]),
                                       grown(NUMBER, MATRIX, ["({})*({})", "({}) - ({})"]), grown(MATRIX, VECTOR, ["({}) + ({})"])))


def grown(a: st.SearchStrategy[str], b: st.SearchStrategy[str], forms: list[str]) -> st.SearchStrategy[str]:
    return st.builds(lambda form, u, v: form.format(u, v), st.sampled_from(forms), a, b)


@pytest.mark.slow
@given(VECTOR, MATRIX, NUMBER)
@settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
def test_random_programs_are_read_back(vector: str, matrix: str, number: str) -> None:
    assume(len(vector) + len(matrix) + len(number) < 100)
    made = sn.program(f"p = {vector}", f"Q = {matrix}", f"s = {number}", "L = sum(p*w)/N + sum(Q**2) + s**2", tensors=SHAPES)
    program = derive(made, ["w", "X"]).full
    read_back(program)


@pytest.mark.parametrize(("line", "wrt"), [
    ("L = sum(A + x)**2", "x"), ("L = s*sum(x)/(s + 1)", "x"), ("L = sum(x**2 - v)", "v"), ("L = 3*sum(A)", "A"), ("L = sum(x)", "x")])
def test_a_gradient_that_is_the_same_everywhere_has_its_ones(line: str, wrt: str) -> None:
    d = sn.derive(sn.program(line, tensors={"x": ("n",), "v": ("n",), "A": ("n", "n"), "s": ()}), wrt=[wrt])
    shown = matrix_latex(d.gradients[wrt].definitions[0], d.full.tensors)
    assert shown is not None
    assert check_answer(shown.partition("=")[2], d, wrt, latex=True).holds
