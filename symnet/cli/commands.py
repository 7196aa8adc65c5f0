"""What each command does. Data goes to standard output, talk to standard error."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from typing import Any

from symnet.errors import OptionError


def say(text: str) -> None:
    """Talk."""
    print(text, file=sys.stderr)


def report(options: Namespace) -> int:
    """symnet report."""
    from symnet.worksheet_loader import load

    derivation = load(options.worksheet, options.check)
    if options.seed is not None and derivation.meta.get("training"):
        derivation = replace(derivation, meta={**derivation.meta, "training": {**derivation.meta["training"], "seed": options.seed}})
    return _tell(derivation, options, options.worksheet, theorem=True)


def _tell(derivation: Any, options: Namespace, source: str, theorem: bool) -> int:
    """Make the report and put it where the options say."""
    from symnet.case_builder import report as tell
    from symnet.reports.report import format_of

    path = _place(options, source)
    how = format_of(path, options.format)
    made = tell(derivation, level=options.level, digits=options.digits, format=how, theorem=theorem, notation=options.notation,
                samples=options.samples, check=options.check)
    if path is None:
        sys.stdout.write(made.as_format(how))
        return 0
    made.write(path, how)
    say(f"symnet: wrote {path}")
    if getattr(options, "open", False):
        import webbrowser

        webbrowser.open(path.resolve().as_uri())
    return 0


def _place(options: Namespace, source: str) -> Path | None:
    """Where the report goes: -o, else output/NAME.html for pages; None is standard output."""
    if options.output == "-":
        if options.format in (None, "pdf"):
            raise OptionError("output", "- without a text format", "--format text, md, latex, json or html")
        return None
    if options.output:
        return Path(options.output)
    if options.format in ("text", "md", "json", "latex"):
        return None
    ending = "pdf" if options.format == "pdf" else "html"
    name = "".join(c for c in Path(source).stem if c.isalnum() or c in "-_")[:60] or "report"
    return Path("output") / f"{name}.{ending}"


def derive(options: Namespace) -> int:
    """symnet derive."""
    derivation = _derivation(options)
    if options.order == 2:
        from symnet.calculus.jacobian import hessian
        from symnet.worksheet_loader import with_values

        second = hessian(derivation, derivation.wrt[0], derivation.wrt[-1])
        derivation = with_values(second, {}, {**derivation.meta, "learning_rate": None, "sizes": {}})
    if options.format in ("numpy", "jax", "torch"):
        from symnet.frontends.export import export

        return _write_source(export(derivation, options.format, check=options.check), options.output)
    if options.format is None and options.output is None:
        options.format = "text"
    return _tell(derivation, options, "derivation", theorem=False)


def _write_source(source: str, output: str | None) -> int:
    """A module, to standard output or into a file."""
    if output in (None, "-"):
        sys.stdout.write(source)
    else:
        from symnet.reports.report import write_whole

        write_whole(Path(str(output)), source.encode("utf-8"))
        say(f"symnet: wrote {output}")
    return 0


def _derivation(options: Namespace) -> Any:
    from symnet.cli.expressions import from_expression
    from symnet.worksheet_loader import derivation_of, load_worksheet
    from symnet.worksheets.builtin import names

    if options.what.endswith(".toml") or options.what in names():
        sheet = load_worksheet(options.what)
        sheet = replace(sheet, errata=None, training=None, wrt=tuple(options.wrt) if options.wrt else sheet.wrt)
        return derivation_of(sheet, options.what, options.check)
    return from_expression(options.what, options.wrt, options.shape, options.domain, options.check)


def certify(options: Namespace) -> int:
    """symnet certify."""
    from symnet.certificates.certifying import certifiable
    from symnet.certificates.certifying import certify as make
    from symnet.certificates.general import certify_theorem
    from symnet.cli.code_options import sizes_of
    from symnet.worksheet_loader import load

    path = None if options.output == "-" else options.output
    if options.theorem is not None:
        for option in ("worksheet", "sizes", "format", "decimals", "ask"):
            if getattr(options, option):
                raise OptionError("--theorem", f"{option} beside it", "a theorem alone, or a worksheet")
        return _certified(certify_theorem(options.theorem, path), options, options.theorem)
    derivation, sizes = load(options.worksheet or "first"), sizes_of(options.sizes)
    if options.ask:
        found = certifiable(derivation, sizes)
        print(found)
        return 0 if found else 2
    made = make(derivation, path, sizes=sizes, format=options.format, decimals=options.decimals)
    theorems = f"{len(made.theorems)} theorem{'s' if len(made.theorems) != 1 else ''}"
    return _certified(made, options, theorems + ("; Lean is not checked here" if made.format == "lean" else ""))


def _certified(made: Any, options: Namespace, what: str) -> int:
    """Say what was written, and what coqc says where it is asked."""
    if options.output in (None, "-"):
        sys.stdout.write(made.text)
    else:
        say(f"symnet: wrote {options.output}: {what}")
    if not options.check:
        return 0
    verdict = made.check()
    if not verdict:
        say(f"symnet: refused: {verdict.reason}")
        return 1
    say(f"symnet: accepted by coqc in {verdict.seconds:.1f} s, resting on {', '.join(verdict.axioms) or 'no axiom'}")
    return 0


def train(options: Namespace) -> int:
    """symnet train."""
    from symnet.cli.rules import training_changes
    from symnet.errors import DivergedError
    from symnet.training.run import train_sheet
    from symnet.worksheet_loader import load

    try:
        made = train_sheet(load(options.worksheet), training_changes(options), progress=None)
    except DivergedError as error:
        if error.partial is not None and error.partial.losses:
            _keep(error.partial, options)
        raise
    _keep(made, options)
    log, last = made.log, {name: values[-1] for name, values in made.log.history}
    if options.format == "json":
        print(json.dumps({"optimizer": log.optimizer, "settings": dict(log.settings), "losses": list(log.losses),
                          "history": {name: list(values) for name, values in log.history}, "stopped": log.stopped}))
    else:
        settings = ", ".join(f"{k} = {v}" for k, v in log.settings)
        others = "".join(f", {name} {value:.6g}" for name, value in last.items() if name != "loss")
        print(f"{log.optimizer} ({settings}): loss {log.losses[0]:.6g} before, {log.losses[-1]:.6g} after {log.epochs} epochs{others}")
        if log.stopped:
            print(f"stopped early: {log.stopped}")
    return 0


def _keep(made: Any, options: Namespace) -> None:
    """The files that were asked for: the parameters and the curve."""
    import numpy as np

    from symnet.reports.curve import curve_file

    try:
        if options.save:
            with Path(options.save).open("wb") as file:
                np.savez(file, **made.params, **made.statistics)
            say(f"symnet: wrote {options.save}")
        if options.curve:
            Path(options.curve).write_text(curve_file(made.log), encoding="utf-8")
            say(f"symnet: wrote {options.curve}")
    except OSError as error:
        raise OptionError("output", f"{error.filename}: {error.strerror}", "a file that can be written") from None
