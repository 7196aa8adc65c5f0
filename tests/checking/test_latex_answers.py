r"""Answers in LaTeX: which texts are LaTeX, what was understood is said back in plain maths, what cannot be read is told. Verdicts: test_answers."""

from __future__ import annotations

from functools import cache

import pytest

import symnet as sn
from symnet.checking.answers import check_answer
from symnet.checking.reading import is_latex
from symnet.checking.worksheet_answers import judge, judge_simplified
from symnet.core.derivation import Derivation
from symnet.core.verdict import Answer
from symnet.errors import SymnetError


@cache
def squares() -> Derivation:
    shapes = {"X": ("N", "d"), "w": ("d",), "y": ("N",)}
    return sn.derive(sn.program("r = X @ w - y", "L = sum(r**2)/N", tensors=shapes), wrt=["w", "y", "X"])


@pytest.mark.parametrize("latex", [r"\frac{\partial L}{\partial w}", r"\nabla_w L"])
def test_the_gradient_itself_is_no_answer(latex: str) -> None:
    assert judge({"id": "A1", "wrt": "w", "latex": latex}, squares()).verdict.answer is Answer.UNDECIDED


@pytest.mark.parametrize("latex", [r"\input{x}", r"\frac{1}{", "", r"q X^{\top} r"])
def test_what_cannot_be_read_is_undecided_with_the_place(latex: str) -> None:
    verdict = judge({"id": "A1", "wrt": "w", "latex": latex}, squares()).verdict
    assert verdict.answer is Answer.UNDECIDED and "answer A1, column" in verdict.reason


def test_two_columns_of_different_lengths_have_no_product() -> None:
    verdict = judge({"id": "A1", "wrt": "w", "latex": r"X^T Xw y"}, squares()).verdict
    assert verdict.answer is Answer.REFUTED and "two columns side by side" in verdict.reason


@pytest.mark.parametrize(("text", "wanted"), [(r"\frac{1}{2}", True), ("w_{ij}^{(1)}", True), ("$x$", True), ("2*X.T @ r/N", False), ("X^T (X w - y)", False),
                                              ("w_{1}", False)])
def test_the_looks_tell_latex_from_plain_maths(text: str, wanted: bool) -> None:
    assert is_latex(text) is wanted


@pytest.mark.parametrize("latex", [r"\frac{2}{N} X^{\top} \left(X w - y\right)", r"\frac{\partial L}{\partial w_j} = \frac{2}{N} \sum_{n=1}^{N} x_{nj} r_n"])
def test_what_was_understood_is_said_back(latex: str) -> None:
    result = judge({"id": "A1", "wrt": "w", "latex": latex}, squares())
    assert result.verdict.answer is Answer.PROVED, result.verdict
    assert result.read_as and "\\" not in result.read_as and "_k" not in result.read_as


def test_check_reads_both() -> None:
    assert check_answer(r"\frac{2}{N} X^{\top} r", squares(), "w").answer is Answer.PROVED
    assert sn.check("2/N*X.T @ r", squares(), "w").answer is Answer.PROVED


def test_an_answer_to_simplify_may_be_latex() -> None:
    made = sn.derive(sn.program("L = sqrt(x**2)", tensors={"x": ()}), wrt=["x"])
    assert judge_simplified({"id": "A1", "latex": r"\left|x\right|"}, made).verdict.holds
    assert not judge_simplified({"id": "A2", "latex": "x"}, made).verdict.holds


