r"""Pages as a student, a blogger, a lecturer and a researcher write them: tables, updates, entries, matrices in displays.

Each line is right, planted wrong (!), or no claim or not to be decided (~), which must never be called wrong.
"""

from __future__ import annotations

import pytest

import symnet as sn

NEURON = '''[symbols]
x = { value = "2" }
y = { value = "1" }
w = { value = "1/2" }
b = { value = "1/4" }
[program]
definitions = ["z = w*x + b", "a = sigmoid(z)"]
objective = "(a - y)**2/2"
wrt = ["w", "b"]
learning_rate = "0.1"
'''
SQUARES = '''[symbols]
X = { shape = ["N", "d"] }
w = { shape = ["d"] }
y = { shape = ["N"] }
[program]
definitions = ["r = X @ w - y", "J = sum(r**2)/(2*N)"]
wrt = ["w"]
learning_rate = "0.1"
'''
MATRIX = '''[symbols]
x = { shape = [2], value = [1, 2] }
W = { shape = [2, 2], value = [["0.1", "0.2"], ["0.3", "0.4"]] }
b = { shape = [2], value = ["0.5", "0.5"] }
t = { shape = [2], value = [1, 0] }
[program]
definitions = ["z = W @ x + b", "L = sum((z - t)**2)/2"]
wrt = ["W", "b"]
learning_rate = "0.1"
'''
SOFTMAX = '''[symbols]
z = { shape = ["k"] }
y = { shape = ["k"], assume = ["sum(y) == 1"] }
[program]
definitions = ["p = softmax(z)", "L = -sum(y*log(p))"]
wrt = ["z"]
'''
PAGES = {
    "a student's neuron": (NEURON, r"""
z = wx + b = 0.5*2 + 0.25 = 1.25
dL/da = a - y = -0.223
dL/dw = (a - y)*a*(1 - a)*x
!dL/db = (a - y)*a*(1 - a)*x
w ← w − 0.1·dL/dw = 0.508
!w := w + 0.1*dL/dw
b := b - 0.1*dL/db = 0.254"""),
    "a student's table": (NEURON, r"""
~| parameter | old value | gradient | new value | numeric gradient | comment |
~|---|---|---|---|---|---|
| w | 0.5 | -0.0771 | 0.5077 | -0.08 | see page 3 |
!| b | 0.25 | -0.0386 | 0.2461 | -0.04 | 2 |"""),
    "a blogger's neuron": (NEURON, r"""
The network computes $\hat{y} = \sigma(wx + b) \approx 0.777$.
By the chain rule $\frac{\partial \mathcal{L}}{\partial w} = (\hat{y} - y)\,\hat{y}(1-\hat{y})\,x \approx -0.0771$.
!and $\frac{\partial \mathcal{L}}{\partial b} = (\hat{y} - y)(1-\hat{y}) \approx -0.0386$
~If $z = 0$ the slope of the sigmoid is $\frac{1}{4}$.
~A larger step moves the loss by $\approx 0.3$ at once."""),
    "a lecturer's updates": (NEURON, r"""
$$w^{(1)} = w^{(0)} - \eta \frac{\partial L}{\partial w} \approx 0.5077$$
$$w^{(t+1)} = w^{(t)} - \eta \frac{\partial L}{\partial w^{(t)}}$$
!$$w^{(t+1)} = w^{(t)} + \eta \frac{\partial L}{\partial w}$$
!$$w_{t+1} = w_t + \eta \nabla_w L$$"""),
    "a researcher's least squares": (SQUARES, r"""
$$J(w) = \frac{1}{2N} \lVert Xw - y \rVert^2$$
$$\nabla_w J = \frac{1}{N} X^\top (Xw - y) \tag{1}$$
$$\frac{\partial J}{\partial w_j} = \frac{1}{N} \sum_{i=1}^{N} r_i X_{ij}, \qquad r = Xw - y$$
$$w \leftarrow w - \eta\, \frac{1}{N} X^\top r$$
!$$w \leftarrow w - \eta\, X^\top r$$
$$w_{\text{new}} = w - \eta \nabla_w J$$
dJ/dw_j = (1/N) sum_n r_n X_nj
!dJ/dw_j = sum_n r_n X_nj
w_new = w - lr*X.T @ r/N
!w := w + 0.1*X.T @ r/N"""),
    "softmax in plain maths": (SOFTMAX, r"""
dp_i/dz_j = p_i*(delta_ij - p_j)
!dp_i/dz_j = p_i*(delta_ij - p_i*p_j)
∂L/∂z_j = p_j - y_j   (since the y sum to 1)
For i = j: dp_i/dz_i = p_i*(1 - p_i)
~For i ≠ j: dp_i/dz_j = -p_i*p_j
$$\frac{\partial p_i}{\partial z_j} = \begin{cases} p_i (1 - p_i) & \text{if } i = j \\ -p_i p_j & \text{otherwise} \end{cases}$$"""),
    "matrices in displays": (MATRIX, r"""
$$z = Wx + b = \begin{pmatrix} 0.1 & 0.2 \\ 0.3 & 0.4 \end{pmatrix} \begin{pmatrix} 1 \\ 2 \end{pmatrix} + b = \begin{pmatrix} 1.0 \\ 1.6 \end{pmatrix}$$
$$\nabla_W L = \begin{bmatrix} 0 & 0 \\ 1.6 & 3.2 \end{bmatrix}$$
!$$\nabla_W L = \begin{bmatrix} 0 & 1.6 \\ 0 & 3.2 \end{bmatrix}$$
$$\nabla_b L = (0, 1.6)^T$$
!$$\nabla_b L = (1.6, 0)^T$$
x = [1, 2]
dL/dW = outer(dL/dz, x) = [[0, 0], [1.6, 3.2]]
!dL/dW = [[0, 0], [1.6, 3.6]]
dL/dW_ij = (z_i - t_i)*x_j
!dL/dW_ij = (z_j - t_j)*x_i
W_new = W - 0.1*dL/dW = [[0.1, 0.2], [0.14, 0.08]]
!W_new = [[0.1, 0.2], [0.14, 0.8]]
b ← b - 0.1 dL/db = [0.5, 0.34]"""),
}


@pytest.mark.parametrize("name", PAGES)
def test_right_lines_are_right_and_planted_errors_are_found(name: str) -> None:
    sheet, text = PAGES[name]
    lines = text.strip().split("\n")
    said = ["".join(line.split(c, 1)) if (c := line[0]) in "!~" else line for line in lines]
    page = f"```toml\n{sheet}```\n" + ("\n" if "|---" in text else "\n\n").join(["", *said])
    numbers = {line: k for k, line in enumerate(page.split("\n"), start=1)}
    found = sn.check_page(page, timeout=None).judged
    for line, body in zip(lines, said, strict=True):
        marks = {j.mark.value for j in found if j.line == numbers[body]}
        if line[0] == "~":
            assert "wrong" not in marks, body
        elif line[0] == "!":
            assert "wrong" in marks, body
        else:
            assert marks and not marks & {"wrong", "undecided"}, (body, marks)
