"""Attempts to make the kernel say yes to 0 = 1, and to put other words on a proof. None may check."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Callable
from typing import Any

import pytest
import sympy as sp

import symnet as sn
from symnet.core import plain_data as plain
from symnet.core.claim import Claim, Proved, Statement
from symnet.core.verdict import Answer, Verdict
from symnet.equality import compare
from symnet.errors import ProofError, SymnetError
from symnet.networks.optimizers import SGD, Adam, symbol, update_rule
from symnet.proofs import kernel
from symnet.proofs.kernel import Proof

x, y = sp.symbols("x y", real=True)
FALSE = Statement(sp.S.Zero, sp.S.One)


class YesTuple(tuple):  # type: ignore[type-arg]
    """Equal to every tuple."""

    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False

    __hash__ = tuple.__hash__


class YesSymbol(sp.Symbol):  # type: ignore[misc]
    """Equal to everything."""

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0


class YesNumber(sp.Integer):  # type: ignore[misc]
    """Prints as its number and is equal to every other."""

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return hash(sp.S.Zero)

    @property
    def is_zero(self) -> bool:  # type: ignore[override]
        return True


class YesSum(sp.Add):  # type: ignore[misc]
    """A sum that xreplace turns into 0."""

    def xreplace(self, rule: Any) -> Any:
        return sp.S.Zero

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0


class YesMeta(type(sp.Symbol)):  # type: ignore[misc]
    """A class of this kind says that it is every other class."""

    def __eq__(cls, other: object) -> bool:
        return True

    def __hash__(cls) -> int:
        return hash(sp.Symbol)


class Disguised(sp.Symbol, metaclass=YesMeta):  # type: ignore[misc]
    """A symbol whose class says that it is Symbol."""


class YesText(str):
    """Equal to every text."""

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = str.__hash__


class YesStatement(Statement):
    """Equal to every equation."""

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0


def number(value: int) -> Any:
    """A YesNumber, made past SymPy's own table of numbers."""
    made = object.__new__(YesNumber)
    made.p = value
    made._assumptions, made._mhash, made._args = sp.Integer.default_assumptions, None, ()
    return made


def changed(**fields: Any) -> Proof:
    """A true proof with fields put over its own."""
    proof = kernel.algebra(x, x)
    for name, value in fields.items():
        object.__setattr__(proof, name, value)
    return proof


FORGED: dict[str, Callable[[], Any]] = {
    "a tuple that is equal to all": lambda: changed(statements=YesTuple((FALSE,))),
    "hypotheses that are equal to all": lambda: changed(hypotheses=YesTuple(()), statements=(FALSE,)),
    "an equation that is equal to all": lambda: changed(statements=(YesStatement(sp.S.Zero, sp.S.One),)),
    "a symbol that is equal to all": lambda: changed(statements=(Statement(sp.S.Zero, YesSymbol("q")),)),
    "a number that is equal to all": lambda: changed(statements=(Statement(sp.S.Zero, number(1)),), data=(sp.S.Zero, number(1))),
    "a sum that is equal to all": lambda: changed(statements=(Statement(sp.S.Zero, YesSum(x, 1)),), data=(sp.S.Zero, YesSum(x, 1))),
    "a class that says that it is Symbol": lambda: changed(statements=(Statement(x, Disguised("x", real=True)),)),
    "data that are equal to all": lambda: changed(statements=(FALSE,), data=YesTuple((sp.S.Zero, sp.S.One))),
    "a rule whose name is equal to all": lambda: changed(statements=(FALSE,), rule=YesText("algebra")),
    "premises that are no proofs": lambda: changed(statements=(FALSE,), rule="same right side", premises=(Yes(), Yes()), data=()),
    "a list": lambda: changed(statements=[FALSE]),
    "nothing": lambda: changed(statements=(), hypotheses=()),
    "true numbers that are truths": lambda: changed(statements=(Statement(sp.S.One, sp.true),)),
    "a float": lambda: changed(statements=(Statement(sp.Float(0), sp.Float(0)),), data=(sp.Float(0), sp.Float(0))),
    "not a number": lambda: changed(statements=(Statement(sp.nan, sp.nan),), data=(sp.nan, sp.nan)),
}


class Yes:
    """Checks, whatever it is asked."""

    hypotheses: tuple[Statement, ...] = ()
    equations = (FALSE,)
    premises: tuple[Any, ...] = ()
    lines: tuple[Any, ...] = ()
    rule, data, note = "algebra", (), ""

    def check(self) -> bool:
        return True


@pytest.mark.parametrize("make", FORGED.values(), ids=FORGED)
def test_a_forged_proof_does_not_check(make: Callable[[], Any]) -> None:
    forged = make()
    assert forged.check() is False and kernel.checks(forged) is False


@pytest.mark.parametrize("make", FORGED.values(), ids=FORGED)
def test_nor_does_what_uses_it(make: Callable[[], Any]) -> None:
    for use in (lambda p: kernel.noted(p, "trust me"), lambda p: kernel.same_right(p, p), lambda p: kernel.rewrite(p, kernel.algebra(y, y))):
        try:
            assert not kernel.checks(use(make()))
        except (SymnetError, ValueError):
            continue  # refused at once


