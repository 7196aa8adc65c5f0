"""LaTeX to MathML: what symnet prints comes out right, everything else is refused or escaped."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element, fromstring

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symnet.arrays.notation import matrix_latex
from symnet.calculus import derive
from symnet.core.functions import TABLE
from symnet.core.latex import definition_latex
from symnet.core.names import name_latex
from symnet.errors import UnknownNodeError
from symnet.networks import architectures
from symnet.reports.mathml import to_mathml
from symnet.reports.mathml_tables import ACCENTS, ENVIRONMENTS, SYMBOLS

ALLOWED = {
    "math": {"display"}, "semantics": set(), "annotation": {"encoding"}, "mrow": set(), "mn": set(), "mtext": set(),
    "mi": {"mathvariant"}, "mo": {"form", "stretchy", "lspace", "rspace", "movablelimits", "style"}, "mspace": {"width"},
    "mfrac": set(), "msqrt": set(), "mroot": set(), "msub": set(), "msup": set(), "msubsup": set(), "munder": {"accentunder"},
    "mover": {"accent"}, "munderover": set(), "mtable": {"displaystyle"}, "mtr": set(), "mtd": {"style"},
    "mstyle": {"displaystyle", "scriptlevel"},
}
VALUES = re.compile(r"-?[\d.]+(em)?|true|false|normal|prefix|postfix|block|application/x-tex|text-align:(left|right)"
                    r"(;padding-left:0;padding-right:0)?|box-shadow:0 0 0 9em transparent")
CHILDREN = {"mfrac": 2, "mroot": 2, "msub": 2, "msup": 2, "msubsup": 3, "munder": 2, "mover": 2, "munderover": 3, "semantics": 2}

CORPUS = r"""
\frac{1}{1 + e^{- z}}
1 - \tanh^{2}\left(z \right)
\max\left(0, z\right)
\left[\begin{matrix}\frac{1}{2} & - w_{12}\\e^{- z} & 0\end{matrix}\right]
\frac{\sum_{i=1}^{N} \left({y}_{i} - {\hat{y}}_{i}\right)^{2}}{N}
\left|{x}\right|
w_{1}^{(t+1)} = w_{1}^{(t)} - \eta \, \frac{\partial L}{\partial w_{1}^{(t)}}
\sigma'\left(z\right) = \sigma(z)\,(1 - \sigma(z))
f^{\prime}(x) + f''(x)
\delta^{(l)} = \left( \mathbf{W}^{(l+1)} \right)^{\top} \delta^{(l+1)} \odot \sigma'\!\left(\mathbf{z}^{(l)}\right)
\begin{bmatrix} w_{11} & w_{12} \\ w_{21} & w_{22} \end{bmatrix} \begin{pmatrix} x_1 \\ x_2 \end{pmatrix}
\begin{aligned} \frac{\partial L}{\partial w_1} &= (a - y) \cdot a \\ &= 0.0821 \end{aligned}
\underbrace{\frac{\partial L}{\partial a}}_{\text{step 3}} \cdot \overbrace{(a - y)}^{\text{error term}}
\left\lVert W \right\rVert_{F}^{2} + \| w \| + \lVert w \rVert_1
\operatorname{diag}(\mathbf{s}) - \mathbf{s}\mathbf{s}^{\top}
\nabla_{\mathbf{W}} L \in \mathbb{R}^{n \times m}
L = 0.5 \quad \text{(if } y = 1 \text{)}, \text{falls by } 12\%
\left. \frac{d y}{d x} \right|_{x=2} = 4
0.7311 \approx 0.73 \neq 0.74 \equiv x \leq y \geq z \pm 1
\hat{y} + \tilde{w} + \bar{x} + 0.\overline{36} + \boldsymbol{\theta} + \mathcal{L}
1{,}234.56 + 10^{-3} + 0.000\,12 = -0.25 + (-0.5) \cdot (-3)
p(y \mid \mathbf{x}; \theta), 1, 2, \ldots, n \leftarrow \dots \Rightarrow f\colon A \to B
L_{\text{cross entropy}} + w_{\mathrm{out}} + \sqrt[3]{x} + \dfrac{1}{2}
\text{naïve — Größe: } 2 < 3 \text{ A \& B}
\operatorname{relu}\left(z\right) = \begin{cases} z & \text{if } 0 \le z \le 1 \\ 0 & \text{otherwise} \end{cases}
\left[1 \le i - p + 1 \le K\right] w_{p} \quad \left[2 \mid i\right] x \oslash \left(1 - \infty\right)
""".strip().splitlines()


def printed() -> list[str]:
    """Every line that the printers make of four networks: a chain, symbolic depth, symbolic time, shifted indices."""
    lines = []
    for network in (architectures.mlp, architectures.deep_mlp, architectures.rnn, architectures.conv1d):
        program = derive(network()).full
        for d in program.definitions:
            lines += [definition_latex(d, program.tensors), matrix_latex(d, program.tensors)]
    return list(dict.fromkeys(line for line in lines if line))


PRINTED = printed()


def check(latex: str, display: bool = True) -> Element:
    """The tree of ``latex``, after every element, attribute, value and number of children was looked at."""
    math = fromstring(to_mathml(latex, display))
    assert math.tag == "math"
    for e in math.iter():
        assert set(e.attrib) <= ALLOWED[e.tag], (e.tag, e.attrib)
        assert all(VALUES.fullmatch(v) for v in e.attrib.values()), e.attrib
        assert len(e) == CHILDREN.get(e.tag, len(e)), e.tag
        assert not (e.tag in ("mi", "mo", "mn", "mtext") and len(e)), e.tag
        assert e.tag == "annotation" or "\\" not in (e.text or ""), e.text
    note = math.find("semantics/annotation")
    assert note is not None and note.text == (latex or None)
    return math


def shown(latex: str) -> str:
    """The MathML without the wrapping: easy to compare."""
    return to_mathml(latex).removeprefix('<math display="block"><semantics>').split("<annotation")[0]


@pytest.mark.parametrize("latex", [*PRINTED, *CORPUS])
def test_what_symnet_prints_is_clean_mathml_core(latex: str) -> None:
    assert len(check(latex)[0]) == 2


def test_the_printers_were_asked_for_every_kind_of_line() -> None:
    text = " ".join(PRINTED)
    assert all(part in text for part in (r"\sum", r"\left\lVert", r"\odot", r"\mathbf{1}", r"\top", r"\operatorname{diag}", "u'"))


@pytest.mark.parametrize("name", sorted(SYMBOLS))
def test_every_symbol_of_the_table(name: str) -> None:
    check(f"a \\{name} b" if name not in ("%", "|") else f"a \\{name}")


@pytest.mark.parametrize("row", TABLE.values(), ids=lambda row: row.name)
def test_every_function_of_the_core(row: object) -> None:
    check(rf"{row.latex}\left(z\right)")  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", sorted(ACCENTS))
def test_every_accent(name: str) -> None:
    check(rf"\{name}{{a + b}}")


@pytest.mark.parametrize("name", sorted(ENVIRONMENTS))
def test_every_table(name: str) -> None:
    check(rf"x = \begin{{{name}}} 1 & -x \\ 2 & y \end{{{name}}} + 1")


@pytest.mark.parametrize("name", ["w1", "theta_2", "w_new", "y_hat", "x_", "a__b", "w1b2", "W1_out", "lambda", "hat", "L"])
def test_names(name: str) -> None:
    check(name_latex(name))


def test_display_and_inline() -> None:
    assert check("x").get("display") == "block"
    assert check("x", display=False).get("display") is None


@pytest.mark.parametrize(("latex", "mathml"), [
    ("x", "<mi>x</mi>"),
    (r"\mathrm{new}", "<mi>new</mi>"),
    (r"\mathrm{d}", '<mi mathvariant="normal">d</mi>'),
    (r"\operatorname{leaky\_relu}", "<mi>leaky_relu</mi>"),
    (r"\mathbf{1}", "<mn>𝟏</mn>"),
    (r"\mathbf{Wx}", "<mi>𝐖𝐱</mi>"),
    (r"\mathbf{\sigma}", "<mi>𝛔</mi>"),
    (r"\boldsymbol{\theta}", "<mi>𝜽</mi>"),
    (r"\mathbb{R}", "<mi>ℝ</mi>"),
    (r"\mathcal{L}", "<mi>ℒ</mi>"),
    ("12.50", "<mn>12.50</mn>"),
    (r"\text{<b> }", "<mtext>&lt;b&gt;\u00a0</mtext>"),
    ("u''", "<msup><mi>u</mi><mi>′′</mi></msup>"),
    ("u'^{2}", "<msup><mi>u</mi><mrow><mi>′</mi><mn>2</mn></mrow></msup>"),
    (r"A^{\top}", "<msup><mi>A</mi><mi>⊤</mi></msup>"),
    (r"\sum_{i} x", '<mrow><munder><mo lspace="0">∑</mo><mi>i</mi></munder><mi>x</mi></mrow>'),
    (r"\hat{y}", '<mover accent="true"><mi>y</mi><mo stretchy="false">ˆ</mo></mover>'),
    (r"y \log x", '<mrow><mi>y</mi><mspace width="0.1667em"></mspace><mi>log</mi><mspace width="0.1667em"></mspace>'
                  "<mi>x</mi></mrow>"),
    (r"\tanh^{2} x", '<mrow><msup><mi>tanh</mi><mn>2</mn></msup><mspace width="0.1667em"></mspace><mi>x</mi></mrow>'),
])
def test_leaves_and_layout(latex: str, mathml: str) -> None:
    assert shown(latex) == mathml


@pytest.mark.parametrize(("latex", "unary"), [
    ("-z", [True]), ("a - b", [False]), ("a = -b", [True]), (r"a \cdot -b", [True]), ("(-3)", [True]), (r"\left(-z\right) - 1", [True, False]),
    (r"\frac{1}{2} - \frac{-1}{3}", [False, True]), ("x_{i} - 1", [False]), (r"1, -1", [True]), (r"x \quad -1", [True]),
    (r"\left(a\right) - b", [False]), (r"\sum_{i=1}^{n} -x", [True]), (r"e^{-z}", [True]), (r"\begin{matrix} -1 & 2 - 3 \end{matrix}", [True, False]),
])
def test_a_minus_is_a_sign_or_a_subtraction(latex: str, unary: list[bool]) -> None:
    found = [e.get("form") == "prefix" for e in check(latex).iter("mo") if e.text == "−"]
    assert found == unary


@pytest.mark.parametrize(("latex", "stretchy"), [
    (r"\left(z\right)", "false"), (r"\left(a_{nj}^{(1)} - 1\right)", "false"), (r"\left(\hat{y} - y\right)", "false"),
    (r"\left\lVert a - y \right\rVert", "false"), (r"\left|x\right|", "false"), (r"\left(x_{nu'}\right)", "false"),
    (r"\left(\frac{1}{2}\right)", "true"), (r"\left[\sum_{i} x\right]", "true"), (r"\left(e^{z_{i}}\right)", "true"),
    (r"\left\lVert \frac{a}{b} \right\rVert", "true"), (r"\left. \frac{x}{2} \right|_{x=2}", "true"), (r"\begin{pmatrix} 1 \end{pmatrix}", "true"),
])
def test_brackets_grow_only_around_tall_content(latex: str, stretchy: str) -> None:
    assert {e.get("stretchy") for e in check(latex).iter("mo") if e.text in list("()[]|‖") and e.get("form")} == {stretchy}


def test_operators_in_scripts_have_no_spaces() -> None:
    assert {e.get("rspace") for e in check(r"\sum_{i=1}^{n + 1} x_{i + p - 1, q}").iter("mo") if e.text in ("=", "+", "−", ",")} == {"0"}
    assert {e.get("rspace") for e in check("a = b + c, d").iter("mo")} == {None}


def test_limits_stand_below_and_move_beside_in_a_line() -> None:
    math = check(r"\lim_{x \to 0} f + \max_{i} x")
    assert [e[0].get("movablelimits") for e in math.iter("munder")] == ["true", "true"]


def test_columns_of_cases_and_aligned() -> None:
    cells = check(r"\begin{cases} 1 & \text{if } x \\ 0 & \text{otherwise} \end{cases}").iter("mtd")
    assert {cell.get("style") for cell in cells} == {"text-align:left"}
    left, right = [c.get("style", "") for c in check(r"\begin{aligned} a &= b \end{aligned}").iter("mtd")]
    assert left.startswith("text-align:right") and right.startswith("text-align:left")


def test_a_space_before_brackets_marks_a_product() -> None:
    assert "mspace" in shown(r"a \left(1 - a\right)") and "mspace" not in shown(r"\sigma\left(1 - a\right)")
    assert "mspace" not in shown(r"a \cdot \left(1 - a\right)") and "mspace" not in shown(r"a = \left(1 - a\right)")


@pytest.mark.parametrize(("latex", "position", "part"), [
    (r"\foo{x} + y", 1, r"\foo"), (r"x + \href{javascript:alert(1)}{y}", 5, r"\href"), (r"\input{/etc/passwd}", 1, r"\input"),
    (r"\write18{ls}", 1, r"\write"), (r"\def\x{1}", 1, r"\def"), (r"\unicode{x3c}", 1, r"\unicode"), (r"\style{color:red}{x}", 1, r"\style"),
    (r"\mbox{<script>}", 1, r"\mbox"), (r"\tag{1}", 1, r"\tag"), (r"\verb|<b>|", 1, r"\verb"), (r"\class{a}{x}", 1, r"\class"),
    (r"\begin{array}{c} 1 \end{array}", 13, "array"), (r"\frac{1}{2", 11, "end of the formula"), (r"\frac{1}", 9, "end of the formula"),
    ("x}", 2, "closing brace"), ("{x", 3, "end of the formula"), (r"x \right)", 3, r"\right"), (r"\left(x", 8, "end of the formula"),
    (r"\left<x\right>", 6, "<"), (r"\end{cases}", 1, r"\end"), (r"\begin{cases} 1", 16, "end of the formula"),
    (r"\begin{cases} 1 \end{matrix}", 21, "end"), ("a & b", 3, "&"), (r"a \\ b", 3, r"\\"), ("^2", 1, "^"), ("x^", 3, "nothing after"),
    ("x_1_2", 4, "second"), ("x^1^2", 4, "second"), (r"x^\frac{1}{2}", 3, r"\frac"), ("a # b", 3, "#"), ("a $ b", 3, "$"), ("σ(z)", 1, "σ"),
    ("a%b", 2, "%"), ("a & b", 3, "&"), ("a\x00b", 2, ""), ("a\u202eb", 2, ""), ("\U000f0000", 1, ""), (r"\text{a $x$ b}", 9, "$"),
    (r"\text{\href{x}}", 12, "balance"), (r"\text{\input x}", 7, r"\input"), (r"\text{a" + "\u202e" + "}", 8, ""), (r"\mathrm{<b>}", 9, "<b>"),
    (r"\mathrm{x_}", 9, "x_"), (r"\mathbf{<}", 9, "<"), (r"\mathcal{7}", 10, "7"), (r"\text", 6, "end of the formula"), ("{" * 500 + "}" * 500, 121, "deeper"),
    ("x" * 200_000, 100_000, "characters"),
])
def test_refused_with_position(latex: str, position: int, part: str) -> None:
    with pytest.raises(UnknownNodeError) as caught:
        to_mathml(latex)
    assert caught.value.where == f"LaTeX, position {position}"
    assert part in caught.value.found


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "<b>", "</math><img src=x onerror=alert(1)>", r"\&lt;script\&gt;",
                                  "]]><!--", '"onload="x'])
def test_hostile_text_is_escaped(text: str) -> None:
    math = check(rf"\text{{{text}}}")
    assert [e.tag for e in math.iter()] == ["math", "semantics", "mtext", "annotation"]
    assert "<script" not in to_mathml(rf"\text{{{text}}}") and "<img" not in to_mathml(rf"\text{{{text}}}")


def test_the_annotation_is_escaped() -> None:
    assert '<annotation encoding="application/x-tex">a &lt; b \\text{&lt;/annotation&gt;}</annotation>' in to_mathml(r"a < b \text{</annotation>}")


PIECES = [*"abx12.,;()[]{}^_&=<>+-|/'!~ ", r"\left(", r"\right)", r"\left.", r"\right|", r"\frac", "{a}", r"\sqrt", "[3]", r"\sum", r"\lim", r"\tanh",
          r"\hat", r"\underbrace", r"\overset", r"\text{if <b>}", r"\mathrm{w}", r"\mathbf{1}", r"\begin{cases}", r"\end{cases}", r"\begin{matrix}",
          r"\end{matrix}", r"\\", r"\,", r"\quad", r"\odot", r"\top", r"\{", r"\|", r"\foo", "\\", "é"]


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(PIECES), max_size=14))
def test_anything_is_clean_or_refused(pieces: list[str]) -> None:
    latex = "".join(pieces)
    try:
        to_mathml(latex)
    except UnknownNodeError:
        return
    check(latex)
