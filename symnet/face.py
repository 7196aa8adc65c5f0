"""The verbs of the package: derive, check, report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import sympy as sp

from symnet.core.derivation import Derivation
from symnet.core.program import Program
from symnet.core.verdict import Verdict
from symnet.errors import OptionError


def derive(what: Any, loss: Any = None, wrt: Any = None, batch: Any = None, tensors: Mapping[str, Any] | None = None) -> Derivation:
    """The gradients of a network with a loss, of a program's objective, or of an expression, text or SymPy; each step is kept.

    ``wrt`` defaults to the parameters, or to all inputs of a program without parameters: a name or a SymPy symbol, or several.
    ``tensors`` are the shapes of an expression's arrays, as for ``sn.program``. Example::

        net = sn.Sequential(sn.Linear(1, 1), sn.Sigmoid())
        sn.derive(net, loss=sn.MSELoss()).gradients["w1"]
    """
    from symnet.calculus import derive as chain_rule
    from symnet.parsing.from_sympy import is_sympy
    from symnet.parsing.program import program

    wrt = _names(wrt)
    if isinstance(what, str) or is_sympy(what):
        return chain_rule(program(what, tensors=tensors), wrt)
    if isinstance(what, Program) or isinstance(getattr(what, "program", None), Program):  # a Program, or a model that was read
        return chain_rule(what if isinstance(what, Program) else what.program, wrt)
    if not hasattr(what, "program"):
        raise OptionError("derive", type(what).__name__, "a network, a Program, or an expression: text or SymPy")
    if loss is None:
        raise OptionError("derive", "a network without a loss", "loss=sn.MSELoss() or another loss")
    return chain_rule(what.program(loss, batch), wrt)


def _names(wrt: Any) -> list[str] | None:
    """The names that ``wrt`` gives: "w", Symbol("w"), or several of these."""
    from symnet.parsing.from_sympy import is_sympy, wrt_name

    if wrt is None:
        return None
    several = [wrt] if isinstance(wrt, str) or (is_sympy(wrt) and not isinstance(wrt, sp.Tuple)) else wrt
    if not isinstance(several, Iterable) or not all(isinstance(w, str) or is_sympy(w) for w in several):
        raise OptionError("derive", f"wrt = {repr(wrt)[:60]}", "a name or SymPy symbol, or a list of these", 'wrt=["w1", "b1"]')
    return [wrt_name(w) for w in several]


def check(answer: Any, derivation: Derivation, wrt: Any, timeout: float | None = 20) -> Verdict:
    """Is ``answer``, plain maths, LaTeX or SymPy, the gradient with respect to ``wrt``? A Verdict with its certificate.

    A SymPy answer for an array is an entry, and ``wrt`` says which: ``sn.check(2*x[i], d, wrt=x[i])``.

    What is not decided in ``timeout`` seconds is undecided, with that reason. The answer is judged in a process of its own, which is
    kept for the next one and can be killed; with None it is judged in this process, without a limit. Raises the error family for an
    answer that cannot be read.
    """
    from symnet.batch.limited import check_alone, check_within
    from symnet.parsing.from_sympy import is_sympy, sympy_answer, wrt_name

    if not isinstance(answer, str) and not is_sympy(answer):
        raise OptionError("check", f"a {type(answer).__name__} for an answer", "text, plain maths or LaTeX, or a SymPy expression",
                          "str(answer)")
    if not isinstance(derivation, Derivation):
        raise OptionError("check", f"a {type(derivation).__name__}", "a Derivation", "sn.derive(net, loss=sn.MSELoss())")
    if not isinstance(answer, str):
        answer = sympy_answer(answer, wrt)
    if not isinstance(wrt, str) and not is_sympy(wrt):
        raise OptionError("check", f"wrt = {repr(wrt)[:60]}", "a name or a SymPy symbol", 'wrt="w1"')
    wrt = wrt_name(wrt)
    return check_alone(answer, derivation, wrt) if timeout is None else check_within(answer, derivation, wrt, timeout)


def compare(left: Any, right: Any, tensors: Mapping[str, Any] | None = None, timeout: float | None = 20) -> Verdict:
    """Is left = right, for all values of the names in them? Each side is plain maths or a SymPy expression; a Verdict.

    ``tensors`` are the shapes of arrays in text, as for ``sn.program``; arrays are equal when all their entries are. SymPy symbols are
    real, positive, … as they say. Raises the error family for what cannot be read.

    >>> compare("sigmoid(-x)", "1 - sigmoid(x)").answer.value
    'proved'
    >>> str(compare("x**2", "x"))
    'refuted (at x = 2: 4 ≠ 2)'
    """
    import sympy as sp

    from symnet.batch.limited import compare_within
    from symnet.parsing.from_sympy import is_sympy
    from symnet.parsing.program import program

    for side in (left, right):
        if not isinstance(side, str) and not is_sympy(side):
            raise OptionError("compare", f"a {type(side).__name__}", "two expressions, text or SymPy")
    names = ("left_side", "right_side")
    lines = [f"{name} = {side}" if isinstance(side, str) else sp.Eq(sp.Symbol(name), side, evaluate=False)
             for name, side in zip(names, (left, right), strict=True)]
    return compare_within(program(*lines, tensors=tensors), *names, timeout)


def report(derivation: Derivation, path: str | Path | None = None, **options: Any) -> Any:
    """Make the report of a derivation and, with a path, write it: the ending (.html, .tex, .pdf, .txt, .md, .json) says how."""
    from symnet.telling import report as tell

    return tell(derivation, path, **options)
