"""The corpus of certificates and the table that it makes: ``python -m tests.certificates.corpus --update`` writes docs/certificates.md.

Each row is a derivation at small sizes: every shipped worksheet, every loss behind three activations, every activation with two losses, and other layers with a squared error.
A row is accepted (by coqc and by the second reader), refused, or not expressible, with the reason.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import symnet as sn

PAGE = Path(__file__).parents[2] / "docs" / "certificates.md"
SHEETS: dict[str, dict[str, int]] = {
    "first": {}, "two-two-two": {}, "ages": {}, "softmax-regression": {"N": 2, "d": 2, "k": 3}, "xor": {"N": 2},
    "mlp": {"N": 1, "d": 2, "h": 2, "k": 2}, "digits": {"N": 1, "d": 2, "h": 2, "k": 2}, "depth": {"L": 2, "d": 2}, "rnn": {"T": 2, "d": 1, "m": 2},
    "lstm": {"T": 2, "d": 1, "m": 1, "k": 2}, "convolution": {"K": 2, "M": 3}, "transformer": {"d": 2, "H": 1, "f": 2, "T": 2, "d_h": 1}}
ACTIVATIONS: dict[str, Callable[[], sn.Layer]] = {
    name: getattr(sn, name) for name in
    ("Sigmoid LogSigmoid Tanh ReLU ReLU6 LeakyReLU ELU SELU CELU GELU SiLU Mish Softplus Softsign Softmax LogSoftmax Softmin Hardtanh "
     "Hardsigmoid Hardswish Tanhshrink Softshrink Hardshrink PReLU").split()} | {"Threshold": lambda: sn.Threshold(0.5, 0.2)}
LOSSES = ("MSELoss HalfSquaredError L1Loss SmoothL1Loss HuberLoss BCELoss BCEWithLogitsLoss CrossEntropyLoss NLLLoss KLDivLoss "
          "PoissonNLLLoss HingeLoss SoftMarginLoss").split()
WITH_EVERY_LOSS, SOME_LOSSES = ("Sigmoid", "Tanh", "ReLU"), ("MSELoss", "CrossEntropyLoss")
OTHERS: dict[str, tuple[Callable[[], sn.Sequential], dict[str, int]]] = {
    "LayerNorm": (lambda: sn.Sequential(sn.Linear(1, 2), sn.LayerNorm(2)), {"N": 1}),
    "RMSNorm": (lambda: sn.Sequential(sn.Linear(1, 2), sn.RMSNorm(2)), {"N": 1}),
    "BatchNorm1d": (lambda: sn.Sequential(sn.Linear(1, 1), sn.BatchNorm1d(1)), {"N": 2}),
    "Dropout": (lambda: sn.Sequential(sn.Linear(1, 2), sn.Dropout(0.5)), {"N": 1}),
    "Residual": (lambda: sn.Sequential(sn.Residual(sn.Linear(2, 2), sn.Tanh())), {"N": 1}),
    "Bilinear": (lambda: sn.Sequential(sn.Bilinear(1, 1, 1)), {"N": 1}),
    "GLU": (lambda: sn.Sequential(sn.Linear(1, 4), sn.GLU()), {"N": 1}),
    "Identity": (lambda: sn.Sequential(sn.Linear(1, 2), sn.Identity()), {"N": 1}),
}


@dataclass(frozen=True)
class Row:
    """One derivation of the corpus: its ``name``, what makes it, at which ``sizes``."""

    name: str
    make: Callable[[], sn.Derivation]
    sizes: dict[str, int]


@dataclass(frozen=True)
class Found:
    """What was found of a row."""

    name: str
    sizes: str
    verdict: str
    theorems: int
    seconds: float


def rows() -> Iterator[Row]:
    """The corpus, in the order of the table."""
    for name, sizes in SHEETS.items():
        yield Row(f"worksheet {name}", lambda name=name: sn.load(name), sizes)
    for activation, layer in ACTIVATIONS.items():
        for loss in LOSSES if activation in WITH_EVERY_LOSS else SOME_LOSSES:
            yield Row(f"{activation} × {loss}",
                      lambda layer=layer, loss=loss: sn.derive(sn.Sequential(sn.Linear(1, 2), layer()), loss=loss), {"N": 1})
    for name, (network, sizes) in OTHERS.items():
        yield Row(f"{name} × MSELoss", lambda network=network: sn.derive(network(), loss="MSELoss"), sizes)


def found(row: Row, run: bool = True) -> Found:
    """What becomes of a row; with ``run=False`` the kernel is not asked, and the verdict is "expressible" or why not."""
    sizes = ", ".join(f"{k}={v}" for k, v in row.sizes.items())
    try:
        derivation = row.make()
        asked = sn.certifiable(derivation, {k: v for k, v in row.sizes.items() if k in map(str, derivation.program.sizes)})
        if not asked:
            return Found(row.name, sizes, str(asked), 0, 0.0)
        if not run:
            return Found(row.name, sizes, "expressible", asked.theorems, 0.0)
        certificate = sn.certify(derivation, sizes=asked.sizes)
    except sn.SymnetError as error:
        return Found(row.name, sizes, f"not derived: {error}", 0, 0.0)
    checked = certificate.check()
    return Found(row.name, sizes, "accepted" if checked else f"refused: {checked.reason[:100]}", len(certificate.theorems), checked.seconds)


HEAD = """# Certificates: what a foreign kernel accepts

