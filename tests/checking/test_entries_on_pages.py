"""Pages about arrays in LaTeX, as books write them: entries at index letters, local slopes, operators, layers; right lines and wrong ones."""

from __future__ import annotations

import pytest

import symnet as sn
from symnet.core.page_verdict import Mark

LINEAR = '''```toml
[symbols]
w = { shape = ["d"] }
x = { shape = ["d"] }
t = {}
b = {}
[program]
definitions = ["a = w @ x + b", "L = (a - t)**2/2"]
wrt = ["w", "b"]
```
'''
SOFTMAX = '''```toml
[symbols]
z = { shape = ["k"] }
y = { shape = ["k"], assume = ["sum(y) == 1"] }
[program]
definitions = ["p = softmax(z)", "L = -sum(y*log(p))"]
wrt = ["z"]
```
'''
LAYERS = '''```toml
[symbols]
x = { shape = ["d"] }
W1 = { shape = ["h", "d"] }
b1 = { shape = ["h"] }
W2 = { shape = ["k", "h"] }
b2 = { shape = ["k"] }
y = { shape = ["k"] }
[program]
definitions = ["z1 = W1 @ x + b1", "a1 = sigmoid(z1)", "z2 = W2 @ a1 + b2", "a2 = sigmoid(z2)", "L = sum((a2 - y)**2)/2"]
wrt = ["W1", "b1", "W2", "b2"]
```
'''
REGRESSION = '''```toml
[symbols]
X = { shape = ["m", "n"] }
theta = { shape = ["n"] }
y = { shape = ["m"] }
[program]
definitions = ["h = sigmoid(X @ theta)", "L = -sum(y*log(h) + (1 - y)*log(1 - h))/m"]
wrt = ["theta"]
```
'''
RIGHT = [
    (LINEAR, r"\frac{\partial L}{\partial w_i} = (a-t)x_i"), (LINEAR, r"\frac{\partial L}{\partial w_{k}} = x_k (a - t)"),
    (LINEAR, r"\frac{\partial a}{\partial w} = x"), (LINEAR, r"\frac{\partial a}{\partial w_j} = x_j"), (LINEAR, r"\frac{\partial a}{\partial b} = 1"),
    (LINEAR, r"\frac{\partial L}{\partial w} = \frac{\partial L}{\partial a}\frac{\partial a}{\partial w}"),
    (LINEAR, r"\frac{\partial^2 L}{\partial b^2} = 1"), (LINEAR, r"\frac{\partial^2 L}{\partial w_i \partial w_j} = x_i x_j"),
    (LINEAR, r"\frac{\partial}{\partial w} L = (a - t) x"), (LINEAR, r"\nabla_w L = (a-t)\,x"), (LINEAR, r"\nabla_{w} J(w) = (a-t)\,x"),
    (SOFTMAX, r"\frac{\partial p_i}{\partial z_j} = p_i(\delta_{ij} - p_j)"), (SOFTMAX, r"\frac{\partial p_j}{\partial z_i} = p_j(\delta_{ij} - p_i)"),
    (SOFTMAX, r"\frac{\partial L}{\partial z_j} = p_j - y_j"), (SOFTMAX, r"\frac{\partial L}{\partial z} = p \sum_k y_k - y"),
    (SOFTMAX, r"\frac{\partial L}{\partial p_i} = -\frac{y_i}{p_i}"),
    (LAYERS, r"\delta^{[2]} = (a^{[2]} - y) \odot \sigma'(z^{[2]})"), (LAYERS, r"\frac{\partial L}{\partial W^{[2]}} = \delta^{[2]} (a^{[1]})^T"),
    (LAYERS, r"\frac{\partial L}{\partial W^{[1]}_{ij}} = \delta^{[1]}_i x_j"), (LAYERS, r"\frac{\partial L}{\partial b^{[1]}} = \delta^{[1]}"),
    (REGRESSION, r"\nabla_\theta J(\theta) = \frac{1}{m} X^T (h - y)"), (REGRESSION, r"\frac{\partial}{\partial \theta} J = \frac{1}{m} X^\top (\sigma(X\theta) - y)"),
    (REGRESSION, r"\frac{\partial J}{\partial \theta_j} = \frac{1}{m} \sum_{i=1}^{m} (h_i - y_i) x_{ij}"),
]
WRONG = [
    (LINEAR, r"\frac{\partial L}{\partial w_i} = (t-a)x_i"), (LINEAR, r"\frac{\partial L}{\partial w_i} = (a-t)x"), (LINEAR, r"\frac{\partial a}{\partial w} = w"),
    (LINEAR, r"\frac{\partial a}{\partial w_i} = w_i"), (LINEAR, r"\frac{\partial^2 L}{\partial w_i \partial w_j} = x_i + x_j"),
    (LINEAR, r"\nabla_w L = (t-a)\,x"), (SOFTMAX, r"\frac{\partial p_i}{\partial z_j} = p_i(\delta_{ij} + p_j)"),
    (SOFTMAX, r"\frac{\partial p_i}{\partial z_j} = p_i(1 - p_j)"), (SOFTMAX, r"\frac{\partial p_i}{\partial z_j} = p_i \delta_{ij}"),
    (SOFTMAX, r"\frac{\partial L}{\partial z_j} = y_j - p_j"), (LAYERS, r"\frac{\partial L}{\partial W^{[1]}_{ij}} = \delta^{[1]}_j x_i"),
    (LAYERS, r"\frac{\partial L}{\partial W^{(1)}} = \delta^{(1)} x"), (LAYERS, r"\delta^{[2]} = (a^{[2]} - y)"),
    (REGRESSION, r"\frac{\partial J}{\partial \theta_j} = \sum_{i=1}^{m} (h_i - y_i) x_{ij}"), (REGRESSION, r"\nabla_\theta J(\theta) = \frac{1}{m} X^T (y - h)"),
]
UNDECIDED = [  # what is only guessed is never refuted
    (LINEAR, r"\nabla_w J(x) = (a-t)\,x"), (LINEAR, r"\frac{\partial q}{\partial w} = x"), (LINEAR, r"\frac{\partial a}{\partial w_i} = x_j"),
    (SOFTMAX, r"\frac{\partial p}{\partial z} = p(1 - p)"), (LAYERS, r"\delta^{[3]} = a^{[2]} - y"),
]


def marks(sheet: str, line: str) -> set[Mark]:
    return {j.mark for j in sn.check_page(f"{sheet}\n${line}$\n").judged if j.line > 3}


@pytest.mark.parametrize("sheet, line", RIGHT, ids=[line for _, line in RIGHT])
def test_a_right_line_is_right(sheet: str, line: str) -> None:
    assert marks(sheet, line) == {Mark.RIGHT}


@pytest.mark.parametrize("sheet, line", WRONG, ids=[line for _, line in WRONG])
def test_a_wrong_line_is_wrong(sheet: str, line: str) -> None:
    assert marks(sheet, line) == {Mark.WRONG}


@pytest.mark.parametrize("sheet, line", UNDECIDED, ids=[line for _, line in UNDECIDED])
def test_what_has_no_one_meaning_is_not_refuted(sheet: str, line: str) -> None:
    assert Mark.WRONG not in marks(sheet, line)
