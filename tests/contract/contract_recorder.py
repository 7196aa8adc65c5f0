"""A pytest plugin that writes down what the public verbs say in the tests of answers, pages and code, so that their inputs are not copied.

``CONTRACT_FILE`` is where to write, ``CONTRACT_SHARE`` takes every n-th test, by a fingerprint of its name.
"""

from __future__ import annotations

import functools
import importlib
import json
import os
import sys
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from contract import said

import symnet as sn
from symnet.core.verdict import Answer, Verdict
from symnet.errors import SymnetError

SHARE = int(os.environ.get("CONTRACT_SHARE", "1"))
FILE = Path(os.environ.get("CONTRACT_FILE", os.devnull))
PARTS = {"check": ("symnet.checking.answers", "check_answer")}  # tests call the part behind a verb: the verb is asked instead
counts: Counter[str] = Counter()
inside = False


def short(test: str) -> str:
    """A test by the name of its file, without folders."""
    file, _, rest = test.partition("::")
    return f"{file.rpartition('/')[2]}::{rest}"


def note(case: str, rows: list[said.Row]) -> None:
    """One line of the record."""
    with FILE.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"case": case, "said": rows}, ensure_ascii=False) + "\n")


def rows_of(result: Any, args: tuple[Any, ...]) -> list[said.Row]:
    """What a verb said, with the slip in a refuted answer."""
    if isinstance(result, Verdict):
        mistake = sn.diagnose(*args[:3]) if result.answer is Answer.REFUTED and len(args) > 2 else None
        return said.of_verdict(result, mistake)
    if isinstance(result, sn.CodeCheck):
        return said.of_code(result)
    if isinstance(result, sn.Errata):
        return said.of_page(result)
    return [said.row(found=result is not None, **said.of_mistake(result))]


def recording(name: str, verb: Callable[..., Any]) -> Callable[..., Any]:
    """The verb, which writes down what it says when a test calls it."""
    @functools.wraps(verb)
    def recorded(*args: Any, **options: Any) -> Any:
        global inside
        test = os.environ.get("PYTEST_CURRENT_TEST", "")
        if inside or not test.endswith("(call)") or options.get("seconds", 1) < 0:
            return verb(*args, **options)
        test = short(test.removesuffix(" (call)"))
        counts[test] += 1
        case = f"{name} {test} {counts[test]}"
        inside = True
        try:
            if name in ("check", "check_page"):
                options["timeout"] = None  # in this process, however busy the machine is
            if name == "check_code":
                options["seconds"] = 1200
            result = verb(*args, **options)
            note(case, rows_of(result, args))
            return result
        except SymnetError as error:
            note(case, said.of_error(error))
            raise
        finally:
            inside = False
    return recorded


def instead(part: Callable[..., Any], verb: Callable[..., Any]) -> Callable[..., Any]:
    """The verb where a test calls its part; symnet itself goes on with the part."""
    @functools.wraps(part)
    def asked(*args: Any, **options: Any) -> Any:
        return part(*args, **options) if inside or options or len(args) > 3 else verb(*args)
    return asked


def pytest_configure() -> None:
    """Where tests import a verb from, they find the recording one."""
    for name in ("check", "check_code", "check_page", "diagnose"):
        verb = getattr(sn, name)
        recorded = recording(name, verb)
        for module in {sn.__name__, verb.__module__, verb.__module__.rpartition(".")[0]}:
            if getattr(sys.modules[module], name, None) is verb:
                setattr(sys.modules[module], name, recorded)
    for name, (module, part) in PARTS.items():
        for user in ("symnet.batch.limited", "symnet.checking.array_claims", "symnet.checking.worksheet_answers", module):
            importlib.import_module(user)  # symnet's own users have the part before it is replaced
        setattr(sys.modules[module], part, instead(getattr(sys.modules[module], part), getattr(sn, name)))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The share that is asked for."""
    items[:] = [item for item in items if not zlib.crc32(short(item.nodeid).encode()) % SHARE]
