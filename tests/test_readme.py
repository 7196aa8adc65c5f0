"""What the README says is what the code does."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from symnet.cli.main import main

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_python_example_prints_what_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README, re.S)
    exec(compile(code, "README.md", "exec"), {})
    wanted = [line.split("# ", 1)[1].split(":")[0].strip() if "True:" in line else line.split("# ", 1)[1].strip()
              for line in code.splitlines() if line.startswith("print(")]
    printed = capsys.readouterr().out.splitlines()
    for found, said in zip(printed, wanted, strict=True):
        assert said.startswith(found), (found, said)


def test_the_worksheet_is_one_and_its_answer_is_right() -> None:
    from symnet.parsing.worksheet import parse_worksheet
    from symnet.worksheet_loader import check_worksheet

    sheet = re.findall(r"```toml\n(.*?)```", README, re.S)[0]
    (result,) = check_worksheet(parse_worksheet(sheet))
    assert result.verdict.holds


(HOMEWORK,) = re.findall(r"````markdown\n(.*?)````", README, re.S)
(MODEL,) = re.findall(r"```py\n(.*?)```", README, re.S)


def test_the_page_of_work_is_judged_as_the_readme_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "homework.md").write_text(HOMEWORK, encoding="utf-8")
    assert main(["check", str(tmp_path / "homework.md")]) == 1
    said = capsys.readouterr().out
    assert "it is -0.106" in said and "follows from your line 13" in said and "1 in itself, 1 that follows" in said


def test_the_numpy_code_is_judged_as_the_readme_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, code, exit_code in (("right", MODEL, 0), ("wrong", MODEL.replace(" / len(X)", ""), 1)):
        (tmp_path / f"{name}.py").write_text(code, encoding="utf-8")
        assert main(["check", f"{tmp_path / name}.py:backward", "--worksheet", "softmax-regression"]) == exit_code
        assert ("conditional" if exit_code == 0 else "refuted (entry [0, 0]") in capsys.readouterr().out


def test_the_pytorch_function_is_judged_as_the_readme_says(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("torch")
    (code,) = re.findall(r"```python3\n(.*?)```", README, re.S)
    exec(compile(code, "README.md", "exec"), {"__name__": "readme"})
    wanted = [line.removeprefix("# ").removesuffix("...") for line in code.splitlines() if line.startswith("# ")]
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == len(wanted) and all(p.startswith(w) for p, w in zip(printed, wanted, strict=True)), printed


COMMANDS = [line.split("#")[0].strip() for block in re.findall(r"```sh\n(.*?)```", README, re.S) for line in block.splitlines()
            if line.startswith("symnet ")]


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_runs(command: str, tmp_path: Path) -> None:
    (tmp_path / "my.toml").write_text(re.findall(r"```toml\n(.*?)```", README, re.S)[0], encoding="utf-8")
    (tmp_path / "homework.md").write_text(HOMEWORK, encoding="utf-8")
    (tmp_path / "model.py").write_text(MODEL, encoding="utf-8")
    (tmp_path / "answers").mkdir()
    (tmp_path / "answers" / "anna.toml").write_text((tmp_path / "my.toml").read_text(encoding="utf-8"), encoding="utf-8")
    done = subprocess.run([sys.executable, "-m", *shlex.split(command)], cwd=tmp_path, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == (1 if "adam" in command or "homework" in command else 0), done.stderr


def test_links_and_pictures_exist() -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / link).exists(), link