LATEX: dict[tuple[str, str], tuple[tuple[str, ...], tuple[str, ...]]] = {  # right, wrong
    ("squares", "w"): ((
        r"\frac{2}{N}\sum_{n=1}^{N} r_n x_n", r"\frac{2}{N}\sum_{i=1}^{N}(w^\top x^{(i)} - y^{(i)}) x^{(i)}", r"\frac{2}{N}\sum_n X_{nj} r_n",
        r"\frac{\partial J(w)}{\partial w_j} = \frac{2}{N}\sum_{i=1}^{N}(w^\top x^{(i)} - y^{(i)}) x_j^{(i)}", r"\nabla L = \frac{2}{N}X^\top r",
        r"\nabla_w J(w) = \frac{2}{N}X^\top r", r"\begin{align} \frac{\partial{L}}{\partial{w}} &= \frac{2}{N}X^\top r \tag{1} \end{align}",
        r"\boxed{\frac{\partial \mathcal{L}}{\partial w} = \frac{2}{N}X^\top r}", r"\frac{2}{N}X^\top r \in \mathbb{R}^{d}",
        r"\overline{w} = \frac{2}{N}X^\top r \text{ (a column)}", r"\frac{\partial}{\partial w} L = \frac{2}{N}\sum_{n} r_n X_{n,:}^\top",
        r"\frac{\partial L}{\partial w} = \frac{2}{N}\sum_n X_{nj} r_n"),
        (r"2\sum_n r_n x_n", r"\frac{\partial L}{\partial w_j} = \frac{2}{N}\sum_{n} X_{jn} r_n", r"\frac{2}{N}\sum_n X_{nj}", r"\nabla L = X^\top r")),
    ("net", "w1"): ((
        r"\frac{\partial L}{\partial a_2}\frac{\partial a_2}{\partial z_2}\frac{\partial z_2}{\partial a_1}\frac{\partial a_1}{\partial z_1}x",
        r"\delta_1 x", r"\delta^{[1]} x", r"\overline{z_1} x", r"\bar{z}_1 x", r"\frac{\partial C}{\partial w_1} = \delta_2 w_2 \sigma'(z_1) x",
        r"\underbrace{2(a_2-y)}_{\partial L/\partial a_2} a_2(1-a_2) w_2 a_1(1-a_1) x",
        r"2(a^{[2]}-y)a^{[2]}(1-a^{[2]})w^{[2]}a^{[1]}(1-a^{[1]})x"),
        (r"\delta_2 x", r"\delta_1", r"\frac{\partial L}{\partial a_2}\frac{\partial a_2}{\partial z_2}\frac{\partial z_2}{\partial a_1}x", r"\overline{a_1} x")),
    ("masked", "X"): ((r"G\odot 1_{X>0}", r"G\odot 1_{\{X > 0\}}", r"G\odot\mathbb{1}(X>0)", r"G\odot (X > 0)",
                       r"\frac{\partial L}{\partial X_{ni}} = G_{ni}[X_{ni} > 0]"), (r"G\odot 1_{X<0}", "G", r"1_{X>0}")),
    ("softmax", "z"): ((r"\frac{\partial L}{\partial z_i} = -y_i(1-p_i) + \sum_{k \ne i} y_k p_i", r"(\mathbf{1}^\top y)p-y",
                        r"\frac{\partial L}{\partial z_i} = -\sum_k y_k(\delta_{ik} - p_i)"),
                       (r"\frac{\partial L}{\partial z_i} = -y_i(1-p_i) - \sum_{k \ne i} y_k p_i", "p-y")),
    ("layers", "W"): ((r"\frac{\partial C}{\partial W^{(l)}} = \delta^{(l)}(a^{(l-1)})^\top", r"\frac{\partial C}{\partial w^l_{jk}} = a^{l-1}_k\delta^l_j",
                       r"\frac{\partial C}{\partial W^{[l]}_{ij}} = \delta^{[l]}_i a^{[l-1]}_j"), (r"\frac{\partial C}{\partial w^l_{jk}} = a^{l-1}_j\delta^l_k",)),
    ("batch", "W1"): ((r"\frac{\partial L}{\partial W_{jk}} = \sum_n X_{nj} g_{nk}", r"\nabla_{W} L = X^\top G", r"\frac{dL}{dW1} = X^\top G",
                       r"\frac{\partial L}{\partial W1_{jk}} = \sum_n x_{nj} g_{nk}", r"\sum_{n=1}^{N} x_n g_n^\top", r"X^\top \bar Y"),
                      (r"\frac{\partial L}{\partial W_{jk}} = \sum_n X_{nk} g_{nj}", r"G^\top X", r"X^\top \bar Y/N")),
    ("penalty", "w"): ((r"\lambda w", r"\lambda\, w"), (r"2\lambda w",)),
}
PROBLEMS: dict[str, tuple[tuple[str, ...], dict[str, tuple[str, ...]]]] = {
    "net": (("z1 = w1*x", "a1 = sigmoid(z1)", "z2 = w2*a1", "a2 = sigmoid(z2)", "L = (a2 - y)**2"), dict.fromkeys(("w1", "w2", "x", "y"), ())),
    "masked": (("L = sum(G*relu(X))",), {"G": ("N", "d"), "X": ("N", "d")}),
    "softmax": (("p = softmax(z)", "L = -sum(y*log(p))"), {"z": ("K",), "y": ("K",)}),
    "batch": (("Y = X@W1", "L = sum(G*Y)"), {"X": ("N", "d"), "W1": ("d", "k"), "G": ("N", "k")}),
    "penalty": (("L = lam/2*sum(w**2)",), {"lam": (), "w": ("d",)}),
}


@cache
def problem(name: str, wrt: str) -> Derivation:
    if name == "squares":
        return squares()
    return sn.load("depth") if name == "layers" else sn.derive(sn.program(*PROBLEMS[name][0], tensors=PROBLEMS[name][1]), wrt=[wrt])


@pytest.mark.parametrize(("name", "wrt", "text"), [(n, w, t) for (n, w), (right, _) in LATEX.items() for t in right])
def test_latex_as_students_write_it_is_proved(name: str, wrt: str, text: str) -> None:
    found = check_answer(text, problem(name, wrt), wrt, latex=True)
    assert found.answer is Answer.PROVED, found


@pytest.mark.parametrize(("name", "wrt", "text"), [(n, w, t) for (n, w), (_, wrong) in LATEX.items() for t in wrong])
def test_wrong_latex_is_refuted(name: str, wrt: str, text: str) -> None:
    found = check_answer(text, problem(name, wrt), wrt, latex=True)
    assert found.answer is Answer.REFUTED, found


@pytest.mark.parametrize(("name", "wrt", "text", "words"), [
    ("squares", "w", r"X^\top \bar{r}", "unknown name"),
    ("batch", "W1", r"\nabla L", "a slope that has a name"), ("net", "w1", r"2(a = y)", "an equation in round brackets"),
    ("squares", "w", r"X^\top r^{(n)}", "the index on the left"), ("net", "w1", r"\frac{\partial L}{\partial w_1}", "a slope that has a name")])
def test_what_may_mean_two_things_is_not_judged(name: str, wrt: str, text: str, words: str) -> None:
    try:
        found = check_answer(text, problem(name, wrt), wrt, latex=True)
    except SymnetError as error:
        assert words in str(error)
    else:
        assert found.answer is Answer.UNDECIDED and words in found.reason
