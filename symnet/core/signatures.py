"""Arguments that are not what a signature says, told in one line.

The annotations of a public function are its contract; ``checked`` reads them, so that what an editor shows, what mypy refuses and
what a call refuses are one thing.
"""

from __future__ import annotations

import functools
import inspect
import operator
import types
import typing
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from symnet.errors import OptionError, a_kind, shown

MOST_BITS = 13_000  # of a whole number; Python does not print much longer ones
F = TypeVar("F", bound=Callable[..., Any])
WORDS = {str: "text", int: "a whole number", bool: "True or False", float: "a number", type(None): "None", Callable: "a function",
         Mapping: "a table by name, {…}", Iterable: "a list", Sequence: "a list"}


def checked(function: F) -> F:
    """``function``, whose arguments must be what its signature says. Raises OptionError that names the argument.

    An annotation that only a type checker can read (its module is not loaded) is left to the function. A text is no list.

    >>> @checked
    ... def half(x: float, keep: bool = False) -> float:
    ...     return x / 2
    >>> half(3)
    1.5
    >>> half("3")
    Traceback (most recent call last):
    symnet.errors.OptionError: half, x: '3'; expected a number
    """
    signature = inspect.signature(function)
    names = list(signature.parameters)
    row = [p.name for p in signature.parameters.values() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]

    @functools.cache
    def hints() -> dict[str, Any]:
        return {name: hint for name in names if (hint := annotation(function, name)) is not None}

    @functools.wraps(function)
    def call(*args: Any, **named: Any) -> Any:
        wanted = hints()
        for name, value in (*zip(row, args, strict=False), *named.items()):
            hint = wanted.get(name, Any)
            if hint is Any or name not in signature.parameters or value is signature.parameters[name].default:
                continue
            if not fits(value, hint):
                plain = isinstance(value, (str, bytes, int, float, complex, type(None), list, tuple, dict)) and not _nouns(hint)
                raise OptionError(f"{function.__name__}, {name}", shown(value) if plain else a_kind(value), words(hint))
        return function(*args, **named)

    return call  # type: ignore[return-value]


def _nouns(hint: Any) -> bool:
    """True for an annotation that names classes of symnet or SymPy alone, so that the kind of what was found says enough."""
    every = typing.get_args(hint) if typing.get_origin(hint) in (typing.Union, types.UnionType) else (hint,)
    return all(isinstance(one, type) and one not in WORDS for one in every)


def annotation(function: Callable[..., Any], name: str) -> Any:
    """What an argument is declared to be; None where there is nothing to check."""
    parameter = inspect.signature(function).parameters[name]
    if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD) or parameter.annotation is parameter.empty:
        return None
    holder = types.SimpleNamespace(__annotations__={name: parameter.annotation})
    try:
        return typing.get_type_hints(holder, inspect.unwrap(function).__globals__)[name]
    except NameError:  # imported for type checkers alone
        return None


def fits(value: object, hint: Any) -> bool:
    """True where a value is what an annotation says, the entries of a list and the keys of a table too.

    >>> fits(["w"], str | Iterable[str]), fits("w", Iterable[str]), fits({"N": 2}, Mapping[str, int]), fits(True, int)
    (True, False, True, False)
    """
    if isinstance(value, int) and value.bit_length() > MOST_BITS:
        return False
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return any(fits(value, one) for one in inner)
    if origin is type:
        return isinstance(value, type) and (not isinstance(inner[0], type) or issubclass(value, inner[0]))
    if origin is not None and isinstance(origin, type) and issubclass(origin, Mapping):
        return isinstance(value, Mapping) and all(fits(k, inner[0]) for k in value)  # which value is wrong, the function says
    if origin is tuple and isinstance(value, tuple):
        return inner[-1] is not ... or all(fits(v, inner[0]) for v in value)
    if origin in (Iterable, Sequence):
        if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable if origin is Iterable else Collection):
            return False
        return not isinstance(value, Collection) or all(fits(v, inner[0]) for v in value)
    return _is_a(value, origin or hint)


def _is_a(value: object, kind: Any) -> bool:
    if kind in (Any, object) or isinstance(kind, TypeVar):
        return True
    if kind is None:
        return value is None
    if kind is bool:
        return isinstance(value, bool) or type(value).__name__ in ("bool", "bool_")  # NumPy's too
    if kind in (int, float):
        return not isinstance(value, bool) and (isinstance(value, kind) or _whole(value) or (kind is float and isinstance(value, float)))
    if kind is Callable:
        return callable(value)
    return not isinstance(kind, type) or isinstance(value, kind)


def _whole(value: object) -> bool:
    try:
        operator.index(value)  # type: ignore[arg-type]
    except Exception:  # whatever a stranger's __index__ raises
        return False
    return type(value).__name__ not in ("bool", "bool_")


def words(hint: Any) -> str:
    """What an annotation asks for, for a message.

    >>> words(str | Iterable[str] | None), words(Mapping[str, int])
    ('text, a list of text or None', 'a table of whole numbers by name, {…}')
    """
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        every = list(dict.fromkeys(words(one) for one in inner))
        return every[0] if len(every) == 1 else ", ".join(every[:-1]) + " or " + every[-1]
    if hint is Any or hint is object:
        return "a number of fewer digits"  # nothing else is refused
    if origin is type:
        return f"a class of {getattr(inner[0], '__name__', inner[0])}"
    if origin in (Iterable, Sequence) and inner[0] is str:
        return "a list of text"
    if isinstance(origin, type) and issubclass(origin, Mapping) and inner[1] is int:
        return "a table of whole numbers by name, {…}"
    kind = origin or hint
    if kind in WORDS:
        return WORDS[kind]
    name = str(getattr(kind, "__name__", kind))
    return f"{'an' if name[:1] in 'AEIOU' else 'a'} {name}"
