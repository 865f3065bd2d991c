from __future__ import annotations

import numpy as np
import pytest
from executor_helpers import MODULES, drain, one

from meristem.errors import ExecutorError, InputError
from meristem.executors import Inline, Pool, open_executor

BASE = np.random.default_rng(1).normal(size=(50, 40))
ARRAYS = {
    "plain": BASE,
    "strided": BASE[::3, ::2],
    "fortran": BASE.T,
    "none": BASE[:0],
    "byte": np.uint8([1, 2]),
}


@pytest.fixture
def inline():
    with Inline(modules=MODULES) as inline:
        yield inline


CASES = [
    ("echo", {"t": (1, 2), "nested": {"k": None, "inf": float("inf")}}),
    ("describe", {}),
    ("strided", {}),
    ("fails", {"message": "m"}),
    ("fails_unprintably", {}),
    ("leaves", {"status": 1}),
    ("returns", {"what": "set"}),
    ("returns", {"what": "objects"}),
    ("shared_sum", {"name": "data"}),
    ("shared_sum", {"name": "other"}),
    ("touch_shared", {}),
    ("wrapped_memory_error", {}),
    ("native_memory_error", {}),
    ("nowhere", {}),
]


def test_results_are_those_of_a_pool(inline, pool):
    ends = []
    for executor in (inline, pool):
        executor.share("data", {"t": (1,)}, {**ARRAYS, "big": BASE})
        ends.append([one(executor, job, payload, ARRAYS) for job, payload in CASES])
    for (job, _), here, there in zip(CASES, *ends, strict=True):
        assert (here.outcome, here.reason, here.payload) == (there.outcome, there.reason, there.payload), job
        assert bool(here.traceback) == bool(there.traceback)
        assert list(here.arrays) == list(there.arrays)
        for name, array in here.arrays.items():
            other = there.arrays[name]
            assert (array.dtype, array.shape) == (other.dtype, other.shape)
            assert array.size == 0 or array.strides == other.strides
            assert array.tobytes() == other.tobytes()
            assert array.flags.writeable
    assert {ended.outcome for ended in ends[0]} == {"done", "failed", "memory"}


def test_jobs_run_one_at_a_time_when_waited_for(inline):
    numbers = [inline.submit("executor_jobs:counts", {}) for _ in range(3)]
    assert (inline.idle, inline.outstanding) == (0, 3)
    inline.cancel(numbers[1])
    inline.cancel(99)
    found = drain(inline)
    assert [found[n].outcome for n in numbers] == ["done", "cancelled", "done"]
    assert [found[n].payload.get("n") for n in numbers] == [1, None, 2]
    assert (inline.idle, inline.outstanding) == (1, 0)
    assert inline.wait(1.0) == []


def test_a_job_over_its_limit_is_a_timeout_afterwards(inline):
    ended = one(inline, "sleep", {"seconds": 0.3}, limit=0.05)
    assert (ended.outcome, ended.payload) == ("timeout", {})
    assert one(inline, "stop_at_deadline", limit=0.05).outcome == "done"


def test_an_interrupted_job_stays_queued(inline, monkeypatch):
    import executor_jobs

    def interrupted(payload, arrays, context):
        raise KeyboardInterrupt

    number = inline.submit("executor_jobs:double", {"x": 1})
    with monkeypatch.context() as patch:
        patch.setattr(executor_jobs, "double", interrupted)
        with pytest.raises(KeyboardInterrupt):
            inline.wait(None)
    assert inline.outstanding == 1
    assert drain(inline)[number].payload == {"x": 2}


def test_arguments_may_change_after_submit(inline):
    array, payload = np.zeros(3), {"a": [1]}
    number = inline.submit("executor_jobs:echo", payload, {"a": array})
    array += 1
    payload["a"].append(2)
    ended = drain(inline)[number]
    assert ended.payload == {"a": [1]}
    assert ended.arrays["a"].tolist() == [0, 0, 0]


def test_the_same_arguments_are_refused(inline):
    with pytest.raises(InputError, match="inside the meristem package"):
        inline.submit("os:system", {})
    with pytest.raises(InputError, match="limit"):
        inline.submit("executor_jobs:double", {}, limit=0)
    with pytest.raises(InputError, match="plain data"):
        inline.submit("executor_jobs:double", {"a": {1}})
    inline.close()
    with pytest.raises(ExecutorError, match="closed"):
        inline.submit("executor_jobs:double", {"x": 1})


def test_what_a_job_prints_stays_out_of_the_output(inline, capsys):
    import contextlib
    import io

    with contextlib.redirect_stderr(io.StringIO()) as errors:
        inline.submit("executor_jobs:kill_self", {"signal": 0})
        inline.cancel(0)
        drain(inline)
        print("of the program")
    assert capsys.readouterr().out == "of the program\n"
    assert errors.getvalue() == ""


def test_no_workers_mean_inline(monkeypatch):
    with open_executor(0, modules=MODULES) as none, open_executor(1, modules=MODULES) as some:
        assert isinstance(none, Inline)
        assert isinstance(some, Pool)
        for executor in (none, some):
            assert one(executor, "double", {"x": 1}).payload == {"x": 2}
