"""The thread that keeps the workers: it starts them, feeds them, watches limits, replaces the dead.

One thread owns all processes and pipes. The caller's threads talk to it through two queues and share nothing
else, so there is no lock to be caught in. The thread lives as long as the pool, which matters: Linux ends a
worker when the *thread* that started it ends.
"""

from __future__ import annotations

import contextlib
import os
import queue
import selectors
import socket
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import Any

from meristem.errors import ExecutorError, FileFormatError
from meristem.executors._process import Process, search_path
from meristem.executors._shared import SharedFolder
from meristem.executors._wire import Frame, pack
from meristem.executors.jobs import GRACE, OUTCOMES, Arrays, Ended, Outcome, looks_out_of_memory

_DELIVERY = 60.0  # seconds past the limit for a result that has begun to arrive
_START = 120.0  # seconds for a worker to become ready, on a machine that swaps
_TICK = 0.1  # seconds between looks at memory
_MAX_WAIT = 3600.0  # seconds; timers of the system overflow far above
_MAX_DEATHS = 5  # workers in a row that die before they are ready
_PAUSE = 0.1  # seconds a death, before the next start: what kills them may pass


@dataclass(eq=False)
class Task:
    """A job on its way. `payload` is JSON text."""

    number: int
    job: str
    payload: bytes
    arrays: Arrays
    limit: float | None
    shared: dict[str, str]
    deaths: int = 0


@dataclass(eq=False)
class Running:
    """A task in a worker. `cpu` is what the worker had used before; `begun` is None until it says so."""

    task: Task
    sent: float
    cpu: float
    begun: float | None = None

    @property
    def seconds(self) -> float:
        """Wall time since the job began."""
        return 0.0 if self.begun is None else time.monotonic() - self.begun


