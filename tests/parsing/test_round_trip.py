r"""Everything symnet prints parses back, as plain text and as LaTeX: random expressions over every function, and the shipped worksheets."""

from __future__ import annotations

import functools

import pytest
import sympy as sp
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import symnet as sn
from symnet.core.axes import Axis, index
from symnet.core.expressions import total
from symnet.core.functions import ROWS, relu, step
from symnet.core.index_letters import Labels, extend, relabel
from symnet.core.latex import latex
from symnet.core.program import Program
from symnet.core.tensors import Tensor
from symnet.core.text import text as printed
from symnet.equality.compare import prove_equal
from symnet.errors import SymnetError
from symnet.parsing.latex import latex_expression
from symnet.parsing.lowering import Lowering
from symnet.parsing.plain_grammar import Parser
from symnet.parsing.program import FUNCTIONS, expression, tensor_of
from symnet.worksheets.builtin import names

NAMES = ("x", "y", "w1", "b_2", "y_hat", "theta", "z1_new", "sigma1", "a12", "x_new", "delta2")
TENSORS = {name: tensor_of(name, ()) for name in NAMES}
ATOMS = st.one_of(st.sampled_from([t[()] for t in TENSORS.values()]), st.integers(-3, 12).map(sp.Integer),
                  st.tuples(st.integers(-9, 9), st.integers(2, 9)).map(lambda p: sp.Rational(*p)), st.sampled_from([sp.pi, sp.E, sp.Rational("0.25001")]))


def grown(inner: st.SearchStrategy[sp.Expr]) -> st.SearchStrategy[sp.Expr]:
    one = [row.function for row in ROWS if len(row.derivative) == 1]
    two = [row.function for row in ROWS if len(row.derivative) == 2]
    return st.one_of(
        st.builds(lambda a, b: a + b, inner, inner), st.builds(lambda a, b: a - b, inner, inner), st.builds(lambda a, b: a * b, inner, inner),
        st.builds(lambda a, b: a / b, inner, inner.filter(lambda e: e != 0)), st.builds(lambda a: -a, inner),
        st.builds(lambda a, k: a**k, inner.filter(lambda e: e != 0), st.sampled_from([2, 3, -1, -2])),
        st.builds(lambda a: sp.sqrt(a**2 + 1), inner), st.builds(lambda a: (a**2 + 2) ** sp.Rational(-2, 3), inner),
        st.builds(lambda f, a: f(a), st.sampled_from(one), inner), st.builds(lambda f, a, b: f(a, b), st.sampled_from(two), inner, inner),
        st.builds(lambda a, b, c: sp.Piecewise((a, b > c), (b, True), evaluate=False), inner, inner, inner),
        st.builds(lambda a, b, c: sp.Piecewise((a, b <= 0), (c, sp.And(b > 0, b < c)), (b, True), evaluate=False), inner, inner, inner),
    )


SCALARS = st.recursive(ATOMS, grown, max_leaves=7)
LAW = settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])


def readable(expr: sp.Expr) -> bool:
    """A real expression without parts that no reader takes: log(-1), 1/0 (1/step(-π) too), or sizes beyond the limits."""
    if any(isinstance(e, sp.Pow) and e.exp.is_negative and not e.base.free_symbols and e.base.has(step) for e in sp.preorder_traversal(expr)):
        return False
    return not expr.has(sp.ITE, sp.zoo, sp.nan, sp.I, sp.oo, -sp.oo) and not any(
        isinstance(e, sp.log) and e.args[0].is_number and not e.args[0].is_positive for e in sp.preorder_traversal(expr))


def equal(left: sp.Expr, right: sp.Expr) -> bool:
    return left == right or prove_equal(left, right).holds


@given(SCALARS)
@LAW
def test_plain_text_is_read_back(expr: sp.Expr) -> None:
    assume(readable(expr))
    assert equal(expression(printed(expr), TENSORS).expr, expr), printed(expr)


@given(SCALARS)
@LAW
def test_latex_is_read_back(expr: sp.Expr) -> None:
    assume(readable(expr))
    assert equal(latex_expression(latex(expr, TENSORS), TENSORS).expr, expr), latex(expr, TENSORS)


