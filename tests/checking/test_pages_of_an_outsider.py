"""Pages on subjects and in forms that stand in no other test: each right line is called right, each wrong one wrong."""

from __future__ import annotations

import pytest

import symnet as sn
from symnet.core.page_verdict import Mark
from symnet.parsing.page_files import latex_page

FOCAL = '''[symbols]
z = { value = "0.8" }
gamma = { value = "2" }
[program]
definitions = ["p = sigmoid(z)", "F = -(1 - p)**gamma*log(p)"]
wrt = ["z"]
'''
ONE_HOT = '''[symbols]
x = { value = ["1", "-2"] }
W = { value = [["0.5", "1"], ["-1", "0"]] }
y = { value = ["1", "0"] }
[program]
definitions = ["z = W @ x", "p = softmax(z)", "L = -sum(y*log(p))"]
wrt = ["W"]
'''
RIDGE = '''[symbols]
x = {}
y = {}
w = {}
k = {}
[program]
definitions = ["a = w*x", "L = (a - y)**2 + k*w**2"]
wrt = ["w"]
'''
NORM = '''[symbols]
x = { shape = ["d"] }
g = { shape = ["d"] }
t = { shape = ["d"] }
[program]
definitions = ["m = sum(x)/d", "v = sum((x - m)**2)/d + 1/100000", "s = sqrt(v)", "h = (x - m)/s", "L = sum((g*h - t)**2)/2"]
wrt = ["x", "g"]
'''
R, W, G = Mark.RIGHT, Mark.WRONG, Mark.GIVEN
PAGES = {
    "given numbers in exponents": (FOCAL, [
        ("F = -(1-p)^2 log(p)", [R]), ("F = -(1-p) log(p)", [W]), ("dF/dp = 2(1-p) log p - (1-p)^2/p", [R]),
        ("dF/dp = 2(1-p) log p + (1-p)^2/p", [W]), (r"$\frac{dF}{dz} = (1-p)^2\,(2 p \log p - (1-p))$", [R]),
        (r"$\frac{dF}{dz} = (1-p)^2\,(2 \log p - (1-p))$", [W])]),
    "given numbers that add up to 1": (ONE_HOT, [
        ("dL/dz = p - y = [-0.6225, 0.6225]", [R, R]), ("dL/dz = y - p", [W]), ("dL/dz = p - 2*y", [W]), ("dL/dz_1 = p_1 - y_1", [R]),
        ("dL/dz_1 = p_1*x_1 - y_1", [W]), (r"$$\frac{\partial L}{\partial W} = (p-y)x^T$$", [R])]),
    "a formula that goes on in the next line": (RIDGE, [
        ("dL/dw = 2(a - y)*x\n  + 2*k*w", [R]), ("dL/dw = 2(a - y)*x\n  - 2*k*w", [W]), ("dL/dw = 2(a - y)\n  * x + 2*k*w", [R]),
        ("dL/da = 2(a - y)\n- then the chain rule", [R]), ("dL/da = 2(a - y)\n- dL/dw = 2(a - y)*x + 2*k*w", [R, R])]),
    "signs in front, displays in one line": (RIDGE, [
        (r"$$\therefore\; \frac{\partial L}{\partial a} = 2(a-y)$$", [R]), (r"$\Rightarrow \frac{\partial L}{\partial a} = (a-y)$", [W]),
        ("=> dL/da = 2(a - y)", [R]), (r"\begin{aligned} \frac{\partial L}{\partial a} &= 2(a-y) \end{aligned}" "\ndL/da = a - y", [R, W])]),
    "a norm by index": (NORM, [
        (r"$$\frac{\partial h_i}{\partial x_j} = \frac{1}{s}\left(\delta_{ij} - \frac{1}{d} - \frac{1}{d} h_i h_j\right)$$", [R]),
        (r"$$\frac{\partial h_i}{\partial x_j} = \frac{1}{s}\left(\delta_{ij} - \frac{1}{d} + \frac{1}{d} h_i h_j\right)$$", [W]),
        (r"$$\frac{\partial v}{\partial x_i} = \frac{2}{d}(x_i - m)$$", [R]), (r"$$\frac{\partial s}{\partial v} = -\frac{1}{2 s}$$", [W])]),
}
LINES = [(sheet, text, marks) for sheet, lines in PAGES.values() for text, marks in lines]


@pytest.mark.parametrize("sheet, text, marks", LINES, ids=[f"{name}-{k}" for name, (_, lines) in PAGES.items() for k in range(len(lines))])
def test_a_line_is_judged_as_it_must_be(sheet: str, text: str, marks: list[Mark]) -> None:
    found = sn.check_page(f"```toml\n{sheet}```\n\n{text}\n", timeout=None)
    assert [j.mark for j in found.claims] == marks, str(found)


def test_what_numbers_add_up_to_falls_with_other_numbers() -> None:
    found = sn.check_page(f"```toml\n{ONE_HOT}```\n\ny = [0.5, 0.2]\n\ndL/dz = p - y\n", timeout=None)
    assert [j.mark for j in found.claims] == [Mark.WRONG]


def test_a_matrix_in_a_cell_of_a_latex_table() -> None:
    row = r"$W$ & $\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}$ \\"
    assert latex_page("\\begin{tabular}{ll}\n" + row + "\n\\end{tabular}") == \
        "\n" + r"| $W$ | $\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}$ |" + "\n"


@pytest.mark.parametrize("line, printed, exact", [("dL/dz_2 = p_2 - y_2 ≈ {}", "-0.3711", "-0.37147"), ("L_new ≈ {}", "0.069936", "0.067968")])
def test_two_numbers_of_published_pages_are_wrong(line: str, printed: str, exact: str) -> None:
    """softmax(1, 2, 1/2) has 0.62853 in the middle; a step of 0.1 from w = 1/2 gives w = 0.521151 and (sigmoid(2 w) - 1)² = 0.067968."""
    from mpmath import mp, mpf

    mp.dps = 40
    e = [mp.exp(1), mp.exp(2), mp.exp(mpf(1) / 2)]

    def sigmoid(z: mpf) -> mpf:
        return 1 / (1 + mp.exp(-z))

    a = sigmoid(mpf(1))
    w = mpf(1) / 2 - mpf(1) / 10 * 2 * (a - 1) * a * (1 - a) * 2
    truth = e[1] / sum(e) - 1 if "p_2" in line else (sigmoid(2 * w) - 1) ** 2
    assert abs(truth - mpf(exact)) < mpf(10) ** -6 * 6 and abs(truth - mpf(printed)) > mpf("0.0003")
    sheet = '[symbols]\nz = { value = ["1", "2", "0.5"] }\ny = { value = ["0", "1", "0"] }\n[program]\n' \
        'definitions = ["p = softmax(z)", "L = -sum(y*log(p))"]\nwrt = ["z"]\n' if "p_2" in line else \
        '[symbols]\nx = { value = "2" }\ny = { value = "1" }\nw = { value = "1/2" }\n[program]\n' \
        'definitions = ["z = w*x", "a = sigmoid(z)"]\nobjective = "(a - y)**2"\nwrt = ["w"]\nlearning_rate = "0.1"\n'
    for number, mark in ((printed, Mark.WRONG), (exact, Mark.RIGHT)):
        found = sn.check_page(f"```toml\n{sheet}```\n\n{line.format(number)}\n", timeout=None)
        assert found.claims[-1].mark is mark, str(found)
