"""`symnet train`: data from files, validation, files that it writes, and what goes wrong, each in one line with exit code 2."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.cli.main import main

SHEET = """
[program]
layers = ["Linear(2, 4)", "Tanh()", "Linear(4, k)"]
loss = "CrossEntropyLoss()"
batch = "N"
[training]
optimizer = "adam"
learning_rate = "1/20"
epochs = 12
batch_size = 8
metrics = ["accuracy"]
validation_split = "1/4"
"""
RNG = np.random.default_rng(3)
POINTS = RNG.normal(size=(40, 2))
KINDS = np.where(POINTS[:, 0] > 0.5, "far", np.where(POINTS[:, 1] > 0, "up", "down"))


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    (tmp_path / "sheet.toml").write_text(SHEET)
    rows = [f"{x!r},{y!r},{kind}" for (x, y), kind in zip(POINTS.tolist(), KINDS, strict=True)]
    (tmp_path / "points.csv").write_text("\n".join(["x,y,kind", *rows]))
    return tmp_path / "sheet.toml"


def said(capsys: pytest.CaptureFixture[str], *arguments: Any) -> tuple[int, str, str]:
    code = main([str(a) for a in arguments])
    out, err = capsys.readouterr()
    return code, out, err


def test_a_table_is_trained_on_as_fit_trains(sheet: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = said(capsys, "train", sheet, "--data", sheet.parent / "points.csv", "--format", "json")
    made = json.loads(out)
    Y = (KINDS[:, None] == np.array(["down", "far", "up"])).astype(float)
    wanted = sn.fit(sn.load(sheet), POINTS, Y, optimizer="adam", lr="1/20", epochs=12, batch_size=8, metrics="accuracy", validation_split=0.25)
    assert (code, err) == (0, "") and made["history"] == {k: list(v) for k, v in wanted.history.items()}


def test_files_are_written_and_a_run_goes_on(sheet: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = sheet.parent
    np.savez(folder / "points.npz", X=POINTS, Y=(KINDS[:, None] == np.array(["down", "far", "up"])).astype(float))
    call = ["train", sheet, "--data", folder / "points.npz", "--format", "json", "--lr", "0.1"]
    _, whole, _ = said(capsys, *call)
    files = ["--checkpoint", folder / "run.ckpt", "--resume", "--log", folder / "run.jsonl", "--curve", folder / "run.svg", "--save", folder / "end.npz"]
    assert said(capsys, *call, "--epochs", "5", *files)[0] == 0
    code, out, err = said(capsys, *call, *files)
    assert code == 0 and out == whole and err.count("wrote") == 2
    assert [json.loads(line)["epoch"] for line in (folder / "run.jsonl").read_text().splitlines()] == list(range(13))
    assert (folder / "run.svg").read_text().startswith("<svg xmlns=") and "dashed" in (folder / "run.svg").read_text()
    with np.load(folder / "end.npz") as held:
        assert sorted(held.files) == ["W1", "W2", "b1", "b2"] and held["W1"].shape == (2, 4)


def test_patience_ends_a_run_and_says_so(sheet: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = said(capsys, "train", sheet, "--data", sheet.parent / "points.csv", "--target", "kind", "--epochs", "500", "--patience", "5", "--validation", "0.3",
                        "--class-weight", "balanced", "--dtype", "float32", "--monitor", "val_accuracy", "--no-shuffle")
    assert code == 0 and "val_accuracy" in out.splitlines()[0] and out.splitlines()[1].startswith("stopped early: val_accuracy was best at epoch ")


WRONG: dict[str, tuple[tuple[str, ...], str]] = {
    "no file": (("--data", "none.csv"), "none.csv: No such file"), "another file": (("--data", "a.xls"), "expected a table with one sample a row"), "no data": ((), "no values for X, Y"),
    "a set": (("--data", "iris"), "expected one of xor, ages, digits"), "target": (("--data", "POINTS", "--target", "sort"), "no column 'sort'"),
    "target alone": (("--target", "kind"), "--data FILE.csv"), "share": (("--data", "POINTS", "--validation", "2"), "between 0 and 1"),
    "no share": (("--data", "POINTS", "--validation", "some"), "--validation: 'some'"), "metric": (("--data", "POINTS", "--metric", "acc"), "did you mean 'accuracy'"),
    "monitor": (("--data", "POINTS", "--patience", "3", "--monitor", "los"), "did you mean 'loss'"), "weights": (("--data", "POINTS", "--class-weight", "a:1"), "such as 0:1,1:2.5"),
    "rate": (("--data", "POINTS", "--lr", "-1"), "lr: -1; expected a number of at least 0"), "resume": (("--data", "POINTS", "--resume"), "checkpoint="),
    "log": (("--data", "POINTS", "--log", "/nowhere/a"), "log: /nowhere/a: No such file"), "dtype": (("--dtype", "float8"), "float8"), "curve": (("--data", "POINTS", "--curve", "/nowhere/a.svg"), "/nowhere/a.svg"),
    "a huge rate": (("--data", "POINTS", "--lr", "1e400"), "the update made W1[0, 0] inf"),
}


@pytest.mark.parametrize(("options", "says"), WRONG.values(), ids=WRONG)
def test_what_goes_wrong_is_one_line(options: tuple[str, ...], says: str, sheet: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = [str(sheet.parent / "points.csv") if o == "POINTS" else o for o in options]
    code, out, err = said(capsys, "train", sheet, *given)
    assert (code, out) == (2, "") and says in err and err.count("\n") == 1


def test_a_run_that_diverges_keeps_what_was_reached(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = said(capsys, "train", "ages", "--optimizer", "sgd", "--lr", "10", "--epochs", "3000", "--save", tmp_path / "end.npz")
    assert (code, out) == (2, "") and re.search(r"symnet: fit, epoch (\d+), step \1: \w+ is inf in \w+ = ", err) and f"wrote {tmp_path / 'end.npz'}" in err
    with np.load(tmp_path / "end.npz") as held:
        assert all(np.isfinite(held[n]).all() for n in held.files)


def test_a_worksheet_names_no_files(sheet: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sheet.write_text(SHEET + 'data = "points.csv"\n')
    code, _, err = said(capsys, "train", sheet)
    assert code == 2 and "--data FILE" in err


@pytest.mark.parametrize("bar", [True, False], ids=["tqdm", "without tqdm"])
def test_a_terminal_sees_how_far_it_is(bar: bool, sheet: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    if bar:
        pytest.importorskip("tqdm")
    else:
        monkeypatch.setitem(__import__("sys").modules, "tqdm", None)
    sn.fit(sn.load("xor"), *([[0, 0], [0, 1]], [[0], [1]]), epochs=4, progress=True)
    out, err = capsys.readouterr()
    assert out == "" and "4/4" in err and "loss" in err and err.endswith("\n")
