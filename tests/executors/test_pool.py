from __future__ import annotations

import os
import threading
import time

import numpy as np
import pytest
from executor_helpers import MODULES, alive, children, drain, eventually, one

from meristem.errors import ExecutorError, InputError
from meristem.executors import Pool


def test_a_job_gives_its_payload_and_arrays(pool):
    ended = one(pool, "double", {"x": 2}, {"a": np.arange(3)})
    assert (ended.outcome, ended.payload, ended.reason, ended.traceback) == ("done", {"x": 4}, "", "")
    assert ended.arrays["a"].tolist() == [0, 2, 4]
    assert ended.arrays["a"].flags.writeable
    assert ended.cpu_seconds >= 0
    assert 0 < ended.seconds < 5


def test_many_jobs_all_end_once(pool):
    numbers = [pool.submit("executor_jobs:double", {"x": i}) for i in range(300)]
    found = drain(pool)
    assert {n: found[n].payload["x"] for n in numbers} == {n: 2 * i for i, n in enumerate(numbers)}


def test_jobs_start_in_order():
    with Pool(1, modules=MODULES) as pool:
        numbers = [pool.submit("executor_jobs:counts", {}) for _ in range(20)]
        found = drain(pool)
        assert [found[n].payload["n"] for n in numbers] == list(range(1, 21))


def test_both_workers_work(pool):
    for _ in range(2):
        pool.submit("executor_jobs:sleep", {"seconds": 0.3})
    found = drain(pool)
    assert len({ended.payload["pid"] for ended in found.values()}) == 2


def test_idle_and_outstanding_count_until_the_result_is_handed_out(pool):
    assert (pool.idle, pool.outstanding) == (2, 0)
    for left, outstanding in ((1, 1), (0, 2), (0, 3)):
        pool.submit("executor_jobs:double", {"x": 1})
        assert (pool.idle, pool.outstanding) == (left, outstanding)
    drain(pool)
    assert (pool.idle, pool.outstanding) == (2, 0)


def test_wait_keeps_its_timeout(pool):
    assert pool.wait(None) == []  # nothing is outstanding
    pool.submit("executor_jobs:sleep", {"seconds": 30})
    begin = time.monotonic()
    assert pool.wait(0) == []
    assert time.monotonic() - begin < 0.1
    assert pool.wait(0.2) == []
    assert 0.15 < time.monotonic() - begin < 1.0


def test_arrays_arrive_with_their_layout(pool):
    base = np.arange(24.0).reshape(4, 6)
    arrays = {
        "strided": base[:, ::2],
        "fortran": np.asfortranarray(base),
        "nothing": np.zeros((0, 2), dtype=np.uint8),
        "truth": base > 3,
        "scalar": np.array(1, dtype=np.uint8),
    }
    ended = one(pool, "describe", {}, arrays)
    assert ended.payload == {
        "strided": ["<f8", [4, 3], True, False, True],
        "fortran": ["<f8", [4, 6], False, True, True],
        "nothing": ["|u1", [0, 2], True, True, True],
        "truth": ["|b1", [4, 6], True, False, True],
        "scalar": ["|u1", [], True, True, True],
    }
    back = one(pool, "echo", {}, arrays).arrays
    assert all(np.array_equal(back[name], arrays[name]) for name in arrays)
    assert all(back[name].dtype == arrays[name].dtype for name in arrays)
    made = one(pool, "strided").arrays
    assert made["every_other"].tolist() == np.arange(24).reshape(4, 6)[:, ::2].tolist()
    assert made["reversed"].tolist() == np.arange(24).reshape(4, 6)[::-1].tolist()
    assert made["fortran"].flags.f_contiguous


def test_a_hundred_megabytes_there_and_back(pool):
    big = np.random.default_rng(0).integers(0, 256, 100_000_000, dtype=np.uint8)
    ended = one(pool, "echo", {"i": 1}, {"big": big})
    assert ended.payload == {"i": 1}
    assert np.array_equal(ended.arrays["big"], big)


