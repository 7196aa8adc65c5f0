"""symnet check FILE.py:FUNCTION: a hand-written backward pass, judged, or a function that brings its own.

This command runs the user's own file, which is the user's choice; nothing else in ``symnet check`` runs code.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import os
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from symnet.cli.code_options import code_options
from symnet.cli.function_options import example_of, function_options
from symnet.core.verdict import Answer
from symnet.errors import OptionError, did_you_mean

USUAL = ("backward", "backprop", "loss_and_grads", "loss_and_grad", "value_and_grad", "gradients", "gradient", "grads", "grad")
MODULE = "symnet_checked_file"
MOST_TALK = 100_000  # letters of what the code prints


def check_code(place: str, options: Namespace) -> int:
    """Run the user's own function on symbolic arrays, in a process that can be killed, and judge each gradient it returns."""
    from symnet import __version__

    if options.format not in (None, "text", "json"):
        raise OptionError("check", f"--format {options.format} for NumPy code", "text or json")
    path, name = split(place)
    found = _within(path, name, options)
    text = json.dumps({"version": __version__, **found.as_json()}, indent=2, ensure_ascii=False) if options.format == "json" else str(found)
    if options.output and options.output != "-":
        try:
            Path(options.output).write_text(text + "\n", encoding="utf-8")
        except OSError as error:
            raise OptionError(f"-o {options.output}", error.strerror or "it cannot be written", "a file that can be written") from None
    else:
        print(text)
    return 1 if found.worst is Answer.REFUTED else 3 if found.worst is Answer.UNDECIDED else 0


def _within(path: Path, name: str, options: Namespace) -> Any:
    """The function judged; each value that it returns has the limit to itself, and one that takes longer is undecided."""
    from symnet.batch.one_task_process import run_fresh
    from symnet.batch.running import without
    from symnet.batch.tasks import How, Task
    from symnet.checking.code.results import CodeCheck, Judged
    from symnet.cli.limits import limits_of
    from symnet.core.verdict import Verdict

    limits, lost = limits_of(options, many=False), dict[Any, str]()
    said = code_options(options), function_options(options)
    while True:
        asked = (os.getcwd(), str(path), name, options.worksheet, said, lost, limits.seconds)
        ended = run_fresh(Task(len(lost), judge_file, asked), limits)
        found, talk = ended.value if ended.how is How.DONE else (None, ended.last[1] if ended.last else "")
        again = without(lost, replace(ended, last=ended.last[0] if ended.last else None))
        if again is not None:
            lost = dict(again)
            continue
        sys.stderr.write(talk)  # what the code prints is talk, not data
        if ended.error is not None:
            raise ended.error
        if found is not None:
            return found
        return CodeCheck(name or path.name, (Judged(name, path.name, Verdict(Answer.UNDECIDED, reason=ended.reason)),))


def judge_file(asked: tuple[str, str, str, str, tuple[Mapping[str, Any], dict[str, Any]], Mapping[Any, str], float]) -> tuple[Any, str]:
    """Runs in the process: the judgement and what the code printed. Told on the way: the value that is judged, and what was printed."""
    from symnet.api import check_code as judge
    from symnet.api import check_function, has_own_backward
    from symnet.batch.judging import OPENING
    from symnet.batch.worker import reached
    from symnet.checking.progress import Way
    from symnet.worksheet_loader import load

    folder, place, name, worksheet, (said, own), lost, seconds = asked
    os.chdir(folder)
    talk = io.StringIO()
    reached(times=OPENING)
    with contextlib.redirect_stdout(talk):
        try:
            with module_of(Path(place)) as module:
                way = Way(lambda key: reached((key, talk.getvalue()[-MOST_TALK:])), lost)
                function = function_of(module, name, Path(place))
                if has_own_backward(function):
                    example, shapes = example_of(module, own)
                    found = check_function(function, example, shapes=shapes, wrt=own["wrt"], seconds=OPENING * seconds, way=way)
                else:
                    refused = next((k for k in ("shapes", "example", "wrt") if own[k]), "")
                    if refused:
                        raise OptionError(f"--{refused.removesuffix('s')}", f"{name}, which has no backward of its own",
                                          "a torch.autograd.Function or a JAX function")
                    derivation = load(worksheet)
                    reached()
                    found = judge(function, derivation, seconds=OPENING * seconds, way=way, **said)
        except BaseException:
            reached((None, talk.getvalue()[-MOST_TALK:]))
            raise
    return found, talk.getvalue()[-MOST_TALK:]


def split(place: str) -> tuple[Path, str]:
    """FILE.py:FUNCTION as a path and a name; the name may be left out."""
    head, dot, tail = place.rpartition(".py")
    if not dot or (tail and not tail.startswith(":")):
        raise OptionError("check", place, "FILE.py:FUNCTION", "symnet check model.py:backward --worksheet first")
    return Path(head + ".py"), tail[1:]


@contextlib.contextmanager
def module_of(path: Path) -> Iterator[ModuleType]:
    """The user's file, run as a module of its own; its folder is importable while it is in use."""
    from symnet.core.user_code import told

    if not path.is_file():
        raise OptionError("check", f"no file {path}", "a Python file")
    spec = importlib.util.spec_from_file_location(MODULE, path)
    if spec is None or spec.loader is None:
        raise OptionError("check", str(path), "a Python file")
    module = importlib.util.module_from_spec(spec)
    before = list(sys.path)
    sys.path.insert(0, str(path.parent.resolve()))
    sys.modules[MODULE] = module
    try:
        try:
            spec.loader.exec_module(module)
        except SyntaxError as error:
            raise OptionError(f"{path.name}:{error.lineno}", f"SyntaxError: {error.msg}", "Python code") from None
        except (Exception, SystemExit) as error:
            raise told(error, path) from None
        yield module
    finally:
        sys.path[:] = before
        sys.modules.pop(MODULE, None)


def function_of(module: ModuleType, name: str, path: Path) -> Callable[..., Any]:
    """The function that is asked for; without a name the one that has a usual name, or the only one there is."""
    own = {k: v for k, v in vars(module).items() if isinstance(v, FunctionType) and v.__module__ == MODULE and not k.startswith("_")}
    if name:
        found = vars(module).get(name)
        if not callable(found):
            raise OptionError(str(path), f"no function {name!r}", "one of " + ", ".join(own) if own else "a function in the file",
                              did_you_mean(name, own))
        return found  # type: ignore[no-any-return]
    usual = [own[k] for k in USUAL if k in own] or list(own.values())
    if len(usual) != 1:
        raise OptionError("check", f"{path} has {'no function' if not usual else 'several functions'}", "FILE.py:FUNCTION",
                          f"{path}:{next(iter(own), 'backward')}")
    return usual[0]
