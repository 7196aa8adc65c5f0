"""``certify``: a derivation's gradients as theorems in a file; ``certifiable``: whether that can be said, before it is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from symnet.certificates.certificate import Certificate, agreed
from symnet.certificates.entries import Lines, RocqFile, refuse_too_many
from symnet.certificates.lean import lean_text
from symnet.certificates.terms import NotExpressible
from symnet.core.derivation import Derivation
from symnet.core.signatures import checked
from symnet.errors import OptionError

FORMATS = ("rocq", "lean")
Sizes = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Certifiable:
    """Whether a certificate can say it, at ``sizes``: then ``theorems`` is how many it has and ``hypotheses`` what each assumes, as Rocq
    text; else ``construct`` is what it cannot say (a function, a size, a line) and ``why``."""

    expressible: bool
    sizes: Sizes
    theorems: int = 0
    hypotheses: tuple[str, ...] = ()
    construct: str = ""
    why: str = ""

    def __bool__(self) -> bool:
        return self.expressible

    def __str__(self) -> str:
        if not self.expressible:
            return f"not expressible: {self.construct}: {self.why}"
        given = f", assuming {'; '.join(self.hypotheses)}" if self.hypotheses else ""
        return f"expressible: {self.theorems} theorem{'s' if self.theorems != 1 else ''}{given}"


@checked
def certifiable(derivation: Derivation, sizes: Sizes | None = None) -> Certifiable:
    """Will ``certify`` be able to say it? Each function, construct and size is looked at; nothing is written and no kernel is asked.

    Raises OptionError and ShapeError for sizes that are none.

    >>> import symnet as sn
    >>> print(sn.certifiable(sn.derive(sn.program("L = (w*x - y)**2"), wrt="w")))
    expressible: 1 theorem
    >>> print(sn.certifiable(sn.derive(sn.program("L = stop_gradient(w)*w"), wrt="w")))
    not expressible: stop_gradient: what is derived is not the derivative of the objective as written
    """
    given = _sizes(derivation, sizes)
    try:
        made = _rocq(derivation, given)
    except NotExpressible as error:
        return Certifiable(False, given, construct=error.construct, why=error.why)
    return Certifiable(True, given, len(made.theorems), made.hypotheses)


@checked
def certify(derivation: Derivation, path: str | Path | None = None, *, sizes: Sizes | None = None,
            format: str | None = None, decimals: bool = False) -> Certificate:
    """A certificate: for each gradient entry a theorem that a kernel which is not ours can check; written to ``path`` where there is one.

    The theorem of the entry p of the objective L says, for all real inputs that meet the hypotheses, that dL_dp is the derivative of L as
    p alone moves; L and dL_dp are defined line by line as the derivation has them. Hypotheses are what is declared (a domain, Σy = 1)
    and what a line asks for: no kink, a positive argument of a logarithm. ``sizes`` gives every size a number. ``format`` is "rocq" (8.16
    or later, with Coquelicot; ``certificate.check()`` runs it) or "lean" (the statements alone, which nothing here checks); else the
    ending says it. ``decimals`` adds theorems that bound the objective and each gradient at the worksheet's values, to six digits; they
    need Rocq's Interval library, and rest on the processor's integers too.
    Before it is written a second reader reads the file back and compares it with the derivation.

    Raises OptionError (NotExpressible where a certificate cannot say it, see ``certifiable``), ShapeError for sizes, FaultError.

    >>> import symnet as sn
    >>> made = sn.certify(sn.derive(sn.program("L = (w*x - y)**2"), wrt="w"))
    >>> made.theorems, made.hypotheses
    (('gradient_v_w',), ())
    >>> "is_derive (fun t => v_L (put_v_w e t)) (v_w e) (v_dL_dw e)" in made.text
    True
    """
    how = format or {".lean": "lean"}.get(Path(path).suffix if path else "", "rocq")
    if how not in FORMATS:
        raise OptionError("certify, format", repr(format), "rocq or lean")
    given = _sizes(derivation, sizes)
    derivation.check()  # a false step is a fault, and nothing is built on it
    made = agreed(_rocq(derivation, given, decimals))
    if how == "lean":
        made = replace(made, format="lean", text=lean_text(_file(derivation, given)))
    if path is not None:
        made.write(path)
    return made


def _rocq(derivation: Derivation, sizes: Sizes, decimals: bool = False) -> Certificate:
    if any(s not in sizes for s in map(str, derivation.program.sizes)):
        missing = [s for s in map(str, derivation.program.sizes) if s not in sizes]
        raise NotExpressible("sizes", f"no number for {', '.join(missing)}",
                             f"--sizes {','.join(f'{m}=2' for m in missing)}, or sizes={{…}} in Python")
    file = _file(derivation, sizes, decimals)
    return Certificate("rocq", file.text(), tuple(file.theorems.values()), tuple(file.theorems),
                       tuple(file.prop(h, "e") for h in file.lines.hypotheses), dict(sizes), derivation)


def _file(derivation: Derivation, sizes: Sizes, decimals: bool = False) -> RocqFile:
    refuse_too_many(derivation, sizes)
    return RocqFile(Lines(derivation, derivation.instantiate(dict(sizes))), decimals)


def _sizes(derivation: Derivation, sizes: Sizes | None) -> Sizes:
    """The sizes given, with those that the worksheet knows."""
    known = {str(s) for s in derivation.program.sizes}
    for name, size in (sizes or {}).items():
        if name not in known:
            raise OptionError("certify, sizes", f"no size named {name!r}", "one of " + ", ".join(sorted(known)) if known else "no sizes")
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            raise OptionError(f"certify, size {name}", repr(size), "a positive whole number")
    return dict(sizes or {})
