"""Collection: what was removed is forgotten, and what nothing speaks of is deleted."""

from __future__ import annotations

import os
import stat
import time
from typing import TYPE_CHECKING

from meristem.library._files import TEMPORARY, locked
from meristem.library._index import told
from meristem.library.checking import Checkup

if TYPE_CHECKING:
    from meristem.library.library import Library

_YOUNG = 3600.0  # seconds: where the system has no locks, a file this young may belong to someone at work


def collect(library: Library) -> Checkup:
    """See `Library.gc`."""
    began = time.monotonic()
    found = Checkup(collected=True)
    index = library.index
    with index.writing():
        pass  # the seal is checked: what is damaged is not tidied
    try:
        import fcntl  # noqa: F401

        youngest = float("inf")
    except ImportError:
        youngest = time.time() - _YOUNG
    # Alone: a writer holds the lock from its first blob to its commit, so nothing here is still to be spoken of.
    with index.guard, told(library.path, "write to"), locked(library.path, alone=True):
        with index.transaction() as connection:
            gone = connection.execute(
                "SELECT name, version FROM entry WHERE removed IS NOT NULL ORDER BY name, version"
            ).fetchall()
            connection.execute("DELETE FROM entry WHERE removed IS NOT NULL")
            dead = connection.execute(
                "DELETE FROM object WHERE hash NOT IN (SELECT card FROM entry UNION SELECT content FROM entry) "
                "RETURNING hash"
            ).fetchall()
            found.objects = len(dead)
            found.entries = len(gone)
            found.deleted += [f"{name}@{version}" for name, version in gone]
        known = {row[0].hex() for row in index.rows("SELECT hash FROM object WHERE bytes IS NULL")}
        temporary = library.path / TEMPORARY
        files = [p for p in library.blobs.walk() if library.blobs.is_well_placed(p) and p.name not in known]
        files += sorted(temporary.iterdir()) if temporary.is_dir() else []
        for path in files:
            state = os.lstat(path)
            if stat.S_ISREG(state.st_mode) and state.st_mtime < youngest:
                os.unlink(path)
                found.deleted.append(path.relative_to(library.path).as_posix())
        pages, free = (index.rows(f"PRAGMA {name}")[0][0] for name in ("page_count", "freelist_count"))
        if free > 64 and 4 * free > pages:
            index.rows("VACUUM")
    index.seal()
    library.forget()
    found.seconds = time.monotonic() - began
    return found


__all__ = ["collect"]