def test_arguments_may_change_after_submit(pool):
    array, payload = np.zeros(1000), {"a": [1]}
    pool.submit("executor_jobs:sleep", {"seconds": 0.2})
    pool.submit("executor_jobs:sleep", {"seconds": 0.2})
    number = pool.submit("executor_jobs:echo", payload, {"a": array})
    array += 1
    payload["a"].append(2)
    ended = drain(pool)[number]
    assert ended.payload == {"a": [1]}
    assert ended.arrays["a"].sum() == 0


def test_numpy_scalars_nan_and_infinity_come_back(pool):
    payload = one(pool, "numpy_scalars").payload
    assert payload.pop("nan") != 0
    assert payload == {"int": 3, "bool": True, "real": 0.5, "inf": -np.inf}


def test_an_exception_is_a_failure_with_its_traceback_and_is_not_tried_again(pool):
    ended = one(pool, "fails", {"message": "no such\n column"})
    assert (ended.outcome, ended.reason) == ("failed", "ValueError: no such column")
    assert "executor_jobs.py" in ended.traceback
    assert "in fails" in ended.traceback
    assert (ended.payload, ended.arrays) == ({}, {})
    assert one(pool, "fails", {"message": "x" * 10_000}).reason.endswith("x...")
    assert one(pool, "fails_unprintably").reason == "Odd"
    assert one(pool, "leaves", {"status": 3}).reason == "SystemExit: 3"
    assert len(children()) == 2


def test_a_wrong_result_is_a_failure(pool):
    cases = {
        "nothing": "got NoneType",
        "list": "got tuple",
        "objects": "objects and records",
        "masked": "MaskedArray",
        "scalar": "got float",
        "set": "plain data",
    }
    for what, words in cases.items():
        ended = one(pool, "returns", {"what": what})
        assert ended.outcome == "failed"
        assert words in ended.reason


def test_only_jobs_of_the_package_are_taken(pool):
    cases = {
        "os:system": "inside the meristem package",
        "meristemx.jobs:run": "inside the meristem package",
        "executor_jobs_other:run": "inside the meristem package",
        "executor_jobs": "module:function",
        "executor_jobs:a.b": "module:function",
        "executor_jobs:double\n": "module:function",
        "../x:y": "module:function",
    }
    for job, words in cases.items():
        with pytest.raises(InputError, match=words):
            pool.submit(job, {})
    assert pool.outstanding == 0


def test_a_job_that_is_not_there_is_a_failure(pool):
    assert one(pool, "nowhere").reason.startswith("AttributeError")
    number = pool.submit("meristem.nowhere:job", {})
    assert drain(pool)[number].reason.startswith("ModuleNotFoundError")


def test_limits_that_clocks_cannot_count_are_refused(pool):
    for limit in (0, -1.0, float("nan"), float("inf"), 1e12):
        with pytest.raises(InputError, match="limit"):
            pool.submit("executor_jobs:double", {"x": 1}, limit=limit)


@pytest.mark.parametrize(
    "arguments",
    [
        {"workers": 0},
        {"workers": 1, "retries": -1},
        {"workers": 1, "memory": 1000},
        {"workers": 1, "modules": "executor_jobs"},
        {"workers": 1, "preload": (1,)},
    ],
)
def test_arguments_out_of_range_are_refused(arguments):
    with pytest.raises(InputError, match="expected"):
        Pool(**arguments)


def test_a_queued_job_and_a_running_one_are_cancelled(tmp_path):
    with Pool(1, modules=MODULES) as pool:
        file = tmp_path / "pid"
        running = pool.submit("executor_jobs:sleep", {"seconds": 30, "file": str(file)})
        queued = pool.submit("executor_jobs:double", {"x": 1})
        last = pool.submit("executor_jobs:double", {"x": 2})
        assert eventually(file.exists)
        begin = time.monotonic()
        pool.cancel(queued)
        pool.cancel(running)
        pool.cancel(last + 1000)  # nobody knows it
        found = drain(pool)
        assert time.monotonic() - begin < 5
        assert found[running].outcome == found[queued].outcome == "cancelled"
        assert found[last].payload == {"x": 4}
        pool.cancel(last)  # it is over
        assert pool.wait(0.05) == []


