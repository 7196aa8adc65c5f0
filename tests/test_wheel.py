"""The wheel, installed in an empty environment, makes a report far from the source tree."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.slow


def run(*command: str | Path, cwd: Path) -> str:
    """The standard output of a command that has no way to see the source tree."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    done = subprocess.run([str(c) for c in command], cwd=cwd, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", place, ROOT, cwd=place)
    (made,) = place.glob("symnet-*.whl")
    return made


@pytest.fixture(scope="module")
def commands(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of a new environment that holds the wheel, and sees this environment's other packages last."""
    place = tmp_path_factory.mktemp("environment") / "venv"
    venv.EnvBuilder(system_site_packages=False, with_pip=False, symlinks=os.name != "nt").create(place)
    programs = place / ("Scripts" if os.name == "nt" else "bin")
    run(sys.executable, "-m", "pip", "--python", programs / "python", "--disable-pip-version-check", "install", "--no-index",
        "--no-deps", wheel, cwd=place)
    packages = Path(run(programs / "python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=place).strip())
    # A line in a .pth file only lengthens sys.path: an editable symnet in this environment stays out of sight.
    others = dict.fromkeys(sysconfig.get_path(kind) for kind in ("purelib", "platlib"))
    (packages / "dependencies.pth").write_text("\n".join(others) + "\n", encoding="utf-8")
    return programs


def names_in(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def test_the_wheel_carries_what_is_no_python(wheel: Path) -> None:
    names = names_in(wheel)
    wanted = [f"symnet/_templates/{p.relative_to(ROOT / 'templates')}" for p in (ROOT / "templates").rglob("*") if p.is_file()]
    wanted += [str(p.relative_to(ROOT)) for ending in ("*.toml", "*.txt") for p in (ROOT / "symnet").rglob(ending)]
    assert len(wanted) > 5
    assert sorted({*wanted, "symnet/py.typed"} - set(names)) == []


def test_the_wheel_carries_nothing_else(wheel: Path) -> None:
    assert {n.split("/")[0].split("-")[0] for n in names_in(wheel)} == {"symnet"}


def test_symnet_comes_from_the_new_environment(commands: Path, tmp_path: Path) -> None:
    found = run(commands / "python", "-c", "import symnet; print(symnet.__file__)", cwd=tmp_path).strip()
    assert Path(found).is_relative_to(commands.parent)


def test_the_installed_command_writes_a_report(commands: Path, tmp_path: Path) -> None:
    run(commands / "symnet", "report", "-o", "x.html", cwd=tmp_path)
    page = (tmp_path / "x.html").read_text(encoding="utf-8")
    assert page.lstrip().lower().startswith("<!doctype html>")
    assert "<math" in page
    assert [p.name for p in tmp_path.iterdir()] == ["x.html"]


def test_the_installed_command_knows_its_version(commands: Path, wheel: Path, tmp_path: Path) -> None:
    version = wheel.name.split("-")[1]
    assert run(commands / "python", "-c", "import symnet; print(symnet.__version__)", cwd=tmp_path).strip() == version
    asked = "import importlib.metadata as m; print(m.version('symnet'))"
    assert run(commands / "python", "-c", asked, cwd=tmp_path).strip() == version
