"""docs/certificates.md says what becomes of the corpus: of all rows whether they can be said, of a sample what the kernel says."""

from __future__ import annotations

import pytest

from symnet.certificates.coqc import INSTALL, coqc
from tests.certificates.corpus import PAGE, found, rows, told

SAMPLE = ("worksheet depth", "Softmax × CrossEntropyLoss")


def test_the_page_has_the_rows_of_the_corpus() -> None:
    assert list(told(PAGE.read_text(encoding="utf-8"))) == [r.name for r in rows()]


def test_what_can_be_said_is_what_the_page_says(request: pytest.FixtureRequest) -> None:
    page = told(PAGE.read_text(encoding="utf-8"))
    share = 1 if request.config.getoption("--whole") else 6
    for row in list(rows())[::share]:
        now = found(row, run=False)
        sizes, verdict, theorems = page[row.name]
        assert sizes == now.sizes, row.name
        assert (verdict if now.verdict != "expressible" else now.verdict) == now.verdict, row.name
        assert theorems == str(now.theorems or ""), row.name


@pytest.mark.skipif(coqc() is None, reason=f"coqc is not installed: {INSTALL}")
@pytest.mark.parametrize("name", [*SAMPLE, "all others"])
def test_the_kernel_says_what_the_page_says(name: str, request: pytest.FixtureRequest) -> None:
    if name not in SAMPLE and not request.config.getoption("--whole"):
        pytest.skip("asked with --whole")
    page = told(PAGE.read_text(encoding="utf-8"))
    for row in rows():
        if row.name == name or (name not in SAMPLE and row.name not in SAMPLE):
            now = found(row)
            assert (now.sizes, now.verdict, str(now.theorems or "")) == page[row.name], row.name
