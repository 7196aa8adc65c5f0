"""symnet check FILES -j N: many worksheets and pages at once.

Exit codes: 2 some file was unusable (the others were judged), else 1 an answer is wrong, else 3 one is undecided, else 0.
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from symnet.batch.items import Source, passed_over, sources, text_of
from symnet.batch.pool import Pool, Runs
from symnet.batch.progress import Progress
from symnet.batch.running import judge_all
from symnet.batch.summary import Summary, summary
from symnet.batch.tasks import Limits
from symnet.cli.limits import limits_of
from symnet.errors import OptionError, one_line

ENDINGS = {".txt": "text", ".json": "json", ".csv": "csv", ".html": "html", ".htm": "html"}
PAGE = Path("output") / "class-report.html"  # where an HTML report goes that has no place of its own


def check_many(options: Namespace) -> int:
    """Every answer of every file, a summary at the end."""
    limits = limits_of(options)
    place, how = _place(options)
    files = sources(options.files)
    against = Source(-1, options.worksheet, text_of(options.worksheet)) if any(f.page for f in files) else None
    with Progress() as progress, _runs(options, limits) as runs:
        found = summary(judge_all(files, runs, against, progress.watch))
        unlimited = isinstance(runs, Pool) and not runs.memory_is_limited
    others = passed_over(options.files)
    if others:
        some = ", ".join(others[:5]) + (", …" if len(others) > 5 else "")
        print(f"symnet: {len(others)} other files were passed over: {one_line(some)}" if len(others) > 1 else
              f"symnet: one other file was passed over: {one_line(some)}", file=sys.stderr)
    if unlimited:
        print("symnet: this system sets no limit on memory; --memory had no effect", file=sys.stderr)
    _write(found, place, how)
    return found.exit_code


def _place(options: Namespace) -> tuple[Path | None, str]:
    """Where the summary goes and in which format; None is standard output."""
    ending = Path(options.output).suffix.lower() if options.output not in (None, "-") else ""
    how = options.format or ENDINGS.get(ending)
    if how is None:
        if ending:
            raise OptionError("output", f"the ending {ending!r}", "one of " + ", ".join(ENDINGS), "--format csv")
        how = "text"
    if options.output == "-":
        return None, how
    if options.output:
        return Path(options.output), how
    return (PAGE if how == "html" else None), how


@contextmanager
def _runs(options: Namespace, limits: Limits) -> Iterator[Runs]:
    if options.dask:
        from symnet.batch.dask_pool import DaskPool

        with DaskPool(options.dask, limits) as cluster:
            yield cluster
    else:
        with Pool(options.jobs, limits) as pool:
            yield pool


def _write(found: Summary, place: Path | None, how: str) -> None:
    from symnet.batch import writing

    if how == "json":
        from symnet import __version__

        text = writing.write_json(found, __version__)
    elif how == "html":
        from symnet.batch.page import write_html

        text = write_html(found)
    else:
        text = writing.write_csv(found) if how == "csv" else writing.write_text(found)
    if place is None:
        sys.stdout.write(text)
        return
    from symnet.reports.report import write_whole

    write_whole(place, text.encode("utf-8"))
    print(f"symnet: wrote {place}\nsymnet: {found}", file=sys.stderr)
