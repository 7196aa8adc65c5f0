"""The questions of the corpus, group by group: each has a name and is asked through the public face. The inputs are those of the other tests."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import io
import json
import os
import random
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from contract import said

import symnet as sn
from symnet.cli.main import main
from symnet.errors import SymnetError
from symnet.worksheets.builtin import names, worksheet_text

TESTS = Path(__file__).parents[1]
Case = tuple[str, Callable[[], list[said.Row]]]


@cache
def table(path: str) -> ModuleType:
    """A file of tests, for its tables."""
    spec = importlib.util.spec_from_file_location(f"contract_{Path(path).stem}", TESTS / path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def asked(question: Callable[[], list[said.Row]]) -> list[said.Row]:
    """The answer, or what is refused."""
    try:
        return question()
    except SymnetError as error:
        return said.of_error(error)


def command(*arguments: str) -> tuple[int, str, str]:
    """Exit code, output and messages of the command line."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(list(arguments))
    return code, out.getvalue(), err.getvalue()


def worksheets() -> Iterator[Case]:
    """Each worksheet that comes with symnet, derived and, where it has answers, checked."""
    for name in names():
        yield f"derive {name}", lambda name=name: _derived(name)  # type: ignore[misc]
        if tomllib.loads(worksheet_text(name)).get("answers"):
            yield f"check {name}", lambda name=name: _checked(worksheet_text(name), ".toml")  # type: ignore[misc]


def _derived(name: str) -> list[said.Row]:
    code, out, err = command("derive", name, "--format", "json")
    if code:
        return [said.row(exit=code, message=err)]
    found = json.loads(out)
    rows = [said.row(id="objective", **{k: v for k, v in found["objective"].items() if k != "latex"})]
    rows += [said.row(id=f"gradient {n}", text=g["text"], shape=g["shape"], latex=g["latex"], value=g["value"]) for n, g in found["gradients"].items()]
    return rows + [said.row(id=f"step {s['target']}", rule=s["rule"], uses=s["uses"], conditions=s["conditions"], latex=s["latex"]) for s in found["steps"]]


def _checked(text: str, ending: str, *more: str) -> list[said.Row]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"given{ending}"
        file.write_text(text, encoding="utf-8")
        code, out, err = command("check", str(file), "--time", "300", "--format", "json", *more)
        rows = said.of_json(json.loads(out)["results"]) if out else []
        return [*rows, said.row(id="(whole)", exit=code or "0", message=err.replace(folder, ""))]


def pages() -> Iterator[Case]:
    """Pages as people hand them in, judged as the command line does."""
    wild = table("checking/test_pages_in_the_wild.py")
    for name, (worksheet, page, _) in wild.PAGES.items():
        yield name, lambda w=worksheet, p=page: said.of_page(sn.check_page(p, w, timeout=None))  # type: ignore[misc]
    for name, page in {"TABLE": wild.TABLE, "LABELS": wild.LABELS, "REFLECTION": wild.REFLECTION, "TYPOS": wild.TYPOS}.items():
        yield f"command {name}", lambda p=page: _checked(p, ".md", "--worksheet", "first")  # type: ignore[misc]
    yield "special", lambda: said.of_page(sn.check_page(wild.SPECIAL, timeout=None))


def expressions() -> Iterator[Case]:
    """The soundness answers that are expressions: the right one rewritten, or with a slip."""
    checks, makers = importlib.import_module("soundness.checks"), ("otherwise", "slipped")
    text = importlib.import_module("soundness.trees").text
    for problem in importlib.import_module("soundness.problems").problems():
        for maker in makers:
            for k in range(12):
                def ask(problem: Any = problem, maker: str = maker, k: int = k) -> list[said.Row]:
                    made, _ = getattr(checks, maker)(problem, random.Random(f"contract {problem.name} {k}"))
                    return said.of_verdict(sn.compare(text(made), text(problem.truth), checks.tensors(problem), timeout=None))
                yield f"{problem.name} {maker} {k}", ask


def answers() -> Iterator[Case]:
    """The soundness answers about networks, arrays, partial functions, domains and structures."""
    net, trees = table("soundness/test_soundness_of_check.py"), importlib.import_module("soundness.trees")
    mutated, rewritten = (importlib.import_module(f"soundness.{m}") for m in ("mutations", "rewrites"))
    for name, (lines, wrt) in net.NETS.items():
        for k in range(30):
            def ask(lines: Any = lines, wrt: str = wrt, k: int = k, name: str = name) -> list[said.Row]:
                truth, dice = net.gradient(lines, wrt), random.Random(f"contract {name} {k}")
                tree, _ = rewritten.rewritten(truth, dice, frozenset(), dice.randint(1, 3))
                if k % 2:
                    tree, _ = mutated.mutated(tree, dice, sorted(trees.variables(truth)))
                return _answer(trees.text(tree), net.derivation_of(lines, wrt), wrt)
            yield f"network {name} {k}", ask
    arrays = importlib.import_module("soundness.arrays")
    for problem in arrays.PROBLEMS:
        for k in range(20):
            def ask_array(problem: Any = problem, k: int = k) -> list[said.Row]:
                dice = random.Random(f"contract {problem.name} {k}")
                tree = arrays.changed(arrays.changed(problem.truth, dice), dice) if k % 2 else arrays.slipped(problem.truth, dice)
                made = sn.program(*[f"{n} = {arrays.text(right)}" for n, right in problem.lines], tensors=problem.shapes)
                return _answer(arrays.text(tree), sn.derive(made, wrt=[problem.wrt]), problem.wrt)
            yield f"array {problem.name} {k}", ask_array
    yield from _partial_and_declared()


