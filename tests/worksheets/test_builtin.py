"""Every worksheet that comes with symnet makes a report, and each of its steps checks."""

from __future__ import annotations

import importlib

import pytest

import symnet as sn
from symnet.errors import WorksheetError
from symnet.worksheets.builtin import lines_text, names, worksheet_text


def test_the_promised_worksheets_are_there() -> None:
    assert {"first", "two-two-two", "softmax-regression", "ages", "xor", "digits", "mlp", "depth", "rnn", "convolution", "lstm",
            "transformer"} <= set(names())


@pytest.mark.parametrize("name", names())
def test_every_step_checks(name: str) -> None:
    d = sn.load(name)
    assert d.steps and all(step.check() for step in d.steps)


@pytest.mark.parametrize("name", sorted(set(names()) - {"digits"}))
def test_every_worksheet_makes_a_report(name: str) -> None:
    importlib.import_module("jinja2")
    made = sn.report(sn.load(name))
    assert sn.load(name).meta["title"] in made.text()
    assert made.html().count("<math") > 20 and made.latex().endswith("\\end{document}") and made.markdown().count("$$") > 4


@pytest.mark.slow
def test_the_digits_train() -> None:
    importlib.import_module("sklearn")
    assert 'class="curve"' in sn.report(sn.load("digits")).html()


def test_published_numbers_of_the_two_two_two_network() -> None:
    """Mazur (2015), A step by step backpropagation example: nine digits as printed there."""
    d = sn.load("two-two-two")
    e = d.at(sizes=d.meta["sizes"])
    assert e.decimal("a1", 9) == ["0.593269992", "0.596884378"]
    assert e.decimal("a2", 9) == ["0.751365070", "0.772928465"]
    assert e.decimal("L", 9) == "0.298371109"
    assert e.decimal("dL_dW2", 8)[0][0] == "0.082167041"
    assert e.decimal("dL_dW1", 6)[0][0] == "0.000438568"


@pytest.mark.parametrize("bad", ["nope", "../first", "first.toml", "FIRST", "", "a" * 100])
def test_other_names_are_refused(bad: str) -> None:
    with pytest.raises(WorksheetError):
        worksheet_text(bad)
    with pytest.raises(WorksheetError):
        lines_text(bad)


@pytest.mark.parametrize(("name", "most"), [("first", 0.01), ("xor", 0.01), ("ages", 0.15), pytest.param("digits", 0.1, marks=pytest.mark.slow)])
def test_the_shipped_training_learns(name: str, most: float) -> None:
    """The loss after the epochs that the worksheet asks for."""
    if name == "digits":
        importlib.import_module("sklearn")
    from symnet.training.run import train_sheet

    assert train_sheet(sn.load(name), {}, progress=False).losses[-1] < most
