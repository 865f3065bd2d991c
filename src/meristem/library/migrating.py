"""What fills the tables that a step to a newer version of the index makes."""

from __future__ import annotations

import contextlib
import sqlite3

import numpy as np

from meristem.errors import FileFormatError
from meristem.library._files import Blobs
from meristem.library.describe import Described, describe, described_subroutine, open_content
from meristem.library.signature import COUNT, FORM, pack


def describe_all(blobs: Blobs, connection: sqlite3.Connection) -> None:
    """From version 1 to 2: how each entry behaves. What cannot be read is left to `fsck`."""
    rows = connection.execute(
        "SELECT e.id, o.hash, o.kind, o.bytes FROM entry e JOIN object o ON o.hash = e.content"
    ).fetchall()
    for number, digest, kind, data in rows:
        holds, asked = np.zeros(COUNT, np.int32), np.zeros(COUNT, np.int32)
        same: str | None = None
        with contextlib.suppress(FileFormatError):
            content = bytes(data) if data is not None else blobs.get(digest.hex())
            holds, asked, same = described_again(kind, content).behaviour
        connection.execute(
            "INSERT INTO behaviour VALUES (?, ?, ?, ?)",
            (number, FORM, None if same is None else bytes.fromhex(same), pack(holds, asked)),
        )


def described_again(kind: str, content: bytes) -> Described:
    """What describes the bytes of an entry, made anew from them.

    Raises:
        FileFormatError: They are damaged.
    """
    if kind == "subroutine":
        return described_subroutine(content, {})
    opened = open_content(kind, content, "the entry")
    assert not isinstance(opened, tuple)
    return describe(opened)


__all__ = ["describe_all", "described_again"]
