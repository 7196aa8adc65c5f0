"""symnet check PAGE: every line of a worked page, judged."""

from __future__ import annotations

import json
from argparse import Namespace
from pathlib import Path

from symnet.cli.page_words import page_json, page_text
from symnet.errors import WorksheetError

LIMIT = 1_000_000  # bytes; a page, not a book


def check_page(file: str, options: Namespace) -> int:
    """A Markdown or text page against the worksheet in it, else against ``--worksheet``.

    Exit codes: 0 every claim is right, 1 something is wrong, 3 nothing is wrong but something is undecided or nothing is claimed.
    """
    from symnet import __version__
    from symnet.loading import check_page as judge

    found = judge(_text(file), options.worksheet, file)
    if options.format == "json":
        print(json.dumps(page_json(found, __version__), indent=2, ensure_ascii=False))
    else:
        print("\n".join(page_text(found)))
    return 1 if found.wrong else 3 if found.undecided or not found.claims else 0


def _text(file: str) -> str:
    try:
        if Path(file).stat().st_size > LIMIT:
            raise WorksheetError(file, "a file of more than 1 MB", "a page of worked lines")
        return Path(file).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise WorksheetError(file, getattr(error, "strerror", None) or "not a text file", "a page of worked lines") from None
