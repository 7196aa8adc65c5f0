"""Hand-ins of several answers each, with planted errors and without: nothing right is called wrong, and the slip that is named is the planted one."""

from __future__ import annotations

import pytest

from symnet.core.page_verdict import Mark
from symnet.core.verdict import Answer
from symnet.parsing.worksheet import parse_worksheet
from symnet.worksheet_loader import check_page, check_worksheet

NEURON = "[symbols]\nw = {}\nx = {}\nb = {}\ny = {}\n[program]\ndefinitions = ['z = w*x + b', 'a = sigmoid(z)', 'L = (a-y)**2']\nwrt = ['w', 'b']\n"
REGRESSION = "[symbols]\nX = { shape = ['N','d'] }\nw = { shape = ['d'] }\ny = { shape = ['N'] }\n" \
             "[program]\ndefinitions = ['r = X@w - y', 'L = sum(r**2)/N']\nwrt = ['w']\n"
SOFTMAX = "[symbols]\nW = { shape = ['k','d'] }\nx = { shape = ['d'] }\ny = { shape = ['k'], assume = ['sum(y) == 1'] }\n" \
          "[program]\ndefinitions = ['z = W@x', 'p = softmax(z)', 'L = -sum(y*log(p))']\nwrt = ['W', 'x']\n"
LAYERS = "[symbols]\nX = { shape = ['N','d'] }\nW1 = { shape = ['d','h'] }\nW2 = { shape = ['h','k'] }\nY = { shape = ['N','k'] }\n" \
         "[program]\ndefinitions = ['Z = X@W1', 'H = relu(Z)', 'O = H@W2', 'L = sum((O-Y)**2)/2']\nwrt = ['W1', 'W2']\n"
RIGHT, NAMELESS = "right", "wrong, and its slip has no name"
SHEETS: dict[str, tuple[str, tuple[tuple[str, str, str], ...]]] = {  # by what it is differentiated, the answer, and the planted slip
    "neuron, right": (NEURON, (("w", "2(a-y)a(1-a)x", RIGHT), ("b", "2(a-y)a(1-a)", RIGHT), ("w", "dL/da da/dz dz/dw", RIGHT),
                               ("b", r"\frac{\partial L}{\partial b} = 2(a-y)\sigma'(z)", RIGHT))),
    "neuron": (NEURON, (("w", "2(a-y)a(1-a)", "missing chain factor"), ("b", "(a-y)a(1-a)", "constant"), ("w", "2(y-a)a(1-a)x", "difference reversed"),
                        ("b", "2(a-y)", "missing activation slope"), ("w", "2x(a-y)a(1-a)", RIGHT))),
    "regression": (REGRESSION, (("w", "2 X^T (Xw - y)", "sum for mean"), ("w", "2/N X (Xw - y)", NAMELESS), ("w", r"\frac{1}{N}X^\top r", "constant"),
                                ("w", "2/N r X", RIGHT), ("w", "2/N X^T (y - Xw)", "difference reversed"), ("w", r"\frac{2}{N}\sum_n r_n x_n", RIGHT))),
    "softmax": (SOFTMAX, (("W", "x (p-y)^T", "transposed answer"), ("x", "W (p-y)", "transposed factor"), ("W", "outer(y-p, x)", "difference reversed"),
                          ("W", "p - y", "another gradient"), ("x", r"W^\top(p-y)", RIGHT), ("W", "(p-y) x^T", RIGHT))),
    "layers": (LAYERS, (("W2", "H.T @ (O-Y)", RIGHT), ("W1", "X.T @ ((O-Y)@W2.T)", "missing indicator"), ("W2", "(O-Y).T @ H", "transposed answer"),
                        ("W1", r"X^\top\left((O-Y)W_2^\top\odot\mathbb 1[Z>0]\right)", RIGHT))),
}
PAGES: dict[str, tuple[tuple[str, str], ...]] = {  # of the worksheet "first": a line, and the planted slip
    "right": (("z1 = w1*x + b1 = 1.2", RIGHT), ("dL/da2 = 2*(a2-y) = -0.8930", RIGHT), ("dL/dz2 = dL/da2 * a2*(1-a2) = -0.2207", RIGHT),
              ("dL/dw2 = dL/dz2 * a1 = -0.1696", RIGHT), ("dL/db2 = dL/dz2 = -0.2207", RIGHT)),
    "wrong": (("dL/da2 = 2*(y-a2)", "difference reversed"), ("dL/dw2 = 2*(a2-y)*a2*(1-a2)", "missing chain factor"), ("dL/db2 = 2*(a2-y)*a2*(1-a2)", RIGHT),
              ("dL/dw1 = 2*(a2-y)*a2*(1-a2)*w1*a1*(1-a1)*x", "neighbouring weight"), ("dL/db1 = dL/dz1 * x", "another gradient")),
}


@pytest.mark.parametrize("name", SHEETS)
def test_a_worksheet_that_is_handed_in(name: str) -> None:
    sheet, rows = SHEETS[name]
    answers = "".join(f"[[answers]]\nwrt = '{w}'\n{'latex' if chr(92) in t else 'text'} = '''{t}'''\n" for w, t, _ in rows)
    results = check_worksheet(parse_worksheet(sheet + answers))
    for result, (_, text, planted) in zip(results, rows, strict=True):
        right = result.verdict.answer in (Answer.PROVED, Answer.CONDITIONAL)
        assert right if planted == RIGHT else result.verdict.answer is Answer.REFUTED, (text, str(result))
        kind = result.mistake.kind if result.mistake is not None else NAMELESS
        assert planted in (RIGHT, kind), (text, kind)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_that_is_handed_in(name: str) -> None:
    found = check_page("\n".join(line for line, _ in PAGES[name]) + "\n", "first", timeout=None)
    for number, (line, planted) in enumerate(PAGES[name], 1):
        judged = [j for j in found.judged if j.line == number]
        wrong = [j for j in judged if j.mark is Mark.WRONG]
        assert judged and bool(wrong) == (planted != RIGHT), (line, judged)
        assert planted == RIGHT or planted in [j.kind for j in wrong], (line, wrong)
