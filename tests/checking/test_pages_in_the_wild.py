"""Small hand-ins in different styles, right and wrong: every link has the mark that a careful reader would give it."""

from __future__ import annotations

import pytest

from symnet.checking.answers import check_answer
from symnet.core.page_verdict import Errata, Judged, Mark
from symnet.core.verdict import Answer
from symnet.parsing.worksheet import parse_worksheet
from symnet.worksheet_loader import check_page, derivation_of

LETTERS = {Mark.RIGHT: "R", Mark.WRONG: "W", Mark.UNDECIDED: "U", Mark.PUT_IN: "P", Mark.GIVEN: "G"}


def letter(j: Judged) -> str:
    """R, W, U, P, G; c5 for what follows from line 5."""
    return f"c{j.from_line or ''}" if j.carried else LETTERS[j.mark]


def marks(found: Errata) -> dict[int, str]:
    """The letters of each line."""
    return {group[0].line: " ".join(map(letter, group)) for group in found.lines}


OWN = """# Hand-in 3

```toml
title = "One neuron"
[program]
definitions = ["z = w*x + b", "a = tanh(z)", "L = (a - t)**2"]
wrt = ["w", "b"]
learning_rate = "0.5"
```

We take x = 0.5, t = 1, w = 0.8 and b = 0.1.

## Forward

z = w x + b = 0.8·0.5 + 0.1 = 0.5
a = tanh(z) = 0.46212
L = (a − t)² = (0.46212 − 1)² = 0.28932

## Backward

- ∂L/∂a = 2(a − t) = 2(0.46212 − 1) ≈ −1.0758
- ∂a/∂z = 1 − a² = 1 − 0.46212² ≈ 0.786
- **∂L/∂w** = ∂L/∂a · ∂a/∂z · x ≈ −0.423
- **∂L/∂b** = ∂L/∂a · ∂a/∂z = 2(a − t)(1 + a²) ≈ −1.306

w' = w − 0.5·∂L/∂w = 0.8 + 0.5·0.423 ≈ 1.012
b' = b − 0.5·∂L/∂b = 0.1 + 0.5·1.306 = 0.753
"""
LATEX = r"""Forward: $z_1 = w_1 x + b_1 = 1.2$, $a_1 = \sigma(z_1) \approx 0.769$ and $a_2=\sigma(w_2 a_1 + b_2)\approx 0.553$.
$$
\begin{align*}
\frac{\partial L}{\partial w_2} &= \frac{\partial L}{\partial a_2}\,\frac{\partial a_2}{\partial z_2}\,\frac{\partial z_2}{\partial w_2} \\
&= 2(a_2 - y)\,\sigma'(z_2)\,a_1 \\
&= 2(a_2 - y)\,a_2(1-a_1)\,a_1 \\
&\approx -0.088
\end{align*}
$$
\[ \frac{\partial L}{\partial b_2} = 2(a_2-y)\,a_2(1-a_2) \approx -0.221 \]
Therefore $w_2' = w_2 - \alpha \frac{\partial L}{\partial w_2} \approx 0.809$.
"""
TABLE = """| quantity | formula | value |
|----------|---------|------:|
| z1 | w1*x + b1 | 1.2 |
| a1 | sigmoid(z1) | 0.769 |
| dL/da2 | 2*(a2 - y) | -0.893 |
| dL/dw2 | dL/da2 * a2*(1-a2) * a1 | -0.170 |
| dL/dw1 | dL/da2 * a2*(1-a2) * w2 * a1*(1-a1) | -0.031 |
"""
NUMBERS = "z1 = 1.2\na1 = 0.7685\nz2 = 0.2184\na2 = 0.5544\nL = 0.1986\n"
CONTINUED = """The gradient for the second weight is

  dL/dw2 =
    = dL/da2 * da2/dz2 * dz2/dw2
    = 2(a2-y) * sigmoid(z2)*(1 - sigmoid(z2)) * a1

and for the first one:

  dL/dw1 = dL/dz2 * dz2/da1 * da1/dz1 * dz1/dw1
         = dL/dz2 * w2 * a1*(1-a1) * w1
         = -0.016
"""
DELTAS = """1. δ2 = dL/dz2 = 2(a2 − y)·a2·(1 − a2) ≈ −0.2207
2. δ1 = δ2·w2·a1·(1 − a1) ≈ −0.0314
3. dL/dw2 = δ2·a1 ≈ −0.1696
4. dL/db2 = δ2
5. dL/dw1 = δ1·x ≈ −0.0628
6. dL/db1 = δ1 ≈ 0.0314
"""
FENCES = """```python
z1 = w1 * x + b1 = 7
```
```text
z1 = w1*x + b1 = 1.2
a1 = sigmoid(z1) = 0.7685
```
Some words. The rest is clear, e.g. y = 1.
"""
COPIED = "x = 3, w1 = 0.5, b1 = 0.2\nz1 = w1*x + b1 = 0.5*3 + 0.2 = 1.7\na1 = sigmoid(1.7) = 0.846\nz2 = 0.8*0.846 - 0.4 = 0.277\n"
LUCK = "z1 = w1*x + b1 = 0.5*2 - 0.2 = 1.2\na1 = sigmoid(z1) = sigmoid(2.1) ≈ 0.769\ndL/da2 = 2(a2 + y) = -0.893\n"
EARLY = "z1 = 1.2\na1 = 0.77\nz2 = 0.8*0.77 - 0.4 = 0.216\na2 = sigmoid(0.216) = 0.554\n"
TYPOS = "dL/dw22 = dL/da2 * a1\na1 = sigmod(z1) = 0.769\ndL/dw2 = dL/daa2 * a1\nz1 = w1*x + b1 = 1,2\nq* = 3 = w1\n"
CALCULATOR = "z2 = 0.8*0.769 - 0.4 ≈ 0.215\na2 = sigmoid(0.215) ≈ 0.553\ndL/da2 = 2*(0.553-1) ≈ -0.893\ndL/dz2 = -0.893*0.247 ≈ -0.2207\n"
CLAIMED = """let e = a2 - y
da2/dz2 = a2
dL/dz2 = 2 e da2/dz2 = 2*(a2-y)*a2
dL/db2 = dL/dz2 = 2*(a2-y)*a2
dL/dw2 = dL/dz2 * a1
dL/dw1 = 2*e*a2*(1-a2)*w2*a1*(1-a1)*x
"""
BULLETS = """**Step 1** – Forward

* `z1 = w1·x + b1 = 0.5×2 + 0.2 = 1.2`
* a1 = σ(z1) = 1/(1+e^(-1.2)) ≈ 0.769
* ŷ = a2 = 0.553

We have L = (a2 − y)², so ∂L/∂a2 = 2(a2 − y) = 2(0.553 − 1) ≈ −0.893.
The derivative of the sigmoid is σ'(z) = σ(z)(1 − σ(z)) = σ(z)(1 + σ(z)); therefore ∂a2/∂z2 = 0.553·0.447 = 0.247.
Hence dL/dz2 = −0.893 · 0.247 ≈ −0.221, and dL/dw2 = −0.221 · 0.769 ≈ −0.170.
"""
BOXES = r"""Learning rate η = 0.1. Let σ be the logistic function.

$$\delta_2 := \frac{\partial L}{\partial z_2} = 2(a_2 - y) \cdot \sigma'(z_2)$$

$$\boxed{\frac{\partial L}{\partial w_1} = \delta_2 w_2 \sigma'(z_1) x \approx -0.0628}$$
$$w_1^{\text{new}} = w_1 - \eta \frac{\partial L}{\partial w_1} = 0.5 - 0.1\cdot(-0.0628) = 0.50628$$
$$w_2 \leftarrow w_2 + \eta \frac{\partial L}{\partial w_2}$$
"""
LABELS = """| step | expression | result |
| --- | --- | --- |
| forward | z1 = w1*x + b1 | 1.2 |
| backward | ∂L/∂w₂ = ∂L/∂a₂·∂a₂/∂z₂·a₁ | −0.17 |

The weights (w1 = 0.5, w2 = 0.8) are given. Answer: dL/dw1 = -0.063.
w1_new = w1 - lr*dL/dw1 = 0.506
w1 := w1 - 0.1*dL/dw1
dL/dw1: -0.036
"""
REFLECTION = "# Reflection\nI learned a lot. The loss = how wrong we are. N = number of samples.\nThe cost was five euros. f(x) = y?\n"
ENTRIES = """z1_1 = 0.15*0.05 + 0.2*0.1 + 0.35 = 0.3775
a1_1 = sigmoid(z1_1) = 0.5933
a1 = [0.5933, 0.5969]
a2 = [0.7514, 0.7792]
L = 0.2984
dL/dW2_1_1 = dL/da2_1 * da2_1/dz2_1 * a1_1 = 0.0822
dL/dW2 = outer(a1, dL/dz2)
dL/dW1 = outer(dL/dz1, x)
"""

