"""Jobs in worker processes of this machine.

>>> with Pool(2) as pool:                                                       # doctest: +SKIP
...     number = pool.submit("meristem.training.jobs:evaluate", {"seed": 0}, limit=5.0)
...     while pool.outstanding:
...         for ended in pool.wait(1.0):
...             print(ended.number, ended.outcome, ended.reason)
"""

from __future__ import annotations

import itertools
import os
import queue
import time
import weakref
from collections.abc import Mapping, Sequence
from typing import Self

import numpy as np

from meristem.errors import ExecutorError, InputError
from meristem.executors._engine import Engine, Task
from meristem.executors._wire import check_arrays, copy_array, dump_json
from meristem.executors.inline import Inline
from meristem.executors.jobs import Ended, Executor, Payload, check_job, check_limit

_LEAST_MEMORY = 96 << 20  # bytes; a worker with NumPy begins with 57 MB (VmData, x86-64 Linux)


class Pool:
    """Runs jobs in worker processes, first come, first served.

    The processes start at once and in the background; a worker that dies is replaced. Results come in the
    order in which jobs end. Workers never outlive the pool, nor the program, however it ends.

    Args:
        workers: How many processes, each with one thread.
        memory: Bytes that one worker may allocate, its base of some 60 MB included; None for no limit.
        retries: How often a job is tried again after its worker died. A job that raises is never tried again.
        modules: Modules besides `meristem` that jobs may live in (for tests).
        preload: Modules that a worker imports while it has nothing to do, in this order. A job that arrives
            meanwhile waits for the one import under way, so name the inner modules of a slow package first.

    Raises:
        InputError: An argument is out of range.
        ExecutorError: This is not a POSIX system; use `Inline` there.
    """

    def __init__(
        self,
        workers: int,
        *,
        memory: int | None = None,
        retries: int = 1,
        modules: tuple[str, ...] = (),
        preload: tuple[str, ...] = (),
    ) -> None:
        if workers < 1:
            raise InputError(f"expected at least 1 worker, got {workers}; to work without, use Inline")
        if memory is not None and memory < _LEAST_MEMORY:
            raise InputError(
                f"expected at least {_LEAST_MEMORY / 1e6:.0f} MB as memory, got {memory / 1e6:.1f} MB"
            )
        if retries < 0:
            raise InputError(f"expected retries of 0 or more, got {retries}")
        if os.name != "posix":
            raise ExecutorError(f"expected a POSIX system for worker processes, got {os.name!r}; use Inline")
        self._modules = _names(modules, "modules")
        self._workers = workers
        self._numbers = itertools.count()
        self._outstanding: set[int] = set()
        self._shared: dict[str, str] = {}
        self._engine = Engine(workers, memory, retries, self._modules, _names(preload, "preload"))
        # Runs when the pool is dropped, and at the end of the program.
        self._finalizer = weakref.finalize(self, self._engine.stop, 10.0)

    def share(self, name: str, payload: Payload, arrays: Mapping[str, np.ndarray]) -> None:
        """Write big data down once; jobs that are submitted from now on get it by `context.shared(name)`.

        A name may be given again; jobs that were submitted before keep the earlier data.

        Raises:
            InputError: The data cannot travel (objects, records).
            ExecutorError: It cannot be written, or the pool is closed.
        """
        self._check_open()
        self._shared = {**self._shared, name: self._engine.folder.write(payload, check_arrays(arrays))}

    def submit(
        self,
        job: str,
        payload: Payload,
        arrays: Mapping[str, np.ndarray] | None = None,
        *,
        limit: float | None = None,
    ) -> int:
        """Queue a job.

        Args:
            job: `"meristem.package.module:function"`, see `meristem.executors.jobs`.
            payload: Plain data (JSON: tuples arrive as lists, keys as text; NaN and infinities are fine).
            arrays: Copied now; for what many jobs need, `share` is cheaper.
            limit: Wall seconds after which the worker is killed, counted from the start of the job.

        Returns:
            The number that its `Ended` will carry.

        Raises:
            InputError: The job's name, the payload or an array cannot be sent.
            ExecutorError: The pool is closed.
        """
        self._check_open()
        check_job(job, self._modules)
        check_limit(limit)
        text = dump_json(payload)
        copies = {name: copy_array(array) for name, array in check_arrays(arrays or {}).items()}
        number = next(self._numbers)
        # In this order: Ctrl-C in between leaves a result too many, not a wait without end.
        self._engine.commands.append(Task(number, job, text, copies, limit, self._shared))
        self._outstanding.add(number)
        self._engine.wake()
        return number

    def wait(self, timeout: float | None = None) -> list[Ended]:
        """Wait until at least one job has ended.

        Args:
            timeout: Seconds; 0 looks without waiting; None waits as long as it takes.

        Returns:
            Jobs in the order they ended; none at the timeout, or when nothing is outstanding.

        Raises:
            ExecutorError: Workers do not start.
            KeyboardInterrupt: Ctrl-C; the pool goes on.
        """
        engine = self._engine
        if engine.forked:
            self._check_open()
        end = None if timeout is None else time.monotonic() + timeout
        while not engine.ended and self._outstanding:
            if engine.failure is not None:
                raise engine.failure
            try:
                engine.news.get(timeout=None if end is None else max(0.0, end - time.monotonic()))
            except queue.Empty:
                break
        # In this order, so that Ctrl-C in between cannot leave a number outstanding that will never come.
        found = list(engine.ended)
        self._outstanding.difference_update(ended.number for ended in found)
        for _ in found:
            engine.ended.popleft()
        return found

    def cancel(self, number: int) -> None:
        """End a job: `wait` will give it as cancelled, or as what it was if it ended just before."""
        self._engine.commands.append(number)
        self._engine.wake()

    @property
    def idle(self) -> int:
        """How many more jobs would start at once. A job counts until `wait` has returned it."""
        return max(0, self._workers - len(self._outstanding))

    @property
    def outstanding(self) -> int:
        """How many submitted jobs `wait` has not returned yet."""
        return len(self._outstanding)

    def close(self) -> None:
        """End all work, wait until the workers are gone, remove the shared data. Safe to call again."""
        self._stop(10.0)

    def kill(self) -> None:
        """As `close`, but leaves the waiting to a thread in the background."""
        self._stop(0.0)

    def _stop(self, patience: float) -> None:
        self._engine.stop(patience)
        self._outstanding.clear()
        self._engine.ended.clear()

    def _check_open(self) -> None:
        if self._engine.failure is not None:
            raise self._engine.failure
        if self._engine.stopped:
            raise ExecutorError("expected an open pool, got one that is closed: open a new one")
        if self._engine.forked:
            raise ExecutorError(
                "expected the process that opened this pool, got a fork of it: open a new one"
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_executor(
    workers: int,
    *,
    memory: int | None = None,
    retries: int = 1,
    modules: tuple[str, ...] = (),
    preload: tuple[str, ...] = (),
) -> Executor:
    """A `Pool` of so many workers; for 0, or on a system that is not POSIX, an `Inline`."""
    kind = Pool if workers and os.name == "posix" else Inline
    return kind(workers, memory=memory, retries=retries, modules=modules, preload=preload)


def _names(values: Sequence[str], what: str) -> tuple[str, ...]:
    if isinstance(values, str) or not all(isinstance(value, str) for value in values):
        raise InputError(f"expected {what} as a tuple of module names, got {values!r}")
    return tuple(values)
