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
    assert found.claim.sentence == claim and (len(claim) % 3 or str(found) == f"proved: {claim}")  # a third is made again, too


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


BAD = [("", "no theorem"), ("x +", "no theorem"), ("x @ == 2", "column"), ("softmax(z + c) == softmax(z)", "--shape"), ("grad(x**2) == 2*x", "grad(f, x)"),
       ("grad(softmax(z), z) == 0", "sum(u*f)"), ("loss-scalin", "loss-scaling"), ("x == ", "without a side"),
       ("f(x) == f(x)", "f"), ("__import__('os') == 1", "claim"), ("x == 1 == ", "side")]


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


def test_markup_in_a_claim_is_escaped(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    assert main(["prove", "x<y if x<y", "-o", str(page)]) == 0
    assert "<y if" not in page.read_text(encoding="utf-8")