PAGES: dict[str, tuple[str, str, dict[int, str]]] = {
    "its own worksheet, Markdown headings": ("first", OWN, {
        11: "G G G G", 15: "R R R", 16: "R R", 17: "R P R", 21: "R P R", 22: "R P R", 23: "R R", 24: "R W c24", 26: "R P R", 27: "R P c24"}),
    "LaTeX with aligned rows": ("first", LATEX, {1: "R R R R R R", 4: "R", 5: "R", 6: "W", 7: "c6", 10: "R R", 11: "R c7"}),
    "a Markdown table": ("first", TABLE, {3: "R R", 4: "R R", 5: "R R", 6: "R R", 7: "W c7"}),
    "numbers alone": ("first", NUMBERS, {1: "R", 2: "R", 3: "W", 4: "c3", 5: "c4"}),
    "chains over several lines": ("first", CONTINUED, {4: "R", 5: "R", 9: "R", 10: "W", 11: "c10"}),
    "deltas": ("first", DELTAS, {1: "G R R", 2: "R R", 3: "R R", 4: "R", 5: "R R", 6: "R W"}),
    "fences": ("first", FENCES, {5: "R R", 6: "R R", 8: "R"}),
    "a number copied wrongly": ("first", COPIED, {1: "W R R", 2: "R P c1", 3: "P c2", 4: "P c3"}),
    "right by luck": ("first", LUCK, {1: "R W R", 2: "R W R", 3: "W R"}),
    "rounded too early": ("first", EARLY, {1: "R", 2: "R", 3: "P c", 4: "P c3"}),
    "typing errors": ("first", TYPOS, {1: "U", 2: "U R", 3: "U", 4: "R U", 5: "U"}),
    "a calculator that keeps its digits": ("first", CALCULATOR, {1: "P R", 2: "P R", 3: "P R", 4: "P R"}),
    "formulas that follow from a wrong formula": ("first", CLAIMED, {1: "G", 2: "W", 3: "R c2", 4: "R c3", 5: "R", 6: "R"}),
    "bullets and Greek": ("first", BULLETS, {3: "R R R", 4: "R R R", 5: "G R", 7: "R R P R", 8: "R W P R", 9: "P R P R"}),
    "boxes and arrows": ("first", BOXES, {1: "R", 3: "G R", 5: "R R", 6: "R P R", 7: "W"}),
    "labels": ("first", LABELS, {3: "R R", 4: "R R", 6: "R R R", 7: "R R", 8: "R", 9: "W"}),
    "prose": ("first", REFLECTION, {}),
    "entries and arrays": ("two-two-two", ENTRIES, {1: "R R", 2: "R R", 3: "R", 4: "W", 5: "R", 6: "R R", 7: "R", 8: "W"}),
}


