"""The verbs of the package: derive, check, report."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from symnet.core.derivation import Derivation
from symnet.core.program import Program
from symnet.core.signatures import checked
from symnet.core.verdict import Verdict
from symnet.errors import OptionError, a_kind, needs

if TYPE_CHECKING:  # each verb loads what it needs
    from symnet.interop.imported import Imported
    from symnet.networks.catalogue import AnyLoss
    from symnet.networks.sequential import Sequential
    from symnet.reports.report import Report

NEEDED = "sn.derive(net, loss=sn.MSELoss())"


@checked
def derive(what: Program | Imported | Sequential, loss: AnyLoss | None = None, wrt: str | Iterable[str] | None = None,
           batch: int | str | bool | None = None) -> Derivation:
    """The gradients of a network with a loss, or of a program's objective; each step is kept.

    ``wrt`` is a name or several; by default the parameters, or all inputs of a program without parameters. ``loss`` is a loss, its
    class or its name ("mse"); ``batch`` the name or number of samples, False for one sample alone.

    >>> import symnet as sn
    >>> net = sn.Sequential(sn.Linear(1, 1), sn.Sigmoid())
    >>> print(sn.derive(net, loss="mse", wrt="w1").gradients["w1"])
    dL_dw1 = dL_dz1*x
    """
    from symnet.calculus import derive as chain_rule

    given = what if isinstance(what, Program) else getattr(what, "program", None)
    if isinstance(given, Program):  # a Program, or a model that was read
        if loss is not None:
            raise OptionError("derive", f"{a_kind(what)} and a loss", "a network for the loss, or a program whose last line is the loss")
        return chain_rule(given, wrt)
    from symnet.networks.sequential import Sequential

    if not isinstance(what, Sequential):
        raise OptionError("derive", a_kind(what), "a network or a Program", _reading(what))
    if loss is None:
        raise OptionError("derive", "a network without a loss", "loss=sn.MSELoss() or another loss")
    return chain_rule(what.program(loss, batch), wrt)


def _reading(what: object) -> str:
    """How something that is no network becomes one."""
    from symnet.networks.layers import Layer

    if isinstance(what, Layer):
        return "sn.Sequential(layer)"
    readers = {"torch": "from_torch", "onnx": "from_onnx", "sklearn": "from_sklearn", "jax": "from_jax", "jaxlib": "from_jax"}
    reader = readers.get(type(what).__module__.split(".")[0])
    return f"sn.{reader}(…) reads it" if reader else "sn.program(text), sn.Sequential(layers)"


@checked
def check(answer: str, derivation: Derivation, wrt: str, timeout: float | None = 20) -> Verdict:
    """Is ``answer`` the gradient with respect to ``wrt``? A Verdict with its certificate.

    What is not decided in ``timeout`` seconds is undecided, with that reason. The answer is judged in a process of its own, which is
    kept for the next one and can be killed; with None it is judged in this process, without a limit. Raises the error family for an
    answer that cannot be read.

    >>> import symnet as sn
    >>> d = sn.derive(sn.program("L = (w*x - y)**2"), wrt="w")
    >>> print(sn.check("2*x*(w*x - y)", d, "w"))
    proved
    """
    from symnet.batch.limited import check_alone, check_within

    if not isinstance(answer, str):
        raise OptionError("check", f"{a_kind(answer)} for an answer", "text, plain maths or LaTeX", "str(answer)")
    needs(derivation, Derivation, "check", "a Derivation", NEEDED)
    needs(wrt, str, "check, wrt", "the name of what was differentiated by")
    return check_alone(answer, derivation, wrt) if timeout is None else check_within(answer, derivation, wrt, timeout)


@checked
def report(derivation: Derivation, path: str | Path | None = None, *, level: str = "student", digits: int = 6,
           format: str | None = None, theorem: bool = True, notation: str = "both", samples: str = "rows",
           check: bool = True) -> Report:
    """The report of a derivation; written to ``path`` when there is one: its ending (.html, .tex, .pdf, .txt, .md, .json) says how.

    ``level`` is beginner, student or expert; ``digits`` the significant digits of decimals (1 to 60); ``notation`` both, matrix, index
    or scalar; ``samples`` rows or columns, for matrix notation. Every step and every printed line is checked, unless ``check`` is
    False. Raises OptionError, and FaultError for what is false.

    >>> import symnet as sn
    >>> made = sn.report(sn.derive(sn.program("L = (w*x - y)**2"), wrt="w"))
    >>> "chain rule" in made.text() or "differentiate" in made.text()
    True
    """
    from symnet.telling import report as tell

    needs(derivation, Derivation, "report", "a Derivation", NEEDED)
    return tell(derivation, path, level=level, digits=digits, format=format, theorem=theorem, notation=notation, samples=samples,
                check=check)
