"""PyTorch's argument lists: what stands at a place means what it means there, or is refused by name.

``torch_arguments`` is the one door through which the arguments of layers, losses, optimizers and schedules come, from Python and from
worksheets. It names PyTorch's arguments in PyTorch's order; those that only symnet has are given by keyword.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from symnet.core.signatures import annotation, fits, words
from symnet.errors import OptionError, SymnetError, did_you_mean, shown

T = TypeVar("T", bound=Callable[..., Any])
NONE = (None,)
BOTH = (False, True)  # of what changes how PyTorch computes, not what
PLACE = {"device": NONE, "dtype": NONE}
LEGACY = {"size_average": NONE, "reduce": NONE}  # PyTorch's words before ``reduction``


def bare_name(name: object, ending: str = "") -> str:
    """A name without case, signs and a last word that may be left out: "mse_loss", "MSELoss" and "mse" are one; "" for what is no text.

    >>> bare_name("MSE_loss", "loss"), bare_name("Step-LR", "lr"), bare_name("heavy ball")
    ('mse', 'step', 'heavyball')
    """
    return re.sub(r"[\W_]", "", name.lower()).removesuffix(ending) if isinstance(name, str) else ""


def torch_arguments(order: str = "", accepted: Mapping[str, tuple[Any, ...]] | None = None,
                    hints: Mapping[str, str] | None = None) -> Callable[[T], T]:
    """A class or function whose arguments in a row are those of ``order``, PyTorch's names; its own others are keywords.

    ``accepted`` are PyTorch's arguments that symnet does not read, each with the values that change nothing, the first PyTorch's
    default (or symnet's meaning); any other value is refused. ``hints`` say what to try where an argument is refused. Arguments whose
    default is True or False take nothing else. Raises OptionError.

    >>> @torch_arguments("p inplace", {"inplace": BOTH})
    ... def Half(p: object = "1/2", *, keep: bool = False) -> object:
    ...     return p
    >>> Half("1/3", True)
    '1/3'
    >>> Half("1/3", 7)
    Traceback (most recent call last):
    symnet.errors.OptionError: Half, inplace: 7; expected False or True
    """
    names, others, tries = order.split(), dict(accepted or {}), dict(hints or {})

    def decorate(what: T) -> T:
        target: Any = what.__init__ if isinstance(what, type) else what  # type: ignore[misc]
        own = dict(inspect.signature(target).parameters)
        first = [own.pop("self")] if isinstance(what, type) else []
        title = what.__name__

        @functools.cache
        def hints(name: str) -> Any:
            found = annotation(target, name)
            return Any if found is None else found

        def called(args: tuple[Any, ...], keywords: Mapping[str, Any], *first: Any) -> Any:
            given = _bound(title, (names, own, others, tries), args, keywords)
            wrong = [n for n, v in given.items() if v is not own[n].default and not fits(v, hints(n))]
            try:
                made = target(*first, **given)
            except SymnetError:  # the check of the class itself knows more than its annotations
                raise
            except Exception:
                if not wrong:
                    raise
            if wrong:
                raise OptionError(f"{title}, {wrong[0]}", shown(given[wrong[0]]), words(hints(wrong[0])), tries.get(wrong[0], ""))
            return made

        if isinstance(what, type):
            @functools.wraps(target)
            def begin(self: Any, *args: Any, **keywords: Any) -> None:
                called(args, keywords, self)
            begin.__signature__ = _signature(first, names, own, others)  # type: ignore[attr-defined]
            what.__init__ = begin  # type: ignore[misc]
            return what

        @functools.wraps(target)
        def call(*args: Any, **keywords: Any) -> Any:
            return called(args, keywords)
        call.__signature__ = _signature(first, names, own, others)  # type: ignore[attr-defined]
        return call  # type: ignore[return-value]

    return decorate


def _signature(first: list[inspect.Parameter], names: Iterable[str], own: Mapping[str, inspect.Parameter],
               others: Mapping[str, tuple[Any, ...]]) -> inspect.Signature:
    """PyTorch's arguments in their places, then symnet's own as keywords."""
    row, rest = list(names), inspect.Parameter
    made = [*first]
    for name in row:
        default = own[name].default if name in own else others[name][0]
        kind = rest.POSITIONAL_OR_KEYWORD
        optional = any(p.default is not rest.empty for p in made)
        made.append(rest(name, kind, default=None if optional and default is rest.empty else default,
                         annotation=own[name].annotation if name in own else Any))
    made += [p.replace(kind=rest.KEYWORD_ONLY) for name, p in own.items() if name not in row]
    made += [rest(name, rest.KEYWORD_ONLY, default=values[0], annotation=Any) for name, values in others.items() if name not in row]
    return inspect.Signature(made)


Lists = tuple[list[str], Mapping[str, inspect.Parameter], Mapping[str, tuple[Any, ...]], Mapping[str, str]]


def _bound(title: str, lists: Lists, args: tuple[Any, ...], keywords: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments by name, those that change nothing left out."""
    names, own, others, tries = lists
    if len(args) > len(names):
        more = [n for n in own if n not in names]
        hint = f"{more[0]}=…" if more else ""
        raise OptionError(title, f"{len(args)} arguments in a row", f"at most {len(names)}{': ' if names else ''}{', '.join(names)}", hint)
    given = dict(zip(names, args, strict=False))
    for name in keywords:
        if name in given:
            raise OptionError(f"{title}, {name}", f"given in a row ({shown(given[name])}) and by name", "it once")
    given |= keywords
    for name, value in given.items():
        if name in own:
            continue
        if name in others:
            if not any(value is v or (type(value) in (int, float, str, bool) and value == v) for v in others[name]):
                wanted = " or ".join(str(v) for v in others[name])
                raise OptionError(f"{title}, {name}", shown(value), wanted, tries.get(name, ""))
        else:
            known = [*own, *others]
            raise OptionError(title, f"no argument {str(name)[:40]!r}", ("one of " + ", ".join(known)) if known else "no arguments",
                              did_you_mean(str(name)[:40], known))
    missing = [n for n, p in own.items() if p.default is inspect.Parameter.empty and n not in given
               and p.kind in (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)]
    if missing:
        raise OptionError(title, f"no {', '.join(missing)}", f"{title}({', '.join(n for n in names if n in own)})")
    return {n: v for n, v in given.items() if n in own}
