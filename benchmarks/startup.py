"""Cold start: `symnet report` to a written HTML file, against `python -c "import sympy"` in the same run.

    python benchmarks/startup.py

The two take turns, five times each after one warm-up; the medians are compared. The limit is 4.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS, LIMIT = 5, 4.0


def seconds(command: list[str], folder: str) -> float:
    """Wall time of one fresh process."""
    start = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> int:
    """Print both medians and their ratio; 1 when the ratio is over the limit."""
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder, "tmp.html")
        commands = {"report": [sys.executable, "-m", "symnet", "report", "-o", str(page)],
                    "sympy": [sys.executable, "-c", "import sympy"]}
        times: dict[str, list[float]] = {name: [] for name in commands}
        for round_ in range(ROUNDS + 1):
            for name, command in commands.items():
                page.unlink(missing_ok=True)
                taken = seconds(command, folder)
                if name == "report" and not page.stat().st_size:
                    raise SystemExit("startup: the report is empty")
                if round_:  # the first round fills the file cache
                    times[name].append(taken)
    report, sympy = (statistics.median(times[name]) for name in ("report", "sympy"))
    ratio = report / sympy
    print(f"symnet report  {report:7.3f} s   median of {ROUNDS}: {' '.join(f'{t:.3f}' for t in times['report'])}")
    print(f"import sympy   {sympy:7.3f} s   median of {ROUNDS}: {' '.join(f'{t:.3f}' for t in times['sympy'])}")
    print(f"ratio          {ratio:7.2f}     limit {LIMIT:.2f}: {'ok' if ratio <= LIMIT else 'TOO SLOW'}")
    return int(ratio > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
