"""A run on disk: all that the next step depends on, in one file that is whole at every moment.

The file is NumPy's npz with one entry of JSON and no pickle in it. It is written beside its name, flushed to the disk and then given
its name in one step, so that whoever is killed while writing leaves the checkpoint before it.
"""

from __future__ import annotations

import io
import json
import os
import zipfile
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from symnet.errors import OptionError, shown

Array = np.ndarray[Any, Any]
FORMAT = "symnet checkpoint 1"


@dataclass(frozen=True)
class State:
    """``arrays`` are the parameters, the states of the optimizer and the like; ``facts`` are plain JSON; ``made_of()`` is what the run is
    made of, which must be the same where it goes on."""

    arrays: Mapping[str, Array]
    facts: Mapping[str, Any]
    made_of: Callable[[], Mapping[str, Any]]


def write(path: str | Path, state: State) -> None:
    """Put ``state`` at ``path``, whole or not at all. Raises OptionError where nothing can be written."""
    place = place_of("checkpoint", path)
    held = io.BytesIO()
    facts = json.dumps({"format": FORMAT, "made_of": state.made_of(), **state.facts}).encode()
    arrays: dict[str, Any] = {f"array/{name}": array for name, array in state.arrays.items()}
    np.savez(held, facts=np.frombuffer(facts, np.uint8), **arrays)
    beside = place.with_name(f".{place.name}.{os.getpid()}.tmp")
    try:
        with beside.open("wb") as file:
            file.write(held.getbuffer())
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, place)
        _settle(place.parent)
    except OSError as error:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        raise OptionError("checkpoint", f"{place}: {error.strerror}", "a file that can be written") from None


def _settle(folder: Path) -> None:
    """The new name itself on the disk, where the system can do that."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def place_of(where: str, path: str | Path) -> Path:
    """The path of a file. Raises OptionError for what no file can be called."""
    place = Path(path)
    if not place.name or "\0" in str(path) or not str(path).isprintable():
        raise OptionError(where, shown(str(path)), "the name of a file")
    return place


def sweep(path: str | Path) -> None:
    """Take away what writers that were killed left beside a checkpoint. Raises OptionError where there is no such folder."""
    place = place_of("checkpoint", path)
    if not place.parent.is_dir():
        raise OptionError("checkpoint", f"{place}: No such file or directory", "a file in a folder that is there")
    for left in place.parent.glob(f".{place.name}.*.tmp"):
        number = left.name.removesuffix(".tmp").rpartition(".")[2]
        if number.isdigit() and not _alive(int(number)):
            left.unlink(missing_ok=True)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it is someone else's
        return True
    return True


def read(path: str | Path) -> State:
    """The state at ``path``. Raises OptionError for what is no checkpoint; nothing in it is executed."""
    place = place_of("resume", path)
    try:
        with np.load(place, allow_pickle=False) as held:
            facts = json.loads(bytes(held["facts"]))
            arrays = {name.removeprefix("array/"): held[name] for name in held.files if name.startswith("array/")}
    except FileNotFoundError:
        raise OptionError("resume", f"{place}: no such file", "a checkpoint") from None
    except (OSError, ValueError, KeyError, EOFError, AttributeError, TypeError, zipfile.BadZipFile, zlib.error) as error:
        raise OptionError("resume", f"{place} is no checkpoint: {error}", "a file that checkpoint= wrote") from None
    if not isinstance(facts, dict) or facts.get("format") != FORMAT:
        raise OptionError("resume", f"{place} is no checkpoint of this version", f"the format {FORMAT!r}")
    return State(arrays, facts, lambda: dict(facts.get("made_of") or {}))
