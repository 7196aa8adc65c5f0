"""A false step is an internal fault: exit 4, one line, nothing written and no verdict built on it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
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


@pytest.fixture(scope="module")
def broken_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package with that fault, so that the processes that judge answers have it too."""
    package, there = Path(sn.__file__).parent, tmp_path_factory.mktemp("broken")
    shutil.copytree(package, there / "symnet", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(package.parent / "templates", there / "templates")
    file = there / "symnet" / "calculus" / "chain.py"
    source = file.read_text(encoding="utf-8")
    sound = "fold(use.factor, definition, right, use.sums)"
    assert sound in source
    file.write_text(source.replace(sound, sound + ".subs(sp.Integer(2), sp.S.One)"), encoding="utf-8")
    return there


@pytest.fixture
def sheet(tmp_path: Path) -> str:
    file = tmp_path / "sheet.toml"
    file.write_text(SHEET)
    return str(file)


COMMANDS = [["report", "SHEET", "-o", "OUT"], ["derive", "SHEET", "-o", "OUT"], ["derive", "SHEET", "--format", "numpy", "-o", "OUT"],
            ["derive", "(w**2 - 1)**2", "--wrt", "w", "-o", "OUT"], ["check", "SHEET"], ["check", "SHEET", "--format", "json"]]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: " ".join(c))
def test_a_false_step_stops_the_line(command: list[str], sheet: str, tmp_path: Path, broken_package: Path) -> None:
    out = tmp_path / "out.txt"
    words = [{"SHEET": sheet, "OUT": str(out)}.get(c, c) for c in command]
    ran = subprocess.run([sys.executable, "-m", "symnet", *words], capture_output=True, text=True, cwd=tmp_path, timeout=120,
                         env={**os.environ, "PYTHONPATH": str(broken_package)}, check=False)
    assert ran.returncode == 4, ran.stderr
    assert "internal fault" in ran.stderr and "please report" in ran.stderr and ran.stderr.count("\n") == 1
    assert not out.exists() and "proved" not in ran.stdout and "refuted" not in ran.stdout


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
