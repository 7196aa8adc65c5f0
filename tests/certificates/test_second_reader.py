"""The second reader finds every file that says something else than the derivation: mutations of what the printer writes."""

from __future__ import annotations

from functools import cache

import pytest

import symnet as sn
from symnet.certificates.second_reader import read_back

PROGRAMS: dict[str, tuple[object, dict[str, int]]] = {
    "first": (lambda: sn.load("first"), {}),
    "classes": (lambda: sn.load("softmax-regression"), {"N": 1, "d": 1, "k": 2}),
    "domain": (lambda: sn.derive(sn.program("L = log(p)*y + 1180591620717411303424*p**3 + relu(p - y)", tensors={"p": {"domain": "(0, 1)"}, "y": {}}), wrt="p"),
               {}),
}


@cache
def written(name: str) -> tuple[sn.Derivation, dict[str, int], str]:
    make, sizes = PROGRAMS[name]
    derivation = make()
    return derivation, sizes, sn.certify(derivation, sizes=sizes).text


MUTATIONS = [
    ("first", "v_z1 (e : point) : R := v_b1 e + v_w1 e * v_x e", "v_z1 (e : point) : R := v_b1 e + v_w1 e", "a factor is dropped"),
    ("first", "v_z1 (e : point) : R := v_b1 e + v_w1 e", "v_z1 (e : point) : R := v_b1 e + v_w2 e", "a variable is swapped"),
    ("first", "v_dL_da2 (e : point) : R := 2 *", "v_dL_da2 (e : point) : R := 3 *", "a number is another"),
    ("first", "v_L (e : point) : R := (v_a2 e - v_y e) ^ 2", "v_L (e : point) : R := (v_a2 e - v_y e) ^ 3", "a power is another"),
    ("first", "v_a1 (e : point) : R := sigmoid", "v_a1 (e : point) : R := tanh", "a function is another"),
    ("first", "(v_a2 e - v_y e)", "(v_a2 e + v_y e)", "a sign is another"),
    ("first", "Definition v_dL_dw1 (e : point) : R := v_dL_dz1 e * v_x e.", "Definition v_dL_dw1 (e : point) : R := 0.", "a line is 0"),
    ("first", "is_derive (fun t => v_L (put_v_w1 e t)) (v_w1 e) (v_dL_dw1 e)", "0 + 0 = 0", "it proves 0 + 0 = 0"),
    ("first", "is_derive (fun t => v_L (put_v_w1 e t)) (v_w1 e) (v_dL_dw1 e)",
     "is_derive (fun t => v_L (put_v_b1 e t)) (v_b1 e) (v_dL_db1 e)", "it states another entry"),
    ("first", "is_derive (fun t => v_L (put_v_w1 e t)) (v_w1 e) (v_dL_dw1 e)",
     "is_derive (fun t => v_z1 (put_v_w1 e t)) (v_w1 e) (v_dL_dw1 e)", "it differentiates another line"),
    ("first", "Theorem gradient_v_w1 (e : point) : ", "Theorem gradient_v_w1 (e : point) : v_x e = 0 -> ", "a hypothesis nobody declared"),
    ("first", "Theorem gradient_v_w1 (e : point) : ", "Theorem gradient_v_w1 (e : point) : 0 < 0 -> ", "a hypothesis that never holds"),
    ("first", "Theorem gradient_v_w1 (e : point)", "Theorem gradient_v_w1 (e : point) (h : False)", "another variable"),
    ("first", "Theorem gradient_v_b2 ", "Lemma gradient_v_b2 ", "a theorem is a lemma"),
    ("first", "  Point (v_x e) (t) (v_b1 e) (v_w2 e)", "  Point (v_x e) (v_w1 e) (t) (v_w2 e)", "another input is moved"),
    ("first", "  v_b1 : R;\n  v_w2 : R;", "  v_w2 : R;\n  v_b1 : R;", "the inputs in another order"),
    ("first", "\nRecord point", "\nAxiom easy : forall P : Prop, P.\nRecord point", "an axiom"),
    ("first", "\nRecord point", "\nParameter K : R.\nRecord point", "a parameter"),
    ("first", "\nRecord point", "\nHypothesis easy : forall P : Prop, P.\nRecord point", "a hypothesis outside a section"),
    ("first", "\nRecord point", "\nDefinition is_derive (f : R -> R) (x y : R) := True.\nRecord point", "is_derive is defined anew"),
    ("first", "\nRecord point", "\nNotation \"0\" := 1.\nRecord point", "a notation"),
    ("first", "\nRecord point", "\nLemma exp (x : R) : R.\nProof. exact x. Qed.\nRecord point", "exp is defined anew"),
    ("first", "Definition sigmoid (z : R) : R := / (1 + exp (- z)).", "Definition sigmoid (z : R) : R := / (1 + exp z).", "the library"),
    ("first", "Proof. unfold v_z1, d_v_z1.", "Proof. Axiom no : False. unfold v_z1, d_v_z1.", "an axiom within a proof"),
    ("first", "Section Along.", "(* \" *) Section Along.", "a string within a comment"),
    ("first", "Print Assumptions every_gradient.", "Print Assumptions tt.", "what is printed"),
    ("first", "(gradient_v_b1, ", "", "a theorem is left out at the end"),
    ("first", "End Along.", "", "a section without an end"),
    ("classes", "v_Y e 1 1 + v_Y e 1 2 = 1 ->", "v_Y e 1 1 + v_Y e 1 2 = 2 ->", "another sum"),
    ("classes", "v_Y e 1 1 + v_Y e 1 2 = 1 ->", "v_Y e 1 1 - v_Y e 1 2 = 1 ->", "another sign in a hypothesis"),
    ("classes", "v_Y e 1 1 + v_Y e 1 2 = 1 ->", "v_Y e 1 1 + v_Y e 1 2 <= 1 ->", "another comparison"),
    ("classes", "(put_v_W1 e 1 1 t)", "(put_v_W1 e 1 2 t)", "another place"),
    ("classes", "at2 (v_W1 e) i1 i2 t", "at2 (v_W1 e) i2 i1 t", "places swapped"),
    ("domain", str(2**70), "0", "2^70 is 0"),
    ("domain", "0 < v_p e ->", "v_p e < 0 ->", "another side"),
    ("domain", "v_p e < 1 ->", "v_p e < 1 / 2 ->", "a smaller domain"),
    ("domain", "v_p e - v_y e <> 0 ->", "v_p e - v_y e = 0 ->", "at the kink alone"),
]


