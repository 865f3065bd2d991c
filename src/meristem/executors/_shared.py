"""Big data written once by the driver and mapped read-only by every worker.

Each `share` is a folder with one file of all arrays end to end and one JSON file that says where each stands (a table
has two arrays a column, so a file for each would be tens of thousands), inside the pool's temporary folder. That dies
with the pool; one that a killed driver left is swept by a later pool (its lock is free by then).
"""

from __future__ import annotations

import contextlib
import errno
import json
import math
import os
import shutil
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO

import numpy as np

from meristem.errors import ExecutorError
from meristem.executors._wire import dump_json
from meristem.executors.jobs import Arrays, Payload

PREFIX = "meristem-pool-"
_LOCK = "lock"
_ALIGN = 64  # bytes; arrays start at multiples of that
_SWEEP_AGE = 60.0  # seconds; a folder younger than that may not hold its lock yet


class SharedFolder:
    """The driver's side: made on first use, removed by `remove`."""

    def __init__(self) -> None:
        self._path: Path | None = None
        self._lock: IO[bytes] | None = None
        self._count = 0

    @property
    def path(self) -> Path | None:
        """Where the folder is; None while nothing is shared."""
        return self._path

    def write(self, payload: Payload, arrays: Mapping[str, np.ndarray]) -> str:
        """Write data down and return the folder that `read_shared` takes.

        Raises:
            ExecutorError: It cannot be written, most likely because the disk is full.
        """
        folder: Path | None = None
        try:
            if self._path is None:
                _sweep(Path(tempfile.gettempdir()))
                self._path = Path(tempfile.mkdtemp(prefix=PREFIX))
                self._lock = _locked(self._path / _LOCK)
            folder = self._path / str(self._count)
            folder.mkdir()
            index = _write_arrays(folder / "arrays", arrays)
            (folder / "data.json").write_bytes(dump_json({"payload": payload, "arrays": index}))
        except OSError as error:
            if folder is not None:
                shutil.rmtree(folder, ignore_errors=True)
            size = sum(a.nbytes for a in arrays.values())
            hint = "free some space, or " if error.errno in (errno.ENOSPC, errno.EDQUOT) else ""
            raise ExecutorError(
                f"expected to write {size / 1e6:,.1f} MB for the workers below {tempfile.gettempdir()}, got: "
                f"{error}; {hint}set TMPDIR to a folder with room"
            ) from error
        self._count += 1
        return str(folder)

    def remove(self) -> None:
        """Delete everything. Safe to call again."""
        if self._path is not None:
            shutil.rmtree(self._path, ignore_errors=True)
            self._path = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None


def _write_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> list[list[object]]:
    """All arrays in one file; of each its name, dtype, shape, whether it stands transposed, and where it starts."""
    index: list[list[object]] = []
    with path.open("wb", buffering=1 << 20) as file:
        for name, array in arrays.items():
            # A column-major array stays one: sums over it would differ in the last bit otherwise.
            turned = array.flags.f_contiguous and not array.flags.c_contiguous
            plain = array.T if turned else array
            file.write(b"\0" * (-file.tell() % _ALIGN))
            index.append([name, array.dtype.str, plain.shape, turned, file.tell()])
            file.write(np.ascontiguousarray(plain).reshape(-1).view(np.uint8).data)
    return index


def read_shared(folder: str) -> tuple[Payload, Arrays]:
    """The worker's side: the data, and arrays mapped read-only."""
    path = Path(folder)
    data = json.loads((path / "data.json").read_bytes())
    file = path / "arrays"
    # An empty file cannot be mapped.
    raw = np.memmap(file, np.uint8, "r").view(np.ndarray) if file.stat().st_size else np.zeros(0, np.uint8)
    arrays: Arrays = {}
    for name, dtype, shape, turned, start in data["arrays"]:
        size = np.dtype(dtype).itemsize * math.prod(shape)
        array = raw[start : start + size].view(dtype).reshape(shape)
        array.flags.writeable = False
        arrays[name] = array.T if turned else array
    return data["payload"], arrays


def _locked(path: Path) -> IO[bytes]:
    file = path.open("wb")
    _try_lock(file)
    return file


def _try_lock(file: IO[bytes]) -> bool:
    try:
        import fcntl
    except ImportError:  # not a POSIX system: folders of killed drivers stay
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _sweep(parent: Path) -> None:
    """Remove folders of this user whose driver is gone. Whatever goes wrong here is nobody's concern."""
    for folder in parent.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            info = folder.lstat()
            if folder.is_symlink() or info.st_uid != os.getuid() or time.time() - info.st_mtime < _SWEEP_AGE:
                continue
            with (folder / _LOCK).open("rb") as lock:
                if _try_lock(lock):
                    shutil.rmtree(folder, ignore_errors=True)
