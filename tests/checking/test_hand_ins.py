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


def fenced(symbols: str, *lines: str, wrt: str) -> str:
    """A worksheet at the head of a page."""
    return f"```toml\n[symbols]\n{symbols}\n[program]\ndefinitions = {list(lines)}\nwrt = {wrt.split()}\n```\n"


TANH = fenced('x = { value = "2" }\nw = { value = "1/2" }\nb = { value = "1/4" }\ny = { value = "1" }',
              "z = w*x + b", "a = tanh(z)", "L = (a - y)**2/2", wrt="w b")
LOGISTIC = fenced("X = { shape = ['N', 'd'] }\nw = { shape = ['d'] }\ny = { shape = ['N'] }",
                  "z = X@w", "p = sigmoid(z)", "L = -sum(y*log(p)+(1-y)*log(1-p))/N", wrt="w")
RELU = fenced("X = { shape = ['N', 'd'] }\nW1 = { shape = ['d', 'h'] }\nb1 = { shape = ['h'] }\nW2 = { shape = ['h', 'k'] }\nY = { shape = ['N', 'k'] }",
              "Z = X@W1 + b1", "H = relu(Z)", "O = H@W2", "L = sum((O-Y)**2)/(2*N)", wrt="W1 b1 W2")
SHARES = fenced("W = { shape = ['k', 'd'] }\nx = { shape = ['d'] }\ny = { shape = ['k'], assume = ['sum(y) == 1'] }",
                "z = W@x", "p = softmax(z)", "L = -sum(y*log(p))", wrt="W")
DIVERGENCE = fenced("v = { shape = ['k'] }\nmu = { shape = ['k'] }", "KL = -1/2*sum(1 + v - mu**2 - exp(v))", wrt="v mu")
PARTS = fenced('x = { value = "2" }\ny = { value = "1" }\nw = { value = "-1/2" }\nb = { value = "1" }',
               "z = w*x + b", "a = relu(z)", "s = softplus(z)", "L = (a - y)**2 + s", wrt="w b")
STEP = fenced("W = { shape = ['m', 'm'] }\nh0 = { shape = ['m'] }\nx = { shape = ['m'] }\nt = { shape = ['m'] }",
              "a = W@h0 + x", "h = tanh(a)", "L = sum((h-t)**2)/2", wrt="W")
