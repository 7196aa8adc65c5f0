"""Diagnosis beyond single rows: recurrences, declared assumptions, right answers, nonsense, worksheets and JSON, random slips."""

from __future__ import annotations

import json
import random

import numpy as np
import pytest
import sympy as sp

import symnet as sn
from symnet.calculus.closed import closed_form, closed_scalars
from symnet.checking.answers import check_answer
from symnet.checking.slips.kinds import KINDS, ROWS, mistake
from symnet.checking.slips.sampled_points import SampledPoints
from symnet.checking.slips.search import diagnose
from symnet.checking.worksheet_answers import judge
from symnet.core.functions import sigmoid
from symnet.core.schedule import schedule
from symnet.core.verdict import Answer
from symnet.errors import SymnetError
from symnet.networks.architectures import rnn

FIRST, SOFTMAX = sn.load("first"), sn.load("softmax-regression")
RNN = sn.derive(rnn())
SQUARES = sn.derive(sn.program("r = X @ w - y", "L = sum(r**2)/N", tensors={"X": ("N", "d"), "w": ("d",), "y": ("N",)}), wrt=["w"])
MLP = sn.derive(sn.Sequential(sn.Linear("d", "h"), sn.ReLU(), sn.Linear("h", "k")), loss=sn.CrossEntropyLoss())

THROUGH_TIME = [
    ("U", r"\sum_{t=1}^T (h_{t,i} - y_{t,i})(1 - h_{t,i}^2) x_{t,j}", "missing time", "at the next step is missing"),
    ("U", r"(h_{T,i} - y_{T,i})(1 - h_{T,i}^2) x_{T,j}", "only the last step", "only the last place of the sum over 1..T"),
    ("b", r"\frac{\partial L}{\partial z_{T,i}}", "only the last step", "only the last place"),
    ("b", r"\frac{\partial L}{\partial z_{1,i}}", "only the first step", "only the first place"),
    ("b", r"-\sum_{t=1}^T \frac{\partial L}{\partial z_{t,i}}", "sign", "the sign is wrong"),
    ("V", r"\sum_{t=1}^T \frac{\partial L}{\partial z_{t,i}} h_{t,j}", "shifted index", "belongs: a step too far"),
]


@pytest.mark.parametrize(("wrt", "right", "kind", "says"), THROUGH_TIME, ids=[f"{t[2]}: {t[0]}" for t in THROUGH_TIME])
def test_slips_through_time(wrt: str, right: str, kind: str, says: str) -> None:
    letters = "{i}" if wrt == "b" else "{ij}"
    answer = rf"\frac{{\partial L}}{{\partial {wrt}_{letters}}} = {right}"
    found = diagnose(answer, RNN, wrt)
    assert found is not None and found.kind == kind and says in found.message


DECLARED = [("X.T @ (Y - p)/N", "W1", "difference reversed"), ("X.T @ (p - Y)", "W1", "sum for mean"), ("(p - Y).T @ X/N", "W1", "transposed answer"),
            ("(p - Y)/N", "b1", "missing batch sum"), ("X.T @ ((p - Y)*p*(1 - p))/N", "W1", "extra factor")]


@pytest.mark.parametrize(("answer", "wrt", "kind"), DECLARED, ids=[d[2] for d in DECLARED])
def test_what_is_declared_may_be_used(answer: str, wrt: str, kind: str) -> None:
    found = diagnose(answer, SOFTMAX, wrt)
    assert found is not None and found.kind.startswith(kind)
    assert check_answer("X.T @ (p - Y)/N", SOFTMAX, "W1").answer is Answer.CONDITIONAL


RIGHT = [(FIRST, "w2", "2*(a2 - y)*a2*(1 - a2)*a1"), (FIRST, "b2", "2*(a2 - y)*sigmoid(z2)*(1 - sigmoid(z2))"), (SQUARES, "w", "2/N*X.T @ r"),
         (SQUARES, "w", "2/N*(X.T @ X @ w - X.T @ y)"), (SOFTMAX, "W1", "X.T @ (p*sum(Y, axis=1, keepdims=True) - Y)/N"), (SOFTMAX, "W1", "X.T @ (p - Y)/N")]


