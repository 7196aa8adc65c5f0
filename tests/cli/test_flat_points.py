"""Points where something is flat, zero or exactly half: report and derive go through in every format and say what is true."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from symnet.cli.main import main


def _value(given: Any) -> str:
    return json.dumps(given) if isinstance(given, list) else f'"{given}"'


def sheet(body: str, rate: str = "0.1", **values: Any) -> str:
    """A worksheet: symbols with values, the lines of [program], a learning rate."""
    symbols = "".join(f"{name} = {{ value = {_value(v)} }}\n" for name, v in values.items())
    return f'[symbols]\n{symbols}[program]\n{body}\nlearning_rate = "{rate}"\n'


def scalar_net(activation: str, loss: str = "MSELoss", rate: str = "0.1", **changes: str) -> str:
    """One input, one hidden neuron, one output."""
    values = {"x": "2", "w1": "1/2", "b1": "1/5", "w2": "4/5", "b2": "-2/5", "y": "1"} | changes
    return sheet(f'layers = ["Linear(1, 1)", "{activation}()", "Linear(1, 1)", "Sigmoid()"]\nloss = "{loss}()"', rate, **values)


def lines(objective: str, *definitions: str, wrt: tuple[str, ...], rate: str = "0.1", **values: Any) -> str:
    """A program of definitions."""
    body = f"definitions = {json.dumps(list(definitions))}\nobjective = \"{objective}\"\nwrt = {json.dumps(list(wrt))}"
    return sheet(body, rate, **values)


DENSE = 'layers = ["Linear(2, 3)", "ReLU()", "Linear(3, 1)"]\nloss = "MSELoss()"\nbatch = "N"'
FLAT: dict[str, tuple[str, dict[str, str]]] = {  # a worksheet, and values that are known exactly
    "input 0": (scalar_net("Sigmoid", x="0"), {"dL_dw1": "0", "z1": "0.2"}),
    "input 0, tanh": (scalar_net("Tanh", x="0"), {"dL_dw1": "0"}),
    "second weight 0": (scalar_net("Sigmoid", w2="0"), {"dL_dw1": "0", "dL_db1": "0", "z2": "-0.4"}),
    "everything 0": (scalar_net("Sigmoid", x="0", w1="0", b1="0", w2="0", b2="0", y="0"), {"a1": "0.5", "a2": "0.5", "L": "0.25", "dL_dw1": "0"}),
    "dead relu": (scalar_net("ReLU", b1="-5"), {"a1": "0", "dL_dw1": "0", "dL_dw2": "0"}),
    "relu at its kink": (scalar_net("ReLU", w1="-1/10", b1="1/5"), {"z1": "0", "dL_dw1": "0"}),
    "prediction is the target": (scalar_net("Sigmoid", w2="0", b2="0", y="1/2"), {"L": "0", "dL_dw2": "0", "dL_db2": "0"}),
    "cross-entropy at its least": (scalar_net("Sigmoid", "BCELoss", w2="0", b2="0", y="1/2"), {"dL_db2": "0"}),
    "a norm at 0": (lines("q**2 + q", "q = norm(w)", wrt=("w",), w=["0", "0"]), {"L": "0"}),
    "a length at 0": (lines("y*sqrt(a**2 + b**2)", wrt=("a", "b"), a="0", b="0", y="2"), {"L": "0", "dL_da": "0", "dL_db": "0"}),
    "the edge of a domain is near": (lines("a*v", "a = log(w)", wrt=("w", "v"), rate="1e-9", w="1/2000", v="1"), {"dL_dw": "2000"}),
    "held at its own value": (lines("(a - 2*stop_gradient(a))**2", "a = w*x", wrt=("w",), w="3/4", x="2"), {"L": "2.25", "dL_dw": "-6"}),
    "learning rate 0": (scalar_net("Sigmoid", rate="0"), {}),
    "constant tanh": (lines("(a - y)**2", "a = tanh(x*w + 1)", wrt=("w",), x="0", w="3", y="2"), {"dL_dw": "0"}),
    "an equal copy": (lines("(a - t)**2", "a = tanh(x*w + 1)", "t = tanh(1)", wrt=("w", "x"), x="0", w="1"), {"L": "0", "dL_dw": "0", "dL_dx": "0"}),
    "sigmoid less a half": (lines("d*w", "s = sigmoid(u - v)", "d = s - 1/2", wrt=("u", "w"), u="3", v="3", w="8"), {"d": "0", "dL_dw": "0", "dL_du": "2"}),
    "logs that cancel": (lines("d*w + d**2", "a = log(6*u)", "b = log(2) + log(3) + log(u)", "d = a - b", wrt=("w", "u"), u="5", w="7"),
                         {"d": "0", "dL_dw": "0", "dL_du": "0"}),
    "Pythagoras": (lines("d*w", "c = cos(u)**2", "s = sin(u)**2", "d = c + s - 1", wrt=("w", "u"), u="1", w="5"), {"d": "0", "dL_dw": "0", "dL_du": "0"}),
    "relu of a hidden 0": (lines("w*relu(d) + w", "d = log(4) - 2*log(2*u) + log(u) + log(u)", wrt=("w", "u"), u="3", w="7"), {"dL_dw": "1", "dL_du": "0"}),
    "|hidden 0|": (lines("w*abs(d)", "d = sigmoid(u) + sigmoid(-u) - 1", wrt=("w", "u"), u="2", w="7"), {"L": "0", "dL_dw": "0", "dL_du": "0"}),
    "cases that meet": (lines("(w*a if a <= b else 3*w)", "a = log(2*u) - log(2)", "b = log(u)", wrt=("w",), u="3", w="2"), {}),
    "root of a hidden 0": (lines("w + sqrt(d)", "d = cosh(u)**2 - sinh(u)**2 - 1", wrt=("w",), u="1", w="2"), {"L": "2", "dL_dw": "1"}),
    "a hidden tie": (lines("a*w", "a = log(exp(u))", wrt=("w",), u="0.1234565", w="1"), {"a": "0.123456", "dL_dw": "0.123456"}),
    "a hidden half": (lines("h*w", "t = tanh(u)", "h = log(exp(u + t - tanh(u)))", wrt=("w",), u="1/2", w="3"), {"dL_dw": "0.5", "L": "1.5"}),
    "parabola at its vertex": (lines("w**2", wrt=("w",), w="0"), {"L": "0", "dL_dw": "0"}),
    "nothing depends on it": (lines("u*0 + v**2", wrt=("u", "v"), u="1", v="3"), {"dL_du": "0", "dL_dv": "6"}),
    "all dead": (sheet(DENSE, X=[["1", "2"], ["0", "1"]], W1=[["-1"] * 3] * 2, b1=["-1"] * 3, W2=[["1"]] * 3, b2=["0"], Y=[["0"], ["0"]]), {"L": "0"}),
    "one sample, one of each": (sheet('layers = ["Linear(1, 1)", "Softmax()"]\nloss = "CrossEntropyLoss()"\nbatch = "N"', X=[["1"]], W1=[["2"]],
                                      b1=["0"], Y=[["1"]]), {"L": "0"}),
    "symmetric weights": (sheet('layers = ["Linear(2, 2)", "Tanh()", "Linear(2, 2)"]\nloss = "CrossEntropyLoss()"\nbatch = "N"', X=[["0", "0"], ["1", "1"]],
                                W1=[["1", "1"], ["1", "1"]], b1=["0", "0"], W2=[["1", "1"], ["1", "1"]], b2=["0", "0"], Y=[["1", "0"], ["0", "1"]]), {}),
    "batch norm of one row": (sheet('layers = ["Linear(2, 2)", "Tanh()", "BatchNorm1d(2)"]\nloss = "MSELoss()"\nbatch = "N"', X=[["1", "2"]],
                                    W1=[["1", "2"], ["3", "4"]], b1=["0", "1"], gamma1=["1", "1"], beta1=["0", "0"], Y=[["0", "0"]]), {"L": "0"}),
    "what nobody can prove": (lines("d*w", "a = sigmoid(u)", "d = 1 - a", wrt=("w", "u"), u="5000", w="1"), {}),
}
FORMATS = [("text", "student"), ("text", "beginner"), ("md", "expert"), ("latex", "student"), ("html", "beginner")]


@pytest.fixture(params=FLAT)
def flat(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, dict[str, str]]:
    path = tmp_path / "sheet.toml"
    path.write_text(FLAT[request.param][0], encoding="utf-8")
    return str(path), FLAT[request.param][1]


def test_the_report_goes_through(flat: tuple[str, dict[str, str]], capsys: pytest.CaptureFixture[str]) -> None:
    for format, level in FORMATS:
        assert main(["report", flat[0], "--format", format, "-o", "-", "--level", level]) == 0, capsys.readouterr().err
        said = capsys.readouterr().out
        assert said
        assert format != "text" or not {"nan", "inf"} & set(re.findall(r"[a-z]+", said))


def test_derive_goes_through_and_its_numbers_are_true(flat: tuple[str, dict[str, str]], capsys: pytest.CaptureFixture[str]) -> None:
    path, wanted = flat
    assert main(["derive", path, "--format", "text"]) == 0
    assert main(["derive", path]) == 0
    capsys.readouterr()
    assert main(["derive", path, "--format", "json"]) == 0
    values = json.loads(capsys.readouterr().out)["values"]
    for name, shown in wanted.items():
        found = values[name]["decimal"]
        assert Fraction(found) == Fraction(shown) or found[:len(shown) - 1] == shown[:-1], (name, found)
    for leaf in leaves(values):
        assert set(leaf) <= {"exact", "decimal", "note"} and isinstance(leaf["decimal"], str)
        assert isinstance(leaf["exact"], str) or "characters" in leaf["note"]


def leaves(nested: Any) -> list[dict[str, Any]]:
    """Every number of the JSON."""
    if isinstance(nested, dict) and "decimal" in nested:
        return [nested]
    return [leaf for inner in (nested.values() if isinstance(nested, dict) else nested) for leaf in leaves(inner)]


def test_a_flat_direction_is_told_and_not_explained_by_a_bend(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "sheet.toml"
    path.write_text(FLAT["constant tanh"][0], encoding="utf-8")
    assert main(["report", str(path), "--format", "text", "-o", "-"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "Move w by 0.001 and the loss moves by 0; the gradient foretold 0. The loss is flat in this direction." in said
    assert "The small difference is the bend" not in said


def test_what_nobody_can_prove_is_never_shown_as_an_exact_zero(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """1 - sigmoid(5000) is about 3e-2172: no zero, and smaller than 4096 bits can tell."""
    path = tmp_path / "sheet.toml"
    path.write_text(FLAT["what nobody can prove"][0], encoding="utf-8")
    assert main(["report", str(path), "--format", "text", "-o", "-"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert not re.search(r"(\bd|\bL|value:|gradient:) += 0\b", said)
    assert re.search(r"≈ 0 \(smaller than 1e-12\d\d in size, not proved to be 0\)", said)
    assert main(["derive", str(path), "--format", "json"]) == 0
    leaf = json.loads(capsys.readouterr().out)["values"]["d"]
    assert leaf["decimal"] == "0" and "not proved to be 0" in leaf["note"]


def test_a_kink_within_the_nudge_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "sheet.toml"
    path.write_text(lines("abs(w)", wrt=("w",), w="0"), encoding="utf-8")
    assert main(["report", str(path), "--format", "text", "-o", "-"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    path.write_text(lines("relu(w)", wrt=("w",), w="0"), encoding="utf-8")
    assert main(["report", str(path), "--format", "text", "-o", "-"]) == 0
    both = " ".join(capsys.readouterr().out.split())
    assert "a kink lies within 0.001" not in said, "both sides of |w| average to the convention's 0"
    assert "Where the slope measured on both sides is not the gradient, for w, a kink lies within 0.001" in both
