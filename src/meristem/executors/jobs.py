"""What a job is, what it may use, and how it ends. The same code runs it in a worker and inline.

A job is named as text, `"meristem.training.jobs:evaluate"`, and is a function of this form::

    def evaluate(
        payload: dict, arrays: dict[str, ndarray], context: JobContext
    ) -> tuple[dict, dict[str, ndarray]]
"""

from __future__ import annotations

import contextlib
import importlib
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, Self, get_args

import numpy as np

from meristem.errors import InputError
from meristem.executors._wire import check_arrays, dump_json

Outcome = Literal["done", "failed", "crashed", "timeout", "memory", "cancelled"]
OUTCOMES: tuple[str, ...] = get_args(Outcome)

Payload = dict[str, Any]
Arrays = dict[str, np.ndarray]
Job = Callable[[Payload, Arrays, "JobContext"], tuple[Payload, Arrays]]

_NAME = re.compile(r"([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*):([A-Za-z_]\w*)", re.ASCII)
# What native libraries say when the allocator refuses: C++, torch, LightGBM, OpenBLAS.
_OUT_OF_MEMORY = re.compile(
    r"bad_alloc|can't allocate memory|cannot allocate memory|failed to allocate|MemoryError", re.I
)
_MAX_TRACEBACK = 20_000
GRACE = 0.1  # seconds past its limit, for a job that stops itself at its deadline
MAX_LIMIT = 1e8  # seconds; timers of the system overflow at some 1e9


@dataclass(frozen=True, eq=False)
class Ended:
    """How one job ended.

    Args:
        number: What `submit` returned.
        outcome: `done`; `failed` (it raised); `crashed` (its worker died, retries included); `timeout` (over
            its limit); `memory` (over the memory limit); `cancelled`.
        payload: What the job returned; empty unless done.
        arrays: What the job returned; empty unless done.
        reason: One sentence for a person; empty when done.
        traceback: Where it failed, or the last words of a worker that died.
        seconds: Wall time of the job.
        cpu_seconds: Processor time of the job.
    """

    number: int
    outcome: Outcome
    payload: Payload = field(default_factory=dict)
    arrays: Arrays = field(default_factory=dict)
    reason: str = ""
    traceback: str = ""
    seconds: float = 0.0
    cpu_seconds: float = 0.0


@dataclass
class JobContext:
    """What a job may use besides its arguments.

    Args:
        deadline: When the job is killed, on the clock of `time.monotonic()`; None without a limit. Stop well
            before.
        cache: Kept between the jobs of one worker, to save repeated work. Results may not depend on it.
    """

    deadline: float | None
    cache: dict[Any, Any]
    _shared: Callable[[str], tuple[Payload, Arrays]]

    def shared(self, name: str) -> tuple[Payload, Arrays]:
        """What the driver shared under this name: plain data and read-only arrays. Do not change the data.

        Raises:
            InputError: Nothing was shared under this name before the job was submitted.
        """
        return self._shared(name)

    @property
    def seconds_left(self) -> float:
        """Seconds until the deadline, not below 0; infinite without one."""
        return float("inf") if self.deadline is None else max(0.0, self.deadline - time.monotonic())


class Executor(Protocol):
    """Runs jobs. `Pool` and `Inline` give the same results for jobs that are functions of their arguments."""

    def share(self, name: str, payload: Payload, arrays: Mapping[str, np.ndarray]) -> None:
        """Give data to all jobs that are submitted from now on."""

    def submit(
        self,
        job: str,
        payload: Payload,
        arrays: Mapping[str, np.ndarray] = ...,
        *,
        limit: float | None = None,
    ) -> int:
        """Queue a job and return its number."""

    def wait(self, timeout: float | None = None) -> list[Ended]:
        """At least one ended job, or none at the timeout or when nothing is outstanding."""

    def cancel(self, number: int) -> None:
        """End a job without a result."""

    @property
    def idle(self) -> int:
        """How many more jobs would start at once."""

    @property
    def outstanding(self) -> int:
        """How many submitted jobs `wait` has not returned yet."""

    def close(self) -> None:
        """End all work and free everything."""

    def kill(self) -> None:
        """As `close`, without waiting."""

    def __enter__(self) -> Self: ...
    def __exit__(self, *_: object) -> None: ...


