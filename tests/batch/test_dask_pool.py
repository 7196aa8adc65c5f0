"""A real local scheduler with two worker processes, one of which is killed in mid-run: nothing is lost, nothing comes out twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from distributed import Client, LocalCluster

from symnet.batch.dask_pool import DaskPool
from symnet.batch.items import Outcome, Source
from symnet.batch.pool import Pool
from symnet.batch.running import PRELOAD, judge_all
from symnet.batch.tasks import How, Limits, Task
from symnet.errors import MissingToolError, OptionError

pytestmark = pytest.mark.slow
LIMITS = Limits(seconds=20, megabytes=300, preload=PRELOAD)
SHEET = """
title = "A line"
[symbols]
x = {{}}
w = {{}}
y = {{}}
[program]
definitions = ["z = w*x"]
objective = "(z - y)**2"
wrt = ["w"]
{answers}
"""
ANSWERS = ["2*x*(w*x - y)", "x*(w*x - y)", "2*(z - y)*x", "-2*x*(z - y)", "2*x*(w*x - ", "2*(w*x - y)"]
VERDICTS = ["proved", "refuted", "proved", "refuted", "undecided", "refuted"]


def alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0", silence_logs=50) as made:
        yield made


def worker_pids(cluster: Any) -> list[int]:
    with Client(cluster.scheduler_address, set_as_default=False) as client:
        client.wait_for_workers(2, timeout=60)
        return list(client.run(os.getpid).values())


def files(count: int) -> list[Source]:
    answers = "\n".join(f"[[answers]]\nid = 'A{k}'\ntext = '{a}'" for k, a in enumerate(ANSWERS, 1))
    return [Source(k, f"student{k}.toml", SHEET.format(answers=answers)) for k in range(count)]


def essence(found: list[Outcome]) -> list[tuple[str, ...]]:
    return [(o.file, o.id, o.verdict, o.kind, o.message, o.read_as) for o in found]


def test_a_worker_killed_in_mid_run_costs_nothing(cluster: Any) -> None:
    pids = worker_pids(cluster)
    seen: list[Outcome] = []
    killed: list[int] = []

    def watch(total: int, new: Any) -> None:
        seen.extend(new)
        if len(seen) >= 10 and not killed:
            killed.append(pids[0])
            os.kill(pids[0], signal.SIGKILL)

    sources = files(12)
    with DaskPool(cluster.scheduler_address, LIMITS) as pool:
        found = judge_all(sources, pool, watch=watch)
    assert killed and len(seen) == len(found) == 12 * len(ANSWERS)  # it was killed while most of the work was still to be done
    assert set(Counter((o.file, o.id) for o in seen).values()) == {1}
    assert [o.verdict for o in found] == VERDICTS * 12
    with Pool(1, LIMITS) as at_home:
        assert essence(judge_all(sources[:2], at_home)) == essence(found)[:2 * len(ANSWERS)]


def test_tasks_that_were_running_on_a_killed_worker_run_again(cluster: Any) -> None:
    pids = worker_pids(cluster)
    with DaskPool(cluster.scheduler_address, Limits(60, 200)) as pool:
        for k in range(8):
            pool.submit(Task(k, time.sleep, 0.5))
        found = []
        for task, ended in pool:
            found.append((task.key, ended.how))
            if len(found) == 1:
                for pid in pids:  # both: whatever is running now is lost
                    os.kill(pid, signal.SIGKILL)
    assert sorted(found) == [(k, How.DONE) for k in range(8)]


def test_the_limits_hold_on_a_cluster_and_no_process_is_left(cluster: Any) -> None:
    worker_pids(cluster)
    with DaskPool(cluster.scheduler_address, Limits(1, 200)) as pool:
        for key, function, argument in [("hang", time.sleep, 3600), ("hog", bytearray, 1 << 30), ("crash", os._exit, 3), ("good", abs, -3)]:
            pool.submit(Task(key, function, argument))
        pool.submit(Task("pid", eval, "__import__('os').getpid()"))
        found = {task.key: ended for task, ended in pool}
    assert {k: e.how for k, e in found.items()} == {"hang": How.TIME, "hog": How.MEMORY, "crash": How.DIED, "good": How.DONE, "pid": How.DONE}
    assert found["good"].value == 3 and not alive(found["pid"].value)


def test_the_command_gives_the_same_on_a_cluster(cluster: Any, tmp_path: Path) -> None:
    for source in files(3):
        (tmp_path / source.name).write_text(source.text, encoding="utf-8")

    def table(*more: str) -> tuple[int, list[list[str]]]:
        done = subprocess.run([sys.executable, "-m", "symnet", "check", ".", "--format", "csv", *more], capture_output=True, text=True,
                              cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}, timeout=120, check=False)
        assert done.stderr == ""
        return done.returncode, [line.split(",")[:-1] for line in done.stdout.splitlines()]

    code, rows = table("--dask", cluster.scheduler_address)
    assert (code, len(rows)) == (1, 1 + 3 * len(ANSWERS))
    assert (code, rows) == table("-j", "2")


def test_a_scheduler_that_goes_away_leaves_the_rest_undecided() -> None:
    found = {}
    with (LocalCluster(n_workers=1, threads_per_worker=1, processes=True, dashboard_address=":0", silence_logs=50) as cluster,
          DaskPool(cluster.scheduler_address, Limits(20, 200), wait=2) as pool):
        for k in range(4):
            pool.submit(Task(k, time.sleep, 0.3))
        for task, ended in pool:
            if not found:
                cluster.close()
            found[task.key] = ended
    assert sorted(found) == [0, 1, 2, 3]
    lost = [e for e in found.values() if e.how is not How.DONE]
    assert lost and all(e.how is How.ERROR and "the cluster could not run it" in e.reason for e in lost)


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nonsense", "smoke://there:1", "tcp://127.0.0.1:99999", ""])
def test_no_scheduler_is_one_line(address: str) -> None:
    with pytest.raises(OptionError, match="no scheduler at"):
        DaskPool(address, wait=1)


def test_a_scheduler_without_workers_is_one_line() -> None:
    with LocalCluster(n_workers=0, dashboard_address=":0", silence_logs=50) as cluster, pytest.raises(OptionError, match="no workers"):
        DaskPool(cluster.scheduler_address, wait=1)


def test_without_dask_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MissingToolError, match=r"symnet\[dask\]"):
        DaskPool("tcp://127.0.0.1:1")
