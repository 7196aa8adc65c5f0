"""Story -> one HTML page: MathML, an embedded font, no network, no script."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from symnet.reports.document import Formula, Level, Link, Picture, Rich, StepView, Story, Table
from symnet.reports.loading import environment, read, read_bytes
from symnet.reports.mathml import to_mathml


def write_html(story: Story) -> str:
    """The page. All text is escaped by the template; formulas pass the strict MathML wrapper."""
    from markupsafe import Markup, escape

    def rich(pieces: Rich) -> Any:
        return Markup("").join(_sentence(pieces, Markup, escape))

    def formula(f: Formula) -> Any:
        return Markup(_math(f.latex, True))

    page = environment("html").get_template("report.html.j2")
    return str(page.render(
        story=story, rich=rich, formula=formula, kind=_kind, css=Markup(read("report.css")), font=_font(),
        svg=lambda p: Markup(p.svg), open_why=story.level is Level.BEGINNER, copy=_copy))


def _sentence(pieces: Rich, markup: Any, escape: Any) -> Iterator[Any]:
    """The pieces; a comma or full stop after a formula stays on its line."""
    left = ""
    for k, piece in enumerate(pieces):
        after = pieces[k + 1] if k + 1 < len(pieces) else ""
        stop = after[0] if isinstance(after, str) and after[:1] in (",", ".", ";", ":") else ""
        shown = _piece(piece[len(left):] if isinstance(piece, str) else piece, markup, escape)
        left = stop if not isinstance(piece, str) else ""
        yield markup(f'<span class="together">{shown}{left}</span>') if left else shown


def _piece(piece: str | Formula | Link, markup: Any, escape: Any) -> Any:
    if isinstance(piece, str):
        return escape(piece)
    if isinstance(piece, Link):
        return markup(f'<a href="#{piece.anchor}">{_math(piece.formula.latex, False)}</a>')
    return markup(_math(piece.latex, False))


def _math(latex: str, display: bool) -> str:
    return to_mathml(latex, display) if latex.strip() else ""


def _kind(block: object) -> str:
    if isinstance(block, StepView):
        return "step"
    return "table" if isinstance(block, Table) else "picture" if isinstance(block, Picture) else "text"


def _copy(step: StepView) -> str:
    """The LaTeX of a step, for copying."""
    return "\n".join(s.formula.latex.strip() for s in step.stages if s.formula.latex)


@lru_cache(maxsize=1)
def _font() -> str:
    try:
        return base64.b64encode(read_bytes("fonts/symnet-math.woff2")).decode("ascii")
    except FileNotFoundError:
        return ""
