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

def odd(inputs, theta1, alpha, double=True, eps=1):
    r = inputs @ theta1 - alpha
    return np.mean(r**2), (1 + double) * inputs.T @ r / (len(alpha) + eps)

def step(data, A, c, B, e, classes):
    return net(A, c, B, e, data, classes)[::-1]

def loop(X, w, y):
    return sum(2 * (X[n] @ w - y[n]) * X[n] for n in range(len(y))) / len(y)

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


STEP = ("--argument", "data=X", "--argument", "A=W1", "--argument", "c=b1", "--argument", "B=W2", "--argument", "e=b2")
ODD = ("--argument", "inputs=X", "--argument", "theta1=w", "--argument", "alpha=y")
SAYING = {
    "arguments and fixed values": (("odd", *ODD, "--argument", "eps=0", "--returns", "loss,w"), "line", 0, "for all sizes"),
    "another fixed value": (("odd", *ODD, "--argument", "eps=1e-3", "--returns", "loss,w"), "line", 1, "refuted"),
    "a truth": (("odd", *ODD, "--argument", "eps=0", "--argument", "double=False"), "line", 1, "a factor 2 is missing"),
    "labels and returns": (("step", *STEP, "--labels", "classes=Y", "--returns", "b2,W2,b1,W1"), "net", 0, "for all sizes"),
    "returns in another order": (("step", *STEP, "--labels", "classes=Y", "--returns", "b1,W2,b2,W1"), "net", 1, "refuted (the code's is of shape"),
    "sizes": (("loop", "--sizes", "N=2,d=3", "--sizes", "N=5, d=1"), "line", 0, "at sizes N = 2, d = 3 and at sizes N = 5, d = 1"),
}


@pytest.mark.parametrize(("arguments", "sheet", "code", "said"), list(SAYING.values()), ids=list(SAYING))
def test_options_say_what_names_do_not(folder: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], sheet: str, code: int,
                                       said: str) -> None:
    assert run(folder, *arguments, sheet=sheet) == code
    assert said in capsys.readouterr().out


MISTAKES = {
    "no pair": (("--argument", "eps"), "--argument: 'eps'; expected such as w=W1 or eps=1e-5"),
    "code as a value": (("--argument", "w=__import__('os')"), "arguments: no input named"),
    "no such argument": (("--argument", "u=w"), "arguments: the function has no argument 'u'; expected one of X, w, y"),
    "no such input": (("--labels", "y=Q"), "labels: no input named 'Q'; expected one of X, w, y"),
    "an argument twice": (("--argument", "w=w", "--argument", "w=X"), "--argument: w twice"),
    "both": (("--argument", "y=y", "--labels", "y=y"), "--labels: y, which --argument names too"),
    "no label": (("--labels", "=Y"), "--labels: '=Y'; expected such as y=Y"),
    "too many values": (("--returns", "loss,w,b"), "expected 3: loss, w, b"),
    "an empty name": (("--returns", "loss,,w"), "--returns: 'loss,,w'"),
    "no size": (("--sizes", "N=3"), "no value for d"),
    "size nothing": (("--sizes", "N=0,d=2"), "--sizes: 'N=0'; expected a name and a whole number"),
    "size of no name": (("--sizes", "N=3,d=2,k=2"), "no size named 'k'"),
}


@pytest.mark.parametrize(("options", "said"), list(MISTAKES.values()), ids=list(MISTAKES))
def test_a_wrong_option_is_one_clear_line(folder: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], said: str) -> None:
    code = run(folder, "backward", *options)
    err = capsys.readouterr().err
    assert code == 2 and said in err and err.removeprefix("talk\n").count("\n") == 1 and "Traceback" not in err


@pytest.mark.parametrize("option", [("--labels", "y=Y"), ("--argument", "w=W"), ("--returns", "w"), ("--sizes", "N=2")])
def test_options_of_code_beside_a_worksheet_are_refused(folder: Path, capsys: pytest.CaptureFixture[str], option: tuple[str, str]) -> None:
    assert main(["check", str(folder / "line.toml"), *option]) == 2
    assert "expected NumPy code, FILE.py:FUNCTION" in capsys.readouterr().err


OWN = '''
import torch
class Square(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, k):
        ctx.save_for_backward(x); ctx.k = k
        return k * x * x
    @staticmethod
    def backward(ctx, g):
        return 2 * ctx.k * g * ctx.saved_tensors[0], None
class Wrong(Square):
    @staticmethod
    def backward(ctx, g):
        return 2 * ctx.k * ctx.saved_tensors[0], None
class Branching(Square):
    @staticmethod
    def backward(ctx, g):
        return (g if g.sum() > 0 else -g), None
def plain(x):
    return x
example = (torch.ones(3, 2), 3)
'''


@pytest.mark.parametrize(("name", "more", "exit_code", "said"), [
    ("Square", ["--shape", "x:N,d", "--argument", "k=3"], 0, "for all sizes"), ("Square", [], 0, "proved"),
    ("Wrong", ["--shape", "x:N,d", "--argument", "k=3"], 1, "the factor dL/dy = G"), ("Branching", [], 1, "refuted"),
    ("Square", ["--shape", "x"], 2, ""), ("Square", ["--example", "nothing"], 2, ""), ("plain", ["--shape", "x:N"], 2, "")])
def test_a_function_with_a_backward_of_its_own(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, more: list[str],
                                               exit_code: int, said: str) -> None:
    pytest.importorskip("torch")
    (tmp_path / "own.py").write_text(OWN, encoding="utf-8")
    assert main(["check", f"{tmp_path / 'own.py'}:{name}", *more, "--time", "60"]) == exit_code
    assert said in capsys.readouterr().out
