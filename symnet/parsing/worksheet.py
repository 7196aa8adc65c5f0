"""TOML worksheets -> data: what is given, what is asked. One format for every command; nothing in it is ever executed."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sympy as sp

from symnet.core.numbers import rational
from symnet.core.structures import structure_named
from symnet.core.tensors import domain_named
from symnet.errors import NameError_, ParseError, SymnetError, WorksheetError, shown
from symnet.parsing.calls import Call, call
from symnet.parsing.declaring import check_name
from symnet.parsing.fields import EXACT, list_in, only, table_in, text_in, texts_in, whole_in
from symnet.parsing.files import text_of_file

TEXTS = ("data", "optimizer", "init", "dtype", "monitor", "class_weight")  # of [training]


@dataclass(frozen=True, slots=True)
class Sign:
    """One entry of [symbols]: its shape, exact value(s), domain, assumptions on it, and a note for the symbol table.

    ``classes`` is the size C (a number or a name) of a symbol of the domain "index", whose entries are whole numbers 0..C-1.
    ``structure`` is one of ``structures.STRUCTURES``.
    """

    shape: tuple[Any, ...] | None = None
    value: Any = None
    domain: str = "real"
    assume: tuple[str, ...] = ()
    note: str = ""
    classes: int | str | None = None
    structure: str = ""


@dataclass(frozen=True)
class Worksheet:
    """What a worksheet says. ``layers`` and ``loss`` are calls, ``definitions`` lines of plain maths."""

    title: str = ""
    symbols: Mapping[str, Sign] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)
    definitions: tuple[str, ...] = ()
    layers: tuple[Call, ...] = ()
    loss: Call | None = None
    objective: str = ""
    wrt: tuple[str, ...] = ()
    learning_rate: sp.Rational | None = None
    batch: Any = None
    answers: tuple[Mapping[str, str], ...] = ()
    training: Mapping[str, Any] | None = None
    errata: Mapping[str, str] | None = None
    simplify: str = ""
    claim: str = ""
    given: tuple[str, ...] = ()


def read_worksheet(path: str | Path) -> Worksheet:
    """The worksheet in a file. Raises WorksheetError when it cannot be read or says something unknown."""
    text = text_of_file(str(path), "a worksheet (.toml)", "symnet report without a file makes the first example")
    return parse_worksheet(text, str(path))


def parse_worksheet(text: str, where: str = "worksheet") -> Worksheet:
    """The worksheet in a text.

    >>> sheet = parse_worksheet('symbols.w = { value = "1/2" }\\nprogram.definitions = ["L = w**2"]')
    >>> sheet.symbols["w"].value, sheet.definitions
    (1/2, ('L = w**2',))
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise WorksheetError(where, f"no TOML: {str(error)[:160]}", "a worksheet", "see the worksheets that come with symnet"
                             ) from None
    except RecursionError:
        raise WorksheetError(where, "brackets nested too deeply", "a worksheet") from None
    try:
        return _worksheet(data, where)
    except WorksheetError:
        raise
    except SymnetError as error:
        place = error.where if error.where.startswith(where) else f"{where}, {error.where}"
        raise type(error)(place, error.found, error.expected, error.hint) from None


def _worksheet(data: dict[str, Any], where: str) -> Worksheet:
    only(data, "", where)
    program = table_in(data.get("program", {}), f"{where}, [program]")
    only(program, "program", f"{where}, [program]")
    if "definitions" in program and "layers" in program:
        raise WorksheetError(f"{where}, [program]", "definitions and layers", "one of them")
    symbols = table_in(data.get("symbols", {}), f"{where}, [symbols]")
    sizes = table_in(data.get("sizes", {}), f"{where}, [sizes]")
    loss = program.get("loss")
    return Worksheet(
        title=text_in(data.get("title", ""), f"{where}, title"),
        symbols={name: _sign(name, spec, where) for name, spec in symbols.items()},
        sizes={name: whole_in(v, f"{where}, size {name}") for name, v in sizes.items()},
        definitions=_definitions(program.get("definitions", []), f"{where}, definitions"),
        layers=tuple(call(t, f"{where}, layers") for t in texts_in(program.get("layers", []), f"{where}, layers")),
        loss=None if loss is None else call(text_in(loss, f"{where}, loss"), f"{where}, loss"),
        objective=text_in(program.get("objective", ""), f"{where}, objective"),
        wrt=texts_in(program.get("wrt", []), f"{where}, wrt"),
        learning_rate=None if "learning_rate" not in program else _exact(program["learning_rate"], f"{where}, learning_rate"),
        batch=program.get("batch"),
        answers=tuple(_answer(a, k, where) for k, a in enumerate(list_in(data.get("answers", []), f"{where}, [[answers]]"), 1)),
        training=_training(data.get("training"), where),
        errata=_errata(data.get("errata"), where),
        simplify=text_in(data.get("simplify", ""), f"{where}, simplify"),
        claim=_claim(data.get("claim", ""), f"{where}, claim"),
        given=texts_in(data.get("given", []), f"{where}, given"),
    )


def schedule_call(text: str, where: str) -> Call:
    """A schedule such as warmup(5, cosine(100)); a bare name is a call without arguments.

    >>> schedule_call("constant", "schedule")
    Call(name='constant', args=(), keywords=())
    """
    try:
        return call(text if "(" in text else f"{text}()", where)
    except WorksheetError as error:
        raise WorksheetError(where, error.found, "a schedule such as step(30, gamma=0.1) or warmup(5, cosine(100))") from None


