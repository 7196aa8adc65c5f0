"""Numbers put in stand where their names stand, = stands before what is exact and ≈ before what is rounded.

The sheets are small, with zeros, thirds and irrational numbers mixed, so that exact numbers come out of inexact ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flint import arb, ctx, fmpq

import symnet as sn
from symnet.case_builder import report
from symnet.core.derivation import Derivation
from symnet.core.tensors import tensor_name
from symnet.reports.document import Stage, StepView, Table

SHEETS = {
    "names of both cases": """
[symbols]
X = { shape=["N","d"], value = [["0"],["2"],["-3"]] }
a = { shape=["d"], value = ["7"] }
Y = { shape=["N"], value = ["1","0","5"] }
[program]
definitions = ["f = X @ a"]
objective = "mean((Y-f)**2)"
wrt = ["a"]
[training]
learning_rate = "1/8"
""",
    "three factors and a constant": """
[symbols]
B = { shape=[2,2], value = [["1/2","-3"],["4","5"]] }
q = { shape=[2], value = ["-6","7"] }
k = { value = "9" }
A = { value = "11" }
[program]
definitions = ["g[i] = k*q[i]*A*sum(B[i,j]*q[j] for j in 1..2)"]
objective = "A*sum(g)/2 - k*q[1]"
wrt = ["q", "A"]
""",
    "a dead unit": """
[symbols]
X = { shape=[2,2], value = [["0","1"],["2","-1"]] }
W = { shape=[2,2], value = [["0","1/2"],["-1","1"]] }
b = { shape=[2], value = ["0","1/7"] }
v = { shape=[2], value = ["2","0"] }
t = { shape=[2], value = ["1","0"] }
[program]
definitions = ["Z = X @ W + b", "H = maximum(Z, 0)", "m = H @ v", "p = 1/(1+exp(-m))"]
objective = "-mean(t*log(p)+(1-t)*log(1-p)) + 1/10*sum(W**2)"
wrt = ["W", "b", "v"]
[training]
learning_rate = "1/2"
""",
    "equal logits": """
[symbols]
z = { shape=[2], value = ["1/3","1/3"] }
t = { shape=[2], value = ["1","0"] }
[program]
definitions = ["E[k] = exp(z[k])", "Q = sum(E)", "p[k] = E[k]/Q", "one = sum(p)", "r = sqrt(one*16/9)", "i = log(E[1])*3"]
objective = "-sum(t*log(p)) + one + r + i"
wrt = ["z"]
[training]
learning_rate = "1"
""",
    "a product by matrices": """
