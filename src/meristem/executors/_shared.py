"""Big data written once by the driver and mapped read-only by every worker.

Each `share` is a folder of `.npy` files and one JSON file inside the pool's temporary folder. The folder dies
with the pool; one that a killed driver left is swept by a later pool (its lock is free by then).
"""

from __future__ import annotations

import contextlib
import errno
import json
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
_MAP_FROM = 1 << 16  # bytes; below that a copy is cheaper than a mapping (and nothing cannot be mapped)
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
        text = dump_json({"payload": payload, "names": list(arrays)})
        folder: Path | None = None
        try:
            if self._path is None:
                _sweep(Path(tempfile.gettempdir()))
                self._path = Path(tempfile.mkdtemp(prefix=PREFIX))
                self._lock = _locked(self._path / _LOCK)
            folder = self._path / str(self._count)
            folder.mkdir()
            for place, array in enumerate(arrays.values()):
                np.save(folder / f"{place}.npy", array, allow_pickle=False)
            (folder / "data.json").write_bytes(text)
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


def read_shared(folder: str) -> tuple[Payload, Arrays]:
    """The worker's side: the data, and arrays mapped read-only."""
    path = Path(folder)
    data = json.loads((path / "data.json").read_bytes())
    arrays: Arrays = {}
    for place, name in enumerate(data["names"]):
        file = path / f"{place}.npy"
        large = file.stat().st_size >= _MAP_FROM
        array = np.load(file, mmap_mode="r" if large else None, allow_pickle=False).view(np.ndarray)
        array.flags.writeable = False
        arrays[name] = array
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
