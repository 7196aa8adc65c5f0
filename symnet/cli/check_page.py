"""symnet check PAGE: every line of a worked page, judged."""

from __future__ import annotations

import json
from argparse import Namespace

from symnet.cli.limits import limits_of
from symnet.cli.page_words import page_json, page_text
from symnet.parsing.page_files import page_of_file


def check_page(file: str, options: Namespace) -> int:
    """A page in Markdown, text, LaTeX or a notebook against the worksheet in it, else against ``--worksheet``.

    Exit codes: 0 every claim is right, 1 something is wrong, 3 nothing is wrong but something is undecided or nothing is claimed.
    """
    from symnet import __version__
    from symnet.batch.limited import judge_page_within
    from symnet.worksheet_loader import load_worksheet

    page = page_of_file(file)
    found = judge_page_within(page, load_worksheet(options.worksheet), file, limits_of(options, many=False))
    if options.format == "json":
        print(json.dumps(page_json(found, __version__), indent=2, ensure_ascii=False))
    else:
        print("\n".join(page_text(found)))
    return 1 if found.wrong else 3 if found.undecided or not found.claims else 0
