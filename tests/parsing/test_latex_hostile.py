r"""Any text is read or refused in one line: nothing is executed, nothing grows without end."""

from __future__ import annotations

import builtins
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symnet.errors import ParseError, SymnetError
from symnet.indexing.index_array import IndexArray
from symnet.parsing.latex import latex_expression
from symnet.parsing.program import expression, program, tensor_of

SHAPES = {"x": (), "y": (), "a": (), "w": ("d",), "X": ("N", "d"), "A": ("d", "d"), "z": ("T", "d")}
TENSORS = {name: tensor_of(name, shape) for name, shape in SHAPES.items()}

LARGE = {
    "a million braces": "{" * 10**6,
    "braces": "{" * 3000,
    "brackets": "(" * 200 + "x" + ")" * 200,
    "sized brackets": r"\left(" * 100 + "x" + r"\right)" * 100,
    "indices in indices": "z_{" * 40 + "1" + "}" * 40,
    "slopes of slopes": r"\frac{\partial " * 40 + "L" + r"}{\partial w}" * 40,
    "fractions": r"\frac{1}{" * 60 + "x" + "}" * 60,
    "roots": r"\sqrt" * 2000 + "x",
    "accents": r"\hat" * 2000 + "x",
    "fonts": r"\mathbf{" * 100 + "x" + "}" * 100,
    "sums": r"\sum_{i=1}^{d} " * 100 + "x",
    "cases": r"\begin{cases} x & x > 0 \\ " * 40,
    "bars": "|" * 1000,
    "functions": r"\log " * 1000 + "x",
    "softmax in softmax": r"\operatorname{softmax}(" * 25 + "w" + ")" * 25,
    "matrix products": "A " * 60 + "w",
    "exponent": "x^{999999999}",
    "powers of powers": "((x+1)^{64})^{64}",
    "digits": "9" * 400,
    "tower": "e^{e^{e^{50}}}",
    "compared tower": r"\left[e^{e^{e^{50}}} > 1\right]",
    "floor of a tower": r"\lfloor e^{e^{e^{50}}} \rfloor",
    "cells": r"\begin{pmatrix} " + "1 & " * 100 + r"1 \end{pmatrix}",
    "terms": "x+" * 20_000 + "x",
    "factors": "x" * 3000,
    "Kronecker products": r"A \otimes " * 40 + "A",
    "own lines": ", ".join(f"s_{{{k}}} = x" for k in range(40)) + ", y",
}


@pytest.mark.parametrize("text", LARGE.values(), ids=LARGE)
def test_what_would_grow_without_end_is_refused(text: str) -> None:
    with pytest.raises(SymnetError) as caught:
        latex_expression(text, TENSORS)
    assert len(str(caught.value)) < 700 and "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["exp(exp(exp(50)))", "floor(exp(exp(exp(50))))", "where(exp(exp(exp(50))) > 1, 1, 0)"])
def test_plain_maths_has_the_same_limit_on_constants(text: str) -> None:
    with pytest.raises(ParseError, match="too large"):
        expression(text, TENSORS)


FOREIGN = (
    r"\input{/etc/passwd}", r"\write18{ls}", r"\immediate\write18{ls}", r"\href{javascript:x}{y}", r"\def\x{1}", r"\newcommand{\a}{b}", r"\catcode`x=1",
    r"\include{a}", r"\openout1=x", r"\csname x\endcsname", r"\loop\iftrue\repeat", r"\url{x}", r"\includegraphics{x}", r"\begin{document}",
    "<script>alert(1)</script>", "__import__('os').system('x')", r"\operatorname{eval}(x)", r"\operatorname{__import__}(x)", r"\text{import os}",
    "%x", "x # y", "x\x00y", "x²", "x\\", "\\", "^^M", "\ud800",
)


@pytest.mark.parametrize("text", FOREIGN)
def test_what_is_no_maths_is_refused_by_name_and_place(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []
    for module, name in ((builtins, "eval"), (builtins, "exec"), (builtins, "open"), (os, "system")):
        monkeypatch.setattr(module, name, lambda *args, name=name, **more: ran.append(name))
    with pytest.raises(SymnetError) as caught:
        latex_expression(text, TENSORS)
    assert "column" in str(caught.value) and "\n" not in str(caught.value) and not ran


PIECES = ("x", "w", "X", "A", "z", "a", "L", "1", "2", "23", "0.5", "+", "-", "=", "<", "/", "*", "(", ")", "[", "]", "{", "}", "^", "_", "'", "|", ",", "&",
          " ", r"\frac", r"\sum", r"\left", r"\right", r"\top", r"\odot", r"\oslash", r"\cdot", r"\sigma", r"\log", r"\det", r"\sqrt", r"\mathbf{1}",
          r"\partial", r"\nabla", r"\begin{cases}", r"\end{cases}", r"\\", r"\text{if }", r"\hat", r"\mathrm", r"\operatorname{softmax}", r"\lVert",
          r"\rVert", r"\|", "_{i=1}", "^{d}", "_i", "_{ij}", "^{(1)}", "^2", "^T", "^{-1}", r"\le", r"\mid", "e", "I", r"\max", r"\begin{pmatrix}",
          r"\end{pmatrix}")


def refused_or_read(text: str) -> None:
    try:
        assert isinstance(latex_expression(text, TENSORS), IndexArray)
    except SymnetError as error:
        assert "\n" not in str(error) and len(str(error)) < 1000


@given(st.lists(st.sampled_from(PIECES), max_size=30).map(" ".join))
@settings(max_examples=400, deadline=None, derandomize=True)
def test_any_pieces_of_latex_are_read_or_refused(text: str) -> None:
    refused_or_read(text)


@given(st.text(max_size=60))
@settings(max_examples=150, deadline=None, derandomize=True)
def test_any_text_is_read_or_refused(text: str) -> None:
    refused_or_read(text)


SEEDS = (r"\frac{2}{N} X^{\top} \left(X w - \mathbf{1} a\right)", r"\sum_{i=1}^{d} w_{i} \log\left(1 + e^{-a w_{i}}\right)",
         r"\begin{cases} x & \text{if } x > 0 \\ \sigma'(a) & \text{otherwise} \end{cases}", r"\left\lVert A^{\odot 2} w \right\rVert^{2} \operatorname{diag}(w)")


@given(st.sampled_from(SEEDS), st.lists(st.tuples(st.integers(0, 120), st.sampled_from(PIECES), st.integers(0, 6)), min_size=1, max_size=4))
@settings(max_examples=400, deadline=None, derandomize=True)
def test_damaged_lines_are_read_or_refused(text: str, damage: list[tuple[int, str, int]]) -> None:
    for place, piece, cut in damage:
        text = text[:place] + piece + text[place + cut:]
    refused_or_read(text)


@pytest.mark.parametrize("name", ["tanh", "sin", "cosh", "arctan", "erf"])
def test_a_minus_sign_inside_a_function_ends(name: str) -> None:
    """SymPy takes the sign out of tanh(-x a - y) and puts it back without end where it may not multiply into a sum."""
    program("p = " + name + "(-(x*a) - y)", "q = " + name + "((w - x) - (x - w))", tensors=SHAPES)