def _claim(value: Any, where: str) -> str:
    """A claim, or several that are to hold together."""
    return text_in(value, where) if isinstance(value, str) else " and ".join(texts_in(value, where))


def _definitions(value: Any, where: str) -> tuple[str, ...]:
    """A list of lines, or one text that holds them."""
    return (text_in(value, where),) if isinstance(value, str) else texts_in(value, where)


def _sign(name: str, spec: Any, where: str) -> Sign:
    place = f"{where}, symbol {name}"
    check_name(name, place)
    if not isinstance(spec, dict):
        return Sign(value=_values(spec, place))
    only(spec, "symbols", place)
    domain = _named(domain_named, spec.get("domain", "real"), f"{place}, domain")
    structure = _named(structure_named, spec["structure"], f"{place}, structure") if spec.get("structure", "") != "" else ""
    shape = tuple(list_in(spec["shape"], f"{place}, shape")) if "shape" in spec else None
    value = _values(spec["value"], place) if "value" in spec else None
    return Sign(shape, value, domain, texts_in(spec.get("assume", []), f"{place}, assume"),
                text_in(spec.get("note", ""), f"{place}, note"), _classes(spec, domain, place), structure)


def _named(meaning: Callable[[str, str], str], value: Any, where: str) -> str:
    """A domain or a structure as it is kept."""
    try:
        return meaning(text_in(value, where), where)
    except NameError_ as error:
        raise WorksheetError(error.where, error.found, error.expected, error.hint) from None


def _classes(spec: dict[str, Any], domain: str, place: str) -> int | str | None:
    """The number of classes, or a name for it."""
    found = spec.get("classes")
    if (domain == "index") != (found is not None):
        raise WorksheetError(place, 'domain = "index" without classes' if found is None else f"classes of a {domain} symbol",
                             'domain = "index" and classes = "C": whole numbers 0..C-1')
    if found is not None and (isinstance(found, bool) or not isinstance(found, (int, str))):
        raise WorksheetError(f"{place}, classes", type(found).__name__, "a whole number or a name")
    return found


def _exact(value: Any, where: str) -> sp.Rational:
    """An exact number."""
    try:
        return rational(value)
    except ParseError as error:
        raise WorksheetError(where, f"the value {error.found}", error.expected, error.hint) from None


def _values(value: Any, where: str) -> Any:
    """A number, or nested lists of numbers that form a full array."""
    if not isinstance(value, list):
        return _exact(value, where)
    rows = [_values(v, where) for v in value]
    if not rows or len({nested_shape(r) for r in rows}) != 1:
        raise WorksheetError(where, "rows of different lengths" if rows else "an empty list", "a full array of numbers")
    return rows


def nested_shape(value: Any) -> tuple[int, ...]:
    """The shape of nested lists; () for a number."""
    return (len(value), *nested_shape(value[0])) if isinstance(value, list) else ()


def _answer(answer: Any, number: int, where: str) -> dict[str, str]:
    place = f"{where}, answer {number}"
    table = table_in(answer, place)
    only(table, "answers", place)
    if ("text" in table) == ("latex" in table):
        raise WorksheetError(place, "both text and latex" if "text" in table else "no text", "one of text and latex")
    return {"id": f"A{number}", **{k: text_in(v, f"{place}, {k}") for k, v in table.items()}}


def _training(spec: Any, where: str) -> dict[str, Any] | None:
    if spec is None:
        return None
    table = table_in(spec, f"{where}, [training]")
    only(table, "training", f"{where}, [training]")
    whole: dict[str, Any] = {k: whole_in(table[k], f"{where}, {k}") for k in ("epochs", "batch_size", "patience") if k in table}
    exact: dict[str, Any] = {k: _exact(table[k], f"{where}, {k}") for k in EXACT if k in table}
    seed: dict[str, Any] = {"seed": table["seed"] and whole_in(table["seed"], f"{where}, seed")} if "seed" in table else {}
    texts: dict[str, Any] = {k: text_in(table[k], f"{where}, {k}") for k in TEXTS if k in table}
    if "metrics" in table:
        texts["metrics"] = list(texts_in(table["metrics"], f"{where}, metrics"))
    if "shuffle" in table:
        if not isinstance(table["shuffle"], bool):
            raise WorksheetError(f"{where}, shuffle", shown(table["shuffle"]), "true or false")
        texts["shuffle"] = table["shuffle"]
    if "." in texts.get("data", "") or "/" in texts.get("data", ""):  # a worksheet is only read: it names no files
        raise WorksheetError(f"{where}, data", f"the file {texts['data'][:60]!r}", "the name of a data set that comes with symnet",
                             "symnet train with --data FILE")
    if "schedule" in table:
        texts["schedule"] = schedule_call(text_in(table["schedule"], f"{where}, schedule"), f"{where}, schedule")
    return {**whole, **exact, **seed, **texts}


def _errata(spec: Any, where: str) -> dict[str, str] | None:
    if spec is None:
        return None
    table = table_in(spec, f"{where}, [errata]")
    only(table, "errata", f"{where}, [errata]")
    if "file" in table and not re.fullmatch(r"[a-z0-9-]{1,40}\.txt", str(table["file"])):
        raise WorksheetError(f"{where}, [errata]", f"the file {str(table['file'])[:60]!r}",
                             "the name of a text that comes with symnet", "put your lines under text = '''...'''")
    return {k: text_in(v, f"{where}, {k}") for k, v in table.items()}
