"""Claims of one's own, in no library: proved, refuted by a point that is one, or undecided; and what cannot be read is refused in one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import symnet as sn
from symnet.cli.main import main
from symnet.core.claim import Proved, Refutation
from symnet.core.verdict import Verdict
from symnet.errors import SymnetError

TRUE: list[tuple[str, dict[str, Any]]] = [
    ("x**2 + 1 >= 2*x", {}), ("exp(x) > x", {}), ("x**2 + x*y + y**2 >= 0", {}), ("abs(x*y) == abs(x)*abs(y)", {}),
    ("cosh(x)**2 - sinh(x)**2 == 1", {}), ("tanh(x)**2 < 1", {}), ("sigmoid(x) >= 1/2 if x >= 0", {}), ("log(1 + x) <= x if x > 0", {}),
    ("x/(1 + x) < log(1 + x) if x > 0", {}), ("sqrt(a*b) <= (a + b)/2 if a > 0 and b > 0", {}), ("max(x, y) >= x", {}),
    ("min(x, y) == -max(-x, -y)", {}), ("relu(x)**2 == x*relu(x)", {}), ("sin(x)**2 <= x**2", {}), ("1 - x**2/2 <= cos(x)", {}),
    ("p*(1 - p) <= 1/4", {"tensors": {"p": {"domain": "(0, 1)"}}}), ("x*(1 - x) <= 1/4", {}), ("exp(x)*exp(y) == exp(x + y)", {}),
    ("(a + b)**2 <= 2*a**2 + 2*b**2", {}), ("abs(abs(x) - abs(y)) <= abs(x - y)", {}), ("diff(x**3, x) >= 0", {}),
    ("diff(log(1 + exp(x)), x) == sigmoid(x)", {}), ("diff(tanh(w*x), x, x) == -2*w**2*tanh(w*x)*(1 - tanh(w*x)**2)", {}),
    ("x < y if 2*x < 2*y", {}), ("x + z <= y + w if x <= y and z <= w", {}), ("x != 0 if x**2 > 0 and x > 0", {}),
    ("sum(z - mean(z)) == 0", {}), ("norm(c*v) == c*norm(v)", {"tensors": {"v": ("n",), "c": {"domain": "positive"}}}),
    ("softmax(z + log(2)) == softmax(z)", {"tensors": {"z": ("n",)}}), ("grad(sum(z**2)/2, z) == z", {}),
    ("grad(dot(a, z), z) == a", {"tensors": {"a": ("n",), "z": ("n",)}}), ("sum((x + y)**2) == sum(x**2) + 2*dot(x, y) + sum(y**2)",
                                                                          {"tensors": {"x": ("n",), "y": ("n",)}}),
    ("(A @ B).T == B.T @ A.T", {"tensors": {"A": ("n", "m"), "B": ("m", "k")}}), ("x.T @ A @ y == y.T @ A @ x", {
        "tensors": {"x": ("n",), "y": ("n",), "A": ("n", "n")}, "given": ["A == A.T"]}),
    ("trace(A @ B) == trace(B @ A)", {"tensors": {"A": ("n", "m"), "B": ("m", "n")}}), ("0 <= sum(x**2)", {}),
    ("m[t] == 1 - b**t", {"tensors": {"m": ("T",), "b": ()}, "lines": ["m[1] = 1 - b", "m[t] = b*m[t-1] + (1 - b) for t in 2..T"]}),
    ("s[t] == t*c", {"tensors": {"s": ("T",), "c": ()}, "lines": ["s[1] = c", "s[t] = s[t-1] + c for t in 2..T"]}),
    ("v[t] >= 0", {"tensors": {"v": ("T",), "b": {"domain": "[0, 1]"}, "g": ("T",)},
                   "lines": ["v[1] = g[1]**2", "v[t] = b*v[t-1] + (1 - b)*g[t]**2 for t in 2..T"]}),
    ("h[t] <= 1", {"tensors": {"h": ("T",), "h0": {"domain": "[0, 1]"}, "f": {"shape": ("T",), "domain": "[0, 1]"}},
                   "lines": ["h[1] = h0", "h[t] = f[t]*h[t-1] + (1 - f[t]) for t in 2..T"]}),
    ("lam*f <= L*f if lam <= L and f >= 0", {}), ("2*x*y <= e*x**2 + y**2/e if e > 0", {}), ("w = 3 if 2*w = 6", {}),
]
FALSE: list[tuple[str, dict[str, Any]]] = [
    ("x**2 >= x", {}), ("exp(x) >= 1 + x + x**2/2", {}), ("sqrt(x**2) == x", {}), ("log(x*y) == log(x)*log(y) if x > 0 and y > 0", {}),
    ("tanh(x + y) == tanh(x) + tanh(y)", {}), ("sigmoid(2*x) == 2*sigmoid(x)", {}), ("abs(x + y) == abs(x) + abs(y)", {}),
    ("relu(x)*relu(y) == relu(x*y)", {}), ("a*c <= b*c if a <= b", {}), ("1/x <= 1/y if x >= y and x != 0 and y != 0", {}),
    ("x < y if x <= y", {}), ("x**2 > 0", {}), ("sin(x) <= x", {}), ("sum(z) == 0", {}), ("norm(x + y) == norm(x) + norm(y)",
                                                                                        {"tensors": {"x": ("n",), "y": ("n",)}}),
    ("A @ B == B @ A", {"tensors": {"A": ("n", "n"), "B": ("n", "n")}}), ("softmax(2*z) == softmax(z)", {"tensors": {"z": ("n",)}}),
    ("grad(sum(z**2), z) == z", {}), ("mean(x**2) == mean(x)**2", {}), ("diff(sigmoid(x), x) <= 1/5", {}),
    ("m[t] == 1 - b**(t + 1)", {"tensors": {"m": ("T",), "b": ()}, "lines": ["m[1] = 1 - b", "m[t] = b*m[t-1] + (1 - b) for t in 2..T"]}),
    ("s[t] <= 3*c", {"tensors": {"s": ("T",), "c": {"domain": "positive"}}, "lines": ["s[1] = c", "s[t] = s[t-1] + c for t in 2..T"]}),
    ("x.T @ A @ x == 0", {"tensors": {"x": ("n",), "A": ("n", "n")}, "given": ["A == A.T"]}), ("max(x, y) == x + y", {}), ("x == 2 if x**2 == 4", {}),
]


@pytest.mark.parametrize(("claim", "more"), TRUE, ids=[c for c, _ in TRUE])
def test_a_true_claim_is_proved_and_checks(claim: str, more: dict[str, Any]) -> None:
    found = sn.prove(claim, **more)
    assert isinstance(found, Proved), found
    assert found.claim.sentence.startswith(claim) and (len(claim) % 3 or str(found).startswith("proved: "))  # a third is made again, too


@pytest.mark.parametrize(("claim", "more"), FALSE, ids=[c for c, _ in FALSE])
def test_a_false_claim_is_refuted(claim: str, more: dict[str, Any]) -> None:
    found = sn.prove(claim, **more)
    assert isinstance(found, Refutation), found
    assert found.left != found.right or "<" in claim or ">" in claim or "!=" in claim


@pytest.mark.parametrize("claim", ["x > 1 if x > 2 and x < 1", "0 == 1 if y < 0 and y > 0"])
def test_from_a_contradiction_nothing_is_concluded(claim: str) -> None:
    with_words = None
    try:
        with_words = sn.prove(claim)
    except SymnetError as error:
        assert "satisfies" in str(error)
        return
    assert isinstance(with_words, Verdict) and "hypotheses" in with_words.reason


ARRAYS: dict[str, Any] = {"x": ("n",), "y": ("n",), "A": ("n", "n"), "B": ("n", "n")}
OTHER_PLACES = ["x[i] == x[j]", "x[i] <= x[j]", "abs(x[i]) == abs(x[j])", "x[i] == x[j] == x[k]", "x[i] == x[j] if sum(x) > 0", "A[i,j] == A[i,k]",
                "A[i,i] == A[j,j]", "sum(A[i,j] for j in 1..n) == sum(A[k,j] for j in 1..n)", "x[i]*y[j] == x[k]*y[j]",
                "x[i] <= y[j] if x[i] <= y[i]", "A[i,j] == B[j,k] if A == B"]


@pytest.mark.parametrize("claim", OTHER_PLACES)
def test_other_letters_are_other_places(claim: str) -> None:
    used = {name: spec for name, spec in ARRAYS.items() if name in claim}
    assert isinstance(sn.prove(claim, tensors=used), Refutation)


NOWHERE = ["sqrt(x)**2 < 0 if x < 0", "exp(log(x)) < 0 if x < 0", "exp(log(-x**2 - 1)) < 0", "x/x == 1 if x == 0", "1/x - 1/x == 0 if x == 0",
           "0*log(x) == 0 if x < 0", "1 == 0 if 1 == 2", "1 == 0 if x == x + 1"]


@pytest.mark.parametrize("claim", NOWHERE)
def test_nothing_is_concluded_where_a_side_has_no_value(claim: str) -> None:
    found = sn.prove(claim)
    assert isinstance(found, Verdict) and "no values satisfy" in found.reason


SOMEWHERE = [("sqrt(x)**2 == x", "0 <= x"), ("exp(log(x)) > 0", "0 < x"), ("x**2/x != 0", "x != 0"), ("log(x) <= x - 1", "0 < x"),
             ("log(x - 1) < x - 1", "0 < x - 1")]


@pytest.mark.parametrize(("claim", "condition"), SOMEWHERE)
def test_a_claim_is_about_the_points_where_its_sides_have_values_and_says_so(claim: str, condition: str) -> None:
    found = sn.prove(claim)
    assert isinstance(found, Proved) and any("has a value" in c for c in found.claim.conditions), found


KINKS = ["diff(relu(x), x) == 1 if x >= 0", "diff(abs(x), x) > 0 if x >= 0", "diff(relu(x), x) == 0 if x <= 0",
         "diff(max(0, x), x) == 1 if x >= 0", "grad(relu(x) - relu(-x), x) == grad(x, x)", "grad(x, x) == grad(relu(x) - relu(-x), x)",
         "grad(abs(x)*sign(x), x) == 1"]


@pytest.mark.parametrize("claim", KINKS)
def test_slopes_are_claimed_off_their_kinks_and_this_is_said(claim: str) -> None:
    found = sn.prove(claim)
    assert isinstance(found, Proved) and any("slope" in c for c in found.claim.conditions) and "where all has" in str(found)


def test_a_slope_off_its_kink_is_refuted_there() -> None:
    assert isinstance(sn.prove("diff(relu(x), x) == 1"), Refutation)
    assert not isinstance(sn.prove("grad(abs(x)*sign(x), x) == (1 if x != 0 else 0)"), Refutation)


CANCELLED = ["x/sqrt(x) > 0", "x + 0/sqrt(x) > 0", "sqrt(x)**2/sqrt(x) > 0", "abs(x)/sqrt(x)**2 == 1", "log(x)**2/log(x) != 0",
             "x*exp(1/sqrt(x) - 1/sqrt(x)) > 0", "log(x)/log(x) + log(x) != 1"]


@pytest.mark.parametrize("claim", CANCELLED)
def test_what_is_cancelled_while_it_is_read_still_has_to_have_a_value(claim: str) -> None:
    """All true where they have values; each was refuted at a point without one."""
    assert not isinstance(sn.prove(claim), Refutation)


OF_ARRAYS = ["sum(sqrt(x)**2) >= 0", "exp(log(x[i])) > 0", "sum(exp(log(x))) > 0", "x[i]**2/x[i]*x[i] > 0", "sum(x**3/x) > 0",
             "norm(x)/norm(x)*sum(x**2) > 0", "x[i] + log(x[j]) - log(x[j]) > 0 if i == j"]


@pytest.mark.parametrize("claim", OF_ARRAYS)
def test_arrays_are_not_refuted_where_a_part_has_no_value(claim: str) -> None:
    try:
        found = sn.prove(claim, tensors={"x": ("n",)})
    except SymnetError:
        return
    assert not isinstance(found, Refutation)


def test_lines_have_to_have_values_too() -> None:
    for claim, line in (("exp(u) > 0", "u = log(x)"), ("u**2 >= 0", "u = sqrt(x)"), ("u*x**2 != 0", "u = 1/x")):
        assert not isinstance(sn.prove(claim, tensors={"x": ()}, lines=[line]), Refutation)


def test_powers_with_a_varying_exponent_say_what_they_ask_of_their_base() -> None:
    found = sn.prove("x**p > 0", tensors={"x": {"domain": "[0, 1]"}, "p": ()}, given=["p == 1"])
    assert isinstance(found, Proved) and "0 < x, where all has a value" in str(found)


def test_hypotheses_about_arrays_hold_at_the_steps_of_a_counterexample() -> None:
    """True claims, once refuted at a point that denied what was given."""
    average = ["m[1] = g[1]", "m[t] = b*m[t-1] + (1-b)*g[t] for t in 2..T"]
    shapes = {"m": ("T",), "g": ("T",), "G": (), "b": ()}
    assert not isinstance(sn.prove("m[t] <= G", tensors=shapes, lines=average, given=["0 <= b <= 1", "g[t] <= G"]), Refutation)
    total = ["s[1] = a[1]", "s[t] = s[t-1] + a[t] for t in 2..T"]
    assert not isinstance(sn.prove("s[t] >= 0", tensors={"s": ("T",), "a": ("T",)}, lines=total, given=["a[t] >= 0"]), Refutation)


def test_a_refutation_is_told_as_the_claim_was_written() -> None:
    found = sn.prove("exp(x) > 2")
    assert isinstance(found, Refutation) and (found.left, found.right) == ("1", "2") and found.case == (("x", "0"),)
    part = sn.prove("x**2 >= 0 and x > 3")
    assert isinstance(part, Refutation) and "this part fails" in part.why
    dropped = sn.prove("relu(x) <= -2 if x <= -1")
    assert isinstance(dropped, Refutation) and dict(dropped.case)["x"] == "-2"


def test_what_is_given_beside_a_claim_is_told_with_it() -> None:
    assert str(sn.prove("x >= 0", given=["x > 1"])) == "proved: x >= 0 [x > 1]"


BAD = [("", "no theorem"), ("x +", "no theorem"), ("x @ == 2", "column"), ("softmax(z + c) == softmax(z)", "--shape"), ("grad(x**2) == 2*x", "grad(f, x)"),
       ("grad(softmax(z), z) == 0", "sum(u*f)"), ("loss-scalin", "loss-scaling"), ("x == ", "without a side"),
       ("f(x) == f(x)", "f"), ("__import__('os') == 1", "claim"), ("x == 1 == ", "side"),
       ("x**2 + 0*foo(x) <= 1", "unknown function"), ("x^2 + y^2 >= 2xy", "x*y"), ("oo > x", "'oo'")]


@pytest.mark.parametrize(("claim", "phrase"), BAD)
def test_what_cannot_be_read_is_refused_in_one_line(claim: str, phrase: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prove", claim]) == 2
    said = capsys.readouterr().err
    assert said.startswith("symnet: ") and said.count("\n") == 1 and phrase in said


def test_the_command(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["prove", "abs(tanh(x)) <= abs(x)", "--domain", "x:real"]) == 0
    assert "The kernel made the proof again and it checks." in capsys.readouterr().out
    assert main(["prove", "x <= x**2", "--format", "json"]) == 1
    data = json.loads(capsys.readouterr().out)
    assert data["status"] == "refuted" and data["counterexample"]["case"] == {"x": "1/2"}
    assert main(["prove", "sin(x**3 + 1)*x <= 1 + abs(x)**7", "--time", "1"]) in (1, 3)
    capsys.readouterr()
    sheet = tmp_path / "claim.toml"
    sheet.write_text('claim = "w*x == x*w"\ngiven = ["w > 0"]\n[symbols]\nx = { shape = ["n"] }\nw = { domain = "real" }\n', encoding="utf-8")
    assert main(["prove", str(sheet)]) == 0
    assert "w > 0" in capsys.readouterr().out
    page = tmp_path / "proof.html"
    assert main(["prove", "sigmoid-slope", "-o", str(page)]) == 0
    text = page.read_text(encoding="utf-8")
    assert "A counterexample" not in text and "Nearly the same, and wrong" in text and "<script" not in text
    assert main(["prove", "--list"]) == 0
    assert "softmax-shift" in capsys.readouterr().out


def test_structures_and_complex_numbers_are_refused() -> None:
    for spec in ({"shape": ("n", "n"), "structure": "symmetric"}, {"domain": "complex"}):
        with pytest.raises(SymnetError, match="real numbers"):
            sn.prove("x == x", tensors={"x": spec})


def test_markup_in_a_claim_is_escaped(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    assert main(["prove", "x<y if x<y", "-o", str(page)]) == 0
    assert "<y if" not in page.read_text(encoding="utf-8")
