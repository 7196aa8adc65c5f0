"""The pool: what hangs, eats memory or crashes ends alone, and every task comes out exactly once. The tasks are plain library functions."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from symnet.batch.one_task_process import close_idle, run_once
from symnet.batch.pool import Pool
from symnet.batch.tasks import Ended, How, Limits, Task
from symnet.batch.worker import out_of_memory
from symnet.errors import MissingToolError
from symnet.parsing.worksheet import parse_worksheet

LIMITS = Limits(seconds=2, megabytes=200)
HOG = 1 << 30  # bytes


def ends(jobs: int, *tasks: tuple[Callable[[Any], Any], Any], limits: Limits = LIMITS) -> list[Ended]:
    """How each task ended, in the order in which they were given; fails when one comes out twice or not at all."""
    found: dict[Any, Ended] = {}
    with Pool(jobs, limits) as pool:
        for k, (function, argument) in enumerate(tasks):
            pool.submit(Task(k, function, argument, k))
        for task, ended in pool:
            assert task.key not in found
            found[task.key] = ended
    return [found[k] for k in range(len(tasks))]


def alive(pid: int) -> bool:
    """True while there is such a process, a zombie included."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize(("function", "argument", "how", "reason"), [
    (time.sleep, 3600, How.TIME, "not decided in 2 s"),
    (bytearray, HOG, How.MEMORY, "over the memory limit of 200 MB"),
    (os._exit, 3, How.DIED, "exit code 3"),
    (signal.raise_signal, signal.SIGKILL, How.DIED, "signal 9"),
    (signal.raise_signal, signal.SIGSEGV, How.DIED, "signal 11"),
    (sys.exit, 0, How.ERROR, "SystemExit"),
    (math.sqrt, -1, How.ERROR, "ValueError"),
    (parse_worksheet, "title =", How.REFUSED, "no TOML"),
    (compile, None, How.ERROR, "TypeError"),
    (open, os.devnull, How.ERROR, "pickle"),  # a value that cannot travel
], ids=["hang", "memory", "exit", "killed", "crash", "SystemExit", "error", "SymnetError", "wrong call", "no pickle"])
def test_a_task_that_fails_ends_alone(function: Callable[[Any], Any], argument: Any, how: How, reason: str) -> None:
    before, bad, after = ends(1, (math.factorial, 5), (function, argument), (math.factorial, 6))
    assert (before.value, after.value) == (120, 720)
    assert bad.how is how and reason in bad.reason and bad.value is None


@pytest.mark.parametrize("jobs", [1, 3])
def test_the_number_of_processes_changes_nothing(jobs: int) -> None:
    tasks = [(math.factorial, k) for k in range(20)] + [(os._exit, 4), (bytearray, HOG), (math.sqrt, -1)]
    assert [(e.how, e.value) for e in ends(jobs, *tasks)] == [
        *[(How.DONE, math.factorial(k)) for k in range(20)], (How.DIED, None), (How.MEMORY, None), (How.ERROR, None)]


def test_the_others_go_on_while_one_hangs() -> None:
    with Pool(2, LIMITS) as pool:
        pool.submit(Task("hang", time.sleep, 3600, "a"))
        for k in range(5):
            pool.submit(Task(k, abs, -k, "b"))
        assert [task.key for task, _ in pool] == [0, 1, 2, 3, 4, "hang"]


def test_tasks_may_be_added_while_others_end() -> None:
    with Pool(2, LIMITS) as pool:
        pool.submit(Task(3, abs, 3))
        seen = []
        for task, ended in pool:
            seen.append(ended.value)
            if task.key:
                pool.submit(Task(task.key - 1, abs, task.key - 1))
        assert seen == [3, 2, 1, 0]
        assert list(pool) == []  # and it may be asked again


def test_a_group_stays_in_the_process_that_knows_it() -> None:
    with Pool(2, LIMITS) as pool:
        for k in range(12):
            pool.submit(Task(k, time.sleep, 0.2, 1) if k % 2 else Task(k, os.getenv, "PATH", 0))  # an idle process would help out
        pool.submit(Task("where", eval, "__import__('os').getpid()", 0))
        pool.submit(Task("there", eval, "__import__('os').getpid()", 0))
        found = {task.key: ended.value for task, ended in pool}
    assert found["where"] == found["there"] != os.getpid()


def test_memory_left_over_by_others_is_no_reason() -> None:
    """What a task leaves behind counts against the next one, which then gets a process of its own."""
    keep = "globals().setdefault('kept', []).append(bytearray(120 << 20)) or len(kept)"
    first, second = ends(1, (eval, keep), (eval, keep))
    assert (first.how, second.how) == (How.DONE, How.DONE)
    assert second.value == 1  # a fresh process: nothing was kept there



