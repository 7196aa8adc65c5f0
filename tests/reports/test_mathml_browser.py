"""The MathML and the font of the reports, measured in Chromium at 40 px."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from symnet.calculus import derive
from symnet.core.latex import definition_latex
from symnet.networks import architectures
from symnet.reports.mathml import to_mathml

FONTS = Path(__file__).parents[2] / "templates" / "fonts"
MEASURE = """
document.fonts.load('40px "Symnet Math"').then(fonts => {
  const box = e => { const r = e.getBoundingClientRect(); return [r.left, r.top, r.width, r.height]; };
  const formulas = [...document.querySelectorAll('math')].map(m => ({
    box: box(m.querySelector('semantics')), parts: [...m.querySelectorAll('mi, mo, mn, mtext')].map(e => [e.textContent, ...box(e)]),
    note: m.querySelector('annotation').getBoundingClientRect().width}));
  document.title = JSON.stringify({fonts: fonts.length, formulas: formulas});
});"""


@pytest.fixture
def measure(browse: Callable[..., str]) -> Callable[..., list[dict]]:
    """measure(*formulas): where every formula and every part of it stands, in pixels."""
    def run(*formulas: str) -> list[dict]:
        font = base64.b64encode((FONTS / "symnet-math.woff2").read_bytes()).decode()
        page = ('<!doctype html><meta charset="utf-8"><title></title><style>@font-face { font-family: "Symnet Math"; '
                f'src: url(data:font/woff2;base64,{font}) }} math {{ font: 40px "Symnet Math"; width: max-content }}</style><body>'
                + "".join(map(to_mathml, formulas)) + "</body>")
        told = json.loads(html.unescape(browse(page, MEASURE)))
        assert told["fonts"] == 1
        return told["formulas"]
    return run


def part(formula: dict, text: str, which: int = 0) -> list[float]:
    """left, top, width, height of a part by its text."""
    return [p[1:] for p in formula["parts"] if p[0] == text][which]


def test_what_the_printers_make_has_a_size_and_hides_its_latex(measure: Callable[..., list[dict]]) -> None:
    program = derive(architectures.mlp()).full
    formulas = measure(*[definition_latex(d, program.tensors) for d in program.definitions])
    assert len(formulas) == len(program.definitions)
    for formula in formulas:
        assert formula["box"][2] > 100 and formula["box"][3] > 30 and formula["note"] == 0
        assert all(width > 0 and height > 0 for text, _, _, width, height in formula["parts"] if text)


def test_brackets_around_short_content_are_narrow(measure: Callable[..., list[dict]]) -> None:
    short, tall, bare = measure(r"\left(z\right)", r"\left(\frac{1}{2}\right)", r"\frac{1}{2}")
    assert short["box"][2] < 52
    assert tall["box"][3] > 1.5 * short["box"][3]
    assert tall["box"][2] - bare["box"][2] < 44


def test_a_root_is_as_wide_as_its_content(measure: Callable[..., list[dict]]) -> None:
    root, bare = measure(r"\sqrt{v}", "v")
    assert 20 < root["box"][2] - bare["box"][2] < 36


def test_a_sign_is_closer_than_a_subtraction(measure: Callable[..., list[dict]]) -> None:
    sign, minus = measure("a = -b", "a - b")
    gaps = [part(f, "b")[0] - part(f, "−")[0] - part(f, "−")[2] for f in (sign, minus)]
    assert gaps[0] == pytest.approx(0, abs=1)
    assert part(sign, "b")[0] - part(sign, "−")[0] < part(minus, "b")[0] - part(minus, "a")[0] - part(minus, "a")[2]


def test_columns_line_up(measure: Callable[..., list[dict]]) -> None:
    cases, aligned = measure(r"\begin{cases} 0 & \text{if } z \le 0 \\ z^{2} + 1 & \text{otherwise} \end{cases}",
                             r"\begin{aligned} a + b + c &= 1 \\ &= 2 \end{aligned}")
    assert part(cases, "0")[0] == pytest.approx(part(cases, "z", 1)[0], abs=1.5)
    assert part(aligned, "=")[0] == part(aligned, "=", 1)[0]
    assert part(aligned, "=")[0] - part(aligned, "c")[0] - part(aligned, "c")[2] < 16


def test_limits_stand_below(measure: Callable[..., list[dict]]) -> None:
    total, limit = measure(r"\sum_{i=1}^{n} x", r"\max_{j} x")
    assert part(total, "n")[1] < part(total, "∑")[1] < part(total, "i")[1]
    assert part(limit, "j")[1] > part(limit, "max")[1] + 10


def test_a_brace_is_as_wide_as_what_it_holds(measure: Callable[..., list[dict]]) -> None:
    (formula,) = measure(r"\underbrace{a + b + c}_{\text{step 3}}")
    assert part(formula, "step\u00a03")[1] > part(formula, "a")[1] + 20
    assert formula["box"][2] == pytest.approx(part(formula, "c")[0] + part(formula, "c")[2] - part(formula, "a")[0], abs=3)


def test_the_font_carries_its_licence_and_another_name() -> None:
    assert (FONTS / "symnet-math.woff2").read_bytes()[:4] == b"wOF2"
    assert (FONTS / "symnet-math.woff2").stat().st_size < 100_000
    licence = (FONTS / "OFL.txt").read_text(encoding="utf-8")
    assert licence.startswith("Copyright 2001-2020 The STIX Fonts Project Authors")
    assert "SIL OPEN FONT LICENSE" in licence and "Symnet Math" in licence
