"""Jobs in this process, one after another: for tests, for debugging, and where processes cannot start."""

from __future__ import annotations

import contextlib
import itertools
import json
import sys
import time
from collections.abc import Mapping
from typing import Any, Self

import numpy as np

from meristem.errors import ExecutorError, InputError
from meristem.executors._wire import check_arrays, copy_array, dump_json
from meristem.executors.jobs import GRACE, Arrays, Ended, JobContext, Payload, check_job, check_limit, run_job
from meristem.executors.threads import one_thread

_Queued = tuple[str, Payload, Arrays, float | None, dict[str, tuple[Payload, Arrays]]]


class Inline:
    """The interface of `Pool` without processes. `wait` runs the next job.

    Arguments and results pass through the same JSON and the same array layouts as between processes, so that
    results are the same to the last bit. What it cannot do: stop a job at its limit (it counts as a timeout
    afterwards), hold a memory limit, or survive a crash.

    Args:
        memory, retries, preload: Taken for the sake of the interface; without meaning here.
        modules: Modules besides `meristem` that jobs may live in.
    """

    def __init__(
        self,
        workers: int = 0,
        *,
        memory: int | None = None,
        retries: int = 1,
        modules: tuple[str, ...] = (),
        preload: tuple[str, ...] = (),
    ) -> None:
        del workers, memory, retries, preload
        self._modules = modules
        self._numbers = itertools.count()
        self._queue: dict[int, _Queued] = {}
        self._cancelled: list[int] = []
        self._shared: dict[str, tuple[Payload, Arrays]] = {}
        self._cache: dict[Any, Any] = {}
        self._closed = False

    def share(self, name: str, payload: Payload, arrays: Mapping[str, np.ndarray]) -> None:
        """As `Pool.share`, without a copy: do not change the arrays afterwards."""
        views = {key: array.view() for key, array in check_arrays(arrays).items()}
        for view in views.values():
            view.flags.writeable = False
        self._shared = {**self._shared, name: (json.loads(dump_json(payload)), views)}

    def submit(
        self,
        job: str,
        payload: Payload,
        arrays: Mapping[str, np.ndarray] | None = None,
        *,
        limit: float | None = None,
    ) -> int:
        """As `Pool.submit`."""
        if self._closed:
            raise ExecutorError("this executor is closed: open a new one")
        check_job(job, self._modules)
        check_limit(limit)
        copies = {name: copy_array(array) for name, array in check_arrays(arrays or {}).items()}
        number = next(self._numbers)
        self._queue[number] = (job, json.loads(dump_json(payload)), copies, limit, self._shared)
        return number

    def wait(self, timeout: float | None = None) -> list[Ended]:
        """Run the next job, however long it takes. An interrupted job stays queued."""
        del timeout
        if self._cancelled:
            numbers, self._cancelled = self._cancelled, []
            return [Ended(number, "cancelled", reason="cancelled") for number in numbers]
        if not self._queue:
            return []
        number = next(iter(self._queue))
        job, payload, arrays, limit, shared = self._queue[number]

        def find(name: str) -> tuple[Payload, Arrays]:
            if name not in shared:
                raise InputError(f"nothing is shared as {name!r}; there is {sorted(shared)}")
            return shared[name]

        context = JobContext(None if limit is None else time.monotonic() + limit, self._cache, find)
        # As in a worker: the program's output is not for jobs, and one thread is enough.
        with contextlib.redirect_stdout(sys.stderr), one_thread():
            ended = run_job(number, job, payload, arrays, context, self._modules)
        del self._queue[number]
        if limit is not None and ended.seconds > limit + GRACE:
            reason = f"over its limit of {limit:g} s"
            return [Ended(number, "timeout", {}, {}, reason, "", ended.seconds, ended.cpu_seconds)]
        copies = {name: copy_array(array) for name, array in ended.arrays.items()}
        result = json.loads(dump_json(ended.payload))
        return [
            Ended(
                number,
                ended.outcome,
                result,
                copies,
                ended.reason,
                ended.traceback,
                ended.seconds,
                ended.cpu_seconds,
            )
        ]

    def cancel(self, number: int) -> None:
        """Take a queued job out."""
        if self._queue.pop(number, None) is not None:
            self._cancelled.append(number)

    @property
    def idle(self) -> int:
        """1 while nothing is outstanding, otherwise 0."""
        return 0 if self.outstanding else 1

    @property
    def outstanding(self) -> int:
        """How many submitted jobs `wait` has not returned yet."""
        return len(self._queue) + len(self._cancelled)

    def close(self) -> None:
        """Forget everything."""
        self._closed = True
        self._queue.clear()
        self._cancelled.clear()
        self._shared, self._cache = {}, {}

    def kill(self) -> None:
        """As `close`."""
        self.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