Made by `python -m tests.certificates.corpus --update`; a test runs a sample of it, and all of it with `--whole`. *accepted*: coqc 8.16 with
Coquelicot accepts every theorem of the file, `Print Assumptions` lists nothing but the standard axioms of the real numbers, and the second
reader reads the derivation's own gradients in it. The sizes are small on purpose: a certificate is about the formulas, each entry a theorem
over all real numbers. The seconds are those of one run on a busy machine; the library at the head of every file takes about two of them.

| derivation | sizes | result | theorems | seconds |
|---|---|---|---|---|
"""


def table(results: list[Found]) -> str:
    """The page."""
    counts = [sum(r.verdict.startswith(w) for r in results) for w in ("accepted", "refused", "not expressible", "not derived")]
    lines = [f"| {r.name} | {r.sizes} | {r.verdict.replace('|', '/')} | {r.theorems or ''} | {f'{r.seconds:.0f}' if r.seconds else ''} |"
             for r in results]
    last = (f"\n{len(results)} derivations: {counts[0]} accepted, {counts[1]} refused, {counts[2]} not expressible, "
            f"{counts[3]} that no derivation is made of.\n")
    return HEAD + "\n".join(lines) + "\n" + last


def told(page: str) -> dict[str, tuple[str, str, str]]:
    """What a page says of each row: sizes, result and theorems; without the seconds."""
    return {r.name: (r.sizes, r.verdict, str(r.theorems or "")) for r in kept(page)}


def kept(page: str) -> list[Found]:
    """The rows of a page."""
    cells = [[c.strip() for c in line.strip("\n").split("|")[1:-1]] for line in page.split("\n") if line.startswith("| ")]
    return [Found(c[0], c[1], c[2], int(c[3] or 0), float(c[4] or 0)) for c in cells if c[0] != "derivation"]


def main() -> None:
    """Run the corpus and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--update", action="store_true", help="write docs/certificates.md")
    parser.add_argument("--only", default="", help="the rows whose names hold this")
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    wanted = [r for r in rows() if options.only in r.name]
    results = []
    with ThreadPoolExecutor(options.jobs) as pool:
        for result in pool.map(found, wanted):
            print(f"{result.name}: {result.verdict} ({result.theorems} theorems, {result.seconds:.1f} s)", file=sys.stderr, flush=True)
            results.append(result)
    if options.only and options.update:  # the other rows stay as they are
        new = {r.name: r for r in results}
        results = [new.get(r.name, r) for r in kept(PAGE.read_text(encoding="utf-8"))]
    page = table(results)
    if options.update:
        PAGE.write_text(page, encoding="utf-8")
    else:
        print(page)


if __name__ == "__main__":
    main()
