"""What the tests of the executors share."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

import pytest

MODULES = ("executor_jobs",)


def alive(pid: int) -> bool:
    """Whether a process runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0] not in (b"Z", b"X")
    except (FileNotFoundError, ProcessLookupError):
        return False


def children() -> set[int]:
    """Processes that this one has started and not reaped, zombies included."""
    found = set()
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # a thread that has just ended
            found |= {int(pid) for pid in (task / "children").read_text().split()}
    return found


def eventually(condition, seconds: float = 5.0) -> bool:
    """Whether something becomes true within some time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def drain(pool) -> dict:
    """All jobs that are outstanding, by number."""
    found = {}
    while pool.outstanding:
        for ended in pool.wait(20.0) or pytest.fail("no job ended within 20 s"):
            assert ended.number not in found
            found[ended.number] = ended
    return found


def one(pool, job: str, payload=None, arrays=None, limit=None):
    """Run one job of the tests' module."""
    number = pool.submit(f"executor_jobs:{job}", payload or {}, arrays or {}, limit=limit)
    return drain(pool)[number]
