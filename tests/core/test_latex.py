"""LaTeX of formulas: as a textbook prints them, and sound."""

from __future__ import annotations

import pytest
import sympy as sp
from latex2mathml.converter import convert

from symnet.calculus import derive
from symnet.core import functions as fn
from symnet.core.axes import index, size
from symnet.core.expressions import When, as_written
from symnet.core.functions import ROWS
from symnet.core.latex import definition_latex, latex
from symnet.core.program import Program
from symnet.errors import UnknownNodeError
from symnet.networks.architectures import conv1d, deep_mlp, mlp, rnn

a, y = sp.symbols("a1 y", real=True)
i, j, p, k1 = index("i"), index("j"), index("p"), index("k1")
N, M = size("N"), size("M")
x = sp.IndexedBase("x", real=True)


@pytest.mark.parametrize(("expr", "wanted"), [
    (a * (1 - a), r"a_{1} \left(1 - a_{1}\right)"), ((a - y)**2 / 2, r"\frac{\left(a_{1} - y\right)^{2}}{2}"),
    (-a / y, r"-\frac{a_{1}}{y}"), (1 / (a * y), r"\frac{1}{a_{1} y}"), (a**-2, r"\frac{1}{a_{1}^{2}}"),
    (sp.sqrt(a), r"\sqrt{a_{1}}"), (sp.exp(-a), "e^{-a_{1}}"), (fn.sigmoid(a), r"\sigma\left(a_{1}\right)"),
    (y * fn.step(a), r"y \left[a_{1} > 0\right]"), (abs(a), r"\left|a_{1}\right|"), (sp.pi * y, r"\pi y"),
    (sp.Sum(x[i], (i, 1, N)), r"\sum_{i=1}^{N} x_{i}"), (sp.Sum(x[k1], (k1, 1, N)), r"\sum_{k'=1}^{N} x_{k'}"),
    (sp.Sum(x[i] - a, (i, 1, N)), r"\sum_{i=1}^{N} \left(x_{i} - a_{1}\right)"),
    (When(y, sp.Eq(i, j)), r"\left[i = j\right] y"), (When(-y, sp.Eq(i, j)), r"\left[i = j\right] \left(-y\right)"),
    (When(x[i - p + 1], sp.And(sp.Ge(i - p + 1, 1), sp.Le(i - p + 1, N))), r"\left[1 \le i - p + 1 \le N\right] x_{i - p + 1}"),
    (When(x[i / 2], sp.And(sp.Eq(sp.Mod(i, 2), 0), sp.Ge(i / 2, 1), sp.Le(i / 2, M))),
     r"\left[2 \mid i, 1 \le \frac{i}{2} \le M\right] x_{\frac{i}{2}}"),
    (sp.Piecewise((a, sp.Or(a > 0, y > 1)), (y, True)),
     r"\begin{cases} a_{1} & \text{if } a_{1} > 0 \\ a_{1} & \text{if } y > 1 \\ y & \text{otherwise} \end{cases}"),
    (sp.Piecewise((a, a > 0), (y, True)), r"\begin{cases} a_{1} & \text{if } a_{1} > 0 \\ y & \text{otherwise} \end{cases}"),
], ids=str)
def test_latex(expr: sp.Expr, wanted: str) -> None:
    assert latex(expr) == wanted


def test_a_factor_is_not_pulled_under_a_sum_before_it() -> None:
    made = latex(sp.Sum(x[i], (i, 1, N)) * sp.Sum(x[i]**2, (i, 1, N)))
    assert made.startswith(r"\left(\sum"), "the first sum is in brackets"


def test_an_upper_mark_and_a_power_are_kept_apart() -> None:
    d = derive(mlp())
    line, = d.gradients["b1"].definitions
    z1 = next(s for s in d.steps if s.of.name == "z1")
    assert definition_latex(z1.definition, d.full.tensors).endswith(r"\left(1 - \left(a_{nj}^{(1)}\right)^{2}\right)")
    assert definition_latex(line, d.full.tensors) == \
        r"\frac{\partial L}{\partial b_{j}^{(1)}} = \sum_{n=1}^{N} \frac{\partial L}{\partial z_{nj}^{(1)}}"


def test_numbers_put_in_are_separated_by_dots() -> None:
    with as_written():
        assert latex(2 * (a - y) * a, leaf=lambda e: ("0.5", 4)) == r"2 \cdot 0.5 \cdot \left(0.5 - 0.5\right)"


@pytest.mark.parametrize("program", [mlp(normalized=True), deep_mlp(), rnn(), conv1d(), conv1d(stride=2)],
                         ids=["mlp", "deep mlp", "rnn", "conv1d", "strided"])
def test_every_line_of_a_derivation_is_sound_latex(program: Program) -> None:
    d = derive(program, [t.name for t in program.inputs])
    for line in d.full:
        made = definition_latex(line, d.full.tensors)
        assert made.count("{") == made.count("}")
        assert made.count(r"\left") == made.count(r"\right")
        assert convert(made).startswith("<math")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_function_of_the_table_has_latex(row: object) -> None:
    node = row.function(*(a, y)[: len(row.derivative)])  # type: ignore[attr-defined]
    assert "a_{1}" in latex(node)
    assert convert(latex(node)).startswith("<math")


def test_formulas_show_themselves_in_a_notebook() -> None:
    made = derive(deep_mlp()).gradients["W"]._repr_latex_()
    assert made == (r"$\displaystyle \frac{\partial C}{\partial w_{ij}^{(l)}} = "
                    r"\frac{\partial C}{\partial z_{i}^{(l)}} \cdot a_{j}^{(l - 1)}$")


def test_a_node_without_a_form_raises() -> None:
    with pytest.raises(UnknownNodeError, match="no form for gamma"):
        latex(sp.gamma(a))
