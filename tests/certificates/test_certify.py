"""Certificates through the public face: what is written, what is refused and why, and what coqc says."""

from __future__ import annotations

from pathlib import Path

import pytest

import symnet as sn
from symnet.certificates.coqc import INSTALL, STANDARD, axioms, compiled, coqc
from symnet.cli.main import main

needs_coqc = pytest.mark.skipif(coqc() is None, reason=f"coqc is not installed: {INSTALL}")


def of(line: str, wrt: str = "w", **tensors: dict[str, object]) -> sn.Derivation:
    return sn.derive(sn.program(line, tensors=tensors or None), wrt=wrt)


@needs_coqc
def test_the_first_certificate_is_accepted_and_rests_on_the_standard_reals_alone(tmp_path: Path) -> None:
    made = sn.certify(sn.load("first"), tmp_path / "first.v")
    assert (tmp_path / "first.v").read_text() == made.text
    assert made.theorems == ("gradient_v_w1", "gradient_v_b1", "gradient_v_w2", "gradient_v_b2")
    found = made.check()
    assert found, found.reason
    assert set(found.axioms) == set(STANDARD) - {"Classical_Prop.classic"}


@needs_coqc
def test_functions_kinks_domains_and_reserved_words_in_one_file() -> None:
    """One file for many, since each costs a start of coqc: every function that a certificate knows, with its hypotheses."""
    lines = ["exp(w)*End", "log(w)", "sqrt(w + 1)", "w**forall", "sin(w)*cos(w)", "sinh(w) + cosh(w)", "tanh(w)", "arctan(w*w)",
             "erf(w*Type)", "sigmoid(w)", "softplus(w)", "relu(w - Type)", "leaky_relu(w - Type, 1/10)", "abs(w - End)", "maximum(w, 3)",
             "minimum(w*w, 2)", "where(w > Type, w**3, w)", "sign(w - End)*w", "w**(1/3)", "1/(w + 1)**3", "minimum(maximum(w, 3), 5)"]
    named = [f"l{k} = {line}".replace("w", f"w{k}").replace(f"w{k}here", "where") for k, line in enumerate(lines)]
    total = "L = " + " + ".join(f"l{k}" for k in range(len(lines)))
    given = {f"w{k}": {"domain": "positive"} for k in range(len(lines))} | {"forall": {}, "Type": {}, "End": {}}
    derivation = sn.derive(sn.program(*named, total, tensors=given), wrt=list(given)[:-3])
    made = sn.certify(derivation)
    found = made.check()
    assert found, found.reason
    assert "0 < v_w1 e" in made.hypotheses and "v_w14 e <> 3" in made.hypotheses


@needs_coqc
def test_a_wrong_hypothesis_or_an_axiom_of_its_own_is_refused() -> None:
    derivation = sn.load("softmax-regression")
    text = sn.certify(derivation, sizes={"N": 1, "d": 1, "k": 2}).text
    without = text.replace("v_Y e 1 1 + v_Y e 1 2 = 1 ->", "").replace(
        "Hypothesis H1 : v_Y (c t0) 1 1 + v_Y (c t0) 1 2 = 1.", "Lemma H1 : v_Y (c t0) 1 1 + v_Y (c t0) 1 2 = 1.\nProof. lra. Qed.")
    assert without != text and not compiled(without).accepted
    lied = "Axiom easy : forall P : Prop, P.\nTheorem every_gradient : 0 = 1.\nProof. apply easy. Qed.\nPrint Assumptions every_gradient.\n"
    assert compiled(lied).axioms == ("easy : forall P : Prop, P",)


def test_axioms_are_told_by_what_they_say() -> None:
    assert axioms("Axioms:\nclassic : False\n") == ("classic : False",)
    assert axioms("Axioms:\nclassic : forall P : Prop, P \\/ ~ P\n") == ("Classical_Prop.classic",)
    assert axioms("Closed under the global context\n") == ()


NOT_EXPRESSIBLE = [
    (lambda: sn.certifiable(of("L = stop_gradient(w)*w")), "stop_gradient"),
    (lambda: sn.certifiable(of("L = floor(w)*w")), "floor"),
    (lambda: sn.certifiable(sn.load("mlp")), "sizes"),
    (lambda: sn.certifiable(sn.load("mlp"), {"N": 40, "d": 40, "h": 40, "k": 9}), "sizes"),
    (lambda: sn.certifiable(of("L = w*w", w={"domain": "complex"})), "w"),
    (lambda: sn.certifiable(sn.jacobian(sn.program("z = w*x", "L = sum(z)", tensors={"w": (2,), "x": ()}), "z", "w")), "objective"),
]


@pytest.mark.parametrize(("ask", "construct"), NOT_EXPRESSIBLE, ids=[c for _, c in NOT_EXPRESSIBLE])
def test_what_cannot_be_said_is_told_before_it_is_written(ask, construct: str) -> None:  # type: ignore[no-untyped-def]
    found = ask()
    assert not found and found.construct == construct and found.why
    assert str(found).startswith(f"not expressible: {construct}")


