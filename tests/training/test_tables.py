"""Data from files: which column is what, classes in words and numbers, and what is refused, with its row and column."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.errors import SymnetError
from symnet.training.tables import arrays_from

FLOWERS = "sepal,petal,species\n1,2,setosa\n1.5,1e0,virginica\n0.3,2.5,setosa\n1.1,0.9,versicolor\n"
NETS: dict[str, Any] = {
    "shares": sn.derive(sn.Sequential(sn.Linear("d", 3)), loss=sn.CrossEntropyLoss(), batch="N"),
    "named": sn.derive(sn.Sequential(sn.Linear("d", "k")), loss=sn.CrossEntropyLoss(), batch="N"),
    "labels": sn.derive(sn.Sequential(sn.Linear("d", 3)), loss=sn.CrossEntropyLoss(indices=True), batch="N"),
    "one": sn.derive(sn.Sequential(sn.Linear("d", 1)), loss=sn.BCEWithLogitsLoss(), batch="N"),
    "numbers": sn.derive(sn.Sequential(sn.Linear("d", "k")), loss="mse", batch="N"),
    "two": sn.derive(sn.Sequential(sn.Linear("d", 2)), loss="mse", batch="N"),
    "by name": sn.derive(sn.program("r = w*height - weight", "L = sum(r**2)", tensors={"height": ("N",), "weight": ("N",), "w": ()}, objective="L"), wrt="w"),
}


def read(tmp_path: Path, net: str, text: str, name: str = "data.csv", **options: Any) -> dict[str, Any]:
    (tmp_path / name).write_text(text, encoding="utf-8")
    return arrays_from(tmp_path / name, NETS[net].program, NETS[net].wrt, **options)


@pytest.mark.parametrize("net", ["shares", "named"])
def test_words_are_classes_in_the_order_of_the_alphabet(net: str, tmp_path: Path) -> None:
    made = read(tmp_path, net, FLOWERS)
    assert made["X"].tolist() == [[1, 2], [1.5, 1], [0.3, 2.5], [1.1, 0.9]]
    assert made["Y"].tolist() == [[1, 0, 0], [0, 0, 1], [1, 0, 0], [0, 1, 0]]


def test_labels_for_an_index(tmp_path: Path) -> None:
    assert read(tmp_path, "labels", FLOWERS)["y"].tolist() == [0, 2, 0, 1]
    assert read(tmp_path, "labels", "1,2,0\n3,4,2\n")["y"].tolist() == [0, 2]


def test_numbers_are_classes_where_the_loss_is_of_shares(tmp_path: Path) -> None:
    assert read(tmp_path, "named", "1;2;7\n3;4;9\n5;6;7\n")["Y"].tolist() == [[1, 0], [0, 1], [1, 0]]
    assert read(tmp_path, "numbers", "1\t2\t7\n3\t4\t9\n")["Y"].tolist() == [[7], [9]]
    assert read(tmp_path, "numbers", "1,2,7\n3,4,9\n", classes=True)["Y"].tolist() == [[1, 0], [0, 1]]


def test_two_classes_are_one_column(tmp_path: Path) -> None:
    assert read(tmp_path, "one", "a,b,ill\n1,2,no\n3,4,yes\n")["Y"].tolist() == [[0], [1]]
    with pytest.raises(SymnetError, match="target species: 3 classes; expected two"):
        read(tmp_path, "one", FLOWERS)


def test_targets_by_name_and_by_number(tmp_path: Path) -> None:
    text = "u,a,v,b\n1,2,3,4\n5,6,7,8\n"
    assert read(tmp_path, "two", text)["Y"].tolist() == [[3, 4], [7, 8]]
    made = read(tmp_path, "two", text, targets=["u", "v"])
    assert made["Y"].tolist() == [[1, 3], [5, 7]] and made["X"].tolist() == [[2, 4], [6, 8]]


def test_columns_that_are_called_as_the_inputs(tmp_path: Path) -> None:
    made = read(tmp_path, "by name", "weight,id,height\n70,1,1.8\n80,2,1.9\n")
    assert {n: a.tolist() for n, a in made.items()} == {"height": [1.8, 1.9], "weight": [70, 80]}


def test_arrays_by_name(tmp_path: Path) -> None:
    np.savez(tmp_path / "data.npz", x=np.ones((4, 2)), Y=np.zeros((4, 3)))
    made = arrays_from(tmp_path / "data.npz", NETS["shares"].program, NETS["shares"].wrt)
    assert {n: a.shape for n, a in made.items()} == {"X": (4, 2), "Y": (4, 3)}


REFUSED: dict[str, tuple[str, str, dict[str, Any], str]] = {
    "an empty cell": ("data.csv", "a,b,c\n1,2,3\n4,,6\n", {}, r"row 2, column b: an empty cell; expected a finite number"), "a word": ("data.csv", "a,b,c\n1,2,3\n4,x,6\n", {}, "row 2, column b: 'x'"),
    "nan": ("data.csv", "a,b,c\n1,nan,3\n", {}, "row 1, column b: 'nan'"), "a missing class": ("data.csv", "a,b,c\n1,2,x\n1,2,NA\n", {}, "row 2, column c: an empty cell"),
    "a short row": ("data.csv", "a,b,c\n1,2,3\n4,5\n", {}, "line 3: 2 cells; expected 3"), "no rows": ("data.csv", "a,b\n", {}, "no rows"), "nothing": ("data.csv", "\n\n", {}, "an empty file"),
    "a column twice": ("data.csv", "a,a\n1,2\n", {}, "the column 'a' twice"), "no such target": ("data.csv", FLOWERS, {"targets": ["specis"]}, "did you mean 'species'"),
    "all targets": ("data.csv", "a,b\n1,2\n", {"targets": ["a", "b"]}, "all of them targets"), "another kind": ("data.xls", "a", {}, "expected a table with one sample a row"),
    "no npz": ("data.npz", "a,b", {}, "expected a table"), "bytes": ("data.csv", "\udcff", {}, "codec can't decode"),
}


@pytest.mark.parametrize(("name", "text", "options", "says"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_read_is_told_in_one_line(name: str, text: str, options: dict[str, Any], says: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(SymnetError, match=says) as caught:
        arrays_from(path, NETS["named"].program, NETS["named"].wrt, **options)
    assert "\n" not in str(caught.value)


def test_no_object_is_read_from_arrays(tmp_path: Path) -> None:
    np.savez(tmp_path / "bad.npz", X=np.array([{"a": 1}], dtype=object))
    with pytest.raises(SymnetError, match="allow_pickle"):
        arrays_from(tmp_path / "bad.npz", NETS["named"].program, NETS["named"].wrt)
    np.savez(tmp_path / "other.npz", images=np.ones(3))
    with pytest.raises(SymnetError, match="an array 'images'; expected arrays named X, Y"):
        arrays_from(tmp_path / "other.npz", NETS["named"].program, NETS["named"].wrt)