@given(SCALARS)
@LAW
def test_what_is_read_back_is_printed_alike(expr: sp.Expr) -> None:
    """Printing and reading settle: the second text is the first."""
    assume(readable(expr))
    once = printed(expression(printed(expr), TENSORS).expr)
    again = printed(expression(once, TENSORS).expr)
    assert again == printed(expression(again, TENSORS).expr)


@pytest.mark.parametrize("name", NAMES)
def test_every_name_is_read_back(name: str) -> None:
    symbol = TENSORS[name][()]
    for expr in (symbol, symbol**2, 2 * symbol, symbol * TENSORS["x"][()], 1 / symbol, -symbol, relu(symbol)):
        assert expression(printed(expr), TENSORS).expr == expr
        assert latex_expression(latex(expr, TENSORS), TENSORS).expr == expr


I, J = index("i"), index("j")
ARRAYS = {"v": Tensor("v", (Axis.of("d"),)), "W1": Tensor("W1", (Axis.of("d"), Axis.of("h"))), "c": Tensor("c", (Axis.of("h"),)), "s": Tensor("s")}
V, W, C, S = (ARRAYS[n] for n in ("v", "W1", "c", "s"))
ENTRIES = st.sampled_from([V[I], W[I, J], C[J], S[()], V[sp.Integer(1)], W[I, sp.Integer(2)], sp.Integer(2), sp.Symbol("d", integer=True, positive=True)])


def summed(inner: st.SearchStrategy[sp.Expr]) -> st.SearchStrategy[sp.Expr]:
    d, h = V.axes[0].range, C.axes[0].range
    return st.one_of(st.builds(lambda a, b: a + b, inner, inner), st.builds(lambda a, b: a * b, inner, inner), st.builds(sp.exp, inner),
                     st.builds(lambda a: total(a, ((I, *d),)), inner), st.builds(lambda a: total(a, ((J, *h),)), inner), st.builds(lambda a: 1 / (1 + a**2), inner))


@given(st.recursive(ENTRIES, summed, max_leaves=5).map(lambda e: total(e, ((I, *V.axes[0].range), (J, *C.axes[0].range)))))
@LAW
def test_sums_of_entries_are_read_back(expr: sp.Expr) -> None:
    assume(not _rebound(expr, frozenset()) and readable(expr))
    plain = expression(printed(expr, tensors=ARRAYS), ARRAYS)
    assert not plain.axes and equal(plain.expr, expr), printed(expr)
    back = latex_expression(latex(expr, ARRAYS), ARRAYS)
    assert not back.axes and equal(back.expr, expr), latex(expr, ARRAYS)


def _rebound(expr: sp.Basic, bound: frozenset[sp.Symbol]) -> bool:
    """An index bound again within its own sum, which no program has."""
    if isinstance(expr, sp.Sum):
        own = [t[0] for t in expr.limits]
        return len(set(own)) < len(own) or bool(bound & set(own)) or _rebound(expr.function, bound | set(own))
    return any(_rebound(a, bound) for a in expr.args)


@functools.cache
def whole(name: str) -> Program:
    return sn.load(name).full


SHEETS = [pytest.param(n, marks=pytest.mark.slow) if n in ("transformer", "lstm") else n for n in names()]


@pytest.mark.parametrize("name", SHEETS)
def test_plain_lines_of_worksheets_are_read_back(name: str) -> None:
    """The text of every line of every derivation, where it is written in entries."""
    program, read = whole(name), 0
    for d in program.definitions:
        labels = Labels.of(program)  # letters that are not a size's: the LSTM's own k is both
        scope = extend({}, [(i, *span) for i, span in d.free.items()], labels)
        free, line = {str(scope[i]): scope[i] for i in d.free}, relabel(d.expr, scope, labels)
        sizes = {str(s): s for s in program.sizes}
        lowering = Lowering(program.tensors, sizes, "back", free)
        source = printed(line, tensors=program.tensors)
        if " % " in source:
            continue  # strides are printed for people
        back = lowering.real(Parser(source, "back", FUNCTIONS).whole())
        assert not back.axes and equal(back.expr, line), source
        read += 1
    assert read


def test_the_law_can_fail() -> None:
    x = TENSORS["x"][()]
    assert not equal(expression("x**2 + 1", TENSORS).expr, x**2 + 2)
    with pytest.raises(SymnetError):
        expression("x**2 +", TENSORS)
