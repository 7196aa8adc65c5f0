"""The grammar: which sign binds more tightly, what may stand side by side, and what is refused."""

from __future__ import annotations

import pytest

from symnet.errors import ParseError
from symnet.parsing.grammar import MAX_HEIGHT
from symnet.parsing.node import Node
from symnet.parsing.plain_grammar import MAX_DEPTH, Parser

FUNCTIONS = frozenset({"f", "sum", "linalg.norm"})


def parse(text: str) -> Node:
    return Parser(text, "here", FUNCTIONS).whole()


def shown(node: Node) -> str:
    """The tree with every bracket written: (a + (b * c))."""
    args = [shown(a) for a in node.args]
    if node.kind in ("number", "name"):
        return node.text
    if node.kind == "binary":
        return f"({args[0]} {'.' if node.text == 'juxtaposed' else node.text} {args[1]})"
    if node.kind == "unary":
        return f"(-{args[0]})"
    if node.kind == "cond":
        return f"({args[0]} if {args[1]} else {args[2]})"
    if node.kind == "attribute":
        return f"{args[0]}.{node.text}"
    if node.kind == "index":
        return f"{args[0]}[{', '.join(args[1:])}]"
    if node.kind == "bracket":
        return f"[{args[0]}]"
    return f"{node.text}<{', '.join([*args, *(f'{k}={shown(v)}' for k, v in node.keywords)])}>"


TREES = [
    ("a + b*c", "(a + (b * c))"),
    ("a*b + c", "((a * b) + c)"),
    ("a - b - c", "((a - b) - c)"),
    ("a/b/c", "((a / b) / c)"),
    ("a/b*c", "((a / b) * c)"),
    ("a**b**c", "(a ** (b ** c))"),
    ("a^b", "(a ^ b)"),
    ("-a**2", "(-(a ** 2))"),
    ("a**-b", "(a ** (-b))"),
    ("a*-b", "(a * (-b))"),
    ("--a", "(-(-a))"),
    ("+a", "a"),
    ("-a + b", "((-a) + b)"),
    ("-a*b", "((-a) * b)"),
    ("a @ b @ c", "((a @ b) @ c)"),
    ("a @ b * c", "((a @ b) * c)"),
    ("a + b @ c", "(a + (b @ c))"),
    ("(a + b)*c", "((a + b) * c)"),
    # side by side
    ("2x", "(2 . x)"),
    ("2x**2", "(2 . (x ** 2))"),
    ("a b c", "((a . b) . c)"),
    ("a(1 - a)", "(a . (1 - a))"),
    ("a(b)(c)", "((a called b) . c)"),
    ("a (b)", "(a . b)"),
    ("a/b c", "((a / b) behind c)"),
    ("1/2 c", "((1 / 2) . c)"),
    ("dL/dz c", "((dL / dz) . c)"),
    ("(a)(b)", "(a . b)"),
    ("2(a)", "(2 . a)"),
    ("1/2*x y", "(((1 / 2) * x) . y)"),
    ("X^T (X w - y)", "(X.^T . ((X . w) - y))"),
    ("X.T X", "(X.T . X)"),
    ("-2x", "((-2) . x)"),
    ("a + 2b", "(a + (2 . b))"),
    # calls and indices
    ("f(a)", "f<a>"),
    ("f(a, b)", "f<a, b>"),
    ("f(a, axis=1)", "f<a, axis=1>"),
    ("np.f(a)", "f<a>"),
    ("np.linalg.norm(a)", "linalg.norm<a>"),
    ("f(a)(b)", "(f<a> . b)"),
    ("f(a)**2", "(f<a> ** 2)"),
    ("2f(a)", "(2 . f<a>)"),
    ("a[i, j+1]", "a[i, (j + 1)]"),
    ("a.T[i]", "a.T[i]"),
    ("a.shape[0]", "a.shape[0]"),
    ("a[i]**2", "(a[i] ** 2)"),
    ("sum(a for i in 1..n)", "sum<a, i, 1, n>"),
    ("sum(a for i in 1..n for j in 0..m-1)", "sum<a, i, 1, n, j, 0, (m - 1)>"),
    # conditions
    ("a if b > 0 else c", "(a if (b > 0) else c)"),
    ("a + b if c > 0 else d", "((a + b) if (c > 0) else d)"),
    ("a if b > 0 else c if d > 0 else e", "(a if (b > 0) else (c if (d > 0) else e))"),
    ("a + 1 > b*2", "((a + 1) > (b * 2))"),
    ("[a > 0]*b", "([(a > 0)] * b)"),
    ("0 < a <= b", "((0 < a) and (a <= b))"),
    ("a if b > 0 or c > 0 and d > 0 else e", "(a if ((b > 0) or ((c > 0) and (d > 0))) else e)"),
    ("a if (b > 0 or c > 0) and d > 0 else e", "(a if (((b > 0) or (c > 0)) and (d > 0)) else e)"),
    ("a if not b > 0 and c > 0 else d", "(a if ((b <= 0) and (c > 0)) else d)"),
    ("[not (0 < a <= b or c != d)]", "[(((0 >= a) or (a > b)) and (c == d))]"),
    ("not not a > b", "(a > b)"),
]


