"""Calls of a worksheet taken apart: names, numbers, quotes, calls inside calls; nothing hostile gets through."""

from __future__ import annotations

import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from symnet.errors import SymnetError, WorksheetError
from symnet.parsing.calls import LONGEST, Call, call

READ = {
    "no arguments": ("Tanh()", Call("Tanh", ())),
    "numbers and names": (" Linear( d , 3 ) ", Call("Linear", ("d", 3))),
    "a decimal and a fraction": ("F(0.25, -1/3)", Call("F", (sp.Rational(1, 4), sp.Rational(-1, 3)))),
    "by name": ("F(a=1, b=True)", Call("F", (), (("a", 1), ("b", True)))),
    "quotes": ("F('tanh', mode=\"sum\")", Call("F", ("tanh",), (("mode", "sum"),))),
    "a call inside": ("P(M(), 0.5)", Call("P", (Call("M", ()), sp.Rational(1, 2)))),
    "a call by name": ("P(loss=M(1, 2), w=3)", Call("P", (), (("loss", Call("M", (1, 2))), ("w", 3)))),
    "lists and brackets, as in Python": ("F([1], (2), (3,), (4, 5), 1e-5)", Call("F", ((1,), 2, (3,), (4, 5), sp.Rational(1, 100000)))),
    "two deep": ("P(P(M(), 1), 2)", Call("P", (Call("P", (Call("M", ()), 1)), 2))),
}


@pytest.mark.parametrize("text, wanted", READ.values(), ids=READ)
def test_a_call_is_taken_apart(text: str, wanted: Call) -> None:
    assert call(text, "loss") == wanted


REFUSED = ["P(M()", "P(M))", "P)M(", "P(M(), )", "P(,)", "P([1)", "P((1])", "P(M()M())", "P('a\")", "P('a b')", "P(a==1)", "P(a=)", "P(1=2)",
           "P(M().x)", "P(M()())", "P(__import__('os'))", "P(" * 7 + ")" * 7, "P(" + "1, " * LONGEST + "1)", "P([1,,2])", "P([,])", "x = P()"]


@pytest.mark.parametrize("text", REFUSED, ids=lambda t: t[:24])
def test_what_is_no_call_is_refused(text: str) -> None:
    with pytest.raises(WorksheetError):
        call(text, "loss")


@given(st.text("PM()=, '\"1./-a\n", max_size=40))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_any_text_is_read_or_refused_in_one_line(text: str) -> None:
    try:
        assert isinstance(call(text, "loss"), Call)
    except SymnetError as error:
        assert "\n" not in str(error)
