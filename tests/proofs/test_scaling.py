"""The loss divided by c against the rate divided by c: proved where it holds, refuted by numbers that are made again here."""

from __future__ import annotations

import mpmath
import pytest
import sympy as sp

import symnet as sn
from symnet.core.claim import Proved, Refutation, Statement
from symnet.core.expressions import Nabla
from symnet.core.functions import step
from symnet.core.verdict import Answer, Verdict
from symnet.errors import OptionError, SymnetError
from symnet.networks.optimizers import SGD, Adam, Momentum, Optimizer, RMSprop, symbol, update_rule
from symnet.proofs.scaling import T, loss_scaling, one_step_equation
from symnet.theorems.library import WITH_PROVERS
from symnet.theorems.proving import prove

W, G, LR = symbol("w"), symbol("g"), symbol("lr")


@pytest.mark.parametrize("name", ["sgd", "momentum", "SGD", Momentum(lr="1/3", momentum="1/2")])
def test_sgd_and_momentum_are_proved_and_check_again(name: str | Optimizer) -> None:
    found = loss_scaling(name)
    assert isinstance(found, Proved) and found and found.holds and found.check()
    assert str(found).startswith("proved: For ") and "\n" not in str(found)


def test_what_is_proved_is_the_claim_for_every_step_and_nothing_is_assumed_in_silence() -> None:
    proof = loss_scaling("sgd").proof
    (said,) = proof.statements
    assert str(said) == "w[t] = v[t] for all t"
    w, v, c, loss = said.left.base, said.right.base, sp.Symbol("c", positive=True), sp.IndexedBase("L", real=True)[T]
    assert set(proof.hypotheses) == {
        Statement(w[0], v[0]),
        Statement(w[T + 1], w[T] - LR * Nabla(loss / c, w[T]), T),
        Statement(v[T + 1], v[T] - LR / c * Nabla(loss, v[T]), T),
    }


def test_momentum_relates_its_state_by_the_factor_too() -> None:
    proof = loss_scaling("momentum").proof
    assert {str(e) for e in proof.statements} >= {"w[t] = v[t] for all t"} and len(proof.statements) == 2
    assert all(e.over is not None for e in proof.statements) and proof.statements[1].right.has(sp.Symbol("c", positive=True))


@pytest.mark.parametrize("name", ["sgd", "momentum"])
def test_the_lines_can_be_read_in_order(name: str) -> None:
    lines = loss_scaling(name).proof.lines
    assert lines[-1].rule == "induction" and all(use < line.number for line in lines for use in line.uses)
    assert all(line.note for line in lines if line.rule == "given")


@pytest.mark.parametrize("name", ["sgd", "momentum"])
def test_a_proof_changed_anywhere_does_not_check(name: str) -> None:
    count = len(loss_scaling(name).proof.premises)
    for at in range(count):
        found = loss_scaling(name)
        part = found.proof.premises[at]
        object.__setattr__(part, "statements", (Statement(sp.S.One, sp.S.Zero),))
        assert not found.check()


def run_again(name: str, loss: mpmath.mpf, rate: mpmath.mpf, start: mpmath.mpf, steps: int) -> mpmath.mpf:
    """Training on loss·w²/2 by the published rules, written out by hand."""
    w, m, v, eps = start, mpmath.mpf(0), mpmath.mpf(0), mpmath.mpf(10) ** -8
    for t in range(1, steps + 1):
        g = loss * w
        if name == "rmsprop":
            v = mpmath.mpf("0.99") * v + mpmath.mpf("0.01") * g**2
            w = w - rate * g / (mpmath.sqrt(v) + eps)
        else:
            m, v = mpmath.mpf("0.9") * m + mpmath.mpf("0.1") * g, mpmath.mpf("0.999") * v + mpmath.mpf("0.001") * g**2
            above, below = m / (1 - mpmath.mpf("0.9") ** t), v / (1 - mpmath.mpf("0.999") ** t)
            w = w - rate * above / (mpmath.sqrt(below) + eps)
    return w


@pytest.mark.parametrize("name", ["rmsprop", "adam"])
def test_rmsprop_and_adam_are_refuted_by_numbers_that_come_out_again(name: str) -> None:
    found = loss_scaling(name)
    assert isinstance(found, Refutation) and not found and not found.holds
    case = dict(found.case)
    assert case["L(w)"] == "w²/2"
    with mpmath.workdps(60):
        c, rate, start = (mpmath.mpf(sp.Rational(case[k]).p) / sp.Rational(case[k]).q for k in ("c", "α", "the start"))
        first = run_again(name, 1 / c, rate, start, int(case["steps"]))
        second = run_again(name, mpmath.mpf(1), rate / c, start, int(case["steps"]))
        assert abs(first - second) > mpmath.mpf(10) ** -6
        for printed, value in ((found.left, first), (found.right, second)):
            assert abs(mpmath.mpf(printed) - value) <= abs(value) * mpmath.mpf(10) ** -9
    assert found.why and "\n" not in str(found) and found.left in str(found) and found.right in str(found)


def test_the_refuted_case_is_really_different_for_other_settings_too() -> None:
    for rule in (Adam(lr="1/10", eps="1/100"), RMSprop(alpha="1/2")):
        assert isinstance(loss_scaling(rule), Refutation)


@pytest.mark.parametrize("name, equal", [("sgd", True), ("momentum", False), ("rmsprop", False), ("adam", False)])
def test_the_one_step_equation_puts_in_the_new_states(name: str, equal: bool) -> None:
    left, right, proved = one_step_equation(name)
    assert proved is equal and left.has(sp.Symbol("c", positive=True)) and not left.has(symbol("m_new"), symbol("v_new"))
    assert (sp.expand(left - right) == 0) is equal


RULES = {
    "weight decay": ({"w_new": W - LR * (G + W / 100)}, Refutation),
    "sign": ({"w_new": W - LR * sp.sign(G)}, Refutation),
    "no rate": ({"w_new": W - G}, Refutation),
    "standing still": ({"w_new": W}, Proved),
    "twice": ({"w_new": W - 2 * LR * G}, Proved),
    "clipped": ({"w_new": W - LR * G * step(100 - G)}, (Refutation, Verdict)),
}


@pytest.mark.parametrize("lines, kind", RULES.values(), ids=RULES)
def test_other_rules_get_their_own_answer(lines: dict[str, sp.Expr], kind: type) -> None:
    found = loss_scaling(update_rule("rule", lines, (), {"lr": "1/10"}))
    assert isinstance(found, kind)
    if isinstance(found, Verdict):
        assert found.answer is Answer.UNDECIDED and found.reason


def test_a_state_that_is_no_multiple_is_not_proved() -> None:
    rule = update_rule(
        "Nonlinear", {"m_new": symbol("m") + G**2, "w_new": W - LR * symbol("m_new")}, (("m", "m_new"),), {"lr": "1/10"}
    )
    assert not isinstance(loss_scaling(rule), Proved)


def test_the_door_of_the_room() -> None:
    assert isinstance(sn.prove("loss-scaling", optimizer=SGD()), Proved) and "loss-scaling" in WITH_PROVERS
    with pytest.raises(OptionError, match="did you mean 'loss-scaling'"):
        prove("loss-scalign")
    for name in ("sgdd", "<script>", "x" * 500):
        with pytest.raises(SymnetError) as caught:
            prove("loss-scaling", optimizer=name)
        assert "\n" not in str(caught.value)
