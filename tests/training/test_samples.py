"""The count of samples: what a reader of the sheet would count, or nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import symnet as sn
from symnet.cli.main import main
from symnet.training.run import train_sheet

LINES = {  # data and parameters with values, lines, objective, what is learned -> samples
    "rows of literal length": ("X[2,2] y[2] W[2,2] v[2]", ["A = tanh(X @ W)", "s = A @ v"], "mean((s-y)**2)", "W v", 2),
    "rows of a length without a letter of its own": ("U[M=4,3] r[M=4] a[3]", [], "sum((U @ a - r)**2)", "a", 4),
    "declared rows": ("X[N=3,2] y[N=3] w[2]", ["f = X @ w"], "mean((f-y)**2)", "w", 3),
    "columns": ("X[3,5] t[5] w[3]", ["s = X.T @ w"], "mean((s-t)**2)", "w", 5),
    "declared columns": ("X[d=2,N=4] w[d=2]", ["s[n] = sum(w[i]*X[i,n] for i in 1..d)"], "sum(s**2)/N", "w", 4),
    "numbers": ("x y w", ["z = w*x"], "(z-y)**2", "w", 1),
    "a line through points": ("x[6] y[6] m c", ["f = m*x + c"], "mean((f-y)**2)", "m c", 6),
    "one vector": ("x[3] y[2] W[2,3]", ["z = W @ x"], "sum((z-y)**2)", "W", 1),
    "one vector as long as its target": ("x[3] y[3] W[3,3]", ["z = W @ x"], "sum((z-y)**2)", "W", 1),
    "a weight for each entry": ("x[N=3] y[N=3] w[N=3]", [], "sum((w*x-y)**2)", "w", 1),
    "weights summed in a sum of their own": ("X[2,2] y[2] w[2]", ["f = X @ w"],
                                             "sum((f[i]-y[i])**2 for i in 1..2)/2 + sum(w[i]**2 for i in 1..2)", "w", 2),
    "rows with a temperature": ("Z[2,3] Y[2,3] h", ["P = softmax(h*Z)"], "-sum(Y*log(P))/2", "h", 2),
    "a filter over a signal": ("x[4] y[3] k[2]", ["s[t] = k[1]*x[t] + k[2]*x[t+1] for t in 1..3"], "sum((s-y)**2)", "k", None),
    "pairs of rows": ("X[3,2] w[2]", ["f = X @ w"], "sum((f[i]-f[j])**2 for i in 1..3 for j in 1..3)", "w", None),
    "two tables": ("x[3] y[2] m", [], "sum((m*x)**2) + sum((m-y)**2)", "m", None),
}


def sheet(path: Path, data: str, lines: list[str], objective: str, wrt: str) -> str:
    rng = np.random.default_rng(len(data))
    symbols = []
    for name, _, shape in (s.rstrip("]").partition("[") for s in data.split()):
        axes = [a.split("=") for a in shape.split(",")] if shape else []
        value = (rng.integers(-9, 9, [int(a[-1]) for a in axes]) / 8).astype(str).tolist() if axes else "0.25"
        symbols.append(f"{name} = {{ shape={[a[0] if len(a) > 1 else int(a[0]) for a in axes]}, value={value} }}"
                       if axes else f'{name} = {{ value="{value}" }}')
    path.write_text("\n".join(['title = "t"', "[symbols]", *symbols, "[program]", f"definitions = {lines}", f'objective = "{objective}"',
                               f"wrt = {wrt.split()}", "[training]", 'learning_rate = "1/64"', "epochs = 2"]))
    return str(path)


@pytest.mark.parametrize("name", LINES)
def test_the_samples_that_a_reader_counts(name: str, tmp_path: Path) -> None:
    *parts, wanted = LINES[name]
    log = train_sheet(sn.load(sheet(tmp_path / "s.toml", *parts)), {}, progress=False).log  # type: ignore[arg-type]
    assert (log.samples, log.batch_size) == (wanted, None)


@pytest.mark.parametrize(("name", "said"), [
    ("rows of literal length", "2 epochs over 2 samples, all samples at once."), ("numbers", "2 epochs over 1 sample, all samples at once."),
    ("pairs of rows", "2 epochs, all the data at once."),
])
def test_the_sentence(name: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    *parts, _ = LINES[name]
    path = sheet(tmp_path / "s.toml", *parts)  # type: ignore[arg-type]
    assert main(["report", path, "--no-check", "-o", "-", "--format", "text"]) == 0
    assert said in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(("batch", "said"), [(1, "3 samples, 1 sample at a time."), (2, "3 samples, 2 samples at a time."),
                                             (3, "3 samples, all samples at once."), (9, "3 samples, all samples at once.")])
def test_the_sentence_of_parts(batch: int, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    *parts, _ = LINES["declared rows"]
    path = sheet(tmp_path / "s.toml", *parts)  # type: ignore[arg-type]
    with open(path, "a") as file:
        file.write(f"\nbatch_size = {batch}\n")
    assert main(["report", path, "--no-check", "-o", "-", "--format", "text"]) == 0
    assert said in " ".join(capsys.readouterr().out.split())


def test_a_network_counts_its_rows() -> None:
    net = sn.Sequential(sn.Linear(2, 3), sn.BatchNorm1d(3), sn.Tanh(), sn.Linear(3, 1))
    X, Y = [[0.1, 1], [2, 3], [4, 5], [6, 7.5]], [[0], [1], [1], [0]]
    assert sn.fit(net, X, Y, loss=sn.MSELoss(), epochs=1).log.samples == 4
    assert sn.fit(sn.Sequential(sn.Linear(2, 1)), [X[0]], [Y[0]], loss=sn.MSELoss(), epochs=1).log.samples == 1