def _partial_and_declared() -> Iterator[Case]:
    partial, of_domains = importlib.import_module("soundness.partial"), table("soundness/test_soundness_of_domains.py")
    for k, (truth, answer) in enumerate(partial.answers(random.Random(1), 300)):
        yield f"partial {k}", lambda t=truth, a=answer: _answer(partial.written(a), of_domains.derivation(t), "q")  # type: ignore[misc]
    declared = importlib.import_module("soundness.declared")
    tensor, axis = sn.Tensor, sn.Axis
    for k, (domains, text, answer) in enumerate(declared.questions(300, 11)):
        def ask(domains: Any = domains, text: str = text, answer: str = answer) -> list[said.Row]:
            tensors = {"a": (), **{n: tensor(n, (), domain) for n, domain in domains.items()}}
            return _answer(answer, sn.derive(sn.program(f"L = a*({text})", tensors=tensors), wrt=["a"]), "a")
        yield f"declared {k}", ask
    for k, (structure, text, answer) in enumerate(declared.matrix_questions(100, 4)):
        def ask_matrix(structure: str = structure, text: str = text, answer: str = answer) -> list[said.Row]:
            axes = (axis.of("n"), axis.of("k" if structure == "one-hot" else "n"))
            tensors = {"S": tensor("S", axes, structure=structure), "C": tensor("C", axes)}
            return _answer(answer, sn.derive(sn.program(f"L = sum(C*({text}))", tensors=tensors), wrt=["C"]), "C")
        yield f"structure {k}", ask_matrix


def _answer(text: str, derivation: sn.Derivation, wrt: str) -> list[said.Row]:
    return said.of_verdict(sn.check(text, derivation, wrt, timeout=None))


def jax() -> Iterator[Case]:
    """The operators of JAX."""
    places, functions = table("frontends/test_jax_places.py"), table("frontends/test_jaxpr.py")
    for name, case in functions.CASES.items():
        yield name, lambda c=case: _gradients(c.program())  # type: ignore[misc]
    for name, (f, p, data, shapes) in places.CASES.items():
        yield f"places: {name}", lambda f=f, p=p, d=data, s=shapes: _gradients(sn.from_jax(f, (p, *d), shapes=s))  # type: ignore[misc]
    for name, (f, _) in functions.REFUSED.items():
        yield f"refused: {name}", lambda f=f: _gradients(sn.from_jax(f, (functions.HEADS, functions.X)))  # type: ignore[misc]


def torch() -> Iterator[Case]:
    """The modules and functions of torch."""
    modules, places, lib = table("frontends/test_torch_modules.py"), table("frontends/test_torch_places.py"), importlib.import_module("torch")
    for name, (make, shape) in modules.MODELS.items():
        def ask(make: Any = make, shape: Any = shape) -> list[said.Row]:
            lib.manual_seed(0)
            return _gradients(sn.from_torch(make().double(), (lib.zeros(shape, dtype=lib.float64),), sn.MSELoss()))
        yield name, ask
    for name, case in places.CASES.items():
        yield f"places: {name}", lambda c=case: _gradients(_module(places, c))  # type: ignore[misc]


def _module(places: ModuleType, case: Any) -> Any:
    importlib.import_module("torch").manual_seed(0)
    make, function, inputs = case
    return sn.from_torch(places.Model(make().double(), function), inputs())


def onnx() -> Iterator[Case]:
    """The operators of ONNX."""
    models = table("frontends/test_onnx_models.py")
    for name, (nodes, shape, constants) in models.CASES.items():
        yield name, lambda n=nodes, s=shape, c=constants: _gradients(sn.from_onnx(models.model(n, s, c), sn.MSELoss()))  # type: ignore[misc]


def sklearn() -> Iterator[Case]:
    """The models of scikit-learn."""
    models = table("frontends/test_sklearn_models.py")
    for kind in models.TARGETS:
        for activation in ("identity", "logistic", "tanh", "relu"):
            yield f"{kind}, {activation}", lambda k=kind, a=activation: _gradients(sn.from_sklearn(models.fitted(k, a)[0]))  # type: ignore[misc]


def _gradients(read: Any) -> list[said.Row]:
    d = sn.derive(read)
    return [*[said.row(id=line.target.name, line=line) for line in d.program.definitions], *said.of_derivation(d)]


GROUPS: dict[str, tuple[Callable[[], Iterator[Case]], int]] = {  # and one in how many is asked without --whole
    "worksheets": (worksheets, 2), "pages": (pages, 1), "expressions": (expressions, 12), "answers": (answers, 24),
    "jax": (jax, 6), "torch": (torch, 8), "onnx": (onnx, 6), "sklearn": (sklearn, 4),
}
RECORDED_TESTS: dict[str, tuple[tuple[str, ...], int]] = {  # tests whose public calls are written down, by contract_recorder.py
    "code": (("checking/code",), 16),
    "checking": (("checking",), 28),
}


def recorded_tests(group: str, share: int) -> dict[str, list[said.Row]]:
    """What the public verbs say in these tests."""
    paths, _ = RECORDED_TESTS[group]
    left = ["--ignore", str(TESTS / "checking/code")] if group == "checking" else []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "said.jsonl"
        file.touch()
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *[str(TESTS / p) for p in paths], *left, "-p", "contract.contract_recorder", "-p", "no:cacheprovider", "-q",
             "--no-header", "-m", "not slow", "--timeout", "1200"], capture_output=True, text=True, cwd=TESTS.parent,
            env={**os.environ, "CONTRACT_FILE": str(file), "CONTRACT_SHARE": str(share),
                 "PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS.parent), os.environ.get("PYTHONPATH", "")])}, check=False)
        assert done.returncode in (0, 1, 5), done.stdout[-2000:] + done.stderr[-2000:]
        return {line["case"]: line["said"] for line in map(json.loads, file.read_text(encoding="utf-8").splitlines())}
