"""The system's C compiler: source in, a loaded library out, kept on disk by content.

A library is kept under the hash of its source, the flags, the compiler and the processor, in a directory of the user's that nobody else
may write to. It is written beside its place and moved there, so that no other process ever sees half of it.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import os
import platform
import shutil
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

from symnet.errors import OptionError, shown

COMPILERS = ("cc", "gcc", "clang")
FLAGS = ("-std=c99", "-O3", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math", "-fopenmp-simd", "-fPIC", "-shared")
NATIVE = "-march=native"
SUFFIX = ".dylib" if sys.platform == "darwin" else ".so"


@functools.cache
def compiler() -> str:
    """The compiler that the environment variable CC names, or the first of cc, gcc and clang. Raises OptionError where there is none."""
    named = os.environ.get("CC", "").split()[:1]
    for name in named or COMPILERS:  # one that is named and not there is not passed over
        found = shutil.which(name)
        if found:
            return found
    raise OptionError("compile", "no C compiler: none of " + ", ".join(named or COMPILERS) + " is on the path", "a C compiler",
                      'install gcc or clang, name one in the environment variable CC, or take backend="numpy"')


def library(source: str, level: str = "") -> ctypes.CDLL:
    """The library of a C file; compiled unless it was before. ``level`` is another -O."""
    flags = [level if f == "-O3" and level else f for f in FLAGS]
    place = directory() / f"{_mark(source, flags)}{SUFFIX}"
    if not place.exists():
        _build(source, flags, place)
    try:
        return ctypes.CDLL(str(place))
    except OSError:  # a file that was damaged is made again
        _build(source, flags, place)
        return ctypes.CDLL(str(place))


def _mark(source: str, flags: list[str]) -> str:
    known = os.stat(os.path.realpath(compiler()))
    text = "\n".join([source, *flags, compiler(), str(known.st_size), str(known.st_mtime_ns), _processor()])
    return hashlib.sha256(text.encode()).hexdigest()[:40]


@functools.cache
def _processor() -> str:
    """What tells whether code for one machine runs on another, which may share the home directory."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        lines = []
    told = [line for line in lines if line.split(":")[0].strip() in ("flags", "Features", "model name", "CPU part")]
    return "\n".join([platform.machine(), platform.processor(), *dict.fromkeys(told)])


def directory() -> Path:
    """Where libraries are kept: SYMNET_CACHE, or the user's directory for such files; made for the user alone."""
    base = os.environ.get("SYMNET_CACHE")
    place = Path(base) if base else _users() / "symnet"
    place = place / "compiled"
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        if _own(place):
            return place
    except OSError:
        pass
    return _for_now()


def _users() -> Path:
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", str(Path.home())))
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def _own(place: Path) -> bool:
    """True for a directory of this user that no other may write to: what lies there is loaded as code."""
    if not hasattr(os, "getuid"):
        return True
    found = place.stat()
    return found.st_uid == os.getuid() and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and os.access(place, os.W_OK)


@functools.cache
def _for_now() -> Path:
    """A directory for this process."""
    made = tempfile.TemporaryDirectory(prefix="symnet-")
    _KEPT.append(made)
    return Path(made.name)


_KEPT: list[tempfile.TemporaryDirectory[str]] = []


def _build(source: str, flags: list[str], place: Path) -> None:
    """Compile to ``place``, in one step for all who look there."""
    with tempfile.TemporaryDirectory(dir=place.parent, prefix="making-") as room:
        text, made = Path(room) / "symnet.c", Path(room) / f"symnet{SUFFIX}"
        text.write_text(source, encoding="ascii")
        for native in ([NATIVE], []):  # a compiler that does not know the processor compiles for any
            done = subprocess.run([compiler(), *flags, *native, str(text), "-o", str(made), "-lm"], capture_output=True, text=True,
                                  check=False, stdin=subprocess.DEVNULL)
            if done.returncode == 0 and made.exists():
                os.replace(made, place)
                return
    said = (done.stderr or done.stdout).strip().splitlines()
    raise OptionError("compile", f"{compiler()} ended with {done.returncode}: {shown(said[0]) if said else 'no message'}",
                      "a C compiler that takes C99", 'name another in the environment variable CC, or take backend="numpy"')
