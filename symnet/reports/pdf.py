"""LaTeX -> PDF with the pdflatex of the machine, in a folder of its own, without shell access."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from symnet.errors import MissingToolError

SECONDS = 120


def make_pdf(source: str) -> bytes:
    """The PDF of a document. Raises MissingToolError when there is no pdflatex or when it fails."""
    tool = shutil.which("pdflatex")
    if tool is None:
        raise MissingToolError("pdf", "pdflatex is not installed", "a TeX with pdflatex",
                               "apt install texlive-latex-recommended, or --format html and print from a browser")
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "report.tex").write_text(source, encoding="utf-8")
        command = [tool, "-no-shell-escape", "-interaction=nonstopmode", "-halt-on-error", "report.tex"]
        for _ in range(2):  # the second run sets the references
            try:
                done = subprocess.run(command, cwd=folder, capture_output=True, timeout=SECONDS, check=False)
            except subprocess.TimeoutExpired:
                raise MissingToolError("pdf", f"pdflatex took more than {SECONDS} seconds", "a shorter report") from None
            if done.returncode:
                log = done.stdout.decode("utf-8", "replace")
                line = next((x for x in log.splitlines() if x.startswith("!")), "pdflatex failed")
                raise MissingToolError("pdf", line, "a LaTeX with amsmath, amssymb, booktabs, longtable, xcolor, hyperref",
                                       "apt install texlive-latex-recommended")
        return (Path(folder) / "report.pdf").read_bytes()
