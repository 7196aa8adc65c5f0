"""A run that goes on has the bits of one that never stopped: after a kill -9 at any moment, from a file, from a fit."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.errors import OptionError, SymnetError
from symnet.training import checkpoints

RNG = np.random.default_rng(1)
X, Y = RNG.normal(size=(40, 3)), RNG.normal(size=(40, 2))
NET = sn.Sequential(sn.Linear(3, 5), sn.Tanh(), sn.Linear(5, 2))
NORMED = sn.Sequential(sn.Linear(3, 6), sn.BatchNorm1d(6), sn.ReLU(), sn.Dropout("1/2"), sn.Linear(6, 2))
CALLS: dict[str, dict[str, Any]] = {
    "whole": {}, "batches": {"batch_size": 7}, "adam": {"optimizer": "adam", "batch_size": 16, "schedule": sn.CosineAnnealingLR(60), "clip_norm": 1},
    "single": {"optimizer": "nesterov", "batch_size": 8, "dtype": "float32"}, "split": {"batch_size": 8, "validation_split": 0.25, "metrics": ["r2", "mae"]},
    "stopped": {"batch_size": 8, "validation_split": 0.25, "early_stopping": 3, "lr": "1/4"}, "weights": {"sample_weight": np.arange(40) % 3, "batch_size": 9},
    "dropout": {"what": NORMED, "optimizer": "adam", "batch_size": 10}, "dropout, whole": {"what": NORMED, "optimizer": "adam"},
    "during": {"batch_size": 7, "epoch_loss": "during"},
}


def made(epochs: int, **call: Any) -> sn.Fit:
    return sn.fit(call.pop("what", NET), X, Y, epochs=epochs, **{"loss": "mse", "lr": "1/20", "seed": 3, **call})


def same(one: sn.Fit, other: sn.Fit) -> None:
    assert one.history == other.history and one.log == other.log
    for left, right in ((one.params, other.params), (one.statistics, other.statistics)):
        assert left.keys() == right.keys()
        for name, value in left.items():
            assert np.asarray(value).tobytes() == np.asarray(right[name]).tobytes(), name


@pytest.mark.parametrize("name", CALLS)
def test_ten_epochs_and_ten_more_are_twenty(name: str, tmp_path: Path) -> None:
    whole = made(20, **CALLS[name])
    same(made(20, resume=made(10, **CALLS[name]), **CALLS[name]), whole)
    path = tmp_path / "run.npz"
    made(10, **CALLS[name]).save(path)
    same(made(20, resume=path, **CALLS[name]), whole)
    once = made(10, checkpoint=path, **CALLS[name])
    same(made(20, checkpoint=path, resume=True, **CALLS[name]), whole)
    same(made(10, **CALLS[name]), once)


SCRIPT = """
import sys, time
import numpy as np
import symnet as sn
path, log, epochs = sys.argv[1], sys.argv[2], int(sys.argv[3])
rng = np.random.default_rng(1)
X, Y = rng.normal(size=(40, 3)), rng.normal(size=(40, 2))
net = sn.Sequential(sn.Linear(3, 6), sn.BatchNorm1d(6), sn.ReLU(), sn.Dropout("1/2"), sn.Linear(6, 2))
print("ready", flush=True)
made = sn.fit(net, X, Y, loss="mse", optimizer="adam", lr="1/100", epochs=epochs, batch_size=7, seed=3, validation_split=0.2, metrics="r2",
              early_stopping=sn.EarlyStopping(patience=1000), checkpoint=path, checkpoint_every=4, resume=True, log=log)
