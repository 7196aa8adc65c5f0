"""T above a number, where T is a declared size, is a power; above an array it is a transpose; ``**T`` is always a power, as in NumPy."""

from __future__ import annotations

import pytest

import symnet as sn
from symnet.errors import NameError_

TENSORS = {"r": ("T",), "b": (), "X": ("N", "d")}


@pytest.mark.parametrize(("text", "value"), [
    ("b**T", 8), ("b^T", 8), ("b^{T}", 8), ("(1-b)^T", -1), ("2^T*b", 16), ("r[1]^T", 125), ("r^T r", 25 + 49 + 1), ("r.T @ r", 25 + 49 + 1),
    ("b^T/(1 - b^T)", "-8/7")])
def test_each_spelling_at_numbers(text: str, value: object) -> None:
    d = sn.derive(sn.program(f"L = {text} + 0*sum(r)", tensors=TENSORS), wrt=["b"])
    found = d.at({"b": "2", "r": ["5", "7", "1"], "X": [["1", "2"]]}, sizes={"T": 3, "N": 1, "d": 2}).exact("L")
    assert str(found) == str(value)
    assert all(d.check())


def test_a_transpose_stays_one() -> None:
    p = sn.program("L = sum(X^T @ X)", tensors=TENSORS)
    assert p.definitions[0].expr == sn.program("L = sum(X.T @ X)", tensors=TENSORS).definitions[0].expr


@pytest.mark.parametrize("answer", ["T*b**(T-1)*sum(r)", "T*b^T/b*sum(r)", r"T b^{T-1} \sum_t r_t", r"\frac{T b^T}{b} \sum_t r_t"])
def test_right_answers_with_a_power_are_right(answer: str) -> None:
    d = sn.derive(sn.program("L = sum(r)*b**T", tensors=TENSORS), wrt=["b"])
    assert sn.check(answer, d, wrt="b").answer == ("almost_everywhere" if "/b" in answer or "frac" in answer else "proved")
    assert sn.check(answer.replace("T b", "2 b").replace("T*b", "2*b"), d, wrt="b").answer == "refuted"


def test_without_a_declared_t_a_power_by_it_has_no_meaning() -> None:
    with pytest.raises(NameError_, match="unknown name 'T'"):
        sn.program("L = b**T", tensors={"b": ()})
