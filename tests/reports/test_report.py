"""A report in every format: golden text, LaTeX that compiles, JSON that keeps the contract, files whole or not at all."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import symnet as sn
from symnet.case_builder import report
from symnet.errors import MissingToolError, OptionError
from symnet.reports.latex_writer import escape_latex

WORKSHEETS = ["first", "two-two-two", "softmax-regression", "ages"]


@pytest.mark.parametrize("name", WORKSHEETS)
def test_the_text_is_the_golden_one(name: str, golden: Callable[[str, str], None]) -> None:
    golden(f"{name}.txt", report(sn.load(name)).text())


def test_the_latex_is_the_golden_one(golden: Callable[[str, str], None]) -> None:
    golden("first.tex", report(sn.load("first"), level="expert").latex())


@pytest.mark.slow
@pytest.mark.parametrize("name", WORKSHEETS)
def test_pdflatex_reads_it_and_misses_nothing(name: str, tmp_path: Path) -> None:
    if shutil.which("pdflatex") is None:
        pytest.fail("no pdflatex on this machine: run .ci/install-tools")
    import subprocess

    (tmp_path / "r.tex").write_text(report(sn.load(name)).latex(), encoding="utf-8")
    for _ in range(2):
        done = subprocess.run(["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "r.tex"], cwd=tmp_path, capture_output=True,
                              timeout=120, check=False)
    log = (tmp_path / "r.log").read_text(encoding="latin-1")
    assert done.returncode == 0, log[-800:]
    assert not re.findall(r"Missing character.*|undefined.*|Overfull \\hbox \((?:[2-9]\d|\d{3,})\.", log)


def test_pdf_without_tex_gives_a_hint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingToolError, match="pdflatex is not installed"):
        report(sn.load("first"), tmp_path / "r.pdf")
    assert list(tmp_path.iterdir()) == []


def test_json_keeps_the_contract() -> None:
    data = json.loads(report(sn.load("first")).json())
    assert set(data["objective"]) == {"latex", "text", "value"}
    assert set(data["gradients"]) == {"w1", "b1", "w2", "b2"}
    for gradient in data["gradients"].values():
        assert {"latex", "text", "shape", "value"} <= set(gradient)
        assert len(re.sub(r"[^0-9]", "", gradient["value"]["decimal"]).lstrip("0")) >= 30
    for step in data["steps"]:
        assert {"target", "rule", "latex", "uses", "conditions"} <= set(step)
    space: dict[str, object] = {}
    exec(data["numpy"], space)
    value, gradients = space["value_and_grad"](x=2, w1=0.5, b1=0.2, w2=0.8, b2=-0.4, y=1)  # type: ignore[operator]
    assert abs(value - 0.19936280726010790) < 1e-15
    assert abs(gradients["w2"] + 0.16960909970192134) < 1e-15


@pytest.mark.parametrize("ending", [".html", ".txt", ".tex", ".json", ".md"])
def test_the_ending_names_the_format(ending: str, tmp_path: Path) -> None:
    place = tmp_path / "deep" / f"r{ending}"
    made = sn.report(sn.load("first"), place)
    assert place.read_text(encoding="utf-8") == {".html": made.html, ".txt": made.text, ".tex": made.latex, ".json": made.json,
                                                 ".md": made.markdown}[ending]()
    assert [p.name for p in place.parent.iterdir()] == [place.name]


def test_bad_options_are_one_line(tmp_path: Path) -> None:
    d = sn.load("first")
    for options in ({"path": tmp_path / "r.xyz"}, {"level": "nix"}, {"digits": 0}, {"digits": 1000}, {"format": "word"}):
        with pytest.raises(OptionError) as caught:
            sn.report(d, **options)
        assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(OptionError, match="output"):
        sn.report(sn.load("first"), tmp_path / "file" / "r.html")


def test_every_digit_asked_for_is_there_and_right() -> None:
    import mpmath

    with mpmath.workdps(60):
        def sigma(z: mpmath.mpf) -> mpmath.mpf:
            return 1 / (1 + mpmath.exp(-z))

        a1 = sigma(mpmath.mpf(12) / 10)
        a2 = sigma(mpmath.mpf(8) / 10 * a1 - mpmath.mpf(4) / 10)
        wanted = mpmath.nstr(2 * (a2 - 1) * a2 * (1 - a2) * a1, 40, strip_zeros=False)
    assert wanted in report(sn.load("first"), digits=40).text()


def test_the_errata_are_computed_not_typed() -> None:
    from symnet.parsing.worksheet import parse_worksheet
    from symnet.worksheet_loader import derivation_of
    from symnet.worksheets.builtin import worksheet_text

    changed = worksheet_text("first").replace('value = "2", ', 'value = "3", ')
    made = report(derivation_of(parse_worksheet(changed))).story.data
    said = {e["name"]: e["correct"] for e in made["errata"]}  # type: ignore[attr-defined]
    assert said["x"] == "3" and said["z1"] == "1.7"


@pytest.mark.parametrize(("text", "wanted"), [
    ("50% & more", r"50\% \& more"), (r"\input{x}", r"\textbackslash{}input\{x\}"), ("a_b^c", r"a\_b\textasciicircum{}c"),
    ("x\u0007y", "x[U+0007]y"), ("日", "[U+65E5]"), ("−1 ≈ α", r"$-$1 $\approx$ $\alpha$"),
])
def test_text_for_tex(text: str, wanted: str) -> None:
    assert escape_latex(text) == wanted


def test_notebooks_get_a_bundle() -> None:
    bundle = report(sn.load("first"))._repr_mimebundle_()
    assert set(bundle) == {"text/markdown", "text/plain"} and "$$" in bundle["text/markdown"]
    assert sn.load("first").gradients["w1"]._repr_latex_().startswith("$")
