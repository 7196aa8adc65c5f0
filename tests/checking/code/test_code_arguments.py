"""How arguments are found and returned values are read."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.core.verdict import Answer
from symnet.errors import SymnetError

LINE = sn.derive(sn.program("r = X @ w - y", "L = sum(r**2)/N", tensors={"X": ("N", "d"), "w": ("d",), "y": ("N",)}), wrt=["w"])
NET = sn.derive(sn.Sequential(sn.Linear("d", "k")), sn.CrossEntropyLoss())


def gradient(X: Any, w: Any, y: Any) -> Any:
    return X.T @ (X @ w - y) * 2 / X.shape[0]


def softmax_net(W, b, X, y):  # type: ignore[no-untyped-def]
    e = np.exp(X @ W + b)
    p = e / e.sum(1, keepdims=True)
    dz = (p - np.eye(p.shape[1])[y]) / len(y)
    return X.T @ dz, dz.sum(0)


def test_names_with_other_capitals_underscores_or_numbers() -> None:
    assert sn.check_code(lambda x, W, Y: gradient(x, W, Y), LINE)
    assert sn.check_code(softmax_net, NET)  # W is W1, b is b1, y used as an index is labels


def test_a_table_of_inputs_and_double_star() -> None:
    assert sn.check_code(lambda params, X, y: gradient(X, params["w"], y), LINE)
    assert sn.check_code(lambda **k: gradient(k["X"], k["w"], k["y"]), LINE)
    assert sn.check_code(lambda X, *, theta, y: gradient(X, theta["w"], y), LINE)


def test_sizes_fixed_values_and_defaults() -> None:
    assert sn.check_code(lambda X, w, y, N: X.T @ (X @ w - y) * 2 / N, LINE)
    assert sn.check_code(lambda X, w, y, scale: X.T @ (X @ w - y) * scale / len(y), LINE, arguments={"scale": 2})
    assert sn.check_code(lambda X, w, y, scale=2: X.T @ (X @ w - y) * scale / len(y), LINE)
    assert sn.check_code(lambda A, coefficients, b: gradient(A, coefficients, b), LINE, arguments={"A": "X", "coefficients": "w", "b": "y"})


def test_labels_may_be_asked_for() -> None:
    def counted(W1, b1, X, t):  # type: ignore[no-untyped-def]
        e = np.exp(X @ W1 + b1)
        p = e / e.sum(1, keepdims=True)
        for n in range(len(t)):
            for k in range(p.shape[1]):
                p[n, k] -= 1 if t[n] == k else 0
        return X.T @ p / len(t), p.mean(axis=0)

    assert sn.check_code(counted, NET, labels={"t": "Y"})
    with pytest.raises(SymnetError, match="no input named 'Z'"):
        sn.check_code(counted, NET, labels={"t": "Z"})


SHAPES_OF_RESULTS = {
    "array": lambda g, r: g, "dict": lambda g, r: {"w": g}, "d": lambda g, r: {"dw": g}, "grad_": lambda g, r: {"grad_w": g},
    "dL_dw": lambda g, r: {"dL_dw": g}, "loss and dict": lambda g, r: (np.mean(r**2), {"dw": g}),
    "dict and loss": lambda g, r: ({"dw": g}, np.mean(r**2)), "loss and array": lambda g, r: (np.mean(r**2), g),
    "loss and list": lambda g, r: (np.mean(r**2), [g]), "in one dict": lambda g, r: {"loss": np.mean(r**2), "grads": {"w": g}},
}


@pytest.mark.parametrize("name", SHAPES_OF_RESULTS)
def test_a_result_in_each_shape_is_read(name: str) -> None:
    shape = SHAPES_OF_RESULTS[name]
    found = sn.check_code(lambda X, w, y: shape(gradient(X, w, y), X @ w - y), LINE)
    assert found["w"].verdict.answer is Answer.PROVED and not found.missing
    assert ("loss" in name or "one dict" in name) == any(j.name == "L" for j in found.judged)
    assert all(j.verdict.answer is Answer.PROVED for j in found.judged)


def test_a_loss_written_only_forward() -> None:
    found = sn.check_code(lambda X, w, y: np.linalg.norm(X @ w - y) ** 2 / len(y), LINE)
    assert found and found.missing == ("w",) and found["the loss"].verdict.answer is Answer.PROVED
    wrong = sn.check_code(lambda X, w, y: ((X @ w - y) ** 2).sum(), LINE)
    assert not wrong and wrong["L"].slip is not None and "a factor 1/N is missing" in wrong["L"].slip.message


LOSS = {"half": ("0.5 * ((X @ w - y)**2).mean()", "constant factor"), "sign": ("-((X @ w - y)**2).mean()", "sign"),
        "absolute": ("abs(X @ w - y).mean()", ""), "eps": ("((X @ w - y)**2 + 1e-7).mean()", "eps")}


@pytest.mark.parametrize(("text", "kind"), list(LOSS.values()), ids=list(LOSS))
def test_a_wrong_loss_is_refuted(text: str, kind: str) -> None:
    space: dict[str, Any] = {"np": np}
    exec(f"def loss(X, w, y):\n    return {text}", space)
    found = sn.check_code(space["loss"], LINE)["L"]
    assert found.verdict.answer is Answer.REFUTED and (found.slip.kind if found.slip else "") == kind


def test_intermediates_are_judged_too() -> None:
    def code(X, w, y):  # type: ignore[no-untyped-def]
        dr = 2 * (X @ w - y) / len(y)
        return {"dw": X.T @ dr, "dr": dr, "dX": np.outer(dr, w), "dy": dr, "speed": 3}

    found = sn.check_code(code, LINE)
    assert {j.name: j.verdict.answer.value for j in found.judged} == {"w": "proved", "r": "proved", "X": "proved", "y": "refuted"}
    assert found["y"].slip is not None and found.unread == ("speed",) and "not read: speed" in str(found)


def test_names_for_a_tuple() -> None:
    code = lambda X, w, y: (X @ w - y, gradient(X, w, y))  # noqa: E731 - one line
    found = sn.check_code(lambda X, w, y: code(X, w, y)[1:], LINE, returns=("w",))
    assert found["w"].verdict.answer is Answer.PROVED


def test_sizes_are_told_and_may_be_given() -> None:
    assert "what holds was shown for all sizes" in str(sn.check_code(gradient, LINE))
    by_sample = sn.check_code(lambda X, w, y: sum(2 * x * (x @ w - t) for x, t in zip(X, y, strict=True)) / len(y), LINE)
    assert "N = 3, d = 2 and at sizes N = 4, d = 5" in str(by_sample)
    assert sn.check_code(gradient, LINE, {"N": 2, "d": 5})["w"].verdict.scope == "at sizes N = 2, d = 5"
    assert sn.check_code(gradient, LINE, [{"N": 2, "d": 5}, {"N": 1, "d": 1}])["w"].verdict.scope.endswith("N = 1, d = 1")


def test_a_factor_that_is_right_at_one_size_only_is_found_out() -> None:
    """2/3 is 2/N at N = 3; the second choice of sizes tells."""
    found = sn.check_code(lambda X, w, y: X.T @ (X @ w - y) * (2 / 3), LINE)["w"]
    assert found.verdict.answer is Answer.REFUTED and "N = 4" in found.verdict.scope


def test_a_declared_assumption_is_named_in_the_verdict() -> None:
    program = sn.program("p = softmax(z)", "L = -sum(Y*log(p))", tensors={"z": ("k",), "Y": ("k",)}, assumptions=["sum(Y) == 1"])
    def code(z, Y):  # type: ignore[no-untyped-def]
        return np.exp(z) / np.exp(z).sum() - Y

    found = sn.check_code(code, sn.derive(program, wrt=["z"]))
    assert found and found["z"].verdict.answer is Answer.CONDITIONAL and "= 1" in found["z"].verdict.condition


def test_one_hot_rows_that_nobody_declared_are_a_condition_too() -> None:
    def code(W1, b1, X, Y):  # type: ignore[no-untyped-def]
        e = np.exp(X @ W1 + b1)
        dz = (e / e.sum(1, keepdims=True) - Y) / len(Y)
        return X.T @ dz, dz.sum(0)

    found = sn.check_code(code, NET)
    assert {j.verdict.answer for j in found.judged} == {Answer.CONDITIONAL}
    assert "each row of Y sums to 1" in str(found)


def test_the_result_for_programs() -> None:
    found = sn.check_code(lambda X, w, y: gradient(X, w, y) * -1, LINE).as_json()
    (result,) = found["results"]  # type: ignore[misc]
    assert result["id"] == "dL/dw" and result["verdict"] == "refuted" and result["mistake"]["kind"] == "sign"
    assert result["entry"] == [0] and set(result["witness"]) == {"point", "answer", "correct"}