@pytest.mark.parametrize(("worksheet", "page", "wanted"), PAGES.values(), ids=PAGES)
def test_every_link_has_its_mark(worksheet: str, page: str, wanted: dict[int, str]) -> None:
    assert marks(check_page(page, worksheet)) == wanted


def test_the_slips_are_named() -> None:
    def slips(page: str, worksheet: str = "first") -> list[str]:
        return [j.slip for j in check_page(page, worksheet).errors]

    assert slips(NUMBERS) == ["two digits are exchanged: 0.2148"]
    assert slips(DELTAS) == ["the sign is wrong"]
    assert slips(TABLE)[0].startswith("the factor dz1/dw1 = x is missing")
    assert slips(CONTINUED)[0].startswith("w1 stands where x belongs")
    assert slips(LUCK)[0] == "these are not the numbers of the formula before: they come to 0.8, it comes to 1.2"
    assert slips(ENTRIES, "two-two-two")[1] == "the answer is transposed"


def test_the_first_wrong_line_is_the_first_that_is_wrong_in_itself() -> None:
    def first(page: str) -> tuple[int, str]:
        found = check_page(page).first_wrong
        assert found is not None
        return found.line, found.kind

    assert first(NUMBERS) == (3, "digits exchanged")
    assert first(EARLY) == (3, "rounded early")
    assert first(EARLY + "dL/db2 = dL/dz2 = 0.2207\n") == (5, "sign")


def test_a_number_after_a_wrong_formula_follows_from_it_and_not_from_rounding() -> None:
    line = "dL/dw2 = dL/da2 * da2/dz2 = −0.8930 · 0.2471 ≈ −0.2207"
    found = check_page(f"dL/da2 ≈ -0.8930\nda2/dz2 ≈ 0.2471\n{line}\nw2' ≈ 0.8221")
    assert marks(found) == {1: "R", 2: "R", 3: "W P c3", 4: "c3"}
    assert found.judged[4].slip == "follows from the wrong link before it"


