"""symnet prove: a theorem by its name, a claim of one's own, or the claim of a worksheet."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

from symnet.cli.commands import say
from symnet.cli.expressions import declared
from symnet.core.claim import ClaimText
from symnet.core.text import text
from symnet.errors import OptionError, WorksheetError
from symnet.parsing.declaring import tensor_of
from symnet.theorems.proving import asked_for, prove_text
from symnet.theorems.proving import prove as by_name

CODES = {"proved": 0, "refuted": 1, "undecided": 3}


def prove(options: Namespace) -> int:
    """The command."""
    from symnet.core.claim import Proved, Refutation
    from symnet.reports.report import Report, format_of
    from symnet.theorems.telling import as_data, index, proof_report

    if not 0 < options.time < 1e6:
        raise OptionError("--time", str(options.time), "a number of seconds above 0")
    how = "text" if options.format is None and options.output is None else format_of(options.output, options.format)
    if options.list:
        return _write(Report(index()), how, options.output, 0)
    asked = _asked(options)
    found = _answer(options, asked)
    checked = isinstance(found, Proved) and found.check()
    state = "proved" if checked else "refuted" if isinstance(found, Refutation) else "undecided"
    if options.output is None and how == "json":
        print(json.dumps(as_data(found), indent=2, ensure_ascii=False))
    elif options.output is None and how == "text":
        _say(found, asked, state)
    else:
        return _write(proof_report(found, asked, options.level), how, options.output, CODES[state])
    return CODES[state]


def _write(made: Any, how: str, output: str | None, code: int) -> int:
    if output in (None, "-"):
        if how == "pdf":
            raise OptionError("output", "a PDF on standard output", "-o FILE.pdf")
        sys.stdout.write(made.as_format(how))
    else:
        say(f"symnet: wrote {made.write(Path(str(output)), how)}")
    return code


def _asked(options: Namespace) -> ClaimText | None:
    """The claim as it is written; None for a theorem with a prover of its own."""
    name = options.claim.strip()
    if name.endswith(".toml"):
        return _of_worksheet(name)
    return asked_for(name, declared(options.shape, options.domain), options.given, options.line)


def _answer(options: Namespace, asked: ClaimText | None) -> Any:
    if asked is not None:
        return prove_text(asked, options.time)
    from symnet.cli.rules import rule_of

    return by_name(options.claim.strip(), optimizer=rule_of(options))


def _of_worksheet(name: str) -> ClaimText:
    from symnet.worksheet_loader import load_worksheet

    sheet = load_worksheet(name)
    if not sheet.claim:
        raise WorksheetError(name, "no claim", 'claim = "abs(tanh(x)) <= abs(x)" at the top of the sheet')
    declared = tuple(tensor_of(n, {"shape": list(s.shape or ()), "domain": s.domain, **({"structure": s.structure} if s.structure else {})})
                     for n, s in sheet.symbols.items())
    assumed = tuple(a for s in sheet.symbols.values() for a in s.assume)
    return ClaimText(sheet.claim, declared, (*sheet.given, *assumed), sheet.definitions)


def _say(found: Any, asked: ClaimText | None, state: str) -> None:
    """The answer in lines of text."""
    from symnet.reports.claims import line_formulas

    if asked is not None and asked.theorem:
        print(f"{asked.theorem}: {asked.text}")
    if asked is not None and asked.lines:
        print(f"With {'; '.join(asked.lines)}.")
    print(found)
    if state == "undecided":
        return
    if found.claim.conditions:
        print(f"Conditions: {'; '.join(found.claim.conditions)}.")
    for line in found.proof.lines if state == "proved" else ():
        source = f" from {', '.join(map(str, line.uses))}" if line.uses else ""
        formulas = ";  ".join(f.text for f in line_formulas(line, found.tensors))
        rest = "" if line.rest is None else f"\n       the difference is {text(line.rest)}"
        print(f"{line.number:>3}. {formulas}{rest}\n       [{line.rule}{source}] {line.note}".rstrip())
    if state == "proved":
        print("The kernel made the proof again and it checks.")
    elif found.why:
        print(f"Why: {found.why}.")