def test_a_process_that_is_killed_from_outside_loses_nothing() -> None:
    with Pool(2, LIMITS) as pool:
        for k in range(6):
            pool.submit(Task(k, time.sleep, 0.2, k))
        found = []
        for task, ended in pool:
            found.append((task.key, ended.how))
            if len(found) == 1:
                next(c for c in pool._children if c.task is not None).process.kill()
    assert sorted(k for k, _ in found) == list(range(6))
    assert [how for _, how in found].count(How.DONE) >= 5  # the one that was hit had its process to itself, or was run again


def test_closing_leaves_no_process_behind() -> None:
    with Pool(2, Limits(3600, 200)) as pool:
        for k in range(2):
            pool.submit(Task(k, time.sleep, 3600, k))
        pool.submit(Task("quick", abs, 1))
        pool._hand_out()
        pids = [c.process.pid for c in pool._children]
        assert len(pids) == 2 and all(map(alive, pids))
    assert not any(map(alive, pids))


def test_ctrl_c_ends_everything() -> None:
    """SIGINT to the parent in mid-run: KeyboardInterrupt there, and its processes are gone with it."""
    program = textwrap.dedent("""
        import time
        from symnet.batch.pool import Pool
        from symnet.batch.tasks import Limits, Task
        with Pool(2, Limits(3600, 200)) as pool:
            pool.submit(Task("quick", abs, 1, 0)); pool.submit(Task(1, time.sleep, 3600, 1)); pool.submit(Task(2, time.sleep, 3600, 2))
            for task, _ in pool:
                print(*[c.process.pid for c in pool._children], flush=True)
    """)
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              cwd=Path(__file__).parents[2])
    assert parent.stdout is not None
    pids = [int(word) for word in parent.stdout.readline().split()]
    parent.send_signal(signal.SIGINT)
    _, talk = parent.communicate(timeout=60)
    assert "KeyboardInterrupt" in talk and pids and not any(map(alive, pids))


def test_a_process_ends_when_its_parent_is_killed() -> None:
    program = textwrap.dedent("""
        import time
        from symnet.batch.pool import Pool
        from symnet.batch.tasks import Limits, Task
        pool = Pool(1, Limits(3600, 200))
        pool.submit(Task("quick", abs, 1)); pool.submit(Task(1, time.sleep, 3600))
        for task, _ in pool:
            print(*[c.process.pid for c in pool._children], flush=True)
    """)
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])
    assert parent.stdout is not None
    (pid,) = (int(word) for word in parent.stdout.readline().split())
    parent.kill()
    parent.communicate(timeout=60)
    for _ in range(600):
        if not Path(f"/proc/{pid}/stat").exists() or Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z":
            return
        time.sleep(0.05)
    pytest.fail("it goes on without its parent")


def test_a_pool_that_cannot_start_says_why() -> None:
    with Pool(1, Limits(2, 200, ("symnet.no_such_module",))) as pool, pytest.raises(MissingToolError, match="no_such_module"):
        pool.submit(Task(1, abs, 1))
        list(pool)


@pytest.mark.parametrize("room", [0, 1, 2])
def test_a_system_without_room_for_all_processes_is_used_as_far_as_it_goes(room: int, monkeypatch: pytest.MonkeyPatch) -> None:
    real, started = subprocess.Popen, []

    def popen(*arguments: Any, **options: Any) -> Any:
        if len(started) == room:
            raise BlockingIOError(11, "Resource temporarily unavailable")
        started.append(1)
        return real(*arguments, **options)

    monkeypatch.setattr(subprocess, "Popen", popen)
    if room:
        assert [e.value for e in ends(4, *[(abs, -k) for k in range(9)])] == list(range(9))
    else:
        with pytest.raises(MissingToolError, match="Resource temporarily unavailable"):
            ends(4, (abs, 1))


def test_the_folder_one_stands_in_is_no_place_to_import_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "colorsys.py").write_text("raise SystemExit('executed')", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [p for p in sys.path if p not in ("", ".")])
    (found,) = ends(1, (abs, -1), limits=Limits(2, 200, ("colorsys",)))
    assert found.value == 1


@pytest.mark.parametrize(("error", "yes"), [
    (MemoryError(), True), (OSError(12, "Cannot allocate memory"), True), (ImportError("x.so: failed to map segment from shared object"), True),
    (ImportError("no module"), False), (OSError(2, "no such file"), False), (ValueError("failed to map"), False),
], ids=lambda v: str(v)[:30])
def test_out_of_memory_is_known_by_its_names(error: Exception, yes: bool) -> None:
    assert out_of_memory(error) is yes


def test_one_task_for_a_thread_of_another_program() -> None:
    assert run_once(Task("a", abs, -1), LIMITS).value == 1
    assert run_once(Task("b", time.sleep, 3600), Limits(0.2, 200)).how is How.TIME
    assert run_once(Task("c", eval, "__import__('os').getpid()"), LIMITS).value == run_once(Task("d", eval, "__import__('os').getpid()"), LIMITS).value
    close_idle()
