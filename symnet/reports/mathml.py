"""LaTeX to MathML for HTML pages, strictly: what is not in symnet's own tables raises, and nothing reaches the page unescaped.

``mathml_input`` checks the LaTeX and takes the symbols out, latex2mathml lays out the rest, ``mathml_tree`` rebuilds it.
"""

from __future__ import annotations

from functools import lru_cache
from html import escape

from symnet.reports.mathml_input import Reader
from symnet.reports.mathml_tree import build, space, write
from symnet.reports.mathml_words import refused


@lru_cache(maxsize=4096)
def to_mathml(latex: str, display: bool = True) -> str:
    r"""The ``<math>`` element of ``latex``, which must be in the form that symnet prints; the LaTeX is kept as annotation.

    >>> to_mathml("-z", display=False)[:75]
    '<math><semantics><mrow><mo form="prefix" lspace="0" rspace="0">−</mo><mi>z<'
    >>> to_mathml(r"\href{x}{y}")
    Traceback (most recent call last):
    symnet.errors.UnknownNodeError: LaTeX, position 1: unknown command \href; expected a command that symnet prints
    """
    reader = Reader(latex)
    from latex2mathml.converter import convert_to_element  # a tenth of a second: only when a page is made

    try:
        math = convert_to_element(reader.plain, display="block")
    except Exception as error:  # it has a dozen error classes of its own, all of them directly under Exception
        raise refused(1, f"not understood ({type(error).__name__})") from error
    tree = build(math[0], reader.leaves)
    space(tree)
    block = ' display="block"' if display else ""
    note = f'<annotation encoding="application/x-tex">{escape(latex, quote=False)}</annotation>'
    return f"<math{block}><semantics>{write(tree)}{note}</semantics></math>"
