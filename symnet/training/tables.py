"""Data from a file for the inputs of a program: a table (.csv) or arrays by name (.npz). Nothing in them is executed."""

from __future__ import annotations

import csv
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import sympy as sp

from symnet.core.program import Program
from symnet.core.tensors import Role, Tensor
from symnet.errors import OptionError, ShapeError, did_you_mean, shown

Array = np.ndarray[Any, Any]
EXPECTED = "a table with one sample a row (.csv), or arrays by name (.npz)"
MISSING = ("", "na", "nan", "null", "none", "?")


def arrays_from(path: str | Path, program: Program, wrt: Sequence[str], targets: Sequence[str] = (),
                classes: bool = False) -> dict[str, Array]:
    """The arrays of a file by the names of the program's inputs.

    Of a table, ``targets`` are the columns of the target, by default the last one, or the last k where the program has k targets; the
    others are the first input, in their order. Columns that have the names of inputs are those. A target column of words, or one for a
    target with several columns, holds classes (``classes`` says so of any): they become one-hot rows, or whole numbers for a
    target that is an index, in the order of the sorted values. Raises OptionError or ShapeError naming the row and the column.
    """
    place = Path(path)
    data = [t for t in program.inputs if t.name not in wrt and t.role is not Role.CONSTANT]
    if place.suffix.lower() == ".npz":
        return _from_arrays(place, program, wrt, data)
    if place.suffix.lower() not in (".csv", ".tsv", ".txt"):
        raise OptionError("data", f"{place}: {place.suffix or 'a name without an ending'}", EXPECTED)
    head, rows = _table(place)
    return _from_columns(place, head, rows, program, data, list(targets), classes)


def _refused(place: Path, error: Exception) -> NoReturn:
    said = getattr(error, "strerror", None) or str(error) or type(error).__name__
    raise OptionError("data", f"{place}: {said}", EXPECTED) from None


def _from_arrays(place: Path, program: Program, wrt: Sequence[str], data: list[Tensor]) -> dict[str, Array]:
    try:
        with np.load(place, allow_pickle=False) as held:
            found = {name: held[name] for name in held.files}
    except (OSError, ValueError, KeyError, EOFError, AttributeError, TypeError, zipfile.BadZipFile, zlib.error) as error:
        _refused(place, error)
    known = [t.name for t in program.inputs if t.name not in wrt]
    folded = {name.lower(): name for name in known}
    named = {name if name in known else folded.get(name.lower(), name): array for name, array in found.items()}
    for name in named:
        if name not in known:
            raise OptionError("data", f"{place} has an array {shown(name)}", "arrays named " + ", ".join(known), did_you_mean(name, known))
    for name, array in named.items():
        if array.dtype.kind not in "biuf":
            raise ShapeError(f"data, {name}", f"entries of type {array.dtype}", "numbers")
    return named


def _table(place: Path) -> tuple[list[str], list[list[str]]]:
    """The names of the columns, "1", "2", … where the file has none, and the rows."""
    try:
        text = place.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        _refused(place, error)
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        raise OptionError("data", f"{place}: an empty file", EXPECTED)
    mark = max(",;\t", key=lines[0].count) if any(m in lines[0] for m in ",;\t") else ","
    rows = [[cell.strip() for cell in row] for row in csv.reader(lines, delimiter=mark)]
    titled = not any(_number(cell) is not None for cell in rows[0])
    head = rows.pop(0) if titled else [str(k + 1) for k in range(len(rows[0]))]
    again = next((h for h in head if head.count(h) > 1), None)
    if again is not None:
        raise OptionError("data", f"{place}: the column {shown(again)} twice", "a name for each column")
    for number, row in enumerate(rows, start=1 + titled):
        if len(row) != len(head):
            raise ShapeError("data", f"{place}, line {number}: {len(row)} cells", f"{len(head)}, as in the first line")
    if not rows:
        raise OptionError("data", f"{place}: no rows", EXPECTED)
    return head, rows


def _number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None


