"""Certificates of general theorems, for all sizes, depths and steps: proofs by hand in ``general.v``, which ship and are checked by coqc.

A derivation's certificate speaks of entries at given sizes. What holds for every number of samples, layers or steps is stated here once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from symnet.certificates.certificate import CertificateCheck, accepted, written
from symnet.core.signatures import checked
from symnet.errors import OptionError, did_you_mean, shown


@dataclass(frozen=True, slots=True)
class TheoremCertificate:
    """The theorem ``name``: what it says in ``words``, and the ``text`` of the file that proves it.

    >>> import symnet as sn
    >>> sn.certify_theorem("sigmoid-slope").words
    'the slope of a sigmoid is at most 1/4.'
    """

    name: str
    words: str
    text: str

    def write(self, path: str | Path) -> Path:
        """Write the file."""
        return written(self.text, path)

    def check(self, seconds: float = 600) -> CertificateCheck:
        """Let ``coqc`` check it. Raises OptionError where that is not installed."""
        return accepted(self.text, (), seconds)


@cache
def general_theorems() -> dict[str, TheoremCertificate]:
    """All of them by name."""
    text = files("symnet.certificates").joinpath("general.v").read_text(encoding="ascii")
    head, *parts = re.split(r"^\(\* ([a-z-]+): (.*) \*\)$", text, flags=re.MULTILINE)
    found = {}
    for name, words, body in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
        proved = body.split("Definition every_theorem")[0]
        needs = "".join(parts[k + 2] for k in range(0, len(parts), 3) if parts[k] == "depth") if name == "vanishing" else ""
        theorem = re.findall(r"^Theorem (\w+)", proved, flags=re.MULTILINE)[-1]
        found[name] = TheoremCertificate(
            name, words, f"{head}(* {name}: {words} *){needs}{proved.rstrip()}\n\nPrint Assumptions {theorem}.\n")
    return found


@checked
def certify_theorem(name: str, path: str | Path | None = None) -> TheoremCertificate:
    """The certificate of a general theorem, for every size, depth and number of steps; written to ``path`` where there is one.

    ``name`` is least-squares, depth, vanishing, sigmoid-slope, loss-scaling or descent-lemma. Raises OptionError for any other.

    >>> import symnet as sn
    >>> "forall (n : nat) (w : R)" in sn.certify_theorem("loss-scaling").text
    True
    """
    known = general_theorems()
    if name not in known:
        raise OptionError("certify_theorem", f"no theorem named {shown(name)}", "one of " + ", ".join(known), did_you_mean(name, known))
    made = known[name]
    if path is not None:
        made.write(path)
    return made
