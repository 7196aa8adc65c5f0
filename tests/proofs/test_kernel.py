"""The kernel: it alone makes proofs, a proof that was changed does not check, and unsound steps are refused."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Callable
from typing import Any

import pytest
import sympy as sp

from symnet.core.claim import Statement
from symnet.core.expressions import Nabla
from symnet.core.functions import sigmoid
from symnet.errors import ProofError
from symnet.proofs import kernel
from symnet.proofs.kernel import Proof

t, k, s = sp.symbols("t k s", integer=True)
x, y, total = sp.symbols("x y S", real=True)
c, loss = sp.Symbol("c", positive=True), sp.Symbol("L", real=True)
a, b = sp.IndexedBase("a", real=True), sp.IndexedBase("b", real=True)
ALL = kernel.given(Statement(a[t], b[t], t))  # a = b at every step
BASE = kernel.given(Statement(a[0], b[0]))
HERE = Statement(a[t], b[t])


def doubling() -> Proof:
    """a[t+1] = 2 a[t] and b[t+1] = b[t] + b[t], from the same start: a = b at every step."""
    first = kernel.specialize(kernel.given(Statement(a[t + 1], 2 * a[t], t)), t)
    second = kernel.specialize(kernel.given(Statement(b[t + 1], b[t] + b[t], t)), t)
    step = kernel.same_right(kernel.rewrite(kernel.given(HERE), first), second)
    return kernel.induction(BASE, step, t, (HERE,))


def test_an_induction_proves_its_claim_for_every_step() -> None:
    proof = doubling()
    assert proof.statements == (Statement(a[t], b[t], t),) and proof.check()
    assert HERE not in proof.hypotheses and Statement(a[0], b[0]) in proof.hypotheses and len(proof.hypotheses) == 3


def test_the_lines_come_after_what_they_use() -> None:
    lines = doubling().lines
    assert [line.number for line in lines] == list(range(1, len(lines) + 1))
    assert all(use < line.number for line in lines for use in line.uses)
    assert lines[-1].rule == "induction" and lines[-1].statements == (Statement(a[t], b[t], t),)


@pytest.mark.parametrize("permit", [None, object(), True, "permit"])
def test_nobody_else_can_make_a_proof(permit: Any) -> None:
    with pytest.raises(ProofError, match="outside the kernel"):
        Proof((), (Statement(sp.S.One, sp.S.Zero),), "algebra", (), (sp.S.One, sp.S.Zero), "", permit)


def test_a_made_proof_does_not_give_its_permit_away() -> None:
    proof = kernel.algebra(x, x)
    assert proof.permit is None
    with pytest.raises(ProofError, match="outside the kernel"):
        dataclasses.replace(proof, statements=(Statement(x, y),))
    with pytest.raises(ProofError, match="another kind of proof"):
        type("Mine", (Proof,), {"check": lambda self: True})


def test_a_proof_is_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        kernel.algebra(x, x).statements = ()  # type: ignore[misc]


class Liar:
    """Says that it equals everything."""

    over = None

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0


TAMPERED: dict[str, tuple[str, Callable[[Proof], Any]]] = {
    "statements": ("statements", lambda p: (Statement(a[t], b[t] + 1, t),)),
    "no equations": ("statements", lambda p: ()),
    "for one step": ("statements", lambda p: (HERE,)),
    "a liar": ("statements", lambda p: (Liar(),)),
    "hypotheses": ("hypotheses", lambda p: p.hypotheses[1:]),
    "no hypotheses": ("hypotheses", lambda p: ()),
    "more hypotheses": ("hypotheses", lambda p: (*p.hypotheses, HERE)),
    "premises": ("premises", lambda p: p.premises[::-1]),
    "no premises": ("premises", lambda p: ()),
    "no tuple": ("premises", lambda p: None),
    "itself": ("premises", lambda p: (p, p)),
    "strangers": ("premises", lambda p: ("a", "b")),
    "data": ("data", lambda p: (t, (Statement(a[t], 2 * b[t]),))),
    "data index": ("data", lambda p: (s, (HERE,))),
    "no data": ("data", lambda p: ()),
    "another rule": ("rule", lambda p: "given"),
    "no rule": ("rule", lambda p: "trust me"),
    "a rule that is a list": ("rule", lambda p: []),
}


@pytest.mark.parametrize("field, change", TAMPERED.values(), ids=TAMPERED)
def test_a_proof_that_was_changed_does_not_check(field: str, change: Callable[[Proof], Any]) -> None:
    proof = doubling()
    object.__setattr__(proof, field, change(proof))
    assert proof.check() is False


@pytest.mark.parametrize(
    "field, change", [("statements", (Statement(a[t + 1], b[t]),)), ("hypotheses", ()), ("rule", "algebra"), ("data", (x,))]
)
def test_a_line_changed_deep_inside_is_found(field: str, change: Any) -> None:
    proof = doubling()
    deep = proof.premises[1].premises[0]
    object.__setattr__(deep, field, change)
    assert proof.check() is False and deep.check() is False


def test_a_changed_line_does_not_become_right_by_being_used_or_noted() -> None:
    false = kernel.algebra(x, x)
    object.__setattr__(false, "statements", (Statement(x, y),))
    assert not kernel.noted(false, "trust me").check()
    assert not kernel.rewrite(false, kernel.algebra(y + x, x + y)).check()


@pytest.mark.parametrize(
    "again", [copy.copy, copy.deepcopy, lambda p: pickle.loads(pickle.dumps(p))], ids=["copy", "deepcopy", "pickle"]
)
def test_a_copy_checks_only_as_long_as_it_says_the_same(again: Callable[[Proof], Proof]) -> None:
    copied = again(doubling())
    assert copied.check()
    object.__setattr__(copied, "hypotheses", ())
    assert not copied.check()


REFUSED: dict[str, Callable[[], Proof]] = {
    # algebra
    "a false equality": lambda: kernel.algebra(x**2, x),
    "an undecided one": lambda: kernel.algebra(sp.Max(x, y), sp.Max(x, y) + sp.gamma(x)),
    "true but for a point": lambda: kernel.algebra(x * (1 / x + 1), 1 + x),
    "two symbols of one name": lambda: kernel.algebra(c, sp.Symbol("c", real=True)),
    # at one step
    "half a step": lambda: kernel.specialize(ALL, sp.Rational(1, 2)),
    "a step before the start": lambda: kernel.specialize(ALL, sp.Integer(-1)),
    "a negative index": lambda: kernel.specialize(ALL, sp.Symbol("m", integer=True, negative=True)),
    "a real number": lambda: kernel.specialize(ALL, x),
    "no 'for all'": lambda: kernel.specialize(BASE, sp.S.Zero),
    "an index that a sum binds": lambda: kernel.specialize(kernel.given(Statement(sp.Sum(a[t + k], (k, 1, 3)), b[t], t)), k),
    # gradients
    "a factor of the parameters": lambda: kernel.constant_factor(x, loss, x),
    "a factor that is an entry": lambda: kernel.constant_factor(a[0], loss, x),
    "a factor of the loss": lambda: kernel.constant_factor(loss, loss, x),
    "a loss that is no symbol": lambda: kernel.constant_factor(c, loss * y, x),
    # equals for equals
    "under a sum that binds the index": lambda: kernel.rewrite(
        kernel.given(Statement(a[k], sp.S.Zero)), kernel.given(Statement(total, sp.Sum(a[k], (k, 1, 3))))
    ),
    "in the function of a gradient": lambda: kernel.rewrite(
        kernel.given(Statement(c, x)), kernel.given(Statement(y, Nabla(c * loss, x)))
    ),
    "a statement about every step": lambda: kernel.rewrite(ALL, BASE),
    "into every step": lambda: kernel.rewrite(BASE, ALL),
    # same right side
    "different right sides": lambda: kernel.same_right(kernel.given(Statement(x, c)), kernel.given(Statement(y, 2 * c))),
    "right sides at every step": lambda: kernel.same_right(ALL, BASE),
}


@pytest.mark.parametrize("make", REFUSED.values(), ids=REFUSED)
def test_an_unsound_line_is_refused(make: Callable[[], Proof]) -> None:
    with pytest.raises(ProofError) as caught:
        make()
    assert "\n" not in str(caught.value)


def step_from(*given: Statement) -> Proof:
    """⊢ a[t+1] = b[t+1] under the equations ``given``: the last is taken at 0."""
    return kernel.specialize(kernel.given(given[-1]), sp.S.Zero)


p = sp.Symbol("p", integer=True, positive=True)
INDUCTIONS: dict[str, Callable[[], Proof]] = {
    "no parts": lambda: kernel.induction(t, (HERE,)),
    "no step": lambda: kernel.induction(BASE, t, (HERE,)),
    "a base elsewhere": lambda: kernel.induction(
        kernel.given(Statement(a[1], b[1])), kernel.given(Statement(a[t + 1], b[t + 1])), t, (HERE,)
    ),
    "a base of another claim": lambda: kernel.induction(
        kernel.given(Statement(a[0], 2 * b[0])), kernel.given(Statement(a[t + 1], b[t + 1])), t, (HERE,)
    ),
    "the claim as its own step": lambda: kernel.induction(BASE, kernel.given(HERE), t, (HERE,)),
    "the step taken for granted": lambda: kernel.induction(BASE, kernel.given(Statement(a[t + 1], b[t + 1])), t, (HERE,)),
    "a hypothesis about one t": lambda: kernel.induction(
        BASE,
        kernel.rewrite(
            kernel.given(Statement(x, b[t + 1])),
            kernel.rewrite(kernel.given(Statement(t, s)), kernel.given(Statement(a[t + 1], x))),
        ),
        t,
        (HERE,),
    ),
    "a hypothesis about one t, dressed up": lambda: kernel.induction(
        BASE, step_from(Statement(a[t + 1], b[t + 1], s)), t, (HERE,)
    ),
    "a claim about every step as hypothesis": lambda: kernel.induction(
        kernel.given(Statement(x, y)), kernel.specialize(kernel.given(Statement(x, y, t)), t), t, (Statement(x, y, t),)
    ),
    "a step two ahead": lambda: kernel.induction(BASE, kernel.given(Statement(a[t + 2], b[t + 2])), t, (HERE,)),
    "an index that is never 0": lambda: kernel.induction(
        BASE, kernel.given(Statement(a[p + 1], b[p + 1])), p, (Statement(a[p], b[p]),)
    ),
    "an index that is no integer": lambda: kernel.induction(
        BASE, kernel.given(Statement(a[x + 1], b[x + 1])), x, (Statement(a[x], b[x]),)
    ),
    "two claims and one base": lambda: kernel.induction(BASE, kernel.given(Statement(a[t + 1], b[t + 1])), t, (HERE, HERE)),
}


@pytest.mark.parametrize("make", INDUCTIONS.values(), ids=INDUCTIONS)
def test_a_bad_induction_is_refused(make: Callable[[], Proof]) -> None:
    with pytest.raises(ProofError, match="induction"):
        make()


def test_the_sound_rules_say_what_they_claim() -> None:
    assert kernel.algebra(sigmoid(-x), 1 - sigmoid(x)).hypotheses == ()
    assert kernel.specialize(ALL, sp.Integer(3)).statements == (Statement(a[3], b[3]),)
    assert kernel.constant_factor(1 / c, loss, a[t]).statements == (Statement(Nabla(loss / c, a[t]), Nabla(loss, a[t]) / c),)
    joined = kernel.rewrite(kernel.given(Statement(x, y)), kernel.given(Statement(total, x**2 + c)))
    assert joined.statements == (Statement(total, y**2 + c),) and len(joined.hypotheses) == 2
    assert all(made.check() for made in (ALL, BASE, joined, kernel.noted(joined, "why")))
