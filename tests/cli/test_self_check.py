"""A false step is an internal fault: exit 4, one line, nothing written and no verdict built on it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import sympy as sp

import symnet as sn
from symnet.calculus import chain
from symnet.cli.main import main
from symnet.errors import FaultError

SHEET = """
[symbols]
w = { value = "2" }
[program]
definitions = ["a = w**2"]
objective = "a**2"
wrt = ["w"]
[[answers]]
id = "A"
wrt = "w"
text = "4*w**3"
"""


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine loses a factor 2, as a fault in folding might."""
    fold = chain.fold
    monkeypatch.setattr(chain, "fold", lambda expr, *rest: fold(expr, *rest).subs(sp.Integer(2), sp.S.One))


@pytest.fixture
def sheet(tmp_path: Path) -> str:
    file = tmp_path / "sheet.toml"
    file.write_text(SHEET)
    return str(file)


COMMANDS = [["report", "SHEET", "-o", "OUT"], ["derive", "SHEET", "-o", "OUT"], ["derive", "SHEET", "--format", "numpy", "-o", "OUT"],
            ["derive", "(w**2 - 1)**2", "--wrt", "w", "-o", "OUT"], ["check", "SHEET"], ["check", "SHEET", "--format", "json"]]


@pytest.mark.usefixtures("broken")
@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: " ".join(c))
def test_a_false_step_stops_the_line(command: list[str], sheet: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out.txt"
    assert main([{"SHEET": sheet, "OUT": str(out)}.get(c, c) for c in command]) == 4
    said = capsys.readouterr()
    assert "internal fault" in said.err and "please report" in said.err and said.err.count("\n") == 1
    assert not out.exists() and "proved" not in said.out and "refuted" not in said.out


@pytest.mark.usefixtures("broken")
def test_it_can_be_left_out(sheet: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["derive", sheet, "--no-check", "--format", "json"]) == 0
    assert "Checked without formulas" not in capsys.readouterr().out


@pytest.mark.usefixtures("broken")
@pytest.mark.parametrize("use", [
    lambda d: d.compile(), lambda d: sn.check("2*w", d, wrt="w"), lambda d: sn.report(d), lambda d: sn.export(d, "jax"),
    lambda d: sn.check_code(lambda w: 2 * w, d), lambda d: d.check()],
    ids=["compile", "check", "report", "export", "check_code", "check()"])
def test_from_python_too(use: Any) -> None:
    d = sn.derive(sn.program("L = w**2"), wrt=["w"])
    with pytest.raises(FaultError, match="please report"):
        use(d)


def test_a_right_derivation_is_not_stopped(sheet: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["derive", sheet, "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["gradients"]["w"]["value"]
    assert main(["check", sheet]) == 0
