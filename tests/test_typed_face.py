"""What editors and mypy see: every public name with its signature, nothing that is Any, and help(symnet) as a table of contents."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
import typing
from collections.abc import Iterator
from pathlib import Path

import pytest

import symnet as sn

SOURCE = ast.parse(Path(sn.__file__).read_text(encoding="utf-8"))
NAMES = sorted(set(sn.__all__) - {"__version__"})

RIGHT = '''
import numpy as np
import symnet as sn
from symnet import Derivation, Verdict

net = sn.Sequential(sn.Linear(2, 3), sn.Tanh(), sn.Linear("h", 1, bias=False), sn.Sigmoid)
inner: sn.Sequential = net[1:]
layers: int = len(net) + len([layer for layer in net])
d: Derivation = sn.derive(net, loss="mse", wrt="W1")
also = sn.derive(net, loss=sn.MSELoss, wrt=["W1", "b1"])
text: str = d.gradients["W1"].latex() + str(d.gradients["W1"])
shape = d.gradients["W1"].shape
steps = [step.rule for step in d.steps if step.check()]
there = d.at({"w": "1/2"}, sizes={"N": 2})
print(there.exact("L"), there.decimal("L", 12), there.sizes["N"])
f = d.compile()
loss, grads = f({"W1": np.ones((2, 3))}, np.ones((1, 2)), y=np.ones((1, 1)))
total: float = loss + float(grads["W1"].sum())
verdict: Verdict = sn.check("2*x*(w*x - y)", d, wrt="W1")
if verdict.holds or verdict.witness is None:
    print(verdict.reason)
page: str = sn.report(d, "page.html", level="beginner").html()
made = sn.fit(net, np.ones((4, 2)), np.ones((4, 1)), loss="mse", optimizer=sn.Adam, epochs=3)
last: float = made.losses[-1]
answer = sn.prove("loss-scaling", optimizer="adam")
print(answer.holds)
p: sn.Program = sn.program("L = (w*x - 1)**2")
'''
WRONG = {
    'sn.Lineer(1, 1)': "Lineer", 'd.gradients["w"].nope': "nope", 'd.nope': "nope", 'd.at({}).nope': "nope", 'd.compile().nope': "nope",
    'sn.report(d).nope': "nope", 'sn.check("x", d, "w").nope': "nope", 'sn.Linear(1, 1).nope': "nope", 'sn.Linear()': "in_features",
    'sn.derive(d.program, wrt=3)': "wrt", 'sn.program("L = x").nope': "nope", 'net[0:1].nope': "nope", 'sn.MSELoss(reduction=3)': "reduction",
    'sn.fit(net).nope': "nope", 'sn.prove(3)': "prove", 'sn.SGD().nope': "nope", 'sn.load("first").nope': "nope", 'import symnet.nope': "nope",
}
# What the rooms hold against what core says of them.
ROOMS = '''
from collections.abc import Callable, Mapping
from typing import Any
import sympy as sp
from symnet.backends import compile_derivation
from symnet.calculus.checking import check_derivation, check_step
from symnet.calculus.closed import closed_form
from symnet.calculus.evaluate import evaluate
from symnet.calculus.instantiate import instantiate
from symnet.core import derivation as core
from symnet.equality.zero import proved_zero
from symnet.core import numbers
core._check_derivation = check_derivation
core._closed_form = closed_form
core._instantiate = instantiate
core._evaluate = evaluate
core._compile = compile_derivation
numbers._proved_zero = proved_zero
'''


@pytest.fixture(scope="module")
def complaints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What mypy --strict says of the scripts, by the file's name; one run, since most of it is reading the libraries."""
    folder = tmp_path_factory.mktemp("user")
    scripts = {"right": RIGHT, "rooms": ROOMS}
    for k, line in enumerate(WRONG):
        scripts[f"wrong{k}"] = f'import symnet as sn\nnet = sn.Sequential(sn.Linear(1, 1))\nd = sn.derive(net, loss=sn.MSELoss())\n{line}\n'
    for name, text in scripts.items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    config = folder / "mypy.ini"
    config.write_text("[mypy]\n[mypy-sympy.*]\nignore_missing_imports = True\n[mypy-flint.*]\nignore_missing_imports = True\n")
    package = Path(sn.__file__).parents[1]
    done = subprocess.run([sys.executable, "-m", "mypy", "--strict", "--config-file", str(config), "--cache-dir",
                           str(package / ".mypy_cache" / "face"), "--follow-imports", "silent", "--no-error-summary",
                           *[f"{name}.py" for name in scripts]], cwd=folder, capture_output=True, text=True, check=False,
                          env={"MYPYPATH": str(package), "PATH": "/usr/bin:/bin"})
    assert not done.stderr, done.stderr
    said: dict[str, list[str]] = {name: [] for name in scripts}
    for line in done.stdout.splitlines():
        said[line.split(".py:")[0]].append(line)
    return said


def test_a_correct_script_is_clean(complaints: dict[str, list[str]]) -> None:
    assert complaints["right"] == []


def test_the_rooms_give_what_core_says(complaints: dict[str, list[str]]) -> None:
    assert complaints["rooms"] == []


@pytest.mark.parametrize("line", WRONG)
def test_a_wrong_script_is_refused(line: str, complaints: dict[str, list[str]]) -> None:
    said = " ".join(complaints[f"wrong{list(WRONG).index(line)}"])
    assert WRONG[line] in said


def typed_names() -> dict[str, str]:
    """What type checkers are told: name -> file."""
    blocks = [n for n in SOURCE.body if isinstance(n, ast.If) and getattr(n.test, "id", "") == "TYPE_CHECKING"]
    return {a.name: str(i.module) for i in blocks[0].body if isinstance(i, ast.ImportFrom) for a in i.names}


def test_the_two_lists_are_equal() -> None:
    assert typed_names() == sn._WHERE
    assert sorted(sn.__all__) == sorted([*sn._WHERE, "__version__"])
    assert dir(sn) == sorted(sn.__all__)


def test_the_table_of_contents_names_everything_once() -> None:
    listed = re.findall(r"^    (\w+)  +\S.*$", sn.__doc__ or "", re.M)
    assert sorted(listed) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_public_name_says_what_it_is_with_an_example(name: str) -> None:
    assert ">>>" in (inspect.getdoc(getattr(sn, name)) or "")


def public_functions() -> Iterator[tuple[str, typing.Any]]:
    """Every public function, and every public method and property of a public class."""
    for name in NAMES:
        thing = getattr(sn, name)
        if not inspect.isclass(thing):
            yield name, inspect.unwrap(thing)
            continue
        for own, value in vars(thing).items():
            bare = getattr(value, "fget", None) or getattr(value, "func", None) or getattr(value, "__func__", None) or value
            if not own.startswith("_") and inspect.isfunction(bare):
                yield f"{name}.{own}", bare


FUNCTIONS = dict(public_functions())


@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_public_function_gives_any(name: str) -> None:
    function = FUNCTIONS[name]
    given = function.__annotations__.get("return")
    assert given is not None and given != "Any" and given is not typing.Any
    untyped = [p for p in inspect.signature(function).parameters if p not in ("self", "cls") and p not in function.__annotations__]
    assert untyped == []