def check_job(job: str, modules: tuple[str, ...]) -> tuple[str, str]:
    """Split a job's name into module and function.

    Raises:
        InputError: It is malformed, or neither in the `meristem` package nor in one of the extra `modules`.
    """
    match = _NAME.fullmatch(job)
    if match is None:
        raise InputError(f"expected a job as 'meristem.module:function', got {job!r}")
    module, function = match.groups()
    if not any(module == m or module.startswith(f"{m}.") for m in ("meristem", *modules)):
        raise InputError(f"expected a job inside the meristem package, got {job!r}")
    return module, function


def check_limit(limit: float | None) -> None:
    """Raise InputError unless `limit` is None or a number of seconds that clocks can count."""
    if limit is not None and not 0 < limit <= MAX_LIMIT:
        raise InputError(f"expected a limit of more than 0 s and at most {MAX_LIMIT:.0e} s, got {limit!r}")


def run_job(
    number: int, job: str, payload: Payload, arrays: Arrays, context: JobContext, modules: tuple[str, ...]
) -> Ended:
    """Run one job here and now. What it raises becomes its outcome; only KeyboardInterrupt passes through."""
    begin, cpu_begin = time.perf_counter(), time.process_time()

    def ended(
        outcome: Outcome, reason: str = "", trace: str = "", result: tuple[Payload, Arrays] | None = None
    ) -> Ended:
        values, out = result or ({}, {})
        seconds, cpu = time.perf_counter() - begin, time.process_time() - cpu_begin
        return Ended(number, outcome, values, out, reason, trace, seconds, cpu)

    try:
        module, name = check_job(job, modules)
        function: Job = getattr(importlib.import_module(module), name)
        result = function(payload, arrays, context)
        return ended("done", result=_check_result(result))
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # SystemExit too: a job ends with an outcome, whatever it does
        return ended("memory" if _is_memory(error) else "failed", describe(error), _trace(error))


def describe(error: BaseException) -> str:
    """`TypeName: message`, on one line of moderate length."""
    message = ""
    with contextlib.suppress(Exception):  # a message made by foreign code may fail to be made
        message = " ".join(str(error).split())
    text = f"{type(error).__name__}: {message}" if message else type(error).__name__
    return text if len(text) <= 1000 else text[:997] + "..."


def looks_out_of_memory(text: str) -> bool:
    """Whether a native library's words mean that memory ran out."""
    return _OUT_OF_MEMORY.search(text) is not None


def _check_result(result: Any) -> tuple[Payload, Arrays]:
    if not (isinstance(result, tuple) and len(result) == 2 and all(isinstance(r, dict) for r in result)):
        raise TypeError(f"expected a job to return (dict, dict of arrays), got {type(result).__name__}")
    payload, arrays = result
    dump_json(payload, "the payload a job returns")
    return payload, check_arrays(arrays, "the arrays a job returns")


def _is_memory(error: BaseException) -> bool:
    seen: BaseException | None = error
    for _ in range(10):
        if isinstance(seen, MemoryError):
            return True
        seen = seen.__cause__ or seen.__context__ if seen is not None else None
    return looks_out_of_memory(describe(error))


def _trace(error: BaseException) -> str:
    try:
        from traceback import format_exception

        text = "".join(format_exception(error))
    except Exception:  # no memory left to tell the story, or an error that cannot be printed
        return ""
    return text if len(text) <= _MAX_TRACEBACK else "[...]\n" + text[-_MAX_TRACEBACK:]
