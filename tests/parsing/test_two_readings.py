r"""What has two readings is refused, and both are named; what a habit makes clear is not."""

from __future__ import annotations

import pytest

from symnet.errors import NameError_, ParseError, ShapeError, SymnetError
from symnet.parsing.latex import latex_expression
from symnet.parsing.program import expression, tensor_of

SHAPES = {"x": (), "y": (), "z": (), "a": (), "b": (), "c": (), "v": ("d",), "u": ("d",), "X": ("N", "d"), "A": ("d", "d"), "r": ("N",)}
TENSORS = {name: tensor_of(name, shape) for name, shape in SHAPES.items()}

PLAIN: dict[str, tuple[str, str, str]] = {  # text, and a part of each reading
    "a factor behind a fraction": ("1/2x", "(a/b)*c", "a/(b*c)"),
    "a bracket behind a fraction": ("1/2(x + y)", "(a/b)*c", "a/(b*c)"),
    "a name behind a quotient": ("a/b c", "(a/b)*c", "a/(b*c)"),
    "a factor behind an exponent": ("x^2y", "a^b * c", "a^(b c)"),
    "e to the two x": ("e^2x", "a^b * c", "a^(b c)"),
    "two factors behind a function": ("sin 2x", "sin(x) y", "sin(x y)"),
    "three factors behind a function": ("sin 2x y", "sin(x) y", "sin(x y)"),
    "a quotient behind a function": ("log x/y", "log(x) y", "log(x y)"),
    "a product behind a function": ("log x*y", "log(x) y", "log(x y)"),
    "the inverse of a function": ("sin^-1(x)", "the inverse", "1/sin"),
    "the power of a function": ("exp^x(y)", "(exp(…))**…", "no whole number"),
    "numbers side by side": ("2 3", "2*3", "23"),
    "a number behind a factor": ("x 3", "2*3", "23"),
    "a number as a function": ("x(y)", "x*y for the product", "no function"),
    "a matrix as a function": ("X(v)", "X*v for the product", "no function"),
    "names run together behind a fraction": ("a/xy", "(a/x)*y", "a/(x*y)"),
    "names run together, squared": ("xy^2", "x*y**2", "(x*y)**2"),
    "two columns": ("v u", "v @ w for the sum", "outer(v, w)"),
    "two rows": ("v^T u^T", "outer(v, w)", "v*w entry by entry"),
    "a square matrix squared": ("A^2", "A @ A", "A**2 entry by entry"),
    "a square matrix to the minus one": ("A^{-1} v", "inv(A)", "entry by entry"),
    "bars around a matrix": ("|A|", "abs(x), norm(x) or det(x)", "entry by entry, a norm or a determinant"),
    "a layer or a power": ("a^(2)", "a**2 for the power", "a layer"),
    "a layer or a power in braces": ("a_1^{(2)}", "a_1**2 for the power", "a layer"),
    "two answers": ("s = 2; x; y", "a second answer", "one answer"),
    "a line for a declared name": ("x = 2; x y", "'x', which is declared", "a new letter"),
    "a line twice": ("s = 2; s = 3; s x", "'s' is named twice", "one line"),
    "a line for a function": ("exp = 2; exp x", "'exp' is a function", "another name"),
    "a line in a circle": ("s = t; t = s; s", "stands for itself", "a line without it"),
    "a decimal comma": ("0,5 x", "','", "a decimal point"),
    "a prime behind a matrix": ("X' r", "X.T", "transpose"),
    "two primes": ("sigma''(z)", "two primes", "one"),
    "comparisons added": ("(x < 1) + (y < 1)", "'and'", "where(condition, 1, 0)"),
    "numbers and numbers": ("x and y", "'and' between numbers", "x > 0 and y > 0"),
    "a comparison as a number": ("x > 0", "a comparison as a number", "where(condition, 1, 0)"),
}


def refused(text: str, first: str, second: str, latex: bool) -> None:
    with pytest.raises((ParseError, NameError_, ShapeError)) as caught:
        (latex_expression if latex else expression)(text, TENSORS)
    assert first in str(caught.value) and second in str(caught.value), str(caught.value)


@pytest.mark.parametrize(("text", "first", "second"), PLAIN.values(), ids=PLAIN)
def test_plain_maths_with_two_readings(text: str, first: str, second: str) -> None:
    refused(text, first, second, latex=False)


