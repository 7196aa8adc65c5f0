"""A finished report: its story, and a writer for each format. A file is written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from symnet.core.short_forms import cut
from symnet.core.signatures import checked
from symnet.errors import OptionError, did_you_mean, shown
from symnet.reports.document import Story

FORMATS = ("html", "text", "latex", "pdf", "json", "md")
ENDINGS = {".html": "html", ".htm": "html", ".txt": "text", ".tex": "latex", ".pdf": "pdf", ".json": "json", ".md": "md"}


def format_of(path: str | Path | None, format: str | None) -> str:
    """The format asked for: by name, else by the file's ending, else HTML."""
    if format is not None:
        if format not in FORMATS:
            raise OptionError("format", shown(format), "one of " + ", ".join(FORMATS), did_you_mean(format, FORMATS))
        return format
    ending = Path(path).suffix.lower() if path is not None else ".html"
    if ending not in ENDINGS:
        raise OptionError("output", f"the ending {ending!r}", "one of " + ", ".join(ENDINGS), "--format html")
    return ENDINGS[ending]


def write_whole(path: Path, content: bytes) -> Path:
    """Write a file by way of a temporary one beside it: whole, or not at all. Raises OptionError when the place cannot be written."""
    name = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".symnet-", suffix=path.suffix)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(name, 0o644)
        os.replace(name, path)
    except OSError as error:
        if name is not None:
            Path(name).unlink(missing_ok=True)
        raise OptionError(f"output {path}", error.strerror or "cannot be written", "a place that can be written") from None
    return path


@dataclass(frozen=True)
class Report:
    """A report that can be written in any format; notebooks show it by its mimebundle.

    >>> import symnet as sn
    >>> made = sn.report(sn.derive(sn.program("L = (w*x - y)**2"), wrt="w"))
    >>> made.text().splitlines()[0], made.html().startswith("<!")
    ('A derivation', True)
    """

    story: Story

    def __repr__(self) -> str:
        said = f"Report: {self.story.title}, {len(self.story.sections)} sections"
        return "\n".join([cut(said), "  report.write(path, format), with the format one of", "  " + ", ".join(FORMATS)])

    def html(self) -> str:
        """One self-contained page."""
        from symnet.reports.html import write_html

        return write_html(self.story)

    def latex(self) -> str:
        """A document for pdflatex."""
        from symnet.reports.latex_writer import write_latex

        return write_latex(self.story)

    @checked
    def text(self, width: int = 88) -> str:
        """Plain text."""
        if not 20 <= width <= 1000:
            raise OptionError("width", shown(width), "a whole number from 20 to 1000")
        from symnet.reports.plain import write_text

        return write_text(self.story, width)

    def markdown(self) -> str:
        """Markdown with formulas between dollar signs."""
        from symnet.reports.plain import write_markdown

        return write_markdown(self.story)

    def json(self) -> str:
        """The data of the report."""
        import json

        return json.dumps(self.story.data, indent=2, ensure_ascii=False) + "\n"

    @checked
    def as_format(self, format: str) -> str:
        """The text in one of the text formats."""
        texts = {"html": self.html, "latex": self.latex, "text": self.text, "md": self.markdown, "json": self.json}
        if format not in texts:
            raise OptionError("format", shown(format), "one of " + ", ".join(texts), did_you_mean(format, texts))
        return texts[format]()

    @checked
    def write(self, path: Path, format: str) -> Path:
        """Write to a file, whole or not at all. Raises OptionError when the place cannot be written."""
        if format == "pdf":
            from symnet.reports.pdf import make_pdf

            content = make_pdf(self.latex())
        else:
            content = self.as_format(format).encode("utf-8")
        return write_whole(path, content)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        markdown = self.markdown()
        return {"text/markdown": markdown, "text/plain": self.text()}
