r"""An array of numbers as it is printed: [0.1, 0.2], [[1, 2], [3, 4]], (1, 2)^T, \begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}."""

from __future__ import annotations

import re

from symnet.checking.pages.chains import NUMBER, latex_link

MATRIX = re.compile(r"\\begin\{(?:[pbBv]?matrix|array)\}(?:\{[lcr|]*\})?(.*?)\\end\{(?:[pbBv]?matrix|array)\}", re.S)
TRANSPOSED = re.compile(r"\s*\^\s*\{?\s*(?:\\top|\\intercal|T|\\mathsf\{T\}|\\mathrm\{T\})\s*\}?\s*\Z|\.T\s*\Z")
AROUND = re.compile(r"\A(?:np\.array|numpy\.array|torch\.tensor|jnp\.array|array|tensor)\s*\((.*)\)\Z", re.S)
MOST_ROWS = 64

Rows = tuple[tuple[str, ...], ...]


def printed_rows(text: str) -> Rows | None:
    r"""The numbers row by row, a list without rows as one row; None for anything else than an array of numbers.

    >>> printed_rows("[[1, 2], [3, 4]]"), printed_rows(r"\left(0.5, -1\right)^{\top}")
    ((('1', '2'), ('3', '4')), (('0.5',), ('-1',)))
    >>> printed_rows(r"\begin{pmatrix} 1 & x \\ 3 & 4 \end{pmatrix}")
    """
    body = re.sub(r"\\left\s*(?=[(\[])|\\right\s*(?=[)\]])", "", text).strip().rstrip(".,;")
    turned = TRANSPOSED.search(body)
    body = body[:turned.start()].strip() if turned else body
    around = AROUND.match(body)
    body = around[1].strip() if around else body
    matrix = MATRIX.fullmatch(body)
    if matrix:
        rows = [re.split(r"(?<!\\)&", row) for row in re.split(r"\\\\(?:\s*\[[^\]]*\])?", matrix[1]) if row.strip()]
    elif body[:1] + body[-1:] in ("[]", "()") and len(body) > 2:
        inner = body[1:-1].strip()
        lists = re.findall(r"[\[(]([^\[\]()]*)[\])]", inner) if inner[:1] in ("[", "(") else inner.split(";")
        if inner[:1] in ("[", "(") and re.sub(r"[\[(][^\[\]()]*[\])]", "", inner).strip(" ,;\n"):
            return None
        rows = [re.split(r"\s*,\s*|\s+", row.strip().rstrip(",")) for row in lists if row.strip()]
    else:
        return None
    made = tuple(tuple(latex_link(cell) for cell in row) for row in rows)
    if not made or len(made) > MOST_ROWS or len({len(row) for row in made}) != 1 or not all(NUMBER.match(c) for row in made for c in row):
        return None
    if len(made) == len(made[0]) == 1 and body[0] == "(":
        return None  # (3) is a number
    return tuple(zip(*made, strict=True)) if turned else made
