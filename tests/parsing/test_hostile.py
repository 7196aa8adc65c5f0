"""Any text is read or refused in one line: nothing is executed, nothing grows without end, what is printed is read back."""

from __future__ import annotations

import builtins
import os

import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from symnet.core.text import text as printed
from symnet.equality.compare import compare
from symnet.errors import SymnetError
from symnet.indexing.index_array import IndexArray
from symnet.parsing.program import expression, tensor_of

SHAPES = {"x": (), "y": (), "a": (), "w1": (), "w": ("d",), "X": ("N", "d"), "A": ("d", "d")}
TENSORS = {name: tensor_of(name, shape) for name, shape in SHAPES.items()}


def read(text: str) -> IndexArray:
    return expression(text, TENSORS)


LARGE = {
    "brackets": "(" * 200 + "x" + ")" * 200,
    "length": "x" * 100_000,
    "softmax in softmax": "softmax(" * 30 + "w" + ")" * 30,
    "matrix products": "A @ " * 40 + "w",
    "terms": "x+" * 5000 + "x",
    "tower": "9**" * 50 + "9",
    "exponent": "x**999999999",
    "digits": "9" * 100_000,
    "wide product": "*".join(["(x+1)**64"] * 50 + ["y" * 900]),
    "Kronecker products": "kron(A, A) " * 12,
    "terms of sums": "sum(sum(1 for i in 1..999) for j in 1..999)",
    "ones": "sum(ones(99999))",
    "own lines": "; ".join(f"s{k} = x" for k in range(40)) + "; y",
    "bars": "|" * 300 + "x" + "|" * 300,
    "functions without brackets": "sqrt " * 300 + "x",
    "powers of powers": "(" * 20 + "x" + ")**64" * 20,
}


@pytest.mark.parametrize("text", LARGE.values(), ids=LARGE)
def test_what_would_grow_without_end_is_refused(text: str) -> None:
    with pytest.raises(SymnetError) as caught:
        read(text)
    assert len(str(caught.value)) < 700


def test_nothing_is_executed(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []
    hostile = (
        "__import__('os').system('x')",
        "eval(x)",
        "exec(x)",
        "open(x)",
        "os.system(x)",
        "x.__class__",
        "compile(x)",
        "print(x)",
    )

    def refused() -> int:
        count = 0
        for text in hostile:
            with pytest.raises(SymnetError):
                read(text)
            count += 1
        return count

    assert refused() == len(hostile)  # once before, so that no module is first loaded while it is watched
    for owner, name in ((builtins, "eval"), (builtins, "exec"), (builtins, "compile"), (builtins, "print"), (os, "system")):
        monkeypatch.setattr(owner, name, lambda *a, _n=name, **k: ran.append(_n))
    count = refused()
    monkeypatch.undo()
    assert (count, ran) == (len(hostile), [])


MATHS = st.text(alphabet="xyawXA1290.+-*/^@()[],=<> eT_σ²'", max_size=40)
WORDS = st.lists(
    st.sampled_from(
        [
            "x",
            "y",
            "w",
            "X",
            "A",
            "2",
            "0",
            "1/3",
            "+",
            "-",
            "*",
            "/",
            "**",
            "@",
            "(",
            ")",
            "exp(",
            "log(",
            "sum(",
            "softmax(",
            ".T",
            "[1]",
            "[1,2]",
            ",",
            "if",
            "else",
            "> 0",
            "for i in 1..d",
            "axis=0",
            "where(",
            "^T",
        ]
    ),
    max_size=14,
).map(" ".join)


@given(st.one_of(st.text(max_size=60), MATHS, WORDS))
@settings(max_examples=300, deadline=None, derandomize=True)
def test_any_text_is_read_or_refused_in_one_line(text: str) -> None:
    try:
        value = read(text)
    except SymnetError as error:
        assert "\n" not in str(error)
    else:
        assert isinstance(value.expr, sp.Basic) and not value.expr.has(sp.zoo, sp.nan)


ATOMS = st.sampled_from(["x", "y", "a", "2", "3", "1/2", "w1"])
TEXTS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.builds("({} + {})".format, inner, inner),
        st.builds("({} - {})".format, inner, inner),
        st.builds("{}*{}".format, inner, inner),
        st.builds("({})/({} + 7)".format, inner, inner),
        st.builds("-({})".format, inner),
        st.builds("({})**2".format, inner),
        st.builds("{}({})".format, st.sampled_from(["exp", "tanh", "sigmoid", "relu", "softplus", "abs"]), inner),
        st.builds("({} if {} > 0 else {})".format, inner, inner, inner),
    ),
    max_leaves=6,
)


@given(TEXTS)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_what_is_printed_is_read_back_as_the_same(text: str) -> None:
    first = read(text).expr
    again = read(printed(first)).expr
    assert first == again or compare(first, again).answer.value == "proved"
