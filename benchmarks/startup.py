"""Cold start: `symnet report` to a written HTML file and `symnet check` of a worksheet, against `python -c "import sympy"` in one run.

    python benchmarks/startup.py

They take turns, five times each after one warm-up; the medians are compared. The limits are 4 and 2.5.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS, LIMITS = 5, {"report": 4.0, "check": 2.5}
SHEET = '''[symbols]
X = { shape = ["N", "d"] }
w = { shape = ["d"] }
y = { shape = ["N"] }
[program]
definitions = ["r = X @ w - y"]
objective = "sum(r**2)/N"
wrt = ["w"]
[[answers]]
id = "A1"
wrt = "w"
text = "(2/N) * X.T @ (X @ w - y)"
'''


def seconds(command: list[str], folder: str) -> float:
    """Wall time of one fresh process."""
    start = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> int:
    """Print the medians and their ratios; 1 when a ratio is over its limit."""
    with tempfile.TemporaryDirectory() as folder:
        page, sheet = Path(folder, "tmp.html"), Path(folder, "sheet.toml")
        sheet.write_text(SHEET, encoding="utf-8")
        commands = {"report": [sys.executable, "-m", "symnet", "report", "-o", str(page)],
                    "check": [sys.executable, "-m", "symnet", "check", str(sheet)],
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
    base, over = statistics.median(times["sympy"]), 0
    print(f"import sympy   {base:7.3f} s   median of {ROUNDS}: {' '.join(f'{t:.3f}' for t in times['sympy'])}")
    for name, limit in LIMITS.items():
        middle = statistics.median(times[name])
        ratio = middle / base
        over |= ratio > limit
        print(f"symnet {name:<7} {middle:7.3f} s   median of {ROUNDS}: {' '.join(f'{t:.3f}' for t in times[name])}\n"
              f"ratio          {ratio:7.2f}     limit {limit:.2f}: {'ok' if ratio <= limit else 'TOO SLOW'}")
    return int(over)


if __name__ == "__main__":
    sys.exit(main())