LATEX: dict[str, tuple[str, str, str]] = {
    "a factor behind a quotient": ("1/2x", "(a/b) c", "a/(b c)"),
    "two digits above": ("x^23", "{23}", "first digit alone"),
    "two factors behind a function": (r"\sin 2x", "sin(x) y", "sin(x y)"),
    "the inverse of a function": (r"\tanh^{-1}(x)", "the inverse", "1/f"),
    "mixed number": (r"2\frac{1}{2}", "2·½", "2½"),
    "a number as a function": ("x(y)", "x is no function", "for the product"),
    "letters that spell a function": ("exp(x)", r"\operatorname{exp}", "the product e x p"),
    "letters that spell another": ("2 softmax(v)", r"\operatorname{softmax}", "the product s o f t m a x"),
    "two columns": ("v u", "for the sum", "for the outer product"),
    "a square matrix squared": ("A^2", "A A", r"A^{\odot 2}"),
    "bars around a matrix": ("|A|", "determinant", "norm"),
    "two answers": (r"s = 2; x; y", "a second answer", "one answer"),
    "a line for a declared name": (r"x = 2; x y", "x, which is declared", "a new letter"),
    "a line twice": ("s = 2, s = 3, s x", "two lines", "one line"),
    "a line for e": ("e = a - b; 2 e x", "e, which is a number", "the power of 2.718"),
    "a line in a circle": ("s = t, t = s, s", "stands for itself", "a line without it"),
    "an equation": ("x = y", "a left side", "the right side alone"),
}


@pytest.mark.parametrize(("text", "first", "second"), LATEX.values(), ids=LATEX)
def test_latex_with_two_readings(text: str, first: str, second: str) -> None:
    refused(text, first, second, latex=True)


@pytest.mark.parametrize("text", ["s = log(0); x", "s = q; x", "s = (; x"])
def test_a_line_that_is_not_used_is_read_all_the_same(text: str) -> None:
    with pytest.raises(SymnetError):
        expression(text, TENSORS)


def test_lines_do_not_grow_without_end() -> None:
    lines = ["s0 = sin(x) + cos(x)", *[f"s{k} = sin(s{k - 1}) + cos(s{k - 1})*s{k - 1}" for k in range(1, 11)]]
    with pytest.raises(ParseError, match="too long"):
        expression("; ".join([*lines, "s10"]), TENSORS)
    with pytest.raises(ParseError, match="at most 12"):
        expression("; ".join([*[f"s{k} = {k}" for k in range(40)], "x"]), TENSORS)


HOLES: dict[str, tuple[str, str]] = {
    "x*y/x": ("y", "x ="), "sqrt(x)**2": ("x", "x <"), "exp(log(x))": ("x", "x <="), "x/y": ("x/y", ""), "1/(x*y)": ("1/(x*y)", ""),
    "x**2/x": ("x", "x ="), "log(x) - log(x)": ("0", "x <="), "(x if x > 0 else y*x/x)": ("(x if x > 0 else y)", "x ="), "(y*x/x if x > 0 else x)": ("(y if x > 0 else x)", ""), "2*x/2": ("x", ""),
    "s = x/x; y": ("y", ""), "s = x/x; s y": ("y", "x ="),
}


@pytest.mark.parametrize(("text", "wanted"), HOLES.items(), ids=HOLES)
def test_where_a_text_has_no_value_is_kept_though_the_expression_lost_it(text: str, wanted: tuple[str, str]) -> None:
    from symnet.core.text import text as printed

    value = expression(text, TENSORS)
    assert (printed(value.expr), " and ".join(f"{u} {sign}" for u, sign, _ in value.holes)) == wanted
    assert value.divisors == tuple(u for u, sign, _ in value.holes if sign == "=")


@pytest.mark.parametrize("text", [r"\frac{x y}{x}", r"\sqrt{x}^{2} y / x", r"\begin{pmatrix} \frac{y x}{x} & 0 \end{pmatrix} \begin{pmatrix} 1 \\ 0 \end{pmatrix}"])
def test_latex_keeps_them_too(text: str) -> None:
    assert ("x", "=") in [(str(u), sign) for u, sign, _ in latex_expression(text, TENSORS).holes]


@pytest.mark.parametrize("text", ["clip(x, -1, sum(1 for i in 1..9))", "max(x, sum(i for i in 1..9))"])
def test_a_sum_of_numbers_that_cannot_be_compared_is_read_or_refused_in_one_line(text: str) -> None:
    try:
        assert not expression(text, TENSORS).axes
    except ParseError as error:
        assert "not worked out" in str(error)
