"""symnet check: one worksheet, a page of worked lines, many worksheets at once, or a NumPy function. Each kind has its own file."""

from __future__ import annotations

import json
from argparse import Namespace
from pathlib import Path

from symnet.core.verdict import Answer


def check(options: Namespace) -> int:
    """symnet check: the look of FILE tells what is to be judged."""
    file, several = options.files[0], len(options.files) > 1 or Path(options.files[0]).is_dir()
    if ".py" in file and not several:
        from symnet.cli.check_code import check_code

        return check_code(file, options)
    if several or options.dask or options.output or options.format in ("csv", "html"):
        from symnet.cli.check_many import check_many

        return check_many(options)
    if Path(file).suffix.lower() in (".md", ".txt"):
        from symnet.cli.check_page import check_page

        return check_page(file, options)
    return check_sheet(file, options)


def check_sheet(file: str, options: Namespace) -> int:
    """The answers of one worksheet."""
    from symnet.loading import check_worksheet, load_worksheet

    results = check_worksheet(load_worksheet(file), file)
    if options.format == "json":
        from symnet import __version__

        print(json.dumps({"version": __version__, "results": [r.as_json() for r in results]}, indent=2, ensure_ascii=False))
    else:
        for r in results:
            print(r)
    answers = {r.verdict.answer for r in results}
    return 1 if Answer.REFUTED in answers else 3 if Answer.UNDECIDED in answers else 0
