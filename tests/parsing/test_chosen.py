"""Places read from data: P[n, y[n]], E[y], onehot(y, C) and worksheets with class indices."""

from __future__ import annotations

import pytest

import symnet as sn
from symnet.calculus import derive
from symnet.core.axes import Axis, size
from symnet.core.tensors import Tensor
from symnet.core.verdict import Answer
from symnet.errors import ShapeError, WorksheetError
from symnet.parsing.worksheet import parse_worksheet
from symnet.worksheet_loader import check_worksheet, derivation_of

CLASSES = Tensor("y", (Axis.of("N"),), "index", classes=size("C"))
TENSORS = {"X": ("N", "d"), "W": ("d", "C"), "E": ("C", "d"), "z": ("N",), "y": CLASSES}


def lines(*text: str) -> str:
    return str(sn.program(*text, tensors=TENSORS))


@pytest.mark.parametrize(("text", "right"), [
    ("L = sum(E[y[n], 1] for n in 1..N)", "sum([c == y[n] + 1]*E[c, 1] for n in 1..N for c in 1..C)"),
    ("L = sum(E[y])", "sum([c == y[n] + 1]*E[c, j] for n in 1..N for c in 1..C for j in 1..d)"),
    ("L = sum(onehot(y, C)*(X @ W))", "sum([c == y[n] + 1]*X[n, i]*W[i, c] for n in 1..N for c in 1..C for i in 1..d)"),
], ids=["one entry", "rows", "onehot"])
def test_a_place_from_data_is_a_bracket(text: str, right: str) -> None:
    short, long = (derive(sn.program(t, tensors=TENSORS), ["E" if "E" in text else "W"]) for t in (text, f"L = {right}"))
    values = {"E": [[1, 2], [3, "1/2"], [5, -1]], "y": [2, 0, 2, 1], "X": [[1, 2]] * 4, "W": [[1, 2, 3], [4, 5, 6]]}
    used = {t.name for t in short.program.inputs}
    point = {k: v for k, v in values.items() if k in used} | {"z": [0] * 4}
    assert short.at(point).exact("L") == long.at(point).exact("L")
    assert all(s.check() for s in short.steps)


def test_the_logarithm_goes_inside() -> None:
    d = derive(sn.program("P = softmax(X @ W)", "L = -sum(log(P[n, y[n]]) for n in 1..N)/N", tensors=TENSORS), ["W"])
    assert "log(P[n, j])" in str(d.program.definitions[-1]) and all(s.check() for s in d.steps)


def test_a_place_of_real_numbers_is_refused() -> None:
    with pytest.raises(ShapeError, match='domain = "index"'):
        lines("L = sum(X[n, z[n]] for n in 1..N)")


SHEET = """
[symbols]
X = { shape = ["N", "d"], value = [["1", "2"], ["0.5", "-1"], ["0", "1"]] }
W = { shape = ["d", "C"], value = [["1", "0", "-1", "2"], ["0.5", "1", "0", "0"]] }
y = { shape = ["N"], domain = "index", classes = "C", value = ["2", "0", "3"] }
[program]
definitions = ["Z = X @ W", "P = softmax(Z)"]
objective = "-sum(log(P[n, y[n]]) for n in 1..N)/N"
wrt = ["W"]
[[answers]]
wrt = "Z"
text = "(P - onehot(y, C))/N"
[[answers]]
wrt = "Z"
text = "(P + onehot(y, C))/N"
"""


def test_a_worksheet_with_class_indices_is_derived_and_checked() -> None:
    sheet = parse_worksheet(SHEET)
    assert [r.verdict.answer for r in check_worksheet(sheet)] == [Answer.PROVED, Answer.REFUTED]
    made = derivation_of(sheet)
    values = made.at(made.values)
    assert values.decimal("L", 6) == "2.50407"


@pytest.mark.parametrize("spec", ['domain = "index"', 'classes = "C"', 'domain = "index", classes = ["C"]'])
def test_classes_and_the_domain_go_together(spec: str) -> None:
    with pytest.raises(WorksheetError):
        parse_worksheet(f'symbols.y = {{ shape = ["N"], {spec} }}')