def _from_columns(place: Path, head: list[str], rows: list[list[str]], program: Program, data: list[Tensor], targets: list[str],
                  classes: bool) -> dict[str, Array]:
    columns = {name: [row[k] for row in rows] for k, name in enumerate(head)}
    for name in targets:
        if name not in columns:
            raise OptionError("target", f"no column {shown(name)} in {place}", "one of " + ", ".join(head[:20]), did_you_mean(name, head))
    if not targets and all(len(t.axes) == 1 and t.name in columns for t in data):  # each input is a column
        return {t.name: _numbers(place, t.name, columns[t.name]) for t in data}
    wanted = next((t for t in data if t.role is Role.TARGET), None)
    inputs = [t for t in data if t is not wanted]
    if len(inputs) != 1:
        raise ShapeError("data", f"{place}: one table", "columns named " + ", ".join(t.name for t in data), "an .npz file with these names")
    if wanted is not None and not targets:
        width = wanted.shape[1] if len(wanted.shape) == 2 else 1
        targets = head[-int(width):] if str(width).isdigit() and 1 < int(width) < len(head) and not _words(columns[head[-1]]) else head[-1:]
    others = [name for name in head if name not in targets]
    if not others:
        raise ShapeError("data", f"{place}: {len(head)} columns, all of them targets", "a column for the input")
    given = np.column_stack([_numbers(place, name, columns[name]) for name in others])
    made = {inputs[0].name: _fitted(inputs[0], given)}
    if wanted is not None:
        made[wanted.name] = _target(place, wanted, [(n, columns[n]) for n in targets], classes or _is_shares(program))
    return made


def _fitted(tensor: Tensor, columns: Array) -> Array:
    return columns[:, 0] if len(tensor.axes) == 1 and columns.shape[1] == 1 else columns


def _words(cells: list[str]) -> bool:
    return any(_number(c) is None and c.lower() not in MISSING for c in cells)


def _is_shares(program: Program) -> bool:
    """Are the targets shares of classes: is the objective made of a softmax, a quotient by a sum of exponentials, or of its logarithm?"""
    lines = [d for d in program.definitions if d.name in {program.objective, *program.uses(program.objective)}]
    return any(isinstance(s.function, sp.exp) for d in lines for s in d.expr.atoms(sp.Sum))


def _target(place: Path, tensor: Tensor, columns: list[tuple[str, list[str]]], classes: bool) -> Array:
    """The target: numbers, classes as whole numbers, or one-hot rows."""
    name, cells = columns[0]
    width = tensor.shape[1] if len(tensor.shape) == 2 else None
    several = width is not None and width.is_Integer and width != 1
    if len(columns) > 1 or not (classes or _words(cells) or several or tensor.domain == "index"):
        numbers = np.column_stack([_numbers(place, n, c) for n, c in columns])
        return numbers[:, 0] if len(tensor.axes) == 1 else numbers
    if any(cell.lower() in MISSING for cell in cells):
        _numbers(place, name, ["0" if cell.lower() not in MISSING else "" for cell in cells])
    values = [cell if (number := _number(cell)) is None else number for cell in cells]
    kinds = sorted(set(values), key=lambda v: (isinstance(v, str), v))
    labels = np.array([kinds.index(v) for v in values])
    if tensor.domain == "index":
        whole = all(isinstance(v, float) and v >= 0 and v.is_integer() for v in kinds)
        return np.array(values, dtype=float) if whole else labels.astype(float)
    if width is None or width == 1:
        if len(kinds) > 2:
            raise ShapeError(f"target {name}", f"{len(kinds)} classes", f"two, for the one column of {tensor.name}")
        return labels.astype(float) if width is None else labels[:, None].astype(float)
    count = int(width) if width.is_Integer else len(kinds)
    if len(kinds) > count:
        raise ShapeError(f"target {name}", f"{len(kinds)} classes", f"at most {count}, the columns of {tensor.name}")
    rows: Array = np.eye(count)[labels]
    return rows


def _numbers(place: Path, name: str, cells: list[str]) -> Array:
    found = [_number(cell) for cell in cells]
    for row, (cell, value) in enumerate(zip(cells, found, strict=True), start=1):
        if value is None or not np.isfinite(value):
            said = "an empty cell" if not cell else shown(cell)
            raise ShapeError("data", f"{place}, row {row}, column {name}: {said}", "a finite number",
                             "--target for a column of classes; leave such rows or columns out")
    return np.array(found, dtype=float)