LIES: dict[str, Callable[[], Any]] = {
    "symbol": lambda: YesSymbol("q"), "number": lambda: number(1), "sum": lambda: YesSum(x, 1), "metaclass": lambda: Disguised("x", real=True)}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_the_rules_refuse_what_is_no_plain_expression(lie: Callable[[], Any]) -> None:
    for rule in (lambda: kernel.algebra(lie(), sp.S.Zero), lambda: kernel.algebra(sp.S.Zero, lie()), lambda: kernel.given(Statement(lie(), x)),
                 lambda: kernel.given(YesStatement(x, y)), lambda: kernel.constant_factor(lie(), symbol("L"), y)):
        with pytest.raises(ProofError):
            rule()


def test_no_instance_has_a_check_of_its_own() -> None:
    for proof in (changed(statements=(FALSE,)), Proved(Claim("loss-scaling", "1 = 0."), Yes())):  # type: ignore[arg-type]
        with pytest.raises(AttributeError):
            object.__setattr__(proof, "check", lambda: True)
        with pytest.raises(TypeError):
            vars(proof)["check"] = lambda: True
        assert not proof.check()


def test_an_object_of_another_class_is_no_proof_and_makes_none() -> None:
    assert not any(kernel.checks(p) for p in (Yes(), None, "algebra", Proof, object()))
    proof = sn.prove("loss-scaling").proof
    slots = {"__slots__": tuple(f.name for f in dataclasses.fields(Proof)), "check": lambda self: True, "lines": Proof.lines}
    try:
        object.__setattr__(proof, "__class__", type("Liar", (), slots))
    except TypeError:
        return  # not even that
    assert not kernel.checks(proof) and not Proved(sn.prove("loss-scaling").claim, proof).check()


PATCHES: dict[str, tuple[Any, str, Any]] = {
    "SymPy's ==": (sp.Basic, "__eq__", lambda self, other: True),
    "== of numbers": (sp.Integer, "__eq__", lambda self, other: True),
    "== of expressions": (sp.Expr, "__eq__", lambda self, other: True),
    "replacing": (sp.Basic, "xreplace", lambda self, rule: sp.S.Zero),
    "subtraction": (sp.Expr, "__sub__", lambda self, other: sp.S.Zero),
    "the prover": (compare, "prove_equal", lambda left, right: Verdict(Answer.PROVED)),
    "inside the prover": (compare, "_attempt", lambda *a: (Verdict(Answer.PROVED), {})),
    "the normal form": (compare, "judged", lambda left, right, *a: (None, (set(), set()), True)),
    "the verdict": (Verdict, "holds", property(lambda self: True)),
    "an equation's ==": (Statement, "__eq__", lambda self, other: True),
}


@pytest.mark.parametrize(("owner", "name", "value"), PATCHES.values(), ids=PATCHES)
def test_while_equality_is_patched_nothing_false_checks_and_nothing_after(owner: Any, name: str, value: Any) -> None:
    made: list[Any] = [changed(statements=(FALSE,)), changed(statements=(FALSE,), data=(sp.S.Zero, sp.S.One))]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(owner, name, value)
        for equation in ((sp.S.Zero, sp.S.One), (x, y)):
            try:
                made.append(kernel.algebra(*equation))
            except Exception:  # refused in some way
                continue
        said = [kernel.checks(p) for p in made]
    assert said == [False] * len(made) and not any(kernel.checks(p) for p in made)
    assert kernel.algebra(x + y, y + x).check()  # and the house stands as before


def test_a_poisoned_object_says_nothing() -> None:
    """Facts written into an expression, and an attribute that hides a method: SymPy's cache would hand them on."""
    poisoned = x - y
    poisoned._assumptions = type(x._assumptions)({"zero": True, "extended_real": True})
    hidden = sp.sin(x)
    hidden.xreplace = lambda rule: sp.S.Zero
    for left in (poisoned, hidden):
        try:
            proof = kernel.algebra(left, sp.S.Zero)
        except ProofError:
            proof = changed(statements=(Statement(left, sp.S.Zero),), data=(left, sp.S.Zero))
        assert not kernel.checks(proof)
    from sympy.core.cache import clear_cache

    clear_cache()


AGAIN: dict[str, Callable[[Any], Any]] = {
    "copy": copy.copy, "deepcopy": copy.deepcopy, **{f"pickle {k}": lambda p, k=k: pickle.loads(pickle.dumps(p, k)) for k in (2, 5)}}


@pytest.mark.parametrize("again", AGAIN.values(), ids=AGAIN)
def test_a_copy_is_as_good_as_what_was_copied(again: Callable[[Any], Any]) -> None:
    for what in (kernel.algebra(x, x), sn.prove("loss-scaling", optimizer="momentum"), sn.prove("variance-relu")):
        assert again(what).check() is True
    assert again(changed(statements=(FALSE,))).check() is False
    found = sn.prove("loss-scaling")
    object.__setattr__(found.proof, "statements", (FALSE,))
    assert again(found).check() is False


