"""The options that say what arguments a torch.autograd.Function or a JAX function has, as ``sn.check_function`` takes them."""

from __future__ import annotations

from argparse import Namespace
from types import ModuleType
from typing import Any

from symnet.cli.code_options import code_options
from symnet.errors import OptionError

NUMBERS = (5, 7, 6, 9, 11, 8, 13, 10)  # of the sizes in an example; which ones does not matter
KINDS = {"int": "int64", "bool": "bool", "float": "float64"}
MOST = 60


def function_options(options: Namespace) -> dict[str, Any]:
    """--shape, --example, --wrt and --argument. Raises OptionError, one line for each mistake."""
    shapes: dict[str, tuple[list[str], str]] = {}
    for text in options.shape:
        name, _, rest = (part.strip() for part in text.partition(":"))
        sizes, _, kind = rest.partition(":")
        if not name.isidentifier() or (kind or "float") not in KINDS:
            raise OptionError("--shape", repr(text)[:MOST], "such as x:N,d, y:N:int or mask:N,d:bool")
        if name in shapes:
            raise OptionError("--shape", f"{name} twice", "each argument once")
        shapes[name] = [s.strip() for s in sizes.split(",") if s.strip()], kind or "float"
    return {"shapes": shapes, "example": options.example, "wrt": tuple(options.wrt or ()), "fixed": code_options(options)["arguments"]}


def example_of(module: ModuleType, said: dict[str, Any]) -> tuple[Any, dict[str, Any] | None]:
    """The example and the shapes for ``sn.check_function``: from --shape, else what the file calls ``example``."""
    import numpy as np

    shapes = said["shapes"]
    if not shapes:
        name = said["example"] or "example"
        found = vars(module).get(name)
        if found is None:
            raise OptionError("check", f"no example of the arguments, and no {name} in the file", "the shape of each array",
                              "--shape x:N,d --shape y:N:int, --argument eps=1e-5")
        return (found() if callable(found) and not hasattr(found, "shape") else found), None
    numbers: dict[str, int] = {}
    made: dict[str, Any] = dict(said["fixed"])
    for name, (sizes, kind) in shapes.items():
        made[name] = np.ones([_number(size, numbers) for size in sizes], dtype=KINDS[kind])
    return made, {name: tuple(int(s) if s.isdigit() else s for s in sizes) for name, (sizes, _) in shapes.items()}


def _number(size: str, numbers: dict[str, int]) -> int:
    """A number for a size: 3, N or 2h."""
    factor = size[:len(size) - len(size.lstrip("0123456789"))]
    name = size[len(factor):].removeprefix("*")
    if not name:
        return int(factor)
    number = numbers.setdefault(name, NUMBERS[len(numbers) % len(NUMBERS)])
    return int(factor or 1) * number
