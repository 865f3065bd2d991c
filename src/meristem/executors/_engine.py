"""The thread that keeps the workers: it starts them, feeds them, watches limits, replaces the dead.

One thread owns all processes and pipes. The caller's threads talk to it through two queues and share nothing
else, so there is no lock to be caught in. The thread lives as long as the pool, which matters: Linux ends a worker
when the *thread* that started it ends.
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
from meristem.executors.jobs import OUTCOMES, Arrays, Ended, Outcome, Payload, looks_out_of_memory

_GRACE = 0.1  # seconds past the limit for a job that stops itself at the limit
_DELIVERY = 60.0  # seconds past the limit for a result that has begun to arrive
_START = 120.0  # seconds for a worker to become ready, on a machine that swaps
_TICK = 0.1  # seconds between looks at memory
_MAX_DEATHS = 3  # workers in a row that die before they are ready


@dataclass(eq=False)
class Task:
    """A job on its way."""

    number: int
    job: str
    payload: Payload
    arrays: Arrays
    limit: float | None
    shared: dict[str, str]
    deaths: int = 0


@dataclass(eq=False)
class Running:
    """A task in a worker. `begun` is None until the worker says so."""

    task: Task
    sent: float
    cpu: float
    begun: float | None = None


class Engine:
    """See the module. `commands` and `results` are the two queues; `wake` after putting a command."""

    def __init__(
        self,
        workers: int,
        memory: int | None,
        retries: int,
        modules: tuple[str, ...],
        preload: tuple[str, ...],
    ) -> None:
        self.workers, self.memory, self.retries = workers, memory, retries
        self.commands: deque[Task | int] = deque()
        self.results: queue.SimpleQueue[Ended | ExecutorError] = queue.SimpleQueue()
        self.folder = SharedFolder()
        self._hello = {"memory": memory, "modules": modules, "preload": preload, "path": search_path()}
        self._queue: deque[Task] = deque()
        self._processes: dict[Process, Running | None] = {}
        self._dying: list[Process] = []
        self._deaths = 0
        self._stopped = False
        self._owner = os.getpid()
        self._selector = selectors.DefaultSelector()
        self._ear, self._bell = socket.socketpair()
        self._ear.setblocking(False)
        self._bell.setblocking(False)
        self._thread = threading.Thread(target=self._run, name="meristem-pool", daemon=True)
        self._thread.start()

    # ------------------------------------------------------------------------------- called by other threads

    @property
    def stopped(self) -> bool:
        """Whether `stop` was called."""
        return self._stopped

    def wake(self) -> None:
        """Make the thread look at its commands."""
        with contextlib.suppress(OSError):  # full: it will wake anyway; closed: it is over
            self._bell.send(b"!")

    def stop(self, patience: float) -> None:
        """End everything; wait up to `patience` seconds for it. Does nothing in a forked child."""
        if os.getpid() != self._owner:
            return
        self._stopped = True
        self.wake()
        self._thread.join(patience)

    # ------------------------------------------------------------------------------------------- the thread

    def _run(self) -> None:
        try:
            self._selector.register(self._ear, selectors.EVENT_READ, None)
            while not self._stopped:
                self._turn()
        except BaseException as error:
            failure = (
                error
                if isinstance(error, ExecutorError)
                else ExecutorError(
                    f"expected the pool of workers to keep running, got {type(error).__name__}: {error}"
                )
            )
            failure.__cause__ = None if failure is error else error
            self.results.put(failure)
        finally:
            self._finish()

    def _turn(self) -> None:
        while len(self._processes) < self.workers:
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
                self._flush(process)
            elif key.fd == process.outbox:
                self._receive(process)
            elif key.fd == process.errors and not process.listen():
                self._selector.unregister(process.errors)
        self._obey()
        self._watch()

    def _start(self) -> None:
        try:
            process = Process(self._hello)
        except OSError as error:
            raise ExecutorError(
                f"expected to start a worker process, got {error}; the system may lack memory or processes"
            ) from error
        self._processes[process] = None
        self._selector.register(process.outbox, selectors.EVENT_READ, process)
        self._selector.register(process.errors, selectors.EVENT_READ, process)
        if process.sending:
            self._selector.register(process.inbox, selectors.EVENT_WRITE, process)

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
                self.results.put(Ended(number, "cancelled", reason="cancelled"))
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
                    "payload": task.payload,
                    "limit": task.limit,
                    "shared": task.shared,
                }
                self._processes[process] = Running(task, time.monotonic(), process.cpu_seconds())
                process.listen()
                process.forget_words()
                process.send(pack(header, task.arrays))
                if process.sending:
                    self._selector.register(process.inbox, selectors.EVENT_WRITE, process)

    def _flush(self, process: Process) -> None:
        process.flush()
        if not process.sending:
            self._selector.unregister(process.inbox)

    def _receive(self, process: Process) -> None:
        try:
            if not process.receive(lambda frame: self._take(process, frame)):
                self._mourn(process)
        except MemoryError as error:
            self._end(process, "memory", str(error))
        except (FileFormatError, KeyError, TypeError, ValueError) as error:
            # Only a job that writes to foreign file descriptors gets here.
            self._crash(process, f"the worker's pipe is damaged ({error})")

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
        elif kind == "ended":
            if header["outcome"] not in OUTCOMES:
                raise ValueError(f"outcome {header['outcome']!r}")
            self.results.put(
                Ended(
                    header["number"],
                    header["outcome"],
                    header["payload"],
                    frame.arrays,
                    header["reason"],
                    header["traceback"],
                    header["seconds"],
                    header["cpu_seconds"],
                )
            )
            self._processes[process] = None
            if header["outcome"] == "memory":  # what it still holds may be most of its memory: begin afresh
                self._bury(process)
        else:
            raise ValueError(f"a frame of kind {kind!r}")

    def _mourn(self, process: Process) -> None:
        """The pipe of a worker has ended: find out why."""
        running = self._processes[process]
        used = process.cpu_seconds()
        status = process.status(0.2)
        words = process.last_words()
        last = words.splitlines()[-1].strip()[:300] if words else ""
        if running is None:
            if not process.ready:
                self._deaths += 1
                if self._deaths >= _MAX_DEATHS:
                    self._bury(process)
                    raise ExecutorError(
                        f"expected worker processes to start, got {self._deaths} in a row that did not: the "
                        f"last {status} and said: {last or 'nothing'}; if the memory limit is low, raise it"
                    )
            self._bury(process)
            return
        task = running.task
        if task.limit is not None and self._since(running) >= task.limit:
            self._end(process, "timeout", f"over its limit of {task.limit:g} s", used)
        elif self.memory is not None and looks_out_of_memory(words):
            self._end(process, "memory", f"the worker {status}: {last}", used)
        else:
            hint = " (out of memory, perhaps)" if status.endswith("SIGKILL") else f": {last}" if last else ""
            self._crash(process, f"the worker {status}{hint}", used)

    def _crash(self, process: Process, reason: str, used: float | None = None) -> None:
        running = self._processes[process]
        if running is not None and running.task.deaths < self.retries:
            running.task.deaths += 1
            self._queue.appendleft(running.task)
            self._bury(process)
        else:
            times = (
                f", {running.task.deaths + 1} times" if running is not None and running.task.deaths else ""
            )
            self._end(process, "crashed", reason + times, used)

    def _end(self, process: Process, outcome: Outcome, reason: str, used: float | None = None) -> None:
        """End the job of a worker from here, and the worker with it."""
        running = self._processes[process]
        if running is not None:
            used = process.cpu_seconds() if used is None else used
            self.results.put(
                Ended(
                    running.task.number,
                    outcome,
                    reason=reason,
                    traceback="" if outcome == "cancelled" else process.last_words(),
                    seconds=self._since(running),
                    cpu_seconds=max(0.0, used - running.cpu),
                )
            )
        self._bury(process)

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
            end = self._latest(process, running)
            if end is not None and now >= end:
                self._end(process, "timeout", f"over its limit of {running.task.limit:g} s")
            elif self.memory is not None and (used := process.resident()) > self.memory:
                reason = f"over its memory limit: {used / 1e6:,.0f} MB of {self.memory / 1e6:,.0f} MB"
                self._end(process, "memory", reason)

    def _latest(self, process: Process, running: Running) -> float | None:
        """When to kill the worker for its job's limit."""
        if running.task.limit is None:
            return None
        if running.begun is None:  # still receiving, or finishing a preload
            return running.sent + _DELIVERY + running.task.limit
        return running.begun + running.task.limit + (_DELIVERY if process.receiving else _GRACE)

    def _patience(self) -> float | None:
        """Seconds until something must be looked at; None when only news matter."""
        if self._stopped or self.commands:
            return 0.0
        if self._dying:
            return 0.02
        times = [self._latest(p, r) for p, r in self._processes.items() if r is not None]
        ends = [end for end in times if end is not None]
        waits = [max(0.0, min(ends) - time.monotonic())] if ends else []
        if self.memory is not None and times:
            waits.append(_TICK)
        if any(not p.ready for p in self._processes):
            waits.append(1.0)
        return min(waits, default=None)

    def _since(self, running: Running) -> float:
        return 0.0 if running.begun is None else time.monotonic() - running.begun

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


def hello_modules(values: Any, name: str) -> tuple[str, ...]:
    """Module names as a tuple of text, or InputError."""
    from meristem.errors import InputError

    if isinstance(values, str) or not all(isinstance(v, str) for v in values):
        raise InputError(f"expected {name} as several module names, got {values!r}")
    return tuple(values)