SPECIAL = """```toml
[program]
definitions = ["o = v*h", "p = sigmoid(o)", "L = -(t*log(p) + (1-t)*log(1-p))"]
wrt = ["v"]
```
h = 1, v = 0.5, t = 1
L = -ln(p)
dL/dp = -1/p
dL/dv = p - t
dL/dv = (p - 1)*v
"""


def test_what_holds_only_for_the_given_numbers_says_so() -> None:
    found = check_page(SPECIAL)
    assert marks(found) == {6: "G G G", 7: "R", 8: "R", 9: "W", 10: "W"}
    notes = [j.note for j in found.right]
    assert notes[0].startswith("only with t = 1 put in; in general it is ")
    assert notes[1].startswith("only with t = 1 put in; in general it is ")
    assert [j.condition for j in found.right] == ["t = 1", "t = 1"]
    missing = found.wrong[0]  # dL/dv = p - t where h = 1: a formula is about its symbols
    assert (missing.correct, missing.kind) == ("dL/do*h", "missing chain factor")
    assert missing.note == "right only with h = 1, which is given: a formula is about its symbols"


SHEET = """
[symbols]
x = { value = "1" }
w = { value = "0.5" }
b = { value = "0" }
y = { value = "2" }
[program]
definitions = ["z = w*x + b", "a = sigmoid(z)", "L = (a - y)**2"]
wrt = ["w", "a"]
"""
AT_ONE_POINT = {  # the claim: the answer, its mark on a page, and what it holds with
    "w: 2*(a - y)*a*(1 - a)*x": (Answer.PROVED, Mark.RIGHT, ""),
    "w: 2*(a - y)*a*(1 - a)": (Answer.REFUTED, Mark.WRONG, "x = 1"),
    "w: 2*(a - y)*a*(1 - a)*x**2": (Answer.REFUTED, Mark.WRONG, ""),
    "w: 2*(a - y)*a*(1 - a)*b": (Answer.REFUTED, Mark.WRONG, ""),
    "a: 2*(a - 2)": (Answer.CONDITIONAL, Mark.RIGHT, "y = 2"),
    "a: 2*a - 4": (Answer.REFUTED, Mark.WRONG, ""),
    "a: 2*(a - 3)": (Answer.REFUTED, Mark.WRONG, ""),
}


@pytest.mark.parametrize("claim", AT_ONE_POINT)
def test_one_rule_for_given_numbers_in_answers_and_on_pages(claim: str) -> None:
    (name, _, formula), (answer, mark, point) = claim.partition(": "), AT_ONE_POINT[claim]
    verdict = check_answer(formula, derivation_of(parse_worksheet(SHEET)), name)
    (judged,) = check_page(f"```toml{SHEET}```\ndL/d{name} = {formula}").judged
    assert (verdict.answer, judged.mark) == (answer, mark)
    if answer is Answer.CONDITIONAL:
        assert (verdict.condition, judged.condition) == (point, point)
    if answer is Answer.REFUTED:
        said = f"right only with {point}, which is given: a formula is about its symbols" if point else ""
        assert (verdict.reason, judged.note) == (said, said)


def test_right_by_luck_is_said() -> None:
    notes = [j.note for j in check_page(LUCK).right if j.note]
    assert [n.split(";")[0] for n in notes] == ["right, but it does not follow from the link before it"] * 3


def test_equals_before_a_rounded_number_is_noted_and_no_error() -> None:
    (formula, number) = check_page("a1 = sigmoid(z1) = 0.769").judged
    assert (formula.note, number.mark, number.note) == ("", Mark.RIGHT, "a rounded number, so ≈ rather than =")
    assert [j.note for j in check_page("a1 = sigmoid(z1) ≈ 0.769\nz1 = 1.2").judged] == ["", "", ""]


def test_a_whole_number_after_equals_is_exact_or_wrong() -> None:
    assert [j.mark for j in check_page("a1 = 1\na1 ≈ 1\nda1/dw1 ≈ 0\ndz2/db2 = 1").judged] == [Mark.WRONG, Mark.RIGHT, Mark.RIGHT, Mark.RIGHT]


def test_what_cannot_be_read_says_why() -> None:
    reasons = [j.slip for j in check_page(TYPOS).undecided]
    for reason, words in zip(reasons, ("'w2'", "'sigmoid'", "'a2'", "not a comma", "expected"), strict=True):
        assert words in reason


def test_prose_is_counted() -> None:
    found = check_page(REFLECTION)
    assert (found.judged, found.skipped) == ((), 2)
    assert check_page(FENCES).skipped == 1
