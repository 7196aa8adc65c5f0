"""One bad answer costs one answer: whatever it does, the others keep their verdicts, the exit code is right, nobody sees a traceback."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import symnet as sn
from symnet.batch.limited import check_alone
from symnet.checking import answers
from symnet.checking import worksheet_answers as tasks
from symnet.checking.code import check as code_check
from symnet.errors import FaultError, OptionError, SymnetError
from symnet.parsing.worksheet import parse_worksheet
from symnet.worksheet_loader import check_worksheet, page_errata

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}
SEVEN = range(1, 8)
SYMBOLS = "[symbols]\nq = {}\nw = {}\n" + "".join(f"x{k} = {{}}\n" for k in SEVEN)
CLIPPED = " + ".join(f"min(max(x{k}, -1), 1)" for k in SEVEN)
OTHERWISE = " + ".join(f"max(min(x{k}, 1), -1)" for k in SEVEN)  # the same, with more regions than anybody waits for
SHEET = SYMBOLS + f"[program]\nobjective = 'q*({CLIPPED}) + w**2'\nwrt = ['q', 'w']\n"
RIGHT, WRONG = "2*w", "w"


def entries(*texts: str, wrt: str = "w") -> str:
    """[[answers]] in order, each text quoted as TOML wants it."""
    return "".join(f"[[answers]]\nid = 'A{k}'\nwrt = {json.dumps('q' if t in (OTHERWISE, CLIPPED) else wrt)}\ntext = {json.dumps(t, ensure_ascii=False)}\n"
                   for k, t in enumerate(texts, 1))


def run(*arguments: str, cwd: Path, seconds: float = 300) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "symnet", *arguments], capture_output=True, text=True, timeout=seconds, cwd=cwd,
                          env=ENVIRONMENT, check=False)


def checked(folder: Path, *texts: str, options: tuple[str, ...] = (), sheet: str = SHEET) -> tuple[int, list[dict[str, Any]]]:
    (folder / "sheet.toml").write_text(sheet + entries(*texts), encoding="utf-8")
    done = run("check", "sheet.toml", "--format", "json", *options, cwd=folder)
    assert "Traceback" not in done.stderr and done.stderr.count("\n") <= 1, done.stderr
    return done.returncode, json.loads(done.stdout)["results"]


# time

def test_an_answer_that_takes_too_long_is_undecided_and_the_others_keep_their_verdicts(tmp_path: Path) -> None:
    started = time.monotonic()
    code, found = checked(tmp_path, RIGHT, OTHERWISE, RIGHT, CLIPPED, options=("--time", "3"))
    assert [r["verdict"] for r in found] == ["proved", "undecided", "proved", "proved"] and code == 3
    assert found[1]["message"] == "undecided (not decided in 3 s)" and time.monotonic() - started < 100


def test_a_wrong_answer_beside_it_is_still_wrong(tmp_path: Path) -> None:
    code, found = checked(tmp_path, OTHERWISE, WRONG, options=("--time", "3"))
    assert [r["verdict"] for r in found] == ["undecided", "refuted"] and code == 1
    assert found[1]["mistake"]["message"] == "a factor 2 is missing"


def test_a_line_of_a_page_that_takes_too_long_is_undecided_and_the_page_goes_on(tmp_path: Path) -> None:
    page = f"```toml\n{SHEET}```\ndL/dw = 2*w\n\ndL/dq = {OTHERWISE}\n\ndL/dw = w\n"
    (tmp_path / "page.md").write_text(page, encoding="utf-8")
    done = run("check", "page.md", "--time", "3", "--format", "json", cwd=tmp_path)
    data = json.loads(done.stdout)
    assert [r["verdict"] for r in data["results"]] == ["proved", "undecided", "refuted"] and done.returncode == 1
    assert "not decided in 3 s" in data["results"][1]["message"]
    many = run("check", "page.md", "page.md", "-o", "-", "--time", "3", "--format", "json", cwd=tmp_path)
    assert [r["verdict"] for r in json.loads(many.stdout)["results"]] == ["proved", "undecided", "refuted"]


def test_from_python_too() -> None:
    d = sn.derive(sn.program(f"L = q*({CLIPPED})"), wrt=["q"])
    found = sn.check(OTHERWISE, d, "q", timeout=2)
    assert found.answer == "undecided" and found.reason == "not decided in 2 s"
    started = time.monotonic()
    assert sn.check(CLIPPED, d, "q").holds and sn.check("q", d, "q").answer == "refuted"
    assert time.monotonic() - started < 60
    page = sn.check_page(f"dL/dq = {OTHERWISE}\n\ndL/dw = 2*w", parse_worksheet(SHEET), timeout=2)
    assert [j.mark for j in page.judged] == ["undecided", "right"]


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), float("inf"), "5", True, [3]])
def test_a_limit_is_a_number_of_seconds(timeout: Any) -> None:
    d = sn.derive(sn.program("L = w**2"))
    with pytest.raises(OptionError, match="a number"):
        sn.check("2*w", d, "w", timeout=timeout)


def test_an_error_in_an_answer_is_the_error_that_it_would_be_without_a_limit() -> None:
    d = sn.derive(sn.program("L = w**2"))
    for answer, wrt in (("2*(", "w"), ("2*zz", "w"), ("2*w", "nobody"), ("é", "w")):
        errors = []
        for timeout in (None, 20):
            with pytest.raises(SymnetError) as caught:
                sn.check(answer, d, wrt, timeout=timeout)
            errors.append((type(caught.value), str(caught.value), caught.value.where, caught.value.hint))
        assert errors[0] == errors[1]


def test_code_that_never_returns_or_ends_its_process_is_undecided(tmp_path: Path) -> None:
    (tmp_path / "sheet.toml").write_text(SHEET, encoding="utf-8")
    inputs = "q, w, " + ", ".join(f"x{k}" for k in SEVEN)
    (tmp_path / "mine.py").write_text(
        f"import os, signal\ndef forever({inputs}):\n    while True: pass\n"
        f"def killed({inputs}):\n    os.kill(os.getpid(), signal.SIGKILL)\n"
        f"def right({inputs}):\n    print('talk')\n    return {{'w': 2*w}}\n", encoding="utf-8")
    for name, said in (("forever", "not decided in 2 s"), ("killed", "ended by signal 9")):
        done = run("check", f"mine.py:{name}", "--worksheet", "sheet.toml", "--time", "2", cwd=tmp_path)
        assert done.returncode == 3 and said in done.stdout and "Traceback" not in done.stderr
    done = run("check", "mine.py:right", "--worksheet", "sheet.toml", cwd=tmp_path)
    assert done.returncode == 0 and "proved" in done.stdout and "talk" in done.stderr and "talk" not in done.stdout


# processes

def children(pid: int) -> list[int]:
    done = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return [int(p) for p in done.stdout.split()]


def test_killing_the_process_costs_one_answer(tmp_path: Path) -> None:
    (tmp_path / "sheet.toml").write_text(SHEET + entries(RIGHT, OTHERWISE, WRONG, RIGHT), encoding="utf-8")
    with subprocess.Popen([sys.executable, "-m", "symnet", "check", "sheet.toml", "--time", "60", "--format", "json"], cwd=tmp_path, text=True,
                          env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        for _ in range(2):  # a process that had served others gets one more try, in a fresh one
            known: set[int] = set()
            until = time.monotonic() + 60
            while not known and time.monotonic() < until:
                known = set(children(process.pid))
                time.sleep(0.05)
            time.sleep(6)
            for pid in known & set(children(process.pid)):
                os.kill(pid, signal.SIGKILL)
        out, err = process.communicate(timeout=250)
    verdicts = [r["verdict"] for r in json.loads(out)["results"]]
    assert "Traceback" not in err and len(verdicts) == 4
    assert [v for k, v in enumerate(verdicts) if k != 1] == ["proved", "refuted", "proved"] and process.returncode == 1


# errors of ours

def broken(*args: Any, **options: Any) -> Any:
    raise KeyError("^")


def test_an_internal_error_is_one_undecided_answer_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    sheet = parse_worksheet(SHEET + entries(RIGHT, "3*w", RIGHT))
    real = tasks.check_answer
    monkeypatch.setattr(tasks, "check_answer", lambda text, *more: broken() if text == "3*w" else real(text, *more))
    found = check_worksheet(sheet)
    assert [r.verdict.answer for r in found] == ["proved", "undecided", "proved"]
    assert found[1].verdict.reason == "internal error: KeyError: '^'; please report it"


def test_an_internal_error_in_the_search_for_the_slip_leaves_the_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("symnet.checking.slips.search.diagnose", broken)
    (found,) = check_worksheet(parse_worksheet(SHEET + entries(WRONG)))
    assert found.verdict.answer == "refuted" and found.mistake is None
    page = page_errata("dL/dw = w\n\ndL/dw = 2*w", parse_worksheet(SHEET))
    assert [j.mark for j in page.judged] == ["wrong", "right"]


def test_an_internal_error_in_a_line_costs_that_line(monkeypatch: pytest.MonkeyPatch) -> None:
    real = answers.compare
    monkeypatch.setattr("symnet.checking.pages.formula_claims.compare", lambda a, b, *m, **o: broken() if "5" in str((a, b)) else real(a, b, *m, **o))
    page = page_errata("dL/dw = 2*w\n\ndL/dw = 5*w + w\n\ndL/dw = 2*w", parse_worksheet(SHEET))
    assert len(page.judged) == 3 and [page.judged[k].mark for k in (0, 2)] == ["right", "right"]


def test_an_internal_error_in_one_value_of_code_costs_that_value(monkeypatch: pytest.MonkeyPatch) -> None:
    d = sn.derive(sn.program("L = (w*x - y)**2"), wrt=["w", "x"])
    real = code_check.judge
    monkeypatch.setattr(code_check, "judge", lambda trial, name: broken() if name == "w" else real(trial, name))
    found = sn.check_code(lambda w, x, y: {"w": 2 * (w * x - y) * x, "x": 2 * (w * x - y) * w}, d)
    assert found["x"].right and found["w"].verdict.answer == "undecided" and "KeyError" in found["w"].verdict.reason


def test_a_failed_self_check_is_not_swallowed(monkeypatch: pytest.MonkeyPatch) -> None:
    def fault(*args: Any, **options: Any) -> Any:
        raise FaultError("step 1", "it is wrong")

    monkeypatch.setattr(tasks, "check_answer", fault)
    with pytest.raises(FaultError):
        check_worksheet(parse_worksheet(SHEET + entries(RIGHT)))
    monkeypatch.setattr("symnet.batch.limited.check_answer", fault)
    with pytest.raises(FaultError):
        check_alone("2*w", sn.derive(sn.program("L = w**2")), "w")


def test_errors_travel_whole_from_one_process_to_another() -> None:
    import pickle

    for error in (SymnetError("here", "this", "that", "so"), OptionError("here", "this"), FaultError("step 1", "it is wrong")):
        again = pickle.loads(pickle.dumps(error))
        assert type(again) is type(error) and str(again) == str(error) and (again.where, again.hint) == (error.where, error.hint)


# what once broke, and its kind

VECTOR = """[symbols]
z = { shape = [3] }
y = { shape = [3], assume = ["sum(y) == 1"] }
[program]
definitions = ["p = softmax(z)"]
objective = "-sum(y*log(p))"
wrt = ["z"]
"""


@pytest.mark.parametrize(("objective", "wrt", "answer", "verdict"), [
    ("sigmoid(z)", "z", "1/(1+exp(-z))^2", "refuted"), ("sigmoid(z)", "z", "exp(-z)/(1+exp(-z))^2", "proved"),
    ("(a*z)^3", "z", "3*(a*z)^2", "refuted"), ("a^z", "z", "z*a^(z-1)", "refuted"),
    ("x*y", "x", "y*x/x", "almost_everywhere"), ("x*y", "x", "y*(x-1)^2/(x-1)^2", "almost_everywhere"),
    ("x*y", "x", "2*y*x/x", "refuted"), ("x*y", "x", "y*log(exp(x)+1)/log(exp(x)+1)", "proved"),
    ("q*max(x, 3/(1+exp(3)))", "q", "max(x, 3/(1+exp(3)))", "proved"), ("q*max(x, 3/(1+exp(3)))", "q", "x", "refuted"),
    ("q*min(exp(-2)*x, log(3))", "q", "min(x*exp(-2), log(3))", "proved"), ("x", "x", "1 if (min(x,-1))**(2/3) > 1 else 2", "undecided"),
    ("x", "x", "max((-8)**(1/3), x)", "undecided"), ("x", "x", "1 if log(-1-x**2) < 0 else 1", "undecided"),
])
def test_answers_that_once_broke_the_sheet(objective: str, wrt: str, answer: str, verdict: str) -> None:
    names = {"a": "positive", "q": "real", "x": "real", "y": "real", "z": "real"}
    sheet = "[symbols]\n" + "".join(f"{k} = {{ domain = '{v}' }}\n" for k, v in names.items()) + f"[program]\nobjective = '{objective}'\n"
    sheet += f"wrt = ['{wrt}']\n[[answers]]\ntext = {json.dumps(answer)}\n[[answers]]\ntext = 'banana'\n"
    first, second = check_worksheet(parse_worksheet(sheet))
    assert first.verdict.answer == verdict, str(first)
    assert "internal" not in str(first) and "unknown name 'banana'" in str(second)


def test_an_entry_that_uses_a_declared_sum(tmp_path: Path) -> None:
    page = page_errata("dL/dz_1 = y_1 - p_1\n\ndL/dz_2 = p_2 - y_2\n\ndL/dz_3 = p_3 - y_2", parse_worksheet(VECTOR))
    assert [j.mark for j in page.judged] == ["wrong", "right", "wrong"] and page.judged[0].slip == "the sign is wrong"


def test_a_symbol_keeps_its_letter_at_the_start_of_a_sentence(tmp_path: Path) -> None:
    sheet = "[symbols]\nw = {value='2'}\nx = {value='3'}\ny = {value='1'}\nb = {value='1'}\n[program]\ndefinitions = ['z = w*x', 'a1 = tanh(z)']\n" \
            "objective = '(a1 - y)**2/2 + b*z'\nwrt = ['w', 'b']\n"
    (tmp_path / "page.md").write_text(f"```toml\n{sheet}```\ndL/db = a1\n", encoding="utf-8")
    lines = run("check", "page.md", cwd=tmp_path).stdout.splitlines()
    assert any("a1 stands where z belongs" in line for line in lines) and not any("A1" in line for line in lines)


# files

def test_a_folder_of_pages_is_judged_and_what_is_passed_over_is_said(tmp_path: Path) -> None:
    hand_ins = tmp_path / "hand-ins"
    (hand_ins / "group").mkdir(parents=True)
    (hand_ins / "ann.md").write_text("z = 3*w\n\ndL/dw = 2*w\n", encoding="utf-8")
    (hand_ins / "group" / "bob.TXT").write_text("dL/dw = w\n", encoding="utf-8")
    (hand_ins / "photo.jpg").write_bytes(b"\xff\xd8")
    (tmp_path / "sheet.toml").write_text(SHEET, encoding="utf-8")
    done = run("check", "hand-ins", "--worksheet", "sheet.toml", "--format", "json", cwd=tmp_path)
    found = [(r["file"], r["verdict"]) for r in json.loads(done.stdout)["results"]]
    assert ("hand-ins/ann.md", "proved") in found and ("hand-ins/group/bob.TXT", "refuted") in found and done.returncode == 1
    assert done.stderr == "symnet: one other file was passed over: hand-ins/photo.jpg\n"


@pytest.mark.parametrize("command", ["report", "check", "train"])
@pytest.mark.parametrize("kind", ["/dev/zero", "/dev/urandom", "pipe.toml", "pipe.md", "folder.toml", "large.toml", "large.md", "nul.toml", "none.toml"])
def test_what_is_no_plain_file_of_a_page_is_one_line(command: str, kind: str, tmp_path: Path) -> None:
    if command != "check" and kind.endswith(".md"):
        return
    for pipe in ("pipe.toml", "pipe.md"):
        os.mkfifo(tmp_path / pipe)
    (tmp_path / "folder.toml").mkdir()
    for large in ("large.toml", "large.md"):
        (tmp_path / large).write_text("# " + "x" * 1_000_000, encoding="utf-8")
    (tmp_path / "nul.toml").write_bytes(b"\xff\xfe\x00")
    done = run(command, kind, cwd=tmp_path, seconds=60)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    said = done.stderr or done.stdout
    assert kind in said and len(said.strip().splitlines()) <= 4


# anything at all

SOUP = ["w", "q", "x1", "zz", "2", "1e400", "0", "(", ")", "[", "]", "{", "}", "+", "-", "*", "/", "**", "^", "^T", ".T", "@", "=", "==", "<", ">", "!=", ",",
        ":", ";", "exp", "log(", "max(", "min(x1, ", "inv(", "det(", "sum(", "mean(", "softmax(", "sqrt", "abs(", "if", "else", "for", "in", "and",
        "where(", "axis=0", "\\frac{", "\\sum_{", "_{i}", "$", "%", "&", "~", "'", '"', "é", "σ", "∂", "²", "ᵀ", "·", "−", "∞", "\u200b", "\u202e", "🙂",
        "__class__", "lambda", "import os", "w'", "dL/dw", "\\", "`", "#", "..", "1..3", "0x10", "1_0", "inf", "nan", "I", "oo", "E", "pi", "Sum", "S"]


def soup(dice: random.Random) -> str:
    """An answer that nobody would give, or nearly."""
    kind = dice.randrange(9)
    if kind == 0:
        return "(" * dice.choice((20, 200, 5000)) + "w" + ")" * dice.choice((20, 200, 5000))
    if kind == 1:
        return dice.choice(("9" * 3000, "1e999999", "2**" * 30 + "2", "-" * 3000 + "w", "w**w**w**w", "0**0", "1/0*w", "w/(w-w)", "2^(10^9)", "0.1" * 900))
    if kind == 2:
        return "sqrt(" * dice.choice((10, 90, 900)) + "w**2" + ")" * dice.choice((10, 90, 900))
    if kind == 3:
        return "+".join(["2*w"] * dice.choice((50, 3000))) + dice.choice(("", "+", "*"))
    if kind == 4:
        return "".join(chr(dice.choice((dice.randrange(32, 127), dice.randrange(160, 0x2FFF), dice.randrange(0x1F300, 0x1F6FF)))) for _ in range(40))
    if kind == 5:
        return f"exp({dice.choice(('exp(', 'log(', 'tanh('))}w)){dice.choice(('', '*q', '/x1', '**w', '^(1/3)'))} - {dice.choice(('w', 'min(w,-1)**(2/3)', 'max(w, exp(3))'))}"
    return " ".join(dice.choice(SOUP) for _ in range(dice.choice((1, 3, 8, 25))))


@pytest.mark.parametrize("seed", range(4))
def test_whatever_stands_in_a_sheet_the_good_answers_keep_their_verdicts(seed: int, tmp_path: Path) -> None:
    dice = random.Random(seed)
    texts: list[str] = []
    for _ in range(12):
        texts += [RIGHT, soup(dice), WRONG] if dice.random() < 0.5 else [soup(dice), RIGHT]
    code, found = checked(tmp_path, *texts, options=("--time", "5"))
    assert len(found) == len(texts)
    for text, result in zip(texts, found, strict=True):
        assert text not in (RIGHT, WRONG) or result["verdict"] == ("proved" if text == RIGHT else "refuted"), result
        assert "internal error" not in result["message"], (text, result["message"])
        assert "\n" not in result["message"] and len(result["message"]) < 20_000
    verdicts = {r["verdict"] for r in found}
    assert code == (1 if "refuted" in verdicts else 3 if "undecided" in verdicts else 0)


def test_a_page_of_anything_keeps_its_good_lines(tmp_path: Path) -> None:
    dice = random.Random(11)
    lines: list[str] = []
    for _ in range(25):
        lines += ["dL/dw = 2*w", f"dL/dw = {soup(dice)}".replace("```", ""), "dL/dw = w"]
    (tmp_path / "page.md").write_text(f"```toml\n{SHEET}```\n" + "\n\n".join(lines) + "\n", encoding="utf-8")
    done = run("check", "page.md", "--time", "5", "--format", "json", cwd=tmp_path)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    found = json.loads(done.stdout)["results"]
    assert sum(r["text"] == "dL/dw = 2*w" and r["verdict"] == "proved" for r in found) == 25
    assert sum(r["text"] == "dL/dw = w" and r["verdict"] == "refuted" for r in found) == 25
    assert not any("internal error" in r["message"] for r in found), [r["message"] for r in found if "internal error" in r["message"]]
