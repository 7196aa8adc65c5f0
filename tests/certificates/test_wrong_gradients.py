"""Two hundred wrong gradients: the kernel proves none of them, and the second reader finds every one in a file that holds it."""

from __future__ import annotations

import re

import pytest

import symnet as sn
from symnet.certificates.coqc import INSTALL, compiled, coqc
from symnet.certificates.second_reader import read_back
from tests.certificates.wrong import wrong_lines

SOURCES: dict[str, tuple[dict[str, int], int]] = {
    "first": ({}, 50), "two-two-two": ({}, 80), "xor": ({"N": 1}, 50), "softmax-regression": ({"N": 1, "d": 1, "k": 2}, 20)}

SAMPLE = ("first",)


def with_line(text: str, name: str, body: str) -> str:
    """The file with another right side of one definition."""
    changed, times = re.subn(rf"(?m)^(Definition {re.escape(name)} \(e : point\) : R := ).*\.$", lambda m: m.group(1) + body + ".", text)
    assert times == 1
    return changed


def attempts(sheet: str) -> tuple[str, list[tuple[str, str]]]:
    """A file with an attempt at each wrong line, which must fail, and the files in which each stands in its place."""
    from symnet.certificates.entries import Lines, RocqFile
    from symnet.certificates.terms import term_of

    sizes, most = SOURCES[sheet]
    derivation = sn.load(sheet)
    scalars = derivation.instantiate(sizes)
    file = RocqFile(Lines(derivation, scalars))
    text = file.text()
    written, tried = [], {}
    for k, (name, slip, line) in enumerate(wrong_lines(scalars, most)):
        gradient, body = f"v_{line.name}", file.write(term_of(line.expr), "e")
        lemma = re.search(rf"Lemma adjoint_v_{name} : (.*)\.\nProof\. (.*)\. Qed\.", text)
        assert lemma is not None
        statement, proof = (part.replace(gradient + " ", f"wrong_{k} ").replace(gradient + ".", f"wrong_{k}.").replace(
            gradient + ",", f"wrong_{k},") for part in (lemma.group(1), lemma.group(2)))
        proof = proof.replace(". ", "; ").replace(gradient, f"wrong_{k}")
        tried.setdefault(lemma.group(0), []).append(
            f"Definition wrong_{k} (e : point) : R := {body}.\nGoal {statement}.\nProof. Fail ({proof}). Abort.")
        written.append((f"{name}: {slip}", with_line(text, gradient, body)))
    for lemma, lines in tried.items():
        text = text.replace(lemma, lemma + "\n" + "\n".join(lines))
    return text, written


@pytest.mark.parametrize("sheet", SOURCES)
def test_no_wrong_gradient_is_read_as_the_derivation(sheet: str, request: pytest.FixtureRequest) -> None:
    _, written = attempts(sheet)
    assert len(written) == SOURCES[sheet][1]
    derivation, (sizes, _) = sn.load(sheet), SOURCES[sheet]
    share = 1 if request.config.getoption("--whole") else 5
    assert [what for what, text in written[::share] if not read_back(text, derivation, sizes)] == []


@pytest.mark.skipif(coqc() is None, reason=f"coqc is not installed: {INSTALL}")
@pytest.mark.parametrize("sheet", SOURCES)
def test_the_kernel_proves_no_wrong_gradient(sheet: str, request: pytest.FixtureRequest) -> None:
    if sheet not in SAMPLE and not request.config.getoption("--whole"):
        pytest.skip("asked with --whole")
    text, _ = attempts(sheet)
    assert text.count("Fail (") == SOURCES[sheet][1]
    found = compiled(text)
    assert found.accepted, found.message  # every attempt fails, and the right ones beside them are proved
