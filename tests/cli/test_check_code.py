"""symnet check FILE.py:FUNCTION --worksheet W: exit codes, one line for every error, and what is printed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from symnet.cli.main import main

SHEET = """\
title = "A line"
[symbols]
X = { shape = ["N", "d"] }
w = { shape = ["d"] }
y = { shape = ["N"] }
[program]
definitions = ["r = X @ w - y"]
objective = "sum(r**2)/N"
wrt = ["w"]
"""
LAYERS = """\
title = "A classifier"
[program]
layers = ["Linear(d, h)", "ReLU()", "Linear(h, k)"]
loss = "CrossEntropyLoss()"
"""
CODE = """\
import numpy as np
import helper

print("talk")

def backward(X, w, y):
    r = helper.residual(X, w, y)
    return {"loss": np.mean(r**2), "dw": 2 * X.T @ r / len(y)}

def half(X, w, y):
    return {"dw": X.T @ (X @ w - y) / len(y)}

def corner(X, w, y):
    return {"dw": 2 * X.T @ (X @ w - y) / len(y) + np.maximum(X.sum() - 10**6, 0)}

def rounded(X, w, y):
    g = 2 * X.T @ (X @ w - y) / len(y)
    return {"dw": g * 0.8414709848078965 * 0.8414709848078965 + g * 0.5403023058681398 * 0.5403023058681398}

def broken(X, w, y):
    return X.T @ undefined_name

def branch(X, w, y):
    if w[0] > 0:
        return w

def net(W1, b1, W2, b2, X, y):
    z = X @ W1 + b1
    a = np.maximum(z, 0)
    s = a @ W2 + b2
    p = np.exp(s - s.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    p[np.arange(len(y)), y] -= 1
    p /= len(y)
    dz = p @ W2.T
    dz[z <= 0] = 0
    return X.T @ dz, dz.sum(0), a.T @ p, p.sum(0)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "line.toml").write_text(SHEET, encoding="utf-8")
    (tmp_path / "net.toml").write_text(LAYERS, encoding="utf-8")
    (tmp_path / "model.py").write_text(CODE, encoding="utf-8")
    (tmp_path / "helper.py").write_text("def residual(X, w, y):\n    return X @ w - y\n", encoding="utf-8")
    return tmp_path


def run(folder: Path, function: str, *more: str, sheet: str = "line") -> int:
    return main(["check", f"{folder / 'model.py'}:{function}", "--worksheet", str(folder / f"{sheet}.toml"), *more])


def test_the_right_code(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(folder, "backward") == 0
    out, err = capsys.readouterr()
    assert out.startswith("the loss: proved\n") and "/dw: proved\nwhat holds was shown for all sizes" in out
    assert err == "talk\n"  # what the code prints is not data


def test_a_network_from_layers_with_class_labels(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(folder, "net", sheet="net") == 0
    out = capsys.readouterr().out
    assert out.count(": proved\n") == 4 and "for all sizes" in out


def test_wrong_code_exits_with_1_and_names_the_slip(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(folder, "half") == 1
    out = capsys.readouterr().out
    assert "refuted (entry [0]: the code gives" in out and "a factor 2 is missing" in out


def test_a_corner_that_no_small_point_meets(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(folder, "corner") == 1
    assert "refuted (entry [0]" in capsys.readouterr().out


def test_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(folder, "half", "--format", "json") == 1
    found = json.loads(capsys.readouterr().out)
    assert found["function"] == "half" and found["results"][0]["verdict"] == "refuted"
    slip = found["results"][0]["mistake"]
    assert (slip["kind"], slip["message"]) == ("constant", "a factor 2 is missing") and slip["hint"] and slip["undo"]


def test_undecided_exits_with_3(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(folder, "rounded") == 3
    assert "undecided" in capsys.readouterr().out


def test_an_output_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(folder, "backward", "-o", str(folder / "found.txt")) == 0
    assert "proved" in (folder / "found.txt").read_text(encoding="utf-8") and capsys.readouterr().out == ""


ERRORS = {
    "broken": ("broken", "model.py:21: NameError: name 'undefined_name' is not defined"), "branch": ("branch", "model.py:24: if: "),
    "no such function": ("backwards", "no function 'backwards'; expected one of backward, half"),
}


@pytest.mark.parametrize(("function", "said"), list(ERRORS.values()), ids=list(ERRORS))
def test_errors_are_one_line_and_exit_with_2(folder: Path, capsys: pytest.CaptureFixture[str], function: str, said: str) -> None:
    assert run(folder, function) == 2
    err = capsys.readouterr().err.removeprefix("talk\n")
    assert said in err and err.count("\n") == 1 and "Traceback" not in err


@pytest.mark.parametrize(("text", "said"), [
    ("def f(:\n", "bad.py:1: SyntaxError"), ("import nothing_of_this_name\n", "bad.py:1: ModuleNotFoundError"),
    ("raise SystemExit(3)\n", "bad.py:1: SystemExit"), ("x = 1\n", "no function 'f'"), ("def f(X, w, y):\n    return w.T @\n", "bad.py:2: SyntaxError"),
    ("def f(X, w, y):\n    raise RuntimeError('a\\nb')\n", "bad.py:2: RuntimeError: a b"),
])
def test_files_that_do_not_run(folder: Path, capsys: pytest.CaptureFixture[str], text: str, said: str) -> None:
    (folder / "bad.py").write_text(text, encoding="utf-8")
    assert main(["check", f"{folder / 'bad.py'}:f", "--worksheet", str(folder / "line.toml")]) == 2
    err = capsys.readouterr().err
    assert said in err and err.count("\n") == 1


def test_places_that_are_no_function(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(folder / "missing.py") + ":f"]) == 2
    assert main(["check", str(folder / "model.pyx") + ":f"]) == 2
    assert "no file" in capsys.readouterr().err


def test_the_usual_name_is_found_without_saying_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(folder / "model.py"), "--worksheet", str(folder / "line.toml")]) == 0
    assert "proved" in capsys.readouterr().out


def test_the_path_and_the_loaded_modules_are_put_back(folder: Path) -> None:
    import sys

    before = list(sys.path)
    assert run(folder, "backward") == 0
    assert sys.path == before and "symnet_checked_file" not in sys.modules and type(sys.modules["numpy"]).__name__ == "module"
