"""Tokens: what each sign becomes, the column it is given, and the limits that hold before anything is built."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symnet.errors import ParseError, SymnetError
from symnet.parsing.tokens import MAX_LENGTH, MAX_TOKENS, plain, tokenize

READ = {
    "a name": ("w1", ["w1"]),
    "two names": ("X w", ["X", "w"]),
    "subscript in braces": ("w_{12}", ["w_12"]),
    "subscript digits": ("w₁₂", ["w12"]),
    "a trailing underscore is no name": ("x_1", ["x_1"]),
    "greek": ("σ(α)", ["sigma", "(", "alpha", ")"]),
    "powers": ("x²+y³", ["x", "^", "{", "2", "}", "+", "y", "^", "{", "3", "}"]),
    "product signs": ("a·b×c⊙d", ["a", "*", "b", "*", "c", "*", "d"]),
    "long minus": ("a−b–c", ["a", "-", "b", "-", "c"]),
    "comparisons": ("a≤b≥c≠d", ["a", "<=", "b", ">=", "c", "!=", "d"]),
    "numbers": ("1 2.5 .5 1e-8 3.e2", ["1", "2.5", ".5", "1e-8", "3.e2"]),
    "a range is no decimal": ("1..3", ["1", "..", "3"]),
    "number then name": ("2x", ["2", "x"]),
    "power sign before times": ("a**b*c", ["a", "**", "b", "*", "c"]),
    "half": ("½", ["(", "1", "/", "2", ")"]),
}


@pytest.mark.parametrize("text, wanted", READ.values(), ids=READ)
def test_a_text_is_cut_into_its_signs(text: str, wanted: list[str]) -> None:
    tokens = tokenize(text, "here")
    assert [t.text for t in tokens[:-1]] == wanted
    assert (tokens[-1].kind, tokens[-1].text) == ("end", "")


@pytest.mark.parametrize("text, kinds", [("2x", ["number", "name"]), ("x+1", ["name", "mark", "number"])])
def test_every_token_knows_its_kind(text: str, kinds: list[str]) -> None:
    assert [t.kind for t in tokenize(text, "here")] == [*kinds, "end"]


def test_columns_count_from_one_and_space_before_is_noted() -> None:
    found = [(t.text, t.column, t.spaced) for t in tokenize("a  [b]", "here")]
    assert found == [("a", 1, False), ("[", 4, True), ("b", 5, False), ("]", 6, False), ("", 7, False)]


REFUSED = {
    "dunder": ("__import__", "column 1"),
    "attribute": ("x.__class__", "column 3"),
    "backslash": (r"\input{x}", "column 1"),
    "semicolon": ("x; y", "column 2"),
    "backtick": ("`id`", "column 1"),
    "dollar": ("$x", "column 1"),
    "hash": ("x # y", "column 3"),
    "double quote": ('x"', "column 2"),
    "null": ("x\x00", "column 2"),
    "emoji": ("x + 🙂", "column 5"),
    "right-to-left mark": ("x\u202ey", "column 2"),
}


@pytest.mark.parametrize("text, where", REFUSED.values(), ids=REFUSED)
def test_what_is_not_maths_is_refused_at_its_column(text: str, where: str) -> None:
    with pytest.raises(ParseError) as caught:
        tokenize(text, "here")
    assert caught.value.where == f"here, {where}" and "\n" not in str(caught.value)


LIMITS = {
    "length": ("x" * (MAX_LENGTH + 1), "characters"),
    "symbols": ("x+" * (MAX_TOKENS // 2 + 1), "too many symbols"),
}


@pytest.mark.parametrize("text, words", LIMITS.values(), ids=LIMITS)
def test_limits_hold(text: str, words: str) -> None:
    with pytest.raises(ParseError, match=words):
        tokenize(text, "here")


@pytest.mark.parametrize(
    "text", ["x" * MAX_LENGTH, "x+" * (MAX_TOKENS // 2), "1" * MAX_LENGTH], ids=["length", "symbols", "digits"]
)
def test_the_limit_itself_is_allowed(text: str) -> None:
    assert tokenize(text, "here")[-1].kind == "end"


@given(st.text(max_size=80))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_any_text_gives_tokens_or_one_line(text: str) -> None:
    try:
        tokens = tokenize(text, "here")
    except SymnetError as error:
        assert "\n" not in str(error)
    else:
        kept = "".join(plain(text).split()).replace("{", "").replace("}", "")
        assert "".join(t.text for t in tokens if t.text not in ("{", "}")) == kept  # nothing is dropped in silence
