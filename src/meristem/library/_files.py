"""The files of a library: written whole or not at all, named by what they hold, never reached through a link.

A blob is written to a temporary file, synced, renamed to the hash of its content, and its folder synced. Only then
may a row of the index speak of it. So whatever moment a process dies at, a row never names bytes that are not there.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from meristem.errors import FileFormatError, InputError

BLOBS, TEMPORARY, LOCK = "blobs", "tmp", "lock"
MOST_BYTES = 4 * 2**30
"""Of one blob."""
_WAIT = 60.0  # seconds for others who hold the lock


def digest_of(data: bytes) -> str:
    """SHA-256 of bytes, as hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def is_digest(text: object) -> bool:
    """Whether a value is a SHA-256 as `digest_of` writes it."""
    return isinstance(text, str) and len(text) == 64 and all(c in "0123456789abcdef" for c in text)


def sync_folder(path: Path) -> None:
    """Have the names in a folder reach the disk."""
    if os.name == "nt":  # a folder cannot be opened there, and renaming is durable by itself
        return
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def checked_folder(path: Path) -> bool:
    """Whether a folder is there; a link or a file in its place is refused.

    Raises:
        FileFormatError: Something else stands there.
    """
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        return False
    if not stat.S_ISDIR(mode):
        what = "a link" if stat.S_ISLNK(mode) else "no folder"
        raise FileFormatError(f"{str(path)!r} is {what}: a library follows no links; put a real folder there")
    return True


def make_folder(path: Path) -> None:
    """Make a folder where none is, and have it reach the disk."""
    if not checked_folder(path):
        with contextlib.suppress(FileExistsError):
            os.mkdir(path, 0o777)
        checked_folder(path)
        sync_folder(path.parent)


def write_new(folder: Path, target: Path, data: bytes, mode: int = 0o444) -> None:
    """Write a file in one step: synced under a temporary name in `folder`, then renamed.

    Raises:
        OSError: It cannot be written; nothing is left of it then.
    """
    make_folder(folder)
    temporary = folder / f"{os.getpid()}-{os.urandom(8).hex()}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    handle = os.open(temporary, flags, 0o600)
    try:
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(handle, view) :]
            os.fsync(handle)
            if hasattr(os, "fchmod"):
                os.fchmod(handle, mode)
        finally:
            os.close(handle)
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    sync_folder(target.parent)


def read_plain(path: Path, most: int = MOST_BYTES) -> bytes:
    """The bytes of a file that is a file: no link, no device.

    Raises:
        FileFormatError: It is something else, or too large.
        OSError: It cannot be read.
    """
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0))
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise FileFormatError(f"{str(path)!r} is a link: a library follows no links") from None
        raise
    with os.fdopen(handle, "rb") as stream:
        state = os.fstat(handle)
        if not stat.S_ISREG(state.st_mode):
            raise FileFormatError(f"{str(path)!r} is no plain file")
        if state.st_size > most:
            raise FileFormatError(f"{str(path)!r} is larger than {most:,} bytes")
        return stream.read()


class Blobs:
    """Immutable files named by the SHA-256 of what they hold.

    Args:
        root: The folder of the library.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def place(self, digest: str) -> Path:
        """Where a blob stands."""
        return self.root / BLOBS / digest[:2] / digest

    def put(self, digest: str, data: bytes) -> None:
        """Keep bytes under their hash; what is there already and whole is left as it is.

        Raises:
            OSError: They cannot be written.
        """
        target = self.place(digest)
        make_folder(target.parent.parent)
        make_folder(target.parent)
        if not self.holds(digest):
            write_new(self.root / TEMPORARY, target, data)

    def holds(self, digest: str) -> bool:
        """Whether a blob is there and whole."""
        try:
            return digest_of(read_plain(self.place(digest))) == digest
        except (OSError, FileFormatError):
            return False

    def get(self, digest: str) -> bytes:
        """The bytes of a blob.

        Raises:
            FileFormatError: It is missing or damaged.
        """
        path = self.place(digest)
        for folder in (path.parent.parent, path.parent):
            checked_folder(folder)
        try:
            data = read_plain(path)
        except FileNotFoundError:
            raise FileFormatError(f"the blob {digest[:12]} is missing in {str(self.root)!r}") from None
        except OSError as error:
            raise FileFormatError(
                f"the blob {digest[:12]} cannot be read: {error.strerror or error}"
            ) from None
        if digest_of(data) != digest:
            raise FileFormatError(f"the blob {digest[:12]} is damaged: its content does not match its name")
        return data

    def walk(self) -> Iterator[Path]:
        """Every file below the folder of blobs; what is no file or stands in a wrong place comes too."""
        top = self.root / BLOBS
        if not checked_folder(top):
            return
        for group in sorted(top.iterdir()):
            if stat.S_ISDIR(os.lstat(group).st_mode):
                yield from sorted(group.iterdir())
            else:
                yield group

    def is_well_placed(self, path: Path) -> bool:
        """Whether a file is one that `put` may have written, by its name and kind."""
        return is_digest(path.name) and path == self.place(path.name) and stat.S_ISREG(os.lstat(path).st_mode)


@contextlib.contextmanager
def locked(root: Path, *, alone: bool, wait: float = _WAIT) -> Iterator[bool]:
    """Hold the library's lock: with others who write, or alone. Gives whether it is held.

    A process that dies lets go of it. Writers share it from the first blob to the commit, so who holds it alone
    (collection, sealing) meets no blob whose row is still to come.

    Raises:
        InputError: Others hold it for longer than `wait` seconds. With `wait` 0 False is given in place of that.
    """
    try:
        import fcntl
    except ImportError:  # no such locks on this system: collection keeps what is young, nothing is sealed
        yield not alone
        return
    path = root / LOCK
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        handle = os.open(path, flags, 0o666)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise FileFormatError(f"{str(path)!r} is a link: a library follows no links") from None
        raise
    try:
        kind = (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB
        end = time.monotonic() + wait
        held = False
        while not held:
            try:
                fcntl.flock(handle, kind)
                held = True
            except OSError as error:
                if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                    raise
                if wait == 0:
                    break
                if time.monotonic() >= end:
                    raise InputError(
                        f"the library {str(root)!r} is in use by other processes for more than {wait:.0f} s; "
                        "end them, or try again"
                    ) from None
                time.sleep(0.002)
        yield held
    finally:
        os.close(handle)


__all__ = [
    "BLOBS",
    "LOCK",
    "MOST_BYTES",
    "TEMPORARY",
    "Blobs",
    "checked_folder",
    "digest_of",
    "is_digest",
    "locked",
    "make_folder",
    "read_plain",
    "sync_folder",
    "write_new",
]
