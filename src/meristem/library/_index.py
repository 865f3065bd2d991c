"""The index of a library: SQLite in WAL with full syncing, its schema held to what it should be, sealed at rest.

SQLite finds torn writes, not flipped bits: a byte that changed in a page nobody reads goes unseen. So who wrote last
leaves a seal beside the index, the hash of the whole file; who writes next checks it first and takes it away. A seal
that is there and does not match is damage. Without one (others are writing, or the last writer was killed) the rows'
own hashes are what is checked.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
import stat
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from meristem.errors import FileFormatError, InputError, MeristemError
from meristem.library._files import (
    BLOBS,
    LOCK,
    TEMPORARY,
    checked_folder,
    locked,
    make_folder,
    read_plain,
    write_new,
)
from meristem.library._schema import APPLICATION, STEPS, VERSION, statements

INDEX, SEAL = "index.sqlite", "index.seal"
_SEALED = 64 * 2**20  # bytes up to which closing seals, and the first write checks: 0.1 s or so
_BUSY_MS = 60_000
_SEAL_WORDS = "meristem-library sha256 "

Fill = Callable[[sqlite3.Connection], None]


@lru_cache
def _expected(version: int) -> frozenset[tuple[Any, ...]]:
    """What `sqlite_master` of a library of a version holds."""
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        for step in STEPS[:version]:
            for statement in statements(step):
                connection.execute(statement)
        return _master(connection)


def _master(connection: sqlite3.Connection) -> frozenset[tuple[Any, ...]]:
    return frozenset(connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master"))


@contextlib.contextmanager
def told(root: Path, doing: str) -> Iterator[None]:
    """Turn what SQLite and the system raise into errors that say which library it is and what to do."""
    try:
        yield
    except sqlite3.OperationalError as error:
        text = str(error)
        if "full" in text or "I/O" in text or "readonly" in text or "unable to open" in text:
            raise InputError(
                f"cannot {doing} the library {str(root)!r}: {text}; what it holds is as it was; see that there is "
                "room on the disk and that the folder may be written"
            ) from None
        if "locked" in text or "busy" in text:
            raise InputError(
                f"cannot {doing} the library {str(root)!r}: other processes hold it for more than "
                f"{_BUSY_MS // 1000} s; end them, or try again"
            ) from None
        raise FileFormatError(
            f"the index of the library {str(root)!r} is damaged ({text}); see `meristem library fsck`"
        ) from None
    except sqlite3.IntegrityError as error:
        raise FileFormatError(
            f"the index of the library {str(root)!r} contradicts itself ({error}); see `meristem library fsck`"
        ) from None
    except (sqlite3.DatabaseError, OverflowError, UnicodeDecodeError) as error:
        raise FileFormatError(
            f"the index of the library {str(root)!r} is damaged ({error}); see `meristem library fsck`"
        ) from None
    except OSError as error:
        raise InputError(
            f"cannot {doing} the library {str(root)!r}: {error.strerror or error}; what it holds is as it was"
        ) from None


class Index:
    """The connection to an index, opened anew in each process.

    Args:
        root: The folder of the library.
        fill: By version, what fills the tables that the step to it made.
    """

    def __init__(self, root: Path, fill: dict[int, Fill] | None = None) -> None:
        self.root, self.fill = root, fill or {}
        self.path = root / INDEX
        self.guard = threading.RLock()
        self._state: dict[str, Any] = {"connection": None, "pid": 0, "wrote": False, "read_only": False}
        self._finalizer = weakref.finalize(self, _close, self._state, root)
        with told(root, "open"):
            _ = self.connection

    # ------------------------------------------------------------------------------------------ opening

    @property
    def connection(self) -> sqlite3.Connection:
        """The connection of this process."""
        if self._state["connection"] is None or self._state["pid"] != os.getpid():
            # After a fork the parent's connection is left alone, not closed: closing it would drop the parent's locks.
            kept = self._state["connection"]
            self._state.update(connection=self._open(), pid=os.getpid(), wrote=False, inherited=kept)
        found: sqlite3.Connection = self._state["connection"]
        return found

    @property
    def read_only(self) -> bool:
        """Whether nothing can be written here."""
        return bool(self._state["read_only"])

    def _open(self) -> sqlite3.Connection:
        with contextlib.suppress(FileNotFoundError):
            mode = os.lstat(self.path).st_mode
            if not stat.S_ISREG(mode):
                what = "a link" if stat.S_ISLNK(mode) else "no plain file"
                raise FileFormatError(f"{str(self.path)!r} is {what}: expected the index of a library")
        there = self.path.exists()
        writable = os.access(self.root, os.W_OK | os.X_OK) and (not there or os.access(self.path, os.W_OK))
        self._state["read_only"] = not writable
        if not writable:
            if not there:
                raise InputError(
                    f"there is no library in {str(self.root)!r}, and none can be made: read-only"
                )
            waiting = self.path.with_name(INDEX + "-wal").exists()
            mode_text = "mode=ro" if waiting else "mode=ro&immutable=1"
            connection = self._connect(f"{self.path.absolute().as_uri()}?{mode_text}")
            self._check(connection)
            return connection
        connection = self._connect(f"{self.path.absolute().as_uri()}?mode=rwc")
        try:
            version = self._check(connection)
            if version < VERSION:
                with locked(self.root, alone=True):
                    self._migrate(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    @staticmethod
    def _connect(uri: str) -> sqlite3.Connection:
        connection = sqlite3.connect(
            uri, uri=True, isolation_level=None, timeout=_BUSY_MS / 1000, check_same_thread=False
        )
        for pragma in ("trusted_schema=OFF", "foreign_keys=ON", "cell_size_check=ON", "synchronous=FULL"):
            connection.execute(f"PRAGMA {pragma}")
        return connection

    def _check(self, connection: sqlite3.Connection) -> int:
        """The version of the schema; 0 of an index that is to be made.

        Raises:
            FileFormatError: It is the index of something else, of a newer version, or was tampered with.
        """
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        master = _master(connection)
        if application == 0 and version == 0 and not master:
            return 0
        if application != APPLICATION:
            raise FileFormatError(f"{str(self.path)!r} is a database of something else, no Meristem library")
        if version > VERSION:
            raise FileFormatError(
                f"the library {str(self.root)!r} has version {version}, this Meristem reads up to {VERSION}; "
                "update with: pip install -U meristem"
            )
        if version < 1 or master != _expected(version):
            raise FileFormatError(
                f"the index of the library {str(self.root)!r} does not have the tables of version {version}: it is "
                "damaged, or someone changed it; see `meristem library fsck`"
            )
        return int(version)

    def _migrate(self, connection: sqlite3.Connection) -> None:
        """Bring the schema to the newest version; a copy of the old index is kept beside it."""
        connection.execute("PRAGMA journal_mode=WAL")
        version = self._check(connection)  # while waiting for the lock another process may have done it
        if version == VERSION:
            return
        if version == 0 and self._had_something():
            raise FileFormatError(
                f"the index of the library {str(self.root)!r} is empty or gone, but something was kept there: put back "
                "index.sqlite from a copy, or name another folder"
            )
        self._take_seal()
        if version:
            copy = self.root / f"index-version-{version}.sqlite"
            if not copy.exists():
                make_folder(self.root / TEMPORARY)
                fresh = self.root / TEMPORARY / f"copy-{os.getpid()}-{os.urandom(6).hex()}"
                connection.execute("VACUUM INTO ?", (str(fresh),))
                with open(fresh, "rb+") as stream:
                    os.fsync(stream.fileno())
                os.replace(fresh, copy)
        connection.execute("BEGIN IMMEDIATE")
        try:
            for number in range(version + 1, VERSION + 1):
                for statement in statements(STEPS[number - 1]):
                    connection.execute(statement)
                if number in self.fill:
                    self.fill[number](connection)
            connection.execute(f"PRAGMA application_id={APPLICATION}")
            connection.execute(f"PRAGMA user_version={VERSION}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        self._state["wrote"] = True

    def _had_something(self) -> bool:
        """Whether there was a library here before: the tables are made before the first blob and the first seal."""
        if (self.root / SEAL).exists():
            return True
        blobs = self.root / BLOBS
        return checked_folder(blobs) and any(blobs.iterdir())

    # ------------------------------------------------------------------------------------------ using it

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """What a query gives."""
        with self.guard, told(self.root, "read"):
            return self.connection.execute(sql, values).fetchall()

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """The library's lock, shared with other writers, the seal taken away. Blobs and rows are written inside."""
        if self.read_only:
            raise InputError(
                f"the library {str(self.root)!r} is read-only here; copy it, or name another one with MERISTEM_LIBRARY"
            )
        with self.guard, told(self.root, "write to"), locked(self.root, alone=False):
            self._unseal()
            yield

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A transaction that writes. It is on disk when this ends without an error."""
        with self.guard, told(self.root, "write to"):
            connection = self.connection
            connection.execute("BEGIN IMMEDIATE")
            try:
                self._state["wrote"] = True
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    with contextlib.suppress(sqlite3.Error):
                        connection.execute("ROLLBACK")
                raise

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """A transaction that reads: all queries inside see the same state."""
        with self.guard, told(self.root, "read"):
            connection = self.connection
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                with contextlib.suppress(sqlite3.Error):
                    connection.execute("COMMIT")

    def state(self) -> tuple[int, int]:
        """A mark that changes whenever any process changed the library."""
        with self.guard, told(self.root, "read"):
            connection = self.connection
            outside = connection.execute("PRAGMA data_version").fetchone()[0]
            return int(outside), connection.total_changes

    # ------------------------------------------------------------------------------------------ the seal

    def _unseal(self) -> None:
        """Before the first write: check the seal, then take it away."""
        path = self.root / SEAL
        if not path.exists():
            return
        if self.path.stat().st_size <= _SEALED and self.sealed() is False:
            raise FileFormatError(
                f"the index of the library {str(self.root)!r} is damaged: it does not match its seal; nothing was "
                "written; see `meristem library fsck`"
            )
        self._take_seal()

    def _take_seal(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.root / SEAL)

    def sealed(self) -> bool | None:
        """Whether the index matches its seal; None where there is no seal.

        To be called while the lock is held by no one alone: a seal that vanished meanwhile means that others write.
        """
        path = self.root / SEAL
        try:
            words = read_plain(path, 1000)
        except FileNotFoundError:
            return None
        if words == _seal_of(self.path) and not _wal_size(self.root):
            return True
        return False if path.exists() else None

    def seal(self, *, wait: float = 0.0) -> bool:
        """Bring all that was written into the index file and seal it, if nobody else is at work; gives whether."""
        with self.guard, told(self.root, "write to"), locked(self.root, alone=True, wait=wait) as held:
            return bool(held) and _seal(self.connection, self.root)

    def close(self) -> None:
        """End the connection; it opens again when it is needed."""
        with self.guard:
            _close(self._state, self.root)


def _seal_of(path: Path) -> bytes:
    state = hashlib.sha256()
    with open(path, "rb") as stream:
        while part := stream.read(1 << 20):
            state.update(part)
    return f"{_SEAL_WORDS}{state.hexdigest()}\n".encode()


def _wal_size(root: Path) -> int:
    try:
        return (root / (INDEX + "-wal")).stat().st_size
    except FileNotFoundError:
        return 0


def _seal(connection: sqlite3.Connection, root: Path) -> bool:
    """Seal the index; the lock is held alone."""
    busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    if busy or _wal_size(root):
        return False
    write_new(root / TEMPORARY, root / SEAL, _seal_of(root / INDEX), 0o644)
    return True


def _close(state: dict[str, Any], root: Path) -> None:
    connection: sqlite3.Connection | None = state["connection"]
    if connection is None or state["pid"] != os.getpid():
        return
    state["connection"] = None
    # Closing must not fail: what was acknowledged is on disk already, a seal only helps to notice damage.
    with contextlib.suppress(sqlite3.Error, OSError, MeristemError):
        small = (root / INDEX).stat().st_size <= _SEALED
        if state["wrote"] and small and not state["read_only"]:
            with locked(root, alone=True, wait=0) as held:
                if held:
                    _seal(connection, root)
    with contextlib.suppress(sqlite3.Error):
        connection.close()


OWN_FILES = (INDEX, INDEX + "-wal", INDEX + "-shm", SEAL, LOCK)
"""Names that the index and its lock may have."""

__all__ = ["INDEX", "OWN_FILES", "SEAL", "Index", "told"]
