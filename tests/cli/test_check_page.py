"""symnet check PAGE: what is printed, the JSON, the exit codes, and that nothing leads to a traceback."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from symnet.cli.main import main
from symnet.worksheets.builtin import lines_text

SHEET = '```toml\n[program]\ndefinitions = ["z = w*x", "L = (z - y)**2"]\nwrt = ["w"]\n```\nx = 2, w = 3, y = 1\n'


def run(tmp_path: Path, text: str, *options: str, name: str = "page.md") -> int:
    (tmp_path / name).write_text(text, encoding="utf-8")
    return main(["check", str(tmp_path / name), *options])


CODES = {
    "all right": ("z1 = w1*x + b1 = 1.2", 0),
    "wrong": ("z1 = 1.3", 1),
    "wrong and undecided": ("z1 = 1.3\nz2 = qq", 1),
    "undecided": ("z1 = 1.2\nz2 = w22*a1", 3),
    "no claims": ("Only words.", 3),
    "only what it sets itself": ("let q = 3", 3),
    "the same on both sides": ("z1 = z1", 3),
    "only rounded early": ("a1 = 0.77\nz2 = 0.8*0.77 - 0.4 = 0.216", 1),
    "its own worksheet": (SHEET + "z = w*x = 6\ndL/dw = 2*(z - y)*x = 20", 0),
}


@pytest.mark.parametrize(("text", "code"), CODES.values(), ids=CODES)
def test_the_exit_code(text: str, code: int, tmp_path: Path) -> None:
    assert run(tmp_path, text) == code


def test_the_text_shows_each_line_and_the_first_wrong_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, "z1 = 1.2\na1 = 0.7865\nz2 = 0.8*0.7865 - 0.4 = 0.2292\nWords.\n") == 1
    assert capsys.readouterr().out.splitlines() == [
        "✓ line 1: z1 = 1.2",
        "✗ line 2: a1 = 0.7865",
        "          = 0.7865 is wrong: it is 0.7685 (0.76852478); two digits are exchanged: 0.7685",
        "↪ line 3: z2 = 0.8*0.7865 - 0.4 = 0.2292",
        "          = 0.2292 follows from your line 2 (a1 = 0.7865); it is 0.2148 (0.21481983)",
        "",
        "The first wrong line is line 2: a1 = 0.7865, it is 0.7685 (0.76852478).",
        "  Two digits are exchanged: 0.7685.",
        "4 claims: 1 right, 2 wrong (1 in itself, 1 that follows), 0 undecided, 1 with numbers put in; 1 line of prose passed over",
    ]


def test_the_json_has_all_that_is_known(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, lines_text("worked-example.txt"), "--format", "json") == 1
    data = json.loads(capsys.readouterr().out)
    assert data["first_wrong"] == {"line": 36, "name": "y at x = 20", "text": "0.524", "correct": "0.881", "value": "0.88079708",
                                   "slip": "sigmoid gives 0.524 at about 0.0961, but its input here is 2"}
    assert data["summary"] == {"claims": 77, "right": 37, "wrong": 18, "undecided": 0, "put_in": 14, "given": 8, "new_errors": 13, "carried": 5}
    (line,) = [r for r in data["results"] if r["line"] == 65]
    assert {"id", "verdict", "condition", "witness", "mistake", "message", "read_as"} <= set(line)
    assert (line["id"], line["verdict"], line["text"]) == ("line 65", "refuted", "a2 = sigmoid(z2) = sigmoid(0.222) ≈ 0.555")
    last = line["links"][-1]
    assert last == {"name": "a2", "relation": "≈", "text": "0.555", "mark": "wrong", "follows": "yes", "from_line": 64, "carried": True,
                    "correct": "0.553", "value": "0.55349938", "slip": "follows from your line 64 (z2 = 0.222)", "kind": "carried",
                    "note": "", "sources": [{"name": "z2", "text": "0.222", "line": 64, "wrong": True}]}


def test_a_page_with_its_own_worksheet_needs_nothing_else(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, SHEET + "dL/dw = 2*(z - y) = 10\n", "--format", "json") == 1
    data = json.loads(capsys.readouterr().out)
    assert data["first_wrong"]["line"] == 7
    assert "dz/dw = x is missing" in data["first_wrong"]["slip"]


def test_numbers_of_the_page_replace_those_of_its_own_worksheet(tmp_path: Path) -> None:
    sheet = '```toml\nsymbols.x = { value = "5" }\nsymbols.w = { value = "1" }\n[program]\ndefinitions = ["L = w*x"]\n```\n'
    assert run(tmp_path, sheet + "L = 5") == 0
    assert run(tmp_path, sheet + "x = 2\nL = w*x = 2") == 0
    assert run(tmp_path, sheet + "x = 2\nx = 3\nL = 3") == 1
    assert run(tmp_path, sheet + "x = 2\nL = 2\n## Again\nx = 3\nL = 3") == 0


BAD = {
    "no TOML": ("```toml\nx = = 2\n```\nz = 1", "no TOML"),
    "an unknown key": ("```toml\n[programm]\n```\nz = 1", "programm"),
    "nothing to differentiate": ("```toml\ntitle = 'x'\n```\nz = 1", "nothing to differentiate"),
}


@pytest.mark.parametrize(("text", "words"), BAD.values(), ids=BAD)
def test_a_worksheet_that_cannot_be_used_is_one_line(text: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, text) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1 and "page.md, its worksheet" in error


def test_files_that_cannot_be_read_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "binary.txt").write_bytes(b"\xff\xfe\x00z = 1")
    for name in ("binary.txt", "missing.md"):
        assert main(["check", str(tmp_path / name)]) == 2
        assert capsys.readouterr().err.count("\n") == 1
    assert run(tmp_path, "z" * 1_100_000) == 2


HOSTILE = ["z1 = __import__('os').system('x')", "z1 = " + "(" * 300 + "1" + ")" * 300, "z1 = 9**9**9**9", "z1 = " + "9" * 4000, "z1 = 1e999",
           "z1 = 1/0", r"$z_1 = \input{/etc/passwd}$", "z1 = log(-1)", "<script>z1 = 1</script>", "z1 = sqrt(-1) = 2", "z1 = w1/(x - 2)",
           "dL/dw2 = 1e300", "x = 1e-300", "= = =", "| | | |\n|=|=|", "$$\n\\begin{align}", "```", "\x00\x07 = \x01", "z1' = z1'", "L' = 3"]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_pages_are_never_right_and_never_a_traceback(text: str, tmp_path: Path) -> None:
    assert run(tmp_path, text) in (1, 3)
