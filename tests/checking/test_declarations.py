"""Declared domains, structures and assumptions in verdicts: each right answer proved without a condition, each wrong one refuted where it obeys."""

from __future__ import annotations

from typing import Any

import pytest
import sympy as sp

import symnet as sn
from symnet.calculus.declared_values import check_given
from symnet.checking.answers import check_answer
from symnet.checking.consistent import check_consistent
from symnet.core.axes import Axis
from symnet.core.derivation import Derivation
from symnet.core.tensors import Tensor
from symnet.core.verdict import Answer
from symnet.errors import DomainError, NameError_, ShapeError, SymnetError

N, D, C = (Axis.of(s) for s in ("n", "d", "c"))


def derivation(text: str, wrt: str, assume: tuple[str, ...] = (), **tensors: Any) -> Derivation:
    return sn.derive(sn.program(f"L = {text}", tensors={n: t if isinstance(t, tuple) else Tensor(n, **t) for n, t in tensors.items()},
                                assumptions=assume), wrt=[wrt])


P, Y, SIGNED = {"domain": "(0, 1)"}, {"domain": "{0, 1}"}, {"domain": "{-1, 1}"}
S, Q, K, PD = ({"axes": (N, N), "structure": s} for s in ("symmetric", "orthogonal", "diagonal", "positive definite"))
HOT = {"axes": (D, C), "structure": "one-hot"}
RIGHT = {
    "no condition where a domain gives it": (("-y*log(p) - (1-y)*log(1-p)", "p"), {"p": P, "y": ()}, ("(p-y)/(p*(1-p))", "(p-y)/abs(p*(1-p))")),
    "entries of arrays": (("-sum(y*log(p) + (1-y)*log(1-p))", "p"), {"p": {**P, "axes": (N,)}, "y": ("n",)}, ("(p-y)/(p*(1-p))",)),
    "0 or 1": (("x*y", "x"), {"x": (), "y": Y}, ("y*y", "y**7", "sqrt(y)", "step(y)", "max(y, 0)", "where(y > 0, 1, 0)", "1 - (1-y)**2")),
    "0 or 1 in arrays": (("sum(x*y)", "x"), {"x": ("n",), "y": {**Y, "axes": (N,)}}, ("y*y", "y**3", "abs(y)", "relu(y)")),
    "signs": (("x*y", "x"), {"x": (), "y": SIGNED}, ("1/y", "y**3", "sign(y)", "y*abs(y)")),
    "a half line": (("a*relu(x)", "a"), {"a": (), "x": {"domain": "[0, oo)"}}, ("x", "abs(x)", "max(x, 0)")),
    "an interval": (("a*x", "a"), {"a": (), "x": {"domain": "[0, 1]"}}, ("clip(x, 0, 1)", "min(x, 1)", "1 - abs(x - 1)")),
    "nonzero": (("a*x", "a"), {"a": (), "x": {"domain": "nonzero"}}, ("x*x/x", "1/(1/x)", "x**2/abs(x)*sign(x)")),
    "negative": (("a*x", "a"), {"a": (), "x": {"domain": "negative"}}, ("-abs(x)", "-sqrt(x**2)")),
    "symmetric": (("x@S@x", "x"), {"x": ("n",), "S": S}, ("2*S@x", "2*x@S", "(S + S.T)@x")),
    "diagonal": (("x@K@x", "x"), {"x": ("n",), "K": K}, ("2*K@x", "2*diag(K)*x", "2*sum(K, axis=0)*x")),
    "positive definite": (("log(det(S))", "S"), {"S": PD}, ("inv(S)", "inv(S).T")),
    "its determinant": (("a*sqrt(det(S))", "a"), {"a": (), "S": PD}, ("sqrt(abs(det(S)))", "det(S)/sqrt(det(S))")),
    "orthogonal": (("sum((Q@x)**2)", "x"), {"x": ("n",), "Q": Q}, ("2*x", "2*inv(Q)@Q@x", "2*Q@Q.T@x")),
    "its inverse": (("sum(w*(inv(Q)@x))", "x"), {"w": ("n",), "x": ("n",), "Q": Q}, ("Q@w", "inv(Q.T)@w")),
    "one-hot": (("sum((Y@w)**2)", "w"), {"w": ("c",), "Y": HOT}, ("2*sum(Y, axis=0)*w", "2*Y.T@Y@w")),
    "one-hot in a loss": (("-sum(Y*log(softmax(X)))", "X"), {"X": ("d", "c"), "Y": HOT}, ("softmax(X) - Y", "softmax(X) - Y**2")),
}