@pytest.mark.parametrize("text, wanted", TREES, ids=[t for t, _ in TREES])
def test_precedence(text: str, wanted: str) -> None:
    assert shown(parse(text)) == wanted


REFUSED = [
    ("", "the end of the line"),
    ("(a", "')'"),
    ("a)", "')'"),
    ("a +", "the end of the line"),
    ("*a", "'*'"),
    ("a,b", "','"),
    ("a..b", "'..'"),
    ("f(a", "','"),
    ("f(a,,b)", "','"),
    ("f(a b", "','"),
    ("a[1", "']'"),
    ("a.b", ".b"),
    ("a.", "a name after"),
    ("a if b", "'else'"),
    ("if", "'if'"),
    ("else a", "'else'"),
    ("not a", "'not' before what is no comparison"),
    ("or a", "'or'"),
    ("for", "'for'"),
    ("a'", '"\'"'),
    ("f(a for i in 1..2)", "f with 'for'"),
    ("sum(a for i in 1)", "'..'"),
    ("a = b", "'='"),
    ("lambda x: x", "':'"),
    ("f(1, '1')", '"\'"'),
    ("<script>", "'<'"),
    ("np.(a)", "a name after the dot"),
    ("()", "')'"),
]


@pytest.mark.parametrize("text, words", REFUSED, ids=[t or "empty" for t, _ in REFUSED])
def test_what_is_not_in_the_grammar_is_refused_in_one_line(text: str, words: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse(text)
    assert words in str(caught.value) and "\n" not in str(caught.value) and caught.value.where.startswith("here, column ")


def test_a_comma_gets_the_hint_of_a_decimal_point() -> None:
    with pytest.raises(ParseError, match="decimal point"):
        parse("0,5*x")


DEEP = {
    "round brackets": "(" * 200 + "a" + ")" * 200,
    "square brackets": "[" * 200 + "a" + "]" * 200,
    "signs": "-" * 200 + "a",
    "powers": "a**" * 200 + "a",
    "calls": "f(" * 200 + "a" + ")" * 200,
    "indices": "a[" * 200 + "1" + "]" * 200,
    "transposes": "a^T" * 3 + "^T" * 200,
    "conditions": "a if b > 0 else " * 200 + "c",
    "open only": "(" * 600,
    "comparisons": "a<" * 300 + "a",
}


@pytest.mark.parametrize("text", DEEP.values(), ids=DEEP)
def test_deep_nesting_is_refused_before_python_gives_up(text: str) -> None:
    with pytest.raises(ParseError):
        parse(text)


def test_some_depth_and_length_are_fine() -> None:
    depth = MAX_DEPTH - 1
    assert shown(parse("(" * depth + "a" + ")" * depth)) == "a"
    assert parse("*".join(["a"] * MAX_HEIGHT)).kind == "binary"
    assert len(parse("+".join(["a"] * 2000)).args) > 1900


def test_too_many_parts_are_refused() -> None:
    with pytest.raises(ParseError, match=f"at most {MAX_HEIGHT} operations"):
        parse("*".join(["a"] * (MAX_HEIGHT + 1)))
    with pytest.raises(ParseError, match="too many symbols"):
        parse("+".join(["a"] * 2501))


def test_many_terms_stand_side_by_side_and_mean_the_same() -> None:
    tree = parse("-".join(["a"] * 60) + "+b*c")
    assert tree.kind == "terms" and tree.text == "+" + "-" * 59 + "+" and shown(tree.args[-1]) == "(b * c)"


def test_a_node_knows_its_column() -> None:
    assert parse("aa + bb*cc").args[1].column == 8