[symbols]
X = { shape=[4,4], value = [["1/3","2","0","1"],["0","1/2","-1","0"],["1","1","1","1"],["0","0","0","0"]] }
W = { shape=[4,4], value = [["0","1","2","0"],["1/10","0","0","0"],["0","0","1","1/2"],["1/5","0","0","0"]] }
V = { shape=[4,4], value = [["0","0","1","0"],["1/5","0","0","1"],["0","0","0","0"],["-1","0","0","1/4"]] }
[program]
definitions = ["H = tanh(X @ W)", "S = H @ V + X"]
objective = "sum(S**2)/4"
wrt = ["W", "V"]
""",
}
NUMBER = r"\d+(?:\.\d+)?(?:e-?\d+)?"


@pytest.fixture(params=[*SHEETS, "two-two-two", "ages"])
def told(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Derivation, list[StepView | Table]]:
    """The derivation of a sheet, and the lines and tables of its report."""
    name = request.param
    if name in SHEETS:
        (tmp_path / "sheet.toml").write_text(f'title = "{name}"' + SHEETS[name])
        name = str(tmp_path / "sheet.toml")
    d = sn.load(name)
    d.meta.pop("training", None)
    story = report(d, check=False, theorem=False).story
    return d, [b for s in story.sections for b in s.blocks if isinstance(b, (StepView, Table))]


def rows(blocks: list[StepView | Table]) -> Iterator[Stage]:
    yield from (s for b in blocks if isinstance(b, StepView) for s in b.stages if s.claim is not None)


def human_sides(line: str) -> list[str]:
    return re.split(r"(?:^| )[=≈] ", line)


def bare(text: str) -> str:
    return re.sub(r"[ ()]", "", text)


def put_in_by_hand(symbols: str, numbers: dict[str, str]) -> str:
    """The names of a formula replaced one by one, from left to right."""
    names = sorted(numbers, key=len, reverse=True)
    return re.sub("|".join(rf"(?<![A-Za-z0-9_]){re.escape(n)}(?![A-Za-z0-9_])" for n in names), lambda m: numbers[m[0]], symbols)


def test_numbers_stand_where_their_names_stand(told: tuple[Derivation, list[StepView | Table]]) -> None:
    seen, symbols = 0, ""
    for stage in rows(told[1]):
        sides = human_sides(stage.formula.text)
        symbols = sides[1] if len(sides) > 2 or stage.label == "" else symbols
        if stage.claim is None or not stage.claim.put_in:
            continue
        numbers = sides[2] if len(sides) > 2 else sides[-1]
        assert bare(put_in_by_hand(symbols, dict(stage.claim.put_in))) == bare(numbers), stage.formula.text
        marks = re.split(r"(?:^| )(?:=|\\approx) ", stage.formula.latex.replace(" > 0", ""))  # a step is a bracket in LaTeX
        assert re.findall(NUMBER, (marks[2] if len(marks) > 2 else marks[-1])) == re.findall(NUMBER, numbers), stage.formula.latex
        seen += 1
    assert seen > 3


def exactly(d: Derivation, name: str, printed: str) -> bool:
    """True when a value is a printed number to more than a hundred digits."""
    with ctx.workprec(600):
        value = d.instantiate(dict(d.meta.get("sizes") or {})).at().ball(name, 600) if d.meta.get("sizes") or any(
            t.axes for t in d.program.tensors.values()) else d.at().ball(name, 600)
        whole, _, after = printed.partition(".")
        return bool(abs(value - arb(fmpq(int(whole + after), 10 ** len(after)))) < arb(10) ** -100)


def test_every_relation_is_the_right_one(told: tuple[Derivation, list[StepView | Table]]) -> None:
    d, blocks = told
    seen = set()
    for stage in rows(blocks):
        assert stage.claim is not None
        if not stage.claim.decimal or "_new" in tensor_name(stage.claim.left):
            continue
        name = tensor_name(stage.claim.left)
        relation, printed = re.findall(r"(?:^| )([=≈]) ([^=≈]*)$", stage.formula.text)[0]
        assert relation == ("=" if exactly(d, name, printed) else "≈"), stage.formula.text
        seen.add(relation)
    assert "=" in seen


EXPECTED = {
    "a dead unit": ["m_1 = v_1*H_1_1 + v_2*H_1_2 ≈ 2 * 0 + 0 * 1.14286 = 0", "p_1 = 1/(1 + exp(-m_1)) = 1/(1 + exp(-0)) = 0.5", "= 0.5/5 + 0 * 0 + 0 * 2 = 0.1",
                    "= 1/5 + 0 * 1 + 0 * (-1) = 0.2", "* step(1.14286) = 0", "dL/dH_2_2 = dL/dm_2*v_2 ≈ 0.440399 * 0 = 0"],
    "equal logits": ["p_1 = E_1/Q ≈ 1.39561/2.79122 = 0.5", "one = p_1 + p_2 = 0.5 + 0.5 = 1", "= 4 * sqrt(1)/3", "i = 3*log(E_1) = 1"],
    "names of both cases": ["f_2 = a_1*X_2_1 = 7 * 2 = 14", "f_3 = a_1*X_3_1 = 7 * (-3) = -21"],
}


@pytest.mark.parametrize(("name", "line"), [(n, line) for n, lines in EXPECTED.items() for line in lines])
def test_lines_known_by_hand(name: str, line: str, tmp_path: Path) -> None:
    (tmp_path / "sheet.toml").write_text(f'title = "{name}"' + SHEETS[name])
    text = re.sub(r"\s+", " ", report(sn.load(str(tmp_path / "sheet.toml")), check=False, theorem=False).text())
    assert line in text


@pytest.mark.parametrize(("symbols", "lines", "objective"), [
    ("x = { value = '2' }", ["a = w*x"], "(a - 2*stop_gradient(a))**2"),
    ("x = { shape=[2], value = ['1','-3'] }", ["a = w*x", "s = sum(a)"], "sum((a - stop_gradient(a*s))**2)"),
    ("x = { shape=['T'], value = ['1','-3','1/2'] }", ["h[0] = 1", "h[t] = w*h[t-1] + x[t]"], "(h[T] - 3*stop_gradient(h[T]))**2"),
])
def test_a_computed_line_in_a_stop_gradient_is_reported(symbols: str, lines: list[str], objective: str, tmp_path: Path) -> None:
    """The parameter is moved and what stands in the stop-gradient is not: the slope on both sides is the gradient."""
    (tmp_path / "s.toml").write_text(f"[symbols]\n{symbols}\nw = {{ value = '3/4' }}\n[program]\ndefinitions = {lines}\n"
                                     f"objective = '{objective}'\nwrt = ['w']\n")
    story = report(sn.load(str(tmp_path / "s.toml")), theorem=False).story
    table = next(b for s in story.sections if s.anchor == "checks" for b in s.blocks if isinstance(b, Table))
    both, gradient = (float(c[0].text.removeprefix("≈ ")) for c in table.rows[0][3:5])  # type: ignore[union-attr]
    assert both == pytest.approx(gradient, rel=1e-3)
