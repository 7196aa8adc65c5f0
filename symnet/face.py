"""The verbs of the package: derive, check, report."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from symnet.core.derivation import Derivation
from symnet.core.program import Program
from symnet.core.verdict import Verdict
from symnet.errors import OptionError


def derive(what: Any, loss: Any = None, wrt: Iterable[str] | None = None, batch: Any = None) -> Derivation:
    """The gradients of a network with a loss, or of a program's objective; each step is kept.

    ``wrt`` defaults to the parameters, or to all inputs of a program without parameters. Example::

        net = sn.Sequential(sn.Linear(1, 1), sn.Sigmoid())
        sn.derive(net, loss=sn.MSELoss()).gradients["w1"]
    """
    from symnet.calculus import derive as chain_rule

    if wrt is not None and (not isinstance(wrt, Iterable) or not all(isinstance(name, str) for name in wrt)):
        raise OptionError("derive", f"wrt = {repr(wrt)[:60]}", "a list of names", 'wrt=["w1", "b1"]')
    if isinstance(what, Program) or isinstance(getattr(what, "program", None), Program):  # a Program, or a model that was read
        return chain_rule(what if isinstance(what, Program) else what.program, wrt)
    if not hasattr(what, "program"):
        raise OptionError("derive", type(what).__name__, "a network or a Program")
    if loss is None:
        raise OptionError("derive", "a network without a loss", "loss=sn.MSELoss() or another loss")
    return chain_rule(what.program(loss, batch), wrt)


def check(answer: str, derivation: Derivation, wrt: str, timeout: float | None = 20) -> Verdict:
    """Is ``answer`` the gradient with respect to ``wrt``? A Verdict with its certificate.

    What is not decided in ``timeout`` seconds is undecided, with that reason. The answer is judged in a process of its own, which is
    kept for the next one and can be killed; with None it is judged in this process, without a limit. Raises the error family for an
    answer that cannot be read.
    """
    from symnet.batch.limited import check_alone, check_within

    if not isinstance(answer, str):
        raise OptionError("check", f"a {type(answer).__name__} for an answer", "text, plain maths or LaTeX", "str(answer)")
    if not isinstance(derivation, Derivation):
        raise OptionError("check", f"a {type(derivation).__name__}", "a Derivation", "sn.derive(net, loss=sn.MSELoss())")
    return check_alone(answer, derivation, wrt) if timeout is None else check_within(answer, derivation, wrt, timeout)


def report(derivation: Derivation, path: str | Path | None = None, **options: Any) -> Any:
    """Make the report of a derivation and, with a path, write it: the ending (.html, .tex, .pdf, .txt, .md, .json) says how."""
    from symnet.telling import report as tell

    return tell(derivation, path, **options)
