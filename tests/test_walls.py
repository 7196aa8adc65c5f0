"""The walls between the rooms: who may import whom. The table is DESIGN's; the test reads the source and runs none of it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "symnet"
FACE = {"", "__main__", "api", "batch", "case_builder", "cli", "data", "theorems", "worksheet_loader", "worksheets"}  # may import all; "" is symnet itself
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "core": set(),
    "arrays": {"core"},
    "backends": {"core", "arrays"},
    "calculus": {"core"},
    "certificates": {"core"},
    "checking": {"core", "indexing", "parsing", "calculus", "equality"},
    "equality": {"core"},
    "frontends": {"core", "indexing", "networks", "arrays", "backends"},
    "indexing": {"core"},
    "networks": {"core", "indexing"},
    "parsing": {"core", "indexing"},
    "proofs": {"core", "calculus", "equality", "networks"},
    "reports": {"core", "arrays"},
    "training": {"core", "networks", "calculus", "backends"},
}
OWN_FILE = {"jax", "sklearn", "jinja2", "latex2mathml", "torch", "onnx", "matplotlib", "numba", "scipy", "distributed"}


def room_of(path: str) -> str:
    """The room that a file of the package belongs to: "core/axes.py" -> "core", "errors.py" -> "errors"."""
    first = path.split("/")[0].removesuffix(".py")
    return "" if first == "__init__" else first


def imported(source: str, path: str) -> Iterator[str]:
    """The full name of everything a file imports, anywhere in it, relative imports and import_module("…") included."""
    package = ["symnet", *path.split("/")[:-1]]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in ("import_module", "__import__"):
                yield str(node.args[0].value)


def rooms_in(source: str, path: str) -> set[str]:
    """The rooms that a file imports; `from symnet import Program` counts as importing the face."""
    known = set(MAY_IMPORT) | FACE
    names = [name.split(".") for name in imported(source, path)]
    return {parts[1] if len(parts) > 1 and parts[1] in known else "" for parts in names if parts[0] == "symnet"}


def breaks(source: str, path: str) -> set[str]:
    """The rooms that a file imports and may not."""
    room = room_of(path)
    if room in FACE:
        return set()
    return rooms_in(source, path) - MAY_IMPORT[room] - {room, "errors"}


FILES = sorted(str(p.relative_to(PACKAGE)) for p in PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", FILES)
def test_a_file_stays_within_its_walls(path: str) -> None:
    assert not breaks((PACKAGE / path).read_text(encoding="utf-8"), path)


def test_every_room_is_in_the_table() -> None:
    assert {room_of(path) for path in FILES} <= set(MAY_IMPORT) | FACE


def test_the_table_has_no_room_that_is_gone() -> None:
    assert set(MAY_IMPORT) <= {room_of(path) for path in FILES}


# Files of one room that import one another, and why they still do. A list that only shrinks.
CIRCLES: dict[str, tuple[str, ...]] = {
    "a slope of a norm and the norm of a page are read with the names of a page": ("checking.pages.page_names", "checking.pages.printed_latex"),
    "a line of arrays in a page is judged as a page is": ("checking.pages.array_lines", "checking.pages.judge"),
    "a program checks itself at birth": ("core.program", "core.schedule", "core.wellformed"),
    "a tensor may have a structure, and a structure speaks of tensors": ("core.structures", "core.tensors"),
}


def files_in(source: str, path: str) -> set[str]:
    """The files of its own room that a file imports, anywhere in it: "core.axes"."""
    own, found = path.removesuffix(".py").removesuffix("/__init__").replace("/", "."), set()
    known = {p.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for p in FILES}
    for name in imported(source, path):
        inner = name.removeprefix("symnet.")
        found.add(inner if inner in known else inner.rpartition(".")[0])
    return {p for p in found & known if room_of(p.replace(".", "/")) == room_of(path)} - {own}


def circles(imports: dict[str, set[str]]) -> set[tuple[str, ...]]:
    """The sets of files that reach one another: what is left when files that import nothing left are taken away, or are imported by none."""
    reached: dict[str, set[str]] = {}
    for start in imports:
        found, waiting = set[str](), list(imports[start])
        while waiting:
            here = waiting.pop()
            if here not in found:
                found.add(here)
                waiting += imports.get(here, ())
        reached[start] = found
    return {tuple(sorted(b for b in imports if b in reached[a] and a in reached[b])) for a in imports if a in reached[a]}


def test_no_room_has_an_import_circle_but_the_listed() -> None:
    rooms = [p for p in FILES if room_of(p) in MAY_IMPORT and not p.endswith("__init__.py")]
    imports = {p.removesuffix(".py").replace("/", "."): files_in((PACKAGE / p).read_text(encoding="utf-8"), p) for p in rooms}
    assert circles(imports) == {tuple(sorted(files)) for files in CIRCLES.values()}


def test_the_circle_test_can_fail() -> None:
    assert files_in("if TYPE_CHECKING:\n    from symnet.core.program import Program", "core/axes.py") == {"core.program"}
    assert files_in("def f():\n    from symnet.core import program", "core/axes.py") == {"core.program"}
    assert files_in("from symnet.calculus import chain", "core/axes.py") == set()
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"d"}}) == {("b", "c"), ("d",)}


MADE_UP = [
    ("from symnet.reports.html import page", "calculus/derive.py", {"reports"}),
    ("import symnet.backends.source", "calculus/derive.py", {"backends"}),
    ("from symnet import reports", "core/axes.py", {"reports"}),
    ("from symnet import Program", "core/axes.py", {""}),
    ("import symnet", "core/axes.py", {""}),
    ("from symnet.worksheet_loader import load", "reports/page.py", {"worksheet_loader"}),
    ("def f():\n    from symnet.calculus import derive", "core/axes.py", {"calculus"}),
    ("if TYPE_CHECKING:\n    from symnet.networks.layers import Layer", "calculus/chain.py", {"networks"}),
    ("from ..training import fit", "core/axes.py", {"training"}),
    ("import importlib\nimportlib.import_module('symnet.proofs.kernel')", "core/axes.py", {"proofs"}),
    ("from symnet.core.axes import Axis", "errors.py", {"core"}),
    ("from symnet.equality.compare import compare", "proofs/kernel.py", set()),
    ("from .axes import Axis\nfrom symnet.errors import ShapeError", "core/tensors.py", set()),
    ("from symnet.training.fit import fit", "cli/main.py", set()),
]


@pytest.mark.parametrize(("source", "path", "expected"), MADE_UP)
def test_the_wall_test_can_fail(source: str, path: str, expected: set[str]) -> None:
    assert breaks(source, path) == expected


@pytest.mark.parametrize("library", sorted(OWN_FILE))
def test_a_heavy_or_optional_library_has_one_file_of_its_own(library: str) -> None:
    users = [p for p in FILES if library in {n.split(".")[0] for n in imported((PACKAGE / p).read_text(encoding="utf-8"), p)}]
    assert len(users) <= 1