@pytest.mark.parametrize(("asked", "tensors", "answers"), RIGHT.values(), ids=RIGHT)
def test_a_right_answer_is_proved_without_a_condition(asked: tuple[str, str], tensors: dict[str, Any], answers: tuple[str, ...]) -> None:
    made = derivation(*asked, **tensors)
    for answer in answers:
        verdict = check_answer(answer, made, asked[1])
        assert verdict.holds and not verdict.condition, (answer, verdict)
        again = check_answer(f"({answer}) + ({answer})*2", made, asked[1])
        assert again.answer is Answer.REFUTED, (answer, again)


OTHERS = {  # what is right by a declaration is wrong, or conditional, without it
    "0 or 1": (("x*y", "x"), {"x": (), "y": ()}, "y*y"), "a sign": (("a*x", "a"), {"a": (), "x": ()}, "abs(x)"),
    "symmetric": (("x@S@x", "x"), {"x": ("n",), "S": ("n", "n")}, "2*S@x"), "one-hot": (("sum(W*Y)", "W"), {"W": ("d", "c"), "Y": ("d", "c")}, "Y*Y"),
    "diagonal is not": (("x@S@x", "x"), {"x": ("n",), "S": S}, "2*diag(S)*x"), "symmetric is not": (("x@Q@x", "x"), {"x": ("n",), "Q": Q}, "2*Q@x"),
    "{0, 1} is not": (("x*y", "x"), {"x": (), "y": {"domain": "[0, 1]"}}, "y*y"), "rows of classes": (("sum(W*Y)", "W"), {"W": ("d", "c"), "Y": HOT}, "1 - Y"),
}


@pytest.mark.parametrize(("asked", "tensors", "answer"), OTHERS.values(), ids=OTHERS)
def test_a_declaration_makes_no_wrong_answer_right(asked: tuple[str, str], tensors: dict[str, Any], answer: str) -> None:
    assert check_answer(answer, derivation(*asked, **tensors), asked[1]).answer is Answer.REFUTED


def test_inequalities_and_equalities_are_assumed() -> None:
    made = derivation("a*abs(x - y)", "a", ("x > y",), a=(), x=(), y=())
    assert check_answer("x - y", made, "a").holds
    refuted = check_answer("y - x", made, "a")
    at = dict(refuted.witness.point) if refuted.witness else {}
    assert sp.Rational(at["x"]) > sp.Rational(at["y"])
    assert check_answer("p/(1-p)*(1-p)", derivation("a*abs(p)", "a", ("0 < p < 1",), a=(), p=()), "a").holds
    made = derivation("x@A@x", "x", ("A == A.T",), x=("n",), A=("n", "n"))
    assert check_answer("2*A@x", made, "x").answer is Answer.CONDITIONAL and check_answer("A@x", made, "x").answer is Answer.REFUTED


def test_a_gradient_by_a_symmetric_matrix_names_its_convention() -> None:
    made = derivation("sum(S*B)", "S", S=S, B=("n", "n"))
    assert "as if they were free" in made.conventions[0]
    assert check_answer("B", made, "S").holds
    for answer, convention in (("(B + B.T)/2", "projection"), ("B + B.T - diag(diag(B))", "entries")):
        verdict = check_answer(answer, made, "S")
        assert verdict.answer is Answer.CONDITIONAL and convention in verdict.condition
    assert check_answer("2*B", made, "S").answer is Answer.REFUTED


