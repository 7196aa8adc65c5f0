"""symnet check FILES: every format, the exit codes, hostile files, limits, and nothing half-written."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHEET = """title = "A line"
[symbols]
x = {{}}
w = {{}}
y = {{}}
[program]
definitions = ["z = w*x"]
objective = "(z - y)**2"
wrt = ["w"]
{0}
"""
RIGHT, HALF, WRONG, UNREADABLE = "2*x*(w*x - y)", "x*(w*x - y)", "w*y**3", "2*x*(w*x -"


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run([sys.executable, "-m", "symnet", "check", *arguments], capture_output=True, text=True, timeout=200, cwd=cwd,
                          env=environment, check=False)


def sheet(*answers: str, wrt: str = "") -> str:
    more = f"wrt = '{wrt}'\n" if wrt else ""
    return SHEET.format("\n".join(f"[[answers]]\nid = 'A{k}'\n{more}text = '{a}'" for k, a in enumerate(answers, 1)))


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize(("files", "code"), [
    ({"a": sheet(RIGHT), "b": sheet(RIGHT)}, 0), ({"a": sheet(RIGHT), "b": sheet(HALF, UNREADABLE)}, 1),
    ({"a": sheet(RIGHT), "b": sheet(UNREADABLE)}, 3), ({"a": sheet(HALF), "b": "title ="}, 2), ({"a": sheet(RIGHT), "b": SHEET.format("")}, 2),
], ids=["right", "wrong", "undecided", "no TOML", "no answers"])
def test_exit_codes(files: dict[str, str], code: int, tmp_path: Path) -> None:
    done = run(".", cwd=write(tmp_path, **files))
    assert (done.returncode, done.stderr) == (code, "")
    assert done.stdout.splitlines()[-1].count("1 file unusable") == (code == 2)


def test_one_bad_file_does_not_stop_the_others(tmp_path: Path) -> None:
    write(tmp_path, a=sheet(RIGHT, HALF), b="title =", c=sheet(WRONG), d=sheet(RIGHT).replace("z = w*x", "z = w*q"))
    (tmp_path / "e.toml").write_bytes(b"\xff\xfe")
    done = run("a.toml", "b.toml", "nope.toml", "c.toml", "d.toml", "e.toml", "--format", "json", "-j", "2", cwd=tmp_path)
    data = json.loads(done.stdout)
    assert done.returncode == 2 and done.stderr == ""
    assert [(r["file"], r["id"], r["verdict"]) for r in data["results"]] == [
        ("a.toml", "A1", "proved"), ("a.toml", "A2", "refuted"), ("c.toml", "A1", "refuted")]
    assert [u["file"] for u in data["unusable"]] == ["b.toml", "nope.toml", "d.toml", "e.toml"]
    assert all(u["message"].startswith(u["file"]) and "\n" not in u["message"] for u in data["unusable"])
    assert {"id", "verdict", "condition", "witness", "mistake", "message", "read_as"} <= set(data["results"][0])
    assert data["results"][1]["mistake"]["kind"] and data["results"][1]["witness"]["point"].keys() == {"w", "x", "y"}


def test_an_answer_about_an_unknown_name_spoils_only_itself(tmp_path: Path) -> None:
    text = sheet(RIGHT).replace("'A1'", "'A1'\nwrt = 'q'") + "[[answers]]\nid = 'A2'\nwrt = 'x'\ntext = '2*w*(w*x - y)'\n"
    done = run(".", "--format", "json", cwd=write(tmp_path, a=text))
    assert [r["verdict"] for r in json.loads(done.stdout)["results"]] == ["undecided", "proved"] and done.returncode == 3
    assert "'q'" in json.loads(done.stdout)["results"][0]["message"]


def test_the_number_of_workers_changes_nothing(tmp_path: Path) -> None:
    write(tmp_path, **{f"s{k}": sheet(RIGHT, [HALF, WRONG, UNREADABLE][k % 3]) for k in range(6)})
    one, three = (run(".", "-j", str(j), "--format", "csv", cwd=tmp_path) for j in (1, 3))
    rows = [[row[:-1] for row in csv.reader(io.StringIO(done.stdout))] for done in (one, three)]  # all but the seconds
    assert rows[0] == rows[1] and len(rows[0]) == 13 and one.returncode == three.returncode == 1


def test_the_time_limit_is_the_one_asked_for(tmp_path: Path) -> None:
    done = run(".", "--time", "0.00001", cwd=write(tmp_path, a=sheet(RIGHT, HALF), b=sheet(RIGHT)))
    assert done.returncode == 3 and done.stdout.count("not decided in 1e-05 s") == 2


def test_the_memory_limit_is_the_one_asked_for(tmp_path: Path) -> None:
    write(tmp_path, a=sheet(*[RIGHT] * 15_000))  # some 900 kB of TOML do not fit into one megabyte
    done = run(".", "--memory", "1", cwd=tmp_path)
    assert done.returncode == 3 and "over the memory limit of 1 MB" in done.stdout


def test_csv_and_html_are_written_whole(tmp_path: Path) -> None:
    write(tmp_path, a=sheet(RIGHT, HALF), b=sheet(WRONG))
    for name, start in (("out/r.csv", "file,id,wrt"), ("r.html", "<!DOCTYPE html>"), ("r.json", "{"), ("r.txt", " ")):
        done = run("a.toml", "b.toml", "-o", name, cwd=tmp_path)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == f"symnet: wrote {name}\nsymnet: 3 answers in 2 files: 1 right, 2 wrong, 0 undecided\n"
        assert (tmp_path / name).read_text(encoding="utf-8").startswith(start)
    assert sorted(p.name for p in tmp_path.rglob("*") if p.is_file()) == ["a.toml", "b.toml", "r.csv", "r.html", "r.json", "r.txt"]


def test_html_without_a_place_goes_to_output(tmp_path: Path) -> None:
    done = run("a.toml", "--format", "html", cwd=write(tmp_path, a=sheet(RIGHT, HALF)))
    assert done.returncode == 1 and done.stdout == ""
    page = (tmp_path / "output" / "class-report.html").read_text(encoding="utf-8")
    assert "<h1>A line</h1>" in page and "<math" in page and "right is" in page


@pytest.mark.parametrize("arguments", [
    ("-j", "0"), ("-j", "9999"), ("-j", "x"), ("--time", "0"), ("--time", "nan"), ("--memory", "0"), ("--dask", "nonsense"), ("-o", "x.doc"),
    ("--format", "csv", "-o", "/proc/nowhere/x.csv"), ("--dask", "tcp://127.0.0.1:1\n"),
], ids=" ".join)
def test_bad_options_are_one_line_and_exit_2(arguments: tuple[str, ...], tmp_path: Path) -> None:
    done = run("a.toml", "b.toml", *arguments, cwd=write(tmp_path, a=sheet(RIGHT), b=sheet(RIGHT)))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("symnet: ") and done.stderr.count("\n") == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.toml", "b.toml"]


EVIL = ['<img src=x onerror="alert(1)">', '=HYPERLINK("http://evil","x")', "\\u001b[31mred\\u202e", "{{ 7919*7907 }}", "\\\\input{/etc/passwd}"]


def test_hostile_text_in_every_format(tmp_path: Path) -> None:
    answers = "\n".join(f'[[answers]]\nid = "{e.replace(chr(34), chr(92) + chr(34))}"\ntext = "x*(w*x - y)"' for e in EVIL)
    body = SHEET.format(answers).replace('"A line"', '"</title><script>alert(1)</script>"')
    write(tmp_path, a=body, b=sheet("__import__('os').system('touch PWNED')".replace("'", '"')), **{"=cmd": sheet(RIGHT)})
    made = {how: run(".", "--format", how, "-o", "-", cwd=tmp_path) for how in ("text", "json", "csv", "html")}
    assert {m.returncode for m in made.values()} == {1} and {m.stderr for m in made.values()} == {""}
    page = made["html"].stdout
    assert "<script" not in page and "<img" not in page and "62615533" not in page and "&lt;img" in page and "\x1b" not in page
    rows = list(csv.reader(io.StringIO(made["csv"].stdout)))
    assert len(rows) == 8 and all(len(r) == 9 for r in rows) and not any(c.startswith(("=", "+", "-", "@")) for r in rows for c in r)
    assert "\x1b" not in made["text"].stdout and "\x1b" not in made["csv"].stdout and "\u202e" not in made["text"].stdout
    assert len(json.loads(made["json"].stdout)["results"]) == 7
    assert not (tmp_path / "PWNED").exists()


def test_a_file_of_the_folder_is_never_imported(tmp_path: Path) -> None:
    for name in ("sympy", "numpy", "flint", "json", "queue"):
        (tmp_path / f"{name}.py").write_text("open('PWNED', 'w'); raise SystemExit(9)", encoding="utf-8")
    command = [sys.executable, "-P", "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); from symnet.cli.main import main; raise SystemExit(main())"]
    done = subprocess.run([*command, "check", ".", "-j", "2"], capture_output=True, text=True, timeout=100, check=False,
                          env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"}, cwd=write(tmp_path, a=sheet(RIGHT), b=sheet(RIGHT)))
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "PWNED").exists()


def test_pages_are_judged_beside_worksheets(tmp_path: Path) -> None:
    write(tmp_path, a=sheet(RIGHT))
    (tmp_path / "page.md").write_text("Some prose.\nz1 = w1*x + b1 = 1.2\na1 = sigmoid(z1) ≈ 0.768\n", encoding="utf-8")
    done = run("a.toml", "page.md", "--against", "first", "--format", "json", cwd=tmp_path)
    found = [(r["file"], r["id"], r["verdict"]) for r in json.loads(done.stdout)["results"]]
    assert found[0] == ("a.toml", "A1", "proved") and ("page.md", "line 3", "refuted") in found and done.returncode == 1


def test_the_bar_is_drawn_on_a_terminal_and_leaves_it_clean(tmp_path: Path) -> None:
    write(tmp_path, a=sheet(RIGHT), b=sheet(HALF))
    ours, theirs = pty.openpty()
    done = subprocess.run([sys.executable, "-m", "symnet", "check", "."], stdout=subprocess.PIPE, stderr=theirs, timeout=100, check=False,
                          cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", "NO_COLOR": "1"})
    os.close(theirs)
    seen = os.read(ours, 100_000).decode()
    assert "] 2/2" in seen and "1 wrong" in seen and seen.endswith("\r\x1b[K") and "\x1b[3" not in seen
    assert b"\x1b" not in done.stdout and b"1 right, 1 wrong" in done.stdout


def test_ctrl_c_ends_everything_and_writes_nothing(tmp_path: Path) -> None:
    write(tmp_path, **{f"s{k}": sheet(*[HALF] * 20) for k in range(20)})  # seconds of work, of which a moment is done
    parent = subprocess.Popen([sys.executable, "-m", "symnet", "check", ".", "-o", "r.csv"], cwd=tmp_path,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    inside = Path(f"/proc/{parent.pid}/task/{parent.pid}/children")
    while parent.poll() is None and not inside.read_text():
        time.sleep(0.05)
    children = inside.read_text().split()
    parent.send_signal(signal.SIGINT)
    out, talk = parent.communicate(timeout=60)
    assert (parent.returncode, out, talk) == (3, "", "symnet: stopped\n")
    for _ in range(200):  # one that was just being started finds nobody to talk to, and ends by itself
        if not any(Path(f"/proc/{pid}").exists() for pid in children):
            break
        time.sleep(0.05)
    assert children and not any(Path(f"/proc/{pid}").exists() for pid in children)
    assert {p.suffix for p in tmp_path.iterdir()} == {".toml"}
