r"""Files that hold a page of work, as Markdown: .md and .txt as they are, LaTeX documents and notebooks translated.

A LaTeX document keeps its line numbers: comments and what stands before \begin{document} are blank, a verbatim block is a fence (the
worksheet, where it begins with a table of one, else code), sections are headings. Of a notebook the Markdown cells are the page; code
cells are fences, which are passed over. Nothing is run.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from symnet.errors import WorksheetError
from symnet.parsing.files import text_of_file

PAGES = (".md", ".txt", ".tex", ".ipynb")
COMMENT = re.compile(r"(?<!\\)%.*")
VERBATIM = re.compile(r"\s*\\(begin|end)\{(?:verbatim|lstlisting|minted)\*?\}(?:\[[^\]]*\])?(?:\{\w*\})?")
HEADING = re.compile(r"\s*\\(?:part|chapter|section|subsection|subsubsection|paragraph)\*?\{(.*)\}")
SHEET = re.compile(r"\s*(?:\[(?:symbols|program)\]|title\s*=)")
LAYOUT = re.compile(r"\\(?:item|noindent|medskip|smallskip|bigskip|par)\b\s*"
                    r"|\\(?:begin|end)\{(?:itemize|enumerate|proof|center|quote|document|abstract)\}"
                    r"|\\(?:label|cref|eqref|ref|cite)\{[^{}]*\}")
# macros of layout: how many arguments, and which of them is read, 0 for none; symnet's own reports use the last four
MACROS = {"textbf": (1, 1), "emph": (1, 1), "textit": (1, 1), "underline": (1, 1), "hyperlink": (2, 2), "href": (2, 2),
          "hypertarget": (2, 2), "addlinespace": (0, 0), "stage": (1, 0), "fitted": (1, 1), "why": (1, 1), "step": (3, 3)}
MACRO = re.compile(rf"\\({'|'.join(MACROS)})(?![A-Za-z])(?:\[[^\]]*\])?")
RULES = re.compile(r"\\(?:toprule|midrule|bottomrule|hline|endhead|endfirsthead|endfoot)\b|\\c(?:line|midrule)(?:\([^)]*\))?\{[^{}]*\}")
TABLE = re.compile(r"\\(begin|end)\{(?:tabular|tabularx|longtable|array)\*?\}")
MATHS = re.compile(r"\$\$|\\[\[\]]|\\(?:begin|end)\{(?:align|equation|gather|eqnarray|multline)\*?\}")
MOST_CELLS = 10_000


def page_of_file(path: str) -> str:
    """The page of work in a file, as Markdown. Raises WorksheetError for what holds none."""
    ending = next((e for e in PAGES if path.lower().endswith(e)), "")
    source = text_of_file(path, "a page of worked lines")
    return notebook_page(source, path) if ending == ".ipynb" else latex_page(source) if ending == ".tex" else github_page(source)


def github_page(source: str) -> str:
    """Markdown with GitHub's inline maths, $`…`$, as $…$.

    >>> github_page("so $`dL/dw = x`$ holds")
    'so $dL/dw = x$ holds'
    """
    return re.sub(r"\$`([^`\n]*)`\$", r"$\1$", source)


def latex_page(source: str) -> str:
    r"""A LaTeX document as Markdown, line by line.

    >>> latex_page("\\begin{document}\n\\section{Mine} % really\nSo \\(z = w x\\).\n\\end{document}\nrest")
    '\n# Mine\nSo $z = w x$.\n\n'
    """
    lines = source.split("\n")
    start = next((k for k, t in enumerate(lines) if r"\begin{document}" in COMMENT.sub("", t)), None)
    end = next((k for k, t in enumerate(lines) if r"\end{document}" in COMMENT.sub("", t)), len(lines))
    made, literal, table = list[str](), False, False
    for k, line in enumerate(lines):
        if (start is not None and k <= start) or k >= end:
            made.append("")
            continue
        fence = VERBATIM.match(line)
        edge = TABLE.search(line)
        if fence:
            literal = fence[1] == "begin"
            inside = "\n".join(lines[k + 1:k + 20])
            made.append("```" + (("toml" if SHEET.match(inside.lstrip()) else "code") if literal else ""))
        elif literal:
            made.append(line)
        elif edge and not MATHS.search(line) and "$" not in line:
            table = edge[1] == "begin"
            made.append("")
        elif table:
            made.append(_table_line(COMMENT.sub("", line)))
        else:
            made.append(_latex_line(COMMENT.sub("", line)))
    return "\n".join(made)


def _latex_line(line: str) -> str:
    heading = HEADING.match(line)
    if heading:
        return f"# {heading[1]}"
    return LAYOUT.sub("", without_layout(re.sub(r"\\\((.*?)\\\)", r"$\1$", line))).rstrip()


def _table_line(line: str) -> str:
    r"""A row of a table in LaTeX as one in Markdown; the signs & of a matrix in a cell are not those of the table."""
    body = RULES.sub(" ", _latex_line(line)).strip()
    if not body:
        return "| --- |" if RULES.search(line) else ""
    body = re.sub(r"\\\\(?:\s*\[[^\]]*\])?\s*\Z", "", body)
    ends = [m.start() for m in re.finditer(r"(?<!\\)&", body) if body.count(r"\begin{", 0, m.start()) == body.count(r"\end{", 0, m.start())]
    return "| " + " | ".join(body[a + 1:b].strip() for a, b in zip([-1, *ends], [*ends, len(body)], strict=True)) + " |"


def without_layout(text: str) -> str:
    r"""The text without macros of layout: of each the argument that is read.

    >>> without_layout(r"\stage{value}\fitted{z = \frac{1}{2}} \textbf{so}")
    'z = \\frac{1}{2} so'
    """
    at = 0
    while (macro := MACRO.search(text, at)) is not None:
        count, kept = MACROS[macro[1]]
        ends, end = list[tuple[int, int]](), macro.end()
        for _ in range(count):
            close = _closing(text, end)
            if close < 0:
                break
            ends.append((end + 1, close))
            end = close + 1
        inside = text[slice(*ends[kept - 1])] if kept and len(ends) == count else ""
        text, at = text[:macro.start()] + inside + text[end:], macro.start()
    return text


def _closing(text: str, start: int) -> int:
    """Where the brace that opens at ``start`` closes, -1 where none opens or closes."""
    depth = 0
    for k in range(start, len(text) if text[start:start + 1] == "{" else start):
        depth += (text[k] == "{") - (text[k] == "}")
        if depth == 0 and text[k - 1:k] != "\\":
            return k
    return -1


def notebook_page(source: str, path: str) -> str:
    """The cells of a notebook one after another: Markdown as it is, code between fences.

    >>> notebook_page('{"cells": [{"cell_type": "markdown", "source": ["z = 1"]}, {"cell_type": "code", "source": "f(z)"}]}', "a.ipynb")
    'z = 1\\n\\n```python\\nf(z)\\n```\\n'
    """
    try:
        cells = json.loads(source)["cells"]
        return "\n".join(_cells(cells))
    except (ValueError, KeyError, TypeError, RecursionError):
        raise WorksheetError(path, "no notebook", "a notebook of format 4: a JSON object with its cells") from None


def _cells(cells: Any) -> Iterator[str]:
    if not isinstance(cells, list) or len(cells) > MOST_CELLS:
        raise TypeError
    for cell in cells:
        source = cell["source"]
        text = "".join(source) if isinstance(source, list) else source
        if not isinstance(text, str):
            raise TypeError
        if cell["cell_type"] == "markdown":
            yield github_page(text) + "\n"
        else:
            yield f"```python\n{text.replace('```', '` ` `')}\n```\n"