EMPTY = {"x > 0, x < 0": {}, "x < 0": {"domain": "positive"}, "x > 2": {"domain": "{0, 1}"}, "1 < x < 0": {}, "x != 0": {"domain": "{0}"}}


@pytest.mark.parametrize(("assume", "more"), EMPTY.items(), ids=EMPTY)
def test_a_domain_with_nothing_in_it_is_refused(assume: str, more: dict[str, Any]) -> None:
    with pytest.raises(NameError_, match="no number of the domain of x"):
        derivation("x", "x", tuple(assume.split(", ")), x=more)


NEVER = (("x == 2",), {"x": Y}), (("x > y", "y > x"), {"x": (), "y": ()}), (("x + y == 5",), {"x": P, "y": P}), (("2*x == 1",), {"x": Y})


@pytest.mark.parametrize(("assume", "tensors"), NEVER, ids=str)
def test_declarations_that_nothing_satisfies_are_refused(assume: tuple[str, ...], tensors: dict[str, Any]) -> None:
    with pytest.raises(DomainError, match="hold together"):
        check_consistent(derivation("+".join(tensors), "x", assume, **tensors).program, {})
    check_consistent(derivation("x + y", "x", ("x > y", "x + y == 1"), x=P, y=P).program, {})


VALUES = [(Y, "2", "1"), (P, "1", "1/2"), ({"domain": "nonzero"}, "0", "-1"), (S, [[1, 2], [3, 1]], [[1, 2], [2, 1]]),
          (K, [[1, 1], [0, 1]], [[1, 0], [0, 2]]), (PD, [[1, 2], [2, 1]], [[2, 1], [1, 2]]), (Q, [[1, 0], [0, 2]], [["0.6", "0.8"], ["-0.8", "0.6"]]),
          (HOT, [[1, 1, 0]], [[0, 0, 1]])]


@pytest.mark.parametrize(("tensor", "bad", "good"), VALUES, ids=str)
def test_values_are_as_declared(tensor: dict[str, Any], bad: Any, good: Any) -> None:
    made = derivation("sum(x)" if "axes" in tensor else "x", "x", x=tensor).program
    sizes = {"n": 2, "d": 1, "c": 3}
    with pytest.raises(DomainError, match="as declared"):
        check_given(made, {"x": bad}, {str(s): sizes[str(s)] for s in made.sizes})
    check_given(made, {"x": good}, {str(s): sizes[str(s)] for s in made.sizes})


BAD = ({"domain": "(1, 0)"}, {"domain": "{}"}, {"domain": "(0, 0)"}, {"domain": "[0, oo]"}, {"domain": "{a}"}, {"domain": "(0, 1"}, {"domain": 3}, {"domain": ""},
       {"domain": "__import__('os')"}, {"domain": "{1/0}"}, {"structure": "symmetric"}, {"axes": (N,), "structure": "diagonal"},
       {"axes": (N, D), "structure": "symmetric"}, {"axes": (N, N), "structure": "symetric"}, {"axes": (N, N), "structure": "orthogonal", "domain": "(0, 1)"},
       {"axes": (N,), "structure": "one-hot", "domain": "index"}, {"axes": (N,), "structure": "one-hot", "domain": "{1, 2}"}, {"axes": (N, N), "structure": 3})


@pytest.mark.parametrize("bad", BAD, ids=str)
def test_a_bad_declaration_is_one_clear_line(bad: dict[str, Any]) -> None:
    with pytest.raises((NameError_, ShapeError)) as caught:
        Tensor("x", **bad)
    assert "\n" not in str(caught.value) and isinstance(caught.value, SymnetError)


NAMES = ("e", "E", "T", "I", "dot", "erf", "Phi", "np", "_x", "x_", "sum", "lambda", "torch", "exp", "pi", "None", "True", "print", "linalg")


@pytest.mark.parametrize("name", NAMES)
def test_a_declared_name_wins(name: str) -> None:
    made = derivation(f"(w*{name} - y)**2", "w", w=(), y=(), **{name: ()})
    assert check_answer(f"2*(w*{name} - y)*{name}", made, "w").holds
    assert check_answer(f"2 {name} (w {name} - y)", made, "w").holds
    space: dict[str, Any] = {}
    exec(sn.export(sn.derive(made.program, wrt=[name]), "numpy"), space)
    assert space["value_and_grad"](w=3.0, y=1.0, **{name: 2.0})[1][name] == 2 * 5 * 3


