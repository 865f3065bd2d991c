"""A worker process: `python -m meristem.executors.worker`, spoken to over pipes by `Pool`.

The main thread runs jobs; a second thread reads the pipe, so that the end of the driver is noticed in the
middle of a job. Nothing but NumPy is imported before the first job.
"""

from __future__ import annotations

import faulthandler
import importlib
import os
import queue
import signal
import sys
import threading
import time
import traceback
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterable

    from meristem.executors._wire import Frame
    from meristem.executors.jobs import Arrays, Ended, Payload

_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
_IDLE = 0.02  # seconds without a job after which the next module may be preloaded


def main() -> NoReturn:
    """Serve jobs until the driver closes the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the driver's to handle
    _die_with_parent()
    inbox, outbox = os.dup(0), os.dup(1)
    # From here on, whatever a library prints goes to the error pipe and cannot mix with frames.
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(2, 1)
    os.close(null)
    faulthandler.enable()
    _Worker(inbox, outbox).serve()


class _Worker:
    def __init__(self, inbox: int, outbox: int) -> None:
        self.inbox, self.outbox = inbox, outbox
        self.frames: queue.SimpleQueue[Frame] = queue.SimpleQueue()
        self.cache: dict[Any, Any] = {}
        self.shared: dict[str, tuple[str, tuple[Payload, Arrays]]] = {}
        self.modules: tuple[str, ...] = ()

    def serve(self) -> NoReturn:
        # The search path comes first of all, so that this process finds the NumPy that the driver found.
        hello = _read_hello(self.inbox)
        sys.path[:] = hello["path"]
        self.modules = tuple(hello["modules"])
        from meristem.executors import _wire, jobs  # noqa: F401  NumPy before the first job asks for it

        _limit(hello["memory"])
        threading.Thread(target=self.read, daemon=True).start()
        self.send({"kind": "ready"})
        preload = list(hello["preload"])
        while True:
            try:
                frame = self.frames.get(timeout=_IDLE if preload else None)
            except queue.Empty:
                _preload(preload.pop(0))
                continue
            self.run(frame)
            del frame  # its arrays should not outlive it while this worker idles

    def read(self) -> None:
        """Take frames from the pipe for ever."""
        from meristem.executors._wire import unpack

        try:
            while True:
                reader = unpack()
                try:
                    while True:
                        _read_into(self.inbox, next(reader))
                except StopIteration as stop:
                    self.frames.put(stop.value)
        except EOFError:
            os._exit(0)  # the driver is gone or wants no more
        except BaseException:  # the driver reads why, and starts another worker
            traceback.print_exc()
            os._exit(70)

    def run(self, frame: Frame) -> None:
        from meristem.executors.jobs import Ended, JobContext, run_job

        header = frame.header
        number, limit = header["number"], header["limit"]
        self.send({"kind": "started", "number": number})
        if frame.lost:
            self.tell(Ended(number, "memory", reason="MemoryError: no room for the arguments of the job"))
            return

        def find(name: str) -> tuple[Payload, Arrays]:
            return self.find(name, header["shared"])

        deadline = None
        if limit is not None:
            deadline = time.monotonic() + limit
            # Just before the driver kills this process: where it was becomes its last words.
            faulthandler.dump_traceback_later(limit)
        context = JobContext(deadline, self.cache, find)
        try:
            ended = run_job(number, header["job"], frame.payload, frame.arrays, context, self.modules)
        finally:
            if limit is not None:
                faulthandler.cancel_dump_traceback_later()
        self.tell(ended)

    def find(self, name: str, folders: dict[str, str]) -> tuple[Payload, Arrays]:
        from meristem.errors import InputError
        from meristem.executors._shared import read_shared

        folder = folders.get(name)
        if folder is None:
            raise InputError(f"nothing is shared as {name!r}; there is {sorted(folders)}")
        if name not in self.shared or self.shared[name][0] != folder:
            self.shared.pop(name, None)
            self.shared[name] = (folder, read_shared(folder))
        return self.shared[name][1]

    def tell(self, ended: Ended) -> None:
        header = {
            "kind": "ended",
            "number": ended.number,
            "outcome": ended.outcome,
            "reason": ended.reason,
            "traceback": ended.traceback,
            "seconds": ended.seconds,
            "cpu_seconds": ended.cpu_seconds,
        }
        try:
            self.send(header, ended.payload, ended.arrays)
        except MemoryError:  # before the first byte: a frame is complete before it is written
            header |= {"outcome": "memory", "reason": "MemoryError: no room to send the result"}
            self.send(header)

    def send(
        self, header: dict[str, Any], payload: Payload | None = None, arrays: Arrays | None = None
    ) -> None:
        from meristem.executors._wire import dump_json, pack

        self.write(pack(header, dump_json(payload or {}), arrays))

    def write(self, buffers: Iterable[memoryview]) -> None:
        try:
            for buffer in buffers:
                while len(buffer):
                    buffer = buffer[os.write(self.outbox, buffer) :]
        except BrokenPipeError:
            os._exit(0)


def _read_into(pipe: int, view: memoryview) -> None:
    while len(view):
        count = os.readv(pipe, [view])
        if count == 0:
            raise EOFError
        view = view[count:]


def _read_hello(pipe: int) -> Any:
    """The first message is one line of JSON: reading it needs no NumPy."""
    import json

    line = bytearray()
    while not line.endswith(b"\n"):
        byte = os.read(pipe, 1)
        if not byte:
            os._exit(0)
        line += byte
    return json.loads(line)


def _die_with_parent() -> None:
    """On Linux the kernel kills this process with the driver, even inside a loop of C code."""
    if sys.platform.startswith("linux"):
        import ctypes

        # No C library to ask (a static build): the end of the pipe still tells.
        prctl = getattr(ctypes.CDLL(None), "prctl", None)
        if prctl is not None:
            prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _limit(memory: int | None) -> None:
    """Let allocations past `memory` bytes fail, and write no core files."""
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if memory is None:
        return
    # RLIMIT_DATA counts what is allocated (Linux 4.7 and later), RLIMIT_AS also what is only mapped.
    kind = resource.RLIMIT_DATA if sys.platform.startswith("linux") else resource.RLIMIT_AS
    hard = resource.getrlimit(kind)[1]
    bound = memory if hard == resource.RLIM_INFINITY else min(memory, hard)
    try:
        resource.setrlimit(kind, (bound, hard))
    except (ValueError, OSError):
        return  # the system refuses; the driver still watches


def _preload(name: str) -> None:
    """Import a module that a later job will probably need. That job tells what is wrong with it."""
    try:
        importlib.import_module(name)
    except Exception as error:
        print(f"preloading {name}: {error}", file=sys.stderr)


if __name__ == "__main__":
    main()