WRONG, OPEN, PROSE = "wrong", "not wrong", "passed over"
HAND_INS: tuple[tuple[str, list[tuple[str, str]]], ...] = (
    (TANH, [("z = w x + b = 1/2·2 + 1/4 = 1.25", RIGHT), ("a = tanh(1.25) ≈ 0.8483", RIGHT), ("∂L/∂a = a − y ≈ −0.1517", RIGHT),
        ("∂a/∂z = 1 − a² ≈ 0.2804", RIGHT), ("∂L/∂w = (a−y)(1−a²)x ≈ −0.0851", RIGHT), ("∂L/∂b ≈ -0.0425", RIGHT)]),
    (TANH, [("z = 1.25", RIGHT), ("a = 0.848", RIGHT), ("dL/da = 2(a - y) = -0.303", WRONG), ("da/dz = 1 - a = 0.152", WRONG),
        ("dL/dw = dL/da * da/dz * dz/dw", RIGHT)]),
    (TANH, [("First the forward pass: z is 1.25 and so on.", PROSE), ("$z = wx + b = 1.25$", RIGHT),
        (r"$$\frac{\partial L}{\partial z} = (a-y)\,g'(z)$$", RIGHT),
        (r"$$\frac{\partial L}{\partial w} = \frac{\partial L}{\partial z}\cdot x$$", RIGHT),
        (r"$$\frac{\partial L}{\partial b} = \frac{\partial L}{\partial z}\cdot x$$", WRONG)]),
    (TANH, [(r"$$\frac{\partial L}{\partial z} = (a-y)\,\sigma'(z)$$", OPEN), ("dL/dw = (a-y)*σ'(z)*x", OPEN),  # σ is any activation in many books
        ("dL/dw = (a-y)*sigmoid'(z)*x", WRONG)]),
    (fenced('x = { value = "2" }\ny = { value = "1" }\nw = { value = "1/2" }', "z = w*x", "a = sigmoid(z)", "L = (a - y)**2", wrt="w"),
        [("a = 1/(1 + e^(-1.0000)) = 0.731", RIGHT), ("a = 1/(1 + exp(-1.0001)) ≈ 0.731", OPEN), ("a = 1/(1 + exp(-1.0004)) ≈ 0.731", WRONG),
         ("a = 1/(1 + exp(-1.3)) ≈ 0.786", WRONG)]),
    (fenced('x = { value = "2" }\ny = { value = "1" }\nw = { value = "1/2" }', "z = w*x", "a = sigmoid(z)", "L = (a - y)**2", wrt="w"),
        [("a = 1/(1 + e^(-1.0000)) = 0.731", RIGHT), ("a = 1/(1 + exp(-1.0001)) ≈ 0.731", OPEN), ("a = 1/(1 + exp(-1.0004)) ≈ 0.731", WRONG),
         ("a = 1/(1 + exp(-1.3)) ≈ 0.786", WRONG)]),
    (PARTS, [("L = 1 + s ≈ 1.693", RIGHT)]),  # (a - y)**2 is 1 at the given numbers
    (PARTS, [("s ≈ 0.694", WRONG), ("L = (0-1)^2 + 0.6931 ≈ 1.693", RIGHT)]), (PARTS, [("L = s ≈ 1.693", WRONG)]),
    (TANH, [("| step | value |", PROSE), ("|---|---|", PROSE), ("| z | 1.25 |", PROSE), ("L = (a-y)^2/2 = 0.0115", RIGHT),
        ("delta = dL/dz = (a - y)(1 - a^2)", RIGHT), ("dw = delta * x", RIGHT), ("db = delta", RIGHT), ("w_new = w - 0.1*dw", PROSE)]),
    (LOGISTIC, [(r"$$\frac{\partial L}{\partial p_n} = \frac{1}{N}\frac{p_n - y_n}{p_n(1-p_n)}$$", RIGHT),
        (r"$$\frac{\partial L}{\partial z_n} = \frac{p_n-y_n}{N}$$", RIGHT),
        (r"$$\frac{\partial L}{\partial w} = \frac{1}{N}X^\top(p-y)$$", RIGHT)]),
    (LOGISTIC, [("dL/dz = (p - y)/N", RIGHT), ("dL/dw = X^T (p - y)", WRONG), ("dL/dw = X.T @ dL/dz", RIGHT),
        ("dL/dw_j = (1/N) sum_n (y_n - p_n) X_nj", WRONG)]),
    (LOGISTIC, [("σ'(z) = σ(z)(1-σ(z))", OPEN), ("dL/dw = 1/N Xᵀ(σ(Xw) − y)", RIGHT), ("dL/dw = (1/N) Σ_n (p_n − y_n) x_n", RIGHT),
        ("dp/dz = p(1-p)", OPEN)]),
    (RELU, [("dO = (O - Y)/N", RIGHT), ("dW2 = H.T @ dO", RIGHT), ("dH = dO @ W2.T", RIGHT), ("dZ = dH * (Z > 0)", RIGHT),
        ("dW1 = X.T @ dZ", RIGHT), ("db1 = dZ.sum(axis=0)", RIGHT)]),
    (RELU, [("dO = (O - Y)/N", RIGHT), ("dW2 = dO.T @ H", WRONG), ("dH = dO @ W2", WRONG), ("dZ = dH * (H > 0)", RIGHT),
        ("db1 = dZ.mean(axis=0)", WRONG)]),
    (RELU, [(r"$$\delta_O = \frac{1}{N}(O-Y)$$", OPEN), (r"$$\frac{\partial L}{\partial W_2} = \frac1N H^\top (O-Y)$$", RIGHT),
        (r"$$\frac{\partial L}{\partial W_1} = \frac1N X^\top\left((O-Y)W_2^\top \odot \mathbf{1}[Z>0]\right)$$", RIGHT),
        (r"$$\frac{\partial L}{\partial b_1} = \frac1N \mathbf{1}^\top\left((O-Y)W_2^\top \odot f'(Z)\right)$$", RIGHT)]),
    (RELU, [(r"$$\frac{\partial L}{\partial W_2} = H^\top (O-Y)$$", WRONG),
        (r"$$\frac{\partial L}{\partial b_1} = \frac1N\left((O-Y)W_2^\top \odot \mathbf{1}[Z>0]\right)\mathbf{1}$$", WRONG)]),
    (SHARES, [(r"$$\frac{\partial p_i}{\partial z_j} = p_i(\delta_{ij}-p_j)$$", RIGHT),
        (r"$$\frac{\partial L}{\partial z} = p-y$$", RIGHT), (r"$$\frac{\partial L}{\partial W} = (p-y)x^\top$$", RIGHT),
        (r"$$\frac{\partial L}{\partial W_{ij}} = (p_i-y_i)x_j$$", RIGHT)]),
    (SHARES, [(r"$$\frac{\partial p_i}{\partial z_j} = p_i(\delta_{ij}-p_i)$$", WRONG), ("dL/dz = y - p", WRONG),
        ("dL/dW = x (p-y)^T", WRONG), ("dL/dW = (p - y) ⊗ x", RIGHT)]),
    (SHARES, [("The loss is L = -sum(y*log(p)).", OPEN), ("dL/dz_i = p_i - y_i", RIGHT), ("dL/dW = outer(p - y, x)", RIGHT),
        ("So with learning rate eta: W <- W - eta*(p-y) x^T", OPEN)]),
    (DIVERGENCE, [("dKL/dmu = mu", RIGHT), ("dKL/dv = (exp(v) - 1)/2", RIGHT),
        (r"$\frac{\partial KL}{\partial v_i} = \frac12(e^{v_i}-1)$", RIGHT)]),
    (DIVERGENCE, [("dKL/dmu = -mu", WRONG), ("dKL/dv = (1 - exp(v))/2", WRONG), ("dKL/dmu_i = mu_i", RIGHT)]),
    (STEP, [("dL/dh = h - t", RIGHT), ("dL/da = (h - t)*(1 - h**2)", RIGHT), ("dL/dW = dL/da h0^T", RIGHT),
        ("dL/dh0 = W^T dL/da", RIGHT)]),
    (STEP, [("dL/da = (h-t) ⊙ (1-h²)", RIGHT), ("dL/dW = h0 dL/daᵀ", WRONG), ("dL/dh0 = W dL/da", WRONG),
        ("dL/dW = ((h-t) ⊙ (1-h²)) ⊗ h0", RIGHT)]),
    (STEP, [(r"$$\frac{\partial L}{\partial W} = \left((h-t)\odot(1-h\odot h)\right)h_0^\top$$", RIGHT),
        (r"$$\frac{\partial L}{\partial a_i} = (h_i-t_i)\tanh'(a_i)$$", RIGHT),
        (r"$$\frac{\partial L}{\partial W_{ij}} = (h_i-t_i)(1-h_i^2)h_{0j}$$", OPEN),
        (r"$$\frac{\partial L}{\partial W} = \operatorname{diag}(1-h^{\odot 2})(h-t)h_0^\top$$", RIGHT)]),
    (TANH, [("x = 2, w = 0.5, b = 0.25, y = 1", OPEN), ("z = 0.5*2 + 0.25 = 1.25", RIGHT),
        ("a = (e^1.25 - e^-1.25)/(e^1.25 + e^-1.25) = 0.848", RIGHT), ("dL/dw = -0.0851", RIGHT), ("dL/dw = 0.0851", WRONG)]),
)


@pytest.mark.parametrize(("sheet", "rows"), HAND_INS)
def test_twenty_pages_that_are_handed_in(sheet: str, rows: list[tuple[str, str]]) -> None:
    page = sheet + "\n\n".join(line for line, _ in rows) + "\n"
    found, lines = check_page(page, timeout=None), page.splitlines()
    for line, wanted in rows:
        marks = {j.mark for j in found.judged if j.line == lines.index(line) + 1}
        assert (Mark.WRONG in marks) == (wanted == WRONG), (line, marks)
        assert wanted != RIGHT or (marks and marks <= {Mark.RIGHT, Mark.GIVEN, Mark.PUT_IN}), (line, marks)