@pytest.mark.parametrize(("derivation", "wrt", "answer"), RIGHT, ids=[r[2] for r in RIGHT])
def test_a_right_answer_has_no_slip(derivation: sn.Derivation, wrt: str, answer: str) -> None:
    assert diagnose(answer, derivation, wrt) is None


NONSENSE = [(FIRST, "w1", "exp(x) + sigmoid(y)"), (FIRST, "w2", "x*y + 17"), (FIRST, "w2", "0"), (SQUARES, "w", "exp(w)*y[1]"), (SQUARES, "w", "X @ w"),
            (SQUARES, "w", "cos(w) + w**3"), (SOFTMAX, "W1", "exp(W1)"), (MLP, "W1", "W1*cos(W1)"), (SQUARES, "w", "w/0.37 + sum(y)")]


@pytest.mark.parametrize(("derivation", "wrt", "answer"), NONSENSE, ids=[n[2] for n in NONSENSE])
def test_nonsense_is_not_explained(derivation: sn.Derivation, wrt: str, answer: str) -> None:
    assert diagnose(answer, derivation, wrt) is None


@pytest.mark.parametrize("seed", range(25))
def test_a_named_slip_undone_is_the_right_answer(seed: int) -> None:
    """Random products and sums: whatever is named, undoing it gives the gradient; what explains nothing is not named."""
    rng = random.Random(seed)
    wrt = rng.choice(["w1", "b1", "w2", "b2"])
    truth = closed_form(FIRST, wrt)
    factors = [sp.Integer(-1), sp.Integer(2), *closed_scalars(FIRST.full).values()]
    wrong = truth * rng.choice(factors) ** rng.choice((-1, 1)) * rng.choice([sp.S.One, sp.S.One, *factors])
    found = diagnose(wrong, FIRST, wrt)
    if found is not None:
        assert check_answer(found.undo, FIRST, wrt).answer in (Answer.PROVED, Answer.ALMOST_EVERYWHERE)


def test_random_wrong_formulas_never_get_a_slip_that_is_not_undone() -> None:
    rng, named = random.Random(5), 0
    parts = ["a1", "a2", "(1 - a2)", "(a2 - y)", "w2", "x", "2", "(1 - a1)", "(a2 + y)", "sigmoid(a2)", "z1"]
    for _ in range(30):
        answer = "*".join(rng.sample(parts, rng.randint(2, 6)))
        found = diagnose(answer, FIRST, "w2")
        if found is not None:
            named += 1
            assert check_answer(found.undo, FIRST, "w2").answer in (Answer.PROVED, Answer.ALMOST_EVERYWHERE)
    assert named < 15


def test_the_learning_rate_is_told_from_a_factor() -> None:
    answer = "2*(a2 - y)*a2*(1 - a2)*a1/10"
    found = diagnose(answer, FIRST, "w2")
    assert found is not None and (found.kind, found.message) == ("learning rate", "the learning rate 1/10 is in the gradient")
    without = sn.derive(FIRST.program, wrt=["w2"])
    found = diagnose(answer, without, "w2")
    assert found is not None and found.message == "a factor 10 is missing"


def test_the_second_slip_is_named_too() -> None:
    answer = "-2*X.T @ r"
    found = diagnose(answer, SQUARES, "w")
    assert found is not None and found.kind == "sum for mean, sign"
    assert found.message.endswith("and the sign is wrong")


def test_a_result_and_its_json_carry_the_slip() -> None:
    result = judge({"id": "A1", "wrt": "w", "text": "2*X.T @ r"}, SQUARES)
    assert result.verdict.answer is Answer.REFUTED and "a factor 1/N is missing" in str(result)
    slip = json.loads(json.dumps(result.as_json()))["mistake"]
    assert slip["kind"] == "sum for mean" and slip["message"].startswith("a factor 1/N is missing")
    assert set(slip) == {"kind", "message", "undo", "place", "hint", "why"}


def test_an_answer_whose_shapes_do_not_fit_is_explained() -> None:
    result = judge({"id": "A1", "wrt": "w", "text": "2/N*X @ r"}, SQUARES)
    assert result.verdict.answer not in (Answer.PROVED, Answer.ALMOST_EVERYWHERE, Answer.CONDITIONAL)
    assert result.mistake is not None and result.mistake.kind == "transposed factor"
    assert check_answer(result.mistake.undo, SQUARES, "w").holds


