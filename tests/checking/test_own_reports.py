"""The law: no line of symnet's own reports is called wrong by symnet's own judge of pages, and all that it says of a network is proved.

What a report says of this network is read back in every format; what it says of training in general (the theorem about dividing the loss,
the rules of an optimizer) names things that are not of this network, so those lines are undecided. A share of sheets, levels,
notations and formats is read by default, all of them with --whole. A local slope at a shifted place, of which a condition says where it is,
is not read either.
"""

from __future__ import annotations

from itertools import product

import pytest

import symnet as sn
from symnet.core.page_verdict import Judged, Mark
from symnet.parsing.page_files import github_page, latex_page
from symnet.worksheets.builtin import names

FORMATS, LEVELS, NOTATIONS = ("md", "text", "latex"), ("beginner", "student", "expert"), ("both", "matrix", "index", "scalar")
QUICK = [("first", "beginner", "both", "md"), ("first", "student", "both", "text"), ("first", "expert", "scalar", "latex"),
         ("softmax-regression", "student", "both", "md"), ("softmax-regression", "expert", "index", "text"),
         ("convolution", "beginner", "both", "latex"), ("rnn", "expert", "scalar", "text"), ("lstm", "student", "both", "text")]
WHOLE = list(product(names(), LEVELS, NOTATIONS, FORMATS))
# what an undecided line is about, by a word of it
GENERAL = {"the theorem about two runs": ("tilde", "v[t", "v[0]", "w[t", "w^{(t", "w[0]", "grad (L/c)", r"\nabla \left(\frac{L}{c}"),
           "the rule of an optimizer": (r"\mathrm{new}} = ", "_new = ", "_hat = ", r"\hat{m} = ", r"\hat{v} = "), "the run of training": ("epochs over",),
           "a slope only where it is": (r"\text{where } \left[", " where [")}


def page_of(name: str, level: str, notation: str, written: str) -> str:
    text = sn.report(sn.load(name), level=level, notation=notation, check=False).as_format(written)
    return latex_page(text) if written == "latex" else github_page(text)


def kind(j: Judged) -> str:
    return next((k for k, words in GENERAL.items() if any(w in j.text for w in words)), "")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "which" in metafunc.fixturenames:
        metafunc.parametrize("which", WHOLE if metafunc.config.getoption("--whole") else QUICK, ids="-".join)


def test_no_line_of_a_report_is_called_wrong(which: tuple[str, str, str, str]) -> None:
    found = sn.check_page(page_of(*which), which[0], timeout=None)
    assert not found.wrong, str(found)
    strange = [(j.line, j.text, j.slip) for j in found.undecided if not kind(j)]
    assert not strange
    assert sum(j.mark in (Mark.RIGHT, Mark.PUT_IN) for j in found.claims) >= 5


def test_a_line_of_a_report_that_is_changed_is_called_wrong() -> None:
    page = page_of("first", "student", "both", "md").replace(r"\approx -0.220694$$", r"\approx -0.230694$$", 1)
    assert sn.check_page(page, "first", timeout=None).errors[0].printed == "-0.230694"
    page = page_of("softmax-regression", "student", "index", "text").replace("p[n, j] - Y[n, j]", "p[n, j] + Y[n, j]")
    assert {j.name for j in sn.check_page(page, "softmax-regression", timeout=None).errors} == {"dL/dz1[n, j]"}