np.savez(path + ".end.npz", **made.params, **made.statistics, losses=made.losses, r2=made.history["val_r2"])
"""


def start(path: Path, epochs: int, seed: int) -> subprocess.Popen[str]:
    package = str(Path(sn.__file__).parents[1])
    return subprocess.Popen([sys.executable, "-c", SCRIPT, str(path), f"{path}.jsonl", str(epochs)], stdout=subprocess.PIPE, text=True,
                            env={**os.environ, "PYTHONPATH": package, "PYTHONHASHSEED": str(seed), "OMP_NUM_THREADS": "1"})


def ended(path: Path) -> tuple[dict[str, bytes], list[str]]:
    with np.load(f"{path}.end.npz") as held:
        return {n: held[n].tobytes() for n in held.files}, Path(f"{path}.jsonl").read_text().splitlines()


@pytest.mark.slow
def test_a_run_killed_again_and_again_ends_with_the_same_bits(tmp_path: Path) -> None:
    """SIGKILL at random moments: before, between and while checkpoints are written; every file that is found is whole."""
    epochs, dice = 400, random.Random(7)
    plain = tmp_path / "plain.npz"
    assert start(plain, epochs, 0).wait(120) == 0
    path = tmp_path / "killed.npz"
    kills, steps = 0, [0]
    for seed in range(60):
        run = start(path, epochs, seed)
        assert run.stdout is not None and run.stdout.readline() == "ready\n"
        if not path.exists() and kills < 3:
            time.sleep(dice.uniform(0.3, 1.5))  # while the program is derived and compiled, too
        else:
            before = path.stat().st_mtime_ns if path.exists() else 0
            while run.poll() is None and (not path.exists() or path.stat().st_mtime_ns == before):
                time.sleep(0.002)
            time.sleep(dice.uniform(0, 0.15))
        run.send_signal(signal.SIGKILL)
        kills += run.wait(60) == -signal.SIGKILL
        if path.exists():
            steps.append(checkpoints.read(path).facts["steps"])
        if kills >= 6:
            break
    assert kills >= 5 and steps == sorted(steps) and steps[-1] > 0
    assert start(path, epochs, 99).wait(120) == 0
    assert ended(path) == ended(plain)
    assert [json.loads(line)["epoch"] for line in ended(path)[1]] == list(range(epochs + 1))
    assert sorted(p.name for p in tmp_path.iterdir() if p.name.endswith(".tmp")) == []


def test_a_writer_that_is_killed_leaves_the_file_before(tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    made(2, checkpoint=path)
    before = path.read_bytes()
    (tmp_path / ".run.npz.999999999.tmp").write_bytes(before[:100])  # what it was writing
    same(made(4, checkpoint=path, resume=True), made(4))
    assert [p.name for p in tmp_path.iterdir()] == ["run.npz"]


OTHERS: dict[str, tuple[dict[str, Any], str]] = {
    "program": ({"what": sn.Sequential(sn.Linear(3, 5), sn.ReLU(), sn.Linear(5, 2))}, "a checkpoint of another program; expected the run that wrote it"),
    "loss": ({"loss": "l1"}, "another program"), "optimizer": ({"optimizer": "adam"}, r"another optimizer: SGD \(lr = 1/20\)"), "rate": ({"lr": "1/10"}, "another optimizer"),
    "validation": ({"validation_data": (X, Y)}, "other validation data"), "metrics": ({"metrics": "mae"}, r"other metrics: \[\], here \['mae'\]"),
    "batch": ({"batch_size": 5}, "another batch_size: None, here 5"), "seed": ({"seed": 4}, "another seed: 3, here 4"),
    "dtype": ({"dtype": "float32"}, "another dtype"), "data": ({"sample_weight": np.arange(1, 41)}, "another program"), "order": ({"shuffle": False}, "another shuffle"),
}


@pytest.mark.parametrize(("change", "says"), OTHERS.values(), ids=OTHERS)
def test_the_checkpoint_of_another_run_is_refused(change: dict[str, Any], says: str, tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    made(2, checkpoint=path)
    with pytest.raises(OptionError, match=says) as caught:
        made(4, resume=path, **change)
    assert "\n" not in str(caught.value)


def test_other_data_are_refused(tmp_path: Path) -> None:
    first = made(2)
    with pytest.raises(OptionError, match="other data; expected the run that wrote it; try: the arrays that it was made with"):
        sn.fit(NET, X + 1, Y, loss="mse", lr="1/20", seed=3, epochs=4, resume=first)


@pytest.mark.parametrize("kind", ["empty", "cut", "text", "pickle", "other"])
def test_what_is_no_checkpoint_is_refused(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    made(2, checkpoint=path)
    whole = path.read_bytes()
    if kind == "pickle":
        np.savez(path, facts=np.array([{"epoch": 1}], dtype=object))
    elif kind == "other":
        np.savez(path, w=np.ones(3))
    else:
        path.write_bytes({"empty": b"", "cut": whole[:len(whole) // 2], "text": b"epochs = 3"}[kind])
    with pytest.raises(SymnetError, match="no checkpoint") as caught:
        made(4, resume=path)
    assert "\n" not in str(caught.value)


def test_every_byte_that_is_changed_is_noticed_or_harmless(tmp_path: Path) -> None:
    path, wanted = tmp_path / "run.npz", made(3)
    made(2, checkpoint=path)
    whole, dice = path.read_bytes(), random.Random(2)
    for _ in range(40):
        spoilt = bytearray(whole)
        spoilt[dice.randrange(len(spoilt))] ^= 1 << dice.randrange(8)
        path.write_bytes(bytes(spoilt))
        try:
            same(made(3, resume=path), wanted)
        except SymnetError as error:
            assert "checkpoint" in str(error)