def test_a_text_that_cannot_be_read_is_told_in_one_line() -> None:
    for answer in ("foo*x", "2*(a2", "", "__import__('os')"):
        with pytest.raises(SymnetError) as caught:
            sn.diagnose(answer, FIRST, "w2")
        assert "\n" not in str(caught.value)


def test_what_was_read_may_be_given_instead_of_the_text() -> None:
    a1, a2, y = (FIRST.program[n][()] for n in ("a1", "a2", "y"))
    found = diagnose((a2 - y) * a2 * (1 - a2) * a1, FIRST, "w2")
    assert found is not None and found.message == "a factor 2 is missing"


def test_a_right_or_unreadable_answer_has_no_mistake() -> None:
    assert judge({"id": "A", "wrt": "w", "text": "2/N*X.T @ r"}, SQUARES).as_json()["mistake"] is None
    assert judge({"id": "A", "wrt": "w", "text": "2/N*(X.T @"}, SQUARES).mistake is None
    assert judge({"id": "A", "wrt": "w", "text": "foo"}, SQUARES).mistake is None


def test_a_relu_layer_inside_a_classifier() -> None:
    answer = "X.T @ ((p*sum(Y, axis=1, keepdims=True) - Y) @ W2.T)/N"
    found = diagnose(answer, MLP, "W1")
    assert found is not None and found.kind == "missing indicator" and found.place == "dL/dz1 = dL/da1 * da1/dz1"


def test_every_kind_has_words_and_its_fields_are_filled() -> None:
    assert len(KINDS) == len(ROWS) >= 50
    names = ("wrong", "right", "size", "factor", "missing", "rate", "link", "name", "above", "of", "index", "term", "rule", "node", "condition",
             "objective", "other", "yet", "assumption", "axes", "sign", "function", "value", "printed", "source", "values", "line",
             "names")
    for code, row in KINDS.items():
        made = mistake(code, dict.fromkeys(names, "q"), "u", "p")
        assert made.kind == code and "{" not in made.message and made.hint == row.ask and made.why and row.ask.endswith("?")


def test_the_numbers_that_sift_agree_with_numpy() -> None:
    world = SampledPoints(dict(zip(SQUARES.full.sizes, (3, 2), strict=True)), SQUARES.full.tensors)
    dice = np.random.default_rng(0)
    X, w, y = dice.normal(size=(3, 2)), dice.normal(size=2), dice.normal(size=3)
    world.values |= {"X": X[..., None], "w": w[..., None], "y": y[..., None]}
    world.run(schedule(SQUARES.full))
    assert np.allclose(world.values["dL_dw"][..., 0], 2 / 3 * X.T @ (X @ w - y))
    assert SampledPoints({}, {}).array((), (), sigmoid(sp.Integer(2))) == pytest.approx(1 / (1 + np.exp(-2)))


def test_without_time_there_is_no_slip_and_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("symnet.checking.slips.setting.SECONDS", 0.0)
    assert diagnose("X.T @ ((p - Y)*p*(1 - p))/N", SOFTMAX, "W1") is None


def test_more_sizes_than_can_be_told_apart_are_not_diagnosed() -> None:
    names = "abcdfghk"
    lines = [f"h{k} = h{k - 1} @ W{k}" if k else "h0 = x @ W0" for k in range(7)]
    shapes = {"x": (names[0],), **{f"W{k}": (names[k], names[k + 1]) for k in range(7)}}
    deep = sn.derive(sn.program(*lines, "L = sum(h6)", tensors=shapes), wrt=["W6"])
    assert diagnose("-outer(h5, h6/h6)", deep, "W6") is None


@pytest.mark.parametrize("answer", [
    "2*(a2 - y)*a2*(1.00000000001 - a2)*w2*a1*(1 - a1)", "2*(a2 - y)*a2*(1 + 1.000000000001*a2)*w2*a1*(1 - a1)*x",
    "2*(a2 - y)*a2*w2*a1*(1 - a1)*x*(1 + 1/10**12)", "2*(a2 - y)*a2*w2*a1*(1 - a1)*x + b1/10**13"])
def test_what_is_a_slip_by_its_numbers_alone_is_none(answer: str) -> None:
    """It sifts as one by floating point, and undone it is not the right answer."""
    assert diagnose(answer, sn.load("first"), "w1") is None