def test_a_pickle_that_was_edited_does_not_check() -> None:
    proof = kernel.algebra(x, x)
    state = list(proof.__getstate__())  # type: ignore[attr-defined]
    state[1] = (FALSE,)
    forged = object.__new__(Proof)
    forged.__setstate__(state)  # type: ignore[attr-defined]
    assert forged.statements == (FALSE,) and not kernel.checks(forged)
    assert not kernel.checks(object.__new__(Proof))  # with nothing in it


# claim and proof are one

PROVED = {"sgd": lambda: sn.prove("loss-scaling", "sgd"), "momentum": lambda: sn.prove("loss-scaling", "momentum"),
          "variance": lambda: sn.prove("variance"), "relu": lambda: sn.prove("variance-relu")}
EXCHANGED: dict[str, Callable[[Proved], Any]] = {
    "another sentence": lambda p: Proved(dataclasses.replace(p.claim, sentence="For Adam, 1 = 0."), p.proof, p.tensors),
    "another name": lambda p: Proved(Claim("…", p.claim.sentence, p.claim.conditions, p.claim.subject), p.proof, p.tensors),
    "words alone": lambda p: Proved(Claim("…", "For Adam, 1 = 0."), p.proof),
    "no conditions": lambda p: dataclasses.replace(p, claim=dataclasses.replace(p.claim, conditions=())),
    "fewer conditions": lambda p: dataclasses.replace(p, claim=dataclasses.replace(p.claim, conditions=p.claim.conditions[1:])),
    "a sentence equal to all": lambda p: dataclasses.replace(p, claim=dataclasses.replace(p.claim, sentence=YesText("1 = 0"))),
    "conditions equal to all": lambda p: dataclasses.replace(p, claim=dataclasses.replace(p.claim, conditions=YesTuple(()))),
    "another subject": lambda p: dataclasses.replace(p, claim=dataclasses.replace(p.claim, subject=Adam())),
    "another proof": lambda p: dataclasses.replace(p, proof=kernel.algebra(x, x)),
    "a proof that says yes": lambda p: dataclasses.replace(p, proof=Yes()),
    "a premise for the whole": lambda p: dataclasses.replace(p, proof=p.proof.premises[0]),  # type: ignore[attr-defined]
    "another note": lambda p: dataclasses.replace(p, proof=kernel.noted(p.proof, "therefore 1 = 0")),  # type: ignore[arg-type]
    "other letters": lambda p: dataclasses.replace(p, tensors={k: sn.Tensor("q", latex="1=0") for k in p.tensors}),
}


@pytest.mark.parametrize("make", PROVED.values(), ids=PROVED)
@pytest.mark.parametrize("exchange", EXCHANGED.values(), ids=EXCHANGED)
def test_a_claim_has_its_own_proof_and_no_other(make: Callable[[], Any], exchange: Callable[[Proved], Any]) -> None:
    mine = make()
    assert mine.check() and mine and mine.holds
    other = exchange(mine)
    assert not other.check() and not other and not other.holds and not str(other).startswith("proved")


def test_no_claim_takes_the_proof_of_another() -> None:
    made = {name: make() for name, make in PROVED.items()}
    for name, mine in made.items():
        for other, its in made.items():
            assert Proved(mine.claim, its.proof, mine.tensors).check() is (name == other)


def test_a_rule_is_called_by_a_known_name_only_when_it_is_that_rule() -> None:
    w, g, lr = symbol("w"), symbol("g"), symbol("lr")
    mine = update_rule("Adam", {"w_new": w - lr * g}, (), {"lr": "1/10"})
    found = sn.prove("loss-scaling", optimizer=mine)
    assert found.check() and str(found).startswith("proved: For Adam, that is w_new := -g*lr + w, ")
    assert str(sn.prove("loss-scaling", optimizer=SGD("1/3"))).startswith("proved: For SGD, training")
    renamed = dataclasses.replace(found, claim=dataclasses.replace(found.claim, subject=Adam("1/10")))
    assert not renamed.check()


@pytest.mark.parametrize("value", [1, 1.5, "x", None, sp.Float(1), sp.nan, sp.oo, sp.I, sp.zoo, sp.Function("f")(x), sp.Symbol, []])
def test_plain_data_take_nothing_but_the_language_of_claims(value: Any) -> None:
    with pytest.raises(SymnetError) as caught:
        plain.encode(value)
    assert "\n" not in str(caught.value)


def test_plain_data_keep_apart_what_looks_alike() -> None:
    alike = [sp.Symbol("x"), x, sp.Symbol("x", positive=True), sp.Dummy("x"), sp.Dummy("x"), sp.IndexedBase("x", real=True), sp.Integer(1), sp.true,
             sp.Rational(1, 3), sp.Integer(3), 2 * (x + y), sp.Mul(2, x + y, evaluate=False), sp.exp(1), sp.pi]
    written = [plain.encode(e) for e in alike]
    assert len(set(written)) == len(alike)
    assert [plain.encode(plain.decode(p)) for p in written] == written
