"""symnet check PAGE: every line of a worked page, judged."""

from __future__ import annotations

import json
from argparse import Namespace
from pathlib import Path

from symnet.errors import WorksheetError


def check_page(file: str, options: Namespace) -> int:
    """A Markdown or text page against the worksheet it works out."""
    from symnet.checking.errata import judge_page
    from symnet.loading import load

    try:
        page = Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise WorksheetError(file, getattr(error, "strerror", None) or "not a text file", "a page of worked lines") from None
    found = judge_page(page, load(options.worksheet))
    undecided = [j for j in found.judged if j.mark.value == "undecided"]
    if options.format == "json":
        rows = [{"line": j.line, "name": j.name, "printed": j.printed, "mark": j.mark.value, "correct": j.correct, "value": j.value,
                 "slip": j.slip} for j in found.judged]
        print(json.dumps({"results": rows, "skipped": found.skipped}, indent=2, ensure_ascii=False))
    else:
        if str(found):
            print(found)
        for j in undecided:
            print(f"line {j.line}: undecided: {j.slip}")
        print(f"{len(found.judged)} claims: {len(found.right)} right, {len(found.wrong)} wrong, {len(undecided)} undecided; "
              f"{found.skipped} lines of prose passed over")
    return 1 if found.wrong else 3 if undecided or not found.judged else 0