def test_hidden_built_ins_are_said_and_modules_reach_them() -> None:
    from symnet.checking.worksheet_answers import judge

    made = derivation("(e*sum)**2 + x", "e", e=(), sum=(), x=())
    result = judge({"id": "A", "wrt": "e", "text": "2*e*sum**2"}, made)
    assert result.verdict.holds and "with e, sum as declared" in result.read_as
    array = derivation("np.sum(e*x) + sum", "x", e=("n",), x=("n",), sum=())
    assert check_answer("e", array, "x").holds and check_answer("np.sum(e)*e/np.sum(e.T)", array, "x").answer is not Answer.REFUTED
    assert check_answer("2*e^{T}", derivation("T*e**T", "e", e={"domain": "positive"}, T=()), "e").answer is Answer.REFUTED
    assert check_answer("$T^2 e^{T - 1}$", derivation("T*e**T", "e", e={"domain": "positive"}, T=()), "e").holds


def test_a_defined_tensor_has_no_declared_domain() -> None:
    with pytest.raises(NameError_, match="that a line defines"):
        sn.program("h[t] = -x[t]", "L = sum(abs(h))", tensors={"x": ("T",), "h": {"shape": ("T",), "domain": "positive"}})
    made = sn.derive(sn.program("h[t] = x[t]**3", "L = a*sum(abs(h))", tensors={"a": (), "x": ("T",), "h": ("T",)}, assumptions=["h > 0"]), wrt=["a"])
    assert check_answer("sum(abs(x)**3)", made, "a").answer is not Answer.REFUTED
    assert check_answer("sum(h)", made, "a").answer is not Answer.REFUTED and check_answer("-sum(h)", made, "a").answer is Answer.REFUTED


def test_a_mapping_declares_as_a_worksheet_does() -> None:
    made = sn.program("L = sum(c*p)", tensors={"c": ("n",), "p": {"shape": ("n",), "domain": "(0,1)"}})
    assert made["p"].domain == "(0, 1)"
    with pytest.raises(NameError_, match="did you mean 'domain'"):
        sn.program("L = p", tensors={"p": {"domian": "(0, 1)"}})


@pytest.mark.parametrize("name", ["__import__", "if", "for", "_", "__x", "é", "x'", "", "1x", "a b"])
def test_what_is_no_name_stays_refused(name: str) -> None:
    with pytest.raises(NameError_):
        derivation("x", "x", x=(), **{name: ()})


@pytest.mark.parametrize("assumed", [["a == 1", "a == 2"], ["a == b", "a > b"]])
def test_what_nothing_satisfies_is_refused_when_it_is_derived(assumed: list[str]) -> None:
    with pytest.raises(SymnetError, match="hold"):
        sn.derive(sn.program("L = a**2 + b", tensors={"a": (), "b": ()}, assumptions=assumed))
    assert sn.derive(sn.program("L = a**2 + b", tensors={"a": (), "b": ()}, assumptions=["a == 1", "b > a"])).wrt == ("a", "b")


@pytest.mark.parametrize(("domain", "left", "right"), [("[0, 1]", "sign(x - 1)", "-1"), ("[0, 1]", "sign(x)", "1"), ("[-1, 0]", "sign(2*x)", "-1"),
                                                       ("[1, 2]", "sign(1 - x)", "-1")])
def test_an_end_that_belongs_to_a_domain_counts(domain: str, left: str, right: str) -> None:
    """Equal but at the closed end, where the sign is 0; with the end left out it is proved."""
    def answer(which: str) -> str:
        return sn.compare(left, right, {"x": sn.Tensor("x", (), which)}, timeout=None).answer.value

    assert answer(domain) == "almost_everywhere"
    assert answer(domain.replace("[", "(").replace("]", ")")) == "proved"
