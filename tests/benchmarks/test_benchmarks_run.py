"""Every benchmark runs and prints its table. What it measured is not judged: no test depends on the machine's speed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
QUICK = {
    "derivation": ("MLP: seconds", "MLP: size", "Whole networks"),
    "doors": ("Milliseconds from the question to the answer", "What one answer costs"),
    "verdicts": ("Milliseconds of one verdict", "judged a second"),
    "equality": ("Median ms to a verdict", "named intermediates"),
    "training": ("Whole fits",),
    "steps": ("A step relative to hand-written NumPy",),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", QUICK)
def test_a_benchmark_prints_its_tables(name: str) -> None:
    shown = subprocess.run([sys.executable, str(ROOT / "benchmarks" / f"{name}.py"), "--quick"], capture_output=True, text=True,
                           env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=300)
    assert shown.returncode == 0, shown.stderr[-2000:]
    assert all(title in shown.stdout for title in QUICK[name])
    tables = [line for line in shown.stdout.splitlines() if line.startswith("| ")]
    assert len(tables) > len(QUICK[name]) and len({line.count("|") for line in tables}) <= len(QUICK[name])
    assert "failed" not in shown.stdout


@pytest.mark.slow
def test_equality_judges_rightly() -> None:
    """symnet's own verdicts in the table: as many right as there are pairs."""
    shown = subprocess.run([sys.executable, str(ROOT / "benchmarks" / "equality.py"), "--quick"], capture_output=True, text=True,
                           env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=300)
    rows = [[c.strip() for c in line.strip("|").split("|")] for line in shown.stdout.splitlines() if line.startswith("| ")]
    judged = [row for row in rows if row[1:2] and row[1] in ("right", "wrong")]
    assert len(judged) == 8
    assert all(row[3].endswith(f"({row[2]})") for row in judged)


@pytest.mark.slow
def test_a_peer_that_is_missing_is_named() -> None:
    """A system that cannot be imported gives the words "not installed", not a fault."""
    script = "import sys, runpy; sys.modules['casadi'] = None; sys.argv = ['peers.py', 'casadi', '8', '2', '1']; " \
             f"sys.path.insert(0, {str(ROOT / 'benchmarks')!r}); runpy.run_path({str(ROOT / 'benchmarks' / 'peers.py')!r}, run_name='__main__')"
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert (shown.returncode, shown.stdout.strip()) == (0, "not installed"), shown.stderr[-2000:]
