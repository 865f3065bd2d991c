from __future__ import annotations

import os
import signal
import sys
import time

import numpy as np
import pytest
from executor_helpers import MODULES, alive, children, drain, eventually, one

from meristem.errors import ExecutorError
from meristem.executors import Pool, _engine, _process

LIMIT = 160 << 20


def test_a_job_whose_worker_is_killed_is_tried_again(pool, tmp_path):
    file = tmp_path / "pid"
    number = pool.submit("executor_jobs:wait_for_kill_once", {"file": str(file)}, {"a": np.arange(3)})
    assert eventually(file.exists)
    os.kill(int(file.read_text()), signal.SIGKILL)
    ended = drain(pool)[number]
    assert ended.outcome == "done"
    assert ended.payload["first"] == int(file.read_text()) != ended.payload["second"]


def test_a_job_is_not_tried_again_without_retries(tmp_path):
    with Pool(1, modules=MODULES, retries=0) as pool:
        file = tmp_path / "pid"
        number = pool.submit("executor_jobs:wait_for_kill_once", {"file": str(file)})
        assert eventually(file.exists)
        os.kill(int(file.read_text()), signal.SIGKILL)
        ended = drain(pool)[number]
        assert ended.outcome == "crashed"
        assert ended.reason == "the worker was killed by SIGKILL (out of memory, perhaps)"
        assert 0 < ended.seconds < 10


def test_an_idle_worker_that_is_killed_is_replaced(pool):
    one(pool, "double", {"x": 1})
    assert eventually(lambda: len(children()) == 2)
    for pid in children():
        os.kill(pid, signal.SIGKILL)
    numbers = [pool.submit("executor_jobs:double", {"x": i}) for i in range(10)]
    found = drain(pool)
    assert [found[n].outcome for n in numbers] == ["done"] * 10


@pytest.mark.parametrize("job", ["kill_self", "segfault", "exit_now"])
def test_a_job_that_kills_its_worker_ends_crashed_and_harms_no_other(pool, job):
    arguments = {"signal": int(signal.SIGTERM), "status": 7}
    numbers = [pool.submit("executor_jobs:double", {"x": i}) for i in range(10)]
    poison = [pool.submit(f"executor_jobs:{job}", arguments) for _ in range(2)]
    numbers += [pool.submit("executor_jobs:double", {"x": i}) for i in range(10, 20)]
    found = drain(pool)
    assert [found[n].payload["x"] for n in numbers] == [2 * i for i in range(20)]
    for number in poison:
        ended = found[number]
        assert ended.outcome == "crashed"
        assert ended.reason.endswith("; tried 2 times")
        assert ended.payload == ended.arrays == {}
        if job == "kill_self":
            assert "was killed by SIGTERM: the last thing it said" in ended.reason
            assert "the last thing it said" in ended.traceback
        elif job == "segfault":
            assert "SIGSEGV: Fatal Python error: Segmentation fault" in ended.reason
            assert "in segfault" in ended.traceback
        else:
            assert "exit status 7" in ended.reason


def test_last_words_are_those_of_the_job_that_died():
    with Pool(1, modules=MODULES, retries=0) as pool:
        assert one(pool, "prints").outcome == "done"
        ended = one(pool, "exit_now", {"status": 7})
        assert ended.reason == "the worker ended with exit status 7"
        assert ended.traceback == ""


def test_a_loop_ends_at_its_limit_and_says_where_it_was(pool):
    begin = time.monotonic()
    ended = one(pool, "loop", limit=0.5)
    assert 0.5 <= time.monotonic() - begin < 1.5 + 1.0  # start-up of the worker included
    assert ended.outcome == "timeout"
    assert ended.reason == "over its limit of 0.5 s"
    assert 0.5 <= ended.seconds < 1.5
    assert 0 < ended.cpu_seconds < 1.5
    assert "in loop" in ended.traceback
    assert one(pool, "double", {"x": 1}).payload == {"x": 2}


def test_a_loop_that_holds_the_interpreter_ends_at_its_limit(pool):
    ended = one(pool, "loop_in_c", limit=0.3)
    assert ended.outcome == "timeout"
    assert ended.seconds < 1.3
    assert "in loop_in_c" in ended.traceback