def test_shared_data_reaches_every_job(pool, temp_folder):
    base = np.arange(60_000.0).reshape(200, 300)
    arrays = {
        "big": base,
        "fortran": np.asfortranarray(base),
        "strided": base[:, ::3],
        "scalar": np.array(2.0),
        "nothing": np.zeros((0, 4)),
        "../../odd name": np.ones(2, dtype=np.float32),
    }
    pool.share("data", {"k": [1, None]}, arrays)
    for _ in range(2):
        got = one(pool, "shared_sum", {"name": "data"}).payload
        assert got["values"] == {"k": [1, None]}
        assert got["sums"] == {name: float(array.sum()) for name, array in arrays.items()}
        assert got["shapes"] == {name: list(array.shape) for name, array in arrays.items()}
        assert got["types"] == ["ndarray"]
        assert not got["writeable"]
        assert got["fortran"] == ["fortran"]
    assert one(pool, "touch_shared").reason.startswith("ValueError")
    assert "nothing is shared as 'other'" in one(pool, "shared_sum", {"name": "other"}).reason


def test_a_job_sees_what_was_shared_when_it_was_submitted(pool):
    numbers = []
    for round_ in range(3):
        pool.share("data", {"round": round_}, {"a": np.full(20_000, float(round_))})
        numbers += [pool.submit("executor_jobs:shared_sum", {"name": "data"}) for _ in range(4)]
    found = drain(pool)
    assert [found[n].payload["values"]["round"] for n in numbers] == [0] * 4 + [1] * 4 + [2] * 4
    assert [found[n].payload["sums"]["a"] for n in numbers] == [0.0] * 4 + [20_000.0] * 4 + [40_000.0] * 4


def test_shared_data_that_cannot_be_written_gives_a_clear_error(pool, temp_folder, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(temp_folder / "missing"))
    with pytest.raises(ExecutorError, match="TMPDIR"):
        pool.share("data", {}, {"a": np.zeros(10)})
    monkeypatch.setattr("tempfile.tempdir", str(temp_folder))
    pool.share("data", {}, {"a": np.ones(10)})

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("meristem.executors._shared._write_arrays", full)
    with pytest.raises(ExecutorError, match="free some space"):
        pool.share("data", {}, {"a": np.zeros(10)})
    assert one(pool, "shared_sum", {"name": "data"}).payload["sums"] == {"a": 10.0}


def test_workers_have_one_thread_the_same_order_of_sets_and_nothing_heavy(pool):
    found = one(pool, "environment").payload
    assert found["threads"] == "1"
    assert found["session"] == found["pid"]
    heavy = {
        "scipy",
        "sklearn",
        "pandas",
        "pyarrow",
        "lightgbm",
        "torch",
        "optuna",
        "rich",
        "pytest",
        "hypothesis",
    }
    assert "numpy" in found["modules"]
    assert not heavy & set(found["modules"])


def test_sets_have_the_same_order_in_every_worker():
    orders = []
    for _ in range(2):
        with Pool(1, modules=MODULES) as pool:
            orders.append(one(pool, "environment").payload["order"])
    assert orders[0] == orders[1]


def test_what_a_job_prints_stays_out_of_the_protocol(pool, capfd):
    ended = one(pool, "prints")
    assert (ended.outcome, ended.payload) == ("done", {"read": ""})
    assert one(pool, "double", {"x": 1}).payload == {"x": 2}
    assert capfd.readouterr() == ("", "")


def test_the_cache_lives_as_long_as_its_worker():
    with Pool(1, modules=MODULES) as pool:
        assert [one(pool, "counts").payload["n"] for _ in range(3)] == [1, 2, 3]
        one(pool, "allocate", {"bytes": 8})
        assert one(pool, "counts").payload["n"] == 4


