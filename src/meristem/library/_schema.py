"""The tables of a library's index, and the steps from each version of them to the next.

A step is SQL, and perhaps a function that fills what the SQL made. Steps are never changed once released: a library of
any version is brought to the newest by those that it lacks, in one transaction, after a copy of the index was kept.
"""

from __future__ import annotations

APPLICATION = 0x4D535431  # "MST1": what `PRAGMA application_id` of a library says

STEPS: tuple[str, ...] = (
    # 1: objects, entries with their words, who uses what, and the highest version each name ever had, so that no
    # version is given twice even where entries were collected.
    """
    CREATE TABLE object (
        id INTEGER PRIMARY KEY,
        hash BLOB NOT NULL UNIQUE,
        kind TEXT NOT NULL,
        size INTEGER NOT NULL,
        bytes BLOB
    ) STRICT;
    CREATE TABLE entry (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL,
        version INTEGER NOT NULL,
        card BLOB NOT NULL REFERENCES object(hash),
        content BLOB NOT NULL REFERENCES object(hash),
        program BLOB NOT NULL,
        type TEXT NOT NULL,
        shelf TEXT NOT NULL,
        added TEXT NOT NULL,
        digest BLOB NOT NULL,
        removed TEXT,
        UNIQUE (name, version)
    ) STRICT;
    CREATE INDEX entry_program ON entry(program);
    CREATE INDEX entry_card ON entry(card);
    CREATE TABLE latest (
        name TEXT PRIMARY KEY NOT NULL,
        version INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE word (
        word TEXT NOT NULL,
        entry INTEGER NOT NULL REFERENCES entry(id) ON DELETE CASCADE,
        PRIMARY KEY (word, entry)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX word_entry ON word(entry);
    CREATE TABLE use (
        id INTEGER PRIMARY KEY,
        used INTEGER NOT NULL REFERENCES entry(id) ON DELETE CASCADE,
        user INTEGER REFERENCES entry(id) ON DELETE SET NULL,
        how TEXT NOT NULL,
        task TEXT NOT NULL,
        at TEXT NOT NULL
    ) STRICT;
    CREATE INDEX use_used ON use(used);
    CREATE INDEX use_user ON use(user);
    """,
    # 2: how an entry behaves, by which it is found from examples: `signature` as `meristem.library.signature` packs
    # it, `same` a hash of what it gives for inputs that all entries of its type are asked.
    """
    CREATE TABLE behaviour (
        entry INTEGER PRIMARY KEY REFERENCES entry(id) ON DELETE CASCADE,
        form INTEGER NOT NULL,
        same BLOB,
        signature BLOB NOT NULL
    ) STRICT;
    CREATE INDEX behaviour_same ON behaviour(same);
    """,
)

VERSION = len(STEPS)
"""The newest version of the tables."""


def statements(step: str) -> list[str]:
    """The single statements of a step: `executescript` would commit what is under way."""
    return [part.strip() for part in step.split(";") if part.strip()]


__all__ = ["APPLICATION", "STEPS", "VERSION", "statements"]
