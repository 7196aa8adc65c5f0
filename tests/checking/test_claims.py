"""Claims as programs: lines that are the derivation's are found by proof, and nothing is proved by sizes that are alike."""

from __future__ import annotations

import pytest

import symnet as sn
from symnet.checking.answers import check_answer, check_claim
from symnet.checking.tried_sizes import MOST_SIZES, PROVED_AT, unlike
from symnet.core.derivation import Derivation
from symnet.core.verdict import Answer
from symnet.errors import NameError_, ShapeError

SHAPES: dict[str, object] = {"X": ("N", "d"), "W": ("d", "h"), "c": ("h",), "V": ("h", "k"), "Y": ("N", "k")}


def network() -> Derivation:
    return sn.derive(sn.program("Z = X @ W + c", "H = tanh(Z)", "R = H @ V - Y", "L = sum(R**2)/N", tensors=SHAPES), wrt=["W", "c", "V"])


def depth(layers: int) -> tuple[sn.Program, list[str], dict[str, object]]:
    """A deep network: its program, a program of its gradient by hand, and the shapes."""
    shapes: dict[str, object] = {"X": ("N", "d"), "Y": ("N", "d"), **{f"W{k}": ("d", "d") for k in range(layers)}}
    last = layers - 1

    def forward(z: str, a: str) -> list[str]:
        return [line for k in range(layers) for line in (f"{z}{k} = {f'{a}{k - 1}' if k else 'X'} @ W{k}", f"{a}{k} = tanh({z}{k})")]

    back = [f"D{last} = 2*(B{last} - Y)/N*(1 - B{last}**2)"]
    back += [f"D{k} = D{k + 1} @ W{k + 1}.T*(1 - B{k}**2)" for k in reversed(range(last))]
    made = sn.program(*forward("Z", "A"), f"L = sum((A{last} - Y)**2)/N", tensors=shapes)
    return made, [*forward("Q", "B"), *back, "G = X.T @ D0"], shapes


CLAIMS = {
    "in its own lines": (["Q = X @ W + c", "T = tanh(Q)", "E = 2*(T @ V - Y)/N", "G = X.T @ (E @ V.T*(1 - T**2))"], Answer.PROVED),
    "with a slip in a line": (["Q = X @ W + c", "T = tanh(Q)", "E = (T @ V - Y)/N", "G = X.T @ (E @ V.T*(1 - T**2))"], Answer.REFUTED),
    "with a sign in a line": (["Q = X @ W - c", "T = tanh(Q)", "E = 2*(T @ V - Y)/N", "G = X.T @ (E @ V.T*(1 - T**2))"], Answer.REFUTED),
    "transposed": (["T = tanh(X @ W + c)", "E = 2*(T @ V - Y)/N", "G = (E @ V.T*(1 - T**2)).T @ X"], Answer.REFUTED),
    "of another shape": (["G = sum(X, axis=0)"], Answer.REFUTED),
}


@pytest.mark.parametrize("name", CLAIMS)
def test_a_program_is_a_claim(name: str) -> None:
    lines, answer = CLAIMS[name]
    verdict = check_claim(sn.program(*lines, tensors=SHAPES), network(), "W")
    assert verdict.answer is answer
    assert verdict.scope == "for all sizes" or answer is Answer.REFUTED


def test_a_deep_claim_is_proved_line_by_line() -> None:
    made, lines, shapes = depth(12)
    verdict = check_claim(sn.program(*lines, tensors=shapes), sn.derive(made, wrt=["W0"]), "W0")
    assert (verdict.answer, verdict.scope) == (Answer.PROVED, "for all sizes")


def test_what_a_line_of_a_claim_asks_for_is_kept() -> None:
    """u = z x/x is z where x is not 0: the line takes the name of z only with that said."""
    d = sn.derive(sn.program("z = w*x", "L = (z - y)**2"), wrt="w")
    verdict = check_claim(sn.program("u = w*x*v/v", "G = 2*(u - y)*x", tensors=dict.fromkeys("wxyv", ())),
                          sn.derive(sn.program("z = w*x", "L = (z - y)**2 + 0*v", tensors=dict.fromkeys("wxyv", ())), wrt="w"), "w")
    assert verdict.answer is Answer.ALMOST_EVERYWHERE and "v = 0" in verdict.condition
    assert check_claim(sn.program("u = w*x", "G = 2*(u - y)*x"), d, "w").answer is Answer.PROVED


ASIDE = {"numbers": dict.fromkeys("wxy", ()), "arrays": {"w": (), "x": ("n",), "y": ("n",)}}


@pytest.mark.parametrize("shapes", ASIDE.values(), ids=ASIDE)
@pytest.mark.parametrize("lines", [("q = 2*x*w/w", "G = 2*w*(q - y)"), ("q = 1/w", "G = 2*w*(2*x*q*w - y)")])
def test_a_line_that_the_objective_does_not_need_excuses_nothing(lines: tuple[str, ...], shapes: dict[str, object]) -> None:
    """u = 1/w has no value at w = 0, but L has."""
    d = sn.derive(sn.program("u = 1/w", "z = 2*x", "L = w*sum((z - y)**2)", tensors=shapes), wrt="z")
    verdict = check_claim(sn.program(*lines, tensors=shapes), d, "z")
    assert verdict.answer is Answer.ALMOST_EVERYWHERE and "w = 0" in verdict.condition


def test_an_input_that_the_derivation_lacks_is_refused() -> None:
    with pytest.raises(NameError_, match="no input named 'M'"):
        check_claim(sn.program("G = X.T @ M", tensors={**SHAPES, "M": ("N", "h")}), network(), "W")
    with pytest.raises(ShapeError, match="X of shape"):
        check_claim(sn.program("G = X.T @ Y", tensors={**SHAPES, "X": ("N", "h")}), network(), "W")


def test_no_symmetric_function_of_sizes_is_the_same_at_both() -> None:
    one, two = PROVED_AT
    assert all(unlike(one[:count], two[:count]) for count in range(1, MOST_SIZES + 1))
    assert all(len(set(choice)) == MOST_SIZES for choice in PROVED_AT)


@pytest.mark.parametrize(("a", "b"), [("N", "h"), ("d", "k")])
def test_a_size_that_vanishes_at_both_choices_is_refuted_at_a_third(a: str, b: str) -> None:
    place = {"N": 0, "d": 1, "h": 2, "k": 3}
    zeros = [f"({a} - {choice[place[a]]})*({b} - {choice[place[b]]})" for choice in PROVED_AT]
    verdict = check_answer(f"2*H.T @ R/N + {zeros[0]}*{zeros[1]}*V", network(), "V")
    assert verdict.answer is Answer.REFUTED
