"""House rules that no linter knows: a file says what it is, and no call executes or guesses at text."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "symnet"
FILES = sorted(str(p.relative_to(PACKAGE)) for p in PACKAGE.rglob("*.py"))
# They execute text, or answer "equal" and "zero" by falling through (DESIGN, section 2).
FORBIDDEN = {"eval", "parse_expr", "parse_latex", "simplify", "nsimplify"}
FORBIDDEN_METHODS = {"equals"}
SYMPIFY = {"sympify", "S"}
# Generated source of our own, with checked names, is the only text that is ever executed.
MAY_EXECUTE = {"backends/running.py"}


def called(call: ast.Call) -> str:
    """The last part of the name of what is called."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def forbidden_calls(source: str, path: str = "") -> Iterator[str]:
    """ "line: name" of every call that the house does not make."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = called(node)
        strict = any(k.arg == "strict" and isinstance(k.value, ast.Constant) and k.value.value is True for k in node.keywords)
        executes = name == "exec" or (name == "compile" and isinstance(node.func, ast.Name))
        asked = name in FORBIDDEN or (name in FORBIDDEN_METHODS and isinstance(node.func, ast.Attribute))
        if asked or (name in SYMPIFY and not strict) or (executes and path not in MAY_EXECUTE):
            yield f"{node.lineno}: {name}"


def read(path: str) -> str:
    return (PACKAGE / path).read_text(encoding="utf-8")


@pytest.mark.parametrize("path", FILES)
def test_nothing_executes_or_guesses(path: str) -> None:
    assert list(forbidden_calls(read(path), path)) == []


@pytest.mark.parametrize("path", FILES)
def test_a_file_says_what_it_is(path: str) -> None:
    assert ast.get_docstring(ast.parse(read(path)))


@pytest.mark.parametrize("source", [
    "eval(text)", "sp.sympify(text)", "sympify(text, strict=False)", "sp.S(text)", "parse_expr(text)", "sp.simplify(x - y)",
    "x.simplify()", "x.equals(y)", "exec(text)", "compile(text, '', 'exec')",
])
def test_the_call_test_can_fail(source: str) -> None:
    assert list(forbidden_calls(source)) != []


@pytest.mark.parametrize("source", ["sp.sympify(x, strict=True)", "sp.S.One", "def eval(cls, z): return z", "re.compile('a')"])
def test_the_call_test_lets_honest_code_pass(source: str) -> None:
    assert list(forbidden_calls(source)) == []