def test_what_can_be_said_names_its_hypotheses() -> None:
    found = sn.certifiable(of("L = relu(w*x) + log(x)", x={}, w={}))
    assert found and found.theorems == 1 and found.hypotheses == ("v_w e * v_x e <> 0",)


def test_a_title_cannot_leave_its_comment() -> None:
    derivation = sn.derive(sn.program("L = w**2", title='x *) Axiom no : False. (* " *) "'), wrt="w")
    made = sn.certify(derivation)
    assert "*) Axiom" not in made.text and made.read_back() == ()


def test_every_name_is_behind_a_prefix() -> None:
    text = sn.certify(of("L = (Definition*R - exp)**2", "R", Definition={}, R={}, exp={})).text
    assert "v_Definition : R" in text and "v_R : R" in text and "v_exp : R" in text


@pytest.mark.parametrize(("options", "code", "said"), [
    (["first", "--ask"], 0, "expressible: 4 theorems"),
    (["mlp", "--ask"], 2, "not expressible: sizes: no number for N, d, h, k"),
    (["mlp"], 2, "no number for"),
    (["mlp", "--sizes", "N=1,q=2"], 2, "no size named 'q'"),
    (["mlp", "--sizes", "N=1,N=2"], 2, "N twice"),
    (["first", "-o", "/nowhere/first.v"], 2, "a file that can be written"),
    (["first", "-o", "-"], 0, "Theorem gradient_v_w1 (e : point)"),
])
def test_the_command(options: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["certify", *options]) == code
    out, err = capsys.readouterr()
    assert said in out + err and "Traceback" not in err


@pytest.mark.parametrize(("sizes", "said"), [({"N": 0}, "a positive whole number"), ({"N": True}, "a positive whole number"),
                                              ({"q": 2}, "no size named 'q'"), (3, "a table of whole numbers")])
def test_sizes_that_are_none(sizes: object, said: str) -> None:
    with pytest.raises(sn.SymnetError, match=said):
        sn.certify(sn.load("mlp"), sizes=sizes)  # type: ignore[arg-type]


def test_the_example_of_the_readme() -> None:
    import doctest
    import re

    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    (example,) = (e for e in re.findall(r"```pycon\n(.*?)```", readme, re.DOTALL) if "certify" in e)
    test = doctest.DocTestParser().get_doctest(example, {"sn": sn}, "README", None, None)
    assert doctest.DocTestRunner().run(test).failed == 0


@needs_coqc
def test_decimals_are_bounded_at_the_values_of_the_worksheet() -> None:
    made = sn.certify(sn.derive(sn.program("z = w*x", "L = (sigmoid(z) - 1/3)**2"), wrt="w"), decimals=False)
    with pytest.raises(sn.SymnetError, match="decimals"):
        sn.certify(made.derivation, decimals=True)
    first = sn.certify(sn.load("first"), decimals=True)
    assert "Theorem value_v_L : Rabs (v_L sheet - (199363 / 1000000)) <= (11 / 20000000)." in first.text
    found = first.check()
    assert found, found.reason


def test_decimals_that_say_something_else_are_found() -> None:
    from symnet.certificates.second_reader import read_back

    first = sn.certify(sn.load("first"), decimals=True)
    for there, instead in (("Point 2 (1 / 2)", "Point 2 (1 / 3)"), ("<= (11 / 20000000).", "<= 1."),
                           ("Rabs (v_L sheet", "Rabs (v_z1 sheet"), ("(value_v_L, ", "")):
        assert there in first.text
        assert read_back(first.text.replace(there, instead), first.derivation, {})


@needs_coqc
def test_general_theorems_are_accepted() -> None:
    """The shipped file whole; one of its theorems alone by the command."""
    from symnet.certificates.certificate import accepted
    from symnet.certificates.general import general_theorems

    text = (Path(sn.__file__).parent / "certificates" / "general.v").read_text()
    found = accepted(text, (), 600)
    assert found, found.reason
    assert all(f"(* {name}: " in text for name in general_theorems()) and len(general_theorems()) == 6
    assert "Admitted" not in text and "Axiom" not in text


@needs_coqc
def test_one_general_theorem_by_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = tmp_path / "vanishing.v"
    assert main(["certify", "--theorem", "vanishing", "-o", str(where), "--check"]) == 0
    assert "accepted by coqc" in capsys.readouterr().err and "Theorem vanishing" in where.read_text()


def test_a_general_theorem_that_is_none() -> None:
    with pytest.raises(sn.SymnetError, match="did you mean 'vanishing'"):
        sn.certify_theorem("vanshing")
    assert main(["certify", "first", "--theorem", "vanishing"]) == 2
