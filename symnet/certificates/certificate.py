"""A certificate: the text of a file, what it states, and what a kernel that is not ours says of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from symnet.certificates.coqc import INSTALL, INTEGERS, STANDARD, compiled, coqc
from symnet.certificates.second_reader import read_back
from symnet.core.derivation import Derivation
from symnet.errors import FaultError, OptionError


@dataclass(frozen=True, slots=True)
class CertificateCheck:
    """What was found: the certificate is ``accepted`` when the kernel accepts it, it rests on the standard axioms of the real numbers
    alone, and the second reader reads the derivation's own gradients in it; else the ``reason``."""

    accepted: bool
    reason: str
    axioms: tuple[str, ...]
    seconds: float

    def __bool__(self) -> bool:
        return self.accepted


@dataclass(frozen=True)
class Certificate:
    """The ``text`` in ``format`` ("rocq" or "lean"), the names of its ``theorems``, one for each gradient entry in the order of
    ``entries``, and the ``hypotheses`` that each has, as they stand there; ``sizes`` are those of the entries.

    >>> import symnet as sn
    >>> made = sn.certify(sn.derive(sn.program("L = log(w)*x", tensors={"w": {"domain": "positive"}, "x": {}}), wrt="w"))
    >>> made.entries, made.hypotheses, made.read_back()
    (('w',), ('0 < v_w e',), ())
    """

    format: str
    text: str
    theorems: tuple[str, ...]
    entries: tuple[str, ...]
    hypotheses: tuple[str, ...]
    sizes: Mapping[str, int]
    derivation: Derivation = field(repr=False)

    def write(self, path: str | Path) -> Path:
        """Write the file."""
        return written(self.text, path)

    def read_back(self) -> tuple[str, ...]:
        """What the second reader finds wrong; nothing where the file states the derivation's gradients."""
        return read_back(self.text, self.derivation, self.sizes) if self.format == "rocq" else ()

    def check(self, seconds: float = 600) -> CertificateCheck:
        """Let the second reader read it and ``coqc`` check it. Raises OptionError where that is not installed, or for Lean."""
        if self.format != "rocq":
            raise OptionError("certificate", "Lean is not checked here", "a certificate for Rocq")
        return accepted(self.text, self.read_back(), seconds)


def written(text: str, path: str | Path) -> Path:
    """Write ``text`` to a file. Raises OptionError for one that cannot be written."""
    where = Path(path)
    try:
        where.write_text(text, encoding="utf-8")
    except OSError as error:
        raise OptionError("certificate", f"{path}: {error.strerror or error}", "a file that can be written") from None
    return where


def accepted(text: str, faults: tuple[str, ...], seconds: float) -> CertificateCheck:
    """What coqc says of a file in which the second reader found ``faults``."""
    if coqc() is None:
        raise OptionError("certificate", "coqc is not installed", "Rocq with Coquelicot", INSTALL)
    found = compiled(text, seconds)
    foreign = sorted({*found.axioms, *[a for a in found.of_decimals if not a.startswith(INTEGERS)]} - set(STANDARD))
    reason = faults[0] if faults else "" if found.accepted and not foreign else \
        f"it rests on {', '.join(foreign)}" if foreign else f"coqc refuses it: {found.message}"
    return CertificateCheck(not reason, reason, found.axioms, found.seconds)


def agreed(certificate: Certificate) -> Certificate:
    """The certificate, once the second reader agrees. Raises FaultError where it does not: a fault of symnet."""
    faults = certificate.read_back()
    if faults:
        raise FaultError("certificate", faults[0])
    return certificate
