"""A whole fit: symnet's estimators beside scikit-learn's, with the same arguments, on data that come with scikit-learn.

    python benchmarks/training.py [--quick] [--seeds 5]

Iris, breast cancer, digits (classes) and diabetes (numbers), 70 parts of 100 to train on and 30 to test, features scaled to mean 0 and
spread 1; MLPClassifier and MLPRegressor as they come: 100 hidden units, relu, Adam, at most 200 epochs. Both start from the same weights
and have the same rule when to stop. Each seed splits anew; the two take turns in who is first. The score is the accuracy, of diabetes R²,
on the part for testing, the mean over the seeds; times are the clock's, one thread, the median; the ratio is symnet's to scikit-learn's,
fit by fit. The first fit of a process derives and compiles its network, for all sizes: that is told apart.
"""

from __future__ import annotations

import argparse
import statistics
import time
import warnings
from typing import Any

import measuring  # before NumPy: it sets the threads
from sklearn import datasets
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import StandardScaler

import symnet as sn

SETS: dict[str, tuple[Any, Any, Any]] = {
    "iris": (datasets.load_iris, sn.SymbolicMLPClassifier, MLPClassifier),
    "breast cancer": (datasets.load_breast_cancer, sn.SymbolicMLPClassifier, MLPClassifier),
    "digits": (datasets.load_digits, sn.SymbolicMLPClassifier, MLPClassifier),
    "diabetes": (datasets.load_diabetes, sn.SymbolicMLPRegressor, MLPRegressor),
}


def fitted(make: Any, parts: Any, seed: int, epochs: int) -> tuple[float, float, int]:
    """The seconds of a fit, its score on the part for testing, and its epochs."""
    trained, tested, answers, wanted = parts
    begun = time.perf_counter()
    model = make(random_state=seed, max_iter=epochs).fit(trained, answers)
    return time.perf_counter() - begun, float(model.score(tested, wanted)), int(model.n_iter_)


def row(name: str, seeds: int, epochs: int) -> list[str]:
    """One set of data: the medians of times and of ratios, the means of scores."""
    load, ours, theirs = SETS[name]
    X, y = load(return_X_y=True)
    X = StandardScaler().fit_transform(X)
    if name == "diabetes":
        y = (y - y.mean()) / y.std()
    first = fitted(ours, train_test_split(X, y, random_state=seeds, test_size=0.3), 0, 1)[0]
    found: dict[Any, list[tuple[float, float, int]]] = {ours: [], theirs: []}
    for seed in range(seeds):
        parts = train_test_split(X, y, random_state=seed, test_size=0.3)
        for make in (ours, theirs) if seed % 2 else (theirs, ours):
            found[make].append(fitted(make, parts, seed, epochs))
    scores = [statistics.mean(f[1] for f in found[m]) for m in (ours, theirs)]
    times = [1000 * statistics.median(f[0] for f in found[m]) for m in (ours, theirs)]
    ratio = statistics.median(a[0] / b[0] for a, b in zip(found[ours], found[theirs], strict=True))
    told = [statistics.median(f[2] for f in found[m]) for m in (ours, theirs)]
    return [name, *(f"{s:.3f}" for s in scores), *(f"{n:.0f}" for n in told), *(f"{t:.0f}" for t in times), f"{ratio:.2f}",
            f"{1000 * first:.0f}"]


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--quick", action="store_true", help="one seed and few epochs, to see that it runs")
    options.add_argument("--seeds", type=int, default=5)
    chosen = options.parse_args()
    warnings.simplefilter("ignore")  # both say where 200 epochs were not enough
    seeds, epochs = (1, 5) if chosen.quick else (chosen.seeds, 200)
    print(f"# {measuring.machine()}")
    measuring.table(f"Whole fits, {seeds} splits: score on the test part, epochs, ms",
                    ["data", "score", "scikit-learn's", "epochs", "its", "ms", "its ms", "ratio", "ms of the first fit"],
                    [row(name, seeds, epochs) for name in SETS])


if __name__ == "__main__":
    main()