@pytest.mark.parametrize("name", PROGRAMS)
def test_what_is_written_is_read_back(name: str) -> None:
    derivation, sizes, text = written(name)
    assert read_back(text, derivation, sizes) == ()


@pytest.mark.parametrize(("name", "there", "instead", "what"), MUTATIONS, ids=[m[3] for m in MUTATIONS])
def test_a_file_that_says_something_else_is_found(name: str, there: str, instead: str, what: str) -> None:
    derivation, sizes, text = written(name)
    assert there in text, what
    assert read_back(text.replace(there, instead), derivation, sizes), what


def test_the_certificate_of_another_derivation_is_found() -> None:
    other = sn.derive(sn.program("L = (w*x - y)**2"), wrt="w")
    text = sn.certify(sn.derive(sn.program("L = (w*x + y)**2"), wrt="w")).text
    assert read_back(text, other, {})


def test_functions_of_the_library_are_those_of_the_table() -> None:
    """``analysis.v`` defines sigmoid, softplus, relu, … by forms that the reader reads as SymPy's; they are those of core's table."""
    import re

    import sympy as sp

    from symnet.certificates.entries import library
    from symnet.certificates.rocq_reader import Parser, tokens
    from symnet.core.functions import BY_NAME

    z = sp.Symbol("z", real=True)
    for name in ("sigmoid", "softplus"):
        body = re.search(rf"Definition {name} \(z : R\) : R := (.*)\.\n", library())
        assert body is not None
        read = Parser(tokens(body.group(1)), lambda n, _: {"z": z}[n]).term()
        assert sp.simplify(read - BY_NAME[name].in_exp(z)) == 0
    for name, above, below in (("step", "1", "0"), ("relu", "z", "0")):
        assert f"Definition {name} (z : R) : R := if Rlt_dec 0 z then {above} else {below}." in library()