def test_limits_hold_while_the_driver_is_busy(pool):
    one(pool, "double", {"x": 1})
    pool.submit("executor_jobs:loop", {}, limit=0.1)
    before = children()
    end = time.monotonic() + 0.6
    while time.monotonic() < end:  # the driver looks at nothing
        sum(range(1000))
    assert len(before & children()) == 1
    (ended,) = pool.wait(0)
    assert ended.outcome == "timeout"
    assert ended.seconds < 0.6


def test_a_job_that_stops_at_its_deadline_is_done(pool):
    one(pool, "double", {"x": 1})
    ended = one(pool, "stop_at_deadline", limit=0.2)
    assert ended.outcome == "done"
    assert ended.seconds == pytest.approx(0.2, abs=0.09)
    assert 0 < one(pool, "deadline", limit=5.0).payload["left"] <= 5
    assert one(pool, "deadline").payload["left"] is None


def test_waiting_for_a_free_worker_does_not_count_for_the_limit():
    with Pool(1, modules=MODULES) as pool:
        pool.submit("executor_jobs:sleep", {"seconds": 0.4})
        number = pool.submit("executor_jobs:sleep", {"seconds": 0.05}, limit=0.35)
        assert drain(pool)[number].outcome == "done"


@pytest.mark.parametrize(
    ("job", "words"),
    [
        ("allocate", "Unable to allocate"),
        ("allocate_in_steps", "Unable to allocate"),
        ("wrapped_memory_error", "the library gave up"),
        ("native_memory_error", "can't allocate memory"),
        ("abort_like_cpp", "bad_alloc"),
    ],
)
def test_a_job_past_the_memory_limit_ends_memory_and_gets_a_fresh_worker(job, words):
    with Pool(1, modules=MODULES, memory=LIMIT) as pool:
        before = one(pool, "counts").payload["pid"]
        ended = one(pool, job, {"bytes": LIMIT})
        assert (ended.outcome, ended.payload) == ("memory", {})
        assert words in ended.reason
        after = one(pool, "counts").payload
        assert after["n"] == 1
        assert after["pid"] != before
        assert one(pool, "allocate", {"bytes": 32 << 20}).outcome == "done"


def test_arguments_and_results_past_the_memory_limit_end_memory():
    with Pool(1, modules=MODULES, memory=LIMIT) as pool:
        big = np.zeros(LIMIT, dtype=np.uint8)
        ended = one(pool, "echo", {}, {"big": big})
        assert ended.outcome == "memory"
        assert "no room for the arguments" in ended.reason
        assert one(pool, "echo", {}, {"small": big[:1000]}).outcome == "done"


