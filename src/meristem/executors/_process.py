"""One worker process as the driver's thread sees it: non-blocking pipes, last words, kill and reap."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Generator
from pathlib import Path
from typing import IO, Any

from meristem.errors import ExecutorError
from meristem.executors._wire import Frame, unpack

_TAIL = 8192  # bytes of a worker's stderr that are kept
_PIPE = 1 << 20  # bytes; Linux's default of 64 KiB makes 100 MB take 1,600 turns
_CHUNK = 1 << 20

_ENVIRONMENT = {
    # One thread each: workers are the parallelism.
    "OMP_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "PASSIVE",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
    "LOKY_MAX_CPU_COUNT": "1",
    "PYTHONUNBUFFERED": "1",  # last words must not die in a buffer
}


class Process:
    """A worker process. All methods return at once; only the driver's thread calls them.

    Args:
        hello: The first message: plain data.
    """

    def __init__(self, hello: dict[str, Any]) -> None:
        if not sys.executable:
            raise ExecutorError(
                "expected a Python program to start workers with, got an empty sys.executable"
            )
        self.popen = subprocess.Popen(
            # -P: a json.py in the current folder must not replace the real one.
            [sys.executable, "-P", "-m", "meristem.executors.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_environment(),
            bufsize=0,
            start_new_session=True,  # Ctrl-C in the terminal reaches the driver only
        )
        self.pid = self.popen.pid
        self.started = time.monotonic()
        pipes: list[IO[bytes] | None] = [self.popen.stdin, self.popen.stdout, self.popen.stderr]
        self.inbox, self.outbox, self.errors = (pipe.fileno() for pipe in pipes if pipe is not None)
        for fd in (self.inbox, self.outbox, self.errors):
            os.set_blocking(fd, False)
        for fd in (self.inbox, self.outbox):
            _widen(fd)
        self.ready = False
        self.receiving = False  # a frame has begun to arrive
        self._tail = bytearray()
        self._outgoing: deque[memoryview] = deque()
        self._reader: Generator[memoryview, None, Frame] = unpack()
        self._view = next(self._reader)
        self.send([memoryview(json.dumps(hello).encode() + b"\n")])

    @property
    def sending(self) -> bool:
        """Whether bytes wait to be written."""
        return bool(self._outgoing)

    def send(self, buffers: list[memoryview]) -> None:
        """Queue buffers and write what the pipe takes."""
        self._outgoing.extend(buffers)
        self.flush()

    def flush(self) -> None:
        """Write what the pipe takes."""
        while self._outgoing:
            view = self._outgoing[0]
            try:
                count = os.write(self.inbox, view[:_CHUNK])
            except BlockingIOError:
                return
            except OSError:  # the worker is gone, which its other pipe tells in a moment
                self._outgoing.clear()
                return
            if count == len(view):
                self._outgoing.popleft()
            else:
                self._outgoing[0] = view[count:]

    def receive(self, turns: int = 16) -> tuple[list[Frame], bool]:
        """Read what is there, in at most `turns` reads.

        Returns:
            The frames that are complete now, and whether the pipe is still open.

        Raises:
            FileFormatError: What came is no frame.
            MemoryError: An array does not fit into the driver's memory.
        """
        frames: list[Frame] = []
        for _ in range(turns):
            try:
                count = os.readv(self.outbox, [self._view])
            except BlockingIOError:
                break
            if count == 0:
                return frames, False
            self.receiving = True
            self._view = self._view[count:]
            if len(self._view):
                continue
            try:
                self._view = next(self._reader)
            except StopIteration as stop:
                self._reader = unpack()
                self._view = next(self._reader)
                self.receiving = False
                if stop.value.lost:
                    raise MemoryError("no room in the driver for the arrays of a result") from None
                frames.append(stop.value)
        return frames, True

    def listen(self) -> bool:
        """Read what came on stderr and keep the end of it. Returns False at the end of the pipe."""
        try:
            text = os.read(self.errors, 1 << 16)
        except BlockingIOError:
            return True
        self._keep(text)
        return bool(text)

    def forget_words(self) -> None:
        """Drop what stderr said so far: it belongs to an earlier job."""
        self._drain()
        self._tail.clear()

    def last_words(self) -> str:
        """The end of what the worker wrote to stderr."""
        self._drain()
        return self._tail.decode("utf-8", "replace").strip()

    def _drain(self) -> None:
        with contextlib.suppress(OSError):
            for _ in range(64):  # a pipe holds 64 KiB, unless a child of the worker goes on writing
                try:
                    text = os.read(self.errors, 1 << 16)
                except BlockingIOError:
                    return
                if not text:
                    return
                self._keep(text)

    def _keep(self, text: bytes) -> None:
        self._tail += text
        del self._tail[:-_TAIL]

    def cpu_seconds(self) -> float:
        """Processor time so far, in seconds; 0 where the system does not tell."""
        try:
            fields = Path(f"/proc/{self.pid}/stat").read_bytes().rpartition(b")")[2].split()
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        except (OSError, ValueError, IndexError):
            return 0.0

    def resident(self) -> int:
        """Bytes of memory of its own (mapped files not counted); 0 where the system does not tell."""
        try:
            fields = Path(f"/proc/{self.pid}/statm").read_bytes().split()
            return (int(fields[1]) - int(fields[2])) * os.sysconf("SC_PAGE_SIZE")
        except (OSError, ValueError, IndexError):
            return 0

    def status(self, patience: float) -> str:
        """How the process ended, in words, after its pipe closed; waits up to `patience` seconds for that.

        Ends what the process has started, too: until it is reaped, its id cannot belong to anybody else.
        """
        end = time.monotonic() + patience
        while not self._ended() and time.monotonic() < end:
            time.sleep(0.001)
        if not self._ended():
            return "closed its pipe"
        self._kill_group()
        code = self.popen.wait()
        if code >= 0:
            return f"ended with exit status {code}"
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = f"signal {-code}"
        return f"was killed by {name}"

    def kill(self) -> None:
        """End the process and its children, and close the pipes. `reap` must follow."""
        if self.popen.returncode is None:
            self._kill_group()
            self.popen.kill()
        self._outgoing.clear()
        self._reader.close()
        for pipe in (self.popen.stdin, self.popen.stdout, self.popen.stderr):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def reap(self) -> bool:
        """Whether the process is gone for good."""
        return self.popen.poll() is not None

    def _ended(self) -> bool:
        """Whether the process has ended, without reaping it where the system can tell."""
        if self.popen.returncode is not None or not hasattr(os, "waitid"):
            return self.popen.poll() is not None
        try:
            return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        except ChildProcessError:  # the program ignores SIGCHLD: the system has reaped it
            return self.popen.poll() is not None

    def _kill_group(self) -> None:
        if self.popen.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)


def search_path() -> list[str]:
    """Where the driver finds modules, in absolute form: the current folder may change."""
    try:
        return [os.path.abspath(entry) for entry in sys.path if isinstance(entry, str)]
    except FileNotFoundError:  # the current folder was deleted
        return [entry for entry in sys.path if isinstance(entry, str) and os.path.isabs(entry)]


def _environment() -> dict[str, str]:
    environment = {**os.environ, **_ENVIRONMENT}
    # The order of sets must be the same in all workers, or results could depend on who made them.
    if environment.get("PYTHONHASHSEED", "random") == "random":
        environment["PYTHONHASHSEED"] = "0"
    root = Path(__file__).resolve().parents[2]
    # Used from a source tree, the package must be found before the first message tells the search path.
    # Installed packages are found anyway; in front of the standard library they could hide some of it.
    if root.name not in ("site-packages", "dist-packages"):
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [environment.get("PYTHONPATH"), str(root)]))
    return environment


def _widen(fd: int) -> None:
    with contextlib.suppress(ImportError, AttributeError, OSError):  # Linux only, and within the user's quota
        import fcntl

        fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, _PIPE)
