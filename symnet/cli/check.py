"""symnet check: one worksheet, a page of worked lines, many worksheets at once, or a NumPy function. Each kind has its own file."""

from __future__ import annotations

import json
from argparse import Namespace
from pathlib import Path

from symnet.cli.code_options import refuse_code_options
from symnet.core.verdict import Answer


def check(options: Namespace) -> int:
    """symnet check: the look of FILE tells what is to be judged."""
    file, several = options.files[0], len(options.files) > 1 or Path(options.files[0]).is_dir()
    if ".py" in file and not several:
        from symnet.cli.check_code import check_code

        return check_code(file, options)
    refuse_code_options(options)
    if several or options.dask or options.output or options.format in ("csv", "html"):
        from symnet.cli.check_many import check_many

        return check_many(options)
    if Path(file).suffix.lower() not in (".toml", ""):  # a worksheet is judged in a process that loads everything while this one waits
        from symnet.parsing.page_files import PAGES

        if Path(file).suffix.lower() in PAGES:
            from symnet.cli.check_page import check_page

            return check_page(file, options)
    return check_sheet(file, options)


def check_sheet(file: str, options: Namespace) -> int:
    """The answers of one worksheet, in a process that can be killed: what goes wrong with one of them costs that one."""
    from symnet.batch.pool import Pool
    from symnet.cli.limits import limits_of

    with Pool(1, limits_of(options, many=False)) as pool:
        pool.start()  # it loads what it needs while this process does
        from symnet.batch.items import Source, text_of
        from symnet.batch.running import judge_all

        found = judge_all([Source(0, file, text_of(file))], pool)
    for o in found:
        if o.error is not None and (o.fault or o.result is None):
            raise o.error
    results = [o.result for o in found if o.result is not None]
    if options.format == "json":
        from symnet import __version__

        print(json.dumps({"version": __version__, "results": [r.as_json() for r in results]}, indent=2, ensure_ascii=False))
    else:
        for r in results:
            print(r)
    answers = {r.verdict.answer for r in results}
    return 1 if Answer.REFUTED in answers else 3 if Answer.UNDECIDED in answers else 0