class Engine:
    """Runs tasks on worker processes. Arguments as of `Pool`.

    Put a `Task`, or a number to cancel, into `commands`, then call `wake`. Ends appear in `ended`; after each
    of them, and when `failure` is set, a token appears in `news`.
    """

    def __init__(
        self,
        workers: int,
        memory: int | None,
        retries: int,
        modules: tuple[str, ...],
        preload: tuple[str, ...],
    ) -> None:
        self.commands: deque[Task | int] = deque()
        self.ended: deque[Ended] = deque()
        self.news: queue.SimpleQueue[None] = queue.SimpleQueue()
        self.failure: ExecutorError | None = None
        self.folder = SharedFolder()
        self.stopped = False
        self._workers, self._memory, self._retries = workers, memory, retries
        self._hello: dict[str, Any] = {
            "memory": memory,
            "modules": modules,
            "preload": preload,
            "path": search_path(),
        }
        self._queue: deque[Task] = deque()
        self._processes: dict[Process, Running | None] = {}
        self._dying: list[Process] = []
        self._deaths = 0
        self._start_after = 0.0
        self._owner = os.getpid()
        self._selector = selectors.DefaultSelector()
        self._ear, self._bell = socket.socketpair()
        self._ear.setblocking(False)
        self._bell.setblocking(False)
        self._thread = threading.Thread(target=self._run, name="meristem-pool", daemon=True)
        self._thread.start()

    # ------------------------------------------------------------------------------- called by other threads

    @property
    def forked(self) -> bool:
        """Whether this is a copy in a forked child, where the thread and the workers are somebody else's."""
        return os.getpid() != self._owner

    def wake(self) -> None:
        """Make the thread look at its commands."""
        with contextlib.suppress(OSError):  # full: it will wake anyway; closed: it is over
            self._bell.send(b"!")

    def stop(self, patience: float) -> None:
        """End everything; wait up to `patience` seconds for it. Does nothing in a forked child."""
        if self.forked:
            return
        self.stopped = True
        self.wake()
        if threading.current_thread() is not self._thread:  # a garbage collection may run in any thread
            self._thread.join(patience)

    # ------------------------------------------------------------------------------------------- the thread

    def _run(self) -> None:
        try:
            self._selector.register(self._ear, selectors.EVENT_READ, None)
            while not self.stopped:
                self._turn()
        except ExecutorError as error:
            self.failure = error
        except BaseException as error:  # a defect here must not leave the caller waiting for ever
            self.failure = ExecutorError(
                f"expected the pool of workers to keep running, got {type(error).__name__}: {error}"
            )
            self.failure.__cause__ = error
        finally:
            self.news.put(None)
            self._finish()

    def _turn(self) -> None:
        self._start()
        self._obey()
        self._feed()
        for key, events in self._selector.select(self._patience()):
            if key.data is None:
                with contextlib.suppress(BlockingIOError):
                    self._ear.recv(4096)
                continue
            process: Process = key.data
            if process not in self._processes:  # buried by an earlier event of this turn
                continue
            if key.fd == process.inbox and events & selectors.EVENT_WRITE:
                process.flush()
                if not process.sending:
                    self._selector.unregister(process.inbox)
            elif key.fd == process.outbox:
                self._receive(process)
            elif key.fd == process.errors and not process.listen():
                self._selector.unregister(process.errors)
        self._obey()
        self._watch()

    def _start(self) -> None:
        while len(self._processes) < self._workers and time.monotonic() >= self._start_after:
            try:
                process = Process(self._hello)
            except OSError as error:
                if self._processes:  # go on with fewer, and try again later
                    self._start_after = time.monotonic() + 1.0
                    return
                raise ExecutorError(
                    f"expected to start a worker process, got {error}; is there memory left?"
                ) from error
            self._processes[process] = None
            self._selector.register(process.outbox, selectors.EVENT_READ, process)
            self._selector.register(process.errors, selectors.EVENT_READ, process)
            self._send(process, [])

    def _obey(self) -> None:
        while self.commands:
            command = self.commands.popleft()
            if isinstance(command, Task):
                self._queue.append(command)
            else:
                self._cancel(command)

    def _cancel(self, number: int) -> None:
        for task in self._queue:
            if task.number == number:
                self._queue.remove(task)
                self._tell(Ended(number, "cancelled", reason="cancelled"))
                return
        for process, running in self._processes.items():
            if running is not None and running.task.number == number:
                self._end(process, "cancelled", "cancelled")
                return

    def _feed(self) -> None:
        for process, running in self._processes.items():
            if not self._queue:
                return
            if process.ready and running is None:
                task = self._queue.popleft()
                header = {
                    "number": task.number,
                    "job": task.job,
                    "limit": task.limit,
                    "shared": task.shared,
                }
                self._processes[process] = Running(task, time.monotonic(), process.cpu_seconds())
                process.forget_words()
                self._send(process, pack(header, task.payload, task.arrays))

    def _send(self, process: Process, buffers: list[memoryview]) -> None:
        process.send(buffers)
        if process.sending:
            self._selector.register(process.inbox, selectors.EVENT_WRITE, process)

    def _receive(self, process: Process) -> None:
        try:
            frames, is_open = process.receive()
            for frame in frames:
                if process in self._processes:  # the frame before may have been the last of this worker
                    self._take(process, frame)
        except MemoryError as error:
            self._end(process, "memory", str(error))
        except (FileFormatError, KeyError, TypeError, ValueError) as error:
            # Only a job that writes to foreign file descriptors gets here.
            self._crash(process, f"the worker's pipe is damaged ({error})")
        else:
            if not is_open and process in self._processes:
                self._mourn(process)

    def _take(self, process: Process, frame: Frame) -> None:
        header = frame.header
        kind, running = header["kind"], self._processes[process]
        if kind == "ready":
            process.ready = True
            self._deaths = 0
            return
        if running is None or header["number"] != running.task.number:
            raise ValueError(f"a frame of kind {kind!r} for no job")
        if kind == "started":
            running.begun = time.monotonic()
            return
        if kind != "ended" or header["outcome"] not in OUTCOMES:
            raise ValueError(f"a frame of kind {kind!r}")
        ended = Ended(
            header["number"],
            header["outcome"],
            frame.payload,
            frame.arrays,
            header["reason"],
            header["traceback"],
            header["seconds"],
            header["cpu_seconds"],
        )
        self._tell(ended)
        self._processes[process] = None
        if ended.outcome == "memory":  # what it still holds may be most of its memory: begin afresh
            self._bury(process)

    def _mourn(self, process: Process) -> None:
        """The pipe of a worker has ended: find out why."""
        running = self._processes[process]
        used = process.cpu_seconds()
        status = process.status(0.2)
        words = process.last_words()
        last = _telling_line(words)
        if running is None:
            if process.ready:  # nothing but a preload runs without a job: go on without
                self._hello["preload"] = ()
                self._bury(process)
                return
            self._deaths += 1
            self._start_after = time.monotonic() + _PAUSE * self._deaths
            self._bury(process)
            if self._deaths >= _MAX_DEATHS:
                raise ExecutorError(
                    f"expected worker processes to start, got {self._deaths} in a row that did not: the last "
                    f"{status} and said: {last or 'nothing'}; if the memory limit is low, raise it"
                )
            return
        limit = running.task.limit
        if limit is not None and running.seconds >= limit:
            self._end(process, "timeout", f"over its limit of {limit:g} s", used)
        elif looks_out_of_memory(words):
            self._end(process, "memory", f"the worker {status}: {last}", used)
        else:
            hint = " (out of memory, perhaps)" if status.endswith("SIGKILL") else f": {last}" if last else ""
            self._crash(process, f"the worker {status}{hint}", used)

    def _crash(self, process: Process, reason: str, used: float | None = None) -> None:
        running = self._processes[process]
        if running is not None and running.task.deaths < self._retries:
            running.task.deaths += 1
            self._queue.appendleft(running.task)
            self._bury(process)
        else:
            tries = 1 + (0 if running is None else running.task.deaths)
            self._end(process, "crashed", reason + (f"; tried {tries} times" if tries > 1 else ""), used)

    def _end(self, process: Process, outcome: Outcome, reason: str, used: float | None = None) -> None:
        """End the job of a worker from here, and the worker with it."""
        running = self._processes[process]
        if running is not None:
            used = process.cpu_seconds() if used is None else used
            words = "" if outcome == "cancelled" else process.last_words()
            self._tell(
                Ended(
                    running.task.number,
                    outcome,
                    reason=reason,
                    traceback=words,
                    seconds=running.seconds,
                    cpu_seconds=max(0.0, used - running.cpu),
                )
            )
        self._bury(process)

    def _tell(self, ended: Ended) -> None:
        self.ended.append(ended)
        self.news.put(None)

    def _bury(self, process: Process) -> None:
        """Kill a worker and let go of it; the next turn starts another in its place."""
        for fd in (process.inbox, process.outbox, process.errors):
            with contextlib.suppress(KeyError):
                self._selector.unregister(fd)
        self._processes.pop(process, None)
        process.kill()
        if not process.reap():
            self._dying.append(process)

    def _watch(self) -> None:
        """End jobs that are over a limit."""
        now = time.monotonic()
        self._dying = [process for process in self._dying if not process.reap()]
        for process, running in list(self._processes.items()):
            if running is None:
                if not process.ready and now - process.started > _START:
                    self._mourn(process)
                continue
            end = _latest_end(process, running)
            if end is not None and now >= end:
                self._end(process, "timeout", f"over its limit of {running.task.limit:g} s")
            elif self._memory is not None and (used := process.resident()) > self._memory:
                reason = f"over its memory limit: {used / 1e6:,.0f} MB of {self._memory / 1e6:,.0f} MB"
                self._end(process, "memory", reason)

    def _patience(self) -> float:
        """Seconds until something must be looked at, if there is no news before."""
        if self.stopped or self.commands:
            return 0.0
        waits = [_MAX_WAIT]
        if self._dying:
            waits.append(0.02)
        if len(self._processes) < self._workers:
            waits.append(max(0.0, self._start_after - time.monotonic()))
        if any(not process.ready for process in self._processes):
            waits.append(1.0)
        for process, running in self._processes.items():
            if running is not None:
                end = _latest_end(process, running)
                waits.append(_MAX_WAIT if end is None else max(0.0, end - time.monotonic()))
                waits.append(_MAX_WAIT if self._memory is None else _TICK)
        return min(waits)

    def _finish(self) -> None:
        """Leave nothing behind."""
        for process in list(self._processes):
            self._bury(process)
        end = time.monotonic() + 10.0
        while self._dying and time.monotonic() < end:
            self._dying = [process for process in self._dying if not process.reap()]
            time.sleep(0.002)
        self.folder.remove()
        self._selector.close()
        self._ear.close()
        self._bell.close()


def _latest_end(process: Process, running: Running) -> float | None:
    """When to kill a worker for the limit of its job, on the monotonic clock."""
    if running.task.limit is None:
        return None
    if running.begun is None:  # still receiving, or finishing a preload
        return running.sent + running.task.limit + _DELIVERY
    return running.begun + running.task.limit + (_DELIVERY if process.receiving else GRACE)


def _telling_line(words: str) -> str:
    """The line of a worker's last words that says most: memory, the verdict, or the last one."""
    lines = [line.strip()[:300] for line in words.splitlines() if line.strip()]
    for telling in (looks_out_of_memory, lambda line: line.startswith("Fatal Python error")):
        for line in filter(telling, lines):
            return line
    return lines[-1] if lines else ""
