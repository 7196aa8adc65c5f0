"""The command line as a user runs it: output, exit codes, one-line errors."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ANSWERS = """
[symbols]
X = {{ shape = ["N", "d"] }}
w = {{ shape = ["d"] }}
y = {{ shape = ["N"] }}
[program]
definitions = ["r = X @ w - y"]
objective = "sum(r**2)/N"
wrt = ["w"]
[[answers]]
id = "A1"
wrt = "w"
text = "{0}"
"""


def run(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "symnet", *arguments], capture_output=True, text=True, timeout=120, cwd=cwd, check=False)


def test_report_alone_writes_the_first_example(tmp_path: Path) -> None:
    done = run("report", cwd=tmp_path)
    assert done.returncode == 0 and done.stdout == "" and "wrote" in done.stderr
    page = (tmp_path / "output" / "first.html").read_text(encoding="utf-8")
    assert "Errata of the worked example" in page and "Dividing the loss" in page


def test_data_goes_to_stdout_talk_to_stderr(tmp_path: Path) -> None:
    done = run("report", "--format", "json", cwd=tmp_path)
    assert json.loads(done.stdout)["gradients"].keys() == {"w1", "b1", "w2", "b2"}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arguments", [
    ("report", "nope.toml"), ("report", "../../x"), ("report", "--level", "nix"), ("report", "--digits", "0"), ("report", "-o", "x.doc"),
    ("derive", "__import__('os').system('touch PWNED')", "--wrt", "x"), ("derive", "w*x", "--wrt", "q"), ("derive", "9**9**9"),
    ("derive", "sum(X@w)", "--shape", "X"), ("derive", "w*x", "--domain", "w:huge"), ("derive", "w*", "--wrt", "w"),
    ("derive", "X@w", "--shape", "X:N,d", "--shape", "w:N", "--wrt", "w"), ("prove", "everything"), ("prove", "--optimizer", "magic"),
    ("check", "nope.md"), ("check", "first"), ("train", "two-two-two"), ("nonsense",), ("train", "xor", "--lr", "a,b"),
    ("report", "first", "--format", "html", "-o", "-", "--digits", "99"),
    ("derive", "w*x", "--wrt", "w", "--format", "numpy", "-o", "/proc/nowhere/x.py"),
], ids=lambda a: " ".join(a)[:40])
def test_bad_input_is_one_line_and_exit_2(arguments: tuple[str, ...], tmp_path: Path) -> None:
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stdout == "" and done.stderr.startswith("symnet: ") and done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("answer", "code", "verdict"), [
    ("(2/N) * X.T @ (X @ w - y)", 0, "proved"), ("(1/N) * X.T @ (X @ w - y)", 1, "refuted"), ("X.T @@ w", 3, "undecided"),
])
def test_check_answers(answer: str, code: int, verdict: str, tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(ANSWERS.format(answer), encoding="utf-8")
    done = run("check", "a.toml", "--format", "json", cwd=tmp_path)
    assert done.returncode == code
    (result,) = json.loads(done.stdout)["results"]
    assert result["verdict"] == verdict and {"id", "condition", "witness", "mistake", "message", "read_as"} <= set(result)


def test_check_a_page(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text("Some prose.\nz1 = w1*x + b1 = 1.2\na1 = sigmoid(z1) ≈ 0.768\n", encoding="utf-8")
    done = run("check", "page.md", cwd=tmp_path)
    assert done.returncode == 1
    assert "≈ 0.768 is wrong: it is 0.769" in done.stdout and "cut off" in done.stdout and "1 line of prose" in done.stdout


@pytest.mark.parametrize(("optimizer", "code", "word"), [("sgd", 0, "proved"), ("momentum", 0, "proved"), ("adam", 1, "refuted"),
                                                         ("rmsprop", 1, "refuted")])
def test_prove(optimizer: str, code: int, word: str) -> None:
    done = run("prove", "loss-scaling", "--optimizer", optimizer)
    assert done.returncode == code and done.stdout.startswith(word)


def test_derive_an_expression() -> None:
    done = run("derive", "sum((X@w-y)**2)/N", "--shape", "X:N,d", "--shape", "w:d", "--shape", "y:N", "--wrt", "w", "--format", "json")
    data = json.loads(done.stdout)
    assert data["gradients"]["w"]["shape"] == ["d"]
    assert done.returncode == 0 and "value_and_grad" in data["numpy"]


def test_derive_numpy_runs_with_numpy_alone(tmp_path: Path) -> None:
    source = run("derive", "(w*x-y)**2", "--wrt", "w", "--format", "numpy").stdout
    (tmp_path / "made.py").write_text(source + "\nprint(value_and_grad(w=2, x=3, y=1)[0])\n", encoding="utf-8")
    done = subprocess.run([sys.executable, "-I", str(tmp_path / "made.py")], capture_output=True, text=True, timeout=60, check=False)
    assert float(done.stdout) == 25.0


def test_train_says_the_loss() -> None:
    done = run("train", "first", "--epochs", "3", "--format", "json")
    losses = json.loads(done.stdout)["losses"]
    assert len(losses) == 4 and abs(losses[1] - 0.19121630) < 1e-7


def test_help_starts_with_an_example_and_version_speaks() -> None:
    assert "symnet report" in run("--help").stdout[:400] and run("--version").stdout.startswith("symnet ")
    for command in ("report", "derive", "check", "prove", "train"):
        assert "Example:" in run(command, "--help").stdout


@pytest.mark.parametrize("library", ["jax", "torch"])
def test_derive_writes_a_module_for_another_library(library: str, tmp_path: Path) -> None:
    shown = run("derive", "(w*x-y)**2", "--wrt", "w", "--format", library).stdout
    run("derive", "(w*x-y)**2", "--wrt", "w", "--format", library, "-o", str(tmp_path / "made.py"))
    assert (tmp_path / "made.py").read_text(encoding="utf-8") == shown
    assert f"import {library}" in shown and "def loss(" in shown
