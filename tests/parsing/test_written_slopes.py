"""One grammar of written slopes: a slope in any of its spellings says the same in an answer and on a page."""

from __future__ import annotations

import pytest

import symnet as sn
from symnet.core.page_verdict import Mark
from symnet.parsing.written_slopes import entry_parts, slope_parts, with_slopes

LINES, SHAPES = ["Z = X @ W", "L = sum((Z - Y)**2)/2"], {"X": ("N", "d"), "W": ("d", "K"), "Y": ("N", "K")}
FENCE = "```toml\n[symbols]\n" + "".join(f"{n} = {{ shape = {list(s)} }}\n" for n, s in SHAPES.items()).replace("'", '"') + \
    f'[program]\ndefinitions = ["{LINES[0]}"]\nobjective = "sum((Z - Y)**2)/2"\nwrt = ["W"]\n```\n'
ENTRIES = ["dL/dW_jk", "dL/dW_{jk}", "d L / d W_jk", "d(L)/d(W_jk)", "∂L/∂W_jk", "∂L/∂W_{jk}", "dL/dW[j, k]", "d L/d(W[j,k])", "dJ/dW[j, k]"]
WHOLE = ["dL/dW", "d L / d W", "d(L)/d(W)", "∂L/∂W", "∂(L) / ∂W", "dJ/dW"]


@pytest.mark.parametrize("left, right", [*((e, "sum_n X_nj (Z_nk - Y_nk)") for e in ENTRIES), *((w, "X.T @ (Z - Y)") for w in WHOLE)])
def test_a_slope_on_the_left_says_the_same_in_an_answer_and_on_a_page(left: str, right: str) -> None:
    d = sn.derive(sn.program(LINES, tensors=SHAPES), wrt="W")
    assert sn.check(f"{left} = {right}", d, "W", timeout=None).holds
    assert sn.check(f"{left} = 2*{right}", d, "W", timeout=None).answer.name == "REFUTED"
    marks = [j.mark for j in sn.check_page(f"{FENCE}{left} = {right}\n\n{left} = 2*{right}\n", timeout=None).claims]
    assert marks == [Mark.RIGHT, Mark.WRONG]


@pytest.mark.parametrize("written, parts", [
    ("dp[i]/dz[j]", ("p[i]", "z[j]")), ("d p_i / d z_j", ("p_i", "z_j")), ("dz^(l)/da^(l-1)", ("z^(l)", "a^(l-1)")),
    ("dL/ds^(t,s)", ("L", "s^(t,s)")), ("dL/db_(1,v)", ("L", "b_(1,v)")), ("d/dw", None), ("w/d", None), ("dL/dw**2", None), ("dL", None)])
def test_what_stands_above_and_below(written: str, parts: tuple[str, str] | None) -> None:
    assert slope_parts(written) == parts
    assert with_slopes(f"2*{written}", lambda said, *_: "it") == ("2*it" if parts else f"2*{written}") or written == "dL/dw**2"


@pytest.mark.parametrize("written, parts", [("W_1_jk", ("W_1", ("j", "k"))), ("w_{10}", ("w", ("1", "0"))), ("x[i+1]", ("x", ("i+1",))), ("x", None)])
def test_a_name_and_its_places(written: str, parts: tuple[str, tuple[str, ...]] | None) -> None:
    assert entry_parts(written) == parts
