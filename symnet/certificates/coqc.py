"""Runs ``coqc``, the compiler of Rocq (Coq 8.16 or later), on a certificate, and reads what the theorems rest on."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

STANDARD = {
    "ClassicalDedekindReals.sig_forall_dec":
        "forall P : nat -> Prop, (forall n : nat, {P n} + {~ P n}) -> {n : nat | ~ P n} + {forall n : nat, P n}",
    "ClassicalDedekindReals.sig_not_dec": "forall P : Prop, {~ ~ P} + {~ P}",
    "Classical_Prop.classic": "forall P : Prop, P \\/ ~ P",
    "FunctionalExtensionality.functional_extensionality_dep":
        "forall (A : Type) (B : A -> Type) (f g : forall x : A, B x), (forall x : A, f x = g x) -> f = g"}
"""The axioms of Rocq's reals and of classical analysis that Coquelicot uses, and what each says: a certificate has no other."""
INTEGERS = ("PrimInt63.", "Uint63.")
"""Where the axioms of the processor's integers stand, with which ``interval`` computes: decimals rest on them too, gradients do not."""
INSTALL = "apt-get install --no-install-recommends coq libcoq-coquelicot libcoq-interval"


@dataclass(frozen=True, slots=True)
class Compiled:
    """What ``coqc`` said: ``accepted``, the ``axioms`` that the gradients rest on, those ``of_decimals``, ``message`` where it refused,
    ``seconds`` it took."""

    accepted: bool
    axioms: tuple[str, ...]
    of_decimals: tuple[str, ...]
    message: str
    seconds: float


def coqc() -> str | None:
    """Where the compiler is, with Coquelicot; None where it is not installed."""
    return shutil.which("coqc")


def compiled(text: str, seconds: float = 600) -> Compiled:
    """What the kernel says of a file; raises FileNotFoundError where ``coqc`` is missing."""
    program = coqc()
    if program is None:
        raise FileNotFoundError("coqc")
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "certificate.v").write_text(text, encoding="ascii")
        try:
            run = subprocess.run([program, "-q", "-w", "none", "certificate.v"], cwd=folder, capture_output=True, text=True,
                                 timeout=seconds, check=False)
        except subprocess.TimeoutExpired:
            return Compiled(False, (), (), f"no answer in {seconds:g} s", time.monotonic() - start)
    message = " ".join(run.stderr.split())[:400]
    printed = re.split(r"^(?:Axioms:|Closed under the global context)$", run.stdout, flags=re.MULTILINE)[1:]
    return Compiled(run.returncode == 0, axioms("".join(printed[:1])), axioms("".join(printed[1:])), message, time.monotonic() - start)


def axioms(output: str) -> tuple[str, ...]:
    """The axioms that ``Print Assumptions`` lists: a standard one by its whole name where it says what that says, any other with all
    that it says.

    >>> axioms("Axioms:\\nsig_not_dec : forall P : Prop, {~ ~ P} + {~ P}\\nlie : False\\n")
    ('ClassicalDedekindReals.sig_not_dec', 'lie : False')
    """
    blocks = re.findall(r"^([A-Za-z_][\w.']*)\s*:\s((?:.*)(?:\n[ \t]+.*)*)", output.replace("Axioms:", ""), re.MULTILINE)
    found = list[str]()
    for name, said in blocks:
        said = " ".join(said.split())
        found.append(next((whole for whole, says in STANDARD.items() if says == said and f".{whole}".endswith(f".{name}")),
                          f"{name} : {said}"))
    return tuple(sorted(set(found)))
