"""How long one verdict takes, and how many answers to one worksheet one process judges a second.

    python benchmarks/verdicts.py             answers (plain and LaTeX, of numbers and arrays), lines of a page, functions
    python benchmarks/verdicts.py --quick     fewer of each

Each row is a kind of question: the median and the worst of the processor's milliseconds of one verdict, in one process and thread without
a limit of time, once the gradient has been asked for before. The second table judges a class: many answers to one worksheet, all of them
different, or as a class hands them in, where most have been seen before. The aim is 1,000 short answers of numbers a second.
"""

from __future__ import annotations

import random
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from measuring import machine, table

AIM = 1000  # short answers of numbers a second
LIMIT = 20.0  # seconds of one verdict, as sn.check has it
NEURON = ("z = w*x + b", "a = sigmoid(z)", "L = (a - y)**2")
LEFT = ("2*(a-y)", "2(a - y)", "(a-y)*2", "-2*(y-a)", "(2a - 2y)", "(a-y)", "2*(y-a)", "2*(a+y)", "3*(a-y)")
MIDDLE = ("a*(1-a)", "a(1 - a)", "(a - a^2)", "(1-a)*a", "a", "(1-a)", "a*(1+a)", "sigmoid(z)*(1-a)")
RIGHT = ("x", "w", "1", "x*1", "(x)", "x*b")
LATEX = (r"2(a-y)a(1-a)x", r"2\left(a-y\right)\sigma'(z)\,x", r"\frac{\partial L}{\partial a}\frac{\partial a}{\partial z}x", r"2(a-y)x",
         r"(a-y)a(1-a)x", r"\frac{\partial L}{\partial w} = 2(\sigma(wx+b)-y)\,a\,(1-a)\,x")
REGRESSION = ("r = X @ w - y", "L = sum(r**2)/N")
SHAPES = {"X": ("N", "d"), "w": ("d",), "y": ("N",)}
ARRAYS = ("2/N * X.T @ r", "2/N X^T (Xw - y)", "2*(r[:, None]*X).mean(0)", "dL/dw_j = (2/N) sum_n X_nj r_n", r"\frac{2}{N}\sum_n r_n x_n",
          "X.T @ r", "2/N * X @ r", "2/N * X.T @ y", r"\frac{1}{N} X^\top (Xw - y)")
PAGE = """z1 = w1*x + b1 = 0.5*2 + 0.2 = 1.2
a1 = sigmoid(z1) ≈ 0.769
dL/da2 = 2*(a2 - y) ≈ -0.893
dL/dw2 = dL/da2 * a2*(1 - a2) * a1 ≈ -0.170
dL/dw1 = dL/da2 * a2*(1 - a2) * w2 * a1*(1 - a1) ≈ -0.031
"""


def of_numbers() -> list[str]:
    """Different short answers, right and wrong, in a fixed order."""
    texts = [f"{a}*{b}*{c}" for a in LEFT for b in MIDDLE for c in RIGHT]
    random.Random(1).shuffle(texts)
    return texts


def functions() -> list[Callable[..., Any]]:
    """Gradient functions of the regression: two right and two wrong."""
    import numpy as np

    def residual(X: Any, w: Any, y: Any) -> Any:
        return X @ w - y
    return [lambda X, w, y: 2 * X.T @ residual(X, w, y) / len(y), lambda X, w, y: 2 * np.mean(residual(X, w, y)[:, None] * X, axis=0),
            lambda X, w, y: X.T @ residual(X, w, y) / len(y), lambda X, w, y: 2 * X.T @ residual(X, w, y)]


def timed(judge: Callable[[Any], Any], questions: Sequence[Any]) -> list[float]:
    """The processor's seconds of each."""
    found = []
    for question in questions:
        start = time.process_time()
        judge(question)
        found.append(time.process_time() - start)
    return found


def row(name: str, judge: Callable[[Any], Any], questions: Sequence[Any], first: Any) -> list[str]:
    """One line of the first table; ``first`` is asked before and does not count."""
    judge(first)
    found = timed(judge, questions)
    within = "yes" if max(found) < LIMIT else "no"
    return [name, str(len(found)), f"{1000 * statistics.median(found):.2f}", f"{1000 * max(found):.1f}", within]


def class_of(texts: Sequence[str], count: int) -> list[str]:
    """What a class hands in: ``count`` answers, the common ones again and again (the k-th as often as 1/k)."""
    return random.Random(2).choices(texts, weights=[1 / (k + 1) for k in range(len(texts))], k=count)


def main(arguments: Sequence[str]) -> int:
    """Print both tables."""
    import symnet as sn
    from symnet.worksheet_loader import load_worksheet

    quick = "--quick" in arguments
    texts = of_numbers()[:60 if quick else None]
    neuron = sn.derive(sn.program(*NEURON), wrt=["w", "b"])
    regression = sn.derive(sn.program(*REGRESSION, tensors=SHAPES), wrt=["w"])
    first = load_worksheet("first")

    def answer(text: str) -> bool:
        return bool(sn.check(text, neuron, "w", timeout=None))

    def array_answer(text: str) -> bool:
        return bool(sn.check(text, regression, "w", timeout=None))

    print(f"verdicts: {machine()}", flush=True)
    rows = [row("answer of numbers, plain", answer, texts, "2*(a-y)*a*(1-a)*x"), row("answer of numbers, LaTeX", answer, LATEX, LATEX[0]),
            row("answer of numbers, once more", answer, texts, texts[0]),
            row("answer of arrays", array_answer, ARRAYS, "2/N*X.T@(X@w-y)"),
            row("line of a page", lambda text: sn.check_page(text, first, timeout=None), PAGE.splitlines(), PAGE.splitlines()[0]),
            row("NumPy function", lambda f: sn.check_code(f, regression), functions()[:2 if quick else None], functions()[0])]
    table("Milliseconds of one verdict", ["question", "asked", "median", "worst", f"within {LIMIT:g} s"], rows)
    rates = []
    for name, asked in (("all different", texts), ("as a class hands them in", class_of(texts, 200 if quick else 3000))):
        fresh = sn.derive(sn.program(*NEURON), wrt=["w", "b"])
        sn.check("x", fresh, "w", timeout=None)
        taken = sum(timed(lambda text, d=fresh: sn.check(text, d, "w", timeout=None), asked))  # type: ignore[misc]
        rates.append([name, str(len(asked)), str(len(set(asked))), f"{len(asked) / taken:.0f}"])
    table(f"Answers of numbers judged a second, in one process (aim: {AIM})", ["answers", "judged", "different", "a second"], rates)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
