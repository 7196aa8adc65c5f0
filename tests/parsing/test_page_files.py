"""Pages in LaTeX documents and notebooks: the same lines are judged as in Markdown; hostile files are one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from symnet.batch.items import sources
from symnet.cli.main import main
from symnet.errors import SymnetError
from symnet.parsing.page_files import latex_page, page_of_file

SHEET = '[symbols]\nw = { value = "2" }\nx = { value = "3" }\ny = { value = "1" }\n[program]\ndefinitions = ["z = w*x", "L = (z - y)**2"]\nwrt = ["w"]'
MARKDOWN = f"```toml\n{SHEET}\n```\n\n$z = w x$ and so\n\n$$\\frac{{\\partial L}}{{\\partial w}} = 2(z - y)x$$\n\n$`dL/dz = 2(z - y)`$\n\ndL/dw = (z - y)*x\n"
LATEX = "\\documentclass{article}\n\\newcommand{\\q}{dL/dw = 7} % not a line\n\\begin{document}\n\\begin{verbatim}\n" + SHEET + r"""
\end{verbatim}
\section{The slope}
So \(z = w x\), and % dL/dw = 5
\begin{align*}
  \frac{\partial L}{\partial w} &= 2(z - y)x \label{eq:w}
\end{align*}
\[ \frac{\partial L}{\partial z} = 2(z - y) \]
\begin{itemize}
\item $\frac{\partial L}{\partial w} = (z - y) x$
\end{itemize}
\end{document}
$\frac{\partial L}{\partial w} = 9$
"""


def notebook(*cells: tuple[str, str]) -> str:
    return json.dumps({"nbformat": 4, "cells": [{"cell_type": kind, "source": text.splitlines(keepends=True)} for kind, text in cells]})


def judged(path: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str]]:
    code = main(["check", str(path), "--format", "json"])
    return code, [r["verdict"] for r in json.loads(capsys.readouterr().out)["results"]]


def test_three_ways_of_writing_one_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, text in {"a.md": MARKDOWN, "b.tex": LATEX,
                       "c.ipynb": notebook(("markdown", MARKDOWN), ("code", "dL_dw = 8\nraise SystemExit(9)"))}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
        code, verdicts = judged(tmp_path / name, capsys)
        assert code == 1 and [v == "refuted" for v in verdicts] == [False, False, False, True], (name, verdicts)
        assert set(verdicts) <= {"proved", "almost_everywhere", "refuted"}


def test_a_document_keeps_its_line_numbers() -> None:
    assert len(latex_page(LATEX).split("\n")) == len(LATEX.split("\n"))


def test_folders_take_all_pages(tmp_path: Path) -> None:
    for name in ("a.md", "b.tex", "c.ipynb", "d.docx"):
        (tmp_path / name).write_text(notebook(("markdown", "z = 1")) if name.endswith("ipynb") else "z = 1", encoding="utf-8")
    assert [Path(s.name).name for s in sources([str(tmp_path)])] == ["a.md", "b.tex", "c.ipynb"]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"cells": 3}', '{"cells": [1]}', '{"cells": [{"source": 3, "cell_type": "markdown"}]}', "[" * 100_000,
                                  '{"cells": [{"cell_type": "markdown"}]}', "\x00", '{"cells": ' + json.dumps([{}] * 10_001) + "}"])
def test_what_is_no_notebook_is_said_in_one_line(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.ipynb").write_text(text, encoding="utf-8")
    with pytest.raises(SymnetError) as caught:
        page_of_file(str(tmp_path / "a.ipynb"))
    assert "no notebook" in str(caught.value) and "\n" not in str(caught.value)


def test_code_cannot_leave_its_fence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.ipynb").write_text(notebook(("markdown", MARKDOWN), ("code", "```\ndL/dw = 8\n```")), encoding="utf-8")
    assert len(judged(tmp_path / "a.ipynb", capsys)[1]) == 4