def test_preloading_fills_idle_time():
    with Pool(1, modules=MODULES, preload=("wave", "no.such.module", "colorsys")) as pool:

        def loaded():
            return {"wave", "colorsys"} <= set(one(pool, "environment").payload["modules"])

        # Asking again and again leaves it no idle time, so ask now and then.
        assert eventually(lambda: time.sleep(0.2) or loaded(), 10)


def test_starting_is_quick_and_does_not_block():
    times = []
    for _ in range(3):
        begin = time.monotonic()
        with Pool(2, modules=MODULES) as pool:
            started = time.monotonic() - begin
            one(pool, "double", {"x": 1})
            times.append((started, time.monotonic() - begin))
    assert min(started for started, _ in times) < 0.05
    assert min(first for _, first in times) < 1.0  # 0.13 s measured alone; this machine may be busy


def test_closing_ends_everything_and_can_be_repeated(temp_folder):
    pool = Pool(2, modules=MODULES)
    pool.share("data", {}, {"a": np.zeros(100_000)})
    for _ in range(4):
        pool.submit("executor_jobs:loop", {})
    assert eventually(lambda: len(children()) == 2)
    pids = children()
    begin = time.monotonic()
    pool.close()
    assert time.monotonic() - begin < 2
    assert not any(alive(pid) for pid in pids)
    assert not children()
    pool.close()
    pool.kill()
    assert pool.outstanding == 0
    assert pool.wait(1.0) == []
    pool.cancel(0)
    for call in (lambda: pool.submit("executor_jobs:loop", {}), lambda: pool.share("a", {}, {})):
        with pytest.raises(ExecutorError, match="closed"):
            call()


def test_killing_returns_at_once_and_ends_everything():
    pool = Pool(2, modules=MODULES)
    pool.submit("executor_jobs:loop", {})
    assert eventually(lambda: len(children()) == 2)
    begin = time.monotonic()
    pool.kill()
    assert time.monotonic() - begin < 0.5
    assert eventually(lambda: not children())


def test_a_pool_that_is_dropped_ends_its_workers():
    pool = Pool(2, modules=MODULES)
    pool.submit("executor_jobs:loop", {})
    assert eventually(lambda: len(children()) == 2)
    del pool
    assert eventually(lambda: not children())


def test_an_error_in_the_driver_ends_the_workers():
    def work():
        with Pool(1, modules=MODULES) as pool:
            pool.submit("executor_jobs:loop", {})
            raise LookupError("in the driver")

    with pytest.raises(LookupError):
        work()
    assert not children()


def test_two_pools_do_not_disturb_each_other():
    with Pool(1, modules=MODULES) as first, Pool(1, modules=MODULES) as second:
        a = first.submit("executor_jobs:double", {"x": 1})
        b = second.submit("executor_jobs:double", {"x": 10})
        assert drain(second)[b].payload == {"x": 20}
        second.close()
        assert drain(first)[a].payload == {"x": 2}


def test_a_pool_outlives_the_thread_that_opened_it():
    pools = []
    thread = threading.Thread(target=lambda: pools.append(Pool(1, modules=MODULES)))
    thread.start()
    thread.join()
    with pools[0] as pool:
        first = one(pool, "counts").payload
        time.sleep(0.1)
        second = one(pool, "counts").payload
        assert (second["n"], second["pid"]) == (2, first["pid"])


def test_threads_may_share_a_pool(pool):
    def submit():
        for i in range(50):
            pool.submit("executor_jobs:double", {"x": i})

    threads = [threading.Thread(target=submit) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = drain(pool)
    assert sorted(ended.payload["x"] for ended in found.values()) == sorted([2 * i for i in range(50)] * 4)
    assert sorted(found) == list(range(200))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_leaves_the_pool_alone(pool):
    import warnings

    one(pool, "double", {"x": 1})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # forking with threads is what is tested
        child = os.fork()
    if child == 0:
        status = 1
        try:
            pool.submit("executor_jobs:double", {"x": 1})
        except ExecutorError as error:
            status = 0 if "fork" in str(error) else 2
            pool.close()
        os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert one(pool, "double", {"x": 3}).payload == {"x": 6}
