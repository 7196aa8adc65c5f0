"""Where the program has a value, what an answer asks for beyond it, which classes there are, and assumptions that nothing satisfies."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symnet as sn
from symnet.core.axes import Axis, size
from symnet.core.derivation import Derivation
from symnet.core.numbers import rational
from symnet.core.tensors import Role, Tensor
from symnet.core.verdict import Answer
from symnet.errors import SymnetError

PROVED, ALMOST, IF, WRONG, OPEN = (Answer.PROVED, Answer.ALMOST_EVERYWHERE, Answer.CONDITIONAL, Answer.REFUTED, Answer.UNDECIDED)


def derivation(expr: str, shape: tuple[str, ...] = (), assume: tuple[str, ...] = (), **domains: str) -> Derivation:
    """The objective, in numbers or (summed) in arrays x, y, q, to be derived by q."""
    tensors = {n: Tensor(n, tuple(map(Axis.of, shape)), domains.get(n, "real"), Role.INPUT,
                         classes=size("C") if domains.get(n) == "index" else None) for n in "qxyk" if n in expr or n in "qxy"}
    return sn.derive(sn.program(f"L = sum({expr})" if shape else f"L = {expr}", tensors=tensors, assumptions=assume), wrt=["q"])


OWN_DOMAIN = {  # program, answer, verdict, what is said
    "a root squared": ("q*sqrt(x)**2", "x", PROVED, "x >= 0"), "its absolute value": ("q*sqrt(x)**2", "abs(x)", PROVED, "x >= 0"),
    "its negative": ("q*sqrt(x)**2", "-x", WRONG, ""), "a logarithm": ("q*log(x)", "log(abs(x))", PROVED, "x > 0"),
    "a quotient": ("q*x*y/y", "x", PROVED, "y != 0"), "exp of log": ("q*exp(log(x))", "relu(x)", PROVED, "x > 0"),
    "a logarithm of something else": ("q*log(x)", "log(x**2)", WRONG, ""), "more than the program asks": ("q*sqrt(x)**2", "x*y/y", ALMOST, "y = 0"),
}


@pytest.mark.parametrize("shape", [(), ("n",), ("n", "d")], ids=str)
@pytest.mark.parametrize(("expr", "answer", "kind", "said"), OWN_DOMAIN.values(), ids=OWN_DOMAIN)
def test_an_answer_is_asked_for_where_the_program_has_a_value(expr: str, answer: str, kind: Answer, said: str, shape: tuple[str, ...]) -> None:
    verdict = sn.check(answer, derivation(expr, shape), wrt="q")
    plain = str(verdict).replace("[i]", "").replace("[i, j]", "").replace("_1_1", "").replace("_1", "")
    assert verdict.answer is kind and said in plain, verdict
    if kind is WRONG:
        assert all(rational(v) > 0 for name, v in verdict.witness.point if name.startswith("x"))  # type: ignore[union-attr]


BEYOND = {  # an answer for x -> verdict, condition without its indices
    "exp(log(x))": (IF, "x > 0"), "x*y/y": (ALMOST, "y = 0"), "sqrt(x)**2": (IF, "x >= 0"), "x + log(y) - log(y)": (IF, "y > 0"), "x + 0*log(y)": (IF, "y > 0"),
    "x*(y - 1)/(y - 1)": (ALMOST, "y - 1 = 0"), "where(y > 0, exp(log(x)), x)": (IF, "x > 0"), "where(x > 0, exp(log(x)), x)": (PROVED, ""),
    "where(y > 0, x*y/y, x)": (PROVED, ""), "where(y >= 1, x + log(y) - log(y), x)": (PROVED, ""), "where(y != 0, x*y/y, x)": (PROVED, ""),
    "x*relu(y)/relu(y)": (IF, "!= 0"), "x*(1 + y**2)/(1 + y**2)": (PROVED, ""), "exp(log(x))*y/y": (IF, "x > 0"),
}


@pytest.mark.parametrize("shape", [(), ("n",)], ids=str)
@pytest.mark.parametrize(("answer", "wanted"), BEYOND.items(), ids=BEYOND)
def test_what_an_answer_asks_for_is_its_condition(answer: str, wanted: tuple[Answer, str], shape: tuple[str, ...]) -> None:
    verdict = sn.check(answer, derivation("q*x", shape), wrt="q")
    assert verdict.answer is wanted[0] and wanted[1] in verdict.condition.replace("[i]", "").replace("_1", ""), verdict


def test_a_sum_may_be_0() -> None:
    verdict = sn.check("x*sum(y)/sum(y)", derivation("q*x", ("n",)), wrt="q")
    assert verdict.answer is ALMOST and verdict.condition == "except where Sum(y[i], (i, 1, n)) = 0"


CLASSES = {"x*abs(k)": PROVED, "x*floor(k)": PROVED, "x*maximum(k, 0)": PROVED, "x*k**2": WRONG, "x*(k + k*(k - 1))": WRONG, "-x*k": WRONG}


@pytest.mark.parametrize("shape", [(), ("n",)], ids=str)
@pytest.mark.parametrize(("answer", "kind"), CLASSES.items(), ids=CLASSES)
def test_classes_count_from_0(answer: str, kind: Answer, shape: tuple[str, ...]) -> None:
    verdict = sn.check(answer, derivation("q*x*k", shape, k="index"), wrt="q")
    assert verdict.answer is kind, verdict
    for name, value in verdict.witness.point if verdict.witness else ():
        assert not name.startswith("k") or (value.isdigit() and int(value) >= 0)


NOTHING = {"two values": ((), ("y == 1", "y == 2"), {}, "x"), "against its domain": ((), ("y == -1",), {"y": "positive"}, "-x"),
           "two sums": (("n",), ("sum(y) == 1", "sum(y) == 2"), {}, "x"), "a sum of nonnegative numbers": (("n",), ("sum(y) == -1",), {"y": "nonnegative"}, "x"),
           "a sum of squares": (("n",), ("sum(y**2) == -1",), {}, "x")}


@pytest.mark.parametrize(("shape", "assume", "domains", "answer"), NOTHING.values(), ids=NOTHING)
def test_assumptions_that_nothing_satisfies_are_said(shape: tuple[str, ...], assume: tuple[str, ...], domains: dict[str, str], answer: str) -> None:
    if not shape:  # nothing depends on a size: refused at once
        with pytest.raises(SymnetError, match="hold together"):
            derivation("q*x*y", shape, assume, **domains)
        return
    d = derivation("q*x*y", shape, assume, **domains)
    found = sn.check(answer, d, wrt="q")
    assert found.answer is OPEN and "nothing satisfies" in found.reason
    assert sn.check("x*y", d, wrt="q").answer is PROVED
    code = sn.check_code(lambda q, x, y: 3 * x, d)["q"].verdict
    assert code.answer is OPEN and "nothing satisfies" in code.reason


def test_an_assumption_that_something_satisfies_still_counts() -> None:
    assert sn.check("x", derivation("q*x*y", (), ("y == 1",)), wrt="q").answer is IF


SIZED: dict[str, tuple[str, Any]] = {  # wrong but at some sizes
    "a number for N d": ("2*X/6", lambda X: 2 * X / 6), "a sum for a product": ("2*X/(N + d + 1)", lambda X: 2 * X / (sum(X.shape) + 1)),
    "0 at two sizes": ("2*X/(N*d) + (N - 3)*(N - 4)*X", lambda X: 2 * X / X.size + (len(X) - 3) * (len(X) - 4) * X),
    "0 at four": ("2*X/(N*d) + (N - 2)*(N - 3)*(N - 4)*(N - 7)*X", lambda X: 2 * X / X.size + (len(X) - 2) * (len(X) - 3) * (len(X) - 4) * (len(X) - 7) * X),
}


@pytest.mark.parametrize(("answer", "code"), SIZED.values(), ids=SIZED)
def test_what_is_right_at_some_sizes_alone_is_refuted(answer: str, code: Any) -> None:
    d = sn.derive(sn.program("L = mean(X**2)", tensors={"X": ("N", "d")}), wrt=["X"])
    assert sn.check(answer, d, wrt="X").answer is WRONG
    assert sn.check_code(code, d)["X"].verdict.answer is WRONG
    assert sn.check_code(lambda X: 2 * X / X.size, d)["X"].verdict.answer is PROVED


def held(f: Any, expr: str = "c*minimum(x, 4)", wrt: str = "x") -> Any:
    d = sn.derive(sn.program(f"L = sum({expr})", tensors={"x": ("n",), "c": ("n",)}), wrt=[wrt])
    return sn.check_code(f, d)[wrt].verdict


KINKS: dict[str, tuple[Any, Answer]] = {
    "the border": (lambda x, c: c * (x <= 4), PROVED), "but the border": (lambda x, c: c * (x < 4), ALMOST),
    "a value that is held on a region": (lambda x, c: np.where(np.minimum(x, 4) == 4, c, c * (x < 4)), WRONG),
    "the same, right": (lambda x, c: np.where(np.minimum(x, 4) == 4, 0 * c, c), ALMOST),
    "less than its least": (lambda x, c: np.where(np.maximum(x, 4) == 4, c, 0), PROVED),
    "a rectified value that is 0": (lambda x, c: np.where(np.maximum(x - 4, 0) == 0, c, c / 2), WRONG),
    "a point": (lambda x, c: np.where(x == 1, 7, c * (x < 4)), ALMOST), "clipped far away": (lambda x, c: np.where(np.clip(x, -99, 99) == 99, c, c * (x <= 4)), WRONG),
}


@pytest.mark.parametrize(("code", "kind"), KINKS.values(), ids=KINKS)
def test_a_kink_is_a_null_set(code: Any, kind: Answer) -> None:
    assert held(code).answer is kind, held(code)


def test_a_tie_is_almost_nowhere() -> None:
    d = sn.derive(sn.program("L = g*max(x[1], x[2], x[3])", tensors={"x": (3,), "g": ()}), wrt=["x"])
    assert sn.check_code(lambda x, g: g * (x == np.max(x)), d)["x"].verdict.answer is ALMOST
    assert sn.check_code(lambda x, g: g * (x >= np.max(x)), d)["x"].verdict.answer is ALMOST
    assert sn.check_code(lambda x, g: g * (x > np.min(x)), d)["x"].verdict.answer is WRONG


BRANCHES: dict[str, tuple[Any, Answer]] = {
    "a branch": (lambda q, x, y: np.where(y > 0, np.exp(np.log(x)), x), IF), "its own condition": (lambda q, x, y: np.where(x > 0, np.exp(np.log(x)), x), PROVED),
    "a division where it is asked": (lambda q, x, y: np.where(y != 0, x * y / y, x), PROVED), "times 0": (lambda q, x, y: x + 0 * np.log(y), IF),
}


@pytest.mark.parametrize(("code", "kind"), BRANCHES.values(), ids=BRANCHES)
def test_what_a_branch_of_code_asks_for_is_its_condition(code: Any, kind: Answer) -> None:
    assert sn.check_code(code, derivation("q*x", ("n",)))["q"].verdict.answer is kind