def test_shared_data_does_not_count_for_the_memory_limit():
    with Pool(1, modules=MODULES, memory=LIMIT) as pool:
        pool.share("data", {}, {"a": np.ones(LIMIT // 8)})
        ended = one(pool, "shared_sum", {"name": "data"})
        assert (ended.outcome, ended.reason) == ("done", "")
        time.sleep(0.2)  # the driver looks at memory now and then
        assert one(pool, "counts").payload["n"] == 1


def test_the_driver_watches_memory_where_the_system_does_not_limit_it(monkeypatch):
    asked = _process.Process.__init__

    def without_limit(self, hello):
        asked(self, {**hello, "memory": None})

    monkeypatch.setattr(_process.Process, "__init__", without_limit)
    with Pool(1, modules=MODULES, memory=LIMIT) as pool:
        ended = one(pool, "allocate_in_steps", limit=20)
        assert ended.outcome == "memory"
        assert ended.reason.startswith("over its memory limit")
        assert one(pool, "double", {"x": 1}).outcome == "done"


def test_a_job_that_writes_into_foreign_pipes_ends_crashed(pool):
    ended = one(pool, "break_protocol")
    assert ended.outcome == "crashed"
    assert "damaged" in ended.reason
    assert one(pool, "double", {"x": 1}).outcome == "done"


@pytest.mark.parametrize("then", ["die", "loop"])
def test_what_a_job_started_ends_with_its_worker(tmp_path, then):
    file = tmp_path / "child"
    with Pool(1, modules=MODULES, retries=0) as pool:
        ended = one(pool, "leave_child", {"file": str(file), "then": then}, limit=0.5)
        assert ended.outcome == ("crashed" if then == "die" else "timeout")
        assert eventually(lambda: not alive(int(file.read_text())))


def test_workers_that_do_not_start_give_a_clear_error(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with Pool(1, modules=MODULES) as pool, pytest.raises(ExecutorError, match="to start a worker process"):
        one(pool, "double", {"x": 1})


def test_workers_that_die_at_once_give_a_clear_error(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    monkeypatch.setenv("PYTHONHOME", "/nowhere")  # no standard library
    with Pool(2, modules=MODULES) as pool:
        with pytest.raises(ExecutorError, match=r"5 in a row that did not.*exit status 1"):
            one(pool, "double", {"x": 1})
        with pytest.raises(ExecutorError, match="in a row"):
            pool.submit("executor_jobs:double", {"x": 1})
        assert eventually(lambda: not children())


def test_a_preload_that_kills_its_worker_is_left_out(tmp_path, monkeypatch):
    (tmp_path / "deadly_import.py").write_text("import os\nos._exit(3)\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    starts = []
    asked = _process.Process.__init__

    def counted(self, hello):
        starts.append(hello["preload"])
        asked(self, hello)

    monkeypatch.setattr(_process.Process, "__init__", counted)
    with Pool(1, modules=MODULES, preload=("deadly_import",)) as pool:
        assert eventually(lambda: starts == [("deadly_import",), ()], 10)
        assert one(pool, "double", {"x": 1}).outcome == "done"
        assert len(starts) == 2


def test_a_start_that_fails_is_tried_again_while_others_work(monkeypatch):
    asked, starts = _process.Process.__init__, []

    def once_refused(self, hello):
        starts.append(time.monotonic())
        if len(starts) == 2:
            raise BlockingIOError(11, "Resource temporarily unavailable")
        asked(self, hello)

    monkeypatch.setattr(_process.Process, "__init__", once_refused)
    with Pool(2, modules=MODULES) as pool:
        assert one(pool, "double", {"x": 1}).outcome == "done"
        assert len(children()) == 1
        assert eventually(lambda: len(children()) == 2)
        assert starts[2] - starts[1] > 0.5


def test_a_result_under_way_at_the_limit_is_waited_for():
    class Arriving:
        receiving = True

    task = _engine.Task(0, "a:b", b"{}", {}, 2.0, {})
    running = _engine.Running(task, sent=10.0, cpu=0.0, begun=11.0)
    process = Arriving()
    assert _engine._latest_end(process, running) > 13.0 + 10
    process.receiving = False
    assert 13.0 < _engine._latest_end(process, running) < 13.5
    running.begun = None
    assert _engine._latest_end(process, running) > 12.0 + 10
    task.limit = None
    assert _engine._latest_end(process, running) is None


def test_a_defect_in_the_thread_ends_the_wait(monkeypatch):
    with Pool(1, modules=MODULES) as pool:
        one(pool, "double", {"x": 1})
        monkeypatch.setattr(_engine.Engine, "_feed", lambda self: 1 / 0)
        pool.submit("executor_jobs:double", {"x": 1})
        with pytest.raises(ExecutorError, match="ZeroDivisionError") as caught:
            pool.wait(None)
        assert isinstance(caught.value.__cause__, ZeroDivisionError)
        assert eventually(lambda: not children())


@pytest.mark.slow
def test_random_kills_lose_no_job():
    """Workers are killed at random; each job must end once, and with the right answer when it is done."""
    import random

    random.seed(0)
    with Pool(2, modules=MODULES, retries=3) as pool:
        jobs = {pool.submit("executor_jobs:echo", {"i": i}, {"a": np.full(50_000, i)}): i for i in range(400)}
        found, end, kills = {}, time.monotonic() + 20, 0
        while pool.outstanding:
            for ended in pool.wait(0.01):
                assert ended.number not in found
                found[ended.number] = ended
            # Not while they start: a row of deaths before the first breath is an error, and rightly so.
            pids = [process.pid for process in list(pool._engine._processes) if process.ready]
            if time.monotonic() < end and pids and random.random() < 0.1:
                kills += 1
                os.kill(random.choice(pids), signal.SIGKILL)
        assert kills >= 5
        assert sorted(found) == sorted(jobs)
        done = [e for e in found.values() if e.outcome == "done"]
        assert len(done) > 390
        assert all(
            e.payload == {"i": jobs[e.number]} and (e.arrays["a"] == jobs[e.number]).all() for e in done
        )
